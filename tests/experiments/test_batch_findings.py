"""Where a batch turns loss-first, and why its gains are as they are."""

from dataclasses import replace

import numpy as np
import pytest

from jacchain.analysis.evidence import Evidence, Series
from jacchain.analysis.paired import crossing
from jacchain.experiments.batches import (
    WIDE,
    WIDE_SIZES,
    batch_sizes,
    findings,
    measured,
    name,
    ratio,
    turning,
    wide_rates,
)
from jacchain.experiments.c7_mini_batches import ONE_BY_ONE
from jacchain.experiments.cells import INPUT_FIRST, LOSS_FIRST
from jacchain.experiments.profiles import PROFILES
from jacchain.experiments.simulated import MIB, QUICK

WEIGHTS = 8 * (1024 * 1024 + 1024 * 1024 + 1024 * 10)
SIZES = np.array([1.0, 4.0, 16.0, 64.0])


def series(seconds, **facts):
    """What was measured of something: two samples of each block."""
    seconds = np.asarray(seconds, dtype=float)
    known = {
        "cell": "", "role": "ceiling", "engine": "copy", "dims": (1, 1, 1), "order": "", "arm": "A",
        "products": 1, "multiplications": 1, "row_flops": 0, "matrix_flops": 0, "bytes": 1,
        "working_set": WEIGHTS, "flagged": np.zeros(seconds.shape, dtype=bool),
    }  # fmt: skip
    return Series(**(known | facts), seconds=seconds)


def ceiling(engine, rate, working_set=WEIGHTS):
    """A kernel that takes a second: so many flops where matrices are multiplied, else bytes."""
    name = "matrix_flops" if engine == "matrix-matrix" else "bytes"
    facts = {"cell": f"{engine}:{working_set}:{rate}", "engine": engine, name: int(rate)}
    return series(np.ones((1, 2, 2)), working_set=working_set, **facts)


def roofline(ceiling, bandwidth):
    """A machine whose wide network takes what memory and arithmetic take, one after the other."""

    def law(series):
        samples = int(series.cell.split()[-1])
        read = WEIGHTS / bandwidth * (samples if series.order == ONE_BY_ONE else 1)
        return read + 2 * series.multiplications / ceiling

    return law


def with_ceilings(evidence, *several):
    return replace(evidence, ceilings={s.cell: s for s in several})


@pytest.mark.parametrize(
    ("values", "level", "expected"),
    [
        ([1.0, 2.0, 8.0, 9.0], 4.0, 8.0),  # halfway between 2 and 8, and so between 4 and 16
        ([1.0, 2.0, 8.0, 9.0], 2.0, 4.0),
        ([1.0, 2.0, 8.0, 9.0], 9.0, 64.0),
        ([5.0, 2.0, 8.0, 9.0], 4.0, 1.0),  # there from the first on
        ([1.0, 2.0, 8.0, 9.0], 9.1, None),
        ([1.0, 8.0, 2.0, 9.0], 8.0, 4.0),  # the first time counts
        ([1.0, 1.0, 1.0, 1e4], 1e2, 32.0),
    ],
)
def test_a_level_is_crossed_between_two_sizes_on_log_scales(values, level, expected):
    assert crossing(SIZES, np.array(values), level) == expected


def test_rates_are_of_one_sample_by_itself_and_then_of_batches(compared):
    evidence = compared("C7", lambda s: 1e-9 * s.multiplications * (1 + (s.order == ONE_BY_ONE)))
    sizes, rates = wide_rates(evidence, QUICK)
    np.testing.assert_array_equal(sizes, SIZES)
    np.testing.assert_allclose(rates, [1e9, 2e9, 2e9, 2e9], rtol=0.05)


def test_loss_first_turns_where_memory_takes_as_long_as_arithmetic(compared):
    """8 bytes at 4e9 a second take as long as 10 times 2 flops at 1e10."""
    evidence = with_ceilings(
        compared("C7", roofline(1e10, 4e9)),
        ceiling("matrix-matrix", 1e10), ceiling("matrix-matrix", 9e9),
        ceiling("row-matrix", 4e9), ceiling("row-matrix", 3e9, working_set=16 * MIB),
        ceiling("row-matrix", 9e10, working_set=MIB), ceiling("copy", 9e10),
    )  # fmt: skip
    found = turning(evidence, QUICK)
    assert (found.ceiling, found.bandwidth) == (1e10, 4e9)
    assert found.predicted == 10.0
    assert found.measured == pytest.approx(10, rel=0.15)
    assert turning(evidence, replace(QUICK, itemsize=4)).predicted == 5.0


