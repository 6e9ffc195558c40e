"""Compile kernels, and keep the compiled code for the next process.

numba keeps compiled code by the hash of its own file and does not notice that a kernel in
another file, compiled into it, has changed; and it gives up if neither the package's folder
nor HOME can be written. Here compiled code is kept under the hash of all kernels, in the
first folder that can be written; if there is none, each process compiles again.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, Final, TypeVar

import numba
from numba.extending import intrinsic

F = TypeVar("F", bound=Callable[..., Any])

SOURCES: Final = Path(__file__).parent


def kernel(function: F) -> F:
    """A function that numba compiles at its first call; it runs without the GIL."""
    return _compiled(function)


def inlined(function: F) -> F:
    """A kernel that becomes part of its callers."""
    return _compiled(function, inline="always")


def _compiled(function: F, **more: Any) -> F:
    options: dict[str, Any] = {"nogil": True, "error_model": "numpy", **more}
    folder = cache_folder()
    if folder is None:
        compiled: F = numba.njit(**options)(function)
        return compiled
    before = numba.config.CACHE_DIR  # type: ignore[attr-defined]
    numba.config.CACHE_DIR = str(folder)  # type: ignore[attr-defined]
    try:
        compiled = numba.njit(cache=True, **options)(function)
    finally:
        numba.config.CACHE_DIR = before  # type: ignore[attr-defined]
    return compiled


@intrinsic
def borrowed(typing: Any, array: Any) -> Any:
    """The same array without an owner: its references are not counted.

    Counting takes atomic steps whenever an array is passed to a function, which was two thirds
    of the word kernel's time. The caller keeps the array alive.
    """

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        view = context.make_array(signature.args[0])(context, builder, arguments[0])
        view.meminfo = view.meminfo.type(None)
        view.parent = view.parent.type(None)
        return view._getvalue()  # noqa: SLF001 (numba's own name for it)

    return array(array), generate


@cache
def cache_folder() -> Path | None:
    """The folder of compiled code; None if no place for it can be written."""
    sources = hashlib.sha256(b"".join(path.read_bytes() for path in sorted(SOURCES.glob("*.py"))))
    name = f"tulu-data-{sources.hexdigest()[:12]}"
    return next((folder / name for folder in _places() if _can_hold(folder / name)), None)


def are_compiled() -> bool:
    """Whether the kernels of words, which take longest, were already compiled by another process."""
    folder = cache_folder()
    return folder is not None and any(folder.rglob("words.*.nbc"))


def _places() -> Iterator[Path]:
    if chosen := os.environ.get("NUMBA_CACHE_DIR"):
        yield Path(chosen)
    yield SOURCES / "__pycache__"
    if chosen := os.environ.get("XDG_CACHE_HOME"):
        yield Path(chosen)
    if home := os.environ.get("HOME"):
        yield Path(home) / ".cache"


def _can_hold(folder: Path) -> bool:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        # The files in it are run, so the folder must be ours.
        return folder.stat().st_uid == os.getuid() and os.access(folder, os.W_OK | os.X_OK)
    except OSError:
        return False
