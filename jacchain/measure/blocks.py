"""Paired blocks: two kernels measured side by side, in an order drawn at random."""

import gc
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from time import process_time

import numpy as np

from jacchain.measure.environment import process_counters
from jacchain.measure.timing import sample

Kernel = Callable[[], object]

_LEAST_CPU_SHARE = 0.95
_MOST_STEAL_SHARE = 0.01


@dataclass(frozen=True)
class Block:
    """One block of samples, in the order of `sequence`; seconds are per call."""

    sequence: str
    seconds: tuple[float, ...]
    cpu_seconds: tuple[float, ...]
    switches: int
    steal: float | None
    flagged: bool


def draw_sequence(arms: int, rng: np.random.Generator) -> str:
    """ABBA or BAAB for two arms, AA for one.

    In both sequences a drift that is linear in time hits A and B alike.
    """
    if arms == 1:
        return "AA"
    return "ABBA" if rng.integers(2) else "BAAB"


def measure_block(
    kernels: Sequence[Kernel], batches: Sequence[int], rng: np.random.Generator
) -> Block:
    """Measure one block of one or two kernels, each warmed by one call first.

    Parameters
    ----------
    kernels
        One or two callables without arguments.
    batches
        Calls between two readings of the clock, of each; a sample takes one batch or more.
    rng
        Draws the sequence.

    Returns
    -------
    Block
        Flagged (and kept) if the process did not have its core to itself: less than 95 % of the
        wall time on the CPU, or over 1 % stolen by the hypervisor.
    """
    sequence = draw_sequence(len(kernels), rng)
    for kernel in kernels:
        kernel()
    arms = ["AB".index(letter) for letter in sequence]
    with _collector_paused():
        before = process_counters()
        samples = [_sample(kernels[arm], batches[arm]) for arm in arms]
        spent = process_counters() - before
    wall, cpu, calls = np.transpose(samples)
    alone = cpu.sum() >= _LEAST_CPU_SHARE * wall.sum()
    stolen = (spent.steal_seconds or 0.0) > _MOST_STEAL_SHARE * wall.sum()
    return Block(
        sequence,
        tuple((wall / calls).tolist()),
        tuple((cpu / calls).tolist()),
        spent.involuntary_switches,
        spent.steal_seconds,
        flagged=bool(stolen or not alone),
    )


def _sample(kernel: Kernel, batch: int) -> tuple[float, float, int]:
    """Wall and CPU seconds of one sample, and the calls that it took."""
    start = process_time()
    wall, calls = sample(kernel, batch)
    return wall, process_time() - start, calls


@contextmanager
def _collector_paused() -> Iterator[None]:
    """A garbage collection inside a sample would be charged to the kernel under test."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
