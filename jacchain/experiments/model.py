"""What the time model does not predict, and why."""

import numpy as np

from jacchain.analysis.evidence import Evidence, Series
from jacchain.analysis.fit import MOST_ERROR, Fit
from jacchain.experiments.experiment import Finding

SMALL = 32  # a side below which a matrix product does not reach its rate


def _groups(series: Series, evidence: Evidence) -> dict[str, bool]:
    """What may spoil a prediction, by its name, and whether it applies to this series."""
    regime = evidence.regimes.name(series.working_set)
    inner = series.dims[1:]
    return {
        "the working set is leaving a cache, where bandwidth changes within the regime": (
            regime.startswith("leaving")
        ),
        f"a side is under {SMALL}, too small for BLAS to reach its rate": min(inner) < SMALL,
        "calls take over a tenth of the time": (
            evidence.overhead * series.products > 0.1 * series.time
        ),
    }


def model_findings(fit: Fit, evidence: Evidence) -> list[Finding]:
    """The predictions that miss by over 25 %, against those where none of the causes applies."""
    ratio = fit.predicted / np.array([s.time for s in fit.series])
    misses = np.abs(ratio - 1) > MOST_ERROR
    groups = [_groups(s, evidence) for s in fit.series]
    clean = np.array([not any(group.values()) for group in groups])
    if not misses.any() or not clean.any():
        return []
    shares = [
        f"{cause} ({int(misses[applies].sum())} of {int(applies.sum())} miss)"
        for cause in groups[0]
        if (applies := np.array([group[cause] for group in groups])).any()
    ]
    kept = int(np.count_nonzero(~misses[clean]))
    return [
        Finding(
            f"{int(misses.sum())} of {len(misses)} predictions miss by more than {MOST_ERROR:.0%}.",
            "One rate for each kind of product is too simple where "
            + "; where ".join(shares)
            + ".",
            f"Where none of these applies, {kept} of {int(clean.sum())} are within "
            f"{MOST_ERROR:.0%}.",
            vanishes=kept == int(clean.sum()),
        )
    ]
