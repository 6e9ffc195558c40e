"""How well rules of decontamination find items that were put into rows, and how many false alarms they give.

    python benchmarks/decontamination_quality.py --data ../shared/data \
        --decon decon/bin/python --datatrove datatrove/bin/python

Items of eight real evaluation sets are injected into real rows in many ways: as they are,
embedded, re-wrapped, edited, cut, split over turns, with their options in another order, with
other numbers, in other typography (`typography.py`), and as Yang et al. (arXiv 2311.04850)
rephrased them. Our rule was chosen on the
items that one seed draws, and is judged on others. The results go into docs/decontamination_quality.md.

decon and datatrove get the same rows, each in a Python environment of its own: `peers.py` tells how
to make the two. Without one of them the page says that it was not measured.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import json
import random
import re
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import peers
import polars as pl
import typography

from tulu_data.evaluations.evaluation_set import EvaluationSet
from tulu_data.evaluations.item import Item
from tulu_data.evaluations.rules import RULES
from tulu_data.rows.rows import Rows
from tulu_data.rows.sft import Conversation
from tulu_data.stages.ngram_decontamination import NgramDecontamination
from tulu_data.store.durable import sha256_file
from tulu_data.store.workspace import Workspace

CHOOSING, JUDGING = 7, 2026
ITEMS_OF_A_SET = 150
LONG = 20
CLEAN = "chat"
SETS: dict[str, dict[str, Any]] = {
    "mmlu": {
        "jsonl": "evals/mmlu/mmlu_test-*.jsonl.gz",
        "question": "question",
        "answer": "answer",
        "choices": "answer",
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
        "choices": [f"question.choices.{number}.text" for number in range(5)],
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
OTHER_KINDS = ("first 70 %", "split over turns", "options reordered", "GSM8K rephrased", "HumanEval rephrased")
TYPOGRAPHIC_KINDS = tuple(typography.REWRITINGS)
SIBLING = "other numbers"
FLAGGED = ("", "")
"""A hit of a tool that does not name the item."""


class Injected(NamedTuple):
    """A row, and what was put into it: the kind, the evaluation set and the item; None for clean rows."""

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
    """Prompts and responses of real rows that are not evaluation items."""
    found = [
        (" ".join(filter(None, [row["instruction"], row["input"]])), row["response"])
        for name in ("roleplay-simple-deduped-roleplay-instruct.json", "toolformer-similarity-0.6-dataset.json")
        for row in json.loads((data / "train/gpteacher" / name).read_text(encoding="utf-8"))
    ]
    lines = (data / "train/octopack_oasst/oasstcommitpackftmanual.jsonl").read_text(encoding="utf-8").splitlines()
    found += [(row["prompt"], row["completion"]) for row in map(json.loads, lines)]
    return [(prompt, response) for prompt, response in found if prompt and response]


def reordered(data: Path) -> dict[str, str]:
    """MMLU's questions with their options in another order, by item."""
    questions: dict[str, str] = {}
    options: dict[str, list[str]] = defaultdict(list)
    for path in sorted(data.glob(SETS["mmlu"]["jsonl"])):
        with gzip.open(path, "rt", encoding="utf-8") as file:
            for line in map(json.loads, file):
                id = f"{line['config']}/{line['eval_instance_index']}"
                questions[id] = line["question"]
                options[id].append(line["answer"])
    found = {}
    for id, question in questions.items():
        # A separate draw, so that the others do not change: the rule was chosen on them.
        drawn = random.Random(id).sample(options[id], len(options[id]))  # noqa: S311 (no secret)
        listed = "".join(f"\n{letter}. {option}" for letter, option in zip("ABCDEFGH", drawn, strict=False))
        found[id] = question + listed
    return found


def rephrased(data: Path, items: dict[str, list[Item]]) -> Iterator[Injected]:
    """All items that Yang et al. rephrased.

    Their files do not name items: their lines are in the order of the originals. All 1,319 final answers of
    GSM8K agree, line by line, and 130 of HumanEval's 147 solutions pass the tests of the task at
    their line. Four texts of GSM8K and 17 of HumanEval are empty.
    """
    folder, (_, response) = data / "evals/llm_decontaminator", base_rows(data)[0]
    originals = _lines(data / SETS["gsm8k"]["jsonl"])
    texts: dict[str, list[str]] = {"GSM8K": [], "HumanEval": []}
    for number, (original, line) in enumerate(
        zip(originals, _lines(folder / "rephrase_gsm8k.jsonl"), strict=True), start=1
    ):
        question, answer = line["text"].removeprefix("Question:").rsplit("Answer:", 1)
        if _final(answer) != _final(original["answer"]):
            raise ValueError(f"rephrased GSM8K, line {number}: another answer than that of the original")
        texts["GSM8K"].append(question.strip())
    texts["HumanEval"] = [line["text"] for line in _lines(folder / "humaneval_python.jsonl")]
    for title, own in texts.items():
        for item, text in zip(items[title.lower()], own, strict=True):
            if text:
                turns = [("user", text), ("assistant", response)]
                count = len(re.findall(r"\w+", item.texts["question"][0]))
                yield Injected(Conversation(turns), f"{title} rephrased", title.lower(), item.id, count)


