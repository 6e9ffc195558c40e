"""Measures of a stage as a frame."""

from __future__ import annotations

from pathlib import Path

import pytest

from conftest import Yard
from tulu_data.errors import UsageError
from tulu_data.stages.length_filter import LengthFilter
from tulu_data.stages.weighted_mix import WeightedMix
from tulu_data.without_recipe.measure import measure

ROWS = [{"prompt": "ab", "response": "c"}, {"prompt": "write to jo@sonnenhof.at", "response": ""}]


def characters(yard: Yard, data: object) -> list[tuple[object, ...]]:
    found = measure(LengthFilter(), data, workspace=yard.root / "w")  # type: ignore[arg-type]
    return found.select("source", "file", "row", "characters").rows()


def test_every_row_of_a_file_has_its_place_and_its_measures(yard: Yard):
    first, second = str(yard.jsonl("a.jsonl", ROWS)), str(yard.jsonl("b.jsonl", ROWS[:1]))
    assert characters(yard, [first, second]) == [("a", first, 1, 3), ("a", first, 2, 24), ("b", second, 1, 3)]


def test_of_a_recipe_the_text_is_measured_as_its_stages_rewrite_it(yard: Yard):
    path = str(yard.jsonl("a.jsonl", ROWS))
    recipe = yard.recipe(sources={"mine": {"jsonl": "a.jsonl"}}, stages=["redact", "exact_dedup"])
    assert characters(yard, recipe) == [("mine", path, 1, 3), ("mine", path, 2, len("write to <EMAIL_1>"))]


def test_what_a_build_measured_is_found(yard: Yard, monkeypatch: pytest.MonkeyPatch):
    path = yard.jsonl("a.jsonl", ROWS)
    yard.mix(sources={"a": {"jsonl": "a.jsonl"}}, stages=[{"length_filter": {"max_characters": 99}}])
    monkeypatch.setattr("tulu_data.building.scan.scan_shard", lambda *words: pytest.fail("it was measured again"))
    recipe = yard.recipe(sources={"a": {"jsonl": "a.jsonl"}})
    assert measure(LengthFilter(), recipe, workspace=yard.places.workspace)["file"].unique().to_list() == [str(path)]


def test_a_stage_that_measures_nothing_is_told(yard: Yard):
    with pytest.raises(UsageError, match="stage weighted_mix: measures nothing; it judges by what other stages give"):
        measure(WeightedMix(), Path("a.jsonl"))
