"""Hold rows against evaluation items once more, by plain Python that shares nothing with what built the mixture.

No hash stands for a word or an n-gram, nothing is skipped by a filter, no table of characters
is the engine's. It is slow, some thousand rows a second, and short enough to be read.
"""

from __future__ import annotations

import itertools
import json
import math
import string
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from tulu_data.rescan_words import Operand, Words, operands, words

Gram = tuple[str, ...]
Operands = list[Operand]

SPEAKERS: Final[dict[str, tuple[str, ...]]] = {
    "prompt": ("user",),
    "response": ("assistant",),
    "conversation": ("user", "assistant", "tool"),
}


class Text(NamedTuple):
    """An evaluation item as it is compared: its set, its id, the texts of its parts, its answer."""

    evaluation: str
    id: str
    texts: Sequence[str]
    answer: str = ""


@dataclass(eq=False)
class _Item:
    evaluation: str
    id: str
    texts: list[Words]
    operands: list[Operands]
    answer: Words
    kind: str = ""
    grams: set[Gram] = field(default_factory=set)
    """Its n-grams that count."""
    tokens: int = 0
    """How many of its words lie in n-grams that count."""

    @property
    def size(self) -> int:
        return sum(map(len, self.texts))


class Match(NamedTuple):
    """An evaluation item that a row holds: `value` is the statistic's, 1 where a short item is whole."""

    evaluation: str
    item: str
    value: float
    is_near: bool


