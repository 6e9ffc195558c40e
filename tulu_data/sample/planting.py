"""Plant faults in rows: only a row's number decides what is planted, so that a longer part begins like a shorter one.

Of every hundred rows one repeats an earlier row, one is a row of its hundred with some
words misspelt, and, in parts that have an evaluation set, one holds an item of it. After
every four hundred rows comes a broken record, which does not count as a row.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import orjson

from tulu_data.sample import code, evaluations, math, tools
from tulu_data.sample.draw import Draw
from tulu_data.sample.evaluations import PHRASES, Item
from tulu_data.sample.grammar import Filling
from tulu_data.sample.near_duplicate import EDITABLE, UNSPACED, Near, misspelt, near
from tulu_data.sample.template import Conversations

if TYPE_CHECKING:
    import polars as pl

_ROWS: Final = {
    "math": math.row,
    "code": code.row,
    "chat": Conversations("chat").row,
    "multilingual": Conversations("multilingual").row,
    "tools": tools.row,
    "multi_turn": Conversations("multi_turn").row,
    "safety": Conversations("safety").row,
}
EVALUATION_OF: Final = {"math": "math_test", "code": "code_test", "chat": "facts_test"}
"""The evaluation set whose items are planted in a part."""
DOMAIN: Final = {"multi_turn": "chat", "math_test": "math", "code_test": "code", "facts_test": "knowledge"}
"""The domain of each part whose name is not its domain."""

FILE_RECORDS: Final = 65_536
BLOCK: Final = 100
EXACT, NEAR, CONTAMINATED = 37, 61, 83
BROKEN_EVERY: Final = 400
TARGETS: Final = (0.95, 0.9, 0.85, 0.8, 0.7)
BREAKS: Final = (
    ("truncated", "invalid_json"),
    ("not_utf8", "invalid_utf8"),
    ("null_content", "null_content"),
    ("unknown_role", "unknown_role"),
    ("no_answer", "no_answer"),
    ("not_an_object", "not_an_object"),
)
HOWS: Final = ("verbatim", "embedded", "edited")

Row = dict[str, Any]


def lines(part: str, rows: int, seed: int, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
    """The records of a part from number `start` to before `stop`, counted from 0, as lines of JSON.

    >>> list(lines("facts_test", 2, 0))[1]
    b'{"id":"facts_test-0-1","question":"What is the capital of Portugal?","answer":"Lisbon"}\\n'
    """
    is_test = part not in _ROWS
    for record in range(start, records(part, rows) if stop is None else min(stop, records(part, rows))):
        if is_test:
            yield orjson.dumps(evaluations.item(part, seed, record).record()) + b"\n"
        elif (record + 1) % (BROKEN_EVERY + 1) == 0:
            yield broken(part, seed, record // (BROKEN_EVERY + 1)) + b"\n"
        else:
            yield orjson.dumps(row(part, seed, record - record // (BROKEN_EVERY + 1))) + b"\n"


def records(part: str, rows: int) -> int:
    """How many records a part with this many rows has."""
    return rows + (rows // BROKEN_EVERY if part in _ROWS else 0)


def row(part: str, seed: int, number: int) -> Row:
    """One row of a part, by its number from 0: as it was drawn, or as it is planted."""
    position = number % BLOCK
    if position == EXACT:
        return plain(part, seed, exact_base(part, seed, number))
    if position == NEAR and (base := near_base(part, seed, number)) is not None:
        return _near(part, seed, number, base).row
    if position == CONTAMINATED and part in EVALUATION_OF:
        return contaminated(part, seed, number).row
    return plain(part, seed, number)


def plain(part: str, seed: int, number: int) -> Row:
    """A row as it is drawn, with nothing planted."""
    drawn = _ROWS[part](Draw(part, seed, number))
    return {
        "messages": drawn["messages"],
        **({"tools": drawn["tools"]} if "tools" in drawn else {}),
        "domain": DOMAIN.get(part, part),
        "language": drawn["language"],
        "template": drawn["template"],
    }


def exact_base(part: str, seed: int, number: int) -> int:
    """The row that an exact duplicate repeats: one of its own hundred, or of any hundred before."""
    draw = Draw("exact", part, seed, number)
    return draw.below(number // BLOCK + 1) * BLOCK + draw.below(EXACT)


def near_base(part: str, seed: int, number: int) -> int | None:
    """The row that a near-duplicate is made from, used for no other; None if all are in languages without spaces."""
    first = number - NEAR + EXACT + 1
    count = NEAR - EXACT - 1
    turn = Draw("near", part, seed, number).below(count)
    candidates = (first + (turn + step) % count for step in range(count))
    if part != "multilingual":
        return next(candidates)
    return next((base for base in candidates if plain(part, seed, base)["language"] not in UNSPACED), None)


def _near(part: str, seed: int, number: int, base: int) -> Near:
    target = TARGETS[number // BLOCK % len(TARGETS)]
    return near(plain(part, seed, base), target, Draw("edits", part, seed, number))


class Contaminated(NamedTuple):
    """A row that holds an evaluation item, and how."""

    row: Row
    evaluation: str
    item: str
    how: str


def contaminated(part: str, seed: int, number: int) -> Contaminated:
    """A row with the item of its evaluation set, of the same seed, whose number is that of its hundred."""
    evaluation = EVALUATION_OF[part]
    turn = number // BLOCK
    item = evaluations.item(evaluation, seed, turn)
    how = how_of(evaluation, turn)
    filling = Filling(Draw("contaminated", part, seed, number), {"question": item.question})
    asked = {"embedded": lambda: PHRASES.write("embedded", filling), "edited": lambda: _edited(item, turn)}
    question = asked[how]() if how in asked else item.question
    messages = [{"role": "user", "content": question}, {"role": "assistant", "content": item.reply}]
    drawn = {
        "messages": messages,
        "domain": DOMAIN.get(part, part),
        "language": "en",
        "template": f"{part}/{evaluation}",
    }
    return Contaminated(drawn, evaluation, item.id, how)


def how_of(evaluation: str, number: int) -> str:
    """How an item is planted: short ones verbatim, the others in three ways by turns."""
    if evaluations.is_short(evaluation, number):
        return "short"
    every = evaluations.SHORT_EVERY[evaluation]
    return HOWS[(number - number // every if every else number) % len(HOWS)]


def _edited(item: Item, turn: int) -> str:
    """The question with one to three words misspelt, far from each other."""
    words = list(EDITABLE.finditer(item.question))
    text = item.question
    count = 1 + turn % 3
    for index in range(count):
        start, end = words[(2 * index + 1) * len(words) // (2 * count)].span()
        text = text[:start] + misspelt(text[start:end]) + text[end:]
    return text


def broken(part: str, seed: int, number: int) -> bytes:
    """A record that can't become a row, by its number among the broken ones."""
    kind, _ = break_of(part, number)
    record = plain(part, seed, -1 - number)
    messages = record["messages"]
    if kind == "null_content":
        record["messages"] = [{**messages[0], "content": None}, *messages[1:]]
    elif kind == "unknown_role":
        record["messages"] = [{**messages[0], "role": "narrator"}, *messages[1:]]
    elif kind == "no_answer":
        record["messages"] = [message for message in messages if message["role"] == "user"]
    raw = orjson.dumps(messages if kind == "not_an_object" else record)
    if kind == "truncated":
        text = raw.decode()
        return text[: len(text) * 2 // 3].encode()
    if kind == "not_utf8":
        return raw.replace(b'"content":"', b'"content":"\xff', 1)
    return raw


def break_of(part: str, number: int) -> tuple[str, str]:
    """How a broken record is broken, and the code of the error that it causes."""
    return BREAKS[(number + list(_ROWS).index(part)) % len(BREAKS)]


def planted(part: str, rows: int, seed: int = 0) -> pl.DataFrame:
    """A table of all faults that are planted in a part.

        planted("math", 2_500, seed=7).filter(kind="near_duplicate")

    Columns: `kind` (exact_duplicate, near_duplicate, contaminated, broken); `file` and
    `record`, where it is: the number of the file from 0, and of the record in it from 1;
    `base_file` and `base_record`, the record that a duplicate was made from; `jaccard` of a
    near-duplicate and its base, and the `target` it was made for; `evaluation`, `item` and
    `how` (verbatim, embedded, edited, short) of a contaminated row; `how` and `code`, the
    error that is expected, of a broken record.
    """
    import polars as pl

    found = [] if part not in _ROWS else [*_planted_rows(part, rows, seed), *_planted_breaks(part, rows)]
    return pl.DataFrame(found, schema=_schema(), orient="row")


def _schema() -> dict[str, Any]:
    import polars as pl

    numbers, texts = pl.Int64, pl.String
    return {
        "kind": texts,
        "file": numbers,
        "record": numbers,
        "base_file": numbers,
        "base_record": numbers,
        "jaccard": pl.Float64,
        "target": pl.Float64,
        "evaluation": texts,
        "item": texts,
        "how": texts,
        "code": texts,
    }


def _planted_rows(part: str, rows: int, seed: int) -> Iterator[tuple[Any, ...]]:
    for start in range(0, rows, BLOCK):
        if (number := start + EXACT) < rows:
            base = _place(exact_base(part, seed, number))
            yield ("exact_duplicate", *_place(number), *base, 1.0, None, None, None, None, None)
        if (number := start + NEAR) < rows and (base_row := near_base(part, seed, number)) is not None:
            made = _near(part, seed, number, base_row)
            places = (*_place(number), *_place(base_row))
            yield ("near_duplicate", *places, made.jaccard, made.target, None, None, None, None)
        if (number := start + CONTAMINATED) < rows and part in EVALUATION_OF:
            evaluation = EVALUATION_OF[part]
            item, how = f"{evaluation}-{seed}-{number // BLOCK}", how_of(evaluation, number // BLOCK)
            yield ("contaminated", *_place(number), None, None, None, None, evaluation, item, how, None)


def _planted_breaks(part: str, rows: int) -> Iterator[tuple[Any, ...]]:
    for number in range(rows // BROKEN_EVERY):
        how, code_of_error = break_of(part, number)
        record = (number + 1) * (BROKEN_EVERY + 1) - 1
        place = (record // FILE_RECORDS, record % FILE_RECORDS + 1)
        yield ("broken", *place, None, None, None, None, None, None, how, code_of_error)


def _place(number: int) -> tuple[int, int]:
    """The file of a row, and its record in it from 1."""
    record = number + number // BROKEN_EVERY
    return record // FILE_RECORDS, record % FILE_RECORDS + 1
