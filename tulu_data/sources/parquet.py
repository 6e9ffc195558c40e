"""Parquet files, read in small batches with their page checksums verified."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import Field

from tulu_data.errors import InputError
from tulu_data.readers.arrow_record import BATCH_ROWS, as_records, column_names
from tulu_data.readers.stream import MAX_RATIO, RATIO_FLOOR_BYTES, watched
from tulu_data.source import Paths, Reading, Source


class Parquet(Source):
    """Parquet files, such as those that this program writes.

    {parquet: "mixtures/base/3f0c9a7be214/data/*.parquet"}
    """

    place: ClassVar = "parquet"

    parquet: Paths = Field(description="A path or a list of paths; `*`, `?`, `**` and `${NAME}` work")

    @contextmanager
    def read(self, file: Path, columns: tuple[str, ...] = ()) -> Iterator[Reading]:
        sha256 = watched(file)
        try:
            parquet = pq.ParquetFile(file, page_checksum_verification=True)
        except (pa.ArrowException, OSError) as error:
            raise _damaged(file, error) from None
        with parquet:
            _refuse_bomb(file, parquet.metadata)
            names = column_names(file, parquet.schema_arrow)
            wanted = [name for name in names if not columns or name in columns]
            records = as_records(_batches(file, parquet, wanted))
            yield Reading(records, sha256, columns=names, rows=parquet.metadata.num_rows)


def _batches(file: Path, parquet: pq.ParquetFile, columns: list[str]) -> Iterator[pa.RecordBatch]:
    decoded = 0
    size = file.stat().st_size
    batches = parquet.iter_batches(batch_size=BATCH_ROWS, columns=columns)
    while True:
        try:
            batch = next(batches, None)
        except (pa.ArrowException, OSError) as error:
            raise _damaged(file, error) from None
        if batch is None:
            return
        decoded += batch.nbytes
        if decoded > RATIO_FLOOR_BYTES and decoded > MAX_RATIO * size:
            raise _bomb(file, decoded)
        yield batch


def _refuse_bomb(file: Path, metadata: pq.FileMetaData) -> None:
    declared = sum(metadata.row_group(index).total_byte_size for index in range(metadata.num_row_groups))
    if declared > RATIO_FLOOR_BYTES and declared > MAX_RATIO * file.stat().st_size:
        raise _bomb(file, declared)


def _bomb(file: Path, size: int) -> InputError:
    return InputError(
        f"{file}: expands more than {MAX_RATIO:,} times ({file.stat().st_size:,} bytes give {size:,} or more): "
        "a decompression bomb; it is not read"
    )


def _damaged(file: Path, error: Exception) -> InputError:
    what = str(error).splitlines()[0] if str(error) else type(error).__name__
    return InputError(f"{file}: damaged, or not Parquet: {what}; fetch the file again")
