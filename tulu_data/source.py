"""What a source is: a place that rows come from, and what a recipe may say of it.

A kind of source is one class in `tulu_data/sources/`; the name of the class in snake case
is the key that says where its rows are (`jsonl: data/*.jsonl`).
"""

from __future__ import annotations

import os
import re
from abc import abstractmethod
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, ClassVar, Final, NamedTuple, Self

from pydantic import BeforeValidator, Field, PositiveInt, PrivateAttr, model_validator

from tulu_data import patterns
from tulu_data.errors import InputError, UsageError, did_you_mean
from tulu_data.formats import FormatSpec
from tulu_data.kept_columns import KeptColumns
from tulu_data.options import Options
from tulu_data.readers.arrow_record import AnyRecord

NAME_PATTERN: Final = r"^[a-z0-9][a-z0-9._-]{0,63}$"
_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_SCHEME = re.compile(r"^[A-Za-z][A-Za-z0-9+.-]+://")

Paths = Annotated[
    tuple[str, ...],
    BeforeValidator(
        lambda value: (value,) if isinstance(value, str) else value, json_schema_input_type=str | list[str]
    ),
    Field(min_length=1),
]
"""A path or a list of paths, each a pattern by the rule of `patterns`; `${NAME}` is an environment variable."""


class Source(Options):
    """Where rows come from, and what is taken of them.

    Rows are taken by a keyed hash of their ids, so that `rows: 2000` holds the rows of
    `rows: 1000`, whatever the order of the files.
    """

    format: FormatSpec | None = Field(None, description="How columns become a conversation; detected where not said")
    domain: str | None = Field(None, description="Written into the column `domain` of every row")
    license: str | None = Field(None, description="The licence of the data, as its publisher states it")
    rows: PositiveInt | None = Field(None, description="Take this many rows; an error where there are fewer")
    fraction: Annotated[Decimal, Field(gt=0, le=1)] | None = Field(None, description="Take this part of the rows")
    max_quarantined: Annotated[int, Field(ge=0)] = Field(0, description="Allow this many bad records; they are listed")
    exclude: Paths | None = Field(None, description="Files that are left out of those that the path means")
    max_quarantined_files: Annotated[int, Field(ge=0)] = Field(
        0, description="Allow this many files that can't be read to their end; they are listed, and give no row"
    )
    keep_columns: KeptColumns = Field(
        {}, description="Columns to carry along into the mixture: names, or names with types"
    )
    drop_parts: tuple[str, ...] = Field(
        (), description="Types of content parts to leave out, such as `image`; of other types than text all are refused"
    )
    allow_empty: bool = Field(False, description="Accept a source without any row")

    _needs_answer: bool = PrivateAttr(default=True)

    place: ClassVar[str]
    """The field that says where the rows are; also the source's name in a recipe."""

    annotations: ClassVar[tuple[str, ...]] = ()
    """Columns that its records have about themselves; that they are not read is no news."""

    made_by: ClassVar[tuple[str, ...]] = ()
    """The libraries whose versions decide the bytes of files that it makes."""

    @model_validator(mode="after")
    def _one_amount(self) -> Source:
        if self.rows is not None and self.fraction is not None:
            raise ValueError("'rows' and 'fraction' exclude each other; keep one of them")
        return self

    def resolved(self) -> Self:
        """The source with what may move pinned, such as a branch to its commit."""
        return self

    def files(self, cache: Path) -> tuple[Path, ...]:
        """The files that hold its rows now, without doubles, sorted by path.

        `cache` is a folder of the workspace for sources that make their files.
        """
        paths: tuple[str, ...] = getattr(self, self.place)
        found = sorted(file for path in paths for file in find_files(path))
        for path in self.exclude or ():
            excluded = {os.path.realpath(file) for file in find_files(path)}
            left = [file for file in found if os.path.realpath(file) not in excluded]
            if len(left) == len(found):
                raise InputError(f"exclude: '{path}' matches none of its files; mend it, or leave it out")
            found = left
        # The same file under two names is one file.
        return tuple({os.path.realpath(file): file for file in reversed(found)}.values())[::-1]

    def is_here(self, cache: Path) -> bool:
        """Whether its files can be had without a network."""
        return True

    @property
    def needs_answer(self) -> bool:
        """Whether a record that nobody answers is a bad one; in a recipe it is, for rows are for fine-tuning."""
        return self._needs_answer

    def with_unanswered(self) -> Self:
        """The same source, of which rows that nobody answers are read, too."""
        copy = self.model_copy()
        copy._needs_answer = False  # noqa: SLF001 (of our own kind)
        return copy

    def reading(self) -> dict[str, Any]:
        """The options that change what a file's records are: part of the store's key."""
        own = set(type(self).model_fields) - set(Source.model_fields) - {self.place}
        return self.model_dump(mode="json", include=own)

    def hint(self, columns: tuple[str, ...]) -> str:
        """What may be amiss where these columns fit no format, to append to a message; or nothing."""
        return ""

    @abstractmethod
    def read(self, file: Path, columns: tuple[str, ...] = ()) -> AbstractContextManager[Reading]:
        """Open one file. `columns` are those that will be read; of others it is seen whether they hold something."""

    def cut(self, file: Path, records: int) -> Cut | None:
        """Where a file can be cut into parts of so many records each; None where it is read in one go."""
        return None

    def read_part(self, file: Path, part: Part, columns: tuple[str, ...] = ()) -> AbstractContextManager[Reading]:
        """Open one part of a file that was cut; the reading's sha256 is the part's."""
        raise NotImplementedError


class Part(NamedTuple):
    """Some records of a file, after `before` others: bytes from `start` to `end`.

    `sha256` is that of all bytes that decide what the records are.
    """

    before: int
    records: int
    start: int
    end: int
    sha256: str


class Cut(NamedTuple):
    """The parts of a file, in order, and the sha256 of the file."""

    parts: tuple[Part, ...]
    sha256: str


class Reading(NamedTuple):
    """An open file.

    `records` come in order; `sha256` gives the digest of the file once they are read, and
    `expansion` how many bytes one byte of the file has become so far. `columns` and `rows`
    are there where the file itself names them.
    """

    records: Iterator[AnyRecord]
    sha256: Callable[[], str]
    expansion: Callable[[], float] = lambda: 1.0
    columns: tuple[str, ...] | None = None
    rows: int | None = None


def expand(pattern: str) -> str:
    """Put environment variables in.

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
    """The files that one path or pattern means.

    Raises `InputError` (exit 3) where there is none, and where a link that a pattern
    matches leads out of the pattern's folder.
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
    """A pattern for the files of a folder, by the ending that most of them have."""
    endings = Counter("".join(path.suffixes[-2:]) for path in folder.iterdir() if path.is_file())
    ending = max(sorted(endings), key=endings.__getitem__, default="")
    return f"{folder}/*{ending}"


def _unexpanded(path: str) -> str:
    if path.startswith("~"):
        return "; '~' is not expanded: write the path in full, or ${HOME}"
    return "; a variable is written ${NAME}" if "$" in path else ""


def _looked_in(path: str) -> str:
    return "" if Path(path).is_absolute() else f" (looked in {Path.cwd()})"
