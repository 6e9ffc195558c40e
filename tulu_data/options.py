"""The options of a source, a stage or the output in a recipe: bounded numbers, and a docstring that is always there."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, model_validator

MOST: Final = 2**63 - 1
MOST_DIGITS: Final = 30
"""Digits on either side of the point: `1e-999999999` written out would have a billion."""


class Options(BaseModel):
    """A frozen model that refuses unknown options, and numbers that are too large or too long."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @classmethod
    def __pydantic_init_subclass__(cls, **options: Any) -> None:
        """Keep the docstring, which the schema and the report show, even if Python runs without docstrings."""
        super().__pydantic_init_subclass__(**options)
        if sys.flags.optimize > 1:
            cls.__doc__ = docstring(cls)

    @model_validator(mode="after")
    def _countable(self) -> Self:
        for name in type(self).model_fields:
            for value in _numbers(getattr(self, name)):
                if isinstance(value, int):
                    if abs(value) > MOST:
                        digits = len(str(abs(value)))
                        raise ValueError(f"{name}: a number of {digits} digits; at most {MOST:,} is counted")
                elif not _is_short(value):
                    raise ValueError(f"{name}: {value} has more than {MOST_DIGITS} digits on a side of its point")
        return self


def one_or_many(one: Any) -> BeforeValidator:
    """Let a list with one member be written as that member.

        Names = Annotated[tuple[str, ...], one_or_many(str)]

    `one` is the type of a member, as the JSON Schema shows it.
    """
    alone: Any = (str, int) if one == str | int else str
    return BeforeValidator(
        lambda value: (value,) if isinstance(value, alone) else value, json_schema_input_type=one | list[one]
    )


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


def docstring(kind: type) -> str | None:
    """The docstring of a class, read in its module: `python -OO` leaves it out of the class.

    >>> docstring(type("Nobody", (), {})) is None
    True
    """
    file = getattr(sys.modules.get(kind.__module__), "__file__", None)
    tree = ast.parse(Path(file).read_text(encoding="utf-8")) if file else ast.Module([], [])
    own = (node for node in ast.walk(tree) if isinstance(node, ast.ClassDef) and node.name == kind.__name__)
    return next((ast.get_docstring(node, clean=False) for node in own), None)
