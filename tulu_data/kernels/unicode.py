"""What the word kernel knows of each character, as tables over all code points.

Made from Python's own Unicode data: kinds by `str.isalnum` and the general category, folds
by canonical decomposition (NFD) of the lower-cased character.
"""

from __future__ import annotations

import string
import sys
import unicodedata
from contextlib import suppress
from functools import cache
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Final, Literal, NamedTuple
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt

from tulu_data.kernels.compiled import cache_folder

Normaliser = Literal["words", "math_code", "gpt3"]

SEPARATOR: Final = 0
WORD: Final = 1
DIGIT: Final = 2
SINGLE: Final = 3
MARK: Final = 4
DELETED: Final = 5
SYMBOL: Final = 6
OPERATOR: Final = 7
BACKSLASH: Final = 8

CASED: Final = 1
IGNORABLE: Final = 2

OPERATORS: Final = "+-*/=<>^%"
CAPITAL_SIGMA: Final = "\u03a3"
FINAL_SIGMA: Final = "\u03c2"
MINUS: Final = "\u2212"

WITHOUT_SPACES: Final = (
    (0x0E00, 0x0EFF),  # Thai, Lao
    (0x1000, 0x109F),  # Myanmar
    (0x1780, 0x17FF),  # Khmer
    (0x2E80, 0x2FDF),  # CJK radicals
    (0x3005, 0x3007),  # ideographic iteration mark, closing mark, zero
    (0x3021, 0x3029),  # Hangzhou numerals
    (0x3031, 0x3035),  # kana repeat marks
    (0x3038, 0x303C),  # Hangzhou numerals, vertical iteration mark
    (0x3041, 0x30FF),  # hiragana, katakana
    (0x31F0, 0x31FF),  # katakana extensions
    (0x3400, 0x4DBF),  # ideographs, extension A
    (0x4E00, 0x9FFF),  # ideographs
    (0xA9E0, 0xA9FF),  # Myanmar extended B
    (0xAA60, 0xAA7F),  # Myanmar extended A
    (0xF900, 0xFAFF),  # compatibility ideographs
    (0xFF66, 0xFF9F),  # half-width katakana
    (0x1AFF0, 0x1B16F),  # kana supplements
    (0x20000, 0x3FFFD),  # ideographs, extensions B and later
)
"""Ranges (first, last) of scripts whose words have no space between them: each letter is a word."""


class Tables(NamedTuple):
    """Arrays over code points, as kernels take them.

    `kind` uint8; `fold` int32: the folded code point, or −i where `sequences[i]` is the
    number of code points that follow it there; `order` uint8: the canonical combining
    class; `case` uint8: CASED, IGNORABLE, as the rule for a final sigma needs them.
    """

    kind: npt.NDArray[np.uint8]
    fold: npt.NDArray[np.int32]
    sequences: npt.NDArray[np.int32]
    order: npt.NDArray[np.uint8]
    case: npt.NDArray[np.uint8]


def without_spaces(code: int) -> bool:
    """Whether a letter is of a script whose words have no space between them."""
    return any(first <= code <= last for first, last in WITHOUT_SPACES)


@cache
def tables(normaliser: Normaliser) -> Tables:
    """The tables of one normaliser; made once, which takes a second, and kept beside compiled kernels."""
    folder = cache_folder()
    if folder is None:
        return _made(normaliser)
    path = folder / f"{normaliser}-{unicodedata.unidata_version}.npz"
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as kept:
            return Tables(**{name: kept[name] for name in Tables._fields})
    except (OSError, ValueError, KeyError, BadZipFile):
        made = _made(normaliser)
        with suppress(OSError):
            _keep(made, path)
        return made


def _keep(made: Tables, path: Path) -> None:
    with NamedTemporaryFile(dir=path.parent, delete=False) as file:
        np.savez(file, **made._asdict())
    Path(file.name).replace(path)


def _made(normaliser: Normaliser) -> Tables:
    fold, sequences, order, case = _folds()
    kind = _kinds().copy()
    if normaliser == "words":
        kind[kind == DIGIT] = WORD
        kind[kind == SYMBOL] = SEPARATOR
    elif normaliser == "math_code":
        kind[[ord(sign) for sign in OPERATORS]] = OPERATOR
        kind[ord("\\")] = BACKSLASH
        fold = fold.copy()
        fold[ord(MINUS)] = ord("-")
    else:
        kind[kind == DIGIT] = WORD
        kind[(kind == SEPARATOR) | (kind == SYMBOL)] = WORD
        kind[[code for code in _assigned() if chr(code).isspace()]] = SEPARATOR
        kind[[ord(sign) for sign in string.punctuation]] = DELETED
    # A character that NFC replaces by another is of the other's kind, as the Greek question mark.
    for code in _assigned():
        composed = unicodedata.normalize("NFC", chr(code))
        if len(composed) == 1:
            kind[code] = kind[ord(composed)]
    return Tables(kind, fold, sequences, order, case)


@cache
def _assigned() -> tuple[int, ...]:
    return tuple(
        code for code in range(sys.maxunicode + 1) if unicodedata.category(chr(code)) not in ("Cn", "Co", "Cs")
    )


@cache
def _kinds() -> npt.NDArray[np.uint8]:
    kind = np.full(sys.maxunicode + 1, SEPARATOR, dtype=np.uint8)
    for code in _assigned():
        letter = chr(code)
        category = unicodedata.category(letter)
        if category[0] == "M":
            kind[code] = MARK
        elif letter.isalnum() or letter == "_":
            kind[code] = DIGIT if category == "Nd" else WORD
        elif category == "Sm" and code > 0x7F:
            kind[code] = SYMBOL
    for first, last in WITHOUT_SPACES:
        letters = kind[first : last + 1]
        letters[(letters == WORD) | (letters == DIGIT)] = SINGLE
    return kind


@cache
def _folds() -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32], npt.NDArray[np.uint8], npt.NDArray[np.uint8]]:
    fold = np.arange(sys.maxunicode + 1, dtype=np.int32)
    order = np.zeros(sys.maxunicode + 1, dtype=np.uint8)
    case = np.zeros(sys.maxunicode + 1, dtype=np.uint8)
    sequences = [0]
    for code in _assigned():
        letter = chr(code)
        folded = unicodedata.normalize("NFD", unicodedata.normalize("NFC", letter).lower())
        if len(folded) == 1:
            fold[code] = ord(folded)
        else:
            fold[code] = -len(sequences)
            sequences += [len(folded), *map(ord, folded)]
        order[code] = unicodedata.combining(letter)
        # Python's own rule, asked: a sigma is final after a cased letter, whatever is ignored between them.
        if code <= 0x1FFFF and not without_spaces(code):
            if f"{letter}{CAPITAL_SIGMA}".lower().endswith(FINAL_SIGMA):
                case[code] = CASED
            elif f"A{letter}{CAPITAL_SIGMA}".lower().endswith(FINAL_SIGMA):
                case[code] = IGNORABLE
    return fold, np.array(sequences, dtype=np.int32), order, case
