"""The domain of a conversation, by rules: expressions with weights, counted and combined.

A rule counts its expression in a thousand characters of the messages that it looks at, as a part
of `often`, and 1 from there on. The score of a domain is 1 − Π (1 − weight × that part):
each rule is another reason, and none alone is certain (a noisy-or; Pearl 1988, 4.3.2).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import cache
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import BaseModel, ConfigDict, Field

from tulu_data.errors import InputError
from tulu_data.rows.on import On
from tulu_data.rows.rows import Rows, Texts
from tulu_data.stage import Share
from tulu_data.text import code_lines
from tulu_data.text.expressions import Expression

SIDES: Final = ("prompt", "response")
SHORTEST: Final = 300
"""A shorter text counts as this many characters: a formula in a short line must not count as very frequent."""


class Rule(BaseModel):
    """One reason for a domain."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    pattern: Expression = Field(description="An RE2 expression")
    weight: Share = Field(Decimal("0.5"), gt=0, description="Its part of the score if it is found often enough")
    often: Decimal = Field(Decimal(1), gt=0, description="How many in a thousand characters are often enough")
    on: On = Field("conversation", description="Which messages it looks at")


def _rule(pattern: str, weight: float, often: float = 1.0, on: On = "conversation") -> Rule:
    return Rule(pattern=pattern, weight=Decimal(str(weight)), often=Decimal(str(often)), on=on)


_MADE: Final = r"(?:write|create|design|implement|develop|generate|construct|build|make|code|program|come up with|give)"
_PROGRAM: Final = (
    r"(?:functions?|programs?|scripts?|code|class(?:es)?|quer(?:y|ies)|algorithms?|methods?|regex|regular expressions?|"
    r"(?:web|mobile|command[- ]line|desktop|android|ios) ?(?:app|application|page|site)s?|apis?|unit tests?|stylesheet|"
    r"makefile|data structures?|(?:for|while) loops?|snippets?|dockerfile|decorators?|subroutines?|markup)"
)
_LANGUAGE: Final = (
    r"(?:python ?[23]?|javascript|typescript|java|c\+\+|c#|php|ruby|golang|rust|kotlin|swift|scala|haskell|perl|matlab|"
    r"sql|mysql|postgres(?:ql)?|sqlite|html5?|css3?|bash|shell script|powershell|linux|git|docker|kubernetes|json|xml|"
    r"yaml|react(?:\.?js)?|vue(?:\.?js)?|angular|node(?:\.?js)?|django|flask|numpy|pandas|tensorflow|pytorch|jquery|"
    r"regex|api|github|compiler|arduino|vim|excel formula|visual basic|vba|unity|opengl|assembly)"
)
# Greek, Cyrillic, Hebrew, Arabic, the scripts of India, Thai, Lao, kana, Chinese characters, Hangul.
_SCRIPTS: Final = (
    r"\x{0370}-\x{03ff}\x{0400}-\x{052f}\x{0590}-\x{06ff}\x{0900}-\x{0dff}\x{0e00}-\x{0eff}"
    r"\x{3040}-\x{30ff}\x{3400}-\x{9fff}\x{ac00}-\x{d7af}"
)
_LATIN: Final = (
    r"(?:que|para|una|los|las|por|como|und|der|nicht|ist|ein|eine|mit|les|des|une|est|pour|dans|sur|della|che|sono|"
    r"não|uma|com|het|een|niet|och|att|jest|się|nie|ve|bir|для|что|это|как)"
)

