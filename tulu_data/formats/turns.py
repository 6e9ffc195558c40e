"""Turns of a foreign conversation, in the spellings that are in use, as messages.

One rule each: roles are read by the table below and anything else is an error; content is
a text or a list of text parts, which are joined as they are; null content is an error
unless the turn has tool calls; an empty text is a text.
"""

from __future__ import annotations

from typing import Any, Final

import orjson

from tulu_data.errors import RecordError, did_you_mean, printable
from tulu_data.formats.column import MISSING
from tulu_data.readers import json_record
from tulu_data.readers.json_record import kind_of
from tulu_data.rows import Conversation

MAX_MESSAGES: Final = 10_000
ROLES: Final = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "human": "user",
    "prompter": "user",
    "assistant": "assistant",
    "gpt": "assistant",
    "chatgpt": "assistant",
    "bot": "assistant",
    "model": "assistant",
    "tool": "tool",
    "function": "tool",
    "ipython": "tool",
    "observation": "tool",
    "function_call": "assistant",
}
"""Foreign role → ours."""
CALL: Final = "function_call"
"""ShareGPT's role of an assistant's turn whose text is the call."""

KEPT_KEYS: Final = ("function_call", "name", "tool_call_id", "tool_calls")
READ_KEYS: Final = frozenset({"role", "content", "from", "value", *KEPT_KEYS})


def conversation(
    turns: Any, column: str, *, system: str | None = None, tools: Any = MISSING, calls: str | None = None
) -> Conversation:
    """Messages of a list of turns, each `{role, content}` or `{from, value}`.

    `calls` is the JSON text of a `tool_calls` column that goes with them.

    >>> conversation([{"from": "human", "value": "Hi"}, {"from": "gpt", "value": "Hello"}], "conversations").messages
    [('user', 'Hi'), ('assistant', 'Hello')]

    Raises `RecordError` for what can't be read, and where nobody answers (`no_answer`).
    """
    if not isinstance(turns, list):
        raise RecordError("not_a_list", f"{column} is {kind_of(turns)}")
    if len(turns) > MAX_MESSAGES:
        raise RecordError(
            "too_many_messages", f"{column} has {len(turns):,} messages; at most {MAX_MESSAGES:,} are read"
        )
    kept_of = _beside(calls, len(turns)) if calls else [None] * len(turns)
    messages: list[tuple[str, str]] = [("system", system)] if system else []
    kept: list[dict[str, Any] | None] = [None] if system else []
    for index, (turn, beside) in enumerate(zip(turns, kept_of, strict=True)):
        place = f"{column}[{index}]"
        if not isinstance(turn, dict):
            raise RecordError("not_an_object", f"{place} is {kind_of(turn)}")
        foreign = turn["role"] if "role" in turn else turn.get("from")
        content = turn["content"] if "content" in turn else turn.get("value")
        role = _role(foreign, place)
        extras = {key: turn[key] for key in KEPT_KEYS if turn.get(key) is not None} if len(turn) > 2 else {}
        if foreign == CALL and content is not None:
            extras, content = {"function_call": content}, ""
        if beside:
            extras = {**beside, **extras}
        if content is None and (extras.get("tool_calls") or extras.get("function_call")):
            content = ""
        messages.append((role, _text(content, place)))
        kept.append(extras or None)
    if not any(role == "assistant" for role, _ in messages):
        raise RecordError("no_answer", f"{column} has no message of the assistant")
    return Conversation(messages, _json(kept, "tool calls") if any(kept) else None, _tools(tools))


def _beside(calls: str, count: int) -> list[dict[str, Any] | None]:
    """What a `tool_calls` column of ours says of each message."""
    value = json_record.parse(calls.encode())
    if not isinstance(value, list) or len(value) != count or not all(isinstance(item, dict | None) for item in value):
        raise RecordError("tool_calls", f"the column tool_calls is no array of {count} objects or nulls")
    return value


def prompted(prompt: str, response: str, system: str | None = None) -> Conversation:
    """One question and one answer, after a system prompt where there is one."""
    messages = [("user", prompt), ("assistant", response)]
    return Conversation([("system", system), *messages] if system else messages)


def _role(foreign: Any, place: str) -> str:
    if isinstance(foreign, str):
        role = ROLES.get(foreign) or ROLES.get(foreign.lower())
        if role:
            return role
        raise RecordError(
            "unknown_role", f"{place}: the role is '{printable(foreign, 40)}'{did_you_mean(foreign, ROLES)}"
        )
    raise RecordError("unknown_role", f"{place}: the role is {kind_of(foreign)}")


def _text(content: Any, place: str) -> str:
    if isinstance(content, str):
        return content
    if content is None:
        raise RecordError("null_content", f"{place}: the content is null")
    if not isinstance(content, list):
        raise RecordError("not_text", f"{place}: the content is {kind_of(content)}")
    return "".join(_part(part, f"{place}, part {index}") for index, part in enumerate(content))


def _part(part: Any, place: str) -> str:
    if isinstance(part, str):
        return part
    if isinstance(part, dict) and part.get("type", "text") == "text":
        text = part["text"] if "text" in part else part.get("value")
        if isinstance(text, str):
            return text
    kind = part.get("type") if isinstance(part, dict) else None
    what = f"of type '{printable(kind, 40)}'" if isinstance(kind, str) else kind_of(part)
    raise RecordError("not_text", f"{place} is {what}, not text")


def _tools(tools: Any) -> str | None:
    if tools is MISSING or not tools:
        return None
    if not isinstance(tools, str):
        return _json(tools, "tools")
    json_record.parse(tools.encode())
    return tools


def _json(value: Any, what: str) -> str:
    try:
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()
    except TypeError as error:
        raise RecordError("not_json", f"the {what} are not JSON: {printable(str(error))}") from None
