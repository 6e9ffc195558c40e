"""N-grams of evaluation items, found at every position of every text: no cap, no sampling, no filter that misses.

Only where each pair of neighbouring words is a pair of some item, which a bit set tells, an
n-gram is looked up by the hash of its words' hashes; it counts only when its words are the
item's, byte for byte.

Statistics of a pair (row, item) come from one pass over the row. N-grams never cross two
texts, neither of the row nor of the item; they unite over all texts of both.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
from numba import uint64

from tulu_data.kernels.compiled import borrowed, inlined, kernel
from tulu_data.kernels.unicode import Tables
from tulu_data.kernels.words import borrowed_tables, fold_word, split

_BASE: Final = np.uint64(0x9FB21C651E98DF25)
_MIX: Final = np.uint64(0xD6E8FEB86659FD93)
# One of eight look-ups of a stranger passes; an n-gram needs n − 1 in a row.
_BITS_PER_ENTRY: Final = 8
_NO_WORD: Final = -1
_UNRESOLVED: Final = -2
PREFIX: Final = 3
"""A whole text is looked up by its first words, at most so many."""


class Index(NamedTuple):
    """What a scan needs of the evaluation items, as arrays that can be memory-mapped.

    Words: `word_bytes` uint8 and `word_bounds` int64 hold the normalised words;
    `word_slots` int32 and `word_hash` uint64 are a hash table over them. Tokens:
    `token_word`, `token_text`, `token_item` int32. N-grams: `gram_hash` uint64;
    `gram_token` int64, where one stands; `gram_slots` int32; `pair_bits` uint64, of the
    pairs of words in them; `post_bounds` int64, `post_token` int32, `post_idf` float32:
    where else they stand; common ones stand nowhere, and count in `all` alone. `token_gram`
    int32 is the n-gram that begins at a token, or −1; `token_number` uint8 tells a number.
    Whole texts: `whole_hash` uint64 of their first words,
    `whole_slots` int32, `whole_bits` uint64; `start_bits` uint64 of the first two words, and
    `single_bits` of texts of one word, empty where there are none; `whole_bounds` int64 and
    `whole_text` int32. `text_bounds` int64 are tokens, `item_bounds` int64 texts.
    """

    word_bytes: npt.NDArray[np.uint8]
    word_bounds: npt.NDArray[np.int64]
    word_hash: npt.NDArray[np.uint64]
    word_slots: npt.NDArray[np.int32]
    token_word: npt.NDArray[np.int32]
    token_text: npt.NDArray[np.int32]
    token_item: npt.NDArray[np.int32]
    token_gram: npt.NDArray[np.int32]
    token_number: npt.NDArray[np.uint8]
    gram_hash: npt.NDArray[np.uint64]
    gram_token: npt.NDArray[np.int64]
    gram_slots: npt.NDArray[np.int32]
    pair_bits: npt.NDArray[np.uint64]
    post_bounds: npt.NDArray[np.int64]
    post_token: npt.NDArray[np.int32]
    post_idf: npt.NDArray[np.float32]
    whole_hash: npt.NDArray[np.uint64]
    whole_slots: npt.NDArray[np.int32]
    whole_bits: npt.NDArray[np.uint64]
    start_bits: npt.NDArray[np.uint64]
    single_bits: npt.NDArray[np.uint64]
    whole_bounds: npt.NDArray[np.int64]
    whole_text: npt.NDArray[np.int32]
    text_bounds: npt.NDArray[np.int64]
    item_bounds: npt.NDArray[np.int64]


class Work(NamedTuple):
    """What a scan writes on while it runs: stamps by row or position, sums by item. One a thread."""

    gram_seen: npt.NDArray[np.int64]
    word_seen: npt.NDArray[np.int64]
    token_at: npt.NDArray[np.int64]
    token_run: npt.NDArray[np.int32]
    text_seen: npt.NDArray[np.int64]
    item_seen: npt.NDArray[np.int64]
    grams: npt.NDArray[np.int32]
    idf: npt.NDArray[np.float64]
    longest: npt.NDArray[np.int32]
    whole: npt.NDArray[np.int32]
    span: npt.NDArray[np.int64]
    touched: npt.NDArray[np.int64]
    matched: npt.NDArray[np.int32]
    clock: npt.NDArray[np.int64]

    @classmethod
    def for_index(cls, index: Index) -> Work:
        """Room for scans with an index."""
        tokens, texts, items = len(index.token_word), len(index.text_bounds) - 1, len(index.item_bounds) - 1
        return cls(
            gram_seen=np.zeros(len(index.gram_hash), np.int64),
            word_seen=np.zeros(len(index.word_hash), np.int64),
            token_at=np.full(tokens, -2, np.int64),
            token_run=np.zeros(tokens, np.int32),
            text_seen=np.zeros(texts, np.int64),
            item_seen=np.zeros(items, np.int64),
            grams=np.zeros(items, np.int32),
            idf=np.zeros(items, np.float64),
            longest=np.zeros(items, np.int32),
            whole=np.zeros(items, np.int32),
            span=np.zeros((items, 4), np.int64),
            touched=np.zeros(items, np.int64),
            matched=np.zeros(len(index.gram_hash), np.int32),
            clock=np.zeros(3, np.int64),
        )


PAIR_COLUMNS: Final = (
    "row",
    "item",
    "covered",
    "grams",
    "longest",
    "whole",
    "text",
    "start",
    "end",
    "item_token",
    "covered_all",
    "numbers",
    "numbers_missing",
)
"""The columns of a scan's pairs, all int64; `idf` is beside them."""


