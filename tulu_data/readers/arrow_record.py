"""Rows of Arrow batches as records, in which a row that can't be read costs only itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final, NamedTuple

import pyarrow as pa

from tulu_data.errors import InputError, RecordError, printable
from tulu_data.readers import json_record
from tulu_data.readers.record import Record
from tulu_data.readers.stream import MAX_RECORD_BYTES

BATCH_ROWS: Final = 1024


class ArrowRecord(NamedTuple):
    """A record of a batch, which is read on demand."""

    row: int
    batch: Batch

    @property
    def offset(self) -> None:
        """None, for a row of a table has no position in the bytes of its file."""

    @property
    def value(self) -> Mapping[str, Any] | None:
        found = self._found()
        return None if isinstance(found, RecordError) else found

    @property
    def error(self) -> RecordError | None:
        found = self._found()
        return found if isinstance(found, RecordError) else None

    def content(self) -> Mapping[str, Any]:
        found = self._found()
        if isinstance(found, RecordError):
            raise found
        return found

    def _found(self) -> Mapping[str, Any] | RecordError:
        return self.batch.values[self.row - 1 - self.batch.before]


AnyRecord = Record | ArrowRecord


@dataclass(frozen=True, eq=False)
class Batch:
    """Rows of one Arrow batch; `before` is the number of the file's records before them.

    Only the `columns` of a record are read, or all if it is empty.
    """

    arrow: pa.RecordBatch
    before: int
    columns: tuple[str, ...] = ()

    @cached_property
    def _read(self) -> pa.RecordBatch:
        return self.arrow.select([name for name in self.arrow.schema.names if not self.columns or name in self.columns])

    @cached_property
    def values(self) -> Sequence[Mapping[str, Any] | RecordError]:
        """The rows as mappings, or an error for a row that can't be read."""
        if not self.is_large:
            try:
                return _plain(self._read)
            except (ValueError, OverflowError, RecordError):
                pass
        return [_value(self._read.slice(index, 1)) for index in range(self.arrow.num_rows)]

    @property
    def is_large(self) -> bool:
        """Whether one of its rows may be longer than a record may be."""
        return int(self._read.nbytes) > MAX_RECORD_BYTES

    def part(self, row: int, records: int) -> pa.RecordBatch:
        """This many of its records, from a given one on, with all columns."""
        return self.arrow.slice(row - 1 - self.before, records)


def as_records(batches: Iterable[pa.RecordBatch], row: int = 0, columns: tuple[str, ...] = ()) -> Iterator[ArrowRecord]:
    """The rows of some batches of one file, in order, after `row` other records; only `columns` are read.

    >>> [record.value for record in as_records([pa.record_batch({"a": [1, 2]})])]
    [{'a': 1}, {'a': 2}]
    """
    for arrow in batches:
        batch = Batch(arrow, row, columns)
        for _ in range(arrow.num_rows):
            row += 1
            yield ArrowRecord(row, batch)


def column_names(file: Path, schema: pa.Schema) -> tuple[str, ...]:
    """The names of a file's columns; two that are equal are an `InputError` (exit 3)."""
    names = tuple(schema.names)
    twice = next((name for name, count in Counter(names).items() if count > 1), None)
    if twice is not None:
        raise InputError(f"{file}: two columns are named '{printable(twice)}'; rename one")
    return names


def _value(row: pa.RecordBatch) -> dict[str, Any] | RecordError:
    if row.nbytes > MAX_RECORD_BYTES:
        return RecordError("too_long", f"more than {MAX_RECORD_BYTES:,} bytes")
    try:
        return dict(_plain(row)[0])
    except UnicodeDecodeError as error:
        return RecordError("invalid_utf8", f"byte 0x{error.object[error.start]:02x} is not UTF-8")
    except RecordError as error:
        return error
    except (ValueError, OverflowError) as error:
        # Some dates of Arrow are outside of Python's range, or in a time zone that is unknown here.
        return RecordError("not_a_value", str(error).partition("\n")[0])


def _plain(batch: pa.RecordBatch) -> list[Any]:
    rows = list(batch.to_pylist())
    for field in batch.schema:
        if _is_nested(field.type):
            rows = [{**row, field.name: _read(row[field.name], field.type)} for row in rows]
    return rows


def _is_nested(type: pa.DataType) -> bool:
    is_nested = pa.types.is_nested(type) and not pa.types.is_union(type)
    return bool(is_nested) or isinstance(type, pa.JsonType)


def _read(value: Any, type: pa.DataType) -> Any:
    """A value of a column as a record has it.

    All rows of a column have the same keys in its structs, and Arrow fills missing ones with
    null: there a null means a missing key, and is left out. `datasets` keeps columns of mixed
    types, such as messages of which some have calls, as JSON text: there a null is a value.
    """
    if value is None or not _is_nested(type):
        return value
    if isinstance(type, pa.JsonType):
        return json_record.parse(value.encode())
    if pa.types.is_struct(type):
        return {field.name: _read(value[field.name], field.type) for field in type if value[field.name] is not None}
    if pa.types.is_map(type):
        return {key: _read(item, type.item_type) for key, item in value}
    return [_read(item, type.value_type) for item in value]
