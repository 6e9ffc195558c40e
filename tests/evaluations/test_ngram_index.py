"""The engine finds what sets of n-gram tuples find, and nothing else."""

from __future__ import annotations

import itertools
import json
import math
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, get_args

import numpy as np
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tulu_data.errors import InputError
from tulu_data.evaluations.evaluation_set import EvaluationSet
from tulu_data.evaluations.item import Item
from tulu_data.evaluations.ngram_index import NgramIndex, Setting, digest, open_index
from tulu_data.evaluations.ngram_index_build import build
from tulu_data.kernels.unicode import Normaliser
from tulu_data.store.durable import sha256_file
from word_oracle import NAIVE

Texts = Sequence[str]


def item(id: str, *questions: str, answer: str = "") -> Item:
    return Item(id, {"question": questions, "passage": (), "choices": (), "answer": (answer,) if answer else ()})


def index_of(sets: dict[str, list[Item]], n: int, normaliser: Normaliser = "words", **more: Any) -> NgramIndex:
    folder = Path(tempfile.mkdtemp()) / "index"
    build(folder, sets, Setting(n, normaliser, ("question",), **more))
    return open_index(folder)[0]


def scanned(index: NgramIndex, rows: Sequence[Texts], noted_from: float = 0.0) -> dict[tuple[int, str], dict[str, Any]]:
    """What the engine says of each pair, by row and item."""
    _, work = open_index(index.folder)
    texts = pa.array([text for row in rows for text in row], pa.string())
    offsets = np.cumsum([0, *map(len, rows)]).astype(np.int64)
    items = index.items.with_row_index("item").with_columns(pl.col("item").cast(pl.Int64))
    pairs = index.scan(texts, offsets, work, noted_from).pairs.join(items, on="item", suffix="_all")
    return {(pair["row"], pair["id"]): pair for pair in pairs.iter_rows(named=True)}


def grams(words: list[str], n: int) -> list[tuple[str, ...]]:
    return [tuple(words[start : start + n]) for start in range(len(words) - n + 1)]


def naive(
    items: list[Item], rows: Sequence[Texts], n: int, normaliser: Normaliser, most: int | None = None
) -> dict[tuple[int, str], Any]:
    """What is shared: of indexed items `SHARED`, and True for short ones that are whole. `most` is `max_item_df`."""
    split = NAIVE[normaliser]
    of_items = {item.id: [split(text) for text in item.texts["question"]] for item in items}
    every = {id: {gram for words in texts for gram in grams(words, n)} for id, texts in of_items.items()}
    common = {gram for own in every.values() for gram in own if most and sum(gram in o for o in every.values()) > most}
    sets = {id: own - common for id, own in every.items()}
    idf = {
        gram: math.log((len(items) + 1) / sum(gram in other for other in sets.values()))
        for gram in set().union(*sets.values())
    }
    found: dict[tuple[int, str], Any] = {}
    for (number, row), (id, texts) in itertools.product(enumerate(rows), of_items.items()):
        messages = [split(text) for text in row]
        have = {gram for words in messages for gram in grams(words, n)}
        shared = sets[id] & have
        if shared:
            covered = places(texts, n, shared)
            covered_all = places(texts, n, every[id] & have)
            tokens = len(places(texts, n, sets[id]))
            longest = max(len(run) for run in common_runs(texts, messages, n, common))
            sums = [sum(idf[gram] for gram in chosen) for chosen in (shared, sets[id])]
            (text, first), (other, last) = min(covered_all), max(covered_all)
            begun = with_numbers_before(texts[text], first, n, messages)
            done = with_numbers_before(texts[other][::-1], len(texts[other]) - 1 - last, n, [m[::-1] for m in messages])
            between = [
                words[place]
                for number_of_text, words in enumerate(texts)
                for place in range(len(words))
                if (text, begun) <= (number_of_text, place) <= (other, len(texts[other]) - 1 - done)
                and is_number(words[place])
            ]
            missing = [word for word in between if not any(word in message for message in messages)]
            numbers = (len(between), len(missing))
            found[number, id] = (len(covered), tokens, len(shared), longest, len(covered_all), *numbers, *sums)
        elif not sets[id] and any(texts) and is_whole(texts, messages):
            is_its_own = not most or len(holders(id, of_items)) <= most
            found.update({(number, id): True} if is_its_own else {})
    return found


def is_number(word: str) -> bool:
    return word[0] in "0123456789"


def with_numbers_before(words: list[str], first: int, n: int, messages: list[list[str]]) -> int:
    """Where the numbers right before a place begin, if a message has a number before the n-gram that begins there."""
    gram = words[first : first + n]
    found = [
        is_number(message[start - 1])
        for message in messages
        for start in range(1, len(message))
        if message[start : start + n] == gram
    ]
    while any(found) and first and is_number(words[first - 1]):
        first -= 1
    return first


def places(texts: list[list[str]], n: int, chosen: set[tuple[str, ...]]) -> set[tuple[int, int]]:
    """The words, by text and place, that lie in some of the n-grams."""
    return {
        (text, start + offset)
        for text, words in enumerate(texts)
        for start, gram in enumerate(grams(words, n))
        if gram in chosen
        for offset in range(n)
    }


