"""The word kernel finds the words that ten lines of plain Python find, by either path, in any text."""

from __future__ import annotations

import itertools
import os
import re
import string
import subprocess
import sys
import unicodedata
from pathlib import Path
from typing import get_args

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tulu_data.kernels import unicode
from tulu_data.kernels import words as kernel
from tulu_data.kernels.unicode import WITHOUT_SPACES, Normaliser, tables
from tulu_data.kernels.words import MODES, fold, scratch, words

NORMALISERS = get_args(Normaliser)
NO_SPACES = re.compile("[" + "".join(f"{chr(first)}-{chr(last)}" for first, last in WITHOUT_SPACES) + "]")
OPERAND_BEFORE = re.compile(r"(?:[0-9)\]}]|(?<![A-Za-z0-9_\u0080-\U0010ffff])[A-Za-z])[\x00-\x20]*\Z")
OPERAND_AFTER = re.compile(r"[\x00-\x20]*(?:[0-9(\[{\\]|[A-Za-z](?![A-Za-z0-9_\u0080-\U0010ffff]))")


def is_mark(letter: str) -> bool:
    return unicodedata.category(letter)[0] == "M"


def is_single(letter: str) -> bool:
    return bool(NO_SPACES.match(letter)) and letter.isalnum()


def naive_words(text: str) -> list[str]:
    """`\\w+` on lower-cased NFC text; marks belong to the word before them, letters without spaces are words."""
    found: list[str] = []
    is_open = False
    for letter in unicodedata.normalize("NFC", text).lower():
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


def naive_math_code(text: str) -> list[str]:
    text = unicodedata.normalize("NFC", text).lower()
    found: list[str] = []
    kind = ""
    index = 0
    while index < len(text):
        letter = text[index]
        command = re.compile(r"\\[a-z]+").match(text, index)
        if is_mark(letter):
            if kind:
                found[-1] += letter
        elif command:
            found.append(command[0])
            kind = "command"
            index = command.end() - 1
        elif is_single(letter) or (unicodedata.category(letter) == "Sm" and ord(letter) > 127):
            found.append(letter)
            kind = "single"
        elif letter.isalnum() or letter == "_":
            is_digit = unicodedata.category(letter) == "Nd"
            if kind == "name" or (kind == "number" and is_digit):
                found[-1] += letter
            else:
                found.append(letter)
                kind = "number" if is_digit else "name"
        elif letter in "+-*/=<>^%" and is_token(text, index):
            found.append(letter)
            kind = "operator"
        else:
            kind = ""
        index += 1
    return [token.replace("\u2212", "-") for token in found]


def is_token(text: str, index: int) -> bool:
    sign = re.escape(text[index])
    run = next(run for run in re.finditer(f"{sign}+", text) if run.start() <= index < run.end())
    if len(run[0]) > 3:
        return False
    if text[index] not in "-*/":
        return True
    return bool(OPERAND_BEFORE.search(text[: run.start()]) or OPERAND_AFTER.match(text[run.end() :]))


def naive_gpt3(text: str) -> list[str]:
    text = unicodedata.normalize("NFC", text).lower()
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


NAIVE = {"words": naive_words, "math_code": naive_math_code, "gpt3": naive_gpt3}


def normalised(texts: list[str], normaliser: Normaliser) -> list[list[str]]:
    """What the kernel finds, as text: NFD, with the bit that folds ASCII taken back."""
    strings = pa.array(texts, pa.string())
    found = words(strings, normaliser)
    folded = spelled(strings, normaliser)
    by_text = zip(found.offsets[:-1].tolist(), found.offsets[1:].tolist(), strict=True)
    return [folded[start:end] for start, end in by_text]


def spelled(texts: pa.StringArray, normaliser: Normaliser) -> list[str]:
    """The words of all texts as the kernel spells them."""
    folded, places = fold(texts, words(texts, normaliser), normaliser)
    return [folded[start:end].tobytes().decode() for start, end in itertools.pairwise(places.tolist())]


def as_kernel(word: str) -> str:
    """A word of the oracle in the kernel's spelling: NFD, and 0x20 set in each ASCII byte."""
    return "".join(
        chr(ord(letter) | 0x20) if ord(letter) < 128 else letter for letter in unicodedata.normalize("NFD", word)
    )


