"""An opened index of the n-grams of evaluation sets: every worker maps it, and scans rows with it.

An item is **indexed** if it has an n-gram that counts. It is **short** if it has none, or fewer
words than `short_below`, but enough words to be matched as a whole. Else it is **unusable**. All
three are counted for each evaluation set.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

from tulu_data.errors import ResourceError
from tulu_data.evaluations.item import Part
from tulu_data.kernels import ngrams
from tulu_data.kernels.ngrams import PAIR, WHOLE, Index, Work
from tulu_data.kernels.unicode import Normaliser, tables
from tulu_data.kernels.words import MODES, buffers, scratch
from tulu_data.store.durable import (
    open_regular,
)
from tulu_data.store.keys import key_of
from tulu_data.store.workspace import read_note

ITEMS: Final = "items.parquet"
ARRAYS: Final = "arrays.bin"
ALIGNMENT: Final = 64
NOTE: Final = "note.json"
REPLIES: Final = ("answer", "choices")


@dataclass(frozen=True)
class Setting:
    """The settings of an index, all of which are in its key.

    Items without an n-gram are matched as a whole from `min_words` words on, and so are
    those of fewer than `short_below` words, even if they have n-grams. Only the `parts` of an
    item count. N-grams that more than `max_item_df` items have, and those of the texts `ignored`,
    are left out of every statistic, but the former count in `covered_all`.
    """

    n: int
    normaliser: Normaliser
    parts: tuple[Part, ...]
    min_words: int = 1
    short_below: int = 0
    max_item_df: int | None = None
    ignored: tuple[str, ...] = ()


@dataclass(frozen=True)
class Replies:
    """The answers of all items, or their choices: texts that may follow a question.

    Those of item i are texts `items[i]` to `items[i + 1]`; the words of text t have the hashes
    `bounds[t]` to `bounds[t + 1]`; `tells`, uint8: whether such a text is the item's own.
    """

    hashes: npt.NDArray[np.uint64]
    bounds: npt.NDArray[np.int64]
    items: npt.NDArray[np.int64]
    tells: npt.NDArray[np.uint8]

    def of(self, item: int) -> list[tuple[npt.NDArray[np.uint64], bool]]:
        """The texts of one item that have words, as hashes, and whether each identifies the item."""
        texts = range(int(self.items[item]), int(self.items[item + 1]))
        found = [(self.hashes[self.bounds[text] : self.bounds[text + 1]], bool(self.tells[text])) for text in texts]
        return [(words, tells) for words, tells in found if len(words)]


@dataclass(frozen=True)
class NgramIndex:
    """An index in a folder, opened.

    `items` has a line an item: `evaluation`, `id`, `kind` (indexed, short, unusable),
    `texts` (that have words), `words`, `tokens` (in n-grams that count), `coverable` (in any n-gram),
    `grams` (distinct, that count), `idf` (their sum), `first` (its first token), `plain` (words of
    three letters). By text, over all items, `needs_line` says whether it stands alone only in a
    line of its own, and `asks` whether it is a question. `accounts` counts items by kind for each
    evaluation set, and the n-grams left out.
    """

    folder: Path
    setting: Setting
    items: pl.DataFrame
    accounts: dict[str, dict[str, int]]
    index: Index
    spans: npt.NDArray[np.int32]
    needs_line: npt.NDArray[np.bool_]
    asks: npt.NDArray[np.bool_]
    replies: Mapping[str, Replies]

    def scan(self, texts: pa.StringArray, offsets: npt.NDArray[np.int64], work: Work, noted_from: float = 0.0) -> Found:
        """Every pair of a row and an item that share an n-gram, and every short item that is whole in a row.

        `texts[offsets[i]:offsets[i + 1]]` are those of row i. Pairs that share less than
        `noted_from` of the item's n-grams by idf, and no whole text, are left out.
        """
        pairs, grams, gram_bounds, wholes = scan(self.index, work, texts, offsets, self.setting, noted_from)
        frame = pl.DataFrame({name: pairs[name] for name in PAIR.fields or ()})
        frame = frame.with_columns(pl.col("idf").round(6)).sort("row", "item")
        return Found(frame, grams, gram_bounds, pl.DataFrame({name: wholes[name] for name in WHOLE.fields or ()}))

    def text_item(self, text: int) -> int:
        """The item that a text with words belongs to."""
        return int(self.index.token_item[self.index.text_bounds[text]])

    def text_span(self, token: int, length: int) -> tuple[int, int, int]:
        """The place of a run of an item's tokens: the number of the text, its first character, and its end."""
        text = int(self.index.token_text[token])
        item = int(self.index.token_item[token])
        start, end = self.spans[token, 0], self.spans[token + length - 1, 1]
        return text - int(self.index.item_bounds[item]), int(start), int(end)


