"""What every command prints with: results go to stdout, all else to stderr, escaped by `terminal`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click

from tulu_data.cli.terminal import Terminal, as_json, joined, result, result_json, result_text, styled
from tulu_data.errors import FindingsError

__all__ = ["Bars", "as_json", "end", "error", "note", "result", "result_json", "result_text"]


def note(text: str) -> None:
    """Show a note on stderr."""
    Terminal(stderr=True).line(text)


def error(text: str) -> None:
    """Show an error on stderr."""
    Terminal(stderr=True).lines(text, joined(styled("bold red", "error"), ": "))


def end(*, found: bool) -> None:
    """End a command that looks for something: with exit code 4 if it was found."""
    if found:
        raise click.exceptions.Exit(FindingsError.exit_code)


class Bars:
    """Progress bars on a terminal; nothing in a pipe."""

    @contextmanager
    def phase(self, name: str, total: float | None, unit: str) -> Iterator[Callable[[int], None]]:
        with Terminal(stderr=True).bar(name, total, unit) as tick:
            yield tick
