"""The stages: one file, one stage, named as in a recipe."""

from __future__ import annotations

import importlib
import pkgutil

from tulu_data.errors import InvariantError
from tulu_data.stage import Stage


def names() -> list[str]:
    """The names of all stages.

    >>> "length_filter" in names()
    True
    """
    return sorted(module.name for module in pkgutil.iter_modules(__path__))


def find(name: str) -> type[Stage]:
    """The stage of this name, which must be one of `names()`.

    Raises `InvariantError` (exit 1) where the file of that name holds no such stage.
    """
    try:
        module = importlib.import_module(f"{__name__}.{name}")
    except Exception as error:
        raise InvariantError(f"tulu_data/stages/{name}.py: can't be imported: {error!r}") from error
    own = (value for value in vars(module).values() if isinstance(value, type) and value.__module__ == module.__name__)
    found = next((kind for kind in own if issubclass(kind, Stage) and kind.name() == name), None)
    if found is None:
        raise InvariantError(f"tulu_data/stages/{name}.py: holds no stage whose class's name in snake case is '{name}'")
    return found
