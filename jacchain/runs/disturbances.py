"""What a simulated machine adds to true times: the order of samples, noise, states, its clock."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter
from scipy.special import ndtr

from jacchain.analysis.evidence import LOWER_QUARTILE, Array
from jacchain.experiments.cell import Cell
from jacchain.experiments.sizes import Sampling
from jacchain.measuring.timing import LEAST_SAMPLE_SECONDS
from jacchain.runs.machine import Clock, Machine, Noise, State
from jacchain.runs.worker import visits

LEAST_FACTOR = 0.1  # of normal noise, whose tail would reach 0
_MARGIN = 1.05  # of a batch of calls over the least time of a sample, as it is calibrated
_DRAWS = 50_000  # from which the median of processes is taken
_CYCLES = 40  # more than needed, so that states last until the end of a run
_SEQUENCES = np.array([[0, 1, 1, 0], [1, 0, 0, 1]])  # ABBA and BAAB
_NUMBERS = np.array([[0, 1, 0, 0], [0, 0, 1, 1]])  # of an arm's sample, with one arm and with two


@dataclass(frozen=True)
class Samples:
    """All samples of a run in the order of time; each array has shape (n,)."""

    arm: NDArray[np.intp]  #: the index of its arm, among the arms of all cells
    block: NDArray[np.intp]  #: of all processes, one after the other
    number: NDArray[np.intp]  #: 0 or 1: which of the two samples of an arm in a block


def order_samples(
    cells: Sequence[Cell], arms: NDArray[np.intp], sampling: Sampling, rng: np.random.Generator
) -> Samples:
    """Return the samples of a run, visited as a worker visits; `arms` counts those of each cell."""
    places = {cell.name: place for place, cell in enumerate(cells)}
    rounds = [[places[cell.name] for cell in visits(cells, rng)] for _ in range(sampling.blocks)]
    visited = np.array(rounds, dtype=np.intp).reshape(sampling.blocks, len(cells))
    paired = arms[visited] == 2
    sequence = _SEQUENCES[rng.integers(2, size=visited.shape)] * paired[..., None]
    taken = paired[..., None] | (np.arange(4) < 2)
    first = (np.cumsum(arms) - arms)[visited]
    block = np.broadcast_to(np.arange(sampling.blocks)[:, None, None], taken.shape)
    numbers = _NUMBERS[paired.astype(np.intp)]
    return Samples((first[..., None] + sequence)[taken], block[taken], numbers[taken])


def measure(
    machine: Machine, true: Array, samples: Samples, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Return the seconds per call that the clock reads, shape (arms, processes, rounds, 2).

    `true` has shape (arms,): seconds per call without noise.
    """
    times = true[samples.arm]
    calls = np.ceil(_MARGIN * LEAST_SAMPLE_SECONDS / times)
    quiet = calls * times
    factors = disturb(machine, samples, np.cumsum(quiet) - quiet, rng)
    seconds = read_clock(machine.clock, quiet * factors, rng) / calls
    sampling = machine.sampling
    measured = np.empty((len(true), sampling.blocks, 2))
    measured[samples.arm, samples.block, samples.number] = seconds
    return measured.reshape(len(true), sampling.processes, sampling.rounds, 2)


