"""A small grammar for texts that differ: choices, words out of banks, numbers, and lists of which some are taken.

    @ packing-list
    > What should I pack for {2..9} days in {city}?
    < [Here is|This is] a list for {city}:

    *3
    - one pair of shoes
    - a coat, since {city} is [cold|windy]
    - …

`@` begins a template and names it; `>`, `<`, `!` and `^` begin a turn of the user, the
assistant, the system or a tool. A blank line is a paragraph's end; `*3` takes three of the
items that follow, as a list in any order (`#3` numbers them and `&3` makes a paragraph of
them, in theirs). A line
that is indented goes on with the one before. `[a|b]` is a choice and may hold others,
`{city}` a word out of the bank `city`, `{city2}` another one, `{City}` the first with a
capital, `{2..9}` a number and `{days:2..9}` one with a name. What was drawn once for a
name stays for the whole row.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, NamedTuple

from tulu_data.sample.draw import Draw
from tulu_data.sample.words import BANKS, HELD_OUT

ROLES: Final = {">": "user", "<": "assistant", "!": "system", "^": "tool"}
_SLOT = re.compile(r"\{(?:([A-Za-z_]+\d*)(?::(\d+)\.\.(\d+))?|(\d+)\.\.(\d+))\}")
_ARTICLE = re.compile(r"\b([Aa]) (?=(?!uk|uni|us[eu]|one\b)[aeiouAEIOU]\w\w)")
_PICK = re.compile(r"([*#&])(\d+)")


class Filling:
    """What was drawn for the slots of one row. Held-out words are those of evaluation sets."""

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
        words = (self.held_out and HELD_OUT.get(bank)) or BANKS[bank]
        taken = self.taken.setdefault(bank, [])
        index = self.draw.below(len(words))
        while words[index] in taken:
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
    """The parts of a text. Without `choices` brackets are brackets, as in code.

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
    depth_mark = start
    position = start
    while position < len(text) and text[position] != "]":
        if text[position] == "[":
            parts += _slots(text[depth_mark:position])
            inner, position = _options(text, position + 1)
            parts.append(Choice(tuple(inner)))
            depth_mark = position + 1
        elif text[position] == "|" and start:
            parts += _slots(text[depth_mark:position])
            options.append(tuple(parts))
            parts = []
            depth_mark = position + 1
        position += 1
    parts += _slots(text[depth_mark:position])
    options.append(tuple(parts))
    return options, position


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
    """An English text with `an` where a word that was drawn wants it.

    >>> articled("a ukulele, a amber lamp")
    'a ukulele, an amber lamp'
    """
    return _ARTICLE.sub(r"\1n ", text)


def ranges(parts: Parts) -> Iterator[Slot]:
    """The named numbers among some parts, those of choices too."""
    for part in parts:
        if type(part) is Slot and part.name and part.high >= part.low:
            yield part
        elif type(part) is Choice:
            for option in part.options:
                yield from ranges(option)


@dataclass(frozen=True)
class Block:
    """A paragraph, or items of which `count` are taken."""

    items: tuple[Parts, ...]
    mark: str = ""
    count: int = 1

    def write(self, filling: Filling) -> str:
        if not self.mark:
            return write(self.items[0], filling)
        order = filling.draw.some(self.count, len(self.items))
        # What is told or done has an order; a list has none.
        chosen = [write(self.items[index], filling) for index in (order if self.mark == "*" else sorted(order))]
        if self.mark == "&":
            return " ".join(chosen)
        if self.mark == "*":
            return "\n".join([f"- {item}" for item in chosen])
        return "\n".join([f"{number}. {item}" for number, item in enumerate(chosen, start=1)])


@dataclass(frozen=True)
class Turn:
    """One message: its role and its blocks."""

    role: str
    blocks: tuple[Block, ...]

    def write(self, filling: Filling) -> str:
        return "\n\n".join([block.write(filling) for block in self.blocks])


@dataclass(frozen=True)
class Template:
    """A conversation that can be written in many ways."""

    name: str
    turns: tuple[Turn, ...]

    @cached_property
    def numbers(self) -> tuple[Slot, ...]:
        """The numbers with names, wherever they stand."""
        return tuple(
            slot for turn in self.turns for block in turn.blocks for item in block.items for slot in ranges(item)
        )

    def write(self, filling: Filling) -> list[dict[str, str]]:
        # A text may name a number before the place that says its bounds.
        for name, low, high in self.numbers:
            filling.slots.setdefault(name, str(filling.draw.between(low, high)))
        contents = [turn.write(filling) for turn in self.turns]
        if "/" not in self.name:  # the names of templates in other languages begin with the language
            contents = list(map(articled, contents))
        return [{"role": turn.role, "content": text} for turn, text in zip(self.turns, contents, strict=True)]


@dataclass(frozen=True)
class Part:
    """Rows that templates alone write: a part of the sample, in English."""

    name: str
    text: str

    @cached_property
    def templates(self) -> tuple[Template, ...]:
        """All of them; parsed at the first row."""
        return templates(self.text)

    def row(self, draw: Draw) -> dict[str, Any]:
        """A conversation of one template."""
        template = draw.one(self.templates)
        messages = template.write(Filling(draw))
        return {"messages": messages, "language": "en", "template": f"{self.name}/{template.name}"}


def templates(text: str) -> tuple[Template, ...]:
    """The templates of a text.

    >>> [template] = templates("@ greeting\\n> Hi!\\n< Hello, {name}.")
    >>> template.write(Filling(Draw(1), {"name": "Ida"}))
    [{'role': 'user', 'content': 'Hi!'}, {'role': 'assistant', 'content': 'Hello, Ida.'}]
    """
    found = []
    for chunk in re.split(r"^@ ", text, flags=re.MULTILINE)[1:]:
        name, _, body = chunk.partition("\n")
        pieces = re.split(r"^([><!^]) ", body, flags=re.MULTILINE)[1:]
        turns = [Turn(ROLES[mark], blocks(content)) for mark, content in zip(pieces[::2], pieces[1::2], strict=True)]
        found.append(Template(name.strip(), tuple(turns)))
    return tuple(found)


def blocks(text: str) -> tuple[Block, ...]:
    """The blocks of one turn."""
    found = []
    for paragraph in re.split(r"\n\s*\n", text.strip()):
        lines = joined(paragraph.splitlines())
        if pick := _PICK.fullmatch(lines[0]):
            items = tuple(parse(line.removeprefix("- ")) for line in lines[1:])
            found.append(Block(items, pick[1], int(pick[2])))
        else:
            found.append(Block((parse(_glued(lines)),)))
    return tuple(found)


def pool(text: str) -> tuple[Parts, ...]:
    """Texts of which one is taken: one an item, which `- ` begins; `- _` is an item that begins with a space."""
    lines = [line.removeprefix("-").removeprefix(" ") for line in joined(text.strip().splitlines())]
    return tuple(parse(f" {line[1:]}" if line.startswith("_") else line) for line in lines)


def joined(lines: Sequence[str]) -> list[str]:
    """Lines, those that are indented put to the end of the line before."""
    found: list[str] = []
    for line in lines:
        if line.startswith("  ") and found:
            found[-1] = _glued([found[-1], line.strip()])
        else:
            found.append(line.strip())
    return found


def _glued(lines: Sequence[str]) -> str:
    """Lines as one; between signs of Chinese and Japanese there is no space."""
    text = lines[0]
    for line in lines[1:]:
        is_spaced = not (text[-1:] >= "\u2e80" or line[:1] >= "\u2e80")
        text += f" {line}" if is_spaced else line
    return text
