"""MinHash against datasketch's arithmetic in plain Python, and dedup against all pairs."""

from __future__ import annotations

import itertools
import json
import math
import random
import re
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from conftest import Yard
from tulu_data.errors import InvariantError
from tulu_data.kernels.jaccard import SCREENED_OUT, Candidates, buckets, join, least_agreement
from tulu_data.kernels.minhash import bands_for, permutations, probability, signatures, sketch
from tulu_data.kernels.shingles import Source, write_sets
from tulu_data.rows.rows import Rows
from tulu_data.rows.sft import Conversation
from tulu_data.stages.exact_dedup import ExactDedup
from tulu_data.stages.minhash_dedup import PRESETS, MinhashDedup
from tulu_data.testing import resolve
from tulu_data.verifying.plain_calls import spoken
from tulu_data.verifying.plain_dedup import shingles

# So many bands of one row that a pair of any similarity is a candidate.
EVERY_PAIR: dict[str, Any] = {"bands": 600, "rows": 1}


def sets_of(texts: Sequence[Sequence[str]], n: int) -> list[set[tuple[str, ...]]]:
    """The shingles of rows of texts, in plain Python."""
    found = []
    for row in texts:
        shingles = set()
        for text in row:
            words = re.findall(r"\w+", text.lower())
            shingles |= {tuple(words[at : at + n]) for at in range(max(len(words) - n, 0) + 1)} if words else set()
        found.append(shingles)
    return found


def source(texts: Sequence[Sequence[str]]) -> Source:
    flat = pa.array([text for row in texts for text in row], pa.string())
    return Source.of(flat, np.cumsum([0, *map(len, texts)]).astype(np.int64))


def hashes_of(texts: Sequence[Sequence[str]], n: int) -> list[list[int]]:
    """The hashes of rows' shingles, as the kernel gives them."""
    room = [1 + sum(len(text) for text in row) for row in texts]
    starts = np.cumsum([0, *room]).astype(np.int64)
    sets = np.zeros(int(starts[-1]), np.uint64)
    write_sets(source(texts), n, sets, starts[:-1])
    return [sets[start + 1 : start + 1 + int(sets[start])].tolist() for start in starts[:-1]]


words = st.sampled_from(["a", "b", "cd", "É", "e\u0301", "数", "x_1", "B"])
texts = st.lists(words, max_size=9).map(" ".join)
many_texts = st.lists(st.lists(texts, max_size=3), max_size=8)


@given(many_texts, st.integers(1, 4))
def test_shingles_are_words_in_order_within_one_text(rows: list[list[str]], n: int):
    plain = [[text.replace("e\u0301", "\u00e9") for text in row] for row in rows]
    naive, found = sets_of(plain, n), hashes_of(rows, n)
    assert [len(set(hashes)) for hashes in found] == [len(hashes) for hashes in found] == [*map(len, naive)]
    for one, other in itertools.combinations(range(len(rows)), 2):
        assert len({*found[one]} & {*found[other]}) == len(naive[one] & naive[other])


def murmur(value: int) -> int:
    value = (value ^ value >> 16) * 0x85EBCA6B % 2**32
    value = (value ^ value >> 13) * 0xC2B2AE35 % 2**32
    return value ^ value >> 16


def signature_of(hashes: Sequence[int], number: int) -> list[int]:
    """datasketch's affine32 scheme, one value at a time."""
    draw = np.random.RandomState(1)
    factors = [2 * int(value) + 1 for value in draw.randint(0, 2**31, number, dtype=np.uint32)]
    summands = [int(value) for value in draw.randint(0, 2**32, number, dtype=np.uint32)]
    mixed = [murmur(value % 2**32) for value in hashes]
    return [
        min(((factor * value + summand) % 2**32 for value in mixed), default=2**32 - 1)
        for factor, summand in zip(factors, summands, strict=True)
    ]


