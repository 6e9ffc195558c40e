"""Write the domain of each row."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Self

import polars as pl
from pydantic import Field, PrivateAttr, field_validator

from tulu_data.errors import InputError
from tulu_data.reports import Report
from tulu_data.rows.rows import Rows
from tulu_data.stage import CONTENT, Annotator, Decides, Share
from tulu_data.store.patterns import NAME_PATTERN
from tulu_data.text import domains
from tulu_data.text.domains import OTHER, RULES, Rule

if TYPE_CHECKING:
    from tulu_data.store.workspace import Workspace

Name = Annotated[str, Field(pattern=NAME_PATTERN)]


class Domain(Annotator):
    r"""Write what each row is about into the column `domain`.

        - domain
        - domain: {declared: ignore, min_score: 0.4}
        - domain: {rules: {medicine: [{pattern: '(?i)\bpatients?\b', weight: 0.6, often: 2, on: prompt}]}}
        - domain: {model: models/domains.ftz}

    A row has the domain that its source declares. If the source declares none, rules decide: the
    density of formulas, arithmetic, code, calls of tools, questions and so on gives each of
    `tools`, `code`, `math`, `safety`, `multilingual`, `instruction_following`, `knowledge` and
    `chat` a score from 0 to 1 (docs/domains.md). The row gets the domain with the highest score,
    if that is at least `min_score`; of equal scores the first in this list. `rules` adds rules or
    domains. Otherwise the `model` decides, a fastText model whose labels are domains, or else
    the domain is `other`.
    Measures: `code_score` and so on, `model_label` and `model_certainty`.
    `reports/domain-domains.parquet` counts rows by source and domain.
    """

    reads: ClassVar = (CONTENT,)
    writes: ClassVar = ("domain",)
    requires: ClassVar = ("pyarrow", "fasttext-predict")

    declared: Decides[Literal["use", "ignore"]] = Field(
        "use", description="Use or ignore the domain that the source declares"
    )
    min_score: Decides[Share] = Field(Decimal("0.3"), description="Rules decide if the score is at least this")
    rules: dict[Name, tuple[Rule, ...]] = Field({}, description="Additional rules, by domain")
    model: str | None = Field(None, min_length=1, description="The file of a fastText model")
    min_certainty: Decides[Share] = Field(
        Decimal("0.5"), description="The model decides if its certainty is at least this"
    )

    _digest: str = PrivateAttr("")

    @field_validator("rules")
    @classmethod
    def _no_other(cls, rules: dict[str, tuple[Rule, ...]]) -> dict[str, tuple[Rule, ...]]:
        if OTHER in rules:
            raise ValueError(f"'{OTHER}' is the domain of rows that no rule decides; give the domain another name")
        return rules

    def prepare(self, workspace: Workspace, digest: Callable[[Path], str]) -> Self:
        """Open the model, before any row is read.

        Raises `InputError` (exit 3) if it is missing, or not a fastText model.
        """
        if self.model is None:
            return self
        if not Path(self.model).is_file():
            raise InputError(f"stages.domain: model: no file {self.model}; give a fastText model, or leave it out")
        domains.open_model(self.model)
        prepared = self.model_copy()
        prepared._digest = digest(Path(self.model))  # noqa: SLF001 (its own copy)
        return prepared

    @property
    def artifacts(self) -> dict[str, str]:
        return {"fasttext model": self._digest} if self._digest else {}

    def facts(self) -> dict[str, Any]:
        return {"model": self.model, "sha256": self._digest} if self._digest else {}

    def needs(self) -> tuple[str, ...]:
        return ("domain",)

    def measure(self, rows: Rows) -> pl.DataFrame:
        """Columns `…_score` (Float32, 0 to 1) by domain, `model_label` (String) and `model_certainty` (Float32)."""
        reasons = {name: (*RULES.get(name, ()), *self.rules.get(name, ())) for name in self._names()}
        scores = {f"{name}_score": score for name, score in domains.scores(rows, reasons).items()}
        guesses: list[tuple[str | None, float | None]] = [(None, None)] * len(rows)
        if self.model is not None:
            model = domains.open_model(self.model)
            guesses = [model.label(" ".join(texts)) for texts in rows.texts().by_row()]
        guessed = pl.DataFrame(guesses, {"model_label": pl.String, "model_certainty": pl.Float32}, orient="row")
        return pl.DataFrame(scores).hstack(guessed)

    def label(self) -> pl.Expr:
        """The domain of a row, from its measures."""
        top = pl.max_horizontal(f"{name}_score" for name in self._names())
        is_sure = top >= pl.lit(float(self.min_score), pl.Float32)
        by_rules = [pl.when(is_sure & (pl.col(f"{name}_score") == top)).then(pl.lit(name)) for name in self._names()]
        by_model = pl.when(pl.col("model_certainty") >= float(self.min_certainty)).then("model_label")
        declared = ["domain"] if self.declared == "use" else []
        return pl.coalesce(*declared, *by_rules, by_model, pl.lit(OTHER))

    def _names(self) -> list[str]:
        return [*RULES, *(name for name in self.rules if name not in RULES)]

    def annotate(self, measures: pl.DataFrame) -> pl.DataFrame:
        return measures.select(self.label().alias("domain"))

    def tally(self, measures: pl.DataFrame) -> dict[str, pl.DataFrame]:
        return {"domains": measures.group_by(self.label().alias("domain")).agg(pl.len().alias("rows"))}

    def report(self, tallies: Mapping[str, pl.DataFrame]) -> dict[str, Report]:
        """`domains`: rows by source and domain, before anything is dropped."""
        if not tallies:
            return {}
        counted = tallies["domains"].group_by("source", "domain").agg(pl.col("rows").sum().cast(pl.Int64))
        return {"domains": Report("data", counted.sort("source", "rows", "domain", descending=[False, True, False]))}
