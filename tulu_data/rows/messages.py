"""Columns of messages, which every kind of row has, under any name."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from tulu_data.rows import calls
from tulu_data.rows.calls import Entry

PLAIN_FIELDS: Final = {"role": pa.string(), "content": pa.string()}
RARE_FIELDS: Final = {"reasoning_content": pa.string(), "weight": pa.float64()}
"""Fields that few messages have: the assistant's reasoning before its answer, and the message's weight in training.

`weight` is null if it is the usual one: 1 for the assistant's messages, 0 for others.
"""
MESSAGES: Final = pa.list_(pa.struct(list(PLAIN_FIELDS.items())))
WHOLE_MESSAGES: Final = pa.list_(pa.struct([*PLAIN_FIELDS.items(), *RARE_FIELDS.items()]))
Mask = npt.NDArray[np.bool_]


class Message(NamedTuple):
    """One message of a row, its calls (`tulu_data.rows.calls`), and the rare fields (`RARE_FIELDS`)."""

    role: str
    content: str
    entry: Entry | None = None
    reasoning_content: str | None = None
    weight: float | None = None

    @property
    def is_trained(self) -> bool:
        """Whether its tokens are trained on."""
        return self.role == "assistant" if self.weight is None else self.weight > 0

    @property
    def said(self) -> str:
        """Its content, then its reasoning on a new line."""
        return "\n".join(text for text in (self.content, self.reasoning_content) if text)

    @property
    def whole_text(self) -> str:
        r"""All its text: its content, then its reasoning, then its calls, each on a new line.

        >>> Message("assistant", "Let me see.", {"function_call": {"name": "now"}}, "What time is it?").whole_text
        'Let me see.\nWhat time is it?\nnow'
        """
        return "\n".join(text for text in (self.said, *calls.texts_of(self.entry)) if text)


class Said(NamedTuple):
    """Texts of some messages: each with its message's place among all messages, and the character where it begins."""

    strings: pa.StringArray
    places: npt.NDArray[np.int64]
    begins: npt.NDArray[np.int64]


class _Call(NamedTuple):
    place: int
    begin: int
    text: str


@dataclass(frozen=True)
class MessageColumn:
    """One column of messages of some rows, and the column of their calls if there is one."""

    name: str
    lists: pa.ListArray
    calls: pa.StringArray | None = None

    @cached_property
    def flat(self) -> pa.StructArray:
        """The messages of all rows, one after the other."""
        return self.lists.flatten()

    @cached_property
    def bounds(self) -> npt.NDArray[np.int64]:
        """The messages of row i are `flat[bounds[i]:bounds[i + 1]]`."""
        offsets: npt.NDArray[np.int64] = pc.subtract(self.lists.offsets, self.lists.offsets[0]).to_numpy()
        return offsets.astype(np.int64)

    @cached_property
    def numbers(self) -> npt.NDArray[np.int64]:
        """The number of each message in its row, from 0."""
        return np.arange(len(self.flat)) - np.repeat(self.bounds[:-1], np.diff(self.bounds))

    def rare(self, name: str) -> pa.Array | None:
        """One of `RARE_FIELDS` of each message, null if it lacks the field; None if all messages do."""
        if self.flat.type.get_field_index(name) < 0:
            return None
        values = self.flat.field(name)
        return None if values.null_count == len(values) else values

    def have(self, roles: Iterable[str]) -> Mask:
        """Which messages have one of the given roles."""
        found: Mask = pc.is_in(self.flat.field("role"), pa.array(roles)).to_numpy(zero_copy_only=False)
        return found

    def texts(self, chosen: Mask) -> Said:
        """The texts of some messages in order: for each its content, then its reasoning, then its calls."""
        flat = self.flat
        every = [np.flatnonzero(chosen)]
        strings, begins = [flat.field("content").filter(pa.array(chosen))], [np.zeros(len(every[0]), np.int64)]
        ends = pc.utf8_length(flat.field("content")).to_numpy().astype(np.int64)
        if (reasoning := self.rare("reasoning_content")) is not None:
            starts = ends + (ends > 0)
            lengths = pc.fill_null(pc.utf8_length(reasoning), 0).to_numpy()
            ends = np.where(lengths > 0, starts + lengths, ends)
            thought = np.flatnonzero(chosen & reasoning.is_valid().to_numpy(zero_copy_only=False))
            every.append(thought)
            begins.append(starts[thought])
            strings.append(reasoning.take(pa.array(thought)))
        called = [call for call in self._calls(ends) if chosen[call.place]]
        if called:
            every.append(np.array([call.place for call in called]))
            begins.append(np.array([call.begin for call in called]))
            strings.append(pa.array([call.text for call in called], pa.string()))
        if len(every) == 1:
            return Said(strings[0], every[0], begins[0])
        places = np.concatenate(every)
        order = np.argsort(places, kind="stable")
        return Said(pa.concat_arrays(strings).take(pa.array(order)), places[order], np.concatenate(begins)[order])

    def messages(self, chosen: Mask | None = None) -> Iterator[list[Message]]:
        """The messages of each row, by default all, one by one, with their calls."""
        wanted = itertools.repeat(True) if chosen is None else iter(chosen.tolist())
        for messages, entries in zip(self.lists.to_pylist(), self._entries(), strict=True):
            every = zip(messages, itertools.chain(entries, itertools.repeat(None)), wanted, strict=False)
            yield [Message(entry=entry, **message) for message, entry, is_wanted in every if is_wanted]

    def contents(self) -> Iterator[list[dict[str, Any]]]:
        """The messages of each row as in canonical JSON: keys sorted, without nulls."""
        pairs = zip(self.flat.field("content").to_pylist(), self.flat.field("role").to_pylist(), strict=True)
        shown: list[dict[str, Any]] = [{"content": content, "role": role} for content, role in pairs]
        if any(self.rare(name) is not None for name in RARE_FIELDS):
            shown = [
                {key: number_of(value) for key, value in sorted(message.items()) if value is not None}
                for message in self.flat.to_pylist()
            ]
        return (shown[start:end] for start, end in itertools.pairwise(self.bounds.tolist()))

    def with_field(self, name: str, values: pa.Array) -> pa.ListArray:
        """The same column with new values of one field, one for each message of all rows."""
        fields = list(self.flat.type)
        children = [values if field.name == name else self.flat.field(field.name) for field in fields]
        return _listed(self.lists, children, self.lists.type)

    def _entries(self) -> Iterator[list[Entry | None]]:
        """The calls of each message, by row; an empty list if the row has none."""
        if self.calls is None:
            return itertools.repeat([], len(self.lists))
        return (calls.entries_of(value) if value is not None else [] for value in self.calls.to_pylist())

    def _calls(self, ends: npt.NDArray[np.int64]) -> Iterator[_Call]:
        """The calls of all rows, in order; `ends` is the length of each message without its calls."""
        for (start, end), entries in zip(itertools.pairwise(self.bounds.tolist()), self._entries(), strict=True):
            for place, entry in enumerate(entries[: end - start], start):
                begin = int(ends[place])
                for text in calls.texts_of(entry):
                    begin += begin > 0
                    yield _Call(place, begin, text)
                    begin += len(text)


