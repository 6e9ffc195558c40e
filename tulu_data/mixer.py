"""What a stage is that takes rows in proportions: its targets can be told before a build."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Collection, Mapping
from typing import ClassVar, Final

import polars as pl

from tulu_data.stage import Phase, Resolver

NONE: Final = "none"
"""The stratum of rows that have no value in a column."""
SEPARATOR: Final = "/"
"""What is between the values of a stratum of several columns."""


class Mixer(Resolver):
    """Takes rows of strata, values of some columns, in given proportions."""

    phase: ClassVar[Phase] = "mix"

    @property
    @abstractmethod
    def columns(self) -> tuple[str, ...]:
        """The columns whose values make the strata."""

    @property
    @abstractmethod
    def unit(self) -> str:
        """What is taken: `rows` or `tokens`."""

    @property
    @abstractmethod
    def named(self) -> Collection[str]:
        """The strata that the recipe gives a share; empty where it names none."""

    @abstractmethod
    def targets(self, offers: Mapping[str, int]) -> pl.DataFrame:
        """`stratum`, `share`, `offered`, `target` and `unit` of each stratum, of what each offers.

        Raises `InputError` (exit 3) where a stratum has too little.
        """
