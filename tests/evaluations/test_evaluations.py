"""Evaluation sets by name: complete descriptions, groups of what there is, and local ones before the catalogue."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest
from ruamel.yaml import YAML

from conftest import Yard, pairs
from tulu_data.errors import InputError, RecipeError, UsageError
from tulu_data.evaluations import catalogue
from tulu_data.evaluations.evaluation_set import EvaluationSet
from tulu_data.recipe.reading import load, read
from tulu_data.sources.huggingface import Huggingface
from tulu_data.stages.ngram_decontamination import NgramDecontamination
from tulu_data.store.durable import sha256_file

ROOT = Path(__file__).parents[2]
CATALOGUE = ROOT / "tulu_data/evaluations/catalogue.yaml"
EXAMPLES = ROOT / "recipes/examples/evaluations"

# What ../shared/data/README.md states of them; of popqa_2000 the half that is the test split.
ITEMS = {
    "alpaca_eval": 805,
    "arc_challenge": 1172,
    "arc_challenge_dev": 299,
    "bbh": 6511,
    "commonsenseqa": 1221,
    "gsm8k": 1319,
    "gsm8k_rephrased": 1319,
    "humaneval": 164,
    "humaneval_rephrased": 164,
    "ifeval": 541,
    "math500": 500,
    "mbpp_all": 974,
    "mbppplus_399": 399,
    "mgsm_6": 1500,
    "mmlu": 14_042,
    "mmlu_dev": 285,
    "mmlu_validation": 1531,
    "mt_bench": 80,
    "popqa_2000": 1000,
    "strategyqa_bigbench": 2290,
    "truthfulqa_2025": 790,
    "truthfulqa_mc": 790,
    "vicuna_bench": 80,
    "xstest": 450,
}


@pytest.fixture
def evals(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder of local descriptions."""
    folder = yard.root / "evals"
    folder.mkdir()
    monkeypatch.setenv("TULU_DATA_EVALS", str(folder))
    return folder


@pytest.fixture(autouse=True)
def _without_local_descriptions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TULU_DATA_EVALS", raising=False)


def against(text: str) -> dict[str, EvaluationSet]:
    recipe = read(f"name: x\nsources: {{a: {{jsonl: a}}}}\nstages:\n  - ngram_decontamination: {{against: {text}}}\n")
    (stage,) = recipe.stages
    assert isinstance(stage, NgramDecontamination)
    return stage.against


# The catalogue


@pytest.mark.parametrize("name", catalogue.names())
def test_every_entry_is_complete(name: str):
    entry = catalogue.find(name)
    assert entry.title
    assert entry.license
    assert entry.gated is not None
    assert entry.page
    assert entry.page.startswith(("https://arxiv.org/abs/", "https://artofproblemsolving.com/"))
    assert isinstance(entry.items.source, Huggingface)
    assert set(entry.unverified) <= {*entry.model_dump(exclude_unset=True), *entry.items.model_dump(mode="json")}
    assert EvaluationSet.model_validate(entry.items.model_dump(mode="json")) == entry.items
    assert entry.origin is None


def test_the_catalogue_is_plain_yaml_without_a_name_twice():
    # A second reader, which would take anchors and tags where ours refuses them.
    values = YAML(typ="safe", pure=True).load(CATALOGUE.read_text())
    assert list(values) == ["groups", "sets"]
    assert not {*values["groups"]} & {*values["sets"]}
    assert sorted(values["sets"]) == catalogue.names()
    members = {part for parts in values["groups"].values() for part in parts}
    assert members <= {*values["groups"], *values["sets"]}
    # A whole set and its diamond and extended parts would count the same items three times.
    assert {*values["sets"]} - {name for group in catalogue.groups().values() for name in group} == {"gpqa_main"}


def test_the_suite_of_tulu_3_is_two_groups():
    groups = catalogue.groups()
    assert groups["tulu3"] == [*groups["tulu3_dev"], *groups["tulu3_unseen"]]
    assert (len(groups["tulu3_dev"]), len(groups["tulu3_unseen"])) == (17, 7)
    assert {"mathematics", "code", "knowledge", "instruction_following", "safety", "reading", "multilingual"} <= {
        *groups
    }


def test_the_guide_counts_them_right():
    guide = " ".join((ROOT / "docs/decontamination.md").read_text().split())
    assert f"lists {len(catalogue.names())} sets and {len(catalogue.groups())} groups" in guide
    assert f"describes {len(list(EXAMPLES.glob('*.yaml')))} sets as others publish them" in guide


