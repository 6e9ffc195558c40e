"""A column of a foreign record, named by its path."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final

from pydantic import BeforeValidator, Field

from tulu_data.errors import RecordError
from tulu_data.readers.json_record import kind_of

Column = Annotated[
    str,
    BeforeValidator(lambda value: str(value) if isinstance(value, int) else value, json_schema_input_type=str | int),
    Field(min_length=1),
]
"""A column's name, its position in a file without header, or a path: `instances.0.output`."""


MISSING: Final = object()


def first_part(column: Column) -> str:
    """The column of the record that a path starts at.

    >>> first_part("instances.0.output")
    'instances'
    """
    return column.split(".", 1)[0]


def pluck(record: Mapping[str, Any], column: Column) -> Any:
    """The value at a path, or `MISSING`; a column whose own name has dots comes first.

    >>> pluck({"instances": [{"output": "yes"}]}, "instances.0.output")
    'yes'
    """
    if column in record:
        return record[column]
    if "." not in column:
        return MISSING
    value: Any = record
    for part in column.split("."):
        if isinstance(value, Mapping) and part in value:
            value = value[part]
        elif isinstance(value, list) and part.isdecimal() and int(part) < len(value):
            value = value[int(part)]
        else:
            return MISSING
    return value


def required(record: Mapping[str, Any], column: Column) -> Any:
    """The value at a path; `RecordError` (`missing_column`) if there is none."""
    value = pluck(record, column)
    if value is MISSING:
        raise RecordError("missing_column", f"no '{column}'")
    return value


def text_at(record: Mapping[str, Any], column: Column) -> str:
    """The text at a path. A whole number becomes its digits; null and all other values are refused.

    >>> text_at({"answer": 72}, "answer")
    '72'
    """
    return _text(required(record, column), column)


def optional_text(record: Mapping[str, Any], column: Column) -> str | None:
    """The text at a path, or None if it is missing, null or empty."""
    value = pluck(record, column)
    return None if value is MISSING or value is None else _text(value, column) or None


def _text(value: Any, column: Column) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    code = "null_content" if value is None else "not_text"
    raise RecordError(code, f"{column} is {kind_of(value)}")
