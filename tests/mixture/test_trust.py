"""What comes from others is data: no code of it runs, and none of it counts as built here."""

from __future__ import annotations

import hashlib
import importlib
import json
import py_compile
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from conftest import Yard, files_of, pairs
from tulu_data.audit import as_values
from tulu_data.building.build import build
from tulu_data.building.manifest import to_text
from tulu_data.building.rebuild import rebuild
from tulu_data.errors import ConflictError, InvariantError, RecipeError, ResourceError, UsageError
from tulu_data.mixture import layout, origin
from tulu_data.mixture.difference import Difference
from tulu_data.mixture.explain import Explainer
from tulu_data.mixture.mixture import LATEST, Mixture, find
from tulu_data.recipe import reading
from tulu_data.store import outside
from tulu_data.store.workspace import Workspace
from tulu_data.verifying.levels import Verification
from tulu_data.verifying.verify import verify
from tulu_data.without_recipe.contaminated import described

STAGE = '''"""Leaves a trace when it is imported."""

from pathlib import Path

from tulu_data.stages.length_filter import LengthFilter

Path({trace!r}).touch()


class Traced(LengthFilter):
    """Keep what is long enough.

        - traced: {{min_characters: 1}}
    """
'''
SOURCES = {"a": {"jsonl": "a.jsonl"}}


@pytest.fixture
def mine(yard: Yard) -> Yard:
    yard.jsonl("a.jsonl", [*pairs(6), *pairs(2)])
    return yard


def sealed(folder: Path, change: Callable[[dict[str, Any]], object] = lambda facts: None) -> Mixture:
    """A version whose manifest names the files that are there, as a stranger would seal it."""
    facts = json.loads((folder / "manifest.json").read_text())
    change(facts)
    names = [path.relative_to(folder).as_posix() for path in sorted(folder.rglob("*")) if path.is_file()]
    facts["files"] = {
        name: {"sha256": sha256(folder / name), "bytes": (folder / name).stat().st_size}
        for name in names
        if name not in ("manifest.json", "SHA256SUMS")
    }
    (folder / "manifest.json").write_text(to_text(facts))
    sums = {name: entry["sha256"] for name, entry in facts["files"].items()}
    sums["manifest.json"] = sha256(folder / "manifest.json")
    (folder / "SHA256SUMS").write_text("".join(f"{digest}  {name}\n" for name, digest in sorted(sums.items())))
    return Mixture(folder)


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


# --- code


@pytest.fixture
def strange(yard: Yard, request: pytest.FixtureRequest) -> Mixture:
    """A mixture of a stranger's: its recipe names a file that lies in it, and leaves a trace where it is imported."""
    theirs = Yard(yard.root / "theirs")
    theirs.jsonl("a.jsonl", [*pairs(6), *pairs(2)])
    theirs.jsonl("e.jsonl", [{"question": "How many apples are left on the table at noon?"}])
    against = {"e": {"jsonl": str(theirs.root / "e.jsonl"), "question": "question"}}
    stages = [{"length_filter": {"min_characters": 1}}, {"ngram_decontamination": {"against": against}}]
    made = theirs.mix(sources=SOURCES, stages=[*stages, {"exact_dedup": {"max_removed": 1}}], version="v1")
    folder = made.mixture.folder
    name = f"traced_{abs(hash(request.node.name))}"
    (folder / f"{name}.py").write_text(STAGE.format(trace=str(yard.root / "trace")))
    text = (folder / "recipe.yaml").read_text()
    (folder / "recipe.yaml").write_text(text.replace("length_filter:", f"{folder / name}.py:Traced:"))
    return sealed(folder)


def code_of(mixture: Mixture) -> Path:
    (path,) = mixture.folder.glob("*.py")
    return path


def removed_id(mixture: Mixture) -> str:
    return str(pl.read_parquet(mixture.evidence["exact_dedup"])["id"][0])


