"""Near-duplicates: rows with words misspelt, until they are about as similar to the original as a target says."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from tulu_data.sample.draw import Draw

SHINGLE_WORDS: Final = 5
# A word in the middle of a message is in five shingles, so that a short row can't come nearer.
NEAR_ENOUGH: Final = 0.01
TRIES: Final = 20
UNSPACED: Final = frozenset({"zh", "ja"})
"""Languages that do not separate words by spaces: their words can't be found or misspelt."""

EDITABLE: Final = re.compile(r"(?<![\w`.\"{])[^\W\d_]{4,}(?![\w`.(=\"}])")
"""A word that may be misspelt: in prose, not in code."""
_WORD = re.compile(r"\w+")


class Near(NamedTuple):
    """A near-duplicate, and its Jaccard similarity with its base."""

    row: dict[str, Any]
    target: float
    jaccard: float


def near(base: Mapping[str, Any], target: float, draw: Draw) -> Near:
    """A row with words misspelt until its similarity with its base is as near to the target as possible."""
    before = shingles(base)
    best = base["messages"]
    jaccard, skipped = 1.0, 0
    fallback: tuple[float, list[dict[str, Any]]] | None = None
    for message, start, end in _places(best, draw):
        text = best[message]["content"]
        edited = {**best[message], "content": text[:start] + misspelt(text[start:end]) + text[end:]}
        messages = [*best[:message], edited, *best[message + 1 :]]
        after = shingles({"messages": messages})
        reached = len(before & after) / len(before | after)
        if abs(reached - target) < abs(jaccard - target):
            best, jaccard = messages, reached
        else:
            # At least one word is misspelt, or the row would be an exact duplicate.
            fallback = max(fallback or (0.0, messages), (reached, messages), key=lambda tried: tried[0])
            skipped += 1
        if skipped > TRIES or abs(jaccard - target) < NEAR_ENOUGH:
            break
    if jaccard == 1.0 and fallback:
        jaccard, best = fallback
    return Near({**base, "messages": best}, target, jaccard)


def _places(messages: Sequence[Mapping[str, Any]], draw: Draw) -> list[tuple[int, int, int]]:
    """Words that may be misspelt, in an order that keeps them apart as long as possible."""
    found = [
        (index, *word.span())
        for index, message in enumerate(messages)
        if message["role"] in {"user", "assistant"} and message["content"]
        for word in EDITABLE.finditer(message["content"])
        if misspelt(word.group()) != word.group()
    ]
    step = 7
    offset = draw.below(step)
    return [place for turn in range(step) for place in found[(offset + 3 * turn) % step :: step]]


def misspelt(word: str) -> str:
    """A word with two letters swapped, so that it stays as long as before and places do not move.

    >>> misspelt("because")
    'becuase'
    """
    middle = len(word) // 2
    return word[:middle] + word[middle + 1] + word[middle] + word[middle + 2 :] if middle + 1 < len(word) else word


def shingles(row: Mapping[str, Any]) -> set[tuple[str, ...]]:
    """The shingles of five words in each message of a row; a shorter message is one shingle."""
    found: set[tuple[str, ...]] = set()
    for message in row["messages"]:
        words = _WORD.findall((message["content"] or "").lower()) if message["role"] != "system" else []
        if words:
            found.update(
                tuple(words[start : start + SHINGLE_WORDS]) for start in range(max(1, len(words) - SHINGLE_WORDS + 1))
            )
    return found
