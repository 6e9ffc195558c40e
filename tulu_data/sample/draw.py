"""Draws that never change: the bits of BLAKE2b over a key, used up as digits of one number.

The methods of `random` may change between versions of Python; these draws can't.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from typing import Final, TypeVar

Item = TypeVar("Item")

# If the rest of the number is below this, it is too small for an even draw, and is discarded.
_SPENT: Final = 1 << 96


class Draw:
    """A stream of numbers that depends on the key alone.

    >>> draw = Draw("math", 7, 0)
    >>> [draw.below(6) for _ in range(5)]
    [3, 4, 4, 5, 1]
    """

    __slots__ = ("_key", "_left", "_rounds")

    def __init__(self, *key: str | int) -> None:
        self._key = "\n".join(map(str, key)).encode()
        self._rounds = 0
        self._left = 0

    def below(self, count: int) -> int:
        """A number from 0 to `count - 1`, `count` being far below 2^64."""
        if self._left < _SPENT:
            digest = blake2b(self._key, salt=self._rounds.to_bytes(16, "little")).digest()
            self._left = int.from_bytes(digest, "little") | 1 << 512
            self._rounds += 1
        self._left, drawn = divmod(self._left, count)
        return drawn

    def between(self, low: int, high: int) -> int:
        """A number from `low` to `high`, both included."""
        return low + self.below(high - low + 1)

    def one(self, items: Sequence[Item]) -> Item:
        """One of some items."""
        return items[self.below(len(items))]

    def some(self, count: int, of: int) -> list[int]:
        """`count` different numbers below `of`, in random order."""
        numbers = list(range(of))
        for index in range(count):
            other = index + self.below(of - index)
            numbers[index], numbers[other] = numbers[other], numbers[index]
        return numbers[:count]