def is_whole(texts: list[list[str]], messages: list[list[str]]) -> bool:
    whole = [words for words in texts if words]
    return all(any(words in grams_as_lists(message, len(words)) for message in messages) for words in whole)


def holders(id: str, of_items: dict[str, list[list[str]]]) -> list[str]:
    return [other for other, texts in of_items.items() if is_whole(of_items[id], texts)]


def grams_as_lists(words: list[str], n: int) -> list[list[str]]:
    return [list(gram) for gram in grams(words, n)]


def common_runs(
    texts: list[list[str]], messages: list[list[str]], n: int, common: set[tuple[str, ...]]
) -> list[list[str]]:
    """All runs of words that a text of the item and a message of the row share, and that hold an n-gram that counts."""
    return [
        text[start:end]
        for text in texts
        for start in range(len(text))
        for end in range(start + n, len(text) + 1)
        if not common.issuperset(grams(text[start:end], n))
        if any(text[start:end] in grams_as_lists(message, end - start) for message in messages)
    ]


SHARED = ("covered", "tokens", "grams", "longest", "covered_all", "numbers", "numbers_missing")


def compared(pair: dict[str, Any]) -> Any:
    if pair["kind"] == "short":
        return True
    sums = [round(pair[name], 3) for name in ("idf", "idf_all")]
    return (*(pair[name] for name in SHARED), *sums)


def rounded(value: Any) -> Any:
    return value if value is True else (*value[:-2], *(round(number, 3) for number in value[-2:]))


WORDS = st.sampled_from(
    ["a", "b", "c", "a", "3", "17", "é", "数", "e\u0301", "A", "2", "x+1", "ß", "𐐀", "\\frac", ".", "\n"]
)
TEXT = st.lists(WORDS, max_size=14).map(" ".join)
ITEMS = st.lists(st.lists(TEXT, min_size=1, max_size=2), min_size=1, max_size=4)
ROWS = st.lists(st.lists(TEXT, max_size=3), max_size=4)


@pytest.mark.parametrize("normaliser", get_args(Normaliser))
@settings(max_examples=250)
@given(texts=ITEMS, rows=ROWS, n=st.integers(1, 13), leak=st.booleans(), most=st.sampled_from([None, None, 1, 2]))
def test_the_engine_equals_sets_of_tuples(
    normaliser: Normaliser, texts: list[list[str]], rows: list[list[str]], n: int, leak: bool, most: int | None
):
    items = [item(f"i{number}", *own) for number, own in enumerate(texts)]
    if leak:
        rows = [*rows, [f"so {texts[0][0]} and {texts[-1][-1]}"]]
    try:
        index = index_of({"e": items}, n, normaliser, max_item_df=most)
    except InputError:
        assert naive(items, [*rows, *texts], n, normaliser, most) == {}
        return
    pairs = scanned(index, rows)
    found = {
        key: compared(pair)
        for key, pair in pairs.items()
        if pair["kind"] == "indexed" or pair["whole"] == pair["texts"]
    }
    assert found == {key: rounded(value) for key, value in naive(items, rows, n, normaliser, most).items()}
    noted = {key for key, pair in pairs.items() if pair["whole"] or pair["idf"] >= 0.35 * pair["idf_all"]}
    assert set(scanned(index, rows, 0.35)) == noted


def test_the_index_of_the_same_items_has_the_same_bytes_whatever_threads_added_up_first(tmp_path: Path):
    sets = {}
    for name, rows in (("math_test", 25), ("code_test", 17), ("facts_test", 20)):
        described = {"sample": name, "rows": rows, "seed": 7, "id": "id", "question": "question", "answer": "answer"}
        sets[name] = EvaluationSet.model_validate(described).items(name, tmp_path / "samples", sha256_file)
    for number in range(12):
        build(tmp_path / str(number), sets, Setting(3, "math_code", ("question",), 3, 8, 5))
    assert len({digest(tmp_path / str(number)) for number in range(12)}) == 1


def test_n_grams_that_many_items_share_count_in_no_statistic():
    stem = "which of the following statements is true about the law of"
    items = [item(f"i{number}", f"{stem} {'xyzw'[number]} in the year {1900 + number}") for number in range(4)]
    index = index_of({"e": items}, 5, max_item_df=3)
    assert index.accounts["e"]["ngrams_left_out"] == 4 * 7
    pairs = scanned(index, [[f"{stem} nothing"], [f"and {stem} y in the year 1901."]])
    assert list(pairs) == [(1, "i1")]
    pair = pairs[1, "i1"]
    assert (pair["covered"], pair["tokens"], pair["grams"], pair["grams_all"]) == (9, 9, 5, 5)


def test_ignored_n_grams_count_in_no_statistic():
    index = index_of({"e": [item("1", "write a function to add two numbers")]}, 3, ignored=("Write a function to",))
    assert index.accounts["e"]["ngrams_left_out"] == 2
    assert not scanned(index, [["Write a function to subtract"]])
    assert scanned(index, [["to add two"]])[0, "1"]["grams"] == 1


