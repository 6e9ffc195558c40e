"""The identity of code: what must be the same for a stored result to be the same.

A module's code id is the hash of its source, of every project or plug-in module that it
imports, transitively, and of the versions of Python, its Unicode tables and the libraries
that it says decide its results. Imports are found in the syntax tree; nothing is run.
"""

from __future__ import annotations

import ast
import hashlib
import importlib.util
import platform
import sys
import unicodedata
from collections.abc import Iterable, Iterator
from functools import cache
from importlib.metadata import version
from pathlib import Path

PROJECT = "tulu_data"


@cache
def code_id(modules: tuple[str, ...], requires: tuple[str, ...] = ()) -> str:
    """The code id of some modules, in hex.

    >>> len(code_id(("tulu_data.errors",)))
    64
    """
    sources = {name: _source(name) for name in _closure(modules)}
    versions = {name: version(name) for name in requires}
    state = hashlib.sha256()
    for name, text in sorted({**sources, **versions}.items()):
        state.update(f"{name}\n{hashlib.sha256(text.encode()).hexdigest()}\n".encode())
    state.update(f"{platform.python_version()} {unicodedata.unidata_version}".encode())
    return state.hexdigest()


def docstring(kind: type) -> str | None:
    """The docstring of a class, read in its module: `python -OO` leaves it out of the class.

    >>> docstring(type("Nobody", (), {})) is None
    True
    """
    file = getattr(sys.modules.get(kind.__module__), "__file__", None)
    tree = ast.parse(Path(file).read_text(encoding="utf-8")) if file else ast.Module([], [])
    own = (node for node in ast.walk(tree) if isinstance(node, ast.ClassDef) and node.name == kind.__name__)
    return next((ast.get_docstring(node, clean=False) for node in own), None)


def _closure(modules: Iterable[str]) -> set[str]:
    found: set[str] = set()
    waiting = list(modules)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += _imports(name)
    return found


@cache
def _source(module: str) -> str:
    return _file(module).read_text(encoding="utf-8")


def _file(module: str) -> Path:
    found = _place(module)
    if found is None:
        raise LookupError(module)
    return found


@cache
def _place(module: str) -> Path | None:
    """The file of a module, by its name; None where there is none. Nothing is imported."""
    root, *parts = module.split(".")
    try:
        spec = importlib.util.find_spec(root)
    except ValueError:
        return None
    path = Path(spec.origin) if spec and spec.origin and spec.origin.endswith(".py") else None
    for part in parts:
        if path is None or path.name != "__init__.py":
            return None
        places = (path.parent / part / "__init__.py", path.parent / f"{part}.py")
        path = next((place for place in places if place.is_file()), None)
    return path


@cache
def _imports(module: str) -> tuple[str, ...]:
    """The project's modules, and those of the module's own package, that it imports anywhere."""
    roots = {PROJECT, module.split(".", maxsplit=1)[0]}
    tree = ast.parse(_source(module))
    names = (name for node in ast.walk(tree) for name in _named(node, module))
    return tuple(sorted({name for name in names if name.split(".", 1)[0] in roots and _place(name)} - {module}))


def _named(node: ast.AST, module: str) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        package = module.split(".")[: -node.level] if node.level else []
        base = ".".join([*package, *([node.module] if node.module else [])])
        yield base
        yield from (f"{base}.{alias.name}" for alias in node.names)
