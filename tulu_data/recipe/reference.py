"""The reference of recipes, made from the models: JSON Schema, Markdown, plain text."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic.json_schema import models_json_schema

from tulu_data import sources, stages
from tulu_data.formats import FORMATS
from tulu_data.recipe.recipe import Output, Recipe
from tulu_data.rows import kind as kinds
from tulu_data.sources.source import Source
from tulu_data.stage import DECIDES, Stage
from tulu_data.store.patterns import NAME_PATTERN

OUTSIDE: Final = r"^.+:[A-Za-z_][A-Za-z0-9_]*$"
_CLOSED: Final = {"additionalProperties": False, "minProperties": 1}
SCHEMA_FILE: Final = "recipe.schema.json"


def json_schema() -> dict[str, Any]:
    """The JSON Schema of a recipe, for editors and for other programs."""
    source_models = list(sources.kinds().values())
    stage_models = [stages.find(name) for name in stages.names()]
    models: list[type[BaseModel]] = [*source_models, *stage_models, Output]
    _, shared = models_json_schema([(model, "validation") for model in models], ref_template="#/$defs/{model}")
    definitions = shared["$defs"]
    head = {
        name: {"description": field.description, **_scalar(name)}
        for name, field in Recipe.model_fields.items()
        if name in ("name", "kind", "seed", "version", "card")
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "tulu-data recipe",
        "type": "object",
        "additionalProperties": False,
        "required": ["name", "sources"],
        "properties": {
            **head,
            "sources": {
                "type": "object",
                "description": Recipe.model_fields["sources"].description,
                "minProperties": 1,
                "propertyNames": {"pattern": NAME_PATTERN},
                "additionalProperties": {"anyOf": [_ref(model) for model in source_models]},
            },
            "stages": {
                "type": "array",
                "description": Recipe.model_fields["stages"].description,
                "items": {
                    "anyOf": [
                        {"enum": stages.names()},
                        *(_stage_item(model) for model in stage_models),
                        {"type": "string", "pattern": OUTSIDE},
                        {"type": "object", "maxProperties": 1, "patternProperties": {OUTSIDE: {}}, **_CLOSED},
                    ]
                },
            },
            "output": _ref(Output),
        },
        "$defs": definitions,
    }


def _scalar(name: str) -> dict[str, Any]:
    if name == "seed":
        return {"type": "integer", "default": 0}
    if name == "kind":
        return {"enum": kinds.names(), "default": kinds.DEFAULT}
    if name == "card":
        return {"type": "string"}
    return {"type": "string", "pattern": NAME_PATTERN}


def _ref(model: type[BaseModel]) -> dict[str, str]:
    return {"$ref": f"#/$defs/{model.__name__}"}


def _stage_item(model: type[Stage]) -> dict[str, Any]:
    return {
        "type": "object",
        "additionalProperties": False,
        "required": [model.name()],
        "properties": {model.name(): {"anyOf": [_ref(model), {"type": "null"}]}},
    }


def markdown() -> str:
    """The recipe reference: every key, its type, its default, and its description."""
    lines = [
        "# Recipe reference",
        "",
        "Made from the models by `python -m tulu_data.recipe.reference`; a test keeps it equal to them.",
        "",
        "## Recipe",
        "",
        *_table(Recipe),
        "",
        "## Output",
        "",
        *_table(Output),
        "",
        "## Sources",
        "",
        f"Every source has these keys in addition to its own. {' '.join(_lines(Source))}",
        "",
        *_table(Source),
        "",
    ]
    for key, source in sources.kinds().items():
        lines += [f"### `{key}`", "", *_document(source), "", *_table(source, without=Source), ""]
    lines += ["## Formats", "", "`format:` is a format's name, or a mapping of the columns that it reads.", ""]
    for format in FORMATS:
        lines += [f"### `{format.name}`", "", *_document(format), "", *_table(format), ""]
    lines += [
        "## Stages",
        "",
        "Every stage has these keys in addition to its own. Keys marked ° can be changed without another scan.",
        "",
        *_table(Stage),
        "",
    ]
    for name in stages.names():
        stage = stages.find(name)
        lines += [
            f"### `{name}`",
            "",
            f"Phase: {stage.phase}.",
            "",
            *_document(stage),
            "",
            *_table(stage, without=Stage),
            "",
        ]
    return "\n".join(lines)


def stage_text(stage: type[Stage]) -> str:
    """One stage for the terminal: its docstring, then its keys."""
    lines = [f"{stage.name()}  (phase: {stage.phase})", "", *_lines(stage), ""]
    fields, properties = stage.model_fields, _properties(stage)
    width = max(map(len, fields))
    for name, field in fields.items():
        mark = "°" if DECIDES in field.metadata else " "
        lines.append(f"  {name:<{width}}{mark} {field.description}")
        lines.append(f"  {'':<{width}}  {_type(properties[name])}; default: {_default(field)}".replace("`", ""))
    return "\n".join([*lines, "", "° can be changed without another scan"])


def _lines(model: type[BaseModel]) -> list[str]:
    """A class's docstring without the indentation of the class."""
    return [line.removeprefix("    ") for line in (model.__doc__ or "").rstrip().splitlines()]


