"""Data files held against evaluation sets, without a recipe; and their copies without what was found."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final, get_args

import numpy as np
import polars as pl
from pydantic import ValidationError

from tulu_data import clean_copy, sources, table, verdicts
from tulu_data.build import look, measure, prepare, store
from tulu_data.commit import locked, make_folders, publish_folder, remove_folder, sha256_file
from tulu_data.errors import ConflictError, UsageError, did_you_mean, printable, told_of
from tulu_data.evaluations.evaluation_set import EvaluationSet, Item
from tulu_data.evaluations.rules import RULES
from tulu_data.executors import Executor
from tulu_data.explain import Explanation
from tulu_data.ingest import SHARD_ROWS, Shard, messages_at
from tulu_data.plan import Plan
from tulu_data.progress import Progress
from tulu_data.readers.stream import Stream, require_regular
from tulu_data.recipe import Recipe
from tulu_data.rows import On
from tulu_data.run import Units
from tulu_data.source import Source
from tulu_data.stage import blamed
from tulu_data.stages.ngram_decontamination import NgramDecontamination
from tulu_data.survey import Surveyed
from tulu_data.workspace import Workspace

REMOVED: Final = "removed.parquet"
_ENDINGS: Final = {
    ".jsonl": "jsonl",
    ".json": "jsonl",
    ".ndjson": "jsonl",
    ".csv": "csv",
    ".tsv": "tsv",
    ".parquet": "parquet",
}
_PARQUET: Final = b"PAR1"
_HUB: Final = re.compile(r"hf://datasets/(?P<name>[^/@]+/[^/@]+)(@(?P<revision>.+))?")


def stage_of(
    against: Mapping[str, EvaluationSet], rule: str, on: str | None = None, threshold: str | None = None
) -> NgramDecontamination:
    """The stage that a command asks for; a threshold takes the place of the rule's own.

    Raises `UsageError` (exit 2) for a rule, messages or a threshold that there are not.
    """
    if rule not in RULES:
        raise UsageError(f"no rule '{printable(rule, 60)}'{did_you_mean(rule, RULES)}; there are {', '.join(RULES)}")
    if on is not None and on not in get_args(On):
        raise UsageError(f"--on {printable(on, 60)}: there are {', '.join(get_args(On))}")
    values: dict[str, Any] = {"against": dict(against), "rule": rule}
    values |= {} if on is None else {"on": on}
    if threshold is not None:
        values["above" if RULES[rule].get("above") is not None else "at_least"] = threshold
    try:
        return NgramDecontamination.model_validate(values)
    except ValidationError as error:
        raise UsageError(f"--threshold {threshold}: {error.errors()[0]['msg'].lower()}") from None


def sources_of(data: Iterable[str], *, hub: Mapping[str, Any], options: Mapping[str, Any]) -> dict[str, Source]:
    """A source for each file, folder or `hf://datasets/ORG/NAME`, under a short name of its own.

    `hub` are options of datasets (`config`, `split`), `options` those of files
    (`header`, `records`) and of both (`format`). Raises `UsageError` (exit 2) for what is
    no file, or of no known kind.
    """
    found: dict[str, Source] = {}
    for place in dict.fromkeys(data):
        kind, values = _place(place, hub)
        model = sources.kinds()[kind]
        values |= {key: value for key, value in options.items() if key in model.model_fields and value is not None}
        stem = re.sub(r"[^a-z0-9._-]+", "_", Path(place).name.split(".")[0].lower()).strip("._-")[:48] or "data"
        numbered = (f"{stem}-{number}" for number in range(2, len(found) + 3))
        name = stem if stem not in found else next(name for name in numbered if name not in found)
        try:
            found[name] = model.model_validate({**values, "allow_empty": True})
        except ValidationError as error:
            problem = error.errors()[0]
            where = ".".join(str(part) for part in problem["loc"])
            raise UsageError(f"{place}: {where}: {problem['msg'].removeprefix('Value error, ')}") from None
    return found


def _place(place: str, hub: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    said = {key: value for key, value in hub.items() if value is not None}
    if named := _HUB.fullmatch(place):
        revision = {"revision": named["revision"]} if named["revision"] else {}
        return "huggingface", {"huggingface": named["name"], **revision, **said}
    if "://" in place:
        raise UsageError(f"{place}: addresses are not read; a dataset of the Hub is hf://datasets/ORG/NAME")
    path = Path(place)
    if path.is_dir():
        return "huggingface", {"huggingface": place, **said}
    if not path.exists():
        raise UsageError(f"{place}: no such file")
    kind = _kind(path)
    return kind, {kind: place}


def _kind(path: Path) -> str:
    """The kind of a file, by its magic, its ending or its beginning."""
    require_regular(path)
    with path.open("rb") as file:
        if file.read(4) == _PARQUET:
            return "parquet"
    endings = [ending for ending in path.suffixes if ending not in (".gz", ".zst", ".zstd")]
    if endings and (kind := _ENDINGS.get(endings[-1].lower())):
        return kind
    with Stream(path) as stream:
        begins = stream.peek().lstrip()
    line = begins.split(b"\n", 1)[0]
    if begins.startswith((b"{", b"[")):
        return "jsonl"
    if b"\t" in line or b"," in line:
        return "tsv" if b"\t" in line else "csv"
    raise UsageError(
        f"{path}: is it {', '.join(sorted({ending[1:] for ending in _ENDINGS}))}? "
        "Neither its name nor its beginning tells; rename it"
    )


@dataclass(frozen=True)
class Contamination:
    """What some sources share with evaluation sets.

    `rows` has a line for each contaminated row: `source`, `file` (sha256), `number` (of the
    record in its file, from 1), `shard` and `row` (its position there), and the stage's
    evidence. `evaluations` is the stage's report of each source and evaluation set.
    """

    stage: NgramDecontamination
    surveyed: tuple[Surveyed, ...]
    shards: tuple[Shard, ...]
    rows: pl.DataFrame
    evaluations: pl.DataFrame
    cache: Path

    @cached_property
    def places(self) -> dict[str, str]:
        """What each source was called on the command line, or the path that it was found at."""
        return {
            found.name: str(place[0] if isinstance(place, tuple) else place)
            for found in self.surveyed
            for place in [getattr(found.source, found.source.place)]
        }

    def counts(self) -> dict[str, dict[str, int]]:
        """For each source: rows read, quarantined, contaminated."""
        gone = dict(self.rows.group_by("source").len().iter_rows())
        return {
            name: {
                "read": sum(shard.records for shard in self.shards if shard.source == name),
                "quarantined": sum(len(shard.quarantined) for shard in self.shards if shard.source == name),
                "contaminated": gone.get(name, 0),
            }
            for name in self.places
        }

    def worst(self, limit: int) -> list[Explanation]:
        """The rows with the highest values, of each evaluation set in turn, with their texts and the items'."""
        excess = pl.col("value") / pl.col("threshold")
        ranked = self.rows.sort(excess, "source", "file", "number", descending=[True, False, False, False])
        turn = pl.int_range(pl.len()).over("evaluation")
        ranked = ranked.sort(turn, maintain_order=True).head(limit)
        paths = {(found.name, file.sha256): str(file.path) for found in self.surveyed for file in found.files}
        return [
            Explanation(
                id=None,
                source=self.places[row["source"]],
                fate=self.stage.name(),
                reason=row["reason"],
                copies=0,
                places=((paths[row["source"], row["file"]], row["number"]),),
                evidence={name: row[name] for name in self.stage.evidence},
                messages=tuple(messages_at(self.shards[row["shard"]], row["row"])),
                item=self._item(row["evaluation"], row["item"]),
            )
            for row in ranked.iter_rows(named=True)
        ]

    def _item(self, evaluation: str, id: str) -> tuple[str, ...]:
        item = self._items(evaluation)[id]
        return tuple(text for part in self.stage.parts for text in item.texts[part])

    def _items(self, evaluation: str) -> dict[str, Item]:
        if evaluation not in self._read:
            found = self.stage.against[evaluation].items(evaluation, self.cache, sha256_file)
            self._read[evaluation] = {item.id: item for item in found}
        return self._read[evaluation]

    @cached_property
    def _read(self) -> dict[str, dict[str, Item]]:
        return {}

    def write(self, folder: Path) -> list[Path]:
        """Write a clean copy of every file, and what was removed with its evidence; the paths.

        Records that could not become rows are left out as well, since nobody looked into
        them. Raises `ConflictError` (exit 5) where the folder holds something already.
        """
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise ConflictError(f"{folder}: is there already; name a folder that is not")
        staging = folder.with_name(f".{folder.name}.part")
        remove_folder(staging)
        make_folders(staging)
        try:
            names = self._write_copies(staging)
            table.write_frame(staging / REMOVED, self._removed())
            publish_folder(staging, folder)
        except BaseException:
            remove_folder(staging)
            raise
        return [folder / name for name in [*names, REMOVED]]

    def _write_copies(self, folder: Path) -> list[str]:
        names: list[str] = []
        for found in self.surveyed:
            for number, file in enumerate(found.files):
                here = (pl.col("source") == found.name) & (pl.col("file") == file.sha256)
                gone = set(self.rows.filter(here)["number"].to_list())
                gone |= {
                    record.row
                    for shard in self.shards
                    if (shard.source, shard.file) == (found.name, file.sha256)
                    for record in shard.quarantined
                }
                name = clean_copy.name_of(found.source, file.path)
                if name in {*names, REMOVED} or len(found.files) > 1:
                    name = f"{found.name}-{number:05d}{''.join(Path(name).suffixes)}"
                names.append(name)
                clean_copy.write(found.source, file.path, gone, folder / name)
        return names

    def _removed(self) -> pl.DataFrame:
        paths = pl.DataFrame(
            [(found.name, file.sha256, str(file.path)) for found in self.surveyed for file in found.files],
            schema={"source": pl.String, "file": pl.String, "path": pl.String},
            orient="row",
        ).unique(["source", "file"], keep="first", maintain_order=True)
        return (
            self.rows.join(paths, on=["source", "file"], how="left")
            .sort("path", "number")
            .select(pl.col("path").alias("file"), pl.col("number").alias("row"), *self.stage.evidence)
        )


