"""What a stage is: a frozen model that measures rows and gives verdicts on them.

A stage lives in one file under its own name, and its fields are its keys in a recipe.
Fields marked `Decides[…]` are read when it judges or resolves, never when it measures, so
that they can be changed without another scan.
"""

from __future__ import annotations

import re
import sys
import traceback
from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Final, Literal, NamedTuple, Self, TypeVar

import numpy as np
import numpy.typing as npt
import polars as pl
from pydantic import BaseModel, Field, PrivateAttr

from tulu_data.claims import Claim
from tulu_data.errors import InputError, InvariantError, TuluDataError, printable
from tulu_data.options import Options, one_or_many
from tulu_data.reports import MEASURED, NAME, TABLE, Report
from tulu_data.rows.kind import Kind
from tulu_data.rows.rows import Rows, Turn
from tulu_data.store.keys import key_of
from tulu_data.store.patterns import expression, matches
from tulu_data.verdicts import Evidence, none

if TYPE_CHECKING:
    from tulu_data.store.workspace import Workspace

Phase = Literal["rewrite", "judge", "deduplicate", "mix"]
PHASES: tuple[Phase, ...] = ("rewrite", "judge", "deduplicate", "mix")

T = TypeVar("T")


class _Marker:
    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return self.name


COLUMNS: dict[str, type[pl.DataType]] = {"domain": pl.String, "language": pl.String, "tokens": pl.Int32}
"""The columns of a row that stages compute, with their types; `domain` is the source's where it says one."""

DECIDES = _Marker("Decides")
NAMES_SOURCES = _Marker("names sources")

Decides = Annotated[T, DECIDES]
"""A field that only `judge` and `resolve` may read, so that another value needs no scan.

    class ShortAnswers(Filter):
        min_words: Decides[int] = 3
"""

SourceNames = Annotated[
    tuple[str, ...],
    NAMES_SOURCES,
    one_or_many(str),
]
"""Names of sources, or patterns such as `flan_*`; the recipe is checked for them."""

ModelFile = Path
"""A file, or a folder of files, that a stage reads: a model, a word list.

Its sha256 is part of the key of what the stage measures and of the manifest; its name and
its time are not. So is that of every `Path` in a stage's options, within lists and mappings too.
"""

MEASURE = r"tokens|[a-z0-9_]+(-\d+)?\.[a-z0-9_]+"
"""A pattern for the name of a number of each row: `tokens`, or a measure of an earlier stage, `stage.measure`."""

Share = Annotated[Decimal, Field(ge=0, le=1)]


TEXTS: Final = "all texts"
CONTENT: Final = "all content"
"""What a stage may read of rows of any kind: the columns of messages and their calls, or all content."""

Spans = tuple[tuple[int, int], ...]


class Marks(NamedTuple):
    """The runs of words that a row shares with what it was matched with: by text, from and to which characters."""

    messages: tuple[Spans, ...]
    matched: tuple[Spans, ...]


