"""Show the texts of a row: a line for each message, with marks around the parts that were found."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from tulu_data.cli.terminal import Part, Terminal, joined, styled
from tulu_data.errors import printable

if TYPE_CHECKING:
    from tulu_data.mixture.explain import Explanation
    from tulu_data.stage import Spans

TEXT_CHARACTERS: Final = 400
CONTEXT_CHARACTERS: Final = 120
SHOWN_RUNS: Final = 20
SHOWN_MESSAGES: Final = 4
BEGINS_CHARACTERS: Final = 120
PATH_CHARACTERS: Final = 300


def role_of(role: str) -> Part:
    return styled("cyan", f"{role:<9}")


def show_messages(out: Terminal, messages: Sequence[tuple[str, str]]) -> None:
    for role, content in messages[:SHOWN_MESSAGES]:
        out.line("  ", role_of(role), f" {printable(content, TEXT_CHARACTERS)}")


def show_texts(out: Terminal, row: Explanation, indent: str) -> None:
    """Show the messages of a row, its other texts, and the texts of the item that it contains."""
    for number, turn in enumerate(row.turns or ()):
        out.line(f"{indent}  ", role_of(turn.speaker), " ", _marked(turn.text, _spans(row, number)))
    for name, text in row.beside.items():
        out.line(f"{indent}  ", role_of(name), f" {printable(text, TEXT_CHARACTERS)}")
    if row.item is not None:
        for number, text in enumerate(row.item):
            shown = _marked(text, row.marks.matched[number] if row.marks else ())
            out.line(f"{indent}  ", role_of("item"), " ", shown)


def _spans(row: Explanation, message: int) -> Spans:
    """The parts of a message to mark: everything that the row shares with the item, or the run in the evidence."""
    if row.marks:
        return row.marks.messages[message]
    is_marked = row.evidence.get("message") == message
    return ((row.evidence["start"], row.evidence["end"]),) if is_marked else ()


def _marked(text: str, spans: Spans) -> Part:
    """A text with marks around some runs of its characters, shortened between them."""
    if not spans:
        return printable(text, TEXT_CHARACTERS)
    parts: list[Part] = []
    at = 0
    for start, end in spans[:SHOWN_RUNS]:
        before = text[at:start]
        if len(before) > CONTEXT_CHARACTERS:
            before = f"…{before[-CONTEXT_CHARACTERS:]}"
        parts += [
            f"{printable(before, CONTEXT_CHARACTERS + 1)}⟦",
            styled("bold red", printable(text[start:end], TEXT_CHARACTERS)),
            "⟧",
        ]
        at = end
    return joined(*parts, printable(text[at:], CONTEXT_CHARACTERS))
