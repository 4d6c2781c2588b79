"""What is measured beside the claims: never judged, and other frameworks only if asked for."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from pydantic import TypeAdapter

import jacchain as jc
from jacchain.analysis.evidence import Evidence, Series
from jacchain.experiments import job, study_construction
from jacchain.experiments.compared import check_results
from jacchain.experiments.job import RunError, job_of_claims
from jacchain.experiments.judging import judge_all
from jacchain.experiments.profiles import PROFILES
from jacchain.experiments.registry import chosen, experiments
from jacchain.experiments.study_construction import (
    DENSE,
    FREE,
    MEMORY,
    MODES,
    STRUCTURED,
    comparisons,
    hold_jacobians,
    pays_from,
)

QUICK = PROFILES["quick"]
F8 = np.dtype("float64")


def test_other_frameworks_are_measured_only_if_asked_for():
    names = [experiment.claim for experiment in chosen(())]
    assert "construction" in names
    assert "peers" not in names
    assert [e.claim for e in chosen(["PEERS", "c1"])] == ["C1", "peers"]


def test_studies_are_not_judged():
    studies = tuple(e for e in experiments().values() if e.judge is None)
    assert [e.claim for e in studies] == ["construction", "peers"]
    assert judge_all(studies, Evidence(series={}), QUICK, None) == ()


@pytest.mark.parametrize(
    ("missing", "claims", "peers", "message"),
    [
        ({"torch", "jax"}, ("C1",), True, r"--peers needs torch, jax: .*jacchain\[peers\]"),
        ({"jax"}, ("peers",), False, r"--peers needs jax: .*jacchain\[peers\]"),
        ({"sklearn"}, ("C10",), False, r"claim C10 needs sklearn: .*jacchain\[data\]"),
    ],
)
def test_what_is_not_installed_is_told_with_how_to_install_it(
    monkeypatch, missing, claims, peers, message
):
    monkeypatch.setattr(job, "find_spec", lambda module: None if module in missing else module)
    with pytest.raises(RunError, match=message):
        job_of_claims("quick", claims, threads=1, dtype="float64", peers=peers)


def test_quick_builds_no_dense_jacobian_of_a_large_network():
    names = {of.name for of in comparisons(QUICK)}
    assert not any("lenet-5" in name and DENSE in name for name in names)
    assert any("lenet-5" in name and DENSE in name for name in
               (of.name for of in comparisons(PROFILES["standard"])))  # fmt: skip


@pytest.mark.parametrize("of", comparisons(replace(QUICK, name="tiny")), ids=lambda of: of.name)
def test_both_ways_give_the_same(monkeypatch, of):
    """On small networks of the same kinds."""
    small = {"lenet-300-100": jc.mlp(6, 5, 4, rng=0), "lenet-5": small_convolution()}
    monkeypatch.setattr(study_construction, "load", lambda name, **_: small[name])
    study_construction._passed.cache_clear()
    try:
        ways = of.ways(F8, 1)
        error, bound = check_results(of, [way.prepare() for way in ways])
        assert error <= bound
        assert ways[0].work.multiplications > ways[1].work.multiplications > 0
    finally:
        study_construction._passed.cache_clear()


def small_convolution():
    rng = np.random.default_rng(0)
    layers = [
        jc.ConvolutionLayer(rng.normal(size=(2, 1, 3, 3)), np.zeros(2), (6, 6), "tanh", padding=1),
        jc.AveragePoolingLayer(2, (6, 6), 2),
        jc.AffineLayer(rng.normal(size=(3, 18)), np.zeros(3)),
    ]
    return jc.Network(layers, "cross_entropy")


def test_held_bytes_are_those_of_the_forms():
    values = hold_jacobians(0)
    TypeAdapter(experiments()["construction"].values[MEMORY]).validate_python(values)
    dims = (1, *reversed(jc.zoo.load("lenet-300-100", rng=0).sizes))[1:]
    dense = 8 * sum(m * n for m, n in pairwise(dims))
    assert values[f"lenet-300-100, {DENSE}"]["held"] == dense
    for name, of in values.items():
        assert of["allocated"] >= (of["held"] if FREE not in name else 1)
    for network in ("lenet-300-100", "lenet-5"):
        held = [values[f"{network}, {form}"]["held"] for form in (FREE, STRUCTURED, DENSE)]
        assert held == sorted(held)


def pair_of(seconds):
    """Explicit and matrix-free, of so many seconds each."""
    shape = (1, 12, 2)
    return tuple(
        Series("of", "comparison", "numpy", (1, 2), "", arm, 1, 1, 0, 2, 8, 8,
               np.full(shape, time), np.zeros(shape, bool))
        for arm, time in zip("AB", seconds, strict=True)
    )  # fmt: skip


def test_an_explicit_form_pays_where_the_ratio_crosses_one():
    """Explicit takes 8 and 1 per vector, matrix-free 2 per vector: equal at 8 vectors."""
    rows = [(k, *pair_of((8.0 + k, 2.0 * k))) for k in (1, 4, 16, 64)]
    assert pays_from(rows) == pytest.approx(8, rel=0.15)
    assert pays_from([(k, b, a) for k, a, b in rows]) == 1
    assert pays_from([(k, *pair_of((3.0 * k, 2.0 * k))) for k in (1, 4, 16)]) is None


def test_both_directions_and_forms_are_compared():
    modes = {mode for mode in MODES if any(f", {mode} of " in c.name for c in comparisons(QUICK))}
    assert modes == set(MODES)
