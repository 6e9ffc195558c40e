"""The commands around evaluation sets: what there is, what data share with it, which items a mixture holds."""

from __future__ import annotations

import gzip
import json
import os
import random
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import orjson
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from conftest import Yard, pairs
from hub_server import Hub
from tulu_data.__main__ import main

pytestmark = pytest.mark.slow


class Done(NamedTuple):
    """What a call of the program gave."""

    returncode: int
    stdout: str
    stderr: str


Run = Callable[..., Done]

TRAINS = "Two trains leave the same station at noon, one at 60 km/h and one at 90 km/h."
APPLES = "Ann has 12 apples and gives a third of them to Bo; how many are left?"
ITEMS = [{"id": "trains", "q": TRAINS}, {"id": "apples", "q": APPLES}, {"id": "hm", "q": "Hm?"}]
LEAK = {"prompt": f"So: {TRAINS}", "response": "30"}


@pytest.fixture
def yard(tmp_path: Path) -> Yard:
    """A yard with one local evaluation set, e."""
    yard = Yard(tmp_path)
    yard.jsonl("evals/items.jsonl", ITEMS)
    yard.write("evals/e.yaml", "title: E\njsonl: items.jsonl\nquestion: q\nid: id\nlicense: mit\n")
    return yard


@pytest.fixture
def run(yard: Yard, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Call the program in the yard: in this process, or in its own where it needs another environment."""
    monkeypatch.chdir(yard.root)
    monkeypatch.setenv("TULU_DATA_EVALS", "evals")
    for name in ("NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)

    def call(*words: str, code: int = 0, **environment: str) -> Done:
        if words[0] in ("decontaminate", "contaminated") and "--rule" not in words:
            words = (*words, "--rule", "tulu3")
        done = apart(words, environment) if environment else here(words)
        assert done.returncode == code, done.stderr
        assert "Traceback" not in done.stderr
        return done

    def here(words: tuple[str, ...]) -> Done:
        handler = signal.getsignal(signal.SIGTERM)
        monkeypatch.setattr(sys, "argv", ["tulu-data", *words])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        signal.signal(signal.SIGTERM, handler)
        code = ended.value.code
        return Done(code if isinstance(code, int) else 0, *capsys.readouterr())

    def apart(words: tuple[str, ...], environment: dict[str, str]) -> Done:
        done = subprocess.run(
            [sys.executable, "-m", "tulu_data", *words],
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, **environment},
        )
        return Done(done.returncode, done.stdout, done.stderr)

    return call


@pytest.fixture(scope="module")
def hub() -> Iterator[Hub]:
    with Hub() as hub:
        yield hub


def online(hub: Hub, root: Path) -> dict[str, str]:
    return {
        "HF_HUB_OFFLINE": "0",
        "HF_ENDPOINT": hub.endpoint,
        "HF_HOME": str(root / "hf"),
        "HF_HUB_DISABLE_XET": "1",
    }


# evaluations


def test_all_sets_are_listed_with_what_is_known_of_them(run: Run):
    shown = run("evaluations").stdout
    lines = {line.split()[0]: line.split() for line in shown.splitlines() if line}
    assert lines["e"] == ["e", "3", "mit", "local", "E"]
    assert lines["gsm8k"] == ["gsm8k", "mit", "openai/gsm8k", "GSM8K"]
    assert lines["gpqa_diamond"][1:4] == ["cc-by-4.0", "gated", "Idavidrein/gpqa"]
    assert "gpqa: gpqa_diamond, gpqa_extended\n" in shown
    values = json.loads(run("evaluations", "--json").stdout)
    assert (values["e"]["items"], values["e"]["origin"], values["e"]["groups"]) == (3, "evals/e.yaml", [])
    assert (values["math"]["items"], values["math"]["origin"]) == (None, "catalogue")
    assert values["math"]["groups"] == ["tulu3", "tulu3_dev", "mathematics"]


def test_one_set_is_shown_in_full(run: Run):
    shown = run("evaluations", "e").stdout
    assert "items       3 (2 indexed, 0 short, 1 unusable, by the rule tulu3)" in shown
    assert "    jsonl: ${TULU_DATA_EVALS}/items.jsonl" in shown
    gated = run("evaluations", "wildjailbreak")
    assert "gated       yes: ask for access on its page" in gated.stdout
    assert "unverified  license, gated: not looked up" in gated.stdout
    assert "it is not here; download it: tulu-data evaluations wildjailbreak --pull" in gated.stderr
    (values,) = json.loads(run("evaluations", "e", "--json").stdout).values()
    assert values["account"] == {"items": 3, "indexed": 2, "short": 0, "unusable": 1}


def test_a_group_is_shown_as_its_sets(run: Run):
    assert list(json.loads(run("evaluations", "gpqa", "--json").stdout)) == ["gpqa_diamond", "gpqa_extended"]


def test_a_set_whose_files_are_gone_is_listed_and_told(run: Run, yard: Yard):
    (yard.root / "evals/items.jsonl").unlink()
    assert json.loads(run("evaluations", "--json").stdout)["e"]["items"] is None
    assert "evaluation set e: evals/items.jsonl: no such file" in run("evaluations", "e", code=3).stderr


def test_sets_of_the_hub_are_fetched_counted_and_used_without_a_network(run: Run, yard: Yard, hub: Hub):
    for repository, names in (("you/one", ["a"]), ("you/two", ["b", "c"])):
        files = {f"{name}/test.jsonl": orjson.dumps({"q": f"{TRAINS} {name}"}) + b"\n" for name in names}
        configs = "".join(f"- config_name: {name}\n  data_files: {name}/test.jsonl\n" for name in names)
        hub.dataset(repository, {**files, "README.md": f"---\nconfigs:\n{configs}---\n".encode()})
    yard.write("evals/one.yaml", "huggingface: you/one\nquestion: q\n")
    yard.write("evals/two.yaml", "huggingface: you/two\nconfig: [b, c]\nquestion: q\n")
    yard.write("evals/gone.yaml", "huggingface: you/gone\nquestion: q\n")
    there = online(hub, yard.root)
    pulled = run("evaluations", "one", "gone", "two", "--pull", code=7, **there)
    assert pulled.stdout == "one  1 items\ntwo  2 items\n"
    assert "evaluation set gone: you/gone: the Hub has no such dataset" in pulled.stderr
    seen = len(hub.seen)
    offline = {**there, "HF_HUB_OFFLINE": "1"}
    assert json.loads(run("evaluations", "two", "--json", **offline).stdout)["two"]["account"]["indexed"] == 2
    yard.jsonl("data.jsonl", [LEAK, *pairs(3)])
    found = run("decontaminate", "data.jsonl", "--against", "one,two", "--json", code=4, **offline)
    assert [line["evaluation"] for line in json.loads(found.stdout)["evaluations"]] == ["one", "two"]
    assert len(hub.seen) == seen


def test_a_name_that_is_not_known_is_told_with_the_nearest(run: Run, yard: Yard):
    yard.jsonl("data.jsonl", pairs(3))
    for words in (["evaluations", "gsm9k"], ["decontaminate", "data.jsonl", "--against", "e,gsm9k"]):
        assert "no evaluation set or group 'gsm9k'; did you mean 'gsm8k'?" in run(*words, code=2).stderr


# decontaminate


def test_clean_data_are_exit_0_and_nothing_is_written(run: Run, yard: Yard):
    yard.jsonl("data.jsonl", pairs(5))
    before = sorted(path.name for path in yard.root.iterdir())
    done = run("decontaminate", "data.jsonl", "--against", "e")
    assert done.stdout == "no row shares anything with an evaluation set\n"
    assert done.stderr == "0 of 5 rows are contaminated\n"
    assert sorted(path.name for path in yard.root.iterdir()) == [".tulu-data", *before]


def test_rows_that_nobody_answers_are_looked_into(run: Run, yard: Yard):
    yard.jsonl("only.jsonl", [{"prompt": f"So: {TRAINS}"}, {"prompt": "How are you?"}])
    yard.jsonl("asked.jsonl", [{"messages": [{"role": "user", "content": TRAINS}]}])
    done = run("decontaminate", "only.jsonl", "asked.jsonl", "--against", "e", code=4)
    assert "2 of 3 rows are contaminated" in done.stderr
    assert f"  user      So: ⟦{TRAINS[:-1]}⟧." in done.stdout


def test_the_worst_rows_are_shown_with_their_items(run: Run, yard: Yard):
    part = {"prompt": f"{' '.join(APPLES.split()[:12])} \x1b]0;owned\x07[red]", "response": "?"}
    yard.jsonl("data.jsonl", [*pairs(2), part, LEAK])
    yard.write("more.csv", f'prompt,response\nHello,Hi\n"{TRAINS}",30\n')
    done = run("decontaminate", "data.jsonl", "more.csv", "--against", "e", "--limit", "3", code=4, FORCE_COLOR="1")
    shown = done.stdout.replace("\x1b[1m", "").replace("\x1b[0m", "")
    plain = run("decontaminate", "data.jsonl", "more.csv", "--against", "e", "--limit", "3", code=4)
    lines = [line.split() for line in plain.stdout.splitlines()]
    assert lines[1] == ["data.jsonl", "e", "3", "2", "2", "66.7%", "·", "1", "2"]
    assert lines[2] == ["more.csv", "e", "3", "1", "1", "33.3%", "·", "1", "1"]
    places = [words[0] for words in lines if words and "contaminated" in words and ":" in words[0]]
    assert places == ["data.jsonl:4", "more.csv:2", "data.jsonl:3"]
    assert f"  user      So: ⟦{TRAINS[:-1]}⟧." in plain.stdout
    assert f"  item      ⟦{TRAINS[:-1]}⟧." in plain.stdout
    assert r"\x1b]0;owned\x07[red]" in plain.stdout
    assert "\x1b]" not in shown
    assert "3 of 6 rows are contaminated" in plain.stderr


def test_the_worst_row_of_each_set_is_shown_before_the_second_of_any(run: Run, yard: Yard):
    yard.jsonl("evals/others.jsonl", [{"q": "How far is it from the third lamp post to the old town hall?"}])
    yard.write("evals/f.yaml", "title: F\njsonl: others.jsonl\nquestion: q\nlicense: mit\n")
    part = {"prompt": "How far is it from the third lamp post to the station?", "response": "?"}
    yard.jsonl("data.jsonl", [LEAK, {"prompt": APPLES, "response": "8"}, part])
    done = run("decontaminate", "data.jsonl", "--against", "e,f", "--limit", "2", code=4)
    assert "data.jsonl:1  contaminated by e: item trains, coverage 1, threshold 0.5\n" in done.stdout
    assert "data.jsonl:3  contaminated by f: item 1, coverage 0.786, threshold 0.5\n" in done.stdout
    assert "data.jsonl:2  " not in done.stdout


def test_rows_that_share_no_more_than_n_grams_hold_no_item(run: Run, yard: Yard):
    yard.jsonl("data.jsonl", [{"prompt": "Ann has 12 apples and gives a third to Bo.", "response": "?"}])
    done = run("decontaminate", "data.jsonl", "--against", "e")
    assert done.stdout == "no row contains an evaluation item; those that share n-grams: --json\n"


def test_rule_messages_and_threshold_are_said_on_the_command_line(run: Run, yard: Yard):
    part = {"prompt": " ".join(APPLES.split()[:12]), "response": TRAINS}
    yard.jsonl("data.jsonl", [part, *pairs(3)])

    def items(*words: str, code: int = 4) -> list[str]:
        done = run("decontaminate", "data.jsonl", "--against", "e", "--json", *words, code=code)
        return [row["evidence"]["item"] for row in json.loads(done.stdout)["worst"]]

    assert items() == ["apples"]
    assert items("--threshold", "0.9", code=0) == []
    assert items("--on", "response") == ["trains"]
    assert items("--rule", "exact") == ["trains"]
    assert items("--rule", "llama3", "--on", "prompt", "--threshold", "0.7") == ["apples"]


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        ([], 2, "Missing argument 'DATA...'"),
        (["data.jsonl"], 2, "Missing option '--against'"),
        (["none.jsonl", "--against", "e"], 2, "none.jsonl: no such file"),
        (["https://x/y.jsonl", "--against", "e"], 2, "addresses are not read; a dataset of the Hub is hf://datasets/"),
        (["strange", "--against", "e"], 2, "strange: is it csv, json, jsonl, ndjson, parquet, tsv? Neither its name"),
        (["data.jsonl", "--against", "e", "--rule", "tulu4"], 2, "no rule 'tulu4'; did you mean 'tulu3'?; there are"),
        (["data.jsonl", "--against", "e", "--on", "prompts"], 2, "--on prompts: there are prompt, response, conversation"),
        (["data.jsonl", "--against", "e", "--threshold", "x"], 2, "--threshold x: input should be a valid decimal"),
        (["data.jsonl", "--against", "e", "--format", "{prompt: q, answer: a}"], 2, "data.jsonl: format."),
        (["data.jsonl", "--against", "e", "--format", "{a: *b}"], 2, "--format:1:5: a: alias '*b'"),
        (["data.jsonl", "--against", "e", "--report", "--out", "o"], 2, "--report writes nothing, and --out gives a folder"),
        (["data.jsonl", "--against", "e", "--out", "evals"], 5, "evals: is there already; name a folder that is not"),
        (["bad.jsonl", "--against", "e"], 3, "bad.jsonl:2: invalid_json"),
        (["odd.jsonl", "--against", "e"], 3, "no known format has these columns (its columns are a); say: format:"),
    ],
)  # fmt: skip
def test_what_can_not_be_looked_into_is_told(run: Run, yard: Yard, words: list[str], code: int, message: str):
    yard.jsonl("data.jsonl", [LEAK, *pairs(3)])
    yard.jsonl("bad.jsonl", [*pairs(1), b"{", *pairs(1, 1)])
    yard.jsonl("odd.jsonl", [{"a": 1}])
    yard.write("strange", "hello\n")
    assert message in run("decontaminate", *words, code=code).stderr


def test_a_dataset_that_can_not_be_had_is_exit_7(run: Run, yard: Yard):
    words = ["decontaminate", "hf://datasets/you/none", "--against", "e"]
    done = run(*words, code=7, HF_HUB_OFFLINE="1", HF_HOME=str(yard.root / "hf"))
    assert "you/none: the Hub can't be reached" in done.stderr


# Clean copies


def csv_text(ends: str) -> str:
    rows = [
        "prompt,response,n",
        '"Hi, ""you""",Hello,1.0',
        f'"{TRAINS}",30,2',
        "",
        'Say\ta,"a\nb",003',
        f"{APPLES},8,4",
    ]
    return ends.join(rows) + ends


