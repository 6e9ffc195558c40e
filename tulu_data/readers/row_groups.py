"""The row groups of a Parquet file as batches that stay small, however often its dictionaries repeat a value.

A column chunk may say one text of a megabyte twenty thousand times in a few hundred bytes, and
its footer counts the text once. Where that may be, values are read as numbers into their
dictionary, what they would take is added up, and only then are they written out, in pieces.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from tulu_data.readers.stream import MAX_RATIO, RATIO_FLOOR_BYTES

PIECE_BYTES: Final = 64 << 20
"""What one batch may take, unless it is one row."""
_WIDTHS: Final = {"BOOLEAN": 1, "INT32": 4, "FLOAT": 4, "INT64": 8, "DOUBLE": 8, "INT96": 12}
_OFFSET_BYTES: Final = 4


class ExpandsError(Exception):
    """A file expands more than a thousand times: `size` is what it gives, or more."""

    def __init__(self, size: int) -> None:
        self.size = size
        super().__init__(f"expands more than {MAX_RATIO:,} times")


def batches(
    file: Path, parquet: pq.ParquetFile, rows: int, columns: Sequence[str], groups: Sequence[int] | None = None
) -> Iterator[pa.RecordBatch]:
    """Some columns of some row groups, all where none are said, in batches of at most `rows` rows.

    A batch takes at most 64 MiB, unless it is one row; texts are plain, whatever dictionary they
    were in. Raises `ExpandsError` before more than a thousand times the file's size is written
    out, and what Arrow raises for pages that are damaged.
    """
    refuse_declared(file, parquet.metadata)
    chosen = range(parquet.metadata.num_row_groups) if groups is None else groups
    repeats = {group: _repeating(file, parquet.metadata, group, rows, columns) for group in chosen}
    decoded = 0
    # Dictionaries of two row groups do not go into one batch.
    for (paths, _), alike in groupby(chosen, key=lambda group: (repeats[group], group if repeats[group] else -1)):
        with _read_by(file, paths) as opened:
            for batch in opened.iter_batches(rows, row_groups=[*alike], columns=list(columns)):
                decoded += expanded_bytes(batch)
                _refuse(file, decoded)
                for piece in _pieces(batch):
                    yield _plain(piece)


def refuse_bomb(file: Path, metadata: pq.FileMetaData) -> None:
    """Raise `ExpandsError` where a file gives more than a thousand times its size; nothing is written out for it."""
    refuse_declared(file, metadata)
    most = max(RATIO_FLOOR_BYTES, MAX_RATIO * file.stat().st_size)
    chunks = [chunk for group in range(metadata.num_row_groups) for chunk in _dictionaries(metadata, group)]
    if sum(_most_bytes(chunk) for _, _, chunk in chunks) <= most:
        return
    bounds = {(group, path): _longest(file, group, path) * chunk.num_values for group, path, chunk in chunks}
    if sum(bounds.values()) <= most:
        return
    total = 0
    for group, path in sorted(bounds, key=lambda place: -bounds[place]):
        with _read_by(file, (path,)) as opened:
            for batch in opened.iter_batches(row_groups=[group], columns=[path]):
                total += expanded_bytes(batch)
                _refuse(file, total)


def refuse_declared(file: Path, metadata: pq.FileMetaData) -> None:
    """Raise `ExpandsError` where the footer alone says that a file gives more than a thousand times its size."""
    groups = [metadata.row_group(index) for index in range(metadata.num_row_groups)]
    _refuse(file, sum(group.total_byte_size for group in groups))
    chunks = (group.column(index) for group in groups for index in range(group.num_columns))
    _refuse(file, sum(_WIDTHS.get(chunk.physical_type, _OFFSET_BYTES) * chunk.num_values for chunk in chunks))


def _refuse(file: Path, size: int) -> None:
    if size > RATIO_FLOOR_BYTES and size > MAX_RATIO * file.stat().st_size:
        raise ExpandsError(size)


def _dictionaries(metadata: pq.FileMetaData, group: int) -> Iterator[tuple[int, str, pq.ColumnChunkMetaData]]:
    own = metadata.row_group(group)
    for index in range(own.num_columns):
        chunk = own.column(index)
        if chunk.has_dictionary_page and chunk.physical_type in ("BYTE_ARRAY", "FIXED_LEN_BYTE_ARRAY"):
            yield group, chunk.path_in_schema, chunk


def _most_bytes(chunk: pq.ColumnChunkMetaData) -> int:
    """What a chunk may give, if its dictionary is all of it, and one value."""
    return int(chunk.num_values * chunk.total_uncompressed_size)


def _repeating(file: Path, metadata: pq.FileMetaData, group: int, rows: int, columns: Sequence[str]) -> tuple[str, ...]:
    """The columns of a row group of which a batch takes more than it may."""
    return tuple(
        path
        for _, path, chunk in _dictionaries(metadata, group)
        if path.split(".", 1)[0] in columns
        and _most_bytes(chunk) > PIECE_BYTES
        and _longest(file, group, path) * chunk.num_values > PIECE_BYTES
        and _repeats(file, group, path, rows)
    )


def _repeats(file: Path, group: int, path: str, rows: int) -> bool:
    """Whether a batch of a column takes too much, of the values that are in the chunk's dictionary.

    Writers go over to plain values where a dictionary becomes large; those are as large as they
    are in the file.
    """
    words = None
    with _read_by(file, (path,)) as opened:
        for batch in opened.iter_batches(rows, row_groups=[group], columns=[path]):
            if expanded_bytes(batch) > PIECE_BYTES:
                return True
            known = sum(len(found) for column in batch.columns for found in _dictionaries_in(column))
            if words is not None and known > words:
                return False
            words = known
    return False


def _longest(file: Path, group: int, path: str) -> int:
    """The bytes of the longest text in a chunk's dictionary, which comes before its values."""
    with _read_by(file, (path,)) as opened:
        first = next(opened.iter_batches(1, row_groups=[group], columns=[path]), None)
        dictionaries = [] if first is None else [found for own in first.columns for found in _dictionaries_in(own)]
        longest = max((int(pc.max(pc.binary_length(found)).as_py() or 0) for found in dictionaries), default=0)
        chunk = next(own for _, name, own in _dictionaries(opened.metadata, group) if name == path)
        # One that was not read yet may be anything.
        return longest or int(chunk.total_uncompressed_size)


