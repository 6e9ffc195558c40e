"""Survey the sources before anything is built: files, digests, formats, first rows."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from tulu_data import formats
from tulu_data.building.inputs import InputFile, Surveyed, columns_read
from tulu_data.building.quarantine import check_unreadable, unreadable_file
from tulu_data.characters import storable
from tulu_data.errors import InputError, RecordError, did_you_mean, printable, told_of
from tulu_data.executors import Tick
from tulu_data.formats import detect, kept_columns, unread
from tulu_data.formats.format import Format
from tulu_data.readers.arrow_record import AnyRecord
from tulu_data.readers.stream import ENCODING_REMEDY, require_regular
from tulu_data.recipe.recipe import Recipe
from tulu_data.rows import kind as kinds
from tulu_data.rows.kind import Kind, Row
from tulu_data.rows.rows import Rows
from tulu_data.sources.source import Source
from tulu_data.store.workspace import Digest

PROBE_ROWS: Final = 20


@dataclass(frozen=True)
class _Probe:
    """The first records of one file."""

    path: Path
    columns: tuple[str, ...]
    records: tuple[AnyRecord, ...]
    rows: int | None
    expansion: float

    @property
    def values(self) -> list[Any]:
        return [record.value for record in self.records if record.value is not None]


@dataclass(frozen=True)
class DigestUnit:
    """One file to hash: a unit of work."""

    path: Path

    @property
    def rows(self) -> int:
        # As many bytes as are hashed in the time of one row of other work count as one row.
        return self.path.stat().st_size // 10_000

    def __str__(self) -> str:
        return f"hashing {self.path}"


def digest_file(unit: DigestUnit, tick: Tick) -> Digest:
    """Compute a file's sha256."""
    digest = Digest.of(unit.path)
    tick(1)
    return digest


def survey(recipe: Recipe, cache: Path) -> tuple[Surveyed, ...]:
    """Survey every source of a recipe, in the order of their names; no file is hashed.

    `cache` is a folder for sources that make their files.

    Raises `InputError` (exit 3) for a source without files or rows, for files that do not match
    the recipe, and for files of one source that disagree in their columns.
    """
    kind = kinds.find(recipe.kind)
    surveyed = tuple(_survey(name, source, kind, cache) for name, source in sorted(recipe.sources.items()))
    kept_columns.together({source.name: source.source.keep_columns for source in surveyed})
    return surveyed


def hashed(surveyed: Iterable[Surveyed], sha256: Mapping[Path, str]) -> tuple[Surveyed, ...]:
    """Sources with the sha256 of their files, by the files' paths."""
    return tuple(
        replace(source, files=tuple(replace(file, sha256=sha256[file.path]) for file in source.files))
        for source in surveyed
    )


def _survey(name: str, source: Source, kind: Kind, cache: Path) -> Surveyed:
    with told_of(f"sources.{name}"):
        source = source.resolved()
        paths = source.files(cache)
        statuses = [require_regular(path) for path in paths]
        filled = [path for path, status in zip(paths, statuses, strict=True) if status.st_size]
        looked = {path: _probe(source, path, has_others=len(paths) > 1) for path in filled}
        unreadable = {path: probe for path, probe in looked.items() if isinstance(probe, str)}
        check_unreadable(source, unreadable)
        probes = [probe for probe in looked.values() if isinstance(probe, _Probe) and probe.records]
        if not probes and not source.allow_empty:
            many = f"{len(paths)} file{'s' * (len(paths) != 1)}"
            raise InputError(f"no row in {many}; if that is right, say: allow_empty: true")
        format = _format(source, kind, probes)
        if source.keep_columns and probes:
            records = [record for probe in probes for record in probe.records]
            kept = kept_columns.typed(source.keep_columns, records, str(probes[0].path))
            source = source.model_copy(update={"keep_columns": kept})
    files = tuple(InputFile(path, status.st_size) for path, status in zip(paths, statuses, strict=True))
    columns = dict.fromkeys(column for probe in probes for column in probe.columns)
    read = columns_read(source, format) if format else ()
    others = [column for column in columns if column not in read]
    first = [(probe, record) for probe in probes for record in probe.records]
    tried = [_tried(source, kind, format, probe, record) for probe, record in first] if format else []
    good = [row for row in tried if not isinstance(row, str)]
    bad = tuple(error for error in tried if isinstance(error, str))
    expected_rows = sum(map(_expected_rows, probes))
    is_read = all(len(probe.records) < PROBE_ROWS for probe in probes)
    is_counted = all(len(probe.records) < PROBE_ROWS or probe.rows is not None for probe in probes)
    at_most = len(good) if is_read else expected_rows if is_counted else None
    return Surveyed(
        name=name,
        source=source.model_copy(update={"format": format or source.format}),
        format=format,
        files=files,
        columns=tuple(columns),
        unread=(*others, *_unread_keys(format, probes)),
        rows=Rows.of(good, kind),
        probed=len(tried),
        bad=bad,
        expected_rows=expected_rows,
        is_counted=is_counted,
        problem=_problem(source, bad, at_most),
        unreadable=unreadable,
    )


def _problem(source: Source, bad: Sequence[str], at_most: int | None) -> str:
    """Why a build is sure to fail, whatever else a source holds; `at_most` are its rows, where they are known."""
    if len(bad) > source.max_quarantined:
        return (
            f"{len(bad)} record{'s' * (len(bad) != 1)} or more can't become rows, and max_quarantined is "
            f"{source.max_quarantined}; the first: {bad[0]}"
        )
    if at_most == 0 and not source.allow_empty:
        return "no record of it becomes a row; if that is right, say: allow_empty: true"
    if at_most is not None and source.rows is not None and at_most < source.rows:
        return f"rows: {source.rows:,} asked, and it offers {at_most:,}; lower the number, or leave it out to take all"
    return ""


