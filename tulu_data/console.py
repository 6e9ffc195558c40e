"""The only printer: results to stdout, all else to stderr, text of strangers escaped."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from tulu_data.errors import printable
from tulu_data.formats.column import first_part

if TYPE_CHECKING:
    import polars as pl

    from tulu_data.build import Built
    from tulu_data.contamination import Contamination
    from tulu_data.difference import Difference
    from tulu_data.duplicates import Cluster, Duplicates
    from tulu_data.expectation import Expectation
    from tulu_data.explain import Explanation
    from tulu_data.leaks import Leaks
    from tulu_data.mixture import Mixture
    from tulu_data.plan import Plan
    from tulu_data.planted import Found
    from tulu_data.publishing import Published
    from tulu_data.recipe import Recipe
    from tulu_data.stage import Spans, Stage
    from tulu_data.survey import Surveyed
    from tulu_data.verify import Verification

PIPE_WIDTH: Final = 1000
TEXT_CHARACTERS: Final = 400
CONTEXT_CHARACTERS: Final = 120
SHOWN_RUNS: Final = 20
OVERLAP_LINES: Final = 20
LISTED_ITEMS: Final = 40
CONTAMINATED_SHARE: Final = 0.02
SHOWN_CLUSTERS: Final = 3
SHOWN_MESSAGES: Final = 4
MATRIX_COLUMNS: Final = 8
ID_DIGITS: Final = 12
BEGINS_CHARACTERS: Final = 120


def _console(stderr: bool) -> Console:
    stream = sys.stderr if stderr else sys.stdout
    return Console(stderr=stderr, highlight=False, width=None if stream.isatty() else PIPE_WIDTH)


def result(text: str) -> None:
    """Print a result to stdout, as it is."""
    sys.stdout.write(text if text.endswith("\n") else f"{text}\n")


def result_json(values: Any) -> None:
    """Print a result to stdout as JSON."""
    result(as_json(values))


def as_json(values: Any) -> str:
    """Values as JSON that a person can read."""
    return json.dumps(values, indent=1, ensure_ascii=False, default=str) + "\n"


def note(text: str) -> None:
    """Say something to the person at the terminal."""
    _console(stderr=True).print(text, markup=False, soft_wrap=True)


def error(text: str) -> None:
    """Say what went wrong."""
    console = _console(stderr=True)
    console.print("[bold red]error[/]: ", end="")
    console.print(text, markup=False, soft_wrap=True)


class Bars:
    """Progress bars on a terminal; nothing in a pipe."""

    @contextmanager
    def phase(self, name: str, total: float | None, unit: str) -> Iterator[Callable[[int], None]]:
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

        console = _console(stderr=True)
        columns = (
            TextColumn("{task.description:<28}"),
            BarColumn(),
            TextColumn("{task.completed:>12,.0f} {task.fields[unit]}"),
            TextColumn("{task.fields[speed]:>12}"),
            TimeRemainingColumn(compact=True),
        )
        with Progress(*columns, console=console, disable=not console.is_terminal, transient=True) as progress:
            task = progress.add_task(escape(name), total=total, unit=unit, speed="")

            def tick(done: int) -> None:
                progress.advance(task, done)
                speed = progress.tasks[0].speed
                progress.update(task, speed=f"{speed:,.0f}/s" if speed else "")

            yield tick


def show_built(built: Built, found: Sequence[Found] = ()) -> None:
    """The table at the end of a build, what was found of planted faults, and where to look next."""
    from tulu_data.table import read_frame

    console = _console(stderr=True)
    manifest = built.mixture.manifest
    steps = built.mixture.steps
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("source", "read", "quarantined", *steps, "kept"):
        table.add_column(heading, justify="left" if heading == "source" else "right")
    totals = [0] * (len(steps) + 3)
    for source, rows in built.mixture.rows.items():
        numbers = [rows["read"], rows["quarantined"], *(-rows["removed"].get(step, 0) for step in steps), rows["kept"]]
        totals = [total + number for total, number in zip(totals, numbers, strict=True)]
        table.add_row(escape(source), *map(_number, numbers))
    table.add_section()
    table.add_row("[bold]all[/]", *(f"[bold]{_number(total)}[/]" for total in totals))
    console.print(table)
    for path in built.mixture.overlaps.values():
        console.print()
        _show_overlap(console, read_frame(path), f"reports/{path.name}")
    for step, path in built.mixture.clusters.items():
        _show_clusters(console, built.mixture, step, path)
    for step, path in built.mixture.strata.items():
        console.print()
        console.print(_strata(read_frame(path), step))
    if found:
        console.print()
        console.print(_planted(found))
    status = built.status + (f" ({built.why})" if built.why else "")
    written = f"{manifest['rows']:,} rows in {len(built.mixture.data)} file{'s' * (len(built.mixture.data) != 1)}"
    console.print(f"\n[bold green]{status}[/] {escape(str(manifest['name']))}@{built.mixture.version}: {written}")
    # The name alone is found under the usual folder only.
    folder = built.mixture.folder.parent
    where = escape(folder.name if folder.parent == Path("mixtures") else str(folder))
    if manifest["trial"]:
        where = escape(f"{folder.name}@{built.mixture.version}" if where == folder.name else str(built.mixture.folder))
    if any(rows["quarantined"] for rows in built.mixture.rows.values()):
        console.print(f"see what can't be read:  tulu-data removed {where} --stage quarantined", soft_wrap=True)
    if any(rows["removed"] for rows in built.mixture.rows.values()):
        console.print(f"see why rows went:       tulu-data removed {where}", soft_wrap=True)
    console.print(f"follow one row:          tulu-data explain {where} ID | FILE:ROW | --text '…'", soft_wrap=True)


def _show_overlap(console: Console, every: pl.DataFrame, rest: str) -> None:
    """The sources and evaluation sets that most rows are of, and where the others are."""
    lines = every.filter((every["contaminated"] > 0) | (every["near"] > 0))
    lines = lines.sort("rows", "source", "evaluation", descending=[True, False, False]).head(OVERLAP_LINES)
    if lines.is_empty():
        console.print(f"no row holds an evaluation item; which share n-grams: {escape(rest)}", soft_wrap=True)
        return
    console.print(_overlap(lines))
    if left := len(every) - len(lines):
        console.print(f"[dim]and {left} more with fewer such rows or none: {escape(rest)}[/]", soft_wrap=True)


def _overlap(lines: pl.DataFrame) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("source", "evaluation", "items", "touched", "contaminated", "", "near", "in full", "rows"):
        table.add_column(heading, justify="left" if heading in ("source", "evaluation") else "right", overflow="fold")
    for line in lines.iter_rows(named=True):
        share = line["contaminated"] / line["items"]
        # Above 2 % of an evaluation set the Tülu 3 paper takes a source for contaminated (section 3.2).
        colour = "yellow" if share > CONTAMINATED_SHARE else "dim"
        numbers = (line["items"], line["touched"], line["contaminated"])
        shown = f"[{colour}]{share:.1%}[/]" if line["contaminated"] else ""
        table.add_row(
            escape(line["source"]),
            escape(line["evaluation"]),
            *map(_number, numbers),
            shown,
            _number(line["near"]),
            _number(line["full"]),
            _number(line["rows"]),
        )
    return table


def _show_clusters(console: Console, mixture: Mixture, step: str, path: Path) -> None:
    """The largest clusters of near-duplicates, and whose rows went for whose."""
    from tulu_data.explain import Explainer
    from tulu_data.table import read_frame

    twins = read_frame(path).filter("is_twin").sort("cluster")
    console.print(f"\n{escape(step)}: {len(twins):,} clusters of near rows", soft_wrap=True)
    explainer = Explainer(mixture)
    for line in twins.head(SHOWN_CLUSTERS).iter_rows(named=True):
        (twin,) = explainer.by_id(line["id"])
        begins = f": {printable(_begins(twin.messages), BEGINS_CHARACTERS)}" if twin.messages else ""
        where = f"{line['rows']:,} near {line['id'][:ID_DIGITS]} of {line['source']}"
        console.print(f"  {escape(where + begins)}", soft_wrap=True)
    _show_pairs(console, read_frame(path.with_name(f"{step}-sources.parquet")))


def _show_pairs(console: Console, pairs: pl.DataFrame) -> None:
    """How many rows of each source (a line) are near rows of each (a column), where not each is near its own alone."""
    if (pairs["source"] != pairs["twin_source"]).any():
        console.print()
        console.print(_matrix(pairs))


def _matrix(pairs: pl.DataFrame) -> Table:
    counts = {(line["source"], line["twin_source"]): line["rows"] for line in pairs.iter_rows(named=True)}
    totals = {twin: pairs.filter(pairs["twin_source"] == twin)["rows"].sum() for twin in pairs["twin_source"].unique()}
    twins = sorted(totals, key=lambda twin: (-totals[twin], twin))
    shown = twins[:MATRIX_COLUMNS]
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("rows of ↓ near rows of →", *shown, *(["others"] if len(twins) > len(shown) else [])):
        table.add_column(escape(heading), justify="right" if table.columns else "left")
    for source in pairs["source"].unique().sort():
        numbers = [counts.get((source, twin), 0) for twin in twins]
        rest = [sum(numbers[len(shown) :])] if len(twins) > len(shown) else []
        table.add_row(escape(source), *map(_number, numbers[: len(shown)] + rest))
    return table


def show_duplicates(duplicates: Duplicates, clusters: Sequence[Cluster]) -> None:
    """How many rows of each place are near others, whose, and the largest clusters."""
    console = _console(stderr=False)
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("data", "read", "quarantined", "duplicates"):
        table.add_column(heading, justify="left" if heading == "data" else "right")
    counts = duplicates.counts()
    for name, count in counts.items():
        table.add_row(escape(printable(duplicates.places[name], 300)), *map(_number, count.values()))
    console.print(table)
    if len(duplicates.sources):
        _show_pairs(console, duplicates.sources)
    for cluster in clusters:
        console.print()
        twin = escape(printable(str(cluster.twin), 300))
        console.print(f"[bold]{cluster.rows:,} rows[/], of which stays {twin}", soft_wrap=True)
        _show_messages(console, cluster.messages)
        where = escape(printable(str(cluster.farthest), 300))
        console.print(f"  farthest: {where}  [red]Jaccard {cluster.jaccard:.2f}[/]", soft_wrap=True)
        if cluster.farthest_messages != cluster.messages:
            _show_messages(console, cluster.farthest_messages)
    total, listed = len(duplicates.rows), len(duplicates.twins)
    note(
        f"{total:,} of {sum(count['read'] for count in counts.values()):,} rows are near others"
        + (f"; more with --limit: {len(clusters):,} of {listed:,} clusters are shown" if listed > len(clusters) else "")
    )


def _show_messages(console: Console, messages: Sequence[tuple[str, str]]) -> None:
    for role, content in messages[:SHOWN_MESSAGES]:
        console.print(f"  [cyan]{role:<9}[/] {escape(printable(content, TEXT_CHARACTERS))}", soft_wrap=True)


def _strata(lines: pl.DataFrame, step: str) -> Table:
    """What a mix was to take of each stratum, and what it took."""
    (unit,) = lines["unit"].unique()
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in (step, "share", f"{unit} there", "target", "taken", "achieved", "distinct rows", "copies of one"):
        table.add_column(heading, justify="left" if heading == step else "right")
    whole = lines["taken"].sum()
    for line in lines.iter_rows(named=True):
        numbers = [_number(line[name]) for name in ("offered", "target", "taken")]
        achieved = f"{line['taken'] / whole:.1%}" if whole else ""
        rest = [_number(line["distinct"]), f"up to {line['most_copies']}" if line["most_copies"] > 1 else ""]
        table.add_row(escape(line["stratum"]), f"{line['share']:.1%}", *numbers, achieved, *rest)
    return table


def _targets(lines: pl.DataFrame) -> Table:
    (unit,) = lines["unit"].unique()
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("", "share", f"{unit} there", "target"):
        table.add_column(heading, justify="right" if heading else "left")
    for line in lines.iter_rows(named=True):
        share = f"{line['share']:.1%}"
        table.add_row(f"  {escape(line['stratum'])}", share, _number(line["offered"]), _number(line["target"]))
    return table


def _planted(found: Sequence[Found]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("planted", "rows", "found", "missed", "extra"):
        table.add_column(heading, justify="left" if heading == "planted" else "right")
    for kind in found:
        table.add_row(kind.kind, *map(_number, (kind.planted, kind.found, kind.missed, kind.extra)))
    return table


def _number(value: int) -> str:
    return "[dim]·[/]" if value == 0 else f"{value:,}".replace("-", "−")


def show_plan(
    recipe: Recipe, plan: Plan, surveyed: Sequence[Surveyed], bytes_per_row: int, expected: Expectation | None
) -> None:
    """What a build would do: sources as they will be read, then the phases."""
    console = _console(stderr=False)
    for source in surveyed:
        files = f"{len(source.files)} file{'s' * (len(source.files) != 1)}, {_size(source.size)}"
        empty = sum(file.size == 0 for file in source.files)
        files += f", {empty} of them empty" if empty else ""
        console.print(f"[bold]{escape(source.name)}[/]  {files}, about {source.expected_rows:,} rows", soft_wrap=True)
        if source.format is None:
            console.print("  no rows")
            continue
        said = "said" if recipe.sources[source.name].format else "detected"
        console.print(f"  {source.format.name} ({said}): {escape(_columns(source))}", soft_wrap=True)
        if source.bad:
            first = source.bad[0]
            console.print(
                f"  [yellow]{len(source.bad)} of the first {source.probed} records can't be read[/]: {escape(first)}",
                soft_wrap=True,
            )
        if source.unread:
            unread = ", ".join(printable(column, 40) for column in source.unread)
            console.print(f"  not read: {escape(unread)}", soft_wrap=True)
        for conversation in source.preview:
            for index, (role, content) in enumerate(conversation.messages[:4]):
                mark = "┌" if index == 0 else "│"
                console.print(f"  [dim]{mark}[/] [cyan]{role:<9}[/] {escape(printable(content, 90))}", soft_wrap=True)
            more = len(conversation.messages) - 4
            if more > 0:
                console.print(f"  [dim]│ … and {more} more messages[/]")
        console.print()
    rows = sum(source.expected_rows for source in surveyed)
    console.print("[bold]phases[/]" if plan.mappers or plan.steps else "no stages: every row is kept")
    stages = {"rewrite": [mapper.name() for mapper in plan.mappers]}
    for step in plan.steps:
        stages.setdefault(step.stage.phase, []).append(step.name)
    for phase, names in stages.items():
        if names:
            console.print(f"  {phase:<12} {escape(', '.join(names))}")
    for step in plan.steps:
        for name, account in step.stage.facts().get("evaluations", {}).items():
            counts = ", ".join(f"{account[kind]:,} {kind}" for kind in ("indexed", "short", "unusable"))
            console.print(
                f"  {step.name} against {escape(name)}: {account['items']:,} items ({counts})", soft_wrap=True
            )
        if curve := step.stage.facts().get("found"):
            points = ", ".join(f"{float(chance):.2f} at {value}" for value, chance in curve.items())
            console.print(f"  {step.name} finds a pair of that Jaccard similarity: {points}", soft_wrap=True)
    console.print(
        f"\nabout {rows:,} rows; deciding needs {bytes_per_row} bytes a row, about {_size(rows * bytes_per_row)}"
    )
    if expected is not None:
        console.print(f"\n[bold]{escape(expected.step)}[/] will take, {escape(expected.basis)}:")
        console.print(_targets(expected.lines) if not expected.problem else f"  [red]{escape(expected.problem)}[/]")
    size = sum(source.size for source in surveyed)
    console.print(f"disk: up to {_size(3 * size)} while it runs (store, spill and output of {_size(size)} of input)")


def _columns(source: Surveyed) -> str:
    """The columns that are read: those that must be there, and others that are."""
    if source.format is None:
        return ""
    there = set(source.columns)
    shown = []
    for name, value in source.format.model_dump(exclude={"join"}).items():
        columns = [value] if isinstance(value, str) else list(value)
        if name in {names[0] for names in source.format.needs} or first_part(columns[0]) in there:
            shown.append(f"{name} = {', '.join(columns)}")
    return "; ".join(shown)


def _size(count: float) -> str:
    for unit in ("bytes", "kB", "MB"):
        if count < 1000:
            return f"{count:,.0f} {unit}" if unit == "bytes" else f"{count:,.1f} {unit}"
        count /= 1000
    return f"{count:,.1f} GB"


def show_audit(mixture: Mixture) -> None:
    """What a mixture is made of, and what went."""
    from tulu_data import audit

    console = _console(stderr=True)
    for by in ("source", "domain", "language"):
        parts = audit.composition(mixture, by)
        if parts[by].to_list() == [audit.UNKNOWN]:
            continue
        table = Table(box=None, pad_edge=False, header_style="bold")
        for heading in (by, "rows", "share", "target", "tokens", "trained on"):
            table.add_column(heading, justify="left" if heading == by else "right")
        for line in parts.iter_rows(named=True):
            target = "" if line["target"] is None else f"{line['target']:.1%}"
            tokens = ("" if line[name] is None else f"{line[name]:,}" for name in ("tokens", "trainable"))
            table.add_row(escape(printable(line[by], 60)), f"{line['rows']:,}", f"{line['share']:.1%}", target, *tokens)
        console.print(table)
        console.print()
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("removed by", "reason", "rows"):
        table.add_column(heading, justify="right" if heading == "rows" else "left")
    for line in audit.reasons(mixture).head(OVERLAP_LINES).iter_rows(named=True):
        table.add_row(escape(line["stage"]), escape(printable(line["reason"], 100)), f"{line['rows']:,}")
    console.print(table)


def show_explanations(explanations: Sequence[Explanation]) -> None:
    """The fate of rows, each with its places, its evidence and its text."""
    console = _console(stderr=False)
    for index, explanation in enumerate(explanations):
        if index:
            console.print()
        _show_explanation(console, explanation, "")


def _show_explanation(console: Console, row: Explanation, indent: str) -> None:
    from tulu_data.explain import UNTOLD

    colour = {"kept": "green", "quarantined": "yellow"}.get(row.fate, "red")
    fate = row.fate if row.fate in ("kept", "quarantined") else f"removed by {row.fate}"
    reason = f": {printable(row.reason, 200)}" if row.reason else ""
    copies = f" ({row.copies} copies)" if row.copies > 1 else ""
    console.print(f"{indent}[bold]{row.id or 'no id'}[/]  [{colour}]{fate}[/]{escape(reason)}{copies}", soft_wrap=True)
    for file, number in row.places:
        console.print(f"{indent}  {escape(row.source)}, {escape(printable(file, 300))}:{number}", soft_wrap=True)
    for name, value in row.evidence.items():
        if name not in UNTOLD:
            console.print(f"{indent}  {name} {escape(str(value))}")
    if row.messages is None and row.fate != "quarantined":
        console.print(f"{indent}  [dim]its text is no longer in the workspace[/]")
    _show_texts(console, row, indent)
    if row.twin:
        console.print(f"{indent}  its twin:")
        _show_explanation(console, row.twin, f"{indent}    ")


def _show_texts(console: Console, row: Explanation, indent: str) -> None:
    """The messages of a row, its calls and tools, and the texts of the item that it holds."""
    for number, (role, content) in enumerate(row.messages or ()):
        shown = _marked(content, _spans(row, number))
        console.print(f"{indent}  [cyan]{role:<9}[/] {shown}", soft_wrap=True)
    for name, text in (("calls", row.tool_calls), ("tools", row.tools)):
        if text:
            console.print(f"{indent}  [cyan]{name:<9}[/] {escape(printable(text, TEXT_CHARACTERS))}", soft_wrap=True)
    if row.item is not None:
        for number, text in enumerate(row.item):
            shown = _marked(text, row.marks.matched[number] if row.marks else ())
            console.print(f"{indent}  [cyan]{'item':<9}[/] {shown}", soft_wrap=True)


def _spans(row: Explanation, message: int) -> Spans:
    """What to mark in a message: all that the row shares with the item, or the run that is in the evidence."""
    if row.marks:
        return row.marks.messages[message]
    is_marked = row.evidence.get("message") == message
    return ((row.evidence["start"], row.evidence["end"]),) if is_marked else ()


def _marked(text: str, spans: Spans) -> str:
    """A text around runs of its characters, which are marked."""
    if not spans:
        return escape(printable(text, TEXT_CHARACTERS))
    shown, at = "", 0
    for start, end in spans[:SHOWN_RUNS]:
        before = text[at:start]
        if len(before) > CONTEXT_CHARACTERS:
            before = f"…{before[-CONTEXT_CHARACTERS:]}"
        run = escape(printable(text[start:end], TEXT_CHARACTERS))
        shown += f"{escape(printable(before, CONTEXT_CHARACTERS + 1))}⟦[bold red]{run}[/]⟧"
        at = end
    return f"{shown}{escape(printable(text[at:], CONTEXT_CHARACTERS))}"


def _begins(messages: Sequence[tuple[str, str]]) -> str:
    """The first text of the user, or the first."""
    return next((content for role, content in messages if role == "user"), messages[0][1])


def show_removed(explanations: Sequence[Explanation], total: int) -> None:
    """Removed rows, a line or two each."""
    from tulu_data.explain import UNTOLD

    console = _console(stderr=False)
    for row in explanations:
        if row.id is None:
            ((file, number),) = row.places
            place = escape(f"{printable(file, 300)}:{number}")
            console.print(f"{escape(row.source)}  {place}  [yellow]{row.fate}[/]: {escape(row.reason)}", soft_wrap=True)
            continue
        twin = f"; twin {row.twin.id} of {row.twin.source}" if row.twin else ""
        evidence = "".join(f"; {name} {value}" for name, value in row.evidence.items() if name not in UNTOLD)
        console.print(
            f"[bold]{row.id}[/]  {escape(row.source)}  [red]{row.fate}[/]: {escape(row.reason + evidence + twin)}",
            soft_wrap=True,
        )
        if row.messages:
            console.print(f"  {escape(printable(_begins(row.messages), BEGINS_CHARACTERS))}", soft_wrap=True)
    if total > len(explanations):
        note(f"{len(explanations):,} of {total:,}; more with --limit")
    elif not total:
        note("there are none")


def show_contamination(contamination: Contamination, worst: Sequence[Explanation]) -> None:
    """What each source shares with each evaluation set, and the worst rows with the items that they hold."""
    console = _console(stderr=False)
    lines = contamination.evaluations
    if lines.is_empty():
        console.print("no row shares anything with an evaluation set")
    else:
        short = dict(zip(contamination.places, _apart(list(contamination.places.values())), strict=True))
        _show_overlap(console, lines.with_columns(source=lines["source"].replace(short)), "--json")
    for row in worst:
        ((file, number),) = row.places
        of = row.evidence
        console.print()
        console.print(
            f"[bold]{escape(printable(file, 300))}:{number}[/]  [red]{escape(row.reason)}[/]: "
            f"item {escape(printable(of['item'], 60))}, {of['statistic']} {of['value']:.3g}, "
            f"threshold {of['threshold']:.3g}",
            soft_wrap=True,
        )
        _show_texts(console, row, "")
    counts = contamination.counts().values()
    total = sum(count["contaminated"] for count in counts)
    aside = sum(count["quarantined"] for count in counts)
    note(
        f"{total:,} of {sum(count['read'] for count in counts):,} rows are contaminated"
        + (f"; {aside:,} records can't be read, and nobody looked into them" if aside else "")
        + (f"; more with --limit: {len(worst):,} are shown" if total > len(worst) else "")
    )


def _apart(places: Sequence[str]) -> list[str]:
    """Places without the folders that all of them lie in.

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
    """The items that a mixture holds, each with how much of it and the first of its rows."""
    console = _console(stderr=False)
    held = leaks.contaminated
    if len(held):
        table = Table(box=None, pad_edge=False, header_style="bold")
        for heading in ("item", "value", "rows", "ids"):
            table.add_column(heading, justify="right" if heading in ("value", "rows") else "left")
        for line in held.head(LISTED_ITEMS).iter_rows(named=True):
            ids = ", ".join(line["rows"][:3]) + (", …" if len(line["rows"]) > 3 else "")
            table.add_row(escape(printable(line["item"], 60)), f"{line['value']:g}", f"{len(line['rows']):,}", ids)
        console.print(table)
        if len(held) > LISTED_ITEMS:
            console.print(f"… and {len(held) - LISTED_ITEMS:,} more; all of them with --json, or --out FILE")
    unusable = len(leaks.ids("unusable"))
    share = f" ({len(held) / len(leaks.items):.1%})" if len(held) else ""
    note(
        f"{leaks.mixture.folder} holds {len(held):,} of {len(leaks.items):,} items of {leaks.evaluation}{share}; "
        f"{len(leaks.ids('clean')):,} are clean"
        + (f", {unusable:,} have too few words to be looked for" if unusable else "")
    )


