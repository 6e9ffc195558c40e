"""Keep one of the rows whose texts are nearly the same."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Final, Literal, NamedTuple, Self

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow.compute as pc
from pydantic import AfterValidator, Field, PositiveInt, model_validator

from tulu_data.claims import APART, Claim
from tulu_data.errors import did_you_mean, printable
from tulu_data.kernels import jaccard
from tulu_data.kernels.jaccard import ALONE, Candidates
from tulu_data.kernels.minhash import STORED, bands_for, probability, sketch
from tulu_data.kernels.shingles import Source, write_sets
from tulu_data.reports import Report
from tulu_data.rows.on import On
from tulu_data.rows.rows import Rows
from tulu_data.stage import MEASURE, Comparer, Decides, SourceNames, preference
from tulu_data.verdicts import COPIES, Evidence, none

if TYPE_CHECKING:
    from tulu_data.store.workspace import Workspace


class Bands(NamedTuple):
    """Words in a shingle, bands of a signature, and rows in a band."""

    ngram: int
    bands: int
    rows: int


Preset = Literal["fineweb", "olmo3", "refinedweb", "redpajama"]
PRESETS: Final[dict[Preset, Bands]] = {
    # Penedo et al. 2024, section 3.4.
    "fineweb": Bands(5, 14, 8),
    # The configuration that duplodocus ships; its shingles are 5 tokens.
    "olmo3": Bands(5, 26, 11),
    # Penedo et al. 2023, appendix G.3, after Lee et al. 2022; their shingles are 5 tokens.
    "refinedweb": Bands(5, 450, 20),
    # Weber et al. 2024, the bands for 0.8.
    "redpajama": Bands(13, 9, 13),
}
MOST_PERMUTATIONS: Final = 2_048
MOST_VALUES: Final = 10_000
MOST_ROWS: Final = 1_000_000
SHOWN: Final = tuple(Decimal(tenths) / 20 for tenths in range(10, 21))
Threshold = Annotated[Decimal, Field(gt=0, le=1)]


BY_LENGTH: Final = ("longest", "shortest", "any")


def _is_order(keep: str) -> str:
    if keep not in BY_LENGTH and not re.fullmatch(MEASURE, keep):
        hint = did_you_mean(keep, (*BY_LENGTH, "tokens")) or f"; there is {', '.join(BY_LENGTH)}, tokens, stage.measure"
        raise ValueError(f"no order is named '{printable(keep, 60)}'{hint}")
    return keep


class MinhashDedup(Comparer):
    """Keep one of the rows whose text is nearly the same under `on`.

        - minhash_dedup: {preset: fineweb, threshold: 0.8, prefer: [gsm8k_train]}
        - minhash_dedup: {ngram: 3, permutations: 256, threshold: 0.7, scope: within}
        - minhash_dedup: {on: prompt, keep_responses: 2, keep: language_filter.score}

    A text is the set of its shingles: `ngram` words in order, within one message. Rows whose
    MinHash signatures agree in all `rows` of one of the `bands` are candidates; they are
    compared, and are near if the Jaccard similarity of their sets is at least the
    `threshold`. Rows are taken by source (`prefer`), then by `keep`, then by keyed hash: a
    row is removed if it is near to one kept before it, and the first such row is its twin.
    So no row is removed for a chain of others, and every removed row has a twin that is kept.

    Rows without words are left to `exact_dedup`. Tool calls count as text, without their ids.
    Evidence: the twin, the Jaccard similarity, its estimate by signature, and the number of the
    cluster, from 1 for the largest. Reports: `clusters`, and `sources`, which counts by source
    the rows that were removed and those in favour of which they were.
    """

    requires: ClassVar = ("numba",)
    evidence: ClassVar[Evidence] = {
        "twin": pl.UInt32,
        "jaccard": pl.Float64,
        "estimated": pl.Float64,
        "cluster": pl.UInt32,
    }

    preset: Preset = Field("fineweb", description="The project whose ngram, bands and rows are the defaults")
    on: On = Field("conversation", description="Which messages are compared")
    ngram: PositiveInt = Field(5, le=64, description="Words in a shingle")
    bands: PositiveInt = Field(14, le=1_000, description="Bands of a signature; rows that agree in one are compared")
    rows: PositiveInt = Field(8, le=1_000, description="Values of a signature in one band")
    permutations: PositiveInt | None = Field(
        None,
        le=MOST_PERMUTATIONS,
        description="Most values of a signature; bands and rows are then chosen to suit the threshold",
    )
    threshold: Decides[Threshold] = Field(Decimal("0.8"), description="Smallest Jaccard similarity of near rows")
    scope: Decides[Literal["across", "within"]] = Field(
        "across", description="Compare rows across all sources, or within each"
    )
    prefer: Decides[SourceNames] = Field((), description="Sources whose rows are kept before others, best first")
    protect: Decides[SourceNames] = Field(
        (), description="Sources whose rows all stay, and in favour of which others are removed"
    )
    keep: Decides[Annotated[str, AfterValidator(_is_order)]] = Field(
        "longest",
        description="Which rows are kept before others of their rank: the `longest` or `shortest` by characters of the "
        "conversation, `any`, or those with the most `tokens` or the highest `stage.measure` of an earlier stage",
    )
    keep_responses: Decides[PositiveInt] = Field(
        1, le=MOST_ROWS, description="How many rows with near prompts are kept; needs on: prompt"
    )
    bucket_cap: Decides[PositiveInt] = Field(
        64, le=MOST_ROWS, description="Most kept rows of one bucket that a row is compared with"
    )

    @model_validator(mode="before")
    @classmethod
    def _by_preset(cls, values: Any) -> Any:
        if not isinstance(values, Mapping):
            return values
        if values.get("permutations") is not None and ("bands" in values) != ("rows" in values):
            raise ValueError("permutations chooses bands and rows; give both of these, or neither")
        preset = PRESETS.get(values.get("preset", "fineweb"))
        return {**(preset._asdict() if preset else {}), **_suiting(values), **values}

    @model_validator(mode="after")
    def _make_sense(self) -> Self:
        most = self.permutations or MOST_VALUES
        if self.bands * self.rows > most:
            raise ValueError(f"{self.bands} bands of {self.rows} rows are more than {most:,} values; say fewer")
        if self.keep_responses > 1 and self.on != "prompt":
            raise ValueError("keep_responses counts rows with near prompts; say on: prompt")
        return self

    def measuring_options(self) -> dict[str, Any]:
        # Their values are in ngram, bands and rows.
        return {
            name: value for name, value in super().measuring_options().items() if name not in ("preset", "permutations")
        }

    def needs(self) -> tuple[str, ...]:
        return () if self.keep in BY_LENGTH else (self.keep,)

    def prepare(self, workspace: Workspace, digest: Callable[[Path], str]) -> Self:
        # Compile the kernels here, so that workers load them.
        rows = Rows.saying(("a", "\u00e9"))
        starts = np.array([0, 2, 4])
        compiling = self.model_copy(update={"on": rows.kind.widest})
        sketched = sketch(compiling._texts(rows), self.ngram, 1, 1)  # noqa: SLF001 (its own copy)
        alone = np.zeros((len(rows), 1), np.uint32)
        stays = np.zeros(len(rows), np.bool_)
        jaccard.join(Candidates(alone, sketched.bytes, compiling.read(rows, starts), starts[:-1], stays), 1, 1.0, 1)
        return self

    @property
    def kept_values(self) -> int:
        """The number of values of a signature that are kept, 8 bits of each."""
        return min(self.bands * self.rows, STORED)

    def memory_per_row(self) -> int:
        # Keys, bytes of signatures, and the columns of every row; twice, for most rows may be candidates.
        return 2 * (4 * self.bands + self.kept_values) + 150

    def facts(self) -> dict[str, Any]:
        return {"found": {str(value): round(self.found(float(value)), 4) for value in SHOWN}}

    def claims(self, facts: Mapping[str, Any]) -> tuple[Claim, ...]:
        but = ""
        if self.keep_responses > 1:
            but = "near rows may be kept: keep_responses keeps some"
        elif over_cap := facts.get("buckets_over_cap"):
            but = f"near rows may be kept: {over_cap} buckets were over the cap"
        return (Claim(APART, but=but),)

    def found(self, similarity: float) -> float:
        """The probability that two rows of a Jaccard similarity are compared."""
        return probability(similarity, self.bands, self.rows)

    def measure(self, rows: Rows) -> pl.DataFrame:
        """The columns below, null but for the first two if a row has no words.

        `shingles` UInt32, the number of distinct ones; `characters` UInt32 of the compared texts;
        `high`, `low` UInt64, the hash of the set; `key_0`, … UInt32, one for each band;
        `values_0`, … UInt64, 8 bits of each value of the signature, eight values in each.
        """
        sketches = sketch(self._texts(rows), self.ngram, self.bands, self.rows)
        wide = np.zeros((len(rows), -(-self.kept_values // 8) * 8), np.uint8)
        wide[:, : self.kept_values] = sketches.bytes
        columns = {
            "high": sketches.digest[:, 0],
            "low": sketches.digest[:, 1],
            **{f"key_{band}": keys for band, keys in enumerate(sketches.keys)},
            **{f"values_{place}": values for place, values in enumerate(wide.view("<u8").T)},
        }
        every = rows.texts()
        lengths = np.concatenate([[0], np.cumsum(pc.utf8_length(every.strings).to_numpy(zero_copy_only=False))])
        characters = np.diff(lengths[every.offsets]).astype(np.uint32)
        has_words = pl.col("shingles") > 0
        return pl.DataFrame({"shingles": sketches.count, "characters": characters, **columns}).with_columns(
            pl.when(has_words).then(name).alias(name) for name in columns
        )

    def _texts(self, rows: Rows) -> Source:
        texts = rows.texts(self.on)
        return Source.of(texts.strings, texts.offsets)

    def candidates(self, measures: pl.DataFrame) -> pl.DataFrame:
        """The rows that share a bucket or their set with another row, in the order of their priority.

        Columns: `row`, `source`, `order`, `stays`; `first`, the first row with the same set,
        the only one of them that is compared; `room`; `bucket_0`, … UInt32; `values_0`, … as measured.
        """
        parts = measures.partition_by("source") if self.scope == "within" and len(measures) else [measures]
        listed: list[pl.DataFrame] = []
        buckets = 0
        for part in parts:
            own, buckets = self._candidates(part, buckets)
            listed.append(own)
        return pl.concat(listed)

    def _candidates(self, measures: pl.DataFrame, buckets: int) -> tuple[pl.DataFrame, int]:
        """The rows that may be near each other; their buckets are numbered from `buckets` on."""
        ranked = self._ranked(measures)
        firsts = ranked.filter(pl.col("row") == pl.col("first"))
        places = firsts["place"]
        bucket_of = np.empty((self.bands, len(firsts)), np.uint32)
        for band in range(self.bands):
            bucket_of[band], buckets = jaccard.buckets(measures[f"key_{band}"].gather(places).to_numpy(), buckets)
        shared = pl.Series((bucket_of != ALONE).any(axis=0), dtype=pl.Boolean)
        compared = firsts.filter(shared).select(
            "row",
            (pl.col("shingles") + 1).alias("room"),
            *(pl.Series(f"bucket_{band}", own[shared.to_numpy()]) for band, own in enumerate(bucket_of)),
            *(measures[name].gather(places.filter(shared)) for name in measures.columns if name.startswith("values_")),
        )
        listed = ranked.select("row", "source", "order", "stays", "first").join(
            compared, on="row", how="left", maintain_order="left"
        )
        is_alone = pl.col("room").is_null() & (pl.len().over("first") == 1)
        return listed.filter(~is_alone).with_columns(pl.col("room").fill_null(0)), buckets

    def _ranked(self, measures: pl.DataFrame) -> pl.DataFrame:
        """The rows with words, in the order of their priority, each with the first row that has the same set."""
        size = pl.col("characters").cast(pl.Int64)
        known = {"longest": -size, "shortest": size, "any": pl.lit(0)}
        value = known[self.keep] if self.keep in known else -pl.col(self.keep)
        stays = pl.lit(value=False) if not self.protect else preference(self.protect) < len(self.protect)
        return (
            measures.with_row_index("place")
            .filter(pl.col("shingles") > 0)
            .select(
                *("place", "row", "source", "order", "shingles", "high", "low"),
                stays.alias("stays"),
                preference(self.prefer).alias("rank"),
                value.alias("value"),
            )
            .sort(~pl.col("stays"), "rank", "value", "order", nulls_last=True)
            .with_columns(pl.col("row").first().over("high", "low").alias("first"))
        )

    def compare(self, candidates: pl.DataFrame, numbers: npt.NDArray[np.uint64]) -> pl.DataFrame:
        if candidates.is_empty():
            return none(self.evidence)
        compared = candidates.filter(pl.col("room") > 0)
        found = jaccard.join(
            self._with_sets(compared, numbers), self.kept_values, float(self.threshold), self.bucket_cap
        )
        rows = compared["row"]
        joined = pl.DataFrame(
            {
                "first": rows,
                "twin": rows.gather(np.maximum(found.twin, 0)),
                "jaccard": found.jaccard,
                "estimated": found.estimated.round(4),
            }
        ).filter(pl.Series(found.twin >= 0))
        same = pl.col("twin").is_null() & (pl.col("row") != pl.col("first"))
        near = (
            candidates.select("row", "first", "stays")
            .join(joined, on="first", how="left", maintain_order="left")
            .with_columns(
                pl.when(same).then("first").otherwise("twin").alias("twin"),
                *(pl.when(same).then(1.0).otherwise(name).alias(name) for name in ("jaccard", "estimated")),
            )
            .filter(pl.col("twin").is_not_null() & ~pl.col("stays"))
            .filter(pl.int_range(1, pl.len() + 1).over("twin") >= self.keep_responses)
        )
        return near.join(self._clusters(near, candidates), on="twin", how="left").select(
            "row",
            pl.lit(0, COPIES).alias("copies"),
            pl.when(pl.col("jaccard") == 1).then(pl.lit("same shingles")).otherwise(pl.lit("near")).alias("reason"),
            "twin",
            pl.col("jaccard").round(6),
            "estimated",
            "cluster",
        )

    @staticmethod
    def _with_sets(compared: pl.DataFrame, sets: npt.NDArray[np.uint64]) -> Candidates:
        room = compared["room"].to_numpy().astype(np.int64)
        by_row = np.argsort(compared["row"].to_numpy())
        starts = np.empty(len(room), np.int64)
        starts[by_row] = np.cumsum(room[by_row]) - room[by_row]
        buckets = [name for name in compared.columns if name.startswith("bucket_")]
        values = [name for name in compared.columns if name.startswith("values_")]
        return Candidates(
            np.column_stack([compared[name].to_numpy() for name in buckets]),
            np.column_stack([compared[name].to_numpy() for name in values]).view(np.uint8),
            sets,
            starts,
            compared["stays"].to_numpy(),
        )

    @staticmethod
    def _clusters(near: pl.DataFrame, measures: pl.DataFrame) -> pl.DataFrame:
        """The number of each twin's cluster, from the largest cluster to the smallest."""
        sizes = near.group_by("twin").len("size")
        ordered = sizes.join(measures.select(pl.col("row").alias("twin"), "order"), on="twin").sort(
            "size", "order", descending=[True, False]
        )
        return ordered.select("twin", pl.int_range(1, pl.len() + 1, dtype=pl.UInt32).alias("cluster"))

    def read(self, rows: Rows, starts: npt.NDArray[np.int64]) -> npt.NDArray[np.uint64]:
        """The shingles of each row: their number, then each once."""
        sets = np.zeros(int(starts[-1]), np.uint64)
        write_sets(self._texts(rows), self.ngram, sets, starts[:-1])
        return sets

    def report(self, measures: pl.DataFrame, verdicts: pl.DataFrame) -> dict[str, Report]:
        """`clusters`: the rows of each, with the twin; `sources`: rows removed, by their source and the twin's."""
        sources = measures.select("row", "source")
        twins = verdicts.select("cluster", pl.col("twin").alias("row")).unique()
        members = pl.concat(
            [
                twins.with_columns(pl.lit(value=True).alias("is_twin"), pl.lit(1.0).alias("jaccard")),
                verdicts.select("cluster", "row", pl.lit(value=False).alias("is_twin"), "jaccard"),
            ]
        )
        of_twins = sources.rename({"row": "twin", "source": "twin_source"})
        pairs = verdicts.join(sources, on="row").join(of_twins, on="twin")
        named = members.join(sources, on="row").with_columns(pl.len().over("cluster").alias("rows"))
        counted = pairs.group_by("source", "twin_source").len("rows").sort("source", "twin_source")
        return {
            "clusters": Report("clusters", named.select("cluster", "rows", "row", "source", "is_twin", "jaccard")),
            "sources": Report("overlap", counted),
        }

    def scores(self, verdicts: pl.DataFrame) -> dict[str, pl.Series]:
        return {"threshold": verdicts["jaccard"]}

    def counts(self, measures: pl.DataFrame, verdicts: pl.DataFrame) -> dict[str, int]:
        kept = measures.filter(pl.col("room") > 0).join(verdicts.select("row"), on="row", how="anti")
        buckets = kept.select(name for name in kept.columns if name.startswith("bucket_")).to_numpy()
        sizes = np.bincount(buckets[buckets != ALONE])
        return {
            "clusters": verdicts["twin"].n_unique(),
            "compared_rows": int((measures["room"] > 0).sum()),
            "buckets_over_cap": int((sizes > self.bucket_cap).sum()),
        }


def _suiting(values: Mapping[str, Any]) -> dict[str, int]:
    """Bands and rows for a given number of permutations, unless they are given."""
    if values.get("permutations") is None or "bands" in values or "rows" in values:
        return {}
    try:
        number = int(values["permutations"])
        threshold = float(values.get("threshold", MinhashDedup.model_fields["threshold"].default))
    except (TypeError, ValueError):
        return {}
    if not (1 <= number <= MOST_PERMUTATIONS and 0 < threshold <= 1):
        return {}
    bands, rows = bands_for(threshold, number)
    return {"bands": bands, "rows": rows}
