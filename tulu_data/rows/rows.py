"""Rows: conversations in canonical columns, their text under `on`, and their identity.

A row's content hash is the sha256 of its content as canonical JSON (RFC 8785), so that
`jq -cS '{messages}' | sha256sum` on a published row gives it again.
"""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, NamedTuple

import numpy as np
import numpy.typing as npt
import orjson
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from tulu_data.rows import calls

On = Literal["prompt", "response", "conversation"]
"""Which messages are the text of a row.

`prompt`: the user's. `response`: the assistant's, with the reasoning and the calls that go
with them. `conversation`: both, and the answers of tools. System prompts and the tools on
offer belong to none of them: rows share them. The texts of a message are its content, then
its reasoning, then each call: the function's name, and the values of its arguments
(`calls.texts_of`).
"""

ROLES_OF: Final[dict[str, tuple[str, ...]]] = {
    "prompt": ("user",),
    "response": ("assistant",),
    "conversation": ("user", "assistant", "tool"),
}

SAID: Final[dict[str, str]] = {"prompt": "prompt", "response": "response", "conversation": "text"}
"""What the texts under `on` are called where a person reads of them."""

PLAIN_FIELDS: Final = {"role": pa.string(), "content": pa.string()}
RARE_FIELDS: Final = {"reasoning_content": pa.string(), "weight": pa.float64()}
"""What few messages have: what the assistant thought before it answered, and how much the message is trained on.

`weight` is null where it is the usual one: 1 of the assistant's messages, 0 of others.
"""
MESSAGES: Final = pa.list_(pa.struct(list(PLAIN_FIELDS.items())))
WHOLE_MESSAGES: Final = pa.list_(pa.struct([*PLAIN_FIELDS.items(), *RARE_FIELDS.items()]))
CONTENT: Final = {"messages": WHOLE_MESSAGES, "tool_calls": pa.string(), "tools": pa.string()}
"""The columns that are a row's content, by name. `tool_calls` and `tools` are JSON texts."""

_NOTED: Final = {"row": pa.int64(), "content": pa.binary(32), "marks": pa.uint32()}
STORED: Final = pa.schema([*_NOTED.items(), *CONTENT.items()])
"""What the store keeps of a row: its number in the file, its content hash, what `blemishes` mark, its content.

Columns that a source keeps come after these.
"""


class Conversation(NamedTuple):
    """One row as a format reads it.

    `messages` are (role, content) pairs. `tool_calls` is a JSON array with one entry a
    message: null, or what it had of `tool_calls`, `function_call`, `tool_call_id`, `name`.
    `tools` is the JSON text of the tools that were on offer. `reasoning` and `weights` have
    one entry a message, or are empty where no message has any; see `RARE_FIELDS`.
    """

    messages: Sequence[tuple[str, str]]
    tool_calls: str | None = None
    tools: str | None = None
    reasoning: Sequence[str | None] = ()
    weights: Sequence[float | None] = ()


