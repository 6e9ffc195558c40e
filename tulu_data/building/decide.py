"""Decide, stage by stage, on narrow tables: no text is read here.

Rows are numbered through all shards in the order of (source, file sha256, row); no decision
depends on this order.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import ROUND_HALF_UP, Decimal
from functools import cache, partial

import numpy as np
import numpy.typing as npt
import polars as pl

from tulu_data import verdicts
from tulu_data.building.candidates import CandidateReader
from tulu_data.building.decision import FIRST_STEP, Decision, numbered
from tulu_data.building.measures import Measures
from tulu_data.building.tripwire import check_removed
from tulu_data.errors import InputError
from tulu_data.mixture.layout import TAKE
from tulu_data.recipe.plan import Plan, Step
from tulu_data.recipe.recipe import Recipe
from tulu_data.rows.identity import in_order, keyed_order
from tulu_data.stage import COLUMNS, VERDICTS, Comparer, Filter, Resolver, blamed, place_of, reported, returned

Ranks = Callable[[str], npt.NDArray[np.uint32]]
"""The rank of each row for a purpose."""


def decide(
    recipe: Recipe, plan: Plan, measures: Measures, reader: CandidateReader, *, is_trial: bool = False
) -> Decision:
    """Give every row of the store its fate. A trial has too few rows for tripwires, and takes all that it has.

    `reader` reads the candidates of stages that compare texts. Raises `FindingsError` (exit 4)
    where a step removes more than its `max_removed`, and `InputError` (exit 3) where a source
    has fewer rows than its `rows`.
    """
    decision = numbered(recipe, plan, measures.shards)
    ranks = cache(partial(_ranks, decision, recipe.seed))
    _take(decision, recipe, ranks, is_trial=is_trial)
    for number, step in enumerate(plan.steps, start=FIRST_STEP):
        alive = decision.kept
        if isinstance(step.stage, Filter):
            found = _judge(decision, step.stage, step, measures)
            if not is_trial:
                step.stage.check_report(decision.reports[step.name])
        else:
            found = _resolve(decision, step.stage, step, _given(decision, step, measures, ranks), reader)
            repeated = found.filter(pl.col("copies") > 1)
            decision.copies[repeated["row"].to_numpy()] = repeated["copies"].to_numpy()
        _apply(decision, number, step, found.filter(pl.col("copies") == 0))
        if not is_trial:
            check_removed(decision, step, alive, measures.shards)
    return decision


def _ranks(decision: Decision, seed: int, purpose: str) -> npt.NDArray[np.uint32]:
    """The rank of each row by its keyed hash, then by its id, so that there are no ties."""
    words = decision.id_words()
    order = in_order(keyed_order(words, seed, purpose), words[:, 0], words[:, 1])
    ranks = np.empty(len(order), dtype=np.uint32)
    ranks[order] = np.arange(len(order), dtype=np.uint32)
    return ranks


def _take(decision: Decision, recipe: Recipe, ranks: Ranks, *, is_trial: bool) -> None:
    """Leave out the rows that the sources' own `rows` and `fraction` do not take."""
    for index, name in enumerate(decision.sources):
        source = recipe.sources[name]
        if source.rows is None and source.fraction is None:
            continue
        rows = np.flatnonzero(decision.source == index)
        wanted = source.rows if source.rows is not None else _share(source.fraction or Decimal(1), len(rows))
        if is_trial:
            wanted = min(wanted, len(rows))
        if wanted == 0 and len(rows):
            raise InputError(f"sources.{name}: fraction: {source.fraction} of {len(rows):,} rows is none; raise it")
        if wanted > len(rows):
            raise InputError(
                f"sources.{name}: rows: {wanted:,} asked, and it offers {len(rows):,}; lower the number, "
                "or leave it out to take all"
            )
        left = rows[np.argsort(ranks(TAKE)[rows])[wanted:]]
        asked = f"rows: {source.rows}" if source.rows is not None else f"fraction: {source.fraction}"
        decision.drop(left, decision.fates.index(TAKE), f"not taken ({asked})")


