"""Costs add up, but for what is live at the same time."""

from dataclasses import replace

from jacchain.cost import Cost

WORK = Cost(
    products=2,
    multiplications=24,
    row_multiplications=20,
    bytes=400,
    held_bytes=200,
    peak_bytes=48,
)


def test_repeated_work_is_work_done_one_after_the_other():
    thrice = Cost(**{name: 3 * value for name, value in vars(WORK).items()} | {"peak_bytes": 48})
    assert 3 * WORK == WORK * 3 == WORK + WORK + WORK == thrice


def test_the_larger_peak_is_that_of_both():
    larger = replace(WORK, peak_bytes=50)
    assert (WORK + larger).peak_bytes == (larger + WORK).peak_bytes == 50
