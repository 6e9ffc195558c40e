"""Replace personal data and secrets by placeholders."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import Final, Literal

import numpy as np
import pyarrow as pa
from pydantic import Field

from tulu_data import sensitive
from tulu_data.rows import Rows
from tulu_data.sensitive import KINDS, Kind
from tulu_data.stage import Mapper

_PLACEHOLDER: Final = re.compile("<(" + "|".join(kind.upper() for kind in KINDS) + r")_(\d{1,9})>")


class Redact(Mapper):
    """Replace personal data and secrets by placeholders, before anything is stored.

        - redact
        - redact: {kinds: [secret, email, card, iban]}
        - redact: {code: all}

    `Ask ada@lovelace.org` becomes `Ask <EMAIL_1>`; the same value has the same placeholder
    in all of a conversation, and numbers begin anew with the next. Kinds: `email`, `phone`,
    `card` (Luhn), `iban` (MOD 97-10), `ip` (public ones) and `secret` (keys and tokens that are
    known by their prefix, and private keys). In code, and in calls, schemas and answers of
    tools, only secrets are replaced unless `code: all`: there addresses and numbers are what
    a program is about. Code is what stands between fences, and a message without fences
    most of whose lines are code. docs/privacy.md says what is found, and what is not.
    """

    kinds: tuple[Kind, ...] = Field(KINDS, min_length=1, description="What is replaced")
    code: Literal["secrets", "all"] = Field("secrets", description="What of it is replaced in code and by tools")

    def map(self, rows: Rows) -> Rows:
        """The rows with placeholders; also in `tool_calls` and `tools`."""
        messages = rows.column("messages")
        flat = messages.flatten()
        starts = messages.offsets.to_numpy() - messages.offsets[0].as_py()
        suspect = np.array(sensitive.suspects(flat.field("content")), dtype=np.int64)
        before = np.concatenate([[0], np.cumsum(suspect)])
        beside = {name: rows.column(name) for name in ("tool_calls", "tools")}
        looked = before[starts[1:]] > before[starts[:-1]]
        for column in beside.values():
            looked = looked | np.array(sensitive.suspects(column), dtype=bool)
        if not looked.any():
            return rows
        contents, roles = flat.field("content").to_pylist(), flat.field("role").to_pylist()
        values = {name: column.to_pylist() for name, column in beside.items()}
        for row in np.flatnonzero(looked).tolist():
            own = range(starts[row], starts[row + 1])
            others = [column[row] for column in values.values() if column[row] is not None]
            names = _Names([*(contents[place] for place in own), *others])
            for place in own:
                contents[place] = self._redacted(contents[place], names, is_tool=roles[place] == "tool")
            for column in values.values():
                if column[row] is not None:
                    column[row] = self._redacted(column[row], names, is_tool=True)
        rows = rows.with_contents(pa.array(contents, pa.string()))
        for name, column in values.items():
            rows = rows.with_column(name, pa.array(column, pa.string()))
        return rows

    def _redacted(self, text: str, names: _Names, *, is_tool: bool) -> str:
        is_code = False if self.code == "all" else True if is_tool else None
        # A placeholder may end what hid another value; at the end there is nothing left to find.
        while found := sensitive.find(text, self.kinds, is_code=is_code):
            pieces, end = [], 0
            for finding in found:
                pieces += [text[end : finding.start], names.of(finding.kind, text[finding.start : finding.end])]
                end = finding.end
            text = "".join([*pieces, text[end:]])
        return text


class _Names:
    """The placeholders of one conversation, numbered on from those that it has."""

    def __init__(self, texts: list[str]) -> None:
        self._last: defaultdict[str, int] = defaultdict(int)
        self._names: dict[tuple[Kind, str], str] = {}
        for kind, number in (found for text in texts for found in _PLACEHOLDER.findall(text)):
            self._last[kind] = max(self._last[kind], int(number))

    def of(self, kind: Kind, value: str) -> str:
        key = (kind, sensitive.plain(kind, value))
        if key not in self._names:
            self._last[kind.upper()] += 1
            self._names[key] = f"<{kind.upper()}_{self._last[kind.upper()]}>"
        return self._names[key]
