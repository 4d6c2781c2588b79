"""How near the chains come to the ceilings of the machine."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

from jacchain.analysis.evidence import BOTH, REGIMES, Evidence, Series

MOST_EFFICIENCY = 1.02  # above, the ceiling itself was measured too low
PURE = 0.9  # share of one kind of work from which on a chain is compared with that kind's ceiling


@dataclass(frozen=True)
class Rate:
    """The best kernel of one kind in one memory regime."""

    regime: str
    series: Series

    @property
    def counts_flops(self) -> bool:
        """Whether its rate is one of flops, as for matrix products; else of bytes."""
        return self.series.group == "matrix-matrix"

    @property
    def per_second(self) -> float:
        """Flops or bytes per second."""
        return work_rate(self.series, flops=self.counts_flops)


@dataclass(frozen=True)
class Efficiency:
    """Rate / ceiling of every chain of one order in one memory regime."""

    order: str
    regime: str
    values: tuple[float, ...]


def work_rate(series: Series, *, flops: bool) -> float:
    """Flops, or bytes moved, per second."""
    return (series.cost.flops if flops else series.cost.bytes) / series.time


def best_ceilings(evidence: Evidence) -> list[Rate]:
    """Return the best kernel of each kind: one of matrix products, of others one a regime."""
    best: dict[tuple[str, str], Rate] = {}
    for series in sorted(evidence.ceilings, key=lambda s: (s.group, s.cost.working_set)):
        regime = "any" if series.group == "matrix-matrix" else evidence.regime(series)
        rate, key = Rate(regime, series), (series.group, regime)
        if key not in best or rate.per_second > best[key].per_second:
            best[key] = rate
    return list(best.values())


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
            share = work_rate(series, flops=ceiling.counts_flops) / ceiling.per_second
            yield BOTH.index(series.name), REGIMES.index(regime), share


def _kind(series: Series) -> str:
    """Kind of kernel that does nearly all of the work, or "mixed"."""
    if series.cost.row_flops == series.cost.flops:
        return "row-matrix"
    return "matrix-matrix" if series.cost.matrix_flops >= PURE * series.cost.flops else "mixed"
