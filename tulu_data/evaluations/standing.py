"""Whether a short text stands alone in a message, or is a phrase inside other text.

A fragment such as "Economic growth is" is in a thousand ordinary sentences, and so is "What do you
do?". They count as an evaluation item only if nothing else is in their sentence, line or quotation.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import Final

from tulu_data.evaluations.common_words import COMMON_WORDS

_OPEN, _MARK, _LINE = range(3)
_BREAKS: Final = frozenset("\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029")
_QUOTES: Final = frozenset(
    "\"'`\u2018\u2019\u201a\u201b\u201c\u201d\u201e\u201f\u2039\u203a\u00ab\u00bb\u300c\u300d\u300e\u300f"
)
_ENDS: Final = frozenset(".?!\u2026\u3002\uff01\uff0e\uff1f\u061f\u0964")
_CLOSING: Final = frozenset(")]}>$*_~") | _QUOTES
_WORD: Final = re.compile(r"[^\W_]+")
# In scripts that are written without spaces, each letter is a word.
_UNSPACED: Final = r"\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3041-\u30ff\u3400-\u9fff\uf900-\ufaff"
_PLAIN: Final = re.compile(rf"(?!\W)[{_UNSPACED}]|(?<![\\A-Za-z])(?:(?![{_UNSPACED}])[^\W\d_]){{3,}}")
_TELLING_LETTERS: Final = 3
_ASKING: Final = frozenset("?\uff1f\u061f")
_LINE_END: Final = re.compile(r"[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]|\\[nr](?![a-z])")
_STOP: Final = re.compile(rf"[?!\u2026\u3002\uff01\uff0e\uff1f\u061f\u0964]|\.(?!\w)|{_LINE_END.pattern}")
_TAG: Final = re.compile(
    r"</?(?:(br|p|pre|div|li|ul|ol|hr|table|tbody|tr|td|th)|b|i|u|s|em|strong|sub|sup|code|span|tt|small|big)[ /]*>",
    re.IGNORECASE,
)
_UNSEEN: Final = "\u200b"
_LOOK_BACK: Final = 500
_MORE_WORDS: Final = 3


def needs_line(text: str) -> bool:
    """Whether a text stands alone only in a line or quotation of its own.

    This is so for fragments, which end in the middle of a sentence, and for phrases of common words.

    >>> needs_line("Economic growth is"), needs_line("What do you do?"), needs_line("Who is the king of Peru?")
    (True, True, False)
    """
    return _last(text) not in _ENDS or all(word in COMMON_WORDS for word in _WORD.findall(text.casefold()))


def asks(text: str) -> bool:
    """Whether a text ends with a question mark."""
    return _last(text) in _ASKING


def _last(text: str) -> str:
    return next((sign for sign in reversed(text) if not (sign.isspace() or sign in _CLOSING)), " ")


def replaces(text: str, start: int, end: int, before: int, after: int, *, is_question: bool) -> bool:
    """Whether the sentence around the shared words of a message may be the item with other words replaced.

    It may have only a few more words before and after them than the item, which has `before`
    and `after`; and if the item is a question, the sentence must not end like a statement.

    >>> replaces("Which is the capital of Peru?", 6, 28, 1, 0, is_question=True)
    True
    >>> replaces("Lima is the capital of Peru.", 5, 27, 1, 0, is_question=True)
    False
    """
    start, end = _trimmed(text, start, end)
    *_, preceding = _STOP.split(text[max(0, start - _LOOK_BACK) : start])
    stop = _STOP.search(text, end)
    following = text[end : stop.start() if stop else len(text)]
    ends_otherwise = stop is not None and stop[0] not in _ASKING and not _LINE_END.match(stop[0])
    return (
        not (is_question and ends_otherwise)
        and len(_WORD.findall(preceding)) <= before + _MORE_WORDS
        and len(_WORD.findall(following)) <= after + _MORE_WORDS
    )


def stands(text: str, start: int, end: int, *, needs_line: bool) -> bool:
    """Whether the characters from `start` to `end` of a message stand alone in it.

    They follow a punctuation mark, a line's start or a quotation mark, and the end of a sentence,
    line or quotation follows them; or, with `needs_line`, they fill a line or a quotation.

    >>> stands("So: economic growth is good.", 4, 22, needs_line=True)
    False
    """
    start, end = _trimmed(text, start, end)
    shown = _shown(text)
    before, after = _before(shown, start), _after(shown, end)
    return before == after == _LINE if needs_line else _OPEN not in (before, after)


def breaks_off(text: str, start: int, end: int) -> bool:
    """Whether a line, quotation or sentence of a message ends after the characters from `start` to `end`.

    >>> breaks_off("What is the capital of", 0, 22), breaks_off("What is the capital of Peru?", 0, 22)
    (True, False)
    """
    return _after(_shown(text), _trimmed(text, start, end)[1]) != _OPEN


def plain_words(text: str) -> int:
    r"""How many words of a text have three letters or more (or are ideographs), and so are not signs or variables.

    >>> plain_words(r"Find $x^2 + \frac{1}{3}$ for the sum"), plain_words("求 x 的值")
    (4, 3)
    """
    return len(_PLAIN.findall(text))


def tells(answer: str) -> bool:
    """Whether an answer identifies its item, by enough letters in words that are not common.

    >>> tells("Lima"), tells("No"), tells("B")
    (True, False, False)
    """
    words = _WORD.findall(answer.casefold())
    return sum(len(word) for word in words if word not in COMMON_WORDS) >= _TELLING_LETTERS


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    """The same place without signs at its ends, which words have if only white space divides them."""
    first = next((at for at in range(start, end) if _is_word(text[at])), None)
    if first is None:
        return start, end
    while not _is_word(text[end - 1]):
        end -= 1
    return first, end


@lru_cache(maxsize=1)
def _shown(text: str) -> str:
    """A text of the same length without its tags: those that begin a line become line ends, others invisible."""
    if "<" not in text:
        return text
    return _TAG.sub(lambda tag: ("\n" if tag[1] else _UNSEEN) * len(tag[0]), text)


def _before(text: str, start: int) -> int:
    found = _OPEN
    for at in range(start - 1, -1, -1):
        sign = text[at]
        if sign in _BREAKS:
            return _LINE
        if _is_word(sign):
            # In escaped text a line end is two characters.
            return _LINE if sign in "nr" and at > 0 and text[at - 1] == "\\" else found
        is_quote = sign in _QUOTES and not (at and _is_word(text[at - 1]))
        if is_quote and not text[at + 1].isspace():
            return _LINE
        if not _is_blank(sign):
            found = _MARK
    return _LINE


def _after(text: str, end: int) -> int:
    found = _OPEN
    for at in range(end, len(text)):
        sign, following = text[at], text[at + 1 : at + 2]
        if sign in _BREAKS or (sign == "\\" and following in ("n", "r") and not text[at + 2 : at + 3].islower()):
            return _LINE
        if _is_word(sign):
            return found
        goes_on = bool(following) and _is_word(following)
        if sign in _QUOTES and not (goes_on or text[at - 1].isspace()):
            return _LINE
        if sign in _ENDS and not (goes_on and sign.isascii()):
            found = _MARK
    return _LINE


def _is_word(sign: str) -> bool:
    # A variation selector, which chooses the look of an emoji, is not a mark on a letter.
    return sign.isalnum() or (unicodedata.category(sign)[0] == "M" and not "\ufe00" <= sign <= "\ufe0f")


def _is_blank(sign: str) -> bool:
    return unicodedata.category(sign)[0] in "ZC"
