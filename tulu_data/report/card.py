"""The dataset card of a mixture: README.md, with numbers that are all counted in the mixture's own files.

The head in YAML is what the Hub and `datasets` read; the tables below it are for people. Equal
mixtures have equal cards, so the manifest pins the card like the rows.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
from ruamel.yaml import YAML

from tulu_data import __version__
from tulu_data.characters import visible
from tulu_data.errors import printable
from tulu_data.mixture.mixture import Mixture
from tulu_data.report.licenses import hub_name, strictest
from tulu_data.reports import TABLE
from tulu_data.rows import kind as kinds
from tulu_data.store.durable import write_text

NAME: Final = "README.md"
SIZE_CATEGORIES: Final = (
    (10**3, "n<1K"),
    (10**4, "1K<n<10K"),
    (10**5, "10K<n<100K"),
    (10**6, "100K<n<1M"),
    (10**7, "1M<n<10M"),
    (10**8, "10M<n<100M"),
    (10**9, "100M<n<1B"),
)
LARGEST: Final = "1B<n<10B"
CELL_CHARACTERS: Final = 120
TABLE_LINES: Final = 30
_SHARD: Final = re.compile(r"(.+)-\d{5}-of-\d{5}")
_LANGUAGE: Final = re.compile(r"[a-z]{2,3}")


@dataclass(frozen=True)
class Card:
    """The card of the mixture whose tables are in `folder`, by the facts of its manifest.

    `prose` is the description by the author of the recipe.
    """

    folder: Path
    facts: Mapping[str, Any]
    prose: str = ""

    def write(self) -> None:
        """Write README.md."""
        write_text(self.folder / NAME, self.text())

    def text(self) -> str:
        """The card as Markdown with a YAML head."""
        sections = (
            self._opening(),
            self._licenses(),
            self._sources(),
            self._stages(),
            self._contamination(),
            *self._tables(),
            self._composition(),
            self._limits(),
            self._checks(),
        )
        return f"---\n{_yaml(self.head())}---\n\n" + "\n\n".join(section for section in sections if section) + "\n"

    def head(self) -> dict[str, Any]:
        """The YAML head as plain values, with only keys that the Hub documents."""
        languages = sorted(name for name in self._counted("language") if name and _LANGUAGE.fullmatch(name))
        names = sorted({hub_name(source["license"]) for source in self.facts["sources"].values()})
        rows = self.facts["rows"]
        return {
            "pretty_name": self.facts["name"],
            "license": names[0] if len(names) == 1 else names,
            **({"language": languages} if languages else {}),
            "size_categories": [next((name for most, name in SIZE_CATEGORIES if rows < most), LARGEST)],
            "task_categories": list(kinds.find(self.facts["kind"]).tasks),
            "tags": ["tulu-data", "post-training", self.facts["kind"]],
            "configs": self._configs(),
            "dataset_info": self._dataset_info(),
        }

    def _configs(self) -> list[dict[str, Any]]:
        splits = [{"split": split, "path": f"data/{split}-*.parquet"} for split in self._splits]
        evidence = sorted((self.folder / "evidence").glob("*.parquet"))
        some = [path.stem for path in evidence if pq.read_metadata(path).num_rows]
        others = [("ledger", "ledger/*.parquet"), *((f"evidence-{step}", f"evidence/{step}.parquet") for step in some)]
        return [
            {"config_name": "default", "default": True, "data_files": splits},
            *({"config_name": name, "data_files": [{"split": "train", "path": path}]} for name, path in others),
        ]

    def _dataset_info(self) -> dict[str, Any]:
        splits = []
        for split, paths in self._splits.items():
            groups = [pq.read_metadata(path) for path in paths]
            size = sum(each.row_group(i).total_byte_size for each in groups for i in range(each.num_row_groups))
            splits.append({"name": split, "num_bytes": size, "num_examples": sum(each.num_rows for each in groups)})
        return {
            "config_name": "default",
            "features": [_feature(field) for field in pq.read_schema(self._data[0])],
            "splits": splits,
            "download_size": sum(path.stat().st_size for path in self._data),
            "dataset_size": sum(split["num_bytes"] for split in splits),
        }

    @cached_property
    def _mixture(self) -> Mixture:
        return Mixture(self.folder, dict(self.facts))

    @cached_property
    def _data(self) -> list[Path]:
        return sorted((self.folder / "data").glob("*.parquet"))

    @cached_property
    def _splits(self) -> dict[str, list[Path]]:
        """The files of each split, `train` first."""
        found: dict[str, list[Path]] = {}
        for path in self._data:
            if named := _SHARD.fullmatch(path.stem):
                found.setdefault(named[1], []).append(path)
        return dict(sorted(found.items(), key=lambda split: (split[0] != "train", split[0])))

    @cached_property
    def _cells(self) -> pl.DataFrame:
        """Rows and tokens (of rows that have them counted) by domain and language."""
        names = ["domain", "language"]
        parts = [
            pl.read_parquet(path, columns=[*names, "tokens"], glob=False)
            .group_by(names)
            .agg(
                pl.len().cast(pl.Int64).alias("rows"), pl.col("tokens").sum(), pl.col("tokens").count().alias("counted")
            )
            for path in self._data
        ]
        return pl.concat(parts).group_by(names).agg(pl.col("rows", "tokens", "counted").cast(pl.Int64).sum())

    def _counted(self, column: str) -> dict[str | None, tuple[int, int, int]]:
        """For each value of a column: rows, tokens, rows whose tokens are counted; most rows first."""
        summed = self._cells.group_by(column).agg(pl.col("rows", "tokens", "counted").sum())
        ordered = summed.sort("rows", column, descending=[True, False], nulls_last=True)
        return {value: (rows, tokens, counted) for value, rows, tokens, counted in ordered.iter_rows()}

    def _opening(self) -> str:
        facts = self.facts
        files = f"{len(self._data)} file{'s' * (len(self._data) != 1)}"
        held = {split: sum(pq.read_metadata(path).num_rows for path in paths) for split, paths in self._splits.items()}
        splits = ", ".join(f"{_number(rows)} in `{split}`" for split, rows in held.items())
        trial = "\n\n**This is a trial of the first rows of each source, not a mixture.**" if facts["trial"] else ""
        prose = visible(self.prose, keep="\n\t").strip()
        return (
            f"# {facts['name']}\n\n"
            + (f"{prose}\n\n" if prose else "")
            + f"Version `{facts['version']}`: {_number(facts['rows'])} {kinds.find(facts['kind']).rows} in {files} ({splits}), "
            f"made by tulu-data {__version__} "
            "from the recipe in `recipe.yaml`. Every number below is counted in the files of this version. "
            f"Logical root: `{facts['root']}`.{trial}"
        )

    def _licenses(self) -> str:
        sources = self.facts["sources"]
        name, asks = strictest(source["license"] for source in sources.values())
        own = [source for source, entry in sources.items() if hub_name(entry["license"]) == name]
        lines = _table(
            ("licence", "sources", "rows"),
            [
                (
                    _plain(said),
                    ", ".join(_code(source) for source in named),
                    sum(sources[source]["written"] for source in named),
                )
                for said, named in _grouped(
                    (entry["license"] or "not given", source) for source, entry in sources.items()
                )
            ],
        )
        return (
            f"## Licences\n\nThe strictest is **{name}**, which {asks} ({', '.join(map(_code, own))}). "
            f"Use the whole as its strictest licence allows; each source keeps its own licence.\n\n{lines}"
        )

    def _sources(self) -> str:
        lines = []
        for source, entry in self.facts["sources"].items():
            removed = sum(entry["removed"].values())
            share = entry["written"] / self.facts["rows"] if self.facts["rows"] else 0
            numbers = (entry["read"], entry["quarantined"], removed, entry["kept"], entry["written"])
            lines.append((_code(source), _plain(entry["domain"] or ""), *numbers, f"{share:.1%}"))
        headings = ("source", "domain", "read", "quarantined", "removed", "kept", "written", "share")
        return (
            "## Sources\n\nread = quarantined + removed + kept, in each source; "
            "written counts the copies of kept rows.\n\n" + _table(headings, lines)
        )

    def _stages(self) -> str:
        sources = self.facts["sources"]
        steps = [stage["name"] for stage in self.facts["stages"]]
        if any("take" in entry["removed"] for entry in sources.values()):
            steps.insert(0, "take")
        if not steps:
            return "## Stages\n\nNone: every row that could be read is here."
        lines = []
        for step in steps:
            removed = {source: entry["removed"].get(step, 0) for source, entry in sources.items()}
            gone = ", ".join(f"{_code(source)} {_number(count)}" for source, count in removed.items() if count)
            lines.append((_code(step), sum(removed.values()), gone))
        return (
            "## Stages\n\nIn this order; a row counts for the first stage that removes it. Why each one was removed "
            "is in `evidence/`, and what happened to every row in `ledger/`.\n\n"
            + _table(("stage", "removed", "of which"), lines)
        )

    def _contamination(self) -> str:
        parts = []
        for stage in self.facts["stages"]:
            accounts: Mapping[str, Mapping[str, Any]] = stage.get("evaluations", {})
            path = self._mixture.reports("evaluations").get(stage["name"])
            if not accounts or path is None:
                continue
            overlap = pl.read_parquet(path, glob=False)
            rows = dict(overlap.group_by("evaluation").agg(pl.col("rows").sum()).iter_rows())
            lines = [
                (_code(name), *(account[kind] for kind in ("items", "indexed", "short", "unusable")), rows.get(name, 0))
                for name, account in accounts.items()
            ]
            headings = ("evaluation set", "items", "by n-grams", "as a whole", "unusable", "rows that match")
            parts.append(f"{self._rule(stage)}\n\n{_table(headings, lines)}")
            found = overlap.filter((pl.col("contaminated") > 0) | (pl.col("near") > 0)).sort("source", "evaluation")
            if len(found):
                names = ("contaminated", "near", "full", "rows")
                lines = [
                    (_code(line["source"]), _code(line["evaluation"]), *(line[name] for name in names))
                    for line in found.iter_rows(named=True)
                ]
                headings = ("source", "evaluation set", "its items found", "near", "found in full", "rows that match")
                parts.append(_table(headings, lines))
        if not parts:
            return "## Contamination\n\nThe rows were not compared with any evaluation set."
        return (
            "## Contamination\n\nRows were compared with these evaluation sets, and those that match were removed, "
            "by this stage or by one before it.\n\n" + "\n\n".join(parts)
        )

    def _tables(self) -> Iterator[str]:
        """The tables that stages show, each under its title."""
        for shown in self._mixture.shown:
            if shown.kind == TABLE:
                frame = self._mixture.read(shown.path)
                heads = shown.heads or {name: name for name in frame.columns}
                lines = [
                    [_cell(line[name]) for name in heads] for line in frame.head(TABLE_LINES).iter_rows(named=True)
                ]
                says = f"{_plain(shown.says, 2_000)}\n\n" if shown.says else ""
                more = len(frame) - TABLE_LINES
                rest = f"\n\nand {_number(more)} more: {_code(shown.file)}" if more > 0 else ""
                table = _table([_plain(head) for head in heads.values()], lines)
                yield f"## {_plain(shown.title)} ({_code(shown.step)})\n\n{says}{table}{rest}"

    @staticmethod
    def _rule(stage: Mapping[str, Any]) -> str:
        options = stage["options"]
        if "statistic" not in options:
            return f"{_code(stage['name'])}:"
        threshold = (
            f"above {options['above']}" if options["above"] is not None else f"of at least {options['at_least']}"
        )
        return (
            f"{_code(stage['name'])}, rule `{options['rule']}`: {options['statistic']} {threshold} "
            f"by {options['n']}-grams of `{options['normaliser']}`, in the {options['on']}:"
        )

    def _composition(self) -> str:
        parts = []
        for column in ("domain", "language"):
            lines = []
            for value, (rows, tokens, counted) in self._counted(column).items():
                share = rows / self.facts["rows"] if self.facts["rows"] else 0
                lines.append((_plain(value) if value else "unknown", rows, f"{share:.1%}", tokens if counted else ""))
            parts.append(_table((column, "rows", "share", "tokens"), lines))
        return "## Composition\n\n" + "\n\n".join(parts)

    def _limits(self) -> str:
        sources, stages = self.facts["sources"], self.facts["stages"]
        limits = []
        accounts = [account for stage in stages for account in stage.get("evaluations", {}).values()]
        if accounts:
            limits.append(
                "Decontamination finds shared words. It misses translations, and paraphrases that share few words."
            )
            if unusable := sum(account["unusable"] for account in accounts):
                limits.append(f"{_number(unusable)} evaluation items have too few words to be found.")
        for step, path in self._mixture.reports("near").items():
            if rows := pl.read_parquet(path, columns=["id"], glob=False)["id"].n_unique():
                limits.append(
                    f"{_number(rows)} rows were near an evaluation item by {_code(step)}: `reports/{path.name}`."
                )
        for stage in stages:
            threshold = stage["options"].get("threshold")
            if threshold is not None and (curve := stage.get("found")):
                chance = next((share for at, share in curve.items() if float(at) >= float(threshold)), None)
                if chance is not None:
                    limits.append(
                        f"{_code(stage['name'])} compares a pair at its threshold of {threshold} "
                        f"with a probability of {chance}; it misses the others."
                    )
            if over := stage.get("buckets_over_cap"):
                limits.append(f"{_number(over)} buckets of {_code(stage['name'])} were over its cap.")
        if quarantined := sum(entry["quarantined"] for entry in sources.values()):
            limits.append(f"{_number(quarantined)} records could not be read, and were not checked.")
        unsaid = [source for source, entry in sources.items() if not entry["license"]]
        if unsaid:
            limits.append(f"The recipe gives no licence for {', '.join(map(_code, unsaid))}.")
        without = {column: self._counted(column).get(None, (0,))[0] for column in ("domain", "language")}
        limits += [f"{_number(rows)} rows have no {column}." for column, rows in without.items() if rows]
        limits.append("The rows were not read by people: their content may be wrong, and may offend.")
        return "## Known limits\n\n" + "\n".join(f"- {limit}" for limit in limits)

    @staticmethod
    def _checks() -> str:
        return (
            "## Check it\n\n`sha256sum -c SHA256SUMS` checks the bytes; `tulu-data verify DIR` checks counts, evidence, "
            "ids and root, and with `--evaluations` compares the rows with the evaluation sets again."
        )


def _yaml(values: Mapping[str, Any]) -> str:
    yaml = YAML(typ="safe", pure=True)
    yaml.default_flow_style = False
    yaml.sort_base_mapping_type_on_output = False  # type: ignore[assignment]
    yaml.width = 120
    yaml.allow_unicode = True
    text = io.StringIO()
    yaml.dump(values, text)
    return text.getvalue()


def _feature(field: pa.Field) -> dict[str, Any]:
    """A column as `datasets` describes it."""
    if pa.types.is_list(field.type):
        inner = field.type.value_type
        return {"name": field.name, "list": [_feature(inner.field(place)) for place in range(inner.num_fields)]}
    return {"name": field.name, "dtype": "float64" if field.type == pa.float64() else str(field.type)}


def _grouped(pairs: Iterable[tuple[str, str]]) -> list[tuple[str, list[str]]]:
    groups: dict[str, list[str]] = {}
    for key, value in pairs:
        groups.setdefault(key, []).append(value)
    return sorted(groups.items())


def _table(headings: Sequence[str], lines: Iterable[Sequence[str | int]]) -> str:
    """A table of Markdown; numbers are aligned right. Texts may contain code, but no other Markdown."""
    rows = [*lines]
    is_number = [any(isinstance(line[place], int) for line in rows) for place in range(len(headings))]
    shown = [[_number(cell) if isinstance(cell, int) else cell.replace("|", "\\|") for cell in line] for line in rows]
    ruler = ["---:" if number else "---" for number in is_number]
    return "\n".join(f"| {' | '.join(line)} |" for line in ([*headings], ruler, *shown))


def _number(number: int) -> str:
    return f"{number:,}"


def _code(text: str) -> str:
    """A text as code, without anything that Markdown would interpret."""
    return f"`{printable(text, CELL_CHARACTERS).replace('`', chr(39))}`"


def _cell(value: Any) -> str | int:
    """A value of a table with columns of any kind."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, float):
        return f"{value:,.4g}"
    return "" if value is None else _plain(str(value))


def _plain(text: str, characters: int = CELL_CHARACTERS) -> str:
    """An untrusted text, escaped so that nothing in it is Markdown or HTML."""
    return re.sub(r"([\\`*_{}\[\]<>#!~&:@$])", r"\\\1", printable(text, characters))
