"""Records of a JSON file: one a line, the elements of an array, or those at a path inside one document."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from tulu_data.errors import RecordError
from tulu_data.readers import json_record
from tulu_data.readers.elements import EACH, elements, split_path
from tulu_data.readers.record import Record
from tulu_data.readers.stream import MAX_RECORD_BYTES, Stream, lines

_WHITE_SPACE: Final = b" \t\r\n"


def records(stream: Stream, path: str | None = None) -> Iterator[Record]:
    """The records of an open file, in order; `path` leads to them in one document."""
    steps = None if path is None else split_path(path)
    if steps is None and stream.peek().lstrip(_WHITE_SPACE).startswith(b"["):
        steps = (EACH,)
    if steps is None:
        pieces = ((line.offset, line.content) for line in lines(stream) if line.content != b"")
    elif stream.peek():
        pieces = ((element.offset, element.content) for element in elements(stream, steps))
    else:
        return
    row = 0
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
