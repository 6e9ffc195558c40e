"""Math: word problems, solved step by step. The numbers are drawn, the steps computed.

The stories are in `templates/math.txt`, which begins by explaining how to write one.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from functools import cache
from typing import Any, Final, NamedTuple

from tulu_data.sample import texts
from tulu_data.sample.draw import Draw
from tulu_data.sample.grammar import Filling, Parts, articled, joined, parse, write
from tulu_data.sample.phrases import Phrases

_OPERATIONS: Final[dict[str, Callable[[int, int], int]]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.floordiv,
    "%": operator.mod,
}
_SIGNS: Final = {"+": "+", "-": "−", "*": "×", "/": "÷"}
_RANGE = re.compile(r"(\w+) (\d+)\.\.(\d+) ?(.*)")
_MADE = re.compile(r"(\w+) = (\w+) ([-+*/%]) (\w+) ?(.*)")
_STEP = re.compile(r"- (\w+) = (\w+) ([-+*/%]) (\w+) \| (.+) \| (.+)")
_PHRASES: Final = Phrases("math", ("asking", "openings", "frames", "checks", "endings"))


class Number(NamedTuple):
    """A number of a story, drawn between bounds or computed from others; it is listed if it has a meaning."""

    name: str
    made: tuple[str, str, str]
    low: int
    high: int
    meaning: Parts


class Step(NamedTuple):
    """One step of a solution: `name = left sign right`."""

    name: str
    made: tuple[str, str, str]
    finds: Parts
    unit: Parts


class Story(NamedTuple):
    """A word problem and its solution."""

    name: str
    text: Parts
    numbers: tuple[Number, ...]
    steps: tuple[Step, ...]


@cache
def stories() -> tuple[Story, ...]:
    """All word problems."""
    return texts.read("templates/math.txt", _story)


def _story(name: str, body: str) -> Story:
    text: list[str] = []
    numbers: list[Number] = []
    steps: list[Step] = []
    for line in joined(body.splitlines()):
        if line.startswith("> "):
            text.append(line.removeprefix("> "))
        elif step := _STEP.fullmatch(line):
            result, left, sign, right, finds, unit = step.groups()
            steps.append(Step(result, (left, sign, right), parse(finds), parse(unit)))
        elif drawn := _RANGE.fullmatch(line):
            numbers.append(Number(drawn[1], ("", "", ""), int(drawn[2]), int(drawn[3]), parse(drawn[4])))
        elif made := _MADE.fullmatch(line):
            result, left, sign, right, meaning = made.groups()
            numbers.append(Number(result, (left, sign, right), 0, 0, parse(meaning)))
        else:
            raise ValueError(f"this is neither of the story ('> ') nor a number nor a step: {line}")
    if not text or not steps:
        raise ValueError("a story has a text ('> ') and a step ('- ')")
    return Story(name, parse(" ".join(text)), tuple(numbers), tuple(steps))


class Solved(NamedTuple):
    """A problem with its numbers filled in: the question, the answer, and the steps to it."""

    story: Story
    question: str
    values: dict[str, int]
    filling: Filling

    @property
    def answer(self) -> int:
        """The result of the last step."""
        return self.values[self.story.steps[-1].name]


def solve(draw: Draw, *, held_out: bool = False) -> Solved:
    """A problem, drawn and solved."""
    story = draw.one(stories())
    values: dict[str, int] = {}
    for number in story.numbers:
        values[number.name] = _made(number.made, values) if number.made[1] else draw.between(number.low, number.high)
    filling = Filling(draw, {name: str(value) for name, value in values.items()}, held_out=held_out)
    question = articled(write(story.text, filling))
    for step in story.steps:
        values[step.name] = _made(step.made, values)
    return Solved(story, question, values, filling)


def _made(made: tuple[str, str, str], values: dict[str, int]) -> int:
    left, sign, right = made
    return _OPERATIONS[sign](_value(left, values), _value(right, values))


def _value(name: str, values: dict[str, int]) -> int:
    return values[name] if name in values else int(name)


def row(draw: Draw) -> dict[str, Any]:
    """A word problem and its worked solution."""
    solved = solve(draw)
    filling = solved.filling
    filling.slots["question"] = solved.question
    asked = _PHRASES.write("asking", filling)
    return {
        "messages": [{"role": "user", "content": asked}, {"role": "assistant", "content": solution(solved)}],
        "language": "en",
        "template": f"math/{solved.story.name}",
    }


def solution(solved: Solved) -> str:
    """A solution in words: the known numbers, the steps, a check, the answer."""
    story, _, values, filling = solved
    known = [number for number in story.numbers if number.meaning]
    slots = filling.slots
    slots["count"] = str(len(known))
    facts = [f"- {write(number.meaning, filling)}: {values[number.name]}" for number in known]
    told = [_PHRASES.write("openings", filling), "\n".join(facts)]
    lines = []
    unit = ""
    for step in story.steps:
        left, sign, right = step.made
        slots["left"], slots["right"] = str(_value(left, values)), str(_value(right, values))
        unit = write(step.unit, filling)
        slots["find"] = find = write(step.finds, filling)
        slots["Find"] = find[0].upper() + find[1:]
        slots["sum"] = f"{slots['left']} {_SIGNS[sign]} {slots['right']} = {values[step.name]} {unit}"
        lines.append(_PHRASES.write("frames", filling))
    told.append("\n".join([f"{number}. {line}" for number, line in enumerate(lines, start=1)]))
    slots["back"] = _back(story.steps[-1], values)
    told.append(_PHRASES.write("checks", filling))
    slots["answer"], slots["unit"] = str(solved.answer), unit
    told.append(_PHRASES.write("endings", filling))
    return "\n\n".join(told)


def _back(step: Step, values: dict[str, int]) -> str:
    """The inverse of a step, as an equation whose result is the step's left side."""
    left, sign, right = step.made
    first, second, result = _value(left, values), _value(right, values), values[step.name]
    inverse = {"+": "−", "-": "+", "*": "÷", "/": "×"}[sign]
    return f"{result} {inverse} {second} = {first}"
