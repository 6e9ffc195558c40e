"""Paths in a recipe: variables, patterns, and the files that they match."""

from __future__ import annotations

import os
import re
from collections import Counter
from pathlib import Path
from typing import Annotated

from pydantic import Field

from tulu_data.errors import InputError, UsageError, did_you_mean
from tulu_data.options import one_or_many
from tulu_data.store import patterns

_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


_SCHEME = re.compile(r"^[A-Za-z][A-Za-z0-9+.-]+://")


Paths = Annotated[
    tuple[str, ...],
    one_or_many(str),
    Field(min_length=1),
]
"""A path or a list of paths, each a pattern by the rule of `patterns`; `${NAME}` is an environment variable."""


def expand(pattern: str) -> str:
    """Replace environment variables by their values.

    Raises `UsageError` (exit 2) for one that is not set.
    """

    def value(found: re.Match[str]) -> str:
        name = found.group(1)
        if name not in os.environ:
            raise UsageError(
                f"'{pattern}': ${{{name}}} is not set; set it with: export {name}=…{did_you_mean(name, os.environ)}"
            )
        return os.environ[name]

    return _VARIABLE.sub(value, pattern)


def find_files(pattern: str) -> list[Path]:
    """The files that one path or pattern matches.

    Raises `InputError` (exit 3) if there is none, and if a link that a pattern matches
    leads out of the pattern's folder.
    """
    expanded = expand(pattern)
    if _SCHEME.match(expanded):
        hint = "; a dataset of the Hub is named with: huggingface: ORG/NAME" if expanded.startswith("hf://") else ""
        raise UsageError(f"'{pattern}': addresses are not read; a source's paths are local files{hint}")
    if "\0" in expanded:
        raise UsageError(f"{pattern!r}: a path has no NUL character")
    if not patterns.is_pattern(expanded):
        if not Path(expanded).exists():
            raise InputError(f"{expanded}: no such file{_looked_in(expanded)}{_unexpanded(expanded)}")
        if Path(expanded).is_dir():
            raise InputError(f"{expanded}: is a folder; name its files, as: {_files_in(Path(expanded))}")
        return [Path(expanded)]
    found = patterns.find(expanded)
    if not found:
        raise InputError(f"'{pattern}' matches no file{_looked_in(expanded)}")
    root = os.path.realpath(patterns.fixed_part(expanded))
    for path in found:
        target = os.path.realpath(path)
        if not Path(target).is_relative_to(root):
            raise InputError(f"{path}: is a link to {target}, outside of {root}; name that file itself if it is meant")
    return found


def _files_in(folder: Path) -> str:
    """A pattern for the files of a folder with the most frequent ending."""
    endings = Counter("".join(path.suffixes[-2:]) for path in folder.iterdir() if path.is_file())
    ending = max(sorted(endings), key=endings.__getitem__, default="")
    return f"{folder}/*{ending}"


def _unexpanded(path: str) -> str:
    if path.startswith("~"):
        return "; '~' is not expanded: write the path in full, or ${HOME}"
    return "; a variable is written ${NAME}" if "$" in path else ""


def _looked_in(path: str) -> str:
    return "" if Path(path).is_absolute() else f" (looked in {Path.cwd()})"
