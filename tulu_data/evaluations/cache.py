"""The named evaluation sets that are in a workspace, and how others are fetched."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tulu_data.errors import TuluDataError, told_of
from tulu_data.evaluations import catalogue
from tulu_data.evaluations.catalogue import Entry
from tulu_data.evaluations.evaluation_set import EvaluationSet
from tulu_data.store.durable import sha256_file
from tulu_data.store.keys import key_of
from tulu_data.store.workspace import Workspace, read_note, write_note


@dataclass(frozen=True)
class Shelf:
    """The evaluation sets in a workspace; their counts are cached, so that a list of them reads no set twice."""

    workspace: Workspace

    def pull(self, name: str, entry: Entry) -> int:
        """Fetch a set, and count its items; errors of its source are raised with the name of the set."""
        with told_of(f"evaluation set {name}"):
            pinned = entry.items.resolved()
        count = len(pinned.items(name, self.workspace.sources, sha256_file))
        note = {"described": _described(entry.items), "pinned": _described(pinned), "items": count}
        write_note(self.workspace.make_place(self._pulled(name)), note)
        return count

    def here(self, name: str, entry: Entry) -> EvaluationSet | None:
        """The set as it is read without a network; None if it needs one."""
        note = self._note(name, entry)
        items = EvaluationSet.model_validate(note["pinned"]) if note else entry.items
        return items if items.is_here(self.workspace.sources) else None

    def count(self, name: str, entry: Entry) -> int | None:
        """How many items it has, or None if that needs a network."""
        if note := self._note(name, entry):
            return int(note["items"])
        try:
            items = self.here(name, entry)
            if items is None:
                return None
            place = self._counted(items)
            if counted := read_note(place):
                return int(counted["items"])
            count = len(items.items(name, self.workspace.sources, sha256_file))
            write_note(self.workspace.make_place(place), {"items": count})
        except TuluDataError:
            # Its files are missing or not as described; a command for this set alone raises the error.
            return None
        return count

    def as_values(self, entries: Mapping[str, Entry]) -> dict[str, dict[str, Any]]:
        """The facts about some sets as plain values, for JSON, with their items and groups."""
        groups = catalogue.groups()
        return {
            name: {
                **entry.as_values(),
                "items": self.count(name, entry),
                "groups": [group for group, members in groups.items() if name in members],
            }
            for name, entry in entries.items()
        }

    def _note(self, name: str, entry: Entry) -> dict[str, Any] | None:
        note = read_note(self._pulled(name))
        return note if note and note["described"] == _described(entry.items) else None

    def _pulled(self, name: str) -> Path:
        return self.workspace.root / "evaluations" / f"{name}.json"

    def _counted(self, items: EvaluationSet) -> Path:
        files = [(str(path), path.stat()) for path in items.files(self.workspace.sources)]
        seen = [[path, status.st_size, status.st_ino, status.st_mtime_ns] for path, status in files]
        key = key_of(described=_described(items), files=seen)
        return self.workspace.root / "evaluations" / "counts" / key


def _described(items: EvaluationSet) -> dict[str, Any]:
    described: dict[str, Any] = items.model_dump(mode="json")
    return described
