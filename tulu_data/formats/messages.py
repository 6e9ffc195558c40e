"""Chat messages as OpenAI and Hugging Face write them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from pydantic import Field

from tulu_data.formats.column import Column, pluck, required
from tulu_data.formats.format import Format
from tulu_data.formats.turns import conversation
from tulu_data.rows import Conversation


class Messages(Format):
    """A list of `{role, content}`; the content is a text or a list of text parts.

    format: messages
    format: {messages: dialogue, tools: functions}
    """

    name: ClassVar = "messages"
    needs: ClassVar = (("messages",),)

    messages: Column = Field("messages", description="The list of messages")
    tools: Column = Field("tools", description="The tools on offer; kept as JSON text")

    def read(self, record: Mapping[str, Any]) -> Conversation:
        return conversation(required(record, self.messages), self.messages, tools=pluck(record, self.tools))
