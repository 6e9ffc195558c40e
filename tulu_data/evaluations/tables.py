"""The overlap of sources and evaluation sets: tallies of some rows, and the tables of all.

`evaluations` has a line for each source and evaluation set that share something: `items` of
the set; those `touched` (they share an n-gram that counts, or at least `noted_from` of them),
`contaminated`, `near`, and those contaminated with every word in one row (`full`); and the
contaminated `rows`. `near` has a line for each row and item that are near. `ngrams` has the
n-grams that most rows have, which are often boilerplate; each is given by the place in an
item, not by its text.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
import polars as pl

from tulu_data.evaluations.ngram_index import NgramIndex
from tulu_data.reports import Report

LISTED_NGRAMS: Final = 100
NGRAMS: Final = {
    "rows": pl.Int64,
    "items": pl.Int64,
    "evaluation": pl.String,
    "item": pl.String,
    "text": pl.Int64,
    "start": pl.Int64,
    "end": pl.Int64,
}


def tally(pairs: pl.DataFrame, measures: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """The counts of some rows of one source, as small tables.

    `pairs` are pairs of these rows and items, with `is_contaminated` and `is_near`; `measures`
    have the list column `ngrams`.
    """
    found = pairs.filter((pl.col("kind") != "short") | pl.col("is_whole") | pl.col("is_reached"))
    is_full = pl.col("is_contaminated") & (pl.col("is_whole") | (pl.col("covered_all") == pl.col("coverable")))
    items = found.group_by("evaluation", "item").agg(
        pl.col("is_contaminated", "is_near").any(), is_full.any().alias("is_full")
    )
    rows = found.filter("is_contaminated").group_by("evaluation").agg(pl.col("row").n_unique().alias("rows"))
    near = found.filter("is_near").select(
        "row",
        "evaluation",
        pl.col("id").alias("item"),
        "statistic",
        pl.col("value", "threshold").round(6),
        "numbers",
        "numbers_missing",
    )
    ngrams = measures.select(pl.col("ngrams").explode().alias("ngram")).drop_nulls().group_by("ngram").len("rows")
    return {"items": items, "rows": rows, "near": near, "ngrams": ngrams}


def report(tallies: Mapping[str, pl.DataFrame], index: NgramIndex) -> dict[str, Report]:
    """The tables of all rows, from tallies with a column `source`."""
    near = tallies["near"].sort("row", "evaluation", "item")
    return {
        "evaluations": Report("evaluations", _evaluations(tallies, index)),
        "near": Report("near", near),
        "ngrams": Report("data", _ngrams(tallies["ngrams"], index)),
    }


def _evaluations(tallies: Mapping[str, pl.DataFrame], index: NgramIndex) -> pl.DataFrame:
    sizes = {name: account["items"] for name, account in index.accounts.items()}
    flags = ("is_contaminated", "is_near", "is_full")
    items = tallies["items"].group_by("source", "evaluation", "item").agg(pl.col(flags).any())
    shared = items.group_by("source", "evaluation").agg(
        pl.len().alias("touched"),
        pl.col("is_contaminated").sum().alias("contaminated"),
        (pl.col("is_near") & ~pl.col("is_contaminated")).sum().alias("near"),
        pl.col("is_full").sum().alias("full"),
    )
    rows = tallies["rows"].group_by("source", "evaluation").agg(pl.col("rows").sum())
    counts = ("items", "touched", "contaminated", "near", "full", "rows")
    return (
        shared.join(rows, on=("source", "evaluation"), how="left")
        .with_columns(
            pl.col("rows").fill_null(0),
            pl.col("evaluation").replace_strict(sizes, return_dtype=pl.Int64).alias("items"),
        )
        .select("source", "evaluation", pl.col(counts).cast(pl.Int64))
        .sort("source", "evaluation")
    )


def _ngrams(counted: pl.DataFrame, index: NgramIndex) -> pl.DataFrame:
    summed = counted.group_by("ngram").agg(pl.col("rows").sum())
    top = summed.sort("rows", "ngram", descending=[True, False]).head(LISTED_NGRAMS)
    arrays, n = index.index, index.setting.n
    lines = []
    for ngram, rows in top.iter_rows():
        token = int(arrays.grams["token"][ngram])
        evaluation, id = index.items.row(int(arrays.token_item[token]))[:2]
        first, last = arrays.grams["posts"][ngram : ngram + 2]
        items = len(np.unique(arrays.posts["item"][first:last]))
        lines.append((rows, items, evaluation, id, *index.text_span(token, n)))
    return pl.DataFrame(lines, schema=NGRAMS, orient="row")
