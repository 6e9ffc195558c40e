"""The texts of samples can be edited: another text makes another sample, and a malformed one is told."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tulu_data.sample import code, math, texts, tools
from tulu_data.sample.banks import bank, banks
from tulu_data.sample.draw import Draw
from tulu_data.sample.grammar import Choice, Filling, Parts, Slot, parse, write
from tulu_data.sample.phrases import Phrases
from tulu_data.sample.template import Conversations
from tulu_data.sources.sample import Sample


def slots(parts: Parts) -> Iterator[Slot]:
    """All places to be filled among some parts, those of choices too."""
    for part in parts:
        if isinstance(part, Slot):
            yield part
        elif isinstance(part, Choice):
            for option in part.options:
                yield from slots(option)


@pytest.mark.parametrize("part", ["chat", "multi_turn", "multilingual", "safety"])
def test_every_word_that_a_template_takes_has_a_bank_or_is_a_number_of_it(part: str):
    for template in Conversations(part).templates:
        numbers = {slot.name for slot in template.numbers}
        taken = {
            slot.name[0].lower() + slot.name[1:]
            for turn in template.turns
            for block in turn.blocks
            for item in block.items
            for slot in slots(item)
            if slot.high < slot.low
        }
        assert {name.rstrip("0123456789") for name in taken - numbers} <= banks().keys(), template.name


def test_a_word_without_a_bank_or_with_too_few_is_an_error():
    with pytest.raises(ValueError, match=r"^\{citty2\}: there is no bank of words 'citty'$"):
        write(parse("{citty2}"), Filling(Draw(1)))
    with pytest.raises(ValueError, match=r"^\{season5\}: all 4 words of 'season' are taken$"):
        write(parse("{season} {season2} {season3} {season4} {season5}"), Filling(Draw(1)))


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A copy of the texts of the sample, which is read instead of them."""
    for folder in texts.FOLDERS:
        shutil.copytree(str(texts.ROOT / folder), tmp_path / "texts" / folder)
    monkeypatch.setattr(texts, "ROOT", tmp_path / "texts")
    texts.texts_id.cache_clear()
    yield tmp_path / "texts"
    texts.texts_id.cache_clear()


@pytest.mark.parametrize("name", ["templates/chat.txt", "templates/math_phrases.txt", "words/en.txt"])
def test_an_edited_text_makes_another_sample(files: Path, tmp_path: Path, name: str):
    source = Sample(sample="safety", rows=3)
    (before,) = source.files(tmp_path)
    text = (files / name).read_text(encoding="utf-8")
    (files / name).write_text(text.replace(" the ", " a ", 1), encoding="utf-8")
    texts.texts_id.cache_clear()
    (after,) = source.files(tmp_path)
    assert before.parent != after.parent


def test_a_text_that_is_added_makes_another_sample(files: Path):
    before = Sample(sample="safety")._key()
    (files / "words" / "pl.txt").write_text("@ pl_day\nponiedziałek, wtorek\n", encoding="utf-8")
    texts.texts_id.cache_clear()
    assert Sample(sample="safety")._key() != before


def test_texts_begin_with_notes_and_have_sections(files: Path):
    (files / "words/a.txt").write_text(
        "# Of the year.\n\n@ season\nspring\nautumn\n@ day\n\nMonday,\n", encoding="utf-8"
    )
    assert texts.read("words/a.txt", bank) == (("season", ("spring", "autumn")), ("day", ("Monday",)))


CHAT = "templates/chat.txt"
CODE = "templates/code.txt"
MATH = "templates/math.txt"
TOOLS = "templates/tools.txt"
OPENINGS = "templates/math_phrases.txt"
ENGLISH = "words/en.txt"


def chat() -> object:
    return Conversations("chat").templates


