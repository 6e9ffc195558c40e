"""Build a mixture: survey, ingest, scan, decide, write, commit. The story on one page."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
import polars as pl
import pyarrow.parquet as pq

from tulu_data import report
from tulu_data.building import excerpts, first_looks, ingest, ledger, manifest, scan, thresholds, trainable
from tulu_data.building.compare import Looker
from tulu_data.building.decide import TripwireError, check_memory, decide
from tulu_data.building.decision import Decision
from tulu_data.building.inputs import Surveyed
from tulu_data.building.manifest import Identity
from tulu_data.building.run import Places, Run, Units
from tulu_data.building.scan import Scan
from tulu_data.building.shards import SHARD_ROWS, Shard, messages_at
from tulu_data.building.survey import DigestUnit, check_unreadable, digest_file, survey
from tulu_data.building.write import write
from tulu_data.errors import (
    ConflictError,
    FindingsError,
    InputError,
    ResourceError,
    RowError,
    UsageError,
    printable,
    told_of,
)
from tulu_data.executors import Executor
from tulu_data.executors.inline import Inline
from tulu_data.executors.progress import Progress, Silent, Timed
from tulu_data.mixture import origin
from tulu_data.mixture.explain import Explainer
from tulu_data.mixture.facts import pinned
from tulu_data.mixture.layout import MANIFEST, RECIPE, SUMS, mixture_of
from tulu_data.mixture.mixture import LATEST, RUNS, STAGING, Mixture
from tulu_data.recipe.plan import Plan
from tulu_data.recipe.reading import load
from tulu_data.recipe.recipe import Recipe
from tulu_data.report import card, croissant
from tulu_data.stage import prepared
from tulu_data.store.durable import (
    locked,
    make_folders,
    publish_folder,
    refuse_links,
    remove_folder,
    remove_temporaries,
    require_room,
    sha256_file,
    write_text,
)
from tulu_data.store.workspace import Workspace
from tulu_data.verdicts import TWIN

DEFAULT_MEMORY: Final = 4 << 30


@dataclass(frozen=True)
class Built:
    """What a build made, or found made: `status` says which, `why` the reason where it is not plain."""

    mixture: Mixture
    status: Literal["built", "unchanged"]
    why: str = ""

    def as_values(self) -> dict[str, Any]:
        """What was built as plain values, for JSON."""
        mixture = self.mixture
        return {
            "mixture": str(mixture.folder),
            "version": mixture.version,
            "status": self.status,
            "rows": mixture.rows,
        }


def build(
    recipe: Recipe | Path | str,
    places: Places | None = None,
    *,
    trusted: Collection[str] | None = None,
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

    `trusted` are the sha256 of the only code from outside that may run; without it none does
    that a recipe inside of a mixture names, unless that was built here. `memory` is in bytes;
    `limit` takes the first rows of each source, as a trial;
    `trust_mtime` takes size, inode and mtime of an input for its digest;
    `shard_rows` is the size of the store's shards, and `executor` where units of work run
    (in this process, if not said): neither changes a byte of the output.

    Raises what `tulu_data.errors` lists, each with its exit code. A build that was stopped
    at any moment goes on where it stopped when it is called again.
    """
    places = places or Places()
    progress = Timed(progress or Silent())
    executor = executor or Inline()
    workspace = Workspace(places.workspace)
    recipe = recipe.completed() if isinstance(recipe, Recipe) else read(recipe, workspace, trusted)
    places.check()
    for place, root in ((STAGING, places.out), (RUNS, places.out), ("", places.manifests)):
        refuse_links(root / recipe.name / place, root)
    with workspace.held():
        return _build(recipe, places, workspace, memory, limit, shard_rows, executor, progress, trust_mtime=trust_mtime)