def _read_by(file: Path, paths: Sequence[str]) -> pq.ParquetFile:
    """The file, of which some columns are read as numbers into their dictionaries."""
    return pq.ParquetFile(file, read_dictionary=list(paths) or None, page_checksum_verification=True)


def _dictionaries_in(array: pa.Array) -> Iterator[pa.Array]:
    if pa.types.is_dictionary(array.type):
        if pa.types.is_string(array.type.value_type) or pa.types.is_binary(array.type.value_type):
            yield array.dictionary
    elif pa.types.is_struct(array.type):
        for index in range(array.type.num_fields):
            yield from _dictionaries_in(array.field(index))
    elif pa.types.is_list(array.type) or pa.types.is_large_list(array.type) or pa.types.is_map(array.type):
        yield from _dictionaries_in(array.values)


def expanded_bytes(batch: pa.RecordBatch) -> int:
    """What a batch takes where each value is written out.

    >>> repeated = pa.DictionaryArray.from_arrays(pa.array([0, 0, 0]), pa.array(["abcd"]))
    >>> expanded_bytes(pa.record_batch([repeated], ["text"]))
    24
    """
    return sum(_expanded(column) for column in batch.columns)


def _expanded(array: pa.Array) -> int:
    if pa.types.is_dictionary(array.type):
        kind = array.type.value_type
        if not (pa.types.is_string(kind) or pa.types.is_binary(kind)):
            return int(array.nbytes)
        lengths = pc.binary_length(array.dictionary).cast(pa.int64()).take(array.indices)
        return int(pc.sum(lengths).as_py() or 0) + _OFFSET_BYTES * len(array)
    if pa.types.is_struct(array.type):
        return sum(_expanded(part) for part in array.flatten())
    if pa.types.is_list(array.type) or pa.types.is_large_list(array.type):
        return _expanded(array.flatten()) + _OFFSET_BYTES * len(array)
    return int(array.nbytes)


def _pieces(batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
    """A batch in halves of halves, until each takes what a batch may."""
    if batch.num_rows < 2 or expanded_bytes(batch) <= PIECE_BYTES:
        yield batch
        return
    half = batch.num_rows // 2
    yield from _pieces(batch.slice(0, half))
    yield from _pieces(batch.slice(half))


def _plain(batch: pa.RecordBatch) -> pa.RecordBatch:
    """A batch whose texts are in no dictionary."""
    schema = pa.schema([field.with_type(_plain_type(field.type)) for field in batch.schema], batch.schema.metadata)
    return batch if schema.equals(batch.schema) else batch.cast(schema)


def _plain_type(type: pa.DataType) -> pa.DataType:
    if pa.types.is_dictionary(type):
        return type.value_type
    if pa.types.is_struct(type):
        return pa.struct([part.with_type(_plain_type(part.type)) for part in type])
    if pa.types.is_list(type):
        return pa.list_(type.value_field.with_type(_plain_type(type.value_type)))
    if pa.types.is_large_list(type):
        return pa.large_list(type.value_field.with_type(_plain_type(type.value_type)))
    return type
