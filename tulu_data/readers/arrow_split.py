"""One split of a dataset as Arrow files, which are written mostly by `datasets` and read without it.

`datasets` is given a folder and no network. It chooses a reader for the files by their
endings; only readers of plain tables are allowed, before any file is opened. It may not guess
types: JSON is read by our own strict reader, and text of CSV stays text.
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

import orjson
import pyarrow as pa

from tulu_data.errors import (
    RESOURCE_ERRNOS,
    InputError,
    RecordError,
    ResourceError,
    did_you_mean,
    printable,
    told_of,
)
from tulu_data.readers import json_lines, json_record
from tulu_data.readers.arrow_record import BATCH_ROWS, column_names
from tulu_data.readers.record import Record
from tulu_data.readers.stream import Stream
from tulu_data.store import patterns

READERS: Final = ("arrow", "csv", "json", "parquet")
# Other readers open archives, images or formats that can run code.
ENDINGS: Final = (".arrow", ".csv", ".json", ".jsonl", ".parquet", ".tsv")
LIBRARIES: Final = ("datasets", "pandas", "pyarrow")
SAVED: Final = ("dataset_dict.json", "state.json")
"""The files that `save_to_disk` writes besides data files."""
_PLAIN_TYPES: Final = {str: pa.string(), bool: pa.bool_(), int: pa.int64(), float: pa.float64()}
# Common spellings of a missing number in CSV.
_NOTHING: Final = ("", "#N/A", "<NA>", "N/A", "NA", "NULL", "NaN", "None", "n/a", "nan", "null")
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
    """A choice of rows of a dataset: a config, a split, and perhaps its data files."""

    config: str | None
    name: str
    data_files: tuple[str, ...]

    def open(self, folder: Path, cache: Path) -> Builder:
        """Find the split's data files in a folder, and their reader; no data file is opened.

        Raises `InputError` (exit 3) for an unknown config or split, a card that leads out of
        the folder, and data that no plain reader reads.
        """
        if (folder / f"{folder.name}.py").is_file():
            raise InputError(
                f"has a dataset script, {printable(folder.name)}.py, and scripts are never run; the Hub keeps the data "
                "of many such datasets as Parquet: revision: refs/convert/parquet"
            )
        data_files: Mapping[str, list[str]] | list[str] = list(self.data_files)
        if not data_files and (saved := _saved(folder, self.name)):
            data_files = {self.name: saved}
        configs = _configs(folder)
        known = list(configs) or [_DEFAULT]
        if self.config is not None and self.config not in known:
            raise InputError(f"no config '{self.config}'; {_listed(self.config, known)}")
        if self.config is None and len(known) > 1 and configs.get_default_config_name() is None:
            raise InputError(f"which config? Say config: …; there are {', '.join(map(_shown, known))}")
        with _told_by_datasets(folder, self.data_files):
            import datasets

            opened = datasets.load_dataset_builder(
                str(folder), self.config, data_files=data_files or None, cache_dir=str(cache)
            )
        if opened.name not in READERS:
            raise InputError(
                f"its data is read as '{opened.name}', which may run code or is not a table of texts; "
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
        """The name of the reader of the data files."""
        return str(self.opened.name)

    def write(self, folder: Path) -> list[Path]:
        """Write the rows as Arrow files into a new folder; the files, in order."""
        if not any(path.stat().st_size for path in self.files):
            return []
        first, last = self.files[0].name, self.files[-1].name
        read = printable(first if len(self.files) == 1 else f"{first} … {last} ({len(self.files)} files)")
        if self.reader == "json" and all(map(_is_plain_json, self.files)) and not self.opened.config.field:
            made = [folder / f"{number:05d}.arrow" for number in range(len(self.files))]
            folder.mkdir()
            rows = sum(_write_json(file, target) for file, target in zip(self.files, made, strict=True))
            stated = (self.opened.info.splits or {}).get(self.split)
            if stated and stated.num_examples not in {None, rows}:
                raise InputError(
                    f"its card promises {stated.num_examples:,} rows of the split '{self.split}', and there are "
                    f"{rows:,}; fetch the dataset again, or mend its card"
                )
            return made
        with told_of(read), _told_by_datasets():
            from datasets.data_files import DataFilesDict
            from datasets.splits import SplitDict

            if self.reader == "csv":
                _keep_texts(self.opened, self.files[0])
            self.opened.config.data_files = DataFilesDict({self.split: self.opened.config.data_files[self.split]})
            # The number of rows that a card states is compared with the actual number.
            stated, kept = self.opened.info.splits or {}, SplitDict()
            if self.split in stated:
                kept.add(stated[self.split])
            self.opened.info.splits = kept or None
            self.opened.download_and_prepare(output_dir=str(folder), max_shard_size=_SHARD_SIZE)
        return sorted(folder.glob("*.arrow"))


def _saved(folder: Path, split: str) -> list[str] | None:
    """The data files of a split that `save_to_disk` wrote; None if it did not write the folder.

    Such a folder may also contain other splits, and files of a cache.
    """
    whole, part = folder / "dataset_dict.json", folder / "state.json"
    if whole.is_file():
        splits = [str(name) for name in _described(whole).get("splits", ())]
        if split not in splits:
            raise InputError(f"no split '{split}'; {_listed(split, splits)}")
        part = folder / split / "state.json"
    elif not part.is_file():
        return None
    state = _described(part)
    own = state.get("_split")
    if isinstance(own, str) and own != split:
        raise InputError(f"no split '{split}'; {_listed(split, [own])}")
    if state.get("_indices_data_files") or state.get("_indices_files"):
        raise InputError(
            f"{part.relative_to(folder)}: its rows are chosen by an index; "
            "save it again with: dataset.flatten_indices().save_to_disk(…)"
        )
    named = [str(file.get("filename")) for file in state.get("_data_files", ()) if isinstance(file, dict)]
    if not named or any(Path(name).name != name for name in named):
        raise InputError(f"{part.relative_to(folder)}: names no data files beside it; save the dataset again")
    prefix = part.parent.relative_to(folder)
    return [(prefix / name).as_posix() for name in named]


def _described(file: Path) -> dict[str, Any]:
    try:
        found = json_record.parse(file.read_bytes())
    except RecordError as error:
        raise InputError(f"{file.name}: {error}; save the dataset again with: save_to_disk") from None
    if not isinstance(found, dict):
        raise InputError(f"{file.name}: is {json_record.kind_of(found)}; save the dataset again with: save_to_disk")
    return found


def _is_plain_json(file: Path) -> bool:
    """Whether a file has an array or one object a line; `datasets` knows other ways to write a table."""
    with Stream(file) as stream:
        first = stream.peek().lstrip().partition(b"\n")[0]
    try:
        return first[:1] == b"[" or len(first) > 2_000 or isinstance(json_record.parse(first), dict)
    except RecordError:
        return False


def _write_json(file: Path, target: Path) -> int:
    """Write the records of a JSON file as they are, and count them.

    A column has the type of its values if all have the same type, plain values or lists of
    these; else it is JSON text, in which records need not have the same keys.

    Raises `InputError` (exit 3) for a record that is not JSON, or not an object.
    """
    types: dict[str, set[pa.DataType]] = {}
    for value in _values(file):
        for key, item in value.items():
            found = types.setdefault(key, set())
            if item is not None:
                found.add(_type_of(item))
    schema = pa.schema([(key, found.pop() if len(found) == 1 else pa.json_()) for key, found in types.items()])
    with pa.OSFile(str(target), "wb") as sink, pa.ipc.new_stream(sink, schema) as stream:
        values = _values(file)
        count = 0
        while rows := list(itertools.islice(values, BATCH_ROWS)):
            columns = [_column(rows, field) for field in schema]
            stream.write_batch(pa.RecordBatch.from_arrays(columns, schema=schema))
            count += len(rows)
    return count


def _type_of(value: Any) -> pa.DataType:
    """The type of a plain value of JSON, or of a list of such values of one type; JSON for all other values."""
    if isinstance(value, list):
        inner = {_type_of(item) for item in value}
        return pa.list_(inner.pop()) if len(inner) == 1 and not inner & {pa.json_()} else pa.json_()
    if isinstance(value, int) and not isinstance(value, bool) and not -(2**63) <= value < 2**63:
        return pa.json_()
    return _PLAIN_TYPES.get(type(value), pa.json_())


def _column(rows: list[Mapping[str, Any]], field: pa.Field) -> pa.Array:
    values = [row.get(field.name) for row in rows]
    if not isinstance(field.type, pa.JsonType):
        return pa.array(values, field.type)
    texts = [None if value is None else orjson.dumps(value).decode() for value in values]
    return pa.ExtensionArray.from_storage(field.type, pa.array(texts, pa.string()))


def _values(file: Path) -> Iterator[Mapping[str, Any]]:
    with Stream(file) as stream:
        for record in json_lines.records(stream):
            yield _value_of(file, record)


def _value_of(file: Path, record: Record) -> Mapping[str, Any]:
    try:
        return record.content()
    except RecordError as error:
        raise InputError(
            f"{printable(file.name)}:{record.row}: {error}; mend the file, "
            "or read it with jsonl: and max_quarantined:, which set such records aside"
        ) from None


def _keep_texts(builder: Any, file: Path) -> None:
    """Let the columns of CSV files be read as text, except those for which a card gives another type."""
    import pandas as pd

    options = {**builder.config.pd_read_csv_kwargs, "nrows": 0}
    options.pop("chunksize")
    declared = builder.info.features or {}
    names = [name for name in pd.read_csv(file, **options).columns if isinstance(name, str)]
    texts = [name for name in names if getattr(declared.get(name), "dtype", "string") in {"string", "large_string"}]
    builder.config.converters = {**dict.fromkeys(texts, str), **(builder.config.converters or {})}
    builder.config.keep_default_na = False
    builder.config.na_values = {name: _NOTHING for name in names if name not in texts}


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
            # Arrow takes an empty list of columns as all columns.
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
    """Raise if offsets lead out of the buffers; text that is not UTF-8 costs only its own row, later."""
    for column in batch.columns:
        try:
            column.validate(full=True)
        except pa.ArrowInvalid as error:
            if "UTF8" not in str(error):
                raise


def _damaged(file: Path, error: Exception) -> InputError:
    return InputError(f"{file}: damaged, or not Arrow: {str(error).splitlines()[0]}; remove it, and build again")


def _configs(folder: Path) -> Any:
    """The configs that the cards of a dataset declare, by name, after a check of their paths."""
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
                f"its card's config '{_shown(name)}' names '{printable(outside)}', which is outside of the dataset; "
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
    """Silence `datasets`, and turn its errors into messages of one line."""
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
    # The outermost error says only that something went wrong.
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
    # Temporary folders of a dataset are gone when a person reads the message.
    what = printable(re.sub(r"/[^\s']*/preparing-[^/\s]+/[^/\s]+/", "", what), 300)
    return InputError(f"can't be read as a dataset: {what}; mend its files, or read them with: jsonl, csv or parquet")
