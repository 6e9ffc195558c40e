"""Regular expressions of a recipe: those of RE2, which always take time linear in the text."""

from __future__ import annotations

from typing import Annotated, Any

import re2
from pydantic import AfterValidator, Field


def _checked(text: str) -> str:
    try:
        re2.compile(text, options())
    except re2.error as error:
        what = error.args[0].decode() if error.args and isinstance(error.args[0], bytes) else str(error)
        raise ValueError(f"'{text}' is not an RE2 expression: {what}") from None
    return text


Expression = Annotated[str, Field(min_length=1), AfterValidator(_checked)]
"""An expression that RE2 accepts; else an error that says what is wrong with it."""


def options() -> Any:
    """Options for compiling expressions: no log, and memory for large sets."""
    chosen = re2.Options()
    chosen.log_errors = False
    chosen.max_mem = 256 << 20
    return chosen
