"""Versions beside each other: what moved between two, and what the workspace must keep for them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from conftest import Yard, files_of, pairs
from tulu_data.building.build import build
from tulu_data.building.gc import collect
from tulu_data.errors import ConflictError
from tulu_data.mixture.difference import GONE, NEW, Difference
from tulu_data.store.durable import locked

pytestmark = pytest.mark.slow

LENGTH = {"length_filter": {"max_characters": 25, "max_removed": 1}}


def moves(difference: Difference) -> set[tuple[str, str, str, int]]:
    return {(move.source, move.direction, move.why, move.rows) for move in difference.moved}


def test_every_row_that_moved_is_told_with_its_reason(yard: Yard):
    yard.jsonl("a.jsonl", pairs(20))
    yard.jsonl("b.jsonl", [{"prompt": "x" * 30, "response": "y"}, *pairs(3, start=40)])
    sources = {"a": {"jsonl": "a.jsonl"}, "b": {"jsonl": "b.jsonl"}}
    first = yard.mix(sources=sources, stages=[LENGTH])
    yard.jsonl("a.jsonl", pairs(20, start=2))
    second = yard.mix(
        sources=sources, stages=[{"length_filter": {"max_characters": 40, "max_removed": 1}}, "exact_dedup"]
    )
    difference = Difference.between(first.mixture, second.mixture)
    kept = first.mixture.rows["a"]["kept"]
    assert moves(difference) == {
        ("a", "left", GONE, 2),
        ("a", "entered", NEW, 2),
        ("a", "entered", "no longer removed by length_filter: too many characters", 20 - kept),
        ("b", "entered", "no longer removed by length_filter: too many characters", 1),
    } - {("a", "entered", "no longer removed by length_filter: too many characters", 0)}
    assert difference.rows["b"] == (3, 4)
    assert any(line.startswith("-    max_characters: 25") for line in difference.recipe)
    assert not difference.is_none
    assert Difference.between(first.mixture, first.mixture).is_none
    back = Difference.between(second.mixture, first.mixture)
    assert ("b", "left", "removed by length_filter: too many characters", 1) in moves(back)


def test_other_copies_are_told(yard: Yard):
    yard.jsonl("a.jsonl", pairs(3))
    mixtures = [
        yard.mix(
            sources={"a": {"jsonl": "a.jsonl"}}, stages=[{"weighted_mix": {"rows": rows, "max_repeat": 3}}]
        ).mixture
        for rows in (3, 9)
    ]
    assert moves(Difference.between(*mixtures)) == {("a", "entered", "other number of copies", 3)}


def test_diff_at_the_command_line(yard: Yard):
    def run(*words: str, code: int) -> str:
        words = (sys.executable, "-m", "tulu_data", *words)
        done = subprocess.run(words, cwd=yard.root, capture_output=True, text=True, check=False)
        assert done.returncode == code, done.stderr
        return done.stdout

    yard.jsonl("a.jsonl", pairs(4))
    first = yard.mix(sources={"a": {"jsonl": "a.jsonl"}}).mixture
    yard.jsonl("a.jsonl", pairs(5))
    yard.mix(sources={"a": {"jsonl": "a.jsonl"}})
    shown = run("diff", f"mix@{first.version}", "mix", code=4)
    assert "+ 1 a: not read before" in shown
    assert run("diff", "mix", "mix", code=0) == "the same rows by the same recipe\n"
    assert json.loads(run("diff", f"mix@{first.version}", "mix", "--json", code=4))["rows"] == {
        "a": {"before": 4, "after": 5}
    }


def tables(yard: Yard) -> dict[str, str]:
    return {name: sha256 for name, sha256 in files_of(yard.places.workspace).items() if name.endswith(".parquet")}


def test_gc_keeps_what_mixtures_name_and_nothing_else(yard: Yard):
    yard.jsonl("a.jsonl", pairs(4))
    first = yard.mix(sources={"a": {"jsonl": "a.jsonl"}}, stages=[LENGTH]).mixture
    named = tables(yard)
    yard.jsonl("a.jsonl", pairs(9))
    second = yard.mix(sources={"a": {"jsonl": "a.jsonl"}}, stages=[LENGTH]).mixture
    yard.write("workspace/store/xx/half.parquet.1-2.tmp", b"half")
    assert len(tables(yard)) == 4
    assert collect(yard.places.workspace, yard.places.out).files >= 1
    assert len(tables(yard)) == 4
    for path in sorted(second.folder.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    second.folder.rmdir()
    freed = collect(yard.places.workspace, yard.places.out)
    assert freed.files >= 4
    assert tables(yard) == named
    assert not list(yard.places.workspace.rglob("*.tmp"))
    assert first.run()["tables"] == sorted(named)
    yard.jsonl("a.jsonl", pairs(4))
    stages = [{"length_filter": {"max_characters": 24, "max_removed": 1}}]
    units = yard.mix(sources={"a": {"jsonl": "a.jsonl"}}, stages=stages).mixture.run()["units"]
    assert units["done"]["ingest"] == units["done"]["scan"] == 0


def test_gc_keeps_the_newest_up_to_a_size(yard: Yard):
    for count in (40, 50):
        yard.jsonl("a.jsonl", pairs(count))
        yard.mix(sources={"a": {"jsonl": "a.jsonl"}})
    size = sum(path.stat().st_size for path in yard.places.workspace.rglob("*") if path.is_file())
    assert collect(yard.places.workspace, yard.root / "elsewhere", keep=size).files == 0
    assert collect(yard.places.workspace, yard.root / "elsewhere", keep=0).left == 0


def test_gc_removes_what_candidates_were_read_into_before_their_folder_had_this_name(yard: Yard):
    yard.jsonl("a.jsonl", pairs(3))
    yard.mix(sources={"a": {"jsonl": "a.jsonl"}}, stages=["minhash_dedup"])
    old = yard.write(f"workspace/measures/minhash_dedup/looks/{'0' * 64}.bin", b"numbers")
    collect(yard.places.workspace, yard.places.out)
    assert not old.exists()


def test_gc_leaves_what_a_stopped_build_goes_on_from(yard: Yard, monkeypatch: pytest.MonkeyPatch):
    yard.jsonl("a.jsonl", pairs(9))
    recipe = yard.recipe(sources={"a": {"jsonl": "a.jsonl"}}, stages=[LENGTH])
    with monkeypatch.context() as patch:
        patch.setattr("tulu_data.building.build.write", lambda *args: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            yard.build(recipe)
    collect(yard.places.workspace, yard.places.out)
    built = build(recipe, yard.places)
    assert built.mixture.run()["units"]["found"] == {"ingest": 1, "scan": 1, "write": 0}
    assert [path.stem for path in (built.mixture.folder.parent / ".runs").iterdir()] == [built.mixture.version]


def test_gc_and_builds_keep_out_of_each_others_way(yard: Yard, tmp_path: Path):
    yard.jsonl("a.jsonl", pairs(3))
    yard.mix(sources={"a": {"jsonl": "a.jsonl"}})
    busy = pytest.raises(ConflictError, match="another command is at work here; wait until it has ended")
    workspace = yard.places.workspace
    with locked(workspace, shared=True), locked(workspace, shared=True), busy:
        collect(workspace, yard.places.out)
    other: Any = yard.recipe(name="other", sources={"a": {"jsonl": "a.jsonl"}})
    with locked(yard.places.workspace), pytest.raises(ConflictError, match="another command is at work here: process"):
        yard.build(other)
