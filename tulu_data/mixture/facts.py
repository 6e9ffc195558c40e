"""The form of a manifest: its keys, their types and bounds. Every manifest is checked here, whoever wrote it."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, Final, Literal

import pydantic_core
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, JsonValue, ValidationError, model_validator

from tulu_data.errors import printable
from tulu_data.mixture.layout import MANIFEST
from tulu_data.mixture.tables import MOST, SHA256, DamagedError, require_plain
from tulu_data.reports import NAME as REPORT_NAME
from tulu_data.store.durable import sha256_file
from tulu_data.store.patterns import NAME_PATTERN

FORMAT: Final = "tulu-data manifest 1"
MAX_BYTES: Final = 64 << 20
MAX_STAGES: Final = 255
MAX_SOURCES: Final = 10_000


def _inside(name: str) -> str:
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or str(path) != name or "\\" in name or not name.isprintable():
        raise ValueError("is not a file inside of the mixture")
    return name


Count = Annotated[int, Field(strict=True, ge=0, le=MOST)]
Digest = Annotated[str, Field(pattern=SHA256)]
Name = Annotated[str, Field(pattern=NAME_PATTERN)]
Word = Annotated[str, Field(min_length=1, max_length=200)]
FileName = Annotated[str, Field(min_length=1, max_length=1_000), AfterValidator(_inside)]


class _Facts(BaseModel):
    # Keys that a later program adds are ignored.
    model_config = ConfigDict(extra="allow", frozen=True)


class _File(_Facts):
    sha256: Digest
    bytes: Count


class _Input(_File):
    files: Count
    read: Count
    quarantined: Count


class _Source(_Facts):
    license: Annotated[str, Field(max_length=1_000)] | None
    domain: Annotated[str, Field(max_length=1_000)] | None
    made_by: dict[Word, Word] = {}
    read: Count
    quarantined: Count
    removed: dict[Word, Count]
    kept: Count
    written: Count
    inputs: list[_Input]


class _Account(_Facts):
    items: Count
    indexed: Count
    short: Count
    unusable: Count
    files: list[Digest]


class _Report(_Facts):
    kind: Word
    title: Annotated[str, Field(max_length=200)] = ""
    says: Annotated[str, Field(max_length=2_000)] = ""
    heads: Annotated[list[tuple[Word, Annotated[str, Field(max_length=200)]]], Field(max_length=100)] = []


class _Claim(_Facts):
    kind: Word
    options: dict[Word, JsonValue] = {}
    but: Annotated[str, Field(max_length=500)] = ""


class _Stage(_Facts):
    name: Word
    outside: Word | None = Field(None, alias="from")
    annotates: list[Word] = []
    options: dict[Word, JsonValue]
    """The options of a stage that this program has are checked against the stage itself, where they are used."""
    code: Digest
    untold: list[Word] | None = None
    reports: Annotated[dict[Annotated[str, Field(pattern=REPORT_NAME)], _Report], Field(max_length=100)] | None = None
    claims: Annotated[list[_Claim], Field(max_length=100)] | None = None
    """None in old manifests, written before stages declared claims: see `declared`."""
    evaluations: Annotated[dict[Word, _Account], Field(max_length=MAX_SOURCES)] = {}
    found: dict[Word, Annotated[float, Field(ge=0, le=1)]] = {}
    buckets_over_cap: Count = 0


class _Build(_Facts):
    digest: Digest
    recipe: Digest
    inputs: Digest
    code: Digest
    versions: dict[Word, Word]


class _Trial(_Facts):
    rows_of_each_source: Annotated[int, Field(strict=True, ge=1, le=MOST)]


class Manifest(_Facts):
    """A checked manifest; the program reads it as plain values."""

    format: Literal["tulu-data manifest 1"]
    name: Name
    version: Name
    kind: Word
    rows: Count
    root: Digest
    trial: _Trial | None
    build: _Build
    sources: Annotated[dict[Name, _Source], Field(min_length=1, max_length=MAX_SOURCES)]
    stages: Annotated[list[_Stage], Field(max_length=MAX_STAGES)]
    files: dict[FileName, _File]

    @model_validator(mode="after")
    def _names_differ(self) -> Manifest:
        names = [stage.name for stage in self.stages]
        if len(set(names)) != len(names):
            raise ValueError("two stages have one name")
        return self


def read(folder: Path) -> tuple[dict[str, Any], bytes]:
    """The manifest in a folder as plain values, and its bytes.

    Raises `DamagedError` (exit 3), with the place of the error, if it is not a manifest of a mixture.
    """
    require_plain(folder, MANIFEST)
    path = folder / MANIFEST
    if path.stat().st_size > MAX_BYTES:
        raise DamagedError.of(folder, MANIFEST, f"can't be read (over {MAX_BYTES:,} bytes)")
    content = path.read_bytes()
    try:
        return parsed(content), content
    except ValueError as error:
        raise DamagedError.of(folder, MANIFEST, str(error)) from None


def parsed(content: bytes) -> dict[str, Any]:
    """A manifest's bytes as plain values. Raises `ValueError`, with the place of the error, for other bytes."""
    try:
        # Refuses more than 200 levels, NaN, and halves of surrogate pairs.
        values = pydantic_core.from_json(content, allow_inf_nan=False)
    except ValueError as error:
        raise ValueError(f"can't be read ({printable(str(error), 120)})") from None
    if not isinstance(values, dict) or values.get("format") != FORMAT:
        raise ValueError(f"is not a '{FORMAT}'")
    try:
        Manifest.model_validate(values)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        where = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in first["loc"])
        told = "is missing" if first["type"] == "missing" else first["msg"].removeprefix("Value error, ").lower()
        raise ValueError(f"{printable(where.removeprefix('.') or 'it', 120)}: {printable(told, 120)}") from None
    return values


def pinned(folder: Path, but: Collection[str] = ()) -> dict[str, dict[str, Any]]:
    """Digest and size of every file under a folder, by relative path; those of `but` are left out."""
    found = {path.relative_to(folder).as_posix(): path for path in sorted(folder.rglob("*")) if path.is_file()}
    return {
        name: {"sha256": sha256_file(path), "bytes": path.stat().st_size}
        for name, path in found.items()
        if name not in but
    }
