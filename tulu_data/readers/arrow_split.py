"""One split of a dataset as Arrow files: written by `datasets` from data files, read without it.

`datasets` is given a folder and no network. It chooses a reader for the files by their
endings; only readers of plain tables are let through, before any file is opened.
"""

from __future__ import annotations

import errno
import itertools
import logging
import re
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Final

import pyarrow as pa

from tulu_data import patterns
from tulu_data.errors import RESOURCE_ERRNOS, InputError, ResourceError, did_you_mean, printable, told_of
from tulu_data.readers.arrow_record import BATCH_ROWS, column_names

READERS: Final = ("arrow", "csv", "json", "parquet")
# The others open archives, images or formats that can run code.
ENDINGS: Final = (".arrow", ".csv", ".json", ".jsonl", ".parquet", ".tsv")
LIBRARIES: Final = ("datasets", "pandas", "pyarrow")
_ARCHIVES: Final = (".7z", ".rar", ".tar", ".tgz", ".zip")
_SHARD_SIZE: Final = "500MB"
_DEFAULT: Final = "default"


def is_inside(pattern: str) -> bool:
    """Whether a path or pattern stays in the folder of its dataset.

    >>> [is_inside(path) for path in ("data/*.parquet", "../a.jsonl", "/a.jsonl", "https://example.org/a.jsonl")]
    [True, False, False, False]
    """
    path = PurePosixPath(pattern)
    return not path.is_absolute() and ".." not in path.parts and "::" not in pattern and "://" not in pattern


@dataclass(frozen=True)
class Split:
    """Which rows of a dataset: a config, a split, and perhaps the data files that it is of."""

    config: str | None
    name: str
    data_files: tuple[str, ...]

    def open(self, folder: Path, cache: Path) -> Builder:
        """Find the split's data files in a folder, and what reads them; no data file is opened.

        Raises `InputError` (exit 3) for a config or split that is not there, a card that
        leads out of the folder, and data that no plain reader reads.
        """
        if (folder / f"{folder.name}.py").is_file():
            raise InputError(
                f"has a dataset script, {printable(folder.name)}.py, and scripts are never run; the Hub keeps the data "
                "of many such datasets as Parquet: revision: refs/convert/parquet"
            )
        configs = _configs(folder)
        known = list(configs) or [_DEFAULT]
        if self.config is not None and self.config not in known:
            raise InputError(f"no config '{self.config}'; {_listed(self.config, known)}")
        if self.config is None and len(known) > 1 and configs.get_default_config_name() is None:
            raise InputError(f"which config? Say config: …; there are {', '.join(map(_shown, known))}")
        with _told_by_datasets(folder, self.data_files):
            import datasets

            opened = datasets.load_dataset_builder(
                str(folder), self.config, data_files=list(self.data_files) or None, cache_dir=str(cache)
            )
        if opened.name not in READERS:
            raise InputError(
                f"its data is read as '{opened.name}', which may run code or is no table of texts; "
                f"only {', '.join(READERS)} are read"
            )
        splits = {str(split): tuple(map(Path, paths)) for split, paths in opened.config.data_files.items()}
        if self.name not in splits:
            raise InputError(f"no split '{self.name}'; {_listed(self.name, list(splits))}")
        files = splits[self.name]
        archive = next((path.name for path in files if path.name.lower().endswith(_ARCHIVES)), None)
        if archive is not None:
            raise InputError(f"{printable(archive)}: archives are not read; unpack it into a local folder")
        return Builder(opened, self.name, files)


@dataclass(frozen=True)
class Builder:
    """An opened split: `files` are its data files, in the order in which they are read."""

    opened: Any
    split: str
    files: tuple[Path, ...]

    @property
    def reader(self) -> str:
        """What reads the data files."""
        return str(self.opened.name)

    def write(self, folder: Path) -> list[Path]:
        """Write the rows as Arrow files into a new folder; the files, in order."""
        if not any(path.stat().st_size for path in self.files):
            return []
        first, last = self.files[0].name, self.files[-1].name
        read = printable(first if len(self.files) == 1 else f"{first} … {last} ({len(self.files)} files)")
        with told_of(read), _told_by_datasets():
            from datasets.data_files import DataFilesDict
            from datasets.splits import SplitDict

            self.opened.config.data_files = DataFilesDict({self.split: self.opened.config.data_files[self.split]})
            # The number of rows that a card states is held against what is there.
            stated, kept = self.opened.info.splits or {}, SplitDict()
            if self.split in stated:
                kept.add(stated[self.split])
            self.opened.info.splits = kept or None
            self.opened.download_and_prepare(output_dir=str(folder), max_shard_size=_SHARD_SIZE)
        return sorted(folder.glob("*.arrow"))


