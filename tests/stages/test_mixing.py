"""A mix has exact sums, nests, and says what it cannot do."""

from __future__ import annotations

import itertools
from collections import Counter
from decimal import Decimal
from fractions import Fraction
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from conftest import Yard, pairs
from tulu_data.errors import InputError, RecipeError
from tulu_data.kernels.quotas import largest_total, seats
from tulu_data.stages.weighted_mix import WeightedMix

weights = st.dictionaries(
    st.sampled_from("abcdef"), st.sampled_from([0, 1, 2, 3, 5, 49, 50, 1000, Fraction(1, 3)]).map(Fraction), min_size=1
).filter(lambda found: any(found.values()))


def naive_seats(given_weights: dict[str, Fraction], total: int) -> dict[str, int]:
    """The definition: each seat in turn to the highest weight / (2 seats + 1), ties by name."""
    found = dict.fromkeys(given_weights, 0)
    for _ in range(total):
        names = sorted(name for name, weight in given_weights.items() if weight)
        best = max(names, key=lambda name: given_weights[name] / (2 * found[name] + 1))
        found[best] += 1
    return found


@given(weights, st.integers(0, 400))
def test_seats_are_those_of_the_definition(found: dict[str, Fraction], total: int):
    assert seats(found, total) == naive_seats(found, total)


@given(weights, st.integers(0, 10**9), st.integers(1, 10**6))
def test_seats_sum_up_nest_and_do_not_care_for_scale(found: dict[str, Fraction], total: int, scale: int):
    given_seats = seats(found, total)
    assert sum(given_seats.values()) == total
    assert all(given_seats[name] == 0 for name, weight in found.items() if not weight)
    more = seats(found, total + 1)
    assert all(more[name] >= count for name, count in given_seats.items())
    assert seats({name: weight * scale for name, weight in found.items()}, total) == given_seats
    assert seats(dict(reversed(found.items())), total) == given_seats


@given(weights, st.dictionaries(st.sampled_from("abcdef"), st.integers(0, 12)))
def test_the_largest_total_is_the_last_that_fits(found: dict[str, Fraction], offers: dict[str, int]):
    def fits(total: int) -> bool:
        return all(count <= offers.get(name, 0) for name, count in naive_seats(found, total).items())

    total = largest_total(found, offers)
    assert fits(total)
    assert not fits(total + 1)


def test_negative_and_missing_weights_are_refused():
    with pytest.raises(ValueError, match="negative"):
        seats({"a": Fraction(-1)}, 1)
    with pytest.raises(ValueError, match="no weight is positive"):
        seats({"a": Fraction(0)}, 1)


@pytest.fixture
def farm(yard: Yard) -> Yard:
    """Three sources of two domains: 40 math, 20 and 10 chat rows."""
    for name, count in (("m", 40), ("c", 20), ("d", 10)):
        yard.jsonl(
            f"{name}.jsonl",
            [{"prompt": f"{name} {row['prompt']}", "response": row["response"]} for row in pairs(count)],
        )
    return yard


SOURCES = {
    "m": {"jsonl": "m.jsonl", "domain": "math"},
    "c": {"jsonl": "c.jsonl", "domain": "chat"},
    "d": {"jsonl": "d.jsonl", "domain": "chat"},
}


def mixed(yard: Yard, **options: Any) -> tuple[Counter[str], Counter[str]]:
    """Rows by domain, and rows by the id that they are a copy of."""
    built = yard.mix(sources=SOURCES, stages=[{"weighted_mix": options}], output={"shard_rows": 7})
    rows = pl.read_parquet(built.mixture.folder / "data" / "*.parquet")
    assert rows["id"].is_unique().all()
    assert sum(entry["written"] for entry in built.mixture.rows.values()) == len(rows)
    return Counter(rows["domain"]), Counter(id.split("-")[0] for id in rows["id"])


def test_rows_are_mixed_by_domain_and_by_source(farm: Yard):
    domains, _ = mixed(farm, by="domain", weights={"math": "0.5", "chat": "0.5"}, rows=21)
    assert domains == {"chat": 11, "math": 10}
    domains, _ = mixed(farm, weights={"m": 1, "c": 1, "d": 2}, rows=20)
    assert domains == {"math": 5, "chat": 15}


