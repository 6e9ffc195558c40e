"""How long near-dedup takes, from Parquet to Parquet, compared with others, and how the time grows.

    python benchmarks/dedup_speed.py --peers peers --folder bench --rows 10_000 100_000 --cores 1 2
    python benchmarks/dedup_speed.py --folder bench --alone 100_000 1_000_000 3_000_000

Rows are words drawn by Zipf's law, 1.46 kB, 19 % of them with letters beyond ASCII; 10 %
are exact and 15 % edited copies. Each tool uses shingles of 5 words and 14 × 8 bands, and its
own Parquet input and output; ours verifies every pair. Commands run in turns, each `--turns`
times, and medians are divided by ours of the same run. `dedup_peers.py` tells how to install
the peers; one that takes over five minutes is left out of larger sizes.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import shutil
import signal
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from build_speed import Measured, measured

WORDS, VOCABULARY, SPAN = 206, 50_000, 20_000
EXACT, NEAR, BEYOND_ASCII = 0.10, 0.15, 0.19
PEERS = {"datasketch": "datasketch", "rensa": "datasketch", "text_dedup": "text-dedup", "datatrove": "datatrove"}
LIMIT = 300.0
FIRST, WARM = "first run", "store is there"
HEAD = """| rows | cores | | seconds | cpu s | ÷ first run | ÷ store is there | ÷ first run (cpu) | ÷ store is there (cpu) |
|--:|--:|---|--:|--:|--:|--:|--:|--:|"""
MESSAGES = pa.schema([("messages", pa.list_(pa.struct([("role", pa.string()), ("content", pa.string())])))])


def texts(rows: int, seed: int = 0) -> list[list[str]]:
    """The words of some rows; a copy is of one of the 20,000 rows before it, so that memory does not grow."""
    draw, numbers = random.Random(seed), np.random.default_rng(seed)  # noqa: S311 (no secret)
    letters = "etaoinshrdlucmfwypvbgkjqxz"
    vocabulary = ["".join(draw.choices(letters, range(26, 0, -1), k=draw.randint(2, 11))) for _ in range(VOCABULARY)]
    weights = np.cumsum(1 / np.arange(1, VOCABULARY + 1) ** 0.9)
    made: list[list[str]] = []
    drawn = np.searchsorted(weights, numbers.random((rows, WORDS)) * weights[-1])
    for number in range(rows):
        chance = draw.random()
        if made and chance < EXACT + NEAR:
            words = list(made[draw.randrange(max(0, number - SPAN), number)])
            for _ in range(0 if chance < EXACT else draw.choice([1, 2, 3, 5, 8])):
                words[draw.randrange(len(words))] = draw.choice(vocabulary)
        else:
            words = [vocabulary[index] for index in drawn[number]]
            if draw.random() < BEYOND_ASCII:
                words[draw.randrange(len(words))] += "é"
        made.append(words)
    return made


def generate(rows: int, folder: Path) -> None:
    """Write rows as conversations, for us, and as texts, for others."""
    schema = pa.schema([("id", pa.string()), ("text", pa.string())])
    with (
        pq.ParquetWriter(folder / f"messages-{rows}.parquet", MESSAGES, compression="zstd") as ours,
        pq.ParquetWriter(folder / f"texts-{rows}.parquet", schema, compression="zstd") as others,
    ):
        for start in range(0, rows, 100_000):
            made = texts(min(100_000, rows - start), start)
            parts = [(" ".join(words[:50]), " ".join(words[50:])) for words in made]
            messages = [
                [{"role": "user", "content": first}, {"role": "assistant", "content": second}]
                for first, second in parts
            ]
            ours.write_table(pa.table([pa.array(messages, MESSAGES.types[0])], MESSAGES), row_group_size=20_000)
            columns = [[str(start + number) for number in range(len(made))], [" ".join(words) for words in made]]
            others.write_table(pa.table([pa.array(column) for column in columns], schema), row_group_size=20_000)


def ours(rows: int, folder: Path, cores: int, *, warm: bool) -> list[str]:
    """The command of a build whose only stage is this one; `warm` keeps the store of another build."""
    place = folder / f"ours-{rows}"
    if not warm:
        shutil.rmtree(place, ignore_errors=True)
    else:
        for name in ("workspace/measures", "out", "manifests"):
            shutil.rmtree(place / name, ignore_errors=True)
    recipe = folder / f"recipe-{rows}.yaml"
    source = folder / f"messages-{rows}.parquet"
    recipe.write_text(f"name: bench\nsources: {{a: {{parquet: '{source}'}}}}\nstages: [minhash_dedup]\n")
    places = [f"--{name}={place / name}" for name in ("out", "manifests", "workspace")]
    return [sys.executable, "-m", "tulu_data", "build", str(recipe), f"--workers={cores}", *places]


class Spent(NamedTuple):
    """Seconds of a command by the clock, and of all cores; the latter vary less on a busy machine."""

    clock: float
    cores: float


def spent(words: list[str], cores: int) -> Spent | None:
    """The time of a command on this many cores; None if it is over the limit."""
    pinned = ["taskset", "-c", ",".join(map(str, sorted(os.sched_getaffinity(0))[:cores])), *words]
    start, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    with subprocess.Popen(pinned, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True) as process:
        try:
            _, error = process.communicate(timeout=LIMIT)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            return None
    if process.returncode:
        raise SystemExit(f"{' '.join(words)}: exit {process.returncode}\n{error.decode()[-2000:]}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Spent(time.perf_counter() - start, used)


def beside_others(rows: int, cores: int, turns: int, folder: Path, peers: Path, left: dict[str, str]) -> None:
    """Print the time of each, and the ratio to ours."""
    source = folder / f"texts-{rows}.parquet"
    script = str(Path(__file__).parent / "dedup_peers.py")
    runs: dict[str, list[Spent]] = {}
    for _ in range(turns):
        for name, warm in ((FIRST, False), (WARM, True)):
            took = spent(ours(rows, folder, cores, warm=warm), cores)
            assert took, f"over {LIMIT:.0f} seconds"
            runs.setdefault(name, []).append(took)
        for name, place in list(left.items()):
            words = [str(peers / place / "bin" / "python"), script, name, str(source), str(folder / f"{name}.parquet")]
            took = spent(words, cores)
            if took is None:
                print(f"| {rows:,} | {cores} | {name} | over {LIMIT:.0f} | | | | | |", flush=True)
                del left[name]
            else:
                runs.setdefault(name, []).append(took)
    medians = {name: Spent(*map(statistics.median, zip(*values, strict=True))) for name, values in runs.items()}
    first, warm_run = medians[FIRST], medians[WARM]
    for name, took in medians.items():
        ratios = (
            took.clock / first.clock,
            took.clock / warm_run.clock,
            took.cores / first.cores,
            took.cores / warm_run.cores,
        )
        shown = " | ".join(f"{ratio:.1f}" for ratio in ratios)
        print(f"| {rows:,} | {cores} | {name} | {took.clock:.1f} | {took.cores:.1f} | {shown} |", flush=True)


def alone(rows: int, cores: int, folder: Path) -> None:
    """Print seconds, phases and the peak of memory, of a first run and of one with the store there."""
    for name, warm in ((FIRST, False), (WARM, True)):
        took: Measured = measured(ours(rows, folder, cores, warm=warm), folder / f"ours-{rows}" / "workspace" / "spill")
        (record,) = (folder / f"ours-{rows}" / "out" / "bench" / ".runs").glob("*.json")
        phases = json.loads(record.read_text())["phases"]
        shown = " | ".join(f"{phases[phase]:.1f}" for phase in ("ingest", "scan", "decide", "write"))
        print(
            f"| {rows:,} | {name} | {took.seconds:.1f} | {took.cores:.1f} | {shown} | {took.memory / 2**20:,.0f} |",
            flush=True,
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, nargs="*", default=[])
    parser.add_argument("--alone", type=int, nargs="*", default=[])
    parser.add_argument("--cores", type=int, nargs="+", default=[2])
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--peers", type=Path, default=Path("peers"))
    parser.add_argument("--folder", type=Path, default=Path("bench"))
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    folder, peers = arguments.folder.resolve(), arguments.peers.resolve()
    for rows in sorted({*arguments.rows, *arguments.alone}):
        if not (folder / f"messages-{rows}.parquet").exists():
            generate(rows, folder)
    if arguments.rows:
        print(HEAD)
    for cores in arguments.cores:
        left = {name: place for name, place in PEERS.items() if (peers / place).is_dir()}
        for rows in arguments.rows:
            beside_others(rows, cores, arguments.turns, folder, peers, left)
    if arguments.alone:
        print(
            "\n| rows | | seconds | cpu s | ingest | scan | decide | write | peak MiB |\n|--:|---|--:|--:|--:|--:|--:|--:|--:|"
        )
    for rows in arguments.alone:
        alone(rows, max(arguments.cores), folder)


if __name__ == "__main__":
    main()