class Texts(NamedTuple):
    """The texts of some rows: `strings[offsets[i]:offsets[i + 1]]` are those of row i.

    `strings` is an Arrow string array; `offsets` int64, one longer than the rows; `numbers`
    int32 says which of its row's messages each is of, from 0; `begins` int64 at which
    character of the whole message it begins (`Message.whole_text`), 0 for contents. Nothing
    that is computed of a row's texts may cross from one to the next.
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


class Message(NamedTuple):
    """One message of a row, its calls (`tulu_data.rows.calls`), and what few messages have (`RARE_FIELDS`)."""

    role: str
    content: str
    entry: calls.Entry | None = None
    reasoning_content: str | None = None
    weight: float | None = None

    @property
    def is_trained(self) -> bool:
        """Whether its tokens are trained on."""
        return self.role == "assistant" if self.weight is None else self.weight > 0

    @property
    def whole_text(self) -> str:
        r"""All that it says: its content, then its reasoning, then its calls, each from a new line.

        >>> Message("assistant", "Let me see.", {"function_call": {"name": "now"}}, "What time is it?").whole_text
        'Let me see.\nWhat time is it?\nnow'
        """
        texts = (self.content, self.reasoning_content, *calls.texts_of(self.entry))
        return "\n".join(text for text in texts if text)


class _Call(NamedTuple):
    place: int
    begin: int
    text: str


@dataclass(frozen=True)
class Rows:
    """Some rows in canonical columns, as a stage gets them: an Arrow record batch.

    >>> rows = Rows.of([Conversation([("user", "2 + 2?"), ("assistant", "4")])])
    >>> list(rows.texts("prompt").by_row())
    [['2 + 2?']]
    """

    batch: pa.RecordBatch

    def __len__(self) -> int:
        return int(self.batch.num_rows)

    @classmethod
    def of(cls, conversations: Iterable[Conversation]) -> Rows:
        """Rows of conversations, in their order, without `row` and `content`."""
        roles: list[str] = []
        contents: list[str] = []
        offsets = [0]
        tool_calls: list[str | None] = []
        tools: list[str | None] = []
        rare: dict[str, list[Any]] = {name: [] for name in RARE_FIELDS}
        for conversation in conversations:
            for role, content in conversation.messages:
                roles.append(role)
                contents.append(content)
            nothing = [None] * (len(roles) - offsets[-1])
            rare["reasoning_content"] += conversation.reasoning or nothing
            rare["weight"] += conversation.weights or nothing
            offsets.append(len(roles))
            tool_calls.append(conversation.tool_calls)
            tools.append(conversation.tools)
        values = {"role": roles, "content": contents, **rare}
        fields = list(WHOLE_MESSAGES.value_type)
        structs = pa.StructArray.from_arrays(
            [pa.array(values[field.name], field.type) for field in fields], fields=fields
        )
        messages = pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), structs, type=WHOLE_MESSAGES)
        return cls._of_columns(messages, pa.array(tool_calls, pa.string()), pa.array(tools, pa.string()))

    @classmethod
    def of_messages(cls, messages: pa.ListArray) -> Rows:
        """Rows that have messages and nothing else."""
        nothing = pa.nulls(len(messages), pa.string())
        return cls._of_columns(with_fields(messages, WHOLE_MESSAGES), nothing, nothing)

    @classmethod
    def _of_columns(cls, *columns: pa.Array) -> Rows:
        return cls(pa.RecordBatch.from_arrays(list(columns), schema=pa.schema(list(CONTENT.items()))))

    def column(self, name: str) -> pa.Array:
        """One column as an Arrow array."""
        return self.batch.column(name)

    def conversations(self) -> Iterator[Conversation]:
        """The rows one by one."""
        columns = (self.column(name).to_pylist() for name in CONTENT)
        for messages, tool_calls, tools in zip(*columns, strict=True):
            rare = ([message[name] for message in messages] for name in RARE_FIELDS)
            yield Conversation(
                [(message["role"], message["content"]) for message in messages],
                tool_calls,
                tools,
                *(values if any(value is not None for value in values) else () for values in rare),
            )

    def frame(self) -> pl.DataFrame:
        """The rows as a polars frame."""
        frame = pl.from_arrow(self.batch)
        assert isinstance(frame, pl.DataFrame)
        return frame

    def texts(self, on: On) -> Texts:
        """The texts of each row under `on`: the content of each message, then its reasoning, then its calls.

        Rows without a column `tool_calls` have no calls.
        """
        messages = self.batch.column("messages")
        flat = messages.flatten()
        wanted = pc.is_in(flat.field("role"), pa.array(ROLES_OF[on]))
        chosen = wanted.to_numpy(zero_copy_only=False)
        bounds = messages.offsets.to_numpy().astype(np.int64)
        bounds -= bounds[0]
        numbers = (np.arange(len(flat)) - np.repeat(bounds[:-1], np.diff(bounds))).astype(np.int32)
        places = np.flatnonzero(chosen)
        strings, begins = [flat.field("content").filter(wanted)], [np.zeros(len(places), np.int64)]
        every = [places]
        ends = pc.utf8_length(flat.field("content")).to_numpy().astype(np.int64)
        if (reasoning := self.reasoning()) is not None:
            starts = ends + (ends > 0)
            lengths = pc.fill_null(pc.utf8_length(reasoning), 0).to_numpy()
            ends = np.where(lengths > 0, starts + lengths, ends)
            thought = np.flatnonzero(chosen & reasoning.is_valid().to_numpy(zero_copy_only=False))
            every.append(thought)
            begins.append(starts[thought])
            strings.append(reasoning.take(pa.array(thought)))
        called = [call for call in self._calls(bounds, ends) if chosen[call.place]]
        if called:
            every.append(np.array([call.place for call in called]))
            begins.append(np.array([call.begin for call in called]))
            strings.append(pa.array([call.text for call in called], pa.string()))
        if len(every) == 1:
            return Texts(strings[0], np.searchsorted(places, bounds), numbers[places], begins[0])
        places = np.concatenate(every)
        order = np.argsort(places, kind="stable")
        places = places[order]
        texts = pa.concat_arrays(strings).take(pa.array(order))
        return Texts(texts, np.searchsorted(places, bounds), numbers[places], np.concatenate(begins)[order])

    def reasoning(self) -> pa.StringArray | None:
        """The reasoning of each message of all rows, null where it has none; None where no message has any."""
        return self._rare("reasoning_content")

    def _rare(self, name: str) -> pa.Array | None:
        flat = self.batch.column("messages").flatten()
        if flat.type.get_field_index(name) < 0:
            return None
        values = flat.field(name)
        return None if values.null_count == len(values) else values

    def messages(self, on: On | None = None) -> Iterator[list[Message]]:
        """The messages of each row under `on`, or all, one by one, with what they have of calls."""
        every = self.batch.column("messages").to_pylist()
        for messages, entries in zip(every, self._entries(), strict=True):
            yield [
                Message(entry=entry, **message)
                for message, entry in zip(messages, itertools.chain(entries, itertools.repeat(None)), strict=False)
                if on is None or message["role"] in ROLES_OF[on]
            ]

    def whole_messages(self, row: int) -> list[str]:
        """The whole text of each message of a row."""
        (messages,) = Rows(self.batch.slice(row, 1)).messages()
        return [message.whole_text for message in messages]

    def _entries(self) -> Iterator[list[calls.Entry | None]]:
        """What each message has of calls, by row; an empty list where none has any."""
        if "tool_calls" not in self.batch.schema.names:
            return itertools.repeat([], len(self))
        column = self.batch.column("tool_calls").to_pylist()
        return (calls.entries_of(value) if value is not None else [] for value in column)

    def _calls(self, bounds: npt.NDArray[np.int64], ends: npt.NDArray[np.int64]) -> Iterator[_Call]:
        """The calls of all rows, in order.

        The messages of row i are from `bounds[i]` on; `ends` is how long each is without its calls.
        """
        for (start, end), entries in zip(itertools.pairwise(bounds.tolist()), self._entries(), strict=True):
            for place, entry in enumerate(entries[: end - start], start):
                begin = int(ends[place])
                for text in calls.texts_of(entry):
                    begin += begin > 0
                    yield _Call(place, begin, text)
                    begin += len(text)

    def text_bytes(self) -> npt.NDArray[np.int64]:
        """The bytes of each row's roles, contents, reasoning, and texts of other columns, (rows, columns)."""
        messages = self.batch.column("messages")
        bounds = messages.offsets.to_numpy() - messages.offsets[0].as_py()
        flat = messages.flatten()
        columns = [
            _summed(_lengths(flat.field(field.name)), bounds) for field in flat.type if field.type == pa.string()
        ]
        others = [field.name for field in self.batch.schema if field.type == pa.string()]
        return np.stack([*columns, *(_lengths(self.batch.column(name)) for name in others)], axis=1)

    def with_contents(self, contents: pa.StringArray) -> Rows:
        """The same rows with other contents of their messages, one for each message of all rows."""
        return self.with_field("content", contents)

    def with_field(self, name: str, values: pa.Array) -> Rows:
        """The same rows with other values of one field of their messages, one for each message of all rows."""
        messages = self.batch.column("messages")
        flat = messages.flatten()
        fields = list(flat.type)
        children = [values if field.name == name else flat.field(field.name) for field in fields]
        structs = pa.StructArray.from_arrays(children, fields=fields)
        offsets = pc.subtract(messages.offsets, messages.offsets[0])
        return self.with_column("messages", pa.ListArray.from_arrays(offsets, structs, type=messages.type))

    def with_more(self, columns: Mapping[str, pa.Array]) -> Rows:
        """The same rows with more columns, which are a part of their content."""
        batch = self.batch
        return Rows(
            pa.RecordBatch.from_arrays([*batch.columns, *columns.values()], names=[*batch.schema.names, *columns])
        )

    def with_column(self, name: str, column: pa.Array) -> Rows:
        """The same rows with another column of this name."""
        return Rows(self.batch.set_column(self.batch.schema.get_field_index(name), name, column))

    def content_hashes(self) -> list[bytes]:
        """The sha256 of each row's content, 32 bytes a row."""
        sha256, dumps = hashlib.sha256, orjson.dumps
        return [sha256(dumps(content)).digest() for content in self._contents()]

    def _contents(self) -> Iterator[dict[str, Any]]:
        messages = self.batch.column("messages")
        flat = messages.flatten()
        bounds = (messages.offsets.to_numpy() - messages.offsets[0].as_py()).tolist()
        pairs = zip(flat.field("content").to_pylist(), flat.field("role").to_pylist(), strict=True)
        # Keys in sorted order throughout, as RFC 8785 has them.
        shown: list[dict[str, Any]] = [{"content": content, "role": role} for content, role in pairs]
        if any(self._rare(name) is not None for name in RARE_FIELDS):
            shown = [
                {key: number_of(value) for key, value in sorted(message.items()) if value is not None}
                for message in flat.to_pylist()
            ]
        names = self.batch.schema.names
        others = [
            name
            for name in names
            if name not in (*_NOTED, "messages") and self.batch.column(name).null_count < len(self)
        ]
        columns = {name: self.batch.column(name).to_pylist() for name in others}
        is_wider = not {*others} <= {*CONTENT}
        for index, (start, end) in enumerate(itertools.pairwise(bounds)):
            content: dict[str, Any] = {"messages": shown[start:end]}
            for name in others:
                if (value := columns[name][index]) is not None:
                    content[name] = number_of(value)
            yield dict(sorted(content.items())) if is_wider else content


