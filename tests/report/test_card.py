"""The card and the Croissant file say what is in the mixture, in words that the Hub and other programs know."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import datasets
import pyarrow.parquet as pq
import pytest
from huggingface_hub import DatasetCard

from conftest import Yard, files_of, pairs, varied
from tulu_data.building.build import Built
from tulu_data.mixture.mixture import Mixture
from tulu_data.report.licenses import DEMANDS

pytestmark = pytest.mark.slow

# https://github.com/huggingface/hub-docs/blob/main/datasetcard.md
DOCUMENTED = {
    *("annotations_creators", "language_creators", "language", "license", "license_name", "license_link"),
    *("license_details", "tags", "multilinguality", "pretty_name", "size_categories", "source_datasets"),
    *("task_categories", "task_ids", "paperswithcode_id", "configs", "dataset_info", "extra_gated_fields"),
    *("extra_gated_prompt", "train-eval-index", "viewer"),
}
LEAK = "Two trains leave the same station at noon, one at 60 km/h and one at 90 km/h."


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    yard = Yard(tmp_path_factory.mktemp("card"))
    evals = yard.jsonl(
        "evals/e.jsonl", [{"question": LEAK}, {"question": "Name Ruritania's one capital"}, {"question": "Why?"}]
    )
    yard.jsonl("a.jsonl", [*pairs(40), {"prompt": LEAK, "response": "!"}, b"\xff", *pairs(3)])
    yard.jsonl("b.jsonl", varied(20))
    return yard.mix(
        name="shown",
        card="Made for *testing*.\n",
        sources={
            "a": {"jsonl": "a.jsonl", "max_quarantined": 1, "license": "odc-by", "domain": "math"},
            "b": {"jsonl": "b.jsonl", "license": "CC-BY-NC-4.0", "domain": "a|b <i>"},
        },
        stages=[
            {
                "ngram_decontamination": {
                    "rule": "tulu3",
                    "against": {"e": {"jsonl": str(evals), "question": "question"}},
                }
            },
            {"length_filter": {"max_messages": 99}},
            {"exact_dedup": {"max_removed": 1}},
        ],
        output={"splits": {"validation": 5}},
    )


@pytest.fixture(scope="module")
def card(built: Built) -> str:
    return (built.mixture.folder / "README.md").read_text()


def head(card: str) -> dict[str, Any]:
    values: dict[str, Any] = DatasetCard(card).data.to_dict()
    return values


def line(card: str, first: str) -> list[str]:
    """The cells of the only line of a table that begins so."""
    (found,) = re.findall(rf"^\| {re.escape(first)} \| (.*) \|$", card, re.MULTILINE)
    return [cell.strip() for cell in re.split(r"(?<!\\)\|", found)]


def test_the_head_has_only_keys_that_the_hub_documents(card: str):
    assert head(card).keys() <= DOCUMENTED
    assert head(card)["license"] == ["cc-by-nc-4.0", "odc-by"]
    assert head(card)["size_categories"] == ["n<1K"]
    assert head(card)["tags"] == ["tulu-data", "post-training", "sft"]


def test_what_datasets_reads_is_what_the_head_promises(built: Built, card: str, tmp_path: Path):
    info = head(card)["dataset_info"]
    splits = {split["name"]: split["num_examples"] for split in info["splits"]}
    loaded = datasets.load_dataset(str(built.mixture.folder), cache_dir=str(tmp_path))
    assert (
        {name: split.num_rows for name, split in loaded.items()}
        == splits
        == {"train": splits["train"], "validation": 5}
    )
    assert sum(splits.values()) == built.mixture.manifest["rows"]
    assert loaded["train"].features == datasets.Features._from_yaml_list(info["features"])
    for config in head(card)["configs"][1:]:
        rows = datasets.load_dataset(
            str(built.mixture.folder), config["config_name"], split="train", cache_dir=str(tmp_path)
        )
        assert rows.num_rows > 0, config


def test_every_number_is_that_of_the_manifest(built: Built, card: str):
    rows = built.mixture.rows
    for source, count in rows.items():
        removed = sum(count["removed"].values())
        shown = [count["read"], count["quarantined"], removed, count["kept"], count["written"]]
        (found,) = re.findall(
            rf"^\| `{source}` \| .*$", card.split("## Sources")[1].split("## Stages", maxsplit=1)[0], re.MULTILINE
        )
        assert [int(cell) for cell in re.findall(r" (\d+) (?=\|)", found)] == shown
    duplicates = sum(count["removed"].get("exact_dedup", 0) for count in rows.values())
    assert line(card, "`exact_dedup`")[0] == str(duplicates)
    assert line(card, "`ngram_decontamination`") == ["1", "`a` 1"]
    assert line(card, "`e`") == ["3", "1", "1", "1", "1"]
    assert "| `a` | `e` | 1 | 0 | 1 | 1 |" in card
    assert line(card, "math")[0] == str(rows["a"]["written"])
    assert "- 1 records could not be read" in card
    assert "- 1 evaluation items have too few words to be found." in card


def test_the_strictest_licence_is_said_plainly(card: str):
    assert "The strictest is **cc-by-nc-4.0**, which forbids commercial use (`b`)." in card
    names = [name for demand in DEMANDS for name in demand.names]
    assert len(names) == len(set(names))


def test_prose_is_the_authors_and_all_else_is_escaped(built: Built, card: str):
    assert "# shown\n\nMade for *testing*.\n\nVersion" in card
    assert r"a\|b \<i\>" in card
    assert "<i>" not in card.replace(r"\<i\>", "").split("## Composition")[1]
    assert LEAK[:20] not in card


def test_card_and_croissant_are_pinned_and_other_prose_is_another_version(tmp_path: Path):
    yard = Yard(tmp_path)
    yard.jsonl("a.jsonl", pairs(3))

    def mix(card: str) -> Mixture:
        return yard.mix(sources={"a": {"jsonl": "a.jsonl"}}, card=card).mixture

    first, other = mix("one"), mix("two")
    assert {"README.md", "croissant.json"} <= first.manifest["files"].keys()
    assert first.version != other.version
    assert files_of(first.folder, "data") == files_of(other.folder, "data")
    yard.build(yard.recipe(sources={"a": {"jsonl": "a.jsonl"}}, card="one"))
    assert "license: unknown" in (first.folder / "README.md").read_text()
    assert "was not given: nobody knows" in (first.folder / "README.md").read_text()


def test_croissant_has_the_sums_of_the_files(built: Built):
    described = json.loads((built.mixture.folder / "croissant.json").read_text())
    sums = {file["@id"]: file["sha256"] for file in described["distribution"] if file["@type"] == "cr:FileObject"}
    assert sums == files_of(built.mixture.folder, "data/")
    assert described["license"] == "cc-by-nc-4.0"
    assert "rai:dataCollection" in described


@pytest.mark.filterwarnings("ignore:ConjunctiveGraph is deprecated:DeprecationWarning")
@pytest.mark.filterwarnings("ignore::DeprecationWarning:mlcroissant", "ignore::DeprecationWarning:rdflib")
def test_mlcroissant_takes_the_description(built: Built):
    mlcroissant = pytest.importorskip("mlcroissant", reason="mlcroissant is not installed: pip install mlcroissant")
    described = mlcroissant.Dataset(jsonld=built.mixture.folder / "croissant.json")
    assert described.metadata.ctx.issues.errors == set()
    rows = list(described.records("rows"))
    assert len(rows) == built.mixture.manifest["rows"]


def test_row_groups_and_page_index_are_what_the_viewer_asks_for(built: Built):
    for path in built.mixture.folder.rglob("*.parquet"):
        metadata = pq.read_metadata(path)
        for group in (metadata.row_group(number) for number in range(metadata.num_row_groups)):
            assert group.num_rows <= 20_000
            assert group.total_byte_size <= 100_000_000
            has_index = [group.column(place).has_offset_index for place in range(group.num_columns)]
            assert all(has_index) or group.num_rows == 0