@dataclass(frozen=True)
class Found:
    """The result of a scan: `pairs`, and the distinct n-grams of row i: `grams[bounds[i]:bounds[i + 1]]`.

    `wholes` has a line for each place at which a text of a short item is whole: `row`, `item_text` (over all
    items), `text` (of the row), `start` and `end` (bytes of it).
    """

    pairs: pl.DataFrame
    grams: npt.NDArray[np.int32]
    bounds: npt.NDArray[np.int64]
    wholes: pl.DataFrame


def scan(
    index: Index,
    work: Work,
    texts: pa.StringArray,
    offsets: npt.NDArray[np.int64],
    setting: Setting,
    noted_from: float = 0.0,
) -> tuple[npt.NDArray[np.void], npt.NDArray[np.int32], npt.NDArray[np.int64], npt.NDArray[np.void]]:
    """The kernel's result: pairs (`PAIR`), the n-grams of each row with their bounds, and whole texts (`WHOLE`)."""
    data, bounds = buffers(texts)
    longest = int(np.diff(bounds[offsets]).max(initial=0))
    room = (
        np.empty(longest + 1, np.uint64),
        np.empty(longest + 1, np.int64),
        np.empty(longest + 1, np.int64),
        np.empty(longest + 1, np.int32),
    )
    table, mode = tables(setting.normaliser), MODES[setting.normaliser]
    scanned: tuple[Any, ...] = ngrams.scan(
        data, bounds, offsets, table, mode, setting.n, noted_from, index, work, room, *scratch(longest)
    )
    return scanned


def is_whole(folder: Path) -> bool:
    """Whether a folder has an index with all of its bytes unchanged."""
    try:
        open_index(folder)
    except (OSError, ResourceError):
        return False
    return True


def digest(folder: Path) -> str:
    """The digest of an index's content, which is part of the key of the measures made with it."""
    note = read_note(folder / NOTE) or {}
    return key_of(files=note.get("files"), setting=note.get("setting"))


def open_index(folder: Path) -> tuple[NgramIndex, Work]:
    """The index in a folder, mapped, with room for scans; each process keeps the last one.

    Raises `ResourceError` (exit 6) if it is damaged.
    """
    paths = [folder / name for name in (NOTE, ARRAYS, ITEMS)]
    try:
        seen = tuple((status.st_ino, status.st_size, status.st_mtime_ns) for status in map(Path.lstat, paths))
        return _opened(folder, seen)
    except (OSError, _DamagedError):
        raise ResourceError(
            f"{folder}: the index of the evaluation sets is damaged; run the command again: it is made anew. "
            "If this message comes back, check the disk"
        ) from None


class _DamagedError(Exception):
    pass


@lru_cache(maxsize=8)
def _opened(folder: Path, seen: tuple[tuple[int, int, int], ...]) -> tuple[NgramIndex, Work]:
    """The index whose files had the status `seen`; if they change, it is opened and checked again."""
    note = read_note(folder / NOTE)
    if note is None or any(_sha256(folder / name) != digest for name, digest in note["files"].items()):
        raise _DamagedError
    mapped = np.memmap(folder / ARRAYS, mode="r")
    arrays = {name: _array(mapped, **place) for name, place in note["arrays"].items()}
    setting = note["setting"]
    opened = NgramIndex(
        folder,
        Setting(**{**setting, "parts": tuple(setting["parts"])}),
        pl.read_parquet(folder / ITEMS, glob=False),
        note["accounts"],
        Index(**{name: arrays[name] for name in Index._fields}),
        arrays["spans"],
        arrays["needs_line"],
        arrays["asks"],
        {
            part: Replies(**{name: arrays[f"{part}_{name}"] for name in Replies.__dataclass_fields__})
            for part in REPLIES
        },
    )
    return opened, Work.for_index(opened.index)


def _sha256(path: Path) -> str:
    with open_regular(path) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _array(
    mapped: npt.NDArray[np.uint8], at: int, dtype: str | list[list[str]], shape: Sequence[int]
) -> npt.NDArray[Any]:
    fields = np.dtype(dtype if isinstance(dtype, str) else [(name, kind) for name, kind in dtype])
    size = int(np.prod(shape)) * fields.itemsize
    return np.asarray(mapped[at : at + size]).view(fields).reshape(shape)