def expected(text: str, normaliser: Normaliser) -> list[str]:
    return [as_kernel(word) for word in NAIVE[normaliser](text)]


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
MIXED = st.lists(st.one_of(TEXT, ASCII, FORMULAS), max_size=6).map("".join)


@pytest.mark.parametrize("normaliser", NORMALISERS)
@settings(max_examples=400)
@given(st.lists(st.one_of(TEXT, ASCII, FORMULAS, MIXED), max_size=4))
def test_the_kernel_finds_what_plain_python_finds(normaliser: Normaliser, texts: list[str]):
    assert normalised(texts, normaliser) == [expected(text, normaliser) for text in texts]


@pytest.mark.parametrize("normaliser", NORMALISERS)
@settings(max_examples=400)
@given(st.one_of(ASCII, FORMULAS))
def test_both_paths_agree_on_ascii(normaliser: Normaliser, text: str):
    ours = words(pa.array([text]), normaliser)
    data, (start, end) = kernel.buffers(pa.array([text]))
    size = len(text)
    other = np.empty(size, np.uint64), np.empty(size, np.int64), np.empty(size, np.int64)
    table = tables(normaliser)
    count = kernel._split_unicode(data, start, end, start, end, table, *other, 0, scratch(size)[0])
    assert count == len(ours.hashes)
    for found, slow in zip((ours.hashes, ours.starts, ours.ends), other, strict=True):
        assert found.tolist() == slow[:count].tolist()


@given(st.binary(max_size=80), st.sampled_from(NORMALISERS))
def test_bytes_that_are_no_text_end_somehow(content: bytes, normaliser: Normaliser):
    """Inputs are checked for UTF-8; a kernel must not read past its buffer all the same."""
    offsets = pa.py_buffer(np.array([0, len(content)], np.int32).tobytes())
    texts = pa.StringArray.from_buffers(1, offsets, pa.py_buffer(content))
    found = words(texts, normaliser)
    assert ((found.starts >= 0) & (found.ends <= len(content)) & (found.starts < found.ends)).all()


@given(TEXT, st.sampled_from(NORMALISERS))
def test_a_word_is_found_where_it_stands(text: str, normaliser: Normaliser):
    found = words(pa.array([text]), normaliser)
    content = text.encode()
    spans = [content[start:end].decode() for start, end in zip(found.starts, found.ends, strict=True)]
    assert list(found.starts) == sorted(found.starts)
    assert len(spans) == len(found.hashes)
    for span, word in zip(spans, normalised([text], normaliser)[0], strict=True):
        assert len(span) > 0
        assert word


@given(TEXT)
def test_words_are_those_of_a_regular_expression_where_there_are_no_marks(text: str):
    lowered = unicodedata.normalize("NFC", text).lower()
    if any(is_mark(letter) or NO_SPACES.match(letter) for letter in lowered):
        return
    assert normalised([text], "words")[0] == [as_kernel(word) for word in re.findall(r"\w+", lowered)]


def test_every_character_alone_is_as_in_plain_python():
    codes = [*range(0xD800), *range(0xE000, 0x110000)]
    texts = [f"a{chr(code)}b" for code in codes if code < 0x3400 or code % 61 == 0]
    for normaliser in NORMALISERS:
        found = normalised(texts, normaliser)
        wrong = [text for text, words in zip(texts, found, strict=True) if words != expected(text, normaliser)]
        assert wrong == [], normaliser


