"""Memory and disk that a build needs, refused before it is used."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np

from tulu_data.building.decision import Decision
from tulu_data.building.shards import Shard
from tulu_data.errors import ResourceError
from tulu_data.recipe.plan import Plan
from tulu_data.store.durable import require_room

# Ids, content hashes, occurrences, fates and the frames that group them.
BYTES_PER_ROW: Final = 200
# Memory to place an output row: eight arrays of numbers.
LAYOUT_BYTES_PER_ROW: Final = 100


def bytes_per_row(plan: Plan) -> int:
    """The bytes of memory that deciding needs for each row, at its peak."""
    return BYTES_PER_ROW + max((resolver.memory_per_row() for resolver in plan.resolvers), default=0)


def check_deciding(rows: int, plan: Plan, memory: int) -> None:
    """Raise `ResourceError` (exit 6) where deciding on `rows` rows would not fit into `memory` bytes."""
    each = bytes_per_row(plan)
    if rows * each > memory:
        raise ResourceError(
            f"deciding on {rows:,} rows needs about {rows * each / 1e9:.1f} GB ({each} bytes a row), "
            f"and --memory is {memory / 1e9:.1f} GB; raise it, or take fewer rows of the sources"
        )


def check_writing(decision: Decision, shards: tuple[Shard, ...], out: Path, memory: int) -> None:
    """Raise `ResourceError` (exit 6) where the rows to be written, including repeated ones, can't fit."""
    rows = int(decision.copies[decision.kept].sum(dtype=np.uint64))
    if rows * LAYOUT_BYTES_PER_ROW > memory:
        raise ResourceError(
            f"writing {rows:,} rows needs about {rows * LAYOUT_BYTES_PER_ROW / 1e9:.1f} GB of memory, and --memory is "
            f"{memory / 1e9:.1f} GB; raise it, or take fewer rows in the mix"
        )
    stored = sum(shard.table.path.stat().st_size for shard in shards)
    # The mixture may be compressed better than the store, above all if rows repeat, but not ten times better.
    require_room(out, stored * rows // max(len(decision), 1) // 10, f"a mixture of {rows:,} rows")
