"""A witness to what a mixture claims of its rows: no evaluation item in them, no duplicate.

What is claimed is read from the manifest, and held against the rows by `rescan`, which shares
nothing with the build. Evaluation files are known by the sha256 that the manifest pins, never
by the paths in it: those are a stranger's. A detector that can't fire proves nothing, so
each is shown items planted before it.
"""

from __future__ import annotations

import hashlib
import random
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache, cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, NamedTuple

import polars as pl
import pyarrow.parquet as pq

from tulu_data import stages
from tulu_data.errors import TuluDataError, printable
from tulu_data.evaluations.common_words import COMMON_WORDS
from tulu_data.evaluations.evaluation_set import EvaluationSet
from tulu_data.evaluations.item import Item
from tulu_data.hub.reading import COMMIT
from tulu_data.mixture.mixture import options_of
from tulu_data.readers.parquet_batches import batches
from tulu_data.sources.huggingface import Huggingface
from tulu_data.sources.sample import Sample
from tulu_data.store.durable import sha256_file
from tulu_data.verifying.plain_calls import SPEAKERS, spoken, told
from tulu_data.verifying.plain_dedup import Near, near_pairs, shingles
from tulu_data.verifying.plain_rule import Rescan, Text

BATCH_ROWS: Final = 1_024
COLUMNS: Final = ("id", "source", "messages", "tool_calls")
PLANTED: Final = 5
SAMPLED_ROWS: Final = 1_000
MOST_SAMPLED: Final = 100_000
# A pair that the stage misses less often than once in a million was not missed by chance.
SURE: Final = 1e-6
SHOWN: Final = 3


class Testimony(NamedTuple):
    """What was looked at, what is wrong, and what could not be shown; the latter two are empty where all is well."""

    what: str
    wrong: str = ""
    unproven: str = ""


class Row(NamedTuple):
    """One kept row: the id without the number of its copy; of each message the role and the texts."""

    id: str
    source: str
    messages: list[tuple[str, ...]]
    tool_calls: str | None


