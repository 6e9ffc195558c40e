"""Compare rows with evaluation items again, in plain Python that shares nothing with the code of a build.

It compares words themselves: no hashes, no pre-filter, and none of the engine's Unicode tables.
It is slow, some thousand rows a second, and short enough to be read.
"""

from __future__ import annotations

import itertools
import math
import string
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Final, NamedTuple

from tulu_data.verifying.plain_places import OPEN, Around, is_alone, letters_of_its_own, may_be_edited, plain_words
from tulu_data.verifying.plain_words import Gram, Operand, Words, operands, spans, words

Operands = list[Operand]


class Text(NamedTuple):
    """An evaluation item as it is compared: its set, its id, the texts of its parts, its answers and choices."""

    evaluation: str
    id: str
    texts: Sequence[str]
    answers: Sequence[str] = ()
    choices: Sequence[str] = ()


@dataclass(eq=False)
class _Item:
    evaluation: str
    id: str
    raw: Sequence[str]
    texts: list[Words]
    operands: list[Operands]
    answers: list[Reply]
    choices: list[Reply]
    kind: str = ""
    grams: set[Gram] = field(default_factory=set)
    """Its n-grams, without the common ones."""
    tokens: int = 0
    """How many of its words are in these n-grams."""
    coverable: int = 0
    """How many of its words are in n-grams, including the common ones."""

    @property
    def size(self) -> int:
        return sum(map(len, self.texts))

    @property
    def plain(self) -> int:
        return sum(map(plain_words, self.raw))


class Reply(NamedTuple):
    """An answer or a choice: its words, and whether they are distinctive enough to identify its item."""

    words: Words
    tells: bool


class Run(NamedTuple):
    """The longest run of words shared by a text and an item's text: both texts, its first word in each, its length."""

    text: int
    place: int
    item_text: int
    at: int
    words: int


@dataclass
class _Row:
    """A conversation: all messages, the words of each, and which of them are compared."""

    contents: list[str]
    compared: list[int]
    normaliser: str

    def __post_init__(self) -> None:
        self.words = [words(content, self.normaliser) for content in self.contents]
        self.texts = [self.words[number] for number in self.compared]
        self.operands = [operands(self.contents[number], self.normaliser) for number in self.compared]
        self._spans: dict[int, list[tuple[int, int]]] = {}

    def content(self, text: int) -> str:
        return self.contents[self.compared[text]]

    def span(self, text: int, first: int, last: int) -> tuple[int, int]:
        """The first character of the word `first` of a text, and the end of the word before `last`."""
        if text not in self._spans:
            self._spans[text] = spans(self.content(text), self.normaliser)
        return self._spans[text][first][0], self._spans[text][last - 1][1]

    def after(self, text: int, place: int) -> Iterator[str]:
        """The words of a text from one of them on, and of the messages that follow."""
        own = self.texts[text]
        yield from (own[at] for at in range(place, len(own)))
        for number in range(self.compared[text] + 1, len(self.words)):
            yield from self.words[number]


class Match(NamedTuple):
    """An evaluation item that a row contains: `value` is the statistic's, 1 if a short item is whole."""

    evaluation: str
    item: str
    value: float
    is_near: bool


