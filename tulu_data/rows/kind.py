"""The kind of a row: which columns are its content, and which of its texts are compared.

A kind is one file in `rows/` with a subclass of `Kind` by the file's name: `sft.py` holds
the kind `sft`. There is no list of kinds to edit, and no code tests which kind a row has:
rows carry their kind (`Rows.kind`), and code that depends on it asks it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from importlib import import_module
from operator import itemgetter
from pkgutil import iter_modules
from typing import Any, ClassVar, Final, Protocol

import pyarrow as pa

import tulu_data.rows as folder
from tulu_data.errors import RecordError, did_you_mean, printable
from tulu_data.rows.messages import Mask, MessageColumn, is_messages

DEFAULT: Final = "sft"


class Row(Protocol):
    """One row as a format reads it; each kind has a type of its own."""

    @property
    def characters(self) -> int:
        """The length of its texts."""


class Kind(ABC):
    """A kind of row: all that the program knows about its rows."""

    name: ClassVar[str]
    rows: ClassVar[str]
    """A name for its rows that people understand; `purpose` is what they are used for."""
    purpose: ClassVar[str]
    tasks: ClassVar[tuple[str, ...]] = ("text-generation",)
    """The Hub's names of the tasks that models are trained for on it."""

    content: ClassVar[Mapping[str, pa.DataType]]
    """The columns that are a row's content, in the store and in `data/`, with their types. Ids are made of these."""
    optional: ClassVar[frozenset[str]] = frozenset()
    """Those that are written only if a kept row has them."""
    calls: ClassVar[Mapping[str, str]] = {}
    """For columns of messages: the column with the calls of their messages, as JSON text (`rows.calls`)."""
    tools: ClassVar[str | None] = None
    """The column with the tools on offer, as JSON text."""
    beside: ClassVar[Mapping[str, str]] = {}
    """Columns that are shown to people after the messages, with their labels."""

    on: ClassVar[Mapping[str, str]]
    """The texts that may be compared, by their names in recipes, with their names in sentences; the last means all."""
    formats: ClassVar[Sequence[str]]
    """The formats that are tried, in this order, as `module:Class`."""
    unfinished: ClassVar[Sequence[str]] = ()
    """The formats of rows that `refuse` refuses: they can be previewed, but not built."""
    fine: ClassVar[frozenset[str]] = frozenset()
    """The names of `text.blemishes` that are not blemishes in this kind."""

    @abstractmethod
    def batch(self, rows: Iterable[Any]) -> pa.RecordBatch:
        """Rows as formats read them, in the columns of `content`."""

    @abstractmethod
    def chosen(self, columns: Mapping[str, MessageColumn], on: str) -> Mapping[str, Mask]:
        """For each column of messages, which of its messages are compared under `on`; columns without any are left out.

        A text that two columns share, such as a prompt with two answers, is chosen once.
        """

    @abstractmethod
    def refuse(self, row: Any, place: str) -> RecordError | None:
        """Why a row that its format can read is not of this kind; None if it is; `place` names what was read."""

    @abstractmethod
    def refuses_any(self, batch: pa.RecordBatch) -> bool:
        """Whether `refuse` refuses any row of a batch, tested all at once."""

    @property
    def messages(self) -> tuple[str, ...]:
        """The columns of messages, in order; a row's messages are numbered through all of them."""
        return tuple(name for name, type in self.content.items() if is_messages(type))

    @property
    def compared(self) -> tuple[str, ...]:
        """The columns with texts: messages and their calls."""
        return tuple(name for name in self.content if name in self.messages or name in self.calls.values())

    @property
    def widest(self) -> str:
        """The value of `on` that means all texts."""
        return list(self.on)[-1]

    @property
    def modules(self) -> frozenset[str]:
        """The modules of its code and of its formats, which other modules do not import."""
        named = {reference.partition(":")[0] for reference in (*self.formats, *self.unfinished)}
        return frozenset({type(self).__module__, *named})

    def batch_of(self, columns: Mapping[str, pa.Array], count: int) -> pa.RecordBatch:
        """A batch of content in which columns that are not given are null."""
        arrays = [columns[name] if name in columns else pa.nulls(count, type) for name, type in self.content.items()]
        return pa.RecordBatch.from_arrays(arrays, schema=pa.schema(list(self.content.items())))


@cache
def _in(folders: tuple[str, ...]) -> dict[str, type[Kind]]:
    files = [name for _, name, _ in iter_modules(folders)]
    classes = ((name, own) for name in files for own in vars(import_module(f"{folder.__name__}.{name}")).values())
    kinds = ((name, own) for name, own in classes if isinstance(own, type) and issubclass(own, Kind))
    return {name: own for name, own in sorted(kinds, key=itemgetter(0)) if getattr(own, "name", "") == name}


def names() -> list[str]:
    """The names of all kinds, by their files.

    >>> names()
    ['sft']
    """
    return [*_in((*folder.__path__,))]


def find(name: str) -> Kind:
    """The kind of this name. Raises `ValueError` if there is none."""
    known = _in((*folder.__path__,))
    if name not in known:
        listed = did_you_mean(name, known) or f"; there is {', '.join(known)}"
        raise ValueError(f"no kind '{printable(name, 40)}'{listed}")
    return known[name]()


def compared() -> dict[str, str]:
    """The texts that may be compared in rows of any kind: their names in recipes, with their names in sentences."""
    return {name: said for kind in map(find, names()) for name, said in kind.on.items()}
