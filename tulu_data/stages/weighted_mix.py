"""Take rows in given proportions."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from decimal import Decimal, localcontext
from fractions import Fraction
from typing import Annotated, Any, ClassVar, Final, Literal

import polars as pl
from pydantic import BeforeValidator, Field, PositiveInt, field_validator, model_validator

from tulu_data.errors import InputError, did_you_mean
from tulu_data.kernels.quotas import largest_total, seats
from tulu_data.mixer import NONE, SEPARATOR, Mixer
from tulu_data.options import one_or_many
from tulu_data.reports import Report
from tulu_data.stage import MEASURE, Decides, Share
from tulu_data.verdicts import COPIES, Evidence

PROFILES: Final[dict[str, dict[str, int]]] = {
    # Rows by domain of the mixture of Lambert et al. 2024 (arXiv 2411.15124), table 7.
    "tulu3": {
        "math": 334_252,
        "code": 142_275,
        "chat": 116_872,
        "safety": 110_983,
        "knowledge": 104_982,
        "multilingual": 100_000,
        "instruction_following": 29_980,
    },
    # The same with math and code at two thirds, and without the domains that a small model has no room for.
    "math_code": {"math": 40, "code": 27, "chat": 17, "knowledge": 10, "instruction_following": 6},
}

Column = Literal["source", "domain", "language"]
Columns = Annotated[
    tuple[Column, ...],
    one_or_many(Column),
    Field(min_length=1),
]


def _flat(values: Any, above: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{above}{name}{SEPARATOR}")
        else:
            yield f"{above}{name}", value


Weight = Annotated[Decimal, Field(ge=0)]
Weights = Annotated[
    dict[str, Weight],
    BeforeValidator(
        lambda values: dict(_flat(values)) if isinstance(values, Mapping) else values,
        json_schema_input_type=dict[str, Weight | dict[str, Weight | dict[str, Weight]]],
    ),
]


class WeightedMix(Mixer):
    """Take rows in given proportions, after all other stages.

        - weighted_mix: {by: domain, weights: {math: 0.36, code: 0.15, chat: 0.49}, rows: 100_000, max_repeat: 4}
        - weighted_mix: {by: domain, profile: tulu3, tokens: 50_000_000, max_repeat: 4}
        - weighted_mix: {by: [domain, language], weights: {math: {en: 3, zh: 1}, chat: {en: 4}}, others: drop}
        - weighted_mix: {by: language, temperature: 2, rows: 20_000, best: language_filter.score}

    A stratum is a value of `by`, or a cell of several columns, such as `math/en`; rows without a
    value are in the stratum `none`. Weights are exact decimals in any scale, for each
    stratum or cell; a `profile` has those of a published mixture; with a `temperature` T
    they are the strata's sizes to the power 1/T: 1 keeps the proportions, and a large T makes
    them more equal.

    With `rows`, seats are given by Sainte-Laguë: the total is exact, and a larger mix contains
    the rows of a smaller one. With `tokens`, all rows are taken as often as they fit, and then
    the longest run of them that still fits, so that each stratum is short by less than its next
    row. Rows are taken in the order of a keyed hash, or the `best` first, by a score that an
    earlier stage measured. If a stratum has fewer than its share, rows are repeated, evenly, up
    to `max_repeat` times each. Without `rows` or `tokens` the mix is as large as the data allows.

    Raises `InputError` (exit 3) for a stratum of the data without a weight, and for one
    that has too few rows, with the largest possible total. Evidence: the stratum.
    `reports/weighted_mix-strata.parquet` has the targets and the amounts taken.
    """

    evidence: ClassVar[Evidence] = {"stratum": pl.String}
    bytes_per_row: ClassVar[int] = 90

    by: Decides[Columns] = Field(("source",), description="The column whose values have weights, or several columns")
    weights: Decides[Weights] = Field(
        {}, description="The share of each stratum, in any scale; 0 drops it; all equal by default"
    )
    profile: Decides[Literal["tulu3", "math_code"] | None] = Field(None, description="Predefined weights by domain")
    temperature: Decides[Annotated[Decimal, Field(ge=1, le=100)] | None] = Field(
        None, description="Weights are sizes to the power 1 / temperature"
    )
    rows: Decides[PositiveInt | None] = Field(
        None, description="Rows of the mixture; by default as many as the data allows"
    )
    tokens: Decides[PositiveInt | Literal["all"] | None] = Field(
        None, description="Tokens of the mixture, instead of rows; all: as many as the data allows"
    )
    max_repeat: Decides[PositiveInt] = Field(1, le=1_000_000, description="How often one row may be taken")
    best: Decides[str | None] = Field(
        None,
        pattern=f"^({MEASURE})$",
        description="Rows with the highest value first: `tokens`, or a measure of an earlier stage, `stage.measure`",
    )
    others: Decides[Literal["error", "drop"]] = Field(
        "error", description="Stop at strata without a weight, or drop them"
    )
    when_short: Decides[Literal["error", "shrink", "take_all"]] = Field(
        "error",
        description="If a stratum has too few rows: stop; make the whole mix smaller; or take all rows of the stratum "
        "and leave the others unchanged",
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

    @model_validator(mode="after")
    def _fits_together(self) -> WeightedMix:
        said = [name for name in ("weights", "profile", "temperature") if getattr(self, name)]
        if len(said) > 1:
            raise ValueError(f"'{said[0]}' and '{said[1]}' both say what the shares are; give one")
        if self.rows and self.tokens:
            raise ValueError("'rows' and 'tokens' both say how large the mix is; give one")
        if self.profile and self.by != ("domain",):
            raise ValueError("a profile has weights of domains; say: by: domain")
        cells = next((name for name in self.weights if name.count(SEPARATOR) != len(self.by) - 1), None)
        if cells is not None and len(self.by) > 1:
            raise ValueError(f"'{cells}' is not a cell of {' and '.join(self.by)}; write: {{math: {{en: 1}}}}")
        return self

    @property
    def columns(self) -> tuple[str, ...]:
        return self.by

    @property
    def unit(self) -> str:
        return "tokens" if self.tokens else "rows"

    @property
    def named(self) -> Collection[str]:
        return self.weights

    def needs(self) -> tuple[str, ...]:
        columns = [name for name in self.by if name != "source"]
        return tuple(
            dict.fromkeys([*columns, *(["tokens"] if self.tokens else []), *([self.best] if self.best else [])])
        )

    def resolve(self, measures: pl.DataFrame) -> pl.DataFrame:
        taken = self._copies(measures).filter(pl.col("copies") != 1)
        return taken.select("row", "copies", pl.lit("not taken into the mix").alias("reason"), "stratum")

    def report(self, measures: pl.DataFrame, verdicts: pl.DataFrame) -> dict[str, Report]:
        """`strata`: the share, offer and target of each, and the amount taken, in `unit`."""
        copies = pl.col("copies").cast(pl.Int64)
        given = verdicts.select("row", "copies")
        counted = (
            self._strata(measures)
            .join(given, on="row", how="left")
            .with_columns(copies.fill_null(1))
            .group_by("stratum")
            .agg(
                pl.col("amount").sum().alias("offered"),
                (pl.col("amount") * copies).sum().alias("taken"),
                (copies > 0).sum().cast(pl.Int64).alias("distinct"),
                copies.max().alias("most_copies"),
            )
        )
        targets = self.targets(dict(counted.select("stratum", "offered").iter_rows()))
        joined = targets.join(counted.drop("offered"), on="stratum", how="left").fill_null(0)
        return {"strata": Report("strata", joined)}

    def targets(self, offers: Mapping[str, int]) -> pl.DataFrame:
        """The share, offer and target of each stratum, largest share first."""
        weights = self._weights(offers)
        whole, quotas = sum(weights.values()), self.quotas(offers)
        lines = [
            (name, float(round(weight / whole, 6)), offers.get(name, 0), quotas.get(name, 0))
            for name, weight in weights.items()
        ]
        kinds = {"stratum": pl.String, "share": pl.Float64, "offered": pl.Int64, "target": pl.Int64}
        targets = pl.DataFrame(lines, schema=kinds, orient="row").with_columns(pl.lit(self.unit).alias("unit"))
        return targets.sort("share", "stratum", descending=[True, False])

    def _strata(self, measures: pl.DataFrame) -> pl.DataFrame:
        """Columns `row`, `stratum`, `amount` (1, or the row's tokens), and `order` and `best`, which order the rows."""
        values = [pl.col(name).fill_null(NONE) for name in self.by]
        amount = pl.col("tokens").cast(pl.Int64) if self.tokens else pl.lit(1, pl.Int64)
        best = pl.col(self.best) if self.best else pl.lit(0)
        strata = measures.select(
            "row",
            "order",
            pl.concat_str(values, separator=SEPARATOR).alias("stratum"),
            amount.alias("amount"),
            best.alias("best"),
        )
        if uncounted := strata["amount"].null_count():
            raise InputError(
                f"stages.{self.name()}: {uncounted:,} rows have no tokens; let the stage tokens count all sources"
            )
        return strata

    def _copies(self, measures: pl.DataFrame) -> pl.DataFrame:
        strata = self._strata(measures)
        offers = dict(strata.group_by("stratum").agg(pl.col("amount").sum()).sort("stratum").iter_rows())
        quotas = self.quotas(offers)
        ordered = strata.sort("best", "order", descending=[True, False], nulls_last=True)
        quota = pl.col("stratum").replace_strict(quotas, default=0, return_dtype=pl.Int64)
        offered = pl.col("amount").sum().over("stratum")
        passes = pl.when(offered > 0).then(quota // offered).otherwise(0)
        rest = quota - passes * offered
        extra = (pl.col("amount").cum_sum().over("stratum") <= rest) & (rest > 0)
        return ordered.with_columns((passes + extra.cast(pl.Int64)).cast(COPIES).alias("copies"))

    def quotas(self, offers: Mapping[str, int]) -> dict[str, int]:
        """How many rows, or at most how many tokens, to take of each stratum; `offers` says how many each has.

        >>> WeightedMix(weights={"a": 1, "b": 3}, rows=10, when_short="take_all").quotas({"a": 9, "b": 4})
        {'a': 3, 'b': 4}
        """
        weights = self._weights(offers)
        limits = {name: offers.get(name, 0) * self.max_repeat for name in weights}
        empty = [name for name, weight in weights.items() if weight and not limits[name]]
        unit, called = self.unit, " and ".join(self.by)
        dropped = [name for name in offers if name not in weights]
        if misspelt := next((name for name in empty if did_you_mean(name, dropped)), None):
            hint = did_you_mean(misspelt, dropped)
            raise InputError(
                f"stages.{self.name()}: the {called} '{misspelt}' has a weight and no {unit}{hint}; or give it weight 0"
            )
        if empty and self.when_short == "error":
            listed = ", ".join(f"'{name}'" for name in empty)
            hint = did_you_mean(empty[0], offers) if len(empty) == 1 else f"; there are {', '.join(sorted(offers))}"
            what = "has a weight" if len(empty) == 1 else "have weights"
            raise InputError(
                f"stages.{self.name()}: the {called} {listed} {what} and no {unit}{hint}; "
                "give it weight 0, or say: when_short: shrink"
            )
        present = {name: weight for name, weight in weights.items() if limits[name]}
        largest = _largest_tokens(present, limits) if self.tokens else largest_total(present, limits)
        asked = self.rows if self.tokens is None else None if self.tokens == "all" else self.tokens
        total = asked or largest
        if self.when_short == "shrink":
            total = min(total, largest)
        quotas = (_tokens(present, total) if self.tokens else seats(present, total)) if any(present.values()) else {}
        short = next((name for name, quota in quotas.items() if quota > limits[name]), None)
        if short and self.when_short == "error":
            raise InputError(
                f"stages.{self.name()}: the {called} '{short}' should give {quotas[short]:,} of {total:,} {unit}, "
                f"and has {offers[short]:,} (max_repeat: {self.max_repeat}); the largest total is {largest:,}: say "
                f"{unit}: {largest}, raise max_repeat, or say: when_short: shrink"
            )
        return {name: min(quota, limits[name]) for name, quota in quotas.items()}

    def _weights(self, offers: Mapping[str, int]) -> dict[str, Fraction]:
        if self.temperature is not None:
            return {name: _power(offers[name], self.temperature) for name in sorted(offers)}
        weights: Mapping[str, Decimal | int] = PROFILES[self.profile] if self.profile else self.weights
        if not weights:
            return {name: Fraction(1) for name in sorted(offers)}
        unnamed = [name for name in offers if name not in weights]
        if unnamed and self.others == "error":
            unit, called = self.unit, " and ".join(self.by)
            listed = ", ".join(f"{name} ({offers[name]:,} {unit})" for name in unnamed)
            raise InputError(
                f"stages.{self.name()}: no weight for the {called} {listed}; "
                "give it one (0 drops it), or say: others: drop"
            )
        return {name: Fraction(weight) for name, weight in sorted(weights.items())}


def _tokens(weights: Mapping[str, Fraction], total: int) -> dict[str, int]:
    """The whole tokens of each share of a total."""
    whole = sum(weights.values())
    return {name: int(weight * total / whole) for name, weight in weights.items()}


def _largest_tokens(weights: Mapping[str, Fraction], limits: Mapping[str, int]) -> int:
    """The largest total for which every stratum has its share."""
    whole = sum(weights.values())
    return min((int(limits[name] * whole / weight) for name, weight in weights.items() if weight), default=0)


def _power(size: int, temperature: Decimal) -> Fraction:
    """A size to the power 1 / temperature, to 28 digits on any machine."""
    with localcontext(prec=28):
        return Fraction(Decimal(size) ** (1 / temperature)) if size else Fraction(0)
