"""A decision: every row with its source, id, fate and copies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

from tulu_data.building.shards import Shard
from tulu_data.kernels.sha256 import MANY, sha256_rows
from tulu_data.mixture.layout import KEPT, TAKE
from tulu_data.recipe.plan import Plan
from tulu_data.recipe.recipe import Recipe
from tulu_data.reports import Report
from tulu_data.rows.identity import fixed_bytes, hex_texts, hexed
from tulu_data.stage import COLUMNS
from tulu_data.store import parquet

FIRST_STEP: Final = 2
"""The fate of the rows that the first step of a plan drops: the index of its name in `fates`."""


@dataclass
class Decision:
    """The fate of every row.

    Arrays have one entry a row: `source` (index into `sources`), `file` (index into
    `files`), `place` (the record's number in its file), `id` (16 bytes; made on demand),
    `content` (32 bytes), `fate` (index into `fates`; 0 is kept), `copies`, `reason` (index into
    `reasons`). `columns` are those of `stage.COLUMNS`, null where
    no stage wrote them; `marks` are those of `blemishes`. `evidence` holds a verdict table for
    each step that dropped rows.
    `alone` counts, for each filter and source, the rows that it would have dropped by itself;
    `reports` are those that stages make in addition to their verdicts, by step and name;
    `counts` holds the counts of resolvers for the manifest.
    """

    sources: tuple[str, ...]
    files: tuple[str, ...]
    fates: tuple[str, ...]
    starts: npt.NDArray[np.int64]
    source: npt.NDArray[np.uint16]
    file: npt.NDArray[np.uint32]
    place: npt.NDArray[np.int64]
    content: npt.NDArray[np.void]
    fate: npt.NDArray[np.uint8]
    copies: npt.NDArray[np.uint32]
    reason: npt.NDArray[np.uint16]
    columns: pl.DataFrame
    marks: npt.NDArray[np.uint32]
    reasons: list[str] = field(default_factory=lambda: [""])
    evidence: dict[str, pl.DataFrame] = field(default_factory=dict)
    alone: dict[str, dict[str, int]] = field(default_factory=dict)
    reports: dict[str, dict[str, Report]] = field(default_factory=dict)
    counts: dict[str, dict[str, int]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.fate)

    @cached_property
    def id(self) -> npt.NDArray[np.void]:
        return _ids(self.sources, self.source, self.content)

    @property
    def kept(self) -> npt.NDArray[np.bool_]:
        """Which rows are kept."""
        return np.equal(self.fate, 0)

    def rows_of(self, shard: int) -> slice:
        """The rows that one shard has, by the shard's number."""
        return slice(int(self.starts[shard]), int(self.starts[shard + 1]))

    def place_in_store(self, row: int) -> tuple[int, int]:
        """The number of the shard that a row is in, and the row's position there."""
        shard = int(self.starts.searchsorted(row, "right")) - 1
        return shard, row - int(self.starts[shard])

    def drop(self, rows: npt.NDArray[np.integer], fate: int, reason: str) -> None:
        """Drop some rows."""
        if reason not in self.reasons:
            self.reasons.append(reason)
        self.fate[rows] = fate
        self.copies[rows] = 0
        self.reason[rows] = self.reasons.index(reason)

    def ids(self, rows: npt.NDArray[np.integer]) -> list[str]:
        """The ids of some rows, in hex."""
        ids: list[str] = self.id_texts(rows).to_pylist()
        return ids

    def id_texts(self, rows: npt.NDArray[np.integer]) -> pa.StringArray:
        """The ids of some rows, in hex, as an Arrow array."""
        return hex_texts(self.id[rows])

    def id_words(self) -> npt.NDArray[np.uint64]:
        """Ids as two numbers each, whose order is the order of the hex text."""
        return self.id.view(">u8").reshape(-1, 2).astype(np.uint64)

    def removed(self) -> dict[str, dict[str, int]]:
        """For each source, how many rows each step dropped."""
        counts = np.zeros((len(self.sources), len(self.fates)), dtype=np.int64)
        np.add.at(counts, (self.source, self.fate), 1)
        return {
            source: {fate: int(counts[index, number]) for number, fate in enumerate(self.fates) if number}
            for index, source in enumerate(self.sources)
        }


def numbered(recipe: Recipe, plan: Plan, shards: Sequence[Shard]) -> Decision:
    """The rows of all shards, in the order of the shards, all of them kept so far."""
    sources = tuple(sorted(recipe.sources))
    files = tuple(sorted({file.file for shard in shards for file in shard.files}))
    numbers = {file: number for number, file in enumerate(files)}
    read = [parquet.read(shard.table.path, ["row", "content", "marks"]) for shard in shards]
    counts = np.array([len(rows) for rows in read], dtype=np.int64)
    total = int(counts.sum())
    hashes = [fixed_bytes(chunk) for rows in read for chunk in rows["content"].chunks]
    content = np.concatenate([np.empty(0, dtype="V32"), *hashes])
    source = np.repeat(np.array([sources.index(shard.source) for shard in shards], dtype=np.uint16), counts)
    place = np.concatenate([np.empty(0, dtype=np.int64), *(rows["row"].to_numpy() for rows in read)])
    return Decision(
        sources=sources,
        files=files,
        fates=(KEPT, TAKE, *(step.name for step in plan.steps)),
        starts=np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
        source=source,
        file=np.repeat(
            np.array([numbers[file.file] for shard in shards for file in shard.files], dtype=np.uint32),
            [file.rows for shard in shards for file in shard.files],
        ),
        place=place,
        content=content,
        fate=np.zeros(total, dtype=np.uint8),
        copies=np.ones(total, dtype=np.uint32),
        reason=np.zeros(total, dtype=np.uint16),
        columns=_columns(recipe, sources, source),
        marks=np.concatenate([np.empty(0, dtype=np.uint32), *(rows["marks"].to_numpy() for rows in read)]),
    )


def _columns(recipe: Recipe, sources: Sequence[str], source: npt.NDArray[np.uint16]) -> pl.DataFrame:
    domains = pl.Series("domain", [recipe.sources[name].domain for name in sources], dtype=pl.String)
    others = [pl.lit(None, dtype).alias(name) for name, dtype in COLUMNS.items() if name != "domain"]
    return domains.gather(source).to_frame().with_columns(others)


def _ids(
    sources: tuple[str, ...], source: npt.NDArray[np.uint16], content: npt.NDArray[np.void]
) -> npt.NDArray[np.void]:
    words = content.view("<u8").reshape(-1, 4)
    # 128 bits of a sha256 distinguish contents as well as the whole hash, in half the memory.
    keys = pl.DataFrame({"source": source, "a": words[:, 0], "b": words[:, 1]})
    occurrence = keys.select(pl.int_range(pl.len(), dtype=pl.UInt32).over("source", "a", "b")).to_series()
    return row_ids(sources, source, content, occurrence.to_numpy())


def row_ids(
    sources: Sequence[str],
    source: npt.NDArray[np.uint16],
    content: npt.NDArray[np.void],
    occurrence: npt.NDArray[np.uint32],
) -> npt.NDArray[np.void]:
    """The ids of rows, as `rows.row_id` makes them one by one; `source` is an index into `sources`."""
    ids = np.empty((len(source), 16), dtype=np.uint8)
    digits = 1 + np.searchsorted(10 ** np.arange(1, 10), occurrence, side="right")
    for index, name in enumerate(sources):
        own = np.flatnonzero(source == index)
        # Ids whose texts have the same length are hashed together.
        for count in np.unique(digits[own]).tolist():
            rows = own[digits[own] == count]
            for piece in np.array_split(rows, max(1, len(rows) // MANY)):
                ids[piece] = sha256_rows(_named(name, content[piece], occurrence[piece], count))[:, :16]
    return ids.view("V16").reshape(-1)


def _named(
    source: str, content: npt.NDArray[np.void], occurrence: npt.NDArray[np.uint32], digits: int
) -> npt.NDArray[np.uint8]:
    """The text that each id is the hash of, in ASCII, one matrix row for each id."""
    powers = 10 ** np.arange(digits)[::-1]
    decimal = (occurrence[:, None] // powers % 10 + ord("0")).astype(np.uint8)
    before = np.frombuffer(f"{source}\n".encode(), dtype=np.uint8)
    end = np.full((len(content), 1), ord("\n"), dtype=np.uint8)
    return np.concatenate([np.tile(before, (len(content), 1)), hexed(content), end, decimal], axis=1)
