"""Copy a data file without some of its records; the others keep their bytes.

Byte ranges are cut out of text files, so the header, the order of keys, the spelling of numbers
and line ends do not change. Columns of Parquet do not change, even those that were not read.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from tulu_data.readers import arrow_split
from tulu_data.readers.arrow_record import AnyRecord
from tulu_data.readers.json_elements import EACH, elements, split_path
from tulu_data.readers.parquet_batches import batches
from tulu_data.readers.stream import UTF8_MARK, Stream, compression_of, watched
from tulu_data.sources.huggingface import Huggingface
from tulu_data.sources.jsonl import Jsonl
from tulu_data.sources.parquet import Parquet
from tulu_data.sources.source import Source
from tulu_data.store import parquet
from tulu_data.store.durable import durable

_ROWS: Final = parquet.ROW_GROUP_ROWS
_BYTES: Final = 128 << 20


def name_of(source: Source, file: Path) -> str:
    """The name of the copy of a file: the same, except that an Arrow file of a dataset is copied to Parquet."""
    return f"{file.stem}.parquet" if isinstance(source, Huggingface) else file.name


def write(source: Source, file: Path, gone: Collection[int], target: Path) -> str:
    """Copy a file of a source without the records of these numbers (from 1); returns the sha256 of the original.

    JSON Lines, CSV, TSV and Parquet keep their format; the records of a JSON document
    become a JSON array. Raises `InputError` (exit 3) if the file is changed meanwhile.
    """
    sha256 = watched(file)
    try:
        _copy(source, file, gone, target)
    except (pa.ArrowException, OSError):
        # A file that is written to while it is read may look damaged.
        sha256()
        raise
    return sha256()


def _copy(source: Source, file: Path, gone: Collection[int], target: Path) -> None:
    if isinstance(source, Parquet):
        with pq.ParquetFile(file, page_checksum_verification=True) as opened:
            _write_batches(opened.schema_arrow, batches(file, opened, _ROWS), gone, target)
    elif isinstance(source, Huggingface):
        with arrow_split.opened(file) as (_, _, read):
            with pa.memory_map(str(file)) as mapped:
                schema = pa.ipc.open_stream(mapped).schema
            _write_batches(schema, read, gone, target)
    elif isinstance(source, Jsonl) and (steps := _steps(source, file)) is not None:
        _write_array(file, steps, gone, target)
    else:
        with source.read(file) as reading:
            ranges = list(_ranges(reading.records, gone))
        _write_text(file, ranges, target)


def _write_batches(schema: pa.Schema, batches: Iterable[pa.RecordBatch], gone: Collection[int], target: Path) -> None:
    number = 0
    held: list[pa.RecordBatch] = []
    with parquet.writer(target, schema) as writer:
        for batch in batches:
            kept = [row not in gone for row in range(number + 1, number + batch.num_rows + 1)]
            number += batch.num_rows
            held.append(batch.filter(pa.array(kept, pa.bool_())).cast(schema))
            if sum(part.num_rows for part in held) >= _ROWS or sum(part.nbytes for part in held) >= _BYTES:
                writer.write_table(pa.Table.from_batches(held), row_group_size=_ROWS)
                held = []
        if held:
            writer.write_table(pa.Table.from_batches(held), row_group_size=_ROWS)


def _steps(source: Jsonl, file: Path) -> tuple[str, ...] | None:
    """The path to the records in a file that is one document; None if each record is a line."""
    if source.records is not None:
        return split_path(source.records)
    with Stream(file) as stream:
        return (EACH,) if stream.peek().lstrip().startswith(b"[") else None


def _write_array(file: Path, steps: tuple[str, ...], gone: Collection[int], target: Path) -> None:
    between = b"[\n"
    with Stream(file) as stream, _written(target, file) as sink:
        for number, element in enumerate(elements(stream, steps), start=1):
            if number not in gone and element.content is not None:
                sink.write(between + element.content)
                between = b",\n"
        sink.write(b"[]\n" if between == b"[\n" else b"\n]\n")


def _ranges(records: Iterable[AnyRecord], gone: Collection[int]) -> Iterator[tuple[int, int | None]]:
    """The byte ranges of removed records: from the first byte of each to that of the next kept one."""
    start: int | None = None
    for record in records:
        if record.row in gone:
            start = record.offset if start is None else start
        elif start is not None:
            yield start, record.offset
            start = None
    if start is not None:
        yield start, None


def _write_text(file: Path, ranges: list[tuple[int, int | None]], target: Path) -> None:
    with Stream(file) as stream, _written(target, file) as sink:
        if stream.has_mark:
            sink.write(UTF8_MARK)
        cuts = iter([*ranges, (None, None)])
        start, end = next(cuts)
        position = stream.position
        while piece := stream.read():
            after = position + len(piece)
            while position < after:
                rest = piece[len(piece) - (after - position) :]
                if start is None or start >= after:
                    sink.write(rest)
                    position = after
                elif position < start:
                    sink.write(rest[: start - position])
                    position = start
                elif end is None or end > after:
                    position = after
                else:
                    position = end
                    start, end = next(cuts)


@contextmanager
def _written(target: Path, like: Path) -> Iterator[Any]:
    """A file to write text to, compressed like another."""
    with like.open("rb") as original:
        head = original.read(4)
    compression = compression_of(head)
    with durable(target) as file:
        if compression is None:
            yield file
            return
        with pa.CompressedOutputStream(pa.PythonFile(_Kept(file), mode="w"), compression) as sink:
            yield sink


class _Kept:
    """A file that stays open when the compressor closes it, so that it can be fsynced."""

    closed = False

    def __init__(self, file: IO[bytes]) -> None:
        self.file = file

    def write(self, content: bytes) -> int:
        return self.file.write(content)

    def flush(self) -> None:
        self.file.flush()

    def close(self) -> None:
        self.file.flush()
