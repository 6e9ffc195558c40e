"""Take rows in given proportions."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Annotated, ClassVar, Literal

import polars as pl
from pydantic import Field, PositiveInt, field_validator

from tulu_data.errors import InputError, did_you_mean
from tulu_data.kernels.quotas import largest_total, seats
from tulu_data.stage import Decides, Phase, Resolver, Share
from tulu_data.verdicts import COPIES, Evidence

Weight = Annotated[Decimal, Field(ge=0)]


class WeightedMix(Resolver):
    """Take rows in given proportions, by source or by domain, after everything else.

        - weighted_mix: {by: domain, weights: {math: 0.36, code: 0.15, chat: 0.49}, rows: 100_000, max_repeat: 4}

    Weights are exact decimals in any scale. The rows of a stratum are its seats by
    Sainte-Laguë: the sum is exact, and a larger mix holds the rows of a smaller one. Rows
    are taken by a keyed hash; where a stratum has fewer rows than its share, rows are
    repeated, evenly, up to `max_repeat` times each. Without `rows` the mix is as large as
    the data allows.

    Raises `InputError` (exit 3) for a stratum of the data without a weight, and for one
    that has too few rows, with the largest total that there is. Evidence: the stratum.
    """

    phase: ClassVar[Phase] = "mix"
    evidence: ClassVar[Evidence] = {"stratum": pl.String}
    bytes_per_row: ClassVar[int] = 60

    by: Decides[Literal["source", "domain"]] = Field("source", description="What the weights are given to")
    weights: Decides[dict[str, Weight]] = Field(
        {}, description="The share of each stratum, in any scale; 0 drops it; all equal where not said"
    )
    rows: Decides[PositiveInt | None] = Field(
        None, description="Rows of the mixture; as many as there are where not said"
    )
    max_repeat: Decides[PositiveInt] = Field(1, description="How often one row may be taken")
    others: Decides[Literal["error", "drop"]] = Field("error", description="What happens to strata without a weight")
    when_short: Decides[Literal["error", "shrink", "take_all"]] = Field(
        "error",
        description="Where a stratum has too few rows: stop; make the whole mix smaller; or take all it has "
        "and leave the others as they are",
    )
    max_removed: Decides[Share | dict[str, Share]] = Field(
        Decimal(1),
        description="Stop the build when it removes more than this part of a source's rows; "
        "a number, or a mapping of sources to numbers",
    )

    @field_validator("weights")
    @classmethod
    def _some_weight(cls, weights: dict[str, Decimal]) -> dict[str, Decimal]:
        if weights and not any(weights.values()):
            raise ValueError("all weights are 0; give at least one stratum a share")
        return weights

    def resolve(self, measures: pl.DataFrame) -> pl.DataFrame:
        strata = measures.select("row", "order", pl.col(self.by).fill_null("").alias("stratum"))
        offers = dict(strata.group_by("stratum").len().sort("stratum").iter_rows())
        quotas = self.quotas(offers)
        ranked = strata.with_columns(
            (pl.col("order").rank("ordinal").over("stratum") - 1).alias("rank"),
            pl.len().over("stratum").alias("offered"),
            pl.col("stratum").replace_strict(quotas, default=0, return_dtype=pl.Int64).alias("quota"),
        )
        every = pl.col("quota") // pl.col("offered")
        extra = (pl.col("rank") < pl.col("quota") % pl.col("offered")).cast(pl.Int64)
        taken = ranked.with_columns((every + extra).cast(COPIES).alias("copies")).filter(pl.col("copies") != 1)
        return taken.select("row", "copies", pl.lit("not taken into the mix").alias("reason"), "stratum")

    def quotas(self, offers: Mapping[str, int]) -> dict[str, int]:
        """How many rows are taken of each stratum, whose names and rows `offers` gives.

        >>> WeightedMix(weights={"a": 1, "b": 3}, rows=10, when_short="take_all").quotas({"a": 9, "b": 4})
        {'a': 3, 'b': 4}
        """
        weights = self._weights(offers)
        limits = {name: offers.get(name, 0) * self.max_repeat for name in weights}
        empty = next((name for name, weight in weights.items() if weight and not limits[name]), None)
        if empty and self.when_short == "error":
            raise InputError(
                f"stages.{self.name()}: the {self.by} '{empty}' has a weight and no rows"
                f"{did_you_mean(empty, offers)}; give it weight 0, or say: when_short: shrink"
            )
        present = {name: weight for name, weight in weights.items() if limits[name]}
        largest = largest_total(present, limits)
        total = self.rows or largest
        if self.when_short == "shrink":
            total = min(total, largest)
        quotas = seats(present, total) if any(present.values()) else {}
        short = next((name for name, quota in quotas.items() if quota > limits[name]), None)
        if short and self.when_short == "error":
            raise InputError(
                f"stages.{self.name()}: the {self.by} '{short}' should give {quotas[short]:,} of {total:,} rows, "
                f"and has {offers[short]:,} (max_repeat: {self.max_repeat}); the largest total is {largest:,}: say "
                f"rows: {largest}, raise max_repeat, or say: when_short: shrink"
            )
        return {name: min(quota, limits[name]) for name, quota in quotas.items()}

    def _weights(self, offers: Mapping[str, int]) -> dict[str, Fraction]:
        if not self.weights:
            return {name: Fraction(1) for name in sorted(offers)}
        unnamed = [name for name in offers if name not in self.weights]
        if unnamed and self.others == "error":
            listed = ", ".join(f"{name or 'none'} ({offers[name]:,} rows)" for name in unnamed)
            raise InputError(
                f"stages.{self.name()}: no weight for the {self.by} {listed}; "
                "give it one (0 drops it), or say: others: drop"
            )
        return {name: Fraction(weight) for name, weight in sorted(self.weights.items())}
