"""Wall time of repeated calls."""

from collections.abc import Callable
from itertools import repeat
from math import ceil
from time import perf_counter_ns

LEAST_SAMPLE_SECONDS = 0.010
_MARGIN = 1.05


def time_calls(function: Callable[[], object], calls: int) -> float:
    """Seconds that `calls` calls of `function` take together."""
    start = perf_counter_ns()
    for _ in repeat(None, calls):
        function()
    return (perf_counter_ns() - start) * 1e-9


def sample(
    function: Callable[[], object], batch: int, least: float = LEAST_SAMPLE_SECONDS
) -> tuple[float, int]:
    """Time whole batches until they last at least `least` seconds.

    One batch is enough, but for a machine that has become faster since it was calibrated.

    Returns
    -------
    seconds, calls
        Of all batches together.

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
    """Calls that one sample needs to last at least `least` seconds, after a warm-up.

    Parameters
    ----------
    function
        What is measured; it is called, at least twice.
    least
        Seconds.

    Examples
    --------
    >>> calibrate(lambda: None, least=1e-4) > 10
    True
    """
    function()
    calls = 1
    while (seconds := time_calls(function, calls)) < least:
        needed = ceil(_MARGIN * calls * least / max(seconds, 1e-9))
        calls = min(max(needed, calls + 1), 100 * calls)
    return calls
