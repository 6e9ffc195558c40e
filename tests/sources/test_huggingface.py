"""Datasets of the Hub and of local folders: pinned, fetched once, read without their library."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from conftest import Yard, files_of
from hub_server import Hub
from tulu_data.building.gc import collect
from tulu_data.errors import InputError, RecipeError, TuluDataError, UsageError
from tulu_data.mixture.mixture import Mixture
from tulu_data.sources.huggingface import Huggingface

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
FORMAT = {"prompt": "question", "response": "answer"}


def rows(count: int, start: int = 0) -> list[dict[str, str]]:
    return [{"question": f"What is {n} + {n}?", "answer": f"{n + n}"} for n in range(start, start + count)]


def lines(values: list[Any]) -> bytes:
    return b"".join(json.dumps(value).encode() + b"\n" for value in values)


def card(*configs: str) -> bytes:
    return f"---\nconfigs:\n{''.join(configs)}---\n# A dataset\n".encode()


def config(name: str, **files: str) -> str:
    listed = "".join(f"  - split: {split}\n    path: {json.dumps(path)}\n" for split, path in files.items())
    return f"- config_name: {name}\n  data_files:\n{listed}"


def folder(yard: Yard, files: Mapping[str, bytes], name: str = "set") -> Path:
    for path, content in files.items():
        yard.write(f"{name}/{path}", content)
    return yard.root / name


def prepared(yard: Yard, **source: Any) -> list[Any]:
    """The records of a source."""
    opened = Huggingface(**source).resolved()
    found: list[Any] = []
    for file in opened.files(yard.root / "cache"):
        with opened.read(file) as reading:
            found += [record.value for record in reading.records]
    return found


def failure(yard: Yard, kind: type[TuluDataError] = InputError, **source: Any) -> str:
    with pytest.raises(kind) as caught:
        prepared(yard, **source)
    return str(caught.value).replace(f"{yard.root}/", "")


# Local folders


def as_parquet(values: list[Any]) -> bytes:
    sink = pa.BufferOutputStream()
    pq.write_table(pa.Table.from_pylist(values), sink, row_group_size=1000)
    return sink.getvalue().to_pybytes()


def as_arrow(values: list[Any]) -> bytes:
    table = pa.Table.from_pylist(values)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue().to_pybytes()


def as_text(values: list[Any], delimiter: str) -> bytes:
    table = [list(values[0]), *(list(value.values()) for value in values)]
    return "".join(f"{delimiter.join(row)}\n" for row in table).encode()


@pytest.mark.parametrize("ending", ["jsonl", "json", "csv", "tsv", "parquet", "arrow"])
def test_a_folder_is_read_whatever_plain_kind_its_files_are_of(yard: Yard, ending: str):
    words = [{"question": f"q{n}", "answer": f"a{n}"} for n in range(5)]
    content = {
        "jsonl": lines(words),
        "json": json.dumps(words).encode(),
        "csv": as_text(words, ","),
        "tsv": as_text(words, "\t"),
        "parquet": as_parquet(words),
        "arrow": as_arrow(words),
    }[ending]
    assert prepared(yard, huggingface=str(folder(yard, {f"train.{ending}": content}))) == words


def test_splits_come_from_names_of_files(yard: Yard):
    place = str(folder(yard, {"train.jsonl": lines(rows(2)), "test.jsonl": lines(rows(1, 50))}))
    assert prepared(yard, huggingface=place) == rows(2)
    assert prepared(yard, huggingface=place, split="test") == rows(1, 50)
    assert failure(yard, huggingface=place, split="tets") == (
        "set: no split 'tets'; there are train, test; did you mean 'test'?"
    )


def test_configs_come_from_the_card(yard: Yard):
    readme = card(config("main", train="a/*.jsonl"), config("socratic", train="b/x.jsonl", test="b/y.jsonl"))
    files = {"README.md": readme, "a/1.jsonl": lines(rows(1)), "a/2.jsonl": lines(rows(1, 1))}
    place = str(folder(yard, {**files, "b/x.jsonl": lines(rows(1, 7)), "b/y.jsonl": lines(rows(1, 8))}))
    assert prepared(yard, huggingface=place, config="main") == rows(2)
    assert prepared(yard, huggingface=place, config="socratic", split="test") == rows(1, 8)
    assert failure(yard, huggingface=place) == "set: which config? Say config: …; there are main, socratic"
    assert failure(yard, huggingface=place, config="mian") == (
        "set: no config 'mian'; there are main, socratic; did you mean 'main'?"
    )


def test_data_files_go_before_the_card(yard: Yard):
    place = str(folder(yard, {"a/1.jsonl": lines(rows(1)), "b/2.jsonl": lines(rows(1, 1)), "c.txt": b"text"}))
    assert prepared(yard, huggingface=place, data_files=["b/*.jsonl", "a/1.jsonl"]) == [*rows(1, 1), *rows(1)]
    assert failure(yard, huggingface=place, data_files="d/*.jsonl") == (
        "set: no data file that is read (.arrow, .csv, .json, .jsonl, .parquet, .tsv) matches d/*.jsonl"
    )


@pytest.mark.parametrize(
    ("said", "message"),
    [
        (
            {"split": "train[:10%]"},
            "'train[:10%]' is a slice; take a part of a split with: rows: 1000, or fraction: 0.1",
        ),
        ({"split": "train+test"}, "'train+test' are several splits; make a source of each"),
        ({"split": "a b"}, "'a b' is not the name of a split"),
        ({"data_files": "../x.jsonl"}, "'../x.jsonl' is not a path inside the dataset, such as data/train-*.parquet"),
        ({"data_files": ["https://a.example/x"]}, "'https://a.example/x' is not a path inside the dataset"),
        ({"streaming": True}, "unknown key 'streaming'"),
        ({"token": "hf_x"}, "unknown key 'token'"),
    ],
)
def test_what_a_recipe_may_not_say(yard: Yard, said: dict[str, Any], message: str):
    with pytest.raises(RecipeError) as caught:
        yard.recipe(sources={"a": {"huggingface": "openai/gsm8k", **said}})
    assert message in str(caught.value)


def test_a_message_names_the_whole_path_of_a_folder(yard: Yard):
    deep = yard.root / ("deep" * 30) / "set"
    deep.mkdir(parents=True)
    (deep / "train.pkl").write_bytes(b"boom")
    with pytest.raises(InputError) as caught:
        yard.mix(sources={"a": {"huggingface": str(deep)}})
    assert f"{deep}: has no data file that is read" in str(caught.value)


def test_a_folder_named_like_a_pattern_is_no_dataset_and_is_told_so(yard: Yard):
    yard.jsonl("set[1]/train.jsonl", rows(1))
    with pytest.raises(InputError, match="rename the folder, or read its files with: jsonl, csv or parquet"):
        yard.mix(sources={"a": {"huggingface": str(yard.root / "set[1]")}})


def test_what_names_no_dataset_is_told_with_a_name_that_does(yard: Yard):
    remedy = "is not a local folder, and not the name of a dataset, such as openai/gsm8k"
    assert failure(yard, UsageError, huggingface="squad") == f"squad: {remedy}"
    assert failure(yard, UsageError, huggingface="hf://datasets/openai/gsm8k") == (
        f"hf://datasets/openai/gsm8k: {remedy}; say: huggingface: openai/gsm8k"
    )
    place = folder(yard, {"train.jsonl": lines(rows(1))})
    assert failure(yard, huggingface=str(place), revision="main") == (
        "set@main: is a local folder, which has no revision; remove: revision"
    )
    with pytest.raises(UsageError, match="a dataset of the Hub is named with: huggingface: ORG/NAME"):
        yard.build(yard.recipe(sources={"a": {"jsonl": ""}}).model_copy(update={"sources": {"a": at_address()}}))


def at_address() -> Any:
    from tulu_data.sources.jsonl import Jsonl

    return Jsonl(jsonl="hf://datasets/openai/gsm8k/train.jsonl")


REFUSED = (
    "its data is read as '{}', which may run code or is not a table of texts; only arrow, csv, json, parquet are read"
)
BY_ENDING = "has no data file that is read (.arrow, .csv, .json, .jsonl, .parquet, .tsv); it has {}"
INERT: dict[str, tuple[dict[str, bytes], str]] = {
    "script": (
        {"script.py": b"boom", "train.jsonl": lines(rows(1))},
        (
            "has a dataset script, script.py, and scripts are never run; the Hub keeps the data of many such datasets "
            "as Parquet: revision: refs/convert/parquet"
        ),
    ),
    "pickle": ({"train.pkl": b"\x80\x05."}, BY_ENDING.format(".pkl")),
    "text": ({"train.txt": b"text\n"}, REFUSED.format("text")),
    "webdataset": ({"train.tar": bytes(1024)}, REFUSED.format("webdataset")),
    "images": ({"train/a.png": b"\x89PNG"}, REFUSED.format("imagefolder")),
    "xml": ({"train.xml": b"<a/>"}, REFUSED.format("xml")),
    "hdf5": ({"train.h5": b"\x89HDF"}, REFUSED.format("hdf5")),
    "elsewhere": (
        {"README.md": card(config("x", train="https://example.org/a.jsonl")), "train.jsonl": lines(rows(1))},
        "its card's config 'x' names 'https://example.org/a.jsonl', which is outside of the dataset; it is not read",
    ),
    "above": (
        {"README.md": card(config("x", train="../../a.jsonl")), "train.jsonl": lines(rows(1))},
        "its card's config 'x' names '../../a.jsonl', which is outside of the dataset; it is not read",
    ),
}


@pytest.mark.parametrize("name", INERT)
def test_nothing_that_may_run_code_is_opened(yard: Yard, name: str):
    files, message = INERT[name]
    assert failure(yard, huggingface=str(folder(yard, files, name))) == f"{name}: {message}"


def test_archives_are_refused(yard: Yard):
    import io
    import zipfile

    with zipfile.ZipFile(packed := io.BytesIO(), "w") as archive:
        archive.writestr("train.jsonl", lines(rows(1)))
    assert failure(yard, huggingface=str(folder(yard, {"train.zip": packed.getvalue()}))) == (
        "set: train.zip: archives are not read; unpack it into a local folder"
    )


def test_a_link_out_of_the_folder_is_refused(yard: Yard):
    yard.write("secret.jsonl", lines(rows(1)))
    place = folder(yard, {"a.txt": b""})
    (place / "train.jsonl").symlink_to(yard.root / "secret.jsonl")
    assert "set/train.jsonl: is a link to secret.jsonl, outside of " in failure(yard, huggingface=str(place))


def test_a_broken_file_is_named(yard: Yard):
    place = folder(yard, {"train.jsonl": b'{"question": 1}\n{"qu'})
    message = failure(yard, huggingface=str(place))
    assert message == (
        "set: train.jsonl:2: invalid_json: unexpected end of data at character 4; mend the file, "
        "or read it with jsonl: and max_quarantined:, which set such records aside"
    )


def test_rows_that_the_card_promises_must_be_there(yard: Yard):
    stated = "dataset_info:\n  features:\n  - {name: question, dtype: string}\n  - {name: answer, dtype: string}\n"
    splits = "  splits:\n  - {name: train, num_bytes: 1, num_examples: 3}\n"
    place = folder(yard, {"README.md": f"---\n{stated}{splits}---\n".encode(), "train.jsonl": lines(rows(2))})
    assert failure(yard, huggingface=str(place)) == (
        "set: its card promises 3 rows of the split 'train', and there are 2; fetch the dataset again, or mend its card"
    )
    folder(yard, {"train.jsonl": lines(rows(3))})
    assert prepared(yard, huggingface=str(place)) == rows(3)


def test_values_of_mixed_types_are_values_again(yard: Yard):
    mixed = [{"a": 1, "m": [{"role": "user", "content": "x"}]}, {"a": {"b": [None]}, "m": [{"role": "user", "x": 1}]}]
    assert prepared(yard, huggingface=str(folder(yard, {"train.jsonl": lines(mixed)}))) == mixed


def test_only_columns_that_are_used_are_read_and_images_stay_bytes(yard: Yard):
    import datasets

    values = [{**row, "image": {"bytes": b"no image", "path": None}} for row in rows(3)]
    features = datasets.Features({"question": datasets.Value("string"), "answer": datasets.Value("string")})
    features["image"] = datasets.Image()
    (yard.root / "set").mkdir()
    pq.write_table(pa.Table.from_pylist(values, schema=features.arrow_schema), yard.root / "set/train.parquet")
    source = Huggingface(huggingface=str(yard.root / "set"))
    (file,) = source.files(yard.root / "cache")
    with source.read(file, ("answer",)) as reading:
        assert [record.value for record in reading.records] == [{"answer": row["answer"]} for row in rows(3)]
        assert reading.columns == ("question", "answer", "image")
        assert reading.rows == 3
    built = yard.mix(sources={"a": {"huggingface": str(yard.root / "set"), "format": FORMAT, "drop_parts": ["image"]}})
    assert built.mixture.rows["a"]["kept"] == 3


def test_batches_point_into_the_file(yard: Yard):
    from tulu_data.readers import arrow_split

    source = Huggingface(huggingface=str(folder(yard, {"train.jsonl": lines(rows(5000))})))
    (file,) = source.files(yard.root / "cache")
    before = pa.total_allocated_bytes()
    with arrow_split.opened(file) as (_, count, batches):
        held = list(batches)
        assert sum(batch.num_rows for batch in held) == count == 5000
        assert max(batch.num_rows for batch in held) <= 1024
        assert pa.total_allocated_bytes() - before < 10_000 < sum(batch.nbytes for batch in held)


def test_a_file_edited_in_place_is_read_anew_whatever_its_time(yard: Yard):
    place = folder(yard, {"train.jsonl": lines(rows(1))})
    status = (place / "train.jsonl").stat()
    assert prepared(yard, huggingface=str(place)) == rows(1)
    folder(yard, {"train.jsonl": lines(rows(1, 3))})
    os.utime(place / "train.jsonl", ns=(status.st_atime_ns, status.st_mtime_ns))
    assert prepared(yard, huggingface=str(place)) == rows(1, 3)


@pytest.mark.parametrize("harm", ["flip", "remove", "collect"])
def test_an_arrow_file_that_is_not_whole_is_made_again(yard: Yard, harm: str):
    place = str(folder(yard, {"train.jsonl": lines(rows(2))}))
    source = Huggingface(huggingface=place)
    cache = yard.places.workspace / "sources"
    (file,) = source.files(cache)
    before = file.read_bytes()
    if harm == "flip":
        file.write_bytes(before.replace(b"What", b"whAt"))
    elif harm == "remove":
        file.unlink()
    else:
        assert collect(yard.places.workspace, yard.places.out).left == 0
    assert source.files(cache) == (file,)
    assert file.read_bytes() == before


def test_a_large_split_is_several_files_and_all_of_them_are_there(yard: Yard, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("tulu_data.readers.arrow_split._SHARD_SIZE", "100KB")
    place = str(folder(yard, {"train.parquet": as_parquet(rows(10_000))}))
    source = Huggingface(huggingface=place)
    files = source.files(yard.root / "cache")
    assert len(files) > 2
    assert prepared(yard, huggingface=place) == rows(10_000)
    files[1].unlink()
    assert prepared(yard, huggingface=place) == rows(10_000)


def test_a_damaged_arrow_file_is_told(yard: Yard):
    source = Huggingface(huggingface=str(folder(yard, {"train.jsonl": lines(rows(2))})))
    (file,) = source.files(yard.root / "cache")
    file.write_bytes(file.read_bytes()[:-200])
    with (
        pytest.raises(InputError, match=r"damaged, or not Arrow: .*; remove it, and build again"),
        source.read(file) as it,
    ):
        list(it.records)


def test_an_empty_split_is_no_row(yard: Yard):
    place = str(folder(yard, {"train.jsonl": b""}))
    with pytest.raises(InputError, match="no row in 0 files; if that is right, say: allow_empty: true"):
        yard.mix(sources={"a": {"huggingface": place}})
    assert yard.mix(sources={"a": {"huggingface": place, "allow_empty": True}}).mixture.rows["a"]["read"] == 0


# In a process of its own, since the Hub's client reads its settings when it is imported

CLIENT = """
import json, sys
from pathlib import Path
from tulu_data.errors import TuluDataError
from tulu_data.sources.huggingface import Huggingface
for values in json.load(sys.stdin):
    try:
        source = Huggingface(**values).resolved()
        print(json.dumps(["ok", source.revision, [str(file) for file in source.files(Path(sys.argv[1]))]]))
    except TuluDataError as error:
        print(json.dumps([type(error).__name__, error.exit_code, str(error)]))
