"""Languages are told of the prose alone, and never guessed."""

from __future__ import annotations

import csv
import gzip
import json
import re
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from conftest import Yard
from tulu_data.errors import InputError, RecipeError, UsageError
from tulu_data.recipe.reading import read
from tulu_data.rows.rows import Rows
from tulu_data.rows.sft import Conversation
from tulu_data.stages.language import Language
from tulu_data.stages.language_filter import LanguageFilter
from tulu_data.store.workspace import Workspace
from tulu_data.text import language_id
from tulu_data.text.language_id import UNDETERMINED, identify, prose

ENGLISH = "Please tell me how many apples are left in the basket."
GERMAN = "Bitte sag mir, wie viele Äpfel noch im Korb liegen."


def measured(rows: list[Conversation], **options: Any) -> pl.DataFrame:
    stage = Language(**options)
    return stage.measure(Rows.of(rows)).with_columns(stage.label().alias("label"))


def labels(texts: list[str], **options: Any) -> list[str]:
    return measured([Conversation([("user", text)]) for text in texts], **options)["label"].to_list()


def share(texts: list[str], *wanted: str) -> float:
    found = labels(texts)
    return sum(label in wanted for label in found) / len(found)


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("Solve $x^2 = 4$ for x", "solve for x"),
        ("It costs $5 and then $7 more", "it costs and then more"),
        ("Look:\n```python\nimport os\n```\nand go on", "look and go on"),
        ("An open fence\n```\nprint(1)", "an open fence"),
        ("def add(a, b):\n    Adds numbers.\n    return a + b\n", "adds numbers"),
        (">>> add(1, 2)\n3\ntwo words", "two words"),
        ("a <b>bold</b> word at https://example.org/a?b=c", "a bold word at"),
        (r"\begin{align}x&=1\end{align} so \frac{1}{2} is half", "so is half"),
        ("x = 3", ""),
        ("12 345,67 !!", ""),
    ],
)
def test_what_is_no_prose_goes_first(text: str, left: str):
    assert prose(text) == left


def test_few_letters_are_undetermined_and_ideographs_count_three():
    assert labels(["Let f(x)=2x+1. Find f(3).", "", "42", "你好，请问今天天气怎么样"]) == ["und", "und", "und", "zh"]
    assert labels(["hi there you"], min_letters=5, min_score="0") != ["und"]


def test_turns_that_are_too_short_alone_are_looked_at_together():
    row = Conversation([("user", "Wie geht es dir"), ("assistant", "Mir geht es gut")])
    assert measured([row])["label"].to_list() == ["de"]


def test_a_conversation_in_two_languages_has_the_share_of_the_larger():
    row = Conversation([("user", ENGLISH), ("assistant", f"{GERMAN} {GERMAN}")])
    (line,) = measured([row]).iter_rows(named=True)
    assert line["language"] == "de"
    assert 0.5 < line["share"] < 0.8


def test_langdetect_is_asked_where_both_must_agree():
    assert labels([ENGLISH, GERMAN], agree=True) == ["en", "de"]
    odd = "lorem ipsum dolor sit amet consectetur adipiscing elit sed do"
    assert labels([odd], min_score="0") != ["und"]
    assert labels([odd], min_score="0", agree=True) in (["und"], ["la"])


def test_a_language_filter_says_what_it_dropped_and_keeps_what_it_can_not_tell():
    rows = [Conversation([("user", text)]) for text in (ENGLISH, GERMAN, "x = 3")]

    def judged(**options: Any) -> list[tuple[int, str, str]]:
        stage = LanguageFilter(**options)
        measures = stage.measuring().measure(Rows.of(rows)).with_row_index("row")
        return stage.judge(measures).select("row", "reason", "language").rows()

    assert judged(keep=["en"]) == [(1, "language de", "de")]
    assert judged(drop=["en"], undetermined="drop") == [(0, "language en", "en"), (2, "language can't be told", "und")]
    rows = [Conversation([("user", ENGLISH), ("assistant", GERMAN)])]
    assert judged(min_share="0.9")[0][1] == "in several languages"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("{}", "nothing would be dropped; give the languages that are kept, as: keep: [en]"),
        ("{keep: [en], drop: [de]}", "give 'keep' or 'drop', not both"),
        ("{keep: [und]}", "und is not a language; choose what happens to such rows with: undetermined: drop"),
    ],
)
def test_a_filter_that_says_nothing_or_two_things_is_refused(options: str, message: str):
    with pytest.raises(RecipeError, match=re.escape(message)):
        read(f"name: m\nsources: {{a: {{jsonl: x}}}}\nstages: [{{language_filter: {options}}}]\n")