def examine(
    found: Mapping[str, Source],
    stage: NgramDecontamination,
    workspace: Workspace,
    executor: Executor,
    progress: Progress,
) -> Contamination:
    """Hold the rows of some sources against evaluation sets. Nothing is written but the workspace.

    What was read and measured before is found again; another threshold reads nothing.
    """
    recipe = Recipe(name="contamination", sources=dict(found), stages=(stage,))
    make_folders(workspace.root)
    with locked(workspace.root, shared=True):
        surveyed = look(recipe, workspace, executor, trust_mtime=False, progress=progress)
        plan = Plan.of(prepare(recipe, workspace, trust_mtime=False, progress=progress))
        (step,) = plan.steps
        assert isinstance(step.stage, NgramDecontamination)
        shards = store(surveyed, plan, workspace, SHARD_ROWS, None, executor, Units(), progress)
        measured = measure(plan, shards, workspace, executor, Units(), progress)
        tables = [places[step.name].path for places in measured.tables]
        rows, evaluations = _judge(step.stage, shards, tables)
    return Contamination(step.stage, surveyed, tuple(shards), rows, evaluations, workspace.sources)


def account(name: str, items: EvaluationSet | None, workspace: Workspace) -> dict[str, int] | None:
    """How many items of a set the Tülu 3 rule indexes, matches whole or can't use; None where it is not here."""
    if items is None:
        return None
    with told_of(f"evaluation set {name}"):
        items.files(workspace.sources)
    prepared = stage_of({name: items}, "tulu3").prepare(workspace, sha256_file)
    kinds = ("items", "indexed", "short", "unusable")
    return {kind: prepared.facts()["evaluations"][name][kind] for kind in kinds}


