"""Simulated machines: what the verdicts say of machines whose behaviour is known.

A simulated machine gives every cell of the quick profile a true time and the noise of a real
run; the claims' own `judge` functions then judge it as they judge a measurement.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
from numpy.typing import NDArray

from jacchain.analysis.evidence import Array, Evidence, Regimes, Series, by_key
from jacchain.analysis.noise import noise_floor
from jacchain.chains.planners import plan
from jacchain.experiments.cells import Cell
from jacchain.experiments.prepare import working_set
from jacchain.experiments.profiles import PROFILES, Profile
from jacchain.experiments.registry import experiments
from jacchain.experiments.workload import workload

CLAIMS = ("C3", "C4", "C5")
QUICK = PROFILES["quick"]
MIB = 2**20
REGIMES = Regimes(l2=MIB, llc_low=4 * MIB, llc_high=65 * MIB, memory=520 * MIB)

_OVERHEAD = 8e-7  # seconds per product
_RATE = 2e-10  # seconds per multiplication: eight bytes read at 40 GB/s
_SLOW_SHARE, _SLOW = 0.4, 1.35  # of the time a neighbour shares the core, for seconds at a time,
_ALONE = 0.1  # and so slows a round of a whole sweep; of the blocks this share is another way
_DRIFT, _JITTER = 0.05, 0.02  # standard deviations of ln(time), of a block and of a sample
_SPIKE_SHARE, _SPIKE = 0.02, 0.3


@dataclass(frozen=True)
class Machine:
    """`law` turns a series (its times yet unknown) into true seconds; `noise` scales all noise."""

    name: str
    law: Callable[[Series], float]
    noise: float = 1.0


def obeys(series: Series) -> float:
    """Time by the formula: overhead, and one rate for every multiplication."""
    return _OVERHEAD * series.products + _RATE * series.multiplications


def superlinear(series: Series) -> float:
    """Cost that grows with |x|^1.2."""
    return float(obeys(series) * (series.dims[-1] / 64) ** 0.2)


def deviates(series: Series) -> float:
    """Over |z2|, costs whose exponent is a quarter above the formula's."""
    return obeys(series) * (series.dims[2] / 256) ** 0.25 if _sweeps_z2(series) else obeys(series)


def _sweeps_z2(series: Series) -> bool:
    return len(series.dims) == 5 and series.dims[1] == series.dims[3] == 256


def cliff(series: Series) -> float:
    """The formula, with a bandwidth that falls threefold on leaving each cache."""
    edges = (2 * MIB, 120 * MIB)
    steps = sum(1 / (1 + (edge / series.working_set) ** 4) for edge in edges)
    return float(obeys(series) * 3.0**steps)


MACHINES = (
    Machine("obeys", obeys),
    Machine("grows with |x|^1.2", superlinear),
    Machine("25 % steeper over |z2|", deviates),
    Machine("obeys, too noisy", obeys, noise=16.0),
    Machine("obeys, with a cache cliff", cliff),
)


def _noise(
    shape: tuple[int, ...], sweeps: NDArray[np.intp], rng: np.random.Generator, scale: float
) -> Array:
    """Factors on time, shape (cells, processes, rounds, samples).

    A block is in the state of its sweep in that round, or alone in one of its own; drift, jitter
    and spikes come on top. `sweeps` numbers the sweep of each cell.
    """
    blocks = shape[:-1]
    states = rng.random((len(sweeps), *blocks[1:]))[sweeps]
    states = np.where(rng.random(blocks) < _ALONE, rng.random(blocks), states)
    slow = np.where(states < _SLOW_SHARE, np.log(_SLOW), 0.0)
    drift = np.abs(rng.normal(0, _DRIFT, blocks))
    jitter = rng.normal(0, _JITTER * scale, shape)
    spikes = np.where(rng.random(shape) < _SPIKE_SHARE * scale, _SPIKE, 0.0)
    return np.asarray(np.exp((slow + drift)[..., None] + jitter + spikes))


@cache
def _blank(profile: Profile) -> tuple[tuple[tuple[Series, Series], ...], NDArray[np.intp]]:
    """Both arms of every cell and control of the profile, without times; and sweeps by number."""
    chosen = [experiments()[claim] for claim in CLAIMS]
    cells = [c for c in workload(profile, chosen) if c.role in {"cell", "control"}]
    pairs = tuple((_series(cell, 0, profile), _series(cell, 1, profile)) for cell in cells)
    return pairs, np.unique([cell.sweep or cell.id for cell in cells], return_inverse=True)[1]


def _series(cell: Cell, arm: int, profile: Profile) -> Series:
    chosen = plan(cell.dims, cell.orders[arm], dtype="float64")
    rows = chosen.cost.row_flops
    shape = (profile.processes, profile.rounds, 2)
    return Series(
        cell=cell.id,
        role=cell.role,
        engine=cell.engine,
        dims=cell.dims,
        order=cell.orders[arm],
        arm="AB"[arm],
        products=len(chosen.steps),
        multiplications=chosen.multiplications,
        row_flops=rows,
        matrix_flops=chosen.flops - rows,
        bytes=chosen.bytes,
        working_set=working_set(chosen, 8),
        seconds=np.ones(shape),
        flagged=np.zeros(shape, dtype=bool),
    )


def simulate(machine: Machine, rng: np.random.Generator, profile: Profile = QUICK) -> Evidence:
    """One run of a machine."""
    blank, sweeps = _blank(profile)
    shape = blank[0][0].seconds.shape
    noise = _noise((len(blank), *shape[:-1], 2 * shape[-1]), sweeps, rng, machine.noise)
    pairs = [
        (_timed(a, machine, factors[..., :2]), _timed(b, machine, factors[..., 2:]))
        for (a, b), factors in zip(blank, noise, strict=True)
    ]
    controls = tuple(pair for pair in pairs if pair[0].role == "control")
    return Evidence(
        series=by_key([s for pair in pairs for s in pair if s.role == "cell"]),
        controls=controls,
        checks=_checks(),
        regimes=REGIMES,
        noise_floor=noise_floor(controls),
        overhead=_OVERHEAD,
    )


@cache
def _checks() -> dict[str, dict[str, object]]:
    """The untimed checks of these claims: a machine of any speed counts the same."""
    return {
        name: check(0) for claim in CLAIMS for name, check in experiments()[claim].checks.items()
    }


def _timed(series: Series, machine: Machine, factors: Array) -> Series:
    return replace(series, seconds=machine.law(series) * factors)
