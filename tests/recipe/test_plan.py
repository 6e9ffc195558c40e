"""What plan knows of a build before it: where the one is sure to stop, the other exits as it does."""

from __future__ import annotations

import json
from pathlib import Path

from conftest import Yard, pairs, shown_by
from tulu_data.building.preview import plan

FAILING = {
    "bad": (
        {"jsonl": "bad.jsonl"},
        [],
        "sources.a: 2 records or more can't become rows, and max_quarantined is 0; the first: bad.jsonl:4: invalid_json",
    ),
    "bad-1": (
        {"jsonl": "bad.jsonl", "max_quarantined": 1},
        [],
        "sources.a: 2 records or more can't become rows, and max_quarantined is 1",
    ),
    "none": (
        {"jsonl": "none.jsonl", "max_quarantined": 5},
        [],
        "sources.a: no record of it becomes a row; if that is right, say: allow_empty: true",
    ),
    "empty": ({"jsonl": "empty.jsonl"}, [], "sources.a: no row in 1 file; if that is right, say: allow_empty: true"),
    "few": (
        {"jsonl": "good.jsonl", "rows": 4},
        [],
        "sources.a: rows: 4 asked, and it offers 3; lower the number, or leave it out to take all",
    ),
    "column": ({"jsonl": "good.jsonl", "format": {"prompt": "prompt", "response": "answer"}}, [], "no column 'answer'"),
    "set": (
        {"jsonl": "good.jsonl"},
        [{"ngram_decontamination": {"against": {"e": {"jsonl": "gone.jsonl", "question": "q"}}}}],
        "stages.ngram_decontamination: gone.jsonl: no such file",
    ),
    "set-column": (
        {"jsonl": "good.jsonl"},
        [{"ngram_decontamination": {"against": {"e": {"jsonl": "good.jsonl", "question": "q"}}}}],
        "no record has the column 'q'",
    ),
    "weight": (
        {"jsonl": "good.jsonl", "domain": "d"},
        [{"weighted_mix": {"by": "domain", "weights": {"x": 1}}}],
        "stages.weighted_mix: ",
    ),
    "short": ({"jsonl": "good.jsonl"}, ["exact_dedup", {"weighted_mix": {"rows": 9}}], "and has 3 (max_repeat: 1)"),
    "short-many": (
        {"jsonl": "many.jsonl"},
        [{"weighted_mix": {"weights": {"x": 1}}}],
        "stages.weighted_mix: ",
    ),
}
WORKING = {
    "fine": ({"jsonl": "bad.jsonl", "max_quarantined": 2}, []),
    "allowed": ({"jsonl": "empty.jsonl", "allow_empty": True}, []),
    "enough": ({"jsonl": "many.jsonl", "rows": 400}, []),
    # The stage before the mix removes all rows of the domain that has no weight.
    "removed": (
        {"jsonl": "good.jsonl", "domain": "x"},
        [
            {"pattern_filter": {"patterns": ["rare"], "max_removed": 1}},
            {"weighted_mix": {"by": "domain", "weights": {"x": 1}}},
        ],
    ),
}


def test_plan_exits_3_just_where_a_build_of_the_same_recipe_does(tmp_path: Path):
    yard = Yard(tmp_path)
    yard.jsonl("good.jsonl", pairs(3))
    yard.jsonl("bad.jsonl", [*pairs(3), b"{", b"{"])
    yard.jsonl("none.jsonl", [{"prompt": 1.5, "response": "x"}])
    yard.jsonl("empty.jsonl", [])
    yard.jsonl("many.jsonl", [{"prompt": "x" * (n % 90), "response": str(n)} for n in range(500)])
    yard.jsonl("rare.jsonl", [{"prompt": "rare", "response": "rare"}])

    def recipe(name: str, source: object, stages: object) -> None:
        more = {"r": {"jsonl": "rare.jsonl", "domain": "rare"}} if name == "removed" else {}
        more |= {"b": {"jsonl": "good.jsonl"}} if name == "allowed" else {}
        yard.write(f"{name}.yaml", json.dumps({"name": name, "sources": {"a": source, **more}, "stages": stages}))

    for name, (source, stages, _) in FAILING.items():
        recipe(name, source, stages)
    for name, (source, stages) in WORKING.items():
        recipe(name, source, stages)
    commands = [[command, f"{name}.yaml"] for name in (*FAILING, *WORKING) for command in ("plan", "build")]
    commands.append(["plan", "bad.yaml", "--json"])
    done = dict(zip(map(tuple, commands), shown_by(tmp_path, commands), strict=True))
    codes = {name: [done[command, f"{name}.yaml"][0] for command in ("plan", "build")] for name in (*FAILING, *WORKING)}
    assert codes == {**{name: [3, 3] for name in FAILING}, **{name: [0, 0] for name in WORKING}}
    assert {
        name: message for name, (*_, message) in FAILING.items() if message not in done["plan", f"{name}.yaml"][1]
    } == {}
    # What it knows is shown before.
    assert "a  1 file" in done["plan", "bad.yaml"][1]
    shown = done["plan", "bad.yaml", "--json"][1]
    assert json.loads(shown[shown.index("{\n") : shown.rindex("}") + 1])["sources"]["a"]["problem"].startswith(
        "2 records"
    )


def test_a_plan_is_a_value_that_holds_what_the_command_prints(tmp_path: Path):
    yard = Yard(tmp_path)
    yard.jsonl("a.jsonl", [*pairs(3), b"{"])
    yard.write("mix.yaml", "name: mix\nsources: {a: {jsonl: a.jsonl}}\nstages: [{length_filter: {max_tokens: 9}}]\n")
    recipe = yard.recipe(sources={"a": {"jsonl": "a.jsonl"}}, stages=[{"length_filter": {"max_tokens": 9}}])
    found = plan(recipe, yard.places.out, yard.places.workspace)
    assert [step.name for step in found.plan.steps] == ["tokens", "length_filter"]
    assert [turns[0].content for turns in found.surveyed[0].preview] == [f"What is {n} + {n}?" for n in range(3)]
    assert found.problems[0].startswith("sources.a: 1 record or more can't become rows, and max_quarantined is 0")
    ((code, shown),) = shown_by(tmp_path, [["plan", "mix.yaml", "--json"]])
    values = json.JSONDecoder().raw_decode(shown)[0]
    assert code == 3
    assert values["stages"] == found.as_values()["stages"]
    assert values["sources"]["a"]["preview"] == found.as_values()["sources"]["a"]["preview"]
    assert not (tmp_path / "mixtures").exists()
