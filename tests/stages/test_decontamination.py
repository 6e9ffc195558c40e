"""What leaks is found, what is found is told, and what can't be looked for is an error."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterable, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conftest import Yard, files_of, pairs
from tulu_data.building.build import Built
from tulu_data.errors import FindingsError, InputError, RecipeError
from tulu_data.evaluations.evaluation_set import EvaluationSet
from tulu_data.evaluations.rules import RULES
from tulu_data.mixture.explain import Explainer
from tulu_data.recipe.reading import read
from tulu_data.rows.rows import Rows
from tulu_data.rows.sft import Conversation
from tulu_data.stages.ngram_decontamination import NgramDecontamination
from tulu_data.store.durable import sha256_file
from tulu_data.store.workspace import Workspace
from word_oracle import NAIVE

ITEMS = [
    {
        "id": "trains",
        "question": "Two trains leave the same station at noon, one at 60 km/h and one at 90 km/h.",
        "answer": "30",
    },
    {"id": "capital", "question": "What is the capital of Ruritania?", "answer": "Strelsau"},
    {
        "id": "apples",
        "question": "Ann has 12 apples and gives a third of them to Bo; how many are left?",
        "answer": "8",
    },
]


def stage_for(yard: Yard, items: Iterable[Any] = ITEMS, **options: Any) -> NgramDecontamination:
    path = yard.jsonl("evals/items.jsonl", items)
    against = {"e": {"jsonl": str(path), "question": "question", "answer": "answer", "id": "id"}}
    stage = NgramDecontamination.model_validate({"against": against, "rule": "tulu3", **options})
    return stage.prepare(Workspace(yard.root / "workspace"), sha256_file)


def verdicts(stage: NgramDecontamination, rows: Sequence[Conversation]) -> dict[int, dict[str, Any]]:
    measures = stage.measuring().measure(Rows.of(rows)).insert_column(0, pl.Series("row", range(len(rows)), pl.UInt32))
    return {verdict["row"]: verdict for verdict in stage.judge(measures).iter_rows(named=True)}


def asked(question: str, answer: str = "I do not know.") -> Conversation:
    return Conversation([("user", question), ("assistant", answer)])


def test_a_leaked_item_is_removed_with_its_name_its_share_and_its_place(yard: Yard):
    rows = [
        asked("Hello! Ann has 12 apples and gives a third of them to Bo; how many did she keep?"),
        asked("Ann has 13 apples and gives a fourth of them to Bo."),
    ]
    found = verdicts(stage_for(yard), rows)
    assert list(found) == [0]
    verdict = found[0]
    assert verdict["reason"] == "contaminated by e"
    assert (verdict["item"], verdict["statistic"], verdict["threshold"]) == ("apples", "coverage", 0.5)
    assert verdict["value"] == pytest.approx(14 / 16, abs=1e-5)
    assert rows[0].messages[verdict["message"]][1][verdict["start"] : verdict["end"]] == (
        "Ann has 12 apples and gives a third of them to Bo; how many"
    )
    assert ITEMS[2]["question"][verdict["item_start"] : verdict["item_end"]].startswith("Ann has 12 apples")


def test_exactly_half_is_not_above_half(yard: Yard):
    items = [{"id": "x", "question": " ".join(f"w{number}" for number in range(16)), "answer": ""}]
    eight = asked(" ".join(f"w{number}" for number in range(8)))
    nine = asked(" ".join(f"w{number}" for number in range(9)))
    assert list(verdicts(stage_for(yard, items), [eight, nine])) == [1]


def test_a_short_item_is_found_whole_on_word_boundaries(yard: Yard):
    rows = [
        asked("Quick: what is the CAPITAL of\nRuritania"),
        asked("What is the capital of Ruritanian art?"),
        asked("What is the capital"),
    ]
    found = verdicts(stage_for(yard), rows)
    assert list(found) == [0]
    assert (found[0]["item"], found[0]["statistic"], found[0]["value"]) == ("capital", "whole", 1.0)


def test_a_short_item_may_need_its_answer_nearby(yard: Yard):
    rows = [
        asked("What is the capital of Ruritania?", "It is Strelsau."),
        asked("What is the capital of Ruritania?", "Nobody knows."),
        asked("What is the capital of Ruritania? Strelsau, I think."),
        asked("What is the capital of Ruritania?", "word " * 60 + "Strelsau"),
    ]
    assert list(verdicts(stage_for(yard, short_items="answered"), rows)) == [0, 2]
    assert list(verdicts(stage_for(yard, short_items="ignore"), rows)) == []
    assert list(verdicts(stage_for(yard), rows)) == [0, 1, 2, 3]


def test_only_the_messages_asked_for_are_compared(yard: Yard):
    told = Conversation([("user", "Tell me a riddle."), ("assistant", ITEMS[0]["question"])])
    hidden = Conversation([("system", ITEMS[0]["question"]), ("user", "Hi"), ("assistant", "Hello")])
    assert list(verdicts(stage_for(yard), [told, hidden])) == []
    assert list(verdicts(stage_for(yard, on="conversation"), [told, hidden])) == [0]
    assert verdicts(stage_for(yard, on="response"), [told])[0]["message"] == 1


def test_n_grams_unite_over_messages_and_never_cross_them(yard: Yard):
    words = ITEMS[0]["question"].split()
    halves = Conversation(
        [("user", " ".join(words[:9])), ("assistant", "Go on."), ("user", " ".join(words[9:])), ("assistant", "Done.")]
    )
    cut = Conversation([("user", " ".join(words[:6])), ("user", " ".join(words[6:11])), ("assistant", "?")])
    found = verdicts(stage_for(yard, n=5), [halves, cut])
    assert list(found) == [0, 1]
    tokens = len(NAIVE["words"](ITEMS[0]["question"]))
    assert found[0]["value"] > found[1]["value"]
    assert found[1]["value"] == pytest.approx(11 / tokens, abs=1e-5)
    assert list(verdicts(stage_for(yard, n=8), [cut])) == []


LEAK = "Two trains leave the same station at noon, one at 60 km/h and one at 90 km/h."


@pytest.mark.parametrize(
    "text",
    [
        LEAK.upper(),
        LEAK.replace(" ", "\n"),
        LEAK.replace(" ", "  \t "),
        LEAK.replace(",", "").rstrip("."),
        f"Here is a problem that my teacher gave us. {LEAK} What do you think about it? Thanks a lot!",
        "\n".join(LEAK[start : start + 11] for start in range(0, len(LEAK), 11)).replace("\n", " ")[:0] + LEAK,
    ],
    ids=["case", "lines", "spaces", "punctuation", "embedded", "as it is"],
)
@pytest.mark.parametrize("rule", ["tulu3", "palm", "llama3", "longest", "decon"])
def test_how_it_is_written_changes_no_verdict(yard: Yard, text: str, rule: str):
    found = verdicts(
        stage_for(yard, rule=rule),
        [asked(text), asked("Hello", "Hi"), Conversation([("user", "a"), ("user", text), ("assistant", "b")])],
    )
    assert {row: verdict["item"] for row, verdict in found.items()} == {0: "trains", 2: "trains"}


def test_composed_and_decomposed_letters_are_the_same(yard: Yard):
    question = "Où était garé le vélo électrique bleu de la mère d’Éloïse hier soir à Évian?"
    items = [{"id": "x", "question": unicodedata.normalize("NFC", question), "answer": ""}]
    for normaliser in ("words", "math_code", "gpt3"):
        stage = stage_for(yard, items, normaliser=normaliser)
        assert list(verdicts(stage, [asked(unicodedata.normalize("NFD", question)), asked("vélo")])) == [0]


@pytest.mark.parametrize(
    ("rule", "part", "is_found"),
    [
        ("gpt3", 0.75, True),
        ("palm", 0.95, True),
        ("palm", 0.7, False),
        ("llama3", 0.9, True),
        ("llama3", 0.7, False),
        ("longest", 0.6, True),
        ("longest", 0.45, False),
        ("decon", 1.0, True),
        ("decon", 0.85, False),
        ("exact", 1.0, True),
        ("exact", 0.95, False),
        ("tulu3", 0.6, True),
        ("tulu3", 0.5, False),
    ],
)
def test_each_rule_decides_by_its_own_threshold(yard: Yard, rule: str, part: float, is_found: bool):
    words = [f"word{number}" for number in range(20)]
    items = [{"id": "x", "question": " ".join(words), "answer": ""}]
    row = asked(" ".join(words[: round(len(words) * part)]))
    assert bool(verdicts(stage_for(yard, items, rule=rule), [row])) == is_found


def test_decon_asks_less_of_longer_items(yard: Yard):
    for size, least in ((20, 20), (50, 42)):
        words = [f"word{number}" for number in range(size)]
        stage = stage_for(yard, [{"id": "x", "question": " ".join(words), "answer": ""}], rule="decon")
        kept = next(count for count in range(1, size + 1) if verdicts(stage, [asked(" ".join(words[:count]))]))
        # Of 46 5-grams, 37 are the first to be 80 %; 41 words have 37.
        assert kept == (least if size == 20 else 41)


def test_thresholds_and_rules_need_no_new_scan(yard: Yard):
    yard.jsonl("a.jsonl", [{"prompt": LEAK, "response": "!"}, *pairs(5)])
    path = yard.jsonl("evals/items.jsonl", ITEMS)
    against = {"e": {"jsonl": str(path), "question": "question"}}

    def built(**options: Any) -> Built:
        stage = {"ngram_decontamination": {"rule": "tulu3", "against": against, **options}}
        return yard.mix(sources={"a": {"jsonl": "a.jsonl"}}, stages=[stage])

    assert built().mixture.run()["units"]["done"]["scan"] == 1
    for other in ({"above": 0.9}, {"statistic": "longest_run"}, {"thresholds": {"e": 0.2}}, {"short_items": "ignore"}):
        assert built(**other).mixture.run()["units"]["done"]["scan"] == 0, other
    assert built(n=7).mixture.run()["units"]["done"]["scan"] == 1


def test_renamed_evaluation_files_change_nothing_and_changed_ones_do(yard: Yard):
    yard.jsonl("a.jsonl", [{"prompt": LEAK, "response": "!"}, *pairs(5)])

    def built(name: str, items: list[Any]) -> Built:
        path = yard.jsonl(name, items)
        against = {"e": {"jsonl": str(path), "question": "question"}}
        stage = {"ngram_decontamination": {"rule": "tulu3", "against": against}}
        return yard.mix(sources={"a": {"jsonl": "a.jsonl"}}, stages=[stage])

    first = built("evals/one.jsonl", ITEMS)
    renamed = built("evals/two.jsonl", ITEMS)
    assert renamed.mixture.run()["units"]["done"]["scan"] == 0
    assert files_of(first.mixture.folder, "data", "ledger") == files_of(renamed.mixture.folder, "data", "ledger")
    changed = built("evals/one.jsonl", ITEMS[1:])
    assert changed.mixture.rows["a"]["removed"] == {}
    assert changed.mixture.version != first.mixture.version


def test_the_mixture_says_what_each_source_shares_with_each_evaluation_set(yard: Yard):
    yard.jsonl("a.jsonl", [{"prompt": LEAK, "response": "!"}, {"prompt": f"{LEAK} {LEAK}", "response": "?"}, *pairs(8)])
    yard.jsonl("b.jsonl", [{"prompt": f"{LEAK[:41]} well?", "response": "!"}, *pairs(5)])
    path = yard.jsonl("evals/items.jsonl", [*ITEMS, {"id": "no", "question": "?!", "answer": ""}])
    against = {"e": {"jsonl": str(path), "question": "question", "id": "id"}}
    built = yard.mix(
        sources={"a": {"jsonl": "a.jsonl"}, "b": {"jsonl": "b.jsonl"}},
        stages=[{"ngram_decontamination": {"rule": "tulu3", "against": against}}],
    )
    table = pl.read_parquet(built.mixture.reports("evaluations")["ngram_decontamination"])
    assert table.rows() == [("a", "e", 4, 1, 1, 0, 1, 2), ("b", "e", 4, 1, 0, 0, 0, 0)]
    facts = built.mixture.manifest["stages"][0]["evaluations"]["e"]
    assert {name: facts[name] for name in ("items", "indexed", "short", "unusable")} == {
        "items": 4,
        "indexed": 2,
        "short": 1,
        "unusable": 1,
    }
    assert facts["files"] == [sha256_file(path)]
    ngrams = pl.read_parquet(built.mixture.folder / "reports/ngram_decontamination-ngrams.parquet")
    assert ngrams.row(0, named=True)["rows"] == 3
    published = b"".join(
        path.read_bytes() for path in built.mixture.folder.rglob("*.parquet") if "data" not in path.parts
    )
    assert b"same station at noon" not in published


def test_explain_shows_both_texts(yard: Yard):
    yard.jsonl("a.jsonl", [{"prompt": f"So: {LEAK}", "response": "!"}, *pairs(5)])
    path = yard.jsonl("evals/items.jsonl", ITEMS)
    against = {"e": {"jsonl": str(path), "question": "question", "id": "id"}}
    built = yard.mix(sources={"a": {"jsonl": "a.jsonl"}}, stages=[{"ngram_decontamination": {"against": against}}])
    explainer = Explainer(built.mixture)
    ((row,), _) = explainer.removed(None, None, 5)
    assert explainer.with_item(row).item == (LEAK,)
    yard.jsonl("evals/items.jsonl", ITEMS[:1])
    assert explainer.with_item(row).item is None


def test_a_source_that_contaminates_too_much_of_a_set_stops_the_build(yard: Yard):
    yard.jsonl("a.jsonl", [{"prompt": LEAK, "response": "!"}, *pairs(5)])
    path = yard.jsonl("evals/items.jsonl", ITEMS)
    against = {"e": {"jsonl": str(path), "question": "question"}}
    stage = {"ngram_decontamination": {"against": against, "max_contaminated": 0.02}}
    with pytest.raises(
        FindingsError, match=r"a contaminates 1 of 3 items of e \(33\.3%\), and max_contaminated is 0\.02; leave"
    ):
        yard.mix(sources={"a": {"jsonl": "a.jsonl"}}, stages=[stage])


NOTHING = "evaluation set e: "


@pytest.mark.parametrize(
    ("items", "described", "message"),
    [
        (None, {"question": "question"}, "no such file"),
        ([], {"question": "question"}, NOTHING + "no item in .*items.jsonl; it can't be decontaminated against"),
        (
            ITEMS,
            {"question": "prompt"},
            NOTHING + "no record has the column 'prompt'; its columns are id, question, answer",
        ),
        (ITEMS, {"question": "questoin"}, "no record has the column 'questoin'.*; did you mean 'question'?"),
        (
            ITEMS,
            {"question": "question", "id": "nr"},
            "items.jsonl:1: no 'nr', which names the item; its columns are id",
        ),
        (
            [{"question": "?!"}, {"question": ""}],
            {"question": "question"},
            NOTHING + "none of its 2 items has words enough to be found",
        ),
        (
            [*ITEMS, ITEMS[0]],
            {"question": "question", "id": "id"},
            "two items have the id 'trains'; say which columns name one",
        ),
        ([*ITEMS, b"{"], {"question": "question"}, r"items.jsonl:4: invalid_json: .*; mend the file"),
        (
            [{"question": {"stem": "x"}}],
            {"question": "question"},
            r"items.jsonl:1: question is dict, not text; give a path into it, as question.text",
        ),
    ],
    ids=["missing", "empty", "renamed", "misspelt", "no id", "no words", "twice", "broken", "nested"],
)
def test_an_evaluation_set_that_can_not_be_looked_for_is_an_error(
    yard: Yard, items: list[Any] | None, described: dict[str, Any], message: str
):
    yard.jsonl("a.jsonl", pairs(5))
    path = yard.root / "evals/items.jsonl"
    if items is not None:
        yard.jsonl("evals/items.jsonl", items)
    stage = {"ngram_decontamination": {"against": {"e": {"jsonl": str(path), **described}}}}
    with pytest.raises(InputError, match=message):
        yard.mix(sources={"a": {"jsonl": "a.jsonl"}}, stages=[stage])
    assert not (yard.root / "mixtures/mix").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("{}", "ngram_decontamination.against: is missing"),
        ("{against: {}}", "against: should have at least one entry"),
        ("{against: {e: {question: q}}}", "against.e: an evaluation set needs one of the keys csv, huggingface, jsonl"),
        ("{against: {e: {jsonl: x}}}", "against.e: is missing|against.e.question: is missing"),
        ("{against: {e: {jsonl: x, question: q, anser: a}}}", "against.e: unknown key 'anser'; did you mean 'answer'?"),
        ("{against: {e: {jsonl: x, question: q, rows: 5}}}", "against.e: unknown key 'rows'"),
        ("{against: {e: {jsonl: x, question: q}}, rule: tulu4}", "rule: input should be 'tulu_data', 'tulu3'"),
        ("{against: {e: {jsonl: x, question: q}}, above: 0.5, at_least: 0.5}", "say one threshold: above, or at_least"),
        ("{against: {e: {jsonl: x, question: q}}, thresholds: {f: 0.5}}", "thresholds: no evaluation set 'f'"),
        (
            "{against: {e: {jsonl: x, question: q}}, rule: tulu3, noted_from: 0.1}",
            (
                "noted_from: 0.1 would hide what coverage decides from 0.5 on; "
                "it goes with idf_overlap and overlap, and is at most the threshold"
            ),
        ),
        (
            "{against: {e: {jsonl: x, question: q}}, noted_from: 0.1, thresholds: {e: 0.05}}",
            (
                "noted_from: 0.1 would hide what overlap decides from 0.05 on; "
                "it goes with idf_overlap and overlap, and is at most the threshold"
            ),
        ),
        (
            "{against: {e: {jsonl: x, question: q}}, rule: tulu3, full_below: 20}",
            "full_below and relaxed_from go together",
        ),
    ],
)
def test_a_recipe_is_told_what_is_wrong_with_its_rule(options: str, message: str):
    with pytest.raises(RecipeError, match=message):
        read(f"name: x\nsources: {{a: {{jsonl: a}}}}\nstages:\n  - ngram_decontamination: {options}\n")


def test_the_resolved_recipe_states_the_rule(yard: Yard):
    stage = NgramDecontamination.model_validate({"against": {"e": {"jsonl": "x", "question": "q"}}, "rule": "palm"})
    dumped = stage.model_dump(mode="json", exclude_none=True)
    assert (dumped["n"], dumped["statistic"], dumped["at_least"], dumped["on"]) == (
        8,
        "ngram_share",
        "0.7",
        "conversation",
    )
    assert dumped["against"] == {"e": {"jsonl": "x", "question": "q"}}
    assert NgramDecontamination.model_validate(dumped) == stage
    assert set(RULES) == {"tulu_data", "tulu3", "gpt3", "palm", "llama3", "longest", "decon", "exact"}


def test_records_of_one_group_are_one_item(yard: Yard):
    records = [
        {"set": "x", "nr": number // 4, "question": f"question {number // 4} of all", "option": number % 4}
        for number in range(12)
    ]
    path = yard.jsonl("evals/grouped.jsonl", records)
    grouped = EvaluationSet.model_validate({"jsonl": str(path), "question": ["question"], "group_by": ["set", "nr"]})
    assert [item.id for item in grouped.items("e", yard.root, sha256_file)] == ["x/0", "x/1", "x/2"]


def test_several_columns_are_texts_of_their_own_or_one(yard: Yard):
    path = yard.jsonl("evals/two.jsonl", [{"a": "one two", "b": ["three", 4, None]}])
    described = {"jsonl": str(path), "question": ["a", "b"]}
    for more, texts in (({}, ("one two", "three", "4")), ({"join": " / "}, ("one two / three / 4",))):
        (item,) = EvaluationSet.model_validate({**described, **more}).items("e", yard.root, sha256_file)
        assert item.texts["question"] == texts


VOCABULARY = st.sampled_from(["red", "blue", "green", "two", "of", "the", "é"])
PHRASE = st.lists(VOCABULARY, min_size=1, max_size=12).map(" ".join)


@settings(max_examples=40)
@given(items=st.lists(PHRASE, min_size=1, max_size=4), rows=st.lists(PHRASE, min_size=1, max_size=6), more=PHRASE)
def test_more_evaluation_sets_never_remove_less_and_other_rows_change_nothing(
    tmp_path_factory: pytest.TempPathFactory, items: list[str], rows: list[str], more: str
):
    yard = Yard(tmp_path_factory.mktemp("yard"))
    paths = [
        yard.jsonl(f"evals/{name}.jsonl", [{"q": text} for text in texts])
        for name, texts in (("e", items), ("f", [more]))
    ]
    sets = [{name: {"jsonl": str(path), "question": "q"}} for name, path in zip("ef", paths, strict=True)]
    conversations = [asked(text) for text in rows]
    workspace = Workspace(yard.root / "workspace")

    def removed(against: dict[str, Any], rows: list[Conversation]) -> set[int]:
        stage = NgramDecontamination.model_validate({"against": against, "rule": "tulu3", "n": 3, "min_words": 1})
        return set(verdicts(stage.prepare(workspace, sha256_file), rows))

    one = removed(sets[0], conversations)
    assert one <= removed({**sets[0], **sets[1]}, conversations)
    assert removed(sets[0], [*conversations, asked(more)]) - {len(rows)} == one


def naive_contaminated(text: str, items: list[str], n: int) -> bool:
    """The rule as it is written down: more than half of an item's words in shared n-grams, or a short item whole."""
    words = NAIVE["words"](text)
    have = {tuple(words[start : start + n]) for start in range(len(words) - n + 1)}
    for item in items:
        own = NAIVE["words"](item)
        if len(own) < n:
            if len(own) >= 3 and any(words[start : start + len(own)] == own for start in range(len(words))):
                return True
            continue
        covered = {
            start + offset
            for start in range(len(own) - n + 1)
            if tuple(own[start : start + n]) in have
            for offset in range(n)
        }
        if len(covered) > len(own) / 2:
            return True
    return False


