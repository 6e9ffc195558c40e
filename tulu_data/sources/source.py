"""A source: a place that rows come from, and its options in a recipe.

A kind of source is one class in `tulu_data/sources/`; the name of the class in snake case
is the key that gives the place of its rows (`jsonl: data/*.jsonl`).
"""

from __future__ import annotations

import os
from abc import abstractmethod
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, NamedTuple, Self

from pydantic import Field, PositiveInt, PrivateAttr, model_validator

from tulu_data.errors import InputError
from tulu_data.formats import FormatSpec
from tulu_data.formats.kept_columns import KeptColumns
from tulu_data.options import Options
from tulu_data.readers.arrow_record import AnyRecord
from tulu_data.sources.paths import Paths, find_files

if TYPE_CHECKING:
    import polars as pl


class Source(Options):
    """Where rows come from, and which of them are taken.

    Rows are taken by a keyed hash of their ids, so that `rows: 2000` contains the rows of
    `rows: 1000`, whatever the order of the files.
    """

    format: FormatSpec | None = Field(None, description="How columns become a conversation; detected by default")
    domain: str | None = Field(None, description="Written into the column `domain` of every row")
    license: str | None = Field(None, description="The licence of the data, as its publisher states it")
    rows: PositiveInt | None = Field(None, description="Take this many rows; an error if there are fewer")
    fraction: Annotated[Decimal, Field(gt=0, le=1)] | None = Field(None, description="Take this part of the rows")
    max_quarantined: Annotated[int, Field(ge=0)] = Field(0, description="Allow this many bad records; they are listed")
    exclude: Paths | None = Field(None, description="Files to leave out of those that the path matches")
    max_quarantined_files: Annotated[int, Field(ge=0)] = Field(
        0, description="Allow this many files that can't be read to their end; they are listed, and give no row"
    )
    keep_columns: KeptColumns = Field(
        {}, description="Columns to carry along into the mixture: names, or names with types"
    )
    drop_parts: tuple[str, ...] = Field(
        (), description="Types of content parts to leave out, such as `image`; others that are not text are errors"
    )
    allow_empty: bool = Field(False, description="Accept a source without any row")

    _needs_answer: bool = PrivateAttr(default=True)

    place: ClassVar[str]
    """The field with the place of the rows; also the source's key in a recipe."""

    annotations: ClassVar[tuple[str, ...]] = ()
    """Columns of records about themselves, which are not reported as unread."""

    made_by: ClassVar[tuple[str, ...]] = ()
    """The libraries whose versions decide the bytes of files that it makes."""
    is_planted: ClassVar[bool] = False
    """Whether faults were planted in its records, which `planted` lists."""

    @model_validator(mode="after")
    def _one_amount(self) -> Source:
        if self.rows is not None and self.fraction is not None:
            raise ValueError("'rows' and 'fraction' exclude each other; keep one of them")
        return self

    def resolved(self) -> Self:
        """The source with everything that may change pinned, such as a branch to its commit."""
        return self

    def files(self, cache: Path) -> tuple[Path, ...]:
        """The files with its rows at this moment, each once, sorted by path.

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
        """Whether its files are available without a network."""
        return True

    @property
    def needs_answer(self) -> bool:
        """Whether a record without an answer is a bad one; in a recipe it is, for rows are for fine-tuning."""
        return self._needs_answer

    def with_unanswered(self) -> Self:
        """The same source, whose rows without an answer are read too."""
        copy = self.model_copy()
        copy._needs_answer = False  # noqa: SLF001 (of our own kind)
        return copy

    def reading(self) -> dict[str, Any]:
        """The options that change what a file's records are: part of the store's key."""
        own = set(type(self).model_fields) - set(Source.model_fields) - {self.place}
        return self.model_dump(mode="json", include=own)

    def hint(self, columns: tuple[str, ...]) -> str:
        """A guess why these columns fit no format, to append to a message; or an empty text."""
        return ""

    def planted(self) -> pl.DataFrame:
        """The faults that were planted in its records; the columns are those of `tulu_data.sample.planted`."""
        raise NotImplementedError

    @abstractmethod
    def read(self, file: Path, columns: tuple[str, ...] = ()) -> AbstractContextManager[Reading]:
        """Open one file. `columns` are those that will be read; others are only checked for values."""

    def cut(self, file: Path, records: int) -> Cut | None:
        """The places to cut a file into parts of this many records; None if it must be read as a whole."""
        return None

    def read_part(self, file: Path, part: Part, columns: tuple[str, ...] = ()) -> AbstractContextManager[Reading]:
        """Open one part of a file that was cut; the reading's sha256 is the part's."""
        raise NotImplementedError


class Part(NamedTuple):
    """Some records of a file, after `before` others: bytes from `start` to `end`.

    `sha256` is that of all bytes that decide the records.
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
    are given if the file itself states them.
    """

    records: Iterator[AnyRecord]
    sha256: Callable[[], str]
    expansion: Callable[[], float] = lambda: 1.0
    columns: tuple[str, ...] | None = None
    rows: int | None = None