def cleaned(run: Run, yard: Yard, name: str, *words: str) -> bytes:
    run("decontaminate", name, "--against", "e", "--out", "clean", *words, code=4)
    return (yard.root / "clean" / name).read_bytes()


def test_json_lines_keep_their_bytes(run: Run, yard: Yard):
    first = b'{ "response":"1.50" ,"prompt":"\\u00e9", "n": 1e3, "kept": null }\r\n\n'
    last = '{"prompt": "é", "response": ""}'.encode()
    leak = json.dumps(LEAK).encode() + b"\n"
    yard.write("data.jsonl", b"\xef\xbb\xbf" + leak + first + leak * 2 + last)
    assert cleaned(run, yard, "data.jsonl") == b"\xef\xbb\xbf" + first + last
    removed = pl.read_parquet(yard.root / "clean/removed.parquet")
    assert removed.select("file", "row", "evaluation", "item", "statistic", "value", "threshold").rows() == [
        ("data.jsonl", row, "e", "trains", "coverage", 1.0, 0.5) for row in (1, 3, 4)
    ]
    start, end = removed.select("start", "end").row(0)
    assert LEAK["prompt"][start:end] == TRAINS[:-1]


@pytest.mark.parametrize("ends", ["\n", "\r\n"])
def test_csv_keeps_its_header_its_quotes_and_its_columns(run: Run, yard: Yard, ends: str):
    text = csv_text(ends)
    yard.write("data.csv", text)
    gone = [f'"{TRAINS}",30,2{ends}{ends}', f"{APPLES},8,4{ends}"]
    expected = text.replace(gone[0], "").replace(gone[1], "")
    assert cleaned(run, yard, "data.csv") == expected.encode()