def disturb(
    machine: Machine, samples: Samples, elapsed: Array, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Return the factor on the time of each sample, shape (n,).

    `elapsed`, of the same shape, are the seconds since the start of the run.
    """
    noise, sampling = machine.noise, machine.sampling
    factors = noise_factors(noise, len(elapsed), rng)
    if machine.states:
        factors *= state_factors(machine.states, elapsed, rng)
    if noise.processes:
        shape = sampling.processes, int(samples.arm.max()) + 1
        own = np.exp(rng.normal(0, noise.processes, shape))
        factors *= own[samples.block // sampling.rounds, samples.arm]
    return np.asarray(factors * (1 + machine.drift * elapsed / 60))


def noise_factors(noise: Noise, n: int, rng: np.random.Generator) -> Array:
    """Return the factors of noise and spikes on `n` samples in a row."""
    normal = rng.standard_normal(n)
    if noise.correlation:  # autoregressive of order 1, of variance 1 from the first sample on
        normal[1:] *= np.sqrt(1 - noise.correlation**2)
        normal = lfilter([1.0], [1.0, -noise.correlation], normal)
    factors = FAMILIES[noise.family](normal, noise.scale)
    if noise.spikes:
        factors[rng.random(n) < noise.spikes.share] *= 1 + noise.spikes.size
    return factors


def _normal(normal: Array, scale: float) -> Array:
    return np.maximum(1 + scale * normal, LEAST_FACTOR)


def _log_normal(normal: Array, scale: float) -> Array:
    return np.asarray(np.exp(scale * normal))


def _t2(normal: Array, scale: float) -> Array:
    """Return 1 + scale t above the median, and its inverse below, where 1 + scale t may be < 0."""
    tail = ndtr(-np.abs(normal))
    t = (1 - 2 * tail) / np.sqrt(2 * tail * (1 - tail))
    return np.asarray((1 + scale * t) ** np.sign(normal))


def _one_sided(normal: Array, scale: float) -> Array:
    return np.asarray(1 - scale * np.log(ndtr(-normal)))


FAMILIES: dict[str, Callable[[Array, float], Array]] = {
    "normal": _normal,
    "log-normal": _log_normal,
    "t2": _t2,
    "one-sided": _one_sided,
}
"""Factors of each family from standard normal values, so that all of them can be correlated."""


def state_factors(
    states: tuple[State, ...], elapsed: Array, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Return the factor of the state in which the machine is at each moment, shape (n,).

    After each slow state, of exponential length, comes a normal one, so long that each slow state
    has its share of the time.
    """
    shares, lengths, factors = np.array([(s.share, s.seconds, s.factor) for s in states]).T
    visits_per_second = shares / lengths
    total = visits_per_second.sum()
    if not total:
        return np.ones(len(elapsed))
    normal = max(1 - shares.sum(), 0.0) / total
    pairs = int(2 * total * elapsed[-1]) + _CYCLES
    drawn = rng.choice(len(states), size=pairs, p=visits_per_second / total)
    spells = rng.exponential(np.column_stack([lengths[drawn], np.full(pairs, normal)])).ravel()
    start = rng.uniform(_CYCLES / 8, _CYCLES / 4) / total  # far from the first, which is slow
    place = np.searchsorted(np.cumsum(spells), start + elapsed)
    by_spell = np.column_stack([factors[drawn], np.ones(pairs)]).ravel()
    return np.asarray(by_spell[np.minimum(place, 2 * pairs - 1)])


def read_clock(clock: Clock, seconds: Array, rng: np.random.Generator) -> NDArray[np.float64]:
    """Return what the clock makes of samples of so many seconds, each of one batch of calls.

    As in `jacchain.measuring.timing.sample`, batches are repeated until the clock reads at least
    10 ms; what they read in all is divided by their number.
    """
    readings = seconds
    if clock.resolution:
        readings = np.round(seconds / clock.resolution) * clock.resolution
    if clock.jumps_back is None:
        return np.asarray(readings)
    jumps = rng.random(len(seconds)) < clock.jumps_back.probability
    late = readings - jumps * clock.jumps_back.seconds
    missing = np.where(jumps, LEAST_SAMPLE_SECONDS - late, 0.0)
    more = np.ceil(np.maximum(missing, 0) / readings)
    return np.asarray((late + more * readings) / (1 + more))


@cache
def quartile_factor(noise: Noise, states: tuple[State, ...], samples: int) -> float:
    """Return the median over processes of the factor of the lower quartile of their samples.

    A state outlasts the samples that a process takes of one arm; drift is left out.

    Examples
    --------
    >>> round(quartile_factor(Noise(family="normal", scale=0.02), (), 2), 3)  # lower than 1
    0.994
    """
    rng = np.random.default_rng(0)
    factors = noise_factors(noise, _DRAWS * samples, rng).reshape(_DRAWS, samples)
    quartiles = np.quantile(factors, LOWER_QUARTILE, axis=-1)
    shares = [state.share for state in states]
    of_state = np.array([*(state.factor for state in states), 1.0])
    quartiles *= rng.choice(of_state, size=_DRAWS, p=[*shares, max(1 - sum(shares), 0.0)])
    quartiles *= np.exp(rng.normal(0, noise.processes, _DRAWS))
    return float(np.median(quartiles))
