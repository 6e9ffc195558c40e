"""Datasets of the Hugging Face Hub, and local folders that look like them."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any, ClassVar, Final, Self

from pydantic import AfterValidator, Field

from tulu_data.errors import InputError, UsageError, printable, told_of
from tulu_data.hub import reading
from tulu_data.hub.reading import DATASET_NAME
from tulu_data.options import one_or_many
from tulu_data.readers import arrow_split
from tulu_data.readers.arrow_record import as_records
from tulu_data.readers.arrow_split import Builder, Split
from tulu_data.readers.stream import watched
from tulu_data.sources.paths import expand
from tulu_data.sources.source import Reading, Source
from tulu_data.store.code_id import code_id
from tulu_data.store.durable import make_folders, make_place, sha256_file
from tulu_data.store.keys import key_of
from tulu_data.store.workspace import PREPARING, CachedTable

# Messages name the whole path of a folder.
NAME_CHARACTERS: Final = 4_096
# `datasets` looks into archives for names; into an empty one without harm.
_EMPTY_ZIP: Final = b"PK\5\6" + bytes(18)
_SPLIT: Final = re.compile(r"\w+(\.\w+)*")


def _split_name(name: str) -> str:
    if "[" in name:
        raise ValueError(
            f"'{printable(name, 60)}' is a slice; take a part of a split with: rows: 1000, or fraction: 0.1"
        )
    if "+" in name:
        raise ValueError(f"'{printable(name, 60)}' are several splits; make a source of each")
    if not _SPLIT.fullmatch(name):
        raise ValueError(f"'{printable(name, 60)}' is not the name of a split")
    return name


def _inside(paths: tuple[str, ...]) -> tuple[str, ...]:
    for path in paths:
        if not arrow_split.is_inside(path):
            raise ValueError(f"'{printable(path, 60)}' is not a path inside the dataset, such as data/train-*.parquet")
    return paths


DataFiles = Annotated[
    tuple[str, ...],
    one_or_many(str),
    AfterValidator(_inside),
]


class Huggingface(Source):
    """A dataset of the Hub, or a local folder of data files with or without a card.

    {huggingface: openai/gsm8k, config: main, split: train, format: {prompt: question, response: answer}}
    {huggingface: allenai/tulu-3-sft-mixture, revision: v1.0}
    {huggingface: "${DATA}/my_dataset", data_files: "chats/*.jsonl"}
    """

    place: ClassVar = "huggingface"
    made_by: ClassVar = arrow_split.LIBRARIES

    huggingface: str = Field(
        description="ORG/NAME, or the path of a local folder, in which `${NAME}` works", min_length=1
    )
    config: str | None = Field(None, description="A config of the dataset; needed where it has several and no default")
    split: Annotated[str, AfterValidator(_split_name)] = Field("train", description="A split of the config")
    data_files: DataFiles = Field((), description="Paths or patterns inside the dataset, instead of those of its card")
    revision: str | None = Field(
        None, description="A branch, tag or commit of the Hub; the resolved recipe has the commit", min_length=1
    )

    def resolved(self) -> Self:
        with told_of(self._named()):
            if self._folder() is not None:
                if self.revision is not None:
                    raise InputError("is a local folder, which has no revision; remove: revision")
                return self
            if self._is_pinned():
                return self
            return self.model_copy(update={"revision": reading.commit_of(self._repository(), self.revision)})

    def files(self, cache: Path) -> tuple[Path, ...]:
        with told_of(self._named()):
            folder = self._folder()
            return self._of_the_hub(cache) if folder is None else self._of_a_folder(folder, cache)

    def is_here(self, cache: Path) -> bool:
        if self._folder() is not None:
            return True
        return self._is_pinned() and bool(_finished(self._place_of_commit(cache)))

    def reading(self) -> dict[str, Any]:
        # An Arrow file holds the records of its split, whatever it was made of.
        return {}

    @contextmanager
    def read(self, file: Path, columns: tuple[str, ...] = ()) -> Iterator[Reading]:
        sha256 = watched(file)
        with arrow_split.opened(file) as (names, rows, batches):
            yield Reading(as_records(batches, columns=columns), sha256, columns=names, rows=rows)

    def _folder(self) -> Path | None:
        """The local folder, if there is one; it comes before a dataset of the Hub with this name."""
        folder = Path(expand(self.huggingface))
        return folder if folder.is_dir() else None

    def _repository(self) -> str:
        if not DATASET_NAME.fullmatch(self.huggingface):
            hint = f"; say: huggingface: {_of_address(self.huggingface)}" if "://" in self.huggingface else ""
            raise UsageError(f"is not a local folder, and not the name of a dataset, such as openai/gsm8k{hint}")
        return self.huggingface

    def _is_pinned(self) -> bool:
        return self.revision is not None and reading.COMMIT.fullmatch(self.revision) is not None

    def _named(self) -> str:
        """The name of the dataset in messages."""
        if self.revision is None:
            return printable(self.huggingface, NAME_CHARACTERS)
        revision = self.revision[:12] if self._is_pinned() else self.revision
        return printable(f"{self.huggingface}@{revision}", NAME_CHARACTERS)

    def _split(self) -> Split:
        return Split(self.config, self.split, self.data_files)

    def _of_a_folder(self, folder: Path, cache: Path) -> tuple[Path, ...]:
        root = folder.resolve()
        with _preparing(cache) as scratch:
            builder = self._split().open(root, scratch / "builder")
            for path in builder.files:
                if not path.resolve().is_relative_to(root):
                    raise InputError(
                        f"{path}: is a link to {path.resolve()}, outside of {root}; copy it into the folder"
                    )
            cards = [root / name for name in reading.CARDS if (root / name).is_file()]
            files = [(builder.reader, path.suffixes, sha256_file(path)) for path in builder.files]
            place = self._place(cache, files=files, cards=[sha256_file(path) for path in cards])
            return _finished(place) or _finish(place, builder, scratch)

    def _of_the_hub(self, cache: Path) -> tuple[Path, ...]:
        repo, commit = self._repository(), self.revision
        if commit is None or not self._is_pinned():
            return self.resolved().files(cache)
        place = self._place_of_commit(cache)
        if finished := _finished(place):
            return finished
        names = reading.names_of(repo, commit)
        with _preparing(cache) as scratch:
            # Data files are chosen by their names, so that only those of the split are fetched.
            root = scratch / "files" / repo.rsplit("/", 1)[1]
            for path in names:
                if arrow_split.is_inside(path):
                    (root / path).parent.mkdir(parents=True, exist_ok=True)
                    (root / path).write_bytes(_EMPTY_ZIP if path.endswith(".zip") else b"")
            described = [
                path for path in names if path in reading.CARDS or path.rpartition("/")[2] in arrow_split.SAVED
            ]
            _put(root, reading.fetch(repo, commit, described))
            builder = self._split().open(root, scratch / "builder")
            wanted = [path.relative_to(root).as_posix() for path in builder.files]
            _put(root, reading.fetch(repo, commit, wanted))
            return _finish(place, builder, scratch)

    def _place_of_commit(self, cache: Path) -> Path:
        return self._place(cache, repository=self._repository(), commit=self.revision)

    def _place(self, cache: Path, **inputs: Any) -> Path:
        """The folder of the split's Arrow files, named by a key of everything that decides their bytes."""
        key = key_of(
            **inputs,
            config=self.config,
            split=self.split,
            data_files=self.data_files,
            versions={name: version(name) for name in self.made_by},
            code=code_id((arrow_split.__name__,), ()),
        )
        return cache / "huggingface" / key[:2] / key


