"""A kind of row is one file: whoever adds one edits nothing else."""

from __future__ import annotations

import importlib
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import pytest

import tulu_data.rows
from conftest import Yard
from tulu_data.building.ingest import FileUnit
from tulu_data.building.inputs import InputFile
from tulu_data.cli.rows import show_explanations
from tulu_data.errors import InputError, RecipeError
from tulu_data.formats.messages import Messages
from tulu_data.mixture.explain import Explainer, Explanation
from tulu_data.recipe.plan import Step
from tulu_data.recipe.reading import read
from tulu_data.rows import kind as kinds
from tulu_data.rows.kind import Kind
from tulu_data.rows.rows import Rows
from tulu_data.rows.sft import Conversation, Sft
from tulu_data.sources.jsonl import Jsonl
from tulu_data.stages.exact_dedup import ExactDedup
from tulu_data.stages.length_filter import LengthFilter
from tulu_data.store.workspace import Workspace
from tulu_data.testing import check_stage
from tulu_data.verifying.claims import Witness
from tulu_data.verifying.verify import verify

PAIR = '''"""Two lists of messages that are compared by side; a note may go with them."""

from typing import ClassVar, NamedTuple

import pyarrow as pa
from pydantic import Field

from tulu_data.errors import RecordError
from tulu_data.formats.column import Column
from tulu_data.formats.format import Format
from tulu_data.rows.kind import Kind
from tulu_data.rows.messages import WHOLE_MESSAGES, column_of


class Pair(NamedTuple):
    left: list[str]
    right: list[str]
    note: str | None

    @property
    def characters(self):
        return sum(map(len, [*self.left, *self.right]))


class Pairs(Format):
    name: ClassVar = "pairs"
    needs: ClassVar = (("left",), ("right",))

    left: Column = Field("left", description="One side")
    right: Column = Field("right", description="The other")
    note: Column = Field("note", description="A note")

    def read(self, record, drop_parts=()):
        return Pair(record[self.left], record[self.right], record.get(self.note))


def messages(texts):
    return [("user" if place % 2 == 0 else "assistant", text) for place, text in enumerate(texts)], (), ()


class PairOfTexts(Kind):
    name = "pair_of_texts"
    rows = "pairs"
    purpose = "comparing"
    tasks = ("text-ranking",)
    content: ClassVar = {"left": WHOLE_MESSAGES, "note": pa.string(), "right": WHOLE_MESSAGES}
    optional = frozenset({"note"})
    beside: ClassVar = {"note": "note"}
    on: ClassVar = {"left": "left side", "right": "right side", "both": "pair"}
    formats = ("tulu_data.rows.pair_of_texts:Pairs",)
    fine = frozenset({"last_by_user"})

    def batch(self, rows):
        every = [*rows]
        sides = {name: column_of(messages(getattr(row, name)) for row in every) for name in ("left", "right")}
        return self.batch_of({**sides, "note": pa.array([row.note for row in every], pa.string())}, len(every))

    def chosen(self, columns, on):
        everybody = ("system", "user", "assistant", "tool")
        return {name: column.have(everybody) for name, column in columns.items() if on in (name, "both")}

    def refuse(self, row, place):
        if row.left == row.right:
            return RecordError("equal_sides", f"{place} has the same texts on both sides: {row.left[0]}")
        return None

    def refuses_any(self, batch):
        return batch.column("left").to_pylist() == batch.column("right").to_pylist()
'''

LONG = "A gardener plants tulips in nine rows and wonders how many bulbs the next twelve beds need before spring"
STORY = "the old mill by the river was sold last year to a baker who grinds rye and barley every morning at four "
ROWS: list[dict[str, Any]] = [
    {"left": ["What is new?"], "right": ["Nothing at all."], "note": "first"},
    {"left": ["What is new?"], "right": ["Nothing at all."]},
    {"left": ["Nothing at all."], "right": ["What is new?"]},
    {"left": ["one apple", "two pears"], "right": ["three plums"]},
    {"left": ["one apple"], "right": ["two pears", "three plums"]},
    {"left": ["Who can help?"], "right": ["Write to ada@lovelace.org, she can."]},
    {"left": [f"Tell me: {LONG}"], "right": ["I do not know."]},
    {"left": ["Tell me something."], "right": ["Well.", f"Gladly: {LONG}"]},
    {"left": [STORY * 2], "right": ["Yes, and so it goes on."]},
    {"left": [STORY * 2], "right": ["Yes, and so it goes on now."]},
    {"left": ["x"], "right": ["y"]},
    {"left": ["ask bob@babbage.org"], "right": ["ask bob@babbage.org"]},
]


@pytest.fixture
def pair(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Kind]:
    """A kind whose file is in another folder than the program's."""
    folder = tmp_path / "kinds"
    folder.mkdir()
    (folder / "pair_of_texts.py").write_text(PAIR)
    monkeypatch.setattr(tulu_data.rows, "__path__", [*tulu_data.rows.__path__, str(folder)])
    importlib.invalidate_caches()
    yield kinds.find("pair_of_texts")
    del sys.modules["tulu_data.rows.pair_of_texts"]
    del tulu_data.rows.pair_of_texts


