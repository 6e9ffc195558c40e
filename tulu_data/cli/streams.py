"""Make stdout and stderr work in any encoding, when they are closed, and when nobody reads them any more."""

from __future__ import annotations

import codecs
import contextlib
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Final

_REPLACING: Final = "tulu_data_replacing"
# Characters of our own tables and messages; others that an encoding lacks are shown by their numbers.
_PLAIN: Final = {
    "…": "...",
    "·": ".",
    "−": "-",
    "×": "x",
    "┌": "+",
    "│": "|",
    "⟦": "[",
    "⟧": "]",
    "↓": "v",
    "→": "->",
}


def open_all() -> None:
    """Open the three streams if they are closed, and make them take any text.

    A closed one is opened to the null device: otherwise the next file opened would get its number,
    and messages of a library to stderr would be written into it.
    """
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
    sys.stdin = sys.stdin or _nowhere(0, "r")
    sys.stdout = sys.stdout or _nowhere(1, "w")
    sys.stderr = sys.stderr or _nowhere(2, "w")
    codecs.register_error(_REPLACING, _replaced)
    for stream in (sys.stdout, sys.stderr):
        if reconfigure := getattr(stream, "reconfigure", None):
            reconfigure(errors=_REPLACING)


@contextmanager
def lasting(stream: IO[str]) -> Iterator[None]:
    """Drop text that nobody reads any more, and notes for which the disk is full, so that the work continues.

    Raises `OSError` if the disk is full for a result.
    """
    try:
        yield
    except OSError as error:
        drop(stream)
        if stream is sys.stdout and not isinstance(error, BrokenPipeError):
            raise


def write(stream: IO[str], text: str) -> None:
    """Write to a stream that is `lasting`."""
    with lasting(stream):
        stream.write(text)
        stream.flush()


def drop(stream: IO[str]) -> None:
    """Send a stream to the null device, with the text that it still buffers."""
    with contextlib.suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)


def close_all() -> None:
    """Write what the streams still buffer. Raises `OSError` if the disk is full."""
    for stream in (sys.stderr, sys.stdout):
        write(stream, "")


def _nowhere(descriptor: int, mode: str) -> IO[str]:
    return os.fdopen(descriptor, mode, encoding="utf-8", closefd=False)


def _replaced(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    signs = error.object[error.start : error.end]
    shown = "".join(_PLAIN.get(sign) or sign.encode("ascii", "backslashreplace").decode() for sign in signs)
    return shown, error.end
