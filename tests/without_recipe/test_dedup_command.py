"""`minhash_dedup` in builds, and the command `dedup`."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from conftest import Yard, files_of
from tulu_data.__main__ import main
from tulu_data.building.gc import collect
from tulu_data.errors import ResourceError
from tulu_data.executors.inline import Inline
from tulu_data.executors.processes import Processes
from tulu_data.mixture.explain import Explainer
from tulu_data.without_recipe.dedup import dedup

pytestmark = pytest.mark.slow

Run = Callable[..., tuple[str, str]]


@pytest.fixture
def run(yard: Yard, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Call the program in the yard, in this process."""
    monkeypatch.chdir(yard.root)

    def call(*words: str, code: int = 0) -> tuple[str, str]:
        monkeypatch.setattr("sys.argv", ["tulu-data", *words])
        with pytest.raises(SystemExit) as left:
            main()
        found = capsys.readouterr()
        assert (left.value.code or 0) == code, found
        return found.out, found.err

    return call


def story(name: str, *, ends: str = "and they all went home") -> dict[str, str]:
    """A conversation of 60 words of its own, and how it ends."""
    words = " ".join(f"{name}{number}" for number in range(50))
    return {"prompt": f"Tell me of {name}", "response": f"{words} {ends}"}


STORIES = [story("ann"), story("bo"), story("cy"), story("ann", ends="and nobody went anywhere"), story("bo")]


def mixed(yard: Yard, **options: Any) -> Any:
    yard.jsonl("a.jsonl", STORIES)
    yard.jsonl("b.jsonl", [story("cy", ends="or so they say"), story("di")])
    sources = {"a": {"jsonl": "a.jsonl"}, "b": {"jsonl": "b.jsonl"}}
    return yard.mix(sources=sources, stages=[{"minhash_dedup": {"max_removed": 1, **options}}])


def test_a_file_under_two_names_is_one(yard: Yard, run: Run):
    yard.jsonl("new.jsonl", STORIES)
    answer = json.loads(run("dedup", "new.jsonl", "./new.jsonl", "--json", code=4)[0])
    assert {name: rows["read"] for name, rows in answer["rows"].items()} == {"new.jsonl": 5}


def test_rows_that_nobody_answers_are_compared(yard: Yard, run: Run):
    (told, *_) = (one["response"] for one in STORIES)
    yard.jsonl("only.jsonl", [{"instruction": told}, {"instruction": f"{told} again"}, {"instruction": "Tell me more"}])
    yard.jsonl("asked.jsonl", [{"messages": [{"role": "user", "content": told}]}])
    answer = json.loads(run("dedup", "only.jsonl", "asked.jsonl", "--json", code=4)[0])
    assert {name: (rows["read"], rows["quarantined"]) for name, rows in answer["rows"].items()} == {
        "only.jsonl": (3, 0),
        "asked.jsonl": (1, 0),
    }
    assert sum(rows["duplicates"] for rows in answer["rows"].values()) == 2


def test_instructions_that_nobody_answers_are_compared_with_their_inputs(yard: Yard, run: Run):
    told = [one["response"] for one in STORIES[:3]]
    yard.jsonl("only.jsonl", [{"instruction": "Sum it up", "input": text} for text in [*told, told[0]]])
    yard.jsonl("asked.jsonl", [{"prompt": f"Sum it up\n{told[1]}", "response": "No"}])
    answer = json.loads(run("dedup", "only.jsonl", "asked.jsonl", "--on", "prompt", "--json", code=4)[0])
    assert sum(rows["duplicates"] for rows in answer["rows"].values()) == 2


def test_copies_of_parquet_keep_categories_and_all_other_types(yard: Yard, run: Run):
    given = pa.Table.from_pylist(STORIES)
    kinds = pa.array(["x", "y", None, "x", "y"]).dictionary_encode()
    given = given.append_column("kind", kinds).append_column(
        "list", pa.array([[1], [], None, [2], [3]], pa.list_(pa.int8()))
    )
    pq.write_table(given, yard.root / "a.parquet")
    run("dedup", "a.parquet", "--out", "clean", code=4)
    removed = pl.read_parquet(yard.root / "clean/removed.parquet")["row"].to_list()
    copy = pq.read_table(yard.root / "clean/a.parquet")
    assert copy.schema.equals(pq.read_schema(yard.root / "a.parquet"))
    assert copy.to_pylist() == [row for number, row in enumerate(given.to_pylist(), 1) if number not in removed]


def test_a_place_that_cannot_be_is_said_in_words(yard: Yard, run: Run):
    yard.jsonl("new.jsonl", STORIES)
    yard.write("file", b"")
    assert "choose another place" in run("dedup", "new.jsonl", "--out", "file/x", code=2)[1]


