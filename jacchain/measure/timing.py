"""Wall time of repeated calls."""

from collections.abc import Callable
from itertools import repeat
from math import ceil
from time import perf_counter_ns

LEAST_SAMPLE_SECONDS = 0.010
_MARGIN = 1.05


def time_calls(function: Callable[[], object], calls: int) -> float:
    """Return the seconds that `calls` calls of `function` take in all."""
    start = perf_counter_ns()
    for _ in repeat(None, calls):
        function()
    return (perf_counter_ns() - start) * 1e-9


def sample(
    function: Callable[[], object], batch: int, least: float = LEAST_SAMPLE_SECONDS
) -> tuple[float, int]:
    """Time whole batches until they take at least `least` seconds; return all seconds and calls.

    One batch is enough unless the machine has become faster since `calibrate`.

    Examples
    --------
    >>> seconds, calls = sample(lambda: None, batch=50, least=1e-4)
    >>> seconds >= 1e-4, calls % 50
    (True, 0)
    """
    seconds, calls = 0.0, 0
    while seconds < least:
        seconds += time_calls(function, batch)
        calls += batch
    return seconds, calls


def calibrate(function: Callable[[], object], least: float = LEAST_SAMPLE_SECONDS) -> int:
    """Return the calls that take at least `least` seconds, after a warm-up call."""
    function()
    calls = 1
    while (seconds := time_calls(function, calls)) < least:
        needed = ceil(_MARGIN * calls * least / max(seconds, 1e-9))
        calls = min(max(needed, calls + 1), 100 * calls)
    return calls
