"""What the fields of records may hold: bounded numbers, sizes of chains, plain JSON.

The bounds lie far beyond anything measured. What is within them can be squared, divided and drawn
as floats without an overflow, so that whoever reads records need not check again.
"""

import reprlib
from collections.abc import Callable, Mapping
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
    """Check what is read of an environment: bytes, shares of cores and forced kernels."""
    for name, value in environment.items():
        kind, expected = _FACTS.get("_bytes" if name.endswith("_bytes") else name, (None, ""))
        if kind and value is not None and not kind(value):
            message = f"{name} is {reprlib.repr(value)}; expected {expected}, or null where unknown"
            raise ValueError(message)
    return environment


_FACTS: Final[dict[str, tuple[Callable[[Any], bool], str]]] = {
    "_bytes": (lambda v: type(v) is int and 0 <= v <= MOST_COUNT, "a number of bytes"),
    "cpu_share_of_threads": (
        lambda v: isinstance(v, list | tuple) and all(type(share) in {int, float} for share in v),
        "a list of numbers",
    ),
    "forced_kernels": (
        lambda v: isinstance(v, list | tuple) and all(isinstance(name, str) for name in v),
        "a list of names",
    ),
}


Environment = Annotated[Object, AfterValidator(_described)]
