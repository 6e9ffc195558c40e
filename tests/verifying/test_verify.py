"""Whatever is changed in a mixture, `verify` finds it, and changes nothing itself."""

from __future__ import annotations

import hashlib
import itertools
import json
import os
import random
import re
import resource
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from conftest import Yard, files_of, pairs, varied
from forgery import damaged, edit, plant, redraw, resign
from tulu_data.building import manifest
from tulu_data.building.build import Built
from tulu_data.evaluations.common_words import COMMON_WORDS
from tulu_data.evaluations.rules import RULES, VALUES
from tulu_data.kernels.unicode import Normaliser
from tulu_data.rows.rows import Rows
from tulu_data.rows.sft import ROLES_OF, Conversation
from tulu_data.stages.ngram_decontamination import NgramDecontamination
from tulu_data.store.durable import sha256_file
from tulu_data.store.keys import key_of
from tulu_data.store.workspace import Workspace
from tulu_data.verifying import plain_words
from tulu_data.verifying.claims import Witness
from tulu_data.verifying.levels import Check, Verification
from tulu_data.verifying.plain_rule import Rescan, Text
from word_oracle import MIXED, NAIVE

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    yard = Yard(tmp_path_factory.mktemp("verified"))
    turns = [{"role": "user", "content": "t"}, {"role": "assistant", "content": None, "tool_calls": [{"id": "1"}]}]
    yard.jsonl("a.jsonl", [*varied(120), b"\xff", *pairs(3) * 2])
    yard.jsonl("b.jsonl", [{"messages": turns}])
    return yard.mix(
        sources={"a": {"jsonl": "a.jsonl", "max_quarantined": 1, "rows": 110}, "b": {"jsonl": "b.jsonl"}},
        stages=[
            {"length_filter": {"max_characters": 60}},
            {"exact_dedup": {"max_removed": 1}},
            {"weighted_mix": {"weights": {"a": 20, "b": 1}, "max_repeat": 4, "rows": 80, "max_removed": 1}},
        ],
        output={"shard_rows": 30, "splits": {"test": 5}},
    )


@pytest.fixture
def folder(built: Built, tmp_path: Path) -> Path:
    copy = tmp_path / "copy"
    shutil.copytree(built.mixture.folder, copy)
    return copy


def test_a_mixture_as_it_was_built_holds_and_is_not_touched(built: Built):
    before = files_of(built.mixture.folder)
    verification = Verification(built.mixture.folder).run()
    assert [(check.level, check.wrong) for check in verification.checks] == [
        (level, "") for level in ("L0", "L1", "L1", "L1", "L2", "L2", "L1", "L2")
    ]
    assert not any(check.unproven for check in verification.checks)
    assert files_of(built.mixture.folder) == before


def flip(folder: Path) -> None:
    path = min(folder.glob("data/*"))
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def count(facts: dict[str, Any]) -> None:
    facts["sources"]["a"]["kept"] += 1


def swap(folder: Path) -> None:
    facts = json.loads((folder / "manifest.json").read_text())
    facts["root"] = "0" * 64
    build = facts["build"]
    facts["version"] = key_of(root=facts["root"], recipe=build["recipe"], inputs=build["inputs"], limit=None)[:12]
    manifest.seal(folder, facts)


def forge_row(folder: Path) -> None:
    path = min(folder.glob("data/train*"))
    edit(path, lambda rows: rows.set_column(rows.schema.get_field_index("source"), "source", pa.repeat("b", len(rows))))
    resign(folder)


def drop_row(folder: Path) -> None:
    edit(min(folder.glob("data/train*")), lambda rows: rows.slice(1))
    resign(folder, lambda facts: facts["sources"]["a"].update(written=facts["sources"]["a"]["written"] - 1))


