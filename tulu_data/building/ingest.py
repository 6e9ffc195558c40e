"""Read each input once, in order, into a store of canonical shards.

Rewriting stages run here, before anything is written: what they remove from a text never
reaches a disk of ours. A shard holds the rows of 65,536 records of one file, or of several
where a source has many small ones; its note says what it has of each, and lists the
records that could not become rows.
"""

from __future__ import annotations

import itertools
import secrets
from collections import Counter, deque
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import astuple, dataclass, replace
from functools import cached_property
from operator import itemgetter
from pathlib import Path
from typing import Any, Final, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from tulu_data.building.inputs import InputFile, Surveyed
from tulu_data.building.shards import FileRows, Quarantined, Shard
from tulu_data.building.survey import columns_read, unreadable_file
from tulu_data.errors import FindingsError, InputError, InvariantError, RecordError, told_of
from tulu_data.executors import Executor, Tick
from tulu_data.formats import kept_columns, unread
from tulu_data.formats.format import Format
from tulu_data.readers.arrow_record import AnyRecord
from tulu_data.readers.stream import ENCODING_REMEDY
from tulu_data.rows.rows import STORED, Conversation, Rows
from tulu_data.sources.source import Part, Source
from tulu_data.stage import Mapper, blamed, returned
from tulu_data.store import parquet
from tulu_data.store.code_id import code_id
from tulu_data.store.durable import remove_folder, sha256_file
from tulu_data.store.keys import key_of
from tulu_data.store.workspace import Workspace
from tulu_data.text import blemishes

# Row groups of the store: enough rows for the kernels, little enough text for the memory.
PIECE_ROWS: Final = 8_192
# Characters, or bytes.
PIECE_SIZE: Final = 16 << 20
SHOWN_RECORDS: Final = 5
# Cutting takes a tenth of a second for so much, and reading it two.
LARGE_BYTES: Final = 64 << 20
# Of more files than these, those that are smaller than a shard's own cost in time are read as one.
MANY_FILES: Final = 32
SMALL_BYTES: Final = 64 << 10
PACK_BYTES: Final = 4 << 20
# A pack ends at one file in 256, by its sha256, so that a file that is added changes one pack.
PACK_END: Final = "00"
# So many records of a shard that was found are read again: hundredths of a second for each source.
CHECKED_RECORDS: Final = 1_000
# A file that is all wrong is not read to its end; one that has a few bad records is, so that all are told.
MANY_RECORDS: Final = 1_000


@dataclass(frozen=True)
class FileUnit:
    """One file to ingest, or several small ones that are read as one: a unit of work."""

    name: str
    source: Source
    format: Format
    files: tuple[InputFile, ...]
    mappers: tuple[Mapper, ...]
    workspace: Workspace
    shard_rows: int
    limit: int | None = None
    has_others: bool = False
    """Whether its source has other files, which could go on without it."""

    @property
    def size(self) -> int:
        """Bytes of all its files."""
        return sum(file.size for file in self.files)

    @property
    def rows(self) -> int:
        """About how many rows it has, at the size of a short conversation."""
        return self.size // 1000

    def paths(self) -> dict[str, Path]:
        """The path of each file, by its sha256."""
        return {file.sha256: file.path for file in self.files}

    def __str__(self) -> str:
        more = f" and {len(self.files) - 1} more" if len(self.files) > 1 else ""
        return f"reading {self.files[0].path}{more} of {self.name}"

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """The columns that are read."""
        return columns_read(self.source, self.format)

    @cached_property
    def schema(self) -> pa.Schema:
        """The columns of its shards."""
        return pa.schema([*STORED, *kept_columns.fields_of(self.source.keep_columns)])

    def key(self) -> str:
        """The key of the file's shards: all that decides what is in them."""
        modules = {type(part).__module__ for part in (self.source, self.format)} | {__name__}
        modules |= {module for mapper in self.mappers for module in mapper.measured_in()}
        requires = {name for mapper in self.mappers for name in mapper.requires} | {"orjson", "pyarrow"}
        return key_of(
            files=[file.sha256 for file in self.files],
            source=self.source.place,
            reading=self.source.reading(),
            format=[self.format.name, self.format.model_dump(mode="json")],
            drop_parts=self.source.drop_parts,
            needs_answer=self.source.needs_answer,
            keep_columns=[[column, one.name, one.type] for column, one in self.source.keep_columns.items()],
            mappers=[[mapper.name(), mapper.measuring_options(), mapper.artifacts] for mapper in self.mappers],
            code=code_id(tuple(sorted(modules)), tuple(sorted(requires))),
            shard_rows=self.shard_rows,
            limit=self.limit,
        )