def stages(yard: Yard) -> list[Any]:
    path = yard.jsonl("evals/items.jsonl", [{"question": LONG}])
    against = {"garden": {"jsonl": str(path), "question": "question"}}
    return [
        "redact",
        {"length_filter": {"on": "both", "min_characters": 3}},
        {"ngram_decontamination": {"against": against, "on": "right"}},
        {"exact_dedup": {"on": "both"}},
        {"minhash_dedup": {"on": "left"}},
        {"weighted_mix": {"by": "domain", "weights": {"talk": 1}, "tokens": "all"}},
    ]


def texts_of(row: dict[str, Any]) -> tuple[list[str], list[str]]:
    left, right = ([message["content"] for message in row[side]] for side in ("left", "right"))
    return left, right


def test_rows_of_another_kind_go_through_a_whole_build_and_are_verified(
    yard: Yard, pair: Kind, capsys: pytest.CaptureFixture[str]
):
    yard.jsonl("a.jsonl", ROWS)
    source = {"jsonl": "a.jsonl", "domain": "talk", "license": "mit", "max_quarantined": 1}
    built = yard.mix(kind="pair_of_texts", sources={"a": source}, stages=stages(yard)).mixture
    assert built.rows["a"] == {
        "read": 12,
        "quarantined": 1,
        "removed": {"length_filter": 1, "ngram_decontamination": 1, "exact_dedup": 1, "minhash_dedup": 1},
        "kept": 7,
        "written": 7,
    }
    data = pl.read_parquet(built.data)
    assert data.columns == ["id", "left", "note", "right", "source", "domain", "language", "tokens"]
    kept = [texts_of(row) for row in data.iter_rows(named=True)]
    assert (["Nothing at all."], ["What is new?"]) in kept
    assert (["one apple", "two pears"], ["three plums"]) in kept
    assert (["one apple"], ["two pears", "three plums"]) in kept
    assert (["Who can help?"], ["Write to <EMAIL_1>, she can."]) in kept
    assert ([f"Tell me: {LONG}"], ["I do not know."]) in kept
    sizes = dict(zip((left[0] for left, _ in kept), data["tokens"], strict=True))
    assert sizes["Nothing at all."] == 4
    (quarantined,) = pl.read_parquet(built.folder / "quarantine.parquet").iter_rows(named=True)
    assert (quarantined["code"], quarantined["detail"]) == (
        "equal_sides",
        "the record has the same texts on both sides: ask <EMAIL_1>",
    )

    explainer = Explainer(built)
    assert _explained_by(explainer, yard, 2).reason == "same pair"
    assert _explained_by(explainer, yard, 9).fate == "minhash_dedup"
    found = explainer.with_item(_explained_by(explainer, yard, 8))
    assert found.turns is not None
    assert [(turn.label, turn.role, turn.place) for turn in found.turns] == [
        ("left", "user", ("left", 0)),
        ("right", "user", ("right", 0)),
        ("right", "assistant", ("right", 1)),
    ]
    turn = found.turns[found.evidence["message"]]
    assert turn.text[found.evidence["start"] : found.evidence["end"]] == LONG
    assert found.marks is not None
    assert [bool(spans) for spans in found.marks.messages] == [False, False, True]
    assert _explained_by(explainer, yard, 1).beside == {"note": "first"}
    assert {row.id for row in explainer.by_text("three plums")} == {
        _explained_by(explainer, yard, number).id for number in (4, 5)
    }
    show_explanations([found])
    assert "right assistant" in re.sub(r"\x1b\[\d*m", "", capsys.readouterr().out)

    checks = verify(str(built.folder), evaluations=(yard.root / "evals",)).checks
    assert [check for check in checks if check.wrong] == []
    assert {check.level for check in checks} == {"L0", "L1", "L2", "L3"}
    page = (built.folder / "report.html").read_text()
    assert "pairs for comparing" in page
    assert '<div class="role">right assistant</div>' in page or "right user</div>" in page
    card = (built.folder / "README.md").read_text()
    assert "text-ranking" in card
    assert "7 pairs in" in card
    croissant = json.loads((built.folder / "croissant.json").read_text())
    assert [field["name"] for field in croissant["recordSet"][0]["field"]][:4] == [
        "rows/id",
        "rows/left",
        "rows/note",
        "rows/right",
    ]


def _explained_by(explainer: Explainer, yard: Yard, number: int) -> Explanation:
    (found,) = explainer.by_place(yard.root / "a.jsonl", number)
    return found


