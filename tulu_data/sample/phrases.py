"""Phrases: the texts around a task or a problem. A file of phrases has a section for each purpose.

    @ openings
    - [Here is|This is] the solution:
    - Sure:

`- ` begins a phrase; one of a section's phrases is taken. `- _` begins a phrase that starts with
a space, and `-` alone is an empty one.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from tulu_data.sample import texts
from tulu_data.sample.draw import Draw
from tulu_data.sample.grammar import Filling, Parts, joined, parse, write


@dataclass(frozen=True)
class Phrases:
    """The phrases of a file, by section: `Phrases("math", ("openings", "endings"))`."""

    name: str
    sections: tuple[str, ...]

    @cached_property
    def pools(self) -> dict[str, tuple[Parts, ...]]:
        """All of them; read at the first draw."""
        path = f"templates/{self.name}_phrases.txt"
        found = dict(texts.read(path, lambda name, text: (name, pool(text))))
        if wrong := sorted(found.keys() ^ set(self.sections)):
            raise ValueError(
                f"{path}: @ {wrong[0]}: " + ("nothing uses this section" if wrong[0] in found else "is missing")
            )
        return found

    def one(self, section: str, draw: Draw) -> Parts:
        """One phrase of a section."""
        return draw.one(self.pools[section])

    def write(self, section: str, filling: Filling) -> str:
        """One phrase of a section as text."""
        return write(self.one(section, filling.draw), filling)


def pool(text: str) -> tuple[Parts, ...]:
    """The phrases of one section.

    >>> pool("- Hi!\\n- Hello,\\n  {name}.\\n- _How are you?")
    (('Hi!',), ('Hello, ', Slot(name='name', low=0, high=-1), '.'), (' How are you?',))
    """
    found = []
    for line in joined(text.splitlines()):
        if not line.startswith("-"):
            raise ValueError(f"a phrase begins with '- ': {line}")
        phrase = line.removeprefix("-").removeprefix(" ")
        found.append(parse(f" {phrase[1:]}" if phrase.startswith("_") else phrase))
    return tuple(found)
