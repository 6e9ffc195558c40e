"""Build a mixture again from its own recipe, without reusing any earlier result."""

from __future__ import annotations

from collections.abc import Callable, Collection
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tulu_data.building.build import build
from tulu_data.building.recipes import read
from tulu_data.building.run import Folders
from tulu_data.mixture.layout import RECIPE
from tulu_data.store.workspace import Workspace


def rebuild(
    folder: Path, workspace: Path = Path(".tulu-data"), trusted: Collection[str] | None = None
) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """Read the recipe of a mixture; return a function that builds it and returns the manifest of the new build.

        verify("sft_mix", rebuild=rebuild)

    `workspace` shows whether the mixture was built here; nothing else in it is used. `trusted` are
    the sha256 of the code from outside that may run. The function takes the manifest of the
    mixture, builds in a temporary folder, and removes the new build.

    Raises `RecipeError` (exit 2) where the recipe would run other code.
    """
    recipe = read(folder / RECIPE, Workspace(workspace), trusted)

    def again(manifest: dict[str, Any]) -> dict[str, Any]:
        with TemporaryDirectory(prefix="tulu-data-") as place:
            made = build(
                recipe,
                Folders(Path(place) / "mixtures", Path(place) / "manifests", Path(place) / "workspace"),
                limit=manifest["trial"] and manifest["trial"]["rows_of_each_source"],
            )
            return made.mixture.manifest

    return again
