"""The stages, each in a file of the name that it has in a recipe, and how stages from outside are found."""

from __future__ import annotations

import importlib
import pkgutil
import traceback
from pathlib import Path
from types import ModuleType

from tulu_data.errors import InvariantError, UsageError, did_you_mean
from tulu_data.stage import Stage
from tulu_data.store import outside


def names() -> list[str]:
    """The names of all stages of this program.

    >>> "length_filter" in names()
    True
    """
    return sorted(module.name for module in pkgutil.iter_modules(__path__))


def of_step(name: str) -> type[Stage] | None:
    """The stage of a step, by the step's name in a manifest; None if the stage is from outside.

    >>> [kind and kind.name() for kind in (of_step("length_filter-2"), of_step("no_refusals"))]
    ['length_filter', None]
    """
    known = name if name in names() else name.rpartition("-")[0]
    return find(known) if known in names() else None


def find(name: str, files: tuple[outside.CodeFile, ...] | None = None) -> type[Stage]:
    """The stage of this name, or of a reference: `my_package.stages:NoRefusals`, `./no_refusals.py:NoRefusals`.

    `files` are the files of the reference if they were read before: only those bytes are run.
    Raises `UsageError` (exit 2) if the stage is unknown, or can't be imported from outside
    (with file and line), and `InvariantError` (exit 1) if a file of this program has no
    stage of its name.
    """
    if ":" in name:
        return _from_outside(name, files)
    if name not in names():
        if name.endswith(".py") or "." in name:
            raise UsageError(_without_class(name))
        listed = did_you_mean(name, names()) or f"; there are {', '.join(names())}"
        raise UsageError(f"no stage named '{name}'{listed}")
    module = importlib.import_module(f"{__name__}.{name}")
    own = (value for value in vars(module).values() if isinstance(value, type) and value.__module__ == module.__name__)
    found = next((kind for kind in own if issubclass(kind, Stage) and kind.name() == name), None)
    if found is None:
        raise InvariantError(f"tulu_data/stages/{name}.py: holds no stage whose class's name in snake case is '{name}'")
    return found


def _from_outside(reference: str, files: tuple[outside.CodeFile, ...] | None) -> type[Stage]:
    place, _, class_name = reference.rpartition(":")
    if place.endswith(".py"):
        outside.admit(outside.files_of(reference) if files is None else files)
        module = _import(Path(place).stem)
    else:
        module = _import(place)
    found = getattr(module, class_name, None)
    if not isinstance(found, type) or not issubclass(found, Stage):
        own = _own_stages(module)
        hint = did_you_mean(class_name, own) or f"; there are {', '.join(own) or 'none'}"
        raise UsageError(f"{module.__file__}: no stage class '{class_name}'{hint}")
    found.reference = reference
    return found


def _without_class(name: str) -> str:
    """The message for a file or module without a class, with the remedy."""
    place = outside.place_of(name) if not name.endswith(".py") else Path(name)
    if name.endswith(".py") and not Path(name).is_file():
        return f"{name}: no such file (looked in {Path.cwd()}); name a stage by file and class: {name}:Class"
    if place is None:
        return f"no stage '{name}': a stage from outside is named by its file or module, and its class: {name}:Class"
    classes = outside.classes_in(place)
    listed = " or ".join(f"{name}:{each}" for each in classes[:5]) or f"{name}:Class (it has no class yet)"
    return f"'{name}' names a file and no class in it; write {listed}"


def _own_stages(module: ModuleType) -> list[str]:
    own = [name for name, value in vars(module).items() if isinstance(value, type) and issubclass(value, Stage)]
    return [name for name in own if vars(module)[name].__module__ == module.__name__]


def _import(module: str) -> ModuleType:
    try:
        return importlib.import_module(module)
    except SyntaxError as error:
        raise UsageError(f"{error.filename}:{error.lineno}: {error.msg}") from None
    except ModuleNotFoundError as error:
        if error.name is not None and (module == error.name or module.startswith(f"{error.name}.")):
            raise UsageError(f"no module '{module}'; install it, or name a file: ./{module}.py:Class") from None
        raise UsageError(f"{_place(error)}: {error}") from None
    except Exception as error:
        raise UsageError(f"{_place(error)}: {type(error).__name__}: {error}") from error


def _place(error: Exception) -> str:
    """The innermost line that failed, in the module or in one that it imports."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if "importlib" not in frame.filename]
    return f"{frames[-1].filename}:{frames[-1].lineno}"
