"""A stranger's mixture may hold anything: each command that reads one answers, or says what is wrong with it."""

from __future__ import annotations

import json
import math
import os
import random
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from conftest import Yard, files_of, pairs
from forgery import damaged, resign
from tulu_data.cli.cli import cli
from tulu_data.errors import TuluDataError
from tulu_data.evaluations.evaluation_set import EvaluationSet
from tulu_data.mixture import layout, load
from tulu_data.mixture.explain import Explainer
from tulu_data.mixture.mixture import Mixture
from tulu_data.store import parquet
from tulu_data.store.durable import sha256_file
from tulu_data.verifying.claims import Witness
from tulu_data.verifying.levels import Verification

pytestmark = pytest.mark.slow

LEAK = "Two trains leave the same station at noon, one at 60 km/h and one at 90 km/h."
STORY = "Every morning the baker of our street opens the shop at six and sells forty warm loaves before the bells ring"
FUZZ_SECONDS = float(os.environ.get("TULU_DATA_TEST_FUZZ_SECONDS", "8"))
MOST_BYTES = 1 << 30
COMMANDS = 3
"""How many of the commands read each damaged mixture."""
SLOW = 0.05
"""Of how many damaged mixtures the rows are held against evaluation sets, and other rows against them."""
MOST_SECONDS = 60


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Yard:
    """A yard with a mixture of which each stage took something, `mixtures/mix/LATEST`."""
    yard = Yard(tmp_path_factory.mktemp("hostile"))
    rows = [*pairs(30), {"prompt": LEAK, "response": "!"}, *pairs(3), {"prompt": "x" * 300, "response": "y"}]
    near = [{"prompt": STORY, "response": STORY}, {"prompt": STORY, "response": f"{STORY} again"}]
    yard.jsonl("a.jsonl", [*rows, *near, b"\xff"])
    yard.jsonl("b.jsonl", pairs(8, 100))
    evals = yard.jsonl("evals/e.jsonl", [{"question": LEAK, "answer": "30"}])
    yard.mix(
        sources={
            "a": {"jsonl": "a.jsonl", "max_quarantined": 1, "domain": "x"},
            "b": {"jsonl": "b.jsonl", "domain": "y"},
        },
        stages=[
            {"length_filter": {"max_characters": 250, "max_removed": 1}},
            {
                "ngram_decontamination": {
                    "against": {"e": {"jsonl": str(evals), "question": "question"}},
                    "max_removed": 1,
                }
            },
            {"exact_dedup": {"max_removed": 1}},
            {"minhash_dedup": {"max_removed": 1}},
            {"weighted_mix": {"by": "domain", "weights": {"x": 1, "y": 1}, "rows": 16, "max_removed": 1}},
        ],
    )
    return yard


def mixture_of(yard: Yard) -> Path:
    return next(path for path in (yard.root / "mixtures/mix").iterdir() if (path / "manifest.json").is_file())


@pytest.fixture
def folder(ours: Yard, tmp_path: Path) -> Path:
    """A copy of that mixture, to be damaged."""
    shutil.copytree(mixture_of(ours), tmp_path / "theirs")
    return tmp_path / "theirs"


def told(*words: object) -> tuple[int, str]:
    """The exit code of a command, and what it says of what is wrong; what is no error for a person is raised."""
    try:
        cli.main([str(word) for word in words], standalone_mode=False)
    except click.exceptions.Exit as exit:
        return exit.exit_code, ""
    except TuluDataError as error:
        return error.exit_code, str(error)
    return 0, ""


