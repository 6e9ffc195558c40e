"""Banks of words, by the name of their slot. A file of banks has a section for each.

    @ season
    spring, summer,
    autumn, winter

Words are separated by commas and by the ends of lines. All files in `words/`, except
`held_out.txt`, are banks for all templates.
"""

from __future__ import annotations

from functools import cache
from typing import Final

from tulu_data.sample import texts

HELD_OUT: Final = "held_out.txt"


@cache
def banks() -> dict[str, tuple[str, ...]]:
    """All banks; read at the first draw."""
    found: dict[str, tuple[str, ...]] = {}
    for name in texts.names("words"):
        more = dict(texts.read(f"words/{name}", bank)) if name != HELD_OUT else {}
        if both := sorted(found.keys() & more.keys()):
            raise ValueError(f"words/{name}: @ {both[0]}: another file has a bank of this name")
        found |= more
    return found


@cache
def held_out() -> dict[str, tuple[str, ...]]:
    """The words that only evaluation sets use, instead of those of the bank with the same name."""
    return dict(texts.read(f"words/{HELD_OUT}", bank))


def bank(name: str, text: str) -> tuple[str, tuple[str, ...]]:
    """A bank: its name and its words.

    >>> bank("season", "spring, summer,\\nautumn, winter")
    ('season', ('spring', 'summer', 'autumn', 'winter'))
    """
    words = tuple(word.strip() for word in text.replace("\n", ",").split(",") if word.strip())
    if not words or len(set(words)) < len(words):
        raise ValueError("a word is there twice" if words else "there are no words")
    return name, words
