"""What is in a mixture: a function for each question; page, terminal and notebook show the same frames.

Every answer comes from the mixture's own folder, so it is the same for whoever built it and
for everybody else. Rows are Int64, shares Float64 from 0 to 1; frames are small and sorted.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any, Final, Literal

import polars as pl

from tulu_data.errors import printable
from tulu_data.mixture.bins import binned, bins
from tulu_data.mixture.layout import (
    BLEMISHES,
    BLEMISHES_FILE,
    EXCERPT_CHARACTERS,
    EXCERPT_ROWS,
    EXCERPTS,
    EXCERPTS_FILE,
    KEPT,
    QUARANTINED,
    SCORES,
    THRESHOLDS,
)
from tulu_data.mixture.mixture import Mixture
from tulu_data.mixture.tables import DamagedError
from tulu_data.text.blemishes import BY_NAME, is_notable, shown_in
from tulu_data.verdicts import TWIN

By = Literal["source", "domain", "language"]
UNKNOWN: Final = "unknown"


def composition(mixture: Mixture, by: By = "source") -> pl.DataFrame:
    """What the mixture is made of, the largest part first.

        composition(mixture, by="domain")

    Columns: `by`'s name (String; "unknown" where it is missing), `rows`, `distinct` (each row
    counted once), `share` of all rows, `tokens` (null if they were
    not counted), of them `trainable` (those of the assistant's messages), `token_share`, `target`
    (the share that the recipe asks for, null where it mixes by something else) and `unit` (what
    the target is a share of: rows or tokens).
    """
    rows = _rows(mixture)
    tokens = pl.col("tokens").cast(pl.Int64)
    counted = pl.when(tokens.is_not_null().all()).then(tokens.sum())
    parts = (
        rows.group_by(pl.col(by).fill_null(UNKNOWN))
        .agg(
            pl.len().cast(pl.Int64).alias("rows"),
            (~pl.col("id").str.contains("-", literal=True)).sum().cast(pl.Int64).alias("distinct"),
            counted.alias("tokens"),
        )
        .collect()
    )
    return (
        parts.with_columns(
            (pl.col("rows") / pl.col("rows").sum()).alias("share"),
            (pl.col("tokens") / pl.col("tokens").sum()).alias("token_share"),
        )
        .join(_targets(mixture, by), on=by, how="left")
        .join(_trainable(mixture, by), on=by, how="left")
        .sort("rows", by, descending=[True, False])
        .select(by, "rows", "distinct", "share", "tokens", "trainable", "token_share", "target", "unit")
    )


def _trainable(mixture: Mixture, by: By) -> pl.DataFrame:
    """The tokens of each part that are trained on, if they were counted."""
    for path in mixture.reports("trainable").values():
        return mixture.read(path).group_by(pl.col(by).fill_null(UNKNOWN)).agg(pl.col("trainable").sum())
    return pl.DataFrame(schema={by: pl.String, "trainable": pl.Int64})


def _targets(mixture: Mixture, by: By) -> pl.DataFrame:
    """The share that the recipe asks for each part, where the mixture was mixed by it alone."""
    for step, path in mixture.reports("strata").items():
        if mixture.options_of(step).get("by") in (by, [by]):
            return mixture.read(path).select(pl.col("stratum").alias(by), pl.col("share").alias("target"), "unit")
    return pl.DataFrame(schema={by: pl.String, "target": pl.Float64, "unit": pl.String})


def licenses(mixture: Mixture) -> pl.DataFrame:
    """The licence of each source, as the recipe gives it.

        licenses(mixture)

    Columns: `source`, `license` (String, null where the recipe gives none), `rows` written.
    """
    sources = mixture.manifest["sources"]
    lines = [(name, entry["license"], entry["written"]) for name, entry in sources.items()]
    schema = {"source": pl.String, "license": pl.String, "rows": pl.Int64}
    return pl.DataFrame(lines, schema=schema, orient="row").sort("rows", "source", descending=[True, False])


def flow(mixture: Mixture) -> pl.DataFrame:
    """What happened to the records of each source: from read to written, stage by stage.

        flow(mixture)

    Columns: `source`, `read`, `quarantined`, one for each stage that can remove rows (what
    it removed), `kept`, `written` (copies of kept rows). In each line
    read = quarantined + removed + kept.
    """
    steps = mixture.steps
    lines: list[dict[str, Any]] = [
        {
            "source": source,
            "read": rows["read"],
            QUARANTINED: rows["quarantined"],
            **{step: rows["removed"].get(step, 0) for step in steps},
            "kept": rows["kept"],
            "written": rows["written"],
        }
        for source, rows in mixture.rows.items()
    ]
    names = ("read", QUARANTINED, *steps, "kept", "written")
    return pl.DataFrame(lines, schema={"source": pl.String, **dict.fromkeys(names, pl.Int64)}).sort("source")


def reasons(mixture: Mixture) -> pl.DataFrame:
    """Why rows were removed, the most frequent reason first.

        reasons(mixture)

    Columns: `stage` ("quarantined" for records that could not be read), `reason`, `rows`.
    """
    ledger = (
        mixture.ledger_rows()
        .filter(pl.col("fate") != KEPT)
        .group_by(pl.col("fate").alias("stage"), "reason")
        .agg(pl.len().cast(pl.Int64).alias("rows"))
        .collect()
    )
    aside = mixture.read(mixture.folder / "quarantine.parquet").group_by(pl.col("code").alias("reason"))
    broken = aside.agg(pl.len().cast(pl.Int64).alias("rows")).select(
        pl.lit(QUARANTINED).alias("stage"), "reason", "rows"
    )
    return pl.concat([ledger, broken]).sort("rows", "stage", "reason", descending=[True, False, False])


def lengths(mixture: Mixture) -> pl.DataFrame:
    """How long the rows of each source are.

        lengths(mixture)

    Columns: `source`, `unit` ("tokens", or "characters" if tokens were not counted),
    `rows`, and of their lengths `least`, `p5`, `median`, `p95`, `most` (Int64). The last
    line, "all", counts all sources.
    """
    sized, unit = _sizes(mixture)
    size = pl.col("size")
    figures = (
        pl.len().cast(pl.Int64).alias("rows"),
        size.min().alias("least"),
        *(size.quantile(part, "nearest").cast(pl.Int64).alias(name) for name, part in _PARTS.items()),
        size.max().alias("most"),
    )
    each = sized.group_by("source").agg(*figures).sort("source")
    every = sized.select(pl.lit("all").alias("source"), *figures)
    return pl.concat([each, every]).select(
        "source", pl.lit(unit).alias("unit"), "rows", "least", "p5", "median", "p95", "most"
    )


_PARTS: Final = {"p5": 0.05, "median": 0.5, "p95": 0.95}


def length_bins(mixture: Mixture) -> pl.DataFrame:
    """A histogram of the lengths of each source.

        length_bins(mixture)

    Columns: `source`, `low`, `high` (Float64; `low` is included and `high` is not; the last bin has
    all longer rows), `rows`. Bins are the same for all sources.
    """
    sized, _ = _sizes(mixture)
    edges = bins(sized["size"])
    lines = [
        (source, low, high, rows)
        for (source,), own in sized.sort("source").group_by("source", maintain_order=True)
        for low, high, rows in zip(edges, edges[1:], binned(own["size"], edges), strict=False)
    ]
    schema = {"source": pl.String, "low": pl.Float64, "high": pl.Float64, "rows": pl.Int64}
    return pl.DataFrame(lines, schema=schema, orient="row")


def _sizes(mixture: Mixture) -> tuple[pl.DataFrame, str]:
    rows = _rows(mixture)
    counted = rows.select(pl.col("tokens").is_not_null().all()).collect().item()
    characters = pl.sum_horizontal(
        pl.col(name).list.eval(pl.element().struct.field("content").str.len_chars()).list.sum()
        for name in mixture.kind.messages
    )
    size = pl.col("tokens") if counted else characters
    sized = rows.select("source", size.cast(pl.Int64).alias("size")).collect()
    return sized, "tokens" if counted else "characters"


def evaluations(mixture: Mixture) -> pl.DataFrame:
    """The evaluation sets that the rows were compared with.

        evaluations(mixture)

    Columns: `stage`, `evaluation`, `items`, of them `indexed`, `short` (matched as a whole)
    and `unusable` (too few words to be found).
    """
    lines = [
        (stage["name"], name, *(account[kind] for kind in ("items", "indexed", "short", "unusable")))
        for stage in mixture.manifest["stages"]
        for name, account in stage.get("evaluations", {}).items()
    ]
    counts = dict.fromkeys(("items", "indexed", "short", "unusable"), pl.Int64)
    return pl.DataFrame(lines, schema={"stage": pl.String, "evaluation": pl.String, **counts}, orient="row").sort(
        "stage", "evaluation"
    )


def contamination(mixture: Mixture) -> pl.DataFrame:
    """How much of each evaluation set each source contained before rows were removed.

        contamination(mixture)

    Columns: `stage`, `source`, `evaluation`, `items` of the set, and of them `touched` (at
    least one n-gram shared), `contaminated`, `near`, `full` (in full); `rows` removed.
    """
    names = ("items", "touched", "contaminated", "near", "full", "rows")
    schema = {"stage": pl.String, "source": pl.String, "evaluation": pl.String, **dict.fromkeys(names, pl.Int64)}
    found = []
    for step, path in mixture.reports("evaluations").items():
        frame = mixture.read(path)
        known = next(stage for stage in mixture.stages if stage["name"] == step).get("evaluations", {})
        _require_known(mixture, path, frame["evaluation"], known, "evaluation set of the stage")
        found.append(frame.with_columns(pl.lit(step).alias("stage")))
    frames = [pl.DataFrame(schema=schema), *(frame.select(list(schema)).cast(schema) for frame in found)]  # type: ignore[arg-type]
    return pl.concat(frames).sort("stage", "source", "evaluation")


def near(mixture: Mixture) -> pl.DataFrame:
    """Rows that are near an evaluation item without containing it: its words with other numbers, or its beginning.

        near(mixture)

    Columns: `stage`, `id`, `source`, `fate` of the row, `evaluation`, `item`, `statistic`, `value`, `threshold`.
    """
    names = ("id", "source", "evaluation", "item", "statistic", "value", "threshold")
    floats = {"value": pl.Float64, "threshold": pl.Float64}
    schema = {"stage": pl.String, **dict.fromkeys(names, pl.String), **floats}
    frames = [pl.DataFrame(schema=schema)]
    for step, path in mixture.reports("near").items():
        frames.append(mixture.read(path).with_columns(pl.lit(step).alias("stage")).select(list(schema)).cast(schema))  # type: ignore[arg-type]
    found = pl.concat(frames)
    fates = mixture.ledger_rows().select("id", "fate").filter(pl.col("id").is_in(found["id"].implode())).collect()
    named = found.join(fates, on="id", how="left")
    return named.select("stage", "id", "source", "fate", *names[2:]).sort("stage", "id", "evaluation", "item")


def clusters(mixture: Mixture) -> pl.DataFrame:
    """Clusters of near-duplicates, the largest first.

        clusters(mixture)

    Columns: `stage`, `cluster` (its number), `rows` (including the kept one), `id` and
    `source` of the row that was kept, `sources` (of all of them, joined by commas), `least`
    (smallest Jaccard similarity of a removed row with the kept one).
    """
    schema = {
        "stage": pl.String,
        "cluster": pl.Int64,
        "rows": pl.Int64,
        "id": pl.String,
        "source": pl.String,
        "sources": pl.String,
        "least": pl.Float64,
    }
    frames = [pl.DataFrame(schema=schema)]
    for step, path in mixture.reports("clusters").items():
        twin = pl.col("is_twin")
        found = (
            mixture.read(path)
            .group_by("cluster")
            .agg(
                pl.len().alias("rows"),
                pl.col("id").filter(twin).first(),
                pl.col("source").filter(twin).first(),
                pl.col("source").unique().sort().str.join(", ").alias("sources"),
                pl.col("jaccard").min().alias("least"),
            )
        )
        if found["id"].null_count():
            raise _damaged(mixture, path, "a cluster has no row that was kept")
        frames.append(found.with_columns(pl.lit(step).alias("stage")).select(list(schema)).cast(schema))  # type: ignore[arg-type]
    return pl.concat(frames).sort("stage", "cluster")


def beginnings(mixture: Mixture, ids: Sequence[str], characters: int = 120) -> pl.DataFrame:
    """How some rows of the mixture begin.

        beginnings(mixture, clusters(mixture)["id"].head(10))

    Columns: `id`, `begins`: the first characters of its first message, on one line. Rows
    that are not in the mixture are left out.
    """
    texts = (pl.col(name).list.first().struct.field("content") for name in mixture.kind.messages)
    first = pl.coalesce(texts).str.replace_all(r"\s+", " ")
    cut = pl.when(first.str.len_chars() > characters).then(first.str.slice(0, characters - 1) + "…").otherwise(first)
    return _rows(mixture).filter(pl.col("id").is_in(list(ids))).select("id", cut.alias("begins")).collect().sort("id")


def overlap(mixture: Mixture) -> pl.DataFrame:
    """Which sources contain the same rows: how many of one were removed in favour of a row of another.

        overlap(mixture)

    Columns: `stage`, `source`, `twin_source`, `rows` of the first that were removed because a
    row of the second is the same, or nearly.
    """
    sources = mixture.ledger_rows().select(pl.col("id").alias(TWIN), pl.col("source").alias("twin_source"))
    schema = {"stage": pl.String, "source": pl.String, "twin_source": pl.String, "rows": pl.Int64}
    frames = [pl.DataFrame(schema=schema)]
    for step, path in mixture.evidence.items():
        evidence = mixture.checked(path)
        if TWIN in evidence.collect_schema():
            removed = evidence.join(sources, on=TWIN)
            counted = removed.group_by("source", "twin_source").agg(pl.len().cast(pl.Int64).alias("rows")).collect()
            frames.append(counted.select(pl.lit(step).alias("stage"), "source", "twin_source", "rows"))
    return pl.concat(frames).sort("stage", "source", "twin_source")


def looks_for_twins(mixture: Mixture) -> bool:
    """Whether a stage removes rows in favour of others: its evidence has a column for twins, even if it is empty."""
    return any(TWIN in mixture.scan(path).collect_schema() for path in mixture.evidence.values())


def scores(mixture: Mixture) -> pl.DataFrame:
    """The values that filters compare with their thresholds, measured on all rows, as histograms.

        scores(mixture)

    Columns: `stage`, `option` (the threshold's name in the recipe), `source`, `low`, `high`
    (the bin; `low` is included and `high` is not), `rows`. Rows without a value are not counted;
    a stage that finds near-duplicates counts only the rows that it removed.
    """
    frames = [pl.DataFrame(schema={"stage": pl.String, **SCORES})]
    for step, path in mixture.reports("scores").items():
        frames.append(_of_options(mixture, step, path).select(pl.lit(step).alias("stage"), *SCORES))
    return pl.concat(frames)


def thresholds(mixture: Mixture) -> pl.DataFrame:
    """How many rows each filter would remove at other thresholds, whatever the other stages do.

        thresholds(mixture)

    Columns: `stage`, `option`, `value` (Float64), `used` (Boolean: whether it is the
    recipe's), `source`, `rows` that the stage alone would remove. The counts for the recipe's value are
    `would_remove_alone` in the manifest.
    """
    frames = [pl.DataFrame(schema={"stage": pl.String, **THRESHOLDS})]
    for step, path in mixture.reports("thresholds").items():
        frame = _of_options(mixture, step, path)
        without = frame.group_by("option").agg(pl.col("used").any()).filter(~pl.col("used"))
        if len(without):
            raise _damaged(mixture, path, f"none of the values of '{without['option'][0]}' is the recipe's")
        frames.append(frame.select(pl.lit(step).alias("stage"), *THRESHOLDS))
    return pl.concat(frames)


def _of_options(mixture: Mixture, step: str, path: Path) -> pl.DataFrame:
    """Read a table in which each line is about an option of the step."""
    frame = mixture.read(path)
    _require_known(mixture, path, frame["option"], mixture.options_of(step), "option of the stage")
    return frame


def _require_known(mixture: Mixture, path: Path, named: pl.Series, known: Collection[str], what: str) -> None:
    strange = next((name for name in named.unique().sort() if name not in known), None)
    if strange is not None:
        raise _damaged(mixture, path, f"'{printable(strange, 60)}' is not a known {what}")


def _damaged(mixture: Mixture, path: Path, what: str) -> DamagedError:
    return DamagedError.of(mixture.folder, path.relative_to(mixture.folder).as_posix(), what)


def excerpts(mixture: Mixture) -> pl.DataFrame:
    """Some of the kept rows and some of the removed rows, with their texts.

        excerpts(mixture).filter(pl.col("fate") == mixture.steps[0])

    Columns: `id`, `source`, `fate`, `reason`, `copies`, `evidence` (a list of `name`,
    `value`), `messages` (a list of `role`, `content`, `left_out`: how many characters are not
    shown; null where the text is not published, because it contains evaluation items or secrets),
    `more_messages`, `twin`, `twin_source`, `twin_messages`.
    """
    path = mixture.folder / EXCERPTS_FILE
    if not path.is_file():
        return pl.DataFrame(schema=EXCERPTS)
    frame = mixture.read(path)
    # Texts are compared word by word, which is slow for long ones.
    sizes = [
        pl.col(name).list.eval(pl.element().struct.field("content").str.len_chars()).list.sum().max()
        for name in ("messages", "twin_messages")
    ]
    if len(frame) > sum(EXCERPT_ROWS) or max(size or 0 for size in frame.select(sizes).row(0)) > EXCERPT_CHARACTERS:
        raise _damaged(mixture, path, "has more rows, or longer texts, than any build shows")
    return frame


def blemishes(mixture: Mixture) -> pl.DataFrame:
    """Blemishes to look at first: faults that many rows of a source have, the largest share first.

    Columns: `source`, `blemish`, `what` it is, in words, `rows` that have it, out of (`of`)
    those read, how many of them are `kept`, `remedy`, the `id` of one row, and `shown`, a part of
    its text (null if that row is not kept). Faults that chat templates refuse are listed from one
    row on, the others from a hundred rows or one per cent; `reports/blemishes.parquet` has all.
    """
    path = mixture.folder / BLEMISHES_FILE
    every = mixture.read(path) if path.is_file() else pl.DataFrame(schema=BLEMISHES)
    _require_known(mixture, path, every["blemish"], BY_NAME, "blemish")
    notable = [line for line in every.iter_rows(named=True) if is_notable(line["blemish"], line["rows"], line["of"])]
    ids = [line["id"] for line in notable if line["kept"]]
    columns = mixture.kind.messages
    chosen = _rows(mixture).filter(pl.col("id").is_in(ids)).select("id", *columns).collect()
    texts = {
        row["id"]: [(message["role"], message["content"]) for name in columns for message in row[name]]
        for row in chosen.iter_rows(named=True)
    }
    lines = [
        {
            **line,
            "what": BY_NAME[line["blemish"]].what,
            "remedy": BY_NAME[line["blemish"]].remedy,
            "shown": shown_in(line["blemish"], texts[line["id"]]) if line["id"] in texts else None,
        }
        for line in notable
    ]
    schema = {**BLEMISHES, "what": pl.String, "remedy": pl.String, "shown": pl.String}
    names = ("source", "blemish", "what", "rows", "of", "kept", "remedy", "id", "shown")
    return (
        pl.DataFrame(lines, schema=schema)
        .sort(pl.col("rows") / pl.col("of"), "source", "blemish", descending=[True, False, False])
        .select(names)
    )


def unread(mixture: Mixture) -> pl.DataFrame:
    """Columns and keys in the records of each source that are not read, those of most rows first.

    Columns: `source`, `name` (a column, or a key of messages, `messages[].refusal`), `rows`
    in which it was neither null nor empty, and `of`, the rows read.
    """
    lines = [
        {"source": source, "name": name, "rows": rows, "of": entry["read"] - entry["quarantined"]}
        for source, entry in mixture.manifest["sources"].items()
        for name, rows in entry.get("unread", {}).items()
    ]
    schema = {"source": pl.String, "name": pl.String, "rows": pl.Int64, "of": pl.Int64}
    return pl.DataFrame(lines, schema=schema).sort("source", "rows", "name", descending=[False, True, False])


def as_values(mixture: Mixture) -> dict[str, list[dict[str, Any]]]:
    """The answers to all questions but the excerpts, as plain values, for JSON."""
    frames = {f"composition_by_{by}": composition(mixture, by) for by in ("source", "domain", "language")}
    frames |= {ask.__name__: ask(mixture) for ask in QUESTIONS}
    return {name: frame.to_dicts() for name, frame in frames.items()}


QUESTIONS: Final = (
    flow,
    blemishes,
    unread,
    reasons,
    evaluations,
    contamination,
    near,
    clusters,
    overlap,
    lengths,
    scores,
    thresholds,
    licenses,
)


def _rows(mixture: Mixture) -> pl.LazyFrame:
    return mixture.checked(*mixture.data)