def commands(yard: Yard, folder: Path, out: Path, ids: list[str]) -> Iterator[tuple[object, ...]]:
    """Every command that reads a mixture."""
    workspace = ("--workspace", yard.root / "workspace")
    yield ("verify", folder, "--evaluations", yard.root / "evals", *workspace)
    for id in ids:
        yield ("explain", folder, id, *workspace)
    yield ("explain", folder, f"{yard.root / 'a.jsonl'}:31", *workspace)
    yield ("explain", folder, "--text", "baker", "--workspace", out / "none")
    yield ("removed", folder, *workspace)
    yield ("removed", folder, "--stage", "minhash_dedup", "--source", "a", "--json", *workspace)
    yield ("removed", folder, "--stage", "quarantined", *workspace)
    yield ("audit", folder, "--out", out / "page.html")
    yield ("audit", folder, "--out", out / "page.html", "--json")
    yield ("diff", mixture_of(yard), folder, "--html", out / "diff.html")
    yield ("diff", folder, folder, "--json")


def slow_commands(yard: Yard, folder: Path, out: Path) -> Iterator[tuple[object, ...]]:
    one = ("--workers", 1, "--workspace", out / "workspace")
    yield ("contaminated", "e", "--by", folder, *one)
    yield ("dedup", yard.root / "b.jsonl", "--against", folder, *one)


def some_ids(folder: Path) -> list[str]:
    """One id of each fate."""
    ledger = pq.read_table(folder / "ledger/ledger.parquet").to_pylist()
    return list({row["fate"]: row["id"] for row in ledger}.values())


def change(path: Path, edit: Callable[[pa.Table], pa.Table]) -> None:
    """Change a table of a mixture, and sign the mixture anew."""
    parquet.write(path, edit(pq.read_table(path, partitioning=None)))
    resign(next(folder for folder in path.parents if (folder / "manifest.json").is_file()))


def with_values(name: str, *values: Any, type: pa.DataType | None = None) -> Callable[[pa.Table], pa.Table]:
    """Put values into the first lines of a column."""

    def edit(rows: pa.Table) -> pa.Table:
        place, own = rows.schema.get_field_index(name), rows.column(name).to_pylist()
        return rows.set_column(
            place, name, pa.array([*values, *own[len(values) :]], type or rows.schema.field(name).type)
        )

    return edit


def refused(verification: Verification) -> str:
    """What the one check that fails found."""
    (wrong,) = [check.wrong for check in verification.checks if check.wrong]
    return wrong


def options_of(stage: str, **options: Any) -> Callable[[dict[str, Any]], None]:
    def edit(facts: dict[str, Any]) -> None:
        next(own for own in facts["stages"] if own["name"] == stage)["options"].update(options)

    return edit


@pytest.mark.parametrize(
    ("edit", "what"),
    [
        (options_of("minhash_dedup", ngram=-(10**12)), "stages[3].options.ngram: input should be greater than 0"),
        (
            options_of("minhash_dedup", bands=10**9),
            "stages[3].options.bands: input should be less than or equal to 1000",
        ),
        (options_of("ngram_decontamination", n=10**6), "stages[1].options.n: input should be less than or equal to 64"),
        (
            options_of("ngram_decontamination", answer_words=10**9),
            "stages[1].options.answer_words: input should be less",
        ),
        (options_of("exact_dedup", on=["prompt"]), "stages[2].options.on: input should be 'prompt', 'response' or"),
        (lambda facts: facts.update(rows=-1), "rows: input should be greater than or equal to 0"),
        (lambda facts: facts.update(rows="37"), "rows: input should be a valid integer"),
        (lambda facts: facts.update(rows=10**400), "rows: input should be less than or equal to"),
        (lambda facts: facts.update(sources=[]), "sources: input should be a valid dictionary"),
        (lambda facts: facts.update(stages=None), "stages: input should be a valid list"),
        (lambda facts: facts.update(root="../.."), "root: string should match pattern"),
        (lambda facts: facts["sources"]["a"].pop("removed"), "sources.a.removed: is missing"),
        (
            lambda facts: facts["sources"].update({"../b": facts["sources"]["b"]}),
            "sources.../b.[key]: string should match",
        ),
        (lambda facts: facts["stages"].append(facts["stages"][0]), "it: two stages have one name"),
        (
            lambda facts: facts["files"].update({"/etc/passwd": facts["files"]["README.md"]}),
            "is not a file inside of the mixture",
        ),
        (
            lambda facts: facts["files"].update({"data/../../x": facts["files"]["README.md"]}),
            "is not a file inside of the mixture",
        ),
    ],
)
def test_a_manifest_is_read_only_where_it_is_one(folder: Path, edit: Callable[[dict[str, Any]], object], what: str):
    resign(folder, edit)
    assert refused(Verification(folder).run()).startswith(f"manifest.json: {what}") or what in refused(
        Verification(folder).run()
    )
    code, message = told("audit", folder, "--out", folder.parent / "page.html")
    assert code == 3
    assert message.startswith(f"{folder}/manifest.json: ")
    assert what in message
    assert message.endswith(f"; see what else is wrong with: tulu-data verify {folder}, then fetch or build it again")


