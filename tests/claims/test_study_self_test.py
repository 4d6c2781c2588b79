"""Pairs of the same kernel, and how many of their intervals hold what is true."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from jacchain import units
from jacchain.analysis.evidence import BOTH, Evidence
from jacchain.analysis.intervals import share_interval
from jacchain.claims.study_self_test import EXPERIMENT, answer, cells, shows
from jacchain.experiments.show import Table
from jacchain.experiments.sizes import Sizes
from tests.claims.makers import QUICK, simulate

SLOPES = "exponents of A/A ratios over a sweep"


@cache
def obeying():
    return simulate(EXPERIMENT)


def slower(evidence, factor):
    """The evidence with every pair's second arm slower, by a factor of each pair's dims."""
    return replace(
        evidence,
        cells={
            name: (a, replace(b, seconds=b.seconds * factor(b.dims)))
            for name, (a, b) in evidence.cells.items()
        },
    )


def rows(evidence):
    return {row[0]: row[1:] for row in next(answer(evidence, QUICK)).rows}


def test_two_hundred_pairs_run_one_program_twice_whatever_the_machine():
    pairs = cells(Sizes(l2=2**20, llc=2**24))
    assert len({pair.name for pair in pairs}) == len(pairs) == 200
    assert [pair.name for pair in pairs] == [pair.name for pair in cells(Sizes("standard"))]
    for first, second in (pair.arms(np.dtype("float32"), 0) for pair in pairs[::10]):
        assert (first.name, first.cost) == (second.name, second.cost)


def test_of_pairs_that_differ_by_noise_alone_nineteen_in_twenty_intervals_hold_one():
    found = rows(obeying())
    assert found.keys() == {
        "A/A ratios",
        *(f"A/A ratios, {order}" for order in BOTH),
        *(f"A/A ratios, {where} 100 µs a call" for where in ("under", "from")),
        SLOPES,
    }
    total, held, share, ends = found["A/A ratios"]
    assert (total, share) == (200, held / total)
    low, high = share_interval(held, total)
    assert low <= 0.95 <= high
    assert ends == f"{units.share(low)} to {units.share(high)}"
    assert sum(found[f"A/A ratios, {order}"][0] for order in BOTH) == 200
    assert found[SLOPES][0] == 12  # six sweeps, two orders


def test_a_bias_of_every_pair_is_held_by_no_interval_and_leaves_slopes_as_they_are():
    found = rows(slower(obeying(), lambda _: 1.05))
    assert found["A/A ratios"][1] == 0
    assert found[SLOPES] == rows(obeying())[SLOPES]


def test_a_bias_that_grows_with_the_size_is_a_slope_that_no_interval_holds():
    found = rows(slower(obeying(), lambda dims: np.prod(dims, dtype=float) ** 0.1))
    assert found[SLOPES][1] == 0


def test_the_answer_is_a_sentence_with_the_share_and_its_interval():
    counted, noise, sentence = answer(obeying(), QUICK)
    assert isinstance(noise, Table)
    held = counted.rows[0][2]
    assert sentence.startswith(
        f"Of 200 intervals of A/A ratios {held} hold 1: {units.share(held / 200)} ("
    )


def test_every_pair_is_shown_with_its_interval_by_its_ratio():
    (figure,) = shows(obeying(), QUICK)
    (((panel,),),) = (figure.panels,)
    assert [curve.label for curve in panel.curves] == [*BOTH]
    assert sum(len(curve.x) for curve in panel.curves) == 200
    for curve in panel.curves:
        assert (np.diff(curve.y) >= 0).all()
        assert (curve.ends[:, 0] <= curve.y).all()
        assert (curve.y <= curve.ends[:, 1]).all()


def test_nothing_measured_says_so():
    assert [*answer(Evidence({}), QUICK)] == ["No A/A pair was measured in this run."]


@pytest.mark.parametrize("missing", [1, 5])
def test_a_sweep_that_lacks_a_size_has_no_slope(missing):
    """And the others have."""
    sweep = [name for name in obeying().cells if name.startswith("control 1x16x32x128x")]
    kept = {n: arms for n, arms in obeying().cells.items() if n not in sweep[:missing]}
    assert rows(replace(obeying(), cells=kept))[SLOPES][0] == 12 - min(missing, 2)
