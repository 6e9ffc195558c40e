"""The command line. Heavy modules are imported by the command that needs them."""

from __future__ import annotations

import importlib.resources
import os
import re
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from tulu_data import __version__
from tulu_data.errors import FindingsError, InputError, TuluDataError, UsageError

if TYPE_CHECKING:
    from tulu_data.evaluations.cache import Shelf
    from tulu_data.evaluations.catalogue import Entry
    from tulu_data.mixture.explain import Explainer
    from tulu_data.sources.source import Source

_UNITS: Final = {
    "": 1,
    "K": 10**3,
    "M": 10**6,
    "G": 10**9,
    "T": 10**12,
    "KI": 2**10,
    "MI": 2**20,
    "GI": 2**30,
    "TI": 2**40,
}


class Size(click.ParamType[int]):
    """A number of bytes: `4GiB`, `500MB`, `1000`."""

    name = "size"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if isinstance(value, int):
            return value
        found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([KMGT]?I?)B?", str(value).strip().upper())
        if not found or found[2] == "I":
            self.fail(f"'{value}' is no size; write 4GiB or 500MB", param, ctx)
        return int(float(found[1]) * _UNITS[found[2]])


class Sha256(click.ParamType[str]):
    """The sha256 of a file, in hex."""

    name = "sha256"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        digest = str(value).strip().lower()
        if not re.fullmatch(r"[0-9a-f]{64}", digest):
            self.fail(f"'{value}' is no sha256; it has 64 of the signs 0-9 and a-f: sha256sum FILE", param, ctx)
        return digest


def _option(*names: str, **options: Any) -> Callable[[Any], Any]:
    return click.option(*names, **{"show_default": True, **options})


recipe_argument = click.argument("recipe", type=click.Path(path_type=Path))
mixture_argument = click.argument("mixture")
json_option = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
out_option = _option("--out", type=click.Path(path_type=Path), default="mixtures", help="Folder of mixtures.")
workspace_option = _option(
    "--workspace", type=click.Path(path_type=Path), default=".tulu-data", help="Folder of stores and measures."
)
trust_option = click.option(
    "--trust-code",
    "trusted",
    metavar="SHA256",
    type=Sha256(),
    multiple=True,
    callback=lambda ctx, param, value: value or None,
    help="Let code from outside run if its file has this sha256, and no other; recipes of mixtures need it.",
)
against_option = click.option(
    "--against", metavar="NAME[,NAME]", multiple=True, required=True, help="Evaluation sets, or groups of them."
)
rule_option = _option("--rule", default="tulu_data", help="The rule that decides.")
on_option = click.option("--on", metavar="MESSAGES", help="prompt, response or conversation; else the rule's.")
threshold_option = click.option("--threshold", metavar="X", help="Another threshold than the rule's.")


def _data_options(command: Any) -> Any:
    """How data files are read, where no recipe says it."""
    options = (
        click.option(
            "--format", "format_text", help="How columns become a conversation: {prompt: question, response: answer}"
        ),
        click.option("--records", help="Where a JSON document keeps its rows: examples[]"),
        click.option("--no-header", is_flag=True, help="CSV and TSV: the first line is a row; columns are 0, 1, …"),
        click.option("--config", help="A dataset's config."),
        click.option("--split", help="A dataset's split; train, if not said."),
        _option(
            "--max-quarantined", type=click.IntRange(min=0), default=0, help="Bad records that each file may have."
        ),
    )
    for option in reversed(options):
        command = option(command)
    return command


@click.group(
    context_settings={
        "help_option_names": ["-h", "--help"],
        "auto_envvar_prefix": "TULU_DATA",
        "max_content_width": 100,
    }
)
@click.version_option(__version__, prog_name="tulu-data")
def cli() -> None:
    """Reproducible, explained data mixtures for post-training.

    A recipe names sources and stages; `build` makes a versioned mixture of it, with a
    ledger that says what became of every row. Start with: tulu-data init
    """


