"""What a forger, or a bad disk, does to a mixture."""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tulu_data.building import manifest


def resign(folder: Path, change: Callable[[dict[str, Any]], None] = lambda facts: None) -> None:
    """Make the manifest and the sums fit the files again, as a forger would."""
    facts = json.loads((folder / "manifest.json").read_text())
    names = {str(path.relative_to(folder)): path for path in folder.rglob("*") if path.is_file()}
    facts["files"] = {
        name: {"sha256": hashlib.sha256(path.read_bytes()).hexdigest(), "bytes": path.stat().st_size}
        for name, path in names.items()
        if name not in ("manifest.json", "SHA256SUMS")
    }
    change(facts)
    manifest.seal(folder, facts)


def damaged(content: bytes, draw: random.Random) -> bytes:
    """Bytes that were flipped, cut, doubled, or written over with bytes of numbers."""
    changed = bytearray(content)
    for _ in range(draw.choice((1, 1, 2, 8, 64))):
        place = draw.randrange(len(changed) or 1)
        kind = draw.randrange(5)
        if kind == 0 and changed:
            changed[place % len(changed)] ^= 1 << draw.randrange(8)
        elif kind == 1:
            changed[place : place + 4] = draw.choice((b"\xff\xff\xff\x7f", b"\0\0\0\0", b"\xff\xff\xff\xff"))
        elif kind == 2:
            del changed[place:]
        elif kind == 3:
            changed[place:place] = changed[place : place + draw.randrange(64)]
        else:
            changed[place:place] = draw.choice(
                (b"[" * 50_000, b'"\\u0000"', b"1e999", b"null", b"-1", b"{}", b"../x", b"[]")
            )
    return bytes(changed)
