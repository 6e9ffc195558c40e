"""Alpaca instructions."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any, ClassVar

from pydantic import Field

from tulu_data.errors import RecordError
from tulu_data.formats.column import MISSING, Column, optional_text, pluck, text_at
from tulu_data.formats.format import Format
from tulu_data.readers.json_record import kind_of
from tulu_data.rows.sft import Conversation


class Alpaca(Format):
    """An instruction, perhaps an input (Dolly calls it `context`), and an output (or `response`).

    The prompt is the instruction and, if there is one, the input on the next line.
    `history` has the turns before it: a list of pairs of a question and its answer.

        format: alpaca
        format: {instruction: instruction, input: instances.0.input, output: instances.0.output}
    """

    name: ClassVar = "alpaca"
    needs: ClassVar[tuple[tuple[str, ...], ...]] = (("instruction",), ("output", "response"))
    takes: ClassVar = (("input", "context"),)

    instruction: Column = Field("instruction", description="The task")
    input: Column = Field("input", description="The input of the task; may be missing, null or empty")
    output: Column = Field("output", description="The answer")
    system: Column = Field("system", description="The system prompt; may be missing, null or empty")
    history: Column = Field("history", description="Earlier turns: pairs of texts; may be missing, null or empty")

    def read(self, record: Mapping[str, Any], drop_parts: Collection[str] = ()) -> Conversation:
        return Conversation([*self._asked(record), ("assistant", text_at(record, self.output))])

    def _asked(self, record: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        """The messages up to the one that is to be answered."""
        if system := optional_text(record, self.system):
            yield "system", system
        yield from self._before(record)
        instruction = text_at(record, self.instruction)
        about = optional_text(record, self.input)
        yield "user", f"{instruction}\n{about}" if about else instruction

    def _before(self, record: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        history = pluck(record, self.history)
        if history is MISSING or not history:
            return
        if not isinstance(history, list):
            raise RecordError("not_a_list", f"{self.history} is {kind_of(history)}")
        for index, turn in enumerate(history):
            if not (isinstance(turn, list) and len(turn) == 2 and all(isinstance(text, str) for text in turn)):
                raise RecordError("history", f"{self.history}[{index}] is not a pair of a question and its answer")
            yield "user", turn[0]
            yield "assistant", turn[1]


class AlpacaPrompt(Alpaca):
    """An instruction without an answer, with its input: rows to look at, not to train on."""

    name: ClassVar = "alpaca_prompt"
    needs: ClassVar = (("instruction",),)

    def read(self, record: Mapping[str, Any], drop_parts: Collection[str] = ()) -> Conversation:
        return Conversation([*self._asked(record)])
