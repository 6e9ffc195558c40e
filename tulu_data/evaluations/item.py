"""An evaluation item: its id, and its texts by part."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Final, Literal, NamedTuple

Part = Literal["question", "passage", "choices", "answer"]


PARTS: Final[tuple[Part, ...]] = ("question", "passage", "choices", "answer")


class Item(NamedTuple):
    """One evaluation item: its id, and its texts by part; a missing part has none."""

    id: str
    texts: dict[Part, tuple[str, ...]]

    @property
    def answers(self) -> tuple[str, ...]:
        """The texts that each are a right answer; a JSON list of texts, as in PopQA, gives several.

        >>> Item("1", {"answer": ('["Lima", "City of Lima"]', "Lima, Peru")}).answers
        ('Lima', 'City of Lima', 'Lima, Peru')
        """
        return tuple(answer for text in self.texts["answer"] for answer in _alternatives(text))


def _alternatives(text: str) -> list[str]:
    if text.lstrip().startswith("["):
        with suppress(ValueError, RecursionError):
            listed = json.loads(text)
            if isinstance(listed, list) and all(isinstance(one, str) for one in listed):
                return listed
    return [text]
