"""The hash of a word: 64 bits of its normalised bytes, eight bytes at a time.

Two words of one length of up to eight bytes never have the same hash: each step can be undone.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from llvmlite import ir
from numba import types, uint64
from numba.extending import intrinsic

from tulu_data.kernels.compiled import inlined, kernel

LANES: Final = 64
_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)
_FINISHER = np.uint64(0xD6E8FEB86659FD93)
_SEED = np.uint64(0xA0761D6478BD642F)
ALL = np.uint64(0xFFFFFFFFFFFFFFFF)
_LOWER = np.uint64(0x2020202020202020)


@intrinsic
def load64(typing: Any, data: Any, index: Any) -> Any:
    """Eight bytes of a uint8 array as a number, from any index; the caller checks the bounds."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        array = context.make_array(signature.args[0])(context, builder, arguments[0])
        pointer = builder.gep(array.data, [arguments[1]])
        wide = builder.bitcast(pointer, ir.IntType(64).as_pointer())
        return builder.load(wide, align=1, typ=ir.IntType(64))

    return types.uint64(data, types.int64), generate


@kernel
def padded(data, index):
    """The last bytes of a buffer, as many as a mask takes."""
    block = np.zeros(LANES, np.uint8)
    for place in range(index, len(data)):
        block[place - index] = data[place]
    return block


@inlined
def _first_bytes(word, count):
    """The first 0 to 8 bytes of a number, the others zero."""
    kept = ALL >> uint64(64 - 8 * min(max(count, 1), 8))
    return word & kept if count > 0 else uint64(0)


@inlined
def _mix_in(mixed, word):
    mixed = (mixed ^ word) * _MULTIPLIER
    return mixed ^ (mixed >> uint64(32))


@inlined
def _finished(mixed, length):
    mixed = (mixed ^ uint64(length)) * _FINISHER
    return mixed ^ (mixed >> uint64(29))


@inlined
def _eight(data, index):
    """Eight bytes of a buffer as a number, ASCII letters in lower case; those after its end are zero."""
    if index + 8 <= len(data):
        return load64(data, index) | _LOWER
    return load64(padded(data, index), 0) | _LOWER


@inlined
def hash_ascii(data, start, end):
    """The hash of a word of ASCII bytes in any case; up to 16 bytes without a branch on the length."""
    length = end - start
    mixed = _mix_in(_SEED, _first_bytes(_eight(data, start), length))
    mixed = _mix_in(mixed, _first_bytes(_eight(data, min(start + 8, len(data))), length - 8))
    for done in range(16, length, 8):
        mixed = _mix_in(mixed, _first_bytes(_eight(data, start + done), length - done))
    return _finished(mixed, length)


@inlined
def hash_codes(codes, count):
    """The same hash of folded code points, byte by byte of their UTF-8."""
    mixed = _SEED
    word = uint64(0)
    size = 0
    for index in range(count):
        code = codes[index]
        if code < 0x80:
            piece, length = uint64(code | 0x20), 1
        elif code < 0x800:
            piece, length = uint64(0x80C0 | code >> 6 | (code & 0x3F) << 8), 2
        elif code < 0x10000:
            piece, length = uint64(0x8080E0 | code >> 12 | (code >> 6 & 0x3F) << 8 | (code & 0x3F) << 16), 3
        else:
            low = code >> 18 | (code >> 12 & 0x3F) << 8 | (code >> 6 & 0x3F) << 16
            piece, length = uint64(0x808080F0) | uint64(low) | uint64(code & 0x3F) << uint64(24), 4
        place = size & 7
        word |= piece << uint64(8 * place)
        if place + length >= 8:
            mixed = _mix_in(mixed, word)
            word = piece >> uint64(8 * (8 - place)) if place > 0 else uint64(0)
        size += length
    if size & 7:
        mixed = _mix_in(mixed, word)
    for _ in range((size + 7) // 8, 2):
        mixed = _mix_in(mixed, uint64(0))
    return _finished(mixed, size)


@kernel
def hash_all(codes, bounds, out):
    """Write the hash of each run of folded code points: those of run i are `bounds[i]` to `bounds[i + 1]`."""
    for place in range(len(out)):
        run = codes[bounds[place] : bounds[place + 1]]
        out[place] = hash_codes(run, len(run))


@inlined
def hash_bytes(data, start, end):
    """The hash of a normalised word of up to eight bytes."""
    word = uint64(0)
    for place in range(start, end):
        word |= uint64(data[place]) << uint64(8 * (place - start))
    return _finished(_mix_in(_mix_in(_SEED, word), uint64(0)), end - start)