class Rescan:
    """The items of a stage's evaluation sets, and its rule, as the manifest's `options` of it say."""

    def __init__(self, options: Mapping[str, Any], items: Iterable[Text]) -> None:
        self.options = options
        self._texts = [*items]
        self.n = int(options["n"])
        normaliser = options["normaliser"]
        self.items = [
            _Item(
                text.evaluation,
                text.id,
                [words(part, normaliser) for part in text.texts],
                [operands(part, normaliser) for part in text.texts],
                words(text.answer, normaliser),
            )
            for text in self._texts
        ]
        long = [item for item in self.items if item.size >= options["short_below"]]
        self._holders: defaultdict[Gram, list[_Item]] = defaultdict(list)
        for item in long:
            for gram in {gram for text in item.texts for gram in self._grams(text)}:
                self._holders[gram].append(item)
        most = options["max_item_df"]
        self._common = {gram for gram, holders in self._holders.items() if most is not None and len(holders) > most}
        for gram, holders in self._holders.items():
            if gram not in self._common:
                for item in holders:
                    item.grams.add(gram)
        self._df = Counter((item.evaluation, gram) for item in long for gram in item.grams)
        self._sizes = Counter(item.evaluation for item in self.items)
        self._starts: defaultdict[str, list[tuple[_Item, int]]] = defaultdict(list)
        self._set_kinds(most)

    def _set_kinds(self, most: int | None) -> None:
        for item in self.items:
            item.tokens = sum(sum(self._covered(text, item.grams)) for text in item.texts)
            if item.tokens:
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
        """How many items of a set there are, and how many of each kind."""
        kinds = Counter(item.kind for item in self.items if item.evaluation == evaluation)
        return {"items": self._sizes[evaluation], **{kind: kinds[kind] for kind in ("indexed", "short", "unusable")}}

    def plantable(self) -> list[Text]:
        """The items that a row which quotes them must be found to hold, whatever the statistic."""
        fit = []
        for text, item in zip(self._texts, self.items, strict=True):
            is_whole = item.kind == "short" and (
                self.options["short_items"] == "whole" or (self.options["short_items"] == "answered" and item.answer)
            )
            is_covered = item.kind == "indexed" and len(item.texts) == 1 and item.tokens == item.size
            if is_whole or is_covered:
                fit.append(text)
        return fit

    def matches(self, messages: Iterable[tuple[str, str]]) -> Iterator[Match]:
        """The items that a conversation of (role, content) holds by the rule."""
        contents = [content for role, content in messages if role in SPEAKERS[self.options["on"]]]
        texts = [words(content, self.options["normaliser"]) for content in contents]
        beside = [operands(content, self.options["normaliser"]) for content in contents]
        yield from self._whole_matches(texts, beside)
        grams = {gram for text in texts for gram in self._grams(text) if gram in self._holders}
        for item in {item: None for gram in sorted(grams - self._common) for item in self._holders[gram]}:
            if item.kind == "indexed":
                value = self._value(item, grams, texts)
                if self._reaches(item, value):
                    yield Match(item.evaluation, item.id, value, self._lacks_numbers(item, grams, texts, beside))

    def _whole_matches(self, texts: list[Words], beside: list[Operands]) -> Iterator[Match]:
        how = self.options["short_items"]
        if how != "ignore":
            for item in self._whole(texts, beside):
                if how == "whole" or self._is_answered(item, texts):
                    yield Match(item.evaluation, item.id, 1.0, is_near=False)

    def _whole(self, texts: list[Words], beside: list[Operands]) -> list[_Item]:
        """The short items of which every text stands in these texts, with no other sign between two numbers."""
        found: defaultdict[_Item, set[int]] = defaultdict(set)
        for text, own in zip(texts, beside, strict=True):
            for place, word in enumerate(text):
                for item, number in self._starts.get(word, ()):
                    wanted = item.texts[number]
                    last = place + len(wanted)
                    if text[place:last] == wanted and _are_alike(own[place:last], item, number):
                        found[item].add(number)
        return [item for item, numbers in found.items() if len(numbers) == sum(map(bool, item.texts))]

    def _is_answered(self, item: _Item, texts: list[Words]) -> bool:
        """Whether the answer stands soon after some text of the item, in the same texts or those that follow."""
        if not item.answer:
            return False
        for number, text in enumerate(texts):
            for place in range(len(text)):
                for wanted in item.texts:
                    if wanted and text[place : place + len(wanted)] == wanted:
                        after = [
                            *text[place + len(wanted) :],
                            *(word for later in texts[number + 1 :] for word in later),
                        ]
                        near = after[: self.options["answer_words"] + len(item.answer)]
                        if any(near[at : at + len(item.answer)] == item.answer for at in range(len(near))):
                            return True
        return False

    def _grams(self, text: Words) -> list[Gram]:
        return [tuple(text[place : place + self.n]) for place in range(len(text) - self.n + 1)]

    def _covered(self, text: Words, grams: set[Gram]) -> list[bool]:
        """For each word of a text whether it lies in one of these n-grams."""
        covered = [False] * len(text)
        for place, gram in enumerate(self._grams(text)):
            if gram in grams:
                covered[place : place + self.n] = [True] * self.n
        return covered

    def _value(self, item: _Item, grams: set[Gram], texts: list[Words]) -> float:
        shared = item.grams & grams
        statistic = self.options["statistic"]
        if statistic == "coverage":
            return sum(sum(self._covered(text, shared)) for text in item.texts) / item.tokens
        if statistic == "ngrams":
            return float(len(shared))
        if statistic == "ngram_share":
            return len(shared) / len(item.grams)
        if statistic == "longest_run":
            return self._longest(item, shared, texts) / item.tokens
        is_whole = len(shared) == len(item.grams)
        weight = 1.0 if is_whole else self._weight(item, shared) / self._weight(item, item.grams)
        if statistic == "idf_overlap":
            return weight
        covered = sum(sum(self._covered(text, grams)) for text in item.texts)
        return min(weight, covered / item.size)

    def _weight(self, item: _Item, grams: Iterable[Gram]) -> float:
        size = self._sizes[item.evaluation] + 1
        return math.fsum(math.log(size / self._df[item.evaluation, gram]) for gram in grams)

    def _longest(self, item: _Item, shared: set[Gram], texts: list[Words]) -> int:
        """The longest run of words that the item has from one of the shared n-grams on, and some text too."""
        longest = 0
        for text in texts:
            for place, gram in enumerate(self._grams(text)):
                for own in item.texts if gram in shared else ():
                    for at, other in enumerate(self._grams(own)):
                        if other == gram:
                            pairs = zip(text[place:], own[at:], strict=False)
                            same = next((run for run, (one, two) in enumerate(pairs) if one != two), None)
                            longest = max(longest, min(len(text) - place, len(own) - at) if same is None else same)
        return longest

    def _reaches(self, item: _Item, value: float) -> bool:
        options = self.options
        own = options["above"] if options["above"] is not None else options["at_least"]
        threshold = float(options["thresholds"].get(item.evaluation, own))
        if options["full_below"] is not None:
            full, relaxed = options["full_below"], options["relaxed_from"]
            part = min(max((item.size - full) / (relaxed - full), 0), 1)
            threshold = 1 - (1 - threshold) * part
        if options["statistic"] in WEIGHED and value < 1:
            threshold += ROUNDING
        return value > threshold if options["above"] is not None else value >= threshold

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
        """How many numbers of an item are right beside the words that it shares, where the row has a number too."""
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


