"""Compare shards that were found in the store with the files that they were read from."""

from __future__ import annotations

import itertools
import secrets
from collections import Counter, deque
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from tulu_data.building.file_units import FileResult, FileUnit
from tulu_data.building.ingest import Records
from tulu_data.building.pieces import LeftOut, parts_of, pieces_of, stored
from tulu_data.building.quarantine import changed_file
from tulu_data.building.shards import Shard
from tulu_data.errors import FindingsError, told_of
from tulu_data.executors import Tick
from tulu_data.readers.arrow_record import AnyRecord
from tulu_data.store import parquet
from tulu_data.store.durable import sha256_file

# This many records of a shard that was found are read again: hundredths of a second for each source.
CHECKED_RECORDS: Final = 1_000


@dataclass(frozen=True)
class CheckUnit:
    """A shard that was found in the store, to be compared with its input files: a unit of work."""

    whole: FileUnit
    shard: Shard

    @property
    def rows(self) -> int:
        return min(self.shard.records, CHECKED_RECORDS)

    def __str__(self) -> str:
        return f"reading {self.shard} of {self.whole.name} again"


def checks_of(results: Iterable[tuple[FileUnit, FileResult]]) -> list[CheckUnit]:
    """One random shard of each source, of those that were found: nobody can predict which."""
    found: dict[str, list[CheckUnit]] = {}
    for unit, result in results:
        if result.found:
            found.setdefault(unit.name, []).extend(CheckUnit(unit, shard) for shard in result.shards)
    return [secrets.choice(units) for units in found.values()]


def check_shard(unit: CheckUnit, tick: Tick) -> None:
    """Read some records of a shard again.

    Raises `FindingsError` (exit 4) where the store holds different rows: somebody else wrote them.
    """
    whole, shard = unit.whole, unit.shard
    kept = parquet.read(shard.table.path)
    with told_of(f"sources.{whole.name}"), _read_again(whole, shard.number) as every:
        members = every
        if len(whole.files) == 1:
            file, records = next(iter(every), (whole.files[0].sha256, iter(())))
            start = secrets.randbelow(max(1, shard.records - CHECKED_RECORDS + 1))
            members = [(file, itertools.islice(records, start, start + CHECKED_RECORDS))]
            after = pc.subtract(kept["row"], shard.number * whole.shard_rows + start)
            kept = kept.filter(pc.and_(pc.greater(after, 0), pc.less_equal(after, CHECKED_RECORDS)))
        left_out = LeftOut([], Counter())
        made = [stored(piece, whole) for piece in pieces_of(parts_of(whole, members, left_out))]
        if not pa.Table.from_batches(made, whole.schema).equals(kept):
            for other in (file for file in whole.files if sha256_file(file.path) != file.sha256):
                raise changed_file(other)
            raise FindingsError(
                f"{shard.table.path}: holds other rows than {whole.files[0].path} gives; somebody else wrote them: "
                f"remove {whole.workspace.root}, see who can write to it, and build again"
            )


@contextmanager
def _read_again(unit: FileUnit, number: int) -> Iterator[Iterable[tuple[str, Iterator[AnyRecord]]]]:
    """The records of one shard of a unit."""
    cut = unit.source.cut(unit.files[0].path, unit.shard_rows) if number and len(unit.files) == 1 else None
    if cut and number < len(cut.parts):
        with unit.source.read_part(unit.files[0].path, cut.parts[number], unit.columns) as reading:
            yield [(unit.files[0].sha256, iter(reading.records))]
        return
    with closing(Records(unit)) as records:
        for _ in range(number):
            for _, own in records.take(unit.shard_rows):
                deque(own, maxlen=0)
        yield records.take(unit.shard_rows)
