"""Decide, stage by stage, on narrow tables: no text is seen here.

Rows are numbered through all shards in the order of (source, file sha256, row), which no
decision depends on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

from tulu_data import table, verdicts
from tulu_data.errors import FindingsError, InputError, ResourceError, did_you_mean
from tulu_data.ingest import Shard
from tulu_data.kernels.sha256 import MANY, sha256_rows
from tulu_data.look import Looker
from tulu_data.plan import TAKE, Plan, Step
from tulu_data.recipe import Recipe
from tulu_data.rows import fixed_bytes, hex_texts, hexed, in_order, keyed_order
from tulu_data.stage import COLUMNS, VERDICTS, Comparer, Filter, Resolver, blamed, place_of, returned
from tulu_data.workspace import Table

KEPT: Final = "kept"
# Ids, content hashes, occurrences, fates and the frames that group them.
BYTES_PER_ROW: Final = 200
EXAMPLES: Final = 3


@dataclass
class Decision:
    """The fate of every row.

    Arrays have one entry a row: `source` (index into `sources`), `file` (index into
    `files`), `place` (the record's number in its file), `id` (16 bytes), `content`
    (32 bytes), `fate` (index into `fates`; 0 is kept), `copies`, `reason` (index into
    `reasons`). `columns` are those of `stage.COLUMNS`, null where
    nothing wrote them; `marks` are those of `blemishes`. `evidence` holds a verdict table for
    each step that dropped rows.
    `alone` counts, for each filter and source, what it would have dropped by itself;
    `reports` are the tables that stages make beside their verdicts, by step and name;
    `counts` is what the manifest is to count of resolvers.
    """

    sources: tuple[str, ...]
    files: tuple[str, ...]
    fates: tuple[str, ...]
    starts: npt.NDArray[np.int64]
    source: npt.NDArray[np.uint16]
    file: npt.NDArray[np.uint32]
    place: npt.NDArray[np.int64]
    id: npt.NDArray[np.void]
    content: npt.NDArray[np.void]
    fate: npt.NDArray[np.uint8]
    copies: npt.NDArray[np.uint32]
    reason: npt.NDArray[np.uint16]
    columns: pl.DataFrame
    marks: npt.NDArray[np.uint32]
    reasons: list[str] = field(default_factory=lambda: [""])
    evidence: dict[str, pl.DataFrame] = field(default_factory=dict)
    alone: dict[str, dict[str, int]] = field(default_factory=dict)
    reports: dict[str, dict[str, pl.DataFrame]] = field(default_factory=dict)
    counts: dict[str, dict[str, int]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.fate)

    @property
    def kept(self) -> npt.NDArray[np.bool_]:
        """Which rows are kept."""
        return np.equal(self.fate, 0)

    def ids(self, rows: npt.NDArray[np.integer]) -> list[str]:
        """The ids of some rows, in hex."""
        ids: list[str] = self.id_texts(rows).to_pylist()
        return ids

    def id_texts(self, rows: npt.NDArray[np.integer]) -> pa.StringArray:
        """The ids of some rows, in hex, as an Arrow array."""
        return hex_texts(self.id[rows])

    def id_words(self) -> npt.NDArray[np.uint64]:
        """Ids as two numbers each, whose order is the order of the hex text."""
        return self.id.view(">u8").reshape(-1, 2).astype(np.uint64)

    def removed(self) -> dict[str, dict[str, int]]:
        """For each source, how many rows each step dropped."""
        counts = np.zeros((len(self.sources), len(self.fates)), dtype=np.int64)
        np.add.at(counts, (self.source, self.fate), 1)
        return {
            source: {fate: int(counts[index, number]) for number, fate in enumerate(self.fates) if number}
            for index, source in enumerate(self.sources)
        }


def check_memory(rows: int, plan: Plan, memory: int) -> None:
    """Raise `ResourceError` (exit 6) where deciding on `rows` rows would not fit into `memory` bytes."""
    each = bytes_per_row(plan)
    if rows * each > memory:
        raise ResourceError(
            f"deciding on {rows:,} rows needs about {rows * each / 1e9:.1f} GB ({each} bytes a row), "
            f"and --memory is {memory / 1e9:.1f} GB; raise it, or take fewer rows of the sources"
        )


def bytes_per_row(plan: Plan) -> int:
    """What deciding needs in memory for each row, at its peak."""
    return BYTES_PER_ROW + max((resolver.memory_per_row() for resolver in plan.resolvers), default=0)


def decide(
    recipe: Recipe,
    plan: Plan,
    shards: Sequence[Shard],
    tables: Sequence[dict[str, Table]],
    looker: Looker,
    *,
    is_trial: bool = False,
) -> Decision:
    """Give every row of the store its fate. A trial has too few rows for tripwires, and takes what there is.

    `tables[i]` holds the measures of shard i by the step's name; `looker` sees rows again for
    stages that compare their texts. Raises `FindingsError`
    (exit 4) where a step removes more than its `max_removed` or no row is left, and
    `InputError` (exit 3) where a source has fewer rows than its `rows`.
    """
    decision = _numbered(recipe, plan, shards)
    ranks = _ranks(decision, recipe.seed, "order")
    _take(decision, recipe, is_trial=is_trial)
    for number, step in enumerate(plan.steps, start=2):
        alive = decision.kept.copy()
        if isinstance(step.stage, Filter):
            dropped = _judge(decision, step.stage, step, shards, tables)
            if not is_trial:
                step.stage.check_report(decision.reports[step.name])
        else:
            given = _given(decision, step, shards, tables, ranks)
            found = _resolve(decision, step.stage, step, given, looker)
            repeated = found.filter(pl.col("copies") > 1)
            decision.copies[repeated["row"].to_numpy()] = repeated["copies"].to_numpy()
            dropped = found.filter(pl.col("copies") == 0)
        _apply(decision, number, step, dropped)
        if not is_trial:
            _check_removed(decision, number, step, alive)
    if len(decision) and not decision.kept.any():
        gone = {fate: sum(counts[fate] for counts in decision.removed().values()) for fate in decision.fates[1:]}
        listed = ", ".join(f"{fate} removed {count:,}" for fate, count in gone.items() if count)
        raise FindingsError(f"no row is left of {len(decision):,}: {listed}; a mixture has at least one")
    return decision


def _numbered(recipe: Recipe, plan: Plan, shards: Sequence[Shard]) -> Decision:
    sources = tuple(sorted(recipe.sources))
    files = tuple(sorted({file.file for shard in shards for file in shard.files}))
    numbers = {file: number for number, file in enumerate(files)}
    read = [table.read(shard.table.path, ["row", "content", "marks"]) for shard in shards]
    counts = np.array([len(rows) for rows in read], dtype=np.int64)
    total = int(counts.sum())
    hashes = [fixed_bytes(chunk) for rows in read for chunk in rows["content"].chunks]
    content = np.concatenate([np.empty(0, dtype="V32"), *hashes])
    source = np.repeat(np.array([sources.index(shard.source) for shard in shards], dtype=np.uint16), counts)
    place = np.concatenate([np.empty(0, dtype=np.int64), *(rows["row"].to_numpy() for rows in read)])
    return Decision(
        sources=sources,
        files=files,
        fates=(KEPT, TAKE, *(step.name for step in plan.steps)),
        starts=np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
        source=source,
        file=np.repeat(
            np.array([numbers[file.file] for shard in shards for file in shard.files], dtype=np.uint32),
            [file.rows for shard in shards for file in shard.files],
        ),
        place=place,
        id=_ids(sources, source, content),
        content=content,
        fate=np.zeros(total, dtype=np.uint8),
        copies=np.ones(total, dtype=np.uint32),
        reason=np.zeros(total, dtype=np.uint16),
        columns=_columns(recipe, sources, source),
        marks=np.concatenate([np.empty(0, dtype=np.uint32), *(rows["marks"].to_numpy() for rows in read)]),
    )


def _columns(recipe: Recipe, sources: Sequence[str], source: npt.NDArray[np.uint16]) -> pl.DataFrame:
    domains = pl.Series("domain", [recipe.sources[name].domain for name in sources], dtype=pl.String)
    others = [pl.lit(None, dtype).alias(name) for name, dtype in COLUMNS.items() if name != "domain"]
    return domains.gather(source).to_frame().with_columns(others)


def _ids(
    sources: tuple[str, ...], source: npt.NDArray[np.uint16], content: npt.NDArray[np.void]
) -> npt.NDArray[np.void]:
    words = content.view("<u8").reshape(-1, 4)
    # 128 bits of a sha256 tell contents apart as well as all of it, in half the memory.
    keys = pl.DataFrame({"source": source, "a": words[:, 0], "b": words[:, 1]})
    occurrence = keys.select(pl.int_range(pl.len(), dtype=pl.UInt32).over("source", "a", "b")).to_series()
    return row_ids(sources, source, content, occurrence.to_numpy())


def row_ids(
    sources: Sequence[str],
    source: npt.NDArray[np.uint16],
    content: npt.NDArray[np.void],
    occurrence: npt.NDArray[np.uint32],
) -> npt.NDArray[np.void]:
    """The ids of rows, as `rows.row_id` makes them one by one; `source` is an index into `sources`."""
    ids = np.empty((len(source), 16), dtype=np.uint8)
    digits = 1 + np.searchsorted(10 ** np.arange(1, 10), occurrence, side="right")
    for index, name in enumerate(sources):
        own = np.flatnonzero(source == index)
        # Hashed together are those whose texts are of one length.
        for count in np.unique(digits[own]).tolist():
            rows = own[digits[own] == count]
            for piece in np.array_split(rows, max(1, len(rows) // MANY)):
                ids[piece] = sha256_rows(_named(name, content[piece], occurrence[piece], count))[:, :16]
    return ids.view("V16").reshape(-1)


def _named(
    source: str, content: npt.NDArray[np.void], occurrence: npt.NDArray[np.uint32], digits: int
) -> npt.NDArray[np.uint8]:
    """The text that an id is the hash of, in ASCII, one row of a matrix for each."""
    powers = 10 ** np.arange(digits)[::-1]
    decimal = (occurrence[:, None] // powers % 10 + ord("0")).astype(np.uint8)
    before = np.frombuffer(f"{source}\n".encode(), dtype=np.uint8)
    end = np.full((len(content), 1), ord("\n"), dtype=np.uint8)
    return np.concatenate([np.tile(before, (len(content), 1)), hexed(content), end, decimal], axis=1)


def _ranks(decision: Decision, seed: int, purpose: str) -> npt.NDArray[np.uint32]:
    """The rank of each row by its keyed hash, then by its id: no ties."""
    words = decision.id_words()
    order = in_order(keyed_order(words, seed, purpose), words[:, 0], words[:, 1])
    ranks = np.empty(len(order), dtype=np.uint32)
    ranks[order] = np.arange(len(order), dtype=np.uint32)
    return ranks


def _take(decision: Decision, recipe: Recipe, *, is_trial: bool) -> None:
    """Leave out what the sources' own `rows` and `fraction` do not take."""
    ranks = None
    for index, name in enumerate(decision.sources):
        source = recipe.sources[name]
        if source.rows is None and source.fraction is None:
            continue
        rows = np.flatnonzero(decision.source == index)
        wanted = source.rows if source.rows is not None else _share(source.fraction or Decimal(1), len(rows))
        if is_trial:
            wanted = min(wanted, len(rows))
        if wanted == 0 and len(rows):
            raise InputError(f"sources.{name}: fraction: {source.fraction} of {len(rows):,} rows is none; raise it")
        if wanted > len(rows):
            raise InputError(
                f"sources.{name}: rows: {wanted:,} asked, and it offers {len(rows):,}; lower the number, "
                "or leave it out to take all"
            )
        ranks = _ranks(decision, recipe.seed, TAKE) if ranks is None else ranks
        left = rows[np.argsort(ranks[rows])[wanted:]]
        asked = f"rows: {source.rows}" if source.rows is not None else f"fraction: {source.fraction}"
        decision.fate[left] = 1
        decision.copies[left] = 0
        decision.reason[left] = _reason_number(decision, f"not taken ({asked})")


def _share(fraction: Decimal, rows: int) -> int:
    return int((fraction * rows).to_integral_value(ROUND_HALF_UP))


def measures_of(decision: Decision, tables: Sequence[dict[str, Table]], step: Step, index: int) -> pl.DataFrame:
    """What a step is given of the rows of one shard: `row`, its measures, and the columns that it needs."""
    start, end = decision.starts[index], decision.starts[index + 1]
    rows = pl.Series("row", np.arange(start, end, dtype=np.uint32)).to_frame()
    needs = step.stage.needs()
    frames = [rows, decision.columns[start:end].select(name for name in needs if name in COLUMNS)]
    if step.stage.is_measured:
        frames.append(table.read_frame(tables[index][step.name].path))
    frames += [_of_another(tables[index], name, len(rows), step) for name in needs if name not in COLUMNS]
    return pl.concat([frame for frame in frames if frame.width], how="horizontal")


def _of_another(tables: dict[str, Table], name: str, rows: int, step: Step) -> pl.DataFrame:
    """A measure of an earlier step, as a number; null where that step does not judge the source."""
    other, _, column = name.partition(".")
    if not tables[other].path.is_file():
        return pl.DataFrame({name: pl.Series([None] * rows, dtype=pl.Float64)})
    measured = table.read_frame(tables[other].path)
    if column not in measured.columns or not measured.schema[column].is_numeric():
        numbers = [known for known, kind in measured.schema.items() if kind.is_numeric()]
        raise InputError(
            f"stages.{step.name}: {other} measures no number '{column}'{did_you_mean(column, numbers)}; "
            f"there are {', '.join(numbers) or 'none'}"
        )
    return measured.select(pl.col(column).cast(pl.Float64).alias(name))


def _judge(
    decision: Decision, stage: Filter, step: Step, shards: Sequence[Shard], tables: Sequence[dict[str, Table]]
) -> pl.DataFrame:
    found = [verdicts.none(stage.evidence)]
    tallies: dict[str, list[pl.DataFrame]] = {}
    written: list[pl.DataFrame] = []
    for index, shard in enumerate(shards):
        known = decision.columns[decision.starts[index] : decision.starts[index + 1]]
        written.append(known.select(stage.writes))
        if shard.rows and stage.applies_to(shard.source):
            measures = measures_of(decision, tables, step, index)
            with blamed(stage):
                judged = stage.judge(measures)
                if stage.writes:
                    named = measures if "domain" in measures.columns else measures.with_columns(known["domain"])
                    written[-1] = stage.annotate(named).cast({name: COLUMNS[name] for name in stage.writes})
                for name, tally in stage.tally(measures).items():
                    tallies.setdefault(name, []).append(tally.with_columns(pl.lit(shard.source).alias("source")))
            found.append(_checked(step, "judge", judged, measures["row"]))
    if stage.writes and written:
        decision.columns = decision.columns.with_columns(pl.concat(written))
    with blamed(stage):
        decision.reports[step.name] = stage.report({name: pl.concat(frames) for name, frames in tallies.items()})
    judged = pl.concat(found).filter(pl.col("copies") == 0)
    by_source = np.bincount(decision.source[judged["row"].to_numpy()], minlength=len(decision.sources))
    decision.alone[step.name] = {name: int(count) for name, count in zip(decision.sources, by_source, strict=True)}
    return judged


def _given(
    decision: Decision,
    step: Step,
    shards: Sequence[Shard],
    tables: Sequence[dict[str, Table]],
    ranks: npt.NDArray[np.uint32],
) -> pl.DataFrame:
    """What a resolver is given: the measures of the rows that are alive, and what rows are ordered and named by."""
    kept = decision.kept
    frames = []
    for index, shard in enumerate(shards):
        if shard.rows and step.stage.applies_to(shard.source):
            measures = measures_of(decision, tables, step, index)
            rows = measures["row"].to_numpy()
            named = measures.with_columns(
                pl.lit(shard.source).alias("source"),
                decision.columns["domain"][decision.starts[index] : decision.starts[index + 1]],
                pl.Series("order", ranks[rows]),
            )
            frames.append(named.filter(pl.Series(kept[rows])))
    return pl.concat(frames) if frames else pl.DataFrame()


def _resolve(decision: Decision, stage: Resolver, step: Step, given: pl.DataFrame, looker: Looker) -> pl.DataFrame:
    if given.is_empty():
        return verdicts.none(stage.evidence)
    if isinstance(stage, Comparer):
        with blamed(stage):
            listed = stage.shortlist(given)
        given = returned(stage, "shortlist", listed, pl.DataFrame, "a polars DataFrame with the columns row and room")
        looks = looker.look(step, given)
        with blamed(stage):
            resolved = stage.resolve(given, looks)
    else:
        with blamed(stage):
            resolved = stage.resolve(given)
    found = _checked(step, "resolve", resolved, given["row"])
    with blamed(stage):
        decision.reports[step.name] = stage.report(given, found)
        decision.counts[step.name] = stage.counts(given, found)
    return found


def _checked(step: Step, method: str, given: object, rows: pl.Series) -> pl.DataFrame:
    stage = step.stage
    found = returned(stage, method, given, pl.DataFrame, VERDICTS)
    name = place_of(stage, method) if stage.reference else step.name
    return verdicts.check(found, stage.evidence, rows, name)


def _apply(decision: Decision, number: int, step: Step, dropped: pl.DataFrame) -> None:
    """Write the verdicts down; a row keeps the fate that an earlier step gave it."""
    first = dropped.filter(pl.Series(decision.kept[dropped["row"].to_numpy()]))
    rows = first["row"].to_numpy()
    decision.fate[rows] = number
    decision.copies[rows] = 0
    for reason, group in first.group_by("reason", maintain_order=True):
        decision.reason[group["row"].to_numpy()] = _reason_number(decision, str(reason[0]))
    decision.evidence[step.name] = first


def _reason_number(decision: Decision, reason: str) -> int:
    if reason not in decision.reasons:
        decision.reasons.append(reason)
    return decision.reasons.index(reason)


def _check_removed(decision: Decision, number: int, step: Step, alive: npt.NDArray[np.bool_]) -> None:
    """The tripwire: stop where a step takes more of a source than it may."""
    before = np.bincount(decision.source[alive], minlength=len(decision.sources))
    dropped = np.bincount(decision.source[decision.fate == number], minlength=len(decision.sources))
    for index, source in enumerate(decision.sources):
        limit = step.stage.limit_for(source)
        if dropped[index] > limit * int(before[index]):
            share = dropped[index] / before[index]
            allowing = min(100, -(-int(dropped[index]) * 100 // int(before[index]))) / 100
            raise TripwireError(
                f"stages.{step.name}: removes {dropped[index]:,} of {before[index]:,} rows of {source} ({share:.1%}), "
                f"and max_removed is {limit}; if that is right, say so in the stage: "
                f"max_removed: {{{source}: {allowing:g}}}",
                decision,
                np.flatnonzero((decision.fate == number) & (decision.source == index))[:EXAMPLES],
                is_private=step.stage.is_private,
            )


class TripwireError(FindingsError):
    """A step removes more of a source than its `max_removed`; `rows` are examples of `decision`."""

    def __init__(self, message: str, decision: Decision, rows: npt.NDArray[np.int64], *, is_private: bool) -> None:
        self.decision = decision
        self.rows = rows
        self.is_private = is_private
        super().__init__(message)