@pytest.mark.parametrize(
    "text", ["", "[" * 100_000, '{"format": NaN}', '{"format": "\\ud800"}', "1" * 5_000, "null", '{"a":1}' * 2, "\0"]
)
def test_what_is_no_json_of_ours_is_no_manifest(folder: Path, text: str):
    (folder / "manifest.json").write_text(text)
    for words in (("removed", folder), ("diff", folder, folder), ("explain", folder, "000000")):
        code, message = told(*words)
        assert (code, message.startswith(f"{folder}/manifest.json: ")) == (3, True)
    assert refused(Verification(folder).run()).startswith("manifest.json: ")


def test_a_manifest_of_a_million_keys_takes_no_time(folder: Path):
    resign(folder, lambda facts: facts.update({f"key{number}": number for number in range(10**5)}))
    began = time.monotonic()
    assert told("removed", folder)[0] == 0
    assert time.monotonic() - began < 5


def test_a_stage_that_this_program_does_not_have_is_told_as_unchecked(folder: Path):
    def rename(facts: dict[str, Any]) -> None:
        # As a program said nothing of them before stages declared what they claim.
        silent = {"claims": None, "reports": None}
        facts["stages"].append({**facts["stages"][0], "name": "no_such_stage", "options": {"ngram": -1}, **silent})

    resign(folder, rename)
    told_of = [
        check for check in Verification(folder, lambda facts: Witness(folder, facts)).run().checks if check.unproven
    ]
    assert ("no_such_stage: what it claims", "it is a stage that this program lacks") in [
        (check.what, check.unproven) for check in told_of
    ]


EVIDENCE = "evidence/minhash_dedup.parquet"


def test_twins_that_are_gone_or_go_in_a_circle_are_told(folder: Path):
    rows = pq.read_table(folder / EVIDENCE).to_pylist()
    change(folder / EVIDENCE, with_values("twin", rows[0]["id"]))
    code, message = told("explain", folder, rows[0]["id"])
    assert (code, f"the twin of row {rows[0]['id']}, {rows[0]['id']}, was gone before it" in message) == (3, True)
    assert told("removed", folder)[0] == 3
    assert refused(Verification(folder).run()) == f"{EVIDENCE}: the twin of row {rows[0]['id']} was removed before it"
    change(folder / EVIDENCE, with_values("twin", "0" * 32))
    code, message = told("explain", folder, rows[0]["id"])
    assert (code, f"evidence names the row {'0' * 32}, which is not in the ledger" in message) == (3, True)
    assert refused(Verification(folder).run()) == f"{EVIDENCE}: a twin is not in the ledger"


@pytest.mark.parametrize(
    ("jaccard", "what"),
    [
        (0.79, "has a Jaccard similarity of 0.79, under 0.8"),
        (1.5, "a value of 'jaccard' is not from 0 to 1"),
        (math.nan, "a value of 'jaccard' is not from 0 to 1"),
    ],
)
def test_evidence_that_is_none_is_told(folder: Path, jaccard: float, what: str):
    change(folder / EVIDENCE, with_values("jaccard", jaccard))
    assert what in refused(Verification(folder).run())


LEDGER = "ledger/ledger.parquet"


def said(content: str | None) -> dict[str, Any]:
    return {"role": "user", "content": content, "left_out": 0}


