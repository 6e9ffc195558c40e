"""The versions of a mixture: find the one that a build made before, and move a new one into place."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from tulu_data.building.manifest import Identity
from tulu_data.building.run import Folders
from tulu_data.errors import ConflictError, InputError
from tulu_data.mixture import origin
from tulu_data.mixture.layout import MANIFEST
from tulu_data.mixture.mixture import LATEST, Mixture
from tulu_data.recipe.recipe import Recipe
from tulu_data.store.durable import make_folders, publish_folder, remove_folder, write_text
from tulu_data.store.workspace import Workspace


def committed(
    folder: Path, recipe: Recipe, identity: Identity, workspace: Workspace, digest: Callable[[Path], str]
) -> Mixture | None:
    """The version that the same build made before in this workspace, if it is still there, unchanged.

    Raises `ConflictError` (exit 5) where one of its files was changed, and where the version
    that the recipe names was made by another recipe or from other inputs.
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


def commit(staging: Path, target: Path, manifest: Mapping[str, Any], workspace: Workspace) -> str:
    """Move the written files to their version's folder; if the same version is there already, return why they stay.

    Raises `ConflictError` (exit 5) where a different version is there.
    """
    build = str(manifest["build"]["digest"])
    if not (target / MANIFEST).is_file():
        # Noted before the version is moved into place, so that it never looks like somebody else's.
        origin.note_built(workspace, build, Mixture(staging))
        publish_folder(staging, target)
        return ""
    before = Mixture(target)
    rows = "the same rows" if before.manifest.get("root") == manifest["root"] else "other rows"
    if origin.is_built_here(workspace, before):
        if rows != "the same rows":
            raise ConflictError(
                f"{target}: version {target.name} was made by other code or libraries, and its rows differ now "
                f"(root {before.manifest['root'][:12]}, now {manifest['root'][:12]}); name a new version"
            )
        why = "other code or libraries, the same rows"
    elif differ := origin.differing(before, manifest):
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
    return why


def restore(mixture: Mixture, folders: Folders) -> None:
    """Put the manifest's copy and LATEST in place, if they are missing. A trial has neither."""
    if mixture.manifest["trial"]:
        return
    copy = folders.manifests / mixture.manifest["name"] / f"{mixture.version}.json"
    make_folders(copy.parent)
    write_text(copy, (mixture.folder / MANIFEST).read_text(encoding="utf-8"))
    write_text(mixture.folder.parent / LATEST, f"{mixture.folder.name}\n")
