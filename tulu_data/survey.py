"""What the sources hold before anything is built: files, digests, formats, first rows."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tulu_data.errors import InputError, RecordError, TuluDataError, did_you_mean, printable
from tulu_data.formats import Format, detect
from tulu_data.readers.record import Record
from tulu_data.readers.stream import require_regular
from tulu_data.recipe import Recipe
from tulu_data.rows import Conversation
from tulu_data.source import Source

PROBE_ROWS: Final = 20
PREVIEW_ROWS: Final = 3


@dataclass(frozen=True)
class InputFile:
    """One file of a source."""

    path: Path
    sha256: str
    size: int


@dataclass(frozen=True)
class Surveyed:
    """One source, looked into.

    `unread` are columns of the first rows that the format does not read; `preview` are
    the first rows as they will be; `row_bytes` is the mean size of the first rows.
    """

    name: str
    source: Source
    format: Format | None
    files: tuple[InputFile, ...]
    unread: tuple[str, ...]
    preview: tuple[Conversation, ...]
    row_bytes: float

    @property
    def size(self) -> int:
        """Bytes of all files, as they lie on the disk."""
        return sum(file.size for file in self.files)


@dataclass(frozen=True)
class _Probe:
    """The first records of one file."""

    path: Path
    columns: tuple[str, ...]
    records: tuple[Record, ...]

    @property
    def values(self) -> list[Any]:
        return [record.value for record in self.records if record.value is not None]


def survey(recipe: Recipe, digest: Callable[[Path], str]) -> tuple[Surveyed, ...]:
    """Look into every source of a recipe, in the order of their names; `digest` gives a file's sha256.

    Raises `InputError` (exit 3) for a source without files or rows, for files that are
    not what the recipe says, and for files of one source that disagree in their columns.
    """
    return tuple(_survey(name, source, digest) for name, source in sorted(recipe.sources.items()))


def _survey(name: str, source: Source, digest: Callable[[Path], str]) -> Surveyed:
    try:
        paths = source.files()
        statuses = [require_regular(path) for path in paths]
        probes = [_probe(source, path) for path, status in zip(paths, statuses, strict=True) if status.st_size]
        probes = [probe for probe in probes if probe.records]
        if not probes and not source.allow_empty:
            files = f"{len(paths)} file{'s' * (len(paths) != 1)}"
            raise InputError(f"no row in {files}; if that is right, say: allow_empty: true")
        format = _format(source, probes)
    except TuluDataError as error:
        raise type(error)(f"sources.{name}: {error}") from None
    files = tuple(
        InputFile(path, digest(path), status.st_size) for path, status in zip(paths, statuses, strict=True)
    )
    read = format.columns() if format else ()
    columns = dict.fromkeys(column for probe in probes for column in probe.columns)
    values = [value for probe in probes for value in probe.values]
    preview = tuple(itertools.islice(_readable(format, values), PREVIEW_ROWS)) if format else ()
    unread = tuple(column for column in columns if column not in read)
    return Surveyed(name, source, format, files, unread, preview, _row_bytes(probes))


def _probe(source: Source, path: Path) -> _Probe:
    with source.read(path) as reading:
        records = tuple(itertools.islice(reading.records, PROBE_ROWS))
    keys = dict.fromkeys(key for record in records if record.value for key in record.value)
    return _Probe(path, reading.columns or tuple(keys), records)


def _format(source: Source, probes: Sequence[_Probe]) -> Format | None:
    """The format that is said, or the first that the columns fit; every file is held to it."""
    readable = [probe for probe in probes if probe.values]
    if not readable:
        if probes and source.format is None:
            raise InputError(_unreadable(probes[0]))
        return source.format
    first = readable[0]
    said = source.format
    # A format by its name alone takes the columns' usual names.
    format = (type(said).detect(first.columns) or said) if said and said == type(said)() else said
    format = format or detect(first.columns)
    if format is None:
        raise InputError(_undetected(first))
    if missing := format.missing(first.values):
        hint = did_you_mean(missing[0], first.columns)
        raise InputError(f"{first.path}: no column '{missing[0]}', which the format reads; {_listed(first)}{hint}")
    for probe in readable[1:]:
        if missing := format.missing(probe.values):
            raise InputError(
                f"its files disagree: {first.path} has the column '{missing[0]}', {probe.path} has not "
                f"({_listed(probe)}); make two sources of them"
            )
    return format


def _undetected(probe: _Probe) -> str:
    nested = [key for key, value in probe.values[0].items() if isinstance(value, list) and value and isinstance(value[0], dict)]
    if len(probe.values) == 1 and nested:
        return f"{probe.path}: is one JSON object ({_listed(probe)}); say where its rows are: records: {nested[0]}[]"
    if list(probe.columns) == ["text"]:
        return (
            f"{probe.path}: its only column is 'text': plain text without prompt and response is no conversation; "
            "if one column holds the answer, say which: format: {prompt: …, response: …}"
        )
    return f"{probe.path}: no known format has these columns ({_listed(probe)}); say: format: {{prompt: …, response: …}}"


def _unreadable(probe: _Probe) -> str:
    record = probe.records[0]
    looks_whole = record.error is not None and record.error.code == "invalid_json" and record.row == 1
    hint = "; if the file is one JSON document, say where its rows are: records: name[]" if looks_whole else ""
    return f"{probe.path}:{record.row}: none of the first rows can be read: {record.error}{hint}"


def _listed(probe: _Probe) -> str:
    shown = [printable(column, 40) for column in probe.columns[:12]]
    more = ["…"] if len(probe.columns) > len(shown) else []
    return f"its columns are {', '.join([*shown, *more])}"


def _readable(format: Format, values: Sequence[Any]) -> Iterator[Conversation]:
    for value in values:
        try:
            yield format.read(value)
        except RecordError:
            continue


def _row_bytes(probes: Sequence[_Probe]) -> float:
    values = [value for probe in probes for value in probe.values]
    return sum(len(str(value)) for value in values) / len(values) if values else 0.0
