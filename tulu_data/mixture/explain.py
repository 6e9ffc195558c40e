"""What became of a row, and why: by its id, by its place in a file, or by its text."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Final, NamedTuple

import polars as pl
import pyarrow.parquet as pq

from tulu_data.errors import InputError, TuluDataError, UsageError
from tulu_data.mixture.layout import KEPT, QUARANTINED, TAKE
from tulu_data.mixture.mixture import Mixture
from tulu_data.mixture.origin import is_built_here
from tulu_data.mixture.tables import MOST, remedy
from tulu_data.readers.parquet_batches import batches
from tulu_data.rows.rows import Rows, Turn
from tulu_data.stage import Marks
from tulu_data.store.durable import sha256_file
from tulu_data.store.workspace import Workspace
from tulu_data.verdicts import TWIN

MIN_PREFIX: Final = 6
_ID = re.compile(rf"([0-9a-f]{{{MIN_PREFIX},32}})(-\d+)?")


@dataclass(frozen=True)
class Explanation:
    """The fate of one row.

    `fate` is "kept", "quarantined", "take", or the stage that removed it; `places` are
    (file, row) pairs; `evidence` is the stage's evidence, whose columns `untold` are not shown to
    people; `twin` explains the row that was kept in favour of it; `turns` are its messages as a
    person reads them (positions in evidence count their characters), and `content` is all its
    content as plain values (`Rows.shown`): None if the workspace no longer has them; `beside` are
    texts that are shown after the messages, by their labels;
    `item` are the texts of the evaluation item that it holds, if its files are here; `marks`
    are the words that both share.
    """

    id: str | None
    source: str
    fate: str
    reason: str
    copies: int
    places: tuple[tuple[str, int], ...]
    evidence: dict[str, Any] = field(default_factory=dict)
    untold: frozenset[str] = frozenset()
    twin: Explanation | None = None
    turns: tuple[Turn, ...] | None = None
    content: Mapping[str, Any] = field(default_factory=dict)
    beside: Mapping[str, str] = field(default_factory=dict)
    item: tuple[str, ...] | None = None
    marks: Marks | None = None

    @property
    def told(self) -> dict[str, Any]:
        """The evidence that is shown to people."""
        return {name: value for name, value in self.evidence.items() if name not in self.untold}

    def as_values(self) -> dict[str, Any]:
        """The explanation as plain values, for JSON."""
        return {
            "id": self.id,
            "source": self.source,
            "fate": self.fate,
            "reason": self.reason,
            "copies": self.copies,
            "places": [{"file": file, "row": row} for file, row in self.places],
            "evidence": self.evidence,
            "twin": self.twin.as_values() if self.twin else None,
            **self.content,
            "item": self.item and list(self.item),
            "marks": self.marks and self.marks._asdict(),
        }


class _Stored(NamedTuple):
    """Where rows of a file are in the store: the shard, the first position, and the number of rows; by default all."""

    source: str
    file: str
    key: str
    number: int
    start: int = 0
    rows: int | None = None

    def has(self, position: int) -> bool:
        """Whether the row at a position of the shard is one of them."""
        return self.rows is None or self.start <= position < self.start + self.rows


class Explainer:
    """Answers questions about one mixture from its tables, and from the workspace for texts of removed rows."""

    def __init__(self, mixture: Mixture, workspace: Path | None = None, run: Mapping[str, Any] | None = None) -> None:
        self.mixture = mixture
        run = mixture.run() if run is None else run
        self.paths = {sha256: path for path, sha256 in sorted(run.get("files", {}).items(), reverse=True)}
        # Records of earlier versions have no positions: each shard was of one file.
        self.store = [_Stored(*place) for place in run.get("store", [])]
        self.workspace = Workspace(workspace or Path(run.get("workspace", ".tulu-data")))

    def by_id(self, id: str) -> list[Explanation]:
        """The rows whose id begins with `id`.

        Raises `UsageError` (exit 2) where no row has it.
        """
        found = _ID.fullmatch(id)
        if not found:
            raise UsageError(
                f"'{id}': name a row by FILE:ROW, or by its id, which has {MIN_PREFIX} to 32 of the signs 0-9 and a-f"
            )
        # The ledger is sorted by id, so that row groups outside the range are not read.
        first, last = found[1].ljust(32, "0"), found[1].ljust(32, "f")
        with self.mixture.reading():
            rows = self._ledger.filter(pl.col("id").is_between(pl.lit(first), pl.lit(last))).head(20).collect()
        if rows.is_empty():
            raise UsageError(f"{self.mixture.folder}: no row has an id that begins with '{found[1]}'")
        return self._explained(rows)

    def of(self, ids: Collection[str]) -> list[Explanation]:
        """The rows with these ids, in the order of their ids."""
        return self._explained(self._in_ledger(ids))

    def by_place(self, file: Path, row: int) -> list[Explanation]:
        """The row that a record of an input file became; files are known by their bytes, not their names.

        Raises `InputError` (exit 3) for a file that is not an input of the mixture, and
        `UsageError` (exit 2) for a record that the file does not have.
        """
        if not file.is_file():
            raise UsageError(f"{file}: no such file")
        sha256 = sha256_file(file)
        inputs = [entry for source in self.mixture.manifest["sources"].values() for entry in source["inputs"]]
        entry = next((entry for entry in inputs if entry["sha256"] == sha256), None)
        if entry is None:
            raise InputError(
                f"{file}: not an input of {self.mixture.folder}: either its bytes changed since, or it was not read "
                f"(sha256 {sha256[:12]}…)"
            )
        here = (pl.col("file") == sha256) & (pl.col("row") == min(row, MOST))
        found = [explanation for id in self._ids_at(sha256, row) for explanation in self.by_id(id)]
        found += [self._quarantined(record) for record in self._quarantine.filter(here).iter_rows(named=True)]
        if not found:
            raise UsageError(f"{file}: it has no record {row}; its records are numbered from 1 to {entry['read']}")
        return found

    def by_text(self, text: str, limit: int = 10) -> list[Explanation]:
        """The first `limit` rows with a message that contains exactly `text`.

        Raises `UsageError` (exit 2) if there is none.
        """
        if not text.strip():
            raise UsageError("--text: give some words of the row")
        ids: dict[str, None] = {}
        for file, row in self._places_of_text(text):
            # A file may be read twice, but is in the store only once.
            ids |= dict.fromkeys(self._ids_at(file, row))
            if len(ids) >= limit:
                break
        found = [explanation for id in ids for explanation in self.by_id(id)]
        if not found and not self._has_store:
            for path in self.mixture.data:
                with self.mixture.reading():
                    rows = self.mixture.scan(path)
                    hits = rows.filter(self._says(text, rows.collect_schema())).head(limit).collect()
                    self.mixture.check(hits, path)
                found += [explanation for id in hits["id"] for explanation in self.by_id(id)]
        if not found:
            where = "rows" if self._has_store else "kept rows (the workspace that held the others is gone)"
            raise UsageError(f"{self.mixture.folder}: none of its {where} has a message with this text")
        return found[:limit]

    def removed(self, stage: str | None, source: str | None, limit: int) -> tuple[list[Explanation], int]:
        """The first `limit` removed rows in the order of their ids, and the number of all.

        The stage "quarantined" gives the records that did not become a row.

        Raises `UsageError` (exit 2) for a stage or source that the mixture does not have.
        """
        stages = [QUARANTINED, TAKE, *(stage["name"] for stage in self.mixture.manifest["stages"])]
        for what, name, names in (("stage", stage, stages), ("source", source, list(self.mixture.rows))):
            if name is not None and name not in names:
                raise UsageError(f"no {what} '{name}' in {self.mixture.folder}; there are {', '.join(names)}")
        if stage == QUARANTINED:
            records = self._quarantine.filter(True if source is None else pl.col("source") == source)
            return [
                self._quarantined(record) for record in records.head(min(limit, len(records))).iter_rows(named=True)
            ], len(records)
        rows = self._ledger.filter(pl.col("fate") != KEPT)
        if stage is not None:
            rows = rows.filter(pl.col("fate") == stage)
        if source is not None:
            rows = rows.filter(pl.col("source") == source)
        with self.mixture.reading():
            total = rows.select(pl.len()).collect().item()
            first = rows.head(min(limit, total)).collect()
        return self._explained(first), total

    def with_item(self, explanation: Explanation) -> Explanation:
        """The explanation with the texts that the row was removed for, if they are from files that are still here.

        Files are read only for mixtures that were built in this workspace: the manifest of another
        mixture names paths and datasets that its author chose.
        """
        if not explanation.evidence or TWIN in explanation.evidence:
            return explanation
        if not is_built_here(self.workspace, self.mixture):
            return explanation
        stage = self.mixture.stage_of(explanation.fate)
        if stage is None:
            return explanation
        facts: dict[str, Any] = next(
            (own for own in self.mixture.manifest["stages"] if own["name"] == explanation.fate), {}
        )
        try:
            texts = stage.matched(explanation.evidence, facts, self.workspace.sources)
        except (TuluDataError, LookupError):
            # The manifest has other sets, or their files are not here.
            return explanation
        marks = stage.marks(explanation.turns, texts) if explanation.turns and texts else None
        return replace(explanation, item=texts, marks=marks)

    @cached_property
    def _ledger(self) -> pl.LazyFrame:
        return self.mixture.scan(*self.mixture.ledger)

    @cached_property
    def _places(self) -> pl.LazyFrame:
        return self.mixture.scan(*self.mixture.places)

    @cached_property
    def _quarantine(self) -> pl.DataFrame:
        return self.mixture.read(self.mixture.folder / "quarantine.parquet")

    def _explained(self, rows: pl.DataFrame) -> list[Explanation]:
        """Some rows of the ledger with their places, evidence, twins and text; each table is read once for all rows."""
        known: dict[str, dict[str, Any]] = {}
        evidence: dict[str, dict[str, Any]] = {}
        following = rows
        while len(following):
            self.mixture.check(following, self.mixture.ledger[0])
            known |= {row["id"]: row for row in following.iter_rows(named=True)}
            found = self._evidence(following)
            evidence |= found
            following = self._in_ledger({values[TWIN] for values in found.values() if TWIN in values} - known.keys())
            self._require_later(known, found, following)
        places: dict[str, list[tuple[str, int]]] = {id: [] for id in known}
        with self.mixture.reading():
            placed = self._places.filter(_is_one_of(known)).collect()
        if len(placed):
            self.mixture.check(placed, self.mixture.places[0])
        for id, file, number in placed.select("id", "file", "row").rows():
            places[id].append((file, number))
        contents = self._contents(known, places)

        def explained(id: str) -> Explanation:
            row = known[id]
            values = evidence.get(id, {})
            return Explanation(
                id=id,
                source=row["source"],
                fate=row["fate"],
                reason=row["reason"],
                copies=row["copies"],
                places=tuple((self._path(file), number) for file, number in places[id]),
                evidence=values,
                untold=self.mixture.untold(row["fate"]),
                twin=explained(values[TWIN]) if TWIN in values else None,
                **contents.get(id, {"content": dict.fromkeys(self.mixture.kind.content)}),
            )

        return [explained(id) for id in rows["id"]]

    def _in_ledger(self, ids: Collection[str]) -> pl.DataFrame:
        with self.mixture.reading():
            found = self._ledger.filter(_is_one_of(ids)).collect()
        if missing := set(ids) - set(found["id"]):
            raise InputError(
                f"{self.mixture.folder}: evidence names the row {min(missing)}, which is not in the ledger; "
                f"{remedy(self.mixture.folder)}"
            )
        return found

    def _require_later(
        self, known: Mapping[str, dict[str, Any]], found: Mapping[str, dict[str, Any]], twins: pl.DataFrame
    ) -> None:
        """Raise `InputError` if a row's twin was removed before the row: so each chain of twins has an end."""
        order = self.mixture.fates
        fates = {id: row["fate"] for id, row in known.items()} | dict(twins.select("id", "fate").iter_rows())
        for id, values in found.items():
            if TWIN in values and order.get(fates[values[TWIN]], -1) <= order.get(fates[id], len(order)):
                raise InputError(
                    f"{self.mixture.folder}: the twin of row {id}, {values[TWIN]}, was gone before it; "
                    f"{remedy(self.mixture.folder)}"
                )

    def _ids_at(self, file: str, row: int) -> list[str]:
        """The ids of the rows that one record became, by the sha256 of its file."""
        here = (pl.col("file") == file) & (pl.col("row") == min(row, MOST))
        with self.mixture.reading():
            ids: list[str] = self._places.filter(here).collect()["id"].to_list()
        return ids

    def _evidence(self, rows: pl.DataFrame) -> dict[str, dict[str, Any]]:
        """The evidence of some rows of the ledger, by id."""
        filed: dict[str, dict[str, Any]] = {}
        for (fate,), of_fate in rows.group_by("fate", maintain_order=True):
            if path := self.mixture.evidence.get(str(fate)):
                with self.mixture.reading():
                    found = self.mixture.scan(path).filter(_is_one_of(of_fate["id"].to_list())).collect()
                    self.mixture.check(found, path)
                values_of = found.drop("source", "reason").iter_rows(named=True)
                filed |= {values.pop("id"): values for values in values_of}
        return filed

    def _quarantined(self, record: dict[str, Any]) -> Explanation:
        return Explanation(
            id=None,
            source=record["source"],
            fate=QUARANTINED,
            reason=f"{record['code']}: {record['detail']}",
            copies=0,
            places=((self._path(record["file"]), record["row"]),),
            evidence={} if record["offset"] is None else {"byte": record["offset"]},
            content=dict.fromkeys(self.mixture.kind.content),
        )

    def _path(self, sha256: str) -> str:
        return str(self.paths.get(sha256, f"sha256:{sha256[:12]}"))

    @property
    def _has_store(self) -> bool:
        return bool(self.store) and all(self._shard(*shard).is_file() for shard in self._shards)

    @cached_property
    def _shards(self) -> dict[tuple[str, int], list[_Stored]]:
        """The rows that each shard has of each file."""
        shards: dict[tuple[str, int], list[_Stored]] = {}
        for place in self.store:
            shards.setdefault((place.key, place.number), []).append(place)
        return shards

    def _shard(self, key: str, number: int) -> Path:
        return self.workspace.shard(key, number).path

    def _contents(
        self, rows: Mapping[str, dict[str, Any]], places: Mapping[str, Sequence[tuple[str, int]]]
    ) -> dict[str, dict[str, Any]]:
        """The contents of rows, by id: from the store, or, for kept rows, from the mixture itself."""
        wanted: dict[tuple[str, str], set[int]] = {}
        for id, row in rows.items():
            for file, number in places[id]:
                wanted.setdefault((row["source"], file), set()).add(number)
        stored: dict[tuple[str, str, int], dict[str, Any]] = {}
        for shard, parts in self._shards.items():
            own = [(part, numbers) for part in parts if (numbers := wanted.get((part.source, part.file)))]
            if own and self._shard(*shard).is_file():
                every = sorted(set().union(*(numbers for _, numbers in own)))
                read = pl.scan_parquet(self._shard(*shard), glob=False).with_row_index("position")
                columns = ("position", "row", *self.mixture.kind.content)
                found_rows = read.filter(pl.col("row").is_in(every)).select(columns).collect()
                contents = self._as_contents(found_rows)
                for part, numbers in own:
                    for (position, row), content in zip(
                        found_rows.select("position", "row").rows(), contents, strict=True
                    ):
                        if row in numbers and part.has(position):
                            stored.setdefault((part.source, part.file, row), content)
        found: dict[str, dict[str, Any]] = {}
        for id, row in rows.items():
            ours = ((row["source"], file, number) for file, number in places[id])
            if place := next((place for place in ours if place in stored), None):
                found[id] = stored[place]
        kept = {id for id, row in rows.items() if row["fate"] == KEPT} - found.keys()
        if kept:
            with self.mixture.reading():
                here = self.mixture.scan(*self.mixture.data).filter(_is_one_of(kept)).collect()
                self.mixture.check(here, self.mixture.data[0])
            for id, content in zip(here["id"], self._as_contents(here), strict=True):
                found.setdefault(id, content)
        return found

    def _as_contents(self, rows: pl.DataFrame) -> list[dict[str, Any]]:
        """The fields of explanations that show the contents of some rows."""
        kind = self.mixture.kind
        batches = rows.to_arrow(compat_level=pl.CompatLevel.oldest()).combine_chunks().to_batches()
        return [
            {
                "turns": turns,
                "content": content,
                "beside": {called: content[name] for name, called in kind.beside.items() if content[name]},
            }
            for batch in batches
            for own in [Rows.published(batch, kind)]
            for turns, content in zip(own.transcripts(), own.shown(), strict=True)
        ]

    def _says(self, text: str, schema: Mapping[str, pl.DataType]) -> pl.Expr:
        return pl.any_horizontal(_says(column, text, schema) for column in self.mixture.kind.messages)

    def _places_of_text(self, text: str) -> Iterator[tuple[str, int]]:
        for shard, places in self._shards.items():
            path = self._shard(*shard)
            if path.is_file():
                position = 0
                with pq.ParquetFile(path) as parquet:
                    for batch in batches(path, parquet, 8192, ["row", *self.mixture.kind.messages]):
                        frame = pl.from_arrow(batch)
                        assert isinstance(frame, pl.DataFrame)
                        hits = frame.select("row", pl.int_range(pl.len()).alias("at")).filter(
                            frame.select(self._says(text, frame.schema)).to_series()
                        )
                        for row, at in hits.rows():
                            yield next(place.file for place in places if place.has(position + at)), row
                        position += len(frame)


def _says(column: str, text: str, schema: Mapping[str, pl.DataType]) -> pl.Expr:
    """Whether a message of a column contains a text in its content or, if the table has any, in its reasoning."""
    messages = schema[column]
    assert isinstance(messages, pl.List)
    assert isinstance(messages.inner, pl.Struct)
    said = [field.name for field in messages.inner.fields if field.name in ("content", "reasoning_content")]
    found = (pl.element().struct.field(name).str.contains(text, literal=True).fill_null(value=False) for name in said)
    return pl.col(column).list.eval(pl.any_horizontal(*found)).list.any()


def _is_one_of(ids: Collection[str]) -> pl.Expr:
    return pl.col("id").is_in(sorted(ids))
