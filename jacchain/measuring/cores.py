"""Whether this process has its cores to itself: one thread on each is busy for a moment."""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from hashlib import pbkdf2_hmac
from threading import Barrier
from time import get_clock_info, perf_counter, thread_time

from jacchain.limits import allowed_cores

LEAST_CPU_SHARE = 0.95  # CPU time / wall time of a busy thread; below, its core is shared
_SECONDS = 0.2


def shared_cores() -> list[float]:
    """Return CPU time / wall time of busy threads to three digits, one for each core, all at once.

    Where one is below `LEAST_CPU_SHARE`, something else used that core.

    Examples
    --------
    >>> len(shared_cores()) == allowed_cores()
    True
    """
    cores = _cores()
    barrier = Barrier(len(cores))
    with ThreadPoolExecutor(len(cores)) as pool:
        return list(pool.map(partial(_share, barrier), cores))


def are_shared(shares: Sequence[float]) -> bool:
    """Return whether one of the cores with these shares is shared.

    Examples
    --------
    >>> are_shared([1.0, 0.95]), are_shared([1.0, 0.52]), are_shared([])
    (False, True, False)
    """
    return min(shares, default=1.0) < LEAST_CPU_SHARE


def _cores() -> list[set[int]]:
    """Return the core for each thread; empty sets where a thread can't be tied to one."""
    if hasattr(os, "sched_setaffinity"):
        return [{core} for core in sorted(os.sched_getaffinity(0))]
    return [set()] * allowed_cores()


def _share(barrier: Barrier, core: set[int]) -> float:
    """Return CPU time / wall time of this thread, tied to its core, which it keeps busy."""
    if core:
        with suppress(OSError):  # where that is forbidden, the system places the threads
            os.sched_setaffinity(0, core)  # of this thread alone
    # The CPU clock of Windows goes in steps of 16 ms.
    least = max(_SECONDS, 50 * get_clock_info("thread_time").resolution)
    barrier.wait()
    cpu, start = thread_time(), perf_counter()
    while (wall := perf_counter() - start) < least:
        _work()
    return round((thread_time() - cpu) / wall, 3)


def _work() -> None:
    """Compute for some 10 ms without the interpreter's lock, which the threads share."""
    pbkdf2_hmac("sha256", b"", b"", 20_000)
