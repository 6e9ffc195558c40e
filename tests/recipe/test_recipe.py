"""A recipe is read as it is meant, or its errors say where and what."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from tulu_data.errors import RecipeError, UsageError
from tulu_data.recipe import reference
from tulu_data.recipe.reading import load, read
from tulu_data.recipe.recipe import Recipe
from tulu_data.sources.jsonl import Jsonl
from tulu_data.stages.exact_dedup import ExactDedup
from tulu_data.stages.length_filter import LengthFilter

ROOT = Path(__file__).parents[2]
HEAD = "name: mix\nsources:\n  a: {jsonl: a.jsonl}\n  bb: {jsonl: b.jsonl}\n"


def problems(text: str) -> str:
    with pytest.raises(RecipeError) as caught:
        read(text, "mix.yaml")
    assert caught.value.exit_code == 2
    return str(caught.value)


def test_a_recipe_reads_into_frozen_models():
    recipe = read(
        HEAD
        + "seed: 42\nstages:\n  - length_filter: {max_characters: 20_000}\n  - exact_dedup\noutput: {shuffle: no}\n"
    )
    assert recipe.sources["a"] == Jsonl(jsonl="a.jsonl")
    assert recipe.stages == (LengthFilter(max_characters=20_000), ExactDedup())
    assert recipe.seed == 42
    assert recipe.output.shuffle is False
    with pytest.raises(ValueError, match="frozen"):
        recipe.seed = 1  # type: ignore[misc]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (HEAD + "stages:\n  - minhash_dedop: {}\n", "mix.yaml:6:5: stages[0]: no stage named 'minhash_dedop'; did you mean 'minhash_dedup'?"),
        (HEAD + "stages:\n  - exact_dedop\n", "mix.yaml:6:5: stages[0]: no stage named 'exact_dedop'; did you mean 'exact_dedup'?"),
        (HEAD + "stages:\n  - exact_dedup: {normalize: none}\n", "mix.yaml:6:19: stages[0].exact_dedup.normalize: unknown key 'normalize'; did you mean 'normalise'?"),
        (HEAD + "stages:\n  - exact_dedup: {on: promt}\n", "mix.yaml:6:23: stages[0].exact_dedup.on: input should be 'prompt', 'response' or 'conversation'; found 'promt'"),
        (HEAD + "stages:\n  - length_filter: {max_messages: -1}\n", "mix.yaml:6:35: stages[0].length_filter.max_messages: input should be greater than 0; found '-1'"),
        (HEAD + "stages:\n  - exact_dedup: {prefer: [a, c]}\n", "mix.yaml:6:31: stages[0].exact_dedup.prefer[1]: no source named 'c'; there are a, bb"),
        (HEAD + "stages:\n  - exact_dedup: {max_removed: {bbb: 1}}\n", "mix.yaml:6:33: stages[0].exact_dedup.max_removed.bbb: no source named 'bbb'; did you mean 'bb'?"),
        (HEAD + "stages:\n  - exact_dedup\n  - length_filter\n", "mix.yaml:6:3: stages: phases run in the order rewrite → judge → deduplicate → mix; put the stages so: length_filter (judge), exact_dedup (deduplicate)"),
        (HEAD + "stages:\n  - length_filter: {}\n    exact_dedup: {}\n", "mix.yaml:6:5: stages[0]: a stage is its name, or one name with its options: `- length_filter: {max_messages: 40}`"),
        (HEAD + "sede: 4\n", "mix.yaml:5:1: sede: unknown key 'sede'; did you mean 'seed'?"),
        (HEAD + "seed: x\n", "mix.yaml:5:7: seed: should be a whole number; found 'x'"),
        (HEAD + "kind: preference\n", "mix.yaml:5:7: kind: no kind 'preference'; there is sft"),
        ("name: Mix\nsources: {a: {jsonl: x}}\n", "mix.yaml:1:7: name: 'Mix' is not a name: small letters, digits, '.', '_' and '-', at most 64, the first a letter or digit"),
        ("name: mix\nsources: {A: {jsonl: x}}\n", "mix.yaml:2:11: sources.A: 'A' is not a name: small letters"),
        ("name: mix\n", "mix.yaml:1:1: sources: is missing"),
        ("name: mix\nsources: {}\n", "mix.yaml:2:10: sources: should have at least one entry; found a mapping"),
        ("name: mix\nsources: {a: x.jsonl}\n", "mix.yaml:2:14: sources.a: a source is a mapping with one of the keys csv, huggingface, jsonl, parquet, sample, tsv"),
        ("name: mix\nsources: {a: {json: x}}\n", "mix.yaml:2:14: sources.a: where are its rows? It needs one of the keys csv, huggingface, jsonl, parquet, sample, tsv; did you mean 'jsonl'?"),
        ("name: mix\nsources: {a: {jsonl: x, csv: y}}\n", "mix.yaml:2:25: sources.a.csv: 'jsonl' and 'csv' in one source; make two sources of them"),
        ("name: mix\nsources: {a: {jsonl: x, rows: 5, fraction: 0.5}}\n", "mix.yaml:2:14: sources.a: 'rows' and 'fraction' exclude each other; keep one of them"),
        ("name: mix\nsources: {a: {jsonl: x, rows: 0.5}}\n", "mix.yaml:2:31: sources.a.rows: should be a whole number; found '0.5'"),
        ("name: mix\nsources: {a: {jsonl: x, fraction: 3}}\n", "mix.yaml:2:35: sources.a.fraction: input should be less than or equal to 1; found '3'"),
        ("name: mix\nsources: {a: {jsonl: x, fraction: .inf}}\n", "mix.yaml:2:35: sources.a.fraction: should be a number; found '.inf'"),
        ("name: mix\nsources: {a: {jsonl: x, format: shargpt}}\n", "mix.yaml:2:33: sources.a.format: no format named 'shargpt'; there are messages, sharegpt, alpaca, prompt_response; did you mean 'sharegpt'?"),
        ("name: mix\nsources: {a: {jsonl: x, format: {prompt: q, reponse: r}}}\n", "mix.yaml:2:45: sources.a.format.reponse: unknown key 'reponse'; did you mean 'response'?"),
        ("name: mix\nsources: {a: {jsonl: x, format: {question: q}}}\n", "mix.yaml:2:33: sources.a.format: a mapping of columns needs one of the keys messages, conversations, instruction, prompt"),
        ("name: mix\nsources: {a: {jsonl: x, records: 'a[0]'}}\n", "mix.yaml:2:34: sources.a.records: 'a[0]' is not a path to records, such as examples[], data[].paragraphs[] or entries"),
        ("name: mix\nsources: {a: {jsonl: x}}\nstages: {exact_dedup: {}}\n", "mix.yaml:3:9: stages: should be a list; found a mapping"),
        ("name: mix\nsources: {a: {jsonl: }}\n", "mix.yaml:2:21: sources.a.jsonl: should be a list; found nothing"),
        ("name: mix\nsources: {a: {jsonl: ${DATA}/x}}\n", 'a path with ${NAME} needs quotes inside braces: "${NAME}/…"'),
        (HEAD + "stages:\n  - length_filter: {max_removed: 50}\n", "mix.yaml:6:34: stages[0].length_filter.max_removed: input should be less than or equal to 1; found '50'"),
        (HEAD + "stages:\n  - length_filter: {min_messages: 5, max_messages: 2}\n", "nothing is at least 5 and at most 2; it would drop every row"),
        ("- a\n", "mix.yaml:1:1: a recipe is a mapping with the keys name, kind, seed, version, card, sources, stages, output"),
        ("", "mix.yaml:1:1: a recipe is a mapping with the keys"),
    ],
)  # fmt: skip
def test_every_error_has_its_place_and_its_remedy(text: str, message: str):
    assert message in problems(text)


def test_the_source_line_is_shown_with_a_mark_under_the_place():
    assert problems(HEAD + "seed: x\n") == (
        "mix.yaml:5:7: seed: should be a whole number; found 'x'\n    5 | seed: x\n              ^"
    )


def test_all_problems_are_told_at_once_in_the_order_of_the_text():
    message = problems("name: Mix\nsources: {a: {jsonl: x, rows: no}}\nstages: [exact]\nsede: 1\n")
    places = [line.split(": ")[0] for line in message.splitlines() if line.startswith("mix.yaml:")]
    assert places == ["mix.yaml:1:7", "mix.yaml:2:31", "mix.yaml:3:10", "mix.yaml:4:1"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: &x 1\nb: *x\n", "mix.yaml:1:4: a: anchor '&x'; write the value where it is used"),
        ("a: *x\n", "mix.yaml:1:4: a: alias '*x'; write the value out"),
        ("a: &a [*a]\n", "mix.yaml:1:4: a: anchor '&a'"),
        ("a: !!python/object/apply:os.system ['true']\n", "mix.yaml:1:4: a: tag 'tag:yaml.org,2002:python/object/apply:os.system'; values have no tags"),
        ("a: !!str 1\n", "mix.yaml:1:4: a: tag 'tag:yaml.org,2002:str'; values have no tags"),
        ("a: 1\nb: 2\na: 3\n", "mix.yaml:3:1: a: duplicate key; it is in line 1 already"),
        ("a: {b: 1, b: 2}\n", "mix.yaml:1:11: a.b: duplicate key; it is in line 1 already"),
        ("a: 1\n---\nb: 1\n", "mix.yaml:2:1: a second document; a recipe is one"),
        ("? [a]\n: b\n", "mix.yaml:1:3: a key that is not a plain word"),
        ("a: 'x\n", "mix.yaml:2:1: not YAML: while scanning a quoted scalar; found unexpected end of stream"),
        ("\ta: 1\n", "mix.yaml:1:1: not YAML: while scanning for the next token; found character '\\t' that cannot start any token"),
        ("a: " + "[" * 40 + "]" * 40, "mix.yaml:1:36: a: nested deeper than 32"),
        ("a: " + "x" * 300_000, "mix.yaml:1:1: 300,003 bytes; a recipe has at most 262,144"),
        ("a: \x00", "mix.yaml:1:1: not YAML: "),
    ],
)  # fmt: skip
def test_yaml_that_could_hide_multiply_or_run_is_refused(text: str, message: str):
    assert message in problems(text)


def test_deep_nesting_is_refused_before_it_is_built():
    assert "nested deeper than 32" in problems("[" * 200_000)


def test_words_stay_what_was_written():
    recipe = read(
        "name: 007\nversion: 1.10\nseed: 0123\nsources:\n  no: {jsonl: 12:30:45, license: no, domain: 1e-3, fraction: 1e-3}\n"
    )
    assert (recipe.name, recipe.version, recipe.seed) == ("007", "1.10", 123)
    source = recipe.sources["no"]
    assert (source.license, source.domain, source.fraction) == ("no", "1e-3", Decimal("0.001"))
    assert source.files.__self__.jsonl == ("12:30:45",)  # type: ignore[attr-defined]


def test_a_recipe_that_is_no_text(tmp_path: Path):
    path = tmp_path / "mix.yaml"
    path.write_bytes(b"name: mix\nkind: \xff\n")
    with pytest.raises(RecipeError, match=r"mix\.yaml:2:1: not UTF-8 text"):
        load(path)
    with pytest.raises(UsageError, match="no such file or directory; give the path of a recipe"):
        load(tmp_path / "none.yaml")


def recipes() -> list[Path]:
    found = [*ROOT.glob("recipes/*.yaml"), *ROOT.glob("recipes/examples/*.yaml")]
    return sorted([*found, ROOT / "tulu_data/starter/recipe.yaml"])


@pytest.mark.parametrize("path", recipes(), ids=lambda path: path.name)
def test_our_recipes_read_fit_the_schema_and_point_editors_to_it(path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("TULU_DATA_EVALS", str(ROOT / "recipes/examples/evaluations"))
    recipe = load(path)
    values = YAML(typ="safe", pure=True).load(path.read_text())
    jsonschema.validate(values, reference.json_schema())
    assert path.read_text().startswith("# yaml-language-server: $schema=")
    named = path.read_text().splitlines()[0].removeprefix("# yaml-language-server: $schema=")
    assert (path.parent / named).name == reference.SCHEMA_FILE
    assert read(recipe.to_yaml()) == recipe


@pytest.mark.parametrize(
    "values",
    [
        {"name": "mix", "sources": {"a": {"jsonl": "x", "sede": 1}}},
        {"name": "mix", "sources": {"a": {}}},
        {"name": "Mix", "sources": {"a": {"jsonl": "x"}}},
        {"name": "mix", "sources": {"a": {"jsonl": "x"}}, "stages": ["nothing"]},
        {"name": "mix", "sources": {"a": {"jsonl": "x"}}, "stages": [{"length_filter": {"max_message": 1}}]},
    ],
)
def test_the_schema_refuses_what_the_reader_refuses(values: dict[str, Any]):
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(values, reference.json_schema())
    with pytest.raises(RecipeError):
        read(json.dumps(values))


def test_the_reference_and_the_schema_are_those_of_the_models():
    remedy = "run: python -m tulu_data.recipe.reference"
    assert (ROOT / "docs/recipe.md").read_text() == reference.markdown(), remedy
    assert (ROOT / "recipes" / reference.SCHEMA_FILE).read_text() == reference.schema_text(), remedy


names = st.from_regex(r"[a-z0-9][a-z0-9._-]{0,8}", fullmatch=True)
texts = st.text(
    st.characters(blacklist_categories=["Cs", "Cc"], blacklist_characters="\ufeff\u2028\u2029\x85\ufffe\uffff"),
    min_size=1,
    max_size=8,
)
sources = st.fixed_dictionaries(
    {"jsonl": st.lists(texts, min_size=1, max_size=3)},
    optional={"domain": texts, "license": texts, "rows": st.integers(1, 10**9), "allow_empty": st.booleans()},
)
stage_lists = st.lists(
    st.fixed_dictionaries(
        {}, optional={"min_characters": st.integers(0, 99), "max_removed": st.decimals(0, 1, places=3)}
    ),
    max_size=2,
)


@given(names, st.integers(), st.dictionaries(names, sources, min_size=1, max_size=3), stage_lists)
def test_a_recipe_written_out_reads_back_as_itself(name: str, seed: int, given_sources: Any, stages: Any):
    recipe = Recipe(
        name=name,
        seed=seed,
        sources={key: Jsonl(**value) for key, value in given_sources.items()},
        stages=tuple(LengthFilter(**options) for options in stages),
    )
    again = read(recipe.to_yaml())
    assert again == recipe
    assert again.to_yaml() == recipe.to_yaml()
    assert again.canonical() == recipe.canonical()


@given(st.text(max_size=60) | st.from_regex(r"(name|sources|stages): [\[{a-z\]}:, \n-]{0,30}"))
def test_nothing_but_a_recipe_error_comes_out_of_any_text(text: str):
    try:
        read(text)
    except RecipeError as error:
        assert str(error)
