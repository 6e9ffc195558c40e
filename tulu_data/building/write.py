"""Write the rows that are kept, once, in their final order.

Each store shard is read once, and its kept rows are spilled by the output shard that they belong
to; each output shard is gathered from the spill files and sorted in memory. Every row's
content hash is compared with the one that was decided on, so that only judged rows are written.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from tulu_data.building.decision import Decision
from tulu_data.building.output import Layout
from tulu_data.building.shards import Shard, batches
from tulu_data.errors import InvariantError
from tulu_data.executors import Executor, Tick
from tulu_data.formats import kept_columns
from tulu_data.readers.parquet_batches import MAX_TEXT_BYTES
from tulu_data.recipe.recipe import Recipe
from tulu_data.rows import kind as kinds
from tulu_data.rows.identity import fixed_bytes, hex_texts
from tulu_data.rows.kind import Kind
from tulu_data.rows.messages import PLAIN_FIELDS, RARE_FIELDS, with_fields
from tulu_data.rows.rows import Rows, stored
from tulu_data.store import parquet
from tulu_data.store.durable import TEMPORARY, make_folders, remove_folder, sha256_file, sync_folder, write_text

# Bytes of text in a batch that is spilled, and in a row group of a file whose texts do not fit one array.
SPILLED_BYTES: Final = 64 << 20
ROW_GROUP_BYTES: Final = 256 << 20
COMPUTED: Final = {"domain": pa.string(), "language": pa.string(), "tokens": pa.int32()}


class WriteResult(NamedTuple):
    """How many output shards were written, and how many were there before."""

    done: int
    found: int


def write(
    recipe: Recipe,
    decision: Decision,
    shards: Sequence[Shard],
    staging: Path,
    spill: Path,
    notes: Path,
    executor: Executor,
    tick: Tick,
) -> WriteResult:
    """Write the output shards that are not in `staging` yet.

    A shard counts as written if its sha256 is in `notes`, a folder of the workspace; any other file in
    `staging` was not made by this build, or will be made again, and is removed.
    Raises `InvariantError` (exit 1) where the store holds other rows than were judged.
    """
    layout = Layout(recipe, decision)
    found = {name for name in layout.names if _is_noted(staging / name, notes)}
    _remove_others(staging, found)
    missing = [number for number, name in enumerate(layout.names) if name not in found]
    if missing:
        remove_folder(spill)
        make_folders(spill)
        make_folders(staging / "data")
        make_folders(notes)
        schema = _published(recipe, decision, shards)
        routes = _routes(decision, layout, shards, schema, missing, spill)
        spilled = tuple(executor.run(route_shard, routes, tick))
        rows = np.bincount(layout.file, minlength=len(layout.names)).tolist()
        parts = [
            OutputUnit(
                number, rows[number], staging / layout.names[number], notes, spilled, schema, kinds.find(recipe.kind)
            )
            for number in missing
        ]
        for _ in executor.run(write_shard, parts, tick):
            pass
        remove_folder(spill)
    return WriteResult(len(missing), len(found))


def _is_noted(path: Path, notes: Path) -> bool:
    note = notes / path.name
    return note.is_file() and path.is_file() and note.read_text(encoding="utf-8") == sha256_file(path)


def _remove_others(staging: Path, found: Collection[str]) -> None:
    for parent, folders, files in os.walk(staging):
        for path in (Path(parent, name) for name in (*folders, *files)):
            if path.is_symlink() or (not path.is_dir() and path.relative_to(staging).as_posix() not in found):
                path.unlink()


def _published(recipe: Recipe, decision: Decision, shards: Sequence[Shard]) -> pa.Schema:
    """The columns of the mixture: the kind's optional ones, and rare fields of messages, if a kept row has them."""
    kept = kept_columns.together({name: source.keep_columns for name, source in recipe.sources.items()})
    kind = kinds.find(recipe.kind)
    content: dict[str, pa.DataType] = {}
    for name, type in kind.content.items():
        if name in kind.messages:
            rare = [
                (one, type) for one, type in RARE_FIELDS.items() if _any_kept_message_has(decision, shards, name, one)
            ]
            content[name] = pa.list_(pa.struct([*PLAIN_FIELDS.items(), *rare]))
        elif name not in kind.optional or _any_kept_has(decision, shards, name):
            content[name] = type
    return pa.schema(
        [("id", pa.string()), *content.items(), ("source", pa.string()), *COMPUTED.items(), *kept],
    )


def _any_kept_has(decision: Decision, shards: Sequence[Shard], column: str) -> bool:
    kept = decision.kept
    for index, shard in enumerate(shards):
        start, end = decision.starts[index], decision.starts[index + 1]
        if kept[start:end].any():
            for rows in batches(shard, [column]):
                present = rows.column(column).is_valid().to_numpy(zero_copy_only=False)
                if (present & kept[start : start + len(rows)]).any():
                    return True
                start += len(rows)
    return False


