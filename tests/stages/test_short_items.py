"""What counts as a leak of little text: short items, edited ones, beginnings, and items that are mostly signs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from conftest import Yard, pairs
from tulu_data.evaluations import standing, surroundings
from tulu_data.evaluations.common_words import COMMON_WORDS
from tulu_data.evaluations.evaluation_set import EvaluationSet
from tulu_data.evaluations.marks import shared
from tulu_data.kernels.words import words
from tulu_data.mixture.explain import Explainer
from tulu_data.rows.rows import Rows
from tulu_data.rows.sft import Conversation
from tulu_data.stages.ngram_decontamination import NgramDecontamination
from tulu_data.store.durable import sha256_file
from tulu_data.store.workspace import Workspace
from tulu_data.verifying import plain_places, plain_words

COLUMNS = {"question": "question", "answer": "answer", "choices": "choices", "id": "id"}


def stage_for(yard: Yard, items: Iterable[Any], **options: Any) -> NgramDecontamination:
    blank = {"answer": None, "choices": []}
    path = yard.jsonl("evals/items.jsonl", [{**blank, "id": str(nr), **item} for nr, item in enumerate(items)])
    stage = NgramDecontamination.model_validate({"against": {"e": {"jsonl": str(path), **COLUMNS}}, **options})
    return stage.prepare(Workspace(yard.root / "workspace"), sha256_file)


def judged(stage: NgramDecontamination, rows: Sequence[Conversation]) -> pl.DataFrame:
    measures = stage.measuring().measure(Rows.of(rows)).insert_column(0, pl.Series("row", range(len(rows)), pl.UInt32))
    return stage.pairs(measures).sort("row", "id")


def held(stage: NgramDecontamination, *texts: str | tuple[str, str]) -> list[str]:
    """For each row what it is: contaminated, near or clean; a row is a prompt, or a prompt and a response."""
    rows = [Conversation([("user", text), ("assistant", "I see.")] if isinstance(text, str) else [("user", text[0]), ("assistant", text[1])]) for text in texts]  # fmt: skip
    pairs = judged(stage, rows)
    contaminated, near = (set(pairs.filter(name)["row"]) for name in ("is_contaminated", "is_near"))
    return ["contaminated" if row in contaminated else "near" if row in near else "clean" for row in range(len(rows))]


WHO = {"question": "Who painted the Mona Lisa?", "answer": "Leonardo"}
GROWTH = {"question": "Economic growth is", "choices": ["a rise in output", "a fall in prices"]}
DOING = {"question": "What do you do?", "answer": "I repair clocks"}


@pytest.mark.parametrize(
    ("item", "text", "is_found"),
    [
        (WHO, "Who painted the Mona Lisa?", True),
        (WHO, "WHO PAINTED THE MONA LISA", True),
        (WHO, "Hello! Who painted the Mona Lisa? Thanks.", True),
        (WHO, "Quiz: who painted the\nMona Lisa", True),
        (WHO, "She asked “Who painted the Mona Lisa” and left.", True),
        (WHO, "1) Who painted the Mona Lisa?\\n2) And when?", True),
        (WHO, "I ask<br />who painted the Mona Lisa</I><BR>And when", True),
        (WHO, "☀\ufe0f Who painted the Mona Lisa", True),
        (WHO, "I wonder <b>who painted the Mona Lisa</b> on that wall.", False),
        (WHO, "if a <who painted the Mona Lisa< b and", False),
        (WHO, "I wonder who painted the Mona Lisa on that wall.", False),
        (WHO, "Who painted the Mona Lisa and other works?", False),
        (WHO, "Who painted the Mona Lisa.js demo?", False),
        (WHO, ("Tell me who painted the Mona Lisa, please", "That was Leonardo."), True),
        (WHO, ("Tell me who painted the Mona Lisa, please", "I forget."), False),
        (GROWTH, "Economic growth is", True),
        (GROWTH, "Exam<p>\u201c<b>Economic growth is</b>\u201d</p> Done", True),
        (GROWTH, "Complete it:\n\n- economic growth is ...", True),
        (GROWTH, "Economic growth is slow. Economic growth is good.", False),
        (GROWTH, "We know that, economic growth is.", False),
        (GROWTH, "Well, economic growth is: (a) A rise in output (b) a fall in prices", True),
        (GROWTH, "Well, economic growth is a rise in output, I think", False),
        (DOING, "What do you do?", True),
        (DOING, "So...\n- What do you do?\nBye", True),
        (DOING, "“What do you do?” he said", True),
        (DOING, "Hi, I am Ann. What do you do? I dance.", False),
        (DOING, ("Hi, I am Ann. What do you do? I dance.", "Me? I repair clocks."), True),
    ],
)
@pytest.mark.parametrize("rule", ["tulu_data", "tulu3"])
def test_a_short_item_is_a_leak_where_it_stands_alone_or_with_its_answer(
    yard: Yard, rule: str, item: dict[str, Any], text: str | tuple[str, str], is_found: bool
):
    assert held(stage_for(yard, [item], rule=rule, on="conversation"), text) == [
        "contaminated" if is_found else "clean"
    ]


def test_a_short_item_with_marked_words_stands_alone_where_it_does_without(yard: Yard):
    rows = [
        "<b>Who</b> painted the <em>Mona Lisa</em>?",
        "I ask you<BR><i>who</i> painted the <span>Mona</span> **Lisa**<br />And when",
        "I wonder <b>who</b> painted the Mona <i>Lisa</i> on that wall.",
    ]
    assert held(stage_for(yard, [WHO]), *rows) == ["contaminated", "contaminated", "clean"]


def test_marks_that_a_normaliser_leaves_at_words_end_a_sentence(yard: Yard):
    stage = stage_for(yard, [WHO], rule="gpt3")
    assert held(stage, 'So (who painted the Mona Lisa?) "Eh?"', "So who painted the Mona Lisa?") == [
        "contaminated",
        "clean",
    ]


def test_from_eight_words_on_no_other_text_has_them(yard: Yard):
    item = {"question": "one two three four five six seven eight"}
    assert held(stage_for(yard, [item], rule="gpt3"), f"and {item['question']} and") == ["contaminated"]
    nine = stage_for(yard, [item], rule="gpt3", alone_below=9)
    assert held(nine, f"and {item['question']} and", item["question"]) == ["clean", "contaminated"]


def test_answers_that_every_text_has_are_no_sign_of_an_item(yard: Yard):
    items = [
        {"question": "Could a pear sink in water?", "answer": "yes"},
        {"question": "Which metal is liquid?", "choices": ["A", "no"]},
    ]
    rows = [("Why could a pear sink in water? Yes", "Yes"), ("Say which metal is liquid, a, b, no", "no")]
    assert held(stage_for(yard, items), *rows) == ["clean", "clean"]


def test_an_answer_is_looked_for_after_every_place_of_a_short_item(yard: Yard):
    stage = stage_for(yard, [WHO], short_items="answered", answer_words=5)
    filler = "so " * 30
    twice = [
        ("user", WHO["question"]),
        ("assistant", filler),
        ("user", f"Again: {WHO['question']}"),
        ("assistant", "Leonardo"),
    ]
    rows = [
        Conversation(twice),
        Conversation([("user", f"{WHO['question']} {filler} {WHO['question']}"), ("assistant", "Leonardo")]),
        Conversation(twice[:3]),
    ]
    assert judged(stage, rows).select("row", "is_contaminated").rows() == [(0, True), (1, True), (2, False)]


def test_several_answers_are_any_of_them(yard: Yard):
    items = [{"question": "Who painted the Mona Lisa?", "answer": '["da Vinci", "Leonardo"]'}]
    stage = stage_for(yard, items, short_items="answered")
    assert held(stage, (WHO["question"], "Da Vinci."), (WHO["question"], "Leonardo!"), (WHO["question"], "Vinci")) == [
        "contaminated",
        "contaminated",
        "clean",
    ]


def test_the_choices_of_an_item_with_a_record_for_each_are_those_of_all(yard: Yard):
    records = [{"nr": nr // 2, "question": f"q {nr // 2}", "option": f"o {nr}"} for nr in range(4)]
    path = yard.jsonl("evals/grouped.jsonl", records)
    grouped = EvaluationSet.model_validate(
        {"jsonl": str(path), "question": "question", "choices": "option", "group_by": "nr"}
    )
    items = grouped.items("e", yard.root, sha256_file)
    assert [item.texts["choices"] for item in items] == [("o 0", "o 1"), ("o 2", "o 3")]


CAPITAL = {"question": "What is the capital of Ruritania today?", "answer": "Strelsau"}


def test_an_edited_short_item_is_found_beside_its_answer(yard: Yard):
    stage = stage_for(yard, [CAPITAL])
    rows = [
        ("What was the capital of Ruritania today?", "Strelsau, of course."),
        ("What was the capital of Ruritania today?", "I do not know."),
        ("Strelsau was the capital of Ruritania today. People like Strelsau.", "So they do."),
        ("What would a person who lives far from the capital of Ruritania today do?", "Go to Strelsau."),
    ]
    assert held(stage, *rows) == ["contaminated", "clean", "clean", "clean"]
    assert held(stage_for(yard, [CAPITAL], answered_from=None), *rows) == ["clean"] * 4


LONG = "A gardener plants tulips in rows of nine and wonders how many bulbs the next twelve beds need before spring"


def test_the_beginning_of_an_item_that_breaks_off_is_near(yard: Yard):
    own = LONG.split()
    stage = stage_for(yard, [{"question": LONG}], at_least=1)
    rows = [" ".join(own[:14]), " ".join(own[:9]), " ".join(own[:9]) + " cats", " ".join(own[9:])]
    assert held(stage, *rows, LONG) == ["near", "near", "clean", "clean", "contaminated"]


def test_beginnings_are_counted_and_listed(yard: Yard):
    yard.jsonl("a.jsonl", [{"prompt": " ".join(LONG.split()[:9]), "response": "!"}, *pairs(5)])
    path = yard.jsonl("evals/items.jsonl", [{"question": LONG}])
    against = {"e": {"jsonl": str(path), "question": "question"}}
    built = yard.mix(sources={"a": {"jsonl": "a.jsonl"}}, stages=[{"ngram_decontamination": {"against": against}}])
    near = pl.read_parquet(built.mixture.folder / "reports/ngram_decontamination-near.parquet")
    assert near.select("item", "statistic", "value", "threshold").rows() == [("1", "beginning", 0.45, 0.4)]
    assert (
        pl.read_parquet(built.mixture.reports("evaluations")["ngram_decontamination"]).row(0, named=True)["near"] == 1
    )


SIGNS = r"Solve \[\frac{2x^2+x+3}{x^2-1} = \frac{y}{x+2} + 4x - 7y\] for x and y, then add z = 0, y = 1 to both."


def test_an_item_of_signs_is_not_in_other_sums(yard: Yard):
    other = r"For x = 0, y = 1, for x = 1, y = 2 draw 2x^2 + x, then x + 2, 4x - 7y, x^2-1 and {x^2-1} = \frac{y}{x}."
    stage = stage_for(yard, [{"question": SIGNS}], at_least=0.2)
    assert held(stage, other, SIGNS, f"Please: {SIGNS} Thanks.") == ["clean", "contaminated", "contaminated"]
    assert held(stage_for(yard, [{"question": SIGNS}], at_least=0.2, run_of_signs=None), other) == ["contaminated"]


def test_in_full_are_contaminated_items_of_which_a_row_has_every_word(yard: Yard):
    stems = [f"Which of these statements about the history of {name} is true for {name}?" for name in "abcdefg"]
    items = [{"question": stem} for stem in [*stems, LONG]]
    stage = stage_for(yard, items, max_item_df=2)
    rows = [Conversation([("user", f"{stems[2]} And {stems[3][:40]}"), ("assistant", LONG[:-30])])]
    measures = stage.measuring().measure(Rows.of(rows)).insert_column(0, pl.Series("row", [0], pl.UInt32))
    counts = stage.tally(measures)["items"].select(pl.col("is_contaminated", "is_full").sum()).row(0)
    assert counts == (2, 1)


def test_the_longest_run_goes_on_through_n_grams_that_are_left_out(yard: Yard):
    questions = [
        "alder birch cedar where does the old river road end willow poplar",
        "maple aspen hazel where does the old river road begin linden rowan",
    ]
    stage = stage_for(yard, [{"question": text} for text in questions], rule="exact", n=3, max_item_df=1)
    assert held(stage, questions[0], questions[1], questions[0][:-7]) == ["contaminated", "contaminated", "clean"]


def test_all_words_that_a_row_and_an_item_share_are_marked(yard: Yard):
    edited = LONG.replace("wonders", "knows").replace("before", "by")
    yard.jsonl("a.jsonl", [{"prompt": f"So: {edited}!", "response": "Well."}, *pairs(5)])
    path = yard.jsonl("evals/items.jsonl", [{"question": LONG}])
    against = {"e": {"jsonl": str(path), "question": "question"}}
    built = yard.mix(sources={"a": {"jsonl": "a.jsonl"}}, stages=[{"ngram_decontamination": {"against": against}}])
    explainer = Explainer(built.mixture)
    row = explainer.with_item(explainer.removed(None, None, 5)[0][0])
    assert row.marks is not None
    assert row.turns is not None
    marked = ["A gardener plants tulips in rows of nine and", "how many bulbs the next twelve beds need"]
    assert [row.turns[0].text[start:end] for start, end in row.marks.messages[0]] == marked
    assert [LONG[start:end] for start, end in row.marks.matched[0]] == marked
    assert row.marks.messages[1] == ()
    assert row.as_values()["marks"]["messages"][0] == row.marks.messages[0]


def test_marks_are_characters_of_any_script():
    marks = shared(["«Ünter den Linden» stand é"], ["ÜNTER den linden"], 8, "words")
    assert marks.messages == (((1, 17),),)
    assert marks.matched == (((0, 16),),)


def test_a_row_that_holds_many_short_items_is_split_into_words_once(yard: Yard, monkeypatch: pytest.MonkeyPatch):
    items = [{"question": f"Who owns the number {nr}?", "answer": f"owner{nr}"} for nr in range(200)]
    stage = stage_for(yard, items, short_items="answered")
    split = surroundings.words
    calls = []
    monkeypatch.setattr(
        surroundings, "words", lambda texts, normaliser: calls.append(len(texts)) or split(texts, normaliser)
    )
    text = " ".join(f"{item['question']} {item['answer']}." for item in items)
    pairs = judged(stage, [Conversation([("user", text), ("assistant", "No.")])])
    assert pairs["is_contaminated"].sum() == 200
    assert len(calls) == 1


MARKS = st.sampled_from(
    [" ", "? ", ". ", "\n", ' "', '" ', ", ", "\\n- ", "? «", "»", "…", ".", "'", " (", "。", "e\u0301", "中", "! "]
) | st.sampled_from(["<b>", "</b>", " <br/>", "</P >", " <q>", "\ufe0f"])
VOCABULARY = st.sampled_from(["ann", "has", "12", "apples", "of", "what", "you", "do", "x", "Who", "é"])
TEXT = st.lists(st.tuples(VOCABULARY, MARKS).map("".join), min_size=1, max_size=8).map("".join)


@given(before=TEXT, item=TEXT, mark=MARKS, after=TEXT, more=st.integers(0, 2))
def test_the_plain_code_of_verify_sees_the_same_around_a_text(before: str, item: str, mark: str, after: str, more: int):
    text, wanted = f"{before}{item}{mark}{after}", plain_words.words(item, "words")
    found, plain = words(pa.array([text])), plain_words.words(text, "words")
    spans = plain_words.spans(text, "words")
    encoded = text.encode()
    for place in range(len(plain) - len(wanted) + 1):
        if plain[place : place + len(wanted)] == wanted:
            last = place + len(wanted) - 1
            start, end = (len(encoded[:byte].decode()) for byte in (found.starts[place], found.ends[last]))
            own = spans[place][0], spans[last][1]
            needs_line, asks = standing.needs_line(item), standing.asks(item)
            assert (
                standing.stands(text, start, end, needs_line=needs_line),
                standing.breaks_off(text, start, end),
                standing.replaces(text, start, end, more, more, is_question=asks),
            ) == (
                plain_places.is_alone(text, *own, item, COMMON_WORDS),
                plain_places.Around.of(text, *own).after != plain_places.OPEN,
                plain_places.may_be_edited(text, *own, more, more, item),
            )


@given(st.text(st.sampled_from("ab\\\\12 xy漢字かなกขเ가é_-=")))
def test_plain_words_are_those_of_the_plain_code(text: str):
    assert standing.plain_words(text) == plain_places.plain_words(text)


def test_each_letter_of_a_script_without_spaces_is_a_word():
    assert standing.plain_words("一辆火车以每小时60公里的速度行驶") == 15
    assert standing.plain_words("รถไฟ") == 4
    assert standing.plain_words(r"\frac{1}{2} + x") == 0
