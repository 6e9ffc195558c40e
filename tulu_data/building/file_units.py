"""Units of reading: a file, a part of a large file, or several small files together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Final, NamedTuple

import pyarrow as pa

from tulu_data.building.inputs import InputFile, Surveyed, columns_read
from tulu_data.building.shards import Shard
from tulu_data.formats import kept_columns
from tulu_data.formats.format import Format
from tulu_data.rows.kind import Kind
from tulu_data.rows.rows import stored
from tulu_data.sources.source import Part, Source
from tulu_data.stage import Mapper
from tulu_data.store.code_id import code_id
from tulu_data.store.keys import key_of
from tulu_data.store.workspace import Workspace

# The module that makes shards of files: all that it imports is in their key.
INGEST: Final = "tulu_data.building.ingest"
# If there are more files than this, small files, which take less time than a shard itself costs, are read together.
MANY_FILES: Final = 32
SMALL_BYTES: Final = 64 << 10
PACK_BYTES: Final = 4 << 20
# A pack ends at one file in 256, chosen by its sha256, so that adding a file changes only one pack.
PACK_END: Final = "00"


@dataclass(frozen=True)
class FileUnit:
    """One file to ingest, or several small ones that are read together: a unit of work."""

    name: str
    source: Source
    kind: Kind
    format: Format
    files: tuple[InputFile, ...]
    mappers: tuple[Mapper, ...]
    workspace: Workspace
    shard_rows: int
    limit: int | None = None
    has_others: bool = False
    """Whether its source has other files, which could be used without it."""

    @property
    def size(self) -> int:
        """Bytes of all its files."""
        return sum(file.size for file in self.files)

    @property
    def rows(self) -> int:
        """An estimate of its rows, as if each were a short conversation."""
        return self.size // 1000

    def paths(self) -> dict[str, Path]:
        """The path of each file, by its sha256."""
        return {file.sha256: file.path for file in self.files}

    def __str__(self) -> str:
        more = f" and {len(self.files) - 1} more" if len(self.files) > 1 else ""
        return f"reading {self.files[0].path}{more} of {self.name}"

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """The columns that are read."""
        return columns_read(self.source, self.format)

    @cached_property
    def schema(self) -> pa.Schema:
        """The columns of its shards."""
        return pa.schema([*stored(self.kind), *kept_columns.fields_of(self.source.keep_columns)])

    def key(self) -> str:
        """The key of the file's shards, made of all that decides their content."""
        modules = {type(part).__module__ for part in (self.source, self.kind, self.format)} | {INGEST}
        modules |= {module for mapper in self.mappers for module in mapper.measured_in()}
        requires = {name for mapper in self.mappers for name in mapper.requires} | {"orjson", "pyarrow"}
        return key_of(
            files=[file.sha256 for file in self.files],
            source=self.source.place,
            reading=self.source.reading(),
            kind=self.kind.name,
            format=[self.format.name, self.format.model_dump(mode="json")],
            drop_parts=self.source.drop_parts,
            needs_answer=self.source.needs_answer,
            keep_columns=[[column, one.name, one.type] for column, one in self.source.keep_columns.items()],
            mappers=[[mapper.name(), mapper.measuring_options(), mapper.artifacts] for mapper in self.mappers],
            code=code_id(tuple(sorted(modules)), tuple(sorted(requires))),
            shard_rows=self.shard_rows,
            limit=self.limit,
        )


@dataclass(frozen=True)
class PartUnit:
    """The records of one shard of a large file: a unit of work."""

    whole: FileUnit
    key: str
    number: int
    part: Part

    @property
    def rows(self) -> int:
        return self.part.records

    def __str__(self) -> str:
        return f"reading records {self.part.before + 1:,} and on of {self.whole.files[0].path} of {self.whole.name}"


class FileResult(NamedTuple):
    """The shards of one file or part, how many of them were there already, and why it can't be read, if it can't."""

    shards: tuple[Shard, ...]
    found: int
    unreadable: str | None = None


def units_of(
    surveyed: Surveyed, mappers: tuple[Mapper, ...], workspace: Workspace, shard_rows: int
) -> Iterator[FileUnit]:
    """The units of one source, in the order of the files' sha256: file names do not matter."""
    own = applying(mappers, surveyed.name)
    files = sorted(surveyed.files, key=lambda file: (file.sha256, str(file.path)))
    is_packed = not surveyed.source.max_quarantined_files
    for pack in _packs([file for file in files if file.size], is_packed=is_packed):
        if surveyed.format:
            source, kind, format = surveyed.source, surveyed.kind, surveyed.format
            unit = FileUnit(surveyed.name, source, kind, format, pack, own, workspace, shard_rows)
            yield replace(unit, has_others=len(files) > 1)


def _packs(files: Sequence[InputFile], *, is_packed: bool) -> Iterator[tuple[InputFile, ...]]:
    """Each file by itself; if there are many, neighbouring small files together."""
    pack: list[InputFile] = []
    for file in files:
        is_alone = not is_packed or len(files) <= MANY_FILES or file.size > SMALL_BYTES
        if pack and (is_alone or sum(other.size for other in pack) + file.size > PACK_BYTES):
            yield tuple(pack)
            pack = []
        pack.append(file)
        if is_alone or file.sha256.endswith(PACK_END):
            yield tuple(pack)
            pack = []
    if pack:
        yield tuple(pack)


def applying(mappers: tuple[Mapper, ...], source: str) -> tuple[Mapper, ...]:
    return tuple(mapper for mapper in mappers if mapper.applies_to(source))
