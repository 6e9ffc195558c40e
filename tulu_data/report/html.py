"""HTML as values: everything that is not markup already is escaped."""

from __future__ import annotations

import html
from collections.abc import Iterable
from typing import Any, Final

from tulu_data.characters import visible

_EMPTY: Final = frozenset({"meta", "input", "wbr"})


class Markup(str):
    """A piece of HTML: its text is trusted, because `tag` made it."""

    __slots__ = ()


def tag(name: str, /, *children: object, **attributes: Any) -> Markup:
    """An element; children that are not markup are escaped, and attributes that are None left out.

    >>> tag("p", "1 < 2 ", tag("b", "so"), class_="x")
    '<p class="x">1 &lt; 2 <b>so</b></p>'
    """
    shown = "".join(
        f" {key.rstrip('_').replace('_', '-')}" + ("" if value is True else f'="{html.escape(str(value))}"')
        for key, value in attributes.items()
        if value is not None and value is not False
    )
    if name in _EMPTY:
        return Markup(f"<{name}{shown}>")
    return Markup(f"<{name}{shown}>{join(children)}</{name}>")


def join(children: Iterable[object]) -> Markup:
    """Pieces joined to one."""
    return Markup("".join(child if isinstance(child, Markup) else escape(str(child)) for child in children))


def escape(text: str) -> Markup:
    r"""Text with markup escaped; invisible characters, and those that change its direction, as their numbers.

    >>> escape("<b>\u202e\x00")
    '&lt;b&gt;\\u202e\\x00'
    """
    return Markup(html.escape(visible(text, keep="\n\t")))


def prose(text: str) -> Markup:
    """A sentence of a docstring, with text between backticks as code.

    >>> prose("Write `language`.")
    'Write <code>language</code>.'
    """
    parts = text.split("`")
    return join(tag("code", part) if place % 2 else part for place, part in enumerate(parts))


def breakable(text: str) -> Markup:
    """A name with underscores, after which the line may break.

    >>> breakable("exact_dedup")
    'exact_<wbr>dedup'
    """
    return Markup("_<wbr>".join(escape(part) for part in text.split("_")))
