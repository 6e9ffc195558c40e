"""What the documents show is what the program does."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from pages import blocks
from tulu_data import stages
from tulu_data.recipe.reading import read
from tulu_data.sources import kinds

ROOT = Path(__file__).parents[1]
PAGES = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]


def test_the_recipe_of_the_readme_reads():
    (recipe,) = blocks(ROOT / "README.md", "yaml")
    assert read(recipe).name == "first_mix"


def test_the_table_of_the_readme_is_that_of_the_demo(tmp_path: Path):
    places = ["--out", str(tmp_path / "m"), "--manifests", str(tmp_path / "n"), "--workspace", str(tmp_path / "w")]
    words = [sys.executable, "-m", "tulu_data", "build", "recipes/sft_mix.yaml", *places]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True)
    shown = "\n".join(line.rstrip() for line in done.stderr.splitlines())
    tables = shown.partition("\n\nbuilt ")[0]
    assert tables in (ROOT / "README.md").read_text()
    assert re.search(r"sft_mix@[0-9a-f]{12}: 10,000 rows in 1 file", shown)


def test_the_stages_of_the_guide_keep_the_contract(tmp_path: Path):
    overlap, check, quality, trim, cap = blocks(ROOT / "docs/writing-a-stage.md", "python")
    for name, stage in (
        ("overlap_filter", overlap),
        ("quality_filter", quality),
        ("trim", trim),
        ("source_cap", cap),
    ):
        (tmp_path / f"{name}.py").write_text(stage)
    more = (
        "from trim import Trim\nfrom source_cap import SourceCap\ncheck_stage(Trim())\ncheck_stage(SourceCap(most=2))\n"
    )
    more += 'from quality_filter import QualityFilter\ncheck_stage(QualityFilter(model="model.json"))\n'
    (tmp_path / "model.json").write_text('{"144": 1.0}')
    (tmp_path / "check.py").write_text(check + more)
    subprocess.run([sys.executable, "check.py"], cwd=tmp_path, check=True, env={"PYTHONPATH": f"{ROOT}:{tmp_path}"})


def test_every_example_in_a_docstring_of_a_source_reads():
    for source in kinds().values():
        examples = [line.strip() for line in (source.__doc__ or "").splitlines() if line.strip().startswith("{")]
        assert examples
        for example in examples:
            assert isinstance(read(f"name: mix\nsources:\n  a: {example}\n").sources["a"], source)


def test_every_stage_is_in_the_reference_and_every_word_in_the_glossary():
    reference = (ROOT / "docs/recipe.md").read_text()
    assert all(f"### `{name}`" in reference for name in stages.names())


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_between_pages_lead_somewhere(page: Path):
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text()):
        assert (page.parent / target).exists(), target


def test_the_tour_of_the_tree_names_all_that_is_there():
    tour = blocks(ROOT / "README.md", "")[-1]
    named = set(re.findall(r"\b(\w+)\.py\b", tour)) | set(re.findall(r"\b(\w+)/", tour))
    package = ROOT / "tulu_data"
    modules = {path.stem for path in package.glob("[!_]*.py")}
    folders = {path.name for path in package.glob("[!_]*/")}
    assert modules | folders <= named
