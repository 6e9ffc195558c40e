"""The sections of the report, each an answer to one question."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import polars as pl

from tulu_data import audit, stages
from tulu_data.audit import QUARANTINED, By
from tulu_data.decide import KEPT as KEPT_FATE
from tulu_data.mixture import Mixture
from tulu_data.plan import TAKE
from tulu_data.report.charts import COMPARED, KEPT, bar, cell, histogram, key, legend, number, percent, sentence, table
from tulu_data.report.html import Markup, breakable, escape, join, prose, tag
from tulu_data.rows import SAID

SHOWN_PARTS: Final = 24
SHOWN_REASONS: Final = 20
SHOWN_CLUSTERS: Final = 12
SHOWN_PAIRS: Final = 30
SHOWN_SETS: Final = 12
SHOWN_SOURCES: Final = 11
NOT_COMMERCIAL: Final = ("-nc", "noncommercial", "non-commercial", "research")


@dataclass(frozen=True)
class Section:
    """A part of the page, with the question that it answers."""

    id: str
    title: str
    parts: tuple[Markup, ...]

    def html(self) -> Markup:
        heading = tag("h2", self.title, id=f"{self.id}-title")
        return tag("section", heading, *self.parts, id=self.id, aria_labelledby=f"{self.id}-title")


def header(mixture: Mixture, contents: Sequence[tuple[str, str]]) -> Markup:
    """The name, the figures that everybody asks for first, and where to find the rest."""
    manifest, flow = mixture.manifest, audit.flow(mixture)
    parts = audit.composition(mixture)
    kept, written, read = (int(flow[name].sum()) for name in ("kept", "written", "read"))
    facts = [
        ("Rows to train on", number(written), f"{number(kept)} different conversations" if written > kept else ""),
        ("Tokens", *_tokens_fact(mixture, parts)),
        (
            "Sources",
            number(len(parts)),
            f"of {len(flow)}; of the others nothing is left" if len(parts) < len(flow) else "",
        ),
        ("Records read", number(read), f"{percent(kept / read)} of them kept" if read else ""),
        *_contaminated_fact(mixture),
    ]
    trial = manifest["trial"]
    shown = [
        tag("div", tag("dt", name), tag("dd", value, *([tag("small", more)] if more else [])))
        for name, value, more in facts
    ]
    return tag(
        "header",
        tag("h1", manifest["name"]),
        tag("p", f"Version {mixture.version} · {_KINDS.get(manifest['kind'], manifest['kind'])}", class_="sub"),
        *(
            [sentence("This is a trial on the first rows of each source; it is no mixture to train on.")]
            if trial
            else []
        ),
        tag("dl", *shown, class_="facts"),
        tag("nav", *(tag("a", title, href=f"#{id}") for id, title in contents), aria_label="Contents"),
    )


_KINDS: Final = {"sft": "conversations for supervised fine-tuning"}


def _tokens_fact(mixture: Mixture, parts: pl.DataFrame) -> tuple[str, str]:
    if parts["tokens"].null_count():
        return "not counted", ""
    counters = [stage["options"]["tokenizer"] for stage in mixture.manifest["stages"] if stage["name"] == "tokens"]
    by = f" by {counters[-1]}" if counters else ""
    trained = "" if parts["trainable"].null_count() else f", {number(int(parts['trainable'].sum()))} of them trained on"
    return number(int(parts["tokens"].sum())), f"counted{by}{trained}" if by or trained else ""


def _contaminated_fact(mixture: Mixture) -> list[tuple[str, str, str]]:
    sets = audit.evaluations(mixture)
    if sets.is_empty():
        return [("Contaminated rows", "not looked for", "no stage of the recipe looks for them")]
    removed = sum(_removed(mixture, step) for step in sets["stage"].unique())
    return [("Contaminated rows", number(removed), f"found and removed; looked for {_sets(sets)}")]


def _sets(sets: pl.DataFrame) -> str:
    count = sets["evaluation"].n_unique()
    return f"{count} evaluation set{'s' * (count != 1)}"


def _removed(mixture: Mixture, step: str) -> int:
    return sum(rows["removed"].get(step, 0) for rows in mixture.rows.values())


def composition(mixture: Mixture) -> Section:
    """What is in it, by source, domain and language."""
    parts: list[Markup] = []
    titles: tuple[tuple[By, str], ...] = (("source", "By source"), ("domain", "By domain"), ("language", "By language"))
    for by, title in titles:
        frame = audit.composition(mixture, by)
        if frame[by].to_list() == [audit.UNKNOWN]:
            parts += [tag("h3", title), sentence(f"No stage of the recipe found out the {by} of rows.", class_="soft")]
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
            abs(line["token_share" if unit == "tokens" else "share"] - (line["target"] or 0)) for line in _lines(frame)
        )
        said.append(
            sentence(
                f"The recipe sets the share of {unit} that each {by} is to have; the farthest off is {percent(round(off, 9))}."
            )
        )
    is_repeated = bool((frame["rows"] != frame["distinct"]).any())
    heads = [by, "share of rows", "in %", "rows", *(["different", "times each"] if is_repeated else [])]
    heads += ["tokens", "of tokens"] if has_tokens else []
    heads += ["trained on"] if has_trainable else []
    heads += [f"target (of {unit})"] if has_target else []
    lines = []
    for line in _lines(frame.head(SHOWN_PARTS)):
        cells = [
            tag("th", line[by], scope="row"),
            bar([(line["share"], KEPT)], line["target"] if unit == "rows" else None),
            tag("td", percent(line["share"]), class_="n"),
            cell(line["rows"]),
        ]
        if is_repeated:
            cells += [cell(line["distinct"]), tag("td", f"{line['rows'] / line['distinct']:.1f}", class_="n")]
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
    for line in [*_lines(flow), every]:
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
            "stage before it removed it, so that the numbers of a line add up."
        ),
        *_nothing_left(flow, gone),
        key([("kept", KEPT), *((_name(step), colours[step]) for step in gone)]),
        table("flow", "What became of the records of each source", heads, lines, 2),
        tag("h3", "The stages, and what they removed"),
        _stages(mixture, every),
        tag("h3", "The reasons"),
        _reasons(mixture),
    ]
    return Section("removed", "What was thrown away, and why?", tuple(parts))


def _nothing_left(flow: pl.DataFrame, steps: Sequence[str]) -> list[Markup]:
    """Of which sources nothing is left, and what took most of them."""
    lost = [line for line in _lines(flow) if line["read"] and not line["kept"]]
    if not lost:
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
        *([(TAKE, "The recipe takes a part of the source only.")] if TAKE in removed else []),
        *((stage["name"], _does(stage)) for stage in mixture.manifest["stages"]),
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
    name = stage["name"]
    known = name if name in stages.names() else name.rpartition("-")[0]
    does = (stages.find(known).__doc__ or "").splitlines()[0]
    on = stage["options"].get("on")
    return does.replace("text", SAID[on], 1).replace(" under `on`", "") if on in SAID else does


def _reasons(mixture: Mixture) -> Markup:
    frame = audit.reasons(mixture)
    if frame.is_empty():
        return sentence("Nothing was removed.")
    most = int(frame["rows"].max())  # type: ignore[arg-type]
    lines = [
        tag(
            "tr",
            tag("th", line["reason"], scope="row"),
            tag("td", _name(line["stage"])),
            cell(line["rows"]),
            bar([(line["rows"] / most, "var(--c0)")]),
        )
        for line in _lines(frame.head(SHOWN_REASONS))
    ]
    shown = table(
        "reasons", "Why rows went, the most frequent reason first", ["reason", "stage", "rows", COMPARED], lines, 2
    )
    more = len(frame) - SHOWN_REASONS
    return join([shown, sentence(f"and {more} rarer reasons", class_="soft")]) if more > 0 else shown


def contamination(mixture: Mixture) -> Section:
    """Is it contaminated?"""
    sets = audit.evaluations(mixture)
    title = "Is it contaminated?"
    if sets.is_empty():
        said = sentence(
            tag("strong", "Nobody looked."),
            " No stage of the recipe compares rows with evaluation sets, so scores of a model trained on this mixture may be too high.",
        )
        return Section("contamination", title, (said,))
    found = audit.contamination(mixture)
    removed = sum(_removed(mixture, step) for step in sets["stage"].unique())
    unusable = int(sets["unusable"].sum())
    near = audit.near(mixture).filter(pl.col("fate") == KEPT_FATE)["id"].n_unique()
    parts = [
        sentence(
            tag(
                "strong",
                f"By the rule of the recipe, no row that is left holds an evaluation item of {_names(sets)}"
                f"{', of those that can be looked for' if unusable else ''}.",
            ),
            f" {number(removed)} rows that hold one were removed. About other evaluation sets this says nothing.",
        ),
        *(
            sentence(f"The rule of {stage['name']}: {_rule(stage['options'])}.", class_="soft")
            for stage in _deciding(mixture)
        ),
        *([sentence(_near(near))] if near else []),
        *([sentence(f"{number(unusable)} items have too few words to be looked for.")] if unusable else []),
        _heat(mixture, found, sets),
        sentence(
            "A cell counts the items of the set that rows of the source held before those rows were removed; several rows may "
            "hold one item. "
            "Above 2% of a set a source counts as contaminated in the Tülu 3 paper (section 3.2).",
            class_="soft",
        ),
        _sets_table(sets, mixture),
    ]
    return Section("contamination", title, tuple(parts))


def _names(sets: pl.DataFrame) -> str:
    names = sets["evaluation"].unique().sort().to_list()
    return ", ".join(names) if len(names) <= 6 else f"the {len(names)} sets below"


def _deciding(mixture: Mixture) -> list[Mapping[str, Any]]:
    return [stage for stage in mixture.manifest["stages"] if "evaluations" in stage]


def _rule(options: Mapping[str, Any]) -> str:
    limit = f"above {options['above']}" if options.get("above") is not None else f"at least {options.get('at_least')}"
    said = f"“{options['rule']}”, with n-grams of {options['n']} words, {options['statistic']} {limit}"
    if not options.get("full_below"):
        return said
    return (
        f"{said}; items of fewer than {options['relaxed_from']} words need more, those of fewer than "
        f"{options['full_below']} all of it: the threshold of each row that went is beside it"
    )


def _near(rows: int) -> str:
    return (
        f"{number(rows)} row{'s' * (rows != 1)} near an item, with its words and other numbers, "
        f"{'were' if rows != 1 else 'was'} kept: reports/*-near.parquet lists them."
    )


def _heat(mixture: Mixture, found: pl.DataFrame, sets: pl.DataFrame) -> Markup:
    """Sources × evaluation sets, those alone that share something."""
    seen = found.filter(pl.col("contaminated") > 0)
    if seen.is_empty():
        return sentence("No row of any source held one.")
    names = seen.group_by("evaluation").agg(pl.col("rows").sum()).sort("rows", "evaluation", descending=[True, False])
    columns = names["evaluation"].head(SHOWN_SETS).to_list()
    stages = [stage["name"] for stage in _deciding(mixture)]
    lines = []
    for source, rows in sorted(mixture.rows.items()):
        of_set = {
            line["evaluation"]: line for line in _lines(found.filter(pl.col("source") == source).sort("contaminated"))
        }
        cells = []
        for column in columns:
            line = of_set.get(column)
            share = line["contaminated"] / line["items"] if line and line["items"] else 0
            heat = f"background:color-mix(in srgb,var(--c1) {round(10 + share * 38)}%,transparent)" if share else None
            text = "·" if not line or not share else f"{number(line['contaminated'])} ({percent(share)})"
            cells.append(tag("td", text, class_="n heat" + ("" if share else " zero"), style=heat))
        removed = sum(rows["removed"].get(stage, 0) for stage in stages)
        lines.append(tag("tr", tag("th", source, scope="row"), cell(removed), *cells))
    items = dict(sets.select("evaluation", "items").iter_rows())
    heads = [
        "source",
        "rows removed",
        *(join([breakable(column), f" ({number(items[column])})"]) for column in columns),
    ]
    caption = "Evaluation items that each source held, of how many in the set"
    without = sorted(set(sets["evaluation"]) - set(names["evaluation"]))
    none = f"No source held an item of {', '.join(without)}." if without else ""
    more = f" Of {len(names) - SHOWN_SETS} more sets a few were held." if len(names) > SHOWN_SETS else ""
    return join([table("contamination", caption, heads, lines), sentence(none + more, class_="soft")])


def _sets_table(sets: pl.DataFrame, mixture: Mixture) -> Markup:
    lines = [
        tag("tr", tag("th", line["evaluation"], scope="row"), *(cell(line[kind]) for kind in _KINDS_OF_ITEMS))
        for line in _lines(sets)
    ]
    heads = [
        "evaluation set",
        "items",
        "looked for by n-grams",
        "short: looked for as a whole",
        "too short to be looked for",
    ]
    return table("evaluations", "The evaluation sets, and how their items were looked for", heads, lines)


_KINDS_OF_ITEMS: Final = ("items", "indexed", "short", "unusable")


def duplicates(mixture: Mixture) -> Section:
    """Are there duplicates?"""
    pairs, found = audit.overlap(mixture), audit.clusters(mixture)
    title = "Were there duplicates?"
    looking = [stage["name"] for stage in mixture.manifest["stages"] if "dedup" in stage["name"]]
    if not looking and pairs.is_empty():
        return Section("duplicates", title, (sentence("No stage of the recipe looks for them."),))
    parts = [
        sentence(
            f"{number(int(pairs['rows'].sum()))} rows went for another that the stage keeps{_alike(mixture, pairs)}. "
            "Each has its twin in the evidence."
        )
    ]
    if len(pairs):
        finders = pairs["stage"].unique(maintain_order=True).to_list()
        ordered = pairs.pivot("stage", index=["source", "twin_source"], values="rows").fill_null(0)
        ordered = ordered.with_columns(pl.sum_horizontal(finders).alias("all"))
        ordered = ordered.sort("all", "source", "twin_source", descending=[True, False, False])
        lines = [
            tag(
                "tr",
                tag("th", line["source"], scope="row"),
                tag("td", line["twin_source"]),
                *(cell(line[stage]) for stage in (*finders, "all")),
            )
            for line in _lines(ordered.head(SHOWN_PAIRS))
        ]
        across = int(pairs.filter(pl.col("source") != pl.col("twin_source"))["rows"].sum())
        parts.append(sentence(f"{number(across) if across else 'None'} of them had their twin in another source."))
        heads: list[object] = ["rows of", "went for rows of", *(breakable(stage) for stage in finders), "all"]
        parts.append(table("overlap", "Whose rows went for whose", heads, lines, 2))
        if len(ordered) > SHOWN_PAIRS:
            parts.append(sentence(f"and {len(ordered) - SHOWN_PAIRS} more pairs with fewer rows", class_="soft"))
    if len(found):
        largest = found.sort("rows", "stage", "cluster", descending=[True, False, False]).head(SHOWN_CLUSTERS)
        begins = dict(audit.beginnings(mixture, largest["id"].to_list()).iter_rows())
        lines = [
            tag(
                "tr",
                tag("th", tag("code", line["id"][:12]), scope="row"),
                tag("td", begins.get(line["id"], "not in the mixture: removed by a later stage")),
                tag("td", line["sources"]),
                cell(line["rows"]),
                cell(line["least"]),
            )
            for line in _lines(largest)
        ]
        parts += [
            tag("h3", "The largest clusters of near rows"),
            sentence(
                f"{number(len(found))} clusters in all. A cluster is a row that was kept and those that went for it; "
                "similarity is the part of word sequences that two rows share (Jaccard; 1 is all of them)."
            ),
            table(
                "clusters",
                "The largest clusters, by the row that was kept",
                ["row kept", "it begins", "sources", "rows", "least similar"],
                lines,
                3,
            ),
            *_similarities(mixture),
        ]
    return Section("duplicates", title, tuple(parts))


def _alike(mixture: Mixture, pairs: pl.DataFrame) -> str:
    """What was the same in them, stage by stage."""
    told = []
    for stage in mixture.manifest["stages"]:
        rows = int(pairs.filter(pl.col("stage") == stage["name"])["rows"].sum())
        on = stage["options"].get("on")
        if rows and on in SAID:
            nearly = "nearly " if stage["name"] in mixture.clusters else ""
            differ = ", whatever the answer" if on == "prompt" else ""
            told.append(f"{number(rows)} with {nearly}the same {SAID[on]} ({stage['name']}{differ})")
    return f": {' and '.join(told)}" if told else ""


def _similarities(mixture: Mixture) -> list[Markup]:
    """How near the rows were that went for another."""
    drawn: list[Markup] = []
    scored = audit.scores(mixture).filter(pl.col("stage").is_in(list(mixture.clusters)))
    for (stage,), own in scored.group_by("stage", maintain_order=True):
        summed = own.group_by("low", "high").agg(pl.col("rows").sum()).sort("low")
        rows = number(int(summed["rows"].sum()))
        drawn.append(tag("h3", f"How near they were: {stage}"))
        if len(summed) == 1:
            drawn.append(sentence(f"{rows} rows went, with a similarity of {number(summed['low'][0])}."))
            continue
        said = f"{rows} rows by their similarity to the row that is kept."
        figure = histogram(list(summed.iter_rows()), escape(said), said)
        # Bins are round: some begin where a threshold might be.
        edges = [low for low in summed["low"] if round(low * 100) % 5 == 0]
        lines = [
            tag("tr", tag("th", number(low), scope="row"), cell(int(summed.filter(pl.col("low") >= low)["rows"].sum())))
            for low in edges
        ]
        heads = ["similarity of at least", "rows"]
        drawn += [
            sentence(
                "With a higher threshold those below it would stay, unless they are near another row: a build with it tells, "
                "and measures nothing again."
            ),
            tag("div", figure, table(f"similarity-{stage}", "Rows that went", heads, lines), class_="beside"),
        ]
    return drawn


def lengths(mixture: Mixture) -> Section:
    """How long are the rows?"""
    frame, drawn = audit.lengths(mixture), audit.length_bins(mixture)
    unit = frame["unit"][0]
    figures = []
    order = audit.composition(mixture)["source"].to_list()
    of_source = {line["source"]: line for line in _lines(frame)}
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
        for line in _lines(frame)
    ]
    parts = (
        sentence(
            f"Half of all rows have up to {number(every['median'])} {unit}, 95% up to {number(every['p95'])}; the longest has {number(every['most'])}."
        ),
        tag("div", *figures, class_="multiples"),
        table("lengths", f"Lengths of rows in {unit}", heads, lines),
    )
    return Section("lengths", "How long are the rows?", parts)


def thresholds(mixture: Mixture) -> Section | None:
    """What would change at another threshold?"""
    counted, scored = audit.thresholds(mixture), audit.scores(mixture)
    if counted.is_empty():
        return None
    total = sum(rows["read"] - rows["quarantined"] for rows in mixture.rows.values())
    parts: list[Markup] = [
        sentence(
            f"What each filter would remove of the {number(total)} rows that were read if one value were another and its other "
            "limits stayed: counted before any other stage, which may remove some of these rows as well. Counted from what the build measured; a rebuild with another threshold scans nothing."
        )
    ]
    for (stage, option), own in counted.group_by("stage", "option", maintain_order=True):
        used = own.filter("used")["value"][0]
        own_bins = scored.filter((pl.col("stage") == stage) & (pl.col("option") == option))
        summed = own_bins.group_by("low", "high").agg(pl.col("rows").sum()).sort("low")
        with_value = int(summed["rows"].sum())
        measured = _measured(mixture, str(stage), str(option))
        none = f" {number(total - with_value)} rows have none of it." if total > with_value else ""
        said = f"{number(with_value)} rows by their {measured}; the threshold is {number(used)}."
        parts += [tag("h3", f"{stage}: {option} = {number(used)}"), *_meaning(str(stage), str(option))]
        others = _alternatives(str(stage), str(option), own, total)
        if len(summed) == 1:
            parts += [sentence(f"All {number(with_value)} rows have {number(summed['low'][0])}.{none}"), others]
            continue
        is_beyond = used > summed["high"].max() or used < summed["low"].min()
        beyond = (
            " The threshold is beyond what is drawn; the outermost bar holds what lies farther out."
            if is_beyond
            else ""
        )
        caption = escape(f"{number(with_value)} rows by their {measured}.{beyond}{none}")
        drawn = histogram(list(summed.iter_rows()), caption, said, "", used)
        parts.append(tag("div", drawn, others, class_="beside"))
    return Section("thresholds", "What would change at another threshold?", tuple(parts))


def _meaning(stage: str, option: str) -> list[Markup]:
    """What a stage of ours says of its option."""
    known = stage if stage in stages.names() else stage.rpartition("-")[0]
    if known not in stages.names():
        return []
    return [sentence(prose(f"{stages.find(known).model_fields[option].description}."), class_="soft")]


def _measured(mixture: Mixture, stage: str, option: str) -> str:
    """What a threshold is held against, in words."""
    options = next(entry["options"] for entry in mixture.manifest["stages"] if entry["name"] == stage)
    if "statistic" in options and option in ("above", "at_least"):
        return f"{options['statistic']} with the evaluation item that they share most with"
    return option.removeprefix("min_").removeprefix("max_").replace("_", " ")


def _alternatives(stage: str, option: str, counted: pl.DataFrame, total: int) -> Markup:
    summed = counted.group_by("value").agg(pl.col("rows").sum())
    if summed["rows"].n_unique() == 1:
        values, rows = summed["value"].sort().to_list(), int(summed["rows"][0])
        what = f"the same {number(rows)} rows, by its other limits," if rows else "no row"
        return sentence(f"The stage would remove {what} at any value from {number(values[0])} to {number(values[-1])}.")
    most = int(summed["rows"].max())  # type: ignore[arg-type]
    lines = []
    for (value, used), own in counted.sort("value").group_by("value", "used", maintain_order=True):
        rows = int(own["rows"].sum())
        lines.append(
            tag(
                "tr",
                tag("th", f"{number(float(value))}{' (the recipe)' if used else ''}", scope="row"),
                bar([(rows / most if most else 0, "var(--c1)")]),
                cell(rows),
                tag("td", percent(rows / total if total else 0), class_="n"),
                class_="used" if used else None,
            )
        )
    caption = f"Rows that {stage} alone would remove, by {option}"
    return table(f"thresholds-{stage}-{option}", caption, [option, COMPARED, "rows removed", "of rows read"], lines, 2)


def licences(mixture: Mixture) -> Section:
    """May I use it?"""
    frame = audit.licenses(mixture)
    unsaid = frame.filter(pl.col("license").is_null())
    closed = [
        line
        for line in _lines(frame)
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
            "Each source has a licence, and none of them says that commercial use is forbidden; read them all the same."
        )
    if closed or len(unsaid):
        rest = int(frame["rows"].sum()) - sum(line["rows"] for line in [*closed, *_lines(unsaid)])
        verdicts.append(f"The other sources have {number(rest)} of {number(int(frame['rows'].sum()))} rows.")
    lines = [
        tag("tr", tag("th", line["source"], scope="row"), tag("td", line["license"] or "not said"), cell(line["rows"]))
        for line in _lines(frame)
    ]
    parts = (
        sentence(tag("strong", " ".join(verdicts))),
        sentence("A mixture has no licence of its own; each row keeps that of its source.", class_="soft"),
        table("licenses", "Licences of the sources, as the recipe says", ["source", "licence", "rows"], lines, 2),
    )
    return Section("licences", "May I use it?", parts)


def checking(mixture: Mixture) -> Section:
    """How can I check this?"""
    manifest = mixture.manifest
    name = f"{manifest['name']}@{mixture.version}"
    parts = (
        sentence(
            "Everything on this page is in the tables that lie beside it. ",
            tag("code", f"tulu-data verify {name}"),
            " takes the digest of each file and counts all rows again, looks through the rows for the evaluation items once "
            "more by plain code, and compares some rows with all others. ",
            tag("code", f"tulu-data explain {name} ID"),
            " tells what became of one row.",
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


def _lines(frame: pl.DataFrame) -> list[dict[str, Any]]:
    return list(frame.iter_rows(named=True))


ALL: Final[tuple[Callable[[Mixture], Section | None], ...]] = (
    composition,
    removals,
    contamination,
    duplicates,
    lengths,
    thresholds,
    licences,
    checking,
)