@pytest.mark.parametrize(
    "read",
    [
        lambda mixture: Explainer(mixture).with_item(Explainer(mixture).by_id(removed_id(mixture))[0]),
        lambda mixture: Explainer(mixture).removed(None, None, 5),
        lambda mixture: Explainer(mixture).by_text("What is 1"),
        as_values,
        lambda mixture: Difference.between(mixture, mixture).as_values(),
        lambda mixture: described("e", mixture),
        lambda mixture: Verification(mixture.folder).run(),
        lambda mixture: verify(str(mixture.folder), Path("mixtures"), Path(".tulu-data")),
    ],
    ids=["explain", "removed", "text", "audit", "diff", "contaminated", "files", "verify"],
)
def test_reading_a_mixture_runs_no_code_that_its_recipe_names(strange: Mixture, yard: Yard, read: Callable[..., Any]):
    read(strange)
    assert not (yard.root / "trace").exists()


def test_a_recipe_of_a_mixture_is_built_only_with_code_that_was_trusted(strange: Mixture, yard: Yard):
    code = code_of(strange)
    recipe = strange.folder / "recipe.yaml"
    for command in (
        lambda: build(recipe, yard.places),
        lambda: build(recipe, yard.places, trusted=["0" * 64]),
        lambda: verify(str(strange.folder), Path("mixtures"), yard.places.workspace, rebuild=rebuild),
    ):
        with pytest.raises(RecipeError) as caught:
            command()
        assert "is code from outside, which nobody trusted yet; it was not run. It would run\n" in str(caught.value)
        assert f"  {sha256(code)}  {code}\n" in str(caught.value)
        assert f"to let just these bytes run, give: --trust-code {sha256(code)}" in str(caught.value)
    assert not (yard.root / "trace").exists()
    assert build(recipe, yard.places, trusted=[sha256(code)]).mixture.rows["a"]["kept"] == 6
    assert (yard.root / "trace").exists()


def test_a_link_to_a_recipe_of_a_mixture_is_that_recipe(strange: Mixture, yard: Yard):
    link = yard.root / "mine.yaml"
    link.symlink_to(strange.folder / "recipe.yaml")
    with pytest.raises(RecipeError, match="nobody trusted yet"):
        reading.load(link)
    copy = yard.write("copy.yaml", (strange.folder / "recipe.yaml").read_text())
    with pytest.raises(RecipeError, match="nobody trusted yet"):
        reading.load(copy)
    assert not (yard.root / "trace").exists()


def test_code_that_a_mixture_names_and_that_is_not_here_is_asked_for(strange: Mixture):
    code_of(strange).unlink()
    with pytest.raises(RecipeError, match="No code comes with a mixture: ask its publisher for it"):
        reading.load(strange.folder / "recipe.yaml")


def test_an_installed_package_is_not_imported_for_a_stranger_either(strange: Mixture):
    recipe = strange.folder / "recipe.yaml"
    recipe.write_text(recipe.read_text().replace(f"{code_of(strange)}:Traced", "this:Zen"))
    with pytest.raises(RecipeError, match="'this:Zen' is code from outside"):
        reading.load(recipe)
    assert "this" not in sys.modules


def test_a_recipe_of_ones_own_runs_its_code_as_it_is_or_as_it_was_trusted(mine: Yard):
    code = mine.write("traced_mine.py", STAGE.format(trace=str(mine.root / "trace")))
    text = f"name: mix\nsources: {{a: {{jsonl: {mine.root}/a.jsonl}}}}\nstages: ['{code}:Traced']\n"
    recipe = mine.write("mix.yaml", text)
    with pytest.raises(RecipeError, match="nobody trusted yet"):
        reading.load(recipe, trusted=["0" * 64])
    assert not (mine.root / "trace").exists()
    made = build(recipe, mine.places).mixture
    assert (mine.root / "trace").exists()
    # The mixture was built here, so its recipe is one's own; changed by hand it is anybody's.
    assert build(made.folder / "recipe.yaml", mine.places).status == "unchanged"
    assert made.stage_of("traced") is None
    (made.folder / "recipe.yaml").write_text(text)
    with pytest.raises(RecipeError, match="nobody trusted yet"):
        build(made.folder / "recipe.yaml", mine.places)


