"""Hold rows against evaluation items once more, by plain Python that shares nothing with what built the mixture.

No hash stands for a word or an n-gram, nothing is skipped by a filter, no table of characters
is the engine's. It is slow, some thousand rows a second, and short enough to be read.
"""

from __future__ import annotations

import itertools
import json
import math
import re
import string
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

Words = list[str]
Gram = tuple[str, ...]

SPEAKERS: Final[dict[str, tuple[str, ...]]] = {
    "prompt": ("user",),
    "response": ("assistant",),
    "conversation": ("user", "assistant", "tool"),
}
_UNSPACED: Final = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\u2fdf\u3005-\u3007\u3021-\u3029\u3031-\u3035\u3038-\u303c"
    "\u3041-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\ua9e0-\ua9ff\uaa60-\uaa7f\uf900-\ufaff\uff66-\uff9f"
    "\U0001aff0-\U0001b16f\U00020000-\U0003fffd]"
)
"""Thai, Lao, Myanmar, Khmer, Han, kana: scripts whose words have no space between them."""
_COMMAND: Final = re.compile(r"\\[a-z]+")
_OPERATORS: Final = frozenset("+-*/=<>^%")
_NEED_OPERAND: Final = frozenset("-*/")
_LONGEST_OPERATOR: Final = 3


def words(text: str, normaliser: str) -> Words:
    r"""The words of a text, as docs/decontamination.md defines them.

    >>> words("Let x = 2x − 5, \\frac{a}{b}!", "math_code")
    ['let', 'x', '=', '2', 'x', '-', '5', '\\frac', 'a', 'b']
    """
    folded = unicodedata.normalize("NFC", text).lower()
    return _SPLITTERS[normaliser](folded)


def _is_mark(letter: str) -> bool:
    return unicodedata.category(letter)[0] == "M"


def _is_alone(letter: str) -> bool:
    return letter.isalnum() and bool(_UNSPACED.match(letter))


def _plain(text: str) -> Words:
    found: Words = []
    is_open = False
    for letter in text:
        if letter.isascii():
            is_word = letter.isalnum() or letter == "_"
            if is_word and is_open and not _is_alone(found[-1][0]):
                found[-1] += letter
            elif is_word:
                found.append(letter)
            is_open = is_word
        elif _is_mark(letter):
            if is_open:
                found[-1] += letter
        elif _is_alone(letter) or (letter.isalnum() and not (is_open and not _is_alone(found[-1][0]))):
            found.append(letter)
            is_open = True
        elif letter.isalnum():
            found[-1] += letter
        else:
            is_open = False
    return found


def _math_code(text: str) -> Words:
    found: Words = []
    kind = ""
    place = 0
    while place < len(text):
        letter = text[place]
        command = _COMMAND.match(text, place) if letter == "\\" else None
        if not letter.isascii() and _is_mark(letter):
            if kind:
                found[-1] += letter
        elif command:
            found.append(command[0])
            kind, place = "command", command.end() - 1
        elif not letter.isascii() and (_is_alone(letter) or unicodedata.category(letter) == "Sm"):
            found.append(letter)
            kind = "single"
        elif letter.isalnum() or letter == "_":
            is_digit = unicodedata.category(letter) == "Nd"
            if kind == "name" or (kind == "number" and is_digit):
                found[-1] += letter
            else:
                found.append(letter)
                kind = "number" if is_digit else "name"
        elif letter in _OPERATORS and _is_operator(text, place):
            found.append(letter)
            kind = "operator"
        else:
            kind = ""
        place += 1
    return [word.replace("\u2212", "-") for word in found]


def _is_operator(text: str, place: int) -> bool:
    """Whether a sign is a word: of at most three in a row; - * / where an operand stands beside them."""
    start = end = place
    while start and text[start - 1] == text[place] and place - start <= _LONGEST_OPERATOR:
        start -= 1
    while end < len(text) and text[end] == text[place] and end - place <= _LONGEST_OPERATOR:
        end += 1
    if end - start > _LONGEST_OPERATOR:
        return False
    return text[place] not in _NEED_OPERAND or _ends_operand(text, start) or _begins_operand(text, end)


