"""Records inside one JSON document: the elements of an array at any depth.

The document is scanned in pieces for its brackets and quotes alone, and each element is
parsed by itself: a bad byte inside an element costs only that element, and a file of any size
is never in memory as a whole.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from tulu_data.errors import InputError, RecordError, did_you_mean, printable
from tulu_data.readers import json_record
from tulu_data.readers.stream import MAX_RECORD_BYTES, Stream

ENTRIES: Final = "entries"
EACH: Final = "[]"
_STRING = re.compile(rb'"(?:[^"\\]++|\\.)*+"', re.DOTALL)
# A lone quote begins a string whose end was not read yet.
_BRACKET = re.compile(rb'"(?:[^"\\]++|\\.)*+"|["{}\[\]]', re.DOTALL)
_SCALAR = re.compile(rb"[^\s,\]}:]+")
_SPACE = re.compile(rb"[ \t\r\n]*")


class Element(NamedTuple):
    """The bytes of one record; `content` is None if it is longer than a record may be."""

    offset: int
    content: bytes | None


def split_path(records: str) -> tuple[str, ...]:
    """The steps of a `records:` path.

    >>> split_path("data[].paragraphs[]")
    ('data', '[]', 'paragraphs', '[]')
    """
    steps: list[str] = []
    for part in records.split(".") if records else []:
        name = part.removesuffix(EACH)
        steps += [name] if name else []
        steps += [EACH] if part.endswith(EACH) else []
    return tuple(steps)


def elements(stream: Stream, steps: tuple[str, ...]) -> Iterator[Element]:
    """The records that `steps` lead to, in the order of the file.

    A step is a key, `[]` (each element of an array) or, last, `entries` (each key and
    value of an object, as `{"key": …, "value": …}`).

    Raises `InputError` (exit 3) with the byte if the document's own structure is broken,
    or if a step leads nowhere.
    """
    return _Walker(stream).walk(steps)


class _Walker:
    def __init__(self, stream: Stream) -> None:
        self.stream = stream
        self.buffer = b""
        self.base = stream.position  # position in the file of the buffer's first byte
        self.at = 0  # position in the buffer
        self.start = 0  # where the value now being read began, in the buffer
        self.is_overlong = False

    def walk(self, steps: tuple[str, ...]) -> Iterator[Element]:
        yield from self._descend(steps, "")
        if self._peek():
            raise self._broken("more text after the end of the document")

    def _descend(self, steps: tuple[str, ...], path: str) -> Iterator[Element]:
        if not steps:
            yield self._value()
        elif steps[0] == EACH:
            yield from self._each(steps[1:], path)
        elif steps == (ENTRIES,):
            yield from self._entries()
        else:
            yield from self._key(steps, path)

    def _each(self, steps: tuple[str, ...], path: str) -> Iterator[Element]:
        self._open(b"[", f"{path or 'the document'} should be an array")
        if self._take(b"]"):
            return
        while True:
            yield from self._descend(steps, f"{path}[]")
            if self._take(b"]"):
                return
            self._expect(b",")

    def _entries(self) -> Iterator[Element]:
        for key in self._keys("the place of entries"):
            offset = self.base + self.at
            value = self._value().content
            yield Element(offset, None if value is None else b'{"key":%b,"value":%b}' % (key, value))

    def _key(self, steps: tuple[str, ...], path: str) -> Iterator[Element]:
        wanted = steps[0]
        seen: list[str] = []
        found = False
        for key in self._keys(path or "the document"):
            try:
                name = str(json_record.parse(key))
            except RecordError as error:
                raise self._broken(f"a key that is not text: {error}") from None
            if name == wanted and not found:
                found = True
                yield from self._descend(steps[1:], f"{path}.{name}".lstrip("."))
            elif name == wanted:
                raise self._broken(f"key '{wanted}' stands twice")
            else:
                seen.append(name)
                self._value()
        if not found:
            listed = ", ".join(printable(name, 30) for name in seen[:12]) or "none"
            raise InputError(
                f"{self.stream.path}: records: no key '{wanted}' in {path or 'the document'}; "
                f"its keys are {listed}{did_you_mean(wanted, seen)}"
            )

    def _keys(self, place: str) -> Iterator[bytes]:
        self._open(b"{", f"{place} should be an object")
        if self._take(b"}"):
            return
        while True:
            if self._peek() != b'"':
                raise self._broken("a key was expected")
            key = self._value().content or b'""'
            self._expect(b":")
            yield key
            if self._take(b"}"):
                return
            self._expect(b",")

    def _value(self) -> Element:
        """Skip one value and return its bytes."""
        first = self._peek()
        self.start, self.is_overlong = self.at, False
        offset = self.base + self.at
        if first == b'"':
            self._string()
        elif first in (b"{", b"["):
            self._nested()
        else:
            self._scalar()
        content = self.buffer[self.start : self.at]
        is_short = not self.is_overlong and len(content) <= MAX_RECORD_BYTES
        self.start = self.at
        return Element(offset, content if is_short else None)

    def _string(self) -> None:
        while not (found := _STRING.match(self.buffer, self.at)):
            if not self._fill():
                raise self._broken("a text that never ends")
        self.at = found.end()

    def _nested(self) -> None:
        depth = 0
        while True:
            for found in _BRACKET.finditer(self.buffer, self.at):
                token = found.group()
                if token == b'"':
                    self.at = found.start()
                    break
                self.at = found.end()
                if token in (b"{", b"["):
                    depth += 1
                elif token in (b"}", b"]"):
                    depth -= 1
                    if depth == 0:
                        return
            else:
                self.at = len(self.buffer)
            if not self._fill():
                raise self._broken("an array or object that never ends")

    def _scalar(self) -> None:
        while True:
            found = _SCALAR.match(self.buffer, self.at)
            if not found:
                raise self._broken("a value was expected")
            if found.end() < len(self.buffer) or not self._fill():
                self.at = found.end()
                return

    def _peek(self) -> bytes:
        """The next byte that is not white space, or nothing at the end."""
        while True:
            space = _SPACE.match(self.buffer, self.at)
            self.at = space.end() if space else self.at
            if self.at < len(self.buffer):
                return self.buffer[self.at : self.at + 1]
            self.start = self.at
            if not self._fill():
                return b""

    def _take(self, byte: bytes) -> bool:
        taken = self._peek() == byte
        self.at += taken
        return taken

    def _expect(self, byte: bytes) -> None:
        if not self._take(byte):
            raise self._broken(f"'{byte.decode()}' was expected")

    def _open(self, byte: bytes, otherwise: str) -> None:
        if not self._take(byte):
            raise InputError(f"{self.stream.path}: records: {otherwise}")

    def _fill(self) -> bool:
        """Read on, and drop the bytes before the current value, or all bytes of an overlong one."""
        chunk = self.stream.read()
        if self.at - self.start > MAX_RECORD_BYTES:
            self.is_overlong = True
        if len(self.buffer) - self.at > MAX_RECORD_BYTES:
            raise self._broken(f"a text of more than {MAX_RECORD_BYTES:,} bytes")
        forget = self.at if self.is_overlong else self.start
        self.buffer = self.buffer[forget:] + chunk
        self.base += forget
        self.at -= forget
        self.start = 0 if self.is_overlong else self.start - forget
        return bool(chunk)

    def _broken(self, what: str) -> InputError:
        return InputError(
            f"{self.stream.path}: byte {self.base + self.at:,}: {what}; "
            "what follows can't be told apart, so the file is not read"
        )