@cli.command()
@click.argument("folder", metavar="[DIR]", type=click.Path(path_type=Path), default=".")
def init(folder: Path) -> None:
    """Start a project in DIR, or here.

    Writes a first recipe, its JSON Schema for editors, a .gitignore, and example data
    where there is none.
    """
    from tulu_data.cli import console
    from tulu_data.recipe.reference import SCHEMA_FILE, schema_text

    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{folder}: is a file; give a folder: tulu-data init DIR")
    starter = importlib.resources.files("tulu_data") / "starter"
    own_data = any(folder.glob("data/*.jsonl"))
    texts = {
        "recipe.yaml": (starter / "recipe.yaml").read_text(encoding="utf-8"),
        SCHEMA_FILE: schema_text(),
        ".gitignore": "mixtures/\n.tulu-data/\n",
    }
    if own_data:
        texts["recipe.yaml"] = texts["recipe.yaml"].replace("data/example.jsonl", "data/*.jsonl")
    else:
        texts["data/example.jsonl"] = (starter / "data" / "example.jsonl").read_text(encoding="utf-8")
    there = [name for name in texts if (folder / name).exists() and name != ".gitignore"]
    if there:
        raise UsageError(f"{folder / there[0]}: is there already; choose another folder: tulu-data init DIR")
    for name, text in texts.items():
        if not (folder / name).exists():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text, encoding="utf-8")
            console.result(str(folder / name))
    place = "" if folder == Path() else f"cd {folder} && "
    console.note(f"next: {place}tulu-data plan recipe.yaml")


@cli.command()
@recipe_argument
@out_option
@workspace_option
@trust_option
@json_option
def plan(recipe: Path, out: Path, workspace: Path, trusted: tuple[str, ...] | None, as_json: bool) -> None:
    """Show what a build of RECIPE would do.

    How each file will be read, with its first rows as they will look; the phases; and
    what it takes in memory and disk. Nothing is written but what a source fetches or makes.
    Exit 3 where a build is sure to stop, as for too many bad records.
    """
    from tulu_data.building.build import prepare, read
    from tulu_data.building.decide import bytes_per_row
    from tulu_data.building.forecast import expect
    from tulu_data.building.ingest import as_stored
    from tulu_data.building.inputs import as_values
    from tulu_data.building.survey import survey
    from tulu_data.cli import console
    from tulu_data.mixture import origin
    from tulu_data.mixture.mixture import newest
    from tulu_data.recipe.plan import Plan
    from tulu_data.store.workspace import Workspace

    room = Workspace(workspace)
    loaded = read(recipe, room, trusted)
    click.get_current_context().with_resource(room.held())
    surveyed = survey(loaded, lambda paths: [""] * len(paths), room.sources)
    loaded = prepare(loaded, room, trust_mtime=False, progress=console.Bars())
    resolved = loaded.with_sources({found.name: found.source for found in surveyed})
    planned = Plan.of(resolved)
    surveyed = tuple(as_stored(found, planned.mappers) for found in surveyed)
    last = newest(out / resolved.name)
    expected = expect(planned, surveyed, last if last and origin.is_built_here(room, last) else None)
    if as_json:
        phases = [{"name": step.name, "phase": step.stage.phase, **step.stage.facts()} for step in planned.steps]
        console.result_json(
            {
                "sources": {source.name: as_values(source) for source in surveyed},
                "stages": phases,
                "recipe": resolved.as_values(),
                "expected": expected and expected.as_values(),
                "decide_bytes_per_row": bytes_per_row(planned),
            }
        )
    else:
        console.show_plan(loaded, planned, surveyed, bytes_per_row(planned), expected, workspace)
    problems = [f"sources.{source.name}: {source.problem}" for source in surveyed if source.problem]
    if expected is not None and expected.is_sure:
        problems.append(expected.problem)
    if problems:
        raise InputError("\n".join(["a build would stop:", *problems]))


