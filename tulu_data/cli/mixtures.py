"""`audit`, `diff` and `gc`: commands on whole mixtures."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from tulu_data.cli import console
from tulu_data.cli.options import (
    PATH,
    json_option,
    mixture_argument,
    mixtures_option,
    option,
    out_option,
    workspace_option,
)
from tulu_data.cli.tables import OVERLAP_LINES, number
from tulu_data.cli.terminal import Terminal, styled
from tulu_data.errors import UsageError, printable

if TYPE_CHECKING:
    from tulu_data.mixture.difference import Difference
    from tulu_data.mixture.mixture import Mixture


@click.command()
@mixture_argument
@click.option("--out", "file", type=PATH, help="Draw the report again, and write it to this file.")
@mixtures_option
@json_option
def audit(mixture: str, file: Path | None, mixtures: Path, as_json: bool) -> None:
    """Show what a mixture contains.

    Shows in tables what it is made of, and what was removed and why; and the path of its
    report, a page for the browser. MIXTURE is the folder of a version, or NAME[@VERSION].
    """
    from tulu_data import audit, report
    from tulu_data.mixture.mixture import find

    found = find(mixture, mixtures)
    place = found.folder / report.NAME if file is None else file
    if file is not None:
        _write_page(file, report.page(found))
    elif not place.is_file():
        raise UsageError(
            f"{place}: does not exist; this version was built before there were reports: give --out report.html"
        )
    if as_json:
        console.result_json({"report": str(place), **audit.as_values(found)})
    else:
        show_audit(found)
        console.result(str(place))


@click.command()
@click.argument("before")
@click.argument("after")
@out_option
@click.option("--html", "file", type=PATH, help="Also write the differences to this file, as a page.")
@json_option
def diff(before: str, after: str, out: Path, file: Path | None, as_json: bool) -> None:
    """Show what differs between two versions.

    Compares the recipes and the counts, and shows which rows entered and left, by source
    and reason. Each version is a folder, or NAME[@VERSION]. Exit 4 if anything differs.
    """
    from tulu_data.mixture.difference import Difference
    from tulu_data.mixture.mixture import find

    difference = Difference.between(find(before, out), find(after, out))
    if file is not None:
        from tulu_data.report import comparison_page

        _write_page(file, comparison_page(difference))
    if as_json:
        console.result_json(difference.as_values())
    else:
        show_difference(difference)
    console.end(found=not difference.is_none)


@click.command()
@out_option
@workspace_option
@option("--keep-gb", type=click.FloatRange(min=0), default=0, help="Keep this many GB of the newest unused files.")
@json_option
def gc(out: Path, workspace: Path, keep_gb: float, as_json: bool) -> None:
    """Delete unused files from the workspace.

    Deletes cached files that no mixture under --out uses, oldest first, and the leftovers
    of killed builds. Mixtures are untouched, and an interrupted build can still resume.
    """
    from tulu_data.building.gc import collect

    freed = collect(workspace, out, int(keep_gb * 1e9))
    if as_json:
        console.result_json(freed.as_values())
    else:
        console.result(
            f"removed {freed.files:,} files, {freed.size / 1e6:,.1f} MB; {freed.left / 1e6:,.1f} MB are left"
        )


def _write_page(file: Path, page: str) -> None:
    from tulu_data.store.durable import make_folders, write_text

    if file.is_dir():
        raise UsageError(f"{file}: is a folder; name a file, such as {file / 'report.html'}")
    make_folders(file.parent)
    write_text(file, page)


def show_audit(mixture: Mixture) -> None:
    """Show what a mixture is made of, and what was removed."""
    from tulu_data import audit

    out = Terminal(stderr=True)
    for by in ("source", "domain", "language"):
        parts = audit.composition(mixture, by)
        if parts[by].to_list() == [audit.UNKNOWN]:
            continue
        lines = []
        for line in parts.iter_rows(named=True):
            target = "" if line["target"] is None else f"{line['target']:.1%}"
            tokens = ("" if line[name] is None else f"{line[name]:,}" for name in ("tokens", "trainable"))
            lines.append((printable(line[by], 60), f"{line['rows']:,}", f"{line['share']:.1%}", target, *tokens))
        out.table((by, "rows", "share", "target", "tokens", "trained on"), lines, left=(by,))
        out.line()
    removed = audit.reasons(mixture).head(OVERLAP_LINES).iter_rows(named=True)
    out.table(
        ("removed by", "reason", "rows"),
        ((line["stage"], printable(line["reason"], 100), f"{line['rows']:,}") for line in removed),
        left=("removed by", "reason"),
    )


def show_difference(difference: Difference) -> None:
    """Show the lines of the recipe that changed, the counts, and the rows that entered and left."""
    out = Terminal(stderr=False)
    if difference.is_none:
        out.line("the same rows by the same recipe")
        return
    for line in difference.recipe:
        colour = {"+": "green", "-": "red", "@": "cyan"}.get(line[:1], "")
        out.line(styled(colour, printable(line, 200)))
    lines = (
        (source, number(before), number(after), f"+{after - before:,}" if after > before else number(after - before))
        for source, (before, after) in difference.rows.items()
    )
    out.table(("source", "before", "after", "change"), lines, left=("source",))
    for move in difference.moved:
        sign = styled("green", "+") if move.direction == "entered" else styled("red", "−")
        ids = ", ".join(move.examples) + (", …" if move.rows > len(move.examples) else "")
        out.line(sign, f" {move.rows:,} {move.source}: {printable(move.why, 200)}")
        out.line("    ", styled("dim", ids))
