"""Characters that a screen does not show, or that control it, and the numbers that replace them."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

# Characters that Python counts as printable and a screen does not show: fillers, grapheme joiners, variation selectors.
_BLANK: Final = "\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180d\u180f\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef"
_BLANKS: Final = re.compile(f"[{_BLANK}]")

# Scripts that use joiners (Arabic, Syriac, those of India and its neighbours, Mongolian), and emoji.
_JOINING: Final = (
    "[\u0600-\u08ff\u0900-\u109f\u1780-\u18af\u2190-\u2bff\ufb50-\ufdff\ufe0f\ufe70-\ufefc\U0001f000-\U0001faff]"
)
_READABLE: Final = "|".join(
    (
        f"(?<={_JOINING})[\u200c\u200d](?={_JOINING})",
        "(?<=[#*0-9])\ufe0f(?=\u20e3)",
        f"(?<=[^\x00-\x7f{_BLANK}])[\ufe00-\ufe0f]",
        "(?<=[\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff])[\U000e0100-\U000e01ef]",
        "(?<=[\u1820-\u18aa])[\u180b-\u180d\u180f]",
        # Format characters of Arabic and Syriac that are drawn, and spaces, which have a width.
        "[\u0600-\u0605\u06dd\u070f\u0890\u0891\u08e2]",
        "[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]",
    )
)
_SUSPECT: Final = re.compile(f"({_READABLE})|[^ -~]")


def number_of(sign: str) -> str:
    r"""A character as Python writes it.

    >>> number_of("\u202e")
    '\\u202e'
    """
    return sign.encode("unicode_escape", "surrogatepass").decode()


def storable(path: object) -> str:
    r"""A path as UTF-8 text: each byte of its name that is not UTF-8 is replaced by its number.

    >>> print(storable("data/\udcff.jsonl"))
    data/\udcff.jsonl
    """
    return str(path).encode(errors="backslashreplace").decode()


def visible(text: str, keep: str = "", form: Callable[[str], str] = number_of) -> str:
    r"""The text with each invisible character replaced by its `form`.

    These are controls (C0, C1, DEL, and so all escape sequences of terminals), marks of
    direction, lone surrogates, line separators, tags, characters that Unicode has not
    assigned or leaves to private use, and those without a width. The latter are kept in
    a script or an emoji that is written with them; `keep` names others to keep.

    >>> print(visible("a\x1b[31m\u202eb\u200bc"))
    a\x1b[31m\u202eb\u200bc
    >>> visible("שלום, \U0001f468\u200d\U0001f33e, ♥\ufe0f") == "שלום, \U0001f468\u200d\U0001f33e, ♥\ufe0f"
    True
    """
    if text.isprintable() and not _BLANKS.search(text):
        return text

    def shown(found: re.Match[str]) -> str:
        sign = found[0]
        is_seen = found[1] or sign in keep or (sign.isprintable() and not _BLANKS.match(sign))
        return sign if is_seen else form(sign)

    return _SUSPECT.sub(shown, text)
