"""The texts of the sample: files that a person can edit, in `templates/` and `words/`.

    # A file may begin with notes for its editors.

    @ greeting
    > Hi!
    < Hello, {name}.

A line that begins with `@ ` names a section, which continues until the next such line. The
module that reads a section documents its form.
"""

from __future__ import annotations

import importlib.resources
import re
from collections.abc import Callable, Iterator
from functools import cache
from hashlib import sha256
from importlib.resources.abc import Traversable
from typing import Final, TypeVar

ROOT: Traversable = importlib.resources.files(__package__)
FOLDERS: Final = ("templates", "words")
_HEADING = re.compile(r"^@ ", re.MULTILINE)

Made = TypeVar("Made")


def read(path: str, make: Callable[[str, str], Made]) -> tuple[Made, ...]:
    """The results of `make` for the name and the text of each section of a file, in the order of the file.

        read("templates/chat.txt", template)

    Raises `ValueError` with file and line if a section has no name or the name of
    another, or if `make` raises it.
    """
    made = []
    for line, name, text in _sections(path):
        try:
            made.append(make(name, text))
        except ValueError as error:
            raise ValueError(f"{path}:{line}: @ {name}: {error}") from error
    return tuple(made)


def _sections(path: str) -> Iterator[tuple[int, str, str]]:
    """The line, the name and the text of each section."""
    lines: dict[str, int] = {}
    notes, *sections = _HEADING.split(ROOT.joinpath(path).read_text(encoding="utf-8"))
    for line, note in enumerate(notes.splitlines(), start=1):
        if note and not note.startswith("#"):
            raise ValueError(f"{path}:{line}: before the first '@ name' a line begins with '#': {note}")
    if not sections:
        raise ValueError(f"{path}: there is no '@ name'")
    line = notes.count("\n") + 1
    for section in sections:
        heading, _, text = section.partition("\n")
        name = heading.strip()
        if not name:
            raise ValueError(f"{path}:{line}: the section has no name")
        if name in lines:
            raise ValueError(f"{path}:{line}: @ {name}: the section of line {lines[name]} has the same name")
        lines[name] = line
        yield line, name, text.strip()
        line += section.count("\n")


def names(folder: str) -> list[str]:
    """The names of the files in a folder, sorted."""
    return sorted(file.name for file in ROOT.joinpath(folder).iterdir() if file.name.endswith(".txt"))


@cache
def texts_id() -> str:
    """A digest of the names and bytes of all files, in hex: an edited text makes a different sample."""
    state = sha256()
    for path in [f"{folder}/{name}" for folder in FOLDERS for name in names(folder)]:
        state.update(f"{path} {sha256(ROOT.joinpath(path).read_bytes()).hexdigest()}\n".encode())
    return state.hexdigest()