@cli.command()
@recipe_argument
@out_option
@_option("--manifests", type=click.Path(path_type=Path), default="manifests", help="Folder of manifest copies.")
@workspace_option
@click.option("--workers", type=click.IntRange(min=1), help="Worker processes; as many as cores, if not said.")
@_option("--executor", type=click.Choice(["inline", "processes"]), default="processes", help="Where units of work run.")
@_option("--memory", type=Size(), default="4GiB", help="What deciding may use.")
@_option("--limit", type=click.IntRange(1, 2**63 - 1), help="Take the first N rows of each source, as a trial.")
@click.option("--trust-mtime", is_flag=True, help="Take size, inode and time of inputs for their digests.")
@trust_option
@json_option
def build(
    recipe: Path,
    out: Path,
    manifests: Path,
    workspace: Path,
    workers: int | None,
    executor: str,
    memory: int,
    limit: int | None,
    trust_mtime: bool,
    trusted: tuple[str, ...] | None,
    as_json: bool,
) -> None:
    """Build the mixture of RECIPE.

    If it is built already, nothing is done. A build that was stopped, even by a power
    cut, goes on where it stopped.
    """
    from tulu_data.building.build import build as run
    from tulu_data.building.run import Places
    from tulu_data.cli import console
    from tulu_data.executors.processes import Processes
    from tulu_data.store.workspace import Workspace
    from tulu_data.verifying import planted

    with Processes(_workers(executor, workers)) as crew:
        built = run(
            recipe,
            Places(out, manifests, workspace),
            trusted=trusted,
            memory=memory,
            limit=limit,
            trust_mtime=trust_mtime,
            executor=crew,
            progress=console.Bars(),
        )
    found = planted.check(built.mixture, Workspace(workspace).sources)
    if as_json:
        console.result_json(
            {
                "mixture": str(built.mixture.folder),
                "version": built.mixture.version,
                "status": built.status,
                "rows": built.mixture.rows,
                **({"planted": [kind.as_values() for kind in found]} if found else {}),
            }
        )
    else:
        console.show_built(built, found)
        console.result(str(built.mixture.folder))


@cli.command()
@mixture_argument
@click.argument("row", required=False, metavar="[ID | FILE:ROW]")
@click.option("--text", help="Find rows with a message that contains this text.")
@out_option
@click.option("--workspace", type=click.Path(path_type=Path), help="Where texts of removed rows lie, if it was moved.")
@json_option
def explain(mixture: str, row: str | None, text: str | None, out: Path, workspace: Path | None, as_json: bool) -> None:
    """Say what became of a row, and why.

    MIXTURE is a version's folder, or NAME[@VERSION]. The row is named by its id or the
    beginning of it, by its place in an input file
    (data/a.jsonl:17, records counted from 1), or by its text.
    """
    from tulu_data.cli import console

    if (row is None) == (text is None):
        raise UsageError("say which row: an id, FILE:ROW, or --text '…'")
    explainer = _explainer(mixture, out, workspace)
    if text is not None:
        found = explainer.by_text(text)
    elif row is not None and (place := re.fullmatch(r"(.+):(\d+)", row, re.DOTALL)):
        found = explainer.by_place(Path(place[1]), int(place[2]))
    else:
        found = explainer.by_id(row or "")
    found = [explainer.with_item(explanation) for explanation in found]
    if as_json:
        console.result_json([explanation.as_values() for explanation in found])
    else:
        console.show_explanations(found)


@cli.command()
@mixture_argument
@click.option("--stage", help="Only rows that this stage removed.")
@click.option("--source", help="Only rows of this source.")
@_option("--limit", type=click.IntRange(min=1), default=20, help="At most so many rows.")
@out_option
@click.option("--workspace", type=click.Path(path_type=Path), help="Where texts of removed rows lie, if it was moved.")
@json_option
def removed(
    mixture: str, stage: str | None, source: str | None, limit: int, out: Path, workspace: Path | None, as_json: bool
) -> None:
    """List removed rows with their reasons.

    MIXTURE is a version's folder, or NAME[@VERSION].
    """
    from tulu_data.cli import console

    explainer = _explainer(mixture, out, workspace)
    found, total = explainer.removed(stage, source, limit)
    if as_json:
        console.result_json([explanation.as_values() for explanation in found])
    else:
        console.show_removed(found, total)


