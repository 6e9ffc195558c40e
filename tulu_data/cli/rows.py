"""`explain` and `removed`: show what happened to single rows."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tulu_data.cli import console
from tulu_data.cli.options import json_option, mixture_argument, option, out_option, texts_option
from tulu_data.cli.terminal import Terminal, styled
from tulu_data.cli.texts import BEGINS_CHARACTERS, PATH_CHARACTERS, show_texts
from tulu_data.errors import UsageError, printable

if TYPE_CHECKING:
    from tulu_data.mixture.explain import Explainer, Explanation


@click.command()
@mixture_argument
@click.argument("row", required=False, metavar="[ID | FILE:ROW]")
@click.option("--text", help="Find rows that have this text in a message.")
@out_option
@texts_option
@json_option
def explain(mixture: str, row: str | None, text: str | None, out: Path, workspace: Path | None, as_json: bool) -> None:
    """Show what happened to a row, and why.

    MIXTURE is the folder of a version, or NAME[@VERSION]. Give the row by its id or the
    beginning of it, by its place in an input file (data/a.jsonl:17, where records are
    counted from 1), or by its text.
    """
    if (row is None) == (text is None):
        raise UsageError("give a row: an id, FILE:ROW, or --text '…'")
    explainer = _explainer(mixture, out, workspace)
    if text is not None:
        found = explainer.by_text(text)
    elif row is not None and (place := re.fullmatch(r"(.+):(\d+)", row, re.DOTALL)):
        found = explainer.by_place(Path(place[1]), int(place[2]))
    else:
        found = explainer.by_id(row or "")
    found = [explainer.with_item(explanation) for explanation in found]
    if as_json:
        console.result_json([explanation.as_values() for explanation in found])
    else:
        show_explanations(found)


@click.command()
@mixture_argument
@click.option("--stage", help="Only rows that this stage removed.")
@click.option("--source", help="Only rows of this source.")
@option("--limit", type=click.IntRange(min=1), default=20, help="Show at most this many rows.")
@out_option
@texts_option
@json_option
def removed(
    mixture: str, stage: str | None, source: str | None, limit: int, out: Path, workspace: Path | None, as_json: bool
) -> None:
    """List removed rows with the reasons.

    MIXTURE is the folder of a version, or NAME[@VERSION].
    """
    explainer = _explainer(mixture, out, workspace)
    found, total = explainer.removed(stage, source, limit)
    if as_json:
        console.result_json([explanation.as_values() for explanation in found])
    else:
        show_removed(found, total)


def _explainer(mixture: str, out: Path, workspace: Path | None) -> Explainer:
    from tulu_data.mixture.explain import Explainer
    from tulu_data.mixture.mixture import find

    return Explainer(find(mixture, out), workspace)


def show_explanations(explanations: Sequence[Explanation]) -> None:
    """Show the fate of rows, each with its places, its evidence and its text."""
    out = Terminal(stderr=False)
    for index, explanation in enumerate(explanations):
        if index:
            out.line()
        _show_explanation(out, explanation, "")


def _show_explanation(out: Terminal, row: Explanation, indent: str) -> None:
    colour = {"kept": "green", "quarantined": "yellow"}.get(row.fate, "red")
    fate = row.fate if row.fate in ("kept", "quarantined") else f"removed by {row.fate}"
    reason = f": {printable(row.reason, 200)}" if row.reason else ""
    copies = f" ({row.copies} copies)" if row.copies > 1 else ""
    out.line(indent, styled("bold", row.id or "no id"), "  ", styled(colour, fate), f"{reason}{copies}")
    for file, number in row.places:
        out.line(f"{indent}  {row.source}, {printable(file, PATH_CHARACTERS)}:{number}")
    for name, value in row.told.items():
        out.line(f"{indent}  {name} {value}")
    if row.turns is None and row.fate != "quarantined":
        out.line(f"{indent}  ", styled("dim", "its text is no longer in the workspace"))
    show_texts(out, row, indent)
    if row.twin:
        out.line(f"{indent}  its twin:")
        _show_explanation(out, row.twin, f"{indent}    ")


def show_removed(explanations: Sequence[Explanation], total: int) -> None:
    """Show removed rows, each on one or two lines."""
    from tulu_data.rows.rows import begins_with

    out = Terminal(stderr=False)
    for row in explanations:
        if row.id is None:
            ((file, number),) = row.places
            place = f"{printable(file, PATH_CHARACTERS)}:{number}"
            out.line(f"{row.source}  {place}  ", styled("yellow", row.fate), f": {row.reason}")
            continue
        twin = f"; twin {row.twin.id} of {row.twin.source}" if row.twin else ""
        evidence = "".join(f"; {name} {value}" for name, value in row.told.items())
        out.line(
            styled("bold", row.id), f"  {row.source}  ", styled("red", row.fate), f": {row.reason}{evidence}{twin}"
        )
        if row.turns:
            out.line(f"  {printable(begins_with(row.turns), BEGINS_CHARACTERS)}")
    if total > len(explanations):
        console.note(f"{len(explanations):,} of {total:,}; more with --limit")
    elif not total:
        console.note("there are none")
