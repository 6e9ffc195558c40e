"""What other thresholds would remove: filters judge the stored measures again, with another value.

Nothing is scanned. The rows that a threshold removes are counted for the stage alone, on all
rows that it measured, including those that another stage removed before.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

import numpy as np
import polars as pl
from pydantic import ValidationError

from tulu_data.building.decision import Decision
from tulu_data.building.measures import Measured, Measures
from tulu_data.mixture.bins import binned, bins
from tulu_data.mixture.layout import SCORES, THRESHOLDS
from tulu_data.recipe.plan import Plan, Step
from tulu_data.stage import Annotator, Filter, Resolver, blamed
from tulu_data.store import parquet
from tulu_data.store.durable import make_folders

_SCORED: Final = {"option": pl.String, "source": pl.String, "score": pl.Float64}
SHARES: Final = tuple(tenths / 10 for tenths in range(1, 11))
POWERS: Final = tuple(2**power for power in range(8, 16))
FEW: Final = (0.01, 0.05, 0.1, 0.25, 0.5)


def write(plan: Plan, decision: Decision, measures: Measures, staging: Path) -> None:
    """Write `reports/<step>-scores.parquet` and `reports/<step>-thresholds.parquet` of each filter with a threshold.

    `scores` counts rows by `option`, `source` and the bin from `low` to before `high`;
    `thresholds` counts the `rows` that each `value` of an `option` would remove of each
    `source`; `used` marks the value in the recipe. A resolver has only scores, those of the
    rows that it removed: it decides on rows together, so that only another build, which scans
    nothing, shows what another threshold would remove.
    """
    for step in plan.steps:
        if isinstance(step.stage, Resolver):
            scores = _removed(step.stage, decision, step)
            if not scores.is_empty():
                _write(staging, step, "scores", _binned(scores))
        if isinstance(step.stage, Filter) and not isinstance(step.stage, Annotator):
            scores = _scores(step.stage, measures.of(step, decision))
            if not scores.is_empty():
                _write(staging, step, "scores", _binned(scores))
                counted = _counted(step.stage, scores, measures.of(step, decision))
                _write(staging, step, "thresholds", counted)


def _write(staging: Path, step: Step, kind: str, frame: pl.DataFrame) -> None:
    parquet.write_frame(make_folders(staging / "reports") / f"{step.name}-{kind}.parquet", frame)


def private_rows(plan: Plan, decision: Decision, measures: Measures) -> frozenset[str]:
    """The ids of rows whose texts must not be published: a private filter removed them, or would have."""
    rows: set[int] = set()
    for step in plan.steps:
        if isinstance(step.stage, Filter) and step.stage.withholds:
            for measured in measures.of(step, decision):
                rows |= set(step.stage.judge(measured.given).filter(pl.col("copies") == 0)["row"])
    return frozenset(decision.ids(np.array(sorted(rows), dtype=np.int64)))


def _scores(stage: Filter, measures: Iterable[Measured]) -> pl.DataFrame:
    """A line for each row and threshold that the recipe gives: `option`, `source`, `score`."""
    frames = [pl.DataFrame(schema=_SCORED)]
    for source, _, frame in measures:
        with blamed(stage):
            found = stage.scores(frame)
        # A bound of 0 does not bound anything.
        frames += [
            pl.DataFrame({"score": values.cast(pl.Float64)}).select(
                pl.lit(option).alias("option"), pl.lit(source).alias("source"), "score"
            )
            for option, values in found.items()
            if getattr(stage, option)
        ]
    return pl.concat(frames).drop_nulls()


def _removed(stage: Resolver, decision: Decision, step: Step) -> pl.DataFrame:
    """The same for the rows that a resolver removed."""
    verdicts = decision.evidence[step.name]
    sources = pl.Series("source", decision.sources, dtype=pl.String).gather(decision.source[verdicts["row"].to_numpy()])
    frames = [pl.DataFrame(schema=_SCORED)]
    with blamed(stage):
        for option, values in stage.scores(verdicts).items():
            scored = pl.DataFrame({"score": values.cast(pl.Float64), "source": sources})
            frames.append(scored.select(pl.lit(option).alias("option"), "source", "score"))
    return pl.concat(frames).drop_nulls()


def _binned(scores: pl.DataFrame) -> pl.DataFrame:
    lines: list[tuple[Any, ...]] = []
    for (option,), of_option in scores.group_by("option", maintain_order=True):
        edges = bins(of_option["score"])
        for (source,), own in of_option.sort("source").group_by("source", maintain_order=True):
            for place, rows in enumerate(binned(own["score"], edges)):
                lines.append((option, source, edges[place], edges[place + 1], rows))
    return pl.DataFrame(lines, schema=SCORES, orient="row").sort("option", "source", "low")


def _counted(stage: Filter, scores: pl.DataFrame, measures: Iterable[Measured]) -> pl.DataFrame:
    others: dict[tuple[str, float, bool], Filter] = {}
    for (option,), of_option in scores.sort("option").group_by("option", maintain_order=True):
        used = float(getattr(stage, str(option)))
        for value in values_of(str(option), used, of_option["score"]):
            other = stage if value == used else _with(stage, str(option), value)
            if other is not None:
                others[str(option), value, value == used] = other
    rows: dict[tuple[str, float, bool, str], int] = {}
    for source, _, frame in measures:
        for threshold, other in others.items():
            with blamed(stage):
                judged = other.judge(frame)
            place = (*threshold, source)
            rows[place] = rows.get(place, 0) + int((judged["copies"] == 0).sum())
    lines = [(*place, count) for place, count in sorted(rows.items())]
    return pl.DataFrame(lines, schema=THRESHOLDS, orient="row")


def values_of(option: str, used: float, scores: pl.Series) -> list[float]:
    """The values of a threshold that are worth a look, including the one in use, in order.

    A share has tenths; other thresholds have values, in two digits, that would remove a hundredth
    to half of the rows, and those of tokens also the powers of two that some row exceeds.

    >>> values_of("max_characters", 2048.0, pl.Series(range(1, 1001)))
    [500.0, 750.0, 900.0, 950.0, 990.0, 2048.0]
    >>> values_of("max_tokens", 2048.0, pl.Series([1] * 9 + [1000]))
    [1.0, 256.0, 512.0, 2048.0]
    """
    if used <= 1 and not option.endswith(("tokens", "characters", "messages")):
        return sorted({*SHARES, used})
    parts = [1 - part for part in FEW] if option.startswith("max_") else FEW
    found = (float(scores.quantile(part, "lower") or 0) for part in parts)
    rounded = {float(f"{value:.2g}") for value in found}
    if option.endswith("tokens"):
        rounded |= {float(power) for power in POWERS if power < (scores.max() or 0)}
    return sorted({value for value in rounded if value > 0} | {used})


def _with(stage: Filter, option: str, value: float) -> Filter | None:
    """The stage with another threshold; None if the two bounds of a range cross, or a rule forbids it."""
    try:
        checked = type(stage).model_validate({**stage.model_dump(mode="json"), option: f"{value:g}"})
    except ValidationError:
        return None
    # A copy, since the artifacts that it was prepared with are not in a field.
    return stage.model_copy(update={option: getattr(checked, option)})
