"""Write to a dataset of the Hub: read its head, tags and digests of files, make a commit and a tag.

A call that the Hub answers with 429 or 5xx is repeated after a while. The token is that of
`hf auth login` or HF_TOKEN, and must have the right to write.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

from tulu_data.errors import ConflictError, HubError, UsageError, printable
from tulu_data.hub.reading import DATASET_NAME, WAITS, asking, digests_of, seconds

if TYPE_CHECKING:
    from huggingface_hub import HfApi

MAIN: Final = "main"
_KEPT: Final = frozenset({".gitattributes"})

Answer = TypeVar("Answer")


@dataclass(frozen=True)
class Repository:
    """One dataset, `ORG/NAME`. Every method raises `HubError` (exit 7) if the Hub refuses."""

    name: str

    def __post_init__(self) -> None:
        if not DATASET_NAME.fullmatch(self.name):
            raise UsageError(f"'{printable(self.name, 100)}' is not a name of a dataset; write ORG/NAME")

    @staticmethod
    def require_network() -> None:
        """Raise `HubError` (exit 7) at once if HF_HUB_OFFLINE is set."""
        from huggingface_hub import is_offline_mode

        if is_offline_mode():
            raise _away()

    def head(self) -> str | None:
        """The commit of the branch main; None if the dataset does not exist, or the token may not see it."""
        from huggingface_hub.errors import RepositoryNotFoundError

        def asked() -> str | None:
            try:
                return self._api.dataset_info(self.name).sha
            except RepositoryNotFoundError:
                return None

        return self._call(asked)

    def create(self, *, private: bool) -> str:
        """Make the dataset; returns its first commit."""
        self._call(lambda: self._api.create_repo(self.name, repo_type="dataset", private=private, exist_ok=True))
        head = self.head()
        assert head is not None
        return head

    def is_private(self) -> bool:
        """Whether only its owners can see it."""
        return bool(self._call(lambda: self._api.dataset_info(self.name)).private)

    def tags(self) -> dict[str, str]:
        """The commit of every tag."""
        refs = self._call(lambda: self._api.list_repo_refs(self.name, repo_type="dataset"))
        return {tag.name: tag.target_commit for tag in refs.tags}

    def files(self, commit: str) -> dict[str, str]:
        """The digest of every file of a commit: the sha256 of a large file, the id of the git blob of a small one."""
        from huggingface_hub import RepoFile

        def asked() -> list[Any]:
            return list(self._api.list_repo_tree(self.name, repo_type="dataset", revision=commit, recursive=True))

        entries = [entry for entry in self._call(asked) if isinstance(entry, RepoFile)]
        return {entry.path: entry.lfs.sha256 if entry.lfs else entry.blob_id for entry in entries}

    def holds(self, commit: str, files: Mapping[str, Path], but: Iterable[str] = ()) -> bool:
        """Whether a commit has these files, byte for byte, and no others."""
        left_out = {*but, *_KEPT}
        there = {name: digest for name, digest in self.files(commit).items() if name not in left_out}
        ours = {name: path for name, path in files.items() if name not in left_out}
        return there.keys() == ours.keys() and all(there[name] in digests_of(path) for name, path in ours.items())

    def commit(self, files: Mapping[str, Path], title: str, parent: str) -> str:
        """Commit these files, and no others, on top of `parent`; returns the commit.

        Raises `ConflictError` (exit 5) if the branch is not at `parent` any more. Large files that were sent
        before, by a call that was cut off, are not sent again.
        """
        from huggingface_hub import CommitOperationAdd, CommitOperationDelete
        from huggingface_hub.errors import HfHubHTTPError

        gone = self.files(parent).keys() - files.keys() - _KEPT
        operations: list[CommitOperationAdd | CommitOperationDelete] = [
            *(CommitOperationAdd(name, path) for name, path in sorted(files.items())),
            *(CommitOperationDelete(name) for name in sorted(gone)),
        ]

        def asked() -> str:
            made = self._api.create_commit(
                self.name,
                repo_type="dataset",
                operations=operations,
                commit_message=title,
                parent_commit=parent,
                revision=MAIN,
            )
            return str(made.oid)

        try:
            return self._call(asked)
        except HfHubHTTPError as error:
            if error.response.status_code not in (409, 412):
                raise
        # The answer to an earlier try may have been lost; then the head is our commit.
        head = self.head()
        if head is not None and head != parent and self.holds(head, files):
            return head
        raise ConflictError(
            "somebody else committed to it meanwhile, and nothing was changed; "
            "look at what they did, then run the same command again"
        )

    def tag(self, name: str, commit: str) -> None:
        """Tag a commit. Raises `ConflictError` (exit 5) if another commit has the tag."""
        from huggingface_hub.errors import HfHubHTTPError

        try:
            self._call(lambda: self._api.create_tag(self.name, tag=name, revision=commit, repo_type="dataset"))
        except HfHubHTTPError as error:
            if error.response.status_code != 409:
                raise
            if self.tags().get(name) != commit:
                raise ConflictError(f"the tag {name} is taken by another commit; name a new version") from None

    @cached_property
    def _api(self) -> HfApi:
        from huggingface_hub import HfApi

        return HfApi()

    def _call(self, ask: Callable[[], Answer]) -> Answer:
        """Ask the Hub, again while it is busy."""
        from huggingface_hub.errors import HfHubHTTPError
        from huggingface_hub.utils import httpx  # type: ignore[attr-defined]

        with asking(self.name, MAIN, passed=(409, 412), away=_away), _as_it_was():
            for wait in WAITS:
                try:
                    return ask()
                except HfHubHTTPError as error:
                    status = error.response.status_code
                    if status != 429 and status < 500:
                        raise
                    asked = seconds(error.response.headers.get("Retry-After"))
                    time.sleep(wait if asked is None else asked)
                except httpx.TransportError:
                    time.sleep(wait)
            return ask()
        raise HubError  # for the type checker: the block above returns or raises


def _away() -> HubError:
    from huggingface_hub import is_offline_mode

    if is_offline_mode():
        return HubError(
            "HF_HUB_OFFLINE is set, so nothing can be sent; unset it and run the same command again "
            "(--dry-run checks everything without a network)"
        )
    return HubError(
        "the Hub can't be reached; check the network and HF_ENDPOINT, then run the same command again: "
        "it resumes where it stopped"
    )


@contextmanager
def _as_it_was() -> Iterator[None]:
    """The original error, if the Hub's library wraps it in a RuntimeError after repeated uploads."""
    try:
        yield
    except RuntimeError as error:
        if error.__cause__ is None:
            raise
        raise error.__cause__ from None
