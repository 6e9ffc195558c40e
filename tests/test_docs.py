"""What the documents show is what the program does, in words that a reader knows."""

from __future__ import annotations

import os
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
README = ROOT / "README.md"
PACKAGE = ROOT / "tulu_data"
REFERENCE = ROOT / "docs/recipe.md"
GLOSSARY = ROOT / "docs/glossary.md"
PAGES = [
    *sorted(ROOT.glob("*.md")),
    *sorted(ROOT.glob("docs/**/*.md")),
    ROOT / "benchmarks/README.md",
    ROOT / "manifests/README.md",
]
# The reference is made from docstrings.
HAND_WRITTEN = [page for page in PAGES if page != REFERENCE]
GUIDES = [page for page in HAND_WRITTEN if page.parent.name != "decisions" and page.name != "CHANGELOG.md"]

FOREIGN = [
    # what is refused, a sentence with it, the reader's word
    (r"\bonce more\b", "The rows are read once more.", "again"),
    (r"\b(?:go|goes|going|gone|went) for\b", "B went for A.", "was removed in favour of"),
    (
        r"\b(?:if|where|when|unless) (?:it is |none is |none are )?(?:not )?said\b",
        "All cores, if not said.",
        "default",
    ),
    (r"(?<!there )\b(?:is|are|was|were) no (?!longer\b)[a-z]+", "A null is no value.", "is not a"),
    (r"\bso (?:many|much)\b", "Keep at most so many rows.", "this many"),
    (r"\b(?:hold|holds|holding|held)\b[^.|]{0,60}\bagainst\b", "It holds the rows against items.", "checks against"),
    (r"\bheld to\b", "Every table is held to its sha256.", "compared with"),
    (r"\bin the stead\b", "The row kept in the stead of it.", "in favour of"),
    (r"\b(?:see|sees|seen) to it\b", "It sees to it that rows are kept.", "checks"),
    (r"\b(?:lies|lie) (?:in|at|on|under|beside|there)\b", "It lies in the folder.", "is in"),
    (r"\bstands? (?:in|at|on|under|beside|there)\b", "The answer stands beside it.", "is"),
]
# A sentence whose subject is a clause with `what`; questions and headings end otherwise.
FUSED = r"(?:^|(?<=[.:;] ))What (?!would reverse it)[^.?:;|#]*?\b(?:is|are|was|has|goes|stays|counts|comes)\b[^.?|#]*\."


def prose(page: Path) -> str:
    """The sentences of a page, without code and headings, a paragraph on each line."""
    text = re.sub(r"^```.*?^```$", "", page.read_text(), flags=re.DOTALL | re.MULTILINE)
    text = re.sub(r"^#.*$", "", re.sub(r"`[^`]*`", "`…`", text), flags=re.MULTILINE)
    return "\n".join(" ".join(part.split()) for part in re.split(r"\n\s*\n|\n(?=\s*(?:-|\d+\.|\|) ?)", text))