def show_evaluations(shown: Mapping[str, Mapping[str, Any]], groups: Mapping[str, Sequence[str]]) -> None:
    """Evaluation sets, a line each, and the groups."""
    console = _console(stderr=False)
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("name", "items", "license", "gated", "from", "title"):
        table.add_column(heading, justify="right" if heading == "items" else "left", no_wrap=heading == "name")
    for name, entry in shown.items():
        items = "" if entry["items"] is None else f"{entry['items']:,}"
        place = next(iter(entry["described"].values())) if entry["origin"] == "catalogue" else "local"
        gated = {True: "gated", False: "", None: ""}[entry["gated"]]
        table.add_row(
            f"[bold]{name}[/]", items, *map(escape, (entry["license"] or "", gated, place, entry["title"] or ""))
        )
    console.print(table)
    console.print()
    for group, members in groups.items():
        if shown.keys() & {*members}:
            console.print(f"[bold]{group}[/]: {', '.join(members)}", soft_wrap=True)
    note("more of one: tulu-data evaluations NAME; fetch it: tulu-data evaluations NAME --pull")


def show_evaluation(name: str, entry: Mapping[str, Any]) -> None:
    """One evaluation set in full: what it is, how it is read, what of its items can be used."""
    console = _console(stderr=False)
    console.print(f"[bold]{name}[/]  {escape(entry['title'] or '')}", soft_wrap=True)
    lines = {
        "from": entry["origin"],
        "groups": ", ".join(entry["groups"]),
        "license": entry["license"],
        "gated": {True: "yes: ask for access on its page", False: "no", None: None}[entry["gated"]],
        "page": entry["page"],
        "note": entry["note"],
        "unverified": ", ".join(entry["unverified"]) and f"{', '.join(entry['unverified'])}: nobody looked these up",
    }
    for key, value in lines.items():
        if value:
            console.print(f"  {key:<11} {escape(str(value))}", soft_wrap=True)
    console.print("  described")
    for key, value in entry["described"].items():
        shown = f"[{', '.join(map(str, value))}]" if isinstance(value, list) else value
        console.print(f"    {key}: {escape(str(shown))}", soft_wrap=True)
    account = entry["account"]
    if account is None:
        note(f"it is not here; fetch it: tulu-data evaluations {name} --pull")
        return
    counts = ", ".join(f"{account[kind]:,} {kind}" for kind in ("indexed", "short", "unusable"))
    console.print(f"  {'items':<11} {account['items']:,} ({counts}, by the rule tulu3)", soft_wrap=True)


