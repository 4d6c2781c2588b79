"""C9: Taylor remainders, descent and the digits, and what is shown of them."""

import json
from dataclasses import replace

import numpy as np
import pytest
from pydantic import TypeAdapter, ValidationError

from jacchain.analysis.evidence import Evidence
from jacchain.claims.c9_gradient_descent import (
    EXPERIMENT,
    Descent,
    Digits,
    Product,
    Remainders,
    descent_steps,
    product_example,
    shows,
    taylor_remainders,
)
from jacchain.experiments.sizes import Sizes

STEPS = (1e-2, 1e-3, 1e-4)
GOOD = {
    "C9:product": Product((-6.0, 2.0), (-6.0, -6.0, -6.0)),
    "C9:taylor": Remainders((1.98, 2.0, 2.05), tuple((h, 3 * h**2) for h in STEPS)),
    "C9:descent": Descent(1e-3, (-0.1, -0.001)),
    "C9:digits": Digits((2.3, 0.5, 0.1), 0.96, 449),
}


def test_good_checks_agree_however_noisy_the_machine(judged):
    verdict = judged(EXPERIMENT, Evidence(checks=GOOD, noise_floor=0.9))
    assert verdict.verdict == "agrees"
    assert len(verdict.parts) == 5


@pytest.mark.parametrize(
    ("check", "values"),
    [
        ("C9:product", {"slopes": (-6.0, -6.0, -5.9999)}),
        ("C9:product", {"slopes": (6.0, 6.0, 6.0)}),
        ("C9:taylor", {"orders": (1.0, 1.01, 0.99)}),
        ("C9:taylor", {"orders": (2.0,) * 94 + (1.8,) * 6}),
        ("C9:taylor", {"orders": (2.2, 2.0, 2.15)}),
        ("C9:descent", {"changes": (-0.1, 1e-9)}),
        ("C9:digits", {"accuracy": 0.90}),
        ("C9:digits", {"losses": (2.3, 2.2, 2.1)}),
    ],
)
def test_one_bad_check_disagrees(judged, check, values):
    checks = GOOD | {check: replace(GOOD[check], **values)}
    assert judged(EXPERIMENT, Evidence(checks=checks)).verdict == "disagrees"


def test_checks_that_were_not_run_are_undecided(judged):
    verdict = judged(EXPERIMENT, Evidence(checks={"C9:taylor": GOOD["C9:taylor"]}))
    assert verdict.verdict == "inconclusive"
    assert [part.verdict for part in verdict.parts].count("agrees") == 1
    assert "not run" in verdict.reason


@pytest.mark.parametrize("seed", [0, 1])
def test_derivatives_of_random_networks_pass_the_checks(judged, seed):
    checks = GOOD | {
        "C9:product": product_example(seed),
        "C9:taylor": taylor_remainders(seed),
        "C9:descent": descent_steps(seed),
    }
    assert len(checks["C9:taylor"].orders) == len(checks["C9:descent"].changes) == 100
    assert judged(EXPERIMENT, Evidence(checks=checks)).verdict == "agrees"


def test_the_articles_example_changes_by_minus_six_for_each_unit():
    assert product_example(0).gradient == (-6.0, 2.0)
    assert set(product_example(0).slopes) == {-6.0}


@pytest.mark.parametrize("check", GOOD)
def test_values_are_read_as_they_were_written(check):
    adapter = TypeAdapter(EXPERIMENT.checks[check].values)
    written = json.dumps(adapter.dump_python(GOOD[check], mode="json"))
    assert adapter.validate_json(written, strict=True) == GOOD[check]


@pytest.mark.parametrize(
    ("check", "edit"),
    [
        ("C9:product", {"slopes": []}),
        ("C9:taylor", {"orders": [2.0, "2"]}),
        ("C9:taylor", {"example": [[0.1, 0.0]]}),
        ("C9:taylor", {"example": [[0.1]]}),
        ("C9:descent", {"changes": ["much"]}),
        ("C9:digits", {"accuracy": 97}),
        ("C9:digits", {"losses": [2.3]}),
        ("C9:digits", {"losses": [2.3, 0.0]}),
    ],
)
def test_values_edited_by_hand_are_refused(check, edit):
    adapter = TypeAdapter(EXPERIMENT.checks[check].values)
    edited = adapter.dump_python(GOOD[check], mode="json") | edit
    with pytest.raises(ValidationError, match=next(iter(edit))):
        adapter.validate_json(json.dumps(edited), strict=True)


def test_the_remainder_is_shown_beside_a_line_of_order_two():
    (figure,) = shows(Evidence(checks=GOOD), Sizes())
    ((left, right),) = figure.panels
    line, points = left.curves
    np.testing.assert_allclose(points.x, STEPS)
    np.testing.assert_allclose(line.y, points.y)  # remainders that are exactly of order 2
    (losses,) = right.curves
    np.testing.assert_array_equal(losses.y, [2.3, 0.5, 0.1])
    np.testing.assert_allclose(right.y.ticks, [0.1, 0.2, 0.5, 1, 2])
    assert right.note == "96.0% of the held-out\ndigits are right"


def test_checks_that_were_not_run_leave_their_panels_empty():
    (figure,) = shows(Evidence(), Sizes())
    assert [panel.curves for panel in figure.panels[0]] == [(), ()]
