"""Alpaca instructions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from pydantic import Field

from tulu_data.formats.column import Column, optional_text, text_at
from tulu_data.formats.format import Format
from tulu_data.formats.turns import prompted
from tulu_data.rows import Conversation


class Alpaca(Format):
    """An instruction, perhaps an input (Dolly calls it `context`), and an output (or `response`).

    The prompt is the instruction and, where there is one, the input on the next line.

        format: alpaca
        format: {instruction: instruction, input: instances.0.input, output: instances.0.output}
    """

    name: ClassVar = "alpaca"
    needs: ClassVar = (("instruction",), ("output", "response"))
    takes: ClassVar = (("input", "context"),)

    instruction: Column = Field("instruction", description="The task")
    input: Column = Field("input", description="What the task is about; may be missing, null or empty")
    output: Column = Field("output", description="The answer")
    system: Column = Field("system", description="The system prompt; may be missing, null or empty")

    def read(self, record: Mapping[str, Any]) -> Conversation:
        instruction = text_at(record, self.instruction)
        about = optional_text(record, self.input)
        prompt = f"{instruction}\n{about}" if about else instruction
        return prompted(prompt, text_at(record, self.output), optional_text(record, self.system))
