"""Drop conversations that are too short or too long."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import polars as pl
import pyarrow.compute as pc
from pydantic import Field, NonNegativeInt, PositiveInt, model_validator

from tulu_data.rows.on import On
from tulu_data.rows.rows import Rows
from tulu_data.stage import Decides, Filter
from tulu_data.verdicts import Evidence, drop, none


class LengthFilter(Filter):
    """Drop conversations outside a range of messages, characters or tokens.

        - length_filter: {max_messages: 40, max_characters: 20_000}
        - length_filter: {on: response, min_characters: 1}
        - length_filter: {max_tokens: 4096}

    Messages and characters (Unicode code points) are those of `on`, with their reasoning, and
    with the function names and argument values of tool calls. Tokens are those of the whole
    conversation, as the stage `tokens` counted them before. Evidence: the count, and the
    limit that it is beyond.
    """

    evidence: ClassVar[Evidence] = {"measured": pl.UInt64, "limit": pl.UInt64}

    on: On = Field("conversation", description="Which messages are counted")
    min_messages: Decides[NonNegativeInt] = Field(0, description="Fewest messages")
    max_messages: Decides[PositiveInt | None] = Field(None, description="Most messages; no limit by default")
    min_characters: Decides[NonNegativeInt] = Field(0, description="Fewest characters")
    max_characters: Decides[PositiveInt | None] = Field(None, description="Most characters; no limit by default")
    min_tokens: Decides[NonNegativeInt | None] = Field(None, description="Fewest tokens of the column `tokens`")
    max_tokens: Decides[PositiveInt | None] = Field(None, description="Most tokens of the column `tokens`")

    @model_validator(mode="after")
    def _some_room(self) -> LengthFilter:
        for least, most in (
            (self.min_messages, self.max_messages),
            (self.min_characters, self.max_characters),
            (self.min_tokens, self.max_tokens),
        ):
            if most is not None and least is not None and least > most:
                raise ValueError(f"nothing is at least {least} and at most {most}; it would drop every row")
        return self

    def needs(self) -> tuple[str, ...]:
        return () if self.min_tokens is None and self.max_tokens is None else ("tokens",)

    def measure(self, rows: Rows) -> pl.DataFrame:
        """Columns `messages` and `characters`, UInt32."""
        texts = rows.texts(self.on)
        total = np.zeros(len(texts.strings) + 1, dtype=np.int64)
        np.cumsum(pc.utf8_length(texts.strings).to_numpy(), out=total[1:])
        # Reasoning and calls belong to their message; they are not messages.
        is_first = np.ones(len(texts.strings) + 1, dtype=np.int64)
        is_first[1:-1] = np.diff(texts.numbers) != 0
        is_first[texts.offsets] = 1
        before = np.concatenate([[0], np.cumsum(is_first)])[texts.offsets]
        counts = {"messages": np.diff(before), "characters": np.diff(total[texts.offsets])}
        return pl.DataFrame({name: count.astype(np.uint32) for name, count in counts.items()})

    def judge(self, measures: pl.DataFrame) -> pl.DataFrame:
        found = [none(self.evidence)]
        for reason, measured, limit, is_few in (
            ("too few messages", "messages", self.min_messages, True),
            ("too many messages", "messages", self.max_messages, False),
            ("too few characters", "characters", self.min_characters, True),
            ("too many characters", "characters", self.max_characters, False),
            ("too few tokens", "tokens", self.min_tokens, True),
            ("too many tokens", "tokens", self.max_tokens, False),
        ):
            if limit is not None:
                evidence = (pl.col(measured).cast(pl.UInt64).alias("measured"), pl.lit(limit, pl.UInt64).alias("limit"))
                broken = pl.col(measured) < limit if is_few else pl.col(measured) > limit
                found.append(drop(measures, broken, reason=reason, evidence=evidence))
        return pl.concat(found).unique("row", keep="first", maintain_order=True)
