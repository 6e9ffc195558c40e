"""Calls of tools are part of what a row says, wherever `on` is read."""

from __future__ import annotations

import json
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from conftest import Yard
from tulu_data.__main__ import main
from tulu_data.mixture.explain import Explainer
from tulu_data.rows import calls
from tulu_data.rows.rows import Rows
from tulu_data.rows.sft import Conversation
from tulu_data.stages.exact_dedup import ExactDedup
from tulu_data.stages.length_filter import LengthFilter
from tulu_data.stages.pattern_filter import PatternFilter
from tulu_data.verifying.claims import Witness
from tulu_data.verifying.plain_calls import spoken, told

ARGUMENTS = {"text": "First line\nsecond line", "tags": ["a", "b"], "times": 3, "urgent": True, "until": None}
FORMS: list[dict[str, Any]] = [
    {"tool_calls": [{"id": "c1", "type": "function", "function": {"name": "note", "arguments": ARGUMENTS}}]},
    {"tool_calls": [{"id": "c2", "function": {"arguments": json.dumps(ARGUMENTS), "name": "note"}}]},
    {"tool_calls": [{"name": "note", "arguments": ARGUMENTS}]},
    {"tool_calls": [json.dumps({"name": "note", "arguments": ARGUMENTS})]},
    {"tool_calls": {"name": "note", "arguments": ARGUMENTS}},
    {"function_call": {"name": "note", "arguments": json.dumps(ARGUMENTS)}},
    {"function_call": json.dumps({"arguments": ARGUMENTS, "name": "note"})},
]
TEXT = "note\nFirst line\nsecond line\na\nb\n3\ntrue"


def row(*messages: tuple[str, str, dict[str, Any] | None]) -> Conversation:
    entries = [entry for _, _, entry in messages]
    return Conversation([message[:2] for message in messages], json.dumps(entries) if any(entries) else None)


def asked(entry: dict[str, Any], content: str = "") -> Conversation:
    return row(("user", "Keep it.", None), ("assistant", content, entry), ("tool", "kept", {"tool_call_id": "c1"}))


@pytest.mark.parametrize("entry", FORMS)
def test_a_call_has_one_text_in_whatever_form_it_came(entry: dict[str, Any]):
    assert calls.texts_of(entry) == [TEXT]
    assert list(Rows.of([asked(entry)]).texts("response").by_row()) == [["", TEXT]]
    assert [text for _, text in spoken(asked(entry).messages, asked(entry).tool_calls)] == [
        "Keep it.",
        "",
        TEXT,
        "kept",
    ]


def test_each_of_several_calls_is_a_text_of_its_own_and_says_where_in_its_message_it_begins():
    two = {"tool_calls": [{"function": {"name": "one", "arguments": "{}"}}, {"function": {"name": "two"}}]}
    rows = Rows.of([row(("user", "hi", None), ("assistant", "Both:", two)), asked(two), Conversation([("user", "hi")])])
    texts = rows.texts("conversation")
    assert list(texts.by_row()) == [["hi", "Both:", "one", "two"], ["Keep it.", "", "one", "two", "kept"], ["hi"]]
    assert texts.numbers.tolist() == [0, 1, 1, 1, 0, 1, 1, 1, 2, 0]
    assert texts.begins.tolist() == [0, 0, 6, 10, 0, 0, 0, 4, 0, 0]
    assert rows.whole_messages(0) == ["hi", "Both:\none\ntwo"]
    assert rows.whole_messages(1) == ["Keep it.", "one\ntwo", "kept"]
    assert list(rows.texts("prompt").by_row()) == [["hi"], ["Keep it."], ["hi"]]
    part = rows.slice(1, 1)
    assert list(part.texts("response").by_row()) == [["", "one", "two"]]


def test_the_texts_of_a_message_are_its_content_then_its_reasoning_then_its_calls():
    entries = [None, {"tool_calls": [{"name": "one"}, {"name": "two"}]}, {"tool_calls": [{"name": "one"}]}]
    messages = [("user", "hi"), ("assistant", "Both:"), ("assistant", "")]
    whole = Conversation(messages, json.dumps(entries), None, [None, "é, so", "Hm"])
    rows = Rows.of([Conversation([("user", "a"), ("assistant", "b")]), whole])
    texts = rows.texts("conversation")
    assert list(texts.by_row()) == [["a", "b"], ["hi", "Both:", "é, so", "one", "two", "", "Hm", "one"]]
    assert texts.numbers.tolist() == [0, 1, 0, 1, 1, 1, 1, 2, 2, 2]
    assert texts.begins.tolist() == [0, 0, 0, 0, 6, 12, 16, 0, 0, 3]
    assert rows.whole_messages(1) == ["hi", "Both:\né, so\none\ntwo", "Hm\none"]
    assert same(whole, whole)
    assert not same(whole, whole._replace(reasoning=()))
    assert not same(whole, whole._replace(tool_calls=None))


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
entries = st.none() | st.fixed_dictionaries(
    {}, optional={"tool_calls": json_values, "function_call": json_values, "name": st.text(max_size=3)}
)