@contextmanager
def opened(
    file: Path, columns: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], int, Iterator[pa.RecordBatch]]]:
    """The columns of an Arrow file, its number of rows, and some columns of it in small batches.

    The file is mapped, not read: batches point into it. Raises `InputError` (exit 3) for a
    file that is damaged.
    """
    try:
        with pa.memory_map(str(file)) as mapped:
            whole = pa.ipc.open_stream(mapped)
            names = column_names(file, whole.schema)
            rows = sum(batch.num_rows for batch in whole)
            wanted = [index for index, name in enumerate(names) if not columns or name in columns]
            mapped.seek(0)
            yield names, rows, _batches(file, mapped, wanted)
    except (pa.ArrowException, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise _damaged(file, error) from None


def _batches(file: Path, mapped: pa.MemoryMappedFile, wanted: list[int]) -> Iterator[pa.RecordBatch]:
    try:
        if not wanted:
            # To Arrow, no columns named are all columns.
            for batch in pa.ipc.open_stream(mapped):
                yield batch.select([])
            return
        for batch in pa.ipc.open_stream(mapped, options=pa.ipc.IpcReadOptions(included_fields=wanted)):
            _validate(batch)
            for start in range(0, batch.num_rows, BATCH_ROWS):
                yield batch.slice(start, BATCH_ROWS)
    except (pa.ArrowException, OSError) as error:
        raise _damaged(file, error) from None


def _validate(batch: pa.RecordBatch) -> None:
    """Raise where offsets lead out of the buffers; text that is not UTF-8 costs its own row later."""
    for column in batch.columns:
        try:
            column.validate(full=True)
        except pa.ArrowInvalid as error:
            if "UTF8" not in str(error):
                raise


def _damaged(file: Path, error: Exception) -> InputError:
    return InputError(f"{file}: damaged, or not Arrow: {str(error).splitlines()[0]}; remove it, and build again")


def _configs(folder: Path) -> Any:
    """The configs that the cards of a dataset declare, by name, after a look at their paths."""
    with _told_by_datasets():
        from datasets.utils.metadata import MetadataConfigs
        from huggingface_hub import DatasetCard, DatasetCardData
        from ruamel.yaml import YAML

        readme, standalone = folder / "README.md", folder / ".huggingface.yaml"
        card = DatasetCard.load(readme).data.to_dict() if readme.is_file() else {}
        if standalone.is_file():
            card |= YAML(typ="safe", pure=True).load(standalone.read_text(encoding="utf-8")) or {}
        configs = MetadataConfigs.from_dataset_card_data(DatasetCardData(**card))
    for name, parameters in configs.items():
        paths = _texts([parameters.get("data_files"), parameters.get("data_dir")])
        outside = next((path for path in paths if not is_inside(path)), None)
        if outside is not None:
            raise InputError(
                f"its card's config '{_shown(name)}' names '{printable(outside)}', which lies outside of the dataset; "
                "it is not read"
            )
    return configs


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        yield from itertools.chain.from_iterable(map(_texts, value.values()))
    elif isinstance(value, list):
        yield from itertools.chain.from_iterable(map(_texts, value))


def _shown(name: object) -> str:
    return printable(str(name), 40)


def _listed(word: str, names: list[str]) -> str:
    more = ", …" if len(names) > 20 else ""
    shown = ", ".join(map(_shown, names[:20]))
    return f"there {'are' if len(names) > 1 else 'is'} {shown}{more}{did_you_mean(word, names)}"


@contextmanager
def _told_by_datasets(folder: Path | None = None, said: tuple[str, ...] = ()) -> Iterator[None]:
    """Keep `datasets` silent, and say what it refuses on one line."""
    import datasets
    from datasets.utils import logging as its_logging

    bars, verbosity = datasets.are_progress_bars_disabled(), its_logging.get_verbosity()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        datasets.disable_progress_bars()
        its_logging.set_verbosity(logging.CRITICAL)
        try:
            yield
        except Exception as error:  # noqa: BLE001 (it raises whatever its many readers raise)
            raise _refused(error, folder, said) from None
        finally:
            its_logging.set_verbosity(verbosity)
            if not bars:
                datasets.enable_progress_bars()


def _refused(error: Exception, folder: Path | None, said: tuple[str, ...]) -> Exception:
    chain: list[BaseException] = [error]
    while following := chain[-1].__cause__ or chain[-1].__context__:
        chain.append(following)
    for link in chain:
        if isinstance(link, MemoryError):
            return link
        if isinstance(link, OSError) and link.errno in RESOURCE_ERRNOS:
            return ResourceError.from_os(link)
        if isinstance(link, OSError) and str(link).startswith("Not enough disk space"):
            return ResourceError.from_os(OSError(errno.ENOSPC, "No space left on device"))
    # The outermost says only that something went wrong.
    told = chain[1] if type(error).__name__.startswith("DatasetGeneration") and len(chain) > 1 else error
    what = str(told).strip().split("\n", 1)[0] or type(told).__name__
    if folder is not None and re.search(r"No \(supported\) data files|any data file|doesn't contain any data", what):
        there = sorted({path.suffix for path in folder.rglob("*") if path.suffix and path.is_file()})
        plain = ", ".join(ENDINGS)
        if patterns.is_pattern(str(folder)):
            return InputError(
                f"can't be read as a dataset: `datasets` takes the signs {patterns.SIGNS} of its path for a pattern; "
                "rename the folder, or read its files with: jsonl, csv or parquet"
            )
        if said:
            return InputError(f"no data file that is read ({plain}) matches {', '.join(map(_shown, said))}")
        has = ", ".join(map(_shown, there[:12])) or "none"
        return InputError(f"has no data file that is read ({plain}); it has {has}")
    # Folders in which a dataset is prepared are gone when a person reads this.
    what = printable(re.sub(r"/[^\s']*/preparing-[^/\s]+/[^/\s]+/", "", what), 300)
    return InputError(f"can't be read as a dataset: {what}; mend its files, or read them with: jsonl, csv or parquet")