@dataclass(frozen=True)
class PartUnit:
    """The records of one shard of a large file: a unit of work."""

    whole: FileUnit
    key: str
    number: int
    part: Part

    @property
    def rows(self) -> int:
        return self.part.records

    def __str__(self) -> str:
        return f"reading records {self.part.before + 1:,} and on of {self.whole.files[0].path} of {self.whole.name}"


class FileResult(NamedTuple):
    """The shards of one file or part, how many of them were there already, and why it can't be read, if so."""

    shards: tuple[Shard, ...]
    found: int
    unreadable: str | None = None


def units_of(
    surveyed: Surveyed, mappers: tuple[Mapper, ...], workspace: Workspace, shard_rows: int
) -> Iterator[FileUnit]:
    """The units of one source, in the order of the files' sha256: names do not matter."""
    applying = _applying(mappers, surveyed.name)
    files = sorted(surveyed.files, key=lambda file: (file.sha256, str(file.path)))
    is_packed = not surveyed.source.max_quarantined_files
    for pack in _packs([file for file in files if file.size], is_packed=is_packed):
        if surveyed.format:
            unit = FileUnit(surveyed.name, surveyed.source, surveyed.format, pack, applying, workspace, shard_rows)
            yield replace(unit, has_others=len(files) > 1)


def _packs(files: Sequence[InputFile], *, is_packed: bool) -> Iterator[tuple[InputFile, ...]]:
    """Each file by itself; of many files, small ones that follow each other together."""
    pack: list[InputFile] = []
    for file in files:
        is_alone = not is_packed or len(files) <= MANY_FILES or file.size > SMALL_BYTES
        if pack and (is_alone or sum(other.size for other in pack) + file.size > PACK_BYTES):
            yield tuple(pack)
            pack = []
        pack.append(file)
        if is_alone or file.sha256.endswith(PACK_END):
            yield tuple(pack)
            pack = []
    if pack:
        yield tuple(pack)


def ingest_first(units: Iterable[FileUnit], limit: int, tick: Tick) -> Iterator[tuple[FileUnit, FileResult]]:
    """Ingest the first `limit` records of some files, taken as one; each unit as it was read, with its result."""
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
    """The parts of a file; none where it is read in one go, or was read to its end before."""
    with told_of(f"sources.{unit.name}"):
        key = unit.key()
        if unit.workspace.shards_of(key) is not None:
            return ()
        (file,) = unit.files
        try:
            cut = unit.source.cut(file.path, unit.shard_rows)
        except InputError:
            # Whoever reads it in one go says what is wrong with it.
            return ()
        if cut and cut.sha256 != file.sha256:
            raise _changed(file)
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
            _set_aside(whole) as aside,
            whole.source.read_part(file.path, unit.part, whole.columns) as reading,
        ):

            def check() -> None:
                if reading.sha256() != unit.part.sha256:
                    raise _changed(file)

            members = [(file.sha256, reading.records)]
            return FileResult((_write_shard(whole, unit.key, unit.number, members, tick, check),), 0)
        return FileResult((), 0, aside.reason)


def _joined(unit: FileUnit, results: Iterable[FileResult]) -> FileResult:
    """The shards of all parts of a file, which then is ingested to its end."""
    shards: list[Shard] = []
    found = 0
    unreadable = None
    for result in results:
        shards += result.shards
        found += result.found
        unreadable = unreadable or result.unreadable
        with told_of(f"sources.{unit.name}"):
            _check_many(unit, shards)
    if unreadable:
        return FileResult((), 0, unreadable)
    unit.workspace.finish_shards(unit.key(), len(shards))
    return FileResult(tuple(shards), found)


class _FinalError(InputError):
    """What is wrong with more than the file itself: it is not set aside for it."""


def _changed(file: InputFile) -> InputError:
    return _FinalError(f"{file.path}: changed while it was read; run the command again")


def _check_many(unit: FileUnit, shards: Sequence[Shard]) -> None:
    """Stop at a file that is all wrong."""
    if sum(shard.records - shard.rows for shard in shards) > unit.source.max_quarantined + MANY_RECORDS:
        try:
            check_quarantine(unit.source, shards, unit.paths())
        except InputError as error:
            raise _FinalError(str(error)) from None


@dataclass
class _Aside:
    """Why a file can't be read to its end, once that is known."""

    reason: str | None = None


