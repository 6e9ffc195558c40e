"""Batches of a Parquet file, bounded by bytes as well as by rows.

Parquet says how many bytes its pages have, not how many its texts will have: with a
dictionary, a page can repeat one text many times. So a batch has few enough rows for the worst
case of its row group, and small batches are joined again once their size is known.
"""

from __future__ import annotations

import contextlib
import io
import itertools
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from tulu_data.errors import InputError
from tulu_data.readers.stream import MAX_RATIO, RATIO_FLOOR_BYTES

BATCH_BYTES: Final = 8 << 20
"""Batches are joined up to this size, which the last row may exceed."""
MAX_DECODED_BYTES: Final = 256 << 20
"""The most bytes that may be decoded at a time in the worst case, unless it is a single row."""
MAX_TEXT_BYTES: Final = (1 << 31) - 1
"""The most bytes of all texts of an Arrow column, whose offsets are int32."""
_WIDTHS: Final = {"BOOLEAN": 1, "INT32": 4, "FLOAT": 4, "INT64": 8, "DOUBLE": 8, "INT96": 12}
_OFFSET_BYTES: Final = 4
_PAGE_HEADER_BYTES: Final = 64
_DICTIONARY_PAGE: Final = 2
_INT32_FIELD: Final = b"\x15"
_DICTIONARIES: Final = frozenset({"PLAIN_DICTIONARY", "RLE_DICTIONARY"})


class ExpandsError(Exception):
    """A file expands more than a thousand times, to `size` bytes or more."""

    def __init__(self, size: int) -> None:
        self.size = size
        super().__init__(f"expands more than {MAX_RATIO:,} times")


def batches(
    path: Path,
    parquet: pq.ParquetFile,
    rows: int,
    columns: Sequence[str] | None = None,
    groups: Iterable[int] | None = None,
) -> Iterator[pa.RecordBatch]:
    """The rows of some row groups in order, in batches of at most `rows` rows and some 8 MiB.

    It needs at most 256 MiB of memory at a time, or one row; texts are plain, without
    dictionaries. Raises `ExpandsError` if the file expands more than a thousand times,
    `InputError` (exit 3) if a single row has more text than Arrow's offsets can count, and
    pyarrow's errors for a damaged file.
    """
    refuse_declared(path, parquet.metadata)
    decoded = 0
    for group in range(parquet.num_row_groups) if groups is None else groups:
        for batch in _joined(_decoded(path, parquet, group, rows, columns), rows):
            decoded += batch.nbytes
            _refuse(path, decoded)
            yield batch


def refuse_declared(path: Path, metadata: pq.FileMetaData) -> None:
    """Raise `ExpandsError` if the footer alone says that a file expands more than a thousand times.

    Raises `OSError` for a column whose part of the footer is damaged.
    """
    _check_columns(path)
    groups = [metadata.row_group(index) for index in range(metadata.num_row_groups)]
    _refuse(path, sum(group.total_byte_size for group in groups))
    chunks = (group.column(index) for group in groups for index in range(group.num_columns))
    _refuse(path, sum(_WIDTHS.get(chunk.physical_type, _OFFSET_BYTES) * chunk.num_values for chunk in chunks))


class _SealedError(Exception):
    """More bytes than the footer of a file were requested."""


class _Footer(io.FileIO):
    """A file that refuses to be read once it is sealed."""

    sealed = False

    def read(self, size: int | None = -1, /) -> bytes:
        if self.sealed:
            raise _SealedError
        return super().read(-1 if size is None else size)


def _check_columns(path: Path) -> None:
    """Raise `OSError` if the footer's part for a column is damaged; no value is read.

    pyarrow's `RowGroupMetaData.column` ends the process for such a file. Its reader raises instead,
    and checks every column of every row group before it reads the first value.
    """
    with _Footer(path) as file, pq.ParquetFile(file, pre_buffer=True) as parquet:
        file.sealed = True
        with contextlib.suppress(_SealedError):
            next(parquet.iter_batches(1), None)


