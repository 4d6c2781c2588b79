"""What a run is asked for: some claims, or one chain of the user's own, and how to measure them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib.util import find_spec

from jacchain.chains.registry import Registry
from jacchain.claims.registry import chosen
from jacchain.experiments.cell import Cell, unique
from jacchain.experiments.experiment import Experiment
from jacchain.experiments.sizes import Sampling, Sizes, sampling_of
from jacchain.limits import usable_cores
from jacchain.measuring.caches import detect_caches

ITEMSIZES = Registry("dtype", {"float32": 4, "float64": 8})


class RunError(Exception):
    """A run that can't be done as asked, or whose measuring process failed."""


@dataclass(frozen=True)
class Job:
    """What the user asks for."""

    experiments: tuple[Experiment, ...]
    sampling: Sampling
    sizes: Sizes
    threads: int = 1
    dtype: str = "float64"
    left_out: tuple[Experiment, ...] = ()  #: default ones whose libraries are not installed

    @cached_property
    def cells(self) -> tuple[Cell, ...]:
        """Everything that is visited, each once."""
        return unique(cell for e in self.experiments for cell in e.cells(self.sizes))

    @property
    def claims(self) -> tuple[str, ...]:
        """Names of the claims."""
        return tuple(e.claim for e in self.experiments)

    @property
    def checks(self) -> tuple[str, ...]:
        """Names of the untimed checks."""
        return tuple(name for e in self.experiments for name in e.checks)


def job_of(
    profile: str,
    claims: Sequence[str] = (),
    *,
    also: Sequence[str] = (),
    threads: int = 1,
    dtype: str = "float64",
) -> Job:
    """Make a job of some claims, as `jacchain.claims.registry.chosen` takes them, in a profile.

    The profile is one that `jacchain.experiments.sizes.sampling_of` takes; `threads` are those of
    BLAS. Where no claims are named, those whose libraries are not installed are left out. Raises
    ValueError if the profile, a claim or the dtype is unknown, or the threads can't be had, and
    RunError if a claim asked for by name needs a library that is not installed.

    Examples
    --------
    >>> job_of("quick", ("c5", "C1")).claims
    ('C1', 'C5', 'model')
    """
    sampling, itemsize = sampling_of(profile), ITEMSIZES[dtype]
    cores = usable_cores()
    if not 1 <= threads <= cores:
        message = f"{threads} threads; expected 1 to {cores}, the cores that may be used here"
        raise ValueError(message)
    experiments = chosen(claims, also=also)
    left_out = () if claims else tuple(e for e in experiments if e.default and _missing(e))
    measured = tuple(e for e in experiments if e not in left_out)
    _require_modules(measured)
    caches = detect_caches()
    sizes = Sizes(sampling.scale, caches.l2, caches.llc, itemsize)
    return Job(measured, sampling, sizes, threads, dtype, left_out)


def why_left_out(experiment: Experiment) -> str:
    """Say why an experiment was left out of a run, and how to measure it.

    Examples
    --------
    >>> why_left_out(chosen(["C9"])[0])
    "C9 was not measured: it needs sklearn. To measure it: pip install 'jacchain[data]', run again."
    """
    remedy = f"To measure it: pip install 'jacchain[{experiment.extra}]', run again."
    return f"{experiment.claim} was not measured: it needs {', '.join(experiment.needs)}. {remedy}"


def _missing(experiment: Experiment) -> list[str]:
    return [module for module in experiment.needs if not find_spec(module)]


def _require_modules(experiments: Iterable[Experiment]) -> None:
    """Raise RunError if an experiment needs a library that is not installed."""
    for experiment in experiments:
        if missing := _missing(experiment):
            remedy = f"pip install 'jacchain[{experiment.extra}]', or choose others with --claims"
            message = f"claim {experiment.claim} needs {', '.join(missing)}: {remedy}"
            raise RunError(message)