@contextmanager
def _set_aside(unit: FileUnit) -> Iterator[_Aside]:
    """Note that a file can't be read, where its source allows such files: it is then a unit by itself."""
    aside = _Aside()
    try:
        yield aside
    except InputError as error:
        if isinstance(error, _FinalError):
            raise
        if not unit.source.max_quarantined_files:
            named = (file.path for file in unit.files if str(error).startswith(f"{file.path}:"))
            path = next(named, unit.files[0].path)
            raise unreadable_file(path, error, has_others=unit.has_others) from None
        aside.reason = str(error)


def ingest_file(unit: FileUnit, tick: Tick) -> FileResult:
    """Ingest one unit's files, or what is left of them; `tick` hears of records as they are read.

    Raises `InputError` (exit 3) where a file is not what was surveyed, or has a thousand
    bad records more than the recipe allows.
    """
    with told_of(f"sources.{unit.name}"):
        key = unit.key()
        total = unit.workspace.shards_of(key)
        known = [shard for number in range(total or 0) if (shard := _finished(unit, key, number))]
        if len(known) == total:
            tick(sum(shard.records for shard in known))
            return FileResult(tuple(known), total)
        with _set_aside(unit) as aside:
            return _ingest_rest(unit, key, tick)
        return FileResult((), 0, aside.reason)


def _ingest_rest(unit: FileUnit, key: str, tick: Tick) -> FileResult:
    shards: list[Shard] = []
    found = 0
    with closing(_Records(unit)) as records:
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
            _check_many(unit, shards)
    unit.workspace.finish_shards(key, len(shards))
    return FileResult(tuple(shards), found)


class _Records:
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
                    raise _changed(file)

    def take(self, count: int) -> Iterator[tuple[str, Iterator[AnyRecord]]]:
        """The next `count` records, those of each file with its sha256: to be read to their end before the next."""
        count = count if self._left is None else min(count, self._left)
        while count and self._file:
            sha256, records = self._file
            if (head := next(records, None)) is None:
                self._file = next(self._files, None)
                continue
            # Counted without a step of Python for each record.
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


@dataclass(frozen=True)
class CheckUnit:
    """A shard that was found in the store, to be held to what it was read of: a unit of work."""

    whole: FileUnit
    shard: Shard

    @property
    def rows(self) -> int:
        return min(self.shard.records, CHECKED_RECORDS)

    def __str__(self) -> str:
        return f"reading {self.shard} of {self.whole.name} again"


def checks_of(results: Iterable[tuple[FileUnit, FileResult]]) -> list[CheckUnit]:
    """One shard of each source, of those that were found: one that nobody can foresee."""
    found: dict[str, list[CheckUnit]] = {}
    for unit, result in results:
        if result.found:
            found.setdefault(unit.name, []).extend(CheckUnit(unit, shard) for shard in result.shards)
    return [secrets.choice(units) for units in found.values()]


def check_shard(unit: CheckUnit, tick: Tick) -> None:
    """Read some records of a shard again.

    Raises `FindingsError` (exit 4) where the store holds other rows: somebody else wrote them.
    """
    whole, shard = unit.whole, unit.shard
    stored = parquet.read(shard.table.path)
    with told_of(f"sources.{whole.name}"), _read_again(whole, shard.number) as every:
        members = every
        if len(whole.files) == 1:
            file, records = next(iter(every), (whole.files[0].sha256, iter(())))
            start = secrets.randbelow(max(1, shard.records - CHECKED_RECORDS + 1))
            members = [(file, itertools.islice(records, start, start + CHECKED_RECORDS))]
            after = pc.subtract(stored["row"], shard.number * whole.shard_rows + start)
            stored = stored.filter(pc.and_(pc.greater(after, 0), pc.less_equal(after, CHECKED_RECORDS)))
        left_out = _LeftOut([], Counter())
        pieces = [_stored(piece, whole) for piece in _pieces(_parts_of(whole, members, left_out))]
        if not pa.Table.from_batches(pieces, whole.schema).equals(stored):
            for changed in (file for file in whole.files if sha256_file(file.path) != file.sha256):
                raise _changed(changed)
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
    with closing(_Records(unit)) as records:
        for _ in range(number):
            for _, own in records.take(unit.shard_rows):
                deque(own, maxlen=0)
        yield records.take(unit.shard_rows)


