"""Parquet files, read in small batches with their page checksums verified."""

from __future__ import annotations

import bisect
import hashlib
import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import Field

from tulu_data.errors import InputError
from tulu_data.readers.arrow_record import BATCH_ROWS, as_records, column_names
from tulu_data.readers.parquet_batches import ExpandsError, batches, refuse_declared
from tulu_data.readers.stream import CHUNK_BYTES, require_regular, watched
from tulu_data.sources.paths import Paths
from tulu_data.sources.source import Cut, Part, Reading, Source
from tulu_data.store.durable import sha256_file


class Parquet(Source):
    """Parquet files, such as those that this program writes.

    {parquet: "mixtures/base/3f0c9a7be214/data/*.parquet"}
    """

    place: ClassVar = "parquet"

    parquet: Paths = Field(description="A path or a list of paths; `*`, `?`, `[…]`, `**` and `${NAME}` work")

    @contextmanager
    def read(self, file: Path, columns: tuple[str, ...] = ()) -> Iterator[Reading]:
        sha256 = watched(file)
        with _opened(file) as parquet:
            names = column_names(file, parquet.schema_arrow)
            records = as_records(_batches(file, parquet, list(names)), columns=columns)
            yield Reading(records, sha256, columns=names, rows=parquet.metadata.num_rows)

    def cut(self, file: Path, records: int) -> Cut | None:
        with _opened(file) as parquet:
            metadata = parquet.metadata
        sizes = _sizes(metadata)
        parts = []
        for before in range(0, metadata.num_rows, records):
            count = min(records, metadata.num_rows - before)
            groups = _groups(sizes, before, count)
            if sum(sizes[group] for group in groups) > 2 * records:
                # Each part would read most of the bytes of the others.
                return None
            start, end = _bytes(metadata, groups)
            if not 0 <= start <= end <= file.stat().st_size:
                raise _damaged(file, ValueError("its row groups are outside of it"))
            parts.append(Part(before, count, start, end, _sha256(file, metadata, start, end)))
        return Cut(tuple(parts), sha256_file(file))

    @contextmanager
    def read_part(self, file: Path, part: Part, columns: tuple[str, ...] = ()) -> Iterator[Reading]:
        with _opened(file) as parquet:
            metadata = parquet.metadata
            names = column_names(file, parquet.schema_arrow)
            sizes = _sizes(metadata)
            groups = _groups(sizes, part.before, part.records)
            skipped = part.before - sum(sizes[: groups[0]])
            batches = _batches(file, parquet, list(names), groups)
            every = as_records(batches, part.before - skipped, columns)
            records = itertools.islice(every, skipped, skipped + part.records)
            yield Reading(records, lambda: _sha256(file, metadata, part.start, part.end), columns=names)


@contextmanager
def _opened(file: Path) -> Iterator[pq.ParquetFile]:
    require_regular(file)
    try:
        parquet = pq.ParquetFile(file, page_checksum_verification=True)
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise _damaged(file, error) from None
    with parquet:
        try:
            refuse_declared(file, parquet.metadata)
        except ExpandsError as error:
            raise _bomb(file, error) from None
        except (pa.ArrowException, OSError) as error:
            raise _damaged(file, error) from None
        sizes = _sizes(parquet.metadata)
        if sum(sizes) != parquet.metadata.num_rows or min(sizes, default=0) < 0:
            raise _damaged(file, ValueError("its row groups do not have the number of rows that it states"))
        yield parquet


def _sizes(metadata: pq.FileMetaData) -> list[int]:
    """The rows of each row group."""
    return [metadata.row_group(index).num_rows for index in range(metadata.num_row_groups)]


def _groups(sizes: list[int], before: int, records: int) -> list[int]:
    """The row groups that hold some records."""
    ends = list(itertools.accumulate(sizes))
    return list(range(bisect.bisect_right(ends, before), bisect.bisect_left(ends, before + records) + 1))


def _bytes(metadata: pq.FileMetaData, groups: list[int]) -> tuple[int, int]:
    """The first byte of some row groups, and the end of the last."""
    chunks = [metadata.row_group(group).column(index) for group in groups for index in range(metadata.num_columns)]
    starts = [
        chunk.data_page_offset if chunk.dictionary_page_offset is None else chunk.dictionary_page_offset
        for chunk in chunks
    ]
    return min(starts), max(start + chunk.total_compressed_size for start, chunk in zip(starts, chunks, strict=True))


def _sha256(file: Path, metadata: pq.FileMetaData, start: int, end: int) -> str:
    """The sha256 of some bytes of a file and of its footer, which is needed to read them."""
    digest = hashlib.sha256()
    size = file.stat().st_size
    with file.open("rb") as opened:
        for first, stop in ((start, end), (size - metadata.serialized_size - 8, size)):
            opened.seek(first)
            left = stop - first
            while piece := opened.read(min(CHUNK_BYTES, left)):
                digest.update(piece)
                left -= len(piece)
    return digest.hexdigest()


def _batches(
    file: Path, parquet: pq.ParquetFile, columns: list[str], groups: list[int] | None = None
) -> Iterator[pa.RecordBatch]:
    read = batches(file, parquet, BATCH_ROWS, columns, groups)
    while True:
        try:
            batch = next(read, None)
        except ExpandsError as error:
            raise _bomb(file, error) from None
        except (pa.ArrowException, OSError) as error:
            raise _damaged(file, error) from None
        if batch is None:
            return
        yield batch


def _bomb(file: Path, error: ExpandsError) -> InputError:
    return InputError(
        f"{file}: {error} ({file.stat().st_size:,} bytes give {error.size:,} or more): "
        "a decompression bomb; it is not read"
    )


def _damaged(file: Path, error: Exception) -> InputError:
    what = str(error).splitlines()[0] if str(error) else type(error).__name__
    return InputError(f"{file}: damaged, or not Parquet: {what}; fetch the file again")