@cli.command()
@click.argument("mixture", metavar="MIXTURE | hf://ORG/NAME[@REVISION]")
@click.option(
    "--evaluations",
    "places",
    metavar="DIR",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    multiple=True,
    help="Where files of evaluation sets lie; they are known by their sha256.",
)
@click.option("--fetch", is_flag=True, help="Fetch evaluation sets that are datasets of the Hub.")
@click.option("--rebuild", is_flag=True, help="Build the recipe once more, from the paths in it, and compare.")
@trust_option
@click.option("--report", type=click.Path(path_type=Path), help="Write the result as JSON, such as verification.json.")
@out_option
@workspace_option
@json_option
def verify(
    mixture: str,
    places: tuple[Path, ...],
    fetch: bool,
    rebuild: bool,
    trusted: tuple[str, ...] | None,
    report: Path | None,
    out: Path,
    workspace: Path,
    as_json: bool,
) -> None:
    """Check a mixture from its own files.

    L0 the manifest; L1 bytes, checksums, ids and root; L2 counts that add up, and evidence
    for every removal; L3 the rows held against the evaluation sets once more by plain code,
    and searched for duplicates; L4 (--rebuild) another build. Exit 4 where something is off.
    """
    from tulu_data.building.rebuild import rebuild as building
    from tulu_data.cli import console
    from tulu_data.verifying.verify import verify as run

    verification = run(
        mixture,
        out,
        workspace,
        places=places,
        fetch=fetch,
        rebuild=partial(building, workspace=workspace, trusted=trusted) if rebuild else None,
        progress=console.Bars(),
    )
    if report:
        from tulu_data.store.durable import write_text

        write_text(report, console.as_json(verification.as_values()))
    if as_json:
        console.result_json(verification.as_values())
    else:
        console.show_verification(verification)
    if not verification.holds:
        raise click.exceptions.Exit(FindingsError.exit_code)


@cli.command()
@mixture_argument
@click.option("--to", metavar="ORG/NAME", required=True, help="The dataset; it is made where it is not there.")
@click.option("--manifest-only", is_flag=True, help="Send manifest, recipe and sums; the rows stay here.")
@click.option("--private", is_flag=True, help="Make a new dataset private.")
@click.option("--dry-run", is_flag=True, help="Check everything, list files and sizes, send nothing.")
@click.option("--republish", is_flag=True, help="Publish what was pulled from another dataset.")
@out_option
@workspace_option
@json_option
def publish(
    mixture: str,
    to: str,
    manifest_only: bool,
    private: bool,
    dry_run: bool,
    republish: bool,
    out: Path,
    workspace: Path,
    as_json: bool,
) -> None:
    """Put a mixture on the Hugging Face Hub.

    In one commit, tagged with the version; what was published is never changed. It is
    verified first, and searched for secrets. What was cut off goes on where it stopped.
    The token is the one of `hf auth login`, or HF_TOKEN.
    """
    from tulu_data.cli import console
    from tulu_data.mixture.mixture import find
    from tulu_data.mixture.origin import is_built_here
    from tulu_data.publishing import publish as run
    from tulu_data.store.workspace import Workspace

    found = find(mixture, out)
    if not is_built_here(Workspace(workspace), found):
        console.note(f"{found.folder}: was not built by the workspace {workspace}; you publish what was brought here")
    done = run(
        found,
        to,
        manifest_only=manifest_only,
        private=private,
        dry_run=dry_run,
        republish=republish,
        progress=console.Bars(),
    )
    if as_json:
        console.result_json(done._asdict())
    else:
        console.show_published(done)


