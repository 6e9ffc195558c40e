"""Calls of tools: as text, as values that are compared, and in the form for chat templates.

The column `tool_calls` is a JSON array with one entry a message: null, or an object with those of
the keys `tool_calls`, `function_call`, `tool_call_id` and `name` that the message had. Publishers
write calls in many forms (the function beside the id or within `function`, arguments as an object
or as JSON text, one call or a list); here all forms are read alike.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

import orjson

Entry = Mapping[str, Any]
"""The keys of a message that belong to its calls, besides its role and content."""

KEPT: Final = ("function_call", "name", "tool_call_id", "tool_calls")
"""The keys of a foreign message that go into its entry."""
MAX_DEPTH: Final = 64
# Keys that name or sort a call within its conversation, but have no content.
_LABELS: Final = frozenset({"id", "index", "type"})


def entries_of(calls: str) -> list[Entry | None]:
    """The entries of one row's `tool_calls`, one a message; empty if the text is not in the form of this column."""
    try:
        entries = orjson.loads(calls)
    except orjson.JSONDecodeError:
        return []
    return [entry if isinstance(entry, dict) else None for entry in (entries if isinstance(entries, list) else ())]


def texts_of(entry: Entry | None) -> list[str]:
    r"""The text of each call of a message: the function's name, then the values of its arguments, a line each.

    Values inside of lists and objects, and of JSON text, are in their order; names of
    arguments, ids and nulls are left out.

    >>> texts_of({"tool_calls": [{"id": "1", "function": {"name": "save", "arguments": '{"text": "a\\nb", "n": 2}'}}]})
    ['save\na\nb\n2']
    """
    # JSON text may escape half of a surrogate pair, which is not a character.
    texts = ("\n".join(_leaves(call)).encode(errors="replace").decode() for call in _calls_of(entry))
    return [text for text in texts if text]


def compared(entry: Entry | None) -> str:
    """The calls of a message as JSON for comparisons: functions with their arguments, and the message's name.

    The order of keys, the ids of calls, and whether arguments are JSON text make no difference.

    >>> compared({"function_call": '{"name": "f", "arguments": {"b": 1, "a": 2}}'})
    '[[{"arguments": {"a": 2, "b": 1}, "name": "f"}], null]'
    """
    if entry is None:
        return ""
    functions, name = [_with_decoded(call) for call in _calls_of(entry)], entry.get("name")
    if not functions and name is None:
        return ""
    return json.dumps([functions, name], sort_keys=True)


def rendered(entry: Entry | None) -> dict[str, Any]:
    """The keys of a message that a chat template reads: `tool_calls`, `tool_call_id`, `name`.

    Calls have the form that templates know, `{type, function: {name, arguments}}`, and
    arguments are objects, as transformers requires.

    >>> rendered({"function_call": {"name": "now", "arguments": "{}"}})
    {'tool_calls': [{'type': 'function', 'function': {'name': 'now', 'arguments': {}}}]}
    """
    keys = {key: entry[key] for key in ("name", "tool_call_id") if key in entry} if entry else {}
    called = []
    for call, label in zip(_calls_of(entry), _ids_of(entry), strict=True):
        function = _with_decoded(call)
        function = function if isinstance(function, dict) else {"name": str(function)}
        own = {"name": function.pop("name", ""), "arguments": function.pop("arguments", None) or {}, **function}
        called.append({**label, "type": "function", "function": own})
    return {**keys, "tool_calls": called} if called else keys


def said(entry: Entry) -> dict[str, Any]:
    """An entry without values that are empty, null or blank, which are not calls.

    >>> said({"tool_calls": [], "name": " ", "tool_call_id": "7"})
    {'tool_call_id': '7'}
    """
    kept = {}
    for key, value in entry.items():
        if isinstance(value, list):
            value = [one for one in value if not _is_empty(one)]  # noqa: PLW2901 (the same value, cleaned)
        if not _is_empty(value):
            kept[key] = value
    return kept


def is_call(entry: Entry) -> bool:
    """Whether a message with this entry calls a tool."""
    return "tool_calls" in entry or "function_call" in entry


def _is_empty(value: Any) -> bool:
    """Whether a value holds only nulls, blanks and labels."""
    value = decoded(value)
    if isinstance(value, str):
        return not value.strip()
    if isinstance(value, dict):
        return all(_is_empty(inner) for key, inner in value.items() if key not in {"index", "type"})
    return value is None or (isinstance(value, list) and all(map(_is_empty, value)))


def decoded(value: Any) -> Any:
    """The value of a text that is a JSON object or array, of up to 64 levels; anything else as it is."""
    if not isinstance(value, str) or not value.lstrip().startswith(("{", "[")):
        return value
    try:
        found = json.loads(value)
    except (ValueError, RecursionError):
        return value
    return value if _is_deep(found) else found


def _is_deep(value: Any) -> bool:
    level = [value]
    for _ in range(MAX_DEPTH + 1):
        lists = [list(one.values()) if isinstance(one, dict) else one for one in level if isinstance(one, dict | list)]
        level = [inner for own in lists for inner in own]
    return bool(level)


def _listed(entry: Entry | None) -> Iterator[Any]:
    """The calls of a message as they came, one by one."""
    if entry is None:
        return
    for key in ("tool_calls", "function_call"):
        value = decoded(entry.get(key))
        yield from (one for one in (value if isinstance(value, list) else [value]) if one is not None)
    # Other values that a column `tool_calls` may have had are read as well.
    if other := {key: value for key, value in entry.items() if key not in KEPT}:
        yield other


def _calls_of(entry: Entry | None) -> Iterator[Any]:
    """The functions that a message calls, each with its arguments, the name first."""
    for one in _listed(entry):
        call = decoded(one)
        if isinstance(call, dict):
            call = {key: value for key, value in call.items() if key not in _LABELS}
            function = decoded(call.get("function"))
            if isinstance(function, dict):
                del call["function"]
                call = {**function, **call}
            if "name" in call:
                call = {"name": call["name"], **call}
        yield call


def _ids_of(entry: Entry | None) -> Iterator[dict[str, Any]]:
    for one in _listed(entry):
        call = decoded(one)
        yield {"id": call["id"]} if isinstance(call, dict) and "id" in call else {}


def _with_decoded(call: Any) -> Any:
    """A call with arguments in JSON text decoded into values."""
    return {**call, "arguments": decoded(call["arguments"])} if isinstance(call, dict) and "arguments" in call else call


def _leaves(value: Any) -> Iterator[str]:
    """The texts and numbers of a value, in order."""
    waiting = [value]
    while waiting:
        one = decoded(waiting.pop())
        if isinstance(one, dict | list):
            waiting += reversed(list(one.values()) if isinstance(one, dict) else one)
        elif isinstance(one, str):
            yield one
        elif one is not None:
            yield json.dumps(one)
