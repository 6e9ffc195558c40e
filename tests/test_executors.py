"""Workers change nothing but the time: same results, same errors, and nobody is left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from conftest import Yard, files_of, pairs, varied
from tulu_data.build import build
from tulu_data.errors import InputError, InvariantError, RecordError, ResourceError
from tulu_data.executors import Executor, Tick
from tulu_data.executors.inline import Inline
from tulu_data.executors.processes import Processes
from tulu_data.run import Places


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


@pytest.mark.parametrize("kind", ["inline", "processes"])
def test_results_come_in_order_and_work_is_told(crew: Processes, kind: str):
    executor: Executor = Inline() if kind == "inline" else crew
    ticks: list[int] = []
    units = [Number(number) for number in range(9)]
    assert list(executor.run(double, units, ticks.append)) == [unit * 2 for unit in units]
    assert sum(ticks) == 9
    assert list(executor.run(double, [], ticks.append)) == []


@pytest.mark.parametrize("executor", [Inline(), Processes(2, inline_below=0)])
def test_the_error_of_a_unit_is_the_error_of_the_run(executor: Executor):
    with pytest.raises(InputError, match="unit 2 is bad"):
        list(executor.run(fail, [Number(number) for number in range(9)], print))


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
    places = Places(tmp_path / "mixtures", tmp_path / "manifests", tmp_path / "workspace")
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
sys.path.insert(0, {tests!r})
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
    script.write_text(SCRIPT.format(tests=str(Path(__file__).parent)))
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
