"""The contract that every stage keeps, as a test of your own stage.

from tulu_data.testing import check_stage

def test_my_stage():
    check_stage(NoRefusals(min_characters=20))
"""

from __future__ import annotations

import inspect
import pickle
import re
import tempfile
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
import polars as pl
import pyarrow as pa
from polars.testing import assert_frame_equal
from ruamel.yaml import YAML

from tulu_data import verdicts
from tulu_data.claims import Claim
from tulu_data.rows.messages import RARE_FIELDS
from tulu_data.rows.rows import Rows
from tulu_data.rows.sft import Conversation
from tulu_data.stage import COLUMNS, Comparer, Filter, Mapper, Resolver, Stage, prepared, reported
from tulu_data.store.code_id import code_id
from tulu_data.store.durable import sha256_file
from tulu_data.store.workspace import Workspace

_TOOL_CALLS: Final = '[null,{"tool_calls":[{"function":{"arguments":"{}","name":"now"},"id":"1","type":"function"}]}]'

SAMPLE: Final = (
    Conversation([("user", "What is 12 × 12?"), ("assistant", "144")]),
    Conversation([("user", "What is  12 × 12? "), ("assistant", "144")]),
    Conversation([("user", "What is 12 × 12?"), ("assistant", "It is 144.")]),
    Conversation([("system", "Be brief."), ("user", "Hi"), ("assistant", "Hello"), ("user", "Bye"), ("assistant", "")]),
    Conversation([("user", "caf\u00e9"), ("assistant", "☕")]),
    Conversation([("user", "cafe\u0301"), ("assistant", "☕")]),
    Conversation([("user", ""), ("assistant", "")]),
    Conversation([("assistant", "I speak first.")]),
    Conversation([("user", "识别两个科学理论"), ("assistant", "细胞理论\n日心说")]),
    Conversation([("user", "\u0000\u202e😀" * 40), ("assistant", "x" * 5000)]),
    Conversation([("user", "What time is it?"), ("assistant", "")], _TOOL_CALLS, '[{"name":"now"}]'),
    Conversation([("user", "What is 12 × 12?"), ("assistant", "144")]),
    Conversation(
        [("user", "What is 12 × 12?"), ("assistant", "144")], reasoning=[None, "12 dozens."], weights=[None, 0]
    ),
)
"""Rows that every stage must handle: equal, near, empty, many turns, tools, reasoning, letters of many scripts."""


def check_stage(stage: Stage, rows: Rows | None = None) -> None:
    """Check that a stage keeps its contract, on `rows` of any kind or on `SAMPLE`.

    Raises `AssertionError`, which names the broken part of the contract.
    """
    rows = rows or Rows.of(SAMPLE)
    _check_form(stage)
    with tempfile.TemporaryDirectory() as folder:
        _check_prepared(prepared(stage, Workspace(Path(folder)), sha256_file), rows)


def _check_prepared(stage: Stage, rows: Rows) -> None:
    if isinstance(stage, Mapper):
        _check_mapper(stage, rows)
    elif isinstance(stage, Filter | Resolver):
        measures = _needed(stage, _check_measures(stage, rows))
        if isinstance(stage, Filter):
            _check_filter(stage, measures)
        else:
            _check_resolver(stage, measures, rows)


def _check_form(stage: Stage) -> None:
    kind = type(stage)
    examples = list(_examples(stage))
    assert examples, f"the docstring of {kind.__name__} shows no line `- {stage.name()}: …` indented by four spaces"
    for example in examples:
        kind.model_validate(example or {})
    copy = pickle.loads(pickle.dumps(stage))  # noqa: S301 (our own)
    assert copy == stage, "the stage does not survive pickling"
    assert kind.model_validate_json(stage.model_dump_json()) == stage, "the stage does not survive its own JSON"
    try:
        kind.model_validate({"no_such_option": 1})
    except ValueError:
        pass
    else:
        raise AssertionError("the stage takes options that it does not have")
    assert len(code_id((kind.__module__,), kind.requires)) == 64
    for name, field in kind.model_fields.items():
        assert field.description, f"the option {name} has no description"


def _examples(stage: Stage) -> Iterator[Any]:
    # A list item, with the lines below it that are indented further.
    code = re.findall(r"^( *)(- .*\n(?:\1 +\S.*\n)*)", inspect.cleandoc(type(stage).__doc__ or "") + "\n", re.MULTILINE)
    for item in YAML(typ="safe", pure=True).load(textwrap.dedent("".join(map("".join, code)))) or []:
        if isinstance(item, dict) and stage.name() in item:
            yield item[stage.name()]
        elif item == stage.name():
            yield {}


def _slices(rows: Rows) -> tuple[Rows, Rows, Rows]:
    third = len(rows) // 3
    return rows.slice(0, third), rows.slice(third, 0), rows.slice(third)


def _check_mapper(stage: Mapper, rows: Rows) -> None:
    mapped = stage.map(rows)
    assert len(mapped) == len(rows), "a mapper must give as many rows as it gets"
    columns = rows.message_columns()
    for name in (name for name in rows.kind.content if name not in columns):
        assert mapped.column(name).equals(rows.column(name)), f"the mapper loses {name}; see Rows.with_contents"
    for name, column in columns.items():
        for field in RARE_FIELDS:
            fields = [one.flat.field(field).is_valid() for one in (mapped.message_columns()[name], column)]
            assert fields[0].equals(fields[1]), f"the mapper loses {field} of {name}; see Rows.with_contents"
    parts = pa.Table.from_batches([stage.map(part).batch for part in _slices(rows)])
    assert parts.equals(pa.Table.from_batches([mapped.batch])), "mapping parts differs from mapping the whole"
    assert stage.map(mapped).batch.equals(mapped.batch), "mapping twice differs from mapping once"


