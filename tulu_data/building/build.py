"""Build a mixture: survey, examine, write, report, commit."""

from __future__ import annotations

import time
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from tulu_data import report
from tulu_data.building import excerpts, first_looks, ledger, manifest, thresholds, trainable, versions
from tulu_data.building.engine import Engine
from tulu_data.building.examine import Examined, Inputs, examine, survey_inputs
from tulu_data.building.manifest import Identity
from tulu_data.building.recipes import read
from tulu_data.building.room import check_writing
from tulu_data.building.run import Folders, Run
from tulu_data.building.shards import SHARD_ROWS
from tulu_data.building.tripwire import check_left
from tulu_data.building.write import write
from tulu_data.executors import Executor
from tulu_data.executors.inline import Inline
from tulu_data.executors.progress import Progress, Silent, Timed
from tulu_data.mixture.explain import Explainer
from tulu_data.mixture.facts import pinned
from tulu_data.mixture.layout import RECIPE
from tulu_data.mixture.mixture import RUNS, STAGING, Mixture
from tulu_data.recipe.recipe import Recipe
from tulu_data.report import card, croissant
from tulu_data.store.durable import locked, make_folders, remove_folder, remove_temporaries, write_text
from tulu_data.store.workspace import Workspace

DEFAULT_MEMORY: Final = 4 << 30


@dataclass(frozen=True)
class Built:
    """The mixture of a recipe: `status` says whether it was built or already there, `why` gives a reason if needed."""

    mixture: Mixture
    recipe: Recipe
    status: Literal["built", "unchanged"]
    why: str = ""

    def as_values(self) -> dict[str, Any]:
        """The result as plain values, for JSON."""
        mixture = self.mixture
        return {
            "mixture": str(mixture.folder),
            "version": mixture.version,
            "status": self.status,
            "rows": mixture.rows,
        }


def build(
    recipe: Recipe | Path | str,
    folders: Folders | None = None,
    *,
    trusted: Collection[str] | None = None,
    memory: int = DEFAULT_MEMORY,
    limit: int | None = None,
    trust_mtime: bool = False,
    shard_rows: int = SHARD_ROWS,
    executor: Executor | None = None,
    progress: Progress | None = None,
) -> Built:
    """Build the mixture of a recipe, unless it is already built.

        built = build("recipes/sft_mix.yaml")
        built.mixture.folder

    `trusted` are the sha256 of the only code from outside that may run; by default, code that a
    recipe inside of a mixture names does not run, unless the mixture was built here. `memory` is
    in bytes; `limit` takes only this many first rows of each source, as a trial;
    `trust_mtime` recognizes an unchanged input by its size, inode and mtime, without hashing it;
    `shard_rows` is the size of the store's shards, and `executor` is where units of work run
    (this process by default): neither changes a byte of the output.

    Raises the errors of `tulu_data.errors`, each with its exit code. A build that was stopped
    at any moment resumes where it stopped when it is called again.
    """
    folders = folders or Folders()
    progress = Timed(progress or Silent())
    workspace = Workspace(folders.workspace)
    engine = Engine(workspace, executor or Inline(), progress, trust_mtime, shard_rows, limit, memory)
    recipe = read(recipe, workspace, trusted)
    folders.check(recipe.name)
    with workspace.held():
        inputs = survey_inputs(recipe, engine)
        identity = manifest.identify(inputs, limit)
        folder = folders.out / recipe.name
        built = _find(inputs, identity, folder, engine)
        if built is None:
            with locked(make_folders(folder)):
                # Another build may have made it in the meantime.
                built = _find(inputs, identity, folder, engine) or _make(inputs, identity, folders, engine, progress)
        versions.restore(built.mixture, folders)
        return built


def _find(inputs: Inputs, identity: Identity, folder: Path, engine: Engine) -> Built | None:
    made = versions.committed(folder, inputs.recipe, identity, engine.workspace, engine.output_digest)
    return Built(made, inputs.recipe, "unchanged") if made else None


def _make(inputs: Inputs, identity: Identity, folders: Folders, engine: Engine, progress: Timed) -> Built:
    started = time.time()
    examined = examine(inputs, engine)
    check_left(examined.decision)
    check_writing(examined.decision, examined.shards, folders.out, engine.memory or DEFAULT_MEMORY)

    folder = folders.out / inputs.recipe.name
    staging = make_folders(folder / STAGING / identity.digest)
    begun = folder / RUNS / f"{identity.digest}.json"
    run = Run(examined, engine.units, folders, started, progress.seconds)
    run.write(begun)

    _write(examined, identity, staging, engine)
    facts = manifest.compose(examined, identity, staging)
    with progress.phase("report", None, ""):
        _report(examined, facts, staging, run)
    sealed = _draw(facts, staging, examined.recipe.card or "")
    manifest.seal(staging, sealed)

    made = Mixture(folder / str(facts["version"]))
    if not made.folder.exists():
        # Written before the version is moved into place, so that a version never lacks its record.
        run.write(made.run_path)
    why = versions.commit(staging, made.folder, sealed, engine.workspace)
    remove_folder(engine.workspace.written(identity.digest, folder))
    run.write(made.run_path)
    begun.unlink(missing_ok=True)
    return Built(made, inputs.recipe, "unchanged" if why else "built", why)


def _write(examined: Examined, identity: Identity, staging: Path, engine: Engine) -> None:
    """Write the rows that are kept, the ledger of all rows, and the recipe."""
    remove_temporaries(staging)
    folder, workspace = staging.parents[1], engine.workspace
    # Another build may make the same mixture in another folder.
    spill, notes = workspace.spill(identity.digest, folder), workspace.written(identity.digest, folder)
    recipe, decision, shards = examined.recipe, examined.decision, examined.shards
    # Each row is read once and each kept row is written once; progress counts both.
    steps = len(decision) + int(decision.kept.sum())
    with engine.progress.phase("write", steps, "rows") as tick:
        written = write(recipe, decision, shards, staging, spill, notes, engine.executor, tick)
    engine.units.count("write", done=written.done, found=written.found)
    # A worker that died left an unfinished file; another worker did the unit again.
    remove_temporaries(staging)
    ledger.write(decision, shards, staging)
    write_text(staging / RECIPE, recipe.to_yaml())


def _report(examined: Examined, facts: dict[str, Any], staging: Path, run: Run) -> None:
    """Write the tables that the report is drawn from."""
    plan, decision, measures = examined.plan, examined.decision, examined.measures
    thresholds.write(plan, decision, measures, staging)
    trainable.write(plan, decision, measures, staging)
    first_looks.write(decision, staging)
    private = thresholds.private_rows(plan, decision, measures)
    excerpts.write(Explainer(Mixture(staging, facts), run.folders.workspace, run.record()), private, staging)


def _draw(facts: dict[str, Any], staging: Path, text: str) -> dict[str, Any]:
    """Draw report and card from the files written so far; return the manifest with all files."""
    files = pinned(staging)
    drawn_from = manifest.with_files(facts, files)
    report.write(staging, drawn_from)
    card.Card(staging, drawn_from, text).write()
    croissant.write(staging, drawn_from)
    return {**drawn_from, "files": files | pinned(staging, but=files.keys())}
