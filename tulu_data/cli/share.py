"""`verify`, `publish` and `pull`: share mixtures."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tulu_data.cli import console
from tulu_data.cli.options import PATH, json_option, mixture_argument, out_option, trust_option, workspace_option
from tulu_data.cli.tables import size_of
from tulu_data.cli.terminal import Terminal, styled
from tulu_data.cli.texts import PATH_CHARACTERS
from tulu_data.errors import printable

if TYPE_CHECKING:
    from tulu_data.publishing import Published
    from tulu_data.verifying.levels import Verification


@click.command()
@click.argument("mixture", metavar="MIXTURE | hf://ORG/NAME[@REVISION]")
@click.option(
    "--evaluations",
    "places",
    metavar="DIR",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    multiple=True,
    help="Folder with files of evaluation sets, which are recognised by their sha256.",
)
@click.option("--fetch", is_flag=True, help="Download evaluation sets that are datasets of the Hub.")
@click.option("--rebuild", is_flag=True, help="Build the recipe again, from the paths in it, and compare.")
@trust_option
@click.option("--report", type=PATH, help="Also write the result to this file as JSON.")
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

    L0 checks the manifest; L1 bytes, checksums, ids and root; L2 that counts add up, and
    the evidence of every removal; L3 checks the rows against the evaluation sets again,
    with a second, independent implementation, and searches them for duplicates; L4
    (--rebuild) compares them with another build. Exit 4 if any check fails.
    """
    from tulu_data.building.rebuild import rebuild as building
    from tulu_data.verifying.verify import verify as run

    verification = run(
        mixture,
        out,
        workspace,
        evaluations=places,
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
        show_verification(verification)
    console.end(found=not verification.holds)


@click.command()
@mixture_argument
@click.option(
    "--to", metavar="ORG/NAME", required=True, help="Dataset to publish to; it is created if it does not exist."
)
@click.option("--manifest-only", is_flag=True, help="Send manifest, recipe and checksums, but no rows.")
@click.option("--private", is_flag=True, help="Make the dataset private if it is new.")
@click.option("--dry-run", is_flag=True, help="Check everything and list files and sizes, but send nothing.")
@click.option("--republish", is_flag=True, help="Publish a mixture that was pulled from another dataset.")
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
    """Publish a mixture on the Hugging Face Hub.

    Verifies it first, and searches it for secrets. Sends it in one commit, tagged with the
    version, and never changes what is published. An upload that was cut off resumes. The
    token is that of `hf auth login`, or HF_TOKEN.
    """
    from tulu_data.mixture.mixture import find
    from tulu_data.mixture.origin import is_built_here
    from tulu_data.publishing import publish as run
    from tulu_data.store.workspace import Workspace

    found = find(mixture, out)
    if not is_built_here(Workspace(workspace), found):
        console.note(f"{found.folder}: was not built by the workspace {workspace}; you publish what others built")
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
        console.result_json(done.as_values())
    else:
        show_published(done)


@click.command()
@click.argument("name", metavar="ORG/NAME[@VERSION]")
@out_option
@json_option
def pull(name: str, out: Path, as_json: bool) -> None:
    """Download a published mixture, and verify it.

    It is put under --out only if every check passes.
    """
    from tulu_data.publishing import pull as run

    pulled = run(name, out, console.Bars())
    if as_json:
        console.result_json(pulled.as_values())
    else:
        console.note(f"{pulled.status}: {pulled.mixture.manifest['rows']:,} rows, verified")
        console.result(str(pulled.mixture.folder))


def show_verification(verification: Verification) -> None:
    """Show each check, and what is wrong where one fails."""
    out = Terminal(stderr=False)
    for check in verification.checks:
        failed = styled("bold red", "fails")
        mark = failed if check.wrong else styled("yellow", "open ") if check.unproven else styled("green", "holds")
        out.line(mark, f"  {check.level}  {check.what}")
        if told := check.wrong or check.unproven:
            out.line(f"           {printable(told, 600)}")
    proven = [check for check in verification.checks if check.holds and not check.unproven]
    is_clean = any("no row kept holds an evaluation item" in check.what for check in proven)
    console.note(
        "L0 to L2 follow from the files alone; you need to trust nobody"
        + ("; L3: no row contains an evaluation item by the rule, which can't see translations" if is_clean else "")
        + ("" if any(check.level == "L4" for check in proven) else "; --rebuild checks what the rows were made of")
    )


def show_published(published: Published) -> None:
    """Show the files and their sizes, and where they are now."""
    lines = ((size_of(size), printable(name, PATH_CHARACTERS)) for name, size in published.files.items())
    Terminal(stderr=True).table(("size", "file"), lines, left=("file",), titled=False)
    console.note(f"{published.status}: {len(published.files):,} files, {size_of(sum(published.files.values()))}")
    if published.commit:
        console.result(f"{published.repository}@{published.version}")
