"""The record of a cell: its arms agree, their multiplications are counted, batches calibrated."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jacchain.experiments.cell import Arm, Cell
from jacchain.measuring.blocks import Kernel
from jacchain.measuring.timing import calibrate
from jacchain.records.schema import ArmRecord, CellRecord
from jacchain.runs.admission import Admission, Session

Arrays = Mapping[str, NDArray[Any]]


def describe(
    cell: Cell,
    arms: Sequence[Arm],
    kernels: Sequence[Kernel],
    admission: Admission,
    session: Session,
) -> CellRecord:
    """Make the record of a cell; `kernels` are its arms' prepared calls, none if it is skipped.

    Raises ArithmeticError if the arms' results differ by more than rounding explains: then nothing
    may be timed.
    """
    compared = cell.agree and len(kernels) > 1
    error, bound = check_agreement(cell, kernels) if compared else (None, None)
    batches = [calibrate(kernel) for kernel in kernels] or [1] * len(arms)
    counts = [arm.count() if kernels and arm.count else (None, None) for arm in arms]
    return CellRecord(
        identity=session.identity,
        cell=cell.name,
        role=cell.role,
        group=cell.group,
        dims=cell.dims,
        arms=tuple(
            ArmRecord(name=arm.name, cost=arm.cost, counted=counted, counted_dims=dims, batch=batch)
            for arm, (counted, dims), batch in zip(arms, counts, batches, strict=True)
        ),
        error=error,
        error_bound=bound,
        predicted_seconds=admission.seconds,
        predicted_bytes=admission.bytes,
        skipped=admission.skipped,
    )


def check_agreement(cell: Cell, kernels: Sequence[Kernel]) -> tuple[float, float]:
    """Return the largest difference between the arms' results, and the most rounding explains.

    That is 16 eps times the sum of the inner sizes times the largest element, array by array.
    Raises ArithmeticError if they differ by more, or their elements fell into subnormals, which
    are slow.
    """
    first, second = (_arrays(kernel()) for kernel in kernels)
    if first.keys() != second.keys():
        message = f"{cell.name}: results {sorted(first)} and {sorted(second)}, not the same"
        raise ArithmeticError(message)
    _check_normal(cell, first)
    pairs = [_difference(first[key], second[key], cell) for key in first]
    error, bound = max(pairs, key=_excess)
    if _excess((error, bound)) > 1:
        message = f"{cell.name}: the arms differ by {error:.3g}, rounding explains {bound:.3g}"
        raise ArithmeticError(message)
    return error, bound


def _arrays(result: Any) -> Arrays:
    """Copy the arrays: an arm may use the memory of its result again."""
    arrays = result if isinstance(result, Mapping) else {"": result}
    return {name: np.asarray(array).copy() for name, array in arrays.items()}


def _check_normal(cell: Cell, arrays: Arrays) -> None:
    largest = max(float(np.abs(array).max()) for array in arrays.values())
    limits = np.finfo(next(iter(arrays.values())).dtype)
    if largest < limits.tiny / limits.eps:
        message = f"{cell.name}: the elements fell into subnormals, which are slow; rescale them"
        raise ArithmeticError(message)


def _difference(a: NDArray[Any], b: NDArray[Any], cell: Cell) -> tuple[float, float]:
    """Largest difference of two arrays of as many elements, and the bound on it."""
    if a.size != b.size:
        message = f"{cell.name}: results of sizes {a.size} and {b.size}, not the same"
        raise ArithmeticError(message)
    eps, inner = float(np.finfo(a.dtype).eps), sum(cell.dims[1:])
    error = float(np.abs(a.ravel() - b.ravel()).max())
    return error, 16 * eps * inner * float(max(np.abs(a).max(), np.abs(b).max()))


def _excess(pair: tuple[float, float]) -> float:
    """Difference / bound: infinite where there is a difference and no room for it."""
    error, bound = pair
    if np.isnan(error):
        return np.inf
    return error / bound if bound else np.inf * error if error else 0.0
