"""The one JSON reader: a fast parser, and a check for values that it would change.

orjson keeps the last of two equal keys and turns integers beyond 64 bits into floats. Both
are found here without a second parse of ordinary records: the number of pairs that it
returned is compared with the number of key separators in the text, which is never smaller.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import Any, Final

import orjson

from tulu_data.errors import RecordError, printable

MAX_DEPTH: Final = 64
_INT64_RANGE: Final = range(-(2**63), 2**64)
# A key's closing quote has an even run of backslashes before it; so has an opening quote
# that is followed by a colon, which the exact check distinguishes.
_SEPARATOR = re.compile(rb'(?<!\\)(?:\\\\)*"[ \t\r\n]*:')
_SPACED_SEPARATOR = re.compile(rb'"[ \t\r\n]+:')


def parse(raw: bytes) -> Any:
    """The value of one JSON text.

    >>> parse(b'{"a": [1, "x"]}')
    {'a': [1, 'x']}

    Raises `RecordError` with the code `invalid_utf8`, `invalid_json`, `not_a_number` (`NaN`),
    `duplicate_key`, `integer_range` (outside 64 bits) or `too_deep` (over 64 levels).
    """
    try:
        value = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise _explained(raw, error) from None
    pairs, has_huge = _count(value)
    separators = raw.count(b'":')
    if has_huge or separators != pairs or _SPACED_SEPARATOR.search(raw):
        separators = sum(1 for _ in _SEPARATOR.finditer(raw))
        if has_huge or separators != pairs:
            _check_exactly(raw)
    return value


def _count(value: Any) -> tuple[int, bool]:
    """The number of key/value pairs in `value`, and whether a float may have been an integer."""
    pairs = 0
    has_huge = False
    level = [value]
    for _ in range(MAX_DEPTH + 1):
        below: list[Any] = []
        for item in level:
            if type(item) is dict:
                pairs += len(item)
                below += item.values()
            elif type(item) is list:
                below += item
            elif type(item) is float and abs(item) >= 2.0**63:
                has_huge = True
        if not below:
            return pairs, has_huge
        level = below
    raise RecordError("too_deep", f"nested deeper than {MAX_DEPTH}")


def _check_exactly(raw: bytes) -> None:
    def pairs_of(pairs: list[tuple[str, Any]]) -> None:
        names = [name for name, _ in pairs]
        if len(set(names)) < len(names):
            twice = next(name for name, count in Counter(names).items() if count > 1)
            raise RecordError("duplicate_key", f"key '{printable(twice)}' stands twice")

    def whole(digits: str) -> None:
        # int() refuses thousands of digits; no 64-bit number has more than 20.
        if len(digits) > 20 or int(digits) not in _INT64_RANGE:
            raise RecordError("integer_range", f"{printable(digits)} does not fit into 64 bits")

    json.loads(raw, object_pairs_hook=pairs_of, parse_int=whole)


def _explained(raw: bytes, error: orjson.JSONDecodeError) -> RecordError:
    try:
        raw.decode()
    except UnicodeDecodeError as bad:
        return RecordError(
            "invalid_utf8", f"byte 0x{raw[bad.start]:02x} at byte {bad.start} of the record is not UTF-8"
        )
    if "depth limit" in error.msg:
        return RecordError("too_deep", f"nested deeper than {MAX_DEPTH}")
    if constant := _constant(raw, error.pos):
        return RecordError(
            "not_a_number",
            f"{constant} at character {error.pos} is not JSON: write null, a text or a number in its place, "
            "as json.dumps(…, allow_nan=False) makes sure",
        )
    return RecordError("invalid_json", f"{error.msg} at character {error.pos}")


def _constant(raw: bytes, position: int) -> str | None:
    """Python's word for a float that JSON can't write, such as NaN, if one begins here."""
    text = raw.decode()[max(0, position - 1) :]
    return next((word for word in ("NaN", "-Infinity", "Infinity") if word in text[: len(word) + 1]), None)


def kind_of(value: Any) -> str:
    """The kind of a JSON value, in words for a message.

    >>> kind_of(None), kind_of([1])
    ('null', 'an array')
    """
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return f"the number {printable(str(value), 24)}"
    if isinstance(value, str):
        return "a text"
    return {"list": "an array", "dict": "an object"}.get(type(value).__name__, type(value).__name__)