@cli.command()
@click.argument("name", metavar="ORG/NAME[@VERSION]")
@out_option
@json_option
def pull(name: str, out: Path, as_json: bool) -> None:
    """Bring a published mixture here.

    It is verified, and is put under --out only when everything holds.
    """
    from tulu_data.cli import console
    from tulu_data.publishing import pull as run

    pulled = run(name, out, console.Bars())
    if as_json:
        console.result_json(
            {
                "mixture": str(pulled.mixture.folder),
                "version": pulled.mixture.version,
                "commit": pulled.commit,
                "status": pulled.status,
            }
        )
    else:
        console.note(f"{pulled.status}: {pulled.mixture.manifest['rows']:,} rows, verified")
        console.result(str(pulled.mixture.folder))


@cli.command()
@mixture_argument
@click.option("--out", "file", type=click.Path(path_type=Path), help="Write the page here, drawn anew.")
@_option("--mixtures", type=click.Path(path_type=Path), default="mixtures", help="Folder of mixtures.")
@json_option
def audit(mixture: str, file: Path | None, mixtures: Path, as_json: bool) -> None:
    """Show what is in a mixture.

    What it is made of, what went and why, in a table, and where its report lies: a page
    to be opened in a browser. MIXTURE is a version's folder, or NAME[@VERSION].
    """
    from tulu_data import audit, report
    from tulu_data.cli import console
    from tulu_data.mixture.mixture import find

    found = find(mixture, mixtures)
    place = found.folder / report.NAME if file is None else file
    if file is not None:
        _write_page(file, report.page(found))
    elif not place.is_file():
        raise UsageError(f"{place}: is not there; this version was built before reports were: say --out report.html")
    if as_json:
        console.result_json({"report": str(place), **audit.as_values(found)})
    else:
        console.show_audit(found)
        console.result(str(place))


@cli.command()
@click.argument("before")
@click.argument("after")
@out_option
@click.option("--html", "file", type=click.Path(path_type=Path), help="Write a page of it here as well.")
@json_option
def diff(before: str, after: str, out: Path, file: Path | None, as_json: bool) -> None:
    """Say what is different between two versions.

    The recipe, the counts, and which rows entered and left, by source and reason. Each
    version is a folder, or NAME[@VERSION]. Exit 4 where something is different.
    """
    from tulu_data.cli import console
    from tulu_data.mixture.difference import Difference
    from tulu_data.mixture.mixture import find

    difference = Difference.between(find(before, out), find(after, out))
    if file is not None:
        from tulu_data.report import comparison_page

        _write_page(file, comparison_page(difference))
    if as_json:
        console.result_json(difference.as_values())
    else:
        console.show_difference(difference)
    if not difference.is_none:
        raise click.exceptions.Exit(FindingsError.exit_code)


@cli.command()
@out_option
@workspace_option
@_option("--keep-gb", type=click.FloatRange(min=0), default=0, help="Leave so much of what nobody names, the newest.")
@json_option
def gc(out: Path, workspace: Path, keep_gb: float, as_json: bool) -> None:
    """Free the workspace.

    What no mixture under --out names is removed, the oldest first, and what killed builds
    were writing. Mixtures stay as they are, and so does what a killed build goes on from.
    """
    from tulu_data.building.gc import collect
    from tulu_data.cli import console

    freed = collect(workspace, out, int(keep_gb * 1e9))
    if as_json:
        console.result_json(freed.as_values())
    else:
        console.result(
            f"removed {freed.files:,} files, {freed.size / 1e6:,.1f} MB; {freed.left / 1e6:,.1f} MB are left"
        )


@cli.command()
@click.argument("name", required=False)
@json_option
def stages(name: str | None, as_json: bool) -> None:
    """List the stages, or show one in full.

    NAME is a stage's name, or a reference to one from outside: ./file.py:Class
    """
    from tulu_data import stages
    from tulu_data.cli import console
    from tulu_data.recipe.reference import stage_text

    found = {each: stages.find(each) for each in ([name] if name else stages.names())}
    if as_json:
        console.result_json({each: stage.model_json_schema() for each, stage in found.items()})
    elif name:
        console.result_text(stage_text(found[name]))
    else:
        console.show_stages(found)


