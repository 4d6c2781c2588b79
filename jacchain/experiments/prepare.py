"""From a cell to what is timed: kernels that have been checked, with the facts about them."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jacchain.chains.chain import Chain, random_chain
from jacchain.chains.count import count, twin_dims
from jacchain.chains.evaluate import evaluator
from jacchain.chains.plan import Plan
from jacchain.chains.planners import plan
from jacchain.costs.machine import Ceiling
from jacchain.costs.timemodel import Rates, predicted_seconds
from jacchain.experiments.cells import Cell, Dims
from jacchain.experiments.profiles import Profile
from jacchain.measure.caches import Caches, regime
from jacchain.measure.timing import LEAST_SAMPLE_SECONDS, calibrate
from jacchain.records.schema import Arm, CellRecord, Identity

Kernel = Callable[[], object]

MOST_COUNTED = 10**7  # above, a twin with smaller dims is counted
CALLS_PER_BLOCK = 6  # four samples and the warm-up of both kernels
MOST_DRAWN = 2**20
MOST_MEMORY = 0.5  # share of the available memory that one cell may use


@dataclass(frozen=True)
class Session:
    """What every cell of a worker is prepared with."""

    identity: Identity
    caches: Caches
    rates: Rates
    profile: Profile
    memory: int  # bytes available
    seed: int

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of all factors."""
        return np.dtype(self.identity.dtype)


def factor_elements(dims: Dims) -> int:
    """Elements of all factors of a dense chain."""
    return sum(m * n for m, n in pairwise(dims))


def working_set(chosen: Plan, itemsize: int) -> int:
    """Bytes that one evaluation touches: the factors, and the intermediates alive at once."""
    del itemsize
    return chosen.cost.working_set


def admit(cell: Cell, session: Session) -> tuple[float, int, str | None]:
    """Predicted seconds and bytes of a cell in this run, and why it is skipped, if it is."""
    plans = [plan(cell.dims, order, dtype=session.dtype) for order in cell.orders]
    rates = session.rates.of(cell.engine)
    calls = [max(predicted_seconds(p, rates), LEAST_SAMPLE_SECONDS) for p in plans]
    seconds = session.profile.blocks * CALLS_PER_BLOCK / 2 * sum(calls)
    elements = factor_elements(cell.dims) + sum(p.peak_elements for p in plans)
    needed = session.dtype.itemsize * elements
    return seconds, needed, refusal(seconds, needed, session)


def refusal(seconds: float, needed: int, session: Session) -> str | None:
    """Why so many seconds and bytes are too many; None where they are not."""
    if needed > MOST_MEMORY * session.memory:
        share = f"over half of the {session.memory / 2**30:.1f} GiB available"
        return f"needs {needed / 2**30:.1f} GiB, {share}"
    if seconds > session.profile.cell_seconds:
        budget = f"over the profile's {session.profile.cell_seconds:.0f} s"
        return f"would take {seconds:.0f} s, {budget}"
    return None


def build_chain(cell: Cell, session: Session) -> Chain:
    """The random chain of a cell, the same in every process of a run."""
    rng = np.random.default_rng([session.seed, *cell.dims])
    return Chain(_factor(shape, session.dtype, rng) for shape in pairwise(cell.dims))


def _factor(
    shape: tuple[int, int], dtype: np.dtype[Any], rng: np.random.Generator
) -> NDArray[np.floating]:
    """Normal entries over the root of the inner size; beyond a million they repeat.

    Times do not depend on the entries, and to draw gigabytes would take longer than to measure.
    """
    entries = rng.standard_normal(min(prod(shape), MOST_DRAWN), dtype=dtype.type)
    entries /= np.sqrt(shape[1])
    factor = np.empty(prod(shape), dtype=dtype)
    for start in range(0, factor.size, MOST_DRAWN):
        part = factor[start : start + MOST_DRAWN]
        part[:] = entries[: part.size]
    return factor.reshape(shape)


def build_kernels(cell: Cell, chain: Chain) -> list[Kernel]:
    """One prepared evaluation for each order."""
    return [evaluator(chain, order, engine=cell.engine) for order in cell.orders]


