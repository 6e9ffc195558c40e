"""SHA-256 of the rows of a matrix: many short messages of one length."""

from __future__ import annotations

import hashlib
import sys
from typing import Final

import numpy as np
import numpy.typing as npt

# Loading numba and the compiled kernel takes a quarter of a second, as long as hashlib for this many rows.
MANY: Final = 1 << 18
FEW: Final = 1 << 8
LANES: Final = "tulu_data.kernels.sha256_lanes"


def sha256_rows(messages: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """The digest of each row of a matrix of bytes, as a matrix of 32 columns.

    >>> sha256_rows(np.zeros((2, 0), np.uint8)).tobytes().hex()[:16]
    'e3b0c44298fc1c14'
    """
    if len(messages) >= (FEW if LANES in sys.modules else MANY):
        from tulu_data.kernels.sha256_lanes import digests

        return digests(messages)
    sha256 = hashlib.sha256
    length = messages.shape[1]
    whole = np.ascontiguousarray(messages).tobytes()
    joined = b"".join(sha256(whole[row * length : (row + 1) * length]).digest() for row in range(len(messages)))
    return np.frombuffer(joined, dtype=np.uint8).reshape(-1, 32)
