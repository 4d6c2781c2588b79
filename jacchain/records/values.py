"""What the fields of records may hold: bounded numbers, sizes of chains, plain JSON.

The bounds lie far beyond anything measured. What is within them can be squared, divided and drawn
as floats without an overflow, so that whoever reads records need not check again.
"""

import reprlib
from collections.abc import Mapping
from math import isfinite, prod
from typing import Annotated, Any, Final

from pydantic import AfterValidator, Field

MOST_COUNT: Final = 10**40  # dims of 10^9 give counts of some 10^27 in each product
MOST_EXECUTED: Final = 2**63  # as many multiplications as no run can carry out one by one

Count = Annotated[int, Field(ge=0, le=MOST_COUNT)]
Positive = Annotated[int, Field(ge=1, le=MOST_COUNT)]
Executed = Annotated[int, Field(ge=0, lt=MOST_EXECUTED)]
Seconds = Annotated[float, Field(ge=1e-15, le=1e10, allow_inf_nan=False)]
NonNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Sizes = tuple[Positive, ...]


def _nested(value: Any) -> Any:
    """Turn nested lists of integers, as JSON has them, into nested tuples."""
    if isinstance(value, list | tuple):
        return tuple(_nested(item) for item in value)
    if type(value) is not int:
        msg = f"a bracketing nests integers, not {reprlib.repr(value)}"
        raise ValueError(msg)
    return value


Bracketing = Annotated[Any, AfterValidator(_nested)]


def check_chain(dims: tuple[int, ...]) -> tuple[int, ...]:
    """Return the dims of a chain with a scalar loss, or raise what is wrong with them.

    Raises
    ------
    ValueError
        If they don't begin with 1, or are fewer than three.

    Examples
    --------
    >>> check_chain((1, 10, 784))
    (1, 10, 784)
    """
    if len(dims) < 3 or dims[0] != 1 or min(dims) < 1:
        shown = reprlib.repr(dims)
        msg = f"dims are {shown}; expected at least three sizes of 1 or more, beginning with 1"
        raise ValueError(msg)
    return dims


def _countable(dims: tuple[int, ...]) -> tuple[int, ...]:
    """Check the dims of a chain short enough that its multiplications were really executed."""
    if prod(sorted(check_chain(dims))[-3:]) * len(dims) >= MOST_EXECUTED:
        msg = f"dims are {reprlib.repr(dims)}, too large to have been counted one by one"
        raise ValueError(msg)
    return dims


CountedDims = Annotated[Sizes, AfterValidator(_countable)]


def _plain(value: Any) -> Any:
    """Refuse the numbers that JSON has no word for, though Python reads some."""
    if isinstance(value, float) and not isfinite(value):
        msg = f"{value} is no number that JSON has"
        raise ValueError(msg)
    if isinstance(value, dict | list | tuple):
        for item in value.values() if isinstance(value, dict) else value:
            _plain(item)
    return value


Object = Annotated[dict[str, Any], AfterValidator(_plain)]


def _described(environment: Mapping[str, Any]) -> Mapping[str, Any]:
    """Check that what is named as bytes is a number of them, or None where unknown."""
    for name, value in environment.items():
        known = type(value) is int and 0 <= value <= MOST_COUNT
        if name.endswith("_bytes") and value is not None and not known:
            shown = reprlib.repr(value)
            msg = f"{name} is {shown}; expected a number of bytes, or null where unknown"
            raise ValueError(msg)
    return environment


Environment = Annotated[Object, AfterValidator(_described)]
