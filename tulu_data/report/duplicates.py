"""Were there duplicates?"""

from __future__ import annotations

from typing import Final

import polars as pl

from tulu_data import audit
from tulu_data.mixture.mixture import Mixture
from tulu_data.report.charts import cell, histogram, number, sentence, table
from tulu_data.report.html import Markup, breakable, escape, tag
from tulu_data.report.section import Section, lines_of
from tulu_data.rows import kind as kinds

SHOWN_CLUSTERS: Final = 12
SHOWN_PAIRS: Final = 30


def duplicates(mixture: Mixture) -> Section:
    """Were there duplicates?"""
    pairs, found = audit.overlap(mixture), audit.clusters(mixture)
    title = "Were there duplicates?"
    if not audit.looks_for_twins(mixture):
        return Section("duplicates", title, (sentence("No stage of the recipe looks for them."),))
    parts = [
        sentence(
            f"{number(int(pairs['rows'].sum()))} rows were removed in favour of another row{_alike(mixture, pairs)}. "
            "The evidence lists the twin of each."
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
            for line in lines_of(ordered.head(SHOWN_PAIRS))
        ]
        across = int(pairs.filter(pl.col("source") != pl.col("twin_source"))["rows"].sum())
        parts.append(sentence(f"{number(across) if across else 'None'} of them had their twin in another source."))
        heads: list[object] = ["removed from", "in favour of", *(breakable(stage) for stage in finders), "all"]
        parts.append(
            table("overlap", "Removed rows, by their source and that of the row kept instead", heads, lines, 2)
        )
        if len(ordered) > SHOWN_PAIRS:
            parts.append(sentence(f"and {len(ordered) - SHOWN_PAIRS} more pairs with fewer rows", class_="soft"))
    if len(found):
        largest = found.sort("rows", "stage", "cluster", descending=[True, False, False]).head(SHOWN_CLUSTERS)
        begins = dict(audit.beginnings(mixture, largest["id"].to_list()).iter_rows())
        lines = [
            tag(
                "tr",
                tag("th", tag("code", line["id"][:12]), scope="row"),
                tag("td", begins.get(line["id"], "not in the mixture: removed by a later stage"), dir="auto"),
                tag("td", line["sources"]),
                cell(line["rows"]),
                cell(line["least"]),
            )
            for line in lines_of(largest)
        ]
        parts += [
            tag("h3", "The largest clusters of near-duplicates"),
            sentence(
                f"{number(len(found))} clusters in all. A cluster is a kept row and those removed in favour of it; "
                "similarity is the share of word sequences that two rows have in common (Jaccard; 1 is all of them)."
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
    """What the rows have in common, stage by stage."""
    told = []
    for stage in mixture.stages:
        rows = int(pairs.filter(pl.col("stage") == stage["name"])["rows"].sum())
        on = stage["options"].get("on")
        if rows and isinstance(on, str) and on in (said := kinds.compared()):
            nearly = "nearly " if stage["name"] in mixture.reports("clusters") else ""
            differ = ", whatever the answer" if on == "prompt" else ""
            told.append(f"{number(rows)} with {nearly}the same {said[on]} ({stage['name']}{differ})")
    return f": {' and '.join(told)}" if told else ""


def _similarities(mixture: Mixture) -> list[Markup]:
    """How near the removed rows were to those kept instead."""
    drawn: list[Markup] = []
    scored = audit.scores(mixture).filter(pl.col("stage").is_in(list(mixture.reports("clusters"))))
    for (stage,), own in scored.group_by("stage", maintain_order=True):
        summed = own.group_by("low", "high").agg(pl.col("rows").sum()).sort("low")
        rows = number(int(summed["rows"].sum()))
        drawn.append(tag("h3", f"How near they were: {stage}"))
        if len(summed) == 1:
            drawn.append(sentence(f"{rows} rows were removed, with a similarity of {number(summed['low'][0])}."))
            continue
        said = f"{rows} rows by their similarity to the row that is kept."
        figure = histogram(list(summed.iter_rows()), escape(said), said)
        # Bins have round bounds: some begin where a threshold might be.
        edges = [low for low in summed["low"] if round(low * 100) % 5 == 0]
        lines = [
            tag("tr", tag("th", number(low), scope="row"), cell(int(summed.filter(pl.col("low") >= low)["rows"].sum())))
            for low in edges
        ]
        heads = ["similarity of at least", "rows"]
        drawn += [
            sentence(
                "With a higher threshold, rows below it would be kept, unless they are near another row. A build with another "
                "threshold shows this, and measures nothing again."
            ),
            tag("div", figure, table(f"similarity-{stage}", "Removed rows", heads, lines), class_="beside"),
        ]
    return drawn
