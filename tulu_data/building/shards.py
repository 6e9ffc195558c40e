"""One finished shard of the store: its rows by file, and how they are read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq

from tulu_data.errors import RecordError
from tulu_data.readers.arrow_record import AnyRecord
from tulu_data.rows.kind import Kind
from tulu_data.rows.rows import Rows, Turn
from tulu_data.store.workspace import CachedTable

SHARD_ROWS: Final = 65_536


@dataclass(frozen=True)
class Quarantined:
    """One record that could not become a row: its number in the file, its first byte, and why."""

    row: int
    offset: int | None
    code: str
    detail: str

    @classmethod
    def of(cls, record: AnyRecord, error: RecordError) -> Quarantined:
        return cls(record.row, record.offset, error.code, error.detail)

    def __str__(self) -> str:
        place = "" if self.offset is None else f" (byte {self.offset:,})"
        return f"{self.row}: {self.code}: {self.detail}{place}"


class FileRows(NamedTuple):
    """The part of a shard from one file, by the file's sha256: its rows, and the records that did not become rows."""

    file: str
    rows: int
    quarantined: tuple[Quarantined, ...] = ()


@dataclass(frozen=True)
class Shard:
    """One finished shard of the store.

    `source` is the name of the source that it is read for, `kind` the kind of its rows, `files` its
    parts by file, in the order of its rows. `unread` counts the rows whose records held something
    that is not read, by its name.
    """

    source: str
    kind: Kind
    key: str
    number: int
    table: CachedTable
    files: tuple[FileRows, ...]
    unread: Mapping[str, int] = field(default_factory=dict)

    @cached_property
    def rows(self) -> int:
        return sum(file.rows for file in self.files)

    @property
    def quarantined(self) -> Iterator[tuple[str, Quarantined]]:
        """The records that did not become a row, each with the sha256 of its file."""
        return ((file.file, record) for file in self.files for record in file.quarantined)

    @property
    def records(self) -> int:
        """How many records were read for it."""
        return self.rows + sum(len(file.quarantined) for file in self.files)

    def file_of_rows(self) -> npt.NDArray[np.int64]:
        """The index into `files` of each of its rows."""
        return np.repeat(np.arange(len(self.files)), [file.rows for file in self.files])

    def __str__(self) -> str:
        more = f" and {len(self.files) - 1} more" if len(self.files) > 1 else ""
        return f"shard {self.number} of file {self.files[0].file[:12]}{more}"


def turns_at(shard: Shard, offset: int) -> tuple[Turn, ...]:
    """One row of a shard as a person reads it, by its position among the shard's rows."""
    with pq.ParquetFile(shard.table.path, page_checksum_verification=True) as opened:
        for index in range(opened.num_row_groups):
            rows = opened.metadata.row_group(index).num_rows
            if offset < rows:
                group = opened.read_row_group(index, columns=list(shard.kind.compared))
                (turns,) = Rows(group.slice(offset, 1).to_batches()[0], shard.kind).transcripts()
                return turns
            offset -= rows
    raise IndexError(offset)


BATCH_ROWS = 8_192


def batches(shard: Shard, columns: Iterable[str]) -> Iterator[Rows]:
    """The rows of a shard in batches, with the columns named."""
    names = list(columns)
    with pq.ParquetFile(shard.table.path, page_checksum_verification=True) as opened:
        # One row group at a time: row groups are bounded by bytes as well as by rows.
        for group in range(opened.num_row_groups):
            for batch in opened.iter_batches(BATCH_ROWS, row_groups=[group], columns=names):
                yield Rows(batch, shard.kind)
