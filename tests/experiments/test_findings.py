"""What is unexpected is found, and a cause is one only where its removal makes it vanish."""

from dataclasses import replace

import numpy as np
import pytest

from jacchain.analysis.evidence import Regimes
from jacchain.analysis.fit import fit_times
from jacchain.experiments.model import model_findings
from jacchain.experiments.ratio_findings import CAUSE_DIMS, findings
from jacchain.experiments.registry import experiments
from jacchain.experiments.simulated import MIB, QUICK, REGIMES, Machine, cliff, obeys, simulate

SMALL_CACHE = replace(REGIMES, llc_high=6 * MIB)


def simulated(law, regimes=REGIMES):
    evidence = simulate(Machine("test", law), np.random.default_rng(0))
    return replace(evidence, regimes=regimes)


def memory_bound(series):
    """Loss-first slows down forty times where its factors leave the cache, input-first does not."""
    slow = series.order == "loss-first" and series.working_set > SMALL_CACHE.llc_high
    return obeys(series) * (40 if slow else 1)


def blas_like(series):
    """Matrix times matrix runs ten times as fast as row times matrix."""
    return obeys(series) / (10 if series.order == "input-first" else 1)


def with_einsum(evidence, law):
    """Also measured by an engine whose times follow a law."""
    measured = {
        ("einsum", dims, order): replace(s, engine="einsum", seconds=np.full((1, 12, 2), law(s)))
        for (_, dims, order), s in evidence.series.items()
        if dims in CAUSE_DIMS
    }
    return replace(evidence, series={**evidence.series, **measured})


def test_small_cells_are_explained_by_the_cost_of_calls():
    (found,) = findings(simulated(obeys), QUICK)
    assert "all small" in found.observed
    assert found.cause.startswith("The fixed cost of a call")
    assert found.vanishes


def test_large_cells_are_explained_by_memory():
    found = findings(simulated(memory_bound, SMALL_CACHE), QUICK)[-1]
    assert found.cause.startswith("Loss-first is bound by memory")
    assert found.vanishes


def test_a_machine_that_is_slow_in_the_cache_too_has_no_such_cause():
    def slow(series):
        return obeys(series) * (40 if series.order == "loss-first" else 1)

    found = findings(simulated(slow, SMALL_CACHE), QUICK)[-1]
    assert found.cause.startswith("Loss-first is bound by memory")
    assert not found.vanishes


@pytest.mark.parametrize(("law", "vanishes"), [(obeys, True), (blas_like, False)])
def test_the_gap_to_the_formula_is_due_to_rates_only_if_one_rate_closes_it(law, vanishes):
    found = findings(with_einsum(simulated(blas_like), law), QUICK)[0]
    assert found.observed.startswith("Time favours input-first")
    assert found.vanishes is vanishes


def test_sweeps_that_leave_the_cache_are_found():
    def steep(series):
        return cliff(series) * (4 if series.working_set > SMALL_CACHE.llc_high * 4 else 1)

    regimes = replace(REGIMES, llc_high=24 * MIB)
    (found,) = experiments()["C3"].findings(simulated(steep, regimes), QUICK)
    assert "leave the cache" in found.cause
    assert found.vanishes
    assert experiments()["C3"].findings(simulated(obeys), QUICK) == []


def test_the_models_misses_are_sorted_by_what_spoils_them():
    evidence = simulated(cliff)
    (found,) = model_findings(fit_times(evidence), evidence)
    assert "predictions miss by more than 25%" in found.observed
    assert "leaving a cache" in found.cause
    exact = simulated(lambda s: 2e-6 * s.products + 1e-10 * s.multiplications)
    assert model_findings(fit_times(exact), replace(exact, regimes=Regimes())) == []
