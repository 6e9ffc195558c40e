"""Read each input once, in order, into a store of canonical shards.

Rewriting stages run here, before anything is written: what they remove from a text never
reaches a disk of ours. A shard holds the rows of 65,536 records of one file; its note
lists the records among them that could not become rows.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import astuple, dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Final, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from tulu_data import blemishes, kept_columns, table, unread
from tulu_data.code_id import code_id
from tulu_data.commit import remove_folder
from tulu_data.errors import InputError, InvariantError, RecordError, told_of
from tulu_data.executors import Executor, Tick
from tulu_data.formats.format import Format
from tulu_data.readers.arrow_record import AnyRecord
from tulu_data.readers.stream import ENCODING_REMEDY
from tulu_data.rows import STORED, Conversation, Rows
from tulu_data.source import Part, Source
from tulu_data.stage import Mapper, blamed
from tulu_data.survey import InputFile, Surveyed, columns_read, unreadable_file
from tulu_data.workspace import Table, Workspace, key_of

SHARD_ROWS: Final = 65_536
# Row groups of the store: enough rows for the kernels, little enough text for the memory.
PIECE_ROWS: Final = 8_192
# Characters, or bytes.
PIECE_SIZE: Final = 16 << 20
SHOWN_RECORDS: Final = 5
# Cutting takes a tenth of a second for so much, and reading it two.
LARGE_BYTES: Final = 64 << 20
# A file that is all wrong is not read to its end; one that has a few bad records is, so that all are told.
MANY_RECORDS: Final = 1_000


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


@dataclass(frozen=True)
class Shard:
    """One finished shard of the store.

    `source` is the name of the source it is read for, `file` the sha256 of its file,
    `records` what was read for it: its rows and its quarantined records. `unread` counts
    the rows whose records held something that nobody reads, by its name.
    """

    source: str
    file: str
    key: str
    number: int
    table: Table
    rows: int
    quarantined: tuple[Quarantined, ...]
    unread: Mapping[str, int] = field(default_factory=dict)

    @property
    def records(self) -> int:
        return self.rows + len(self.quarantined)


@dataclass(frozen=True)
class FileUnit:
    """One file to ingest: a unit of work."""

    name: str
    source: Source
    format: Format
    file: InputFile
    mappers: tuple[Mapper, ...]
    workspace: Workspace
    shard_rows: int
    limit: int | None = None
    has_others: bool = False
    """Whether its source has other files, which could go on without it."""

    @property
    def rows(self) -> int:
        """About how many rows it has, at the size of a short conversation."""
        return self.file.size // 1000

    def __str__(self) -> str:
        return f"reading {self.file.path} of {self.name}"

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
        modules = {type(part).__module__ for part in (self.source, self.format, *self.mappers)} | {__name__}
        requires = {name for mapper in self.mappers for name in mapper.requires} | {"orjson", "pyarrow"}
        return key_of(
            file=self.file.sha256,
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
        return f"reading records {self.part.before + 1:,} and on of {self.whole.file.path} of {self.whole.name}"


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
    for file in sorted(surveyed.files, key=lambda file: (file.sha256, str(file.path))):
        if file.size and surveyed.format:
            unit = FileUnit(surveyed.name, surveyed.source, surveyed.format, file, applying, workspace, shard_rows)
            yield replace(unit, has_others=len(surveyed.files) > 1)


def ingest_first(units: Iterable[FileUnit], limit: int, tick: Tick) -> Iterator[FileResult]:
    """Ingest the first `limit` records of some files, taken as one."""
    for unit in units:
        if limit > 0:
            result = ingest_file(replace(unit, limit=limit), tick)
            limit -= sum(shard.records for shard in result.shards)
            yield result


def ingest_files(units: Sequence[FileUnit], executor: Executor, tick: Tick) -> Iterator[FileResult]:
    """Ingest files, large ones by several workers at a time; raises what `ingest_file` does."""
    share = sum(unit.file.size for unit in units) // (4 * executor.workers)
    large = [unit for unit in units if executor.workers > 1 and unit.file.size > max(share, LARGE_BYTES)]
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
        try:
            cut = unit.source.cut(unit.file.path, unit.shard_rows)
        except InputError:
            # Whoever reads it in one go says what is wrong with it.
            return ()
        if cut and cut.sha256 != unit.file.sha256:
            raise _changed(unit)
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
        with (
            _set_aside(whole) as aside,
            whole.source.read_part(whole.file.path, unit.part, whole.columns) as reading,
        ):

            def check() -> None:
                if reading.sha256() != unit.part.sha256:
                    raise _changed(whole)

            return FileResult((_write_shard(whole, unit.key, unit.number, reading.records, tick, check),), 0)
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


def _changed(unit: FileUnit) -> InputError:
    return _FinalError(f"{unit.file.path}: changed while it was read; run the command again")


def _check_many(unit: FileUnit, shards: Sequence[Shard]) -> None:
    """Stop at a file that is all wrong."""
    if sum(len(shard.quarantined) for shard in shards) > unit.source.max_quarantined + MANY_RECORDS:
        try:
            check_quarantine(unit.source, shards, {unit.file.sha256: unit.file.path})
        except InputError as error:
            raise _FinalError(str(error)) from None


@dataclass
class _Aside:
    """Why a file can't be read to its end, once that is known."""

    reason: str | None = None


