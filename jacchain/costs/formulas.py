"""The article's formulas as symbolic expressions, for any number of layers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sympy

from jacchain.costs.closed_forms import terms

if TYPE_CHECKING:
    from jacchain.chains.bracketing import Bracketing


def formula(order: str | Bracketing, layers: int = 3) -> sympy.Expr:
    """Scalar multiplications of an order, as a sympy expression.

    Parameters
    ----------
    order : str or nested pairs of int
        ``"loss-first"``, ``"input-first"`` or a bracketing of ``layers + 1`` factors.
    layers : int
        Layers of the network, at least 1.

    Returns
    -------
    sympy.Expr
        In the positive integers ``zL``, ..., ``z1`` and ``x``, as given by `symbolic_dims`.

    Raises
    ------
    ValueError
        If there is no layer, or the order has no closed form or is none of so many layers.

    Examples
    --------
    >>> formula("loss-first")
    x*z1 + z1*z2 + z2*z3
    >>> formula("input-first")
    x*z1*z2 + x*z2*z3 + x*z3
    >>> formula(((0, 1), (2, 3)))
    x*z1*z2 + x*z2 + z2*z3
    """
    return sympy.Add(*(sympy.Mul(*term) for term in terms(order, symbolic_dims(layers))))


def latex(order: str | Bracketing, layers: int = 3) -> str:
    """Write the formula as LaTeX, its terms in the article's sequence.

    Parameters
    ----------
    order, layers
        As for `formula`.

    Returns
    -------
    str
        Without dollar signs; matplotlib understands it too.

    Raises
    ------
    ValueError
        As `formula`.

    Examples
    --------
    >>> print(latex("loss-first"))
    |z_{3}| |z_{2}| + |z_{2}| |z_{1}| + |z_{1}| |x|
    """
    return " + ".join(
        " ".join(f"|{sympy.latex(size)}|" for size in term if size != 1)
        for term in terms(order, symbolic_dims(layers))
    )


def symbolic_dims(layers: int = 3) -> tuple[Any, ...]:
    """Dims of a network as symbols, loss first.

    Parameters
    ----------
    layers : int
        At least 1.

    Returns
    -------
    tuple
        1 and the symbols ``zL``, ..., ``z1``, ``x``, all positive integers.

    Raises
    ------
    ValueError
        If there is no layer.

    Examples
    --------
    >>> symbolic_dims(2)
    (1, z2, z1, x)
    """
    if layers < 1:
        msg = f"{layers} layers: a network has at least one"
        raise ValueError(msg)
    names = [*(f"z{layer}" for layer in range(layers, 0, -1)), "x"]
    return (sympy.Integer(1), *sympy.symbols(names, positive=True, integer=True))
