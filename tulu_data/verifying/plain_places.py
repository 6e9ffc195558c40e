"""The text around some words, in plain Python that shares nothing with the code of a build.

The rules are those of docs/decontamination.md, "Short items": a text is alone if line breaks,
quotation marks or ends of sentences enclose it; edited words must be in a sentence of about the
length of their item.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection
from functools import lru_cache
from typing import Final, NamedTuple

LINE_ENDS: Final = "\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029"
QUOTATION: Final = (
    "\"'`\u2018\u2019\u201a\u201b\u201c\u201d\u201e\u201f\u2039\u203a\u00ab\u00bb\u300c\u300d\u300e\u300f"
)
FULL_STOPS: Final = ".?!\u2026\u3002\uff01\uff0e\uff1f\u061f\u0964"
QUESTION_MARKS: Final = "?\uff1f\u061f"
TRAILING: Final = ")]}>$*_~" + QUOTATION
INLINE_TAGS: Final = frozenset(["b", "i", "u", "s", "em", "strong", "sub", "sup", "code", "span", "tt", "small", "big"])
LINE_TAGS: Final = frozenset(["br", "p", "pre", "div", "li", "ul", "ol", "hr", "table", "tbody", "tr", "td", "th"])
WITHOUT_SPACES: Final = (
    *((0x0E00, 0x0EFF), (0x1000, 0x109F), (0x1780, 0x17FF)),
    *((0x3041, 0x30FF), (0x3400, 0x9FFF), (0xF900, 0xFAFF)),
)
"""Letters of scripts in which words have no spaces between them: each counts as a word."""
OPEN, SENTENCE, LINE = "open", "sentence", "line"


def _of_letters(text: str, start: int, end: int) -> tuple[int, int]:
    """From the first letter of a piece of text to its last; all of it if there is none."""
    letters = [at for at in range(start, end) if is_letter(text[at])]
    return (letters[0], letters[-1] + 1) if letters else (start, end)


def is_letter(sign: str) -> bool:
    """Whether a character is part of a word: a letter, a digit, or a mark on one, except variation selectors."""
    is_mark = unicodedata.category(sign).startswith("M") and not 0xFE00 <= ord(sign) <= 0xFE0F
    return sign.isalnum() or is_mark


@lru_cache(maxsize=16)
def _without_tags(text: str) -> str:
    """The text with a line end or an invisible sign for each character of a tag that has no attributes."""

    def blank(tag: re.Match[str]) -> str:
        name = tag[1].lower()
        sign = "\n" if name in LINE_TAGS else "\u200b" if name in INLINE_TAGS else ""
        return sign * len(tag[0]) or tag[0]

    return re.sub(r"</?([A-Za-z]+)[ /]*>", blank, text)


class Around(NamedTuple):
    """The bounds before and after some characters of a text: `open`, of a `sentence`, or of a `line`."""

    before: str
    after: str

    @classmethod
    def of(cls, text: str, start: int, end: int) -> Around:
        """The bounds around the words from `start` to `end`; signs at their ends count as around them."""
        start, end = _of_letters(text, start, end)
        text = _without_tags(text)
        first, last = start, end
        while first and not is_letter(text[first - 1]):
            first -= 1
        while last < len(text) and not is_letter(text[last]):
            last += 1
        return cls(_left(text, first, start), _right(text, end, last))


def _left(text: str, first: int, start: int) -> str:
    gap = text[first:start]
    opening = [
        place
        for place in range(first + (first > 0), start)
        if text[place] in QUOTATION and not text[place + 1].isspace()
    ]
    if first == 0 or opening or set(gap) & set(LINE_ENDS) or text[max(0, first - 2) : first] in ("\\n", "\\r"):
        return LINE
    return SENTENCE if any(unicodedata.category(sign)[0] not in "ZC" for sign in gap) else OPEN


def _right(text: str, end: int, last: int) -> str:
    gap = text[end:last]
    is_escaped = gap.endswith("\\") and text[last : last + 1] in ("n", "r") and not text[last + 1 : last + 2].islower()
    closing = [
        place
        for place in range(end, last)
        if text[place] in QUOTATION and not text[place - 1].isspace() and (place + 1 < last or last == len(text))
    ]
    if last == len(text) or is_escaped or closing or set(gap) & set(LINE_ENDS):
        return LINE
    # A full stop between two letters is part of a name or a number.
    stops = [sign for sign in (gap[:-1] if gap[-1:].isascii() else gap) if sign in FULL_STOPS]
    return SENTENCE if stops else OPEN


def last_sign(text: str) -> str:
    """The last character of a text, without quotation marks and brackets."""
    return text.rstrip().rstrip(TRAILING + " \t\n\r")[-1:]


def is_alone(text: str, start: int, end: int, item: str, common: Collection[str]) -> bool:
    """Whether an item's text is alone in another, from `start` to `end`."""
    around = Around.of(text, start, end)
    is_sentence = last_sign(item) in {*FULL_STOPS}
    is_common = set(re.findall(r"[^\W_]+", item.casefold())) <= set(common)
    return OPEN not in around if is_sentence and not is_common else around == (LINE, LINE)


def may_be_edited(text: str, start: int, end: int, before: int, after: int, item: str) -> bool:
    """Whether the sentence around `start` to `end` has at most three words more than the item on either side.

    If the item is a question, the sentence must not end otherwise.
    """
    bound = rf"[{FULL_STOPS[1:]}{LINE_ENDS}]|\.(?!\w)|\\[nr](?![a-z])"
    start, end = _of_letters(text, start, end)
    lead = re.split(bound, text[max(0, start - 500) : start])[-1]
    bounds = re.search(bound, text[end:])
    rest = text[end:][: bounds.start()] if bounds else text[end:]
    if last_sign(item) in {*QUESTION_MARKS} and bounds and bounds[0] in {*FULL_STOPS} - {*QUESTION_MARKS}:
        return False
    return len(re.findall(r"[^\W_]+", lead)) <= before + 3 and len(re.findall(r"[^\W_]+", rest)) <= after + 3


def letters_of_its_own(answer: str, common: Collection[str]) -> int:
    """The number of letters and digits of an answer in words that are not common."""
    return sum(len(word) for word in re.findall(r"[^\W_]+", answer.casefold()) if word not in common)


def plain_words(text: str) -> int:
    """The number of words with three letters that are not LaTeX commands, or of a script without spaces."""
    spaced = "".join(" " if _is_unspaced(letter) else letter for letter in text)
    return sum(map(_is_unspaced, text)) + len(re.findall(r"(?<![\\A-Za-z])[^\W\d_]{3,}", spaced))


def _is_unspaced(letter: str) -> bool:
    return letter.isalnum() and any(first <= ord(letter) <= last for first, last in WITHOUT_SPACES)
