"""Sections of the page, each with the question that it answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import polars as pl

from tulu_data.report.html import Markup, tag


@dataclass(frozen=True)
class Section:
    """A part of the page, with the question that it answers."""

    id: str
    title: str
    parts: tuple[Markup, ...]

    def html(self) -> Markup:
        heading = tag("h2", self.title, id=f"{self.id}-title")
        return tag("section", heading, *self.parts, id=self.id, aria_labelledby=f"{self.id}-title")


def lines_of(frame: pl.DataFrame) -> list[dict[str, Any]]:
    """The lines of a frame as dictionaries."""
    return list(frame.iter_rows(named=True))