def _check_measures(stage: Filter | Resolver, rows: Rows) -> pl.DataFrame:
    numbers = pl.Series("row", np.arange(len(rows)), dtype=pl.UInt32)
    if not stage.is_measured:
        return numbers.to_frame()
    measuring = stage.measuring()
    read = rows.select(stage.columns_of(rows.kind))
    whole = measuring.measure(read)
    assert len(whole) == len(rows), "measure must give one line a row"
    parts = pl.concat([measuring.measure(part) for part in _slices(read)])
    assert_frame_equal(parts, whole, check_exact=True)
    return whole.insert_column(0, numbers)


def _needed(stage: Filter | Resolver, measures: pl.DataFrame) -> pl.DataFrame:
    """The measures, with some value in each column that the stage needs."""
    values = {"domain": ("math", "chat"), "language": ("en", "und", "zh"), "tokens": (7, 4096, 12)}
    needed = [
        pl.Series(name, [values[name][row % len(values[name])] for row in range(len(measures))], dtype=COLUMNS[name])
        if name in COLUMNS
        else pl.Series(name, [None if row % 5 == 0 else row % 3 / 2 for row in range(len(measures))], dtype=pl.Float64)
        for name in stage.needs()
    ]
    return measures.with_columns(needed)


def _check_annotations(stage: Filter, measures: pl.DataFrame) -> None:
    domains = pl.Series("domain", [None] * len(measures), dtype=pl.String)
    named = measures if "domain" in measures.columns else measures.with_columns(domains)
    columns = stage.annotate(named)
    assert columns.schema == {name: COLUMNS[name] for name in stage.writes}, "annotate gives what it writes"
    assert len(columns) == len(measures), "annotate must give one line a row"


def _checked(stage: Filter | Resolver, given: pl.DataFrame, found: pl.DataFrame) -> pl.DataFrame:
    return verdicts.check(found, stage.evidence, given["row"], stage.name()).sort("row")


def _check_filter(stage: Filter, measures: pl.DataFrame) -> None:
    if stage.writes:
        _check_annotations(stage, measures)
    whole = _checked(stage, measures, stage.judge(measures))
    assert not (whole["copies"] > 1).any(), "a filter drops rows; it never repeats them"
    alone = [_checked(stage, row, stage.judge(row)) for row in measures.iter_slices(1)]
    assert_frame_equal(pl.concat(alone), whole, check_exact=True)
    assert stage.judge(measures.clear()).is_empty(), "no rows, and yet a verdict"
    tallies = {name: tally.with_columns(source=pl.lit("a")) for name, tally in stage.tally(measures).items()}
    _check_declared(stage, stage.report(tallies))


def resolve(stage: Resolver, measures: pl.DataFrame, rows: Rows) -> pl.DataFrame:
    """A resolver's verdicts on rows that are still in the mixture; a `Comparer` reads its candidates from `rows`."""
    if not isinstance(stage, Comparer):
        return stage.resolve(measures)
    listed = stage.candidates(measures)
    chosen = listed.filter(pl.col("room") > 0).sort("row")
    read = rows.select(stage.columns_of(rows.kind)).take(chosen["row"].to_numpy())
    starts = np.concatenate([[0], np.cumsum(chosen["room"].to_numpy())]).astype(np.int64)
    return stage.compare(listed, stage.measuring().read(read, starts))


def _check_resolver(stage: Resolver, measures: pl.DataFrame, rows: Rows) -> None:
    numbers = measures["row"].to_numpy()
    order = pl.Series("order", np.argsort((numbers * 7 + 3) % (len(numbers) + 1)), dtype=pl.UInt32)
    sources = pl.Series("source", ["ab"[number % 2] for number in numbers], dtype=pl.String)
    domains = pl.Series("domain", ["math" if number % 3 else "chat" for number in numbers], dtype=pl.String)
    alive = measures.with_columns(sources, domains, order)
    whole = _checked(stage, alive, resolve(stage, alive, rows))
    for other in (alive.reverse(), alive.sample(fraction=1, shuffle=True, seed=1)):
        assert_frame_equal(_checked(stage, other, resolve(stage, other, rows)), whole, check_exact=True)
    dropped = whole.filter(pl.col("copies") == 0)["row"]
    left = alive.filter(~pl.col("row").is_in(dropped.implode()))
    if verdicts.TWIN in whole.columns:
        assert whole[verdicts.TWIN].is_in(left["row"].implode()).all(), "a twin is removed itself"
    again = _checked(stage, left, resolve(stage, left, rows))
    assert again.filter(pl.col("copies") == 0).is_empty(), "a second run drops more rows"
    assert resolve(stage, alive.clear(), rows).is_empty(), "no rows, and yet a verdict"
    _check_declared(stage, stage.report(alive, whole))


def _check_declared(stage: Filter | Resolver, report: Any) -> None:
    """Reports and claims have the right types, and `untold` names only columns of the evidence."""
    reported(stage, report)
    assert all(isinstance(claim, Claim) for claim in stage.claims(stage.facts())), "claims gives a tuple of claims"
    unknown = sorted(stage.untold - stage.evidence.keys())
    assert not unknown, f"untold names {unknown[0]}, which is not evidence of the stage"
