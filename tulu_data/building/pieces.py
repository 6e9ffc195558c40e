"""Turn records into rows of the store, in pieces whose bounds depend on the rows alone.

Stages that rewrite text run here, before anything is written.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any, Final, NamedTuple

import pyarrow as pa

from tulu_data.building.file_units import FileUnit, applying
from tulu_data.building.inputs import Surveyed
from tulu_data.building.shards import FileRows, Quarantined
from tulu_data.errors import InvariantError, RecordError
from tulu_data.formats import kept_columns, unread
from tulu_data.readers.arrow_record import AnyRecord
from tulu_data.rows.kind import Kind, Row
from tulu_data.rows.rows import Rows
from tulu_data.stage import Mapper, blamed, returned
from tulu_data.text import blemishes

# Row groups of the store: enough rows for the kernels, and text that fits into memory.
PIECE_ROWS: Final = 8_192
# Characters, or bytes.
PIECE_SIZE: Final = 16 << 20


class LeftOut(NamedTuple):
    """What became of the records of a shard: counts by file, and by the name of each part that is not read."""

    files: list[FileRows]
    unread: Counter[str]


class Piece(NamedTuple):
    numbers: Sequence[int]
    rows: Rows


def parts_of(unit: FileUnit, members: Iterable[tuple[str, Iterable[AnyRecord]]], left_out: LeftOut) -> Iterator[Piece]:
    """Rows of the records of some files; what did not become part of a row is noted in `left_out`."""
    for file, records in members:
        quarantined: list[Quarantined] = []
        rows = 0
        for part in _parts(unit, records, quarantined, left_out.unread):
            rows += len(part.rows)
            yield part
        left_out.files.append(FileRows(file, rows, tuple(quarantined)))


def pieces_of(found: Iterable[Piece]) -> Iterator[Piece]:
    """Rows in pieces whose bounds depend on the rows alone."""
    parts: list[Piece] = []
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


def _joined_pieces(parts: Sequence[Piece]) -> Piece:
    if len(parts) == 1:
        return parts[0]
    numbers = list(itertools.chain.from_iterable(part.numbers for part in parts))
    rows = pa.concat_batches([part.rows.batch for part in parts])
    return Piece(numbers, Rows(rows, parts[0].rows.kind))


def _parts(
    unit: FileUnit, records: Iterable[AnyRecord], quarantined: list[Quarantined], not_read: Counter[str]
) -> Iterator[Piece]:
    """Rows of records, a whole Arrow batch at once if their format can read it, else one by one."""
    for batch, members in itertools.groupby(records, key=lambda record: record.batch):
        if batch is None:
            yield from _one_by_one(unit, ((record, ()) for record in members), quarantined, not_read)
            continue
        together = list(members)
        part = batch.part(together[0].row, len(together))
        held = unread.of_batch(part, unit.columns)
        is_plain = not batch.is_large and not unread.has_media(held, unit.source.drop_parts)
        rows = unit.format.read_batch(part) if is_plain else None
        if rows and unit.source.needs_answer and unit.kind.refuses_any(rows.batch):
            rows = None
        kept = kept_columns.arrays_of(part, unit.source.keep_columns) if rows else None
        if rows is None or kept is None:
            names = ([name for name, mask in held.items() if mask[place]] for place in range(len(together)))
            yield from _one_by_one(unit, zip(together, names, strict=True), quarantined, not_read)
        else:
            not_read.update({name: int(mask.sum()) for name, mask in held.items()})
            yield Piece([record.row for record in together], rows.with_more(kept))


def _one_by_one(
    unit: FileUnit,
    records: Iterable[tuple[AnyRecord, Collection[str]]],
    quarantined: list[Quarantined],
    not_read: Counter[str],
) -> Iterator[Piece]:
    """Rows of records, each with the names of its batch's columns that are not read."""
    numbers: list[int] = []
    read: list[Row] = []
    beside_rows: list[dict[str, Any]] = []
    characters = 0

    def piece() -> Piece:
        fields = kept_columns.fields_of(unit.source.keep_columns)
        columns = {one.name: pa.array([kept[one.name] for kept in beside_rows], one.type) for one in fields}
        return Piece(numbers, Rows.of(read, unit.kind).with_more(columns))

    for record, beside in records:
        try:
            value = record.content()
            held = [*beside, *unread.of_record(value, unit.format, unit.columns)]
            unread.refuse_media(held, unit.source.drop_parts)
            row = unit.format.read(value, unit.source.drop_parts)
            if unit.source.needs_answer and (refused := unit.kind.refuse(row, unit.format.place)):
                raise refused
            kept = kept_columns.values_of(value, unit.source.keep_columns)
        except RecordError as error:
            quarantined.append(Quarantined.of(record, error))
            continue
        not_read.update(held)
        numbers.append(record.row)
        read.append(row)
        beside_rows.append(kept)
        characters += row.characters
        characters += sum(len(value) for value in kept.values() if isinstance(value, str))
        if len(numbers) == PIECE_ROWS or characters > PIECE_SIZE:
            yield piece()
            numbers, read, beside_rows, characters = [], [], [], 0
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


def rewritten(texts: Sequence[str], kind: Kind, mappers: tuple[Mapper, ...]) -> list[str]:
    """Texts about bad records, rewritten like messages, since they may quote a part of the record."""
    rows = _mapped(Rows.saying(texts, kind), mappers)
    found: list[str] = rows.contents().to_pylist()
    return found


def as_stored(surveyed: Surveyed, mappers: tuple[Mapper, ...]) -> Surveyed:
    """A surveyed source with its first rows, and the texts about bad records, as a build will store them."""
    own = applying(mappers, surveyed.name)
    rows = _mapped(surveyed.rows, own)
    return replace(surveyed, rows=rows, bad=tuple(rewritten(surveyed.bad, surveyed.kind, own)))


def stored(piece: Piece, unit: FileUnit) -> pa.RecordBatch:
    rows = _mapped(piece.rows, unit.mappers)
    noted = {
        "row": pa.array(piece.numbers, pa.int64()),
        "content": pa.array(rows.content_hashes(), pa.binary(32)),
        "marks": pa.array(blemishes.marks(rows)),
    }
    columns = [noted[name] if name in noted else rows.column(name) for name in unit.schema.names]
    return pa.RecordBatch.from_arrays(columns, schema=unit.schema)