@pytest.mark.parametrize(
    ("name", "text", "read", "message"),
    [
        (CHAT, "# Chat\n\ntrip\n> a\n", chat, f"{CHAT}:3: before the first '@ name' a line begins with '#': trip"),
        (CHAT, "# Chat\n", chat, f"{CHAT}: there is no '@ name'"),
        (CHAT, "@ trip\n> a\n\n@ \n> b\n", chat, f"{CHAT}:4: the section has no name"),
        (CHAT, "\n@ a\n> a\n\n@ a\n> b\n", chat, f"{CHAT}:5: @ a: the section of line 2 has the same name"),
        (CHAT, "@ a\nHello\n> a\n", chat, f"{CHAT}:1: @ a: the text begins with none of '> ', '< ', '! ' and '^ '"),
        (CHAT, "@ a\n", chat, f"{CHAT}:1: @ a: the text begins with none of '> ', '< ', '! ' and '^ '"),
        (
            CHAT,
            "@ a\n> a\n\n@b\n> b\n",
            chat,
            f"{CHAT}:1: @ a: a line begins with '@' and is not a heading, which has a space: '@ name'",
        ),
        (CHAT, "@ a\n> a [b|c\n", chat, f"{CHAT}:1: @ a: brackets do not match: a [b|c"),
        (CHAT, "@ a\n> a\n\n*3\n- b\n- c\n", chat, f"{CHAT}:1: @ a: *3 has 2 items"),
        (
            CHAT,
            "@ a\n> a\n\n*1\n- b\nThat is all.\n",
            chat,
            f"{CHAT}:1: @ a: an item begins with '- ', and a blank line is a list's end: That is all.",
        ),
        (
            CODE,
            "@ pyhton sum\n> a\nb\n- c\n",
            code.tasks.__wrapped__,
            f"{CODE}:1: @ pyhton sum: a task begins with its language, one of python, javascript, go, rust, sql, shell",
        ),
        (
            CODE,
            "@ python sum\n> a\n- c\n",
            code.tasks.__wrapped__,
            f"{CODE}:1: @ python sum: a task is what the code does ('> '), the code, and notes on it ('- ')",
        ),
        (
            CODE,
            "@ python sum\n> a\nb\n- c\n- d\n",
            code.tasks.__wrapped__,
            f"{CODE}:1: @ python sum: a task has at least 3 notes, this one 2",
        ),
        (
            MATH,
            "@ a\n> b\nx 3-9\n- y = x + x | c | d\n",
            math.stories.__wrapped__,
            f"{MATH}:1: @ a: this is neither of the story ('> ') nor a number nor a step: x 3-9",
        ),
        (
            MATH,
            "@ a\n> b\nx 3..9\n",
            math.stories.__wrapped__,
            f"{MATH}:1: @ a: a story has a text ('> ') and a step ('- ')",
        ),
        (
            TOOLS,
            "@ a\nb\nc: string = d\ne\nf\n",
            tools.tools.__wrapped__,
            f"{TOOLS}:1: @ a: a tool has five lines, this one 4; a line that goes on is indented",
        ),
        (
            TOOLS,
            "@ a\nb\nc = d\ne\nf\ng\n",
            tools.tools.__wrapped__,
            f"{TOOLS}:1: @ a: an argument is 'name: kind = value': c = d",
        ),
        (
            OPENINGS,
            "@ openings\n- a\n\n@ endigns\n- b\n",
            lambda: Phrases("math", ("openings",)).pools,
            f"{OPENINGS}: @ endigns: nothing uses this section",
        ),
        (
            OPENINGS,
            "@ openings\n- a\n",
            lambda: Phrases("math", ("openings", "endings")).pools,
            f"{OPENINGS}: @ endings: is missing",
        ),
        (
            OPENINGS,
            "@ openings\na\n",
            lambda: Phrases("math", ("openings",)).pools,
            f"{OPENINGS}:1: @ openings: a phrase begins with '- ': a",
        ),
        (ENGLISH, "@ day\nMonday, Tuesday,\nMonday\n", banks.__wrapped__, f"{ENGLISH}:1: @ day: a word is there twice"),
        (ENGLISH, "@ day\n,\n", banks.__wrapped__, f"{ENGLISH}:1: @ day: there are no words"),
        (
            ENGLISH,
            "@ fr_day\nMonday\n",
            banks.__wrapped__,
            "words/fr.txt: @ fr_day: another file has a bank of this name",
        ),
    ],
)
def test_a_malformed_text_is_told(files: Path, name: str, text: str, read: Callable[[], object], message: str):
    (files / name).write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        read()
