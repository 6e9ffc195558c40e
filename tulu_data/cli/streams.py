"""stdout and stderr as any machine has them: of any encoding, closed, or with nobody left who reads."""

from __future__ import annotations

import codecs
import contextlib
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Final

_REPLACING: Final = "tulu_data_replacing"
# Signs of our own tables and messages; all else that an encoding does not have is shown by its number.
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
    """See to it that the three streams are there and take any text.

    A closed one leads to nowhere: else its number would be that of the next file opened, and
    what a library says to stderr would go into it.
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
    """Drop what nobody reads any more, and notes that have no room, so that the work goes on.

    Raises `OSError` where a result has no room.
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
    """Let a stream lead to nowhere, with what it still holds."""
    with contextlib.suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)


def close_all() -> None:
    """Write what the streams still hold. Raises `OSError` where there is no room for it."""
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