def test_cuts_do_not_care_where_a_file_is_read_in_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    from tulu_data.readers import stream
    from tulu_data.sources.jsonl import Jsonl
    from tulu_data.without_recipe import clean_copy

    monkeypatch.setattr(stream, "PEEK_BYTES", 7)
    monkeypatch.setattr(stream.Stream.read, "__defaults__", (5,))
    draw = random.Random(0)
    for number in range(60):
        lines = [
            b'{"a":%d}%s' % (10 ** draw.randint(0, 9), b"\n" * draw.randint(1, 3)) for _ in range(draw.randint(1, 9))
        ]
        file = tmp_path / f"{number}.jsonl"
        file.write_bytes(b"".join(lines))
        gone = {row for row in range(1, len(lines) + 1) if draw.random() < 0.5}
        clean_copy.write(Jsonl(jsonl=str(file)), file, gone, tmp_path / "copy")  # type: ignore[arg-type]
        kept = b"".join(line for row, line in enumerate(lines, start=1) if row not in gone)
        assert (tmp_path / "copy").read_bytes() == kept


def test_a_compressed_file_stays_compressed(run: Run, yard: Yard):
    rows = [json.dumps(row).encode() + b"\n" for row in [*pairs(2000), LEAK, *pairs(2000, 2000)]]
    yard.write("data.jsonl.gz", gzip.compress(b"".join(rows)))
    assert gzip.decompress(cleaned(run, yard, "data.jsonl.gz")) == b"".join([*rows[:2000], *rows[2001:]])


