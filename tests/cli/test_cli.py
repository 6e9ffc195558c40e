"""The command line as a person and a script meet it."""

from __future__ import annotations

import importlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import click
import polars as pl
import pytest

import tulu_data.cli
from conftest import Yard, pairs
from tulu_data.cli.cli import COMMANDS, cli

MAIN = [sys.executable, "-m", "tulu_data"]
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Call the program in a folder of its own."""

    def call(*words: str, code: int = 0, **environment: str) -> subprocess.CompletedProcess[str]:
        clean = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "FORCE_COLOR")}
        done = subprocess.run(
            [*MAIN, *words], cwd=tmp_path, capture_output=True, text=True, check=False, env={**clean, **environment}
        )
        assert done.returncode == code, done.stderr
        return done

    return call


def test_a_new_users_path(run: Run, tmp_path: Path):
    made = run("init")
    assert made.stdout.split() == ["recipe.yaml", "recipe.schema.json", ".gitignore", "data/example.jsonl"]
    assert "next: tulu-data plan recipe.yaml" in made.stderr
    plan = run("plan", "recipe.yaml").stdout
    assert "prompt_response (detected): prompt = prompt; response = response" in plan
    assert "┌ user      What is 12 × 12?" in plan
    assert re.search(r"deduplicate +exact_dedup", plan)
    built = run("build", "recipe.yaml")
    folder = tmp_path / built.stdout.strip()
    assert (folder / "manifest.json").is_file()
    assert re.search(r"mine +6 +· +· +−1 +−1 +4", built.stderr)
    assert "tulu-data removed first_mix" in built.stderr
    removed = run("removed", "first_mix", "--stage", "exact_dedup").stdout
    id = removed.split()[0]
    explained = run("explain", "first_mix", id[:8]).stdout
    assert "removed by exact_dedup: same text" in explained
    assert "its twin:" in explained
    assert "mine, data/example.jsonl:" in explained
    assert run("explain", "first_mix", "data/example.jsonl:4").stdout.startswith(
        run("explain", "first_mix", "--text", "platypus").stdout
    )
    again = run("build", "recipe.yaml")
    assert "unchanged" in again.stderr
    assert again.stdout == built.stdout


def test_init_keeps_what_is_there(run: Run, tmp_path: Path):
    Yard(tmp_path).jsonl("data/mine.jsonl", pairs(2))
    (tmp_path / ".gitignore").write_text("mine\n")
    assert "data/example.jsonl" not in run("init").stdout
    assert (tmp_path / ".gitignore").read_text() == "mine\n"
    assert "recipe.yaml: is there already; choose another folder: tulu-data init DIR" in run("init", code=2).stderr
    assert "next: cd other && tulu-data plan recipe.yaml" in run("init", "other").stderr


def test_every_command_answers_in_json(run: Run):
    run("init")
    plan = json.loads(run("plan", "recipe.yaml", "--json").stdout)
    assert plan["sources"]["mine"]["format"]["name"] == "prompt_response"
    assert [stage["phase"] for stage in plan["stages"]] == ["judge", "judge", "deduplicate"]
    built = json.loads(run("build", "recipe.yaml", "--json").stdout)
    assert built["status"] == "built"
    assert built["rows"] == {
        "mine": {
            "read": 6,
            "quarantined": 0,
            "removed": {"length_filter-2": 1, "exact_dedup": 1},
            "kept": 4,
            "written": 4,
        }
    }
    assert json.loads(run("build", "recipe.yaml", "--json").stdout) == {**built, "status": "unchanged"}
    (duplicate,) = json.loads(run("removed", built["mixture"], "--stage", "exact_dedup", "--json").stdout)
    assert duplicate["fate"] == "exact_dedup"
    assert duplicate["twin"]["fate"] == "kept"
    (explained,) = json.loads(run("explain", "first_mix", duplicate["id"], "--json").stdout)
    assert explained == duplicate
    assert json.loads(run("stages", "--json").stdout)["exact_dedup"]["title"] == "ExactDedup"
    assert json.loads(run("schema").stdout)["title"] == "tulu-data recipe"


def test_a_pipe_gets_the_result_and_nothing_else(run: Run):
    run("init")
    built = run("build", "recipe.yaml")
    assert re.fullmatch(r"mixtures/first_mix/[0-9a-f]{12}\n", built.stdout)
    assert "\x1b" not in built.stderr + built.stdout
    assert "━" not in built.stderr


def test_colours_come_and_go_by_the_usual_variables(run: Run):
    run("init")
    assert "\x1b[" in run("build", "recipe.yaml", FORCE_COLOR="1").stderr
    assert "\x1b[3" not in run("build", "recipe.yaml", FORCE_COLOR="1", NO_COLOR="1").stderr


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["bild"], 2, "No such command 'bild'. Did you mean 'build'?"),
        (["build"], 2, "Missing argument 'RECIPE'."),
        (["build", "none.yaml"], 2, "none.yaml: no such file or directory; give the path of a recipe"),
        (["build", "recipe.yaml", "--memory", "lots"], 2, "'lots' is not a size; write 4GiB or 500MB"),
        (["build", "recipe.yaml", "--memory", "1kB"], 6, "and --memory is 0.0 GB; raise it, or take fewer rows"),
        (["build", "bad.yaml"], 2, "bad.yaml:1:1: nmae: unknown key 'nmae'; did you mean 'name'?"),
        (["build", "missing.yaml"], 3, "sources.a: nothing.jsonl: no such file (looked in "),
        (["build", "trip.yaml"], 4, "stages.length_filter: removes 6 of 6 rows of a (100.0%)"),
        (["stages", "exact_dedop"], 2, "no stage named 'exact_dedop'; did you mean 'exact_dedup'?"),
        (["explain", "none", "abcdef"], 2, "no mixture 'none' (looked in mixtures)"),
        (["explain", "first_mix"], 2, "give a row: an id, FILE:ROW, or --text '…'"),
        (
            ["explain", "first_mix", "zz"],
            2,
            "'zz': name a row by FILE:ROW, or by its id, which has 6 to 32 of the signs 0-9 and a-f",
        ),
        (["explain", "first_mix", "000000000000"], 2, "no row has an id that begins with '000000000000'"),
        (
            ["explain", "first_mix", "data/example.jsonl:7"],
            2,
            "data/example.jsonl: it has no record 7; its records are numbered from 1 to 6",
        ),
        (["explain", "first_mix", "recipe.yaml:1"], 3, "recipe.yaml: not an input of mixtures/first_mix/"),
        (["explain", "first_mix", "--text", "nobody says this"], 2, "none of its rows has a message with this text"),
        (["explain", "first_mix@1", "abcdef"], 2, "no version '1'; there are "),
        (["removed", "first_mix", "--stage", "exact"], 2, "no stage 'exact' in mixtures/first_mix/"),
    ],
)
def test_every_error_has_its_code_and_its_words(run: Run, tmp_path: Path, words: list[str], code: int, message: str):
    run("init")
    if words[0] in ("explain", "removed"):
        run("build", "recipe.yaml")
    Yard(tmp_path).write("bad.yaml", "nmae: x\n")
    Yard(tmp_path).write("missing.yaml", "name: x\nsources: {a: {jsonl: nothing.jsonl}}\n")
    Yard(tmp_path).write(
        "trip.yaml", "name: x\nsources: {a: {jsonl: data/*.jsonl}}\nstages: [length_filter: {max_characters: 1}]\n"
    )
    failed = run(*words, code=code)
    assert message in failed.stderr
    assert "Traceback" not in failed.stderr
    assert failed.stdout == ""


def test_a_bug_is_exit_1_and_asks_to_be_reported(tmp_path: Path):
    broken = "import tulu_data.recipe.reading as r; r.load = lambda *words, **more: 1 / 0; from tulu_data.__main__ import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", broken, "plan", "x.yaml"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "error: this is a bug in tulu-data " in done.stderr
    assert "ZeroDivisionError" in done.stderr


HEAVY = {"datasets", "numba", "numpy", "orjson", "polars", "pyarrow", "pydantic", "ruamel"}


def imported_by(*words: str) -> tuple[str, set[str]]:
    """What a command shows, and what it imports."""
    script = (
        "import sys\n"
        "from tulu_data.__main__ import main\n"
        "try:\n    main()\n"
        "except SystemExit: pass\n"
        "print('=====', *sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script, *words], capture_output=True, text=True, check=True)
    shown, _, modules = done.stdout.partition("=====")
    return shown, set(modules.split())


def test_help_lists_every_command_and_imports_nothing_heavy():
    shown, modules = imported_by("--help")
    assert re.findall(r"^  (\w+)  ", shown.split("Commands:")[1], re.MULTILINE) == list(COMMANDS)
    assert modules & {*HEAVY, "rich"} == set()


def test_the_help_of_a_command_imports_its_own_topic_alone():
    shown, modules = imported_by("build", "--help")
    assert "--executor" in shown
    topics = {f"tulu_data.cli.{module}" for module, _ in COMMANDS.values()}
    assert modules & {*HEAVY, *topics} == {"tulu_data.cli.build"}


def test_the_table_of_commands_has_each_command_of_each_module_with_its_first_line():
    modules = [
        importlib.import_module(f"tulu_data.cli.{path.stem}")
        for path in Path(tulu_data.cli.__file__).parent.glob("[!_]*.py")
    ]
    found = {
        name: (module.__name__.rpartition(".")[2], (command.help or "").partition("\n")[0])
        for module in modules
        for name, command in vars(module).items()
        if isinstance(command, click.Command) and not isinstance(command, click.Group)
    }
    assert found == COMMANDS


def test_every_command_with_workers_takes_an_executor():
    options = {name: {option.name for option in command(name).params} for name in COMMANDS}
    with_workers = {name for name, names in options.items() if "workers" in names}
    assert with_workers == {name for name, names in options.items() if "executor" in names}
    assert {"build", "contaminated", "decontaminate", "dedup"} <= with_workers


def test_every_command_and_option_has_a_help_text():
    for name in COMMANDS:
        assert command(name).help
        silent = [
            option.name for option in command(name).params if isinstance(option, click.Option) and not option.help
        ]
        assert silent == [], name


def command(name: str) -> click.Command:
    found = cli.get_command(click.Context(cli), name)
    assert found is not None
    return found


def test_completion_is_there(run: Run):
    assert "_TULU_DATA_COMPLETE" in run(_TULU_DATA_COMPLETE="bash_source").stdout


def test_text_of_strangers_cannot_write_to_the_terminal(run: Run, tmp_path: Path):
    run("init")
    Yard(tmp_path).jsonl(
        "data/example.jsonl", [{"prompt": "\x1b]0;owned\x07 [red]x[/] \u202e", "response": "[/nope]"}] * 2
    )
    run("build", "recipe.yaml", FORCE_COLOR="1")
    for words in (["plan", "recipe.yaml"], ["removed", "first_mix"], ["explain", "first_mix", "data/example.jsonl:1"]):
        shown = run(*words).stdout
        assert "\x1b" not in shown
        assert "\u202e" not in shown
        assert r"\x1b]0;owned\x07 [red]x[/]" in shown


def test_explain_reads_the_text_of_removed_rows_and_says_when_it_is_gone(run: Run, tmp_path: Path):
    import shutil

    run("init")
    run("build", "recipe.yaml")
    assert (
        "assistant 12 × 12 = 144." in run("removed", "first_mix").stdout
        or "What is 12 × 12?" in run("removed", "first_mix").stdout
    )
    assert "data/example.jsonl:6" in run("explain", "first_mix", "--text", "Say nothing").stdout
    shutil.rmtree(tmp_path / ".tulu-data")
    assert "its text is no longer in the workspace" in run("explain", "first_mix", "data/example.jsonl:6").stdout
    assert "user      Name a mammal" in run("explain", "first_mix", "--text", "platypus").stdout
    gone = run("explain", "first_mix", "--text", "Say nothing", code=2).stderr
    assert "none of its kept rows (the workspace that held the others is gone) has a message with this text" in gone


def test_explain_knows_quarantined_and_untaken_rows(run: Run, tmp_path: Path):
    yard = Yard(tmp_path)
    yard.jsonl("data/a.jsonl", [*pairs(5), b'{"prompt": "\xff"}'])
    yard.write("mix.yaml", "name: mix\nsources: {a: {jsonl: data/a.jsonl, rows: 1, max_quarantined: 1}}\n")
    run("build", "mix.yaml")
    quarantined = run("explain", "mix", "data/a.jsonl:6").stdout
    assert quarantined.startswith("no id  quarantined: invalid_utf8: byte 0xff at byte 12 of the record is not UTF-8")
    fates = [run("explain", "mix", f"data/a.jsonl:{row}").stdout.splitlines()[0].split("  ")[1] for row in range(1, 6)]
    assert sorted(fates) == ["kept", *["removed by take: not taken (rows: 1)"] * 4]
    (tmp_path / "data/a.jsonl").rename(tmp_path / "data/b.jsonl")
    assert "quarantined" in run("explain", "mix", "data/b.jsonl:6").stdout


def test_names_with_signs_of_patterns_are_names(run: Run, tmp_path: Path):
    yard = Yard(tmp_path)
    yard.jsonl("data [1]/a[b].jsonl", pairs(3) * 2)
    yard.write("mix.yaml", "name: mix\nsources: {a: {jsonl: 'data [1]/a[b].jsonl'}}\nstages: [exact_dedup]\n")
    folder = run("build", "mix.yaml", "--out", "o [x]*", "--workspace", "w[0]").stdout.strip()
    assert run("explain", folder, "data [1]/a[b].jsonl:1").stdout
    assert len(run("removed", "mix", "--out", "o [x]*").stdout.splitlines()) == 6


def test_latest_is_a_hint_that_readers_recover_from(run: Run, tmp_path: Path):
    run("init")
    folder = run("build", "recipe.yaml").stdout.strip()
    (tmp_path / "mixtures/first_mix/LATEST").write_text("gone\n")
    assert run("removed", "first_mix").stdout
    Yard(tmp_path).jsonl("data/example.jsonl", pairs(2))
    second = run("build", "recipe.yaml").stdout.strip()
    assert (tmp_path / "mixtures/first_mix/LATEST").read_text().strip() == Path(second).name
    (tmp_path / "mixtures/first_mix/LATEST").unlink()
    assert "which version? Say NAME@VERSION; there are" in run("removed", "first_mix", code=2).stderr
    assert run("removed", f"first_mix@{Path(folder).name}").stdout == run("removed", folder).stdout


def test_what_is_written_can_be_built_again_from_its_own_recipe(run: Run, tmp_path: Path):
    run("init")
    first = tmp_path / run("build", "recipe.yaml").stdout.strip()
    again = (
        tmp_path
        / run("build", str(first / "recipe.yaml"), "--out", "again", "--manifests", "again-manifests").stdout.strip()
    )
    assert pl.read_parquet(again / "data/*.parquet").equals(pl.read_parquet(first / "data/*.parquet"))
    assert (again / "manifest.json").read_bytes() == (first / "manifest.json").read_bytes()


def test_plan_tells_what_is_bad_and_what_is_not_read(run: Run, tmp_path: Path):
    yard = Yard(tmp_path)
    turns = [{"role": "user", "content": "x"}, {"role": "assistant", "content": "y", "mood": "dry"}]
    yard.jsonl("a.jsonl", [{"messages": turns, "score": 1}, b"\xff", {"messages": turns, "system": "s"}])
    yard.write("mix.yaml", "name: mix\nsources: {a: {jsonl: a.jsonl}}\n")
    told = run("plan", "mix.yaml", code=3)
    assert "a build would stop:\n  sources.a: 1 record or more can't become rows" in told.stderr
    plan = told.stdout
    assert "1 of the first 3 records can't be read: a.jsonl:2: invalid_utf8" in plan
    assert "not read: score, messages[].mood" in plan
    assert "messages (detected): messages = messages; system = system" in plan
    assert "no stages: every row is kept" in plan


def test_calls_are_shown_and_quarantined_records_are_listed(run: Run, tmp_path: Path):
    yard = Yard(tmp_path)
    turns = [{"role": "user", "content": "time?"}, {"role": "assistant", "content": None, "tool_calls": [{"id": "c1"}]}]
    yard.jsonl("a.jsonl", [{"messages": turns}, b"\xff"])
    yard.write("mix.yaml", "name: mix\nsources: {a: {jsonl: a.jsonl, max_quarantined: 1}}\n")
    built = run("build", "mix.yaml")
    assert "tulu-data removed mix --stage quarantined" in built.stderr
    assert run("removed", "mix", "--stage", "quarantined").stdout.startswith("a  a.jsonl:2  quarantined: invalid_utf8")
    assert '"tool_calls":[{"id":"c1"}]' in run("explain", "mix", "a.jsonl:1").stdout
    (row,) = json.loads(run("explain", "mix", "a.jsonl:1", "--json").stdout)
    assert json.loads(row["tool_calls"])[1] == {"tool_calls": [{"id": "c1"}]}


def test_the_hints_after_a_trial_lead_to_the_trial(run: Run):
    run("init")
    run("build", "recipe.yaml")
    hint = run("build", "recipe.yaml", "--limit", "3").stderr
    assert re.search(r"tulu-data explain first_mix@trial-[0-9a-f]{12} ID", hint)


def test_init_does_not_take_a_file_for_a_folder(run: Run, tmp_path: Path):
    (tmp_path / "file").write_text("x")
    assert "file: is a file; give a folder: tulu-data init DIR" in run("init", "file", code=2).stderr


def test_wide_tables_are_whole_in_a_pipe(run: Run, tmp_path: Path):
    Yard(tmp_path).jsonl("a.jsonl", pairs(3))
    stages = ", ".join(["length_filter"] * 12)
    Yard(tmp_path).write("mix.yaml", f"name: mix\nsources: {{a: {{jsonl: a.jsonl}}}}\nstages: [{stages}]\n")
    assert "length_filter-12" in run("build", "mix.yaml").stderr
