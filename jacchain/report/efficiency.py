"""How near the cells come to the ceilings of the machine."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

from jacchain.analysis.evidence import REGIMES, Evidence, Series
from jacchain.experiments.cells import BOTH

MOST_EFFICIENCY = 1.02  # above, the ceiling itself was measured too low
PURE = 0.9  # share of one kind of work from which on a cell is compared with that kind's ceiling


@dataclass(frozen=True)
class Rate:
    """The best kernel of one kind in one memory regime, `per_second` in flops or bytes."""

    regime: str
    series: Series

    @property
    def flops(self) -> bool:
        """Whether flops are counted, as of matrix products; bytes of all other kernels."""
        return self.series.engine == "matrix-matrix"

    @property
    def per_second(self) -> float:
        """Flops or bytes per second."""
        return work(self.series, flops=self.flops) / self.series.time


@dataclass(frozen=True)
class Efficiency:
    """Rates of one order's cells in one memory regime over the ceiling's."""

    order: str
    regime: str
    values: tuple[float, ...]


def work(series: Series, *, flops: bool) -> int:
    """Flops, or bytes moved, of one call."""
    return series.row_flops + series.matrix_flops if flops else series.bytes


def ceilings(evidence: Evidence) -> list[Rate]:
    """The best rate for each kind of kernel: of matrix products one, of others one a regime."""
    best: dict[tuple[str, str], Rate] = {}
    for series in sorted(evidence.ceilings.values(), key=lambda s: (s.engine, s.working_set)):
        regime = evidence.regimes.name(series.working_set)
        found = Rate("any" if series.engine == "matrix-matrix" else regime, series)
        key = (series.engine, found.regime)
        if key not in best or found.per_second > best[key].per_second:
            best[key] = found
    return list(best.values())


def efficiencies(evidence: Evidence) -> list[Efficiency]:
    """Loss-first against the bandwidth of its regime, input-first against matrix products.

    Only cells of (nearly) one kind of work are compared, and none that is leaving a cache.
    """
    found = sorted(_each(evidence), key=lambda item: item[:2])
    return [
        Efficiency(BOTH[order], REGIMES[regime], tuple(value for *_, value in group))
        for (order, regime), group in groupby(found, key=lambda item: item[:2])
    ]


def _each(evidence: Evidence) -> Iterator[tuple[int, int, float]]:
    best = {(rate.series.engine, rate.regime): rate for rate in ceilings(evidence)}
    for series in (s for s in evidence.series.values() if s.engine == "numpy"):
        regime = evidence.regimes.name(series.working_set)
        kind = _kind(series)
        ceiling = best.get((kind, "any" if kind == "matrix-matrix" else regime))
        if ceiling is not None and series.order in BOTH and not regime.startswith("leaving"):
            rate = work(series, flops=ceiling.flops) / series.time
            value = rate / ceiling.per_second
            yield BOTH.index(series.order), REGIMES.index(regime), value


def _kind(series: Series) -> str:
    """The kind of kernel that does nearly all of the work, or "mixed"."""
    flops = series.row_flops + series.matrix_flops
    if series.row_flops == flops:
        return "row-matrix"
    return "matrix-matrix" if series.matrix_flops >= PURE * flops else "mixed"
