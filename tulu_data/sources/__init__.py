"""The kinds of sources, each in its own file; `find(key)` gives the class of a recipe's key."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache

from tulu_data.sources.source import Source


@cache
def kinds() -> dict[str, type[Source]]:
    """Every kind of source by its key in a recipe."""
    found: dict[str, type[Source]] = {}
    for module_info in pkgutil.iter_modules(__path__):
        module = importlib.import_module(f"{__name__}.{module_info.name}")
        for value in vars(module).values():
            if isinstance(value, type) and issubclass(value, Source) and "place" in vars(value):
                found[value.place] = value
    return dict(sorted(found.items()))
