"""Numbers, formulas and markup as `math_code` reads them: one pass over the words of a text.

Digits arrive in groups of three, counted from the right, so that separators between them
are ignored. A number in English words becomes such groups; commands that only set a formula
or a page in type are removed; other spellings of a word become one. The pass writes into the
array that it reads and never overtakes itself: a number has at most as many groups as words.
"""

from __future__ import annotations

import numpy as np
from numba import uint64

from tulu_data.kernels.characters import find_slot, fold_codes, next_character
from tulu_data.kernels.compiled import borrowed, inlined, kernel
from tulu_data.kernels.hashes import hash_ascii, hash_codes
from tulu_data.kernels.unicode import MARK, ROLE_BITS
from tulu_data.kernels.vocabulary import (
    AND,
    COMMAND,
    DROPPED,
    FRACTION,
    GROUP,
    HUNDRED,
    KNOWN,
    MILLION,
    PART,
    RENAMED,
    SIGNS,
    TAG,
    TENS,
    THOUSAND,
    UNIT,
    ZEROS,
)

_SHIFT = np.uint64(64 - (ROLE_BITS.bit_length() - 1))
# In `group_hashes`, after the numbers below 1000 and those with three digits.
MILLION_AT = 2000
_BACKSLASH = 0x5C
_NO_NUMBER = -1
_SIGN_CODES = np.array([ord(sign) for sign in SIGNS], np.int64)
_SIGN_BITS = np.array([*SIGNS.values()], np.int64)
_MOST = 1_000_000_000


@inlined
def _may_have_role(hash, bits):
    """Whether a word may be in the vocabulary; about three in a hundred other words pass."""
    place = hash >> _SHIFT
    return bits[np.int64(place >> uint64(6))] >> (place & uint64(63)) & uint64(1) != 0


@inlined
def _flags(place, hashes, last, table):
    """The flags of the word at `place`; 0 if there is none."""
    slot = find_slot(hashes[place], table.role_keys) if place < last else np.int64(-1)
    return table.role_flags[slot] if slot >= 0 else np.int64(0)


@inlined
def _value(place, hashes, table):
    return np.int64(table.role_values[find_slot(hashes[place], table.role_keys)])


@inlined
def is_digit(byte):
    return 48 <= byte <= 57


@kernel
def _are_joined(data, last, first):
    """Whether two words are of one number: only white space, one hyphen and Markdown's marks are between them."""
    hyphens = 0
    for place in range(last, first):
        byte = data[place]
        if byte == 0x2D:
            hyphens += 1
        elif byte > 0x20 and byte != 0x2A and byte != 0x5F and byte != 0x60:
            return False
    return hyphens <= 1 and last < first


@kernel
def _follows(data, place, hashes, starts, ends, last, table, flags):
    """Whether the word at `place` is of a kind, and of one number with the word before it."""
    return bool(_flags(place, hashes, last, table) & flags) and _are_joined(data, ends[place - 1], starts[place])


@kernel
def _below_hundred(data, place, hashes, starts, ends, last, table):
    """The number below 100 that begins at a word, and the place after it."""
    value = _value(place, hashes, table)
    is_tens = _flags(place, hashes, last, table) & TENS
    place += 1
    if is_tens and _follows(data, place, hashes, starts, ends, last, table, UNIT):
        unit = _value(place, hashes, table)
        if 0 < unit < 10:
            return value + unit, place + 1
    return value, place


@kernel
def _hundreds(data, place, hashes, starts, ends, last, table):
    """The number without thousands that begins at a word, and the place after it."""
    value, place = _below_hundred(data, place, hashes, starts, ends, last, table)
    if 0 < value < 20 and _follows(data, place, hashes, starts, ends, last, table, HUNDRED):
        value *= 100
        place += 1
        tail = place
        if _follows(data, tail, hashes, starts, ends, last, table, AND):
            tail += 1
        if _follows(data, tail, hashes, starts, ends, last, table, UNIT | TENS):
            more, after = _below_hundred(data, tail, hashes, starts, ends, last, table)
            if more > 0 and not _follows(data, after, hashes, starts, ends, last, table, HUNDRED):
                value += more
                place = after
    return value, place


