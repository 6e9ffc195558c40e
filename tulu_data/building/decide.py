"""Decide, stage by stage, on narrow tables: no text is seen here.

Rows are numbered through all shards in the order of (source, file sha256, row), which no
decision depends on.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from tulu_data import verdicts
from tulu_data.building.compare import Looker
from tulu_data.building.decision import Decision, numbered
from tulu_data.building.shards import Shard
from tulu_data.errors import FindingsError, InputError, ResourceError, did_you_mean
from tulu_data.mixture.layout import TAKE
from tulu_data.recipe.plan import Plan, Step
from tulu_data.recipe.recipe import Recipe
from tulu_data.rows.identity import in_order, keyed_order
from tulu_data.stage import COLUMNS, VERDICTS, Comparer, Filter, Resolver, blamed, place_of, reported, returned
from tulu_data.store import parquet
from tulu_data.store.workspace import Table

# Ids, content hashes, occurrences, fates and the frames that group them.
BYTES_PER_ROW: Final = 200
EXAMPLES: Final = 3


def check_memory(rows: int, plan: Plan, memory: int) -> None:
    """Raise `ResourceError` (exit 6) where deciding on `rows` rows would not fit into `memory` bytes."""
    each = bytes_per_row(plan)
    if rows * each > memory:
        raise ResourceError(
            f"deciding on {rows:,} rows needs about {rows * each / 1e9:.1f} GB ({each} bytes a row), "
            f"and --memory is {memory / 1e9:.1f} GB; raise it, or take fewer rows of the sources"
        )


def bytes_per_row(plan: Plan) -> int:
    """What deciding needs in memory for each row, at its peak."""
    return BYTES_PER_ROW + max((resolver.memory_per_row() for resolver in plan.resolvers), default=0)


def decide(
    recipe: Recipe,
    plan: Plan,
    shards: Sequence[Shard],
    tables: Sequence[dict[str, Table]],
    looker: Looker,
    *,
    is_trial: bool = False,
) -> Decision:
    """Give every row of the store its fate. A trial has too few rows for tripwires, and takes what there is.

    `tables[i]` holds the measures of shard i by the step's name; `looker` sees rows again for
    stages that compare their texts. Raises `FindingsError`
    (exit 4) where a step removes more than its `max_removed` or no row is left, and
    `InputError` (exit 3) where a source has fewer rows than its `rows`.
    """
    decision = numbered(recipe, plan, shards)
    ranks = _ranks(decision, recipe.seed, "order")
    _take(decision, recipe, is_trial=is_trial)
    for number, step in enumerate(plan.steps, start=2):
        alive = decision.kept.copy()
        if isinstance(step.stage, Filter):
            dropped = _judge(decision, step.stage, step, shards, tables)
            if not is_trial:
                step.stage.check_report(decision.reports[step.name])
        else:
            given = _given(decision, step, shards, tables, ranks)
            found = _resolve(decision, step.stage, step, given, looker)
            repeated = found.filter(pl.col("copies") > 1)
            decision.copies[repeated["row"].to_numpy()] = repeated["copies"].to_numpy()
            dropped = found.filter(pl.col("copies") == 0)
        _apply(decision, number, step, dropped)
        if not is_trial:
            _check_removed(decision, number, step, alive)
    if len(decision) and not decision.kept.any():
        gone = {fate: sum(counts[fate] for counts in decision.removed().values()) for fate in decision.fates[1:]}
        listed = ", ".join(f"{fate} removed {count:,}" for fate, count in gone.items() if count)
        raise FindingsError(f"no row is left of {len(decision):,}: {listed}; a mixture has at least one")
    return decision


def _ranks(decision: Decision, seed: int, purpose: str) -> npt.NDArray[np.uint32]:
    """The rank of each row by its keyed hash, then by its id: no ties."""
    words = decision.id_words()
    order = in_order(keyed_order(words, seed, purpose), words[:, 0], words[:, 1])
    ranks = np.empty(len(order), dtype=np.uint32)
    ranks[order] = np.arange(len(order), dtype=np.uint32)
    return ranks


def _take(decision: Decision, recipe: Recipe, *, is_trial: bool) -> None:
    """Leave out what the sources' own `rows` and `fraction` do not take."""
    ranks = None
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
        ranks = _ranks(decision, recipe.seed, TAKE) if ranks is None else ranks
        left = rows[np.argsort(ranks[rows])[wanted:]]
        asked = f"rows: {source.rows}" if source.rows is not None else f"fraction: {source.fraction}"
        decision.fate[left] = 1
        decision.copies[left] = 0
        decision.reason[left] = _reason_number(decision, f"not taken ({asked})")