thoughts = st.none() | st.text(min_size=1, max_size=3)


@given(
    st.lists(
        st.tuples(st.sampled_from(["user", "assistant", "tool"]), st.text(max_size=3), entries, thoughts), max_size=4
    )
)
def test_the_texts_of_rows_are_those_of_the_plain_second_program(messages: list[Any]):
    one = row(*(message[:3] for message in messages))._replace(reasoning=[thought for *_, thought in messages])
    rows = Rows.of([one])
    texts = rows.texts("conversation")
    (said,) = texts.by_row()
    by_message = [(role, content, *([thought] if thought else [])) for role, content, _, thought in messages]
    assert said == [text for _, text in spoken(by_message, one.tool_calls)]
    whole = rows.whole_messages(0)
    for text, number, begin in zip(said, texts.numbers.tolist(), texts.begins.tolist(), strict=True):
        assert whole[number][begin : begin + len(text)] == text
    ours = [calls.compared(entry) for _, _, entry, _ in messages]
    theirs = told(one.tool_calls, len(messages))
    assert [a == b for a in ours for b in ours] == [a == b for a in theirs for b in theirs]


def test_arguments_that_are_nested_beyond_reason_stay_text():
    for depth in (64, 66, 900, 100_000):
        arguments = "[" * depth + "]" * depth
        entry = {"tool_calls": [{"name": "f", "arguments": arguments}]}
        texts = calls.texts_of(entry)
        assert texts == (["f"] if depth == 64 else [f"f\n{arguments}"])
        assert [text for _, text in spoken([("assistant", "")], json.dumps([entry]))][1:] == texts
        assert calls.compared(entry) == told(json.dumps([entry]), 1)[0]


def same(*rows: Conversation, **options: Any) -> bool:
    measures = ExactDedup(**options).measure(Rows.of(rows))
    return measures["low"].n_unique() == 1


def test_exact_dedup_compares_calls_by_what_they_say():
    assert same(*(asked(entry) for entry in FORMS[:3] + FORMS[5:]))
    other = {"tool_calls": [{"function": {"name": "note", "arguments": {**ARGUMENTS, "times": 4}}}]}
    assert not same(asked(FORMS[0]), asked(other))
    renamed = {
        "tool_calls": [
            {
                "function": {
                    "name": "note",
                    "arguments": {"words" if k == "text" else k: v for k, v in ARGUMENTS.items()},
                }
            }
        ]
    }
    assert not same(asked(FORMS[0]), asked(renamed))
    assert same(asked(FORMS[0]), asked(other), on="prompt")


def test_exact_dedup_tells_the_same_texts_in_other_roles_apart():
    one = Conversation([("user", "hi"), ("assistant", "hello"), ("tool", "12")])
    assert not same(one, Conversation([("user", "hi"), ("tool", "hello"), ("assistant", "12")]))
    assert not same(
        Conversation([("user", "a"), ("assistant", "b")]), Conversation([("assistant", "a"), ("user", "b")])
    )
    assert same(one, Conversation([("system", "s"), *one.messages]))


def test_the_witness_tells_rows_apart_as_exact_dedup_does(yard: Yard):
    turns = [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "hello"}]
    swapped = [{"role": "assistant", "content": "hi"}, {"role": "user", "content": "hello"}]
    call = {"id": "1", "function": {"name": "f", "arguments": '{"a": 1, "b": 2}'}}
    other = {"id": "2", "function": {"arguments": {"b": 2, "a": 1}, "name": "f"}}
    called = [[turns[0], {"role": "assistant", "content": None, "tool_calls": [one]}] for one in (call, other)]
    yard.jsonl("a.jsonl", [{"messages": one} for one in (turns, swapped, *called)])
    built = yard.mix(sources={"a": {"jsonl": "a.jsonl"}}, stages=[{"exact_dedup": {"max_removed": 1}}])
    assert built.mixture.rows["a"]["removed"] == {"exact_dedup": 1}
    kept = [told.wrong for told in Witness(built.mixture.folder, built.mixture.manifest).testify()]
    assert kept == [""]
    plain = yard.mix(name="plain", sources={"a": {"jsonl": "a.jsonl"}})
    claimed = {**plain.mixture.manifest, "stages": built.mixture.manifest["stages"]}
    (found,) = (told.wrong for told in Witness(plain.mixture.folder, claimed).testify())
    assert found.count(" is row ") == 1


def test_filters_look_into_calls():
    filtered = PatternFilter(patterns=("second line",), on="response")
    rows = Rows.of([asked(FORMS[1]), asked({"tool_calls": []}), Conversation([("user", "second line")])])
    assert filtered.measure(rows)["found"].to_list() == ["second line", None, None]
    lengths = LengthFilter(on="response").measure(rows)
    assert lengths["characters"].to_list() == [len(TEXT), 0, 0]
    assert lengths["messages"].to_list() == [1, 1, 0]


