"""How fast text is compared with evaluation items on one core: the scan alone.

    TULU_DATA_SHARED=../shared/data python benchmarks/scan_speed.py --datatrove datatrove/bin/python

English chat, Chinese, code and LaTeX, all real and in memory, against the n-grams of all
evaluation sets that recipes/examples/evaluations describes. It is compared with the Tülu 3
rule in plain Python, on a part of each; rounds are interleaved and the fastest of each counts, in
seconds of the thread. datatrove's filter, in its own Python (`peers.py` tells how to make it), is
timed by how much longer it takes for more rows. Then chat is compared with the same items split
into 1, 10 and 100 sets, on two threads, and the time of compiling is measured.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import random
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import peers
import pyarrow as pa

from tulu_data.evaluations import catalogue, ngram_index, ngram_index_build
from tulu_data.evaluations.item import Item
from tulu_data.evaluations.ngram_index import NgramIndex, Setting
from tulu_data.evaluations.rules import RULES
from tulu_data.kernels.ngrams import Work
from tulu_data.kernels.words import words
from tulu_data.store.durable import sha256_file

EVALUATIONS = Path(__file__).parents[1] / "recipes/examples/evaluations"
ROUNDS = 9
NAIVE_BYTES = 1_000_000
DATATROVE_ROWS = (500, 8_000)
COMPILE = """
import time, pyarrow as pa, numpy as np
from pathlib import Path
from tulu_data.evaluations import ngram_index, ngram_index_build, ngram_index_build
from tulu_data.evaluations.evaluation_set import Item
start = time.perf_counter()
item = Item("i", {"question": ("one two three four five six seven eight nine",), "passage": (), "choices": (), "answer": ()})
ngram_index_build.build(Path("index"), {"e": [item]}, ngram_index.Setting(8, "words", ("question",)))
index, work = ngram_index.open_index(Path("index"))
index.scan(pa.array(["x"]), np.array([0, 1]), work)
print(time.perf_counter() - start)
"""


def read(path: Path) -> list[dict[str, Any]]:
    text = path.read_text(encoding="utf-8")
    return json.loads(text) if path.suffix == ".json" else [json.loads(line) for line in text.splitlines()]


def texts_of(data: Path) -> dict[str, list[str]]:
    """Real text by kind: each message is one text."""
    train = data / "train"
    chats = [
        *read(train / "gpteacher/roleplay-simple-deduped-roleplay-instruct.json"),
        *read(train / "gpteacher/toolformer-similarity-0.6-dataset.json"),
        *read(train / "llamafactory_demo/alpaca_en_demo.json"),
        *read(train / "octopack_oasst/oasstcommitpackftmanual.jsonl"),
    ]
    fields = ("instruction", "input", "prompt", "response", "output", "completion")
    chinese = read(train / "llamafactory_demo/alpaca_zh_demo.json")
    latex = read(data / "evals/math500/test.jsonl")
    return {
        "English chat": [row[field] for row in chats for field in fields if row.get(field)],
        "Chinese": [row[field] for row in chinese for field in ("instruction", "output")],
        "code": [row["response"] for row in read(train / "gpteacher/codegen-instruct.json")],
        # Without its problems, which are evaluation items: weighing hits would be timed as well.
        "LaTeX": [row["solution"] for row in latex],
    }


def evaluation_sets() -> dict[str, list[Item]]:
    names = sorted(path.stem for path in EVALUATIONS.glob("*.yaml"))
    return {name: catalogue.find(name).items.items(name, Path(), sha256_file) for name in names}


class Scan(NamedTuple):
    """An open index, and the buffers of one thread."""

    index: NgramIndex
    work: Work
    noted_from: float
    seconds: float
    bytes: int

    @classmethod
    def of(cls, sets: Mapping[str, Sequence[Item]], rule: Mapping[str, Any], folder: Path) -> Scan:
        setting = Setting(
            rule["n"],
            rule["normaliser"],
            ("question",),
            3,
            rule.get("short_below", 0),
            rule.get("max_item_df"),
        )
        start = time.process_time()
        ngram_index_build.build(folder, sets, setting)
        seconds = time.process_time() - start
        index, work = ngram_index.open_index(folder)
        size = sum(path.stat().st_size for path in folder.iterdir()) + sum(array.nbytes for array in work)
        return cls(index, work, float(rule.get("noted_from", 0)), seconds, size)

    def run(self, texts: pa.StringArray) -> Any:
        offsets = np.arange(len(texts) + 1)
        return self.index.scan(texts, offsets, self.work, self.noted_from)


class Naive:
    """The Tülu 3 rule as its paper states it: more than half of an item's words in shared 8-grams."""

    def __init__(self, sets: Mapping[str, Sequence[Item]], n: int) -> None:
        self.n = n
        self.sizes: list[int] = []
        self.places: dict[tuple[str, ...], list[tuple[int, int]]] = defaultdict(list)
        for item in itertools.chain.from_iterable(sets.values()):
            for text in item.texts["question"]:
                found = self.split(text)
                for place, gram in self.grams(found):
                    self.places[gram].append((len(self.sizes), place))
                self.sizes.append(len(found))

    @staticmethod
    def split(text: str) -> list[str]:
        return re.findall(r"\w+", text.lower())

    def grams(self, found: list[str]) -> Iterator[tuple[int, tuple[str, ...]]]:
        return ((place, tuple(found[place : place + self.n])) for place in range(len(found) - self.n + 1))

    def run(self, texts: Sequence[str]) -> list[int]:
        contaminated = []
        for number, text in enumerate(texts):
            covered: dict[int, set[int]] = defaultdict(set)
            for gram in {gram for _, gram in self.grams(self.split(text))}:
                for item, place in self.places.get(gram, ()):
                    covered[item].update(range(place, place + self.n))
            if any(len(words) > self.sizes[item] / 2 for item, words in covered.items()):
                contaminated.append(number)
        return contaminated


