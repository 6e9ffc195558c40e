"""What each command shows: results to stdout, all else to stderr, through the door of `terminal`."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from tulu_data.cli.terminal import Part, Terminal, as_json, joined, result, result_json, result_text, styled
from tulu_data.errors import printable
from tulu_data.formats.column import first_part

__all__ = ["as_json", "result", "result_json", "result_text"]

if TYPE_CHECKING:
    import polars as pl

    from tulu_data.building.build import Built
    from tulu_data.building.forecast import Expectation
    from tulu_data.building.inputs import Surveyed
    from tulu_data.mixture.declared import Shown
    from tulu_data.mixture.difference import Difference
    from tulu_data.mixture.explain import Explanation
    from tulu_data.mixture.mixture import Mixture
    from tulu_data.publishing import Published
    from tulu_data.recipe.plan import Plan
    from tulu_data.recipe.recipe import Recipe
    from tulu_data.stage import Spans, Stage
    from tulu_data.verifying.levels import Verification
    from tulu_data.verifying.planted import Found
    from tulu_data.without_recipe.contaminated import Leaks
    from tulu_data.without_recipe.decontaminate import Contamination
    from tulu_data.without_recipe.dedup import Cluster, Duplicates

TEXT_CHARACTERS: Final = 400
CONTEXT_CHARACTERS: Final = 120
SHOWN_RUNS: Final = 20
OVERLAP_LINES: Final = 20
LISTED_ITEMS: Final = 40
CONTAMINATED_SHARE: Final = 0.02
SHOWN_CLUSTERS: Final = 3
FIRST_LOOKS: Final = 12
UNREAD_NAMES: Final = 12
SHOWN_MESSAGES: Final = 4
MATRIX_COLUMNS: Final = 8
ID_DIGITS: Final = 12
BEGINS_CHARACTERS: Final = 120
PATH_CHARACTERS: Final = 300
LISTED_COLUMNS: Final = 40


def note(text: str) -> None:
    """Say something to the person at the terminal."""
    Terminal(stderr=True).line(text)


def error(text: str) -> None:
    """Say what went wrong."""
    Terminal(stderr=True).lines(text, joined(styled("bold red", "error"), ": "))


class Bars:
    """Progress bars on a terminal; nothing in a pipe."""

    @contextmanager
    def phase(self, name: str, total: float | None, unit: str) -> Iterator[Callable[[int], None]]:
        with Terminal(stderr=True).bar(name, total, unit) as tick:
            yield tick


def show_built(built: Built, found: Sequence[Found] = ()) -> None:
    """The table at the end of a build, what was found of planted faults, and where to look next."""
    from tulu_data.store.parquet import read_frame

    out = Terminal(stderr=True)
    manifest = built.mixture.manifest
    steps = built.mixture.steps
    totals = [0] * (len(steps) + 3)
    lines = []
    for source, rows in built.mixture.rows.items():
        numbers = [rows["read"], rows["quarantined"], *(-rows["removed"].get(step, 0) for step in steps), rows["kept"]]
        totals = [total + number for total, number in zip(totals, numbers, strict=True)]
        lines.append([source, *map(_number, numbers)])
    lines.append([styled("bold", "all"), *(styled("bold", _number(total)) for total in totals)])
    out.table(("source", "read", "quarantined", *steps, "kept"), lines, left=("source",))
    _show_set_aside(out, built.mixture)
    _show_first_looks(out, built.mixture)
    for path in built.mixture.reports("evaluations").values():
        out.line()
        _show_overlap(out, read_frame(path), f"reports/{path.name}")
    for step, path in built.mixture.reports("clusters").items():
        _show_clusters(out, built.mixture, step, path)
    for path in built.mixture.reports("overlap").values():
        _show_pairs(out, read_frame(path))
    for step, path in built.mixture.reports("strata").items():
        out.line()
        _show_strata(out, read_frame(path), step)
    for shown in built.mixture.shown:
        if shown.kind == "table":
            _show_table(out, shown, built.mixture.read(shown.path))
    if found:
        out.line()
        _show_planted(out, found)
    status = built.status + (f" ({built.why})" if built.why else "")
    written = f"{manifest['rows']:,} rows in {len(built.mixture.data)} file{'s' * (len(built.mixture.data) != 1)}"
    out.line()
    out.line(styled("bold green", status), f" {manifest['name']}@{built.mixture.version}: {written}")
    # The name alone is found under the usual folder only.
    folder = built.mixture.folder.parent
    where = folder.name if folder.parent == Path("mixtures") else str(folder)
    if manifest["trial"]:
        where = f"{folder.name}@{built.mixture.version}" if where == folder.name else str(built.mixture.folder)
    if any(rows["quarantined"] for rows in built.mixture.rows.values()):
        out.line(f"see what can't be read:  tulu-data removed {where} --stage quarantined")
    if any(rows["removed"] for rows in built.mixture.rows.values()):
        out.line(f"see why rows went:       tulu-data removed {where}")
    out.line(f"follow one row:          tulu-data explain {where} ID | FILE:ROW | --text '…'")


def _show_set_aside(out: Terminal, mixture: Mixture) -> None:
    """The files of each source that could not be read, which a recipe has to allow."""
    for source, entry in mixture.manifest["sources"].items():
        found = [f"sha256 {file['sha256'][:ID_DIGITS]}" for file in entry["inputs"] if "unreadable" in file]
        reasons = [file["unreadable"] for file in entry["inputs"] if "unreadable" in file]
        if found:
            many = "1 file was" if len(found) == 1 else f"{len(found):,} files were"
            more = f"; and {len(found) - 1:,} more" if len(found) > 1 else ""
            out.line(f"{source}: {many} set aside ({found[0]}): {reasons[0]}{more}")


def _show_first_looks(out: Terminal, mixture: Mixture) -> None:
    """What was not read, and what many rows have that no trainer wants."""
    from tulu_data import audit

    left_out = audit.unread(mixture)
    if len(left_out):
        out.line()
        out.line(styled("bold", "not read"), ", with the rows that have it")
        for (source,), names in left_out.group_by("source", maintain_order=True):
            listed = [
                f"{_as_unread(line['name'])} {line['rows']:,}"
                for line in names.head(UNREAD_NAMES).iter_rows(named=True)
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


def _as_unread(name: str) -> str:
    """A name that is not read; one that a format may read is said to be a candidate."""
    from tulu_data.formats import could_be

    role = could_be(name)
    return printable(name, 40) + (f" (could be the {role})" if role else "")


def _show_overlap(out: Terminal, every: pl.DataFrame, rest: str) -> None:
    """The sources and evaluation sets that most rows are of, and where the others are."""
    lines = every.filter((every["contaminated"] > 0) | (every["near"] > 0))
    lines = lines.sort("rows", "source", "evaluation", descending=[True, False, False]).head(OVERLAP_LINES)
    if lines.is_empty():
        out.line(f"no row holds an evaluation item; which share n-grams: {rest}")
        return
    headings = ("source", "evaluation", "items", "touched", "contaminated", "", "near", "in full", "rows")
    out.table(headings, map(_overlap, lines.iter_rows(named=True)), left=("source", "evaluation"))
    if left := len(every) - len(lines):
        out.line(styled("dim", f"and {left} more with fewer such rows or none: {rest}"))


def _overlap(line: Mapping[str, Any]) -> tuple[Part, ...]:
    share = line["contaminated"] / line["items"]
    # Above 2 % of an evaluation set the Tülu 3 paper takes a source for contaminated (section 3.2).
    colour = "yellow" if share > CONTAMINATED_SHARE else "dim"
    return (
        line["source"],
        line["evaluation"],
        *map(_number, (line["items"], line["touched"], line["contaminated"])),
        styled(colour, f"{share:.1%}") if line["contaminated"] else "",
        *map(_number, (line["near"], line["full"], line["rows"])),
    )


def _show_clusters(out: Terminal, mixture: Mixture, step: str, path: Path) -> None:
    """The largest clusters of near-duplicates, and whose rows went for whose."""
    from tulu_data.mixture.explain import Explainer
    from tulu_data.store.parquet import read_frame

    twins = read_frame(path).filter("is_twin").sort("cluster")
    out.line()
    out.line(f"{step}: {len(twins):,} clusters of near rows")
    explainer = Explainer(mixture)
    for line in twins.head(SHOWN_CLUSTERS).iter_rows(named=True):
        (twin,) = explainer.by_id(line["id"])
        begins = f": {printable(_begins(twin.messages), BEGINS_CHARACTERS)}" if twin.messages else ""
        out.line(f"  {line['rows']:,} near {line['id'][:ID_DIGITS]} of {line['source']}{begins}")


def _show_pairs(out: Terminal, pairs: pl.DataFrame) -> None:
    """How many rows of each source (a line) are near rows of each (a column), where not each is near its own alone."""
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
        lines.append([source, *map(_number, numbers[: len(shown)] + rest)])
    out.line()
    out.table((first, *shown, *(["others"] if len(twins) > len(shown) else [])), lines, left=(first,))


def show_duplicates(duplicates: Duplicates, clusters: Sequence[Cluster]) -> None:
    """How many rows of each place are near others, whose, and the largest clusters."""
    out = Terminal(stderr=False)
    counts = duplicates.counts()
    out.table(
        ("data", "read", "quarantined", "duplicates"),
        (
            (printable(duplicates.places[name], PATH_CHARACTERS), *map(_number, count.values()))
            for name, count in counts.items()
        ),
        left=("data",),
    )
    if len(duplicates.sources):
        _show_pairs(out, duplicates.sources)
    for cluster in clusters:
        out.line()
        twin = printable(str(cluster.twin), PATH_CHARACTERS)
        out.line(styled("bold", f"{cluster.rows:,} rows"), f", of which stays {twin}")
        _show_messages(out, cluster.messages)
        where = printable(str(cluster.farthest), PATH_CHARACTERS)
        out.line(f"  farthest: {where}  ", styled("red", f"Jaccard {cluster.jaccard:.2f}"))
        if cluster.farthest_messages != cluster.messages:
            _show_messages(out, cluster.farthest_messages)
    total, listed = len(duplicates.rows), len(duplicates.twins)
    note(
        f"{total:,} of {sum(count['read'] for count in counts.values()):,} rows are near others"
        + (f"; more with --limit: {len(clusters):,} of {listed:,} clusters are shown" if listed > len(clusters) else "")
    )


def _show_messages(out: Terminal, messages: Sequence[tuple[str, str]]) -> None:
    for role, content in messages[:SHOWN_MESSAGES]:
        out.line("  ", _role(role), f" {printable(content, TEXT_CHARACTERS)}")


def _role(role: str) -> Part:
    return styled("cyan", f"{role:<9}")


def _show_strata(out: Terminal, lines: pl.DataFrame, step: str) -> None:
    """What a mix was to take of each stratum, and what it took."""
    (unit,) = lines["unit"].unique()
    whole = lines["taken"].sum()

    def cells(line: Mapping[str, Any]) -> tuple[Part, ...]:
        return (
            line["stratum"],
            f"{line['share']:.1%}",
            *(_number(line[name]) for name in ("offered", "target", "taken")),
            f"{line['taken'] / whole:.1%}" if whole else "",
            _number(line["distinct"]) if "distinct" in line else "",
            f"up to {line['most_copies']}" if line.get("most_copies", 1) > 1 else "",
        )

    headings = (step, "share", f"{unit} there", "target", "taken", "achieved", "distinct rows", "copies of one")
    out.table(headings, map(cells, lines.iter_rows(named=True)), left=(step,))


def _show_table(out: Terminal, shown: Shown, frame: pl.DataFrame) -> None:
    """A table of a stage under its title, the first lines of it."""
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
    """A value of a table whose columns nobody knows."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return f"{value:,}" if isinstance(value, int) else f"{value:,.4g}"
    return "" if value is None else printable(str(value), 100)


