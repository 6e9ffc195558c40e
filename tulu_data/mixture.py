"""A committed mixture, as a reader finds it: no lock, nothing half-written."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from tulu_data import stages
from tulu_data.commit import sha256_file
from tulu_data.errors import ConflictError, UsageError, did_you_mean
from tulu_data.manifest import NAME as MANIFEST
from tulu_data.plan import TAKE
from tulu_data.stage import Stage

LATEST: Final = "LATEST"
STAGING: Final = ".staging"
RUNS: Final = ".runs"


@dataclass(frozen=True)
class Mixture:
    """One version of a mixture, in its folder."""

    folder: Path

    @classmethod
    def unsealed(cls, folder: Path, manifest: dict[str, Any]) -> Mixture:
        """A mixture whose manifest is not written yet."""
        mixture = cls(folder)
        mixture.__dict__["manifest"] = manifest
        return mixture

    @cached_property
    def manifest(self) -> dict[str, Any]:
        """The manifest as plain values."""
        try:
            manifest: dict[str, Any] = json.loads((self.folder / MANIFEST).read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise ConflictError(
                f"{self.folder / MANIFEST}: can't be read ({error}); this version is damaged: remove {self.folder}"
            ) from None
        return manifest

    def check_files(self, digest: Callable[[Path], str] = sha256_file) -> None:
        """Raise `ConflictError` (exit 5) where a file that the manifest names is missing or has other bytes.

        `digest` gives a file's sha256.
        """
        for name, entry in self.manifest["files"].items():
            path = self.folder / name
            what = ""
            if not path.is_file():
                what = "is missing"
            elif path.stat().st_size != entry["bytes"]:
                what = "has another size than its manifest says"
            elif digest(path) != entry["sha256"]:
                what = "has another sha256 than its manifest says"
            if what:
                raise ConflictError(f"{path}: {what}; this version is damaged: remove {self.folder} and build again")

    @property
    def version(self) -> str:
        return str(self.manifest["version"])

    @property
    def data(self) -> list[Path]:
        """The files of rows, in order."""
        return sorted((self.folder / "data").glob("*.parquet"))

    @property
    def evidence(self) -> dict[str, Path]:
        """The evidence of each stage that has any."""
        return {path.stem: path for path in sorted((self.folder / "evidence").glob("*.parquet"))}

    @property
    def overlaps(self) -> dict[str, Path]:
        """For each step that decontaminates: the table of what sources share with evaluation sets."""
        return self._reports("evaluations")

    @property
    def clusters(self) -> dict[str, Path]:
        """For each step that finds near-duplicates: the table of its clusters."""
        return self._reports("clusters")

    @property
    def strata(self) -> dict[str, Path]:
        """For the step that mixes: the table of targets and what was taken."""
        return self._reports("strata")

    @property
    def near(self) -> dict[str, Path]:
        """For each step that decontaminates: the table of rows that are near an item without holding it."""
        return self._reports("near")

    @property
    def scores(self) -> dict[str, Path]:
        """For each step with a threshold: the table of what its thresholds are held against."""
        return self._reports("scores")

    @property
    def thresholds(self) -> dict[str, Path]:
        """For each step with a threshold: the table of what other values would remove."""
        return self._reports("thresholds")

    @property
    def trainable(self) -> dict[str, Path]:
        """For the step that counts tokens: the table of those that are trained on."""
        return self._reports("trainable")

    def _reports(self, kind: str) -> dict[str, Path]:
        found = sorted((self.folder / "reports").glob(f"*-{kind}.parquet"))
        return {path.stem.removesuffix(f"-{kind}"): path for path in found}

    @property
    def steps(self) -> list[str]:
        """What can remove a row, in order: `take` where it did, and stages, but for those that only write columns."""
        takes = [TAKE] if any(TAKE in row["removed"] for row in self.rows.values()) else []
        return [*takes, *(stage["name"] for stage in self.manifest["stages"] if "annotates" not in stage)]

    def options_of(self, step: str) -> dict[str, Any]:
        """The options of one of its stages, as the manifest has them."""
        options: dict[str, Any] = next(stage["options"] for stage in self.manifest["stages"] if stage["name"] == step)
        return options

    def stage_of(self, step: str) -> Stage | None:
        """One of its stages by the name of its step, made of the options in the manifest.

        None where it is from outside, which is text and never run, or where it has options that a
        stage of this program does not take.
        """
        facts = next((stage for stage in self.manifest["stages"] if stage["name"] == step), None)
        kind = stages.of_step(step)
        if facts is None or "from" in facts or kind is None:
            return None
        try:
            return kind.model_validate(facts["options"])
        except (ValidationError, TypeError, KeyError):
            return None

    @property
    def rows(self) -> dict[str, dict[str, Any]]:
        """For each source: read, quarantined, removed by stage, kept, written."""
        names = ("read", "quarantined", "removed", "kept", "written")
        return {source: {name: entry[name] for name in names} for source, entry in self.manifest["sources"].items()}

    @property
    def run_path(self) -> Path:
        """Where the record of the run that made it lies: times, places, no part of the mixture."""
        return self.folder.parent / RUNS / f"{self.folder.name}.json"

    def run(self) -> dict[str, Any]:
        """The record of the run that made it; empty where it is not there."""
        try:
            record: dict[str, Any] = json.loads(self.run_path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return record


def versions(folder: Path) -> Iterator[Mixture]:
    """All committed versions of one mixture, by name."""
    if folder.is_dir():
        for path in sorted(folder.iterdir()):
            if not path.name.startswith(".") and (path / MANIFEST).is_file():
                yield Mixture(path)


def newest(folder: Path) -> Mixture | None:
    """The version that was built last; None where there is none, or nothing says which."""
    hint = folder / LATEST
    name = hint.read_text(encoding="utf-8").strip() if hint.is_file() else ""
    return next((made for made in versions(folder) if made.folder.name == name), None)


def find(where: str, out: Path) -> Mixture:
    """The mixture that a person means: a version's folder, a mixture's folder, or `NAME[@VERSION]` under `out`.

    Raises `UsageError` (exit 2) where there is none, listing what there is.
    """
    if not where:
        raise UsageError("which mixture? Give a version's folder, or NAME[@VERSION]")
    path = Path(where)
    if (path / MANIFEST).is_file():
        return Mixture(path)
    name, _, version = where.partition("@")
    folder = path if path.is_dir() else out / name
    known = [mixture.folder.name for mixture in versions(folder)]
    if not known:
        if folder.is_dir():
            raise UsageError(f"{folder}: has no finished version yet; run its build to the end")
        names = sorted(entry.name for entry in out.iterdir() if any(versions(entry))) if out.is_dir() else []
        hint = did_you_mean(name, names) or (f"; there are {', '.join(names)}" if names else "")
        raise UsageError(f"no mixture '{where}' (looked in {out}){hint}")
    if version and version not in known:
        raise UsageError(
            f"{folder}: no version '{version}'{did_you_mean(version, known)}; there are {', '.join(known)}"
        )
    return Mixture(folder / (version or _latest(folder, known)))


def _latest(folder: Path, known: list[str]) -> str:
    hint = folder / LATEST
    name = hint.read_text(encoding="utf-8").strip() if hint.is_file() else ""
    if name in known:
        return name
    named = [version for version in known if not version.startswith("trial-")] or known
    if len(named) == 1:
        return named[0]
    raise UsageError(f"{folder}: which version? Say NAME@VERSION; there are {', '.join(known)}")
