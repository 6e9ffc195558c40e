"""Run the percent scripts in this folder, and write each with its outputs as a notebook beside it.

    python notebooks/make.py            all of them
    python notebooks/make.py audit_a_mixture

A notebook runs in a folder of its own, and its outputs depend only on its code: the tests
run this again and compare.
"""

from __future__ import annotations

import ast
import contextlib
import io
import json
import os
import re
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent


def names() -> list[str]:
    """The notebooks, by name."""
    return sorted(path.stem for path in HERE.glob("*.py") if path.name != Path(__file__).name)


def notebook(name: str) -> str:
    """One notebook, run in this process, as the text of its file."""
    before = Path.cwd()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        try:
            scope: dict[str, Any] = {"__name__": "__main__"}
            cells = [_cell(kind, text, scope) for kind, text in _cells((HERE / f"{name}.py").read_text("utf-8"))]
        finally:
            os.chdir(before)
    for number, cell in enumerate(cells):
        cell["id"] = f"{name[:40]}-{number}"
    kernel = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}
    whole = {"cells": cells, "metadata": kernel, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(whole, indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def _cells(script: str) -> Iterator[tuple[str, str]]:
    for part in re.split(r"^# %%", script, flags=re.MULTILINE)[1:]:
        head, _, body = part.partition("\n")
        if "[markdown]" in head:
            yield "markdown", "\n".join(re.sub(r"^# ?", "", line) for line in body.strip().splitlines())
        else:
            yield "code", body.strip()


def _cell(kind: str, text: str, scope: dict[str, Any]) -> dict[str, Any]:
    source = text.splitlines(keepends=True)
    if kind == "markdown":
        return {"cell_type": "markdown", "metadata": {}, "source": source}
    outputs = _run(text, scope)
    return {"cell_type": "code", "execution_count": None, "metadata": {}, "outputs": outputs, "source": source}


def _run(code: str, scope: dict[str, Any]) -> list[dict[str, Any]]:
    """Run a cell; its output and its last value, as Jupyter shows them."""
    body = ast.parse(code).body
    last = body.pop() if body and isinstance(body[-1], ast.Expr) else None
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(ast.Module(body, []), "<cell>", "exec"), scope)  # noqa: S102 (a notebook is code)
        value = eval(compile(ast.Expression(last.value), "<cell>", "eval"), scope) if last else None  # noqa: S307
    outputs: list[dict[str, Any]] = []
    if printed.getvalue():
        outputs.append(
            {"name": "stdout", "output_type": "stream", "text": printed.getvalue().splitlines(keepends=True)}
        )
    if value is not None:
        outputs.append(
            {"data": _shown(value), "execution_count": None, "metadata": {}, "output_type": "execute_result"}
        )
    return outputs


def _shown(value: Any) -> dict[str, list[str]]:
    kinds = {"image/svg+xml": "_repr_svg_", "text/html": "_repr_html_"}
    shown = {kind: getattr(value, method)() for kind, method in kinds.items() if hasattr(value, method)}
    if "image/svg+xml" not in shown:
        shown["text/plain"] = repr(value)
    return {kind: text.splitlines(keepends=True) for kind, text in shown.items()}


if __name__ == "__main__":
    for each in sys.argv[1:] or names():
        (HERE / f"{each}.ipynb").write_text(notebook(each), encoding="utf-8")
