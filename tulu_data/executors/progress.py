"""Progress of long work, reported to whatever displays it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

from tulu_data.executors import Tick


class Progress(Protocol):
    """A display of progress."""

    def phase(self, name: str, total: float | None, unit: str) -> AbstractContextManager[Tick]:
        """Begin a phase; call the function that it gives with the units done since the last call."""
        ...


class Timed:
    """Measures the seconds of each phase, and passes progress on."""

    def __init__(self, progress: Progress) -> None:
        self.progress = progress
        self.seconds: dict[str, float] = {}

    @contextmanager
    def phase(self, name: str, total: float | None, unit: str) -> Iterator[Tick]:
        start = time.perf_counter()
        with self.progress.phase(name, total, unit) as tick:
            yield tick
        self.seconds[name] = round(time.perf_counter() - start, 3)


class Silent:
    """Displays nothing."""

    @contextmanager
    def phase(self, name: str, total: float | None, unit: str) -> Iterator[Tick]:
        yield lambda done: None
