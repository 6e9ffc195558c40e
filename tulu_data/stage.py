"""A stage is a frozen model that measures rows and gives verdicts on them.

Each stage has a file of its own name, and its fields are its keys in a recipe. Fields marked
`Decides[…]` are read when it judges or resolves, never when it measures, so that they can
be changed without another scan.
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
"""The columns of a row that stages compute, with their types; `domain` is the source's if the source has one."""

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
"""Names of sources, or patterns such as `flan_*`; each must match a source of the recipe."""

ModelFile = Path
"""A file, or a folder of files, that a stage reads: a model, a word list.

Its sha256 is part of the key of the stage's measures and of the manifest; its name and time are
not. This is so for every `Path` in a stage's options, also within lists and mappings.
"""

MEASURE = r"tokens|[a-z0-9_]+(-\d+)?\.[a-z0-9_]+"
"""A pattern for the name of a number that each row has: `tokens`, or `stage.measure` of an earlier stage."""

Share = Annotated[Decimal, Field(ge=0, le=1)]


TEXTS: Final = "all texts"
CONTENT: Final = "all content"
"""The columns that a stage may read of rows of any kind: messages and their calls, or all content."""

Spans = tuple[tuple[int, int], ...]


class Marks(NamedTuple):
    """The runs of words that a row and its match share, for each text: first character, and end."""

    messages: tuple[Spans, ...]
    matched: tuple[Spans, ...]


