"""A good call of every public name, and values that no good call has."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import scipy.sparse

import jacchain as jc
from jacchain import jacobians, networks

REFERENCE = Path(__file__).parents[2] / "results" / "reference"


@dataclass(frozen=True)
class Call:
    """A function with arguments that it takes."""

    function: Callable[..., Any]
    args: tuple[Any, ...] = ()
    options: dict[str, Any] = field(default_factory=dict)

    def __call__(self):
        return self.function(*self.args, **self.options)

    def values(self):
        return [*enumerate(self.args), *self.options.items()]

    def with_values(self, changed):
        """Return the call with other values at some places."""
        values = dict(self.values()) | changed
        args = tuple(value for place, value in values.items() if isinstance(place, int))
        return replace(self, args=args, options={n: values[n] for n in self.options})


def ones(*shape):
    return np.ones(shape)


NETWORK = jc.mlp(3, 4, 2, rng=0)
CLASSES = jc.mlp(3, 4, 2, loss="cross_entropy", rng=0)
RECURRENT = networks.Network([networks.RecurrentLayer(ones(2, 3), ones(2, 2), ones(2), steps=2)])
CHAIN = jc.random_chain((1, 4, 3, 2), rng=0)
PATTERN = jacobians.Pattern([0, 1, 2], [1, 0], 3)
DENSE = jacobians.DenseJacobian(ones(3, 2))


def recurrent(layer, gates):
    biases = gates + (layer is networks.GRULayer)
    weights = ones(gates * 2, 3), ones(gates * 2, 2), ones(biases * 2)
    return Call(layer, weights, {"steps": 2, "sequence": False})


def pooling(layer):
    return Call(layer, (2, (4, 4), 2, 1), {"padding": 0, "ceil": False, "dtype": "float64"})


def ignore(*_, **__):
    return 0


# Some are called twice: a chain or several, sizes or networks.
CALLS = {
    "Chain": [Call(jc.Chain, ([ones(1, 3), DENSE],), {"check_finite": True})],
    "Plan": [Call(jc.Plan, tuple(vars(jc.plan((1, 3, 2))).values())[:7])],
    "batch_chain": [Call(jc.batch_chain, (NETWORK, ones(5, 3), ones(5, 2)), {"shared": True})],
    "batch_gradients": [
        Call(jc.batch_gradients, (NETWORK, ones(5, 3), ones(5, 2))),
        Call(jc.batch_gradients, (CLASSES, ones(5, 3), [0, 1, 0, 1, 1])),
    ],
    "count": [Call(jc.count, (CHAIN, "input-first"), {"cache": True})],
    "evaluate": [
        Call(jc.evaluate, (CHAIN, "optimal"), {"engine": "numpy", "cache": True}),
        Call(jc.evaluate, ({"x": CHAIN, "y": CHAIN}, "loss-first"), {"cache": False}),
        Call(jc.evaluate, (CHAIN, ((0, 1), 2))),
    ],
    "evaluator": [Call(jc.evaluator, (CHAIN, "optimal"), {"engine": "numpy", "cache": True})],
    "formula": [Call(jc.formula, ("loss-first", 3))],
    "gradient_formula": [Call(jc.gradient_formula, ("loss-first", 3), {"cache": True})],
    "gradients": [Call(jc.gradients, (NETWORK, ones(3), ones(2)))],
    "gradients_evaluator": [Call(jc.gradients_evaluator, (NETWORK, ones(5, 3), ones(5, 2)))],
    "jvp": [Call(jc.jvp, (NETWORK, ones(3), ones(2, 3)))],
    "latex": [Call(jc.latex, ("loss-first", 3))],
    "mlp": [Call(jc.mlp, (3, 4, 2), {"activation": "tanh", "output": "identity", "rng": 0})],
    "measure": [Call(jc.measure, (CHAIN, ["loss-first", "input-first"]), {"blocks": 6, "rng": 0})],
    "plot": [Call(jc.plot, (str(REFERENCE),), {"target": "folder"})],
    "run": [
        Call(jc.run, (["C3"],), {"profile": "quick", "threads": 1, "dtype": "float64"}),
        Call(jc.run, ((),), {"dims": (1, 4, 3), "out": "folder", "fresh": False}),
    ],
    "plan": [
        Call(jc.plan, ((1, 4, 3, 2), "optimal"), {"cache": True, "dtype": "float32"}),
        Call(jc.plan, (CHAIN, "input-first")),
        Call(jc.plan, ({"x": CHAIN, "y": CHAIN}, "loss-first"), {"cache": False}),
        Call(jc.plan, (NETWORK,)),
    ],
    "random_chain": [Call(jc.random_chain, ((1, 4, 3),), {"dtype": "float32", "rng": 0})],
    "read_results": [Call(jc.read_results, (str(REFERENCE),), {"samples": False})],
    "register_engine": [Call(jc.register_engine, ("another", ignore))],
    "register_planner": [Call(jc.register_planner, ("another", ignore))],
    "unrolled_chain": [Call(jc.unrolled_chain, (RECURRENT, ones(6), ones(2)))],
    "vjp": [Call(jc.vjp, (NETWORK, ones(3), ones(2, 2)))],
    "networks.Activation": [Call(networks.Activation, ("square", np.square, ignore))],
    "networks.AffineLayer": [Call(networks.AffineLayer, (ones(2, 3), ones(2), "tanh"))],
    "networks.AveragePoolingLayer": [pooling(networks.AveragePoolingLayer)],
    "networks.ConvolutionLayer": [
        Call(
            networks.ConvolutionLayer,
            (ones(2, 1, 2, 2), ones(2), (4, 4), "relu"),
            {"stride": 1, "padding": 0, "dilation": 1, "groups": 1},
        )
    ],
    "networks.FlattenLayer": [Call(networks.FlattenLayer, ((2, 3), (1, 0)), {"dtype": "float64"})],
    "networks.GRULayer": [recurrent(networks.GRULayer, 3)],
    "networks.LSTMLayer": [recurrent(networks.LSTMLayer, 4)],
    "networks.LayerNormalisation": [
        Call(networks.LayerNormalisation, (ones(3), ones(3)), {"epsilon": 1e-5})
    ],
    "networks.Loss": [Call(networks.Loss, ("mine", ignore, ignore, ignore))],
    "networks.MaxPoolingLayer": [pooling(networks.MaxPoolingLayer)],
    "networks.Network": [Call(networks.Network, (NETWORK.layers, "squared_error"))],
    "networks.RecurrentLayer": [recurrent(networks.RecurrentLayer, 1)],
    "networks.ResidualLayer": [
        Call(networks.ResidualLayer, ([networks.AffineLayer(ones(3, 3), ones(3))],))
    ],
    "networks.accuracy": [Call(networks.accuracy, (CLASSES, ones(5, 3), [0, 1, 0, 1, 1]))],
    "networks.load_network": [
        Call(networks.load_network, ("lenet-5",), {"rng": 0, "dtype": "float32"})
    ],
    "networks.step": [Call(networks.step, (NETWORK, jc.gradients(NETWORK, ones(3), ones(2)), 0.1))],
    "networks.train": [
        Call(
            networks.train,
            (CLASSES, ones(5, 3), [0, 1, 0, 1, 1]),
            {"learning_rate": 0.1, "epochs": 1, "batch_size": 2, "rng": 0},
        )
    ],
    "jacobians.BlockDiagonalJacobian": [Call(jacobians.BlockDiagonalJacobian, (ones(2, 2), 3))],
    "jacobians.DenseJacobian": [Call(jacobians.DenseJacobian, (ones(2, 2),))],
    "jacobians.DiagonalJacobian": [Call(jacobians.DiagonalJacobian, (ones(2),))],
    "jacobians.IdentityJacobian": [Call(jacobians.IdentityJacobian, (3, "float32"))],
    "jacobians.KroneckerJacobian": [Call(jacobians.KroneckerJacobian, (ones(2), 3))],
    "jacobians.Pattern": [Call(jacobians.Pattern, ([0, 1, 2], [1, 0], 3))],
    "jacobians.SelectionJacobian": [Call(jacobians.SelectionJacobian, (PATTERN, "float32"))],
    "jacobians.SparseJacobian": [Call(jacobians.SparseJacobian, (PATTERN, ones(2)))],
    "jacobians.Structure": [Call(jacobians.Structure, ((2, 2), "dense", None, 1))],
    "jacobians.multiply": [
        Call(jacobians.multiply, (DENSE, jacobians.DenseJacobian(ones(2, 3))), {"out": ones(9)})
    ],
}


class Other:
    """An object of a kind that nothing here takes."""


class Array(np.ndarray):
    """A subclass of numpy's array."""


