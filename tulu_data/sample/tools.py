"""Tools: a question, a call in the form of the OpenAI API, the tool's answer, and the assistant's reply.

The tools are in `templates/tools.txt`, which begins by explaining how to write one.
"""

from __future__ import annotations

import json
import re
from functools import cache
from typing import Any, Final, NamedTuple

from tulu_data.sample import texts
from tulu_data.sample.banks import banks
from tulu_data.sample.draw import Draw
from tulu_data.sample.grammar import Filling, Parts, articled, joined, parse, ranges, write

_ARGUMENT = re.compile(r"(\w+): (\w+) = (.+)")
_LETTERS: Final = tuple("ABCDEFGHKLMNPQRSTUVWXYZ")


class Tool(NamedTuple):
    """A tool: its arguments by name and kind, and the texts around a call."""

    name: str
    does: Parts
    arguments: tuple[tuple[str, str, Parts], ...]
    question: Parts
    result: Parts
    answer: Parts


@cache
def tools() -> tuple[Tool, ...]:
    """All tools."""
    return texts.read("templates/tools.txt", _tool)


def _tool(name: str, text: str) -> Tool:
    lines = joined(text.splitlines())
    if len(lines) != 5:
        raise ValueError(f"a tool has five lines, this one {len(lines)}; a line that goes on is indented")
    does, arguments, question, result, answer = lines
    given = tuple(map(_argument, arguments.split("; ")))
    return Tool(name, parse(does), given, parse(question), parse(result, choices=False), parse(answer))


def _argument(text: str) -> tuple[str, str, Parts]:
    found = _ARGUMENT.fullmatch(text)
    if not found:
        raise ValueError(f"an argument is 'name: kind = value': {text}")
    name, kind, value = found.groups()
    return name, kind, parse(value, choices=False)


def row(draw: Draw) -> dict[str, Any]:
    """A question that a tool helps to answer."""
    tool = draw.one(tools())
    filling = Filling(draw)
    slots = filling.slots
    currencies = banks()["currency"]
    slots["cur"], slots["cur2"] = (currencies[index] for index in draw.some(2, len(currencies)))
    slots["W"] = draw.one(_LETTERS) + draw.one(_LETTERS)
    slots["W2"] = draw.one(_LETTERS) + draw.one(_LETTERS)
    slots["mode"] = draw.one(banks()["mode"])
    slots["state"] = draw.one(("confirmed", "reserved"))
    slots["state2"] = draw.one(("true", "false"))
    for parts in (*(value for _, _, value in tool.arguments), tool.question, tool.result, tool.answer):
        for number in ranges(parts):
            slots.setdefault(number.name, str(draw.between(number.low, number.high)))
    given: dict[str, str | int] = {}
    for label, kind, value in tool.arguments:
        text = write(value, filling)
        given[label] = int(text) if kind in {"integer", "number"} else text
    call = f"call_{draw.below(1 << 48):012x}"
    function = {"name": tool.name, "arguments": json.dumps(given, ensure_ascii=False)}
    answer = articled(write(tool.answer, filling))
    return {
        "messages": [
            {"role": "user", "content": articled(write(tool.question, filling))},
            {
                "role": "assistant",
                "content": None,
                "tool_calls": [{"id": call, "type": "function", "function": function}],
            },
            {"role": "tool", "tool_call_id": call, "content": write(tool.result, filling)},
            {"role": "assistant", "content": answer[0].upper() + answer[1:]},
        ],
        "tools": [_offered(tool, filling)],
        "language": "en",
        "template": f"tools/{tool.name}",
    }


def _offered(tool: Tool, filling: Filling) -> dict[str, Any]:
    properties = {label: {"type": kind} for label, kind, _ in tool.arguments}
    parameters = {"type": "object", "properties": properties, "required": [label for label, _, _ in tool.arguments]}
    described = {"name": tool.name, "description": write(tool.does, filling), "parameters": parameters}
    return {"type": "function", "function": described}
