"""How many planted pairs near-dedup tools find, how many false ones, and what they leave of templated data.

    python benchmarks/dedup_quality.py --peers peers --folder bench --data ../shared/data

Pairs are made of random English-like words: k words edited, words put before, another
system prompt, other punctuation; their Jaccard similarity is computed from plain Python
sets. A pair is found if one of its rows is removed. Rows of different pairs share no
shingle, except in templated data. `dedup_peers.py` tells how to install each peer.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import re
import subprocess
import sys
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import polars as pl
import pyarrow as pa

from tulu_data.kernels.minhash import probability, sketch
from tulu_data.kernels.shingles import Source

N, BANDS, ROWS = 5, 14, 8
PAIRS = 400
PEERS = {
    "datasketch": "datasketch",
    "rensa": "datasketch",
    "rensa_rho": "datasketch",
    "text_dedup": "text-dedup",
    "datatrove": "datatrove",
}
THRESHOLD = 0.8


class Pair(NamedTuple):
    """A row and one made from it, the kind of the change, and their similarity."""

    kind: str
    first: str
    second: str
    jaccard: float
    systems: tuple[str, str] = ("", "")


def shingles(text: str) -> set[tuple[str, ...]]:
    words = re.findall(r"\w+", text.lower())
    return {tuple(words[at : at + N]) for at in range(max(len(words) - N, 0) + 1)}


def jaccard(first: str, second: str) -> float:
    one, other = shingles(first), shingles(second)
    return len(one & other) / len(one | other)


class Words:
    """Words that no other row has, so that there are no pairs by chance."""

    def __init__(self, seed: int) -> None:
        self.draw = random.Random(seed)  # noqa: S311 (no secret)

    def word(self) -> str:
        return "".join(self.draw.choices("abcdefghijklmnopqrstuvwxyz", k=self.draw.randint(4, 9)))

    def text(self, count: int) -> list[str]:
        return [self.word() for _ in range(count)]


def edited(words: Sequence[str], target: float, source: Words) -> str:
    """A text with words replaced, far apart, until its similarity is as near to the target as possible."""
    count = len(words) - N + 1
    # Each edit far from others takes N shingles: J = (count - N k) / (count + N k).
    edits = round(count * (1 - target) / (N * (1 + target)))
    new = list(words)
    for place in range(edits):
        new[(2 * place + 1) * len(words) // (2 * edits)] = source.word()
    return " ".join(new)


def pairs(seed: int = 0) -> list[Pair]:
    """All planted pairs, the same for the same seed."""
    source = Words(seed)
    made: list[Pair] = []

    def plant(kind: str, first: str, second: str, systems: tuple[str, str] = ("", "")) -> None:
        made.append(Pair(kind, first, second, jaccard(first, second), systems))

    for _ in range(PAIRS):
        for target in (0.95, 0.9, 0.85, 0.8, 0.7):
            words = source.text(230)
            plant(f"words edited, J {target}", " ".join(words), edited(words, target, source))
        words = source.text(300)
        share = source.draw.uniform(0.02, 0.05)
        plant("2-5 % put before", " ".join(words), " ".join([*source.text(round(300 * share)), *words]))
        words = source.text(150)
        systems = (" ".join(source.text(60)), " ".join(source.text(60)))
        plant("other system prompt", " ".join(words), " ".join(words), systems)
        words = source.text(150)
        marks = ["".join((word, source.draw.choice([".", ",", ";", " -", ""]))) for word in words]
        plant("other punctuation", " ".join(words), " ".join(marks))
    return made


def one_edit(count: int, seed: int = 0) -> list[str]:
    """Rows of one template, each with one word of its own."""
    source = Words(seed)
    words = source.text(70)
    return [
        " ".join(source.word() if place == number % 70 else word for place, word in enumerate(words))
        for number in range(count)
    ]


def calls(count: int, seed: int = 0) -> list[str]:
    """Requests of one template that differ in five arguments."""
    source = Words(seed)
    names, cities = source.text(50), source.text(50)
    draw = source.draw
    return [
        f"Could you please help me and book a table for {draw.randrange(2, 12)} people at the restaurant {draw.choice(names)} "
        f"in the old town of {draw.choice(cities)} on day {draw.randrange(1, 61)} of next month at {draw.randrange(24)} o'clock "
        "in the evening, and ask them for a quiet place near the window because my parents are coming and my father does "
        "not hear well; if there is nothing left then please try the evening after and write me what they said"
        for _ in range(count)
    ]


def kept_by_ours(texts: Sequence[str], systems: Sequence[str], folder: Path) -> tuple[set[int], pl.DataFrame]:
    """The numbers of the rows that our command keeps, and what it removed."""
    source = folder / "ours.jsonl"
    with source.open("w") as file:
        for text, system in zip(texts, systems, strict=True):
            file.write(json.dumps({"system": system, "prompt": text, "response": ""}) + "\n")
    out = folder / "ours"
    subprocess.run(["rm", "-rf", str(out), str(folder / "workspace")], check=True)
    words = [sys.executable, "-m", "tulu_data", "dedup", str(source), "--out", str(out), "--limit", "0"]
    words += [
        "--workspace",
        str(folder / "workspace"),
        "--format",
        "{prompt: prompt, response: response, system: system}",
    ]
    done = subprocess.run(words, check=False, capture_output=True, text=True)
    if done.returncode not in (0, 4):
        raise SystemExit(done.stderr)
    removed = pl.read_parquet(out / "removed.parquet")
    return set(range(len(texts))) - {row - 1 for row in removed["row"]}, removed


def kept_by(engine: str, texts: Sequence[str], folder: Path, peers: Path) -> set[int] | None:
    """The numbers of the rows that a peer keeps; None if it does not end in five minutes."""
    source, target = folder / "peer.parquet", folder / f"{engine}.parquet"
    pl.DataFrame({"id": [str(number) for number in range(len(texts))], "text": texts}).write_parquet(source)
    python = peers / PEERS[engine] / "bin" / "python"
    script = Path(__file__).parent / "dedup_peers.py"
    try:
        done = subprocess.run(
            [str(python), str(script), engine, str(source), str(target)],
            check=False,
            capture_output=True,
            text=True,
            timeout=300,
        )
    except subprocess.TimeoutExpired:
        return None
    if done.returncode:
        raise SystemExit(f"{engine}: {done.stderr[-2000:]}")
    return {int(number) for number in pl.read_parquet(target, columns=["id"])["id"]}


def planted(folder: Path, peers: Path, engines: Sequence[str]) -> None:
    """Print what each engine finds of each kind of pair."""
    made = pairs()
    order = list(range(2 * len(made)))
    random.Random(1).shuffle(order)  # noqa: S311 (no secret)
    texts = [text for pair in made for text in (pair.first, pair.second)]
    systems = [system for pair in made for system in pair.systems]
    # Peers take one text: the system prompt is a part of it, as usual when messages are joined.
    joined = [f"{system} {text}".strip() for system, text in zip(systems, texts, strict=True)]
    found: dict[str, dict[str, list[bool]]] = {}
    for engine in engines:
        if engine == "tulu_data":
            kept, removed = kept_by_ours([texts[row] for row in order], [systems[row] for row in order], folder)
            places = removed.select(pl.col("row", "twin_row") - 1).rows()
            wrong = sum(jaccard(texts[order[row]], texts[order[twin]]) < THRESHOLD for row, twin in places)
            print(f"tulu_data: {len(removed)} removed, {wrong} of them below {THRESHOLD} by plain sets", flush=True)
        else:
            kept = kept_by(engine, [joined[row] for row in order], folder, peers) or set()
        gone = {order[place] for place in range(len(order)) if place not in kept}
        both = sum({2 * number, 2 * number + 1} <= gone for number in range(len(made)))
        print(f"{engine}: both rows of {both} pairs were removed", flush=True)
        of_kind = defaultdict(list)
        for number, pair in enumerate(made):
            of_kind[pair.kind].append(not gone.isdisjoint((2 * number, 2 * number + 1)))
        found[engine] = of_kind
        taken = [pair.jaccard for number, pair in enumerate(made) if not gone.isdisjoint((2 * number, 2 * number + 1))]
        print(f"{engine}: precision {sum(value >= THRESHOLD for value in taken) / len(taken):.3f}", flush=True)
    print(f"\n| pairs | mean J | S-curve | {' | '.join(engines)} |\n|---|--:|--:|{'--:|' * len(engines)}")
    for kind in dict.fromkeys(pair.kind for pair in made):
        own = [pair.jaccard for pair in made if pair.kind == kind]
        chance = [probability(value, BANDS, ROWS) for value in own]
        mean = sum(chance) / len(own)
        spread = 3.29 * math.sqrt(sum(value * (1 - value) for value in chance)) / len(own)
        shares = [sum(found[engine][kind]) / len(own) for engine in engines]
        print(
            f"| {kind} | {sum(own) / len(own):.3f} | {mean:.3f} ± {spread:.3f} | {' | '.join(f'{share:.3f}' for share in shares)} |",
            flush=True,
        )


def band_keys(texts: Sequence[str]) -> list[list[int]]:
    """For each band the key of each row."""
    keys: list[list[int]] = sketch(Source.of(pa.array(texts), np.arange(len(texts) + 1)), N, BANDS, ROWS).keys.tolist()
    return keys


def closure(keys: Sequence[Sequence[int]]) -> int:
    """How many rows are kept by a closure over candidates: one for each component of rows that share buckets."""
    parent = list(range(len(keys[0])))

    def root(row: int) -> int:
        while parent[row] != row:
            parent[row] = parent[parent[row]]
            row = parent[row]
        return row

    for band in keys:
        first: dict[int, int] = {}
        for row, key in enumerate(band):
            one, other = root(first.setdefault(key, row)), root(row)
            parent[max(one, other)] = min(one, other)
    return sum(root(row) == row for row in range(len(parent)))


def star(keys: Sequence[Sequence[int]]) -> int:
    """How many rows are kept if each row that shares a bucket with a kept one is removed without comparison."""
    kept: list[set[int]] = [set() for _ in keys]
    stays = 0
    for row in zip(*keys, strict=True):
        if not any(key in band for key, band in zip(row, kept, strict=True)):
            stays += 1
            for key, band in zip(row, kept, strict=True):
                band.add(key)
    return stays


def templated(folder: Path) -> None:
    """Print how many rows of one template are kept, by the treatment of candidates."""
    print(
        "\n| rows of one template | closure of candidates | star of candidates | tulu_data | again |\n|---|--:|--:|--:|--:|"
    )
    for name, texts in (
        ("4,000, one word edited", one_edit(4_000)),
        ("100,000 requests, five arguments", calls(100_000)),
    ):
        keys = band_keys(texts)
        kept, _ = kept_by_ours(texts, [""] * len(texts), folder)
        again, _ = kept_by_ours([texts[row] for row in sorted(kept)], [""] * len(kept), folder)
        print(f"| {name} | {closure(keys):,} | {star(keys):,} | {len(kept):,} | {len(again):,} |", flush=True)


def gsm8k(folder: Path, data: Path) -> None:
    """Print how many rows of FLAN's GSM8K are found in GSM8K's own training set."""
    flan = (data / "train/flan_cot/gsm8k_train.tsv").read_text(encoding="utf-8").rstrip("\n").split("\n")
    own = (data / "train/gsm8k_train/train.jsonl").read_text(encoding="utf-8").rstrip("\n").split("\n")
    questions = [json.loads(line)["question"] for line in own]
    texts = [*questions, *(line.split("\t")[0].replace("\\n", "\n") for line in flan)]
    _, removed = kept_by_ours(texts, [""] * len(texts), folder)
    members = pl.concat([removed.select("cluster", "row"), removed.select("cluster", pl.col("twin_row").alias("row"))])
    both = members.unique().with_columns(is_flan=pl.col("row") > len(own))
    twins = both.filter((~pl.col("is_flan")).any().over("cluster") & pl.col("is_flan"))
    print(f"\nGSM8K: {len(own):,} questions; FLAN: {len(flan):,}, of which {len(twins):,} are near one of GSM8K's")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peers", type=Path, default=Path("peers"))
    parser.add_argument("--folder", type=Path, default=Path("bench"))
    parser.add_argument("--data", type=Path)
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    folder, peers = arguments.folder.resolve(), arguments.peers.resolve()
    engines = ["tulu_data", *(name for name, place in PEERS.items() if (peers / place).is_dir())]
    planted(folder, peers, engines)
    templated(folder)
    if arguments.data:
        gsm8k(folder, arguments.data)


if __name__ == "__main__":
    main()