class Stage(Options):
    """What every stage has. Subclass `Mapper`, `Filter` or `Resolver`."""

    phase: ClassVar[Phase]
    reference: ClassVar[str] = ""
    """How a recipe names it, where it is from outside: `./file.py:Class` or `package.module:Class`."""
    reads: ClassVar[tuple[str, ...]] = (TEXTS,)
    """The columns that it is handed, by their names, or `TEXTS` or `CONTENT`; others it can't see."""
    evidence: ClassVar[Evidence] = {}
    """The columns of its evidence and their polars types; `twin` holds a row and is written as its id."""
    untold: ClassVar[frozenset[str]] = frozenset()
    """Columns of its evidence that programs read and no person is shown, such as where a run of words begins."""
    writes: ClassVar[tuple[str, ...]] = ()
    """The columns of `COLUMNS` that a filter's measures give to rows."""
    is_private: ClassVar[bool] = False
    """Whether a build that it stops shows ids and evidence of rows, and not how their text begins."""
    requires: ClassVar[tuple[str, ...]] = ()
    """Distributions whose version decides what it measures."""
    withholds: ClassVar[bool] = False
    """Whether texts of rows that it removes are left out of what is published."""

    sources: Decides[SourceNames] = Field((), description="Only rows of these sources; all where empty")
    max_removed: Decides[Share | dict[str, Share]] = Field(
        Decimal("0.5"),
        description="Stop the build when it removes more than this part of a source's rows; "
        "a number, or a mapping of sources to numbers",
    )

    _file_digests: dict[str, str] = PrivateAttr({})

    @property
    def file_digests(self) -> dict[str, str]:
        """The sha256 of each file that its options name, by the option, such as `models.0`; none before `prepared`."""
        return self._file_digests

    def prepare(self, workspace: Workspace, digest: Callable[[Path], str]) -> Self:
        """The stage with what it needs beside rows at hand, made in the workspace where it is not there yet.

        `digest` gives a file's sha256. A stage that needs nothing is itself.
        """
        return self

    @property
    def artifacts(self) -> dict[str, str]:
        """The digest of each thing that it was prepared with, by its name: part of its measures' key."""
        return {}

    def facts(self) -> dict[str, Any]:
        """What a manifest is to say of what it was prepared with."""
        return {}

    def claims(self, facts: Mapping[str, Any]) -> tuple[Claim, ...]:
        """What it promises of the rows that are kept; `facts` is what the manifest says and counts of it."""
        return ()

    def matched(self, evidence: Mapping[str, Any], facts: Mapping[str, Any], cache: Path) -> tuple[str, ...] | None:
        """The texts from outside that a row was removed for, to be shown beside it; None where they are not here.

        `evidence` is what it filed on the row, `facts` what it said in the manifest.
        """
        return None

    def marks(self, turns: Sequence[Turn], matched: Sequence[str]) -> Marks | None:
        """Which words of a row's messages and of what it was matched with are to be marked."""
        return None

    @classmethod
    def columns_of(cls, kind: Kind) -> tuple[str, ...]:
        """The columns of a kind of row that it is handed."""
        groups = {TEXTS: kind.compared, CONTENT: tuple(kind.content)}
        return tuple(column for name in cls.reads for column in groups.get(name, (name,)))

    def needs(self) -> tuple[str, ...]:
        """What it judges or resolves by that others give: columns of `COLUMNS`, and measures of earlier stages.

        The former are written by a stage before it, which is put in where it is not there; the
        latter are named `stage.measure`.
        """
        return ()

    @classmethod
    def name(cls) -> str:
        """The name in a recipe: the class's in snake case.

        >>> class LengthFilter(Filter): ...
        >>> LengthFilter.name()
        'length_filter'
        """
        return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", cls.__name__).lower()

    @classmethod
    def called(cls) -> str:
        """What a recipe calls it: its name, or its reference where it is from outside."""
        return cls.reference or cls.name()

    @classmethod
    def deciding(cls) -> frozenset[str]:
        """The names of the fields marked `Decides`."""
        return frozenset(name for name, field in cls.model_fields.items() if DECIDES in field.metadata)

    def measuring(self) -> Self:
        """A copy that has no `Decides` field at all: the one that measures."""
        copy = self.model_copy()
        for name in self.deciding():
            del copy.__dict__[name]
        return copy

    def measuring_options(self) -> dict[str, Any]:
        """The options that its measures depend on; files by their sha256, wherever they are."""
        options = self.model_dump(mode="json", exclude=set(self.deciding()))
        return {name: _by_digest(value, name, self._file_digests) for name, value in options.items()}

    @classmethod
    def measured_in(cls) -> tuple[str, ...]:
        """The modules that decide its measures: those in which what reads rows is defined.

        An edit elsewhere in a stage's own file, or in what only judges, reports or prepares,
        rescans nothing. Of a stage from outside, its own file counts in any case.

        >>> class LengthFilter(Filter): ...
        >>> LengthFilter.measured_in()
        ()
        """
        reading = [getattr(cls, name) for name in ("map", "measure", "read") if hasattr(cls, name)]
        modules = {part.__module__ for part in (*reading, *([cls] if cls.reference else ()))}
        return tuple(sorted(modules - {__name__}))

    @property
    def is_measured(self) -> bool:
        """Whether it measures rows at all."""
        own = getattr(type(self), "measure", None)
        return own not in (None, Filter.measure, Resolver.measure)

    def applies_to(self, source: str) -> bool:
        """Whether it judges rows of this source."""
        return not self.sources or matches(source, self.sources)

    def limit_for(self, source: str) -> Decimal:
        """The part of a source's rows that it may remove."""
        if isinstance(self.max_removed, Decimal):
            return self.max_removed
        found = (share for name, share in self.max_removed.items() if matches(source, [name]))
        return next(found, type(self).model_fields["max_removed"].default)


