"""What fields may hold: the bounds themselves are allowed, and nothing beyond."""

import sys

import numpy as np
import pytest
from pydantic import TypeAdapter, ValidationError

from jacchain.cost import Cost
from jacchain.records.values import (
    Count,
    Dims,
    Environment,
    Executed,
    NonNegative,
    Object,
    Positive,
    Seconds,
    WorkCost,
)

NAN, INFINITE, MOST = float("nan"), float("inf"), 10**40
WORK = {"products": 1, "multiplications": 6, "bytes": 8, "held_bytes": 8}


@pytest.mark.parametrize(
    ("kind", "allowed", "refused"),
    [
        (Count, [0, MOST], [-1, MOST + 1]),
        (Positive, [1, MOST], [0, MOST + 1]),
        (Executed, [0, 2**63 - 1], [-1, 2**63]),
        (Seconds, [1e-15, 1e10], [0.0, -1.0, 5e-324, 1.1e10, NAN, INFINITE]),
        (NonNegative, [0.0, sys.float_info.max], [-1e-9, NAN, INFINITE]),
        (Dims, [(1, 1), (128, MOST)], [(), (1,), (1, 0), (1, MOST + 1)]),
        (
            Object,
            [{"a": [1.5, None, {"b": ()}]}],
            [{"a": NAN}, {"a": [{"b": INFINITE}]}, {"a": (NAN,)}],
        ),
        (
            Environment,
            [{"l2_bytes": None, "llc_bytes": 0, "cpu": "x"}, {"memory_bytes": MOST}],
            [
                {"l2_bytes": "2 MiB"},
                {"l2_bytes": -1},
                {"l2_bytes": True},
                {"l2_bytes": 1.5},
                {"l2_bytes": MOST + 1},
                {"caches": [NAN]},
            ],
        ),
        (
            WorkCost,
            [Cost(**WORK), Cost(**WORK | {"row_multiplications": 6}), Cost(bytes=1, peak_bytes=1)],
            [
                Cost(**WORK | {"row_multiplications": 7}),
                Cost(**WORK | {"bytes": 0}),
                Cost(**WORK | {"held_bytes": 0}),
                Cost(**WORK | {"products": -1}),
                Cost(**WORK | {"peak_bytes": MOST + 1}),
            ],
        ),
    ],
    ids=[
        "count",
        "positive",
        "executed",
        "seconds",
        "non-negative",
        "dims",
        "object",
        "environment",
        "cost",
    ],
)
def test_values_end_where_they_say(kind, allowed, refused):
    adapter = TypeAdapter(kind)
    for value in allowed:
        assert adapter.validate_python(value) == value
    for value in refused:
        with pytest.raises(ValidationError):
            adapter.validate_python(value)


def test_what_is_allowed_can_be_computed_with_as_floats():
    assert np.isfinite(float(MOST) ** 2 / 1e-15)
    assert np.isfinite((1e10 / 1e-15) ** 4)
