"""The languages of rows, as measured by all stages that need them."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Final, Self

import polars as pl
from pydantic import Field, PositiveInt

from tulu_data.reports import Report
from tulu_data.rows.on import On
from tulu_data.rows.rows import Rows
from tulu_data.stage import Decides, Filter, Share
from tulu_data.text import language_id
from tulu_data.text.language_id import UNDETERMINED

if TYPE_CHECKING:
    from tulu_data.store.workspace import Workspace

MEASURES: Final[dict[str, Any]] = {
    "language": pl.String,
    "score": pl.Float32,
    "share": pl.Float32,
    "letters": pl.UInt32,
}


class Identifying(Filter):
    """A stage that measures the language of each row and writes it."""

    writes: ClassVar = ("language",)
    requires: ClassVar = ("fasttext-predict", "langdetect")

    on: On = Field("conversation", description="Which messages are looked at")
    min_letters: PositiveInt = Field(20, description="Rows with fewer letters are `und`; ideographs count three")
    agree: bool = Field(False, description="Rows for which langdetect finds another language are `und`; much slower")
    min_score: Decides[Share] = Field(Decimal("0.2"), description="Rows with a lower score are `und`")

    def prepare(self, workspace: Workspace, digest: Callable[[Path], str]) -> Self:
        """Find the model, before any row is read."""
        language_id.model_digest()
        return self

    @property
    def artifacts(self) -> dict[str, str]:
        return {"fasttext model": language_id.model_digest()}

    def measure(self, rows: Rows) -> pl.DataFrame:
        """Columns `language` (`und` if there are too few letters), `score`, `share` (Float32) and `letters`."""
        found = [self._of(texts) for texts in rows.texts(self.on).by_row()]
        return pl.DataFrame(found, schema=MEASURES, orient="row")

    def _of(self, texts: list[str]) -> tuple[str, float, float, int]:
        words = [language_id.prose(text) for text in texts]
        each = [language_id.identify(text, self.min_letters, agree=self.agree) for text in words]
        if all(one.language == UNDETERMINED for one in each):
            # Turns that are too short alone may be long enough together.
            whole = language_id.identify(" ".join(filter(None, words)), self.min_letters, agree=self.agree)
            return whole.language, whole.score, 0.0 if whole.language == UNDETERMINED else 1.0, whole.letters
        counted: Counter[str] = Counter()
        weighed: defaultdict[str, float] = defaultdict(float)
        for one in each:
            if one.language != UNDETERMINED:
                counted[one.language] += one.letters
                weighed[one.language] += one.letters * one.score
        language = min(counted, key=lambda name: (-counted[name], name))
        total = sum(counted.values())
        score = round(weighed[language] / counted[language], 4)
        return language, score, round(counted[language] / total, 4), total

    def label(self) -> pl.Expr:
        """The language of a row, from its measures."""
        is_sure = pl.col("score") >= float(self.min_score)
        return pl.when(is_sure).then("language").otherwise(pl.lit(UNDETERMINED))

    def annotate(self, measures: pl.DataFrame) -> pl.DataFrame:
        return measures.select(self.label().alias("language"))

    def tally(self, measures: pl.DataFrame) -> dict[str, pl.DataFrame]:
        return {"languages": measures.group_by(self.label().alias("language")).agg(pl.len().alias("rows"))}

    def report(self, tallies: Mapping[str, pl.DataFrame]) -> dict[str, Report]:
        """`languages`: rows by source and language, before anything is dropped."""
        if not tallies:
            return {}
        counted = tallies["languages"].group_by("source", "language").agg(pl.col("rows").sum().cast(pl.Int64))
        return {
            "languages": Report("data", counted.sort("source", "rows", "language", descending=[False, True, False]))
        }
