"""Paired blocks: one or two kernels measured in turn, in a random sequence."""

import gc
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np

from jacchain.measuring.cores import LEAST_CPU_SHARE
from jacchain.measuring.environment import process_counters
from jacchain.measuring.timing import sample, time_calls

Kernel = Callable[[], object]

_MOST_CPU_SHARE = 1.05  # of the wall time of all threads
_MOST_STEAL_SHARE = 0.01


@dataclass(frozen=True)
class Block:
    """The samples of one block, in the order of `sequence`; seconds are per call."""

    sequence: str
    seconds: tuple[float, ...]
    cpu_seconds: tuple[float, ...]
    switches: int
    steal: float | None
    flagged: bool


def draw_sequence(arms: int, rng: np.random.Generator) -> str:
    """Return ABBA or BAAB at random for two arms, AA for one.

    In both sequences, a drift that is linear in time adds as much to A as to B.
    """
    if arms == 1:
        return "AA"
    return "ABBA" if rng.integers(2) else "BAAB"


def measure_block(
    kernels: Sequence[Kernel],
    batches: Sequence[int],
    rng: np.random.Generator,
    *,
    threads: int = 1,
) -> Block:
    """Measure one block of one or two kernels, after one warm-up call of each.

    `batches` are each kernel's calls between two readings of the clock; a sample is a batch, filled
    up if it falls short. The block is flagged if the process shared its core (less than 95 % of the
    wall time on the CPU, or over 1 % stolen by the hypervisor), or if the clock jumped back: a
    sample was taken again, or the kernels' `threads` spent more CPU time than the wall time allows.

    Raises RuntimeError if the clock jumps back again and again.
    """
    sequence = draw_sequence(len(kernels), rng)
    for kernel in kernels:
        time_calls(kernel, 1)
    arms = ["AB".index(letter) for letter in sequence]
    with _collector_paused():
        before = process_counters()
        samples = [sample(kernels[arm], batches[arm]) for arm in arms]
        spent = process_counters() - before
    wall, cpu, calls, retaken = np.transpose(samples)
    alone = cpu.sum() >= LEAST_CPU_SHARE * wall.sum()
    jumped = retaken.any() or cpu.sum() > _MOST_CPU_SHARE * threads * wall.sum()
    stolen = (spent.steal_seconds or 0.0) > _MOST_STEAL_SHARE * wall.sum()
    return Block(
        sequence,
        tuple((wall / calls).tolist()),
        tuple((cpu / calls).tolist()),
        spent.involuntary_switches,
        spent.steal_seconds,
        flagged=bool(stolen or not alone or jumped),
    )


@contextmanager
def _collector_paused() -> Iterator[None]:
    """Pause garbage collection, which would add to the times of a kernel."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
