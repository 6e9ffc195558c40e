"""Claims: promises of a stage about the rows that are kept, as values that `verify` checks.

`distinct`: no two rows have the same text. Options: `on`, and `normalise` (`none`, `whitespace`).
`apart`: no two rows are as near as `threshold`, by the Jaccard similarity of their shingles. Options:
`on`, `ngram`, `threshold`; `scope` (`across`, or `within` a source) and `protect`, sources whose rows
all stay; `bands` and `rows` of a signature, if near rows may be missed by chance.
`clean`: no row contains an evaluation item. Options: those of a rule of decontamination, and `against`; the
stage's `facts` must list the evaluation sets under `evaluations`.

A claim is about the rows of `sources`, or about all rows. An option that it does not give is the
stage's own option of that name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

DISTINCT: Final = "distinct"
APART: Final = "apart"
CLEAN: Final = "clean"


@dataclass(frozen=True)
class Claim:
    """A promise of one kind.

        Claim("distinct", {"on": "prompt"})

    `but` says why some rows may break it; a claim with a `but` can't be proven.
    """

    kind: str
    options: Mapping[str, Any] = field(default_factory=dict)
    but: str = ""

    def as_values(self) -> dict[str, Any]:
        """The claim as it is in the manifest."""
        given = {"options": dict(self.options), "but": self.but}
        return {"kind": self.kind, **{name: value for name, value in given.items() if value}}

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Claim:
        """The claim from a manifest."""
        return cls(values["kind"], values.get("options", {}), values.get("but", ""))
