"""Text → words → 64-bit hashes, over the bytes of Arrow strings: no Python object a word.

Two paths, bit for bit the same: text that is all ASCII is classified 64 bytes at a time
(vector compare, bit mask, word edges by counting trailing zeros); other text goes
character by character through the tables of `unicode`.

Normalisers (each also as ten lines of plain Python in the tests):

- `words`: Python's `\\w+` on lower-cased NFC text, with two rules of our own. A combining
  mark belongs to the word before it (Python would split there); a letter of a script
  written without spaces (Han, kana, Thai, Lao, Khmer, Myanmar) is a word with its marks.
- `math_code`: as `words`, and a run of digits is a token of its own, so that "2x" is
  "2", "x"; a name may have digits after its first letter ("x2"). A LaTeX command is a
  token ("\\frac"). The operators + = < > ^ % and every mathematical symbol beyond ASCII
  are tokens; − * and / where an operand stands beside them: a digit, a bracket, a
  backslash or a single letter, with white space ignored. Runs of four or more of one
  operator are lines drawn, and dropped.
- `gpt3`: what white space separates, lower-cased, ASCII punctuation deleted (Brown et al.
  2020, appendix C).

ß stays ß, ligatures stay ligatures: letters are folded canonically (NFC) and in case,
never by compatibility. Final sigma is as `str.lower` has it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from llvmlite import ir
from numba import types, uint64
from numba.cpython.unsafe.numbers import trailing_zeros
from numba.extending import intrinsic

from tulu_data.kernels.compiled import borrowed, inlined, kernel
from tulu_data.kernels.unicode import (
    BACKSLASH,
    CASED,
    DELETED,
    DIGIT,
    IGNORABLE,
    MARK,
    OPERATOR,
    OPERATORS,
    SEPARATOR,
    SINGLE,
    SYMBOL,
    WORD,
    Normaliser,
    Tables,
    tables,
)

LANES: Final = 64
_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)
_FINISHER = np.uint64(0xD6E8FEB86659FD93)
_SEED = np.uint64(0xA0761D6478BD642F)
_ALL = np.uint64(0xFFFFFFFFFFFFFFFF)
_LOWER = np.uint64(0x2020202020202020)
_WORDS, _MATH_CODE, _GPT3 = 0, 1, 2
MODES: Final[dict[Normaliser, int]] = {"words": _WORDS, "math_code": _MATH_CODE, "gpt3": _GPT3}
_SIGMA, _FINAL_SIGMA = 0x3A3, 0x3C2
_LONGEST_RUN: Final = 3


class Words(NamedTuple):
    """The words of some texts: those of text i are `offsets[i]` to `offsets[i + 1]`.

    `hashes` uint64; `starts` and `ends` int64: a word's bytes in `data`, the uint8 buffer
    of all texts; `offsets` int64, one longer than the texts.
    """

    hashes: npt.NDArray[np.uint64]
    starts: npt.NDArray[np.int64]
    ends: npt.NDArray[np.int64]
    offsets: npt.NDArray[np.int64]
    data: npt.NDArray[np.uint8]


def buffers(texts: pa.StringArray) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
    """The bytes of some texts and where each begins, without a copy of the bytes."""
    if texts.null_count:
        texts = texts.fill_null("")
    _, bounds, values = texts.buffers()
    offsets = np.frombuffer(bounds, dtype=np.int32)[texts.offset : texts.offset + len(texts) + 1].astype(np.int64)
    data = np.frombuffer(values, dtype=np.uint8) if values is not None else np.zeros(0, dtype=np.uint8)
    return data, offsets if len(offsets) else np.zeros(1, dtype=np.int64)


def words(texts: pa.StringArray, normaliser: Normaliser = "words") -> Words:
    """The words of each text.

    >>> found = words(pa.array(["Two plus two, TWO!", ""]))
    >>> found.offsets.tolist(), bool(found.hashes[0] == found.hashes[2])
    ([0, 4, 4], True)
    """
    data, bounds = buffers(texts)
    longest = int(np.diff(bounds).max(initial=0))
    total = int(bounds[-1] - bounds[0])
    hashes, starts, ends = np.empty(total, np.uint64), np.empty(total, np.int64), np.empty(total, np.int64)
    offsets = _split_all(data, bounds, tables(normaliser), MODES[normaliser], hashes, starts, ends, scratch(longest)[0])
    count = int(offsets[-1])
    return Words(hashes[:count].copy(), starts[:count].copy(), ends[:count].copy(), offsets, data)


def scratch(longest: int) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.uint8]]:
    """Room to fold the longest word of a text of `longest` bytes: code points, and their UTF-8."""
    # A character of b bytes folds to at most 2 b code points and 3 b bytes.
    return np.empty(2 * longest + 8, np.int32), np.empty(3 * longest + 32, np.uint8)


def fold(
    texts: pa.StringArray, found: Words, normaliser: Normaliser
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
    """The normalised bytes of all words that were found in some texts, and where each word's begin.

    They are NFD, and 0x20 is set in each ASCII byte.
    """
    _, bounds = buffers(texts)
    sizes = found.ends - found.starts
    folded = np.empty(len(scratch(int(sizes.sum()))[1]), np.uint8)
    codes = scratch(int(sizes.max(initial=0)))[0]
    places = _fold_all(found, bounds, tables(normaliser), folded, codes)
    return folded[: places[-1]].copy(), places


@intrinsic
def load64(typing: Any, data: Any, index: Any) -> Any:
    """Eight bytes of a uint8 array as a number, from any index; the caller sees to the bounds."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        array = context.make_array(signature.args[0])(context, builder, arguments[0])
        pointer = builder.gep(array.data, [arguments[1]])
        wide = builder.bitcast(pointer, ir.IntType(64).as_pointer())
        return builder.load(wide, align=1, typ=ir.IntType(64))

    return types.uint64(data, types.int64), generate


