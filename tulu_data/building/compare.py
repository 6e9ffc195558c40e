"""See chosen rows of the store once more, for stages that compare their texts.

What a stage says of them lies in one file of the workspace, under the digest of the measures
that they were chosen by and of the choice, so that another threshold looks at nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

from tulu_data.building.shards import Shard, batches
from tulu_data.executors import Executor, Tick
from tulu_data.recipe.plan import Step
from tulu_data.rows.rows import Rows
from tulu_data.stage import Comparer, blamed, returned
from tulu_data.store.durable import whole
from tulu_data.store.keys import key_of
from tulu_data.store.workspace import Table, Workspace


@dataclass(frozen=True)
class LookUnit:
    """The chosen rows of one shard, by their places in it: a unit of work. What is said of them begins at `start`."""

    shard: Shard
    stage: Comparer
    places: npt.NDArray[np.int64]
    room: npt.NDArray[np.int64]
    file: Path
    start: int

    @property
    def rows(self) -> int:
        return len(self.places)

    def __str__(self) -> str:
        return f"comparing rows of {self.shard} of {self.shard.source}"


def look_at_shard(unit: LookUnit, tick: Tick) -> None:
    """Read one shard, and write what the stage says of the chosen rows into their part of the file."""
    stage = unit.stage.measuring()
    with unit.file.open("r+b") as file:
        file.seek(unit.start * 8)
        before = done = 0
        for rows in batches(unit.shard, stage.reads):
            until = int(np.searchsorted(unit.places, before + len(rows)))
            if until > done:
                chosen = Rows(rows.batch.take(pa.array(unit.places[done:until] - before)))
                starts = np.concatenate([[0], np.cumsum(unit.room[done:until])])
                with blamed(stage):
                    said = stage.look(chosen, starts)
                returned(stage, "look", said, np.ndarray, "an array of numbers")
                file.write(said.tobytes())
                tick(until - done)
            before, done = before + len(rows), until


@dataclass(frozen=True)
class Looker:
    """Looks at rows of a store, whose measures are there; `used` are the files that it took or made."""

    shards: Sequence[Shard]
    tables: Sequence[Mapping[str, Table]]
    workspace: Workspace
    executor: Executor
    used: list[Table] = field(default_factory=list)

    def look(self, step: Step, shortlist: pl.DataFrame) -> npt.NDArray[np.uint64]:
        """What a step's stage says of the rows of its shortlist that have `room`, in the order of `row`, mapped."""
        chosen = shortlist.select("row", "room").filter(pl.col("room") > 0).sort("row")
        rows, room = (chosen[name].to_numpy().astype(np.int64) for name in ("row", "room"))
        if not len(rows):
            return np.empty(0, np.uint64)
        table = self.workspace.looks(
            step.stage.name(),
            key_of(
                measures=[tables[step.name].path.stem for tables in self.tables],
                rows=hashlib.sha256(rows.tobytes()).hexdigest(),
                room=hashlib.sha256(room.tobytes()).hexdigest(),
            ),
        )
        self.used.append(table)
        if table.note() is None:
            with whole(self.workspace.prepare(table.path)) as file:
                file.truncate(int(room.sum()) * 8)
                units = self._units(step, rows, room, Path(file.name))
                for _ in self.executor.run(look_at_shard, units, lambda rows: None):
                    pass
            table.finish()
        return np.memmap(table.path, np.uint64, mode="r")

    def _units(
        self, step: Step, rows: npt.NDArray[np.int64], room: npt.NDArray[np.int64], file: Path
    ) -> Iterator[LookUnit]:
        assert isinstance(step.stage, Comparer)
        bounds = np.cumsum([0, *(shard.rows for shard in self.shards)])
        ends = np.concatenate([[0], np.cumsum(room)])
        for index, shard in enumerate(self.shards):
            first, last = np.searchsorted(rows, bounds[index : index + 2])
            if last > first:
                yield LookUnit(
                    shard, step.stage, rows[first:last] - bounds[index], room[first:last], file, int(ends[first])
                )
