"""Simulated machines: what the verdicts say of machines whose behaviour is known.

A run of a simulated machine visits every cell in the order of a real run, and reads times that
follow from the machine's law and noise; the claims' own `judge` functions then judge it as they
judge a measurement. The table of 200 runs of each machine that comes with this package is written
by ``python -m jacchain.runs.simulated``; a test runs it again and compares.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from importlib.resources import files
from itertools import chain, product
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jacchain.analysis.assemble import complete
from jacchain.analysis.evidence import BOTH, Array, Count, Evidence, Series
from jacchain.analysis.intervals import share_interval
from jacchain.analysis.ratios import log_ratio
from jacchain.analysis.slopes import judged_regimes, slope_part
from jacchain.analysis.verdicts import judge
from jacchain.chains.registry import Registry
from jacchain.claims.registry import experiments
from jacchain.experiments.cell import Cell
from jacchain.experiments.experiment import Experiment
from jacchain.experiments.grids import all_grids
from jacchain.experiments.sweep_parts import measured_sweep
from jacchain.measuring.clock import MOST_STEP_SECONDS
from jacchain.runs.disturbances import measure, order_samples, quartile_factor
from jacchain.runs.machine import Machine, committed, committed_machine, true_seconds, work

RUNS = 200
TABLE = "simulated.json"
VERDICTS = ("agrees", "disagrees", "inconclusive")
Row = dict[str, Any]
Outcome = tuple[str, str, str]  # claim, statement ("" for the claim itself), verdict


@dataclass(frozen=True)
class Run:
    """One run of a machine, with the truth that its intervals should hold."""

    machine: Machine
    evidence: Evidence
    #: Seconds per call by cell and arm, without noise
    truth: Mapping[tuple[str, str], float]

    def true_seconds(self, series: Series) -> float:
        """Return the seconds per call that a series would take without noise."""
        return self.truth[series.cell, series.name]


@dataclass(frozen=True)
class _Layout:
    """What all runs of a machine share; arrays run over the arms of all cells."""

    cells: tuple[Cell, ...]
    blank: tuple[tuple[Series, ...], ...]  # the arms of each cell, without times
    counts: NDArray[np.intp]  # arms of each cell
    true: Array  # seconds per call, those effects of shapes included that are drawn once
    shapes: NDArray[np.intp]  # which work each arm does: the same in a control twice

    @property
    def arms(self) -> list[Series]:
        """The arms of all cells."""
        return [arm for arms in self.blank for arm in arms]


@lru_cache(maxsize=64)
def _layout(machine: Machine) -> _Layout:
    shape = machine.sampling.processes, machine.sampling.rounds, 2
    blank = tuple(blank_series(cell, shape) for cell in machine.cells)
    keys = [(arm.dims, arm.name, arm.cost) for arms in blank for arm in arms]
    places = {key: place for place, key in enumerate(dict.fromkeys(keys))}
    shapes = np.array([places[key] for key in keys], dtype=np.intp)
    true = np.array([time for arms in blank for time in true_seconds(machine, arms)])
    effects = machine.law.shape_effects
    if effects and effects.drawn == "once":
        true *= _shape_factors(effects.spread, shapes, np.random.default_rng(0))
    counts = np.array([len(arms) for arms in blank], dtype=np.intp)
    return _Layout(machine.cells, blank, counts, true, shapes)


def _shape_factors(spread: float, shapes: NDArray[np.intp], rng: np.random.Generator) -> Array:
    return np.asarray(np.exp(rng.normal(0, spread, shapes.max() + 1))[shapes])


def blank_series(cell: Cell, shape: tuple[int, int, int]) -> tuple[Series, ...]:
    """Return the arms of a cell as series of ones, shape (processes, rounds, 2)."""
    where = cell.name, cell.role, cell.group, cell.dims
    seconds, flagged = np.ones(shape), np.zeros(shape, dtype=bool)
    return tuple(Series(*where, name, cost, seconds, flagged) for name, cost in work(cell))


def simulate(machine: Machine, rng: np.random.Generator) -> Evidence:
    """Simulate one run of a machine.

    Examples
    --------
    >>> machine = replace(committed_machine("obeys-normal"), claims=("C3",))
    >>> evidence = simulate(machine, np.random.default_rng(0))
    >>> len(evidence.controls), round(evidence.noise_floor, 3)
    (16, 0.01)
    """
    return simulate_run(machine, rng).evidence


def simulate_run(machine: Machine, rng: np.random.Generator) -> Run:
    """Simulate one run of a machine, and keep the truth beside it."""
    layout, effects = _layout(machine), machine.law.shape_effects
    true = layout.true
    if effects and effects.drawn == "each run":
        true = true * _shape_factors(effects.spread, layout.shapes, rng)
    samples = order_samples(layout.cells, layout.counts, machine.sampling, rng)
    times = iter(measure(machine, true, samples, rng))
    cells = {
        arms[0].cell: tuple(replace(arm, seconds=next(times)) for arm in arms)
        for arms in layout.blank
    }
    counts = tuple(
        Count(arm.name, arm.dims, arm.dims, arm.cost.multiplications)
        for arm in layout.arms
        if arm.role == "chain"
    )
    evidence = Evidence(cells, _Checks(machine.experiments), counts)
    truth = {(a.cell, a.name): t for a, t in zip(layout.arms, true.tolist(), strict=True)}
    return Run(machine, complete(evidence, machine.caches.l2, machine.caches.llc), truth)


class _Checks(Mapping[str, Any]):
    """The untimed checks of experiments, each run when it is first asked for.

    They count the same on a machine of any speed, so that all runs share them.
    """

    def __init__(self, experiments: Sequence[Experiment]) -> None:
        self._claims = {name: e.claim for e in experiments for name in e.checks}

    def __getitem__(self, name: str) -> Any:
        return _check(self._claims[name], name)

    def __iter__(self) -> Iterator[str]:
        return iter(self._claims)

    def __len__(self) -> int:
        return len(self._claims)


@cache
def _check(claim: str, name: str) -> Any:
    return experiments()[claim].checks[name].run(0)


def outcomes(run: Run) -> Iterator[Outcome]:
    """Yield (claim, statement, verdict) for what is judged of a run; "" stands for the claim.

    A run refuses a clock that is too coarse, so that nothing is judged then.
    """
    evidence = run.evidence
    if run.machine.clock.resolution > MOST_STEP_SECONDS:
        yield from ((claim, "", "inconclusive") for claim in run.machine.claims)
        return
    for claim in run.machine.claims:
        statements = experiments()[claim].judge
        if statements is not None:
            verdict = judge(claim, statements(evidence, run.machine.sizes), evidence.noise_floor)
            yield claim, "", verdict.verdict
            yield from ((claim, each.sentence, each.verdict) for each in verdict.statements)


def _ratios_hold(run: Run) -> list[bool]:
    """Whether the interval of input-first / loss-first holds the truth, for each chain."""
    inside = []
    for loss, inputs in run.evidence.chains.values():
        low, high = log_ratio(inputs, loss).interval()
        true = np.log(run.true_seconds(inputs) / run.true_seconds(loss))
        inside.append(bool(low <= true <= high))
    return inside


def _slopes_hold(run: Run) -> list[bool]:
    """Whether the interval of each judged slope holds that of the true times at its sizes."""
    evidence, inside = run.evidence, []
    for grid, order in product(all_grids(run.machine.sizes).values(), BOTH):
        whole = measured_sweep(evidence, grid, order)
        pairs = {n: evidence.chains[dims] for n, dims in grid.cells if dims in evidence.chains}
        for part in judged_regimes(whole, evidence).values() if whole else ():
            series = [pairs[int(size)][BOTH.index(order)] for size in part.sizes]
            true = float(np.log([run.true_seconds(s) for s in series]) @ part.weights)
            low, high = slope_part(part, evidence.noise_floor, "").interval or (np.nan, np.nan)
            inside.append(bool(low <= true <= high))
    return inside


def _times_hold(run: Run) -> list[bool]:
    """Whether the interval of each chain's time holds what it is of, in both orders.

    That is the median over processes of the lower quartile of their samples.
    """
    machine = run.machine
    factor = quartile_factor(machine.noise, machine.states, 2 * machine.sampling.rounds)
    inside = []
    for series in (series for pair in run.evidence.chains.values() for series in pair):
        low, high = series.interval
        inside.append(bool(low <= factor * run.true_seconds(series) <= high))
    return inside


COVERAGE: Registry[Callable[[Run], list[bool]]] = Registry(
    "kind of interval",
    {"ratios": _ratios_hold, "slopes": _slopes_hold, "times": _times_hold},
)
"""By its name in a machine's file, a function that says of each interval whether it is right."""