def _ends_operand(text: str, end: int) -> bool:
    while end and text[end - 1] <= " ":
        end -= 1
    before = text[end - 1] if end else ""
    return before in tuple("0123456789)]}") or (_is_letter(before) and not (end > 1 and _is_inner(text[end - 2])))


def _begins_operand(text: str, start: int) -> bool:
    while start < len(text) and text[start] <= " ":
        start += 1
    after = text[start] if start < len(text) else ""
    following = text[start + 1] if start + 1 < len(text) else ""
    return after in tuple("0123456789([{\\") or (_is_letter(after) and not (following and _is_inner(following)))


def _is_letter(sign: str) -> bool:
    return sign.isascii() and sign.isalpha()


def _is_inner(sign: str) -> bool:
    return not sign.isascii() or sign.isalnum() or sign == "_"


def _gpt3(text: str) -> Words:
    found: Words = []
    for piece in text.translate(_NO_PUNCTUATION).split():
        is_first = True
        for letter in piece:
            if _is_mark(letter):
                if not is_first:
                    found[-1] += letter
            elif is_first or _is_alone(letter) or _is_alone(found[-1][0]):
                found.append(letter)
                is_first = False
            else:
                found[-1] += letter
    return found


_NO_PUNCTUATION: Final = str.maketrans("", "", string.punctuation)
_SPLITTERS: Final = {"words": _plain, "math_code": _math_code, "gpt3": _gpt3}


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
            texts = [item.texts for item in self.items]
            held = Counter(item for own in texts for item in self._whole(own))
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
        yield from self._whole_matches(texts)
        grams = {gram for text in texts for gram in self._grams(text) if gram in self._holders}
        for item in {item: None for gram in sorted(grams - self._common) for item in self._holders[gram]}:
            if item.kind == "indexed":
                value = self._value(item, grams, texts)
                if self._reaches(item, value):
                    yield Match(item.evaluation, item.id, value, self._lacks_numbers(item, grams, texts))

    def _whole_matches(self, texts: list[Words]) -> Iterator[Match]:
        how = self.options["short_items"]
        if how != "ignore":
            for item in self._whole(texts):
                if how == "whole" or self._is_answered(item, texts):
                    yield Match(item.evaluation, item.id, 1.0, is_near=False)

    def _whole(self, texts: list[Words]) -> list[_Item]:
        """The short items of which every text stands in these texts."""
        found: defaultdict[_Item, set[int]] = defaultdict(set)
        for text in texts:
            for place, word in enumerate(text):
                for item, number in self._starts.get(word, ()):
                    wanted = item.texts[number]
                    if text[place : place + len(wanted)] == wanted:
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
        """Of the runs of words that the item and some text have, the most words that lie in n-grams that count."""
        longest = 0
        for text in texts:
            for place, gram in enumerate(self._grams(text)):
                for own in item.texts if gram in shared else ():
                    for at, other in enumerate(self._grams(own)):
                        if other == gram:
                            pairs = itertools.takewhile(
                                lambda pair: pair[0] == pair[1], zip(text[place:], own[at:], strict=False)
                            )
                            run = [word for word, _ in pairs]
                            longest = max(longest, sum(self._covered(run, item.grams)))
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

    def _lacks_numbers(self, item: _Item, grams: set[Gram], texts: list[Words]) -> bool:
        """Whether the row lacks more of the item's numbers, between the words that they share, than the rule allows."""
        most = self.options["max_numbers_missing"]
        if most is None:
            return False
        covered = [own for text in item.texts for own in self._covered(text, grams)]
        flat = [word for text in item.texts for word in text]
        first, last = covered.index(True), len(covered) - covered[::-1].index(True)
        numbers = [word for word in flat[first:last] if word[0] in string.digits]
        there = {word for text in texts for word in text}
        return sum(word not in there for word in numbers) > float(most) * len(numbers)


DEEPEST: Final = 64
WEIGHED: Final = ("idf_overlap", "overlap")
# Sums of logarithms differ in their last digits by how they are added up: a tie is no finding.
ROUNDING: Final = 1e-5


