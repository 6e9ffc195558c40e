"""Where each kept row is in the output: its split, its file, and its position there."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from tulu_data.building.decision import Decision
from tulu_data.errors import InputError
from tulu_data.recipe.recipe import TRAIN, Recipe
from tulu_data.rows.identity import in_order, keyed_order


class Layout:
    """Where each copy of each kept row is in the output.

    Arrays have one entry for each output row, grouped by the row that it is a copy of: `row`,
    `copy` (from 0), `file` (index into `names`) and `position`, which orders all rows of
    the output, one split after the other. All copies of a row are in one split.

    Raises `InputError` (exit 3) where more rows are to be held out than there are.
    """

    def __init__(self, recipe: Recipe, decision: Decision) -> None:
        kept = np.flatnonzero(decision.kept)
        copies = decision.copies[kept]
        self.row = np.repeat(kept, copies)
        self.copy = np.arange(len(self.row)) - np.repeat(np.cumsum(copies) - copies, copies)
        split = np.repeat(_splits(recipe, decision, kept), copies)
        words = decision.id_words()[self.row]
        keys = (self.copy, words[:, 1], words[:, 0])
        if recipe.output.shuffle:
            shuffled = np.zeros(len(self.row), dtype=np.uint64)
            for copy in np.unique(self.copy):
                of_copy = self.copy == copy
                shuffled[of_copy] = keyed_order(words[of_copy], recipe.seed, f"shuffle {copy}")
            if recipe.output.splits:
                order = np.lexsort((*keys, shuffled, split))
            else:
                order = in_order(shuffled, *reversed(keys))
        else:
            order = np.lexsort((*keys, decision.source[self.row], split))
        self.position = np.empty(len(order), dtype=np.int64)
        self.position[order] = np.arange(len(order))
        self.names: list[str] = []
        self.file = np.empty(len(order), dtype=np.int64)
        start = 0
        for number, name in enumerate((*recipe.output.splits, TRAIN)):
            rows = np.flatnonzero(split == number)
            files = max(1, -(-len(rows) // recipe.output.shard_rows))
            self.file[rows] = len(self.names) + (self.position[rows] - start) // recipe.output.shard_rows
            self.names += [f"data/{name}-{file:05d}-of-{files:05d}.parquet" for file in range(files)]
            start += len(rows)


def _splits(recipe: Recipe, decision: Decision, kept: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """The split of each kept row: the first rows by keyed hash are held out, the rest is the last split."""
    sizes = list(recipe.output.splits.values())
    if sum(sizes) > len(kept):
        raise InputError(
            f"output.splits: {sum(sizes):,} rows are to be held out, and {len(kept):,} are kept; lower the numbers"
        )
    split = np.full(len(kept), len(sizes), dtype=np.int64)
    if not sizes:
        return split
    words = decision.id_words()[kept]
    order = np.lexsort((words[:, 1], words[:, 0], keyed_order(words, recipe.seed, "split")))
    split[order[: sum(sizes)]] = np.repeat(np.arange(len(sizes)), sizes)
    return split
