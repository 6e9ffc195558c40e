"""The words, commands and characters that `math_code` does not read as plain letters.

A formula is compared by its letters, digits and named functions: signs, and the commands and
tags that set it in type, are not words. A number is compared by its value.
"""

from __future__ import annotations

from html.entities import name2codepoint
from typing import Final

DROPPED: Final = 1 << 0
"""Not a word, with a backslash or without."""
COMMAND: Final = 1 << 1
"""Not a word after a backslash."""
TAG: Final = 1 << 2
"""Not a word between < and >."""
KNOWN: Final = 1 << 3
"""A command that begins with n, t or r: its backslash does not begin a line break or a tab."""
FRACTION: Final = 1 << 4
"""Dropped; if two digits follow it, each is a number."""
RENAMED: Final = 1 << 5
"""Another spelling of a word; the value is that word's hash."""
UNIT: Final = 1 << 6
TENS: Final = 1 << 7
HUNDRED: Final = 1 << 8
THOUSAND: Final = 1 << 9
MILLION: Final = 1 << 10
AND: Final = 1 << 11
PART: Final = 1 << 12
"""A denominator in words: in two thirds the value of thirds is 3."""
ZEROS: Final = 1 << 13
"""Dropped right behind a decimal point."""
GROUP: Final = 1 << 14
"""Three zeros: two such groups in a row are a million, three a billion."""
BY_NEIGHBOURS: Final = COMMAND | TAG | KNOWN | AND
"""Roles that a word has only behind a backslash, <, / or within a number: many are common words."""

_FRACTIONS: Final = "frac dfrac tfrac cfrac"
_TYPESETTING: Final = (
    "mathrm mathbf mathbb mathcal mathit mathsf mathfrak boldsymbol operatorname textbf textit textrm texttt textsf "
    "displaystyle textstyle scriptstyle nolimits quad qquad bigl bigr biggl biggr lvert rvert lfloor rfloor "
    "lceil rceil langle rangle lbrace rbrace lbrack rbrack "
    "cdot cdots ldots vdots ddots leq geq neq leqslant geqslant approx equiv cong coloneqq div percent"
)
_COMMANDS: Final = (
    "left right middle big bigg text emph rm bf it sf tt limits hfill displaylimits "
    "times pm mp ast star le ge ne lt gt ll gg sim simeq propto mid vert backslash setminus colon prime dots "
    "to rightarrow leftarrow longrightarrow leftrightarrow implies iff mapsto gets not neg land lor cdotp bullet "
    "tag nonumber notag noindent newline normalsize thinspace thickspace negthinspace hspace vspace"
)
PLUS, MINUS, TIMES, OVER, EQUAL, LESS, MORE, POWER, NOT = (1 << place for place in range(9))
SIGNS: Final = {
    "+": PLUS, "-": MINUS, "\u2212": MINUS, "\u2013": MINUS, "±": PLUS | MINUS, "*": TIMES, "×": TIMES, "·": TIMES,
    "⋅": TIMES, "/": OVER, "÷": OVER, "=": EQUAL, "<": LESS, ">": MORE, "≤": LESS, "≥": MORE, "^": POWER,
    "≠": NOT,
}  # fmt: skip
"""Signs between two numbers: they are not words, but different signs make numbers differ."""
_SIGN_COMMANDS: Final = {
    "times": TIMES, "cdot": TIMES, "div": OVER, "pm": PLUS | MINUS, "le": LESS, "leq": LESS, "lt": LESS,
    "leqslant": LESS, "ge": MORE, "geq": MORE, "gt": MORE, "geqslant": MORE, "ne": NOT, "neq": NOT,
}  # fmt: skip
_TAGS: Final = "br p b i u s em strong sub sup code pre div span li ul ol hr tt small big table tr td th tbody"
# Greek letters, functions and symbols whose commands begin as escapes of JSON and Python do.
_KNOWN: Final = (
    "nu nabla natural ni nmid notin nparallel text theta tan tanh tau top triangle triangleq tilde therefore tbinom "
    "rho root re rightangle rtimes"
)
_RENAMED: Final = {
    "varphi": "phi", "vartheta": "theta", "varepsilon": "epsilon", "varrho": "rho", "varsigma": "sigma", "varpi": "pi",
    "dbinom": "binom", "tbinom": "binom", "circ": "degrees", "degree": "degrees", "varnothing": "emptyset",
}  # fmt: skip
SYMBOLS: Final = {
    "°": "degrees", "∘": "degrees", "√": "sqrt", "∞": "infty", "∑": "sum", "∏": "prod", "∫": "int",
    "∠": "angle", "△": "triangle", "∆": "delta", "∈": "in", "∉": "notin", "∪": "cup", "∩": "cap", "⊂": "subset",
    "⊆": "subseteq", "⊥": "perp", "∥": "parallel", "∅": "emptyset", "∂": "partial", "∇": "nabla", "∀": "forall",
    "∃": "exists",
}  # fmt: skip
"""Signs that are words, by the name of their command."""
_GREEK_LETTERS: Final = "αβγδεζηθικλμνξοπρστυφχψω"
_GREEK_NAMES: Final = (
    "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi omicron pi rho sigma tau upsilon phi "
    "chi psi omega"
)
_UNITS: Final = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen "
    "sixteen seventeen eighteen nineteen"
)
_TENS: Final = "twenty thirty forty fifty sixty seventy eighty ninety"
_PARTS: Final = {
    "half": 2, "halves": 2, "third": 3, "thirds": 3, "fourth": 4, "fourths": 4, "quarter": 4, "quarters": 4,
    "fifth": 5, "fifths": 5, "sixth": 6, "sixths": 6, "seventh": 7, "sevenths": 7, "eighth": 8, "eighths": 8,
    "ninth": 9, "ninths": 9, "tenth": 10, "tenths": 10,
}  # fmt: skip

ENTITIES: Final = {**{name.lower(): code for name, code in name2codepoint.items()}, "apos": ord("'")}
"""Characters of HTML by their names in lower case: words are compared in lower case."""


def roles() -> dict[str, tuple[int, int | str]]:
    """The role of each word: flags, and a number or the word that it is a spelling of.

    >>> roles()["forty"] == (TENS, 40), roles()["π"] == (RENAMED, "pi")
    (True, True)
    """
    found: dict[str, tuple[int, int | str]] = {}

    def add(word: str, flags: int, value: int | str = 0) -> None:
        before, kept = found.get(word, (0, 0))
        found[word] = (before | flags, value or kept)

    for words, flags in (
        (_FRACTIONS, DROPPED | FRACTION),
        (_TYPESETTING, DROPPED),
        (_COMMANDS, COMMAND),
        (_TAGS, TAG),
        (_KNOWN, KNOWN),
    ):
        for word in words.split():
            add(word, flags)
    greek = {**dict(zip(_GREEK_LETTERS, _GREEK_NAMES.split(), strict=True)), "ς": "sigma"}
    for names in (_RENAMED, SYMBOLS, greek):
        for word, name in names.items():
            add(word, RENAMED, name)
    for value, word in enumerate(_UNITS.split()):
        add(word, UNIT, value)
    for value, word in enumerate(_TENS.split(), start=2):
        add(word, TENS, 10 * value)
    for word, value in _PARTS.items():
        add(word, PART, value)
    for word, flags in (("hundred", HUNDRED), ("thousand", THOUSAND), ("million", MILLION)):
        add(word, flags)
    for word, signs in _SIGN_COMMANDS.items():
        add(word, COMMAND, signs)
    for word, flags in (("and", AND), ("0", ZEROS), ("00", ZEROS), ("000", GROUP)):
        add(word, flags)
    return found
