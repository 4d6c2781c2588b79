"""Losses `l(z, target)` of a network's output `z`, and their derivatives `dl/dz`.

`value` and `row` take one output `(k,)` or a batch `(n, k)`, and a target of the same shape.
`value` also takes complex `z`, so that complex steps can check `row`.
"""

import operator
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from jacchain.chains.registry import Registry
from jacchain.inputs import short
from jacchain.networks.arrays import Array, as_array

_TARGET = "the target"


def _array_target(target: npt.ArrayLike, size: int, dtype: np.dtype[Any]) -> Array:
    """Return a target of the output's shape; of one output it may be a number."""
    if size == 1 and np.ndim(target) == 0:
        target = np.reshape(target, 1)
    return as_array(target, _TARGET, (size,), dtype)


@dataclass(frozen=True)
class Loss:
    """A scalar function of an output and a target.

    `as_target` validates and converts the target of one output: `(target, k, dtype) -> (k,)`; by
    default it takes any array of the output's shape.

    Examples
    --------
    >>> z, y = np.array([3.0, 1.0]), np.array([1.0, 1.0])
    >>> loss = as_loss("squared_error")
    >>> float(loss.value(z, y)), loss.row(z, y)
    (2.0, array([2., 0.]))
    """

    name: str
    value: Callable[[Array, Array], Any]  # l(z, target), `(..., k), (..., k) -> (...)`
    row: Callable[[Array, Array], Array]  # dl/dz, `(..., k), (..., k) -> (..., k)`
    as_target: Callable[[npt.ArrayLike, int, np.dtype[Any]], Array] = _array_target


def _squared_error(z: Array, target: Array) -> Any:
    return np.square(z - target).sum(axis=-1) / 2


def _shifted(z: Array) -> Array:
    """Return logits `(..., k)` shifted so that the largest exponential is 1.

    One farther below than the dtype reaches becomes minus infinity, whose exponential is 0 too.
    """
    with np.errstate(over="ignore"):
        return np.asarray(z - z.real.max(axis=-1, keepdims=True))


def _cross_entropy(z: Array, target: Array) -> Any:
    shifted = _shifted(z)
    log_sum = np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
    surprises = np.where(target == 0, 0, log_sum - shifted)  # 0 times infinity is 0 here
    return (target * surprises).sum(axis=-1)


def _cross_entropy_row(z: Array, target: Array) -> Array:
    weights = np.exp(_shifted(z))
    return np.asarray(weights / weights.sum(axis=-1, keepdims=True) - target)


def _cross_entropy_target(target: npt.ArrayLike, size: int, dtype: np.dtype[Any]) -> Array:
    if np.ndim(target) == 0:
        one_hot = np.zeros(size, dtype)
        one_hot[_class_index(target, size)] = 1
        return one_hot
    probabilities = as_array(target, _TARGET, (size,), dtype)
    total = probabilities.sum()
    if probabilities.min() < 0 or abs(total - 1) > size * np.sqrt(np.finfo(dtype).eps):
        message = (
            f"the target's smallest entry is {probabilities.min()} and its sum {total}; "
            "expected a class index, or probabilities >= 0 that sum to 1"
        )
        raise ValueError(message)
    return np.asarray(probabilities / total)


def _class_index(target: Any, size: int) -> int:
    try:  # of numpy's booleans an index is deprecated
        index = None if isinstance(target, bool | np.bool) else operator.index(target)
    except TypeError:
        index = None
    if index is None or not 0 <= index < size:
        message = f"the target is {short(target)}; expected a class index, from 0 to {size - 1}"
        raise ValueError(message)
    return index


LOSSES = Registry(
    "loss",
    {
        loss.name: loss
        for loss in (
            # l = 1/2 |z - y|^2, so that dl/dz = z - y
            Loss("squared_error", _squared_error, operator.sub),
            # l = - sum_j p_j log softmax(z)_j; p is a class index or probabilities
            Loss("cross_entropy", _cross_entropy, _cross_entropy_row, _cross_entropy_target),
        )
    },
)


def as_loss(loss: str | Loss) -> Loss:
    """Return a loss by name; a `Loss` is returned unchanged."""
    return loss if isinstance(loss, Loss) else LOSSES[loss]