def _of_address(address: str) -> str:
    found = re.search(r"datasets/([^/@]+/[^/@]+)", address)
    return printable(found[1], 100) if found else "ORG/NAME"


@contextmanager
def _preparing(cache: Path) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix=PREPARING, dir=make_folders(cache)) as scratch:
        yield Path(scratch).resolve()


def _put(root: Path, files: dict[str, Path]) -> None:
    for name, path in files.items():
        (root / name).unlink()
        (root / name).symlink_to(path.resolve())


def _finished(place: Path) -> tuple[Path, ...]:
    """The Arrow files that were made before, if all of them are there and undamaged."""
    note = _table(place, 0).note()
    tables = [_table(place, number) for number in range(note["files"] if note else 0)]
    return tuple(table.path for table in tables) if all(table.note() for table in tables) else ()


def _finish(place: Path, builder: Builder, scratch: Path) -> tuple[Path, ...]:
    made = builder.write(scratch / "made")
    # The first note has the number of files, so it is written last.
    for number, path in reversed(list(enumerate(made))):
        path.replace(make_place(_table(place, number).path, place.parents[2]))
        _table(place, number).finish(files=len(made))
    return tuple(_table(place, number).path for number in range(len(made)))


def _table(place: Path, number: int) -> CachedTable:
    return CachedTable(place / f"{number:05d}.arrow")