def test_no_kept_row_matches_the_rule_and_every_planted_one_is_gone(shared: Path, yard: Yard):
    evaluation = json.loads((shared / "evals/zero_shot_cot/dataset__StrategyQA__task.json").read_text())["examples"]
    items = [example["input"] for example in evaluation][:700]
    planted = [{"prompt": f"Consider this. {item} Explain.", "response": "Yes."} for item in items[::10]]
    lines = (shared / "train/gsm8k_train/train.jsonl").read_text().splitlines()[:1500]
    rows = [json.loads(line) for line in lines]
    clean = [{"prompt": row["question"], "response": row["answer"]} for row in rows]
    yard.jsonl("a.jsonl", [*clean, *planted])
    path = yard.jsonl("evals/items.jsonl", [{"question": item} for item in items])
    against = {"e": {"jsonl": str(path), "question": "question"}}
    stage = {"ngram_decontamination": {"rule": "tulu3", "against": against}}
    built = yard.mix(sources={"a": {"jsonl": "a.jsonl"}}, stages=[stage])
    kept = pl.read_parquet(built.mixture.data)["messages"].to_list()
    prompts = [message["content"] for messages in kept for message in messages if message["role"] == "user"]
    assert not [prompt for prompt in prompts if naive_contaminated(prompt, items, 8)]
    removed = [row["prompt"] for row in planted if naive_contaminated(row["prompt"], items, 8)]
    assert len(removed) >= len(planted) - 1
    assert not set(removed) & set(prompts)
    assert built.mixture.rows["a"]["removed"]["ngram_decontamination"] >= len(removed)


