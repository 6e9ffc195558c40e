"""What tests share: a place to build in, recipes from text, and the real data where it is."""

from __future__ import annotations

import hashlib
import json
import os
import random
import re
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from tulu_data.building.build import Built
from tulu_data.building.build import build as run_build
from tulu_data.building.run import Folders
from tulu_data.recipe import reading as recipes
from tulu_data.recipe.recipe import Recipe

settings.register_profile(
    "default", deadline=None, max_examples=60, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("default")

SHARED = Path(os.environ.get("TULU_DATA_SHARED") or Path(__file__).parents[2] / "shared" / "data")


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real data."""
    if not (SHARED / "README.md").is_file():
        pytest.skip(f"the real data is not at {SHARED}; set TULU_DATA_SHARED")
    os.environ["TULU_DATA_SHARED"] = str(SHARED)
    return SHARED


@dataclass
class Yard:
    """A folder with data files, in which recipes are built."""

    root: Path

    @property
    def places(self) -> Folders:
        return Folders(self.root / "mixtures", self.root / "manifests", self.root / "workspace")

    def jsonl(self, name: str, rows: Iterable[Any]) -> Path:
        """Write rows as JSON Lines; bytes go in as they are."""
        lines = [row if isinstance(row, bytes) else json.dumps(row, ensure_ascii=False).encode() for row in rows]
        return self.write(name, b"".join(line + b"\n" for line in lines))

    def write(self, name: str, content: bytes | str) -> Path:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    def recipe(self, *, sources: dict[str, Any], stages: Iterable[Any] = (), **head: Any) -> Recipe:
        """A recipe whose source paths are relative to the yard."""
        placed = {
            name: {key: str(self.root / value) if key in PLACES else value for key, value in source.items()}
            for name, source in sources.items()
        }
        values = {"name": "mix", **head, "sources": placed, "stages": list(stages)}
        return recipes.read(json.dumps(values, default=str))

    def build(self, recipe: Recipe, **options: Any) -> Built:
        return run_build(recipe, self.places, **options)

    def mix(self, **parts: Any) -> Built:
        """Build a recipe of these parts."""
        return self.build(self.recipe(**parts))


PLACES = ("jsonl", "csv", "tsv", "parquet")


@pytest.fixture
def yard(tmp_path: Path) -> Yard:
    return Yard(tmp_path)


def pairs(count: int, start: int = 0) -> list[dict[str, str]]:
    """Different questions and answers."""
    return [{"prompt": f"What is {n} + {n}?", "response": f"It is {n + n}."} for n in range(start, start + count)]


def varied(count: int, seed: int = 0) -> list[dict[str, str]]:
    """Rows with duplicates, long ones, and letters of all kinds."""
    draw = random.Random(seed)
    words = ["a", "the", "é", "数", "😀", "  ", "\n", "x" * 30]
    return [
        {"prompt": " ".join(draw.choices(words, k=draw.randint(1, 4))), "response": f"{draw.randint(0, 50)}"}
        for _ in range(count)
    ]


def files_of(folder: Path, *parts: str) -> dict[str, str]:
    """The sha256 of every file under a folder, or of those whose path begins with one of `parts`."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and (not parts or str(path.relative_to(folder)).startswith(parts))
    }


# Each command in one process, as `main` runs it; a line of marks before each.
DRIVER = """
import json, os, sys
from tulu_data.cli import streams
from tulu_data.__main__ import _run
from tulu_data.cli.cli import cli
streams.open_all()
for words in json.load(open("commands.json")):
    sys.stdout.flush()
    sys.stderr.flush()
    os.write(1, b"=====\\n")
    code = _run(lambda: cli.main(args=words, prog_name="tulu-data", standalone_mode=False))
    sys.stdout.flush()
    os.write(1, b"-----%d\\n" % code)
"""


def shown_by(folder: Path, commands: list[list[str]]) -> list[tuple[int, str]]:
    """What each command showed, stdout and stderr as one, with its exit code."""
    (folder / "commands.json").write_text(json.dumps(commands))
    environment = {**os.environ, "TULU_DATA_EVALS": str(folder / "evals"), "NO_COLOR": "1"}
    done = subprocess.run(
        [sys.executable, "-c", DRIVER],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
        env=environment,
    )
    found = re.findall(r"=====\n(.*?)-----(\d+)\n", done.stdout.decode(), re.DOTALL)
    assert len(found) == len(commands), done.stdout.decode()
    return [(int(code), shown) for shown, code in found]