def fastest(*engines: Callable[[], Any]) -> list[float]:
    """The least seconds of the thread for each, over interleaved rounds."""
    best = [float("inf")] * len(engines)
    for _ in range(ROUNDS):
        for place, engine in enumerate(engines):
            start = time.thread_time()
            engine()
            best[place] = min(best[place], time.thread_time() - start)
    return best


def megabytes(texts: Sequence[str]) -> float:
    return sum(len(text.encode()) for text in texts) / 1e6


def part_of(texts: Sequence[str]) -> list[str]:
    sizes = itertools.accumulate(len(text.encode()) for text in texts)
    return [text for text, size in zip(texts, sizes, strict=True) if size <= NAIVE_BYTES]


def by_kind(kinds: Mapping[str, list[str]], tulu3: Scan, ours: Scan, naive: Naive) -> None:
    print(
        "| | MB | words | scan, `tulu3` | scan, `tulu_data` | plain Python | ÷ plain Python |\n|---|--:|--:|--:|--:|--:|--:|"
    )
    for kind, texts in kinds.items():
        strings, few = pa.array(texts), part_of(texts)
        size = megabytes(texts)
        split, first, second, plain = fastest(
            lambda strings=strings: words(strings, "words"),
            lambda strings=strings: tulu3.run(strings),
            lambda strings=strings: ours.run(strings),
            lambda few=few: naive.run(few),
        )
        slow = megabytes(few) / plain
        rates = " | ".join(f"{size / seconds:.0f}" for seconds in (split, first, second))
        print(f"| {kind} | {size:.1f} | {rates} | {slow:.1f} | {size / first / slow:.0f} |", flush=True)


def by_sets(chat: list[str], items: Sequence[Item], rule: Mapping[str, Any], folder: Path) -> None:
    print("\n| evaluation sets | items | n-grams | index, cpu s | MB | scan, MB/s |\n|--:|--:|--:|--:|--:|--:|")
    shuffled = list(items)
    random.Random(1).shuffle(shuffled)  # noqa: S311 (no secret)
    size, strings = len(shuffled) // 100, pa.array(chat)
    made: list[tuple[int, int, Scan]] = []
    for count in (1, 10, 100):
        sets = {f"e{number}": shuffled[number * size : (number + 1) * size] for number in range(count)}
        # Items of different sets may have the same id, which is an error within a set.
        numbered = {
            name: [item._replace(id=str(place)) for place, item in enumerate(own)] for name, own in sets.items()
        }
        made.append((count, size * count, Scan.of(numbered, rule, folder / f"sets{count}")))
    rates = fastest(*(lambda scan=scan: scan.run(strings) for _, _, scan in made))
    for (count, number, scan), seconds in zip(made, rates, strict=True):
        grams = len(scan.index.index.grams) - 1
        print(
            f"| {count} | {number:,} | {grams:,} | {scan.seconds:.1f} | {scan.bytes / 1e6:.0f} "
            f"| {megabytes(chat) / seconds:.0f} |",
            flush=True,
        )


