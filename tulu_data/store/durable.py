"""Write so that a crash leaves the old or the new: lock, whole file, rename.

A file that exists under its own name is complete: it was written under a temporary name and
renamed. The files of a mixture are fsynced before that, and their folder after; files that can be
made again are not fsynced, and their readers check them against a sha256.

Nothing is written or removed through a symbolic link below a folder of ours.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import itertools
import os
import shutil
import socket
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path
from typing import IO, Final

from tulu_data.errors import ConflictError, ResourceError, UsageError

TEMPORARY: Final = ".tmp"
LOCK: Final = ".lock"
_IS_FOLDER: Final = "is a folder, and a file belongs there; remove it"
_TEMPORARY_NUMBERS = itertools.count()


def sync_folder(folder: Path) -> None:
    """Fsync a folder, so that the names in it survive a power loss."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def make_folders(folder: Path, *, sync: bool = True) -> Path:
    """Create `folder` and its missing parents, durably if `sync`; return it.

    A new folder is closed to everybody who can't use its parent folder.
    """
    missing = list(itertools.takewhile(lambda path: not path.is_dir(), (folder, *folder.parents)))
    for path in reversed(missing):
        path.mkdir(mode=_mode_in(path.parent), exist_ok=True)
        if sync:
            sync_folder(path.parent)
    return folder


def _mode_in(folder: Path) -> int:
    """The mode of a new file or folder: all rights for us, and for others no more than they have in its folder."""
    return 0o700 | stat.S_IMODE(folder.stat().st_mode) & 0o077


def make_place(path: Path, root: Path) -> Path:
    """Create the folder for a file at `path`, below a folder of ours, that can be made again.

    Raises `UsageError` (exit 2) where a link is in the way.
    """
    refuse_links(path, root)
    make_folders(path.parent, sync=False)
    return path


def refuse_links(path: Path, root: Path) -> None:
    """Raise `UsageError` (exit 2) where `path`, `root`, or anything between them is a symbolic link."""
    for part in (path, *path.parents):
        if part.is_symlink():
            raise UsageError(
                f"{part}: is a symbolic link to {part.readlink()}; remove it, or name the real folder: "
                "outputs are written to real folders only"
            )
        if part == root:
            return


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
    with _written(path, sync=True) as file:
        yield file
    sync_folder(path.parent)


@contextmanager
def whole(path: Path) -> Iterator[IO[bytes]]:
    """Open `path` for writing; on a clean exit it exists whole, else not at all.

    A power cut may still lose its bytes: use this for files that can be made again and are checked when they are read.
    """
    with _written(path, sync=False) as file:
        yield file


@contextmanager
def _written(path: Path, *, sync: bool) -> Iterator[IO[bytes]]:
    temporary = temporary_of(path)
    try:
        with _named(path), _created(temporary) as file:
            yield file
            file.flush()
            if sync:
                os.fsync(file.fileno())
        _rename(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _rename(temporary: Path, path: Path) -> None:
    try:
        temporary.rename(path)
    except IsADirectoryError:
        raise UsageError(f"{path}: {_IS_FOLDER}") from None


def temporary_of(path: Path) -> Path:
    """A temporary name for `path`; several processes may write the same file, and each has its own name."""
    return path.with_name(f"{path.name}.{os.getpid()}-{next(_TEMPORARY_NUMBERS)}{TEMPORARY}")


def _created(path: Path) -> IO[bytes]:
    """A new file, closed to everybody who can't use its folder."""
    mode = _mode_in(path.parent) & 0o666
    return open(path, "xb", opener=lambda name, flags: os.open(name, flags | os.O_NOFOLLOW, mode))


def open_regular(path: Path) -> BufferedReader:
    """Open a file of ours for reading.

    Raises `OSError` for a link, a folder, a pipe or a device, none of which is ours.
    """
    # Without O_NONBLOCK, opening a pipe would wait for a writer.
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "is not a regular file", str(path))
    return os.fdopen(descriptor, "rb")


@contextmanager
def _named(path: Path) -> Iterator[None]:
    """Add the path to errors of the operating system that lack it, such as those of a write."""
    try:
        yield
    except OSError as error:
        error.filename = error.filename or str(path)
        raise


def remove_temporaries(folder: Path) -> None:
    """Remove half-written files of killed processes, and all links, from a folder that this process has locked."""
    for path in [*walk(folder)]:
        if path.is_symlink() or path.name.endswith(TEMPORARY):
            path.unlink()


def walk(folder: Path) -> Iterator[Path]:
    """Every file and every link below a folder; links are not followed."""
    for parent, folders, files in os.walk(folder):
        yield from (path for name in folders if (path := Path(parent, name)).is_symlink())
        yield from (Path(parent, name) for name in files)


def write_text(path: Path, text: str) -> None:
    """Write `text` as UTF-8, durably, unless the file holds exactly that already."""
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
    """Hold `folder/.lock` for this process, until it ends at the latest. Shared holders exclude only unshared ones.

    Raises `ConflictError` (exit 5) naming the holder where another process has it, and
    `UsageError` (exit 2) where the lock is a link, or not a file of ours.
    """
    path = folder / LOCK
    with _locked_file(path, fcntl.LOCK_SH if shared else fcntl.LOCK_EX) as file:
        if shared:
            yield
            return
        with _named(path):
            file.truncate(0)
            file.write(f"process {os.getpid()} on {socket.gethostname()}\n".encode())
        try:
            yield
        finally:
            file.truncate(0)


@contextmanager
def _locked_file(path: Path, kind: int) -> Iterator[IO[bytes]]:
    while True:
        with _lock_file(path) as file:
            try:
                fcntl.flock(file, kind | fcntl.LOCK_NB)
            except BlockingIOError:
                holder = file.read(200).decode(errors="replace").strip()
                named = f": {holder}" if holder else ""
                raise ConflictError(
                    f"{path.parent}: another command is at work here{named}; "
                    "wait until it has ended, or choose another folder"
                ) from None
            # Another holder may have removed the lock and its folder since it was opened.
            if os.fstat(file.fileno()).st_nlink:
                yield file
                return


def _lock_file(path: Path) -> IO[bytes]:
    refuse_links(path, path)
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        file = os.fdopen(os.open(path, flags, _mode_in(path.parent) & 0o666), "r+b", buffering=0)
    except IsADirectoryError:
        raise UsageError(f"{path}: {_IS_FOLDER}") from None
    except FileNotFoundError:
        raise ConflictError(f"{path.parent}: was removed by another command; run the command again") from None
    status = os.fstat(file.fileno())
    if not stat.S_ISREG(status.st_mode) or status.st_nlink > 1:
        file.close()
        raise UsageError(f"{path}: is not a lock of tulu-data, but another file's second name, or no file; remove it")
    return file


def require_room(folder: Path, size: int, what: str) -> None:
    """Raise `ResourceError` (exit 6) where `size` bytes of `what` are more than the disk of a folder has left."""
    there = next(path for path in (folder, *folder.absolute().parents) if path.is_dir())
    free = shutil.disk_usage(there).free
    if size > free:
        raise ResourceError(
            f"{folder}: {what} takes about {size / 1e9:,.1f} GB, and {free / 1e9:,.1f} GB are free there; "
            "free some, or choose another place"
        )


def publish_folder(staged: Path, target: Path) -> None:
    """Rename a complete folder to its final name, where nothing may be yet."""
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
    """Remove a folder of ours that no reader can have found."""
    shutil.rmtree(folder, ignore_errors=True)
