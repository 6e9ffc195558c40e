"""The layout of a mixture: names of its files, columns of its tables, and the fates of rows.

This is the contract between writers and readers of a mixture; they share nothing else. A file
that is not in the layout is not accepted from anybody else, whatever their manifest says.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

import polars as pl
import pyarrow as pa

KEPT: Final = "kept"
TAKE: Final = "take"
QUARANTINED: Final = "quarantined"
"""Fates of rows besides the names of steps: kept, left out by `rows` or `fraction` of a source, not readable."""

MANIFEST: Final = "manifest.json"
SUMS: Final = "SHA256SUMS"
RECIPE: Final = "recipe.yaml"
EXCERPTS_FILE: Final = "excerpts.parquet"
EXCERPT_ROWS: Final = (120, 120)
"""The largest numbers of kept and of removed rows in `EXCERPTS_FILE`."""
EXCERPT_CHARACTERS: Final = 1_600
BLEMISHES_FILE: Final = "reports/blemishes.parquet"
LEDGER: Final = pa.schema(
    [
        ("id", pa.string()),
        ("source", pa.string()),
        ("fate", pa.string()),
        ("copies", pa.int32()),
        ("reason", pa.string()),
    ]
)
PLACES: Final = pa.schema([("file", pa.string()), ("row", pa.int64()), ("id", pa.string())])
QUARANTINE: Final = pa.schema(
    [
        ("source", pa.string()),
        ("file", pa.string()),
        ("row", pa.int64()),
        ("offset", pa.int64()),
        ("code", pa.string()),
        ("detail", pa.string()),
    ]
)
EXCERPT_MESSAGE: Final = {"role": pl.String, "content": pl.String, "left_out": pl.Int64}
"""For a kind with several columns of messages, each message also has a `label`, the column's name."""
EXCERPTS: Final[dict[str, Any]] = {
    "id": pl.String,
    "source": pl.String,
    "fate": pl.String,
    "reason": pl.String,
    "copies": pl.Int64,
    "evidence": pl.List(pl.Struct({"name": pl.String, "value": pl.String})),
    "messages": pl.List(pl.Struct(EXCERPT_MESSAGE)),
    "more_messages": pl.Int64,
    "twin": pl.String,
    "twin_source": pl.String,
    "twin_messages": pl.List(pl.Struct(EXCERPT_MESSAGE)),
}
BLEMISHES: Final[dict[str, Any]] = {
    "source": pl.String,
    "blemish": pl.String,
    "rows": pl.Int64,
    "of": pl.Int64,
    "kept": pl.Int64,
    "id": pl.String,
}
THRESHOLDS: Final[dict[str, Any]] = {
    "option": pl.String,
    "value": pl.Float64,
    "used": pl.Boolean,
    "source": pl.String,
    "rows": pl.Int64,
}
SCORES: Final[dict[str, Any]] = {
    "option": pl.String,
    "source": pl.String,
    "low": pl.Float64,
    "high": pl.Float64,
    "rows": pl.Int64,
}

BESIDE: Final = frozenset({"verification.json"})
"""Files that may be in the folder of a mixture without being part of it: others made them from it."""
MOST_CHARACTERS: Final = 200


_FILES: Final = frozenset({MANIFEST, SUMS, RECIPE, "README.md", "report.html", "croissant.json"})
# A split's name is given in a recipe; a step's name is that of a class, in any alphabet.
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
    """The first name that a file of a mixture can't have, or that some file systems confuse with that of another file.

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
    """The version's folder that a path is in, with links followed or not; None if it is not in one.

    In a file's own folder a manifest is enough; in the folders above it, `SHA256SUMS` must be beside the manifest.
    """
    for place in (path.absolute(), path.resolve()):
        for folder in place.parents:
            if (folder / MANIFEST).is_file() and (folder == place.parent or (folder / SUMS).is_file()):
                return folder
    return None
