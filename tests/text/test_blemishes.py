"""What no trainer wants is seen in every row that has it, and in no other."""

from __future__ import annotations

import pytest

from tulu_data.rows.rows import Rows
from tulu_data.rows.sft import Conversation
from tulu_data.text.blemishes import BLEMISHES, marks, shown_in

ANSWER = ("assistant", "Yes.")


def names(row: Conversation) -> list[str]:
    found = int(marks(Rows.of([Conversation([("user", "Hm?"), ANSWER]), row]))[1])
    return [blemish.name for bit, blemish in enumerate(BLEMISHES) if found >> bit & 1]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("Done.<|im_end|>\n", ["token_at_end"]),
        ("Done. </s>", ["token_at_end"]),
        ("<|im_start|>user\nHi", ["token_inside"]),
        ("[INST] Hi [/INST] Hello", ["token_inside"]),
        ("a <｜end▁of▁sentence｜>", ["token_at_end"]),
        ("a <| b |> c, x < |y|, list[int], <b>bold</b>", []),
        (r"Options:\n- a\n- b", ["escaped_line_breaks"]),
        (r"ends with \n", ["escaped_line_breaks"]),
        (r"$\nabla f \neq 0$, \nu and \newline", []),
        ("print('a\\n')\nprint('b')", []),
        ("I am {{ name }}.", ["placeholder"]),
        ("<image>\nWhat is it?", ["placeholder"]),
        ("a {{x + y}} and f'{x}'", []),
        ("caf\u00c3\u00a9 and it\u00e2\u20ac\u2122s", ["mojibake"]),
        ("S\u00c3O PAULO, \u00c2ngela, caf\u00e9, \u20ac 5", []),
        ("a \ufffd b", ["replacement_characters"]),
        ("a\x00b", ["control_characters"]),
        ("tab\tand\r\nline", []),
    ],
)
def test_a_text_is_marked_for_what_it_has(content: str, expected: list[str]):
    row = Conversation([("user", "Hm?"), ("assistant", content)])
    assert names(row) == expected
    for name in expected:
        assert shown_in(name, tuple(row.messages))


@pytest.mark.parametrize(
    ("messages", "expected"),
    [
        ([("user", "a"), ANSWER], []),
        ([("system", "s"), ("user", "a"), ANSWER, ("user", "b"), ANSWER], []),
        ([("user", "a"), ANSWER, ("user", "b")], ["last_by_user"]),
        ([("user", "a"), ("user", "b"), ANSWER], ["same_role_twice"]),
        ([("user", "a"), ANSWER, ANSWER], ["same_role_twice"]),
        ([ANSWER, ("user", "a"), ANSWER], ["begins_with_assistant"]),
        ([("system", "s"), ANSWER], ["begins_with_assistant"]),
        ([("user", "a"), ("system", "s"), ANSWER], ["system_inside"]),
        ([("user", "a"), ("assistant", " \n")], ["empty_answer"]),
        ([("user", ""), ANSWER], ["empty_prompt"]),
        ([("user", "a"), ANSWER, ("tool", "1"), ANSWER], []),
    ],
)
def test_a_row_is_marked_for_who_speaks(messages: list[tuple[str, str]], expected: list[str]):
    assert names(Conversation(messages)) == expected


def test_an_answer_that_is_a_call_or_a_thought_is_not_empty():
    calls = '[null,{"tool_calls":[]}]'
    assert names(Conversation([("user", "a"), ("assistant", "")], calls)) == []
    assert names(Conversation([("user", "a"), ("assistant", "")], reasoning=[None, "Hm."])) == []


def test_rows_are_marked_alike_alone_and_together():
    rows = Rows.of([Conversation([("user", "a"), ("assistant", text)]) for text in ("x</s>", "", "\ufffd", "y")] * 3)
    whole = marks(rows).tolist()
    assert marks(rows.slice(5, 4)).tolist() == whole[5:9]
    assert marks(rows.slice(3, 0)).tolist() == []
