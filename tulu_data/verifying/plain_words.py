"""Split text into words, as docs/decontamination.md defines them, in plain Python that can be read.

It shares nothing with the kernel that a build uses: no table of characters, no list of
commands, no hash.
"""

from __future__ import annotations

import itertools
import re
import string
import unicodedata
from collections.abc import Iterator, Sequence
from functools import cache
from html.entities import name2codepoint
from typing import Final, NamedTuple

Words = list[str]
Gram = tuple[str, ...]

_UNSPACED: Final = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\u2fdf\u3005-\u3007\u3021-\u3029\u3031-\u3035\u3038-\u303c"
    "\u3041-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\ua9e0-\ua9ff\uaa60-\uaa7f\uf900-\ufaff\uff66-\uff9f"
    "\U0001aff0-\U0001b16f\U00020000-\U0003fffd]"
)
"""Thai, Lao, Myanmar, Khmer, Han, kana: scripts whose words have no space between them."""
_UNSEEN: Final = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
"""Invisible characters, and those that only change how others look."""
_ENTITY: Final = re.compile(r"&(?:#([0-9]{1,10})|#[xX]([0-9a-fA-F]{1,9})|([A-Za-z0-9]{1,11}));")
_TAG_END: Final = re.compile("[ /]*>")
_ENTITIES: Final = {name.lower(): code for name, code in name2codepoint.items()} | {"apos": 39}
_LONGEST_PIECE: Final = 8
_NO_PUNCTUATION: Final = str.maketrans("", "", string.punctuation)
_ALPHANUMERIC: Final = re.compile("[a-z0-9_]+")
_LETTERS_OR_DIGITS: Final = re.compile("[a-z]+|[0-9]+")


class _Letter(NamedTuple):
    """A letter as it is compared, the character that it comes from, and the place of that in the text."""

    folded: str
    origin: str
    start: int
    end: int


class _Word(NamedTuple):
    folded: str
    start: int
    end: int


def words(text: str, normaliser: str) -> Words:
    r"""The words of a text, as docs/decontamination.md defines them.

    >>> words("Let x = 2x − 1,500, \\dfrac{a}{b} and twenty-one!", "math_code")
    ['let', 'x', '2', 'x', '1', '500', 'a', 'b', 'and', '21']
    """
    return [unicodedata.normalize("NFC", word.folded) for word in _words(text, normaliser)]


def spans(text: str, normaliser: str) -> list[tuple[int, int]]:
    """The first character of each word of a text, and the end of the word.

    >>> spans("So, twenty-one?", "math_code")
    [(0, 2), (4, 14)]
    """
    return [(word.start, word.end) for word in _words(text, normaliser)]


class Operand(NamedTuple):
    """A word as a number or a letter of a formula.

    The arithmetic signs between it and the word before it, where both are operands; whether
    it is a number that is not in English words; whether it begins with an ASCII digit.
    """

    signs: frozenset[str]
    is_digits: bool
    in_digits: bool


def operands(text: str, normaliser: str) -> list[Operand]:
    """The facts of each word that `words` leaves out: the signs before it, and whether it is a number.

    >>> [(sorted(word.signs), word.is_digits) for word in operands(r"2x + 5 \\le 7", "math_code")]
    [([], True), ([], False), (['+'], True), (['<'], True)]
    """
    found = _words(text, normaliser)
    between: list[frozenset[str]] = [frozenset()] * len(found)
    for place, ((_, start, end), (_, first, last)) in enumerate(itertools.pairwise(found), start=1):
        if normaliser == "math_code" and _is_operand(text[start:end]) and _is_operand(text[first:last]):
            gap = "".join(letter for letter, _, _ in _characters(text[end:first], normaliser))
            parts = re.findall(r"\\[A-Za-z]+|[^A-Za-z0-9]", gap)
            between[place] = frozenset(sign for part in parts for sign in _SIGNS.get(part.lower(), ""))
    return [
        Operand(
            signs,
            is_digits=word[0] in string.digits and not re.match("[A-Za-z]", text[start]),
            in_digits=text[start] in string.digits,
        )
        for signs, (word, start, _) in zip(between, found, strict=True)
    ]


