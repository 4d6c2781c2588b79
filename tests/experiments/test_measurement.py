"""Orders measured in one process: what is compared, what is told, what is refused."""

import numpy as np
import pytest

import jacchain as jc
import jacchain.measuring.timing
from jacchain.experiments import measurement
from jacchain.experiments.measurement import Measurement
from jacchain.measuring.blocks import Block

CHAIN = jc.random_chain((1, 4, 3, 2), rng=0)


def taking(monkeypatch, seconds):
    """Let each order take so many seconds a call, by its place among (the first, *orders)."""
    places = {}

    def place(kernel):
        return places.setdefault(id(kernel), len(places))

    def block(kernels, _batches, _rng):
        times = {letter: seconds[place(k)] for letter, k in zip("AB", kernels, strict=True)}
        samples = tuple(times[letter] for letter in "ABBA")
        return Block("ABBA", samples, samples, 0, None, flagged=False)

    monkeypatch.setattr(measurement, "calibrate", lambda kernel: place(kernel) + 1)
    monkeypatch.setattr(measurement, "measure_block", block)


def test_it_is_a_function_whatever_is_imported():
    assert jacchain.measuring.timing.sample
    assert jc.measure is measurement.measure


def test_times_and_ratios_are_those_of_the_blocks(monkeypatch):
    taking(monkeypatch, [1.0, 1.0, 4.0, 0.5])
    found = jc.measure(CHAIN, ["loss-first", "input-first", ((0, 1), 2)], rng=0)
    assert found.times == (1.0, 4.0, 0.5)
    np.testing.assert_allclose(found.ratios, [[1] * 3, [4] * 3, [0.5] * 3])
    assert found.noise == 0
    first, second = found.findings
    assert first.startswith("input-first takes 4 to 4 times as long as loss-first")
    assert second.startswith("loss-first takes 2 to 2 times as long as bracketing")
    assert [p.multiplications for p in found.plans] == [18, 24 + 8, 18]


def test_what_equal_kernels_differ_by_is_not_told(monkeypatch):
    taking(monkeypatch, [1.0, 1.1, 1.08])
    found = jc.measure(CHAIN, rng=0)
    assert found.noise == pytest.approx(0.1)
    (text,) = found.findings
    assert text.startswith("input-first and loss-first are not told apart (1.08 to 1.08 times")
    assert repr(found) == text
    assert "noise 10.0" in found._repr_html_()


def test_a_real_measurement_has_every_order_in_it():
    found = jc.measure(jc.random_chain((1, 8, 64, 64), rng=0), blocks=6, rng=0)
    assert isinstance(found, Measurement)
    assert all(low <= middle <= high for low, middle, high in found.ratios)
    assert all(time > 0 for time in found.times)


def test_orders_that_disagree_are_not_timed(monkeypatch):
    results = iter([1.0, 1.0, 2.0])
    monkeypatch.setattr(
        measurement,
        "evaluator",
        lambda *_, value=results, **__: lambda: np.full((1, 2), next(value)),
    )
    with pytest.raises(ArithmeticError, match=r"the orders differ by 1, and rounding explains"):
        jc.measure(CHAIN)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"orders": ["loss-first"]}, "1 orders, 12 blocks; expected two orders or more"),
        ({"blocks": 5}, "2 orders, 5 blocks; .* 6 to 10000 blocks"),
        ({"orders": ["loss-first", "reverse"]}, "'reverse' is 'loss-first' here"),
        ({"engine": "nothing"}, "unknown engine 'nothing'"),
    ],
)
def test_what_cannot_be_measured_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        jc.measure(CHAIN, **options)
