"""The numbers that a recipe may hold: those that a machine counts with, whoever wrote them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, Final

from pydantic import BaseModel

MOST: Final = 2**63 - 1
MOST_DIGITS: Final = 30
"""Digits on either side of the point: `1e-999999999` written out would have a billion."""


def check(model: BaseModel) -> None:
    """Raise `ValueError` for a number in the fields of a model that is larger or longer than that."""
    for name in type(model).model_fields:
        for value in _numbers(getattr(model, name)):
            if isinstance(value, int):
                if abs(value) > MOST:
                    raise ValueError(f"{name}: a number of {len(str(abs(value)))} digits; at most {MOST:,} is counted")
            elif not _is_short(value):
                raise ValueError(f"{name}: {value} has more than {MOST_DIGITS} digits on a side of its point")


def _is_short(value: Decimal) -> bool:
    exponent = value.as_tuple().exponent
    return isinstance(exponent, int) and -exponent <= MOST_DIGITS and value.adjusted() < MOST_DIGITS


def _numbers(value: Any) -> Iterator[int | Decimal]:
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        yield value
    elif isinstance(value, Mapping):
        for part in value.values():
            yield from _numbers(part)
    elif isinstance(value, tuple | list):
        for part in value:
            yield from _numbers(part)
