"""Killed, starved, refused or raced: the old version or the new one, whole, and the build goes on."""

from __future__ import annotations

import contextlib
import functools
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from conftest import Yard, files_of, varied
from tulu_data.mixture.mixture import find, versions

pytestmark = pytest.mark.slow

MAIN = [sys.executable, "-m", "tulu_data"]
KILLS = int(os.environ.get("TULU_DATA_TEST_KILLS", "12"))
MOMENTS = max(6, KILLS // 5)


def command(yard: Yard, recipe: Path, home: str = "home") -> list[str]:
    root = yard.root / home
    places = ["--out", root / "mixtures", "--manifests", root / "manifests", "--workspace", root / "workspace"]
    return [*MAIN, "build", str(recipe), *map(str, places)]


def run(words: list[str], **options: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(words, capture_output=True, text=True, check=False, timeout=120, **options)


@pytest.fixture
def job(yard: Yard) -> tuple[Yard, Path]:
    """A recipe of many files and output shards, so that there are many units to be killed between."""
    for number in range(12):
        yard.jsonl(f"data/{number}.jsonl", varied(150, number))
    recipe = yard.recipe(
        sources={"a": {"jsonl": "data/*.jsonl"}},
        stages=[{"length_filter": {"max_characters": 80}}, {"exact_dedup": {"max_removed": 1}}],
        output={"shard_rows": 100},
    )
    return yard, yard.write("recipe.yaml", recipe.to_yaml())


def golden_of(yard: Yard, recipe: Path) -> dict[str, str]:
    done = run(command(yard, recipe, "golden"))
    assert done.returncode == 0, done.stderr
    return files_of(find("mix", yard.root / "golden/mixtures").folder)


def finished_units(home: Path) -> dict[int, int]:
    """Every finished unit by the inode of its table, with its modification time: doing it again would change them.

    A table of the workspace is finished when its note is there, an output shard when its name is.
    """
    tables = [
        path for path in home.rglob("*.parquet") if path.with_suffix(".json").exists() or path.parent.name == "data"
    ]
    return {path.stat().st_ino: path.stat().st_mtime_ns for path in tables}


def test_killed_at_random_moments_it_goes_on_and_does_nothing_twice(job: tuple[Yard, Path]):
    yard, recipe = job
    start = time.perf_counter()
    golden = golden_of(yard, recipe)
    duration = time.perf_counter() - start
    draw = random.Random(42)
    home = yard.root / "home"
    interrupted = 0
    for kill in range(KILLS):
        shutil.rmtree(home, ignore_errors=True)
        # Half of the builds are killed a second time, while they recover.
        for _ in range(1 + kill % 2):
            process = subprocess.Popen(command(yard, recipe), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            time.sleep(draw.uniform(0.25, 1.05) * duration)
            process.send_signal(signal.SIGKILL)
            interrupted += process.wait() == -signal.SIGKILL
            for mixture in versions(home / "mixtures/mix"):
                assert files_of(mixture.folder) == golden, "a reader saw half a version"
        finished = finished_units(home)
        done = run(command(yard, recipe))
        assert done.returncode == 0, done.stderr
        assert files_of(find("mix", home / "mixtures").folder) == golden
        assert finished.items() <= finished_units(home).items(), "a finished unit was done again"
    assert interrupted > KILLS // 4


BUILD_BY_WORKERS = """
import sys
from pathlib import Path
from tulu_data.building.build import build
from tulu_data.executors.processes import Processes
from tulu_data.building.run import Folders
if __name__ == "__main__":
    recipe, home, workers = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
    with Processes(workers, inline_below=0) as executor:
        build(recipe, Folders(home / "mixtures", home / "manifests", home / "workspace"), shard_rows=50, executor=executor)
"""


def children_of(pid: int) -> list[int]:
    done = run(["ps", "-o", "pid=", "--ppid", str(pid)])
    return [int(child) for child in done.stdout.split()]


@pytest.mark.skipif(shutil.which("ps") is None, reason="ps is not installed (apt install procps)")
def test_killed_with_its_workers_without_them_or_only_one_of_them_it_goes_on(job: tuple[Yard, Path]):
    yard, recipe = job
    golden = golden_of(yard, recipe)
    script = yard.write("build_by_workers.py", BUILD_BY_WORKERS)
    draw = random.Random(7)
    home = yard.root / "home"
    start = time.perf_counter()
    run([sys.executable, str(script), str(recipe), str(home), "2"])
    seconds = time.perf_counter() - start
    ends: dict[str, list[int]] = {"parent": [], "worker": [], "group": []}
    for kill in range(KILLS):
        target = ("parent", "worker", "group")[kill % 3]
        words = [sys.executable, str(script), str(recipe), str(home), str(1 + kill // 3 % 3)]
        process = running(words, home, draw.uniform(0.2, 0.9) * seconds)
        workers = children_of(process.pid)
        if target == "group":
            os.killpg(process.pid, signal.SIGKILL)
        elif target == "parent" or not workers:
            process.kill()
        else:
            with contextlib.suppress(ProcessLookupError):
                os.kill(draw.choice(workers), signal.SIGKILL)
        ends[target].append(process.wait(timeout=120))
        wait_until(functools.partial(all_ended, workers))
        for mixture in versions(home / "mixtures/mix"):
            assert files_of(mixture.folder) == golden, "a reader saw half a version"
        done = run([sys.executable, str(script), str(recipe), str(home), str(1 + (kill + 1) % 3)])
        assert done.returncode == 0, done.stderr
        assert files_of(find("mix", home / "mixtures").folder) == golden
    assert -signal.SIGKILL in ends["parent"]
    assert -signal.SIGKILL in ends["group"]
    assert set(ends["worker"]) <= {0, -signal.SIGKILL}, "a build did not survive the death of one worker"


def running(words: list[str], home: Path, seconds: float) -> subprocess.Popen[bytes]:
    """A build that has run for so many seconds; for half of them, or a quarter, where it would have ended before."""
    while True:
        shutil.rmtree(home, ignore_errors=True)
        process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
        time.sleep(seconds)
        if process.poll() is None:
            return process
        seconds /= 2


def all_ended(pids: list[int]) -> bool:
    states = run(["ps", "-o", "stat=", "-p", ",".join(map(str, [0, *pids]))]).stdout.split()
    return all(state.startswith("Z") for state in states)


needs_strace = pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed (apt install strace)")


def traced(words: list[str], *options: str) -> subprocess.CompletedProcess[str]:
    return run(["strace", "-f", "-qq", "-o", "/dev/null", *options, *words])


@needs_strace
@pytest.mark.parametrize("call", ["rename", "fsync", "mkdir", "openat"])
def test_killed_at_a_system_call_it_goes_on(job: tuple[Yard, Path], call: str):
    yard, recipe = job
    golden = golden_of(yard, recipe)
    shutil.rmtree(yard.root / "golden")
    made = calls_of(command(yard, recipe), call, yard.root / "calls")
    # Most of what a build opens is Python's own, before it begins.
    first = made * 2 // 3 if call == "openat" else 1
    for number in (first + (made - first) * moment // MOMENTS for moment in range(MOMENTS)):
        shutil.rmtree(yard.root / "home", ignore_errors=True)
        traced(command(yard, recipe), "-e", f"inject={call}:signal=SIGKILL:when={number}")
        for mixture in versions(yard.root / "home/mixtures/mix"):
            assert files_of(mixture.folder) == golden
        done = run(command(yard, recipe))
        assert done.returncode == 0, done.stderr
        assert files_of(find("mix", yard.root / "home/mixtures").folder) == golden


def calls_of(words: list[str], call: str, file: Path) -> int:
    """How often a build makes a system call, where it is not disturbed."""
    done = run(["strace", "-f", "-qq", "-o", str(file), "-e", f"trace={call}", *words])
    assert done.returncode == 0, done.stderr
    made = file.read_text(errors="replace").count(f"{call}(")
    assert made > MOMENTS, "the call was hardly ever made"
    return made


@needs_strace
@pytest.mark.parametrize(
    ("call", "error"), [("fsync", "EIO"), ("write", "ENOSPC"), ("rename", "EROFS"), ("write", "EDQUOT")]
)
def test_a_disk_that_fails_is_exit_6_and_the_build_goes_on(job: tuple[Yard, Path], call: str, error: str):
    yard, recipe = job
    golden = golden_of(yard, recipe)
    for number in (1, 7, 40):
        shutil.rmtree(yard.root / "home", ignore_errors=True)
        failed = traced(command(yard, recipe), "-e", f"inject={call}:error={error}:when={number}")
        assert failed.returncode == 6, (number, failed.returncode, failed.stderr)
        assert "run the same command again: it goes on where it stopped" in failed.stderr
        assert not list(versions(yard.root / "home/mixtures/mix"))
        assert run(command(yard, recipe)).returncode == 0
        assert files_of(find("mix", yard.root / "home/mixtures").folder) == golden


def in_small_disk(script: str, *, size: str) -> subprocess.CompletedProcess[str]:
    """Run a shell script in a mount namespace of its own, with an empty disk of `size` at /mnt."""
    words = [
        "unshare",
        "--user",
        "--map-root-user",
        "--mount",
        "sh",
        "-c",
        f"mount -t tmpfs -o size={size} tmpfs /mnt && {script}",
    ]
    done = run(words)
    if "unshare failed" in done.stderr or "mount: " in done.stderr:
        pytest.skip(f"no mount namespace here: {done.stderr.strip()}")
    return done


def shell(words: list[str]) -> str:
    return " ".join(f"'{word}'" for word in words)


def test_a_full_disk_is_exit_6_and_the_old_version_stays(job: tuple[Yard, Path]):
    yard, recipe = job
    places = ["--out", "/mnt/mixtures", "--manifests", "/mnt/manifests", "--workspace", str(yard.root / "workspace")]
    first = shell([*MAIN, "build", str(recipe), *places])
    bigger = yard.write("bigger.yaml", recipe.read_text().replace("shard_rows: 100", "shard_rows: 101"))
    second = shell([*MAIN, "build", str(bigger), *places])
    script = (
        f"{first} && cd /mnt/mixtures/mix && cd $(cat LATEST) && head -c 1G /dev/zero > /mnt/filler; "
        f"{second}; echo exit $?; sha256sum --quiet -c SHA256SUMS && echo intact $(ls -d /mnt/mixtures/mix/[0-9a-f]* | wc -l); "
        f"rm /mnt/filler; {second}; echo exit $?"
    )
    done = in_small_disk(script, size="4m")
    assert re.findall(r"exit (\d+)", done.stdout) == ["6", "0"], done.stderr
    assert "intact 1" in done.stdout
    assert "no space left on device" in done.stderr
    assert re.search(r"/mnt/mixtures/.*: no space left on device \(0\.\d MB free there\)", done.stderr), done.stderr


def test_a_read_only_disk_is_exit_6_before_any_input_is_read(job: tuple[Yard, Path]):
    yard, _ = job
    missing = yard.write("missing.yaml", "name: mix\nsources: {a: {jsonl: /does/not/exist.jsonl}}\n")
    words = shell([*MAIN, "build", str(missing), "--out", "/mnt/mixtures", "--workspace", str(yard.root / "workspace")])
    done = in_small_disk(f"mount -o remount,ro /mnt && {words}", size="1m")
    assert done.returncode == 6, done.stderr
    assert "/mnt/mixtures: /mnt can't be written; choose another place or mount it writable" in done.stderr


@pytest.mark.skipif(shutil.which("prlimit") is None, reason="prlimit is not installed (util-linux)")
def test_a_short_write_is_exit_6(job: tuple[Yard, Path]):
    yard, recipe = job
    done = run(["prlimit", "--fsize=9000", *command(yard, recipe)])
    assert done.returncode == 6, done.stderr
    assert "file too large" in done.stderr
    assert not list(versions(yard.root / "home/mixtures/mix"))


def test_of_builds_at_once_one_wins_and_the_others_are_told_who(job: tuple[Yard, Path]):
    yard, recipe = job
    processes = [
        subprocess.Popen(command(yard, recipe), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(6)
    ]
    ends = [(process.communicate(timeout=120)[1], process.returncode) for process in processes]
    codes = sorted(code for _, code in ends)
    assert codes[0] == 0
    assert set(codes) <= {0, 5}
    for message, code in ends:
        assert code == 0 or re.search(
            r"another command is at work here: process \d+ on .*; wait until it has ended", message
        )
    assert len(list(versions(yard.root / "home/mixtures/mix"))) == 1


def test_a_lock_dies_with_its_process(job: tuple[Yard, Path]):
    yard, recipe = job
    folder = yard.root / "home/mixtures/mix"
    folder.mkdir(parents=True)
    holder = "import fcntl, sys, time; f = open(sys.argv[1], 'w'); fcntl.flock(f, fcntl.LOCK_EX); f.write('process 1 on elsewhere'); f.flush(); print(1, flush=True); time.sleep(60)"
    process = subprocess.Popen([sys.executable, "-c", holder, str(folder / ".lock")], stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()
    held = run(command(yard, recipe))
    process.kill()
    process.wait()
    process.stdout.close()
    assert held.returncode == 5
    assert "another command is at work here: process 1 on elsewhere" in held.stderr
    assert run(command(yard, recipe)).returncode == 0


@pytest.mark.parametrize(
    ("sent", "code", "word"), [(signal.SIGINT, 130, "stopped"), (signal.SIGTERM, 143, "terminated")]
)
def test_a_signal_stops_it_with_its_code_and_the_same_command_goes_on(
    job: tuple[Yard, Path], sent: signal.Signals, code: int, word: str
):
    yard, recipe = job
    store = yard.root / "home/workspace/store"
    process = subprocess.Popen(command(yard, recipe), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    # A shard is finished when its note is there.
    wait_until(lambda: any(store.rglob("*.json")))
    process.send_signal(sent)
    _, message = process.communicate(timeout=60)
    assert process.returncode == code
    assert f"error: {word}; what is finished is kept, and the same command resumes from there" in message
    assert "Traceback" not in message
    done = run(command(yard, recipe))
    assert done.returncode == 0
    assert find("mix", yard.root / "home/mixtures").run()["units"]["found"]["ingest"] >= 1


def wait_until(condition: Callable[[], bool], seconds: float = 30) -> None:
    end = time.perf_counter() + seconds
    while not condition():
        assert time.perf_counter() < end, "it never happened"
        time.sleep(0.002)


OPEN = re.compile(r'openat\([^,]+, "([^"]+)", ([A-Z_|]+).*= (\d+)$')
CALL = re.compile(r"(write|pwrite64|fsync|close|ftruncate)\((\d+)")
RENAME = re.compile(r'rename\("([^"]+)", "([^"]+)"\)\s+= 0')


@needs_strace
def test_whatever_a_reader_can_see_was_synced_before_it_was_named(job: tuple[Yard, Path], tmp_path: Path):
    """No power loss is needed to see that none could lose a byte: the order of system calls says so.

    What a power loss takes of the workspace is noticed, and made again.
    """
    yard, recipe = job
    outputs = (str(yard.root / "home/mixtures"), str(yard.root / "home/manifests"))
    log = tmp_path / "calls"
    calls = "trace=openat,write,pwrite64,fsync,ftruncate,rename,close"
    done = run(["strace", "-f", "-qq", "-s", "0", "-o", str(log), "-e", calls, *command(yard, recipe)])
    assert done.returncode == 0, done.stderr
    paths: dict[str, str] = {}
    dirty: set[str] = set()
    unsynced_folders: set[str] = set()
    renamed = 0
    for line in log.read_text(errors="replace").splitlines():
        if opened := OPEN.search(line):
            paths[opened[3]] = opened[1]
        elif rename := RENAME.search(line):
            source, target = rename[1], rename[2]
            if not target.startswith(outputs):
                continue
            assert source not in dirty, f"{target} was named before its bytes were synced"
            unsynced_folders.add(str(Path(target).parent))
            renamed += 1
        elif call := CALL.search(line):
            name, path = call[1], paths.get(call[2], "")
            if name == "fsync":
                dirty.discard(path)
                unsynced_folders.discard(path)
            elif name != "close" and str(yard.root) in path:
                dirty.add(path)
    assert renamed > 20
    assert not unsynced_folders
    named = {str(path) for place in outputs for path in Path(place).rglob("*") if path.name != ".lock"}
    assert not dirty & named