def without_used(rows: pa.Table) -> pa.Table:
    return rows.set_column(rows.schema.get_field_index("used"), "used", pa.array([False] * len(rows)))


def encoded(name: str) -> Callable[[pa.Table], pa.Table]:
    """Write a column as a dictionary."""
    return lambda rows: rows.set_column(
        rows.schema.get_field_index(name), name, rows.column(name).combine_chunks().dictionary_encode()
    )


@pytest.mark.parametrize(
    ("name", "edit", "command", "what"),
    [
        ("excerpts.parquet", lambda rows: rows.drop_columns(["evidence"]), "audit", "has no column 'evidence'"),
        (
            "ledger/ledger.parquet",
            encoded("fate"),
            "audit",
            "its column 'fate' is dictionary<values=string, indices=int32, ordered=0>, not text",
        ),
        (
            "ledger/ledger.parquet",
            encoded("id"),
            "removed",
            "its column 'id' is dictionary<values=string, indices=int32, ordered=0>, not text",
        ),
        ("excerpts.parquet", with_values("evidence", None), "audit", "a value of 'evidence' is missing"),
        (
            "reports/minhash_dedup-scores.parquet",
            with_values("option", "x"),
            "audit",
            "'x' is not a known option of the stage",
        ),
        (
            "reports/length_filter-thresholds.parquet",
            without_used,
            "audit",
            "none of the values of 'max_characters' is the recipe's",
        ),
        (
            "reports/ngram_decontamination-evaluations.parquet",
            with_values("evaluation", "x"),
            "audit",
            "'x' is not a known evaluation set of the stage",
        ),
        (
            "reports/ngram_decontamination-evaluations.parquet",
            with_values("items", 2**60),
            "audit",
            "a value of 'items' is larger than any count",
        ),
        (
            "excerpts.parquet",
            with_values("messages", [said("a b " * 10**6)]),
            "audit",
            "has more rows, or longer texts, than any build shows",
        ),
        ("excerpts.parquet", with_values("messages", [said(None)]), "audit", "an entry of 'messages' is missing"),
        ("excerpts.parquet", lambda rows: rows.select([]), "audit", "has no column 'id'; it has none"),
        (LEDGER, with_values("id", "../../x"), "audit", "a value of 'id' has another form"),
        (LEDGER, with_values("fate", None), "audit", "a value of 'fate' is missing"),
        (LEDGER, with_values("copies", -1), "diff", "a value of 'copies' is negative"),
        (LEDGER, lambda rows: pa.concat_tables([rows, rows]), "diff", "'id' is not sorted, or has a value twice"),
        (LEDGER, lambda rows: rows.drop_columns(["reason"]), "removed", "has no column 'reason'"),
        (
            LEDGER,
            lambda rows: rows.append_column("more", rows["id"]),
            "removed",
            "has a column 'more', which no build writes",
        ),
        ("quarantine.parquet", lambda rows: rows.drop_columns(["row"]), "audit", "has no column 'row'"),
        (
            "places/places.parquet",
            lambda rows: rows.rename_columns(["file", "x", "id"]),
            "removed",
            "has no column 'row'",
        ),
        (
            "reports/minhash_dedup-clusters.parquet",
            lambda rows: rows.set_column(4, "is_twin", pa.array([False] * len(rows))),
            "audit",
            "a cluster has no row that was kept",
        ),
        (
            "reports/minhash_dedup-scores.parquet",
            with_values("low", math.inf),
            "audit",
            "a value of 'low' is not a number",
        ),
        (
            "data/train-00000-of-00001.parquet",
            lambda rows: rows.drop_columns(["messages"]),
            "audit",
            "has no column 'messages'",
        ),
        (
            "data/train-00000-of-00001.parquet",
            with_values("messages", None),
            "audit",
            "a value of 'messages' is missing",
        ),
        (
            "data/train-00000-of-00001.parquet",
            lambda rows: rows.set_column(1, "messages", rows["id"]),
            "dedup",
            "its column 'messages' is text, not list<role text, content text>",
        ),
        (
            "data/train-00000-of-00001.parquet",
            with_values("messages", [None]),
            "contaminated",
            "an entry of 'messages' is missing",
        ),
    ],
)
def test_a_table_that_no_build_writes_is_told(
    ours: Yard, folder: Path, name: str, edit: Callable[[pa.Table], pa.Table], command: str, what: str
):
    change(folder / name, edit)
    out = folder.parent
    words = {
        "audit": ("audit", folder, "--out", out / "page.html"),
        "removed": ("removed", folder),
        "diff": ("diff", mixture_of(ours), folder),
        "dedup": ("dedup", ours.root / "b.jsonl", "--against", folder, "--workers", 1, "--workspace", out / "w"),
        "contaminated": ("contaminated", "e", "--by", folder, "--workers", 1, "--workspace", out / "w"),
    }
    code, message = told(*words[command])
    assert (code, message) == (
        3,
        f"{folder}/{name}: {what}; see what else is wrong with: tulu-data verify {folder}, then fetch or build it again",
    ) or (code == 3 and message.startswith(f"{folder}/{name}: {what}; it has "))
    assert not Verification(folder).run().holds


