"""One Parquet file as this program writes it.

Bytes depend on the rows alone: fixed schema, row groups at exact row numbers, zstd and page
checksums. Published files have a page index and content-defined chunks as well, so that a
store of chunks keeps only the changes between two versions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import IO, Any, Final, NamedTuple

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from tulu_data.store.durable import durable, whole

ROW_GROUP_ROWS: Final = 20_000


class Use(NamedTuple):
    """The use of a table: the options of its writer, and how its file is created."""

    options: dict[str, Any]
    opened: Callable[[Path], AbstractContextManager[IO[bytes]]]


_WORKING: Final[dict[str, Any]] = {
    "compression": "zstd",
    # Takes half the time of level 3 and a fifth more bytes, on random words.
    "compression_level": 1,
    "write_page_checksum": True,
}
WORKING: Final = Use(_WORKING, whole)
PUBLISHED: Final = Use(
    {**_WORKING, "compression_level": 3, "use_content_defined_chunking": True, "write_page_index": True}, durable
)


@contextmanager
def writer(path: Path, schema: pa.Schema, use: Use = PUBLISHED) -> Iterator[pq.ParquetWriter]:
    """A Parquet writer whose file exists whole after a clean exit; it is fsynced if it is to be published."""
    with use.opened(path) as file, pq.ParquetWriter(file, schema, **use.options) as parquet:
        yield parquet


def write(path: Path, table: pa.Table, use: Use = PUBLISHED) -> None:
    """Write a table in row groups of 20,000 rows."""
    with writer(path, table.schema, use) as parquet:
        parquet.write_table(table, row_group_size=ROW_GROUP_ROWS)


def write_frame(path: Path, frame: pl.DataFrame, use: Use = PUBLISHED) -> None:
    """Write a polars frame with plain strings, which every reader of Parquet understands."""
    table = frame.to_arrow(compat_level=pl.CompatLevel.oldest())
    narrow = {pa.large_string(): pa.string(), pa.large_binary(): pa.binary()}
    write(
        path,
        table.cast(pa.schema([(field.name, narrow.get(field.type, field.type)) for field in table.schema])),
        use,
    )


def read(path: Path, columns: Iterable[str] | None = None) -> pa.Table:
    """Read a table of ours, its page checksums verified."""
    names = None if columns is None else list(columns)
    return pq.read_table(path, columns=names, page_checksum_verification=True, partitioning=None)


def read_frame(path: Path, columns: Iterable[str] | None = None) -> pl.DataFrame:
    """Read a table of ours into polars, its page checksums verified."""
    frame = pl.from_arrow(read(path, columns))
    assert isinstance(frame, pl.DataFrame)
    return frame
