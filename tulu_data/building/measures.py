"""The measures of every shard by the steps of a plan, in the form in which steps are given them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import polars as pl

from tulu_data.building.decision import Decision
from tulu_data.building.shards import SHARD_ROWS, Shard
from tulu_data.errors import InputError, did_you_mean
from tulu_data.recipe.plan import Step
from tulu_data.stage import COLUMNS, blamed
from tulu_data.store import parquet
from tulu_data.store.workspace import CachedTable


class Measured(NamedTuple):
    """The input of a step for neighbouring rows of one source: `row`, the columns that it needs, and its measures."""

    source: str
    rows: slice
    given: pl.DataFrame


@dataclass(frozen=True)
class Measures:
    """The measures of every shard: `tables[i]` are those of shard i, by the step's name."""

    shards: tuple[Shard, ...]
    tables: tuple[Mapping[str, CachedTable], ...]

    def of(self, step: Step, decision: Decision) -> Iterator[Measured]:
        """The rows that a step applies to, in order; small shards of one source come together, to save calls."""
        for pack in self._packs():
            source = self.shards[pack[0]].source
            if step.stage.applies_to(source):
                own = slice(decision.rows_of(pack[0]).start, decision.rows_of(pack[-1]).stop)
                yield Measured(source, own, self._given(step, decision, pack, own))

    def _packs(self) -> Iterator[list[int]]:
        """Shards that have rows, by their numbers: neighbours of one source, up to the rows of one large shard."""
        pack: list[int] = []
        rows = 0
        for index, shard in enumerate(self.shards):
            if not shard.rows:
                continue
            if pack and (shard.source != self.shards[pack[0]].source or rows + shard.rows > SHARD_ROWS):
                yield pack
                pack, rows = [], 0
            pack.append(index)
            rows += shard.rows
        if pack:
            yield pack

    def _given(self, step: Step, decision: Decision, pack: Sequence[int], own: slice) -> pl.DataFrame:
        needs = step.stage.needs()
        frames = [
            pl.Series("row", np.arange(own.start, own.stop, dtype=np.uint32)).to_frame(),
            decision.columns[own].select(name for name in needs if name in COLUMNS),
        ]
        if step.stage.is_measured:
            with blamed(step.stage):
                frames.append(pl.concat([self._read(index, step.name) for index in pack], how="vertical_relaxed"))
        others = [name for name in needs if name not in COLUMNS]
        frames += [pl.concat([self._of_another(step, name, index) for index in pack]) for name in others]
        return pl.concat([frame for frame in frames if frame.width], how="horizontal")

    def _read(self, index: int, step: str) -> pl.DataFrame:
        return parquet.read_frame(self.tables[index][step].path)

    def _of_another(self, step: Step, name: str, index: int) -> pl.DataFrame:
        """A measure of an earlier step, as a number; null if that step does not judge the source."""
        other, _, column = name.partition(".")
        if not self.tables[index][other].path.is_file():
            return pl.DataFrame({name: pl.Series([None] * self.shards[index].rows, dtype=pl.Float64)})
        measured = self._read(index, other)
        if column not in measured.columns or not measured.schema[column].is_numeric():
            numbers = [known for known, kind in measured.schema.items() if kind.is_numeric()]
            raise InputError(
                f"stages.{step.name}: {other} measures no number '{column}'{did_you_mean(column, numbers)}; "
                f"there are {', '.join(numbers) or 'none'}"
            )
        return measured.select(pl.col(column).cast(pl.Float64).alias(name))
