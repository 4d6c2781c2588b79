"""What one pair says: a ratio, a gain, an order that is faster; a mean of several; and counts."""

from dataclasses import replace

import numpy as np
import pytest

from jacchain.analysis.evidence import Evidence, Noise, Series
from jacchain.analysis.verdicts import Statement, decide
from jacchain.cost import Cost
from jacchain.experiments import parts
from jacchain.experiments.parts import count_parts, gain_part, mean_ratio_part, order_parts


def pair(**arms):
    """Evidence of one pair: multiplications and seconds of each arm by its name."""
    rng, shape, dims = np.random.default_rng(0), (12, 1, 2), (1, 4, 3, 2)
    series = []
    for name, (multiplications, seconds) in arms.items():
        noisy, flags = seconds * np.exp(rng.normal(0, 0.01, shape)), np.zeros(shape, dtype=bool)
        cost = Cost(products=2, multiplications=multiplications, bytes=400)
        arm = name.replace("_", "-")
        series.append(Series("pair", "comparison", "", dims, arm, cost, noisy, flags))
    return Evidence({"pair": tuple(series)}, noise=Noise(0.05))


def verdict(part):
    """The verdict on a part alone."""
    return decide(Statement("it is so", (part,)), 0.05).verdict


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(2.0, "agrees"), (0.5, "disagrees"), (1.02, "inconclusive")],  # the last within the noise
)
def test_a_ratio_is_to_be_over_one(seconds, expected):
    evidence = pair(first=(99, seconds), second=(1, 1.0))
    for part in (
        parts.ratio_part(*evidence.pair("pair"), evidence.noise_floor),
        gain_part(evidence, "pair"),
    ):
        assert part.margin == (1, np.inf)
        assert part.expected == 99
        assert part.measured == pytest.approx(seconds, rel=0.02)
        assert part.unit == "first / second"
        assert verdict(part) == expected


def test_the_mean_of_ratios_is_geometric_and_paired_by_process():
    evidence = pair(first=(8, 4.0), second=(1, 1.0)), pair(first=(2, 9.0), second=(1, 1.0))
    drift = np.exp(np.random.default_rng(1).normal(0, 0.2, (12, 1, 1)))  # up here, down there
    (a, b), (c, d) = (e.pair("pair") for e in evidence)
    pairs = [(replace(a, seconds=a.seconds * drift), b), (replace(c, seconds=c.seconds / drift), d)]
    part = mean_ratio_part(pairs, 0.05, margin=(1.0, np.inf))
    assert (part.measured, part.expected) == (pytest.approx(6, rel=0.02), pytest.approx(4))
    assert part.interval[1] / part.interval[0] < 1.05


@pytest.mark.parametrize(("multiplications", "judged"), [(59, 0), (60, 1)])
def test_an_order_is_judged_from_twice_the_multiplications_on(multiplications, judged):
    evidence = pair(loss_first=(30, 1.0), input_first=(multiplications, 1.5))
    several = order_parts(evidence, ["pair"])
    assert [verdict(part) for part in several] == ["agrees"] * judged
    assert all(part.unit == "input-first / loss-first" for part in several)


def test_parts_say_why_a_cell_was_not_measured():
    for evidence, reason in (
        (Evidence(), "not measured in this run"),
        (Evidence(skipped={"C8 anything": "needs 90 GiB"}), "needs 90 GiB"),
    ):
        for part in (gain_part(evidence, "C8 anything"), *order_parts(evidence, ["C8 anything"])):
            assert (part.name, part.reason) == ("C8 anything", reason)
            assert verdict(part) == "inconclusive"


RIGHT = {"a": (3, 3), "b": (5, 5), "c": (8, 8)}


def test_right_counts_are_one_part_and_wrong_ones_each_one():
    (part,) = count_parts(Evidence(checks={"counts": RIGHT}), "counts")
    assert (part.verdict, part.measured, part.timed) == ("agrees", 3, False)
    wrong = Evidence(checks={"counts": RIGHT | {"b": (6, 5), "c": (7, 8)}})
    verdicts = [(part.name, part.verdict) for part in count_parts(wrong, "counts")]
    assert verdicts == [("b", "disagrees"), ("c", "disagrees")]


@pytest.mark.parametrize("checks", [{}, {"counts": {}}])
def test_counts_that_were_not_taken_are_undecided(checks):
    (part,) = count_parts(Evidence(checks=checks), "counts")
    assert (part.verdict, part.reason) == ("inconclusive", "not counted in this run")
    assert not part.timed


@pytest.mark.parametrize("floor", [0.0, 0.5])
def test_a_noise_floor_widens_an_interval(floor):
    part = parts.ratio_part(*pair(first=(4, 3.0), second=(1, 1.0)).pair("pair"), floor)
    low, high = part.interval
    assert low < 3 < high
    assert part.widened == pytest.approx((low / np.exp(floor), high * np.exp(floor)))


def test_chains_of_other_lengths_are_named_by_all_their_sizes():
    assert parts.sizes_in_words((1, 4, 3, 2)) == "1 x 4 x 3 x 2"
