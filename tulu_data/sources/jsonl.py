"""JSON: one record a line, an array, or an array inside one object; plain, gzip or zstd."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, ClassVar

from pydantic import AfterValidator, Field

from tulu_data.errors import printable
from tulu_data.readers import json_lines
from tulu_data.readers.stream import Encoding, Stream
from tulu_data.sources.paths import Paths
from tulu_data.sources.source import Cut, Part, Reading, Source

_RECORDS = re.compile(r"(\[\]|[^\[\].]+(\[\])*)(\.[^\[\].]+(\[\])*)*")


def _records_path(path: str) -> str:
    if not _RECORDS.fullmatch(path):
        raise ValueError(
            f"'{printable(path)}' is not a path to records, such as examples[], data[].paragraphs[] or entries"
        )
    return path


class Jsonl(Source):
    """JSON files; the content of a file decides how it is read, never its name.

    {jsonl: "data/*.jsonl.zst"}
    {jsonl: bbh/*.json, records: "examples[]"}
    {jsonl: mbppplus.json, records: entries, format: {prompt: value, response: key}}
    """

    place: ClassVar = "jsonl"

    jsonl: Paths = Field(description="A path or a list of paths; `*`, `?`, `[…]`, `**` and `${NAME}` work")
    records: Annotated[str, AfterValidator(_records_path)] | None = Field(
        None,
        description="The place of the rows in one document: a path such as `examples[]` or `data[].paragraphs[]`; "
        "`entries` makes a row {key, value} of each entry of an object",
    )

    encoding: Encoding | None = Field(None, description="The encoding of the text if it is not UTF-8, such as cp1252")

    @contextmanager
    def read(self, file: Path, columns: tuple[str, ...] = ()) -> Iterator[Reading]:
        with Stream(file, encoding=self.encoding) as stream:
            yield Reading(json_lines.records(stream, self.records), stream.sha256, stream.expansion)

    def cut(self, file: Path, records: int) -> Cut | None:
        with Stream(file, encoding=self.encoding) as stream:
            if self.records is not None or not json_lines.are_plain_lines(stream):
                return None
            parts = tuple(Part(*bounds) for bounds in json_lines.parts(stream, records))
            return Cut(parts, stream.sha256())

    @contextmanager
    def read_part(self, file: Path, part: Part, columns: tuple[str, ...] = ()) -> Iterator[Reading]:
        with Stream(file, part.start, part.end) as stream:
            yield Reading(json_lines.records_of_lines(stream, part.before), stream.sha256)
