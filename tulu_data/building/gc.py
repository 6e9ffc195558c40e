"""Free the workspace: remove files that no mixture names any more, the least recently used first."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final

from pydantic import BaseModel, Field, ValidationError

from tulu_data.errors import ConflictError
from tulu_data.mixture.mixture import RUNS, STAGING
from tulu_data.store.durable import TEMPORARY, walk
from tulu_data.store.workspace import PREPARING, Workspace

TABLES: Final = ("store", "measures", "digests", "sources", "indexes")
_IS_LEFT: Final = re.compile(rf"\.\d+-\d+{re.escape(TEMPORARY)}$|^{PREPARING}")


@dataclass(frozen=True)
class Freed:
    """How many files and bytes were removed, and how many are left."""

    files: int
    size: int
    left: int

    def as_values(self) -> dict[str, int]:
        """The counts as plain values, for JSON."""
        return {"files": self.files, "bytes": self.size, "bytes_left": self.left}


def collect(workspace: Path, out: Path, keep: int = 0) -> Freed:
    """Remove files that no mixture under `out` names from a workspace, but keep up to `keep` bytes of them.

    A killed build can still resume: the files that it needs stay, and half-written ones are
    removed. Files under `out`, files that this program does not make, and targets of links are
    not touched. Raises `UsageError` (exit 2) where the folder is not a
    workspace, and `ConflictError` (exit 5) where a build is running, or the record of a
    mixture's build can't be read.
    """
    room = Workspace(workspace)
    if not workspace.exists() and not workspace.is_symlink():
        return Freed(0, 0, 0)
    with room.held(alone=True):
        named = _named(workspace, out)
        removed = [_remove(path) for path in [*room.files("spill"), *_leavings(room)]]
        unnamed = [path for path in room.files(*TABLES) if path.with_suffix("") not in named]
        size = sum(path.stat().st_size for path in unnamed)
        for path in sorted(unnamed, key=lambda path: (path.stat().st_mtime_ns, str(path))):
            if size <= keep:
                break
            size -= path.stat().st_size
            removed.append(_remove(path))
        _remove_empty_folders(workspace)
        left = sum(path.stat().st_size for path in room.files(*TABLES))
    return Freed(len(removed), sum(removed), left)


def _leavings(room: Workspace) -> Iterator[Path]:
    """The half-written files of killed commands: no other command is running here."""
    for kind in (*TABLES, "evaluations"):
        for path in walk(room.root / kind):
            parts = path.relative_to(room.root).parts
            if any(_IS_LEFT.search(part) for part in parts):
                yield path


def _named(workspace: Path, out: Path) -> set[Path]:
    """The tables that the run records of mixtures, finished or not, name, without their file endings."""
    named: set[Path] = set()
    for record in sorted(out.glob(f"*/{RUNS}/*.json")):
        mixture = record.parent.parent
        if (mixture / record.stem).is_dir() or (mixture / STAGING / record.stem).is_dir():
            for table in _tables_of(record):
                named |= {workspace / Path(table).with_suffix(""), workspace / Path(table).parent / "shards"}
    return named


class _Record(BaseModel):
    """The part of a run's record that is read."""

    tables: list[Annotated[str, Field(pattern=r"[^/.]")]] = []


def _tables_of(record: Path) -> list[str]:
    try:
        return _Record.model_validate_json(record.read_bytes()).tables
    except (OSError, ValidationError) as error:
        why = error.errors(include_url=False)[0]["msg"] if isinstance(error, ValidationError) else error
        raise ConflictError(
            f"{record}: can't be read ({why}), so that nothing tells what its mixture needs of the workspace; "
            "remove it, and what the mixture needs goes as well"
        ) from None


def _remove(path: Path) -> int:
    size = path.lstat().st_size
    path.unlink()
    return size


def _remove_empty_folders(workspace: Path) -> None:
    """Remove the folders that are empty or hold only empty folders; links are not followed."""
    for kind in (*TABLES, "spill"):
        for parent, _, _ in os.walk(workspace / kind, topdown=False):
            if Path(parent) != workspace / kind and not any(Path(parent).iterdir()):
                Path(parent).rmdir()
