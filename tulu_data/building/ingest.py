"""Read each input once, in order, into a store of canonical shards.

Rewriting stages run here, before anything is written: text that they remove is never
written to disk. A shard holds the rows of 65,536 records of one file, or of several
if a source has many small ones; its note says how many rows it has of each file, and lists the
records that could not become rows.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import astuple, replace
from operator import itemgetter
from typing import Final

from tulu_data.building.file_units import FileResult, FileUnit, PartUnit
from tulu_data.building.pieces import LeftOut, parts_of, pieces_of, rewritten, stored
from tulu_data.building.quarantine import changed_file, check_many, set_aside
from tulu_data.building.shards import FileRows, Quarantined, Shard
from tulu_data.errors import InputError, told_of
from tulu_data.executors import Executor, Tick
from tulu_data.readers.arrow_record import AnyRecord
from tulu_data.store import parquet
from tulu_data.store.durable import remove_folder

# Cutting a file of this size takes a tenth of a second, and reading it takes two seconds.
LARGE_BYTES: Final = 64 << 20


def ingest_first(units: Iterable[FileUnit], limit: int, tick: Tick) -> Iterator[tuple[FileUnit, FileResult]]:
    """Ingest the first `limit` records of some files together; yield each unit as it was read, with its result."""
    for unit in units:
        if limit > 0:
            first = replace(unit, limit=limit)
            result = ingest_file(first, tick)
            limit -= sum(shard.records for shard in result.shards)
            yield first, result


def ingest_files(units: Sequence[FileUnit], executor: Executor, tick: Tick) -> Iterator[FileResult]:
    """Ingest files, large ones by several workers at a time; raises what `ingest_file` does."""
    share = sum(unit.size for unit in units) // (4 * executor.workers)
    large = [unit for unit in units if executor.workers > 1 and unit.size > max(share, LARGE_BYTES)]
    cuts = dict(zip(map(id, large), executor.run(cut_file, large, lambda rows: None), strict=True))
    pieces = [piece for unit in units for piece in (cuts.get(id(unit)) or (unit,))]
    results = executor.run(ingest_piece, pieces, tick)
    for unit in units:
        parts = cuts.get(id(unit), ())
        yield _joined(unit, itertools.islice(results, len(parts))) if parts else next(results)


def cut_file(unit: FileUnit, tick: Tick) -> tuple[PartUnit, ...]:
    """The parts of a file; empty if it is read in one go, or was read to its end before."""
    with told_of(f"sources.{unit.name}"):
        key = unit.key()
        if unit.workspace.shards_of(key) is not None:
            return ()
        (file,) = unit.files
        try:
            cut = unit.source.cut(file.path, unit.shard_rows)
        except InputError:
            # Reading it in one go raises an error that says what is wrong with it.
            return ()
        if cut and cut.sha256 != file.sha256:
            raise changed_file(file)
        return tuple(PartUnit(unit, key, number, part) for number, part in enumerate(cut.parts if cut else ()))


def ingest_piece(unit: FileUnit | PartUnit, tick: Tick) -> FileResult:
    """Ingest one file, or one part of a file."""
    return ingest_part(unit, tick) if isinstance(unit, PartUnit) else ingest_file(unit, tick)


def ingest_part(unit: PartUnit, tick: Tick) -> FileResult:
    """Ingest the records of one shard, if they are not there yet."""
    whole = unit.whole
    with told_of(f"sources.{whole.name}"):
        if shard := _finished(whole, unit.key, unit.number):
            tick(shard.records)
            return FileResult((shard,), 1)
        (file,) = whole.files
        with (
            set_aside(whole) as aside,
            whole.source.read_part(file.path, unit.part, whole.columns) as reading,
        ):

            def check() -> None:
                if reading.sha256() != unit.part.sha256:
                    raise changed_file(file)

            members = [(file.sha256, reading.records)]
            return FileResult((_write_shard(whole, unit.key, unit.number, members, tick, check),), 0)
        return FileResult((), 0, aside.reason)


def _joined(unit: FileUnit, results: Iterable[FileResult]) -> FileResult:
    """Join the shards of all parts of a file, which is then ingested to its end."""
    shards: list[Shard] = []
    found = 0
    unreadable = None
    for result in results:
        shards += result.shards
        found += result.found
        unreadable = unreadable or result.unreadable
        with told_of(f"sources.{unit.name}"):
            check_many(unit, shards)
    if unreadable:
        return FileResult((), 0, unreadable)
    unit.workspace.finish_shards(unit.key(), len(shards))
    return FileResult(tuple(shards), found)


def ingest_file(unit: FileUnit, tick: Tick) -> FileResult:
    """Ingest one unit's files, or the rest of them; `tick` is called with the number of records read.

    Raises `InputError` (exit 3) where a file has changed since the survey, or has a thousand
    bad records more than the recipe allows.
    """
    with told_of(f"sources.{unit.name}"):
        key = unit.key()
        total = unit.workspace.shards_of(key)
        known = [shard for number in range(total or 0) if (shard := _finished(unit, key, number))]
        if len(known) == total:
            tick(sum(shard.records for shard in known))
            return FileResult(tuple(known), total)
        with set_aside(unit) as aside:
            return _ingest_rest(unit, key, tick)
        return FileResult((), 0, aside.reason)


def _ingest_rest(unit: FileUnit, key: str, tick: Tick) -> FileResult:
    shards: list[Shard] = []
    found = 0
    with closing(Records(unit)) as records:
        for number in itertools.count():
            members = records.take(unit.shard_rows)
            if (head := next(members, None)) is None:
                break
            members = itertools.chain([head], members)
            shard = _finished(unit, key, number)
            if shard:
                found += 1
                tick(sum(1 for _, own in members for _ in own))
            else:
                shard = _write_shard(unit, key, number, members, tick)
            shards.append(shard)
            check_many(unit, shards)
    unit.workspace.finish_shards(key, len(shards))
    return FileResult(tuple(shards), found)


class Records:
    """The records of a unit's files, one file after the other."""

    def __init__(self, unit: FileUnit) -> None:
        self._left = unit.limit
        self._files = self._read(unit)
        self._file: tuple[str, Iterator[AnyRecord]] | None = next(self._files, None)

    @staticmethod
    def _read(unit: FileUnit) -> Iterator[tuple[str, Iterator[AnyRecord]]]:
        for file in unit.files:
            with unit.source.read(file.path, unit.columns) as reading:
                yield file.sha256, iter(reading.records)
                if unit.limit is None and reading.sha256() != file.sha256:
                    remove_folder(unit.workspace.store(unit.key()))
                    raise changed_file(file)

    def take(self, count: int) -> Iterator[tuple[str, Iterator[AnyRecord]]]:
        """The next `count` records, by file, with its sha256; read those of one file to their end before the next."""
        count = count if self._left is None else min(count, self._left)
        while count and self._file:
            sha256, records = self._file
            if (head := next(records, None)) is None:
                self._file = next(self._files, None)
                continue
            # Counts without running Python code for each record.
            counter = itertools.count()
            yield (
                sha256,
                map(
                    itemgetter(0), zip(itertools.islice(itertools.chain([head], records), count), counter, strict=False)
                ),
            )
            taken = next(counter)
            count -= taken
            self._left = None if self._left is None else self._left - taken

    def close(self) -> None:
        self._files.close()  # type: ignore[attr-defined]


