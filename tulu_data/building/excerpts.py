"""Some rows of each fate, with the evidence for their removal: the part of a mixture that a person can read through.

Ids are hashes, so the first ids are as good as a random sample. Texts are cut, and those of rows
that a private stage would remove are left out: they hold evaluation items or secrets.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import Any, Final

import polars as pl
import pyarrow.parquet as pq

from tulu_data.mixture.explain import Explainer, Explanation
from tulu_data.mixture.layout import EXCERPT_CHARACTERS, EXCERPT_MESSAGE, EXCERPT_ROWS, EXCERPTS, EXCERPTS_FILE, KEPT
from tulu_data.rows.rows import Turn
from tulu_data.store import parquet

# How much text rows that are read together may have.
TEXT_BYTES: Final = 64 << 20
MESSAGES: Final = 8


def write(explainer: Explainer, private: Collection[str], folder: Path) -> None:
    """Write `excerpts.parquet`: up to 120 kept and 120 removed rows, spread evenly over sources and stages if possible.

    `messages` are the first 8, each with its reasoning and calls after its content, with up to 1,600
    characters in all, and `left_out` is how many characters of each were cut; `messages` is
    null for rows whose ids are `private`. `evidence` is the stage's evidence, as text.
    """
    ledger = explainer.mixture.scan(*explainer.mixture.ledger)
    kept = _spread(ledger.filter(pl.col("fate") == KEPT), EXCERPT_ROWS[0])
    removed = _spread(ledger.filter(pl.col("fate") != KEPT), EXCERPT_ROWS[1])
    chosen = [*kept, *removed]
    at_once = _at_once(explainer.mixture.data)
    lines = [
        _line(row, private)
        for start in range(0, len(chosen), at_once)
        for row in explainer.of(chosen[start : start + at_once])
    ]
    schema = {**EXCERPTS}
    if len(explainer.mixture.kind.messages) > 1:
        labelled = pl.List(pl.Struct({"label": pl.String, **EXCERPT_MESSAGE}))
        schema |= {"messages": labelled, "twin_messages": labelled}
    parquet.write_frame(folder / EXCERPTS_FILE, pl.DataFrame(lines, schema=schema, orient="row").sort("id"))


def _at_once(files: Iterable[Path]) -> int:
    """How many rows may be read at a time, by the mean size of the rows that are kept."""
    found = [pq.read_metadata(file) for file in files]
    size = sum(data.row_group(index).total_byte_size for data in found for index in range(data.num_row_groups))
    rows = sum(data.num_rows for data in found)
    return max(1, TEXT_BYTES * rows // size) if rows else 1


def _spread(rows: pl.LazyFrame, most: int) -> list[str]:
    """The ids of some rows: the first of each source and fate, then the second of each, and so on."""
    turn = pl.int_range(pl.len()).over("source", "fate")
    first = rows.select("id", turn.alias("turn")).sort("turn", "id").head(most)
    ids: list[str] = first.collect()["id"].to_list()
    return ids


def _line(row: Explanation, private: Collection[str]) -> dict[str, Any]:
    is_shown = row.id not in private
    turns = row.turns if is_shown else None
    twin = row.twin if row.twin and row.twin.id not in private else None
    return {
        "id": row.id,
        "source": row.source,
        "fate": row.fate,
        "reason": row.reason,
        "copies": row.copies,
        "evidence": [
            {"name": name, "value": f"{value:g}" if isinstance(value, float) else str(value)}
            for name, value in row.told.items()
            if value is not None and (is_shown or name != "found")
        ],
        "messages": None if turns is None else _cut(turns),
        "more_messages": 0 if turns is None else max(0, len(turns) - MESSAGES),
        "twin": row.twin.id if row.twin else None,
        "twin_source": row.twin.source if row.twin else None,
        "twin_messages": _cut(twin.turns) if twin and twin.turns is not None else None,
    }


def _cut(turns: Sequence[Turn]) -> list[dict[str, Any]]:
    """The first messages, each cut to its fair share of the characters."""
    shown = turns[:MESSAGES]
    each = _fair([len(turn.text) for turn in shown], EXCERPT_CHARACTERS)
    return [
        {
            **({"label": turn.label} if turn.label else {}),
            "role": turn.role,
            "content": turn.text[:length],
            "left_out": len(turn.text) - length,
        }
        for turn, length in zip(shown, each, strict=True)
    ]


def _fair(lengths: list[int], total: int) -> list[int]:
    """Share a total fairly: none gets more than its length, and what one leaves is given to the others.

    >>> _fair([10, 500, 500], 410)
    [10, 200, 200]
    """
    given = [0] * len(lengths)
    for position, (length, place) in enumerate(sorted((length, place) for place, length in enumerate(lengths))):
        given[place] = min(length, (total - sum(given)) // (len(lengths) - position))
    return given