"""
# Refuses and writes down whatever would leave this machine.
NO_WAY_OUT = """
import os, socket
connect = socket.socket.connect
def watched(self, address):
    if self.family in (socket.AF_INET, socket.AF_INET6) and address[0] != "127.0.0.1":
        open(os.environ["WAYS_OUT"], "a").write(f"{address}\\n")
        raise OSError(101, "Network is unreachable")
    return connect(self, address)
def getaddrinfo(host, *rest, real=socket.getaddrinfo, **more):
    if host not in ("127.0.0.1", b"127.0.0.1", "localhost"):
        open(os.environ["WAYS_OUT"], "a").write(f"{host}\\n")
        raise socket.gaierror(-2, "Name or service not known")
    return real(host, *rest, **more)
socket.socket.connect, socket.getaddrinfo = watched, getaddrinfo
"""
KEPT = ("PATH", "LANG", "LC_ALL", "HOME", "SSL_CERT_FILE")


class Done(NamedTuple):
    code: int
    out: str
    err: str


class Desk:
    """A folder with a home for the Hub's client, from which commands run."""

    def __init__(self, root: Path, hub: Hub) -> None:
        self.root, self.hub = root, hub
        (root / "site").mkdir()
        (root / "site" / "sitecustomize.py").write_text(NO_WAY_OUT)

    def environment(self, home: str = "home", **more: str) -> dict[str, str]:
        return {
            **{name: os.environ[name] for name in KEPT if name in os.environ},
            "PYTHONPATH": f"{self.root / 'site'}:{ROOT}",
            "WAYS_OUT": str(self.root / "ways_out"),
            "HF_ENDPOINT": self.hub.endpoint,
            "HF_HOME": str(self.root / home),
            "HF_HUB_DISABLE_XET": "1",
            **more,
        }

    def build(self, source: dict[str, Any], *words: str, at: str = "here", command: str = "build", **more: str) -> Done:
        (self.root / at).mkdir(exist_ok=True)
        recipe = self.root / at / "recipe.yaml"
        recipe.write_text(json.dumps({"name": "mix", "sources": {"a": {"format": FORMAT, **source}}}))
        done = subprocess.run(
            [sys.executable, "-m", "tulu_data", command, "recipe.yaml", *words],
            cwd=self.root / at,
            env=self.environment(**more),
            capture_output=True,
            text=True,
            check=False,
        )
        return Done(done.returncode, done.stdout, done.stderr)

    def mixture(self, at: str = "here") -> Mixture:
        folder = self.root / at / "mixtures" / "mix"
        return Mixture(folder / (folder / "LATEST").read_text().strip())

    def ask(self, *sources: dict[str, Any], cache: str = "cache", **more: str) -> list[Any]:
        """What becomes of some sources, one after another in one process."""
        done = subprocess.run(
            [sys.executable, "-c", CLIENT, str(self.root / cache)],
            input=json.dumps(sources),
            env=self.environment(**more),
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stderr == ""
        return [json.loads(line) for line in done.stdout.splitlines()]

    def rows(self, outcome: list[Any]) -> list[Any]:
        kind, revision, files = outcome
        assert kind == "ok", outcome
        source = Huggingface(huggingface="openai/gsm8k", revision=revision)
        found: list[Any] = []
        for file in files:
            with source.read(Path(file)) as reading:
                found += [record.value for record in reading.records]
        return found


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with Hub() as hub:
        yield Desk(tmp_path, hub)
    assert not (tmp_path / "ways_out").exists()


GSM8K = {
    "README.md": card(
        config("main", train="main/train-*.parquet", test="main/test-*.parquet"), config("socratic", train="s.jsonl")
    ),
    "main/train-00000-of-00002.parquet": as_parquet(rows(3)),
    "main/train-00001-of-00002.parquet": as_parquet(rows(3, 3)),
    "main/test-00000-of-00001.parquet": as_parquet(rows(2, 90)),
    "s.jsonl": lines(rows(1, 70)),
}
MAIN = {"huggingface": "openai/gsm8k", "config": "main"}


def test_a_mixture_of_a_hub_dataset_says_its_commit_and_follows_the_branch_only_when_told(desk: Desk):
    gsm8k = desk.hub.dataset("openai/gsm8k", GSM8K)
    first = gsm8k.branches["main"]
    assert desk.build(MAIN).code == 0
    before = desk.mixture()
    assert f"revision: {first}" in (before.folder / "recipe.yaml").read_text()
    assert before.rows["a"]["kept"] == 6
    assert set(before.manifest["sources"]["a"]["made_by"]) == {"datasets", "pandas", "pyarrow"}
    fetched = {seen.path.rsplit("/", 1)[1] for seen in desk.hub.seen if "/resolve/" in seen.path}
    assert fetched == {"README.md", "train-00000-of-00002.parquet", "train-00001-of-00002.parquet"}
    assert all(
        seen.path.startswith(("/api/datasets/openai/gsm8k/", "/datasets/openai/gsm8k/")) for seen in desk.hub.seen
    )
    assert not (desk.root / "home" / "datasets").exists()

    again = desk.build(MAIN, "--json")
    assert (json.loads(again.out)["status"], again.err) == ("unchanged", "")

    second = gsm8k.commit({"main/train-00002-of-00002.parquet": as_parquet(rows(1, 6))}, "one more")
    assert json.loads(desk.build(MAIN, "--json").out)["rows"]["a"]["kept"] == 7
    assert f"revision: {second}" in (desk.mixture().folder / "recipe.yaml").read_text()

    desk.hub.seen.clear()
    pinned = json.loads(desk.build({**MAIN, "revision": first}, "--json").out)
    assert (pinned["version"], pinned["status"]) == (before.version, "unchanged")
    assert desk.hub.seen == []


def test_the_same_data_gives_the_same_mixture_in_any_home(desk: Desk):
    desk.hub.dataset("openai/gsm8k", GSM8K)
    assert desk.build(MAIN, at="one", home="home1", PYTHONHASHSEED="1").code == 0
    assert desk.build(MAIN, at="two", home="home2", PYTHONHASHSEED="2").code == 0
    assert files_of(desk.mixture("one").folder) == files_of(desk.mixture("two").folder)


def test_arrow_files_have_the_same_bytes_in_any_cache(desk: Desk):
    mixed = lines([{"a": 1, "b": {"z": 1, "y": 2}}, {"a": "x", "b": {"c": 3}}])
    desk.hub.dataset("me/made", {"a.jsonl": mixed})
    desk.hub.dataset("me/table", {"b.csv": b"a,b\n1,x\n2,y\n"})
    sources = [{"huggingface": "me/made"}, {"huggingface": "me/table"}, MAIN]
    desk.hub.dataset("openai/gsm8k", GSM8K)
    made = [
        [[Path(file).read_bytes() for file in outcome[2]] for outcome in desk.ask(*sources, **said)]
        for said in (
            {"cache": "one", "home": "home1", "PYTHONHASHSEED": "1"},
            {"cache": "elsewhere/two", "home": "home2", "PYTHONHASHSEED": "77", "TZ": "Asia/Tokyo"},
        )
    ]
    assert made[0] == made[1]
    assert all(len(files) == 1 for files in made[0])


def test_branches_tags_and_commits(desk: Desk):
    gsm8k = desk.hub.dataset("openai/gsm8k", GSM8K)
    first = gsm8k.branches["main"]
    gsm8k.tags["v1"] = first
    later = {
        "main/train-00000-of-00002.parquet": as_parquet(rows(1, 40)),
        "main/train-00001-of-00002.parquet": as_parquet(rows(1, 41)),
    }
    second = gsm8k.commit(later)
    converted = gsm8k.commit({"main/train/0000.parquet": as_parquet(rows(1, 60))}, branch="refs/convert/parquet")
    of = {"huggingface": "openai/gsm8k"}
    outcomes = desk.ask(
        {**MAIN, "revision": "v1"},
        MAIN,
        {**MAIN, "revision": first},
        {**of, "revision": "refs/convert/parquet"},
        {**MAIN, "revision": "v9"},
        {**MAIN, "split": "test"},
        {**MAIN, "config": "man"},
        {**MAIN, "split": "trian"},
    )
    assert [outcome[1] for outcome in outcomes[:4]] == [first, second, first, converted]
    assert [desk.rows(outcome) for outcome in outcomes[:4]] == [rows(6), rows(2, 40), rows(6), rows(1, 60)]
    assert desk.rows(outcomes[5]) == rows(2, 90)
    assert outcomes[4] == [
        "HubError",
        7,
        "openai/gsm8k@v9: the dataset has no branch, tag or commit 'v9'; name another revision, or none for the branch main",
    ]
    at = f"openai/gsm8k@{second[:12]}"
    assert outcomes[6:] == [
        ["InputError", 3, f"{at}: no config 'man'; there are main, socratic; did you mean 'main'?"],
        ["InputError", 3, f"{at}: no split 'trian'; there are train, test; did you mean 'train'?"],
    ]


def test_what_the_hub_refuses_is_told_in_plain_words(desk: Desk):
    plain = {"train.jsonl": lines(rows(2))}
    desk.hub.dataset("me/private", plain, private=True)
    gated = desk.hub.dataset("me/gated", plain, gated=True).branches["main"][:12]
    nope, private, closed = ({"huggingface": name} for name in ("me/nope", "me/private", "me/gated"))
    missing = (
        "the Hub has no such dataset, or it is private and your token{} does not open it; "
        "check the name, or run: hf auth login"
    )
    gate = "is gated, and your token{} has no access; ask for it on the dataset's page, then run: hf auth login"
    without = desk.ask(nope, private, closed)
    none = " (there is none here)"
    assert without == [
        ["HubError", 7, f"me/nope: {missing.format(none)}"],
        ["HubError", 7, f"me/private: {missing.format(none)}"],
        ["HubError", 7, f"me/gated@{gated}: {gate.format(none)}"],
    ]
    assert not any(seen.token for seen in desk.hub.seen)
    with_token = desk.ask(nope, private, closed, HF_TOKEN=desk.hub.token)
    assert with_token[0][2] == f"me/nope: {missing.format('')}"
    assert desk.rows(with_token[1]) == rows(2)
    assert with_token[2][2] == f"me/gated@{gated}: {gate.format('')}"


def test_a_hub_that_fails_is_told_with_its_status(desk: Desk):
    desk.hub.dataset("openai/gsm8k", GSM8K)
    desk.hub.fail(1, 503, "/revision/main")
    done = desk.build(MAIN)
    assert (done.code, done.out) == (7, "")
    assert done.err == (
        "error: sources.a: openai/gsm8k: the Hub answered 503 (Service Unavailable); "
        "wait, and run the same command again\n"
    )
    desk.hub.fail(1, 429, "/revision/main")
    desk.hub.fail(1, 403, "/revision/main")
    outcomes = desk.ask(MAIN, MAIN, MAIN)
    assert [outcome[2] for outcome in outcomes[:2]] == [
        "openai/gsm8k: the Hub answered 429 (Too Many Requests); wait, and run the same command again",
        "openai/gsm8k: the Hub refuses your token (403); make a new one, then run: hf auth login",
    ]
    assert desk.rows(outcomes[2]) == rows(6)


def test_nothing_on_the_hub_that_may_run_code_is_fetched(desk: Desk):
    for name, (files, _) in INERT.items():
        desk.hub.dataset(f"me/{name}", files)
    outcomes = desk.ask(*({"huggingface": f"me/{name}"} for name in INERT))
    told = [(kind, code, message.split(": ", 1)[1]) for kind, code, message in outcomes]
    assert told == [("InputError", 3, message) for _, message in INERT.values()]
    assert {seen.path.rsplit("/", 1)[1] for seen in desk.hub.seen if "/resolve/" in seen.path} == {"README.md"}


def test_without_a_network_what_was_fetched_is_taken(desk: Desk):
    gsm8k = desk.hub.dataset("openai/gsm8k", GSM8K)
    first = gsm8k.branches["main"]
    of_split = {**MAIN, "revision": "main"}
    assert desk.rows(desk.ask(MAIN)[0]) == rows(6)
    gsm8k.commit({"s.jsonl": b""})
    remedy = "the Hub can't be reached, and the cache does not have all of it; fetch it where there is a network: hf download"
    unreachable = [
        ["HubError", 7, f"openai/gsm8k@{first[:12]}: {remedy} openai/gsm8k --repo-type dataset --revision {first}"],
        ["HubError", 7, f"openai/gsm8k@v1: {remedy} openai/gsm8k --repo-type dataset --revision v1"],
        ["HubError", 7, f"me/other: {remedy} me/other --repo-type dataset --revision main"],
    ]
    asked = [MAIN, of_split, {**MAIN, "config": "socratic"}, {**MAIN, "revision": "v1"}, {"huggingface": "me/other"}]
    desk.hub.seen.clear()
    offline = desk.ask(*asked, cache="another", HF_HUB_OFFLINE="1")
    assert desk.hub.seen == []
    # A file that is not there is asked for several times before a client gives up.
    down = desk.ask(*asked[:2], *asked[3:], cache="third", HF_ENDPOINT="http://127.0.0.1:9")
    assert desk.rows(offline[0]) == desk.rows(down[0]) == rows(6)
    assert [outcome[1] for outcome in (*offline[:2], *down[:2])] == [first] * 4
    assert offline[2:] == unreachable
    assert down[2:] == unreachable[1:]


def test_no_token_is_left_anywhere(desk: Desk):
    canary = "hf_CanaryOfATokenThatNobodyMaySee"
    desk.hub.token = canary
    desk.hub.dataset("openai/gsm8k", GSM8K, private=True)
    done = [desk.build(MAIN, command=command, HF_TOKEN=canary) for command in ("plan", "build")]
    desk.hub.fail(1, 500, "/revision/")
    done += [desk.build(MAIN, HF_TOKEN=canary), desk.build({**MAIN, "revision": "v9"}, HF_TOKEN=canary)]
    assert [run.code for run in done] == [0, 0, 7, 7]
    assert any(seen.token for seen in desk.hub.seen)
    assert all(canary not in run.out + run.err for run in done)
    written = [path for path in desk.root.rglob("*") if path.is_file()]
    assert len(written) > 10
    assert [path for path in written if canary.encode() in path.read_bytes()] == []


def test_plan_and_explain_know_a_hub_dataset(desk: Desk):
    desk.hub.dataset("openai/gsm8k", GSM8K)
    planned = json.loads(desk.build(MAIN, "--json", command="plan").out)["sources"]["a"]
    assert planned["expected_rows"] == 6
    assert planned["preview"][0][0] == {"role": "user", "content": "What is 0 + 0?"}
    assert desk.build(MAIN).code == 0
    words = ["explain", "mix", f"{planned['files'][0]['path']}:5", "--json"]
    done = subprocess.run(
        [sys.executable, "-m", "tulu_data", *words],
        cwd=desk.root / "here",
        env=desk.environment(),
        capture_output=True,
        check=True,
    )
    (told,) = json.loads(done.stdout)
    assert (told["fate"], told["messages"][0]["content"]) == ("kept", "What is 4 + 4?")


def test_neither_help_nor_reading_imports_the_library(yard: Yard):
    source = Huggingface(huggingface=str(folder(yard, {"train.jsonl": lines(rows(1))})))
    (file,) = source.files(yard.root / "cache")
    code = f"""
import sys, pathlib, pickle
from tulu_data.cli.cli import cli
cli(["--help"], standalone_mode=False)
from tulu_data.sources.huggingface import Huggingface
with Huggingface(huggingface="a/b").read(pathlib.Path({str(file)!r})) as reading:
    assert len(list(reading.records)) == 1
assert not {{"datasets", "huggingface_hub", "pandas"}} & set(sys.modules)
"""
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, cwd=ROOT)