class Mapper(Stage):
    """Rewrites rows before anything else sees them: same rows, other text.

        class Trimmed(Mapper):
            def map(self, rows: Rows) -> Rows:
                return rows.with_contents(pc.utf8_trim_whitespace(rows.contents()))

    What `map` removes from a text never reaches a disk: it runs before the store is written.
    """

    phase: ClassVar[Phase] = "rewrite"

    @abstractmethod
    def map(self, rows: Rows) -> Rows:
        """The rows, rewritten, in the same order and number."""


class Filter(Stage):
    """Judges each row by itself.

        class ShortAnswers(Filter):
            min_words: Decides[int] = 3

            def measure(self, rows: Rows) -> pl.DataFrame:
                answers = rows.texts("response").by_row()
                return pl.DataFrame({"words": [len(" ".join(texts).split()) for texts in answers]})

            def judge(self, measures: pl.DataFrame) -> pl.DataFrame:
                return drop(measures, pl.col("words") < self.min_words, reason="too short", evidence=["words"])

    A row without a verdict is kept. `measure` runs once for a row, `judge` for every threshold.
    """

    phase: ClassVar[Phase] = "judge"

    @abstractmethod
    def measure(self, rows: Rows) -> pl.DataFrame:
        """One line a row, in order. It may depend on nothing but the row and the options."""

    @abstractmethod
    def judge(self, measures: pl.DataFrame) -> pl.DataFrame:
        """Verdicts on rows: `measures` has a column `row`, what `measure` gave, and the columns that it needs."""

    def annotate(self, measures: pl.DataFrame) -> pl.DataFrame:
        """The columns that it writes, one line a row; `measures` is as for `judge`, with `domain`, the source's."""
        return measures.select(self.writes)

    def tally(self, measures: pl.DataFrame) -> dict[str, pl.DataFrame]:
        """What is to be summed up of some rows of one source, small, by name; beside its verdicts."""
        return {}

    def scores(self, measures: pl.DataFrame) -> dict[str, pl.Series]:
        """What its thresholds are held against, by the threshold's name: a number a row, null where it has none.

        Of itself `max_tokens` is held against the column `tokens`, and `min_score` against `score`.
        """
        named = {name: name.removeprefix("min_").removeprefix("max_") for name in self.deciding()}
        return {
            name: measures[column]
            for name, column in sorted(named.items())
            if column != name and column in measures.columns and measures.schema[column].is_numeric()
        }

    def report(self, tallies: Mapping[str, pl.DataFrame]) -> dict[str, Report]:
        """The mixture's reports by their names, of the tallies of all rows; these have a column `source`."""
        return {}

    def check_report(self, report: Mapping[str, Report]) -> None:
        """Raise `FindingsError` (exit 4) where its report shows what the recipe does not allow."""


class Annotator(Filter):
    """Writes columns of rows, and removes none."""

    def judge(self, measures: pl.DataFrame) -> pl.DataFrame:
        return none(self.evidence)