def refuse_bomb(path: Path, metadata: pq.FileMetaData) -> None:
    """Raise `ExpandsError` if a file expands more than a thousand times, without expanding it."""
    refuse_declared(path, metadata)
    groups = {group: metadata.row_group(group) for group in range(metadata.num_row_groups)}
    chunks = [(group, own.column(index)) for group, own in groups.items() for index in range(own.num_columns)]
    repeating = [(group, chunk, size) for group, chunk in chunks if (size := _dictionary_size(path, chunk))]
    if sum(size * chunk.num_values for _, chunk, size in repeating) <= max(RATIO_FLOOR_BYTES, _most(path)):
        return
    total = 0
    for group, chunk, _ in repeating:
        for _, values in _values(path, group, chunk):
            total += int(_text_lengths(values).sum())
            _refuse(path, total)


def _most(path: Path) -> int:
    return MAX_RATIO * path.stat().st_size


def _refuse(path: Path, size: int) -> None:
    if size > RATIO_FLOOR_BYTES and size > _most(path):
        raise ExpandsError(size)


def _joined(decoded: Iterable[pa.RecordBatch], rows: int) -> Iterator[pa.RecordBatch]:
    parts: list[pa.RecordBatch] = []
    held = size = 0
    for batch in decoded:
        if parts and (held + batch.num_rows > rows or size + batch.nbytes > BATCH_BYTES):
            yield _one(parts)
            parts, held, size = [], 0, 0
        parts.append(batch)
        held += batch.num_rows
        size += batch.nbytes
    if parts:
        yield _one(parts)


def _one(parts: list[pa.RecordBatch]) -> pa.RecordBatch:
    return parts[0] if len(parts) == 1 else pa.concat_batches(parts)


def _plain(schema: pa.Schema) -> pa.Schema:
    """The schema without dictionaries, which would hide the size of texts."""
    return pa.schema([field.with_type(_plain_type(field.type)) for field in schema])


def _plain_type(type: pa.DataType) -> pa.DataType:
    if pa.types.is_dictionary(type):
        return type.value_type
    if pa.types.is_struct(type):
        return pa.struct([field.with_type(_plain_type(field.type)) for field in type])
    if pa.types.is_list(type):
        return pa.list_(type.value_field.with_type(_plain_type(type.value_type)))
    if pa.types.is_large_list(type):
        return pa.large_list(type.value_field.with_type(_plain_type(type.value_type)))
    return type


def _decoded(
    path: Path, parquet: pq.ParquetFile, group: int, rows: int, columns: Sequence[str] | None
) -> Iterator[pa.RecordBatch]:
    at_once = min(rows, _rows_at_once(path, parquet, group, columns))
    done = 0
    try:
        for batch in parquet.iter_batches(at_once, row_groups=[group], columns=columns):
            yield batch.cast(_plain(batch.schema))
            done += batch.num_rows
    except pa.ArrowNotImplementedError:
        # Some rows have far more text than the others, too much for one array.
        if at_once == 1:
            raise _too_much(path, group, done) from None
        for batch in itertools.islice(parquet.iter_batches(1, row_groups=[group], columns=columns), done, None):
            yield batch.cast(_plain(batch.schema))


