"""Free the workspace: what no mixture names any more, the oldest use first."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tulu_data.commit import TEMPORARY, locked
from tulu_data.mixture import RUNS, STAGING

TABLES: Final = ("store", "measures", "digests", "sources", "indexes")


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
    that moment goes. Nothing under `out` is touched. Raises `ConflictError` (exit 5) where
    a build is at work.
    """
    if not workspace.is_dir():
        return Freed(0, 0, 0)
    with locked(workspace):
        named = _named(workspace, out)
        removed: list[int] = []
        removed += _remove_folder(workspace / "spill")
        removed += [_remove(path) for path in list(workspace.rglob(f"*{TEMPORARY}"))]
        unnamed = [path for path in _tables(workspace) if path.with_suffix("") not in named]
        size = sum(path.stat().st_size for path in unnamed)
        for path in sorted(unnamed, key=lambda path: (path.stat().st_mtime_ns, str(path))):
            if size <= keep:
                break
            size -= path.stat().st_size
            removed.append(_remove(path))
        _remove_empty_folders(workspace)
        left = sum(path.stat().st_size for path in _tables(workspace))
    return Freed(len(removed), sum(removed), left)


def _named(workspace: Path, out: Path) -> set[Path]:
    """The tables that the run records of mixtures name, finished or not, without their endings."""
    named: set[Path] = set()
    for record in sorted(out.glob(f"*/{RUNS}/*.json")):
        mixture = record.parent.parent
        if (mixture / record.stem).is_dir() or (mixture / STAGING / record.stem).is_dir():
            run = json.loads(record.read_text(encoding="utf-8"))
            named |= {workspace / Path(table).with_suffix("") for table in run.get("tables", ())}
            named |= {workspace / Path(table).parent / "shards" for table in run.get("tables", ())}
    return named


def _tables(workspace: Path) -> Iterator[Path]:
    for kind in TABLES:
        yield from (path for path in (workspace / kind).rglob("*") if path.is_file() and path.suffix != TEMPORARY)


def _remove(path: Path) -> int:
    size = path.stat().st_size
    path.unlink()
    return size


def _remove_folder(folder: Path) -> list[int]:
    sizes = [path.stat().st_size for path in folder.rglob("*") if path.is_file()]
    shutil.rmtree(folder, ignore_errors=True)
    return sizes


def _remove_empty_folders(workspace: Path) -> None:
    folders = (path for kind in TABLES for path in (workspace / kind).rglob("*") if path.is_dir())
    for folder in sorted(folders, key=lambda path: len(path.parts), reverse=True):
        if not any(folder.iterdir()):
            folder.rmdir()
