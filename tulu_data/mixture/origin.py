"""The origin of a version: built here, which only its workspace can tell, or brought from elsewhere.

A build notes each version that it makes in the workspace, by the digest of the build and the
sha256 of the manifest. Files under the folder of mixtures (manifests, run records, names) prove
nothing, since anybody may have put them there.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from tulu_data.errors import ConflictError, InputError
from tulu_data.mixture import facts
from tulu_data.mixture.facts import pinned
from tulu_data.mixture.layout import BESIDE, MANIFEST, SUMS
from tulu_data.mixture.mixture import Mixture
from tulu_data.store.durable import make_folders, sha256_file, write_text
from tulu_data.store.patterns import NAME_PATTERN
from tulu_data.store.workspace import Workspace

BUILT: Final = "built"
PULLED: Final = ".pulled"


def note_built(workspace: Workspace, build: str, mixture: Mixture) -> None:
    """Note that a build, given by its digest, made this version, or found that it makes the same."""
    place = workspace.root / BUILT / build / sha256_file(mixture.folder / MANIFEST)
    write_text(workspace.make_place(place), f"{mixture.version}\n")


def built(workspace: Workspace, build: str, folder: Path) -> Mixture | None:
    """The version in a mixture's folder that a build made, by the build's digest; None if it is not there.

    The caller must check its files. Raises `ConflictError` (exit 5) if its manifest can't be read.
    """
    for note in sorted((workspace.root / BUILT / build).glob("*")):
        version = note.read_text(encoding="utf-8", errors="replace").strip()
        made = Mixture(folder / version)
        if not re.fullmatch(NAME_PATTERN, version) or not (made.folder / MANIFEST).is_file():
            continue
        if sha256_file(made.folder / MANIFEST) == note.name:
            return made
        try:
            facts.read(made.folder)
        except InputError as error:
            raise ConflictError(f"{error}; this version is damaged: remove {made.folder}") from None
    return None


def is_built_here(workspace: Workspace, mixture: Mixture) -> bool:
    """Whether a build of this workspace wrote the manifest of a version."""
    manifest = mixture.folder / MANIFEST
    return manifest.is_file() and any((workspace.root / BUILT).glob(f"*/{sha256_file(manifest)}"))


def differing(mixture: Mixture, facts: Mapping[str, Any]) -> list[str]:
    """The files of a version that differ from those of a build, by the build's manifest.

    The manifests may name different code and libraries, if these made the same bytes.
    """
    theirs = {name: entry for name, entry in pinned(mixture.folder).items() if name not in BESIDE}
    ours = {**facts["files"], **{name: theirs.get(name) for name in (MANIFEST, SUMS)}}
    differ = sorted(name for name in {*ours, *theirs} if ours.get(name) != theirs.get(name))
    return differ or ([] if _without_code(mixture.manifest) == _without_code(facts) else [MANIFEST])


def _without_code(manifest: Mapping[str, Any]) -> dict[str, Any]:
    build, stages = manifest.get("build"), manifest.get("stages")
    if not isinstance(build, dict) or not isinstance(stages, list):
        return {}
    return {
        **manifest,
        "build": {name: value for name, value in build.items() if name not in ("code", "digest", "versions")},
        "stages": [{**stage, "code": ""} if isinstance(stage, dict) else None for stage in stages],
    }


def note_pulled(folder: Path, version: str, repository: str, commit: str) -> None:
    """Note beside the versions of a mixture where one of them was pulled from."""
    note = json.dumps({"repository": repository, "commit": commit}, indent=1)
    write_text(make_folders(folder / PULLED) / f"{version}.json", f"{note}\n")


def forget_pulled(mixture: Mixture) -> None:
    """Remove the note, since the version was built here as well."""
    _pulled(mixture).unlink(missing_ok=True)


def pulled_from(mixture: Mixture) -> str | None:
    """The dataset and commit that a version was pulled from, `ORG/NAME@COMMIT`; None if it was not pulled."""
    try:
        note = json.loads(_pulled(mixture).read_text(encoding="utf-8"))
        return f"{note['repository']}@{note['commit']}"
    except (OSError, ValueError, LookupError, TypeError):
        return None


def _pulled(mixture: Mixture) -> Path:
    return mixture.folder.parent / PULLED / f"{mixture.folder.name}.json"