class Resolver(Stage):
    """Judges rows against each other, once, when all of them are measured.

        class OneOfEachSource(Resolver):
            def resolve(self, measures: pl.DataFrame) -> pl.DataFrame:
                is_first = pl.col("order") == pl.col("order").min().over("source")
                return drop(measures, ~is_first, reason="not the first of its source")

    A row without a verdict is kept.
    """

    phase: ClassVar[Phase] = "deduplicate"
    bytes_per_row: ClassVar[int] = 200
    """What `resolve` needs in memory for each row that is alive, at its peak."""

    def memory_per_row(self) -> int:
        """The same with these options, in bytes."""
        return self.bytes_per_row

    def measure(self, rows: Rows) -> pl.DataFrame:
        """One line a row, in order. It may depend on nothing but the row and the options.

        A resolver that needs no more than `resolve` gets anyway does without it.
        """
        raise InvariantError(f"stage {self.name()}: does without measures, and was asked for them")

    @abstractmethod
    def resolve(self, measures: pl.DataFrame) -> pl.DataFrame:
        """Verdicts on the rows alive.

        `measures` has, beside what `measure` gave and the columns that it needs, `row`,
        `source` and `domain` (String) and `order` (UInt32): the rank of the row's keyed
        hash, which has no ties and depends on nothing but ids and the recipe's seed. Break
        ties by it, never by position.
        """

    def report(self, measures: pl.DataFrame, verdicts: pl.DataFrame) -> dict[str, Report]:
        """The mixture's reports by their names, of what `resolve` was given and said; `row` is written as an id."""
        return {}

    def scores(self, verdicts: pl.DataFrame) -> dict[str, pl.Series]:
        """What its thresholds were held against, by the threshold's name: a number for each verdict."""
        return {}

    def counts(self, measures: pl.DataFrame, verdicts: pl.DataFrame) -> dict[str, int]:
        """What the manifest is to count of it."""
        return {}


class Comparer(Resolver):
    """Judges rows by comparing their texts: their measures say which few are candidates, and these are read again."""

    @abstractmethod
    def candidates(self, measures: pl.DataFrame) -> pl.DataFrame:
        """The rows that may fall or be twins, and what `compare` needs to know of them.

        `measures` is what a resolver gets. Columns `row`, and `room` (UInt32): how many
        numbers `read` gives of it; 0 where its text is not needed.
        """

    @abstractmethod
    def read(self, rows: Rows, starts: npt.NDArray[np.int64]) -> npt.NDArray[np.uint64]:
        """The numbers that candidates are compared by, those of row i from `starts[i]` to before `starts[i + 1]`."""

    @abstractmethod
    def compare(self, candidates: pl.DataFrame, numbers: npt.NDArray[np.uint64]) -> pl.DataFrame:
        """Verdicts on the candidates.

        `numbers` holds what `read` gave of them in the order of `row`, each in its `room`.
        """

    def resolve(self, measures: pl.DataFrame) -> pl.DataFrame:
        raise InvariantError(f"stage {self.name()}: compares texts, and was asked to resolve rows by measures alone")


S = TypeVar("S", bound=Stage)


def prepared(stage: S, workspace: Workspace, digest: Callable[[Path], str]) -> S:
    """A stage with what it needs beside rows at hand, and the digests of the files that its options name.

    `digest` gives a file's sha256. Raises `InputError` (exit 3) for a file that is not there.
    """
    named = {place: path for name in type(stage).model_fields for place, path in _paths(getattr(stage, name), name)}
    digests = {place: _digest_of(place, path, digest) for place, path in named.items()}
    ready = stage.prepare(workspace, digest)
    if digests:
        ready = ready.model_copy()
        ready._file_digests = digests  # noqa: SLF001 (its own copy)
    return ready


def _paths(value: Any, place: str) -> Iterator[tuple[str, Path]]:
    """The paths in the value of an option, each with its place: `models.en`."""
    if isinstance(value, Path):
        yield place, value
    elif isinstance(value, BaseModel):
        for name in type(value).model_fields:
            yield from _paths(getattr(value, name), f"{place}.{name}")
    elif isinstance(value, Mapping):
        for name, item in value.items():
            yield from _paths(item, f"{place}.{name}")
    elif isinstance(value, tuple | list):
        for index, item in enumerate(value):
            yield from _paths(item, f"{place}.{index}")


