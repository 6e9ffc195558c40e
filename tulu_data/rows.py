"""Rows: conversations in canonical columns, their text under `on`, and their identity.

A row's content hash is the sha256 of its content as canonical JSON (RFC 8785), so that
`jq -cS '{messages}' | sha256sum` on a published row gives it again.
"""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, NamedTuple

import numpy as np
import numpy.typing as npt
import orjson
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from tulu_data import calls

On = Literal["prompt", "response", "conversation"]
"""Which messages are the text of a row.

`prompt`: the user's. `response`: the assistant's, with the calls that go with them.
`conversation`: both, and the answers of tools. System prompts and the tools on offer
belong to none of them: rows share them. A call is a text of its own after the content of
its message: the function's name, and the values of its arguments (`calls.texts_of`).
"""

ROLES_OF: Final[dict[str, tuple[str, ...]]] = {
    "prompt": ("user",),
    "response": ("assistant",),
    "conversation": ("user", "assistant", "tool"),
}

SAID: Final[dict[str, str]] = {"prompt": "prompt", "response": "response", "conversation": "text"}
"""What the texts under `on` are called where a person reads of them."""

MESSAGES: Final = pa.list_(pa.struct([("role", pa.string()), ("content", pa.string())]))
CONTENT: Final = {"messages": MESSAGES, "tool_calls": pa.string(), "tools": pa.string()}
"""The columns that are a row's content, by name. `tool_calls` and `tools` are JSON texts."""

STORED: Final = pa.schema([("row", pa.int64()), ("content", pa.binary(32)), *CONTENT.items()])
"""What the store keeps of a row: its number in the file, its content hash, its content."""


class Conversation(NamedTuple):
    """One row as a format reads it.

    `messages` are (role, content) pairs. `tool_calls` is a JSON array with one entry a
    message: null, or what it had of `tool_calls`, `function_call`, `tool_call_id`, `name`.
    `tools` is the JSON text of the tools that were on offer.
    """

    messages: Sequence[tuple[str, str]]
    tool_calls: str | None = None
    tools: str | None = None


class Texts(NamedTuple):
    """The texts of some rows: `strings[offsets[i]:offsets[i + 1]]` are those of row i.

    `strings` is an Arrow string array; `offsets` int64, one longer than the rows; `numbers`
    int32 says which of its row's messages each is of, from 0; `begins` int64 at which
    character of the whole message it begins (`Rows.whole_messages`): 0 but for calls. A row's texts
    are contents and calls: nothing that is computed of them may cross from one to the next.
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
    """One message of a row, and what it has of calls (`tulu_data.calls`)."""

    role: str
    content: str
    entry: calls.Entry | None = None


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
        for conversation in conversations:
            for role, content in conversation.messages:
                roles.append(role)
                contents.append(content)
            offsets.append(len(roles))
            tool_calls.append(conversation.tool_calls)
            tools.append(conversation.tools)
        structs = pa.StructArray.from_arrays(
            [pa.array(roles, pa.string()), pa.array(contents, pa.string())], fields=list(MESSAGES.value_type)
        )
        messages = pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), structs, type=MESSAGES)
        return cls._of_columns(messages, pa.array(tool_calls, pa.string()), pa.array(tools, pa.string()))

    @classmethod
    def of_messages(cls, messages: pa.ListArray) -> Rows:
        """Rows that have messages and nothing else."""
        nothing = pa.nulls(len(messages), pa.string())
        return cls._of_columns(messages, nothing, nothing)

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
            yield Conversation([(message["role"], message["content"]) for message in messages], tool_calls, tools)

    def frame(self) -> pl.DataFrame:
        """The rows as a polars frame."""
        frame = pl.from_arrow(self.batch)
        assert isinstance(frame, pl.DataFrame)
        return frame

    def texts(self, on: On) -> Texts:
        """The texts of each row under `on`: the content of each message, then its calls.

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
        strings = flat.field("content").filter(wanted)
        begins = np.zeros(len(places), np.int64)
        called = [call for call in self._calls(bounds) if chosen[call.place]]
        if called:
            every = np.concatenate([places, [call.place for call in called]])
            order = np.argsort(every, kind="stable")
            places = every[order]
            begins = np.concatenate([begins, [call.begin for call in called]])[order]
            strings = pa.concat_arrays([strings, pa.array([call.text for call in called], pa.string())])
            strings = strings.take(pa.array(order))
        return Texts(strings, np.searchsorted(places, bounds), numbers[places], begins)

    def messages(self, on: On | None = None) -> Iterator[list[Message]]:
        """The messages of each row under `on`, or all, one by one, with what they have of calls."""
        every = self.batch.column("messages").to_pylist()
        for messages, entries in zip(every, self._entries(), strict=True):
            yield [
                Message(message["role"], message["content"], entry)
                for message, entry in zip(messages, itertools.chain(entries, itertools.repeat(None)), strict=False)
                if on is None or message["role"] in ROLES_OF[on]
            ]

    def whole_messages(self, row: int) -> list[str]:
        """The whole text of each message of a row: its content, then its calls, each from a new line."""
        (messages,) = Rows(self.batch.slice(row, 1)).messages()
        return [calls.with_texts(message.content, message.entry) for message in messages]

    def _entries(self) -> Iterator[list[calls.Entry | None]]:
        """What each message has of calls, by row; an empty list where none has any."""
        if "tool_calls" not in self.batch.schema.names:
            return itertools.repeat([], len(self))
        column = self.batch.column("tool_calls").to_pylist()
        return (calls.entries_of(value) if value is not None else [] for value in column)

    def _calls(self, bounds: npt.NDArray[np.int64]) -> Iterator[_Call]:
        """The calls of all rows, in order; the messages of row i are from `bounds[i]` on."""
        contents = self.batch.column("messages").flatten().field("content")
        for (start, end), entries in zip(itertools.pairwise(bounds.tolist()), self._entries(), strict=True):
            for place, entry in enumerate(entries[: end - start], start):
                texts = calls.texts_of(entry)
                begin = len(contents[place].as_py()) if texts else 0
                for text in texts:
                    begin += begin > 0
                    yield _Call(place, begin, text)
                    begin += len(text)

    def text_bytes(self) -> npt.NDArray[np.int64]:
        """The bytes of each row's roles, contents, and texts of other columns of content, (rows, columns)."""
        messages = self.batch.column("messages")
        bounds = messages.offsets.to_numpy() - messages.offsets[0].as_py()
        flat = messages.flatten()
        columns = [_summed(_lengths(flat.field(name)), bounds) for name in ("role", "content")]
        others = [name for name in CONTENT if name != "messages" and name in self.batch.schema.names]
        return np.stack([*columns, *(_lengths(self.batch.column(name)) for name in others)], axis=1)

    def with_contents(self, contents: pa.StringArray) -> Rows:
        """The same rows with other contents of their messages, one for each message of all rows."""
        messages = self.batch.column("messages")
        structs = pa.StructArray.from_arrays(
            [messages.flatten().field("role"), contents], fields=list(MESSAGES.value_type)
        )
        offsets = pc.subtract(messages.offsets, messages.offsets[0])
        rewritten = pa.ListArray.from_arrays(offsets, structs, type=MESSAGES)
        return self.with_column("messages", rewritten)

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
        shown = [{"content": content, "role": role} for content, role in pairs]
        others = [name for name in ("tool_calls", "tools") if self.batch.column(name).null_count < len(self)]
        columns = {name: self.batch.column(name).to_pylist() for name in others}
        for index, (start, end) in enumerate(itertools.pairwise(bounds)):
            content: dict[str, Any] = {"messages": shown[start:end]}
            for name in others:
                if (value := columns[name][index]) is not None:
                    content[name] = value
            yield content


