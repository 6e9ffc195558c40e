"""Compare data files with evaluation sets without a recipe, and write copies without contaminated rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import polars as pl

from tulu_data.building.engine import Engine
from tulu_data.building.examine import examine, survey_inputs
from tulu_data.building.shards import turns_at
from tulu_data.errors import UsageError, did_you_mean, printable, told_of
from tulu_data.evaluations import catalogue
from tulu_data.evaluations.evaluation_set import EvaluationSet
from tulu_data.evaluations.item import Item
from tulu_data.evaluations.rules import RULES
from tulu_data.executors import Executor
from tulu_data.executors.inline import Inline
from tulu_data.executors.progress import Progress, Silent
from tulu_data.formats import unread
from tulu_data.mixture.explain import Explanation
from tulu_data.recipe.recipe import Recipe
from tulu_data.rows.kind import Kind
from tulu_data.rows.rows import Turn
from tulu_data.stages.ngram_decontamination import NgramDecontamination
from tulu_data.store.durable import sha256_file
from tulu_data.store.workspace import Workspace
from tulu_data.without_recipe.files import Data, Findings, made, placed, sources_in


def stage_of(
    against: Mapping[str, EvaluationSet], rule: str, on: str | None = None, threshold: str | None = None
) -> NgramDecontamination:
    """The stage that a command asks for; a given threshold replaces that of the rule.

    Raises `UsageError` (exit 2) for an unknown rule, unknown messages or an invalid threshold.
    """
    if rule not in RULES:
        raise UsageError(f"no rule '{printable(rule, 60)}'{did_you_mean(rule, RULES)}; there are {', '.join(RULES)}")
    values: dict[str, Any] = {"against": dict(against), "rule": rule, "max_removed": 1}
    if threshold is not None:
        values["above" if RULES[rule].get("above") is not None else "at_least"] = threshold
    return made(NgramDecontamination, values, on, threshold)


@dataclass(frozen=True)
class Contamination(Findings):
    """The result of `decontaminate`: what some sources share with evaluation sets.

    `rows` are the contaminated ones, with the stage's evidence. `evaluations` is the stage's
    report of each source and evaluation set.
    """

    kind: ClassVar = "contaminated"

    stage: NgramDecontamination
    evaluations: pl.DataFrame
    cache: Path

    def worst(self, limit: int) -> list[Explanation]:
        """The rows with the highest values, of each evaluation set in turn, with their texts and those of the items."""
        excess = pl.col("value") / pl.col("threshold")
        ranked = self.rows.sort(excess, "source", "file", "number", descending=[True, False, False, False])
        turn = pl.int_range(pl.len()).over("evaluation")
        ranked = ranked.sort(turn, maintain_order=True).head(limit)
        return [self._explained(row) for row in ranked.iter_rows(named=True)]

    def as_values(self, limit: int, written: Iterable[Path] = ()) -> dict[str, Any]:
        """The result as plain values, for JSON: up to `limit` of the worst rows, and the files that were `written`."""
        named = self.evaluations.with_columns(source=self.evaluations["source"].replace(self.places))
        return {
            "rows": self.counts_of_places(),
            "evaluations": named.to_dicts(),
            "worst": [explanation.as_values() for explanation in self.worst(limit)],
            "written": [str(path) for path in written],
        }

    def _explained(self, row: Mapping[str, Any]) -> Explanation:
        turns = turns_at(self.shards[row["shard"]], row["row"])
        item = self._item(row["evaluation"], row["item"])
        return Explanation(
            id=None,
            source=self.places[row["source"]],
            fate=self.stage.name(),
            reason=row["reason"],
            copies=0,
            places=((self.paths[row["source"], row["file"]], row["number"]),),
            evidence={name: row[name] for name in self.stage.evidence},
            turns=turns,
            content=_as_values(turns, self.shards[row["shard"]].kind),
            item=item,
            marks=self.stage.marks(turns, item),
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


def decontaminate(
    data: Data,
    against: Mapping[str, EvaluationSet] | Iterable[str],
    rule: str = "tulu_data",
    *,
    on: str | None = None,
    threshold: str | None = None,
    workspace: Path = Path(".tulu-data"),
    executor: Executor | None = None,
    progress: Progress | None = None,
) -> Contamination:
    """Compare the rows of files or datasets with evaluation sets. Only the workspace is written.

        found = decontaminate("chats.jsonl", ["gsm8k", "math"])
        found.counts(), found.evaluations, found.worst(10)
        found.write(Path("chats-clean"))

    `data` are places as the command takes them, or sources by name; `against` are names in the
    catalogue, or sets by name. `on` and `threshold` replace those of the rule. Rows that were read
    and measured before are not read again, not even for another threshold. Of messages with
    pictures or other media only the text is compared.

    Raises `UsageError` (exit 2) for unknown places, names or options, and `InputError` (exit 3) for
    files or sets that can't be read.
    """
    media = {"drop_parts": tuple(sorted({*unread.MEDIA.values()}))}
    texts = {name: source.model_copy(update=media) for name, source in sources_in(data).items()}
    sets = against if isinstance(against, Mapping) else _named(against)
    recipe = Recipe(name="contamination", sources=texts, stages=(stage_of(sets, rule, on, threshold),))
    engine = Engine(Workspace(workspace), executor or Inline(), progress or Silent())
    with engine.workspace.held():
        examined = examine(survey_inputs(recipe, engine), engine)
    (step,) = examined.plan.steps
    assert isinstance(step.stage, NgramDecontamination)
    decision = examined.decision
    evidence = decision.evidence[step.name]
    rows = pl.concat([placed(decision, evidence["row"]), evidence.drop("row", "copies")], how="horizontal")
    reports = decision.reports[step.name]
    counted = reports["evaluations"].frame if reports else pl.DataFrame()
    return Contamination(examined.surveyed, examined.shards, rows, step.stage, counted, engine.workspace.sources)


def _named(names: Iterable[str]) -> dict[str, EvaluationSet]:
    listed = [names] if isinstance(names, str) else list(names)
    return {name: entry.items for name, entry in catalogue.members(listed).items()}


def account(name: str, items: EvaluationSet | None, workspace: Workspace) -> dict[str, int] | None:
    """How many items of a set the Tülu 3 rule indexes, matches whole or can't use; None if the set is not here."""
    if items is None:
        return None
    with told_of(f"evaluation set {name}"):
        items.files(workspace.sources)
    prepared = stage_of({name: items}, "tulu3").prepare(workspace, sha256_file)
    kinds = ("items", "indexed", "short", "unusable")
    return {kind: prepared.facts()["evaluations"][name][kind] for kind in kinds}


def _as_values(turns: Sequence[Turn], kind: Kind) -> dict[str, Any]:
    """The messages of a row by their columns, with all their texts."""
    said = {
        name: [{"role": turn.role, "content": turn.text} for turn in turns if turn.place[0] == name]
        for name in kind.messages
    }
    return {**dict.fromkeys(kind.content), **said}
