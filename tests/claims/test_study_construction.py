"""Building Jacobians against multiplying without them: what is measured, and when it pays."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from pydantic import TypeAdapter

import jacchain as jc
from jacchain.claims import study_construction as study
from jacchain.claims.study_construction import DENSE, EXPERIMENT, FREE, MEMORY, MODES, STRUCTURED
from tests.claims.agreement import agree
from tests.claims.makers import QUICK, STANDARD, simulate


def law(series):
    """Building takes 8 ms and each vector 1 ms; without it each vector takes 2 ms."""
    vectors = int(series.cell.split(" of ")[1].split(",")[0])
    milliseconds = {FREE: 2 * vectors, study.ALONE: vectors}
    return 1e-3 * milliseconds.get(series.name, 8 + vectors)


@pytest.fixture(scope="module")
def whole():
    return simulate(EXPERIMENT, law)


@pytest.fixture
def small_networks(monkeypatch):
    """Small networks of the same kinds."""
    rng = np.random.default_rng(0)
    kernels, zeros = rng.normal(size=(2, 1, 3, 3)), np.zeros(2)
    layers = [
        jc.networks.ConvolutionLayer(kernels, zeros, (6, 6), "tanh", padding=1),
        jc.networks.AveragePoolingLayer(2, (6, 6), 2),
        jc.networks.AffineLayer(rng.normal(size=(3, 18)), np.zeros(3)),
    ]
    convolution = jc.networks.Network(layers, "cross_entropy")
    small = {"lenet-300-100": jc.mlp(6, 5, 4, rng=0), "lenet-5": convolution}
    monkeypatch.setattr(study, "load_network", lambda name, **_: small[name])
    study._passed.cache_clear()
    yield
    study._passed.cache_clear()


def test_quick_builds_no_dense_jacobian_of_a_large_network():
    quick, standard = ({cell.name for cell in study.cells(s)} for s in (QUICK, STANDARD))
    assert not any("lenet-5" in name and DENSE in name for name in quick)
    assert any("lenet-5" in name and DENSE in name for name in standard)
    assert all(any(f", {mode} of " in name for name in quick) for mode in MODES)
    assert quick < standard


@pytest.mark.usefixtures("small_networks")
@pytest.mark.parametrize("cell", study.cells(STANDARD), ids=lambda cell: cell.name)
def test_both_arms_give_the_same_and_building_takes_more(cell):
    assert agree(cell)
    explicit, other = cell.arms(np.dtype("float64"), 5)
    assert explicit.cost.multiplications > other.cost.multiplications > 0


def test_the_memory_is_that_of_the_forms():
    memory = study.measure_memory(0)
    kind = TypeAdapter(EXPERIMENT.checks[MEMORY].values)
    assert kind.validate_json(kind.dump_json(memory), strict=True) == memory
    dims = jc.networks.load_network("lenet-300-100", rng=0).dims[1:]
    dense = 8 * sum(m * n for m, n in pairwise(dims))
    assert memory[f"lenet-300-100, {DENSE}"].stored == dense
    for label, taken in memory.items():
        assert taken.allocated >= (taken.stored if FREE not in label else 1)
    for network in study.NETWORKS:
        stored = [memory[f"{network}, {form}"].stored for form in (FREE, STRUCTURED, DENSE)]
        assert stored == sorted(stored)


@pytest.mark.parametrize(
    ("building", "per_vector", "place"), [(8.0, 1.0, 8), (0.0, 1.0, 1), (0.0, 3.0, None)]
)
def test_an_explicit_form_pays_where_it_takes_as_long_as_matrix_free(
    whole, building, per_vector, place
):
    """Matrix-free takes 2 for each vector."""
    pair = whole.pair(study.name("lenet-5", "vjp", STRUCTURED, 1))
    seconds = [(n, (building + per_vector * n, 2.0 * n)) for n in (1, 4, 16, 64)]
    rows = [
        (n, *(replace(s, seconds=np.full((12, 1, 2), t)) for s, t in zip(pair, times, strict=True)))
        for n, times in seconds
    ]
    assert study.pays_from(rows) == (place and pytest.approx(place, rel=0.15))


def test_a_gain_at_one_vector_alone_does_not_pay(whole):
    """Gains of 1.02, 0.6 and 0.5: what is multiplied once may be lucky, and more vectors lose."""
    pair = whole.pair(study.name("lenet-5", "vjp", STRUCTURED, 1))

    def taking(*seconds):
        shape = (12, 1, 2)
        return [replace(s, seconds=np.full(shape, t)) for s, t in zip(pair, seconds, strict=True)]

    gains = {1: 1.02, 16: 0.6, 256: 0.5}
    assert study.pays_from([(n, *taking(1.0, gain)) for n, gain in gains.items()]) is None


def table(evidence):
    (lines,) = EXPERIMENT.shows(evidence, QUICK)
    return {row[0]: row[1:] for row in lines.numbers.rows}


def test_curves_and_the_place_from_which_building_pays(whole):
    (lines,) = EXPERIMENT.shows(whole, QUICK)
    panels = [panel for row in lines.panels for panel in row]
    assert [panel.title for panel in panels] == [
        f"{network}\n{direction}" for network in study.NETWORKS for direction in MODES.values()
    ]
    for panel in panels:
        forms = {curve.label: curve for curve in panel.curves}
        assert set(forms) == {FREE, STRUCTURED, *((DENSE,) if "300" in panel.title else ())}
        np.testing.assert_allclose(forms[FREE].y, [2e-3, 32e-3, 128e-3], rtol=0.05)
        np.testing.assert_array_equal(forms[FREE].x, (1, 16, 64))
        assert {level.label for level in panel.levels} == {
            f"{form}: pays from here" for form in forms if form != FREE
        }
        places = {level.look: level.value for level in panel.levels}
        assert places.keys() == {study.LOOKS[form] for form in forms if form != FREE}
        assert [*places.values()] == pytest.approx([8] * len(places), rel=0.35)  # between 1 and 16


def test_the_table_says_when_building_pays(whole):
    label = f"lenet-300-100, {DENSE}"
    rows = table(replace(whole, checks={MEMORY: {label: study.Memory(100, 200)}}))
    assert len(rows) == 2 * 3
    assert rows[label][:2] == pytest.approx((9e-3, 1e-3), rel=0.05)
    assert rows[label][2:] == ("10 vectors", "10 vectors", 100, 200)
    never = "not measured"
    assert rows[f"lenet-5, {DENSE}"] == (None, None, never, never, None, None)
    assert rows[f"lenet-5, {FREE}"] == (None, pytest.approx(2e-3, rel=0.05), *[None] * 4)


def test_what_never_pays_is_said_so():
    slow = simulate(EXPERIMENT, lambda s: law(s) / (100 if s.name == FREE else 1))
    assert table(slow)[f"lenet-5, {STRUCTURED}"][2].startswith("not up to 64: 5")
