"""Report or drop conversations that contain personal data or secrets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Final, Literal

import numpy as np
import polars as pl
import pyarrow as pa
from pydantic import Field

from tulu_data.reports import Report
from tulu_data.rows.rows import Rows
from tulu_data.stage import CONTENT, Decides, Filter
from tulu_data.text import sensitive
from tulu_data.text.sensitive import KINDS, Code, Kind
from tulu_data.verdicts import Evidence, drop, none

FINDING: Final = {"kind": pl.String, "place": pl.String, "start": pl.UInt32, "end": pl.UInt32}
MEASURES: Final[dict[str, Any]] = {"findings": pl.List(pl.Struct(FINDING))}


class SensitiveFilter(Filter):
    """Report or drop conversations that contain personal data or secrets.

        - sensitive_filter
        - sensitive_filter: {kinds: [secret], action: drop, max_removed: 0.01}
        - sensitive_filter: {action: drop, max_removed: 0}

    It finds the kinds of the stage `redact` by the same rules; after that stage, with the same
    `kinds` and `code`, it finds nothing. With `action: drop`, `max_removed: 0` stops the build if
    there is a finding, and lists rows without their text.
    `reports/sensitive_filter-findings.parquet` lists each finding by the row's id, its kind
    and place (`messages[2]`, `tool_calls` or `tools`) and its first character and end, from
    0, the end not included, in the text as it is written (JSON with its escapes);
    `reports/sensitive_filter-kinds.parquet` counts rows and findings by source and kind.
    Neither the reports nor the evidence contain the value, or a hash of it.
    Evidence: the first finding, and how many there are.
    """

    reads: ClassVar = (CONTENT,)
    is_private: ClassVar = True
    evidence: ClassVar[Evidence] = {**FINDING, "count": pl.UInt32}
    withholds: ClassVar = True

    code: Code = Field("secrets", description="In code and in texts of tools, look for secrets alone, or all kinds")
    kinds: Decides[tuple[Kind, ...]] = Field(KINDS, min_length=1, description="Kinds of values to report or drop")
    action: Decides[Literal["report", "drop"]] = Field(
        "report", description="Only report rows with findings, or drop them"
    )

    def measure(self, rows: Rows) -> pl.DataFrame:
        """Column `findings`: a list of structs of `kind`, `place` (String), `start` and `end` (UInt32, characters)."""
        counts = np.zeros(len(rows), dtype=np.int64)
        found = []
        for row in sensitive.suspect_rows(rows):
            for text in sensitive.texts_of(rows, row):
                own = sensitive.search(text, code=self.code)
                found += [(one.kind, text.place, one.start, one.end) for one in own]
                counts[row] += len(own)
        each = pl.DataFrame(found, FINDING, orient="row").to_struct()
        ends = np.concatenate([[0], np.cumsum(counts)]).astype(np.int32)
        lists = pa.ListArray.from_arrays(ends, each.to_arrow(compat_level=pl.CompatLevel.oldest()))
        return pl.DataFrame({"findings": pl.Series(lists, dtype=MEASURES["findings"])})

    def judge(self, measures: pl.DataFrame) -> pl.DataFrame:
        if self.action == "report":
            return none(self.evidence)
        found = self._found(measures)
        first = found.group_by("row", maintain_order=True).agg(pl.first(*FINDING), pl.len().alias("count"))
        return drop(first, pl.lit(True), reason=pl.format("holds {}", "kind"), evidence=self.evidence)

    def tally(self, measures: pl.DataFrame) -> dict[str, pl.DataFrame]:
        return {"findings": self._found(measures)}

    def report(self, tallies: Mapping[str, pl.DataFrame]) -> dict[str, Report]:
        """`findings`: each finding; `kinds`: rows and findings by source and kind."""
        if not tallies:
            return {}
        found = tallies["findings"]
        counts = (pl.col("row").n_unique().cast(pl.Int64).alias("rows"), pl.len().cast(pl.Int64).alias("findings"))
        kinds = found.group_by("source", "kind").agg(counts).sort("source", "kind")
        return {"findings": Report("data", found), "kinds": Report("data", kinds)}

    def _found(self, measures: pl.DataFrame) -> pl.DataFrame:
        """One line for each finding of the `kinds`, in order."""
        each = measures.select("row", "findings").explode("findings", empty_as_null=False).unnest("findings")
        return each.filter(pl.col("kind").is_in(self.kinds))
