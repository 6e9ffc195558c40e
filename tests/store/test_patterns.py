"""One rule for patterns: of files in recipes, on the command line and in evaluation sets, and of sources in stages."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from fnmatch import fnmatchcase
from pathlib import Path

import polars as pl
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from conftest import Yard, pairs
from tulu_data.errors import InputError, Remark, UsageError
from tulu_data.sources.paths import find_files
from tulu_data.stage import preference
from tulu_data.store import patterns
from tulu_data.without_recipe.files import sources_of


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Yard:
    monkeypatch.chdir(tmp_path)
    return Yard(tmp_path)


def found(pattern: str) -> list[str]:
    return [path.as_posix() for path in patterns.find(pattern)]


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("*", ["a1", "a2", "b-1", "c]"]),
        ("a?", ["a1", "a2"]),
        ("[ab]*", ["a1", "a2", "b-1"]),
        ("[!a]*", ["b-1", "c]"]),
        ("a[2-9]", ["a2"]),
        ("b[-x]1", ["b-1"]),
        ("c[]]", ["c]"]),
        ("[", []),
        ("a[9-2]", []),
        (".*", [".hidden"]),
        ("A1", []),
    ],
)
def test_the_signs_of_patterns(here: Yard, pattern: str, names: list[str]):
    for name in ("a1", "a2", "b-1", "c]", ".hidden", "below/a1"):
        here.write(name, "")
    assert found(pattern) == names


SIGNS = st.text("ab1-[]!*?.^\\&~|", max_size=8)


@given(pattern=SIGNS, name=st.text("ab1-[].^\\&~|", max_size=6))
@example(pattern="[!]]", name="a")
@example(pattern="[a-]", name="-")
@example(pattern="a[.*]*b", name="a.b")
def test_names_match_as_fnmatch_says_in_python_and_in_polars(pattern: str, name: str):
    expected = name == pattern or fnmatchcase(name, pattern)
    assert patterns.matches(name, [pattern]) == expected
    in_polars = pl.Series([name]).str.contains(f"^{patterns.expression(pattern)}$").item()
    assert in_polars == fnmatchcase(name, pattern)


def test_many_stars_take_no_time():
    started = time.process_time()
    assert not patterns.matches("a" * 250, ["*a" * 40 + "*b"])
    assert patterns.matches("a" * 250, ["*a" * 40])
    assert time.process_time() - started < 1


@pytest.mark.parametrize("pattern", ["gold_[12]", "gold_[!9]", "gold_?", "gold_*", "[g]old_[0-9]"])
def test_preferred_sources_may_be_named_by_any_pattern(pattern: str):
    frame = pl.DataFrame({"source": ["gold_1", "gold_2", "web"]})
    assert frame.select(preference(("gold_9", pattern)))["literal"].to_list() == [1, 1, 2]


@pytest.mark.parametrize("option", ["protect", "prefer"])
def test_rows_of_protected_sources_stay(yard: Yard, option: str):
    rows = [{"prompt": " ".join(f"w{n}{k}" for k in range(30)), "response": f"answer {n}"} for n in range(4)]
    yard.jsonl("gold.jsonl", rows)
    yard.jsonl("web.jsonl", [{**row, "response": f"{row['response']} more"} for row in rows])
    built = yard.mix(
        sources={"web_1": {"jsonl": "web.jsonl"}, "gold_2": {"jsonl": "gold.jsonl"}},
        stages=[{"minhash_dedup": {option: ["gold_[12]"], "threshold": 0.5, "max_removed": 1}}],
    )
    assert built.mixture.rows["gold_2"]["kept"] == 4
    assert built.mixture.rows["web_1"]["kept"] == 0


def test_a_folder_that_is_there_under_the_patterns_name_is_meant(here: Yard):
    here.jsonl("run[1]/b.jsonl", pairs(1))
    assert found("run[1]/*.jsonl") == ["run[1]/b.jsonl"]
    here.jsonl("run1/a.jsonl", pairs(1))
    with pytest.warns(
        Remark, match=re.escape("'run[1]' is there, and this alone is read; the pattern would also match run1:")
    ):
        assert found("run[1]/*.jsonl") == ["run[1]/b.jsonl"]
    assert found("run[1-1]/*.jsonl") == ["run1/a.jsonl"]
    assert found("run[[]1]/*.jsonl") == ["run[1]/b.jsonl"]


def test_the_command_line_says_what_a_name_hides(here: Yard):
    here.jsonl("run[1]/b.jsonl", pairs(2))
    here.jsonl("run1/a.jsonl", pairs(3))
    here.write("mix.yaml", "name: mix\nsources: {a: {jsonl: 'run[1]/*.jsonl'}}\n")
    done = subprocess.run(
        [sys.executable, "-m", "tulu_data", "plan", "mix.yaml"], capture_output=True, text=True, check=True
    )
    assert "a  1 file, " in done.stdout
    assert done.stderr == (
        "note: 'run[1]/*.jsonl': 'run[1]' is there, and this alone is read; the pattern would also match run1: "
        "name what else is meant\n"
    )


def test_a_file_that_is_there_under_the_patterns_name_is_meant(here: Yard):
    here.jsonl("a[b].jsonl", pairs(1))
    here.jsonl("ab.jsonl", pairs(1))
    with pytest.warns(Remark, match="would also match ab.jsonl"):
        assert find_files("a[b].jsonl") == [Path("a[b].jsonl")]


def test_circles_of_links_end_and_give_each_file_once(here: Yard):
    here.jsonl("data/a/x.jsonl", pairs(1))
    here.jsonl("data/b/c/y.jsonl", pairs(1))
    here.jsonl("data/.hidden/z.jsonl", pairs(1))
    for link, target in {
        "data/self": ".",
        "data/a/up": "..",
        "data/b/c/out": "../../..",
        "data/me": "me",
        "data/twin": "a",
    }.items():
        (here.root / link).symlink_to(target)
    assert found("data/**/*.jsonl") == ["data/a/x.jsonl", "data/b/c/y.jsonl"]
    assert found("**/**/c/*.jsonl") == ["data/b/c/y.jsonl"]
    assert found("data/**") == ["data/a/x.jsonl", "data/b/c/y.jsonl", "data/me"]
    assert [path.name for path in find_files("data/**/*.jsonl")] == ["x.jsonl", "y.jsonl"]


def test_a_folder_that_can_not_be_read_is_an_error(here: Yard, monkeypatch: pytest.MonkeyPatch):
    here.jsonl("data/a/x.jsonl", pairs(1))

    def refuse(folder: Path) -> None:
        raise PermissionError(13, "Permission denied", str(folder))

    monkeypatch.setattr(Path, "iterdir", refuse)
    with pytest.raises(InputError, match="data: permission denied; name what is to be read"):
        found("data/*/*.jsonl")


def test_data_in_quotes_is_found_by_the_same_rule(here: Yard):
    here.jsonl("d/a-1.jsonl", pairs(1))
    here.jsonl("d/a-2.jsonl", pairs(1))
    here.jsonl("d/[x].jsonl", pairs(1))
    named = sources_of(["d/a-[12].jsonl", "d/[x].jsonl"], hub={}, options={})
    assert [getattr(source, source.place) for source in named.values()] == [
        ("d/a-1.jsonl",),
        ("d/a-2.jsonl",),
        ("d/[x].jsonl",),
    ]
    with pytest.raises(UsageError, match=re.escape("'d/z*' matches no file and no folder")):
        sources_of(["d/z*"], hub={}, options={})


@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_a_hundred_thousand_columns_take_no_time(yard: Yard, kind: str):
    names = [f"c{n}" for n in range(100_000)]
    fields = ",".join("x" for _ in names)
    line = "{" + ",".join(f'"{name}":"x"' for name in names) + "}"
    yard.write("wide", f"{','.join(names)}\n{fields}\n" if kind == "csv" else f"{line}\n")
    started = time.process_time()
    built = yard.mix(sources={"a": {kind: "wide", "format": {"prompt": "c0", "response": "c99999"}}})
    assert built.mixture.rows["a"]["kept"] == 1
    assert time.process_time() - started < 10


def test_two_of_a_hundred_thousand_columns_with_one_name_are_told_of(yard: Yard):
    names = ",".join(f"c{n // 2}" for n in range(100_000))
    yard.write("wide.csv", f"{names}\n")
    with pytest.raises(InputError, match="two columns of the header are named 'c0'"):
        yard.mix(sources={"a": {"csv": "wide.csv", "format": {"prompt": "c0", "response": "c1"}}})
