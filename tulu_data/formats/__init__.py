"""How foreign columns become conversations: one file, one format."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final, Literal

from pydantic import BeforeValidator, Discriminator, Tag

from tulu_data.errors import did_you_mean
from tulu_data.formats.alpaca import Alpaca, AlpacaPrompt
from tulu_data.formats.format import Format
from tulu_data.formats.messages import Messages
from tulu_data.formats.prompt_response import PromptOnly, PromptResponse
from tulu_data.formats.sharegpt import ShareGPT

FORMATS: Final[tuple[type[Format], ...]] = (Messages, ShareGPT, Alpaca, PromptResponse)
"""In the order in which they are tried: a file with messages and a prompt holds messages."""


def detect(columns: Sequence[str], *, needs_answer: bool = True) -> Format | None:
    """The first format that the columns fit; unless there `needs_answer`, a prompt alone is enough.

    >>> detect(["question", "answer"])
    PromptResponse(prompt=('question',), response=('answer',), system='system', join='\\n')
    """
    formats: tuple[type[Format], ...] = FORMATS if needs_answer else (*FORMATS, AlpacaPrompt, PromptOnly)
    return next((found for format in formats if (found := format.detect(columns))), None)


def could_be(column: str) -> str:
    """What a column could be, by its name, that a format reads under another one: `prompt`, `response`, …; or nothing.

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
    if isinstance(value, Mapping) and _kind(value) is None:
        keys = ", ".join(format.needs[0][0] for format in FORMATS)
        raise ValueError(f"a mapping of columns needs one of the keys {keys}")
    return value


def _kind(value: Any) -> str | None:
    if isinstance(value, Format):
        return value.name
    return next((format.name for format in FORMATS if format.needs[0][0] in value), None)


FormatSpec = Annotated[
    Annotated[Messages, Tag("messages")]
    | Annotated[ShareGPT, Tag("sharegpt")]
    | Annotated[Alpaca, Tag("alpaca")]
    | Annotated[PromptResponse, Tag("prompt_response")],
    Discriminator(_kind),
    BeforeValidator(
        _by_name, json_schema_input_type=Literal["messages", "sharegpt", "alpaca", "prompt_response"] | dict[str, Any]
    ),
]
"""In a recipe: a format's name, or a mapping of its columns."""
