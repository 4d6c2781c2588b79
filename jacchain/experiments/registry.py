"""The claims and studies, found by their files: `c<number>_<words>.py`, `study_<word>.py`.

Each of them has EXPERIMENT.
"""

import re
import sys
from collections.abc import Iterable
from functools import cache
from importlib import import_module
from pkgutil import iter_modules

import jacchain.experiments as room
from jacchain.experiments.experiment import Experiment


@cache
def experiments() -> dict[str, Experiment]:
    """Every experiment by its claim, in the order of their numbers; studies last.

    Examples
    --------
    >>> list(experiments())
    ['C1', 'C2', 'C3', 'C4', 'C5', 'C7', 'C8', 'C9', 'C10',
     'construction', 'peers']
    """
    pattern = r"c\d+_\w+|study_\w+"
    names = [m.name for m in iter_modules(room.__path__) if re.fullmatch(pattern, m.name)]
    found = [import_module(f"{room.__name__}.{name}").EXPERIMENT for name in names]
    return {e.claim: e for e in sorted(found, key=_place)}


def _place(experiment: Experiment) -> tuple[int, str]:
    number = experiment.claim[1:]
    return (int(number), "") if number.isdecimal() else (sys.maxsize, experiment.claim)


def chosen(claims: Iterable[str]) -> tuple[Experiment, ...]:
    """The experiments of these claims; if none is named, all that are measured by default.

    Raises
    ------
    ValueError
        If a claim is unknown; the message lists the known ones.
    """
    known = experiments()
    by_name = {name.lower(): name for name in known}
    usual = (name for name, experiment in known.items() if experiment.default)
    names = set()
    for name in tuple(claims) or usual:
        if name.lower() not in by_name:
            message = f"unknown claim {name!r}; known are {', '.join(known)}"
            raise ValueError(message)
        names.add(by_name[name.lower()])
    return tuple(known[name] for name in known if name in names)