@pytest.mark.parametrize("kind", ["data", "ledger", "places"])
def test_a_mixture_without_some_kind_of_table_is_told(folder: Path, kind: str):
    known = pq.read_table(folder / LEDGER)["id"][0].as_py()
    shutil.rmtree(folder / kind)
    resign(folder)
    words = ("explain", folder, known) if kind == "places" else ("audit", folder, "--out", folder.parent / "page.html")
    code, message = told(*words)
    assert code == 3
    assert message.startswith(f"{folder}/{kind}: holds no table; see what else is wrong with")


def test_a_blemish_that_nobody_knows_is_told(folder: Path):
    line = {"source": "a", "blemish": "zzz", "rows": 3, "of": 3, "kept": 0, "id": "0" * 32}
    parquet.write_frame(folder / layout.BLEMISHES_FILE, pl.DataFrame([line], schema=layout.BLEMISHES))
    resign(folder)
    code, message = told("audit", folder, "--out", folder.parent / "page.html")
    assert (code, message.partition(": ")[2].partition(";")[0]) == (3, "'zzz' is not a known blemish")


def test_a_file_that_a_strangers_manifest_names_is_not_opened(folder: Path, monkeypatch: pytest.MonkeyPatch):
    opened: list[str] = []
    monkeypatch.setattr(EvaluationSet, "files", lambda one, cache: opened.append(str(cache)) or [])
    (evidence,) = (folder / "evidence").glob("ngram_decontamination*.parquet")
    removed = pq.read_table(evidence)["id"][0].as_py()
    for workspace in (folder.parent / "none", folder.parent / "other"):
        explainer = Explainer(Mixture(folder), workspace)
        assert explainer.with_item(explainer.by_id(removed)[0]).item is None
    assert opened == []


def test_a_table_whose_dictionary_repeats_one_text_without_end_is_not_opened(folder: Path):
    rows = pq.read_table(folder / LEDGER)
    once = pa.DictionaryArray.from_arrays(pa.array([0] * 9_999, pa.int32()), pa.array(["x" * 1_000_000]))
    ids = pa.array([f"{number:032x}" for number in range(9_999)])
    columns = {"id": ids, "source": pa.repeat("a", 9_999), "fate": pa.repeat("kept", 9_999)}
    many = pa.table({**columns, "copies": pa.repeat(pa.scalar(1, pa.int32()), 9_999), "reason": once})
    assert many.schema.names == rows.schema.names
    pq.write_table(many, folder / LEDGER, compression="zstd", write_page_checksum=True)
    resign(folder)
    for words in (("audit", folder), ("removed", folder), ("diff", folder, folder)):
        code, message = told(*words)
        assert (code, f"{LEDGER}: expands more than 1,000 times" in message) == (3, True)
    assert refused(Verification(folder).run()) == f"{LEDGER}: expands more than 1,000 times"