def _is_operand(raw: str) -> bool:
    return len(raw.encode()) == 1 or raw[0] in string.digits


def _words(text: str, normaliser: str) -> list[_Word]:
    found: list[_Word] = []
    # White space ends a word in each normaliser, and most text between white space is plain.
    for piece in re.finditer(r"\S+", text):
        if piece[0].isascii() and "&" not in piece[0]:
            found += _plain(piece[0], piece.start(), normaliser)
        else:
            own = _runs(_letters(piece[0], normaliser), normaliser)
            found += [_Word(word.folded, piece.start() + word.start, piece.start() + word.end) for word in own]
    if normaliser == "math_code":
        found = _rewritten([part for word in found for part in _groups(word, text)], text)
    return found


def _plain(piece: str, start: int, normaliser: str) -> list[_Word]:
    """The words of ASCII text without white space."""
    lowered = piece.lower()
    if normaliser == "gpt3":
        word = lowered.translate(_NO_PUNCTUATION)
        return [_Word(word, start, start + len(piece))] if word else []
    pattern = _LETTERS_OR_DIGITS if normaliser == "math_code" else _ALPHANUMERIC
    return [_Word(run[0], start + run.start(), start + run.end()) for run in pattern.finditer(lowered)]


def _letters(text: str, normaliser: str) -> list[_Letter]:
    """The letters of a text in NFKC and lower case, without invisible characters."""
    found = [
        _Letter(part, letter, start, end)
        for letter, start, end in _characters(text, normaliser)
        if not _UNSEEN.match(letter)
        for part in _form(letter, normaliser)
    ]
    # In the whole text, because the characters around a sigma decide whether it is a final one.
    lowered = "".join(letter.folded for letter in found).lower()
    return [letter._replace(folded=own) for letter, own in zip(found, lowered, strict=True)]


def _characters(text: str, normaliser: str) -> Iterator[tuple[str, int, int]]:
    """Each character and its place; an entity of HTML is one character."""
    place = 0
    while place < len(text):
        letter, end = text[place], place + 1
        if normaliser == "math_code" and letter == "&":
            letter, end = _entity(text, place)
        yield letter, place, end
        place = end


def _entity(text: str, place: int) -> tuple[str, int]:
    if entity := _ENTITY.match(text, place):
        decimal, hexadecimal, name = entity.groups()
        code = int(decimal or "0") or int(hexadecimal or "0", 16) or _ENTITIES.get((name or "").lower(), 0)
        if 0 < code <= 0x10FFFF:
            return chr(code), entity.end()
    return text[place], place + 1


@cache
def _form(letter: str, normaliser: str) -> str:
    """A character in NFKC, between spaces if that is several words."""
    form = unicodedata.normalize("NFKC", letter)
    if (len(form) > 1 and (re.search(r"\s", form) or _is_mark(form[0]))) or form in "Σς":
        form = unicodedata.normalize("NFC", letter)
    elif form != letter and len(form) > 1:
        parts = [_Letter(part, letter, 0, 1) for part in unicodedata.normalize("NFD", form.lower())]
        pieces = [word.folded for word in _runs(parts, normaliser)]
        is_one = len(pieces) == 1 and all(_kind(part, normaliser) in ("letter", "mark", "") for part in parts)
        if pieces and not is_one:
            is_short = max(len(piece.encode()) for piece in pieces) <= _LONGEST_PIECE
            form = f" {form} " if is_short else unicodedata.normalize("NFC", letter)
    if normaliser == "math_code" and unicodedata.category(form[0]) == "Nd" and len(form) == 1:
        form = str(unicodedata.decimal(form))
    return form.replace("\u0130", "i\u0307")


