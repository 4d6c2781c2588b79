"""Whether the clock that everything is timed with, `time.perf_counter_ns`, is fine enough."""

from time import perf_counter_ns

from jacchain.measuring.timing import LEAST_SAMPLE_SECONDS

MOST_STEP_SECONDS = LEAST_SAMPLE_SECONDS / 100  # so that a step is at most 1 % of a sample


def clock_step() -> float:
    """Return the smallest step of the clock, in seconds.

    Examples
    --------
    >>> clock_step() > 0
    True
    """
    return min(_step() for _ in range(20)) / 1e9


def check_clock() -> None:
    """Raise RuntimeError if the clock is too coarse to time anything with."""
    if (step := clock_step()) > MOST_STEP_SECONDS:
        message = (
            f"the clock goes in steps of {1e3 * step:.3g} ms, and at most "
            f"{1e3 * MOST_STEP_SECONDS:.3g} ms is fine enough for samples of "
            f"{1e3 * LEAST_SAMPLE_SECONDS:.3g} ms; choose a finer clock source (on Linux `tsc`)"
        )
        raise RuntimeError(message)


def _step() -> int:
    """Return the nanoseconds by which the clock next goes forward; a jump back is no step."""
    earlier = perf_counter_ns()
    while (now := perf_counter_ns()) <= earlier:
        earlier = now
    return now - earlier
