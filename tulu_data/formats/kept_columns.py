"""Columns of the input that are kept in a mixture, each with one type that the recipe decides."""

from __future__ import annotations

import datetime as dt
import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Annotated, Any, Final, Literal

import orjson
import pyarrow as pa
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from tulu_data.errors import InputError, RecordError, did_you_mean, printable
from tulu_data.formats.column import MISSING, Column, first_part, pluck
from tulu_data.readers.arrow_record import AnyRecord
from tulu_data.readers.json_record import kind_of
from tulu_data.rows import kind as kinds

Kind = Literal["bool", "int64", "float64", "string", "json"]
ARROW: Final[dict[str, pa.DataType]] = {
    "bool": pa.bool_(),
    "int64": pa.int64(),
    "float64": pa.float64(),
    "string": pa.string(),
    "json": pa.string(),
}
COMPUTED: Final = frozenset({"id", "source", "domain", "language", "tokens"})
"""The columns of a mixture that do not come from the input."""
RESERVED: Final = COMPUTED | {
    *(column for name in kinds.names() for column in kinds.find(name).content),
    # Columns of tables inside the build.
    *("row", "content", "marks", "position"),
    # Trainers that find these beside `messages` train on them instead.
    *("prompt", "completion", "chosen", "rejected"),
}
"""Names that a column must not have in a mixture."""

_WHOLE: Final = re.compile(r"[+-]?[0-9]{1,19}")


