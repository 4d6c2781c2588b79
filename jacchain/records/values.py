"""What the fields of records may hold: bounded numbers, sizes of chains, plain JSON.

The bounds lie far beyond anything measured. What is within them can be squared, divided and drawn
as floats without an overflow, so that whoever reads records need not check again.
"""

import reprlib
from collections.abc import Mapping
from math import isfinite
from typing import Annotated, Any, Final

from pydantic import AfterValidator, Field

from jacchain.cost import Cost

MOST_COUNT: Final = 10**40  # dims of 10^9 give counts of some 10^27 in each product
MOST_EXECUTED: Final = 2**63  # as many multiplications as no run can carry out one by one

Count = Annotated[int, Field(ge=0, le=MOST_COUNT)]
Positive = Annotated[int, Field(ge=1, le=MOST_COUNT)]
Executed = Annotated[int, Field(ge=0, lt=MOST_EXECUTED)]
Seconds = Annotated[float, Field(ge=1e-15, le=1e10, allow_inf_nan=False)]
NonNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Dims = Annotated[tuple[Positive, ...], Field(min_length=2)]


def _within_bounds(cost: Cost) -> Cost:
    """Refuse what no work has: counts below 0, no byte touched, more in rows than in all."""
    for name, value in vars(cost).items():
        least = int(name == "bytes")
        if not least <= value <= MOST_COUNT:
            message = f"{name} is {reprlib.repr(value)}; expected {least} to {MOST_COUNT:.0e}"
            raise ValueError(message)
    if not cost.working_set:
        message = "held_bytes and peak_bytes are 0; expected at least one byte of them"
        raise ValueError(message)
    if cost.row_multiplications > cost.multiplications:
        most = f"at most the {cost.multiplications} multiplications"
        message = f"row_multiplications is {cost.row_multiplications}; expected {most}"
        raise ValueError(message)
    return cost


WorkCost = Annotated[Cost, AfterValidator(_within_bounds)]


def _plain(value: Any) -> Any:
    """Refuse the numbers that JSON has no word for, though Python reads some."""
    if isinstance(value, float) and not isfinite(value):
        message = f"{value} is no number that JSON has"
        raise ValueError(message)
    if isinstance(value, dict | list | tuple):
        for item in value.values() if isinstance(value, dict) else value:
            _plain(item)
    return value


Object = Annotated[dict[str, Any], AfterValidator(_plain)]


def _described(environment: Mapping[str, Any]) -> Mapping[str, Any]:
    """Check that what is named as bytes is a number of them, or None where unknown."""
    for name, value in environment.items():
        is_count = type(value) is int and 0 <= value <= MOST_COUNT
        if name.endswith("_bytes") and value is not None and not is_count:
            shown = reprlib.repr(value)
            message = f"{name} is {shown}; expected a number of bytes, or null where unknown"
            raise ValueError(message)
    return environment


Environment = Annotated[Object, AfterValidator(_described)]
