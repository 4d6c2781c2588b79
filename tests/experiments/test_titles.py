"""Titles state what was measured, and say where it is not resolved."""

import re
from dataclasses import replace

import numpy as np
import pytest

from jacchain.analysis.evidence import Evidence, Noise
from jacchain.claims.registry import chosen
from jacchain.experiments.show import Figure
from jacchain.experiments.titles import brief, growth, told_from_one
from tests.claims.makers import QUICK, simulate, simulate_chains


def named(claim):
    (experiment,) = (e for e in chosen([claim]) if e.claim == claim)
    return experiment


def titles(claim, evidence):
    experiment = named(claim)
    shown = experiment.shows(evidence, QUICK)
    return {item.name: item.title for item in shown if isinstance(item, Figure)}


def steeper(series):
    """Input-first grows with |x|^1.3, loss-first by the formula."""
    extra = 0.3 if series.name == "input-first" else 0.0
    return 2e-9 * series.cost.multiplications * series.dims[-1] ** extra


def test_a_title_has_the_exponent_of_the_evidence():
    title = titles("C3", simulate_chains(steeper))["cost_x"]
    (slope, law), (loss, _) = re.findall(r"\|x\|\^([\d.]+); formula ([\d.]+)", title)
    assert float(slope) == pytest.approx(1.3, abs=0.03)
    assert float(law) == float(loss) == pytest.approx(1.0, abs=0.02)


def test_noise_beyond_a_sixth_of_an_exponent_is_not_resolved():
    evidence = simulate_chains(steeper)
    title = titles("C3", replace(evidence, noise=Noise(0.8)))["cost_x"]
    assert title.count("not resolved") == 2
    assert "|x|^" not in title


@pytest.mark.parametrize("claim", ["C3", "C5", "C7", "C8", "C10", "construction", "batching"])
def test_without_evidence_a_title_states_no_number_of_it(claim):
    for title in titles(claim, Evidence()).values():
        assert not re.search(r"\^|formula \d|times as|pays", title), title


@pytest.mark.parametrize(
    ("claim", "name"),
    [("C5", "ratio_plane"), ("C7", "steps"), ("C8", "gradients"), ("C10", "networks")],
)
def test_a_ratio_follows_the_evidence_and_has_the_formula_beside_it(claim, name):
    experiment = named(claim)
    figures = []
    for factor in (1.0, 3.0):
        evidence = simulate(
            experiment, lambda s, f=factor: 1e-3 * s.cost.multiplications ** (1 / f) / 1e3
        )
        figures.append(titles(claim, evidence)[name])
    numbers = re.compile(r"([\d.,]+) times.*?formula ([\d.,]+)", re.DOTALL)
    (times, laws), (slower, same) = (
        np.array([[float(n.replace(",", "")) for n in pair] for pair in numbers.findall(f)]).T
        for f in figures
    )
    np.testing.assert_allclose(times, laws, rtol=0.06)  # time goes by multiplications
    np.testing.assert_array_equal(laws, same)
    assert np.all(slower < laws)


def test_a_ratio_that_noise_explains_is_given_as_an_interval():
    assert told_from_one((1.02, 1.04, 1.06), 0.01) == "1.0"
    assert told_from_one((1.02, 1.04, 1.06), 0.05) == "1.02 to 1.06 (1 not ruled out)"
    assert told_from_one((0.4, 0.5, 0.6), 0.05) == "0.5"
    assert "not ruled out" in told_from_one((np.nan, 2.0, np.nan), 0.05)
    assert brief(0.123) == "0.12"
    assert "not resolved" in growth("loss-first", "L", 1.0, (np.nan, np.nan), 1.0)
