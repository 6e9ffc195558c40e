"""A stored result is used again only as long as the code that made it is the same."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tulu_data.store.code_id import _closure, code_id


def identity(folder: Path, *requires: str) -> str:
    script = f"from tulu_data.store.code_id import code_id; print(code_id(('shop.stage',), {requires!r}))"
    root = Path(__file__).parents[2]
    environment = {"PYTHONPATH": f"{root}:{folder}"}
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, env=environment)
    return done.stdout.strip()


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A package: a stage that imports a module, that imports another inside a function."""
    package = tmp_path / "shop"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "stage.py").write_text("import json\nfrom shop.near import f\nfrom tulu_data.rows.rows import Rows\n")
    (package / "near.py").write_text("def f():\n    from .far import g\n    return g()\n")
    (package / "far.py").write_text("def g():\n    return 1\n")
    (package / "unused.py").write_text("x = 1\n")
    return tmp_path


@pytest.mark.parametrize(("module", "changes"), [("stage", True), ("near", True), ("far", True), ("unused", False)])
def test_code_that_is_imported_counts_and_other_code_does_not(shop: Path, module: str, changes: bool):
    before = identity(shop)
    path = shop / "shop" / f"{module}.py"
    path.write_text(path.read_text() + "# changed\n")
    assert (identity(shop) != before) == changes


def test_versions_of_libraries_count_where_a_stage_requires_them(shop: Path):
    assert identity(shop) != identity(shop, "polars")


def test_a_stage_counts_what_it_stands_on_and_not_the_command_line():
    closure = _closure(["tulu_data.stages.exact_dedup"])
    assert {"tulu_data.rows.rows", "tulu_data.stage", "tulu_data.verdicts", "tulu_data.errors"} <= closure
    assert not {"tulu_data.cli.cli", "tulu_data.cli.console", "tulu_data.stages.length_filter"} & closure
    assert len(code_id(("tulu_data.stages.exact_dedup",))) == 64


def test_no_module_is_imported_for_its_name(shop: Path):
    script = (
        "import sys; from tulu_data.store.code_id import code_id; code_id(('shop.stage', 'tulu_data.stages.exact_dedup'));"
        "print([name for name in sys.modules if name == 'numba' or name.startswith('shop')])"
    )
    environment = {"PYTHONPATH": f"{Path(__file__).parents[2]}:{shop}"}
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, env=environment)
    assert done.stdout == "[]\n"