def test_a_build_says_why_each_row_went_and_for_which(yard: Yard):
    built = mixed(yard, prefer=["b"])
    assert built.mixture.rows["a"]["removed"] == {"minhash_dedup": 3}
    evidence = pl.read_parquet(built.mixture.evidence["minhash_dedup"])
    assert evidence.columns == ["id", "source", "reason", "twin", "jaccard", "estimated", "cluster"]
    assert sorted(evidence["reason"].to_list()) == ["near", "near", "same shingles"]
    (cy,) = (row for row in Explainer(built.mixture).by_text("cy10 cy11") if row.source == "a")
    assert cy.twin is not None
    assert (cy.fate, cy.twin.source, cy.twin.fate) == ("minhash_dedup", "b", "kept")
    # "Tell me of cy" is one shingle; 50 words and 5 of one end, 4 of the other, have 51 and 50, and 46 in common.
    assert cy.evidence["jaccard"] == round(47 / (52 + 51 - 47), 6)


def test_reports_have_the_clusters_and_whose_rows_went_for_whose(yard: Yard):
    built = mixed(yard, prefer=["b"])
    clusters = pl.read_parquet(built.mixture.reports("clusters")["minhash_dedup"])
    assert clusters.columns == ["cluster", "rows", "id", "source", "is_twin", "jaccard"]
    assert clusters.filter("is_twin")["rows"].to_list() == [2, 2, 2]
    assert len(clusters) == 6
    pairs = pl.read_parquet(built.mixture.folder / "reports" / "minhash_dedup-sources.parquet")
    assert pairs.rows() == [("a", "a", 2), ("a", "b", 1)]
    (stage,) = built.mixture.manifest["stages"]
    assert (stage["clusters"], stage["buckets_over_cap"], stage["found"]["0.8"]) == (3, 0, 0.9235)


def test_scope_within_compares_each_source_with_itself_alone(yard: Yard):
    assert mixed(yard, scope="within").mixture.rows["b"]["removed"] == {}
    assert mixed(yard, scope="within").mixture.rows["a"]["removed"] == {"minhash_dedup": 2}


def test_another_threshold_reads_no_text(yard: Yard, monkeypatch: pytest.MonkeyPatch):
    mixed(yard)
    before = files_of(yard.root / "workspace/measures/minhash_dedup")
    monkeypatch.setattr("tulu_data.building.candidates.read_candidates", lambda *words: pytest.fail("read again"))
    built = mixed(yard, threshold="0.99")
    assert sum(rows["removed"].get("minhash_dedup", 0) for rows in built.mixture.rows.values()) == 1
    assert files_of(yard.root / "workspace/measures/minhash_dedup") == before


def test_what_was_read_of_candidates_stays_while_a_mixture_is_there(yard: Yard):
    mixed(yard)
    before = files_of(yard.root / "workspace/measures")
    collect(yard.root / "workspace", yard.root / "mixtures")
    assert files_of(yard.root / "workspace/measures") == before


def test_workers_shards_and_executors_change_no_byte(tmp_path: Path):
    rows = [story(f"w{number % 37}x", ends=" ".join(["so"] * (number % 3))) for number in range(200)]
    roots = []
    for name, shard_rows, workers in (("one", 65_536, 1), ("two", 7, 1), ("three", 50, 2)):
        yard = Yard(tmp_path / name)
        yard.root.mkdir()
        yard.jsonl("a.jsonl", rows)
        recipe = yard.recipe(sources={"a": {"jsonl": "a.jsonl"}}, stages=[{"minhash_dedup": {"max_removed": 1}}])
        with Processes(workers) as crew:
            built = yard.build(recipe, shard_rows=shard_rows, executor=crew if workers > 1 else Inline())
        roots.append(files_of(built.mixture.folder, "data", "evidence", "reports", "ledger"))
    assert roots[0] == roots[1] == roots[2]


def test_a_row_of_another_stage_is_no_twin(yard: Yard):
    yard.jsonl("a.jsonl", [story("ann", ends="and more and more and more"), story("ann")])
    stages = [{"pattern_filter": {"patterns": ["and more"], "on": "response"}}, "minhash_dedup"]
    assert yard.mix(sources={"a": {"jsonl": "a.jsonl"}}, stages=stages).mixture.rows["a"]["kept"] == 1


def test_the_command_lists_clusters_and_exits_4(run: Run, yard: Yard):
    yard.jsonl("a.jsonl", STORIES)
    out, err = run("dedup", "a.jsonl", "--limit", "1", code=4)
    assert "2 rows, of which a.jsonl:" in out
    assert "farthest: a.jsonl:" in out
    assert "2 of 5 rows are near-duplicates; more with --limit: 1 of 2 clusters are shown" in err
    values = json.loads(run("dedup", "a.jsonl", "--json", code=4)[0])
    assert values["rows"] == {"a.jsonl": {"read": 5, "quarantined": 0, "duplicates": 2}}
    assert [cluster["rows"] for cluster in values["clusters"]] == [2, 2]
    assert {cluster["twin"]["id"] for cluster in values["clusters"]} == {None}


