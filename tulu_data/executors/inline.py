"""Run units one after the other, in this process."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

Unit = TypeVar("Unit")
Result = TypeVar("Result")


def run(work: Callable[[Unit], Result], units: Iterable[Unit]) -> Iterator[Result]:
    """What `work` returns for each unit, in order.

    >>> list(run(len, ["ab", "c"]))
    [2, 1]
    """
    return map(work, units)