def test_what_the_file_imports_beside_it_is_shown_and_nothing_else_is_found(tmp_path: Path):
    (tmp_path / "first_of_three.py").write_text("import second_of_three, json\nfrom third_of_three import deep\n")
    (tmp_path / "second_of_three.py").write_text("import first_of_three\n")
    (tmp_path / "third_of_three").mkdir()
    (tmp_path / "third_of_three/__init__.py").write_text("")
    (tmp_path / "third_of_three/deep.py").write_text("")
    (tmp_path / "json.py").write_text("raise SystemExit('json of a stranger')\n")
    (tmp_path / "unasked_of_three.py").write_text("raise SystemExit('not asked for')\n")
    files = outside.files_of(f"{tmp_path}/first_of_three.py:X")
    assert [file.module for file in files] == [
        "first_of_three",
        "second_of_three",
        "third_of_three",
        "third_of_three.deep",
    ]
    outside.admit(files)
    import first_of_three  # type: ignore[import-not-found]

    assert first_of_three.json is json
    assert str(tmp_path) not in sys.path
    with pytest.raises(ModuleNotFoundError):
        import unasked_of_three  # type: ignore[import-not-found] # noqa: F401


def test_compiled_code_beside_a_file_is_not_run_in_its_place(tmp_path: Path):
    file = tmp_path / "compiled_beside.py"
    file.write_text("said = 'compiled'\n")
    py_compile.compile(str(file), invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH)
    file.write_text("said = 'source'\n")
    outside.admit(outside.files_of(f"{file}:X"))
    import compiled_beside  # type: ignore[import-not-found]

    assert compiled_beside.said == "source"


def test_what_of_a_package_was_not_looked_at_is_not_found(tmp_path: Path):
    package = tmp_path / "package_beside"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "hidden.py").write_text("raise SystemExit('not looked at')\n")
    py_compile.compile(str(package / "hidden.py"), cfile=str(package / "hidden.pyc"))
    (package / "hidden.py").unlink()
    (tmp_path / "names_hidden.py").write_text("import package_beside.hidden\n")
    outside.admit(outside.files_of(f"{tmp_path}/names_hidden.py:X"))
    (package / "later.py").write_text("raise SystemExit('written later')\n")
    for name in ("names_hidden", "package_beside.later"):
        with pytest.raises(ModuleNotFoundError):
            importlib.import_module(name)


def test_code_that_changes_after_it_was_looked_at_is_not_run(tmp_path: Path):
    file = tmp_path / "changing_code.py"
    file.write_text("said = 1\n")
    outside.admit(outside.files_of(f"{file}:X"))
    file.write_text("said = 2\n")
    with pytest.raises(UsageError, match=r"changing_code\.py: changed since it was looked at"):
        import changing_code  # type: ignore[import-not-found] # noqa: F401


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("return None", "measure returned nothing, not a polars DataFrame with a line for each row"),
        ("return [1] * len(rows)", "measure returned a builtins.list, not a polars DataFrame"),
        ("return pl.LazyFrame({'x': [1] * len(rows)})", "measure returned a polars.LazyFrame, .*; call collect"),
        ("return pl.DataFrame({'x': [1]})", "measured 1 rows of 8"),
    ],
)
def test_a_stage_that_returns_no_frame_is_told_with_its_file(mine: Yard, body: str, message: str):
    name = f"returns_{hashlib.sha256(body.encode()).hexdigest()[:8]}"
    code = mine.write(f"{name}.py", CUSTOM.format(measure=body, judge="return none(self.evidence)"))
    recipe = mine.recipe(sources=SOURCES, stages=[f"{code}:Custom"])
    with pytest.raises(InvariantError, match=rf"stage custom: .*{name}\.py:\d+: {message}"):
        mine.build(recipe)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("return None", "judge returned nothing, not a polars DataFrame of verdicts"),
        ("return measures", r"its verdicts have the columns \['row', 'x'\], not \['row', 'copies', 'reason'\]"),
    ],
)
def test_a_stage_that_gives_no_verdicts_is_told_with_its_file(mine: Yard, body: str, message: str):
    name = f"judges_{hashlib.sha256(body.encode()).hexdigest()[:8]}"
    measure = "return pl.DataFrame({'x': [1] * len(rows)})"
    code = mine.write(f"{name}.py", CUSTOM.format(measure=measure, judge=body))
    with pytest.raises(InvariantError, match=rf"stage custom: .*{name}\.py:\d+: {message}"):
        mine.build(mine.recipe(sources=SOURCES, stages=[f"{code}:Custom"]))