def test_tsv_without_header_and_files_without_ending_are_known(run: Run, yard: Yard):
    yard.write("data", f"1 + 1?\t2\n{APPLES}\t8\n3?\t3\n")
    words = ["--no-header", "--format", "{prompt: 0, response: 1}"]
    assert cleaned(run, yard, "data", *words) == b"1 + 1?\t2\n3?\t3\n"


def test_a_json_document_becomes_an_array_of_the_same_bytes(run: Run, yard: Yard):
    kept = '{"prompt": "a",\n  "response": "1.0"}'
    yard.write("data.json", f'{{"rows": [{json.dumps(LEAK)}, {kept}, {json.dumps(LEAK)}]}}')
    assert cleaned(run, yard, "data.json", "--records", "rows[]") == f"[\n{kept}\n]\n".encode()
    yard.write("all.json", json.dumps([LEAK]))
    run("decontaminate", "all.json", "--against", "e", "--out", "none", code=4)
    assert json.loads((yard.root / "none/all.json").read_text()) == []


def test_parquet_keeps_all_its_columns(run: Run, yard: Yard):
    turns = [
        [{"role": "user", "content": text}, {"role": "assistant", "content": "!"}] for text in ("Hi", TRAINS, "Bye")
    ]
    rows = pa.table({"messages": turns, "score": pa.array([1, 2, 3], pa.int8()), "blob": [b"\xff", b"", None]})
    pq.write_table(rows.replace_schema_metadata({"who": "me"}), yard.root / "data.parquet")
    cleaned(run, yard, "data.parquet")
    left = pq.read_table(yard.root / "clean/data.parquet")
    assert left.schema.equals(pq.read_schema(yard.root / "data.parquet"), check_metadata=True)
    assert left.to_pylist() == [row for row in rows.to_pylist() if row["score"] != 2]


