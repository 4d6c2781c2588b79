"""What every claim has in common, whatever it is about."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from functools import cache

import pytest

from jacchain.analysis.evidence import Count, Evidence
from jacchain.claims import c10_real_networks as c10
from jacchain.claims.own_chain import experiment_named
from jacchain.claims.registry import experiments
from jacchain.costs.closed_forms import multiplications
from jacchain.experiments.show import Figure, Table
from jacchain.experiments.sizes import Sizes

QUICK = Sizes()
EXPERIMENTS = (*experiments().entries.values(), experiment_named("chain-1x64x64x64x1024"))
OVERHEAD, NOISE_FLOOR, TOO_NOISY = 8e-7, 0.01, 0.9

each_experiment = pytest.mark.parametrize("experiment", EXPERIMENTS, ids=lambda e: e.claim)
each_that_judges = pytest.mark.parametrize(
    "experiment", [e for e in EXPERIMENTS if e.judge], ids=lambda e: e.claim
)


def law(series):
    """Take the time of calls, multiplications and bytes: a batch reads its matrices once."""
    cost = series.cost
    return OVERHEAD * cost.products + 5e-11 * cost.multiplications + cost.bytes / 40e9


def with_counts(evidence):
    """Add what is counted of each chain that was measured."""
    counts = [
        Count(series.name, dims, dims, multiplications(series.name, dims))
        for dims, pair in evidence.chains.items()
        for series in pair
    ]
    return replace(evidence, counts=tuple(counts))


@pytest.fixture(scope="module")
def whole(simulate):
    """A function that returns all evidence of an experiment, its checks run once."""

    @cache
    def evidence(claim):
        (experiment,) = (e for e in EXPERIMENTS if e.claim == claim)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(c10, "COUNT_LIMIT", 10**8)  # what takes a second to count
            # What judges nothing checks nothing here: it may need what is not installed.
            checks = {n: c.run(3) for n, c in experiment.checks.items() if experiment.judge}
        facts = {"checks": checks, "overhead": OVERHEAD, "noise_floor": NOISE_FLOOR}
        evidence = simulate(experiment, law, **facts)
        if not experiment.is_claim:  # it is about the cells of claims: those of C5 have all sizes
            cells = simulate(experiments()["C5"], law).cells | evidence.cells
            evidence = replace(evidence, cells=cells)
        return with_counts(evidence)

    return evidence


def spoilt(values):
    """Add one multiplication to the first of the counts in values."""
    if isinstance(values, Mapping):
        return {n: spoilt(v) if i == 0 else v for i, (n, v) in enumerate(values.items())}
    return (values[0] + 1, *values[1:])


def one_too_many(evidence):
    """Return the evidence with one executed multiplication too many, where any are counted."""
    counts = tuple(replace(c, multiplications=c.multiplications + 1) for c in evidence.counts)
    checks = {
        name: spoilt(values) if name.endswith(":counts") else values
        for name, values in evidence.checks.items()
    }
    return replace(evidence, counts=counts, checks=checks)


def show_all(experiment, evidence):
    """Run everything that an experiment says on some evidence; its tables and files fit."""
    list(experiment.findings(evidence, QUICK))
    items = [*experiment.shows(evidence, QUICK), *experiment.answer(evidence, QUICK)]
    tables = [item if isinstance(item, Table) else getattr(item, "numbers", None) for item in items]
    for table in filter(None, tables):
        assert all(len(row) == len(table.columns) for row in table.rows), table.caption
    files = [item.name for item in items if isinstance(item, Figure)]
    assert len(set(files)) == len(files)


@each_that_judges
def test_a_machine_that_obeys_agrees_and_a_noisy_one_is_inconclusive(experiment, whole, judged):
    evidence = whole(experiment.claim)
    assert judged(experiment, evidence).verdict == "agrees"
    noisy = judged(experiment, replace(evidence, noise_floor=TOO_NOISY))
    assert noisy.verdict == ("inconclusive" if experiment.timed else "agrees")


@each_that_judges
def test_one_multiplication_too_many_disagrees(experiment, whole, judged):
    evidence = whole(experiment.claim)
    parts = judged(experiment, evidence).parts
    counts = any(part.unit in {"multiplications", "counts"} for part in parts)
    verdict = judged(experiment, one_too_many(evidence)).verdict
    assert verdict == ("disagrees" if counts else "agrees")


@each_experiment
def test_nothing_measured_is_shown_all_the_same_and_no_finding(experiment):
    show_all(experiment, Evidence())
    assert list(experiment.findings(Evidence(), QUICK)) == []


@each_that_judges
def test_nothing_measured_is_inconclusive(experiment, judged):
    verdict = judged(experiment, Evidence())
    assert verdict.verdict == "inconclusive"
    assert verdict.parts or not experiment.is_claim


@each_experiment
@pytest.mark.parametrize("kept", [0, 1])
def test_what_was_not_measured_disagrees_with_nothing(experiment, whole, judged, kept):
    evidence = whole(experiment.claim)
    cells = dict(list(evidence.cells.items())[kept::2])
    skipped = dict.fromkeys(evidence.cells.keys() - cells.keys(), "needs 90 GiB")
    part = replace(evidence, cells=cells, skipped=skipped)
    for gaps in (evidence, part, replace(part, checks={}), replace(evidence, cells={})):
        show_all(experiment, gaps)
        if experiment.judge is not None:
            assert judged(experiment, gaps).verdict != "disagrees"


@each_experiment
def test_an_experiment_says_what_it_is(experiment):
    assert experiment.title
    assert experiment.statement.endswith(".") or not experiment.is_claim
    assert all(name.startswith(f"{experiment.claim}:") for name in experiment.checks)
    assert set(experiment.beside) <= experiments().entries.keys()


SCALES = ("quick", "standard", "full")
NAMES = """
import json
from jacchain.claims.registry import experiments
from jacchain.experiments.sizes import Sizes
print(json.dumps([[c.name for e in experiments().entries.values() for c in e.cells(Sizes(scale))]
                  for scale in ("quick", "standard", "full")]))
"""


@pytest.mark.parametrize("scale", SCALES)
def test_one_name_is_one_cell_whichever_claims_share_it(scale):
    facts = {}
    for experiment in EXPERIMENTS:
        names = []
        for cell in experiment.cells(Sizes(scale)):
            assert facts.setdefault(cell.name, (cell.dims, cell.role)) == (cell.dims, cell.role)
            if cell.role == "comparison":
                assert cell.name.startswith(f"{experiment.claim} ")
                names.append(cell.name)
        assert len(set(names)) == len(names)


def test_cells_have_the_same_names_in_another_process():
    command = [sys.executable, "-c", NAMES]
    environ = os.environ | {"PYTHONHASHSEED": "77"}
    other = subprocess.run(command, check=True, capture_output=True, env=environ)
    names = [
        [cell.name for e in experiments().entries.values() for cell in e.cells(Sizes(scale))]
        for scale in SCALES
    ]
    assert json.loads(other.stdout) == names
