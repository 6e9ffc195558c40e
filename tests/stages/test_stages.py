"""Every stage keeps the contract, and does what its own page says."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import Any

import polars as pl
import pyarrow.compute as pc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tulu_data import stages, verdicts
from tulu_data.errors import InvariantError
from tulu_data.rows.rows import Rows
from tulu_data.rows.sft import Conversation
from tulu_data.stage import Filter, Mapper, Resolver, Stage
from tulu_data.stages.exact_dedup import ExactDedup
from tulu_data.stages.length_filter import LengthFilter
from tulu_data.testing import SAMPLE, check_stage
from tulu_data.text import language_id

SAMPLES = {"sample": "math_test", "rows": 5, "question": "question", "answer": "answer", "id": "id"}
VARIANTS: dict[str, list[dict[str, Any]]] = {
    "exact_dedup": [
        {},
        {"on": "prompt", "normalise": "whitespace"},
        {"on": "response", "prefer": ["b"]},
    ],
    "minhash_dedup": [
        {"threshold": "0.5"},
        {"on": "prompt", "keep_responses": 2, "protect": ["a"]},
        {"permutations": 128, "threshold": "0.6", "scope": "within", "keep": "any", "prefer": ["b"]},
    ],
    "ngram_decontamination": [
        {"against": {"math": SAMPLES}},
        {"against": {"math": SAMPLES, "facts": {**SAMPLES, "sample": "facts_test"}}, "rule": "decon", "n": 2},
        {"against": {"math": SAMPLES}, "rule": "gpt3", "thresholds": {"math": 2}, "short_items": "answered"},
    ],
    "pattern_filter": [
        {"patterns": [r"\d+", "☕"]},
        {"presets": ["provider_identity", "knowledge_cutoff"], "on": "conversation", "action": "keep"},
    ],
    "language": [{}, {"on": "prompt", "min_letters": 5, "min_score": 0.5}, {"agree": True}],
    "language_filter": [
        {"keep": ["en"]},
        {"drop": ["fr"], "min_share": 0.9, "undetermined": "drop"},
    ],
    "domain": [
        {},
        {
            "declared": "ignore",
            "min_score": 0.1,
            "rules": {"drinks": [{"pattern": "☕", "often": 0.1}], "math": [{"pattern": "×"}]},
        },
        {"model": str(language_id.model_file()), "min_certainty": 0},
    ],
    "redact": [{}, {"kinds": ["email", "secret"], "code": "all"}],
    "sensitive_filter": [{}, {"kinds": ["phone"], "action": "drop", "code": "all"}],
    "tokens": [{}],
    "weighted_mix": [
        {},
        {"rows": 7, "max_repeat": 3},
        {"by": "language", "tokens": 500, "when_short": "take_all", "max_repeat": 2},
        {"by": ["domain", "language"], "temperature": 2, "best": "language_filter.score"},
        {"by": "domain", "weights": {"math": 1, "chat": 3}, "when_short": "shrink"},
    ],
    "length_filter": [
        {},
        {"on": "response", "min_characters": 4, "max_characters": 100},
        {"min_messages": 2, "max_messages": 3},
        {"min_tokens": 10, "max_tokens": 100},
    ],
}


def test_every_stage_has_variants_to_test():
    assert sorted(VARIANTS) == stages.names()


@pytest.mark.parametrize(("name", "options"), [(name, options) for name in VARIANTS for options in VARIANTS[name]])
def test_every_stage_keeps_the_contract(name: str, options: dict[str, Any]):
    stage = stages.find(name)
    assert stage.name() == name == stage.__module__.rsplit(".", 1)[-1]
    check_stage(stage.model_validate(options))


def judged(stage: Filter, conversations: Sequence[Conversation]) -> list[tuple[Any, ...]]:
    measures = stage.measuring().measure(Rows.of(conversations)).with_row_index("row")
    return stage.judge(measures).rows()


def test_length_filter_says_what_was_measured_and_the_limit():
    rows = [
        Conversation([("user", "a"), ("assistant", "b")]),
        Conversation([("system", "not counted"), ("user", "é"), ("assistant", "😀😀")]),
        Conversation([("user", "a"), ("assistant", "b"), ("user", "c"), ("assistant", "d")]),
    ]
    stage = LengthFilter(max_messages=3, min_characters=3)
    assert judged(stage, rows) == [(2, 0, "too many messages", 4, 3), (0, 0, "too few characters", 2, 3)]


def test_length_filter_limits_are_inclusive():
    row = [Conversation([("user", "abc"), ("assistant", "de")])]
    assert judged(LengthFilter(min_characters=5, max_characters=5, min_messages=2, max_messages=2), row) == []
    assert [verdict[2] for verdict in judged(LengthFilter(min_characters=6), row)] == ["too few characters"]
    assert [verdict[2] for verdict in judged(LengthFilter(max_characters=4), row)] == ["too many characters"]


messages = st.lists(
    st.tuples(
        st.sampled_from(["system", "user", "assistant", "tool"]),
        st.text(st.sampled_from("ab \t\n\u00a0\u2003é\u0301e😀"), max_size=5),
    ),
    min_size=1,
    max_size=4,
)
conversations = st.lists(messages.map(Conversation), max_size=12)
ROLES = {"prompt": {"user"}, "response": {"assistant"}, "conversation": {"user", "assistant", "tool"}}


@given(conversations, st.sampled_from(sorted(ROLES)), st.integers(0, 6), st.integers(1, 8))
def test_length_filter_equals_counting_by_hand(rows: list[Conversation], on: Any, least: int, most: int):
    most = max(least, most)
    stage = LengthFilter(on=on, min_characters=least, max_characters=most)
    naive = {
        index
        for index, row in enumerate(rows)
        if not least <= sum(len(text) for role, text in row.messages if role in ROLES[on]) <= most
    }
    assert {verdict[0] for verdict in judged(stage, rows)} == naive


def resolved(
    stage: Resolver, rows: Sequence[Conversation], sources: Sequence[str], order: Sequence[int]
) -> set[tuple[int, int]]:
    measures = stage.measuring().measure(Rows.of(rows)).with_row_index("row")
    alive = measures.with_columns(
        pl.Series("source", sources, dtype=pl.String), pl.Series("order", order, dtype=pl.UInt32)
    )
    return set(stage.resolve(alive).select("row", "twin").rows())


@given(conversations, st.sampled_from(sorted(ROLES)), st.booleans(), st.data())
def test_exact_dedup_equals_a_naive_dictionary(
    rows: list[Conversation], on: Any, has_spaces: bool, data: st.DataObject
):
    order = data.draw(st.permutations(range(len(rows))))
    sources = data.draw(st.lists(st.sampled_from("abc"), min_size=len(rows), max_size=len(rows)))
    stage = ExactDedup(on=on, normalise="none" if has_spaces else "whitespace", prefer=("c", "b"))

    def key(row: Conversation) -> list[tuple[str, str]]:
        return [
            (role, text if has_spaces else " ".join(unicodedata.normalize("NFC", text).split()))
            for role, text in row.messages
            if role in ROLES[on]
        ]

    kept: dict[str, int] = {}
    naive = set()
    for index in sorted(range(len(rows)), key=lambda index: ("cba".index(sources[index]), order[index])):
        turns = key(rows[index])
        if any(text for _, text in turns) and str(turns) in kept:
            naive.add((index, kept[str(turns)]))
        kept.setdefault(str(turns), index)
    assert resolved(stage, rows, sources, order) == naive


def test_exact_dedup_never_joins_texts_across_messages():
    split = Conversation([("user", "ab"), ("assistant", "c")])
    other = Conversation([("user", "a"), ("assistant", "bc")])
    assert resolved(ExactDedup(), [split, other], "aa", [0, 1]) == set()


def test_rows_that_call_tools_differently_are_not_the_same_and_not_empty():
    rows = [
        Conversation([("user", "Weather?"), ("assistant", "")], f'[null,{{"tool_calls":["{city}"]}}]')
        for city in ("Rome", "Oslo", "Rome")
    ]
    assert resolved(ExactDedup(on="conversation"), rows, "aaa", [0, 1, 2]) == {(2, 0)}
    assert resolved(ExactDedup(on="response"), rows, "aaa", [0, 1, 2]) == {(2, 0)}
    assert resolved(ExactDedup(on="prompt"), rows, "aaa", [0, 1, 2]) == {(1, 0), (2, 0)}
    assert judged(LengthFilter(on="response", min_characters=1), rows) == []


def test_a_measuring_stage_cannot_read_what_decides():
    measuring = LengthFilter(min_characters=5).measuring()
    assert measuring.on == "conversation"
    with pytest.raises(AttributeError):
        _ = measuring.min_characters


def test_every_threshold_is_marked_as_deciding():
    assert LengthFilter.deciding() >= {
        "min_messages",
        "max_messages",
        "min_characters",
        "max_characters",
        "max_removed",
    }
    assert ExactDedup.deciding() >= {"prefer", "sources"}


class Forgetful(Filter):
    """A stage that breaks the contract: it looks at its neighbours.

    - forgetful: {}
    """

    def measure(self, rows: Rows) -> pl.DataFrame:
        return pl.DataFrame({"last": [index == len(rows) - 1 for index in range(len(rows))]})

    def judge(self, measures: pl.DataFrame) -> pl.DataFrame:
        return verdicts.drop(measures, pl.col("last"), reason="last")


class ByArrival(Resolver):
    """A stage that breaks the contract: the first row to arrive wins.

    - by_arrival: {}
    """

    bytes_per_row = 8

    def measure(self, rows: Rows) -> pl.DataFrame:
        return pl.DataFrame({"text": ["".join(texts) for texts in rows.texts("prompt").by_row()]})

    def resolve(self, measures: pl.DataFrame) -> pl.DataFrame:
        first = pl.int_range(pl.len()).over("text") == 0
        return verdicts.drop(measures.with_columns(first.alias("first")), ~pl.col("first"), reason="seen")


class Shouting(Mapper):
    """A stage that breaks the contract: mapping twice differs.

    - shouting: {}
    """

    def map(self, rows: Rows) -> Rows:
        shouted = [
            Conversation(
                [(role, f"{text}!") for role, text in zip(_column(row, "role"), _column(row, "content"), strict=True)]
            )
            for row in rows.column("messages").to_pylist()
        ]
        return Rows.of(shouted)


def _column(row: list[dict[str, str]], name: str) -> list[str]:
    return [message[name] for message in row]


class Toolless(Mapper):
    """A stage that breaks the contract: it loses the calls of tools.

    - toolless: {}
    """

    def map(self, rows: Rows) -> Rows:
        lists = rows.column("messages").to_pylist()
        return Rows.of(Conversation([(message["role"], message["content"]) for message in row]) for row in lists)


class Trimming(Mapper):
    """A mapper as it should be.

    - trimming: {}
    """

    def map(self, rows: Rows) -> Rows:
        return rows.with_contents(pc.utf8_trim_whitespace(rows.column("messages").flatten().field("content")))


def test_a_mapper_that_keeps_the_contract_passes():
    check_stage(Trimming())
    part = Rows.of(SAMPLE).slice(2, 5)
    assert len(Trimming().map(part)) == 5


@pytest.mark.parametrize("stage", [Forgetful(), ByArrival(), Shouting(), Toolless()])
def test_the_contract_finds_stages_that_break_it(stage: Stage):
    with pytest.raises(AssertionError):
        check_stage(stage)


def test_a_verdict_on_a_foreign_row_is_a_bug_of_the_stage():
    rows = pl.Series("row", [0, 1], dtype=pl.UInt32)
    foreign = pl.DataFrame({"row": [7], "copies": [0], "reason": ["x"]})
    with pytest.raises(InvariantError, match="stage mine: gives a verdict on a row that it was not given"):
        verdicts.check(foreign, {}, rows, "mine")
    twice = pl.DataFrame({"row": [1, 1], "copies": [0, 0], "reason": ["x", "y"]})
    with pytest.raises(InvariantError, match="two verdicts on one row"):
        verdicts.check(twice, {}, rows, "mine")
    with pytest.raises(InvariantError, match="its verdicts have the columns"):
        verdicts.check(twice.drop("reason"), {}, rows, "mine")


def test_the_sample_has_every_trouble():
    assert any(row.tools for row in SAMPLE)
    assert any(not any(text for _, text in row.messages) for row in SAMPLE)
