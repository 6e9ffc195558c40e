"""However often a dictionary repeats a value, a batch stays small, and holds what the file says."""

from __future__ import annotations

import tracemalloc
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from conftest import Yard
from tulu_data.errors import InputError
from tulu_data.readers import parquet_batches
from tulu_data.readers.parquet_batches import ExpandsError, batches, refuse_bomb

PROMPT = "You are a helpful assistant. " * 40
ROWS = [
    {"id": str(row), "messages": [{"role": "system", "content": PROMPT}, {"role": "user", "content": f"{row}?"}]}
    for row in range(300)
]


def read(file: Path, rows: int = 100) -> list[pa.RecordBatch]:
    with pq.ParquetFile(file) as parquet:
        return list(batches(file, parquet, rows, parquet.schema_arrow.names))


def of(column: Any, file: Path, **options: Any) -> Path:
    pq.write_table(pa.table({"prompt": column}), file, compression="zstd", **options)
    return file


@pytest.mark.parametrize("piece", [1 << 26, 20_000, 1])
@pytest.mark.parametrize("group", [50, 1_000])
def test_a_prompt_that_all_rows_share_is_read_in_pieces_that_are_small(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, piece: int, group: int
):
    monkeypatch.setattr(parquet_batches, "MAX_DECODED_BYTES", piece)
    monkeypatch.setattr(parquet_batches, "BATCH_BYTES", piece)
    pq.write_table(pa.Table.from_pylist(ROWS), tmp_path / "a.parquet", row_group_size=group)
    found = read(tmp_path / "a.parquet")
    assert [row for batch in found for row in batch.to_pylist()] == ROWS
    assert all(batch.num_rows == 1 or batch.nbytes <= piece for batch in found)
    assert {str(batch.schema.field("messages").type) for batch in found} == {
        "list<element: struct<role: string, content: string>>"
    }


def test_texts_come_plain_of_a_column_that_was_written_as_a_dictionary(tmp_path: Path):
    column = pa.array(["a", None, "b", "a"]).dictionary_encode()
    (batch,) = read(of(column, tmp_path / "a.parquet"))
    assert batch.schema.field("prompt").type == pa.string()
    assert batch.column("prompt").to_pylist() == ["a", None, "b", "a"]


REPEATED = pa.DictionaryArray.from_arrays(pa.array([0] * 20_000, pa.int32()), pa.array(["a " * 500_000]))


@pytest.mark.parametrize(
    "column",
    [
        REPEATED,
        pa.array([None, *["a " * 50_000] * 999]),
        pa.array([[{"role": "user", "content": "a " * 50_000}] * 10] * 100),
        pa.array([[7] * 1_000_000] * 20),
    ],
    ids=["dictionary", "text", "lists", "numbers"],
)
def test_a_bomb_is_told_before_it_goes_off(tmp_path: Path, column: Any):
    file = of(column, tmp_path / "bomb.parquet")
    tracemalloc.start()
    before = pa.total_allocated_bytes()
    with pytest.raises(ExpandsError, match="expands more than 1,000 times") as caught:
        read(file, 1_024)
    assert caught.value.size > 64 << 20
    with pytest.raises(ExpandsError):
        refuse_bomb(file, pq.read_metadata(file))
    # Written out it has 20 GB; what is decoded at a time is held by the error.
    assert pa.total_allocated_bytes() - before < 600 << 20
    assert tracemalloc.get_traced_memory()[1] < 64 << 20
    tracemalloc.stop()


def test_a_bomb_among_the_sources_is_told_with_its_numbers(yard: Yard):
    file = of(REPEATED, yard.root / "bomb.parquet")
    source = {"parquet": "bomb.parquet", "format": {"prompt": "prompt", "response": "prompt"}}
    with pytest.raises(InputError, match=r"sources\.a: .*bomb\.parquet: expands more than 1,000 times") as caught:
        yard.mix(sources={"a": source})
    assert f"({file.stat().st_size:,} bytes give " in str(caught.value)


def test_no_changed_bit_of_a_footer_ends_the_process(tmp_path: Path):
    path, said = tmp_path / "rows.parquet", set()
    pq.write_table(pa.table({"number": pa.array([1, None]), "text": ["a", "b"]}), path)
    given = path.read_bytes()
    for at in range(len(given) - 8 - int.from_bytes(given[-8:-4], "little"), len(given) - 8):
        for bit in range(8):
            path.write_bytes(given[:at] + bytes([given[at] ^ 1 << bit]) + given[at + 1 :])
            try:
                metadata = pq.read_metadata(path)
            except (pa.ArrowException, OSError, ValueError):
                continue
            try:
                parquet_batches.refuse_declared(path, metadata)
            except (OSError, ExpandsError) as error:
                said.add(str(error))
    assert any("histogram" in words for words in said)
