"""Drop rows that contain items of evaluation sets."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, ClassVar, Final, Literal, NamedTuple, Self

import numpy as np
import polars as pl
import pyarrow as pa
from pydantic import (
    BeforeValidator,
    Field,
    NonNegativeInt,
    PositiveInt,
    PrivateAttr,
    WithJsonSchema,
    field_validator,
    model_validator,
)

from tulu_data.claims import CLEAN, Claim
from tulu_data.errors import FindingsError, InputError, UsageError, did_you_mean
from tulu_data.evaluations import catalogue, marks, matching, ngram_index, ngram_index_build, tables
from tulu_data.evaluations.evaluation_set import EvaluationSet
from tulu_data.evaluations.item import Part
from tulu_data.evaluations.ngram_index import NgramIndex, Setting
from tulu_data.evaluations.rules import RULES, VALUES, Rule, Statistic
from tulu_data.kernels.ngrams import Work
from tulu_data.kernels.unicode import Normaliser
from tulu_data.reports import Report
from tulu_data.rows.on import On
from tulu_data.rows.rows import Turn
from tulu_data.sources.paths import Paths, find_files
from tulu_data.stage import Decides, Filter, Marks, Share
from tulu_data.store.code_id import code_id
from tulu_data.store.durable import sha256_file
from tulu_data.store.keys import key_of
from tulu_data.store.patterns import NAME_PATTERN
from tulu_data.store.workspace import Workspace
from tulu_data.verdicts import Evidence

THRESHOLDS: Final = ("above", "at_least")
# More than any evaluation item has: a bound on the work that a stranger's manifest may demand of `verify`.
MOST_WORDS: Final = 100_000
MOST_ITEMS: Final = 2**31 - 1
MOST_PARTS: Final = 16
Threshold = Annotated[Decimal, Field(ge=0, le=MOST_WORDS)]
_NAME: Final = {"type": "string", "pattern": NAME_PATTERN}
Against = Annotated[
    dict[str, EvaluationSet],
    BeforeValidator(catalogue.described),
    Field(min_length=1),
    WithJsonSchema(
        {
            "anyOf": [
                _NAME,
                {"type": "array", "minItems": 1, "items": {"anyOf": [_NAME, {"type": "object"}]}},
                {
                    "type": "object",
                    "minProperties": 1,
                    "additionalProperties": {"anyOf": [{"type": "object"}, _NAME, {"type": "null"}]},
                },
            ]
        }
    ),
]


class _Way(NamedTuple):
    """A way in which a row may contain an item: whether it counts, by which statistic, its value and the threshold."""

    statistic: pl.Expr
    counts: pl.Expr
    value: pl.Expr
    threshold: pl.Expr


class NgramDecontamination(Filter):
    """Drop rows that contain items of evaluation sets, by the n-grams that they share.

        - ngram_decontamination: {against: [gsm8k, math, humaneval]}
        - ngram_decontamination:
            against:
              gsm8k: {jsonl: "evals/gsm8k/test.jsonl", question: question, answer: answer}
              mmlu: {jsonl: "evals/mmlu/*.jsonl.gz", question: question, group_by: [config, eval_instance_index]}

    A `rule` is a set of settings, ours or a published one: n, normaliser, `on`, statistic and
    threshold; options given beside it win. Statistics of a row and an item: `coverage`, the
    share of the item's tokens in n-grams that the row has too; `ngrams` and `ngram_share`, the
    number and share of distinct n-grams; `longest_run`, the longest run of words in both, as a
    share of the item's words; `idf_overlap`, the share of n-grams weighted by ln((N + 1) / df)
    within the evaluation set; `overlap`, the smaller of that and of the share of the item's words
    in shared n-grams, common ones included. An n-gram never crosses from one text to another;
    the n-grams of all messages of a row count together.

    A short item, which has no n-gram, is matched as a whole (`short_items`), on word
    boundaries, if it stands alone or its answer or choices follow. Nothing is capped,
    sampled or approximated: no kept row matches the rule.
    Evidence: evaluation set, item, statistic, value, threshold, and the longest run in
    characters of the row's message and of the item's text. `reports/` has the overlap of each
    source with each evaluation set, and the n-grams that most rows have.
    """

    requires: ClassVar = ("numba",)
    evidence: ClassVar[Evidence] = {
        "evaluation": pl.String,
        "item": pl.String,
        "statistic": pl.String,
        "value": pl.Float64,
        "threshold": pl.Float64,
        "message": pl.UInt32,
        "start": pl.UInt32,
        "end": pl.UInt32,
        "item_text": pl.UInt32,
        "item_start": pl.UInt32,
        "item_end": pl.UInt32,
        "items": pl.UInt32,
    }
    untold: ClassVar = frozenset({"message", "start", "end", "item_text", "item_start", "item_end"})
    # The removed rows contain texts of evaluation sets, which must not be published.
    withholds: ClassVar = True

    against: Against = Field(
        description="Evaluation sets: names and groups of the catalogue, or a mapping of names to the keys of a source "
        "and the columns of the items"
    )
    rule: Rule = Field("tulu_data", description="The rule whose settings are the defaults")
    n: PositiveInt = Field(8, le=64, description="Words in an n-gram")
    normaliser: Normaliser = Field("words", description="How text is split into words and normalised")
    on: On = Field("prompt", description="Which messages are compared")
    parts: tuple[Part, ...] = Field(
        ("question",), min_length=1, max_length=MOST_PARTS, description="The parts of an item that are compared"
    )
    min_words: PositiveInt = Field(
        3, le=MOST_WORDS, description="Short items of fewer words can't be matched; they are counted"
    )
    short_below: NonNegativeInt = Field(
        0, le=MOST_WORDS, description="Items of fewer words are short, even if they have n-grams"
    )
    max_item_df: PositiveInt | None = Field(
        None, le=MOST_ITEMS, description="Ignore n-grams that more items than this have"
    )
    noted_from: Share = Field(
        Decimal(0),
        description="Ignore pairs of a row and an item that share less than this part of its n-grams, by idf",
    )
    ignored: Paths | None = Field(None, description="Files of texts whose n-grams are ignored, one text a line")
    answer_words: PositiveInt = Field(
        50, le=MOST_WORDS, description="An answer is nearby if it is within this many words after its item"
    )
    answered_from: Share | None = Field(
        None,
        description="This overlap is enough for an item of any length if its answer or choices are nearby",
    )
    beginning_from: Share | None = Field(
        None, description="A row that breaks off within an item, after at least this part of its words, is near"
    )
    statistic: Decides[Statistic] = Field(
        "coverage", description="The statistic of a row and an item that the threshold applies to"
    )
    above: Decides[Threshold | None] = Field(None, description="Contaminated if the statistic is above this")
    at_least: Decides[Threshold | None] = Field(None, description="Contaminated if the statistic is at least this")
    thresholds: Decides[dict[str, Threshold]] = Field({}, description="Other thresholds for some evaluation sets")
    full_below: Decides[PositiveInt | None] = Field(
        None, le=MOST_WORDS, description="Items of at most this many words must have the statistic 1"
    )
    relaxed_from: Decides[PositiveInt | None] = Field(
        None,
        le=MOST_WORDS,
        description="Items of at least this many words have the threshold as given; "
        "between full_below and this, it falls linearly",
    )
    max_numbers_missing: Decides[Share | None] = Field(
        None, description="A row that lacks more than this part of an item's numbers is near, not contaminated"
    )
    near: Decides[Literal["keep", "drop"]] = Field("keep", description="Keep or drop rows that are near an item")
    short_items: Decides[Literal["whole", "answered", "ignore"]] = Field(
        "whole",
        description="A short item counts if it is whole in a row, and alone or with its answer or choices nearby; "
        "only with its answer nearby; never",
    )
    alone_below: Decides[NonNegativeInt] = Field(
        8, description="Short items of at least this many words need not stand alone: no other text has them"
    )
    run_of_signs: Decides[Share | None] = Field(
        None,
        description="If an item is mostly signs, a row needs this part of it in one run, "
        "or the threshold of an item of as many plain words",
    )
    max_contaminated: Decides[Share | None] = Field(
        None, description="Stop the build where one source contaminates more than this part of an evaluation set"
    )

    _folder: Path | None = PrivateAttr(None)
    _digests: dict[str, list[str]] = PrivateAttr({})

    @model_validator(mode="before")
    @classmethod
    def _by_rule(cls, values: Any) -> Any:
        if not isinstance(values, Mapping):
            return values
        preset = RULES.get(values.get("rule", "tulu_data"), {})
        said = {name for name in ("above", "at_least") if values.get(name) is not None}
        replaced = {"above", "at_least"} if said else set()
        # The rule's noted_from suits the rule's threshold; it might hide pairs from another threshold.
        if said or "statistic" in values or "thresholds" in values:
            replaced.add("noted_from")
        return {**{key: value for key, value in preset.items() if key not in replaced}, **values}

    @model_validator(mode="after")
    def _one_threshold(self) -> Self:
        if (self.above is None) == (self.at_least is None):
            raise ValueError("say one threshold: above, or at_least")
        if (self.full_below is None) != (self.relaxed_from is None):
            raise ValueError("full_below and relaxed_from go together")
        if self.full_below and self.relaxed_from and self.full_below >= self.relaxed_from:
            raise ValueError("full_below is smaller than relaxed_from")
        lowest = min(own for own in (self.above, self.at_least, *self.thresholds.values()) if own is not None)
        if self.noted_from and (self.statistic not in ("idf_overlap", "overlap") or lowest < self.noted_from):
            raise ValueError(
                f"noted_from: {self.noted_from} would hide what {self.statistic} decides from {lowest} on; "
                "it goes with idf_overlap and overlap, and is at most the threshold"
            )
        unknown = next((name for name in self.thresholds if name not in self.against), None)
        if unknown is not None:
            raise ValueError(
                f"thresholds: no evaluation set '{unknown}'{did_you_mean(unknown, self.against)}; "
                f"there are {', '.join(self.against)}"
            )
        return self

    @field_validator("against")
    @classmethod
    def _named(cls, against: dict[str, EvaluationSet]) -> dict[str, EvaluationSet]:
        return dict(sorted(against.items()))

    def measuring_options(self) -> dict[str, Any]:
        # The index's key has the bytes of the evaluation sets; paths and the rule's name do not matter.
        return {
            name: value
            for name, value in super().measuring_options().items()
            if name not in ("against", "rule", "ignored")
        }

    def prepare(self, workspace: Workspace, digest: Callable[[Path], str]) -> Self:
        """Build the index of the evaluation sets, or find it built.

        Raises `InputError` (exit 3) for an evaluation set that can't be read or has nothing
        to match.
        """
        cache = workspace.sources
        sets = {name: one.resolved() for name, one in self.against.items()}
        files = {name: one.files(cache) for name, one in sets.items()}
        digests = {name: sorted(digest(path) for path in paths) for name, paths in files.items()}
        ignored = self._ignored_texts()
        modules = {type(one.source).__module__ for one in sets.values()}
        modules |= {EvaluationSet.__module__, ngram_index_build.__name__}
        key = key_of(
            sets={name: [one.description(), digests[name]] for name, one in sets.items()},
            parts=self.parts,
            setting=[self.n, self.normaliser, self.min_words, self.short_below, self.max_item_df, ignored],
            code=code_id(tuple(sorted(modules)), ("numpy", "polars")),
        )
        folder = workspace.root / "indexes" / key
        if not ngram_index.is_whole(folder):
            items = {name: one.items(name, cache, digest) for name, one in sets.items()}
            setting = Setting(
                self.n, self.normaliser, self.parts, self.min_words, self.short_below, self.max_item_df, ignored
            )
            ngram_index_build.build(folder, items, setting)
            # Compile the scan here, so that workers load it.
            opened, work = ngram_index.open_index(folder)
            opened.scan(pa.array([""]), np.array([0, 1]), work)
        prepared = self.model_copy(update={"against": sets})
        prepared._folder, prepared._digests = folder, digests  # noqa: SLF001 (its own copy)
        return prepared

    def _ignored_texts(self) -> tuple[str, ...]:
        paths = [path for pattern in self.ignored or () for path in find_files(pattern)]
        try:
            return tuple(
                line for path in paths for line in path.read_text(encoding="utf-8").splitlines() if line.strip()
            )
        except UnicodeDecodeError as error:
            raise InputError(f"ignored: {error}; write the file in UTF-8") from None

    @property
    def artifacts(self) -> dict[str, str]:
        return {"ngram index": ngram_index.digest(self._folder)} if self._folder else {}

    def facts(self) -> dict[str, Any]:
        accounts = self._index().accounts
        sets = {name: {**accounts[name], "files": self._digests[name]} for name in self.against}
        return {"evaluations": sets}

    def claims(self, facts: Mapping[str, Any]) -> tuple[Claim, ...]:
        return (Claim(CLEAN),)

    def matched(self, evidence: Mapping[str, Any], facts: Mapping[str, Any], cache: Path) -> tuple[str, ...] | None:
        """The texts of the evaluation item; None if the files of its set are not those that were used."""
        name = evidence["evaluation"]
        one = self.against[name]
        if sorted(sha256_file(path) for path in one.files(cache)) != facts["evaluations"][name]["files"]:
            return None
        found = next((item for item in one.items(name, cache, sha256_file) if item.id == evidence["item"]), None)
        return found and tuple(text for part in self.parts for text in found.texts[part])

    def marks(self, turns: Sequence[Turn], matched: Sequence[str]) -> Marks:
        """All words of the messages compared and of the item that are in an n-gram of both."""
        compared = [turn.text if self.on in turn.on else "" for turn in turns]
        return marks.shared(compared, matched, self.n, self.normaliser)

    def _index(self) -> NgramIndex:
        return self.opened()[0]

    def opened(self) -> tuple[NgramIndex, Work]:
        """The index, opened; `UsageError` (exit 2) before `prepare`."""
        if self._folder is None:
            raise UsageError(f"stage {self.name()}: call prepare before it measures or judges")
        return ngram_index.open_index(self._folder)

    measure: ClassVar = matching.measure

    def judge(self, measures: pl.DataFrame) -> pl.DataFrame:
        flagged = self.pairs(measures).filter("is_reached" if self.near == "drop" else "is_contaminated")
        excess = pl.col("value") / pl.col("threshold")
        ranked = flagged.with_columns(pl.len().over("row").alias("items")).sort(
            "row", "is_near", excess, "grams", "evaluation", "id", descending=[False, False, True, True, False, False]
        )
        best = ranked.unique("row", keep="first", maintain_order=True)
        index = self._index()
        spans = [index.text_span(token, length) for token, length in best.select("token", "longest").iter_rows()]
        texts, starts, ends = zip(*spans, strict=True) if spans else ((), (), ())
        return best.select(
            "row",
            pl.lit(0, pl.UInt32).alias("copies"),
            pl.when("is_near")
            .then(pl.format("near an item of {}", "evaluation"))
            .otherwise(pl.format("contaminated by {}", "evaluation"))
            .alias("reason"),
            "evaluation",
            pl.col("id").alias("item"),
            "statistic",
            pl.col("value").round(6),
            pl.col("threshold").round(6),
            "message",
            "start",
            "end",
            pl.Series("item_text", texts, dtype=pl.UInt32),
            pl.Series("item_start", starts, dtype=pl.UInt32),
            pl.Series("item_end", ends, dtype=pl.UInt32),
            "items",
        )

    def pairs(self, measures: pl.DataFrame) -> pl.DataFrame:
        """All pairs of a row and an item: `value`, `threshold`, and whether they are contaminated or near."""
        items = self._index().items.with_row_index("item").rename({"grams": "grams_all", "idf": "idf_all"})
        pairs = measures.select("row", "pairs").filter(pl.col("pairs").list.len() > 0).explode("pairs").unnest("pairs")
        pairs = pairs.join(items, on="item", how="left", maintain_order="left").filter(pl.col("kind") != "unusable")
        threshold = self.threshold(pl.col("words"))
        ways = [*self._ways(threshold)]
        is_short = pl.col("kind") == "short"
        is_whole = is_short & (pl.col("whole") == pl.col("texts"))
        otherwise = _Way(
            pl.when(is_short).then(pl.lit("whole")).otherwise(pl.lit(self.statistic)),
            pl.lit(value=True),
            pl.when(is_short).then(is_whole.cast(pl.Float64)).otherwise(VALUES[self.statistic]),
            pl.when(is_short).then(1.0).otherwise(threshold),
        )
        first = {
            name: pl.coalesce(pl.when(way.counts).then(getattr(way, name)) for way in (*ways, otherwise))
            for name in ("statistic", "value", "threshold")
        }
        lacks = pl.lit(value=False)
        if self.max_numbers_missing is not None:
            lacks = pl.col("numbers_missing") > float(self.max_numbers_missing) * pl.col("numbers")
        return (
            pairs.with_columns(
                **first, is_reached=pl.any_horizontal(way.counts for way in ways), is_whole=is_whole, lacks=lacks
            )
            .with_columns(
                is_near=pl.col("is_reached")
                & ~pl.col("is_whole")
                & (pl.col("lacks") | (pl.col("statistic") == "beginning"))
            )
            .with_columns((pl.col("is_reached") & ~pl.col("is_near")).alias("is_contaminated"))
        )

    def threshold(self, words: pl.Expr) -> pl.Expr:
        """The threshold for an item of this many words."""
        own = self.above if self.above is not None else self.at_least
        others = {name: float(value) for name, value in self.thresholds.items()}
        base = pl.col("evaluation").replace_strict(others, default=float(own or 0), return_dtype=pl.Float64)
        if self.full_below is None or self.relaxed_from is None:
            return base
        part = (words - self.full_below) / (self.relaxed_from - self.full_below)
        return 1 - (1 - base) * part.clip(0, 1)

    def _ways(self, threshold: pl.Expr) -> Iterator[_Way]:
        """The ways in which a row may contain an item, or be near it; the first that counts is the evidence."""
        is_short = pl.col("kind") == "short"
        is_whole = is_short & (pl.col("whole") == pl.col("texts"))
        if self.short_items == "whole":
            is_alone = (pl.col("words") >= self.alone_below) | (pl.col("alone") == pl.col("texts"))
            yield _Way(pl.lit("whole"), is_whole & (is_alone | pl.col("supported")), pl.lit(1.0), pl.lit(1.0))
        elif self.short_items == "answered":
            yield _Way(pl.lit("whole"), is_whole & pl.col("answered"), pl.lit(1.0), pl.lit(1.0))
        value = VALUES[self.statistic]
        is_telling = pl.lit(value=True)
        if self.run_of_signs is not None:
            is_signs = 5 * pl.col("plain") < 3 * pl.col("words")
            run = pl.col("longest") / pl.col("words")
            is_telling = ~is_signs | (run >= float(self.run_of_signs)) | self._reaches(self.threshold(pl.col("plain")))
        yield _Way(pl.lit(self.statistic), ~is_short & self._reaches(threshold) & is_telling, value, threshold)
        is_looked_for = ~is_whole & (~is_short if self.short_items == "ignore" else pl.lit(value=True))
        if self.answered_from is not None:
            least = float(self.answered_from)
            overlap = VALUES["overlap"]
            counts = is_looked_for & pl.col("supported") & (overlap >= least) & is_telling
            yield _Way(pl.lit("overlap"), counts, overlap, pl.lit(least))
        if self.beginning_from is not None:
            beginning = pl.col("longest") / pl.col("words")
            yield _Way(
                pl.lit("beginning"), is_looked_for & pl.col("broken_off"), beginning, pl.lit(float(self.beginning_from))
            )

    def _reaches(self, threshold: pl.Expr) -> pl.Expr:
        value = VALUES[self.statistic]
        return value > threshold if self.above is not None else value >= threshold

    def scores(self, measures: pl.DataFrame) -> dict[str, pl.Series]:
        """The statistic of each row and the item that it shares most with; null if it shares nothing."""
        most = self.pairs(measures).group_by("row").agg(pl.col("value").max())
        values = measures.select("row").join(most, on="row", how="left", maintain_order="left")["value"]
        return {"above" if self.above is not None else "at_least": values}

    def tally(self, measures: pl.DataFrame) -> dict[str, pl.DataFrame]:
        return tables.tally(self.pairs(measures), measures)

    def report(self, tallies: Mapping[str, pl.DataFrame]) -> dict[str, Report]:
        """The tables of `tulu_data.evaluations.tables`."""
        return tables.report(tallies, self._index()) if tallies else {}

    def check_report(self, report: Mapping[str, Report]) -> None:
        if self.max_contaminated is None or "evaluations" not in report:
            return
        for line in report["evaluations"].frame.iter_rows(named=True):
            if line["contaminated"] > float(self.max_contaminated) * line["items"]:
                share = line["contaminated"] / line["items"]
                raise FindingsError(
                    f"stages.{self.name()}: {line['source']} contaminates {line['contaminated']:,} of "
                    f"{line['items']:,} items of {line['evaluation']} ({share:.1%}), and max_contaminated is "
                    f"{self.max_contaminated}; leave the source out, or raise it"
                )

    def matches(self, measures: pl.DataFrame) -> pl.DataFrame:
        """Every contaminated pair of a row and an item: `row`, `evaluation`, `item`, `value`."""
        return (
            self.pairs(measures)
            .filter("is_contaminated")
            .select("row", "evaluation", pl.col("id").alias("item"), pl.col("value").round(6))
        )

    def items(self) -> pl.DataFrame:
        """Every item: `evaluation`, `item`, and `kind`: indexed, short or unusable."""
        return self._index().items.select("evaluation", pl.col("id").alias("item"), "kind")
