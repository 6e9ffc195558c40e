"""An evaluation set: the place of its items, and the columns that they are made of.

Its files are read by the same code as sources. Every item is accounted for: an evaluation
set that is missing, empty or unreadable is an error, never "clean".
"""

from __future__ import annotations

import inspect
import itertools
import math
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SerializeAsAny,
    ValidatorFunctionWrapHandler,
    model_serializer,
    model_validator,
)

from tulu_data import sources
from tulu_data.errors import InputError, did_you_mean, printable, told_of
from tulu_data.evaluations.item import PARTS, Item, Part
from tulu_data.formats.column import MISSING, Column, first_part, pluck
from tulu_data.options import one_or_many
from tulu_data.readers.arrow_record import AnyRecord
from tulu_data.readers.json_record import kind_of
from tulu_data.sources.source import Source

PARTED: Final = ("config", "split")
"""The keys of a source that may be a list in an evaluation set, which then has a source for each value."""

Columns = Annotated[
    tuple[Column, ...],
    one_or_many(str | int),
]


class EvaluationSet(BaseModel):
    """Items to look for in rows, in files that are read like those of a source.

    {jsonl: "evals/gsm8k/test.jsonl", question: question, answer: answer}
    {jsonl: "evals/csqa.jsonl", question: question.stem, id: id}
    {jsonl: "evals/mmlu_test-*.jsonl.gz", question: question, answer: answer, group_by: [config, eval_instance_index]}
    {huggingface: lukaemon/bbh, config: [navigate, snarks], split: test, question: input, answer: target}

    A list of configs or splits unites their items, whose ids then begin with `navigate/`.
    Several columns of one part are separate texts, which no n-gram crosses, unless `join`
    makes one text of them. In a list of texts, each element is a text.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    sources: tuple[SerializeAsAny[Source], ...] = Field(
        min_length=1, description="The place of the items: the keys of a source"
    )
    question: Annotated[Columns, Field(min_length=1)] = Field(description="The columns of the question")
    answer: Columns = Field((), description="The columns of the answer")
    passage: Columns = Field((), description="The columns of the text before the question")
    choices: Columns = Field((), description="The columns of the choices")
    id: Columns = Field((), description="The columns that identify an item; by default its number")
    group_by: Columns = Field(
        (), description="Records that agree in these columns are one item: its first record, with the choices of all"
    )
    join: str | None = Field(None, description="Make one text of a part's columns, with this between them")

    @model_validator(mode="wrap")
    @classmethod
    def _split(cls, value: Any, handler: ValidatorFunctionWrapHandler) -> EvaluationSet:
        """Move the keys of a source out of the mapping, and make sources from them."""
        if not isinstance(value, Mapping) or "sources" in value:
            read: EvaluationSet = handler(value)
            return read
        kinds = sources.kinds()
        named = [key for key in value if key in kinds]
        if len(named) != 1:
            raise ValueError(f"an evaluation set needs one of the keys {', '.join(kinds)}: where are its items?")
        kind = kinds[named[0]]
        own = {key: part for key, part in value.items() if key in cls.model_fields}
        rest = {key: part for key, part in value.items() if key not in cls.model_fields}
        taken = _taken(kind)
        unknown = next((key for key in rest if key not in taken), None)
        if unknown is not None:
            choices = [*(name for name in cls.model_fields if name != "sources"), *sorted(taken)]
            hint = did_you_mean(unknown, choices) or f"; there are {', '.join(choices)}"
            raise ValueError(f"unknown key '{printable(str(unknown), 60)}'{hint}")
        lists = {key: rest[key] for key in PARTED if key in taken and isinstance(rest.get(key), list | tuple)}
        each = [dict(zip(lists, values, strict=True)) for values in itertools.product(*lists.values())]
        split: EvaluationSet = handler({**own, "sources": [kind.model_validate({**rest, **one}) for one in each]})
        return split

    @model_validator(mode="after")
    def _few_are_made(self) -> EvaluationSet:
        if any(one.place == "sample" and (one.rows or 0) > MOST_SAMPLED for one in self.sources):
            raise ValueError(f"an evaluation set has at most {MOST_SAMPLED:,} items made; lower its 'rows'")
        return self

    @model_serializer(mode="plain")
    def _flat(self) -> dict[str, Any]:
        place = getattr(self.source, self.source.place)
        values = {
            self.source.place: place[0] if isinstance(place, tuple) and len(place) == 1 else place,
            **self.source.model_dump(
                mode="json", include=_taken(type(self.source)) - {self.source.place}, exclude_defaults=True
            ),
            **{key: list(dict.fromkeys(getattr(one, key) for one in self.sources)) for key in self._parted()},
        }
        for name in type(self).model_fields:
            value = getattr(self, name)
            if name != "sources" and value not in ((), None):
                values[name] = value[0] if isinstance(value, tuple) and len(value) == 1 else value
        return values

    @property
    def source(self) -> Source:
        """The first of its sources; the others are other configs or splits of the same place."""
        return self.sources[0]

    def _parted(self) -> tuple[str, ...]:
        """The keys in which its sources differ."""
        return tuple(key for key in PARTED if len({getattr(one, key, None) for one in self.sources}) > 1)

    def resolved(self) -> EvaluationSet:
        """The set with everything that may change pinned, such as a branch to one commit for all of its sources."""
        first, pinned = self.source, self.source.resolved()
        values = {name: getattr(pinned, name) for name in type(first).model_fields}
        moved = {name: value for name, value in values.items() if value != getattr(first, name)}
        return self.model_copy(update={"sources": tuple(one.model_copy(update=moved) for one in self.sources)})

    def files(self, cache: Path) -> tuple[Path, ...]:
        """The files of its items, those of all its sources."""
        return tuple(path for one in self.sources for path in one.files(cache))

    def is_here(self, cache: Path) -> bool:
        """Whether its files are available without a network."""
        return all(one.is_here(cache) for one in self.sources)

    def description(self) -> dict[str, Any]:
        """Everything that decides its items, except the bytes of its files."""
        flat = self._flat()
        return {**{key: value for key, value in flat.items() if key != self.source.place}, "kind": self.source.place}

    def columns(self) -> tuple[str, ...]:
        """The columns that are read."""
        named = (*self.question, *self.answer, *self.passage, *self.choices, *self.id, *self.group_by)
        return tuple(dict.fromkeys(name for column in named for name in (column, first_part(column))))

    def items(self, name: str, cache: Path, digest: Callable[[Path], str]) -> list[Item]:
        """All items, in the order of their files' sha256, whatever the files' names.

        Raises `InputError` (exit 3), naming the set, for files that are missing or can't be
        read, a column that no record has, a set without items, and an id that two items have.
        """
        with told_of(f"evaluation set {name}"):
            files = [
                (one, path)
                for one in self.sources
                for path in sorted(one.files(cache), key=lambda path: (digest(path), str(path)))
            ]
            found = self._items(files)
            if not found:
                raise InputError(
                    f"no item in {', '.join(str(path) for _, path in files)}; it can't be decontaminated against"
                )
            seen: set[str] = set()
            for item in found:
                if item.id in seen:
                    raise InputError(
                        f"two items have the id '{printable(item.id, 60)}'; say which columns name one: id: [...], "
                        "or which records are one item: group_by: [...]"
                    )
                seen.add(item.id)
            return found

    def _items(self, files: list[tuple[Source, Path]]) -> list[Item]:
        number = 0
        parted = self._parted()
        numbers: dict[str, int] = {}
        found: list[Item] = []
        groups: dict[tuple[str, ...], Item] = {}
        met: dict[str, None] = {}
        needed = {*self.question, *self.id, *self.group_by, *self.answer}
        for source, file in files:
            prefix = "".join(f"{getattr(source, key)}/" for key in parted)
            with source.read(file, self.columns()) as reading:
                for record in reading.records:
                    value = _value(record, file)
                    number += 1
                    numbers[prefix] = numbers.get(prefix, 0) + 1
                    met.update(dict.fromkeys(value))
                    needed = {column for column in needed if pluck(value, column) is MISSING}
                    place = f"{file}:{record.row}"
                    group = (prefix, *(_name(value, column, place) for column in self.group_by))
                    if self.group_by and group in groups:
                        texts = groups[group].texts
                        more = self._texts(value, "choices", place) if self.choices else ()
                        texts["choices"] = tuple(dict.fromkeys((*texts["choices"], *more)))
                        continue
                    names = self.id or self.group_by
                    own = [_name(value, column, place) for column in names] or [str(numbers[prefix])]
                    item = Item(prefix + "/".join(own), {part: self._texts(value, part, place) for part in PARTS})
                    groups[group] = item
                    found.append(item)
        if number and needed:
            column = min(needed)
            listed = ", ".join(printable(key, 40) for key in list(met)[:12])
            raise InputError(
                f"no record has the column '{column}'; its columns are {listed}{did_you_mean(column, met)}"
            )
        return found

    def _texts(self, record: Mapping[str, Any], part: Part, place: str) -> tuple[str, ...]:
        texts = [text for column in getattr(self, part) for text in _flatten(pluck(record, column), column, place)]
        if self.join is not None and texts:
            return (self.join.join(texts),)
        return tuple(texts)


MOST_SAMPLED: Final = 1_000_000
HIDDEN: Final = frozenset(
    {"format", "domain", "license", "rows", "fraction", "max_quarantined", "keep_columns", "drop_parts", "allow_empty"}
)
"""Keys of a source that an evaluation set does not take: all its items count."""


def _taken(kind: type[Source]) -> set[str]:
    """The keys of a kind of source that an evaluation set takes: not those that all sources have."""
    return {name for name in kind.model_fields if name not in HIDDEN or name in inspect.get_annotations(kind)}


def _value(record: AnyRecord, file: Path) -> Mapping[str, Any]:
    if record.value is None:
        raise InputError(f"{file}:{record.row}: {record.error}; mend the file")
    return record.value


def _name(record: Mapping[str, Any], column: str, place: str) -> str:
    """The text or number in a column that identifies an item; it becomes evidence unchanged."""
    value = pluck(record, column)
    if value is MISSING:
        listed = ", ".join(printable(key, 40) for key in list(record)[:12])
        raise InputError(
            f"{place}: no '{column}', which names the item; its columns are {listed}{did_you_mean(column, record)}; "
            "mend the record, or name other columns"
        )
    if isinstance(value, str | int) and not isinstance(value, bool):
        return str(value)
    if isinstance(value, float) and math.isfinite(value):
        return repr(value)
    hint = f"name a part of it, such as {column}.id, or" if isinstance(value, dict | list) else "mend the record, or"
    raise InputError(f"{place}: '{column}' names the item, and it is {kind_of(value)}; {hint} name other columns")


def _flatten(value: Any, column: str, place: str) -> Iterator[str]:
    if value is MISSING or value is None:
        return
    if isinstance(value, str):
        yield value
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield str(value)
    elif isinstance(value, list):
        for element in value:
            yield from _flatten(element, column, place)
    else:
        raise InputError(
            f"{place}: {column} is {type(value).__name__}, not text; give a path into it, as {column}.text"
        )
