"""Chat messages in the format of OpenAI and Hugging Face."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, ClassVar

import pyarrow as pa
from pydantic import Field

from tulu_data.formats.column import Column, optional_text, pluck, required
from tulu_data.formats.format import Format
from tulu_data.formats.plain_turns import plain_turns
from tulu_data.formats.turns import conversation
from tulu_data.rows.rows import Rows
from tulu_data.rows.sft import Conversation


class Messages(Format):
    """A list of `{role, content}`; the content is a text or a list of text parts.

    format: messages
    format: {messages: dialogue, tools: functions}
    """

    name: ClassVar = "messages"
    needs: ClassVar = (("messages",),)
    turns: ClassVar = "messages"

    messages: Column = Field("messages", description="The list of messages")
    system: Column = Field("system", description="The system prompt; may be missing, null or empty")
    tools: Column = Field("tools", description="The tools on offer; kept as JSON text")
    tool_calls: Column = Field("tool_calls", description="The calls beside the messages, as this program writes them")

    def read(self, record: Mapping[str, Any], drop_parts: Collection[str] = ()) -> Conversation:
        return conversation(
            required(record, self.messages),
            self.messages,
            system=optional_text(record, self.system),
            tools=pluck(record, self.tools),
            beside=pluck(record, self.tool_calls),
            drop_parts=drop_parts,
        )

    def read_batch(self, batch: pa.RecordBatch) -> Rows | None:
        return plain_turns(batch, self.messages, absent=(self.system, self.tools, self.tool_calls))