def on_threads(chat: list[str], scan: Scan) -> None:
    """Wall clock of one and of two threads, each with buffers of its own."""
    scans = [scan._replace(work=Work.for_index(scan.index.index)) for _ in range(2)]
    halves = [pa.array(chat[number::2]) for number in range(2)]
    best = {1: float("inf"), 2: float("inf")}
    for _, threads in itertools.product(range(ROUNDS), best):
        with ThreadPoolExecutor(threads) as pool:
            start = time.perf_counter()
            list(pool.map(lambda pair: pair[0].run(pair[1]), zip(scans, halves, strict=True)))
            best[threads] = min(best[threads], time.perf_counter() - start)
    print(f"\nTwo threads: {best[1] / best[2]:.2f} times one, by the clock.")


def beside_datatrove(chat: list[str], sets: Mapping[str, Sequence[Item]], python: Path, rate: float) -> None:
    items = [(name, item.id, text) for name, own in sets.items() for item in own for text in item.texts["question"]]
    took, sizes = [], []
    for rows in DATATROVE_ROWS:
        with tempfile.TemporaryDirectory() as folder:
            peers.write_items(Path(folder), items)
            peers.write_rows(Path(folder) / "rows/0.jsonl", chat[:rows])
            before = os.times().children_user
            peers.hits("datatrove", python, Path(folder))
            took.append(os.times().children_user - before)
        sizes.append(megabytes(chat[:rows]))
    slow = (sizes[1] - sizes[0]) / (took[1] - took[0])
    print(
        f"\n{peers.LABELS['datatrove']}, English chat: {slow:.2f} MB/s; our scan is {rate / slow:,.0f} times as fast."
    )


def compiling() -> None:
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "NUMBA_CACHE_DIR": folder, "PYTHONPATH": str(Path(__file__).parents[1])}
        command = [sys.executable, "-c", COMPILE]
        seconds = []
        for number in range(2):
            place = Path(folder) / str(number)
            place.mkdir()
            run = subprocess.run(command, env=environment, cwd=place, capture_output=True, text=True, check=True)
            seconds.append(float(run.stdout))
    print(f"\nCompiling, index and scan: {seconds[0]:.1f} s the first time, {seconds[1]:.1f} s from then on.")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--datatrove", type=Path, metavar="PYTHON", help=f"a Python that has {peers.LABELS['datatrove']}"
    )
    arguments = parser.parse_args()
    os.environ[catalogue.LOCAL] = str(EVALUATIONS)
    kinds, sets = texts_of(Path(os.environ["TULU_DATA_SHARED"])), evaluation_sets()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        tulu3 = Scan.of(sets, RULES["tulu3"], folder / "tulu3")
        ours = Scan.of(sets, RULES["tulu_data"], folder / "tulu_data")
        counted = Counter(
            kind
            for account in tulu3.index.accounts.values()
            for kind in ("indexed", "short")
            for _ in range(account[kind])
        )
        print(
            f"{len(sets)} evaluation sets, {counted.total():,} items, {len(tulu3.index.index.grams) - 1:,} 8-grams. MB/s of one core:\n"
        )
        by_kind(kinds, tulu3, ours, Naive(sets, RULES["tulu3"]["n"]))
        chat = kinds["English chat"]
        by_sets(chat, [item for own in sets.values() for item in own], RULES["tulu3"], folder)
        on_threads(chat, tulu3)
        if arguments.datatrove is None:
            print(f"--datatrove is not given: {peers.LABELS['datatrove']} is left out", file=sys.stderr)
        else:
            (seconds,) = fastest(lambda: tulu3.run(pa.array(chat)))
            beside_datatrove(chat, sets, arguments.datatrove, megabytes(chat) / seconds)
    compiling()


if __name__ == "__main__":
    main()
