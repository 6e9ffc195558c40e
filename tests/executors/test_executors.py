"""Workers change nothing but the time: same results, same errors, and nobody is left behind."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from conftest import Yard, files_of, pairs, varied
from tulu_data.building import ingest
from tulu_data.building.build import build
from tulu_data.building.run import Folders
from tulu_data.errors import InputError, InvariantError, RecordError, ResourceError, UsageError
from tulu_data.executors import Executor, Tick, registry
from tulu_data.executors.inline import Inline
from tulu_data.executors.processes import Processes
from tulu_data.mixture.explain import Explainer
from tulu_data.readers import stream
from tulu_data.sources.jsonl import Jsonl
from tulu_data.sources.parquet import Parquet

pytestmark = pytest.mark.slow


class Number(int):
    """A unit of work: a number."""

    rows = 1


class Place(str):
    """A unit of work: a file that says how often it was tried."""

    __slots__ = ()
    rows = 1


def double(unit: Number, tick: Tick) -> int:
    time.sleep(0.02 * (unit % 3))
    tick(1)
    return unit * 2


def fail(unit: Number, tick: Tick) -> int:
    if unit == 2:
        raise InputError(f"unit {unit} is bad")
    return unit


def fail_oddly(unit: Number, tick: Tick) -> int:
    raise RecordError("code", "an error that can't be pickled")


def die_once(unit: Place, tick: Tick) -> int:
    path = Path(unit)
    tries = len(path.read_text()) if path.exists() else 0
    path.write_text("x" * (tries + 1))
    if tries == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    return tries


def die(unit: Number, tick: Tick) -> int:
    os.kill(os.getpid(), signal.SIGKILL)
    return 0


@pytest.fixture(scope="module")
def crew() -> Any:
    with Processes(2, inline_below=0) as processes:
        yield processes


@pytest.fixture(scope="module", params=registry.NAMES)
def executor(request: pytest.FixtureRequest) -> Any:
    """Each executor that has a name, with workers also for little work where it has any."""
    with registry.open(request.param, workers=2) as opened:
        if isinstance(opened, Processes):
            opened.inline_below = 0
        yield opened


def test_results_come_in_order_and_work_is_told(executor: Executor):
    ticks: list[int] = []
    units = [Number(number) for number in range(9)]
    assert list(executor.run(double, units, ticks.append)) == [unit * 2 for unit in units]
    assert sum(ticks) == 9
    assert list(executor.run(double, [], ticks.append)) == []


def test_the_error_of_a_unit_is_the_error_of_the_run(executor: Executor):
    with pytest.raises(InputError, match="unit 2 is bad"):
        list(executor.run(fail, [Number(number) for number in range(9)], print))


def test_an_executor_is_opened_by_its_name_with_as_many_workers_as_cores_by_default():
    with registry.open("processes", 3) as three, registry.open() as default, registry.open("inline", 3) as inline:
        assert (three.workers, default.workers, inline.workers) == (3, registry.cores(), 1)
        assert isinstance(default, Processes)
    with pytest.raises(UsageError, match="no executor 'proceses'; did you mean 'processes'"):
        registry.open("proceses")


def test_an_error_that_cannot_be_pickled_is_told_with_its_traceback(crew: Processes):
    with pytest.raises(InvariantError, match="an error that can't be pickled"):
        list(crew.run(fail_oddly, [Number(1), Number(2)], print))


def test_a_killed_worker_is_replaced_and_its_unit_tried_again(crew: Processes, tmp_path: Path):
    units = [Place(tmp_path / name) for name in "abc"]
    assert list(crew.run(die_once, units, print)) == [1, 1, 1]


def test_a_unit_that_kills_twice_is_exit_6_and_named(crew: Processes):
    with pytest.raises(
        ResourceError, match=r"a worker was killed by SIGKILL twice at one unit of work: [56]; mostly memory"
    ) as caught:
        list(crew.run(die, [Number(5), Number(6)], print))
    assert caught.value.exit_code == 6


def test_little_work_starts_no_worker():
    with Processes(2, inline_below=10) as processes:
        assert list(processes.run(double, [Number(1), Number(2)], lambda rows: None)) == [2, 4]
        assert not processes._crew.free


@pytest.fixture(scope="module")
def golden(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, dict[str, str]]:
    """A recipe with every kind of stage, and the bytes that it gives."""
    yard = Yard(tmp_path_factory.mktemp("golden"))
    yard.jsonl("data/a-1.jsonl", varied(260, 1))
    yard.jsonl("data/a-2.jsonl", [*varied(140, 2), b"\xff"])
    yard.jsonl("data/b.jsonl", varied(150, 1))
    recipe = yard.recipe(
        sources={
            "a": {"jsonl": "data/a-*.jsonl", "max_quarantined": 1},
            "b": {"jsonl": "data/b.jsonl", "domain": "chat"},
        },
        stages=[
            {"length_filter": {"max_characters": 60}},
            {"exact_dedup": {"on": "prompt", "max_removed": 1}},
            {"weighted_mix": {"weights": {"a": 1, "b": 1}, "rows": 90, "max_repeat": 9}},
        ],
        output={"shard_rows": 20, "splits": {"test": 5}},
    )
    return recipe, files_of(yard.build(recipe).mixture.folder)


@pytest.mark.parametrize("shard_rows", [50, 65_536])
@pytest.mark.parametrize("workers", [1, 2, 3])
def test_workers_and_shards_change_no_byte(golden: Any, tmp_path: Path, workers: int, shard_rows: int):
    recipe, expected = golden
    places = Folders(tmp_path / "mixtures", tmp_path / "manifests", tmp_path / "workspace")
    with Processes(workers, inline_below=0) as executor:
        built = build(recipe, places, executor=executor, shard_rows=shard_rows)
    assert files_of(built.mixture.folder) == expected


def test_errors_in_workers_are_those_of_one_process(tmp_path: Path):
    yard = Yard(tmp_path)
    for name in "ab":
        yard.jsonl(f"{name}.jsonl", [*pairs(3), b"\xff"])
    yard.jsonl("c.jsonl", pairs(2))
    recipe = yard.recipe(sources={"a": {"jsonl": "*.jsonl"}})
    messages = []
    for executor in (Inline(), Processes(2, inline_below=0)):
        with pytest.raises(InputError) as caught:
            yard.build(recipe, executor=executor)
        messages.append(str(caught.value))
    assert messages[0] == messages[1]
    assert messages[0].startswith("sources.a: 2 records can't become rows")


SCRIPT = """
import sys, time
from pathlib import Path
sys.path[:0] = {tests!r}
from test_executors import Number, linger
from tulu_data.executors.processes import Processes
if __name__ == "__main__":
    with Processes(2, inline_below=0) as crew:
        print(list(crew.run(linger, [Number(60), Number(60)], lambda rows: print("up", flush=True))))
