"""Patterns of names and of paths: one rule, wherever a pattern is allowed.

`*` is any part of a name, `?` one character, `[ab]` and `[a-z]` one of these, `[!ab]` any
other, and `**` any number of folders, or none. `*` and `**` leave out names that begin
with a dot. If a file or folder has exactly the name of the pattern, the pattern means this alone.
"""

from __future__ import annotations

import os
import re
import warnings
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Final

from tulu_data.errors import InputError, Remark, printable

NAME_PATTERN: Final = r"^[a-z0-9][a-z0-9._-]{0,63}$"
"""A regular expression for names in a recipe: of a mixture, source, evaluation set, domain or version."""
ANY_FOLDERS: Final = "**"
SIGNS: Final = "*?["
_MAGIC: Final = re.compile(r"[*?[]")
_SPECIAL: Final = frozenset(r".^$*+?{}[]\|()")
_SPECIAL_IN_SET: Final = frozenset(r"\^-[]&~|")
ANY: Final = ".*"
_NOTHING: Final = r"[^\s\S]"


def is_pattern(text: str) -> bool:
    """Whether a text contains a special character of patterns.

    >>> is_pattern("data/*.jsonl"), is_pattern("data/a.jsonl")
    (True, False)
    """
    return _MAGIC.search(text) is not None


def matches(name: str, patterns: Iterable[str]) -> bool:
    """Whether a name is one of `patterns`, or matches one.

    >>> matches("flan_gsm8k", ["flan_*"]), matches("gold_3", ["gold_[12]"])
    (True, False)
    """
    return any(name == pattern or _compiled(pattern).fullmatch(name) for pattern in patterns)


def expression(pattern: str) -> str:
    r"""A pattern of one name as a regular expression that Python and Rust read alike.

    >>> expression("gold_[!1-3].*")
    '(?s:gold_[^1-3]\\..*)'
    """
    return f"(?s:{''.join(_pieces(pattern))})"


def _pieces(pattern: str) -> list[str]:
    pieces: list[str] = []
    place = 0
    while place < len(pattern):
        sign = pattern[place]
        # A `]` directly after the opening bracket is a member of the set.
        end = pattern.find("]", place + (3 if pattern[place + 1 : place + 2] == "!" else 2)) if sign == "[" else -1
        if end > 0:
            pieces.append(_set(pattern[place + 1 : end]))
            place = end
        elif sign == "*":
            pieces += [ANY] if pieces[-1:] != [ANY] else []
        elif sign == "?":
            pieces.append(".")
        else:
            pieces.append(f"\\{sign}" if sign in _SPECIAL else sign)
        place += 1
    return pieces


def find(pattern: str, *, folders: bool = False) -> list[Path]:
    """The files that match a pattern, with `folders` the folders too, sorted by path.

        find("runs/*/train-*.jsonl")

    Links to folders are followed; `**` enters each folder once, and none above the one where it
    begins, so that a circle of links ends. Warns (`Remark`) if a file with exactly the pattern's
    name hides others that it matches. Raises `InputError` (exit 3) for a folder that can't be read.
    """
    root, parts = _split(pattern)
    return sorted(path for path in set(_walk(root, parts, pattern)) if folders or not path.is_dir())


def fixed_part(pattern: str) -> Path:
    """The folder where a pattern begins: all parts before the first one with a special character."""
    return _split(pattern)[0]


def _split(pattern: str) -> tuple[Path, list[str]]:
    parts = Path(pattern).parts
    fixed = next((index for index, part in enumerate(parts) if is_pattern(part)), len(parts))
    return Path(*parts[:fixed]), list(parts[fixed:])


def _walk(folder: Path, parts: Sequence[str], pattern: str) -> Iterator[Path]:
    if not parts:
        if os.path.lexists(folder):
            yield folder
        return
    part, *rest = parts
    exact = folder / part
    if os.path.lexists(exact):
        others = [name for name in _names(folder, part) if name != part] if is_pattern(part) else []
        if others:
            listed = ", ".join(printable(name, 60) for name in others[:3]) + (", …" if len(others) > 3 else "")
            _remark(
                f"'{pattern}': '{exact}' is there, and this alone is read; the pattern would also match {listed}: "
                "name what else is meant"
            )
        yield from _walk(exact, rest, pattern)
    elif part == ANY_FOLDERS:
        while rest[:1] == [ANY_FOLDERS]:
            rest = rest[1:]
        for below in _folders(folder) if folder.is_dir() else ():
            yield from _walk(below, rest or ["*"], pattern)
    elif is_pattern(part):
        for name in _names(folder, part):
            yield from _walk(folder / name, rest, pattern)


def _folders(folder: Path) -> Iterator[Path]:
    """A folder and all folders below it, each once, even if several links lead to it."""
    root = Path(os.path.realpath(folder))
    entered: set[tuple[int, int]] = set()
    waiting = [folder]
    while waiting:
        folder = waiting.pop()
        status = folder.stat()
        if (status.st_dev, status.st_ino) in entered:
            continue
        entered.add((status.st_dev, status.st_ino))
        yield folder
        waiting += [path for name in reversed(_names(folder, "*")) if _is_below(path := folder / name, root)]


def _is_below(path: Path, root: Path) -> bool:
    """Whether it is a folder, but not a link to one above, where everything here would be found again."""
    return path.is_dir() and not (path.is_symlink() and root.is_relative_to(os.path.realpath(path)))


def _names(folder: Path, part: str) -> list[str]:
    """The names in a folder that one part of a pattern matches, sorted."""
    try:
        names = sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []
    except OSError as error:
        raise InputError(f"{folder}: {(error.strerror or str(error)).lower()}; name what is to be read") from None
    known = _compiled(part)
    return [name for name in names if known.fullmatch(name) and (name[0] != "." or part[0] == ".")]


def _remark(text: str) -> None:
    warnings.warn(text, Remark, stacklevel=2)


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    runs = [""]
    for piece in _pieces(pattern):
        if piece == ANY:
            runs.append("")
        else:
            runs[-1] += piece
    head, *inner = runs[:-1] if len(runs) > 1 else [""]
    # Between two stars only the first match is tried: otherwise many stars would take exponential time.
    middle = "".join(f"(?>.*?{run})" for run in inner) + ".*" * (len(runs) > 1)
    return re.compile(f"(?s:{head}{middle}{runs[-1]})")


def _set(content: str) -> str:
    """The regular expression for the set of characters between two brackets."""
    is_not = content.startswith("!")
    signs = content[is_not:]
    members: list[str] = []
    place = 0
    while place < len(signs):
        first, last = signs[place], signs[place]
        if signs[place + 1 : place + 2] == "-" and place + 2 < len(signs):
            last = signs[place + 2]
            place += 2
        if first < last:
            members.append(f"{_member(first)}-{_member(last)}")
        elif first == last:
            members.append(_member(first))
        place += 1
    if not members:
        return "." if is_not else _NOTHING
    return f"[{'^' * is_not}{''.join(members)}]"


def _member(sign: str) -> str:
    return f"\\{sign}" if sign in _SPECIAL_IN_SET else sign
