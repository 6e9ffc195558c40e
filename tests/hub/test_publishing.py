"""A mixture goes to the Hub in one commit, comes back byte for byte, and takes no secret with it."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from conftest import Yard, files_of, pairs
from hub_server import Hub
from tulu_data.building.build import Built
from tulu_data.errors import HubError
from tulu_data.mixture.mixture import Mixture
from tulu_data.publishing import _secrets, publish
from tulu_data.text import sensitive

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
CANARY = "hf_" + "CanaryOfTestsThatNobodyMayEverSeeX"
TO = "org/mix"
ROWS = 300


def mixed(yard: Yard, *extra: Any, **head: Any) -> Built:
    yard.jsonl("a.jsonl", [*pairs(ROWS), *pairs(3), *extra])
    return yard.mix(
        sources={"a": {"jsonl": "a.jsonl", "license": "mit"}},
        stages=[{"exact_dedup": {"max_removed": 1}}],
        output={"shard_rows": 100, "splits": {"test": 10}},
        **head,
    )


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    return mixed(Yard(tmp_path_factory.mktemp("published")))


@pytest.fixture
def hub() -> Iterator[Hub]:
    with Hub(token=CANARY) as hub:
        yield hub


Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run(hub: Hub, tmp_path: Path) -> Run:
    """Call the program, or Python, with the Hub of the tests and a home of its own."""
    (tmp_path / "home").mkdir()

    def call(*words: str, code: int = 0, token: str = CANARY, program: tuple[str, ...] = ("-m", "tulu_data")) -> Any:
        settings = {
            "HF_ENDPOINT": hub.endpoint,
            "HF_HOME": str(tmp_path / "home"),
            "HF_TOKEN": token,
            "HF_HUB_DISABLE_XET": "1",
        }
        environment = {**os.environ, **settings, "HF_HUB_DISABLE_TELEMETRY": "1", "PYTHONPATH": str(ROOT)}
        done = subprocess.run(
            [sys.executable, *program, *words],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == code, done.stderr
        assert CANARY not in done.stdout + done.stderr
        return done

    return call


def published(hub: Hub, revision: str) -> dict[str, bytes]:
    return dict(hub.repositories[TO].at(revision).files)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def asked(hub: Hub, method: str, part: str) -> int:
    return sum(seen.method == method and part in seen.path for seen in hub.seen)


LOAD = """
import sys, datasets, tulu_data
from datasets import load_dataset
ours = load_dataset("org/mix", revision=sys.argv[1], split="train")
frames = [tulu_data.load(f"org/mix@{sys.argv[1]}", into, check=True) for into in ("datasets", "polars", "arrow")]
assert ours["id"][:] == frames[0]["id"][:] == frames[1].collect()["id"].to_list() == frames[2]["id"].to_pylist()
assert frames[0].cache_files
print(len(ours), tulu_data.load("org/mix@" + sys.argv[1], split="test").num_rows)
"""


def test_what_is_published_comes_back_and_loads(hub: Hub, run: Run, built: Built, tmp_path: Path):
    folder, version = built.mixture.folder, built.mixture.version
    assert run("publish", str(folder), "--to", TO).stdout == f"{TO}@{version}\n"
    assert {name: content for name, content in published(hub, version).items() if name != ".gitattributes"} == contents(
        folder
    )
    assert len(hub.repositories[TO].commits) == 2
    assert hub.repositories[TO].tags == {version: hub.repositories[TO].branches["main"]}
    pulled = run("pull", f"{TO}@{version}")
    assert pulled.stdout == f"mixtures/mix/{version}\n"
    assert contents(tmp_path / "mixtures/mix" / version) == contents(folder)
    assert "unchanged" in run("pull", TO).stderr
    assert run("verify", f"mix@{version}").returncode == 0
    assert run(version, program=("-c", LOAD)).stdout == f"{built.mixture.manifest['rows'] - 10} 10\n"


def test_the_same_bytes_are_unchanged_and_other_bytes_are_refused(hub: Hub, run: Run, tmp_path: Path):
    first = mixed(Yard(tmp_path / "one"), version="v1").mixture
    other = mixed(Yard(tmp_path / "two"), {"prompt": "another", "response": "row"}, version="v1").mixture
    assert json.loads(run("publish", str(first.folder), "--to", TO, "--json").stdout)["status"] == "published"
    head = hub.repositories[TO].branches["main"]
    assert json.loads(run("publish", str(first.folder), "--to", TO, "--json").stdout)["status"] == "unchanged"
    refused = run("publish", str(other.folder), "--to", TO, code=5).stderr
    assert f"{TO}: version v1 is published already, with other bytes; name a new version" in refused
    assert hub.repositories[TO].branches["main"] == head


def test_a_new_version_replaces_the_files_of_the_old_on_main_alone(hub: Hub, run: Run, tmp_path: Path):
    first = mixed(Yard(tmp_path / "one"), version="v1").mixture
    Yard(tmp_path / "two").jsonl("a.jsonl", pairs(20))
    second = Yard(tmp_path / "two").mix(sources={"a": {"jsonl": "a.jsonl"}}, version="v2").mixture
    for mixture in (first, second):
        run("publish", str(mixture.folder), "--to", TO)
    assert published(hub, "main").keys() - {".gitattributes"} == contents(second.folder).keys()
    assert published(hub, "v1").keys() - {".gitattributes"} == contents(first.folder).keys()


def test_a_commit_of_somebody_else_meanwhile_is_not_overwritten(hub: Hub, run: Run, built: Built):
    repository = hub.dataset(TO, {"theirs.txt": b"1"})
    hub.on_commit = lambda: repository.commit({"theirs.txt": b"2"}, "meanwhile")
    refused = run("publish", str(built.mixture.folder), "--to", TO, code=5).stderr
    assert "somebody else committed to it meanwhile, and nothing was changed" in refused
    assert published(hub, "main") == {"theirs.txt": b"2"}
    assert repository.tags == {}


def test_a_tag_that_appears_meanwhile_is_a_conflict(hub: Hub, run: Run, built: Built):
    repository = hub.dataset(TO, {"x": b""})
    other = repository.branches["main"]
    hub.on_commit = lambda: repository.tags.update({built.mixture.version: other})
    refused = run("publish", str(built.mixture.folder), "--to", TO, code=5).stderr
    assert f"the tag {built.mixture.version} is taken by another commit; name a new version" in refused


@pytest.mark.parametrize(
    ("status", "part"),
    [
        (429, "/refs"),
        (503, "/tree/"),
        (500, "/tag/"),
        (502, "/commit/"),
        (429, "/preupload/"),
        (503, "/lfs/"),
        (429, "/create"),
    ],
)
def test_a_busy_hub_is_asked_again(hub: Hub, run: Run, built: Built, status: int, part: str):
    hub.fail(2, status, part)
    run("publish", str(built.mixture.folder), "--to", TO)
    assert published(hub, built.mixture.version)
    assert hub.failures_left() == 0


def test_a_commit_whose_answer_was_lost_is_found(hub: Hub, run: Run, built: Built):
    hub.loses_next_commit = True
    run("publish", str(built.mixture.folder), "--to", TO)
    assert len(hub.repositories[TO].commits) == 2
    assert built.mixture.version in hub.repositories[TO].tags


def test_an_upload_that_was_cut_goes_on_where_it_stopped(hub: Hub, run: Run, built: Built):
    large = len(list(built.mixture.folder.rglob("*.parquet")))
    hub.break_after("PUT", "/lfs/", 2)
    refused = run("publish", str(built.mixture.folder), "--to", TO, code=7).stderr
    assert f"error: {TO}: " in refused
    assert 1 <= len(hub.large) < large
    sent = len(hub.large)
    assert hub.repositories[TO].tags == {}
    assert len(hub.repositories[TO].commits) == 1
    hub.mend()
    hub.seen.clear()
    run("publish", str(built.mixture.folder), "--to", TO)
    assert asked(hub, "PUT", "/lfs/") == len(set(files_of(built.mixture.folder, *PARQUET).values())) - sent
    assert built.mixture.version in hub.repositories[TO].tags


PARQUET = ("data/", "ledger/", "places/", "evidence/", "quarantine.parquet", "excerpts.parquet", "reports/")


def test_a_commit_without_its_tag_gets_it(hub: Hub, run: Run, built: Built):
    hub.break_after("POST", "/tag/", 0)
    run("publish", str(built.mixture.folder), "--to", TO, code=7)
    hub.mend()
    run("publish", str(built.mixture.folder), "--to", TO)
    assert len(hub.repositories[TO].commits) == 2
    assert hub.repositories[TO].tags.keys() == {built.mixture.version}


def test_a_dry_run_lists_and_sends_nothing(hub: Hub, run: Run, built: Built):
    listed = json.loads(run("publish", str(built.mixture.folder), "--to", TO, "--dry-run", "--json").stdout)
    assert listed["files"] == {name: len(content) for name, content in contents(built.mixture.folder).items()}
    assert hub.seen == []


def test_the_rows_may_stay_at_home(hub: Hub, run: Run, built: Built):
    run("publish", str(built.mixture.folder), "--to", TO, "--manifest-only", "--private")
    assert published(hub, "main").keys() == {".gitattributes", "manifest.json", "recipe.yaml", "SHA256SUMS"}
    assert hub.repositories[TO].private
    assert "has the manifest of a mixture and not its rows" in run("pull", TO, code=4).stderr


def test_private_is_not_said_of_what_all_can_see(hub: Hub, run: Run, built: Built):
    hub.dataset(TO, {"x": b""})
    assert "is there and public" in run("publish", str(built.mixture.folder), "--to", TO, "--private", code=5).stderr


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["publish", "MIX", "--to", "mix"], 2, "'mix' is not a name of a dataset; write ORG/NAME"),
        (["pull", "mix"], 2, "'mix' is not a dataset of the Hub; write ORG/NAME or ORG/NAME@VERSION"),
        (["pull", "org/none"], 7, "org/none: the Hub has no such dataset"),
        (["pull", "org/other"], 4, "org/other: has no manifest.json: it is not a mixture of tulu-data"),
        (
            ["pull", "org/outside"],
            4,
            "org/outside: manifest.json names '../x', which is not a file inside of the mixture",
        ),
        (["pull", "org/list"], 4, "org/list: manifest.json is not a 'tulu-data manifest 1'"),
        (["pull", "org/moved@v2"], 4, "org/moved: the tag v2 leads to version v1; ask its publisher"),
    ],
)
def test_what_is_said_where_it_does_not_go(hub: Hub, run: Run, built: Built, words: list[str], code: int, message: str):
    facts = {"format": "tulu-data manifest 1", "name": "x", "version": "v1"}
    hub.dataset("org/other", {"a.txt": b""})
    hub.dataset("org/outside", {"manifest.json": json.dumps({**facts, "files": {"../x": {}}}).encode()})
    hub.dataset("org/list", {"manifest.json": b"[]"})
    whole = {**built.mixture.manifest, "version": "v1", "files": {}}
    moved = hub.dataset("org/moved", {"manifest.json": json.dumps(whole).encode()})
    moved.tags["v2"] = moved.branches["main"]
    given = [str(built.mixture.folder) if word == "MIX" else word for word in words]
    assert message in run(*given, code=code).stderr


def test_who_has_no_right_to_write_is_told(hub: Hub, run: Run, built: Built):
    refused = run("publish", str(built.mixture.folder), "--to", TO, code=7, token="hf_other").stderr
    assert "the Hub refuses your token (403); make a new one, then run: hf auth login" in refused
    assert "hf_other" not in refused


def test_what_does_not_verify_is_neither_sent_nor_taken(hub: Hub, run: Run, built: Built, tmp_path: Path):
    copy = tmp_path / "copy"
    shutil.copytree(built.mixture.folder, copy)
    path = min(copy.glob("data/*"))
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    assert "does not verify (data/" in run("publish", str(copy), "--to", TO, code=4).stderr
    assert hub.seen == []
    hub.dataset(TO, contents(copy))
    assert f"{TO}: does not verify, and was not taken: data/" in run("pull", TO, code=4).stderr
    assert not (tmp_path / "mixtures/mix" / built.mixture.version).exists()


def test_a_trial_stays_at_home(run: Run, tmp_path: Path):
    yard = Yard(tmp_path)
    yard.jsonl("a.jsonl", pairs(5))
    trial = yard.build(yard.recipe(sources={"a": {"jsonl": "a.jsonl"}}), limit=2).mixture
    assert "is a trial; build without --limit" in run("publish", str(trial.folder), "--to", TO, code=2).stderr


def test_the_token_is_found_nowhere(hub: Hub, run: Run, built: Built, tmp_path: Path):
    """Also where it goes wrong, and in every file that was written or sent."""
    hub.fail(1, 500, "/commit/")
    run("publish", str(built.mixture.folder), "--to", TO)
    run("pull", TO)
    hub.break_after("GET", "/api/", 0)
    run("pull", TO, "--out", "other", code=7)
    written = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert written
    assert not [path for path in written if CANARY.encode() in path.read_bytes()]
    assert not [name for name, content in published(hub, "main").items() if CANARY.encode() in content]


# Put together when the test runs, so that no scanner takes this file for a leak.
BODY = "16C7e42F292c6912E7710c838347Ae"
LIVE = {
    "Hugging Face": "hf_" + "aBcDeFgHiJkLmNoPqRsTuVwXyZaBcDeFgH",
    "GitHub": "ghp_" + BODY + sensitive.checksum_62(BODY),
    "AWS": "AKIA" + "Q3EGWL5TZ7XKPM2R",
    "private key": "-----BEGIN RSA "
    "PRIVATE KEY-----\n" + "MIIEpAIBAAKCAQEA7bq3Zk9XvW2YtRmNsLpQ\n" * 4 + "-----END RSA PRIVATE KEY-----",
}


@pytest.mark.parametrize("kind", LIVE)
def test_a_secret_is_found_in_any_file_whatever_stands_around_it(kind: str, tmp_path: Path):
    text, called = tmp_path / "a.txt", tmp_path / "a.parquet"
    text.write_text(f"one\ntwo {LIVE[kind]}")
    messages = [[{"role": "user", "content": "none"}], [{"role": "user", "content": f"é{chr(10)}({LIVE[kind]})"}]]
    calls = [json.dumps({"key": LIVE[kind]}), None]
    large = pa.array([["none"], [LIVE[kind]]], pa.large_list(pa.large_string()))
    pairs = pa.array([[], [("key", LIVE[kind])]], pa.map_(pa.string(), pa.string()))
    columns = {
        "messages": messages,
        "calls": calls,
        "large": large,
        "bytes": [b"", LIVE[kind].encode()],
        "pairs": pairs,
    }
    pq.write_table(pa.table(columns), called)
    assert [*_secrets(text)] == [":2"]
    assert [*_secrets(called)] == [":2", ":1", ":2", ":2", ":2"]


def test_a_secret_keeps_the_mixture_at_home_and_is_not_shown(hub: Hub, run: Run, tmp_path: Path):
    row = {"prompt": "What is wrong?", "response": f"Remove {LIVE['AWS']} from it."}
    mixture: Mixture = mixed(Yard(tmp_path), row, card=f"Uses {LIVE['GitHub']}.").mixture
    refused = run("publish", str(mixture.folder), "--to", TO, code=4).stderr
    assert "5 secrets that look live; nothing was published. Revoke them if they are yours" in refused
    assert "README.md:" in refused
    assert "recipe.yaml:" in refused
    assert "excerpts.parquet:" in refused
    (place,) = [line.strip() for line in refused.splitlines() if "data/" in line]
    name, _, number = place.rpartition(":")
    rows = pq.read_table(mixture.folder / name, partitioning=None).to_pylist()
    assert LIVE["AWS"] in str(rows[int(number) - 1]["messages"])
    assert not any(secret in refused for secret in LIVE.values())
    assert hub.seen == []


def test_two_pulls_at_once_leave_one_whole_version(hub: Hub, run: Run, built: Built, tmp_path: Path):
    hub.dataset(TO, contents(built.mixture.folder))
    codes: list[int] = []

    def pull() -> None:
        for code in (0, 5):
            try:
                run("pull", TO, code=code)
            except AssertionError:
                continue
            codes.append(code)
            return

    threads = [threading.Thread(target=pull) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert 0 in codes
    assert contents(tmp_path / "mixtures/mix" / built.mixture.version) == contents(built.mixture.folder)


def test_load_reads_a_folder_and_checks_it_when_asked(built: Built, tmp_path: Path):
    import tulu_data
    from tulu_data.errors import FindingsError, UsageError

    copy = tmp_path / "copy"
    shutil.copytree(built.mixture.folder, copy)
    assert tulu_data.load(copy, "polars").collect().height == built.mixture.manifest["rows"] - 10
    assert tulu_data.load(copy, "arrow", split="test").num_rows == 10
    with pytest.raises(UsageError, match="no split 'tset'; did you mean 'test'\\?; there are test, train"):
        tulu_data.load(copy, split="tset")
    with pytest.raises(UsageError, match="'polar' is not one of datasets, polars, arrow; did you mean 'polars'\\?"):
        tulu_data.load(copy, "polar")
    path = min(copy.glob("data/test*"))
    path.write_bytes(path.read_bytes() + b"x")
    with pytest.raises(FindingsError, match="has another sha256 than the manifest says"):
        tulu_data.load(copy, "polars", split="test", check=True)


def test_a_stranger_verifies_what_is_on_the_hub(hub: Hub, run: Run, tmp_path: Path):
    evals = Yard(tmp_path).jsonl(
        "evals/e.jsonl", [{"question": "Two trains leave the same station at noon, one fast and one slow."}]
    )
    yard = Yard(tmp_path / "theirs")
    yard.jsonl(
        "a.jsonl",
        [*pairs(30), {"prompt": "Two trains leave the same station at noon, one fast and one slow.", "response": "!"}],
    )
    against = {"e": {"jsonl": str(evals), "question": "question"}}
    mixture = yard.mix(
        sources={"a": {"jsonl": "a.jsonl"}}, stages=[{"ngram_decontamination": {"against": against}}]
    ).mixture
    run("publish", str(mixture.folder), "--to", TO)
    place = f"hf://{TO}@{mixture.version}"
    opened = run("verify", place).stdout
    assert "open   L3  ngram_decontamination: the evaluation sets are those that the manifest pins" in opened
    assert "no file has the sha256 of e" in opened
    result = json.loads(
        run("verify", place, "--evaluations", "evals", "--report", "verification.json", "--json").stdout
    )
    assert json.loads((tmp_path / "verification.json").read_text()) == result
    assert {check["level"] for check in result["checks"]} == {"L0", "L1", "L2", "L3"}
    assert all(check["holds"] and not check["unproven"] for check in result["checks"])
    assert "holds  L4  another build from the recipe has the same rows" in run("verify", place, "--rebuild").stdout
    hub.repositories[TO].commit({"data/extra.parquet": b"PAR1"}, "more")
    assert "data/extra.parquet: is not in the manifest" in run("verify", f"hf://{TO}", code=4).stdout
    hub.repositories[TO].commit({}, "fewer", removed=["data/extra.parquet", "places/places.parquet"])
    assert "places/places.parquet: is missing" in run("verify", f"hf://{TO}", code=4).stdout
    yard.jsonl("a.jsonl", pairs(29))
    assert "fails  L4" in run("verify", place, "--rebuild", code=4).stdout


def test_the_result_of_a_verification_is_published_beside(hub: Hub, run: Run, built: Built, tmp_path: Path):
    shutil.copytree(built.mixture.folder, tmp_path / "mix")
    run("verify", "mix", "--report", "mix/verification.json")
    run("publish", "mix", "--to", TO)
    assert json.loads(published(hub, "main")["verification.json"])["holds"]
    assert "unchanged" in run("publish", str(built.mixture.folder), "--to", TO).stderr


def test_evaluation_sets_of_the_hub_are_read_from_the_cache_or_fetched_when_asked(hub: Hub, run: Run, tmp_path: Path):
    question = "Two trains leave the same station at noon, one fast and one slow."
    hub.dataset("org/evals", {"test.jsonl": json.dumps({"question": question}).encode() + b"\n"})
    Yard(tmp_path).jsonl("a.jsonl", [*pairs(30), {"prompt": question, "response": "!"}])
    Yard(tmp_path).write(
        "mix.yaml",
        "name: mix\nsources: {a: {jsonl: a.jsonl}}\nstages:\n  - ngram_decontamination:\n"
        "      against: {e: {huggingface: org/evals, split: test, question: question}}\n",
    )
    run("build", "mix.yaml", "--executor", "inline")
    assert "open" not in run("verify", "mix").stdout
    hub.seen.clear()
    assert "no file has the sha256 of e" in run("verify", "mix", "--workspace", "other").stdout
    assert hub.seen == []
    fetched = run("verify", "mix", "--workspace", "other", "--fetch").stdout
    assert "open" not in fetched
    assert "holds  L3  ngram_decontamination: no row kept holds an evaluation item" in fetched


def sealed(files: dict[str, bytes], **added: bytes) -> dict[str, bytes]:
    """The files of a mixture and others, which its manifest names as well."""
    facts = json.loads(files["manifest.json"])
    every = {**files, **added}
    digests = {name: hashlib.sha256(content).hexdigest() for name, content in every.items()}
    facts["files"] |= {name: {"sha256": digests[name], "bytes": len(content)} for name, content in added.items()}
    every["manifest.json"] = json.dumps(facts).encode()
    return every


def test_only_files_of_a_mixture_are_pulled(hub: Hub, run: Run, built: Built, tmp_path: Path):
    ours = contents(built.mixture.folder)
    hub.dataset(TO, {**ours, "evil.py": b"boom()", "verification.json": b"{}", "data/evil.parquet": b"PAR1"})
    # What somebody left in the way is not taken for what was fetched.
    commit = hub.repositories[TO].branches["main"]
    Yard(tmp_path).write(f"mixtures/mix/.staging/pull-{commit}/manifest.json", "{}")
    run("pull", TO)
    assert contents(tmp_path / "mixtures/mix" / built.mixture.version) == ours
    assert not [seen for seen in hub.seen if "evil" in seen.path]
    for number, name in enumerate(("evil.py", "data/../evil.parquet", "evidence/a\u202eyp.parquet", "data/A.parquet")):
        hub.dataset(f"org/strange{number}", sealed(ours, **{name: b"boom()"}))
        refused = run("pull", f"org/strange{number}", "--out", "strange", code=4).stderr
        assert "', which is not a file inside of the mixture" in refused
    assert not (tmp_path / "strange").exists()


def test_a_busy_hub_is_asked_again_when_it_says(hub: Hub, run: Run, built: Built, tmp_path: Path):
    hub.dataset(TO, contents(built.mixture.folder))
    for part in ("/revision/main", "/tree/", "/resolve/"):
        hub.fail(1, 429, part, retry_after="0")
    run("pull", TO)
    assert hub.failures_left() == 0
    hub.fail(50, 429, "/revision/main", retry_after="0")
    refused = run("pull", TO, "--out", "other", code=7).stderr
    assert f"{TO}: the Hub answered 429 (Too Many Requests); wait, and run the same command again" in refused
    assert 40 <= hub.failures_left() <= 45


def test_a_damaged_cache_is_mended_or_named(hub: Hub, run: Run, built: Built, tmp_path: Path):
    hub.dataset(TO, contents(built.mixture.folder))
    run("pull", TO)
    cache = tmp_path / "home/hub/datasets--org--mix"
    for path in cache.glob("snapshots/*/data/*"):
        path.resolve().write_bytes(b"PAR1")
    run("pull", TO, "--out", "again")
    (cache / "refs/main").write_bytes(b"\xff\x00")
    refused = run("pull", TO, "--out", "other", code=7).stderr
    assert f"{TO}: the cache of the Hub's client is damaged; remove {cache} and run the same command again" in refused


def test_what_others_made_is_not_published_as_ones_own_by_mistake(hub: Hub, run: Run, built: Built):
    hub.dataset("org/theirs", contents(built.mixture.folder))
    run("pull", "org/theirs")
    refused = run("publish", "mix", "--to", TO, code=2).stderr
    assert "was pulled from org/theirs@" in refused
    assert "to publish under your name what others made, give --republish" in refused
    assert TO not in hub.repositories
    done = run("publish", "mix", "--to", TO, "--republish")
    assert "was not built by the workspace .tulu-data; you publish what others built" in done.stderr


@pytest.mark.parametrize(
    ("offline", "message"),
    [
        (True, "org/mix: HF_HUB_OFFLINE is set, so nothing can be sent; unset it and run the same command again"),
        (
            False,
            "org/mix: the Hub can't be reached; check the network and HF_ENDPOINT, then run the same command again",
        ),
    ],
)
def test_publishing_without_a_network_says_what_to_do(
    built: Built, monkeypatch: pytest.MonkeyPatch, offline: bool, message: str
):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", offline)
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setattr("tulu_data.hub.writing.WAITS", ())
    with pytest.raises(HubError) as caught:
        publish(built.mixture, TO)
    assert str(caught.value).startswith(message)
    assert publish(built.mixture, TO, dry_run=True).status == "dry run"
