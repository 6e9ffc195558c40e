"""The identity of code: as long as it is the same, a stored result can be reused.

A module's code id is the hash of its source, of every project or plug-in module that it
imports, transitively, and of the versions of Python, its Unicode tables and the libraries
that it declares as deciding its results. Imports are found in the syntax tree; nothing is run.

A name that is imported from the package `tulu_data` counts as imported from the module that
defines it, and a package counts only if a name is imported from its `__init__.py`. Imports under
`TYPE_CHECKING` never run, and do not count.
"""

from __future__ import annotations

import ast
import hashlib
import platform
import unicodedata
from collections.abc import Iterable, Iterator
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Final

from tulu_data import DEFINED_IN
from tulu_data.store import outside

PROJECT = "tulu_data"
LIBRARIES: Final = ("numpy", "orjson", "polars", "pyarrow", "tulu-data")


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


@cache
def versions() -> dict[str, str]:
    """The versions that may change the bytes of a mixture, by the name of the program or library.

    >>> "polars" in versions()
    True
    """
    found = {name: version(name) for name in LIBRARIES}
    return {"python": platform.python_version(), "unicode": unicodedata.unidata_version, **found}


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
    return outside.place_of(module)


@cache
def _imports(module: str) -> tuple[str, ...]:
    """The modules that it imports anywhere: the project's, its own package's, and those beside code from outside."""
    beside = {file.module.partition(".")[0] for file in outside.admitted()}
    roots = {PROJECT, module.split(".", maxsplit=1)[0], *beside}
    tree = ast.parse(_source(module))
    names = (name for node in _run(tree) for name in _named(node, module))
    return tuple(sorted({name for name in names if name.split(".", 1)[0] in roots and _place(name)} - {module}))


def _run(node: ast.AST) -> Iterator[ast.AST]:
    """All of a syntax tree except the parts that are only for type checkers."""
    yield node
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and isinstance(child.test, ast.Name) and child.test.id == "TYPE_CHECKING":
            for other in child.orelse:
                yield from _run(other)
        else:
            yield from _run(child)


def _named(node: ast.AST, module: str) -> Iterator[str]:
    """The modules that an import statement imports names from."""
    if isinstance(node, ast.Import):
        for alias in node.names:
            # Of the package as a whole anything may be used.
            yield from DEFINED_IN.values() if alias.name == PROJECT else [alias.name]
    elif isinstance(node, ast.ImportFrom):
        # A package is its own first level.
        own = f"{module}.__init__" if (place := _place(module)) and place.stem == "__init__" else module
        package = own.split(".")[: -node.level] if node.level else []
        base = ".".join([*package, *([node.module] if node.module else [])])
        for alias in node.names:
            name = f"{base}.{alias.name}"
            if base == PROJECT and alias.name in (*DEFINED_IN, "*"):
                yield from DEFINED_IN.values() if alias.name == "*" else [DEFINED_IN[alias.name]]
            else:
                yield name if _place(name) else base