CUSTOM = """import polars as pl
from tulu_data.stage import Filter
from tulu_data.verdicts import none


class Custom(Filter):
    def measure(self, rows):
        {measure}

    def judge(self, measures):
        {judge}
"""


def test_a_file_without_its_class_is_answered_with_its_classes(mine: Yard):
    code = mine.write("no_class_named.py", CUSTOM.format(measure="pass", judge="pass"))
    with pytest.raises(RecipeError, match=rf"names a file and no class in it; write {code}:Custom"):
        mine.recipe(sources=SOURCES, stages=[str(code)])
    with pytest.raises(RecipeError, match=r"nothing\.py: no such file .*; name a stage by file and class"):
        mine.recipe(sources=SOURCES, stages=["./nothing.py"])


# --- what was built here


def poisoned(yard: Yard, digest: str, **parts: Any) -> Path:
    """A stranger's version of other rows, sealed with the digest of a build of somebody else."""
    theirs = Yard(yard.root / "theirs")
    theirs.jsonl("a.jsonl", [{**row, "response": f"BACKDOOR {row['response']}"} for row in pairs(6)])
    made = theirs.mix(sources=SOURCES, **parts).mixture

    def change(facts: dict[str, Any]) -> None:
        facts["build"]["digest"] = digest

    sealed(made.folder, change)
    return made.folder


def texts_of(mixture: Mixture) -> str:
    return str(pl.read_parquet(mixture.data)["messages"].to_list())


def test_a_strangers_version_under_the_digest_of_my_build_is_not_my_build(mine: Yard):
    honest = mine.mix(sources=SOURCES).mixture
    digest = honest.manifest["build"]["digest"]
    folder = poisoned(mine, digest)
    shutil.rmtree(mine.places.out)
    target = mine.places.out / "mix" / folder.name
    shutil.copytree(folder, target)
    record = {"same_rows_by": [digest], "workspace": str(mine.root / "theirs/workspace"), "files": {}, "store": []}
    for run in (folder.name, digest):
        mine.write(f"mixtures/mix/.runs/{run}.json", json.dumps(record))
    mine.write(f"mixtures/mix/{LATEST}", folder.name)
    mine.write(f"manifests/mix/{folder.name}.json", (folder / "manifest.json").read_text())
    built = mine.mix(sources=SOURCES)
    assert built.status == "built"
    assert built.mixture.version == honest.version != folder.name
    assert "BACKDOOR" not in texts_of(built.mixture)
    assert find("mix", mine.places.out).version == honest.version
    assert mine.mix(sources=SOURCES).status == "unchanged"


def test_a_strangers_version_of_the_name_in_my_recipe_is_neither_taken_nor_changed(mine: Yard):
    honest = mine.mix(sources=SOURCES, version="v1").mixture
    folder = poisoned(mine, honest.manifest["build"]["digest"], version="v1")
    (honest.folder / "manifest.json").read_text()
    facts = honest.manifest
    shutil.rmtree(mine.places.out)
    target = mine.places.out / "mix" / "v1"
    shutil.copytree(folder, target)
    with pytest.raises(ConflictError, match="version v1 was made with another recipe; name a new version"):
        mine.mix(sources=SOURCES, version="v1")
    # One that says it was made of the same, and has the root of the honest one.
    sealed(target, lambda theirs: theirs.update(build=facts["build"], root=facts["root"], sources=facts["sources"]))
    before = files_of(target)
    with pytest.raises(ConflictError) as caught:
        mine.mix(sources=SOURCES, version="v1")
    assert f"{target}: was brought here, or built before {mine.places.workspace} was removed" in str(caught.value)
    assert f"move it away (mv {target} {target}.other) and run the same command again" in str(caught.value)
    assert files_of(target) == before
    target.rename(f"{target}.other")
    assert "BACKDOOR" not in texts_of(mine.mix(sources=SOURCES, version="v1").mixture)


