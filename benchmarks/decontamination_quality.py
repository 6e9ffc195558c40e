"""How well rules of decontamination find what was put into rows, and what else they take for it.

    python benchmarks/decontamination_quality.py --data ../shared/data

Items of eight real evaluation sets are injected into real rows in many ways: as they are,
embedded, re-wrapped, edited, cut, split over turns, with other numbers. Our rule was chosen
on the items that one seed draws, and is judged on others; writes docs/decontamination_quality.md.
"""

from __future__ import annotations

import argparse
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
from tulu_data.evaluations.rules import RULES
from tulu_data.rows import Conversation, Rows
from tulu_data.stages.ngram_decontamination import NgramDecontamination
from tulu_data.workspace import Workspace

CHOOSING, JUDGING = 7, 2026
ITEMS_OF_A_SET = 150
LONG = 20
CLEAN = "chat"
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


def base_rows(data: Path) -> list[tuple[str, str]]:
    """Prompts and responses of real rows that are no evaluation items."""
    found = [
        (" ".join(filter(None, [row["instruction"], row["input"]])), row["response"])
        for name in ("roleplay-simple-deduped-roleplay-instruct.json", "toolformer-similarity-0.6-dataset.json")
        for row in json.loads((data / "train/gpteacher" / name).read_text(encoding="utf-8"))
    ]
    lines = (data / "train/octopack_oasst/oasstcommitpackftmanual.jsonl").read_text(encoding="utf-8").splitlines()
    found += [(row["prompt"], row["completion"]) for row in map(json.loads, lines)]
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
    # A mark between two digits is part of a number, and one in code or a formula part of its meaning.
    bare = text if name in ("humaneval", "math500") else re.sub(r"(?<!\d)[,.;:!?]|[,.;:!?](?!\d)", " ", text)
    yield of("case and punctuation", bare.upper())
    for number, kind in enumerate(EDITED_KINDS, start=1):
        if (changed := edited(text, number, draw, vocabulary)) is not None:
            yield of(kind, changed)
    yield of("first 70 %", " ".join(words[: max(1, round(len(words) * 0.7))]))
    if count >= 24:
        half = len(words) // 2
        yield of("split over turns", " ".join(words[:half]), " ".join(words[half:]))
    if (sibling := renumbered(text, draw)) is not None:
        yield of(SIBLING, sibling)


def suite(data: Path, items: dict[str, list[Item]], seed: int, without: set[tuple[str, str]]) -> list[Injected]:
    """All rows: what was put into real ones, and those that nothing was put into."""
    draw = random.Random(seed)  # noqa: S311 (no secret)
    bases = base_rows(data)
    vocabulary = sorted({word for prompt, _ in bases[:400] for word in _WORD.findall(prompt.lower())})
    found: list[Injected] = []
    for name, own in items.items():
        usable = [item for item in own if len(item.texts["question"]) == 1 and (name, item.id) not in without]
        for item in draw.sample(usable, min(ITEMS_OF_A_SET, len(usable))):
            found += injections(name, item, draw.choice(bases), draw, vocabulary)
    for prompt, response in bases:
        found.append(Injected(Conversation([("user", prompt), ("assistant", response)]), CLEAN, None, None, 0))
    return [*found, *hard_negatives(data)]


def hard_negatives(data: Path) -> Iterator[Injected]:
    """Rows of the same kind as evaluation items that are none: GSM8K's training half and instructions to code."""
    for line in (data / "train/gsm8k_train/train.jsonl").read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        turns = [("user", row["question"]), ("assistant", row["answer"])]
        yield Injected(Conversation(turns), "GSM8K train", None, None, 0)
    for row in json.loads((data / "train/gpteacher/codegen-instruct.json").read_text(encoding="utf-8")):
        turns = [("user", " ".join(filter(None, [row["instruction"], row["input"]]))), ("assistant", row["response"])]
        yield Injected(Conversation(turns), "instructions to code", None, None, 0)


class Judged(NamedTuple):
    """For each row the items that a rule takes for contaminated, and those that it calls near."""

    contaminated: dict[int, set[tuple[str, str]]]
    near: dict[int, set[tuple[str, str]]]


def judged(
    rows: list[Injected], against: dict[str, EvaluationSet], workspace: Workspace, options: dict[str, Any]
) -> Judged:
    stage = NgramDecontamination.model_validate({"against": against, **options}).prepare(workspace, sha256_file)
    measures = stage.measuring().measure(Rows.of([row.row for row in rows]))
    numbered = measures.insert_column(0, pl.Series("row", range(len(rows)), dtype=pl.UInt32))
    pairs = stage.pairs(numbered)
    found = Judged(defaultdict(set), defaultdict(set))
    for name, hits in zip(("is_contaminated", "is_near"), found, strict=True):
        for row, evaluation, item in pairs.filter(name).select("row", "evaluation", "id").iter_rows():
            hits[row].add((evaluation, item))
    return found


class Score(NamedTuple):
    """A rule on some rows: recall by kind for long and for short items, false alarms by kind, right names."""

    recall: dict[tuple[str, bool], float]
    near: float
    alarms: dict[str, float]
    named: float


