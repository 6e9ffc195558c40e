"""Build a mixture: survey, ingest, scan, decide, write, commit. The story on one page."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
import polars as pl
import pyarrow.parquet as pq

from tulu_data import (
    card,
    croissant,
    excerpts,
    first_looks,
    ingest,
    ledger,
    manifest,
    mixture,
    report,
    scan,
    thresholds,
    trainable,
)
from tulu_data.commit import (
    locked,
    make_folders,
    publish_folder,
    refuse_link,
    remove_folder,
    remove_temporaries,
    write_text,
)
from tulu_data.decide import Decision, TripwireError, check_memory, decide
from tulu_data.errors import ConflictError, FindingsError, InputError, RowError, printable, told_of
from tulu_data.executors import Executor
from tulu_data.executors.inline import Inline
from tulu_data.explain import Explainer
from tulu_data.ingest import SHARD_ROWS, Shard
from tulu_data.look import Looker
from tulu_data.manifest import Identity
from tulu_data.mixture import LATEST, RUNS, STAGING, Mixture
from tulu_data.plan import Plan
from tulu_data.progress import Progress, Silent, Timed
from tulu_data.recipe import Recipe
from tulu_data.recipe_file import load
from tulu_data.run import Places, Run, Units
from tulu_data.scan import Scan
from tulu_data.stage import prepared
from tulu_data.survey import DigestUnit, Surveyed, check_unreadable, digest_file, survey
from tulu_data.verdicts import TWIN
from tulu_data.workspace import Workspace
from tulu_data.write import write

DEFAULT_MEMORY: Final = 4 << 30


@dataclass(frozen=True)
class Built:
    """What a build made, or found made: `status` says which, `why` the reason where it is not plain."""

    mixture: Mixture
    status: Literal["built", "unchanged"]
    why: str = ""


def build(
    recipe: Recipe | Path | str,
    places: Places | None = None,
    *,
    memory: int = DEFAULT_MEMORY,
    limit: int | None = None,
    trust_mtime: bool = False,
    shard_rows: int = SHARD_ROWS,
    executor: Executor | None = None,
    progress: Progress | None = None,
) -> Built:
    """Build the mixture of a recipe, or find it built.

        built = build("recipes/sft_mix.yaml")
        built.mixture.folder

    `memory` is in bytes; `limit` takes the first rows of each source, as a trial;
    `trust_mtime` takes size, inode and mtime of an input for its digest;
    `shard_rows` is the size of the store's shards, and `executor` where units of work run
    (in this process, if not said): neither changes a byte of the output.

    Raises what `tulu_data.errors` lists, each with its exit code. A build that was stopped
    at any moment goes on where it stopped when it is called again.
    """
    places = places or Places()
    progress = Timed(progress or Silent())
    executor = executor or Inline()
    recipe = recipe.completed() if isinstance(recipe, Recipe) else load(recipe)
    places.check()
    workspace = Workspace(places.workspace)
    surveyed = look(recipe, workspace, executor, trust_mtime=trust_mtime, progress=progress)
    recipe = prepare(recipe, workspace, trust_mtime=trust_mtime, progress=progress)
    plan = Plan.of(recipe)
    resolved = recipe.with_sources({found.name: found.source for found in surveyed})
    identity = manifest.identify(resolved, surveyed, limit)
    folder = places.out / recipe.name
    if committed := _committed(folder, recipe, identity):
        _restore(committed, places)
        return Built(committed, "unchanged")
    refuse_link(folder)
    make_folders(folder)
    make_folders(workspace.root)
    with locked(folder), locked(workspace.root, shared=True):
        if committed := _committed(folder, recipe, identity):
            return Built(committed, "unchanged")
        started = time.time()
        units = Units()
        surveyed, shards = store(surveyed, plan, workspace, shard_rows, limit, executor, units, progress)
        check_memory(sum(shard.rows for shard in shards), plan, memory)
        measured = measure(surveyed, plan, shards, workspace, executor, units, progress)
        looker = Looker(shards, measured.tables, workspace, executor)
        decision = _decide(resolved, plan, shards, measured, looker, progress, is_trial=limit is not None)
        staging = make_folders(folder / STAGING / identity.digest)
        remove_temporaries(staging)
        run = Run(identity, surveyed, shards, measured, looker.used, units, places, started, progress.seconds)
        run.write(folder / RUNS / f"{identity.digest}.json")
        # Each row is read once and each kept row written once; both tick.
        steps = sum(shard.rows for shard in shards) + int(decision.kept.sum())
        with progress.phase("write", steps, "rows") as tick:
            spill = places.workspace / "spill" / identity.digest
            written = write(resolved, decision, shards, staging, spill, executor, tick)
        units.count("write", done=written.done, found=written.found)
        # A worker that died at a file left its beginning; the unit was done again by another.
        remove_temporaries(staging)
        ledger.write(decision, shards, staging)
        write_text(staging / "recipe.yaml", resolved.to_yaml())
        with progress.phase("report", None, ""):
            thresholds.write(decision, plan, shards, measured.tables, staging)
            trainable.write(decision, plan, shards, measured.tables, staging)
            first_looks.write(decision, staging)
            private = thresholds.private_rows(decision, plan, shards, measured.tables)
            excerpts.write(Explainer(Mixture(staging), places.workspace, run.record()), private, staging)
        rows = manifest.counts(decision, shards, _written(staging))
        files = manifest.files_in(staging, but=UNPINNED | DRAWN)
        facts = manifest.compose(resolved, plan, identity, surveyed, shards, decision, rows, files)
        report.write(staging, facts)
        card.Card(staging, facts, resolved.card or "").write()
        croissant.write(staging, facts)
        facts["files"] |= manifest.files_in(staging, but=UNPINNED | files.keys())
        manifest.seal(staging, facts)
        target = folder / str(facts["version"])
        if not target.exists():
            # Before the version is there, so that it is never without its record.
            run.write(Mixture(target).run_path)
        built = _commit(staging, target, facts)
        run.write(built.mixture.run_path)
        (folder / RUNS / f"{identity.digest}.json").unlink(missing_ok=True)
        _restore(built.mixture, places)
        return built


UNPINNED: Final = frozenset({manifest.NAME, manifest.SUMS})
DRAWN: Final = frozenset({report.NAME, card.NAME, croissant.NAME})
"""What is made of the facts and of the other files; one that a build left which was stopped is none of those."""


def look(
    recipe: Recipe, workspace: Workspace, executor: Executor, *, trust_mtime: bool, progress: Progress
) -> tuple[Surveyed, ...]:
    """Survey the sources of a recipe, telling how many files were hashed."""
    with progress.phase("look", None, "files") as tick:

        def digests(paths: Sequence[Path]) -> list[str]:
            known = {path: workspace.remembered(path) if trust_mtime else None for path in paths}
            units = [DigestUnit(path, workspace) for path, sha256 in known.items() if sha256 is None]
            tick(len(known) - len(units))
            taken = dict(zip([unit.path for unit in units], executor.run(digest_file, units, tick), strict=True))
            return [known[path] or taken[path] for path in paths]

        return survey(recipe, digests, workspace.sources)


def prepare(recipe: Recipe, workspace: Workspace, *, trust_mtime: bool, progress: Progress) -> Recipe:
    """The recipe with its stages prepared, each with what it needs beside rows."""

    def digest(path: Path) -> str:
        return workspace.digest_of(path, trust_mtime=trust_mtime)

    with progress.phase(_preparing(recipe), None, "stages") as tick:
        ready = []
        for stage in recipe.stages:
            with told_of(f"stages.{stage.name()}"):
                ready.append(prepared(stage, workspace, digest))
            tick(1)
    return recipe.with_stages(ready)


def _preparing(recipe: Recipe) -> str:
    if any("numba" in stage.requires for stage in recipe.stages):
        # numba takes half a second to import; a recipe that does without does without.
        from tulu_data.kernels.compiled import are_compiled

        if not are_compiled():
            return "compile kernels, once"
    return "prepare"


def _committed(folder: Path, recipe: Recipe, identity: Identity) -> Mixture | None:
    """The version that this very build made already, if it is there.

    Raises `ConflictError` (exit 5) where the version that the recipe names was made by
    another recipe or of other inputs.
    """
    for made in mixture.versions(folder):
        was = made.manifest["build"]
        if identity.digest in (was["digest"], *made.run().get("same_rows_by", ())):
            made.check_files()
            return made
        if recipe.version == made.version and identity.limit is None:
            changed = [part for part in ("recipe", "inputs") if was[part] != getattr(identity, part)]
            if changed:
                what = "another recipe" if changed[0] == "recipe" else "other inputs"
                raise ConflictError(
                    f"{made.folder}: version {made.version} was made with {what}; "
                    "name a new version, or remove `version:` from the recipe"
                )
    return None


def store(
    surveyed: Sequence[Surveyed],
    plan: Plan,
    workspace: Workspace,
    shard_rows: int,
    limit: int | None,
    executor: Executor,
    units: Units,
    progress: Progress,
) -> tuple[tuple[Surveyed, ...], list[Shard]]:
    """Read all sources into the store, or find them there; the first `limit` records of each, if given.

    The sources come back with the files that can't be read, where they allow such files.
    """
    shards: list[Shard] = []
    unreadable: dict[str, dict[Path, str]] = {source.name: {} for source in surveyed}
    with progress.phase("ingest", sum(source.expected_rows for source in surveyed), "rows") as tick:
        files = {source.name: list(ingest.units_of(source, plan.mappers, workspace, shard_rows)) for source in surveyed}
        results: Iterable[tuple[ingest.FileUnit, ingest.FileResult]]
        if limit is None:
            whole = [unit for own in files.values() for unit in own]
            results = zip(whole, ingest.ingest_files(whole, executor, tick), strict=True)
        else:
            results = (
                pair for own in files.values() for pair in zip(own, ingest.ingest_first(own, limit, tick), strict=False)
            )
        for unit, result in results:
            shards += result.shards
            units.count("ingest", done=len(result.shards) - result.found, found=result.found)
            if result.unreadable:
                unreadable[unit.name][unit.file.path] = result.unreadable
    read = tuple(replace(source, unreadable=unreadable[source.name]) for source in surveyed)
    problems = [problem for source in read if (problem := _unusable(source, shards))]
    if problems:
        raise InputError("\n".join(problems))
    return read, shards


def _unusable(surveyed: Surveyed, shards: Sequence[Shard]) -> str | None:
    """What keeps a source from being used, now that all of it was read."""
    own = [shard for shard in shards if shard.source == surveyed.name]
    try:
        check_unreadable(surveyed.source, surveyed.unreadable)
        ingest.check_quarantine(surveyed.source, own, {file.sha256: file.path for file in surveyed.files})
    except InputError as error:
        return f"sources.{surveyed.name}: {error}"
    if any(shard.rows for shard in own) or surveyed.source.allow_empty:
        return None
    return f"sources.{surveyed.name}: no record of it became a row; if that is right, say: allow_empty: true"


def measure(
    surveyed: Sequence[Surveyed],
    plan: Plan,
    shards: Sequence[Shard],
    workspace: Workspace,
    executor: Executor,
    units: Units,
    progress: Progress,
) -> Scan:
    """Measure all shards for all steps, or find them measured.

    Raises `InputError` (exit 3) with the place of a row that a stage refuses.
    """
    measured = scan.prepare(plan, shards, workspace)
    for _ in executor.run(scan.check_shard, measured.checks, lambda rows: None):
        pass
    units.count("scan", done=0, found=measured.found)
    with progress.phase("scan", sum(unit.shard.rows for unit in measured.units), "rows") as tick:
        try:
            for done in executor.run(scan.scan_shard, measured.units, tick):
                units.count("scan", done=done, found=0)
        except RowError as error:
            files = (file for own in surveyed if own.name == error.source for file in own.files)
            path = next(file.path for file in files if file.sha256 == error.file)
            raise InputError(f"sources.{error.source}: {path}:{error.row}: {error}") from None
    return measured


def _decide(
    recipe: Recipe,
    plan: Plan,
    shards: Sequence[Shard],
    measured: Scan,
    looker: Looker,
    progress: Progress,
    *,
    is_trial: bool,
) -> Decision:
    with progress.phase("decide", None, "rows"):
        try:
            return decide(recipe, plan, shards, measured.tables, looker, is_trial=is_trial)
        except TripwireError as tripwire:
            decision, shown = tripwire.decision, () if tripwire.is_private else shards
            examples = "\n".join(_example(decision, shown, row) for row in tripwire.rows.tolist())
            raise FindingsError(f"{tripwire}\n{examples}") from None


def _example(decision: Decision, shards: Sequence[Shard], row: int) -> str:
    """One removed row as a person sees it: id, reason, twin, and how its text begins, where its shard is given."""
    named = (
        f"  {decision.ids(np.array([row]))[0]}  {decision.reasons[int(decision.reason[row])]}{_evidence(decision, row)}"
    )
    if not shards:
        return named
    index = int(decision.starts.searchsorted(row, "right")) - 1
    messages = ingest.messages_at(shards[index], row - int(decision.starts[index]))
    begins = printable(next((content for role, content in messages if role == "user"), messages[0][1]))
    return f"{named}: {begins}"


def _evidence(decision: Decision, row: int) -> str:
    step = decision.fates[int(decision.fate[row])]
    filed = decision.evidence[step].filter(pl.col("row") == row).drop("row", "copies", "reason")
    values = next(filed.iter_rows(named=True), {})
    if TWIN in values:
        twin = np.array([values[TWIN]])
        values[TWIN] = f"{decision.ids(twin)[0]} of {decision.sources[int(decision.source[twin][0])]}"
    return "".join(f", {name} {value}" for name, value in values.items())


def _written(staging: Path) -> dict[str, int]:
    """Rows by source, counted in the files that were written."""
    counts: dict[str, int] = {}
    for path in sorted((staging / "data").glob("*.parquet")):
        for entry in pq.read_table(path, columns=["source"], partitioning=None)["source"].value_counts().to_pylist():
            counts[entry["values"]] = counts.get(entry["values"], 0) + entry["counts"]
    return counts


def _commit(staging: Path, target: Path, facts: dict[str, Any]) -> Built:
    if not (target / manifest.NAME).is_file():
        publish_folder(staging, target)
        return Built(Mixture(target), "built")
    before = Mixture(target)
    if before.manifest["root"] != facts["root"]:
        raise ConflictError(
            f"{target}: version {target.name} was made by other code or libraries, and its rows differ now "
            f"(root {before.manifest['root'][:12]}, now {facts['root'][:12]}); name a new version"
        )
    remove_folder(staging)
    return Built(before, "unchanged", "other code or libraries, the same rows")


def _restore(built: Mixture, places: Places) -> None:
    """Put the manifest's copy and LATEST in place, where they are not. A trial has neither."""
    if built.manifest["trial"]:
        return
    copy = places.manifests / built.manifest["name"] / f"{built.version}.json"
    make_folders(copy.parent)
    write_text(copy, (built.folder / manifest.NAME).read_text(encoding="utf-8"))
    write_text(built.folder.parent / LATEST, f"{built.folder.name}\n")
