"""The public face: what it lists is there, and its parts agree with each other."""

import re
from dataclasses import replace
from importlib.metadata import version

import numpy as np
import pytest

import jacchain as jc

NETWORK = jc.mlp(12, 9, 7, 4, activation="tanh", loss="cross_entropy", rng=0)
POINT = np.linspace(-1, 1, 12), 2
CHAIN = NETWORK.chain(*POINT)


def test_every_name_is_there_and_listed():
    assert len(jc.__all__) <= 26
    assert sorted(jc.__all__) == list(jc.__all__)
    assert set(jc.__all__) <= set(dir(jc))
    assert all(getattr(jc, name) is not None for name in jc.__all__)


def test_other_names_are_not_there():
    with pytest.raises(AttributeError, match="module 'jacchain' has no attribute 'backprop'"):
        _ = jc.backprop


def test_the_version_is_that_of_the_package():
    assert jc.__version__ == version("jacchain")


@pytest.mark.parametrize("order", ["loss-first", "input-first", "optimal", ((0, 1), (2, 3))])
def test_every_order_gives_the_gradient(order):
    row = jc.evaluate(CHAIN, order)
    assert row.shape == (1, 12)
    np.testing.assert_allclose(row[0], jc.gradients(NETWORK, *POINT)["x"], rtol=1e-12)


@pytest.mark.parametrize("order", ["loss-first", "input-first"])
def test_the_count_is_the_formula_is_the_plan(order):
    symbolic, sizes = jc.formula(order, layers=3), {"z3": 4, "z2": 7, "z1": 9, "x": 12}
    formula = symbolic.subs({symbol: sizes[symbol.name] for symbol in symbolic.free_symbols})
    assert jc.count(CHAIN, order) == formula == jc.plan(CHAIN, order).multiplications
    assert jc.plan(CHAIN.dims, order).multiplications == formula


NET = jc.mlp(3, 2, rng=0)
EYE = jc.jacobians.DenseJacobian(np.eye(3))
HUGE = jc.networks.Network([jc.networks.AffineLayer(np.full((2, 3), 1e300), [0.0, 0.0])])
ROW = jc.Chain([[[1.0, 2.0]], [[1.0], [2.0]]])
UNFIT = {
    "the network is None; expected Network": lambda: jc.vjp(None, [1], [1]),
    "the network is 'net'; expected Network": lambda: jc.gradients_evaluator("net", [1], [1]),
    "the engine is None; expected what can be called": lambda: jc.register_engine("none", None),
    "the planner is 3; expected what can be called": lambda: jc.register_planner("three", 3),
    "the chain, or the chains by name, is None; expected Mapping": lambda: jc.evaluate(None),
    "chain 'a' is [[1]]; expected Chain": lambda: jc.count({"a": [[1]]}),
    "the factors are None; expected several": lambda: jc.Chain(None),
    "factor 0: array 'a' has dtype <U1": lambda: jc.Chain("ab"),
    "sizes (True, 2): expected integers": lambda: jc.mlp(True, 2),
    "sizes (1, 2.5, 3): expected integers": lambda: jc.plan((1, 2.5, 3)),
    "layers [None]: expected integers": lambda: jc.formula("loss-first", None),
    "1000000000 layers: expected 1 to 1,000": lambda: jc.formula("loss-first", 10**9),
    "201 layers: expected 1 to 200": lambda: jc.gradient_formula("input-first", 201),
    "cache is 'no'; expected True or False": lambda: jc.plan((1, 2, 3), cache="no"),
    "check_finite is None; expected True or False": lambda: jc.Chain([[[1.0]]], check_finite=None),
    "shared is 1; expected True or False": lambda: jc.batch_chain(
        NET, [[1] * 3], [[1, 1]], shared=1
    ),
    "ceil is 2; expected True": lambda: jc.networks.MaxPoolingLayer(1, 4, 2, ceil=2),
    "rng is 'seed'; expected an integer of at least 0": lambda: jc.mlp(2, 2, rng="seed"),
    "rng is ndarray of shape (3, 3)": lambda: jc.random_chain((1, 2, 3), rng=np.eye(3)),
    "the layers hold None; expected Layer": lambda: jc.networks.Network([None]),
    "the layers are 3; expected several of Layer": lambda: jc.networks.ResidualLayer(3),
    "sizes are range(0, 1180591620717411303424), more than": lambda: jc.plan(range(2**70)),
    "dtype None: expected float32 or float64": lambda: jc.random_chain((1, 2, 3), dtype=None),
    "a shape of 3 sizes, (1, 2, 3)": lambda: jc.jacobians.Structure((1, 2, 3)),
    "an operand is None; expected Jacobian": lambda: jc.jacobians.multiply(None, None),
    "out is ndarray of shape (3, 3)": lambda: jc.jacobians.multiply(EYE, EYE, out=np.ones((3, 3))),
    "2 chains, 1 bracketings, 0 names": lambda: replace(jc.plan((1, 2, 3)), places=((0,), (1,))),
    "places (0, 2) among 2 factors": lambda: replace(jc.plan((1, 2, 3)), places=((0, 2),)),
    "epochs is 0 and batch_size 2": lambda: jc.networks.train(
        NET, [[1] * 3], [[1, 1]], learning_rate=0.1, epochs=0, batch_size=2
    ),
    "the learning rate 'fast' has dtype": lambda: jc.networks.step(NET, {}, "fast"),
    "the path is 3; expected": lambda: jc.read_results(3),
    "the derivative by W1 is beyond float64": lambda: jc.gradients(HUGE, [1e300] * 3, [1, 1]),
    "the derivative by x is beyond float64": lambda: jc.vjp(HUGE, [1.0] * 3, [1e300, 1e300]),
    "the input 'abc' has dtype <U3": lambda: jc.gradients(NET, "abc", [1, 2]),
    "chains of float32 and float64: expected one type for all": lambda: jc.evaluate(
        {"a": ROW, "b": jc.Chain([f.to_dense().astype("float32") for f in ROW.factors])}
    ),
}


@pytest.mark.parametrize("message", UNFIT)
def test_what_is_unfit_is_named_with_its_value(message):
    with pytest.raises((TypeError, ValueError), match=re.escape(message)):
        UNFIT[message]()


@pytest.mark.parametrize("sizes", [(1, 10**6, 10**6), (1, 10**30)])
def test_what_takes_more_memory_than_there_is_is_refused_before_it_is_taken(sizes):
    for make in (lambda: jc.mlp(*sizes), lambda: jc.random_chain(sizes)):
        with pytest.raises(MemoryError, match=r"takes .* GiB, and .* GiB are available; make it"):
            make()


def test_a_network_is_planned_by_its_dims():
    network = jc.mlp(4, 3, 2, rng=0, dtype="float32")
    assert jc.plan(network, "input-first") == jc.plan((1, 2, 3, 4), "input-first", dtype="float32")


def test_only_public_names_are_listed():
    assert dir(jc) == sorted(jc.__all__)