@dataclass(frozen=True)
class Frequency:
    """How often something was said of a machine's runs, or how many intervals hold the truth."""

    machine: str
    runs: int
    what: str  #: such as "C3 agrees"
    hits: int
    trials: int  #: runs, or intervals
    low: float = 0.0  #: Bounds on the share
    high: float = 1.0

    @property
    def share(self) -> float:
        """Hits in the trials; 0 without any."""
        return self.hits / self.trials if self.trials else 0.0

    @property
    def interval(self) -> tuple[float, float]:
        """95 % interval of the share by Wilson, of independent trials."""
        return share_interval(self.hits, self.trials)

    @property
    def bounded(self) -> bool:
        """Whether the machine's file bounds it."""
        return (self.low, self.high) != (0.0, 1.0)

    @property
    def met(self) -> bool:
        """Whether the share is within its bounds."""
        return self.low <= self.share <= self.high

    def row(self) -> Row:
        """Return it as plain JSON."""
        names = ("machine", "runs", "what", "low", "high", "met")
        figures = {"share": round(self.share, 4), "interval": np.round(self.interval, 4).tolist()}
        return {name: getattr(self, name) for name in names} | figures


def tally(
    machine: Machine,
    runs: int = RUNS,
    seed: int = 0,
    claims: Sequence[str] = (),
    progress: Callable[[int, int], None] | None = None,
) -> list[Frequency]:
    """Judge so many runs of a machine: each verdict on each claim, and each kind of interval.

    `claims` are judged instead of all that the machine's file names; `progress` is told how many
    runs are done of how many. Raises ValueError if there are no runs, if the file does not name a
    claim, or if a kind of interval or a statement that it bounds does not exist.

    Examples
    --------
    >>> frequencies = tally(committed_machine("grows-x-1.25"), runs=2, claims=["C3"])
    >>> [frequency.what for frequency in frequencies if frequency.hits == 2][0]
    'C3 disagrees'
    """
    machine = _judging(machine, claims)
    covered = {kind: COVERAGE[kind] for kind in machine.coverage}
    if runs < 1:
        message = f"{runs} runs; expected at least 1"
        raise ValueError(message)
    verdicts: dict[tuple[str, str], Counter[str]] = {}
    inside: dict[str, list[bool]] = {kind: [] for kind in covered}
    rng = np.random.default_rng(seed)
    for number in range(runs):
        run = simulate_run(machine, rng)
        for claim, statement, verdict in outcomes(run):
            verdicts.setdefault((claim, statement), Counter())[verdict] += 1
        for kind, hold in covered.items():
            inside[kind] += hold(run)
        if progress is not None:
            progress(number + 1, runs)
    _refuse_unmatched(machine, [statement for _, statement in verdicts])
    several = [_frequencies(machine, runs, *judged, counts) for judged, counts in verdicts.items()]
    return [*chain.from_iterable(several), *_coverage(machine, runs, inside)]