def test_a_ceiling_that_is_not_reached_has_no_measured_turning(compared):
    evidence = with_ceilings(
        compared("C7", roofline(1e9, 4e9)),
        ceiling("matrix-matrix", 1e11),
        ceiling("row-matrix", 4e9),
    )
    found = turning(evidence, QUICK)
    assert (found.predicted, found.measured) == (100.0, None)


@pytest.mark.parametrize("missing", ["comparisons", "matrix-matrix", "row-matrix", "near"])
def test_without_what_it_needs_there_is_no_turning(compared, missing):
    evidence = with_ceilings(
        Evidence(series={}) if missing == "comparisons" else compared("C7", roofline(1e10, 4e9)),
        ceiling("copy" if missing == "matrix-matrix" else "matrix-matrix", 1e10),
        ceiling(
            "copy" if missing == "row-matrix" else "row-matrix", 4e9,
            working_set=WEIGHTS // 3 if missing == "near" else WEIGHTS,
        ),
    )  # fmt: skip
    assert turning(evidence, QUICK) is None


def test_what_was_measured_is_found_by_batch_size(compared):
    evidence = compared("C7", lambda _: 1.0)
    assert [n for n, *_ in measured(evidence, QUICK, "orders")] == [1, 4, 16, 64]
    assert [n for n, *_ in measured(evidence, QUICK, WIDE)] == [4, 16, 64]
    fewer = {k: v for k, v in evidence.comparisons.items() if k != name("orders", 16)}
    partly = replace(evidence, comparisons=fewer)
    assert [n for n, *_ in measured(partly, QUICK, "orders")] == [1, 4, 64]


def test_more_than_quick_takes_all_powers_of_two():
    assert batch_sizes(PROFILES["standard"]) == (1, 2, 4, 8, 16, 32, 64, 128, 256)
    assert WIDE_SIZES[-1] == 10


def test_a_ratio_is_the_median_with_its_interval():
    first, second = (series(np.arange(1.0, 13).reshape(1, 6, 2) * f) for f in (3.0, 1.0))
    assert ratio(first, second) == pytest.approx((3, 3, 3))


def machine(row, *, input_first_gains=1.0, loss_first_gains=3.0):
    """Matrix products at 1e-11 s a multiplication, rows at `row`; batches gain so much."""

    def law(series):
        seconds = 0.5 * (row * series.row_flops + 1e-11 * series.matrix_flops)
        if series.order != ONE_BY_ONE:
            return seconds
        of = input_first_gains if f"C7 {INPUT_FIRST}" in series.cell else loss_first_gains
        batch = 1e-11 * series.multiplications
        return of * batch

    return law


def order_finding(found):
    return next((f for f in found if "loss-first" in f.observed), None)


def gain_finding(found):
    return next((f for f in found if "gains nothing" in f.observed), None)


def test_rows_slower_than_matrices_explain_why_time_is_short_of_the_formula(compared):
    found = order_finding(findings(compared("C7", machine(1e-10)), QUICK))
    assert found.observed.startswith("In a batch of 1 input-first takes 10.")
    assert "multiplies 107 times as much" in found.observed
    assert "In a batch of 64" in found.without
    assert found.vanishes


def test_a_gap_that_stays_in_a_batch_has_no_such_cause(compared):
    def law(series):
        return 1e-10 * series.multiplications * (10 if series.order == LOSS_FIRST else 1)

    assert order_finding(findings(compared("C7", law), QUICK)).vanishes is False


def test_time_beyond_the_formula_is_no_finding(compared):
    def law(series):
        return 1e-10 * series.multiplications * (2 if series.order == INPUT_FIRST else 1)

    assert order_finding(findings(compared("C7", law), QUICK)) is None


def test_input_first_gains_nothing_where_loss_first_does(compared):
    found = gain_finding(findings(compared("C7", machine(1e-10)), QUICK))
    assert found.observed.startswith("In 3 of 3 batch sizes input-first gains nothing")
    assert "takes 2.95, 2.96, 2.94 times" in found.without
    assert found.vanishes


def test_where_loss_first_gains_nothing_either_the_cause_is_another(compared):
    law = machine(1e-10, loss_first_gains=1.0)
    assert gain_finding(findings(compared("C7", law), QUICK)).vanishes is False


def test_where_input_first_gains_there_is_nothing_to_explain(compared):
    law = machine(1e-10, input_first_gains=1.5)
    assert gain_finding(findings(compared("C7", law), QUICK)) is None


def test_nothing_measured_is_no_finding(compared):
    assert findings(Evidence(series={}), QUICK) == []
    whole = compared("C7", machine(1e-10))
    one = {key: pair for key, pair in whole.comparisons.items() if key == name("orders", 4)}
    assert findings(replace(whole, comparisons=one), QUICK) == []
