"""Wall and CPU time of repeated calls."""

from collections.abc import Callable
from itertools import repeat
from math import ceil
from time import perf_counter_ns, process_time
from typing import NamedTuple

LEAST_SAMPLE_SECONDS = 0.010
_MARGIN = 1.05
_SHARE = 0.1  # of the least time, after which calls are reckoned in proportion
_TRIES = 5
_BACKWARDS = (
    f"the clock (time.perf_counter) jumped back {_TRIES} times while one kernel was timed; choose "
    "another clock source (on Linux one of those in "
    "/sys/devices/system/clocksource/clocksource0/available_clocksource)"
)


class Sample(NamedTuple):
    """The time of a batch or somewhat more; in all, not per call."""

    wall: float  # seconds
    cpu: float  # seconds
    calls: int
    retaken: bool  # whether the clock jumped back, and the sample was taken again


def time_calls(function: Callable[[], object], calls: int) -> tuple[float, float]:
    """Return the wall and CPU seconds that `calls` calls of `function` take in all.

    A kernel of another process (`jacchain.measuring.hosts`) times itself there.
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
) -> Sample:
    """Time a batch of calls, and as many more as fill `least` seconds of wall time.

    A batch falls short where the machine has become faster since `calibrate`; a tenth of it or more
    is added then. Where the clock jumps back, the whole sample is taken again.

    Raises RuntimeError if the clock jumps back in five samples in a row.

    Examples
    --------
    >>> wall, cpu, calls, retaken = sample(lambda: None, batch=50, least=1e-4)
    >>> wall >= 1e-4, calls >= 50
    (True, True)
    """
    for attempt in range(_TRIES):
        wall, cpu, calls, more = 0.0, 0.0, 0, batch
        while wall < least:
            seconds = time_calls(function, more)
            if seconds[0] <= 0:
                break
            wall, cpu, calls = wall + seconds[0], cpu + seconds[1], calls + more
            more = ceil(max(calls * (least / wall - 1), _SHARE * batch))
        else:
            return Sample(wall, cpu, calls, retaken=attempt > 0)
    raise RuntimeError(_BACKWARDS)


def calibrate(function: Callable[[], object], least: float = LEAST_SAMPLE_SECONDS) -> int:
    """Return how many calls take `least` seconds, after a warm-up call.

    They are those that take a tenth of it or more, in proportion, and 5 % more: `sample` sees to
    it that no sample is shorter. Calls over which the clock jumps back are repeated. Raises
    RuntimeError if it jumps back five times.
    """
    time_calls(function, 1)
    calls, jumps = 1, 0
    while (seconds := time_calls(function, calls)[0]) < _SHARE * least:
        if seconds < 0:
            jumps += 1
            if jumps == _TRIES:
                raise RuntimeError(_BACKWARDS)
            continue
        needed = ceil(_MARGIN * _SHARE * calls * least / max(seconds, 1e-9))
        calls = min(max(needed, calls + 1), 100 * calls)
    return calls if seconds >= least else ceil(_MARGIN * calls * least / seconds)
