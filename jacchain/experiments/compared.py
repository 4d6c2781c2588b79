"""From a comparison to what is timed: admitted, checked for agreement, and described."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jacchain.cost import Cost
from jacchain.experiments.comparison import Comparison, Way
from jacchain.experiments.prepare import CALLS_PER_BLOCK, Session, refusal
from jacchain.measure.caches import regime
from jacchain.measure.timing import LEAST_SAMPLE_SECONDS, calibrate
from jacchain.records.schema import Arm, CellRecord

Kernel = Callable[[], object]


def admit_ways(ways: Sequence[Way], session: Session) -> tuple[float, int, str | None]:
    """Predicted seconds and bytes of a comparison in this run, and why it is skipped, if it is."""
    calls = [max(_seconds(way.work, session), LEAST_SAMPLE_SECONDS) for way in ways]
    seconds = session.profile.blocks * CALLS_PER_BLOCK / len(ways) * sum(calls)
    needed = sum(way.work.working_set for way in ways)
    return seconds, needed, refusal(seconds, needed, session)


def _seconds(work: Cost, session: Session) -> float:
    rates = session.rates
    busy = max(2 * work.multiplications / rates.flops, work.bytes / rates.bandwidth)
    return work.products * rates.overhead + busy


def describe_comparison(
    comparison: Comparison, ways: Sequence[Way], kernels: Sequence[Kernel], session: Session
) -> CellRecord:
    """The comparison's record: checked and with its batches calibrated, unless skipped.

    Raises
    ------
    ArithmeticError
        If the ways' results differ by more than rounding explains: then nothing may be timed.
    """
    seconds, needed, skipped = admit_ways(ways, session)
    error, bound = check_results(comparison, kernels) if kernels else (None, None)
    return CellRecord(
        identity=session.identity,
        cell=comparison.id,
        role="comparison",
        engine="numpy",
        dims=comparison.dims,
        arms=tuple(
            _arm(way, calibrate(kernels[index]) if kernels else 1, session)
            for index, way in enumerate(ways)
        ),
        error=error,
        error_bound=bound,
        predicted_seconds=seconds,
        predicted_bytes=needed,
        skipped=skipped,
    )


def _arm(way: Way, batch: int, session: Session) -> Arm:
    work = way.work
    return Arm(
        order=way.name,
        bracketing=None,
        products=work.products,
        multiplications=work.multiplications,
        flops=2 * work.multiplications,
        bytes=work.bytes,
        peak_elements=work.peak_bytes // session.dtype.itemsize,
        working_set=work.working_set,
        regime=regime(work.working_set, session.caches),
        row_flops=work.row_flops,
        matrix_flops=work.matrix_flops,
        counted=None,
        counted_dims=None,
        batch=batch,
    )


def check_results(comparison: Comparison, kernels: Sequence[Kernel]) -> tuple[float, float]:
    """Largest difference between the ways' results, and the most that rounding explains.

    That is 16 eps times the sum of the inner sizes times the largest element, array by array.
    """
    first, second = (_arrays(kernel()) for kernel in kernels)
    if first.keys() != second.keys():
        message = f"{comparison.id}: results {sorted(first)} and {sorted(second)}, not the same"
        raise ArithmeticError(message)
    worst = max((_excess(first[key], second[key], comparison) for key in first), key=_over)
    if _over(worst) > 1:
        error, bound = worst
        message = f"{comparison.id}: the ways differ by {error:.3g}, rounding explains {bound:.3g}"
        raise ArithmeticError(message)
    return worst


def _arrays(result: Any) -> Mapping[str, NDArray[Any]]:
    """Copies: a way may use the memory of its result again."""
    arrays = result if isinstance(result, Mapping) else {"": result}
    return {name: np.asarray(array).copy() for name, array in arrays.items()}


def _excess(a: NDArray[Any], b: NDArray[Any], of: Comparison) -> tuple[float, float]:
    if a.size != b.size:
        message = f"{of.id}: results of sizes {a.size} and {b.size}, not the same"
        raise ArithmeticError(message)
    eps, inner = float(np.finfo(a.dtype).eps), sum(of.dims[1:])
    error = float(np.abs(a.ravel() - b.ravel()).max())
    return error, 16 * eps * inner * float(max(np.abs(a).max(), np.abs(b).max()))


def _over(pair: tuple[float, float]) -> float:
    error, bound = pair
    if np.isnan(error):
        return np.inf
    return error / bound if bound else np.inf * error if error else 0.0
