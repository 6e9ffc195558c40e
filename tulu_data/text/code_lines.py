"""The places of code in a text: between fences, or in messages most of whose lines are code.

A line is code by its syntax alone: a statement with its brackets or colon, an end with
`;`, `{` or `}`, a prompt of a console. A sentence that begins with `if`, or a formula
such as `x = 5`, is not code.
"""

from __future__ import annotations

import re
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

FENCED: Final = re.compile(r"^[ \t]*(```|~~~).*?(?:^[ \t]*\1|\Z)", re.DOTALL | re.MULTILINE)
LINE: Final = (
    r"(?m)^[ \t]*(?:(?:>>>|\.\.\.|In \[\d+\]:) )?(?:"
    r"(?:async )?def \w+\(.*|class \w+(?:\(.*\))?[:{]?[ \t\r]*$|(?:from [\w.]+ )?import [\w.{*][^.!?]*$"
    r"|(?:el)?if\b.*:[ \t\r]*$|for \w+(?:, ?\w+)* in .*:[ \t\r]*$|(?:while|with|except)\b.*:[ \t\r]*$"
    r"|(?:else|try|finally):|return\b(?: [\w\[({'\"-].*[\w\])}'\";])?[ \t\r]*$|@\w+(?:\.\w+)*(?:\(.*\))?[ \t\r]*$"
    r"|(?:const|let|var|final|auto|int|float|double|char|bool|String|string) \w+(?:\[\w*\])? ?=.*"
    r"|(?:public|private|protected|static|export|function|func|fn|package|using|namespace|struct|impl|"
    r"interface)\b.*[({;]"
    r"|#(?:include|define|ifdef|ifndef|endif|pragma|!/)|<\?php|</?[a-z][\w-]*(?: [^<>]*)?/?>"
    r"|(?:SELECT|INSERT INTO|UPDATE|DELETE FROM|CREATE TABLE|ALTER TABLE|FROM|WHERE|GROUP BY|ORDER BY) [\w*(\"`]"
    r"|[A-Za-z_][\w.\[\]'\"]+ ?(?:[-+*/|&]?=|:=) ?[\w\[({'\"-].*|[\w.]*[A-Za-z]\w*\(.*\)[;:]?[ \t\r]*$"
    r"|(?:\$ )?(?:sudo|pip3? install|npm (?:i|install|run)|apt(?:-get)? (?:install|update)|docker "
    r"(?:run|build)|brew install|"
    r"git (?:clone|add|commit|push|pull|checkout|merge|reset)|conda install|curl -|chmod [+\d]) ?[\w./@:-]"
    r"|[^\n]*[()=\[\]+][^\n]*;[ \t\r]*$|[^\n]*\{[ \t\r]*$|[{}()\[\]]+[;,]?[ \t\r]*$"
    r")"
)
"""A line of code, for RE2: it takes time linear in the text."""


def spans(text: str) -> list[tuple[int, int]]:
    """The parts of a text that are code, in order: the text between fences, or the whole of it.

    >>> spans("Look:\\n```\\nx = 1\\n```\\n")
    [(6, 19)]
    >>> spans("import os\\nprint(os.getcwd())")
    [(0, 28)]
    """
    fenced = [found.span() for found in FENCED.finditer(text)]
    if fenced:
        return fenced
    lines = sum(1 for line in text.splitlines() if line.strip())
    if lines < 2:
        return []
    code: int = pc.count_substring_regex(pa.array([text]), LINE)[0].as_py()
    return [(0, len(text))] if 2 * code > lines else []
