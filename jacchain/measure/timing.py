"""Wall and CPU time of repeated calls."""

from collections.abc import Callable
from itertools import repeat
from math import ceil
from time import perf_counter_ns, process_time

LEAST_SAMPLE_SECONDS = 0.010
_MARGIN = 1.05


def time_calls(function: Callable[[], object], calls: int) -> tuple[float, float]:
    """Return the wall and CPU seconds that `calls` calls of `function` take in all.

    A kernel of another process (`jacchain.measure.hosts`) times itself there.
    """
    if there := getattr(function, "time_calls", None):
        seconds: tuple[float, float] = there(calls)
        return seconds
    cpu, start = process_time(), perf_counter_ns()
    for _ in repeat(None, calls):
        function()
    wall = (perf_counter_ns() - start) * 1e-9
    return wall, process_time() - cpu


def sample(
    function: Callable[[], object], batch: int, least: float = LEAST_SAMPLE_SECONDS
) -> tuple[float, float, int]:
    """Time whole batches until they take at least `least` seconds of wall time.

    Returns all wall seconds, all CPU seconds and all calls. One batch is enough unless the machine
    has become faster since `calibrate`.

    Examples
    --------
    >>> wall, cpu, calls = sample(lambda: None, batch=50, least=1e-4)
    >>> wall >= 1e-4, calls % 50
    (True, 0)
    """
    wall, cpu, calls = 0.0, 0.0, 0
    while wall < least:
        seconds = time_calls(function, batch)
        wall, cpu, calls = wall + seconds[0], cpu + seconds[1], calls + batch
    return wall, cpu, calls


def calibrate(function: Callable[[], object], least: float = LEAST_SAMPLE_SECONDS) -> int:
    """Return the calls that take at least `least` seconds, after a warm-up call."""
    time_calls(function, 1)
    calls = 1
    while (seconds := time_calls(function, calls)[0]) < least:
        needed = ceil(_MARGIN * calls * least / max(seconds, 1e-9))
        calls = min(max(needed, calls + 1), 100 * calls)
    return calls
