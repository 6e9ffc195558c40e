"""A first project: a recipe, its JSON Schema for editors, and example data."""

from __future__ import annotations

import importlib.resources
from pathlib import Path

from tulu_data.errors import UsageError
from tulu_data.recipe.reference import SCHEMA_FILE, schema_text


def start(folder: Path) -> list[Path]:
    """Write the files of a first project into a folder; return the paths that were written.

    An existing `.gitignore` is kept, and if there are JSON Lines in `data/`, the recipe
    reads these instead of an example. Raises `UsageError` (exit 2) if another of the
    files is there already.
    """
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{folder}: is a file; give a folder: tulu-data init DIR")
    starter = importlib.resources.files("tulu_data") / "starter"
    texts = {
        "recipe.yaml": (starter / "recipe.yaml").read_text(encoding="utf-8"),
        SCHEMA_FILE: schema_text(),
        ".gitignore": "mixtures/\n.tulu-data/\n",
    }
    if any(folder.glob("data/*.jsonl")):
        texts["recipe.yaml"] = texts["recipe.yaml"].replace("data/example.jsonl", "data/*.jsonl")
    else:
        texts["data/example.jsonl"] = (starter / "data" / "example.jsonl").read_text(encoding="utf-8")
    there = [name for name in texts if (folder / name).exists()]
    if taken := [name for name in there if name != ".gitignore"]:
        raise UsageError(f"{folder / taken[0]}: is there already; choose another folder: tulu-data init DIR")
    new = {folder / name: text for name, text in texts.items() if name not in there}
    for path, text in new.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return list(new)
