"""Find the items of an evaluation set that a mixture contains, so that a clean score can be reported."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import polars as pl
import pyarrow.parquet as pq

from tulu_data.building.engine import Engine
from tulu_data.building.examine import with_artifacts
from tulu_data.building.shards import BATCH_ROWS
from tulu_data.errors import UsageError
from tulu_data.evaluations import catalogue
from tulu_data.evaluations.evaluation_set import EvaluationSet
from tulu_data.executors import Executor, Tick
from tulu_data.executors.progress import Progress
from tulu_data.mixture.mixture import Mixture
from tulu_data.mixture.tables import check_values
from tulu_data.readers.parquet_batches import batches
from tulu_data.recipe.recipe import Recipe
from tulu_data.rows.kind import Kind
from tulu_data.rows.rows import Rows
from tulu_data.sources.parquet import Parquet
from tulu_data.stage import blamed
from tulu_data.stages.ngram_decontamination import NgramDecontamination
from tulu_data.store.durable import make_folders, write_text
from tulu_data.store.workspace import Workspace

_RULE: Final = {"rule", "n", "normaliser", "on", "statistic", "above", "at_least", "short_items"}
_FOUND: Final = {"id": pl.String, "item": pl.String, "value": pl.Float64}


@dataclass(frozen=True)
class Leaks:
    """The items of an evaluation set, with the rows of a mixture that contain them.

    `items` has a line for each item: `item`, `status` (contaminated, clean or unusable),
    `value` (the highest of its rows) and `rows` (their ids, sorted).
    """

    evaluation: str
    mixture: Mixture
    stage: NgramDecontamination
    items: pl.DataFrame

    def ids(self, status: str) -> list[str]:
        """The ids of the items of one status, in the order of the set."""
        return list(self.items.filter(pl.col("status") == status)["item"])

    @property
    def contaminated(self) -> pl.DataFrame:
        """The items that rows contain, those in most rows first."""
        held = self.items.filter(pl.col("status") == "contaminated")
        return held.sort(pl.col("rows").list.len(), "value", "item", descending=[True, True, False])

    def as_values(self) -> dict[str, Any]:
        """Everything as plain values: what `--json` prints, and `--out` writes."""
        stage = self.stage
        return {
            "evaluation": self.evaluation,
            "by": f"{self.mixture.manifest['name']}@{self.mixture.version}",
            "root": self.mixture.manifest["root"],
            "files": stage.facts()["evaluations"][self.evaluation]["files"],
            "rule": stage.model_dump(mode="json", exclude_none=True, include=_RULE),
            "items": len(self.items),
            "contaminated": [
                {"item": line["item"], "value": line["value"], "rows": line["rows"]}
                for line in self.contaminated.iter_rows(named=True)
            ],
            "clean": self.ids("clean"),
            "unusable": self.ids("unusable"),
        }

    def write(self, file: Path) -> None:
        """Write the items' ids by status as JSON; report a clean score on those of `clean`."""
        make_folders(file.parent)
        write_text(file, json.dumps(self.as_values(), indent=1, ensure_ascii=False) + "\n")


def described(evaluation: str, mixture: Mixture) -> EvaluationSet:
    """The evaluation set of this name in the mixture's own recipe, pinned as there, or else in the catalogue."""
    for step in mixture.steps:
        stage = mixture.stage_of(step)
        if isinstance(stage, NgramDecontamination) and evaluation in stage.against:
            return stage.against[evaluation]
    return catalogue.find(evaluation).items


def find(
    evaluation: str,
    mixture: Mixture,
    stage: NgramDecontamination,
    workspace: Workspace,
    executor: Executor,
    progress: Progress,
) -> Leaks:
    """Search a mixture's rows for the items of one evaluation set, the only one in the stage's `against`."""
    if list(stage.against) != [evaluation]:
        raise UsageError(f"one evaluation set at a time; these are {', '.join(stage.against)}")
    rows = Parquet(parquet=tuple(str(path) for path in mixture.data))
    recipe = Recipe(name="leaks", kind=mixture.kind.name, sources={"mixture": rows}, stages=(stage,))
    with workspace.held():
        (prepared,) = with_artifacts(recipe, Engine(workspace, executor, progress)).stages
        assert isinstance(prepared, NgramDecontamination)
        units = [_Unit(path, prepared, mixture.kind) for path in mixture.data]
        with progress.phase("scan", sum(unit.rows for unit in units), "rows") as tick:
            found = pl.concat([pl.DataFrame(schema=_FOUND), *executor.run(search, units, tick)])
    held = found.group_by("item").agg(
        pl.col("value").max(), pl.col("id").unique().sort().alias("rows"), pl.lit(value=True).alias("is_held")
    )
    kinds = prepared.items().join(held, on="item", how="left", maintain_order="left")
    status = (
        pl.when("is_held")
        .then(pl.lit("contaminated"))
        .when(pl.col("kind") == "unusable")
        .then(pl.lit("unusable"))
        .otherwise(pl.lit("clean"))
    )
    return Leaks(evaluation, mixture, prepared, kinds.select("item", status.alias("status"), "value", "rows"))


@dataclass(frozen=True)
class _Unit:
    """One file of a mixture to search: a unit of work."""

    path: Path
    stage: NgramDecontamination
    kind: Kind

    @property
    def rows(self) -> int:
        return int(pq.read_metadata(self.path).num_rows)

    def __str__(self) -> str:
        return f"searching {self.path}"


def search(unit: _Unit, tick: Tick) -> pl.DataFrame:
    """The pairs of a row's id and an item that the row contains, in one file."""
    stage = unit.stage.measuring()
    found = [pl.DataFrame(schema=_FOUND)]
    with pq.ParquetFile(unit.path, page_checksum_verification=True) as parquet:
        # A mixture without tool calls has no column for them.
        columns = [name for name in stage.columns_of(unit.kind) if name in parquet.schema_arrow.names]
        for batch in batches(unit.path, parquet, BATCH_ROWS, ["id", *columns]):
            check_values(unit.path.parents[1], f"data/{unit.path.name}", pl.DataFrame(batch), unit.kind)
            with blamed(stage):
                measures = stage.measure(Rows(batch.select(columns), unit.kind))
                numbers = pl.Series("row", np.arange(len(measures), dtype=np.uint32))
                matches = unit.stage.matches(measures.insert_column(0, numbers))
            ids = pl.Series("id", batch.column("id"), pl.String)
            found.append(matches.select(ids.gather(matches["row"]).alias("id"), "item", "value"))
            tick(batch.num_rows)
    return pl.concat(found)
