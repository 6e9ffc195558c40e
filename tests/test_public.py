"""What users import: the names of the package, and their examples, which run."""

from __future__ import annotations

import ast
import itertools
import os
import re
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

import tulu_data
from hub_server import Hub

ROOT = Path(__file__).parents[1]
NAMES = [
    *("Claim", "Decides", "Filter", "Mapper", "Mixture", "Recipe", "Report", "Resolver", "Rows"),
    *("build", "decontaminate", "dedup", "drop", "load", "measure", "plan", "publish", "pull", "rebuild", "verify"),
]
TOKEN = "hf_test_public"
RECIPE = """
name: sft_mix
sources: {chats: {jsonl: chats.jsonl}}
stages: [length_filter]
output: {splits: {validation: 2}}
"""
SCRIPT = """
from pathlib import Path
import polars as pl, pyarrow as pa, pyarrow.compute as pc
import tulu_data
from tulu_data import *
from tulu_data.stages.length_filter import LengthFilter
frame = pl.DataFrame({{"source": ["a"], "median": [3.5]}})
pairs = pl.DataFrame({{"source": ["a"], "twin_source": ["b"], "rows": [3]}})
{prepared}
exec({example!r})
"""


def test_the_names_of_the_package_are_these():
    assert tulu_data.__all__ == NAMES == sorted(tulu_data.DEFINED_IN)
    assert set(NAMES) <= set(dir(tulu_data))
    assert all(getattr(tulu_data, name) is not None for name in NAMES)
    with pytest.raises(AttributeError, match="has no attribute 'nobody'"):
        tulu_data.nobody  # noqa: B018


def test_type_checkers_see_each_name_where_it_is_defined():
    (checked,) = [node for node in ast.parse(Path(tulu_data.__file__).read_text()).body if isinstance(node, ast.If)]
    seen = {name.name: node.module for node in checked.body if isinstance(node, ast.ImportFrom) for name in node.names}
    assert seen == tulu_data.DEFINED_IN


def test_the_package_imports_nothing_before_it_is_asked():
    code = "import sys, tulu_data; print([name for name in sys.modules if name.startswith('tulu_data.')], 'polars' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment())
    assert done.stdout == "[] False\n"


def test_functions_are_functions_whatever_was_imported_before():
    code = "import tulu_data.building.build, tulu_data.verifying.verify; from tulu_data import build, verify; print(callable(build), callable(verify))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment())
    assert done.stdout == "True True\n"


@pytest.mark.parametrize("name", NAMES)
def test_every_name_has_an_example_that_runs(name: str, tmp_path: Path):
    rows = [f'{{"prompt": "What is {number} + {number}?", "response": "It is {2 * number}."}}' for number in range(40)]
    (tmp_path / "chats.jsonl").write_text("\n".join(rows))
    (tmp_path / "recipes").mkdir()
    (tmp_path / "recipes/sft_mix.yaml").write_text(RECIPE)
    (tmp_path / "evals").mkdir()
    (tmp_path / "items.jsonl").write_text('{"question": "Which lamp hangs over the seven tables of the old mill?"}\n')
    for evaluation in ("gsm8k", "math"):
        described = f"{{jsonl: {tmp_path}/items.jsonl, question: question}}\n"
        (tmp_path / f"evals/{evaluation}.yaml").write_text(described)
    example = example_of(name)
    prepared = ""
    if re.search(r"sft_mix|ORG/NAME", example):
        prepared = "mixture = build('recipes/sft_mix.yaml').mixture\n"
    if "ORG/NAME" in example and name != "publish":
        prepared += "publish(mixture, 'ORG/NAME')\n"
    if "3f0c9a7be214" in example:
        prepared += "version = mixture.version\n"
    with Hub(token=TOKEN) as hub:
        code = SCRIPT.format(prepared=prepared, example=example)
        if "3f0c9a7be214" in example:
            code = code.replace(f"exec({example!r})", f"exec({example!r}.replace('3f0c9a7be214', version))")
        done = subprocess.run(
            [sys.executable, "-c", code],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
            env=environment(
                HF_ENDPOINT=hub.endpoint,
                HF_TOKEN=TOKEN,
                HF_HOME=str(tmp_path / "home"),
                HF_HUB_DISABLE_XET="1",
                TULU_DATA_EVALS=str(tmp_path / "evals"),
            ),
        )
    assert done.returncode == 0, done.stderr


def example_of(name: str) -> str:
    """The code in a docstring: what is written after `>>>`, or else the lines that are indented below its first."""
    text = doc_of(name)
    prompted = [line.strip()[4:] for line in text.splitlines() if re.match(r"\s*(>>>|\.\.\.) ", line)]
    if prompted:
        return "\n".join(prompted)
    lines = text.splitlines()[1:]
    start = next((number for number, line in enumerate(lines) if line.startswith("    ")), None)
    assert start is not None, f"{name} has no example: {text}"
    block = itertools.takewhile(lambda line: not line or line.startswith("    "), lines[start:])
    return textwrap.dedent("\n".join(block))


def doc_of(name: str) -> str:
    """The docstring of a name as it is written, without the indentation of what it belongs to."""
    body = ast.parse((ROOT / f"{tulu_data.DEFINED_IN[name].replace('.', '/')}.py").read_text()).body
    for node, after in itertools.pairwise([*body, ast.Pass()]):
        if isinstance(node, ast.ClassDef | ast.FunctionDef) and node.name == name and ast.get_docstring(node):
            first, *lines = (ast.get_docstring(node, clean=False) or "").splitlines()
            return "\n".join([first, *(line.removeprefix("    ") for line in lines)])
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == name:
            assert isinstance(after, ast.Expr)
            return str(ast.literal_eval(after.value))
    raise AssertionError(name)


def environment(**more: str) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT), **more}
