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
    """A digest of named parts, in hex: the key of what is computed from them alone.

    >>> key_of(stage="length_filter", options={"on": "prompt"})[:8]
    '628e8db2'
    """
    text = json.dumps({"table format": TABLE_FORMAT, **parts}, sort_keys=True, ensure_ascii=False, default=as_text)
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()


def as_text(value: Any) -> str:
    """What of JSON is written for a decimal or a path; `InvariantError` (exit 1) for anything else."""
    if isinstance(value, Decimal | Path):
        return str(value)
    # What `str` shows of other objects may be their place in memory, which is another in each run.
    raise InvariantError(f"a key can't be made of {type(value).__name__}; give text, numbers, lists or mappings")
