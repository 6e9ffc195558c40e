"""A prompt and a response, each one column or several."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Annotated, Any, ClassVar

from pydantic import Field

from tulu_data.formats.column import Column, optional_text, text_at
from tulu_data.formats.format import Format
from tulu_data.formats.turns import prompted
from tulu_data.options import one_or_many
from tulu_data.rows.sft import Conversation

Columns = Annotated[
    tuple[Column, ...],
    one_or_many(str | int),
    Field(min_length=1),
]
"""A column or a list of columns, whose texts are joined by `join`."""


class PromptResponse(Format):
    """Two texts: a question and its answer.

    format: {prompt: question, response: answer}
    format: {prompt: 0, response: [2, 1]}
    """

    name: ClassVar = "prompt_response"
    needs: ClassVar = (
        ("prompt", "question", "query", "problem", "inputs"),
        ("response", "completion", "answer", "solution", "targets"),
    )

    prompt: Columns = Field(("prompt",), description="The column of the question, or several")
    response: Columns = Field(("response",), description="The column of the answer, or several")
    system: Column = Field("system", description="The system prompt; may be missing, null or empty")
    join: str = Field("\n", description="The text between those of several columns")

    def read(self, record: Mapping[str, Any], drop_parts: Collection[str] = ()) -> Conversation:
        prompt = self.join.join(text_at(record, column) for column in self.prompt)
        response = self.join.join(text_at(record, column) for column in self.response)
        return prompted(prompt, response, optional_text(record, self.system))


class PromptOnly(Format):
    """A prompt without an answer: rows to look at, not to train on."""

    name: ClassVar = "prompt"
    needs: ClassVar = (PromptResponse.needs[0],)

    prompt: Columns = Field(("prompt",), description="The column of the question, or several")
    system: Column = Field("system", description="The system prompt; may be missing, null or empty")
    join: str = Field("\n", description="The text between those of several columns")

    def read(self, record: Mapping[str, Any], drop_parts: Collection[str] = ()) -> Conversation:
        prompt = self.join.join(text_at(record, column) for column in self.prompt)
        system = optional_text(record, self.system)
        return Conversation([*([("system", system)] if system else []), ("user", prompt)])