STORY = (
    "Janet has {0} ducks and each of them lays {1} eggs a day. She eats {2} for breakfast every morning, bakes muffins "
    "with {3} and sells the rest at the market for {4} dollars each. How much does she make there every day?"
)
OURS = [{"id": "ducks", "question": STORY.format(16, 12, 3, 4, 2), "answer": "18"}, *ITEMS]


def test_our_rule_tells_a_leak_from_the_same_story_with_other_numbers(yard: Yard):
    leak, sibling = asked(STORY.format(16, 12, 3, 4, 2)), asked(STORY.format(31, 25, 7, 9, 5))
    edited = asked(STORY.format(16, 12, 3, 4, 2).replace("muffins", "cakes").replace("market", "fair"))
    rows = [leak, sibling, edited, asked("Janet has ducks and sells eggs at the market every day.")]
    stage = stage_for(yard, OURS, rule="tulu_data")
    assert {row: verdict["item"] for row, verdict in verdicts(stage, rows).items()} == {0: "ducks", 2: "ducks"}
    measures = stage.measuring().measure(Rows.of(rows)).insert_column(0, pl.Series("row", range(4), pl.UInt32))
    near = stage.pairs(measures).filter("is_near")
    assert near.select("row", "id", "numbers", "numbers_missing").rows() == [(1, "ducks", 5, 5)]
    dropping = stage_for(yard, OURS, rule="tulu_data", near="drop")
    assert verdicts(dropping, rows)[1]["reason"] == "near an item of e"


