"""The option `on` of stages, which selects texts of a row."""

from __future__ import annotations

from typing import Annotated, Any, Final

from pydantic import GetJsonSchemaHandler
from pydantic_core import CoreSchema, PydanticKnownError, core_schema

from tulu_data.rows.kind import compared


class _On:
    """Marks an option that says which texts are compared; a recipe checks it against its own kind."""

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(_known)

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {"enum": [*compared()], "type": "string"}


def _known(on: Any) -> str:
    known = compared()
    if not isinstance(on, str) or on not in known:
        *first, last = map(repr, known)
        raise PydanticKnownError("literal_error", {"expected": f"{', '.join(first)} or {last}"})
    return on


ON: Final = _On()
On = Annotated[str, ON]
"""The texts of a row that a stage compares: one of the names in `Kind.on`."""
