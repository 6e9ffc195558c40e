"""Samples are the same everywhere, differ from each other, and hold what is said to be planted in them."""

from __future__ import annotations

import hashlib
import itertools
import json
import os
import re
import subprocess
import sys
from collections import Counter, defaultdict
from datetime import date
from pathlib import Path
from typing import Any, get_args

import orjson
import polars as pl
import pytest

from conftest import Yard, files_of
from tulu_data import sample
from tulu_data.errors import RecipeError
from tulu_data.executors.processes import Processes
from tulu_data.formats import detect
from tulu_data.formats.messages import Messages
from tulu_data.mixture.mixture import Mixture
from tulu_data.recipe.reading import read
from tulu_data.sample import evaluations, math, planting
from tulu_data.sample.banks import banks, held_out
from tulu_data.sample.draw import Draw
from tulu_data.sample.grammar import parse
from tulu_data.sources.jsonl import Jsonl
from tulu_data.sources.sample import Part, Sample
from tulu_data.store import code_id
from tulu_data.verifying import planted

pytestmark = pytest.mark.slow

PARTS = ("math", "code", "chat", "multilingual", "tools", "multi_turn", "safety")
TESTS = ("math_test", "code_test", "facts_test")
# What one seed gave first. A change of a grammar changes them knowingly; a change of Python must not.
PINS = {
    "math": "be9c30200596bbef2c0e974a998cae4563a9b8b0e6c6d520b9321287d0d387bc",
    "code": "61f738e2f5f9b0fdf4d8f2bed45bcc40ff353e80cfa4a0043a2785f4284ea2e7",
    "chat": "2fe6e3b72e0caab0fd43929ac01383ef9da8ffd70d9c94fcd514e522989d9b2d",
    "multilingual": "8e5c789ebc7b77e97bf8debc311a8d9b4963cb25e74c95fbf27e3c2ee9a10d91",
    "tools": "0840616f16aca840dc40d85f8b0999758d21fbfb6606dc34ddf5388ccb476bb0",
    "multi_turn": "adf20437049f4c0d70f53e24b722c6cb7057244fd37b3c4981b1b50647d37417",
    "safety": "7a2bb6b5dc894ae056c614a1de34f0aff4c38dbbc8f2d958078e50137f65296d",
    "math_test": "a4460fe137d2a20fcfb01e549a425cbaf6bd46299dd8807eed2f279e4f9b9bde",
    "code_test": "cf49648f27339a910a0947f9fa4808ce36a1781fc178df656d6cac85c7621b12",
    "facts_test": "9539b280ecea905937b37546d8c2ec898ea9dda576bba1302df9f9c82a5703c5",
}


def sha256(part: Any, rows: int = 500, seed: int = 7) -> str:
    return hashlib.sha256(b"".join(sample.lines(part, rows, seed))).hexdigest()


def plain(part: Any, rows: int, seed: int = 0) -> list[dict[str, Any]]:
    """The rows of a part in which nothing is planted."""
    skipped = {planting.EXACT, planting.NEAR, *([planting.CONTAMINATED] if part in planting.EVALUATION_OF else [])}
    return [planting.row(part, seed, number) for number in range(rows) if number % 100 not in skipped]


def oracle_shingles(row: dict[str, Any]) -> set[str]:
    """Five words in a row of one message, written otherwise than the program does."""
    found = set()
    for message in row["messages"]:
        text = message.get("content") or ""
        words = [word for word in re.split(r"\W+", text.lower()) if word]
        if message["role"] == "system" or not words:
            continue
        if len(words) < 5:
            found.add(" ".join(words))
        for window in zip(words, words[1:], words[2:], words[3:], words[4:], strict=False):
            found.add(" ".join(window))
    return found


def jaccard(first: set[str], second: set[str]) -> float:
    return len(first & second) / len(first | second)