@dataclass(frozen=True)
class Witness:
    """Looks at the rows in `folder` for what the stages of its manifest claim.

    `places` are folders in which evaluation files are looked for; `cache` is where the
    files of datasets of the Hub lie, which are fetched if `fetch` says so.
    """

    folder: Path
    manifest: Mapping[str, Any]
    places: Sequence[Path] = ()
    cache: Path = Path(".tulu-data/sources")
    fetch: bool = False
    tick: Callable[[int], object] = lambda rows: None

    def testify(self) -> Iterator[Testimony]:
        """What there is to say of each stage that claims something of the rows kept."""
        for stage in self.manifest["stages"]:
            name = stage["name"]
            kind = None if "from" in stage else stages.of_step(name)
            if kind is None:
                why = (
                    "is code of its own, which is not run" if "from" in stage else "is a stage that this program lacks"
                )
                yield Testimony(f"{name}: what it claims", unproven=f"it {why}")
                continue
            options = options_of(stage)
            if kind.name() == "ngram_decontamination":
                yield from self._decontamination(name, options, stage.get("evaluations", {}))
            elif kind.name() == "exact_dedup":
                yield self._exact(name, options)
            elif kind.name() == "minhash_dedup":
                yield self._near(name, options, int(stage.get("buckets_over_cap", 0)))

    def rows(self, sources: Sequence[str] = ()) -> Iterator[Row]:
        """The rows, one of each row's copies, of the sources that a stage was for."""
        for path in sorted((self.folder / "data").glob("*.parquet")):
            with pq.ParquetFile(path) as parquet:
                names = [name for name in COLUMNS if name in parquet.schema_arrow.names]
                for batch in batches(path, parquet, BATCH_ROWS, names):
                    for row in batch.to_pylist():
                        if "-" not in row["id"] and (not sources or _is_named(row["source"], sources)):
                            messages = [*map(_said, row["messages"])]
                            yield Row(row["id"], row["source"], messages, row.get("tool_calls"))
                    self.tick(batch.num_rows)

    def _decontamination(
        self, name: str, options: Mapping[str, Any], accounts: Mapping[str, Mapping[str, Any]]
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
        clean = f"{name}: no row kept holds an evaluation item, by plain code, which finds items that are planted"
        # N-grams are common or not by all sets together: some of them would be another rule.
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
        """Evidence that names an item which no evaluation set has."""
        path = self.folder / "evidence" / f"{name}.parquet"
        if not path.is_file():
            return ""
        known = {(item.evaluation, item.id) for item in items}
        named = pl.read_parquet(path, columns=["evaluation", "item"], glob=False).unique().iter_rows()
        unknown = next((item for item in sorted(named) if item not in known), None)
        return (
            f"evidence/{name}.parquet: names item {unknown[1]} of {unknown[0]}, which has none such" if unknown else ""
        )

    def _held(self, rescan: Rescan, options: Mapping[str, Any]) -> str:
        is_near_kept = options["near"] == "keep"
        for evaluation, id, planted in _plants(rescan, SPEAKERS[options["on"]][0]):
            if not any(match[:2] == (evaluation, id) for match in rescan.matches(planted)):
                return f"item {id} of {evaluation} was planted, and was not found: this rule can't find it"
        found = []
        for row in self.rows(options["sources"]):
            texts = spoken(row.messages, row.tool_calls)
            match = next((match for match in rescan.matches(texts) if not (match.is_near and is_near_kept)), None)
            if match:
                found.append(
                    f"row {row.id} holds item {printable(match.item, 60)} of {match.evaluation} ({match.value:.3f})"
                )
        return _listed(found)

    def _items(self, name: str, description: Mapping[str, Any], pinned: Sequence[str]) -> list[Item] | None:
        """The items of an evaluation set, of files with just the sums that are pinned; None where they are not here."""
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
        """The files in the places that were given, by sha256."""
        return {sha256_file(path): path for place in self.places for path in sorted(place.rglob("*")) if path.is_file()}

    def _exact(self, name: str, options: Mapping[str, Any]) -> Testimony:
        what = f"{name}: no two rows kept have the same text"
        seen: dict[bytes, str] = {}
        found = []
        is_spaced = options["normalise"] == "whitespace"
        for row in self.rows(options["sources"]):
            calls = told(row.tool_calls, len(row.messages))
            turns = [
                (role, [_one_space(text) if is_spaced else text for text in texts], called)
                for (role, *texts), called in zip(row.messages, calls, strict=True)
                if role in SPEAKERS[options["on"]]
            ]
            if any(any(texts) or called for _, texts, called in turns):
                other = seen.setdefault(hashlib.sha256(repr(turns).encode()).digest(), row.id)
                if other != row.id:
                    found.append(f"row {row.id} is row {other}")
        return Testimony(what, _listed(found))

    def _near(self, name: str, options: Mapping[str, Any], over_cap: int) -> Testimony:
        threshold, bands, size = float(options["threshold"]), options["bands"], options["rows"]
        of = " of its source" if options["scope"] == "within" else ""
        what = f"{name}: of a sample of rows kept, none is near another{of} (Jaccard similarity from {threshold} on)"
        if options["keep_responses"] > 1 or over_cap:
            why = (
                "keep_responses keeps some"
                if options["keep_responses"] > 1
                else f"{over_cap} buckets were over the cap"
            )
            return Testimony(what, unproven=f"near rows may be kept: {why}")
        sources = dict[str, str]()

        def sets(chosen: Iterable[Row]) -> Iterator[tuple[str, frozenset[tuple[str, ...]]]]:
            for row in chosen:
                sources[row.id] = row.source
                yield row.id, shingles(row.messages, row.tool_calls, options["on"], options["ngram"])

        ids = [row.id for row in self.rows(options["sources"])]
        # Chosen by nobody who could plant a row beside it.
        chosen = set(random.SystemRandom().sample(ids, min(len(ids), SAMPLED_ROWS)))
        sample = dict(sets(row for row in self.rows(options["sources"]) if row.id in chosen))
        pairs = [
            pair
            for pair in near_pairs(sets(self.rows(options["sources"])), sample, threshold)
            if not (options["scope"] == "within" and sources[pair.id] != sources[pair.other])
            and not all(_is_named(sources[id], tuple(options["protect"])) for id in (pair.id, pair.other))
        ]
        sure = [pair for pair in pairs if (1 - pair.jaccard**size) ** bands < SURE]
        told = [f"rows {pair.id} and {pair.other} have a Jaccard similarity of {pair.jaccard:.3f}" for pair in sure]
        return Testimony(what, _listed(told), "" if told else _missed(pairs))


def _missed(pairs: Sequence[Near]) -> str:
    if not pairs:
        return ""
    return (
        f"{len(pairs)} pairs are near that the stage may have missed by chance, such as {pairs[0].id}, {pairs[0].other}"
    )


def _said(message: Mapping[str, Any]) -> tuple[str, ...]:
    """One message: its role, its content, and what was thought before it."""
    thought = message.get("reasoning_content")
    return (message["role"], message["content"] or "", *([] if thought is None else [thought]))


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


def _plants(rescan: Rescan, role: str) -> Iterator[tuple[str, str, list[tuple[str, str]]]]:
    """For each set some of its items, each in a conversation of its own with other words around it."""
    for evaluation in sorted({item.evaluation for item in rescan.items}):
        own = [text for text in rescan.plantable() if text.evaluation == evaluation]
        for text in own[:: max(len(own) // PLANTED, 1)][:PLANTED]:
            planted = [
                (role, f"Somebody asked me this:\n{each}\n{next(iter(text.answers), '')}") for each in text.texts
            ]
            yield evaluation, text.id, planted
