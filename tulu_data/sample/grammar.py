"""A small grammar for texts that vary: choices, words from banks, and numbers.

    [Here is|This is] a list for {days:2..9} days in {city}:

`[a|b]` is a choice and may contain others, `{city}` is a word from the bank `city`, `{city2}`
a different one, `{City}` the first with a capital, `{2..9}` a number and `{days:2..9}` one
with a name. A value that was drawn for a name is used for the whole row.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from tulu_data.sample.banks import banks, held_out
from tulu_data.sample.draw import Draw

_SLOT = re.compile(r"\{(?:([A-Za-z_]+\d*)(?::(\d+)\.\.(\d+))?|(\d+)\.\.(\d+))\}")
_MARK = re.compile(r"[\[|\]]")
_ARTICLE = re.compile(r"\b([Aa]) (?=(?!uk|uni|us[eu]|one\b)[aeiouAEIOU]\w\w)")


class Filling:
    """The values drawn for the slots of one row. Held-out words are those of evaluation sets."""

    __slots__ = ("draw", "held_out", "slots", "taken")

    def __init__(self, draw: Draw, slots: Mapping[str, str] | None = None, *, held_out: bool = False) -> None:
        self.draw = draw
        self.slots: dict[str, str] = dict(slots or {})
        self.held_out = held_out
        self.taken: dict[str, list[str]] = {}

    def __getitem__(self, name: str) -> str:
        value = self.slots.get(name)
        if value is None:
            value = self.slots[name] = self._fresh(name)
        return value

    def _fresh(self, name: str) -> str:
        if name[0].isupper():
            value = self[name[0].lower() + name[1:]]
            return value[:1].upper() + value[1:]
        bank = name.rstrip("0123456789")
        try:
            words = (self.held_out and held_out().get(bank)) or banks()[bank]
        except KeyError:
            raise ValueError(f"{{{name}}}: there is no bank of words '{bank}'") from None
        taken = self.taken.setdefault(bank, [])
        index = self.draw.below(len(words))
        while words[index] in taken:
            if len(taken) == len(words):
                raise ValueError(f"{{{name}}}: all {len(words)} words of '{bank}' are taken")
            index = (index + 1) % len(words)
        taken.append(words[index])
        return words[index]


class Slot(NamedTuple):
    """A place for a word, or for a number between two bounds."""

    name: str
    low: int = 0
    high: int = -1


Parts = tuple["str | Slot | Choice", ...]


class Choice(NamedTuple):
    """Parts of which one is taken."""

    options: tuple[Parts, ...]


def parse(text: str, *, choices: bool = True) -> Parts:
    """The parts of a text. Without `choices`, brackets are plain characters, as in code.

    >>> parse("a [b|c] {city}")
    ('a ', Choice(options=(('b',), ('c',))), ' ', Slot(name='city', low=0, high=-1))
    """
    if not choices:
        return tuple(_slots(text))
    options, rest = _options(text, 0)
    if len(options) != 1 or rest != len(text):
        raise ValueError(f"brackets do not match: {text}")
    return options[0]


def _options(text: str, start: int) -> tuple[list[Parts], int]:
    """Options from `start` to the bracket that closes them, or to the end."""
    options: list[Parts] = []
    parts: list[str | Slot | Choice] = []
    since = position = start
    while (mark := _MARK.search(text, position)) and mark[0] != "]":
        position = mark.end()
        # Outside of all brackets `|` is a plain character.
        if mark[0] == "[" or start:
            parts += _slots(text[since : mark.start()])
            if mark[0] == "[":
                inner, close = _options(text, position)
                parts.append(Choice(tuple(inner)))
                position = close + 1
            else:
                options.append(tuple(parts))
                parts = []
            since = position
    # If a bracket is not closed, this is beyond the end of the text.
    end = mark.start() if mark else max(position, len(text))
    parts += _slots(text[since:end])
    options.append(tuple(parts))
    return options, end


def _slots(text: str) -> Iterator[str | Slot]:
    end = 0
    for found in _SLOT.finditer(text):
        if found.start() > end:
            yield text[end : found.start()]
        name, low, high, first, last = found.groups()
        yield Slot(name or "", int(low or first or 0), int(high or last or -1))
        end = found.end()
    if end < len(text):
        yield text[end:]


def write(parts: Parts, filling: Filling) -> str:
    """The text of some parts.

    >>> write(parse("[Two|2] in {city}"), Filling(Draw(1), {"city": "Rome"}))
    'Two in Rome'
    """
    found: list[str] = []
    _write(parts, filling, found)
    return "".join(found)


def _write(parts: Parts, filling: Filling, found: list[str]) -> None:
    for part in parts:
        if type(part) is str:
            found.append(part)
        elif type(part) is Slot:
            name, low, high = part
            if high >= low and name not in filling.slots:
                value = str(filling.draw.between(low, high))
                if name:
                    filling.slots[name] = value
                found.append(value)
            else:
                found.append(filling[name])
        else:
            assert type(part) is Choice
            options = part.options
            _write(options[filling.draw.below(len(options))], filling, found)


def articled(text: str) -> str:
    """An English text with `an` where a word that was drawn needs it.

    >>> articled("a ukulele, a amber lamp")
    'a ukulele, an amber lamp'
    """
    return _ARTICLE.sub(r"\1n ", text)


def ranges(parts: Parts) -> Iterator[Slot]:
    """The named numbers in some parts, including their choices."""
    for part in parts:
        if type(part) is Slot and part.name and part.high >= part.low:
            yield part
        elif type(part) is Choice:
            for option in part.options:
                yield from ranges(option)


def joined(lines: Sequence[str]) -> list[str]:
    """Lines, with each indented line appended to the line before."""
    found: list[str] = []
    for line in lines:
        if line.startswith("  ") and found:
            found[-1] = glued([found[-1], line.strip()])
        else:
            found.append(line.strip())
    return found


def glued(lines: Sequence[str]) -> str:
    """Lines joined to one, without spaces between Chinese or Japanese characters."""
    text = lines[0]
    for line in lines[1:]:
        is_spaced = not (text[-1:] >= "\u2e80" or line[:1] >= "\u2e80")
        text += f" {line}" if is_spaced else line
    return text
