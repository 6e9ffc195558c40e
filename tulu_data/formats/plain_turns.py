"""Turns of many records at once, if all of them are plain.

A plain record has a list of `{role, content}` or `{from, value}`, no null, known roles, at
least one turn, and nothing beside the turns. Anything else is left to `turns.conversation`, which
reads one record and says what is wrong with it; a test compares the two.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tulu_data.formats.column import first_part
from tulu_data.formats.turns import CALL, MAX_MESSAGES, ROLES
from tulu_data.rows.messages import MESSAGES, WHOLE_MESSAGES, with_fields
from tulu_data.rows.rows import Rows
from tulu_data.rows.sft import Sft

KEYS: Final = (("role", "content"), ("from", "value"))


def plain_turns(batch: pa.RecordBatch, column: str, absent: tuple[str, ...] = ()) -> Rows | None:
    """The rows of a batch whose column of turns is plain, and whose columns `absent` are empty.

    >>> turns = pa.array([[{"from": "human", "value": "Hi"}, {"from": "gpt", "value": "Hello"}]])
    >>> rows = plain_turns(pa.record_batch({"conversations": turns}), "conversations")
    >>> rows and next(rows.messages())["messages"][0][:2]
    ('user', 'Hi')
    """
    names = batch.schema.names
    if column not in names or not all(_is_absent(batch, name) for name in absent):
        return None
    turns = batch.column(column)
    if not _is_list(turns.type) or turns.null_count:
        return None
    lengths = pc.list_value_length(turns).to_numpy()
    bounds = np.concatenate([[0], np.cumsum(lengths)])
    flat = turns.flatten()
    keys = next((keys for keys in KEYS if pa.types.is_struct(flat.type) and {*keys} == {*flat.type.names}), None)
    if keys is None or flat.type.num_fields > 2 or flat.null_count or lengths.max(initial=0) > MAX_MESSAGES:
        return None
    if not lengths.all():
        return None
    roles, contents = _texts(flat.field(keys[0])), _texts(flat.field(keys[1]))
    if roles is None or contents is None:
        return None
    encoded = roles.dictionary_encode()
    spelled = [role.lower() for role in encoded.dictionary.to_pylist()]
    known = [ROLES.get(role) for role in spelled]
    if None in known or CALL in spelled:
        return None
    read = pa.array(known, pa.string()).take(encoded.indices)
    structs = pa.StructArray.from_arrays([read, contents], fields=list(MESSAGES.value_type))
    messages = pa.ListArray.from_arrays(pa.array(bounds, pa.int32()), structs, type=MESSAGES)
    kind = Sft()
    return Rows(kind.batch_of({"messages": with_fields(messages, WHOLE_MESSAGES)}, len(messages)), kind)


def _is_absent(batch: pa.RecordBatch, name: str) -> bool:
    if name in batch.schema.names:
        return bool(batch.column(name).null_count == batch.num_rows)
    return "." not in name or first_part(name) not in batch.schema.names


def _is_list(type: pa.DataType) -> bool:
    return bool(pa.types.is_list(type) or pa.types.is_large_list(type))


def _texts(values: pa.Array) -> pa.StringArray | None:
    """The strings if none is null and all are UTF-8; or else None."""
    if not (pa.types.is_string(values.type) or pa.types.is_large_string(values.type)) or values.null_count:
        return None
    try:
        values.validate(full=True)
    except pa.ArrowInvalid:
        return None
    return values.cast(pa.string())
