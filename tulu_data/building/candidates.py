"""Read the candidates of stages that compare texts: the few rows whose measures are not enough to decide.

The result is cached in one file of the workspace, under a key of the measures and the chosen
rows, so that a different threshold reads no text.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

from tulu_data.building.engine import Engine
from tulu_data.building.measures import Measures
from tulu_data.building.shards import Shard, batches
from tulu_data.executors import Tick
from tulu_data.recipe.plan import Step
from tulu_data.stage import Comparer, blamed, returned
from tulu_data.store.durable import whole
from tulu_data.store.keys import key_of
from tulu_data.store.workspace import CachedTable


@dataclass(frozen=True)
class CandidateUnit:
    """The candidates of one shard, by their positions in it: a unit of work.

    Row i has `room[i]` numbers in `file`; those of the first row begin at number `start`.
    """

    shard: Shard
    stage: Comparer
    positions: npt.NDArray[np.int64]
    room: npt.NDArray[np.int64]
    file: Path
    start: int

    @property
    def rows(self) -> int:
        return len(self.positions)

    def __str__(self) -> str:
        return f"comparing rows of {self.shard} of {self.shard.source}"


def read_candidates(unit: CandidateUnit, tick: Tick) -> None:
    """Read one shard, and write the stage's numbers for its candidates into their part of the file."""
    stage = unit.stage.measuring()
    with unit.file.open("r+b") as file:
        file.seek(unit.start * 8)
        before = done = 0
        for rows in batches(unit.shard, stage.columns_of(unit.shard.kind)):
            until = int(np.searchsorted(unit.positions, before + len(rows)))
            if until > done:
                chosen = rows.take(unit.positions[done:until] - before)
                starts = np.concatenate([[0], np.cumsum(unit.room[done:until])])
                with blamed(stage):
                    numbers = stage.read(chosen, starts)
                returned(stage, "read", numbers, np.ndarray, "an array of numbers")
                file.write(numbers.tobytes())
                tick(until - done)
            before, done = before + len(rows), until


@dataclass(frozen=True)
class CandidateReader:
    """Reads candidates from the shards that were measured; `used` are the tables that it found or made."""

    measures: Measures
    engine: Engine
    used: list[CachedTable] = field(default_factory=list)

    def read(self, step: Step, candidates: pl.DataFrame) -> npt.NDArray[np.uint64]:
        """The numbers that a step's stage reads of its candidates with `room`, in the order of `row`, memory-mapped."""
        chosen = candidates.select("row", "room").filter(pl.col("room") > 0).sort("row")
        rows, room = (chosen[name].to_numpy().astype(np.int64) for name in ("row", "room"))
        if not len(rows):
            return np.empty(0, np.uint64)
        table = self.engine.workspace.candidates(
            step.stage.name(),
            key_of(
                measures=[tables[step.name].path.stem for tables in self.measures.tables],
                rows=hashlib.sha256(rows.tobytes()).hexdigest(),
                room=hashlib.sha256(room.tobytes()).hexdigest(),
            ),
        )
        self.used.append(table)
        if table.note() is None:
            with whole(self.engine.workspace.make_place(table.path)) as file:
                file.truncate(int(room.sum()) * 8)
                units = self._units(step, rows, room, Path(file.name))
                for _ in self.engine.executor.run(read_candidates, units, lambda rows: None):
                    pass
            table.finish()
        return np.memmap(table.path, np.uint64, mode="r")

    def _units(
        self, step: Step, rows: npt.NDArray[np.int64], room: npt.NDArray[np.int64], file: Path
    ) -> Iterator[CandidateUnit]:
        assert isinstance(step.stage, Comparer)
        shards = self.measures.shards
        bounds = np.cumsum([0, *(shard.rows for shard in shards)])
        ends = np.concatenate([[0], np.cumsum(room)])
        for index, shard in enumerate(shards):
            first, last = np.searchsorted(rows, bounds[index : index + 2])
            if last > first:
                yield CandidateUnit(
                    shard, step.stage, rows[first:last] - bounds[index], room[first:last], file, int(ends[first])
                )