def _finished(unit: FileUnit, key: str, number: int) -> Shard | None:
    table = unit.workspace.shard(key, number)
    note = table.note()
    if note is None:
        return None
    files = (
        FileRows(file, rows, tuple(Quarantined(*record) for record in quarantined))
        for file, rows, quarantined in note["files"]
    )
    return Shard(unit.name, unit.kind, key, number, table, tuple(files), note["unread"])


def _write_shard(
    unit: FileUnit,
    key: str,
    number: int,
    members: Iterable[tuple[str, Iterable[AnyRecord]]],
    tick: Tick,
    check: Callable[[], None] = lambda: None,
) -> Shard:
    """Write one shard of the records of some files; `check` is called before the shard counts as finished."""
    shard = unit.workspace.shard(key, number)
    left_out = LeftOut([], Counter())
    with parquet.writer(unit.workspace.make_place(shard.path), unit.schema, parquet.WORKING) as writer:
        for piece in pieces_of(parts_of(unit, members, left_out)):
            rows = stored(piece, unit)
            writer.write_batch(rows, row_group_size=len(rows))
            tick(len(rows))
    check()
    details = iter(
        rewritten([record.detail for file in left_out.files for record in file.quarantined], unit.kind, unit.mappers)
    )
    files = [
        file._replace(quarantined=tuple(replace(record, detail=next(details)) for record in file.quarantined))
        for file in left_out.files
    ]
    not_read = dict(sorted(left_out.unread.items()))
    noted = [(file, rows, [astuple(record) for record in bad]) for file, rows, bad in files]
    shard.finish(files=noted, unread=not_read)
    return Shard(unit.name, unit.kind, key, number, shard, tuple(files), not_read)