def is_messages(type: pa.DataType) -> bool:
    """Whether a column of this type holds messages."""
    return bool(pa.types.is_list(type) and pa.types.is_struct(type.value_type))


def column_of(
    rows: Iterable[tuple[Sequence[tuple[str, str]], Sequence[str | None], Sequence[float | None]]],
) -> pa.ListArray:
    """A column of messages, made of the (role, content) pairs of each row, their reasoning and their weights.

    The latter two have one entry a message, or are empty if no message has any.
    """
    values: dict[str, list[Any]] = {field.name: [] for field in WHOLE_MESSAGES.value_type}
    offsets = [0]
    for messages, reasoning, weights in rows:
        values["role"] += [role for role, _ in messages]
        values["content"] += [content for _, content in messages]
        nothing = [None] * len(messages)
        values["reasoning_content"] += reasoning or nothing
        values["weight"] += weights or nothing
        offsets.append(len(values["role"]))
    fields = list(WHOLE_MESSAGES.value_type)
    structs = pa.StructArray.from_arrays([pa.array(values[field.name], field.type) for field in fields], fields=fields)
    return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), structs, type=WHOLE_MESSAGES)


def with_fields(messages: pa.ListArray, kind: pa.DataType) -> pa.ListArray:
    """Messages with the fields of another type: missing fields are null, and fields that it lacks are left out."""
    if messages.type == kind:
        return messages
    flat = messages.flatten()
    children = [
        flat.field(field.name).cast(field.type)
        if flat.type.get_field_index(field.name) >= 0
        else pa.nulls(len(flat), field.type)
        for field in kind.value_type
    ]
    return _listed(messages, children, kind)


def _listed(like: pa.ListArray, children: Sequence[pa.Array], kind: pa.DataType) -> pa.ListArray:
    structs = pa.StructArray.from_arrays(children, fields=list(kind.value_type))
    offsets = pc.subtract(like.offsets, like.offsets[0]).cast(pa.int32())
    return pa.ListArray.from_arrays(offsets, structs, type=kind)


def number_of(value: Any) -> Any:
    """A number as in canonical JSON: whole numbers without a point. Other values are unchanged.

    >>> number_of(1.0), number_of(0.5), number_of("1.0")
    (1, 0.5, '1.0')
    """
    return int(value) if isinstance(value, float) and value.is_integer() and abs(value) < 2**53 else value
