"""Load the rows of a mixture in a notebook or a trainer: with `datasets`, polars or Arrow, from memory-mapped files."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, overload

from tulu_data.errors import FindingsError, UsageError, did_you_mean, printable, told_of
from tulu_data.hub import reading as hub
from tulu_data.mixture import mixture
from tulu_data.mixture.remote import manifest_of, parted
from tulu_data.mixture.tables import check_file, reading, require_plain
from tulu_data.store.durable import sha256_file

if TYPE_CHECKING:
    import datasets
    import polars as pl
    import pyarrow as pa

Library = Literal["datasets", "polars", "arrow"]
LIBRARIES: Final = ("datasets", "polars", "arrow")
OUT: Final = Path("mixtures")
_SPLIT: Final = re.compile(r"data/(.+)-\d{5}-of-\d{5}\.parquet")


@overload
def load(
    place: str | Path, into: Literal["datasets"] = ..., *, split: str = ..., check: bool = ...
) -> datasets.Dataset: ...
@overload
def load(place: str | Path, into: Literal["polars"], *, split: str = ..., check: bool = ...) -> pl.LazyFrame: ...
@overload
def load(place: str | Path, into: Literal["arrow"], *, split: str = ..., check: bool = ...) -> pa.Table: ...
def load(place: str | Path, into: Library = "datasets", *, split: str = "train", check: bool = False) -> Any:
    """The rows of one split of a mixture.

        load("mixtures/sft_mix/3f0c9a7be214")             # a datasets.Dataset, memory-mapped
        load("ORG/NAME@3f0c9a7be214", check=True)          # of the Hub, every byte against the manifest
        load("sft_mix@3f0c9a7be214", "polars")             # a polars.LazyFrame, which reads what it needs
        load("sft_mix", "arrow", split="validation")       # a pyarrow.Table

    `place` is a version's folder, `NAME[@VERSION]` under mixtures/, or `ORG/NAME[@VERSION]`
    of the Hub. Columns: `id` string, `messages` list of {role, content}, `source`, `domain`,
    `language` string, `tokens` int32; `tool_calls`, `tools`, and `reasoning_content` and `weight`
    of messages if a row has them; and the columns that the recipe keeps.

    Raises `UsageError` for an unknown place, library or split, `FindingsError`
    if `check` finds other bytes than the manifest names, and `HubError`.
    """
    if into not in LIBRARIES:
        raise UsageError(f"'{printable(into, 40)}' is not one of {', '.join(LIBRARIES)}{did_you_mean(into, LIBRARIES)}")
    files, manifest, folder = _files(str(place))
    named = {name: found[1] for name in manifest["files"] if (found := _SPLIT.fullmatch(name))}
    splits = sorted({*named.values()})
    if split not in splits:
        raise UsageError(f"{place}: no split '{split}'{did_you_mean(split, splits)}; there are {', '.join(splits)}")
    paths = {name: files(name) for name in sorted(named) if named[name] == split}
    for name, path in paths.items() if check else ():
        if sha256_file(path) != manifest["files"][name]["sha256"]:
            raise FindingsError(f"{place}: {name} has another sha256 than the manifest says; fetch or build it again")
    if folder is not None:
        for name in paths:
            check_file(folder, name, mixture.Mixture(folder).kind)
    with reading(place):
        return _opened([str(path) for path in paths.values()], into)


def _files(place: str) -> tuple[Callable[[str], Path], dict[str, Any], Path | None]:
    """A function that finds a file of a mixture by its name, the manifest, and the mixture's folder if it is local."""
    if not Path(place).exists() and "/" in place.partition("@")[0]:
        repository, revision = parted(place)
        with told_of(repository):
            commit = hub.commit_of(repository, revision)
            manifest = manifest_of(repository, commit)
        return lambda name: hub.fetch(repository, commit, [name])[name], manifest, None
    found = mixture.find(place, OUT)

    def file(name: str) -> Path:
        require_plain(found.folder, name)
        return found.folder / name

    return file, found.manifest, found.folder


def _opened(paths: list[str], into: Library) -> Any:
    if into == "polars":
        import polars as pl

        return pl.scan_parquet(paths, glob=False)
    if into == "arrow":
        import pyarrow as pa
        import pyarrow.parquet as pq

        files = (pq.ParquetFile(path, memory_map=True) for path in paths)
        # By row groups: the texts of a whole file may be too long for the offsets of one array.
        return pa.concat_tables(file.read_row_group(group) for file in files for group in range(file.num_row_groups))
    import datasets

    try:
        return datasets.Dataset.from_parquet(paths)
    except datasets.exceptions.DatasetGenerationError as error:
        raise error.__cause__ or error from None
