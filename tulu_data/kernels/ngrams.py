"""N-grams of evaluation items, found at every position of every text: no cap, no sampling, no filter that misses.

An n-gram is a rolling hash of its words' hashes. If a bit set contains it, it is looked up,
and it counts only if its words are the item's, byte for byte.

Statistics of a pair (row, item) come from one pass over the row. An n-gram never crosses from
one text of a row or item to another; the n-grams of all their texts count together.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
from numba import uint64

from tulu_data.kernels.characters import borrowed_tables, fold_word
from tulu_data.kernels.compiled import borrowed, inlined, kernel
from tulu_data.kernels.hashes import hash_bytes
from tulu_data.kernels.notation import is_digit, is_operand, signs_between
from tulu_data.kernels.unicode import Tables
from tulu_data.kernels.words import split

_BASE: Final = np.uint64(0x9FB21C651E98DF25)
_MIX: Final = np.uint64(0xD6E8FEB86659FD93)
# An unknown hash finds both of its bits set about once in 70 times.
_BITS_PER_ENTRY: Final = 16
_TAG: Final = np.uint64(0xFFFFFFFF00000000)
_UNSIGNED: Final = 1 << 30


GRAM: Final = np.dtype([("token", np.int32), ("posts", np.int32)])
"""An n-gram: the token of its first place, and the first of its posts; those of the next one follow."""
POST: Final = np.dtype([("token", np.int32), ("item", np.int32), ("idf", np.float32)])
"""A place of an n-gram, and its weight there; a common one has no place."""
SHARED: Final = np.dtype(
    [
        ("row", np.int64),
        ("idf", np.float64),
        ("grams", np.int32),
        ("longest", np.int32),
        ("whole", np.int32),
        ("text", np.int32),
        ("start", np.int32),
        ("end", np.int32),
        ("token", np.int32),
    ],
    align=True,
)
"""The overlap of an item with the row that touched it last.

The distinct n-grams and their idf, the words of the longest run, whole texts; and the place
of that run: the row's text, its first byte and end, and the item's token.
"""
WHOLE: Final = np.dtype([(name, np.int64) for name in ("row", "item_text", "text", "start", "end")])
"""The place of a whole text of a short item: the row, the text of all items, the row's text, first byte and end."""


class Index(NamedTuple):
    """The evaluation items for a scan, as arrays that can be memory-mapped.

    Tokens, the words of all items in order: `token_bytes` uint8 and `token_bounds` int64
    are their normalised bytes; `token_text`, `token_item` int32; `token_gram` int32: the
    n-gram that begins at a token, or −1; `token_number` int32: which number it is, or −1;
    `token_signs` int32: the signs between it and an operand before it, as bits.
    N-grams, in the order of their first places: `grams`, one more than there are, and
    `posts`; `gram_slots` uint64, a hash table of them; `gram_bits` uint64. Numbers:
    `number_token` int64, `number_slots` uint64. Whole texts:
    `whole_lengths` int64, in words; `whole_slots`, `whole_bits` uint64;
    `start_bits` uint64 of their first two words, and `single_bits` of those of one word,
    empty if there are none; `whole_bounds` int64 and `whole_text` int32: which texts are
    equal. `text_bounds` int64 are tokens, `item_bounds` int64 texts, `item_idf` float64 the
    idf of all n-grams of an item that count.
    """

    token_bytes: npt.NDArray[np.uint8]
    token_bounds: npt.NDArray[np.int64]
    token_text: npt.NDArray[np.int32]
    token_item: npt.NDArray[np.int32]
    token_gram: npt.NDArray[np.int32]
    token_number: npt.NDArray[np.int32]
    token_signs: npt.NDArray[np.int32]
    grams: npt.NDArray[np.void]
    posts: npt.NDArray[np.void]
    gram_slots: npt.NDArray[np.uint64]
    gram_bits: npt.NDArray[np.uint64]
    number_token: npt.NDArray[np.int64]
    number_slots: npt.NDArray[np.uint64]
    whole_lengths: npt.NDArray[np.int64]
    whole_slots: npt.NDArray[np.uint64]
    whole_bits: npt.NDArray[np.uint64]
    start_bits: npt.NDArray[np.uint64]
    single_bits: npt.NDArray[np.uint64]
    whole_bounds: npt.NDArray[np.int64]
    whole_text: npt.NDArray[np.int32]
    text_bounds: npt.NDArray[np.int64]
    item_bounds: npt.NDArray[np.int64]
    item_idf: npt.NDArray[np.float64]


