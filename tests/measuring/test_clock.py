"""A clock that only the tests advance is refused where its steps are too large."""

import pytest

from jacchain.measuring import clock
from jacchain.measuring.clock import MOST_STEP_SECONDS, check_clock, clock_step
from jacchain.measuring.timing import LEAST_SAMPLE_SECONDS


@pytest.fixture
def read(monkeypatch):
    """Return a function that replaces the clock by one with these steps, in ns, over and over."""

    def replace(*steps):
        now = 0

        def perf_counter_ns():
            nonlocal now, steps
            now += steps[0]
            steps = (*steps[1:], steps[0])
            return now

        monkeypatch.setattr(clock, "perf_counter_ns", perf_counter_ns)

    return replace


@pytest.mark.parametrize(
    ("steps", "smallest"),
    [
        ((50,), 50e-9),
        ((70, 50, 60), 50e-9),
        ((0, 0, 0, 15_625_000), 15.625e-3),
        ((50, -1000), 50e-9),  # a jump back is no step
    ],
)
def test_the_smallest_step_forwards_is_what_counts(read, steps, smallest):
    read(*steps)
    assert clock_step() == pytest.approx(smallest)


def test_a_step_is_at_most_a_hundredth_of_a_sample(read):
    assert MOST_STEP_SECONDS == pytest.approx(LEAST_SAMPLE_SECONDS / 100) == 1e-4
    read(0, 100_000)
    check_clock()
    read(0, 100_001)
    with pytest.raises(RuntimeError, match=r"steps of 0\.1 ms"):
        check_clock()


def test_a_refusal_says_the_value_the_bound_and_the_remedy(read):
    read(0, 15_625_000)
    message = r"steps of 15\.6 ms, and at most 0\.1 ms .* samples of 10 ms; choose .*`tsc`"
    with pytest.raises(RuntimeError, match=message):
        check_clock()


def test_the_clock_of_this_machine_is_fine_enough():
    check_clock()
