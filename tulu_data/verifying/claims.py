"""Check what a mixture claims of its rows: that they contain no evaluation items and no duplicates.

The claims are read from the manifest, whichever stage makes them, and checked on the rows by
`plain_*`, which share nothing with the build. Evaluation files are found by the sha256 that the
manifest pins, never by the paths in it, which are untrusted. A detector that finds nothing proves
nothing, so each must first find items that are planted.
"""

from __future__ import annotations

import hashlib
import itertools
import random
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fnmatch import fnmatchcase
from functools import cache, cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any, Final, Literal, NamedTuple, Self

import polars as pl
import pyarrow.parquet as pq
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from tulu_data.claims import APART, CLEAN, DISTINCT, Claim
from tulu_data.errors import TuluDataError, printable
from tulu_data.evaluations.common_words import COMMON_WORDS
from tulu_data.evaluations.evaluation_set import EvaluationSet
from tulu_data.evaluations.item import Item
from tulu_data.evaluations.rules import Statistic
from tulu_data.hub.reading import COMMIT
from tulu_data.kernels.unicode import Normaliser
from tulu_data.mixture.declared import claims, stage_of
from tulu_data.mixture.mixture import options_of
from tulu_data.readers.parquet_batches import batches
from tulu_data.rows import kind as kinds
from tulu_data.rows.messages import MessageColumn
from tulu_data.rows.rows import Rows
from tulu_data.sources.huggingface import Huggingface
from tulu_data.sources.sample import Sample
from tulu_data.store.durable import sha256_file
from tulu_data.verifying.plain_calls import spoken, told
from tulu_data.verifying.plain_dedup import Near, near_pairs, shingles
from tulu_data.verifying.plain_rule import Rescan, Text

BATCH_ROWS: Final = 1_024
PLANTED: Final = 5
SAMPLED_ROWS: Final = 1_000
MOST_SAMPLED: Final = 100_000
# A pair that the stage misses by chance less than once in a million counts as an error.
SURE: Final = 1e-6
SHOWN: Final = 3


MOST_WORDS: Final = 100_000
Number = Annotated[Decimal, Field(ge=0, le=MOST_WORDS)]


def _known(on: str) -> str:
    if on not in (known := kinds.compared()):
        raise ValueError(f"there are {', '.join(known)}")
    return on


class Testimony(NamedTuple):
    """A check: what was checked, what is wrong, and what could not be checked (both empty if it holds)."""

    what: str
    wrong: str = ""
    unproven: str = ""


class Side(NamedTuple):
    """One column of messages of a row: for each whether it is compared, its role and its texts; and their calls."""

    column: str
    messages: list[tuple[bool, str, list[str]]]
    calls: str | None


class Row(NamedTuple):
    """One kept row: the id without the number of its copy, and its messages."""

    id: str
    source: str
    sides: list[Side]

    def texts(self) -> list[tuple[bool, str]]:
        """All its texts in order, including those of calls, each with whether it is compared."""
        return [
            text
            for side in self.sides
            for text in spoken(((is_compared, *texts) for is_compared, _, texts in side.messages), side.calls)
        ]


class _Options(BaseModel):
    """The options of a claim, from an untrusted manifest, so each has its bounds."""

    model_config = ConfigDict(frozen=True)

    sources: tuple[str, ...] = ()
    on: Annotated[str, AfterValidator(_known)] = "conversation"


class Distinct(_Options):
    """No two rows have the same text."""

    normalise: Literal["none", "whitespace"] = "none"

    @property
    def said(self) -> str:
        return "no two rows kept have the same text"


class Apart(_Options):
    """No two rows are near-duplicates; pairs that share no band of a signature were not compared."""

    ngram: int = Field(ge=1, le=64)
    threshold: float = Field(gt=0, le=1)
    scope: Literal["across", "within"] = "across"
    protect: tuple[str, ...] = ()
    bands: int | None = Field(None, ge=1)
    rows: int = Field(1, ge=1)

    @property
    def said(self) -> str:
        of = " of its source" if self.scope == "within" else ""
        return f"of a sample of rows kept, none is near another{of} (Jaccard similarity from {self.threshold} on)"

    def chance_to_miss(self, jaccard: float) -> float:
        """The probability that a pair was not compared."""
        return 0.0 if self.bands is None else float((1 - jaccard**self.rows) ** self.bands)