class Work(NamedTuple):
    """The working memory of a scan, one for each thread: stamps by row, and the overlap of each item.

    `token` int64: the last word, counted over all rows, at which an n-gram of a token was found.
    `gram_before` and `gram_after` have the row in which a number in digits was beside an
    n-gram, `number_signs` the signs before a number in the row of `number_seen`.
    """

    gram_seen: npt.NDArray[np.int64]
    gram_before: npt.NDArray[np.int64]
    gram_after: npt.NDArray[np.int64]
    number_seen: npt.NDArray[np.int64]
    number_signs: npt.NDArray[np.int64]
    token: npt.NDArray[np.int64]
    text_seen: npt.NDArray[np.int64]
    shared: npt.NDArray[np.void]
    touched: npt.NDArray[np.int64]
    matched: npt.NDArray[np.int32]
    clock: npt.NDArray[np.int64]

    @classmethod
    def for_index(cls, index: Index) -> Work:
        """Working memory for scans with an index."""
        tokens, texts, items = len(index.token_item), len(index.text_bounds) - 1, len(index.item_bounds) - 1
        return cls(
            gram_seen=np.zeros(len(index.grams), np.int64),
            gram_before=np.zeros(len(index.grams), np.int64),
            gram_after=np.zeros(len(index.grams), np.int64),
            number_seen=np.zeros(len(index.number_token), np.int64),
            number_signs=np.zeros(len(index.number_token), np.int64),
            token=np.full(tokens, -2, np.int64),
            text_seen=np.zeros(texts, np.int64),
            shared=np.zeros(items, SHARED),
            touched=np.zeros(items, np.int64),
            matched=np.zeros(len(index.grams), np.int32),
            clock=np.zeros(4, np.int64),
        )


PAIR: Final = np.dtype(
    [
        *((name, np.int64) for name in ("row", "item", "covered", "grams", "longest", "whole", "text", "start", "end")),
        *((name, np.int64) for name in ("item_token", "end_byte", "covered_all", "numbers", "numbers_missing")),
        ("idf", np.float64),
    ]
)
"""A line of a scan: the overlap of a row and an item."""


@inlined
def _mixed(value):
    value = (value ^ (value >> uint64(32))) * _MIX
    return value ^ (value >> uint64(29))


@inlined
def _polynomial(hashes, first, last):
    rolled = uint64(0)
    for place in range(first, last):
        rolled = rolled * _BASE + hashes[place]
    return _mixed(rolled)


@inlined
def _two_bits(value):
    return uint64(1) << (value & uint64(63)) | uint64(1) << (value >> uint64(6) & uint64(63))


@inlined
def _has_bits(bits, value):
    """Whether a bit set may contain a value, whose bits are placed as by `fill_bits`."""
    both = _two_bits(value)
    return bits[np.int64(value >> uint64(12) & uint64(len(bits) - 1))] & both == both


@kernel
def fill_bits(hashes, bits):
    """Set two bits of each hash in one of the numbers, which are a power of two."""
    for value in hashes:
        bits[np.int64(value >> uint64(12) & uint64(len(bits) - 1))] |= _two_bits(value)


@kernel
def fill_slots(hashes, slots):
    """Put the index of each hash, from 1 on, beside half of its bits into an open-addressing table of zeros."""
    mask = uint64(len(slots) - 1)
    for index in range(len(hashes)):
        slot = hashes[index] & mask
        while slots[np.int64(slot)] != 0:
            slot = (slot + uint64(1)) & mask
        slots[np.int64(slot)] = hashes[index] & _TAG | uint64(index + 1)


