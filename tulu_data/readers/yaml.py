"""YAML text as plain values with their positions.

Every scalar stays the text that was written (`no` is Norwegian, `1.10` is a version):
the model that reads it decides its type. Everything that could run, hide or multiply content
(tags, anchors, aliases, merge keys, several documents) is refused with its position.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final, NoReturn

from ruamel.yaml import YAML
from ruamel.yaml import events as yaml_events
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from tulu_data.errors import Problem, RecipeError, printable

MAX_BYTES: Final = 256 * 1024
MAX_DEPTH: Final = 32
NULLS: Final = frozenset({"", "~", "null", "Null", "NULL"})

KeyPath = tuple[str | int, ...]
Position = tuple[int, int]


@dataclass
class Document:
    """The values of one YAML text, and the position of every key and value.

    `keys` and `values` map a path such as `("stages", 3, "length_filter")` to (line,
    column), both counted from 1.

    >>> document = parse("name: mix\\nseed: 007\\n", "mix.yaml")
    >>> document.root, document.values[("seed",)]
    ({'name': 'mix', 'seed': '007'}, (2, 7))
    """

    file: str
    text: str
    root: Any = None
    keys: dict[KeyPath, Position] = field(default_factory=dict)
    values: dict[KeyPath, Position] = field(default_factory=dict)

    def problem(self, path: KeyPath, what: str, *, at_key: bool = False) -> Problem:
        """A problem at `path`, or at the nearest part of it that is in the text."""
        for length in range(len(path), -1, -1):
            part = path[:length]
            # A missing value is shown at the key that should have it.
            prefer_key = at_key or length < len(path)
            position = (self.keys.get(part) if prefer_key else None) or self.values.get(part) or self.keys.get(part)
            if position:
                return Problem(*position, path=shown_path(path), what=what)
        return Problem(1, 1, path=shown_path(path), what=what)

    def error(self, *problems: Problem) -> RecipeError:
        """All `problems` as one error, in the order of the text."""
        ordered = sorted(problems, key=lambda problem: (problem.line, problem.column))
        return RecipeError(self.file, ordered, self.text)


def shown_path(path: KeyPath) -> str:
    """A path in the form that a person writes.

    >>> shown_path(("stages", 3, "length_filter", "on"))
    'stages[3].length_filter.on'
    """
    shown = ""
    for part in path:
        shown += f"[{part}]" if isinstance(part, int) else f".{part}" if shown else part
    return printable(shown)


def parse(text: str, file: str) -> Document:
    """Read one YAML document.

    Raises `RecipeError` (exit 2) with `file:line:column` for text that is not YAML, is
    over 256 KiB or nested deeper than 32, or holds duplicate keys, anchors, aliases,
    tags or a second document.
    """
    document = Document(file, text)
    size = len(text.encode(errors="surrogatepass"))
    if size > MAX_BYTES:
        raise RecipeError(file, [Problem(1, 1, "", f"{size:,} bytes; a recipe has at most {MAX_BYTES:,}")])
    try:
        _Builder(document).build(YAML(typ="rt", pure=True).parse(text))
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        what = "; ".join(part for part in (error.context, error.problem) if part)
        if "${" in "".join(text.splitlines()[line - 1 : line]):
            what += '; a path with ${NAME} needs quotes inside braces: "${NAME}/…"'
        raise document.error(Problem(line, column, "", f"not YAML: {what}")) from None
    except (YAMLError, ValueError) as error:
        raise document.error(Problem(1, 1, "", f"not YAML: {printable(str(error), 160)}")) from None
    return document


class _Builder:
    """Turns the events of a YAML parser into a `Document`."""

    def __init__(self, document: Document) -> None:
        self.document = document

    def build(self, events: Iterator[Any]) -> None:
        documents = 0
        for event in events:
            if isinstance(event, yaml_events.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    self._refuse(event, (), "a second document; a recipe is one")
            elif isinstance(event, yaml_events.NodeEvent):
                self.document.root = self._value(event, events, ())

    def _value(self, event: Any, events: Iterator[Any], path: KeyPath) -> Any:
        self.document.values[path] = (event.start_mark.line + 1, event.start_mark.column + 1)
        if len(path) > MAX_DEPTH:
            self._refuse(event, path[:1], f"nested deeper than {MAX_DEPTH}")
        if isinstance(event, yaml_events.AliasEvent):
            self._refuse(event, path, f"alias '*{event.anchor}'; write the value out")
        if event.anchor is not None:
            self._refuse(event, path, f"anchor '&{event.anchor}'; write the value where it is used")
        if event.tag is not None:
            self._refuse(event, path, f"tag '{event.tag}'; values have no tags")
        if isinstance(event, yaml_events.ScalarEvent):
            plain = bool(event.implicit[0])
            return None if plain and event.value in NULLS else self._text(event, path)
        if isinstance(event, yaml_events.SequenceStartEvent):
            return self._sequence(events, path)
        return self._mapping(events, path)

    def _sequence(self, events: Iterator[Any], path: KeyPath) -> list[Any]:
        items: list[Any] = []
        while not isinstance(event := next(events), yaml_events.SequenceEndEvent):
            items.append(self._value(event, events, (*path, len(items))))
        return items

    def _mapping(self, events: Iterator[Any], path: KeyPath) -> dict[str, Any]:
        mapping: dict[str, Any] = {}
        while not isinstance(event := next(events), yaml_events.MappingEndEvent):
            if not isinstance(event, yaml_events.ScalarEvent):
                self._refuse(event, path, "a key that is not a plain word")
            key = self._text(event, path)
            key_path = (*path, key)
            if event.anchor is not None or event.tag is not None:
                self._refuse(event, key_path, "anchor or tag on a key")
            if key in mapping:
                first_line = self.document.keys[key_path][0]
                self._refuse(event, key_path, f"duplicate key; it is in line {first_line} already")
            self.document.keys[key_path] = (event.start_mark.line + 1, event.start_mark.column + 1)
            mapping[key] = self._value(next(events), events, key_path)
        return mapping

    def _text(self, event: Any, path: KeyPath) -> str:
        """The text of a scalar; two surrogates, as JSON escapes a character, become one character."""
        text = str(event.value)
        if "\0" in text:
            self._refuse(event, path, "a text has no NUL character; no file and no path can hold it")
        if text.isascii():
            return text
        try:
            return text.encode("utf-16", "surrogatepass").decode("utf-16")
        except UnicodeDecodeError:
            self._refuse(
                event, path, "a text has no half of a character; name a file that is not UTF-8 by a pattern: *.jsonl"
            )

    def _refuse(self, event: Any, path: KeyPath, what: str) -> NoReturn:
        position = (event.start_mark.line + 1, event.start_mark.column + 1)
        raise self.document.error(Problem(*position, path=shown_path(path), what=what))
