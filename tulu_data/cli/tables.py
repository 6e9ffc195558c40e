"""Tables that several commands show, and the text of their cells."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from tulu_data.cli.terminal import Part, Terminal, styled
from tulu_data.cli.texts import BEGINS_CHARACTERS, TEXT_CHARACTERS
from tulu_data.errors import printable

if TYPE_CHECKING:
    import polars as pl

    from tulu_data.mixture.declared import Shown
    from tulu_data.mixture.mixture import Mixture

ID_DIGITS: Final = 12
OVERLAP_LINES: Final = 20
CONTAMINATED_SHARE: Final = 0.02
SHOWN_CLUSTERS: Final = 3
MATRIX_COLUMNS: Final = 8


def number(value: int) -> Part:
    return styled("dim", "·") if value == 0 else f"{value:,}".replace("-", "−")


def size_of(count: float) -> str:
    for unit in ("bytes", "kB", "MB"):
        if count < 1000:
            return f"{count:,.0f} {unit}" if unit == "bytes" else f"{count:,.1f} {unit}"
        count /= 1000
    return f"{count:,.1f} GB"


def as_unread(name: str) -> str:
    """The name of a column that is not read, with the role that a format could give it, if any."""
    from tulu_data.formats import could_be

    role = could_be(name)
    return printable(name, 40) + (f" (could be the {role})" if role else "")


def kinds_of_items(account: Mapping[str, int]) -> str:
    """How many items of an evaluation set are of each kind: indexed, short or unusable."""
    return ", ".join(f"{account[kind]:,} {kind}" for kind in ("indexed", "short", "unusable"))


def show_overlap(out: Terminal, every: pl.DataFrame, rest: str) -> None:
    """Show the sources and evaluation sets with most contaminated rows, and where the others are listed."""
    lines = every.filter((every["contaminated"] > 0) | (every["near"] > 0))
    lines = lines.sort("rows", "source", "evaluation", descending=[True, False, False]).head(OVERLAP_LINES)
    if lines.is_empty():
        out.line(f"no row contains an evaluation item; those that share n-grams: {rest}")
        return
    headings = ("source", "evaluation", "items", "touched", "contaminated", "", "near", "in full", "rows")
    out.table(headings, map(_overlap, lines.iter_rows(named=True)), left=("source", "evaluation"))
    if left := len(every) - len(lines):
        out.line(styled("dim", f"and {left} more with fewer such rows or none: {rest}"))


def _overlap(line: Mapping[str, Any]) -> tuple[Part, ...]:
    share = line["contaminated"] / line["items"]
    # Above 2 % of an evaluation set the Tülu 3 paper calls a source contaminated (section 3.2).
    colour = "yellow" if share > CONTAMINATED_SHARE else "dim"
    return (
        line["source"],
        line["evaluation"],
        *map(number, (line["items"], line["touched"], line["contaminated"])),
        styled(colour, f"{share:.1%}") if line["contaminated"] else "",
        *map(number, (line["near"], line["full"], line["rows"])),
    )


def show_clusters(out: Terminal, mixture: Mixture, step: str, path: Path) -> None:
    """Show the largest clusters of near-duplicates, and how their twins begin."""
    from tulu_data.mixture.explain import Explainer
    from tulu_data.rows.rows import begins_with
    from tulu_data.store.parquet import read_frame

    twins = read_frame(path).filter("is_twin").sort("cluster")
    out.line()
    out.line(f"{step}: {len(twins):,} clusters of near rows")
    explainer = Explainer(mixture)
    for line in twins.head(SHOWN_CLUSTERS).iter_rows(named=True):
        (twin,) = explainer.by_id(line["id"])
        begins = f": {printable(begins_with(twin.turns), BEGINS_CHARACTERS)}" if twin.turns else ""
        out.line(f"  {line['rows']:,} near {line['id'][:ID_DIGITS]} of {line['source']}{begins}")


def show_pairs(out: Terminal, pairs: pl.DataFrame) -> None:
    """Show how many rows of each source (a line) are near rows of each (a column), unless all are near their own."""
    if not (pairs["source"] != pairs["twin_source"]).any():
        return
    counts = {(line["source"], line["twin_source"]): line["rows"] for line in pairs.iter_rows(named=True)}
    totals = {twin: pairs.filter(pairs["twin_source"] == twin)["rows"].sum() for twin in pairs["twin_source"].unique()}
    twins = sorted(totals, key=lambda twin: (-totals[twin], twin))
    shown = twins[:MATRIX_COLUMNS]
    first = "rows of ↓ near rows of →"
    lines = []
    for source in pairs["source"].unique().sort():
        numbers = [counts.get((source, twin), 0) for twin in twins]
        rest = [sum(numbers[len(shown) :])] if len(twins) > len(shown) else []
        lines.append([source, *map(number, numbers[: len(shown)] + rest)])
    out.line()
    out.table((first, *shown, *(["others"] if len(twins) > len(shown) else [])), lines, left=(first,))


def show_strata(out: Terminal, lines: pl.DataFrame, step: str) -> None:
    """Show what a mix was to take of each stratum, and what it took."""
    (unit,) = lines["unit"].unique()
    whole = lines["taken"].sum()

    def cells(line: Mapping[str, Any]) -> tuple[Part, ...]:
        return (
            line["stratum"],
            f"{line['share']:.1%}",
            *(number(line[name]) for name in ("offered", "target", "taken")),
            f"{line['taken'] / whole:.1%}" if whole else "",
            number(line["distinct"]) if "distinct" in line else "",
            f"up to {line['most_copies']}" if line.get("most_copies", 1) > 1 else "",
        )

    headings = (step, "share", f"{unit} there", "target", "taken", "achieved", "distinct rows", "copies of one")
    out.table(headings, map(cells, lines.iter_rows(named=True)), left=(step,))


def show_table(out: Terminal, shown: Shown, frame: pl.DataFrame) -> None:
    """Show a table of a stage under its title, or the first lines of it."""
    heads = shown.heads or {name: name for name in frame.columns}
    texts = [head for name, head in heads.items() if not frame.schema[name].is_numeric()]
    lines = [[_plain(line[name]) for name in heads] for line in frame.head(OVERLAP_LINES).iter_rows(named=True)]
    out.line()
    out.line(styled("bold", printable(f"{shown.step}: {shown.title}", 200)))
    if shown.says:
        out.line(printable(shown.says, TEXT_CHARACTERS))
    out.table(tuple(heads.values()), lines, left=texts)
    if (more := len(frame) - OVERLAP_LINES) > 0:
        out.line(styled("dim", f"and {more:,} more: {shown.file}"))


def _plain(value: Any) -> Part:
    """A value of a table with columns of any kind."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return f"{value:,}" if isinstance(value, int) else f"{value:,.4g}"
    return "" if value is None else printable(str(value), 100)
