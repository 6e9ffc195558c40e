"""N-grams of evaluation items, found at every position of every text: no cap, no sampling, no filter that misses.

An n-gram is looked up by a rolling hash of its words' hashes, after two bit sets that spare
most look-ups; a hit counts only when its words are the item's, byte for byte.

Statistics of a pair (row, item) come from one pass over the row. N-grams never cross two
texts, neither of the row nor of the item; they unite over all texts of both.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
from numba import uint64

from tulu_data.kernels.compiled import borrowed, inlined, kernel
from tulu_data.kernels.words import borrowed_tables, fold_word, split

_BASE: Final = np.uint64(0x9FB21C651E98DF25)
_MIX: Final = np.uint64(0xD6E8FEB86659FD93)
_BITS_PER_ENTRY: Final = 16
PREFIX: Final = 3
"""A whole text is looked up by its first words, at most so many."""


class Index(NamedTuple):
    """What a scan needs of the evaluation items, as arrays that can be memory-mapped.

    Words: `word_bytes` uint8 and `word_bounds` int64 hold the normalised words;
    `word_slots` int32 and `word_hash` uint64 are a hash table over them; `word_bits` uint64
    tells that a word may be among them. Tokens: `token_word`, `token_text`, `token_item`
    int32. N-grams: `gram_hash` uint64; `gram_token` int64, where one stands; `gram_slots`
    int32; `gram_bits` uint64; `post_bounds` int64, `post_token` int32, `post_idf` float32:
    where else. Whole texts: `whole_hash` uint64 of their first words, `whole_slots` int32,
    `whole_bits` uint64, `whole_bounds` int64 and `whole_text` int32. `text_bounds` int64
    are tokens, `item_bounds` int64 texts.
    """

    word_bytes: npt.NDArray[np.uint8]
    word_bounds: npt.NDArray[np.int64]
    word_hash: npt.NDArray[np.uint64]
    word_slots: npt.NDArray[np.int32]
    word_bits: npt.NDArray[np.uint64]
    token_word: npt.NDArray[np.int32]
    token_text: npt.NDArray[np.int32]
    token_item: npt.NDArray[np.int32]
    gram_hash: npt.NDArray[np.uint64]
    gram_token: npt.NDArray[np.int64]
    gram_slots: npt.NDArray[np.int32]
    gram_bits: npt.NDArray[np.uint64]
    post_bounds: npt.NDArray[np.int64]
    post_token: npt.NDArray[np.int32]
    post_idf: npt.NDArray[np.float32]
    whole_hash: npt.NDArray[np.uint64]
    whole_slots: npt.NDArray[np.int32]
    whole_bits: npt.NDArray[np.uint64]
    whole_bounds: npt.NDArray[np.int64]
    whole_text: npt.NDArray[np.int32]
    text_bounds: npt.NDArray[np.int64]
    item_bounds: npt.NDArray[np.int64]


class Work(NamedTuple):
    """What a scan writes on while it runs: stamps by row or position, sums by item. One a thread."""

    gram_seen: npt.NDArray[np.int64]
    token_seen: npt.NDArray[np.int64]
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
            token_seen=np.zeros(tokens, np.int64),
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


PAIR_COLUMNS: Final = ("row", "item", "covered", "grams", "longest", "whole", "text", "start", "end", "item_token")
"""The columns of a scan's pairs, all int64; `idf` is beside them."""


@inlined
def _mixed(value):
    value = (value ^ (value >> uint64(32))) * _MIX
    return value ^ (value >> uint64(29))


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
    """A bit set that has the bit of each hash."""
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
            rolled = uint64(0)
            for index in range(token, token + n):
                rolled = rolled * _BASE + hashes[index]
            out[count] = _mixed(rolled)
            tokens[count] = token
            count += 1
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


@kernel
def prefix_hashes(hashes, text_bounds, texts, out):
    """The mixed hash of the first words of each of `texts`, with their number."""
    for place in range(len(texts)):
        first = text_bounds[texts[place]]
        length = min(text_bounds[texts[place] + 1] - first, PREFIX)
        rolled = uint64(length)
        for index in range(first, first + length):
            rolled = rolled * _BASE + hashes[index]
        out[place] = _mixed(rolled)


@inlined
def _same_bytes(out, size, data, start, end):
    if end - start != size:
        return False
    for index in range(size):
        if out[index] != data[start + index]:
            return False
    return True


@inlined
def _power(n):
    power = uint64(1)
    for _ in range(n - 1):
        power *= _BASE
    return power


