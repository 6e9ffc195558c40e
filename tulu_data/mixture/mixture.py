"""A committed mixture for readers, who need no lock and never find it half-written."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Final

import polars as pl
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tulu_data import stages
from tulu_data.claims import Claim
from tulu_data.errors import ConflictError, TuluDataError, UsageError, did_you_mean, printable
from tulu_data.mixture import declared, facts, tables
from tulu_data.mixture.layout import KEPT, MANIFEST, RECIPE, TAKE
from tulu_data.readers.yaml import MAX_BYTES
from tulu_data.rows import kind as kinds
from tulu_data.rows.kind import Kind
from tulu_data.stage import Stage
from tulu_data.store import parquet
from tulu_data.store.durable import sha256_file

LATEST: Final = "LATEST"
STAGING: Final = ".staging"
RUNS: Final = ".runs"
MAX_NAME_BYTES: Final = 1_024


_Key = Annotated[str, Field(pattern=tables.SHA256)]
_Count = Annotated[int, Field(strict=True, ge=0)]


class _Run(BaseModel):
    """The record of a run, with the types of the parts that are read."""

    model_config = ConfigDict(extra="allow")

    files: dict[str, str] = {}
    # Source, file, key and number of a shard, and where the file's rows are in it; old records mean the whole shard.
    store: list[tuple[str, str, _Key, _Count, _Count, _Count] | tuple[str, str, _Key, _Count]] = []
    workspace: str = ".tulu-data"


@dataclass(frozen=True)
class Mixture:
    """One version of a mixture, in its folder; `unsealed` is its manifest if that is not written yet.

        mixture = Mixture(Path("mixtures/sft_mix/3f0c9a7be214"))
        mixture.manifest["root"], mixture.rows, mixture.reports("evaluations")

    Nothing is read before it is asked for, and nothing is trusted: a damaged file is an `InputError`.
    """

    folder: Path
    unsealed: dict[str, Any] | None = field(default=None, compare=False, repr=False)

    @cached_property
    def manifest(self) -> dict[str, Any]:
        """The manifest as plain values, checked.

        Raises `InputError` (exit 3) if it is not a valid manifest.
        """
        return facts.read(self.folder)[0] if self.unsealed is None else self.unsealed

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

    @cached_property
    def kind(self) -> Kind:
        """The kind of its rows. Raises `InputError` (exit 3) where this program does not have it."""
        try:
            return kinds.find(self.manifest["kind"])
        except ValueError as error:
            raise tables.DamagedError.of(self.folder, MANIFEST, f"kind: {error}") from None

    @property
    def version(self) -> str:
        return str(self.manifest["version"])

    @cached_property
    def data(self) -> list[Path]:
        """The files of rows, in order."""
        return self._tables("data")

    @cached_property
    def ledger(self) -> list[Path]:
        """The files of the ledger, in order."""
        return self._tables("ledger")

    def ledger_rows(self) -> pl.LazyFrame:
        """The rows of the ledger, checked once for invalid values and repeated ids."""
        return self.checked(*self.ledger)

    @cached_property
    def places(self) -> list[Path]:
        """The files that say which record of which file a row was, in order."""
        return self._tables("places")

    def _tables(self, kind: str) -> list[Path]:
        found = self._files(f"{kind}/*.parquet")
        if not found:
            raise tables.DamagedError.of(self.folder, kind, "holds no table")
        return found

    @cached_property
    def evidence(self) -> dict[str, Path]:
        """The evidence of each stage that has any."""
        found = self._files("evidence/*.parquet")
        return self._of_steps({path.stem: path for path in found})

    @cached_property
    def shown(self) -> list[declared.Shown]:
        """The reports of its stages, by the names of their files."""
        with self.reading():
            return declared.reports(self.folder, self.manifest, self.kind)

    def reports(self, kind: str) -> dict[str, Path]:
        """For each step that has a report of this kind: its table.

            mixture.reports("clusters")

        | kind | the table holds |
        |---|---|
        | `evaluations` | what each source shares with each evaluation set |
        | `near` | rows that are near an evaluation item without holding it |
        | `clusters` | rows that are nearly the same, by cluster |
        | `overlap` | how many rows of each source were removed in favour of rows of each |
        | `strata` | what a mix was to take of each stratum, and what it took |
        | `scores` | the values that thresholds are compared with, in bins |
        | `thresholds` | what other values of thresholds would remove |
        | `trainable` | the tokens that are trained on |
        """
        return {shown.step: shown.path for shown in self.shown if shown.kind == kind}

    def columns_of(self, name: str) -> tables.Columns | None:
        """The columns that a table of this name must have; for a report they depend on its kind."""
        shown = {report.file: report.kind for report in self.shown} if name.startswith("reports/") else {}
        return tables.REPORTS.get(shown.get(name, "")) or tables.columns_of(name, self.kind)

    def claims(self, step: str) -> list[Claim]:
        """The claims of one of its stages about the kept rows; empty if this program refuses its options."""
        try:
            return declared.claims(self._entry(step))
        except (ValueError, TuluDataError):
            return []

    def untold(self, step: str) -> frozenset[str]:
        """The columns of a stage's evidence that are not shown to people."""
        return declared.untold(self._entry(step))

    def _entry(self, step: str) -> dict[str, Any]:
        return next((stage for stage in self.manifest["stages"] if stage["name"] == step), {"name": step})

    def _files(self, pattern: str) -> list[Path]:
        return tables.files_in(self.folder, pattern, self.kind)

    def _of_steps(self, found: dict[str, Path]) -> dict[str, Path]:
        names = {stage["name"] for stage in self.manifest["stages"]}
        strange = next((path for step, path in found.items() if step not in names), None)
        if strange is not None:
            name = strange.relative_to(self.folder).as_posix()
            raise tables.DamagedError.of(self.folder, name, "is of no stage of the manifest")
        return found

    def scan(self, *files: Path) -> pl.LazyFrame:
        """Some of its tables with the same columns; their values are not checked."""
        return pl.scan_parquet(list(files), glob=False)

    def checked(self, *files: Path) -> pl.LazyFrame:
        """The same, with values that were checked, once, to be such as a build writes."""
        scanned = self.scan(*files)
        if files not in self._checked:
            with self.reading():
                self.check(scanned, files[0])
            self._checked.add(files)
        return scanned

    @cached_property
    def _checked(self) -> set[tuple[Path, ...]]:
        return set()

    def read(self, path: Path, columns: Sequence[str] | None = None) -> pl.DataFrame:
        """One of its tables. Raises `InputError` (exit 3) if it holds a value that no build writes."""
        name = path.relative_to(self.folder).as_posix()
        tables.check_file(self.folder, name, self.kind, self.columns_of(name))
        with self.reading():
            frame = parquet.read_frame(path, columns)
            self.check(frame, path)
        return frame

    def check(self, frame: pl.DataFrame | pl.LazyFrame, path: Path) -> None:
        """Raise `InputError` (exit 3) if a frame of one of its tables holds a value that no build writes."""
        name = path.relative_to(self.folder).as_posix()
        tables.check_values(self.folder, name, frame, self.kind, self.columns_of(name))

    def reading(self) -> AbstractContextManager[None]:
        """Raise an `InputError` (exit 3) that names the mixture if a page of one of its tables is damaged."""
        return tables.reading(self.folder)

    def recipe_text(self) -> str:
        """The text of its resolved recipe. Raises `InputError` (exit 3) if there is none."""
        tables.require_plain(self.folder, RECIPE)
        if (self.folder / RECIPE).stat().st_size > MAX_BYTES:
            raise tables.DamagedError.of(self.folder, RECIPE, f"has over {MAX_BYTES:,} bytes")
        with self.reading():
            return (self.folder / RECIPE).read_text(encoding="utf-8")

    @cached_property
    def stages(self) -> list[dict[str, Any]]:
        """The stages of the manifest; for those that this program has, with all options, defaults included.

        Raises `InputError` (exit 3) for options that a stage refuses.
        """
        found = []
        for place, stage in enumerate(self.manifest["stages"]):
            try:
                found.append({**stage, "options": options_of(stage)})
            except ValueError as error:
                what = f"stages[{place}].options{error}"
                raise tables.DamagedError.of(self.folder, MANIFEST, what) from None
        return found

    @property
    def steps(self) -> list[str]:
        """The steps that can remove a row, in order: `take` if it did, and all stages that don't only write columns."""
        takes = [TAKE] if any(TAKE in row["removed"] for row in self.rows.values()) else []
        return [*takes, *(stage["name"] for stage in self.manifest["stages"] if "annotates" not in stage)]

    @cached_property
    def fates(self) -> dict[str, int]:
        """The fates of rows, numbered in order: `take`, the stages in their order, and last `kept`."""
        names = [TAKE, *(stage["name"] for stage in self.manifest["stages"]), KEPT]
        return {name: place for place, name in enumerate(names)}

    def options_of(self, step: str) -> dict[str, Any]:
        """The options of one of its stages, as the manifest has them."""
        options: dict[str, Any] = next(stage["options"] for stage in self.stages if stage["name"] == step)
        return options

    def stage_of(self, step: str) -> Stage | None:
        """One of its stages by the name of its step, made of the options in the manifest.

        None if it is from outside, since such code is never run, or if it has options that the
        stage of this program refuses.
        """
        try:
            return declared.stage_of(self._entry(step))
        except (ValidationError, TypeError, KeyError):
            return None

    @property
    def rows(self) -> dict[str, dict[str, Any]]:
        """For each source: read, quarantined, removed by stage, kept, written."""
        names = ("read", "quarantined", "removed", "kept", "written")
        return {source: {name: entry[name] for name in names} for source, entry in self.manifest["sources"].items()}

    @property
    def run_path(self) -> Path:
        """The path of the record of the run that made it: times and places, which are not part of the mixture."""
        return self.folder.parent / RUNS / f"{self.folder.name}.json"

    def run(self) -> dict[str, Any]:
        """The parts of the record of its run that are read; empty if the record is missing or invalid."""
        try:
            return _Run.model_validate_json(self.run_path.read_bytes()).model_dump()
        except (OSError, ValidationError):
            return {}


