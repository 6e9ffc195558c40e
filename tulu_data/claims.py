"""Claims: what a stage promises of the rows that are kept, as values that `verify` checks.

`distinct`: no two rows have the same text. Options: `on`, and `normalise` (`none`, `whitespace`).
`apart`: no two rows are as near as `threshold`, by the Jaccard similarity of their shingles. Options:
`on`, `ngram`, `threshold`; `scope` (`across`, or `within` a source) and `protect`, sources whose rows
all stay; `bands` and `rows` of a signature, where near rows may be missed by chance.
`clean`: no row holds an evaluation item. Options: those of a rule of decontamination, and `against`; the
manifest accounts for the sets under `evaluations`, which the stage's `facts` are to give.

All are of the rows of `sources`, or of all rows. An option that a claim does not give is the
stage's own of that name.
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

    `but` says why some rows may break it all the same: it can't be proven then.
    """

    kind: str
    options: Mapping[str, Any] = field(default_factory=dict)
    but: str = ""

    def as_values(self) -> dict[str, Any]:
        """The claim as the manifest has it."""
        given = {"options": dict(self.options), "but": self.but}
        return {"kind": self.kind, **{name: value for name, value in given.items() if value}}

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Claim:
        """The claim of a manifest."""
        return cls(values["kind"], values.get("options", {}), values.get("but", ""))