@kernel
def _resolve(at, data, first, last, start, end, hash, table, index, codes, out):
    """The word of the index that a token is, by its bytes; −2 where it is none. `at` holds what was found before."""
    if at >= -1:
        return at
    mask = uint64(len(index.word_slots) - 1)
    slot = hash & mask
    size = fold_word(data, first, last, start, end, table, codes, out)
    while True:
        word = index.word_slots[np.int64(slot)]
        if word < 0:
            return np.int32(-1)
        if index.word_hash[word] == hash and _same_bytes(
            out, size, index.word_bytes, index.word_bounds[word], index.word_bounds[word + 1]
        ):
            return word
        slot = (slot + uint64(1)) & mask


@kernel
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


@inlined
def _borrowed_index(index):
    return Index(
        borrowed(index.word_bytes),
        borrowed(index.word_bounds),
        borrowed(index.word_hash),
        borrowed(index.word_slots),
        borrowed(index.word_bits),
        borrowed(index.token_word),
        borrowed(index.token_text),
        borrowed(index.token_item),
        borrowed(index.gram_hash),
        borrowed(index.gram_token),
        borrowed(index.gram_slots),
        borrowed(index.gram_bits),
        borrowed(index.post_bounds),
        borrowed(index.post_token),
        borrowed(index.post_idf),
        borrowed(index.whole_hash),
        borrowed(index.whole_slots),
        borrowed(index.whole_bits),
        borrowed(index.whole_bounds),
        borrowed(index.whole_text),
        borrowed(index.text_bounds),
        borrowed(index.item_bounds),
    )


