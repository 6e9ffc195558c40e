"""What reaches a terminal: text of strangers through every command, and streams of every sort."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import tulu_data
from conftest import Yard, shown_by
from tulu_data.characters import visible

pytestmark = pytest.mark.slow

MAIN = [sys.executable, "-m", "tulu_data"]

ORDERS = "\x1b]0;x\x07\x9b31m\x1b[31m\u202e\u2066\u200e\u061c\u200b\u2028\x7f\x08\r\ufeff\U000e0041"
CANARY = f"{ORDERS}[red]markup[/red]\\[2000x"
NAME = CANARY.replace("/", "")
SHOWN = (
    r"\x1b]0;x\x07\x9b31m\x1b[31m\u202e\u2066\u200e\u061c\u200b\u2028\x7f\x08\r\ufeff\U000e0041[red]markup[/red]\[2000x"
)
UNSEEN = re.compile(
    "[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff\U000e0000-\U000e0fff]"
)


def turns(question: str, answer: str, **more: object) -> dict[str, object]:
    return {"messages": [{"role": "user", "content": question}, {"role": "assistant", "content": answer, **more}]}


BYTES = os.fsdecode(b"bytes/\xff\xfe.jsonl")
ITEM = "what is the capital city of the far away country of nowhere land today"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project in which every text is a canary."""
    yard = Yard(tmp_path_factory.mktemp("hostile"))
    words = "alpha river stone cloud metal paper green seven quick brown table chair window garden"
    call = [{"id": CANARY, "type": "function", "function": {"name": CANARY, "arguments": json.dumps({CANARY: CANARY})}}]
    rows = [turns(f"{CANARY} first", f"{CANARY} kept")]
    rows += [turns(f"number {n} of {words} {n * 7}", f"answer {n}") for n in range(12)]
    rows += [turns(f"{CANARY} {words} once more and longer than it", CANARY)] * 2
    rows += [turns(f"{CANARY} {words} once more and longer than {n}", f"{CANARY} as a model {n}") for n in range(2)]
    rows += [turns(f"{CANARY} {ITEM} {CANARY}", "nobody knows"), turns(f"call {CANARY}", "", tool_calls=call)]
    bad = [{"messages": [{"role": CANARY, "content": CANARY}]}, f'{{"{CANARY}'.encode()]
    yard.jsonl(f"in {NAME}/rows {NAME}.jsonl", [{**row, f"column {CANARY}": 1} for row in rows] + bad)
    yard.jsonl("plain.jsonl", rows)
    yard.jsonl("ev.jsonl", [{"id": f"item {CANARY}", "question": ITEM, "answer": CANARY}])
    yard.jsonl("evals/own.jsonl", [{"id": f"item {CANARY}", "question": ITEM, "answer": CANARY}])
    yard.write(
        "evals/own.yaml",
        f"jsonl: {yard.root}/evals/own.jsonl\nquestion: question\nid: id\nlicense: {json.dumps(CANARY)}\n",
    )
    yard.write("header.csv", f"a{NAME},a{NAME}\n1,2\n")
    yard.write(os.fsdecode(b"bytes/\xff\xfe.jsonl"), json.dumps(rows[0]) + "\n{")

    def recipe(name: str, source: dict[str, object], stages: list[object], **head: object) -> None:
        values = {
            "name": name.split(".", maxsplit=1)[0].replace("_", "-"),
            **head,
            "sources": {"a": source},
            "stages": stages,
        }
        yard.write(name, json.dumps(values, ensure_ascii=True))

    source = {"jsonl": "in */rows*.jsonl", "domain": CANARY, "license": CANARY, "max_quarantined": 2}
    against = {"ev": {"jsonl": "ev.jsonl", "question": "question", "answer": "answer", "id": "id"}}
    stages: list[object] = [
        {"pattern_filter": {"patterns": [r"(?is).*as a model 1", r"(?is).*\[2000x as a model"], "max_removed": 1}},
        {"ngram_decontamination": {"max_removed": 1, "against": against}},
        {"exact_dedup": {"max_removed": 1}},
        {"minhash_dedup": {"max_removed": 1, "threshold": "0.5"}},
    ]
    recipe("mix.yaml", source, stages, card=f"# {CANARY}")
    recipe("other.yaml", source, stages[2:])
    recipe("trip.yaml", source, [{"pattern_filter": {"patterns": [r"(?is).*\[2000x as a model.*"], "max_removed": 0}}])
    recipe("strict.yaml", {**source, "max_quarantined": 0}, [])
    recipe("column.yaml", {"jsonl": "plain.jsonl", "format": {"prompt": CANARY, "response": "b"}}, [])
    recipe("missing.yaml", {"jsonl": CANARY}, [])
    recipe("matchless.yaml", {"jsonl": f"*{CANARY}"}, [])
    recipe("key.yaml", {"jsonl": "plain.jsonl", CANARY: CANARY}, [])
    recipe("stage.yaml", {"jsonl": "plain.jsonl"}, [{CANARY: {CANARY: CANARY}}])
    recipe("option.yaml", {"jsonl": "plain.jsonl"}, [{"exact_dedup": {"on": CANARY, "prefer": [CANARY]}}])
    recipe("regex.yaml", {"jsonl": "plain.jsonl"}, [{"pattern_filter": {"patterns": [f"({CANARY}"]}}])
    recipe("weight.yaml", source, [{"weighted_mix": {"by": "domain", "weights": {"x": 1}}}])
    recipe("header.yaml", {"csv": "header.csv"}, [])
    recipe("raw.yaml", {"jsonl": "bytes/*.jsonl", "max_quarantined": 1}, [])
    recipe("half.yaml", {"jsonl": os.fsdecode(b"bytes/\xff\xfe.jsonl")}, [])
    yard.write("yaml.yaml", f"name: [{CANARY}\n")
    return yard.root


