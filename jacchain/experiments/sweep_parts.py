"""What C3 and C4 share: the parts that judge one sweep, its findings, its figure, and all of it."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import chain, groupby, pairwise
from math import prod

import numpy as np
from numpy.typing import NDArray

from jacchain.analysis import slopes
from jacchain.analysis.evidence import BOTH, Array, Dims, Evidence
from jacchain.analysis.ratios import formula_ratio, ratio
from jacchain.analysis.rivals import rival_part
from jacchain.analysis.verdicts import Part, Statement, exact, undecided
from jacchain.chains.chain import random_chain
from jacchain.chains.count import count
from jacchain.experiments.experiment import Check, Experiment, Finding
from jacchain.experiments.grids import Grid, grid_cells
from jacchain.experiments.show import Axis, Stretch, Sweep, Swept, Table, Unit, table
from jacchain.experiments.sizes import Sizes
from jacchain.experiments.titles import growth
from jacchain.records.values import Executed

Judge = Callable[[slopes.Sweep, float, str], Part]

TIMED: Mapping[str, Judge] = {
    "The time of {order} grows over {sizes} with the formula's exponent, within 0.15, in each "
    "memory regime.": slopes.slope_part,
    "No other law of growth predicts the times of {order} over {sizes} better, by more than a "
    "percentage point and what kernels that differ by shape, 5 % in time, make of the "
    "error.": rival_part,
}
COUNTED_SIZES = (3, 4, 7, 9)
MOST_STEP = 2.0  # between neighbouring sizes; a longer step says nothing about one edge
_SMALL = {"z3": 5, "z2": 4, "z1": 6, "x": 3, "z": 4}


def sweep_experiment(
    claim: str,
    title: str,
    statement: str,
    exactly: str,
    over: str,
    grids: Callable[[Sizes], Sequence[Grid]],
    growth: Mapping[str, Mapping[str, str]],
    layers: int,
) -> Experiment:
    """Make the experiment of C3 or C4: differences of counts, slopes and rivals over each grid.

    `exactly` says how multiplications grow, and `over` which sizes are swept; `growth` is by grid
    and order, as of `difference_parts`; `layers` are those of the formulas that the report shows.
    """
    check = f"{claim}:counts"

    def judge(evidence: Evidence, sizes: Sizes) -> list[Statement]:
        swept, counts = grids(sizes), evidence.checks.get(check)
        differences = [difference_parts(counts, grid, growth[grid.name]) for grid in swept]
        return [
            Statement(exactly, tuple(chain.from_iterable(differences))),
            *(
                Statement(
                    sentence.format(order=order, sizes=over),
                    tuple(
                        p for grid in swept for p in time_parts(evidence, grid, order, judgement)
                    ),
                )
                for sentence, judgement in TIMED.items()
                for order in BOTH
            ),
        ]

    return Experiment(
        claim,
        title,
        statement,
        cells=lambda sizes: grid_cells(*grids(sizes)),
        judge=judge,
        checks={check: Check(partial(count_growth, growth), Counts)},
        findings=lambda evidence, sizes: [
            finding for grid in grids(sizes) for finding in cache_finding(evidence, grid)
        ],
        shows=lambda evidence, sizes: [sweep_figure(evidence, grid) for grid in grids(sizes)],
        formulas=tuple((order, layers) for order in BOTH),
    )


def measured_sweep(evidence: Evidence, grid: Grid, order: str) -> slopes.Sweep | None:
    """Collect one order of a grid; None if fewer than two of its chains were measured."""
    index = BOTH.index(order)
    cells = [
        (size, evidence.chains[dims][index]) for size, dims in grid.cells if dims in evidence.chains
    ]
    return slopes.sweep_of(grid.variable, cells, grid.law)


def time_parts(evidence: Evidence, grid: Grid, order: str, judgement: Judge) -> list[Part]:
    """Judge one order over a grid, in each memory regime that can be judged."""
    whole = measured_sweep(evidence, grid, order)
    few = "no memory regime holds four sizes over half a decade above the fixed overhead"
    reason = few if whole else "not measured in this run"
    return regime_parts(whole, evidence, f"{order} over {grid.variable}", reason, judgement)


def regime_parts(
    whole: slopes.Sweep | None, evidence: Evidence, label: str, reason: str, judgement: Judge
) -> list[Part]:
    """Judge a sweep in each memory regime; `reason` says why none can be."""
    regimes = slopes.judged_regimes(whole, evidence) if whole else {}
    return [
        judgement(part, evidence.noise_floor, f"{label}, {regime}")
        for regime, part in regimes.items()
    ] or [undecided(label, reason)]


def cache_finding(evidence: Evidence, grid: Grid) -> Iterator[Finding]:
    """Compare the slope of loss-first over all sizes with those in one memory regime."""
    whole = measured_sweep(evidence, grid, "loss-first")
    regimes = slopes.judged_regimes(whole, evidence) if whole else {}
    if whole is None or not regimes:
        return
    beyond = whole.part(whole.sizes >= next(iter(regimes.values())).sizes[0])
    across, expected = slopes.straight_line(beyond)
    if abs(across - expected) <= slopes.MARGIN:
        return
    inside = {name: slopes.judged_slope(part) for name, part in regimes.items()}
    figures = ", ".join(f"{slope:.2f} in {name}" for name, (slope, _) in inside.items())
    yield Finding(
        f"From {beyond.sizes[0]:.0f} on, the time of loss-first over {grid.variable} has the "
        f"slope {across:.2f}, the formula {expected:.2f}.",
        "The factors leave the cache, and every element is read from further away.",
        f"Within one memory regime the slopes are {figures}.",
        vanishes=all(abs(slope - law) <= slopes.MARGIN for slope, law in inside.values()),
    )


def sweep_figure(evidence: Evidence, grid: Grid) -> Sweep:
    """Show time over the swept size, both orders, with the formula and the memory regimes."""
    sweeps = [
        whole for order in BOTH if (whole := measured_sweep(evidence, grid, order)) is not None
    ]
    sizes = [size for size, _ in grid.cells]
    limits = min(sizes) / 1.4, max(sizes) * 1.4
    return Sweep(
        f"cost_{grid.name}",
        _sweep_title(sweeps, evidence, grid),
        "Seconds per evaluation with 95 % intervals over processes; lines: the formula scaled to "
        "the cells of the judged regime; bands above: memory regimes. The title has the exponents "
        "of the longest judged regime.",
        Axis(f"{grid.variable} ({grid.unit})", "powers of 2", limits=limits),
        tuple(_swept(whole, evidence) for whole in sweeps),
        numbers=_sweep_table(evidence, grid),
    )


def _sweep_title(sweeps: Sequence[slopes.Sweep], evidence: Evidence, grid: Grid) -> str:
    """Say with which exponent each order grows, input-first above; or that none can be judged."""
    texts = []
    for whole in reversed(sweeps):
        order, over = whole.order, grid.variable.partition(",")[0]
        regimes = slopes.judged_regimes(whole, evidence).values()
        if not regimes:
            texts.append(f"{order}'s growth over {over}: too few sizes to judge")
            continue
        part = slopes.slope_part(max(regimes, key=lambda p: len(p.sizes)), evidence.noise_floor, "")
        if part.widened is None:
            texts.append(f"{order}'s growth over {over} is not resolved: {part.reason}")
        else:
            texts.append(growth(order, over, part.measured, part.widened, part.expected))
    return "\n".join(texts) or f"Cost over {grid.over or grid.variable}"


def _swept(whole: slopes.Sweep, evidence: Evidence) -> Swept:
    return Swept(
        "loss-first" if whole.order == BOTH[0] else "input-first",
        whole.sizes,
        whole.times,
        whole.intervals,
        whole.multiplications,
        tuple(stretches(whole, evidence)),
    )


def stretches(whole: slopes.Sweep, evidence: Evidence) -> list[Stretch]:
    """Return the judged regimes of a sweep and what lies between them, small sizes left out.

    Small sizes are those at which the fixed overhead is over a tenth of the time.
    """
    judged = {
        name: np.flatnonzero(np.isin(whole.sizes, part.sizes))
        for name, part in slopes.judged_regimes(whole, evidence).items()
    }
    regimes = [evidence.regimes.name(size) for size in whole.working_set]
    overhead = evidence.overhead * whole.products > slopes.MOST_OVERHEAD * whole.times
    inside = {(a, b) for indices in judged.values() for a, b in pairwise(indices.tolist())}
    steps = [
        (a, b)
        for a, b in pairwise(range(len(regimes)))
        if (a, b) not in inside
        and not overhead[a]
        and (regimes[a] != regimes[b] or regimes[a].startswith("leaving"))
        and whole.sizes[b] <= MOST_STEP * whole.sizes[a]
    ]
    within = [_stretch(whole, name, indices, judged=True) for name, indices in judged.items()]
    return within + [_stretch(whole, "", run, judged=False) for run in _runs(steps)]


def _runs(steps: list[tuple[int, int]]) -> Iterator[NDArray[np.intp]]:
    """Join neighbouring steps, each run of them as its indices."""
    for _, group in groupby(enumerate(steps), key=lambda item: item[1][0] - item[0]):
        run = [step for _, step in group]
        yield np.array([run[0][0], *(stop for _, stop in run)])


def _stretch(whole: slopes.Sweep, name: str, indices: NDArray[np.intp], *, judged: bool) -> Stretch:
    slope = slopes.judged_slope if judged else slopes.straight_line
    measured, expected = slope(whole.part(indices))
    return Stretch(name, indices, measured, expected, judged)


def _sweep_table(evidence: Evidence, grid: Grid) -> Table:
    """List both orders at every measured size: times, and their ratio beside the formula's."""
    units: dict[str, Unit] = {grid.variable: "count"}
    for order in BOTH:
        units |= {f"{order} in": "text", f"{order}, time": "seconds"}
        units |= {f"{order}, 95 % interval": "seconds interval"}
    units |= {"ratio of times": "number", "ratio of multiplications": "number"}
    rows = []
    for size, dims in grid.cells:
        if pair := evidence.chains.get(dims):
            loss, inputs = ((evidence.regime(s), s.time, s.interval) for s in pair)
            ratios = ratio(*pair[::-1])[1], formula_ratio(*pair[::-1])
            rows.append((size, *loss, *inputs, *ratios))
    caption = f"Times over {grid.variable}; ratios are input-first / loss-first"
    return table(caption, units, rows)


