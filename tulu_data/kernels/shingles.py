"""Text → words → the set of a row's shingles, as 64-bit hashes: the front of MinHash and of exact Jaccard.

A shingle is n words in order within one text; a text of fewer words is one shingle; a text
without words has none. Two shingles are the same if their hashes are.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from numba import uint64

from tulu_data.kernels.characters import borrowed_tables
from tulu_data.kernels.compiled import borrowed, inlined, kernel
from tulu_data.kernels.unicode import Normaliser, Tables, tables
from tulu_data.kernels.words import MODES, buffers, scratch, split

_BASE: Final = np.uint64(0x9FB21C651E98DF25)
_MIX: Final = np.uint64(0xD6E8FEB86659FD93)
_FREE: Final = np.uint64(0)


class Source(NamedTuple):
    """The texts of some rows in the form for kernels: those of row i are `rows[i]` to `rows[i + 1]`.

    `data` uint8 and `bounds` int64 are the bytes of all texts; `rows` int64.
    """

    data: npt.NDArray[np.uint8]
    bounds: npt.NDArray[np.int64]
    rows: npt.NDArray[np.int64]
    table: Tables
    mode: int

    @classmethod
    def of(cls, strings: pa.StringArray, rows: npt.NDArray[np.int64], normaliser: Normaliser = "words") -> Source:
        """The texts of an Arrow array, without a copy."""
        return cls(*buffers(strings), rows, tables(normaliser), MODES[normaliser])


class Room(NamedTuple):
    """The working memory of a kernel for one row: its words, its shingles, and a hash table of them."""

    hashes: npt.NDArray[np.uint64]
    starts: npt.NDArray[np.int64]
    ends: npt.NDArray[np.int64]
    codes: npt.NDArray[np.int32]
    shingles: npt.NDArray[np.uint64]
    slots: npt.NDArray[np.uint64]

    @classmethod
    def of(cls, source: Source) -> Room:
        """Working memory for the longest row; memory that no row needs is never touched."""
        lengths = np.diff(source.bounds[source.rows])
        words = int(lengths.max(initial=0)) + 1
        return cls(
            np.empty(words, np.uint64),
            np.empty(words, np.int64),
            np.empty(words, np.int64),
            scratch(words)[0],
            np.empty(words, np.uint64),
            np.empty(table_size(words), np.uint64),
        )


@inlined
def borrowed_room(room):
    return Room(
        borrowed(room.hashes),
        borrowed(room.starts),
        borrowed(room.ends),
        borrowed(room.codes),
        borrowed(room.shingles),
        borrowed(room.slots),
    )


@kernel
def table_size(entries):
    """The slots of a hash table that is at most half full: a power of two."""
    size = 8
    while size < 2 * entries:
        size *= 2
    return size


@inlined
def insert(value, slots, mask):
    """Put a value into a hash table; returns whether it is new."""
    slot = value & mask
    while slots[np.int64(slot)] != _FREE:
        if slots[np.int64(slot)] == value:
            return False
        slot = (slot + uint64(1)) & mask
    slots[np.int64(slot)] = value
    return True


@inlined
def holds(value, slots, mask):
    """Whether a hash table has a value."""
    slot = value & mask
    while slots[np.int64(slot)] != _FREE:
        if slots[np.int64(slot)] == value:
            return True
        slot = (slot + uint64(1)) & mask
    return False


@inlined
def _shingle(hashes, first, last):
    rolled = uint64(last - first)
    for place in range(first, last):
        rolled = rolled * _BASE + hashes[place]
    rolled = (rolled ^ (rolled >> uint64(32))) * _MIX
    rolled ^= rolled >> uint64(29)
    return rolled if rolled != _FREE else _MIX


@kernel
def distinct_shingles(data, bounds, first, last, table, mode, n, room):
    """Write the distinct shingles of texts `first` to `last` to `room.shingles`; return their number."""
    count = 0
    for text in range(first, last):
        words = split(
            data,
            bounds[text],
            bounds[text + 1],
            table,
            mode,
            room.hashes,
            room.starts,
            room.ends,
            0,
            room.codes,
        )
        if words >= n:
            for word in range(words - n + 1):
                room.shingles[count + word] = _shingle(room.hashes, word, word + n)
            count += words - n + 1
        elif words > 0:
            room.shingles[count] = _shingle(room.hashes, 0, words)
            count += 1
    size = table_size(count)
    slots, mask = room.slots, uint64(size - 1)
    slots[:size] = _FREE
    distinct = 0
    for place in range(count):
        value = room.shingles[place]
        if insert(value, slots, mask):
            room.shingles[distinct] = value
            distinct += 1
    return distinct


@kernel
def _write_sets(owned, bounds, rows, owned_table, mode, n, owned_room, sets, starts):
    data, table, room = borrowed(owned), borrowed_tables(owned_table), borrowed_room(owned_room)
    for row in range(len(rows) - 1):
        count = distinct_shingles(data, bounds, rows[row], rows[row + 1], table, mode, n, room)
        at = starts[row]
        sets[at] = count
        sets[at + 1 : at + 1 + count] = room.shingles[:count]


def write_sets(source: Source, n: int, sets: npt.NDArray[np.uint64], starts: npt.NDArray[np.int64]) -> None:
    """Write the shingles of each row into `sets`, from `starts[i]` on: first their number, then each once.

    >>> source, sets = Source.of(pa.array(["a b c", "A, b; c!"]), np.array([0, 1, 2])), np.zeros(6, np.uint64)
    >>> write_sets(source, 2, sets, np.array([0, 3]))
    >>> bool((sets[:3] == sets[3:]).all()), int(sets[0])
    (True, 2)
    """
    _write_sets(*source, n, Room.of(source), sets, starts)
