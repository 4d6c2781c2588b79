"""The article's formulas as symbolic expressions, for any number of layers."""

from collections.abc import Sequence
from itertools import pairwise, product
from typing import Any

import sympy

from jacchain.chains.bracketing import Bracketing
from jacchain.chains.registry import Registry
from jacchain.costs.closed_forms import terms
from jacchain.inputs import as_integers, check_flag, short

MOST_LAYERS = 1000


def formula(order: str | Bracketing, layers: int = 3) -> sympy.Expr:
    """Return the scalar multiplications of an order, as a sympy expression.

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
        If there is no layer, or over 1,000, or the order has no closed form or is none of so many
        layers.

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

    Takes and raises what `formula` does. The text has no dollar signs; matplotlib understands it.

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
    """Return the scalar multiplications of the gradients by all parameters of affine layers.

    Each is a chain `dl/dz_L ... dz_{i+1}/dz_i dz_i/dW_i`, whose last factor has `z_i z_{i-1}`
    entries for the weights and `z_i` for the biases.

    - Loss-first with a cache, every adjoint `dl/dz_i` is computed once: the sum over `i > 1` of
      `z_i z_{i-1}`, and for each layer's own last factors `z_i z_{i-1} + z_i`.
    - Loss-first without a cache, the adjoint of layer i is computed for both of its parameters:
      twice the sum over i and `j > i` of `z_j z_{j-1}`, and the same for the last factors.
    - Input-first, no product serves another gradient: each of the `z_i z_{i-1} + z_i` columns
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
        If there is no layer, or over 1,000 (200 input-first), or the order is another.

    Examples
    --------
    >>> gradient_formula(layers=2)
    x*z1 + 2*z1*z2 + z1 + z2
    >>> gradient_formula("input-first", layers=1)
    x*z1 + z1
    """
    check_flag(cache, "cache")
    terms_of, most = _GRADIENTS[order]
    sizes = symbolic_dims(layers, most=most)[:0:-1]  # the input first
    return terms_of(sizes, cache)


def _loss_first(sizes: Sequence[sympy.Expr], cache: bool) -> sympy.Expr:
    area = [columns * rows for columns, rows in pairwise(sizes)]
    later = (a * (1 if cache else 2 * below) for below, a in enumerate(area) if below)
    return sympy.Add(*later, *area, *sizes[1:])


def _input_first(sizes: Sequence[sympy.Expr], _cache: bool) -> sympy.Expr:
    area = [columns * rows for columns, rows in pairwise(sizes)]
    own = list(zip(area, sizes[1:], strict=True))
    later = (
        columns * elements
        for i in range(len(own) - 1)
        for columns, elements in product(own[i], (sizes[i + 2], *area[i + 2 :], sizes[-1]))
    )
    return sympy.Add(*later, *own[-1])


# With the most layers for which that takes about a second: input-first has O(L^2) terms.
_GRADIENTS = Registry(
    "order", {"loss-first": (_loss_first, MOST_LAYERS), "input-first": (_input_first, 200)}
)


def general_gradient_formula(order: str = "loss-first", *, cache: bool = True) -> sympy.Expr:
    """Return `gradient_formula` for any number of layers, as sums over `z_i`; `z_0` is the input.

    Without a cache, loss-first multiplies by the Jacobian of layer i again for both gradients of
    each of the i - 1 layers below: so its area counts `2 (i - 1)` times.

    The symbols are `L` and the indexed `z`. Raises ValueError if the order is unknown.

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
    gradient_formula(order)  # raises for an unknown order
    times = 1 if cache else 2 * (i - 1)
    return sympy.Sum(times * z[i] * z[i - 1], (i, 2, L)) + sympy.Sum(own, (i, 1, L))


def symbolic_dims(layers: int = 3, *, most: int = MOST_LAYERS) -> tuple[Any, ...]:
    """Return the dims of a network, loss first: 1 and the symbols ``zL``, ..., ``z1`` and ``x``.

    The symbols are positive integers. Raises TypeError if the number of layers is no integer,
    ValueError if there is none, or more than `most`.

    Examples
    --------
    >>> symbolic_dims(2)
    (1, z2, z1, x)
    """
    (count,) = as_integers([layers], "layers")
    if not 1 <= count <= most:
        message = f"{short(count)} layers: expected 1 to {most:,}"
        raise ValueError(message)
    names = [*(f"z{layer}" for layer in range(layers, 0, -1)), "x"]
    return (sympy.Integer(1), *sympy.symbols(names, positive=True, integer=True))
