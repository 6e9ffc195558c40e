"""How long `decontaminate` takes on a large file with many evaluation sets, compared with other tools.

    TULU_DATA_SHARED=../shared/data python benchmarks/decontamination_speed.py --folder bench \\
        --decon decon/bin/python --datatrove datatrove/bin/python

The file is made of the rows of recipes/examples/real_sft.yaml: once as they are, and then again and again
with one word in ten replaced by another of the rows. The sets are all that recipes/examples/evaluations
describes. Other tools get the same rows as one text each, in as many files as there are cores, since decon
splits work by file; and only as many of them as two trials say they can do in five minutes.
`peers.py` tells how to make their environments. Memory is as in build_speed.py.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import random
import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import peers
import polars as pl
from build_speed import Measured, measured

from tulu_data.building.build import build
from tulu_data.building.run import Folders
from tulu_data.evaluations import catalogue
from tulu_data.recipe.reading import load
from tulu_data.store.durable import sha256_file

RECIPES = Path(__file__).parents[1] / "recipes/examples"
LIMIT = 300
"""Seconds that another tool may take."""
FOUND = 4
_WORD = re.compile(r"\w+")

Messages = list[dict[str, str]]


def real_rows(folder: Path) -> list[Messages]:
    """The rows of the example's sources, read as a build reads them."""
    recipe = load(RECIPES / "real_sft.yaml").model_copy(update={"stages": (), "splits": None})
    built = build(recipe, Folders(folder / "out", folder / "manifests", folder / "workspace"))
    messages = pl.concat([pl.read_parquet(path, columns=["messages"]) for path in built.mixture.data])["messages"]
    rows = [[{"role": one["role"], "content": one["content"]} for one in row] for row in messages.to_list()]
    random.Random(1).shuffle(rows)  # noqa: S311 (no secret)
    return rows


def many(rows: list[Messages]) -> Iterator[Messages]:
    """The rows as they are, and then endlessly with one word in ten replaced."""
    yield from rows
    words = [word for row in rows[:2000] for one in row for word in _WORD.findall(one["content"])]
    draw = random.Random(2)  # noqa: S311 (no secret)

    def other(found: re.Match[str]) -> str:
        return draw.choice(words) if draw.random() < 0.1 else found[0]

    for row in itertools.cycle(rows):
        yield [{**one, "content": _WORD.sub(other, one["content"])} for one in row]


def write(path: Path, rows: Iterator[Messages], size: int) -> list[str]:
    """Write rows as chats up to a size in bytes; each row as one text."""
    texts = []
    with path.open("w", encoding="utf-8") as file:
        while file.tell() < size:
            row = next(rows)
            file.write(json.dumps({"messages": row}, ensure_ascii=False) + "\n")
            texts.append("\n\n".join(one["content"] for one in row))
    return texts


def show(name: str, megabytes: float, took: Measured, rows: int, found: int) -> None:
    print(
        f"| {name} | {megabytes:,.0f} | {took.seconds:.1f} | {took.cores:.1f} | {megabytes / took.cores:.1f} "
        f"| {took.memory / 1e6:,.0f} | {rows:,} | {found:,} |",
        flush=True,
    )


def run_ours(folder: Path, chats: Path, rows: int) -> None:
    names = sorted(path.stem for path in (RECIPES / "evaluations").glob("*.yaml"))
    command = [sys.executable, "-m", "tulu_data", "decontaminate", str(chats), "--against", ",".join(names)]
    cores = os.cpu_count() or 1
    runs: list[tuple[str, str, list[str]]] = [
        (f"tulu-data, {cores} workers", "a", [f"--workers={cores}"]),
        ("the same with another threshold", "a", ["--threshold=0.6"]),
        ("the same, and a clean copy", "a", [f"--out={folder / 'clean'}"]),
        ("tulu-data, 1 worker", "b", ["--workers=1"]),
        (f"tulu-data, `--rule tulu3`, {cores} workers", "c", ["--rule=tulu3", f"--workers={cores}"]),
    ]
    out = folder / "found.json"
    for name, workspace, options in runs:
        place = folder / workspace
        with out.open("w", encoding="utf-8") as file:
            took = measured([*command, f"--workspace={place}", "--json", "--limit=0", *options], place, file, FOUND)
        values = json.loads(out.read_text(encoding="utf-8"))
        found = sum(one["contaminated"] for one in values["rows"].values())
        show(name, chats.stat().st_size / 1e6, took, rows, found)


def run_tool(tool: str, python: Path, folder: Path, texts: list[str]) -> None:
    """Run another tool on two small parts of the rows, and then on as many as it should do in time."""
    small, large = len(texts) // 200, len(texts) // 50
    _, _, first = _run(tool, python, folder, texts[:small])
    _, _, second = _run(tool, python, folder, texts[:large])
    each = max((second.seconds - first.seconds) / (large - small), 1e-6)
    count = min(len(texts), int((0.9 * LIMIT - first.seconds) / each))
    size, found, took = _run(tool, python, folder, texts[:count])
    show(peers.LABELS[tool], size, took, count, found)


def _run(tool: str, python: Path, folder: Path, texts: list[str]) -> tuple[float, int, Measured]:
    """Megabytes of the rows, how many were found, and what it took."""
    place, files = folder / tool, os.cpu_count() or 1
    for part in range(files):
        peers.write_rows(place / f"rows/{part}.jsonl", texts[part::files])
    peers.write_items(place, _items())
    size = sum(path.stat().st_size for path in (place / "rows").iterdir()) / 1e6
    took = measured(peers.command(tool, python, place), place / "none")
    found = {(hit["file"], hit["row"]) for hit in peers.read(place / "hits.jsonl")}
    shutil.rmtree(place)
    return size, len(found), took


def _items() -> Iterator[tuple[str, str, str]]:
    for path in sorted((RECIPES / "evaluations").glob("*.yaml")):
        for item in catalogue.find(path.stem).items.items(path.stem, Path(), sha256_file):
            for text in item.texts["question"]:
                yield path.stem, item.id, text


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--megabytes", type=int, default=500)
    parser.add_argument("--folder", type=Path, default=Path("bench"))
    for tool, label in peers.LABELS.items():
        parser.add_argument(f"--{tool}", type=Path, metavar="PYTHON", help=f"a Python that has {label}")
    arguments = parser.parse_args()
    os.environ[catalogue.LOCAL] = str(RECIPES / "evaluations")
    folder = arguments.folder.resolve()
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    chats = folder / "chats.jsonl"
    texts = write(chats, many(real_rows(folder / "real")), arguments.megabytes * 1_000_000)
    items = list(_items())
    print(f"{len(texts):,} rows, {len(items):,} texts of {len({name for name, *_ in items})} evaluation sets\n")
    print(
        "| | MB | seconds | cpu s | MB per cpu s | peak MB | rows | contaminated |\n|---|--:|--:|--:|--:|--:|--:|--:|"
    )
    run_ours(folder, chats, len(texts))
    for tool in peers.LABELS:
        python = getattr(arguments, tool)
        if python is None:
            print(f"--{tool} is not given: {peers.LABELS[tool]} is left out", file=sys.stderr)
        else:
            run_tool(tool, python, folder, texts)
    shutil.rmtree(folder)


if __name__ == "__main__":
    main()