class Rescan:
    """The items of a stage's evaluation sets, and its rule, from its `options` in the manifest."""

    def __init__(self, options: Mapping[str, Any], items: Iterable[Text], common: Collection[str] = ()) -> None:
        self.options = {**BEFORE, **options}
        self._common_words = frozenset(common)
        self._texts = [*items]
        self.n = int(options["n"])
        self.items = [
            _Item(
                text.evaluation,
                text.id,
                text.texts,
                [self._split(part) for part in text.texts],
                [operands(part, self.options["normaliser"]) for part in text.texts],
                self._replies(text.answers),
                self._replies(text.choices),
            )
            for text in self._texts
        ]
        self._holders: defaultdict[Gram, list[_Item]] = defaultdict(list)
        for item in self.items:
            for gram in {gram for text in item.texts for gram in self._grams(text)}:
                self._holders[gram].append(item)
        most = options["max_item_df"]
        self._common = {gram for gram, holders in self._holders.items() if most is not None and len(holders) > most}
        for gram, holders in self._holders.items():
            if gram not in self._common:
                for item in holders:
                    item.grams.add(gram)
        self._df = Counter((item.evaluation, gram) for item in self.items for gram in item.grams)
        self._sizes = Counter(item.evaluation for item in self.items)
        self._starts: defaultdict[str, list[tuple[_Item, int]]] = defaultdict(list)
        self._set_kinds(most)

    def _split(self, text: str) -> Words:
        return words(text, self.options["normaliser"])

    def _replies(self, texts: Sequence[str]) -> list[Reply]:
        told = [Reply(self._split(text), letters_of_its_own(text, self._common_words) >= TELLING) for text in texts]
        return [reply for reply in told if reply.words]

    def _set_kinds(self, most: int | None) -> None:
        for item in self.items:
            item.tokens = sum(sum(self._covered(text, item.grams)) for text in item.texts)
            own = {gram for text in item.texts for gram in self._grams(text)}
            item.coverable = sum(sum(self._covered(text, own)) for text in item.texts)
            if item.tokens and item.size >= self.options["short_below"]:
                item.kind = "indexed"
            else:
                item.kind = "short" if item.size >= max(self.options["min_words"], 1) else "unusable"
        self._note_starts()
        if most is not None:
            held = Counter(other for item in self.items for other in self._whole(item.texts, item.operands))
            for item, holders in held.items():
                if holders > most:
                    item.kind = "unusable"
            self._note_starts()

    def _note_starts(self) -> None:
        self._starts.clear()
        for item in self.items:
            for number, text in enumerate(item.texts):
                if item.kind == "short" and text:
                    self._starts[text[0]].append((item, number))

    def counts(self, evaluation: str) -> dict[str, int]:
        """The number of items of a set, and of each kind."""
        kinds = Counter(item.kind for item in self.items if item.evaluation == evaluation)
        return {"items": self._sizes[evaluation], **{kind: kinds[kind] for kind in ("indexed", "short", "unusable")}}

    def plantable(self) -> list[Text]:
        """The items that must be found in any row that quotes them in full, whatever the statistic."""
        fit = []
        for text, item in zip(self._texts, self.items, strict=True):
            is_whole = item.kind == "short" and (
                self.options["short_items"] == "whole" or (self.options["short_items"] == "answered" and item.answers)
            )
            is_covered = item.kind == "indexed" and len(item.texts) == 1 and item.tokens == item.size
            if is_whole or is_covered:
                fit.append(text)
        return fit

    def matches(self, texts: Iterable[tuple[bool, str]]) -> Iterator[Match]:
        """The items that texts contain by the rule, or are near; each text comes with whether it is compared."""
        marks, contents = zip(*texts, strict=True)
        compared = [number for number, is_compared in enumerate(marks) if is_compared]
        row = _Row([*contents], compared, self.options["normaliser"])
        found = self._whole_texts(row.texts, row.operands)
        whole = [item for item, numbers in found.items() if _is_all(item, numbers)]
        for item in whole:
            if self._counts(item, row):
                yield Match(item.evaluation, item.id, 1.0, is_near=False)
        grams = {gram for text in row.texts for gram in self._grams(text) if gram in self._holders}
        sharing = {item: None for gram in sorted(grams - self._common) for item in self._holders[gram]}
        for item in sharing:
            if item.kind != "unusable" and item not in whole:
                yield from self._shared(item, grams, row)
        # An item of several short texts may share no n-gram, and one of its texts is whole in the row.
        for item in found:
            if item not in sharing and item not in whole:
                yield from self._begun(item, self._longest(item, set(), row), grams, row)

    def _shared(self, item: _Item, grams: set[Gram], row: _Row) -> Iterator[Match]:
        """The match of an item that shares n-grams with a row, if they are enough."""
        options = self.options
        run = self._longest(item, item.grams & grams, row)
        value = self._value(item, grams, run)
        overlap = self._overlap(item, grams)
        is_telling = self._is_telling(item, run, value)
        is_near = self._lacks_numbers(item, grams, row.texts, row.operands)
        if item.kind == "indexed" and is_telling and self._reaches(item, item.size, value):
            yield Match(item.evaluation, item.id, value, is_near)
        elif options["short_items"] == "ignore" and item.kind == "short":
            return
        elif options["answered_from"] is not None and is_telling and self._is_supported(item, run, overlap, row):
            yield Match(item.evaluation, item.id, overlap, is_near)
        else:
            yield from self._begun(item, run, grams, row)

    def _begun(self, item: _Item, run: Run, grams: set[Gram], row: _Row) -> Iterator[Match]:
        """The item of which a row has the beginning alone."""
        is_looked_for = item.kind != "short" or self.options["short_items"] != "ignore"
        is_asked = self.options["beginning_from"] is not None and is_looked_for
        if is_asked and self._is_beginning(item, run, grams, row):
            yield Match(item.evaluation, item.id, run.words / item.size, is_near=True)

    def _counts(self, item: _Item, row: _Row) -> bool:
        """Whether a short item that is whole in a row counts."""
        how = self.options["short_items"]
        found = [*self._occurrences(item, row)]
        if how == "whole":
            is_long = item.size >= self.options["alone_below"]
            return is_long or self._stands_alone(item, found, row) or self._is_followed(item, found, row, own=True)
        return bool(how == "answered" and self._is_followed(item, found, row, own=False))

    def _stands_alone(self, item: _Item, found: Sequence[Run], row: _Row) -> bool:
        alone = set()
        for run in found:
            start, end = row.span(run.text, run.place, run.place + run.words)
            if is_alone(row.content(run.text), start, end, item.raw[run.item_text], self._common_words):
                alone.add(run.item_text)
        return alone == {number for number, text in enumerate(item.texts) if text}

    def _is_followed(self, item: _Item, found: Sequence[Run], row: _Row, *, own: bool) -> bool:
        """Whether an answer of the item follows: any, or with `own` only a distinctive one, or all of the choices."""
        within = self.options["answer_words"]
        return any(self._answers(item, run, row, within, own=own) for run in found)

    @staticmethod
    def _answers(item: _Item, run: Run, row: _Row, within: int, *, own: bool) -> bool:
        def follows(wanted: Words, within: int) -> bool:
            after = [*islice(row.after(run.text, run.place + run.words), within)]
            return any(after[at : at + len(wanted)] == wanted for at in range(len(after)))

        if any(follows(one.words, within + len(one.words)) for one in item.answers if one.tells or not own):
            return True
        together = within + sum(len(one.words) for one in item.choices)
        return (
            own
            and len(item.choices) >= LEAST_CHOICES
            and any(one.tells for one in item.choices)
            and all(follows(one.words, together) for one in item.choices)
        )

    def _is_supported(self, item: _Item, run: Run, overlap: float, row: _Row) -> bool:
        """Whether an item with edited words is followed by its answer or its choices."""
        if overlap < self._least(float(self.options["answered_from"]), overlap):
            return False
        start, end = row.span(run.text, run.place, run.place + run.words)
        after = len(item.texts[run.item_text]) - run.at - run.words
        return may_be_edited(
            row.content(run.text), start, end, run.at, after, item.raw[run.item_text]
        ) and self._answers(item, run, row, self.options["answer_words"] + item.size, own=True)

    def _is_beginning(self, item: _Item, run: Run, grams: set[Gram], row: _Row) -> bool:
        """Whether a row has the beginning of an item, and ends after it."""
        before = sum(map(len, item.texts[: run.item_text]))
        if before + run.at or run.words < float(self.options["beginning_from"]) * item.size:
            return False
        if self._weight(item, item.grams & grams) < float(self.options["noted_from"]) * self._weight(item, item.grams):
            return False
        if run.words >= LONG_BEGINNING:
            return True
        start, end = row.span(run.text, run.place, run.place + run.words)
        return Around.of(row.content(run.text), start, end).after != OPEN

    def _is_telling(self, item: _Item, run: Run, value: float) -> bool:
        """Whether the shared part of an item of mostly signs is a long run, or enough for its plain words alone."""
        least = self.options["run_of_signs"]
        if least is None or 5 * item.plain >= 3 * item.size:
            return True
        return run.words >= float(least) * item.size or self._reaches(item, item.plain, value)

    def _whole(self, texts: list[Words], beside: list[Operands]) -> list[_Item]:
        """The short items with every text whole in these texts."""
        return [item for item, found in self._whole_texts(texts, beside).items() if _is_all(item, found)]

    def _whole_texts(self, texts: list[Words], beside: list[Operands]) -> dict[_Item, set[int]]:
        """The short items, and which of their texts are whole in these, with the same signs between two numbers."""
        found: defaultdict[_Item, set[int]] = defaultdict(set)
        for text, own in zip(texts, beside, strict=True):
            for place, word in enumerate(text):
                for item, number in self._starts.get(word, ()):
                    wanted = item.texts[number]
                    last = place + len(wanted)
                    if text[place:last] == wanted and _are_alike(own[place:last], item, number):
                        found[item].add(number)
        return found

    @staticmethod
    def _occurrences(item: _Item, row: _Row) -> Iterator[Run]:
        for number, (text, beside) in enumerate(zip(row.texts, row.operands, strict=True)):
            for place in range(len(text)):
                for own, wanted in enumerate(item.texts):
                    last = place + len(wanted)
                    if wanted and text[place:last] == wanted and _are_alike(beside[place:last], item, own):
                        yield Run(number, place, own, 0, len(wanted))

    def _grams(self, text: Words) -> list[Gram]:
        return [tuple(text[place : place + self.n]) for place in range(len(text) - self.n + 1)]

    def _covered(self, text: Words, grams: set[Gram]) -> list[bool]:
        """Whether each word of a text is in one of these n-grams."""
        covered = [False] * len(text)
        for place, gram in enumerate(self._grams(text)):
            if gram in grams:
                covered[place : place + self.n] = [True] * self.n
        return covered

    def _value(self, item: _Item, grams: set[Gram], run: Run) -> float:
        shared = item.grams & grams
        statistic = self.options["statistic"]
        if statistic == "coverage":
            return sum(sum(self._covered(text, shared)) for text in item.texts) / item.tokens
        if statistic == "ngrams":
            return float(len(shared))
        if statistic == "ngram_share":
            return len(shared) / len(item.grams)
        if statistic == "longest_run":
            return run.words / item.coverable
        return self._idf_overlap(item, shared) if statistic == "idf_overlap" else self._overlap(item, grams)

    def _idf_overlap(self, item: _Item, shared: set[Gram]) -> float:
        is_whole = len(shared) == len(item.grams)
        return 1.0 if is_whole else self._weight(item, shared) / self._weight(item, item.grams)

    def _overlap(self, item: _Item, grams: set[Gram]) -> float:
        covered = sum(sum(self._covered(text, grams)) for text in item.texts)
        return min(self._idf_overlap(item, item.grams & grams), covered / item.size)

    def _weight(self, item: _Item, grams: Iterable[Gram]) -> float:
        size = self._sizes[item.evaluation] + 1
        return math.fsum(math.log(size / self._df[item.evaluation, gram]) for gram in grams)

    def _longest(self, item: _Item, shared: set[Gram], row: _Row) -> Run:
        """The longest run of words that is in the item and in a text, and that contains one of the shared n-grams.

        Among runs of equal length it is the first in the row, and of those the last in the item.
        """
        longest = Run(0, 0, 0, 0, 0)
        whole = [*self._occurrences(item, row)] if item.kind == "short" else []
        in_item: defaultdict[Gram, list[tuple[int, int]]] = defaultdict(list)
        for own, words_of_item in reversed([*enumerate(item.texts)]):
            for at, gram in reversed([*enumerate(self._grams(words_of_item))]):
                in_item[gram].append((own, at))
        for number, text in enumerate(row.texts):
            before: set[tuple[int, int]] = set()
            for place, gram in enumerate(self._grams(text)):
                here = in_item.get(gram, []) if gram in shared else []
                for own, at in here:
                    if (own, at - 1) not in before:
                        first, words = _run(text, place, item.texts[own], at)
                        if words > longest.words:
                            longest = Run(number, first, own, at - (place - first), words)
                before = {*here}
            longest = max([longest, *(run for run in whole if run.text == number)], key=lambda run: run.words)
        return longest

    def _reaches(self, item: _Item, size: int, value: float) -> bool:
        """Whether a value reaches the threshold for an item of this many words."""
        options = self.options
        own = options["above"] if options["above"] is not None else options["at_least"]
        threshold = float(options["thresholds"].get(item.evaluation, own))
        if options["full_below"] is not None:
            full, relaxed = options["full_below"], options["relaxed_from"]
            part = min(max((size - full) / (relaxed - full), 0), 1)
            threshold = 1 - (1 - threshold) * part
        if options["statistic"] in WEIGHED:
            threshold = self._least(threshold, value)
        return value > threshold if options["above"] is not None else value >= threshold

    @staticmethod
    def _least(threshold: float, value: float) -> float:
        return threshold + ROUNDING if value < 1 else threshold

    def _lacks_numbers(self, item: _Item, grams: set[Gram], texts: list[Words], beside: list[Operands]) -> bool:
        """Whether the row lacks more of the item's numbers, between the words that they share, than the rule allows."""
        most = self.options["max_numbers_missing"]
        if most is None:
            return False
        flat = [
            (number, place, word, own.signs, own.is_digits)
            for number, (text, operands) in enumerate(zip(item.texts, item.operands, strict=True))
            for place, (word, own) in enumerate(zip(text, operands, strict=True))
        ]
        covered = [own for text in item.texts for own in self._covered(text, grams)]
        first, last = covered.index(True), len(covered) - covered[::-1].index(True)
        first -= self._numbers_beside(item, flat[:first][::-1], flat[first], texts, beside, before=True)
        last += self._numbers_beside(item, flat[last:], flat[last - 1], texts, beside, before=False)
        numbers = [(word, signs) for _, _, word, signs, is_digits in flat[first:last] if is_digits]
        there: defaultdict[str, set[frozenset[str]]] = defaultdict(set)
        for text, readings in zip(texts, beside, strict=True):
            for word, own in zip(text, readings, strict=True):
                there[word].add(own.signs)
        missing = [
            word
            for word, wanted in numbers
            if not any(not found or not wanted or found & wanted for found in there[word])
        ]
        return len(missing) > float(most) * len(numbers)

    def _numbers_beside(
        self,
        item: _Item,
        others: list[Any],
        edge: Any,
        texts: list[Words],
        beside: list[Operands],
        *,
        before: bool,
    ) -> int:
        """How many numbers of an item are right beside the shared words, where the row has a number too."""
        number, place = edge[:2]
        start = place if before else place - self.n + 1
        gram = tuple(item.texts[number][start : start + self.n])
        there = [
            own[at - 1 if before else at + self.n].in_digits
            for text, own in zip(texts, beside, strict=True)
            for at, other in enumerate(self._grams(text))
            if other == gram and (at > 0 if before else at + self.n < len(text))
        ]
        run = itertools.takewhile(lambda one: one[0] == number and one[4], others)
        return sum(1 for _ in run) if any(there) else 0


