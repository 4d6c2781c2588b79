"""C9: Taylor remainders, descent and the digits, and what is shown of them."""

from dataclasses import replace

import numpy as np
import pytest

from jacchain.analysis.evidence import Evidence
from jacchain.claims import c9_gradient_descent as c9
from jacchain.claims.c9_gradient_descent import EXPERIMENT
from tests.claims.makers import QUICK, judged

STEPS = (1e-2, 1e-3, 1e-4)
GOOD = {
    "C9:product": c9.Product((-6.0, 2.0), (-6.0, -6.0, -6.0)),
    "C9:taylor": c9.Remainders(
        (1.98, 2.0, 2.05), tuple((h, 3 * h**2) for h in STEPS), (9.0, 30.0, 80.0)
    ),
    "C9:descent": c9.Descent(1e-3, (-0.1, -0.001)),
    "C9:digits": c9.Digits((2.3, 0.5, 0.1), 0.96, 449),
}


@pytest.mark.parametrize(
    ("check", "values"),
    [
        ("C9:product", {"slopes": (-6.0, -6.0, -5.9999)}),
        ("C9:product", {"slopes": (6.0, 6.0, 6.0)}),
        ("C9:taylor", {"orders": (1.0, 1.01, 0.99)}),
        ("C9:taylor", {"orders": (2.0,) * 94 + (1.8,) * 6}),
        ("C9:taylor", {"orders": (2.2, 2.0, 2.15)}),
        ("C9:taylor", {"others": (9.0, 0.9, 80.0)}),
        ("C9:descent", {"changes": (-0.1, 1e-9)}),
        ("C9:digits", {"accuracy": 0.90}),
        ("C9:digits", {"losses": (2.3, 2.2, 2.1)}),
    ],
)
def test_one_bad_check_disagrees(check, values):
    checks = GOOD | {check: replace(GOOD[check], **values)}
    assert judged(EXPERIMENT, Evidence(checks=checks)).verdict == "disagrees"


def test_checks_that_were_not_run_are_undecided():
    verdict = judged(EXPERIMENT, Evidence(checks={"C9:taylor": GOOD["C9:taylor"]}))
    assert verdict.verdict == "inconclusive"
    assert [s.verdict for s in verdict.statements].count("agrees") == 2
    assert "not run" in verdict.reason


@pytest.mark.parametrize("seed", [0, 1])
def test_derivatives_of_random_networks_pass_the_checks(seed):
    checks = GOOD | {
        "C9:product": c9.product_example(seed),
        "C9:taylor": c9.taylor_remainders(seed),
        "C9:descent": c9.descent_steps(seed),
    }
    assert len(checks["C9:taylor"].orders) == len(checks["C9:descent"].changes) == 100
    verdict = judged(EXPERIMENT, Evidence(checks=checks))
    assert (verdict.verdict, len(verdict.statements)) == ("agrees", 5)


def test_the_remainder_is_shown_beside_a_line_of_order_two():
    (figure,) = c9.shows(Evidence(checks=GOOD), QUICK)
    ((left, right),) = figure.panels
    line, points = left.curves
    np.testing.assert_allclose(points.x, STEPS)
    np.testing.assert_allclose(line.y, points.y)  # remainders that are exactly of order 2
    (losses,) = right.curves
    np.testing.assert_array_equal(losses.y, [2.3, 0.5, 0.1])
    np.testing.assert_allclose(right.y.ticks, [0.1, 0.2, 0.5, 1, 2])
    assert right.note == "96.0\u00a0% of the\nheld-out digits\nare right"
