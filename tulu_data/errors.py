"""The exception tree; each error gives a place, a value and a remedy, and has its own exit code.

    TuluDataError
    ├── InvariantError      1    a bug or a broken promise: please report it
    ├── RecipeError         2    the recipe, with file:line:column and the line itself
    ├── UsageError          2    the command line
    ├── InputError          3    input data, with file:row
    │   └── RowError        3    a row that a stage refuses, before its place is known
    ├── FindingsError       4    the data was read, and something in it stops the build
    ├── ConflictError       5    another build holds the output, or a version is taken
    ├── ResourceError       6    disk, memory, a read-only file system
    └── HubError            7    the network, or what the Hub answered

`RecordError` is outside the tree: it is one bad record of an input, which its source
either quarantines or turns into an `InputError`.
"""

from __future__ import annotations

import difflib
import errno
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tulu_data.characters import visible

EXCERPT_CHARACTERS = 80


class TuluDataError(Exception):
    """A problem that a person can act on. `str(error)` is the whole message."""

    exit_code = 1


class InvariantError(TuluDataError):
    """A promise of this program does not hold."""

    exit_code = 1


class UsageError(TuluDataError):
    """The command was called with wrong arguments."""

    exit_code = 2


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong in a recipe, and where.

    `line` and `column` count from 1; `path` is the key path (`stages[3].length_filter`).
    """

    line: int
    column: int
    path: str
    what: str


class RecipeError(TuluDataError):
    """One or more problems of a recipe, each with the source line that shows it."""

    exit_code = 2

    def __init__(self, file: Path | str, problems: Iterable[Problem], text: str = "") -> None:
        self.file = str(file)
        self.problems = tuple(problems)
        lines = text.splitlines()
        super().__init__("\n".join(self._shown(problem, lines) for problem in self.problems))

    def _shown(self, problem: Problem, lines: list[str]) -> str:
        path = f"{problem.path}: " if problem.path else ""
        head = f"{self.file}:{problem.line}:{problem.column}: {path}{problem.what}"
        if not 0 < problem.line <= len(lines):
            return head
        # A long line is cut, so that it begins shortly before the place.
        start = max(0, problem.column - 80) if problem.column > 140 else 0
        source = printable(lines[problem.line - 1][start:], limit=160)
        gutter = f"{problem.line:>5} | {'…' * bool(start)}"
        before = visible(lines[problem.line - 1][start : problem.column - 1])
        return f"{head}\n{gutter}{source}\n{' ' * len(gutter + before)}^"


class InputError(TuluDataError):
    """Input data that cannot be used as it is."""

    exit_code = 3


class RowError(InputError):
    """A row that a stage refuses to measure, and why.

    `row` is its number among the rows that were given to the stage, from 0; where `source` and
    `file` (sha256) are known, it is the number of its record in that file, from 1.

    >>> str(RowError(3, "it has no words"))
    'it has no words'
    """

    def __init__(self, row: int, what: str, source: str = "", file: str = "") -> None:
        super().__init__(row, what, source, file)
        self.row, self.what, self.source, self.file = row, what, source, file

    def __str__(self) -> str:
        return self.what


@contextmanager
def told_of(place: str) -> Iterator[None]:
    """Put a place before the message of an error about inputs, findings or the Hub that is raised inside.

    >>> with told_of("sources.a"):
    ...     raise InputError("x.jsonl: no such file")
    Traceback (most recent call last):
    ...
    tulu_data.errors.InputError: sources.a: x.jsonl: no such file
    """
    try:
        yield
    except (InputError, UsageError, FindingsError, ConflictError, HubError) as error:
        raise type(error)(f"{place}: {error}") from None


class FindingsError(TuluDataError):
    """The data was read, and a finding in it stops the build."""

    exit_code = 4


class ConflictError(TuluDataError):
    """Another process uses the output, or a version's name is taken."""

    exit_code = 5


class ResourceError(TuluDataError):
    """The machine has no room left, or refuses to write."""

    exit_code = 6

    @classmethod
    def from_os(cls, error: OSError) -> ResourceError:
        """Say in plain words what the operating system refused.

        >>> print(ResourceError.from_os(OSError(28, "No space left on device", "out/x.tmp")))
        out/x.tmp: no space left on device; free some and run the same command again: it goes on where it stopped
        """
        place = error.filename if isinstance(error.filename, str) else None
        what = (error.strerror or str(error)).lower()
        free = _free_space(place)
        return cls(
            f"{place + ': ' if place else ''}{what}{free}; "
            f"{_REMEDIES.get(error.errno or 0, 'fix it')} and run the same command again: "
            "it goes on where it stopped"
        )


_REMEDIES = {
    errno.ENOSPC: "free some",
    errno.EDQUOT: "free some of the quota",
    errno.EFBIG: "raise the limit on file sizes (ulimit -f)",
    errno.EROFS: "choose a place that can be written (--out, --workspace)",
    errno.EACCES: "choose a place that can be written (--out, --workspace)",
    errno.EPERM: "choose a place that can be written (--out, --workspace)",
    errno.EIO: "check the disk",
    errno.ENOMEM: "give it more memory",
    errno.EMFILE: "raise the limit on open files (ulimit -n)",
}
RESOURCE_ERRNOS = frozenset(_REMEDIES)
PLACE_ERRNOS = frozenset({errno.EEXIST, errno.ENOTDIR, errno.EISDIR, errno.ENAMETOOLONG})
"""Errors of the operating system about a path that a person chose."""


def _free_space(place: str | None) -> str:
    folder = Path(place).parent if place else None
    if folder is None or not folder.is_dir():
        return ""
    status = os.statvfs(folder)
    free = status.f_bavail * status.f_frsize
    return f" ({free / 1e6:,.1f} MB free there)" if free < 1e9 else ""


class Remark(UserWarning):
    """A warning about input that works but may be a mistake: the command line shows it and continues."""


class HubError(TuluDataError):
    """The Hub can't be reached, or does not give what is asked for.

    `is_busy` is true where it may answer later; `wait` is the number of seconds to wait, if the Hub gave one.
    """

    exit_code = 7

    def __init__(self, *words: object, is_busy: bool = False, wait: float | None = None) -> None:
        super().__init__(*words)
        self.is_busy = is_busy
        self.wait = wait


class RecordError(Exception):
    """One record that cannot become a row: a code, and a detail of what was found.

    >>> str(RecordError("unknown_role", "messages[1].role is 'narrator'"))
    "unknown_role: messages[1].role is 'narrator'"
    """

    def __init__(self, code: str, detail: str) -> None:
        self.code = code
        self.detail = detail
        super().__init__(f"{code}: {detail}")


def did_you_mean(word: str, choices: Iterable[str]) -> str:
    """A hint to append to a message, or nothing.

    >>> did_you_mean("minhash_dedop", ["minhash_dedup", "length_filter"])
    "; did you mean 'minhash_dedup'?"
    """
    close = difflib.get_close_matches(word, list(choices), n=1, cutoff=0.6)
    return f"; did you mean '{close[0]}'?" if close else ""


def printable(text: str, limit: int = EXCERPT_CHARACTERS) -> str:
    r"""Untrusted text made safe for a message: cut at `limit`, with every character visible.

    >>> printable("a\x1b]0;title\n")
    'a\\x1b]0;title\\n'
    """
    return visible(text if len(text) <= limit else text[: limit - 1] + "…")