def _lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def _final(answer: str) -> str:
    return answer.rsplit("####", 1)[1].strip().replace(",", "")


_WORD = re.compile(r"[A-Za-z]{4,}")
_NUMBER = re.compile(r"\d+")


def edited(text: str, count: int, draw: random.Random, vocabulary: list[str]) -> str | None:
    """The text with some words replaced, far from each other, so that they break many n-grams."""
    places = list(_WORD.finditer(text))
    if len(places) < 2 * count:
        return None
    for place in sorted(draw.sample(places, count), key=lambda place: -place.start()):
        text = text[: place.start()] + draw.choice(vocabulary) + text[place.end() :]
    return text


def renumbered(text: str, draw: random.Random) -> str | None:
    """The text with every number replaced by one of as many digits; None if it has fewer than two."""
    if len(_NUMBER.findall(text)) < 2:
        return None

    def other(found: re.Match[str]) -> str:
        digits = len(found[0])
        low = 10 ** (digits - 1) if digits > 1 else 2
        return str(draw.choice([number for number in range(low, low + 40) if str(number) != found[0]]))

    return _NUMBER.sub(other, text)


def injections(
    name: str,
    item: Item,
    other_order: str | None,
    base: tuple[str, str],
    draw: random.Random,
    vocabulary: list[str],
    seed: int,
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
    if other_order is not None:
        yield of("options reordered", other_order)
    if (sibling := renumbered(text, draw)) is not None:
        yield of(SIBLING, sibling)
    for kind, rewritten in typography.REWRITINGS.items():
        # A separate draw, so that the other kinds do not change.
        if (other := rewritten(text, random.Random(f"{seed} {kind} {item.id}"))) is not None:  # noqa: S311 (no secret)
            yield of(kind, other)


def suite(data: Path, items: dict[str, list[Item]], seed: int, without: set[tuple[str, str]]) -> list[Injected]:
    """All rows: real rows with an item put in, and rows without one."""
    draw = random.Random(seed)  # noqa: S311 (no secret)
    bases = base_rows(data)
    vocabulary = sorted({word for prompt, _ in bases[:400] for word in _WORD.findall(prompt.lower())})
    orders = reordered(data)
    found: list[Injected] = []
    for name, own in items.items():
        usable = [item for item in own if len(item.texts["question"]) == 1 and (name, item.id) not in without]
        for item in draw.sample(usable, min(ITEMS_OF_A_SET, len(usable))):
            found += injections(name, item, orders.get(item.id), draw.choice(bases), draw, vocabulary, seed)
    for prompt, response in bases:
        found.append(Injected(Conversation([("user", prompt), ("assistant", response)]), CLEAN, None, None, 0))
    return [*found, *hard_negatives(data)]


def hard_negatives(data: Path) -> Iterator[Injected]:
    """Rows that resemble evaluation items: GSM8K's training half and instructions to code."""
    for line in (data / "train/gsm8k_train/train.jsonl").read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        turns = [("user", row["question"]), ("assistant", row["answer"])]
        yield Injected(Conversation(turns), "GSM8K train", None, None, 0)
    for row in json.loads((data / "train/gpteacher/codegen-instruct.json").read_text(encoding="utf-8")):
        turns = [("user", " ".join(filter(None, [row["instruction"], row["input"]]))), ("assistant", row["response"])]
        yield Injected(Conversation(turns), "instructions to code", None, None, 0)


VERDICTS = Path(__file__).with_name("mbpp_verdicts.csv")


def verdicts(data: Path) -> tuple[list[Injected], dict[tuple[int, str], bool]]:
    """The rows that `tulu3` calls leaks of MBPP, read by hand: for each pair of a row and an item, whether it is one."""
    numbers: dict[tuple[str, str], int] = {}
    leaks: dict[tuple[int, str], bool] = {}
    with VERDICTS.open(encoding="utf-8", newline="") as file:
        for line in csv.DictReader(file):
            row = numbers.setdefault((line["file"], line["row"]), len(numbers))
            leaks[row, line["item"]] = line["verdict"] == "leak"
    rows = []
    for name, number in numbers:
        record = json.loads((data / name).read_text(encoding="utf-8"))[int(number) - 1]
        response = record.get("response", record.get("output"))
        turns = [("user", " ".join(filter(None, [record["instruction"], record["input"]]))), ("assistant", response)]
        rows.append(Injected(Conversation(turns), "read by hand", None, None, 0))
    return rows, leaks


class Judged(NamedTuple):
    """For each row the items that a rule finds, and those that it calls near; None if it does not know near items."""

    contaminated: dict[int, set[tuple[str, str]]]
    near: dict[int, set[tuple[str, str]]] | None = None


def judged(
    rows: list[Injected], against: dict[str, EvaluationSet], workspace: Workspace, options: dict[str, Any]
) -> Judged:
    stage = NgramDecontamination.model_validate({"against": against, **options}).prepare(workspace, sha256_file)
    measures = stage.measuring().measure(Rows.of([row.row for row in rows]))
    numbered = measures.insert_column(0, pl.Series("row", range(len(rows)), dtype=pl.UInt32))
    pairs = stage.pairs(numbered)
    is_able = stage.max_numbers_missing is not None
    return Judged(_hits(pairs.filter("is_contaminated")), _hits(pairs.filter("is_near")) if is_able else None)


def _hits(pairs: pl.DataFrame) -> dict[int, set[tuple[str, str]]]:
    found: dict[int, set[tuple[str, str]]] = defaultdict(set)
    for row, evaluation, item in pairs.select("row", "evaluation", "id").iter_rows():
        found[row].add((evaluation, item))
    return found


def judged_by(tool: str, python: Path, rows: list[Injected], items: dict[str, list[Item]]) -> Judged:
    """The hits of another tool: it gets all messages of a row as one text."""
    found: dict[int, set[tuple[str, str]]] = defaultdict(set)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        peers.write_items(
            folder,
            ((name, item.id, text) for name, own in items.items() for item in own for text in item.texts["question"]),
        )
        peers.write_rows(folder / "rows/0.jsonl", ("\n\n".join(text for _, text in row.row.messages) for row in rows))
        for hit in peers.hits(tool, python, folder):
            found[hit["row"]].add((hit["evaluation"], hit["item"]) if "item" in hit else FLAGGED)
    return Judged(found)


class Score(NamedTuple):
    """A rule on some rows: for each row with an item its kind, set, whether the item is long, whether it was found.

    Shares of siblings that are near, of false alarms by kind, and of hits that name the right item.
    """

    found: list[tuple[str, str, bool, bool]]
    near: float | None
    alarms: dict[str, float]
    named: float | None

    def recall(self, *kinds: str, evaluation: str | None = None, long: bool | None = None) -> float | None:
        """The share found of some kinds, in one set or in all, of long items, short ones or all."""
        return _mean(
            [
                is_found
                for kind, name, is_long, is_found in self.found
                if kind in kinds and evaluation in (None, name) and long in (None, is_long)
            ]
        )


def _mean(values: list[bool]) -> float | None:
    return sum(values) / len(values) if values else None


def score(rows: list[Injected], judged: Judged) -> Score:
    found: list[tuple[str, str, bool, bool]] = []
    alarms: dict[str, list[bool]] = defaultdict(list)
    near: list[bool] = []
    named: list[bool] = []
    for number, row in enumerate(rows):
        hits = judged.contaminated.get(number, set())
        if row.evaluation is None or row.item is None:
            alarms[row.kind].append(bool(hits))
            continue
        own = (row.evaluation, row.item)
        found.append((row.kind, row.evaluation, row.words >= LONG, own in hits or FLAGGED in hits))
        named += [hit == own for hit in hits if hit != FLAGGED]
        if row.kind == SIBLING and judged.near is not None:
            near.append(own in judged.near.get(number, set()))
    return Score(found, _mean(near), {kind: sum(hits) / len(hits) for kind, hits in alarms.items()}, _mean(named))


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
    found = Judged({})
    for number, row in enumerate(rows):
        covered: dict[tuple[str, str], set[int]] = defaultdict(set)
        for role, text in row.row.messages:
            words = re.findall(r"\w+", text.lower()) if role == "user" else []
            for start in range(len(words) - 7):
                for name, id, at in grams.get(tuple(words[start : start + 8]), ()):
                    covered[name, id].update(range(at, at + 8))
        found.contaminated[number] = {own for own, tokens in covered.items() if len(tokens) > sizes[own] / 2}
    return found


def line(name: str, cells: Iterable[float | None], digits: int = 3) -> str:
    return f"| {name} | {' | '.join('–' if cell is None else f'{cell:.{digits}f}' for cell in cells)} |"


def head(*names: str) -> list[str]:
    return [f"| rule | {' | '.join(names)} |", f"|---|{'--:|' * len(names)}"]


WORDED_KINDS = (*EXACT_KINDS, *EDITED_KINDS, *OTHER_KINDS, SIBLING)


def by_kind(scores: dict[str, Score], among: tuple[str, ...], long: bool) -> Iterator[str]:
    present = {kind for kind, _, is_long, _ in next(iter(scores.values())).found if is_long == long}
    kinds = [kind for kind in among if kind in present]
    yield from head(*kinds)
    for name, one in scores.items():
        yield line(name, [one.recall(kind, long=long) for kind in kinds])


def by_hand(found: dict[str, Judged], leaks: dict[tuple[int, str], bool]) -> Iterator[str]:
    real = sum(leaks.values())
    yield from head(f"leaks ({real})", f"others ({len(leaks) - real})")
    for name, one in found.items():
        marked = [
            is_leak
            for (row, item), is_leak in leaks.items()
            if {("mbpp", item), FLAGGED} & one.contaminated.get(row, set())
        ]
        yield f"| {name} | {sum(marked)} | {len(marked) - sum(marked)} |"


def by_set(scores: dict[str, Score], kinds: tuple[str, ...]) -> Iterator[str]:
    yield from head(*SETS)
    for name, one in scores.items():
        yield line(name, [one.recall(*kinds, evaluation=evaluation) for evaluation in SETS])


def page(
    scores: dict[str, Score], rows: list[Injected], absent: list[str], marked: int, read_by_hand: Iterable[str]
) -> str:
    alarms = list(next(iter(scores.values())).alarms)
    counts = {kind: sum(row.kind == kind for row in rows) for kind in alarms}
    injected = sum(row.item is not None for row in rows)
    lines = [
        "# How well decontamination finds things",
        "",
        "This page is written by `python benchmarks/decontamination_quality.py`. The numbers are those of one run.",
        "",
        f"Items of eight real evaluation sets ({', '.join(SETS)}) are put into real",
        f"rows, up to {ITEMS_OF_A_SET} items of a set, {injected:,} rows in all. Every rule is tested with all items of all eight sets. The",
        f"constants of `tulu_data` were chosen on the items that seed {CHOOSING} draws. The tables show other items, drawn by",
        f"seed {JUDGING} and put into rows with other edits. The rows without an item were the same for both.",
        "",
        "`tulu_data` to `exact` are rules of this project. The naive rule is `tulu3` in plain Python, without short items.",
        f"The other two lines are the tools {' and '.join(peers.LABELS.values())}, with a row's messages as",
        "one text, and with their defaults ([peers.py](../benchmarks/peers.py) lists the settings). datatrove does not tell which item",
        "it found, so any hit in a row counts as a find.",
        *(f"**{peers.LABELS[tool]} was not installed, and is not in the tables.**" for tool in absent),
        "",
        "*Recall* is the share of the rows with an item in which the rule finds that item. Each column is a way in which the item",
        "was changed.",
        "",
        f"## Recall, items of {LONG} words and more",
        "",
        *by_kind(scores, WORDED_KINDS, long=True),
        "",
        "## Recall, shorter items, down to three words",
        "",
        *by_kind(scores, WORDED_KINDS, long=False),
        "",
        "Edits replace words of four letters and more by others. An item of ten words with one word changed has lost most",
        "of what distinguishes it from similar items, so rules that find it also find the similar ones. `other numbers` are siblings,",
        "the same text with every number changed: a good rule does not find them. `options reordered` is MMLU's",
        "question followed by its options in another order. `rephrased` are all items as a model reworded them for Yang et al.",
        "2023 (arXiv 2311.04850), HumanEval with its solution.",
        "",
        f"## Recall in other typography, items of {LONG} words and more",
        "",
        *by_kind(scores, TYPOGRAPHIC_KINDS, long=True),
        "",
        "## Recall in other typography, shorter items",
        "",
        *by_kind(scores, TYPOGRAPHIC_KINDS, long=False),
        "",
        "These are the same items in other typography ([typography.py](../benchmarks/typography.py)). `separators`: with other or no",
        "separators between groups of three digits. `numbers in words` and `words in digits`: numbers up to a million in English words,",
        "and number words in digits. `other digits`: digits of full width and of other scripts. `unseen characters`: zero-width,",
        "direction and variation characters within words. `other forms`: ligatures, letters of full width and of mathematics, accents",
        "apart from their letters. The formulas have other LaTeX commands, are in Unicode, or have white space for every sign. `marked",
        "words`: Markdown and tags around words. `escaped`: entities, `<br>` and literal `\\n` between words.",
        "",
        f"## Recall by set: {', '.join(EXACT_KINDS)}",
        "",
        *by_set(scores, EXACT_KINDS),
        "",
        "## Recall by set: 1, 2 and 3 words edited",
        "",
        *by_set(scores, EDITED_KINDS),
        "",
        "## Alarms",
        "",
        "The share of the rows without an item that a rule calls contaminated. GSM8K's training half contains a few rows that are nearly",
        "test items, and the instructions to code contain some items of MBPP in other words.",
        "",
        *head(*(f"{kind} ({counts[kind]:,})" for kind in alarms)),
        *(line(name, [one.alarms[kind] for kind in alarms], 4) for name, one in scores.items()),
        "",
        "## Alarms of the 50 % rule, read by hand",
        "",
        f"`tulu3` marks {marked} pairs of an item of MBPP and a row of GPTeacher's instructions to code or of Alpaca. All of them were read",
        "([verdicts](../benchmarks/mbpp_verdicts.csv)). In a *leak*, the row asks for what the item asks for, in Python or without naming",
        "a language; the same task for Java does not count. The *others* share only the way in which tasks begin.",
        "",
        *read_by_hand,
        "",
        "`tulu_data` finds the four leaks that keep the item's words after the first verb (`implement` for `write`). The two that it",
        "misses are reworded.",
        "",
        "## Which item is named, and which is near",
        "",
        *head("right item named", f"{SIBLING}: contaminated", f"{SIBLING}: near"),
        *(line(name, [one.named, one.recall(SIBLING), one.near]) for name, one in scores.items()),
        "",
        "`right item named`: rules report pairs of a row and an item; of the pairs in rows with an item, this is the share that name",
        "the item that was put in. `other numbers`: the share of siblings that a rule calls contaminated, or near.",
        "",
        "No rule recognises a paraphrase or a translation as such. The rephrased items that are found kept enough of their words.",
        "",
        "",
    ]
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--out", type=Path, default=Path("docs/decontamination_quality.md"))
    for tool, label in peers.LABELS.items():
        parser.add_argument(f"--{tool}", type=Path, metavar="PYTHON", help=f"a Python that has {label}")
    arguments = parser.parse_args()
    pythons = {tool: getattr(arguments, tool) for tool in peers.LABELS}
    absent = [tool for tool, python in pythons.items() if python is None]
    for tool in absent:
        print(f"--{tool} is not given: {peers.LABELS[tool]} is left out", file=sys.stderr)
    against = sets_of(arguments.data)
    with tempfile.TemporaryDirectory() as folder:
        workspace = Workspace(Path(folder))
        items = {name: one.items(name, workspace.sources, sha256_file) for name, one in against.items()}

        def all_judge(rows: list[Injected]) -> dict[str, Judged]:
            ours = {rule: judged(rows, against, workspace, {"rule": rule}) for rule in RULES}
            tools = {
                label: judged_by(tool, pythons[tool], rows, items)
                for tool, label in peers.LABELS.items()
                if tool not in absent
            }
            return {**ours, "50 % rule, naive": naive(rows, items), **tools}

        chosen_on = suite(arguments.data, items, CHOOSING, set())
        seen = {(row.evaluation, row.item) for row in chosen_on if row.evaluation and row.item}
        rows = [*suite(arguments.data, items, JUDGING, seen), *rephrased(arguments.data, items)]
        scores = {name: score(rows, found) for name, found in all_judge(rows).items()}
        read, leaks = verdicts(arguments.data)
        text = page(scores, rows, absent, len(leaks), by_hand(all_judge(read), leaks))
        more = [
            *answered(rows, items),
            *(row for row in rows if row.kind == BEGINNING),
            *other_prompts(arguments.data, items),
        ]
        text += "\n".join(little_evidence(more, all_judge(more)))
    arguments.out.write_text(text, encoding="utf-8")


# Items of which a row has little: the kinds that can be told from other text, and other text that looks like them.

BEGINNING = "first 70 %"
INSTRUCTIONS, ALGEBRA = "instructions", "problems of algebra"


def answered(rows: list[Injected], items: dict[str, list[Item]]) -> Iterator[Injected]:
    """The edited items of fewer words than `LONG`, with their choices or their first answer beside them."""
    by_id = {(name, item.id): item for name, own in items.items() for item in own}
    for row in rows:
        if row.kind not in EDITED_KINDS or row.words >= LONG or row.evaluation is None or row.item is None:
            continue
        item = by_id[row.evaluation, row.item]
        (_, text), *_ = row.row.messages
        if choices := item.texts["choices"]:
            listed = "".join(f"\n{letter}. {choice}" for letter, choice in zip("ABCDEFGH", choices, strict=False))
            yield row._replace(row=Conversation([("user", text + listed), ("assistant", "B")]))
        elif item.answers:
            yield row._replace(row=Conversation([("user", text), ("assistant", item.answers[0])]))


def other_prompts(data: Path, items: dict[str, list[Item]]) -> Iterator[Injected]:
    """Instructions to chat, and MATH's training problems without copies of items."""
    for path in sorted((data / "noncommercial/train/alpaca_en_52k").glob("*.json")):
        for row in json.loads(path.read_text(encoding="utf-8")):
            turns = [
                ("user", "\n".join(filter(None, [row["instruction"], row["input"]]))),
                ("assistant", row["output"]),
            ]
            yield Injected(Conversation(turns), INSTRUCTIONS, None, None, 0)
    known = {_letters(text) for name in ("math500", "mmlu") for item in items[name] for text in item.texts["question"]}
    (path,) = (data / "rlvr/rllm_math").rglob("*train*.json*")
    text = path.read_text(encoding="utf-8")
    for row in json.loads(text) if path.suffix == ".json" else map(json.loads, text.splitlines()):
        if _letters(row["problem"]) not in known:
            turns = [("user", row["problem"]), ("assistant", str(row["answer"]))]
            yield Injected(Conversation(turns), ALGEBRA, None, None, 0)


def _letters(text: str) -> str:
    return re.sub(r"[\W_]+", "", text.lower())


def little_evidence(rows: list[Injected], found: dict[str, Judged]) -> Iterator[str]:
    """The tables for rows with little evidence."""
    edited = [(kind, [nr for nr, row in enumerate(rows) if row.kind == kind]) for kind in EDITED_KINDS]
    cut = [
        [nr for nr, row in enumerate(rows) if row.kind == BEGINNING and (row.words >= LONG) == long]
        for long in (True, False)
    ]
    clean = [(kind, [nr for nr, row in enumerate(rows) if row.kind == kind]) for kind in (INSTRUCTIONS, ALGEBRA)]
    counts = [f"{kind}: {what} ({len(own):,})" for kind, own in clean for what in ("contaminated", "near")]
    yield from [
        "## Where there is little evidence",
        "",
        f"The first three columns are edited items of fewer than {LONG} words, with their first answer as the response or their choices",
        f"after them: the share that is contaminated. The last two are the first 70 % of items, of {LONG} words and more and of fewer:",
        "the share that is contaminated or near.",
        "",
        *head(*EDITED_KINDS, *(f"{BEGINNING}, {length}" for length in ("long", "short"))),
    ]
    for name, one in found.items():
        shares = [_mean([_is_held(rows[nr], one.contaminated.get(nr)) for nr in own]) for _, own in edited]
        near = one.near or {}
        shares += [_mean([_is_held(rows[nr], one.contaminated.get(nr), near.get(nr)) for nr in own]) for own in cut]
        yield line(name, shares)
    yield from [
        "",
        "The next table has rows without an item: Alpaca's instructions, and those of MATH's training problems that are not copies of",
        "items of MATH-500 or MMLU. Many of these problems are siblings: the same problem with another formula.",
        "",
        *head(*counts),
    ]
    for name, one in found.items():
        near = one.near or {}
        yield line(
            name,
            [_mean([bool(hits.get(nr)) for nr in own]) for _, own in clean for hits in (one.contaminated, near)],
            4,
        )
    yield ""


def _is_held(row: Injected, *hits: set[tuple[str, str]] | None) -> bool:
    return any({(row.evaluation, row.item), FLAGGED} & (own or set()) for own in hits)


if __name__ == "__main__":
    main()