def test_data_without_duplicates_are_exit_0(run: Run, yard: Yard):
    yard.jsonl("a.jsonl", STORIES[:3])
    assert "0 of 3 rows are near-duplicates" in run("dedup", "a.jsonl")[1]


def test_copies_lack_the_duplicates_alone(run: Run, yard: Yard):
    yard.jsonl("a.jsonl", STORIES)
    run("dedup", "a.jsonl", "--out", "clean", code=4)
    lines, kept = ((yard.root / place).read_text().splitlines() for place in ("a.jsonl", "clean/a.jsonl"))
    removed = pl.read_parquet(yard.root / "clean/removed.parquet")
    assert kept == [line for number, line in enumerate(lines, 1) if number not in removed["row"]]
    assert removed.columns == ["file", "row", "jaccard", "estimated", "cluster", "twin_file", "twin_row", "twin_id"]
    assert "0 of 3 rows" in run("dedup", "clean/a.jsonl")[1]


def test_rows_that_a_mixture_has_are_named_by_its_ids(run: Run, yard: Yard):
    yard.jsonl("old.jsonl", [*STORIES[:2], story("bo")])
    built = yard.mix(sources={"old": {"jsonl": "old.jsonl"}})
    yard.jsonl("new.jsonl", [story("bo", ends="and they all went out"), story("di"), story("di")])
    command = ["dedup", "new.jsonl", "--against", str(built.mixture.folder), "--json"]
    values = json.loads(run(*command, code=4)[0])
    ids = set(pl.read_parquet(built.mixture.data[0])["id"])
    assert values["rows"] == {"new.jsonl": {"read": 3, "quarantined": 0, "duplicates": 2}}
    assert [cluster["twin"]["id"] in ids for cluster in values["clusters"] if cluster["twin"]["id"]] == [True]
    assert {pair["twin_source"] for pair in values["sources"]} == {"new.jsonl", f"mix@{built.mixture.version}"}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ["--preset", "finewebb"],
            "no preset 'finewebb'; did you mean 'fineweb'?; there are fineweb, olmo3, refinedweb, redpajama",
        ),
        (["--threshold", "1.2"], "--threshold 1.2: input should be less than or equal to 1"),
        (["--threshold", "much"], "--threshold much: input should be a valid decimal"),
        (["--on", "answers"], "--on answers: there are prompt, response, conversation"),
        (["--against", "nothing"], "no mixture 'nothing' (looked in mixtures)"),
        (["--against", "a", "--against", "b"], "--against is given twice; compare with one mixture"),
        (
            ["--against", "a", "--within"],
            "--within does not compare rows with the mixture of --against; give one of them",
        ),
        (["--format", "{prompt: q"], "--format:1:"),
    ],
)
def test_what_can_not_be_asked_is_told(run: Run, yard: Yard, words: list[str], message: str):
    yard.jsonl("a.jsonl", STORIES[:1])
    assert message in run("dedup", "a.jsonl", *words, code=2)[1]


def test_too_many_rows_for_memory_are_refused_before_they_are_measured(yard: Yard):
    data = yard.jsonl("a.jsonl", STORIES)
    with pytest.raises(ResourceError, match=r"deciding on 5 rows needs about 0.0 GB \(\d+ bytes a row\)"):
        dedup(data, memory=1_000, workspace=yard.root / "w")
    assert not (yard.root / "w/measures").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("bands: 200, rows: 51", "200 bands of 51 rows are more than 10,000 values; say fewer"),
        ("permutations: 100, bands: 10, rows: 11", "10 bands of 11 rows are more than 100 values; say fewer"),
        ("keep_responses: 2", "keep_responses counts rows with near prompts; say on: prompt"),
        ("threshold: 0", "input should be greater than 0; found '0'"),
        ("preset: finweb", "input should be 'fineweb', 'olmo3', 'refinedweb' or 'redpajama'; found 'finweb'"),
        ("permutations: 4096", "input should be less than or equal to 2048; found '4096'"),
        ("prefer: [c]", "no source named 'c'"),
        ("protect: [c]", "no source named 'c'"),
    ],
)
def test_options_that_can_not_be_are_told(run: Run, yard: Yard, options: str, message: str):
    text = f"name: mix\nsources: {{a: {{jsonl: a.jsonl}}}}\nstages:\n  - minhash_dedup: {{{options}}}\n"
    yard.write("mix.yaml", text)
    error = run("plan", "mix.yaml", code=2)[1]
    assert "mix.yaml:4:" in error
    assert message in error


def test_plan_says_how_likely_a_pair_is_found(run: Run, yard: Yard):
    yard.jsonl("a.jsonl", STORIES)
    yard.write("mix.yaml", "name: mix\nsources: {a: {jsonl: a.jsonl}}\nstages: [minhash_dedup]\n")
    assert "minhash_dedup finds a pair of that Jaccard similarity: 0.05 at 0.5" in run("plan", "mix.yaml")[0]
    assert ", 0.92 at 0.8, " in run("plan", "mix.yaml")[0]