DATA = [f"in {NAME}/rows {NAME}.jsonl"]
COMMANDS = [
    ["plan", "mix.yaml"],
    ["plan", "mix.yaml", "--json"],
    ["build", "mix.yaml"],
    ["build", "mix.yaml", "--json"],
    ["build", "mix.yaml", "--out", f"out {NAME}", "--workspace", f"room {NAME}", "--manifests", f"copies {NAME}"],
    ["build", "mix.yaml", "--out", f"out {NAME}", "--workspace", f"room {NAME}", "--json"],
    ["build", "other.yaml"],
    *(
        [command, recipe]
        for command in ("plan", "build")
        for recipe in (
            "trip.yaml",
            "strict.yaml",
            "column.yaml",
            "missing.yaml",
            "matchless.yaml",
            "key.yaml",
            "stage.yaml",
            "option.yaml",
            "regex.yaml",
            "weight.yaml",
            "header.yaml",
            "yaml.yaml",
            f"none {CANARY}.yaml",
        )
    ),
    ["removed", "mix"],
    ["removed", "mix", "--json"],
    ["removed", "mix", "--stage", "quarantined"],
    ["removed", "mix", "--stage", CANARY],
    ["removed", "mix", "--source", CANARY],
    ["explain", "mix", "--text", "[red]"],
    ["explain", "mix", "--text", "[red]", "--json"],
    ["explain", "mix", "--text", CANARY + CANARY],
    ["explain", "mix", f"in {NAME}/rows {NAME}.jsonl:1"],
    ["explain", "mix", f"none {NAME}:1"],
    ["explain", "mix", CANARY],
    ["explain", CANARY, "abcdef"],
    ["audit", "mix"],
    ["audit", "mix", "--json"],
    ["audit", "mix", "--out", f"page {NAME}.html"],
    ["diff", "mix", "other"],
    ["diff", "mix", "other", "--json"],
    ["diff", "mix", "other", "--html", f"page {NAME} of two.html"],
    ["diff", "mix", f"other@{CANARY}"],
    ["verify", "mix", "--evaluations", "."],
    ["verify", "mix", "--evaluations", ".", "--json"],
    ["verify", CANARY],
    ["decontaminate", f"in {NAME}/rows {NAME}.jsonl", "--against", "own", "--max-quarantined", "2"],
    ["decontaminate", f"in {NAME}/rows {NAME}.jsonl", "--against", "own", "--max-quarantined", "2", "--json"],
    ["decontaminate", "plain.jsonl", "--against", "own", "--out", f"clean {NAME}"],
    ["decontaminate", "plain.jsonl", "--against", CANARY],
    ["decontaminate", "plain.jsonl", "--against", "own", "--rule", CANARY],
    ["decontaminate", "plain.jsonl", "--against", "own", "--format", f"{{prompt: {NAME}}}"],
    ["dedup", f"in {NAME}/rows {NAME}.jsonl", "--max-quarantined", "2"],
    ["dedup", f"in {NAME}/rows {NAME}.jsonl"],
    ["dedup", "plain.jsonl", "--preset", CANARY],
    ["dedup", "plain.jsonl", "--on", CANARY],
    ["dedup", "plain.jsonl", "--threshold", CANARY],
    ["dedup", f"*{CANARY}"],
    ["dedup", f"hf://datasets/{CANARY}"],
    ["contaminated", "own", "--by", "other"],
    ["contaminated", "own", "--by", "other", "--json"],
    ["contaminated", CANARY, "--by", "mix"],
    ["stages", CANARY],
    ["stages", f"./{NAME}.py:Class"],
    ["evaluations"],
    ["evaluations", "own"],
    ["evaluations", "own", "--json"],
    ["evaluations", CANARY],
    ["publish", "mix", "--to", CANARY, "--dry-run"],
    ["pull", CANARY],
    ["init", f"project {NAME}"],
    ["gc", "--out", CANARY, "--workspace", f"none {NAME}"],
    ["build", "mix.yaml", "--limit", CANARY],
    ["build", "mix.yaml", "--memory", CANARY],
    ["build", "mix.yaml", f"--{CANARY}"],
    [CANARY],
    ["build", "raw.yaml"],
    ["plan", "raw.yaml", "--json"],
    ["removed", "raw", "--stage", "quarantined"],
    ["removed", "raw", "--stage", "quarantined", "--json"],
    ["explain", "raw", f"{BYTES}:1", "--json"],
    ["verify", "raw"],
    ["build", "half.yaml"],
    ["dedup", BYTES, "--max-quarantined", "1", "--out", "clean"],
]


