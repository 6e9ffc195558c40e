"""The differences between two versions: recipe, counts, and each row that entered or left, with the reason."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import Any, Final

import polars as pl

from tulu_data.mixture.layout import KEPT
from tulu_data.mixture.mixture import Mixture

NEW: Final = "not read before"
GONE: Final = "no longer read"
EXAMPLES: Final = 3


@dataclass(frozen=True)
class Movement:
    """The rows of one source that entered or left for one reason: their number, and some of their ids."""

    source: str
    direction: str
    why: str
    rows: int
    examples: tuple[str, ...]

    def as_values(self) -> dict[str, Any]:
        """The movement as plain values, for JSON."""
        return {
            "source": self.source,
            "direction": self.direction,
            "why": self.why,
            "rows": self.rows,
            "examples": list(self.examples),
        }


@dataclass(frozen=True)
class Difference:
    """The difference between two mixtures, from the first to the second.

    `recipe` are the lines of a unified diff; `rows` gives (before, after) written rows by
    source; `moved` says which rows entered and left, by source and reason. Ids name the
    same row in both, since they come from source and content.
    """

    before: Mixture
    after: Mixture
    recipe: tuple[str, ...]
    rows: dict[str, tuple[int, int]]
    moved: tuple[Movement, ...]

    @classmethod
    def between(cls, before: Mixture, after: Mixture) -> Difference:
        """Compare two mixtures by their recipes and ledgers."""
        old, new = _recipe(before), _recipe(after)
        recipe = difflib.unified_diff(old, new, str(before.folder), str(after.folder), lineterm="", n=2)
        sources = sorted({*before.rows, *after.rows})
        written = [{name: rows["written"] for name, rows in mixture.rows.items()} for mixture in (before, after)]
        counts = {source: (written[0].get(source, 0), written[1].get(source, 0)) for source in sources}
        return cls(before, after, tuple(recipe), counts, _moved(before, after))

    @property
    def is_none(self) -> bool:
        """Whether the two hold the same rows by the same recipe."""
        return not self.recipe and self.before.manifest["root"] == self.after.manifest["root"]

    def as_values(self) -> dict[str, Any]:
        """The difference as plain values, for JSON."""
        return {
            "before": {"version": self.before.version, "root": self.before.manifest["root"]},
            "after": {"version": self.after.version, "root": self.after.manifest["root"]},
            "recipe": list(self.recipe),
            "rows": {source: {"before": before, "after": after} for source, (before, after) in self.rows.items()},
            "moved": [movement.as_values() for movement in self.moved],
        }


def _recipe(mixture: Mixture) -> list[str]:
    return mixture.recipe_text().splitlines()


def _moved(before: Mixture, after: Mixture) -> tuple[Movement, ...]:
    # Only ids that are compared: two mixtures with the same ids would give as many pairs as both have rows.
    both = before.ledger_rows().join(after.ledger_rows(), on=["id", "source"], how="full", coalesce=True)
    was, now = pl.col("copies").fill_null(0), pl.col("copies_right").fill_null(0)
    here, there = pl.col("fate"), pl.col("fate_right")
    why = (
        pl.when(here.is_null())
        .then(pl.lit(NEW))
        .when(there.is_null())
        .then(pl.lit(GONE))
        .when((here == KEPT) & (there == KEPT))
        .then(pl.lit("other number of copies"))
        .when(here == KEPT)
        .then(pl.concat_str(pl.lit("removed by "), there, pl.lit(": "), pl.col("reason_right")))
        .otherwise(pl.concat_str(pl.lit("no longer removed by "), here, pl.lit(": "), pl.col("reason")))
    )
    direction = pl.when(now > was).then(pl.lit("entered")).otherwise(pl.lit("left"))
    moved = (
        both.filter(was != now)
        .select("id", "source", direction.alias("direction"), why.alias("why"))
        .group_by("source", "direction", "why")
        .agg(pl.len().alias("rows"), pl.col("id").sort().head(EXAMPLES).alias("examples"))
        .sort("source", "direction", "rows", "why", descending=[False, False, True, False])
        .collect()
    )
    return tuple(Movement(**{**row, "examples": tuple(row["examples"])}) for row in moved.iter_rows(named=True))