@cli.command()
@click.argument("names", metavar="[NAME]...", nargs=-1)
@click.option("--pull", is_flag=True, help="Fetch the sets named, or all, into the cache, and count their items.")
@workspace_option
@json_option
def evaluations(names: tuple[str, ...], pull: bool, workspace: Path, as_json: bool) -> None:
    """List the evaluation sets that have a name, or show some in full.

    NAME is a set or a group of them, of the catalogue or of the folder TULU_DATA_EVALS.
    """
    from tulu_data.cli import console
    from tulu_data.evaluations import catalogue
    from tulu_data.evaluations.cache import Shelf
    from tulu_data.store.workspace import Workspace

    shelf = Shelf(Workspace(workspace))
    click.get_current_context().with_resource(shelf.workspace.held())
    entries = catalogue.members(names or catalogue.names())
    if pull:
        failed = _pull(shelf, entries, as_json=as_json)
        if failed:
            raise failed[0] if len(failed) == 1 else type(failed[0])("\n".join(map(str, failed)))
        return
    groups = catalogue.groups()
    shown = {
        name: {
            **entry.as_values(),
            "items": shelf.count(name, entry),
            "groups": [group for group, members in groups.items() if name in members],
        }
        for name, entry in entries.items()
    }
    if names and len(entries) == 1:
        from tulu_data.without_recipe.decontaminate import account

        ((name, entry),) = entries.items()
        shown[name]["account"] = account(name, shelf.here(name, entry), shelf.workspace)
    if as_json:
        console.result_json(shown)
    elif names and len(entries) == 1:
        console.show_evaluation(names[0] if names[0] in shown else next(iter(shown)), next(iter(shown.values())))
    else:
        console.show_evaluations(shown, groups)


def _pull(shelf: Shelf, entries: Mapping[str, Entry], *, as_json: bool) -> list[TuluDataError]:
    """Fetch some sets, telling of each; what could not be fetched."""
    from tulu_data.cli import console

    counts: dict[str, int] = {}
    failed: list[TuluDataError] = []
    for name, entry in entries.items():
        try:
            counts[name] = shelf.pull(name, entry)
        except TuluDataError as error:
            failed.append(error)
            continue
        if not as_json:
            console.result(f"{name}  {counts[name]:,} items")
    if as_json:
        console.result_json(counts)
    return failed


@cli.command()
@click.argument("data", metavar="DATA...", nargs=-1, required=True)
@against_option
@rule_option
@on_option
@threshold_option
@click.option("--report", is_flag=True, help="Show what is found and write nothing; so it is without --out.")
@click.option("--out", type=click.Path(path_type=Path), help="A new folder for clean copies, and what was removed.")
@_data_options
@_option("--limit", type=click.IntRange(min=0), default=10, help="Show so many of the worst rows.")
@workspace_option
@click.option("--workers", type=click.IntRange(min=1), help="Worker processes; as many as cores, if not said.")
@json_option
def decontaminate(
    data: tuple[str, ...],
    against: tuple[str, ...],
    rule: str,
    on: str | None,
    threshold: str | None,
    report: bool,
    out: Path | None,
    format_text: str | None,
    records: str | None,
    no_header: bool,
    config: str | None,
    split: str | None,
    max_quarantined: int,
    limit: int,
    workspace: Path,
    workers: int | None,
    as_json: bool,
) -> None:
    """Hold data against evaluation sets, without a recipe.

    DATA are files (JSON, CSV, TSV, Parquet), folders of a dataset, or
    hf://datasets/ORG/NAME[@REVISION]. Exit 4 where a row holds an evaluation item.
    """
    from tulu_data.cli import console
    from tulu_data.evaluations import catalogue
    from tulu_data.executors.processes import Processes
    from tulu_data.store.workspace import Workspace
    from tulu_data.without_recipe.decontaminate import examine, stage_of

    if report and out:
        raise UsageError("--report writes nothing, and --out says where to write; keep one of them")
    sets = {name: entry.items for name, entry in catalogue.members(_split_names(against)).items()}
    stage = stage_of(sets, rule, on, threshold)
    found = _sources(data, format_text, records, config, split, max_quarantined, no_header=no_header)
    with Processes(_workers("processes", workers)) as crew:
        contamination = examine(found, stage, Workspace(workspace), crew, console.Bars())
    written = contamination.write(out) if out else []
    worst = contamination.worst(limit)
    if as_json:
        console.result_json(
            {
                "rows": {contamination.places[name]: counts for name, counts in contamination.counts().items()},
                "evaluations": contamination.evaluations.with_columns(
                    source=contamination.evaluations["source"].replace(contamination.places)
                ).to_dicts(),
                "worst": [explanation.as_values() for explanation in worst],
                "written": [str(path) for path in written],
            }
        )
    else:
        console.show_contamination(contamination, worst)
        for path in written:
            console.result(str(path))
    if len(contamination.rows):
        raise click.exceptions.Exit(FindingsError.exit_code)


