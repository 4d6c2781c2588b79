"""How near the chains come to the ceilings of the machine."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import groupby

from jacchain.analysis.evidence import BOTH, REGIMES, Evidence, Series

MOST_EFFICIENCY = 1.02  # above, the ceiling itself was measured too low
LEAST_BUSY = 0.1  # share of the time that is work at least, however long calls seem to take
PURE = 0.9  # share of one kind of work from which on a chain is compared with that kind's ceiling


@dataclass(frozen=True)
class Rate:
    """The best kernel of one kind in one memory regime, or in one farther from the processor."""

    regime: str
    series: Series
    overhead: float  #: seconds per product that are no work

    @property
    def counts_flops(self) -> bool:
        """Whether its rate is one of flops, as for matrix products; else of bytes."""
        return self.series.group == "matrix-matrix"

    @property
    def per_second(self) -> float:
        """Flops or bytes per second."""
        return work_rate(self.series, flops=self.counts_flops, overhead=self.overhead)


@dataclass(frozen=True)
class Efficiency:
    """Rate / ceiling of every chain of one order in one memory regime."""

    order: str
    regime: str
    values: tuple[float, ...]


def work_rate(series: Series, *, flops: bool, overhead: float = 0.0) -> float:
    """Return flops, or bytes moved, per second of work: without `overhead` seconds per product."""
    time = series.time
    busy = max(time - series.cost.products * overhead, LEAST_BUSY * time)
    return (series.cost.flops if flops else series.cost.bytes) / busy


def best_ceilings(evidence: Evidence) -> list[Rate]:
    """Return the best kernel of each kind: one of matrix products, of others one a regime.

    Memory that is nearer is at least as fast: kernels of a farther regime compete as well.
    """
    fastest: dict[str, Rate] = {}
    best: dict[tuple[str, str], Rate] = {}
    nearest_first = sorted(evidence.ceilings, key=lambda s: (s.group, s.cost.working_set))
    for series in reversed(nearest_first):
        kind = series.group
        regime = "any" if kind == "matrix-matrix" else evidence.regime(series)
        rate = Rate(regime, series, evidence.overhead)
        if kind in fastest and fastest[kind].per_second > rate.per_second:
            rate = replace(fastest[kind], regime=regime)
        fastest[kind] = best[kind, regime] = rate
    return [*reversed(best.values())]


def efficiencies(evidence: Evidence) -> list[Efficiency]:
    """Compare loss-first with the bandwidth of its regime, input-first with matrix products.

    Only chains of (nearly) one kind of work are compared, and none that is leaving a cache.
    """
    rates = sorted(_rates(evidence), key=lambda item: item[:2])
    return [
        Efficiency(BOTH[order], REGIMES[regime], tuple(value for *_, value in group))
        for (order, regime), group in groupby(rates, key=lambda item: item[:2])
    ]


def _rates(evidence: Evidence) -> Iterator[tuple[int, int, float]]:
    """Order, regime (both as numbers) and rate / ceiling of every chain that has a ceiling."""
    best = {(rate.series.group, rate.regime): rate for rate in best_ceilings(evidence)}
    for series in (series for pair in evidence.chains.values() for series in pair):
        regime, kind = evidence.regime(series), _kind(series)
        ceiling = best.get((kind, "any" if kind == "matrix-matrix" else regime))
        if ceiling is not None and not regime.startswith("leaving"):
            rate = work_rate(series, flops=ceiling.counts_flops, overhead=evidence.overhead)
            yield BOTH.index(series.name), REGIMES.index(regime), rate / ceiling.per_second


def _kind(series: Series) -> str:
    """Kind of kernel that does nearly all of the work, or "mixed"."""
    if series.cost.row_flops == series.cost.flops:
        return "row-matrix"
    return "matrix-matrix" if series.cost.matrix_flops >= PURE * series.cost.flops else "mixed"