def _show_targets(out: Terminal, lines: pl.DataFrame) -> None:
    (unit,) = lines["unit"].unique()
    cells = (
        (f"  {line['stratum']}", f"{line['share']:.1%}", _number(line["offered"]), _number(line["target"]))
        for line in lines.iter_rows(named=True)
    )
    out.table(("", "share", f"{unit} there", "target"), cells, left=("",))


def _show_planted(out: Terminal, found: Sequence[Found]) -> None:
    cells = ((kind.kind, *map(_number, (kind.planted, kind.found, kind.missed, kind.extra))) for kind in found)
    out.table(("planted", "rows", "found", "missed", "extra"), cells, left=("planted",))


def _number(value: int) -> Part:
    return styled("dim", "·") if value == 0 else f"{value:,}".replace("-", "−")


def show_plan(
    recipe: Recipe,
    plan: Plan,
    surveyed: Sequence[Surveyed],
    bytes_per_row: int,
    expected: Expectation | None,
    place: Path,
) -> None:
    """What a build would do: sources as they will be read, then the phases; `place` is where it writes."""
    out = Terminal(stderr=False)
    for source in surveyed:
        files = f"{len(source.files)} file{'s' * (len(source.files) != 1)}, {_size(source.size)}"
        empty = sum(file.size == 0 for file in source.files)
        files += f", {empty} of them empty" if empty else ""
        out.line(styled("bold", source.name), f"  {files}, about {source.expected_rows:,} rows")
        if source.format is None:
            out.line("  no rows")
            continue
        said = "said" if recipe.sources[source.name].format else "detected"
        out.line(f"  {source.format.name} ({said}): {_columns(source)}")
        if source.bad:
            unreadable = f"{len(source.bad)} of the first {source.probed} records can't be read"
            out.line("  ", styled("yellow", unreadable), f": {source.bad[0]}")
        if source.unread:
            unread = ", ".join(map(_as_unread, source.unread[:LISTED_COLUMNS]))
            more = len(source.unread) - LISTED_COLUMNS
            out.line(f"  not read: {unread}" + (f", … and {more:,} more" if more > 0 else ""))
        for blemish, count, shown in source.blemishes:
            told = f"{count} of the first {source.probed} records {blemish.what} ({blemish.remedy}): "
            out.line("  ", styled("yellow", "look at this first"), f": {told}{printable(shown, 90)}")
        for conversation in source.preview:
            for index, (role, content) in enumerate(conversation.messages[:4]):
                mark = styled("dim", "┌" if index == 0 else "│")
                out.line("  ", mark, " ", _role(role), f" {printable(content, 90)}")
            more = len(conversation.messages) - 4
            if more > 0:
                out.line("  ", styled("dim", f"│ … and {more} more messages"))
        out.line()
    rows = sum(source.expected_rows for source in surveyed)
    out.line(styled("bold", "phases") if plan.mappers or plan.steps else "no stages: every row is kept")
    stages = {"rewrite": [mapper.name() for mapper in plan.mappers]}
    for step in plan.steps:
        stages.setdefault(step.stage.phase, []).append(step.name)
    for phase, names in stages.items():
        if names:
            out.line(f"  {phase:<12} {', '.join(names)}")
    for step in plan.steps:
        for name, account in step.stage.facts().get("evaluations", {}).items():
            counts = ", ".join(f"{account[kind]:,} {kind}" for kind in ("indexed", "short", "unusable"))
            out.line(f"  {step.name} against {name}: {account['items']:,} items ({counts})")
        if curve := step.stage.facts().get("found"):
            points = ", ".join(f"{float(chance):.2f} at {value}" for value, chance in curve.items())
            out.line(f"  {step.name} finds a pair of that Jaccard similarity: {points}")
    out.line()
    out.line(f"about {rows:,} rows; deciding needs {bytes_per_row} bytes a row, about {_size(rows * bytes_per_row)}")
    if expected is not None:
        out.line()
        out.line(styled("bold", expected.step), f" will take, {expected.basis}:")
        if expected.problem:
            out.line("  ", styled("red", expected.problem))
        else:
            _show_targets(out, expected.lines)
    size = sum(source.size for source in surveyed)
    free = shutil.disk_usage(next(path for path in (place, *place.absolute().parents) if path.is_dir())).free
    short: list[Part] = [" ", styled("red", "more than there is")] if 3 * size > free else []
    out.line(
        f"disk: up to {_size(3 * size)} while it runs (store, spill and output of {_size(size)} of input); "
        f"{_size(free)} are free",
        *short,
    )


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
    went = audit.reasons(mixture).head(OVERLAP_LINES).iter_rows(named=True)
    out.table(
        ("removed by", "reason", "rows"),
        ((line["stage"], printable(line["reason"], 100), f"{line['rows']:,}") for line in went),
        left=("removed by", "reason"),
    )