@pytest.mark.parametrize(
    ("damage", "wrong"),
    [
        (flip, r"data/.*: has another sha256 than the manifest says"),
        (lambda folder: (flip(folder), resign(folder)), r"CRC|can't be read"),
        (lambda folder: min(folder.glob("data/*")).unlink(), r"data/test-.*: is missing"),
        (
            lambda folder: (folder / "data/extra.parquet").write_bytes(b""),
            r"data/extra\.parquet: is not in the manifest",
        ),
        (lambda folder: resign(folder, count), r"a: the manifest says kept \d+, the tables say \d+"),
        (
            lambda folder: (edit(folder / "evidence/exact_dedup.parquet", lambda rows: rows.slice(1)), resign(folder)),
            r"evidence/exact_dedup\.parquet: its rows are not those that exact_dedup removed",
        ),
        (
            lambda folder: ((folder / "evidence/length_filter.parquet").unlink(), resign(folder)),
            r"evidence/length_filter\.parquet: is missing",
        ),
        (swap, r"the root of the rows is not the manifest's"),
        (forge_row, r"a: the manifest says written|its id is not that of its content"),
        (drop_row, r"rows are written, the ledger says"),
        (lambda folder: (folder / "SHA256SUMS").write_text(""), r"SHA256SUMS: \S+ has the sum None"),
        (
            lambda folder: (folder / "manifest.json").write_text("[]"),
            r"manifest\.json: is not a 'tulu-data manifest 1'",
        ),
        (lambda folder: (folder / "manifest.json").write_text("{"), r"manifest\.json: can't be read \(EOF"),
        (lambda folder: (folder / "data/link").symlink_to("/etc/passwd"), r"data/link: is a link"),
        (lambda folder: (folder / "more").symlink_to("/etc"), r"more: is a link"),
        (lambda folder: os.mkfifo(folder / "data/pipe"), r"data/pipe: is not a plain file"),
        (lambda folder: (folder / "more.txt").write_text(""), r"more\.txt: is not in the manifest"),
        (
            lambda folder: (
                edit(folder / "ledger/ledger.parquet", lambda rows: rows.take(list(range(len(rows)))[::-1])),
                resign(folder),
            ),
            r"ledger/ledger\.parquet: 'id' is not sorted, or has a value twice",
        ),
    ],
)
def test_what_was_changed_is_found(folder: Path, damage: Callable[[Path], object], wrong: str):
    damage(folder)
    before = files_of(folder)
    verification = Verification(folder).run()
    assert not verification.holds
    failed = [check.wrong for check in verification.checks if not check.holds]
    assert len(failed) == 1
    assert pl.Series(failed).str.contains(wrong).all(), failed
    assert files_of(folder) == before


# L3: the rows once more

LEAK = "Two trains leave the same station at noon, one at 60 km/h and one at 90 km/h."
TWIN = "Every morning the baker of our street opens the shop at six and sells forty warm loaves before the bells ring"
QUESTIONS = [
    {"question": LEAK, "answer": "30"},
    {"question": "Name the only capital", "answer": "Strelsau"},
    {"question": "Ann has 12 apples and gives a third of them to Bo; how many are left?", "answer": "8"},
]


class Claimed(NamedTuple):
    """A mixture whose rows are claimed to be clean and different, and the folder of its evaluation files."""

    folder: Path
    evals: Path

    def checked(self, *places: Path) -> list[Check]:
        """What the witness says."""
        given = places or (self.evals,)
        run = Verification(self.folder, lambda facts: Witness(self.folder, facts, given, self.evals / "cache")).run()
        assert all(check.holds for check in run.checks if check.level != "L3"), run.checks
        return [check for check in run.checks if check.level == "L3"]

    def wrong(self, *places: Path) -> str:
        return "; ".join(check.wrong for check in self.checked(*places) if check.wrong)


