"""What fields may hold: the bounds themselves are allowed, and nothing beyond."""

import sys

import numpy as np
import pytest
from pydantic import TypeAdapter, ValidationError

from jacchain.cost import Cost
from jacchain.records import values

NAN, INFINITE, MOST = float("nan"), float("inf"), 10**40
WORK = {"products": 1, "multiplications": 6, "bytes": 8, "held_bytes": 8}
BOUNDS = {  # a type, what it allows, and what it refuses
    "count": (values.Count, [0, MOST], [-1, MOST + 1]),
    "positive": (values.Positive, [1, MOST], [0, MOST + 1]),
    "executed": (values.Executed, [0, 2**63 - 1], [-1, 2**63]),
    "seconds": (values.Seconds, [1e-15, 1e10], [0.0, -1.0, 5e-324, 1.1e10, NAN, INFINITE]),
    "not negative": (values.NonNegative, [0.0, sys.float_info.max], [-1e-9, NAN, INFINITE]),
    "dims": (values.Dims, [(1, 1), (128, MOST)], [(), (1,), (1, 0), (1, MOST + 1)]),
    "object": (
        values.Object,
        [{"a": [1.5, None, {"b": ()}]}],
        [{"a": NAN}, {"a": [{"b": INFINITE}]}, {"a": (NAN,)}],
    ),
    "environment": (
        values.Environment,
        [{"l2_bytes": None, "llc_bytes": 0, "cpu": "x"}, {"memory_bytes": MOST}],
        [{"caches": [NAN]}, *({"l2_bytes": n} for n in ("2 MiB", -1, True, 1.5, MOST + 1))],
    ),
    "cost": (
        values.WorkCost,
        [Cost(**WORK), Cost(**WORK | {"row_multiplications": 6}), Cost(bytes=1, peak_bytes=1)],
        [
            *(Cost(**WORK | {name: 0}) for name in ("bytes", "held_bytes")),
            *(Cost(**WORK | {name: -1}) for name in ("products", "peak_bytes")),
            Cost(**WORK | {"row_multiplications": 7}),
            Cost(**WORK | {"peak_bytes": MOST + 1}),
        ],
    ),
}


@pytest.mark.parametrize(("kind", "allowed", "refused"), BOUNDS.values(), ids=BOUNDS)
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
