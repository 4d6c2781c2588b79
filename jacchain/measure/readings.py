"""What the machine says about itself, read off before anything is measured on it."""

import time
from dataclasses import dataclass

import numpy as np
import psutil
import threadpoolctl

from jacchain.measure.environment import environment, process_counters
from jacchain.measure.memory import available_bytes
from jacchain.measure.threads import pin_threads, usable_cores

__all__ = ["Readings", "take_readings"]


@dataclass(frozen=True)
class Readings:
    """What was read off the machine, before any judgement; None where it does not tell.

    Attributes
    ----------
    load : float
        Runnable processes, averaged over the last minute.
    cores : int
        Logical cores that this process may use.
    steal : float or None
        Share of the cores' time that a hypervisor took away.
    governor : str or None
        The policy that sets the processor's clock.
    blas : str
        The BLAS, with its version.
    pinned : bool
        Whether BLAS was seen to obey a limit of one thread.
    available_bytes, swapped_bytes : int
        Memory that may still be taken; memory that lies on disk.
    smt, hypervisor, on_battery : bool or None
        Whether cores run two threads each, are shared with other machines, or run on battery.
    clock_step, clock_call : float
        The clock's smallest step and what one look at it takes, in seconds.
    noise : float
        Interquartile range of the times of one fixed kernel, relative to their median.
    """

    load: float
    cores: int
    steal: float | None
    governor: str | None
    blas: str
    pinned: bool
    available_bytes: int
    swapped_bytes: int
    smt: bool | None
    hypervisor: bool | None
    on_battery: bool | None
    clock_step: float
    clock_call: float
    noise: float


def take_readings() -> Readings:
    """Read off this machine what the doctor judges; takes half a second.

    Examples
    --------
    >>> take_readings().cores >= 1
    True
    """
    here = environment()
    battery = psutil.sensors_battery() if hasattr(psutil, "sensors_battery") else None
    clock_step, clock_call = _clock()
    with threadpoolctl.threadpool_limits():  # gives the caller's threads back
        pinned = _pinned()
        before = process_counters()
        seconds = _product_seconds()
        stolen = (process_counters() - before).steal_seconds
    low, median, high = np.quantile(seconds, (0.25, 0.5, 0.75))
    return Readings(
        load=here["load_averages"][0],
        cores=usable_cores(),
        steal=None if stolen is None else stolen / (sum(seconds) * here["logical_cores"]),
        governor=here["governor"],
        blas=here["blas"],
        pinned=pinned,
        available_bytes=available_bytes(),
        swapped_bytes=psutil.swap_memory().used,
        smt=here["smt"],
        hypervisor=here["hypervisor"],
        on_battery=None if battery is None else not battery.power_plugged,
        clock_step=clock_step,
        clock_call=clock_call,
        noise=float((high - low) / median),
    )


def _product_seconds(window: float = 0.4, size: int = 320) -> list[float]:
    """Return the times of one matrix product, again and again for a window of seconds.

    The window is long enough for one tick of the steal counter, 10 ms, to be no alarm.
    """
    a = np.random.default_rng(0).standard_normal((size, size))
    out = np.empty_like(a)
    np.matmul(a, a, out=out)
    seconds: list[float] = []
    while sum(seconds) < window:
        begin = time.perf_counter()
        np.matmul(a, a, out=out)
        seconds.append(time.perf_counter() - begin)
    return seconds


def _pinned() -> bool:
    """Return whether BLAS was seen to obey a limit of one thread."""
    try:
        return pin_threads(1)
    except RuntimeError:
        return False


def _clock(repeats: int = 2000) -> tuple[float, float]:
    """Return the smallest step of the clock and the mean time of a look at it, in seconds."""
    begin = time.perf_counter_ns()
    for _ in range(repeats):
        time.perf_counter_ns()
    looking = time.perf_counter_ns() - begin
    return min(_clock_step() for _ in range(20)) / 1e9, looking / repeats / 1e9


def _clock_step() -> int:
    """Return the nanoseconds until the clock next shows another time."""
    begin = time.perf_counter_ns()
    while (now := time.perf_counter_ns()) == begin:
        pass
    return now - begin