def tulu_data(*words: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    return python("-m", "tulu_data", *words, cwd=cwd)


def python(*words: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "HF_HUB_OFFLINE": "1"}
    return subprocess.run(
        [sys.executable, *words], cwd=cwd, env=environment, capture_output=True, text=True, check=True
    )


def assert_shown(excerpt: str, output: str) -> None:
    """Each line of an excerpt is a line of the output, in the same order."""
    left = iter(output.splitlines())
    for line in excerpt.splitlines():
        assert any(line == shown.rstrip() for shown in left), line


# README


def test_the_recipe_of_the_readme_reads():
    (recipe,) = blocks(README, "yaml")
    assert read(recipe).name == "first_mix"


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder in which the first steps of the README were made."""
    folder = tmp_path_factory.mktemp("steps")
    tulu_data("init", "first", cwd=folder)
    tulu_data("build", "recipe.yaml", cwd=folder / "first")
    return folder / "first"


def test_the_readme_shows_what_init_plan_and_build_give(first: Path):
    (steps, *_) = blocks(README, "console")
    assert {path.name for path in first.iterdir()} >= {"recipe.yaml", "recipe.schema.json", ".gitignore"}
    named = re.search(r"init first.*# writes (.*)", steps)
    assert named
    assert all((first / name).is_file() for name in re.split(r", | and ", named[1]))
    plan, table, *_ = blocks(README, "")
    assert_shown(plan, tulu_data("plan", "recipe.yaml", cwd=first).stdout)
    again = tulu_data("build", "recipe.yaml", cwd=first)
    assert_shown(table, again.stderr.replace("unchanged first_mix", "built first_mix"))


def test_the_tree_of_a_version_in_the_readme_has_each_of_its_files(first: Path):
    tree = blocks(README, "")[2]
    named: set[Path] = set()
    above = [first]
    for line in tree.splitlines():
        depth, name = re.findall(r"^([│├└─ ]*)(\S+)", line)[0]
        above[len(depth) // 4 + 1 :] = []
        if name.endswith("/"):
            above.append(above[-1] / name)
            assert above[-1].is_dir()
        else:
            found = set(above[-1].glob(name.replace("<stage>", "*")))
            assert found, name
            named |= found
    made = {path for place in ("mixtures", "manifests") for path in (first / place).rglob("*") if path.is_file()}
    assert named == {path for path in made if not any(part.startswith(".") for part in path.relative_to(first).parts)}


def test_the_python_of_the_readme_runs(first: Path):
    (code,) = blocks(README, "python")
    shown = "print(mixture.version, rows.num_rows, parts.columns[0], parts['rows'].sum())"
    done = python("-c", f"{code}\n{shown}", cwd=first)
    assert re.fullmatch(r"[0-9a-f]{12} 4 domain 4\n", done.stdout)


def test_the_table_of_the_readme_is_that_of_the_demo(tmp_path: Path):
    places = ["--out", str(tmp_path / "m"), "--manifests", str(tmp_path / "n"), "--workspace", str(tmp_path / "w")]
    done = tulu_data("build", "recipes/sft_mix.yaml", *places)
    shown = "\n".join(line.rstrip() for line in done.stderr.splitlines())
    tables = shown.partition("\n\nbuilt ")[0]
    assert tables in README.read_text()
    assert re.search(r"sft_mix@[0-9a-f]{12}: 10,000 rows in 1 file", shown)


def test_the_readme_lists_every_command():
    listed = tulu_data("--help").stdout.partition("Commands:\n")[2]
    commands = re.findall(r"^  (\w+)", listed, re.MULTILINE)
    assert commands
    assert sorted(re.findall(r"^\| `tulu-data (\w+)", README.read_text(), re.MULTILINE)) == sorted(commands)


def test_the_tree_of_the_package_in_the_readme_has_its_folders():
    tree = blocks(README, "")[-1]
    assert tree.startswith("tulu_data/\n")
    assert len(tree.splitlines()) <= 12
    named = [name for line in tree.splitlines()[1:] for name in re.findall(r"(\w+)/", line.split("   ")[0])]
    assert sorted(named) == sorted(path.name for path in PACKAGE.glob("[!_]*/"))


def test_contributing_explains_every_folder_of_the_package():
    explained = re.findall(r"\*\*`(\w+)/`\*\*", (ROOT / "CONTRIBUTING.md").read_text())
    assert sorted(explained) == sorted(path.name for path in PACKAGE.glob("[!_]*/"))


# Guides


def test_the_stages_of_the_guide_keep_the_contract(tmp_path: Path):
    overlap, check, quality, trim, cap, per_prompt = blocks(ROOT / "docs/writing-a-stage.md", "python")
    for name, stage in (
        ("overlap_filter", overlap),
        ("quality_filter", quality),
        ("trim", trim),
        ("source_cap", cap),
        ("one_per_prompt", per_prompt),
    ):
        (tmp_path / f"{name}.py").write_text(stage)
    more = (
        "from trim import Trim\nfrom source_cap import SourceCap\ncheck_stage(Trim())\ncheck_stage(SourceCap(most=2))\n"
    )
    more += "from one_per_prompt import OnePerPrompt\ncheck_stage(OnePerPrompt())\n"
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


@pytest.mark.parametrize("name", stages.names())
def test_every_stage_is_in_a_guide(name: str):
    assert any(re.search(rf"\b{name}\b", page.read_text()) for page in GUIDES)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_between_pages_lead_somewhere(page: Path):
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text()):
        assert (page.parent / target).exists(), target


@pytest.mark.parametrize("page", sorted(ROOT.glob("docs/decisions/*.md")), ids=lambda page: page.name)
def test_every_decision_begins_with_its_number(page: Path):
    assert page.read_text().startswith(f"# {int(page.name[:4])}. ")


# Words


def entries() -> list[str]:
    """The words that the glossary defines."""
    cells = re.findall(r"^\| (.+?) \|", GLOSSARY.read_text(), re.MULTILINE)
    words = [word for cell in cells if cell != "word" for word in re.sub(r" \(.*?\)", "", cell).split(", ")]
    return [word.strip("`") for word in words]


@pytest.mark.parametrize("word", entries())
def test_every_word_of_the_glossary_is_used(word: str):
    used = re.compile(rf"\b{re.escape(word)}(?:s|es)?\b", re.IGNORECASE)
    assert any(used.search(page.read_text()) for page in [*GUIDES, REFERENCE] if page != GLOSSARY)


def test_the_glossary_defines_each_word_once():
    # A message has a weight, and a mix has weights.
    assert sorted(set(entries())) == sorted(entries())


@pytest.mark.parametrize("page", HAND_WRITTEN, ids=lambda page: page.name)
def test_pages_say_it_in_plain_english(page: Path):
    text = prose(page)
    for pattern, _, better in FOREIGN:
        found = re.search(rf".{{0,40}}{pattern}.{{0,20}}", text, re.IGNORECASE)
        assert not found, f"{found[0]!r}: {better}"


@pytest.mark.parametrize("page", GUIDES, ids=lambda page: page.name)
def test_the_subject_of_a_sentence_is_a_noun(page: Path):
    assert re.findall(FUSED, prose(page), re.MULTILINE) == []


@pytest.mark.parametrize(("pattern", "bad", "better"), [*FOREIGN, (FUSED, "What no mixture names is removed.", "Rows")])
def test_a_phrase_that_is_refused_is_found(pattern: str, bad: str, better: str):
    assert re.search(pattern, bad, re.IGNORECASE)
    assert not re.search(pattern, better, re.IGNORECASE)


@pytest.mark.parametrize("page", GUIDES, ids=lambda page: page.name)
def test_no_guide_names_a_module_by_its_file(page: Path):
    modules = {path.name for path in PACKAGE.rglob("[!_]*.py")}
    assert [name for name in re.findall(r"`[^`\n]*?(\w+\.py)`", page.read_text()) if name in modules] == []
