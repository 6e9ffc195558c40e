"""Personal data and secrets are found, replaced before anything is stored, and shown nowhere."""

from __future__ import annotations

import hashlib
import json
import random
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from conftest import Yard
from sensitive_values import LOOKALIKES, PHONES, SENTENCES, lookalikes, made, planted, rows_of_table, secret_part
from tulu_data.errors import FindingsError
from tulu_data.formats.messages import Messages
from tulu_data.rows.rows import Rows
from tulu_data.rows.sft import Conversation
from tulu_data.stages.redact import Redact
from tulu_data.stages.sensitive_filter import SensitiveFilter
from tulu_data.text import json_text, sensitive
from tulu_data.text.sensitive import KINDS

DOCS = Path(__file__).parents[2] / "docs/privacy.md"


def redacted(*messages: tuple[str, str], tool_calls: str | None = None, tools: str | None = None, **options: Any):
    rows = Redact(**options).map(Rows.of([Conversation(messages, tool_calls, tools)]))
    return [message["content"] for message in rows.column("messages")[0].as_py()], rows


def test_the_table_of_the_docs_is_what_is_measured():
    assert "\n".join(rows_of_table()) in DOCS.read_text(encoding="utf-8")


def test_what_only_looks_like_a_value_is_none():
    found = {text: sensitive.find(text) for text in lookalikes(1, 2000)}
    assert len(found) > 10 * len(LOOKALIKES)
    assert {text: findings for text, findings in found.items() if findings} == {}


def test_planted_values_are_those_of_five_languages_and_all_kinds():
    assert list(SENTENCES) == list(PHONES) == ["en", "de", "fr", "es", "zh"]
    assert {one.kind for one in planted(0, 1)} == set(KINDS)


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("token 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", ["secret"]),
        ("token ghp_zQWBuTSOoRi4A9spHcVY5ncnsDkxkJ0mLq18 has a wrong checksum", []),
        ("card 4539 1488 0343 6467 12/27", ["card"]),
        ("card 4539 1488 0343 6468", []),
        ("4111 1111 1111 1111 is for tests", []),
        ("DE89 3704 0044 0532 0130 00 is in every manual", []),
        ("DE12 5001 0517 0648 4898 90 IST MEINE", ["iban"]),
        ("DE13 5001 0517 0648 4898 90", []),
        ("ping 8.8.8.8, 10.0.0.1, 127.0.0.1 and 2001:db8::1", []),
        ("ping 93.184.216.34", ["ip"]),
        ("ping 2a00:1450:4001:82b::200e", ["ip"]),
        ("see 1.2.3.4", []),
        ("git@github.com:a/b.git", []),
        ("请写信给zhang@qq.com谢谢", ["email"]),
        ("Пишите: иван@почта.рф", ["email"]),
        ("call (212) 555-0143", []),
        ("960-480-120 = 360", []),
        ("51 Franklin St, Boston, MA 02110-1301 USA", []),
        ('"password": "hunter2"', []),
    ],
)
def test_a_rule_is_checked_and_examples_are_allowed(text: str, kinds: list[str]):
    assert [finding.kind for finding in sensitive.find(text)] == kinds


@given(
    st.text(st.sampled_from("ab1245 +-.@:_/\n`é系")),
    st.sampled_from(KINDS),
    st.sampled_from(list(SENTENCES)),
    st.integers(),
)
def test_the_first_look_passes_over_nothing_that_is_found(around: str, kind: str, language: str, seed: int):
    value = made(random.Random(seed), kind, language)
    for text in (around, around + value, value + around):
        if sensitive.find(text):
            assert sensitive.suspects(Rows.of([Conversation([("user", text)])]).texts("prompt").strings) == [True]


def test_the_first_look_sees_an_iban_that_is_mostly_letters():
    account = "HEMM" + "ABCD" * 6
    check = 98 - int("".join(str(int(letter, 36)) for letter in f"{account}LC00")) % 97
    text = f"It is LC{check:02}{account}."
    assert [finding.kind for finding in sensitive.find(text)] == ["iban"]
    assert sensitive.suspects(Rows.of([Conversation([("user", text)])]).texts("prompt").strings) == [True]


