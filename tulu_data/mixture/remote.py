"""A mixture on the Hub: its name, its manifest, and a copy of its files."""

from __future__ import annotations

import json
import os
import re
import shutil
from pathlib import Path
from typing import Any

from tulu_data.errors import FindingsError, UsageError, printable
from tulu_data.hub import reading
from tulu_data.hub.reading import DATASET_NAME
from tulu_data.mixture import facts
from tulu_data.mixture.facts import FORMAT, MAX_BYTES
from tulu_data.mixture.layout import BESIDE, MANIFEST, SUMS, unknown
from tulu_data.store.durable import make_folders, require_room
from tulu_data.store.patterns import NAME_PATTERN


def parted(name: str) -> tuple[str, str | None]:
    """The dataset and the revision of `ORG/NAME[@REVISION]`, with or without `hf://` before it.

    >>> parted("hf://org/mix@v1"), parted("org/mix")
    (('org/mix', 'v1'), ('org/mix', None))
    """
    repository, _, revision = name.removeprefix("hf://").removeprefix("datasets/").partition("@")
    if not DATASET_NAME.fullmatch(repository):
        raise UsageError(f"'{printable(name, 100)}' is not a dataset of the Hub; write ORG/NAME or ORG/NAME@VERSION")
    return repository, revision or None


def download(repository: str, commit: str, folder: Path, tick: Any = lambda done: None) -> tuple[str, ...]:
    """Download a mixture from the Hub into a folder; return the names of files there that do not belong to it.

    The latter are not fetched. Raises `ResourceError` (exit 6) if the disk has no room for the mixture.
    """
    manifest = manifest_of(repository, commit)
    listed = reading.patiently(lambda: reading.listed(repository, commit))
    own = {*manifest["files"], MANIFEST, SUMS}
    wanted = {name: entry for name, entry in listed.items() if name in own}
    if len(wanted) < len(own) and not any(name.startswith("data/") for name in wanted):
        raise FindingsError("has the manifest of a mixture and not its rows, which were kept at home (--manifest-only)")
    require_room(folder, sum(entry.size for entry in wanted.values()), "what was published")
    for name, entry in wanted.items():
        _copy(_fetch(repository, commit, name, entry), folder / name)
        tick(1)
    return tuple(sorted(listed.keys() - wanted.keys() - BESIDE - {".gitattributes"}))


def _fetch(repository: str, commit: str, name: str, entry: reading.Listed) -> Path:
    return reading.patiently(lambda: reading.fetch_whole(repository, commit, name, entry.digest))


def _copy(source: Path, target: Path) -> None:
    make_folders(target.parent)
    temporary = target.with_name(f"{target.name}.tmp")
    shutil.copyfile(source, temporary)
    with temporary.open("rb") as file:
        os.fsync(file.fileno())
    temporary.rename(target)


def manifest_of(repository: str, commit: str) -> dict[str, Any]:
    """The manifest of a mixture on the Hub, checked to name only files that a mixture can have."""
    entry = reading.patiently(lambda: reading.listed(repository, commit)).get(MANIFEST)
    if entry is None:
        raise FindingsError(f"has no {MANIFEST}: it is not a mixture of tulu-data")
    if entry.size > MAX_BYTES:
        raise FindingsError(f"{MANIFEST} has over {MAX_BYTES:,} bytes")
    path = _fetch(repository, commit, MANIFEST, entry)
    try:
        manifest: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        named = [manifest["name"], manifest["version"]]
        is_one = manifest["format"] == FORMAT and all(re.fullmatch(NAME_PATTERN, name) for name in named)
        is_one = is_one and isinstance(manifest.get("rows", 0), int) and isinstance(manifest["files"], dict)
        strange = unknown(manifest["files"])
    except (ValueError, KeyError, TypeError, RecursionError):
        is_one = False
    if not is_one:
        raise FindingsError(f"{MANIFEST} is not a '{FORMAT}'")
    if strange is not None:
        raise FindingsError(f"{MANIFEST} names '{printable(strange, 80)}', which is not a file inside of the mixture")
    try:
        return facts.parsed(path.read_bytes())
    except ValueError as error:
        raise FindingsError(f"{MANIFEST}: {error}") from None
