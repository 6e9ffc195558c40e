"""CSV and TSV, with or without a header, with or without quoting; plain, gzip or zstd."""

from __future__ import annotations

import csv
import json
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, ClassVar, Final, NamedTuple

from pydantic import Field

from tulu_data.errors import InputError, RecordError
from tulu_data.readers.record import Record
from tulu_data.readers.stream import ENCODING_REMEDY, MAX_RECORD_BYTES, Encoding, Stream, lines
from tulu_data.sources.paths import Paths
from tulu_data.sources.source import Reading, Source

Delimiter = Annotated[str, Field(min_length=1, max_length=1, pattern=r'^[^\r\n"]$')]


class _Delimited(Source):
    """Lines of fields; without a header, columns are named by their position, from 0."""

    header: bool = Field(True, description="The first line names the columns")
    quoting: bool
    delimiter: Delimiter
    encoding: Encoding | None = Field(None, description="The encoding of the text if it is not UTF-8, such as cp1252")

    def hint(self, columns: tuple[str, ...]) -> str:
        for delimiter in (",", ";", "\t", "|"):
            if len(columns) == 1 and delimiter in columns[0]:
                return f"; if fields are parted by {delimiter!r}, say: delimiter: {json.dumps(delimiter)}"
        return "; if the first line is a row and not a header, say: header: false" if self.header else ""

    @contextmanager
    def read(self, file: Path, columns: tuple[str, ...] = ()) -> Iterator[Reading]:
        with Stream(file, encoding=self.encoding) as stream:
            split = _quoted if self.quoting else _unquoted
            yield Reading(self._records(split(stream, self.delimiter), file), stream.sha256, stream.expansion)

    def _records(self, pieces: Iterator[_Fields], file: Path) -> Iterator[Record]:
        names: list[str] | None = None
        row = 0
        for fields in pieces:
            if names is None and self.header:
                names = self._header(fields, file)
                continue
            row += 1
            if fields.error:
                yield Record(row, fields.offset, None, fields.error)
                continue
            names = names or [str(position) for position in range(len(fields.values))]
            if len(fields.values) != len(names):
                # A line with one column was probably not split.
                hint = self.hint(tuple(names)) if len(names) == 1 else ""
                what = f"{len(fields.values)} fields where the first line has {len(names)}{hint}"
                yield Record(row, fields.offset, None, RecordError("field_count", what))
            else:
                yield Record(row, fields.offset, dict(zip(names, self._values(fields.values), strict=True)))

    def _values(self, fields: list[str]) -> list[str]:
        return fields

    def _header(self, fields: _Fields, file: Path) -> list[str]:
        if fields.error:
            remedy = f"; {ENCODING_REMEDY}" if fields.error.code == "invalid_utf8" else ""
            raise InputError(f"{file}: the header can't be read: {fields.error.detail}{remedy}")
        twice = {name for name, count in Counter(fields.values).items() if count > 1}
        if twice:
            raise InputError(
                f"{file}: two columns of the header are named '{min(twice)}'; "
                "rename one, or read the file with: header: false"
            )
        return fields.values


class Csv(_Delimited):
    """Comma-separated files; without a header, columns are named by their position, from 0.

    {csv: xstest.csv, format: {prompt: prompt, response: label}}
    {csv: pairs.csv, header: false, format: {prompt: 0, response: 1}}
    """

    place: ClassVar = "csv"

    csv: Paths = Field(description="A path or a list of paths; `*`, `?`, `[…]`, `**` and `${NAME}` work")
    quoting: bool = Field(True, description='A field in "…" may hold delimiters and line breaks; "" is a quote')
    delimiter: Delimiter = Field(",", description="The character between two fields")


class Tsv(_Delimited):
    """Tab-separated files, by default without quoting, as most of them are written.

    {tsv: flan/gsm8k_train.tsv, header: false, format: {prompt: 0, response: [2, 1]}}
    {tsv: flan/ecqa_train.tsv, header: false, unescape: true, format: {prompt: 0, response: [2, 1]}}
    """

    place: ClassVar = "tsv"

    tsv: Paths = Field(description="A path or a list of paths; `*`, `?`, `[…]`, `**` and `${NAME}` work")
    quoting: bool = Field(False, description='A field in "…" may hold delimiters and line breaks; "" is a quote')
    delimiter: Delimiter = Field("\t", description="The character between two fields")
    unescape: bool = Field(
        False, description=r"Read `\n`, `\t`, `\r` and `\\` in a field as the characters that they mean"
    )

    def _values(self, fields: list[str]) -> list[str]:
        return [_ESCAPED.sub(_unescaped, field) for field in fields] if self.unescape else fields


_ESCAPED: Final = re.compile(r"\\([ntr\\])")
_CHARACTERS: Final = {"n": "\n", "t": "\t", "r": "\r", "\\": "\\"}


def _unescaped(found: re.Match[str]) -> str:
    return _CHARACTERS[found[1]]


class _Fields(NamedTuple):
    offset: int
    values: list[str]
    error: RecordError | None = None


def _unquoted(stream: Stream, delimiter: str) -> Iterator[_Fields]:
    for line in lines(stream):
        if line.content is None:
            yield _Fields(line.offset, [], _too_long())
        elif content := line.content.removesuffix(b"\r"):
            try:
                yield _Fields(line.offset, content.decode().split(delimiter))
            except UnicodeDecodeError as error:
                yield _Fields(line.offset, [], _not_utf8(content[error.start], error.start))


def _quoted(stream: Stream, delimiter: str) -> Iterator[_Fields]:
    offset = stream.position
    at_end = False

    def texts() -> Iterator[str]:
        nonlocal offset, at_end
        for line in lines(stream):
            if line.content is None:
                raise InputError(f"{stream.path}: byte {line.offset:,}: {_too_long().detail}; the file is not read")
            offset = line.offset + len(line.content) + 1
            # Bytes that are not UTF-8 become surrogates, so that only their own row is bad.
            yield line.content.decode(errors="surrogateescape") + "\n"
        at_end = True

    csv.field_size_limit(MAX_RECORD_BYTES)
    reader = csv.reader(texts(), delimiter=delimiter, strict=True)
    while True:
        start = offset
        try:
            values = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            what = "a quote that opens here is never closed" if at_end or "field limit" in str(error) else str(error)
            raise InputError(
                f"{stream.path}: byte {start:,}: {what}; what follows can't be told apart: "
                "mend it, or read the file with: quoting: false"
            ) from None
        bad = next((value for value in values if not _is_text(value)), None)
        if bad is not None:
            raw = bad.encode(errors="surrogateescape")
            position = next(index for index, sign in enumerate(bad) if "\udc80" <= sign <= "\udcff")
            byte = bad[position].encode(errors="surrogateescape")[0]
            yield _Fields(start, [], _not_utf8(byte, len(raw) - len(bad[position:].encode(errors="surrogateescape"))))
        elif values:
            yield _Fields(start, values)


def _is_text(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _too_long() -> RecordError:
    return RecordError("too_long", f"more than {MAX_RECORD_BYTES:,} bytes")


def _not_utf8(byte: int, position: int) -> RecordError:
    return RecordError("invalid_utf8", f"byte 0x{byte:02x} at byte {position} is not UTF-8")