def score(rows: list[Injected], found: Judged) -> Score:
    recall: dict[tuple[str, bool], list[bool]] = defaultdict(list)
    alarms: dict[str, list[bool]] = defaultdict(list)
    near: list[bool] = []
    named: list[bool] = []
    for number, row in enumerate(rows):
        hits = found.contaminated.get(number, set())
        if row.evaluation is None or row.item is None:
            alarms[row.kind].append(bool(hits))
            continue
        own = (row.evaluation, row.item)
        recall[row.kind, row.words >= LONG].append(own in hits)
        named += [hit == own for hit in hits]
        if row.kind == SIBLING:
            near.append(own in found.near.get(number, set()))
    return Score(
        {key: sum(values) / len(values) for key, values in recall.items()},
        sum(near) / len(near),
        {key: sum(values) / len(values) for key, values in alarms.items()},
        sum(named) / max(len(named), 1),
    )


def naive(rows: list[Injected], items: dict[str, list[Item]]) -> Judged:
    """The 50 % rule in plain Python: 8-grams of `\\w+`, the user's messages, no short items."""
    grams: dict[tuple[str, ...], list[tuple[str, str, int]]] = defaultdict(list)
    sizes: dict[tuple[str, str], int] = {}
    for name, own in items.items():
        for item in own:
            words = [word for text in item.texts["question"] for word in re.findall(r"\w+", text.lower())]
            sizes[name, item.id] = len(words)
            for start in range(len(words) - 7):
                grams[tuple(words[start : start + 8])].append((name, item.id, start))
    found = Judged(defaultdict(set), defaultdict(set))
    for number, row in enumerate(rows):
        covered: dict[tuple[str, str], set[int]] = defaultdict(set)
        for role, text in row.row.messages:
            words = re.findall(r"\w+", text.lower()) if role == "user" else []
            for start in range(len(words) - 7):
                for name, id, at in grams.get(tuple(words[start : start + 8]), ()):
                    covered[name, id].update(range(at, at + 8))
        found.contaminated[number] = {own for own, tokens in covered.items() if len(tokens) > sizes[own] / 2}
    return found


def table(scores: dict[str, Score], long: bool) -> Iterator[str]:
    kinds = [*EXACT_KINDS, *EDITED_KINDS, *OTHER_KINDS, SIBLING]
    shown = [kind for kind in kinds if any((kind, long) in score.recall for score in scores.values())]
    yield f"| rule | {' | '.join(shown)} |"
    yield f"|---|{'--:|' * len(shown)}"
    for name, one in scores.items():
        yield f"| {name} | {' | '.join(f'{one.recall[kind, long]:.3f}' for kind in shown)} |"


def page(scores: dict[str, Score], rows: list[Injected]) -> str:
    alarms = list(next(iter(scores.values())).alarms)
    counts = {kind: sum(row.kind == kind for row in rows) for kind in alarms}
    injected = sum(row.item is not None for row in rows)
    headings = [*(f"{kind} ({counts[kind]:,})" for kind in alarms), "right item named", f"{SIBLING}: near"]
    lines = [
        "# How well decontamination finds things",
        "",
        "Made by `python benchmarks/decontamination_quality.py`; the numbers are those of one run of it.",
        "",
        f"Items of eight real evaluation sets ({', '.join(SETS)}) are put into real rows, up to {ITEMS_OF_A_SET} of a set,",
        f"{injected:,} rows in all. Every rule is held to all items of all eight sets. The constants of `tulu_data` were",
        f"chosen on the items that seed {CHOOSING} draws; what is shown are other items, drawn by seed {JUDGING}, put into",
        "rows with other edits. Rows that nothing was put into were the same for both.",
        "",
        f"## Recall, items of {LONG} words and more",
        "",
        *table(scores, long=True),
        "",
        "## Recall, shorter items, down to three words",
        "",
        *table(scores, long=False),
        "",
        "Edits replace words of four letters and more by others. An item of ten words with one word changed has lost most",
        "of what tells it from its neighbours; rules that find it find its neighbours too. `other numbers` are siblings,",
        "the same text with every number another one: they should not be taken for leaks.",
        "",
        "## What else is taken for a leak",
        "",
        "Shares of rows that nothing was put into. GSM8K's training half holds a few near twins of test items, and",
        "instructions to code hold some of MBPP's in other words.",
        "",
        f"| rule | {' | '.join(headings)} |",
        f"|---|{'--:|' * len(headings)}",
    ]
    for name, one in scores.items():
        cells = [*(f"{one.alarms[kind]:.4f}" for kind in alarms), f"{one.named:.3f}", f"{one.near:.3f}"]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    lines += [
        "",
        "`right item named`: of all pairs of a row and an item that a rule reports in rows with an item, the share that name",
        "the one that was put in.",
        "",
        "None of these rules sees a paraphrase or a translation.",
        "",
    ]
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--out", type=Path, default=Path("docs/decontamination_quality.md"))
    arguments = parser.parse_args()
    against = sets_of(arguments.data)
    with tempfile.TemporaryDirectory() as folder:
        workspace = Workspace(Path(folder))
        items = {name: one.items(name, workspace.sources, sha256_file) for name, one in against.items()}
        chosen_on = suite(arguments.data, items, CHOOSING, set())
        seen = {(row.evaluation, row.item) for row in chosen_on if row.evaluation and row.item}
        rows = suite(arguments.data, items, JUDGING, seen)
        scores = {rule: score(rows, judged(rows, against, workspace, {"rule": rule})) for rule in RULES}
        scores["50 % rule, naive"] = score(rows, naive(rows, items))
    arguments.out.write_text(page(scores, rows), encoding="utf-8")


if __name__ == "__main__":
    main()