RULES: Final[dict[str, tuple[Rule, ...]]] = {
    "tools": (
        _rule(
            r"<\|?/?(?:tool_call|tool_response|functioncall|function_call|tools?)\|?>|\"(?:tool_calls|"
            r"function_call)\"",
            0.95,
        ),
        _rule(r"(?i)\btoolformer\b|\[(?:Calculator|WikiSearch|QA|MT|Calendar)\(", 0.95),
        _rule(r"\"parameters\": ?\{ ?\"type\": ?\"object\"", 0.8),
    ),
    "code": (
        _rule(r"(?m)^[ \t]*(?:```|~~~) ?\w", 0.7),
        _rule(r"(?m)^[ \t]*(?:```|~~~)", 0.2),
        _rule(code_lines.LINE, 0.9, often=4),
        _rule(code_lines.LINE, 0.8, often=12),
        _rule(r"`[^`\n]*[()=\[\]{}./][^`\n]*`", 0.3),
        _rule(rf"(?i)(?:^|\W){_LANGUAGE}(?:\W|$)", 0.25, often=2, on="prompt"),
        _rule(rf"(?i)\b{_MADE}\b[^.?!\n]{{0,80}}\b{_PROGRAM}\b", 0.25, on="prompt"),
        _rule(
            r"(?i)\b(?:debug|refactor|compile|stack ?trace|syntax error|traceback|command line|source code|"
            r"codebase|boolean|runtime)\b",
            0.25,
            on="prompt",
        ),
    ),
    "math": (
        _rule(
            r"\\(?:d?frac|sqrt|sum|int|cdot|times|boxed|left|right|le|ge|leq|geq|pi|theta|alpha|angle|"
            r"overline|begin|pmod|ldots|binom|triangle|circ)\b|\$(?:-?[\dA-Za-z]{1,3}|"
            r"[^$\n]{0,60}\\[^$\n]{0,60})\$(?:\W|$)",
            0.85,
            often=3,
        ),
        _rule(r"\[asy\]", 0.95),
        _rule(r"\d ?[-+*/×÷^] ?[$€£]?\(?\d[\d.,]*%?\)? ?=|<<[^<>\n]*=[^<>\n]*>>", 0.85, often=4),
        _rule(r"= ?[-$€£]{0,2}\d[\d,.]*", 0.4, often=4),
        _rule(
            r"(?i)\bhow (?:many|much|long|far|old|fast)\b|\bwhat (?:is|was|are) the (?:\w+ ){0,2}(?:total|sum|"
            r"average|area|value|probability|perimeter|volume|remainder|product|percentage|price|cost|"
            r"number)\b",
            0.25,
            on="prompt",
        ),
        _rule(
            r"(?i)\b(?:solve|simplify|evaluate|compute|calculate|equations?|polynomials?|integers?|triangles?|"
            r"prove|derivative|integral|matrix|theorem|digits?|factor(?:s|ed)?|prime)\b",
            0.25,
            often=2,
            on="prompt",
        ),
        _rule(r"\b\d[\d,.]*\b", 0.25, often=10, on="prompt"),
    ),
    "safety": (
        _rule(
            r"(?i)\b(?:i['’]m sorry,? but|i (?:can(?:not|['’]t)|won['’]t|will not|am (?:not able|unable) to)|"
            r"i['’]m (?:not able|unable) to)\b[^.\n]{0,40}\b(?:help|assist|provide|support|comply|fulfill|"
            r"engage|condone|create|generate|give)\b",
            0.6,
            on="response",
        ),
        _rule(
            r"(?i)\b(?:illegal|unethical|harmful|dangerous|against the law|self-harm|suicide (?:prevention|"
            r"hotline))\b",
            0.3,
            on="response",
        ),
        _rule(
            r"(?i)\b(?:bombs?|explosives?|meth|cocaine|heroin|hack into|phishing|malware|ransomware|steal|"
            r"shoplift|poison|suicide|murder|kill (?:a|my|someone|people|him|her|myself)|racist|slurs?|"
            r"terroris[tm]|launder|counterfeit|stalk)\b",
            0.45,
            on="prompt",
        ),
    ),
    "multilingual": (
        _rule(rf"[{_SCRIPTS}]", 0.95, often=100),
        _rule(rf"(?i)(?:^| ){_LATIN}(?: |$)", 0.95, often=20),
        _rule(r"(?i)\btranslat(?:e|ion)\b[^.\n]{0,80}\b(?:from|into?|to)\b", 0.6, on="prompt"),
    ),
    "instruction_following": (
        _rule(
            r"(?i)\b(?:at least|at most|no more than|exactly|fewer than|less than|more than|only) (?:\w+ "
            r")?(?:\d+|one|two|three|four|five|six|ten) (?:\w+ )?(?:words?|sentences?|paragraphs?|bullet "
            r"points?|times|sections?|letters?|lines?|placeholders?)\b",
            0.6,
            on="prompt",
        ),
        _rule(
            r"(?i)\b(?:your (?:entire |whole )?(?:response|answer|reply|output)|all lowercase|all capital|"
            r"json format|without using|do not (?:use|include|mention)|wrap|postscript|end (?:it|your) \w* "
            r"?with)\b",
            0.45,
            on="prompt",
        ),
        _rule(
            r"(?i)\b(?:rewrite|rephrase|paraphrase|classify|categori[sz]e|edit|convert|sort|arrange|identify|"
            r"extract|proofread|reword|summari[sz]e|shorten|list|rank|brainstorm|given (?:the|a|an|some)|in "
            r"the following|for the following)\b",
            0.4,
            on="prompt",
        ),
        _rule(r"(?m)^ ?\|.*\|.*\|", 0.3),
    ),
    "knowledge": (
        _rule(
            r"(?i)(?:^|[.?!\n] ?)(?:who|what|when|where|which|why|how|is|are|was|were|does|do|did|can|could|"
            r"would|will|has|have)\b[^.!?\n]+\?",
            0.4,
            on="prompt",
        ),
        _rule(
            r"(?i)\b(?:explain|describe|define|discuss|compare|what does|meaning of|difference between|"
            r"according to|passage|article|paragraph|tell me about|history|scientific|theory)\b",
            0.4,
            on="prompt",
        ),
        _rule(r"(?m)^ ?[-(]?\(?[A-E][).] |(?i)\boptions:", 0.4, on="prompt"),
    ),
    "chat": (
        _rule(
            r"(?i)\b(?:pretend|role-?play(?:ing)?|imagine|you are (?:an?|the|now)|act as|in the (?:voice|"
            r"style|role) of|from the perspective of|character|persona|monologue|as if you)\b",
            0.55,
            on="prompt",
        ),
        _rule(
            r"(?i)\b(?:story|poem|song|lyrics|dialogue|speech|letter|diary|joke|haiku|tale|toast|essay|blog "
            r"post)\b",
            0.4,
            on="prompt",
        ),
        _rule(
            r"(?i)^(?:hi|hello|hey|thanks?|thank you|good (?:morning|evening)|how are you)\b|\byour "
            r"favou?rite\b|\b(?:i feel|i am feeling|i['’]m feeling|should i|advice|recommend|suggest)\b",
            0.5,
            on="prompt",
        ),
    ),
}
"""The rules of each domain; of two with the same score, the first is chosen."""

