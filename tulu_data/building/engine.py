"""The engine that does the work of a build, and of the commands without a recipe."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from tulu_data.building.shards import SHARD_ROWS
from tulu_data.executors import Executor
from tulu_data.executors.inline import Inline
from tulu_data.executors.progress import Progress, Silent
from tulu_data.store.durable import sha256_file
from tulu_data.store.workspace import Workspace


@dataclass
class Units:
    """How many units of work were done, and how many had been done before."""

    done: dict[str, int] = field(default_factory=dict)
    found: dict[str, int] = field(default_factory=dict)

    def count(self, phase: str, *, done: int, found: int) -> None:
        self.done[phase] = self.done.get(phase, 0) + done
        self.found[phase] = self.found.get(phase, 0) + found


@dataclass(frozen=True)
class Engine:
    """Where work is done, where its results are stored, and where progress is reported.

    `trust_mtime`, `shard_rows` and `limit` are as in `build`; `memory` is how many bytes
    deciding may use, without a limit if it is None. `units` counts the work that was done.
    """

    workspace: Workspace
    executor: Executor = field(default_factory=Inline)
    progress: Progress = field(default_factory=Silent)
    trust_mtime: bool = False
    shard_rows: int = SHARD_ROWS
    limit: int | None = None
    memory: int | None = None
    units: Units = field(default_factory=Units)

    def input_digest(self, file: Path) -> str:
        """The sha256 of a file that is read; it is remembered."""
        return self.workspace.digest_of(file, trust_mtime=self.trust_mtime)

    def output_digest(self, file: Path) -> str:
        """The sha256 of a file that was written; it is remembered where times are trusted."""
        return self.input_digest(file) if self.trust_mtime else sha256_file(file)
