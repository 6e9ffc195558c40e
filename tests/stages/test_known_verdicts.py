"""Rows that the 50 % rule takes for leaks of MBPP, each judged by hand, beside what our rule says of them."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from tulu_data import formats
from tulu_data.rows.rows import Rows
from tulu_data.stages.ngram_decontamination import NgramDecontamination
from tulu_data.store.durable import sha256_file
from tulu_data.store.workspace import Workspace

pytestmark = pytest.mark.slow

VERDICTS = Path(__file__).parents[2] / "benchmarks/mbpp_verdicts.csv"
TRAINING = ("train/gpteacher/codegen-instruct.json", "noncommercial/train/alpaca_en_52k/*.json")

Pair = tuple[str, int, str]
"""A row, by its file and its number there from 1, and an item of MBPP."""
Marked = Callable[[str], set[Pair]]


def judged(verdict: str) -> set[Pair]:
    with VERDICTS.open(encoding="utf-8", newline="") as file:
        return {
            (line["file"], int(line["row"]), line["item"])
            for line in csv.DictReader(file)
            if line["verdict"] == verdict
        }


LEAKS, OTHERS = judged("leak"), judged("not a leak")


@pytest.fixture(scope="module")
def marked(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Marked:
    """The pairs that a rule marks."""
    places, conversations = [], []
    for path in (path for pattern in TRAINING for path in sorted(shared.glob(pattern))):
        records = json.loads(path.read_bytes())
        format = formats.detect(list(records[0]))
        assert format is not None
        places += [(str(path.relative_to(shared)), number) for number in range(1, len(records) + 1)]
        conversations += [format.read(record) for record in records]
    rows, workspace = Rows.of(conversations), Workspace(tmp_path_factory.mktemp("workspace"))
    mbpp = {"jsonl": str(shared / "evals/mbpp/mbpp.jsonl"), "question": "text", "id": "task_id"}

    def pairs(rule: str) -> set[Pair]:
        stage = NgramDecontamination.model_validate({"against": {"mbpp": mbpp}, "rule": rule})
        stage = stage.prepare(workspace, sha256_file)
        measures = stage.measuring().measure(rows)
        matches = stage.matches(measures.insert_column(0, pl.Series("row", range(len(rows)), dtype=pl.UInt32)))
        return {(*places[row], item) for row, item in matches.select("row", "item").iter_rows()}

    return pairs


def test_all_that_the_50_percent_rule_marks_was_judged(marked: Marked):
    assert marked("tulu3") == LEAKS | OTHERS
    assert not LEAKS & OTHERS


def test_our_rule_marks_at_most_a_tenth_of_those_that_are_no_leak(marked: Marked):
    assert len(marked("tulu_data") & OTHERS) <= len(OTHERS) / 10


def test_our_rule_marks_every_leak_but_those_reworded_at_both_ends(marked: Marked):
    codegen = "train/gpteacher/codegen-instruct.json"
    assert LEAKS - marked("tulu_data") == {(codegen, 2756, "395"), (codegen, 3768, "181")}
