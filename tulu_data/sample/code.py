"""Code: small tasks in six languages, each with a solution and notes on it.

The tasks are in `templates/code.txt`, which begins by explaining how to write one.
"""

from __future__ import annotations

from functools import cache
from typing import Any, Final, NamedTuple

from tulu_data.sample import texts
from tulu_data.sample.draw import Draw
from tulu_data.sample.grammar import Filling, Parts, joined, parse, ranges, write
from tulu_data.sample.phrases import Phrases

_NAMES: Final = {
    "python": "Python",
    "javascript": "JavaScript",
    "go": "Go",
    "rust": "Rust",
    "sql": "SQL",
    "shell": "shell",
}
_PHRASES: Final = Phrases("code", ("asking", "context", "openings", "before_notes", "examples", "closings"))
NOTES: Final = 3


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
    return texts.read("templates/code.txt", _task)


def _task(heading: str, text: str) -> Task:
    language, _, name = heading.partition(" ")
    if language not in _NAMES:
        raise ValueError(f"a task begins with its language, one of {', '.join(_NAMES)}")
    lines = text.splitlines()
    first_line = next((index for index, line in enumerate(lines) if not line.startswith("> ")), 0)
    first_note = next((index for index, line in enumerate(lines) if line.startswith("- ")), 0)
    if not 0 < first_line < first_note:
        raise ValueError("a task is what the code does ('> '), the code, and notes on it ('- ')")
    does = " ".join(line.removeprefix("> ") for line in lines[:first_line])
    code = parse("\n".join(lines[first_line:first_note]), choices=False)
    notes = tuple(parse(line.removeprefix("- ")) for line in joined(lines[first_note:]))
    if len(notes) < NOTES:
        raise ValueError(f"a task has at least {NOTES} notes, this one {len(notes)}")
    return Task(language, name, parse(does), code, notes)


def row(draw: Draw) -> dict[str, Any]:
    """A task and its solution."""
    task = draw.one(tasks())
    filling = filling_of(task, draw)
    question = question_of(task, filling, _PHRASES.one("asking", draw))
    return {
        "messages": [{"role": "user", "content": question}, {"role": "assistant", "content": solution(task, filling)}],
        "language": "en",
        "template": f"code/{task.language}-{task.name}",
    }


def filling_of(task: Task, draw: Draw, *, held_out: bool = False) -> Filling:
    """The values for a task's slots."""
    filling = Filling(draw, held_out=held_out)
    slots = filling.slots
    slots["nouns"] = _plural(filling["noun"])
    slots["fn"] = f"{filling['verb']}_{filling['nouns']}"
    for name in ("noun", "noun2", "field"):
        slots[name.upper()] = filling[name].upper()
    slots["lang"] = _NAMES[task.language]
    if task.language == "javascript":
        slots["fn"] = f"{filling['verb'].replace('_o', 'O')}{filling['Nouns']}"
    # The text may contain a number that the code draws.
    for parts in (task.does, task.code, *task.notes):
        for number in ranges(parts):
            slots.setdefault(number.name, str(draw.between(number.low, number.high)))
    return filling


def question_of(task: Task, filling: Filling, asking: Parts) -> str:
    """The user's question for a task."""
    slots = filling.slots
    slots["does"] = write(task.does, filling)
    language = slots["lang"]
    if task.language in {"python", "javascript", "rust"} and any("fn" in part for part in task.code):
        slots["thing"], slots["thing2"] = f"a {language} function `{slots['fn']}`", f"`{slots['fn']}`"
    else:
        kind = {"sql": "query", "shell": "script"}.get(task.language, "piece of code")
        article = "an" if language == "SQL" else "a"
        slots["thing"], slots["thing2"] = f"{article} {language} {kind}", f"the {kind}"
    slots["context"] = _PHRASES.write("context", filling)
    asked = write(asking, filling)
    return asked[0].upper() + asked[1:]


def solution(task: Task, filling: Filling) -> str:
    """The code, with the texts before and after it."""
    code = write(task.code, filling)
    fence = "bash" if task.language == "shell" else task.language
    chosen = [write(task.notes[index], filling) for index in filling.draw.some(NOTES, len(task.notes))]
    notes = "\n".join([f"- {_sentence(note)}" for note in chosen])
    told = [
        _PHRASES.write("openings", filling),
        f"```{fence}\n{code}\n```",
        _PHRASES.write("before_notes", filling) + f"\n\n{notes}",
        _PHRASES.write("examples", filling),
        _PHRASES.write("closings", filling),
    ]
    return "\n\n".join(told)


def _plural(noun: str) -> str:
    if noun.endswith(("ch", "x")):
        return f"{noun}es"
    return f"{noun[:-1]}ies" if noun.endswith(("ry", "ty")) else f"{noun}s"


def _sentence(text: str) -> str:
    return text[0].upper() + text[1:]