def test_no_command_lets_a_strangers_text_give_orders_to_the_terminal(folder: Path):
    results = shown_by(folder, COMMANDS)
    told = dict(zip(map(tuple, COMMANDS), results, strict=True))
    orders = {words: shown for words, (_, shown) in told.items() if UNSEEN.search(shown)}
    assert orders == {}
    bugs = {words: shown for words, (code, shown) in told.items() if code == 1 or "Traceback" in shown}
    assert bugs == {}
    # What is made visible is all there: neither markup nor backslashes are eaten.
    for words in [
        ("plan", "mix.yaml"),
        ("build", "trip.yaml"),
        ("removed", "mix"),
        ("explain", "mix", "--text", "[red]"),
        ("decontaminate", *DATA, "--against", "own", "--max-quarantined", "2"),
        ("dedup", *DATA, "--max-quarantined", "2"),
    ]:
        assert SHOWN in told[words][1], words
    # As JSON it parses to the very text.
    explained = json.loads(told["explain", "mix", "--text", "[red]", "--json"][1])
    assert any(CANARY in turn["content"] for row in explained for turn in row["messages"])
    built = told["build", "mix.yaml", "--out", f"out {NAME}", "--workspace", f"room {NAME}", "--json"][1]
    assert (folder / json.loads(built[built.index("{") :])["mixture"]).is_dir()
    named = json.loads(told["plan", "raw.yaml", "--json"][1])["sources"]["a"]["files"]
    assert [os.fsencode(file["path"]) for file in named] == [b"bytes/\xff\xfe.jsonl"]
    assert r"bytes/\udcff\udcfe.jsonl:2" in told["removed", "raw", "--stage", "quarantined"][1]
    assert "name a file that is not UTF-8 by a pattern" in told["build", "half.yaml"][1]
    pages = [*folder.glob("page*.html"), *(folder / "mixtures").glob("mix/*/*.html")]
    for page in [*pages, *(folder / "mixtures").glob("mix/*/README.md"), *folder.glob("mixtures/mix/*/croissant.json")]:
        text = page.read_text()
        assert not UNSEEN.search(text.replace("\t", "")), (page, UNSEEN.search(text))
    assert len(pages) == 3
    assert "[red]markup[/red]\\[2000x" in pages[0].read_text()


def test_nothing_else_in_the_package_prints():
    ways = re.compile(
        r"\bprint\(|sys\.(__)?std(out|err)|click\.s?echo|(import|from) rich|logging\.(warning|error|basicConfig)|os\.write\("
    )
    root = Path(tulu_data.__file__).parent
    doors = {"streams.py", "terminal.py", "__main__.py"}
    found = [
        f"{path.relative_to(root)}:{number}: {line.strip()}"
        for path in sorted(root.rglob("*.py"))
        if path.name not in doors
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if ways.search(line) and ">>> " not in line and "... " not in line
    ]
    assert found == []


