"""Paired blocks: two kernels measured side by side, in an order drawn at random."""

import gc
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from time import process_time

import numpy as np

from jacchain.measure.environment import process_counters
from jacchain.measure.timing import time_calls

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
        Calls per sample of each.
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
    wall, cpu = [], []
    with _collector_paused():
        before = process_counters()
        for arm in sequence:
            index = "AB".index(arm)
            cpu_start = process_time()
            seconds = time_calls(kernels[index], batches[index])
            cpu.append((process_time() - cpu_start) / batches[index])
            wall.append(seconds / batches[index])
        spent = process_counters() - before
    elapsed = sum(
        second * batches["AB".index(arm)] for second, arm in zip(wall, sequence, strict=True)
    )
    alone = sum(cpu) >= _LEAST_CPU_SHARE * sum(wall)
    stolen = (spent.steal_seconds or 0.0) > _MOST_STEAL_SHARE * elapsed
    return Block(
        sequence,
        tuple(wall),
        tuple(cpu),
        spent.involuntary_switches,
        spent.steal_seconds,
        flagged=stolen or not alone,
    )


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
