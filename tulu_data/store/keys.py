"""Keys: digests of all that a thing is computed from."""

from __future__ import annotations

import hashlib
import json
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from tulu_data.errors import InvariantError

TABLE_FORMAT: Final = "1"


def key_of(**parts: Any) -> str:
    """A digest of named parts, in hex: the key of a result that is computed from them alone.

    >>> key_of(stage="length_filter", options={"on": "prompt"})[:8]
    '628e8db2'
    """
    text = json.dumps({"table format": TABLE_FORMAT, **parts}, sort_keys=True, ensure_ascii=False, default=as_text)
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()


def as_text(value: Any) -> str:
    """A decimal or a path as text, for JSON; `InvariantError` (exit 1) for anything else."""
    if isinstance(value, Decimal | Path):
        return str(value)
    # For other objects `str` may show an address in memory, which differs from run to run.
    raise InvariantError(f"a key can't be made of {type(value).__name__}; give text, numbers, lists or mappings")