def _kind(letter: _Letter, normaliser: str) -> str:
    """The kind of a letter: letters of one kind make a word; those of the kind "" are ignored."""
    folded = letter.folded
    if _is_mark(folded):
        return "mark"
    if normaliser == "math_code":
        if letter.origin in "⁰¹²³⁴⁵⁶⁷⁸⁹":
            return "raised digit"
        if letter.origin in "₀₁₂₃₄₅₆₇₈₉":
            return "lowered digit"
        if folded in string.digits:
            return "digit"
        if folded in _SYMBOLS:
            return "alone"
        if folded == "_":
            return "between"
    if folded.isalnum() and _UNSPACED.match(folded):
        return "alone"
    if normaliser == "gpt3":
        return "between" if folded.isspace() else "" if folded in string.punctuation else "letter"
    if folded.isalnum() or folded == "_":
        is_greek = re.match("[\u0370-\u03ff\u1f00-\u1fff]", folded)
        return "Greek letter" if normaliser == "math_code" and is_greek else "letter"
    return "between"


def _is_mark(letter: str) -> bool:
    return not letter.isascii() and unicodedata.category(letter)[0] == "M"


def _runs(letters: Sequence[_Letter], normaliser: str) -> list[_Word]:
    found: list[_Word] = []
    opened = "between"
    for letter in letters:
        kind = _kind(letter, normaliser)
        if kind == "mark" or (kind == opened and kind not in ("alone", "between")):
            if opened != "between":
                word = found[-1]
                found[-1] = _Word(word.folded + letter.folded, word.start, letter.end)
        elif kind:
            if kind != "between":
                found.append(_Word(letter.folded, letter.start, letter.end))
            opened = kind
    return found


def _groups(word: _Word, text: str) -> list[_Word]:
    """A number in groups of three digits, counted from the right."""
    digits = word.folded
    if len(digits) <= 3 or not re.fullmatch("[0-9]+", digits):
        return [word]
    letters = _letters(text[word.start : word.end], "math_code")
    ends = range(len(digits), 0, -3)
    spans = [(max(end - 3, 0), end) for end in reversed(ends)]
    places = [word.start + letters[start].start for start, _ in spans]
    return [
        _Word(digits[start:end], place, until)
        for (start, end), place, until in zip(spans, places, [*places[1:], word.end], strict=True)
    ]


_SYMBOLS: Final = {
    "°": "degrees", "∘": "degrees", "√": "sqrt", "∞": "infty", "∑": "sum", "∏": "prod", "∫": "int", "∠": "angle",
    "△": "triangle", "∆": "delta", "∈": "in", "∉": "notin", "∪": "cup", "∩": "cap", "⊂": "subset", "⊆": "subseteq",
    "⊥": "perp", "∥": "parallel", "∅": "emptyset", "∂": "partial", "∇": "nabla", "∀": "forall", "∃": "exists",
}  # fmt: skip
_GREEK: Final = {
    letter: unicodedata.name(letter).split()[-1].lower().replace("lamda", "lambda")
    for letter in map(chr, [*range(0x3B1, 0x3C2), *range(0x3C3, 0x3CA)])
}
_SAME: Final = {
    **_SYMBOLS, **_GREEK, "ς": "sigma",
    "varphi": "phi", "vartheta": "theta", "varepsilon": "epsilon", "varrho": "rho", "varsigma": "sigma",
    "varpi": "pi", "dbinom": "binom", "tbinom": "binom", "circ": "degrees", "degree": "degrees",
    "varnothing": "emptyset",
}  # fmt: skip
"""Other spellings of a word."""


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


