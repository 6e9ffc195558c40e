"""`dedup`: find near-duplicates in data."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click

from tulu_data.cli import console
from tulu_data.cli.options import (
    PATH,
    Crew,
    Data,
    crew_options,
    data_options,
    gathered,
    json_option,
    memory_option,
    mixtures_option,
    option,
    workspace_option,
)
from tulu_data.cli.tables import number, show_pairs
from tulu_data.cli.terminal import Terminal, styled
from tulu_data.cli.texts import PATH_CHARACTERS, show_messages
from tulu_data.errors import UsageError, printable

if TYPE_CHECKING:
    from tulu_data.without_recipe.dedup import Cluster, Duplicates


def _one(ctx: click.Context, param: click.Parameter, given: tuple[str, ...]) -> str | None:
    if len(given) > 1:
        raise UsageError("--against is given twice; compare with one mixture, then the copies with the other")
    return given[0] if given else None


class Settings(NamedTuple):
    """Which rows count as near-duplicates; the fields are what `without_recipe.dedup.dedup` takes."""

    preset: str
    on: str | None
    threshold: str
    within: bool


settings_options = gathered(
    "settings",
    Settings,
    click.option(
        "--preset",
        default="fineweb",
        show_default=True,
        help="MinHash settings of fineweb, olmo3, refinedweb or redpajama.",
    ),
    click.option(
        "--on",
        metavar="MESSAGES",
        show_default="conversation",
        help="Messages to compare: prompt, response or conversation.",
    ),
    option("--threshold", metavar="X", default="0.8", help="Lowest Jaccard similarity of near-duplicates."),
    click.option("--within", is_flag=True, help="Compare the rows of each file or dataset only with each other."),
)


@click.command()
@settings_options
@click.option(
    "--against",
    metavar="MIXTURE",
    multiple=True,
    callback=_one,
    help="Also compare with the rows of a mixture, which are kept: a folder, or NAME[@VERSION].",
)
@mixtures_option
@click.option("--out", type=PATH, help="New folder for copies without duplicates.")
@data_options
@option("--limit", type=click.IntRange(min=0), default=10, help="Show this many of the largest clusters.")
@workspace_option
@crew_options
@memory_option
@json_option
def dedup(
    data: Data,
    settings: Settings,
    against: str | None,
    mixtures: Path,
    out: Path | None,
    limit: int,
    workspace: Path,
    crew: Crew,
    memory: int,
    as_json: bool,
) -> None:
    """Find near-duplicates in data, without a recipe.

    DATA are files (JSON, CSV, TSV, Parquet), folders of a dataset, or
    hf://datasets/ORG/NAME[@REVISION]. With --against rows that a mixture already has are
    found as well. Exit 4 if there are near-duplicates.
    """
    from tulu_data.mixture.mixture import find
    from tulu_data.without_recipe.dedup import dedup as run

    if against and settings.within:
        raise UsageError("--within does not compare rows with the mixture of --against; give one of them")
    mixture = find(against, mixtures) if against else None
    with crew.open() as executor:
        duplicates = run(
            data.sources(),
            **settings._asdict(),
            against=mixture,
            memory=memory,
            workspace=workspace,
            executor=executor,
            progress=console.Bars(),
        )
    written = duplicates.write(out) if out else []
    if as_json:
        console.result_json(duplicates.as_values(limit, written))
    else:
        show_duplicates(duplicates, duplicates.largest(limit))
        for path in written:
            console.result(str(path))
    console.end(found=len(duplicates.rows) > 0)


def show_duplicates(duplicates: Duplicates, clusters: Sequence[Cluster]) -> None:
    """Show how many rows of each place are near-duplicates of rows of which place, and the largest clusters."""
    out = Terminal(stderr=False)
    counts = duplicates.counts()
    out.table(
        ("data", "read", "quarantined", "duplicates"),
        (
            (printable(duplicates.places[name], PATH_CHARACTERS), *map(number, count.values()))
            for name, count in counts.items()
        ),
        left=("data",),
    )
    if len(duplicates.sources):
        show_pairs(out, duplicates.sources)
    for cluster in clusters:
        out.line()
        twin = printable(str(cluster.twin), PATH_CHARACTERS)
        out.line(styled("bold", f"{cluster.rows:,} rows"), f", of which {twin} is kept")
        show_messages(out, cluster.messages)
        where = printable(str(cluster.farthest), PATH_CHARACTERS)
        out.line(f"  farthest: {where}  ", styled("red", f"Jaccard {cluster.jaccard:.2f}"))
        if cluster.farthest_messages != cluster.messages:
            show_messages(out, cluster.farthest_messages)
    total, listed = len(duplicates.rows), len(duplicates.twins)
    console.note(
        f"{total:,} of {sum(count['read'] for count in counts.values()):,} rows are near-duplicates"
        + (f"; more with --limit: {len(clusters):,} of {listed:,} clusters are shown" if listed > len(clusters) else "")
    )