@pytest.mark.parametrize(
    "part",
    [
        "(",
        "a",
        "+12345678901234567890123456789012345x ",
        "0012345678901234567890123456789x ",
        "eyJ",
        "a@",
        "a.",
        "4 ",
        "x=(",
        "-----BEGIN PRIVATE KEY-----\n",
        "ada@lovelace.org ",
    ],
)
def test_no_text_takes_longer_than_its_length(part: str):
    text = part * (100_000 // len(part))
    started = time.process_time()
    sensitive.find(f"{text} 93.184.216.34")
    assert time.process_time() - started < 5


def test_a_value_has_one_placeholder_in_a_conversation_and_numbers_begin_anew_in_the_next():
    (first, second, third), _ = redacted(
        ("system", "You work for ada@lovelace.org."),
        ("user", "I am Bob <bob@mailbox.org>, +49 30 4567812."),
        ("assistant", "Then write to ADA@lovelace.org, or call +49 (30) 456-7812."),
    )
    assert first == "You work for <EMAIL_1>."
    assert second == "I am Bob <<EMAIL_2>>, <PHONE_1>."
    assert third == "Then write to <EMAIL_1>, or call <PHONE_1>."
    assert redacted(("user", "bob@mailbox.org"))[0] == ["<EMAIL_1>"]


def test_new_placeholders_are_numbered_on_from_those_that_are_there():
    assert redacted(("user", "<EMAIL_3> and bob@mailbox.org"))[0] == ["<EMAIL_3> and <EMAIL_4>"]


CARD = 4539148803436467


def in_calls(arguments: Any, **options: Any) -> Any:
    """The arguments of a call after redaction, and the text of the whole column."""
    entry = {"tool_calls": [{"id": "1", "function": {"name": "send", "arguments": arguments}}]}
    column = json.dumps([None, entry], ensure_ascii=False)
    _, rows = redacted(("user", "Send it."), ("assistant", ""), tool_calls=column, code="all", **options)
    written = rows.column("tool_calls")[0].as_py()
    return json.loads(written)[1]["tool_calls"][0]["function"]["arguments"], written


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({"card": CARD, "n": 1}, {"card": "<CARD_1>", "n": 1}),
        ([CARD, CARD, "x"], ["<CARD_1>", "<CARD_1>", "x"]),
        ({"to": "Write to:\nada@lovelace.org"}, {"to": "Write to:\n<EMAIL_1>"}),
        ({"to": "at\t93.184.215.14\r\n+49 30 901820"}, {"to": "at\t<IP_1>\r\n<PHONE_1>"}),
        ({"ada@lovelace.org": "ADA@lovelace.org"}, {"<EMAIL_1>": "<EMAIL_1>"}),
        (
            {"ada@lovelace.org": 1, "Ada@Lovelace.org": 2, "<EMAIL_1>": 3},
            {"<EMAIL_2>": 1, "<EMAIL_3>": 2, "<EMAIL_1>": 3},
        ),
        ('{"card": 4539148803436467}', '{"card": "<CARD_1>"}'),
        ('{ "to" : "Hi,\\nada\\u0040lovelace.org" }', '{ "to" : "Hi,\\n<EMAIL_1>" }'),
        ({"body": '{"inner": "[4539148803436467]"}'}, {"body": '{"inner": "[\\"<CARD_1>\\"]"}'}),
        ("to:\\nada@lovelace.org, by\\t+49 30 901820", "to:\\n<EMAIL_1>, by\\t<PHONE_1>"),
    ],
)
def test_values_in_json_are_replaced_as_they_are_meant_and_it_stays_json(arguments: Any, expected: Any):
    found, written = in_calls(arguments)
    assert found == expected
    assert "lovelace" not in written.lower()


def test_what_redact_leaves_of_json_is_read_again_and_nothing_is_found_in_it():
    arguments = {"to": ["x\nada@lovelace.org", {"card": CARD}], "z": 1.50, "a": "\u00e9"}
    turns = [
        {"role": "user", "content": "Send."},
        {"role": "assistant", "tool_calls": [{"name": "f", "arguments": arguments}]},
    ]
    given = Messages().read({"messages": turns})
    _, rows = redacted(*given.messages, tool_calls=given.tool_calls, code="all")
    written = rows.column("tool_calls")[0].as_py()
    assert written == (given.tool_calls or "").replace("ada@lovelace.org", "<EMAIL_1>").replace(str(CARD), '"<CARD_1>"')
    plain = [{"role": role, "content": content} for role, content in given.messages]
    assert Messages().read({"messages": plain, "tool_calls": written}).tool_calls == written
    assert SensitiveFilter(code="all").measure(rows)["findings"].to_list() == [[]]