@given(many_texts, st.integers(1, 4), st.integers(1, 40))
def test_signatures_are_those_of_plain_python(rows: list[list[str]], n: int, number: int):
    naive = [signature_of(hashes, number) for hashes in hashes_of(rows, n)]
    assert signatures(source(rows), n, number).tolist() == naive


def test_signatures_are_those_of_datasketch():
    datasketch = pytest.importorskip("datasketch")
    rows = [[f"{start} {start + 1} " * 3 + "one and the same end of both"] for start in range(20)]
    for hashes, values in zip(hashes_of(rows, 2), signatures(source(rows), 2, 128), strict=True):
        theirs = datasketch.MinHash(num_perm=128, seed=1, scheme="affine32", hashfunc=lambda value: value % 2**32)
        theirs.update_batch(hashes)
        assert theirs.hashvalues.tolist() == values.tolist()
        ours = datasketch.MinHash(hashvalues=values, seed=1, scheme="affine32")
        assert ours.jaccard(theirs) == 1.0
    assert [permutations(128)[index].tolist() for index in (0, 1)] == datasketch.MinHash(128).permutations.tolist()


@pytest.mark.parametrize("similarity", [0.5, 0.8, 0.9])
def test_signatures_have_no_bias_and_the_spread_of_chance(similarity: float):
    draw = random.Random(0)
    number, pairs, size = 128, 400, 300
    both = round(2 * size * similarity / (1 + similarity))
    rows = []
    for _ in range(pairs):
        shared, one, other = (
            [f"w{draw.getrandbits(60)}" for _ in range(count)] for count in (both, size - both, size - both)
        )
        rows += [shared + one, shared + other]
    values = signatures(source([[" ".join(row)] for row in rows]), 1, number)
    estimates = (values[::2] == values[1::2]).mean(axis=1)
    true = both / (2 * size - both)
    spread = math.sqrt(true * (1 - true) / number)
    assert abs(estimates.mean() - true) < 4 * spread / math.sqrt(pairs)
    assert 0.85 * spread < estimates.std() < 1.15 * spread


@given(many_texts, st.integers(1, 3))
def test_sketches_agree_where_sets_do(rows: list[list[str]], n: int):
    found, hashes = sketch(source(rows), n, 3, 4), hashes_of(rows, n)
    naive = [signature_of(each, 12) for each in hashes]
    assert found.count.tolist() == [*map(len, hashes)]
    for one, other in itertools.combinations([index for index in range(len(rows)) if hashes[index]], 2):
        same_set = {*hashes[one]} == {*hashes[other]}
        assert (found.digest[one] == found.digest[other]).all() == same_set
        for band in range(3):
            values = [naive[row][4 * band : 4 * band + 4] for row in (one, other)]
            assert (found.keys[band, one] == found.keys[band, other]) == (values[0] == values[1])
        agreeing = [a == b for a, b in zip(naive[one], naive[other], strict=True)]
        assert ((found.bytes[one] == found.bytes[other]) | ~np.array(agreeing)).all()


@given(st.lists(st.integers(0, 6), max_size=30))
def test_buckets_are_rows_with_one_key(keys: list[int]):
    numbers, used = buckets(np.array(keys, np.uint32), 10)
    counts = Counter(keys)
    assert used == 10 + sum(count > 1 for count in counts.values())
    assert [number == 2**32 - 1 for number in numbers.tolist()] == [counts[key] == 1 for key in keys]
    shared = [(key, number) for key, number in zip(keys, numbers.tolist(), strict=True) if counts[key] > 1]
    assert len(set(shared)) == len({key for key, _ in shared}) == len({number for _, number in shared})
    assert all(10 <= number < used for _, number in shared)


def test_bands_are_datasketchs_optimum():
    # `datasketch.lsh._optimal_param(threshold, permutations, 0.5, 0.5)`, version 2.0.0.
    assert [bands_for(*given) for given in ((0.8, 128), (0.7, 256), (0.5, 128), (0.9, 112))] == [
        (9, 13),
        (25, 10),
        (25, 5),
        (5, 22),
    ]


