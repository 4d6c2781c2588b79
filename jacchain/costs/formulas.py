"""The article's formulas as symbolic expressions, for any number of layers."""

from typing import Any

import sympy

from jacchain.chains.bracketing import Bracketing
from jacchain.costs.closed_forms import terms


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


def gradient_formula(
    order: str = "loss-first", layers: int = 3, *, cache: bool = True
) -> sympy.Expr:
    """Scalar multiplications of the gradients by all weights and biases of affine layers.

    Each is a chain `dl/dz_L ... dz_{i+1}/dz_i dz_i/dW_i`, whose last factor has `z_i z_{i-1}`
    entries by the weights and `z_i` by the biases.

    - Loss-first with a cache, every adjoint `dl/dz_i` is computed once:
      `sum over i > 1 of z_i z_{i-1}`, and of each layer its own `z_i z_{i-1} + z_i`.
    - Loss-first without, that of layer i is computed for both of its parameters:
      `2 sum over i of sum over j > i of z_j z_{j-1}`, and the same of its own.
    - Input-first no product serves another gradient: each of the `n = z_i z_{i-1} + z_i` columns
      takes `z_{i+1} + sum over j > i + 1 of z_j z_{j-1} + z_L`, those of the last layer 1.

    Parameters
    ----------
    order : str
        ``"loss-first"`` or ``"input-first"``.
    layers : int
        At least 1.
    cache : bool
        Whether partial products are kept, and used again.

    Returns
    -------
    sympy.Expr
        In the symbols of `symbolic_dims`.

    Raises
    ------
    ValueError
        If there is no layer, or the order is another.

    Examples
    --------
    >>> gradient_formula(layers=2)
    x*z1 + 2*z1*z2 + z1 + z2
    >>> gradient_formula("input-first", layers=1)
    x*z1 + z1
    """
    _, *backwards = symbolic_dims(layers)
    sizes = backwards[::-1]  # the input first
    last = sizes[-1]
    area = {i: sizes[i] * sizes[i - 1] for i in range(1, layers + 1)}
    own = {i: area[i] + sizes[i] for i in area}
    if order == "loss-first":
        later = [sum(area[j] for j in area if j > i) for i in area]
        shared = later[0] if cache else 2 * sum(later)
        return sympy.expand(shared + sum(own.values()))
    if order != "input-first":
        message = f"unknown order {order!r}; known are loss-first, input-first"
        raise ValueError(message)
    columns = [
        own[i] * (sizes[i + 1] + sum(area[j] for j in area if j > i + 1) + last)
        for i in range(1, layers)
    ]
    return sympy.expand(sum(columns) + own[layers])


def general_gradient_formula(order: str = "loss-first", *, cache: bool = True) -> sympy.Expr:
    """The same for any number of layers, as sums over `z_i`, with `z_0` the input.

    Of each of its own gradients layer i is followed by i - 1 others, which in loss-first without a
    cache compute the adjoints behind it again: so its area counts `2 (i - 1)` times.

    Raises ValueError if the order is another.

    Parameters
    ----------
    order, cache
        As of `gradient_formula`, which raises for others.

    Returns
    -------
    sympy.Expr
        In the symbol `L` and the indexed `z`.

    Examples
    --------
    >>> general_gradient_formula()
    Sum(z[i - 1]*z[i], (i, 2, L)) + Sum(z[i - 1]*z[i] + z[i], (i, 1, L))
    """
    z = sympy.IndexedBase("z")
    i, j, L = sympy.symbols("i j L", integer=True, positive=True)
    own = z[i] * z[i - 1] + z[i]
    if order == "input-first":
        later = z[i + 1] + z[L] + sympy.Sum(z[j] * z[j - 1], (j, i + 2, L))
        return sympy.Sum(own * later, (i, 1, L - 1)) + z[L] * z[L - 1] + z[L]
    gradient_formula(order)  # raises for another order
    times = 1 if cache else 2 * (i - 1)
    return sympy.Sum(times * z[i] * z[i - 1], (i, 2, L)) + sympy.Sum(own, (i, 1, L))


def symbolic_dims(layers: int = 3) -> tuple[Any, ...]:
    """Dims of a network as symbols, loss first.

    Raises ValueError if there is no layer.

    Parameters
    ----------
    layers : int
        At least 1.

    Returns
    -------
    tuple
        1 and the symbols ``zL``, ..., ``z1``, ``x``, all positive integers.

    Examples
    --------
    >>> symbolic_dims(2)
    (1, z2, z1, x)
    """
    if layers < 1:
        message = f"{layers} layers: a network has at least one"
        raise ValueError(message)
    names = [*(f"z{layer}" for layer in range(layers, 0, -1)), "x"]
    return (sympy.Integer(1), *sympy.symbols(names, positive=True, integer=True))
