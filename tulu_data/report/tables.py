"""What else did the stages find? The tables that they show."""

from __future__ import annotations

from typing import Any, Final

from tulu_data.errors import printable
from tulu_data.mixture.mixture import Mixture
from tulu_data.report.charts import cell, number, sentence, table
from tulu_data.report.html import Markup, tag
from tulu_data.report.section import Section, lines_of
from tulu_data.reports import TABLE

SHOWN_LINES: Final = 30
CELL_CHARACTERS: Final = 200


def tables(mixture: Mixture) -> Section | None:
    """What else did the stages find?"""
    parts: list[Markup] = []
    for shown in mixture.shown:
        if shown.kind != TABLE:
            continue
        frame = mixture.read(shown.path)
        heads = shown.heads or {name: name for name in frame.columns}
        # Columns of text come first, and are aligned left.
        named = sorted(heads.items(), key=lambda head: frame.schema[head[0]].is_numeric())
        texts = sum(not frame.schema[name].is_numeric() for name, _ in named)
        lines = [tag("tr", *(_cell(line[name]) for name, _ in named)) for line in lines_of(frame.head(SHOWN_LINES))]
        parts.append(tag("h3", f"{shown.step}: {shown.title}"))
        parts += [sentence(shown.says)] if shown.says else []
        name = shown.path.stem
        parts.append(table(name, shown.title, [head for _, head in named], lines, texts))
        if (more := len(frame) - SHOWN_LINES) > 0:
            parts.append(sentence(f"and {number(more)} more: {shown.file}", class_="soft"))
    return Section("tables", "What else did the stages find?", tuple(parts)) if parts else None


def _cell(value: Any) -> Markup:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return cell(value)
    return tag("td", "" if value is None else printable(str(value), CELL_CHARACTERS), dir="auto")