ORDER = "A baker sold 1250 loaves for $3 each, 21 of them to a hotel and 1/2 of the rest at 50% off. How much is that?"
ROOTS = r"Find $x$ if $\frac{2x^2+x}{3} \cdot \sqrt{5} \le 90^\circ$ and $\left(x + \pi\right)$ is even."
BAKER = [
    {"id": "order", "question": ORDER, "answer": ""},
    {"id": "roots", "question": ROOTS, "answer": ""},
    {"id": "sum", "question": "What is 17 + 25?", "answer": "42"},
    {"id": "café", "question": "Who opened the first café in Ruritania?", "answer": ""},
    {"id": "power", "question": "(2+x)^7 =", "answer": ""},
]


@pytest.mark.parametrize(
    "other",
    [
        ("1250", "1,250"),
        ("1250", "1\u202f250"),
        ("1250", "one thousand two hundred and fifty"),
        ("1250", "１２５０"),
        ("1250", "१२५०"),
        ("$3", "$3.00"),
        ("$3", "three dollars"),
        ("21", "twenty-one"),
        ("1/2", "½"),
        ("1/2", "one half"),
        ("1/2", r"\tfrac{1}{2}"),
        ("50%", "fifty percent"),
        ("a", "\u00ada\u200b"),
        (" ", " \u2060"),
        ("ff", "ﬀ"),
        ("loaves", "__loaves__"),
        (" each", "<br>each&nbsp;"),
        ("A baker", "\\nA *baker*"),
    ],
    ids=str,
)
def test_a_number_in_other_clothes_is_the_same_number(yard: Yard, other: tuple[str, str]):
    stage = stage_for(yard, BAKER, rule="tulu_data")
    assert other[0] in ORDER
    assert [verdict["item"] for verdict in verdicts(stage, [asked(ORDER.replace(*other))]).values()] == ["order"]