def test_a_model_that_is_not_there_or_another_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv(language_id.MODEL, str(tmp_path / "none.ftz"))
    with pytest.raises(InputError, match=r"TULU_DATA_LID_MODEL: no file .*none\.ftz; give a fastText model"):
        language_id.model_file()
    monkeypatch.delenv(language_id.MODEL)
    monkeypatch.setattr(language_id, "MODEL_SHA256", "0" * 64)
    with pytest.raises(InputError, match=r"lid\.176\.ftz: sha256 is 8f3472\w+, not 000"):
        language_id.model_file()


def test_the_column_and_the_table_of_languages_come_with_a_build(yard: Yard):
    yard.jsonl(
        "a.jsonl", [{"prompt": text, "response": text} for text in (ENGLISH, GERMAN, "x = 3", ENGLISH + " Now.")]
    )
    built = yard.mix(sources={"a": {"jsonl": "a.jsonl"}}, stages=["language"])
    rows = pl.read_parquet(built.mixture.folder / "data/*.parquet")
    assert sorted(rows["language"].to_list()) == ["de", "en", "en", "und"]
    counted = pl.read_parquet(built.mixture.folder / "reports/language-languages.parquet")
    assert counted.rows() == [("a", "en", 2), ("a", "de", 1), ("a", "und", 1)]


def tsv(path: Path) -> list[str]:
    with path.open(encoding="utf-8", newline="") as file:
        return [row[0] for row in csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE)]


def test_mgsm_in_six_languages(shared: Path):
    right = {}
    for language in ("en", "de", "es", "ru", "zh", "sw"):
        right[language] = share(tsv(shared / f"multilingual/mgsm/mgsm_{language}.tsv"), language)
    assert right.pop("sw") >= 0.9
    assert set(right.values()) == {1.0}


def test_paragraphs_of_xquad_are_in_the_language_that_they_are_published_in(shared: Path):
    for path in sorted((shared / "multilingual/xquad").glob("*.json")):
        articles = json.loads(path.read_text(encoding="utf-8"))["data"]
        contexts = [paragraph["context"] for article in articles for paragraph in article["paragraphs"]]
        assert share(contexts, path.stem.removeprefix("xquad.")) >= 0.99


def test_math_and_code_are_english_or_undetermined(shared: Path):
    def lines(path: str, key: str) -> list[str]:
        content = (shared / path).read_bytes()
        text = gzip.decompress(content) if path.endswith(".gz") else content
        return [json.loads(line)[key] for line in text.splitlines()]

    codegen = json.loads((shared / "train/gpteacher/codegen-instruct.json").read_text(encoding="utf-8"))
    assert share(lines("evals/gsm8k_test/test.jsonl", "question"), "en", UNDETERMINED) >= 0.99
    assert share(lines("evals/math500/test.jsonl", "problem"), "en", UNDETERMINED) >= 0.99
    assert share([row["instruction"] for row in codegen], "en", UNDETERMINED) >= 0.99
    assert share(lines("evals/humaneval/HumanEval.jsonl.gz", "prompt"), "en", UNDETERMINED) >= 0.98


def test_a_score_is_between_nothing_and_one():
    assert identify(prose(ENGLISH), 20).score <= 1


@pytest.mark.parametrize(
    ("name", "meant"),
    [("english", "'en'"), ("EN", "'en'"), ("zh-cn", "'zh'"), ("pt_BR", "'pt'"), ("Englsh", "'english'"), ("xx", None)],
)
@pytest.mark.parametrize("option", ["keep", "drop"])
def test_a_language_that_the_model_does_not_give_is_refused_before_anything_is_read(
    tmp_path: Path, option: str, name: str, meant: str | None
):
    stage = LanguageFilter(**{option: [name]})
    with pytest.raises(UsageError) as caught:
        stage.prepare(Workspace(tmp_path), lambda path: "")
    hint = f"; did you mean {meant}?" if meant else ""
    assert str(caught.value) == (
        f"{option}: '{name}' is not a language of the model{hint}; "
        "languages go by their ISO 639-1 codes, such as en, de, zh"
    )


def test_chinese_is_not_taken_for_japanese_for_want_of_letters():
    def label(text: str) -> str:
        return language_id.identify(language_id.prose(text), 20).language

    # fastText alone says ja of both, with scores of 0.71 and 0.97.
    assert label("比較電動車與汽油車") == "zh"
    assert label("确定句子所需的标点符号") == "zh"
    assert label("東京都は日本の首都です。人口はとても多いです。") == "ja"
    assert label("コンピュータでプログラムを書くのは楽しい") == "ja"