def _are_alike(found: Operands, item: _Item, number: int) -> bool:
    """Whether no sign beside these words is another than those of a text of an item.

    Signs may be left out, but not of an item that has nothing but operands.
    """
    has_word = any(len(word.encode()) > 1 and word[0] not in string.digits for word in item.texts[number])
    pairs = [(one.signs, other.signs) for one, other in zip(found[1:], item.operands[number][1:], strict=True)]
    return all(bool(one & wanted) or (not one and has_word) for one, wanted in pairs if wanted)


WEIGHED: Final = ("idf_overlap", "overlap")
# Sums of logarithms differ in their last digits by how they are added up: a tie is no finding.
ROUNDING: Final = 1e-5


class Near(NamedTuple):
    """Two rows whose texts are nearly the same."""

    id: str
    other: str
    jaccard: float


def shingles(messages: Iterable[tuple[str, str]], calls: str | None, on: str, n: int) -> frozenset[Gram]:
    """The shingles of a conversation: n words in order within a message; a shorter message is one."""
    texts = [content for role, content in messages if role in SPEAKERS[on]]
    if calls and on != "prompt":
        texts.append(json.dumps(calls_without_ids(calls), ensure_ascii=False))
    found: set[Gram] = set()
    for text in texts:
        own = words(text, "words")
        found.update(tuple(own[place : place + n]) for place in range(max(len(own) - n + 1, min(len(own), 1))))
    return frozenset(found)


def calls_without_ids(calls: str) -> list[Any]:
    """What a conversation says of calls of tools, but for the ids that are others each time."""

    def kept(values: Mapping[str, Any], left_out: str) -> dict[str, Any]:
        return {key: value for key, value in values.items() if key != left_out}

    entries = []
    for entry in json.loads(calls):
        if entry is not None:
            entry = kept(entry, "tool_call_id")  # noqa: PLW2901
            if isinstance(entry.get("tool_calls"), list):
                entry["tool_calls"] = [
                    kept(call, "id") if isinstance(call, dict) else call for call in entry["tool_calls"]
                ]
        entries.append(entry)
    return entries


def near_pairs(
    rows: Iterable[tuple[str, frozenset[Gram]]], sample: Mapping[str, frozenset[Gram]], least: float
) -> Iterator[Near]:
    """The pairs of a row and one of the sample whose Jaccard similarity is at least `least`, each once."""
    holders: defaultdict[Gram, list[str]] = defaultdict(list)
    for id, own in sample.items():
        for gram in own:
            holders[gram].append(id)
    for id, own in rows:
        shared = Counter(other for gram in own for other in holders.get(gram, ()))
        for other, both in shared.items():
            jaccard = both / (len(own) + len(sample[other]) - both)
            if jaccard >= least and other != id and not (id in sample and id > other):
                yield Near(id, other, jaccard)
