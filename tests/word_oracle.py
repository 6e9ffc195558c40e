"""The words of a text by plain Python and regular expressions, and texts for Hypothesis to draw: an oracle for the kernels."""

from __future__ import annotations

import functools
import re
import string
import unicodedata
from collections.abc import Callable

from hypothesis import strategies as st

from tulu_data.kernels import unicode
from tulu_data.kernels.unicode import WITHOUT_SPACES
from tulu_data.verifying import plain_words

NO_SPACES = re.compile("[" + "".join(f"{chr(first)}-{chr(last)}" for first, last in WITHOUT_SPACES) + "]")


UNSEEN = re.compile("[" + "".join(f"{chr(first)}-{chr(last)}" for first, last in unicode.UNSEEN) + "]")


def is_mark(letter: str) -> bool:
    return unicodedata.category(letter)[0] == "M"


def is_single(letter: str) -> bool:
    return bool(NO_SPACES.match(letter)) and letter.isalnum()


def seen(text: str, split: Callable[[str], list[str]]) -> str:
    """The text in NFKC without what nobody sees; a character that is several words stands between spaces."""
    if text.isascii():
        return text
    return unicodedata.normalize("NFC", "".join(form_of(letter, split) for letter in UNSEEN.sub("", text)))


@functools.cache
def form_of(letter: str, split: Callable[[str], list[str]]) -> str:
    canonical, form = (unicodedata.normalize(name, letter) for name in ("NFC", "NFKC"))
    if form == canonical:
        return canonical
    if form in "Σς" or (len(form) > 1 and (" " in form or is_mark(form[0]))):
        return canonical
    pieces = [unicodedata.normalize("NFD", piece) for piece in split(form.lower())]
    if len(form) == 1 or not pieces or len(split(f"a{form}b")) == 1:
        return form
    return f" {form} " if max(len(piece.encode()) for piece in pieces) <= 8 else canonical


def naive_words(text: str) -> list[str]:
    """`\\w+` on lower-cased NFKC text; marks belong to the word before them, letters without spaces are words."""
    return _word_runs(seen(text, _word_runs).lower())


def _word_runs(text: str) -> list[str]:
    found: list[str] = []
    is_open = False
    for letter in text:
        if is_mark(letter):
            if is_open:
                found[-1] += letter
        elif is_single(letter):
            found.append(letter)
            is_open = True
        elif letter.isalnum() or letter == "_":
            if is_open and not is_single(found[-1][0]):
                found[-1] += letter
            else:
                found.append(letter)
            is_open = True
        else:
            is_open = False
    return found


def naive_gpt3(text: str) -> list[str]:
    return _gpt3_runs(seen(text, _gpt3_runs).lower())


def _gpt3_runs(text: str) -> list[str]:
    for mark in string.punctuation:
        text = text.replace(mark, "")
    return [piece for word in text.split() for piece in split_singles(word)]


def split_singles(piece: str) -> list[str]:
    """A letter without spaces is a word with its marks; what follows it is another."""
    found: list[str] = []
    for letter in piece:
        if is_mark(letter):
            if found:
                found[-1] += letter
        elif is_single(letter) or not found or is_single(found[-1][0]):
            found.append(letter)
        else:
            found[-1] += letter
    return found


def naive_math_code(text: str) -> list[str]:
    """As `verify` has it, which shares nothing with the kernel."""
    return plain_words.words(text, "math_code")


NAIVE = {"words": naive_words, "math_code": naive_math_code, "gpt3": naive_gpt3}


EVERYTHING = (
    "abcXYZ019_ \n\t.,;:!?'\"-+*/=<>^%\\(){}[]$#@|~&`"
    "éÉe\u0301ñßİıΣσςΟﬁΩ½²ªⅣЖж"
    "识别二のがか\u3099ガー๏กำิ໑ကိខ្"
    "हिन्दी한글\u1112\u1161\u11abا\u0651\u064e"
    "😀👍🏽\u200d\ufe0f𝐀𐐀𐐨\u00a0\u3000\u00ad−≠≤×÷√\u0338\u0323\u0307\u030a\u212b"
)


TEXT = st.text(st.one_of(st.sampled_from(EVERYTHING), st.characters(exclude_categories=("Cs",))), max_size=60)


ASCII = st.text(st.sampled_from(string.printable), max_size=300)


FORMULAS = st.text(st.sampled_from("ab1 \\+-_"), max_size=300)


PIECES = (
    *" \n-,.;/<>&\\$^_{}",
    *[
        "one",
        "two",
        "seven",
        "ten",
        "twelve",
        "twenty",
        "ninety",
        "hundred",
        "thousand",
        "million",
        "and",
        "half",
        "thirds",
        "quarter",
        "zero",
        "0",
        "00",
        "000",
        "5",
        "12",
        "1000",
    ],
    *[
        "frac",
        "left",
        "text",
        "times",
        "circ",
        "percent",
        "neq",
        "theta",
        "n",
        "t",
        "r",
        "nWhat",
        "nthree",
        "TNow",
        "br",
        "b",
        "strong",
        "π",
        "α",
        "θ",
        "√",
        "°",
        "²",
        "₂",
        "½",
        "㏂",
        "１",
        "٣",
        "๓",
        "é",
    ],
    *["&nbsp;", "&eacute;", "&#39;", "&#x41;", "&amp;", "&frac12;", "&unknown;", "\u200b", "\xad", "️"],
)


NOTATION = st.lists(st.sampled_from(PIECES), max_size=40).map("".join)


MIXED = st.lists(st.one_of(TEXT, ASCII, FORMULAS, NOTATION), max_size=6).map("".join)