def check_quarantine(source: Source, shards: Collection[Shard], paths: Mapping[str, Path]) -> None:
    """Raise `InputError` where a source has more bad records than `max_quarantined`, showing the first.

    `paths` gives the path of a file by its sha256.
    """
    bad = [f"{paths[file]}:{record}" for shard in shards for file, record in shard.quarantined]
    if len(bad) > source.max_quarantined:
        shown = "".join(f"\n  {record}" for record in bad[:SHOWN_RECORDS])
        more = f"\n  … and {len(bad) - SHOWN_RECORDS} more so far" if len(bad) > SHOWN_RECORDS else ""
        is_foreign = any(record.code == "invalid_utf8" for shard in shards for _, record in shard.quarantined)
        remedy = f"{ENCODING_REMEDY[0].upper()}{ENCODING_REMEDY[1:]}\n" if is_foreign else ""
        raise InputError(
            f"{len(bad)} record{'s' * (len(bad) != 1)} can't become rows, and "
            f"max_quarantined is {source.max_quarantined}:{shown}{more}\n"
            f"{remedy}Mend the file, or set these records aside with: max_quarantined: {len(bad)}"
        )


def _finished(unit: FileUnit, key: str, number: int) -> Shard | None:
    table = unit.workspace.shard(key, number)
    note = table.note()
    if note is None:
        return None
    files = (
        FileRows(file, rows, tuple(Quarantined(*record) for record in quarantined))
        for file, rows, quarantined in note["files"]
    )
    return Shard(unit.name, key, number, table, tuple(files), note["unread"])


def _write_shard(
    unit: FileUnit,
    key: str,
    number: int,
    members: Iterable[tuple[str, Iterable[AnyRecord]]],
    tick: Tick,
    check: Callable[[], None] = lambda: None,
) -> Shard:
    """Write one shard of the records of some files; `check` is called before it counts as finished."""
    shard = unit.workspace.shard(key, number)
    left_out = _LeftOut([], Counter())
    with parquet.writer(unit.workspace.prepare(shard.path), unit.schema, parquet.WORKING) as writer:
        for piece in _pieces(_parts_of(unit, members, left_out)):
            stored = _stored(piece, unit)
            writer.write_batch(stored, row_group_size=len(stored))
            tick(len(stored))
    check()
    details = iter(_rewritten([record.detail for file in left_out.files for record in file.quarantined], unit.mappers))
    files = [
        file._replace(quarantined=tuple(replace(record, detail=next(details)) for record in file.quarantined))
        for file in left_out.files
    ]
    not_read = dict(sorted(left_out.unread.items()))
    noted = [(file, rows, [astuple(record) for record in bad]) for file, rows, bad in files]
    shard.finish(files=noted, unread=not_read)
    return Shard(unit.name, key, number, shard, tuple(files), not_read)


class _LeftOut(NamedTuple):
    """What became of the records of a shard: those of each file, and by its name what nobody reads."""

    files: list[FileRows]
    unread: Counter[str]


class _Piece(NamedTuple):
    numbers: Sequence[int]
    rows: Rows


def _parts_of(
    unit: FileUnit, members: Iterable[tuple[str, Iterable[AnyRecord]]], left_out: _LeftOut
) -> Iterator[_Piece]:
    """Rows of the records of some files; what got into none of them goes to `left_out`."""
    for file, records in members:
        quarantined: list[Quarantined] = []
        rows = 0
        for part in _parts(unit, records, quarantined, left_out.unread):
            rows += len(part.rows)
            yield part
        left_out.files.append(FileRows(file, rows, tuple(quarantined)))


def _pieces(found: Iterable[_Piece]) -> Iterator[_Piece]:
    """Rows in pieces whose bounds depend on nothing but the rows."""
    parts: list[_Piece] = []
    rows = size = 0
    for part in found:
        parts.append(part)
        rows += len(part.rows)
        size += part.rows.batch.nbytes
        if rows >= PIECE_ROWS or size > PIECE_SIZE:
            yield _joined_pieces(parts)
            parts, rows, size = [], 0, 0
    if parts:
        yield _joined_pieces(parts)


def _joined_pieces(parts: Sequence[_Piece]) -> _Piece:
    if len(parts) == 1:
        return parts[0]
    numbers = list(itertools.chain.from_iterable(part.numbers for part in parts))
    return _Piece(numbers, Rows(pa.concat_batches([part.rows.batch for part in parts])))


def _parts(
    unit: FileUnit, records: Iterable[AnyRecord], quarantined: list[Quarantined], not_read: Counter[str]
) -> Iterator[_Piece]:
    """Rows of records that Arrow gave together at once, where their format can; of others one by one."""
    for batch, members in itertools.groupby(records, key=lambda record: record.batch):
        if batch is None:
            yield from _one_by_one(unit, ((record, ()) for record in members), quarantined, not_read)
            continue
        together = list(members)
        part = batch.part(together[0].row, len(together))
        held = unread.of_batch(part, unit.columns)
        is_plain = not batch.is_large and not unread.has_media(held, unit.source.drop_parts)
        rows = unit.format.read_batch(part) if is_plain else None
        kept = kept_columns.arrays_of(part, unit.source.keep_columns) if rows else None
        if rows is None or kept is None:
            names = ([name for name, mask in held.items() if mask[place]] for place in range(len(together)))
            yield from _one_by_one(unit, zip(together, names, strict=True), quarantined, not_read)
        else:
            not_read.update({name: int(mask.sum()) for name, mask in held.items()})
            yield _Piece([record.row for record in together], rows.with_more(kept))