@pytest.mark.parametrize(
    "formula",
    [
        r"Find \(x\) if \[\dfrac{2x^{2}+x}{3}\times\sqrt5\leq 90^{\circ}\] and \(\bigl(x+\pi\bigr)\) is even.",
        "Find x if (2x² + x)/3 · √5 ≤ 90° and (x + π) is even.",
        "Find x if frac 2x 2 x 3 cdot sqrt 5 leq 90 circ and x pi is even",
        r"Find $$x$$ if $\tfrac{2x^2\,+\,x}{3}*\sqrt{5} ~<=~ 90^\circ$ and $x\;+\!\pi$ is \text{even}.",
    ],
)
def test_a_formula_in_other_clothes_is_the_same_formula(yard: Yard, formula: str):
    stage = stage_for(yard, BAKER, rule="tulu_data")
    assert [verdict["item"] for verdict in verdicts(stage, [asked(formula)]).values()] == ["roots"]


def test_another_sign_makes_another_sum_and_none_the_same(yard: Yard):
    stage = stage_for(yard, BAKER, rule="tulu_data")
    sums = ["What is 17 + 25?", "What is 17 plus 25?", "What is 17 - 25?", "What is 17 \u00d7 25?", "What is 17 25?"]
    loops = ["for (x = 2; x < 7; x++)", "(2+x)^7 =", "2 x 7", "Compute:\n$(2+x)^{7}$ ="]
    found = verdicts(stage, [asked(text) for text in (*sums, *loops)])
    assert {row: verdict["item"] for row, verdict in found.items()} == {0: "sum", 4: "sum", 6: "power", 8: "power"}