ITEM = "A baker fills 12 trays with 9 rolls each and sells all but 17 of them before noon; how many did she sell?"


def test_items_of_evaluation_sets_are_found_in_calls_and_marked_there(yard: Yard, capsys: pytest.CaptureFixture[str]):
    from tulu_data.cli.rows import show_explanations

    yard.jsonl("evals/bakery.jsonl", [{"question": ITEM, "answer": "91"}])
    turns = [
        {"role": "user", "content": "Please keep this."},
        {
            "role": "assistant",
            "content": "I will.",
            "reasoning_content": "He wants it kept.",
            "tool_calls": [{"function": {"name": "keep", "arguments": {"of": "me", "text": ITEM}}}],
        },
        {"role": "tool", "content": "kept"},
        {"role": "assistant", "content": "Done."},
    ]
    as_text = [
        turns[0],
        {
            **turns[1],
            "content": None,
            "tool_calls": [{"function": {"name": "keep", "arguments": json.dumps({"text": f"\n{ITEM}"})}}],
        },
    ]
    thought = [turns[0], {**turns[1], "reasoning_content": f"Hm: {ITEM}", "tool_calls": [{"name": "keep"}]}]
    clean = [turns[0], {"role": "assistant", "content": "No."}]
    yard.jsonl("a.jsonl", [{"messages": one} for one in (turns, as_text, clean, thought)])
    yard.jsonl(
        "s.jsonl",
        [{"conversations": [{"from": "human", "value": "Keep."}, {"from": "function_call", "value": json.dumps({"name": "keep", "arguments": {"text": ITEM}})}]}],
    )  # fmt: skip
    stage = {
        "max_removed": 1,
        "on": "response",
        "against": {
            "bakery": {"jsonl": str(yard.root / "evals/bakery.jsonl"), "question": "question", "answer": "answer"}
        },
    }
    sources = {"a": {"jsonl": "a.jsonl"}, "s": {"jsonl": "s.jsonl"}}
    built = yard.mix(sources=sources, stages=[{"ngram_decontamination": stage}])
    assert {name: rows["kept"] for name, rows in built.mixture.rows.items()} == {"a": 1, "s": 0}
    evidence = pl.read_parquet(built.mixture.folder / "evidence/ngram_decontamination.parquet")
    explainer = Explainer(built.mixture)
    for found in evidence.iter_rows(named=True):
        (told,) = explainer.by_id(found["id"])
        assert told.turns is not None
        assert found["message"] == 1
        assert told.turns[1].text[found["start"] : found["end"]] == ITEM.rstrip("?")
    show_explanations(explainer.by_place(yard.root / "a.jsonl", 1))
    assert f"⟦{ITEM.rstrip('?')}⟧" in capsys.readouterr().out.replace("\n", " ")

    plain = yard.mix(name="plain", sources=sources)
    claimed = {**plain.mixture.manifest, "stages": built.mixture.manifest["stages"]}
    testimonies = list(Witness(plain.mixture.folder, claimed, [yard.root / "evals"]).testify())
    assert testimonies[1].wrong.count("holds item 1 of bakery") == 3


def test_the_commands_around_evaluation_sets_look_into_calls(
    yard: Yard, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.chdir(yard.root)
    monkeypatch.setenv("TULU_DATA_EVALS", "evals")
    yard.jsonl("evals/bakery.jsonl", [{"id": "bread", "q": ITEM}])
    yard.write("evals/bakery.yaml", "title: E\njsonl: bakery.jsonl\nquestion: q\nid: id\nlicense: mit\n")
    called = {"role": "assistant", "tool_calls": [{"function": {"name": "keep", "arguments": {"text": ITEM}}}]}
    turns = [{"role": "user", "content": "Keep it."}, called]
    yard.jsonl("a.jsonl", [{"messages": turns}, {"messages": [turns[0], {"role": "assistant", "content": "No."}]}])
    yard.mix(name="mix", sources={"a": {"jsonl": "a.jsonl"}})
    yard.mix(name="plain", sources={"b": {"jsonl": yard.jsonl("b.jsonl", [{"prompt": ITEM, "response": "91"}]).name}})

    def run(*words: str) -> str:
        monkeypatch.setattr("sys.argv", ["tulu-data", *words])
        with pytest.raises(SystemExit):
            main()
        said = capsys.readouterr()
        return said.out + said.err

    shown = run("decontaminate", "a.jsonl", "--against", "bakery", "--on", "response")
    assert f"keep ⟦{ITEM.rstrip('?')}⟧" in shown.replace("\\n", " ")
    assert "1 of 2 rows are contaminated" in shown
    assert "contains 1 of 1 items of bakery" in run("contaminated", "bakery", "--by", "mix", "--on", "response")
    assert "contains 1 of 1 items of bakery" in run("contaminated", "bakery", "--by", "plain", "--on", "conversation")