class Clean(_Options):
    """No row contains an evaluation item, by a rule of n-grams."""

    against: dict[str, Any]
    parts: tuple[str, ...] = ("question",)
    ignored: Any = None
    near: Literal["keep", "drop"] = "keep"
    n: int = Field(ge=1, le=64)
    normaliser: Normaliser
    min_words: int = Field(3, ge=1, le=MOST_WORDS)
    short_below: int = Field(0, ge=0, le=MOST_WORDS)
    max_item_df: int | None = Field(None, ge=1)
    noted_from: Number = Decimal(0)
    answer_words: int = Field(50, ge=1, le=MOST_WORDS)
    answered_from: Number | None = None
    beginning_from: Number | None = None
    statistic: Statistic
    above: Number | None = None
    at_least: Number | None = None
    thresholds: dict[str, Number] = {}
    full_below: int | None = Field(None, ge=1, le=MOST_WORDS)
    relaxed_from: int | None = Field(None, ge=1, le=MOST_WORDS)
    max_numbers_missing: Number | None = None
    short_items: Literal["whole", "answered", "ignore"] = "whole"
    alone_below: int = Field(8, ge=0)
    run_of_signs: Number | None = None

    @model_validator(mode="after")
    def _one_threshold(self) -> Self:
        if (self.above is None) == (self.at_least is None) or (self.full_below is None) != (self.relaxed_from is None):
            raise ValueError("one of above and at_least is needed; full_below and relaxed_from go together")
        return self

    @property
    def said(self) -> str:
        return "no row kept holds an evaluation item, by a second implementation, which finds planted items"


CHECKED: Final[Mapping[str, type[Distinct | Apart | Clean]]] = {DISTINCT: Distinct, APART: Apart, CLEAN: Clean}
"""The kinds of claims that are checked."""