@given(TEXT, st.sampled_from(NORMALISERS))
def test_composition_case_and_white_space_change_nothing(text: str, normaliser: Normaliser):
    if (
        any(letter in text for letter in "\u212a\u0130\u0131İıΣσς")
        or "ß" in text.lower()
        or text.lower() != text.upper().lower()
    ):
        text = text.casefold()
    variants = [
        text,
        unicodedata.normalize("NFC", text),
        unicodedata.normalize("NFD", text),
        text.replace(" ", "\n \t"),
        f"  {text}\n",
    ]
    first, *others = normalised(variants, normaliser)
    assert all(other == first for other in others)


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("2x+5", ["2", "x", "+", "5"]),
        ("2x-5", ["2", "x", "-", "5"]),
        ("2x − 5", ["2", "x", "-", "5"]),
        (r"\frac12 + \alpha_1", [r"\frac", "12", "+", r"\alpha", "_1"]),
        ("well-known and/or **bold** - item", ["well", "known", "and", "or", "bold", "item"]),
        ("a - b * c / d", ["a", "-", "b", "*", "c", "/", "d"]),
        ("x2 == y_3 ------ done", ["x2", "=", "=", "y_3", "done"]),
        ("a ≤ b × 3", ["a", "≤", "b", "×", "3"]),
    ],
)
def test_math_and_code_keep_what_tells_them_apart(text: str, tokens: list[str]):
    assert normalised([text], "math_code") == [[as_kernel(token) for token in tokens]]


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("STRASSE Straße", ["strasse", "straße"]),
        ("ﬁne fine", ["ﬁne", "fine"]),
        ("ΟΔΟΣ ὈΔΥΣΣΕΎΣ", ["οδος", "ὀδυσσεύς"]),
        ("e\u0301te\u0301 été", ["été", "été"]),
        ("हिन्दी", ["हिन्दी"]),
        ("识别Two二", ["识", "别", "two", "二"]),
        ("がか\u3099", ["が", "が"]),
        ("กำลัง", ["ก", "ำ", "ลั", "ง"]),
        ("𐐀𐐁 𝐀", ["𐐨𐐩", "𝐀"]),
        ("İ", ["i\u0307"]),
    ],
)
def test_letters_beyond_ascii_go_by_their_rules(text: str, tokens: list[str]):
    assert normalised([text], "words") == [[as_kernel(token) for token in tokens]]


def test_equal_words_have_equal_hashes_and_others_do_not():
    vocabulary = [f"{letter}{number}{'x' * (number % 23)}" for letter in ("a", "é", "字a") for number in range(20_000)]
    found = words(pa.array(vocabulary), "gpt3")
    spelling = spelled(pa.array(vocabulary), "gpt3")
    assert len(set(found.hashes.tolist())) == len(set(spelling)) > 40_000


def test_no_character_outgrows_the_room_to_fold_it():
    table = tables("words")
    for code in range(0x110000):
        if table.fold[code] < 0 and not 0xD800 <= code < 0xE000:
            place = -table.fold[code]
            folded = table.sequences[place + 1 : place + 1 + table.sequences[place]]
            size = len(chr(code).encode())
            assert len(folded) <= 2 * size
            assert len("".join(map(chr, folded)).encode()) <= 3 * size


def test_a_text_at_the_end_of_its_buffer_and_one_of_no_bytes_are_read_whole():
    for size in range(70):
        text = "ab " * (size // 3) + "c" * (size % 3)
        content = text.encode()
        texts = pa.StringArray.from_buffers(
            1, pa.py_buffer(np.array([0, size], np.int32).tobytes()), pa.py_buffer(content)
        )
        assert len(words(texts).hashes) == len(text.split())


def test_tables_are_kept_and_made_again_where_the_file_is_damaged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(unicode, "cache_folder", lambda: tmp_path)
    first = tables.__wrapped__("math_code")
    (kept,) = tmp_path.iterdir()
    for content in (kept.read_bytes(), b"no tables", kept.read_bytes()[:90_000]):
        kept.write_bytes(content)
        again = tables.__wrapped__("math_code")
        assert all(np.array_equal(one, other) for one, other in zip(first, again, strict=True))
        assert list(tmp_path.iterdir()) == [kept]


SCRIPT = "import pyarrow as pa; from tulu_data.kernels.words import words; print(len(words(pa.array(['a b'])).hashes))"


def test_kernels_work_where_nothing_can_be_written(tmp_path: Path):
    package = Path(kernel.__file__).parents[2]
    code = (
        "from tulu_data.kernels import compiled; from pathlib import Path\n"
        "compiled.SOURCES = Path('/proc/nowhere'); compiled._places = lambda: iter([Path('/proc/nowhere')])\n"
        f"assert compiled.cache_folder() is None and not compiled.are_compiled()\n{SCRIPT}"
    )
    environment = {"PYTHONPATH": str(package), "HOME": "/proc/nowhere", "PATH": os.environ["PATH"]}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    assert done.stdout == "2\n", done.stderr


def test_compiled_code_is_kept_where_it_is_told_to(tmp_path: Path):
    package = Path(kernel.__file__).parents[2]
    environment = {"PYTHONPATH": str(package), "NUMBA_CACHE_DIR": str(tmp_path), "PATH": os.environ["PATH"]}
    subprocess.run([sys.executable, "-c", SCRIPT], env=environment, capture_output=True, check=True)
    assert list(tmp_path.rglob("*.nbc"))
    assert MODES
