"""The commands of docs/verify-by-hand.md hold for a mixture, and tell where one was changed."""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from conftest import Yard, pairs, varied
from pages import blocks

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
COMMANDS = blocks(ROOT / "docs/verify-by-hand.md", "sh")
EXPECTED = ["", "", "", "true\n", "", "", "", "1\n"]
# The DuckDB of Python answers as the program does, for those who have no other.
DUCKDB = f"""#!{sys.executable}
import json, sys, duckdb
rows = duckdb.sql(sys.argv[-1])
if "-json" in sys.argv:
    names = rows.columns
    print(json.dumps([dict(zip(names, row)) for row in rows.fetchall()], ensure_ascii=False))
else:
    for row in rows.fetchall():
        print(",".join(map(str, row)))
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    if not (shutil.which("jq") and shutil.which("sha256sum")):
        pytest.skip("jq and sha256sum are not here; install them")
    yard = Yard(tmp_path)
    yard.jsonl("a.jsonl", [*varied(60), b"\xff", *pairs(5) * 2])
    yard.jsonl("b.jsonl", pairs(9, 50))
    built = yard.mix(
        sources={"a": {"jsonl": "a.jsonl", "max_quarantined": 1}, "b": {"jsonl": "b.jsonl", "rows": 7}},
        stages=[
            {"length_filter": {"max_characters": 60}},
            {"exact_dedup": {"max_removed": 1}},
            {"weighted_mix": {"weights": {"a": 1, "b": 1}, "rows": 20, "max_repeat": 4, "max_removed": 1}},
        ],
        output={"shard_rows": 10},
    )
    return built.mixture.folder


def run(command: str, folder: Path) -> str:
    program = folder.parents[2] / "bin/duckdb"
    program.parent.mkdir(exist_ok=True)
    program.write_text(DUCKDB)
    program.chmod(program.stat().st_mode | stat.S_IEXEC)
    path = f"{program.parent}:{os.environ['PATH']}"
    room = {"PATH": path, "TMPDIR": str(program.parent)}
    done = subprocess.run(
        ["bash", "-c", command], cwd=folder, env={**os.environ, **room}, capture_output=True, text=True, check=False
    )
    return done.stdout + done.stderr


def test_every_command_holds(folder: Path):
    assert [run(command, folder) for command in COMMANDS] == EXPECTED


def test_they_tell_what_was_changed(folder: Path):
    facts = json.loads((folder / "manifest.json").read_text())
    facts["sources"]["a"]["kept"] += 1
    (folder / "manifest.json").write_text(json.dumps(facts))
    ledger = folder / "ledger/ledger.parquet"
    pl.read_parquet(ledger).with_columns(
        copies=pl.when(pl.col("fate") == "kept").then(9).otherwise("copies")
    ).write_parquet(ledger)
    evidence = folder / "evidence/exact_dedup.parquet"
    pl.read_parquet(evidence).slice(1).write_parquet(evidence)
    data = min(folder.glob("data/*"))
    pl.read_parquet(data).with_columns(source=pl.lit("c")).write_parquet(data)
    for path in folder.glob("data/*"):
        pl.read_parquet(path).with_columns(source=pl.lit("c")).write_parquet(path)
    (folder / "more.txt").write_text("")
    told = [run(command, folder) for command in COMMANDS]
    assert all(told[place] != EXPECTED[place] for place in range(len(EXPECTED))), told