def _rows_at_once(path: Path, parquet: pq.ParquetFile, group: int, columns: Sequence[str] | None) -> int:
    """How many rows of a row group can be decoded at a time."""
    described = parquet.metadata.row_group(group)
    worst = 0
    size = 0
    chunks = map(described.column, range(described.num_columns))
    for field in parquet.schema_arrow:
        own = list(itertools.islice(chunks, _leaves(field.type)))
        if columns is not None and field.name not in columns:
            continue
        size += sum(chunk.total_uncompressed_size for chunk in own)
        # In the worst case each text of a row is as long as the whole dictionary.
        dictionary = sum(_dictionary_size(path, chunk) for chunk in own)
        if dictionary * max(chunk.num_values for chunk in own) > MAX_DECODED_BYTES:
            longest = dictionary * _most_values(path, group, own)
            if longest > MAX_TEXT_BYTES:
                _check_rows(path, group, own)
            worst += longest
    mean = size // max(1, described.num_rows)
    return max(1, MAX_DECODED_BYTES // int(max(worst, 4 * mean, 1)))


def _leaves(type: pa.DataType) -> int:
    """The number of Parquet columns for a type of Arrow."""
    return sum(_leaves(type.field(index).type) for index in range(type.num_fields)) if type.num_fields else 1


def _dictionary_size(path: Path, chunk: pq.ColumnChunkMetaData) -> int:
    """The bytes of a column chunk's dictionary, decompressed; 0 if it has none."""
    if chunk.physical_type != "BYTE_ARRAY" or not chunk.num_values:
        return 0
    start = min(filter(None, (chunk.dictionary_page_offset, chunk.data_page_offset)))
    with path.open("rb") as file:
        file.seek(start)
        header = file.read(_PAGE_HEADER_BYTES)
    kind, *sizes = _first_numbers(header, 3) or (None, chunk.total_uncompressed_size)
    if kind == _DICTIONARY_PAGE or (kind is None and not _DICTIONARIES.isdisjoint(chunk.encodings)):
        return int(max(sizes))
    return 0


def _first_numbers(header: bytes, count: int) -> list[int] | None:
    """The first fields of a page's header, if they are int32 in Thrift's compact protocol; or None.

    A page's are its type, its size and its compressed size
    (https://github.com/apache/parquet-format/blob/master/src/main/thrift/parquet.thrift).
    """
    numbers: list[int] = []
    place = 0
    while len(numbers) < count:
        if header[place : place + 1] != _INT32_FIELD:
            return None
        number = shift = 0
        place += 1
        while header[place : place + 1] >= b"\x80":
            number |= (header[place] & 0x7F) << shift
            shift += 7
            place += 1
        if place >= len(header):
            return None
        number |= header[place] << shift
        place += 1
        numbers.append((number >> 1) ^ -(number & 1))
    return numbers


def _most_values(path: Path, group: int, chunks: Sequence[pq.ColumnChunkMetaData]) -> int:
    """The number of texts in the longest row of a column, from the leaf that is read most quickly."""
    lightest = min(chunks, key=lambda chunk: chunk.total_uncompressed_size)
    return max((int(np.bincount(rows).max(initial=1)) for rows, _ in _values(path, group, lightest)), default=1)


def _check_rows(path: Path, group: int, chunks: Sequence[pq.ColumnChunkMetaData]) -> None:
    """Raise `InputError` if the texts of one row of a column are too long for one array."""
    for chunk in chunks:
        before = 0
        for rows, values in _values(path, group, chunk):
            sizes = np.bincount(rows, _text_lengths(values))
            if sizes.max(initial=0) > MAX_TEXT_BYTES:
                raise _too_much(path, group, before + int(sizes.argmax()))
            before += int(rows.max(initial=-1)) + 1


def _values(path: Path, group: int, chunk: pq.ColumnChunkMetaData) -> Iterator[tuple[npt.NDArray[np.intp], pa.Array]]:
    """The values of a leaf with the row of each, as numbers into its dictionary, so that no text is repeated."""
    name = chunk.path_in_schema
    with pq.ParquetFile(path, read_dictionary=[name]) as parquet:
        for chunk_of_rows in parquet.read_row_group(group, columns=[name]).column(0).chunks:
            values, rows = chunk_of_rows, np.arange(len(chunk_of_rows))
            while values.type.num_fields:
                if pa.types.is_struct(values.type):
                    values = pc.struct_field(values, [0])
                else:
                    rows = rows[pc.list_parent_indices(values).to_numpy()]
                    values = pc.list_flatten(values)
            yield rows, values


def _text_lengths(values: pa.Array) -> npt.NDArray[np.int64]:
    """The size in bytes of each value, given as a number into a dictionary; 0 for null."""
    if not pa.types.is_dictionary(values.type):
        return np.zeros(len(values), np.int64)
    lengths = pc.fill_null(pc.binary_length(values.dictionary), 0).cast(pa.int64()).take(values.indices)
    found: npt.NDArray[np.int64] = pc.fill_null(lengths, 0).to_numpy()
    return found


def _too_much(path: Path, group: int, row: int) -> InputError:
    return InputError(
        f"{path}: row group {group + 1}, row {row + 1}: has more than {MAX_TEXT_BYTES:,} bytes of text; it is not read"
    )
