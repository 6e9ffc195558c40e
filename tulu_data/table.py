"""One Parquet file as this program writes it.

Bytes depend on the rows alone: fixed schema, row groups at exact row numbers, zstd, page
index, page checksums, and content-defined chunks, so that a store of chunks keeps only
what changed between two versions.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from tulu_data.commit import durable

ROW_GROUP_ROWS: Final = 20_000
OPTIONS: Final[dict[str, Any]] = {
    "compression": "zstd",
    "compression_level": 3,
    "use_content_defined_chunking": True,
    "write_page_index": True,
    "write_page_checksum": True,
}


@contextmanager
def writer(path: Path, schema: pa.Schema) -> Iterator[pq.ParquetWriter]:
    """A Parquet writer whose file exists, whole and fsynced, after a clean exit."""
    with durable(path) as file, pq.ParquetWriter(file, schema, **OPTIONS) as parquet:
        yield parquet


def write(path: Path, table: pa.Table) -> None:
    """Write a table in row groups of 20,000 rows."""
    with writer(path, table.schema) as parquet:
        parquet.write_table(table, row_group_size=ROW_GROUP_ROWS)


def write_frame(path: Path, frame: pl.DataFrame, schema: pa.Schema | None = None) -> None:
    """Write a polars frame; `schema` says the Arrow types where they are to be narrower."""
    table = frame.to_arrow(compat_level=pl.CompatLevel.oldest())
    write(path, table.cast(schema or _narrow(table.schema)))


def read_frame(path: Path, columns: Iterable[str] | None = None) -> pl.DataFrame:
    """Read a table of ours into polars, its page checksums verified."""
    table = pq.read_table(
        path, columns=None if columns is None else list(columns), page_checksum_verification=True, partitioning=None
    )
    frame = pl.from_arrow(table)
    assert isinstance(frame, pl.DataFrame)
    return frame


def _narrow(schema: pa.Schema) -> pa.Schema:
    """Polars' large strings as plain ones, which every reader of Parquet takes."""
    narrow = {pa.large_string(): pa.string(), pa.large_binary(): pa.binary()}
    return pa.schema([(field.name, narrow.get(field.type, field.type)) for field in schema])
