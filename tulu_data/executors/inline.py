"""Run units one after the other, in this process."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from tulu_data.executors import AnyUnit, Result, Tick


class Inline:
    """The executor without workers."""

    workers = 1

    def run(self, work: Callable[[AnyUnit, Tick], Result], units: Iterable[AnyUnit], tick: Tick) -> Iterator[Result]:
        return (work(unit, tick) for unit in units)
