"""A stage's reports and claims are drawn and checked, whoever wrote the stage."""

from __future__ import annotations

import ast
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import polars as pl
import pytest

import tulu_data
from conftest import Yard, pairs
from forgery import plant, redraw, resign
from pages import blocks
from tulu_data import audit, stages
from tulu_data.building.forecast import expect
from tulu_data.building.inputs import Surveyed
from tulu_data.claims import Claim
from tulu_data.errors import InvariantError
from tulu_data.mixer import Mixer
from tulu_data.mixture.explain import Explainer
from tulu_data.mixture.mixture import Mixture
from tulu_data.mixture.tables import DamagedError
from tulu_data.recipe.plan import Plan, Step
from tulu_data.report import page
from tulu_data.reports import Report
from tulu_data.rows.rows import Rows
from tulu_data.rows.sft import Sft
from tulu_data.sources.jsonl import Jsonl
from tulu_data.stage import COLUMNS, Filter, reported
from tulu_data.verdicts import none
from tulu_data.verifying.claims import Witness
from tulu_data.verifying.levels import Verification

ROOT = Path(__file__).parents[2]
PACKAGE = Path(tulu_data.__file__).parent
READERS = [
    *sorted((PACKAGE / "report").glob("*.py")),
    *sorted((PACKAGE / "mixture").glob("*.py")),
    *sorted((PACKAGE / "verifying").glob("*.py")),
    *sorted((PACKAGE / "cli").glob("console*.py")),
    PACKAGE / "audit.py",
    PACKAGE / "building" / "forecast.py",
    PACKAGE / "building" / "excerpts.py",
]
PROMPTS = [{"prompt": "What is a hat?", "response": f"It is {kind}."} for kind in ("felt", "straw", "wool")]


def names_of_stages_in(module: Path) -> list[str]:
    """Names, classes and modules of stages in the code of a module; what its docstrings say is not code."""
    tree = ast.parse(module.read_text())
    docstrings = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    classes = {stages.find(name).__name__ for name in stages.names()}
    # Some are names of columns as well, which is what they are here unless a stage's name is compared.
    names = {*stages.names()} - COLUMNS.keys()
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
            found += [name for name in (*names, "dedup", "decontam") if name in node.value]
        elif isinstance(node, ast.Name | ast.Attribute):
            found += [name for name in classes if name == getattr(node, "id", getattr(node, "attr", None))]
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("tulu_data.stages."):
            found.append(str(node.module))
        elif isinstance(node, ast.Compare) and re.search(r"""\bname['"\])]""", ast.unparse(node.left)):
            found += [str(part.value) for part in node.comparators if getattr(part, "value", None) in stages.names()]
    return found