def test_a_dataset_of_the_hub_is_copied_to_parquet(run: Run, yard: Yard, hub: Hub):
    lines = b"".join(orjson.dumps({**row, "more": [1]}) + b"\n" for row in [*pairs(2), LEAK])
    hub.dataset("you/chats", {"test.jsonl": lines})
    place = "hf://datasets/you/chats@main"
    words = ["decontaminate", place, "--split", "test", "--against", "e", "--out", "clean"]
    written = run(*words, code=4, **online(hub, yard.root)).stdout.splitlines()[-2:]
    assert written[1] == "clean/removed.parquet"
    assert pl.read_parquet(yard.root / written[0]).to_dicts() == [{**row, "more": [1]} for row in pairs(2)]


def test_files_of_one_name_and_bad_records_have_their_place(run: Run, yard: Yard):
    yard.jsonl("a/data.jsonl", [LEAK, *pairs(1)])
    yard.jsonl("b/data.jsonl", [b"{", *pairs(2)])
    words = [
        "decontaminate",
        "a/data.jsonl",
        "b/data.jsonl",
        "--against",
        "e",
        "--out",
        "clean",
        "--max-quarantined",
        "1",
    ]
    done = run(*words, "--json", code=4)
    values = json.loads(done.stdout)
    assert values["rows"] == {
        "a/data.jsonl": {"read": 2, "quarantined": 0, "contaminated": 1},
        "b/data.jsonl": {"read": 3, "quarantined": 1, "contaminated": 0},
    }
    copies = [pl.read_ndjson(yard.root / path).height for path in values["written"][:2]]
    assert (values["written"][0], copies) == ("clean/data.jsonl", [1, 2])
    assert len({*values["written"]}) == 3


