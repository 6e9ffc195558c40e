"""Run the command line, and give every way out its exit code and its words."""

from __future__ import annotations

import signal
import sys
import traceback
from typing import Any, Final, NoReturn

import click

from tulu_data import __version__
from tulu_data.cli import cli
from tulu_data.errors import PLACE_ERRNOS, RESOURCE_ERRNOS, ResourceError, TuluDataError, UsageError

INTERRUPTED: Final = 130
TERMINATED: Final = 143


class Terminated(BaseException):
    """SIGTERM came; whatever is written is whole, and the next build goes on."""


def _terminate(number: int, frame: Any) -> NoReturn:
    raise Terminated


def main() -> None:
    """Run the command line; every way out has its exit code."""
    signal.signal(signal.SIGTERM, _terminate)
    try:
        sys.exit(cli.main(prog_name="tulu-data", standalone_mode=False))
    except click.exceptions.Exit as exit:
        sys.exit(exit.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (KeyboardInterrupt, click.Abort):
        _fail("stopped; what is finished is kept, and the same command goes on from there", INTERRUPTED)
    except Terminated:
        _fail("terminated; what is finished is kept, and the same command goes on from there", TERMINATED)
    except TuluDataError as error:
        _fail(str(error), error.exit_code)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(0)
    except MemoryError:
        _fail("out of memory; close other programs, or take fewer rows of the sources", ResourceError.exit_code)
    except OSError as error:
        if error.errno in PLACE_ERRNOS and error.filename:
            _fail(f"{error.filename}: {(error.strerror or '').lower()}; choose another place", UsageError.exit_code)
        if error.errno not in RESOURCE_ERRNOS:
            raise
        refused = ResourceError.from_os(error)
        _fail(str(refused), refused.exit_code)
    except Exception:  # noqa: BLE001 (the last door)
        _fail(
            f"this is a bug in tulu-data {__version__}; please report it with these lines:\n{traceback.format_exc()}", 1
        )


def _fail(text: str, exit_code: int) -> NoReturn:
    from tulu_data import console

    console.error(text)
    sys.exit(exit_code)


if __name__ == "__main__":
    main()
