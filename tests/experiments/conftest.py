"""What tests of comparisons share: verdicts, and two ways that are as small as can be."""

import pytest

from jacchain.analysis.verdicts import judge
from jacchain.cost import Cost
from jacchain.experiments.comparison import Comparison, Way
from jacchain.experiments.registry import experiments
from jacchain.experiments.simulated import QUICK


@pytest.fixture(scope="session")
def judged():
    """A function: the verdict on a claim."""

    def verdict(claim, evidence, profile=QUICK):
        parts = experiments()[claim].judge(evidence, profile)
        return judge(claim, parts, evidence.noise_floor)

    return verdict


@pytest.fixture(scope="session")
def work():
    """2 products, 24 multiplications, 20 of them row by matrix, 400 bytes."""
    return Cost(
        products=2,
        multiplications=24,
        row_multiplications=20,
        bytes=400,
        held_bytes=200,
        peak_bytes=48,
    )


@pytest.fixture(scope="session")
def make_comparison(work):
    """A function: the comparison of two ways whose calls return what is given."""

    def make(first, second, *, works=(work, work), names=("slowly", "quickly"), sweep=""):
        ways = tuple(
            Way(label, work, lambda result=result: lambda: result)
            for label, work, result in zip(names, works, (first, second), strict=True)
        )
        return Comparison("C0 sum", (1, 4, 3, 2), lambda _dtype, _seed: ways, sweep)

    return make


@pytest.fixture(scope="session")
def small_grids():
    """A function: of each kind of comparison of a claim a small one."""

    def second_of_each(claim):
        sweeps = {}
        for of in experiments()[claim].comparisons(QUICK):
            sweeps.setdefault(of.sweep or of.name, []).append(of)
        return [several[min(1, len(several) - 1)] for several in sweeps.values()]

    return second_of_each