def test_files_that_wait_in_the_staging_folder_are_not_taken_for_finished(mine: Yard):
    honest = mine.mix(sources=SOURCES).mixture
    before = files_of(honest.folder)
    folder = poisoned(mine, "")
    staging = mine.places.out / "mix/.staging" / honest.manifest["build"]["digest"]
    shutil.rmtree(mine.places.out)
    shutil.copytree(folder, staging)
    (staging / "data/evil.py").write_text("raise SystemExit\n")
    shutil.rmtree(staging / "evidence")
    (staging / "evidence").symlink_to(mine.root)
    built = mine.mix(sources=SOURCES)
    assert files_of(built.mixture.folder) == before
    assert "BACKDOOR" not in texts_of(built.mixture)


def test_a_mixture_of_a_workspace_that_was_removed_is_built_again_and_known_by_its_bytes(mine: Yard):
    first = mine.mix(sources=SOURCES)
    before = files_of(first.mixture.folder)
    shutil.rmtree(mine.places.workspace)
    again = mine.mix(sources=SOURCES)
    assert (again.status, again.why) == (
        "unchanged",
        "the workspace did not know it; built again, it has the same bytes",
    )
    assert files_of(again.mixture.folder) == before
    assert mine.mix(sources=SOURCES).why == ""


def test_a_page_that_was_changed_is_not_taken_for_mine(mine: Yard):
    folder = mine.mix(sources=SOURCES).mixture.folder
    (folder / "report.html").write_text("<script>alert(1)</script>")
    with pytest.raises(ConflictError, match=r"report\.html: has another size than its manifest says"):
        mine.mix(sources=SOURCES)
    sealed(folder)
    with pytest.raises(ConflictError, match=r"makes the same rows and other bytes of report\.html; it was not changed"):
        mine.mix(sources=SOURCES)


def test_bytes_that_changed_in_place_are_seen(mine: Yard):
    folder = mine.mix(sources=SOURCES).mixture.folder
    path = folder / "quarantine.parquet"
    content = bytearray(path.read_bytes())
    content[10] ^= 1
    path.write_bytes(content)
    with pytest.raises(ConflictError, match=r"quarantine\.parquet: has another sha256 than its manifest says"):
        mine.mix(sources=SOURCES)


def test_a_damaged_note_of_a_build_is_no_note(mine: Yard):
    made = mine.mix(sources=SOURCES).mixture
    (note,) = (mine.places.workspace / origin.BUILT).glob("*/*")
    note.write_text("../../elsewhere")
    assert mine.mix(sources=SOURCES).mixture.version == made.version
    assert origin.is_built_here(Workspace(mine.places.workspace), made)


# --- names, numbers, amounts


@pytest.mark.parametrize(
    "name",
    [
        "evil.py",
        "data/evil.py",
        "data/train-00000-of-00001.parquet.py",
        "../manifest.json",
        "/etc/passwd",
        "data//train-00000-of-00001.parquet",
        "data/./train-00000-of-00001.parquet",
        "evidence/..parquet",
        "evidence/.hidden.parquet",
        "evidence/a\u202egpj.parquet",
        "evidence/a\nb.parquet",
        "evidence/a\\b.parquet",
        "evidence/sub/a.parquet",
        "Recipe.yaml",
        "recipe.yaml ",
        "__pycache__/x.pyc",
        "conftest.py",
        "evidence/" + "a" * 300 + ".parquet",
        "",
    ],
)
def test_no_mixture_has_a_file_of_such_a_name(name: str):
    assert not layout.is_known(name)


def test_every_file_that_a_build_writes_is_of_the_layout(yard: Yard):
    stages = [
        "length_filter",
        {"language_filter": {"keep": ["en"]}},
        "exact_dedup",
        "minhash_dedup",
        {"weighted_mix": {"rows": 20}},
    ]
    sources = {"a": {"sample": "math", "rows": 40, "max_quarantined": 5}}
    made = yard.mix(sources=sources, stages=stages, output={"splits": {"held_out": 3}}).mixture
    assert layout.unknown(files_of(made.folder)) is None


