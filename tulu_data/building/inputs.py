"""The inputs of a build: each file with its digest, and each source with its files and its format."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np

from tulu_data.formats import kept_columns
from tulu_data.formats.format import Format
from tulu_data.rows.kind import Kind
from tulu_data.rows.rows import Rows, Turn
from tulu_data.sources.source import Source
from tulu_data.text import blemishes
from tulu_data.text.blemishes import BLEMISHES, Blemish, shown_in

PREVIEW_ROWS: Final = 3


@dataclass(frozen=True)
class InputFile:
    """One file of a source; `sha256` is empty until it is hashed."""

    path: Path
    size: int
    sha256: str = ""


@dataclass(frozen=True)
class Surveyed:
    """One source after its survey.

    `source` has its format filled in and its moving parts pinned. `columns` are
    those of the first rows, and `unread` the columns that the format does not read; `rows`
    are the first rows as they will be, `preview` the first few of them; `bad` are those of the
    first records that can't become rows, and `probed` is the number of the first records;
    `expected_rows` is an estimate, or exact if `is_counted`. `problem` is why a build of it is
    sure to fail.
    """

    name: str
    source: Source
    format: Format | None
    files: tuple[InputFile, ...]
    columns: tuple[str, ...]
    unread: tuple[str, ...]
    rows: Rows
    probed: int
    bad: tuple[str, ...]
    expected_rows: int
    is_counted: bool = False
    problem: str = ""
    unreadable: Mapping[Path, str] = field(default_factory=dict)
    """Why some of the files can't be read, where the recipe allows such files."""

    @property
    def kind(self) -> Kind:
        """The kind of its rows."""
        return self.rows.kind

    @property
    def preview(self) -> list[tuple[Turn, ...]]:
        """The first rows."""
        return [*self.rows.slice(0, PREVIEW_ROWS).transcripts()]

    @property
    def blemishes(self) -> list[tuple[Blemish, int, str]]:
        """The blemishes of the first rows: how many rows have each, and an excerpt of one that shows it."""
        marks = blemishes.marks(self.rows)
        found = []
        for bit, blemish in enumerate(BLEMISHES):
            places = np.flatnonzero(marks >> np.uint32(bit) & np.uint32(1))
            if len(places):
                (turns,) = self.rows.slice(int(places[0]), 1).transcripts()
                shown = shown_in(blemish.name, [(turn.role, turn.content) for turn in turns])
                found.append((blemish, len(places), shown))
        return found

    @property
    def size(self) -> int:
        """Bytes of all files on disk."""
        return sum(file.size for file in self.files)


def columns_read(source: Source, format: Format) -> tuple[str, ...]:
    """The columns of a source's records that are read, or known to describe the records."""
    return (*format.columns(), *kept_columns.columns_of(source.keep_columns), *source.annotations)


def as_values(surveyed: Surveyed) -> dict[str, Any]:
    """A surveyed source as plain values, for JSON."""
    format = surveyed.format
    return {
        "files": [{"path": str(file.path), "bytes": file.size} for file in surveyed.files],
        "expected_rows": surveyed.expected_rows,
        "problem": surveyed.problem,
        "format": format and {"name": format.name, **format.model_dump(mode="json")},
        "unread": list(surveyed.unread),
        "blemishes": {blemish.name: count for blemish, count, _ in surveyed.blemishes},
        "bad": list(surveyed.bad),
        "preview": [[{"role": turn.speaker, "content": turn.content} for turn in turns] for turns in surveyed.preview],
    }
