"""Domains are declared, or told by rules that can be read, or by a model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest

from conftest import Yard
from domain_quality import LABELS, domains_of, known, labelled, measured_half, tables
from tulu_data.errors import InputError, RecipeError
from tulu_data.recipe.reading import read
from tulu_data.rows.rows import Rows
from tulu_data.rows.sft import Conversation
from tulu_data.stages.domain import Domain
from tulu_data.store.durable import sha256_file
from tulu_data.store.workspace import Workspace
from tulu_data.text import code_lines, language_id
from tulu_data.text.domains import RULES

DOCS = Path(__file__).parents[2] / "docs/domains.md"


def measured(*rows: tuple[str, str] | Conversation, **options: Any) -> tuple[Domain, pl.DataFrame]:
    stage = Domain(**options)
    conversations = [
        row if isinstance(row, Conversation) else Conversation([("user", row[0]), ("assistant", row[1])])
        for row in rows
    ]
    return stage, stage.measuring().measure(Rows.of(conversations))


def labels(*rows: tuple[str, str] | Conversation, declared_as: str | None = None, **options: Any) -> list[str]:
    stage, measures = measured(*rows, **options)
    return stage.annotate(measures.with_columns(pl.lit(declared_as, pl.String).alias("domain")))["domain"].to_list()


@pytest.mark.parametrize(
    ("prompt", "response", "domain"),
    [
        ("What is 12 × 12?", "12 × 12 = 144", "math"),
        ("Find $x$.", r"We have $\frac{x}{2} = 3$, so $x = \boxed{6}$.", "math"),
        ("Reverse a list in Python.", "```python\nprint(xs[::-1])\n```", "code"),
        ("Total by customer?", "SELECT name, SUM(total)\nFROM orders\nGROUP BY name;", "code"),
        ("How do I pick a lock to steal a car?", "I'm sorry, but I can't help with that: it is illegal.", "safety"),
        ("Hola, ¿qué me recomiendas para una cena?", "Una tortilla para los niños y una sopa.", "multilingual"),
        ("今天天气怎么样？", "今天天气很好。", "multilingual"),
        ("Summarise the text in exactly two sentences.", "It is short. It ends.", "instruction_following"),
        ("Who was the first person on the moon?", "Neil Armstrong.", "knowledge"),
        ("Pretend you are a pirate.", "Arr!", "chat"),
        ("<tool_call> now", "12:00", "tools"),
        ("Hm.", "Well.", "other"),
    ],
)
def test_rules_tell_each_domain(prompt: str, response: str, domain: str):
    assert labels((prompt, response)) == [domain]


def test_rows_that_call_or_offer_tools_are_of_tools():
    turns = [("user", "What is 12 × 12?"), ("assistant", "12 × 12 = 144")]
    rows = [Conversation(turns, '[null,{"tool_calls":[]}]'), Conversation(turns, None, "[]"), Conversation(turns)]
    assert labels(*rows) == ["tools", "tools", "math"]


def test_what_the_source_declares_comes_first_unless_it_is_ignored():
    row = ("What is 12 × 12?", "12 × 12 = 144")
    assert labels(row, declared_as="puzzles") == ["puzzles"]
    assert labels(row, declared_as="puzzles", declared="ignore") == ["math"]


def test_a_score_joins_the_weights_of_rules_by_how_often_they_are_met():
    reasons = [{"pattern": "ab", "weight": "0.5", "often": 10}, {"pattern": "cd", "weight": "0.4", "on": "prompt"}]
    text = "ab " * 3 + "-" * 591
    _, measures = measured((text, "cd"), ("cd", text), rules={"letters": reasons})
    # 3 in 602 characters are 5 in a thousand, half of what is often; a `cd` in the answer does not count.
    assert measures["letters_score"].to_list() == pytest.approx([0.2492, 1 - (1 - 0.2492) * 0.6], abs=1e-4)


def test_short_texts_count_as_three_hundred_characters():
    _, measures = measured(("ab", ""), rules={"letters": [{"pattern": "ab", "weight": 1, "often": 10}]})
    assert measures["letters_score"].to_list() == pytest.approx([1 / 3], abs=1e-4)


def test_rules_of_a_recipe_add_domains_and_add_to_those_that_are_there():
    rules = {
        "medicine": [{"pattern": r"(?i)\bpatients?\b", "weight": 0.9}],
        "math": [{"pattern": "seven", "weight": 0.9}],
    }
    rows = (("The patient waits.", "Yes."), ("seven", "eight"))
    assert labels(*rows) == ["other", "other"]
    assert labels(*rows, rules=rules) == ["medicine", "math"]
    assert labels(*rows, rules=rules, min_score=0.95) == ["other", "other"]


def test_of_equal_scores_the_first_domain_is_meant():
    both = {name: [{"pattern": "seven", "weight": 1}] for name in ("chat", "tools")}
    assert labels(("seven", ""), rules=both) == ["tools"]


def test_a_model_decides_where_rules_say_too_little():
    model = str(language_id.model_file())
    row = ("Hm well the quick brown fox jumps over the lazy dog again", "And again it jumps")
    math = ("What is 12 × 12?", "12 × 12 = 144")
    assert labels(row, math, model=model) == ["en", "math"]
    assert labels(row, model=model, min_certainty=1) == ["other"]
    with_model = Domain(model=model).prepare(Workspace(Path("unused")), sha256_file)
    assert with_model.artifacts == {"fasttext model": language_id.model_digest()}
    assert with_model.facts() == {"model": model, "sha256": language_id.model_digest()}


def test_a_model_that_is_not_there_or_is_none_is_told_before_anything_is_read(tmp_path: Path):
    with pytest.raises(
        InputError, match=r"stages\.domain: model: no file gone\.ftz; give a fastText model, or leave it out"
    ):
        Domain(model="gone.ftz").prepare(Workspace(tmp_path), sha256_file)
    (tmp_path / "bad.ftz").write_bytes(b"no model")
    with pytest.raises(
        InputError, match=r"bad\.ftz: not a fastText model .*; give one that `fasttext supervised` has trained"
    ):
        Domain(model=str(tmp_path / "bad.ftz")).prepare(Workspace(tmp_path), sha256_file)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("{rules: {law: [{pattern: '(a'}]}}", "rules.law[0].pattern: '(a' is not an RE2 expression: missing ): (a"),
        ("{rules: {law: [{pattern: a, weight: 2}]}}", "rules.law[0].weight: input should be less than or equal to 1"),
        (
            "{rules: {law: [{pattern: a, wieght: 1}]}}",
            "rules.law[0].wieght: unknown key 'wieght'; did you mean 'weight'?",
        ),
        (
            "{rules: {other: [{pattern: a}]}}",
            "'other' is the domain of rows that no rule decides; give the domain another name",
        ),
        ("{declared: maybe}", "domain.declared: input should be 'use' or 'ignore'; found 'maybe'"),
    ],
)
def test_a_recipe_is_told_what_is_wrong_with_its_rules(options: str, message: str):
    with pytest.raises(RecipeError) as caught:
        read(f"name: mix\nsources: {{a: {{jsonl: x}}}}\nstages:\n  - domain: {options}\n")
    assert message in str(caught.value)


def test_a_build_writes_domains_and_counts_them_by_source(yard: Yard):
    sums = [{"prompt": f"What is {n} + {n}?", "response": f"{n} + {n} = {2 * n}"} for n in range(10, 13)]
    asked = [{"prompt": "Who was the first person on the moon?", "response": "Neil Armstrong."}]
    yard.jsonl("a.jsonl", [*sums, *asked])
    yard.jsonl("b.jsonl", asked)
    sources = {"a": {"jsonl": "a.jsonl"}, "b": {"jsonl": "b.jsonl", "domain": "space"}}
    built = yard.mix(sources=sources, stages=["domain"], output={"shuffle": False})
    written = pl.read_parquet(built.mixture.folder / "data/*.parquet").group_by("source", "domain").len()
    assert set(written.rows()) == {("a", "math", 3), ("a", "knowledge", 1), ("b", "space", 1)}
    report = pl.read_parquet(built.mixture.folder / "reports/domain-domains.parquet")
    assert report.select("source", "domain", "rows").rows() == [
        ("a", "math", 3),
        ("a", "knowledge", 1),
        ("b", "space", 1),
    ]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("x = 5\ny = 7", []),
        ("If you can,\nwrite to me.", []),
        ("for (int i = 0; i < n; i++) {\n  sum += i;\n}", [(0, 43)]),
        ("A:\n~~~\nx\n~~~\nB", [(3, 12)]),
        ("An open fence:\n```\nx", [(15, 20)]),
    ],
)
def test_code_is_told_by_fences_and_by_syntax(text: str, found: list[tuple[int, int]]):
    assert code_lines.spans(text) == found


def test_known_sources_are_told_well_on_rows_that_rules_were_not_made_on(shared: Path):
    found = {name: domains_of(measured_half(rows)) for name, rows in known(shared).items()}

    def share(source: str, *domains: str) -> float:
        return sum(found[source][domain] for domain in domains) / found[source].total()

    for source in ("GSM8K", "MATH-500", "FLAN gsm8k"):
        assert share(source, "math") >= 0.95
    for source in ("codegen", "HumanEval", "MBPP"):
        assert share(source, "code") >= 0.90
    assert share("roleplay", "math", "code") <= 0.02


def test_rows_labelled_by_hand_are_told_well(shared: Path):
    found = {label: domains_of(rows) for label, rows in labelled(shared).items()}
    assert sum(count.total() for count in found.values()) == 200 == len(LABELS.read_text().splitlines()) - 1
    assert found["code"]["code"] / found["code"].total() >= 0.8
    assert (found["neither"]["math"] + found["neither"]["code"]) / found["neither"].total() <= 0.02


def test_the_tables_of_the_docs_are_those_of_the_command(shared: Path):
    shown = DOCS.read_text(encoding="utf-8")
    for found in tables(shared):
        assert "\n".join(found) in shown


def test_the_docs_name_all_domains():
    shown = DOCS.read_text(encoding="utf-8")
    assert all(f"`{name}`" in shown for name in RULES)