def show_stages(stages: Mapping[str, type[Stage]]) -> None:
    """All stages, a line each."""
    console = _console(stderr=False)
    table = Table(box=None, pad_edge=False, show_header=False)
    for name, stage in stages.items():
        table.add_row(f"[bold]{name}[/]", stage.phase, escape((stage.__doc__ or "").splitlines()[0]))
    console.print(table)
    note("more of one: tulu-data stages NAME")


def show_verification(verification: Verification) -> None:
    """Each check, and what is wrong where one does not hold."""
    console = _console(stderr=False)
    for check in verification.checks:
        mark = "[bold red]fails[/]" if check.wrong else "[yellow]open [/]" if check.unproven else "[green]holds[/]"
        console.print(f"{mark}  {check.level}  {escape(check.what)}", soft_wrap=True)
        if told := check.wrong or check.unproven:
            console.print(f"           {escape(printable(told, 600))}", soft_wrap=True)
    proven = [check for check in verification.checks if check.holds and not check.unproven]
    is_clean = any("no row kept holds an evaluation item" in check.what for check in proven)
    note(
        "L0 to L2 are facts of the files, which nobody needs to be trusted for"
        + ("; L3: no row holds an evaluation item by the rule; it can't see translations" if is_clean else "")
        + ("" if any(check.level == "L4" for check in proven) else "; what the rows were made of is shown by --rebuild")
    )


