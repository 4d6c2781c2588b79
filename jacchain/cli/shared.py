"""What all commands share: the application, its consoles, errors and progress."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from jacchain.records.errors import RecordsWarning

DONE, DISAGREES, BAD_INPUT = 0, 1, 2

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="What does each order of multiplying a Jacobian chain cost on this machine?",
)
console = Console()
errors = Console(stderr=True)

Json = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
Check = Annotated[bool, typer.Option("--check", help="Exit 1 if a claim disagrees.")]


def say(message: str, style: str) -> None:
    """Print a line for people, apart from the output that programs read."""
    errors.print(message, style=style, markup=False, highlight=False, soft_wrap=True)


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
def bar(title: str, *, every: int = 1) -> Iterator[Callable[[int, int], None]]:
    """Show a progress bar; yield a function that sets what is done of how much in all.

    It is redrawn only then, when `every` more are done: a timer would disturb what is measured.
    """
    columns = (TextColumn(title), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=errors, auto_refresh=False) as progress:
        task = progress.add_task(title, total=None)
        yield lambda done, total: progress.update(
            task, completed=done, total=total, refresh=done % every == 0
        )
