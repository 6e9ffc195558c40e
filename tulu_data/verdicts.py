"""Verdicts: the rows that a stage drops or repeats.

A verdict table has the columns `row` (UInt32, the row's number in this build), `copies`
(UInt32; 0 drops), `reason` (String) and one for each piece of the stage's evidence. A row
without a verdict is kept once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

import polars as pl

from tulu_data.errors import InvariantError

ROW: Final = pl.UInt32
COPIES: Final = pl.UInt32
TWIN: Final = "twin"
"""The evidence column with the number of another row; it is written as that row's id."""

Evidence = Mapping[str, type[pl.DataType]]


def drop(
    measures: pl.DataFrame, condition: pl.Expr, *, reason: str | pl.Expr, evidence: Iterable[str | pl.Expr] = ()
) -> pl.DataFrame:
    """Drop the rows for which `condition` holds; where it is null, a row is kept.

    >>> measures = pl.DataFrame({"row": [0, 1], "characters": [3, 900]}, schema_overrides={"row": pl.UInt32})
    >>> drop(measures, pl.col("characters") < 8, reason="too short", evidence=["characters"]).rows()
    [(0, 0, 'too short', 3)]
    """
    shown = pl.lit(reason) if isinstance(reason, str) else reason
    return measures.filter(condition).select("row", pl.lit(0, COPIES).alias("copies"), shown.alias("reason"), *evidence)


def none(evidence: Evidence) -> pl.DataFrame:
    """An empty verdict table."""
    return pl.DataFrame(schema=schema(evidence))


def schema(evidence: Evidence) -> dict[str, type[pl.DataType]]:
    """The columns of a verdict table with this evidence, and their types."""
    return {"row": ROW, "copies": COPIES, "reason": pl.String, **evidence}


def check(verdicts: pl.DataFrame, evidence: Evidence, rows: pl.Series, stage: str) -> pl.DataFrame:
    """Check the form of a stage's verdict table; return it with its columns in order.

    Raises `InvariantError` (exit 1), naming the stage, for missing or foreign columns,
    values of other types, a row that it was not given, or two verdicts on one row.
    """
    wanted = schema(evidence)
    if set(verdicts.columns) != set(wanted):
        raise InvariantError(f"stage {stage}: its verdicts have the columns {verdicts.columns}, not {list(wanted)}")
    try:
        verdicts = verdicts.select(pl.col(name).cast(dtype) for name, dtype in wanted.items())
    except pl.exceptions.PolarsError as error:
        raise InvariantError(f"stage {stage}: its verdicts do not fit their types: {error}") from error
    if verdicts["row"].n_unique() != len(verdicts):
        raise InvariantError(f"stage {stage}: gives two verdicts on one row")
    if not verdicts["row"].is_in(rows.implode()).all():
        raise InvariantError(f"stage {stage}: gives a verdict on a row that it was not given")
    return verdicts