@pytest.mark.parametrize("rule", sorted(RULES))
@pytest.mark.parametrize(
    "unseen", ["\u200b", "\u200d", "\u00ad", "\u2060", "\ufeff", "\u200e", "\u202e", "\ufe0f", "\U000e0041"], ids=ascii
)
def test_what_nobody_sees_changes_no_verdict(yard: Yard, rule: str, unseen: str):
    plain = ITEMS[0]["question"]
    strewn = unseen.join(plain)
    found = verdicts(stage_for(yard, rule=rule), [asked(plain), asked(strewn)])
    assert found[0]["value"] == found[1]["value"]
    end = strewn.rindex("h") + 1
    assert (found[1]["start"], strewn[found[1]["start"] : found[1]["end"]]) == (0, strewn[:end])


def test_evidence_of_a_number_in_words_is_marked_where_it_stands(yard: Yard):
    text = "Tell me: what is seventeen + twenty-five? Thanks."
    (verdict,) = verdicts(stage_for(yard, BAKER, rule="tulu_data"), [asked(text)]).values()
    assert text[verdict["start"] : verdict["end"]] == "what is seventeen + twenty-five"
    question = BAKER[2]["question"]
    assert question[verdict["item_start"] : verdict["item_end"]] == "What is 17 + 25"