def at(part: Any, rows: int, seed: int) -> dict[tuple[int, int], bytes]:
    """The records of a part by file and number, as a reader counts them."""
    lines = list(sample.lines(part, rows, seed))
    return {(index // 65_536, index % 65_536 + 1): line for index, line in enumerate(lines)}


@pytest.mark.parametrize("part", [*PARTS, *TESTS])
def test_a_part_is_what_it_was_when_it_was_pinned(part: Any):
    assert sha256(part) == PINS[part]


def test_another_process_and_another_hash_seed_draw_the_same():
    program = "from test_sample import sha256; print(sha256('chat', 300), sha256('tools', 300))"
    path = ":".join(map(str, (Path(__file__).parent, *Path(__file__).parents[1:3])))
    drawn = [
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": path},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.split()
        for seed in ("1", "2")
    ]
    assert drawn == [[sha256("chat", 300), sha256("tools", 300)]] * 2


@pytest.mark.parametrize("part", [*PARTS, *TESTS])
def test_more_rows_begin_with_the_fewer(part: Any):
    few, more = list(sample.lines(part, 450, 3)), list(sample.lines(part, 900, 3))
    assert more[: len(few)] == few


def test_a_file_may_begin_anywhere():
    whole = list(sample.lines("code", 900, 1))
    assert [*sample.lines("code", 900, 1, 0, 401), *sample.lines("code", 900, 1, 401, 10**9)] == whole
    assert sample.records("code", 900) == len(whole) == 902


def test_another_seed_draws_other_rows():
    first, second = ({row["messages"][0]["content"] for row in plain("chat", 200, seed)} for seed in (0, 1))
    assert not first & second


def test_there_are_two_hundred_templates_and_enough_of_each_part():
    names = {row["template"] for part in PARTS for row in plain(part, 1500)}
    counts = Counter(name.split("/")[0] for name in names)
    assert sum(counts.values()) >= 200
    least = {"math": 50, "code": 50, "chat": 50, "multilingual": 40, "tools": 15, "multi_turn": 15, "safety": 15}
    assert all(counts[part] >= count for part, count in least.items()), counts
    assert Counter(name.split("/")[1] for name in names if name.startswith("multilingual")) == dict.fromkeys(
        ("fr", "de", "es", "it", "pt", "ru", "zh", "ja"), 5
    )


def test_no_two_of_three_thousand_rows_are_alike():
    shares = {
        "math": 750,
        "code": 510,
        "chat": 600,
        "multilingual": 450,
        "multi_turn": 300,
        "tools": 240,
        "safety": 150,
    }
    rows = [row for part, count in shares.items() for row in plain(part, count)]
    sets = [oracle_shingles(row) for row in rows]
    words = [frozenset(map(hash, shingles)) for shingles in sets]
    worst = max(len(a & b) / (len(a) + len(b) - len(a & b)) for a, b in itertools.combinations(words, 2))
    assert worst < 0.4
    assert len({json.dumps(row["messages"]) for row in rows}) == len(rows)
    assert len({row["messages"][0]["content"] for row in rows}) > 0.99 * len(rows)


def test_every_row_is_read_as_it_is_written():
    for part in PARTS:
        for row in plain(part, 300):
            conversation = Messages().read(row)
            assert [role for role, _ in conversation.messages] == [message["role"] for message in row["messages"]]
            assert row["domain"] == ("chat" if part == "multi_turn" else part)
            text = "".join(content for _, content in conversation.messages)
            assert not re.search(r"\{[A-Za-z_]+\d*(:\d+\.\.\d+)?\}", text.replace("{}", "")), text
            if part == "tools":
                call = row["messages"][1]["tool_calls"][0]
                assert set(json.loads(call["function"]["arguments"])) == set(
                    row["tools"][0]["function"]["parameters"]["properties"]
                )
                assert call["id"] == row["messages"][2]["tool_call_id"]
                json.loads(row["messages"][2]["content"])


def test_brackets_that_do_not_match_are_an_error():
    for text in ("a [b|c", "a b|c]"):
        with pytest.raises(ValueError, match="brackets do not match"):
            parse(text)


def test_what_is_held_out_is_in_no_other_bank():
    others = {word for words in banks().values() for word in words}
    for name, words in held_out().items():
        assert name in banks()
        assert not set(words) & others, name


SIGNS = {"+": int.__add__, "−": int.__sub__, "×": int.__mul__, "÷": int.__floordiv__}


def test_every_equation_of_a_solution_holds():
    counted = 0
    for row in plain("math", 3000):
        for left, sign, right, result in re.findall(r"(\d+) ([+−×÷]) (\d+) = (\d+)", row["messages"][1]["content"]):
            counted += 1
            assert SIGNS[sign](int(left), int(right)) == int(result), row
            assert sign != "÷" or int(left) % int(right) == 0, row
    assert counted > 10_000


def number(pattern: str, text: str) -> list[int]:
    found = re.search(pattern, text)
    assert found, text
    return [int(group) for group in found.groups()]


def solved_by_hand(name: str, text: str) -> int | None:
    """The answers of some stories, from their text alone."""
    if name == "trains-meeting":
        v, w, t = number(r"at (\d+) km/h, the other at (\d+) km/h, .* after (\d+) hours", text)
        return t * v + t * w
    if name == "ages":
        d, s = number(r"is (\d+) years older .* are (\d+) years old", text)
        return next(age for age in range(s) if age + age + d == s)
    if name == "chickens":
        h, legs = number(r"(\d+) heads and (\d+) legs", text)
        return next(goats for goats in range(h + 1) if 4 * goats + 2 * (h - goats) == legs)
    if name == "cinema":
        t, m, p, q = number(r"sold (\d+) tickets .* for (\d+) dollars alt.* paid (\d+) .* children (\d+) dollars", text)
        return next(children for children in range(t + 1) if (t - children) * p + children * q == m)
    if name == "seats":
        r, a, d = number(r"has (\d+) rows\. .* has (\d+) seats, .* has (\d+) seats more", text)
        rows = [a + d * row for row in range(r)]
        return rows[0] + rows[-1]
    if name == "interest":
        k, p, y = number(r"puts (\d+) dollars .* at (\d+) percent .* in (\d+) years", text)
        return k + round(k * p * y / 100)
    if name == "consecutive":
        (s,) = number(r"sum is (\d+)", text)
        return next(first for first in range(s) if first + first + 1 + first + 2 == s) + 2
    return None


def test_answers_are_those_of_another_way_to_solve():
    checked: Counter[str] = Counter()
    for index in range(3000):
        solved = math.solve(Draw("math", 0, index))
        expected = solved_by_hand(solved.story.name, solved.question)
        if expected is not None:
            checked[solved.story.name] += 1
            assert solved.answer == expected, solved.question
            assert str(expected) in math.solution(solved).splitlines()[-1]
    assert len(checked) == 7
    assert min(checked.values()) > 20


def python_of(row: dict[str, Any]) -> tuple[str, Any]:
    """The code of a row, and the last function or class that it defines."""
    (code,) = re.findall(r"```python\n(.*?)\n```", row["messages"][1]["content"], re.DOTALL)
    space: dict[str, Any] = {"__name__": __name__}
    exec(compile(code, row["template"], "exec"), space)
    names = re.findall(r"^(?:def|class) (\w+)", code, re.MULTILINE)
    return code, space[names[-1]]


def check_code(name: str, code: str, made: Any) -> bool:
    keys = re.findall(r'\["(\w+)"\]', code)
    if name == "python-total-by-key":
        rows = [{keys[0]: "a", keys[1]: 2}, {keys[0]: "b", keys[1]: 5}, {keys[0]: "a", keys[1]: 3}]
        assert made(rows) == {"a": 5, "b": 5}
    elif name == "python-largest-first":
        assert [row[keys[0]] for row in made([{keys[0]: n} for n in (3, 9, 1, 7)], 2)] == [9, 7]
    elif name == "python-moving-average":
        assert made([2, 4, 6, 8], 2) == [2, 3, 5, 7]
    elif name == "python-group-consecutive":
        assert made([1, 2, 5, 6, 7, 9]) == [[1, 2], [5, 6, 7], [9]]
    elif name == "python-binary-search":
        assert [made([1, 3, 3, 8], n) for n in (3, 8, 2, 9)] == [1, 3, -1, -1]
    elif name == "python-flatten":
        assert made([1, [2, [3, []], 4], [[5]]]) == [1, 2, 3, 4, 5]
    elif name == "python-merge-intervals":
        assert made([(5, 6), (1, 3), (2, 4)]) == [(1, 4), (5, 6)]
    elif name == "python-chunks":
        assert list(made(range(5), 2)) == [[0, 1], [2, 3], [4]]
    elif name == "python-dedupe":
        assert made([{keys[0]: 1}, {keys[0]: 2}, {keys[0]: 1}]) == [{keys[0]: 1}, {keys[0]: 2}]
    elif name == "python-topological":
        assert made({"c": ["b"], "b": ["a"], "a": []}) == ["a", "b", "c"]
    elif name == "python-date-range":
        assert made(date(2024, 2, 28), date(2024, 3, 1)) == [date(2024, 2, 28), date(2024, 2, 29), date(2024, 3, 1)]
    elif name == "python-word-count":
        assert made(["A b", "b!"]) == {"a": 1, "b": 2}
    else:
        return False
    return True


def test_python_runs_and_does_what_was_asked():
    ran: Counter[str] = Counter()
    for row in plain("code", 800):
        name = row["template"].removeprefix("code/")
        if name.startswith("python"):
            code, made = python_of(row)
            ran[name] += check_code(name, code, made)
    assert len(ran) == 18
    assert sum(count > 0 for count in ran.values()) == 12


@pytest.mark.parametrize("part", PARTS)
def test_what_is_planted_is_counted(part: Any):
    counts = dict(sample.planted(part, 2000, 7).group_by("kind").len().iter_rows())
    contaminated = {"contaminated": 20} if part in planting.EVALUATION_OF else {}
    assert counts == {"exact_duplicate": 20, "near_duplicate": 20, "broken": 5, **contaminated}


def test_evaluation_sets_have_nothing_planted():
    assert sample.planted("math_test", 500, 7).is_empty()


@pytest.mark.parametrize("part", PARTS)
def test_a_planted_exact_duplicate_is_its_base_and_nothing_else_is_alike(part: Any):
    records = at(part, 2000, 7)
    truth = sample.planted(part, 2000, 7).filter(kind="exact_duplicate")
    twins = {(row["file"], row["record"]): (row["base_file"], row["base_record"]) for row in truth.to_dicts()}
    for place, base in twins.items():
        assert records[place] == records[base]
        assert place > base
    others = [line for place, line in records.items() if place not in twins]
    assert len(set(others)) == len(others)


@pytest.mark.parametrize("part", PARTS)
def test_a_near_duplicate_is_as_similar_as_the_truth_says(part: Any):
    records = at(part, 3000, 7)
    truth = sample.planted(part, 3000, 7).filter(kind="near_duplicate")
    bases = truth.select("base_file", "base_record").rows()
    assert len(set(bases)) == len(bases)
    for row in truth.to_dicts():
        made, base = (
            orjson.loads(records[place])
            for place in ((row["file"], row["record"]), (row["base_file"], row["base_record"]))
        )
        assert jaccard(oracle_shingles(made), oracle_shingles(base)) == row["jaccard"] < 1
        assert base["language"] not in {"zh", "ja"}
    assert {0.95, 0.9, 0.85, 0.8, 0.7} == set(truth["target"])
    near = (truth["jaccard"] - truth["target"]).abs()
    assert near.mean() < 0.03
    assert near.max() < 0.15


@pytest.mark.parametrize("part", ["math", "code", "chat"])
def test_evaluation_items_are_where_they_were_planted_and_nowhere_else(part: Any):
    rows, seed = 1600, 7
    records = at(part, rows, seed)
    truth = sample.planted(part, rows, seed).filter(kind="contaminated")
    items = {item["id"]: item for item in map(orjson.loads, sample.lines(planting.EVALUATION_OF[part], 100, seed))}
    assert set(truth["how"]) == {"verbatim", "embedded", "edited", *([] if part == "code" else ["short"])}
    where: dict[str, set[tuple[int, int]]] = defaultdict(set)
    for row in truth.to_dicts():
        place, question = (row["file"], row["record"]), items[row["item"]]["question"]
        prompt = orjson.loads(records[place])["messages"][0]["content"]
        words = [re.findall(r"\w+", text) for text in (prompt, question)]
        assert (len(words[1]) < 8) == (row["how"] == "short")
        if row["how"] == "edited":
            changed = sum(a != b for a, b in zip(*words, strict=True))
            assert 1 <= changed <= 3
        else:
            assert question in prompt
            assert (question == prompt) == (row["how"] != "embedded")
            where[question].add(place)
    texts = {place: line for place, line in records.items() if place[1] % 401}
    for item in items.values():
        escaped = json.dumps(item["question"], ensure_ascii=False)[1:-1].encode()
        assert {place for place, line in texts.items() if escaped in line} == where[item["question"]], item


def test_answers_to_items_are_right():
    for row in (evaluations.item("facts_test", 3, index) for index in range(400)):
        assert row.answer in row.reply
        for left, sign, right, result in re.findall(r"(\d+) ([+−×÷]) (\d+) = (\d+)", row.reply):
            assert SIGNS[sign](int(left), int(right)) == int(result)
    for row in (evaluations.item("math_test", 3, index) for index in range(3, 400, 4)):
        left, right = number(r"What is (\d+) × (\d+)\?", row.question)
        assert row.answer == str(left * right)
    assert detect(("id", "question", "answer")) is not None


def test_broken_records_give_the_errors_that_are_expected(yard: Yard):
    built = yard.mix(
        sources={part: {"sample": part, "rows": 2400, "seed": 7, "max_quarantined": 6} for part in ("math", "tools")}
    )
    aside = pl.read_parquet(built.mixture.folder / "quarantine.parquet").sort("source", "row")
    for part in ("math", "tools"):
        truth = sample.planted(part, 2400, 7).filter(kind="broken")
        assert aside.filter(source=part).select("row", "code").rows() == truth.select("record", "code").rows()
        assert truth["code"].n_unique() == 6


def test_one_bad_record_too_many_fails_the_build(yard: Yard):
    with pytest.raises(Exception, match="max_quarantined: 2"):
        yard.mix(sources={"a": {"sample": "safety", "rows": 800, "max_quarantined": 1}})


def test_files_are_made_once_and_hold_what_the_digest_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    source = Sample(sample="safety", rows=900, seed=5)
    monkeypatch.setattr(sample, "FILE_RECORDS", 400)
    paths = source.files(tmp_path)
    assert [path.name for path in paths] == ["00000.jsonl", "00001.jsonl", "00002.jsonl"]
    assert b"".join(path.read_bytes() for path in paths) == b"".join(sample.lines("safety", 900, 5))
    monkeypatch.setattr(sample, "lines", None)
    assert source.files(tmp_path) == paths
    monkeypatch.undo()
    monkeypatch.setattr(sample, "FILE_RECORDS", 400)
    whole = paths[1].read_bytes()
    paths[1].unlink()
    assert source.files(tmp_path)[1].read_bytes() == whole
    assert not list(tmp_path.rglob("*.tmp"))


def test_places_in_several_files_are_counted_as_they_are_read(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(planting, "FILE_RECORDS", 350)
    lines = list(sample.lines("code", 900, 2))
    for row in sample.planted("code", 900, 2).filter(kind="exact_duplicate").to_dicts():
        assert lines[row["file"] * 350 + row["record"] - 1] == lines[row["base_file"] * 350 + row["base_record"] - 1]


def test_the_code_that_draws_is_all_in_the_key():
    folder = Path(sample.__file__).parent
    modules = {
        "tulu_data.sample" if path.stem == "__init__" else f"tulu_data.sample.{path.stem}"
        for path in folder.glob("*.py")
    }
    assert modules == code_id._closure(["tulu_data.sample"])


def test_a_recipe_may_name_the_parts_that_there_are():
    assert get_args(Part) == (*planting._ROWS, *evaluations.SHORT_EVERY)


@pytest.mark.parametrize(
    ("source", "is_imported"), [("{jsonl: a.jsonl}", False), ("{sample: math}", True)], ids=["files", "sample"]
)
def test_only_a_recipe_with_a_sample_imports_what_makes_it(source: str, is_imported: bool):
    recipe = f"name: mix\nsources:\n  a: {source}\n"
    program = (
        "import sys, tulu_data.cli.cli\nfrom tulu_data.recipe.reading import read\n"
        f"read({recipe!r})\nprint(any(name.startswith('tulu_data.sample') for name in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == str(is_imported)


def test_samples_know_nothing_of_the_rest():
    for path in Path(sample.__file__).parent.glob("*.py"):
        imported = re.findall(r"^\s*(?:from|import) (tulu_data[\w.]*)", path.read_text(), re.MULTILINE)
        assert all(name.startswith("tulu_data.sample") for name in imported), path


def test_the_domain_is_that_of_the_part_unless_the_recipe_says_one():
    assert Sample(sample="multi_turn").domain == "chat"
    assert Sample(sample="facts_test").domain == "knowledge"
    assert Sample(sample="math", domain="sums").domain == "sums"


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("{sample: maths}", "maths"),
        ("{sample: math, fraction: 0.5}", "it takes no 'fraction'"),
        ("{sample: math, seed: -1}", "seed"),
    ],
)
def test_wrong_samples_are_told(source: str, message: str):
    with pytest.raises(RecipeError, match=message):
        read(f"name: mix\nsources:\n  a: {source}\n")


SOURCES = {
    "math": {"sample": "math", "rows": 1000, "seed": 7, "max_quarantined": 2},
    "chat": {"sample": "chat", "rows": 600, "seed": 7, "max_quarantined": 1},
}


def checked(yard: Yard, built: Any) -> dict[str, tuple[int, int, int, int]]:
    workspace = yard.places.workspace / "sources"
    return {
        found.kind: (found.planted, found.found, found.missed, found.extra)
        for found in planted.check(built.mixture, built.recipe.sources, workspace)
    }


def test_workers_and_shards_change_no_byte(yard: Yard, tmp_path: Path):
    inline = yard.mix(sources=SOURCES, stages=["exact_dedup"])
    other = Yard(tmp_path / "other")
    recipe = other.recipe(sources=SOURCES, stages=["exact_dedup"])
    with Processes(2) as crew:
        sharded = other.build(recipe, executor=crew, shard_rows=300)
    assert files_of(inline.mixture.folder) == files_of(sharded.mixture.folder)


def test_all_that_was_planted_is_found(yard: Yard):
    built = yard.mix(sources=SOURCES, stages=["exact_dedup", {"weighted_mix": {"by": "domain"}}])
    assert checked(yard, built) == {"exact_duplicate": (16, 16, 0, 0), "broken": (3, 3, 0, 0)}


def test_faults_are_looked_for_where_a_stage_claims_that_none_is_kept_whoever_wrote_it(yard: Yard):
    built = yard.mix(sources=SOURCES, stages=["exact_dedup"])
    theirs = {**built.mixture.manifest["stages"][0], "from": "./theirs.py:Theirs"}

    def kinds(claims: list[dict[str, str]]) -> list[str]:
        manifest = {**built.mixture.manifest, "stages": [{**theirs, "claims": claims}]}
        made = Mixture(built.mixture.folder, manifest)
        return [found.kind for found in planted.check(made, built.recipe.sources, yard.places.workspace / "sources")]

    assert kinds([]) == ["broken"]
    assert kinds([{"kind": "distinct"}]) == ["exact_duplicate", "broken"]


def test_a_kind_without_its_stage_is_left_out(yard: Yard):
    assert checked(yard, yard.mix(sources=SOURCES)) == {"broken": (3, 3, 0, 0)}


def test_duplicates_of_a_source_without_dedup_are_missed(yard: Yard):
    built = yard.mix(sources=SOURCES, stages=[{"exact_dedup": {"sources": ["math"]}}])
    assert checked(yard, built)["exact_duplicate"] == (16, 10, 6, 0)


def test_duplicates_that_another_stage_removes_before_are_found_and_not_extra(yard: Yard):
    stages = [{"pattern_filter": {"patterns": ["Answer|answer"], "max_removed": 1}}, "exact_dedup"]
    planted_rows, found, missed, extra = checked(yard, yard.mix(sources=SOURCES, stages=stages))["exact_duplicate"]
    assert (planted_rows, found, missed, extra) == (16, 16, 0, 0)
    assert found + missed == 16


def test_rows_that_are_removed_and_were_not_planted_are_extra(yard: Yard):
    twice = {"math": SOURCES["math"], "again": {"sample": "math", "rows": 1000, "seed": 7, "max_quarantined": 2}}
    built = yard.mix(sources=twice, stages=[{"exact_dedup": {"prefer": ["math"], "max_removed": 1}}])
    planted_rows, found, _, extra = checked(yard, built)["exact_duplicate"]
    assert (planted_rows, found, extra) == (20, 10, 1000)


def test_an_error_at_another_place_is_extra(yard: Yard, monkeypatch: pytest.MonkeyPatch):
    built = yard.mix(sources=SOURCES)
    monkeypatch.setattr(planting, "break_of", lambda part, number: ("truncated", "duplicate_key"))
    assert checked(yard, built) == {"broken": (3, 0, 3, 3)}


def test_a_mixture_without_samples_and_a_trial_are_not_checked(yard: Yard):
    yard.jsonl("a.jsonl", [{"prompt": "a", "response": "b"}])
    assert checked(yard, yard.mix(sources={"a": {"jsonl": "a.jsonl"}})) == {}
    assert checked(yard, yard.build(yard.recipe(sources={"math": SOURCES["math"]}), limit=50)) == {}


def test_reading_is_that_of_json_lines(yard: Yard, tmp_path: Path):
    source = Sample(sample="math", rows=450, seed=1)
    (path,) = source.files(tmp_path / "cache")
    with source.read(path) as ours, Jsonl(jsonl="x").read(path) as theirs:
        assert list(map(str, ours.records)) == list(map(str, theirs.records))
        assert ours.sha256() == theirs.sha256() == hashlib.sha256(path.read_bytes()).hexdigest()


def test_the_command_shows_what_was_found(yard: Yard):
    recipe = yard.write("recipe.yaml", json.dumps({"name": "mix", "sources": SOURCES, "stages": ["exact_dedup"]}))
    words = [sys.executable, "-m", "tulu_data", "build", recipe.name]
    done = subprocess.run(words, cwd=yard.root, capture_output=True, text=True, check=True)
    assert re.search(r"planted +rows +found +missed +extra *\nexact_duplicate +16 +16 +· +· *\nbroken", done.stderr)
    done = subprocess.run([*words, "--json"], cwd=yard.root, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout)["planted"] == [
        {"kind": "exact_duplicate", "planted": 16, "found": 16, "extra": 0, "missed": 0},
        {"kind": "broken", "planted": 3, "found": 3, "extra": 0, "missed": 0},
    ]
