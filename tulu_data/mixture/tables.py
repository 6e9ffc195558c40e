"""Open the tables of a mixture, and check their columns and values.

A mixture may come from a stranger, and its footers and values may be anything. Readers open
tables only here: each is a plain file inside of the mixture, has the right columns, has a
bounded size when it is expanded, and holds only values that a build writes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Final

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from tulu_data.errors import InputError, printable
from tulu_data.readers.parquet_batches import ExpandsError, refuse_bomb
from tulu_data.rows.kind import Kind


class DamagedError(InputError):
    """A file of a mixture is damaged; `what` names the file by its place in the mixture, and the damage."""

    what: str = ""

    @classmethod
    def of(cls, folder: Path, name: str, what: str) -> DamagedError:
        """The error of a file, with the place of the mixture and a remedy."""
        shown = printable(name, 120)
        error = cls(f"{folder / shown}: {what}; {remedy(folder)}")
        error.what = f"{shown}: {what}"
        return error


ID: Final = "^[0-9a-f]{32}$"
COPY: Final = "^[0-9a-f]{32}(-[0-9]{1,10})?$"
SHA256: Final = "^[0-9a-f]{64}$"
_MESSAGES: Final = "list<role text, content text>"
_RARE: Final = {("reasoning_content", "text"), ("weight", "number"), ("label", "text")}
"""Fields of messages that a table has only if a row or the kind needs them; they are null in other rows."""
_CUT: Final = "list<role text, content text, left_out whole>"
MOST: Final = 2**53
SHARES: Final = frozenset({"jaccard", "estimated", "share"})
"""Columns whose values are from 0 to 1."""


@dataclass(frozen=True)
class Columns:
    """The columns of a table, of the types `text`, `whole`, `number`, `yes` (or no), or a list of structs of these.

    Those of `nullable` may have null values. `forms` are regular expressions for texts. An `open`
    table may have other columns, of plain values, as well. Lines are sorted by
    the column `key`, in which each value is unique.
    """

    kinds: Mapping[str, str]
    nullable: frozenset[str] = frozenset()
    forms: Mapping[str, str] = field(default_factory=dict)
    open: bool = False
    key: str | None = None


def _counted(texts: str, counts: str, *, nullable: str = "", numbers: str = "") -> Columns:
    kinds = [*((name, "text") for name in texts.split()), *((name, "number") for name in numbers.split())]
    kinds += [(name, "whole") for name in counts.split()]
    return Columns(dict(kinds), frozenset(nullable.split()), {"id": ID}, open=True)


EVIDENCE: Final = Columns({"id": "text", "source": "text", "reason": "text"}, forms={"id": ID, "twin": ID}, open=True)
TABLES: Final[Mapping[str, Columns]] = {
    "ledger/*.parquet": Columns(
        {"id": "text", "source": "text", "fate": "text", "copies": "whole", "reason": "text"},
        forms={"id": ID},
        key="id",
    ),
    "places/*.parquet": Columns({"file": "text", "row": "whole", "id": "text"}, forms={"id": ID, "file": SHA256}),
    "quarantine.parquet": Columns(
        {"source": "text", "file": "text", "row": "whole", "offset": "whole", "code": "text", "detail": "text"},
        frozenset({"offset"}),
        {"file": SHA256},
    ),
    "evidence/*.parquet": EVIDENCE,
    "excerpts.parquet": Columns(
        {
            **dict.fromkeys(("id", "source", "fate", "reason"), "text"),
            "copies": "whole",
            "evidence": "list<name text, value text>",
            "messages": _CUT,
            "more_messages": "whole",
            **dict.fromkeys(("twin", "twin_source"), "text"),
            "twin_messages": _CUT,
        },
        frozenset({"messages", "twin", "twin_source", "twin_messages"}),
        {"id": ID, "twin": ID},
    ),
    "reports/blemishes.parquet": _counted("source blemish id", "rows of kept"),
    "reports/*.parquet": Columns({}, open=True),
}
"""The columns of tables by patterns of their names, of which the first that fits counts."""
REPORTS: Final[Mapping[str, Columns]] = {
    "evaluations": _counted("source evaluation", "items touched contaminated near full rows"),
    "clusters": Columns(
        {
            **dict.fromkeys(("cluster", "rows"), "whole"),
            **dict.fromkeys(("id", "source"), "text"),
            "is_twin": "yes",
            "jaccard": "number",
        },
        frozenset({"jaccard"}),
        {"id": ID},
        open=True,
    ),
    "overlap": _counted("source twin_source", "rows"),
    "strata": _counted("stratum unit", "offered target taken", numbers="share"),
    "near": _counted("id source evaluation item", "", numbers="value threshold"),
    "scores": _counted("option source", "rows", numbers="low high"),
    "thresholds": Columns(
        {"option": "text", "value": "number", "used": "yes", "source": "text", "rows": "whole"}, open=True
    ),
    "trainable": _counted("source domain language", "tokens trainable", nullable="domain language tokens trainable"),
}
"""The columns of reports by their kinds; reports of other kinds may have any columns."""
ROWS: Final = "data/*.parquet"


def of_rows(kind: Kind) -> Columns:
    """The columns that tables of rows of a kind must have."""
    required = {name: _kind(type) for name, type in kind.content.items() if name not in kind.optional}
    computed = {**dict.fromkeys(("domain", "language"), "text"), "tokens": "whole"}
    nullable = frozenset({*computed, *kind.optional})
    return Columns({"id": "text", **required, "source": "text", **computed}, nullable, {"id": COPY}, open=True)


def columns_of(name: str, kind: Kind) -> Columns | None:
    """The columns of a table of this name, relative to a mixture of a kind; None if no mixture has such a table.

    >>> from tulu_data.rows.sft import Sft
    >>> sft = Sft()
    >>> columns_of("ledger/ledger.parquet", sft).key, columns_of("more.parquet", sft)
    ('id', None)
    """
    if fnmatchcase(name, ROWS):
        return of_rows(kind)
    return next((columns for pattern, columns in TABLES.items() if fnmatchcase(name, pattern)), None)


def files_in(folder: Path, pattern: str, kind: Kind) -> list[Path]:
    """The tables of a mixture whose names fit a pattern of `TABLES`, in order, after a check of each.

    Raises `DamagedError` (exit 3) for one that is not a plain file, can't be read, expands without
    bound or has wrong columns.
    """
    found = sorted(folder.glob(pattern))
    for path in found:
        check_file(folder, path.relative_to(folder).as_posix(), kind)
    return found


def check_file(folder: Path, name: str, kind: Kind, columns: Columns | None = None) -> None:
    """Raise `DamagedError` (exit 3) if a table can't be read or has wrong columns; values are not read.

    By default, its name decides the `columns`.
    """
    path, columns = folder / name, columns or columns_of(name, kind)
    require_plain(folder, name)
    if columns is None:
        raise DamagedError.of(folder, name, "is not a table of a mixture")
    try:
        metadata = pq.read_metadata(path)
        schema = metadata.schema.to_arrow_schema()
    except (pa.ArrowException, OSError, ValueError) as error:
        raise DamagedError.of(folder, name, f"can't be read: {_first_line(error)}") from None
    groups = [metadata.row_group(index) for index in range(metadata.num_row_groups)]
    if any(group.num_rows < 0 for group in groups) or sum(group.num_rows for group in groups) != metadata.num_rows:
        raise DamagedError.of(folder, name, "its row groups do not have the rows that it says")
    try:
        refuse_bomb(path, metadata)
    except ExpandsError as error:
        raise DamagedError.of(folder, name, str(error)) from None
    except (pa.ArrowException, OSError) as error:
        raise DamagedError.of(folder, name, f"can't be read: {_first_line(error)}") from None
    if wrong := wrong_columns(schema, columns):
        raise DamagedError.of(folder, name, wrong)


def require_plain(folder: Path, name: str) -> None:
    """Raise `DamagedError` (exit 3) for a name in a mixture that is missing, a link, or not a plain file."""
    path = folder / name
    parts = [path, *path.parents][: len(Path(name).parts)]
    link = next((part for part in parts if part.is_symlink()), None)
    if link is not None:
        raise DamagedError.of(folder, link.relative_to(folder).as_posix(), "is a link; a mixture holds plain files")
    if not path.is_file():
        raise DamagedError.of(folder, name, "is not a plain file" if path.exists() else "is missing")


def names_of(path: Path) -> list[str]:
    """The names of the columns of a table that was checked."""
    names: list[str] = pq.read_schema(path).names
    return names


def wrong_columns(schema: pa.Schema, columns: Columns) -> str:
    """What is wrong with the columns of a table; empty if nothing is."""
    if len(set(schema.names)) != len(schema.names):
        return "has two columns of one name"
    for name, kind in columns.kinds.items():
        if name not in schema.names:
            return f"has no column '{name}'; it has {_shown(schema.names)}"
        if (found := _kind(schema.field(name).type)) != kind:
            return f"its column '{name}' is {found}, not {kind}"
    others = [name for name in schema.names if name not in columns.kinds]
    if others and not columns.open:
        return f"has a column '{printable(others[0], 60)}', which no build writes"
    for name in others:
        kind = _kind(schema.field(name).type)
        wanted = {"twin": "text", **dict.fromkeys(SHARES, "number"), **dict.fromkeys(_SPAN, "whole")}.get(name, kind)
        if kind != wanted:
            return f"its column '{name}' is {kind}, not {wanted}"
    if "message" in others and not {*others} >= _SPAN:
        return f"has 'message', and not {_shown(sorted(_SPAN - {*others}))}"
    return ""


_SPAN: Final = frozenset({"message", "start", "end", "item_text", "item_start", "item_end"})
"""Columns that together give the span of characters that a row was removed for."""


def _kind(type: pa.DataType) -> str:
    if pa.types.is_string(type) or pa.types.is_large_string(type):
        return "text"
    if pa.types.is_integer(type):
        return "whole"
    if pa.types.is_floating(type):
        return "number"
    if pa.types.is_boolean(type):
        return "yes"
    if (pa.types.is_list(type) or pa.types.is_large_list(type)) and pa.types.is_struct(type.value_type):
        struct = type.value_type
        named = [(part.name, _kind(part.type)) for part in struct]
        return f"list<{', '.join(f'{name} {kind}' for name, kind in named if (name, kind) not in _RARE)}>"
    return printable(str(type), 60)


def wrong_value(frame: pl.DataFrame | pl.LazyFrame, columns: Columns) -> str:
    """A value in a frame with these columns that no build writes, as text; empty if there is none.

    >>> from tulu_data.rows.sft import Sft
    >>> wrong_value(pl.DataFrame({"id": ["x"]}), columns_of("evidence/a.parquet", Sft()))
    "a value of 'id' has another form"
    """
    schema = frame.collect_schema()
    tests = {what: test.any() for name, kind in schema.items() for what, test in _tests(name, kind, columns)}
    if columns.key is not None and columns.key in schema:
        key = pl.col(columns.key)
        tests[f"'{columns.key}' is not sorted, or has a value twice"] = (key <= key.shift()).any()
    if not tests:
        return ""
    named = [test.alias(str(place)) for place, test in enumerate(tests.values())]
    found = frame.lazy().select(named).collect().row(0)
    return next((what for what, is_wrong in zip(tests, found, strict=True) if is_wrong), "")


def _tests(name: str, kind: pl.DataType, columns: Columns) -> Iterable[tuple[str, pl.Expr]]:
    column = pl.col(name)
    is_known = name in columns.kinds
    if (is_known and name not in columns.nullable) or (name == "twin" and columns is EVIDENCE):
        yield f"a value of '{name}' is missing", column.is_null()
    if name in columns.forms:
        yield f"a value of '{name}' has another form", ~column.str.contains(columns.forms[name])
    if kind.is_float():
        if is_known:
            yield f"a value of '{name}' is not a number", ~column.is_finite()
        if name in SHARES:
            yield f"a value of '{name}' is not from 0 to 1", ~column.is_between(0, 1)
    if kind.is_integer() and is_known:
        yield f"a value of '{name}' is negative", column < 0
        yield f"a value of '{name}' is larger than any count", column > MOST
    if isinstance(kind, pl.List) and isinstance(kind.inner, pl.Struct) and is_known:
        part = pl.element()
        # A message that only calls a tool may be empty.
        free = {rare for rare, _ in _RARE} | ({"content"} if columns.kinds[name] == _MESSAGES else set())
        required = [own.name for own in kind.inner.fields if own.name not in free]
        gaps = [part.struct.field(own).is_null() for own in required]
        yield f"an entry of '{name}' is missing", column.list.eval(pl.any_horizontal(part.is_null(), *gaps)).list.any()


def check_values(
    folder: Path, name: str, frame: pl.DataFrame | pl.LazyFrame, kind: Kind, columns: Columns | None = None
) -> None:
    """Raise `DamagedError` (exit 3) if a frame of a table holds a value that no build writes."""
    columns = columns or columns_of(name, kind)
    if columns is not None and (wrong := wrong_value(frame, columns)):
        raise DamagedError.of(folder, name, wrong)


@contextmanager
def reading(place: Path | str) -> Iterator[None]:
    """Raise `InputError` (exit 3) if a table of the mixture at `place` has a page that can't be read."""
    try:
        yield
    except (pa.ArrowException, OSError, UnicodeError, pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        if isinstance(error, MemoryError) or getattr(error, "errno", None) is not None:
            raise
        raise InputError(f"{place}: can't be read: {_first_line(error)}; {remedy(place)}") from None


def remedy(folder: Path | str) -> str:
    """The remedy for a damaged mixture."""
    return f"see what else is wrong with: tulu-data verify {folder}, then fetch or build it again"


def _first_line(error: BaseException) -> str:
    return printable(str(error).splitlines()[0] if str(error) else type(error).__name__, 160)


def _shown(names: Iterable[Any]) -> str:
    listed = [printable(str(name), 40) for name in names]
    return ", ".join(listed[:12]) + (", …" if len(listed) > 12 else "") if listed else "none"
