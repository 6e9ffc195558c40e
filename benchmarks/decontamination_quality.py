"""How well rules of decontamination find what was put into rows, and what else they take for it.

    python benchmarks/decontamination_quality.py --data ../shared/data

Items of eight real evaluation sets are injected into real rows in many ways: as they are,
embedded, re-wrapped, edited, cut, split over turns, with other numbers. Rules are chosen on
the items of one half, by the hash of their ids, and judged on the other.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
import re
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl

from tulu_data.commit import sha256_file
from tulu_data.evaluations.evaluation_set import EvaluationSet, Item
from tulu_data.rows import Conversation, Rows
from tulu_data.stages.ngram_decontamination import NgramDecontamination
from tulu_data.workspace import Workspace

SEED = 7
ITEMS_OF_A_SET = 150
SETS: dict[str, dict[str, Any]] = {
    "mmlu": {
        "jsonl": "evals/mmlu/mmlu_test-*.jsonl.gz",
        "question": "question",
        "answer": "answer",
        "group_by": ["config", "eval_instance_index"],
    },
    "gsm8k": {"jsonl": "evals/gsm8k_test/test.jsonl", "question": "question", "answer": "answer"},
    "math500": {"jsonl": "evals/math500/test.jsonl", "question": "problem", "answer": "answer", "id": "unique_id"},
    "humaneval": {"jsonl": "evals/humaneval/HumanEval.jsonl.gz", "question": "prompt", "id": "task_id"},
    "mbpp": {"jsonl": "evals/mbpp/mbpp.jsonl", "question": "text", "answer": "code", "id": "task_id"},
    "ifeval": {"jsonl": "evals/ifeval/en_input_data.jsonl", "question": "prompt", "id": "key"},
    "commonsenseqa": {
        "jsonl": "evals/zero_shot_cot/dataset__CommonsenseQA__dev_rand_split.jsonl",
        "question": "question.stem",
        "id": "id",
    },
    "popqa": {
        "jsonl": "evals/popqa_2000/popqa.json",
        "records": "test[]",
        "question": "input",
        "answer": "output",
        "id": "id",
    },
}
EXACT_KINDS = ("verbatim", "embedded", "wrapped", "case and punctuation")
EDITED_KINDS = ("1 word edited", "2 words edited", "3 words edited")
OTHER_KINDS = ("first 70 %", "split over turns")
SIBLING = "other numbers"


class Injected(NamedTuple):
    """A row, and what was put into it: the kind, the evaluation set and the item; None in clean rows."""

    row: Conversation
    kind: str
    evaluation: str | None
    item: str | None
    words: int


def sets_of(data: Path) -> dict[str, EvaluationSet]:
    described = {}
    for name, one in SETS.items():
        described[name] = EvaluationSet.model_validate({**one, "jsonl": str(data / one["jsonl"])})
    return described


def is_held_out(evaluation: str, item: str) -> bool:
    """Whether an item is of the half that rules are judged on."""
    return hashlib.sha256(f"{evaluation}/{item}".encode()).digest()[0] % 2 == 1


def base_rows(data: Path) -> list[tuple[str, str]]:
    """Prompts and responses of real rows that are no evaluation items."""
    found = []
    for name in ("roleplay-simple-deduped-roleplay-instruct.json", "toolformer-similarity-0.6-dataset.json"):
        for row in json.loads((data / "train/gpteacher" / name).read_text(encoding="utf-8")):
            found.append((" ".join(filter(None, [row["instruction"], row["input"]])), row["response"]))
    for line in (data / "train/octopack_oasst/oasstcommitpackftmanual.jsonl").read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        found.append((row["prompt"], row["completion"]))
    return [(prompt, response) for prompt, response in found if prompt and response]


_WORD = re.compile(r"[A-Za-z]{4,}")
_NUMBER = re.compile(r"\d+")


def edited(text: str, count: int, draw: random.Random, vocabulary: list[str]) -> str | None:
    """The text with some words replaced, far enough from each other to hurt."""
    places = list(_WORD.finditer(text))
    if len(places) < 2 * count:
        return None
    for place in sorted(draw.sample(places, count), key=lambda place: -place.start()):
        text = text[: place.start()] + draw.choice(vocabulary) + text[place.end() :]
    return text


def renumbered(text: str, draw: random.Random) -> str | None:
    """The text with every number another one of as many digits; None where it has fewer than two."""
    if len(_NUMBER.findall(text)) < 2:
        return None

    def other(found: re.Match[str]) -> str:
        digits = len(found[0])
        low = 10 ** (digits - 1) if digits > 1 else 2
        return str(draw.choice([number for number in range(low, low + 40) if str(number) != found[0]]))

    return _NUMBER.sub(other, text)


def injections(
    name: str, item: Item, base: tuple[str, str], draw: random.Random, vocabulary: list[str]
) -> Iterator[Injected]:
    (text,) = item.texts["question"]
    prompt, response = base
    words = text.split()
    count = len(re.findall(r"\w+", text))

    def of(kind: str, *users: str) -> Injected:
        turns = [turn for user in users for turn in (("user", user), ("assistant", response))]
        return Injected(Conversation(turns), kind, name, item.id, count)

    yield of("verbatim", text)
    yield of("embedded", f"{prompt}\n\n{text}\n\nThank you very much in advance.")
    lines = [" ".join(words[start : start + 8]) for start in range(0, len(words), 8)]
    yield of("wrapped", "\n".join(lines))
    yield of(
        "case and punctuation",
        re.sub(r"[,.;:!?]", "", text).upper() if name not in ("humaneval", "math500") else text.upper(),
    )
    for number, kind in enumerate(EDITED_KINDS, start=1):
        if (changed := edited(text, number, draw, vocabulary)) is not None:
            yield of(kind, changed)
    yield of("first 70 %", " ".join(words[: max(1, round(len(words) * 0.7))]))
    if count >= 24:
        half = len(words) // 2
        yield of("split over turns", " ".join(words[:half]), " ".join(words[half:]))
    if (sibling := renumbered(text, draw)) is not None:
        yield of(SIBLING, sibling)


def rephrased(data: Path, known: dict[str, dict[str, str]]) -> Iterator[Injected]:
    """The rephrased GSM8K and HumanEval of LMSYS's llm-decontaminator, by the text that they rephrase."""
    for file, name in (("rephrase_gsm8k.jsonl", "gsm8k"), ("humaneval_python.jsonl", "humaneval")):
        path = data / "evals/llm_decontaminator" / file
        if path.is_file():
            for line in path.read_text(encoding="utf-8").splitlines():
                row = json.loads(line)
                item = known[name].get(" ".join(str(row.get("test", "")).split()))
                if item and row.get("train"):
                    text = str(row["train"])
                    yield Injected(
                        Conversation([("user", text), ("assistant", "…")]), "rephrased", name, item, len(text.split())
                    )