class KeptColumn(BaseModel):
    """The name of an input column in the mixture, and its type there."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field("", description="Its name in the mixture; the column's own, or `source_id` for a column `id`")
    type: Kind | None = Field(None, description="Its type there; by default that of the first rows")


def _described(value: Any) -> Any:
    """`[id, score]` and `{score: float64}` as `{score: {type: float64}}`."""
    if isinstance(value, str):
        value = [value]
    if isinstance(value, list | tuple):
        value = dict.fromkeys(value)
    if isinstance(value, Mapping):
        return {name: {"type": one} if isinstance(one, str) else one or {} for name, one in value.items()}
    return value


def _named(kept: dict[str, KeptColumn]) -> dict[str, KeptColumn]:
    named = {column: one.model_copy(update={"name": one.name or _own_name(column)}) for column, one in kept.items()}
    reserved = next((one.name for one in named.values() if one.name in RESERVED), None)
    if reserved is not None:
        raise ValueError(f"'{reserved}' is a column of every mixture; give another name, such as source_{reserved}")
    counted = Counter(one.name for one in named.values())
    twice = next((name for name, count in counted.items() if count > 1), None)
    if twice is not None:
        raise ValueError(f"two columns are to be named '{printable(twice, 40)}'; give one another name")
    return named


def _own_name(column: str) -> str:
    name = column.replace(".", "_")
    return f"source_{name}" if name in RESERVED else name


KeptColumns = Annotated[
    dict[Column, KeptColumn],
    BeforeValidator(
        _described, json_schema_input_type=list[str] | dict[str, Kind | dict[Literal["name", "type"], str] | None]
    ),
    AfterValidator(_named),
]
"""In a recipe: a list of columns, or a mapping of each to its type or to its name and type."""


def columns_of(kept: Mapping[str, KeptColumn]) -> tuple[str, ...]:
    """The columns of records that must be read for them."""
    return tuple(dict.fromkeys(name for column in kept for name in (column, first_part(column))))


def typed(kept: Mapping[str, KeptColumn], records: Iterable[AnyRecord], place: str) -> dict[str, KeptColumn]:
    """Columns with their types: as given, or as found in the first records of all files.

    Raises `InputError` (exit 3) for a column that no record has, or whose type is unknown.
    """
    found = [record for record in records if record.value is not None]
    return {
        column: one if one.type else one.model_copy(update={"type": _type_of(column, found, place)})
        for column, one in kept.items()
    }


def _type_of(column: str, records: Iterable[AnyRecord], place: str) -> Kind:
    met: dict[str, None] = {}
    kinds: set[Kind] = set()
    is_there = False
    for record in records:
        value = record.value or {}
        met |= dict.fromkeys(value)
        item = pluck(value, column)
        is_there = is_there or item is not MISSING
        stored = _stored(record, column)
        if stored is not None:
            kinds.add(_of_arrow(stored))
        elif item is not MISSING and item is not None:
            kinds.add(_of_value(item))
    if not is_there:
        listed = ", ".join(printable(name, 40) for name in list(met)[:12])
        raise InputError(f"{place}: no column '{column}'; its columns are {listed}{did_you_mean(column, met)}")
    if kinds == {"int64", "float64"}:
        return "float64"
    if len(kinds) != 1:
        what = f"{' and '.join(sorted(kinds))} are in its first rows" if kinds else "it is null in its first rows"
        raise InputError(f"{place}: {column}: {what}; say its type: keep_columns: {{{column}: string}}")
    return kinds.pop()


def _stored(record: AnyRecord, column: str) -> pa.DataType | None:
    """The type that a column has in its file; None if each value has its own."""
    if record.batch is None or column not in record.batch.arrow.schema.names:
        return None
    kind = record.batch.arrow.schema.field(column).type
    return None if isinstance(kind, pa.JsonType) or pa.types.is_null(kind) else kind


def _of_arrow(kind: pa.DataType) -> Kind:
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    if pa.types.is_boolean(kind):
        return "bool"
    if pa.types.is_integer(kind):
        return "int64"
    if pa.types.is_floating(kind):
        return "float64"
    texts = (pa.types.is_string, pa.types.is_large_string, pa.types.is_temporal, pa.types.is_decimal)
    return "string" if any(is_kind(kind) for is_kind in texts) else "json"


def _of_value(value: Any) -> Kind:
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, int):
        return "int64"
    if isinstance(value, float):
        return "float64"
    return "string" if isinstance(value, str) else "json"


def values_of(record: Mapping[str, Any], kept: Mapping[str, KeptColumn]) -> dict[str, Any]:
    """The values of one record, by their names in the mixture; null if it has none.

    Raises `RecordError` for a value that is not of its column's type: values are never converted.
    """
    return {one.name: _value(pluck(record, column), one.type or "string", column) for column, one in kept.items()}


def arrays_of(batch: pa.RecordBatch, kept: Mapping[str, KeptColumn]) -> dict[str, pa.Array] | None:
    """The same for many records at once; None if they must be read one by one."""
    if not all(column in batch.schema.names for column in kept):
        return None
    try:
        found = {
            one.name: [_value(value, one.type or "string", column) for value in batch.column(column).to_pylist()]
            for column, one in kept.items()
        }
    except (RecordError, ValueError, OverflowError):
        return None
    return {field.name: pa.array(found[field.name], field.type) for field in fields_of(kept)}


def fields_of(kept: Mapping[str, KeptColumn]) -> list[pa.Field]:
    """The columns of the mixture, by name."""
    return [pa.field(one.name, ARROW[one.type or "string"]) for one in sorted(kept.values(), key=lambda one: one.name)]


def together(kept: Mapping[str, Mapping[str, KeptColumn]]) -> list[pa.Field]:
    """The columns of all sources, by name; null in rows of the others.

    Raises `InputError` (exit 3) if two sources have one column with two types.
    """
    found: dict[str, tuple[str, Kind | None]] = {}
    for source, columns in sorted(kept.items()):
        for column, one in columns.items():
            other, kind = found.setdefault(one.name, (source, one.type))
            if kind != one.type:
                raise InputError(
                    f"sources.{source}: keep_columns: {one.name} is {one.type} here and {kind} in {other}; "
                    f"give both one type, as in keep_columns: {{{column}: string}}, or one another name"
                )
    return fields_of({name: KeptColumn(name=name, type=kind) for name, (_, kind) in found.items()})


def _value(value: Any, kind: Kind, column: str) -> Any:
    if value is MISSING or value is None or (value == "" and kind != "string"):
        return None
    found = _READERS[kind](value)
    if found is None:
        raise RecordError(
            "keep_columns",
            f"{column} is {kind_of(value)}, not {kind}; give another type, as in keep_columns: {{{column}: json}}",
        )
    return None if found is _NOTHING else found


_NOTHING: Final = object()


def _bool(value: Any) -> Any:
    return value if isinstance(value, bool) else {"true": True, "false": False}.get(str(value).lower())


def _int64(value: Any) -> Any:
    if isinstance(value, str) and _WHOLE.fullmatch(value):
        value = int(value)
    return value if type(value) is int and -(2**63) <= value < 2**63 else None


def _float64(value: Any) -> Any:
    if isinstance(value, float) and math.isnan(value):
        return _NOTHING
    if isinstance(value, str) and _WHOLE.fullmatch(value):
        value = int(value)
    # Python also reads `1_000` and digits of other scripts.
    if isinstance(value, str) and ("_" in value or not value.isascii()):
        return None
    try:
        number = float(value) if isinstance(value, str | int | float) and not isinstance(value, bool) else math.nan
    except (ValueError, OverflowError):
        return None
    # A whole number is never rounded to a float.
    return number if math.isfinite(number) and (not isinstance(value, int) or int(number) == value) else None


def _string(value: Any) -> Any:
    if isinstance(value, dt.date | dt.time):
        return value.isoformat()
    if isinstance(value, dt.timedelta | Decimal) or type(value) is int:
        return str(value)
    return value if isinstance(value, str) else None


def _json(value: Any) -> Any:
    try:
        return orjson.dumps(value).decode()
    except TypeError:
        return None


_READERS: Final = {"bool": _bool, "int64": _int64, "float64": _float64, "string": _string, "json": _json}