def _tried(source: Source, kind: Kind, format: Format, probe: _Probe, record: AnyRecord) -> Row | str:
    """The row that a record will become, or its place and what is wrong with it."""
    try:
        value = record.content()
        unread.refuse_media(unread.of_record(value, format, columns_read(source, format)), source.drop_parts)
        kept_columns.values_of(value, source.keep_columns)
        row = format.read(value, source.drop_parts)
        error = kind.refuse(row, format.place) if source.needs_answer else None
    except RecordError as unreadable:
        error = unreadable
    return f"{storable(probe.path)}:{record.row}: {error}" if error else row


def _unread_keys(format: Format | None, probes: Sequence[_Probe]) -> list[str]:
    """Keys inside the messages that are not read, as `messages[].refusal`."""
    if format is None:
        return []
    held = (name for probe in probes for value in probe.values for name in unread.of_messages(value, format))
    return list(dict.fromkeys(held))


def _probe(source: Source, path: Path, *, has_others: bool) -> _Probe | str:
    """The first records of a file; or why it can't be read, if the source allows such files."""
    try:
        with source.read(path) as reading:
            records = tuple(itertools.islice(reading.records, PROBE_ROWS))
            expansion = reading.expansion()
    except InputError as error:
        if source.max_quarantined_files:
            return str(error)
        raise unreadable_file(path, error, has_others=has_others) from None
    keys = dict.fromkeys(key for record in records if record.value for key in record.value)
    return _Probe(path, reading.columns or tuple(keys), records, reading.rows, expansion)


def _format(source: Source, kind: Kind, probes: Sequence[_Probe]) -> Format | None:
    """The given format, or the first that fits the columns; every file is checked against it."""
    readable = [probe for probe in probes if probe.values]
    if not readable:
        if probes and source.format is None:
            raise InputError(_unreadable(source, probes[0]))
        return source.format
    first = readable[0]
    said: Format | None = source.format
    # A format that is given by its name alone reads the columns' usual names.
    format = (type(said).detect(first.columns) or said) if said and said == type(said)() else said
    format = format or detect(first.columns, kind, is_finished=source.needs_answer)
    if format is None:
        raise InputError(_undetected(source, kind, first))
    known = formats.of([*kind.formats, *kind.unfinished])
    if not isinstance(format, known):
        listed = ", ".join(one.name for one in known)
        raise InputError(f"format '{format.name}' reads no rows of kind {kind.name}; there are {listed}")
    if missing := format.missing(first.values):
        close = "" if missing[0].isdecimal() else did_you_mean(missing[0], first.columns)
        # A single column is usually a line that was not split.
        hint = (len(first.columns) == 1 and source.hint(first.columns)) or close or source.hint(first.columns)
        raise InputError(f"{first.path}: no column '{missing[0]}', which the format reads; {_listed(first)}{hint}")
    for probe in readable[1:]:
        if missing := format.missing(probe.values):
            raise InputError(
                f"its files disagree: {first.path} has the column '{missing[0]}', {probe.path} has not "
                f"({_listed(probe)}); make two sources of them"
            )
    return format


def _undetected(source: Source, kind: Kind, probe: _Probe) -> str:
    value = probe.values[0]
    inner = [key for key, items in value.items() if isinstance(items, list) and items and isinstance(items[0], dict)]
    if len(probe.values) == 1 and inner:
        path = ".".join(filter(None, [getattr(source, "records", None), f"{inner[0]}[]"]))
        return f"{probe.path}: is one JSON object ({_listed(probe)}); say where its rows are: records: {path}"
    if list(probe.columns) == ["text"]:
        return (
            f"{probe.path}: its only column is 'text', and a row of kind {kind.name} has more than one text; "
            f"say which columns hold them: {formats.wanted(kind)}"
        )
    if prompt := detect(probe.columns, kind, is_finished=False):
        (column,) = prompt.required()
        return (
            f"{probe.path}: '{printable(column, 40)}' may be the prompt, and no column is known for the answer, which "
            f"every row of kind {kind.name} has ({_listed(probe)}); say which it is: format: "
            f"{{prompt: {printable(column, 40)}, response: …}}{source.hint(probe.columns)}"
        )
    return (
        f"{probe.path}: no known format has these columns ({_listed(probe)}); "
        f"say: {formats.wanted(kind)}{source.hint(probe.columns)}"
    )


def _unreadable(source: Source, probe: _Probe) -> str:
    record = probe.records[0]
    code = record.error.code if record.error else ""
    hint = ""
    if code == "invalid_json":
        hint = "; if the file is one JSON document, say where its rows are: records: name[]; if it is CSV, say: csv: …"
    elif code == "invalid_utf8":
        hint = f"; {ENCODING_REMEDY}"
    elif code == "not_an_object" and getattr(source, "records", None):
        hint = f"; for each element of an array say: records: {getattr(source, 'records', '')}[]"
    return f"{probe.path}:{record.row}: none of the first rows can be read: {record.error}{hint}"


def _listed(probe: _Probe) -> str:
    shown = [printable(column, 40) for column in probe.columns[:12]]
    more = ["…"] if len(probe.columns) > len(shown) else []
    return f"its columns are {', '.join([*shown, *more])}"


def _expected_rows(probe: _Probe) -> int:
    if probe.rows is not None:
        return probe.rows
    if len(probe.records) < PROBE_ROWS:
        return len(probe.records)
    row_bytes = sum(len(str(value).encode(errors="replace")) for value in probe.values) / max(len(probe.values), 1)
    return round(probe.path.stat().st_size * probe.expansion / max(row_bytes, 1))