def test_our_rule_asks_for_most_of_a_short_question_and_for_all_of_a_shorter_one(yard: Yard):
    items = [
        {"id": "area", "question": "Write a function to find the area of a rectangle.", "answer": ""},
        {"id": "capital", "question": "What is the capital of Ruritania?", "answer": ""},
    ]
    stage = stage_for(yard, items, rule="tulu_data")
    rows = [
        asked("Write a function to find the area of a rectangle."),
        asked("How large is the area of a rectangle?"),
        asked("Tell me: what is the capital of Ruritania?"),
        asked("What was the capital of Ruritania?"),
    ]
    assert {row: verdict["item"] for row, verdict in verdicts(stage, rows).items()} == {0: "area", 2: "capital"}


def test_stems_that_many_items_share_are_no_item_s_own(yard: Yard):
    stem = "Which of the following statements about the law of large numbers is true?"
    items = [
        {"id": f"i{number}", "question": f"{stem} It was found in {1700 + number} by {name}", "answer": ""}
        for number, name in enumerate(
            (
                "Bernoulli and his nephew",
                "Poisson in a letter",
                "Markov at a meeting",
                "Borel on a train",
                "Cantelli in Rome",
                "Chebyshev at home",
            )
        )
    ]
    items += [{"id": f"s{number}", "question": "Which is true of it?", "answer": ""} for number in range(7)]
    stage = stage_for(yard, items, rule="tulu_data")
    assert verdicts(stage, [asked(stem), asked("Which is true of it?")]) == {}
    assert verdicts(stage, [asked(items[3]["question"])])[0]["item"] == "i3"
    accounts = stage.facts()["evaluations"]["e"]
    assert (accounts["indexed"], accounts["unusable"]) == (6, 7)