def options_of(stage: Mapping[str, Any]) -> dict[str, Any]:
    """All options of a stage of a manifest, defaults included, as plain values.

    The options of a stage that this program does not have are not checked, since no code from
    outside is imported. Raises `ValueError` if the stage refuses them.
    """
    options: dict[str, Any] = stage["options"]
    kind = None if "from" in stage else stages.of_step(stage["name"])
    if kind is None:
        return options
    try:
        return kind.model_validate(options).model_dump(mode="json")
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        where = "".join(f".{part}" for part in first["loc"])
        raise ValueError(printable(f"{where}: {first['msg'].removeprefix('Value error, ').lower()}", 200)) from None
    except TuluDataError as error:
        raise ValueError(f": {printable(str(error), 200)}") from None


def versions(folder: Path) -> Iterator[Mixture]:
    """All committed versions of one mixture, by name."""
    if folder.is_dir():
        for path in sorted(folder.iterdir()):
            if not path.name.startswith(".") and (path / MANIFEST).is_file():
                yield Mixture(path)


def newest(folder: Path) -> Mixture | None:
    """The version that was built last; None if there is none, or if it is unknown."""
    name = _named_latest(folder)
    return next((made for made in versions(folder) if made.folder.name == name), None)


def _named_latest(folder: Path) -> str:
    """The name in `LATEST`, which is only a hint: any other content is not the name of a version."""
    hint = folder / LATEST
    if not hint.is_file():
        return ""
    with hint.open("rb") as file:
        return file.read(MAX_NAME_BYTES).decode(errors="replace").strip()