def test_answers_of_tools_and_schemas_that_are_json_are_searched_as_they_are_meant():
    answer = '{"from": "x\\nada\\u0040lovelace.org", "card": 4539148803436467}'
    said = '{"reply": "Write to\\nada@lovelace.org"}'
    tools = '[{"name": "f", "default": "\\nada@lovelace.org"}]'
    texts, rows = redacted(("user", "Hi"), ("assistant", said), ("tool", answer), tools=tools, code="all")
    assert texts == ["Hi", '{"reply": "Write to\\n<EMAIL_1>"}', '{"from": "x\\n<EMAIL_1>", "card": "<CARD_1>"}']
    assert rows.column("tools")[0].as_py() == '[{"name": "f", "default": "\\n<EMAIL_1>"}]'


def test_a_key_that_is_known_by_its_name_is_found_in_json_too():
    value = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYzb8Qk2pQ7s"
    for arguments in ({"aws_secret_access_key": value}, json.dumps({"secretAccessKey": value}).replace("/", "\\/")):
        found, _ = in_calls(arguments)
        assert "<SECRET_1>" in str(found)
        assert "K7MDENG" not in str(found)


def test_what_is_found_in_json_is_told_where_it_is_written():
    column = '[null,{"tool_calls":[{"name":"f","arguments":"{\\"to\\": \\"x\\\\nada\\\\u0040lovelace.org\\", \\"n\\": 4539148803436467}"}]}]'
    rows = Rows.of([Conversation([("user", "Hi"), ("assistant", "")], column)])
    (found,) = SensitiveFilter(code="all").measure(rows)["findings"].to_list()
    assert [(one["kind"], column[one["start"] : one["end"]]) for one in found] == [
        ("email", "ada\\\\u0040lovelace.org"),
        ("card", "4539148803436467"),
    ]


values = st.sampled_from(
    ["ada@lovelace.org", "x\nada@lovelace.org", "Ada@lovelace.org", "", 'a"\\b', "é😀", "+49 30 901820"]
)
leaves = st.none() | st.booleans() | st.sampled_from([CARD, 12, 1.5, -3]) | values | st.text(max_size=6)
json_values = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(values | st.text(max_size=3), inner, max_size=4)
        | inner.map(json.dumps)
        | inner.map(lambda value: json.dumps([value], ensure_ascii=False, indent=1))
    ),
    max_leaves=10,
)


def shape(value: Any) -> Any:
    if isinstance(value, str) and value.lstrip().startswith(("{", "[")):
        try:
            return ("text", shape(json.loads(value)))
        except ValueError:
            pass
    if isinstance(value, dict):
        return [shape(inner) for inner in value.values()]
    if isinstance(value, list):
        return tuple(map(shape, value))
    return "scalar"


@given(st.lists(json_values, max_size=3), st.booleans())
def test_redacting_json_gives_json_of_the_same_shape(value: Any, is_ascii: bool):
    column = json.dumps(value, ensure_ascii=is_ascii)
    _, rows = redacted(("user", "Hi"), ("assistant", ""), tools=column, code="all")
    written = rows.column("tools")[0].as_py()
    assert shape(json.loads(written)) == shape(value)
    meant = "\n".join(leaf.text for leaf in json_text.leaves(written) or ())
    assert "lovelace" not in meant.lower()
    assert str(CARD) not in meant
    without = json.dumps(value, ensure_ascii=is_ascii)
    if not any(found in without.lower() for found in ("lovelace", str(CARD), "49 30")):
        assert written == column