def _share(fraction: Decimal, rows: int) -> int:
    return int((fraction * rows).to_integral_value(ROUND_HALF_UP))


def _judge(decision: Decision, stage: Filter, step: Step, measures: Measures) -> pl.DataFrame:
    """The verdicts of a filter; the columns and reports that it writes are added to the decision."""
    found = [verdicts.none(stage.evidence)]
    tallies: dict[str, list[pl.DataFrame]] = {}
    written: list[pl.DataFrame] = []
    end = 0
    for source, rows, given in measures.of(step, decision):
        with blamed(stage):
            judged = stage.judge(given)
            if stage.writes:
                written += [decision.columns[end : rows.start].select(stage.writes)]
                written += [_annotated(stage, given, decision.columns["domain"][rows])]
            for name, tally in stage.tally(given).items():
                tallies.setdefault(name, []).append(tally.with_columns(pl.lit(source).alias("source")))
        found.append(_checked(step, "judge", judged, given["row"]))
        end = rows.stop
    if written:
        others = decision.columns[end:].select(stage.writes)
        decision.columns = decision.columns.with_columns(pl.concat([*written, others]))
    with blamed(stage):
        report = stage.report({name: pl.concat(frames) for name, frames in tallies.items()})
    decision.reports[step.name] = reported(stage, report)
    dropped = pl.concat(found).filter(pl.col("copies") == 0)
    by_source = np.bincount(decision.source[dropped["row"].to_numpy()], minlength=len(decision.sources))
    decision.alone[step.name] = {name: int(count) for name, count in zip(decision.sources, by_source, strict=True)}
    return dropped


def _annotated(stage: Filter, given: pl.DataFrame, domain: pl.Series) -> pl.DataFrame:
    named = given if "domain" in given.columns else given.with_columns(domain)
    return stage.annotate(named).cast({name: COLUMNS[name] for name in stage.writes})


def _given(decision: Decision, step: Step, measures: Measures, ranks: Ranks) -> pl.DataFrame:
    """The input of a resolver: the measures of the remaining rows, and the columns that order and name rows."""
    kept = decision.kept
    frames = []
    for source, rows, given in measures.of(step, decision):
        named = given.with_columns(
            pl.lit(source).alias("source"), decision.columns["domain"][rows], pl.Series("order", ranks("order")[rows])
        )
        frames.append(named.filter(pl.Series(kept[rows])))
    return pl.concat(frames) if frames else pl.DataFrame()


def _resolve(
    decision: Decision, stage: Resolver, step: Step, given: pl.DataFrame, reader: CandidateReader
) -> pl.DataFrame:
    if given.is_empty():
        return verdicts.none(stage.evidence)
    if isinstance(stage, Comparer):
        with blamed(stage):
            listed = stage.candidates(given)
        given = returned(stage, "candidates", listed, pl.DataFrame, "a polars DataFrame with the columns row and room")
        numbers = reader.read(step, given)
        method = "compare"
        with blamed(stage):
            resolved = stage.compare(given, numbers)
    else:
        method = "resolve"
        with blamed(stage):
            resolved = stage.resolve(given)
    found = _checked(step, method, resolved, given["row"])
    with blamed(stage):
        report = stage.report(given, found)
        decision.counts[step.name] = stage.counts(given, found)
    decision.reports[step.name] = reported(stage, report)
    return found


def _checked(step: Step, method: str, given: object, rows: pl.Series) -> pl.DataFrame:
    stage = step.stage
    found = returned(stage, method, given, pl.DataFrame, VERDICTS)
    name = place_of(stage, method) if stage.reference else step.name
    return verdicts.check(found, stage.evidence, rows, name)


def _apply(decision: Decision, number: int, step: Step, dropped: pl.DataFrame) -> None:
    """Record the verdicts; a row keeps the fate that an earlier step gave it."""
    first = dropped.filter(pl.Series(decision.kept[dropped["row"].to_numpy()]))
    for (reason,), group in first.group_by("reason", maintain_order=True):
        decision.drop(group["row"].to_numpy(), number, str(reason))
    decision.evidence[step.name] = first
