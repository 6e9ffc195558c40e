"""The one door to the terminal.

Text goes in as `str` and comes out as a person can see it: no control character, no mark of
direction, no markup of anybody passes. Colours are those of `styled`, which names its style
beside the text. There is no way to print something raw.
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
"""A piece of what is shown: text, or what `styled` and `joined` made of it."""


def styled(style: str, *parts: Part) -> Text:
    """Text in a colour or weight: `styled("bold red", name)`."""
    text = joined(*parts)
    text.stylize(style)
    return text


def joined(*parts: Part) -> Text:
    """Pieces after each other, as one."""
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
        """One line, whatever the text: a line break inside is shown as `\\n`."""
        self._print(joined(*parts), soft_wrap=True)

    def lines(self, text: str, first: Part = "") -> None:
        """A text of several lines, the first after `first`.

        The others are set in by two spaces where they would begin at the margin, so that a
        line break inside of a name makes nothing that looks like a line of this program.
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
        """Columns: those of `left` begin on the left, the others end on the right; `whole` are never broken."""
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
    """Print a line of result to stdout. Of a name with control characters scripts get the bytes from `--json`."""
    streams.write(sys.stdout, f"{visible(text)}\n")


def result_text(text: str) -> None:
    """Print a result of several lines to stdout."""
    for line in text.removesuffix("\n").split("\n"):
        result(line)


def result_json(values: Any) -> None:
    """Print a result to stdout as JSON."""
    streams.write(sys.stdout, as_json(values, is_ascii=(sys.stdout.encoding or "").lower() not in ("utf-8", "utf8")))


def as_json(values: Any, *, is_ascii: bool = False) -> str:
    r"""Values as JSON that a person can read; what nobody can see is escaped, and parses to the same.

    >>> print(as_json(["\x9b31m", "é"]), end="")
    [
     "\u009b31m",
     "é"
    ]
    """
    dumped = json.dumps(values, indent=1, ensure_ascii=is_ascii, default=str)
    # JSON has such characters only inside of texts; its own line breaks are left.
    return "\n".join(visible(line, form=_in_json) for line in dumped.split("\n")) + "\n"


def _in_json(sign: str) -> str:
    return json.dumps(sign)[1:-1]


class _Console(Console):
    def on_broken_pipe(self) -> None:
        """Leave it to `streams.lasting`: rich would end the program."""
        raise  # noqa: PLE0704 (called while it is handled)