@inlined
def _mixed(value):
    value = (value ^ (value >> uint64(32))) * _MIX
    return value ^ (value >> uint64(29))


@inlined
def _polynomial(seed, hashes, first, last):
    rolled = uint64(seed)
    for place in range(first, last):
        rolled = rolled * _BASE + hashes[place]
    return _mixed(rolled)


@inlined
def _has_bit(bits, value):
    place = value & uint64(len(bits) * 64 - 1)
    return (bits[np.int64(place >> uint64(6))] >> (place & uint64(63))) & uint64(1) != 0


@kernel
def fill_bits(hashes, bits):
    """Set the bit of each hash; the bits are a power of two in number."""
    for hash in hashes:
        place = hash & uint64(len(bits) * 64 - 1)
        bits[np.int64(place >> uint64(6))] |= uint64(1) << (place & uint64(63))


@kernel
def fill_slots(hashes, slots):
    """Put the index of each hash into an open-addressing table of −1; its size is a power of two."""
    mask = uint64(len(slots) - 1)
    for index in range(len(hashes)):
        slot = hashes[index] & mask
        while slots[np.int64(slot)] >= 0:
            slot = (slot + uint64(1)) & mask
        slots[np.int64(slot)] = index


def bits_for(hashes: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """A bit set that has the bit of each of some distinct hashes."""
    bits = np.zeros(_power_of_two(len(hashes) * _BITS_PER_ENTRY) // 64, np.uint64)
    fill_bits(hashes, bits)
    return bits


def slots_for(hashes: npt.NDArray[np.uint64]) -> npt.NDArray[np.int32]:
    """A hash table over distinct hashes, at most half full."""
    slots = np.full(_power_of_two(2 * len(hashes)), -1, np.int32)
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
            out[count] = _polynomial(0, hashes, token, token + n)
            tokens[count] = token
            count += 1
    return count


@kernel
def pair_hashes(hashes, gram_tokens, n, out):
    """The hash of each pair of words in the n-grams at `gram_tokens`, which are sorted; returns their number."""
    count = 0
    until = 0
    for token in gram_tokens:
        for index in range(max(token, until), token + n - 1):
            out[count] = hashes[index] * _BASE + hashes[index + 1]
            count += 1
        until = token + n - 1
    return count


@kernel
def first_unequal_gram(order, tokens, hashes, token_word, n):
    """The first place in `order` whose n-gram has the hash of the one before it and other words; −1 where none is."""
    for place in range(1, len(order)):
        one, other = order[place - 1], order[place]
        if hashes[one] == hashes[other]:
            for index in range(n):
                if token_word[tokens[one] + index] != token_word[tokens[other] + index]:
                    return place
    return -1


@kernel
def first_unequal_word(
    owned, starts, ends, bounds, offsets, owned_table, token_word, word_bytes, word_bounds, codes, out
):
    """The first token whose normalised bytes are not those of its word; −1 where none is."""
    data, table = borrowed(owned), borrowed_tables(owned_table)
    for text in range(len(offsets) - 1):
        for token in range(offsets[text], offsets[text + 1]):
            size = fold_word(data, starts[token], ends[token], bounds[text], bounds[text + 1], table, codes, out)
            word = token_word[token]
            if not _same_bytes(out, size, word_bytes, word_bounds[word], word_bounds[word + 1]):
                return token
    return -1


@kernel
def cover(gram_tokens, n, covered):
    """Mark the tokens that lie in some n-gram; `gram_tokens` is sorted."""
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
    """Where each token stands in its text, in characters."""
    for text in range(len(offsets) - 1):
        at, count = bounds[text], 0
        for token in range(offsets[text], offsets[text + 1]):
            count += _characters(data, at, starts[token])
            spans[token, 0] = count
            count += _characters(data, starts[token], ends[token])
            spans[token, 1] = count
            at = ends[token]


@kernel
def prefix_hashes(hashes, text_bounds, texts, out):
    """The mixed hash of the first words of each of `texts`, with their number."""
    for place in range(len(texts)):
        first = text_bounds[texts[place]]
        length = min(text_bounds[texts[place] + 1] - first, PREFIX)
        out[place] = _polynomial(length, hashes, first, first + length)


@inlined
def _same_bytes(out, size, data, start, end):
    if end - start != size:
        return False
    for index in range(size):
        if out[index] != data[start + index]:
            return False
    return True


@inlined
def _touch(item, row, work, touched):
    if work.item_seen[item] != row:
        work.item_seen[item] = row
        work.grams[item] = 0
        work.idf[item] = 0.0
        work.longest[item] = 0
        work.whole[item] = 0
        work.touched[touched] = item
        return touched + 1
    return touched


class Message(NamedTuple):
    """One text of a row, split into words; `number` counts the row's texts, `clock` all words before it.

    `found` int32 holds the item's word for each of its words, as far as that was asked.
    """

    data: npt.NDArray[np.uint8]
    start: int
    end: int
    table: Tables
    hashes: npt.NDArray[np.uint64]
    starts: npt.NDArray[np.int64]
    ends: npt.NDArray[np.int64]
    found: npt.NDArray[np.int32]
    count: int
    number: int
    clock: int
    codes: npt.NDArray[np.int32]
    out: npt.NDArray[np.uint8]


@inlined
def _word_at(place, message, index):
    """The index's word that stands at a place of a message, by its bytes; `_NO_WORD` where it has none such."""
    known = message.found[place]
    if known != _UNRESOLVED:
        return known
    hash = message.hashes[place]
    size = fold_word(
        message.data,
        message.starts[place],
        message.ends[place],
        message.start,
        message.end,
        message.table,
        message.codes,
        message.out,
    )
    mask = uint64(len(index.word_slots) - 1)
    slot = hash & mask
    word = np.int32(_NO_WORD)
    while index.word_slots[np.int64(slot)] >= 0:
        candidate = index.word_slots[np.int64(slot)]
        first, last = index.word_bounds[candidate], index.word_bounds[candidate + 1]
        if index.word_hash[candidate] == hash and _same_bytes(message.out, size, index.word_bytes, first, last):
            word = candidate
            break
        slot = (slot + uint64(1)) & mask
    message.found[place] = word
    return word


@inlined
def _is_run(token, words, first, message, index):
    """Whether the words of a message from `first` on are an item's tokens from `token` on."""
    for offset in range(words):
        if _word_at(first + offset, message, index) != index.token_word[token + offset]:
            return False
    return True


@inlined
def _find_gram(n, first, message, index):
    """The n-gram that begins at word `first` of a message; −1 where it is none of an item."""
    mixed = _polynomial(0, message.hashes, first, first + n)
    mask = uint64(len(index.gram_slots) - 1)
    slot = mixed & mask
    while index.gram_slots[np.int64(slot)] >= 0:
        gram = index.gram_slots[np.int64(slot)]
        if index.gram_hash[gram] == mixed and _is_run(index.gram_token[gram], n, first, message, index):
            return gram
        slot = (slot + uint64(1)) & mask
    return np.int32(-1)


@inlined
def _count_whole(mixed, first, message, index, row, work, touched):
    """Count the short items of which a text stands at word `first`, whose first words have the hash `mixed`."""
    mask = uint64(len(index.whole_slots) - 1)
    slot = mixed & mask
    while index.whole_slots[np.int64(slot)] >= 0:
        entry = index.whole_slots[np.int64(slot)]
        slot = (slot + uint64(1)) & mask
        if index.whole_hash[entry] != mixed:
            continue
        for place in range(index.whole_bounds[entry], index.whole_bounds[entry + 1]):
            text = index.whole_text[place]
            token, words = index.text_bounds[text], index.text_bounds[text + 1] - index.text_bounds[text]
            if (
                work.text_seen[text] != row
                and words <= message.count - first
                and _is_run(token, words, first, message, index)
            ):
                work.text_seen[text] = row
                item = index.token_item[token]
                touched = _touch(item, row, work, touched)
                work.whole[item] += 1
                _note_run(item, token, words, first, message, work)
        break
    return touched


@inlined
def _count_gram(gram, n, first, message, index, row, work, touched):
    """Count an n-gram that begins at word `first` for all items that have it."""
    is_new = work.gram_seen[gram] != row
    work.gram_seen[gram] = row
    if is_new and index.post_bounds[gram + 1] > index.post_bounds[gram]:
        work.matched[work.clock[2]] = gram
        work.clock[2] += 1
    now = message.clock + first
    before = -1
    # Backwards, so that a run is not cut by its own next token where an item repeats a word.
    for place in range(index.post_bounds[gram + 1] - 1, index.post_bounds[gram] - 1, -1):
        token = index.post_token[place]
        item = index.token_item[token]
        touched = _touch(item, row, work, touched)
        if is_new and item != before:
            work.grams[item] += 1
            work.idf[item] += index.post_idf[place]
        before = item
        run = 1
        if token > 0 and index.token_text[token - 1] == index.token_text[token] and work.token_at[token - 1] == now - 1:
            run = work.token_run[token - 1] + 1
        work.token_at[token] = now
        work.token_run[token] = run
        _note_run(item, token - run + 1, run + n - 1, first - run + 1, message, work)
    return touched


@inlined
def _note_run(item, token, words, first, message, work):
    """Keep the longest run of words that a row shares with an item, the first of equals."""
    if words > work.longest[item]:
        work.longest[item] = words
        work.span[item, 0] = message.number
        work.span[item, 1] = message.starts[first] - message.start
        work.span[item, 2] = message.ends[first + words - 1] - message.start
        work.span[item, 3] = token


@inlined
def _borrowed_index(index):
    return Index(
        borrowed(index.word_bytes),
        borrowed(index.word_bounds),
        borrowed(index.word_hash),
        borrowed(index.word_slots),
        borrowed(index.token_word),
        borrowed(index.token_text),
        borrowed(index.token_item),
        borrowed(index.token_gram),
        borrowed(index.token_number),
        borrowed(index.gram_hash),
        borrowed(index.gram_token),
        borrowed(index.gram_slots),
        borrowed(index.pair_bits),
        borrowed(index.post_bounds),
        borrowed(index.post_token),
        borrowed(index.post_idf),
        borrowed(index.whole_hash),
        borrowed(index.whole_slots),
        borrowed(index.whole_bits),
        borrowed(index.start_bits),
        borrowed(index.single_bits),
        borrowed(index.whole_bounds),
        borrowed(index.whole_text),
        borrowed(index.text_bounds),
        borrowed(index.item_bounds),
    )


@inlined
def _borrowed_work(work):
    return Work(
        borrowed(work.gram_seen),
        borrowed(work.word_seen),
        borrowed(work.token_at),
        borrowed(work.token_run),
        borrowed(work.text_seen),
        borrowed(work.item_seen),
        borrowed(work.grams),
        borrowed(work.idf),
        borrowed(work.longest),
        borrowed(work.whole),
        borrowed(work.span),
        borrowed(work.touched),
        borrowed(work.matched),
        borrowed(work.clock),
    )


@kernel
def scan(owned, bounds, rows, owned_table, mode, n, owned_index, owned_work, owned_words, codes, out):
    """Every pair of a row and an item that share something.

    `rows[i]` to `rows[i + 1]` are the texts of row i, whose bytes `bounds` gives. Returns
    `pairs`, int64 with the columns of `PAIR_COLUMNS`, by row and item; their idf sums,
    float64; the distinct n-grams that each row has, int32, and where each row's begin.
    `text` counts the row's texts; `start` and `end` are characters of it: the longest run
    of words that row and item share, which begins at the item's token `item_token`.
    """
    data, table = borrowed(owned), borrowed_tables(owned_table)
    index, work = _borrowed_index(owned_index), _borrowed_work(owned_work)
    hashes, starts, ends = borrowed(owned_words[0]), borrowed(owned_words[1]), borrowed(owned_words[2])
    found = borrowed(owned_words[3])
    pairs = np.empty((1024, len(PAIR_COLUMNS)), np.int64)
    sums = np.empty(1024, np.float64)
    grams = np.empty(1024, np.int32)
    gram_bounds = np.zeros(len(rows), np.int64)
    used = 0
    listed = 0
    pair_bits, whole_bits = index.pair_bits, index.whole_bits
    start_bits, single_bits = index.start_bits, index.single_bits
    has_grams = len(index.gram_hash) > 0
    has_whole = len(index.whole_hash) > 0
    has_single = len(single_bits) > 0
    row_stamp, clock = work.clock[0], work.clock[1]
    for row in range(len(rows) - 1):
        row_stamp += 1
        touched = 0
        work.clock[2] = 0
        for text in range(rows[row], rows[row + 1]):
            start, end = bounds[text], bounds[text + 1]
            count = split(data, start, end, table, mode, hashes, starts, ends, 0, codes)
            found[:count] = _UNRESOLVED
            message = Message(
                data, start, end, table, hashes, starts, ends, found, count, text - rows[row], clock, codes, out
            )
            known = 0
            before = uint64(0)
            for last in range(count):
                hash = hashes[last]
                pair = before * _BASE + hash
                before = hash
                if has_grams:
                    known = known + 1 if last > 0 and _has_bit(pair_bits, pair) else 1
                    if known >= n:
                        first = last - n + 1
                        gram = _find_gram(n, first, message, index)
                        if gram >= 0:
                            touched = _count_gram(gram, n, first, message, index, row_stamp, work, touched)
                if has_whole and last > 0 and _has_bit(start_bits, pair):
                    for length in range(2, min(count - last + 1, PREFIX) + 1):
                        mixed = _polynomial(length, hashes, last - 1, last - 1 + length)
                        if _has_bit(whole_bits, mixed):
                            touched = _count_whole(mixed, last - 1, message, index, row_stamp, work, touched)
                if has_single and _has_bit(single_bits, hash):
                    mixed = _polynomial(1, hashes, last, last + 1)
                    touched = _count_whole(mixed, last, message, index, row_stamp, work, touched)
            clock += count + 1
        fresh_grams = work.clock[2]
        if listed + fresh_grams > len(grams):
            more_grams = np.empty(2 * (listed + fresh_grams), np.int32)
            more_grams[:listed] = grams[:listed]
            grams = more_grams
        for place in range(fresh_grams):
            grams[listed + place] = work.matched[place]
        listed += fresh_grams
        gram_bounds[row + 1] = listed
        if touched > 0:
            for text in range(rows[row], rows[row + 1]):
                start, end = bounds[text], bounds[text + 1]
                count = split(data, start, end, table, mode, hashes, starts, ends, 0, codes)
                message = Message(data, start, end, table, hashes, starts, ends, found, count, 0, 0, codes, out)
                for place in range(count):
                    if 48 <= data[starts[place]] <= 57:
                        found[place] = _UNRESOLVED
                        word = _word_at(place, message, index)
                        if word >= 0:
                            work.word_seen[word] = row_stamp
        work.touched[:touched].sort()
        for place in range(touched):
            item = work.touched[place]
            if used == len(pairs):
                more = np.empty((2 * used, len(PAIR_COLUMNS)), np.int64)
                more[:used] = pairs
                pairs = more
                more_sums = np.empty(2 * used, np.float64)
                more_sums[:used] = sums
                sums = more_sums
            pairs[used, 0] = row
            pairs[used, 1] = item
            covered, covered_all, numbers, missing = _coverage(item, n, row_stamp, index, work)
            pairs[used, 2] = covered
            pairs[used, 3] = work.grams[item]
            pairs[used, 4] = work.longest[item]
            pairs[used, 5] = work.whole[item]
            begin = bounds[rows[row] + work.span[item, 0]]
            pairs[used, 6] = work.span[item, 0]
            pairs[used, 7] = _characters(data, begin, begin + work.span[item, 1])
            pairs[used, 8] = _characters(data, begin, begin + work.span[item, 2])
            pairs[used, 9] = work.span[item, 3]
            pairs[used, 10] = covered_all
            pairs[used, 11] = numbers
            pairs[used, 12] = missing
            sums[used] = work.idf[item]
            used += 1
    work.clock[0], work.clock[1] = row_stamp, clock
    return pairs[:used], sums[:used], grams[:listed], gram_bounds


@inlined
def _coverage(item, n, row, index, work):
    """Of an item's tokens: those in n-grams that the row has, the same with common n-grams, and numbers.

    Numbers are counted between the first and the last token that is covered: all of them,
    and those that the row has nowhere.
    """
    covered = covered_all = numbers = missing = 0
    pending = pending_missing = 0
    until = until_all = np.int64(0)
    for token in range(index.text_bounds[index.item_bounds[item]], index.text_bounds[index.item_bounds[item + 1]]):
        gram = index.token_gram[token]
        if gram >= 0 and work.gram_seen[gram] == row:
            until_all = token + n
            if index.post_bounds[gram + 1] > index.post_bounds[gram]:
                until = token + n
        if token < until:
            covered += 1
        if index.token_number[token]:
            pending += 1
            pending_missing += work.word_seen[index.token_word[token]] != row
        if token < until_all:
            covered_all += 1
            numbers += pending
            missing += pending_missing
            pending = pending_missing = 0
        elif covered_all == 0:
            pending = pending_missing = 0
    return covered, covered_all, numbers, missing