class Near(NamedTuple):
    """Two rows whose texts are nearly the same."""

    id: str
    other: str
    jaccard: float


def shingles(messages: Iterable[tuple[str, ...]], calls: str | None, on: str, n: int) -> frozenset[Gram]:
    """The shingles of a conversation: n words in order within a text; a shorter text is one."""
    found: set[Gram] = set()
    for role, text in spoken(messages, calls):
        if role in SPEAKERS[on]:
            own = words(text, "words")
            found.update(tuple(own[place : place + n]) for place in range(max(len(own) - n + 1, min(len(own), 1))))
    return frozenset(found)


# --- calls of tools -----------------------------------------------------------------------


def spoken(messages: Iterable[tuple[str, ...]], calls: str | None) -> list[tuple[str, str]]:
    """The texts of a conversation by role: those of each message, and after them one for each of its calls.

    A message is its role, its content and, where it has any, its reasoning. The text of a call
    is its function's name, and all that is said in its arguments, a line each.
    """
    said = []
    entries = _entries(calls)
    for number, (role, *texts) in enumerate(messages):
        said += [(role, text) for text in texts]
        for call in _called(entries, number):
            lines = [*_values(call.pop("name", None)), *_values(call)] if isinstance(call, dict) else [*_values(call)]
            if text := "\n".join(lines):
                said.append((role, text))
    return said


def told(calls: str | None, count: int) -> list[str]:
    """For each of so many messages what makes its calls the same as another's, whatever their ids and order of keys."""
    entries = _entries(calls)
    found = []
    for number in range(count):
        called = _called(entries, number)
        for call in called:
            if isinstance(call, dict) and "arguments" in call:
                call["arguments"] = _opened(call["arguments"])
        name = entries[number].get("name") if number < len(entries) else None
        found.append(json.dumps([called, name], sort_keys=True) if called or name is not None else "")
    return found


def _entries(calls: str | None) -> list[dict[str, Any]]:
    entries = _opened(calls)
    return [entry if isinstance(entry, dict) else {} for entry in (entries if isinstance(entries, list) else [])]


def _called(entries: Sequence[Mapping[str, Any]], number: int) -> list[Any]:
    """The calls of one message: an object has its function's name and arguments, without what only numbers it."""
    entry = entries[number] if number < len(entries) else {}
    one, other = _opened(entry.get("tool_calls")), _opened(entry.get("function_call"))
    listed = [call for value in (one, other) for call in (value if isinstance(value, list) else [value])]
    beyond = {"tool_calls", "function_call", "tool_call_id", "name"}
    listed += [{key: value for key, value in entry.items() if key not in beyond} or None]
    found = []
    for call in map(_opened, listed):
        if isinstance(call, dict):
            function = _opened(call.get("function"))
            kept = {key: value for key, value in call.items() if key not in ("id", "index", "type")}
            if isinstance(function, dict):
                kept = {**function, **{key: value for key, value in kept.items() if key != "function"}}
            found.append(kept)
        elif call is not None:
            found.append(call)
    return found


def _opened(value: Any) -> Any:
    """What a text of JSON holds, where it is an object or a list that is not nested beyond reason."""
    if isinstance(value, str) and value.strip()[:1] in ("{", "["):
        try:
            held = json.loads(value)
        except (ValueError, RecursionError):
            return value
        inner, depth = [held], 0
        while inner and depth <= DEEPEST:
            inner = [
                part
                for one in inner
                if isinstance(one, dict | list)
                for part in (one.values() if isinstance(one, dict) else one)
            ]
            depth += 1
        return value if inner else held
    return value


def _values(value: Any) -> Iterator[str]:
    """All texts and numbers in a value, from the first to the last."""
    stack = [value]
    while stack:
        inner = _opened(stack.pop())
        if isinstance(inner, dict):
            stack.extend([*inner.values()][::-1])
        elif isinstance(inner, list):
            stack.extend(inner[::-1])
        elif inner is not None:
            yield inner if isinstance(inner, str) else json.dumps(inner)


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
