"""The recipes that come with the program are valid, and their arithmetic is that of what they reproduce."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction
from pathlib import Path

import pytest

from tulu_data.recipe.reading import load
from tulu_data.stages.weighted_mix import PROFILES

RECIPES = sorted((Path(__file__).parents[2] / "recipes").glob("*.yaml"))


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_every_recipe_is_valid_and_named_as_its_file(path: Path):
    assert load(path).name == path.stem


def test_tulu_3_has_the_published_rows_of_nineteen_sources():
    sources = load(RECIPES[0].with_name("tulu3_sft.yaml")).sources
    assert len(sources) == 19
    rows: Counter[str] = Counter()
    for source in sources.values():
        assert source.rows is not None
        assert source.domain is not None
        rows[source.domain] += source.rows
    assert rows.total() == 939_344
    assert rows == PROFILES["tulu3"]
    # Table 7: math and code are half of it.
    assert round(100 * Fraction(rows["math"] + rows["code"], rows.total()), 2) == Fraction("50.73")


def test_tulu_2_has_the_rows_of_the_dataset_and_not_those_of_its_card():
    (source,) = load(RECIPES[0].with_name("tulu2_sft.yaml")).sources.values()
    card = (50_000, 50_000, 7_708, 114_046, 20_000, 20_022, 1_030, 30_000, 30_000, 140, 7_544)
    assert sum(card) == 330_490
    assert source.rows == 326_154


def test_the_profile_for_small_models_is_two_thirds_math_and_code():
    profile = PROFILES["math_code"]
    assert Fraction(profile["math"] + profile["code"], sum(profile.values())) == Fraction(67, 100)
