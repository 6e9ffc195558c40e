"""The manifest: the inputs and the contents of a mixture, by digest and by count.

It is written last; a mixture exists once its manifest does. Times, hosts and file names are not
in it: the same rows through the same recipe give the same bytes.
"""

from __future__ import annotations

import inspect
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from tulu_data.building.decision import Decision
from tulu_data.building.examine import Examined, Inputs
from tulu_data.building.inputs import Surveyed
from tulu_data.building.shards import Shard
from tulu_data.errors import InvariantError
from tulu_data.mixture import merkle
from tulu_data.mixture.facts import FORMAT
from tulu_data.mixture.layout import MANIFEST, SUMS
from tulu_data.recipe.plan import Plan, Step
from tulu_data.recipe.recipe import Recipe
from tulu_data.reports import MEASURED
from tulu_data.rows import kind as kinds
from tulu_data.rows.identity import by_id
from tulu_data.sources.source import Source
from tulu_data.stage import Annotator, Stage, blamed
from tulu_data.store.code_id import code_id, versions
from tulu_data.store.durable import sha256_file, write_text
from tulu_data.store.keys import key_of


@dataclass(frozen=True)
class Identity:
    """The identity of a build before it runs; `digest` covers all of it.

    `recipe` is the digest of the resolved recipe, `inputs` that of all input files, `code` that of
    this program and its stages, `limit` how many rows a trial takes of each source.
    """

    recipe: str
    inputs: str
    code: str
    limit: int | None

    @property
    def digest(self) -> str:
        return key_of(recipe=self.recipe, inputs=self.inputs, code=self.code, limit=self.limit, versions=versions())


def identify(inputs: Inputs, limit: int | None) -> Identity:
    """The identity of a build, which does not depend on file names or their order."""
    recipe = inputs.recipe
    parts = (*recipe.sources.values(), *recipe.stages)
    kind = kinds.find(recipe.kind)
    modules = {"tulu_data.building.build", *kind.modules, *(type(part).__module__ for part in parts)}
    files = {source.name: sorted(file.sha256 for file in source.files) for source in inputs.surveyed}
    prepared = [{**stage.artifacts, **stage.file_digests, **stage.facts()} for stage in recipe.stages]
    artifacts = [found for found in prepared if found]
    return Identity(
        recipe=key_of(recipe=recipe.canonical()),
        inputs=key_of(inputs=files, artifacts=artifacts) if artifacts else key_of(inputs=files),
        code=code_id(tuple(sorted(modules))),
        limit=limit,
    )


def logical_root(decision: Decision) -> str:
    """The Merkle root over (id, content hash, copies) of the kept rows, sorted by id."""
    kept = decision.kept.nonzero()[0]
    rows = kept[by_id(decision.id_words()[kept])]
    return merkle.root_of(decision.id[rows], decision.content[rows], decision.copies[rows])


def version_of(recipe: Recipe, identity: Identity, root: str) -> str:
    """The version's name: the one that the recipe gives, or 12 hex digits of a hash of rows, recipe and inputs."""
    if recipe.version and identity.limit is None:
        return recipe.version
    key = key_of(root=root, recipe=identity.recipe, inputs=identity.inputs, limit=identity.limit)[:12]
    return key if identity.limit is None else f"trial-{key}"


def counts(examined: Examined, staging: Path) -> dict[str, dict[str, Any]]:
    """For each source: read, quarantined, removed by each step, kept, and written to the files in `staging`.

    Raises `InvariantError` (exit 1) where they do not add up.
    """
    decision, shards, written = examined.decision, examined.shards, _written(staging)
    removed = decision.removed()
    rows: dict[str, dict[str, Any]] = {}
    for index, source in enumerate(decision.sources):
        own = [shard for shard in shards if shard.source == source]
        read = sum(shard.records for shard in own)
        quarantined = read - sum(shard.rows for shard in own)
        kept = int((decision.kept & (decision.source == index)).sum())
        if read != quarantined + sum(removed[source].values()) + kept:
            raise InvariantError(
                f"{source}: {read} read ≠ {quarantined} quarantined + {removed[source]} removed + {kept} kept"
            )
        copies = int(decision.copies[decision.source == index].sum())
        if written.get(source, 0) != copies:
            raise InvariantError(f"{source}: {written.get(source, 0)} rows written ≠ {copies} copies of kept rows")
        gone = {step: number for step, number in removed[source].items() if number}
        rows[source] = {"read": read, "quarantined": quarantined, "removed": gone, "kept": kept, "written": copies}
    return rows


def _written(staging: Path) -> Counter[str]:
    """Rows by source, counted in the files that were written."""
    counts: Counter[str] = Counter()
    for path in sorted((staging / "data").glob("*.parquet")):
        for entry in pq.read_table(path, columns=["source"], partitioning=None)["source"].value_counts().to_pylist():
            counts[entry["values"]] += entry["counts"]
    return counts


