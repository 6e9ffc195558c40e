"""Write so that a crash leaves the old or the new: lock, durable file, rename.

A file that exists under its own name is complete: it was written under a temporary
name, fsynced, renamed, and its folder fsynced.
"""

from __future__ import annotations

import fcntl
import hashlib
import itertools
import os
import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final

from tulu_data.errors import ConflictError, ResourceError, UsageError

TEMPORARY: Final = ".tmp"
_TEMPORARY_NUMBERS = itertools.count()


def sync_folder(folder: Path) -> None:
    """Fsync a folder, so that the names in it survive a power loss."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def make_folders(folder: Path) -> Path:
    """Create `folder` and its missing parents durably; return it."""
    missing = list(itertools.takewhile(lambda path: not path.is_dir(), (folder, *folder.parents)))
    for path in reversed(missing):
        path.mkdir(exist_ok=True)
        sync_folder(path.parent)
    return folder


@contextmanager
def durable(path: Path) -> Iterator[IO[bytes]]:
    """Open `path` for writing; on a clean exit it exists whole and fsynced, else not at all.

    >>> import tempfile
    >>> target = Path(tempfile.mkdtemp()) / "x.bin"
    >>> with durable(target) as file:
    ...     _ = file.write(b"abc")
    >>> target.read_bytes()
    b'abc'
    """
    # Several processes may write the same file: each has its own temporary name.
    temporary = path.with_name(f"{path.name}.{os.getpid()}-{next(_TEMPORARY_NUMBERS)}{TEMPORARY}")
    try:
        with _named(path), temporary.open("xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.rename(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


@contextmanager
def _named(path: Path) -> Iterator[None]:
    """Give the path to errors of the operating system that do not know it, such as those of a write."""
    try:
        yield
    except OSError as error:
        error.filename = error.filename or str(path)
        raise


def remove_temporaries(folder: Path) -> None:
    """Remove what a killed process left half-written in a folder that this process has locked."""
    for path in folder.rglob(f"*{TEMPORARY}"):
        path.unlink()


def write_text(path: Path, text: str) -> None:
    """Write `text` as UTF-8, durably, unless the file holds just that already."""
    content = text.encode()
    if path.is_file() and path.read_bytes() == content:
        return
    with durable(path) as file:
        file.write(content)


def sha256_file(path: Path) -> str:
    """The sha256 of a file's bytes, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def locked(folder: Path, *, shared: bool = False) -> Iterator[None]:
    """Hold `folder/.lock` for this process; the lock dies with it. Shared holders keep out others only.

    Raises `ConflictError` (exit 5) naming the holder where another process has it.
    """
    with (folder / ".lock").open("a+b", buffering=0) as file:
        try:
            fcntl.flock(file, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            holder = file.read(200).decode(errors="replace").strip()
            named = f": {holder}" if holder else ""
            raise ConflictError(
                f"{folder}: another command is at work here{named}; wait until it has ended, or choose another folder"
            ) from None
        if shared:
            yield
            return
        with _named(folder / ".lock"):
            file.truncate(0)
            file.write(f"process {os.getpid()} on {socket.gethostname()}\n".encode())
        try:
            yield
        finally:
            file.truncate(0)


def require_room(folder: Path, size: int, what: str) -> None:
    """Raise `ResourceError` (exit 6) where `size` bytes of `what` are more than the disk of a folder has left."""
    there = next(path for path in (folder, *folder.absolute().parents) if path.is_dir())
    free = shutil.disk_usage(there).free
    if size > free:
        raise ResourceError(
            f"{folder}: {what} takes about {size / 1e9:,.1f} GB, and {free / 1e9:,.1f} GB are free there; "
            "free some, or choose another place"
        )


def refuse_link(path: Path) -> None:
    """Raise `UsageError` where an output folder is a link that would lead writes elsewhere."""
    if path.is_symlink():
        raise UsageError(f"{path}: is a symbolic link to {os.readlink(path)}; outputs are written to real folders only")


def publish_folder(staged: Path, target: Path) -> None:
    """Rename a complete folder to its final name, which must not hold anything yet."""
    for folder in (staged, *(path for path in staged.rglob("*") if path.is_dir())):
        sync_folder(folder)
    try:
        staged.rename(target)
    except OSError as error:
        if target.is_dir() and any(target.iterdir()):
            raise ConflictError(f"{target}: is there already; nothing was changed") from error
        raise
    sync_folder(target.parent)


def remove_folder(folder: Path) -> None:
    """Remove a folder of ours that no reader can know of."""
    shutil.rmtree(folder, ignore_errors=True)
