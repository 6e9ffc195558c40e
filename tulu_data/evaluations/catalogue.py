"""Evaluation sets by name: those that models are usually reported on, and a team's own.

`TULU_DATA_EVALS` is a folder of descriptions, one set a file, `NAME.yaml`. They come before
the catalogue, so that everything works without a network.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, ValidationError, model_validator

from tulu_data import sources
from tulu_data.errors import UsageError, did_you_mean, printable
from tulu_data.evaluations.evaluation_set import EvaluationSet
from tulu_data.readers.yaml import Document, KeyPath, parse
from tulu_data.store.patterns import NAME_PATTERN

LOCAL: Final = "TULU_DATA_EVALS"
_CATALOGUE: Final = Path(__file__).with_name("catalogue.yaml")
_NAME: Final = re.compile(NAME_PATTERN)


class Entry(BaseModel):
    """An evaluation set with a name, and the facts that are known about it.

    {title: GSM8K, huggingface: openai/gsm8k, config: main, split: test, question: question, license: mit}

    `unverified` names the keys that were not looked up.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    items: EvaluationSet = Field(description="The place of the items and their columns: keys beside the others")
    title: str | None = Field(None, description="Its usual name")
    license: str | None = Field(None, description="The licence of the data, as its publisher states it")
    gated: bool | None = Field(None, description="Whether the Hub gives it only on request")
    page: str | None = Field(None, description="The paper or page to cite")
    note: str | None = Field(None, description="Other remarks")
    unverified: tuple[str, ...] = Field((), description="The keys that were not looked up")

    _origin: Path | None = PrivateAttr(None)

    @model_validator(mode="before")
    @classmethod
    def _split(cls, values: Any) -> Any:
        if not isinstance(values, Mapping):
            return values
        own = {key: value for key, value in values.items() if key in cls.model_fields}
        return {"items": {key: value for key, value in values.items() if key not in own}, **own}

    def as_values(self) -> dict[str, Any]:
        """The facts about it as plain values, for JSON."""
        return {
            **self.model_dump(mode="json", exclude={"items"}),
            "described": self.items.model_dump(mode="json"),
            "origin": "catalogue" if self.origin is None else str(self.origin),
        }

    @property
    def origin(self) -> Path | None:
        """The local file that describes it; None if the catalogue does."""
        return self._origin


def described(against: Any) -> Any:
    """The value of `against` in a recipe, as descriptions by name.

    It is a name, a list of names, or a mapping of names to descriptions. A name is that of a
    set or of a group of sets; in a mapping its value is empty, another name, or the keys to
    change in its description: `{gsm8k: {revision: 740312a}}`. The description of a set wins
    over the one from a group.

    Raises `ValueError` for an unknown name, with the nearest known one.
    """
    try:
        return _described(_by_name(against))
    except UsageError as error:
        raise ValueError(str(error)) from None


def members(names: Iterable[str]) -> dict[str, Entry]:
    """The sets of some names, which may be names of groups.

    >>> list(members(["gsm8k", "gpqa"]))
    ['gsm8k', 'gpqa_diamond', 'gpqa_extended']

    Raises `UsageError` (exit 2) for an unknown name, with the nearest known one.
    """
    found: dict[str, Entry] = {}
    for name in names:
        for member in _expanded(name):
            found.setdefault(member, find(member))
    return found


def find(name: str) -> Entry:
    """The set of a name, the local one if there is one; `UsageError` (exit 2) for an unknown name."""
    entry = _local(name) or _read()[0].get(name)
    if entry is None and name in _read()[1]:
        raise UsageError(f"'{name}' is a group of {', '.join(_expanded(name))}; name it by itself, or one of them")
    if entry is None:
        hint = did_you_mean(name, [*names(), *groups()])
        where = "" if LOCAL in os.environ else f", or describe it in a folder that {LOCAL} names"
        raise UsageError(
            f"no evaluation set or group '{printable(name, 60)}'{hint or f'; see: tulu-data evaluations{where}'}"
        )
    return entry


def names() -> list[str]:
    """All names of sets, local ones included."""
    folder = _folder()
    local = {path.stem for path in folder.glob("*.yaml") if _NAME.fullmatch(path.stem)} if folder else set()
    return sorted({*local, *_read()[0]})


def groups() -> dict[str, list[str]]:
    """The sets of each group, by its name."""
    return {name: list(dict.fromkeys(_expanded(name))) for name in _read()[1]}


