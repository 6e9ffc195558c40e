"""The declarations of stages in the manifest of a mixture: reports, claims, and evidence that is not shown.

Old manifests, written before stages declared these, have none of the keys. Only this module
knows how to read them: reports by the names of their files, claims by asking the stage, and
as `untold` the columns that no stage showed at that time.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

from tulu_data import stages
from tulu_data.claims import Claim
from tulu_data.mixture import tables
from tulu_data.mixture.layout import MANIFEST
from tulu_data.rows.kind import Kind
from tulu_data.stage import Stage
from tulu_data.verdicts import TWIN

_BEFORE: Final = ("evaluations", "clusters", "strata", "near", "scores", "thresholds", "trainable")
"""Reports of old manifests whose names were their kinds."""
_OVERLAP_BEFORE: Final = ("twin_source", "sources")
"""A column of old reports of the kind `overlap`, and their name, which other reports had too."""
_UNTOLD_BEFORE: Final = frozenset({"message", "start", "end", "item_text", "item_start", "item_end"})


class Shown(NamedTuple):
    """A report of a step: the path of its table, its kind, and the texts that are shown above a plain table."""

    step: str
    kind: str
    path: Path
    title: str = ""
    says: str = ""
    heads: Mapping[str, str] = {}

    @property
    def file(self) -> str:
        """Its place in the mixture."""
        return f"reports/{self.path.name}"


def reports(folder: Path, manifest: Mapping[str, Any], kind: Kind) -> list[Shown]:
    """The reports of a mixture by the names of their files, each with the columns that its kind must have.

    Raises `DamagedError` (exit 3) for one that is missing or does not belong to a stage.
    """
    steps = manifest["stages"]
    if all(step.get("reports") is None for step in steps):
        found = list(_named(folder, {step["name"] for step in steps}, kind))
    else:
        found = [
            Shown(step["name"], path=_path(folder, manifest, step["name"], name), **_drawn(entry))
            for step in steps
            for name, entry in (step.get("reports") or {}).items()
        ]
    for shown in found:
        tables.check_file(folder, shown.file, kind, tables.REPORTS.get(shown.kind))
    return sorted(found, key=lambda shown: shown.file)


def _drawn(entry: Mapping[str, Any]) -> dict[str, Any]:
    said = {name: entry[name] for name in ("kind", "title", "says") if name in entry}
    return {**said, "heads": dict(entry.get("heads", []))}


def _path(folder: Path, manifest: Mapping[str, Any], step: str, name: str) -> Path:
    file = f"reports/{step}-{name}.parquet"
    if file not in manifest["files"]:
        raise tables.DamagedError.of(folder, MANIFEST, f"names a report of {step}, and no file {file}")
    return folder / file


def _named(folder: Path, steps: set[str], of: Kind) -> Iterator[Shown]:
    """The reports of a manifest that does not name them."""
    column, name = _OVERLAP_BEFORE
    for path in tables.files_in(folder, "reports/*.parquet", of):
        step, _, kind = path.stem.rpartition("-")
        if kind == name and column in tables.names_of(path):
            kind = "overlap"
        if kind in (*_BEFORE, "overlap"):
            if step not in steps:
                raise tables.DamagedError.of(folder, f"reports/{path.name}", "is of no stage of the manifest")
            yield Shown(step, kind, path)


def untold(step: Mapping[str, Any]) -> frozenset[str]:
    """The columns of a step's evidence that are not shown to people; a twin is shown as a row."""
    said = step.get("untold")
    return frozenset(_UNTOLD_BEFORE if said is None else said) | {TWIN}


def claims(step: Mapping[str, Any]) -> list[Claim]:
    """The claims of a step about the kept rows: those in its manifest, and those of the stage in this program.

    So a manifest can't hide a claim of this program's stage by leaving it out. Raises
    `ValueError` for options that the stage refuses.
    """
    said = [Claim.of(values) for values in step.get("claims") or []]
    stage = stage_of(step)
    own = () if stage is None else stage.claims(step)
    every = {json.dumps(claim.as_values(), sort_keys=True, default=str): claim for claim in (*said, *own)}
    return list(every.values())


def stage_of(step: Mapping[str, Any]) -> Stage | None:
    """The stage of a step, made of the options in the manifest; None for one that this program lacks, or from outside.

    Raises `ValueError` for options that the stage refuses.
    """
    kind = None if "from" in step else stages.of_step(step["name"])
    return None if kind is None else kind.model_validate(step["options"])
