"""Whatever is changed in a mixture, `verify` finds it, and changes nothing itself."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from conftest import Yard, files_of, pairs, varied
from tulu_data import manifest, table
from tulu_data.build import Built
from tulu_data.verify import Verification


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    yard = Yard(tmp_path_factory.mktemp("verified"))
    turns = [{"role": "user", "content": "t"}, {"role": "assistant", "content": None, "tool_calls": [{"id": "1"}]}]
    yard.jsonl("a.jsonl", [*varied(120), b"\xff", *pairs(3) * 2])
    yard.jsonl("b.jsonl", [{"messages": turns}])
    return yard.mix(
        sources={"a": {"jsonl": "a.jsonl", "max_quarantined": 1, "rows": 110}, "b": {"jsonl": "b.jsonl"}},
        stages=[
            {"length_filter": {"max_characters": 60}},
            {"exact_dedup": {"max_removed": 1}},
            {"weighted_mix": {"weights": {"a": 20, "b": 1}, "max_repeat": 4, "rows": 80, "max_removed": 1}},
        ],
        output={"shard_rows": 30, "splits": {"test": 5}},
    )


@pytest.fixture
def folder(built: Built, tmp_path: Path) -> Path:
    copy = tmp_path / "copy"
    shutil.copytree(built.mixture.folder, copy)
    return copy


def test_a_mixture_as_it_was_built_holds_and_is_not_touched(built: Built):
    before = files_of(built.mixture.folder)
    verification = Verification(built.mixture.folder).run()
    assert [check.wrong for check in verification.checks] == [""] * 7
    assert files_of(built.mixture.folder) == before


def resign(folder: Path, change: Callable[[dict[str, Any]], None] = lambda facts: None) -> None:
    """Make the manifest and the sums fit the files again, as a forger would."""
    facts = json.loads((folder / "manifest.json").read_text())
    names = {str(path.relative_to(folder)): path for path in folder.rglob("*") if path.is_file()}
    facts["files"] = {
        name: {"sha256": hashlib.sha256(path.read_bytes()).hexdigest(), "bytes": path.stat().st_size}
        for name, path in names.items()
        if name not in ("manifest.json", "SHA256SUMS")
    }
    change(facts)
    manifest.seal(folder, facts)


def edit(path: Path, change: Callable[[pa.Table], pa.Table]) -> None:
    table.write(path, change(pq.read_table(path, partitioning=None)))


def flip(folder: Path) -> None:
    path = min(folder.glob("data/*"))
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def count(facts: dict[str, Any]) -> None:
    facts["sources"]["a"]["kept"] += 1


def swap(folder: Path) -> None:
    facts = json.loads((folder / "manifest.json").read_text())
    facts["root"] = "0" * 64
    manifest.seal(folder, facts)


def forge_row(folder: Path) -> None:
    path = min(folder.glob("data/train*"))
    edit(path, lambda rows: rows.set_column(rows.schema.get_field_index("source"), "source", pa.repeat("b", len(rows))))
    resign(folder)


def drop_row(folder: Path) -> None:
    edit(min(folder.glob("data/train*")), lambda rows: rows.slice(1))
    resign(folder, lambda facts: facts["sources"]["a"].update(written=facts["sources"]["a"]["written"] - 1))


@pytest.mark.parametrize(
    ("damage", "wrong"),
    [
        (flip, r"data/.*: has another sha256 than the manifest says"),
        (lambda folder: (flip(folder), resign(folder)), r"CRC|Error"),
        (lambda folder: min(folder.glob("data/*")).unlink(), r"data/test-.*: is missing"),
        (
            lambda folder: (folder / "data/extra.parquet").write_bytes(b""),
            r"data/extra\.parquet: is not in the manifest",
        ),
        (lambda folder: resign(folder, count), r"a: the manifest says kept \d+, the tables say \d+"),
        (
            lambda folder: (edit(folder / "evidence/exact_dedup.parquet", lambda rows: rows.slice(1)), resign(folder)),
            r"evidence/exact_dedup\.parquet: its rows are not those that exact_dedup removed",
        ),
        (
            lambda folder: ((folder / "evidence/length_filter.parquet").unlink(), resign(folder)),
            r"evidence/length_filter\.parquet: is missing",
        ),
        (swap, r"the root of the rows is not the manifest's"),
        (forge_row, r"a: the manifest says written|its id is not that of its content"),
        (drop_row, r"rows are written, the ledger says"),
        (lambda folder: (folder / "SHA256SUMS").write_text(""), r"SHA256SUMS: \S+ has the sum None"),
        (lambda folder: (folder / "manifest.json").write_text("[]"), r"manifest\.json: is no 'tulu-data manifest 1'"),
        (lambda folder: (folder / "manifest.json").write_text("{"), r"JSONDecodeError"),
        (lambda folder: (folder / "data/link").symlink_to("/etc/passwd"), r"data/link: is a link"),
        (
            lambda folder: (
                edit(folder / "ledger/ledger.parquet", lambda rows: rows.take(list(range(len(rows)))[::-1])),
                resign(folder),
            ),
            r"ledger/: its ids are not sorted",
        ),
    ],
)
def test_what_was_changed_is_found(folder: Path, damage: Callable[[Path], object], wrong: str):
    damage(folder)
    before = files_of(folder)
    verification = Verification(folder).run()
    assert not verification.holds
    failed = [check.wrong for check in verification.checks if not check.holds]
    assert len(failed) == 1
    assert pl.Series(failed).str.contains(wrong).all(), failed
    assert files_of(folder) == before