class Stage(Options):
    """The parts that all stages have in common; subclass `Mapper`, `Filter` or `Resolver` instead."""

    phase: ClassVar[Phase]
    reference: ClassVar[str] = ""
    """How a recipe names a stage from outside: `./file.py:Class` or `package.module:Class`."""
    reads: ClassVar[tuple[str, ...]] = (TEXTS,)
    """The names of the columns that it is given, or `TEXTS` or `CONTENT`; it can't see others."""
    evidence: ClassVar[Evidence] = {}
    """The columns of its evidence and their polars types; `twin` is the number of a row and is written as its id."""
    untold: ClassVar[frozenset[str]] = frozenset()
    """Columns of its evidence for programs, not shown to people, such as where a run of words begins."""
    writes: ClassVar[tuple[str, ...]] = ()
    """The columns of `COLUMNS` that a filter writes."""
    is_private: ClassVar[bool] = False
    """Whether a build that it stops shows only ids and evidence of rows, not the beginning of their text."""
    requires: ClassVar[tuple[str, ...]] = ()
    """The installed packages whose versions can change what it measures."""
    withholds: ClassVar[bool] = False
    """Whether the texts of rows that it removes are left out when the mixture is published."""

    sources: Decides[SourceNames] = Field((), description="Only rows of these sources; all if empty")
    max_removed: Decides[Share | dict[str, Share]] = Field(
        Decimal("0.5"),
        description="Stop the build when it removes more than this part of a source's rows; "
        "a number, or a mapping of sources to numbers",
    )

    _file_digests: dict[str, str] = PrivateAttr({})

    @property
    def file_digests(self) -> dict[str, str]:
        """The sha256 of each file that its options name, by option, such as `models.0`; empty before `prepared`."""
        return self._file_digests

    def prepare(self, workspace: Workspace, digest: Callable[[Path], str]) -> Self:
        """The stage with everything that it needs besides rows, such as an index; built in the workspace if missing.

        `digest` gives a file's sha256. A stage that needs nothing returns itself.
        """
        return self

    @property
    def artifacts(self) -> dict[str, str]:
        """The digest of each thing that it was prepared with, by name: part of the key of its measures."""
        return {}

    def facts(self) -> dict[str, Any]:
        """Facts for the manifest about what it was prepared with."""
        return {}

    def claims(self, facts: Mapping[str, Any]) -> tuple[Claim, ...]:
        """Its promises about the rows that are kept; `facts` are the manifest's facts and counts of the stage."""
        return ()

    def matched(self, evidence: Mapping[str, Any], facts: Mapping[str, Any], cache: Path) -> tuple[str, ...] | None:
        """The texts from outside that a row was removed for, to be shown beside it; None if they are missing.

        `evidence` is the stage's evidence on the row, `facts` its facts in the manifest.
        """
        return None

    def marks(self, turns: Sequence[Turn], matched: Sequence[str]) -> Marks | None:
        """The words to mark in a row's messages and in the texts that it was matched with."""
        return None

    @classmethod
    def columns_of(cls, kind: Kind) -> tuple[str, ...]:
        """The columns that it is given of rows of a kind."""
        groups = {TEXTS: kind.compared, CONTENT: tuple(kind.content)}
        return tuple(column for name in cls.reads for column in groups.get(name, (name,)))

    def needs(self) -> tuple[str, ...]:
        """The inputs of `judge` or `resolve` from other stages: columns of `COLUMNS`, and measures of earlier stages.

        A column is written by a stage before it, which is added if the recipe has none; a
        measure is named `stage.measure`.
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
        """The name in a recipe of any stage: its own, or the reference of a stage from outside."""
        return cls.reference or cls.name()

    @classmethod
    def deciding(cls) -> frozenset[str]:
        """The names of the fields marked `Decides`."""
        return frozenset(name for name, field in cls.model_fields.items() if DECIDES in field.metadata)

    def measuring(self) -> Self:
        """A copy without the `Decides` fields, which is the one that measures."""
        copy = self.model_copy()
        for name in self.deciding():
            del copy.__dict__[name]
        return copy

    def measuring_options(self) -> dict[str, Any]:
        """The options that its measures depend on, with the sha256 of each file in place of its path."""
        options = self.model_dump(mode="json", exclude=set(self.deciding()))
        return {name: _by_digest(value, name, self._file_digests) for name, value in options.items()}

    @classmethod
    def measured_in(cls) -> tuple[str, ...]:
        """The modules that decide its measures: those that define its methods which read rows.

        An edit elsewhere, in code that only judges, reports or prepares, rescans nothing. The
        own file of a stage from outside always counts.

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
    """Rewrites the text of rows before anything else sees them.

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
        """One line for each row, in order; a line may depend on nothing but its row and the options."""

    @abstractmethod
    def judge(self, measures: pl.DataFrame) -> pl.DataFrame:
        """Verdicts on rows: `measures` has a column `row`, those of `measure`, and those of `needs`."""

    def annotate(self, measures: pl.DataFrame) -> pl.DataFrame:
        """The columns that it writes, one line for each row; `measures` also has `domain`, the source's own."""
        return measures.select(self.writes)

    def tally(self, measures: pl.DataFrame) -> dict[str, pl.DataFrame]:
        """Small tables by name, counted over some rows of one source, from which `report` makes its reports."""
        return {}

    def scores(self, measures: pl.DataFrame) -> dict[str, pl.Series]:
        """The numbers that its thresholds are compared with, by the threshold's name: one for each row, or null.

        By default `max_tokens` is compared with the column `tokens`, and `min_score` with `score`.
        """
        named = {name: name.removeprefix("min_").removeprefix("max_") for name in self.deciding()}
        return {
            name: measures[column]
            for name, column in sorted(named.items())
            if column != name and column in measures.columns and measures.schema[column].is_numeric()
        }

    def report(self, tallies: Mapping[str, pl.DataFrame]) -> dict[str, Report]:
        """The mixture's reports by their names, from the tallies of all rows; these have a column `source`."""
        return {}

    def check_report(self, report: Mapping[str, Report]) -> None:
        """Raise `FindingsError` (exit 4) if its report shows something that the recipe does not allow."""


class Annotator(Filter):
    """Writes columns of rows, and removes no row."""

    def judge(self, measures: pl.DataFrame) -> pl.DataFrame:
        return none(self.evidence)