def test_a_fate_that_is_no_stage_and_copies_that_can_not_be_are_found(folder: Path):
    rows = pq.read_table(folder / LEDGER).to_pylist()
    kept = next(place for place, row in enumerate(rows) if row["fate"] == "kept")
    fates = [row["fate"] for row in rows]
    change(folder / LEDGER, with_values("fate", *fates[:kept], "eaten"))
    assert (
        refused(Verification(folder).run())
        == f"ledger/: row {rows[kept]['id']} has the fate 'eaten', which is not a stage"
    )
    change(folder / LEDGER, with_values("fate", *fates[:kept], "exact_dedup"))
    assert "is exact_dedup and has some copies" in refused(Verification(folder).run())


def test_links_and_pipes_are_not_opened(folder: Path):
    (folder / LEDGER).rename(folder.parent / "ledger.parquet")
    (folder / LEDGER).symlink_to(folder.parent / "ledger.parquet")
    assert told("removed", folder)[1].startswith(f"{folder}/{LEDGER}: is a link; a mixture holds plain files")
    (folder / LEDGER).unlink()
    os.mkfifo(folder / LEDGER)
    assert told("removed", folder)[1].startswith(f"{folder}/{LEDGER}: is not a plain file")
    (folder / LEDGER).unlink()
    (folder / "ledger").rmdir()
    (folder.parent / "elsewhere").mkdir()
    (folder.parent / "ledger.parquet").rename(folder.parent / "elsewhere/ledger.parquet")
    (folder / "ledger").symlink_to(folder.parent / "elsewhere")
    assert told("removed", folder)[1].startswith(f"{folder}/ledger: is a link; a mixture holds plain files")


@pytest.mark.parametrize("name", ["report.html", "README.md", "croissant.json"])
def test_a_page_that_is_not_drawn_of_the_tables_is_found(folder: Path, name: str):
    (folder / name).write_text((folder / name).read_text() + "<script>alert(1)</script>")
    resign(folder)
    assert (
        refused(Verification(folder).run())
        == f"{name}: is not what this program draws of the tables; open it with care"
    )
    resign(folder, lambda facts: facts["build"]["versions"].update({"tulu-data": "0.0.1"}))
    (check,) = [check for check in Verification(folder).run().checks if check.unproven]
    assert check.unproven.startswith("report.html, README.md, croissant.json: not drawn again, since other code")


def test_latest_is_a_hint_and_the_record_of_a_run_is_nothing_to_rely_on(ours: Yard, tmp_path: Path):
    shutil.copytree(ours.root / "mixtures", tmp_path / "mixtures")
    mixtures = tmp_path / "mixtures"
    for content in (b"../../../etc", b"\xff\xfe", b"\0" * 10**6, b""):
        (mixtures / "mix/LATEST").write_bytes(content)
        assert told("removed", "mix", "--out", mixtures) == (0, "")
    (record,) = (mixtures / "mix/.runs").glob("*.json")
    for text in ("[]", '{"files": []}', '{"store": [["a", "b", "../../x", 1]]}', '{"workspace": 1}', "[" * 10**5, "\0"):
        record.write_text(text)
        assert told("removed", "mix", "--out", mixtures) == (0, "")
        assert told("explain", "mix", some_ids(mixture_of(ours))[0], "--out", mixtures) == (0, "")


def test_a_folder_without_a_manifest_is_no_mixture(tmp_path: Path):
    (tmp_path / "mine").mkdir()
    assert told("audit", tmp_path / "mine") == (
        2,
        f"{tmp_path / 'mine'}: no manifest.json in it, and none in the folders in it: not a tulu-data mixture; give a version's folder, or NAME[@VERSION]",
    )
    (tmp_path / "mine/.staging").mkdir()
    assert told("audit", tmp_path / "mine") == (
        2,
        f"{tmp_path / 'mine'}: has no finished version yet; run its build to the end",
    )