# Names in a recipe


def test_a_recipe_names_sets_groups_and_its_own():
    assert list(against("gsm8k")) == ["gsm8k"]
    assert list(against("[math, gsm8k, humaneval]")) == ["gsm8k", "humaneval", "math"]
    assert list(against("[gpqa, gsm8k]")) == ["gpqa_diamond", "gpqa_extended", "gsm8k"]
    assert sorted(against("tulu3")) == sorted(catalogue.groups()["tulu3"])
    assert list(against("[gsm8k, {mine: {jsonl: x, question: q}}]")) == ["gsm8k", "mine"]
    assert list(against("{mine: {jsonl: x, question: q}, gsm8k: }")) == ["gsm8k", "mine"]
    assert against("{mine: gsm8k}")["mine"] == catalogue.find("gsm8k").items


def test_what_is_said_of_a_set_goes_before_what_a_group_brings():
    changed = against("{tulu3: , gsm8k: {split: train, revision: abc}, drop: {jsonl: x, question: q}}")
    assert len(changed) == 24
    assert changed["gsm8k"].model_dump() == {
        "huggingface": "openai/gsm8k",
        "config": "main",
        "revision": "abc",
        "question": "question",
        "answer": "answer",
    }
    assert changed["drop"].model_dump() == {"jsonl": "x", "question": "q"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[gsm9k]", r":4:38: .*against: no evaluation set or group 'gsm9k'; did you mean 'gsm8k'\?"),
        ("[tulu4]", r"no evaluation set or group 'tulu4'; did you mean 'tulu3'\?"),
        ("zzz", r"group 'zzz'; see: tulu-data evaluations, or describe it in a folder that TULU_DATA_EVALS names"),
        ("{mine: gpqa}", "'gpqa' is a group of gpqa_diamond, gpqa_extended; name it by itself, or one of them"),
        ("{gsm8k: {questoin: q}}", r"against.gsm8k: unknown key 'questoin'; did you mean 'question'\?"),
        ("{mine: {question: q}}", "against.mine: an evaluation set needs one of the keys csv, huggingface"),
        ("[[a]]", r"against: '\['a'\]' is not the name of an evaluation set"),
        ("[{a: {jsonl: x, question: q}}, {a: {jsonl: y, question: q}}]", "two descriptions of 'a'; keep one of them"),
        ("[]", "against: should have at least one entry"),
        ("{bbh: {config: []}}", "against.bbh: should have at least one entry"),
    ],
)
def test_a_recipe_is_told_which_name_is_not_known(text: str, message: str):
    with pytest.raises(RecipeError, match=message):
        against(text)


def test_the_resolved_recipe_stands_alone(yard: Yard, evals: Path):
    yard.jsonl("a.jsonl", pairs(4))
    yard.jsonl("evals/items.jsonl", [{"q": "What is the capital of Ruritania?"}])
    (evals / "mine.yaml").write_text("jsonl: items.jsonl\nquestion: q\nlicense: mit\n")
    built = yard.mix(sources={"a": {"jsonl": "a.jsonl"}}, stages=[{"ngram_decontamination": {"against": "mine"}}])
    (stage,) = load(built.mixture.folder / "recipe.yaml").as_values()["stages"]
    assert stage["ngram_decontamination"]["against"] == {
        "mine": {"jsonl": "${TULU_DATA_EVALS}/items.jsonl", "question": "q"}
    }
    facts = built.mixture.manifest["stages"][0]["evaluations"]["mine"]
    assert facts["files"] == [sha256_file(evals / "items.jsonl")]
    (evals / "mine.yaml").unlink()
    assert yard.build(load(built.mixture.folder / "recipe.yaml")).status == "unchanged"


# Several configs or splits


def two_configs(yard: Yard) -> str:
    for name, count in (("one", 2), ("two", 3)):
        yard.jsonl(f"set/{name}/test.jsonl", [{"q": f"{name} {number}", "id": number} for number in range(count)])
        yard.jsonl(f"set/{name}/train.jsonl", [{"q": f"{name} train", "id": 7}])
    files = "".join(
        f"- config_name: {name}\n  data_files:\n"
        + "".join(f"  - {{split: {split}, path: {name}/{split}.jsonl}}\n" for split in ("train", "test"))
        for name in ("one", "two")
    )
    yard.write("set/README.md", f"---\nconfigs:\n{files}---\n")
    return str(yard.root / "set")


