"""Stages from outside come through the same door as ours."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from conftest import Yard, pairs
from tulu_data.testing import check_stage

STAGE = '''"""Drop answers that refuse."""

from typing import ClassVar

import polars as pl
from pydantic import Field

from tulu_data.rows.rows import Rows
from tulu_data.stage import Decides, Filter
from tulu_data.verdicts import Evidence, drop


class NoRefusals(Filter):
    """Drop answers that refuse.

        - no_refusals: {least: 1}
    """

    evidence: ClassVar[Evidence] = {"found": pl.UInt32}
    words: tuple[str, ...] = Field(("I cannot",), description="How a refusal begins")
    least: Decides[int] = Field(1, description="Fewest refusals in a conversation")

    def measure(self, rows: Rows) -> pl.DataFrame:
        found = [sum(text.startswith(self.words) for text in texts) for texts in rows.texts("response").by_row()]
        return pl.DataFrame({"found": found}, schema={"found": pl.UInt32})

    def judge(self, measures: pl.DataFrame) -> pl.DataFrame:
        return drop(measures, pl.col("found") >= self.least, reason="refusal", evidence=["found"])
'''


@pytest.fixture
def project(tmp_path: Path) -> Yard:
    yard = Yard(tmp_path)
    yard.jsonl("a.jsonl", [*pairs(5), {"prompt": "help", "response": "I cannot do that."}])
    return yard


def run(yard: Yard, *words: str, code: int = 0) -> subprocess.CompletedProcess[str]:
    # The script, since `python -m` would put the folder before everything else.
    done = subprocess.run(
        [str(Path(sys.executable).parent / "tulu-data"), *words],
        cwd=yard.root,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == code, done.stderr
    return done


def recipe(yard: Yard, stage: str) -> str:
    yard.write("mix.yaml", f"name: mix\nsources: {{a: {{jsonl: a.jsonl}}}}\nstages:\n  - {stage}\n")
    return "mix.yaml"


@pytest.mark.parametrize("reference", ["./refusals_of_mine.py:NoRefusals", "refusals_of_mine:NoRefusals"])
def test_a_stage_from_a_file_and_from_a_package(project: Yard, reference: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PYTHONPATH", str(project.root) if reference.startswith("refusals") else "")
    file = project.write("refusals_of_mine.py", STAGE)
    built = json.loads(run(project, "build", recipe(project, f"{reference}: {{least: 1}}"), "--json").stdout)
    assert built["rows"]["a"]["removed"] == {"no_refusals": 1}
    manifest = json.loads((project.root / built["mixture"] / "manifest.json").read_text())
    assert manifest["stages"][0]["from"] == reference
    assert manifest["stages"][0]["sha256"] == hashlib.sha256(file.read_bytes()).hexdigest()
    assert pl.read_parquet(project.root / built["mixture"] / "evidence/no_refusals.parquet")["found"].to_list() == [1]
    again = run(project, "build", f"{built['mixture']}/recipe.yaml", "--out", "again", "--json")
    assert json.loads(again.stdout)["version"] == built["version"]
    assert "Drop answers that refuse." in run(project, "stages", reference).stdout


def test_workers_know_it_too_and_an_edit_measures_again(project: Yard):
    for number in range(4):
        project.jsonl(
            f"data/{number}.jsonl", [*pairs(7000, 7000 * number), {"prompt": "p", "response": f"I cannot {number}"}]
        )
    project.write("refusals_of_mine.py", STAGE)
    project.write(
        "mix.yaml", "name: mix\nsources: {a: {jsonl: data/*.jsonl}}\nstages: ['./refusals_of_mine.py:NoRefusals']\n"
    )
    first = json.loads(run(project, "build", "mix.yaml", "--workers", "2", "--json").stdout)
    assert first["rows"]["a"]["removed"] == {"no_refusals": 4}
    project.write("refusals_of_mine.py", STAGE.replace('"I cannot"', '"I cannot 1", "I cannot 2"'))
    second = json.loads(run(project, "build", "mix.yaml", "--workers", "2", "--json").stdout)
    assert second["rows"]["a"]["removed"] == {"no_refusals": 2}


def test_it_keeps_the_contract(project: Yard, monkeypatch: pytest.MonkeyPatch):
    project.write("refusals_for_contract.py", STAGE)
    monkeypatch.syspath_prepend(str(project.root))
    import refusals_for_contract  # type: ignore[import-not-found]

    check_stage(refusals_for_contract.NoRefusals(least=2))


@pytest.mark.parametrize(
    ("content", "reference", "message"),
    [
        ("class Broken(:\n", "./mine_broken.py:Broken", "mine_broken.py:1: invalid syntax"),
        ("x = 1\n\nboom()\n", "./mine_broken.py:Broken", "mine_broken.py:3: NameError: name 'boom' is not defined"),
        ("import no_such_library\n", "./mine_broken.py:Broken", "mine_broken.py:1: No module named 'no_such_library'"),
        (STAGE, "./mine_broken.py:NoRefusal", "mine_broken.py: no stage class 'NoRefusal'; did you mean 'NoRefusals'?"),
        ("x = 1\n", "./mine_broken.py:x", "mine_broken.py: no stage class 'x'; there are none"),
        ("", "./nothing.py:X", "nothing.py: no such file (looked in "),
        ("", "no_such_package.stages:X", "no module 'no_such_package.stages'; install it, or name a file"),
        (STAGE, "./mine_broken.py:NoRefusals: {leest: 1}", "unknown key 'leest'; did you mean 'least'?"),
    ],
)
def test_a_broken_stage_gives_its_own_file_and_line(project: Yard, content: str, reference: str, message: str):
    project.write("mine_broken.py", content)
    failed = run(project, "build", recipe(project, reference), code=2).stderr
    assert message in failed
    assert "mix.yaml:4:" in failed
    assert "Traceback" not in failed


def test_a_file_must_not_be_named_as_another_module(project: Yard):
    project.write("json.py", STAGE)
    failed = run(project, "build", recipe(project, "./json.py:NoRefusals"), code=2).stderr
    assert "json.py: another module is named 'json'" in failed


def test_an_exception_in_it_gives_its_own_file_and_line(project: Yard):
    project.write("mine_broken.py", STAGE.replace("        found = [", "        1 / 0\n        found = ["))
    failed = run(project, "build", recipe(project, "./mine_broken.py:NoRefusals"), code=1).stderr
    assert "stage no_refusals: " in failed
    assert "mine_broken.py:24: ZeroDivisionError: division by zero" in failed


MODEL = '''"""Drop answers with words that a list names."""

from pathlib import Path
from typing import Any
from typing import ClassVar

import polars as pl
from pydantic import Field

from tulu_data.rows.rows import Rows
from tulu_data.stage import Filter, ModelFile
from tulu_data.verdicts import Evidence, drop


class WordFilter(Filter):
    """Drop answers with words that a list names.

        - word_filter: {words: words.txt}
    """

    evidence: ClassVar[Evidence] = {"found": pl.UInt32}
    words: ModelFile = Field(description="A file with a word a line, or a folder of such files")
    more: tuple[Path, ...] = Field((), description="More such files")

    def measure(self, rows: Rows) -> pl.DataFrame:
        files = [file for path in (self.words, *self.more) for file in (path.iterdir() if path.is_dir() else [path])]
        words = {word for file in files for word in file.read_text().split()}
        found = [len(words.intersection(" ".join(texts).split())) for texts in rows.texts("response").by_row()]
        return pl.DataFrame({"found": found}, schema={"found": pl.UInt32})

    def judge(self, measures: pl.DataFrame) -> pl.DataFrame:
        return drop(measures, pl.col("found") > 0, reason="word", evidence=["found"])
'''


def measured_by(yard: Yard) -> set[str]:
    return {path.stem for path in (yard.root / ".tulu-data/measures/word_filter").rglob("*.parquet")}


def test_measures_are_made_anew_when_a_file_that_a_stage_reads_changes(project: Yard):
    project.write("words_of_mine.py", MODEL)
    project.write("words.txt", "cannot")
    project.write("more/a.txt", "nothing")
    path = recipe(project, "./words_of_mine.py:WordFilter: {words: words.txt, more: [more]}")

    def built() -> dict[str, Any]:
        return json.loads(run(project, "build", path, "--json").stdout)

    first, measures = built(), measured_by(project)
    assert first["rows"]["a"]["removed"] == {"word_filter": 1}
    manifest = json.loads((project.root / first["mixture"] / "manifest.json").read_text())
    assert list(manifest["build"]["stage_files"]["word_filter"]) == ["more.0", "words"]
    assert manifest["build"]["stage_files"]["word_filter"]["words"] == hashlib.sha256(b"cannot").hexdigest()
    os.utime(project.root / "words.txt", (1, 1))
    assert built()["status"] == "unchanged"
    assert measured_by(project) == measures
    project.write("words.txt", "can't")
    second = built()
    assert second["rows"]["a"]["removed"] == {}
    assert second["version"] != first["version"]
    assert len(measured_by(project)) == 2
    project.write("more/a.txt", "do")
    assert built()["rows"]["a"]["removed"] == {"word_filter": 1}
    # The same bytes in another place are the same measures.
    (project.root / "words.txt").rename(project.root / "renamed.txt")
    again = recipe(project, "./words_of_mine.py:WordFilter: {words: renamed.txt, more: [more]}")
    run(project, "build", again)
    assert len(measured_by(project)) == 3


def test_a_file_that_a_stage_reads_and_that_is_not_there_is_told(project: Yard):
    project.write("words_of_mine.py", MODEL)
    failed = run(project, "build", recipe(project, "./words_of_mine.py:WordFilter: {words: no.txt}"), code=3).stderr
    assert "stages.word_filter: words: no.txt: there is no such file or folder (looked in " in failed
    assert "give the file that the stage reads" in failed


def test_a_mapper_that_reads_a_file_maps_anew_when_it_changes(project: Yard):
    project.write(
        "mine_trimmed.py",
        "from tulu_data.stage import Mapper, ModelFile\nimport pyarrow as pa\n\n\n"
        "class Cut(Mapper):\n    letters: ModelFile\n\n    def map(self, rows):\n"
        "        contents = rows.column('messages').flatten().field('content').to_pylist()\n"
        "        letters = self.letters.read_text()\n"
        "        return rows.with_contents(pa.array([text.rstrip(letters) for text in contents], pa.string()))\n",
    )
    project.write("letters.txt", ".")
    path = recipe(project, "./mine_trimmed.py:Cut: {letters: letters.txt}")

    def answers() -> list[str]:
        folder = project.root / json.loads(run(project, "build", path, "--json").stdout)["mixture"]
        rows = pl.read_parquet(folder / "data/*.parquet")["messages"].to_list()
        return sorted(row[-1]["content"] for row in rows)

    assert answers()[:2] == ["I cannot do that", "It is 0"]
    project.write("letters.txt", ".t")
    assert answers()[:2] == ["I cannot do tha", "It is 0"]
