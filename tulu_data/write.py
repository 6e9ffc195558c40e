"""Write the rows that are kept, once, in their final order.

The store is read in its own order; rows are routed to a spill file for each output shard,
and each of these is sorted in memory. Every row's content is hashed again on the way: what
is written is what was judged.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from tulu_data import table
from tulu_data.commit import make_folders, remove_folder
from tulu_data.decide import Decision
from tulu_data.errors import InputError, InvariantError
from tulu_data.ingest import Shard
from tulu_data.recipe import TRAIN, Recipe
from tulu_data.rows import CONTENT, MESSAGES, Rows, keyed_order
from tulu_data.scan import batches

TOOL_COLUMNS: Final = ("tool_calls", "tools")


class Layout:
    """Where each copy of each kept row stands in the output.

    Arrays have one entry an output row, grouped by the row that it is a copy of: `row`,
    `copy` (from 0), `file` (index into `names`) and `position`, which orders all rows of
    the output, one split after the other. All copies of a row are in one split.

    Raises `InputError` (exit 3) where more rows are to be held out than there are.
    """

    def __init__(self, recipe: Recipe, decision: Decision) -> None:
        kept = np.flatnonzero(decision.kept)
        copies = decision.copies[kept]
        self.row = np.repeat(kept, copies)
        self.copy = np.arange(len(self.row)) - np.repeat(np.cumsum(copies) - copies, copies)
        split = np.repeat(_splits(recipe, decision, kept), copies)
        words = decision.id_words()[self.row]
        keys = (self.copy, words[:, 1], words[:, 0])
        if recipe.output.shuffle:
            shuffled = np.zeros(len(self.row), dtype=np.uint64)
            for copy in np.unique(self.copy):
                of_copy = self.copy == copy
                shuffled[of_copy] = keyed_order(words[of_copy], recipe.seed, f"shuffle {copy}")
            order = np.lexsort((*keys, shuffled, split))
        else:
            order = np.lexsort((*keys, decision.source[self.row], split))
        self.position = np.empty(len(order), dtype=np.int64)
        self.position[order] = np.arange(len(order))
        self.names: list[str] = []
        self.file = np.empty(len(order), dtype=np.int64)
        start = 0
        for number, name in enumerate((*recipe.output.splits, TRAIN)):
            rows = np.flatnonzero(split == number)
            files = max(1, -(-len(rows) // recipe.output.shard_rows))
            self.file[rows] = len(self.names) + (self.position[rows] - start) // recipe.output.shard_rows
            self.names += [f"data/{name}-{file:05d}-of-{files:05d}.parquet" for file in range(files)]
            start += len(rows)


def _splits(recipe: Recipe, decision: Decision, kept: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """The split of each kept row: the first by keyed hash are held out, what is left is the last split."""
    sizes = list(recipe.output.splits.values())
    if sum(sizes) > len(kept):
        raise InputError(
            f"output.splits: {sum(sizes):,} rows are to be held out, and {len(kept):,} are kept; lower the numbers"
        )
    split = np.full(len(kept), len(sizes), dtype=np.int64)
    words = decision.id_words()[kept]
    order = np.lexsort((words[:, 1], words[:, 0], keyed_order(words, recipe.seed, "split")))
    split[order[: sum(sizes)]] = np.repeat(np.arange(len(sizes)), sizes)
    return split


def write(
    recipe: Recipe,
    decision: Decision,
    shards: Sequence[Shard],
    staging: Path,
    spill: Path,
    tick: Callable[[int], None] = lambda rows: None,
) -> tuple[int, int]:
    """Write the output shards that are not in `staging` yet; return how many they were, and how many were there.

    Raises `InvariantError` (exit 1) where the store holds another text than was judged.
    """
    layout = Layout(recipe, decision)
    missing = {number for number, name in enumerate(layout.names) if not (staging / name).is_file()}
    found = len(layout.names) - len(missing)
    if not missing:
        return 0, found
    remove_folder(spill)
    make_folders(spill)
    make_folders(staging / "data")
    schema = _published(decision, shards)
    _route(recipe, decision, layout, shards, schema, missing, spill, tick)
    for number in sorted(missing):
        tick(_write_shard(spill / f"{number}.arrow", staging / layout.names[number], schema))
    remove_folder(spill)
    return len(missing), found


def _published(decision: Decision, shards: Sequence[Shard]) -> pa.Schema:
    """The columns of the mixture: those of tools are there if a kept row has them."""
    with_tools = [name for name in TOOL_COLUMNS if _any_kept_has(decision, shards, name)]
    return pa.schema(
        [
            ("id", pa.string()),
            ("messages", MESSAGES),
            *((name, pa.string()) for name in with_tools),
            ("source", pa.string()),
            ("domain", pa.string()),
            ("language", pa.string()),
            ("tokens", pa.int32()),
        ]
    )


def _any_kept_has(decision: Decision, shards: Sequence[Shard], column: str) -> bool:
    kept = decision.kept
    for index, shard in enumerate(shards):
        start, end = decision.starts[index], decision.starts[index + 1]
        if kept[start:end].any():
            present = table.read_frame(shard.table.path, [column])[column].is_not_null().to_numpy()
            if (present & kept[start:end]).any():
                return True
    return False


def _route(
    recipe: Recipe,
    decision: Decision,
    layout: Layout,
    shards: Sequence[Shard],
    schema: pa.Schema,
    missing: set[int],
    spill: Path,
    tick: Callable[[int], None],
) -> None:
    spilled = schema.append(pa.field("position", pa.int64()))
    with contextlib.ExitStack() as stack:
        files = {
            number: stack.enter_context(
                pa.ipc.new_stream(stack.enter_context(pa.OSFile(str(spill / f"{number}.arrow"), "wb")), spilled)
            )
            for number in missing
        }
        for index, shard in enumerate(shards):
            start = int(decision.starts[index])
            for rows in batches(shard, ["content", *CONTENT]):
                end = start + len(rows)
                first, last = np.searchsorted(layout.row, [start, end])
                chosen = layout.row[first:last]
                if len(chosen):
                    kept = Rows(rows.batch.take(pa.array(chosen - start)))
                    _check_content(kept, decision.content[chosen], shard)
                    batch = _output(recipe, decision, layout, slice(first, last), kept, shard, spilled)
                    for number, part in _by_file(batch, layout.file[first:last]):
                        if number in files:
                            files[number].write_batch(part)
                tick(len(rows))
                start = end


def _check_content(rows: Rows, expected: npt.NDArray[np.void], shard: Shard) -> None:
    if b"".join(rows.content_hashes()) != expected.tobytes():
        raise InvariantError(
            f"shard {shard.number} of file {shard.file[:12]}: holds another text than was judged; "
            f"remove {shard.table.path} and build again"
        )


def _output(
    recipe: Recipe, decision: Decision, layout: Layout, part: slice, rows: Rows, shard: Shard, schema: pa.Schema
) -> pa.RecordBatch:
    count = len(rows)
    ids = decision.ids(layout.row[part])
    copies = layout.copy[part].tolist()
    columns = {
        "id": pa.array([f"{name}-{copy + 1}" if copy else name for name, copy in zip(ids, copies, strict=True)]),
        "source": pa.repeat(shard.source, count),
        "domain": _repeated(recipe.sources[shard.source].domain, count),
        "language": pa.nulls(count, pa.string()),
        "tokens": pa.nulls(count, pa.int32()),
        "position": pa.array(layout.position[part]),
    }
    arrays = [columns[name] if name in columns else rows.column(name) for name in schema.names]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def _repeated(value: str | None, count: int) -> pa.Array:
    return pa.nulls(count, pa.string()) if value is None else pa.repeat(value, count)


def _by_file(batch: pa.RecordBatch, numbers: npt.NDArray[np.int64]) -> list[tuple[int, pa.RecordBatch]]:
    found = np.unique(numbers)
    if len(found) == 1:
        return [(int(found[0]), batch)]
    return [(int(number), batch.filter(pa.array(numbers == number))) for number in found]


def _write_shard(spilled: Path, target: Path, schema: pa.Schema) -> int:
    with pa.OSFile(str(spilled), "rb") as file, pa.ipc.open_stream(file) as stream:
        rows = stream.read_all()
    ordered = rows.take(pa.array(np.argsort(rows.column("position").to_numpy())))
    table.write(target, ordered.select(schema.names))
    return len(ordered)
