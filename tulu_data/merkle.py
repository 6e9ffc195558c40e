"""The logical root of a mixture: equal rows have equal roots, whatever wrote their files.

RFC 6962 hashing (0x00 before a leaf, 0x01 before two children) over the kept rows, sorted
by id. With the root published, one row can be shown to be in the mixture or not.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable


def leaf(id: bytes, content: bytes, copies: int) -> bytes:
    """The leaf of one row: its 16-byte id, its content hash, its copies as 4 bytes big-endian."""
    return hashlib.sha256(b"\x00" + id + content + copies.to_bytes(4, "big")).digest()


def root(leaves: Iterable[bytes]) -> str:
    """The Merkle tree hash of leaves in order, in hex.

    >>> root([]) == hashlib.sha256(b"").hexdigest()
    True
    """
    sha256 = hashlib.sha256
    level = list(leaves)
    if not level:
        return sha256(b"").hexdigest()
    while len(level) > 1:
        # RFC 6962 splits at the largest power of two, which is pairing from the left with
        # the odd one out carried up.
        paired = [sha256(b"\x01" + a + b).digest() for a, b in zip(level[::2], level[1::2], strict=False)]
        level = paired + level[len(paired) * 2 :]
    return level[0].hex()
