"""Executors run units of work and return their results in order."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Protocol, TypeVar


class Unit(Protocol):
    """A piece of work that can be pickled, and done twice without harm. `str()` names it in messages."""

    @property
    def rows(self) -> int:
        """About how many rows it works on."""
        ...


AnyUnit = TypeVar("AnyUnit", bound=Unit)
Result = TypeVar("Result")
Tick = Callable[[int], None]


class Executor(Protocol):
    """Runs one function of a module over many units.

    Results come in the order of the units; the first error stops the rest.
    """

    workers: int
    """How many units run at a time."""

    def run(self, work: Callable[[AnyUnit, Tick], Result], units: Iterable[AnyUnit], tick: Tick) -> Iterator[Result]:
        """The result of `work` for each unit; `tick` is called with the number of rows that are done."""
        ...