def _any_kept_message_has(decision: Decision, shards: Sequence[Shard], name: str, field: str) -> bool:
    for index, shard in enumerate(shards):
        kept = decision.kept[decision.starts[index] : decision.starts[index + 1]]
        if kept.any():
            with pq.ParquetFile(shard.table.path, page_checksum_verification=True) as opened:
                offset = 0
                for group in range(opened.num_row_groups):
                    column = opened.read_row_group(group, columns=[f"{name}.list.element.{field}"])[name]
                    for chunk in column.chunks:
                        has = np.concatenate([[0], np.cumsum(chunk.flatten().field(field).is_valid())])
                        bounds = chunk.offsets.to_numpy() - chunk.offsets[0].as_py()
                        if (np.diff(has[bounds]).astype(bool) & kept[offset : offset + len(chunk)]).any():
                            return True
                        offset += len(chunk)
    return False


@dataclass(frozen=True)
class RouteUnit:
    """The kept rows of one store shard, and where they are to be written: a unit of work.

    Arrays have one entry for each row that is written: `offset` (the row's place in the shard),
    `id` (16 bytes), `content` (32 bytes), `copy`, `file` and `position` as in `Layout`;
    `columns` are the computed ones.
    """

    shard: Shard
    columns: pa.RecordBatch
    offset: npt.NDArray[np.int64]
    id: npt.NDArray[np.void]
    content: npt.NDArray[np.void]
    copy: npt.NDArray[np.int64]
    file: npt.NDArray[np.int64]
    position: npt.NDArray[np.int64]
    schema: pa.Schema
    spill: Path

    @property
    def rows(self) -> int:
        return len(self.offset)

    def __str__(self) -> str:
        return f"writing {self.shard} of {self.shard.source}"


class Spilled(NamedTuple):
    """A spill file; its batch i holds rows of output file `files[i]`."""

    path: Path
    files: tuple[int, ...]


@dataclass(frozen=True)
class OutputUnit:
    """One output shard, gathered from the spill files: a unit of work."""

    number: int
    rows: int
    target: Path
    notes: Path
    spilled: tuple[Spilled, ...]
    schema: pa.Schema
    kind: Kind

    def __str__(self) -> str:
        return f"writing {self.target.name}"


def _computed(decision: Decision, rows: npt.NDArray[np.int64]) -> pa.RecordBatch:
    chosen = decision.columns.select(list(COMPUTED))[rows]
    arrays = [chosen[name].to_arrow(compat_level=pl.CompatLevel.oldest()).cast(kind) for name, kind in COMPUTED.items()]
    return pa.RecordBatch.from_arrays(arrays, list(COMPUTED))


def _routes(
    decision: Decision,
    layout: Layout,
    shards: Sequence[Shard],
    schema: pa.Schema,
    missing: Sequence[int],
    spill: Path,
) -> Iterator[RouteUnit]:
    wanted = np.isin(layout.file, missing)
    for index, shard in enumerate(shards):
        start, end = decision.starts[index], decision.starts[index + 1]
        first, last = np.searchsorted(layout.row, [start, end])
        chosen = np.arange(first, last)[wanted[first:last]]
        rows = layout.row[chosen]
        if len(chosen):
            yield RouteUnit(
                shard,
                _computed(decision, rows),
                rows - start,
                decision.id[rows],
                decision.content[rows],
                layout.copy[chosen],
                layout.file[chosen],
                layout.position[chosen],
                schema,
                spill / f"{index}.arrow",
            )


def route_shard(unit: RouteUnit, tick: Tick) -> Spilled:
    """Read one store shard and spill its kept rows, with separate batches for each output file."""
    files: list[int] = []
    schema = unit.schema.append(pa.field("position", pa.int64()))
    with pa.OSFile(str(unit.spill), "wb") as sink, pa.ipc.new_file(sink, schema) as spill:
        start = 0
        kind = unit.shard.kind
        known = {*stored(kind).names} - {*kind.content}
        names = [name for name in pq.read_schema(unit.shard.table.path).names if name not in known]
        for rows in batches(unit.shard, ["content", *names]):
            first, last = np.searchsorted(unit.offset, [start, start + len(rows)])
            if first < last:
                part = slice(first, last)
                # Rows are sorted by file, so that a batch holds rows of one file.
                ordered = first + np.argsort(unit.file[part], kind="stable")
                sizes = rows.text_bytes().sum(axis=1)[unit.offset[ordered] - start]
                for bounds in _cut(sizes, SPILLED_BYTES, np.flatnonzero(np.diff(unit.file[ordered])) + 1):
                    chosen = ordered[bounds]
                    kept = rows.take(unit.offset[chosen] - start)
                    _check_content(kept, unit.content[chosen], unit.shard)
                    spill.write_batch(_output(unit, chosen, kept, schema))
                    files.append(int(unit.file[chosen[0]]))
            start += len(rows)
            tick(len(rows))
    return Spilled(unit.spill, tuple(files))