@kernel
def _number(data, place, hashes, starts, ends, last, table):
    """The number in words that begins at a word, below a thousand millions, and the place after it."""
    total, scale = np.int64(0), np.int64(_MOST)
    after = place
    while True:
        value, tail = _hundreds(data, place, hashes, starts, ends, last, table)
        own = np.int64(1)
        if 0 < value < 1000:
            if scale > 1_000_000 and _follows(data, tail, hashes, starts, ends, last, table, MILLION):
                own = np.int64(1_000_000)
            elif scale > 1000 and _follows(data, tail, hashes, starts, ends, last, table, THOUSAND):
                own = np.int64(1000)
        if scale < _MOST:
            is_larger = _follows(data, tail, hashes, starts, ends, last, table, MILLION | THOUSAND)
            if value >= 1000 or value == 0 or (own == 1 and is_larger):
                break
        total += value * own
        after = tail + (own > 1)
        scale = own
        if own == 1:
            break
        place = after
        if _follows(data, place, hashes, starts, ends, last, table, AND):
            place += 1
        if not _follows(data, place, hashes, starts, ends, last, table, UNIT | TENS):
            break
    return total, after


@inlined
def _put(hash, first, end, hashes, starts, ends, write):
    hashes[write] = hash
    starts[write] = first
    ends[write] = end
    return write + 1


