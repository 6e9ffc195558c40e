"""Records that can't become rows, and files that can't be read: how many of them a source may have."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tulu_data.building.file_units import FileUnit
from tulu_data.building.inputs import InputFile
from tulu_data.building.shards import Shard
from tulu_data.errors import InputError
from tulu_data.readers.stream import ENCODING_REMEDY
from tulu_data.sources.source import Source

SHOWN_RECORDS: Final = 5
SHOWN_FILES: Final = 5
# A file that is all wrong is not read to its end; one with a few bad records is, so that all of them are listed.
MANY_RECORDS: Final = 1_000


class _FinalError(InputError):
    """An error that is not only about one file, so that the file is not set aside for it."""


def changed_file(file: InputFile) -> InputError:
    return _FinalError(f"{file.path}: changed while it was read; run the command again")


def check_many(unit: FileUnit, shards: Sequence[Shard]) -> None:
    """Stop at a file that is all wrong."""
    if sum(shard.records - shard.rows for shard in shards) > unit.source.max_quarantined + MANY_RECORDS:
        try:
            check_quarantine(unit.source, shards, unit.paths())
        except InputError as error:
            raise _FinalError(str(error)) from None


@dataclass
class _Aside:
    """Why a file can't be read to its end, once that is known."""

    reason: str | None = None


@contextmanager
def set_aside(unit: FileUnit) -> Iterator[_Aside]:
    """Note that a file can't be read, if its source allows such files: each file is then a unit by itself."""
    aside = _Aside()
    try:
        yield aside
    except InputError as error:
        if isinstance(error, _FinalError):
            raise
        if not unit.source.max_quarantined_files:
            named = (file.path for file in unit.files if str(error).startswith(f"{file.path}:"))
            path = next(named, unit.files[0].path)
            raise unreadable_file(path, error, has_others=unit.has_others) from None
        aside.reason = str(error)


def check_quarantine(source: Source, shards: Collection[Shard], paths: Mapping[str, Path]) -> None:
    """Raise `InputError` where a source has more bad records than `max_quarantined`, showing the first.

    `paths` gives the path of a file by its sha256.
    """
    bad = [f"{paths[file]}:{record}" for shard in shards for file, record in shard.quarantined]
    if len(bad) > source.max_quarantined:
        shown = "".join(f"\n  {record}" for record in bad[:SHOWN_RECORDS])
        more = f"\n  … and {len(bad) - SHOWN_RECORDS} more so far" if len(bad) > SHOWN_RECORDS else ""
        is_foreign = any(record.code == "invalid_utf8" for shard in shards for _, record in shard.quarantined)
        remedy = f"{ENCODING_REMEDY[0].upper()}{ENCODING_REMEDY[1:]}\n" if is_foreign else ""
        raise InputError(
            f"{len(bad)} record{'s' * (len(bad) != 1)} can't become rows, and "
            f"max_quarantined is {source.max_quarantined}:{shown}{more}\n"
            f"{remedy}Mend the file, or set these records aside with: max_quarantined: {len(bad)}"
        )


def check_unreadable(source: Source, reasons: Mapping[Path, str]) -> None:
    """Raise `InputError` where more files of a source can't be read than it allows."""
    if len(reasons) > source.max_quarantined_files:
        shown = "".join(f"\n  {reason}" for reason in sorted(reasons.values())[:SHOWN_FILES])
        more = f"\n  … and {len(reasons) - SHOWN_FILES} more" if len(reasons) > SHOWN_FILES else ""
        raise InputError(
            f"{len(reasons)} files can't be read, and max_quarantined_files is {source.max_quarantined_files}:"
            f"{shown}{more}\nMend them, leave them out with: exclude: …, or set them aside with: "
            f"max_quarantined_files: {len(reasons)}"
        )


def unreadable_file(path: Path, error: InputError, *, has_others: bool) -> InputError:
    """The error of a file that can't be read, with a remedy if the source has other files."""
    remedy = f"; to go on without it say: exclude: {json.dumps(str(path))}, or: max_quarantined_files: 1"
    return InputError(f"{error}{remedy if has_others else ''}")
