"""Reports: the tables that a stage makes besides its verdicts, each of a kind.

The page, the card and the terminal know only the kind of a report, so that they can draw the
reports of any stage. The columns of each kind are in `mixture.tables.REPORTS`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import polars as pl

TABLE: Final = "table"
"""A table that is drawn as it is, with a title, a sentence and column heads."""
KINDS: Final = ("evaluations", "near", "clusters", "overlap", "strata", TABLE, "data")
"""The kinds that a stage may return; all are drawn but `data`, which is for programs alone."""
MEASURED: Final = ("scores", "thresholds", "trainable")
"""Tables that the build itself makes from a stage's measures; no report of a stage may have such a name."""
NAME: Final = "^[a-z][a-z0-9_]{0,59}$"


@dataclass(frozen=True)
class Report:
    """A table, and how it is shown.

        Report("overlap", pairs)
        Report("table", frame, title="How long are the answers?", heads={"source": "source", "median": "characters"})

    `title`, `says` and `heads` are for the kind `table`: a heading, a sentence below it, and the
    head of each column that is drawn. Without heads, all columns are drawn under their names.
    A column `row` is written as `id`.
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
        """The report in the manifest, without its table; heads are a list, for keys of JSON have no order."""
        shown = {"title": self.title, "says": self.says, "heads": [*map(list, self.heads.items())]}
        return {"kind": self.kind, **{name: value for name, value in shown.items() if value}}
