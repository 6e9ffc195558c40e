"""Tables over all code points for the word kernel.

They are made from Python's own Unicode data: kinds by `str.isalnum` and the general category,
folds by canonical decomposition (NFD) of the lower-cased character.
"""

from __future__ import annotations

import string
import sys
import unicodedata
from contextlib import suppress
from functools import cache
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any, Final, Literal, NamedTuple
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt

from tulu_data.kernels import vocabulary
from tulu_data.kernels.compiled import cache_folder
from tulu_data.kernels.hashes import hash_all

Normaliser = Literal["words", "math_code", "gpt3"]

SEPARATOR: Final = 0
WORD: Final = 1
DIGIT: Final = 2
SINGLE: Final = 3
MARK: Final = 4
DELETED: Final = 5
EXPANDED: Final = 6
GREEK: Final = 7
RAISED: Final = 8
LOWERED: Final = 9

CASED: Final = 1
IGNORABLE: Final = 2

CAPITAL_SIGMA: Final = "\u03a3"
FINAL_SIGMA: Final = "\u03c2"
_RAISED: Final = "⁰¹²³⁴⁵⁶⁷⁸⁹"
_LOWERED: Final = "₀₁₂₃₄₅₆₇₈₉"
_GREEK: Final = ((0x0370, 0x03FF), (0x1F00, 0x1FFF))
ROLE_BITS: Final = 1 << 13

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


UNSEEN: Final = (
    (0x00AD, 0x00AD),  # soft hyphen
    (0x034F, 0x034F),  # combining grapheme joiner
    (0x061C, 0x061C),  # Arabic letter mark
    (0x115F, 0x1160),  # Hangul fillers
    (0x17B4, 0x17B5),  # Khmer inherent vowels
    (0x180B, 0x180F),  # Mongolian variation selectors, vowel separator
    (0x200B, 0x200F),  # zero-width space, non-joiner, joiner, direction marks
    (0x202A, 0x202E),  # direction embeddings and overrides
    (0x2060, 0x206F),  # word joiner, invisible operators, direction isolates
    (0x3164, 0x3164),  # Hangul filler
    (0xFE00, 0xFE0F),  # variation selectors
    (0xFEFF, 0xFEFF),  # byte order mark
    (0xFFA0, 0xFFA0),  # half-width Hangul filler
    (0xFFF9, 0xFFFB),  # interlinear annotation
    (0x1BCA0, 0x1BCA3),  # shorthand format controls
    (0x1D173, 0x1D17A),  # musical format controls
    (0xE0000, 0xE0FFF),  # tags, more variation selectors
)
"""Ranges (first, last) of invisible characters, which are ignored."""
_LONGEST_SPELLING: Final = 8


