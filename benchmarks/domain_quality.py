"""The domains that the rules give to rows with a known domain.

    python benchmarks/domain_quality.py --data ../shared/data

prints the tables of docs/domains.md. Rows are split by the sha256 of their content: those
that begin with 0 to 7 were read while the rules were written, those with 8 to f are measured.
Of OASST the first 200 of the measured half, by hash, were labelled by hand
(tests/oasst_domains.csv) before the rules were run on them.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import json
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

import polars as pl

from tulu_data.rows.rows import Rows
from tulu_data.rows.sft import Conversation
from tulu_data.stages.domain import Domain
from tulu_data.text.domains import OTHER, RULES

DOMAINS = (*RULES, OTHER)
LABELS = Path(__file__).parents[1] / "tests/oasst_domains.csv"


def pair(*prompt: str, response: str) -> Conversation:
    return Conversation([("user", "\n".join(filter(None, prompt))), ("assistant", response)])


def lines(path: Path) -> list[dict[str, str]]:
    content = path.read_bytes()
    text = gzip.decompress(content) if path.suffix == ".gz" else content
    return [json.loads(line) for line in text.split(b"\n") if line.strip()]


def cells(path: Path) -> list[list[str]]:
    return [line.split("\t") for line in path.read_text(encoding="utf-8").strip("\n").split("\n")]


def known(data: Path) -> dict[str, list[Conversation]]:
    """Rows by source."""
    train, evals = data / "train", data / "evals"
    gpteacher = {"codegen": "codegen-instruct", "roleplay": "roleplay-simple-deduped-roleplay-instruct"}
    found = {
        "GSM8K": [pair(row["question"], response=row["answer"]) for row in lines(train / "gsm8k_train/train.jsonl")],
        "MATH-500": [pair(row["problem"], response=row["solution"]) for row in lines(evals / "math500/test.jsonl")],
        "FLAN gsm8k": [
            pair(row[0], response=f"{row[2]} {row[1]}") for row in cells(train / "flan_cot/gsm8k_train.tsv")
        ],
    }
    for name, file in {**gpteacher, "toolformer": "toolformer-similarity-0.6-dataset"}.items():
        rows = json.loads((train / f"gpteacher/{file}.json").read_text(encoding="utf-8"))
        found[name] = [pair(row["instruction"], row.get("input", ""), response=row["response"]) for row in rows]
    found["HumanEval"] = [
        pair(row["prompt"], response=row["canonical_solution"]) for row in lines(evals / "humaneval/HumanEval.jsonl.gz")
    ]
    found["MBPP"] = [pair(row["text"], response=row["code"]) for row in lines(evals / "mbpp/mbpp.jsonl")]
    for name in ("ecqa", "strategyqa"):
        rows = cells(train / f"flan_cot/{name}_train.tsv")
        found[f"FLAN {name}"] = [pair(row[0], response=f"{row[2]} {row[1]}") for row in rows]
    for name in ("en", "zh"):
        rows = json.loads((train / f"llamafactory_demo/alpaca_{name}_demo.json").read_text(encoding="utf-8"))
        found[f"Alpaca {name}"] = [pair(row["instruction"], row["input"], response=row["output"]) for row in rows]
    return found


def labelled(data: Path) -> dict[str, list[Conversation]]:
    """Rows of OASST by the label given by hand."""
    rows = [
        pair(row["prompt"], response=row["completion"])
        for row in lines(data / "train/octopack_oasst/oasstcommitpackftmanual.jsonl")
    ]
    by_hash = {content.hex()[:12]: row for content, row in zip(Rows.of(rows).content_hashes(), rows, strict=True)}
    found: dict[str, list[Conversation]] = {"code": [], "math": [], "neither": []}
    with LABELS.open(encoding="utf-8", newline="") as file:
        for line in csv.DictReader(file):
            found[line["label"]].append(by_hash[line["content"]])
    return found


def measured_half(rows: Sequence[Conversation]) -> list[Conversation]:
    return [row for content, row in zip(Rows.of(rows).content_hashes(), rows, strict=True) if content[0] >= 128]


def domains_of(rows: Iterable[Conversation]) -> Counter[str]:
    stage = Domain(declared="ignore")
    return Counter(stage.measure(Rows.of(rows)).select(stage.label().alias("domain"))["domain"].to_list())


def table(heading: str, counts: dict[str, Counter[str]]) -> list[str]:
    """A table of the shares of each line's rows, in per cent."""
    found = ["| " + " | ".join([heading, "rows", *DOMAINS]) + " |", "|---|" + "--:|" * (1 + len(DOMAINS))]
    for name, count in counts.items():
        shares = [f"{count[domain] / count.total():.1%}" if count[domain] else "·" for domain in DOMAINS]
        found.append("| " + " | ".join([name, f"{count.total():,}", *shares]) + " |")
    return found


def tables(data: Path) -> tuple[list[str], list[str]]:
    """Print the table of sources, and that of rows labelled by hand."""
    by_source = {name: domains_of(measured_half(rows)) for name, rows in known(data).items()}
    by_label = {name: domains_of(rows) for name, rows in labelled(data).items()}
    return table("source", by_source), table("label", by_label)


def speed(data: Path) -> float:
    """Megabytes of text that one core classifies in a second."""
    rows = Rows.of([row for rows in known(data).values() for row in rows])
    size = sum(pl.Series(rows.texts(on).strings).str.len_bytes().sum() for on in ("prompt", "response"))
    start = time.process_time()
    Domain().measure(rows)
    return size / 1e6 / (time.process_time() - start)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    folder = parser.parse_args().data
    for found in tables(folder):
        print("\n".join(found), end="\n\n")
    print(f"{speed(folder):.0f} MB/s")
