"""Bins of a histogram: their bounds in round numbers, and how many values each holds."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import numpy as np
import polars as pl

BINS: Final = 30


def bins(values: pl.Series, most: int = BINS) -> list[float]:
    """The edges of about `most` bins of one round width; the last bin holds the highest thousandth as well.

    >>> bins(pl.Series([0.0, 3.0, 9.0]), 5)
    [0.0, 2.0, 4.0, 6.0, 8.0, 10.0]
    >>> bins(pl.Series([22, 22]))
    [22.0, 23.0]
    """
    low, high = float(values.min() or 0), float(values.quantile(0.999, "higher") or 0)  # type: ignore[arg-type]
    if high <= low:
        return [low, low + 1]
    rough = (high - low) / most
    if (values == values.round()).all():
        rough = max(1.0, rough)
    power = 10.0 ** math.floor(math.log10(rough))
    width = next(power * step for step in (1, 2, 5, 10, 20) if power * step >= rough)
    first = math.floor(round(low / width, 6))
    count = max(1, math.ceil(round(high / width, 6)) - first)
    return [round((first + number) * width, 10) for number in range(count + 1)]


def binned(values: pl.Series, edges: Sequence[float]) -> list[int]:
    """How many values are in each bin; the last includes its end, and all values beyond it.

    >>> binned(pl.Series([0, 1, 2, 9]), [0.0, 1.0, 2.0])
    [1, 3]
    """
    clipped = np.clip(values.to_numpy(), edges[0], edges[-1])
    return [int(count) for count in np.histogram(clipped, np.array(edges))[0]]