class Tables(NamedTuple):
    """Arrays over code points, and of words, in the form for kernels.

    `kind` uint8; `fold` int32: the folded code point, or −i if `sequences[i]` is the
    number of code points that follow it there; `order` uint8: the canonical combining
    class; `case` uint8: CASED, IGNORABLE, as the rule for a final sigma needs them.

    Hash tables, with open addressing from a key's lowest bits on, 0 where a place is free:
    `spelling_keys` uint64 are hashes of words that no run of characters spells,
    `spelling_bytes` uint64 their bytes, the first one lowest; `entity_keys` those of names
    of HTML, `entity_codes` int32 their characters; `role_keys` those of words of
    `vocabulary`, `role_flags` int64 and `role_values` uint64 their flags and values.
    `role_bits` uint64 is a bit set over the highest bits of `role_keys`, except for words that
    have a role only beside a certain character or word. `group_hashes`
    uint64: of each number below 1000, of each with three digits, of million and of billion.
    """

    kind: npt.NDArray[np.uint8]
    fold: npt.NDArray[np.int32]
    sequences: npt.NDArray[np.int32]
    order: npt.NDArray[np.uint8]
    case: npt.NDArray[np.uint8]
    spelling_keys: npt.NDArray[np.uint64]
    spelling_bytes: npt.NDArray[np.uint64]
    entity_keys: npt.NDArray[np.uint64]
    entity_codes: npt.NDArray[np.int32]
    role_keys: npt.NDArray[np.uint64]
    role_flags: npt.NDArray[np.int64]
    role_values: npt.NDArray[np.uint64]
    role_bits: npt.NDArray[np.uint64]
    group_hashes: npt.NDArray[np.uint64]


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
    kind = _kinds().copy()
    if normaliser == "words":
        kind[kind == DIGIT] = WORD
    elif normaliser == "math_code":
        kind[ord("_")] = SEPARATOR
        kind[[ord(sign) for sign in vocabulary.SYMBOLS]] = SINGLE
        for first, last in _GREEK:
            letters = kind[first : last + 1]
            letters[letters == WORD] = GREEK
    else:
        kind[kind == DIGIT] = WORD
        kind[kind == SEPARATOR] = WORD
        kind[[code for code in _assigned() if chr(code).isspace()]] = SEPARATOR
        kind[[ord(sign) for sign in string.punctuation]] = DELETED
    folded, case = _folded(), _cases()
    sequences, pieces = [0], set[str]()
    fold = np.arange(sys.maxunicode + 1, dtype=np.int32)
    for code in _assigned():
        letter, form = chr(code), _form(chr(code))
        codes = [ord(one) for one in folded[code]]
        if normaliser == "math_code" and unicodedata.category(letter) == "Nd":
            codes = [ord("0") + unicodedata.decimal(letter)]
            kind[code] = DIGIT
        if form != letter:
            parts = [other for other in codes if kind[other] != DELETED]
            kinds = {int(kind[other]) for other in parts} - {MARK}
            if not parts:
                kind[code] = DELETED
            elif len(form) == 1 or kinds in ({WORD}, {GREEK}):
                kind[code], codes = kind[parts[0]], parts
            elif kinds - {SEPARATOR}:
                own = _pieces(codes, kind)
                if max(len(piece.encode()) for piece in own) <= _LONGEST_SPELLING:
                    kind[code] = EXPANDED
                    pieces.update(own)
                else:
                    codes = [ord(one) for one in _lowered(unicodedata.normalize("NFC", letter))]
        if normaliser == "math_code" and kind[code] == DIGIT and letter in _RAISED:
            kind[code] = RAISED
        elif normaliser == "math_code" and kind[code] == DIGIT and letter in _LOWERED:
            kind[code] = LOWERED
        if len(codes) == 1:
            fold[code] = codes[0]
        elif kind[code] not in (SEPARATOR, DELETED):
            fold[code] = -len(sequences)
            sequences += [len(codes), *codes]
    order = np.zeros(sys.maxunicode + 1, dtype=np.uint8)
    for code in _assigned():
        order[code] = unicodedata.combining(chr(code))
    for first, last in UNSEEN:
        kind[first : last + 1] = DELETED
    return Tables(
        kind, fold, np.array(sequences, dtype=np.int32), order, case, **_vocabulary(normaliser == "math_code", pieces)
    )