def test_items_are_indexed_short_or_unusable_and_counted():
    index = index_of(
        {"e": [item("1", "one two three"), item("2", "one"), item("3", "?!"), item("4")], "f": [item("5", "x")]}, 3
    )
    assert index.accounts == {
        "e": {"items": 4, "indexed": 1, "short": 1, "unusable": 2, "ngrams_left_out": 0},
        "f": {"items": 1, "indexed": 0, "short": 1, "unusable": 0, "ngrams_left_out": 0},
    }


def test_items_of_fewer_words_than_asked_are_not_matched_and_counted():
    index = index_of({"e": [item("1", "Economics"), item("2", "What is it?")]}, 8, min_words=3)
    assert (index.accounts["e"]["short"], index.accounts["e"]["unusable"]) == (1, 1)
    assert list(scanned(index, [["economics: what is it about?"]])) == [(0, "2")]


def test_a_run_is_told_where_it_stands_on_both_sides():
    index = index_of({"e": [item("1", "Ünter den Linden stand ein alter Baum")]}, 2)
    pair = scanned(index, [["Nein.", "«Früher» STAND EIN alter  Stuhl, stand ein"]])[0, "1"]
    assert (pair["longest"], pair["text"]) == (3, 1)
    row = "«Früher» STAND EIN alter  Stuhl, stand ein"
    assert row[pair["start"] : pair["end"]] == "STAND EIN alter"
    text, start, end = index.text_span(pair["item_token"], pair["longest"])
    assert text == 0
    assert "Ünter den Linden stand ein alter Baum"[start:end] == "stand ein alter"


def test_scans_with_one_index_do_not_know_of_each_other():
    index = index_of({"e": [item("1", "a b c d e f")]}, 3)
    assert scanned(index, [["a b c"]])[0, "1"]["covered"] == 3
    assert scanned(index, [["d e f"]])[0, "1"]["covered"] == 3
    assert scanned(index, [["x y z"]]) == {}


def flan(shared: Path, name: str) -> list[str]:
    lines = (shared / "train/flan_cot" / name).read_text(encoding="utf-8").split("\n")
    return [line.split("\t")[0] for line in lines if line]


def llmbar(shared: Path) -> list[str]:
    files = sorted((shared / "preference/llmbar").rglob("*.json"))
    return [row["input"] for file in files for row in json.loads(file.read_text(encoding="utf-8"))]


def gsm8k(shared: Path, *columns: str) -> list[str]:
    lines = (shared / "train/gsm8k_train/train.jsonl").read_text(encoding="utf-8").splitlines()
    return [row[column] for row in map(json.loads, lines) for column in columns]


CSQA = {"jsonl": "zero_shot_cot/dataset__CommonsenseQA__dev_rand_split.jsonl", "question": "question.stem"}
STRATEGY = {"jsonl": "zero_shot_cot/dataset__StrategyQA__task.json", "records": "examples[]", "question": "input"}
MT_BENCH = {"jsonl": "mt_bench/question.jsonl", "question": "turns.0"}
GSM8K = {"jsonl": "gsm8k_test/test.jsonl", "question": "question"}


# The table of facts in the README of the real data: any, > 50 %, 100 %, of, short, and short items that are whole.
@pytest.mark.parametrize(
    ("evaluation", "rows", "expected"),
    [
        (CSQA, lambda shared: flan(shared, "ecqa_train.tsv"), (724, 723, 714, 1221, 119, 80)),
        (STRATEGY, lambda shared: flan(shared, "strategyqa_train.tsv"), (1598, 1598, 1598, 2290, 503, 463)),
        (MT_BENCH, llmbar, (76, 76, 76, 80, 0, 0)),
        (GSM8K, lambda shared: gsm8k(shared, "question"), (80, 2, 0, 1319, 0, 0)),
        (GSM8K, lambda shared: gsm8k(shared, "question", "answer"), (82, 2, 0, 1319, 0, 0)),
    ],
    ids=["CommonsenseQA", "StrategyQA", "MT-Bench", "GSM8K", "GSM8K with answers"],
)
def test_known_leaks_of_real_data_are_found_to_the_item(
    shared: Path, evaluation: dict[str, str], rows: Callable[[Path], list[str]], expected: tuple[int, ...]
):
    described = {**evaluation, "jsonl": str(shared / "evals" / evaluation["jsonl"])}
    items = EvaluationSet.model_validate(described).items("e", shared, sha256_file)
    index = index_of({"e": items}, 8)
    pairs = scanned(index, [[text] for text in rows(shared)])
    best: dict[str, float] = {}
    whole = set()
    for (_, id), pair in pairs.items():
        if pair["kind"] == "indexed":
            best[id] = max(best.get(id, 0), pair["covered"] / pair["tokens"])
        elif pair["whole"] == pair["texts"]:
            whole.add(id)
    shares = list(best.values())
    account = index.accounts["e"]
    counts = (len(shares), sum(share > 0.5 for share in shares), shares.count(1), account["items"], account["short"])
    assert (*counts, len(whole)) == expected
