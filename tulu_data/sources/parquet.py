"""Parquet files, read in small batches with their page checksums verified."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar, Final

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import Field

from tulu_data.commit import sha256_file
from tulu_data.errors import InputError, RecordError, printable
from tulu_data.readers.record import Record
from tulu_data.readers.stream import MAX_RATIO, MAX_RECORD_BYTES, RATIO_FLOOR_BYTES, require_regular
from tulu_data.source import Paths, Reading, Source

BATCH_ROWS: Final = 1024


class Parquet(Source):
    """Parquet files, such as those that this program writes.

    {parquet: "mixtures/base/3f0c9a7be214/data/*.parquet"}
    """

    place: ClassVar = "parquet"

    parquet: Paths = Field(description="A path or a list of paths; `*`, `?`, `**` and `${NAME}` work")

    @contextmanager
    def read(self, file: Path, columns: tuple[str, ...] = ()) -> Iterator[Reading]:
        require_regular(file)
        before = file.stat()
        try:
            parquet = pq.ParquetFile(file, page_checksum_verification=True)
        except (pa.ArrowException, OSError) as error:
            raise _damaged(file, error) from None
        with parquet:
            _refuse_bomb(file, parquet.metadata)
            names = tuple(parquet.schema_arrow.names)
            twice = next((name for name in names if names.count(name) > 1), None)
            if twice is not None:
                raise InputError(f"{file}: two columns are named '{printable(twice)}'; rename one")
            wanted = [name for name in names if not columns or name in columns]

            def digest() -> str:
                after = file.stat()
                if (before.st_mtime_ns, before.st_size, before.st_ino) != (
                    after.st_mtime_ns,
                    after.st_size,
                    after.st_ino,
                ):
                    raise InputError(f"{file}: changed while it was read; run the command again")
                return sha256_file(file)

            yield Reading(_records(file, parquet, wanted), digest, columns=names, rows=parquet.metadata.num_rows)


def _records(file: Path, parquet: pq.ParquetFile, columns: list[str]) -> Iterator[Record]:
    row = 0
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
        for value in _values(batch):
            row += 1
            if isinstance(value, RecordError):
                yield Record(row, None, None, value)
            else:
                yield Record(row, None, value)


def _values(batch: pa.RecordBatch) -> list[Any]:
    """The rows as mappings, or as the errors that they are."""
    if batch.nbytes <= MAX_RECORD_BYTES:
        try:
            return list(batch.to_pylist())
        except UnicodeDecodeError:
            pass
    return [_value(batch.slice(index, 1)) for index in range(batch.num_rows)]


def _value(row: pa.RecordBatch) -> dict[str, Any] | RecordError:
    if row.nbytes > MAX_RECORD_BYTES:
        return RecordError("too_long", f"more than {MAX_RECORD_BYTES:,} bytes")
    try:
        return dict(row.to_pylist()[0])
    except UnicodeDecodeError as error:
        return RecordError("invalid_utf8", f"byte 0x{error.object[error.start]:02x} is not UTF-8")


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