def compose(examined: Examined, identity: Identity, staging: Path) -> dict[str, Any]:
    """The manifest as plain values, without the files."""
    recipe, decision, shards = examined.recipe, examined.decision, examined.shards
    rows = counts(examined, staging)
    root = logical_root(decision)
    return {
        "format": FORMAT,
        "name": recipe.name,
        "version": version_of(recipe, identity, root),
        "kind": recipe.kind,
        "rows": sum(source["written"] for source in rows.values()),
        "root": root,
        "trial": None if identity.limit is None else {"rows_of_each_source": identity.limit},
        "build": {
            "digest": identity.digest,
            "recipe": identity.recipe,
            "inputs": identity.inputs,
            "code": identity.code,
            "versions": versions(),
            **({"stage_files": read} if (read := _read_by_stages(recipe)) else {}),
        },
        "sources": {
            source.name: {
                "license": source.source.license,
                "domain": source.source.domain,
                **_made_by(source.source),
                **rows[source.name],
                **({"unread": unread} if (unread := _unread(source, shards)) else {}),
                "inputs": _inputs(source, shards),
            }
            for source in examined.surveyed
        },
        "stages": [_stage(step, decision) for step in examined.plan.steps],
    }


def with_files(facts: Mapping[str, Any], files: Mapping[str, Any]) -> dict[str, Any]:
    """The manifest with these files, and for each stage the tables among them that show its measures."""
    stages = []
    for stage in facts["stages"]:
        measured = [name for name in MEASURED if f"reports/{stage['name']}-{name}.parquet" in files]
        stages.append({**stage, "reports": stage["reports"] | {name: {"kind": name} for name in measured}})
    return {**facts, "stages": stages, "files": dict(files)}


def _stage(step: Step, decision: Decision) -> dict[str, Any]:
    """A stage with its options, what it counted, and what it declares."""
    stage = step.stage
    facts = {
        "name": step.name,
        "untold": sorted(stage.untold),
        **_outside(stage),
        **({"annotates": list(stage.writes)} if isinstance(stage, Annotator) else {}),
        "options": stage.model_dump(mode="json"),
        "code": code_id((type(stage).__module__,), stage.requires),
        **stage.facts(),
        **decision.counts.get(step.name, {}),
        **({"would_remove_alone": decision.alone[step.name]} if step.name in decision.alone else {}),
    }
    with blamed(stage):
        claims = [claim.as_values() for claim in stage.claims(facts)]
    reports = {name: report.as_values() for name, report in decision.reports.get(step.name, {}).items()}
    return {**facts, "reports": reports, "claims": claims}


def _read_by_stages(recipe: Recipe) -> dict[str, dict[str, str]]:
    """The sha256 of the files that options of stages name, by the stage and the option."""
    return {step: stage.file_digests for step, stage in Plan.numbered(recipe.stages) if stage.file_digests}


def _made_by(source: Source) -> dict[str, dict[str, str]]:
    """For a source that makes its files: the versions that decide their bytes, so that they can be made again."""
    return {"made_by": {name: version(name) for name in source.made_by}} if source.made_by else {}


def _outside(stage: Stage) -> dict[str, str]:
    """For a stage from outside: its name in the recipe, and the sha256 of its file."""
    if not stage.reference:
        return {}
    return {"from": stage.reference, "sha256": sha256_file(Path(inspect.getfile(type(stage))))}


def _unread(source: Surveyed, shards: Sequence[Shard]) -> dict[str, int]:
    """The parts of a source's records that were not read, each with the number of rows that had it."""
    counted: Counter[str] = Counter()
    for shard in shards:
        if shard.source == source.name:
            counted.update(shard.unread)
    return dict(sorted(counted.items()))


def _inputs(source: Surveyed, shards: Sequence[Shard]) -> list[dict[str, Any]]:
    read: Counter[str] = Counter()
    quarantined: Counter[str] = Counter()
    for file in (file for shard in shards if shard.source == source.name for file in shard.files):
        read[file.file] += file.rows + len(file.quarantined)
        quarantined[file.file] += len(file.quarantined)
    unreadable = {
        file.sha256: {"unreadable": source.unreadable[file.path].removeprefix(f"{file.path}: ")}
        for file in source.files
        if file.path in source.unreadable
    }
    # Files with the same bytes have one entry, with the counts of one of them.
    copies = Counter((file.sha256, file.size) for file in source.files)
    return [
        {
            "sha256": sha256,
            "bytes": size,
            "files": files,
            "read": read[sha256] // files,
            "quarantined": quarantined[sha256] // files,
            **unreadable.get(sha256, {}),
        }
        for (sha256, size), files in sorted(copies.items())
    ]


def to_text(manifest: Mapping[str, Any]) -> str:
    """A manifest as the text of its file."""
    return json.dumps(manifest, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def seal(folder: Path, manifest: Mapping[str, Any]) -> None:
    """Write the manifest, then the checksums of all files, including the manifest."""
    write_text(folder / MANIFEST, to_text(manifest))
    sums = {
        **{path: entry["sha256"] for path, entry in manifest["files"].items()},
        MANIFEST: sha256_file(folder / MANIFEST),
    }
    write_text(folder / SUMS, "".join(f"{sha256}  {path}\n" for path, sha256 in sorted(sums.items())))