def test_the_screen_lets_all_but_one_in_ten_thousand_of_near_pairs_pass():
    for threshold, number in ((0.8, 112), (0.5, 128), (0.95, 117), (1.0, 128)):
        least = least_agreement(threshold, number)
        missed = sum(
            math.comb(number, count) * threshold**count * (1 - threshold) ** (number - count) for count in range(least)
        )
        assert missed <= SCREENED_OUT
        assert least < number * threshold + 1


def resolved(
    stage: MinhashDedup, rows: Sequence[Conversation], sources: Sequence[str], order: Sequence[int]
) -> dict[int, tuple[int, float]]:
    """The twin and the similarity of each row that goes."""
    batch = Rows.of(rows)
    measures = stage.measuring().measure(batch).with_row_index("row")
    alive = measures.with_columns(
        pl.Series("source", sources, dtype=pl.String), pl.Series("order", order, dtype=pl.UInt32)
    )
    found = resolve(stage, alive, batch)
    return {row: (twin, jaccard) for row, twin, jaccard in found.select("row", "twin", "jaccard").rows()}


ROLES = {"prompt": {"user"}, "response": {"assistant"}, "conversation": {"user", "assistant", "tool"}}


def oracle(
    rows: Sequence[Conversation],
    sources: Sequence[str],
    order: Sequence[int],
    *,
    on: str,
    n: int,
    threshold: float,
    keep: str,
    within: bool,
    responses: int,
) -> dict[int, tuple[int, float]]:
    """All pairs, exact Jaccard, greedily in the order of priority: sources c, b, a, and all rows of p stay."""
    sets = sets_of([[text for role, text in row.messages if role in ROLES[on]] for row in rows], n)
    size = [sum(len(text) for role, text in row.messages if role in ROLES["conversation"]) for row in rows]
    sign = {"longest": -1, "shortest": 1, "any": 0}[keep]
    ranks = {"p": -1, "c": 0, "b": 1, "a": 2}
    ranked = sorted(range(len(rows)), key=lambda row: (ranks[sources[row]], sign * size[row], order[row]))
    kept: list[int] = []
    gone: dict[int, tuple[int, float]] = {}
    stayed: Counter[int] = Counter()
    for row in ranked:
        near = [
            (twin, len(sets[row] & sets[twin]) / len(sets[row] | sets[twin]))
            for twin in kept
            if sets[row] and sets[twin] and not (within and sources[row] != sources[twin])
        ]
        twins = [(twin, jaccard) for twin, jaccard in near if jaccard >= threshold]
        if not twins or sources[row] == "p":
            kept.append(row)
            continue
        stayed[twins[0][0]] += 1
        if stayed[twins[0][0]] >= responses:
            gone[row] = (twins[0][0], round(twins[0][1], 6))
    return gone


near_texts = st.lists(st.sampled_from("abcde"), min_size=1, max_size=8).map(" ".join)
messages = st.lists(
    st.tuples(st.sampled_from(["system", "user", "assistant"]), near_texts), min_size=1, max_size=3
).map(Conversation)


@settings(max_examples=200)
@given(st.lists(messages, max_size=60), st.data())
def test_dedup_equals_all_pairs_in_the_order_of_priority(rows: list[Conversation], data: st.DataObject):
    order = data.draw(st.permutations(range(len(rows))))
    sources = data.draw(st.lists(st.sampled_from("abcp"), min_size=len(rows), max_size=len(rows)))
    on = data.draw(st.sampled_from(sorted(ROLES)))
    options: dict[str, Any] = {
        "threshold": data.draw(st.sampled_from([0.3, 0.5, 0.8, 1.0])),
        "keep": data.draw(st.sampled_from(["longest", "shortest", "any"])),
    }
    n = data.draw(st.integers(1, 3))
    within, responses = data.draw(st.booleans()), data.draw(st.integers(1, 3)) if on == "prompt" else 1
    stage = MinhashDedup(
        **EVERY_PAIR,
        **{**options, "threshold": str(options["threshold"])},
        ngram=n,
        on=on,
        scope="within" if within else "across",
        keep_responses=responses,
        prefer=("c", "b"),
        protect=("p",),
    )
    naive = oracle(rows, sources, order, on=on, n=n, within=within, responses=responses, **options)
    assert resolved(stage, rows, sources, order) == naive