Four = tuple[Executed, Executed, Executed, Executed]
Counts = dict[str, dict[str, Four]]
"""Executed multiplications at `COUNTED_SIZES`, by the name of the sweep and the order."""


def count_growth(names: Iterable[str], seed: int) -> Counts:
    """Count the multiplications of small chains over the swept size, whose law is the same."""
    return {name: {order: _counts(name, order, seed) for order in BOTH} for name in names}


def _counts(name: str, order: str, seed: int) -> Four:
    small = (random_chain(small_dims(name, size), rng=seed) for size in COUNTED_SIZES)
    a, b, c, d = (count(factors, order) for factors in small)
    return a, b, c, d


def small_dims(swept: str, size: int) -> Dims:
    """Return the dims of a countable chain, all sizes different but those swept together.

    Examples
    --------
    >>> small_dims("z2", 9), small_dims("all_z", 9)
    ((1, 5, 9, 6, 3), (1, 9, 9, 9, 3))
    """
    if swept == "depth":
        return (1, *(_SMALL["z"],) * size, _SMALL["x"])
    layers = ("z3", "z2", "z1")
    sizes = _SMALL | (dict.fromkeys(layers, size) if swept == "all_z" else {swept: size})
    return (1, *(sizes[name] for name in layers), sizes["x"])