@cli.command()
@click.argument("evaluation")
@click.option("--by", "mixture", metavar="MIXTURE", required=True, help="A version's folder, or NAME[@VERSION].")
@rule_option
@on_option
@threshold_option
@click.option("--out", "file", type=click.Path(path_type=Path), help="Write the ids of clean and other items, as JSON.")
@_option("--mixtures", type=click.Path(path_type=Path), default="mixtures", help="Folder of mixtures.")
@workspace_option
@click.option("--workers", type=click.IntRange(min=1), help="Worker processes; as many as cores, if not said.")
@json_option
def contaminated(
    evaluation: str,
    mixture: str,
    rule: str,
    on: str | None,
    threshold: str | None,
    file: Path | None,
    mixtures: Path,
    workspace: Path,
    workers: int | None,
    as_json: bool,
) -> None:
    """Say which items of an evaluation set a mixture holds.

    With the rows that hold them, and the items that are left, so that a score on these can
    be reported beside the other. EVALUATION is a name in the mixture's recipe or in the
    catalogue. Exit 4 where there is one.
    """
    from tulu_data.cli import console
    from tulu_data.executors.processes import Processes
    from tulu_data.mixture.mixture import find
    from tulu_data.store.workspace import Workspace
    from tulu_data.without_recipe import contaminated
    from tulu_data.without_recipe.decontaminate import stage_of

    built = find(mixture, mixtures)
    stage = stage_of({evaluation: contaminated.described(evaluation, built)}, rule, on, threshold)
    with Processes(_workers("processes", workers)) as crew:
        found = contaminated.find(evaluation, built, stage, Workspace(workspace), crew, console.Bars())
    if file:
        found.write(file)
    if as_json:
        console.result_json(found.as_values())
    else:
        console.show_leaks(found)
        if file:
            console.result(str(file))
    if len(found.contaminated):
        raise click.exceptions.Exit(FindingsError.exit_code)


def _sources(
    data: tuple[str, ...],
    format_text: str | None,
    records: str | None,
    config: str | None,
    split: str | None,
    max_quarantined: int,
    *,
    no_header: bool,
) -> dict[str, Source]:
    from tulu_data.readers.yaml import parse
    from tulu_data.without_recipe.files import sources_of

    options = {
        "format": format_text and parse(format_text, "--format").root,
        "records": records,
        "header": False if no_header else None,
        "max_quarantined": max_quarantined,
    }
    return sources_of(data, hub={"config": config, "split": split}, options=options)


