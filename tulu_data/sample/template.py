"""Templates of conversations. A file of templates has a section for each.

    @ packing-list
    > What should I pack for {2..9} days in {city}?
    < [Here is|This is] a list for {city}:

    *3
    - one pair of shoes
    - a coat, since {city} is [cold|windy]
    - …

`>`, `<`, `!` and `^` begin a turn of the user, the assistant, the system or a tool. A blank
line ends a paragraph; `*3` takes three of the items that follow, as a list in any order
(`#3` numbers them and `&3` makes a paragraph of them, both in the given order). An indented
line continues the one before. Choices, words and numbers are those of `grammar.py`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from tulu_data.sample import texts
from tulu_data.sample.draw import Draw
from tulu_data.sample.grammar import Filling, Parts, Slot, articled, glued, joined, parse, ranges, write

ROLES: Final = {">": "user", "<": "assistant", "!": "system", "^": "tool"}
_TURN = re.compile(r"^([><!^]) ", re.MULTILINE)
_PICK = re.compile(r"([*#&])(\d+)")


@dataclass(frozen=True)
class Block:
    """A paragraph, or a list of items from which `count` are taken."""

    items: tuple[Parts, ...]
    mark: str = ""
    count: int = 1

    def write(self, filling: Filling) -> str:
        if not self.mark:
            return write(self.items[0], filling)
        order = filling.draw.some(self.count, len(self.items))
        # Paragraphs and steps keep the order of their items; a list does not.
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
    def language(self) -> str:
        """The language; the name of a template that is not English begins with it: `fr/week`."""
        language, slash, _ = self.name.partition("/")
        return language if slash else "en"

    @cached_property
    def numbers(self) -> tuple[Slot, ...]:
        """The numbers with names, wherever they are."""
        return tuple(
            slot for turn in self.turns for block in turn.blocks for item in block.items for slot in ranges(item)
        )

    def write(self, filling: Filling) -> list[dict[str, str]]:
        # A text may use a number before the place that gives its bounds.
        for name, low, high in self.numbers:
            filling.slots.setdefault(name, str(filling.draw.between(low, high)))
        contents = [turn.write(filling) for turn in self.turns]
        if self.language == "en":
            contents = list(map(articled, contents))
        return [{"role": turn.role, "content": text} for turn, text in zip(self.turns, contents, strict=True)]


@dataclass(frozen=True)
class Conversations:
    """A part of the sample whose rows are written from templates alone."""

    part: str

    @cached_property
    def templates(self) -> tuple[Template, ...]:
        """All of them; read at the first row."""
        return texts.read(f"templates/{self.part}.txt", template)

    def row(self, draw: Draw) -> dict[str, Any]:
        """A conversation from one template."""
        drawn = draw.one(self.templates)
        return {
            "messages": drawn.write(Filling(draw)),
            "language": drawn.language,
            "template": f"{self.part}/{drawn.name}",
        }


def template(name: str, text: str) -> Template:
    """A template of this name.

    >>> greeting = template("greeting", "> Hi!\\n< Hello, {name}.")
    >>> greeting.write(Filling(Draw(1), {"name": "Ida"}))
    [{'role': 'user', 'content': 'Hi!'}, {'role': 'assistant', 'content': 'Hello, Ida.'}]
    """
    before, *pieces = _TURN.split(text)
    if before or not pieces:
        raise ValueError("the text begins with none of '> ', '< ', '! ' and '^ '")
    if "\n@" in text:
        raise ValueError("a line begins with '@' and is not a heading, which has a space: '@ name'")
    turns = [Turn(ROLES[mark], blocks(content)) for mark, content in zip(pieces[::2], pieces[1::2], strict=True)]
    return Template(name, tuple(turns))


def blocks(text: str) -> tuple[Block, ...]:
    """The blocks of one turn."""
    found = []
    for paragraph in re.split(r"\n\s*\n", text.strip()):
        lines = joined(paragraph.splitlines())
        if pick := _PICK.fullmatch(lines[0]):
            mark, count, items = pick[1], int(pick[2]), lines[1:]
            if wrong := [item for item in items if not item.startswith("- ")]:
                raise ValueError(f"an item begins with '- ', and a blank line is a list's end: {wrong[0]}")
            if count > len(items):
                raise ValueError(f"{lines[0]} has {len(items)} items")
            found.append(Block(tuple(parse(item.removeprefix("- ")) for item in items), mark, count))
        else:
            found.append(Block((parse(glued(lines)),)))
    return tuple(found)
