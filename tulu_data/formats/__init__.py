"""How foreign columns become rows: one file, one format."""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, Union

from pydantic import BeforeValidator, Discriminator, PlainSerializer, Tag

from tulu_data.errors import did_you_mean
from tulu_data.formats.format import Format
from tulu_data.rows import kind as kinds
from tulu_data.rows.kind import Kind


def of(references: Iterable[str]) -> tuple[type[Format], ...]:
    """The formats that a kind names as `module:Class`."""
    places = (reference.split(":") for reference in dict.fromkeys(references))
    return tuple(getattr(importlib.import_module(module), name) for module, name in places)


FORMATS: Final = of(one for name in kinds.names() for one in kinds.find(name).formats)
"""The formats of all kinds, each kind's in the order in which it tries them."""


def detect(columns: Sequence[str], kind: Kind | None = None, *, is_finished: bool = True) -> Format | None:
    """The first format of a kind that fits the columns; unless `is_finished`, also one for rows without an answer.

    >>> detect(["question", "answer"])
    PromptResponse(prompt=('question',), response=('answer',), system='system', join='\\n')
    """
    kind = kind or kinds.find(kinds.DEFAULT)
    tried = of([*kind.formats, *(() if is_finished else kind.unfinished)])
    return next((found for format in tried if (found := format.detect(columns))), None)


def wanted(kind: Kind) -> str:
    """The columns that the last format of a kind reads, as a recipe names them.

    >>> wanted(kinds.find("sft"))
    'format: {prompt: …, response: …}'
    """
    (last,) = of(kind.formats[-1:])
    return f"format: {{{', '.join(f'{field}: …' for field, *_ in last.needs)}}}"


def could_be(column: str) -> str:
    """The standard name, such as `prompt` or `response`, of a column with a known other name; empty if unknown.

    >>> could_be("solution"), could_be("score")
    ('response', '')
    """
    for names in (names for format in FORMATS for names in (*format.needs, *format.takes)):
        if column in names:
            return names[0]
    return ""


def _by_name(value: Any) -> Any:
    names = [format.name for format in FORMATS]
    if isinstance(value, str):
        for format in FORMATS:
            if format.name == value:
                return format()
        raise ValueError(f"no format named '{value}'; there are {', '.join(names)}{did_you_mean(value, names)}")
    if isinstance(value, Mapping) and _name_of(value) is None:
        keys = ", ".join(format.needs[0][0] for format in FORMATS)
        raise ValueError(f"a mapping of columns needs one of the keys {keys}")
    return value


def _name_of(value: Any) -> str | None:
    if isinstance(value, Format):
        return value.name
    return next((format.name for format in FORMATS if format.needs[0][0] in value), None)


if TYPE_CHECKING:
    FormatSpec = Format
else:
    FormatSpec = Annotated[
        Union[tuple(Annotated[format, Tag(format.name)] for format in FORMATS)],  # noqa: UP007 (as many as there are)
        Discriminator(_name_of),
        PlainSerializer(lambda one: one.model_dump()),
        BeforeValidator(
            _by_name, json_schema_input_type=Literal[tuple(format.name for format in FORMATS)] | dict[str, Any]
        ),
    ]
"""In a recipe: a format's name, or a mapping of its columns."""
