"""`Cost`: what some work takes, by formula. Plans, records and evidence all carry it."""

from dataclasses import dataclass
from typing import Any, ClassVar


@dataclass(frozen=True, kw_only=True)
class Cost:
    """What some work takes, by formula; exact integers.

    Notes
    -----
    ``a + b`` is the cost of both, one after the other, each on operands of its own; ``n * a`` is
    the cost of `n` such.

    Examples
    --------
    >>> call = Cost(products=1, multiplications=6, bytes=88, peak_bytes=24)
    >>> (call + call).multiplications, (3 * call).flops, (3 * call).peak_bytes
    (12, 36, 24)
    """

    # A record is read by pydantic, which is not imported here: no field may be unknown or of
    # another type.
    __pydantic_config__: ClassVar[dict[str, Any]] = {"extra": "forbid", "strict": True}

    products: int = 0  #: Products of two matrices, each a call of the library that multiplies
    multiplications: int = 0  #: Scalar multiplications, each with its addition
    row_multiplications: int = 0  #: Those of them in products of a row by a matrix
    bytes: int = 0  #: Operands read once and results written once, of every product
    held_bytes: int = 0  #: Operands that are in memory before the work begins
    peak_bytes: int = 0  #: Largest total of live intermediates, results included

    def __add__(self, other: "Cost") -> "Cost":
        """Add the work of another, done before or after this one."""
        sums = {name: value + getattr(other, name) for name, value in vars(self).items()}
        return Cost(**sums | {"peak_bytes": max(self.peak_bytes, other.peak_bytes)})

    def __mul__(self, times: int) -> "Cost":
        """Repeat the work, at least once."""
        multiples = {name: times * value for name, value in vars(self).items()}
        return Cost(**multiples | {"peak_bytes": self.peak_bytes})

    __rmul__ = __mul__

    @property
    def flops(self) -> int:
        """Multiplications and additions."""
        return 2 * self.multiplications

    @property
    def row_flops(self) -> int:
        """Flops of rows times matrices."""
        return 2 * self.row_multiplications

    @property
    def matrix_flops(self) -> int:
        """Flops of matrices times matrices."""
        return self.flops - self.row_flops

    @property
    def working_set(self) -> int:
        """Bytes of the operands, and of the intermediates alive at once."""
        return self.held_bytes + self.peak_bytes
