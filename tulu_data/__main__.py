"""Run the command line; every way in which it can end has its exit code and its message."""

from __future__ import annotations

import os
import signal
import sys
import traceback
import warnings
from collections.abc import Callable
from typing import Any, Final, NoReturn

import click

from tulu_data import __version__
from tulu_data.cli import streams
from tulu_data.cli.cli import cli
from tulu_data.errors import (
    PLACE_ERRNOS,
    RESOURCE_ERRNOS,
    FindingsError,
    Remark,
    ResourceError,
    TuluDataError,
    UsageError,
)

INTERRUPTED: Final = 130
TERMINATED: Final = 143


class Terminated(BaseException):
    """SIGTERM came; every file that was written is whole, and the next build resumes."""


def _terminate(number: int, frame: Any) -> NoReturn:
    raise Terminated


def main() -> None:
    """Run the command line, and exit with its code."""
    signal.signal(signal.SIGTERM, _terminate)
    warnings.showwarning = _warned
    streams.open_all()
    exit_code = _run(lambda: cli.main(prog_name="tulu-data", standalone_mode=False))
    # An error is shown once; a result that was not written in full is not a success.
    closing = _run(streams.close_all) if exit_code in (0, FindingsError.exit_code) else 0
    sys.exit(closing or exit_code)


def _run(action: Callable[[], object]) -> int:
    """Run an action, show its error on stderr, and return its exit code."""
    try:
        done = action()
    except click.exceptions.Exit as exit:
        return exit.exit_code
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        return error.exit_code
    except click.UsageError as error:
        return _failed(_usage(error), error.exit_code)
    except click.ClickException as error:
        return _failed(error.format_message(), error.exit_code)
    except (KeyboardInterrupt, click.Abort):
        return _failed("stopped; what is finished is kept, and the same command resumes from there", INTERRUPTED)
    except Terminated:
        return _failed("terminated; what is finished is kept, and the same command resumes from there", TERMINATED)
    except TuluDataError as error:
        return _failed(str(error), error.exit_code)
    except MemoryError:
        return _failed(
            "out of memory; close other programs, or take fewer rows of the sources", ResourceError.exit_code
        )
    except Exception as error:  # noqa: BLE001 (nothing else catches it)
        if isinstance(error, OSError) and error.errno in PLACE_ERRNOS and error.filename:
            place = os.fsdecode(error.filename)
            return _failed(f"{place}: {(error.strerror or '').lower()}; choose another place", UsageError.exit_code)
        if isinstance(error, OSError) and error.errno in RESOURCE_ERRNOS:
            refused = ResourceError.from_os(error)
            return _failed(str(refused), refused.exit_code)
        trace = traceback.format_exc()
        return _failed(f"this is a bug in tulu-data {__version__}; please report it with these lines:\n{trace}", 1)
    # click returns the exit code of options that end the program, such as --version.
    return done if isinstance(done, int) else 0


def _usage(error: click.UsageError) -> str:
    """The message of click about wrong arguments, then the usage and where to find help."""
    message = error.format_message()
    if error.ctx is None:
        return message
    return f"{message}\n  {error.ctx.get_usage()}\n  help: {error.ctx.command_path} -h"


def _warned(
    message: Warning | str, category: type[Warning], filename: str, lineno: int, file: Any = None, line: Any = None
) -> None:
    """Show a warning through `terminal`, which escapes it: a library may quote untrusted text."""
    from tulu_data.cli import console

    console.note(f"note: {message}" if issubclass(category, Remark) else f"{category.__name__}: {message}")


def _failed(text: str, exit_code: int) -> int:
    from tulu_data.cli import console

    console.error(text)
    return exit_code


if __name__ == "__main__":
    main()