def _by_name(against: Any) -> Any:
    """A name or a list of names as a mapping with empty values."""
    if isinstance(against, str):
        return {against: None}
    if not isinstance(against, list | tuple):
        return against
    found: dict[str, Any] = {}
    for part in against:
        if not isinstance(part, str | Mapping):
            raise UsageError(f"'{printable(str(part), 60)}' is not the name of an evaluation set")
        for name, value in ({part: None} if isinstance(part, str) else part).items():
            if value is not None and found.get(name) is not None:
                raise UsageError(f"two descriptions of '{printable(name, 60)}'; keep one of them")
            found[name] = found.get(name) if value is None else value
    return found


def _described(against: Any) -> Any:
    if not isinstance(against, Mapping):
        return against
    said: dict[str, Any] = {}
    brought: dict[str, Any] = {}
    for name, value in against.items():
        if value is None:
            brought |= {member: entry.items for member, entry in members([name]).items()}
        elif isinstance(value, str):
            said[name] = find(value).items
        elif isinstance(value, Mapping) and not value.keys() & {*sources.kinds(), "sources"} and _is_known(name):
            said[name] = {**find(name).items.model_dump(mode="json"), **value}
        else:
            said[name] = value
    return {**brought, **said}


def _is_known(name: str) -> bool:
    return _local(name) is not None or name in _read()[0]


def _expanded(name: str) -> list[str]:
    group = None if _local(name) else _read()[1].get(name)
    return [name] if group is None else [member for part in group for member in _expanded(part)]


@cache
def _read() -> tuple[dict[str, Entry], dict[str, tuple[str, ...]]]:
    """The sets and the groups of the catalogue."""
    document = parse(_CATALOGUE.read_text(encoding="utf-8"), str(_CATALOGUE))
    sets = {name: _entry(document, value, ("sets", name)) for name, value in document.root["sets"].items()}
    return sets, {name: tuple(parts) for name, parts in document.root["groups"].items()}


def _folder() -> Path | None:
    if not os.environ.get(LOCAL):
        return None
    folder = Path(os.environ[LOCAL])
    if not folder.is_dir():
        raise UsageError(
            f"{LOCAL}: {folder} is not a folder; name one with descriptions of evaluation sets, or unset it"
        )
    return folder


def _local(name: str) -> Entry | None:
    """The set that a file of the local folder describes."""
    folder = _folder()
    file = folder / f"{name}.yaml" if folder and _NAME.fullmatch(name) else None
    if folder is None or file is None or not file.is_file():
        return None
    try:
        document = parse(file.read_text(encoding="utf-8-sig"), str(file))
    except UnicodeDecodeError:
        raise UsageError(f"{file}: not UTF-8 text; write it in UTF-8") from None
    root = document.root
    entry = _entry(document, _placed(root, folder) if isinstance(root, dict) else root, ())
    entry._origin = file  # noqa: SLF001 (it was made here)
    return entry


def _placed(values: dict[str, Any], folder: Path) -> dict[str, Any]:
    """A local description with relative paths written from its folder, as `${TULU_DATA_EVALS}/…`."""

    def placed(key: str, path: Any) -> Any:
        if isinstance(path, list):
            return [placed(key, part) for part in path]
        is_remote = key == "huggingface" and not (folder / str(path)).is_dir()
        if not isinstance(path, str) or is_remote or path.startswith(("${", "/")):
            return path
        return f"${{{LOCAL}}}/{path}"

    # A sample is not a path.
    places = sources.kinds().keys() - {"sample"}
    return {key: placed(key, value) if key in places else value for key, value in values.items()}


def _entry(document: Document, values: Any, path: KeyPath) -> Entry:
    try:
        return Entry.model_validate(values)
    except ValidationError as error:
        problems = []
        for found in error.errors(include_url=False):
            at = tuple(part for part in found["loc"] if part not in ("items", "sources"))
            at = next((at[:end] for end in range(len(at), 0, -1) if (*path, *at[:end]) in document.values), ())
            what = found["msg"].removeprefix("Value error, ")
            last = found["loc"][-1] if found["loc"] else ""
            what = f"'{last}' is missing: which columns ask?" if found["type"] == "missing" else what
            problems.append(document.problem((*path, *at), what[:1].lower() + what[1:]))
        raise document.error(*problems) from None
