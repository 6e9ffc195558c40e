"""The stages: one file, one stage, named as in a recipe."""

from __future__ import annotations

import importlib
import pkgutil

from tulu_data.stage import Stage


def names() -> list[str]:
    """The names of all stages.

    >>> "length_filter" in names()
    True
    """
    return sorted(module.name for module in pkgutil.iter_modules(__path__))


def find(name: str) -> type[Stage]:
    """The stage of this name, which must be one of `names()`."""
    module = importlib.import_module(f"{__name__}.{name}")
    return next(
        value
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, Stage) and value.__module__ == module.__name__
    )
