"""Reports: the tables that a stage makes beside its verdicts, each with what it shows.

The kind of a report is all that the page, the card and the terminal know of it, so that they
draw the reports of any stage. The columns of each kind are in `mixture.tables.REPORTS`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import polars as pl

TABLE: Final = "table"
"""A table that is drawn as it is, with a title, a sentence and heads of columns."""
KINDS: Final = ("evaluations", "near", "clusters", "overlap", "strata", TABLE, "data")
"""What a stage may return: tables that are drawn, and `data`, which is for programs alone."""
MEASURED: Final = ("scores", "thresholds", "trainable")
"""What a build makes itself of what a stage measured; no report of a stage is named so."""
NAME: Final = "^[a-z][a-z0-9_]{0,59}$"


@dataclass(frozen=True)
class Report:
    """A table, and what it shows.

        Report("overlap", pairs)
        Report("table", frame, title="How long are the answers?", heads={"source": "source", "median": "characters"})

    `title`, `says` and `heads` are of the kind `table`: a heading, a sentence below it, and what
    is written over each column that is drawn; all columns are, by their names, where there are no
    heads. A column `row` is written as `id`.
    """

    kind: str
    frame: pl.DataFrame
    title: str = ""
    says: str = ""
    heads: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"there is no kind of report '{self.kind}'; there are {', '.join(KINDS)}")
        if not isinstance(self.frame, pl.DataFrame):
            raise TypeError(f"a report holds a polars DataFrame, not a {type(self.frame).__name__}")
        if self.kind == TABLE and not self.title:
            raise ValueError("a table is drawn under a title; give one: Report('table', frame, title='…')")
        columns = {"id" if name == "row" else name for name in self.frame.columns}
        if unknown := sorted(self.heads.keys() - columns):
            raise ValueError(f"heads names the column '{unknown[0]}'; the table has {', '.join(sorted(columns))}")

    def as_values(self) -> dict[str, Any]:
        """What the manifest says of it: all but the table itself. Heads are in order, which keys of JSON are not."""
        shown = {"title": self.title, "says": self.says, "heads": [*map(list, self.heads.items())]}
        return {"kind": self.kind, **{name: value for name, value in shown.items() if value}}
