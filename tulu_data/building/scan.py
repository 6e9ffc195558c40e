"""Measure every shard of the store once, for all stages that have not measured it yet."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import NamedTuple

import polars as pl
import pyarrow.parquet as pq

from tulu_data.building.measures import Measures
from tulu_data.building.shards import Shard, batches
from tulu_data.errors import InvariantError, RowError
from tulu_data.executors import Tick
from tulu_data.recipe.plan import Plan, Step
from tulu_data.stage import Filter, Resolver, Stage, blamed, place_of, returned
from tulu_data.store import parquet
from tulu_data.store.workspace import CachedTable, Workspace


class Task(NamedTuple):
    """A step that is to measure a shard, and the table for its measures."""

    step: Step
    table: CachedTable


@dataclass(frozen=True)
class ScanUnit:
    """One shard and the steps that have not measured it: a unit of work."""

    shard: Shard
    tasks: tuple[Task, ...]
    workspace: Workspace

    @property
    def rows(self) -> int:
        return self.shard.rows * len(self.tasks)

    def __str__(self) -> str:
        steps = ", ".join(task.step.name for task in self.tasks)
        return f"measuring {self.shard} of {self.shard.source} by {steps}"


class Scan(NamedTuple):
    """The work that is left: `units` are to be measured; `found` counts the measures that are there already.

    `checks` are measures that are there, one for each step, drawn anew in each build, to be measured again.
    """

    measures: Measures
    units: list[ScanUnit]
    found: int
    checks: list[ScanUnit]


def what_to_measure(plan: Plan, shards: Sequence[Shard], workspace: Workspace) -> Scan:
    """Find out which shards each step has yet to measure."""
    tables: list[dict[str, CachedTable]] = []
    units: list[ScanUnit] = []
    known: dict[str, list[ScanUnit]] = {}
    for shard in shards:
        own: dict[str, CachedTable] = {}
        missing = []
        for step in plan.steps:
            key = step.measures_key(f"{shard.key}/{shard.number}")
            own[step.name] = workspace.measures(step.stage.name(), key)
            if step.stage.is_measured and step.stage.applies_to(shard.source):
                task = Task(step, own[step.name])
                if task.table.note() is None:
                    missing.append(task)
                else:
                    known.setdefault(step.name, []).append(ScanUnit(shard, (task,), workspace))
        tables.append(own)
        if missing:
            units.append(ScanUnit(shard, tuple(missing), workspace))
    # Nobody can predict which ones, not even somebody who could write them.
    checks = [secrets.choice(found) for found in known.values()]
    return Scan(Measures(tuple(shards), tuple(tables)), units, sum(map(len, known.values())), checks)


def scan_shard(unit: ScanUnit, tick: Tick) -> int:
    """Read one shard once and write the measures of each of the unit's steps; return the number of steps."""
    for task, measures in zip(unit.tasks, _measure(unit.shard, [task.step for task in unit.tasks], tick), strict=True):
        parquet.write_frame(unit.workspace.make_place(task.table.path), measures, parquet.WORKING)
        task.table.finish()
    return len(unit.tasks)


def check_shard(unit: ScanUnit, tick: Tick) -> None:
    """Measure again a shard that was measured before.

    Raises `InvariantError` (exit 1) where it differs: the stage's measures depend on
    something that is not in their key.
    """
    shard, task = unit.shard, unit.tasks[0]
    (measured,) = _measure(shard, [task.step], tick)
    if not measured.equals(parquet.read_frame(task.table.path)):
        raise InvariantError(
            f"stage {task.step.name}: measured {shard} again, and it differs; "
            f"its measures must depend on nothing but the row and the options. Remove {task.table.path} and report it"
        )


def _measure(shard: Shard, steps: Sequence[Step], tick: Tick) -> list[pl.DataFrame]:
    pieces: list[list[pl.DataFrame]] = [[] for _ in steps]
    stages = [step.stage.measuring() for step in steps]
    columns = sorted({name for stage in stages for name in stage.columns_of(shard.kind)})
    before = 0
    for rows in batches(shard, columns):
        for stage, measured in zip(stages, pieces, strict=True):
            with blamed(stage), _placed(stage, shard, before):
                made = stage.measure(rows.select(stage.columns_of(rows.kind)))
            frame = returned(stage, "measure", made, pl.DataFrame, "a polars DataFrame with a line for each row")
            if len(frame) != len(rows):
                raise InvariantError(f"stage {place_of(stage, 'measure')}: measured {len(frame)} rows of {len(rows)}")
            measured.append(frame)
        before += len(rows)
        tick(len(rows))
    return [_joined(stage, frames) for stage, frames in zip(stages, pieces, strict=True)]


def _joined(stage: Filter | Resolver, frames: Sequence[pl.DataFrame]) -> pl.DataFrame:
    try:
        return pl.concat(frames) if frames else pl.DataFrame()
    except pl.exceptions.PolarsError as error:
        raise InvariantError(
            f"stage {place_of(stage, 'measure')}: measure returned other columns for some rows ({error})"
        ) from error


@contextmanager
def _placed(stage: Stage, shard: Shard, before: int) -> Iterator[None]:
    """Add the file and the record's number to the error of a row that a stage refuses."""
    try:
        yield
    except RowError as error:
        numbers = pq.read_table(shard.table.path, columns=["row"])["row"]
        record = numbers[before + error.row].as_py()
        file = shard.files[shard.file_of_rows()[before + error.row]].file
        raise RowError(record, f"stages.{stage.name()}: {error}", shard.source, file) from None
