"""Frames as pictures: plain SVG for notebooks and files, with the same bytes for the same frame."""

from __future__ import annotations

import html
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import polars as pl

WIDTH: Final = 640
LINE: Final = 26
LABEL: Final = 180
NUMBER: Final = 130
HEIGHT: Final = 150
INK, SOFT, BAR, CUT = "#1d2025", "#5b626d", "#2f6db3", "#a8322d"


@dataclass(frozen=True)
class Picture:
    """An SVG drawing; a notebook shows it if it is the last value of a cell."""

    svg: str

    def _repr_svg_(self) -> str:
        return self.svg

    def save(self, path: Path | str) -> None:
        """Write it to a file."""
        Path(path).write_text(self.svg, encoding="utf-8")


def bars(frame: pl.DataFrame, label: str, value: str, target: str | None = None, title: str = "") -> Picture:
    """A bar for each line of a frame, as long as `value`, with a mark at `target`.

        bars(composition(mixture, "domain"), "domain", "share", target="target")

    Float64 values are taken as shares, and shown in per cent.
    """
    is_share = frame.schema[value].is_float()
    others = frame[target].drop_nulls().to_list() if target else []
    most = max([*frame[value].drop_nulls().to_list(), *others, 0]) or 1
    room = WIDTH - LABEL - NUMBER
    drawn = [_text(0, 16, title, INK, bold=True)] if title else []
    top = LINE if title else 0
    for place, line in enumerate(frame.iter_rows(named=True)):
        y = top + place * LINE
        number = line[value] or 0
        length = number / most * room
        drawn.append(_text(LABEL - 8, y + 17, str(line[label]), INK, anchor="end"))
        drawn.append(f'<rect x="{LABEL}" y="{y + 5}" width="{length:.1f}" height="16" fill="{BAR}"/>')
        shown = f"{number:.1%}" if is_share else f"{number:,}"
        if target and line[target] is not None:
            x = LABEL + line[target] / most * room
            drawn.append(f'<rect x="{x - 1:.1f}" y="{y + 2}" width="2" height="22" fill="{INK}"/>')
            shown += f" (aim {line[target]:.1%})"
        end = LABEL + max(length, (line[target] or 0) / most * room if target else 0)
        drawn.append(_text(end + 8, y + 17, shown, SOFT))
    return _picture(drawn, top + LINE * len(frame), title)


def histogram(frame: pl.DataFrame, cut: float | None = None, title: str = "", unit: str = "") -> Picture:
    """How many rows are in each bin, over all sources, with a dashed line at `cut`.

        histogram(length_bins(mixture), title="How long are the rows?", unit="tokens")

    `frame` has the columns `low`, `high` and `rows`, of one measure.
    """
    bins = frame.group_by("low", "high").agg(pl.col("rows").sum()).sort("low")
    low, high, most = bins["low"][0], bins["high"][-1], int(bins["rows"].max() or 1)  # type: ignore[arg-type]
    scale, top = WIDTH / (high - low), 44
    drawn = [_text(0, 16, title, INK, bold=True), _text(0, 36, f"{most:,} rows", SOFT)]
    for start, end, rows in bins.iter_rows():
        height = rows / most * HEIGHT
        if rows:
            x, width = (start - low) * scale, max(1.0, (end - start) * scale - 1)
            y = top + HEIGHT - height
            drawn.append(f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" fill="{BAR}"/>')
    drawn.append(_text(0, top + HEIGHT + 16, f"{low:,g}", SOFT))
    drawn.append(_text(WIDTH, top + HEIGHT + 16, f"{high:,g} {unit}".strip(), SOFT, anchor="end"))
    if cut is not None and low <= cut <= high:
        x = (cut - low) * scale
        drawn.append(
            f'<line x1="{x:.1f}" x2="{x:.1f}" y1="24" y2="{top + HEIGHT}" stroke="{CUT}" stroke-dasharray="5 4"/>'
        )
        anchor = "end" if x > WIDTH / 2 else "start"
        drawn.append(_text(x + (-6 if anchor == "end" else 6), 36, f"threshold {cut:,g}", CUT, anchor=anchor))
    return _picture(drawn, top + HEIGHT + 24, title)


def _text(x: float, y: float, text: str, colour: str, *, anchor: str = "start", bold: bool = False) -> str:
    weight = ' font-weight="600"' if bold else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" fill="{colour}" text-anchor="{anchor}"{weight}>{html.escape(text)}</text>'


def _picture(drawn: list[str], height: float, title: str) -> Picture:
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:.0f}" width="{WIDTH}" '
        f'height="{height:.0f}" font-family="system-ui, sans-serif" font-size="13" role="img" '
        f'aria-label="{html.escape(title)}"><rect width="100%" height="100%" fill="#fff"/>'
    )
    return Picture(f"{head}{''.join(drawn)}</svg>\n")
