"""What would change at another threshold?"""

from __future__ import annotations

import polars as pl

from tulu_data import audit, stages
from tulu_data.mixture.mixture import Mixture
from tulu_data.report.charts import COMPARED, bar, cell, histogram, number, percent, sentence, table
from tulu_data.report.html import Markup, escape, prose, tag
from tulu_data.report.section import Section


def thresholds(mixture: Mixture) -> Section | None:
    """What would change at another threshold?"""
    counted, scored = audit.thresholds(mixture), audit.scores(mixture)
    if counted.is_empty():
        return None
    total = sum(rows["read"] - rows["quarantined"] for rows in mixture.rows.values())
    parts: list[Markup] = [
        sentence(
            f"How many of the {number(total)} rows that were read each filter would remove if one of its values were different and "
            "the others stayed. Other stages are ignored here; they may remove some of these rows as well. The numbers are counted from stored measures: a rebuild with another threshold scans nothing."
        )
    ]
    for (stage, option), own in counted.group_by("stage", "option", maintain_order=True):
        used = own.filter("used")["value"][0]
        own_bins = scored.filter((pl.col("stage") == stage) & (pl.col("option") == option))
        summed = own_bins.group_by("low", "high").agg(pl.col("rows").sum()).sort("low")
        with_value = int(summed["rows"].sum())
        measured = _measured(mixture, str(stage), str(option))
        none = f" {number(total - with_value)} rows have no value." if total > with_value else ""
        said = f"{number(with_value)} rows by their {measured}; the threshold is {number(used)}."
        parts += [tag("h3", f"{stage}: {option} = {number(used)}"), *_meaning(str(stage), str(option))]
        others = _alternatives(str(stage), str(option), own, total)
        if summed.is_empty():
            parts.append(others)
            continue
        if len(summed) == 1:
            parts += [sentence(f"All {number(with_value)} rows have {number(summed['low'][0])}.{none}"), others]
            continue
        is_beyond = used > summed["high"].max() or used < summed["low"].min()
        beyond = (
            " The threshold is beyond the drawn range; the outermost bar contains all values farther out."
            if is_beyond
            else ""
        )
        caption = escape(f"{number(with_value)} rows by their {measured}.{beyond}{none}")
        drawn = histogram(list(summed.iter_rows()), caption, said, "", used)
        parts.append(tag("div", drawn, others, class_="beside"))
    return Section("thresholds", "What would change at another threshold?", tuple(parts))


def _meaning(stage: str, option: str) -> list[Markup]:
    """The description of an option, for a built-in stage."""
    kind = stages.of_step(stage)
    return [sentence(prose(f"{kind.model_fields[option].description}."), class_="soft")] if kind else []


def _measured(mixture: Mixture, stage: str, option: str) -> str:
    """The name of the value that is compared with a threshold."""
    options = mixture.options_of(stage)
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
