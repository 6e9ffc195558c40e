"""The notebooks run, and what is committed of them is what they show."""

from __future__ import annotations

import ast
import json
import runpy
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

NOTEBOOKS = Path(__file__).parents[1] / "notebooks"
make = runpy.run_path(str(NOTEBOOKS / "make.py"))


@pytest.mark.parametrize("name", make["names"]())
def test_a_notebook_shows_what_is_committed(name: str):
    assert make["notebook"](name) == (NOTEBOOKS / f"{name}.ipynb").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", make["names"]())
def test_a_notebook_has_pictures_and_takes_public_names_alone(name: str):
    tree = ast.parse((NOTEBOOKS / f"{name}.py").read_text(encoding="utf-8"))
    taken = [
        alias.name for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom) for alias in node.names
    ]
    taken += [node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)]
    assert not [one for one in taken if one.startswith("_")]
    cells = json.loads((NOTEBOOKS / f"{name}.ipynb").read_text(encoding="utf-8"))["cells"]
    assert any("image/svg+xml" in output.get("data", {}) for cell in cells for output in cell.get("outputs", ()))