@pytest.mark.parametrize("word", ["", "\x1b[2J", "../..", "é" * 10_000, "%s{}", "-1"])
def test_strange_names_of_stages_sources_and_rows_are_told(ours: Yard, folder: Path, word: str):
    assert told("removed", folder, "--limit", 10**30)[0] == 0
    assert told("explain", folder, f"{ours.root / 'a.jsonl'}:{10**30}")[0] == 2
    assert told("removed", folder, "--stage", word)[0] == 2
    assert told("removed", folder, "--source", word)[0] == 2
    assert told("explain", folder, "--", word)[0] == 2


def test_python_that_drops_docstrings_builds_the_same_bytes(yard: Yard):
    yard.jsonl("a.jsonl", [*pairs(5), *pairs(2)])
    yard.write("r.yaml", "name: mix\nsources: {a: {jsonl: a.jsonl}}\nstages: [length_filter, exact_dedup]\n")
    made = []
    for number, level in enumerate(("0", "2")):
        words = (
            "build",
            "r.yaml",
            "--workers",
            "1",
            "--out",
            f"out{number}",
            "--manifests",
            f"m{number}",
            "--workspace",
            f"w{number}",
        )
        subprocess.run(
            [sys.executable, "-m", "tulu_data", *words],
            cwd=yard.root,
            check=True,
            capture_output=True,
            env={**os.environ, "PYTHONOPTIMIZE": level},
        )
        made.append({name: sum for name, sum in files_of(yard.root / f"out{number}").items() if "/.runs/" not in name})
    assert made[0] == made[1]
    assert "Drop conversations" in next(yard.root.glob("out1/mix/*/report.html")).read_text()


ODD: list[Any] = [
    None,
    True,
    -1,
    0,
    10**12,
    10**30,
    1.5,
    "",
    "../x",
    "/etc/passwd",
    "é\u202e",
    "x" * 5_000,
    [],
    {},
    [[]],
    {"a": 1},
    [1] * 300,
]


def odd_json(values: Any, draw: random.Random) -> Any:
    """Plain values of which one, somewhere, is another, is gone, or has another name."""
    places: list[tuple[Any, Any]] = []

    def walk(node: Any) -> None:
        for key, value in node.items() if isinstance(node, dict) else enumerate(node):
            places.append((node, key))
            if isinstance(value, dict | list):
                walk(value)

    walk(values)
    node, key = draw.choice(places)
    kind = draw.randrange(4)
    if kind == 0:
        del node[key]
    elif kind == 1 and isinstance(node, dict):
        node[draw.choice(["", "x", "../../x", "kept", "é\u202e"])] = node.pop(key)
    else:
        node[key] = draw.choice(ODD)
    return values


def odd_table(rows: pa.Table, draw: random.Random) -> pa.Table:
    """A table of which a column, a line or a value is another."""
    kind = draw.randrange(9)
    if not rows.num_columns:
        return rows
    name = draw.choice(rows.schema.names)
    place = rows.schema.get_field_index(name)
    if kind == 0:
        return rows.drop_columns([name])
    if kind == 1:
        return rows.slice(0, draw.choice([0, 1]))
    if kind == 2:
        return rows.select([])
    if kind == 3:
        other = draw.choice(
            [
                pa.nulls(len(rows), pa.int64()),
                pa.array(["x"] * len(rows)),
                pa.array([1.5] * len(rows)),
                pa.nulls(len(rows)),
            ]
        )
        return rows.set_column(place, name, other)
    if kind == 4:
        return pa.concat_tables([rows, rows])
    if kind == 5 and len(rows):
        return rows.take(draw.choices(range(len(rows)), k=len(rows)))
    if kind == 6:
        return rows.append_column(name, rows.column(name))
    if kind == 7:
        return rows.rename_columns(
            [
                *rows.schema.names[:place],
                draw.choice(["", "x", "twin", "message", "jaccard"]),
                *rows.schema.names[place + 1 :],
            ]
        )
    values = rows.column(name).to_pylist()
    if values:
        at = draw.randrange(len(values))
        wild: list[Any] = [
            None,
            "",
            "\x1b[2J",
            "0" * 32,
            "f" * 32,
            -1,
            2**31 - 1,
            2**62,
            math.nan,
            math.inf,
            -1.0,
            [],
            [None],
            [{}],
            values[draw.randrange(len(values))],
        ]
        for _ in range(20):
            try:
                changed = [*values[:at], draw.choice(wild), *values[at + 1 :]]
                return rows.set_column(place, name, pa.array(changed, rows.schema.field(name).type))
            except (pa.ArrowException, TypeError, ValueError, OverflowError):
                continue
    return rows


