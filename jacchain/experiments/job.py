"""What a run is asked for: some claims in a profile, or one chain of the user's own."""

from dataclasses import dataclass
from importlib.util import find_spec

from jacchain.experiments.cells import Cell, Dims
from jacchain.experiments.comparison import Comparison
from jacchain.experiments.experiment import Experiment
from jacchain.experiments.profiles import Profile, chain_profile, fitted, profile_named
from jacchain.experiments.registry import chosen
from jacchain.experiments.workload import chain_workload, workload
from jacchain.measure.caches import detect_caches
from jacchain.measure.threads import usable_cores

PEERS = "peers"  # the study of other frameworks, and the extra that installs them
MOST_SIZES = 190  # of a chain: records hold its bracketing, and their reader nests no deeper


class RunError(Exception):
    """A run that can't be done as asked, or whose measuring process failed."""


@dataclass(frozen=True)
class Job:
    """What the user asks for."""

    profile: Profile
    experiments: tuple[Experiment, ...]
    cells: tuple[Cell, ...]
    threads: int = 1
    dtype: str = "float64"

    @property
    def comparisons(self) -> tuple[Comparison, ...]:
        """What is measured beside the cells."""
        return tuple(c for e in self.experiments for c in e.comparisons(self.profile))

    @property
    def stations(self) -> tuple[str, ...]:
        """Names of everything that is visited, but for ceilings."""
        return (*(cell.id for cell in self.cells), *(c.id for c in self.comparisons))

    @property
    def claims(self) -> tuple[str, ...]:
        """Names of the claims."""
        return tuple(e.claim for e in self.experiments)

    @property
    def checks(self) -> tuple[str, ...]:
        """Names of the untimed checks."""
        return tuple(name for e in self.experiments for name in e.checks)


def job_of_claims(
    profile: str, claims: tuple[str, ...], *, threads: int, dtype: str, peers: bool = False
) -> Job:
    """Some claims (all of them if none is named) in a named profile; other frameworks if asked.

    Raises
    ------
    ValueError
        If the profile, a claim or the dtype is unknown, or the threads can't be had.
    RunError
        If a claim needs a library that is not installed.

    Examples
    --------
    >>> job_of_claims("quick", ("c5", "C1"), threads=1, dtype="float64").claims
    ('C1', 'C5')
    """
    _check_settings(threads, dtype)
    caches = detect_caches()
    known = fitted(profile_named(profile), caches.l2, caches.llc, dtype)
    picked = chosen(claims)
    if peers and PEERS not in {e.claim for e in picked}:
        picked = (*picked, *chosen([PEERS]))
    for experiment in picked:
        _check_installed(experiment)
    return Job(known, picked, workload(known, picked), threads, dtype)


def _check_installed(experiment: Experiment) -> None:
    missing = [module for module in experiment.needs if not find_spec(module)]
    if missing:
        what = "--peers" if experiment.claim == PEERS else f"claim {experiment.claim}"
        extra = PEERS if experiment.claim == PEERS else "data"
        other = "leave it out" if experiment.claim == PEERS else "choose --claims"
        message = f"{what} needs {', '.join(missing)}: pip install 'jacchain[{extra}]', or {other}"
        raise RunError(message)


def job_of_chain(dims: Dims, *, threads: int, dtype: str) -> Job:
    """One chain in both orders, with its controls.

    Raises
    ------
    ValueError
        If dims are no chain with a scalar loss, or as `job_of_claims` raises.

    Examples
    --------
    >>> [cell.role for cell in job_of_chain((1, 10, 256), threads=1, dtype="float64").cells]
    ['cell', 'control', 'control']
    """
    _check_settings(threads, dtype)
    if not 3 <= len(dims) <= MOST_SIZES or dims[0] != 1 or min(dims) < 1:
        message = (
            f"dims are {' '.join(map(str, dims))}; expected at least three sizes of 1 or more, "
            f"at most {MOST_SIZES}, loss first and beginning with 1, such as 1 10 256 784"
        )
        raise ValueError(message)
    return Job(chain_profile(), (), chain_workload(dims), threads, dtype)


def _check_settings(threads: int, dtype: str) -> None:
    if dtype not in {"float32", "float64"}:
        message = f"unknown dtype {dtype!r}; known are float32, float64"
        raise ValueError(message)
    cores = usable_cores()
    if not 1 <= threads <= cores:
        message = f"{threads} threads; expected 1 to {cores}, the cores that may be used here"
        raise ValueError(message)
