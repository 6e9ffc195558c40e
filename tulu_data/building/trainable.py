"""Tokens that are trained on: those of the assistant's messages, counted by the stage `tokens`."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import polars as pl

from tulu_data.building.decision import Decision
from tulu_data.building.measures import Measures
from tulu_data.recipe.plan import Plan
from tulu_data.store import parquet
from tulu_data.store.durable import make_folders

SCHEMA: Final[dict[str, Any]] = {
    "source": pl.String,
    "domain": pl.String,
    "language": pl.String,
    "tokens": pl.Int64,
    "trainable": pl.Int64,
}


def write(plan: Plan, decision: Decision, measures: Measures, staging: Path) -> None:
    """Write `reports/<step>-trainable.parquet`: tokens of the mixture by source, domain and language.

    Rows count as often as they are in the mixture. Nothing is written if no stage counts tokens.
    """
    step = next((step for step in reversed(plan.steps) if "tokens" in step.stage.writes), None)
    if step is None:
        return
    parts = [pl.DataFrame(schema=SCHEMA)]
    for source, own, given in measures.of(step, decision):
        if "trainable" not in given.columns:
            return
        copies = pl.Series("copies", decision.copies[own].astype("int64"))
        counted = decision.columns[own].select(
            pl.lit(source).alias("source"),
            "domain",
            "language",
            *(given[name].cast(pl.Int64) * copies for name in ("tokens", "trainable")),
        )
        parts.append(counted.filter(copies > 0).group_by("source", "domain", "language").sum())
    summed = pl.concat(parts).group_by("source", "domain", "language").sum().sort("source", "domain", "language")
    parquet.write_frame(make_folders(staging / "reports") / f"{step.name}-trainable.parquet", summed)