def test_in_code_and_by_tools_only_secrets_are_replaced():
    key = "AKIA" + "ZQ3RLM5XW7TPJ2VK"
    fenced = f"See:\n```python\nsend('ada@lovelace.org', '{key}')\n```\nor ask ada@lovelace.org"
    bare = f"import boto3\nclient = boto3.client('s3', '{key}')\nprint(client, 'ada@lovelace.org')"
    calls = json.dumps(
        [None, {"tool_calls": [{"function": {"arguments": json.dumps({"to": "ada@lovelace.org", "key": f"\n{key}"})}}]}]
    )
    messages = (("user", fenced), ("assistant", bare), ("tool", f"ada@lovelace.org {key}"))
    texts, rows = redacted(*messages, tool_calls=calls, tools=f'[{{"default":"{key}"}}]')
    assert texts[0] == fenced.replace(key, "<SECRET_1>").replace("ask ada@lovelace.org", "ask <EMAIL_1>")
    assert texts[1] == bare.replace(key, "<SECRET_1>")
    assert texts[2] == "ada@lovelace.org <SECRET_1>"
    assert rows.column("tool_calls")[0].as_py() == calls.replace(key, "<SECRET_1>")
    assert rows.column("tools")[0].as_py() == '[{"default":"<SECRET_1>"}]'
    texts, rows = redacted(*messages, tool_calls=calls, code="all")
    assert "ada@" not in "".join([*texts, rows.column("tool_calls")[0].as_py()])


def test_only_the_kinds_that_are_named_are_replaced():
    assert redacted(("user", "bob@mailbox.org, 93.184.216.34"), kinds=("ip",))[0] == ["bob@mailbox.org, <IP_1>"]


@given(
    st.lists(st.tuples(st.sampled_from(KINDS), st.text(st.sampled_from("a1 +-.@:\n`_<>")), st.integers()), max_size=4)
)
def test_mapping_twice_is_mapping_once(parts: list[tuple[str, str, int]]):
    text = "".join(f"{around}{made(random.Random(seed), kind, 'en')}" for kind, around, seed in parts)
    once = Redact().map(Rows.of([Conversation([("user", text), ("assistant", text[::-1])], f'["{text}"]')]))
    assert Redact().map(once).batch.equals(once.batch)
    assert sensitive.find(once.column("messages")[0].as_py()[0]["content"]) == []


def test_the_filter_says_kind_and_place_and_never_the_value():
    rows = Rows.of([
        Conversation([("user", "Hi"), ("assistant", "Ask bob@mailbox.org or 93.184.216.34.")]),
        Conversation([("user", "Hi"), ("assistant", "Hello")]),
        Conversation([("user", "Hi"), ("assistant", "")], '["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"]'),
    ])  # fmt: skip
    stage = SensitiveFilter(action="drop")
    measures = stage.measuring().measure(rows).with_row_index("row")
    assert stage.judge(measures).rows() == [
        (0, 0, "holds email", "email", "messages[1]", 4, 19, 2),
        (2, 0, "holds secret", "secret", "tool_calls", 2, 42, 1),
    ]
    assert SensitiveFilter().judge(measures).is_empty()
    only = SensitiveFilter(kinds=("ip",))
    tallies = {name: tally.with_columns(pl.lit("a").alias("source")) for name, tally in only.tally(measures).items()}
    assert only.report(tallies)["findings"].frame.rows() == [(0, "ip", "messages[1]", 23, 36, "a")]
    assert only.report(tallies)["kinds"].frame.rows() == [("a", "ip", 1, 1)]


def rows_with_values(seed: int) -> tuple[list[Any], list[str]]:
    """Records with a value in every place that a record has, some of which can't become rows; and the values."""
    draw = random.Random(seed)
    rows: list[Any] = []
    values = []
    for one in planted(seed, 2):
        values.append(secret_part(one.value))
        prose = {"role": "assistant", "content": one.text}
        rows.append({"messages": [{"role": "user", "content": f"{one.language}{len(rows)}? {one.text}"}, prose]})
    for number in range(4):
        keys = [made(draw, "secret", "en") for _ in range(3)]
        values += map(secret_part, keys)
        call = {"id": "1", "type": "function", "function": {"name": "f", "arguments": json.dumps({"key": keys[0]})}}
        tools = [{"type": "function", "function": {"name": "f", "description": f"default {keys[1]}"}}]
        turns = [
            {"role": "user", "content": f"do {number}"},
            {"role": "assistant", "content": "", "tool_calls": [call]},
            {"role": "tool", "content": f"{keys[2]}", "tool_call_id": "1"},
            {"role": "assistant", "content": f"write to ada{number}@lovelace.org"},
        ]
        values.append(f"ada{number}@lovelace.org")
        rows.append({"messages": turns, "tools": json.dumps(tools)})
    values += ["quarantined@mailbox.org", "another@mailbox.org"]
    rows += [
        {"messages": [{"role": "quarantined@mailbox.org", "content": "x"}]},
        b'{"messages": [], "another@mailbox.org": 1, "another@mailbox.org": 2}',
    ]
    return rows, values