def test_texts_that_look_like_numbers_and_dates_stay_as_they_are(yard: Yard):
    words = [
        {"question": "Code of the agent?", "answer": "007", "day": "2021-03-04"},
        {"question": "Abbreviation of North America?", "answer": "NA", "day": "2021-03-05"},
        {"question": "1e5", "answer": "1.50", "day": "2021-03-06T07:08:09"},
        {"question": "True", "answer": "", "day": "null"},
    ]
    for ending, content in (("csv", as_text(words, ",")), ("tsv", as_text(words, "\t")), ("jsonl", lines(words))):
        place = folder(yard, {f"train.{ending}": content})
        assert prepared(yard, huggingface=str(place)) == words
        (place / f"train.{ending}").unlink()


def test_a_card_may_say_that_a_column_of_csv_holds_numbers(yard: Yard):
    stated = "dataset_info:\n  features:\n  - {name: a, dtype: string}\n  - {name: b, dtype: int64}\n"
    place = folder(yard, {"README.md": f"---\n{stated}---\n".encode(), "train.csv": b"a,b\n01,01\nNA,NA\n"})
    assert prepared(yard, huggingface=str(place)) == [{"a": "01", "b": 1}, {"a": "NA", "b": None}]


def test_records_of_json_are_not_padded_with_keys_of_others(yard: Yard):
    words = [{"a": [{"x": 1}], "b": "t"}, {"a": [{"y": {"z": None}}, 2.5], "b": None}, {"b": "u", "c": True}]
    place = folder(yard, {"train.jsonl": lines(words)})
    assert prepared(yard, huggingface=str(place)) == [
        {"a": [{"x": 1}], "b": "t", "c": None},
        {"a": [{"y": {"z": None}}, 2.5], "b": None, "c": None},
        {"a": None, "b": "u", "c": True},
    ]


