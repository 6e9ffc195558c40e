"""What a row is: a kind says which columns are its content, and which of its texts are compared.

A kind is one file in `rows/` that holds a subclass of `Kind` by the file's name: `sft.py` holds
the kind `sft`. There is no list of kinds to edit, and nobody asks which kind a row is of:
rows carry their kind (`Rows.kind`), and whoever needs to know something of it asks it.
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
    """A kind of row. Everything that the program does with rows asks here what it must know of them."""

    name: ClassVar[str]
    rows: ClassVar[str]
    """What its rows are to a person, and below what they are for."""
    purpose: ClassVar[str]
    tasks: ClassVar[tuple[str, ...]] = ("text-generation",)
    """What the Hub calls the tasks of those who train on it."""

    content: ClassVar[Mapping[str, pa.DataType]]
    """The columns that are a row's content, in the store and in `data/`, with their types. Ids are made of these."""
    optional: ClassVar[frozenset[str]] = frozenset()
    """Those that are written only where some kept row has them."""
    calls: ClassVar[Mapping[str, str]] = {}
    """For columns of messages: the column with the calls of their messages, as JSON text (`rows.calls`)."""
    tools: ClassVar[str | None] = None
    """The column with the tools on offer, as JSON text."""
    beside: ClassVar[Mapping[str, str]] = {}
    """Columns that a person is shown after the messages, and what they are called there."""

    on: ClassVar[Mapping[str, str]]
    """What may be compared, by the name of it in recipes, and what it is called in sentences; the last is all of it."""
    formats: ClassVar[Sequence[str]]
    """The formats that are tried, in this order, as `module:Class`."""
    unfinished: ClassVar[Sequence[str]] = ()
    """The formats of rows that lack what `refuse` asks for: they can be looked at, and not be built."""
    fine: ClassVar[frozenset[str]] = frozenset()
    """The names of `text.blemishes` that are none in this kind."""

    @abstractmethod
    def batch(self, rows: Iterable[Any]) -> pa.RecordBatch:
        """Rows as formats read them, in the columns of `content`."""

    @abstractmethod
    def chosen(self, columns: Mapping[str, MessageColumn], on: str) -> Mapping[str, Mask]:
        """For columns of messages: which of all their messages are compared under `on`; none of columns left out.

        A text that two columns share, such as a prompt with two answers, is chosen once.
        """

    @abstractmethod
    def refuse(self, row: Any, place: str) -> RecordError | None:
        """Why a row is none of this kind, though its format can read it; `place` names what was read."""

    @abstractmethod
    def refuses_any(self, batch: pa.RecordBatch) -> bool:
        """Whether `refuse` refuses any of some rows, all at once."""

    @property
    def messages(self) -> tuple[str, ...]:
        """The columns of messages, in order; a row's messages are numbered through all of them."""
        return tuple(name for name, type in self.content.items() if is_messages(type))

    @property
    def compared(self) -> tuple[str, ...]:
        """The columns that texts are in: messages and their calls."""
        return tuple(name for name in self.content if name in self.messages or name in self.calls.values())

    @property
    def widest(self) -> str:
        """The `on` of all that is compared."""
        return list(self.on)[-1]

    @property
    def modules(self) -> frozenset[str]:
        """The modules of its code, those of its formats too: no import leads to them."""
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
    """The kind of a name. Raises `ValueError` where there is none."""
    known = _in((*folder.__path__,))
    if name not in known:
        listed = did_you_mean(name, known) or f"; there is {', '.join(known)}"
        raise ValueError(f"no kind '{printable(name, 40)}'{listed}")
    return known[name]()


def compared() -> dict[str, str]:
    """What may be compared in rows of any kind: the name in recipes, and what it is called in sentences."""
    return {name: said for kind in map(find, names()) for name, said in kind.on.items()}