def edited(base: Sequence[str], draw: random.Random) -> Conversation:
    """A text of a few words, some of them others."""
    words = [draw.choice("abcdefgh") if draw.random() < 0.25 else word for word in base]
    return Conversation([("user", " ".join(words)), ("assistant", " ".join(words[:4]))])


@pytest.mark.parametrize("seed", range(20))
def test_rows_with_many_near_ones_go_for_the_first_of_them(seed: int):
    draw = random.Random(seed)
    bases = [[draw.choice("abcdefgh") for _ in range(9)] for _ in range(3)]
    rows = [edited(draw.choice(bases), draw) for _ in range(60)]
    sources = draw.choices("abc", k=60)
    order = draw.sample(range(60), 60)
    options: dict[str, Any] = {"keep": "any", "threshold": 0.35}
    naive = oracle(rows, sources, order, on="prompt", n=2, within=False, responses=1, **options)
    stage = MinhashDedup(
        **EVERY_PAIR, keep="any", threshold="0.35", ngram=2, on="prompt", prefer=("c", "b"), protect=("p",)
    )
    assert len(naive) > 10
    assert resolved(stage, rows, sources, order) == naive


FIVE = "one two three four five six seven eight nine ten eleven twelve"


def one(text: str, *more: tuple[str, str]) -> Conversation:
    return Conversation([*more, ("user", text), ("assistant", "yes")])


def test_system_prompts_are_left_out_and_calls_of_tools_are_not():
    called = [
        Conversation([("user", FIVE), ("assistant", "")], f'[null,{{"arguments":"{city} {city}"}}]')
        for city in ("Rome Paris Lima", "Oslo Bonn Kyiv", "Rome Paris Lima")
    ]
    prompted = [one(FIVE, ("system", system)) for system in ("Be brief.", f"Be thorough. {FIVE} {FIVE[::-1]}")]
    assert resolved(MinhashDedup(), prompted, "aa", [0, 1]) == {1: (0, 1.0)}
    assert resolved(MinhashDedup(), called, "aaa", [0, 1, 2]) == {2: (0, 1.0)}
    assert resolved(MinhashDedup(on="prompt"), called, "aaa", [0, 1, 2]).keys() == {1, 2}


def test_ids_of_calls_are_no_text():
    def called(id: str) -> Conversation:
        calls = [None, {"tool_calls": [{"id": id, "function": {"name": "f", "arguments": "{}"}}]}, {"tool_call_id": id}]
        return Conversation([("user", FIVE), ("assistant", ""), ("tool", "12")], json.dumps(calls))

    rows = [called("call_7Fq1"), called("call_9Zx3")]
    assert resolved(MinhashDedup(threshold="1"), rows, "aa", [0, 1]) == {1: (0, 1.0)}
    spoken_in = ([text for _, text in spoken(row.messages, row.tool_calls)] for row in rows)
    first, second = (shingles(texts, 2) for texts in spoken_in)
    assert first == second
    measures = ExactDedup().measure(Rows.of([*rows, Conversation(rows[0].messages, "[null,null,null]")]))
    assert measures["low"].n_unique() == 2


def test_permutations_choose_both_bands_and_rows():
    with pytest.raises(ValidationError, match="permutations chooses bands and rows; give both of these, or neither"):
        MinhashDedup(permutations=128, bands=9)