def find(where: str, out: Path) -> Mixture:
    """The mixture that a person means: a version's folder, a mixture's folder, or `NAME[@VERSION]` under `out`.

    Raises `UsageError` (exit 2) if there is none, with a list of the known ones, and
    `InputError` (exit 3) if its manifest is not valid.
    """
    found = located(where, out)
    # Checked here, so that readers of its tables have a valid manifest.
    _ = found.manifest
    return found


def located(where: str, out: Path) -> Mixture:
    """The same, without a check of its manifest."""
    if not where:
        raise UsageError("which mixture? Give a version's folder, or NAME[@VERSION]")
    path = Path(where)
    if (path / MANIFEST).is_file():
        return Mixture(path)
    name, _, version = where.partition("@")
    folder = path if path.is_dir() else out / name
    known = [mixture.folder.name for mixture in versions(folder)]
    if not known:
        if (folder / STAGING).is_dir():
            raise UsageError(f"{folder}: has no finished version yet; run its build to the end")
        if folder.is_dir():
            raise UsageError(
                f"{folder}: no {MANIFEST} in it, and none in the folders in it: not a tulu-data mixture; "
                "give a version's folder, or NAME[@VERSION]"
            )
        names = sorted(entry.name for entry in out.iterdir() if any(versions(entry))) if out.is_dir() else []
        hint = did_you_mean(name, names) or (f"; there are {', '.join(names)}" if names else "")
        raise UsageError(f"no mixture '{where}' (looked in {out}){hint}")
    if version and version not in known:
        raise UsageError(
            f"{folder}: no version '{version}'{did_you_mean(version, known)}; there are {', '.join(known)}"
        )
    return Mixture(folder / (version or _latest(folder, known)))


def _latest(folder: Path, known: list[str]) -> str:
    name = _named_latest(folder)
    if name in known:
        return name
    named = [version for version in known if not version.startswith("trial-")] or known
    if len(named) == 1:
        return named[0]
    raise UsageError(f"{folder}: which version? Say NAME@VERSION; there are {', '.join(known)}")
