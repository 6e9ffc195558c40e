"""Find near-duplicates in data files without a recipe, also of the rows of a mixture."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import polars as pl

from tulu_data.building.build import DEFAULT_MEMORY
from tulu_data.building.decision import Decision
from tulu_data.building.engine import Engine
from tulu_data.building.examine import examine, survey_inputs
from tulu_data.building.shards import turns_at
from tulu_data.characters import storable
from tulu_data.errors import UsageError, did_you_mean, printable
from tulu_data.executors import Executor
from tulu_data.executors.inline import Inline
from tulu_data.executors.progress import Progress, Silent
from tulu_data.mixture.mixture import Mixture
from tulu_data.recipe.recipe import Recipe
from tulu_data.sources.parquet import Parquet
from tulu_data.stages.minhash_dedup import PRESETS, MinhashDedup
from tulu_data.store.workspace import Workspace
from tulu_data.without_recipe.files import Data, Findings, made, placed, sources_in

MIXTURE = "mixture"
"""The name of the source with the rows of a mixture, unless a file has it."""


def stage_of(preset: str, on: str | None, threshold: str, *, within: bool) -> MinhashDedup:
    """The stage that the command asks for.

    Raises `UsageError` (exit 2) for an unknown preset, unknown messages or an invalid threshold.
    """
    if preset not in PRESETS:
        raise UsageError(
            f"no preset '{printable(preset, 60)}'{did_you_mean(preset, PRESETS)}; there are {', '.join(PRESETS)}"
        )
    scope = "within" if within else "across"
    values = {"preset": preset, "scope": scope, "threshold": threshold, "max_removed": 1}
    return made(MinhashDedup, values, on, threshold)


class Place(NamedTuple):
    """The place of a row: its file and number there; `id` if it is a row of the mixture."""

    file: str
    row: int
    id: str | None = None

    def __str__(self) -> str:
        return self.id or f"{self.file}:{self.row}"


@dataclass(frozen=True)
class Cluster:
    """A twin and the rows near it: their number, and the one that is farthest from it."""

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
    """The result of `dedup`: near-duplicates in some sources.

    `rows` has, beside the place of each, its `jaccard`, `estimated`, `cluster` and its twin's
    place: `twin_file`, `twin_row`, and `twin_id` if it is a row of the mixture. `sources`
    counts whose rows are near whose: `source`, `twin_source`, `rows`.
    """

    kind: ClassVar = "duplicates"

    sources: pl.DataFrame
    twins: Mapping[int, tuple[int, int]]
    """The shard of each cluster's twin, and its position there."""

    def as_values(self, limit: int, written: Iterable[Path] = ()) -> dict[str, Any]:
        """The result as plain values, for JSON: at most `limit` of the clusters, and the files that were `written`."""
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
                    messages=self._texts(shard, row),
                    farthest=Place(self.paths[far["source"], far["file"]], far["number"]),
                    jaccard=far["jaccard"],
                    farthest_messages=self._texts(far["shard"], far["row"]),
                )
            )
        return found

    def _texts(self, shard: int, row: int) -> tuple[tuple[str, str], ...]:
        return tuple((turn.speaker, turn.text) for turn in turns_at(self.shards[shard], row))


def dedup(
    data: Data,
    preset: str = "fineweb",
    *,
    on: str | None = None,
    threshold: str = "0.8",
    within: bool = False,
    against: Mixture | None = None,
    memory: int = DEFAULT_MEMORY,
    workspace: Path = Path(".tulu-data"),
    executor: Executor | None = None,
    progress: Progress | None = None,
) -> Duplicates:
    """Find near-duplicates in files or datasets, also of a mixture's rows. Only the workspace is written.

        found = dedup("chats.jsonl", threshold="0.7")
        found.counts(), found.sources, found.largest(10)
        found.write(Path("chats-without"))

    `data` are places as the command takes them, or sources by name. `within` compares the rows
    of each place only with each other; rows of the mixture `against` are all kept, and others are
    removed in favour of them. `memory` is what deciding may use, in bytes. Rows that were read and
    measured before, a mixture's too, are not read again.

    Raises `UsageError` (exit 2) for unknown places or options, `InputError` (exit 3) for files that
    can't be read, and `ResourceError` (exit 6) if the memory does not suffice.
    """
    found = sources_in(data)
    sources = dict(found)
    stage = stage_of(preset, on, threshold, within=within)
    own = next(
        name for name in (MIXTURE, *(f"{MIXTURE}-{number}" for number in range(len(found)))) if name not in found
    )
    if against is not None:
        sources[own] = Parquet(parquet=tuple(str(path) for path in against.data))
        stage = stage.model_copy(update={"protect": (own,)})
    recipe = Recipe(name="duplicates", sources=sources, stages=(stage,))
    engine = Engine(Workspace(workspace), executor or Inline(), progress or Silent(), memory=memory)
    with engine.workspace.held():
        examined = examine(survey_inputs(recipe, engine), engine)
    decision = examined.decision
    evidence = decision.evidence[stage.name()]
    files = [(source.name, file) for source in examined.surveyed for file in reversed(source.files)]
    paths = {(name, file.sha256): storable(file.path) for name, file in files}
    ids = {} if against is None else {str(path): against.read(path, ["id"])["id"] for path in against.data}
    twins = [_twin(decision, row, paths, ids) for row in evidence["twin"].to_list()]
    rows = placed(decision, evidence["row"]).with_columns(
        *(evidence[name] for name in ("reason", "jaccard", "estimated", "cluster")),
        pl.Series("twin_file", [twin.file for twin in twins], dtype=pl.String),
        pl.Series("twin_row", [twin.row for twin in twins], dtype=pl.Int64),
        pl.Series("twin_id", [twin.id for twin in twins], dtype=pl.String),
    )
    clusters = evidence.unique("cluster").sort("cluster")
    places = placed(decision, clusters["twin"]).select("shard", "row").rows()
    reports = decision.reports.get(stage.name(), {})
    result = Duplicates(
        surveyed=tuple(source for source in examined.surveyed if source.name in found),
        shards=examined.shards,
        rows=rows.sort("source", "file", "number"),
        sources=reports["sources"].frame if reports else pl.DataFrame(),
        twins=dict(zip(clusters["cluster"].to_list(), places, strict=True)),
    )
    named = {**result.places, **({own: f"{against.manifest['name']}@{against.version}"} if against else {})}
    return replace(result, sources=result.sources.with_columns(pl.col(pl.String).replace(named)))


def _twin(decision: Decision, row: int, paths: Mapping[tuple[str, str], str], ids: Mapping[str, Any]) -> Place:
    path = paths[decision.sources[decision.source[row]], decision.files[decision.file[row]]]
    number = int(decision.place[row])
    return Place(path, number, ids[path][number - 1] if path in ids else None)
