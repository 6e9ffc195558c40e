"""The command line. Heavy modules are imported by the command that needs them."""

from __future__ import annotations

import importlib.resources
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from tulu_data import __version__
from tulu_data.errors import FindingsError, UsageError

if TYPE_CHECKING:
    from tulu_data.explain import Explainer

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


def _option(*names: str, **options: Any) -> Callable[[Any], Any]:
    return click.option(*names, **{"show_default": True, **options})


recipe_argument = click.argument("recipe", type=click.Path(path_type=Path))
mixture_argument = click.argument("mixture")
json_option = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
out_option = _option("--out", type=click.Path(path_type=Path), default="mixtures", help="Folder of mixtures.")
workspace_option = _option(
    "--workspace", type=click.Path(path_type=Path), default=".tulu-data", help="Folder of stores and measures."
)


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
    from tulu_data import console
    from tulu_data.reference import SCHEMA_FILE, schema_text

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
@workspace_option
@json_option
def plan(recipe: Path, workspace: Path, as_json: bool) -> None:
    """Show what a build of RECIPE would do.

    How each file will be read, with its first rows as they will look; the phases; and
    what it takes in memory and disk. Nothing is written but what a source fetches or makes.
    """
    from tulu_data import console
    from tulu_data.build import prepare
    from tulu_data.decide import bytes_per_row
    from tulu_data.plan import Plan
    from tulu_data.recipe_file import load
    from tulu_data.survey import as_values, survey
    from tulu_data.workspace import Workspace

    loaded = load(recipe)
    room = Workspace(workspace)
    surveyed = survey(loaded, lambda paths: [""] * len(paths), room.sources)
    loaded = prepare(loaded, room, trust_mtime=False, progress=console.Bars())
    resolved = loaded.with_sources({found.name: found.source for found in surveyed})
    planned = Plan.of(resolved)
    if as_json:
        phases = [{"name": step.name, "phase": step.stage.phase, **step.stage.facts()} for step in planned.steps]
        console.result_json(
            {
                "sources": {source.name: as_values(source) for source in surveyed},
                "stages": phases,
                "recipe": resolved.as_values(),
                "decide_bytes_per_row": bytes_per_row(planned),
            }
        )
    else:
        console.show_plan(loaded, planned, surveyed, bytes_per_row(planned))


@cli.command()
@recipe_argument
@out_option
@_option("--manifests", type=click.Path(path_type=Path), default="manifests", help="Folder of manifest copies.")
@workspace_option
@click.option("--workers", type=click.IntRange(min=1), help="Worker processes; as many as cores, if not said.")
@_option("--executor", type=click.Choice(["inline", "processes"]), default="processes", help="Where units of work run.")
@_option("--memory", type=Size(), default="4GiB", help="What deciding may use.")
@_option("--limit", type=click.IntRange(min=1), help="Take the first N rows of each source, as a trial.")
@click.option("--trust-mtime", is_flag=True, help="Take size, inode and time of inputs for their digests.")
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
    as_json: bool,
) -> None:
    """Build the mixture of RECIPE.

    If it is built already, nothing is done. A build that was stopped, even by a power
    cut, goes on where it stopped.
    """
    from tulu_data import console, planted
    from tulu_data.build import build as run
    from tulu_data.executors.processes import Processes
    from tulu_data.run import Places
    from tulu_data.workspace import Workspace

    with Processes(_workers(executor, workers)) as crew:
        built = run(
            recipe,
            Places(out, manifests, workspace),
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
    from tulu_data import console

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
    from tulu_data import console

    explainer = _explainer(mixture, out, workspace)
    found, total = explainer.removed(stage, source, limit)
    if as_json:
        console.result_json([explanation.as_values() for explanation in found])
    else:
        console.show_removed(found, total)


@cli.command()
@mixture_argument
@out_option
@json_option
def verify(mixture: str, out: Path, as_json: bool) -> None:
    """Check a mixture from its own files.

    Hashes, checksums and columns; counts that add up; evidence for every removal; ids and
    root computed anew from the rows. Exit 4 where something is off. Nothing is written.
    """
    from tulu_data import console
    from tulu_data.mixture import find
    from tulu_data.verify import Verification

    verification = Verification(find(mixture, out).folder).run()
    if as_json:
        checks = [{"what": check.what, "holds": check.holds, "wrong": check.wrong} for check in verification.checks]
        console.result_json({"mixture": str(verification.folder), "holds": verification.holds, "checks": checks})
    else:
        console.show_verification(verification)
    if not verification.holds:
        raise click.exceptions.Exit(FindingsError.exit_code)


@cli.command()
@click.argument("before")
@click.argument("after")
@out_option
@json_option
def diff(before: str, after: str, out: Path, as_json: bool) -> None:
    """Say what is different between two versions.

    The recipe, the counts, and which rows entered and left, by source and reason. Each
    version is a folder, or NAME[@VERSION]. Exit 4 where something is different.
    """
    from tulu_data import console
    from tulu_data.difference import Difference
    from tulu_data.mixture import find

    difference = Difference.between(find(before, out), find(after, out))
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
    from tulu_data import console
    from tulu_data.gc import collect

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
    from tulu_data import console, stages
    from tulu_data.reference import stage_text

    found = {each: stages.find(each) for each in ([name] if name else stages.names())}
    if as_json:
        console.result_json({each: stage.model_json_schema() for each, stage in found.items()})
    elif name:
        console.result(stage_text(found[name]))
    else:
        console.show_stages(found)


@cli.command()
def schema() -> None:
    """Print the JSON Schema of recipes."""
    from tulu_data import console
    from tulu_data.reference import schema_text

    console.result(schema_text())


def _workers(executor: str, workers: int | None) -> int:
    if executor == "inline":
        return 1
    # The cores of this process, which may be fewer than the machine's; macOS knows the latter only.
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return workers or cores


def _explainer(mixture: str, out: Path, workspace: Path | None) -> Explainer:
    from tulu_data.explain import Explainer
    from tulu_data.mixture import find

    return Explainer(find(mixture, out), workspace)
