"""Run units in worker processes of this machine.

Each worker holds one unit at a time, so that when a worker dies it is known which unit it
had: that unit is tried again, once, in a new worker. Workers end with their parent.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import pickle
import signal
import threading
import traceback
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from types import TracebackType
from typing import Any, Final, NamedTuple, Self

from tulu_data.errors import InvariantError, ResourceError
from tulu_data.executors import AnyUnit, Result, Tick
from tulu_data.executors.inline import Inline
from tulu_data.store import outside

TRIES: Final = 2
# A worker is one thread: the libraries' own thread pools would compete for the workers' cores.
ONE_THREAD: Final = {"POLARS_MAX_THREADS": "1", "OMP_NUM_THREADS": "1"}


class Processes:
    """The executor for the cores of one machine.

        with Processes(workers=4) as executor:
            build("recipe.yaml", executor=executor)

    Work on fewer rows than `inline_below` is done in this process: starting workers would
    take longer. Raises the error of a unit, and `ResourceError` (exit 6) naming the unit
    whose worker died twice.
    """

    def __init__(self, workers: int, inline_below: int = 20_000) -> None:
        self.workers = workers
        self.inline_below = inline_below
        self._crew = _Crew()

    def run(self, work: Callable[[AnyUnit, Tick], Result], units: Iterable[AnyUnit], tick: Tick) -> Iterator[Result]:
        todo = list(units)
        if self.workers < 2 or sum(unit.rows for unit in todo) < self.inline_below:
            return Inline().run(work, todo, tick)
        return self._run(work, todo, tick)

    def _run(self, work: Callable[[AnyUnit, Tick], Result], units: list[AnyUnit], tick: Tick) -> Iterator[Result]:
        waiting = deque(_Task(number, 1, work, unit) for number, unit in enumerate(units))
        crew = self._crew
        crew.hire(min(self.workers, len(waiting)))
        results: dict[int, Result] = {}
        following = 0
        try:
            while following < len(units):
                crew.give(waiting)
                for task, kind, value in crew.listen():
                    if kind == "tick":
                        tick(value)
                    elif kind == "result":
                        results[task.number] = value
                    elif kind == "error":
                        raise value  # noqa: TRY301 (the worker's own)
                    else:
                        waiting.appendleft(task._replace(tries=task.tries + 1))
                while following in results:
                    yield results.pop(following)
                    following += 1
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """End the workers, even if they are working."""
        self._crew.end()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class _Task(NamedTuple):
    number: int
    tries: int
    work: Callable[..., Any]
    unit: Any


class _Crew:
    """The workers, and the task that each has."""

    def __init__(self) -> None:
        self.free: list[tuple[Connection, SpawnProcess]] = []
        self.busy: dict[Connection, tuple[SpawnProcess, _Task]] = {}

    def hire(self, size: int) -> None:
        """Start workers until there are at least `size`."""
        while len(self.free) + len(self.busy) < size:
            self._hire()

    def _hire(self) -> None:
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        process = context.Process(target=_serve, args=(theirs,), daemon=True)
        process.start()
        theirs.close()
        self.free.append((ours, process))

    def give(self, waiting: deque[_Task]) -> None:
        while waiting and self.free:
            connection, process = self.free.pop()
            task = waiting.popleft()
            self.busy[connection] = (process, task)
            # `listen` finds a worker that is dead already.
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                # A unit can be read only when the code of its stages can be imported.
                connection.send_bytes(pickle.dumps((outside.admitted(), pickle.dumps((task.work, task.unit)))))

    def listen(self) -> Iterator[tuple[_Task, str, Any]]:
        """Messages of workers about their tasks: ("tick" | "result" | "error" | "died", value)."""
        for ready in wait(list(self.busy)) if self.busy else ():
            assert isinstance(ready, Connection)
            process, task = self.busy[ready]
            try:
                kind, value = pickle.loads(ready.recv_bytes())  # noqa: S301 (our own worker)
            except (EOFError, ConnectionResetError):
                del self.busy[ready]
                ready.close()
                process.join()
                if task.tries == TRIES:
                    raise ResourceError(_died(process.exitcode, task.unit)) from None
                self._hire()
                kind, value = "died", None
            else:
                if kind != "tick":
                    del self.busy[ready]
                    self.free.append((ready, process))
            yield task, kind, value

    def end(self) -> None:
        crew = [*self.free, *((connection, process) for connection, (process, _) in self.busy.items())]
        self.free, self.busy = [], {}
        for connection, process in crew:
            connection.close()
            process.terminate()
            process.join()


def _died(exit_code: int | None, unit: object) -> str:
    how = f"killed by {signal.Signals(-exit_code).name}" if exit_code and exit_code < 0 else f"ended with {exit_code}"
    return (
        f"a worker was {how} twice at one unit of work: {unit}; mostly memory runs out: take fewer --workers, "
        "or close other programs, and run the same command again: it goes on where it stopped"
    )


def _serve(connection: Connection) -> None:
    """The loop of a worker: run units until the parent ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.environ.update(ONE_THREAD)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    with contextlib.suppress(EOFError, BrokenPipeError, ConnectionResetError):
        while True:
            code, task = pickle.loads(connection.recv_bytes())  # noqa: S301 (our own parent)
            outside.admit(code)
            try:
                work, unit = pickle.loads(task)  # noqa: S301
                answer = pickle.dumps(("result", work(unit, lambda done: _say(connection, ("tick", done)))))
            except Exception as error:  # noqa: BLE001 (it is raised in the parent)
                answer = _pickled(error)
            connection.send_bytes(answer)


def _end_with_parent() -> None:
    """End this worker when its parent ends: a parent that is killed can't end its workers."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)


def _say(connection: Connection, message: tuple[str, Any]) -> None:
    connection.send_bytes(pickle.dumps(message))


def _pickled(error: Exception) -> bytes:
    """An error that the parent can raise, with the worker's traceback if it is a bug."""
    try:
        answer = pickle.dumps(("error", error))
        pickle.loads(answer)  # noqa: S301 (an error that can't be read back is told as text)
    except Exception:  # noqa: BLE001
        return pickle.dumps(("error", InvariantError(f"in a worker:\n{traceback.format_exc()}{error!r}")))
    error.add_note(f"in a worker:\n{traceback.format_exc()}")
    return pickle.dumps(("error", error))
