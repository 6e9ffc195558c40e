"""The logical root of a mixture: equal rows have equal roots, whichever program wrote their files.

RFC 6962 hashing (0x00 before a leaf, 0x01 before two children) over the kept rows, sorted
by id. With the root published, one row can be shown to be in the mixture or not.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from tulu_data.kernels.sha256 import sha256_rows


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


def root_of(ids: npt.NDArray[np.void], contents: npt.NDArray[np.void], copies: npt.NDArray[np.uint32]) -> str:
    """The root of rows that are given as arrays, one entry a row: ids of 16 bytes, content hashes of 32, copies."""
    if not len(ids):
        return root(())
    level = sha256_rows(
        _beside(
            np.zeros((len(ids), 1), dtype=np.uint8),
            np.ascontiguousarray(ids).view(np.uint8).reshape(-1, 16),
            np.ascontiguousarray(contents).view(np.uint8).reshape(-1, 32),
            copies.astype(">u4").view(np.uint8).reshape(-1, 4),
        )
    )
    while len(level) > 1:
        pairs = len(level) // 2
        children = level[: pairs * 2].reshape(pairs, 64)
        paired = sha256_rows(_beside(np.ones((pairs, 1), dtype=np.uint8), children))
        level = np.concatenate([paired, level[pairs * 2 :]])
    return level.tobytes().hex()


def _beside(*parts: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    return np.concatenate(parts, axis=1)
