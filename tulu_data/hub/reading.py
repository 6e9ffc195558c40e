"""Read datasets of the Hub: their commits, the names of their files, and the files in the user's own cache.

The token is that of `hf auth login` or HF_TOKEN: `huggingface_hub` finds it, and it is never
touched here. Messages contain no addresses and no headers; callers put the dataset's name
before them.
"""

from __future__ import annotations

import hashlib
import logging
import re
import time
import warnings
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path
from typing import Final, NamedTuple, TypeVar

from tulu_data.errors import HubError, printable

COMMIT: Final = re.compile(r"[0-9a-f]{40}")
# Files that describe how to read the data files.
DATASET_NAME: Final = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*", re.ASCII)
"""The name of a dataset of the Hub: ORG/NAME."""
CARDS: Final = ("README.md", ".huggingface.yaml", "dataset_infos.json")
WAITS: Final = (1.0, 2.0, 4.0, 8.0, 16.0)
"""Seconds before each further try, half a minute together; after that it is an error."""
LONGEST_WAIT: Final = 60.0
_SECONDS: Final = 30

Answer = TypeVar("Answer")


def commit_of(repo: str, revision: str | None) -> str:
    """The current commit of a branch or a tag (by default the branch `main`), in 40 hex digits.

    Without a network it is the one in the cache. Raises `HubError` (exit 7).
    """
    wanted = revision or "main"
    with asking(repo, wanted), _damage_told(repo):
        from huggingface_hub import HfApi, snapshot_download
        from huggingface_hub.errors import OfflineModeIsEnabled
        from huggingface_hub.utils import httpx  # type: ignore[attr-defined]

        try:
            commit = HfApi().dataset_info(repo, revision=wanted, timeout=_SECONDS).sha
        except (OfflineModeIsEnabled, httpx.ConnectError, httpx.TimeoutException):
            folder = snapshot_download(
                repo, repo_type="dataset", revision=wanted, local_files_only=True, allow_patterns=[]
            )
            return Path(folder).name
        # The cache then has the commit for when there is no network.
        snapshot_download(repo, repo_type="dataset", revision=wanted, allow_patterns=list(CARDS))
    assert commit
    return commit


class Listed(NamedTuple):
    """A file of a commit as the Hub lists it: its size, and its sha256 or, for a small file, the id of its git blob."""

    size: int
    digest: str


def listed(repo: str, commit: str) -> dict[str, Listed]:
    """All files of a commit, by name; its cards are in the cache then. Raises `HubError` (exit 7)."""
    with asking(repo, commit), _damage_told(repo):
        from huggingface_hub import get_cached_repo_tree, snapshot_download

        snapshot_download(repo, repo_type="dataset", revision=commit, allow_patterns=list(CARDS))
        tree = get_cached_repo_tree(repo, repo_type="dataset", revision=commit)
        entries = sorted(tree, key=lambda entry: entry.path)
        return {entry.path: Listed(entry.size, entry.lfs.sha256 if entry.lfs else entry.blob_id) for entry in entries}


def names_of(repo: str, commit: str) -> tuple[str, ...]:
    """The names of all files of a commit; its cards are in the cache then. Raises `HubError` (exit 7)."""
    return tuple(listed(repo, commit))


def fetch(repo: str, commit: str, names: Iterable[str]) -> dict[str, Path]:
    """Files of a commit in the cache, by their names; only missing ones are downloaded.

    Raises `HubError` (exit 7).
    """
    # One by one: a thread would continue to download after the command was interrupted.
    return {name: _fetched(repo, commit, name) for name in names}


def fetch_whole(repo: str, commit: str, name: str, digest: str) -> Path:
    """One file in the cache, downloaded again if its bytes are not those that the Hub lists.

    Raises `HubError` (exit 7), with the folder to remove if the cache is still damaged.
    """
    path = _fetched(repo, commit, name)
    if digest not in digests_of(path):
        try:
            path = _fetched(repo, commit, name, anew=True)
        except HubError as error:
            raise HubError(f"{_damaged(repo)} ({printable(name)} has other bytes; {error})") from None
        if digest not in digests_of(path):
            raise HubError(f"{_damaged(repo)} ({printable(name)} has other bytes than the Hub lists)")
    return path


def digests_of(path: Path) -> tuple[str, str]:
    """Both digests that the Hub may list for a file: its sha256, and the id of its git blob."""
    large = hashlib.sha256()
    blob = hashlib.sha1(b"blob %d\0" % path.stat().st_size, usedforsecurity=False)
    with path.open("rb") as file:
        while piece := file.read(1 << 20):
            large.update(piece)
            blob.update(piece)
    return large.hexdigest(), blob.hexdigest()


def _fetched(repo: str, commit: str, name: str, *, anew: bool = False) -> Path:
    with asking(repo, commit), _damage_told(repo):
        from huggingface_hub import hf_hub_download

        return Path(hf_hub_download(repo, name, repo_type="dataset", revision=commit, force_download=anew))


