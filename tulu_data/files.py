"""The files of a mixture's folder: which a version may have, and whether a path is inside of one.

What is not of the layout is not taken from a stranger, whatever their manifest says.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from pathlib import Path
from typing import Final

MANIFEST: Final = "manifest.json"
SUMS: Final = "SHA256SUMS"
RECIPE: Final = "recipe.yaml"
BESIDE: Final = frozenset({"verification.json"})
"""What may lie beside a mixture without being part of it: what others made of it."""
MOST_CHARACTERS: Final = 200

_FILES: Final = frozenset({MANIFEST, SUMS, RECIPE, "README.md", "report.html", "croissant.json"})
# A split's name is a name of a recipe; a step's is that of a class, in any alphabet.
_TABLES: Final = re.compile(
    r"(?:quarantine|excerpts|ledger/ledger|places/places"
    r"|data/[a-z0-9][a-z0-9._-]*-\d{5,}-of-\d{5,}|evidence/\w[\w-]*|reports/\w[\w .-]*)\.parquet"
)


def is_known(name: str) -> bool:
    """Whether a mixture may have a file of this name.

    >>> [is_known(name) for name in ("data/train-00000-of-00001.parquet", "evil.py", "data/../x.parquet")]
    [True, False, False]
    """
    return len(name) <= MOST_CHARACTERS and (name in _FILES or bool(_TABLES.fullmatch(name)))


def unknown(names: Iterable[str]) -> str | None:
    """The first name that no file of a mixture has, or that some file system takes for that of another file.

    >>> unknown(["recipe.yaml", "evidence/exact_dedup.parquet", "evidence/Exact_dedup.parquet"])
    'evidence/Exact_dedup.parquet'
    """
    seen: set[str] = set()
    for name in names:
        folded = unicodedata.normalize("NFKC", name).casefold()
        if not is_known(name) or folded in seen:
            return name
        seen.add(folded)
    return None


def mixture_of(path: Path) -> Path | None:
    """The version's folder that a path is inside of, links followed or not; None where it is in none.

    A recipe beside a manifest is a mixture's; above that, a manifest counts beside its sums.
    """
    for place in (path.absolute(), path.resolve()):
        for folder in place.parents:
            if (folder / MANIFEST).is_file() and (folder == place.parent or (folder / SUMS).is_file()):
                return folder
    return None