def write_shard(unit: OutputUnit, tick: Tick) -> int:
    """Gather one output shard, sort it, write it; return its number of rows."""
    parts = []
    for spilled in unit.spilled:
        if unit.number in spilled.files:
            with pa.memory_map(str(spilled.path)) as source, pa.ipc.open_file(source) as file:
                parts += [file.get_batch(index) for index, number in enumerate(spilled.files) if number == unit.number]
    rows = pa.Table.from_batches(parts, unit.schema.append(pa.field("position", pa.int64())))
    order = np.argsort(rows.column("position").to_numpy())
    told = [name for name in unit.schema.names if name not in {"id", "source", *COMPUTED}]
    counted = [Rows(part.select(told), unit.kind).text_bytes() for part in parts]
    sizes = np.concatenate(counted or [np.zeros((0, 1), np.int64)])[order]
    ready = unit.target.with_name(f"{unit.target.name}{TEMPORARY}")
    with parquet.writer(ready, unit.schema) as writer:
        for group in _row_groups(sizes):
            gathered = _gathered(parts, order[group], rows.schema)
            writer.write_table(gathered.select(unit.schema.names), row_group_size=parquet.ROW_GROUP_ROWS)
    # The note comes first: a file under its own name is finished.
    write_text(unit.notes / unit.target.name, sha256_file(ready))
    ready.rename(unit.target)
    sync_folder(unit.target.parent)
    tick(len(rows))
    return len(rows)


def _row_groups(sizes: npt.NDArray[np.int64]) -> list[slice]:
    """The row groups of a file: 20,000 rows each, or less if the texts of all its rows would not fit one array.

    `sizes` are the bytes of each row's texts, in the shape (rows, columns). An empty file has one empty row group.
    """
    fits = (sizes.sum(axis=0) <= MAX_TEXT_BYTES).all()
    most = np.iinfo(np.int64).max if fits else ROW_GROUP_BYTES
    return [*_cut(sizes.sum(axis=1), most, range(parquet.ROW_GROUP_ROWS, len(sizes), parquet.ROW_GROUP_ROWS))] or [
        slice(0)
    ]


def _cut(sizes: npt.NDArray[np.int64], most: int, at: Iterable[int]) -> Iterator[slice]:
    """Slices of neighbouring rows with at most this many bytes, or of one row, that do not cross the bounds `at`.

    >>> list(_cut(np.array([5, 5, 5, 90, 1]), 10, at=[4]))
    [slice(0, 2, None), slice(2, 3, None), slice(3, 4, None), slice(4, 5, None)]
    """
    before = np.concatenate([[0], np.cumsum(sizes)])
    start = 0
    for stop in (*at, len(sizes)):
        while start < stop:
            fitting = int(np.searchsorted(before, before[start] + min(most, before[-1]), "right")) - 1
            end = max(start + 1, min(fitting, stop))
            yield slice(start, end)
            start = end


def _gathered(parts: Sequence[pa.RecordBatch], order: npt.NDArray[np.intp], schema: pa.Schema) -> pa.Table:
    """The rows of some batches in the given order, in which rows are numbered through all batches."""
    starts = np.cumsum([0, *(len(part) for part in parts)])
    ascending = np.sort(order)
    bounds = np.searchsorted(ascending, starts)
    taken = [
        part.take(pa.array(ascending[first:last] - start))
        for part, start, first, last in zip(parts, starts[:-1], bounds[:-1], bounds[1:], strict=True)
        if first < last
    ]
    if not taken:
        return schema.empty_table()
    return pa.Table.from_batches([pa.concat_batches(taken).take(pa.array(np.searchsorted(ascending, order)))])


def _check_content(rows: Rows, expected: npt.NDArray[np.void], shard: Shard) -> None:
    if fixed_bytes(rows.column("content")).tobytes() != expected.tobytes():
        raise InvariantError(f"{shard}: holds other rows than were judged; remove {shard.table.path} and build again")


def _output(unit: RouteUnit, chosen: npt.NDArray[np.intp], rows: Rows, schema: pa.Schema) -> pa.RecordBatch:
    count = len(rows)
    ids = hex_texts(unit.id[chosen])
    copies = unit.copy[chosen]
    if copies.any():
        numbered = pc.binary_join_element_wise(ids, pc.cast(pa.array(copies + 1), pa.string()), "-")
        ids = pc.if_else(pa.array(copies > 0), numbered, ids)
    columns = {
        "id": ids,
        "source": pa.repeat(unit.shard.source, count),
        **{name: unit.columns.column(name).take(pa.array(chosen)) for name in COMPUTED},
        "position": pa.array(unit.position[chosen]),
    }
    for name in rows.kind.messages:
        columns[name] = with_fields(rows.column(name), schema.field(name).type)
    there = rows.batch.schema.names
    arrays = [
        columns[field.name]
        if field.name in columns
        else rows.column(field.name)
        if field.name in there
        else pa.nulls(count, field.type)
        for field in schema
    ]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)