def _build(
    recipe: Recipe,
    places: Places,
    workspace: Workspace,
    memory: int,
    limit: int | None,
    shard_rows: int,
    executor: Executor,
    progress: Timed,
    *,
    trust_mtime: bool,
) -> Built:
    surveyed = look(recipe, workspace, executor, trust_mtime=trust_mtime, progress=progress)
    recipe = prepare(recipe, workspace, trust_mtime=trust_mtime, progress=progress)
    plan = Plan.of(recipe)
    resolved = recipe.with_sources({found.name: found.source for found in surveyed})
    identity = manifest.identify(resolved, surveyed, limit)
    folder = places.out / recipe.name

    def digest(path: Path) -> str:
        return workspace.digest_of(path, trust_mtime=True) if trust_mtime else sha256_file(path)

    if committed := _committed(folder, recipe, identity, workspace, digest):
        _restore(committed, places)
        return Built(committed, "unchanged")
    make_folders(folder)
    with locked(folder):
        if committed := _committed(folder, recipe, identity, workspace, digest):
            return Built(committed, "unchanged")
        started = time.time()
        units = Units()
        surveyed, shards = store(surveyed, plan, workspace, shard_rows, limit, executor, units, progress)
        check_memory(sum(shard.rows for shard in shards), plan, memory)
        measured = measure(surveyed, plan, shards, workspace, executor, units, progress)
        looker = Looker(shards, measured.tables, workspace, executor)
        decision = _decide(resolved, plan, shards, measured, looker, progress, is_trial=limit is not None)
        _check_room(decision, shards, places, memory)
        staging = make_folders(folder / STAGING / identity.digest)
        remove_temporaries(staging)
        run = Run(identity, surveyed, shards, measured, looker.used, units, places, started, progress.seconds)
        run.write(folder / RUNS / f"{identity.digest}.json")
        # Each row is read once and each kept row written once; both tick.
        steps = sum(shard.rows for shard in shards) + int(decision.kept.sum())
        with progress.phase("write", steps, "rows") as tick:
            # Another build may make the same in another place.
            spill = workspace.spill(identity.digest, folder)
            notes = workspace.written(identity.digest, folder)
            written = write(resolved, decision, shards, staging, spill, notes, executor, tick)
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
            # Of the manifest it takes the order of the stages, which is known before its counts.
            made = Mixture.unsealed(staging, {"stages": [manifest.evidence_of(step) for step in plan.steps]})
            excerpts.write(Explainer(made, places.workspace, run.record()), private, staging)
        rows = manifest.counts(decision, shards, _written(staging))
        files = pinned(staging, but=UNPINNED | DRAWN)
        facts = manifest.compose(resolved, plan, identity, surveyed, shards, decision, rows, files)
        report.write(staging, facts)
        card.Card(staging, facts, resolved.card or "").write()
        croissant.write(staging, facts)
        facts["files"] |= pinned(staging, but=UNPINNED | files.keys())
        manifest.seal(staging, facts)
        target = folder / str(facts["version"])
        if not target.exists():
            # Before the version is there, so that it is never without its record.
            run.write(Mixture(target).run_path)
        built = _commit(staging, target, facts, workspace)
        remove_folder(notes)
        run.write(built.mixture.run_path)
        (folder / RUNS / f"{identity.digest}.json").unlink(missing_ok=True)
        _restore(built.mixture, places)
        return built


UNPINNED: Final = frozenset({MANIFEST, SUMS})
DRAWN: Final = frozenset({report.NAME, card.NAME, croissant.NAME})
"""What is made of the facts and of the other files; one that a build left which was stopped is none of those."""


def read(recipe: Path | str, workspace: Workspace, trusted: Collection[str] | None = None) -> Recipe:
    """A recipe from its file, as `recipe_file.load` reads it. That of a mixture that was built here is one's own."""
    holder = mixture_of(Path(recipe))
    is_own = False
    if holder is not None and holder / RECIPE == Path(recipe).absolute() and workspace.root.is_dir():
        # A workspace that can't be used says nothing of what was built.
        with suppress(UsageError, ConflictError), workspace.held():
            is_own = _is_own_recipe(holder, workspace)
    return load(recipe, trusted, is_own=is_own)


def _is_own_recipe(folder: Path, workspace: Workspace) -> bool:
    made = Mixture(folder)
    if not origin.is_built_here(workspace, made):
        return False
    return bool(sha256_file(folder / RECIPE) == made.manifest["files"][RECIPE]["sha256"])


def look(
    recipe: Recipe, workspace: Workspace, executor: Executor, *, trust_mtime: bool, progress: Progress
) -> tuple[Surveyed, ...]:
    """Survey the sources of a recipe, telling how many files were hashed."""
    with progress.phase("look", None, "files") as tick:

        def digests(paths: Sequence[Path]) -> list[str]:
            known = workspace.remembered(paths) if trust_mtime else {}
            units = [DigestUnit(path) for path in dict.fromkeys(paths) if path not in known]
            tick(len(known))
            taken = dict(zip([unit.path for unit in units], executor.run(digest_file, units, tick), strict=True))
            workspace.remember(taken)
            return [known.get(path) or taken[path].sha256 for path in paths]

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


