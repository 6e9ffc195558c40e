"""What to look at first: what rows of a source have that no trainer wants, counted."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import numpy as np
import polars as pl

from tulu_data import table
from tulu_data.blemishes import BLEMISHES
from tulu_data.commit import make_folders
from tulu_data.decide import Decision

NAME: Final = "reports/blemishes.parquet"
SCHEMA: Final[dict[str, Any]] = {
    "source": pl.String,
    "blemish": pl.String,
    "rows": pl.Int64,
    "of": pl.Int64,
    "kept": pl.Int64,
    "id": pl.String,
}


def write(decision: Decision, staging: Path) -> None:
    """Write `reports/blemishes.parquet`, where a row has any.

    A line for each source and blemish: the `rows` read that have it, `of` how many, how many
    of them are `kept`, and the `id` of one, the first of those kept where there is one.
    """
    lines = []
    for index, source in enumerate(decision.sources):
        own = np.flatnonzero(decision.source == index)
        marks = decision.marks[own]
        for bit, blemish in enumerate(BLEMISHES):
            rows = own[(marks >> np.uint32(bit) & np.uint32(1)).astype(bool)]
            if len(rows):
                kept = rows[decision.kept[rows]]
                chosen = kept if len(kept) else rows
                (first,) = decision.ids(chosen[[np.argmin(decision.id[chosen].view("S16"))]])
                lines.append((source, blemish.name, len(rows), len(own), len(kept), first))
    if lines:
        make_folders(staging / "reports")
        table.write_frame(staging / NAME, pl.DataFrame(lines, schema=SCHEMA, orient="row"))
