"""ShareGPT conversations."""

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


class ShareGPT(Format):
    """A list of `{from, value}`, and a system prompt beside it or in it.

    format: sharegpt
    format: {conversations: items}
    """

    name: ClassVar = "sharegpt"
    needs: ClassVar = (("conversations", "conversation"),)
    turns: ClassVar = "conversations"

    conversations: Column = Field("conversations", description="The list of turns")
    system: Column = Field("system", description="The system prompt; may be missing, null or empty")
    tools: Column = Field("tools", description="The tools on offer; kept as JSON text")

    def read(self, record: Mapping[str, Any], drop_parts: Collection[str] = ()) -> Conversation:
        turns = required(record, self.conversations)
        system = optional_text(record, self.system)
        return conversation(
            turns, self.conversations, system=system, tools=pluck(record, self.tools), drop_parts=drop_parts
        )

    def read_batch(self, batch: pa.RecordBatch) -> Rows | None:
        return plain_turns(batch, self.conversations, absent=(self.system, self.tools))
