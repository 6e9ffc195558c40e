"""One record of an input file: its place, and its value or error."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from tulu_data.errors import RecordError


class Record(NamedTuple):
    """A record, whole or broken.

    `row` counts the records of the file from 1; `offset` is the position of its first
    byte in the decompressed file, if the format has one. Exactly one of `value` and `error`
    is given.
    """

    row: int
    offset: int | None
    value: Mapping[str, Any] | None
    error: RecordError | None = None

    @property
    def batch(self) -> None:
        """Records of Arrow come in batches; this one does not."""

    def content(self) -> Mapping[str, Any]:
        """The value; raises the error if there is none."""
        if self.value is None:
            raise self.error or RecordError("unreadable", "the record is empty")
        return self.value