def _vocabulary(is_notation: bool, pieces: set[str]) -> dict[str, npt.NDArray[Any]]:
    """The hash tables; those of entities and roles are empty but for `math_code`."""
    roles = vocabulary.roles() if is_notation else {}
    entities = vocabulary.ENTITIES if is_notation else {}
    groups = [*map(str, range(1000)), *(f"{number:03}" for number in range(1000)), "million", "billion"]
    names = [value for _, value in roles.values() if isinstance(value, str)]
    spelled = sorted({*groups, *names, *pieces})
    spellings = [int.from_bytes(word.encode(), "little") for word in spelled]
    keys = _hashes([*roles])
    hash_of = dict(zip(names, _hashes(names).tolist(), strict=True))
    values = [hash_of[value] if isinstance(value, str) else value for _, value in roles.values()]
    bits = np.zeros(ROLE_BITS // 64, np.uint64)
    for key, (flags, _) in zip(keys.tolist(), roles.values(), strict=True):
        if not flags & ~vocabulary.BY_NEIGHBOURS:
            continue
        place = key * ROLE_BITS >> 64
        bits[place // 64] |= np.uint64(1 << place % 64)
    spelling_keys, spelling_bytes = _slots(_hashes(spelled), np.array(spellings, np.uint64))
    entity_keys, entity_codes = _slots(_hashes([*entities]), np.array([*entities.values()], np.int32))
    role_keys, role_flags, role_values = _slots(
        keys, np.array([flags for flags, _ in roles.values()], np.int64), np.array(values, np.uint64)
    )
    return {
        "spelling_keys": spelling_keys,
        "spelling_bytes": spelling_bytes,
        "entity_keys": entity_keys,
        "entity_codes": entity_codes,
        "role_keys": role_keys,
        "role_flags": role_flags,
        "role_values": role_values,
        "role_bits": bits,
        "group_hashes": _hashes(groups),
    }


def _hashes(words: list[str]) -> npt.NDArray[np.uint64]:
    spelled = [unicodedata.normalize("NFD", word) for word in words]
    codes = np.array([ord(letter) for word in spelled for letter in word], np.int32)
    bounds = np.cumsum([0, *map(len, spelled)])
    out = np.empty(len(words), np.uint64)
    hash_all(codes, bounds, out)
    return out


def _slots(keys: npt.NDArray[np.uint64], *values: npt.NDArray[Any]) -> list[npt.NDArray[Any]]:
    size = 1 << (2 * len(keys)).bit_length()
    places: list[npt.NDArray[Any]] = [np.zeros(size, np.uint64), *(np.zeros(size, one.dtype) for one in values)]
    for number, key in enumerate(keys.tolist()):
        slot = key % size
        while places[0][slot]:
            slot = (slot + 1) % size
        for place, one in zip(places, (keys, *values), strict=True):
            place[slot] = one[number]
    return places


def _form(letter: str) -> str:
    """The character as NFKC has it; as NFC has it where NFKC would make a space, a mark before a letter or a sigma."""
    form = unicodedata.normalize("NFKC", letter)
    is_apart = len(form) > 1 and (any(one.isspace() for one in form) or unicodedata.category(form[0])[0] == "M")
    return unicodedata.normalize("NFC", letter) if is_apart or form in (CAPITAL_SIGMA, FINAL_SIGMA) else form


def _lowered(form: str) -> str:
    return unicodedata.normalize("NFD", form.lower())


def _pieces(codes: list[int], kind: npt.NDArray[np.uint8]) -> list[str]:
    """The words that a character is expanded to."""
    found: list[str] = []
    opened = SEPARATOR
    for code in codes:
        own = int(kind[code])
        if own == MARK and opened != SEPARATOR:
            found[-1] += chr(code)
        elif own not in (MARK, SEPARATOR, DELETED):
            if own == opened and own != SINGLE:
                found[-1] += chr(code)
            else:
                found.append(chr(code))
        if own not in (MARK, DELETED):
            opened = own
    return found


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
    for first, last in WITHOUT_SPACES:
        letters = kind[first : last + 1]
        letters[(letters == WORD) | (letters == DIGIT)] = SINGLE
    return kind


@cache
def _folded() -> dict[int, str]:
    return {code: _lowered(_form(chr(code))) for code in _assigned()}


@cache
def _cases() -> npt.NDArray[np.uint8]:
    case = np.zeros(sys.maxunicode + 1, dtype=np.uint8)
    for code in _assigned():
        # Python's own rule, by example: a sigma is final after a cased letter, with ignored characters between them.
        if code <= 0x1FFFF and not without_spaces(code):
            form = _form(chr(code))
            if f"{form}{CAPITAL_SIGMA}".lower().endswith(FINAL_SIGMA):
                case[code] = CASED
            elif f"A{form}{CAPITAL_SIGMA}".lower().endswith(FINAL_SIGMA):
                case[code] = IGNORABLE
    for first, last in UNSEEN:
        case[first : last + 1] = IGNORABLE
    return case
