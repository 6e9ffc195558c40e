"""Math: word problems, solved step by step. The numbers are drawn, the steps computed."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from functools import cache
from typing import Any, Final, NamedTuple

from tulu_data.sample.draw import Draw
from tulu_data.sample.grammar import Filling, Parts, articled, joined, parse, pool, write
from tulu_data.sample.math_stories import STORIES

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


class Number(NamedTuple):
    """A number of a story, drawn between bounds or made of others; it is told where it has a meaning."""

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
    return tuple(map(_story, re.split(r"^@ ", STORIES, flags=re.MULTILINE)[1:]))


def _story(chunk: str) -> Story:
    name, *lines = joined(chunk.strip().splitlines())
    text: list[str] = []
    numbers: list[Number] = []
    steps: list[Step] = []
    for line in lines:
        if line.startswith("> "):
            text.append(line.removeprefix("> "))
        elif line.startswith("- "):
            made, finds, unit = line.removeprefix("- ").split(" | ")
            result, left, sign, right, _ = _found(_MADE, made)
            steps.append(Step(result, (left, sign, right), parse(finds), parse(unit)))
        elif drawn := _RANGE.fullmatch(line):
            numbers.append(Number(drawn[1], ("", "", ""), int(drawn[2]), int(drawn[3]), parse(drawn[4])))
        else:
            result, left, sign, right, meaning = _found(_MADE, line)
            numbers.append(Number(result, (left, sign, right), 0, 0, parse(meaning)))
    return Story(name, parse(" ".join(text)), tuple(numbers), tuple(steps))


def _found(pattern: re.Pattern[str], text: str) -> tuple[str, ...]:
    found = pattern.fullmatch(text)
    if not found:
        raise ValueError(text)
    return found.groups()


class Solved(NamedTuple):
    """A problem with its numbers in it: the question, what the answer is, and how it is found."""

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


_OPENINGS: Final = pool("""
- Let us [sort|order|write down] what {name}'s [problem|question|story] [tells us|gives us] [first|before we start]:
- [These|The following] {count} [numbers|facts|quantities] [matter|are given|are known]:
- [Given|Known|What we have]:
- I [start|begin] [with|by listing] what is [given|known|stated] [here|in the text|about {name}]:
- [First,|To begin,] the [data|facts|figures] [of the problem|in the question|we were given]:
- [Reading|Going through] the [text|question|story] [carefully|once more|slowly], we [find|note|see]:
- [Here is|This is] what the [story|text|problem] [says|states|gives]:
- The [question|story|problem] [mentions|contains|gives] [these|the following] [values|numbers|quantities]:
""")
_FRAMES: Final = pool("""
- {Find}: {sum}[.| in this case.| here.]
- [Now|Next|Then] {find}. [That is|It is|This gives|We get] {sum}.
- [We need|We look for|Wanted is|Let us find|I compute|To be found is] {find}: {sum}.
- [With|From] {left} and {right} [we get|follows|comes] {find}, [namely|that is|which is] {sum}.
- {sum} [– this is|gives us|is] {find}.
- [What is|How large is] {find}? [It is|We have|The sum is simple:|Calculate:] {sum}.
- [Taking|Using|Putting together] {left} and {right}, {find} [is|becomes|turns out to be] {sum}.
- For {find} [calculate|work out|take|write] {sum}.
""")
_CHECKS: Final = pool("""
- [Check|A quick check|To check|Proof]: {back}, [as it should be|which is where we came from|just as above].
- [Going|Working|Counting] [backwards|back], {back}[, so it fits|, which agrees|. Good].
- [Does it fit|Is that right|Can that be]? [Yes|It does|Yes, it is]: {back}.
- [The reverse|The inverse|The other way round] [confirms it|agrees|works too]: {back}.
- [We can|One can|It is easy to] [test|verify|check] the [last step|result|last line]: {back}.
""")
_ENDINGS: Final = pool("""
- [Answer|Result|Final answer|So the answer is]: {answer} {unit}
- [Therefore|Hence|So|Thus] {find} [is|comes to|equals] {answer} {unit}.
- [The answer|The result|The solution] [for {name}|to the question|] is **{answer}** {unit}.
- In [short|one line|the end], {name} [finds|gets|has]: {find}, **{answer}** {unit}.
""")
_ASKING: Final = pool("""
- {question}
- {question}
- {question} [Please show|Show|Explain] [your work|the steps|how you get there|each step].
- [Can you|Could you|Please] [help me with|solve|work through] this [one|problem|exercise]? {question}
- [My|Our] [homework|worksheet|teacher|tutor] [says|asks]: {question}
- [From|This is from] [a quiz|an old exam|my daughter's book|class] [last week|on {day}|today]: {question}
""")


def row(draw: Draw) -> dict[str, Any]:
    """A word problem and its worked solution."""
    solved = solve(draw)
    filling = solved.filling
    filling.slots["question"] = solved.question
    asked = write(draw.one(_ASKING), filling)
    return {
        "messages": [{"role": "user", "content": asked}, {"role": "assistant", "content": solution(solved)}],
        "language": "en",
        "template": f"math/{solved.story.name}",
    }


def solution(solved: Solved) -> str:
    """A solution in words: what is known, the steps, a check, the answer."""
    story, _, values, filling = solved
    draw = filling.draw
    known = [number for number in story.numbers if number.meaning]
    slots = filling.slots
    slots["count"] = str(len(known))
    facts = [f"- {write(number.meaning, filling)}: {values[number.name]}" for number in known]
    told = [write(draw.one(_OPENINGS), filling), "\n".join(facts)]
    lines = []
    unit = ""
    for step in story.steps:
        left, sign, right = step.made
        slots["left"], slots["right"] = str(_value(left, values)), str(_value(right, values))
        unit = write(step.unit, filling)
        slots["find"] = find = write(step.finds, filling)
        slots["Find"] = find[0].upper() + find[1:]
        slots["sum"] = f"{slots['left']} {_SIGNS[sign]} {slots['right']} = {values[step.name]} {unit}"
        lines.append(write(draw.one(_FRAMES), filling))
    told.append("\n".join([f"{number}. {line}" for number, line in enumerate(lines, start=1)]))
    slots["back"] = _back(story.steps[-1], values)
    told.append(write(draw.one(_CHECKS), filling))
    slots["answer"], slots["unit"] = str(solved.answer), unit
    told.append(write(draw.one(_ENDINGS), filling))
    return "\n\n".join(told)


def _back(step: Step, values: dict[str, int]) -> str:
    """The inverse of a step, as an equation that gives its left side again."""
    left, sign, right = step.made
    first, second, result = _value(left, values), _value(right, values), values[step.name]
    inverse = {"+": "−", "-": "+", "*": "÷", "/": "×"}[sign]
    return f"{result} {inverse} {second} = {first}"