@cli.command()
@click.argument("data", metavar="DATA...", nargs=-1, required=True)
@click.option("--preset", default="fineweb", show_default=True, help="fineweb, olmo3, refinedweb or redpajama.")
@click.option("--on", metavar="MESSAGES", help="prompt, response or conversation, which it is if not said.")
@_option("--threshold", metavar="X", default="0.8", help="Smallest Jaccard similarity of near rows.")
@click.option("--within", is_flag=True, help="Compare the rows of each file or dataset with its own alone.")
@click.option(
    "--against",
    metavar="MIXTURE",
    multiple=True,
    help="A built mixture, whose rows stay: a folder, or NAME[@VERSION].",
)
@_option("--mixtures", type=click.Path(path_type=Path), default="mixtures", help="Folder of mixtures.")
@click.option("--out", type=click.Path(path_type=Path), help="A new folder for copies without duplicates.")
@_data_options
@_option("--limit", type=click.IntRange(min=0), default=10, help="Show so many of the largest clusters.")
@workspace_option
@click.option("--workers", type=click.IntRange(min=1), help="Worker processes; as many as cores, if not said.")
@_option("--memory", type=Size(), default="4GiB", help="What deciding may use.")
@json_option
def dedup(
    data: tuple[str, ...],
    preset: str,
    on: str | None,
    threshold: str,
    within: bool,
    against: tuple[str, ...],
    mixtures: Path,
    out: Path | None,
    format_text: str | None,
    records: str | None,
    no_header: bool,
    config: str | None,
    split: str | None,
    max_quarantined: int,
    limit: int,
    workspace: Path,
    workers: int | None,
    memory: int,
    as_json: bool,
) -> None:
    """Find near-duplicates in data, without a recipe.

    DATA are files (JSON, CSV, TSV, Parquet), folders of a dataset, or
    hf://datasets/ORG/NAME[@REVISION]. With --against also the rows that a built mixture
    has already. Exit 4 where there is one.
    """
    from tulu_data.cli import console
    from tulu_data.executors.processes import Processes
    from tulu_data.mixture.mixture import find
    from tulu_data.store.workspace import Workspace
    from tulu_data.without_recipe.dedup import examine, stage_of

    stage = stage_of(preset, on, threshold, within=within)
    if len(against) > 1:
        raise UsageError("--against is said twice; compare with one mixture, then what is left with the other")
    if against and within:
        raise UsageError("--within compares no row with the mixture of --against; say one of them")
    mixture = find(against[0], mixtures) if against else None
    found = _sources(data, format_text, records, config, split, max_quarantined, no_header=no_header)
    with Processes(_workers("processes", workers)) as crew:
        duplicates = examine(found, stage, mixture, Workspace(workspace), crew, console.Bars(), memory=memory)
    written = duplicates.write(out) if out else []
    clusters = duplicates.largest(limit)
    if as_json:
        console.result_json(
            {
                "rows": {duplicates.places[name]: counts for name, counts in duplicates.counts().items()},
                "sources": duplicates.sources.to_dicts(),
                "clusters": [cluster.as_values() for cluster in clusters],
                "written": [str(path) for path in written],
            }
        )
    else:
        console.show_duplicates(duplicates, clusters)
        for path in written:
            console.result(str(path))
    if len(duplicates.rows):
        raise click.exceptions.Exit(FindingsError.exit_code)


def _split_names(names: tuple[str, ...]) -> list[str]:
    return [name.strip() for part in names for name in part.split(",") if name.strip()]


@cli.command()
def schema() -> None:
    """Print the JSON Schema of recipes."""
    from tulu_data.cli import console
    from tulu_data.recipe.reference import schema_text

    console.result_text(schema_text())


def _workers(executor: str, workers: int | None) -> int:
    if executor == "inline":
        return 1
    # The cores of this process, which may be fewer than the machine's; macOS knows the latter only.
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return workers or cores


def _explainer(mixture: str, out: Path, workspace: Path | None) -> Explainer:
    from tulu_data.mixture.explain import Explainer
    from tulu_data.mixture.mixture import find

    return Explainer(find(mixture, out), workspace)


def _write_page(file: Path, page: str) -> None:
    from tulu_data.store.durable import make_folders, write_text

    if file.is_dir():
        raise UsageError(f"{file}: is a folder; name a file, such as {file / 'report.html'}")
    make_folders(file.parent)
    write_text(file, page)
