"""`init`, `stages`, `schema` and `evaluations`: a first project, and what a recipe can name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tulu_data.cli import console
from tulu_data.cli.options import PATH, json_option, workspace_option
from tulu_data.cli.tables import kinds_of_items
from tulu_data.cli.terminal import Terminal, styled
from tulu_data.errors import TuluDataError

if TYPE_CHECKING:
    from tulu_data.evaluations.cache import Shelf
    from tulu_data.evaluations.catalogue import Entry
    from tulu_data.stage import Stage


@click.command()
@click.argument("folder", metavar="[DIR]", type=PATH, default=".")
def init(folder: Path) -> None:
    """Start a project in DIR, or in the current folder.

    Writes a first recipe, its JSON Schema for editors, a .gitignore, and example data if
    there is no data yet.
    """
    from tulu_data.recipe.starting import start

    for path in start(folder):
        console.result(str(path))
    place = "" if folder == Path() else f"cd {folder} && "
    console.note(f"next: {place}tulu-data plan recipe.yaml")


@click.command()
@click.argument("name", required=False)
@json_option
def stages(name: str | None, as_json: bool) -> None:
    """List the stages, or show one in full.

    NAME is the name of a stage, or a reference to a stage of your own: ./file.py:Class
    """
    from tulu_data import stages
    from tulu_data.recipe.reference import stage_text

    found = {each: stages.find(each) for each in ([name] if name else stages.names())}
    if as_json:
        console.result_json({each: stage.model_json_schema() for each, stage in found.items()})
    elif name:
        console.result_text(stage_text(found[name]))
    else:
        show_stages(found)


@click.command()
def schema() -> None:
    """Print the JSON Schema of recipes."""
    from tulu_data.recipe.reference import schema_text

    console.result_text(schema_text())


@click.command()
@click.argument("names", metavar="[NAME]...", nargs=-1)
@click.option("--pull", is_flag=True, help="Download the given sets, or all of them, and count their items.")
@workspace_option
@json_option
def evaluations(names: tuple[str, ...], pull: bool, workspace: Path, as_json: bool) -> None:
    """List the known evaluation sets, or show some of them in full.

    NAME is a set or a group of sets, from the catalogue or the folder TULU_DATA_EVALS.
    """
    from tulu_data.evaluations import catalogue
    from tulu_data.evaluations.cache import Shelf
    from tulu_data.store.workspace import Workspace

    shelf = Shelf(Workspace(workspace))
    click.get_current_context().with_resource(shelf.workspace.held())
    entries = catalogue.members(names or catalogue.names())
    if pull:
        _pull(shelf, entries, as_json=as_json)
    else:
        _show(shelf, entries, in_full=bool(names) and len(entries) == 1, as_json=as_json)


def _show(shelf: Shelf, entries: Mapping[str, Entry], *, in_full: bool, as_json: bool) -> None:
    from tulu_data.evaluations import catalogue
    from tulu_data.without_recipe.decontaminate import account

    shown = shelf.as_values(entries)
    if in_full:
        ((name, entry),) = entries.items()
        shown[name]["account"] = account(name, shelf.here(name, entry), shelf.workspace)
    if as_json:
        console.result_json(shown)
    elif in_full:
        show_evaluation(*shown.popitem())
    else:
        show_evaluations(shown, catalogue.groups())


def _pull(shelf: Shelf, entries: Mapping[str, Entry], *, as_json: bool) -> None:
    """Download some sets, and show each; an error for those that failed is raised at the end."""
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
    if failed:
        raise failed[0] if len(failed) == 1 else type(failed[0])("\n".join(map(str, failed)))


def show_stages(stages: Mapping[str, type[Stage]]) -> None:
    """Show all stages, a line for each."""
    out = Terminal(stderr=False)
    headings = ("name", "phase", "what it does")
    lines = (
        (styled("bold", name), stage.phase, (stage.__doc__ or "").partition("\n")[0]) for name, stage in stages.items()
    )
    out.table(headings, lines, left=headings, titled=False)
    console.note("show one in full: tulu-data stages NAME")


def show_evaluations(shown: Mapping[str, Mapping[str, Any]], groups: Mapping[str, Sequence[str]]) -> None:
    """Show the evaluation sets, a line for each, and the groups."""
    out = Terminal(stderr=False)
    lines = []
    for name, entry in shown.items():
        items = "" if entry["items"] is None else f"{entry['items']:,}"
        place = next(iter(entry["described"].values())) if entry["origin"] == "catalogue" else "local"
        gated = {True: "gated", False: "", None: ""}[entry["gated"]]
        lines.append((styled("bold", name), items, entry["license"] or "", gated, str(place), entry["title"] or ""))
    headings = ("name", "items", "license", "gated", "from", "title")
    out.table(headings, lines, left={*headings} - {"items"}, whole=("name",))
    out.line()
    for group, members in groups.items():
        if shown.keys() & {*members}:
            out.line(styled("bold", group), f": {', '.join(members)}")
    console.note("show one in full: tulu-data evaluations NAME; download it: tulu-data evaluations NAME --pull")


def show_evaluation(name: str, entry: Mapping[str, Any]) -> None:
    """Show one evaluation set in full: its description, how it is read, and how many of its items can be used."""
    out = Terminal(stderr=False)
    out.line(styled("bold", name), f"  {entry['title'] or ''}")
    lines = {
        "from": entry["origin"],
        "groups": ", ".join(entry["groups"]),
        "license": entry["license"],
        "gated": {True: "yes: ask for access on its page", False: "no", None: None}[entry["gated"]],
        "page": entry["page"],
        "note": entry["note"],
        "unverified": ", ".join(entry["unverified"]) and f"{', '.join(entry['unverified'])}: not looked up",
    }
    for key, value in lines.items():
        if value:
            out.line(f"  {key:<11} {value}")
    out.line("  described")
    for key, value in entry["described"].items():
        shown = f"[{', '.join(map(str, value))}]" if isinstance(value, list) else value
        out.line(f"    {key}: {shown}")
    account = entry["account"]
    if account is None:
        console.note(f"it is not here; download it: tulu-data evaluations {name} --pull")
        return
    out.line(f"  {'items':<11} {account['items']:,} ({kinds_of_items(account)}, by the rule tulu3)")
