"""Data files given without a recipe: their sources, the rows found in them, and copies without these rows."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, Final, TypeVar

import numpy as np
import polars as pl
from pydantic import ValidationError

from tulu_data import sources
from tulu_data.building.decision import Decision
from tulu_data.building.inputs import Surveyed
from tulu_data.building.shards import Shard
from tulu_data.characters import storable
from tulu_data.errors import ConflictError, InputError, UsageError, printable
from tulu_data.readers.stream import Stream, require_regular
from tulu_data.rows import kind as kinds
from tulu_data.sources.source import Source
from tulu_data.stage import Stage
from tulu_data.store import parquet, patterns
from tulu_data.store.durable import locked, make_folders, publish_folder, refuse_links, remove_folder
from tulu_data.without_recipe import clean_copy

S = TypeVar("S", bound=Stage)
REMOVED: Final = "removed.parquet"
_ENDINGS: Final = {
    ".jsonl": "jsonl",
    ".json": "jsonl",
    ".ndjson": "jsonl",
    ".csv": "csv",
    ".tsv": "tsv",
    ".parquet": "parquet",
}
_LEFT_OUT: Final = ("source", "shard", "row", "reason")
_PARQUET: Final = b"PAR1"
_HUB: Final = re.compile(r"hf://datasets/(?P<name>[^/@]+/[^/@]+)(@(?P<revision>.+))?")


Data = str | Path | Iterable[str | Path] | Mapping[str, Source]
"""Files, folders, patterns and `hf://datasets/ORG/NAME`, or sources by name."""


def sources_in(data: Data) -> dict[str, Source]:
    """The sources that some data are."""
    if isinstance(data, Mapping):
        return dict(data)
    places = [data] if isinstance(data, str | Path) else data
    return sources_of(map(str, places), hub={}, options={})


def made(kind: type[S], values: Mapping[str, Any], on: str | None, threshold: str | None) -> S:
    """The stage that a command asks for; `UsageError` (exit 2) for unknown messages or an invalid threshold."""
    if on is not None and on not in (known := kinds.find(kinds.DEFAULT).on):
        raise UsageError(f"--on {printable(on, 60)}: there are {', '.join(known)}")
    try:
        return kind.model_validate({**values, **({} if on is None else {"on": on})})
    except ValidationError as error:
        what = printable(str(threshold), 60)
        raise UsageError(f"--threshold {what}: {error.errors()[0]['msg'].lower()}") from None


def placed(decision: Decision, rows: pl.Series) -> pl.DataFrame:
    """The places of some rows, with the columns of `Findings`."""
    numbers = rows.to_numpy().astype(np.int64)
    shards = decision.starts.searchsorted(numbers, "right") - 1
    return pl.DataFrame(
        {
            "source": [decision.sources[source] for source in decision.source[numbers]],
            "file": [decision.files[file] for file in decision.file[numbers]],
            "number": decision.place[numbers],
            "shard": shards,
            "row": numbers - decision.starts[shards],
        },
        schema={"source": pl.String, "file": pl.String, "number": pl.Int64, "shard": pl.Int64, "row": pl.Int64},
    )


def sources_of(data: Iterable[str], *, hub: Mapping[str, Any], options: Mapping[str, Any]) -> dict[str, Source]:
    """A source for each file, folder or `hf://datasets/ORG/NAME`, under a short name of its own.

    `hub` are options of datasets (`config`, `split`), `options` those of files
    (`header`, `records`) and of both (`format`). Raises `UsageError` (exit 2) for a
    missing file, or one of an unknown kind.
    """
    found: dict[str, Source] = {}
    # A file given under two names is read once, under the first.
    places: dict[str, str] = {}
    for place in (place for named in data for place in _expanded(named)):
        places.setdefault(place if "://" in place else os.path.realpath(place), place)
    for place in places.values():
        kind, values = _place(place, hub)
        model = sources.kinds()[kind]
        values |= {key: value for key, value in options.items() if key in model.model_fields and value is not None}
        stem = re.sub(r"[^a-z0-9._-]+", "_", Path(place).name.split(".")[0].lower()).strip("._-")[:48] or "data"
        numbered = (f"{stem}-{number}" for number in range(2, len(found) + 3))
        name = stem if stem not in found else next(name for name in numbered if name not in found)
        try:
            found[name] = model.model_validate({**values, "allow_empty": True}).with_unanswered()
        except ValidationError as error:
            problem = error.errors()[0]
            where = ".".join(str(part) for part in problem["loc"])
            raise UsageError(f"{place}: {where}: {problem['msg'].removeprefix('Value error, ')}") from None
    return found


def _expanded(place: str) -> list[str]:
    """The place itself, or the files and folders that a pattern matches."""
    if "://" in place or not patterns.is_pattern(place):
        return [place]
    found = patterns.find(place, folders=True)
    if not found:
        raise UsageError(f"'{place}' matches no file and no folder")
    return [str(path) for path in found]


def _place(place: str, hub: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    said = {key: value for key, value in hub.items() if value is not None}
    if named := _HUB.fullmatch(place):
        revision = {"revision": named["revision"]} if named["revision"] else {}
        return "huggingface", {"huggingface": named["name"], **revision, **said}
    if "://" in place:
        raise UsageError(f"{place}: addresses are not read; a dataset of the Hub is hf://datasets/ORG/NAME")
    path = Path(place)
    if path.is_dir():
        return "huggingface", {"huggingface": place, **said}
    if not path.exists():
        raise UsageError(f"{place}: no such file")
    kind = _kind(path)
    return kind, {kind: place}


def _kind(path: Path) -> str:
    """The kind of a file, by its magic number, its suffix or its beginning."""
    require_regular(path)
    with path.open("rb") as file:
        if file.read(4) == _PARQUET:
            return "parquet"
    endings = [ending for ending in path.suffixes if ending not in (".gz", ".zst", ".zstd")]
    if endings and (kind := _ENDINGS.get(endings[-1].lower())):
        return kind
    with Stream(path) as stream:
        begins = stream.peek().lstrip()
    line = begins.split(b"\n", 1)[0]
    if begins.startswith((b"{", b"[")):
        return "jsonl"
    if b"\t" in line or b"," in line:
        return "tsv" if b"\t" in line else "csv"
    raise UsageError(
        f"{path}: is it {', '.join(sorted({ending[1:] for ending in _ENDINGS}))}? "
        "Neither its name nor its beginning tells; rename it"
    )


def _check_free(folder: Path) -> None:
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ConflictError(f"{folder}: is there already; name a folder that is not")


@dataclass(frozen=True)
class Findings:
    """Rows of some sources that a stage found.

    `rows` has a line for each: `source`, `file` (sha256), `number` (of the record in its
    file, from 1), `shard` and `row` (its position there), and the evidence.
    """

    kind: ClassVar[str]
    """The name of the rows found, in `counts`."""

    surveyed: tuple[Surveyed, ...]
    shards: tuple[Shard, ...]
    rows: pl.DataFrame

    @cached_property
    def places(self) -> dict[str, str]:
        """The name of each source as it was given on the command line, or its path."""
        return {
            found.name: storable(place[0] if isinstance(place, tuple) else place)
            for found in self.surveyed
            for place in [getattr(found.source, found.source.place)]
        }

    @cached_property
    def paths(self) -> dict[tuple[str, str], str]:
        """The path of each file, by its source and sha256."""
        files = ((found.name, file) for found in self.surveyed for file in reversed(found.files))
        return {(name, file.sha256): storable(file.path) for name, file in files}

    def counts(self) -> dict[str, dict[str, int]]:
        """For each source: rows read, quarantined, found."""
        gone = dict(self.rows.group_by("source").len().iter_rows())
        return {
            name: {
                "read": sum(shard.records for shard in self.shards if shard.source == name),
                "quarantined": sum(shard.records - shard.rows for shard in self.shards if shard.source == name),
                self.kind: gone.get(name, 0),
            }
            for name in self.places
        }

    def counts_of_places(self) -> dict[str, dict[str, int]]:
        """The counts, by the name of each source as it was given."""
        return {self.places[name]: counts for name, counts in self.counts().items()}

    def write(self, folder: Path) -> list[Path]:
        """Write a clean copy of every file, and the removed rows with their evidence; returns the paths.

        Records that could not be read are left out as well, since they were not checked.
        Raises `ConflictError` (exit 5) if the folder is not empty, or another command is
        writing it, and `InputError` (exit 3) if a file was changed since.
        """
        _check_free(folder)
        part = folder.with_name(f".{folder.name}.part")
        refuse_links(part, part)
        make_folders(part)
        with locked(part):
            try:
                _check_free(folder)
                staging = part / folder.name
                remove_folder(staging)
                make_folders(staging)
                names = self._write_copies(staging)
                parquet.write_frame(staging / REMOVED, self._removed())
                publish_folder(staging, folder)
            finally:
                remove_folder(part)
        return [folder / name for name in [*names, REMOVED]]

    def _write_copies(self, folder: Path) -> list[str]:
        names: list[str] = []
        quarantined: dict[tuple[str, str], set[int]] = {}
        for shard in self.shards:
            for sha256, record in shard.quarantined:
                quarantined.setdefault((shard.source, sha256), set()).add(record.row)
        for found in self.surveyed:
            for number, file in enumerate(found.files):
                here = (pl.col("source") == found.name) & (pl.col("file") == file.sha256)
                gone = set(self.rows.filter(here)["number"].to_list())
                gone |= quarantined.get((found.name, file.sha256), set())
                name = clean_copy.name_of(found.source, file.path)
                if name in {*names, REMOVED} or len(found.files) > 1:
                    name = f"{found.name}-{number:05d}{''.join(Path(name).suffixes)}"
                names.append(name)
                if clean_copy.write(found.source, file.path, gone, folder / name) != file.sha256:
                    raise InputError(
                        f"{file.path}: changed since its rows were checked, and no clean copy was written; "
                        "run the command again"
                    )
        return names

    def _removed(self) -> pl.DataFrame:
        paths = [self.paths[place] for place in self.rows.select("source", "file").iter_rows()]
        named = self.rows.with_columns(pl.Series("file", paths, dtype=pl.String)).sort("file", "number")
        return named.select("file", pl.col("number").alias("row"), pl.exclude("file", "number", *_LEFT_OUT))