def spoil(folder: Path, draw: random.Random) -> str:
    """Damage one file of a mixture, and sign all of it anew; what was done."""
    names = sorted(files_of(folder))
    name = draw.choice([*names, "manifest.json", "manifest.json", "ledger/ledger.parquet"])
    path = folder / name
    how = draw.randrange(4)
    if how == 0:
        path.write_bytes(damaged(path.read_bytes(), draw))
    elif path.suffix == ".parquet":
        rows = odd_table(pq.read_table(path, partitioning=None), draw)
        pq.write_table(rows, path, compression="zstd", write_page_checksum=True, use_dictionary=draw.random() < 0.5)
    elif path.suffix == ".json":
        path.write_text(json.dumps(odd_json(json.loads(path.read_text()), draw)))
    else:
        path.write_bytes(damaged(path.read_bytes(), draw))
    if name not in {"manifest.json", "SHA256SUMS"}:
        resign(folder)
    elif name == "manifest.json":
        sums = (folder / "SHA256SUMS").read_text().splitlines()
        lines = [f"{sha256_file(path)}  {name}" if line.endswith(f"  {name}") else line for line in sums]
        (folder / "SHA256SUMS").write_text("".join(f"{line}\n" for line in lines))
    return name


def answered(yard: Yard, command: tuple[object, ...]) -> None:
    """Run a command; what it raises is told with its words. `verify` is followed by the call that has no command."""
    began = time.monotonic()
    assert told(*command)[0] in {0, 2, 3, 4}
    for library in ("polars", "arrow") if command[0] == "verify" else ():
        try:
            load.load(str(command[1]), library)  # type: ignore[call-overload]
        except TuluDataError as error:
            assert error.exit_code in {2, 3, 4}
    assert time.monotonic() - began < MOST_SECONDS


def one_case(yard: Yard, place: Path, seed: str) -> None:
    """Damage a copy of the mixture, and let some commands read it; the mixture and what is beside it stay as they are."""
    draw = random.Random(seed)
    folder, out = place / "theirs", place / "out"
    shutil.copytree(mixture_of(yard), folder)
    out.mkdir()
    name = spoil(folder, draw)
    given, beside = files_of(folder), files_of(yard.root)
    chosen = draw.sample([*commands(yard, folder, out, some_ids(mixture_of(yard)))], COMMANDS)
    if draw.random() < SLOW:
        chosen += slow_commands(yard, folder, out)
    for command in chosen:
        try:
            answered(yard, command)
        except Exception as error:
            raise AssertionError(
                f"TULU_DATA_TEST_SEED: case {seed}: {name} was damaged; {command[0]}: {error!r}"
            ) from error
    assert files_of(folder) == given
    assert files_of(yard.root) == beside
    shutil.rmtree(folder)
    shutil.rmtree(out)


def test_whatever_was_changed_each_command_answers_or_says_what_is_wrong(
    ours: Yard, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    seed = os.environ.get("TULU_DATA_TEST_SEED", "0")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    end = time.monotonic() + FUZZ_SECONDS
    cases = 0
    while time.monotonic() < end or not cases:
        one_case(ours, tmp_path, f"{seed}-{cases}")
        capsys.readouterr()
        cases += 1
    (tmp_path / "cases.txt").write_text(str(cases))
    assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024 < MOST_BYTES