def _judge(
    stage: NgramDecontamination, shards: Sequence[Shard], tables: Sequence[Path]
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The contaminated rows, shard by shard, and the report of them."""
    named = {"source": pl.String, "file": pl.String, "number": pl.Int64, "shard": pl.Int64}
    found = [pl.DataFrame(schema={**named, **verdicts.none(stage.evidence).drop("copies").schema})]
    tallies: dict[str, list[pl.DataFrame]] = {}
    for index, (shard, path) in enumerate(zip(shards, tables, strict=True)):
        if not shard.rows:
            continue
        numbers = pl.Series("row", np.arange(shard.rows, dtype=np.uint32))
        measures = table.read_frame(path).insert_column(0, numbers)
        with blamed(stage):
            judged = stage.judge(measures)
            for name, tally in stage.tally(measures).items():
                tallies.setdefault(name, []).append(tally.with_columns(pl.lit(shard.source).alias("source")))
        records = table.read_frame(shard.table.path, ["row"])["row"]
        placed = judged.with_columns(
            pl.lit(shard.source).alias("source"),
            pl.lit(shard.file).alias("file"),
            records.gather(judged["row"]).alias("number"),
            pl.lit(index, pl.Int64).alias("shard"),
        )
        found.append(placed.select(found[0].columns))
    report = stage.report({name: pl.concat(frames) for name, frames in tallies.items()})
    return pl.concat(found), report.get("evaluations", pl.DataFrame())
