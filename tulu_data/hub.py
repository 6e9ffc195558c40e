"""The Hub's datasets: their commits, the names of their files, their files in the user's own cache.

The token is the one that `hf auth login` or HF_TOKEN left: it is found by `huggingface_hub`
and never touched here. Messages have no address and no header in them; whoever asks
puts the dataset's name before them.
"""

from __future__ import annotations

import logging
import re
import warnings
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path
from typing import Final

from tulu_data.errors import HubError, printable

COMMIT: Final = re.compile(r"[0-9a-f]{40}")
# What says how the data files are to be read.
CARDS: Final = ("README.md", ".huggingface.yaml", "dataset_infos.json")
_SECONDS: Final = 30


def commit_of(repo: str, revision: str | None) -> str:
    """The commit that a branch, a tag or nothing (the branch `main`) means now, in 40 hex digits.

    Without a network it is the one that the cache knows. Raises `HubError` (exit 7).
    """
    wanted = revision or "main"
    with asking(repo, wanted):
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
        # So that the cache knows the commit when there is no network.
        snapshot_download(repo, repo_type="dataset", revision=wanted, allow_patterns=list(CARDS))
    assert commit
    return commit


def names_of(repo: str, commit: str) -> tuple[str, ...]:
    """The names of all files of a commit; its cards are in the cache then. Raises `HubError` (exit 7)."""
    with asking(repo, commit):
        from huggingface_hub import get_cached_repo_tree, snapshot_download

        snapshot_download(repo, repo_type="dataset", revision=commit, allow_patterns=list(CARDS))
        tree = get_cached_repo_tree(repo, repo_type="dataset", revision=commit)
    return tuple(sorted(entry.path for entry in tree))


def fetch(repo: str, commit: str, names: Iterable[str]) -> dict[str, Path]:
    """Files of a commit in the cache, by their names; those that are there are not asked for.

    Raises `HubError` (exit 7).
    """
    with asking(repo, commit):
        from huggingface_hub import hf_hub_download

        # One by one: a thread would go on downloading when a person has stopped the command.
        return {name: Path(hf_hub_download(repo, name, repo_type="dataset", revision=commit)) for name in names}


@contextmanager
def asking(repo: str, revision: str, passed: Collection[int] = ()) -> Iterator[None]:
    """Say what the Hub refuses in plain words, and keep its library silent; the statuses `passed` go through."""
    from huggingface_hub import errors, get_token
    from huggingface_hub.utils import httpx  # type: ignore[attr-defined]

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
        raise _refused(error.__cause__) or _not_here(repo, revision) from None
    except errors.HfHubHTTPError as error:
        if error.response.status_code in passed:
            raise
        raise _refused(error) or _not_here(repo, revision) from None
    except errors.HFValidationError:
        raise HubError("is no name of a dataset; write ORG/NAME") from None
    except httpx.TransportError:
        raise _not_here(repo, revision) from None


def _refused(error: BaseException | None) -> HubError | None:
    """What a status of the Hub means, if there was one."""
    from huggingface_hub.errors import HfHubHTTPError

    if not isinstance(error, HfHubHTTPError):
        return None
    status = error.response.status_code
    known = f" ({HTTPStatus(status).phrase})" if status in HTTPStatus._value2member_map_ else ""
    if status in (401, 403):
        return HubError(f"the Hub refuses your token ({status}); make a new one, then run: hf auth login")
    remedy = "wait, and run the same command again" if status == 429 or status >= 500 else "check the recipe"
    return HubError(f"the Hub answered {status}{known}; {remedy}")


def _not_here(repo: str, revision: str) -> HubError:
    return HubError(
        f"the Hub can't be reached, and the cache does not have all of it; fetch it where there is "
        f"a network: hf download {repo} --repo-type dataset --revision {printable(revision, 60)}"
    )


@contextmanager
def _silent() -> Iterator[None]:
    """No progress bars, no log, no telemetry; afterwards as it was."""
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