def show_explanations(explanations: Sequence[Explanation]) -> None:
    """The fate of rows, each with its places, its evidence and its text."""
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
    if row.messages is None and row.fate != "quarantined":
        out.line(f"{indent}  ", styled("dim", "its text is no longer in the workspace"))
    _show_texts(out, row, indent)
    if row.twin:
        out.line(f"{indent}  its twin:")
        _show_explanation(out, row.twin, f"{indent}    ")


def _show_texts(out: Terminal, row: Explanation, indent: str) -> None:
    """The messages of a row, its calls and tools, and the texts of the item that it holds."""
    for number, (role, content) in enumerate(row.whole_messages or ()):
        out.line(f"{indent}  ", _role(role), " ", _marked(content, _spans(row, number)))
    for name, text in (("calls", row.tool_calls), ("tools", row.tools)):
        if text:
            out.line(f"{indent}  ", _role(name), f" {printable(text, TEXT_CHARACTERS)}")
    if row.item is not None:
        for number, text in enumerate(row.item):
            shown = _marked(text, row.marks.matched[number] if row.marks else ())
            out.line(f"{indent}  ", _role("item"), " ", shown)


def _spans(row: Explanation, message: int) -> Spans:
    """What to mark in a message: all that the row shares with the item, or the run that is in the evidence."""
    if row.marks:
        return row.marks.messages[message]
    is_marked = row.evidence.get("message") == message
    return ((row.evidence["start"], row.evidence["end"]),) if is_marked else ()