@inlined
def _borrowed_work(work):
    return Work(
        borrowed(work.gram_seen),
        borrowed(work.token_seen),
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
    `text` counts the row's texts; `start` and `end` are bytes of it: the longest run of
    words that row and item share, which begins at the item's token `item_token`.
    """
    data, table = borrowed(owned), borrowed_tables(owned_table)
    index, work = _borrowed_index(owned_index), _borrowed_work(owned_work)
    hashes, starts, ends = borrowed(owned_words[0]), borrowed(owned_words[1]), borrowed(owned_words[2])
    found = borrowed(owned_words[3])
    pairs = np.empty((1024, 10), np.int64)
    sums = np.empty(1024, np.float64)
    grams = np.empty(1024, np.int32)
    gram_bounds = np.zeros(len(rows), np.int64)
    used = 0
    listed = 0
    power = _power(n)
    has_grams = len(index.gram_hash) > 0
    has_whole = len(index.whole_hash) > 0
    row_stamp, clock = work.clock[0], work.clock[1]
    slot_mask = uint64(len(index.gram_slots) - 1)
    whole_mask = uint64(len(index.whole_slots) - 1)
    for row in range(len(rows) - 1):
        row_stamp += 1
        touched = 0
        work.clock[2] = 0
        for text in range(rows[row], rows[row + 1]):
            start, end = bounds[text], bounds[text + 1]
            count = split(data, start, end, table, mode, hashes, starts, ends, 0, codes, out)
            known = 0
            fresh = True
            resolved = False
            rolled = uint64(0)
            for last in range(count):
                if not _has_bit(index.word_bits, hashes[last]):
                    known = 0
                    fresh = True
                    continue
                known += 1
                if has_grams and known >= n:
                    if fresh:
                        rolled = uint64(0)
                        for place in range(last - n + 1, last + 1):
                            rolled = rolled * _BASE + hashes[place]
                        fresh = False
                    else:
                        rolled = (rolled - hashes[last - n] * power) * _BASE + hashes[last]
                    mixed = _mixed(rolled)
                    if _has_bit(index.gram_bits, mixed):
                        slot = mixed & slot_mask
                        while index.gram_slots[np.int64(slot)] >= 0:
                            gram = index.gram_slots[np.int64(slot)]
                            slot = (slot + uint64(1)) & slot_mask
                            if index.gram_hash[gram] != mixed:
                                continue
                            if not resolved:
                                found[:count] = -2
                                resolved = True
                            token = index.gram_token[gram]
                            same = True
                            for place in range(n):
                                word = last - n + 1 + place
                                found[word] = _resolve(
                                    found[word],
                                    data,
                                    starts[word],
                                    ends[word],
                                    start,
                                    end,
                                    hashes[word],
                                    table,
                                    index,
                                    codes,
                                    out,
                                )
                                if found[word] != index.token_word[token + place]:
                                    same = False
                                    break
                            if same:
                                touched = _count_gram(
                                    gram,
                                    n,
                                    last,
                                    text - rows[row],
                                    start,
                                    starts,
                                    ends,
                                    clock + last,
                                    row_stamp,
                                    index,
                                    work,
                                    touched,
                                )
                                break
                if has_whole:
                    prefix = uint64(0)
                    for length in range(1, PREFIX + 1):
                        if known < length:
                            break
                        prefix = uint64(length)
                        for place in range(last - length + 1, last + 1):
                            prefix = prefix * _BASE + hashes[place]
                        mixed = _mixed(prefix)
                        if not _has_bit(index.whole_bits, mixed):
                            continue
                        slot = mixed & whole_mask
                        while index.whole_slots[np.int64(slot)] >= 0:
                            entry = index.whole_slots[np.int64(slot)]
                            slot = (slot + uint64(1)) & whole_mask
                            if index.whole_hash[entry] != mixed:
                                continue
                            if not resolved:
                                found[:count] = -2
                                resolved = True
                            first = last - length + 1
                            for place in range(index.whole_bounds[entry], index.whole_bounds[entry + 1]):
                                whole = index.whole_text[place]
                                token, stop = index.text_bounds[whole], index.text_bounds[whole + 1]
                                if stop - token > count - first or work.text_seen[whole] == row_stamp:
                                    continue
                                same = True
                                for offset in range(stop - token):
                                    word = first + offset
                                    found[word] = _resolve(
                                        found[word],
                                        data,
                                        starts[word],
                                        ends[word],
                                        start,
                                        end,
                                        hashes[word],
                                        table,
                                        index,
                                        codes,
                                        out,
                                    )
                                    if found[word] != index.token_word[token + offset]:
                                        same = False
                                        break
                                if same:
                                    work.text_seen[whole] = row_stamp
                                    item = index.token_item[token]
                                    touched = _touch(item, row_stamp, work, touched)
                                    work.whole[item] += 1
                                    size = np.int32(stop - token)
                                    if size > work.longest[item]:
                                        work.longest[item] = size
                                        work.span[item, 0] = text - rows[row]
                                        work.span[item, 1] = starts[first] - start
                                        work.span[item, 2] = ends[first + size - 1] - start
                                        work.span[item, 3] = token
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
        work.touched[:touched].sort()
        for place in range(touched):
            item = work.touched[place]
            if used == len(pairs):
                more = np.empty((2 * used, 10), np.int64)
                more[:used] = pairs
                pairs = more
                more_sums = np.empty(2 * used, np.float64)
                more_sums[:used] = sums
                sums = more_sums
            pairs[used, 0] = row
            pairs[used, 1] = item
            pairs[used, 2] = _covered(item, n, row_stamp, index, work)
            pairs[used, 3] = work.grams[item]
            pairs[used, 4] = work.longest[item]
            pairs[used, 5] = work.whole[item]
            for column in range(4):
                pairs[used, 6 + column] = work.span[item, column]
            sums[used] = work.idf[item]
            used += 1
    work.clock[0], work.clock[1] = row_stamp, clock
    return pairs[:used], sums[:used], grams[:listed], gram_bounds


@kernel
def _count_gram(gram, n, last, text, start, starts, ends, now, row, index, work, touched):
    """Count one n-gram of a row, whose last word stands at `last` and at `now` among all words, for its items."""
    is_new = work.gram_seen[gram] != row
    work.gram_seen[gram] = row
    if is_new:
        work.matched[work.clock[2]] = gram
        work.clock[2] += 1
    before = -1
    # Backwards, so that a run is not cut by its own next token where an item repeats a word.
    for place in range(index.post_bounds[gram + 1] - 1, index.post_bounds[gram] - 1, -1):
        token = index.post_token[place]
        item = index.token_item[token]
        touched = _touch(item, row, work, touched)
        if is_new:
            work.token_seen[token] = row
            if item != before:
                work.grams[item] += 1
                work.idf[item] += index.post_idf[place]
        before = item
        run = 1
        if token > 0 and index.token_text[token - 1] == index.token_text[token] and work.token_at[token - 1] == now - 1:
            run = work.token_run[token - 1] + 1
        work.token_at[token] = now
        work.token_run[token] = run
        size = np.int32(run + n - 1)
        if size > work.longest[item]:
            work.longest[item] = size
            work.span[item, 0] = text
            work.span[item, 1] = starts[last - size + 1] - start
            work.span[item, 2] = ends[last] - start
            work.span[item, 3] = token - run + 1
    return touched


@kernel
def _covered(item, n, row, index, work):
    """How many tokens of an item lie in n-grams that the row has."""
    covered = 0
    until = np.int64(0)
    for token in range(index.text_bounds[index.item_bounds[item]], index.text_bounds[index.item_bounds[item + 1]]):
        if work.token_seen[token] == row:
            until = token + n
        if token < until:
            covered += 1
    return covered
