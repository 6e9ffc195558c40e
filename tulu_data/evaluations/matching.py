"""The items of evaluation sets that a row shares n-grams with, which is the measure of decontamination.

Measures depend on this module and its imports alone, not on code that reads evaluation sets or
judges rows: the index has its own key.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final, Protocol

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

from tulu_data.evaluations import standing, surroundings
from tulu_data.evaluations.ngram_index import Found, NgramIndex
from tulu_data.evaluations.rules import VALUES
from tulu_data.evaluations.surroundings import Place
from tulu_data.kernels.ngrams import Work
from tulu_data.rows.on import On
from tulu_data.rows.rows import Rows, Texts

PAIR: Final = {
    "item": pl.UInt32,
    "covered": pl.UInt32,
    "grams": pl.UInt32,
    "longest": pl.UInt32,
    "whole": pl.UInt32,
    "idf": pl.Float64,
    "covered_all": pl.UInt32,
    "numbers": pl.UInt32,
    "numbers_missing": pl.UInt32,
    "message": pl.UInt32,
    "start": pl.UInt32,
    "end": pl.UInt32,
    "token": pl.UInt32,
    "alone": pl.UInt32,
    "answered": pl.Boolean,
    "supported": pl.Boolean,
    "broken_off": pl.Boolean,
}
MEASURES: Final = {"pairs": pl.List(pl.Struct(PAIR)), "ngrams": pl.List(pl.UInt32)}
LONG_BEGINNING: Final = 12
"""The beginning of an item with this many words belongs to no other text, even if words follow it."""
Numbers = npt.NDArray[Any]


class Matching(Protocol):
    """The options of a stage that its measures depend on, and its index."""

    @property
    def on(self) -> On: ...
    @property
    def noted_from(self) -> Decimal: ...
    @property
    def answer_words(self) -> int: ...
    @property
    def answered_from(self) -> Decimal | None: ...
    @property
    def beginning_from(self) -> Decimal | None: ...
    def opened(self) -> tuple[NgramIndex, Work]: ...


def measure(stage: Matching, rows: Rows) -> pl.DataFrame:
    """Columns `pairs`, a list of the overlaps of the row with items, and `ngrams`, the index's n-grams in the row."""
    index, work = stage.opened()
    texts = rows.texts(stage.on)
    found = index.scan(texts.strings, texts.offsets, work, float(stage.noted_from))
    pairs = found.pairs
    places = texts.offsets[pairs["row"].to_numpy()] + pairs["text"].to_numpy()
    followed = _followed(stage, index, found, rows, texts)
    pairs = pairs.join(surroundings.alone(found.wholes, index, texts), on=("row", "item"), how="left")
    pairs = pairs.join(followed, on=("row", "item"), how="left").sort("row", "item")
    pairs = pairs.with_columns(
        pl.Series("message", texts.numbers[places] if len(places) else np.zeros(0, np.int32)),
        pl.col("item_token").alias("token"),
        pl.col("alone").fill_null(0),
        pl.col("answered", "supported").fill_null(value=False),
        pl.Series("broken_off", _broken_off(stage, index, pairs, texts, places), dtype=pl.Boolean),
    )
    # In characters of the whole message, with its calls at the end.
    begins = pl.Series(texts.begins[places], dtype=pl.Int64)
    pairs = pairs.with_columns(pl.col(name) + begins for name in ("start", "end"))
    counts = np.bincount(pairs["row"].to_numpy(), minlength=len(rows))
    bounds = np.concatenate([[0], np.cumsum(counts)]).astype(np.int32)
    structs = pairs.select(pl.col(name).cast(dtype) for name, dtype in PAIR.items()).to_struct("pairs")
    listed = pa.ListArray.from_arrays(pa.array(bounds), structs.to_arrow())
    ngram_bounds = pa.array(found.bounds.astype(np.int32))
    ngrams = pa.ListArray.from_arrays(ngram_bounds, pa.array(found.grams.astype(np.uint32)))
    frame = pl.DataFrame({"pairs": pl.from_arrow(listed), "ngrams": pl.from_arrow(ngrams)})
    return frame.select(pl.col(name).cast(dtype) for name, dtype in MEASURES.items())


def _followed(stage: Matching, index: NgramIndex, found: Found, rows: Rows, texts: Texts) -> pl.DataFrame:
    """Whether answers follow items that are whole or half in a row: columns `row`, `item`, `answered`, `supported`."""
    items = index.items.with_row_index("item").rename({"grams": "grams_all", "idf": "idf_all"})
    pairs = found.pairs.join(items.cast({"item": pl.Int64}), on="item")
    is_whole = (pl.col("kind") == "short") & (pl.col("whole") == pl.col("texts"))
    whole = set(pairs.filter(is_whole).select("row", "item").iter_rows())
    wholes = [
        Place(row, index.text_item(item_text), int(texts.offsets[row]) + text, end, stage.answer_words)
        for row, item_text, text, end in found.wholes.select("row", "item_text", "text", "end").iter_rows()
        if (row, index.text_item(item_text)) in whole
    ]
    halves = []
    if stage.answered_from is not None:
        overlapping = pairs.filter(~is_whole & (VALUES["overlap"] >= float(stage.answered_from)))
        halves = [
            Place(pair["row"], pair["item"], place, pair["end_byte"], stage.answer_words + pair["words"])
            for pair in overlapping.iter_rows(named=True)
            if surroundings.replaces(pair, index, texts, place := int(texts.offsets[pair["row"]]) + pair["text"])
        ]
    followed = surroundings.followed([*wholes, *halves], index, rows, texts)
    lines = [(*pair, *one) for pair, one in followed.items()]
    schema = {"row": pl.Int64, "item": pl.Int64, "answered": pl.Boolean, "supported": pl.Boolean}
    return pl.DataFrame(lines, schema, orient="row")


def _broken_off(stage: Matching, index: NgramIndex, pairs: pl.DataFrame, texts: Texts, places: Numbers) -> list[bool]:
    """Whether the longest run is the beginning of its item, and the row's text breaks off after it."""
    broken_off = [False] * len(pairs)
    if stage.beginning_from is not None:
        items = index.items[pairs["item"].to_numpy()]
        run = pairs["longest"].to_numpy()
        begins = (pairs["item_token"] == items["first"]).to_numpy()
        begins &= run >= float(stage.beginning_from) * items["words"].to_numpy()
        for pair in np.flatnonzero(begins).tolist():
            text = texts.strings[int(places[pair])].as_py()
            place = int(pairs["start"][pair]), int(pairs["end"][pair])
            broken_off[pair] = run[pair] >= LONG_BEGINNING or standing.breaks_off(text, *place)
    return broken_off