def _marked(text: str, spans: Spans) -> Part:
    """A text around runs of its characters, which are marked."""
    if not spans:
        return printable(text, TEXT_CHARACTERS)
    parts: list[Part] = []
    at = 0
    for start, end in spans[:SHOWN_RUNS]:
        before = text[at:start]
        if len(before) > CONTEXT_CHARACTERS:
            before = f"…{before[-CONTEXT_CHARACTERS:]}"
        parts += [
            f"{printable(before, CONTEXT_CHARACTERS + 1)}⟦",
            styled("bold red", printable(text[start:end], TEXT_CHARACTERS)),
            "⟧",
        ]
        at = end
    return joined(*parts, printable(text[at:], CONTEXT_CHARACTERS))


def _begins(messages: Sequence[tuple[str, str]]) -> str:
    """The first text of the user, or the first."""
    return next((content for role, content in messages if role == "user"), messages[0][1])


def show_removed(explanations: Sequence[Explanation], total: int) -> None:
    """Removed rows, a line or two each."""
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
        if row.messages:
            out.line(f"  {printable(_begins(row.messages), BEGINS_CHARACTERS)}")
    if total > len(explanations):
        note(f"{len(explanations):,} of {total:,}; more with --limit")
    elif not total:
        note("there are none")


def show_contamination(contamination: Contamination, worst: Sequence[Explanation]) -> None:
    """What each source shares with each evaluation set, and the worst rows with the items that they hold."""
    out = Terminal(stderr=False)
    lines = contamination.evaluations
    if lines.is_empty():
        out.line("no row shares anything with an evaluation set")
    else:
        short = dict(zip(contamination.places, _apart(list(contamination.places.values())), strict=True))
        _show_overlap(out, lines.with_columns(source=lines["source"].replace(short)), "--json")
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
        _show_texts(out, row, "")
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
    note(
        f"{leaks.mixture.folder} holds {len(held):,} of {len(leaks.items):,} items of {leaks.evaluation}{share}; "
        f"{len(leaks.ids('clean')):,} are clean"
        + (f", {unusable:,} have too few words to be looked for" if unusable else "")
    )


