"""Rows and files far larger than the usual: bounds in bytes, which change nothing that is read or written."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tulu_data
from conftest import Yard, files_of, varied
from tulu_data.building import write
from tulu_data.readers import parquet_batches
from tulu_data.readers.parquet_batches import batches
from tulu_data.store import parquet

pytestmark = pytest.mark.slow

MESSAGES = pa.list_(pa.struct([("role", pa.string()), ("content", pa.string())]))


def decoded(path: Path, rows: int = 1024, columns: list[str] | None = None) -> list[pa.RecordBatch]:
    with pq.ParquetFile(path) as opened:
        return list(batches(path, opened, rows, columns))


@given(
    st.lists(st.lists(st.sampled_from(["", "a", "bb" * 20, "é" * 300, "x" * 4000]), max_size=4), max_size=40),
    st.integers(1, 9),
    st.integers(1, 20),
    st.booleans(),
)
def test_batches_hold_all_rows_in_order_whatever_the_bounds(
    tmp_path_factory: Any, rows: list[list[str]], at_most: int, group_rows: int, has_dictionary: bool
):
    path = tmp_path_factory.mktemp("batches") / "a.parquet"
    turns = [[{"role": "user", "content": text} for text in texts] for texts in rows]
    whole = pa.table({"messages": pa.array(turns, MESSAGES), "number": range(len(rows))})
    pq.write_table(whole, path, row_group_size=group_rows, use_dictionary=has_dictionary)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(parquet_batches, "MAX_DECODED_BYTES", 9_000)
        patch.setattr(parquet_batches, "BATCH_BYTES", 5_000)
        found = decoded(path, at_most)
        numbers = decoded(path, at_most, ["number"])
    assert [row for batch in found for row in batch.to_pylist()] == whole.to_pylist()
    assert [row["number"] for batch in numbers for row in batch.to_pylist()] == [*range(len(rows))]
    assert all(batch.num_rows <= at_most for batch in found)
    assert all(batch.num_rows == 1 or batch.nbytes <= 5_000 + 100 * at_most for batch in found)


TALLIES = """
import sys, pyarrow as pa, pyarrow.parquet as pq
from pathlib import Path
from tulu_data.readers.parquet_batches import batches
path = Path(sys.argv[1])
read = 0
with pq.ParquetFile(path) as parquet:
    for batch in batches(path, parquet, 1024, ["column"]):
        read += batch.nbytes
        if read > 1 << 30:
            break
