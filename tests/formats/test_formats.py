"""Foreign columns become the conversations that they hold."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from conftest import Yard
from tulu_data.errors import RecordError
from tulu_data.formats import detect
from tulu_data.formats.alpaca import Alpaca
from tulu_data.formats.messages import Messages
from tulu_data.formats.prompt_response import PromptResponse
from tulu_data.formats.sharegpt import ShareGPT
from tulu_data.readers.arrow_record import as_records
from tulu_data.rows.rows import Rows
from tulu_data.rows.sft import Conversation, Sft, conversations


def test_capitals_of_columns_do_not_matter_where_one_column_alone_fits():
    assert detect(["Question", "Answer", "ID"]) == PromptResponse(prompt=("Question",), response=("Answer",))
    assert detect(["Instruction", "Input", "OUTPUT"]) == Alpaca(
        instruction="Instruction", input="Input", output="OUTPUT"
    )
    assert detect(["Prompt", "prompt", "Response"]) == PromptResponse(prompt=("prompt",), response=("Response",))
    assert detect(["Prompt", "PROMPT", "response"]) is None


@pytest.mark.parametrize(
    ("columns", "format"),
    [
        (["messages"], Messages()),
        (["id", "prompt", "messages"], Messages()),
        (["conversations", "system"], ShareGPT()),
        (["instruction", "input", "output"], Alpaca()),
        (["instruction", "response"], Alpaca(output="response")),
        (["prompt", "response"], PromptResponse()),
        (["question", "answer"], PromptResponse(prompt="question", response="answer")),
        (["prompt", "completion"], PromptResponse(response="completion")),
        (["text"], None),
        (["prompt"], None),
        ([], None),
    ],
)
def test_formats_are_detected_by_their_columns(columns: list[str], format: Any):
    assert detect(columns) == format


KINDS = [pa.string(), pa.large_string(), pa.dictionary(pa.int32(), pa.string())]
roles = st.sampled_from(
    ["user", "human", "Assistant", "gpt", "system", "function_call", "Function_Call", "tool", "narrator", None]
)
contents = st.sampled_from(["", "a", "é\0", "\U0001f600", None])
turns = st.lists(st.none() | st.tuples(roles, contents), max_size=4)


@given(
    st.lists(st.none() | turns, min_size=1, max_size=4),
    st.sampled_from([("role", "content"), ("value", "from"), ("content", "role", "name"), ("role", "text")]),
    st.sampled_from([pa.list_, pa.large_list]),
    st.sampled_from(KINDS[:2]),
    st.sampled_from(
        [{}, {"system": None}, {"system": "Be brief."}, {"system": ""}, {"tools": "[]"}, {"tool_calls": None}]
    ),
    st.integers(0, 2),
)
def test_a_batch_is_read_as_its_records_are(
    rows: list[Any], keys: tuple[str, ...], lists: Any, kind: pa.DataType, beside: dict[str, Any], start: int
):
    told = [None if row is None else [turn and dict(zip(keys, turn, strict=False)) for turn in row] for row in rows]
    column = pa.array(told, lists(pa.struct([(key, kind) for key in keys])))
    others = {name: pa.array([value] * len(rows), pa.string()) for name, value in beside.items()}
    batch = pa.record_batch({"messages": column, **others}).slice(start)
    for format in (Messages(), ShareGPT(conversations="messages")):
        read = format.read_batch(batch)
        if read is not None:
            one_by_one = Rows.of(format.read(record) for record in batch.to_pylist())
            assert read.batch.equals(one_by_one.batch)
            assert read.content_hashes() == one_by_one.content_hashes()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("lists", [pa.list_, pa.large_list])
@pytest.mark.parametrize("keys", [("role", "content"), ("value", "from")])
def test_plain_batches_are_read_at_once(keys: tuple[str, str], lists: Any, kind: pa.DataType):
    turns = [{"role": "user", "content": "Hi"}, {"role": "gpt", "content": "Hello"}]
    if "from" in keys:
        turns = [{"from": turn["role"], "value": turn["content"]} for turn in turns]
    column = pa.array([turns] * 3, lists(pa.struct([(key, kind) for key in keys])))
    read = Messages().read_batch(pa.record_batch({"messages": column, "system": pa.nulls(3)}))
    assert (read is None) == pa.types.is_dictionary(kind)
    if read is not None:
        assert [row.messages for row in conversations(read)] == [[("user", "Hi"), ("assistant", "Hello")]] * 3


@pytest.mark.parametrize(
    "messages",
    [
        None,
        [],
        [{"role": "narrator", "content": "Once"}, {"role": "assistant", "content": "b"}],
        [{"role": "assistant", "content": None}],
        [{"role": None, "content": "a"}],
        [None],
        [{"role": "function_call", "content": "{}"}],
        [{"role": "assistant", "content": "a"}] * 10_001,
    ],
)
def test_a_batch_with_one_row_out_of_the_ordinary_is_not(messages: Any):
    plain = [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]
    kind = pa.list_(pa.struct([("role", pa.string()), ("content", pa.string())]))
    batch = pa.record_batch({"messages": pa.array([plain, messages, plain], kind)})
    assert Messages().read_batch(batch) is None
    assert Messages().read_batch(batch.slice(2)) is not None


@pytest.mark.parametrize("role", ["user", "assistant"])
def test_a_kind_says_whether_any_row_of_a_batch_is_refused_as_it_does_of_each(role: str):
    rows = [Conversation([("user", "a"), ("assistant", "b")]), Conversation([("system", "s"), (role, "alone")])]
    refused = [Sft().refuse(row, "messages") for row in rows]
    assert [str(error) for error in refused if error] == [
        "no_answer: messages has no message of the assistant, which every row of kind sft has"
    ] * (role == "user")
    assert Sft().refuses_any(Rows.of(rows).batch) == any(refused)
    assert not Sft().refuses_any(Rows.of(rows[:1]).batch)


def test_a_batch_with_text_that_is_none_is_not():
    text = pa.StringArray.from_buffers(1, pa.py_buffer(np.array([0, 2], np.int32)), pa.py_buffer(b"\xff\xfe"))
    structs = pa.StructArray.from_arrays([pa.array(["assistant"]), text], ["role", "content"])
    messages = pa.ListArray.from_arrays(pa.array([0, 1], pa.int32()), structs)
    assert Messages().read_batch(pa.record_batch({"messages": messages})) is None


def test_text_parts_are_joined_as_they_are():
    parts = [{"type": "text", "text": "Hello "}, {"type": "text", "value": "world"}, "!"]
    row = Messages().read({"messages": [{"role": "user", "content": parts}, {"role": "assistant", "content": "ok"}]})
    assert row.messages == [("user", "Hello world!"), ("assistant", "ok")]


def test_roles_of_all_spellings_become_ours():
    turns = [
        {"from": "System", "value": "s"},
        {"role": "developer", "content": "d"},
        {"from": "human", "value": "h"},
        {"from": "gpt", "value": "g"},
        {"role": "function", "content": "f", "name": "now"},
    ]
    row = ShareGPT().read({"conversations": turns})
    assert [role for role, _ in row.messages] == ["system", "system", "user", "assistant", "tool"]
    assert json.loads(row.tool_calls or "") == [None, None, None, None, {"name": "now"}]


def test_tool_calls_are_kept_as_json_beside_the_messages():
    call = {"id": "1", "type": "function", "function": {"name": "now", "arguments": "{}"}}
    turns = [
        {"role": "user", "content": "time?"},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "content": "12:00", "tool_call_id": "1"},
        {"role": "assistant", "content": "Noon."},
    ]
    row = Messages().read({"messages": turns, "tools": [{"name": "now"}]})
    assert row.messages[1] == ("assistant", "")
    assert json.loads(row.tool_calls or "") == [None, {"tool_calls": [call]}, {"tool_call_id": "1"}, None]
    assert json.loads(row.tools or "") == [{"name": "now"}]


@pytest.mark.parametrize("spelled", ["function_call", "Function_Call"])
def test_a_function_call_of_sharegpt_is_an_assistants_call(spelled: str):
    turns = [{"from": "human", "value": "time?"}, {"from": spelled, "value": '{"name": "now"}'}]
    row = ShareGPT().read({"conversations": turns})
    assert row.messages[1] == ("assistant", "")
    assert json.loads(row.tool_calls or "") == [None, {"function_call": '{"name": "now"}'}]


def test_tools_that_are_text_stay_text_and_none_is_none():
    turns = [{"role": "assistant", "content": "x"}]
    assert Messages().read({"messages": turns, "tools": "[ 1]"}).tools == "[ 1]"
    for nothing in (None, "", []):
        assert Messages().read({"messages": turns, "tools": nothing}).tools is None
    assert Messages().read({"messages": turns}).tools is None


def test_system_prompts_come_first_and_empty_ones_are_none():
    turns = [{"from": "human", "value": "h"}, {"from": "gpt", "value": ""}]
    assert ShareGPT().read({"conversations": turns, "system": "s"}).messages[0] == ("system", "s")
    assert len(ShareGPT().read({"conversations": turns, "system": ""}).messages) == 2
    assert Alpaca().read({"instruction": "i", "output": "o", "system": "s"}).messages[0] == ("system", "s")


def test_alpaca_puts_the_input_on_the_next_line():
    assert Alpaca().read({"instruction": "Add", "input": "1, 2", "output": "3"}).messages[0] == ("user", "Add\n1, 2")
    for nothing in ({}, {"input": ""}, {"input": None}):
        assert Alpaca().read({"instruction": "Add", "output": "3", **nothing}).messages[0] == ("user", "Add")


def test_an_empty_answer_is_an_answer():
    assert PromptResponse().read({"prompt": "p", "response": ""}).messages == [("user", "p"), ("assistant", "")]


def test_columns_are_found_by_position_by_path_and_by_names_with_dots():
    format = PromptResponse(prompt=0, response=[2, 1])
    assert format.read({"0": "q", "1": "answer", "2": "because"}).messages == [
        ("user", "q"),
        ("assistant", "because\nanswer"),
    ]
    nested = PromptResponse(prompt="task.text", response="instances.1.output")
    record = {"task": {"text": "t"}, "instances": [{"output": "a"}, {"output": 7}]}
    assert nested.read(record).messages == [("user", "t"), ("assistant", "7")]
    assert nested.read({**record, "task.text": "dotted"}).messages[0] == ("user", "dotted")
    with pytest.raises(RecordError, match=r"missing_column: no 'instances\.1\.output'"):
        nested.read({"task": {"text": "t"}, "instances": [{"output": "a"}]})


def test_a_column_of_calls_must_fit_its_messages():
    turns = [{"role": "user", "content": "x"}, {"role": "assistant", "content": "y"}]
    for calls in ("[null]", "{}", "[1, 2]"):
        with pytest.raises(RecordError, match="the column tool_calls is not an array of 2 objects or nulls"):
            Messages().read({"messages": turns, "tool_calls": calls})
    with pytest.raises(RecordError, match="invalid_json: tool_calls: "):
        Messages().read({"messages": turns, "tool_calls": "[null"})


PLAIN = [{"role": "user", "content": "Which way?"}, {"role": "assistant", "content": "North."}]


@pytest.mark.parametrize("key", ["tool_calls", "function_call", "name", "tool_call_id"])
@pytest.mark.parametrize(
    "nothing",
    [None, "", " \n", [], {}, [None], [{}], [{"type": "function", "function": {"name": "", "arguments": "{}"}}]],
)
def test_empty_values_are_no_calls(key: str, nothing: Any):
    row = Messages().read({"messages": [{**turn, key: nothing} for turn in PLAIN]})
    assert row == Messages().read({"messages": PLAIN})
    assert row.tool_calls is None


@pytest.mark.parametrize("nothing", [None, "", " ", "[]", " [ ]", "{}", "null", [], {}])
def test_no_tools_on_offer_are_none_however_they_are_written(nothing: Any):
    assert Messages().read({"messages": PLAIN, "tools": nothing}).tools is None


@pytest.mark.parametrize("nothing", [None, "", " ", "[]", "null", [], {}])
def test_an_empty_column_of_calls_says_nothing(nothing: Any):
    assert Messages().read({"messages": PLAIN, "tool_calls": nothing}).tool_calls is None


CALL = {"id": "7", "type": "function", "function": {"name": "walk", "arguments": '{"to": "north"}'}}


@pytest.mark.parametrize("called", [{"tool_calls": [CALL]}, {"tool_calls": json.dumps([CALL])}, {"tool_calls": CALL}])
@pytest.mark.parametrize("content", [{}, {"content": None}, {"content": ""}])
def test_a_message_that_only_calls_has_no_need_of_content(called: dict[str, Any], content: dict[str, Any]):
    turns = [PLAIN[0], {"role": "assistant", **content, **called}]
    row = Messages().read({"messages": turns})
    assert row.messages == [("user", "Which way?"), ("assistant", "")]
    assert json.loads(row.tool_calls or "") == [None, {"tool_calls": [CALL]}]
    legacy = Messages().read({"messages": [PLAIN[0], {"role": "assistant", "function_call": CALL["function"]}]})
    assert json.loads(legacy.tool_calls or "") == [None, {"function_call": CALL["function"]}]


def test_a_message_without_content_that_calls_nothing_is_a_bad_record():
    for nothing in ({}, {"content": None}, {"tool_calls": []}, {"content": None, "function_call": {"name": ""}}):
        with pytest.raises(RecordError, match=r"null_content: messages\[1\]: "):
            Messages().read({"messages": [PLAIN[0], {"role": "assistant", **nothing}]})


def test_calls_that_are_not_json_are_told_with_their_place():
    with pytest.raises(RecordError, match=r"invalid_json: messages\[1\]\.tool_calls: "):
        Messages().read({"messages": [PLAIN[0], {**PLAIN[1], "tool_calls": "walk(north)"}]})


def test_keys_of_calls_and_tools_stay_in_their_order():
    arguments = {"zone": "b", "area": 1, "mode": {"z": 1, "a": 2}}
    call = {"type": "function", "id": "1", "function": {"name": "walk", "arguments": arguments}}
    tools = [{"type": "function", "function": {"name": "walk", "parameters": {"zone": {}, "area": {}}}}]
    turns = [PLAIN[0], {"role": "assistant", "content": None, "tool_calls": [call]}]
    row = Messages().read({"messages": turns, "tools": tools})
    assert row.tool_calls == json.dumps([None, {"tool_calls": [call]}], separators=(",", ":"))
    assert row.tools == json.dumps(tools, separators=(",", ":"))
    again = Messages().read({"messages": [*map(dict, row_of(row))], "tool_calls": row.tool_calls, "tools": row.tools})
    assert again == row


def row_of(row: Conversation) -> list[dict[str, str]]:
    return [{"role": role, "content": content} for role, content in row.messages]


def test_what_arrow_filled_with_null_is_no_argument_and_no_parameter():
    offered = [
        [{"function": {"name": "walk", "parameters": {"to": {"type": "string"}}}}],
        [{"function": {"name": "wait", "parameters": {"minutes": {"type": "integer"}}}}],
    ]
    called = [{"name": "walk", "arguments": {"to": "north"}}, {"name": "wait", "arguments": {"minutes": 5}}]
    records = [
        {
            "messages": [*PLAIN, {"role": "assistant", "content": None, "tool_calls": [{"function": call}]}],
            "tools": tools,
        }
        for call, tools in zip(called, offered, strict=True)
    ]
    padded = pa.Table.from_pylist([*records, {"messages": PLAIN, "tools": None}]).to_batches()
    read = [Messages().read(record.content()) for record in as_records(padded)]
    assert read == [Messages().read(record) for record in [*records, {"messages": PLAIN}]]
    assert "null" not in str(read[0].tools) + str(read[1].tools)


def test_nulls_in_json_text_and_in_lists_stay_where_arrow_holds_them():
    text = '{"until":null,"steps":[1,null]}'
    called = [PLAIN[0], {"role": "assistant", "content": None, "tool_calls": [{"name": "walk", "arguments": text}]}]
    steps = [PLAIN[0], {"role": "assistant", "content": None, "tool_calls": [{"arguments": {"steps": [1, None]}}]}]
    for turns, said in ((called, json.dumps(text)), (steps, '{"steps":[1,null]}')):
        (record,) = as_records(pa.Table.from_pylist([{"messages": turns}]).to_batches())
        assert said in (Messages().read(record.content()).tool_calls or "")


def test_maps_of_arrow_are_objects():
    kind = pa.list_(pa.struct([("name", pa.string()), ("arguments", pa.map_(pa.string(), pa.string()))]))
    calls = pa.array([[{"name": "walk", "arguments": [("to", "north"), ("by", "day")]}]], kind)
    message = pa.StructArray.from_arrays([pa.array(["assistant"]), calls], ["role", "tool_calls"])
    column = pa.ListArray.from_arrays(pa.array([0, 1], pa.int32()), message)
    (record,) = as_records([pa.record_batch({"messages": column})])
    assert json.loads(Messages().read(record.content()).tool_calls or "") == [
        {"tool_calls": [{"name": "walk", "arguments": {"to": "north", "by": "day"}}]}
    ]


def test_tools_that_are_not_json_are_an_error():
    turns = [{"role": "assistant", "content": "y"}]
    with pytest.raises(RecordError, match="invalid_json: tools: "):
        Messages().read({"messages": turns, "tools": "not json"})
    with pytest.raises(RecordError, match="not_json: the tools are not JSON"):
        Messages().read({"messages": turns, "tools": [b"\xff"]})


def test_dollys_context_is_an_input():
    format = detect(["instruction", "context", "response", "category"])
    assert format is not None
    row = format.read({"instruction": "Summarise", "context": "a long text", "response": "short"})
    assert row.messages[0] == ("user", "Summarise\na long text")


def test_whole_numbers_are_texts_in_every_column():
    assert Alpaca().read({"instruction": "Double", "input": 5, "output": 10}).messages == [
        ("user", "Double\n5"),
        ("assistant", "10"),
    ]


@pytest.mark.parametrize(("column", "keys"), [("messages", ("role", "content")), ("conversations", ("from", "value"))])
def test_json_text_of_messages_is_read_as_those_messages(yard: Yard, column: str, keys: tuple[str, str]):
    turns = [dict(zip(keys, turn, strict=True)) for turn in (("user", "Two?"), ("assistant", "Three."))]
    turns[1]["refusal"] = "none"
    yard.jsonl("a.jsonl", [{column: turns}])
    yard.jsonl("b.jsonl", [{column: f" {json.dumps(turns)}"}])
    kept = []
    for name in "ab":
        built = yard.mix(name=name, sources={"s": {"jsonl": f"{name}.jsonl"}})
        assert built.mixture.manifest["sources"]["s"]["unread"] == {f"{column}[].refusal": 1}
        kept.append(pl.read_parquet(built.mixture.data, glob=False).to_dicts())
    assert kept[0] == kept[1]
    assert kept[0][0]["messages"] == [{"role": "user", "content": "Two?"}, {"role": "assistant", "content": "Three."}]
