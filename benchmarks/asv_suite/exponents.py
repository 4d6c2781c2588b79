"""The exponent of time over each swept size, fitted to the sizes at which calls cost little."""

from math import log
from statistics import linear_regression
from timeit import Timer

from . import cases


def _seconds(dims, order):
    """The least of five samples of 10 ms or more, per call."""
    timer = Timer(cases.kernel(dims, order))
    timer.timeit(1)
    number = 1
    while (seconds := timer.timeit(number)) < 0.01:
        number = max(number + 1, int(1.2 * number * 0.01 / max(seconds, 1e-7)))
        number = min(number, 10**6)
    return min(timer.repeat(5, number)) / number


class Exponent:
    params = (list(cases.SWEEPS), cases.ORDERS)
    param_names = ("sweep", "order")
    version = "1"
    unit = "exponent of time"

    def track_exponent(self, sweep, order):
        judged = [
            (n, dims)
            for n, dims in cases.SWEEPS[sweep]["cells"]
            if n >= cases.SWEEPS[sweep]["dense_from"]
        ]
        sizes = [log(n) for n, _ in judged]
        times = [log(_seconds(tuple(dims), order)) for _, dims in judged]
        return linear_regression(sizes, times).slope