def _is_all(item: _Item, numbers: set[int]) -> bool:
    """Whether these numbers are those of all texts of an item that have words."""
    return len(numbers) == sum(map(bool, item.texts))


def _are_alike(found: Operands, item: _Item, number: int) -> bool:
    """Whether the signs beside these words are also in this text of an item.

    Signs may be left out, unless the item has only operands.
    """
    has_word = any(len(word.encode()) > 1 and word[0] not in string.digits for word in item.texts[number])
    pairs = [(one.signs, other.signs) for one, other in zip(found[1:], item.operands[number][1:], strict=True)]
    return all(bool(one & wanted) or (not one and has_word) for one, wanted in pairs if wanted)


WEIGHED: Final = ("idf_overlap", "overlap")
# The last digits of sums of logarithms depend on the order of addition: a tie is not a finding.
ROUNDING: Final = 1e-5
TELLING: Final = 3
LEAST_CHOICES: Final = 2
LONG_BEGINNING: Final = 12
BEFORE: Final = {"alone_below": 0, "answered_from": None, "beginning_from": None, "run_of_signs": None}
"""The values of these options in older manifests that do not have them."""


def _run(text: Words, place: int, item: Words, at: int) -> tuple[int, int]:
    """The start and the length of the run of words around a place that two texts share."""
    first = place
    while first and at - (place - first) and text[first - 1] == item[at - (place - first) - 1]:
        first -= 1
    end = place
    while end < len(text) and at + end - place < len(item) and text[end] == item[at + end - place]:
        end += 1
    return first, end - first
