"""The command line: the list of commands, and the module of each.

A module is imported when one of its commands is called, and the command itself imports heavy
libraries, so that `tulu-data --help` and a mistyped command are answered at once.
"""

from __future__ import annotations

import importlib
from typing import Final

import click

from tulu_data import __version__

COMMANDS: Final = {
    "init": ("reference", "Start a project in DIR, or in the current folder."),
    "plan": ("plan", "Show what a build of RECIPE would do."),
    "build": ("build", "Build the mixture of RECIPE."),
    "explain": ("rows", "Show what happened to a row, and why."),
    "removed": ("rows", "List removed rows with the reasons."),
    "audit": ("mixtures", "Show what a mixture contains."),
    "diff": ("mixtures", "Show what differs between two versions."),
    "verify": ("share", "Check a mixture from its own files."),
    "publish": ("share", "Publish a mixture on the Hugging Face Hub."),
    "pull": ("share", "Download a published mixture, and verify it."),
    "decontaminate": ("contamination", "Check data against evaluation sets, without a recipe."),
    "dedup": ("dedup", "Find near-duplicates in data, without a recipe."),
    "contaminated": ("contamination", "List the items of an evaluation set that a mixture contains."),
    "evaluations": ("reference", "List the known evaluation sets, or show some of them in full."),
    "stages": ("reference", "List the stages, or show one in full."),
    "schema": ("reference", "Print the JSON Schema of recipes."),
    "gc": ("mixtures", "Delete unused files from the workspace."),
}
"""The module of each command and the first line of its help, in the order of `--help`."""


class Commands(click.Group):
    """The commands of the table, each imported only when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, _ = COMMANDS[cmd_name]
        found = getattr(importlib.import_module(f"tulu_data.cli.{module}"), cmd_name)
        assert isinstance(found, click.Command)
        return found

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            return super().resolve_command(ctx, args)
        except click.exceptions.NoSuchCommand as error:
            # By default click suggests only commands that are imported.
            raise click.exceptions.NoSuchCommand(error.command_name, possibilities=COMMANDS, ctx=ctx) from None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, told) for name, (_, told) in COMMANDS.items()])


@click.group(
    cls=Commands,
    context_settings={
        "help_option_names": ["-h", "--help"],
        "auto_envvar_prefix": "TULU_DATA",
        "max_content_width": 100,
    },
)
@click.version_option(__version__, prog_name="tulu-data")
def cli() -> None:
    """Reproducible, explained data mixtures for post-training.

    A recipe names sources and stages; `build` makes a versioned mixture from it, with a
    ledger that records what happened to every row. Start with: tulu-data init
    """