def test_without_rows_the_mix_is_as_large_as_the_data_allows(farm: Yard):
    assert mixed(farm, by="domain", weights={"math": 1, "chat": 1})[0] == {"math": 30, "chat": 30}
    # The 31st row goes to the first name of a tie; a 32nd would need an 11th of d.
    assert mixed(farm)[0] == {"math": 10, "chat": 21}


def test_larger_mixes_hold_the_rows_of_smaller_ones(farm: Yard):
    sizes = [mixed(farm, by="domain", weights={"math": 2, "chat": 1}, rows=rows)[1] for rows in (5, 20, 41)]
    assert all(small <= large for small, large in itertools.pairwise(sizes))
    assert [small.total() for small in sizes] == [5, 20, 41]


def test_repeats_differ_by_one_at_the_most(farm: Yard):
    domains, copies = mixed(farm, by="source", weights={"m": 1, "c": 0, "d": 1}, rows=50, max_repeat=3)
    assert domains == {"math": 25, "chat": 25}
    of_d = sorted(count for count in copies.values() if count > 1)
    assert of_d == [2] * 5 + [3] * 5
    assert copies.total() == 50


def test_what_has_no_weight_is_an_error_or_dropped(farm: Yard):
    with pytest.raises(InputError) as caught:
        mixed(farm, by="domain", weights={"math": 1})
    assert str(caught.value) == (
        "stages.weighted_mix: no weight for the domain chat (30 rows); give it one (0 drops it), or say: others: drop"
    )
    assert mixed(farm, by="domain", weights={"math": 1}, others="drop")[0] == {"math": 40}


def test_a_stratum_that_is_too_small_is_named_with_the_largest_total(farm: Yard):
    options = {"by": "domain", "weights": {"math": 1, "chat": 1}, "rows": 70}
    with pytest.raises(InputError) as caught:
        mixed(farm, **options)
    assert str(caught.value) == (
        "stages.weighted_mix: the domain 'chat' should give 35 of 70 rows, and has 30 (max_repeat: 1); "
        "the largest total is 60: say rows: 60, raise max_repeat, or say: when_short: shrink"
    )
    assert mixed(farm, **options, when_short="shrink")[0] == {"math": 30, "chat": 30}
    assert mixed(farm, **options, when_short="take_all")[0] == {"math": 35, "chat": 30}
    assert mixed(farm, **options, max_repeat=2)[0] == {"math": 35, "chat": 35}


def test_a_stratum_without_rows_fails_unless_it_may_count_as_zero(farm: Yard):
    options = {"by": "domain", "weights": {"math": 1, "chat": 1, "cat": 1}, "rows": 20}
    with pytest.raises(
        InputError, match="the domain 'cat' has a weight and no rows; did you mean 'chat'\\?; give it weight 0"
    ):
        mixed(farm, **options)
    for when in ("shrink", "take_all"):
        assert mixed(farm, **options, when_short=when)[0] == {"math": 10, "chat": 10}


def test_weights_are_exact_decimals(farm: Yard):
    stage = WeightedMix(weights={"a": "0.1", "b": "0.2", "c": "0.7"}, rows=10, max_repeat=10)
    assert stage.weights["a"] == Decimal("0.1")
    assert stage.quotas({"a": 5, "b": 5, "c": 5}) == {"a": 1, "b": 2, "c": 7}
    assert WeightedMix(weights={"a": 0.1}).weights["a"] == Decimal("0.1")


def test_a_changed_weight_scans_nothing(farm: Yard):
    stages = [{"exact_dedup": {}}, {"weighted_mix": {"by": "domain", "weights": {"math": 1, "chat": 1}}}]
    farm.mix(sources=SOURCES, stages=stages)
    stages[1]["weighted_mix"]["weights"] = {"math": 3, "chat": 1}
    units = farm.mix(sources=SOURCES, stages=stages).mixture.run()["units"]
    assert units["done"]["ingest"] == units["done"]["scan"] == 0


