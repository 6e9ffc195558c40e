"""The only way to print to the terminal.

Text is given as `str` and is escaped: control characters, marks of direction and markup are never
interpreted. Colours come only from `styled`, which takes a style beside the text. Nothing can be
printed raw.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final, TypeAlias

from rich.console import Console
from rich.table import Table
from rich.text import Text

from tulu_data.characters import visible
from tulu_data.cli import streams

PIPE_WIDTH: Final = 1000

Part: TypeAlias = str | Text
"""A piece of text to show: a `str`, or a result of `styled` or `joined`."""


def styled(style: str, *parts: Part) -> Text:
    """Text in a colour or weight: `styled("bold red", name)`."""
    text = joined(*parts)
    text.stylize(style)
    return text


def joined(*parts: Part) -> Text:
    """Pieces joined to one."""
    text = Text()
    for part in parts:
        text.append_text(part if isinstance(part, Text) else Text(visible(part)))
    return text


class Terminal:
    """stdout or stderr: coloured on a terminal, plain in a pipe."""

    def __init__(self, *, stderr: bool) -> None:
        stream = sys.stderr if stderr else sys.stdout
        width = None if stream.isatty() else PIPE_WIDTH
        self._console = _Console(stderr=stderr, highlight=False, markup=False, emoji=False, width=width)

    def line(self, *parts: Part) -> None:
        """Print one line: a line break inside of the text is shown as `\\n`."""
        self._print(joined(*parts), soft_wrap=True)

    def lines(self, text: str, first: Part = "") -> None:
        """Print a text of several lines, with `first` before the first line.

        The others are indented by two spaces if they would begin at the margin, so that text after
        a line break inside of a name does not look like a line of this program.
        """
        head, *rest = text.split("\n")
        self.line(first, head)
        for line in rest:
            self.line("" if not line or line.startswith(" ") else "  ", line)

    def table(
        self,
        headings: Sequence[str],
        lines: Iterable[Sequence[Part]],
        *,
        left: Collection[str] = (),
        whole: Collection[str] = (),
        titled: bool = True,
    ) -> None:
        """Print a table: columns of `left` are aligned left, the others right; those of `whole` are never wrapped."""
        table = Table(box=None, pad_edge=False, header_style="bold", show_header=titled)
        for heading in headings:
            table.add_column(
                joined(heading),
                justify="left" if heading in left else "right",
                no_wrap=heading in whole,
                overflow="fold",
            )
        for line in lines:
            table.add_row(*map(joined, line))
        self._print(table, soft_wrap=False)

    def _print(self, shown: Text | Table, *, soft_wrap: bool) -> None:
        with streams.lasting(self._console.file):
            self._console.print(shown, soft_wrap=soft_wrap)

    @contextmanager
    def bar(self, name: str, total: float | None, unit: str) -> Iterator[Callable[[int], None]]:
        """A progress bar on a terminal; nothing in a pipe."""
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

        columns = (
            TextColumn("{task.description:<28}", markup=False),
            BarColumn(),
            TextColumn("{task.completed:>12,.0f} {task.fields[unit]}", markup=False),
            TextColumn("{task.fields[speed]:>12}", markup=False),
            TimeRemainingColumn(compact=True),
        )
        console = self._console
        with Progress(*columns, console=console, disable=not console.is_terminal, transient=True) as progress:
            task = progress.add_task(visible(name), total=total, unit=unit, speed="")

            def tick(done: int) -> None:
                progress.advance(task, done)
                speed = progress.tasks[0].speed
                progress.update(task, speed=f"{speed:,.0f}/s" if speed else "")

            yield tick


def result(text: str) -> None:
    """Print a line of result to stdout. Control characters are escaped: scripts get the true name from `--json`."""
    streams.write(sys.stdout, f"{visible(text)}\n")


def result_text(text: str) -> None:
    """Print a result of several lines to stdout."""
    for line in text.removesuffix("\n").split("\n"):
        result(line)


def result_json(values: Any) -> None:
    """Print a result to stdout as JSON."""
    streams.write(sys.stdout, as_json(values, is_ascii=(sys.stdout.encoding or "").lower() not in ("utf-8", "utf8")))


def as_json(values: Any, *, is_ascii: bool = False) -> str:
    r"""Values as JSON that a person can read; invisible characters are escaped, and parse to the same.

    >>> print(as_json(["\x9b31m", "é"]), end="")
    [
     "\u009b31m",
     "é"
    ]
    """
    dumped = json.dumps(values, indent=1, ensure_ascii=is_ascii, default=str)
    # JSON has such characters only inside of strings; its own line breaks are not touched.
    return "\n".join(visible(line, form=_in_json) for line in dumped.split("\n")) + "\n"


def _in_json(sign: str) -> str:
    return json.dumps(sign)[1:-1]


class _Console(Console):
    def on_broken_pipe(self) -> None:
        """Leave the error to `streams.lasting`: rich would end the program."""
        raise  # noqa: PLE0704 (called while it is handled)
