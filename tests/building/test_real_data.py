"""The example recipe on real data, to the counts that are known of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import nullcontext
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest

from conftest import Yard, files_of
from tulu_data.building.build import Built, build
from tulu_data.building.run import Folders
from tulu_data.errors import FindingsError, InputError
from tulu_data.executors.inline import Inline
from tulu_data.executors.processes import Processes
from tulu_data.mixture.explain import Explainer
from tulu_data.recipe.reading import load
from tulu_data.stages.weighted_mix import WeightedMix

pytestmark = pytest.mark.slow

RECIPE = Path(__file__).parents[2] / "recipes/examples/real_sft.yaml"

# ../shared/data/README.md, table of files.
READ = {
    "alpaca_en": 999,
    "alpaca_zh": 1000,
    "flan_ecqa": 7112,
    "flan_gsm8k": 7473,
    "flan_strategyqa": 2061,
    "gpteacher_codegen": 4535,
    "gpteacher_roleplay": 1923,
    "gpteacher_toolformer": 2396,
    "gsm8k_train": 7473,
    "oasst": 1178,
    "self_instruct_seed": 175,
    "t0": 16775,
    "v1_sft": 500,
}


@pytest.fixture(scope="module", autouse=True)
def _described() -> Iterator[None]:
    """The recipe names evaluation sets that are described beside it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TULU_DATA_EVALS", str(RECIPE.parent / "evaluations"))
        yield


