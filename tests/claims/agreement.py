"""Whether both arms of a cell give the same, up to rounding."""

import numpy as np


def results(cell, dtype="float64", seed=5):
    """What each arm returns, as arrays by name."""
    calls = [arm.prepare()() for arm in cell.arms(np.dtype(dtype), seed)]
    named = [call if isinstance(call, dict) else {"": call} for call in calls]
    return [{name: np.asarray(array).copy() for name, array in each.items()} for each in named]


def agree(cell, dtype="float64", seed=5):
    """Both have the same names and sizes, and elements that rounding may set apart."""
    first, second = results(cell, dtype, seed)
    bound = 16 * np.finfo(dtype).eps * sum(cell.dims[1:])
    return first.keys() == second.keys() and all(
        a.size == second[name].size
        and np.abs(a.ravel() - second[name].ravel()).max() <= bound * np.abs(a).max()
        for name, a in first.items()
    )
