"""A format: the columns it reads, and how they become a row of the kind that names it."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Collection, Iterator, Mapping
from typing import Any, ClassVar, Self

import pyarrow as pa
from pydantic import BaseModel, ConfigDict

from tulu_data.formats.column import MISSING, first_part, pluck
from tulu_data.rows.kind import Row
from tulu_data.rows.rows import Rows


class Format(BaseModel):
    """How foreign columns become a row; its fields name the columns."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: ClassVar[str]
    needs: ClassVar[tuple[tuple[str, ...], ...]]
    """The names of each required column; the first is the field's."""

    turns: ClassVar[str | None] = None
    """The field that names the column with a list of messages, if there is one."""
    takes: ClassVar[tuple[tuple[str, ...], ...]] = ()
    """The names of each column that may be missing and has several names."""

    @classmethod
    def detect(cls, columns: Collection[str]) -> Self | None:
        """This format over `columns`, or None if they do not fit it."""
        found = {}
        for names in cls.needs:
            name = _named(names, columns)
            if name is None:
                return None
            found[names[0]] = name
        for names in cls.takes:
            found[names[0]] = _named(names, columns) or names[0]
        return cls.model_validate(found)

    def required(self) -> Iterator[str]:
        """The columns that every record must have."""
        for field, *_ in self.needs:
            value = getattr(self, field)
            yield from (value,) if isinstance(value, str) else value

    def optional(self) -> Iterator[str]:
        """The columns that are read if they are there."""
        required = {field for field, *_ in self.needs}
        yield from (getattr(self, field) for field in type(self).model_fields if field not in {*required, "join"})

    def columns(self) -> tuple[str, ...]:
        """All columns that are read, and the column that each path starts at."""
        read = (*self.required(), *self.optional())
        return tuple(dict.fromkeys(name for column in read for name in (column, first_part(column))))

    def missing(self, records: Collection[Mapping[str, Any]]) -> list[str]:
        """The required columns that none of `records` has."""
        return [column for column in self.required() if all(pluck(record, column) is MISSING for record in records)]

    @abstractmethod
    def read(self, record: Mapping[str, Any], drop_parts: Collection[str] = ()) -> Row:
        """One record as a row, without content parts of these types; `RecordError` if it can't be read."""

    @property
    def place(self) -> str:
        """The place that a row is read from, as errors name it: its column of turns, or the record."""
        return getattr(self, self.turns) if self.turns else "the record"

    def read_batch(self, batch: pa.RecordBatch) -> Rows | None:
        """Some records as `read` gives them, all at once; None if they must be read one by one."""
        return None


def _named(names: Collection[str], columns: Collection[str]) -> str | None:
    """The column with one of some names; if there is none, the only one that differs just in upper and lower case."""
    if exact := next((name for name in names if name in columns), None):
        return exact
    alike = [column for name in names for column in columns if column.casefold() == name]
    return alike[0] if len(alike) == 1 else None
