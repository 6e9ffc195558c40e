"""Is it contaminated?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import polars as pl

from tulu_data import audit
from tulu_data.mixture.layout import KEPT as KEPT_FATE
from tulu_data.mixture.mixture import Mixture
from tulu_data.report.charts import cell, number, percent, sentence, table
from tulu_data.report.html import Markup, breakable, join, tag
from tulu_data.report.section import Section, lines_of

SHOWN_SETS: Final = 12


def contamination(mixture: Mixture) -> Section:
    """Is it contaminated?"""
    sets = audit.evaluations(mixture)
    title = "Is it contaminated?"
    if sets.is_empty():
        said = sentence(
            tag("strong", "Unknown."),
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
                f"By the rule of the recipe, no row that is left contains an evaluation item of {_names(sets)}"
                f"{', of those that can be found' if unusable else ''}.",
            ),
            f" {number(removed)} rows that contain one were removed. Other evaluation sets were not checked.",
        ),
        *(
            sentence(f"The rule of {stage['name']}: {_rule(stage['options'])}.", class_="soft")
            for stage in _deciding(mixture)
        ),
        *([sentence(_near(near))] if near else []),
        *([sentence(f"{number(unusable)} items have too few words to be found.")] if unusable else []),
        _heat(mixture, found, sets),
        sentence(
            "A cell counts the items of the set that rows of the source contained before those rows were removed; several "
            "rows may contain the same item. "
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
    return [stage for stage in mixture.stages if "evaluations" in stage]


def _rule(options: Mapping[str, Any]) -> str:
    limit = f"above {options['above']}" if options.get("above") is not None else f"at least {options.get('at_least')}"
    said = f"“{options['rule']}”, with n-grams of {options['n']} words, {options['statistic']} {limit}"
    if not options.get("full_below"):
        return said
    return (
        f"{said}; items of fewer than {options['relaxed_from']} words need more, those of fewer than "
        f"{options['full_below']} all of it: each removed row is listed with its threshold"
    )


def _near(rows: int) -> str:
    return (
        f"{number(rows)} row{'s' * (rows != 1)} near an item, with its words and other numbers or with its beginning "
        f"alone, {'were' if rows != 1 else 'was'} kept: reports/*-near.parquet lists them."
    )


def _heat(mixture: Mixture, found: pl.DataFrame, sets: pl.DataFrame) -> Markup:
    """A table of sources × evaluation sets, with the sets that have contaminated items."""
    seen = found.filter(pl.col("contaminated") > 0)
    if seen.is_empty():
        return sentence("No row of any source contained an item.")
    names = seen.group_by("evaluation").agg(pl.col("rows").sum()).sort("rows", "evaluation", descending=[True, False])
    columns = names["evaluation"].head(SHOWN_SETS).to_list()
    stages = [stage["name"] for stage in _deciding(mixture)]
    lines = []
    for source, rows in sorted(mixture.rows.items()):
        of_set = {
            line["evaluation"]: line for line in lines_of(found.filter(pl.col("source") == source).sort("contaminated"))
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
    caption = "Evaluation items that each source contained, and in the heading how many the set has"
    without = sorted(set(sets["evaluation"]) - set(names["evaluation"]))
    none = f"No source contained an item of {', '.join(without)}." if without else ""
    more = f" {len(names) - SHOWN_SETS} more sets had items in fewer rows." if len(names) > SHOWN_SETS else ""
    return join([table("contamination", caption, heads, lines), sentence(none + more, class_="soft")])


def _sets_table(sets: pl.DataFrame, mixture: Mixture) -> Markup:
    lines = [
        tag("tr", tag("th", line["evaluation"], scope="row"), *(cell(line[kind]) for kind in _KINDS_OF_ITEMS))
        for line in lines_of(sets)
    ]
    heads = [
        "evaluation set",
        "items",
        "indexed by n-grams",
        "short: matched as a whole",
        "unusable: too short",
    ]
    return table("evaluations", "The evaluation sets, and how their items were matched", heads, lines)


_KINDS_OF_ITEMS: Final = ("items", "indexed", "short", "unusable")


def fact(mixture: Mixture) -> list[tuple[str, str, str]]:
    """The figures for the top of the page: name, number, detail."""
    sets = audit.evaluations(mixture)
    if sets.is_empty():
        return [("Contaminated rows", "not looked for", "no stage of the recipe looks for them")]
    removed = sum(_removed(mixture, step) for step in sets["stage"].unique())
    return [("Contaminated rows", number(removed), f"found and removed; checked {_sets(sets)}")]


def _sets(sets: pl.DataFrame) -> str:
    count = sets["evaluation"].n_unique()
    return f"{count} evaluation set{'s' * (count != 1)}"


def _removed(mixture: Mixture, step: str) -> int:
    return sum(rows["removed"].get(step, 0) for rows in mixture.rows.values())
