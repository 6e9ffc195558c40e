"""Rows to read: some of the kept and some of the removed, with the reason of the removal."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

import polars as pl

from tulu_data import audit
from tulu_data.mixture.layout import KEPT
from tulu_data.mixture.mixture import Mixture
from tulu_data.report.charts import number, sentence
from tulu_data.report.html import Markup, escape, join, tag
from tulu_data.report.section import Section

BEGINS: Final = 110
_WORD: Final = re.compile(r"\s*\w+|\s*[^\w\s]|\s+")
Turns = Sequence[Mapping[str, Any]]


def rows(mixture: Mixture) -> Section:
    """The excerpts with a search; without scripts they are simply listed."""
    frame = audit.excerpts(mixture)
    # The first of each stage and source, then the second, …: the top of the list has some of everything.
    turn = pl.int_range(pl.len()).over("fate", "source", order_by="id")
    ordered = frame.with_columns(turn.alias("turn")).sort(pl.col("fate") == KEPT, "turn", "fate", "source", "id")
    lines = list(ordered.iter_rows(named=True))
    kept = sum(line["fate"] == KEPT for line in lines)
    all_kept, all_gone = (int(flow) for flow in _totals(mixture))
    said = sentence(
        f"{number(kept)} of {number(all_kept)} kept rows and {number(len(lines) - kept)} of {number(all_gone)} removed ones, "
        "drawn by their ids, evenly over sources and stages. Marks show why a row was removed, or where it differs from the "
        "row kept instead. Rows that contain evaluation items or secrets are listed without their text."
    )
    shown = tag("div", *(_row(mixture, line) for line in lines))
    return Section("rows", "Read some rows", (said, _tools(lines), shown))


def _totals(mixture: Mixture) -> tuple[int, int]:
    counts = mixture.rows.values()
    return sum(rows["kept"] for rows in counts), sum(sum(rows["removed"].values()) for rows in counts)


def _tools(lines: Sequence[Mapping[str, Any]]) -> Markup:
    def chooser(name: str, label: str, every: str) -> Markup:
        choices = sorted({line[name] for line in lines})
        options = [tag("option", every, value=""), *(tag("option", choice, value=choice) for choice in choices)]
        return tag("label", label, tag("select", *options, id=f"find-{name}"))

    search = tag("label", "Words", tag("input", id="find-text", type="search", autocomplete="off"))
    tools = tag(
        "form",
        search,
        chooser("fate", "Kept, or removed by", "all"),
        chooser("source", "Source", "all"),
        id="tools",
        class_="tools",
        hidden=True,
        role="search",
        aria_label="Search in these rows",
        onsubmit=None,
    )
    return join([tools, tag("p", id="found", class_="soft", role="status")])


def _row(mixture: Mixture, row: Mapping[str, Any]) -> Markup:
    is_kept = row["fate"] == KEPT
    copies = f", {row['copies']} copies" if row["copies"] > 1 else ""
    reason = f": {row['reason']}" if row["reason"] else ""
    fate = f"kept{copies}" if is_kept else f"{'not taken' if row['fate'] == 'take' else row['fate']}{reason}"
    head = tag(
        "summary",
        tag("span", fate, class_="fate kept" if is_kept else "fate", dir="auto"),
        f" · {row['source']} · ",
        tag("span", _begins(row), class_="begin", dir="auto"),
    )
    evidence = "; ".join(f"{item['name']} {item['value']}" for item in row["evidence"])
    told = join(["; ", tag("bdi", evidence)]) if evidence else ""
    parts = [tag("p", "id ", tag("code", row["id"]), told, class_="evidence")]
    if row["messages"] is None:
        command = tag("code", f"tulu-data explain {mixture.manifest['name']}@{mixture.version} {row['id'][:12]}")
        parts.append(
            tag(
                "p",
                "Its text is left out of this page. Where the mixture was built, ",
                command,
                " shows it.",
                class_="evidence",
            )
        )
    elif row["twin_messages"]:
        parts += _turns(row["messages"], row["twin_messages"], row["more_messages"])
        twin = tag("p", "kept instead: ", tag("code", row["twin"]), f" of {row['twin_source']}", class_="evidence")
        parts.append(tag("div", twin, *_turns(row["twin_messages"], row["messages"], 0), class_="twin"))
    else:
        found = next((item["value"] for item in row["evidence"] if item["name"] == "found"), None)
        parts += _turns(row["messages"], None, row["more_messages"], found)
    return tag("details", head, *parts, class_="row", data_fate=row["fate"], data_source=row["source"])


def _begins(row: Mapping[str, Any]) -> str:
    if row["messages"] is None:
        return "text left out"
    text = next((turn["content"] for turn in row["messages"] if turn["role"] == "user"), "")
    one = " ".join(text.split())
    return one if len(one) <= BEGINS else one[: BEGINS - 1] + "…"


def _turns(turns: Turns, others: Turns | None, more: int, found: str | None = None) -> list[Markup]:
    shown = []
    for place, turn in enumerate(turns):
        text, label = turn["content"], turn.get("label")
        speaker = f"{label} {turn['role']}" if label else turn["role"]
        if not text and turn["role"] == "assistant":
            said = tag("p", "no text", class_="text soft")
            shown.append(tag("div", tag("div", speaker, class_="role"), said, class_="turn"))
            continue
        if others is not None:
            marked = _differing(text, others[place]["content"] if place < len(others) else "")
        elif found and found in text:
            before, _, after = text.partition(found)
            marked = join([before, tag("mark", found), after])
        else:
            marked = escape(text)
        rest = tag("span", f" … {number(turn['left_out'])} more characters", class_="role") if turn["left_out"] else ""
        shown.append(
            tag(
                "div",
                tag("div", speaker, class_="role"),
                tag("p", marked, rest, class_="text", dir="auto"),
                class_="turn",
            )
        )
    if more:
        shown.append(tag("p", f"… and {number(more)} more messages", class_="evidence"))
    return shown


def _differing(text: str, other: str) -> Markup:
    """A text, with marks on words that differ from another text.

    >>> _differing("two red cats", "two big cats")
    'two <mark>red</mark> cats'
    """
    # Words with the space before them: single spaces match everywhere, and make this thirty times as slow.
    ours, theirs = _WORD.findall(text), _WORD.findall(other)
    pieces: list[Markup] = []
    for kind, start, end, _, _ in difflib.SequenceMatcher(None, ours, theirs, autojunk=False).get_opcodes():
        piece = "".join(ours[start:end])
        word = piece.lstrip() or piece
        if kind == "equal":
            pieces.append(escape(piece))
        elif piece:
            pieces += [escape(piece.removesuffix(word)), tag("mark", word)]
    return join(pieces)