@dataclass(frozen=True)
class Witness:
    """Checks the rows in `folder` for the claims of the stages in its manifest.

    `places` are folders in which evaluation files are looked for; `cache` is the folder for
    files of datasets of the Hub, which are downloaded if `fetch` is true.
    """

    folder: Path
    manifest: Mapping[str, Any]
    places: Sequence[Path] = ()
    cache: Path = Path(".tulu-data/sources")
    fetch: bool = False
    tick: Callable[[int], object] = lambda rows: None

    def testify(self) -> Iterator[Testimony]:
        """Check every claim of every stage."""
        for stage in self.manifest["stages"]:
            own = options_of(stage)
            if stage.get("claims") is None and stage_of(stage) is None:
                why = (
                    "is code of its own, which is not run" if "from" in stage else "is a stage that this program lacks"
                )
                yield Testimony(f"{stage['name']}: what it claims", unproven=f"it {why}")
                continue
            for claim in claims(stage):
                yield from self._claimed(stage, own, claim)

    def _claimed(self, stage: Mapping[str, Any], own: Mapping[str, Any], claim: Claim) -> Iterator[Testimony]:
        """Check one claim; options that it does not give are the stage's `own`."""
        name = stage["name"]
        kind = CHECKED.get(claim.kind)
        if kind is None:
            what = f"{name}: what it claims, of the kind '{printable(claim.kind, 60)}'"
            yield Testimony(what, unproven="this program does not know how to check it")
            return
        try:
            options = kind.model_validate({**own, **claim.options})
        except ValidationError as error:
            first = error.errors(include_url=False, include_context=False, include_input=False)[0]
            where = ".".join(map(str, first["loc"]))
            yield Testimony(f"{name}: its claim '{claim.kind}'", printable(f"{where}: {first['msg'].lower()}", 200))
            return
        what = f"{name}: {options.said}"
        if claim.but:
            yield Testimony(what, unproven=claim.but)
        elif isinstance(options, Distinct):
            yield Testimony(what, self._alike(options))
        elif isinstance(options, Apart):
            yield Testimony(what, *self._near(options))
        elif isinstance(options, Clean):
            rule = options.model_dump(mode="json")
            yield from self._decontamination(name, what, rule, stage.get("evaluations", {}))

    def rows(self, on: str, sources: Sequence[str]) -> Iterator[Row]:
        """The rows of the given sources, without further copies, as a stage compares them `on` some messages."""
        kind = kinds.find(self.manifest["kind"])
        for path in sorted((self.folder / "data").glob("*.parquet")):
            with pq.ParquetFile(path) as parquet:
                names = [name for name in ("id", "source", *kind.compared) if name in parquet.schema_arrow.names]
                for batch in batches(path, parquet, BATCH_ROWS, names):
                    ids, named = batch.column("id").to_pylist(), batch.column("source").to_pylist()
                    sides = zip(*_sides(Rows(batch, kind), on), strict=True)
                    for id, source, own in zip(ids, named, sides, strict=True):
                        if "-" not in id and (not sources or _is_named(source, sources)):
                            yield Row(id, source, [*own])
                    self.tick(batch.num_rows)

    def _decontamination(
        self, name: str, clean: str, options: Mapping[str, Any], accounts: Mapping[str, Mapping[str, Any]]
    ) -> Iterator[Testimony]:
        what = f"{name}: the evaluation sets are those that the manifest pins"
        if accounts.keys() != options["against"].keys():
            yield Testimony(what, wrong="the manifest does not account for each of them")
            return
        items: list[Text] = []
        absent: list[str] = []
        for evaluation, account in accounts.items():
            try:
                found = self._items(evaluation, options["against"][evaluation], account["files"])
            except TuluDataError as error:
                yield Testimony(what, wrong=f"{evaluation}: {error}")
                return
            if found is None:
                first, *others = (sha256[:12] for sha256 in account["files"])
                absent.append(f"{evaluation} (sha256 {first}{f' and {len(others)} more' if others else ''})")
                continue
            items += [_text(evaluation, item, options["parts"]) for item in found]
        if absent:
            shown = ", ".join(absent[:SHOWN]) + (f", … ({len(absent)} sets)" if len(absent) > SHOWN else "")
            where = f" in {', '.join(map(str, self.places))}" if self.places else ""
            hint = "the folder of their files" if where else "--evaluations DIR"
            missing = f"no file{where} has the sha256 of {shown}; give {hint}"
            yield Testimony(what, missing if self.places else "", "" if self.places else missing)
        else:
            yield Testimony(what)
        # All sets together decide which n-grams are common: with some of them the rule would be another.
        if absent or options["ignored"]:
            yield Testimony(
                clean, unproven="not all evaluation sets are here" if absent else "ignored texts are not kept"
            )
            return
        rescan = Rescan(options, items, COMMON_WORDS)
        yield Testimony(
            clean, self._miscounted(rescan, accounts) or self._unknown(name, items) or self._held(rescan, options)
        )

    @staticmethod
    def _miscounted(rescan: Rescan, accounts: Mapping[str, Mapping[str, Any]]) -> str:
        for evaluation, account in accounts.items():
            for kind, count in rescan.counts(evaluation).items():
                if account[kind] != count:
                    return f"{evaluation}: the manifest counts {account[kind]} {kind}, its files have {count}"
        return ""

    def _unknown(self, name: str, items: Iterable[Text]) -> str:
        """The error if evidence names an item that is not in its evaluation set."""
        path = self.folder / "evidence" / f"{name}.parquet"
        if not path.is_file():
            return ""
        known = {(item.evaluation, item.id) for item in items}
        named = pl.read_parquet(path, columns=["evaluation", "item"], glob=False).unique().iter_rows()
        unknown = next((item for item in sorted(named) if item not in known), None)
        return (
            f"evidence/{name}.parquet: names item {unknown[1]} of {unknown[0]}, which does not have it"
            if unknown
            else ""
        )

    def _held(self, rescan: Rescan, options: Mapping[str, Any]) -> str:
        is_near_kept = options["near"] == "keep"
        for evaluation, id, planted in _plants(rescan):
            if not any(match[:2] == (evaluation, id) for match in rescan.matches(planted)):
                return f"item {id} of {evaluation} was planted, and was not found: this rule can't find it"
        found = []
        for row in self.rows(options["on"], options["sources"]):
            match = next((match for match in rescan.matches(row.texts()) if not (match.is_near and is_near_kept)), None)
            if match:
                found.append(
                    f"row {row.id} holds item {printable(match.item, 60)} of {match.evaluation} ({match.value:.3f})"
                )
        return _listed(found)

    def _items(self, name: str, description: Mapping[str, Any], pinned: Sequence[str]) -> list[Item] | None:
        """The items of an evaluation set, from files with exactly the pinned digests; None if they are not here."""
        one = EvaluationSet.model_validate(description)
        if isinstance(one.source, Sample):
            if one.source.rows > MOST_SAMPLED:
                return None
            with TemporaryDirectory() as folder:
                return self._read(name, one, Path(folder), pinned)
        if isinstance(one.source, Huggingface):
            is_pinned = COMMIT.fullmatch(one.source.revision or "") and not Path(one.source.huggingface).exists()
            if not is_pinned or not (self.fetch or one.is_here(self.cache)):
                return None
            return self._read(name, one, self.cache, pinned)
        if not all(sha256 in self._here for sha256 in pinned):
            return None
        files = tuple(str(self._here[sha256].absolute()) for sha256 in pinned)
        placed = one.source.model_copy(update={one.source.place: files})
        return self._read(name, one.model_copy(update={"sources": (placed,)}), self.cache, pinned)

    @staticmethod
    def _read(name: str, one: EvaluationSet, cache: Path, pinned: Sequence[str]) -> list[Item] | None:
        if {*map(sha256_file, one.files(cache))} != {*pinned}:
            return None
        return one.items(name, cache, sha256_file)

    @cached_property
    def _here(self) -> dict[str, Path]:
        """The files in the given places, by sha256."""
        return {sha256_file(path): path for place in self.places for path in sorted(place.rglob("*")) if path.is_file()}

    def _alike(self, options: Distinct) -> str:
        """The error if rows have the same text."""
        seen: dict[bytes, str] = {}
        found = []
        is_spaced = options.normalise == "whitespace"
        for row in self.rows(options.on, options.sources):
            turns = [
                (side.column, role, [_one_space(text) if is_spaced else text for text in texts], called)
                for side in row.sides
                for (is_compared, role, texts), called in zip(
                    side.messages, told(side.calls, len(side.messages)), strict=True
                )
                if is_compared
            ]
            if any(any(texts) or called for *_, texts, called in turns):
                other = seen.setdefault(hashlib.sha256(repr(turns).encode()).digest(), row.id)
                if other != row.id:
                    found.append(f"row {row.id} is row {other}")
        return _listed(found)

    def _near(self, options: Apart) -> tuple[str, str]:
        """The error if rows are near-duplicates, or a note on pairs that the stage may have missed by chance."""
        sources = dict[str, str]()

        def sets(chosen: Iterable[Row]) -> Iterator[tuple[str, frozenset[tuple[str, ...]]]]:
            for row in chosen:
                sources[row.id] = row.source
                yield row.id, shingles((text for is_compared, text in row.texts() if is_compared), options.ngram)

        ids = [row.id for row in self.rows(options.on, options.sources)]
        # Drawn at random now, so that nobody could prepare the rows for it.
        chosen = set(random.SystemRandom().sample(ids, min(len(ids), SAMPLED_ROWS)))
        sample = dict(sets(row for row in self.rows(options.on, options.sources) if row.id in chosen))
        pairs = [
            pair
            for pair in near_pairs(sets(self.rows(options.on, options.sources)), sample, options.threshold)
            if not (options.scope == "within" and sources[pair.id] != sources[pair.other])
            and not all(_is_named(sources[id], options.protect) for id in (pair.id, pair.other))
        ]
        sure = [pair for pair in pairs if options.chance_to_miss(pair.jaccard) < SURE]
        told = [f"rows {pair.id} and {pair.other} have a Jaccard similarity of {pair.jaccard:.3f}" for pair in sure]
        return _listed(told), "" if told else _missed(pairs)


