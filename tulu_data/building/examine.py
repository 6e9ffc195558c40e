"""From a recipe to the fate of every row: survey, ingest, scan, decide. Only the workspace is written to."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from tulu_data.building import ingest, recheck, scan
from tulu_data.building.candidates import CandidateReader
from tulu_data.building.decide import decide
from tulu_data.building.decision import Decision
from tulu_data.building.engine import Engine
from tulu_data.building.file_units import units_of
from tulu_data.building.inputs import Surveyed
from tulu_data.building.measures import Measures
from tulu_data.building.quarantine import check_quarantine, check_unreadable
from tulu_data.building.room import check_deciding
from tulu_data.building.shards import Shard
from tulu_data.building.survey import DigestUnit, digest_file, hashed, survey
from tulu_data.errors import InputError, RowError, told_of
from tulu_data.executors import Tick
from tulu_data.recipe.plan import Plan
from tulu_data.recipe.recipe import Recipe
from tulu_data.stage import prepared
from tulu_data.store.workspace import CachedTable


@dataclass(frozen=True)
class Inputs:
    """A recipe before its rows are read: its sources as they were surveyed, its stages prepared."""

    recipe: Recipe
    surveyed: tuple[Surveyed, ...]
    plan: Plan

    @classmethod
    def of(cls, recipe: Recipe, surveyed: tuple[Surveyed, ...]) -> Inputs:
        return cls(recipe.with_sources({found.name: found.source for found in surveyed}), surveyed, Plan.of(recipe))


@dataclass(frozen=True)
class Examined:
    """The fate of every row, and the data that it was decided on.

    `surveyed` lists the files that can't be read, where a source allows such files; `candidates`
    are the tables of numbers that were read for the rows that were compared.
    """

    recipe: Recipe
    surveyed: tuple[Surveyed, ...]
    plan: Plan
    measures: Measures
    decision: Decision
    candidates: tuple[CachedTable, ...]

    @property
    def shards(self) -> tuple[Shard, ...]:
        """The shards that all rows are in."""
        return self.measures.shards


def survey_inputs(recipe: Recipe, engine: Engine) -> Inputs:
    """Survey the sources of a recipe, take the digest of their files, and prepare the stages."""
    with engine.progress.phase("survey", None, "files") as tick:
        surveyed = survey(recipe, engine.workspace.sources)
        paths = dict.fromkeys(file.path for source in surveyed for file in source.files)
        surveyed = hashed(surveyed, _digests(paths, engine, tick))
    return Inputs.of(with_artifacts(recipe, engine), surveyed)


def _digests(paths: Iterable[Path], engine: Engine, tick: Tick) -> dict[Path, str]:
    known = engine.workspace.remembered(paths) if engine.trust_mtime else {}
    tick(len(known))
    units = [DigestUnit(path) for path in paths if path not in known]
    found = engine.executor.run(digest_file, units, tick)
    taken = {unit.path: digest for unit, digest in zip(units, found, strict=True)}
    engine.workspace.remember(taken)
    return {**known, **{path: digest.sha256 for path, digest in taken.items()}}


def with_artifacts(recipe: Recipe, engine: Engine) -> Recipe:
    """The recipe with its stages prepared, each with the artifacts that it needs."""
    with engine.progress.phase(_preparing(recipe), None, "stages") as tick:
        ready = []
        for stage in recipe.stages:
            with told_of(f"stages.{stage.name()}"):
                ready.append(prepared(stage, engine.workspace, engine.input_digest))
            tick(1)
    return recipe.with_stages(ready)


def _preparing(recipe: Recipe) -> str:
    if any("numba" in stage.requires for stage in recipe.stages):
        # numba takes half a second to import, so it is imported only for recipes that need it.
        from tulu_data.kernels.compiled import are_compiled

        if not are_compiled():
            return "compile kernels, once"
    return "prepare"


def examine(inputs: Inputs, engine: Engine) -> Examined:
    """Read, measure and judge all rows; what was read and measured before is reused.

    Raises `ResourceError` (exit 6) where deciding takes more memory than it may use, and
    the errors of `decide`.
    """
    surveyed, shards = read_rows(inputs, engine)
    if engine.memory is not None:
        check_deciding(sum(shard.rows for shard in shards), inputs.plan, engine.memory)
    measures = measure_rows(surveyed, shards, inputs.plan, engine)
    reader = CandidateReader(measures, engine)
    with engine.progress.phase("decide", None, "rows"):
        decision = decide(inputs.recipe, inputs.plan, measures, reader, is_trial=engine.limit is not None)
    return Examined(inputs.recipe, surveyed, inputs.plan, measures, decision, tuple(reader.used))


def read_rows(inputs: Inputs, engine: Engine) -> tuple[tuple[Surveyed, ...], list[Shard]]:
    """Read all sources into the store, unless they are there; only the first records of each if the engine has a limit.

    The sources are returned with the files that can't be read, where they allow such files.
    Raises `InputError` (exit 3) where a source has more bad records or files than it allows, or no rows.
    """
    surveyed, executor = inputs.surveyed, engine.executor
    shards: list[Shard] = []
    unreadable: dict[str, dict[Path, str]] = {source.name: {} for source in surveyed}
    with engine.progress.phase("ingest", sum(source.expected_rows for source in surveyed), "rows") as tick:
        files = [
            list(units_of(source, inputs.plan.mappers, engine.workspace, engine.shard_rows)) for source in surveyed
        ]
        if engine.limit is None:
            every = [unit for own in files for unit in own]
            results = list(zip(every, ingest.ingest_files(every, executor, tick), strict=True))
        else:
            results = [result for own in files for result in ingest.ingest_first(own, engine.limit, tick)]
        for unit, result in results:
            shards += result.shards
            engine.units.count("ingest", done=len(result.shards) - result.found, found=result.found)
            if result.unreadable:
                unreadable[unit.name][unit.files[0].path] = result.unreadable
        for _ in executor.run(recheck.check_shard, recheck.checks_of(results), lambda rows: None):
            pass
    read = tuple(replace(source, unreadable=unreadable[source.name]) for source in surveyed)
    problems = [problem for source in read if (problem := _unusable(source, shards))]
    if problems:
        raise InputError("\n".join(problems))
    return read, shards


def _unusable(surveyed: Surveyed, shards: Sequence[Shard]) -> str | None:
    """Why a source can't be used, now that all of it was read; None if it can."""
    own = [shard for shard in shards if shard.source == surveyed.name]
    try:
        check_unreadable(surveyed.source, surveyed.unreadable)
        check_quarantine(surveyed.source, own, {file.sha256: file.path for file in surveyed.files})
    except InputError as error:
        return f"sources.{surveyed.name}: {error}"
    if any(shard.rows for shard in own) or surveyed.source.allow_empty:
        return None
    return f"sources.{surveyed.name}: no record of it became a row; if that is right, say: allow_empty: true"


def measure_rows(surveyed: Sequence[Surveyed], shards: Sequence[Shard], plan: Plan, engine: Engine) -> Measures:
    """Measure all shards for all steps, unless they are measured already.

    Raises `InputError` (exit 3) with the place of a row that a stage refuses.
    """
    found = scan.what_to_measure(plan, shards, engine.workspace)
    for _ in engine.executor.run(scan.check_shard, found.checks, lambda rows: None):
        pass
    engine.units.count("scan", done=0, found=found.found)
    with engine.progress.phase("scan", sum(unit.shard.rows for unit in found.units), "rows") as tick:
        try:
            for done in engine.executor.run(scan.scan_shard, found.units, tick):
                engine.units.count("scan", done=done, found=0)
        except RowError as error:
            files = (file for own in surveyed if own.name == error.source for file in own.files)
            path = next(file.path for file in files if file.sha256 == error.file)
            raise InputError(f"sources.{error.source}: {path}:{error.row}: {error}") from None
    return found.measures