def show_evaluations(shown: Mapping[str, Mapping[str, Any]], groups: Mapping[str, Sequence[str]]) -> None:
    """Evaluation sets, a line each, and the groups."""
    out = Terminal(stderr=False)
    lines = []
    for name, entry in shown.items():
        items = "" if entry["items"] is None else f"{entry['items']:,}"
        place = next(iter(entry["described"].values())) if entry["origin"] == "catalogue" else "local"
        gated = {True: "gated", False: "", None: ""}[entry["gated"]]
        lines.append((styled("bold", name), items, entry["license"] or "", gated, str(place), entry["title"] or ""))
    headings = ("name", "items", "license", "gated", "from", "title")
    out.table(headings, lines, left={*headings} - {"items"}, whole=("name",))
    out.line()
    for group, members in groups.items():
        if shown.keys() & {*members}:
            out.line(styled("bold", group), f": {', '.join(members)}")
    note("more of one: tulu-data evaluations NAME; fetch it: tulu-data evaluations NAME --pull")


def show_evaluation(name: str, entry: Mapping[str, Any]) -> None:
    """One evaluation set in full: what it is, how it is read, what of its items can be used."""
    out = Terminal(stderr=False)
    out.line(styled("bold", name), f"  {entry['title'] or ''}")
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
            out.line(f"  {key:<11} {value}")
    out.line("  described")
    for key, value in entry["described"].items():
        shown = f"[{', '.join(map(str, value))}]" if isinstance(value, list) else value
        out.line(f"    {key}: {shown}")
    account = entry["account"]
    if account is None:
        note(f"it is not here; fetch it: tulu-data evaluations {name} --pull")
        return
    counts = ", ".join(f"{account[kind]:,} {kind}" for kind in ("indexed", "short", "unusable"))
    out.line(f"  {'items':<11} {account['items']:,} ({counts}, by the rule tulu3)")


