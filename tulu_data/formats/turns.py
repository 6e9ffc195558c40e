"""Turns of a foreign conversation, in the usual spellings, as messages.

Roles are those of the table below, and others are errors. Content is a text or a list of
text parts, which are joined as they are; content that is null or missing is an error unless
the turn has tool calls. An empty text is a text, and an empty list of calls means no calls.
Reasoning is beside the content, or parts of it. A part of another type is an error unless the
recipe drops it.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final, NamedTuple

import orjson

from tulu_data.errors import RecordError, did_you_mean, printable
from tulu_data.formats.column import MISSING
from tulu_data.readers import json_record
from tulu_data.readers.json_record import kind_of
from tulu_data.rows import calls
from tulu_data.rows.sft import Conversation

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
"""ShareGPT's role for an assistant's turn whose text is a tool call."""

REASONING_KEYS: Final = ("reasoning_content", "reasoning", "thinking")
"""The keys of a turn, and the types of parts, that contain the reasoning before the answer."""
WEIGHT_KEYS: Final = ("weight", "loss_weight", "train")
"""The keys of a turn that say whether it is trained on: OpenAI's, LLaMA-Factory's, axolotl's."""
READ_KEYS: Final = frozenset({"role", "content", "from", "value", *calls.KEPT, *REASONING_KEYS, *WEIGHT_KEYS})


def conversation(
    turns: Any,
    column: str,
    *,
    system: str | None = None,
    tools: Any = MISSING,
    beside: Any = MISSING,
    drop_parts: Collection[str] = (),
) -> Conversation:
    """Messages of a list of turns, or of JSON text of one, each `{role, content}` or `{from, value}`.

    `beside` is a `tool_calls` column that goes with them, an array with one entry a message;
    `drop_parts` are types of content parts that are left out.

    >>> conversation([{"from": "human", "value": "Hi"}, {"from": "gpt", "value": "Hello"}], "conversations").messages
    [('user', 'Hi'), ('assistant', 'Hello')]

    Raises `RecordError` for anything that can't be read. A conversation without an answer is not an error here.
    """
    turns = listed(turns, column)
    if not turns:
        raise RecordError("no_answer", f"{column} has no message")
    if len(turns) > MAX_MESSAGES:
        raise RecordError(
            "too_many_messages", f"{column} has {len(turns):,} messages; at most {MAX_MESSAGES:,} are read"
        )
    messages: list[tuple[str, str]] = [("system", system)] if system else []
    kept: list[dict[str, Any] | None] = [None] if system else []
    reasoning: list[str | None] = [None] if system else []
    weights: list[float | None] = [None] if system else []
    for index, (turn, given) in enumerate(zip(turns, _beside(beside, len(turns)), strict=True)):
        place = f"{column}[{index}]"
        if not isinstance(turn, dict):
            raise RecordError("not_an_object", f"{place} is {kind_of(turn)}")
        foreign = turn["role"] if "role" in turn else turn.get("from")
        content = turn["content"] if "content" in turn else turn.get("value")
        role = _role(foreign, place)
        entry = _entry(turn, given, place)
        if isinstance(foreign, str) and foreign.lower() == CALL and content is not None:
            entry, content = calls.said({**entry, "function_call": content}), ""
        if content is None and calls.is_call(entry):
            content = ""
        text = _text(content, place, drop_parts)
        messages.append((role, text.content))
        kept.append(entry or None)
        reasoning.append(_reasoning(turn, text.reasoning, place))
        weights.append(_weight(turn, role, place) if len(turn) > 2 else None)
    return Conversation(
        messages,
        _json(kept, "tool calls") if any(kept) else None,
        _tools(tools),
        reasoning if any(reasoning) else (),
        weights if any(weight is not None for weight in weights) else (),
    )


def listed(turns: Any, column: str) -> list[Any]:
    """A list of turns; `RecordError` if the column has neither one nor JSON text of one.

    >>> listed('[{"role": "user", "content": "Hi"}]', "messages")
    [{'role': 'user', 'content': 'Hi'}]
    """
    is_json = isinstance(turns, str) and turns.lstrip().startswith("[")
    found = _parsed(turns, column) if is_json else turns
    if isinstance(found, str):
        raise RecordError("not_a_list", f"{column} is a text, but not the JSON text of an array of messages")
    if not isinstance(found, list):
        raise RecordError("not_a_list", f"{column} is {kind_of(turns)}")
    return found


def _entry(turn: Mapping[str, Any], given: Mapping[str, Any], place: str) -> dict[str, Any]:
    """The tool calls of a turn, its own and those that a column gives for it."""
    own = {key: turn[key] for key in calls.KEPT if key in turn}
    if not own and not given:
        return {}
    called = own.get("tool_calls")
    if isinstance(called, str):
        called = _parsed(called, f"{place}.tool_calls")
    own["tool_calls"] = [called] if isinstance(called, dict) else called
    return calls.said({**given, **calls.said(own)})