def test_a_run_goes_on_through_words_that_many_items_share(yard: Yard):
    shared = "what is the capital city of"
    items = [
        {"id": "france", "question": f"alpha bravo charlie {shared} france delta echo foxtrot golf", "answer": ""},
        {"id": "spain", "question": f"hotel india juliet {shared} spain kilo lima mike november", "answer": ""},
    ]
    stage = stage_for(yard, items, rule="exact", n=3, max_item_df=1)
    other = items[0]["question"].replace("charlie what", "charlie which")
    assert verdicts(stage, [asked(item["question"]) for item in items] + [asked(other), asked(shared)]).keys() == {0, 1}
    # Without the third word, 10 of its 14 words follow each other, those that both items have among them.
    share = stage.model_copy(update={"at_least": Decimal("0.1")})
    assert {
        row: verdict["value"] for row, verdict in verdicts(share, [asked(items[0]["question"]), asked(other)]).items()
    } == {
        0: 1.0,
        1: pytest.approx(10 / 14, abs=1e-6),
    }


def test_near_rows_are_kept_and_listed_by_their_ids(yard: Yard):
    yard.jsonl("a.jsonl", [{"prompt": STORY.format(31, 25, 7, 9, 5), "response": "!"}, *pairs(5)])
    path = yard.jsonl("evals/items.jsonl", OURS)
    against = {"e": {"jsonl": str(path), "question": "question", "id": "id"}}
    built = yard.mix(sources={"a": {"jsonl": "a.jsonl"}}, stages=[{"ngram_decontamination": {"against": against}}])
    near = pl.read_parquet(built.mixture.folder / "reports/ngram_decontamination-near.parquet")
    assert near.select("source", "evaluation", "item", "numbers", "numbers_missing").rows() == [
        ("a", "e", "ducks", 5, 5)
    ]
    kept = pl.read_parquet(built.mixture.data)
    assert kept.filter(pl.col("id") == near["id"][0])["messages"][0][0]["content"] == STORY.format(31, 25, 7, 9, 5)
    assert (
        pl.read_parquet(built.mixture.reports("evaluations")["ngram_decontamination"]).row(0, named=True)["near"] == 1
    )