def _lengths(texts: pa.StringArray) -> npt.NDArray[np.int64]:
    lengths: npt.NDArray[np.int64] = pc.fill_null(pc.binary_length(texts), 0).to_numpy().astype(np.int64)
    return lengths


def _summed(values: npt.NDArray[np.int64], bounds: npt.NDArray[np.int32]) -> npt.NDArray[np.int64]:
    """The sums of values between neighbouring bounds."""
    sums: npt.NDArray[np.int64] = np.diff(np.concatenate([[0], np.cumsum(values)])[bounds])
    return sums


def row_id(source: str, content: bytes, occurrence: int) -> bytes:
    """The 16 bytes whose hex is a row's id.

    `content` is the row's content hash; `occurrence` counts rows of equal content within
    one source from 0.

    >>> row_id("gsm8k", bytes(32), 0).hex()
    '4a23680c1bed8fcb578027bda930687c'
    """
    return hashlib.sha256(f"{source}\n{content.hex()}\n{occurrence}".encode()).digest()[:16]


_HEX: Final = np.frombuffer(b"".join(b"%02x" % byte for byte in range(256)), dtype="<u2")


def fixed_bytes(column: pa.FixedSizeBinaryArray) -> npt.NDArray[np.void]:
    """The values of a column of hashes, as they lie in memory."""
    width = column.type.byte_width
    found: npt.NDArray[np.void] = np.frombuffer(column.buffers()[1], dtype=f"V{width}")
    return found[column.offset : column.offset + len(column)]


def hexed(values: npt.NDArray[np.void]) -> npt.NDArray[np.uint8]:
    """Values of some bytes each as lower-case hex, ASCII: a matrix with twice as many columns."""
    bytes_of = np.ascontiguousarray(values).view(np.uint8).reshape(len(values), values.dtype.itemsize)
    return _HEX[bytes_of].view(np.uint8)


def hex_texts(values: npt.NDArray[np.void]) -> pa.StringArray:
    """The same as an Arrow array of strings."""
    ends = np.arange(len(values) + 1, dtype=np.int32) * (2 * values.dtype.itemsize)
    return pa.StringArray.from_buffers(len(values), pa.py_buffer(ends), pa.py_buffer(hexed(values)))


def by_id(words: npt.NDArray[np.uint64]) -> npt.NDArray[np.intp]:
    """The order of ids given as two numbers each, in the shape (rows, 2)."""
    return in_order(words[:, 0], words[:, 1])


def in_order(first: npt.NDArray[np.uint64], *then: npt.NDArray[np.integer]) -> npt.NDArray[np.intp]:
    """The order of rows by one key that hardly ever ties, then by others."""
    order = np.argsort(first)
    ordered = first[order]
    # Sorting by one key of a million rows takes a fifth of the time of sorting by three.
    return order if (ordered[1:] != ordered[:-1]).all() else np.lexsort((*reversed(then), first))


def keyed_order(ids: npt.NDArray[np.uint64], seed: int, purpose: str) -> npt.NDArray[np.uint64]:
    """A number for each id that only the id, the seed and the purpose decide.

    `ids` has shape (rows, 2); the result has shape (rows,). Ids are already uniform, so
    the key is mixed in by two rounds of splitmix64's finaliser (Steele, Lea, Flood 2014).
    """
    key = hashlib.sha256(f"{purpose}\n{seed}".encode()).digest()
    first, second = np.frombuffer(key[:16], dtype="<u8")
    return _mix(_mix(ids[:, 0] ^ first) + ids[:, 1] + second)


def _mix(numbers: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    mixed = (numbers ^ (numbers >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))