class Resolver(Stage):
    """Judges rows by comparing them with each other, after all of them were measured.

        class OneOfEachSource(Resolver):
            def resolve(self, measures: pl.DataFrame) -> pl.DataFrame:
                is_first = pl.col("order") == pl.col("order").min().over("source")
                return drop(measures, ~is_first, reason="not the first of its source")

    A row without a verdict is kept.
    """

    phase: ClassVar[Phase] = "deduplicate"
    bytes_per_row: ClassVar[int] = 200
    """The peak memory of `resolve` for each row that is still in the mixture."""

    def memory_per_row(self) -> int:
        """`bytes_per_row` for these options."""
        return self.bytes_per_row

    def measure(self, rows: Rows) -> pl.DataFrame:
        """One line for each row, in order; a line may depend on nothing but its row and the options.

        A resolver that needs only the columns that `resolve` always gets has no measures.
        """
        raise InvariantError(f"stage {self.name()}: does without measures, and was asked for them")

    @abstractmethod
    def resolve(self, measures: pl.DataFrame) -> pl.DataFrame:
        """Verdicts on the rows that are still in the mixture.

        `measures` has the columns of `measure` and of `needs`, and also `row`, `source` and
        `domain` (String) and `order` (UInt32): the rank of the row's keyed hash, which has no
        ties and depends on nothing but ids and the recipe's seed. Break ties by it, never by
        position.
        """

    def report(self, measures: pl.DataFrame, verdicts: pl.DataFrame) -> dict[str, Report]:
        """The mixture's reports by their names, from the input and verdicts of `resolve`; `row` is written as an id."""
        return {}

    def scores(self, verdicts: pl.DataFrame) -> dict[str, pl.Series]:
        """The numbers that its thresholds were compared with, by the threshold's name: one for each verdict."""
        return {}

    def counts(self, measures: pl.DataFrame, verdicts: pl.DataFrame) -> dict[str, int]:
        """Counts for the manifest."""
        return {}


class Comparer(Resolver):
    """Judges rows by comparing their texts: measures choose a few candidates, whose texts are read again."""

    @abstractmethod
    def candidates(self, measures: pl.DataFrame) -> pl.DataFrame:
        """The rows that may be removed or be twins, with the columns that `compare` needs.

        `measures` are those of `resolve`. The result has `row`, and `room` (UInt32): how many
        numbers `read` gives for the row; 0 if its text is not needed.
        """

    @abstractmethod
    def read(self, rows: Rows, starts: npt.NDArray[np.int64]) -> npt.NDArray[np.uint64]:
        """The numbers that candidates are compared by, those of row i from `starts[i]` to before `starts[i + 1]`."""

    @abstractmethod
    def compare(self, candidates: pl.DataFrame, numbers: npt.NDArray[np.uint64]) -> pl.DataFrame:
        """Verdicts on the candidates.

        `numbers` has the numbers of `read` in the order of `row`, for each row as many as its `room`.
        """

    def resolve(self, measures: pl.DataFrame) -> pl.DataFrame:
        raise InvariantError(f"stage {self.name()}: compares texts, and was asked to resolve rows by measures alone")


S = TypeVar("S", bound=Stage)


def prepared(stage: S, workspace: Workspace, digest: Callable[[Path], str]) -> S:
    """A stage with everything that it needs besides rows, and the digests of the files that its options name.

    `digest` gives a file's sha256. Raises `InputError` (exit 3) for a missing file.
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
    """The sha256 of a file, or for a folder of the names and digests of its files."""
    if path.is_file():
        return digest(path)
    files = sorted(file for file in path.rglob("*") if file.is_file())
    if not files:
        found = "there is no file in it" if path.is_dir() else "there is no such file or folder"
        raise InputError(f"{place}: {path}: {found} (looked in {Path.cwd()}); give the file that the stage reads")
    return key_of(files={file.relative_to(path).as_posix(): digest(file) for file in files})


@contextmanager
def blamed(stage: Stage) -> Iterator[None]:
    """Name the stage and the line of its file if its code raises an error that is not one of this program's.

    An exception never removes a row: it stops the build with exit 1.
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
    """The value that a method of a stage returned, which must be of the type `kind`, called `what` in messages.

    Raises `InvariantError` (exit 1), naming the stage, its file and line, if it is not.
    """
    if isinstance(value, kind):
        return value
    found = "nothing" if value is None else f"a {type(value).__module__.partition('.')[0]}.{type(value).__name__}"
    hint = "; call collect() on it" if isinstance(value, pl.LazyFrame) else ""
    raise InvariantError(f"stage {place_of(stage, method)}: {method} returned {found}, not {what}{hint}")


def reported(stage: Stage, value: Any) -> dict[str, Report]:
    """The reports that `report` of a stage returned, by their names, which become names of files.

    Raises `InvariantError` (exit 1), naming the stage, its file and line, if it returned something else.
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
    """The name of a stage; for one from outside also the file and line of one of its methods."""
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
