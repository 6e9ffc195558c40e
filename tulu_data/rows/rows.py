"""Rows: some rows of one kind in canonical columns, their texts under `on`, and their identity.

A row's content hash is the sha256 of its content as canonical JSON (RFC 8785), so that
`jq -cS '{messages}' | sha256sum` on a published row of kind sft gives the same hash.
"""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import orjson
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from tulu_data.rows import kind as kinds
from tulu_data.rows.kind import Kind
from tulu_data.rows.messages import Message, MessageColumn, column_of, is_messages, number_of, with_fields

_NOTED: Final = {"row": pa.int64(), "content": pa.binary(32), "marks": pa.uint32()}


def stored(kind: Kind) -> pa.Schema:
    """The columns of the store: a row's number in the file, its content hash, the marks of `blemishes`, its content.

    Columns that a source keeps come after these.
    """
    return pa.schema([*_NOTED.items(), *kind.content.items()])


class Texts(NamedTuple):
    """The texts of some rows: `strings[offsets[i]:offsets[i + 1]]` are those of row i.

    `strings` is an Arrow string array; `offsets` (int64) has one entry more than there are rows;
    `numbers` (int32) is the number, from 0, of the row's message that each text is from
    (`Turn.place` of the row's turns gives the column); `begins` (int64) is the character of the
    whole message where the text begins (`Message.whole_text`), 0 for contents. Results that are
    computed from a row's texts must not cross from one text to the next.
    """

    strings: pa.StringArray
    offsets: npt.NDArray[np.int64]
    numbers: npt.NDArray[np.int32]
    begins: npt.NDArray[np.int64]

    def by_row(self) -> Iterator[list[str]]:
        """The texts of each row as Python strings."""
        strings: list[str] = self.strings.to_pylist()
        for start, end in itertools.pairwise(self.offsets.tolist()):
            yield strings[start:end]


class Turn(NamedTuple):
    """One message of a row as a person reads it.

    `label` is the column if a row has several columns of messages, else empty; `content` is the
    message's own, `text` its whole text (`Message.whole_text`); `place` is its column and its
    number there; `on` are the names under which it is compared.
    """

    label: str
    role: str
    content: str
    text: str
    place: tuple[str, int]
    on: frozenset[str]

    @property
    def speaker(self) -> str:
        """Its role, after its label if it has one."""
        return f"{self.label} {self.role}" if self.label else self.role


def begins_with(turns: Sequence[Turn]) -> str:
    """The first text of the user, or, if there is none, the first text."""
    return next((turn.text for turn in turns if turn.role == "user"), turns[0].text if turns else "")