def _beside(column: Any, count: int) -> Sequence[dict[str, Any]]:
    """The entry of each message in a `tool_calls` column that this program wrote."""
    value = _parsed(column, "tool_calls") if isinstance(column, str) else column or None
    if value is MISSING or value is None or value == []:
        return [{}] * count
    if not isinstance(value, list) or len(value) != count or not all(isinstance(item, dict | None) for item in value):
        raise RecordError("tool_calls", f"the column tool_calls is not an array of {count} objects or nulls")
    return [item or {} for item in value]


def _parsed(text: str, column: str) -> Any:
    """The value of a column or key that is JSON text; None if it is blank."""
    try:
        return json_record.parse(text.encode()) if text.strip() else None
    except RecordError as error:
        raise RecordError(error.code, f"{column}: {error.detail}") from None


def prompted(prompt: str, response: str, system: str | None = None) -> Conversation:
    """One question and one answer, after the system prompt if there is one."""
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


class _Text(NamedTuple):
    content: str
    reasoning: str = ""


def _text(content: Any, place: str, drop_parts: Collection[str]) -> _Text:
    if isinstance(content, str):
        return _Text(content)
    if content is None:
        raise RecordError("null_content", f"{place}: the content is null")
    if not isinstance(content, list):
        raise RecordError("not_text", f"{place}: the content is {kind_of(content)}")
    texts: list[str] = []
    thoughts: list[str] = []
    for index, part in enumerate(content):
        kind = part.get("type", "text") if isinstance(part, Mapping) else "text"
        text = part if isinstance(part, str) else _of_part(part, kind)
        if text is not None:
            (thoughts if kind in REASONING_KEYS else texts).append(text)
        elif not (isinstance(kind, str) and {kind, family_of(kind)} & {*drop_parts}):
            raise RecordError("not_text", _not_text(part, f"{place}, part {index}"))
    return _Text("".join(texts), "\n\n".join(thoughts))


def _of_part(part: Any, kind: Any) -> str | None:
    """The text of a part, or None if it has none."""
    if not isinstance(part, Mapping) or kind not in ("text", *REASONING_KEYS):
        return None
    return next((part[key] for key in ("text", "value", kind) if isinstance(part.get(key), str)), None)


def _not_text(part: Any, place: str) -> str:
    kind = part.get("type", "text") if isinstance(part, Mapping) else None
    if not isinstance(kind, str):
        return f"{place} is {kind_of(part)}, not text"
    shown = printable(kind, 40)
    if kind in ("text", *REASONING_KEYS):
        return f"{place} is of type '{shown}' and has no text"
    family = printable(family_of(kind), 40)
    return f"{place} is of type '{shown}', not text; to leave such parts out, give the source: drop_parts: [{family}]"


def family_of(kind: str) -> str:
    """The name of a type of content part in a recipe, for all spellings of it.

    >>> family_of("image_url"), family_of("input_audio"), family_of("refusal")
    ('image', 'audio', 'refusal')
    """
    return kind.removeprefix("input_").removesuffix("_url") or kind


def _reasoning(turn: Mapping[str, Any], in_parts: str, place: str) -> str | None:
    """The reasoning before the answer; some datasets have it under two keys."""
    found = {in_parts: "content"} if in_parts else {}
    for key in REASONING_KEYS if len(turn) > 2 else ():
        value = turn.get(key)
        if isinstance(value, str | list) and value:
            text = value if isinstance(value, str) else _text(value, f"{place}.{key}", ()).content
            found.setdefault(text, key)
        elif value not in (None, [], ""):
            raise RecordError("not_text", f"{place}.{key} is {kind_of(value)}, not text")
    if len(found) > 1:
        raise RecordError("reasoning", f"{place}: {' and '.join(found.values())} hold different reasoning; keep one")
    return next(iter(found), None)


def _weight(turn: Mapping[str, Any], role: str, place: str) -> float | None:
    """How much a message is trained on; None if that is the default for its role."""
    found: dict[float, str] = {}
    for key in WEIGHT_KEYS:
        value = turn.get(key)
        if value is None:
            continue
        if not isinstance(value, int | float) or not math.isfinite(value) or value < 0:
            raise RecordError("weight", f"{place}.{key} is {kind_of(value)}, not a number from 0 on")
        found[float(value)] = key
    if len(found) > 1:
        raise RecordError("weight", f"{place}: {' and '.join(found.values())} are different weights; keep one")
    weight = next(iter(found), None)
    return None if weight == float(role == "assistant") else weight


def _tools(tools: Any) -> str | None:
    """The tools on offer as JSON text, which is unchanged; None if there are none."""
    value = _parsed(tools, "tools") if isinstance(tools, str) else tools
    if value is MISSING or not value:
        return None
    return tools if isinstance(tools, str) else _json(value, "tools")


def _json(value: Any, what: str) -> str:
    """JSON text with keys in their given order, for a model learns to write them so."""
    try:
        return orjson.dumps(value).decode()
    except TypeError as error:
        raise RecordError("not_json", f"the {what} are not JSON: {printable(str(error))}") from None
