"""Charts of HTML and SVG, drawn from frames: tables with bars in them, and histograms."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from tulu_data.report.html import Markup, join, tag

COLOURS: Final = tuple(f"var(--c{number})" for number in range(8))
KEPT: Final = "var(--kept)"
COMPARED: Final = "compared"
"""The heading of a column of bars."""
WIDTH: Final = 300
HEIGHT: Final = 84


def number(value: float | None) -> str:
    """A number as the page shows it.

    >>> number(12345), number(0.125), number(None), number(0)
    ('12,345', '0.125', '·', '0')
    """
    if value is None:
        return "·"
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:,.3f}".rstrip("0")


def percent(share: float | None) -> str:
    """A share in per cent, with one digit; a small one is not shown as zero.

    >>> percent(0.36), percent(0.0001), percent(0.0)
    ('36.0%', '<0.1%', '0.0%')
    """
    if share is None:
        return "·"
    return "<0.1%" if 0 < share < 0.0005 else f"{share:.1%}"


def cell(value: float | None) -> Markup:
    """A number in a table."""
    return tag("td", number(value), class_="n zero" if not value else "n")


def table(name: str, caption: str, heads: Sequence[object], lines: Sequence[Markup], texts: int = 1) -> Markup:
    """A table whose first `texts` columns are text; on a narrow screen it scrolls by itself."""
    row = [
        tag("th", head, scope="col", class_="n" if place >= texts and head != COMPARED else None)
        for place, head in enumerate(heads)
    ]
    inner = tag("table", tag("thead", tag("tr", *row)), tag("tbody", *lines), data_frame=name, aria_label=caption)
    scroll = tag("div", inner, class_="wide", tabindex="0", role="region", aria_label=caption)
    # Outside of the table, which may be wider than the screen.
    return tag("div", tag("p", caption, class_="caption", aria_hidden="true"), scroll)


def bar(parts: Sequence[tuple[float, str]], target: float | None = None) -> Markup:
    """A bar of the shares of a whole, each with its colour, and a line at the target."""
    pieces = [
        tag("i", style=f"width:{share:.3%};background:{colour};{'min-width:2px' if share else ''}")
        for share, colour in parts
        if share
    ]
    aim = [] if target is None else [tag("b", style=f"left:calc({target:.3%} - 1px)")]
    return tag("td", tag("div", *pieces, *aim, class_="track", aria_hidden="true"), class_="bar")


def key(parts: Sequence[tuple[str, str]], target: str = "") -> Markup:
    """A legend of the colours."""
    items = [tag("li", tag("i", style=f"background:{colour}"), name) for name, colour in parts]
    return tag("ul", *items, *([tag("li", tag("b"), target)] if target else []), class_="key")


def histogram(
    bins: Sequence[tuple[float, float, int]], caption: Markup, said: str, unit: str = "", cut: float | None = None
) -> Markup:
    """Bars of (low, high, rows), with labels at the ends and the highest bar, and a dashed line at `cut`.

    `said` is the text for screen readers.
    """
    low, high, most = bins[0][0], bins[-1][1], max((rows for _, _, rows in bins), default=0)
    # A threshold beyond the values is drawn at the nearer edge.
    scale = WIDTH / ((high - low) or 1)
    drawn = []
    for start, end, rows in bins:
        if rows:
            height = max(1.0, rows / most * HEIGHT)
            drawn.append(
                tag(
                    "rect",
                    class_="bin",
                    x=f"{(start - low) * scale:.1f}",
                    y=f"{14 + HEIGHT - height:.1f}",
                    width=f"{max(1.0, (end - start) * scale - 1):.1f}",
                    height=f"{height:.1f}",
                )
            )
    base = 14 + HEIGHT
    drawn.append(tag("line", class_="axis", x1=0, x2=WIDTH, y1=base, y2=base))
    drawn.append(tag("text", number(low), x=0, y=base + 14))
    drawn.append(tag("text", f"{number(high)} {unit}".strip(), x=WIDTH, y=base + 14, text_anchor="end"))
    drawn.append(tag("text", f"{number(most)} rows", x=0, y=10))
    if cut is not None and low <= cut <= high:
        place = (cut - low) * scale
        # Beside the line, and under the label of the highest bar.
        is_left = place > WIDTH / 2
        drawn.append(tag("line", class_="cut", x1=f"{place:.1f}", x2=f"{place:.1f}", y1=4, y2=base))
        drawn.append(
            tag(
                "text",
                f"threshold {number(cut)}",
                class_="cutname",
                x=f"{place + (-5 if is_left else 5):.1f}",
                y=24,
                text_anchor="end" if is_left else None,
            )
        )
    picture = tag("svg", *drawn, viewBox=f"0 0 {WIDTH} {base + 18}", role="img", aria_label=said)
    return tag("figure", tag("figcaption", caption), picture)


def legend(names: Sequence[str]) -> dict[str, str]:
    """A colour for each name, in order."""
    return {name: COLOURS[place % len(COLOURS)] for place, name in enumerate(names)}


def sentence(*parts: object, class_: str | None = None) -> Markup:
    """A paragraph."""
    return tag("p", join(parts), class_=class_)