def test_a_saved_dataset_has_the_splits_that_it_says(yard: Yard):
    import datasets

    place = yard.root / "saved"
    both = datasets.DatasetDict(
        {"train": datasets.Dataset.from_list(rows(3)), "test": datasets.Dataset.from_list(rows(2, 9))}
    )
    both.save_to_disk(str(place))
    # A file that a cache has left is no part of the split.
    (place / "train" / "cache-1.arrow").write_bytes((place / "test" / "data-00000-of-00001.arrow").read_bytes())
    assert prepared(yard, huggingface=str(place)) == rows(3)
    assert prepared(yard, huggingface=str(place), split="test") == rows(2, 9)
    assert failure(yard, huggingface=str(place), split="tset").endswith(
        "no split 'tset'; there are train, test; did you mean 'test'?"
    )


def test_a_saved_split_is_read_without_what_lies_beside_it(yard: Yard):
    import datasets

    place = yard.root / "one"
    datasets.Dataset.from_list(rows(3)).save_to_disk(str(place))
    (place / "cache-1.arrow").write_bytes((place / "data-00000-of-00001.arrow").read_bytes())
    assert prepared(yard, huggingface=str(place)) == rows(3)
    state = json.loads((place / "state.json").read_text())
    for change, told in (
        ({"_indices_data_files": [{"filename": "indices.arrow"}]}, "its rows are chosen by an index"),
        ({"_data_files": [{"filename": "../x.arrow"}]}, "names no data files beside it"),
        ({"_split": "test"}, "no split 'train'; there is test"),
    ):
        (place / "state.json").write_text(json.dumps({**state, **change}))
        assert told in failure(yard, huggingface=str(place))
