"""Near-duplicates in data files without a recipe, and rows of theirs that a mixture has already."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, NamedTuple, get_args

import numpy as np
import polars as pl
from pydantic import ValidationError

from tulu_data.building.build import DEFAULT_MEMORY, look, measure, prepare, store
from tulu_data.building.compare import Looker
from tulu_data.building.decide import check_memory, decide
from tulu_data.building.decision import Decision
from tulu_data.building.run import Units
from tulu_data.building.shards import SHARD_ROWS, messages_at
from tulu_data.characters import storable
from tulu_data.errors import UsageError, did_you_mean, printable
from tulu_data.executors import Executor
from tulu_data.executors.progress import Progress
from tulu_data.mixture.mixture import Mixture
from tulu_data.recipe.plan import Plan
from tulu_data.recipe.recipe import Recipe
from tulu_data.rows.rows import On
from tulu_data.sources.parquet import Parquet
from tulu_data.sources.source import Source
from tulu_data.stages.minhash_dedup import PRESETS, MinhashDedup
from tulu_data.store.workspace import Workspace
from tulu_data.without_recipe.files import Findings

MIXTURE = "mixture"
"""The source that the rows of a mixture are, where no file is named so."""


def stage_of(preset: str, on: str | None, threshold: str, *, within: bool) -> MinhashDedup:
    """The stage that the command asks for.

    Raises `UsageError` (exit 2) for a preset, messages or a threshold that there are not.
    """
    if preset not in PRESETS:
        raise UsageError(
            f"no preset '{printable(preset, 60)}'{did_you_mean(preset, PRESETS)}; there are {', '.join(PRESETS)}"
        )
    if on is not None and on not in get_args(On):
        raise UsageError(f"--on {printable(on, 60)}: there are {', '.join(get_args(On))}")
    values: dict[str, Any] = {"preset": preset, "on": on or "conversation", "scope": "within" if within else "across"}
    try:
        return MinhashDedup.model_validate({**values, "threshold": threshold, "max_removed": 1})
    except ValidationError as error:
        raise UsageError(f"--threshold {printable(threshold, 60)}: {error.errors()[0]['msg'].lower()}") from None


class Place(NamedTuple):
    """Where a row is: its file and number there; `id` where it is a row of the mixture."""

    file: str
    row: int
    id: str | None = None

    def __str__(self) -> str:
        return self.id or f"{self.file}:{self.row}"


@dataclass(frozen=True)
class Cluster:
    """A twin and the rows that are near it: their number, and that one which is farthest from it."""

    rows: int
    twin: Place
    messages: tuple[tuple[str, str], ...]
    farthest: Place
    jaccard: float
    farthest_messages: tuple[tuple[str, str], ...]

    def as_values(self) -> dict[str, Any]:
        """The cluster as plain values, for JSON."""
        return {**asdict(self), "twin": self.twin._asdict(), "farthest": self.farthest._asdict()}


@dataclass(frozen=True)
class Duplicates(Findings):
    """Near-duplicates in some sources.

    `rows` has beside the place of each its `jaccard`, `estimated`, `cluster` and its twin's
    place: `twin_file`, `twin_row`, and `twin_id` where it is a row of the mixture. `sources`
    counts whose rows are near whose: `source`, `twin_source`, `rows`.
    """

    kind: ClassVar = "duplicates"

    sources: pl.DataFrame
    twins: Mapping[int, tuple[int, int]]
    """Of each cluster the twin's shard, and its position there."""

    def as_values(self, limit: int, written: Iterable[Path] = ()) -> dict[str, Any]:
        """What was found as plain values, for JSON: `limit` of the clusters, and the files that were `written`."""
        return {
            "rows": self.counts_of_places(),
            "sources": self.sources.to_dicts(),
            "clusters": [cluster.as_values() for cluster in self.largest(limit)],
            "written": [str(path) for path in written],
        }

    def largest(self, limit: int) -> list[Cluster]:
        """The largest clusters."""
        found = []
        for number in range(1, min(limit, len(self.twins)) + 1):
            own = self.rows.filter(pl.col("cluster") == number)
            far = own.sort("jaccard", "source", "file", "number").row(0, named=True)
            shard, row = self.twins[number]
            found.append(
                Cluster(
                    rows=len(own) + 1,
                    twin=Place(far["twin_file"], far["twin_row"], far["twin_id"]),
                    messages=tuple(messages_at(self.shards[shard], row)),
                    farthest=Place(self.paths[far["source"], far["file"]], far["number"]),
                    jaccard=far["jaccard"],
                    farthest_messages=tuple(messages_at(self.shards[far["shard"]], far["row"])),
                )
            )
        return found


