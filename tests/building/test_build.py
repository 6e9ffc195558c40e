"""A build keeps its promises: exact counts, same bytes, nothing done twice."""

from __future__ import annotations

import hashlib
import itertools
import json
import os
import random
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from conftest import Yard, files_of, pairs, varied
from tulu_data.building import scan, write
from tulu_data.building.build import Built, build
from tulu_data.building.run import Folders
from tulu_data.building.shards import Shard
from tulu_data.errors import ConflictError, FindingsError, InputError, InvariantError, RecipeError, ResourceError
from tulu_data.mixture import merkle
from tulu_data.mixture.explain import Explainer
from tulu_data.mixture.mixture import find
from tulu_data.recipe.reading import read
from tulu_data.rows.identity import row_id
from tulu_data.rows.rows import Rows
from tulu_data.rows.sft import Conversation
from tulu_data.stage import Mapper
from tulu_data.store import parquet
from tulu_data.store.workspace import CachedTable

DEDUP = {"exact_dedup": {"on": "prompt", "normalise": "whitespace", "max_removed": 1}}
LENGTH = {"length_filter": {"max_characters": 60, "max_removed": 1}}


def stamps_of(folder: Path) -> dict[str, tuple[int, int]]:
    """Inode and modification time of every file: what writing again would change."""
    return {str(path): (path.stat().st_ino, path.stat().st_mtime_ns) for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def mixed(yard: Yard) -> Any:
    """A recipe of three files with trouble in them."""
    yard.jsonl("data/a-1.jsonl", varied(300, 1))
    yard.jsonl("data/a-2.jsonl", [*varied(200, 2), b"\xff"])
    yard.jsonl("data/b.jsonl", varied(150, 1))
    sources = {
        "a": {"jsonl": "data/a-*.jsonl", "max_quarantined": 1, "domain": "chat"},
        "b": {"jsonl": "data/b.jsonl", "rows": 120},
    }
    return yard.recipe(sources=sources, stages=[LENGTH, DEDUP], seed=7, output={"shard_rows": 50})


def test_every_row_is_accounted_for(yard: Yard, mixed: Any):
    built = yard.build(mixed)
    ledger = pl.read_parquet(built.mixture.folder / "ledger" / "*.parquet")
    written = pl.read_parquet(built.mixture.folder / "data" / "*.parquet")
    assert built.mixture.rows["a"]["read"] == 501
    assert built.mixture.rows["b"]["read"] == 150
    for source, rows in built.mixture.rows.items():
        assert rows["read"] == rows["quarantined"] + sum(rows["removed"].values()) + rows["kept"]
        fates = Counter(ledger.filter(pl.col("source") == source)["fate"])
        assert fates == {"kept": rows["kept"], **rows["removed"]}
        assert rows["written"] == (written["source"] == source).sum() == rows["kept"]
    assert built.mixture.rows["b"]["removed"]["take"] == 30
    assert sorted(written["id"]) == ledger.filter(pl.col("fate") == "kept")["id"].to_list()
    assert ledger["id"].is_sorted()
    assert ledger["id"].is_unique().all()


def test_every_removal_has_its_evidence(yard: Yard, mixed: Any):
    built = yard.build(mixed)
    ledger = pl.read_parquet(built.mixture.folder / "ledger" / "*.parquet")
    for stage in ("length_filter", "exact_dedup"):
        evidence = pl.read_parquet(built.mixture.evidence[stage])
        assert evidence["id"].to_list() == ledger.filter(pl.col("fate") == stage)["id"].to_list()
    twins = pl.read_parquet(built.mixture.evidence["exact_dedup"])["twin"]
    kept = ledger.filter(pl.col("fate") == "kept")["id"]
    assert twins.is_in(kept.implode()).all()


def test_ids_and_root_can_be_computed_from_the_published_rows(yard: Yard, mixed: Any):
    built = yard.build(mixed)
    rows = pl.read_parquet(built.mixture.folder / "data" / "*.parquet")
    leaves = []
    seen: Counter[tuple[str, bytes]] = Counter()
    for row in rows.sort("id").iter_rows(named=True):
        messages = [{"content": message["content"], "role": message["role"]} for message in row["messages"]]
        text = json.dumps({"messages": messages}, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
        content = hashlib.sha256(text.encode()).digest()
        ids = [row_id(row["source"], content, number).hex() for number in range(501)]
        assert row["id"] in ids
        seen[row["source"], content] += 1
        leaves.append(merkle.leaf(bytes.fromhex(row["id"]), content, 1))
    assert merkle.root(leaves) == built.mixture.manifest["root"]


def test_the_rows_written_are_those_of_a_naive_program(yard: Yard, mixed: Any):
    built = yard.build(mixed)
    written = pl.read_parquet(built.mixture.folder / "data" / "*.parquet")
    prompts = {" ".join(row["messages"][0]["content"].split()) for row in written.iter_rows(named=True)}
    lines = [
        json.loads(line)
        for name in ("a-1", "a-2")
        for line in (yard.root / f"data/{name}.jsonl").read_bytes().split(b"\n")
        if line and line != b"\xff"
    ]
    short = [line for line in lines if len(line["prompt"]) + len(line["response"]) <= 60]
    assert prompts >= {" ".join(line["prompt"].split()) for line in short} - {""}
    compared = [" ".join(row["messages"][0]["content"].split()) for row in written.iter_rows(named=True)]
    assert max(Counter(filter(None, compared)).values()) == 1


def test_a_second_build_changes_nothing_and_says_so_before_any_scan(
    yard: Yard, mixed: Any, monkeypatch: pytest.MonkeyPatch
):
    first = yard.build(mixed)
    before = stamps_of(yard.root)
    monkeypatch.setattr(scan, "what_to_measure", lambda *args: pytest.fail("it scanned"))
    second = yard.build(mixed)
    assert (first.status, second.status) == ("built", "unchanged")
    assert second.mixture.folder == first.mixture.folder
    assert stamps_of(yard.root) == before


def test_a_missing_manifest_copy_and_latest_are_put_back(yard: Yard, mixed: Any):
    built = yard.build(mixed)
    copy = yard.places.manifests / "mix" / f"{built.mixture.version}.json"
    assert copy.read_bytes() == (built.mixture.folder / "manifest.json").read_bytes()
    latest = built.mixture.folder.parent / "LATEST"
    copy.unlink()
    latest.unlink()
    assert yard.build(mixed).status == "unchanged"
    assert copy.is_file()
    assert latest.read_text().strip() == built.mixture.version


def test_sums_hold_for_every_file(yard: Yard, mixed: Any):
    folder = yard.build(mixed).mixture.folder
    done = subprocess.run(
        ["sha256sum", "--check", "--strict", "SHA256SUMS"], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    named = {line.split("  ")[1] for line in (folder / "SHA256SUMS").read_text().splitlines()}
    assert named | {"SHA256SUMS"} == set(files_of(folder))


@pytest.mark.parametrize("shard_rows", [1, 37, 1000, 65_536])
def test_the_size_of_store_shards_changes_no_byte(yard: Yard, mixed: Any, shard_rows: int):
    golden = files_of(yard.build(mixed).mixture.folder)
    other = Folders(yard.root / "other", yard.root / "other-manifests", yard.root / "other-workspace")
    assert files_of(build(mixed, other, shard_rows=shard_rows).mixture.folder) == golden


def test_names_and_order_of_files_change_no_byte(yard: Yard, mixed: Any):
    built = yard.build(mixed)
    golden = files_of(built.mixture.folder)
    (yard.root / "data/a-1.jsonl").rename(yard.root / "data/a-3.jsonl")
    assert yard.build(mixed).status == "unchanged"
    other = Folders(yard.root / "other", yard.root / "other-manifests", yard.root / "other-workspace")
    assert files_of(build(mixed, other).mixture.folder) == golden


def test_rows_shuffled_inside_files_give_the_same_data_and_root(yard: Yard, mixed: Any):
    first = yard.build(mixed)
    for path in (yard.root / "data").iterdir():
        lines = path.read_bytes().splitlines()
        random.Random(3).shuffle(lines)
        path.write_bytes(b"\n".join(lines) + b"\n")
    second = yard.build(mixed)
    assert second.status == "built"
    assert second.mixture.version != first.mixture.version
    assert second.mixture.manifest["root"] == first.mixture.manifest["root"]
    for part in ("data/", "ledger/", "evidence/", "recipe.yaml"):
        assert files_of(second.mixture.folder, part) == files_of(first.mixture.folder, part)


def test_hash_seed_and_time_zone_change_no_byte(yard: Yard, mixed: Any):
    golden = files_of(yard.build(mixed).mixture.folder)
    recipe = yard.write("recipe.yaml", mixed.to_yaml())
    for number, (seed, zone) in enumerate([("0", "UTC"), ("1", "Asia/Kathmandu"), ("4242", "America/Caracas")]):
        out = yard.root / f"out-{number}"
        environment = {**os.environ, "PYTHONHASHSEED": seed, "TZ": zone, "LC_ALL": "C"}
        options = [
            "--out",
            out,
            "--manifests",
            yard.root / f"manifests-{number}",
            "--workspace",
            yard.root / f"workspace-{number}",
        ]
        command = [sys.executable, "-m", "tulu_data", "build", recipe, *options]
        subprocess.run(command, env=environment, check=True, capture_output=True)
        assert files_of(find("mix", out).folder) == golden


def test_a_changed_threshold_reads_no_text_and_scans_nothing(yard: Yard, mixed: Any):
    yard.build(mixed)
    stages = [{"length_filter": {"max_characters": 40, "max_removed": 1}}, DEDUP]
    changed = mixed.model_copy(
        update={"stages": read(json.dumps({"name": "x", "sources": {"a": {"jsonl": "x"}}, "stages": stages})).stages}
    )
    units = yard.build(changed).mixture.run()["units"]
    assert units["done"]["ingest"] == 0
    assert units["done"]["scan"] == 0
    assert units["found"]["scan"] == 6


def test_an_edited_recipe_scans_only_what_changed(yard: Yard, mixed: Any):
    yard.build(mixed)
    yard.jsonl("data/b.jsonl", varied(151, 9))
    units = yard.build(mixed).mixture.run()["units"]
    assert units["done"] == {"ingest": 1, "scan": 2, "write": units["done"]["write"]}
    assert units["found"]["ingest"] == 2


def test_what_a_filter_would_remove_alone_is_counted(yard: Yard):
    yard.jsonl("a.jsonl", [{"prompt": "x" * 100, "response": "y"}, *pairs(3), {"prompt": "x", "response": "y"}])
    first = {"length_filter": {"max_characters": 50}}
    second = {"length_filter": {"max_characters": 15}}
    stages = yard.mix(
        sources={"a": {"jsonl": "a.jsonl"}},
        stages=[first, {"length_filter": {**second["length_filter"], "max_removed": 1}}],
    )
    alone = {stage["name"]: stage["would_remove_alone"] for stage in stages.mixture.manifest["stages"]}
    assert alone == {"length_filter": {"a": 1}, "length_filter-2": {"a": 4}}
    assert stages.mixture.rows["a"]["removed"] == {"length_filter": 1, "length_filter-2": 3}


def test_a_stage_judges_only_the_sources_it_names(yard: Yard):
    yard.jsonl("a.jsonl", pairs(4))
    yard.jsonl("b.jsonl", pairs(4))
    sources = {"alpha": {"jsonl": "a.jsonl"}, "beta": {"jsonl": "b.jsonl"}}
    options = {"sources": ["be*"], "max_characters": 1, "max_removed": 1}
    built = yard.mix(sources=sources, stages=[{"length_filter": options}, {"exact_dedup": {"sources": "alpha"}}])
    assert built.mixture.rows["alpha"]["removed"] == {}
    assert built.mixture.rows["beta"]["removed"] == {"length_filter": 4}


def test_the_tripwire_stops_with_examples(yard: Yard):
    yard.jsonl("a.jsonl", pairs(8))
    with pytest.raises(FindingsError) as caught:
        yard.mix(sources={"a": {"jsonl": "a.jsonl"}}, stages=[{"length_filter": {"max_characters": 1}}])
    message = str(caught.value)
    assert caught.value.exit_code == 4
    assert message.startswith(
        "stages.length_filter: removes 8 of 8 rows of a (100.0%), and max_removed is 0.5; "
        "if that is right, say so in the stage: max_removed: {a: 1}\n"
    )
    assert len(message.splitlines()) == 4
    assert re.search(r"too many characters, measured \d+, limit 1: What is ", message)
    assert not list((yard.root / "mixtures/mix").glob("[!.]*"))


def test_the_tripwire_counts_the_rows_that_are_alive_at_its_turn(yard: Yard):
    yard.jsonl("a.jsonl", [*pairs(8), *({"prompt": "x" * 99, "response": "y"} for _ in range(8))])
    stages = [{"length_filter": {"max_characters": 90}}, {"exact_dedup": {"max_removed": 0}}]
    assert yard.mix(sources={"a": {"jsonl": "a.jsonl"}}, stages=stages).mixture.rows["a"]["removed"] == {
        "length_filter": 8
    }


def taken(built: Built) -> set[str]:
    return set(pl.read_parquet(built.mixture.folder / "data" / "*.parquet")["id"])


def test_rows_and_fractions_are_exact_and_nest(yard: Yard):
    yard.jsonl("a.jsonl", pairs(101))
    sizes = {}
    for amount in ({"rows": 10}, {"rows": 40}, {"fraction": "0.5"}, {"fraction": 1}, {}):
        sizes[json.dumps(amount)] = taken(yard.mix(sources={"a": {"jsonl": "a.jsonl", **amount}}, seed=3))
    assert [len(ids) for ids in sizes.values()] == [10, 40, 51, 101, 101]
    ordered = list(sizes.values())
    assert all(small <= large for small, large in itertools.pairwise(ordered))
    other = taken(yard.mix(sources={"a": {"jsonl": "a.jsonl", "rows": 40}}, seed=4))
    assert other != ordered[1]


def test_more_rows_than_there_are_is_an_error(yard: Yard):
    yard.jsonl("a.jsonl", pairs(3))
    with pytest.raises(InputError, match=r"sources\.a: rows: 4 asked, and it offers 3; lower the number"):
        yard.mix(sources={"a": {"jsonl": "a.jsonl", "rows": 4}})


def test_equal_rows_of_one_source_have_ids_of_their_own(yard: Yard):
    yard.jsonl("a.jsonl", pairs(2) * 3)
    yard.jsonl("b.jsonl", pairs(2))
    built = yard.mix(sources={"a": {"jsonl": ["a.jsonl"][0]}, "b": {"jsonl": "b.jsonl"}})
    assert len(taken(built)) == 8


def test_the_same_file_twice_is_read_twice(yard: Yard):
    yard.jsonl("a-1.jsonl", pairs(3))
    yard.jsonl("a-2.jsonl", pairs(3))
    built = yard.mix(sources={"a": {"jsonl": "a-*.jsonl"}}, stages=[DEDUP])
    assert built.mixture.rows["a"] == {
        "read": 6,
        "quarantined": 0,
        "removed": {"exact_dedup": 3},
        "kept": 3,
        "written": 3,
    }
    assert built.mixture.manifest["sources"]["a"]["inputs"][0]["files"] == 2
    found = Explainer(built.mixture).by_text("What is 1 + 1?")
    assert sorted(row.fate for row in found) == ["exact_dedup", "kept"]


@given(st.lists(st.integers(0, 30), min_size=1, max_size=60), st.integers(1, 7), st.booleans())
def test_the_layout_of_the_output_holds_every_row_once(
    tmp_path_factory: Any, numbers: list[int], shard_rows: int, is_shuffled: bool
):
    yard = Yard(tmp_path_factory.mktemp("layout"))
    yard.jsonl("a.jsonl", [{"prompt": f"q{number}", "response": "r"} for number in numbers])
    built = yard.mix(sources={"a": {"jsonl": "a.jsonl"}}, output={"shard_rows": shard_rows, "shuffle": is_shuffled})
    tables = [pq.read_table(path, partitioning=None) for path in built.mixture.data]
    assert [len(table) for table in tables[:-1]] == [shard_rows] * (len(tables) - 1)
    prompts = [messages[0]["content"] for table in tables for messages in table["messages"].to_pylist()]
    assert sorted(prompts) == sorted(f"q{number}" for number in numbers)
    ids = [id for table in tables for id in table["id"].to_pylist()]
    assert is_shuffled or ids == sorted(ids)


def test_splits_are_held_out_by_keyed_hash_and_nest(yard: Yard):
    yard.jsonl("a.jsonl", pairs(40))
    held = []
    for count in (3, 9):
        built = yard.mix(
            sources={"a": {"jsonl": "a.jsonl"}}, output={"shard_rows": 5, "splits": {"validation": count, "test": 2}}
        )
        parts = {
            split: [
                id
                for path in sorted(built.mixture.folder.glob(f"data/{split}-*"))
                for id in pl.read_parquet(path)["id"]
            ]
            for split in ("validation", "test", "train")
        }
        assert [len(ids) for ids in parts.values()] == [count, 2, 38 - count]
        assert len({id for ids in parts.values() for id in ids}) == 40
        held.append(set(parts["validation"]))
    assert held[0] < held[1]
    with pytest.raises(InputError, match=r"output\.splits: 41 rows are to be held out, and 40 are kept"):
        yard.mix(sources={"a": {"jsonl": "a.jsonl"}}, output={"splits": {"validation": 41}})
    with pytest.raises(RecipeError, match="'train' is what is left; name the splits that are held out"):
        yard.recipe(sources={"a": {"jsonl": "a.jsonl"}}, output={"splits": {"train": 41}})


def test_all_copies_of_a_row_are_in_one_split(yard: Yard):
    yard.jsonl("a.jsonl", pairs(10))
    stages = [{"weighted_mix": {"rows": 25, "max_repeat": 3}}]
    built = yard.mix(sources={"a": {"jsonl": "a.jsonl"}}, stages=stages, output={"splits": {"test": 4}})
    test, train = (pl.read_parquet(path)["id"].str.split("-").list.first() for path in built.mixture.data)
    assert not set(test) & set(train)
    assert len(set(test)) == 4
    assert len(test) + len(train) == 25


def test_columns_of_tools_are_there_only_when_a_kept_row_has_them(yard: Yard):
    turns = [{"role": "user", "content": "time?"}, {"role": "assistant", "content": "", "tool_calls": [{"id": "1"}]}]
    yard.jsonl("a.jsonl", [{"messages": turns}])
    yard.jsonl("b.jsonl", pairs(2))
    sources = {"a": {"jsonl": "a.jsonl"}, "b": {"jsonl": "b.jsonl"}}
    columns = pq.read_schema(yard.mix(sources=sources).mixture.data[0]).names
    assert columns == ["id", "messages", "tool_calls", "source", "domain", "language", "tokens"]
    stages = [{"length_filter": {"sources": "a", "min_characters": 99, "max_removed": 1}}]
    columns = pq.read_schema(yard.mix(sources=sources, stages=stages).mixture.data[0]).names
    assert columns == ["id", "messages", "source", "domain", "language", "tokens"]


def test_a_trial_takes_the_first_rows_and_leaves_no_record(yard: Yard, mixed: Any):
    full = yard.build(mixed.model_copy(update={"sources": {"a": mixed.sources["a"]}}))
    trial = yard.build(mixed.model_copy(update={"sources": {"a": mixed.sources["a"]}}), limit=20)
    assert trial.mixture.version.startswith("trial-")
    assert trial.mixture.rows["a"]["read"] == 20
    assert trial.mixture.manifest["trial"] == {"rows_of_each_source": 20}
    assert find("mix", yard.places.out).version == full.mixture.version
    assert [path.stem for path in (yard.places.manifests / "mix").iterdir()] == [full.mixture.version]


def test_a_named_version_is_never_given_twice(yard: Yard):
    yard.jsonl("a.jsonl", pairs(4))
    parts: dict[str, Any] = {"sources": {"a": {"jsonl": "a.jsonl"}}, "version": "1.10"}
    assert yard.mix(**parts).mixture.folder.name == "1.10"
    assert yard.mix(**parts).status == "unchanged"
    with pytest.raises(ConflictError, match=r"version 1\.10 was made with another recipe; name a new version"):
        yard.mix(**parts, seed=2)
    yard.jsonl("a.jsonl", pairs(5))
    with pytest.raises(ConflictError, match=r"version 1\.10 was made with other inputs"):
        yard.mix(**parts)


def test_other_code_with_the_same_rows_keeps_the_version_and_says_so(yard: Yard, monkeypatch: pytest.MonkeyPatch):
    yard.jsonl("a.jsonl", pairs(4))
    parts: dict[str, Any] = {"sources": {"a": {"jsonl": "a.jsonl"}}, "version": "v1"}
    before = files_of(yard.mix(**parts).mixture.folder)
    monkeypatch.setattr("tulu_data.building.manifest.versions", lambda: {"pyarrow": "999"})
    again = yard.mix(**parts)
    assert (again.status, again.why) == ("unchanged", "other code or libraries, the same rows")
    assert files_of(again.mixture.folder) == before
    monkeypatch.setattr(scan, "what_to_measure", lambda *args: pytest.fail("it scanned"))
    assert yard.mix(**parts).status == "unchanged"


def test_other_code_with_other_rows_is_a_conflict(yard: Yard, monkeypatch: pytest.MonkeyPatch):
    yard.jsonl("a.jsonl", pairs(4))
    parts: dict[str, Any] = {"sources": {"a": {"jsonl": "a.jsonl"}}, "version": "v1"}
    before = files_of(yard.mix(**parts).mixture.folder)
    monkeypatch.setattr("tulu_data.building.manifest.versions", lambda: {"pyarrow": "999"})
    monkeypatch.setattr("tulu_data.building.manifest.logical_root", lambda decision: "0" * 64)
    with pytest.raises(ConflictError, match="version v1 was made by other code or libraries, and its rows differ now"):
        yard.mix(**parts)
    assert files_of(find("mix", yard.places.out).folder) == before


def test_a_measure_that_differs_on_a_second_look_is_a_bug(yard: Yard, monkeypatch: pytest.MonkeyPatch):
    from tulu_data.stages.length_filter import LengthFilter

    yard.jsonl("a.jsonl", pairs(4))
    parts: dict[str, Any] = {"sources": {"a": {"jsonl": "a.jsonl"}}}
    yard.mix(**parts, stages=[{"length_filter": {"max_characters": 90}}])
    original = LengthFilter.measure

    def shifted(self: LengthFilter, rows: Rows) -> pl.DataFrame:
        return original(self, rows) + 1

    # By where it is defined a measure is known; this one depends on something else.
    shifted.__module__ = original.__module__
    monkeypatch.setattr(LengthFilter, "measure", shifted)
    with pytest.raises(InvariantError, match=r"stage length_filter: measured shard 0 of file .* again, and it differs"):
        yard.mix(**parts, stages=[{"length_filter": {"max_characters": 91}}])


@pytest.mark.parametrize("part", ["store", "measures"])
def test_a_damaged_table_of_the_workspace_is_made_again(yard: Yard, mixed: Any, part: str):
    golden = files_of(yard.build(mixed).mixture.folder)
    damaged = sorted((yard.places.workspace / part).rglob("*.parquet"))
    for path in damaged:
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 1
        path.write_bytes(content)
        assert CachedTable(path).note() is None
    other = Folders(yard.root / "other", yard.root / "other-manifests", yard.places.workspace)
    built = build(mixed, other)
    assert files_of(built.mixture.folder) == golden
    assert built.mixture.run()["units"]["done"]["ingest" if part == "store" else "scan"] == len(damaged)


def test_a_store_that_changes_between_scan_and_write_is_a_bug(yard: Yard, monkeypatch: pytest.MonkeyPatch):
    yard.jsonl("a.jsonl", pairs(4))
    original = write.batches

    def reversing(shard: Shard, columns: list[str]) -> Iterator[Rows]:
        for rows in original(shard, columns):
            yield rows.take(range(len(rows) - 1, -1, -1))

    monkeypatch.setattr(write, "batches", reversing)
    with pytest.raises(InvariantError, match="holds other rows than were judged"):
        yard.mix(sources={"a": {"jsonl": "a.jsonl"}})


def test_what_a_dead_worker_had_begun_is_not_published(yard: Yard, monkeypatch: pytest.MonkeyPatch):
    yard.jsonl("a.jsonl", pairs(4))
    original = parquet.write

    def dying_first(target: Path, rows: pa.Table, *options: Any) -> None:
        if target.parent.name == "data":
            target.with_name(f"{target.name}.1-1.tmp").write_bytes(b"half")
        original(target, rows, *options)

    monkeypatch.setattr(parquet, "write", dying_first)
    built = yard.mix(sources={"a": {"jsonl": "a.jsonl"}})
    assert sorted(path.name for path in (built.mixture.folder / "data").iterdir()) == ["train-00000-of-00001.parquet"]
    assert sum(name.startswith("data/") for name in built.mixture.manifest["files"]) == 1


class Redacting(Mapper):
    """Replace a word. Defined here, so that rewriting has a stage to be tested with.

    - redacting: {word: secret}
    """

    word: str = "secret"

    def map(self, rows: Rows) -> Rows:
        lists = rows.column("messages").to_pylist()
        return Rows.of(
            Conversation([(message["role"], message["content"].replace(self.word, "‹word›")) for message in messages])
            for messages in lists
        )


def test_what_a_mapper_removes_never_reaches_the_disk(yard: Yard):
    canary = "canary-7f3a91"
    yard.jsonl("data/a.jsonl", [{"prompt": f"say {canary}", "response": "no"}, *pairs(3)])
    recipe = yard.recipe(sources={"a": {"jsonl": "data/a.jsonl"}}, stages=["exact_dedup"])
    recipe = recipe.model_copy(update={"stages": (Redacting(word=canary), *recipe.stages)})
    folder = yard.build(recipe).mixture.folder
    prompts = [
        row["messages"][0]["content"] for row in pl.read_parquet(folder / "data/*.parquet").iter_rows(named=True)
    ]
    assert "say ‹word›" in prompts
    for path in yard.root.rglob("*.parquet"):
        frame = pl.read_parquet(path)
        assert canary not in str(frame.to_dicts())


def test_memory_that_does_not_suffice_is_refused_before_the_scan(
    yard: Yard, mixed: Any, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(scan, "what_to_measure", lambda *args: pytest.fail("it scanned"))
    with pytest.raises(ResourceError, match=r"deciding on 650 rows needs about .* and --memory is") as caught:
        yard.build(mixed, memory=100_000)
    assert caught.value.exit_code == 6


def test_trusted_times_spare_the_hashing_and_hashing_does_not_trust_them(yard: Yard, monkeypatch: pytest.MonkeyPatch):
    path = yard.jsonl("a.jsonl", pairs(4))
    recipe = yard.recipe(sources={"a": {"jsonl": "a.jsonl"}})
    yard.build(recipe)
    status = path.stat()
    path.write_bytes(path.read_bytes().replace(b"What", b"Whet"))
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert yard.build(recipe, trust_mtime=True).status == "unchanged"
    assert yard.build(recipe).status == "built"


def test_trainers_and_data_frames_read_the_same_rows(yard: Yard, mixed: Any, monkeypatch: pytest.MonkeyPatch):
    import warnings

    import duckdb

    built = yard.build(mixed)
    pattern = str(built.mixture.folder / "data" / "*.parquet")
    frame = pl.read_parquet(pattern)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import datasets

        loaded = datasets.load_dataset(str(built.mixture.folder), split="train", cache_dir=str(yard.root / "cache"))
    assert loaded.to_list() == frame.to_dicts()
    with duckdb.connect() as connection:
        columns = [column[0] for column in connection.execute(f"select * from '{pattern}'").description or []]
        rows = connection.execute(f"select * from '{pattern}'").fetchall()
    assert [dict(zip(columns, row, strict=True)) for row in rows] == frame.to_dicts()


def test_what_this_program_writes_it_reads_back_with_calls_and_tools(yard: Yard):
    call = {"id": "1", "function": {"name": "now", "arguments": "{}"}}
    turns = [
        {"role": "user", "content": "time?"},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "content": "noon", "tool_call_id": "1"},
        {"role": "assistant", "content": "Noon."},
    ]
    yard.jsonl("a.jsonl", [{"messages": turns, "tools": [{"name": "now"}], "system": "Be brief."}])
    first = yard.mix(sources={"a": {"jsonl": "a.jsonl"}})
    data = first.mixture.folder.relative_to(yard.root) / "data/*.parquet"
    again = yard.mix(name="again", sources={"a": {"parquet": str(data)}})
    assert again.mixture.manifest["root"] == first.mixture.manifest["root"]
    row = pl.read_parquet(again.mixture.data[0]).row(0, named=True)
    assert row["messages"][0] == {"role": "system", "content": "Be brief."}
    assert json.loads(row["tool_calls"])[2] == {"tool_calls": [call]}


def test_a_trial_takes_what_there_is_and_trips_no_wire(yard: Yard):
    yard.jsonl("a.jsonl", pairs(50))
    stages = [{"length_filter": {"max_characters": 22}}]
    recipe = yard.recipe(sources={"a": {"jsonl": "a.jsonl", "rows": 40}}, stages=stages)
    with pytest.raises(FindingsError):
        yard.build(recipe)
    assert yard.build(recipe, limit=12).mixture.rows["a"]["kept"] >= 1


def test_a_mixture_without_rows_is_refused(yard: Yard):
    yard.jsonl("a.jsonl", pairs(100))
    with pytest.raises(InputError, match=r"sources\.a: fraction: 0\.004 of 100 rows is none; raise it"):
        yard.mix(sources={"a": {"jsonl": "a.jsonl", "fraction": "0.004"}})
    with pytest.raises(
        FindingsError, match="no row is left of 100: length_filter removed 100; a mixture has at least one"
    ):
        yard.mix(
            sources={"a": {"jsonl": "a.jsonl"}}, stages=[{"length_filter": {"max_characters": 1, "max_removed": 1}}]
        )


def test_a_version_that_lost_a_file_is_not_unchanged(yard: Yard):
    yard.jsonl("a.jsonl", pairs(4))
    built = yard.mix(sources={"a": {"jsonl": "a.jsonl"}})
    built.mixture.data[0].unlink()
    with pytest.raises(
        ConflictError, match=r"data/train-00000-of-00001\.parquet: is missing; this version is damaged: remove"
    ):
        yard.mix(sources={"a": {"jsonl": "a.jsonl"}})
    (built.mixture.folder / "manifest.json").write_text("{")
    with pytest.raises(ConflictError, match=r"manifest\.json: can't be read .*; this version is damaged: remove"):
        yard.mix(sources={"a": {"jsonl": "a.jsonl"}})


def test_all_sources_with_bad_records_are_told_at_once(yard: Yard):
    for name in "ab":
        yard.jsonl(f"{name}.jsonl", [*pairs(3), b"\xff"])
    with pytest.raises(InputError) as caught:
        yard.mix(sources={"a": {"jsonl": "a.jsonl"}, "b": {"jsonl": "b.jsonl"}})
    assert [line for line in str(caught.value).splitlines() if line.startswith("sources.")] == [
        "sources.a: 1 record can't become rows, and max_quarantined is 0:",
        "sources.b: 1 record can't become rows, and max_quarantined is 0:",
    ]


def test_an_exception_in_a_stage_names_the_stage_and_its_line(yard: Yard, monkeypatch: pytest.MonkeyPatch):
    yard.jsonl("a.jsonl", pairs(3))
    recipe = yard.recipe(sources={"a": {"jsonl": "a.jsonl"}})
    recipe = recipe.model_copy(update={"stages": (Boom(),)})
    with pytest.raises(InvariantError, match=r"stage boom: .*test_build\.py:\d+: ValueError: no luck"):
        yard.build(recipe)


class Boom(Mapper):
    """A stage that fails.

    - boom: {}
    """

    def map(self, rows: Rows) -> Rows:
        raise ValueError("no luck")


def test_a_file_under_two_names_is_read_once(yard: Yard):
    yard.jsonl("d/a.jsonl", pairs(3))
    root = yard.root
    recipe = read(
        json.dumps({"name": "mix", "sources": {"a": {"jsonl": [f"{root}/d/a.jsonl", f"{root}/d/../d/a.jsonl"]}}})
    )
    assert yard.build(recipe).mixture.rows["a"]["read"] == 3


def stopped(*_: object) -> None:
    raise KeyboardInterrupt


def test_what_a_stopped_build_drew_is_drawn_again_whatever_it_was(yard: Yard, monkeypatch: pytest.MonkeyPatch):
    yard.jsonl("a.jsonl", pairs(9))
    parts: dict[str, Any] = {"sources": {"a": {"jsonl": "a.jsonl"}}, "stages": ["exact_dedup"]}
    whole = yard.mix(**parts).mixture.folder
    golden = files_of(whole)
    shutil.rmtree(whole.parent)
    with monkeypatch.context() as patch:
        patch.setattr("tulu_data.building.manifest.seal", stopped)
        with pytest.raises(KeyboardInterrupt):
            yard.mix(**parts)
    for name in ("README.md", "report.html", "croissant.json"):
        (left,) = whole.parent.rglob(name)
        left.write_text("of other code")
    assert files_of(yard.mix(**parts).mixture.folder) == golden