def show_published(published: Published) -> None:
    """The files and their sizes, and where they are now."""
    console = _console(stderr=True)
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(justify="right")
    table.add_column()
    for name, size in published.files.items():
        table.add_row(_size(size), escape(printable(name, 300)))
    console.print(table)
    note(f"{published.status}: {len(published.files):,} files, {_size(sum(published.files.values()))}")
    if published.commit:
        result(f"{published.repository}@{published.version}")


def _change(rows: int) -> str:
    return f"+{rows:,}" if rows > 0 else _number(rows)


def show_difference(difference: Difference) -> None:
    """The recipe's lines that changed, the counts, and what moved."""
    console = _console(stderr=False)
    if difference.is_none:
        console.print("the same rows by the same recipe")
        return
    for line in difference.recipe:
        colour = {"+": "green", "-": "red", "@": "cyan"}.get(line[:1], "")
        console.print(f"[{colour}]{escape(printable(line, 200))}[/]" if colour else escape(printable(line, 200)))
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("source", "before", "after", "change"):
        table.add_column(heading, justify="left" if heading == "source" else "right")
    for source, (before, after) in difference.rows.items():
        table.add_row(escape(source), _number(before), _number(after), _change(after - before))
    console.print(table)
    for move in difference.moved:
        sign = "[green]+[/]" if move.direction == "entered" else "[red]−[/]"
        ids = ", ".join(move.examples) + (", …" if move.rows > len(move.examples) else "")
        console.print(f"{sign} {move.rows:,} {escape(move.source)}: {escape(printable(move.why, 200))}", soft_wrap=True)
        console.print(f"    [dim]{ids}[/]", soft_wrap=True)
