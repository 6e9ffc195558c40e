"""MinHash signatures of rows, straight from their bytes, and the bands that find near rows.

A permutation is x → a x + b mod 2³² with odd a, over 32 bits of a shingle's hash that
Murmur3's finaliser has mixed; a signature holds the smallest value of each (Broder 1997).
The constants are those of datasketch 2 with seed 1, and so are the signatures:
`datasketch.MinHash(scheme="affine32")` over the same hashes has the same values.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
from numba import uint32, uint64

from tulu_data.kernels.compiled import borrowed, kernel
from tulu_data.kernels.shingles import Room, Source, borrowed_room, distinct_shingles
from tulu_data.kernels.words import borrowed_tables

SEED: Final = 1
STORED: Final = 128
"""The most values of a signature that are kept, 8 bits of each."""
_EMPTY: Final = np.uint32(0xFFFFFFFF)


class Sketches(NamedTuple):
    """The measures of rows: arrays with one line for each row.

    `count` uint32: distinct shingles; 0 if there are no words, and then the other values mean
    nothing. `digest` uint64 of shape (rows, 2): equal for equal sets. `keys` uint32 of
    shape (bands, rows): equal if all values of a band are. `bytes` uint8 of shape (rows,
    min(permutations, 128)): 8 bits of each value.
    """

    count: npt.NDArray[np.uint32]
    digest: npt.NDArray[np.uint64]
    keys: npt.NDArray[np.uint32]
    bytes: npt.NDArray[np.uint8]


@lru_cache
def permutations(number: int) -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.uint32]]:
    """The factors (odd) and summands of a number of permutations, as datasketch draws them.

    >>> [constants[:2].tolist() for constants in permutations(128)]
    [[3582191691, 4270784983], [214548472, 3287733501]]
    """
    draw = np.random.RandomState(SEED)
    factors = draw.randint(0, 1 << 31, number, dtype=np.uint32) * np.uint32(2) + np.uint32(1)
    return factors, draw.randint(0, 1 << 32, number, dtype=np.uint32)


@kernel
def _mixed32(value):
    """Murmur3's finaliser (Appleby 2011)."""
    value = uint32(uint32(value ^ (value >> uint32(16))) * uint32(0x85EBCA6B))
    value = uint32(uint32(value ^ (value >> uint32(13))) * uint32(0xC2B2AE35))
    return uint32(value ^ (value >> uint32(16)))


@kernel
def _sign(shingles, count, factors, summands, values):
    """The signature of `count` shingles, four at a time, so that a value is read once for all four."""
    values[:] = _EMPTY
    last = count - 1
    for place in range(0, count, 4):
        first = _mixed32(uint32(shingles[place]))
        second = _mixed32(uint32(shingles[min(place + 1, last)]))
        third = _mixed32(uint32(shingles[min(place + 2, last)]))
        fourth = _mixed32(uint32(shingles[min(place + 3, last)]))
        for index in range(len(values)):
            factor, summand = factors[index], summands[index]
            one = min(uint32(uint32(factor * first) + summand), uint32(uint32(factor * second) + summand))
            two = min(uint32(uint32(factor * third) + summand), uint32(uint32(factor * fourth) + summand))
            values[index] = min(values[index], one, two)


@kernel
def _sketch(
    owned,
    bounds,
    rows,
    owned_table,
    mode,
    n,
    owned_factors,
    owned_summands,
    owned_values,
    owned_room,
    owned_counts,
    owned_digests,
    owned_keys,
    owned_bytes,
):
    data, table, room = borrowed(owned), borrowed_tables(owned_table), borrowed_room(owned_room)
    factors, summands, values = borrowed(owned_factors), borrowed(owned_summands), borrowed(owned_values)
    counts, digests, keys, stored = (
        borrowed(owned_counts),
        borrowed(owned_digests),
        borrowed(owned_keys),
        borrowed(owned_bytes),
    )
    bands = len(keys)
    width = len(values) // bands
    for row in range(len(rows) - 1):
        count = distinct_shingles(data, bounds, rows[row], rows[row + 1], table, mode, n, room)
        counts[row] = count
        if count == 0:
            continue
        # Sums, so that the order of shingles does not matter; each from different bits of a hash.
        high = low = uint64(0)
        for place in range(count):
            shingle = room.shingles[place]
            high += shingle
            low += (shingle ^ (shingle >> uint64(31))) * uint64(0x9E3779B97F4A7C15)
        digests[row, 0], digests[row, 1] = high, low
        _sign(room.shingles, count, factors, summands, values)
        for band in range(bands):
            key = uint64(band)
            for place in range(band * width, (band + 1) * width):
                key = (key ^ uint64(values[place])) * uint64(0x9E3779B97F4A7C15)
                key ^= key >> uint64(32)
            keys[band, row] = uint32(key)
        for place in range(stored.shape[1]):
            stored[row, place] = uint32(values[place] * uint32(0x9E3779B1)) >> uint32(24)


def sketch(source: Source, n: int, bands: int, rows: int) -> Sketches:
    """The sketch of each row, with shingles of n words and signatures of bands × rows values."""
    count, number = len(source.rows) - 1, bands * rows
    sketches = Sketches(
        np.zeros(count, np.uint32),
        np.zeros((count, 2), np.uint64),
        np.zeros((bands, count), np.uint32),
        np.zeros((count, min(number, STORED)), np.uint8),
    )
    _sketch(*source, n, *permutations(number), np.empty(number, np.uint32), Room.of(source), *sketches)
    return sketches


@kernel
def _sign_rows(owned, bounds, rows, owned_table, mode, n, factors, summands, owned_room, signatures):
    data, table, room = borrowed(owned), borrowed_tables(owned_table), borrowed_room(owned_room)
    for row in range(len(rows) - 1):
        count = distinct_shingles(data, bounds, rows[row], rows[row + 1], table, mode, n, room)
        _sign(room.shingles, count, factors, summands, signatures[row])


def signatures(source: Source, n: int, number: int) -> npt.NDArray[np.uint32]:
    """The whole signatures of rows, of `number` values each; all 2³² − 1 for rows without words.

    With datasketch:

        values = signatures(Source.of(strings, rows), 5, 128)
        MinHash(hashvalues=values[0], seed=1, scheme="affine32")
    """
    found = np.empty((len(source.rows) - 1, number), np.uint32)
    _sign_rows(*source, n, *permutations(number), Room.of(source), found)
    return found


def probability(jaccard: float, bands: int, rows: int) -> float:
    """The probability that two rows of this similarity share a bucket.

    >>> round(probability(0.8, 14, 8), 3)
    0.924
    """
    return float(1 - (1 - jaccard**rows) ** bands)


@lru_cache
def bands_for(threshold: float, number: int) -> tuple[int, int]:
    """Bands and rows, of at most `number` permutations, with the fewest errors on both sides of a threshold.

    They minimise the sum of the areas under the curve below the threshold and over it above,
    as in datasketch (Zhu, Nargesian, Pu, Miller 2016, section 5).

    >>> bands_for(0.8, 128)
    (9, 13)
    """
    below, above = (np.linspace(*ends, 1001) for ends in ((0, threshold), (threshold, 1)))

    def error(bands: int, rows: int) -> float:
        found = np.trapezoid(1 - (1 - below**rows) ** bands, below)
        missed = np.trapezoid((1 - above**rows) ** bands, above)
        return float(found + missed)

    choices = ((bands, rows) for bands in range(1, number + 1) for rows in range(1, number // bands + 1))
    return min(choices, key=lambda choice: error(*choice))
