"""`plan`: show what a build would do."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from tulu_data.cli import console
from tulu_data.cli.options import json_option, out_option, recipe_argument, trust_option, workspace_option
from tulu_data.cli.tables import as_unread, kinds_of_items, number, size_of
from tulu_data.cli.terminal import Part, Terminal, styled
from tulu_data.cli.texts import role_of
from tulu_data.errors import InputError, printable

if TYPE_CHECKING:
    from tulu_data.building.forecast import Expectation
    from tulu_data.building.inputs import Surveyed
    from tulu_data.building.preview import Preview
    from tulu_data.recipe.plan import Plan

LISTED_COLUMNS: Final = 40


@click.command()
@recipe_argument
@out_option
@workspace_option
@trust_option
@json_option
def plan(recipe: Path, out: Path, workspace: Path, trusted: tuple[str, ...] | None, as_json: bool) -> None:
    """Show what a build of RECIPE would do.

    Shows how each file will be read, with its first rows as they will look, the phases,
    and the memory and disk that a build needs. Writes nothing, except that datasets are
    downloaded and samples are generated. Exit 3 if a build would certainly stop, for
    example because of too many bad records.
    """
    from tulu_data.building.preview import plan as run

    found = run(recipe, out, workspace, trusted=trusted, progress=console.Bars())
    if as_json:
        console.result_json(found.as_values())
    else:
        show_plan(found, workspace)
    if found.problems:
        raise InputError("\n".join(["a build would stop:", *found.problems]))


def show_plan(found: Preview, place: Path) -> None:
    """Show what a build would do: how it reads the sources, then its phases; `place` is where it writes."""
    out = Terminal(stderr=False)
    for source in found.surveyed:
        _show_source(out, source, is_format_given=found.recipe.sources[source.name].format is not None)
        out.line()
    _show_phases(out, found.plan)
    out.line()
    rows, each = sum(source.expected_rows for source in found.surveyed), found.bytes_per_row
    out.line(f"about {rows:,} rows; deciding needs {each} bytes a row, about {size_of(rows * each)}")
    if found.expected is not None:
        out.line()
        _show_expectation(out, found.expected)
    _show_disk(out, sum(source.size for source in found.surveyed), place)


def _show_source(out: Terminal, source: Surveyed, *, is_format_given: bool) -> None:
    files = f"{len(source.files)} file{'s' * (len(source.files) != 1)}, {size_of(source.size)}"
    empty = sum(file.size == 0 for file in source.files)
    files += f", {empty} of them empty" if empty else ""
    out.line(styled("bold", source.name), f"  {files}, about {source.expected_rows:,} rows")
    if source.format is None:
        out.line("  no rows")
        return
    out.line(f"  {source.format.name} ({'given' if is_format_given else 'detected'}): {_columns(source)}")
    if source.bad:
        unreadable = f"{len(source.bad)} of the first {source.probed} records can't be read"
        out.line("  ", styled("yellow", unreadable), f": {source.bad[0]}")
    if source.unread:
        unread = ", ".join(map(as_unread, source.unread[:LISTED_COLUMNS]))
        more = len(source.unread) - LISTED_COLUMNS
        out.line(f"  not read: {unread}" + (f", … and {more:,} more" if more > 0 else ""))
    for blemish, count, shown in source.blemishes:
        told = f"{count} of the first {source.probed} records {blemish.what} ({blemish.remedy}): "
        out.line("  ", styled("yellow", "look at this first"), f": {told}{printable(shown, 90)}")
    for turns in source.preview:
        for index, turn in enumerate(turns[:4]):
            mark = styled("dim", "┌" if index == 0 else "│")
            out.line("  ", mark, " ", role_of(turn.speaker), f" {printable(turn.content, 90)}")
        more = len(turns) - 4
        if more > 0:
            out.line("  ", styled("dim", f"│ … and {more} more messages"))


def _show_phases(out: Terminal, plan: Plan) -> None:
    out.line(styled("bold", "phases") if plan.mappers or plan.steps else "no stages: every row is kept")
    stages = {"rewrite": [mapper.name() for mapper in plan.mappers]}
    for step in plan.steps:
        stages.setdefault(step.stage.phase, []).append(step.name)
    for phase, names in stages.items():
        if names:
            out.line(f"  {phase:<12} {', '.join(names)}")
    for step in plan.steps:
        for name, account in step.stage.facts().get("evaluations", {}).items():
            out.line(f"  {step.name} against {name}: {account['items']:,} items ({kinds_of_items(account)})")
        if curve := step.stage.facts().get("found"):
            points = ", ".join(f"{float(chance):.2f} at {value}" for value, chance in curve.items())
            out.line(f"  {step.name} finds a pair of that Jaccard similarity: {points}")


def _show_expectation(out: Terminal, expected: Expectation) -> None:
    out.line(styled("bold", expected.step), f" will take, {expected.basis}:")
    if expected.problem:
        out.line("  ", styled("red", expected.problem))
        return
    lines = expected.lines
    (unit,) = lines["unit"].unique()
    cells = (
        (f"  {line['stratum']}", f"{line['share']:.1%}", number(line["offered"]), number(line["target"]))
        for line in lines.iter_rows(named=True)
    )
    out.table(("", "share", f"{unit} there", "target"), cells, left=("",))


def _show_disk(out: Terminal, size: int, place: Path) -> None:
    free = shutil.disk_usage(next(path for path in (place, *place.absolute().parents) if path.is_dir())).free
    short: list[Part] = [" ", styled("red", "more than there is")] if 3 * size > free else []
    out.line(
        f"disk: up to {size_of(3 * size)} while it runs (store, spill and output of {size_of(size)} of input); "
        f"{size_of(free)} are free",
        *short,
    )


def _columns(source: Surveyed) -> str:
    """The columns that are read: the required ones, and the optional ones that are there."""
    from tulu_data.formats.column import first_part

    if source.format is None:
        return ""
    there = set(source.columns)
    shown = []
    for name, value in source.format.model_dump(exclude={"join"}).items():
        columns = [value] if isinstance(value, str) else list(value)
        if name in {names[0] for names in source.format.needs} or first_part(columns[0]) in there:
            shown.append(f"{name} = {', '.join(columns)}")
    return "; ".join(shown)
