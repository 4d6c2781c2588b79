"""The article's formulas typeset for a web page, as presentation MathML."""

import re

from markupsafe import Markup, escape

from jacchain.costs.closed_forms import terms

_SPACE = '<mspace width="0.22em"></mspace>'
_SIZE = re.compile(r"\b(z)_?(\d+|i|L)\b")


def formula_mathml(order: str, layers: int) -> Markup:
    """Return an order's multiplications as a sum of products of sizes, as the article does.

    Raises ValueError if the order has no closed form.

    Examples
    --------
    >>> "<mo>+</mo>" in formula_mathml("loss-first", 3)
    True
    """
    names = ["1", *(f"z{layer}" for layer in range(layers, 0, -1)), "x"]
    products = [
        _SPACE.join(_size(name) for name in term if name != "1") for term in terms(order, names)
    ]
    total = "<mo>+</mo>".join(f"<mrow>{product}</mrow>" for product in products)
    return Markup(f'<math display="block"><mrow>{total}</mrow></math>')


def gradients_mathml(order: str, *, cache: bool) -> Markup:
    """Return the multiplications of all gradients of L affine layers, as sums over layers.

    Examples
    --------
    >>> "munderover" in gradients_mathml("loss-first", cache=True)
    True
    """
    from sympy.printing.mathml import mathml

    from jacchain.costs.formulas import general_gradient_formula

    inner = mathml(general_gradient_formula(order, cache=cache), printer="presentation")
    return Markup(f'<math display="block">{inner}</math>')  # sympy's, of our own formula


def _size(name: str) -> str:
    """Return |z_3|, with fences that keep to the height of the letter."""
    letter, index = name[0], name[1:]
    inner = f"<mi>{letter}</mi>"
    if index:
        inner = f"<msub>{inner}<mn>{index}</mn></msub>"
    fence = '<mo stretchy="false" lspace="0.06em" rspace="0.06em">|</mo>'
    return f"{fence}{inner}{fence}"


def typeset(text: str) -> Markup:
    """Return text with sizes such as z1 and z_i as letters with an index; all else is escaped.

    Examples
    --------
    >>> typeset("|z1| < 2")
    Markup('|<i>z</i><sub>1</sub>| &lt; 2')
    """
    escaped = str(escape(text))
    return Markup(_SIZE.sub(r"<i>\1</i><sub>\2</sub>", escaped).replace("|x|", "|<i>x</i>|"))