def check_agreement(cell: Cell, chain: Chain, kernels: list[Kernel]) -> tuple[float, float]:
    """Largest difference between the orders' results, and the most that rounding explains.

    That is 16 eps times the sum of the inner sizes times the root mean square of the product's
    norm over random orientations of the factors: the product of their Frobenius norms over the
    roots of the inner sizes. Without these roots a deep chain could differ by any amount.

    Raises
    ------
    ArithmeticError
        If they differ by more: then nothing may be timed.
    """
    results = [np.array(kernel()) for kernel in kernels]
    error = float(np.abs(results[0] - results[-1]).max())
    inner = chain.dims[1:-1]
    sizes = (*inner, 1)
    norm = prod(
        float(np.linalg.norm(f.to_dense())) / n**0.5
        for f, n in zip(chain.factors, sizes, strict=True)
    )
    bound = 16 * float(np.finfo(chain.dtype).eps) * sum(inner) * norm
    if not error <= bound:
        message = f"{cell.id}: the orders differ by {error:.3g}, rounding explains {bound:.3g}"
        raise ArithmeticError(message)
    tiny = np.finfo(chain.dtype).tiny
    if min(np.abs(result).max() for result in results) < tiny / np.finfo(chain.dtype).eps:
        message = f"{cell.id}: the entries fell into subnormals, which are slow; rescale the chain"
        raise ArithmeticError(message)
    return error, bound


def counted(chain: Chain, order: str, seed: int) -> tuple[int, tuple[int, ...]]:
    """Multiplications really executed, and at which dims: a smaller twin's above 10^7."""
    if plan(chain.dims, order).multiplications <= MOST_COUNTED:
        return count(chain, order), chain.dims
    dims = twin_dims(chain.dims)
    return count(random_chain(dims, rng=seed), order), dims


def plan_facts(p: Plan, itemsize: int) -> dict[str, Any]:
    """What follows from a plan alone, by the names of a record's fields."""
    rows = p.cost.row_multiplications
    return {
        "bracketing": p.bracketing,
        "products": len(p.steps),
        "multiplications": p.multiplications,
        "flops": p.flops,
        "bytes": p.bytes,
        "peak_elements": p.peak_elements,
        "working_set": working_set(p, itemsize),
        "row_flops": 2 * rows,
        "matrix_flops": p.flops - 2 * rows,
    }


def _arm(order: str, batch: int, count_of: tuple[int, tuple[int, ...]] | None, p: Plan,
         session: Session) -> Arm:  # fmt: skip
    facts = plan_facts(p, session.dtype.itemsize)
    return Arm(
        order=order,
        regime=regime(facts["working_set"], session.caches),
        counted=count_of[0] if count_of else None,
        counted_dims=count_of[1] if count_of else None,
        batch=batch,
        **facts,
    )


def describe(
    cell: Cell, chain: Chain | None, kernels: list[Kernel], session: Session
) -> CellRecord:
    """The cell's record: checked, counted and with its batches calibrated, unless skipped."""
    seconds, needed, skipped = admit(cell, session)
    error, bound = (None, None) if chain is None else check_agreement(cell, chain, kernels)
    arms = []
    for index, order in enumerate(cell.orders):
        batch = calibrate(kernels[index]) if kernels else 1
        of = counted(chain, order, session.seed) if chain and cell.role == "cell" else None
        chosen = plan(cell.dims, order, dtype=session.dtype)
        arms.append(_arm(order, batch, of, chosen, session))
    return CellRecord(
        identity=session.identity,
        cell=cell.id,
        role=cell.role,
        engine=cell.engine,
        dims=cell.dims,
        arms=tuple(arms),
        error=error,
        error_bound=bound,
        predicted_seconds=seconds,
        predicted_bytes=needed,
        skipped=skipped,
    )


def describe_ceiling(ceiling: Ceiling, kernel: Kernel, session: Session) -> CellRecord:
    """The record of a reference kernel."""
    rows = ceiling.flops if ceiling.kind == "row-matrix" else 0
    arm = Arm(
        order=ceiling.kernel,
        bracketing=None,
        products=0 if ceiling.kind == "copy" else 1,
        multiplications=ceiling.flops // 2,
        flops=ceiling.flops,
        bytes=ceiling.bytes,
        peak_elements=0,
        working_set=ceiling.working_set,
        regime=regime(ceiling.working_set, session.caches),
        row_flops=rows,
        matrix_flops=ceiling.flops - rows,
        counted=None,
        counted_dims=None,
        batch=calibrate(kernel),
    )
    return CellRecord(
        identity=session.identity,
        cell=ceiling.id,
        role="ceiling",
        engine=ceiling.kind,
        dims=ceiling.shape,
        arms=(arm,),
        error=None,
        error_bound=None,
        predicted_seconds=0.0,
        predicted_bytes=ceiling.working_set,
        skipped=None,
    )