def _missed(pairs: Sequence[Near]) -> str:
    if not pairs:
        return ""
    return (
        f"{len(pairs)} pairs are near that the stage may have missed by chance, such as {pairs[0].id}, {pairs[0].other}"
    )


def _sides(rows: Rows, on: str) -> list[Iterator[Side]]:
    """The columns of messages of some rows, each row by row, as plain values."""
    columns = rows.message_columns()
    chosen = rows.kind.chosen(columns, on)
    return [_side(column, chosen[name].tolist() if name in chosen else []) for name, column in columns.items()]


def _side(column: MessageColumn, chosen: Sequence[bool]) -> Iterator[Side]:
    marks = itertools.chain(chosen, itertools.repeat(False))
    calls = itertools.repeat(None, len(column.lists)) if column.calls is None else column.calls.to_pylist()
    for messages, called in zip(column.lists.to_pylist(), calls, strict=True):
        yield Side(column.name, [(next(marks), *_said(message)) for message in messages], called)


def _said(message: Mapping[str, Any]) -> tuple[str, list[str]]:
    """One message: its role, and its content with the reasoning before it."""
    thought = message.get("reasoning_content")
    return message["role"], [message["content"] or "", *([] if thought is None else [thought])]


def _one_space(text: str) -> str:
    return " ".join(unicodedata.normalize("NFC", text).split())


@cache
def _is_named(source: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatchcase(source, pattern) for pattern in patterns)


def _listed(found: Sequence[str]) -> str:
    more = f"; and {len(found) - SHOWN:,} more" if len(found) > SHOWN else ""
    return "; ".join(found[:SHOWN]) + more


def _text(evaluation: str, item: Item, parts: Sequence[Any]) -> Text:
    texts = [text for part in parts for text in item.texts[part]]
    return Text(evaluation, item.id, texts, item.answers, item.texts["choices"])


def _plants(rescan: Rescan) -> Iterator[tuple[str, str, list[tuple[bool, str]]]]:
    """Some items of each set, each in a conversation of its own with other words around it."""
    for evaluation in sorted({item.evaluation for item in rescan.items}):
        own = [text for text in rescan.plantable() if text.evaluation == evaluation]
        for text in own[:: max(len(own) // PLANTED, 1)][:PLANTED]:
            planted = [
                (True, f"Somebody asked me this:\n{each}\n{next(iter(text.answers), '')}") for each in text.texts
            ]
            yield evaluation, text.id, planted