def suite(data: Path, items: dict[str, list[Item]]) -> list[Injected]:
    """All rows: what was put into real ones, and those that nothing was put into."""
    draw = random.Random(SEED)  # noqa: S311 (no secret)
    bases = base_rows(data)
    vocabulary = sorted({word for prompt, _ in bases[:400] for word in _WORD.findall(prompt.lower())})
    found: list[Injected] = []
    for name, own in items.items():
        usable = [item for item in own if len(item.texts["question"]) == 1]
        for item in draw.sample(usable, min(ITEMS_OF_A_SET, len(usable))):
            found += injections(name, item, draw.choice(bases), draw, vocabulary)
    known = {
        name: {" ".join(item.texts["question"][0].split()): item.id for item in own} for name, own in items.items()
    }
    found += rephrased(data, known)
    for prompt, response in bases:
        found.append(Injected(Conversation([("user", prompt), ("assistant", response)]), "clean", None, None, 0))
    found += hard_negatives(data)
    return found


def hard_negatives(data: Path) -> Iterator[Injected]:
    """Rows of the same templates as evaluation items that are none: training halves of GSM8K and of code instructions."""
    for line in (data / "train/gsm8k_train/train.jsonl").read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        yield Injected(
            Conversation([("user", row["question"]), ("assistant", row["answer"])]), "GSM8K train", None, None, 0
        )
    for row in json.loads((data / "train/gpteacher/codegen-instruct.json").read_text(encoding="utf-8")):
        text = " ".join(filter(None, [row["instruction"], row["input"]]))
        yield Injected(Conversation([("user", text), ("assistant", row["response"])]), "codegen", None, None, 0)


class Judged(NamedTuple):
    """For each row the pairs that a rule takes for contaminated: (evaluation set, item)."""

    hits: dict[int, list[tuple[str, str]]]


def judged(
    rows: list[Injected], against: dict[str, EvaluationSet], workspace: Workspace, options: dict[str, Any]
) -> Judged:
    stage = NgramDecontamination.model_validate({"against": against, **options}).prepare(workspace, sha256_file)
    measures = stage.measuring().measure(Rows.of([row.row for row in rows]))
    numbered = measures.insert_column(0, pl.Series("row", range(len(rows)), dtype=pl.UInt32))
    pairs = stage.pairs(numbered).filter("is_contaminated")
    hits: dict[int, list[tuple[str, str]]] = defaultdict(list)
    for row, evaluation, item in pairs.select("row", "evaluation", "id").iter_rows():
        hits[row].append((evaluation, item))
    return Judged(dict(hits))
