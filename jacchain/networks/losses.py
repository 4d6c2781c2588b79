"""Losses `l(z, target)` of a network's output `z`, with their row `dl/dz`.

`value` and `row` work on the last axis: on one output `(k,)` or on a batch `(n, k)`, the target
having the same shape. `value` also takes complex `z`, so that complex steps can check `row`.
"""

from __future__ import annotations

import operator
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from jacchain.networks.arrays import Array, as_array

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_TARGET = "the target"


@dataclass(frozen=True)
class Loss:
    """A scalar function of an output and a target.

    Attributes
    ----------
    name
        Its name in `LOSSES`.
    value
        `(z, target) -> l`, of shapes `(..., k), (..., k) -> (...)`.
    row
        `(z, target) -> dl/dz`, of shapes `(..., k), (..., k) -> (..., k)`.
    as_target
        `(target, k, dtype) -> (k,)`: the target of one output, validated and converted.
    """

    name: str
    value: Callable[[Array, Array], Any]
    row: Callable[[Array, Array], Array]
    as_target: Callable[[npt.ArrayLike, int, np.dtype[Any]], Array]


def _squared_error(z: Array, target: Array) -> Any:
    return np.square(z - target).sum(axis=-1) / 2


def _squared_error_target(target: npt.ArrayLike, size: int, dtype: np.dtype[Any]) -> Array:
    return as_array(target, _TARGET, (size,), dtype)


def _shifted(z: Array) -> Array:
    shifted: Array = z - z.real.max(axis=-1, keepdims=True)
    return shifted  # the largest exponential is then 1


def _cross_entropy(z: Array, target: Array) -> Any:
    shifted = _shifted(z)
    log_sum = np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
    return (target * (log_sum - shifted)).sum(axis=-1)


def _cross_entropy_row(z: Array, target: Array) -> Array:
    weights = np.exp(_shifted(z))
    row: Array = weights / weights.sum(axis=-1, keepdims=True) - target
    return row


def _cross_entropy_target(target: npt.ArrayLike, size: int, dtype: np.dtype[Any]) -> Array:
    if np.ndim(target) == 0:
        one_hot = np.zeros(size, dtype)
        one_hot[_class_index(target, size)] = 1
        return one_hot
    probabilities = as_array(target, _TARGET, (size,), dtype)
    total = probabilities.sum()
    if probabilities.min() < 0 or abs(total - 1) > size * np.sqrt(np.finfo(dtype).eps):
        msg = (
            f"the target's smallest entry is {probabilities.min()} and its sum {total}; "
            "expected a class index, or probabilities >= 0 that sum to 1"
        )
        raise ValueError(msg)
    return np.asarray(probabilities / total)


def _class_index(target: Any, size: int) -> int:
    try:
        index = operator.index(target)
    except TypeError:
        index = None
    if index is None or isinstance(target, bool) or not 0 <= index < size:
        msg = f"the target is {target!r}; expected a class index, an integer from 0 to {size - 1}"
        raise ValueError(msg)
    return index


LOSSES: Mapping[str, Loss] = MappingProxyType(
    {
        loss.name: loss
        for loss in (
            # l = 1/2 |z - y|^2, so that dl/dz = z - y; y has the output's shape
            Loss("squared_error", _squared_error, operator.sub, _squared_error_target),
            # l = - sum_j p_j log softmax(z)_j of the logits z; p is a class index or probabilities
            Loss("cross_entropy", _cross_entropy, _cross_entropy_row, _cross_entropy_target),
        )
    }
)


def as_loss(loss: str | Loss) -> Loss:
    """Return the loss of that name; a `Loss` is returned as it is.

    Raises
    ------
    ValueError
        If no loss has that name.

    Examples
    --------
    >>> z, y = np.array([3.0, 1.0]), np.array([1.0, 1.0])
    >>> loss = as_loss("squared_error")
    >>> float(loss.value(z, y)), loss.row(z, y)
    (2.0, array([2., 0.]))
    >>> as_loss("hinge")
    Traceback (most recent call last):
        ...
    ValueError: unknown loss 'hinge'; known: cross_entropy, squared_error
    """
    if isinstance(loss, Loss):
        return loss
    if loss not in LOSSES:
        msg = f"unknown loss {loss!r}; known: {', '.join(sorted(LOSSES))}"
        raise ValueError(msg)
    return LOSSES[loss]
