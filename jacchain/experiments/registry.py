"""The claims, found by their files: `c<number>_<words>.py` in this folder, each with EXPERIMENT."""

import re
from collections.abc import Iterable
from functools import cache
from importlib import import_module
from pkgutil import iter_modules

import jacchain.experiments as room
from jacchain.experiments.experiment import Experiment


@cache
def experiments() -> dict[str, Experiment]:
    """Every experiment by its claim, in the order of their numbers.

    Examples
    --------
    >>> list(experiments())
    ['C1', 'C2', 'C3', 'C4', 'C5', 'C7', 'C8', 'C9', 'C10']
    """
    names = [m.name for m in iter_modules(room.__path__) if re.fullmatch(r"c\d+_\w+", m.name)]
    found = [import_module(f"{room.__name__}.{name}").EXPERIMENT for name in names]
    return {e.claim: e for e in sorted(found, key=lambda e: int(e.claim[1:]))}


def chosen(claims: Iterable[str]) -> tuple[Experiment, ...]:
    """The experiments of these claims; all of them if none is named.

    Raises
    ------
    ValueError
        If a claim is unknown; the message lists the known ones.
    """
    known = experiments()
    names = [claim.upper() for claim in claims] or list(known)
    for name in names:
        if name not in known:
            message = f"unknown claim {name!r}; known are {', '.join(known)}"
            raise ValueError(message)
    return tuple(known[name] for name in known if name in names)
