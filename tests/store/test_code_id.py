"""A stored result is used again only as long as the code that made it is the same."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tulu_data import DEFINED_IN, stages
from tulu_data.store.code_id import _closure


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


ROWS = "characters errors rows rows.calls rows.kind rows.messages rows.rows store.keys"
STAGE = f"{ROWS} claims options reports stage store.patterns verdicts"
COMPARING = f"{STAGE} rows.on"
WORDS = "kernels.characters kernels.compiled kernels.hashes kernels.notation kernels.unicode kernels.vocabulary kernels.words"
MEASURED_IN = {
    "domain": f"{COMPARING} stages.domain text.code_lines text.domains text.expressions",
    "exact_dedup": f"{COMPARING} stages.exact_dedup",
    "language": f"{COMPARING} text.language_id text.languages",
    "language_filter": f"{COMPARING} text.language_id text.languages",
    "length_filter": f"{COMPARING} stages.length_filter",
    "minhash_dedup": f"{COMPARING} {WORDS} kernels.jaccard kernels.minhash kernels.shingles stages.minhash_dedup",
    "ngram_decontamination": f"{WORDS} {ROWS} rows.on kernels.ngrams store.durable store.workspace "
    "evaluations.common_words evaluations.item evaluations.matching evaluations.ngram_index "
    "evaluations.rules evaluations.standing evaluations.surroundings",
    "pattern_filter": f"{COMPARING} stages.pattern_filter text.expressions",
    "redact": f"{STAGE} stages.redact text.code_lines text.json_text text.sensitive",
    "sensitive_filter": f"{STAGE} stages.sensitive_filter text.code_lines text.json_text text.sensitive",
    "tokens": f"{STAGE} stages.tokens text.template_process text.tokens",
    "weighted_mix": "",
}
"""All code that a stage's measures depend on: an edit of any other module rescans nothing."""


@pytest.mark.parametrize("name", stages.names())
def test_measures_depend_on_the_code_that_measures_alone(name: str):
    closure = _closure(stages.find(name).measured_in())
    assert closure == {f"tulu_data.{module}" for module in MEASURED_IN[name].split()}


def test_the_measures_of_a_stage_from_outside_depend_on_its_own_file(tmp_path: Path):
    code = "from tulu_data.stages.length_filter import LengthFilter\nclass Strict(LengthFilter): ...\n"
    (tmp_path / "strict_lengths.py").write_text(code)
    found = stages.find(f"{tmp_path}/strict_lengths.py:Strict")
    assert found.measured_in() == ("strict_lengths", "tulu_data.stages.length_filter")


@pytest.mark.parametrize(
    ("code", "closure"),
    [
        ("from tulu_data import load", {"tulu_data.mixture.load"}),
        ("from tulu_data import __version__", {"tulu_data"}),
        ("from tulu_data import *", set(DEFINED_IN.values())),
        ("import tulu_data", set(DEFINED_IN.values())),
        ("from tulu_data.store import keys", {"tulu_data.store.keys"}),
        ("from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from tulu_data.store import keys", set()),
        (
            "if TYPE_CHECKING:\n    import tulu_data.errors\nelse:\n    import tulu_data.verdicts",
            {"tulu_data.verdicts"},
        ),
        ("def later():\n    import tulu_data.verdicts", {"tulu_data.verdicts"}),
    ],
    ids=[
        "a public name",
        "what the package itself defines",
        "all public names",
        "the package",
        "a module",
        "for type checkers",
        "in their stead",
        "in a function",
    ],
)
def test_a_name_counts_as_taken_from_where_it_is_defined(shop: Path, code: str, closure: set[str]):
    (shop / "shop/near.py").write_text(code)
    script = "from tulu_data.store.code_id import _imports; print(*_imports('shop.near'))"
    environment = {"PYTHONPATH": f"{Path(__file__).parents[2]}:{shop}"}
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, env=environment)
    assert set(done.stdout.split()) == closure


def test_what_a_package_takes_from_a_module_of_its_own_counts(shop: Path):
    (shop / "shop/__init__.py").write_text("from .unused import x\n")
    (shop / "shop/stage.py").write_text("from shop import x\n")
    before = identity(shop)
    (shop / "shop/unused.py").write_text("x = 2\n")
    assert identity(shop) != before


def test_no_module_is_imported_for_its_name(shop: Path):
    script = (
        "import sys; from tulu_data.store.code_id import code_id; code_id(('shop.stage', 'tulu_data.stages.exact_dedup'));"
        "print([name for name in sys.modules if name == 'numba' or name.startswith('shop')])"
    )
    environment = {"PYTHONPATH": f"{Path(__file__).parents[2]}:{shop}"}
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, env=environment)
    assert done.stdout == "[]\n"


def test_what_is_stored_hangs_on_all_that_makes_it_and_not_on_stages_or_recipes():
    closure = _closure(["tulu_data.building.ingest"])
    assert {f"tulu_data.building.{name}" for name in ("file_units", "pieces", "quarantine", "shards")} <= closure
    assert not {"tulu_data.recipe.recipe", "tulu_data.stages", "tulu_data.building.examine"} & closure
