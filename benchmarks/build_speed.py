"""How long a whole build takes, compared with plain pyarrow that reads and writes the same rows.

    python benchmarks/build_speed.py --rows 1_000_000 --workers 2 1 --memory 2GiB --folder bench

Rows are two messages of random words, about 1.5 kB, in two sources. Measured in one run:
pyarrow reads a Parquet file of the rows and writes it in our layout; the first build from
JSON Lines (length filter and exact dedup); the same recipe with another threshold, which
drops one row in a hundred; with a mix of 80 % of the rows; and with other weights of it.
Memory is the peak of the proportional set sizes of the whole process tree, on Linux.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import multiprocessing
import os
import random
import resource
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple, TextIO

import pyarrow as pa
import pyarrow.json
import pyarrow.parquet as pq

from tulu_data.mixture.mixture import Mixture
from tulu_data.store import parquet

FILES = 8
# About the 99th percentile of the lengths that are drawn.
THRESHOLD = 1_580
PHASES = ("survey", "ingest", "scan", "decide", "write")


def generate(job: tuple[Path, int, int]) -> None:
    """Write one file of rows, the same for the same number."""
    path, number, rows = job
    draw = random.Random(number)  # noqa: S311 (no secret)
    words = ["".join(draw.choices("abcdefghijklmnopqrstuvwxyz", k=draw.randint(2, 9))) for _ in range(20_000)]
    with path.open("w") as file:
        for _ in range(rows):
            texts = (" ".join(draw.choices(words, k=count)) for count in (60, 170))
            messages = [
                {"role": role, "content": text} for role, text in zip(("user", "assistant"), texts, strict=True)
            ]
            file.write(json.dumps({"messages": messages}) + "\n")


def tree_memory(pid: int) -> int:
    """Proportional set size of a process and its descendants, in bytes."""
    total = 0
    try:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            total += int(line.split()[1]) * 1024 if line.startswith("Pss:") else 0
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return total
    return total + sum(tree_memory(int(child)) for child in children)


class Measured(NamedTuple):
    """Seconds of a command by the clock and of all cores, its peak of memory and of spill files in bytes."""

    seconds: float
    cores: float
    memory: int
    spill: int


def measured(words: list[str], spill: Path, out: TextIO | None = None, exits: int = 0) -> Measured:
    """Run a command, which must exit with 0 or the given code, and measure it."""
    start, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    memory = spilled = 0
    with subprocess.Popen(words, stdout=out or subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        while process.poll() is None:
            memory = max(memory, tree_memory(process.pid))
            spilled = max(spilled, size_of(spill))
            time.sleep(0.3)
        if process.returncode not in (0, exits):
            raise SystemExit(f"{' '.join(words)}: exit {process.returncode}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cores = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Measured(time.perf_counter() - start, cores, memory, spilled)


def size_of(folder: Path) -> int:
    """Bytes of all files in a folder, in which other processes may work."""
    total = 0
    for path in folder.rglob("*"):
        with contextlib.suppress(OSError):
            total += path.stat().st_size if path.is_file() else 0
    return total


def bare(source: Path, target: Path) -> None:
    """Read a Parquet file and write it in the layout of a mixture."""
    rows = pq.read_table(source)
    with parquet.writer(target, rows.schema) as writer:
        writer.write_table(rows, row_group_size=parquet.ROW_GROUP_ROWS)


def as_parquet(paths: list[Path], target: Path) -> None:
    """The same rows as one Parquet file."""
    schema = pa.schema([("messages", pa.list_(pa.struct([("role", pa.string()), ("content", pa.string())])))])
    with pq.ParquetWriter(target, schema, compression="zstd") as writer:
        for path in paths:
            rows = pa.json.read_json(path, parse_options=pa.json.ParseOptions(explicit_schema=schema))
            writer.write_table(rows, row_group_size=parquet.ROW_GROUP_ROWS)


def recipe_of(folder: Path, characters: int, mix: str = "") -> str:
    """The recipe of one build."""
    sources = [f"{name}: {{jsonl: '{folder}/part-[{files}].jsonl'}}" for name, files in (("a", "0-3"), ("b", "4-7"))]
    stages = [f"length_filter: {{max_characters: {characters}}}", "exact_dedup", *filter(None, [mix])]
    return f"name: bench\nsources: {{{', '.join(sources)}}}\nstages: [{', '.join(stages)}]\n"


def builds(folder: Path, workers: int, rows: int, memory: str) -> None:
    """Measure all builds with this many workers, and print them."""
    places = [f"--{place}={folder / f'{place}-{workers}'}" for place in ("out", "manifests", "workspace")]
    recipe = folder / f"recipe-{workers}.yaml"
    command = [sys.executable, "-m", "tulu_data", "build", str(recipe), *places]
    command += [f"--workers={workers}", *([f"--memory={memory}"] if memory else [])]
    workspace, out = folder / f"workspace-{workers}", folder / f"out-{workers}"
    mix = f"weighted_mix: {{weights: {{a: {{}}, b: {{}}}}, rows: {rows * 8 // 10}}}"
    recipes = {
        "first build": recipe_of(folder, 5000),
        "another threshold": recipe_of(folder, THRESHOLD),
        "a mix added": recipe_of(folder, THRESHOLD, mix.replace("{}", "1")),
        "another weight": recipe_of(folder, THRESHOLD, mix.replace("{}", "3", 1).replace("{}", "2")),
    }
    first = None
    for name, text in recipes.items():
        recipe.write_text(text)
        took = measured(command, workspace / "spill")
        first = first or took
        version = out / "bench" / (out / "bench" / "LATEST").read_text().strip()
        run = Mixture(version).run()
        written = Mixture(version).manifest["rows"]
        phases = run["phases"]
        rest = took.seconds - sum(phases.values())
        shown = "".join(f"{phases[phase]:>8.1f}" for phase in PHASES)
        print(
            f"{f'{name}, {workers} workers':<32}{took.seconds:>8.1f}{rows / took.seconds:>10,.0f}"
            f"{took.seconds / first.seconds:>8.2f}{took.cores:>8.1f}{took.cores / first.cores:>8.2f}{shown}{rest:>8.1f}{took.memory / 1e6:>9,.0f}{took.spill / 1e6:>9,.0f}"
            f"{size_of(version) / 1e6:>9,.0f}{written:>12,}",
            flush=True,
        )
    print(f"{'workspace':<32}{size_of(workspace) / 1e6:,.0f} MB")
    shutil.rmtree(out)
    shutil.rmtree(workspace)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--folder", type=Path, default=Path("bench"))
    parser.add_argument("--workers", type=int, nargs="+", default=[os.cpu_count() or 1])
    parser.add_argument("--memory", default="")
    arguments = parser.parse_args()
    if arguments.folder.exists():
        shutil.rmtree(arguments.folder)
    arguments.folder.mkdir(parents=True)
    folder = arguments.folder.resolve()
    paths = [folder / f"part-{number}.jsonl" for number in range(FILES)]
    with multiprocessing.Pool() as pool:
        pool.map(generate, [(path, number, arguments.rows // FILES) for number, path in enumerate(paths)])
    rows = arguments.rows // FILES * FILES
    source, target = folder / "rows.parquet", folder / "written.parquet"
    as_parquet(paths, source)
    print(f"{rows:,} rows, {sum(path.stat().st_size for path in paths) / 1e6:,.0f} MB of JSON Lines")
    # Like the others, it runs in a process of its own.
    script = f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r}); from build_speed import bare, Path; "
    script += f"bare(Path({str(source)!r}), Path({str(target)!r}))"
    took = measured([sys.executable, "-c", script], folder / "none")
    heads = "".join(f"{phase:>8}" for phase in (*PHASES, "rest"))
    print(
        f"{'':<32}{'seconds':>8}{'rows/s':>10}{'÷ first':>8}{'cpu s':>8}{'÷ first':>8}{heads}{'peak MB':>9}{'spill':>9}{'out':>9}{'rows out':>12}"
    )
    print(
        f"{'pyarrow, read and write':<32}{took.seconds:>8.1f}{rows / took.seconds:>10,.0f}"
        f"{'':>8}{took.cores:>8.1f}{'':>{8 * (len(PHASES) + 2)}}"
        f"{took.memory / 1e6:>9,.0f}{'':>9}{target.stat().st_size / 1e6:>9,.0f}",
        flush=True,
    )
    source.unlink()
    target.unlink()
    for workers in arguments.workers:
        builds(folder, workers, rows, arguments.memory)


if __name__ == "__main__":
    main()