def test_a_recipe_is_mixed_once_and_last(farm: Yard):
    with pytest.raises(RecipeError, match="two stages mix; a recipe is mixed once, last"):
        farm.recipe(sources=SOURCES, stages=["weighted_mix", "weighted_mix"])
    with pytest.raises(RecipeError, match=r"put the stages so: exact_dedup \(deduplicate\), weighted_mix \(mix\)"):
        farm.recipe(sources=SOURCES, stages=["weighted_mix", "exact_dedup"])


def in_tokens(yard: Yard, **options: Any) -> dict[str, tuple[int, int]]:
    """Of each domain the rows and tokens that were written."""
    built = yard.mix(sources=SOURCES, stages=[{"weighted_mix": options}])
    rows = pl.read_parquet(built.mixture.folder / "data" / "*.parquet")
    return {domain: (len(own), own["tokens"].sum()) for (domain,), own in rows.group_by("domain")}


def test_a_mix_by_tokens_is_short_by_less_than_a_row_in_each_stratum(farm: Yard):
    found = in_tokens(farm, by="domain", weights={"math": 3, "chat": 1}, tokens=400)
    longest = 20
    assert 300 - longest < found["math"][1] <= 300
    assert 100 - longest < found["chat"][1] <= 100


@given(
    st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 9)), min_size=1, max_size=20),
    st.integers(1, 400),
    st.integers(1, 4),
)
def test_tokens_are_whole_passes_and_the_longest_run_that_fits(rows: list[tuple[str, int]], total: int, most: int):
    measures = pl.DataFrame(
        {
            "row": range(len(rows)),
            "order": range(len(rows)),
            "domain": [domain for domain, _ in rows],
            "tokens": [tokens for _, tokens in rows],
        },
        schema_overrides={"row": pl.UInt32, "order": pl.UInt32, "tokens": pl.Int32},
    )
    stage = WeightedMix(by="domain", weights={"a": 1, "b": 3}, tokens=total, max_repeat=most, when_short="take_all")
    given_copies = dict(stage.resolve(measures).select("row", "copies").iter_rows())
    present = {domain for domain, tokens in rows if tokens}
    whole = sum({"a": 1, "b": 3}[domain] for domain in present)
    for domain in "ab":
        own = [(row, tokens) for row, (name, tokens) in enumerate(rows) if name == domain]
        offered = sum(tokens for _, tokens in own)
        share = {"a": 1, "b": 3}[domain] * total // whole if domain in present else 0
        target = min(share, offered * most)
        passes, rest = divmod(target, offered) if offered else (0, 0)
        for row, tokens in own:
            rest -= tokens
            copies = passes + (target > passes * offered and rest >= 0)
            assert given_copies.get(row, 1) == copies


def test_a_mix_by_tokens_that_is_too_large_says_the_largest(farm: Yard):
    options = {"by": "domain", "weights": {"math": 1, "chat": 1}, "tokens": 1_000_000}
    with pytest.raises(InputError, match=r"should give 500,000 of 1,000,000 tokens, and has [\d,]+ .* say tokens: \d+"):
        in_tokens(farm, **options)
    most = in_tokens(farm, **options, when_short="shrink")
    assert in_tokens(farm, **{**options, "tokens": "all"}) == most


def test_cells_of_two_columns_have_weights_of_their_own(farm: Yard):
    domains, _ = mixed(farm, by=["domain", "source"], weights={"math": {"m": 2}, "chat": {"c": 1, "d": 1}}, rows=20)
    assert domains == {"math": 10, "chat": 10}
    with pytest.raises(InputError, match=r"no weight for the domain and source chat/d \(10 rows\)"):
        mixed(farm, by=["domain", "source"], weights={"math/m": 2, "chat/c": 1}, rows=20)
    with pytest.raises(RecipeError, match="'math' is not a cell of domain and source; write"):
        mixed(farm, by=["domain", "source"], weights={"math": 2})


def test_temperatures_level_sizes(farm: Yard):
    offers = {"m": 1600, "c": 400, "d": 100}
    assert WeightedMix(temperature=1, rows=21).quotas(offers) == {"m": 16, "c": 4, "d": 1}
    assert WeightedMix(temperature=2, rows=7).quotas(offers) == {"m": 4, "c": 2, "d": 1}
    assert set(WeightedMix(temperature=100, rows=30).quotas(offers).values()) == {10}


