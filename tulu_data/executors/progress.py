"""How long work tells how far it is, without knowing who listens."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

from tulu_data.executors import Tick


class Progress(Protocol):
    """Somebody who wants to know."""

    def phase(self, name: str, total: float | None, unit: str) -> AbstractContextManager[Tick]:
        """A phase begins; call what it gives with the units done since the last call."""
        ...


class Timed:
    """Takes the seconds of each phase, for somebody who listens."""

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
    """Nobody is listening."""

    @contextmanager
    def phase(self, name: str, total: float | None, unit: str) -> Iterator[Tick]:
        yield lambda done: None
