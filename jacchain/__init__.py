"""What each order of multiplying a Jacobian chain costs: by formula, count and measurement."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from jacchain.chains.chain import Chain, random_chain
from jacchain.chains.count import count
from jacchain.chains.evaluate import evaluate, evaluator, register_engine
from jacchain.chains.planners import plan, register_planner
from jacchain.jacobians.dense import DenseJacobian
from jacchain.jacobians.diagonal import (
    BlockDiagonalJacobian,
    DiagonalJacobian,
    IdentityJacobian,
    KroneckerJacobian,
)
from jacchain.jacobians.pattern import Pattern
from jacchain.jacobians.sparse import SelectionJacobian, SparseJacobian
from jacchain.networks import zoo
from jacchain.networks.batches import batch_chain
from jacchain.networks.convolution import ConvolutionLayer
from jacchain.networks.flatten import FlattenLayer
from jacchain.networks.gradients import batch_gradients, gradients, gradients_evaluator
from jacchain.networks.layers import AffineLayer
from jacchain.networks.matrix_free import jvp, vjp
from jacchain.networks.mlp import mlp
from jacchain.networks.network import Network
from jacchain.networks.normalisation import LayerNormalisation
from jacchain.networks.pooling import AveragePoolingLayer, MaxPoolingLayer
from jacchain.networks.recurrent import LSTMLayer, RecurrentLayer
from jacchain.networks.residual import ResidualLayer
from jacchain.networks.training import accuracy, step, train
from jacchain.networks.unrolled import unrolled_chain

if TYPE_CHECKING:
    from jacchain.costs.formulas import formula, gradient_formula, latex
    from jacchain.records.load import load

__version__ = "0.1.0"

__all__ = [
    "AffineLayer",
    "AveragePoolingLayer",
    "BlockDiagonalJacobian",
    "Chain",
    "ConvolutionLayer",
    "DenseJacobian",
    "DiagonalJacobian",
    "FlattenLayer",
    "IdentityJacobian",
    "KroneckerJacobian",
    "LSTMLayer",
    "LayerNormalisation",
    "MaxPoolingLayer",
    "Network",
    "Pattern",
    "RecurrentLayer",
    "ResidualLayer",
    "SelectionJacobian",
    "SparseJacobian",
    "accuracy",
    "batch_chain",
    "batch_gradients",
    "count",
    "evaluate",
    "evaluator",
    "formula",
    "gradient_formula",
    "gradients",
    "gradients_evaluator",
    "jvp",
    "latex",
    "load",
    "mlp",
    "plan",
    "random_chain",
    "register_engine",
    "register_planner",
    "step",
    "train",
    "unrolled_chain",
    "vjp",
    "zoo",
]

# Loaded when first asked for: sympy and pandas take longer to import than all the rest.
_LAZY = {
    "formula": "jacchain.costs.formulas",
    "gradient_formula": "jacchain.costs.formulas",
    "latex": "jacchain.costs.formulas",
    "load": "jacchain.records.load",
}


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        message = f"module 'jacchain' has no attribute {name!r}"
        raise AttributeError(message)
    return getattr(import_module(_LAZY[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_LAZY])
