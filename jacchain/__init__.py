"""What each order of multiplying a Jacobian chain costs: by formula, count and measurement."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from jacchain import jacobians, networks
from jacchain.chains.chain import Chain, random_chain
from jacchain.chains.count import count
from jacchain.chains.evaluate import evaluate, evaluator, register_engine
from jacchain.chains.plan import Plan
from jacchain.chains.planners import plan, register_planner
from jacchain.networks import (
    batch_chain,
    batch_gradients,
    gradients,
    gradients_evaluator,
    jvp,
    mlp,
    unrolled_chain,
    vjp,
)

if TYPE_CHECKING:
    from jacchain.costs.formulas import formula, gradient_formula, latex
    from jacchain.experiments.measurement import measure
    from jacchain.records.table import read_results
    from jacchain.report.publish import plot
    from jacchain.report.session import run

__version__ = "0.1.0"

__all__ = [
    "Chain",
    "Plan",
    "batch_chain",
    "batch_gradients",
    "count",
    "evaluate",
    "evaluator",
    "formula",
    "gradient_formula",
    "gradients",
    "gradients_evaluator",
    "jacobians",
    "jvp",
    "latex",
    "measure",
    "mlp",
    "networks",
    "plan",
    "plot",
    "random_chain",
    "read_results",
    "register_engine",
    "register_planner",
    "run",
    "unrolled_chain",
    "vjp",
]

# Loaded when first asked for: sympy and pandas take longer to import than all the rest.
_LAZY = {
    "formula": "jacchain.costs.formulas",
    "gradient_formula": "jacchain.costs.formulas",
    "latex": "jacchain.costs.formulas",
    "measure": "jacchain.experiments.measurement",
    "plot": "jacchain.report.publish",
    "read_results": "jacchain.records.table",
    "run": "jacchain.report.session",
}


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        message = f"module 'jacchain' has no attribute {name!r}"
        raise AttributeError(message)
    return getattr(import_module(_LAZY[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
