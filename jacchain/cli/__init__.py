"""The commands: parse, call, print."""

import sys
import warnings
from collections.abc import Sequence

from jacchain.cli import harnesses, machines, runs
from jacchain.cli.shared import BAD_INPUT, DISAGREES, DONE, app, console, say, show_warning
from jacchain.records.errors import RecordsError

__all__ = [
    "BAD_INPUT",
    "DISAGREES",
    "DONE",
    "app",
    "console",
    "harnesses",
    "joined",
    "machines",
    "main",
    "runs",
]

LISTS = ("--dims", "--claims")  # options that take several values after one name


def joined(arguments: Sequence[str]) -> list[str]:
    """Join the values of list options, so that `--dims 1 10 784` reads as `--dims 1,10,784`.

    Examples
    --------
    >>> joined(["run", "--dims", "1", "10", "784", "--json"])
    ['run', '--dims', '1,10,784', '--json']
    """
    result: list[str] = []
    collecting = False
    for argument in arguments:
        if argument.startswith("--"):
            collecting = argument in LISTS
            result.append(argument)
        elif collecting and result[-1] not in LISTS:
            result[-1] += f",{argument}"
        else:
            result.append(argument)
    return result


def _refusals() -> tuple[type[Exception], ...]:
    """Return what bad input raises: loaded only once something is raised."""
    from jacchain.harnesses.site import SiteError
    from jacchain.runs.job import RunError

    return RecordsError, RunError, SiteError


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command; bad input ends with a message and exit code 2, never with a traceback."""
    warnings.showwarning = show_warning
    try:
        app(joined(sys.argv[1:] if arguments is None else arguments))
    except _refusals() as error:
        say(f"error: {error}", "red")
        sys.exit(BAD_INPUT)
    except OSError as error:
        where = error.filename or "a file"
        say(f"error: {where}: {error.strerror}; make it usable, or choose another", "red")
        sys.exit(BAD_INPUT)
