"""Stop a build in which a step removes more of a source than it may, and show examples."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from tulu_data.building.decision import Decision
from tulu_data.building.shards import Shard, turns_at
from tulu_data.errors import FindingsError, printable
from tulu_data.recipe.plan import Step
from tulu_data.rows.rows import begins_with
from tulu_data.verdicts import TWIN

EXAMPLES: Final = 3


def check_removed(decision: Decision, step: Step, alive: npt.NDArray[np.bool_], shards: Sequence[Shard]) -> None:
    """Raise `FindingsError` (exit 4), with examples, where a step removed too many of the rows that were `alive`."""
    removed = alive & ~decision.kept
    before = np.bincount(decision.source[alive], minlength=len(decision.sources))
    dropped = np.bincount(decision.source[removed], minlength=len(decision.sources))
    for index, source in enumerate(decision.sources):
        limit = step.stage.limit_for(source)
        if dropped[index] > limit * int(before[index]):
            share = dropped[index] / before[index]
            allowing = min(100, -(-int(dropped[index]) * 100 // int(before[index]))) / 100
            shown = () if step.stage.is_private else shards
            rows = np.flatnonzero(removed & (decision.source == index))[:EXAMPLES]
            examples = "".join(f"\n{_example(decision, shown, row)}" for row in rows.tolist())
            raise FindingsError(
                f"stages.{step.name}: removes {dropped[index]:,} of {before[index]:,} rows of {source} ({share:.1%}), "
                f"and max_removed is {limit}; if that is right, say so in the stage: "
                f"max_removed: {{{source}: {allowing:g}}}{examples}"
            )


def check_left(decision: Decision) -> None:
    """Raise `FindingsError` (exit 4) if rows were read and none of them is kept."""
    if len(decision) and not decision.kept.any():
        gone = {fate: sum(counts[fate] for counts in decision.removed().values()) for fate in decision.fates[1:]}
        listed = ", ".join(f"{fate} removed {count:,}" for fate, count in gone.items() if count)
        raise FindingsError(f"no row is left of {len(decision):,}: {listed}; a mixture has at least one")


def _example(decision: Decision, shards: Sequence[Shard], row: int) -> str:
    """One removed row as a person sees it: id, reason, twin, and, if its shard is given, the beginning of its text."""
    named = (
        f"  {decision.ids(np.array([row]))[0]}  {decision.reasons[int(decision.reason[row])]}{_evidence(decision, row)}"
    )
    if not shards:
        return named
    index, position = decision.place_in_store(row)
    return f"{named}: {printable(begins_with(turns_at(shards[index], position)))}"


def _evidence(decision: Decision, row: int) -> str:
    step = decision.fates[int(decision.fate[row])]
    filed = decision.evidence[step].filter(pl.col("row") == row).drop("row", "copies", "reason")
    values = next(filed.iter_rows(named=True), {})
    if TWIN in values:
        twin = np.array([values[TWIN]])
        values[TWIN] = f"{decision.ids(twin)[0]} of {decision.sources[int(decision.source[twin][0])]}"
    return "".join(f", {name} {value}" for name, value in values.items())
