"""Patterns find what speaks of the speaker, in time linear in the text."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tulu_data.errors import RecipeError
from tulu_data.recipe.reading import read
from tulu_data.rows.rows import Rows
from tulu_data.rows.sft import Conversation
from tulu_data.stages.pattern_filter import PatternFilter


def hits(stage: PatternFilter, texts: list[str]) -> list[bool]:
    rows = Rows.of(Conversation([("user", "I am ChatGPT"), ("assistant", text)]) for text in texts)
    judged = stage.judge(stage.measuring().measure(rows).with_row_index("row"))
    return [row in judged["row"].to_list() for row in range(len(texts))]


IDENTITY = [
    "I am ChatGPT",
    "I'm Claude, how can I help?",
    "Hello! My name is Gemini.",
    "As a language model trained by OpenAI, I cannot help",
    "As an AI assistant created by Anthropic, I do not have feelings.",
    "I was developed by DeepSeek.",
    "I am a large language model, trained by Google.",
    "I'm an AI chatbot from Alibaba Cloud",
    "I am OpenAI's language model",
    "Je suis ChatGPT, un assistant",
    "Je suis un modèle de langage développé par OpenAI.",
    "Ich bin Claude.",
    "Ich wurde von Anthropic entwickelt",
    "Soy ChatGPT",
    "Soy un modelo entrenado por Google.",
    "Sono un modello addestrato da OpenAI",
    "Fui desenvolvido pela OpenAI",
    "Я — ChatGPT",
    "Я языковая модель, разработанная компанией OpenAI.",
    "我是ChatGPT",
    "我是由OpenAI开发的人工智能助手。",
    "我叫通义千问",
    "私はChatGPTです",
    "私はOpenAIによって開発されたAIです。",
]
NOT_IDENTITY = [
    "GPT-4 was developed by OpenAI in 2023.",
    "The Qwen paper reports 5 results.",
    "I am a big fan of Gemini and of Claude Monet.",
    "I'm a software engineer at Google.",
    "OpenAI trained ChatGPT by reinforcement learning.",
    "My name is Claudette.",
    "Anthropic was founded by former members of OpenAI.",
    "As a model of good behaviour, he was praised by the teacher.",
    "Je suis allé chez Google hier.",
    "ChatGPT 是由 OpenAI 开发的。",
    "我喜欢ChatGPT",
    "Mistral winds are cold; I am told by Meta that llamas like them.",
]
CUTOFF = [
    "As of my last knowledge update in September 2021, it was so.",
    "my knowledge cutoff is September 2021",
    "My knowledge cut-off is in 2023.",
    "My training data only goes up to 2021",
    "I was trained on data up to 2022",
    "Mes connaissances s'arrêtent en 2021.",
    "Mein Wissen reicht bis 2021",
    "Mi conocimiento llega hasta 2021.",
    "我的知识截止于2021年",
    "私の知識は2021年までです",
    "Мои знания ограничены данными до 2021 года",
]
NOT_CUTOFF = [
    "Last updated in 2019 the road is in good shape.",
    "The software was last updated in 2021.",
    "I was trained in 2010 as a nurse by my mother.",
    "Knowledge is power.",
    "The cutoff date for applications is May 2021.",
    "到2021年为止，人口增长了。",
]


@pytest.mark.parametrize(
    ("preset", "texts", "expected"),
    [
        ("provider_identity", IDENTITY, True),
        ("provider_identity", NOT_IDENTITY, False),
        ("knowledge_cutoff", CUTOFF, True),
        ("knowledge_cutoff", NOT_CUTOFF, False),
    ],
)
def test_presets_find_speakers_and_leave_facts_alone(preset: Any, texts: list[str], expected: bool):
    found = hits(PatternFilter(presets=(preset,)), texts)
    assert [text for text, hit in zip(texts, found, strict=True) if hit != expected] == []


def test_an_expression_that_blows_up_elsewhere_ends():
    # An engine that backtracks would need longer than the universe has.
    stage = PatternFilter(patterns=("(a+)+$", "(x+x+)+y"))
    assert hits(stage, ["a" * 50_000 + "b", "x" * 50_000, "b" + "a" * 50_000]) == [False, False, True]


def test_the_evidence_is_the_expression_and_what_it_found():
    stage = PatternFilter(patterns=(r"\d{4}",), presets=("provider_identity",))
    rows = Rows.of(Conversation([("assistant", text)]) for text in ("in 1999", "I am ChatGPT", "nothing"))
    judged = stage.judge(stage.measuring().measure(rows).with_row_index("row"))
    assert judged.select("row", "reason", "pattern", "found").rows() == [
        (0, "pattern found", r"\d{4}", "1999"),
        (1, "pattern found", "provider_identity", "I am ChatGPT"),
    ]
    kept = PatternFilter(patterns=(r"\d{4}",), action="keep")
    assert kept.judge(kept.measuring().measure(rows).with_row_index("row"))["row"].to_list() == [1, 2]


def test_only_the_chosen_messages_are_searched():
    rows = Rows.of([Conversation([("system", "secret"), ("user", "a"), ("assistant", "b")])])
    for on, word, expected in (
        ("response", "a", 0),
        ("prompt", "a", 1),
        ("conversation", "b", 1),
        ("conversation", "secret", 0),
    ):
        stage = PatternFilter(patterns=(word,), on=on)
        assert len(stage.judge(stage.measuring().measure(rows).with_row_index("row"))) == expected


@given(st.lists(st.text(st.sampled_from("ab\né数"), max_size=8), max_size=6))
def test_hits_are_those_of_pythons_own_expressions(texts: list[str]):
    expressions = ("ab+", "^数", "é$")
    stage = PatternFilter(patterns=expressions)
    naive = [any(re.search(text.replace("$", r"\Z"), message) for text in expressions) for message in texts]
    assert hits(stage, texts) == naive


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("{patterns: ['(a']}", "'(a' is not an RE2 expression: missing ): (a"),
        ("{patterns: ['(?=x)']}", "'(?=x)' is not an RE2 expression: invalid perl operator: (?="),
        ("{presets: [identity]}", "input should be 'provider_identity' or 'knowledge_cutoff'"),
        ("{}", "give 'patterns' or 'presets'; there is nothing to search for"),
    ],
)
def test_what_cannot_be_searched_for_is_refused(options: str, message: str):
    with pytest.raises(RecipeError) as caught:
        read(f"name: x\nsources: {{a: {{jsonl: a}}}}\nstages:\n  - pattern_filter: {options}\n")
    assert message in str(caught.value)