_FRACTIONS: Final = _set("frac dfrac tfrac cfrac")
_NO_WORDS: Final = _FRACTIONS | _set(
    "mathrm mathbf mathbb mathcal mathit mathsf mathfrak boldsymbol operatorname textbf textit textrm texttt textsf "
    "displaystyle textstyle scriptstyle nolimits quad qquad bigl bigr biggl biggr lvert rvert lfloor rfloor lceil "
    "rceil langle rangle lbrace rbrace lbrack rbrack cdot cdots ldots vdots ddots leq geq neq leqslant geqslant "
    "approx equiv cong coloneqq div percent"
)
"""Commands that typeset a formula, with or without a backslash."""
_NO_COMMANDS: Final = _set(
    "left right middle big bigg text emph rm bf it sf tt limits hfill displaylimits times pm mp ast star le ge ne "
    "lt gt ll gg sim simeq propto mid vert backslash setminus colon prime dots to rightarrow leftarrow longrightarrow "
    "leftrightarrow implies iff mapsto gets not neg land lor cdotp bullet tag nonumber notag noindent newline "
    "normalsize thinspace thickspace negthinspace hspace vspace"
)
"""The same, but only behind a backslash: without it they are English words."""
_LIKE_ESCAPES: Final = _set(
    "nu nabla natural ni nmid notin nparallel text theta tan tanh tau top triangle triangleq tilde therefore tbinom "
    "rho root re rightangle rtimes"
)
"""Commands that begin with n, t or r, where this does not mean a line break or a tab."""
_SIGNS: Final = {
    "+": "+", "-": "-", "\u2212": "-", "\u2013": "-", "±": "+-", "*": "*", "×": "*", "·": "*", "⋅": "*", "/": "/",
    "÷": "/", "=": "=", "<": "<", ">": ">", "≤": "<", "≥": ">", "^": "^", "≠": "≠", "\\times": "*", "\\cdot": "*",
    "\\div": "/", "\\pm": "+-", "\\le": "<", "\\leq": "<", "\\lt": "<", "\\leqslant": "<", "\\ge": ">",
    "\\geq": ">", "\\gt": ">", "\\geqslant": ">", "\\ne": "≠", "\\neq": "≠",
}  # fmt: skip
_TAGS: Final = _set("br p b i u s em strong sub sup code pre div span li ul ol hr tt small big table tr td th tbody")
_UNITS: Final = tuple(
    f"{ones}{end}"
    for end, all_of_them in (
        ("", "zero one two three four five six seven eight nine ten eleven twelve"),
        ("teen", "thir four fif six seven eigh nine"),
    )
    for ones in all_of_them.split()
)
_VALUES: Final = {word: value for value, word in enumerate(_UNITS)} | {
    f"{tens}ty": 10 * value
    for value, tens in enumerate(("twen", "thir", "for", "fif", "six", "seven", "eigh", "nine"), start=2)
}
_PARTS: Final = {"half": "2", "halves": "2", "quarter": "4", "quarters": "4"} | {
    word + plural: str(value)
    for value, word in enumerate(("third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth"), start=3)
    for plural in ("", "s")
}
_ZEROS: Final = ("000", "million", "billion")


def _rewritten(found: list[_Word], text: str) -> list[_Word]:
    """The words with numbers in words as digits, one spelling for each, and without commands and tags."""
    out: list[_Word] = []
    numerator = ""
    place = 0
    while place < len(found):
        word, start, end = found[place]
        place += 1
        is_command = start > 0 and text[start - 1] == "\\"
        if is_command and _is_escape(text[start:end], word):
            if end > start + 1:
                place -= 1
                letters = _letters(text[start + 1 : end], "math_code")
                found[place] = _Word(word[1:] if letters else "", start + 1, end)
        elif word in _NO_WORDS or (is_command and word in _NO_COMMANDS):
            if word in _FRACTIONS and place < len(found):
                own, first, last = found[place]
                if first == end and re.fullmatch("[0-9]{2,3}", text[first:last]):
                    out.append(_Word(own[0], first, first + 1))
                    found[place] = _Word(own[1:], first + 1, last)
        elif (word in _TAGS and _is_tag(text, start, end)) or (word in ("0", "00") and _ends_decimal(text, start, end)):
            pass
        elif word in _VALUES:
            value, after = _number(found, place - 1, text)
            out += _spelled(value, found[place - 1 : after])
            numerator, place = str(value), after
            continue
        elif word in ("thousand", "000"):
            if out and out[-1].folded in _ZEROS[:2]:
                previous = out[-1]
                out[-1] = _Word(_ZEROS[_ZEROS.index(previous.folded) + 1], previous.start, end)
            else:
                out.append(_Word("000", start, end))
        elif word in _PARTS:
            previous = out[-1] if out else _Word("", 0, 0)
            own = text[previous.start : previous.end]
            is_numerator = previous.folded in (numerator, own)
            if is_numerator and re.fullmatch("[1-9]", previous.folded) and _are_joined(text, previous.end, start):
                word = _PARTS[word]
            out.append(_Word(word, start, end))
        else:
            out.append(_Word(_SAME.get(unicodedata.normalize("NFC", word), word), start, end))
        numerator = ""
    return out


