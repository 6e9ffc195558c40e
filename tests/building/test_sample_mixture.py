"""The mixture of the demo is what it was: what changes in the program alone changes no row of it."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import polars as pl
import pytest

from tulu_data import Mixture, build
from tulu_data.building.run import Folders

pytestmark = pytest.mark.slow

RECIPE = Path(__file__).parents[2] / "recipes/sft_mix.yaml"
ROOT = "81f9616443ccabcb12d60f43c0ad2b3cfe9d5086fa7e34bea8d667059abf76d9"
TABLES = {
    "data": "6fedcfae8f4d76806ee309e60d35fa727866c1592dfe99334f3fe3d36a5752fb",
    "ledger": "fd9164db7d821cc55feb8144b9627c5f586fbee08955f02f3e400affb125449c",
    "evidence": "d39ba6fec1e3d976e3e2583976207b9fab056b7443c1e7681390a060c227d538",
}


@pytest.fixture(scope="module")
def mixture(tmp_path_factory: pytest.TempPathFactory) -> Mixture:
    home = tmp_path_factory.mktemp("demo")
    return build(RECIPE, Folders(home / "mixtures", home / "manifests", home / "workspace")).mixture


def test_the_root_of_the_demo_is_what_it_was(mixture: Mixture):
    assert mixture.manifest["root"] == ROOT


@pytest.mark.parametrize("folder", TABLES)
def test_the_tables_of_the_demo_are_what_they_were(mixture: Mixture, folder: str):
    assert digest(mixture.folder / folder) == TABLES[folder]


def digest(folder: Path) -> str:
    """The sha256 of the rows of all tables in a folder, whatever wrote their bytes."""
    state = hashlib.sha256()
    for path in sorted(folder.glob("*.parquet")):
        frame = pl.read_parquet(path, glob=False)
        state.update(f"{path.name} {frame.columns}\n".encode())
        for row in frame.rows():
            state.update(json.dumps(row).encode())
    return state.hexdigest()
