"""Records of a JSON file: one on each line, the elements of an array, or those at a path inside one document."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from typing import Final

from tulu_data.errors import RecordError
from tulu_data.readers import json_record
from tulu_data.readers.json_elements import EACH, elements, split_path
from tulu_data.readers.record import Record
from tulu_data.readers.stream import MAX_RECORD_BYTES, Stream, lines

_WHITE_SPACE: Final = b" \t\r\n"


def records(stream: Stream, path: str | None = None) -> Iterator[Record]:
    """The records of an open file, in order; in one document, `path` leads to them."""
    steps = None if path is None else split_path(path)
    if steps is None and _is_array(stream):
        steps = (EACH,)
    if steps is None:
        yield from records_of_lines(stream)
    elif stream.peek():
        yield from _records((element.offset, element.content) for element in elements(stream, steps))


def records_of_lines(stream: Stream, before: int = 0) -> Iterator[Record]:
    """One record for each line, from the stream's position; `before` is the number of records before it."""
    return _records(((line.offset, line.content) for line in lines(stream) if line.content != b""), before)


def are_plain_lines(stream: Stream) -> bool:
    """Whether an open file has one record on each line and can be read from any line on."""
    return not stream.is_compressed and not stream.is_converted and not _is_array(stream)


def parts(stream: Stream, records: int) -> Iterator[tuple[int, int, int, int, str]]:
    """Cut a file of lines into parts of a number of records: records before and in each, first byte, end, sha256.

    Every line is a record except blank ones, as in `records`.
    """
    first = at = stream.position
    digest = hashlib.sha256()
    row = size = 0
    has_text = False
    while chunk := stream.read():
        start = kept = 0
        while (end := chunk.find(b"\n", start)) >= 0:
            piece = chunk[start:end]
            size += len(piece)
            start = end + 1
            if has_text or size > MAX_RECORD_BYTES or (piece and not piece.isspace()):
                row += 1
                if row % records == 0:
                    digest.update(chunk[kept:start])
                    yield row - records, records, first, at + start, digest.hexdigest()
                    first, kept, digest = at + start, start, hashlib.sha256()
            size, has_text = 0, False
        rest = chunk[start:]
        size += len(rest)
        has_text = has_text or (bool(rest) and not rest.isspace())
        digest.update(chunk[kept:])
        at += len(chunk)
    if left := row % records + (has_text or size > MAX_RECORD_BYTES):
        yield row // records * records, left, first, at, digest.hexdigest()


def _is_array(stream: Stream) -> bool:
    return stream.peek().lstrip(_WHITE_SPACE).startswith(b"[")


def _records(pieces: Iterable[tuple[int, bytes | None]], row: int = 0) -> Iterator[Record]:
    for offset, content in pieces:
        if content is not None and content.isspace():
            continue
        row += 1
        yield _record(row, offset, content)


def _record(row: int, offset: int, content: bytes | None) -> Record:
    if content is None:
        return Record(row, offset, None, RecordError("too_long", f"more than {MAX_RECORD_BYTES:,} bytes"))
    try:
        value = json_record.parse(content)
    except RecordError as error:
        return Record(row, offset, None, error)
    if not isinstance(value, dict):
        return Record(row, offset, None, RecordError("not_an_object", f"is {json_record.kind_of(value)}"))
    return Record(row, offset, value)