def with_fields(messages: pa.ListArray, kind: pa.DataType) -> pa.ListArray:
    """Messages with the fields of another type: those that they do not have are null, and others are left out."""
    if messages.type == kind:
        return messages
    flat, fields = messages.flatten(), list(kind.value_type)
    children = [
        flat.field(field.name) if flat.type.get_field_index(field.name) >= 0 else pa.nulls(len(flat), field.type)
        for field in fields
    ]
    structs = pa.StructArray.from_arrays(children, fields=fields)
    return pa.ListArray.from_arrays(pc.subtract(messages.offsets, messages.offsets[0]), structs, type=kind)


def number_of(value: Any) -> Any:
    """A number as canonical JSON has it: whole ones without a point. Other values are themselves.

    >>> number_of(1.0), number_of(0.5), number_of("1.0")
    (1, 0.5, '1.0')
    """
    return int(value) if isinstance(value, float) and value.is_integer() and abs(value) < 2**53 else value


def _lengths(texts: pa.StringArray) -> npt.NDArray[np.int64]:
    lengths: npt.NDArray[np.int64] = pc.fill_null(pc.binary_length(texts), 0).to_numpy().astype(np.int64)
    return lengths


def _summed(values: npt.NDArray[np.int64], bounds: npt.NDArray[np.int32]) -> npt.NDArray[np.int64]:
    """The sums of values between neighbouring bounds."""
    sums: npt.NDArray[np.int64] = np.diff(np.concatenate([[0], np.cumsum(values)])[bounds])
    return sums