def _document(model: type[BaseModel]) -> Iterator[str]:
    """A docstring as Markdown: indented lines are code."""
    in_code = False
    for line in _lines(model):
        is_code = line.startswith(("    ", "{", "- ", "format: "))
        if is_code != in_code and line:
            in_code = not in_code
            yield "```yaml" if in_code else "```"
            if not in_code:
                yield ""
        if line or not in_code:
            yield line.removeprefix("    ")
    if in_code:
        yield "```"


def _table(model: type[BaseModel], without: type[BaseModel] | None = None) -> list[str]:
    hidden = set(without.model_fields) if without else set()
    properties = _properties(model)
    rows = ["| key | type | default | |", "|---|---|---|---|"]
    for name, field in model.model_fields.items():
        if name not in hidden:
            mark = "°" if DECIDES in field.metadata else ""
            rows.append(f"| `{name}`{mark} | {_type(properties[name])} | {_default(field)} | {field.description} |")
    return rows


def _properties(model: type[BaseModel]) -> dict[str, Any]:
    schema = json_schema() if model is Recipe else model.model_json_schema()
    properties: dict[str, Any] = schema["properties"]
    return properties


def _type(schema: dict[str, Any]) -> str:
    """A JSON Schema as words.

    >>> _type({"anyOf": [{"type": "integer"}, {"type": "array", "items": {"type": "string"}}, {"type": "null"}]})
    'integer or list of string'
    """
    if "anyOf" in schema or "oneOf" in schema:
        kinds = [_type(part) for part in schema.get("anyOf") or schema.get("oneOf") or []]
        # A decimal may be written as a number or as text; people write a number.
        kinds = [kind for kind in kinds if kind != "null" and not (kind == "string" and "number" in kinds)]
        return " or ".join(dict.fromkeys(kinds))
    if "enum" in schema or "const" in schema:
        return ", ".join(f"`{value}`" for value in schema.get("enum", [schema.get("const")]))
    if "$ref" in schema:
        return str(schema["$ref"]).rsplit("/", 1)[-1].lower()
    if schema.get("type") == "array":
        return f"list of {_type(schema['items'])}" if "items" in schema else "list"
    return "mapping" if schema.get("type") == "object" else str(schema.get("type", "any"))


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    value = field.default
    if value is None or value == ():
        return "–"
    if isinstance(value, BaseModel):
        return "its defaults"
    shown = ", ".join(value) if isinstance(value, tuple) else value
    text = str(shown).lower() if isinstance(shown, bool) else str(shown)
    return f"`{text.encode('unicode_escape').decode()}`" if isinstance(value, str | tuple) else f"`{text}`"


def main() -> None:
    """Write the reference and the schema to their files in the repository."""
    Path("docs/recipe.md").write_text(markdown(), encoding="utf-8")
    Path("recipes", SCHEMA_FILE).write_text(schema_text(), encoding="utf-8")


def schema_text() -> str:
    """The JSON Schema as the text of its file."""
    return json.dumps(json_schema(), indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    main()
