"""Stages that take rows in proportions, whose targets are known before a build."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Collection, Mapping
from typing import ClassVar, Final

import polars as pl

from tulu_data.stage import Phase, Resolver

NONE: Final = "none"
"""The stratum of rows without a value in a column."""
SEPARATOR: Final = "/"
"""The sign between the values of a stratum of several columns."""


class Mixer(Resolver):
    """Takes rows in given proportions of strata, which are values of some columns."""

    phase: ClassVar[Phase] = "mix"

    @property
    @abstractmethod
    def columns(self) -> tuple[str, ...]:
        """The columns whose values make the strata."""

    @property
    @abstractmethod
    def unit(self) -> str:
        """The unit of the targets: `rows` or `tokens`."""

    @property
    @abstractmethod
    def named(self) -> Collection[str]:
        """The strata that the recipe gives a share; empty if it names none."""

    @abstractmethod
    def targets(self, offers: Mapping[str, int]) -> pl.DataFrame:
        """`stratum`, `share`, `offered`, `target` and `unit` of each stratum; `offers` says how much each has.

        Raises `InputError` (exit 3) if a stratum has too little.
        """
