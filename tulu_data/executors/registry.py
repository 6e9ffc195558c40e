"""Executors by name: to add one, write a module in this folder and add its name here."""

from __future__ import annotations

import os
from contextlib import AbstractContextManager, nullcontext
from typing import Final

from tulu_data.errors import UsageError, did_you_mean, printable
from tulu_data.executors import Executor

NAMES: Final = ("inline", "processes")
DEFAULT: Final = "processes"


def open(name: str = DEFAULT, workers: int | None = None) -> AbstractContextManager[Executor]:
    """The executor of this name, as a context that closes it at the end.

        with registry.open("processes", workers=4) as executor:
            build("recipe.yaml", executor=executor)

    `workers` is how many units run at a time, by default as many as there are cores.
    Raises `UsageError` (exit 2) for an unknown name.
    """
    if name == "inline":
        from tulu_data.executors.inline import Inline

        return nullcontext(Inline())
    if name == "processes":
        from tulu_data.executors.processes import Processes

        return Processes(workers or cores())
    raise UsageError(f"no executor '{printable(name, 60)}'{did_you_mean(name, NAMES)}; there are {', '.join(NAMES)}")


def cores() -> int:
    """The cores that this process may use, which may be fewer than the machine's; macOS only knows the latter."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
