"""The strings and numbers of a JSON text, decoded, and the place of each in it.

An address in JSON may be written with escapes, and the text before it may end in one
(`"to:\\nada@…"`): only decoded text can be searched, and only written text can be replaced.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

_TOKEN: Final = re.compile(r'"(?P<string>(?:[^"\\]|\\.)*)"(?P<is_key>\s*:)?|(?P<number>-?\d[\d.eE+-]*)')
_ESCAPE: Final = re.compile(r"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|.)|[^\\]+")


class Leaf(NamedTuple):
    """A string or a number of a JSON text, decoded.

    Character i of `text` is written from `places[i]` to before `places[i + 1]`. `key` is the key of
    this value, or of the list that it is in; `is_key` says whether it is a key itself. `quotes`
    go around a string that replaces a number; they are empty for strings, which have quotes.
    """

    text: str
    places: Sequence[int]
    key: str
    is_key: bool
    quotes: str


def leaves(text: str) -> list[Leaf] | None:
    r"""The leaves of a JSON object or array, in order; None if the text is something else.

    A string that is the JSON text of an object or array is not a leaf; its own leaves are.

    >>> [leaf.text for leaf in leaves('{"a": ["\\u0040", 12], "b": "{\\"c\\": \\"\\\\n\\"}"}')]
    ['a', '@', '12', 'b', 'c', '\n']
    >>> leaves("[see above]")
    """
    return [*_leaves(text, range(len(text) + 1), '"', "")] if _is_json(text) else None


def _is_json(text: str) -> bool:
    if not text.lstrip().startswith(("{", "[")):
        return False
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _leaves(text: str, places: Sequence[int], quote: str, key: str) -> Iterator[Leaf]:
    """`places` says where each character of the text is written, `quote` how a quote is written there."""
    for token in _TOKEN.finditer(text):
        if token["number"] is not None:
            yield Leaf(token["number"], places[token.start() : token.end() + 1], key, is_key=False, quotes=quote)
            continue
        string, own = _decoded(token["string"], token.start("string"))
        written = [places[place] for place in own] if not isinstance(own, range) else places[own[0] : own[-1] + 1]
        is_key = token["is_key"] is not None
        if not is_key and _is_json(string):
            yield from _leaves(string, written, json.dumps(quote)[1:-1], key)
        else:
            key = string if is_key else key
            yield Leaf(string, written, "" if is_key else key, is_key, "")


def _decoded(string: str, start: int) -> tuple[str, Sequence[int]]:
    """The text between two quotes, and where each of its characters is written, from `start` on; last its end."""
    if "\\" not in string:
        return string, range(start, start + len(string) + 1)
    pieces, places = [], []
    for found in _ESCAPE.finditer(string):
        if found[0].startswith("\\"):
            pieces.append(json.loads(f'"{found[0]}"'))
            places.append(start + found.start())
        else:
            pieces.append(found[0])
            places += range(start + found.start(), start + found.end())
    return "".join(pieces), [*places, start + len(string)]
