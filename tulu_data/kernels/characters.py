"""Characters of UTF-8 and of HTML's entities, and how those of a word are folded."""

from __future__ import annotations

from typing import Final

import numpy as np
from numba import uint64

from tulu_data.kernels.compiled import borrowed, inlined, kernel
from tulu_data.kernels.hashes import hash_ascii, hash_codes
from tulu_data.kernels.unicode import CASED, DELETED, IGNORABLE, Tables

SIGMA: Final = 0x3A3
_FINAL_SIGMA = 0x3C2
_LONGEST_ENTITY: Final = 10


@inlined
def borrowed_tables(table):
    return Tables(
        borrowed(table.kind),
        borrowed(table.fold),
        borrowed(table.sequences),
        borrowed(table.order),
        borrowed(table.case),
        borrowed(table.spelling_keys),
        borrowed(table.spelling_bytes),
        borrowed(table.entity_keys),
        borrowed(table.entity_codes),
        borrowed(table.role_keys),
        borrowed(table.role_flags),
        borrowed(table.role_values),
        borrowed(table.role_bits),
        borrowed(table.group_hashes),
    )


@inlined
def _decode(data, index, end):
    """The code point at `index` and how many bytes it has."""
    byte = np.int64(data[index])
    if byte < 0x80:
        return byte, 1
    if byte < 0xE0 and index + 1 < end:
        return (byte & 0x1F) << 6 | (np.int64(data[index + 1]) & 0x3F), 2
    if byte < 0xF0 and index + 2 < end:
        return (byte & 0x0F) << 12 | (np.int64(data[index + 1]) & 0x3F) << 6 | (np.int64(data[index + 2]) & 0x3F), 3
    if index + 3 < end:
        code = (byte & 0x07) << 18 | (np.int64(data[index + 1]) & 0x3F) << 12
        code |= (np.int64(data[index + 2]) & 0x3F) << 6 | (np.int64(data[index + 3]) & 0x3F)
        return min(code, np.int64(0x10FFFF)), 4
    return np.int64(0), 1


@inlined
def find_slot(key, keys):
    """The place of a key in one of the hash tables of `Tables`; −1 if it is missing."""
    found = np.int64(-1)
    if len(keys) > 0:
        mask = uint64(len(keys) - 1)
        slot = key & mask
        while keys[np.int64(slot)] != 0:
            if keys[np.int64(slot)] == key:
                found = np.int64(slot)
                break
            slot = (slot + uint64(1)) & mask
    return found


@kernel
def _entity(data, index, end, table):
    """The character of the HTML entity that `&` begins, and the bytes of its name; 0 bytes if it is not one."""
    first = index + 1
    last = first
    while last < end and last - first <= _LONGEST_ENTITY and data[last] != 0x3B:
        last += 1
    if last == end or data[last] != 0x3B or last == first:
        return np.int64(0), 0
    code = np.int64(0)
    if data[first] == 0x23:
        first += 1
        base = 10
        if first < last and data[first] | 0x20 == 0x78:
            first += 1
            base = 16
        if first == last:
            return np.int64(0), 0
        for place in range(first, last):
            digit = np.int64(data[place]) - 48
            if digit > 9:
                digit = (np.int64(data[place]) | 0x20) - 87
                if digit < 10:
                    return np.int64(0), 0
            if digit < 0 or digit >= base or code > 0x10FFFF:
                return np.int64(0), 0
            code = code * base + digit
        if code > 0x10FFFF or code == 0:
            return np.int64(0), 0
    else:
        slot = find_slot(hash_ascii(data, first, last), table.entity_keys)
        if slot < 0:
            return np.int64(0), 0
        code = np.int64(table.entity_codes[slot])
    return code, last + 1 - index


@inlined
def next_character(data, index, end, table):
    """The code point at `index`, of UTF-8 or of an entity, and how many bytes it has."""
    code, size = _decode(data, index, end)
    if code == 0x26 and len(table.entity_keys) > 1:
        named, length = _entity(data, index, end, table)
        if length > 0:
            code, size = named, length
    return code, size


@kernel
def is_final_sigma(data, start, end, index, case):
    """Whether the capital sigma at `index` is lower-cased to a final one (Unicode 3.13, Final_Sigma)."""
    last = index
    found = False
    while last > start:
        last -= 1
        while last > start and data[last] & 0xC0 == 0x80:
            last -= 1
        code, _ = _decode(data, last, end)
        if case[code] != IGNORABLE:
            found = case[code] == CASED
            break
    if not found:
        return False
    following = index + 2
    while following < end:
        code, size = _decode(data, following, end)
        if case[code] != IGNORABLE:
            return case[code] != CASED
        following += size
    return True


@inlined
def append(code, final, table, codes, count):
    """Append a folded character to a word, its marks in canonical order."""
    folded = np.int64(table.fold[code])
    if code == SIGMA and final:
        folded = np.int64(_FINAL_SIGMA)
    length = 1
    place = np.int64(0)
    if folded < 0:
        length = np.int64(table.sequences[-folded])
        place = -folded + 1
    for part in range(length):
        if folded < 0:
            one = np.int64(table.sequences[place + part])
        else:
            one = folded
        order = table.order[one]
        target = count
        if order > 0:
            while target > 0 and table.order[codes[target - 1]] > order:
                codes[target] = codes[target - 1]
                target -= 1
        codes[target] = one
        count += 1
    return count


@inlined
def _encode(codes, count, out):
    """Code points as UTF-8, ASCII bytes with the bit that the hash gives them; returns the bytes."""
    size = 0
    for index in range(count):
        code = codes[index]
        if code < 0x80:
            out[size] = code | 0x20
            size += 1
        elif code < 0x800:
            out[size] = 0xC0 | code >> 6
            out[size + 1] = 0x80 | code & 0x3F
            size += 2
        elif code < 0x10000:
            out[size] = 0xE0 | code >> 12
            out[size + 1] = 0x80 | code >> 6 & 0x3F
            out[size + 2] = 0x80 | code & 0x3F
            size += 3
        else:
            out[size] = 0xF0 | code >> 18
            out[size + 1] = 0x80 | code >> 12 & 0x3F
            out[size + 2] = 0x80 | code >> 6 & 0x3F
            out[size + 3] = 0x80 | code & 0x3F
            size += 4
    return size


@kernel
def fold_codes(data, first, last, start, end, table, codes):
    """Write the folded code points of one word of the text at `start` to `end`; return their number."""
    count = 0
    index = first
    while index < last:
        code, size = next_character(data, index, end, table)
        if table.kind[code] != DELETED:
            final = code == SIGMA and is_final_sigma(data, start, end, index, table.case)
            count = append(code, final, table, codes, count)
        index += size
    return count


@kernel
def fold_word(data, first, last, start, end, table, codes, out):
    """Write the normalised bytes of a run of characters of the text at `start` to `end`; return their number."""
    return _encode(codes, fold_codes(data, first, last, start, end, table, codes), out)


@kernel
def spell_word(data, first, last, start, end, hash, table, codes, out):
    """Write the normalised bytes of one word, whose hash is given; return their number.

    They are those of its characters, or of the other word if these are only a spelling of one.
    """
    count = fold_codes(data, first, last, start, end, table, codes)
    if hash_codes(codes, count) == hash:
        return _encode(codes, count, out)
    slot = find_slot(hash, table.spelling_keys)
    size = 0
    if slot >= 0:
        rest = table.spelling_bytes[slot]
        while rest != 0:
            byte = rest & uint64(0xFF)
            out[size] = byte | uint64(0x20) if byte < 0x80 else byte
            rest >>= uint64(8)
            size += 1
    return size
