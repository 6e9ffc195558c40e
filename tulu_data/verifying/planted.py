"""Compare the faults planted in sample sources with what a build removed.

The planted faults are known, so a build of samples can be checked: how many were found, how many
were missed, and what else was removed. A kind of fault is checked if any stage claims that no such
row is kept; another kind is another function in `CHECKS`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import polars as pl

from tulu_data.claims import APART, CLEAN, DISTINCT, Claim
from tulu_data.mixture.layout import TAKE
from tulu_data.mixture.mixture import Mixture
from tulu_data.sources.source import Source
from tulu_data.store.durable import sha256_file
from tulu_data.verdicts import TWIN


@dataclass(frozen=True)
class Found:
    """One kind of fault: how many were planted, found and missed, and how many other rows were removed for it."""

    kind: str
    planted: int
    found: int
    extra: int

    @property
    def missed(self) -> int:
        """How many were planted and not found."""
        return self.planted - self.found

    def as_values(self) -> dict[str, Any]:
        """The counts as plain values, for JSON."""
        return {**asdict(self), "missed": self.missed}


@dataclass(frozen=True)
class _Truth:
    """The faults planted in a mixture's sources.

    `planted` has the columns of `tulu_data.sample.planted`, and `source`, `sha256` of the
    file, `id` and `base_id`; an id is null if a record could not be read. `claims` has the claims
    of each step, by kind.
    """

    mixture: Mixture
    claims: dict[str, dict[str, Claim]]
    planted: pl.DataFrame

    def of(self, kind: str) -> pl.DataFrame:
        """The planted faults of one kind."""
        return self.planted.filter(pl.col("kind") == kind)

    def removed_for(self, claim: str) -> pl.DataFrame | None:
        """The evidence of all steps that make a claim, for sample sources; None if none does."""
        steps = self._claiming(claim)
        if not steps:
            return None
        frames = [pl.read_parquet(self.mixture.evidence[step], glob=False) for step in steps]
        return pl.concat(frames).filter(pl.col("source").is_in(self.planted["source"].unique().implode()))

    def threshold(self, claim: str) -> float:
        """The lowest threshold of the steps that make a claim."""
        return min(
            float({**self.mixture.options_of(step), **self.claims[step][claim].options}["threshold"])
            for step in self._claiming(claim)
        )

    def removed_before(self, claim: str) -> pl.Series:
        """The ids of the rows that were removed before the first step that makes a claim."""
        names = list(self.claims)
        before = names[: names.index(self._claiming(claim)[0])]
        fates = self.mixture.ledger_rows().filter(pl.col("fate").is_in([TAKE, *before]))
        return fates.select("id").collect()["id"]

    def _claiming(self, claim: str) -> list[str]:
        return [step for step, own in self.claims.items() if claim in own]


def check(mixture: Mixture, sources: Mapping[str, Source], cache: Path) -> list[Found]:
    """Compare a mixture with the faults planted in its sources; empty if there are none.

    `cache` is the folder in which sources make their files. A trial is not checked, because it
    reads only a part of them.
    """
    planted = {name: source for name, source in sources.items() if source.is_planted}
    if not planted or mixture.manifest["trial"]:
        return []
    steps = [stage["name"] for stage in mixture.manifest["stages"]]
    claims = {step: {claim.kind: claim for claim in mixture.claims(step)} for step in steps}
    truth = _Truth(mixture, claims, _with_ids(mixture, planted, cache))
    return [found for compare in CHECKS if (found := compare(truth))]


def _with_ids(mixture: Mixture, sources: Mapping[str, Source], cache: Path) -> pl.DataFrame:
    ledger = mixture.ledger_rows().select("id", "source")
    of_rows = mixture.scan(*mixture.places).join(ledger, on="id").collect()
    places = of_rows.select("source", pl.col("file").alias("sha256"), pl.col("row").alias("record"), "id")
    frames = []
    for name, source in sources.items():
        digests = {number: sha256_file(path) for number, path in enumerate(source.files(cache))}
        frames.append(
            source.planted().with_columns(
                pl.lit(name).alias("source"),
                pl.col("file").replace_strict(digests, return_dtype=pl.String).alias("sha256"),
                pl.col("base_file").replace_strict(digests, return_dtype=pl.String).alias("base_sha256"),
            )
        )
    base_places = places.rename({"sha256": "base_sha256", "record": "base_record", "id": "base_id"})
    return (
        pl.concat(frames)
        .join(places, on=["source", "sha256", "record"], how="left")
        .join(base_places, on=["source", "base_sha256", "base_record"], how="left")
    )


def _exact_duplicates(truth: _Truth) -> Found | None:
    """Exact duplicates count as found if removed in favour of a kept row of the same family.

    A row that another stage removed before counts as found.
    """
    removed = truth.removed_for(DISTINCT)
    if removed is None:
        return None
    planted = truth.of("exact_duplicate").select("id", "base_id")
    gone = truth.removed_before(DISTINCT)
    pairs = planted.filter(~pl.col("id").is_in(gone.implode()) & ~pl.col("base_id").is_in(gone.implode()))
    family = dict(pairs.iter_rows()) | {base: base for base in pairs["base_id"].to_list()}
    most = Counter(pairs["base_id"].to_list())
    hits = Counter(
        family[row]
        for row, twin in removed.select("id", TWIN).iter_rows()
        if row in family and family.get(twin) == family[row]
    )
    found = sum(min(count, most[base]) for base, count in hits.items())
    return Found("exact_duplicate", len(planted), found + len(planted) - len(pairs), len(removed) - found)


def _near_duplicates(truth: _Truth) -> Found | None:
    """Near-duplicates within the threshold count as found if removed in favour of their base, or the reverse.

    One that another stage removed before, or whose base it removed, counts as found.
    """
    removed = truth.removed_for(APART)
    if removed is None:
        return None
    every = truth.of("near_duplicate")
    planted = every.filter(pl.col("jaccard") >= truth.threshold(APART)).select("id", "base_id")
    base = dict(pl.concat([every, truth.of("exact_duplicate")]).select("id", "base_id").iter_rows())
    twins = [(base.get(row, row), base.get(twin, twin)) for row, twin in removed.select("id", TWIN).iter_rows()]
    hits = {row for row, twin in twins if row == twin}
    gone = set(truth.removed_before(APART))
    found = sum(base in hits or not gone.isdisjoint((id, base)) for id, base in planted.iter_rows())
    return Found("near_duplicate", len(planted), found, sum(row != twin for row, twin in twins))


def _broken(truth: _Truth) -> Found:
    """Bad records count as found if they are quarantined at their place, with the expected error."""
    names = truth.planted["source"].unique().implode()
    aside = pl.read_parquet(truth.mixture.folder / "quarantine.parquet", glob=False).filter(
        pl.col("source").is_in(names)
    )
    planted = truth.of("broken")
    places = planted.select("source", pl.col("sha256").alias("file"), pl.col("record").alias("row"), "code")
    found = len(aside.join(places, on=["source", "file", "row", "code"]))
    return Found("broken", len(planted), found, len(aside) - found)


def _contaminated(truth: _Truth) -> Found | None:
    """Contaminated rows count as found if they were removed for the item that was planted in them."""
    removed = truth.removed_for(CLEAN)
    if removed is None:
        return None
    planted = truth.of("contaminated").select("id", "item")
    found = len(removed.join(planted, on=["id", "item"]))
    return Found("contaminated", len(planted), found, len(removed.join(planted, on="id", how="anti")))


CHECKS: Final[tuple[Callable[[_Truth], Found | None], ...]] = (
    _exact_duplicates,
    _near_duplicates,
    _contaminated,
    _broken,
)
