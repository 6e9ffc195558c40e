"""A column of a foreign record, named by its path."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from tulu_data.errors import RecordError
from tulu_data.readers.json_record import kind_of

Column = Annotated[str, BeforeValidator(lambda value: str(value) if isinstance(value, int) else value), Field(min_length=1)]
"""A column's name, its position in a file without header, or a path: `instances.0.output`."""


def first_part(column: Column) -> str:
    """The column of the record that a path starts at.

    >>> first_part("instances.0.output")
    'instances'
    """
    return column.split(".", 1)[0]


def pluck(record: Mapping[str, Any], column: Column) -> Any:
    """The value at a path; a column whose own name has dots goes first.

    >>> pluck({"instances": [{"output": "yes"}]}, "instances.0.output")
    'yes'

    Raises `RecordError` (`missing_column`) where the path leads nowhere.
    """
    if column in record:
        return record[column]
    value: Any = record
    for part in column.split("."):
        if isinstance(value, Mapping) and part in value:
            value = value[part]
        elif isinstance(value, list) and part.isdecimal() and int(part) < len(value):
            value = value[int(part)]
        else:
            raise RecordError("missing_column", f"no '{column}'")
    return value


def has(record: Mapping[str, Any], column: Column) -> bool:
    """Whether a path leads somewhere."""
    try:
        pluck(record, column)
    except RecordError:
        return False
    return True


def text_at(record: Mapping[str, Any], column: Column) -> str:
    """The text at a path. Whole numbers are read as their digits; null and all else is refused.

    >>> text_at({"answer": 72}, "answer")
    '72'
    """
    value = pluck(record, column)
    if isinstance(value, str):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    code = "null_content" if value is None else "not_text"
    raise RecordError(code, f"{column} is {kind_of(value)}")