def _committed(
    folder: Path, recipe: Recipe, identity: Identity, workspace: Workspace, digest: Callable[[Path], str]
) -> Mixture | None:
    """The version that this very build made already in this workspace, if it is there with every byte.

    Raises `ConflictError` (exit 5) where one of its files was changed, and where the version
    that the recipe names was made by another recipe or of other inputs.
    """
    if made := origin.built(workspace, identity.digest, folder):
        made.check_files(digest)
        return made
    there = folder / (recipe.version or "")
    if recipe.version and identity.limit is None and (there / MANIFEST).is_file():
        try:
            was = Mixture(there).manifest["build"]
        except InputError as error:
            raise ConflictError(f"{error}; this version is damaged: remove {there}") from None
        changed = [part for part in ("recipe", "inputs") if was[part] != getattr(identity, part)]
        if changed:
            what = "another recipe" if changed[0] == "recipe" else "other inputs"
            raise ConflictError(
                f"{there}: version {recipe.version} was made with {what}; "
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
            every = [unit for own in files.values() for unit in own]
            results = list(zip(every, ingest.ingest_files(every, executor, tick), strict=True))
        else:
            results = [result for own in files.values() for result in ingest.ingest_first(own, limit, tick)]
        for unit, result in results:
            shards += result.shards
            units.count("ingest", done=len(result.shards) - result.found, found=result.found)
            if result.unreadable:
                unreadable[unit.name][unit.files[0].path] = result.unreadable
        for _ in executor.run(ingest.check_shard, ingest.checks_of(results), lambda rows: None):
            pass
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


LAYOUT_BYTES_PER_ROW: Final = 100
"""What placing an output row takes in memory: eight arrays of numbers."""


def _check_room(decision: Decision, shards: Sequence[Shard], places: Places, memory: int) -> None:
    """Raise `ResourceError` (exit 6) where the rows that are to be written, repeated ones too, can't fit."""
    rows = int(decision.copies[decision.kept].sum(dtype=np.uint64))
    if rows * LAYOUT_BYTES_PER_ROW > memory:
        raise ResourceError(
            f"writing {rows:,} rows needs about {rows * LAYOUT_BYTES_PER_ROW / 1e9:.1f} GB of memory, and --memory is "
            f"{memory / 1e9:.1f} GB; raise it, or take fewer rows in the mix"
        )
    stored = sum(shard.table.path.stat().st_size for shard in shards)
    # Compressed better than the store it may be, repeated rows above all; not ten times.
    require_room(places.out, stored * rows // max(len(decision), 1) // 10, f"a mixture of {rows:,} rows")


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
    messages = messages_at(shards[index], row - int(decision.starts[index]))
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


def _commit(staging: Path, target: Path, facts: dict[str, Any], workspace: Workspace) -> Built:
    build = str(facts["build"]["digest"])
    if not (target / MANIFEST).is_file():
        # Before the version is there, so that it is never taken for a stranger's.
        origin.note_built(workspace, build, Mixture(staging))
        publish_folder(staging, target)
        return Built(Mixture(target), "built")
    before = Mixture(target)
    rows = "the same rows" if before.manifest.get("root") == facts["root"] else "other rows"
    if origin.is_built_here(workspace, before):
        if rows != "the same rows":
            raise ConflictError(
                f"{target}: version {target.name} was made by other code or libraries, and its rows differ now "
                f"(root {before.manifest['root'][:12]}, now {facts['root'][:12]}); name a new version"
            )
        why = "other code or libraries, the same rows"
    elif differ := origin.differing(before, facts):
        came = origin.pulled_from(before)
        raise ConflictError(
            f"{target}: was {f'pulled from {came}' if came else 'brought here'}, or built before {workspace.root} was "
            f"removed, and this build makes {rows} and other bytes of {', '.join(differ[:3])}"
            f"{f' and {len(differ) - 3} more' if len(differ) > 3 else ''}; it was not changed. "
            f"To have your own, move it away (mv {target} {target}.other) and run the same command again"
        )
    else:
        origin.forget_pulled(before)
        why = "the workspace did not know it; built again, it has the same bytes"
    origin.note_built(workspace, build, before)
    remove_folder(staging)
    return Built(before, "unchanged", why)


def _restore(built: Mixture, places: Places) -> None:
    """Put the manifest's copy and LATEST in place, where they are not. A trial has neither."""
    if built.manifest["trial"]:
        return
    copy = places.manifests / built.manifest["name"] / f"{built.version}.json"
    make_folders(copy.parent)
    write_text(copy, (built.folder / MANIFEST).read_text(encoding="utf-8"))
    write_text(built.folder.parent / LATEST, f"{built.folder.name}\n")