@pytest.mark.parametrize(
    "text",
    [
        "שלום עולם",
        "السلام عليكم",
        "می\u200cخواهم",
        "क्\u200dष",
        "\U0001f468\u200d\U0001f469\u200d\U0001f467 \u2764\ufe0f 1\ufe0f\u20e3 \U0001f44d\U0001f3fd",
        "辻\U000e0100",
        "français\u00a0: «\u202foui\u202f»",
        "全角\u3000空白",
        "back\\slash \\[2000x",
    ],
)
def test_ordinary_writing_of_any_script_stays_as_it_is(text: str):
    assert visible(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("pass\u200dword", r"pass\u200dword"),
        ("па\u200cроль", r"па\u200cроль"),
        ("a\ufe0f\ufe0f\U000e0101", r"a\ufe0f\ufe0f\U000e0101"),
        ("\u2764\ufe0f\ufe0e", "\u2764\ufe0f\\ufe0e"),
        ("soft\u00adhyphen", r"soft\xadhyphen"),
        ("x\u3164y\uffa0\u115f", r"x\u3164y\uffa0\u115f"),
        ("\ud83d alone", r"\ud83d alone"),
        ("tab\tline\n\u2029end\u0085", r"tab\tline\n\u2029end\x85"),
        ("\ue000\U000f0000\U0010ffff\u0378", r"\ue000\U000f0000\U0010ffff\u0378"),
        ("\U0001f3f4\U000e0067\U000e007f", "\U0001f3f4\\U000e0067\\U000e007f"),
    ],
)
def test_what_nobody_sees_is_written_as_its_number(text: str, shown: str):
    assert visible(text) == shown


@given(st.text(st.characters(codec=None), max_size=40))
def test_what_is_visible_stays_visible_and_gives_no_orders(text: str):
    shown = visible(text)
    assert visible(shown) == shown
    assert not UNSEEN.search(re.sub("[\u200c\u200d]", "", shown))
    assert all(sign in text or sign.isascii() for sign in shown)


def test_a_name_with_line_breaks_makes_no_line_of_our_own(tmp_path: Path):
    done = subprocess.run(
        [*MAIN, "build", "x\nbuilt mix@0123456789ab: 9 rows.yaml"], cwd=tmp_path, capture_output=True, check=False
    )
    assert done.stderr.decode().splitlines()[:2] == [
        "error: x",
        "  built mix@0123456789ab: 9 rows.yaml: no such file or directory; give the path of a recipe",
    ]


SCRIPT = """
cd "$1"; shift
export NO_COLOR=1
PYTHONIOENCODING=ascii "$@" plan mix.yaml; echo "ascii $?"
PYTHONIOENCODING=latin-1 "$@" explain mix --text kept --json; echo "latin $?"
LC_ALL=C PYTHONCOERCECLOCALE=0 PYTHONUTF8=0 "$@" build mix.yaml 2>&1; echo "C $?"
"$@" plan mix.yaml | true; echo "broken ${PIPESTATUS[0]}"
"$@" build none.yaml 2>&1 | true; echo "broken ${PIPESTATUS[0]}"
"$@" build mix.yaml >&- 2>&-; echo "closed $?"
"$@" stages >/dev/full; echo "full $?"
"$@" build mix.yaml 2>/dev/full; echo "full $?"
"""


def test_streams_that_are_ascii_closed_broken_or_full_change_no_exit_code(tmp_path: Path):
    yard = Yard(tmp_path)
    yard.jsonl("a.jsonl", [turns("Où est 北 \\[2000x?", "kept · là …")])
    yard.write("mix.yaml", "name: mix\nsources: {a: {jsonl: a.jsonl}}\n")
    subprocess.run([*MAIN, "build", "mix.yaml"], cwd=tmp_path, capture_output=True, check=True)
    done = subprocess.run(["bash", "-c", SCRIPT, "bash", str(tmp_path), *MAIN], capture_output=True, check=False)
    out = done.stdout.decode("ascii")
    assert r"+ user      O\xf9 est \u5317 \[2000x?" in out
    assert r"| assistant kept . l\xe0 ..." in out
    assert json.loads(out[out.index("[\n") : out.index("latin 0")])[0]["messages"][1]["content"] == "kept · là …"
    assert "unchanged mix@" in out
    codes = re.findall(r"^(\w+) (\d+)$", out, re.MULTILINE)
    assert codes == [
        ("ascii", "0"),
        ("latin", "0"),
        ("C", "0"),
        ("broken", "0"),
        ("broken", "2"),
        ("closed", "0"),
        ("full", "6"),
        ("full", "0"),
    ]
    assert "no space left on device" in done.stderr.decode()
