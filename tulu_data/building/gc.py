"""Free the workspace: what no mixture names any more, the oldest use first."""

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
    """What was removed, and what is left: files and bytes."""

    files: int
    size: int
    left: int

    def as_values(self) -> dict[str, int]:
        """What was freed as plain values, for JSON."""
        return {"files": self.files, "bytes": self.size, "bytes_left": self.left}


def collect(workspace: Path, out: Path, keep: int = 0) -> Freed:
    """Remove what no mixture under `out` names from a workspace, down to `keep` bytes of it.

    What a killed build would go on from is named by it and stays; what it was writing at
    that moment goes. Nothing under `out` is touched, nor anything that this program does not
    make, nor what a link leads to. Raises `UsageError` (exit 2) where the folder is not a
    workspace, and `ConflictError` (exit 5) where a build is at work, or the record of a
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
    """What killed commands were writing: nobody else is at work here."""
    for kind in (*TABLES, "evaluations"):
        for path in walk(room.root / kind):
            parts = path.relative_to(room.root).parts
            if any(_IS_LEFT.search(part) for part in parts):
                yield path


def _named(workspace: Path, out: Path) -> set[Path]:
    """The tables that the run records of mixtures name, finished or not, without their endings."""
    named: set[Path] = set()
    for record in sorted(out.glob(f"*/{RUNS}/*.json")):
        mixture = record.parent.parent
        if (mixture / record.stem).is_dir() or (mixture / STAGING / record.stem).is_dir():
            for table in _tables_of(record):
                named |= {workspace / Path(table).with_suffix(""), workspace / Path(table).parent / "shards"}
    return named


class _Record(BaseModel):
    """What is read of a run's record."""

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
    """Remove the folders that are empty, or hold empty ones alone; links are not followed."""
    for kind in (*TABLES, "spill"):
        for parent, _, _ in os.walk(workspace / kind, topdown=False):
            if Path(parent) != workspace / kind and not any(Path(parent).iterdir()):
                Path(parent).rmdir()