@pytest.fixture(scope="module", params=["tulu_data", "tulu3", "llama3", "longest", "decon", "gpt3"])
def original(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Claimed:
    yard = Yard(tmp_path_factory.mktemp(request.param))
    yard.jsonl(
        "a.jsonl", [*pairs(40), {"prompt": LEAK, "response": "!"}, {"prompt": TWIN, "response": TWIN}, *pairs(3)]
    )
    evals = yard.jsonl("evals/e.jsonl", QUESTIONS)
    against = {"e": {"jsonl": str(evals), "question": "question", "answer": "answer"}}
    built = yard.mix(
        sources={"a": {"jsonl": "a.jsonl"}},
        stages=[
            {"ngram_decontamination": {"rule": request.param, "against": against}},
            {"exact_dedup": {"max_removed": 1}},
            {"minhash_dedup": {"max_removed": 1}},
        ],
    )
    return Claimed(built.mixture.folder, evals.parent)


@pytest.fixture
def claimed(original: Claimed, tmp_path: Path) -> Claimed:
    shutil.copytree(original.folder, tmp_path / "mixture")
    shutil.copytree(original.evals, tmp_path / "evals")
    return Claimed(tmp_path / "mixture", tmp_path / "evals")


def test_rows_as_they_were_built_are_clean_by_plain_code_too(claimed: Claimed):
    before = files_of(claimed.folder)
    assert [(check.wrong, check.unproven) for check in claimed.checked()] == [("", "")] * 4
    assert files_of(claimed.folder) == before


def test_a_planted_evaluation_item_is_found_though_all_was_signed_anew(claimed: Claimed):
    plant(claimed.folder, f"Help! {LEAK} Please.", "I can't.")
    assert "holds item 1 of e" in claimed.wrong()


def test_a_short_item_is_found_as_well(claimed: Claimed):
    plant(claimed.folder, "Well: name the ONLY capital, now", "Strelsau")
    assert "holds item 2 of e (1.000)" in claimed.wrong()


def test_other_rows_are_no_items(claimed: Claimed):
    plant(claimed.folder, "Two trains are red. Name the capital; Ann has apples.", "I see.")
    assert claimed.wrong() == ""


def test_a_near_duplicate_and_a_copy_that_were_added_are_found(claimed: Claimed):
    plant(claimed.folder, TWIN, f"{TWIN} again")
    assert "have a Jaccard similarity of 0.9" in claimed.wrong()
    plant(claimed.folder, "What is 5 + 5?", "It is  10.")
    assert "have a Jaccard similarity of 1.000" in claimed.wrong()


def test_a_swapped_evaluation_set_is_found(claimed: Claimed):
    (claimed.evals / "e.jsonl").write_text('{"question": "Something quite different from all of that here?"}\n')
    assert "has the sha256 of e (sha256 " in claimed.wrong()


def test_a_manifest_signed_for_another_evaluation_set_is_found(claimed: Claimed):
    other = claimed.evals / "other.jsonl"
    other.write_text("".join(json.dumps(item) + "\n" for item in QUESTIONS[:2]))

    def swap_set(facts: dict[str, Any]) -> None:
        facts["stages"][0]["evaluations"]["e"]["files"] = [hashlib.sha256(other.read_bytes()).hexdigest()]

    resign(claimed.folder, swap_set)
    redraw(claimed.folder)
    assert "e: the manifest counts 3 items, its files have 2" in claimed.wrong()

    def count_as(facts: dict[str, Any]) -> None:
        swap_set(facts)
        facts["stages"][0]["evaluations"]["e"].update(items=1, indexed=1, short=0)

    other.write_text(
        '{"question": "Something quite different from all of that, which nobody in this place has ever asked before?", "answer": ""}\n'
    )
    edit(
        claimed.folder / "evidence/ngram_decontamination.parquet",
        lambda rows: rows.set_column(rows.schema.get_field_index("item"), "item", pa.array(["9"] * len(rows))),
    )
    resign(claimed.folder, count_as)
    redraw(claimed.folder)
    assert "evidence/ngram_decontamination.parquet: names item 9 of e, which does not have it" in claimed.wrong()


def test_what_is_not_here_is_open_and_not_clean(claimed: Claimed):
    run = Verification(claimed.folder, lambda facts: Witness(claimed.folder, facts, (), claimed.evals)).run()
    assert run.holds
    told = [check.unproven for check in run.checks if check.unproven]
    assert told[0].startswith("no file has the sha256 of e (sha256 ")
    assert told[1] == "not all evaluation sets are here"


def test_a_manifest_of_another_version_is_found(claimed: Claimed):
    resign(claimed.folder, lambda facts: facts.update(version="0123456789ab"))
    (check,) = [check for check in Verification(claimed.folder).run().checks if not check.holds]
    assert "its version 0123456789ab is not that of its root, recipe and inputs" in check.wrong


def test_a_manifest_that_was_taken_from_another_version_is_found(folder: Path, original: Claimed):
    for name in ("manifest.json", "SHA256SUMS"):
        shutil.copy(original.folder / name, folder / name)
    (wrong,) = [check.wrong for check in Verification(folder).run().checks if check.wrong]
    assert re.search(r"data/.*: is (missing|not in the manifest)|has another sha256 than the manifest says", wrong)


def test_code_of_a_stranger_is_not_run(claimed: Claimed, tmp_path: Path):
    (tmp_path / "boom.py").write_text("raise SystemExit(99)")
    theirs = {"from": f"{tmp_path}/boom.py:Boom", "claims": None}
    resign(claimed.folder, lambda facts: facts["stages"][0].update(theirs))
    run = Verification(claimed.folder, lambda facts: Witness(claimed.folder, facts), lambda facts: {}).run()
    assert run.holds
    assert [check.unproven for check in run.checks if "code of its own" in check.unproven] == [
        "it is code of its own, which is not run",
        "a stage is code of its own, which is not run",
    ]


def test_a_result_can_lie_beside_the_mixture(claimed: Claimed):
    result = (
        Verification(claimed.folder, lambda facts: Witness(claimed.folder, facts, (claimed.evals,))).run().as_values()
    )
    (claimed.folder / "verification.json").write_text(json.dumps(result))
    again = (
        Verification(claimed.folder, lambda facts: Witness(claimed.folder, facts, (claimed.evals,))).run().as_values()
    )
    assert result == again
    assert result["manifest"] == hashlib.sha256((claimed.folder / "manifest.json").read_bytes()).hexdigest()


# Those of math_code have the kernel as their oracle: tests/kernels/test_words.py.
@pytest.mark.parametrize("normaliser", ["words", "gpt3"])
@given(text=MIXED)
def test_words_of_the_plain_code_are_those_of_the_oracle(normaliser: Normaliser, text: str):
    assert plain_words.words(text, normaliser) == NAIVE[normaliser](text)


VOCABULARY = ["ann", "has", "12", "13", "apples", "the", "of", "bo", "left", "x", "=", "+", "-", "twelve", "1,000", "½"]
SENTENCES = st.lists(st.sampled_from(VOCABULARY), min_size=1, max_size=14).map(" ".join)
MARKS = st.sampled_from([" ", " ", " ", "? ", ". ", "\n", ' "', '" ', ", ", "\\n- ", "? «", "…", ".", "'", " ("])
MARKED = st.lists(st.tuples(st.sampled_from(VOCABULARY), MARKS), min_size=1, max_size=14).map(
    lambda words: "".join(itertools.chain.from_iterable(words))
)
RULES_AND_MORE = [
    *({"rule": rule} for rule in RULES),
    {"rule": "tulu3", "n": 3, "on": "conversation", "above": "0.3"},
    {"rule": "longest", "n": 2, "at_least": "0.4"},
    {"rule": "longest", "n": 2, "at_least": "0.4", "max_item_df": 1},
    {"rule": "exact", "n": 2, "max_item_df": 1},
    {"rule": "decon", "n": 2, "full_below": 3, "relaxed_from": 9},
    {"rule": "tulu_data", "n": 2, "max_item_df": 1, "short_below": 4},
    {"rule": "palm", "n": 2, "short_items": "ignore", "max_numbers_missing": "0.1"},
    {"rule": "longest", "n": 2, "max_item_df": 1},
    {"rule": "tulu_data", "n": 2, "short_below": 5, "answer_words": 3},
    {"rule": "tulu_data", "n": 2, "near": "drop", "full_below": 3, "relaxed_from": 6, "alone_below": 4},
    {"rule": "tulu3", "n": 4, "short_items": "answered", "answer_words": 4},
]


@pytest.mark.parametrize("options", RULES_AND_MORE, ids=str)
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(
    items=st.lists(st.lists(SENTENCES | MARKED, min_size=1, max_size=2), min_size=1, max_size=4),
    replies=st.lists(st.lists(SENTENCES, max_size=2), min_size=5, max_size=5),
    rows=st.lists(st.lists(SENTENCES | MARKED, min_size=1, max_size=3), min_size=1, max_size=4),
    data=st.data(),
)
def test_the_plain_code_and_the_engine_find_the_same(
    tmp_path_factory: pytest.TempPathFactory,
    options: dict[str, Any],
    items: list[list[str]],
    replies: list[list[str]],
    rows: list[list[str]],
    data: st.DataObject,
):
    items = [["ann has 12 apples and 13 for bo of the left"], *items]
    rows = [*rows, items[-1] * 2, *(hidden(text, own, data) for (text, *_), own in zip(items, replies, strict=False))]
    check_both(Yard(tmp_path_factory.mktemp("same")), options, items, replies, rows)


def test_an_item_of_which_one_short_text_is_whole_is_near_for_both(yard: Yard):
    items, rows = [["1,000 ", "bo"], ["ann has 12 apples"]], [["They are 13 for x 1,000"]]
    assert check_both(yard, {"rule": "tulu_data"}, items, [[], []], rows) == {(0, "1", True): pytest.approx(2 / 3)}


def check_both(
    yard: Yard, options: dict[str, Any], items: list[list[str]], replies: list[list[str]], rows: list[list[str]]
) -> dict[tuple[int, str, bool], float]:
    """What the engine finds: the value of a row and an item, and whether it is near; the plain code must find the same."""
    records = [
        {"question": texts, "answer": own[:1], "choices": own} for texts, own in zip(items, replies, strict=False)
    ]
    path = yard.jsonl("e.jsonl", records)
    described = {"jsonl": str(path), "question": "question", "answer": "answer", "choices": "choices"}
    stage = NgramDecontamination.model_validate({"against": {"e": described}, **options})
    stage = stage.prepare(Workspace(yard.root / "workspace"), sha256_file)
    conversations = [Conversation([*(("user", text) for text in texts), ("assistant", "ann")]) for texts in rows]
    measures = (
        stage.measuring()
        .measure(Rows.of(conversations))
        .insert_column(0, pl.Series("row", range(len(rows)), pl.UInt32))
    )
    pairs = stage.pairs(measures)
    reached = pairs.filter("is_reached").select("row", "id", "value", "is_near").iter_rows()
    found = {(row, item, is_near): value for row, item, value, is_near in reached}
    texts = [
        Text("e", str(number), own, answers[:1], answers)
        for number, (own, answers) in enumerate(zip(items, replies, strict=False), 1)
    ]
    plain = Rescan(stage.model_dump(mode="json"), texts, COMMON_WORDS)
    again = {
        (row, match.item, match.is_near): match.value
        for row, conversation in enumerate(conversations)
        for match in plain.matches((role in ROLES_OF[stage.on], text) for role, text in conversation.messages)
    }
    for row, item in pairs.filter(is_tied(stage)).select("row", "id").iter_rows():
        for is_near in (False, True):
            found.pop((row, item, is_near), None)
            again.pop((row, item, is_near), None)
    assert again == pytest.approx(found, abs=1e-5)
    account = stage.facts()["evaluations"]["e"]
    assert plain.counts("e") == {kind: account[kind] for kind in ("items", "indexed", "short", "unusable")}
    return found


def hidden(text: str, replies: list[str], data: st.DataObject) -> list[str]:
    """A text of an item as it is hidden in a row: embedded, cut, with a word replaced, its answers after it."""
    words = text.split(" ")
    place = data.draw(st.integers(0, len(words) - 1))
    changed = data.draw(
        st.sampled_from(
            [words, words[: place + 1], [*words[:place], data.draw(st.sampled_from(VOCABULARY)), *words[place + 1 :]]]
        )
    )
    before, after = data.draw(MARKS), data.draw(MARKS)
    embedded = f"{data.draw(MARKED)}{before}{' '.join(changed)}{after}{data.draw(MARKED)}"
    return [data.draw(st.sampled_from([embedded, " ".join(changed)])), *replies]


def is_tied(stage: NgramDecontamination) -> pl.Expr:
    """Whether some value is within rounding of what it is held to."""
    overlap, tied = VALUES["overlap"], pl.lit(value=False)
    for value, threshold in (
        (VALUES[stage.statistic], stage.threshold(pl.col("words"))),
        (VALUES[stage.statistic], stage.threshold(pl.col("plain"))),
        (overlap, pl.lit(float(stage.answered_from or 0))),
        (pl.col("idf") / pl.col("idf_all"), pl.lit(float(stage.noted_from))),
    ):
        tied |= value.lt(1) & ((value - threshold).abs() < 1e-4)
    return tied


FUZZ_SECONDS = float(os.environ.get("TULU_DATA_TEST_FUZZ_SECONDS", "20"))
MOST_BYTES = 1 << 30


def test_no_file_of_a_stranger_breaks_it_or_makes_it_write(original: Claimed, tmp_path: Path):
    """Random damage, half of it signed anew: an answer comes each time, nothing is written, memory stays small."""
    draw = random.Random(int(os.environ.get("TULU_DATA_TEST_SEED", "0")))
    names = sorted(files_of(original.folder))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    end = time.monotonic() + FUZZ_SECONDS / 6
    tries = 0
    while time.monotonic() < end:
        copy = tmp_path / str(tries)
        shutil.copytree(original.folder, copy)
        path = copy / draw.choice((draw.choice(names), "manifest.json"))
        path.write_bytes(damaged(path.read_bytes(), draw))
        if path.name != "manifest.json" and draw.random() < 0.8:
            resign(copy)
        elif path.name == "manifest.json":
            manifest_sum = hashlib.sha256(path.read_bytes()).hexdigest()
            sums = (copy / "SHA256SUMS").read_text().splitlines()
            signed = [f"{manifest_sum}  manifest.json" if line.endswith("  manifest.json") else line for line in sums]
            (copy / "SHA256SUMS").write_text("".join(f"{line}\n" for line in signed))
        given = files_of(copy)
        verification = Verification(copy, lambda facts, copy=copy: Witness(copy, facts, (original.evals,))).run()
        assert verification.checks
        json.dumps(verification.as_values())
        assert files_of(copy) == given
        shutil.rmtree(copy)
        tries += 1
    assert tries > 3
    assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024 < MOST_BYTES


def test_a_table_that_expands_without_end_is_not_read_to_its_end(folder: Path):
    ledger = pq.read_table(folder / "ledger/ledger.parquet")
    many = pa.Table.from_pylist([{**ledger.to_pylist()[0], "reason": "x" * 100_000}] * 4_000, schema=ledger.schema)
    pq.write_table(many, folder / "ledger/ledger.parquet", compression="zstd", write_page_checksum=True)
    assert (folder / "ledger/ledger.parquet").stat().st_size < 400_000
    resign(folder)
    (wrong,) = [check.wrong for check in Verification(folder).run().checks if check.wrong]
    assert wrong == "ledger/ledger.parquet: expands more than 1,000 times"
