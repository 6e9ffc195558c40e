"""The surroundings of an item in a row: whether a short text stands alone, whether its answer or choices follow."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

from tulu_data.evaluations import standing
from tulu_data.evaluations.ngram_index import NgramIndex, Replies
from tulu_data.kernels.words import Words, buffers, words
from tulu_data.rows.rows import Rows, Texts

Hashes = npt.NDArray[np.uint64]
LEAST_CHOICES: Final = 2


def alone(wholes: pl.DataFrame, index: NgramIndex, texts: Texts) -> pl.DataFrame:
    """How many texts of each short item stand alone in a row: `row`, `item`, `alone`.

    `wholes` are those that a scan of `texts` found.
    """
    found: set[tuple[int, int]] = set()
    for (row, text), lines in wholes.group_by("row", "text", maintain_order=True):
        content = texts.strings[int(texts.offsets[row]) + text].as_py()
        characters = _Characters(content)
        for item_text, start, end in lines.select("item_text", "start", "end").iter_rows():
            place = characters.before(start), characters.before(end)
            if (row, item_text) not in found and standing.stands(
                content, *place, needs_line=bool(index.needs_line[item_text])
            ):
                found.add((row, item_text))
    counted = pl.DataFrame(
        [(row, index.text_item(text)) for row, text in found], {"row": pl.Int64, "item": pl.Int64}, orient="row"
    )
    return counted.group_by("row", "item").agg(pl.len().alias("alone"))


class _Characters:
    """How many characters of a text are before one of its bytes."""

    def __init__(self, text: str) -> None:
        encoded = np.frombuffer(text.encode(), np.uint8)
        self._firsts = None if text.isascii() else np.flatnonzero(encoded & 0xC0 != 0x80)

    def before(self, byte: int) -> int:
        return byte if self._firsts is None else int(np.searchsorted(self._firsts, byte))


def replaces(pair: Mapping[str, Any], index: NgramIndex, texts: Texts, text: int) -> bool:
    """Whether the sentence around the longest run of a pair, in `text`, may be the item with words replaced."""
    token, words = pair["item_token"], pair["longest"]
    own = int(index.index.token_text[token])
    first, last = index.index.text_bounds[own : own + 2]
    return standing.replaces(
        texts.strings[text].as_py(),
        pair["start"],
        pair["end"],
        token - int(first),
        int(last) - token - words,
        is_question=bool(index.asks[own]),
    )


class Place(NamedTuple):
    """The place of an item in a row: text and byte after which its answer is searched for, and in how many words."""

    row: int
    item: int
    text: int
    end: int
    words: int


class Followed(NamedTuple):
    """Whether an answer follows an item (`by_answer`), and one that identifies it or all its choices (`by_own`)."""

    by_answer: bool
    by_own: bool


def followed(places: Sequence[Place], index: NgramIndex, rows: Rows, texts: Texts) -> dict[tuple[int, int], Followed]:
    """The answers and choices that follow each item in each row, in the same text or the messages after it.

    Each conversation is split into words once, however many items it contains.
    """
    found: dict[tuple[int, int], Followed] = {}
    sought = [place for place in places if any(one.of(place.item) for one in index.replies.values())]
    if not sought:
        return found
    conversations = _Conversations(sought, index, rows, texts)
    for place in sought:
        before = found.get((place.row, place.item), Followed(by_answer=False, by_own=False))
        if not (before.by_answer and before.by_own):
            after = _after(place, conversations, index.replies)
            found[place.row, place.item] = Followed(*(one or other for one, other in zip(before, after, strict=True)))
    return found


def _after(place: Place, conversations: _Conversations, replies: Mapping[str, Replies]) -> Followed:
    answers, choices = (replies[part].of(place.item) for part in ("answer", "choices"))
    together = sum(len(hashes) for hashes, _ in choices)
    longest = max((len(hashes) for hashes, _ in answers), default=0)
    following = conversations.after(place, place.words + max(longest, together))
    held = [tells for hashes, tells in answers if _holds(following[: place.words + len(hashes)], hashes)]
    near = following[: place.words + together]
    has_choices = (
        len(choices) >= LEAST_CHOICES
        and any(tells for _, tells in choices)
        and all(_holds(near, hashes) for hashes, _ in choices)
    )
    return Followed(by_answer=bool(held), by_own=any(held) or has_choices)


class _Conversations:
    """The words of the rows that contain items."""

    def __init__(self, places: Sequence[Place], index: NgramIndex, rows: Rows, texts: Texts) -> None:
        self._numbers = texts.numbers
        contents: list[str] = []
        self._messages: dict[int, range] = {}
        self._texts: dict[int, int] = {}
        for place in places:
            if place.row not in self._messages:
                own = rows.whole_messages(place.row)
                self._messages[place.row] = range(len(contents), len(contents) + len(own))
                contents += own
            if place.text not in self._texts:
                self._texts[place.text] = len(contents)
                # Together with the parts of its message after it, such as calls.
                message = contents[self._messages[place.row][int(texts.numbers[place.text])]]
                contents.append(message[int(texts.begins[place.text]) :])
        strings = pa.array(contents, pa.string())
        self._words: Words = words(strings, index.setting.normaliser)
        self._bounds = buffers(strings)[1]

    def after(self, place: Place, most: int) -> Hashes:
        """The hashes of the first `most` words after an item."""
        pieces = []
        for first, last in self._ranges(place):
            pieces.append(self._words.hashes[first : min(last, first + most)])
            most -= len(pieces[-1])
            if most <= 0:
                break
        return np.concatenate(pieces)

    def _ranges(self, place: Place) -> Iterator[tuple[int, int]]:
        offsets, starts = self._words.offsets, self._words.starts
        text = self._texts[place.text]
        first, last = int(offsets[text]), int(offsets[text + 1])
        yield first + int(np.searchsorted(starts[first:last], self._bounds[text] + place.end)), last
        for message in self._messages[place.row][int(self._numbers[place.text]) + 1 :]:
            yield int(offsets[message]), int(offsets[message + 1])


def _holds(texts: npt.NDArray[Any], wanted: npt.NDArray[Any]) -> bool:
    """Whether an array contains another array of the same type as a run.

    >>> _holds(np.array([1, 2, 3]), np.array([2, 3]))
    True
    """
    among, sought = texts.tobytes(), wanted.tobytes()
    at = among.find(sought)
    while at % texts.itemsize and at >= 0:
        at = among.find(sought, at + 1)
    return at >= 0