@pytest.mark.parametrize(
    ("more", "ids"),
    [
        ({"config": ["one", "two"], "split": "test"}, ["one/1", "one/2", "two/1", "two/2", "two/3"]),
        ({"config": ["one", "two"], "split": "test", "id": "id"}, ["one/0", "one/1", "two/0", "two/1", "two/2"]),
        ({"config": "one", "split": ["train", "test"]}, ["train/1", "test/1", "test/2"]),
        ({"config": ["one"], "split": "test"}, ["1", "2"]),
        (
            {"config": ["one", "two"], "split": ["train", "test"], "group_by": "id"},
            ["one/train/7", "one/test/0", "one/test/1", "two/train/7", "two/test/0", "two/test/1", "two/test/2"],
        ),
    ],
)
def test_items_of_several_configs_are_united_under_their_names(yard: Yard, more: dict[str, Any], ids: list[str]):
    described = {"huggingface": two_configs(yard), "question": "q", **more}
    several = EvaluationSet.model_validate(described)
    assert [item.id for item in several.items("e", yard.root / "cache", sha256_file)] == ids
    assert EvaluationSet.model_validate(several.model_dump(mode="json")) == several


def test_one_commit_is_asked_for_all_configs(monkeypatch: pytest.MonkeyPatch):
    asked: list[str] = []
    monkeypatch.setattr("tulu_data.hub.reading.commit_of", lambda repo, revision: asked.append(repo) or "a" * 40)
    math = catalogue.find("math").items.resolved()
    assert asked == ["EleutherAI/hendrycks_math"]
    assert {source.revision for source in math.sources if isinstance(source, Huggingface)} == {"a" * 40}
    assert math.model_dump()["config"] == catalogue.find("math").items.model_dump()["config"]


# Local descriptions


def test_a_local_description_goes_before_the_catalogue(yard: Yard, evals: Path):
    yard.jsonl("evals/sub/items.jsonl", [{"q": "one two three"}])
    (evals / "gsm8k.yaml").write_text("jsonl: [sub/*.jsonl]\nquestion: q\n")
    (evals / "Not a name.yaml").write_text("")
    entry = catalogue.find("gsm8k")
    assert entry.origin == evals / "gsm8k.yaml"
    assert [item.texts["question"] for item in entry.items.items("e", yard.root, sha256_file)] == [("one two three",)]
    assert against("[gsm8k]")["gsm8k"] == entry.items
    assert catalogue.names().count("gsm8k") == 1
    (evals / "tulu3.yaml").write_text("jsonl: sub/items.jsonl\nquestion: q\n")
    assert list(against("tulu3")) == ["tulu3"]


@pytest.mark.parametrize(
    ("place", "resolved"),
    [
        ("jsonl: x.jsonl", "${TULU_DATA_EVALS}/x.jsonl"),
        ("csv: /data/x.csv", "/data/x.csv"),
        ('tsv: "${HERE}/x.tsv"', "${HERE}/x.tsv"),
        ("huggingface: openai/gsm8k", "openai/gsm8k"),
        ("huggingface: folder", "${TULU_DATA_EVALS}/folder"),
    ],
)
def test_a_local_path_starts_at_its_description(evals: Path, place: str, resolved: str):
    (evals / "folder").mkdir()
    (evals / "mine.yaml").write_text(f"{place}\nquestion: q\n")
    assert next(iter(catalogue.find("mine").items.model_dump().values())) == resolved


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("jsonl: x\n", r"mine.yaml:1:1: 'question' is missing: which columns ask\?"),
        ("jsonl: x\nquestoin: q\n", r"mine.yaml:1:1: unknown key 'questoin'; did you mean 'question'\?"),
        ("question: q\n", "mine.yaml:1:1: an evaluation set needs one of the keys csv"),
        ("jsonl: x\nquestion: q\ngated: maybe\n", "mine.yaml:3:8: gated: input should be a valid boolean"),
        ("jsonl: &a x\nquestion: q\n", "mine.yaml:1:8: jsonl: anchor '&a'"),
        ("- a\n", "mine.yaml:1:1: input should be a valid dictionary"),
    ],
)
def test_a_bad_description_is_told_by_its_line(evals: Path, text: str, message: str):
    (evals / "mine.yaml").write_text(text)
    with pytest.raises(RecipeError, match=message):
        catalogue.find("mine")


