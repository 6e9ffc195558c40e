"""One run of a build: where it writes, what it did, when, and from which files. It is local, not part of a mixture."""

from __future__ import annotations

import itertools
import json
import os
import platform
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tulu_data.building.engine import Units
from tulu_data.building.examine import Examined
from tulu_data.building.shards import Shard
from tulu_data.characters import storable
from tulu_data.errors import ResourceError
from tulu_data.mixture.mixture import RUNS, STAGING
from tulu_data.store.durable import make_folders, refuse_links, write_text


@dataclass(frozen=True)
class Folders:
    """Where a build writes: mixtures, the copies of their manifests, and its workspace."""

    out: Path = Path("mixtures")
    manifests: Path = Path("manifests")
    workspace: Path = Path(".tulu-data")

    def check(self, mixture: str) -> None:
        """Check that a mixture can be written, before anything is read.

        Raises `ResourceError` (exit 6) where a folder can't be written, and `UsageError` (exit 2) where a link is
        in the way.
        """
        for folder in (self.out, self.manifests, self.workspace):
            there = next(path for path in (folder, *folder.absolute().parents) if path.exists())
            if not there.is_dir():
                raise ResourceError(f"{folder}: {there} is a file; choose another place")
            if not os.access(there, os.W_OK | os.X_OK):
                raise ResourceError(f"{folder}: {there} can't be written; choose another place or mount it writable")
        for place, root in ((STAGING, self.out), (RUNS, self.out), ("", self.manifests)):
            refuse_links(root / mixture / place, root)


@dataclass(frozen=True)
class Run:
    """When and where a build ran, and which tables of the workspace it used."""

    examined: Examined
    units: Units
    folders: Folders
    started: float
    phases: Mapping[str, float]

    def write(self, path: Path) -> None:
        """Write the record to a file."""
        make_folders(path.parent)
        write_text(path, json.dumps(self.record(), indent=1, sort_keys=True) + "\n")

    def record(self) -> dict[str, Any]:
        """The record of the run: what ran when, where, and on which inputs.

        `phases` are the seconds of each; `tables` names the tables that it used, so that `gc` keeps them.
        """
        examined, workspace = self.examined, self.folders.workspace
        tables = {shard.table.path for shard in examined.shards}
        tables |= {table.path for own in examined.measures.tables for table in own.values() if table.path.exists()}
        tables |= {table.path for table in examined.candidates}
        return {
            "started": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(self.started)),
            "seconds": round(time.time() - self.started, 3),
            "phases": dict(self.phases),
            "host": platform.node(),
            "workspace": storable(workspace.absolute()),
            "files": {storable(file.path): file.sha256 for source in examined.surveyed for file in source.files},
            "store": [place for shard in examined.shards for place in _places(shard)],
            "tables": sorted(path.relative_to(workspace).as_posix() for path in tables),
            "units": {"done": self.units.done, "found": self.units.found},
        }


def _places(shard: Shard) -> Iterator[list[Any]]:
    """Where the rows of each file are in a shard: source, file, key, number, position of the first row, rows."""
    ends = itertools.accumulate(file.rows for file in shard.files)
    for file, end in zip(shard.files, ends, strict=True):
        yield [shard.source, file.file, shard.key, shard.number, end - file.rows, file.rows]
