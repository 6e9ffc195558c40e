"""What to look at first: blemishes of rows, which no trainer wants, counted by source."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl

from tulu_data.building.decision import Decision
from tulu_data.mixture.layout import BLEMISHES as COLUMNS
from tulu_data.mixture.layout import BLEMISHES_FILE
from tulu_data.store import parquet
from tulu_data.store.durable import make_folders
from tulu_data.text.blemishes import BLEMISHES


def write(decision: Decision, staging: Path) -> None:
    """Write `reports/blemishes.parquet`, where a row has any.

    It has a line for each source and blemish: how many of the rows read have it (`rows`), the
    number of all rows read (`of`), how many with it are kept (`kept`), and the `id` of one such
    row, the first of those kept if there is one.
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
        parquet.write_frame(staging / BLEMISHES_FILE, pl.DataFrame(lines, schema=COLUMNS, orient="row"))