print(read, pa.default_memory_pool().max_memory())
"""


@pytest.mark.parametrize("is_told", [True, False])
@pytest.mark.parametrize("shape", ["texts", "messages", "one_row", "lists"])
def test_a_text_that_a_dictionary_names_many_times_takes_little_memory(tmp_path: Path, shape: str, is_told: bool):
    text = "ab " * 1_000_000
    path = tmp_path / "a.parquet"
    names = pa.DictionaryArray.from_arrays(pa.array(np.zeros(4_000, np.int32)), pa.array([text]))
    roles = pa.DictionaryArray.from_arrays(pa.array(np.zeros(4_000, np.int32)), pa.array(["user"]))
    ends = {"messages": 2, "lists": 4}.get(shape, 4_000)
    bounds = pa.array(np.arange(0, 4_001, ends, dtype=np.int32))
    column = {
        "texts": names,
        "lists": pa.ListArray.from_arrays(bounds, names),
    }.get(shape, pa.ListArray.from_arrays(bounds, pa.StructArray.from_arrays([roles, names], ["role", "content"])))
    # So that it does not expand a thousand times.
    noise = pa.array([random.Random(0).randbytes(2 << 20), *[b""] * (len(column) - 1)])
    whole = pa.table({"column": column, "noise": noise})
    pq.write_table(whole, path, compression="zstd", store_schema=is_told)
    if shape == "one_row":
        # 12 GB in one row: told, and not decoded.
        with pytest.raises(
            tulu_data.errors.InputError, match=r"a\.parquet: row group 1, row 1: has more than 2,147,483,647 bytes"
        ):
            decoded(path, columns=["column"])
        return
    told = subprocess.run(
        [sys.executable, "-c", TALLIES, str(path)], capture_output=True, text=True, check=True, timeout=120
    )
    read, peak = map(int, told.stdout.split())
    assert read > 1 << 30
    # 1,024 rows are 3 GB.
    assert peak < 1_200_000_000


def test_rows_with_far_more_text_than_others_are_read_one_by_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = tmp_path / "a.parquet"
    whole = pa.table({"messages": pa.array([[{"role": "user", "content": str(n)}] for n in range(9)], MESSAGES)})
    pq.write_table(whole, path)
    asked = []

    class Overflowing(pq.ParquetFile):
        def iter_batches(self, rows: int, **options: Any) -> Any:
            asked.append(rows)
            for number, batch in enumerate(super().iter_batches(rows, **options)):
                if rows > 1 and number == 2:
                    raise pa.ArrowNotImplementedError("Nested data conversions not implemented for chunked arrays")
                yield batch

    with Overflowing(path) as opened:
        found = list(batches(path, opened, 2))
    assert [row for batch in found for row in batch.to_pylist()] == whole.to_pylist()
    assert asked == [2, 1]


@given(st.lists(st.integers(0, 20), max_size=30), st.integers(1, 40), st.sets(st.integers(1, 29)))
def test_rows_are_cut_as_late_as_the_bound_allows(sizes: list[int], most: int, at: set[int]):
    bounds = sorted(bound for bound in at if bound < len(sizes))
    expected: list[list[int]] = []
    for place, size in enumerate(sizes):
        if not expected or place in bounds or sum(sizes[own] for own in expected[-1]) + size > most:
            expected.append([])
        expected[-1].append(place)
    cuts = write._cut(np.array(sizes, np.int64), most, bounds)
    assert [[*range(len(sizes))[cut]] for cut in cuts] == expected


def chats(count: int) -> list[dict[str, Any]]:
    return [
        {"messages": [{"role": "user", "content": row["prompt"]}, {"role": "assistant", "content": row["response"]}]}
        for row in varied(count)
    ]


def mixed(yard: Yard) -> Any:
    yard.jsonl("a.jsonl", chats(200))
    yard.jsonl("b.jsonl", chats(40))
    return yard.recipe(
        sources={"a": {"jsonl": "a.jsonl"}, "b": {"jsonl": "b.jsonl"}},
        stages=[
            {"exact_dedup": {"max_removed": 1}},
            {"weighted_mix": {"by": "source", "weights": {"a": 1, "b": 1}, "rows": 300, "max_repeat": 9}},
        ],
        output={"shard_rows": 150},
    )


def test_bounds_of_spilled_batches_change_no_byte(yard: Yard, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    built = yard.build(mixed(yard))
    monkeypatch.setattr(write, "SPILLED_BYTES", 1)
    again = Yard(tmp_path / "again")
    assert files_of(again.build(mixed(again)).mixture.folder, "data") == files_of(built.mixture.folder, "data")


def test_a_file_whose_texts_fit_one_array_is_written_as_one_table(yard: Yard, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(parquet, "ROW_GROUP_ROWS", 40)
    built = yard.build(mixed(yard))
    for path in built.mixture.data:
        copy = yard.root / path.name
        rows = pq.read_table(path, partitioning=None)
        index = rows.schema.get_field_index("messages")
        parquet.write(copy, rows.set_column(index, "messages", rows["messages"].cast(MESSAGES)))
        assert copy.read_bytes() == path.read_bytes()
        groups = pq.ParquetFile(path).metadata
        assert [groups.row_group(index).num_rows for index in range(groups.num_row_groups)] == [40, 40, 40, 30]


def test_a_file_whose_texts_do_not_fit_one_array_has_smaller_row_groups(
    yard: Yard, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    built = yard.build(mixed(yard))
    monkeypatch.setattr(write, "MAX_TEXT_BYTES", 500)
    monkeypatch.setattr(write, "ROW_GROUP_BYTES", 200)
    again = Yard(tmp_path / "again")
    large = again.build(mixed(again)).mixture
    for path, other in zip(large.data, built.mixture.data, strict=True):
        assert pq.read_table(path, partitioning=None).equals(pq.read_table(other, partitioning=None))
        assert pq.ParquetFile(path).metadata.num_row_groups > 20
    assert large.manifest["root"] == built.mixture.manifest["root"]
    assert tulu_data.load(large.folder, "arrow").num_rows == 300
