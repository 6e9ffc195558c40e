"""Columns of a record, and keys of its messages, that no format reads.

A row has only what its format reads. Other columns and keys are counted and reported, for
without them rows may look alike, such as two questions about two pictures. Media are refused
unless the recipe drops them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from tulu_data.errors import RecordError
from tulu_data.formats.column import pluck
from tulu_data.formats.format import Format
from tulu_data.formats.turns import READ_KEYS, listed

MEDIA: Final = {name + end: name for name in ("image", "video", "audio") for end in ("", "s")}
"""Columns, and keys of messages, that contain media which a text is about, with the type of content part."""

OF_MESSAGES: Final = "[]."


def of_record(record: Mapping[str, Any], format: Format, read: Collection[str]) -> Iterator[str]:
    """The names of columns and keys of one record that are not read, such as `score` and `messages[].refusal`.

    `read` are the columns that are read. Values that are null or empty are ignored.
    """
    for name, value in record.items():
        if name not in read and _is_something(value):
            yield name
    yield from of_messages(record, format)


def of_messages(record: Mapping[str, Any], format: Format) -> Iterator[str]:
    """The keys of a record's messages that have a value and are not read, each once."""
    column = getattr(format, format.turns) if format.turns else None
    turns = pluck(record, column) if column else None
    if isinstance(turns, str):
        with suppress(RecordError):
            turns = listed(turns, column or "")
    if isinstance(turns, list):
        keys: dict[str, None] = {}
        for turn in turns:
            if isinstance(turn, dict) and len(turn) > 2:
                keys |= {key: None for key, value in turn.items() if key not in READ_KEYS and _is_something(value)}
        yield from (f"{column}{OF_MESSAGES}{key}" for key in keys)


def of_batch(batch: pa.RecordBatch, read: Collection[str]) -> dict[str, npt.NDArray[np.bool_]]:
    """For each column that is not read, the records of a batch with a value in it; only columns with a value."""
    found = {name: _are_something(batch.column(name)) for name in batch.schema.names if name not in read}
    return {name: mask for name, mask in found.items() if mask.any()}


def has_media(names: Iterable[str], drop_parts: Collection[str]) -> bool:
    """Whether a name is one of media that are not dropped."""
    return any(family not in drop_parts for name in names if (family := _family(name)))


def refuse_media(names: Iterable[str], drop_parts: Collection[str]) -> None:
    """Raise `RecordError` for a name of media that are not dropped."""
    for name in names:
        family = _family(name)
        if family and family not in drop_parts:
            raise RecordError(
                "not_text",
                f"{name} holds media, which are not read; to take the text alone, give the source: "
                f"drop_parts: [{family}]",
            )


def _family(name: str) -> str:
    return MEDIA.get(name.rpartition(OF_MESSAGES)[2], "")


def _is_something(value: Any) -> bool:
    if isinstance(value, dict):
        return any(_is_something(item) for item in value.values())
    return value is not None and not (isinstance(value, str | bytes | list) and not value)


def _are_something(values: pa.Array) -> npt.NDArray[np.bool_]:
    kind = values.type
    if isinstance(values, pa.ExtensionArray):
        return _are_something(values.storage)
    if pa.types.is_struct(kind):
        held = np.zeros(len(values), dtype=bool)
        for index in range(kind.num_fields):
            held |= _are_something(pc.struct_field(values, [index]))
        return held
    held = values.is_valid().to_numpy(zero_copy_only=False)
    if pa.types.is_dictionary(kind):
        values = values.dictionary_decode()
        kind = values.type
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        held = held & (pc.fill_null(pc.list_value_length(values), 0).to_numpy(zero_copy_only=False) > 0)
    elif (
        pa.types.is_string(kind)
        or pa.types.is_large_string(kind)
        or pa.types.is_binary(kind)
        or pa.types.is_large_binary(kind)
    ):
        held = held & (pc.fill_null(pc.binary_length(values), 0).to_numpy(zero_copy_only=False) > 0)
    return np.asarray(held, dtype=bool)