def test_rows_without_words_are_nobodys_duplicates():
    rows = [Conversation([("user", text), ("assistant", "…")]) for text in ("", "?!", "", "?!")]
    assert resolved(MinhashDedup(), rows, "aaaa", [0, 1, 2, 3]) == {}


def test_a_protected_row_stays_and_others_go_for_it():
    rows = [one(FIVE), one(FIVE), one(f"{FIVE} and more"), one(FIVE)]
    found = resolved(MinhashDedup(protect=("p",), threshold="0.6"), rows, "ppaa", [3, 1, 2, 0])
    assert found.keys() == {2, 3}
    assert found[3] == (1, 1.0)


def test_a_bucket_over_the_cap_costs_recall_and_a_second_run_still_removes_nothing():
    draw = random.Random(3)
    template = [draw.choice("abcdefgh") for _ in range(14)]
    rows = [one(" ".join(edited(template, draw).messages[0][1])) for _ in range(300)]
    order, sources = [*range(300)], "a" * 300
    wide, narrow = (MinhashDedup(bands=8, rows=2, ngram=2, threshold="0.5", bucket_cap=cap) for cap in (300, 2))
    gone, fewer = resolved(wide, rows, sources, order), resolved(narrow, rows, sources, order)
    assert len(fewer) < len(gone)
    left = [row for row in range(300) if row not in fewer]
    assert resolved(narrow, [rows[row] for row in left], "a" * len(left), left) == {}


@pytest.mark.parametrize("seed", range(12))
def test_a_row_is_compared_with_the_first_kept_rows_of_each_of_its_buckets(seed: int):
    draw = random.Random(seed)
    rows, bands, cap, threshold = 80, 3, draw.choice([1, 2, 5]), 0.5
    members = [frozenset(draw.sample(range(1, 9), draw.randint(2, 5))) for _ in range(rows)]
    bucket_of = [[draw.randrange(band * 4, band * 4 + 4) for band in range(bands)] for _ in range(rows)]
    kept: dict[int, list[int]] = {}
    expected = []
    for row in range(rows):
        others = sorted({other for bucket in bucket_of[row] for other in kept.get(bucket, [])[:cap]})
        near = (
            other
            for other in others
            if len(members[row] & members[other]) >= threshold * len(members[row] | members[other])
        )
        expected.append(next(near, -1))
        if expected[-1] == -1:
            for bucket in bucket_of[row]:
                kept.setdefault(bucket, []).append(row)
    sets = [np.array([len(one), *sorted(one)], np.uint64) for one in members]
    starts = np.cumsum([0, *map(len, sets)]).astype(np.int64)[:-1]
    # All signatures are the same, so that none is screened out.
    signatures = np.zeros((rows, 16), np.uint8)
    candidates = Candidates(
        np.array(bucket_of, np.uint32), signatures, np.concatenate(sets), starts, np.zeros(rows, np.bool_)
    )
    assert any(len(own) > cap for own in kept.values())
    assert join(candidates, 16, threshold, cap).twin.tolist() == expected


@pytest.mark.parametrize(
    ("keep", "best"), [("tokens", "十二 十三 十四"), ("length_filter.characters", "supercalifragilistic")]
)
def test_the_row_with_most_of_a_measure_is_kept(yard: Yard, keep: str, best: str):
    rows = [
        {"prompt": f"{FIVE} {end}", "response": "yes"}
        for end in ("more", "supercalifragilistic", "a b c", "十二 十三 十四")
    ]
    yard.jsonl("a.jsonl", rows)
    near = {"ngram": 1, "threshold": 0.5, "on": "prompt", "keep": keep, "max_removed": 1}
    built = yard.mix(sources={"a": {"jsonl": "a.jsonl"}}, stages=["length_filter", {"minhash_dedup": near}])
    (left,) = pl.read_parquet(built.mixture.folder / "data/*.parquet").iter_rows(named=True)
    assert left["messages"][0]["content"].endswith(best)
    assert ("tokens" in [stage["name"] for stage in built.mixture.manifest["stages"]]) == (keep == "tokens")


