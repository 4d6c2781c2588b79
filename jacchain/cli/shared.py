"""What all commands share: the application, its consoles, errors and progress."""

import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from jacchain.records.errors import RecordsWarning

DONE, DISAGREES, BAD_INPUT, FAULT = 0, 1, 2, 70
INTERRUPTED, BROKEN_PIPE = 130, 141  # as the shell says of a program ended by these signals

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


# All but tab and line feed: on a terminal they could be commands.
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


class _Terminal(Console):
    """A console that shows control characters in texts, and ends quietly when nobody reads it."""

    def render_str(self, text: str, **options: Any) -> Text:
        """Turn a text into what is printed: what records and files hold commands no terminal."""
        shown = _CONTROL.sub(lambda character: repr(character[0])[1:-1], text)
        return super().render_str(shown, **options)

    def on_broken_pipe(self) -> NoReturn:
        """End quietly; rich would exit with 1, which means that a claim disagrees."""
        let_go()


def let_go() -> NoReturn:
    """Exit since nobody reads the output any more."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # nothing fails at exit
    sys.exit(BROKEN_PIPE)


# rich would print into a width of 0, pad to a huge one, and end at digits that are no number: "²".
_SIZE = re.compile(r"0*[1-9][0-9]{0,3}")
for _size in ("COLUMNS", "LINES"):
    if not _SIZE.fullmatch(os.environ.get(_size, "")):
        os.environ.pop(_size, None)

console = _Terminal()
errors = _Terminal(stderr=True)

Json = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]


def _version(*, wanted: bool) -> None:
    if wanted:
        from jacchain import __version__

        print(f"jacchain {__version__}")  # noqa: T201
        raise typer.Exit


@app.callback()
def _common(
    *,
    version: Annotated[
        bool,
        typer.Option(
            "--version",
            callback=lambda v: _version(wanted=v),
            is_eager=True,
            help="Print the version and exit.",
        ),
    ] = False,
) -> None:
    """Measure what each order of multiplying a Jacobian chain costs on this machine."""


def option(names: Iterable[str], what: str = "") -> Any:
    """Return an option that takes one of several names, listed in its help and completed.

    Of several with commas, the last is completed.
    """
    known = list(names)

    def complete(incomplete: str) -> list[str]:
        before, comma, last = incomplete.rpartition(",")
        return [f"{before}{comma}{name}" for name in known if name.startswith(last)]

    return typer.Option(help=f"{what}{', '.join(known)}.", autocompletion=complete)


Check = Annotated[bool, typer.Option("--check", help="Exit 1 if a claim disagrees.")]


def say(message: str, style: str) -> None:
    """Print a line for people, apart from the output that programs read."""
    errors.print(message, style=style, markup=False, highlight=False, soft_wrap=True)


def folder(text: str) -> Path:
    """Read the name of a folder, which must not be empty: that would be the current one."""
    if not text.strip():
        message = "is empty; expected a folder"
        raise typer.BadParameter(message)
    return Path(text)


def show_warning(message: Warning | str, category: type[Warning], *_: Any, **__: Any) -> None:
    """Show a warning about records as a line; others are for those who write jacchain."""
    if issubclass(category, RecordsWarning):
        say(f"warning: {message}", "yellow")


@contextmanager
def bad_values() -> Iterator[None]:
    """Turn what a constructor says of a bad value into the command line's own error."""
    try:
        yield
    except (ValueError, TypeError) as error:
        raise typer.BadParameter(str(error)) from error


@contextmanager
def bar(title: str, *, every: int = 1) -> Iterator[Callable[[float, float], None]]:
    """Show a progress bar; yield a function that sets what is done of how much in all.

    On a terminal alone, and redrawn only at each of so many calls: a timer would disturb what is
    measured. The time that remains goes by the speed of the last ten minutes.
    """
    if not errors.is_terminal:
        yield lambda _done, _total: None
        return
    columns = (
        TextColumn(title),
        BarColumn(),
        TaskProgressColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    calls = count(1)
    settings: dict[str, Any] = {"console": errors, "auto_refresh": False}
    with Progress(*columns, **settings, speed_estimate_period=600) as progress:
        task = progress.add_task(title, total=None)
        yield lambda done, total: progress.update(
            task, completed=done, total=total, refresh=next(calls) % every == 0
        )
