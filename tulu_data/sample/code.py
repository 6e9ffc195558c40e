"""Code: small tasks in six languages, each with a solution and what is worth saying of it."""

from __future__ import annotations

import re
from functools import cache
from typing import Any, Final, NamedTuple

from tulu_data.sample.code_tasks import TASKS
from tulu_data.sample.draw import Draw
from tulu_data.sample.grammar import Filling, Parts, joined, parse, pool, ranges, write

_NAMES: Final = {"python": "Python", "javascript": "JavaScript", "go": "Go", "rust": "Rust", "sql": "SQL"}


class Task(NamedTuple):
    """A task: its language, what the code does, the code, and notes on it."""

    language: str
    name: str
    does: Parts
    code: Parts
    notes: tuple[Parts, ...]


@cache
def tasks() -> tuple[Task, ...]:
    """All tasks."""
    return tuple(map(_task, re.split(r"^@ ", TASKS, flags=re.MULTILINE)[1:]))


def _task(chunk: str) -> Task:
    head, *lines = chunk.strip().splitlines()
    language, name = head.split()
    first_line = next(index for index, line in enumerate(lines) if not line.startswith("> "))
    first_note = next(index for index, line in enumerate(lines) if line.startswith("- "))
    does = " ".join(line.removeprefix("> ") for line in lines[:first_line])
    code = parse("\n".join(lines[first_line:first_note]), choices=False)
    notes = tuple(parse(line.removeprefix("- ")) for line in joined(lines[first_note:]))
    return Task(language, name, parse(does), code, notes)


_ASKING: Final = pool("""
- [Write|Please write|I need] {thing} that {does}.{context}
- [At|Here at] {company} we [need|are looking for|want] {thing} that {does}. [Can you write it|How would you do it]?
- [How|In which way] [do|would|can] I write {thing} that {does}? [It is for|I use it in] {company}'s {word} project.
- [Could you|Can you|Would you] [give|show] me {thing} that {does}?{context}
- [Task|Exercise|Ticket {11..98}]: {thing} that {does}. [Explain|Comment on] your [choices|solution] [briefly|in a
  few words].
- {Name} [asked|wants] me for {thing} that {does}. [What would you write|Please help]?{context}
""")
_CONTEXT: Final = pool("""
-
- _It is [part of|meant for] {company}'s {word} service.
- _[We have|There are] about {2..90} thousand {nouns} [a day|each week].
- _[No libraries|Only what the language brings], please.
- _[The team|My colleague {name2}|{Name2}] [values|likes] short [code|solutions].
- _[Keep|Make] it [simple|readable|short]; it goes into the {word2} [module|repository].
""")
_OPENINGS: Final = pool("""
- [Here is|This is|Below is] {thing2} [for {company}|for the {nouns}|as asked]:
- [This|The following] [does it|should do|will do what you describe]:
- [I would write|One way is|You can use] [this|the following] for the {nouns}:
- [A short|A plain|A direct] [version|solution] [for the {field}|for your {nouns}|that {company} can use]:
- [Sure|Of course|Gladly]. [Here it is|The code]:
""")
_BEFORE_NOTES: Final = pool("""
- [A few|Some] [notes|remarks]:
- [Worth knowing|Why this way|How it works]:
- [What to|Things to] [keep in mind|note]:
- [About|On] the [code|{noun} code]:
""")
_EXAMPLES: Final = pool("""
- [Suppose|Say] {company2} has [three|these] {nouns}: {word3} with a {field} of {10..999}, {word4} with {10..999}
  and {word5} with {10..999}; [{word3}|{word4}|{word5}] is [a good|the] one to [begin|start] with.
- [As an example|For instance], {name3} [tried|ran] it on {11..99} {nouns} from {city}, {word3} to {word4}, and
  [looked|checked] the {field} of {word5} ({10..999}) by hand[ on {day}|].
- [To see it work|To try it], [take|make up] {nouns} called {word3}, {word4} and {word5}, with {field} {10..99},
  {10..99} and {100..999}[, or ask {name3} for real ones|, as in {city}].
- {Name3} in {city} has [used|had] [something like it|much the same] since {month}: {100..999} {nouns} [each day|an
  hour], [the largest|the odd one] being {word3} with {field} {1000..9999}.
- [Picture|Imagine] the {word3} {noun} in {city}, {field} {10..99}, beside the {word4} {noun}, {field} {100..999}:
  [both|the two] [go|pass] through the [same|very same] lines[, says {name3}|].
""")
_CLOSINGS: Final = pool("""
- [For|With] {3..9} {nouns} and a {field} of {10..99}, {40..98} and {100..900} [it is easy to|you can] [check|try]
  by hand.
- [Try it|Test it] with {nouns} whose {field} is {1..9}, {10..99}, {100..999} and {1000..9999}[ first|].
- [If|Should] {company} [later|one day] need the {field2} [too|as well], [add it|it goes] [next to|beside] the
  {field}.
- [A good|One more] test: no {nouns} at all, then one {noun} with {field} {10..99}, then {100..999} [of
  them|{nouns}].
- [Tell me|Say so] if the {nouns} of {company} look [different|otherwise], [for instance|say] with {field2} in
  place of {field}.
- [Ask {name}|Let {name} check] whether a {field} of {0..9} [can occur|is allowed] among {company}'s {nouns}.
""")


