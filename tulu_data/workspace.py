"""The workspace: tables under the digest of what they were computed from.

A table is a Parquet file and a small JSON file beside it, written after it, that holds its
sha256. The JSON's existence means that the table is complete; a table whose bytes differ
from it is forgotten and computed again. Several builds may share a workspace: equal keys
mean equal bytes.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from tulu_data.commit import make_folders, sha256_file, write_text
from tulu_data.errors import InvariantError

TABLE_FORMAT: Final = "1"


def key_of(**parts: Any) -> str:
    """A digest of named parts, in hex: the key of what is computed from them alone.

    >>> key_of(stage="length_filter", options={"on": "prompt"})[:8]
    '628e8db2'
    """
    text = json.dumps({"table format": TABLE_FORMAT, **parts}, sort_keys=True, ensure_ascii=False, default=as_text)
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()


def as_text(value: Any) -> str:
    """What of JSON is written for a decimal or a path; `InvariantError` (exit 1) for anything else."""
    if isinstance(value, Decimal | Path):
        return str(value)
    # What `str` shows of other objects may be their place in memory, which is another in each run.
    raise InvariantError(f"a key can't be made of {type(value).__name__}; give text, numbers, lists or mappings")


@dataclass(frozen=True)
class Table:
    """The place of one table, there or not."""

    path: Path

    @property
    def note_path(self) -> Path:
        return self.path.with_suffix(".json")

    def note(self) -> dict[str, Any] | None:
        """What was noted of the table when it was finished; None where it is not, or is damaged."""
        try:
            note: dict[str, Any] = json.loads(self.note_path.read_text(encoding="utf-8"))
            return note if note["sha256"] == sha256_file(self.path) else None
        except (FileNotFoundError, ValueError, KeyError):
            return None

    def finish(self, **note: Any) -> dict[str, Any]:
        """Note that the table, which is written, is complete."""
        complete = {"sha256": sha256_file(self.path), **note}
        write_text(self.note_path, json.dumps(complete, sort_keys=True, ensure_ascii=False))
        return complete


@dataclass(frozen=True)
class Workspace:
    """A folder of tables. `store` holds rows, `measures` what stages measured of them."""

    root: Path

    @property
    def sources(self) -> Path:
        """The folder of files that sources made."""
        return self.root / "sources"

    def store(self, key: str) -> Path:
        """The folder of one file's shards."""
        return self.root / "store" / key[:2] / key

    def shard(self, key: str, number: int) -> Table:
        """One shard of a file."""
        return Table(self.store(key) / f"{number:05d}.parquet")

    def shards_of(self, key: str) -> int | None:
        """How many shards a file has; None where it was not ingested to its end."""
        end = self.store(key) / "shards"
        return int(end.read_text()) if end.is_file() else None

    def finish_shards(self, key: str, shards: int) -> None:
        """Note that a file was ingested to its end."""
        write_text(self.prepare(self.store(key) / "shards"), f"{shards}\n")

    def measures(self, stage: str, key: str) -> Table:
        """What a stage measured of one shard."""
        return Table(self.root / "measures" / stage / key[:2] / f"{key}.parquet")

    def looks(self, stage: str, key: str) -> Table:
        """What a stage noted when it looked at chosen rows once more."""
        return Table(self.root / "measures" / stage / "looks" / f"{key}.bin")

    def prepare(self, path: Path) -> Path:
        """Create the folder that `path` will lie in."""
        make_folders(path.parent)
        return path

    def digest_of(self, file: Path, *, trust_mtime: bool) -> str:
        """A file's sha256, taken anew, or remembered where size, inode and mtime are trusted to tell."""
        if trust_mtime and (known := self.remembered(file)):
            return known
        seen, place = self._seen(file), self._digest_path(file)
        sha256 = sha256_file(file)
        write_text(self.prepare(place), json.dumps({**seen, "sha256": sha256}, sort_keys=True))
        return sha256

    def remembered(self, file: Path) -> str | None:
        """The sha256 that a file had when it was last seen with this size, inode and mtime."""
        with contextlib.suppress(OSError, ValueError, KeyError):
            known = json.loads(self._digest_path(file).read_text(encoding="utf-8"))
            if self._seen(file).items() <= known.items():
                return str(known["sha256"])
        return None

    def _digest_path(self, file: Path) -> Path:
        return self.root / "digests" / f"{key_of(file=str(file.resolve()))}.json"

    @staticmethod
    def _seen(file: Path) -> dict[str, int]:
        status = file.stat()
        return {"size": status.st_size, "inode": status.st_ino, "mtime_ns": status.st_mtime_ns}
