"""Data files held against evaluation sets, without a recipe; and their copies without what was found."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, get_args

import numpy as np
import polars as pl
from pydantic import ValidationError

from tulu_data import verdicts
from tulu_data.building.build import look, measure, prepare, store
from tulu_data.building.run import Units
from tulu_data.building.shards import SHARD_ROWS, Shard, messages_at
from tulu_data.errors import UsageError, did_you_mean, printable, told_of
from tulu_data.evaluations.evaluation_set import EvaluationSet
from tulu_data.evaluations.item import Item
from tulu_data.evaluations.rules import RULES
from tulu_data.executors import Executor
from tulu_data.executors.progress import Progress
from tulu_data.formats import unread
from tulu_data.mixture.explain import Explanation
from tulu_data.recipe.plan import Plan
from tulu_data.recipe.recipe import Recipe
from tulu_data.rows.rows import On
from tulu_data.sources.source import Source
from tulu_data.stage import blamed
from tulu_data.stages.ngram_decontamination import NgramDecontamination
from tulu_data.store import parquet
from tulu_data.store.durable import sha256_file
from tulu_data.store.workspace import Workspace
from tulu_data.without_recipe.files import Findings


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


@dataclass(frozen=True)
class Contamination(Findings):
    """What some sources share with evaluation sets.

    `rows` are the contaminated ones, with the stage's evidence. `evaluations` is the stage's
    report of each source and evaluation set.
    """

    kind: ClassVar = "contaminated"

    stage: NgramDecontamination
    evaluations: pl.DataFrame
    cache: Path

    def worst(self, limit: int) -> list[Explanation]:
        """The rows with the highest values, of each evaluation set in turn, with their texts and the items'."""
        excess = pl.col("value") / pl.col("threshold")
        ranked = self.rows.sort(excess, "source", "file", "number", descending=[True, False, False, False])
        turn = pl.int_range(pl.len()).over("evaluation")
        ranked = ranked.sort(turn, maintain_order=True).head(limit)
        return [self._explained(row) for row in ranked.iter_rows(named=True)]

    def as_values(self, limit: int, written: Iterable[Path] = ()) -> dict[str, Any]:
        """What was found as plain values, for JSON: `limit` of the worst rows, and the files that were `written`."""
        named = self.evaluations.with_columns(source=self.evaluations["source"].replace(self.places))
        return {
            "rows": self.counts_of_places(),
            "evaluations": named.to_dicts(),
            "worst": [explanation.as_values() for explanation in self.worst(limit)],
            "written": [str(path) for path in written],
        }

    def _explained(self, row: Mapping[str, Any]) -> Explanation:
        messages = tuple(messages_at(self.shards[row["shard"]], row["row"]))
        item = self._item(row["evaluation"], row["item"])
        return Explanation(
            id=None,
            source=self.places[row["source"]],
            fate=self.stage.name(),
            reason=row["reason"],
            copies=0,
            places=((self.paths[row["source"], row["file"]], row["number"]),),
            evidence={name: row[name] for name in self.stage.evidence},
            messages=messages,
            item=item,
            marks=self.stage.marks(messages, item),
        )

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


def examine(
    found: Mapping[str, Source],
    stage: NgramDecontamination,
    workspace: Workspace,
    executor: Executor,
    progress: Progress,
) -> Contamination:
    """Hold the rows of some sources against evaluation sets. Nothing is written but the workspace.

    What was read and measured before is found again; another threshold reads nothing. Of
    pictures and other media beside a text the text alone is looked at.
    """
    media = {"drop_parts": tuple(sorted({*unread.MEDIA.values()}))}
    texts = {name: source.model_copy(update=media) for name, source in found.items()}
    recipe = Recipe(name="contamination", sources=texts, stages=(stage,))
    with workspace.held():
        surveyed = look(recipe, workspace, executor, trust_mtime=False, progress=progress)
        plan = Plan.of(prepare(recipe, workspace, trust_mtime=False, progress=progress))
        (step,) = plan.steps
        assert isinstance(step.stage, NgramDecontamination)
        _, shards = store(surveyed, plan, workspace, SHARD_ROWS, None, executor, Units(), progress)
        measured = measure(surveyed, plan, shards, workspace, executor, Units(), progress)
        tables = [places[step.name].path for places in measured.tables]
        rows, evaluations = _judge(step.stage, shards, tables)
    return Contamination(surveyed, tuple(shards), rows, step.stage, evaluations, workspace.sources)


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
        measures = parquet.read_frame(path).insert_column(0, numbers)
        with blamed(stage):
            judged = stage.judge(measures)
            for name, tally in stage.tally(measures).items():
                tallies.setdefault(name, []).append(tally.with_columns(pl.lit(shard.source).alias("source")))
        records = parquet.read_frame(shard.table.path, ["row"])["row"]
        files = pl.Series([file.file for file in shard.files], dtype=pl.String)
        placed = judged.with_columns(
            pl.lit(shard.source).alias("source"),
            files.gather(shard.file_of_rows()[judged["row"].to_numpy()]).alias("file"),
            records.gather(judged["row"]).alias("number"),
            pl.lit(index, pl.Int64).alias("shard"),
        )
        found.append(placed.select(found[0].columns))
    report = stage.report({name: pl.concat(frames) for name, frames in tallies.items()})
    return pl.concat(found), report["evaluations"].frame if report else pl.DataFrame()
