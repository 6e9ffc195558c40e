"""`decontaminate` and `contaminated`: compare data, or a mixture, with evaluation sets."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from tulu_data.cli import console
from tulu_data.cli.options import (
    PATH,
    Crew,
    Data,
    Rule,
    against_option,
    crew_options,
    data_options,
    json_option,
    mixtures_option,
    option,
    rule_options,
    workspace_option,
)
from tulu_data.cli.tables import show_overlap
from tulu_data.cli.terminal import Terminal, styled
from tulu_data.cli.texts import PATH_CHARACTERS, show_texts
from tulu_data.errors import UsageError, printable

if TYPE_CHECKING:
    from tulu_data.mixture.explain import Explanation
    from tulu_data.without_recipe.contaminated import Leaks
    from tulu_data.without_recipe.decontaminate import Contamination

LISTED_ITEMS: Final = 40


@click.command()
@against_option
@rule_options
@click.option(
    "--report", is_flag=True, help="Only show what is found, and write nothing. This is the default without --out."
)
@click.option("--out", type=PATH, help="New folder for clean copies and the removed rows.")
@data_options
@option("--limit", type=click.IntRange(min=0), default=10, help="Show this many of the worst rows.")
@workspace_option
@crew_options
@json_option
def decontaminate(
    data: Data,
    against: list[str],
    rule: Rule,
    report: bool,
    out: Path | None,
    limit: int,
    workspace: Path,
    crew: Crew,
    as_json: bool,
) -> None:
    """Check data against evaluation sets, without a recipe.

    DATA are files (JSON, CSV, TSV, Parquet), folders of a dataset, or
    hf://datasets/ORG/NAME[@REVISION]. Exit 4 if a row contains an evaluation item.
    """
    from tulu_data.without_recipe.decontaminate import decontaminate as run

    if report and out:
        raise UsageError("--report writes nothing, and --out gives a folder to write to; give one of them")
    with crew.open() as executor:
        contamination = run(
            data.sources(),
            against,
            rule.rule,
            on=rule.on,
            threshold=rule.threshold,
            workspace=workspace,
            executor=executor,
            progress=console.Bars(),
        )
    written = contamination.write(out) if out else []
    if as_json:
        console.result_json(contamination.as_values(limit, written))
    else:
        show_contamination(contamination, contamination.worst(limit))
        for path in written:
            console.result(str(path))
    console.end(found=len(contamination.rows) > 0)


@click.command()
@click.argument("evaluation")
@click.option(
    "--by",
    "mixture",
    metavar="MIXTURE",
    required=True,
    help="Mixture to check: the folder of a version, or NAME[@VERSION].",
)
@rule_options
@click.option(
    "--out", "file", type=PATH, help="Also write the ids of contaminated and clean items to this file, as JSON."
)
@mixtures_option
@workspace_option
@crew_options
@json_option
def contaminated(
    evaluation: str,
    mixture: str,
    rule: Rule,
    file: Path | None,
    mixtures: Path,
    workspace: Path,
    crew: Crew,
    as_json: bool,
) -> None:
    """List the items of an evaluation set that a mixture contains.

    Lists the contaminated items with the rows that contain them, and the clean items, so
    that you can report a score on the clean subset as well. EVALUATION is a name in the
    mixture's recipe or in the catalogue. Exit 4 if an item is contaminated.
    """
    from tulu_data.mixture.mixture import find
    from tulu_data.store.workspace import Workspace
    from tulu_data.without_recipe import contaminated
    from tulu_data.without_recipe.decontaminate import stage_of

    built = find(mixture, mixtures)
    stage = stage_of({evaluation: contaminated.described(evaluation, built)}, *rule)
    with crew.open() as executor:
        found = contaminated.find(evaluation, built, stage, Workspace(workspace), executor, console.Bars())
    if file:
        found.write(file)
    if as_json:
        console.result_json(found.as_values())
    else:
        show_leaks(found)
        if file:
            console.result(str(file))
    console.end(found=len(found.contaminated) > 0)


def show_contamination(contamination: Contamination, worst: Sequence[Explanation]) -> None:
    """Show what each source shares with each evaluation set, and the worst rows with the items that they contain."""
    out = Terminal(stderr=False)
    lines = contamination.evaluations
    if lines.is_empty():
        out.line("no row shares anything with an evaluation set")
    else:
        short = dict(zip(contamination.places, _apart(list(contamination.places.values())), strict=True))
        show_overlap(out, lines.with_columns(source=lines["source"].replace(short)), "--json")
    for row in worst:
        ((file, number),) = row.places
        of = row.evidence
        out.line()
        out.line(
            styled("bold", printable(file, PATH_CHARACTERS)),
            f":{number}  ",
            styled("red", row.reason),
            f": item {printable(of['item'], 60)}, {of['statistic']} {of['value']:.3g}, threshold {of['threshold']:.3g}",
        )
        show_texts(out, row, "")
    counts = contamination.counts().values()
    total = sum(count["contaminated"] for count in counts)
    aside = sum(count["quarantined"] for count in counts)
    console.note(
        f"{total:,} of {sum(count['read'] for count in counts):,} rows are contaminated"
        + (f"; {aside:,} records can't be read, and were not checked" if aside else "")
        + (f"; more with --limit: {len(worst):,} are shown" if total > len(worst) else "")
    )


def _apart(places: Sequence[str]) -> list[str]:
    """Places without the folders that they have in common.

    >>> _apart(["/data/sft/a.jsonl", "/data/sft/more/b.jsonl"])
    ['a.jsonl', 'more/b.jsonl']
    >>> _apart(["/data/sft/a.jsonl"])
    ['/data/sft/a.jsonl']
    >>> _apart(["ORG/NAME", "ORG/NAME"])
    ['NAME', 'NAME']
    """
    parts = [Path(place).parts for place in places]
    shared, longest = 0, min(map(len, parts)) - 1 if len(parts) > 1 else 0
    while shared < longest and len({one[shared] for one in parts}) == 1:
        shared += 1
    return [str(Path(*one[shared:])) for one in parts]


def show_leaks(leaks: Leaks) -> None:
    """Show the items that a mixture contains, each with its highest value and the first of its rows."""
    out = Terminal(stderr=False)
    held = leaks.contaminated
    if len(held):
        lines = []
        for line in held.head(LISTED_ITEMS).iter_rows(named=True):
            ids = ", ".join(line["rows"][:3]) + (", …" if len(line["rows"]) > 3 else "")
            lines.append((printable(line["item"], 60), f"{line['value']:g}", f"{len(line['rows']):,}", ids))
        out.table(("item", "value", "rows", "ids"), lines, left=("item", "ids"))
        if len(held) > LISTED_ITEMS:
            out.line(f"… and {len(held) - LISTED_ITEMS:,} more; all of them with --json, or --out FILE")
    unusable = len(leaks.ids("unusable"))
    share = f" ({len(held) / len(leaks.items):.1%})" if len(held) else ""
    console.note(
        f"{leaks.mixture.folder} contains {len(held):,} of {len(leaks.items):,} items of {leaks.evaluation}{share}; "
        f"{len(leaks.ids('clean')):,} are clean"
        + (f", {unusable:,} have too few words to be found" if unusable else "")
    )