def test_verify_finds_code_that_a_manifest_names(mine: Yard):
    folder = mine.mix(sources=SOURCES).mixture.folder
    (folder / "evil.py").write_text("")
    (wrong,) = [check.wrong for check in Verification(folder).run().checks if check.wrong]
    assert wrong == "evil.py: is not in the manifest"
    sealed(folder)
    (wrong,) = [check.wrong for check in Verification(folder).run().checks if check.wrong]
    assert wrong == "evil.py: is in the manifest, and no mixture has such a file"


@pytest.mark.parametrize(
    ("stage", "message"),
    [
        (
            {"weighted_mix": {"weights": {"a": "1e999999999"}}},
            "weights: 1E.999999999 has more than 30 digits on a side",
        ),
        ({"weighted_mix": {"weights": {"a": "1e-999999999"}}}, "weights: 1E-999999999 has more than 30 digits"),
        ({"minhash_dedup": {"threshold": "1e-999999999"}}, "threshold: 1E-999999999 has more than 30 digits"),
        ({"length_filter": {"max_removed": {"a": "1e-31"}}}, "max_removed: 1E-31 has more than 30 digits"),
        ({"length_filter": {"max_tokens": "1" + "0" * 30}}, "max_tokens: a number of 31 digits; at most 9,223,372"),
        ({"weighted_mix": {"max_repeat": 10**12, "rows": 10**12}}, "less than or equal to 1000000"),
    ],
)
def test_a_number_that_nobody_can_count_with_is_refused(mine: Yard, stage: dict[str, Any], message: str):
    with pytest.raises(RecipeError, match=message):
        mine.recipe(sources=SOURCES, stages=[stage])


def test_numbers_as_people_write_them_are_read(mine: Yard):
    stages = [{"minhash_dedup": {"threshold": "0.8125"}}, {"weighted_mix": {"weights": {"a": "1e6"}}}]
    assert mine.recipe(sources=SOURCES, stages=stages).stages


def test_a_recipe_has_as_many_stages_as_fates_can_name(mine: Yard):
    with pytest.raises(RecipeError, match="201 stages; a recipe has at most 200"):
        mine.recipe(sources=SOURCES, stages=["length_filter"] * 201)
    assert mine.recipe(sources=SOURCES, stages=["length_filter"] * 200)


@pytest.mark.parametrize("text", ['card: "\\ud800"', 'card: "a\\0b"', '"\\udfff": x'])
def test_a_sign_that_no_text_has_is_refused_at_its_place(text: str):
    with pytest.raises(RecipeError, match=r"recipe\.yaml:3:\d+: .*a text has no (NUL|half of a) character"):
        reading.read(f"name: mix\nsources: {{a: {{jsonl: a.jsonl}}}}\n{text}\n")


def test_a_sample_that_the_disk_has_no_room_for_is_not_begun(yard: Yard):
    with pytest.raises(ResourceError, match=r"a sample of 1,000,000,000,000 rows takes about 100,250\.0 GB, and "):
        yard.mix(sources={"a": {"sample": "math", "rows": 10**12}})
    assert not list(yard.root.rglob("*.jsonl*"))


def test_what_a_strangers_recipe_has_made_is_bounded(mine: Yard):
    folder = mine.mix(sources=SOURCES).mixture.folder
    text = "name: mix\nsources: {a: {sample: math, rows: 1000001}}\n"
    (folder / "recipe.yaml").write_text(text)
    with pytest.raises(RecipeError, match="a recipe inside of a mixture may have at most 1,000,000 rows made; copy it"):
        reading.load(folder / "recipe.yaml")
    assert reading.load(mine.write("own.yaml", text))
    against = {"e": {"sample": "math_test", "rows": 1_000_001, "question": "question"}}
    with pytest.raises(RecipeError, match="an evaluation set has at most 1,000,000 items made"):
        mine.recipe(sources=SOURCES, stages=[{"ngram_decontamination": {"against": against}}])


def test_repeated_rows_that_do_not_fit_are_not_written(mine: Yard):
    stages = [{"weighted_mix": {"by": "source", "rows": 8_000_000, "max_repeat": 1_000_000}}]
    with pytest.raises(ResourceError, match=r"writing 8,000,000 rows needs about 0\.8 GB of memory, and --memory is"):
        mine.build(mine.recipe(sources=SOURCES, stages=stages), memory=100_000_000)
