"""The commands: parse, call, print."""

import sys
import traceback
import warnings
from collections.abc import Sequence

from jacchain.cli import harnesses, machines, runs
from jacchain.cli.shared import (
    BAD_INPUT,
    BROKEN_PIPE,
    DISAGREES,
    DONE,
    FAULT,
    INTERRUPTED,
    app,
    console,
    let_go,
    say,
    show_warning,
)
from jacchain.records.errors import RecordsError

__all__ = [
    "BAD_INPUT",
    "BROKEN_PIPE",
    "DISAGREES",
    "DONE",
    "FAULT",
    "INTERRUPTED",
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
    >>> joined(["run", "--claims=C3", "C5"])
    ['run', '--claims', 'C3,C5']
    """
    result: list[str] = []
    collecting = False
    for argument in arguments:
        if argument.startswith("--"):
            name, equals, value = argument.partition("=")
            collecting = name in LISTS
            result += [name, value] if collecting and equals else [argument]
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
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # what a terminal can't show becomes "?"
            stream.reconfigure(errors="replace")
    try:
        app(joined(sys.argv[1:] if arguments is None else arguments))
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except Exception as error:  # a command that ends as it should raises SystemExit, which is none
        sys.exit(_tell(error))


def _tell(error: Exception) -> int:
    """Say what ended a command, and return its exit code."""
    if isinstance(error, BrokenPipeError):
        let_go()
    if isinstance(error, _refusals()):
        say(f"error: {error}", "red")
        return BAD_INPUT
    if isinstance(error, OSError):
        where = error.filename or "a file"
        say(f"error: {where}: {error.strerror}; make it usable, or choose another", "red")
        return BAD_INPUT
    traceback.print_exception(error)
    say("this is a fault of jacchain, not of what you typed: please report it", "red")
    return FAULT  # its own exit code: 1 means that a claim disagrees
