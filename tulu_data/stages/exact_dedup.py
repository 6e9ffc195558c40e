"""Keep one of the rows whose text is the same."""

from __future__ import annotations

import hashlib
import itertools
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar, Final, Literal

import numpy as np
import polars as pl
from pydantic import Field

from tulu_data.claims import DISTINCT, Claim
from tulu_data.rows import calls
from tulu_data.rows import kind as kinds
from tulu_data.rows.on import On
from tulu_data.rows.rows import Rows
from tulu_data.stage import Decides, Resolver, SourceNames, preference
from tulu_data.verdicts import Evidence, drop

Normalise = Literal["none", "whitespace"]


class ExactDedup(Resolver):
    """Keep one of the rows whose text is the same under `on`.

        - exact_dedup: {on: prompt, normalise: whitespace, prefer: [gsm8k_train]}

    `normalise: whitespace` compares NFC text in which each run of white space is one space, and
    the ends have none. The row kept is of the source that `prefer` names first, then the
    one whose keyed hash is lowest. Roles and reasoning must be the same, and so must the names
    and values of tool calls; their ids, the order of keys, and whether arguments are JSON text
    or an object are ignored. A row without text under `on` is never a duplicate.
    Texts are compared by 128 bits of BLAKE2b. Evidence: the twin, which is the row kept.
    """

    evidence: ClassVar[Evidence] = {"twin": pl.UInt32}
    bytes_per_row: ClassVar[int] = 120

    on: On = Field("conversation", description="Which messages are compared")
    normalise: Normalise = Field("none", description="Ignore nothing, or differences in white space")
    prefer: Decides[SourceNames] = Field((), description="Sources whose rows are kept before others, best first")

    def claims(self, facts: Mapping[str, Any]) -> tuple[Claim, ...]:
        return (Claim(DISTINCT),)

    def measure(self, rows: Rows) -> pl.DataFrame:
        """Columns `high` and `low`, UInt64: the hash of the text; null if there is none."""
        normalised = NORMALISERS[self.normalise]
        digests = np.zeros((len(rows), 2), dtype="<u8")
        has_text = np.zeros(len(rows), dtype=bool)
        for index, messages in enumerate(rows.messages(self.on)):
            compared = [
                (one.role, normalised(one.content), normalised(one.reasoning_content or ""), calls.compared(one.entry))
                for own in messages.values()
                for one in own
            ]
            if any(any(said) for _, *said in compared):
                has_text[index] = True
                # The number of messages on each side: the same texts on other sides are another row.
                sides = (str(len(own)) for own in messages.values())
                digests[index] = np.frombuffer(_digest(itertools.chain(sides, *compared)), dtype="<u8")
        return pl.DataFrame({"high": digests[:, 0], "low": digests[:, 1], "has_text": has_text}).select(
            pl.when("has_text").then(name).alias(name) for name in ("high", "low")
        )

    def resolve(self, measures: pl.DataFrame) -> pl.DataFrame:
        with_text = measures.filter(pl.col("high").is_not_null())
        ranked = with_text.with_columns(preference(self.prefer).alias("rank")).sort("rank", "order")
        twins = ranked.with_columns(pl.col("row").first().over("high", "low").alias("twin"))
        return drop(
            twins, pl.col("row") != pl.col("twin"), reason=f"same {kinds.compared()[self.on]}", evidence=["twin"]
        )


def _digest(texts: Iterable[str]) -> bytes:
    """128 bits of a list of texts; their lengths count too, so that ["ab", "c"] is not ["a", "bc"]."""
    state = hashlib.blake2b(digest_size=16)
    for text in texts:
        encoded = text.encode()
        state.update(len(encoded).to_bytes(8, "little"))
        state.update(encoded)
    return state.digest()


def _one_space(text: str) -> str:
    return " ".join(unicodedata.normalize("NFC", text).split())


NORMALISERS: Final[dict[Normalise, Callable[[str], str]]] = {"none": str, "whitespace": _one_space}
