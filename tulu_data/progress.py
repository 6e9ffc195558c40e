"""How long work tells how far it is, without knowing who listens."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

from tulu_data.executors import Tick


class Progress(Protocol):
    """Somebody who wants to know."""

    def phase(self, name: str, total: float | None, unit: str) -> AbstractContextManager[Tick]:
        """A phase begins; call what it gives with the units done since the last call."""
        ...


class Silent:
    """Nobody is listening."""

    @contextmanager
    def phase(self, name: str, total: float | None, unit: str) -> Iterator[Tick]:
        yield lambda done: None
