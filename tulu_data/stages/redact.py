"""Replace personal data and secrets by placeholders."""

from __future__ import annotations

import itertools
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field

from tulu_data.rows.rows import Rows
from tulu_data.stage import Mapper
from tulu_data.text import sensitive
from tulu_data.text.sensitive import KINDS, Code, Found, Kind, Text

_PLACEHOLDER: Final = re.compile("<(" + "|".join(kind.upper() for kind in KINDS) + r")_(\d{1,9})>")


class Redact(Mapper):
    """Replace personal data and secrets by placeholders, before anything is stored.

        - redact
        - redact: {kinds: [secret, email, card, iban]}
        - redact: {code: all}

    `Ask ada@lovelace.org` becomes `Ask <EMAIL_1>`; the same value has the same placeholder
    throughout a conversation, and each conversation is numbered anew. Kinds: `email`, `phone`,
    `card` (Luhn), `iban` (MOD 97-10), `ip` (public ones) and `secret` (keys and tokens with a
    known prefix, and private keys). In code, in calls, schemas and answers of tools, and in
    columns that the recipe keeps, only secrets are replaced unless `code: all`: there,
    addresses and numbers are often program data or ids. Code is the text between fences, or a
    whole message without fences if most of its lines are code.
    docs/privacy.md lists the patterns and their limits.
    """

    kinds: tuple[Kind, ...] = Field(KINDS, min_length=1, description="Kinds of values to replace")
    code: Code = Field("secrets", description="In code and in texts of tools, replace secrets alone, or all kinds")

    def map(self, rows: Rows) -> Rows:
        """The rows with placeholders; also in calls, tools and kept columns."""
        columns = rows.message_columns()
        # The changed texts by their places, for each column and each field of messages.
        changed: defaultdict[tuple[str, str], dict[int, str]] = defaultdict(dict)
        for row in sensitive.suspect_rows(rows):
            texts = sensitive.texts_of(rows, row)
            names = _Names(texts)
            for text in texts:
                redacted = self._redacted(text, names)
                if redacted != text.text:
                    place = row if text.message is None else int(columns[text.column].bounds[row]) + text.message
                    changed[text.column, text.field][place] = redacted
        for (name, field), texts_of in changed.items():
            if not field:
                rows = rows.with_column(name, _replaced(rows.column(name), texts_of))
                continue
            column = rows.message_columns()[name]
            rows = rows.with_column(name, column.with_field(field, _replaced(column.flat.field(field), texts_of)))
        return rows

    def _redacted(self, given: Text, names: _Names) -> str:
        # A placeholder may uncover another value; repeat until nothing is found.
        while found := sensitive.search(given, self.kinds, self.code):
            pieces, end = [], 0
            for one in found:
                pieces += [given.text[end : one.start], one.quotes, names.of(one), one.quotes]
                end = one.end
            given = given._replace(text="".join([*pieces, given.text[end:]]))
        return given.text


def _replaced(strings: pa.StringArray, changed: Mapping[int, str]) -> pa.StringArray:
    """The strings with some replaced, given by their places in order."""
    mask = np.zeros(len(strings), dtype=bool)
    mask[list(changed)] = True
    return pc.replace_with_mask(strings, pa.array(mask), pa.array(list(changed.values()), pa.string()))


class _Names:
    """The placeholders of one conversation, numbered after those that it already has."""

    def __init__(self, texts: Iterable[Text]) -> None:
        self._texts = texts
        self._names: dict[tuple[Kind, str], str] = {}
        self._keys: dict[str, str] = {}

    @cached_property
    def _last(self) -> defaultdict[str, int]:
        """The last number of each kind; searched for only if there is a value to replace."""
        last: defaultdict[str, int] = defaultdict(int)
        for text in itertools.chain.from_iterable(text.said() for text in self._texts):
            for kind, number in _PLACEHOLDER.findall(text):
                last[kind] = max(last[kind], int(number))
        return last

    def of(self, found: Found) -> str:
        value = sensitive.plain(found.kind, found.value)
        name = self._named(found.kind, value)
        # Two keys of an object must stay different, even if they are two spellings of a value.
        if found.key and self._keys.setdefault(name, found.key) != found.key:
            name = self._named(found.kind, found.key + found.value)
        return name

    def _named(self, kind: Kind, value: str) -> str:
        if (kind, value) not in self._names:
            self._last[kind.upper()] += 1
            self._names[kind, value] = f"<{kind.upper()}_{self._last[kind.upper()]}>"
        return self._names[kind, value]