def bits_for(hashes: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """A bit set of some distinct hashes; its size is a power of two of numbers."""
    bits = np.zeros(_power_of_two(len(hashes) * _BITS_PER_ENTRY) // 64, np.uint64)
    fill_bits(hashes, bits)
    return bits


def slots_for(hashes: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """A hash table over distinct hashes, at most half full, a power of two in size."""
    slots = np.zeros(_power_of_two(2 * len(hashes)), np.uint64)
    fill_slots(hashes, slots)
    return slots


def _power_of_two(least: int) -> int:
    return 1 << max(10, (least - 1).bit_length())


@kernel
def gram_hashes(hashes, text_bounds, n, out, tokens):
    """The mixed hash of every n-gram within a text, and the token that it begins at; returns their number."""
    count = 0
    for text in range(len(text_bounds) - 1):
        for token in range(text_bounds[text], text_bounds[text + 1] - n + 1):
            out[count] = _polynomial(hashes, token, token + n)
            tokens[count] = token
            count += 1
    return count


@kernel
def pair_hashes(hashes, tokens, out):
    """The hash of the pair of words that begins at each of some tokens."""
    for place in range(len(tokens)):
        out[place] = hashes[tokens[place]] * _BASE + hashes[tokens[place] + 1]


@kernel
def first_unequal(order, tokens, hashes, n, token_bytes, token_bounds):
    """The first place in `order` whose n-gram has the hash of the one before it and other words; −1 if none has."""
    for place in range(1, len(order)):
        if hashes[order[place - 1]] == hashes[order[place]]:
            one, other = tokens[order[place - 1]], tokens[order[place]]
            for offset in range(n):
                start, end = token_bounds[other + offset], token_bounds[other + offset + 1]
                size = token_bounds[one + offset + 1] - token_bounds[one + offset]
                if not _same_bytes(token_bytes, token_bounds[one + offset], size, token_bytes, start, end):
                    return place
    return -1


@kernel
def cover(gram_tokens, n, covered):
    """Mark the tokens that are in some n-gram; `gram_tokens` is sorted."""
    until = 0
    for token in gram_tokens:
        for index in range(max(token, until), token + n):
            covered[index] = True
        until = token + n


@inlined
def _characters(data, start, end):
    """How many characters of UTF-8 begin between two bytes."""
    count = 0
    for index in range(start, end):
        count += data[index] & 0xC0 != 0x80
    return count


@kernel
def character_spans(data, starts, ends, bounds, offsets, spans):
    """The place of each token in its text, in characters."""
    for text in range(len(offsets) - 1):
        at, count = bounds[text], 0
        for token in range(offsets[text], offsets[text + 1]):
            if starts[token] < at:
                # The second word of one character, as of a fraction.
                spans[token] = spans[token - 1]
                continue
            count += _characters(data, at, starts[token])
            spans[token, 0] = count
            count += _characters(data, starts[token], ends[token])
            spans[token, 1] = count
            at = ends[token]


@kernel
def text_hashes(hashes, text_bounds, texts, out):
    """The mixed hash of all words of each of some texts."""
    for place in range(len(texts)):
        out[place] = _polynomial(hashes, text_bounds[texts[place]], text_bounds[texts[place] + 1])


@inlined
def _same_bytes(one, at, size, other, start, end):
    same = end - start == size
    index = 0
    while same and index < size:
        same = one[at + index] == other[start + index]
        index += 1
    return same


class Message(NamedTuple):
    """One text of a row, whose words are `first` to `last`; `number` counts the row's texts.

    `clock` is the number of all words before the row, and of texts, so that no two words of
    different texts follow each other.
    """

    data: npt.NDArray[np.uint8]
    start: int
    end: int
    table: Tables
    hashes: npt.NDArray[np.uint64]
    starts: npt.NDArray[np.int64]
    ends: npt.NDArray[np.int64]
    first: int
    last: int
    number: int
    clock: int
    codes: npt.NDArray[np.int32]
    out: npt.NDArray[np.uint8]


@inlined
def _is_word(token, place, message, index):
    """Whether a word of a message is an item's token, byte for byte."""
    start, end = message.starts[place], message.ends[place]
    first, last = index.token_bounds[token], index.token_bounds[token + 1]
    same = end - start == last - first
    offset = 0
    while same and start + offset < end:
        byte = message.data[start + offset]
        same = byte <= 0x7F and byte | 0x20 == index.token_bytes[first + offset]
        offset += 1
    if not same:
        size = fold_word(
            message.data, start, end, message.start, message.end, message.table, message.codes, message.out
        )
        same = _same_bytes(message.out, 0, size, index.token_bytes, first, last)
    if not same and last - first <= 8:
        # A number in words, or another spelling: of up to eight bytes no two words have one hash.
        same = hash_bytes(index.token_bytes, first, last) == message.hashes[place]
    return same


@inlined
def _is_run(token, words, place, message, index):
    """Whether the words of a message from `place` on are an item's tokens from `token` on."""
    same = True
    offset = 0
    while same and offset < words:
        same = _is_word(token + offset, place + offset, message, index)
        offset += 1
    return same


@inlined
def _are_signs_alike(token, words, place, message, index):
    """Whether no sign between the words of a run differs from the item's.

    Signs may be missing, unless the item consists of operands alone.
    """
    has_word = False
    for offset in range(words):
        first, last = index.token_bounds[token + offset], index.token_bounds[token + offset + 1]
        has_word = has_word or not is_operand(index.token_bytes, first, last)
    alike = True
    offset = 1
    while alike and offset < words:
        wanted = index.token_signs[token + offset]
        if wanted != 0:
            found = _signs_before(place + offset, message.starts, message.ends, message.data, message.table)
            alike = found & wanted != 0 or (found == 0 and has_word)
        offset += 1
    return alike


@inlined
def _signs_before(place, starts, ends, data, table):
    """The signs between an operand and one before it, as bits; 0 if there is none."""
    signs = np.int64(0)
    if is_operand(data, starts[place], ends[place]) and is_operand(data, starts[place - 1], ends[place - 1]):
        signs = signs_between(data, ends[place - 1], starts[place], table)
    return signs


@inlined
def _find(hash, slots, tokens, words, place, message, index):
    """The run of words of a hash table at a word of a message, or −1; `tokens` says where each run begins."""
    mask = uint64(len(slots) - 1)
    slot = hash & mask
    found = np.int64(-1)
    while found < 0 and slots[np.int64(slot)] != 0:
        entry = slots[np.int64(slot)]
        if (entry ^ hash) & _TAG == 0:
            candidate = np.int64(entry & ~_TAG) - 1
            if _is_run(np.int64(tokens[candidate]), words, place, message, index):
                found = candidate
        slot = (slot + uint64(1)) & mask
    return found


@inlined
def _touch(shared, item, row, work, touched):
    """Begin the overlap of an item with a row; returns how many items the row has touched."""
    if shared.row != row:
        shared.row = row
        shared.idf = 0.0
        shared.grams = 0
        shared.longest = 0
        shared.whole = 0
        work.touched[touched] = item
        touched += 1
    return touched


@inlined
def _note_run(shared, token, words, place, message):
    """Keep the longest run of words that a row shares with an item, the first of equals."""
    if words > shared.longest:
        shared.longest = words
        shared.text = message.number
        shared.start = message.starts[place] - message.start
        shared.end = message.ends[place + words - 1] - message.start
        shared.token = token


@inlined
def _count_whole(hash, place, message, index, row, line, work, wholes, touched):
    """Count the short items that have a text with the hash `hash` at a word, and note the place."""
    mask = uint64(len(index.whole_slots) - 1)
    slot = hash & mask
    while index.whole_slots[np.int64(slot)] != 0:
        entry = index.whole_slots[np.int64(slot)]
        slot = (slot + uint64(1)) & mask
        if (entry ^ hash) & _TAG != 0:
            continue
        whole = np.int64(entry & ~_TAG) - 1
        for listed in range(index.whole_bounds[whole], index.whole_bounds[whole + 1]):
            text = index.whole_text[listed]
            token, words = index.text_bounds[text], index.text_bounds[text + 1] - index.text_bounds[text]
            if (
                words <= message.last - place
                and _is_run(token, words, place, message, index)
                and _are_signs_alike(token, words, place, message, index)
            ):
                found = wholes[work.clock[3]]
                found.row = line
                found.item_text = text
                found.text = message.number
                found.start = message.starts[place] - message.start
                found.end = message.ends[place + words - 1] - message.start
                work.clock[3] += 1
                if work.text_seen[text] != row:
                    work.text_seen[text] = row
                    item = index.token_item[token]
                    shared = work.shared[item]
                    touched = _touch(shared, item, row, work, touched)
                    shared.whole += 1
                    _note_run(shared, token, words, place, message)
    return touched


@inlined
def _equal_before(token, place, message, index):
    """How many words before a word of a message are an item's tokens before a token, within one text of both."""
    most = min(place - message.first, token - index.text_bounds[index.token_text[token]])
    count = 0
    while count < most and _is_word(token - count - 1, place - count - 1, message, index):
        count += 1
    return count


@inlined
def _equal_from(token, place, n, message, index):
    """How many words from a word of a message on are an item's tokens from a token on, of which `n` are known to be."""
    most = min(message.last - place, index.text_bounds[index.token_text[token] + 1] - token)
    count = n
    while count < most and _is_word(token + count, place + count, message, index):
        count += 1
    return count


@inlined
def _count_gram(gram, n, place, message, index, row, work, touched):
    """Count an n-gram that begins at a word for all items that have it."""
    is_new = work.gram_seen[gram] != row
    work.gram_seen[gram] = row
    if place > message.first and is_digit(message.data[message.starts[place - 1]]):
        work.gram_before[gram] = row
    if place + n < message.last and is_digit(message.data[message.starts[place + n]]):
        work.gram_after[gram] = row
    first, last = index.grams[gram].posts, index.grams[gram + 1].posts
    if is_new and last > first:
        work.matched[work.clock[2]] = gram
        work.clock[2] += 1
    now = message.clock + message.number + place
    before = -1
    # Backwards, so that a run is not cut by its own next token where an item repeats a word.
    for listed in range(last - 1, first - 1, -1):
        post = index.posts[listed]
        token = post.token
        shared = work.shared[post.item]
        touched = _touch(shared, post.item, row, work, touched)
        if is_new and post.item != before:
            shared.grams += 1
            shared.idf += post.idf
        before = post.item
        # A run is measured at its first n-gram that counts; common words before and after belong to it.
        goes_on = (
            token > 0 and work.token[token - 1] == now - 1 and index.token_text[token - 1] == index.token_text[token]
        )
        work.token[token] = now
        if not goes_on:
            more = _equal_before(token, place, message, index)
            words = more + _equal_from(token, place, n, message, index)
            _note_run(shared, token - more, words, place - more, message)
    return touched


@inlined
def _borrowed_index(index):
    return Index(
        borrowed(index.token_bytes),
        borrowed(index.token_bounds),
        borrowed(index.token_text),
        borrowed(index.token_item),
        borrowed(index.token_gram),
        borrowed(index.token_number),
        borrowed(index.token_signs),
        borrowed(index.grams),
        borrowed(index.posts),
        borrowed(index.gram_slots),
        borrowed(index.gram_bits),
        borrowed(index.number_token),
        borrowed(index.number_slots),
        borrowed(index.whole_lengths),
        borrowed(index.whole_slots),
        borrowed(index.whole_bits),
        borrowed(index.start_bits),
        borrowed(index.single_bits),
        borrowed(index.whole_bounds),
        borrowed(index.whole_text),
        borrowed(index.text_bounds),
        borrowed(index.item_bounds),
        borrowed(index.item_idf),
    )


@inlined
def _borrowed_work(work):
    return Work(
        borrowed(work.gram_seen),
        borrowed(work.gram_before),
        borrowed(work.gram_after),
        borrowed(work.number_seen),
        borrowed(work.number_signs),
        borrowed(work.token),
        borrowed(work.text_seen),
        borrowed(work.shared),
        borrowed(work.touched),
        borrowed(work.matched),
        borrowed(work.clock),
    )


@inlined
def _known_grams(hashes, first, last, n, bits, places, count):
    """Write the places of words at which an n-gram begins that may be one of the index; returns the new count."""
    power = uint64(1)
    for _ in range(n):
        power *= _BASE
    rolled = uint64(0)
    for place in range(first, min(first + n - 1, last)):
        rolled = rolled * _BASE + hashes[place]
    leaving = uint64(0)
    for place in range(first, last - n + 1):
        rolled = rolled * _BASE + hashes[place + n - 1] - leaving
        leaving = hashes[place] * power
        places[count] = place
        count += _has_bits(bits, _mixed(rolled))
    return count


@inlined
def _known_starts(hashes, first, last, index, places, count):
    """Write the places of words at which a whole text may begin; returns the new count."""
    has_single = len(index.single_bits) > 0
    for place in range(first, last):
        known = False
        if place + 1 < last:
            known = _has_bits(index.start_bits, hashes[place] * _BASE + hashes[place + 1])
        if has_single:
            known |= _has_bits(index.single_bits, hashes[place])
        places[count] = place
        count += known
    return count


@kernel
def _longer(array, used):
    """The same lines in an array of twice the length."""
    more = np.empty(2 * len(array) + used, array.dtype)
    for place in range(used):
        more[place] = array[place]
    return more


@kernel
def scan(owned, bounds, rows, owned_table, mode, n, noted_from, owned_index, owned_work, owned_words, codes, out):
    """Every pair of a row and an item that share something.

    `rows[i]` to `rows[i + 1]` are the texts of row i, whose bytes `bounds` gives. Returns
    lines of `PAIR`, by row; the distinct n-grams that each row has, int32, and where each
    row's begin; and lines of `WHOLE`.
    `text` counts the row's texts; `start` and `end` are characters of it: the longest run
    of words that row and item share, which begins at the item's token `item_token` and ends at
    the text's byte `end_byte`. Pairs that share less than `noted_from` of the item's idf, and no
    whole text, are left out.
    """
    data, table = borrowed(owned), borrowed_tables(owned_table)
    index, work = _borrowed_index(owned_index), _borrowed_work(owned_work)
    hashes, starts, ends = borrowed(owned_words[0]), borrowed(owned_words[1]), borrowed(owned_words[2])
    places = borrowed(owned_words[3])
    pairs = np.empty(1024, PAIR)
    grams = np.empty(1024, np.int32)
    wholes = np.empty(1024, WHOLE)
    equal = 1
    for whole in range(len(index.whole_bounds) - 1):
        equal = max(equal, index.whole_bounds[whole + 1] - index.whole_bounds[whole])
    work.clock[3] = 0
    gram_bounds = np.zeros(len(rows), np.int64)
    used = 0
    listed = 0
    has_grams = len(index.posts) > 0
    has_whole = len(index.whole_text) > 0
    row_stamp, clock = work.clock[0], work.clock[1]
    for row in range(len(rows) - 1):
        row_stamp += 1
        touched = 0
        work.clock[2] = 0
        count = np.int64(0)
        for text in range(rows[row], rows[row + 1]):
            start, end = bounds[text], bounds[text + 1]
            first = count
            count = split(data, start, end, table, mode, hashes, starts, ends, first, codes)
            number = text - rows[row]
            message = Message(data, start, end, table, hashes, starts, ends, first, count, number, clock, codes, out)
            if has_grams:
                for known in range(_known_grams(hashes, first, count, n, index.gram_bits, places, 0)):
                    place = np.int64(places[known])
                    mixed = _polynomial(hashes, place, place + n)
                    gram = _find(mixed, index.gram_slots, index.grams["token"], n, place, message, index)
                    if gram >= 0:
                        touched = _count_gram(gram, n, place, message, index, row_stamp, work, touched)
            if has_whole:
                for known in range(_known_starts(hashes, first, count, index, places, 0)):
                    place = np.int64(places[known])
                    rolled = uint64(0)
                    last = place
                    for length in index.whole_lengths:
                        if place + length > count:
                            break
                        while last < place + length:
                            rolled = rolled * _BASE + hashes[last]
                            last += 1
                        mixed = _mixed(rolled)
                        if _has_bits(index.whole_bits, mixed):
                            while work.clock[3] + equal > len(wholes):
                                wholes = _longer(wholes, work.clock[3])
                            touched = _count_whole(mixed, place, message, index, row_stamp, row, work, wholes, touched)
        fresh_grams = work.clock[2]
        while listed + fresh_grams > len(grams):
            grams = _longer(grams, listed)
        for place in range(fresh_grams):
            grams[listed + place] = work.matched[place]
        listed += fresh_grams
        gram_bounds[row + 1] = listed
        if touched > 0:
            place = 0
            for text in range(rows[row], rows[row + 1]):
                start, end = bounds[text], bounds[text + 1]
                message = Message(data, start, end, table, hashes, starts, ends, 0, 0, 0, 0, codes, out)
                while place < count and starts[place] < end:
                    digits = np.int64(-1)
                    if index.number_slots[np.int64(hashes[place] & uint64(len(index.number_slots) - 1))] != 0:
                        digits = _find(hashes[place], index.number_slots, index.number_token, 1, place, message, index)
                    if digits >= 0:
                        signs = np.int64(0)
                        if place > 0 and starts[place - 1] >= start:
                            signs = _signs_before(place, starts, ends, data, table)
                        before = work.number_signs[digits] if work.number_seen[digits] == row_stamp else np.int64(0)
                        work.number_signs[digits] = before | (signs if signs != 0 else _UNSIGNED)
                        work.number_seen[digits] = row_stamp
                    place += 1
        clock += count + rows[row + 1] - rows[row]
        for place in range(touched):
            item = work.touched[place]
            shared = work.shared[item]
            if shared.whole == 0 and shared.idf < noted_from * index.item_idf[item]:
                continue
            if used == len(pairs):
                pairs = _longer(pairs, used)
            begin = bounds[rows[row] + shared.text]
            pair = pairs[used]
            pair.row = row
            pair.item = item
            pair.grams = shared.grams
            pair.longest = shared.longest
            pair.whole = shared.whole
            pair.text = shared.text
            pair.start = _characters(data, begin, begin + shared.start)
            pair.end = _characters(data, begin, begin + shared.end)
            pair.item_token = shared.token
            pair.end_byte = shared.end
            pair.idf = shared.idf
            _cover(pair, n, row_stamp, index, work)
            used += 1
    work.clock[0], work.clock[1] = row_stamp, clock
    return pairs[:used], grams[:listed], gram_bounds, wholes[: work.clock[3]]


@inlined
def _cover(pair, n, row, index, work):
    """Count an item's tokens in n-grams that the row has, the same with common n-grams, and numbers.

    Numbers are counted between the first and the last token that is covered: all of them,
    and those that the row has nowhere. Those right before and behind that are counted too
    where the row has a number there.
    """
    covered = covered_all = numbers = missing = 0
    pending = pending_missing = 0
    # The pending numbers that follow each other right behind covered tokens, or right before them.
    beside = beside_missing = 0
    is_beside = True
    until = until_all = np.int64(0)
    first, last = index.item_bounds[pair.item], index.item_bounds[pair.item + 1]
    for token in range(index.text_bounds[first], index.text_bounds[last]):
        gram = index.token_gram[token]
        is_start = covered_all == 0
        if token > 0 and index.token_text[token] != index.token_text[token - 1]:
            is_beside = False
            if is_start:
                beside = beside_missing = 0
        if gram >= 0 and work.gram_seen[gram] == row:
            if is_start and work.gram_before[gram] == row:
                numbers += beside
                missing += beside_missing
            until_all = token + n
            if index.grams[gram + 1].posts > index.grams[gram].posts:
                until = token + n
        if token < until:
            covered += 1
        number = index.token_number[token]
        is_missing = number >= 0 and _lacks(token, number, row, index, work)
        if token < until_all:
            covered_all += 1
            numbers += pending + (number >= 0)
            missing += pending_missing + is_missing
            pending = pending_missing = beside = beside_missing = 0
            is_beside = token + 1 == until_all and work.gram_after[index.token_gram[until_all - n]] == row
        elif is_start:
            beside = beside + 1 if number >= 0 else 0
            beside_missing = beside_missing + is_missing if number >= 0 else 0
        else:
            pending += number >= 0
            pending_missing += is_missing
            is_beside = is_beside and number >= 0
            if is_beside:
                beside += 1
                beside_missing += is_missing
    if covered_all > 0:
        numbers += beside
        missing += beside_missing
    pair.covered = covered
    pair.covered_all = covered_all
    pair.numbers = numbers
    pair.numbers_missing = missing


@inlined
def _lacks(token, number, row, index, work):
    """Whether a row lacks a number of an item, or has it only behind other signs."""
    wanted = index.token_signs[token]
    is_there = work.number_seen[number] == row
    if is_there and wanted != 0:
        is_there = work.number_signs[number] & (wanted | _UNSIGNED) != 0
    return not is_there