def test_a_folder_of_descriptions_that_is_not_there_is_told(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("TULU_DATA_EVALS", "nowhere")
    with pytest.raises(UsageError, match="TULU_DATA_EVALS: nowhere is not a folder; name one"):
        catalogue.find("gsm8k")


def test_a_wrong_column_is_told_with_those_that_there_are(yard: Yard, evals: Path):
    yard.jsonl("evals/items.jsonl", [{"problem": "x y z", "answer": "1"}])
    (evals / "mine.yaml").write_text("jsonl: items.jsonl\nquestion: problem\n")
    changed = against("{mine: {question: question}}")["mine"]
    with pytest.raises(InputError, match="mine: no record has the column 'question'; its columns are problem, answer"):
        changed.items("mine", yard.root, sha256_file)


def test_all_sets_of_the_shared_data_are_described_to_their_known_counts(
    shared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("TULU_DATA_EVALS", str(EXAMPLES))
    found = {
        path.stem: len(catalogue.find(path.stem).items.items(path.stem, tmp_path, sha256_file))
        for path in sorted(EXAMPLES.glob("*.yaml"))
    }
    assert found == ITEMS
    assert {"gsm8k", "humaneval", "ifeval", "math500", "mmlu", "bbh", "arc_challenge", "xstest"} <= {*found}
    described = [str(path) for name in found for path in catalogue.find(name).items.files(tmp_path)]
    folders = {path.name for path in (shared / "evals").iterdir() if path.is_dir()}
    assert folders <= {Path(path).parent.name for path in described}


@pytest.mark.parametrize(
    ("record", "keys", "message"),
    [
        (
            {"question": "Why?", "nr": 2},
            {"id": "no"},
            ":2: no 'no', which names the item; its columns are question, nr",
        ),
        ({"question": "Why?", "no": None}, {"id": "no"}, ":2: 'no' names the item, and it is null; mend the record"),
        ({"question": "Why?", "no": True}, {"id": "no"}, ":2: 'no' names the item, and it is true; mend the record"),
        (
            {"question": "Why?", "no": {"id": 2}},
            {"id": "no"},
            ":2: 'no' names the item, and it is an object; name a part of it, such as no.id, or name other columns",
        ),
        ({"question": "Why?", "no": [2]}, {"group_by": "no"}, ":2: 'no' names the item, and it is an array"),
        ({"question": "Why?", "no": 1}, {"id": "no"}, "two items have the id '1'"),
    ],
)
def test_an_item_is_named_by_what_its_record_says_or_not_at_all(
    yard: Yard, record: dict[str, Any], keys: dict[str, Any], message: str
):
    path = yard.jsonl("mine.jsonl", [{"question": "How?", "no": "1"}, record])
    one = EvaluationSet.model_validate({"jsonl": str(path), "question": "question", **keys})
    with pytest.raises(InputError) as refused:
        one.items("mine", yard.root, sha256_file)
    assert message in str(refused.value)


def test_items_are_named_by_texts_and_numbers(yard: Yard):
    path = yard.jsonl("mine.jsonl", [{"q": "a", "id": id} for id in ("x", 7, 2.5, -1, 12.0)])
    one = EvaluationSet.model_validate({"jsonl": str(path), "question": "q", "id": "id"})
    assert [item.id for item in one.items("mine", yard.root, sha256_file)] == ["x", "7", "2.5", "-1", "12.0"]


def test_no_output_of_a_build_names_a_place_in_memory(yard: Yard):
    yard.jsonl("evals.jsonl", [{"q": f"What is {number} plus {number} minus 3?", "id": number} for number in range(9)])
    rows = [{"prompt": f"What is {number} plus {number} minus 3?", "response": "?"} for number in range(5)]
    yard.jsonl("a.jsonl", [*rows, *pairs(20), b"{", {"prompt": {"a": 1}, "response": None}])
    against = {"mine": {"jsonl": str(yard.root / "evals.jsonl"), "question": "q", "id": "id"}}
    stages = ["redact", {"length_filter": {"min_characters": 20}}, {"ngram_decontamination": {"against": against}}]
    built = yard.mix(
        sources={"a": {"jsonl": "a.jsonl", "max_quarantined": 2}}, stages=[*stages, "exact_dedup", "minhash_dedup"]
    )
    for path in sorted(yard.root.rglob("*")):
        if path.is_file() and "workspace" not in path.parts:
            content = path.read_bytes()
            if path.suffix == ".parquet":
                content = pl.read_parquet(path, glob=False).write_json().encode()
            assert b" at 0x" not in content, path
    assert built.mixture.rows["a"]["quarantined"] == 2
