"""JSON: one record a line, an array, or an array inside one object; plain, gzip or zstd."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, ClassVar, Final

from pydantic import AfterValidator, Field

from tulu_data.errors import RecordError, printable
from tulu_data.readers import json_record
from tulu_data.readers.elements import EACH, elements, split_path
from tulu_data.readers.record import Record
from tulu_data.readers.stream import MAX_RECORD_BYTES, Stream, lines
from tulu_data.source import Paths, Reading, Source

_WHITE_SPACE: Final = b" \t\r\n"
_RECORDS = re.compile(r"(\[\]|[^\[\].]+(\[\])*)(\.[^\[\].]+(\[\])*)*")


def _records_path(path: str) -> str:
    if not _RECORDS.fullmatch(path):
        raise ValueError(
            f"'{printable(path)}' is no path to records, such as examples[], data[].paragraphs[] or entries"
        )
    return path


class Jsonl(Source):
    """JSON files; what a file holds decides how it is read, never its name.

    {jsonl: "data/*.jsonl.zst"}
    {jsonl: bbh/*.json, records: "examples[]"}
    {jsonl: mbppplus.json, records: entries, format: {prompt: value, response: key}}
    """

    place: ClassVar = "jsonl"

    jsonl: Paths = Field(description="A path or a list of paths; `*`, `?`, `**` and `${NAME}` work")
    records: Annotated[str, AfterValidator(_records_path)] | None = Field(
        None,
        description="Where one document keeps its rows: a path such as `examples[]` or `data[].paragraphs[]`; "
        "`entries` makes a row {key, value} of each entry of an object",
    )

    @contextmanager
    def read(self, file: Path, columns: tuple[str, ...] = ()) -> Iterator[Reading]:
        with Stream(file) as stream:
            yield Reading(self._records(stream), stream.sha256, stream.expansion)

    def _records(self, stream: Stream) -> Iterator[Record]:
        steps = None if self.records is None else split_path(self.records)
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
