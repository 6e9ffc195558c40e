"""Verify a mixture here or on the Hub, of which a copy is downloaded, checked and deleted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tulu_data.errors import told_of
from tulu_data.executors.progress import Progress, Silent
from tulu_data.hub import reading
from tulu_data.mixture.mixture import located
from tulu_data.mixture.remote import download, parted
from tulu_data.store.workspace import Workspace
from tulu_data.verifying.claims import Witness
from tulu_data.verifying.levels import Verification

Rebuild = Callable[[Path], Callable[[dict[str, Any]], dict[str, Any]]]


def verify(
    mixture: str,
    out: Path = Path("mixtures"),
    workspace: Path = Path(".tulu-data"),
    *,
    evaluations: Sequence[Path] = (),
    fetch: bool = False,
    rebuild: Rebuild | None = None,
    progress: Progress | None = None,
) -> Verification:
    """Check a mixture on every possible level.

        verify("sft_mix").holds
        verify("hf://ORG/NAME@3f0c9a7be214", evaluations=[Path("evals")]).checks

    `evaluations` are folders in which files of evaluation sets are found by their sha256; `fetch`
    downloads those that are datasets of the Hub. `rebuild` takes the mixture's folder, and returns a
    function that builds it again and returns the manifest: `building.rebuild.rebuild`. It is an
    argument because modules that verify do not import those that build.

    Raises `UsageError` if the mixture does not exist, `RecipeError` if a rebuild would run other
    code, before anything is checked, `FindingsError` if the dataset is not a mixture, `HubError`.
    """
    progress = progress or Silent()
    with ExitStack() as stack:
        others: tuple[str, ...] = ()
        if mixture.startswith("hf://"):
            folder = Path(stack.enter_context(TemporaryDirectory(prefix="tulu-data-")))
            repository, revision = parted(mixture)
            with told_of(repository), progress.phase("fetch", None, "files") as tick:
                others = download(repository, reading.commit_of(repository, revision), folder, tick)
        else:
            folder = located(mixture, out).folder
        other = rebuild(folder) if rebuild else None
        if fetch:
            stack.enter_context(Workspace(workspace).held())
        tick = stack.enter_context(progress.phase("verify", None, "rows"))

        def witness(manifest: dict[str, Any]) -> Witness:
            return Witness(folder, manifest, evaluations, Workspace(workspace).sources, fetch, tick)

        return Verification(folder, witness, other, others, runs_code=rebuild is not None).run()
