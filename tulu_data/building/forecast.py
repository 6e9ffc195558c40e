"""Forecast what a mix will take, from the last version if there is one, else from the input files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import polars as pl

from tulu_data.building.inputs import Surveyed
from tulu_data.errors import InputError
from tulu_data.mixer import NONE, SEPARATOR, Mixer
from tulu_data.mixture.mixture import Mixture
from tulu_data.recipe.plan import Plan, Step
from tulu_data.store.parquet import read_frame

PLENTY: Final = 1_000_000
"""The real number of rows is less than this many times the estimate."""


@dataclass(frozen=True)
class Expectation:
    """Lines as in a build's report, and the basis of the forecast.

    `problem` is why a build would stop, and `is_sure` whether it stops whatever the stages remove.
    """

    step: str
    basis: str
    lines: pl.DataFrame
    problem: str = ""
    is_sure: bool = False

    def as_values(self) -> dict[str, Any]:
        """The same as plain values, for JSON."""
        return {"step": self.step, "basis": self.basis, "strata": self.lines.to_dicts(), "problem": self.problem}


def expect(plan: Plan, surveyed: Sequence[Surveyed], last: Mixture | None) -> Expectation | None:
    """Forecast what the mix of a plan will take; None if no stage mixes, or nothing is known yet.

    `last` is the newest version of the mixture: if it was mixed by the same columns, the rows
    that it had left for the mix are counted. Otherwise the rows of the input files are, as
    far as the strata are sources, or domains that sources declare.
    """
    step = next((step for step in plan.steps if isinstance(step.stage, Mixer)), None)
    if step is None or not isinstance(step.stage, Mixer):
        return None
    offers = _of_last(step, step.stage, last) if last else None
    basis = f"of what was left for it in version {last.version}" if last and offers else "of the rows of the files"
    offers = offers or _of_files(step.stage, surveyed)
    if offers is None:
        return None
    try:
        return Expectation(step.name, basis, step.stage.targets(offers))
    except InputError as error:
        return Expectation(step.name, basis, pl.DataFrame(), str(error), _is_sure(plan, step.stage, surveyed))


def _is_sure(plan: Plan, stage: Mixer, surveyed: Sequence[Surveyed]) -> bool:
    """Whether the mix of these files fails even if there are as many rows as there can be."""
    offers = _of_files(stage, surveyed) or {}
    if not all(source.is_counted for source in surveyed):
        offers = {name: count * PLENTY for name, count in offers.items()}
    if len(plan.steps) > 1 and stage.named:
        # Earlier stages may remove all rows of a stratum that has no share.
        offers = {name: count for name, count in offers.items() if name in stage.named}
    try:
        stage.targets(offers)
    except InputError:
        return bool(offers)
    return False


def _of_last(step: Step, stage: Mixer, last: Mixture) -> dict[str, int] | None:
    path = last.reports("strata").get(step.name)
    if path is None:
        return None
    mixed = last.stage_of(step.name)
    if not isinstance(mixed, Mixer) or (mixed.columns, mixed.unit) != (stage.columns, stage.unit):
        return None
    return {name: count for name, count in read_frame(path).select("stratum", "offered").iter_rows() if count}


def _of_files(stage: Mixer, surveyed: Sequence[Surveyed]) -> dict[str, int] | None:
    known = {"source", "domain"}
    if stage.unit != "rows" or not known.issuperset(stage.columns):
        return None
    offers: Counter[str] = Counter()
    for source in surveyed:
        values = {"source": source.name, "domain": source.source.domain}
        if "domain" in stage.columns and values["domain"] is None:
            return None
        offers[SEPARATOR.join(values[name] or NONE for name in stage.columns)] += source.expected_rows
    return dict(offers)