def test_a_row_without_the_measure_comes_last():
    batch = Rows.of([one(FIVE)] * 3)
    stage = MinhashDedup(keep="quality.score")
    alive = (
        stage.measuring()
        .measure(batch)
        .with_row_index("row")
        .with_columns(
            pl.Series("source", ["a"] * 3),
            pl.Series("order", [0, 1, 2], dtype=pl.UInt32),
            pl.Series("quality.score", [None, 0.25, 0.5]),
        )
    )
    assert resolve(stage, alive, batch)["twin"].to_list() == [2, 2]
    with pytest.raises(ValidationError, match=r"no order is named 'longset'; did you mean 'longest'\?"):
        MinhashDedup(keep="longset")


def test_measures_do_not_change_with_threshold_scope_or_policy():
    stage = MinhashDedup(threshold="0.9", scope="within", keep="any", keep_responses=2, on="prompt", bucket_cap=3)
    assert stage.measuring_options() == MinhashDedup(on="prompt").measuring_options()
    assert MinhashDedup(preset="olmo3").measuring_options() == MinhashDedup(bands=26, rows=11).measuring_options()


@pytest.mark.parametrize("preset", sorted(PRESETS))
def test_presets_say_how_likely_a_pair_is_found(preset: Any):
    stage = MinhashDedup(preset=preset)
    assert (stage.ngram, stage.bands, stage.rows) == PRESETS[preset]
    naive = 1 - (1 - 0.8**stage.rows) ** stage.bands
    assert stage.facts()["found"]["0.8"] == round(naive, 4) == round(probability(0.8, stage.bands, stage.rows), 4)


def test_permutations_give_the_bands_that_suit_the_threshold():
    stage = MinhashDedup(permutations=256, threshold="0.7")
    assert (stage.bands, stage.rows) == (25, 10)
    assert MinhashDedup(permutations=256, bands=32, rows=8).bands == 32
    again = MinhashDedup.model_validate(stage.model_dump(exclude_none=True))
    assert again == stage


@pytest.mark.parametrize(("cap", "kept"), [(64, 5_000), (1, 5_000)])
def test_a_bucket_of_all_rows_costs_no_more_than_its_cap_for_each(cap: int, kept: int):
    rows = 5_000
    sets = np.stack([np.full(rows, 1, np.uint64), np.arange(1, rows + 1, dtype=np.uint64)], axis=1).ravel()
    candidates = Candidates(
        np.zeros((rows, 3), np.uint32),
        np.zeros((rows, 16), np.uint8),
        sets,
        np.arange(rows, dtype=np.int64) * 2,
        np.zeros(rows, np.bool_),
    )
    found = join(candidates, 16, 0.8, cap)
    assert (found.twin == -1).sum() == kept
    assert found.compared <= cap * rows


def test_copies_of_one_row_are_compared_with_one():
    rows = [one(FIVE)] * 3_000
    found = resolved(MinhashDedup(), rows, "a" * 3_000, range(3_000))
    assert set(found.values()) == {(0, 1.0)}
    assert len(found) == 2_999


def test_a_stage_that_compares_texts_does_not_resolve_by_measures_alone():
    with pytest.raises(
        InvariantError, match="minhash_dedup: compares texts, and was asked to resolve rows by measures"
    ):
        MinhashDedup().resolve(pl.DataFrame())


def test_a_text_of_300_000_words_is_a_row_like_others():
    long = " ".join(str(number) for number in range(300_000))
    rows = [one(long), one(FIVE), one(f"{long} and more"), one(f"{FIVE} thirteen")]
    assert resolved(MinhashDedup(), rows, "aaaa", range(4)).keys() == {0, 1}
