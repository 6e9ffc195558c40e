"""The workspace: whose it is, what is damaged in it, and what several commands do in it at once."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from conftest import Yard, files_of, pairs, varied
from tulu_data.building import file_units, ingest, recheck, write
from tulu_data.building.build import build
from tulu_data.building.gc import collect
from tulu_data.building.run import Folders
from tulu_data.errors import ConflictError, FindingsError, InputError, ResourceError, TuluDataError, UsageError
from tulu_data.evaluations import ngram_index, ngram_index_build
from tulu_data.evaluations.evaluation_set import EvaluationSet
from tulu_data.executors.progress import Tick
from tulu_data.mixture.mixture import find
from tulu_data.rows.rows import Rows
from tulu_data.rows.sft import Sft
from tulu_data.store.durable import durable, locked, make_folders, write_text
from tulu_data.store.workspace import TAG, TRUSTED, read_note, write_note
from tulu_data.without_recipe import files
from tulu_data.without_recipe.decontaminate import Contamination, decontaminate
from tulu_data.without_recipe.dedup import dedup

pytestmark = pytest.mark.slow

MAIN = [sys.executable, "-m", "tulu_data"]
ITEM = "A lamp hangs over seven tables in the hall of the old mill by the river; how many are dark?"
ROWS = [
    *pairs(3),
    {"prompt": f"Say: {ITEM}", "response": "none"},
    {"prompt": "Tell me of the grey heron that stands at the pond behind our house", "response": "It waits for fish."},
    {"prompt": "Tell me of the grey heron that stands at the pond behind our house", "response": "It waits for fish!"},
]


def snapshot(folder: Path) -> dict[str, Any]:
    """All that is below a folder: links as what they say, files as their bytes."""
    return {
        str(path.relative_to(folder)): path.readlink() if path.is_symlink() else path.is_file() and path.read_bytes()
        for path in sorted(folder.rglob("*"))
    }


def mix(yard: Yard, **parts: Any) -> Any:
    yard.jsonl("a.jsonl", ROWS)
    return yard.mix(sources={"a": {"jsonl": "a.jsonl"}}, **parts)


# Whose it is


def test_a_workspace_is_made_for_its_owner_alone_and_marked_so_that_backups_skip_it(yard: Yard):
    mix(yard)
    assert yard.places.workspace.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o077 for path in yard.places.workspace.rglob("*")} == {0}
    lines = (yard.places.workspace / TAG).read_text().splitlines()
    assert lines[:2] == ["Signature: 8a477f597d28d172789f06886806bc55", "# tulu-data workspace 1"]


OURS = "e" * 64


@pytest.mark.parametrize(
    "stray",
    [
        "notes/draft.tmp",
        "sources/thesis.tex",
        "store/deep/photos.zip",
        f"store/ee/{OURS}/photo.parquet",
        "measures/a.parquet",
        f"indexes/{OURS}/mine.bin",
        "digests/x.json",
        "built.txt",
    ],
)
def test_a_folder_that_holds_what_we_do_not_make_is_not_a_workspace(yard: Yard, stray: str):
    yard.write(f"workspace/{stray}", "precious")
    before = snapshot(yard.root / "workspace")
    message = (
        rf"workspace: is not a workspace of tulu-data: it holds {stray}, and has no CACHEDIR.TAG of ours; name ano"
    )
    with pytest.raises(UsageError, match=message):
        collect(yard.places.workspace, yard.places.out)
    with pytest.raises(UsageError, match=message):
        mix(yard)
    assert snapshot(yard.root / "workspace") == before


def test_the_tag_of_another_program_is_none_of_ours(yard: Yard):
    yard.write(f"workspace/{TAG}", "Signature: 8a477f597d28d172789f06886806bc55\n# of a compiler\n")
    yard.write("workspace/store/object.o", "precious")
    with pytest.raises(UsageError, match=r"it holds store/object\.o"):
        collect(yard.places.workspace, yard.places.out)


def test_in_a_workspace_gc_leaves_what_we_do_not_make(yard: Yard):
    mix(yard)
    kept = [
        yard.write(f"workspace/{name}", "precious")
        for name in ("notes.txt", "store/photo.zip", "draft.tmp", "sources/draft.tmp", f"built/mix/{OURS}.json")
    ]
    shutil.rmtree(yard.places.out)
    assert collect(yard.places.workspace, yard.places.out).files >= 4
    assert all(path.read_text() == "precious" for path in kept)


def test_an_empty_folder_and_the_workspace_of_an_earlier_version_are_taken(yard: Yard):
    yard.places.workspace.mkdir()
    mix(yard)
    (yard.places.workspace / TAG).unlink()
    earlier = (
        f"measures/exact_dedup/ee/{OURS}.parquet",
        f"sources/chat-20-0-{'e' * 12}/00000.jsonl",
        f"store/ee/{OURS}/shards",
    )
    for name in (*earlier, f"digests/{OURS}.json", f"indexes/{OURS}/arrays.bin", "evaluations/gsm8k.json"):
        yard.write(f"workspace/{name}", "4\n")
    shutil.rmtree(yard.places.out)
    assert mix(yard).mixture.run()["units"]["found"]["ingest"] == 1
    assert (yard.places.workspace / TAG).is_file()
    collect(yard.places.workspace, yard.places.out)
    assert not any((yard.places.workspace / name).exists() for name in earlier)


def test_what_others_can_write_to_is_used_only_if_a_person_says_so(yard: Yard, monkeypatch: pytest.MonkeyPatch):
    mix(yard)
    yard.places.workspace.chmod(0o770)
    with pytest.raises(UsageError) as caught:
        mix(yard)
    assert str(caught.value) == (
        f"{yard.places.workspace}: others can write to it, and who can write to a workspace decides what is built from it; "
        f"say: chmod -R go-w {yard.places.workspace}, or trust them: export {TRUSTED}={yard.places.workspace}"
    )
    monkeypatch.setenv(TRUSTED, f"/elsewhere{os.pathsep}{yard.places.workspace}")
    mix(yard)
    monkeypatch.delenv(TRUSTED)
    yard.places.workspace.chmod(0o755)
    (yard.places.workspace / "store").chmod(0o777)
    with pytest.raises(UsageError, match=r"workspace/store: others can write to it"):
        mix(yard)


def test_a_workspace_of_another_user_is_used_only_if_a_person_says_so(yard: Yard, monkeypatch: pytest.MonkeyPatch):
    mix(yard)
    owner = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: owner + 1)
    with pytest.raises(
        UsageError, match=rf"belongs to user {owner}, and who can .*; name another with --workspace, or"
    ):
        collect(yard.places.workspace, yard.places.out)
    monkeypatch.setenv(TRUSTED, str(yard.places.workspace))
    assert mix(yard).status == "unchanged"


def test_what_a_group_shares_stays_open_to_it(yard: Yard, monkeypatch: pytest.MonkeyPatch):
    yard.places.workspace.mkdir()
    yard.places.workspace.chmod(0o775)
    monkeypatch.setenv(TRUSTED, str(yard.places.workspace))
    umask = os.umask(0o002)
    try:
        mix(yard)
    finally:
        os.umask(umask)
    modes = {path.stat().st_mode & 0o777 for path in yard.places.workspace.rglob("*")}
    assert modes == {0o775, 0o664}


# Links


@pytest.mark.parametrize("kind", ["", "store", "measures", "digests", "sources", "indexes", "built", TAG, ".lock"])
def test_nothing_is_written_or_removed_through_a_link(yard: Yard, kind: str):
    mix(yard)
    outside = yard.root / "outside"
    place = yard.places.workspace / kind
    if place.exists():
        place.rename(outside)
    else:
        outside.mkdir()
    place.symlink_to(outside)
    if outside.is_dir():
        yard.write("outside/keep.1-2.tmp", "precious")
    before = snapshot(outside) if outside.is_dir() else outside.read_bytes()
    yard.jsonl("a.jsonl", pairs(7))
    recipe = yard.recipe(sources={"a": {"jsonl": "a.jsonl"}})
    shutil.rmtree(yard.places.out)
    for attempt in (lambda: yard.build(recipe), lambda: collect(yard.places.workspace, yard.places.out)):
        with pytest.raises(UsageError, match=r"is a symbolic link to|is not a workspace"):
            attempt()
    assert (snapshot(outside) if outside.is_dir() else outside.read_bytes()) == before


def test_a_link_deep_in_the_workspace_is_not_followed(yard: Yard):
    mix(yard, stages=["exact_dedup"])
    (store,) = (yard.places.workspace / "store").iterdir()
    store.rename(yard.root / "outside")
    store.symlink_to(yard.root / "outside")
    (yard.places.workspace / "measures/link").symlink_to(yard.root / "outside")
    before = snapshot(yard.root / "outside")
    shutil.rmtree(yard.places.out)
    collect(yard.places.workspace, yard.places.out)
    assert snapshot(yard.root / "outside") == before
    (yard.root / "outside" / next(iter(before)) / "00000.json").unlink()
    with pytest.raises(
        UsageError, match=r"store/..: is a symbolic link to .*outside; remove it, or name the real folder"
    ):
        mix(yard)


@pytest.mark.parametrize("holder", ["workspace", "mixtures/mix"])
def test_a_lock_that_is_another_file_is_not_written_to(yard: Yard, holder: str):
    mix(yard)
    lock = yard.root / holder / ".lock"
    precious = yard.write("precious.txt", "precious")
    for disguise, message in ((lock.symlink_to, "is a symbolic link to"), (lock.hardlink_to, "is not a lock")):
        lock.unlink()
        disguise(precious)
        yard.jsonl("a.jsonl", pairs(4))
        with pytest.raises(UsageError, match=rf"\.lock: {message}"):
            yard.mix(sources={"a": {"jsonl": "a.jsonl"}})
        assert precious.read_text() == "precious"


@pytest.mark.parametrize("place", ["mixtures", "mixtures/mix/.staging", "mixtures/mix/.runs", "manifests/mix"])
def test_places_of_outputs_are_no_links(yard: Yard, place: str):
    (yard.root / "outside").mkdir()
    (yard.root / place).parent.mkdir(parents=True, exist_ok=True)
    (yard.root / place).symlink_to(yard.root / "outside")
    with pytest.raises(UsageError, match=rf"{place}: is a symbolic link to .*outside; remove it"):
        mix(yard)
    assert list((yard.root / "outside").iterdir()) == []


def test_names_that_are_links_are_replaced_and_what_they_lead_to_stays(yard: Yard, monkeypatch: pytest.MonkeyPatch):
    precious = yard.write("precious.txt", "precious")
    digest = ""

    def stopped(recipe: Any, decision: Any, shards: Any, staging: Path, *others: Any) -> None:
        nonlocal digest
        digest = staging.name
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("tulu_data.building.build.write", stopped)
        with pytest.raises(KeyboardInterrupt):
            mix(yard)
    (yard.root / "outside").mkdir()
    (yard.places.out / "mix/.staging" / digest / "data").symlink_to(yard.root / "outside")
    (yard.places.out / "mix/LATEST").symlink_to(precious)
    built = mix(yard)
    assert list((yard.root / "outside").iterdir()) == []
    assert precious.read_text() == "precious"
    assert (yard.places.out / "mix/LATEST").read_text() == f"{built.mixture.version}\n"
    assert not any(path.is_symlink() for path in built.mixture.folder.rglob("*"))


# What is damaged


def flipped(path: Path) -> None:
    content = bytearray(path.read_bytes() or b"\0")
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def linked(path: Path) -> None:
    other = path.with_name("other")
    path.rename(other)
    flipped(other)
    path.symlink_to(other)


def replaced(path: Path) -> None:
    path.unlink()
    path.mkdir()


DAMAGES: dict[str, Callable[[Path], None]] = {
    "zeroed": lambda path: void(path.write_bytes(bytes(path.stat().st_size))),
    "cut": lambda path: os.truncate(path, path.stat().st_size // 2),
    "flipped": flipped,
    "removed": Path.unlink,
    "a folder": replaced,
    "a link": linked,
}


def void(value: object) -> None:
    """Forget a value."""


@pytest.fixture(scope="module")
def examined(tmp_path_factory: pytest.TempPathFactory) -> tuple[Yard, Callable[[], Any]]:
    """A yard with a workspace that has files of every kind, and what finds the verdicts on its rows once more."""
    yard = Yard(tmp_path_factory.mktemp("damaged"))
    data = yard.jsonl("a.jsonl", ROWS)
    items = yard.jsonl("e.jsonl", [{"id": "mill", "q": ITEM}])
    found = {
        **files.sources_of([str(data)], hub={}, options={}),
        **yard.recipe(sources={"chat": {"sample": "chat", "rows": 30, "max_quarantined": 1}}).sources,
    }
    sets = {"e": EvaluationSet.model_validate({"jsonl": str(items), "question": "q", "id": "id"})}

    def verdicts() -> Any:
        held = decontaminate(found, sets, "tulu3", workspace=yard.places.workspace)
        alike = dedup(found, threshold="0.5", workspace=yard.places.workspace)
        return held.rows.rows(), alike.rows.drop("shard", "row").rows()

    return yard, verdicts


def test_whatever_is_damaged_in_a_workspace_the_verdicts_are_the_same_or_an_error_is_told(
    examined: tuple[Yard, Callable[[], Any]],
):
    yard, verdicts = examined
    golden = verdicts()
    assert [len(rows) for rows in golden] == [1, 1 + len(golden[1][1:])]
    workspace, sound = yard.places.workspace, yard.root / "sound"
    shutil.copytree(workspace, sound)
    names = sorted(str(path.relative_to(sound)) for path in sound.rglob("*") if path.is_file())
    kinds = {name.split("/")[0] for name in names}
    assert kinds == {".lock", TAG, "digests", "indexes", "measures", "sources", "store"}
    told: list[str] = []
    for name in names:
        for damage, apply in DAMAGES.items():
            shutil.rmtree(workspace)
            shutil.copytree(sound, workspace)
            apply(workspace / name)
            try:
                assert verdicts() == golden, (name, damage)
            except TuluDataError as error:
                told.append(f"{damage}: {error}")
    assert all(message.startswith(("a folder: ", "a link: ")) for message in told), told
    assert all("remove it" in message or "is not a workspace" in message for message in told)
    shutil.rmtree(workspace)
    shutil.copytree(sound, workspace)


def test_a_damaged_index_is_replaced_by_a_whole_one(examined: tuple[Yard, Callable[[], Any]]):
    yard, verdicts = examined
    golden = verdicts()
    (folder,) = (yard.places.workspace / "indexes").iterdir()
    whole = files_of(folder)
    for name in whole:
        flipped(folder / name)
        assert not ngram_index.is_whole(folder)
        with pytest.raises(ResourceError, match=r"the index of the evaluation sets is damaged; run the command again"):
            ngram_index.open_index(folder)
        assert verdicts() == golden
        assert ngram_index.is_whole(folder)
        assert files_of(folder).keys() == whole.keys()
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]


@pytest.mark.parametrize("note", [b"", b"\0" * 40, b"[]", b"1", b"{}", b'{"check": 1}', b"[" * 100_000, b"\xff"])
def test_what_is_no_note_counts_as_none(tmp_path: Path, note: bytes):
    (tmp_path / "note.json").write_bytes(note)
    assert read_note(tmp_path / "note.json") is None


def test_a_note_is_read_as_it_was_written(tmp_path: Path):
    values = {"rows": 3, "files": [["é\ud800", 2, []]]}
    write_note(tmp_path / "note.json", values)
    assert read_note(tmp_path / "note.json") == values


def plant(workspace: Path, rows: slice) -> None:
    """Write other answers into a store, with a note that says that they belong there."""
    (path,) = (workspace / "store").rglob("*.parquet")
    stored = pq.read_table(path)
    lines = stored.to_pylist()
    for line in lines[rows]:
        line["messages"][1]["content"] = "PLANTED"
    changed = pa.Table.from_pylist(lines, schema=stored.schema)
    (batch,) = changed.select(list(Sft.content)).combine_chunks().to_batches()
    hashes = pa.array(Rows(batch, Sft()).content_hashes(), pa.binary(32))
    pq.write_table(changed.set_column(1, stored.schema.field(1), hashes), path)
    note = read_note(path.with_suffix(".json"))
    assert note is not None
    write_note(path.with_suffix(".json"), {**note, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()})


def test_rows_that_somebody_put_into_the_store_are_noticed(yard: Yard):
    mix(yard)
    plant(yard.places.workspace, slice(3, 4))
    shutil.rmtree(yard.places.out)
    with pytest.raises(
        FindingsError,
        match=r"sources\.a: .*00000\.parquet: holds other rows than .*a\.jsonl gives; somebody else wrote them: remove",
    ):
        mix(yard)


def test_any_record_of_any_shard_may_be_read_again(yard: Yard, monkeypatch: pytest.MonkeyPatch):
    yard.jsonl("a.jsonl", varied(90))
    recipe = yard.recipe(sources={"a": {"jsonl": "a.jsonl"}})
    build(recipe, yard.places, shard_rows=30)
    monkeypatch.setattr(recheck, "CHECKED_RECORDS", 7)
    read: set[int] = set()
    original = recheck.stored

    def noting(piece: Any, mappers: Any) -> Any:
        read.update(piece.numbers)
        return original(piece, mappers)

    monkeypatch.setattr(recheck, "stored", noting)
    for shard, start in ((0, 0), (1, 23), (2, 11)):
        monkeypatch.setattr(recheck.secrets, "choice", lambda units, shard=shard: units[shard])
        monkeypatch.setattr(recheck.secrets, "randbelow", lambda end, start=start: min(start, end - 1))
        read.clear()
        shutil.rmtree(yard.places.out)
        build(recipe, yard.places, shard_rows=30)
        assert read == set(range(30 * shard + start + 1, 30 * shard + start + 8))


def test_rebuilding_takes_nothing_of_the_workspace(yard: Yard):
    yard.jsonl("a.jsonl", ROWS)
    recipe = yard.write("recipe.yaml", yard.recipe(sources={"a": {"jsonl": "a.jsonl"}}).to_yaml())
    mix(yard)
    shutil.rmtree(yard.places.workspace)
    yard.write("workspace/not-a-workspace", "x")
    words = ["verify", "mix", "--rebuild", "--workspace", str(yard.places.workspace)]
    done = subprocess.run([*MAIN, *words], cwd=yard.root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "another build from the recipe has the same rows" in done.stdout
    assert recipe.is_file()


# At once, and killed


def test_what_a_killed_command_was_making_is_removed_by_gc(yard: Yard):
    mix(yard)
    yard.write(f"workspace/indexes/{OURS}.123-4.tmp/arrays.bin", "half")
    yard.write(f"workspace/indexes/{OURS}.123-4.tmp/note.json.123-5.tmp", "half")
    yard.write("workspace/sources/preparing-x_1/files/deep/data.parquet", "half")
    (yard.root / "workspace/sources/preparing-x_1/files/deep/link").symlink_to(yard.write("precious.txt", "precious"))
    yard.write("workspace/evaluations/gsm8k.json.123-4.tmp", "half")
    freed = collect(yard.places.workspace, yard.places.out)
    assert freed.files >= 4
    assert not list((yard.places.workspace / "indexes").iterdir())
    assert not list(yard.places.workspace.rglob("*.tmp"))
    assert not list((yard.places.workspace / "sources").rglob("preparing-*"))
    assert (yard.root / "precious.txt").read_text() == "precious"


@pytest.mark.parametrize("content", ["", "{", "[]", '{"tables": 3}', '{"tables": [""]}', '{"tables": {"a": 1}}'])
def test_gc_stops_at_a_record_that_tells_nothing(yard: Yard, content: str):
    mix(yard).mixture.run_path.write_text(content)
    before = snapshot(yard.places.workspace)
    with pytest.raises(
        ConflictError, match=r"\.runs/.*\.json: can't be read .*; remove it, and what the mixture needs"
    ):
        collect(yard.places.workspace, yard.places.out)
    assert {**snapshot(yard.places.workspace), ".lock": b""} == {**before, ".lock": b""}


BUILD_BESIDE = """
import sys
from pathlib import Path
from tulu_data.building.build import build
from tulu_data.building.run import Folders
home, workspace = Path(sys.argv[2]), Path(sys.argv[3])
sys.stdin.readline()
build(sys.argv[1], Folders(home / "mixtures", home / "manifests", workspace))
"""


def test_builds_at_once_share_a_workspace(yard: Yard):
    yard.jsonl("a.jsonl", ROWS)
    items = yard.jsonl("e.jsonl", [{"id": str(number), "q": f"{ITEM} {number}"} for number in range(300)])
    against = {"e": {"jsonl": str(items), "question": "q", "id": "id"}}
    stages = [{"ngram_decontamination": {"against": against, "max_removed": 1}}, "exact_dedup"]
    recipe = yard.write("recipe.yaml", yard.recipe(sources={"a": {"jsonl": "a.jsonl"}}, stages=stages).to_yaml())
    script = yard.write("build_beside.py", BUILD_BESIDE)
    homes = [yard.root / f"home-{number}" for number in range(3)]
    started = [
        subprocess.Popen(
            [sys.executable, str(script), str(recipe), str(home), str(yard.places.workspace)],
            stdin=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for home in homes
    ]
    for process in started:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    assert [(process.communicate()[1], process.returncode) for process in started] == [("", 0)] * 3
    first, *others = (files_of(find("mix", home / "mixtures").folder) for home in homes)
    assert others == [first, first]
    assert len(list((yard.places.workspace / "indexes").iterdir())) == 1


def test_a_build_that_ends_while_another_writes_the_same_elsewhere_takes_nothing_from_it(
    yard: Yard, monkeypatch: pytest.MonkeyPatch
):
    yard.jsonl("a.jsonl", ROWS)
    recipe = yard.recipe(sources={"a": {"jsonl": "a.jsonl"}})
    write_shard = write.write_shard

    def elsewhere(unit: write.OutputUnit, tick: Tick) -> int:
        monkeypatch.setattr(write, "write_shard", write_shard)
        build(recipe, Folders(yard.root / "other", yard.root / "other-manifests", yard.places.workspace))
        return write_shard(unit, tick)

    monkeypatch.setattr(write, "write_shard", elsewhere)
    assert files_of(build(recipe, yard.places).mixture.folder) == files_of(find("mix", yard.root / "other").folder)


def test_an_index_that_two_make_at_once_is_one(yard: Yard, monkeypatch: pytest.MonkeyPatch):
    from tulu_data.evaluations.item import Item

    folder = yard.root / "indexes" / OURS
    sets = {"e": [Item("mill", {"question": (ITEM,), "passage": (), "choices": (), "answer": ()})]}
    setting = ngram_index.Setting(8, "words", ("question",))
    publish = ngram_index_build.publish_folder

    def slow(staged: Path, target: Path) -> None:
        monkeypatch.setattr(ngram_index_build, "publish_folder", publish)
        ngram_index_build.build(folder, sets, setting)
        publish(staged, target)

    monkeypatch.setattr(ngram_index_build, "publish_folder", slow)
    ngram_index_build.build(folder, sets, setting)
    assert ngram_index.is_whole(folder)
    assert [path.name for path in folder.parent.iterdir()] == [OURS]


# Many small files


def test_many_small_files_cost_what_their_rows_cost_and_change_no_byte(yard: Yard, monkeypatch: pytest.MonkeyPatch):
    rows = [*varied(60, 1), b'{"prompt": "broken"', *varied(40, 2)]
    for number, row in enumerate(rows):
        yard.jsonl(f"data/{number}.jsonl", [row])
    yard.jsonl("data/twice.jsonl", [rows[0]])
    yard.write("data/empty.jsonl", "")
    yard.write("data/blank.jsonl", "\n\n")
    yard.jsonl("data/large.jsonl", varied(1500, 3))
    assert (yard.root / "data/large.jsonl").stat().st_size > file_units.SMALL_BYTES
    stages = [
        {"length_filter": {"max_characters": 60, "max_removed": 1}},
        {"exact_dedup": {"max_removed": 1}},
    ]
    recipe = yard.recipe(sources={"a": {"jsonl": "data/*.jsonl", "max_quarantined": 1}}, stages=stages)
    packed = build(recipe, yard.places, shard_rows=25).mixture
    alone = Folders(yard.root / "alone", yard.root / "alone-manifests", yard.root / "alone-workspace")
    monkeypatch.setattr(file_units, "MANY_FILES", 1_000)
    by_file = build(recipe, alone, shard_rows=25).mixture
    assert files_of(packed.folder) == files_of(by_file.folder)
    shards = [len(list((place / "store").rglob("*.parquet"))) for place in (yard.places.workspace, alone.workspace)]
    # Some of the rows are alike to the letter, and so are their files.
    assert shards[1] > 60 + 90
    assert shards[0] <= 60 + 102 // 25 + 3
    text = packed.run()["store"]
    assert {len(place) for place in text} == {6}
    assert sum(place[5] for place in text) == sum(
        counts["read"] - counts["quarantined"] for counts in packed.rows.values()
    )


def test_a_row_of_many_small_files_is_explained_from_its_own(yard: Yard):
    from tulu_data.mixture.explain import Explainer

    for number in range(40):
        yard.jsonl(
            f"data/{number}.jsonl", [{"prompt": f"Where is {number}?", "response": "x" * (1 + 90 * (number % 2))}]
        )
    stages = [{"length_filter": {"max_characters": 60, "max_removed": 1}}]
    built = yard.mix(sources={"a": {"jsonl": "data/*.jsonl"}}, stages=stages)
    explainer = Explainer(built.mixture, yard.places.workspace)
    for number in (0, 7, 39):
        (explanation,) = explainer.by_place(yard.root / f"data/{number}.jsonl", 1)
        assert explanation.turns is not None
        assert explanation.turns[0][1:4] == ("user", f"Where is {number}?", f"Where is {number}?")
        assert explanation.fate == ("length_filter" if number % 2 else "kept")
        (found,) = explainer.by_text(f"Where is {number}?")
        assert found.places == ((str(yard.root / f"data/{number}.jsonl"), 1),)


def test_a_file_more_among_many_reads_few_of_them_again(yard: Yard):
    names = [f"data/{number}.jsonl" for number in range(40)]
    for number, name in enumerate(names):
        yard.jsonl(name, pairs(1, number))
    recipe = yard.recipe(sources={"a": {"jsonl": "data/*.jsonl"}})
    digests = sorted(hashlib.sha256((yard.root / name).read_bytes()).hexdigest() for name in names)
    end = digests[19][-2:]
    packs = 1 + sum(digest.endswith(end) for digest in digests[:-1])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(file_units, "PACK_END", end)
        assert yard.build(recipe).mixture.run()["units"]["done"]["ingest"] == packs
        yard.jsonl("data/more.jsonl", pairs(1, 99))
        units = yard.build(recipe).mixture.run()["units"]
    assert units["done"]["ingest"] == 1
    assert units["found"]["ingest"] == packs - 1


def test_a_small_file_that_changes_while_many_are_read(yard: Yard, monkeypatch: pytest.MonkeyPatch):
    for number in range(40):
        yard.jsonl(f"data/{number}.jsonl", pairs(1, number))
    recipe = yard.recipe(sources={"a": {"jsonl": "data/*.jsonl"}})
    original = ingest.ingest_files

    def changing(units: Any, executor: Any, tick: Any) -> Any:
        yard.jsonl("data/7.jsonl", pairs(1, 700))
        return original(units, executor, tick)

    with monkeypatch.context() as patch:
        patch.setattr(ingest, "ingest_files", changing)
        with pytest.raises(
            InputError, match=r"sources\.a: .*data/7\.jsonl: changed while it was read; run the command"
        ):
            yard.build(recipe)
    assert yard.build(recipe).mixture.rows["a"]["kept"] == 40


def test_the_first_rows_of_many_small_files(yard: Yard):
    for number in range(40):
        yard.jsonl(f"data/{number}.jsonl", pairs(2, 2 * number))
    built = yard.build(yard.recipe(sources={"a": {"jsonl": "data/*.jsonl"}}), limit=7)
    assert built.mixture.rows["a"]["read"] == 7


# Clean copies


def copies(yard: Yard) -> Contamination:
    yard.jsonl("data.jsonl", [*pairs(3), {"prompt": ITEM, "response": "none"}])
    items = yard.jsonl("e.jsonl", [{"id": "mill", "q": ITEM}])
    sets = {"e": EvaluationSet.model_validate({"jsonl": str(items), "question": "q", "id": "id"})}
    return decontaminate(yard.root / "data.jsonl", sets, "tulu3", workspace=yard.places.workspace)


def test_a_copy_of_a_file_that_changed_since_is_not_written(yard: Yard):
    examined = copies(yard)
    data = yard.root / "data.jsonl"
    data.write_bytes(json.dumps(pairs(1)[0]).encode() + b"\n" + data.read_bytes())
    with pytest.raises(InputError, match=r"data\.jsonl: changed since its rows were checked, and no clean copy was"):
        examined.write(yard.root / "out/clean")
    assert list((yard.root / "out").iterdir()) == []


@pytest.mark.parametrize("name", ["data.jsonl", "data.json", "data.csv", "data.parquet", "data.jsonl.gz"])
def test_a_file_of_any_kind_that_changed_since_is_not_copied(yard: Yard, name: str):
    import gzip

    def write(rows: list[dict[str, str]]) -> None:
        lines = b"".join(json.dumps(row).encode() + b"\n" for row in rows)
        place = yard.root / name
        if name.endswith(".parquet"):
            pl.DataFrame(rows).write_parquet(place)
        elif name.endswith(".csv"):
            pl.DataFrame(rows).write_csv(place)
        else:
            content = json.dumps(rows).encode() if name.endswith(".json") else lines
            place.write_bytes(gzip.compress(content, mtime=0) if name.endswith(".gz") else content)

    write([*pairs(3), *pairs(1)])
    examined = dedup(yard.root / name, workspace=yard.places.workspace)
    assert len(examined.rows) == 1
    write([*pairs(1, 50), *pairs(3), *pairs(1)])
    with pytest.raises(InputError, match=r"changed since its rows were checked"):
        examined.write(yard.root / "clean")
    assert not (yard.root / "clean").exists()
    write([*pairs(3), *pairs(1)])
    assert len(examined.write(yard.root / "clean")) == 2


def test_of_two_copies_at_once_one_is_told_of_the_other(yard: Yard):
    examined = copies(yard)
    part = make_folders(yard.root / ".clean.part")
    with (
        locked(part),
        pytest.raises(ConflictError, match=r"\.clean\.part: another command is at work here: process \d+"),
    ):
        examined.write(yard.root / "clean")
    examined.write(yard.root / "clean")
    assert not part.exists()
    with pytest.raises(ConflictError, match=r"clean: is there already"):
        examined.write(yard.root / "clean")
    assert not part.exists()


# Limits of the machine


@pytest.mark.skipif(shutil.which("prlimit") is None, reason="prlimit is not installed (util-linux)")
def test_a_limit_on_file_sizes_is_exit_6_whatever_is_written(yard: Yard):
    yard.jsonl("a.jsonl", varied(300))
    items = yard.jsonl("e.jsonl", [{"id": str(number), "q": f"{ITEM} {number}"} for number in range(50)])
    against = {"e": {"jsonl": str(items), "question": "q", "id": "id"}}
    stages = [{"ngram_decontamination": {"against": against}}]
    recipe = yard.write("recipe.yaml", yard.recipe(sources={"a": {"jsonl": "a.jsonl"}}, stages=stages).to_yaml())
    words = ["prlimit", "--fsize=20000", *MAIN, "build", str(recipe)]
    done = subprocess.run(words, cwd=yard.root, capture_output=True, text=True, check=False)
    assert done.returncode == 6, done.stderr
    assert "arrays.bin: file too large; raise the limit on file sizes" in done.stderr


def test_no_inode_left_is_exit_6(yard: Yard):
    yard.jsonl("a.jsonl", pairs(3))
    recipe = yard.write("recipe.yaml", yard.recipe(sources={"a": {"jsonl": "a.jsonl"}}).to_yaml())
    command = " ".join([*MAIN, "build", str(recipe)])
    script = f"mount -t tmpfs -o nr_inodes=9 tmpfs /mnt && cd /mnt && {command}"
    words = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", script]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if "unshare failed" in done.stderr or "mount: " in done.stderr:
        pytest.skip(f"no mount namespace here: {done.stderr.strip()}")
    assert done.returncode == 6, done.stderr
    assert "no space left on device" in done.stderr


def test_a_file_that_is_killed_while_it_is_written_is_not_there(yard: Yard):
    script = "import os, signal, sys; from pathlib import Path; from tulu_data.store.durable import whole\nwith whole(Path(sys.argv[1])) as f: f.write(b'x'); os.kill(os.getpid(), signal.SIGKILL)"
    place = yard.root / "file"
    assert subprocess.run([sys.executable, "-c", script, str(place)], check=False).returncode == -signal.SIGKILL
    assert not place.exists()
    write_text(place, "there")
    with durable(place) as file:
        file.write(b"other")
    assert place.read_bytes() == b"other"