def _judging(machine: Machine, claims: Sequence[str]) -> Machine:
    """Return the machine with only some of its claims to judge."""
    names = {claim.lower(): claim for claim in machine.claims}
    for claim in claims:
        if claim.lower() not in names:
            message = f"{machine.name} does not judge {claim!r}; it judges {list(machine.claims)}"
            raise ValueError(message)
    chosen = tuple(names[claim.lower()] for claim in claims) or machine.claims
    return replace(machine, claims=chosen)


def _refuse_unmatched(machine: Machine, statements: Sequence[str]) -> None:
    """Raise ValueError if a bound is on a statement that nothing judged contains."""
    judged = set(machine.claims)
    for bound in machine.bounds:
        if judged.isdisjoint(bound.claims or judged):
            continue
        if not any(bound.statement in statement for statement in statements):
            message = (
                f"{machine.name}: bounds.statement is {bound.statement!r}, which no statement "
                f"contains; those judged are {list(filter(None, statements))}"
            )
            raise ValueError(message)


def _frequencies(
    machine: Machine, runs: int, claim: str, statement: str, counts: Counter[str]
) -> list[Frequency]:
    """Return the frequencies of the three verdicts on a claim, or on a statement of it."""
    frequencies = []
    for verdict in VERDICTS:
        bounds = [
            bound
            for bound in machine.bounds
            if bound.verdict == verdict
            and claim in (bound.claims or machine.claims)
            and bool(bound.statement) == bool(statement)
            and bound.statement in statement
        ]
        low = max((bound.low for bound in bounds), default=0.0)
        high = min((bound.high for bound in bounds), default=1.0)
        what = f"{claim} {verdict}" + (f": {statement}" if statement else "")
        frequencies.append(Frequency(machine.name, runs, what, counts[verdict], runs, low, high))
    return frequencies


def _coverage(machine: Machine, runs: int, inside: Mapping[str, Sequence[bool]]) -> list[Frequency]:
    what = "95 % intervals of {} that hold the truth"
    return [
        Frequency(
            machine.name, runs, what.format(kind), sum(held), len(held), *machine.coverage[kind]
        )
        for kind, held in inside.items()
        if held
    ]


def published() -> list[Row]:
    """Return the table as it was last written: a row for each machine and bound."""
    rows: list[Row] = json.loads((files("jacchain.runs") / TABLE).read_text())
    return rows


def main(names: Sequence[str] = ()) -> None:
    """Write the table anew, beside this file."""
    machines = [committed_machine(name) for name in names or committed().entries]
    rows = [frequency.row() for m in machines for frequency in tally(m) if frequency.bounded]
    Path(__file__).with_name(TABLE).write_text(json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    main()
