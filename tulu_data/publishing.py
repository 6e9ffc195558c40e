"""Publish a mixture on the Hub, in one commit with one tag, and download it again.

A version is published once: its tag never moves. Before anything is sent, every byte is checked
against the manifest, and every text is searched for secrets that look live.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from tulu_data.errors import ConflictError, FindingsError, UsageError, printable, told_of
from tulu_data.executors.progress import Progress, Silent
from tulu_data.hub import reading
from tulu_data.hub.writing import Repository
from tulu_data.mixture.layout import BESIDE, MANIFEST, RECIPE, SUMS
from tulu_data.mixture.mixture import STAGING, Mixture
from tulu_data.mixture.origin import note_pulled, pulled_from
from tulu_data.mixture.remote import download, manifest_of, parted
from tulu_data.readers.parquet_batches import batches
from tulu_data.store.durable import locked, make_folders, publish_folder, remove_folder
from tulu_data.text import sensitive
from tulu_data.verifying.levels import Verification

MANIFEST_ONLY: Final = (MANIFEST, SUMS, RECIPE)
SECRETS: Final = ("secret",)
SHOWN_SECRETS: Final = 10
BATCH_ROWS: Final = 8_192


class Published(NamedTuple):
    """The result of `publish`: `status` tells whether anything was sent, `files` are sizes in bytes by name."""

    repository: str
    version: str
    commit: str
    status: Literal["published", "unchanged", "dry run"]
    files: Mapping[str, int]

    def as_values(self) -> dict[str, Any]:
        """The result as plain values, for JSON."""
        return self._asdict()


def publish(
    mixture: Mixture,
    to: str,
    *,
    manifest_only: bool = False,
    private: bool = False,
    dry_run: bool = False,
    republish: bool = False,
    progress: Progress | None = None,
) -> Published:
    """Publish a mixture to the dataset `ORG/NAME`, tagged with its version.

        publish(build("recipes/sft_mix.yaml").mixture, "ORG/NAME").commit

    `manifest_only` sends manifest, recipe and checksums, for rows whose licence forbids sharing;
    `private` makes a new dataset private; `dry_run` checks everything and sends nothing;
    `republish` is needed for a mixture that was pulled from another dataset and not built here.

    Raises `FindingsError` (exit 4) if the mixture does not verify or contains a secret,
    `ConflictError` (5) if the version is published with other bytes or somebody else commits
    meanwhile, `HubError` (7). A publication that was cut off resumes where it stopped.
    """
    progress = progress or Silent()
    repository = Repository(to)
    if mixture.manifest["trial"]:
        raise UsageError(f"{mixture.folder}: is a trial; build without --limit, and publish that")
    came = pulled_from(mixture)
    if came and came.partition("@")[0] != to and not republish:
        raise UsageError(
            f"{mixture.folder}: was pulled from {printable(came, 200)}, not built here; to make it your own, build its "
            "recipe; to publish under your name what others made, give --republish"
        )
    if not dry_run:
        with told_of(to):
            repository.require_network()
    with progress.phase("verify", None, "checks") as tick:
        verification = Verification(mixture.folder).run()
        tick(len(verification.checks))
    if not verification.holds:
        wrong = next(check.wrong for check in verification.checks if check.wrong)
        raise FindingsError(f"{mixture.folder}: does not verify ({wrong}); it is not published: build it again")
    files = _files(mixture, manifest_only=manifest_only)
    with progress.phase("look for secrets", len(files), "files") as tick:
        _refuse_secrets(files, tick)
    sizes = {name: path.stat().st_size for name, path in files.items()}
    if dry_run:
        return Published(to, mixture.version, "", "dry run", sizes)
    with told_of(to), progress.phase("publish", None, "files") as tick:
        commit, is_new = _send(repository, mixture, files, private=private)
        tick(len(files))
    return Published(to, mixture.version, commit, "published" if is_new else "unchanged", sizes)


def _send(repository: Repository, mixture: Mixture, files: Mapping[str, Path], *, private: bool) -> tuple[str, bool]:
    """The commit of the version, and whether this call tagged it."""
    version = mixture.version
    head = repository.head()
    if head is None:
        head = repository.create(private=private)
    elif private and not repository.is_private():
        raise ConflictError("is there and public, and --private would hide nothing; name another, or make it private")
    if tagged := repository.tags().get(version):
        if repository.holds(tagged, files, but=BESIDE):
            return tagged, False
        raise ConflictError(f"version {version} is published already, with other bytes; name a new version")
    if not repository.holds(head, files):
        head = repository.commit(files, f"{mixture.manifest['name']} {version}", head)
    repository.tag(version, head)
    return head, True


def _files(mixture: Mixture, *, manifest_only: bool) -> dict[str, Path]:
    named = MANIFEST_ONLY if manifest_only else (*mixture.manifest["files"], MANIFEST, SUMS)
    beside = [] if manifest_only else [name for name in sorted(BESIDE) if (mixture.folder / name).is_file()]
    return {name: mixture.folder / name for name in (*named, *beside)}


def _refuse_secrets(files: Mapping[str, Path], tick: Any) -> None:
    found: list[str] = []
    for name, path in sorted(files.items()):
        found += [f"{name}{place}" for place in _secrets(path)]
        tick(1)
    if found:
        shown = "\n".join(f"  {line}" for line in found[:SHOWN_SECRETS])
        more = f"\n  and {len(found) - SHOWN_SECRETS:,} more" if len(found) > SHOWN_SECRETS else ""
        raise FindingsError(
            f"{len(found):,} secrets that look live; nothing was published. Revoke them if they are yours, "
            f"put the stage redact, or sensitive_filter, into the recipe and build again:\n{shown}{more}"
        )


def _secrets(path: Path) -> Iterator[str]:
    """The places of secrets in a file: by line, or by row of a table."""
    if path.suffix != ".parquet":
        text = path.read_text(encoding="utf-8", errors="replace")
        for secret in sensitive.find(text, SECRETS):
            yield f":{text.count(chr(10), 0, secret.start) + 1}"
        return
    row = 0
    with pq.ParquetFile(path) as parquet:
        for batch in batches(path, parquet, BATCH_ROWS):
            for place, text in _suspects(batch):
                yield from (f":{row + place + 1}" for _ in sensitive.find(text, SECRETS))
            row += batch.num_rows


def _suspects(batch: pa.RecordBatch) -> Iterator[tuple[int, str]]:
    """The texts of a batch that may contain secrets, with their rows."""
    rows = pa.array(range(batch.num_rows), pa.int64())
    for column in batch.columns:
        yield from _suspects_of(column, rows)


def _suspects_of(values: pa.Array, rows: pa.Array) -> Iterator[tuple[int, str]]:
    """The same for values of any type, with the row of each."""
    if pa.types.is_struct(values.type):
        for part in values.flatten():
            yield from _suspects_of(part, rows)
    elif pa.types.is_list(values.type) or pa.types.is_large_list(values.type):
        yield from _suspects_of(values.flatten(), rows.take(pc.list_parent_indices(values)))
    elif pa.types.is_string(values.type) or pa.types.is_large_string(values.type):
        is_suspect = pa.array(sensitive.suspects(values), pa.bool_())
        yield from zip(rows.filter(is_suspect).to_pylist(), values.filter(is_suspect).to_pylist(), strict=True)
    elif not pa.types.is_primitive(values.type) and not pa.types.is_null(values.type):
        # Builds do not write such a type, and it may contain text.
        yield from zip(rows.to_pylist(), map(str, values.to_pylist()), strict=True)


class Pulled(NamedTuple):
    """The result of `pull`: `status` tells whether the mixture was there already."""

    mixture: Mixture
    commit: str
    status: Literal["pulled", "unchanged"]

    def as_values(self) -> dict[str, Any]:
        """The result as plain values, for JSON."""
        mixture = self.mixture
        return {
            "mixture": str(mixture.folder),
            "version": mixture.version,
            "commit": self.commit,
            "status": self.status,
        }


def pull(name: str, out: Path, progress: Progress | None = None) -> Pulled:
    """Download `ORG/NAME[@VERSION]` to `out/<name>/<version>`, where it is put once it is verified.

        pull("ORG/NAME@3f0c9a7be214", Path("mixtures")).mixture

    Without a version it takes the head of the branch main. Raises `FindingsError` (exit 4)
    if the mixture does not verify, `ConflictError` (5) if that version is here with other
    bytes, `HubError` (7).
    """
    progress = progress or Silent()
    repository, revision = parted(name)
    with told_of(repository):
        commit = reading.patiently(lambda: reading.commit_of(repository, revision))
        manifest = manifest_of(repository, commit)
        folder, version = out / manifest["name"], manifest["version"]
        if revision not in (None, "main", commit, version):
            raise FindingsError(f"the tag {printable(str(revision), 60)} leads to version {version}; ask its publisher")
        make_folders(folder)
        with locked(folder):
            target = folder / version
            if (target / MANIFEST).is_file():
                return _there(Mixture(target), manifest, commit)
            staging = folder / STAGING / f"pull-{commit}"
            # Files in there were not checked; those that were downloaded are in the cache.
            remove_folder(staging)
            with progress.phase("pull", len(manifest["files"]), "files") as tick:
                download(repository, commit, make_folders(staging), tick)
            with progress.phase("verify", None, "checks"):
                verification = Verification(staging).run()
            if not verification.holds:
                remove_folder(staging)
                wrong = next(check.wrong for check in verification.checks if check.wrong)
                raise FindingsError(f"does not verify, and was not taken: {wrong}")
            note_pulled(folder, version, repository, commit)
            publish_folder(staging, target)
            return Pulled(Mixture(target), commit, "pulled")


def _there(mixture: Mixture, manifest: Mapping[str, Any], commit: str) -> Pulled:
    if mixture.manifest != manifest:
        raise ConflictError(f"{mixture.folder}: is there already, with other bytes; give another place: --out")
    mixture.check_files()
    return Pulled(mixture, commit, "unchanged")
