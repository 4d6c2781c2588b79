"""Machines to alter in tests: the text of a file, and machines read from it."""

import json

from jacchain.runs.machine import parse_machine

PLAIN = {
    "name": "here",
    "says": "It obeys the formulas.",
    "half": "set",
    "caches": {"l2": 2**21, "llc": 2**28},
    "law": {"call_seconds": 1e-6, "row_seconds": 2e-10, "matrix_seconds": 1e-10},
    "noise": {"family": "normal", "scale": 0.0},
    "claims": ["C3", "C5"],
}


def altered(**changes):
    """The fields of a plain machine, those with double underscores below another field."""
    fields = json.loads(json.dumps(PLAIN))
    for path, value in changes.items():
        *outer, last = path.split("__")
        place = fields
        for name in outer:
            place = place[name]
        place[last] = value
    return fields


def machine(**changes):
    """A machine that is plain but for these fields."""
    return parse_machine(json.dumps(altered(**changes)).encode(), "here.json")