def _by_digest(value: Any, place: str, digests: Mapping[str, str]) -> Any:
    """The plain value of an option with the digests of files in the place of their paths."""
    if place in digests:
        return digests[place]
    if isinstance(value, Mapping):
        return {name: _by_digest(item, f"{place}.{name}", digests) for name, item in value.items()}
    if isinstance(value, list):
        return [_by_digest(item, f"{place}.{index}", digests) for index, item in enumerate(value)]
    return value


def _digest_of(place: str, path: Path, digest: Callable[[Path], str]) -> str:
    """The sha256 of a file; of a folder that of the names and digests of its files."""
    if path.is_file():
        return digest(path)
    files = sorted(file for file in path.rglob("*") if file.is_file())
    if not files:
        found = "there is no file in it" if path.is_dir() else "there is no such file or folder"
        raise InputError(f"{place}: {path}: {found} (looked in {Path.cwd()}); give the file that the stage reads")
    return key_of(files={file.relative_to(path).as_posix(): digest(file) for file in files})


@contextmanager
def blamed(stage: Stage) -> Iterator[None]:
    """Name the stage, and the line of its file, where its code raises what is no error of ours.

    An exception is never a removal: it stops the build with exit 1.
    """
    try:
        yield
    except TuluDataError:
        raise
    except Exception as error:
        file = sys.modules[type(stage).__module__].__file__
        frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename == file]
        place = f"{frames[-1].filename}:{frames[-1].lineno}" if frames else str(file)
        raise InvariantError(f"stage {stage.name()}: {place}: {type(error).__name__}: {error}") from error


def returned(stage: Stage, method: str, value: Any, kind: type[T], what: str) -> T:
    """What a method of a stage returned, which must be `what`, a `kind`.

    Raises `InvariantError` (exit 1), naming the stage, its file and line, where it is not.
    """
    if isinstance(value, kind):
        return value
    found = "nothing" if value is None else f"a {type(value).__module__.partition('.')[0]}.{type(value).__name__}"
    hint = "; call collect() on it" if isinstance(value, pl.LazyFrame) else ""
    raise InvariantError(f"stage {place_of(stage, method)}: {method} returned {found}, not {what}{hint}")


def reported(stage: Stage, value: Any) -> dict[str, Report]:
    """What `report` of a stage returned: reports by their names, which become names of files.

    Raises `InvariantError` (exit 1), naming the stage, its file and line, where it is not.
    """
    found = returned(stage, "report", value, dict, "a dict of names and reports")
    for name, report in found.items():
        wrong = ""
        if not isinstance(report, Report):
            wrong = f"is a {type(report).__name__}; write Report('table', frame, title='…')"
        elif not isinstance(name, str) or not re.fullmatch(NAME, name) or name in MEASURED:
            wrong = f"needs another name: a to z, 0 to 9 and _, and none of {', '.join(MEASURED)}"
        elif report.kind not in (TABLE, "data") and [own.kind for own in found.values()].count(report.kind) > 1:
            wrong = f"is not the only one of the kind {report.kind}"
        if wrong:
            raise InvariantError(f"stage {place_of(stage, 'report')}: its report '{printable(str(name), 60)}' {wrong}")
    return found


def place_of(stage: Stage, method: str) -> str:
    """A stage by its name, with the file and line of one of its methods where it is from outside."""
    code = getattr(getattr(type(stage), method, None), "__code__", None)
    if not stage.reference or code is None:
        return stage.name()
    return f"{stage.name()}: {code.co_filename}:{code.co_firstlineno}"


VERDICTS: Final = "a polars DataFrame of verdicts, as `tulu_data.verdicts.drop` makes one"


def preference(patterns: tuple[str, ...]) -> pl.Expr:
    """The rank of `source` in a list of preferred sources; unnamed sources come last."""
    rank = pl.lit(len(patterns), pl.UInt32)
    for position, pattern in reversed(list(enumerate(patterns))):
        is_named = pl.col("source").str.contains(f"^{expression(pattern)}$")
        rank = pl.when(is_named).then(pl.lit(position, pl.UInt32)).otherwise(rank)
    return rank
