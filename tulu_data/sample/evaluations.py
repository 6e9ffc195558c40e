"""Evaluation sets of the same families as the rows, with names and projects that no row has unless it is planted."""

from __future__ import annotations

from typing import Final, NamedTuple

from tulu_data.sample import code, math
from tulu_data.sample.draw import Draw
from tulu_data.sample.grammar import Filling, write
from tulu_data.sample.phrases import Phrases

SHORT_EVERY: Final = {"math_test": 4, "code_test": 0, "facts_test": 2}
"""One in this many items has fewer than eight words; 0 means none."""

_FACTS: Final = ("film", "birthday", "planet", "rabbits")
PHRASES: Final = Phrases("evaluation", ("task", "capital", *_FACTS, "working", "embedded"))
"""The phrases in items, and around an item in a row."""


class Item(NamedTuple):
    """One item; `reply` is how a row would answer it."""

    id: str
    question: str
    answer: str
    reply: str

    def record(self) -> dict[str, str]:
        """The item as a record of its set."""
        return {"id": self.id, "question": self.question, "answer": self.answer}


def is_short(evaluation: str, number: int) -> bool:
    """Whether an item has fewer than eight words."""
    every = SHORT_EVERY[evaluation]
    return every > 0 and number % every == every - 1


def item(evaluation: str, seed: int, number: int) -> Item:
    """One item of an evaluation set, by its number from 0."""
    draw = Draw(evaluation, seed, number)
    short = is_short(evaluation, number)
    if evaluation == "math_test":
        question, answer, reply = _product(draw) if short else _story(draw)
    elif evaluation == "code_test":
        question, answer, reply = _task(draw)
    else:
        question, answer, reply = _fact(draw, number // 2 + seed) if short else _longer_fact(draw)
    return Item(f"{evaluation}-{seed}-{number}", question, answer, reply)


Texts = tuple[str, str, str]


def _story(draw: Draw) -> Texts:
    solved = math.solve(draw, held_out=True)
    return solved.question, str(solved.answer), math.solution(solved)


def _product(draw: Draw) -> Texts:
    first, second = draw.between(112, 987), draw.between(13, 97)
    tens, ones = second // 10 * 10, second % 10
    parts = f"{first} × {tens} = {first * tens}, and {first} × {ones} = {first * ones}"
    reply = f"{parts}; together {first * tens} + {first * ones} = {first * second}."
    return f"What is {first} × {second}?", str(first * second), reply


def _task(draw: Draw) -> Texts:
    task = draw.one(code.tasks())
    filling = code.filling_of(task, draw, held_out=True)
    question = code.question_of(task, filling, PHRASES.one("task", draw))
    return question, write(task.code, filling), code.solution(task, filling)


_CAPITALS: Final = """
    Lisbon of Portugal, Nairobi of Kenya, Oslo of Norway, Lima of Peru, Hanoi of Vietnam, Rabat of Morocco, Quito
    of Ecuador, Riga of Latvia, Tunis of Tunisia, Accra of Ghana, Canberra of Australia, Ottawa of Canada, Ankara
    of Turkey, Dublin of Ireland, Kathmandu of Nepal, Warsaw of Poland, Bogotá of Colombia, Helsinki of Finland,
    Tbilisi of Georgia, Dakar of Senegal, Santiago of Chile, Vienna of Austria, Sofia of Bulgaria, Athens of
    Greece, Amman of Jordan, Lusaka of Zambia, Reykjavík of Iceland, Tallinn of Estonia, Zagreb of Croatia, Havana
    of Cuba, Windhoek of Namibia, Montevideo of Uruguay, Bratislava of Slovakia, Ljubljana of Slovenia, Yerevan of
    Armenia, Kigali of Rwanda, Maputo of Mozambique, Doha of Qatar
"""
_UNITS: Final = (
    ("minutes", "hours", 60),
    ("seconds", "minutes", 60),
    ("hours", "days", 24),
    ("days", "weeks", 7),
    ("metres", "kilometres", 1000),
    ("grams", "kilograms", 1000),
    ("millilitres", "litres", 1000),
    ("months", "years", 12),
)


def _fact(draw: Draw, number: int) -> Texts:
    if number % 4 == 0:
        capitals = _CAPITALS.split(",")
        capital, _, country = capitals[number // 4 % len(capitals)].strip().partition(" of ")
        reply = PHRASES.write("capital", Filling(draw, {"answer": capital}))
        return f"What is the capital of {country}?", capital, reply
    small, large, factor = draw.one(_UNITS)
    count = draw.between(3, 9999)
    answer = str(count * factor)
    return f"How many {small} are {count} {large}?", answer, f"{count} × {factor} = {answer}, so {answer} {small}."


def _longer_fact(draw: Draw) -> Texts:
    kind = draw.one(_FACTS)
    filling = Filling(draw, held_out=True)
    question = PHRASES.write(kind, filling)
    m, h = int(filling["m"]), int(filling["h"])
    if kind == "film":
        answer, working = m // 2, f"half of {m} is {m // 2}"
    elif kind == "birthday":
        age = int(filling["m2"])
        answer, working = h - m + age, f"{h} − {m} = {h - m}, and {h - m} + {age} = {h - m + age}"
    elif kind == "planet":
        answer, working = m * h, f"{m} × {h} = {m * h}"
    else:
        answer, working = h + m, f"{h} + {m} = {h + m}"
    filling.slots |= {"answer": str(answer), "working": working}
    return question, str(answer), PHRASES.write("working", filling)