def test_verify_finds_in_any_kind_what_a_stage_claims_and_is_not_so(yard: Yard, pair: Kind):
    yard.jsonl("a.jsonl", [*ROWS[:1], *ROWS[6:7], *ROWS[8:10]])
    source = {"jsonl": "a.jsonl", "domain": "talk"}
    steps = [*stages(yard)[2:3], {"minhash_dedup": {"on": "right"}}]
    built = yard.mix(kind="pair_of_texts", sources={"a": source}, stages=steps).mixture
    assert built.rows["a"]["kept"] == 4
    evals = [yard.root / "evals"]
    checks = verify(str(built.folder), evaluations=evals).checks
    assert [check for check in checks if check.wrong or check.unproven] == []
    claimed = json.loads(json.dumps(built.manifest).replace('"on": "right"', '"on": "left"'))
    wrong = [said.wrong for said in Witness(built.folder, claimed, evals).testify() if said.wrong]
    assert [re.sub("[0-9a-f]{32}", "ID", what) for what in wrong] == [
        "row ID holds item 1 of garden (1.000)",
        "rows ID and ID have a Jaccard similarity of 1.000",
    ]


def test_a_text_is_of_the_side_that_it_is_on_and_numbered_through_the_row(pair: Kind):
    from tulu_data.rows.pair_of_texts import Pair

    rows = Rows.of([Pair(["a", "b"], ["c"], None), Pair([], ["d", "e"], "n"), Pair(["f"], [], None)], pair)
    texts = rows.texts("both")
    assert list(texts.by_row()) == [["a", "b", "c"], ["d", "e"], ["f"]]
    assert texts.numbers.tolist() == [0, 1, 2, 0, 1, 0]
    assert rows.texts("right").numbers.tolist() == [2, 0, 1]
    assert list(rows.texts("left").by_row()) == [["a", "b"], [], ["f"]]
    assert [[turn.speaker for turn in turns] for turns in rows.transcripts()] == [
        ["left user", "left assistant", "right user"],
        ["right user", "right assistant"],
        ["left user"],
    ]
    assert rows.contents().to_pylist() == list("abfcde")
    other = rows.with_contents(pa.array(list("ABFCDE")))
    assert list(other.texts("both").by_row()) == [["A", "B", "C"], ["D", "E"], ["F"]]
    assert len({*rows.content_hashes(), *other.content_hashes()}) == 6
    alike = Rows.of([Pair(["a"], [], None), Pair([], ["a"], None), Pair(["a"], [], "n")], pair)
    first, second, third = ExactDedup(on="both").measure(alike)["low"]
    assert first == third != second
    check_stage(ExactDedup(on="both"), Rows.of([Pair(["a"], ["b"], None), Pair(["a"], ["b"], "n")] * 3, pair))


def test_what_a_stage_compares_its_kind_has(pair: Kind):
    recipe = "name: m\nkind: {}\nsources: {{a: {{jsonl: x}}}}\nstages:\n- exact_dedup: {{on: {}}}\n- minhash_dedup\n"
    with pytest.raises(RecipeError) as raised:
        read(recipe.format("pair_of_texts", "response"))
    assert [(problem.line, problem.path, problem.what) for problem in raised.value.problems] == [
        (5, "stages[0].exact_dedup.on", "rows of kind pair_of_texts have no 'response'; say on: left or right or both"),
        (
            6,
            "stages[1].minhash_dedup.on",
            "rows of kind pair_of_texts have no 'conversation'; say on: left or right or both",
        ),
    ]
    with pytest.raises(RecipeError, match="input should be 'left', 'right', 'both', 'prompt', 'response' or 'conv"):
        read(recipe.format("pair_of_texts", "neither"))
    with pytest.raises(RecipeError, match="kind: no kind 'pears'; there is pair_of_texts, sft"):
        read(recipe.format("pears", "left"))


def test_a_format_reads_the_rows_of_the_kinds_that_name_it(yard: Yard, pair: Kind):
    yard.jsonl("a.jsonl", [{"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]}])
    with pytest.raises(InputError, match="format 'messages' reads no rows of kind pair_of_texts; there are pairs"):
        yard.mix(kind="pair_of_texts", sources={"a": {"jsonl": "a.jsonl", "format": "messages"}})


def test_the_keys_of_shards_and_measures_have_the_name_and_the_code_of_the_kind(tmp_path: Path, pair: Kind):
    def keys(kind: Kind) -> tuple[str, str]:
        file = InputFile(tmp_path / "a.jsonl", "0" * 64, 1)
        source = Jsonl(jsonl=("a.jsonl",))
        unit = FileUnit("a", source, kind, Messages(), (file,), (), Workspace(tmp_path), 10)
        return unit.key(), Step("length_filter", LengthFilter(), kind).measures_key("0")

    class Other(Sft):
        name = "other"

    class Elsewhere(Sft):
        pass

    Other.__module__, Elsewhere.__module__ = Sft.__module__, type(pair).__module__
    assert len({*keys(Sft()), *keys(Other()), *keys(Elsewhere())}) == 6


def test_of_an_sft_row_roles_say_what_is_compared():
    roles = ["system", "user", "assistant", "tool", "user"]
    rows = Rows.of([Conversation([(role, str(number)) for number, role in enumerate(roles)])])
    assert {on: [*rows.texts(on).by_row()] for on in Sft.on} == {
        "prompt": [["1", "4"]],
        "response": [["2"]],
        "conversation": [["1", "2", "3", "4"]],
    }
    assert np.array_equal(rows.texts().numbers, [1, 2, 3, 4])