def _one_by_one(
    unit: FileUnit,
    records: Iterable[tuple[AnyRecord, Collection[str]]],
    quarantined: list[Quarantined],
    not_read: Counter[str],
) -> Iterator[_Piece]:
    """Rows of records, each with the names of what its batch has beside the columns that are read."""
    numbers: list[int] = []
    conversations: list[Conversation] = []
    beside_rows: list[dict[str, Any]] = []
    characters = 0

    def piece() -> _Piece:
        fields = kept_columns.fields_of(unit.source.keep_columns)
        columns = {one.name: pa.array([kept[one.name] for kept in beside_rows], one.type) for one in fields}
        return _Piece(numbers, Rows.of(conversations).with_more(columns))

    for record, beside in records:
        try:
            value = record.content()
            held = [*beside, *unread.of_record(value, unit.format, unit.columns)]
            unread.refuse_media(held, unit.source.drop_parts)
            conversation = unit.format.read(value, unit.source.drop_parts)
            if unit.source.needs_answer:
                unit.format.require_answer(conversation)
            kept = kept_columns.values_of(value, unit.source.keep_columns)
        except RecordError as error:
            quarantined.append(Quarantined.of(record, error))
            continue
        not_read.update(held)
        numbers.append(record.row)
        conversations.append(conversation)
        beside_rows.append(kept)
        characters += sum(len(content) for _, content in conversation.messages)
        characters += len(conversation.tool_calls or "") + len(conversation.tools or "")
        characters += sum(len(thought) for thought in conversation.reasoning if thought)
        characters += sum(len(value) for value in kept.values() if isinstance(value, str))
        if len(numbers) == PIECE_ROWS or characters > PIECE_SIZE:
            yield piece()
            numbers, conversations, beside_rows, characters = [], [], [], 0
    if numbers:
        yield piece()


def _mapped(rows: Rows, mappers: tuple[Mapper, ...]) -> Rows:
    for mapper in mappers:
        with blamed(mapper):
            made = mapper.map(rows)
        mapped = returned(mapper, "map", made, Rows, "Rows, such as `rows.with_contents(…)` makes")
        if len(mapped) != len(rows):
            raise InvariantError(f"stage {mapper.name()}: gave {len(mapped)} rows for {len(rows)}")
        if mapped.batch.schema != rows.batch.schema:
            given, wanted = (", ".join(one.batch.schema.names) for one in (mapped, rows))
            raise InvariantError(
                f"stage {mapper.name()}: gave the columns {given} for {wanted}; see Rows.with_contents"
            )
        rows = mapped
    return rows


def _rewritten(texts: Iterable[str], mappers: tuple[Mapper, ...]) -> list[str]:
    """What is said of bad records, rewritten as a message is: it may show a part of the record."""
    rows = _mapped(Rows.of(Conversation([("user", text)]) for text in texts), mappers)
    found: list[str] = rows.column("messages").flatten().field("content").to_pylist()
    return found


def as_stored(surveyed: Surveyed, mappers: tuple[Mapper, ...]) -> Surveyed:
    """A surveyed source with its first rows, and what is said of bad ones, as a build will store them."""
    applying = _applying(mappers, surveyed.name)
    rows = _mapped(Rows.of(surveyed.rows), applying).conversations()
    return replace(surveyed, rows=tuple(rows), bad=tuple(_rewritten(surveyed.bad, applying)))


def _applying(mappers: tuple[Mapper, ...], source: str) -> tuple[Mapper, ...]:
    return tuple(mapper for mapper in mappers if mapper.applies_to(source))


def _stored(piece: _Piece, unit: FileUnit) -> pa.RecordBatch:
    rows = _mapped(piece.rows, unit.mappers)
    noted = {
        "row": pa.array(piece.numbers, pa.int64()),
        "content": pa.array(rows.content_hashes(), pa.binary(32)),
        "marks": pa.array(blemishes.marks(rows)),
    }
    columns = [noted[name] if name in noted else rows.column(name) for name in unit.schema.names]
    return pa.RecordBatch.from_arrays(columns, schema=unit.schema)
