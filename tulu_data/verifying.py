"""Verify a mixture wherever it is: here, or on the Hub, from where a copy is checked and thrown away."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tulu_data import hub
from tulu_data.build import build, read
from tulu_data.errors import told_of
from tulu_data.files import RECIPE
from tulu_data.mixture import located
from tulu_data.progress import Progress, Silent
from tulu_data.publishing import download, parted
from tulu_data.run import Places
from tulu_data.verify import Verification
from tulu_data.witness import Witness
from tulu_data.workspace import Workspace


def verify(
    mixture: str,
    out: Path,
    workspace: Path,
    *,
    places: Sequence[Path] = (),
    fetch: bool = False,
    rebuild: bool = False,
    trusted: Collection[str] | None = None,
    progress: Progress | None = None,
) -> Verification:
    """Check a mixture on every level that can be checked.

        verify("hf://ORG/NAME@3f0c9a7be214", Path("mixtures"), Path(".tulu-data"), places=[Path("evals")]).holds

    `places` are folders in which files of evaluation sets are found by their sha256; `fetch`
    fetches those that are datasets of the Hub; `rebuild` builds the recipe once more from its
    inputs, with nothing of `workspace`, in a folder that is thrown away; `trusted` are sha256
    of the code from outside that may run then.

    Raises `UsageError` where there is no such mixture, `RecipeError` where a rebuild would run
    other code, before anything is checked, `FindingsError` where the dataset is none, `HubError`.
    """
    progress = progress or Silent()
    with ExitStack() as stack:
        others: tuple[str, ...] = ()
        if mixture.startswith("hf://"):
            folder = Path(stack.enter_context(TemporaryDirectory(prefix="tulu-data-")))
            repository, revision = parted(mixture)
            with told_of(repository), progress.phase("fetch", None, "files") as tick:
                others = download(repository, hub.commit_of(repository, revision), folder, tick)
        else:
            folder = located(mixture, out).folder
        recipe = read(folder / RECIPE, Workspace(workspace), trusted) if rebuild else None
        if fetch:
            stack.enter_context(Workspace(workspace).held())
        tick = stack.enter_context(progress.phase("verify", None, "rows"))

        def witness(manifest: dict[str, Any]) -> Witness:
            return Witness(folder, manifest, places, Workspace(workspace).sources, fetch, tick)

        def other(manifest: dict[str, Any]) -> dict[str, Any]:
            assert recipe is not None
            with TemporaryDirectory(prefix="tulu-data-") as place:
                made = build(
                    recipe,
                    Places(Path(place) / "mixtures", Path(place) / "manifests", Path(place) / "workspace"),
                    limit=manifest["trial"] and manifest["trial"]["rows_of_each_source"],
                )
                return made.mixture.manifest

        return Verification(folder, witness, other if rebuild else None, others, runs_code=rebuild).run()
