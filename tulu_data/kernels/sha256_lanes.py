"""SHA-256 (FIPS 180-4) of many short messages at once, in the lanes of vector registers.

`hashlib` is quick on a file; on a hundred bytes most of its time is the call from Python.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from tulu_data.kernels.compiled import kernel

# The schedule of 64 words for each fits into the level-1 cache.
LANES: Final = 32
PIECE_ROWS: Final = 1 << 14
BLOCK_BYTES: Final = 64
ROUNDS: Final = 64


def _primes() -> list[int]:
    return [number for number in range(2, 312) if all(number % divisor for divisor in range(2, number))]


def _fraction(number: int, root: int) -> int:
    """The first 32 bits of the fraction of a root, in integers alone."""
    low, high = 0, 1 << 40
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if middle**root <= number << (32 * root) else (low, middle)
    return low & 0xFFFFFFFF


# Section 4.2.2 and 5.3.3: cube roots and square roots of the first primes.
CONSTANTS: Final = np.array([_fraction(prime, 3) for prime in _primes()], dtype=np.uint32)
START: Final = np.array([_fraction(prime, 2) for prime in _primes()[:8]], dtype=np.uint32)


def digests(messages: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """The digest of each row of a matrix of bytes, as a matrix of 32 columns."""
    found = np.empty((len(messages), 32), dtype=np.uint8)
    for start in range(0, len(messages), PIECE_ROWS):
        found[start : start + PIECE_ROWS] = _piece(messages[start : start + PIECE_ROWS])
    return found


def _piece(messages: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    count, length = messages.shape
    blocks = -(-(length + 9) // BLOCK_BYTES)
    # Whole groups of lanes; the results of unused lanes are cut off.
    padded = np.zeros((-(-count // LANES) * LANES, blocks * BLOCK_BYTES), dtype=np.uint8)
    padded[:count, :length] = messages
    padded[:, length] = 0x80
    padded[:, -8:] = np.frombuffer((length * 8).to_bytes(8, "big"), dtype=np.uint8)
    words = padded.view(">u4").astype(np.uint32)
    state = np.empty((len(padded), 8), dtype=np.uint32)
    _digest(words, CONSTANTS, START, state)
    return state.astype(">u4").view(np.uint8).reshape(-1, 32)[:count]


@kernel
def _turned(word: np.uint32, bits: int) -> np.uint32:
    return (word >> np.uint32(bits)) | (word << np.uint32(32 - bits))


@kernel
def _digest(
    words: npt.NDArray[np.uint32],
    constants: npt.NDArray[np.uint32],
    start: npt.NDArray[np.uint32],
    digests: npt.NDArray[np.uint32],
) -> None:
    # The eight working variables of a round are the last four values of two of them, a and e.
    a = np.empty((ROUNDS + 4, LANES), np.uint32)
    e = np.empty((ROUNDS + 4, LANES), np.uint32)
    schedule = np.empty((ROUNDS, LANES), np.uint32)
    for group in range(0, len(words), LANES):
        for part in range(4):
            for lane in range(LANES):
                a[ROUNDS + part, lane] = start[3 - part]
                e[ROUNDS + part, lane] = start[7 - part]
        for block in range(0, words.shape[1], 16):
            for step in range(16):
                for lane in range(LANES):
                    schedule[step, lane] = words[group + lane, block + step]
            for step in range(16, ROUNDS):
                for lane in range(LANES):
                    early, late = schedule[step - 15, lane], schedule[step - 2, lane]
                    schedule[step, lane] = (
                        schedule[step - 16, lane]
                        + (_turned(early, 7) ^ _turned(early, 18) ^ (early >> np.uint32(3)))
                        + schedule[step - 7, lane]
                        + (_turned(late, 17) ^ _turned(late, 19) ^ (late >> np.uint32(10)))
                    )
            for part in range(4):
                for lane in range(LANES):
                    a[part, lane], e[part, lane] = a[ROUNDS + part, lane], e[ROUNDS + part, lane]
            for step in range(ROUNDS):
                constant = constants[step]
                for lane in range(LANES):
                    now, before, earlier = a[step + 3, lane], a[step + 2, lane], a[step + 1, lane]
                    chooser = e[step + 3, lane]
                    mixed = (
                        e[step, lane]
                        + (_turned(chooser, 6) ^ _turned(chooser, 11) ^ _turned(chooser, 25))
                        + ((chooser & e[step + 2, lane]) ^ (~chooser & e[step + 1, lane]))
                        + constant
                        + schedule[step, lane]
                    )
                    majority = (now & before) ^ (now & earlier) ^ (before & earlier)
                    e[step + 4, lane] = a[step, lane] + mixed
                    a[step + 4, lane] = mixed + (_turned(now, 2) ^ _turned(now, 13) ^ _turned(now, 22)) + majority
            for part in range(4):
                for lane in range(LANES):
                    a[ROUNDS + part, lane] += a[part, lane]
                    e[ROUNDS + part, lane] += e[part, lane]
        for part in range(4):
            for lane in range(LANES):
                digests[group + lane, part] = a[ROUNDS + 3 - part, lane]
                digests[group + lane, part + 4] = e[ROUNDS + 3 - part, lane]