def row(draw: Draw) -> dict[str, Any]:
    """A task and its solution."""
    task = draw.one(tasks())
    filling = filling_of(task, draw)
    question = question_of(task, filling, draw.one(_ASKING))
    return {
        "messages": [{"role": "user", "content": question}, {"role": "assistant", "content": solution(task, filling)}],
        "language": "en",
        "template": f"code/{task.language}-{task.name}",
    }


def filling_of(task: Task, draw: Draw, *, held_out: bool = False) -> Filling:
    """What a task's slots are filled with."""
    filling = Filling(draw, held_out=held_out)
    slots = filling.slots
    slots["nouns"] = _plural(filling["noun"])
    slots["fn"] = f"{filling['verb']}_{filling['nouns']}"
    for name in ("noun", "noun2", "field"):
        slots[name.upper()] = filling[name].upper()
    slots["lang"] = _NAMES.get(task.language, "shell")
    if task.language == "javascript":
        slots["fn"] = f"{filling['verb'].replace('_o', 'O')}{filling['Nouns']}"
    # The text may name a number that the code draws.
    for parts in (task.does, task.code, *task.notes):
        for number in ranges(parts):
            slots.setdefault(number.name, str(draw.between(number.low, number.high)))
    return filling


def question_of(task: Task, filling: Filling, asking: Parts) -> str:
    """How somebody asks for a task."""
    slots = filling.slots
    slots["does"] = write(task.does, filling)
    language = slots["lang"]
    if task.language in {"python", "javascript", "rust"} and any("fn" in part for part in task.code):
        slots["thing"], slots["thing2"] = f"a {language} function `{slots['fn']}`", f"`{slots['fn']}`"
    else:
        kind = {"sql": "query", "shell": "script"}.get(task.language, "piece of code")
        article = "an" if language == "SQL" else "a"
        slots["thing"], slots["thing2"] = f"{article} {language} {kind}", f"the {kind}"
    slots["context"] = write(filling.draw.one(_CONTEXT), filling)
    asked = write(asking, filling)
    return asked[0].upper() + asked[1:]


def solution(task: Task, filling: Filling) -> str:
    """The code, between what is said before and after it."""
    draw = filling.draw
    code = write(task.code, filling)
    fence = "bash" if task.language == "shell" else task.language
    notes = "\n".join([f"- {_sentence(write(task.notes[index], filling))}" for index in draw.some(3, len(task.notes))])
    told = [
        write(draw.one(_OPENINGS), filling),
        f"```{fence}\n{code}\n```",
        f"{write(draw.one(_BEFORE_NOTES), filling)}\n\n{notes}",
        write(draw.one(_EXAMPLES), filling),
        write(draw.one(_CLOSINGS), filling),
    ]
    return "\n\n".join(told)


def _plural(noun: str) -> str:
    if noun.endswith(("ch", "x")):
        return f"{noun}es"
    return f"{noun[:-1]}ies" if noun.endswith(("ry", "ty")) else f"{noun}s"


def _sentence(text: str) -> str:
    return text[0].upper() + text[1:]