def examine(
    found: Mapping[str, Source],
    stage: MinhashDedup,
    mixture: Mixture | None,
    workspace: Workspace,
    executor: Executor,
    progress: Progress,
    *,
    memory: int = DEFAULT_MEMORY,
) -> Duplicates:
    """Find near-duplicates in some sources, and in these of a mixture's rows, which stay. Nothing is written.

    What was read and measured before is found again, a mixture's rows too.
    """
    sources = dict(found)
    own = next(
        name for name in (MIXTURE, *(f"{MIXTURE}-{number}" for number in range(len(found)))) if name not in found
    )
    if mixture is not None:
        sources[own] = Parquet(parquet=tuple(str(path) for path in mixture.data))
        stage = stage.model_copy(update={"protect": (own,)})
    recipe = Recipe(name="duplicates", sources=sources, stages=(stage,))
    with workspace.held():
        surveyed = look(recipe, workspace, executor, trust_mtime=False, progress=progress)
        recipe = prepare(recipe, workspace, trust_mtime=False, progress=progress)
        plan = Plan.of(recipe)
        _, shards = store(surveyed, plan, workspace, SHARD_ROWS, None, executor, Units(), progress)
        check_memory(sum(shard.rows for shard in shards), plan, memory)
        measured = measure(surveyed, plan, shards, workspace, executor, Units(), progress)
        with progress.phase("decide", None, "rows"):
            decision = decide(
                recipe, plan, shards, measured.tables, Looker(shards, measured.tables, workspace, executor)
            )
    evidence = decision.evidence[stage.name()]
    paths = {(survey.name, file.sha256): storable(file.path) for survey in surveyed for file in reversed(survey.files)}
    ids = {} if mixture is None else {str(path): mixture.read(path, ["id"])["id"] for path in mixture.data}
    twins = [_twin(decision, row, paths, ids) for row in evidence["twin"].to_list()]
    rows = _placed(decision, evidence["row"].to_numpy()).with_columns(
        *(evidence[name] for name in ("reason", "jaccard", "estimated", "cluster")),
        pl.Series("twin_file", [twin.file for twin in twins], dtype=pl.String),
        pl.Series("twin_row", [twin.row for twin in twins], dtype=pl.Int64),
        pl.Series("twin_id", [twin.id for twin in twins], dtype=pl.String),
    )
    clusters = evidence.unique("cluster").sort("cluster")
    places = _placed(decision, clusters["twin"].to_numpy()).select("shard", "row").rows()
    reports = decision.reports.get(stage.name(), {})
    result = Duplicates(
        surveyed=tuple(survey for survey in surveyed if survey.name in found),
        shards=tuple(shards),
        rows=rows.sort("source", "file", "number"),
        sources=reports["sources"].frame if reports else pl.DataFrame(),
        twins=dict(zip(clusters["cluster"].to_list(), places, strict=True)),
    )
    named = {**result.places, **({own: f"{mixture.manifest['name']}@{mixture.version}"} if mixture else {})}
    return replace(result, sources=result.sources.with_columns(pl.col(pl.String).replace(named)))


def _twin(decision: Decision, row: int, paths: Mapping[tuple[str, str], str], ids: Mapping[str, Any]) -> Place:
    path = paths[decision.sources[decision.source[row]], decision.files[decision.file[row]]]
    number = int(decision.place[row])
    return Place(path, number, ids[path][number - 1] if path in ids else None)


def _placed(decision: Decision, rows: np.ndarray[Any, Any]) -> pl.DataFrame:
    """Where some rows are, as `Findings` has it."""
    shards = decision.starts.searchsorted(rows, "right") - 1
    return pl.DataFrame(
        {
            "source": [decision.sources[source] for source in decision.source[rows]],
            "file": [decision.files[file] for file in decision.file[rows]],
            "number": decision.place[rows],
            "shard": shards,
            "row": rows.astype(np.int64) - decision.starts[shards],
        },
        schema={"source": pl.String, "file": pl.String, "number": pl.Int64, "shard": pl.Int64, "row": pl.Int64},
    )
