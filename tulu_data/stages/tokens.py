"""Count the tokens of each row."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Final, Self

import polars as pl
from pydantic import Field

from tulu_data.reports import Report
from tulu_data.rows.rows import Rows
from tulu_data.stage import Annotator
from tulu_data.text.tokens import TokenCounter, open_counter

if TYPE_CHECKING:
    from tulu_data.store.workspace import Workspace

MEASURES: Final[dict[str, Any]] = {"tokens": pl.Int32, "trainable": pl.Int32, "messages": pl.List(pl.Int32)}


class Tokens(Annotator):
    """Count the tokens of each row into the column `tokens`.

        - tokens: {}
        - tokens: {tokenizer: o200k_base}
        - tokens: {tokenizer: ./tokenizers/olmo}

    `tokenizer` is an encoding of tiktoken, of which `cl100k_base` needs no network, or the
    folder of a Hugging Face tokenizer, whose chat template is then applied. tiktoken's
    counts are those of all contents, reasoning, calls and tools on offer, without what a
    template puts between them. A row that the template refuses stops the build (exit 3).
    Measures: `tokens`; `trainable`, those of the assistant's messages, but for messages whose
    `weight` is 0; and `messages`, of each message with its reasoning and calls.
    `reports/tokens-sources.parquet` sums them by source.
    """

    reads: ClassVar = ("messages", "tool_calls", "tools")
    writes: ClassVar = ("tokens",)
    requires: ClassVar = ("tiktoken",)

    tokenizer: str = Field("cl100k_base", min_length=1, description="An encoding of tiktoken, or a folder")

    def prepare(self, workspace: Workspace, digest: Callable[[Path], str]) -> Self:
        """Open the tokenizer, before anything is read.

        Raises `InputError` (exit 3) where there is none of this name, or its files are not whole.
        """
        self._counter()
        return self

    @property
    def artifacts(self) -> dict[str, str]:
        return {"tokenizer": self._counter().digest}

    def facts(self) -> dict[str, Any]:
        return {"tokenizer": self.tokenizer, "digest": self._counter().digest}

    def _counter(self) -> TokenCounter:
        return open_counter(self.tokenizer)

    def measure(self, rows: Rows) -> pl.DataFrame:
        """Columns `tokens`, `trainable` (Int32) and `messages` (a list of Int32)."""
        counts = self._counter().count([*rows.messages()], rows.column("tools").to_pylist())
        return pl.DataFrame(counts, schema=MEASURES, orient="row")

    def tally(self, measures: pl.DataFrame) -> dict[str, pl.DataFrame]:
        summed = measures.select(pl.len().alias("rows"), pl.col("tokens", "trainable").cast(pl.Int64).sum())
        return {"sources": summed}

    def report(self, tallies: Mapping[str, pl.DataFrame]) -> dict[str, Report]:
        """`sources`: rows, tokens and trainable tokens by source, before anything is dropped."""
        if not tallies:
            return {}
        counts = pl.col("rows", "tokens", "trainable").cast(pl.Int64).sum()
        return {"sources": Report("data", tallies["sources"].group_by("source").agg(counts).sort("source"))}