def _is_escape(raw: str, word: str) -> bool:
    r"""Whether the backslash before a word belongs to a literal \n, \t or \r."""
    is_known = word in _NO_WORDS | _NO_COMMANDS | _LIKE_ESCAPES
    behind = raw[1:2] or " "
    is_marked = _is_mark(behind) and not _UNSEEN.match(behind)
    return raw[0] in "ntr" and not is_marked and (not is_known or bool(re.match("[A-Z]", raw[1:])))


def _is_tag(text: str, start: int, end: int) -> bool:
    return bool(re.search(r"</?\Z", text[max(start - 2, 0) : start]) and _TAG_END.match(text, end))


def _ends_decimal(text: str, start: int, end: int) -> bool:
    """Whether only zeros follow a decimal point."""
    has_point = re.search(r"[0-9]\.\Z", text[max(start - 2, 0) : start])
    return bool(has_point) and not re.match(r"\.[0-9]", text[end : end + 2])


def _are_joined(text: str, last: int, first: int) -> bool:
    """Whether only white space, Markdown's marks and at most one hyphen are between two words."""
    gap = text[last:first]
    return last < first and gap.count("-") <= 1 and all(sign <= " " or sign in "-*_`" for sign in gap)


def _number(found: Sequence[_Word], place: int, text: str) -> tuple[int, int]:
    """The number in English words that begins at a word, and the place after it."""

    def following(at: int, *expected: str) -> bool:
        return (
            at < len(found) and found[at].folded in expected and _are_joined(text, found[at - 1].end, found[at].start)
        )

    def below_hundred(at: int) -> tuple[int, int]:
        value = _VALUES[found[at].folded]
        if value >= 20 and following(at + 1, *_UNITS[1:10]):
            return value + _VALUES[found[at + 1].folded], at + 2
        return value, at + 1

    def hundreds(at: int) -> tuple[int, int]:
        value, at = below_hundred(at)
        if 0 < value < 20 and following(at, "hundred"):
            value, at = 100 * value, at + 1
            tail = at + following(at, "and")
            if following(tail, *_VALUES):
                more, after = below_hundred(tail)
                if more and not following(after, "hundred"):
                    value, at = value + more, after
        return value, at

    total, scales = 0, ["million", "thousand"]
    after = at = place
    while True:
        value, tail = hundreds(at)
        scale = next((one for one in scales if 0 < value < 1000 and following(tail, one)), "")
        if total and (value >= 1000 or value == 0 or (not scale and following(tail, "million", "thousand"))):
            return total, after
        total += value * {"million": 1_000_000, "thousand": 1000}.get(scale, 1)
        after = tail + bool(scale)
        if not scale:
            return total, after
        scales = scales[scales.index(scale) + 1 :]
        at = after + following(after, "and")
        if not following(at, *_VALUES):
            return total, after


def _spelled(value: int, own: Sequence[_Word]) -> list[_Word]:
    """The groups of a number; each is put at a word of its own, and the last at all other words."""
    groups = f"{value:,}".split(",")
    if groups[1:] == ["000", "000"]:
        groups[1:] = ["million"]
    ends = [word.end for word in own[: len(groups) - 1]] + [own[-1].end]
    return [_Word(group, word.start, end) for group, word, end in zip(groups, own, ends, strict=False)]