def difference_parts(counts: Counts | None, grid: Grid, expected: Mapping[str, str]) -> list[Part]:
    """Compare finite differences of executed counts over the swept size with the formula's slope.

    `expected` maps an order to a sum of products of sizes, such as "z2 z1 + z3 z2 + z3".
    """
    by_order = (counts or {}).get(grid.name, {})
    return [
        _difference(by_order[order], grid, order, growth)
        if order in by_order
        else undecided(f"count of {order} over {grid.variable}", "not counted in this run")
        for order, growth in expected.items()
    ]


def _difference(counts: Sequence[int], grid: Grid, order: str, growth: str) -> Part:
    """Judge one divided difference: of degree 2 where the formula is quadratic in the size."""
    degree = 2 if grid.law == "n^2" else 1
    sizes = np.array(COUNTED_SIZES)
    differences: Array = np.array(counts, dtype=float)
    for step in range(1, degree + 1):
        differences = np.diff(differences) / (sizes[step:] - sizes[:-step])
    expected = sum(prod(_SMALL.get(f, 0) or int(f) for f in t.split()) for t in growth.split("+"))
    measured = float(differences[0]) if np.all(differences == differences[0]) else float("nan")
    power = " squared" if degree == 2 else ""
    name = f"count of {order} grows by {growth} for each {grid.variable}{power}"
    return exact(name, measured, expected, unit="multiplications")
