"""The bytes of one regular file: decompressed by their first bytes, and hashed and limited on the way.

A stream never has more in memory than was requested, so that a decompression bomb or a line
of a gigabyte gives a message and takes no memory.
"""

from __future__ import annotations

import codecs
import hashlib
import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Annotated, Any, Final, NamedTuple, Self

import pyarrow as pa
from pydantic import AfterValidator

from tulu_data.errors import InputError, did_you_mean, printable
from tulu_data.store.durable import sha256_file

CHUNK_BYTES: Final = 1 << 20
PEEK_BYTES: Final = 4096
MAX_RECORD_BYTES: Final = 16 << 20
# Text compresses 3 to 20 times, templated rows a few hundred times; a bomb 10,000 times and more.
MAX_RATIO: Final = 1_000
RATIO_FLOOR_BYTES: Final = 64 << 20
UTF8_MARK: Final = b"\xef\xbb\xbf"
ENCODING_REMEDY: Final = (
    "if the text is in another encoding, name it, as: encoding: cp1252, or convert the file: iconv -f CP1252 -t UTF-8"
)
_ENCODINGS: Final = (
    "cp1250",
    "cp1251",
    "cp1252",
    "gb18030",
    "iso-8859-1",
    "iso-8859-15",
    "shift_jis",
    "utf-8",
    "utf-16",
)
_COMPRESSIONS: Final = {b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstd"}
_FOREIGN: Final = {
    b"\xff\xfe": "UTF-16 text; say: encoding: utf-16, or convert it: iconv -f UTF-16 -t UTF-8",
    b"\xfe\xff": "UTF-16 text; say: encoding: utf-16, or convert it: iconv -f UTF-16 -t UTF-8",
    b"PAR1": "a Parquet file; name it with: parquet: …",
    b"BZh": "bzip2; decompress it, or use gzip or zstd",
    b"\xfd7zXZ": "xz; decompress it, or use gzip or zstd",
    b"PK\x03\x04": "a zip archive; unpack it first",
    b"\x80\x04": "a pickle, which can run code; it is never opened",
    b"\x80\x05": "a pickle, which can run code; it is never opened",
}


def _encoding(name: str) -> str:
    try:
        found = codecs.lookup(name)
    except LookupError:
        found = None
    # Python also has codecs that turn bytes into bytes.
    if found is None or not getattr(found, "_is_text_encoding", False):
        raise ValueError(f"no encoding '{printable(name, 40)}'{did_you_mean(name, _ENCODINGS)}")
    return found.name


Encoding = Annotated[str, AfterValidator(_encoding)]
"""The name of an encoding of text, as Python knows it."""


def compression_of(head: bytes) -> str | None:
    """The compression of a file that begins with these four bytes, as pyarrow names it; None if it has none.

    >>> compression_of(b"\\x1f\\x8b\\x08\\x00"), compression_of(b"{}")
    ('gzip', None)
    """
    return next((name for magic, name in _COMPRESSIONS.items() if head.startswith(magic)), None)


def require_regular(path: Path) -> os.stat_result:
    """The status of a regular file; anything else is an `InputError` (exit 3), without opening it."""
    try:
        status = path.stat()
    except OSError as error:
        raise InputError(f"{path}: {(error.strerror or str(error)).lower()}") from None
    if not stat.S_ISREG(status.st_mode):
        kinds = {stat.S_ISDIR: "a folder", stat.S_ISFIFO: "a pipe", stat.S_ISSOCK: "a socket"}
        kind = next((name for test, name in kinds.items() if test(status.st_mode)), "a device")
        raise InputError(f"{path}: is {kind}, not a regular file")
    return status


def watched(path: Path) -> Callable[[], str]:
    """A function that gives the sha256 of a file that is read in any order, to be called after reading.

    It raises `InputError` (exit 3) if the path is not a regular file, or was changed meanwhile.
    """
    before = require_regular(path)

    def sha256() -> str:
        after = path.stat()
        if (before.st_mtime_ns, before.st_size, before.st_ino) != (after.st_mtime_ns, after.st_size, after.st_ino):
            raise InputError(f"{path}: changed while it was read; run the command again")
        return sha256_file(path)

    return sha256


class _HashedFile:
    """A file that computes the sha256 of all bytes read from it."""

    def __init__(self, path: Path, start: int, end: int | None) -> None:
        self.file = path.open("rb")
        self.file.seek(start)
        self.length = None if end is None else end - start
        self.digest = hashlib.sha256()
        self.bytes_read = 0

    def read(self, size: int = -1) -> bytes:
        piece = self.file.read(size if self.length is None else min(size, self.length - self.bytes_read))
        self.digest.update(piece)
        self.bytes_read += len(piece)
        return piece

    @property
    def closed(self) -> bool:
        return self.file.closed

    def close(self) -> None:
        self.file.close()


class Stream:
    """A file's text as bytes, without compression and byte order mark.

    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "a.jsonl"
    >>> _ = path.write_bytes(b"one\\ntwo")
    >>> with Stream(path) as stream:
    ...     [(line.offset, line.content) for line in lines(stream)]
    [(0, b'one'), (4, b'two')]

    Raises `InputError` (exit 3) for a file that is not regular, not text, truncated, or
    expands more than a thousand times. With `end` it is a part of a file of plain text,
    whose beginning was checked before. Text in another `encoding` becomes UTF-8, and positions
    count its bytes; bytes that the encoding does not have are kept, and are not UTF-8.
    """

    def __init__(self, path: Path, start: int = 0, end: int | None = None, encoding: str | None = None) -> None:
        require_regular(path)
        self.path = path
        self.position = start
        self._start = start
        self.has_mark = False
        self.is_compressed = False
        foreign = None if encoding == "utf-8" else encoding
        self._decoder = codecs.getincrementaldecoder(foreign)("surrogateescape") if foreign else None
        self._raw = _HashedFile(path, start, end)
        self._ahead = b""
        self._inner: Any = self._raw
        try:
            if end is None:
                self._open()
        except BaseException:
            self.close()
            raise

    @property
    def is_converted(self) -> bool:
        """Whether its bytes differ from those of the file, which is in another encoding."""
        return self._decoder is not None

    def _open(self) -> None:
        head = self._raw.file.peek(8)
        compression = compression_of(head)
        if compression:
            self.is_compressed = True
            self._inner = pa.CompressedInputStream(pa.PythonFile(self._raw, mode="r"), compression)
        first = self._text(PEEK_BYTES)
        for magic, what in _FOREIGN.items():
            if first.startswith(magic):
                raise InputError(f"{self.path}: is {what}")
        self.has_mark = first.startswith(UTF8_MARK)
        if self.has_mark:
            self.position = len(UTF8_MARK)
        self._ahead = first.removeprefix(UTF8_MARK)

    def _read(self, size: int) -> bytes:
        try:
            piece: bytes = self._inner.read(size)
        except OSError as error:
            if error.errno is not None:
                raise
            raise InputError(
                f"{self.path}: damaged after {self._raw.bytes_read:,} bytes: {str(error).lower()}; fetch the file again"
            ) from None
        return piece

    def _text(self, size: int) -> bytes:
        """The next bytes as UTF-8."""
        piece = self._read(size)
        if self._decoder is None:
            return piece
        try:
            text = self._decoder.decode(piece, not piece)
            while piece and not text:
                # The end of the piece divides a character.
                piece = self._read(size)
                text = self._decoder.decode(piece, not piece)
        except UnicodeError as error:
            raise InputError(
                f"{self.path}: is not in the encoding that is named: {error}; name another, or leave `encoding:` out"
            ) from None
        return text.encode(errors="surrogateescape")

    def peek(self) -> bytes:
        """The first bytes, up to 4,096, which are still to be read."""
        return self._ahead

    def read(self, size: int = CHUNK_BYTES) -> bytes:
        """The next bytes, at most `size`; empty at the end."""
        if self._ahead:
            piece, self._ahead = self._ahead, b""
            self.position += len(piece)
            return piece
        piece = self._text(size)
        self.position += len(piece)
        given = self.position - self._start
        if given > RATIO_FLOOR_BYTES and given > MAX_RATIO * max(self._raw.bytes_read, 1):
            raise InputError(
                f"{self.path}: expands more than {MAX_RATIO:,} times ({self._raw.bytes_read:,} bytes gave "
                f"{given:,}): a decompression bomb; it is not read"
            )
        return piece

    def sha256(self) -> str:
        """The sha256 of the file as it is on the disk, once all of it was read."""
        while self._raw.read(CHUNK_BYTES):
            pass
        return self._raw.digest.hexdigest()

    def expansion(self) -> float:
        """How many bytes of text one byte of the file has become so far."""
        return self.position / max(self._raw.bytes_read, 1)

    def close(self) -> None:
        self._raw.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class Line(NamedTuple):
    """One line without its LF; `content` is None if it is longer than a record may be."""

    offset: int
    content: bytes | None


def lines(stream: Stream) -> Iterator[Line]:
    """Split at LF; an overlong line is skipped without keeping it in memory."""
    offset = stream.position
    held: list[bytes] = []
    size = 0
    while chunk := stream.read():
        *whole, rest = chunk.split(b"\n")
        for piece in whole:
            size += len(piece)
            content = b"".join((*held, piece)) if held else piece
            yield Line(offset, content if size <= MAX_RECORD_BYTES else None)
            offset += size + 1
            held, size = [], 0
        if rest:
            size += len(rest)
            held = [*held, rest] if size <= MAX_RECORD_BYTES else []
    if size:
        yield Line(offset, b"".join(held) if size <= MAX_RECORD_BYTES else None)
