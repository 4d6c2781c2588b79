"""A plan: an order of multiplying a chain, with the cost of every step."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from jacchain.chains.bracketing import Bracketing, loss_first
from jacchain.chains.steps import Step, steps
from jacchain.jacobians.base import check_dtype

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import numpy as np

    from jacchain.jacobians.structure import Structure

T = TypeVar("T")


@dataclass(frozen=True)
class Plan:
    """An order of multiplying a chain, with the cost of every step.

    Made by `jacchain.chains.planners.plan`. The steps stand in the order in which they are done:
    of two operands, that one first which leaves fewer elements alive.

    Parameters
    ----------
    name : str
        The planner's name, or ``"bracketing"``.
    structures : tuple of Structure
        The chain's factors without their data, loss first.
    bracketing : nested pairs of int
        What is multiplied with what.
    dtype : numpy.dtype
        Of the elements, float32 or float64.

    Raises
    ------
    TypeError, ValueError
        If the bracketing is none of this chain, neighbours do not fit, or the dtype is unfit.
    """

    name: str
    structures: tuple[Structure, ...]
    # Left out of ==, hash and repr, which recurse: the steps say the same, flat.
    bracketing: Bracketing = field(repr=False, compare=False)
    dtype: np.dtype[Any]
    steps: tuple[Step, ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Validate once, and cost every step."""
        object.__setattr__(self, "dtype", check_dtype(self.dtype))
        object.__setattr__(self, "steps", tuple(steps(self.structures, self.bracketing)))

    @property
    def dims(self) -> tuple[int, ...]:
        """Sizes along the chain, ``(m, |z_L|, ..., |z_1|, |x|)``."""
        return (self.structures[0].shape[0], *(each.shape[1] for each in self.structures))

    @property
    def multiplications(self) -> int:
        """Scalar multiplications of all steps."""
        return sum(step.multiplications for step in self.steps)

    @property
    def flops(self) -> int:
        """Multiplications and additions of all steps."""
        return 2 * self.multiplications

    @property
    def bytes(self) -> int:
        """Bytes of every step's operands, read once, and of its result, written once."""
        elements = sum(step.elements_moved for step in self.steps)
        return self.dtype.itemsize * elements + 4 * sum(step.indices_moved for step in self.steps)

    @property
    def peak_elements(self) -> int:
        """Largest total of intermediates alive at once, results included, factors excluded."""
        return max((step.live_elements for step in self.steps), default=0)

    @property
    def gain(self) -> float:
        """Multiplications of loss-first, over those of this plan."""
        if not self.steps:
            return 1.0
        reference = steps(self.structures, loss_first(len(self.structures)))
        return sum(step.multiplications for step in reference) / self.multiplications

    def __str__(self) -> str:
        """Return the steps as a table, and the totals."""
        return f"{self._title()}\n\n{_table(self.steps)}\n\n{self._totals()}"

    def _title(self) -> str:
        sizes = " x ".join(str(size) for size in self.dims)
        return f"{self.name}: {len(self.steps)} products over {sizes}, {self.dtype}"

    def _totals(self) -> str:
        largest = max((step.elements for step in self.steps), default=0)
        return "\n".join(
            (
                f"multiplications       {self.multiplications:,}",
                f"loss-first takes      {self.gain:.4g} x as many",
                f"bytes                 {self.bytes:,}",
                f"largest intermediate  {largest:,} elements",
                f"peak, all alive       {self.peak_elements:,} elements",
            )
        )


def carry_out(plan: Plan, factors: Iterable[T], multiply: Callable[[T, T], T]) -> T:
    """Fold the factors by a plan, letting go of every operand once it is used.

    Parameters
    ----------
    plan : Plan
    factors : iterable
        As many as the plan has; whatever `multiply` takes.
    multiply : callable
        Of a left and a right operand.

    Returns
    -------
    object
        The product of all factors.

    Examples
    --------
    >>> from jacchain.chains.planners import plan
    >>> carry_out(plan((1, 2, 3, 4), "input-first"), "abc", lambda a, b: f"({a}{b})")
    '(a(bc))'
    """
    live = {(index, index + 1): factor for index, factor in enumerate(factors)}
    for step in plan.steps:
        live[step.result.span] = multiply(live.pop(step.left.span), live.pop(step.right.span))
    (whole,) = live.values()
    return whole


def _table(rows: Iterable[Step]) -> str:
    header = ("step", "product", "shapes", "multiplications", "result", "alive")
    cells = [header, *(_cells(number, step) for number, step in enumerate(rows, start=1))]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if header[i] in {"product", "shapes"} else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in cells
    )


def _cells(number: int, step: Step) -> tuple[str, ...]:
    (m, k), (_, n) = step.left.shape, step.right.shape
    return (
        str(number),
        f"{step.left} {step.right}",
        f"({m}, {k}) ({k}, {n})",
        f"{step.multiplications:,}",
        f"{step.elements:,}",
        f"{step.live_elements:,}",
    )