@contextmanager
def _set_aside(unit: FileUnit) -> Iterator[_Aside]:
    """Note that a file can't be read, where its source allows such files."""
    aside = _Aside()
    try:
        yield aside
    except InputError as error:
        if isinstance(error, _FinalError):
            raise
        if not unit.source.max_quarantined_files:
            raise unreadable_file(unit.file.path, error, has_others=unit.has_others) from None
        aside.reason = str(error)


def ingest_file(unit: FileUnit, tick: Tick) -> FileResult:
    """Ingest one file, or what is left of it; `tick` hears of records as they are read.

    Raises `InputError` (exit 3) where the file is not what was surveyed, or has a thousand
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
    with unit.source.read(unit.file.path, unit.columns) as reading:
        records = itertools.islice(reading.records, unit.limit)
        for number in itertools.count():
            if (head := next(records, None)) is None:
                break
            members = itertools.chain([head], itertools.islice(records, unit.shard_rows - 1))
            shard = _finished(unit, key, number)
            if shard:
                found += 1
                tick(sum(1 for _ in members))
            else:
                shard = _write_shard(unit, key, number, members, tick)
            shards.append(shard)
            _check_many(unit, shards)
        if unit.limit is None and reading.sha256() != unit.file.sha256:
            remove_folder(unit.workspace.store(key))
            raise _changed(unit)
    unit.workspace.finish_shards(key, len(shards))
    return FileResult(tuple(shards), found)


def check_quarantine(source: Source, shards: Collection[Shard], paths: Mapping[str, Path]) -> None:
    """Raise `InputError` where a source has more bad records than `max_quarantined`, showing the first.

    `paths` gives the path of a file by its sha256.
    """
    bad = [f"{paths[shard.file]}:{record}" for shard in shards for record in shard.quarantined]
    if len(bad) > source.max_quarantined:
        shown = "".join(f"\n  {record}" for record in bad[:SHOWN_RECORDS])
        more = f"\n  … and {len(bad) - SHOWN_RECORDS} more so far" if len(bad) > SHOWN_RECORDS else ""
        is_foreign = any(record.code == "invalid_utf8" for shard in shards for record in shard.quarantined)
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
    quarantined = tuple(Quarantined(*record) for record in note["quarantined"])
    return Shard(unit.name, unit.file.sha256, key, number, table, note["rows"], quarantined, note["unread"])


def _write_shard(
    unit: FileUnit,
    key: str,
    number: int,
    records: Iterable[AnyRecord],
    tick: Tick,
    check: Callable[[], None] = lambda: None,
) -> Shard:
    """Write one shard; `check` is called before it counts as finished."""
    shard = unit.workspace.shard(key, number)
    left_out = _LeftOut([], Counter())
    rows = 0
    with table.writer(unit.workspace.prepare(shard.path), unit.schema, table.WORKING) as writer:
        for piece in _pieces(unit, records, left_out):
            stored = _stored(piece, unit)
            writer.write_batch(stored, row_group_size=len(stored))
            rows += len(stored)
            tick(len(stored))
    check()
    details = _rewritten([record.detail for record in left_out.records], unit.mappers)
    quarantined = [replace(record, detail=detail) for record, detail in zip(left_out.records, details, strict=True)]
    not_read = dict(sorted(left_out.unread.items()))
    shard.finish(rows=rows, quarantined=[list(astuple(record)) for record in quarantined], unread=not_read)
    return Shard(unit.name, unit.file.sha256, key, number, shard, rows, tuple(quarantined), not_read)


class _LeftOut(NamedTuple):
    """What of the records did not get into rows: bad ones, and by its name what nobody reads."""

    records: list[Quarantined]
    unread: Counter[str]


class _Piece(NamedTuple):
    numbers: Sequence[int]
    rows: Rows


def _pieces(unit: FileUnit, records: Iterable[AnyRecord], left_out: _LeftOut) -> Iterator[_Piece]:
    """Rows in pieces whose bounds depend on nothing but the rows; what gets into none goes to `left_out`."""
    parts: list[_Piece] = []
    rows = size = 0
    for part in _parts(unit, records, left_out):
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


def _parts(unit: FileUnit, records: Iterable[AnyRecord], left_out: _LeftOut) -> Iterator[_Piece]:
    """Rows of records that Arrow gave together at once, where their format can; of others one by one."""
    for batch, members in itertools.groupby(records, key=lambda record: record.batch):
        if batch is None:
            yield from _one_by_one(unit, ((record, ()) for record in members), left_out)
            continue
        together = list(members)
        part = batch.part(together[0].row, len(together))
        held = unread.of_batch(part, unit.columns)
        is_plain = not batch.is_large and not unread.has_media(held, unit.source.drop_parts)
        rows = unit.format.read_batch(part) if is_plain else None
        kept = kept_columns.arrays_of(part, unit.source.keep_columns) if rows else None
        if rows is None or kept is None:
            names = ([name for name, mask in held.items() if mask[place]] for place in range(len(together)))
            yield from _one_by_one(unit, zip(together, names, strict=True), left_out)
        else:
            left_out.unread.update({name: int(mask.sum()) for name, mask in held.items()})
            yield _Piece([record.row for record in together], rows.with_more(kept))


def _one_by_one(
    unit: FileUnit, records: Iterable[tuple[AnyRecord, Collection[str]]], left_out: _LeftOut
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
            left_out.records.append(Quarantined.of(record, error))
            continue
        left_out.unread.update(held)
        numbers.append(record.row)
        conversations.append(conversation)
        beside_rows.append(kept)
        characters += sum(len(content) for _, content in conversation.messages)
        characters += len(conversation.tool_calls or "") + len(conversation.tools or "")
        characters += sum(len(thought) for thought in conversation.reasoning if thought)
        if len(numbers) == PIECE_ROWS or characters > PIECE_SIZE:
            yield piece()
            numbers, conversations, beside_rows, characters = [], [], [], 0
    if numbers:
        yield piece()


def _mapped(rows: Rows, mappers: tuple[Mapper, ...]) -> Rows:
    for mapper in mappers:
        with blamed(mapper):
            mapped = mapper.map(rows)
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


def messages_at(shard: Shard, offset: int) -> list[tuple[str, str]]:
    """The roles and whole texts of the messages of one row of a shard, by its position among the shard's rows."""
    with pq.ParquetFile(shard.table.path, page_checksum_verification=True) as parquet:
        for index in range(parquet.num_row_groups):
            rows = parquet.metadata.row_group(index).num_rows
            if offset < rows:
                group = parquet.read_row_group(index, columns=["messages", "tool_calls"])
                (messages,) = Rows(group.slice(offset, 1).to_batches()[0]).messages()
                return [(message.role, message.whole_text) for message in messages]
            offset -= rows
    raise IndexError(offset)
