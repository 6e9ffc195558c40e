"""The ledger: one line for every row that was read, and the evidence for every removal.

The tables are `ledger/` (id, source, fate, copies, reason), `evidence/<stage>.parquet`,
`quarantine.parquet` (records that did not become a row) and `places/` (which record of which
file, by its sha256, a row was). Each is sorted so that it depends on no file name or shard.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

from tulu_data.building.decision import Decision
from tulu_data.building.shards import Shard
from tulu_data.errors import InvariantError
from tulu_data.mixture.layout import LEDGER, PLACES, QUARANTINE
from tulu_data.mixture.tables import REPORTS, wrong_columns
from tulu_data.rows.identity import by_id, in_order
from tulu_data.store import parquet
from tulu_data.store.durable import make_folders
from tulu_data.verdicts import TWIN

BATCH_ROWS: Final = parquet.ROW_GROUP_ROWS


def write(decision: Decision, shards: Sequence[Shard], staging: Path) -> None:
    """Write all tables of the ledger into a version's folder."""
    words = decision.id_words()
    in_ledger = by_id(words)
    places = (decision.file.astype(np.uint64) << np.uint64(40)) + decision.place.astype(np.uint64)
    by_place = in_order(places, words[:, 0], words[:, 1])
    for name in ("ledger", "places", "evidence"):
        make_folders(staging / name)
    with parquet.writer(staging / "ledger" / "ledger.parquet", LEDGER) as writer:
        for batch in _ledger_batches(decision, in_ledger):
            writer.write_batch(batch, row_group_size=BATCH_ROWS)
    with parquet.writer(staging / "places" / "places.parquet", PLACES) as writer:
        for batch in _place_batches(decision, by_place):
            writer.write_batch(batch, row_group_size=BATCH_ROWS)
    for step, dropped in decision.evidence.items():
        parquet.write_frame(staging / "evidence" / f"{step}.parquet", _evidence(decision, dropped))
    for step, reports in decision.reports.items():
        for name, report in reports.items():
            frame = _with_ids(decision, report.frame)
            columns = REPORTS.get(report.kind)
            if columns and (wrong := wrong_columns(_schema(frame), columns)):
                raise InvariantError(f"stage {step}: its report '{name}' of the kind {report.kind} {wrong}")
            make_folders(staging / "reports")
            parquet.write_frame(staging / "reports" / f"{step}-{name}.parquet", frame)
    parquet.write(staging / "quarantine.parquet", _quarantine(shards))


def _schema(frame: pl.DataFrame) -> pa.Schema:
    return frame.clear().to_arrow(compat_level=pl.CompatLevel.oldest()).schema


def _with_ids(decision: Decision, frame: pl.DataFrame) -> pl.DataFrame:
    """A report with the ids of its rows instead of their numbers, sorted by its columns."""
    if "row" not in frame.columns:
        return frame
    ids = pl.Series("id", decision.id_texts(frame["row"].to_numpy()), dtype=pl.String)
    return frame.with_columns(ids.alias("row")).rename({"row": "id"}).sort(pl.all())


def _pieces(order: npt.NDArray[np.integer]) -> Iterator[npt.NDArray[np.integer]]:
    for start in range(0, len(order), BATCH_ROWS):
        yield order[start : start + BATCH_ROWS]


def _named(names: Sequence[str], indices: npt.NDArray[np.integer]) -> pa.Array:
    return pa.array(names, pa.string()).take(pa.array(indices))


def _ledger_batches(decision: Decision, order: npt.NDArray[np.integer]) -> Iterator[pa.RecordBatch]:
    for rows in _pieces(order):
        columns = [
            decision.id_texts(rows),
            _named(decision.sources, decision.source[rows]),
            _named(decision.fates, decision.fate[rows]),
            pa.array(decision.copies[rows].astype(np.int32)),
            _named(decision.reasons, decision.reason[rows]),
        ]
        yield pa.RecordBatch.from_arrays(columns, schema=LEDGER)


def _place_batches(decision: Decision, order: npt.NDArray[np.integer]) -> Iterator[pa.RecordBatch]:
    for rows in _pieces(order):
        columns = [
            _named(decision.files, decision.file[rows]),
            pa.array(decision.place[rows]),
            decision.id_texts(rows),
        ]
        yield pa.RecordBatch.from_arrays(columns, schema=PLACES)


def _evidence(decision: Decision, dropped: pl.DataFrame) -> pl.DataFrame:
    rows = dropped["row"].to_numpy()
    names = pl.Series(decision.sources, dtype=pl.String)
    shown = dropped.drop("row", "copies").insert_column(0, pl.Series("id", decision.id_texts(rows), dtype=pl.String))
    shown = shown.insert_column(1, names.gather(decision.source[rows].astype(np.uint32)).alias("source"))
    if TWIN in shown.columns:
        shown = shown.with_columns(pl.Series(TWIN, decision.id_texts(dropped[TWIN].to_numpy()), dtype=pl.String))
    return shown.sort("id")


def _quarantine(shards: Sequence[Shard]) -> pa.Table:
    records = sorted(
        (shard.source, file, record.row, record.offset, record.code, record.detail)
        for shard in shards
        for file, record in shard.quarantined
    )
    lines = [dict(zip(QUARANTINE.names, record, strict=True)) for record in records]
    return pa.Table.from_pylist(lines, schema=QUARANTINE)