OTHER: Final = "other"
"""The domain of rows that no rule decides."""


def scores(rows: Rows, rules: Mapping[str, Sequence[Rule]]) -> dict[str, npt.NDArray[np.float32]]:
    """The score of each row by domain, 0 to 1, rounded to 4 digits; `tools` is 1 if any are called or offered."""
    sides = tuple(on for on in SIDES if on in rows.kind.on) or (rows.kind.widest,)
    texts = {on: rows.texts(on) for on in sides}
    sizes = {on: _by_row(pc.utf8_length(side.strings), side) for on, side in texts.items()}
    counts: dict[tuple[str, str], npt.NDArray[np.int64]] = {}

    def count(pattern: str, on: str) -> npt.NDArray[np.int64]:
        if (pattern, on) not in counts:
            counts[pattern, on] = _by_row(pc.count_substring_regex(texts[on].strings, pattern), texts[on])
        return counts[pattern, on]

    found = {}
    for domain, reasons in rules.items():
        left = np.ones(len(rows))
        for rule in reasons:
            # A kind of row may lack the messages that a rule looks at; the rule then finds nothing.
            looked = sides if rule.on not in SIDES else tuple(on for on in sides if on == rule.on)
            hits = np.sum([count(rule.pattern, on) for on in looked], axis=0)
            size = np.maximum(np.sum([sizes[on] for on in looked], axis=0), SHORTEST)
            left *= 1 - float(rule.weight) * np.minimum(hits * 1000 / size / float(rule.often), 1)
        found[domain] = np.round(1 - left, 4).astype(np.float32)
    for name in filter(None, (*rows.kind.calls.values(), rows.kind.tools)):
        found["tools"][pc.is_valid(rows.column(name)).to_numpy(zero_copy_only=False)] = 1
    return found


def _by_row(counts: pa.Array, texts: Texts) -> npt.NDArray[np.int64]:
    total = np.concatenate([[0], np.cumsum(counts.to_numpy(zero_copy_only=False))])
    summed: npt.NDArray[np.int64] = total[texts.offsets[1:]] - total[texts.offsets[:-1]]
    return summed


class Model(NamedTuple):
    """A fastText model whose labels are domains."""

    classifier: Any

    def label(self, text: str) -> tuple[str, float]:
        """The most probable domain of a text, and its probability, rounded to 4 digits."""
        labels, shares = self.classifier.predict(" ".join(text.split()), k=1)
        return (labels[0].removeprefix("__label__"), round(min(float(shares[0]), 1.0), 4)) if labels else (OTHER, 0.0)


@cache
def open_model(path: str) -> Model:
    """The fastText model in a file.

    Raises `InputError` (exit 3) if it can't be read as one.
    """
    import fasttext

    try:
        return Model(fasttext.load_model(path))
    except ValueError as error:
        raise InputError(
            f"{path}: not a fastText model ({error}); give one that `fasttext supervised` has trained"
        ) from None
