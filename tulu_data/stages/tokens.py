"""Count the tokens of each row."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Final, Self

import polars as pl
from pydantic import Field

from tulu_data.reports import Report
from tulu_data.rows.rows import Rows
from tulu_data.stage import CONTENT, Annotator
from tulu_data.text.tokens import Counts, TokenCounter, open_counter

if TYPE_CHECKING:
    from tulu_data.store.workspace import Workspace

MEASURES: Final[dict[str, Any]] = {"tokens": pl.Int32, "trainable": pl.Int32, "messages": pl.List(pl.Int32)}


class Tokens(Annotator):
    """Count the tokens of each row into the column `tokens`.

        - tokens: {}
        - tokens: {tokenizer: o200k_base}
        - tokens: {tokenizer: ./tokenizers/olmo}

    `tokenizer` is an encoding of tiktoken (`cl100k_base` needs no network), or the folder of a
    Hugging Face tokenizer, whose chat template is then applied. With tiktoken all contents,
    reasoning, calls and tools on offer are counted, without the text that a template puts
    between them. A row that the template refuses stops the build (exit 3).
    Measures: `tokens`; `trainable`, the tokens of the assistant's messages, except those whose
    `weight` is 0; and `messages`, the tokens of each message with its reasoning and calls.
    `reports/tokens-sources.parquet` sums them by source.
    """

    reads: ClassVar = (CONTENT,)
    writes: ClassVar = ("tokens",)
    requires: ClassVar = ("tiktoken",)

    tokenizer: str = Field("cl100k_base", min_length=1, description="An encoding of tiktoken, or a folder")

    def prepare(self, workspace: Workspace, digest: Callable[[Path], str]) -> Self:
        """Open the tokenizer, before any row is read.

        Raises `InputError` (exit 3) if there is none of this name, or its files are damaged.
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
        count, offered = self._counter().count, None
        if rows.kind.tools is not None:
            offered = rows.column(rows.kind.tools).to_pylist()
        sides = [count([*column.messages()], offered) for column in rows.message_columns().values()]
        rows_of = (_together(each) for each in zip(*sides, strict=True))
        return pl.DataFrame(rows_of, schema=MEASURES, orient="row")

    def tally(self, measures: pl.DataFrame) -> dict[str, pl.DataFrame]:
        summed = measures.select(pl.len().alias("rows"), pl.col("tokens", "trainable").cast(pl.Int64).sum())
        return {"sources": summed}

    def report(self, tallies: Mapping[str, pl.DataFrame]) -> dict[str, Report]:
        """`sources`: rows, tokens and trainable tokens by source, before anything is dropped."""
        if not tallies:
            return {}
        counts = pl.col("rows", "tokens", "trainable").cast(pl.Int64).sum()
        return {"sources": Report("data", tallies["sources"].group_by("source").agg(counts).sort("source"))}


def _together(sides: Sequence[Counts]) -> Counts:
    """The tokens of a row with several columns of messages: those of the longest, and the trainable ones of all."""
    if len(sides) == 1:
        return sides[0]
    each = [tokens for side in sides for tokens in side.messages]
    return Counts(max(side.tokens for side in sides), sum(side.trainable for side in sides), each)
