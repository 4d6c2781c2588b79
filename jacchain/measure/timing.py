"""Wall time of repeated calls."""

from collections.abc import Callable
from itertools import repeat
from math import ceil
from time import perf_counter_ns

LEAST_SAMPLE_SECONDS = 0.010
_MARGIN = 1.1  # a batch calibrated in a slow moment must not fall short in a fast one


def time_calls(function: Callable[[], object], calls: int) -> float:
    """Seconds that `calls` calls of `function` take together."""
    start = perf_counter_ns()
    for _ in repeat(None, calls):
        function()
    return (perf_counter_ns() - start) * 1e-9


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
    while True:
        seconds = min(time_calls(function, calls) for _ in range(2))
        if seconds >= least:
            return calls
        needed = ceil(_MARGIN * calls * least / max(seconds, 1e-9))
        calls = min(max(needed, calls + 1), 10 * calls)
