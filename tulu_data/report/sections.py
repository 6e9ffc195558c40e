"""The sections of the report, each an answer to one question."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import polars as pl

from tulu_data import audit, stages
from tulu_data.audit import By
from tulu_data.mixture.layout import QUARANTINED, TAKE
from tulu_data.mixture.mixture import Mixture
from tulu_data.report import contamination, duplicates, tables, thresholds
from tulu_data.report.charts import COMPARED, KEPT, bar, cell, histogram, key, legend, number, percent, sentence, table
from tulu_data.report.html import Markup, breakable, join, prose, tag
from tulu_data.report.section import Section, lines_of
from tulu_data.rows import kind as kinds

SHOWN_PARTS: Final = 24
SHOWN_REASONS: Final = 20
SHOWN_SOURCES: Final = 11
NOT_COMMERCIAL: Final = ("-nc", "noncommercial", "non-commercial", "research")


def header(mixture: Mixture, contents: Sequence[tuple[str, str]]) -> Markup:
    """The name, the most important figures, and links to the sections."""
    manifest, flow = mixture.manifest, audit.flow(mixture)
    parts = audit.composition(mixture)
    kept, written, read = (int(flow[name].sum()) for name in ("kept", "written", "read"))
    facts = [
        ("Rows to train on", number(written), f"{number(kept)} different conversations" if written > kept else ""),
        ("Tokens", *_tokens_fact(mixture, parts)),
        (
            "Sources",
            number(len(parts)),
            f"of {len(flow)}; nothing is left of the others" if len(parts) < len(flow) else "",
        ),
        ("Records read", number(read), f"{percent(kept / read)} of them kept" if read else ""),
        *contamination.fact(mixture),
    ]
    trial = manifest["trial"]
    shown = [
        tag("div", tag("dt", name), tag("dd", value, *([tag("small", more)] if more else [])))
        for name, value, more in facts
    ]
    return tag(
        "header",
        tag("h1", manifest["name"]),
        tag("p", f"Version {mixture.version} · {mixture.kind.rows} for {mixture.kind.purpose}", class_="sub"),
        *([sentence("This is a trial on the first rows of each source; do not train on it.")] if trial else []),
        tag("dl", *shown, class_="facts"),
        tag("nav", *(tag("a", title, href=f"#{id}") for id, title in contents), aria_label="Contents"),
    )


def _tokens_fact(mixture: Mixture, parts: pl.DataFrame) -> tuple[str, str]:
    if parts["tokens"].null_count():
        return "not counted", ""
    counting = (stage["options"] for stage in mixture.stages if "tokens" in stage.get("annotates", ()))
    counters = [options["tokenizer"] for options in counting if "tokenizer" in options]
    by = f" by {counters[-1]}" if counters else ""
    trained = "" if parts["trainable"].null_count() else f", {number(int(parts['trainable'].sum()))} of them trained on"
    return number(int(parts["tokens"].sum())), f"counted{by}{trained}" if by or trained else ""


def composition(mixture: Mixture) -> Section:
    """What is in it, by source, domain and language."""
    parts: list[Markup] = []
    titles: tuple[tuple[By, str], ...] = (("source", "By source"), ("domain", "By domain"), ("language", "By language"))
    for by, title in titles:
        frame = audit.composition(mixture, by)
        if frame[by].to_list() == [audit.UNKNOWN]:
            parts += [tag("h3", title), sentence(f"No stage of the recipe finds the {by} of rows.", class_="soft")]
            continue
        parts += [tag("h3", title), *_parts(frame, by)]
    return Section("composition", "What is in it?", tuple(parts))


def _parts(frame: pl.DataFrame, by: By) -> list[Markup]:
    has_tokens = frame["tokens"].null_count() == 0
    has_trainable = frame["trainable"].null_count() == 0
    has_target = frame["target"].null_count() < len(frame)
    unit = next((unit for unit in frame["unit"] if unit), "rows")
    said: list[Markup] = []
    if has_target:
        off = max(
            abs(line["token_share" if unit == "tokens" else "share"] - (line["target"] or 0))
            for line in lines_of(frame)
        )
        said.append(
            sentence(
                f"The recipe gives each {by} a target share of {unit}; the largest deviation is {percent(round(off, 9))}."
            )
        )
    is_repeated = bool((frame["rows"] != frame["distinct"]).any())
    heads = [by, "share of rows", "in %", "rows", *(["different", "times each"] if is_repeated else [])]
    heads += ["tokens", "of tokens"] if has_tokens else []
    heads += ["trained on"] if has_trainable else []
    heads += [f"target (of {unit})"] if has_target else []
    lines = []
    for line in lines_of(frame.head(SHOWN_PARTS)):
        cells = [
            tag("th", tag("bdi", line[by]), scope="row"),
            bar([(line["share"], KEPT)], line["target"] if unit == "rows" else None),
            tag("td", percent(line["share"]), class_="n"),
            cell(line["rows"]),
        ]
        if is_repeated:
            cells += [cell(line["distinct"]), tag("td", f"{line['rows'] / max(line['distinct'], 1):.1f}", class_="n")]
        if has_tokens:
            cells += [cell(line["tokens"]), tag("td", percent(line["token_share"]), class_="n")]
        if has_trainable:
            cells.append(cell(line["trainable"]))
        if has_target:
            cells.append(tag("td", percent(line["target"]), class_="n"))
        lines.append(tag("tr", *cells))
    more = len(frame) - SHOWN_PARTS
    if has_target and unit == "rows":
        said.append(key([("what the mixture has", KEPT)], "what the recipe asked for"))
    repeats = " Rows count with their copies; “different” counts each row once." if is_repeated else ""
    trained = " “Trained on” are the tokens of the assistant’s messages." if has_trainable else ""
    caption = f"Rows of the mixture by {by}.{trained}{repeats}"
    said.append(table(f"composition-{by}", caption, heads, lines, 2))
    return said + ([sentence(f"and {more} smaller ones", class_="soft")] if more > 0 else [])


def first_looks(mixture: Mixture) -> Section | None:
    """What should I look at first? Faults that many rows have, and columns that were not read."""
    blemished, left_out = audit.blemishes(mixture), audit.unread(mixture)
    if blemished.is_empty() and left_out.is_empty():
        return None
    parts = []
    if len(blemished):
        lines = [
            tag(
                "tr",
                tag("th", line["source"], scope="row"),
                tag("td", line["what"]),
                cell(line["rows"]),
                tag("td", percent(line["rows"] / line["of"]), class_="n"),
                cell(line["kept"]),
                tag("td", tag("code", line["shown"] or line["id"])),
                tag("td", line["remedy"]),
            )
            for line in lines_of(blemished.head(SHOWN_PARTS))
        ]
        parts.append(
            sentence(
                "Nothing was removed because of these faults: a model would learn them, and chat templates may refuse them."
            )
        )
        heads = ["source", "rows that", "rows", "of those read", "kept", "example", "what to do"]
        parts.append(table("blemishes", "Faults that many rows have", heads, lines, 2))
        if (more := len(blemished) - SHOWN_PARTS) > 0:
            parts.append(sentence(f"and {more} more", class_="soft"))
    if len(left_out):
        lines = [
            tag(
                "tr",
                tag("th", line["source"], scope="row"),
                tag("td", tag("code", line["name"])),
                cell(line["rows"]),
                tag("td", percent(line["rows"] / line["of"] if line["of"] else 0), class_="n"),
            )
            for line in lines_of(left_out.head(SHOWN_PARTS))
        ]
        parts.append(sentence("Rows that differ only in columns that were not read count as the same row."))
        heads = ["source", "column or key", "rows that have it", "of all"]
        parts.append(table("unread", "Columns and keys that were not read", heads, lines, 2))
        if (more := len(left_out) - SHOWN_PARTS) > 0:
            parts.append(sentence(f"and {more} more", class_="soft"))
    return Section("first", "What should I look at first?", tuple(parts))


def removals(mixture: Mixture) -> Section:
    """What was thrown away, and why."""
    flow = audit.flow(mixture)
    steps = [name for name in flow.columns if name not in ("source", "read", "kept", "written")]
    gone = [step for step in steps if int(flow[step].sum())]
    colours = legend(gone)
    heads = [
        "source",
        "of what was read",
        "read",
        *(breakable(_name(step)) for step in gone),
        "kept",
        "written",
    ]
    every: dict[str, Any] = {"source": "all", **{name: int(flow[name].sum()) for name in flow.columns[1:]}}
    lines = []
    for line in [*lines_of(flow), every]:
        shares = [(line[step] / line["read"], colours[step]) for step in gone] if line["read"] else []
        shown = bar([(line["kept"] / line["read"] if line["read"] else 0, KEPT), *shares])
        numbers = [cell(line[name]) for name in ("read", *gone, "kept", "written")]
        lines.append(
            tag(
                "tr",
                tag("th", line["source"], scope="row"),
                shown,
                *numbers,
                class_="all" if line["source"] == "all" else None,
            )
        )
    total = sum(every[step] for step in steps)
    parts = [
        sentence(
            f"Of {number(every['read'])} records that were read, {number(total)} "
            f"({percent(total / every['read'] if every['read'] else 0)}) are not in the mixture. A stage is charged with a row only if no "
            "stage before it removed it, so the numbers of a line add up."
        ),
        *_nothing_left(flow, gone),
        key([("kept", KEPT), *((_name(step), colours[step]) for step in gone)]),
        table("flow", "What happened to the records of each source", heads, lines, 2),
        tag("h3", "The stages, and what they removed"),
        _stages(mixture, every),
        tag("h3", "The reasons"),
        _reasons(mixture),
    ]
    return Section("removed", "What was thrown away, and why?", tuple(parts))


def _nothing_left(flow: pl.DataFrame, steps: Sequence[str]) -> list[Markup]:
    """Sources of which nothing is left, and the stage that removed most of each."""
    lost = [line for line in lines_of(flow) if line["read"] and not line["kept"]]
    if not lost or not steps:
        return []
    told = []
    for line in lost[:SHOWN_SOURCES]:
        most = max(steps, key=lambda step, line=line: line[step])  # type: ignore[misc]
        told.append(f"{line['source']} ({number(line[most])} of {number(line['read'])} rows: {_name(most)})")
    more = f", and {len(lost) - SHOWN_SOURCES} more" if len(lost) > SHOWN_SOURCES else ""
    return [sentence(tag("strong", f"Nothing is left of {', '.join(told)}{more}."))]


def _name(step: str) -> str:
    return "not taken" if step == TAKE else step


def _stages(mixture: Mixture, removed: Mapping[str, Any]) -> Markup:
    lines = [
        (QUARANTINED, "Records that could not be read as a conversation."),
        *([(TAKE, "The recipe takes only a part of the source.")] if TAKE in removed else []),
        *((stage["name"], _does(stage)) for stage in mixture.stages),
    ]
    shown = [
        tag("tr", tag("th", _name(step), scope="row"), cell(removed[step]), tag("td", prose(does)))
        for step, does in lines
        if step in removed
    ]
    head = [
        tag("th", "stage", scope="col"),
        tag("th", "removed", scope="col", class_="n"),
        tag("th", "what it does", scope="col"),
    ]
    caption = "The stages of the recipe"
    inner = tag("table", tag("thead", tag("tr", *head)), tag("tbody", *shown), data_frame="stages", aria_label=caption)
    return tag("div", inner, class_="wide", tabindex="0", role="region", aria_label=caption)


def _does(stage: Mapping[str, Any]) -> str:
    if "from" in stage:
        return f"A stage from outside: {stage['from']}"
    does = (getattr(stages.of_step(stage["name"]), "__doc__", None) or "").split("\n", 1)[0]
    on = stage["options"].get("on")
    said = kinds.compared().get(on)
    return does.replace("text", said, 1).replace(" under `on`", "") if said else does


def _reasons(mixture: Mixture) -> Markup:
    frame = audit.reasons(mixture)
    if frame.is_empty():
        return sentence("Nothing was removed.")
    most = int(frame["rows"].max())  # type: ignore[arg-type]
    lines = [
        tag(
            "tr",
            tag("th", tag("bdi", line["reason"]), scope="row"),
            tag("td", _name(line["stage"])),
            cell(line["rows"]),
            bar([(line["rows"] / most, "var(--c0)")]),
        )
        for line in lines_of(frame.head(SHOWN_REASONS))
    ]
    shown = table(
        "reasons",
        "Why rows were removed, the most frequent reason first",
        ["reason", "stage", "rows", COMPARED],
        lines,
        2,
    )
    more = len(frame) - SHOWN_REASONS
    return join([shown, sentence(f"and {more} rarer reasons", class_="soft")]) if more > 0 else shown


def lengths(mixture: Mixture) -> Section:
    """How long are the rows?"""
    frame, drawn = audit.lengths(mixture), audit.length_bins(mixture)
    unit = frame["unit"][0]
    figures = []
    order = audit.composition(mixture)["source"].to_list()
    of_source = {line["source"]: line for line in lines_of(frame)}
    for source in order[:SHOWN_SOURCES]:
        line = of_source[source]
        own = drawn.filter(pl.col("source") == source)
        said = f"{source}: half of {number(line['rows'])} rows have up to {number(line['median'])} {unit}, 95% up to {number(line['p95'])}."
        caption = join(
            [tag("strong", source), f" · half up to {number(line['median'])}, 95% up to {number(line['p95'])}"]
        )
        figures.append(histogram(list(own.select("low", "high", "rows").iter_rows()), caption, said, unit))
    every = of_source["all"]
    heads = ["source", "rows", "shortest", "5% up to", "half up to", "95% up to", "longest"]
    names = ("rows", "least", "p5", "median", "p95", "most")
    lines = [
        tag(
            "tr",
            tag("th", line["source"], scope="row"),
            *(cell(line[name]) for name in names),
            class_="all" if line["source"] == "all" else None,
        )
        for line in lines_of(frame)
    ]
    parts = (
        sentence(
            f"Half of all rows have up to {number(every['median'])} {unit}, 95% up to {number(every['p95'])}; the longest has {number(every['most'])}."
        ),
        tag("div", *figures, class_="multiples"),
        table("lengths", f"Lengths of rows in {unit}", heads, lines),
    )
    return Section("lengths", "How long are the rows?", parts)


def licences(mixture: Mixture) -> Section:
    """May I use it?"""
    frame = audit.licenses(mixture)
    unsaid = frame.filter(pl.col("license").is_null())
    closed = [
        line
        for line in lines_of(frame)
        if line["license"] and any(mark in line["license"].lower() for mark in NOT_COMMERCIAL)
    ]
    verdicts = []
    if closed:
        names = ", ".join(line["source"] for line in closed)
        verdicts.append(f"Not for commercial use as a whole: the licence of {names} forbids it.")
    if len(unsaid):
        names = ", ".join(unsaid["source"].head(8)) + (", …" if len(unsaid) > 8 else "")
        verdicts.append(f"The recipe does not say the licence of {names}: ask before you use these rows.")
    if not verdicts:
        verdicts.append(
            "Each source has a licence, and none of them seems to forbid commercial use; read them all the same."
        )
    if closed or len(unsaid):
        rest = int(frame["rows"].sum()) - sum(line["rows"] for line in [*closed, *lines_of(unsaid)])
        verdicts.append(f"The other sources have {number(rest)} of {number(int(frame['rows'].sum()))} rows.")
    lines = [
        tag(
            "tr",
            tag("th", line["source"], scope="row"),
            tag("td", tag("bdi", line["license"] or "not said")),
            cell(line["rows"]),
        )
        for line in lines_of(frame)
    ]
    parts = (
        sentence(tag("strong", " ".join(verdicts))),
        sentence("A mixture has no licence of its own; each row keeps that of its source.", class_="soft"),
        table("licenses", "Licences of the sources, as the recipe gives them", ["source", "licence", "rows"], lines, 2),
    )
    return Section("licences", "May I use it?", parts)


def checking(mixture: Mixture) -> Section:
    """How can I check this?"""
    manifest = mixture.manifest
    name = f"{manifest['name']}@{mixture.version}"
    parts = (
        sentence(
            "Everything on this page comes from the tables beside it. ",
            tag("code", f"tulu-data verify {name}"),
            " checks the digest of each file, counts all rows again, searches the rows for evaluation items with a second, "
            "independent implementation, and compares some rows with all others. ",
            tag("code", f"tulu-data explain {name} ID"),
            " shows what happened to one row.",
        ),
        sentence("Root of the rows, the same for the same rows: ", tag("code", manifest["root"])),
        sentence(
            "Recipe: ", tag("code", manifest["build"]["recipe"]), "; inputs: ", tag("code", manifest["build"]["inputs"])
        ),
        sentence(
            "Made by ",
            ", ".join(f"{library} {version}" for library, version in sorted(manifest["build"]["versions"].items())),
            ".",
        ),
    )
    return Section("checking", "How can I check this?", parts)


ALL: Final[tuple[Callable[[Mixture], Section | None], ...]] = (
    composition,
    first_looks,
    removals,
    contamination.contamination,
    duplicates.duplicates,
    lengths,
    thresholds.thresholds,
    tables.tables,
    licences,
    checking,
)