@contextmanager
def _damage_told(repo: str) -> Iterator[None]:
    """Turn errors of the Hub's client about a damaged cache into one that names the folder."""
    from huggingface_hub.errors import HFValidationError

    try:
        yield
    except HFValidationError:
        raise
    except (AttributeError, LookupError, TypeError, ValueError, FileExistsError, IsADirectoryError, NotADirectoryError):
        raise HubError(_damaged(repo)) from None


def _damaged(repo: str) -> str:
    from huggingface_hub import constants

    folder = Path(constants.HF_HUB_CACHE) / f"datasets--{repo.replace('/', '--')}"
    return f"the cache of the Hub's client is damaged; remove {folder} and run the same command again"


@contextmanager
def asking(
    repo: str, revision: str, passed: Collection[int] = (), away: Callable[[], HubError] | None = None
) -> Iterator[None]:
    """Turn errors of the Hub into plain messages, and keep its library silent.

    The statuses in `passed` are raised as they are; `away` is the remedy if the Hub can't be
    reached, by default to download the files elsewhere.
    """
    from huggingface_hub import errors, get_token
    from huggingface_hub.utils import httpx  # type: ignore[attr-defined]

    def not_reached() -> HubError:
        return away() if away else _not_here(repo, revision)

    none = "" if get_token() else " (there is none here)"
    try:
        with _silent():
            yield
    except errors.GatedRepoError:
        raise HubError(
            f"is gated, and your token{none} has no access; ask for it on the dataset's page, then run: hf auth login"
        ) from None
    except errors.RepositoryNotFoundError:
        raise HubError(
            f"the Hub has no such dataset, or it is private and your token{none} does not open it; "
            "check the name, or run: hf auth login"
        ) from None
    except errors.RevisionNotFoundError:
        raise HubError(
            f"the dataset has no branch, tag or commit '{printable(revision, 60)}'; "
            "name another revision, or none for the branch main"
        ) from None
    except errors.RemoteEntryNotFoundError:
        raise HubError("a file of this commit is gone; name another revision") from None
    except (errors.LocalEntryNotFoundError, errors.CachedRepoTreeNotFoundError, errors.OfflineModeIsEnabled) as error:
        raise _refused(error.__cause__) or not_reached() from None
    except errors.HfHubHTTPError as error:
        if error.response.status_code in passed:
            raise
        raise _refused(error) or not_reached() from None
    except errors.HFValidationError:
        raise HubError("is not a name of a dataset; write ORG/NAME") from None
    except httpx.TransportError:
        raise not_reached() from None


def _refused(error: BaseException | None) -> HubError | None:
    """The message for a status of the Hub, if there was one."""
    from huggingface_hub.errors import HfHubHTTPError

    if not isinstance(error, HfHubHTTPError):
        return None
    status = error.response.status_code
    is_busy = status == HTTPStatus.TOO_MANY_REQUESTS or status >= HTTPStatus.INTERNAL_SERVER_ERROR
    known = f" ({HTTPStatus(status).phrase})" if status in HTTPStatus._value2member_map_ else ""
    if status in (401, 403):
        return HubError(f"the Hub refuses your token ({status}); make a new one, then run: hf auth login")
    remedy = "wait, and run the same command again" if is_busy else "check the recipe"
    wait = seconds(error.response.headers.get("Retry-After")) if is_busy else None
    return HubError(f"the Hub answered {status}{known}; {remedy}", is_busy=is_busy, wait=wait)


def patiently(ask: Callable[[], Answer]) -> Answer:
    """Ask the Hub, again while it is busy: after the time that it gives, or 1, 2, 4, 8 and 16 seconds."""
    for wait in WAITS:
        try:
            return ask()
        except HubError as error:
            if not error.is_busy:
                raise
            time.sleep(wait if error.wait is None else error.wait)
    return ask()


def seconds(asked: str | None) -> float | None:
    """How long the Hub asks to wait, at most a minute; None if the time is not in seconds.

    >>> seconds("7"), seconds("3600"), seconds("Wed, 21 Oct"), seconds(None)
    (7.0, 60.0, None, None)
    """
    return min(float(asked), LONGEST_WAIT) if asked and asked.isdecimal() else None


def _not_here(repo: str, revision: str) -> HubError:
    return HubError(
        f"the Hub can't be reached, and the cache does not have all of it; fetch it where there is "
        f"a network: hf download {repo} --repo-type dataset --revision {printable(revision, 60)}"
    )


@contextmanager
def _silent() -> Iterator[None]:
    """Switch off progress bars, log and telemetry, and restore them afterwards."""
    from huggingface_hub import constants
    from huggingface_hub.utils import logging as hub_logging
    from huggingface_hub.utils.tqdm import are_progress_bars_disabled, disable_progress_bars, enable_progress_bars

    had_bars = not are_progress_bars_disabled()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        verbosity, telemetry = hub_logging.get_verbosity(), constants.HF_HUB_DISABLE_TELEMETRY
        disable_progress_bars()
        hub_logging.set_verbosity(logging.CRITICAL)
        constants.HF_HUB_DISABLE_TELEMETRY = True
        try:
            yield
        finally:
            constants.HF_HUB_DISABLE_TELEMETRY = telemetry
            hub_logging.set_verbosity(verbosity)
            if had_bars:
                enable_progress_bars()