@pytest.fixture(scope="module")
def built(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Built:
    root = tmp_path_factory.mktemp("real")
    return build(load(RECIPE), Folders(root / "mixtures", root / "manifests", root / "workspace"))


def test_every_source_is_read_to_its_known_count(built: Built):
    rows = built.mixture.rows
    assert {source: entry["read"] for source, entry in rows.items()} == READ
    for entry in rows.values():
        assert entry["read"] == entry["quarantined"] + sum(entry["removed"].values()) + entry["kept"]
        assert entry["quarantined"] == 0


def test_all_flan_gsm8k_rows_are_twins_of_gsm8k(built: Built):
    # Three questions of the training split share more than half of their words with one of the test split
    # (two items: see the negative control), in both sources; the other 7,470 are twins.
    assert built.mixture.rows["flan_gsm8k"]["removed"] == {"ngram_decontamination": 3, "exact_dedup": 7470}
    assert built.mixture.rows["gsm8k_train"]["kept"] == 7470
    evidence = pl.read_parquet(built.mixture.evidence["exact_dedup"]).filter(pl.col("source") == "flan_gsm8k")
    ledger = pl.read_parquet(built.mixture.folder / "ledger/*.parquet").rename({"id": "twin", "source": "of"})
    assert set(evidence.join(ledger, on="twin")["of"]) == {"gsm8k_train"}


def test_known_leaks_go_and_of_the_negative_control_nearly_all_stays(built: Built):
    lines = pl.read_parquet(built.mixture.reports("evaluations")["ngram_decontamination"]).iter_rows(named=True)
    found = {(line["source"], line["evaluation"]): line for line in lines}

    def counts(source: str, evaluation: str) -> tuple[int, ...]:
        return tuple(found[source, evaluation][name] for name in ("items", "touched", "contaminated", "full", "rows"))

    # ../shared/data/README.md has these without short items: 724, 723 and 714; 80 of the 119 short ones are whole.
    assert counts("flan_ecqa", "commonsenseqa") == (1221, 724 + 80, 723 + 80, 714 + 80, 809)
    # "2061 in all are found as whole token sequences": every row of the source is a question of the set.
    assert counts("flan_strategyqa", "strategyqa_bigbench") == (2290, 2061, 2061, 2061, 2061)
    assert built.mixture.rows["flan_strategyqa"]["kept"] == 0
    assert counts("gsm8k_train", "gsm8k") == (1319, 80, 2, 0, 3)
    assert sum(entry["removed"].get("ngram_decontamination", 0) for entry in built.mixture.rows.values()) == 2933


def test_what_is_kept_is_what_a_naive_program_keeps(built: Built):
    rows = pl.read_parquet(built.mixture.folder / "data/*.parquet")
    prompts = Counter(
        " ".join(" ".join(m["content"] for m in row if m["role"] == "user").split()) for row in rows["messages"]
    )
    assert max(prompts.values()) == 1
    # 53,600 rows read, 2,933 contaminated, 8,645 that repeat another's prompt.
    assert len(prompts) == sum(entry["kept"] for entry in built.mixture.rows.values()) == 42_022


def test_eleven_empty_files_are_counted(built: Built):
    inputs = built.mixture.manifest["sources"]["t0"]["inputs"]
    assert sum(entry["files"] for entry in inputs) == 96
    assert [entry["files"] for entry in inputs if entry["bytes"] == 0] == [11]


def test_a_removed_row_is_explained_by_its_place(built: Built, shared: Path):
    (row,) = Explainer(built.mixture).by_place(shared / "train/flan_cot/gsm8k_train.tsv", 1)
    assert (row.fate, row.source) == ("exact_dedup", "flan_gsm8k")
    assert row.twin is not None
    assert row.twin.places == ((str(shared / "train/gsm8k_train/train.jsonl"), 1),)
    assert row.turns is not None
    assert row.turns[1].text.endswith("72 clips altogether in April and May.\n72")


def test_other_shards_give_the_same_bytes(built: Built, shared: Path):
    places = Folders(
        *(built.mixture.folder.parents[2] / name for name in ("small", "small-manifests", "small-workspace"))
    )
    other = build(load(RECIPE), places, shard_rows=1000)
    assert other.mixture.run()["units"]["done"]["ingest"] > 100
    assert files_of(other.mixture.folder) == files_of(built.mixture.folder)


@pytest.mark.parametrize(
    ("name", "stops", "example"),
    [
        ("ngram_decontamination", "2,061 of 2,061 rows of flan_strategyqa", "contaminated by strategyqa_bigbench"),
        ("exact_dedup", "7,470 of 7,470 rows of flan_gsm8k", "same prompt, twin "),
    ],
)
def test_without_leave_to_remove_them_all_the_build_stops(
    built: Built, shared: Path, name: str, stops: str, example: str
):
    recipe = load(RECIPE)
    stages = [
        stage.model_copy(update={"max_removed": Decimal("0.5")}) if stage.name() == name else stage
        for stage in recipe.stages
    ]
    places = Folders(*(built.mixture.folder.parents[2] / name for name in ("stopped", "manifests", "workspace")))
    with pytest.raises(FindingsError) as caught:
        build(recipe.with_stages(stages), places)
    assert caught.value.exit_code == 4
    lines = str(caught.value).splitlines()
    assert lines[0].startswith(f"stages.{name}: removes {stops} (100.0%)")
    assert len(lines) == 4
    assert all(example in line for line in lines[1:])
    assert not list(places.out.glob("real_sft/[!.]*"))


def test_plain_text_is_refused_with_a_reason(yard: Yard, shared: Path):
    recipe = yard.recipe(sources={"c4": {"jsonl": shared / "train/llamafactory_demo/c4_demo.jsonl"}})
    with pytest.raises(InputError, match="its only column is 'text', and a row of kind sft has more"):
        yard.build(recipe)


@pytest.mark.parametrize(
    ("source", "rows"),
    [
        ({"jsonl": "evals/bbh/*.json", "records": "examples[]", "format": {"prompt": "input", "response": "target"}}, 6511),
        ({"jsonl": "evals/mbppplus/mbppplus.json", "records": "entries", "format": {"prompt": "value", "response": "key"}}, 399),
        ({"jsonl": "evals/arc_challenge/*.json", "records": "test[]"}, 1172),
        ({"jsonl": "evals/humaneval/*.gz", "format": {"prompt": "prompt", "response": "canonical_solution"}}, 164),
        ({"jsonl": "evals/mmlu/*.gz", "format": {"prompt": "question", "response": "answer"}}, 63_432),
        ({"csv": "evals/xstest/*.csv", "format": {"prompt": "prompt", "response": "label"}}, 450),
        ({"csv": "evals/truthfulqa/*.csv", "format": {"prompt": "Question", "response": "Best Answer"}}, 790),
        ({"tsv": "multilingual/mgsm/*.tsv", "header": False, "format": {"prompt": 0, "response": 1}}, 1500),
        # 240 paragraphs in each of five languages
        ({"jsonl": "multilingual/xquad/*.json", "records": "data[].paragraphs[]", "format": {"prompt": "context", "response": "qas.0.question"}}, 1200),
        ({"jsonl": "evals/vicuna_bench/*.jsonl", "format": {"prompt": "turns.0", "response": "category"}}, 80),
    ],
    ids=lambda value: next(iter(value.values())).split("/")[1] if isinstance(value, dict) else "",
)  # fmt: skip
def test_awkward_files_are_read_whole(yard: Yard, shared: Path, source: dict[str, object], rows: int):
    place = next(iter(source))
    recipe = yard.recipe(sources={"a": {**source, place: str(shared / str(source[place]))}})
    assert yard.build(recipe).mixture.rows["a"]["read"] == rows


def test_null_answers_are_set_aside_by_row(yard: Yard, shared: Path):
    (path,) = [
        path
        for path in (shared / "rlvr/rllm_math").rglob("*")
        if "train" in path.name and path.suffix in (".json", ".jsonl")
    ]
    source = {"jsonl": str(path), "format": {"prompt": "problem", "response": "answer"}, "max_quarantined": 2}
    built = yard.build(yard.recipe(sources={"math": source}))
    assert built.mixture.rows["math"] == {"read": 7474, "quarantined": 2, "removed": {}, "kept": 7472, "written": 7472}
    rows = pl.read_parquet(built.mixture.folder / "quarantine.parquet")
    # Known as rows 886 and 1009, counted from 0.
    assert rows.select("row", "code").rows() == [(887, "null_content"), (1010, "null_content")]


MIX = RECIPE.with_name("real_mix.yaml")


def test_a_mix_of_real_sources_lands_on_its_targets_by_any_number_of_workers(shared: Path, tmp_path: Path):
    recipe = load(MIX)
    data = []
    for name, crew, shard_rows in (("one", nullcontext(Inline()), 65_536), ("two", Processes(2), 5_000)):
        places = Folders(tmp_path / name, tmp_path / "manifests", tmp_path / f"{name}-workspace")
        with crew as executor:
            mixture = build(recipe, places, executor=executor, shard_rows=shard_rows).mixture
        data.append(files_of(mixture.folder, "data"))
    assert data[0] == data[1]
    rows = pl.concat([pl.read_parquet(path) for path in mixture.data])
    (mix,) = (stage for stage in recipe.stages if isinstance(stage, WeightedMix))
    for domain, weight in mix.weights.items():
        achieved = rows.filter(pl.col("domain") == domain)["tokens"].sum() / rows["tokens"].sum()
        assert abs(achieved - float(weight)) < 0.005
    assert 0.995 * 1_000_000 < rows["tokens"].sum() <= 1_000_000


def test_a_published_profile_names_what_real_sources_have_too_little_of(shared: Path, tmp_path: Path):
    recipe = load(MIX)
    profile = WeightedMix(by="domain", profile="tulu3", rows=10_000, others="drop")
    whole = recipe.with_stages([*(stage for stage in recipe.stages if not isinstance(stage, WeightedMix)), profile])
    with pytest.raises(InputError, match=r"the domain '\w+' should give [\d,]+ of 10,000 rows, and has [\d,]+ "):
        build(whole, Folders(tmp_path / "m", tmp_path / "n", tmp_path / "w"))