def test_a_copy_that_fails_leaves_nothing(run: Run, yard: Yard, monkeypatch: pytest.MonkeyPatch):
    from tulu_data.without_recipe import clean_copy
    from tulu_data.without_recipe.decontaminate import decontaminate

    monkeypatch.setenv("TULU_DATA_EVALS", str(yard.root / "evals"))
    data = yard.jsonl("data.jsonl", [LEAK])
    found = decontaminate(data, ["e"], "tulu3", workspace=yard.root / "w")
    monkeypatch.setattr(clean_copy, "write", lambda *words: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        found.write(yard.root / "out/clean")
    assert list((yard.root / "out").iterdir()) == []


# contaminated


def mixture(run: Run, yard: Yard) -> None:
    yard.jsonl("data.jsonl", [LEAK, {**LEAK, "response": "31"}, *pairs(4)])
    yard.write("mix.yaml", "name: mix\nsources: {a: {jsonl: data.jsonl}}\n")
    run("build", "mix.yaml")


def test_a_mixture_tells_which_items_it_holds_and_which_are_clean(run: Run, yard: Yard):
    mixture(run, yard)
    done = run("contaminated", "e", "--by", "mix", "--out", "clean/e.json", code=4)
    ids = pl.read_parquet(yard.root / "mixtures/mix/*/data/*.parquet").filter(
        pl.col("messages").list.first().struct.field("content") == LEAK["prompt"]
    )["id"]
    assert done.stdout.splitlines()[1].split() == ["trains", "1", "2", *", ".join(sorted(ids)).split()]
    assert "contains 1 of 3 items of e (33.3%); 1 are clean, 1 have too few words to be found" in done.stderr
    values = json.loads((yard.root / "clean/e.json").read_text())
    assert values == json.loads(run("contaminated", "e", "--by", "mix", "--json", code=4).stdout)
    assert values["contaminated"] == [{"item": "trains", "value": 1.0, "rows": sorted(ids)}]
    assert (values["clean"], values["unusable"], values["items"]) == (["apples"], ["hm"], 3)
    assert values["by"].startswith("mix@")
    assert values["rule"]["rule"] == "tulu3"


def test_a_decontaminated_mixture_holds_none(run: Run, yard: Yard):
    yard.jsonl("data.jsonl", [LEAK, *pairs(4)])
    yard.write(
        "mix.yaml",
        "name: mix\nsources: {a: {jsonl: data.jsonl}}\nstages: [ngram_decontamination: {against: {mine: e}}]\n",
    )
    run("build", "mix.yaml")
    # By the name that its own recipe gives the set.
    done = run("contaminated", "mine", "--by", "mix", "--json")
    assert json.loads(done.stdout)["contaminated"] == []
    assert "mixtures/mix/" in run("contaminated", "e", "--by", "mix").stderr


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["gsm9k", "--by", "mix"], 2, "no evaluation set or group 'gsm9k'; did you mean 'gsm8k'?"),
        (["gpqa", "--by", "mix"], 2, "'gpqa' is a group of gpqa_diamond, gpqa_extended; name it by itself, or one"),
        (["e", "--by", "mixx"], 2, "no mixture 'mixx' (looked in mixtures); did you mean 'mix'?"),
        (["e"], 2, "Missing option '--by'"),
        (["e", "--by", "mix", "--rule", "x"], 2, "no rule 'x'; there are tulu_data, tulu3"),
    ],
)
def test_what_can_not_be_answered_is_told(run: Run, yard: Yard, words: list[str], code: int, message: str):
    mixture(run, yard)
    assert message in run("contaminated", *words, code=code).stderr


def test_known_leaks_of_real_data_are_found(run: Run, shared: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("TULU_DATA_EVALS", str(Path(__file__).parents[2] / "recipes/examples/evaluations"))
    words = ["--no-header", "--format", "{prompt: 0, response: 1}", "--against", "commonsenseqa", "--json"]
    file = str(shared / "train/flan_cot/ecqa_train.tsv")
    found: dict[str, Any] = json.loads(run("decontaminate", file, *words, code=4).stdout)
    # ../shared/data/README.md: 723 above one half; and 80 of the 119 short ones stand whole in a row.
    (line,) = found["evaluations"]
    assert (line["items"], line["contaminated"], line["full"]) == (1221, 803, 714 + 80)


def test_of_pictures_and_texts_the_texts_are_looked_into(run: Run, yard: Yard):
    parts = [{"type": "image_url", "image_url": {"url": "a.png"}}, {"type": "text", "text": f"So: {TRAINS}"}]
    turns = [{"role": "user", "content": parts}, {"role": "assistant", "content": "30"}]
    yard.jsonl("a.jsonl", [{"messages": turns, "images": ["a.png"]}, {"messages": [*turns[1:]] * 2, "images": []}])
    done = run("decontaminate", "a.jsonl", "--against", "e", "--json", code=4)
    assert json.loads(done.stdout)["rows"] == {"a.jsonl": {"read": 2, "quarantined": 0, "contaminated": 1}}
