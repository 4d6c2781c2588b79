"""The numeric product of two Jacobians: one table, keyed by both kinds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from jacchain.jacobians.matrices import DenseJacobian, Jacobian
from jacchain.jacobians.structure import check_fit

if TYPE_CHECKING:
    from collections.abc import Callable


def multiply(a: Jacobian, b: Jacobian) -> Jacobian:
    """Product of two Jacobians; pairs of kinds without a rule are multiplied as dense.

    Parameters
    ----------
    a, b : Jacobian
        Of shapes (m, k) and (k, n).

    Returns
    -------
    Jacobian
        Of shape (m, n), and of the structure that `jacchain.jacobians.structure.product` says.

    Raises
    ------
    ValueError
        If the shapes do not fit.

    Examples
    --------
    >>> multiply(DenseJacobian(np.ones((1, 2))), DenseJacobian(np.ones((2, 3)))).to_dense()
    array([[2., 2., 2.]])
    """
    check_fit(a.structure, b.structure)
    return _RULES.get((a.structure.kind, b.structure.kind), _dense_dense)(a, b)


def _dense_dense(a: Jacobian, b: Jacobian) -> Jacobian:
    return DenseJacobian(np.matmul(a.to_dense(), b.to_dense()))


_RULES: dict[tuple[str, str], Callable[[Jacobian, Jacobian], Jacobian]] = {
    ("dense", "dense"): _dense_dense,
}
