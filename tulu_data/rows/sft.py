"""Rows for supervised fine-tuning: one conversation each, in which the assistant answers.

`prompt` are the user's messages. `response` are the assistant's, with the reasoning and the
calls that go with them. `conversation` is both, and the answers of tools. System prompts and
the tools on offer belong to none of them: rows share them. The texts of a message are its
content, then its reasoning, then each call (`calls.texts_of`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import ClassVar, Final, NamedTuple

import numpy as np
import pyarrow as pa

from tulu_data.errors import RecordError
from tulu_data.rows.kind import Kind
from tulu_data.rows.messages import RARE_FIELDS, WHOLE_MESSAGES, Mask, MessageColumn, column_of
from tulu_data.rows.rows import Rows

ROLES_OF: Final = {
    "prompt": ("user",),
    "response": ("assistant",),
    "conversation": ("user", "assistant", "tool"),
}


class Conversation(NamedTuple):
    """One row as a format reads it.

    `messages` are (role, content) pairs. `tool_calls` is a JSON array with one entry a
    message: null, or those of `tool_calls`, `function_call`, `tool_call_id`, `name` that it had.
    `tools` is the JSON text of the tools that were on offer. `reasoning` and `weights` have
    one entry a message, or are empty if no message has any; see `RARE_FIELDS`.
    """

    messages: Sequence[tuple[str, str]]
    tool_calls: str | None = None
    tools: str | None = None
    reasoning: Sequence[str | None] = ()
    weights: Sequence[float | None] = ()

    @property
    def characters(self) -> int:
        beside = (self.tool_calls, self.tools, *self.reasoning)
        return sum(len(content) for _, content in self.messages) + sum(len(text) for text in beside if text)


class Sft(Kind):
    """A list of messages, the calls of tools in them, and the tools on offer."""

    name = "sft"
    rows = "conversations"
    purpose = "supervised fine-tuning"
    content: ClassVar = {"messages": WHOLE_MESSAGES, "tool_calls": pa.string(), "tools": pa.string()}
    optional = frozenset({"tool_calls", "tools"})
    calls: ClassVar = {"messages": "tool_calls"}
    tools = "tools"
    beside: ClassVar = {"tool_calls": "calls", "tools": "tools"}
    on: ClassVar = {"prompt": "prompt", "response": "response", "conversation": "text"}
    formats = (
        "tulu_data.formats.messages:Messages",
        "tulu_data.formats.sharegpt:ShareGPT",
        "tulu_data.formats.alpaca:Alpaca",
        "tulu_data.formats.prompt_response:PromptResponse",
    )
    unfinished = ("tulu_data.formats.alpaca:AlpacaPrompt", "tulu_data.formats.prompt_response:PromptOnly")

    def batch(self, rows: Iterable[Conversation]) -> pa.RecordBatch:
        every = [*rows]
        messages = column_of((row.messages, row.reasoning, row.weights) for row in every)
        texts = {name: pa.array([getattr(row, name) for row in every], pa.string()) for name in ("tool_calls", "tools")}
        return self.batch_of({"messages": messages, **texts}, len(every))

    def chosen(self, columns: Mapping[str, MessageColumn], on: str) -> Mapping[str, Mask]:
        return {name: column.have(ROLES_OF[on]) for name, column in columns.items()}

    def refuse(self, row: Conversation, place: str) -> RecordError | None:
        if any(role == "assistant" for role, _ in row.messages):
            return None
        what = f"{place} has no message of the assistant, which every row of kind {self.name} has"
        return RecordError("no_answer", what)

    def refuses_any(self, batch: pa.RecordBatch) -> bool:
        messages = MessageColumn("messages", batch.column("messages"))
        answers = np.concatenate([[0], np.cumsum(messages.have(["assistant"]))])[messages.bounds]
        return bool((answers[1:] == answers[:-1]).any())


def conversations(rows: Rows) -> Iterator[Conversation]:
    """The rows one by one, as a format reads them."""
    for messages, tool_calls, tools in zip(*(rows.column(name).to_pylist() for name in Sft.content), strict=True):
        rare = ([message[name] for message in messages] for name in RARE_FIELDS)
        given = (values if any(value is not None for value in values) else () for values in rare)
        yield Conversation([(one["role"], one["content"]) for one in messages], tool_calls, tools, *given)
