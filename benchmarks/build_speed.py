"""How long a whole build takes, beside bare pyarrow reading and writing the same rows.

    python benchmarks/build_speed.py --rows 1_000_000 --folder bench

Rows are two messages of random words, about 1.5 kB. Measured in one run: pyarrow reads a
Parquet file of the rows and writes it as we write it; the first build from JSON Lines
(length filter and exact dedup); the same recipe with another threshold. Memory is the peak
of the proportional set sizes of the whole process tree, on Linux.
"""

from __future__ import annotations

import argparse
import itertools
import json
import multiprocessing
import os
import random
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from tulu_data import table

FILES = 8


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


def measured(words: list[str]) -> tuple[float, int]:
    """Seconds and peak memory of a command."""
    start = time.perf_counter()
    peak = 0
    with subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        while process.poll() is None:
            peak = max(peak, tree_memory(process.pid))
            time.sleep(0.1)
        if process.returncode:
            raise SystemExit(f"{' '.join(words)}: exit {process.returncode}")
    return time.perf_counter() - start, peak


def bare(source: Path, target: Path) -> None:
    """Read a Parquet file and write it as a mixture is written."""
    rows = pq.read_table(source)
    with table.writer(target, rows.schema) as writer:
        writer.write_table(rows, row_group_size=table.ROW_GROUP_ROWS)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--folder", type=Path, default=Path("bench"))
    parser.add_argument("--workers", type=int, default=os.cpu_count())
    arguments = parser.parse_args()
    if arguments.folder.exists():
        shutil.rmtree(arguments.folder)
    arguments.folder.mkdir(parents=True)
    folder = arguments.folder.resolve()
    paths = [folder / f"part-{number}.jsonl" for number in range(FILES)]
    with multiprocessing.Pool() as pool:
        pool.map(generate, [(path, number, arguments.rows // FILES) for number, path in enumerate(paths)])
    size = sum(path.stat().st_size for path in paths)
    records = (json.loads(line) for path in paths for line in path.open())
    schema = pa.schema([("messages", pa.list_(pa.struct([("role", pa.string()), ("content", pa.string())])))])
    with pq.ParquetWriter(folder / "rows.parquet", schema, compression="zstd") as writer:
        while batch := list(itertools.islice(records, 20_000)):
            writer.write_table(pa.Table.from_pylist(batch, schema=schema))

    # Run as the others are: in a process of its own.
    source, target = folder / "rows.parquet", folder / "written.parquet"
    script = f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r}); from build_speed import bare, Path; "
    script += f"bare(Path({str(source)!r}), Path({str(target)!r}))"
    places = [f"--{place}={folder / place}" for place in ("out", "manifests", "workspace")]
    recipe = folder / "recipe.yaml"
    build = [sys.executable, "-m", "tulu_data", "build", str(recipe), *places, f"--workers={arguments.workers}"]
    stages = "stages: [{{length_filter: {{max_characters: {}}}}}, exact_dedup]\n"
    head = f"name: bench\nsources: {{rows: {{jsonl: '{folder}/part-*.jsonl'}}}}\n"

    results = {"pyarrow, read and write": measured([sys.executable, "-c", script])}
    recipe.write_text(head + stages.format(5000))
    results["first build"] = measured(build)
    recipe.write_text(head + stages.format(4000))
    results["another threshold"] = measured(build)
    reference = results["pyarrow, read and write"][0]
    first = results["first build"][0]
    print(f"{arguments.rows:,} rows, {size / 1e6:,.0f} MB of JSON Lines, {arguments.workers} workers")
    print(f"{'':<26}{'seconds':>9}{'rows/s':>11}{'÷ pyarrow':>11}{'÷ first':>9}{'peak MB':>9}")
    for name, (seconds, peak) in results.items():
        ratios = f"{seconds / reference:>11.2f}{seconds / first:>9.2f}"
        print(f"{name:<26}{seconds:>9.1f}{arguments.rows / seconds:>11,.0f}{ratios}{peak / 1e6:>9,.0f}")


if __name__ == "__main__":
    main()
