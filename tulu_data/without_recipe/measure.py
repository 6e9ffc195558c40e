"""The measures of a stage as a frame, for a notebook in which a threshold is chosen."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import polars as pl

from tulu_data.building.engine import Engine
from tulu_data.building.examine import measure_rows, read_rows, survey_inputs
from tulu_data.building.inputs import Surveyed
from tulu_data.building.measures import Measures
from tulu_data.characters import storable
from tulu_data.errors import UsageError
from tulu_data.executors import Executor
from tulu_data.executors.inline import Inline
from tulu_data.executors.progress import Progress, Silent
from tulu_data.recipe.recipe import Recipe
from tulu_data.stage import Filter, Mapper, Resolver
from tulu_data.store import parquet
from tulu_data.store.workspace import Workspace
from tulu_data.without_recipe.files import Data, sources_in


def measure(
    stage: Filter | Resolver,
    data: Data | Recipe,
    *,
    limit: int | None = None,
    workspace: Path = Path(".tulu-data"),
    executor: Executor | None = None,
    progress: Progress | None = None,
) -> pl.DataFrame:
    """Measure every row of files, datasets or a recipe's sources by a stage. Only the workspace is written.

        measures = measure(LengthFilter(), "chats.jsonl")
        measures.group_by("source").agg(pl.col("characters").quantile(0.95))

    `data` are places as `tulu-data dedup` takes them, sources by name, or a recipe; its stages
    that rewrite text run before. `limit` takes the first rows of each source. Columns: `source`,
    `file` (its path), `row` (the number of the record in it, from 1), and those that the stage
    measures. Builds and this function use the same stored measures.

    Raises `UsageError` (exit 2) for a stage that measures nothing, and `InputError` (exit 3) for
    files that can't be read.
    """
    if not stage.is_measured:
        raise UsageError(f"stage {stage.name()}: measures nothing; it judges by what other stages give")
    if isinstance(data, Recipe):
        recipe = data.with_stages([*(mapper for mapper in data.stages if isinstance(mapper, Mapper)), stage])
    else:
        recipe = Recipe(name="measures", sources=sources_in(data), stages=(stage,))
    engine = Engine(Workspace(workspace), executor or Inline(), progress or Silent(), limit=limit)
    with engine.workspace.held():
        inputs = survey_inputs(recipe, engine)
        surveyed, shards = read_rows(inputs, engine)
        measures = measure_rows(surveyed, shards, inputs.plan, engine)
        (step,) = inputs.plan.steps
        frames = list(_frames(step.name, surveyed, measures))
    return pl.concat(frames, how="vertical_relaxed") if frames else pl.DataFrame()


def _frames(step: str, surveyed: Sequence[Surveyed], measures: Measures) -> Iterator[pl.DataFrame]:
    paths = {(source.name, file.sha256): storable(file.path) for source in surveyed for file in reversed(source.files)}
    for shard, tables in zip(measures.shards, measures.tables, strict=True):
        if shard.rows and tables[step].path.is_file():
            files = pl.Series("file", [paths[shard.source, file.file] for file in shard.files], dtype=pl.String)
            places = pl.DataFrame(
                [files.gather(shard.file_of_rows()), parquet.read_frame(shard.table.path, ["row"])["row"]]
            )
            named = places.select(pl.lit(shard.source).alias("source"), "file", "row")
            yield pl.concat([named, parquet.read_frame(tables[step].path)], how="horizontal")
