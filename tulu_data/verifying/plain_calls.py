"""Tool calls as texts, in plain Python that shares nothing with the code of a build."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

DEEPEST: Final = 64


def spoken(messages: Iterable[tuple[Any, ...]], calls: str | None) -> list[tuple[Any, str]]:
    """The texts of a conversation: those of each message, and after them one for each of its calls.

    A message is a mark, such as its role, followed by its texts: its content and its reasoning, if any. The
    text of a call is the name of its function and all values in its arguments, a line each.
    """
    said = []
    entries = _entries(calls)
    for number, (mark, *texts) in enumerate(messages):
        said += [(mark, text) for text in texts]
        for call in _called(entries, number):
            lines = [*_values(call.pop("name", None)), *_values(call)] if isinstance(call, dict) else [*_values(call)]
            if text := "\n".join(lines):
                said.append((mark, text))
    return said


def told(calls: str | None, count: int) -> list[str]:
    """A key of the calls of each of this many messages, which ignores their ids and the order of keys."""
    entries = _entries(calls)
    found = []
    for number in range(count):
        called = _called(entries, number)
        for call in called:
            if isinstance(call, dict) and "arguments" in call:
                call["arguments"] = _opened(call["arguments"])
        name = entries[number].get("name") if number < len(entries) else None
        found.append(json.dumps([called, name], sort_keys=True) if called or name is not None else "")
    return found


def _entries(calls: str | None) -> list[dict[str, Any]]:
    entries = _opened(calls)
    return [entry if isinstance(entry, dict) else {} for entry in (entries if isinstance(entries, list) else [])]


def _called(entries: Sequence[Mapping[str, Any]], number: int) -> list[Any]:
    """The calls of one message: an object has its function's name and arguments, without id, index and type."""
    entry = entries[number] if number < len(entries) else {}
    one, other = _opened(entry.get("tool_calls")), _opened(entry.get("function_call"))
    listed = [call for value in (one, other) for call in (value if isinstance(value, list) else [value])]
    beyond = {"tool_calls", "function_call", "tool_call_id", "name"}
    listed += [{key: value for key, value in entry.items() if key not in beyond} or None]
    found = []
    for call in map(_opened, listed):
        if isinstance(call, dict):
            function = _opened(call.get("function"))
            kept = {key: value for key, value in call.items() if key not in ("id", "index", "type")}
            if isinstance(function, dict):
                kept = {**function, **{key: value for key, value in kept.items() if key != "function"}}
            found.append(kept)
        elif call is not None:
            found.append(call)
    return found


def _opened(value: Any) -> Any:
    """The value of a JSON text, if it is an object or a list that is not nested too deeply."""
    if isinstance(value, str) and value.strip()[:1] in ("{", "["):
        try:
            held = json.loads(value)
        except (ValueError, RecursionError):
            return value
        inner, depth = [held], 0
        while inner and depth <= DEEPEST:
            inner = [
                part
                for one in inner
                if isinstance(one, dict | list)
                for part in (one.values() if isinstance(one, dict) else one)
            ]
            depth += 1
        return value if inner else held
    return value


def _values(value: Any) -> Iterator[str]:
    """All texts and numbers in a value, from the first to the last."""
    stack = [value]
    while stack:
        inner = _opened(stack.pop())
        if isinstance(inner, dict):
            stack.extend([*inner.values()][::-1])
        elif isinstance(inner, list):
            stack.extend(inner[::-1])
        elif inner is not None:
            yield inner if isinstance(inner, str) else json.dumps(inner)