def strided(array):
    return np.repeat(array, 2, axis=-1)[..., ::2]


def read_only(array):
    array.flags.writeable = False
    return array


# What numpy would take, and what no argument means.
UNFIT_ARRAYS = (
    np.ma.masked_array([1.0, 2.0, 3.0], [True, False, False]),
    np.array([1 + 2j, 3]),
    np.array([None, 1.0], object),
    np.array(["a", "b"]),
    np.array([b"a"]),
    np.zeros(3, [("a", float), ("b", int)]),
    np.array(["2020-01-01"], "datetime64[D]"),
    np.array([3], "timedelta64[s]"),
    np.zeros(0),
    np.zeros((0, 3)),
    np.zeros((2, 0)),
    pd.Series(["a", None]),
    pd.Categorical(["a"]),
)
BAD_ARRAYS = (
    *UNFIT_ARRAYS,
    np.array([[1.0, np.nan, np.inf]]),
    np.full((3, 3), 1e308),
    np.full((2, 3), 5e-324),
    np.float64(2.0),
    np.array(2.0),
    ones(2, 2, 2),
    ones(1, 1, 1, 1, 1),
    ones(3).astype(np.float16),
    ones(3).astype(np.longdouble),
    ones(3, 3).astype(">f8"),
    np.asfortranarray(ones(3, 2)),
    ones(6, 6)[::2, ::3],
    ones(3)[::-1],
    np.broadcast_to(1.0, (3, 3)),
    np.broadcast_to(1.0, (2**20, 2**20)),
    read_only(ones(3)),
    ones(3).view(Array),
    np.array([True, False]),
    np.array([2**63], np.uint64),
    np.arange(3, dtype=np.int8),
    pd.Series([1.0, 2.0, 3.0]),
    pd.Series([1, None], dtype="Int64"),
    pd.DataFrame({"a": [1.0], "b": [2.0]}),
    scipy.sparse.csr_array(ones(2, 3)),
    scipy.sparse.coo_matrix(ones(3, 3)),
    scipy.sparse.csr_array((3, 3)),
)
BAD_VALUES = (
    None,
    ...,
    NotImplemented,
    True,
    False,
    0,
    -1,
    1,
    2,
    10**3,
    2**31,
    2**63,
    10**30,
    10**400,
    -(10**30),
    0.0,
    -0.0,
    1.5,
    float("nan"),
    float("inf"),
    -float("inf"),
    1e-320,
    1e308,
    1 + 2j,
    "",
    " ",
    "x" * 100_000,
    "loss-first",
    "tanh",
    "same",
    "\x1b[31mred",
    "\ud800",
    "\0",
    "float16",
    "complex128",
    ">f8",
    b"bytes",
    bytearray(8),
    memoryview(bytes(8)),
    Path("nowhere"),
    (),
    [],
    {},
    set(),
    frozenset({1, 2}),
    (None,),
    [[]],
    [1, "a"],
    [[1.0], [1.0, 2.0]],
    (1.5, 2.5),
    (0, 1),
    (1, (2, 3)),
    ((0, 1), 1),
    ((0, 1), (2, 3)),
    (True, False),
    (3, -1),
    (2**63, 2**63),
    (10**30, 10**30),
    (1, 10**6, 10**6),
    {"x": 1.0},
    {"x": None},
    {1: CHAIN},
    {None: CHAIN},
    range(3),
    range(2**70),
    slice(3),
    len,
    int,
    float,
    np.float32,
    np.dtype(">f8"),
    np.random.default_rng(0),
    Other(),
    Other,
    jc,
    ValueError("a value"),
    CHAIN,
    NETWORK,
    DENSE,
    PATTERN,
    NETWORK.layers,
    jc.plan(CHAIN),
    jc.plan((1, 5, 3)),
    np.int64(3),
    np.int8(-1),
    np.bool_(True),
    np.str_("optimal"),
)
# Other forms of the same array.
FORMS = {
    "Fortran": np.asfortranarray,
    "strided": strided,
    "reversed twice": lambda array: np.flip(np.flip(array).copy()),
    "read-only": lambda array: read_only(array.copy()),
    "a subclass": lambda array: array.view(Array),
    "a list": np.ndarray.tolist,
    "integers": lambda array: array.astype(np.int16),
}
