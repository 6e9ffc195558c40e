"""One run of a build: where it writes, what it did, when and from where. Local knowledge, no part of a mixture."""

from __future__ import annotations

import itertools
import json
import os
import platform
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tulu_data.building.inputs import Surveyed
from tulu_data.building.manifest import Identity
from tulu_data.building.scan import Scan
from tulu_data.building.shards import Shard
from tulu_data.characters import storable
from tulu_data.errors import ResourceError
from tulu_data.store.durable import make_folders, write_text
from tulu_data.store.workspace import Table


@dataclass(frozen=True)
class Places:
    """Where a build writes: mixtures, the copies of their manifests, and its workspace."""

    out: Path = Path("mixtures")
    manifests: Path = Path("manifests")
    workspace: Path = Path(".tulu-data")

    def check(self) -> None:
        """Raise `ResourceError` (exit 6) where one of them can't be written, before anything is read."""
        for folder in (self.out, self.manifests, self.workspace):
            there = next(path for path in (folder, *folder.absolute().parents) if path.exists())
            if not there.is_dir():
                raise ResourceError(f"{folder}: {there} is a file; choose another place")
            if not os.access(there, os.W_OK | os.X_OK):
                raise ResourceError(f"{folder}: {there} can't be written; choose another place or mount it writable")


@dataclass
class Units:
    """How many units of work were done, and how many were found done."""

    done: dict[str, int] = field(default_factory=dict)
    found: dict[str, int] = field(default_factory=dict)

    def count(self, phase: str, *, done: int, found: int) -> None:
        self.done[phase] = self.done.get(phase, 0) + done
        self.found[phase] = self.found.get(phase, 0) + found


@dataclass(frozen=True)
class Run:
    """When and where a build ran, and what it took of the workspace."""

    identity: Identity
    surveyed: Sequence[Surveyed]
    shards: Sequence[Shard]
    measured: Scan
    looks: Sequence[Table]
    units: Units
    places: Places
    started: float
    phases: Mapping[str, float]

    def write(self, path: Path) -> None:
        """Write the record down."""
        make_folders(path.parent)
        write_text(path, json.dumps(self.record(), indent=1, sort_keys=True) + "\n")

    def record(self) -> dict[str, Any]:
        """What ran when, where and on what.

        `phases` are seconds of each; `tables` names what it took of the workspace, so that it stays.
        """
        workspace = self.places.workspace
        tables = {shard.table.path for shard in self.shards}
        tables |= {table.path for tables in self.measured.tables for table in tables.values() if table.path.exists()}
        tables |= {table.path for table in self.looks}
        return {
            "started": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(self.started)),
            "seconds": round(time.time() - self.started, 3),
            "phases": dict(self.phases),
            "host": platform.node(),
            "workspace": storable(workspace.absolute()),
            "files": {storable(file.path): file.sha256 for source in self.surveyed for file in source.files},
            "store": [place for shard in self.shards for place in _places(shard)],
            "tables": sorted(path.relative_to(workspace).as_posix() for path in tables),
            "units": {"done": self.units.done, "found": self.units.found},
        }


def _places(shard: Shard) -> Iterator[list[Any]]:
    """Where the rows of each file are in a shard: source, file, key, number, position of the first, rows."""
    ends = itertools.accumulate(file.rows for file in shard.files)
    for file, end in zip(shard.files, ends, strict=True):
        yield [shard.source, file.file, shard.key, shard.number, end - file.rows, file.rows]
