"""The workspace: tables under the digest of the inputs that they were computed from.

A table is a Parquet file and a small JSON file beside it, its note, written after it, that
holds the table's sha256 and its own. A damaged table counts as missing, and is
made again, so that nothing here needs to be fsynced. Several builds may share a workspace:
equal keys mean equal bytes. Whoever can write to a workspace decides what its builds read,
so nobody else may write to it.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import stat
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple

from tulu_data.errors import UsageError
from tulu_data.store.durable import (
    locked,
    make_folders,
    make_place,
    open_regular,
    refuse_links,
    sha256_file,
    walk,
    whole,
)
from tulu_data.store.keys import key_of

TAG: Final = "CACHEDIR.TAG"
MARK: Final = "tulu-data workspace 1"
# The first line is that of the Cache Directory Tagging Specification (bford.info/cachedir): backups skip such folders.
_TAG_TEXT: Final = f"""Signature: 8a477f597d28d172789f06886806bc55
# {MARK}
# All that is in this folder can be made again; remove it, or let `tulu-data gc` remove what is not used.
"""
TRUSTED: Final = "TULU_DATA_TRUST_WORKSPACE"
"""The environment variable that lists workspaces that others may write to, separated as in PATH."""

PREPARING: Final = "preparing-"
"""The beginning of the name of a folder in which a source prepares its files."""

_KEY: Final = "[0-9a-f]{64}"
_LAYOUT: Final = {
    "store": rf"store/[0-9a-f]{{2}}/{_KEY}/(\d+\.(parquet|json)|shards)",
    # `looks` is the old name of the folder `candidates`.
    "measures": rf"measures/\w+/([0-9a-f]{{2}}|candidates|looks)/{_KEY}\.(parquet|bin|json)",
    "digests": rf"digests/{_KEY}\.json",
    "indexes": rf"indexes/{_KEY}(\.[\d-]+\.tmp)?/(note\.json|arrays\.bin|items\.parquet)",
    "sources": r"sources/(huggingface/[0-9a-f]{2}/[0-9a-f]{64}|\w+-\d+-\d+-[0-9a-f]{12})/\d+\.(arrow|jsonl|json)"
    rf"|sources/{PREPARING}\w+/.+",
    "evaluations": rf"evaluations/([\w.-]+\.json|counts/{_KEY})",
    "spill": rf"spill/{_KEY}/\d+\.arrow",
    "built": rf"built/{_KEY}/{_KEY}",
    "written": rf"written/{_KEY}/[\w.-]+",
}
"""The folders of a workspace, each with a regular expression for the paths of its files."""
_OURS: Final = re.compile(rf"({'|'.join([*_LAYOUT.values(), re.escape(TAG), r'[.]lock'])})(\.\d+-\d+\.tmp)?")


@dataclass(frozen=True)
class CachedTable:
    """One table of a workspace, whether it exists or not."""

    path: Path

    @property
    def note_path(self) -> Path:
        return self.path.with_suffix(".json")

    def note(self) -> dict[str, Any] | None:
        """The note that was written when the table was finished; None if it is unfinished or damaged."""
        note = read_note(self.note_path)
        with contextlib.suppress(OSError):
            with open_regular(self.path) as file:
                sha256 = hashlib.file_digest(file, "sha256").hexdigest()
            return note if note and note.get("sha256") == sha256 else None
        return None

    def finish(self, **note: Any) -> dict[str, Any]:
        """Note that the table, which is written, is complete."""
        complete = {"sha256": sha256_file(self.path), **note}
        write_note(self.note_path, complete)
        return complete


def write_note(path: Path, values: dict[str, Any]) -> None:
    """Write plain values as JSON, with a checksum of them, unless they are noted already."""
    if read_note(path) == values:
        return
    with whole(path) as file:
        file.write(json.dumps({"check": _check(values), **values}).encode())


def read_note(path: Path) -> dict[str, Any] | None:
    """The values of a note; None if it is missing or damaged."""
    try:
        with open_regular(path) as file:
            values = json.loads(file.read())
        return values if values.pop("check") == _check(values) else None
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None


def _check(values: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True)
class Workspace:
    """A folder of tables: `store` holds rows, `measures` the stages' measures of them."""

    root: Path

    @contextmanager
    def held(self, *, alone: bool = False) -> Iterator[None]:
        """Use the workspace, which is made if it is missing; others may use it at the same time unless `alone`.

        Raises `UsageError` (exit 2) where it is a folder that this program did not make, or
        others can write to it, and `ConflictError` (exit 5) where another command needs it alone.
        """
        refuse_links(self.root, self.root)
        if not self.root.exists():
            make_folders(self.root.parent)
            self.root.mkdir(mode=0o700, exist_ok=True)
        self._check_writers()
        if not self._is_marked():
            self._check_strays()
        with locked(self.root, shared=not alone):
            if not self._is_marked():
                with whole(make_place(self.root / TAG, self.root)) as file:
                    file.write(_TAG_TEXT.encode())
            yield

    def _is_marked(self) -> bool:
        with contextlib.suppress(OSError), open_regular(self.root / TAG) as file:
            return f"# {MARK}\n".encode() in file.read(len(_TAG_TEXT))
        return False

    def _check_strays(self) -> None:
        """Accept a folder without our mark only if it is empty, or holds only files that we make."""
        for path in walk(self.root):
            name = path.relative_to(self.root).as_posix()
            if path.is_symlink() or not _OURS.fullmatch(name):
                raise UsageError(
                    f"{self.root}: is not a workspace of tulu-data: it holds {name}, and has no {TAG} of ours; "
                    "name another folder with --workspace, which may be one that is not there yet"
                )

    def _check_writers(self) -> None:
        """Refuse a folder that others can write to, unless the user trusts it."""
        trusted = os.environ.get(TRUSTED, "").split(os.pathsep)
        if any(self.root.resolve() == Path(place) for place in trusted if place):
            return
        for folder in (self.root, *(self.root / kind for kind in _LAYOUT)):
            with contextlib.suppress(FileNotFoundError):
                status = folder.lstat()
                if stat.S_ISLNK(status.st_mode):
                    refuse_links(folder, folder)
                if status.st_uid != os.geteuid():
                    whose, remedy = f"belongs to user {status.st_uid}", "name another with --workspace"
                elif status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
                    whose, remedy = "others can write to it", f"say: chmod -R go-w {self.root}"
                else:
                    continue
                raise UsageError(
                    f"{folder}: {whose}, and who can write to a workspace decides what is built from it; "
                    f"{remedy}, or trust them: export {TRUSTED}={self.root.resolve()}"
                )

    def files(self, *kinds: str) -> Iterator[Path]:
        """Every file of ours in some of its folders; links are not followed, and other files are left out."""
        for kind in kinds:
            for path in walk(self.root / kind):
                if not path.is_symlink() and _OURS.fullmatch(path.relative_to(self.root).as_posix()):
                    yield path

    @property
    def sources(self) -> Path:
        """The folder for files that sources make."""
        return self.root / "sources"

    def store(self, key: str) -> Path:
        """The folder of one file's shards."""
        return self.root / "store" / key[:2] / key

    def shard(self, key: str, number: int) -> CachedTable:
        """One shard of a file."""
        return CachedTable(self.store(key) / f"{number:05d}.parquet")

    def shards_of(self, key: str) -> int | None:
        """How many shards a file has; None if it was not ingested to its end."""
        end = read_note(self.store(key) / "shards")
        return None if end is None else int(end["shards"])

    def finish_shards(self, key: str, shards: int) -> None:
        """Note that a file was ingested to its end."""
        write_note(self.make_place(self.store(key) / "shards"), {"shards": shards})

    def measures(self, stage: str, key: str) -> CachedTable:
        """A stage's measures of one shard."""
        return CachedTable(self.root / "measures" / stage / key[:2] / f"{key}.parquet")

    def candidates(self, stage: str, key: str) -> CachedTable:
        """The numbers that a stage read of its candidates."""
        return CachedTable(self.root / "measures" / stage / "candidates" / f"{key}.bin")

    def spill(self, build: str, out: Path) -> Path:
        """The folder for temporary files of a build that writes to `out`."""
        return self.root / "spill" / key_of(build=build, out=str(out.resolve()))

    def written(self, build: str, out: Path) -> Path:
        """The folder for a build's notes of the files that it has written to `out`: their sha256."""
        return self.root / "written" / key_of(build=build, out=str(out.resolve()))

    def make_place(self, path: Path) -> Path:
        """Create the folder that `path` will be in.

        Raises `UsageError` (exit 2) where a link is in the way.
        """
        return make_place(path, self.root)

    def digest_of(self, file: Path, *, trust_mtime: bool) -> str:
        """A file's sha256, computed, or remembered if `trust_mtime` and size, inode and mtime are unchanged."""
        if trust_mtime and (known := self.remembered([file])):
            return known[file]
        digest = Digest.of(file)
        self.remember({file: digest})
        return digest.sha256

    def remember(self, digests: Mapping[Path, Digest]) -> None:
        """Note the digests of files, with one note for all files of a folder, which may be thousands."""
        for folder, files in _by_folder(digests):
            place = self._digests_path(folder)
            noted = (read_note(place) or {}).get("files", {})
            taken = {file.name: list(digests[file]) for file in files}
            write_note(self.make_place(place), {"files": {**noted, **taken}})

    def remembered(self, files: Iterable[Path]) -> dict[Path, str]:
        """The sha256 of each known file whose size, inode and mtime are those that it was last seen with."""
        known: dict[Path, str] = {}
        for folder, members in _by_folder(files):
            noted = (read_note(self._digests_path(folder)) or {}).get("files", {})
            for file in members:
                with contextlib.suppress(OSError):
                    *seen, sha256 = noted.get(file.name, [None])
                    if seen == Digest.seen(file):
                        known[file] = sha256
        return known

    def _digests_path(self, folder: Path) -> Path:
        return self.root / "digests" / f"{key_of(folder=os.fsencode(folder.resolve()).hex())}.json"


class Digest(NamedTuple):
    """A file's sha256, and the file's size, inode and mtime before it was computed."""

    size: int
    inode: int
    mtime_ns: int
    sha256: str

    @classmethod
    def of(cls, file: Path) -> Digest:
        size, inode, mtime_ns = cls.seen(file)
        return cls(size, inode, mtime_ns, sha256_file(file))

    @staticmethod
    def seen(file: Path) -> list[int]:
        """Size, inode and mtime of a file."""
        status = file.stat()
        return [status.st_size, status.st_ino, status.st_mtime_ns]


def _by_folder(files: Iterable[Path]) -> Iterator[tuple[Path, list[Path]]]:
    found: dict[Path, list[Path]] = {}
    for file in files:
        found.setdefault(file.parent, []).append(file)
    yield from found.items()
