"""Code from outside: find the files that somebody else's stage would run, without running them, and import them.

A file is imported under its own name, from exactly the bytes that were digested. In its folder,
only modules are found that it names and that neither Python nor an installed package provides: no
folder is put on `sys.path`, so that a `pandas.py` which happens to be there is never taken for
pandas, and no compiled file is read.
"""

from __future__ import annotations

import ast
import hashlib
import importlib.abc
import importlib.util
import sys
from collections.abc import Iterable, Iterator, Sequence
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Final, NamedTuple

from tulu_data.errors import UsageError

MOST_BYTES: Final = 4 << 20


class CodeFile(NamedTuple):
    """One file of code: the name of its module, its path, and the sha256 of its bytes."""

    module: str
    path: Path
    sha256: str


def files_of(reference: str) -> tuple[CodeFile, ...]:
    """The files that a stage's reference would run, except those of Python and of other installed packages.

        files_of("./no_refusals.py:NoRefusals")
        files_of("my_package.stages:NoRefusals")

    Raises `UsageError` (exit 2) for a file that is missing, is not Python, or has the name
    of another module.
    """
    place = reference.rpartition(":")[0]
    if place.endswith(".py"):
        return tuple(_beside(Path(place)))
    return tuple(_of_package(place))


def admit(files: Iterable[CodeFile]) -> None:
    """Allow these files to be imported, as long as their bytes are those that were digested."""
    if _FINDER not in sys.meta_path:
        sys.meta_path.insert(0, _FINDER)
    _FINDER.files.update({file.module: file for file in files if file.module not in sys.modules})


def admitted() -> tuple[CodeFile, ...]:
    """The files that were admitted: a worker must admit them, too."""
    return tuple(_FINDER.files.values())


def classes_in(path: Path) -> list[str]:
    """The names of the classes of a file that have a base class, in order; nothing is run."""
    tree = _parsed(_content(path), path)
    return [node.name for node in tree.body if isinstance(node, ast.ClassDef) and node.bases]


def place_of(module: str) -> Path | None:
    """The file of a module, by its name; None if there is none. Nothing is imported."""
    path: Path | None = None
    for path in _way(module):
        if path is None:
            return None
    return path


def _way(module: str) -> Iterator[Path | None]:
    """The files of a module's packages, from the outermost on, and its own; None for a missing one."""
    root, *parts = module.split(".")
    package = root
    try:
        spec = importlib.util.find_spec(root)
    except ValueError:
        spec = None
    path = Path(spec.origin) if spec and spec.origin and spec.origin.endswith(".py") else None
    yield path
    for part in parts:
        if path is None or path.name != "__init__.py":
            yield None
            return
        # An imported package says where its modules are: there may be several folders.
        folders = [Path(one) for one in getattr(sys.modules.get(package), "__path__", [path.parent])]
        places = (place for one in folders for place in (one / part / "__init__.py", one / f"{part}.py"))
        path = next((place for place in places if place.is_file()), None)
        package = f"{package}.{part}"
        yield path


def _of_package(module: str) -> Iterator[CodeFile]:
    name = ""
    for part, path in zip(module.split("."), _way(module), strict=False):
        name = f"{name}.{part}" if name else part
        if path is None:
            raise UsageError(f"no module '{module}'; install it, or name a file: ./{module}.py:Class")
        yield CodeFile(name, path, _sha256(_content(path)))


def _beside(file: Path) -> Iterator[CodeFile]:
    """A file, and the modules in its folder that it imports, and that these import."""
    if not file.is_file():
        raise UsageError(f"{file}: no such file (looked in {Path.cwd()})")
    folder = file.resolve().parent
    other = _elsewhere(file.stem, file.resolve())
    if other:
        raise UsageError(f"{file}: another module is named '{file.stem}' ({other}); rename the file")
    waiting, seen = [(file.stem, file.resolve())], {file.stem}
    while waiting:
        module, path = waiting.pop(0)
        content = _content(path)
        yield CodeFile(module, path, _sha256(content))
        for name in _imported(content, path):
            if name not in seen:
                seen.add(name)
                waiting += _modules(name, folder)


def _modules(name: str, folder: Path) -> Iterator[tuple[str, Path]]:
    """The modules of a name in a folder: a file, or all files of a package; none if the name means another module."""
    file, package = folder / f"{name}.py", folder / name
    if package.is_dir() and not _elsewhere(name, package / "__init__.py"):
        for path in sorted(package.rglob("*.py")):
            parts = path.relative_to(folder).with_suffix("").parts
            yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts), path.resolve()
    elif file.is_file() and not _elsewhere(name, file):
        yield name, file.resolve()


def _elsewhere(name: str, path: Path) -> str:
    """Where a module of this name comes from, if it is not this file; empty if there is no other."""
    if name in sys.stdlib_module_names:
        return "of Python"
    try:
        spec = importlib.util.find_spec(name)
    except (ImportError, ValueError):
        return "somewhere"
    if spec is None or (spec.origin is None and spec.loader is None):
        return ""
    if spec.origin is None:
        # A folder without __init__.py, found in a place where Python looks anyway.
        return "" if str(path.parent) in (spec.submodule_search_locations or ()) else "somewhere"
    return "" if Path(spec.origin).resolve() == path.resolve() else spec.origin


def _imported(content: bytes, path: Path) -> list[str]:
    """The first parts of the names that a module imports anywhere."""
    names: dict[str, None] = {}
    for node in ast.walk(_parsed(content, path)):
        if isinstance(node, ast.Import):
            names |= dict.fromkeys(alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names[node.module.partition(".")[0]] = None
    return list(names)


def _parsed(content: bytes, path: Path) -> ast.Module:
    try:
        return ast.parse(content, str(path))
    except SyntaxError as error:
        raise UsageError(f"{path}:{error.lineno}: {error.msg}") from None
    except (ValueError, RecursionError, MemoryError) as error:
        raise UsageError(f"{path}: can't be read as Python: {error}") from None


def _content(path: Path) -> bytes:
    with path.open("rb") as file:
        content = file.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        raise UsageError(f"{path}: has over {MOST_BYTES:,} bytes; code is shorter")
    return content


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


class _Loader(importlib.abc.SourceLoader):
    """Loads one file's source as it was digested; compiled files beside it are neither read nor written."""

    def __init__(self, file: CodeFile) -> None:
        self.file = file

    def get_filename(self, fullname: str) -> str:
        return str(self.file.path)

    def get_data(self, path: str | bytes) -> bytes:
        content = _content(self.file.path)
        if _sha256(content) != self.file.sha256:
            raise UsageError(f"{self.file.path}: changed since it was looked at; run the command again")
        return content


class _Finder(importlib.abc.MetaPathFinder):
    """Finds the modules that were admitted, and no others."""

    def __init__(self) -> None:
        self.files: dict[str, CodeFile] = {}

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if file := self.files.get(fullname):
            places: list[str] | None = [] if file.path.name == "__init__.py" else None
            spec = importlib.util.spec_from_file_location(
                fullname, file.path, loader=_Loader(file), submodule_search_locations=places
            )
            if spec and spec.submodule_search_locations:
                # Python has put the package's folder there; modules that were not admitted must not be found.
                spec.submodule_search_locations = []
            return spec
        if any(name.startswith(f"{fullname}.") for name in self.files):
            return ModuleSpec(fullname, None, is_package=True)
        return None


_FINDER: Final = _Finder()
