"""Orders of a given chain, measured in this process."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from jacchain.analysis.evidence import BOTH
from jacchain.analysis.intervals import LEAST_VALUES, Triple, median_interval
from jacchain.chains.chain import Chain
from jacchain.chains.evaluate import evaluator
from jacchain.chains.plan import Plan
from jacchain.chains.planners import Order, plan
from jacchain.inputs import FloatArray, as_generator, as_integers, as_tuple, check_type
from jacchain.measuring.blocks import measure_block
from jacchain.measuring.timing import calibrate
from jacchain.notebook import html_table
from jacchain.units import seconds, share

MOST_BLOCKS = 10_000


@dataclass(frozen=True, repr=False)
class Measurement:
    """What some orders of a chain took, measured in turn in one process.

    Attributes
    ----------
    plans
        Each order as a plan, with its counted cost; the first is what the others are compared with.
    times
        For each, the median seconds per evaluation.
    ratios
        For each, its time over the first's as (low, middle, high), with the 95 % interval over
        blocks. Of the first, that of two evaluators of it, which take the same in truth.
    """

    plans: tuple[Plan, ...]
    times: tuple[float, ...]
    ratios: tuple[Triple, ...]

    @property
    def noise(self) -> float:
        """How far the first order's time lies from itself: no smaller difference is told."""
        low, _, high = self.ratios[0]
        return max(high, 1 / low) - 1

    @property
    def findings(self) -> tuple[str, ...]:
        """What was found of each order but the first, in a sentence."""
        return tuple(
            _finding(self.plans[0], plan, ratio, self.noise)
            for plan, ratio in zip(self.plans[1:], self.ratios[1:], strict=True)
        )

    def __repr__(self) -> str:
        """Say what was found."""
        return "; ".join(self.findings)

    def _repr_html_(self) -> str:
        """Show a notebook times, ratios, and multiplications."""
        rows = (
            (p.name, seconds(t), _interval(r), f"{p.multiplications:,}")
            for p, t, r in zip(self.plans, self.times, self.ratios, strict=True)
        )
        columns = ("order", "time", f"time / {self.plans[0].name}'s, 95 %", "multiplications")
        title = f"orders, measured in one process; noise {share(self.noise)}"
        return html_table(title, columns, rows, f"{self!r}.")


def measure(
    chain: Chain,
    orders: Sequence[Order] = BOTH,
    *,
    blocks: int = 12,
    engine: str = "numpy",
    rng: int | np.random.Generator | None = None,
) -> Measurement:
    """Time orders of a chain against the first of them, in paired blocks, in this process.

    In each block an order and the first run as ABBA or BAAB, drawn at random, samples of at least
    10 ms each. The first also runs against itself: differences up to what it differs by are not
    told. Processes differ, and the intervals know this one alone: `jacchain.run`, with ``dims=``,
    takes twelve.

    Parameters
    ----------
    chain : Chain
        With its factors; the dtype is theirs.
    orders : sequence of str, nested pairs of int, or Plan
        Two or more, each as `jacchain.plan` takes it.
    blocks : int
        Of each pair, from 6 (fewer decide nothing) to 10,000.
    engine : str
        As `jacchain.evaluator` takes it.
    rng : int or numpy.random.Generator, optional
        Seed or generator of the sequences.

    Returns
    -------
    Measurement
        Its text says which order is faster, and how sure that is.

    Raises
    ------
    TypeError, ValueError
        If the chain is none, an order or the engine is unknown, there are fewer than two orders, or
        the number of blocks is out of its range.
    ArithmeticError
        If two orders differ by more than rounding explains.

    Examples
    --------
    >>> from jacchain.chains.chain import random_chain
    >>> found = measure(random_chain((1, 8, 64, 64), rng=0), blocks=6, rng=0)
    >>> [plan.multiplications for plan in found.plans], len(found.ratios)
    ([4608, 33280], 2)
    """
    check_type(chain, Chain, "the chain")
    names = as_tuple(orders, object, "the orders")
    (blocks,) = as_integers([blocks], "blocks")
    if len(names) < 2 or not LEAST_VALUES <= blocks <= MOST_BLOCKS:
        message = (
            f"{len(names)} orders, {blocks} blocks; expected two orders or more, and "
            f"{LEAST_VALUES} to {MOST_BLOCKS} blocks of each pair"
        )
        raise ValueError(message)
    generator = as_generator(rng)
    plans = tuple(plan(chain, order) for order in names)
    compared = (plans[0], *plans)  # the first against itself, and against the others
    kernels = [evaluator(chain, order, engine=engine) for order in compared]
    _check_agreement(chain, [kernel().copy() for kernel in kernels])
    batches = [calibrate(kernel) for kernel in kernels]
    times, ratios = [], []
    for kernel, batch in zip(kernels[1:], batches[1:], strict=True):
        pair = [kernels[0], kernel], [batches[0], batch]
        samples = [measure_block(*pair, generator) for _ in range(blocks)]
        first, second = (
            np.array([_of_arm(block.sequence, block.seconds, arm) for block in samples])
            for arm in "AB"
        )
        times.append(float(np.median(second)))
        low, middle, high = np.exp(median_interval(np.log(second.sum(axis=1) / first.sum(axis=1))))
        ratios.append((float(low), float(middle), float(high)))
    return Measurement(plans, tuple(times), tuple(ratios))


def _of_arm(sequence: str, samples: Sequence[float], arm: str) -> list[float]:
    return [value for letter, value in zip(sequence, samples, strict=True) if letter == arm]


def _check_agreement(chain: Chain, results: Sequence[FloatArray]) -> None:
    """Raise ArithmeticError if results differ by more than 16 eps times the inner sizes."""
    first, *others = results
    bound = 16 * np.finfo(chain.dtype).eps * sum(chain.dims[1:]) * np.abs(first).max(initial=0)
    for other in others:
        error = np.abs(other - first).max(initial=0)
        if not error <= bound:
            message = f"the orders differ by {error:.3g}, and rounding explains {bound:.3g}"
            raise ArithmeticError(message)


def _finding(first: Plan, other: Plan, ratio: Triple, noise: float) -> str:
    low, middle, high = ratio
    if low / (1 + noise) <= 1 <= high * (1 + noise):
        times = f"{_interval(ratio)} times as long, noise {share(noise)}"
        return f"{other.name} and {first.name} are not told apart ({times})"
    slower, faster = (other, first) if middle > 1 else (first, other)
    ends = (low, high) if middle > 1 else (1 / high, 1 / low)
    times = f"{ends[0]:.3g} to {ends[1]:.3g} times as long as {faster.name}"
    return f"{slower.name} takes {times} (95 % interval over blocks of one process)"


def _interval(ratio: Triple) -> str:
    return f"{ratio[0]:.3g} to {ratio[2]:.3g}"
