"""Seats by Sainte-Laguë: whole numbers in given proportions, with an exact sum.

The method of highest averages with the divisors 1, 3, 5, … (A. Sainte-Laguë, 1910; also
Webster's method). Seats for a larger total contain those for a smaller one, and weights
that are all multiplied by one number give the same seats.
"""

from __future__ import annotations

import heapq
from collections.abc import Mapping
from fractions import Fraction


def seats(weights: Mapping[str, Fraction], total: int) -> dict[str, int]:
    """How many of `total` seats each name gets; ties go to the name that comes first.

    >>> seats({"math": Fraction(36), "code": Fraction(15), "chat": Fraction(49)}, 10)
    {'math': 4, 'code': 1, 'chat': 5}

    Raises `ValueError` if a weight is negative, or if there are seats and no weight is positive.
    """
    if any(weight < 0 for weight in weights.values()):
        raise ValueError("a weight is negative")
    positive = {name: weight for name, weight in weights.items() if weight}
    if total and not positive:
        raise ValueError("no weight is positive")
    whole = sum(positive.values())
    shares = {name: Fraction(weight, 1) / whole for name, weight in positive.items()}
    # The last seat is given at an average of at least 1 / (2 total + parties), so that a
    # party has at least this many; what is left is given seat by seat.
    slack = Fraction(len(shares) + 1, 2)
    given = {name: max(0, int(share * (total - slack)) - 1) for name, share in shares.items()}
    waiting = [(-share / (2 * given[name] + 1), name) for name, share in shares.items()]
    heapq.heapify(waiting)
    for _ in range(total - sum(given.values())):
        _, name = waiting[0]
        given[name] += 1
        heapq.heapreplace(waiting, (-shares[name] / (2 * given[name] + 1), name))
    return {name: given.get(name, 0) for name in weights}


def largest_total(weights: Mapping[str, Fraction], offers: Mapping[str, int]) -> int:
    """The largest total for which no name gets more seats than it offers.

    >>> largest_total({"math": Fraction(1), "chat": Fraction(3)}, {"math": 10, "chat": 1000})
    42
    """
    low, high = 0, sum(offers.get(name, 0) for name, weight in weights.items() if weight)
    while low < high:
        middle = (low + high + 1) // 2
        found = seats(weights, middle)
        if all(count <= offers.get(name, 0) for name, count in found.items()):
            low = middle
        else:
            high = middle - 1
    return low
