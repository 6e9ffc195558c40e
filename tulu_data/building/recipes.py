"""Read recipes from their files; the recipe of a mixture that was built here is trusted."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

from tulu_data.errors import ConflictError, UsageError
from tulu_data.mixture import origin
from tulu_data.mixture.layout import RECIPE, mixture_of
from tulu_data.mixture.mixture import Mixture
from tulu_data.recipe.reading import load
from tulu_data.recipe.recipe import Recipe
from tulu_data.store.durable import sha256_file
from tulu_data.store.workspace import Workspace


def read(recipe: Recipe | Path | str, workspace: Workspace, trusted: Collection[str] | None = None) -> Recipe:
    """A recipe, read if a file is given, with the stages that its stages need."""
    if isinstance(recipe, Recipe):
        return recipe.completed()
    holder = mixture_of(Path(recipe))
    is_own = False
    if holder is not None and holder / RECIPE == Path(recipe).absolute() and workspace.root.is_dir():
        # A workspace that can't be used does not show what was built.
        with suppress(UsageError, ConflictError), workspace.held():
            is_own = _is_own(holder, workspace)
    return load(recipe, trusted, is_own=is_own)


def _is_own(folder: Path, workspace: Workspace) -> bool:
    made = Mixture(folder)
    if not origin.is_built_here(workspace, made):
        return False
    return bool(sha256_file(folder / RECIPE) == made.manifest["files"][RECIPE]["sha256"])