@pytest.mark.parametrize("module", READERS, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_a_reader_of_mixtures_knows_no_stage_by_name(module: Path):
    assert names_of_stages_in(module) == []


@pytest.mark.parametrize(
    "code",
    [
        "x = 'exact_dedup'",
        "if 'dedup' in stage['name']: pass",
        "WeightedMix()",
        "from tulu_data.stages.redact import Redact",
        "y = [stage for stage in every if stage['name'] == 'tokens']",
    ],
)
def test_a_stage_that_is_named_would_be_seen(tmp_path: Path, code: str):
    (tmp_path / "reader.py").write_text(code)
    assert names_of_stages_in(tmp_path / "reader.py")


@pytest.fixture(scope="module")
def of_the_guide(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A mixture with the stage that docs/writing-a-stage.md shows, and what its build told."""
    yard = Yard(tmp_path_factory.mktemp("guide"))
    yard.jsonl("a.jsonl", [*pairs(5), *PROMPTS])
    yard.write("one_per_prompt.py", blocks(ROOT / "docs/writing-a-stage.md", "python")[-1])
    yard.write("mix.yaml", "name: mix\nsources: {a: {jsonl: a.jsonl}}\nstages: ['./one_per_prompt.py:OnePerPrompt']\n")
    words = [str(Path(sys.executable).parent / "tulu-data"), "build", "mix.yaml"]
    done = subprocess.run(words, cwd=yard.root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return yard.root / done.stdout.strip(), done.stderr


@pytest.fixture
def copied(of_the_guide: tuple[Path, str], tmp_path: Path) -> Path:
    shutil.copytree(of_the_guide[0], tmp_path / "copy")
    return tmp_path / "copy"


def claimed(folder: Path) -> list[tuple[str, str, str]]:
    run = Verification(folder, lambda facts: Witness(folder, facts)).run()
    return [(check.what, check.wrong, check.unproven) for check in run.checks if check.level == "L3"]


def test_a_table_of_a_stage_from_outside_is_on_the_page_the_card_and_the_terminal(of_the_guide: tuple[Path, str]):
    folder, told = of_the_guide
    shown = re.sub(r"<[^>]+>", " ", page(Mixture(folder)))
    assert "one_per_prompt: How many prompts came again?" in shown
    assert re.search(r"source\s+rows seen\s+with an earlier prompt\s+a\s+8\s+2\s", shown)
    card = (folder / "README.md").read_text()
    assert "## How many prompts came again? (`one_per_prompt`)\n\nOne row of each prompt is kept.\n\n| source |" in card
    assert "| a | 8 | 2 |" in card
    assert "one_per_prompt: How many prompts came again?\nOne row of each prompt is kept.\n" in told
    assert re.search(r"source +rows seen +with an earlier prompt *\na +8 +2 *\n", told)


def test_evidence_that_is_untold_is_read_by_programs_alone(of_the_guide: tuple[Path, str]):
    mixture = Mixture(of_the_guide[0])
    removed, _ = Explainer(mixture).removed("one_per_prompt", None, 1)
    assert removed[0].evidence.keys() == {"twin", "rows_of_prompt"}
    assert removed[0].told == {}
    assert audit.excerpts(mixture)["evidence"].list.len().sum() == 0


def test_the_claim_of_a_stage_from_outside_is_checked_and_holds(of_the_guide: tuple[Path, str]):
    assert claimed(of_the_guide[0]) == [("one_per_prompt: no two rows kept have the same text", "", "")]


def test_a_forged_row_breaks_the_claim_of_a_stage_from_outside(copied: Path):
    plant(copied, "What is a hat?", "It is paper.")
    ((_, wrong, _),) = claimed(copied)
    assert re.fullmatch("row [0-9a-f]{32} is row [0-9a-f]{32}", wrong)


def changed(folder: Path, values: Mapping[str, Any]) -> None:
    resign(folder, lambda facts: facts["stages"][0].update(values))


@pytest.mark.parametrize(
    ("claims", "told"),
    [
        (
            [{"kind": "polite"}],
            ("what it claims, of the kind 'polite'", "", "this program does not know how to check it"),
        ),
        ([{"kind": "distinct", "options": {"on": "hats"}}], ("its claim 'distinct'", "on: value error, there are", "")),
        ([{"kind": "apart"}], ("its claim 'apart'", "ngram: field required", "")),
        ([{"kind": "clean"}], ("its claim 'clean'", "against: field required", "")),
        ([{"kind": "distinct", "but": "some may be"}], ("no two rows kept have the same text", "", "some may be")),
        (None, ("what it claims", "", "it is code of its own, which is not run")),
    ],
)
def test_a_claim_that_cannot_be_checked_is_told(copied: Path, claims: Any, told: tuple[str, str, str]):
    changed(copied, {"claims": claims})
    ((what, wrong, unproven),) = claimed(copied)
    assert what == f"one_per_prompt: {told[0]}"
    assert wrong.startswith(told[1])
    assert (bool(wrong), unproven) == (bool(told[1]), told[2])


def test_near_rows_break_the_claim_of_a_stage_that_says_how_near(copied: Path):
    words = "one two three four five six seven eight nine ten eleven twelve"
    changed(copied, {"claims": [{"kind": "apart", "options": {"ngram": 2, "threshold": 0.5}}]})
    plant(copied, words, "thirteen fourteen fifteen sixteen")
    assert [(wrong, unproven) for _, wrong, unproven in claimed(copied)] == [("", "")]
    plant(copied, f"{words} and", "thirteen fourteen fifteen sixteen")
    assert "have a Jaccard similarity of 0.9" in claimed(copied)[0][1]


def test_a_stage_that_claims_nothing_is_not_told_of(copied: Path):
    changed(copied, {"claims": []})
    assert claimed(copied) == []


def test_a_report_without_its_file_is_told(copied: Path):
    changed(copied, {"reports": {"others": {"kind": "clusters"}}})
    with pytest.raises(
        DamagedError, match=r"names a report of one_per_prompt, and no file reports/one_per_prompt-others"
    ):
        _ = Mixture(copied).shown


def test_a_report_must_have_the_columns_of_its_kind(copied: Path):
    changed(copied, {"reports": {"repeated": {"kind": "clusters"}}})
    with pytest.raises(DamagedError, match="has no column 'cluster'; it has source, rows, removed"):
        _ = Mixture(copied).shown
    assert not Verification(copied).run().holds


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A mixture of our own stages, with reports of most kinds."""
    yard = Yard(tmp_path_factory.mktemp("ours"))
    words = "one two three four five six seven eight nine ten"
    near = [{"prompt": words, "response": f"eleven twelve thirteen fourteen{end}"} for end in (" x", " y", "")]
    yard.jsonl(
        "a.jsonl", [*pairs(12), *near, *near[:1], {"prompt": "Name the first city of Ruritania", "response": "No"}]
    )
    yard.jsonl("e.jsonl", [{"q": "Name the first city of Ruritania"}])
    against = {"e": {"jsonl": str(yard.root / "e.jsonl"), "question": "q"}}
    built = yard.mix(
        sources={"a": {"jsonl": "a.jsonl"}},
        stages=[
            "tokens",
            {"length_filter": {"max_characters": 500}},
            {"ngram_decontamination": {"against": against}},
            "exact_dedup",
            {"minhash_dedup": {"threshold": 0.5}},
            {"weighted_mix": {"by": "source"}},
        ],
    )
    return built.mixture.folder


KINDS = ("evaluations", "clusters", "overlap", "strata", "near", "scores", "thresholds", "trainable")


def test_a_manifest_of_before_is_read_as_if_it_said_what_it_has(ours: Path, tmp_path: Path):
    shutil.copytree(ours, tmp_path / "before")

    def forget(facts: dict[str, Any]) -> None:
        for stage in facts["stages"]:
            for name in ("untold", "reports", "claims"):
                del stage[name]

    resign(tmp_path / "before", forget)
    now, before = Mixture(ours), Mixture(tmp_path / "before")
    assert {kind for kind in KINDS if now.reports(kind)} == {*KINDS}
    for kind in KINDS:
        assert [(step, path.name) for step, path in before.reports(kind).items()] == [
            (step, path.name) for step, path in now.reports(kind).items()
        ]
    for stage in now.manifest["stages"]:
        assert before.claims(stage["name"]) == now.claims(stage["name"])
    assert audit.as_values(before) == audit.as_values(now)
    assert page(before) == page(now)
    assert [row.told for row in Explainer(before).removed(None, None, 20)[0]] == [
        row.told for row in Explainer(now).removed(None, None, 20)[0]
    ]


def test_a_manifest_that_leaves_out_what_our_stages_claim_hides_nothing(ours: Path, tmp_path: Path):
    folder = tmp_path / "copy"
    shutil.copytree(ours, folder)

    def silence(facts: dict[str, Any]) -> None:
        for stage in facts["stages"]:
            stage["claims"] = []

    resign(folder, silence)
    redraw(folder)
    whats = [what for what, *_ in claimed(folder)]
    assert "exact_dedup: no two rows kept have the same text" in whats
    assert any(what.startswith("minhash_dedup: of a sample of rows kept, none is near another") for what in whats)
    assert any(what.startswith("ngram_decontamination: no row kept holds an evaluation item") for what in whats)


class Shows(Filter):
    """Reports what a test wants it to.

    - shows
    """

    def measure(self, rows: Rows) -> pl.DataFrame:
        return pl.DataFrame({"one": [1] * len(rows)})

    def judge(self, measures: pl.DataFrame) -> pl.DataFrame:
        return measures.clear()


class Halves(Mixer):
    """Takes half of the rows of each source.

    - halves
    """

    columns: ClassVar = ("source",)
    unit: ClassVar = "rows"
    named: ClassVar = ()

    def targets(self, offers: Mapping[str, int]) -> pl.DataFrame:
        return pl.DataFrame({"stratum": [*offers], "target": [count // 2 for count in offers.values()]})

    def resolve(self, measures: pl.DataFrame) -> pl.DataFrame:
        return none(self.evidence)


def test_what_a_mixer_from_outside_will_take_is_told_before_a_build():
    source = Jsonl(jsonl=("a.jsonl",))
    surveyed = [
        Surveyed(name, source, None, (), (), (), Rows.of([]), 0, (), rows, is_counted=True)
        for name, rows in (("a", 8), ("b", 3))
    ]
    expected = expect(Plan((), (Step("halves", Halves(), Sft()),)), surveyed, None)
    assert expected is not None
    assert expected.lines.rows() == [("a", 4), ("b", 1)]


FRAME = pl.DataFrame({"source": ["a"], "twin_source": ["b"], "rows": [1]})


@pytest.mark.parametrize(
    ("value", "wrong"),
    [
        (FRAME, "report returned a polars.DataFrame, not a dict of names and reports"),
        ({"x": FRAME}, "its report 'x' is a DataFrame; write Report('table', frame, title='…')"),
        ({"A b": Report("data", FRAME)}, "its report 'A b' needs another name: a to z, 0 to 9 and _"),
        ({"scores": Report("data", FRAME)}, "its report 'scores' needs another name"),
        (
            {"x": Report("overlap", FRAME), "y": Report("overlap", FRAME)},
            "its report 'x' is not the only one of the kind overlap",
        ),
    ],
)
def test_what_is_no_report_is_told_with_its_stage(value: Any, wrong: str):
    with pytest.raises(InvariantError, match=f"^stage shows.*{re.escape(wrong)}"):
        reported(Shows(), value)


@pytest.mark.parametrize(
    ("make", "wrong"),
    [
        (lambda: Report("heat", FRAME), "there is no kind of report 'heat'; there are evaluations, near, clusters"),
        (lambda: Report("data", FRAME.lazy()), "a report holds a polars DataFrame, not a LazyFrame"),
        (lambda: Report("table", FRAME), "a table is drawn under a title; give one"),
        (
            lambda: Report("table", FRAME, "T", heads={"x": "X"}),
            "heads names the column 'x'; the table has rows, source",
        ),
    ],
)
def test_a_report_that_nobody_can_draw_is_refused(make: Any, wrong: str):
    with pytest.raises((ValueError, TypeError), match=f"^{re.escape(wrong)}"):
        make()


def test_a_claim_is_the_same_after_the_manifest():
    for claim in (Claim("distinct"), Claim("apart", {"threshold": 0.5}, "some are kept")):
        assert Claim.of(json.loads(json.dumps(claim.as_values()))) == claim
