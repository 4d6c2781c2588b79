"""A simulated run to draw and to report: no machine is measured."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

from jacchain.analysis.fit import fit_times
from jacchain.costs.closed_forms import multiplications
from jacchain.experiments import c8_caching as c8
from jacchain.experiments import c10_real_networks as c10
from jacchain.experiments.batches import WIDE_SIZES
from jacchain.experiments.c7_mini_batches import ONE_BY_ONE
from jacchain.experiments.cells import BOTH, INPUT_FIRST, LOSS_FIRST
from jacchain.experiments.judging import Assessment, judge_all
from jacchain.experiments.registry import chosen
from jacchain.experiments.simulated import MACHINES, MIB, QUICK, simulate
from jacchain.records.schema import Identity, SessionRecord
from jacchain.report.networks import ROWS

HERE = Identity(
    machine="4f1c", numpy="2.1.0", blas="OpenBLAS 0.3", jacchain="0.1.0", dtype="float64", threads=1
)
STEPS = [0.1, 0.01, 0.001]
CHECKS = {
    "C9:taylor": {"orders": [2.0, 1.99], "steps": STEPS, "remainders": [3 * h**2 for h in STEPS]},
    "C9:digits": {"losses": [2.5, 0.5, 0.1], "accuracy": 0.97, "held_out": 449},
}
COUNTED = {"loss-first": [(1, 2, 3, 4, 5), (1, 9, 9, 9, 99)], "input-first": [(1, 2, 3, 4, 5)]}
NASTY = "<script>alert('cpu')</script> & co"


def ceiling(evidence, engine, kernel, working_set, bytes_per_second):
    some = next(iter(evidence.series.values()))
    seconds = np.full((1, 2, 2), working_set / bytes_per_second)
    return replace(
        some, cell=f"{engine}:{kernel}:{working_set}", role="ceiling", engine=engine, order=kernel,
        dims=(128, working_set // 1024), products=1, bytes=working_set, working_set=working_set,
        row_flops=working_set // 4, matrix_flops=0, seconds=seconds,
        flagged=np.zeros((1, 2, 2), dtype=bool),
    )  # fmt: skip


@pytest.fixture(scope="session")
def evidence():
    found = simulate(MACHINES[0], np.random.default_rng(1))
    counts = [
        {"order": order, "dims": dims, "counted": multiplications(order, dims),
         "counted_dims": dims}
        for order, several in COUNTED.items() for dims in several
    ]  # fmt: skip
    kernels = [
        ceiling(found, "row-matrix", "v @ M", MIB // 2, 8e10),
        ceiling(found, "row-matrix", "v @ M", 8 * MIB, 3e10),
        ceiling(found, "matrix-matrix", "A @ B", MIB, 1e10),
    ]
    return replace(
        found, checks=CHECKS, counts=tuple(counts), ceilings={s.cell: s for s in kernels},
        skipped={"cell:too<big>": "would take 900 s, over the profile's 15 s"},
    )  # fmt: skip


@pytest.fixture(scope="session")
def assessment(evidence):
    session = SessionRecord(
        identity=HERE, started="2025-01-01T00:00:00+00:00", profile="quick", claims=("C1",),
        seed=7, environment={"cpu_model": NASTY, "l2_bytes": 2**20, "governor": None},
    )  # fmt: skip
    experiments = chosen(["C1", "C3", "C4", "C5", "C9"])
    fit = fit_times(evidence)
    verdicts = judge_all(experiments, evidence, QUICK, fit)
    return Assessment(
        session, QUICK, experiments, pd.DataFrame(), evidence, fit, verdicts, verdicts,
        {e.claim: e.findings(evidence, QUICK) for e in experiments},
    )  # fmt: skip


WEIGHTS = 8 * sum(a * b for a, b in pairwise(WIDE_SIZES))
WAYS = [f"{order}, {label}" for order in BOTH for label in (c8.SCRATCH, c8.CACHED)]
MEMORY = {
    c8.MEMORY: {
        "layers": [2, 4, 8],
        "allocated": {way: [1000 * n, 2000 * n, 4000 * n] for n, way in enumerate(WAYS, 1)},
        "predicted": {way: [900 * n, 1900 * n, 3900 * n] for n, way in enumerate(WAYS, 1)},
        "kept": {way: [384, 1152, 2688] if way == WAYS[1] else [0, 0, 0] for way in WAYS},
    },
    c10.MEMORY: {
        f"{network}, {form}": {
            "held": 10**6 * (1 + row),
            "predicted": {LOSS_FIRST: 2000, INPUT_FIRST: 50_000},
            "allocated": {LOSS_FIRST: 3000, INPUT_FIRST: 60_000},
        }
        for row, (network, form) in enumerate(ROWS)
    },
}


def law(series):
    """A call and two rates; what is one by one takes half longer."""
    took = 1e-7 * series.products + 1e-10 * series.row_flops + 2.5e-11 * series.matrix_flops
    return took * (1.5 if series.order == ONE_BY_ONE else 1.0)


@pytest.fixture(scope="session")
def whole(assessment, compared):
    """The simulated run with all comparisons of the three claims, and their memory."""
    evidence = assessment.evidence
    some = next(s for s in evidence.ceilings.values() if s.engine == "row-matrix")
    near = replace(some, cell="near", bytes=WEIGHTS, working_set=WEIGHTS,
                   seconds=some.seconds / some.time * WEIGHTS / 3e10)  # fmt: skip
    product = replace(some, cell="product", engine="matrix-matrix", row_flops=0,
                      matrix_flops=round(6e10 * some.time))  # fmt: skip
    pairs = {}
    for claim in ("C7", "C8", "C10"):
        pairs |= compared(claim, law).comparisons
    found = replace(
        evidence, comparisons=pairs, checks={**evidence.checks, **MEMORY},
        ceilings={**evidence.ceilings, "near": near, "product": product},
    )  # fmt: skip
    three = chosen(["C7", "C8", "C10"])
    verdicts = judge_all(three, found, QUICK, None)
    return replace(
        assessment, evidence=found, experiments=three, verdicts=verdicts, unflagged=verdicts,
        findings={e.claim: e.findings(found, QUICK) for e in three},
    )  # fmt: skip
