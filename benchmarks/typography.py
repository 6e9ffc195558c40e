r"""Evaluation items as other people typeset them: the same words, numbers and formulas in other characters.

Each rewriting takes a text and a random generator, and returns the text in another typography, or
None if there is nothing to rewrite.
"""

from __future__ import annotations

import random
import re
import unicodedata
from collections.abc import Callable
from typing import Final

Rewriting = Callable[[str, random.Random], str | None]

_ONES: Final = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
]
_TENS: Final = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
_ALONE: Final = re.compile(r"(?<![\w.,/^{}\\$-])\d{1,6}(?![\w.,/^{}\\$%-])")
_SPELLED: Final = re.compile(
    rf"\b(?:(?P<tens>{'|'.join(_TENS)})-(?P<unit>{'|'.join(_ONES[1:10])})|(?P<one>{'|'.join(_ONES)}))\b(?!-)",
    re.IGNORECASE,
)


def spelled(number: int) -> str:
    """A whole number below a million in English words.

    >>> spelled(21), spelled(305), spelled(12_040)
    ('twenty-one', 'three hundred and five', 'twelve thousand forty')
    """
    if number >= 1000:
        rest = f" {spelled(number % 1000)}" if number % 1000 else ""
        return f"{spelled(number // 1000)} thousand{rest}"
    if number >= 100:
        rest = f" and {spelled(number % 100)}" if number % 100 else ""
        return f"{_ONES[number // 100]} hundred{rest}"
    if number >= 20:
        return _TENS[number // 10 - 2] + (f"-{_ONES[number % 10]}" if number % 10 else "")
    return _ONES[number]


def _changed(text: str, other: str) -> str | None:
    return None if other == text else other


def separators(text: str, draw: random.Random) -> str | None:
    """1000 as 1,000, and the reverse."""
    sign = draw.choice([",", "\u2009", "\u202f", "\u00a0", "_", "'", "\u2019", "{,}", "\\,"])
    bare = re.sub(r"(?<=\d),(?=\d{3}(?!\d))", "", text)
    if bare != text:
        return bare
    return _changed(
        text, re.sub(r"(?<![\w.])\d{4,}(?![\w.])", lambda found: f"{int(found[0]):,}".replace(",", sign), text)
    )


def numbers_in_words(text: str, draw: random.Random) -> str | None:
    """3 as three."""
    return _changed(text, _ALONE.sub(lambda found: spelled(int(found[0])) if found[0][0] != "0" else found[0], text))


def words_in_digits(text: str, draw: random.Random) -> str | None:
    """Three as 3."""

    def digits(found: re.Match[str]) -> str:
        if found["one"]:
            return str(_ONES.index(found["one"].lower()))
        return str(10 * (_TENS.index(found["tens"].lower()) + 2) + _ONES.index(found["unit"].lower()))

    return _changed(text, _SPELLED.sub(digits, text))


def other_digits(text: str, draw: random.Random) -> str | None:
    """3 as the digit of another script, or full width."""
    zero = draw.choice([0xFF10, 0xFF10, 0x0660, 0x0966, 0x06F0, 0x09E6, 0x1D7CE])
    return _changed(text, re.sub(r"[0-9]", lambda found: chr(zero + int(found[0])), text))


_UNSEEN: Final = "\u200b\u200c\u200d\u2060\ufeff\u00ad\u200e\u200f\u202a\u2066\ufe0f\ufe0e\u034f\u180e\u061c\U000e0020"


def unseen(text: str, draw: random.Random) -> str | None:
    """Invisible characters within a third of the words."""

    def sown(found: re.Match[str]) -> str:
        word = found[0]
        if draw.random() > 1 / 3:
            return word
        place = draw.randrange(1, len(word))
        return word[:place] + draw.choice(_UNSEEN) + word[place:]

    return _changed(text, re.sub(r"[^\W_]{2,}", sown, text))


_LIGATURES: Final = {"ffi": "ﬃ", "ffl": "ﬄ", "ff": "ﬀ", "fi": "ﬁ", "fl": "ﬂ", "st": "ﬆ"}


def other_forms(text: str, draw: random.Random) -> str | None:
    """Ligatures, letters of full width or of mathematics, accents apart from their letters."""
    kind = draw.randrange(3)
    if kind == 0:
        other = re.sub("|".join(_LIGATURES), lambda found: _LIGATURES[found[0]], text)
        return _changed(text, unicodedata.normalize("NFD", other))
    bases = {1: (0xFF21, 0xFF41), 2: (0x1D400, 0x1D41A)}[kind]
    return _changed(
        text,
        re.sub(r"(?<!\\)\b[A-Za-z]+", lambda found: "".join(
            chr(bases[letter.islower()] + ord(letter.lower()) - ord("a")) for letter in found[0]
        ), text),
    )  # fmt: skip


_RAISED: Final = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")
_SYMBOLS: Final = {
    "sqrt": "√", "cdot": "·", "times": "×", "le": "≤", "leq": "≤", "ge": "≥", "geq": "≥", "ne": "≠", "neq": "≠",
    "pi": "π", "theta": "θ", "alpha": "α", "omega": "ω", "infty": "∞", "sum": "∑", "circ": "°", "angle": "∠",
    "triangle": "△", "div": "÷", "pm": "±", "in": "∈", "cup": "∪", "cap": "∩", "ldots": "…", "dots": "…", "to": "→",
}  # fmt: skip


def _is_formula(text: str) -> bool:
    return bool(re.search(r"\$(?!\s)[^$]*(?<!\s)\$|\\[a-zA-Z([]", text))


def latex_otherwise(text: str, draw: random.Random) -> str | None:
    """Other commands, delimiters and spaces of the same formula."""
    if not _is_formula(text) or "[asy]" in text:
        return None
    other = re.sub(r"\\[dt]?frac\b", lambda _: draw.choice([r"\frac", r"\dfrac", r"\tfrac", r"\cfrac"]), text)
    if draw.random() < 0.5:
        other = re.sub(r"\\(?:left|right)(?=[()\[\]|.\\])", "", other)
    else:
        opening = draw.choice([r"\left", r"\bigl", r"\Big"])
        closing = {r"\left": r"\right", r"\bigl": r"\bigr", r"\Big": r"\Big"}[opening]
        other = re.sub(r"(?<![\\\w])\(([^()$]*)\)", lambda found: f"{opening}({found[1]}{closing})", other)
    space = draw.choice([r"\,", r"\;", r"\!", r"\quad ", "~", ""])
    other = re.sub(r"(?<=[\w})])\s*([=+])\s*(?=[\w{(\\])", lambda found: f"{space}{found[1]}{space}", other)
    if draw.random() < 0.5:
        other = re.sub(r"(?<![\\$])\$([^$]+?)(?<!\\)\$(?!\$)", r"\\(\1\\)", other)
        other = other.replace(r"\[", "$$").replace(r"\]", "$$")
    return _changed(text, other.replace(r"\le ", r"\leq ").replace(r"\ge ", r"\geq "))


def formulas_in_unicode(text: str, draw: random.Random) -> str | None:
    """Formulas without LaTeX: 1/2, √2, x², 90°, 2 · π."""
    if not _is_formula(text) or "[asy]" in text:
        return None
    other = re.sub(r"(?<=\d)(?=\\[dt]?frac)", " ", text)
    other = re.sub(r"\\[dt]?frac\{([^{}]*)\}\{([^{}]*)\}", r"\1/\2", other)
    other = re.sub(r"\\[dt]?frac(\d)(\d)", r"\1/\2", other)
    other = re.sub(r"\^\{?\\circ\}?", "°", other)
    other = re.sub(r"\\(?:text|mathrm|mathbf|textbf)\{([^{}]*)\}", r"\1", other)
    other = re.sub(r"\^(?:\{([0-9]+)\}|([0-9]))", lambda found: (found[1] or found[2]).translate(_RAISED), other)
    other = re.sub(r"\\([a-zA-Z]+)\b ?", lambda found: _SYMBOLS.get(found[1], found[0]), other)
    other = re.sub(r"\\(?:left|right|[,;!]|quad\b)", "", other)
    return _changed(text, re.sub(r"(?<!\\)\$|\\[()\[\]]", "", other).replace(r"\$", "$").replace(r"\%", "%"))


def without_signs(text: str, draw: random.Random) -> str | None:
    """Letters, digits and white space only."""
    return _changed(text, re.sub(r"[^\w\s]|_", " ", text)) if _is_formula(text) else None


def marked(text: str, draw: random.Random) -> str | None:
    """Words in italics, in bold face or as code, by Markdown or HTML."""
    marks = [("_", "_"), ("__", "__"), ("*", "*"), ("**", "**"), ("`", "`"), ("<b>", "</b>"), ("<em>", "</em>")]

    def with_marks(found: re.Match[str]) -> str:
        before, after = draw.choice(marks)
        return f"{before}{found[0]}{after}" if draw.random() < 0.4 else found[0]

    return _changed(text, re.sub(r"(?<![\w\\<&])[A-Za-z0-9]+(?!\w)", with_marks, text))


def escaped(text: str, draw: random.Random) -> str | None:
    r"""Text as in a web page or in JSON: entities, <br>, a literal \n between words and before the first."""
    kind = draw.randrange(4)
    if kind == 0:
        other = re.sub(r"(?<=[^\s\\]) (?=\w)", lambda _: draw.choice(["&nbsp;", " ", "<br>", "<br />"]), text)
    elif kind == 1:
        other = "\\n" + re.sub(r"(?<=[a-z.,?]) (?=\w)", lambda _: draw.choice([" ", "\\n", "\\n\\n"]), text)
    else:
        entities = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;", "é": "&eacute;"}
        other = "".join(entities.get(letter, letter) for letter in text)
        if kind == 3:
            other = re.sub(r"'|&#39;", "\u2019", other.replace("&quot;", "\u201d"))
    return _changed(text, other)


REWRITINGS: Final[dict[str, Rewriting]] = {
    "separators": separators,
    "numbers in words": numbers_in_words,
    "words in digits": words_in_digits,
    "other digits": other_digits,
    "unseen characters": unseen,
    "other forms": other_forms,
    "LaTeX otherwise": latex_otherwise,
    "formulas in Unicode": formulas_in_unicode,
    "formulas without signs": without_signs,
    "marked words": marked,
    "escaped": escaped,
}
"""The kinds of rewriting, by the name of their column."""
