"""`build`, and the tables that it shows at the end."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from tulu_data.cli import console
from tulu_data.cli.options import (
    PATH,
    Crew,
    crew_options,
    json_option,
    memory_option,
    option,
    out_option,
    recipe_argument,
    trust_option,
    workspace_option,
)
from tulu_data.cli.tables import (
    ID_DIGITS,
    as_unread,
    number,
    show_clusters,
    show_overlap,
    show_pairs,
    show_strata,
    show_table,
)
from tulu_data.cli.terminal import Terminal, styled
from tulu_data.cli.texts import BEGINS_CHARACTERS
from tulu_data.errors import printable

if TYPE_CHECKING:
    from tulu_data.building.build import Built
    from tulu_data.mixture.mixture import Mixture
    from tulu_data.verifying.planted import Found

FIRST_LOOKS: Final = 12
UNREAD_NAMES: Final = 12


@click.command()
@recipe_argument
@out_option
@option("--manifests", type=PATH, default="manifests", help="Folder for copies of the manifests.")
@workspace_option
@crew_options
@memory_option
@option("--limit", type=click.IntRange(1, 2**63 - 1), help="Take only the first N rows of each source, as a trial.")
@click.option(
    "--trust-mtime", is_flag=True, help="Identify inputs by size, inode and time, without hashing them again."
)
@trust_option
@json_option
def build(
    recipe: Path,
    out: Path,
    manifests: Path,
    workspace: Path,
    crew: Crew,
    memory: int,
    limit: int | None,
    trust_mtime: bool,
    trusted: tuple[str, ...] | None,
    as_json: bool,
) -> None:
    """Build the mixture of RECIPE.

    Does nothing if it is built already. A build that was stopped, even by a power cut,
    resumes where it stopped.
    """
    from tulu_data.building.build import build as run
    from tulu_data.building.run import Folders
    from tulu_data.store.workspace import Workspace
    from tulu_data.verifying import planted

    with crew.open() as executor:
        built = run(
            recipe,
            Folders(out, manifests, workspace),
            trusted=trusted,
            memory=memory,
            limit=limit,
            trust_mtime=trust_mtime,
            executor=executor,
            progress=console.Bars(),
        )
    found = planted.check(built.mixture, built.recipe.sources, Workspace(workspace).sources)
    if as_json:
        planted_faults = {"planted": [kind.as_values() for kind in found]} if found else {}
        console.result_json({**built.as_values(), **planted_faults})
    else:
        show_built(built, found)
        console.result(str(built.mixture.folder))


def show_built(built: Built, found: Sequence[Found] = ()) -> None:
    """Show the table at the end of a build, how many planted faults were found, and where to look next."""
    out = Terminal(stderr=True)
    _show_rows(out, built.mixture)
    _show_set_aside(out, built.mixture)
    _show_first_looks(out, built.mixture)
    _show_reports(out, built.mixture)
    if found:
        out.line()
        _show_planted(out, found)
    status = built.status + (f" ({built.why})" if built.why else "")
    mixture = built.mixture
    written = f"{mixture.manifest['rows']:,} rows in {len(mixture.data)} file{'s' * (len(mixture.data) != 1)}"
    out.line()
    out.line(styled("bold green", status), f" {mixture.manifest['name']}@{mixture.version}: {written}")
    _show_next(out, mixture)


def _show_rows(out: Terminal, mixture: Mixture) -> None:
    """Show what happened to the records of each source."""
    steps = mixture.steps
    totals = [0] * (len(steps) + 3)
    lines = []
    for source, rows in mixture.rows.items():
        numbers = [rows["read"], rows["quarantined"], *(-rows["removed"].get(step, 0) for step in steps), rows["kept"]]
        totals = [total + number for total, number in zip(totals, numbers, strict=True)]
        lines.append([source, *map(number, numbers)])
    lines.append([styled("bold", "all"), *(styled("bold", number(total)) for total in totals)])
    out.table(("source", "read", "quarantined", *steps, "kept"), lines, left=("source",))


def _show_reports(out: Terminal, mixture: Mixture) -> None:
    """Show the tables that stages report."""
    from tulu_data.store.parquet import read_frame

    for path in mixture.reports("evaluations").values():
        out.line()
        show_overlap(out, read_frame(path), f"reports/{path.name}")
    for step, path in mixture.reports("clusters").items():
        show_clusters(out, mixture, step, path)
    for path in mixture.reports("overlap").values():
        show_pairs(out, read_frame(path))
    for step, path in mixture.reports("strata").items():
        out.line()
        show_strata(out, read_frame(path), step)
    for shown in mixture.shown:
        if shown.kind == "table":
            show_table(out, shown, mixture.read(shown.path))


def _show_next(out: Terminal, mixture: Mixture) -> None:
    """Show the commands that look into a mixture."""
    # A name alone is looked for in the default folder only.
    folder = mixture.folder.parent
    where = folder.name if folder.parent == Path("mixtures") else str(folder)
    if mixture.manifest["trial"]:
        where = f"{folder.name}@{mixture.version}" if where == folder.name else str(mixture.folder)
    if any(rows["quarantined"] for rows in mixture.rows.values()):
        out.line(f"see what can't be read:    tulu-data removed {where} --stage quarantined")
    if any(rows["removed"] for rows in mixture.rows.values()):
        out.line(f"see why rows were removed: tulu-data removed {where}")
    out.line(f"follow one row:            tulu-data explain {where} ID | FILE:ROW | --text '…'")


def _show_set_aside(out: Terminal, mixture: Mixture) -> None:
    """Show the files of each source that could not be read and that the recipe allows to be set aside."""
    for source, entry in mixture.manifest["sources"].items():
        found = [f"sha256 {file['sha256'][:ID_DIGITS]}" for file in entry["inputs"] if "unreadable" in file]
        reasons = [file["unreadable"] for file in entry["inputs"] if "unreadable" in file]
        if found:
            many = "1 file was" if len(found) == 1 else f"{len(found):,} files were"
            more = f"; and {len(found) - 1:,} more" if len(found) > 1 else ""
            out.line(f"{source}: {many} set aside ({found[0]}): {reasons[0]}{more}")


def _show_first_looks(out: Terminal, mixture: Mixture) -> None:
    """Show which columns were not read, and the blemishes that many rows have."""
    from tulu_data import audit

    left_out = audit.unread(mixture)
    if len(left_out):
        out.line()
        out.line(styled("bold", "not read"), ", with the rows that have it")
        for (source,), names in left_out.group_by("source", maintain_order=True):
            listed = [
                f"{as_unread(line['name'])} {line['rows']:,}" for line in names.head(UNREAD_NAMES).iter_rows(named=True)
            ]
            more = [f"… {len(names) - UNREAD_NAMES} more"] if len(names) > UNREAD_NAMES else []
            out.line(f"  {printable(str(source), 60)}: {', '.join(listed + more)}")
        out.line(styled("dim", "  to carry columns along, give the source: keep_columns: [NAME, …]"))
    found = audit.blemishes(mixture)
    if len(found):
        out.line()
        out.line(styled("bold yellow", "look at this first"))
        for line in found.head(FIRST_LOOKS).iter_rows(named=True):
            many = f"{line['rows']:,} of {line['of']:,} rows of {line['source']}"
            out.line(f"  {many} {line['what']} ({line['remedy']})")
            shown = printable(line["shown"] or "", BEGINS_CHARACTERS)
            out.line(styled("dim", f"    {line['id'][:ID_DIGITS]} {shown}"))
        if len(found) > FIRST_LOOKS:
            out.line(styled("dim", f"  and {len(found) - FIRST_LOOKS} more: reports/blemishes.parquet"))


def _show_planted(out: Terminal, found: Sequence[Found]) -> None:
    cells = ((kind.kind, *map(number, (kind.planted, kind.found, kind.missed, kind.extra))) for kind in found)
    out.table(("planted", "rows", "found", "missed", "extra"), cells, left=("planted",))
