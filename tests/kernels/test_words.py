"""The word kernel finds the words that ten lines of plain Python find, by either path, in any text."""

from __future__ import annotations

import itertools
import os
import re
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
from tulu_data.kernels.notation import rewrite
from tulu_data.kernels.unicode import Normaliser, tables
from tulu_data.kernels.words import MODES, fold, scratch, words
from tulu_data.verifying import plain_words
from word_oracle import ASCII, FORMULAS, MIXED, NAIVE, NO_SPACES, NOTATION, TEXT, UNSEEN, is_mark

NORMALISERS = get_args(Normaliser)


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


@pytest.mark.parametrize("normaliser", NORMALISERS)
@settings(max_examples=400)
@given(st.lists(st.one_of(TEXT, ASCII, FORMULAS, NOTATION, MIXED), max_size=4))
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
    codes = scratch(size)[0]
    count = kernel._split_unicode(data, start, end, start, end, table, *other, 0, codes)
    if normaliser == "math_code":
        count = rewrite(data, start, end, table, *other, 0, count, codes)
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
    if UNSEEN.search(text) or any(unicodedata.normalize("NFKC", letter) != letter for letter in lowered):
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
        ("2x+5", ["2", "x", "5"]),
        ("x2 == y_3 ------ done", ["x", "2", "y", "3", "done"]),
        ("well-known and/or **bold** - item", ["well", "known", "and", "or", "bold", "item"]),
        # Numbers: by their value, in groups of three digits.
        ("1000 1,000 1 000 1_000 1'000 1{,}000 1\u202f000 1.000", ["1", "000"] * 8),
        ("12345678", ["12", "345", "678"]),
        ("5,000,000 = five million = 5 million", ["5", "million"] * 3),
        ("2,000,000,000 = 2 billion", ["2", "billion"] * 2),
        ("１０００ ١٠٠٠ १००० ๑๐๐๐ 𝟏𝟎𝟎𝟎", ["1", "000"] * 5),
        ("twenty-one, Twenty one, 21", ["21", "21", "21"]),
        ("three hundred and five; 305", ["305", "305"]),
        ("two thousand three hundred, twenty-three hundred, 2,300", ["2", "300", "23", "hundred", "2", "300"]),
        ("one million two hundred thousand and five = 1,200,005", ["1", "200", "005"] * 2),
        ("five, six and seven", ["5", "6", "and", "7"]),
        ("a thousand, 2 thousand", ["a", "000", "2", "000"]),
        ("two thirds, two-thirds, 2/3, ⅔, \\frac{2}{3}, \\tfrac23", ["2", "3"] * 6),
        ("one half of one second, a third", ["1", "2", "of", "1", "second", "a", "third"]),
        ("2½ x² 10² 10₂ x_2 H₂O", ["2", "1", "2", "x", "2", "10", "2", "10", "2", "x", "2", "h", "2", "o"]),
        ("$5.00 $5 5.0 5.05 1.0.2", ["5", "5", "5", "5", "05", "1", "0", "2"]),
        ("3.14 and 50%, 50 percent", ["3", "14", "and", "50", "50"]),
        # Formulas: commands that set type are no words, and one symbol has one name.
        ("\\left( \\dfrac{\\alpha}{\\pi} \\right) = \\bigl(α/π\\bigr)", ["alpha", "pi", "alpha", "pi"]),
        ("2πr, 2\\pi r, 2 \\cdot \\pi \\times r", ["2", "pi", "r"] * 3),
        ("\\sqrt{2} √2 90^\\circ 90° a \\le b ≤ c", ["sqrt", "2"] * 2 + ["90", "degrees"] * 2 + ["a", "b", "c"]),
        ("turn left, right, three times", ["turn", "left", "right", "3", "times"]),
        ("\\text{if } x\\,\\%\\$ \\quad y", ["if", "x", "y"]),
        ("\\αé \\αe\u0301 \\pié \\pie\u0301", ["alpha", "é", "alpha", "é", "pié", "pié"]),
        # Escapes, entities, tags and marks.
        ("\\nWhat \\n\\nthree\\tand\\nNu \\nu \\neq \\theta", ["what", "3", "and", "nu", "nu", "theta"]),
        (
            "caf&eacute; don&#39;t A&amp;B 1&nbsp;000 &bogus; &#x41;",
            ["café", "don", "t", "a", "b", "1", "000", "bogus", "a"],
        ),
        ("a<br>b<br />c <b>d</b> x < b > y", ["a", "b", "c", "d", "x", "b", "y"]),
        ("_italic_ __bold__ `code` *x*", ["italic", "bold", "code", "x"]),
        ("one\\n\ufe0fnine", ["1", "9"]),
    ],
)
def test_one_number_and_one_formula_have_the_same_words_however_they_are_written(text: str, tokens: list[str]):
    assert normalised([text], "math_code") == [[as_kernel(token) for token in tokens]]
    assert plain_words.words(text, "math_code") == tokens


@pytest.mark.parametrize("normaliser", NORMALISERS)
def test_what_nobody_sees_changes_no_word(normaliser: Normaliser):
    plain = "The ﬁrst office of Ｔokyo, naïve and 한글 में"
    codes = [code for first, last in unicode.UNSEEN for code in (first, last)]
    strewn = ["".join(f"{chr(code)}{letter}{chr(code)}" for letter in plain) for code in codes]
    expected, *found = normalised([unicodedata.normalize("NFKD", plain), *strewn, plain], normaliser)
    assert expected[:3] == ["the", "first", "office"]
    assert found == [expected] * len(found)


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("STRASSE Straße", ["strasse", "straße"]),
        ("ﬁne fine ｆｉｎｅ", ["fine", "fine", "fine"]),
        ("ΟΔΟΣ ὈΔΥΣΣΕΎΣ", ["οδος", "ὀδυσσεύς"]),
        ("e\u0301te\u0301 été", ["été", "été"]),
        ("हिन्दी", ["हिन्दी"]),
        ("识别Two二", ["识", "别", "two", "二"]),
        ("がか\u3099", ["が", "が"]),
        ("กำลัง", ["ก", "ำ", "ลั", "ง"]),
        ("𐐀𐐁 𝐀", ["𐐨𐐩", "a"]),
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


@pytest.mark.parametrize("normaliser", NORMALISERS)
def test_no_character_outgrows_the_room_to_fold_it(normaliser: Normaliser):
    table = tables(normaliser)
    for code in np.flatnonzero((table.fold < 0) & (table.kind != unicode.EXPANDED)).tolist():
        place = -table.fold[code]
        folded = table.sequences[place + 1 : place + 1 + table.sequences[place]]
        size = len(chr(code).encode(errors="surrogatepass"))
        assert len(folded) <= 2 * size
        assert len("".join(map(chr, folded)).encode()) <= 5 * size


def test_no_two_words_of_the_vocabulary_have_one_hash():
    table = tables("math_code")
    for keys, least in ((table.spelling_keys, 1100), (table.entity_keys, 180), (table.role_keys, 250)):
        used = keys[keys != 0]
        assert len(set(used.tolist())) == len(used) > least


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
