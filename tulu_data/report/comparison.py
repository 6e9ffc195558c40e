"""The page that compares two versions: which rows entered and left, why, and how the composition changed."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from tulu_data import audit
from tulu_data.audit import By
from tulu_data.mixture.difference import Difference
from tulu_data.mixture.mixture import Mixture
from tulu_data.report.charts import COMPARED, KEPT, bar, cell, key, number, percent, sentence, table
from tulu_data.report.html import Markup, join, tag
from tulu_data.report.section import Section

BEFORE = "var(--c0)"
SHOWN_PARTS = 40
SHOWN_MOVES = 60


def compared(difference: Difference) -> Markup:
    """The body of the page."""
    before, after = difference.before, difference.after
    parts = (_moved(difference), _composed(difference), _recipe(difference))
    return join(
        [
            tag("a", "Skip to the content", class_="skip", href="#content"),
            tag(
                "header",
                tag("h1", f"{_named(before)} → {_named(after)}"),
                tag("p", _said(difference), class_="sub"),
                tag("dl", *_facts(difference), class_="facts"),
                tag("nav", *(tag("a", part.title, href=f"#{part.id}") for part in parts), aria_label="Contents"),
            ),
            tag("main", *(part.html() for part in parts), id="content"),
            tag(
                "footer",
                *(sentence(_named(one), ": root ", tag("code", one.manifest["root"])) for one in (before, after)),
            ),
        ]
    )


def _named(mixture: Mixture) -> str:
    return f"{mixture.manifest['name']}@{mixture.version}"


def _said(difference: Difference) -> str:
    if difference.is_none:
        return "The same rows by the same recipe."
    if not difference.moved:
        return "The same rows by another recipe."
    return "What changed from the first version to the second."


def _facts(difference: Difference) -> list[Markup]:
    facts = [
        ("Rows before", difference.before.manifest["rows"]),
        ("Rows after", difference.after.manifest["rows"]),
        *(
            (name, _rows(difference, direction))
            for name, direction in (("Entered, or in more copies", "entered"), ("Left, or in fewer", "left"))
        ),
    ]
    return [tag("div", tag("dt", name), tag("dd", number(value))) for name, value in facts]


def _rows(difference: Difference, direction: str) -> int:
    return sum(move.rows for move in difference.moved if move.direction == direction)


def _moved(difference: Difference) -> Section:
    moves = sorted(difference.moved, key=lambda move: (-move.rows, move.source, move.direction, move.why))
    title = "What entered, what left, and why?"
    if not moves:
        return Section("moved", title, (sentence("No row entered, and none left."),))
    most = moves[0].rows
    lines = [
        tag(
            "tr",
            tag("th", move.direction, scope="row"),
            tag("td", move.source),
            tag("td", tag("bdi", move.why)),
            tag("td", *_ids(move.examples)),
            cell(move.rows),
            bar([(move.rows / most, KEPT if move.direction == "entered" else "var(--c1)")]),
        )
        for move in moves[:SHOWN_MOVES]
    ]
    heads = ["moved", "source", "why", "some of them", "rows", COMPARED]
    said = (
        "Rows are the same where source and content are. A row with more copies than before entered, with fewer left."
    )
    parts = [sentence(said), table("moved", "Rows that moved, by source and reason", heads, lines, 4)]
    if len(moves) > SHOWN_MOVES:
        parts.append(sentence(f"and {len(moves) - SHOWN_MOVES} more reasons with fewer rows", class_="soft"))
    return Section("moved", title, tuple(parts))


def _ids(ids: Sequence[str]) -> list[Markup]:
    return [tag("div", tag("code", id[:12])) for id in ids]


def _composed(difference: Difference) -> Section:
    parts: list[Markup] = [key([("before", BEFORE), ("after", KEPT)])]
    by: By
    for by in ("source", "domain", "language"):
        both = moved_shares(difference, by)
        if both[by].to_list() == [audit.UNKNOWN]:
            continue
        lines = [
            tag(
                "tr",
                tag("th", tag("bdi", line[by]), scope="row"),
                _both(line["share_before"], line["share_after"]),
                tag("td", percent(line["share_before"]), class_="n"),
                tag("td", percent(line["share_after"]), class_="n"),
                cell(line["rows_before"]),
                cell(line["rows_after"]),
                tag("td", _change(line["rows_after"] - line["rows_before"]), class_="n"),
            )
            for line in both.head(SHOWN_PARTS).iter_rows(named=True)
        ]
        heads = [by, "share of rows", "before", "after", "rows before", "rows after", "change"]
        parts += [tag("h3", f"By {by}"), table(f"moved-{by}", f"Rows by {by}, before and after", heads, lines, 2)]
    return Section("composition", "How did the composition change?", tuple(parts))


def moved_shares(difference: Difference, by: By) -> pl.DataFrame:
    """Rows and shares of both versions: `by`, `rows_before`, `rows_after`, `share_before`, `share_after`."""
    frames = [audit.composition(one, by).select(by, "rows", "share") for one in (difference.before, difference.after)]
    both = frames[0].join(frames[1], on=by, how="full", coalesce=True, suffix="_after").fill_null(0)
    named = both.rename({"rows": "rows_before", "share": "share_before"})
    ordered = named.sort("rows_after", "rows_before", by, descending=[True, True, False])
    return ordered.select(by, "rows_before", "rows_after", "share_before", "share_after")


def _both(before: float, after: float) -> Markup:
    bars = (
        tag("div", tag("i", style=f"width:{share:.3%};background:{colour}"), class_="track thin")
        for share, colour in ((before, BEFORE), (after, KEPT))
    )
    return tag("td", *bars, class_="bar", aria_hidden="true")


def _change(rows: int) -> str:
    return "·" if not rows else f"{rows:+,}".replace("-", "−")


def _recipe(difference: Difference) -> Section:
    # The first two lines of a diff name the folders.
    lines = [
        tag("span", f"{line}\n", class_={"+": "added", "-": "gone", "@": "soft"}.get(line[:1]))
        for line in difference.recipe[2:]
    ]
    shown = tag("pre", *lines, tabindex="0") if lines else sentence("Nothing: the recipe, as resolved, is the same.")
    return Section("recipe", "What changed in the recipe?", (shown,))