def told(folder: Path) -> str:
    """All that the files of a folder say, Parquet as its values."""
    texts = []
    for path in sorted(folder.rglob("*")):
        if path.suffix == ".parquet":
            texts += [
                json.dumps(row, default=str, ensure_ascii=False) for row in pl.read_parquet(path, glob=False).to_dicts()
            ]
        elif path.is_file():
            texts.append(path.read_bytes().decode("utf-8", "replace"))
    return "\n".join(texts)


def test_no_planted_value_is_found_anywhere_after_a_build_with_redact(yard: Yard):
    rows, values = rows_with_values(3)
    yard.jsonl("in/a.jsonl", rows)
    stages = [
        "redact",
        {"sensitive_filter": {"action": "drop", "max_removed": 0}},
        {"pattern_filter": {"patterns": [r"write to \S+"], "max_removed": 1}},
        {"length_filter": {"min_characters": 3}},
        "exact_dedup",
        "minhash_dedup",
    ]
    source = {"jsonl": "in/*.jsonl", "max_quarantined": 2, "format": "messages"}
    recipe = yard.write("mix.yaml", json.dumps({"name": "mix", "sources": {"a": source}, "stages": stages}))
    said = ""
    removed = ["removed", "mix"]
    for command in (["plan", str(recipe)], ["build", str(recipe)], removed, [*removed, "--stage", "quarantined"]):
        run = subprocess.run(
            [sys.executable, "-m", "tulu_data", *command], cwd=yard.root, capture_output=True, text=True, check=False
        )
        assert run.returncode == 0, run.stderr
        said += run.stdout + run.stderr
    folders = ["mixtures", "manifests", ".tulu-data"]
    said += "".join(told(yard.root / folder) for folder in folders)
    assert sorted(path.name for path in yard.root.iterdir()) == sorted([*folders, "in", "mix.yaml"])
    assert "<SECRET_1>" in said
    assert "write to <EMAIL_1>" in said
    assert "the role is '<EMAIL_1>'" in said
    assert "key '<EMAIL_1>' stands twice" in said
    hidden = [json.dumps(value, ensure_ascii=False)[1:-1] for value in values]
    hashes = [hashlib.new(name, value.encode()).hexdigest() for value in values for name in ("sha256", "md5")]
    left = [value for value in [*values, *hidden, *hashes] if value in said]
    assert left == []


def test_without_redact_the_filter_stops_the_build_and_shows_no_value_in_its_evidence(yard: Yard):
    rows, values = rows_with_values(3)
    yard.jsonl("a.jsonl", [*rows[:-2], {"messages": [{"role": "assistant", "content": "Hello"}]}])
    sources = {"a": {"jsonl": "a.jsonl", "format": "messages"}}
    with pytest.raises(FindingsError, match="sensitive_filter: removes 64 of 65 rows of a") as stopped:
        yard.mix(sources=sources, stages=[{"sensitive_filter": {"action": "drop", "max_removed": 0}}])
    assert re.search(r"\n  [0-9a-f]{32}  holds \w+, kind \w+, place messages", str(stopped.value))
    assert [value for value in values if value in str(stopped.value)] == []
    built = yard.mix(sources=sources, stages=[{"sensitive_filter": {"action": "drop", "max_removed": 1}}])
    said = told(built.mixture.folder)
    assert re.search(r'"kind": "secret", "place": "tool_calls", "start": \d+, "end": \d+', said)
    assert [value for value in values if value in said] == []
    kinds = pl.read_parquet(built.mixture.folder / "reports/sensitive_filter-kinds.parquet")
    assert set(kinds["kind"]) == set(KINDS)
