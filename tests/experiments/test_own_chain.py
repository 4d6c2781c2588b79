import numpy as np
import pytest

from jacchain.analysis.evidence import Evidence, Series, by_key
from jacchain.costs.closed_forms import multiplications
from jacchain.experiments.own_chain import answer, verdict

WIDE = (1, 4, 8, 4, 300)  # loss-first takes far fewer multiplications
NARROW = (1, 4, 50, 60, 1)  # input-first takes fewer
EVEN = (1, 5, 5, 5, 1)


def measured(dims, loss_seconds, input_seconds, *, noise=0.01, noise_floor=0.05):
    """Evidence of one chain; a drift that both orders share, and noise that they don't."""
    rng = np.random.default_rng(0)
    drift = rng.lognormal(sigma=0.3, size=(2, 12, 1))
    series = [
        _series(dims, order, seconds * drift * np.exp(rng.normal(0, noise, (2, 12, 2))))
        for order, seconds in (("loss-first", loss_seconds), ("input-first", input_seconds))
    ]
    return Evidence(series=by_key(series), noise_floor=noise_floor)


def _series(dims, order, seconds):
    count = multiplications(order, dims)
    return Series(
        cell="own", role="cell", engine="numpy", dims=dims, order=order, arm="A", products=3,
        multiplications=count, row_flops=count, matrix_flops=count, bytes=8, working_set=8,
        seconds=seconds, flagged=np.zeros(seconds.shape, dtype=bool),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("loss", "inputs", "faster"), [(1e-5, 3e-5, "loss-first"), (3e-5, 1e-5, "input-first")]
)
def test_the_faster_order_is_found_with_its_ratio(loss, inputs, faster):
    found = answer(measured(WIDE, loss, inputs))
    assert found.faster.order == faster
    assert {found.faster.order, found.slower.order} == {"loss-first", "input-first"}
    assert found.ratio == pytest.approx(3, rel=0.02)
    assert found.interval[0] < 3 / 1.03 < 3 * 1.03 < found.interval[1]
    assert found.sure
    expected = found.slower.multiplications / found.faster.multiplications
    assert found.formula == expected


def test_within_the_noise_floor_nobody_can_be_sure():
    found = answer(measured(WIDE, 1.0, 1.04))
    assert found.ratio >= 1
    assert not found.sure
    assert answer(measured(WIDE, 1.0, 1.2)).sure
    assert not answer(measured(WIDE, 1.0, 1.2, noise_floor=0.3)).sure


@pytest.mark.parametrize(
    ("dims", "loss", "inputs", "expected"),
    [
        (WIDE, 1.0, 3.0, "agrees"),
        (WIDE, 3.0, 1.0, "disagrees"),
        (WIDE, 1.0, 1.02, "inconclusive"),
        (NARROW, 3.0, 1.0, "agrees"),
        (NARROW, 1.0, 3.0, "disagrees"),
        (NARROW, 1.02, 1.0, "inconclusive"),
        (EVEN, 1.0, 3.0, "inconclusive"),
    ],
)
def test_the_order_with_fewer_multiplications_should_take_less_time(dims, loss, inputs, expected):
    assert verdict(measured(dims, loss, inputs)).verdict == expected


def test_the_ratio_is_that_of_more_over_fewer_multiplications():
    found = verdict(measured(NARROW, 3.0, 1.0))
    assert found.unit == "loss-first / input-first"
    assert found.measured == pytest.approx(3, rel=0.02)
    assert found.expected > 1


def test_even_orders_are_undecided_with_that_reason():
    reason = verdict(measured(EVEN, 1.0, 3.0)).reason
    assert "both orders take as many multiplications" in reason


def test_a_skipped_chain_has_no_answer_but_a_reason():
    evidence = Evidence(series={}, skipped={"own": "needs 90 GiB"})
    assert answer(evidence) is None
    assert "needs 90 GiB" in verdict(evidence).reason
    assert "not measured" in verdict(Evidence(series={})).reason