@dataclass(frozen=True)
class Rows:
    """Some rows of a kind in canonical columns, as a stage gets them: an Arrow record batch.

    >>> from tulu_data.rows.sft import Conversation
    >>> rows = Rows.of([Conversation([("user", "2 + 2?"), ("assistant", "4")])])
    >>> list(rows.texts("prompt").by_row())
    [['2 + 2?']]
    """

    batch: pa.RecordBatch
    kind: Kind

    def __len__(self) -> int:
        return int(self.batch.num_rows)

    @classmethod
    def of(cls, rows: Iterable[kinds.Row], kind: Kind | None = None) -> Rows:
        """Rows from values that a format of the kind reads, in order, without `row` and `content`."""
        kind = kind or kinds.find(kinds.DEFAULT)
        return cls(kind.batch(rows), kind)

    @classmethod
    def saying(cls, texts: Sequence[str], kind: Kind | None = None) -> Rows:
        """Rows with one text each, and nothing else: a message of the user in the first column of messages."""
        kind = kind or kinds.find(kinds.DEFAULT)
        first, *others = kind.messages
        empty = {name: column_of(([], (), ()) for _ in texts) for name in others}
        column = column_of(([("user", text)], (), ()) for text in texts)
        return cls(kind.batch_of({first: column, **empty}, len(texts)), kind)

    @classmethod
    def published(cls, batch: pa.RecordBatch, kind: Kind, beside: Iterable[str] = ()) -> Rows:
        """Rows from a batch of `data/`, in the columns of their content, including those of `beside`."""
        there = {
            name: with_fields(batch.column(name), type) if is_messages(type) else batch.column(name).cast(type)
            for name, type in kind.content.items()
            if name in batch.schema.names
        }
        return cls(kind.batch_of(there, batch.num_rows), kind).with_more({name: batch.column(name) for name in beside})

    def column(self, name: str) -> pa.Array:
        """One column as an Arrow array."""
        return self.batch.column(name)

    def select(self, names: Iterable[str]) -> Rows:
        """The same rows with some of their columns."""
        return replace(self, batch=self.batch.select(list(names)))

    def take(self, places: npt.NDArray[np.integer] | Sequence[int]) -> Rows:
        """Some of the rows, by their places."""
        return replace(self, batch=self.batch.take(pa.array(places)))

    def slice(self, start: int, count: int | None = None) -> Rows:
        """Some neighbouring rows; by default all from `start` on."""
        return replace(self, batch=self.batch.slice(start, count))

    def message_columns(self) -> dict[str, MessageColumn]:
        """The columns of messages that the rows have, by name, in the kind's order."""
        names = self.batch.schema.names

        def calls_of(name: str) -> pa.Array | None:
            calls = self.kind.calls.get(name, "")
            return self.column(calls) if calls in names else None

        return {
            name: MessageColumn(name, self.column(name), calls_of(name)) for name in self.kind.messages if name in names
        }

    def frame(self) -> pl.DataFrame:
        """The rows as a polars frame."""
        frame = pl.from_arrow(self.batch)
        assert isinstance(frame, pl.DataFrame)
        return frame

    def texts(self, on: str | None = None) -> Texts:
        """The texts of each row under `on`, by default all that are compared.

        The texts of a message are its content, then its reasoning, then its calls.
        """
        columns = self.message_columns()
        chosen = self.kind.chosen(columns, on or self.kind.widest)
        parts = []
        before = np.zeros(len(self), np.int64)
        for name, column in columns.items():
            if name in chosen:
                said = column.texts(chosen[name])
                rows = np.searchsorted(column.bounds, said.places, "right") - 1
                numbers = column.numbers[said.places] + before[rows]
                parts.append((said.strings, rows, numbers.astype(np.int32), said.begins))
            before += np.diff(column.bounds)
        strings, rows, numbers, begins = parts[0]
        if len(parts) > 1:
            rows, numbers, begins = (np.concatenate(own) for own in list(zip(*parts, strict=True))[1:])
            order = np.argsort(rows, kind="stable")
            strings = pa.concat_arrays([part[0] for part in parts]).take(pa.array(order))
            rows, numbers, begins = rows[order], numbers[order], begins[order]
        return Texts(strings, np.searchsorted(rows, np.arange(len(self) + 1)), numbers, begins)

    def messages(self, on: str | None = None) -> Iterator[dict[str, list[Message]]]:
        """The messages of each row under `on`, by default all, by their columns, one by one, with their calls."""
        columns = self.message_columns()
        chosen = None if on is None else self.kind.chosen(columns, on)
        each = {
            name: column.messages(None if chosen is None else chosen[name])
            for name, column in columns.items()
            if chosen is None or name in chosen
        }
        for own in zip(*each.values(), strict=True):
            yield dict(zip(each, own, strict=True))

    def transcripts(self) -> Iterator[tuple[Turn, ...]]:
        """The messages of each row as a person reads them, in the order of their numbers."""
        columns = self.message_columns()
        chosen = {on: self.kind.chosen(columns, on) for on in self.kind.on}
        bounds = {name: column.bounds.tolist() for name, column in columns.items()}
        for row, messages in enumerate(self.messages()):
            yield tuple(
                Turn(
                    name if len(self.kind.messages) > 1 else "",
                    one.role,
                    one.content,
                    one.whole_text,
                    (name, number),
                    frozenset(
                        on for on, masks in chosen.items() if name in masks and masks[name][bounds[name][row] + number]
                    ),
                )
                for name, own in messages.items()
                for number, one in enumerate(own)
            )

    def whole_messages(self, row: int) -> list[str]:
        """The whole text of each message of a row."""
        (messages,) = self.slice(row, 1).messages()
        return [message.whole_text for own in messages.values() for message in own]

    def shown(self) -> Iterator[dict[str, Any]]:
        """The content of each row as plain values, for JSON: for a message its role and content, reasoning included."""
        names = [name for name in self.batch.schema.names if name in self.kind.content]
        columns = {name: self.column(name).to_pylist() for name in names if name not in self.kind.messages}
        for row, messages in enumerate(self.messages()):
            said = {name: [{"role": one.role, "content": one.said} for one in own] for name, own in messages.items()}
            yield {name: said[name] if name in said else columns[name][row] for name in names}

    def contents(self) -> pa.StringArray:
        """The contents of all messages of all rows; several columns of messages come one after the other."""
        return pa.concat_arrays([column.flat.field("content") for column in self.message_columns().values()])

    def with_contents(self, contents: pa.StringArray) -> Rows:
        """The same rows with new contents of their messages, in the order of `contents()`."""
        start, rows = 0, self
        for name, column in self.message_columns().items():
            own = contents.slice(start, len(column.flat))
            rows, start = rows.with_column(name, column.with_field("content", own)), start + len(own)
        return rows

    def with_more(self, columns: Mapping[str, pa.Array]) -> Rows:
        """The same rows with more columns, which become part of their content."""
        names = [*self.batch.schema.names, *columns]
        return replace(self, batch=pa.RecordBatch.from_arrays([*self.batch.columns, *columns.values()], names=names))

    def with_column(self, name: str, column: pa.Array) -> Rows:
        """The same rows with this column replaced."""
        return replace(self, batch=self.batch.set_column(self.batch.schema.get_field_index(name), name, column))

    def text_bytes(self) -> npt.NDArray[np.int64]:
        """The bytes of each row's roles, contents, reasoning, and texts of other columns, (rows, columns)."""
        sizes = [
            np.diff(np.concatenate([[0], np.cumsum(_lengths(column.flat.field(field.name)))])[column.bounds])
            for column in self.message_columns().values()
            for field in column.flat.type
            if field.type == pa.string()
        ]
        others = [field.name for field in self.batch.schema if field.type == pa.string()]
        return np.stack([*sizes, *(_lengths(self.column(name)) for name in others)], axis=1)

    def content_hashes(self) -> list[bytes]:
        """The sha256 of each row's content, 32 bytes a row."""
        sha256, dumps = hashlib.sha256, orjson.dumps
        return [sha256(dumps(content)).digest() for content in self._contents()]

    def _contents(self) -> Iterator[dict[str, Any]]:
        """The content of each row as in canonical JSON: keys sorted, without nulls."""
        columns = self.message_columns()
        names = sorted(name for name in self.batch.schema.names if name not in _NOTED)
        values = {
            name: columns[name].contents() if name in columns else map(number_of, self.column(name).to_pylist())
            for name in names
            if self.column(name).null_count < len(self)
        }
        if len(values) == 1:
            ((name, only),) = values.items()
            return ({name: value} for value in only)
        # A column of messages has no null, but any other may.
        every = (zip(values, own, strict=True) for own in zip(*values.values(), strict=True))
        return ({name: value for name, value in one if value is not None} for one in every)


def _lengths(texts: pa.StringArray) -> npt.NDArray[np.int64]:
    lengths: npt.NDArray[np.int64] = pc.fill_null(pc.binary_length(texts), 0).to_numpy().astype(np.int64)
    return lengths
