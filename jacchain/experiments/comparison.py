"""What is measured beside dense chains: two ways of doing the same work, in pairs."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jacchain.chains.plan import Plan
from jacchain.experiments.cells import Dims

Result = NDArray[Any] | Mapping[str, NDArray[Any]]


@dataclass(frozen=True)
class Work:
    """What one call takes, by formula.

    Attributes
    ----------
    products
        Matrix products, each a call of the library that multiplies.
    multiplications, row_multiplications
        Scalar multiplications, and those of them in products of one row by a matrix.
    bytes
        Of operands read once and results written once.
    held
        Bytes of the operands that are there before the call: Jacobians or parameters.
    peak_elements
        Largest total of live intermediates, results included.
    """

    products: int
    multiplications: int
    row_multiplications: int
    bytes: int
    held: int
    peak_elements: int

    def repeated(self, times: int, *, held: int) -> "Work":
        """So many calls, which together hold so many bytes."""
        return replace(
            self,
            products=times * self.products,
            multiplications=times * self.multiplications,
            row_multiplications=times * self.row_multiplications,
            bytes=times * self.bytes,
            held=held,
        )

    def plus(self, multiplications: int, bytes_held: int) -> "Work":
        """Beside it so many multiplications that build so many bytes, written once."""
        return replace(
            self,
            multiplications=self.multiplications + multiplications,
            bytes=self.bytes + bytes_held,
        )


@dataclass(frozen=True)
class Way:
    """One way of doing it. `prepare` builds what is there before the call, and returns the call."""

    name: str
    work: Work
    prepare: Callable[[], Callable[[], Result]]


@dataclass(frozen=True)
class Comparison:
    """Two ways of doing the same work.

    Attributes
    ----------
    name
        Unique, the claim first: "C7 loss-first, a batch of 64".
    dims
        Of the network at work, loss first.
    ways
        Of a dtype and a seed: both ways. What is large is made by `prepare`.
    sweep
        Comparisons of one sweep are visited one after the other.
    """

    name: str
    dims: Dims
    ways: Callable[[np.dtype[Any], int], tuple[Way, Way]]
    sweep: str = ""

    @property
    def id(self) -> str:
        """Its name in records."""
        return f"comparison:{self.name}"


def planned(plan: Plan) -> Work:
    """The work of carrying a plan out.

    Examples
    --------
    >>> from jacchain.chains.planners import plan
    >>> planned(plan((1, 4, 3, 2), "input-first")).multiplications
    32
    """
    stored = plan.dtype.itemsize * sum(s.elements for s in plan.structures)
    indices = 4 * sum(s.indices for s in plan.structures)
    rows = (step.multiplications for step in plan.steps if step.kind == "row-matrix")
    return Work(
        len(plan.steps),
        plan.multiplications,
        sum(rows),
        plan.bytes,
        stored + indices,
        plan.peak_elements,
    )
