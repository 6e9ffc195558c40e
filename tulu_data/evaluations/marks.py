"""The words that a row and an item share, to be marked for a person."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import pyarrow as pa

from tulu_data.kernels.unicode import Normaliser
from tulu_data.kernels.words import buffers, words
from tulu_data.stage import Marks, Spans


def shared(messages: Sequence[str], item: Sequence[str], n: int, normaliser: Normaliser) -> Marks:
    """The words in n-grams that both have; a text of the item that is shorter than n words counts as a whole.

    >>> shared(["So: one two three four!"], ["One two three. Five"], 3, "words")
    Marks(messages=(((4, 17),),), matched=(((0, 13),),))
    """
    of_row, of_item = (_tokens(texts, normaliser) for texts in (messages, item))
    wanted = {tuple(gram) for text in of_item for gram in _grams(text, min(n, len(text)))}
    sizes = {len(gram) for gram in wanted}
    have = {gram for text in of_row for size in sizes for gram in _grams(text, size)} & wanted
    return Marks(*(tuple(_runs(text, sizes, have) for text in texts) for texts in (of_row, of_item)))


class _Token(NamedTuple):
    """A word of a text: its hash, its first character, and its end."""

    hash: int
    start: int
    end: int


def _tokens(texts: Sequence[str], normaliser: Normaliser) -> list[list[_Token]]:
    strings = pa.array(texts, pa.string())
    found, (_, bounds) = words(strings, normaliser), buffers(strings)
    listed = []
    for number, text in enumerate(texts):
        encoded, own = text.encode(), slice(found.offsets[number], found.offsets[number + 1])
        at = characters = 0
        tokens = []
        for hash, *ends in zip(found.hashes[own].tolist(), found.starts[own], found.ends[own], strict=True):
            places = []
            for byte in (int(end - bounds[number]) for end in ends):
                characters += len(encoded[at:byte].decode())
                at = byte
                places.append(characters)
            tokens.append(_Token(hash, *places))
        listed.append(tokens)
    return listed


def _grams(text: Sequence[_Token], size: int) -> list[tuple[int, ...]]:
    hashes = [token.hash for token in text]
    return [tuple(hashes[place : place + size]) for place in range(len(hashes) - size + 1)] if size else []


def _runs(text: Sequence[_Token], sizes: set[int], have: set[tuple[int, ...]]) -> Spans:
    """The runs of words in n-grams that both have."""
    covered = [False] * len(text)
    for size in sizes:
        for place, gram in enumerate(_grams(text, size)):
            if gram in have:
                covered[place : place + size] = [True] * size
    runs: list[tuple[int, int]] = []
    for place, token in enumerate(text):
        if covered[place] and place and covered[place - 1]:
            runs[-1] = (runs[-1][0], token.end)
        elif covered[place]:
            runs.append((token.start, token.end))
    return tuple(runs)
