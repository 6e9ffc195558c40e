"""What a record holds beside plain turns is read where it has a place, carried along, refused, or counted."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import re
import signal
import sys
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from conftest import Yard, files_of, pairs
from tulu_data import audit, load
from tulu_data.__main__ import main
from tulu_data.building import pieces
from tulu_data.building.build import Built
from tulu_data.building.survey import survey
from tulu_data.errors import InputError, InvariantError, RecipeError
from tulu_data.mixture.explain import Explainer
from tulu_data.rows.identity import row_id
from tulu_data.rows.rows import Rows
from tulu_data.rows.sft import Conversation, conversations
from tulu_data.stage import Mapper
from tulu_data.verifying.claims import Witness
from tulu_data.verifying.levels import Verification

# What an id is taken of where nothing is carried along: canonical JSON, as it always was.
PLAIN = (
    b'{"messages":[{"content":"How many doors has the red house?","role":"user"},'
    b'{"content":"Two.","role":"assistant"}]}'
)


def turn(role: str, content: Any, **more: Any) -> dict[str, Any]:
    return {"role": role, "content": content, **more}


def asked(answer: Any, question: str = "How many doors has the red house?", **more: Any) -> dict[str, Any]:
    return {"messages": [turn("user", question), turn("assistant", answer, **more)]}


def rows_of(built: Built) -> list[dict[str, Any]]:
    return pl.read_parquet(built.mixture.data, glob=False).sort("id").to_dicts()


def failures(built: Built) -> list[str]:
    folder = built.mixture.folder
    verification = Verification(folder, lambda manifest: Witness(folder, manifest)).run()
    return [f"{check.what}: {check.wrong}" for check in verification.checks if not check.holds]


@pytest.mark.parametrize(
    "said",
    [
        lambda text: asked("Two.", reasoning_content=text),
        lambda text: asked("Two.", reasoning=text, reasoning_content=text),
        lambda text: asked("Two.", thinking=text),
        lambda text: asked([{"type": "thinking", "thinking": text}, {"type": "text", "text": "Two."}]),
        lambda text: asked([{"type": "reasoning", "value": text}, {"type": "text", "value": "Two."}]),
    ],
)
def test_answers_that_were_thought_of_differently_are_no_duplicates(yard: Yard, said: Any):
    thoughts = ["One at the front, one at the back.", "A front door; a back door. No more.", "", None]
    yard.jsonl("a.jsonl", [said(text) if text else asked("Two.") for text in thoughts])
    built = yard.mix(sources={"a": {"jsonl": "a.jsonl"}}, stages=["exact_dedup", "minhash_dedup"])
    kept = rows_of(built)
    assert sorted(str(row["messages"][1]["reasoning_content"]) for row in kept) == [
        "A" + thoughts[1][1:],
        "None",
        thoughts[0],
    ]  # type: ignore[index]
    assert {row["messages"][1]["content"] for row in kept} == {"Two."}
    assert failures(built) == []


def test_reasoning_is_text_of_the_answer(yard: Yard):
    item = "Which of the nine lighthouses on the western coast burned down before the war began?"
    yard.jsonl("evals.jsonl", [{"q": item}])
    yard.jsonl("a.jsonl", [asked("The third.", reasoning_content=f"I know this one. {item}"), asked("A mill.")])
    against = {"mine": {"jsonl": str(yard.root / "evals.jsonl"), "question": "q"}}
    for on, removed in (("response", 1), ("conversation", 1), ("prompt", 0)):
        built = yard.mix(
            name=on,
            sources={"a": {"jsonl": "a.jsonl"}},
            stages=[{"ngram_decontamination": {"against": against, "on": on}}],
        )
        assert sum(built.mixture.rows["a"]["removed"].values()) == removed
    (row,) = Explainer(built.mixture).by_text("I know this one")
    assert item in str(row.turns)


def test_reasoning_is_redacted_counted_and_measured(yard: Yard):
    yard.jsonl("a.jsonl", [asked("Ask ada@lovelace.org.", reasoning_content="Her mail is ada@lovelace.org, I think.")])
    found = {"sensitive_filter": {"max_removed": 1}}
    built = yard.mix(sources={"a": {"jsonl": "a.jsonl"}}, stages=["redact", found, "length_filter", "tokens"])
    (row,) = rows_of(built)
    assert row["messages"][1] == {
        "role": "assistant",
        "content": "Ask <EMAIL_1>.",
        "reasoning_content": "Her mail is <EMAIL_1>, I think.",
    }
    plain = yard.mix(
        name="plain", sources={"a": {"jsonl": "a.jsonl"}}, stages=["redact", {"length_filter": {"max_messages": 2}}]
    )
    assert plain.mixture.rows["a"]["kept"] == 1
    without = Rows.of([Conversation([("user", "a"), ("assistant", "b")])])
    assert (
        without.content_hashes()
        != Rows.of([Conversation(*next(conversations(without))[:3], ["x", None])]).content_hashes()
    )


def test_a_weight_of_nothing_is_not_trained_on(yard: Yard):
    first = [turn("user", "One?"), turn("assistant", "one two three", weight=0)]
    rows = [
        {"messages": [*first, turn("user", "Two?", weight=0), turn("assistant", "four", weight=1)]},
        {"messages": [turn("user", "Three?", loss_weight=0.0), turn("assistant", "five", train=True)]},
        asked("six", loss_weight=0.5),
    ]
    yard.jsonl("a.jsonl", rows)
    built = yard.mix(sources={"a": {"jsonl": "a.jsonl"}}, stages=["tokens"])
    weights = sorted(str([message["weight"] for message in row["messages"]]) for row in rows_of(built))
    assert weights == ["[None, 0.0, None, None]", "[None, 0.5]", "[None, None]"]
    trained = pl.read_parquet(built.mixture.folder / "reports/tokens-trainable.parquet")["trainable"].to_list()
    assert trained == [3]  # four, five, six
    assert failures(built) == []


def test_rows_without_reasoning_and_weights_are_what_they_were(yard: Yard):
    yard.jsonl("a.jsonl", [asked("Two.", weight=1)])
    (row,) = rows_of(yard.mix(sources={"a": {"jsonl": "a.jsonl"}}))
    assert row["messages"] == asked("Two.")["messages"]
    assert row["id"] == row_id("a", hashlib.sha256(PLAIN).digest(), 0).hex()


@pytest.mark.parametrize(
    ("message", "told"),
    [
        (
            turn("assistant", "Two.", reasoning="a", thinking="b"),
            "reasoning and thinking hold different reasoning; keep one",
        ),
        (turn("assistant", "Two.", reasoning={"a": 1}), "messages[1].reasoning is an object, not text"),
        (turn("assistant", "Two.", weight="no"), "messages[1].weight is a text, not a number from 0 on"),
        (turn("assistant", "Two.", weight=-1), "messages[1].weight is the number -1, not a number from 0 on"),
        (turn("assistant", "Two.", weight=0, train=True), "weight and train are different weights; keep one"),
        (
            turn("assistant", [{"type": "image_url", "image_url": {"url": "x"}}]),
            "part 0 is of type 'image_url', not text; to leave such parts out, give the source: drop_parts: [image]",
        ),
        (turn("assistant", [{"type": "refusal", "refusal": "No."}]), "drop_parts: [refusal]"),
        (turn("assistant", "Two.", images=["a.png"]), "messages[].images holds media, which are not read"),
    ],
)
def test_what_can_not_be_read_is_a_bad_record(yard: Yard, message: dict[str, Any], told: str):
    yard.jsonl("a.jsonl", [{"messages": [turn("user", "How many?"), message]}])
    with pytest.raises(InputError) as refused:
        yard.mix(sources={"a": {"jsonl": "a.jsonl"}})
    assert told in str(refused.value)


@pytest.mark.parametrize("kind", ["jsonl", "parquet"])
def test_two_questions_about_two_pictures_are_not_one_text(yard: Yard, kind: str):
    rows = [{**asked("A heron.", "<image>\nWhat is this?"), "images": images} for images in (["a.png"], ["b.png"], [])]
    path = yard.jsonl("a.jsonl", rows)
    if kind == "parquet":
        path = yard.root / "a.parquet"
        pq.write_table(pa.Table.from_pylist(rows), path)
    sources = {"a": {kind: path.name, "max_quarantined": 2}}
    built = yard.mix(sources=sources, stages=["exact_dedup"])
    assert (built.mixture.rows["a"]["quarantined"], built.mixture.rows["a"]["kept"]) == (2, 1)
    detail = pl.read_parquet(built.mixture.folder / "quarantine.parquet")["detail"].to_list()
    assert (
        detail
        == ["images holds media, which are not read; to take the text alone, give the source: drop_parts: [image]"] * 2
    )
    sources["a"] |= {"drop_parts": ["image"], "max_quarantined": 0}
    dropped = yard.mix(name="text", sources=sources)
    assert dropped.mixture.rows["a"]["kept"] == 3
    assert dropped.mixture.manifest["sources"]["a"]["unread"] == {"images": 2}


def test_parts_are_left_out_where_the_recipe_says_so(yard: Yard):
    parts = [{"type": "input_audio", "input_audio": {}}, {"type": "text", "text": "What bird is this?"}]
    yard.jsonl("a.jsonl", [{"messages": [turn("user", parts), turn("assistant", "A heron.")]}])
    (row,) = rows_of(yard.mix(sources={"a": {"jsonl": "a.jsonl", "drop_parts": ["audio"]}}))
    assert row["messages"][0]["content"] == "What bird is this?"


def test_the_turns_before_an_instruction_are_read(yard: Yard):
    history = [["Name a river.", "The Volga."], ["Another.", "The Ob."]]
    rows = [
        {"instruction": "And one more.", "output": answer, "history": before}
        for answer, before in (("The Don.", history), ("The Lena.", []), ("Amur.", None))
    ]
    yard.jsonl("a.jsonl", [{**row, "system": "Be brief."} for row in rows])
    built = yard.mix(sources={"a": {"jsonl": "a.jsonl"}})
    longest = max(rows_of(built), key=lambda row: len(row["messages"]))
    assert [message["content"] for message in longest["messages"]] == [
        "Be brief.",
        "Name a river.",
        "The Volga.",
        "Another.",
        "The Ob.",
        "And one more.",
        "The Don.",
    ]
    assert "unread" not in built.mixture.manifest["sources"]["a"]
    yard.jsonl("a.jsonl", [{**rows[0], "history": [["alone"]]}])
    with pytest.raises(InputError, match=r"history\[0\] is not a pair of a question and its answer"):
        yard.mix(sources={"a": {"jsonl": "a.jsonl"}})


def test_what_is_not_read_is_counted_wherever_it_lies(yard: Yard):
    rows = [
        {
            "prompt": f"{n} and {n}?",
            "response": "x",
            "solution": "y" if n < 3 else "",
            "score": n,
            "tags": [1] * (n == 4),
        }
        for n in range(7)
    ]
    yard.jsonl("a.jsonl", rows)
    pq.write_table(pa.Table.from_pylist(rows), yard.root / "a.parquet")
    yard.jsonl("b.jsonl", [asked("x", "1?", refusal="r", logprobs=None), asked("y", "2?", refusal="")])
    sources: dict[str, Any] = {"a": {"jsonl": "a.jsonl"}, "p": {"parquet": "a.parquet"}, "b": {"jsonl": "b.jsonl"}}
    built = yard.mix(sources=sources)
    counts = {name: entry.get("unread") for name, entry in built.mixture.manifest["sources"].items()}
    assert counts == {
        "a": {"score": 7, "solution": 3, "tags": 1},
        "p": {"score": 7, "solution": 3, "tags": 1},
        "b": {"messages[].refusal": 1},
    }
    told = audit.unread(built.mixture)
    assert told.row(0, named=True) == {"source": "a", "name": "score", "rows": 7, "of": 7}
    assert "Columns and keys that were not read" in (built.mixture.folder / "report.html").read_text()
    # Shards of the store, and whether they were there before, make no difference.
    cut = Yard(yard.root / "cut")
    cut.root.mkdir()
    for _ in range(2):
        again = cut.build(yard.recipe(sources=sources), shard_rows=2)
    assert files_of(again.mixture.folder) == files_of(built.mixture.folder)


def test_columns_are_carried_along(yard: Yard):
    rows = [
        {**pair, "id": f"q-{n}", "score": n / 2, "seen": n == 1, "n": n, "meta": {"b": [1], "a": None}}
        for n, pair in enumerate(pairs(3))
    ]
    yard.jsonl("a.jsonl", [*rows[:2], {**rows[2], "score": None, "seen": None, "meta": None}])
    yard.jsonl("b.jsonl", pairs(1))
    keep = ["id", "score", "seen", "n", "meta"]
    built = yard.mix(
        sources={"a": {"jsonl": "a.jsonl", "keep_columns": keep}, "b": {"jsonl": "b.jsonl"}}, stages=["redact"]
    )
    frame = pl.read_parquet(built.mixture.data, glob=False)
    kept = {"meta": pl.String, "n": pl.Int64, "score": pl.Float64, "seen": pl.Boolean, "source_id": pl.String}
    assert dict(list(frame.schema.items())[-5:]) == kept
    assert frame.sort("source", "n")[list(kept)].rows() == [
        ('{"b":[1],"a":null}', 0, 0.0, False, "q-0"),
        ('{"b":[1],"a":null}', 1, 0.5, True, "q-1"),
        (None, 2, None, None, "q-2"),
        (None, None, None, None, None),
    ]
    assert failures(built) == []
    assert load(str(built.mixture.folder), "arrow").column_names == frame.columns
    assert {"name": "seen", "dtype": "bool"} in json.loads(json.dumps(_features(built)))
    # A carried column is content: rows that differ in it are two rows, with ids of their own.
    assert "unread" not in built.mixture.manifest["sources"]["a"]
    resolved = built.mixture.folder / "recipe.yaml"
    assert "name: source_id" in resolved.read_text()
    # Rows of the source that carries nothing keep their ids.
    alone = yard.mix(name="alone", sources={"b": {"jsonl": "b.jsonl"}})
    assert frame.filter(pl.col("source") == "b")["id"].to_list() == [row["id"] for row in rows_of(alone)]


def _features(built: Built) -> list[Any]:
    from ruamel.yaml import YAML

    head = (built.mixture.folder / "README.md").read_text().split("---")[1]
    features: list[Any] = YAML(typ="safe", pure=True).load(head)["dataset_info"]["features"]
    return features


def test_a_file_without_types_is_carried_as_text_or_by_the_type_that_is_given(yard: Yard):
    yard.write("a.csv", "prompt,response,id,score,good\nHi,Hello,007,1.50,true\nBye,Ciao,008,,\n")
    texts = yard.mix(sources={"a": {"csv": "a.csv", "keep_columns": ["id", "score"]}})
    assert sorted((row["source_id"], row["score"]) for row in rows_of(texts)) == [("007", "1.50"), ("008", "")]
    keep = {"id": {"name": "number", "type": "int64"}, "score": "float64", "good": "bool"}
    typed = yard.mix(name="typed", sources={"a": {"csv": "a.csv", "keep_columns": keep}})
    assert sorted((row["number"], row["score"], row["good"]) for row in rows_of(typed)) == [
        (7, 1.5, True),
        (8, None, None),
    ]
    assert failures(typed) == []


def test_a_type_is_the_same_whatever_reads_the_file(yard: Yard):
    yard.jsonl("set/a.jsonl", [{**pair, "score": score} for pair, score in zip(pairs(2), (1, 0.5), strict=True)])
    for source in ({"jsonl": "set/a.jsonl"}, {"huggingface": str(yard.root / "set")}):
        built = yard.mix(name=next(iter(source)), sources={"a": {**source, "keep_columns": ["score"]}})
        assert sorted(row["score"] for row in rows_of(built)) == [0.5, 1.0]


def test_columns_that_are_carried_count_for_how_much_is_held_at_once(yard: Yard, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(pieces, "PIECE_SIZE", 5_000)
    held: list[int] = []
    piece = pieces.Piece
    monkeypatch.setattr(pieces, "Piece", lambda numbers, rows: held.append(len(numbers)) or piece(numbers, rows))
    yard.jsonl("a.jsonl", [{**pair, "long": "x" * 1_000} for pair in pairs(20)])
    built = yard.mix(sources={"a": {"jsonl": "a.jsonl", "keep_columns": ["long"]}})
    assert len(rows_of(built)) == sum(held) == 20
    assert max(held) < 6


def test_a_date_that_python_lacks_stops_only_what_reads_it(yard: Yard):
    far = pa.array([2**62, 0], pa.timestamp("us"))
    pq.write_table(pa.Table.from_pylist(pairs(2)).append_column("far", far), yard.root / "a.parquet")
    assert len(rows_of(yard.mix(sources={"a": {"parquet": "a.parquet"}}))) == 2
    with pytest.raises(InputError, match=r"a.parquet:1: not_a_value|date value out of range"):
        yard.mix(name="kept", sources={"a": {"parquet": "a.parquet", "keep_columns": ["far"]}})


def test_columns_of_arrow_files_are_carried_by_their_types(yard: Yard):
    table = pa.table(
        {
            "prompt": ["a", "b"],
            "response": ["c", "d"],
            "small": pa.array([1, None], pa.int8()),
            "half": pa.array([0.5, float("nan")], pa.float32()),
            "day": pa.array([dt.date(2024, 2, 29), None]),
            "kind": pa.array(["x", "y"]).dictionary_encode(),
            "list": [[1, 2], []],
        }
    )
    pq.write_table(table, yard.root / "a.parquet")
    keep = ["small", "half", "day", "kind", "list"]
    built = yard.mix(sources={"a": {"parquet": "a.parquet", "keep_columns": keep}})
    frame = pl.read_parquet(built.mixture.data, glob=False).sort("kind")
    assert frame.select(keep).rows() == [(1, 0.5, "2024-02-29", "x", "[1,2]"), (None, None, None, "y", "[]")]
    assert frame.select(keep).dtypes == [pl.Int64, pl.Float64, pl.String, pl.String, pl.String]
    assert failures(built) == []


@pytest.mark.parametrize(
    ("rows", "keep", "told"),
    [
        ([{"score": 1}, {"score": "high"}], {"score": "float64"}, "score is a text, not float64; give another type"),
        ([{"score": 1}] * 25 + [{"score": 0.5}], ["score"], "score is the number 0.5, not int64"),
        (
            [{"score": 1}, {"score": "high"}],
            ["score"],
            "int64 and string are in its first rows; say its type: keep_columns: {score: string}",
        ),
        ([{"score": None}], ["score"], "score: it is null in its first rows; say its type"),
        (
            [{"score": 1}],
            ["scores"],
            "no column 'scores'; its columns are prompt, response, score; did you mean 'score'?",
        ),
        ([{"score": 2**53 + 1}], {"score": "float64"}, "score is the number 9007199254740993, not float64"),
        ([{"score": str(2**53 + 1)}], {"score": "float64"}, "score is a text, not float64"),
        ([{"score": "1_000"}], {"score": "float64"}, "score is a text, not float64"),
        ([{"score": "\u0663"}], {"score": "int64"}, "score is a text, not int64"),
    ],
)
def test_no_value_is_bent_to_be_carried(yard: Yard, rows: list[Any], keep: Any, told: str):
    yard.jsonl("a.jsonl", [{**pair, **row} for pair, row in zip(pairs(len(rows)), rows, strict=True)])
    with pytest.raises(InputError) as refused:
        yard.mix(sources={"a": {"jsonl": "a.jsonl", "keep_columns": keep}})
    assert told in str(refused.value)


def test_one_carried_column_has_one_type(yard: Yard):
    yard.jsonl("a.jsonl", [{**pair, "score": 1} for pair in pairs(2)])
    yard.jsonl("b.jsonl", [{**pair, "score": "x"} for pair in pairs(2)])
    sources = {name: {"jsonl": f"{name}.jsonl", "keep_columns": ["score"]} for name in "ab"}
    with pytest.raises(
        InputError, match=r"sources.b: keep_columns: score is string here and int64 in a; give both one type"
    ):
        yard.mix(sources=sources)


@pytest.mark.parametrize(
    ("keep", "told"),
    [
        (
            {"a": {"name": "messages"}},
            "'messages' is a column of every mixture; give another name, such as source_messages",
        ),
        ({"a": {"name": "b"}, "b": None}, "two columns are to be named 'b'; give one another name"),
        ({"a": "integer"}, "input should be 'bool', 'int64', 'float64', 'string' or 'json'; found 'integer'"),
    ],
)
def test_a_name_of_a_carried_column_is_its_own(yard: Yard, keep: Any, told: str):
    with pytest.raises(RecipeError) as refused:
        yard.recipe(sources={"a": {"jsonl": "a.jsonl", "keep_columns": keep}})
    assert told in str(refused.value)


def test_line_breaks_of_tsv_become_line_breaks(yard: Yard):
    yard.write("a.tsv", "Pick one:\\n- a\\n- b\t\\\\n is two signs;\\tdone \\x\n")
    source = {"tsv": "a.tsv", "header": False, "format": {"prompt": 0, "response": 1}}
    (as_is,) = rows_of(yard.mix(sources={"a": source}))
    assert as_is["messages"][0]["content"] == "Pick one:\\n- a\\n- b"
    (row,) = rows_of(yard.mix(name="unescaped", sources={"a": {**source, "unescape": True}}))
    assert [message["content"] for message in row["messages"]] == ["Pick one:\n- a\n- b", "\\n is two signs;\tdone \\x"]


def test_what_many_rows_have_is_listed_to_be_looked_at_first(yard: Yard):
    rows = [asked(f"{n} doors.<|endoftext|>", f"How many has house {n}?") for n in range(4)]
    rows.append({"messages": [turn("user", "a"), turn("user", "b"), turn("assistant", "c")]})
    yard.jsonl("a.jsonl", [*rows, rows[0]])
    yard.jsonl("b.jsonl", [asked(r"Use \nabla and \neq.", "Plain?")] * 150 + [asked("Caf\u00c3\u00a9", "x")])
    built = yard.mix(
        sources={"a": {"jsonl": "a.jsonl"}, "b": {"jsonl": "b.jsonl"}}, stages=[{"exact_dedup": {"max_removed": 1}}]
    )
    every = pl.read_parquet(built.mixture.folder / "reports/blemishes.parquet")
    assert every.drop("id").rows() == [
        ("a", "token_at_end", 5, 6, 4),
        ("a", "same_role_twice", 1, 6, 1),
        ("b", "mojibake", 1, 151, 1),
    ]
    found = audit.blemishes(built.mixture)
    assert found["blemish"].to_list() == ["token_at_end", "same_role_twice"]
    assert found["shown"].to_list()[1] == "user → user → assistant"
    assert "doors.<|endoftext|>" in found["shown"].to_list()[0]
    # What is published counts as the rows do.
    ends = sum(row["messages"][-1]["content"].endswith("<|endoftext|>") for row in rows_of(built))
    assert ends == every["kept"][0]
    assert "end with a special token" in (built.mixture.folder / "report.html").read_text()
    recipe = yard.recipe(sources={"a": {"jsonl": "a.jsonl"}})
    (surveyed,) = survey(recipe, Path())
    assert [(blemish.name, count) for blemish, count, _ in surveyed.blemishes] == [
        ("token_at_end", 5),
        ("same_role_twice", 1),
    ]


def test_a_plan_and_a_build_say_what_was_not_read_and_what_to_look_at_first(
    yard: Yard, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    rows = [{"prompt": f"{n}?", "response": f"{n}.</s>", "solution": "x", "score": [n] * n} for n in range(3)]
    yard.jsonl("a.jsonl", rows)
    yard.write("mix.yaml", "name: mix\nsources: {a: {jsonl: a.jsonl}}\n")
    monkeypatch.chdir(yard.root)

    def said(command: str) -> list[str]:
        handler = signal.getsignal(signal.SIGTERM)
        monkeypatch.setattr(sys, "argv", ["tulu-data", command, "mix.yaml"])
        with pytest.raises(SystemExit) as ended:
            main()
        assert not ended.value.code
        signal.signal(signal.SIGTERM, handler)
        told = capsys.readouterr()
        return [line.strip() for line in (told.out + told.err).splitlines()]

    plan, built = said("plan"), said("build")
    assert "not read: solution (could be the response), score" in plan
    assert (
        "look at this first: 3 of the first 3 records end with a special token (remove it: templates put their own): 0.</s>"
        in plan
    )
    place = built.index("not read, with the rows that have it")
    assert built[place + 1 : place + 6] == [
        "a: solution (could be the response) 3, score 2",
        "to carry columns along, give the source: keep_columns: [NAME, …]",
        "",
        "look at this first",
        "3 of 3 rows of a end with a special token (remove it: templates put their own)",
    ]
    assert re.fullmatch(r"[0-9a-f]{12} \d\.</s>", built[place + 6])


def test_secrets_in_carried_columns_are_redacted(yard: Yard):
    token = "glpat-" + "1a2B3c4D5e6F7g8H9i0J"
    yard.jsonl("a.jsonl", [{**pair, "id": "+44 20 7123 4567", "meta": {"token": token}} for pair in pairs(1)])
    keep = {"keep_columns": ["id", "meta"]}
    built = yard.mix(sources={"a": {"jsonl": "a.jsonl", **keep}}, stages=["redact"])
    (row,) = rows_of(built)
    assert (row["source_id"], row["meta"]) == ("+44 20 7123 4567", '{"token":"<SECRET_1>"}')
    assert not any(token.encode() in path.read_bytes() for path in yard.root.rglob("*.parquet"))
    every = yard.mix(name="all", sources={"a": {"jsonl": "a.jsonl", **keep}}, stages=[{"redact": {"code": "all"}}])
    assert rows_of(every)[0]["source_id"] == "<PHONE_1>"


def test_a_mapper_that_loses_columns_is_told(yard: Yard):
    class Forgets(Mapper):
        def map(self, rows: Rows) -> Rows:
            return Rows.of(conversations(rows))

    yard.jsonl("a.jsonl", [{**pair, "n": 1} for pair in pairs(1)])
    recipe = yard.recipe(sources={"a": {"jsonl": "a.jsonl", "keep_columns": ["n"]}}).with_stages([Forgets()])
    with pytest.raises(
        InvariantError, match="stage forgets: gave the columns messages, tool_calls, tools for messages, "
    ):
        yard.build(recipe)