def _share(fraction: Decimal, rows: int) -> int:
    return int((fraction * rows).to_integral_value(ROUND_HALF_UP))


def measures_of(decision: Decision, tables: Sequence[dict[str, Table]], step: Step, index: int) -> pl.DataFrame:
    """What a step is given of the rows of one shard: `row`, its measures, and the columns that it needs."""
    start, end = decision.starts[index], decision.starts[index + 1]
    rows = pl.Series("row", np.arange(start, end, dtype=np.uint32)).to_frame()
    needs = step.stage.needs()
    frames = [rows, decision.columns[start:end].select(name for name in needs if name in COLUMNS)]
    if step.stage.is_measured:
        frames.append(parquet.read_frame(tables[index][step.name].path))
    frames += [_of_another(tables[index], name, len(rows), step) for name in needs if name not in COLUMNS]
    return pl.concat([frame for frame in frames if frame.width], how="horizontal")


def _of_another(tables: dict[str, Table], name: str, rows: int, step: Step) -> pl.DataFrame:
    """A measure of an earlier step, as a number; null where that step does not judge the source."""
    other, _, column = name.partition(".")
    if not tables[other].path.is_file():
        return pl.DataFrame({name: pl.Series([None] * rows, dtype=pl.Float64)})
    measured = parquet.read_frame(tables[other].path)
    if column not in measured.columns or not measured.schema[column].is_numeric():
        numbers = [known for known, kind in measured.schema.items() if kind.is_numeric()]
        raise InputError(
            f"stages.{step.name}: {other} measures no number '{column}'{did_you_mean(column, numbers)}; "
            f"there are {', '.join(numbers) or 'none'}"
        )
    return measured.select(pl.col(column).cast(pl.Float64).alias(name))


def _judge(
    decision: Decision, stage: Filter, step: Step, shards: Sequence[Shard], tables: Sequence[dict[str, Table]]
) -> pl.DataFrame:
    found = [verdicts.none(stage.evidence)]
    tallies: dict[str, list[pl.DataFrame]] = {}
    written: list[pl.DataFrame] = []
    for index, shard in enumerate(shards):
        known = decision.columns[decision.starts[index] : decision.starts[index + 1]]
        written.append(known.select(stage.writes))
        if shard.rows and stage.applies_to(shard.source):
            measures = measures_of(decision, tables, step, index)
            with blamed(stage):
                judged = stage.judge(measures)
                if stage.writes:
                    named = measures if "domain" in measures.columns else measures.with_columns(known["domain"])
                    written[-1] = stage.annotate(named).cast({name: COLUMNS[name] for name in stage.writes})
                for name, tally in stage.tally(measures).items():
                    tallies.setdefault(name, []).append(tally.with_columns(pl.lit(shard.source).alias("source")))
            found.append(_checked(step, "judge", judged, measures["row"]))
    if stage.writes and written:
        decision.columns = decision.columns.with_columns(pl.concat(written))
    with blamed(stage):
        report = stage.report({name: pl.concat(frames) for name, frames in tallies.items()})
    decision.reports[step.name] = reported(stage, report)
    judged = pl.concat(found).filter(pl.col("copies") == 0)
    by_source = np.bincount(decision.source[judged["row"].to_numpy()], minlength=len(decision.sources))
    decision.alone[step.name] = {name: int(count) for name, count in zip(decision.sources, by_source, strict=True)}
    return judged