def show_stages(stages: Mapping[str, type[Stage]]) -> None:
    """All stages, a line each."""
    out = Terminal(stderr=False)
    headings = ("name", "phase", "what it does")
    lines = (
        (styled("bold", name), stage.phase, (stage.__doc__ or "").partition("\n")[0]) for name, stage in stages.items()
    )
    out.table(headings, lines, left=headings, titled=False)
    note("more of one: tulu-data stages NAME")


def show_verification(verification: Verification) -> None:
    """Each check, and what is wrong where one does not hold."""
    out = Terminal(stderr=False)
    for check in verification.checks:
        failed = styled("bold red", "fails")
        mark = failed if check.wrong else styled("yellow", "open ") if check.unproven else styled("green", "holds")
        out.line(mark, f"  {check.level}  {check.what}")
        if told := check.wrong or check.unproven:
            out.line(f"           {printable(told, 600)}")
    proven = [check for check in verification.checks if check.holds and not check.unproven]
    is_clean = any("no row kept holds an evaluation item" in check.what for check in proven)
    note(
        "L0 to L2 are facts of the files, which nobody needs to be trusted for"
        + ("; L3: no row holds an evaluation item by the rule; it can't see translations" if is_clean else "")
        + ("" if any(check.level == "L4" for check in proven) else "; what the rows were made of is shown by --rebuild")
    )


def show_published(published: Published) -> None:
    """The files and their sizes, and where they are now."""
    lines = ((_size(size), printable(name, PATH_CHARACTERS)) for name, size in published.files.items())
    Terminal(stderr=True).table(("size", "file"), lines, left=("file",), titled=False)
    note(f"{published.status}: {len(published.files):,} files, {_size(sum(published.files.values()))}")
    if published.commit:
        result(f"{published.repository}@{published.version}")


def show_difference(difference: Difference) -> None:
    """The recipe's lines that changed, the counts, and what moved."""
    out = Terminal(stderr=False)
    if difference.is_none:
        out.line("the same rows by the same recipe")
        return
    for line in difference.recipe:
        colour = {"+": "green", "-": "red", "@": "cyan"}.get(line[:1], "")
        out.line(styled(colour, printable(line, 200)))
    lines = (
        (source, _number(before), _number(after), f"+{after - before:,}" if after > before else _number(after - before))
        for source, (before, after) in difference.rows.items()
    )
    out.table(("source", "before", "after", "change"), lines, left=("source",))
    for move in difference.moved:
        sign = styled("green", "+") if move.direction == "entered" else styled("red", "−")
        ids = ", ".join(move.examples) + (", …" if move.rows > len(move.examples) else "")
        out.line(sign, f" {move.rows:,} {move.source}: {printable(move.why, 200)}")
        out.line("    ", styled("dim", ids))
