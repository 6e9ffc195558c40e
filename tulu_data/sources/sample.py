"""Conversations made here, without a network, for trying things out: what is wrong with them is known."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Final, Literal

from pydantic import Field, NonNegativeInt, PositiveInt, model_validator

from tulu_data.readers import json_lines
from tulu_data.readers.stream import Stream
from tulu_data.sources.source import Reading, Source
from tulu_data.store.code_id import code_id
from tulu_data.store.durable import make_place, require_room, whole
from tulu_data.store.keys import key_of
from tulu_data.store.workspace import CachedTable

if TYPE_CHECKING:
    import polars as pl

Part = Literal[
    "math",
    "code",
    "chat",
    "multilingual",
    "tools",
    "multi_turn",
    "safety",
    "math_test",
    "code_test",
    "facts_test",
]
LEAST_BYTES: Final = 100
"""What a record takes at least; most take five times as much."""


class Sample(Source):
    """Conversations out of a grammar, with planted duplicates, contaminated rows and broken records.

    {sample: math, rows: 2_500, seed: 7, max_quarantined: 6}
    {sample: math_test, rows: 100, seed: 7}

    The parts math, code, chat, multilingual, tools, multi_turn and safety are conversations;
    math_test, code_test and facts_test are evaluation sets: {id, question, answer}. A row
    depends on part, seed and its number alone, so that more rows begin with the fewer. Of a
    hundred rows one repeats another, one nearly does, and in math, code and chat one holds
    an evaluation item of the same seed; a broken record comes on top after every 400 rows.
    """

    place: ClassVar = "sample"
    annotations: ClassVar = ("domain", "language", "template")
    is_planted: ClassVar = True

    sample: Part = Field(description="Which conversations, or which evaluation set")
    rows: PositiveInt = Field(1000, description="How many rows are made; broken records come on top")
    seed: NonNegativeInt = Field(0, description="Another seed gives other rows")

    @model_validator(mode="before")
    @classmethod
    def _domain_of_the_part(cls, values: Any) -> Any:
        if isinstance(values, dict) and isinstance(part := values.get("sample"), str) and values.get("domain") is None:
            from tulu_data import sample as samples

            return {**values, "domain": samples.DOMAIN.get(part, part)}
        return values

    @model_validator(mode="before")
    @classmethod
    def _no_fraction(cls, values: Any) -> Any:
        if isinstance(values, dict) and values.get("fraction") is not None:
            raise ValueError("a sample is as large as 'rows' says; it takes no 'fraction'")
        return values

    def files(self, cache: Path) -> tuple[Path, ...]:
        """The files of its records, made where they are not there yet."""
        from tulu_data import sample as samples

        folder = cache / f"{self.sample}-{self.rows}-{self.seed}-{self._key()[:12]}"
        records = samples.records(self.sample, self.rows)
        if not (folder / f"{(records - 1) // samples.FILE_RECORDS:05d}.jsonl").is_file():
            require_room(cache, records * LEAST_BYTES, f"a sample of {self.rows:,} rows")
        paths = []
        for number, start in enumerate(range(0, records, samples.FILE_RECORDS)):
            made = CachedTable(folder / f"{number:05d}.jsonl")
            if made.note() is None:
                with whole(make_place(made.path, cache)) as file:
                    file.writelines(
                        samples.lines(self.sample, self.rows, self.seed, start, start + samples.FILE_RECORDS)
                    )
                made.finish()
            paths.append(made.path)
        return tuple(paths)

    def _key(self) -> str:
        from tulu_data import sample as samples

        code = code_id(("tulu_data.sample",))
        return key_of(part=self.sample, rows=self.rows, seed=self.seed, code=code, texts=samples.texts_id())

    def planted(self) -> pl.DataFrame:
        from tulu_data import sample as samples

        return samples.planted(self.sample, self.rows, self.seed)

    def reading(self) -> dict[str, Any]:
        # The files are what they are; part and seed are in their bytes.
        return {}

    @contextmanager
    def read(self, file: Path, columns: tuple[str, ...] = ()) -> Iterator[Reading]:
        with Stream(file) as stream:
            yield Reading(json_lines.records(stream), stream.sha256, stream.expansion)