def test_a_profile_has_published_shares_and_names_what_is_missing(farm: Yard):
    with pytest.raises(InputError) as caught:
        mixed(farm, by="domain", profile="tulu3")
    assert str(caught.value) == (
        "stages.weighted_mix: the domain 'code', 'instruction_following', 'knowledge', 'multilingual', 'safety' "
        "have weights and no rows; there are chat, math; give it weight 0, or say: when_short: shrink"
    )
    domains, _ = mixed(farm, by="domain", profile="tulu3", when_short="shrink")
    assert domains["math"] == 40
    assert domains["chat"] == 14
    with pytest.raises(RecipeError, match="a profile has weights of domains; say: by: domain"):
        mixed(farm, profile="tulu3")


@pytest.mark.parametrize("when_short", ["error", "shrink", "take_all"])
def test_a_misspelt_weight_loses_no_rows(when_short: str):
    mix = WeightedMix(by="domain", weights={"math": 1, "chta": 1}, others="drop", when_short=when_short)  # type: ignore[arg-type]
    with pytest.raises(InputError, match=r"the domain 'chta' has a weight and no rows; did you mean 'chat'\?"):
        mix.quotas({"math": 5, "chat": 5})
    assert mix.quotas({"math": 5, "safety": 5, "chta": 5}) == {"math": 5, "chta": 5}


def test_the_best_rows_go_first_by_what_an_earlier_stage_measured(yard: Yard):
    yard.jsonl("a.jsonl", [{"prompt": "p", "response": "x" * count} for count in range(1, 21)])
    stages: list[Any] = [
        {"length_filter": {"on": "response"}},
        {"weighted_mix": {"rows": 3, "best": "length_filter.characters"}},
    ]
    built = yard.mix(sources={"a": {"jsonl": "a.jsonl"}}, stages=stages)
    rows = pl.read_parquet(built.mixture.folder / "data/*.parquet")
    assert sorted(len(row[1]["content"]) for row in rows["messages"].to_list()) == [18, 19, 20]
    stages[1]["weighted_mix"]["best"] = "length_filter.letters"
    with pytest.raises(InputError, match=r"length_filter measures no number 'letters'.*there are messages, characters"):
        yard.mix(sources={"a": {"jsonl": "a.jsonl"}}, stages=stages)
    stages[1]["weighted_mix"]["best"] = "redact.characters"
    with pytest.raises(RecipeError, match=r"no stage 'redact' before it; there is length_filter"):
        yard.mix(sources={"a": {"jsonl": "a.jsonl"}}, stages=["redact", *stages])
    stages[1]["weighted_mix"]["best"] = "lenght_filter.characters"
    with pytest.raises(RecipeError, match=r"no stage 'lenght_filter' before it; did you mean 'length_filter'\?"):
        yard.mix(sources={"a": {"jsonl": "a.jsonl"}}, stages=stages)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"rows": 3, "tokens": 4}, "'rows' and 'tokens' both say how large the mix is; give one"),
        ({"weights": {"m": 1}, "temperature": 2}, "'weights' and 'temperature' both say what the shares are; give one"),
    ],
)
def test_two_answers_to_one_question_are_refused(farm: Yard, options: dict[str, Any], message: str):
    with pytest.raises(RecipeError, match=message):
        mixed(farm, **options)


def test_the_report_has_the_targets_beside_what_was_taken(farm: Yard):
    options = {"by": "domain", "weights": {"math": 1, "chat": 1}, "rows": 70, "when_short": "take_all"}
    built = farm.mix(sources=SOURCES, stages=[{"weighted_mix": options}])
    strata = pl.read_parquet(built.mixture.reports("strata")["weighted_mix"])
    columns = ("stratum", "share", "offered", "target", "taken", "distinct", "most_copies", "unit")
    assert strata.select(columns).rows() == [
        ("chat", 0.5, 30, 30, 30, 30, 1, "rows"),
        ("math", 0.5, 40, 35, 35, 35, 1, "rows"),
    ]
