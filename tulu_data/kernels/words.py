r"""Text → words → 64-bit hashes, over the bytes of Arrow strings, without a Python object for each word.

Two paths, bit for bit the same: text that is all ASCII is classified 64 bytes at a time
(vector compare, bit mask, word edges by counting trailing zeros); other text goes
character by character through the tables of `unicode`.

Normalisers (each also as some lines of plain Python in the tests):

- `words`: Python's `\w+` on lower-cased text in NFKC, with two rules of our own. A combining
  mark belongs to the word before it (Python would split there); a letter of a script
  written without spaces (Han, kana, Thai, Lao, Khmer, Myanmar) is a word with its marks.
- `math_code`: runs of letters, and runs of digits in groups of three, counted from the right:
  "2x" is "2", "x", and "1,000" is the same as "1000". Signs are not words. Then `notation` reads
  numbers in English words, LaTeX, entities and tags of HTML: "\frac{1}{2}", "½", "1/2" and
  "one half" are the same two words.
- `gpt3`: words between white space, lower-cased, ASCII punctuation deleted (Brown et al.
  2020, appendix C).

Invisible characters (zero-width spaces, soft hyphens, direction marks, variation selectors)
are ignored. A character that NFKC turns into several words (½) is separate from the words
around it. ß stays ß. Final sigma is as in `str.lower`.
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

from tulu_data.kernels.characters import (
    SIGMA,
    append,
    borrowed_tables,
    is_final_sigma,
    next_character,
    spell_word,
)
from tulu_data.kernels.compiled import borrowed, inlined, kernel
from tulu_data.kernels.hashes import ALL, LANES, hash_ascii, hash_codes, padded
from tulu_data.kernels.notation import is_digit, rewrite
from tulu_data.kernels.unicode import (
    DELETED,
    DIGIT,
    EXPANDED,
    LOWERED,
    MARK,
    RAISED,
    SEPARATOR,
    SINGLE,
    Normaliser,
    tables,
)

_WORDS, _MATH_CODE, _GPT3 = 0, 1, 2
MODES: Final[dict[Normaliser, int]] = {"words": _WORDS, "math_code": _MATH_CODE, "gpt3": _GPT3}
_LONGEST_GROUP: Final = 3


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
    """Working memory to fold the longest word of a text of `longest` bytes: code points, and their UTF-8."""
    # A character of b bytes folds to at most 2 b code points and 5 b bytes.
    return np.empty(2 * longest + 8, np.int32), np.empty(5 * longest + 32, np.uint8)


def fold(
    texts: pa.StringArray, found: Words, normaliser: Normaliser
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
    """The normalised bytes of all words that were found in some texts, and where each word's begin.

    They are NFD, and 0x20 is set in each ASCII byte.
    """
    _, bounds = buffers(texts)
    sizes = found.ends - found.starts
    # A word that is renamed has up to eight bytes, whatever its own are.
    folded = np.empty(len(scratch(int(sizes.sum()))[1]) + 8 * len(sizes), np.uint8)
    codes = scratch(int(sizes.max(initial=0)))[0]
    places = _fold_all(found, bounds, tables(normaliser), folded, codes)
    return folded[: places[-1]].copy(), places


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
_ampersands = _mask(lambda builder, lanes: _are(builder, lanes, "&"))
_spaces = _mask(lambda builder, lanes: _are(builder, lanes, " ", "\n"))
_beyond = _mask(lambda builder, lanes: builder.icmp_signed("<", lanes, _splat(0)))


@inlined
def _put_places(bits, index, out, count):
    """Write the places of the bits of a mask, `index` that of the first; returns the new count."""
    while bits != 0:
        out[count] = index + np.int64(trailing_zeros(bits))
        bits &= bits - uint64(1)
        count += 1
    return count


@kernel
def _find_ascii(data, first, last, mode, starts, ends, count):
    """Write the place of each word of the ASCII bytes `first` to `last`; returns the new count."""
    data, starts, ends = borrowed(data), borrowed(starts), borrowed(ends)
    ended = count
    in_word = in_number = uint64(0)
    for index in range(first, last, LANES):
        block, at = data, index
        if index + LANES > len(data):
            block, at = padded(data, index), 0
        inside = ALL
        if last - index < LANES:
            inside = (uint64(1) << uint64(last - index)) - uint64(1)
        letters, digits = _letters(block, at) & inside, _digits(block, at) & inside
        if mode == _MATH_CODE:
            before = digits << uint64(1) | in_number
            in_number = digits >> uint64(LANES - 1)
            begin, finish = digits & ~before, before & ~digits
        else:
            letters |= digits | (_lines(block, at) & inside)
            begin = finish = uint64(0)
        before = letters << uint64(1) | in_word
        in_word = letters >> uint64(LANES - 1)
        begin |= letters & ~before
        finish |= before & ~letters
        count = _put_places(begin, index, starts, count)
        ended = _put_places(finish, index, ends, ended)
    if ended < count:
        ends[ended] = last
    return count


@kernel
def _group_digits(data, first, last, starts, ends, more):
    """Divide the numbers of more than three digits among the words `first` to `last`; return the new end."""
    write = last + more
    for read in range(last - 1, first - 1, -1):
        start, end = starts[read], ends[read]
        if is_digit(data[start]):
            while end - start > _LONGEST_GROUP:
                write -= 1
                starts[write], ends[write] = end - _LONGEST_GROUP, end
                end -= _LONGEST_GROUP
        write -= 1
        starts[write], ends[write] = start, end
    return last + more


@inlined
def _split_ascii(data, first, last, mode, hashes, starts, ends, count):
    """The words of the ASCII bytes `first` to `last`, for `words` and `math_code`."""
    until = _find_ascii(data, first, last, mode, starts, ends, count)
    if mode == _MATH_CODE:
        more = 0
        for place in range(count, until):
            length = ends[place] - starts[place]
            if length > _LONGEST_GROUP and is_digit(data[starts[place]]):
                more += (length - 1) // _LONGEST_GROUP
        if more > 0:
            until = _group_digits(data, count, until, starts, ends, more)
    for place in range(count, until):
        hashes[place] = hash_ascii(data, starts[place], ends[place])
    return until


@inlined
def _flush(data, end, table, codes, held, opened, first, last, hashes, starts, ends, count):
    """Write the word of the `held` code points at `first` to `last`; returns the new count."""
    if held > _LONGEST_GROUP and (opened == DIGIT or opened == RAISED or opened == LOWERED):
        count = _flush_number(data, end, table, codes, held, first, last, hashes, starts, ends, count)
    elif held > 0:
        hashes[count] = hash_codes(codes, held)
        starts[count] = first
        ends[count] = last
        count += 1
    return count


@kernel
def _flush_number(data, end, table, codes, held, first, last, hashes, starts, ends, count):
    """Write the groups of a number of more than three digits; one with a mark is a word."""
    is_number = True
    for place in range(held):
        is_number = is_number and is_digit(codes[place])
    index = begin = first
    seen = since = 0
    while is_number and index < last:
        code, size = next_character(data, index, end, table)
        if table.kind[code] != DELETED:
            if seen > 0 and (held - seen) % _LONGEST_GROUP == 0:
                hashes[count] = hash_codes(codes[since:seen], seen - since)
                starts[count], ends[count] = begin, index
                begin, since = index, seen
                count += 1
            seen += 1
        index += size
    hashes[count] = hash_codes(codes[since:held], held - since)
    starts[count], ends[count] = begin, last
    return count + 1


@kernel
def _split_unicode(owned, start, end, begin, stop, owned_table, hashes, starts, ends, count, codes):
    """The words of the bytes `begin` to `stop` of any text, character by character.

    The first `held` code points belong to the open word.
    """
    data, table, codes = borrowed(owned), borrowed_tables(owned_table), borrowed(codes)
    hashes, starts, ends = borrowed(hashes), borrowed(starts), borrowed(ends)
    held = 0
    first, last = begin, begin
    opened = SEPARATOR
    index = begin
    while index < stop:
        code, size = next_character(data, index, end, table)
        kind = table.kind[code]
        joins = kind == MARK or (kind == opened and kind != SINGLE and kind != EXPANDED)
        if kind != DELETED:
            if not joins:
                count = _flush(data, end, table, codes, held, opened, first, last, hashes, starts, ends, count)
                held = 0
                first = index
                opened = kind
                if kind == EXPANDED:
                    count = _split_expanded(code, index, index + size, table, codes, hashes, starts, ends, count)
                    opened = SEPARATOR
            if kind != SEPARATOR and kind != EXPANDED and (kind != MARK or held > 0):
                final = code == SIGMA and is_final_sigma(data, start, end, index, table.case)
                held = append(code, final, table, codes, held)
                last = index + size
        index += size
    return _flush(data, end, table, codes, held, opened, first, last, hashes, starts, ends, count)


@kernel
def _split_expanded(code, first, last, table, codes, hashes, starts, ends, count):
    """The words that one character is expanded to, all at its place."""
    place = -np.int64(table.fold[code])
    held = 0
    opened = SEPARATOR
    for part in range(place + 1, place + 1 + table.sequences[place] + 1):
        is_end = part == place + 1 + table.sequences[place]
        one = np.int64(0) if is_end else np.int64(table.sequences[part])
        kind = table.kind[one]
        if kind == MARK:
            if held > 0:
                codes[held] = one
                held += 1
        elif kind != DELETED:
            if held > 0 and (kind != opened or kind == SINGLE):
                hashes[count] = hash_codes(codes, held)
                starts[count], ends[count] = first, last
                count += 1
                held = 0
            opened = kind
            if kind != SEPARATOR:
                codes[held] = one
                held += 1
    return count


@kernel
def _ascii_until(data, index, end, mode):
    """The place of the first byte beyond ASCII, or for `math_code` of the first `&`; `end` if there is none."""
    while index + LANES <= len(data) and index < end:
        found = _beyond(data, index)
        if mode == _MATH_CODE:
            found |= _ampersands(data, index)
        if found != 0:
            return min(index + np.int64(trailing_zeros(found)), end)
        index += LANES
    while index < end and data[index] <= 0x7F and (mode != _MATH_CODE or data[index] != 0x26):
        index += 1
    return min(index, end)


@kernel
def _beyond_until(data, index, end, mode):
    """The first space in the next 64 bytes that can be read all at once; `end` if there are none."""
    while index + LANES <= end:
        spaces = _spaces(data, index)
        found = _beyond(data, index)
        if mode == _MATH_CODE:
            found |= _ampersands(data, index)
        if found == 0 and spaces != 0:
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
    until_now = count
    while index < end:
        until = _ascii_until(data, index, end, mode)
        while index < until < end and data[until - 1] != 0x20 and data[until - 1] != 0x0A:
            until -= 1
        until_now = _split_ascii(data, index, until, mode, hashes, starts, ends, until_now)
        index = until
        if until < end:
            index = _beyond_until(data, until, end, mode)
            until_now = _split_unicode(data, start, end, until, index, table, hashes, starts, ends, until_now, codes)
    if mode == _MATH_CODE:
        until_now = rewrite(data, start, end, table, hashes, starts, ends, count, until_now, codes)
    return until_now


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
            first, last, hash = found.starts[word], found.ends[word], found.hashes[word]
            size = spell_word(data, first, last, start, end, hash, table, codes, out)
            places[word + 1] = places[word] + size
    return places