@kernel
def _put_number(value, first, last, table, hashes, starts, ends, write):
    """Write the groups of a number that the words `first` to `last` spell; all words but the last group's have one."""
    begin, end = starts[first], ends[last - 1]
    groups = 1 if value < 1000 else 2 if value < 1_000_000 or value % 1_000_000 == 0 else 3
    top = value if groups == 1 else value // 1000 if value < 1_000_000 else value // 1_000_000
    for group in range(groups):
        final = group == groups - 1
        if group > 0:
            begin = starts[first + group]
        until = end if final else ends[first + group]
        if group == 0:
            hash = table.group_hashes[top]
        elif value >= 1_000_000 and groups == 2:
            hash = table.group_hashes[MILLION_AT]
        elif final:
            hash = table.group_hashes[1000 + value % 1000]
        else:
            hash = table.group_hashes[1000 + value // 1000 % 1000]
        write = _put(hash, begin, until, hashes, starts, ends, write)
    return write


@inlined
def _is_tag(data, start, end, first, last):
    """Whether a word is the name of an HTML tag without attributes: <br>, </b>, <br />."""
    before = first - 1
    if before > start and data[before] == 0x2F:
        before -= 1
    after = last
    while after < end and (data[after] == 0x20 or data[after] == 0x2F):
        after += 1
    return before >= start and data[before] == 0x3C and after < end and data[after] == 0x3E


@inlined
def _is_escape(data, first, last, flags, table):
    r"""Whether the backslash before a word makes its first letter a line break or a tab: \n, \t, \r."""
    byte = data[first]
    if byte != 0x6E and byte != 0x72 and byte != 0x74:
        return False
    if first + 1 < last and table.kind[next_character(data, first + 1, last, table)[0]] == MARK:
        return False
    is_capital = first + 1 < last and 65 <= data[first + 1] <= 90
    return is_capital or flags & (COMMAND | KNOWN | DROPPED | FRACTION) == 0


@inlined
def _is_two_numbers(data, end, first, last):
    """Whether two or three digits follow the command of a fraction that ends at `end`."""
    are_digits = first == end and 2 <= last - first <= 3
    if are_digits:
        for place in range(first, last):
            are_digits = are_digits and is_digit(data[place])
    return are_digits


@inlined
def _ends_fraction(data, start, end, first, last):
    """Whether only the zeros from `first` to `last` follow a decimal point."""
    has_point = first - 2 >= start and data[first - 1] == 0x2E and is_digit(data[first - 2])
    goes_on = last + 1 < end and data[last] == 0x2E and is_digit(data[last + 1])
    return has_point and not goes_on


@inlined
def _is_typesetting(data, start, end, first, last, flags):
    """Whether a word is the name of a tag, or only the zeros behind a decimal point."""
    is_tag = bool(flags & TAG) and _is_tag(data, start, end, first, last)
    return is_tag or (bool(flags & ZEROS) and _ends_fraction(data, start, end, first, last))


@kernel
def rewrite(owned, start, end, table, owned_hashes, owned_starts, owned_ends, first, last, codes):
    """Rewrite the words `first` to `last` of the text at `start` to `end`; return the place after the last one."""
    data, hashes = borrowed(owned), borrowed(owned_hashes)
    starts, ends = borrowed(owned_starts), borrowed(owned_ends)
    bits, keys = borrowed(table.role_bits), borrowed(table.role_keys)
    write = read = first
    # The number that was written last, if it is below ten.
    numerator, numerator_end = np.int64(_NO_NUMBER), np.int64(0)
    while read < last:
        hash, begin = hashes[read], starts[read]
        before = data[begin - 1] if begin > start else np.uint8(0x20)
        is_command = before == _BACKSLASH
        slot = np.int64(-1)
        if _may_have_role(hash, bits) or is_command or before == 0x3C or before == 0x2F:
            slot = find_slot(hash, keys)
        if slot < 0 and not is_command:
            write = _put(hash, begin, ends[read], hashes, starts, ends, write)
            read += 1
            continue
        flags = table.role_flags[slot] if slot >= 0 else np.int64(0)
        if is_command and _is_escape(data, begin, ends[read], flags, table):
            starts[read] = begin + 1
            if starts[read] == ends[read]:
                read += 1
            else:
                count = fold_codes(data, begin + 1, ends[read], start, end, table, codes)
                hashes[read] = hash_codes(codes, count)
            continue
        if flags & DROPPED or (is_command and flags & COMMAND):
            behind = read + 1
            if flags & FRACTION and behind < last and _is_two_numbers(data, ends[read], starts[behind], ends[behind]):
                place = starts[behind]
                write = _put(hash_ascii(data, place, place + 1), place, place + 1, hashes, starts, ends, write)
                starts[behind] = place + 1
                hashes[behind] = hash_ascii(data, place + 1, ends[behind])
        elif _is_typesetting(data, start, end, begin, ends[read], flags):
            pass
        elif flags & (UNIT | TENS):
            value = np.int64(table.role_values[slot])
            numerator, numerator_end = value, ends[read]
            if read + 1 < last and _may_have_role(hashes[read + 1], bits):
                value, after = _number(data, read, hashes, starts, ends, last, table)
                numerator, numerator_end = value, ends[after - 1]
                write = _put_number(value, read, after, table, hashes, starts, ends, write)
                read = after - 1
            else:
                write = _put(table.group_hashes[value], begin, ends[read], hashes, starts, ends, write)
        elif flags & (THOUSAND | GROUP):
            write = _put_group(begin, ends[read], table, hashes, starts, ends, write, first)
        elif flags & PART:
            if write > first and ends[write - 1] != numerator_end:
                place = starts[write - 1]
                is_one_digit = ends[write - 1] == place + 1 and 49 <= data[place] <= 57
                numerator = np.int64(data[place]) - 48 if is_one_digit else np.int64(_NO_NUMBER)
                numerator_end = ends[write - 1]
            if write > first and 0 < numerator < 10 and _are_joined(data, numerator_end, begin):
                hash = table.group_hashes[np.int64(table.role_values[slot])]
            write = _put(hash, begin, ends[read], hashes, starts, ends, write)
        else:
            if flags & RENAMED:
                hash = table.role_values[slot]
            write = _put(hash, begin, ends[read], hashes, starts, ends, write)
        read += 1
    return write


@kernel
def _put_group(begin, end, table, hashes, starts, ends, write, first):
    """Write three zeros; the second such group makes the first one a million, the third a billion."""
    zeros = table.group_hashes[1000]
    million = table.group_hashes[MILLION_AT]
    if write > first and hashes[write - 1] == zeros:
        hashes[write - 1] = million
        ends[write - 1] = end
        return write
    if write > first and hashes[write - 1] == million:
        hashes[write - 1] = table.group_hashes[MILLION_AT + 1]
        ends[write - 1] = end
        return write
    return _put(zeros, begin, end, hashes, starts, ends, write)


@kernel
def signs_between(data, first, last, table):
    """The signs and the commands for them between two bytes, as bits; 0 if there is none."""
    signs = np.int64(0)
    place = first
    while place < last:
        code, size = next_character(data, place, last, table)
        end = place + size
        if code == _BACKSLASH:
            while end < last and (97 <= data[end] <= 122 or 65 <= data[end] <= 90):
                end += 1
            if end > place + size:
                slot = find_slot(hash_ascii(data, place + size, end), table.role_keys)
                if slot >= 0 and table.role_flags[slot] & COMMAND:
                    signs |= np.int64(table.role_values[slot])
        for sign in range(len(_SIGN_CODES)):
            if _SIGN_CODES[sign] == code:
                signs |= _SIGN_BITS[sign]
        place = end
    return signs


@inlined
def is_operand(data, first, last):
    """Whether a word is a number or a single letter: signs beside others are punctuation."""
    return last - first == 1 or is_digit(data[first])


@kernel
def operand_signs(data, starts, ends, offsets, table, out):
    """Write the signs before each word that is an operand, as its neighbour is; 0 for the others."""
    for text in range(len(offsets) - 1):
        for word in range(offsets[text], offsets[text + 1]):
            out[word] = 0
            if word > offsets[text] and is_operand(data, starts[word], ends[word]):
                before = word - 1
                if is_operand(data, starts[before], ends[before]):
                    out[word] = signs_between(data, ends[before], starts[word], table)