"""


def linger(unit: Number, tick: Tick) -> int:
    tick(1)
    time.sleep(unit)
    return 0


def children(parent: int) -> list[int]:
    listed = subprocess.run(
        ["ps", "-o", "pid=", "--ppid", str(parent)], capture_output=True, text=True, check=False
    ).stdout
    return [int(pid) for pid in listed.split()]


def is_running(pid: int) -> bool:
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False).stdout
    return bool(state.strip()) and not state.startswith("Z")


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_no_worker_outlives_a_parent_that_is_stopped(tmp_path: Path, sent: signal.Signals):
    script = tmp_path / "script.py"
    script.write_text(SCRIPT.format(tests=[str(Path(__file__).parent), str(Path(__file__).parents[1])]))
    parent = subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    assert parent.stdout is not None
    assert [parent.stdout.readline() for _ in range(2)] == [b"up\n"] * 2
    workers = children(parent.pid)
    assert len(workers) >= 2
    parent.send_signal(sent)
    parent.wait(timeout=20)
    parent.stdout.close()
    end = time.perf_counter() + 10
    while any(map(is_running, workers)) and time.perf_counter() < end:
        time.sleep(0.05)
    assert not any(map(is_running, workers))


# Blank lines are no records, and one that begins with a bracket is no array but where the file begins with it.
LINES = [
    b"",
    *(json.dumps(row, ensure_ascii=False).encode() for row in varied(300, 3)),
    b" \t\x0b",
    b'["a", "list"]',
    b"\xff",
    b'{"prompt": "q", "response": "%s"}\r' % (b"x" * 9000),
    b"",
    *(json.dumps(row, ensure_ascii=False).encode() for row in pairs(70)),
]


@pytest.fixture
def large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Yard:
    """One file that several workers share."""
    monkeypatch.setattr(ingest, "LARGE_BYTES", 0)
    yard = Yard(tmp_path)
    yard.write("data/a.jsonl", b"\xef\xbb\xbf" + b"\n".join(LINES))
    return yard


@pytest.mark.parametrize("records", [1, 7, 50, 186, 374, 400])
@pytest.mark.parametrize("end", [b"", b"\n", b"\n\n  \n"])
def test_the_parts_of_a_file_hold_its_records(large: Yard, records: int, end: bytes):
    path = large.write("data/b.jsonl", (large.root / "data/a.jsonl").read_bytes() + end)
    source = Jsonl(jsonl=str(path))
    with source.read(path) as reading:
        whole = list(reading.records)
    cut = source.cut(path, records)
    assert cut is not None
    assert cut.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    found = []
    for part in cut.parts:
        with source.read_part(path, part) as reading:
            found.append(list(reading.records))
            assert reading.sha256() == part.sha256
    assert [len(part) for part in found[:-1]] == [records] * (len(found) - 1)
    assert [(record.row, record.offset, record.value) for part in found for record in part] == [
        (record.row, record.offset, record.value) for record in whole
    ]


@pytest.mark.parametrize("records", [1, 7, 50, 99, 100, 101, 400])
@pytest.mark.parametrize("group", [1, 40, 100])
def test_the_parts_of_a_table_hold_its_records(tmp_path: Path, records: int, group: int):
    path = tmp_path / "a.parquet"
    pq.write_table(
        pa.table({"prompt": [str(row) for row in range(100)], "other": range(100)}), path, row_group_size=group
    )
    source = Parquet(parquet=str(path))
    cut = source.cut(path, records)
    if group > 2 * records:
        assert cut is None
        return
    assert cut is not None
    assert cut.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    found = []
    for part in cut.parts:
        with source.read_part(path, part, ("prompt",)) as reading:
            found.append([(record.row, record.value) for record in reading.records])
            assert reading.sha256() == part.sha256
            assert part.records == len(found[-1])
    assert [len(part) for part in found[:-1]] == [records] * (len(found) - 1)
    assert [record for part in found for record in part] == [(row + 1, {"prompt": str(row)}) for row in range(100)]


@pytest.mark.parametrize("place", ["page", "footer"])
def test_a_part_of_a_table_is_known_by_its_bytes_and_the_footer(tmp_path: Path, place: str):
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"prompt": [str(row) for row in range(100)]}), path, row_group_size=10)
    source = Parquet(parquet=str(path))
    cut = source.cut(path, 20)
    assert cut is not None
    part = cut.parts[2]
    content = bytearray(path.read_bytes())
    content[{"page": part.start + 3, "footer": content.rindex(b"ARROW:schema")}[place]] ^= 1
    with source.read_part(path, part) as reading:
        assert reading.sha256() == part.sha256
        path.write_bytes(content)
        assert reading.sha256() != part.sha256


def test_a_damaged_table_is_cut_or_refused(tmp_path: Path):
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"prompt": [str(row) for row in range(100)]}), path, row_group_size=10)
    whole = path.read_bytes()
    source = Parquet(parquet=str(path))
    footer = len(whole) - 8 - int.from_bytes(whole[-8:-4], "little")
    draw = random.Random(5)
    refused = 0
    for _ in range(400):
        content = bytearray(whole)
        for _ in range(draw.randint(1, 3)):
            content[draw.randrange(footer, len(content))] = draw.randrange(256)
        path.write_bytes(content)
        try:
            cut = source.cut(path, 20)
            for part in cut.parts if cut else ():
                with source.read_part(path, part) as reading:
                    assert len(list(reading.records)) <= part.records
        except InputError as error:
            assert str(error).startswith(f"{path}: ")
            refused += 1
    assert 50 < refused < 400


def test_workers_that_share_a_table_change_no_byte(large: Yard, crew: Processes):
    rows = [*varied(400, 1), {"prompt": None, "response": "bad"}, *varied(400, 2)]
    messages = [
        [{"role": "user", "content": row["prompt"]}, {"role": "assistant", "content": row["response"]}] for row in rows
    ]
    pq.write_table(pa.table({"messages": messages}), large.root / "data/a.parquet", row_group_size=60)
    recipe = large.recipe(
        sources={"a": {"parquet": "data/a.parquet", "max_quarantined": 1}},
        stages=[{"exact_dedup": {"max_removed": 1}}],
    )
    other = Folders(large.root / "other", large.root / "other-manifests", large.root / "other-workspace")
    expected = files_of(build(recipe, other, shard_rows=50).mixture.folder)
    built = large.build(recipe, executor=crew, shard_rows=50)
    assert files_of(built.mixture.folder) == expected
    assert built.mixture.run()["units"]["done"]["ingest"] == 17
    assert files_of(large.places.workspace / "store") == files_of(other.workspace / "store")


def test_a_part_far_inside_a_file_is_no_bomb(large: Yard, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(stream, "RATIO_FLOOR_BYTES", 0)
    monkeypatch.setattr(stream, "MAX_RATIO", 2)
    path = large.root / "data/a.jsonl"
    source = Jsonl(jsonl=str(path))
    cut = source.cut(path, 1)
    assert cut is not None
    with source.read_part(path, cut.parts[-1]) as reading:
        assert len(list(reading.records)) == 1


@pytest.mark.parametrize(
    "content", [b'[{"a": 1}]', gzip.compress(b'{"a": 1}\n', mtime=0), b""], ids=["array", "gzip", "empty"]
)
def test_arrays_and_compressed_files_are_not_cut(tmp_path: Path, content: bytes):
    path = Yard(tmp_path).write("a.jsonl", content)
    cut = Jsonl(jsonl=str(path)).cut(path, 1)
    assert cut is None or cut.parts == ()


def test_workers_that_share_a_file_change_no_byte_and_repeat_nothing(large: Yard, crew: Processes):
    recipe = large.recipe(
        sources={"a": {"jsonl": "data/a.jsonl", "max_quarantined": 2, "format": "prompt_response"}},
        stages=["exact_dedup"],
    )
    other = Folders(large.root / "other", large.root / "other-manifests", large.root / "other-workspace")
    expected = files_of(build(recipe, other, shard_rows=50).mixture.folder)
    built = large.build(recipe, executor=crew, shard_rows=50)
    assert files_of(built.mixture.folder) == expected
    assert built.mixture.run()["units"]["done"]["ingest"] == 8
    store = large.places.workspace / "store"
    (end,) = store.rglob("shards")
    end.unlink()
    (end.parent / "00003.json").unlink()
    shutil.rmtree(large.places.out)
    again = large.build(recipe, executor=crew, shard_rows=50)
    assert files_of(again.mixture.folder) == expected
    assert again.mixture.run()["units"]["found"]["ingest"] == 7
    assert end.is_file()
    assert files_of(store) == files_of(other.workspace / "store")


def test_a_shared_file_that_changes_while_it_is_read(large: Yard, monkeypatch: pytest.MonkeyPatch):
    recipe = large.recipe(sources={"a": {"jsonl": "data/a.jsonl", "max_quarantined": 2, "format": "prompt_response"}})
    path = large.root / "data/a.jsonl"
    whole = path.read_bytes()
    message = f"sources.a: {path}: changed while it was read; run the command again"

    class Changing(Inline):
        """An executor that changes the file before one kind of work."""

        workers = 2

        def __init__(self, changes: Any) -> None:
            self.changes = changes

        def run(self, work: Any, units: Any, tick: Tick) -> Any:
            if work is self.changes:
                path.write_bytes(whole.replace(b"What is 1 + 1?", b"What is 1 + 2?"))
            return super().run(work, units, tick)

    for work in (ingest.cut_file, ingest.ingest_piece):
        path.write_bytes(whole)
        with pytest.raises(InputError) as caught:
            large.build(recipe, executor=Changing(work), shard_rows=50)
        assert str(caught.value) == message
    # What was read of it wrongly is not taken for read.
    path.write_bytes(whole)
    assert "What is 1 + 1?" in str(Explainer(large.build(recipe, shard_rows=50).mixture).by_text("What is 1 + 1?"))


@pytest.mark.parametrize("shard_rows", [50, 65_536])
def test_a_shared_file_that_is_all_wrong_is_told_as_any(large: Yard, crew: Processes, shard_rows: int):
    large.jsonl("data/a.jsonl", [*pairs(20), *[b"{"] * 1200])
    recipe = large.recipe(sources={"a": {"jsonl": "data/a.jsonl"}})
    told = []
    for executor in (Inline(), crew):
        with pytest.raises(InputError) as caught:
            large.build(recipe, executor=executor, shard_rows=shard_rows)
        told.append(str(caught.value))
    assert told[0] == told[1]
    assert ("1030 records" if shard_rows == 50 else "1200 records") in told[0].replace(",", "")