def _given(
    decision: Decision,
    step: Step,
    shards: Sequence[Shard],
    tables: Sequence[dict[str, Table]],
    ranks: npt.NDArray[np.uint32],
) -> pl.DataFrame:
    """What a resolver is given: the measures of the rows that are alive, and what rows are ordered and named by."""
    kept = decision.kept
    frames = []
    for index, shard in enumerate(shards):
        if shard.rows and step.stage.applies_to(shard.source):
            measures = measures_of(decision, tables, step, index)
            rows = measures["row"].to_numpy()
            named = measures.with_columns(
                pl.lit(shard.source).alias("source"),
                decision.columns["domain"][decision.starts[index] : decision.starts[index + 1]],
                pl.Series("order", ranks[rows]),
            )
            frames.append(named.filter(pl.Series(kept[rows])))
    return pl.concat(frames) if frames else pl.DataFrame()


def _resolve(decision: Decision, stage: Resolver, step: Step, given: pl.DataFrame, looker: Looker) -> pl.DataFrame:
    if given.is_empty():
        return verdicts.none(stage.evidence)
    if isinstance(stage, Comparer):
        with blamed(stage):
            listed = stage.shortlist(given)
        given = returned(stage, "shortlist", listed, pl.DataFrame, "a polars DataFrame with the columns row and room")
        looks = looker.look(step, given)
        with blamed(stage):
            resolved = stage.resolve(given, looks)
    else:
        with blamed(stage):
            resolved = stage.resolve(given)
    found = _checked(step, "resolve", resolved, given["row"])
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
    """Write the verdicts down; a row keeps the fate that an earlier step gave it."""
    first = dropped.filter(pl.Series(decision.kept[dropped["row"].to_numpy()]))
    rows = first["row"].to_numpy()
    decision.fate[rows] = number
    decision.copies[rows] = 0
    for reason, group in first.group_by("reason", maintain_order=True):
        decision.reason[group["row"].to_numpy()] = _reason_number(decision, str(reason[0]))
    decision.evidence[step.name] = first


def _reason_number(decision: Decision, reason: str) -> int:
    if reason not in decision.reasons:
        decision.reasons.append(reason)
    return decision.reasons.index(reason)


def _check_removed(decision: Decision, number: int, step: Step, alive: npt.NDArray[np.bool_]) -> None:
    """The tripwire: stop where a step takes more of a source than it may."""
    before = np.bincount(decision.source[alive], minlength=len(decision.sources))
    dropped = np.bincount(decision.source[decision.fate == number], minlength=len(decision.sources))
    for index, source in enumerate(decision.sources):
        limit = step.stage.limit_for(source)
        if dropped[index] > limit * int(before[index]):
            share = dropped[index] / before[index]
            allowing = min(100, -(-int(dropped[index]) * 100 // int(before[index]))) / 100
            raise TripwireError(
                f"stages.{step.name}: removes {dropped[index]:,} of {before[index]:,} rows of {source} ({share:.1%}), "
                f"and max_removed is {limit}; if that is right, say so in the stage: "
                f"max_removed: {{{source}: {allowing:g}}}",
                decision,
                np.flatnonzero((decision.fate == number) & (decision.source == index))[:EXAMPLES],
                is_private=step.stage.is_private,
            )


class TripwireError(FindingsError):
    """A step removes more of a source than its `max_removed`; `rows` are examples of `decision`."""

    def __init__(self, message: str, decision: Decision, rows: npt.NDArray[np.int64], *, is_private: bool) -> None:
        self.decision = decision
        self.rows = rows
        self.is_private = is_private
        super().__init__(message)
