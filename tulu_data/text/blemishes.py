"""Faults of rows that no trainer wants: special tokens in text, roles that templates refuse, damaged letters.

When a row is read it gets a number whose bits say which faults it has. No row is removed for
them: faults that many rows of a source share are listed, to be looked at first.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from tulu_data.rows.messages import MessageColumn
from tulu_data.rows.rows import Rows

NOTABLE_SHARE: Final = 0.01
NOTABLE_ROWS: Final = 100


class Blemish(NamedTuple):
    """One fault of rows: its name, a description, and a remedy.

    `pattern` finds it in a text; faults without one are about roles. `is_refused` says that
    chat templates refuse such a row, or render it wrongly: then a single row is listed.
    """

    name: str
    what: str
    remedy: str
    pattern: str = ""
    is_refused: bool = False


# ChatML, Llama 3, Phi, GPT; DeepSeek; Llama 2 and Mistral; Gemma; T5 and others.
_SPECIAL: Final = (
    r"(?:<\|[A-Za-z0-9_]{2,40}\|>|<｜[^｜\n]{2,40}｜>|</?s>|\[/?INST\]|<</?SYS>>"
    r"|<(?:start|end)_of_turn>|<(?:bos|eos|pad|unk)>)"
)
# Bytes of UTF-8 that were read as Latin-1 or Windows-1252.
_MOJIBAKE: Final = "(?:[ÃÂ][\u0080-\u00bf]|â€[\u0080-\u00bf™œ“”˜…¢¦žš]|ï»¿|ðŸ)"
_HEADERS: Final = "remove it: templates put their own"
_DECODE: Final = "read the file in the encoding that it was written in"

BLEMISHES: Final = (
    Blemish("token_at_end", "end with a special token", _HEADERS, _SPECIAL + r"\s*\z"),
    Blemish("token_inside", "hold special tokens inside of text", _HEADERS, _SPECIAL + r"\s*[^\s]"),
    Blemish(
        "escaped_line_breaks",
        r"have \n as two characters, and no line break",
        "for a TSV file, give its source: unescape: true",
        r"\\n(?:[^a-z]|\z)",
    ),
    Blemish(
        "placeholder",
        "hold a placeholder that nobody filled",
        "fill it, or remove these rows",
        r"\{\{\s*\w{1,40}\s*\}\}|<(?:image|video|audio)>",
    ),
    Blemish("mojibake", "hold letters of another encoding (Ã©, â€™)", _DECODE, _MOJIBAKE),
    Blemish("replacement_characters", "hold the replacement character U+FFFD", _DECODE, "\ufffd"),
    Blemish("control_characters", "hold control characters", "remove them", r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]"),
    Blemish("last_by_user", "do not end with the assistant", "cut what comes after the last answer", is_refused=True),
    Blemish("same_role_twice", "have two turns of one role in a row", "join them", is_refused=True),
    Blemish("begins_with_assistant", "begin with the assistant", "put the question before it", is_refused=True),
    Blemish("system_inside", "have a system prompt after the first turn", "put it first", is_refused=True),
    Blemish("empty_answer", "have an empty answer", "length_filter removes them: min_characters", is_refused=True),
    Blemish("empty_prompt", "have an empty turn of the user", "length_filter with on: prompt", is_refused=True),
)
BY_NAME: Final = {blemish.name: blemish for blemish in BLEMISHES}
_IN_TEXT: Final = tuple(blemish for blemish in BLEMISHES if blemish.pattern)
_ANY: Final = "|".join(f"(?:{pattern})" for pattern in (_SPECIAL, *(one.pattern for one in _IN_TEXT[2:])))
_CONTEXT: Final = 40


def marks(rows: Rows) -> npt.NDArray[np.uint32]:
    """The bits of each row's faults: bit i means `BLEMISHES[i]`.

    >>> from tulu_data.rows.sft import Conversation
    >>> row = Conversation([("user", "Hi"), ("assistant", "Hello<|endoftext|>"), ("user", "")])
    >>> [one.name for bit, one in enumerate(BLEMISHES) if marks(Rows.of([row]))[0] >> bit & 1]
    ['token_at_end', 'last_by_user', 'empty_prompt']
    """
    counted: npt.NDArray[np.uint32] = np.zeros(len(rows), dtype=np.uint32)
    for column in rows.message_columns().values():
        found = _roles(column) | _in_texts(column.flat.field("content"))
        for bit, blemish in enumerate(BLEMISHES):
            if blemish.name not in rows.kind.fine:
                before = np.concatenate([[0], np.cumsum(found >> np.uint32(bit) & np.uint32(1), dtype=np.int64)])
                counted |= (np.diff(before[column.bounds]) > 0).astype(np.uint32) << np.uint32(bit)
    return counted


def _bit(name: str) -> np.uint32:
    return np.uint32(1 << next(bit for bit, one in enumerate(BLEMISHES) if one.name == name))


def _in_texts(contents: pa.StringArray) -> npt.NDArray[np.uint32]:
    """The bits of each text."""
    found = np.zeros(len(contents), dtype=np.uint32)
    suspects = np.flatnonzero(pc.match_substring_regex(contents, _ANY).to_numpy(zero_copy_only=False))
    if len(suspects):
        texts = contents.take(pa.array(suspects))
        for blemish in _IN_TEXT:
            has = pc.match_substring_regex(texts, blemish.pattern).to_numpy(zero_copy_only=False)
            if blemish.name == "escaped_line_breaks":
                has &= ~pc.match_substring(texts, "\n").to_numpy(zero_copy_only=False)
            found[suspects[has]] |= _bit(blemish.name)
    return found


def _roles(column: MessageColumn) -> npt.NDArray[np.uint32]:
    """The bits of each message that are about its role, and whether it is empty."""
    flat, bounds, number = column.flat, column.bounds, column.numbers
    found = np.zeros(len(flat), dtype=np.uint32)
    if not len(flat):
        return found
    is_of = {role: column.have([role]) for role in ("system", "user", "assistant")}
    is_last = np.zeros(len(flat), dtype=bool)
    is_last[bounds[1:][np.diff(bounds) > 0] - 1] = True
    follows = number > 0
    system = is_of["system"]
    is_first = (number == 0) | ((number == 1) & np.concatenate([[False], system[:-1]]))
    same = np.zeros(len(flat), dtype=bool)
    for role in ("user", "assistant"):
        same[1:] |= is_of[role][1:] & is_of[role][:-1]
    is_blank = pc.match_substring_regex(flat.field("content"), r"^\s*\z").to_numpy(zero_copy_only=False)
    says_more = np.zeros(len(flat), dtype=bool)
    if column.calls is not None:
        says_more = np.repeat(column.calls.is_valid().to_numpy(zero_copy_only=False), np.diff(bounds))
    if (reasoning := column.rare("reasoning_content")) is not None:
        says_more = says_more | reasoning.is_valid().to_numpy(zero_copy_only=False)
    for name, has in (
        ("last_by_user", is_last & ~is_of["assistant"]),
        ("same_role_twice", same & follows),
        ("begins_with_assistant", is_first & is_of["assistant"]),
        ("system_inside", system & follows),
        ("empty_answer", is_of["assistant"] & is_blank & ~says_more),
        ("empty_prompt", is_of["user"] & is_blank),
    ):
        found[has] |= _bit(name)
    return found


def is_notable(name: str, rows: int, of: int) -> bool:
    """Whether to list a fault that this many of a number of rows have."""
    return BY_NAME[name].is_refused or rows >= NOTABLE_ROWS or rows >= NOTABLE_SHARE * of


def shown_in(name: str, messages: Sequence[tuple[str, str]]) -> str:
    """The part of a conversation that shows a fault: the text around its first place, or the roles."""
    pattern = BY_NAME[name].pattern.replace(r"\z", r"\Z")
    for _, content in messages if pattern else ():
        if found := re.search(pattern, content):
            start, end = max(found.start() - _CONTEXT, 0), found.end() + _CONTEXT
            return ("…" if start else "") + content[start:end] + ("…" if end < len(content) else "")
    return " → ".join(role if content.strip() else f"{role} (empty)" for role, content in messages[:6])
