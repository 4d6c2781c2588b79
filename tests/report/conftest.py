"""A small run by hand, with one figure of each kind: no machine is measured."""

from dataclasses import replace

import numpy as np
import pytest

from jacchain.analysis.evidence import Noise
from jacchain.analysis.verdicts import Statement, exact, judge, undecided
from jacchain.experiments import show
from jacchain.experiments.experiment import Experiment, Finding
from jacchain.experiments.sizes import PROFILES, Sizes
from jacchain.report import side_by_side
from jacchain.runs.assess import Assessment
from tests.report.examples import NASTY, NASTY_REASON, NUMBERS, evidence_of, panel, session, swept


@pytest.fixture(scope="session")
def figures():
    """One of each kind, by its kind."""
    strip = show.Mark("median", 0.1, (0.0, 0.2), "loss-first", np.array([-1.0, 0.5, 1.0]))
    ratio = show.Axis("theirs / ours (ratio)", "ratio")
    size = show.Axis("|z1| (elements)", "powers of 2")
    orders = swept(), swept("input-first", 1e-5)
    times = ("times", np.array([[1.0, np.nan], [20.0, 3e4]]))
    maps = times, ("formula", np.full((2, 2), 9.0))
    every = (
        show.Lines("lines", "Lines", "Three panels.", ((panel(), panel()), (panel(),))),
        show.Rows("rows", "Rows", "Two rows.", ("a", "b"), ((ratio, ((strip,), ())),)),
        show.Scatter("scatter", "Points", "One panel.", panel(), "equality"),
        show.Sweep("sweep", "Over |z1|", "Time over a size.", size, orders, numbers=NUMBERS),
        show.Plane("plane", "Ratios", "Maps.", maps, (4, 1000), (4, 8), ("|x|", "|z|", "ratio")),
    )
    return {figure.name: figure for figure in every}


@pytest.fixture(scope="session")
def experiments(figures):
    """A claim that agrees, a claim that is open, a model that is judged, a study that is not."""
    first, *others = figures.values()
    answer = ("One <sentence>.", show.Table("", (show.Column("what"),), (("an answer",),)))
    finding = Finding("Over |z1| the slope is 2.", "The cache.", "Then it is 1.", vanishes=True)
    judge = {"judge": lambda *_: ()}
    formulas = {"formulas": (("loss-first", 3),), "gradient_formulas": (("loss-first", True),)}
    beside = {"is_claim": False}
    said = {"answer": lambda *_: answer, "findings": lambda *_: (finding,)}
    return (
        Experiment("model", "Cells", "A model.", shows=lambda *_: (NUMBERS,), **judge, **beside),
        Experiment("C1", "Counting", "It is.", shows=lambda *_: others, **judge, **formulas),
        Experiment("C2", "Time", "Time grows.", **judge, **said),
        Experiment("study", "A study", "It shows.", shows=lambda *_: (first,), **beside),
    )


@pytest.fixture(scope="session")
def assessment(experiments):
    here = session(cpu_model=NASTY, l2_bytes=2**20, governor=None, clock_step_seconds=5.1e-8)
    verdicts = (
        judge("model", [Statement("It is near.", (exact("cells", 2, 3),))], 0.05),
        judge("C1", [Statement("It is 12.", (exact("products of 4 x 3", 12, 12),))], 0.05),
        judge("C2", [Statement("It <grows>.", (undecided("slope", NASTY_REASON),))], 0.05),
    )
    sampling = PROFILES["quick"]
    return Assessment(here, sampling, Sizes(), experiments, evidence_of(), *([verdicts] * 2))


@pytest.fixture
def compared(monkeypatch):
    """Return a function that compares two assessments, A and B."""

    def compare(a, b):
        monkeypatch.setattr(side_by_side, "assess", {"a": a, "b": b}.__getitem__)
        return side_by_side.compare_runs("a", "b")

    return compare


@pytest.fixture
def comparison(compared, assessment):
    """A run beside another: there input-first takes twice as long, and C2 agrees."""
    *others, last = assessment.verdicts
    slower = replace(
        assessment,
        session=session(cpu_model="another"),
        evidence=replace(evidence_of(inputs=6e-3), noise=Noise(0.08)),
        verdicts=(*others, replace(last, verdict="agrees")),
    )
    return compared(assessment, slower)
