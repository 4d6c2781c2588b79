"""What every claim has in common, whatever it is about."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from itertools import pairwise

import numpy as np
import pytest
from pydantic import TypeAdapter, ValidationError

from jacchain.analysis.evidence import Count, Evidence, Noise
from jacchain.claims import c10_real_networks as c10
from jacchain.claims.own_chain import experiment_named
from jacchain.claims.registry import experiments
from jacchain.costs.closed_forms import multiplications
from jacchain.experiments import show
from jacchain.experiments.sizes import Sizes
from tests.claims.agreement import agree
from tests.claims.makers import QUICK, judged, simulate, with_cells
from tests.conftest import ROOT

OWN_CHAIN = experiment_named("chain-1x64x64x64x1024")
EXPERIMENTS = {**experiments().entries, OWN_CHAIN.claim: OWN_CHAIN}
SCALES = ("quick", "standard", "full")

each_experiment = pytest.mark.parametrize("experiment", EXPERIMENTS.values(), ids=EXPERIMENTS)
each_that_judges = pytest.mark.parametrize(
    "experiment", [e for e in EXPERIMENTS.values() if e.judge], ids=lambda e: e.claim
)


def with_counts(evidence):
    """Add what is counted of each chain that was measured."""
    counts = [
        Count(series.name, dims, dims, multiplications(series.name, dims))
        for dims, pair in evidence.chains.items()
        for series in pair
    ]
    return replace(evidence, counts=tuple(counts))


@cache
def whole(claim):
    """Return all evidence of an experiment, its checks run once."""
    experiment = EXPERIMENTS[claim]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(c10, "COUNT_LIMIT", 10**8)  # what takes a second to count
        # What judges nothing checks nothing here: it may need what is not installed.
        checks = {n: c.run(3) for n, c in experiment.checks.items() if experiment.judge}
    evidence = simulate(experiment, checks=checks)
    if not experiment.is_claim:  # it is about the cells of claims: those of C5 have all sizes
        evidence = with_cells(evidence, simulate(EXPERIMENTS["C5"]).cells)
    return with_counts(evidence)


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


def points(item):
    """Return what is drawn of measurements: arrays of each curve, mark, sweep or map."""
    match item:
        case show.Lines():
            curves = [curve for row in item.panels for panel in row for curve in panel.curves]
            return [curve.x for curve in curves if not curve.label.startswith("time model")]
        case show.Scatter():
            return [curve.x for curve in item.panel.curves]
        case show.Rows():
            return [[m.value] for _, rows in item.panels for marks in rows for m in marks]
        case show.Sweep():
            return [order.sizes for order in item.orders]
        case show.Plane():
            return [
                times[~np.isnan(times)] for _, times in item.maps[:1] if np.isfinite(times).any()
            ]
    return []


def show_all(experiment, evidence):
    """Run everything that an experiment says on some evidence; its tables and files fit."""
    list(experiment.findings(evidence, QUICK))
    items = [*experiment.shows(evidence, QUICK), *experiment.answer(evidence, QUICK)]
    tables = [i if isinstance(i, show.Table) else getattr(i, "numbers", None) for i in items]
    for table in filter(None, tables):
        assert all(len(row) == len(table.columns) for row in table.rows), table.caption
    files = [item.name for item in items if isinstance(item, show.Figure)]
    assert len(set(files)) == len(files)
    assert all(len(array) for item in items for array in points(item))
    return items


def check_gaps(experiment, evidence):
    """Show incomplete evidence all the same; it disagrees with nothing."""
    show_all(experiment, evidence)
    if experiment.judge is not None:
        assert judged(experiment, evidence).verdict != "disagrees"


@each_that_judges
def test_a_machine_that_obeys_agrees_and_a_noisy_one_is_inconclusive(experiment):
    evidence = whole(experiment.claim)
    assert judged(experiment, evidence).verdict == "agrees"
    noisy = judged(experiment, replace(evidence, noise=Noise(0.9)))
    timed = any(part.timed for part in noisy.parts)
    assert noisy.verdict == ("inconclusive" if timed else "agrees")


@each_that_judges
def test_one_multiplication_too_many_disagrees(experiment):
    evidence = whole(experiment.claim)
    parts = judged(experiment, evidence).parts
    counts = any(part.unit in {"multiplications", "counts"} for part in parts)
    verdict = judged(experiment, one_too_many(evidence)).verdict
    assert verdict == ("disagrees" if counts else "agrees")


@each_experiment
def test_nothing_measured_is_shown_empty_and_no_finding(experiment):
    assert [array for item in show_all(experiment, Evidence()) for array in points(item)] == []
    assert list(experiment.findings(Evidence(), QUICK)) == []


@each_that_judges
def test_nothing_measured_is_inconclusive(experiment):
    verdict = judged(experiment, Evidence())
    assert verdict.verdict == "inconclusive"
    assert all(statement.reason for statement in verdict.statements)


@each_experiment
@pytest.mark.parametrize("kept", [0, 1])
def test_what_was_not_measured_disagrees_with_nothing(experiment, kept):
    evidence = whole(experiment.claim)
    cells = dict(list(evidence.cells.items())[kept::2])
    skipped = dict.fromkeys(evidence.cells.keys() - cells.keys(), "needs 90 GiB")
    part = replace(evidence, cells=cells, skipped=skipped)
    for gaps in (evidence, part, replace(part, checks={}), replace(evidence, cells={})):
        check_gaps(experiment, gaps)


@each_experiment
def test_a_cell_or_a_group_of_them_is_shown_by_itself(experiment):
    groups = {}
    for name, arms in whole(experiment.claim).cells.items():
        if arms[0].role == "comparison":
            groups[name] = {name: arms}
            groups.setdefault(arms[0].group, {})[name] = arms
    for cells in groups.values():
        check_gaps(experiment, replace(whole(experiment.claim), cells=cells, checks={}))


@each_that_judges
def test_values_of_checks_are_read_as_they_were_written(experiment):
    for name, values in whole(experiment.claim).checks.items():
        kind = TypeAdapter(experiment.checks[name].values)
        assert kind.validate_json(kind.dump_json(values), strict=True) == values


CALL = {"order": "up", "label": None, "layers": 0, "allocated": -3, "predicted": 2**63, "kept": 1.5}


@pytest.mark.parametrize(
    ("check", "values", "wrong"),
    [
        ("C8:memory", {"calls": [CALL]}, " ".join(CALL)),
        ("C8:memory", {"calls": [{"layers": "2"}]}, " ".join(CALL)),
        ("C8:memory", {"calls": [{}]}, " ".join(CALL)),
        ("C9:product", {"gradient": [1.0], "slopes": []}, "slopes"),
        (
            "C9:taylor",
            {"orders": [2.0, "2"], "others": [""], "example": [[0.1, 0.0]]},
            "orders others example",
        ),
        ("C9:taylor", {"orders": [2.0], "others": [9.0], "example": [[0.1]]}, "example"),
        ("C9:descent", {"learning_rate": 0.1, "changes": ["much"]}, "changes"),
        ("C9:digits", {"losses": [2.3], "accuracy": 97, "held_out": 4}, "losses accuracy"),
        ("C9:digits", {"losses": [2.3, 0.0], "accuracy": 0.9, "held_out": 4}, "losses"),
        ("C10:counts", {"a": [1], "b": [1, 2, 3], "c": ["1", 2], "d": [-1, 2]}, "a b c d"),
        ("C10:memory", {"a": 7, "b": {}}, "a factors predicted allocated"),
        (
            "C10:memory",
            {"a": {"factors": -1, "predicted": "2", "allocated": 3}},
            "factors predicted",
        ),
    ],
)
def test_values_edited_by_hand_are_refused(check, values, wrong):
    kind = TypeAdapter(EXPERIMENTS[check.split(":")[0]].checks[check].values)
    with pytest.raises(ValidationError) as caught:
        kind.validate_json(json.dumps(values), strict=True)
    places = [error["loc"] for error in caught.value.errors()]
    assert {[p for p in place if isinstance(p, str)][-1] for place in places} == {*wrong.split()}


def compared_cells():
    """Return the second cell of each group that runs here: small, but not the smallest."""
    groups = {}
    claims = ("C7", "batching", "C8", "C10")
    cells = [c for claim in claims for c in EXPERIMENTS[claim].cells(QUICK) if c.agree]
    for cell in (*cells, EXPERIMENTS["peers"].cells(QUICK)[-1]):
        groups.setdefault(cell.group or cell.name, []).append(cell)
    return [group[:2][-1] for group in groups.values()]


@pytest.mark.parametrize("cell", compared_cells(), ids=lambda cell: cell.name)
def test_both_arms_give_the_same_in_the_dtype_that_rounds_most(cell):
    assert agree(cell, "float32")


@pytest.mark.parametrize("claim", ["C7", "batching", "C8"])
def test_the_dims_stated_are_those_of_the_networks(claim):
    for cell in EXPERIMENTS[claim].cells(QUICK)[:12]:
        weights = sum(m * n for m, n in pairwise(cell.dims[1:]))
        assert all(arm.cost.held_bytes >= 8 * weights for arm in cell.arms(np.dtype(float), 3))


@each_experiment
def test_an_experiment_says_what_it_is(experiment):
    assert experiment.title
    assert experiment.statement.endswith(".") or not experiment.is_claim
    assert all(name.startswith(f"{experiment.claim}:") for name in experiment.checks)
    assert set(experiment.beside) <= EXPERIMENTS.keys()


@pytest.mark.parametrize("scale", SCALES)
def test_one_name_is_one_cell_whichever_claims_share_it(scale):
    facts = {}
    for experiment in EXPERIMENTS.values():
        names = []
        for cell in experiment.cells(Sizes(scale)):
            assert facts.setdefault(cell.name, (cell.dims, cell.role)) == (cell.dims, cell.role)
            if cell.role == "comparison":
                assert cell.name.startswith(f"{experiment.claim} ")
                names.append(cell.name)
        assert len(set(names)) == len(names)


def cell_names():
    """Return the names of all cells at every scale."""
    return [[c.name for e in EXPERIMENTS.values() for c in e.cells(Sizes(s))] for s in SCALES]


def test_cells_have_the_same_names_in_another_process():
    script = "from tests.claims.test_all_claims import cell_names; print(cell_names())"
    environ = os.environ | {"PYTHONHASHSEED": "77"}
    names = subprocess.check_output([sys.executable, "-c", script], cwd=ROOT, env=environ)
    assert names.decode().strip() == repr(cell_names())
