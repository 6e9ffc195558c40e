"""Check a mixture from its own files, level by level: manifest, bytes, counts and evidence, rows.

Nothing is written, and no code of the mixture is run; files are read in pieces, links are not
followed. Only another build, if it is asked for, can show that the rows come from the inputs.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from tulu_data import report, sources, stages
from tulu_data.errors import TuluDataError, printable
from tulu_data.formats.kept_columns import COMPUTED
from tulu_data.mixture import facts, merkle, tables
from tulu_data.mixture.layout import BESIDE, EXCERPTS_FILE, KEPT, MANIFEST, RECIPE, SUMS, TAKE, unknown
from tulu_data.mixture.mixture import Mixture
from tulu_data.readers.parquet_batches import ExpandsError, batches
from tulu_data.readers.yaml import parse
from tulu_data.report import card, croissant
from tulu_data.rows import kind as kinds
from tulu_data.rows.identity import row_id
from tulu_data.rows.kind import Kind
from tulu_data.rows.rows import Rows
from tulu_data.store.code_id import code_id, versions
from tulu_data.store.keys import key_of
from tulu_data.verdicts import TWIN
from tulu_data.verifying.claims import Witness

BATCH_ROWS: Final = 8_192
CHECKED_ROWS: Final = 1_024
RESULT_FORMAT: Final = "tulu-data verification 1"
_FAULTS: Final = (
    *(OSError, ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RecursionError, MemoryError),
    *(pa.ArrowException, pl.exceptions.PolarsError, pl.exceptions.PanicException, ExpandsError, TuluDataError),
)
"""Errors that reading untrusted files may raise."""
DRAWN: Final = (report.NAME, card.NAME, croissant.NAME)
"""Files that are drawn from the tables and the manifest alone."""


class _Wrong(Exception):  # noqa: N818 (a finding, not an error)
    """A check failed, with the reason."""


@dataclass(frozen=True)
class Check:
    """One thing that was checked, and on which level.

    `wrong` is the reason of a failure, `unproven` the reason why it could not be checked; both
    are empty if it holds.
    """

    level: str
    what: str
    wrong: str = ""
    unproven: str = ""

    @property
    def holds(self) -> bool:
        return not self.wrong


@dataclass
class Verification:
    """The checks of one mixture's folder, in order; those that need an earlier one are left out if it fails.

        Verification(folder).run().holds
        Verification(folder, witness=lambda manifest: Witness(folder, manifest, [Path("evals")])).run()

    L0 manifest · L1 bytes, columns, ids and root · L2 counts and evidence · L3 the rows
    again, by the `witness` if one is given · L4 another build, if `rebuild` is given:
    it takes the manifest and returns that of the other build, and `runs_code` tells whether it runs
    stages from outside. `others` are files that a published mixture may have beside its own.
    """

    folder: Path
    witness: Callable[[dict[str, Any]], Witness] | None = None
    rebuild: Callable[[dict[str, Any]], dict[str, Any]] | None = None
    others: Sequence[str] = ()
    runs_code: bool = False
    checks: list[Check] = field(default_factory=list)
    digest: str = ""
    """The sha256 of the manifest that was read."""
    _ids: dict[tuple[str, bytes], set[str]] = field(default_factory=dict, repr=False)
    """The ids of the first occurrences of contents that occur more than once."""

    @property
    def holds(self) -> bool:
        """Whether no check fails."""
        return all(check.holds for check in self.checks)

    def run(self) -> Verification:
        """Check everything that can be checked."""
        steps: tuple[tuple[str, str, Callable[[], object]], ...] = (
            (
                "L0",
                "the manifest can be read, and its version is that of root, recipe and inputs",
                self._check_version,
            ),
            ("L1", "the files are those of the manifest, byte for byte", self._check_files),
            ("L1", "SHA256SUMS names the same files and sums", self._check_sums),
            ("L1", "tables have their columns, and pages their checksums", self._check_tables),
            ("L2", "read = quarantined + removed + kept, in every source", self._check_counts),
            ("L2", "every removal has its evidence, and every twin is known", self._check_evidence),
            ("L1", "ids and root are those of the rows", self._check_rows),
            ("L2", "report, card and description are those of the tables", self._check_drawn),
        )
        for level, what, step in steps:
            if not self._check(level, what, step):
                return self
        self._hear()
        if self.rebuild is not None:
            self._check("L4", "another build from the recipe has the same rows", self._check_rebuild)
        return self

    def _check(self, level: str, what: str, step: Callable[[], object]) -> bool:
        """Run a step, note its result, and tell whether it holds."""
        try:
            unproven = step()
        except _Wrong as wrong:
            self.checks.append(Check(level, what, str(wrong)))
        except _FAULTS as error:
            self.checks.append(Check(level, what, _told(error)))
        else:
            self.checks.append(Check(level, what, unproven=unproven if isinstance(unproven, str) else ""))
            return True
        return False

    def _hear(self) -> None:
        """Check the rows by the witness, if one is given."""
        if self.witness is None:
            return
        witness = self.witness(self._manifest)
        try:
            for testimony in witness.testify():
                self.checks.append(Check("L3", *testimony))
        except _FAULTS as error:
            self.checks.append(Check("L3", "what the stages claim of the rows", _told(error)))

    def _check_rebuild(self) -> str:
        assert self.rebuild is not None
        if not self.runs_code and any("from" in stage for stage in self._manifest["stages"]):
            return "a stage is code of its own, which is not run"
        other = self.rebuild(self._manifest)
        if other["root"] != self._manifest["root"]:
            raise _Wrong(f"its root is {other['root']}, not {self._manifest['root']}")
        differ = sorted(
            name for name, entry in self._manifest["files"].items() if other["files"].get(name, {}) != entry
        )
        return f"the bytes of {', '.join(differ)} differ, as other libraries may write them" if differ else ""

    def _check_version(self) -> None:
        manifest = self._manifest
        limit = manifest["trial"] and manifest["trial"]["rows_of_each_source"]
        build = manifest["build"]
        key = key_of(root=manifest["root"], recipe=build["recipe"], inputs=build["inputs"], limit=limit)[:12]
        if manifest["version"] not in (key, f"trial-{key}") and not self._is_named(manifest["version"]):
            raise _Wrong(
                f"{MANIFEST}: its version {manifest['version']} is not that of its root, recipe and inputs, {key}"
            )
        # Options are untrusted: they are checked by the stage's own bounds before they are used.
        _ = self._mixture.stages

    def _is_named(self, version: str) -> bool:
        """Whether the recipe names the version."""
        path = self.folder / RECIPE
        if not path.is_file() or path.is_symlink() or path.stat().st_size > facts.MAX_BYTES:
            return False
        with path.open(encoding="utf-8") as file:
            return any(
                line.strip().removeprefix("version:").strip(" \n'\"") == version
                for line in file
                if line.startswith("version:")
            )

    def as_values(self) -> dict[str, Any]:
        """The result as plain values, which can be published beside the mixture."""
        readable = self.checks and self.checks[0].holds
        return {
            "format": RESULT_FORMAT,
            "mixture": {key: self._manifest[key] for key in ("name", "version", "root")} if readable else None,
            "manifest": self.digest or None,
            "by": f"tulu-data {version('tulu-data')}",
            "holds": self.holds,
            "checks": [{**asdict(check), "holds": check.holds} for check in self.checks],
        }

    @cached_property
    def _manifest(self) -> dict[str, Any]:
        manifest, content = facts.read(self.folder)
        self.digest = hashlib.sha256(content).hexdigest()
        return manifest

    @cached_property
    def _mixture(self) -> Mixture:
        return Mixture(self.folder, self._manifest)

    def _check_files(self) -> None:
        named: dict[str, Any] = self._manifest["files"]
        every = {path.relative_to(self.folder).as_posix(): path for path in self.folder.rglob("*")}
        for name, path in sorted(every.items()):
            if path.is_symlink():
                raise _Wrong(f"{name}: is a link")
            if not path.is_dir() and not path.is_file():
                raise _Wrong(f"{name}: is not a plain file")
        there = {name for name, path in every.items() if path.is_file()}
        for name in sorted(named.keys() - there):
            raise _Wrong(f"{name}: is missing")
        for name in sorted((there | {*self.others}) - named.keys() - {MANIFEST, SUMS} - BESIDE):
            raise _Wrong(f"{name}: is not in the manifest")
        if (strange := unknown(sorted(named))) is not None:
            raise _Wrong(f"{strange}: is in the manifest, and no mixture has such a file")
        for name, entry in sorted(named.items()):
            with (self.folder / name).open("rb") as file:
                if hashlib.file_digest(file, "sha256").hexdigest() != entry["sha256"]:
                    raise _Wrong(f"{name}: has another sha256 than the manifest says")

    def _check_sums(self) -> None:
        lines = (self.folder / SUMS).read_text(encoding="utf-8").splitlines()
        sums = {name: sha256 for sha256, _, name in (line.partition("  ") for line in lines)}
        with (self.folder / MANIFEST).open("rb") as file:
            manifest_sum = hashlib.file_digest(file, "sha256").hexdigest()
        wanted = {MANIFEST: manifest_sum, **{name: entry["sha256"] for name, entry in self._manifest["files"].items()}}
        for name in sorted(wanted.keys() | sums.keys()):
            if wanted.get(name) != sums.get(name):
                raise _Wrong(f"{SUMS}: {name} has the sum {sums.get(name)}, not {wanted.get(name)}")

    def _check_tables(self) -> None:
        schemas = {pq.read_schema(path).remove_metadata().to_string() for path in self._tables("data")}
        if len(schemas) != 1:
            raise _Wrong("data/: its files have different columns")
        for path in sorted(self.folder.rglob("*.parquet")):
            name = path.relative_to(self.folder).as_posix()
            columns = self._mixture.columns_of(name)
            tables.check_file(self.folder, name, self._kind, columns)
            with pq.ParquetFile(path, page_checksum_verification=True) as parquet:
                # The sizes that the file gives may be false.
                for batch in batches(path, parquet, CHECKED_ROWS):
                    tables.check_values(self.folder, name, pl.DataFrame(batch), self._kind, columns)

    @cached_property
    def _kind(self) -> Kind:
        try:
            return kinds.find(self._manifest["kind"])
        except ValueError as error:
            raise _Wrong(f"{MANIFEST}: kind: {error}") from None

    def _tables(self, folder: str) -> list[Path]:
        found = tables.files_in(self.folder, f"{folder}/*.parquet", self._kind)
        if not found:
            raise _Wrong(f"{folder}/: holds no table")
        return found

    @cached_property
    def _ledger(self) -> pl.DataFrame:
        ledger = pl.concat([pl.read_parquet(path, glob=False) for path in self._tables("ledger")])
        if not ledger["id"].is_sorted() or not ledger["id"].is_unique().all():
            raise _Wrong("ledger/: its ids are not sorted, or one occurs twice")
        fates = self._mixture.fates
        each = ledger.select("fate", pl.col("copies") > 0, "id").unique(("fate", "copies"), keep="first")
        for fate, is_kept, id in each.iter_rows():
            if fate not in fates:
                raise _Wrong(f"ledger/: row {id} has the fate '{printable(fate, 60)}', which is not a stage")
            if (fate == KEPT) != is_kept:
                raise _Wrong(f"ledger/: row {id} is {printable(fate, 60)} and has {'some' if is_kept else 'no'} copies")
        return ledger

    def _check_counts(self) -> None:
        fates = Counter(self._ledger.select("source", "fate").iter_rows())
        quarantined = Counter(pl.read_parquet(self.folder / "quarantine.parquet", glob=False)["source"])
        written = Counter(source for table in self._rows() for source in table.column("source").to_pylist())
        copies = dict(self._ledger.group_by("source").agg(pl.col("copies").sum()).iter_rows())
        for source, entry in self._manifest["sources"].items():
            removed = {fate: count for (of, fate), count in fates.items() if of == source and fate != KEPT}
            facts = {
                "kept": fates[source, KEPT],
                "removed": removed,
                "quarantined": quarantined[source],
                "read": fates[source, KEPT] + sum(removed.values()) + quarantined[source],
                "written": written[source],
            }
            for name, fact in facts.items():
                if entry[name] != fact:
                    raise _Wrong(f"{source}: the manifest says {name} {entry[name]}, the tables say {fact}")
            if copies.get(source, 0) != written[source]:
                raise _Wrong(
                    f"{source}: {written[source]} rows are written, the ledger says {copies.get(source, 0)} copies"
                )
        unknown = ({source for source, _ in fates} | {*quarantined} | {*written}) - self._manifest["sources"].keys()
        if unknown:
            raise _Wrong(f"the source '{printable(min(unknown), 60)}' of some rows is not in the manifest")
        if self._manifest["rows"] != written.total():
            raise _Wrong(f"the manifest says rows {self._manifest['rows']}, data/ has {written.total()}")

    def _check_evidence(self) -> None:
        removed = {
            str(fate): rows
            for (fate,), rows in self._ledger.filter(~pl.col("fate").is_in([KEPT, TAKE])).group_by("fate")
        }
        evidence = self._mixture.evidence
        for step in sorted(removed.keys() - evidence.keys()):
            raise _Wrong(f"evidence/{step}.parquet: is missing")
        for step, path in evidence.items():
            filed = pl.read_parquet(path, glob=False)
            rows = removed.get(step, self._ledger.clear())
            if sorted(filed["id"]) != rows["id"].to_list():
                raise _Wrong(f"evidence/{step}.parquet: its rows are not those that {step} removed")
            if wrong := self._wrong_evidence(step, filed):
                raise _Wrong(f"evidence/{step}.parquet: {wrong}")
        self._check_excerpts()

    def _wrong_evidence(self, step: str, filed: pl.DataFrame) -> str:
        """The first error in the evidence of a step, whose rows are those that it removed."""
        told = filed.select("id", "source", "reason").join(self._ledger, on=["id", "source", "reason"], how="semi")
        if len(told) != len(filed):
            return "a row has another source or reason than the ledger says"
        stage = self._stages[step]
        kind = None if "from" in stage else stages.of_step(step)
        if TWIN in filed.columns:
            if not filed[TWIN].is_in(self._ledger["id"].implode()).all():
                return "a twin is not in the ledger"
            order = self._mixture.fates
            fates = filed.join(self._ledger.select(pl.col("id").alias(TWIN), pl.col("fate").alias("its")), on=TWIN)
            gone = next((id for id, its in fates.select("id", "its").iter_rows() if order[its] <= order[step]), None)
            if gone is not None:
                return f"the twin of row {gone} was removed before it"
        threshold = stage["options"].get("threshold")
        if kind is not None and "jaccard" in filed.columns and threshold is not None:
            far = filed.filter(pl.col("jaccard").round(6) < round(float(threshold), 6))
            if len(far):
                return f"row {far['id'][0]} has a Jaccard similarity of {far['jaccard'][0]}, under {threshold}"
        if kind is not None and {"value", "threshold"} <= {*filed.columns}:
            short = filed.filter(~(pl.col("value") >= pl.col("threshold")))
            if len(short):
                return f"row {short['id'][0]} has {short['value'][0]}, and a threshold of {short['threshold'][0]}"
        return ""

    @cached_property
    def _stages(self) -> dict[str, dict[str, Any]]:
        return {stage["name"]: stage for stage in self._mixture.stages}

    def _check_excerpts(self) -> None:
        path = self.folder / EXCERPTS_FILE
        if path.is_file():
            ledger = self._ledger.with_columns(pl.col("copies").cast(pl.Int64))
            strange = pl.read_parquet(path, glob=False).join(ledger, on=ledger.columns, how="anti")
            if len(strange):
                raise _Wrong(f"{EXCERPTS_FILE}: row {strange['id'][0]} is not as the ledger has it")

    def _check_drawn(self) -> str:
        """Draw the report, the card and the description again, and compare them."""
        build = self._manifest["build"]
        if build["versions"] != versions() or build["code"] != self._code():
            return f"{', '.join(DRAWN)}: not drawn again, since other code or libraries drew them"
        prose = self._recipe.get("card") or ""
        drawn: dict[str, Callable[[], str]] = {
            report.NAME: lambda: report.page(self._mixture),
            card.NAME: card.Card(self.folder, self._manifest, prose).text,
            croissant.NAME: lambda: croissant.text(self.folder, self._manifest),
        }
        for name, draw in drawn.items():
            if name in self._manifest["files"] and (self.folder / name).read_bytes() != draw().encode():
                raise _Wrong(f"{name}: is not what this program draws of the tables; open it with care")
        return ""

    @cached_property
    def _recipe(self) -> dict[str, Any]:
        """The recipe as plain values, without making its stages."""
        values: dict[str, Any] = parse(self._mixture.recipe_text(), RECIPE).root
        return values

    def _code(self) -> str:
        """The code id that a build of this recipe has here; empty if a stage is from outside."""
        found = sources.kinds()
        keys = {key for source in self._recipe["sources"].values() for key in source}
        modules = {"tulu_data.building.build", *(one.__module__ for key, one in found.items() if key in keys)}
        modules |= self._kind.modules
        for name, stage in self._stages.items():
            kind = None if "from" in stage else stages.of_step(name)
            if kind is None:
                return ""
            modules.add(kind.__module__)
        return code_id(tuple(sorted(modules)))

    def _check_rows(self) -> None:
        kept = self._ledger.filter(pl.col("fate") == KEPT)
        copies = dict(kept.select("id", "copies").iter_rows())
        contents: dict[str, bytes] = {}
        seen: Counter[str] = Counter()
        for table in self._rows():
            ids = [id.partition("-")[0] for id in table.column("id").to_pylist()]
            beside = [name for name in table.schema.names if name not in {*self._kind.content, *COMPUTED}]
            hashes = Rows.published(table, self._kind, beside).content_hashes()
            for id, source, content in zip(ids, table.column("source").to_pylist(), hashes, strict=True):
                if id not in copies:
                    raise _Wrong(f"row {id}: is in data/, and the ledger does not keep it")
                if contents.setdefault(id, content) != content or not self._is_id(id, source, content):
                    raise _Wrong(f"row {id}: its id is not that of its content")
                seen[id] += 1
        missing = next((id for id, count in copies.items() if seen[id] != count), None)
        if missing is not None:
            raise _Wrong(f"row {missing}: the ledger keeps {copies[missing]} copies, data/ has {seen[missing]}")
        leaves = (merkle.leaf(bytes.fromhex(id), contents[id], copies[id]) for id in sorted(copies))
        if merkle.root(leaves) != self._manifest["root"]:
            raise _Wrong("the root of the rows is not the manifest's")

    def _is_id(self, id: str, source: str, content: bytes) -> bool:
        """Whether `id` is the id of the row, as one of the occurrences that its source can have."""
        if row_id(source, content, 0).hex() == id:
            return True
        known = self._ids.setdefault((source, content), set())
        while id not in known and len(known) < self._manifest["sources"][source]["read"]:
            known.add(row_id(source, content, len(known)).hex())
        return id in known

    def _rows(self) -> Iterator[pa.RecordBatch]:
        for path in self._tables("data"):
            with pq.ParquetFile(path, page_checksum_verification=True) as parquet:
                yield from batches(path, parquet, BATCH_ROWS)


def _told(error: Exception) -> str:
    """The message of an error, on one line."""
    if isinstance(error, tables.DamagedError):
        return error.what
    told = printable(str(error).splitlines()[0] if str(error) else "", 300)
    return told if isinstance(error, TuluDataError) else f"{type(error).__name__}: {told}"
