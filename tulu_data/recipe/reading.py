"""Read a recipe's text into a `Recipe`, or report all its problems at once, each with its place."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final, TypeVar, get_args

from pydantic import BaseModel, ValidationError

from tulu_data import sources as source_kinds
from tulu_data import stages as stage_kinds
from tulu_data.errors import Problem, RecipeError, UsageError, did_you_mean, printable
from tulu_data.formats import FORMATS
from tulu_data.mixture.layout import mixture_of
from tulu_data.readers.yaml import Document, KeyPath, parse
from tulu_data.recipe.recipe import NAME_RULE, Recipe
from tulu_data.rows import kind as kinds
from tulu_data.rows.on import ON
from tulu_data.sources.sample import Sample
from tulu_data.sources.source import Source
from tulu_data.stage import NAMES_SOURCES, Stage
from tulu_data.store import outside
from tulu_data.store.patterns import NAME_PATTERN, matches

M = TypeVar("M", bound=BaseModel)
MOST_SAMPLED: Final = 1_000_000
"""The most sample rows that a stranger's recipe may ask for: half a gigabyte, some minutes."""


def load(path: Path | str, trusted: Collection[str] | None = None, *, is_own: bool = False) -> Recipe:
    """Read a recipe from a file.

        load("recipe.yaml")
        load("mixtures/mix/3f0c9a7be214/recipe.yaml", trusted=["9f86d081884c7d65…"])

    `trusted` are the sha256 of files of code: if they are given, stages from outside may not run
    any other file. A recipe inside of a mixture is data, usually a stranger's: code that it names
    runs only if it is trusted, unless `is_own` says that the mixture was built here.

    Raises `RecipeError` (exit 2), with `file:line:column` for every problem, and
    with path and sha256 of all code that would have run.
    """
    file = Path(path)
    is_data = not is_own and mixture_of(file) is not None
    if trusted is None and is_data:
        trusted = ()
    return _Reader(_document(file), trusted, is_data=is_data).recipe()


def _document(file: Path) -> Document:
    try:
        content = file.read_bytes()
    except OSError as error:
        raise UsageError(f"{file}: {(error.strerror or str(error)).lower()}; give the path of a recipe") from None
    try:
        return parse(content.decode("utf-8-sig"), str(file))
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise RecipeError(file, [Problem(line, 1, "", "not UTF-8 text")]) from None


def read(text: str, file: str = "recipe.yaml") -> Recipe:
    """Read a recipe from text; `file` is its name in messages."""
    return _Reader(parse(text, file)).recipe()


TOP_KEYS: Final = tuple(Recipe.model_fields)


SHOULD_BE: Final = {
    "bool_parsing": "should be true or false",
    "decimal_parsing": "should be a number",
    "dict_type": "should be a mapping",
    "int_from_float": "should be a whole number",
    "int_parsing": "should be a whole number",
    "int_type": "should be a whole number",
    "model_type": "should be a mapping",
    "string_type": "should be a text",
    "too_short": "should have at least one entry",
    "tuple_type": "should be a list",
}


class _UntrustedError(Exception):
    """A stage's code must not be run; the error's text becomes a problem of the recipe."""