_BYTES = ir.VectorType(ir.IntType(8), LANES)


def _splat(value: int) -> ir.Constant:
    return ir.Constant(_BYTES, [ir.Constant(ir.IntType(8), value)] * LANES)


def _are(builder: Any, lanes: Any, *bytes: str) -> Any:
    found = [builder.icmp_unsigned("==", lanes, _splat(ord(byte))) for byte in bytes]
    return reduce(builder.or_, found)


def _between(builder: Any, lanes: Any, first: str, last: str) -> Any:
    place = builder.sub(lanes, _splat(ord(first)))
    return builder.icmp_unsigned("<", place, _splat(ord(last) - ord(first) + 1))


def _mask(test: Callable[[Any, Any], Any]) -> Any:
    """A kernel that tells which of 64 bytes of a uint8 array, from any index, pass a test, as bits."""

    @intrinsic
    def mask(typing: Any, data: Any, index: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            array = context.make_array(signature.args[0])(context, builder, arguments[0])
            pointer = builder.bitcast(builder.gep(array.data, [arguments[1]]), _BYTES.as_pointer())
            lanes = builder.load(pointer, align=1, typ=_BYTES)
            return builder.bitcast(test(builder, lanes), ir.IntType(LANES))

        return types.uint64(data, types.int64), generate

    return mask


_letters = _mask(lambda builder, lanes: _between(builder, builder.or_(lanes, _splat(0x20)), "a", "z"))
_digits = _mask(lambda builder, lanes: _between(builder, lanes, "0", "9"))
_lines = _mask(lambda builder, lanes: _are(builder, lanes, "_"))
_backslashes = _mask(lambda builder, lanes: _are(builder, lanes, "\\"))
_operators = _mask(lambda builder, lanes: _are(builder, lanes, *OPERATORS))
_spaces = _mask(lambda builder, lanes: _are(builder, lanes, " ", "\n"))
_beyond = _mask(lambda builder, lanes: builder.icmp_signed("<", lanes, _splat(0)))


@kernel
def _padded(data, index):
    """The last bytes of a buffer, as many as a mask takes."""
    block = np.zeros(LANES, np.uint8)
    for place in range(index, len(data)):
        block[place - index] = data[place]
    return block


@inlined
def _first_bytes(word, count):
    """The first 0 to 8 bytes of a number, the others zero."""
    kept = _ALL >> uint64(64 - 8 * min(max(count, 1), 8))
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
    return load64(_padded(data, index), 0) | _LOWER


@inlined
def _hash_ascii(data, start, end):
    """The hash of a word of ASCII bytes in any case; up to 16 bytes without a branch on the length."""
    length = end - start
    mixed = _mix_in(_SEED, _first_bytes(_eight(data, start), length))
    mixed = _mix_in(mixed, _first_bytes(_eight(data, min(start + 8, len(data))), length - 8))
    for done in range(16, length, 8):
        mixed = _mix_in(mixed, _first_bytes(_eight(data, start + done), length - done))
    return _finished(mixed, length)


@inlined
def _hash_codes(codes, count):
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


@inlined
def _is_letter(byte):
    lower = byte | 0x20
    return 97 <= lower <= 122


@inlined
def _is_word_byte(byte):
    return _is_letter(byte) or 48 <= byte <= 57 or byte == 95 or byte > 0x7F


@inlined
def _operand_before(data, start, index):
    """Whether an operand ends before `index`: a digit, a closing bracket, a single letter."""
    last = index - 1
    while last >= start and data[last] <= 0x20:
        last -= 1
    if last < start:
        return False
    byte = data[last]
    if 48 <= byte <= 57 or byte == 0x29 or byte == 0x5D or byte == 0x7D:
        return True
    return _is_letter(byte) and (last == start or not _is_word_byte(data[last - 1]))


@inlined
def _operand_after(data, index, end):
    """Whether an operand begins at or after `index`: a digit, an opening bracket, a backslash, a single letter."""
    first = index
    while first < end and data[first] <= 0x20:
        first += 1
    if first == end:
        return False
    byte = data[first]
    if 48 <= byte <= 57 or byte == 0x28 or byte == 0x5B or byte == 0x7B or byte == 0x5C:
        return True
    return _is_letter(byte) and (first + 1 == end or not _is_word_byte(data[first + 1]))


@inlined
def _counts(data, start, end, index):
    """Whether the operator at `index` is a token."""
    byte = data[index]
    first, last = index, index + 1
    while first > start and data[first - 1] == byte and index - first <= _LONGEST_RUN:
        first -= 1
    while last < end and data[last] == byte and last - index <= _LONGEST_RUN + 1:
        last += 1
    if last - first > _LONGEST_RUN:
        return False
    if byte == 0x2D or byte == 0x2A or byte == 0x2F:
        return _operand_before(data, start, first) or _operand_after(data, last, end)
    return True


@inlined
def _put_places(bits, index, out, count):
    """Write the places of the bits of a mask, `index` that of the first; returns the new count."""
    while bits != 0:
        out[count] = index + np.int64(trailing_zeros(bits))
        bits &= bits - uint64(1)
        count += 1
    return count


@inlined
def _ends_of_runs(bits, first, carried):
    """Where runs of bits end that begin at `first`, or before all of them: the places after their last bits.

    Adding one to a run carries to its end (Langdale and Lemire 2019, arXiv 1902.08318,
    section 3.1.1); the second result tells whether that is beyond these bits.
    """
    one = bits + first
    both = one + carried
    return both & ~bits, uint64(one < bits) | uint64(both < one)


@kernel
def _find_ascii(data, start, end, first, last, mode, starts, ends, count):
    """Write where each word of the ASCII bytes `first` to `last` stands; returns the new count.

    `start` to `end` is the text that they are part of, where the neighbours of operators lie.
    """
    data, starts, ends = borrowed(data), borrowed(starts), borrowed(ends)
    ended = count
    in_word = in_command = in_number = after_slash = after_operator = uint64(0)
    for index in range(first, last, LANES):
        block, at = data, index
        if index + LANES > len(data):
            block, at = _padded(data, index), 0
        inside = _ALL
        if last - index < LANES:
            inside = (uint64(1) << uint64(last - index)) - uint64(1)
        letters, digits = _letters(block, at) & inside, _digits(block, at) & inside
        found = letters | digits | (_lines(block, at) & inside)
        before = found << uint64(1) | in_word
        in_word = found >> uint64(LANES - 1)
        begin, finish = found & ~before, before & ~found
        if mode == _MATH_CODE:
            slashes = _backslashes(block, at) & inside
            named = letters & (slashes << uint64(1) | after_slash)
            after_slash = slashes >> uint64(LANES - 1)
            begin = begin & ~named | named >> uint64(1)
            if after_slash and index + LANES < last and _is_letter(data[index + LANES]):
                begin |= uint64(1) << uint64(LANES - 1)
            cut, in_command = _ends_of_runs(letters, named, in_command)
            begin |= cut & found
            finish |= cut
            cut, in_number = _ends_of_runs(digits, digits & begin, in_number)
            begin |= cut & found
            finish |= cut
            signs = _operators(block, at) & inside
            counting = uint64(0)
            while signs != 0:
                low = signs & (~signs + uint64(1))
                if _counts(data, start, end, index + np.int64(trailing_zeros(signs))):
                    counting |= low
                signs ^= low
            begin |= counting
            finish |= counting << uint64(1) | after_operator
            after_operator = counting >> uint64(LANES - 1)
        count = _put_places(begin, index, starts, count)
        ended = _put_places(finish, index, ends, ended)
    if ended < count:
        ends[ended] = last
    return count


@inlined
def _split_ascii(data, start, end, first, last, mode, hashes, starts, ends, count):
    """The words of the ASCII bytes `first` to `last` of a text, for `words` and `math_code`."""
    until = _find_ascii(data, start, end, first, last, mode, starts, ends, count)
    for place in range(count, until):
        hashes[place] = _hash_ascii(data, starts[place], ends[place])
    return until


@inlined
def borrowed_tables(table):
    return Tables(
        borrowed(table.kind),
        borrowed(table.fold),
        borrowed(table.sequences),
        borrowed(table.order),
        borrowed(table.case),
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


@kernel
def _is_final_sigma(data, start, end, index, case):
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
def _append(code, final, table, codes, first, count):
    """Append a folded character to a word, its marks in canonical order."""
    folded = np.int64(table.fold[code])
    if code == _SIGMA and final:
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
            while target > first and table.order[codes[target - 1]] > order:
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
def fold_word(data, first, last, start, end, table, codes, out):
    """Write the normalised bytes of one word of the text at `start` to `end`; return their number."""
    count = 0
    index = first
    while index < last:
        code, size = _decode(data, index, end)
        if table.kind[code] != DELETED:
            final = code == _SIGMA and _is_final_sigma(data, start, end, index, table.case)
            count = _append(code, final, table, codes, 0, count)
        index += size
    return _encode(codes, count, out)


@inlined
def _flush(codes, held, first, last, hashes, starts, ends, count):
    if held == 0:
        return count
    hashes[count] = _hash_codes(codes, held)
    starts[count] = first
    ends[count] = last
    return count + 1


@kernel
def _split_unicode(data, start, end, begin, stop, table, hashes, starts, ends, count, codes):
    """The words of the bytes `begin` to `stop` of any text, character by character.

    `held` code points are of the open word.
    """
    held = 0
    first, last = begin, begin
    opened = SEPARATOR
    index = begin
    while index < stop:
        code, size = _decode(data, index, end)
        kind = table.kind[code]
        if kind == MARK:
            if held > 0:
                held = _append(code, False, table, codes, 0, held)
                last = index + size
        elif kind == DELETED:
            pass
        else:
            joins = held > 0 and (
                (kind == WORD and opened == WORD)
                or (kind == DIGIT and (opened == WORD or opened == DIGIT))
                or (opened == BACKSLASH and kind == WORD and _is_letter(code) and code < 0x80)
            )
            if not joins:
                count = _flush(codes, held, first, last, hashes, starts, ends, count)
                held = 0
                first = index
                opened = kind
            if kind == WORD or kind == DIGIT or kind == SINGLE or kind == SYMBOL:
                final = code == _SIGMA and _is_final_sigma(data, start, end, index, table.case)
                held = _append(code, final, table, codes, 0, held)
                last = index + size
            elif kind == OPERATOR:
                if _counts(data, start, end, index):
                    held = _append(code, False, table, codes, 0, held)
                    last = index + size
            elif kind == BACKSLASH and index + 1 < end and _is_letter(data[index + 1]):
                held = _append(code, False, table, codes, 0, held)
                last = index + size
        index += size
    return _flush(codes, held, first, last, hashes, starts, ends, count)


@kernel
def _ascii_until(data, index, end):
    """Where the first byte beyond ASCII stands; `end` where there is none."""
    while index + LANES <= len(data) and index < end:
        found = _beyond(data, index)
        if found != 0:
            return min(index + np.int64(trailing_zeros(found)), end)
        index += LANES
    while index < end and data[index] <= 0x7F:
        index += 1
    return min(index, end)


@kernel
def _beyond_until(data, index, end):
    """Where the next 64 bytes of ASCII begin at a space; `end` where there are none."""
    while index + LANES <= end:
        spaces = _spaces(data, index)
        if _beyond(data, index) == 0 and spaces != 0:
            return index + np.int64(trailing_zeros(spaces))
        index += LANES
    return end


@inlined
def split(data, start, end, table, mode, hashes, starts, ends, count, codes):
    """Write the words of the text at `start` to `end` from `count` on; return the new count.

    Long stretches of ASCII are found 64 bytes at a time, whatever else is in the text; they
    begin and end at spaces, which part words in every normaliser.
    """
    if mode == _GPT3:
        return _split_unicode(data, start, end, start, end, table, hashes, starts, ends, count, codes)
    index = start
    while index < end:
        until = _ascii_until(data, index, end)
        while index < until < end and data[until - 1] != 0x20 and data[until - 1] != 0x0A:
            until -= 1
        count = _split_ascii(data, start, end, index, until, mode, hashes, starts, ends, count)
        index = until
        if until < end:
            index = _beyond_until(data, until, end)
            count = _split_unicode(data, start, end, until, index, table, hashes, starts, ends, count, codes)
    return count


@kernel
def _split_all(owned, bounds, owned_table, mode, hashes, starts, ends, codes):
    data, table = borrowed(owned), borrowed_tables(owned_table)
    hashes, starts, ends = borrowed(hashes), borrowed(starts), borrowed(ends)
    codes = borrowed(codes)
    offsets = np.zeros(len(bounds), dtype=np.int64)
    count = np.int64(0)
    for text in range(len(bounds) - 1):
        count = split(data, bounds[text], bounds[text + 1], table, mode, hashes, starts, ends, count, codes)
        offsets[text + 1] = count
    return offsets


@kernel
def _fold_all(found, bounds, owned_table, folded, codes):
    data, table = borrowed(found.data), borrowed_tables(owned_table)
    places = np.zeros(len(found.hashes) + 1, np.int64)
    for text in range(len(bounds) - 1):
        for word in range(found.offsets[text], found.offsets[text + 1]):
            start, end = bounds[text], bounds[text + 1]
            out = folded[places[word] :]
            size = fold_word(data, found.starts[word], found.ends[word], start, end, table, codes, out)
            places[word + 1] = places[word] + size
    return places