class _Reader:
    """Turns a document into a recipe, and collects all problems on the way."""

    def __init__(self, document: Document, trusted: Collection[str] | None = None, *, is_data: bool = False) -> None:
        self.document = document
        self.trusted = trusted
        self.is_data = is_data
        self.problems: list[Problem] = []

    def recipe(self) -> Recipe:
        root = self.document.root
        if not isinstance(root, dict):
            self._problem((), f"a recipe is a mapping with the keys {', '.join(TOP_KEYS)}")
            raise self._error()
        values = dict(root)
        if "sources" in values:
            values["sources"] = self._sources(values["sources"])
        if "stages" in values:
            values["stages"] = self._stages(values["stages"] or [])
        recipe = self._validated(Recipe, values, ())
        if recipe is not None:
            self._check_source_names(recipe)
            self._check_samples(recipe)
            # A stage that could not be read is missing in the recipe, so that later stages have wrong numbers.
            if not self.problems:
                self._check_on(recipe)
        if self.problems or recipe is None:
            raise self._error()
        return recipe.completed()

    def sources(self) -> dict[str, Source]:
        root = self.document.root
        read = self._sources(root.get("sources") if isinstance(root, dict) else None)
        if self.problems or not isinstance(read, dict):
            raise self._error()
        return read

    def _sources(self, values: Any) -> Any:
        if not isinstance(values, dict):
            return values
        read = {name: self._source(name, value) for name, value in values.items()}
        return {name: source for name, source in read.items() if source is not None}

    def _source(self, name: str, value: Any) -> Source | None:
        path: KeyPath = ("sources", name)
        kinds = source_kinds.kinds()
        if not isinstance(value, dict):
            self._problem(path, f"a source is a mapping with one of the keys {', '.join(kinds)}")
            return None
        named = [key for key in value if key in kinds]
        if len(named) == 1:
            return self._validated(kinds[named[0]], value, path)
        if named:
            self._problem(
                (*path, named[1]), f"'{named[0]}' and '{named[1]}' in one source; make two sources of them", True
            )
            return None
        hint = next((hint for key in value if (hint := did_you_mean(key, kinds))), "")
        self._problem(path, f"where are its rows? It needs one of the keys {', '.join(kinds)}{hint}")
        return None

    def _stages(self, values: Any) -> Any:
        if not isinstance(values, list):
            return values
        read = [self._stage(index, value) for index, value in enumerate(values)]
        return tuple(stage for stage in read if stage is not None)

    def _stage(self, index: int, value: Any) -> Stage | None:
        path: KeyPath = ("stages", index)
        if isinstance(value, str):
            value = {value: {}}
        if not isinstance(value, dict) or len(value) != 1:
            self._problem(
                path, "a stage is its name, or one name with its options: `- length_filter: {max_messages: 40}`"
            )
            return None
        ((name, options),) = value.items()
        try:
            files = self._trusted_files(name)
            kind = stage_kinds.find(name, files)
        except _UntrustedError as error:
            self._problem(path, str(error))
            return None
        except UsageError as error:
            self._problem(path, printable(str(error), 600))
            return None
        return self._validated(kind, options or {}, (*path, name))

    def _trusted_files(self, name: str) -> tuple[outside.CodeFile, ...] | None:
        """The files of a stage's code, all of them trusted by their sha256; None if no sha256 is required.

        Raises `_UntrustedError`, which lists the files that are not trusted, and how to trust them.
        """
        place, is_reference, _ = name.rpartition(":")
        holder = mixture_of(Path(place)) if place.endswith(".py") else None
        trusted = () if self.trusted is None and holder else self.trusted
        if not is_reference or trusted is None:
            return None
        try:
            files = outside.files_of(name)
        except UsageError as error:
            raise _UntrustedError(
                f"{printable(str(error), 600)}. No code comes with a mixture: ask its publisher for it, "
                "and compare its sha256 with the one in the manifest"
            ) from None
        if others := [file for file in files if file.sha256 not in trusted]:
            listed = "".join(f"\n  {file.sha256}  {printable(str(file.path), 400)}" for file in others)
            options = " ".join(f"--trust-code {file.sha256}" for file in others)
            raise _UntrustedError(
                f"'{printable(name, 100)}' is code from outside, which nobody trusted yet; it was not run. "
                f"It would run{listed}\nRead that; to let just these bytes run, give: {options}"
            )
        return files

    def _check_samples(self, recipe: Recipe) -> None:
        """Limit the rows that a recipe inside of a mixture, which may be a stranger's, asks to make."""
        for name, source in recipe.sources.items() if self.is_data else ():
            if isinstance(source, Sample) and source.rows > MOST_SAMPLED:
                what = f"a recipe inside of a mixture may have at most {MOST_SAMPLED:,} rows made; copy it out of there"
                self._problem(("sources", name, "rows"), what)

    def _check_source_names(self, recipe: Recipe) -> None:
        for index, stage in enumerate(recipe.stages):
            path: KeyPath = ("stages", index, stage.called())
            for name, field in type(stage).model_fields.items():
                if NAMES_SOURCES in field.metadata:
                    self._check_patterns(getattr(stage, name), (*path, name), recipe, numbered=True)
            if isinstance(stage.max_removed, Mapping):
                self._check_patterns(stage.max_removed, (*path, "max_removed"), recipe, numbered=False)

    def _check_on(self, recipe: Recipe) -> None:
        """Check that the recipe's kind has the texts that stages compare; a default that it lacks must be replaced."""
        known = kinds.find(recipe.kind).on
        for index, stage in enumerate(recipe.stages):
            for path, on in _compared(stage, ("stages", index, stage.called())):
                if on not in known:
                    what = f"rows of kind {recipe.kind} have no '{on}'; say {path[-1]}: {' or '.join(known)}"
                    self._problem(path, what)

    def _check_patterns(self, patterns: Iterable[str], path: KeyPath, recipe: Recipe, *, numbered: bool) -> None:
        for position, pattern in enumerate(patterns):
            if not any(matches(source, (pattern,)) for source in recipe.sources):
                place = (*path, position if numbered else pattern)
                hint = did_you_mean(pattern, recipe.sources) or _listed(recipe.sources)
                self._problem(place, f"no source named '{printable(pattern, 60)}'{hint}", not numbered)

    def _validated(self, model: type[M], values: Any, path: KeyPath) -> M | None:
        try:
            return model.model_validate(values)
        except ValidationError as error:
            for found in error.errors(include_url=False):
                self._translate(model, found, path)
            return None

    def _translate(self, model: type[BaseModel], found: Any, prefix: KeyPath) -> None:
        path, fields = prefix, model
        for part in found["loc"]:
            step = (*path, part)
            if step in self.document.values or step in self.document.keys:
                path = step
            elif any(format.name == part for format in FORMATS):
                fields = next(format for format in FORMATS if format.name == part)
            if part in fields.model_fields:
                fields = _only_model(fields.model_fields[part].annotation) or fields
        kind, message = found["type"], found["msg"]
        if kind == "extra_forbidden":
            key = str(found["loc"][-1])
            choices = list(fields.model_fields)
            self._problem(
                path, f"unknown key '{printable(key, 60)}'{did_you_mean(key, choices) or _listed(choices)}", True
            )
        elif kind == "missing":
            self._problem((*path, str(found["loc"][-1])), "is missing")
        elif kind == "value_error":
            self._problem(path, message.removeprefix("Value error, "))
        elif kind == "string_pattern_mismatch" and found["ctx"]["pattern"] == NAME_PATTERN:
            self._problem(path, f"{_shown(found['input'])} is not a name: {NAME_RULE}", found["loc"][-1] == "[key]")
        elif kind == "too_short" and self.problems:
            pass  # The value was there, and its problem is reported already.
        else:
            words = SHOULD_BE.get(kind) or message[:1].lower() + message[1:].replace("Input should", "input should")
            problem = self.document.problem(path, f"{words}; found {_shown(found['input'])}")
            # A key that takes several types is reported once.
            if all((problem.line, problem.column) != (told.line, told.column) for told in self.problems):
                self.problems.append(problem)

    def _problem(self, path: KeyPath, what: str, at_key: bool = False) -> None:
        self.problems.append(self.document.problem(path, what, at_key=at_key))

    def _error(self) -> RecipeError:
        return self.document.error(*self.problems)


def _listed(names: Iterable[str]) -> str:
    return f"; there are {', '.join(names)}"


def _shown(value: Any) -> str:
    if isinstance(value, Mapping):
        return "a mapping"
    if isinstance(value, list | tuple):
        return "a list"
    return "nothing" if value is None else f"'{printable(str(value), 60)}'"


def _compared(value: Any, path: KeyPath) -> Iterator[tuple[KeyPath, str]]:
    """The options of a model, and of models in it, that select texts, each with its place."""
    if isinstance(value, BaseModel):
        for name, field in type(value).model_fields.items():
            own = getattr(value, name)
            if ON in field.metadata:
                yield (*path, name), own
            else:
                yield from _compared(own, (*path, name))
    elif isinstance(value, Mapping | tuple | list):
        items = value.items() if isinstance(value, Mapping) else enumerate(value)
        for key, item in items:
            yield from _compared(item, (*path, key))


def _only_model(annotation: Any) -> type[BaseModel] | None:
    """The model that a field's type holds, where it holds one: `Output`, or `Rule` of `dict[str, tuple[Rule, ...]]`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    found = {model for part in get_args(annotation) if (model := _only_model(part))}
    return found.pop() if len(found) == 1 else None
