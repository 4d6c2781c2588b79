"""The report's tables: what stands in their cells, as text."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from jacchain.analysis.evidence import REGIMES, Evidence, Series
from jacchain.analysis.fit import MOST_CONDITION, TERMS, UNITS, Fit
from jacchain.experiments.cells import BOTH
from jacchain.experiments.grids import Grid
from jacchain.experiments.judging import Assessment
from jacchain.report.efficiency import MOST_EFFICIENCY, Efficiency, Rate, ceilings, efficiencies
from jacchain.report.ratios import multiplication_ratio, time_ratio
from jacchain.report.terminal import number, seconds, size


@dataclass(frozen=True)
class Table:
    """A caption, the names of the columns, and rows that begin with their own name."""

    caption: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def sweep_table(evidence: Evidence, grid: Grid) -> Table:
    """Both orders at every measured size: times, and their ratio beside the formula's."""
    rows = []
    for swept, dims in grid.cells:
        loss, inputs = (evidence.get(dims, order) for order in BOTH)
        if loss is not None and inputs is not None:
            rows.append(
                (
                    f"{swept:,}",
                    _place(evidence, loss), seconds(loss.time), seconds(loss.median),
                    _place(evidence, inputs), seconds(inputs.time), seconds(inputs.median),
                    number(time_ratio(loss, inputs)), number(multiplication_ratio(loss, inputs)),
                )
            )  # fmt: skip
    names = tuple(f"{order}{what}" for order in BOTH for what in (" in", ", fastest", ", median"))
    caption = f"Times over {grid.variable}; ratios are input-first / loss-first"
    return Table(
        caption, (grid.variable, *names, "ratio of times", "ratio of multiplications"), tuple(rows)
    )


def _place(evidence: Evidence, series: Series) -> str:
    return evidence.regimes.name(series.working_set)


def fit_table(fit: Fit) -> Table:
    """The coefficients with their intervals, and the rates that they amount to."""
    rows = [
        (name, f"{value:.3g} {unit}", f"{low:.3g} to {high:.3g}", _per_second(name, value))
        for name, unit, value, (low, high) in zip(
            TERMS, UNITS, fit.coefficients, fit.intervals, strict=True
        )
    ]
    return Table("Coefficients", ("term", "coefficient", "95 % interval", "that is"), tuple(rows))


def _per_second(term: str, value: float) -> str:
    if value <= 0:
        return "not in use"
    if term == "calls":
        return seconds(value)
    return f"{1e-9 / value:.3g} {'GFLOP/s' if term.startswith('flops') else 'GB/s'}"


def condition_text(fit: Fit) -> str:
    """What the condition number says of the coefficients."""
    if fit.separable:
        return f"The condition number is {fit.condition:.1f}: the parts can be told apart."
    return (
        f"The condition number is {fit.condition:.0f}, above {MOST_CONDITION:.0f}: the parts can't "
        "be told apart, and only their sum, the predicted time, is reported."
    )


def environment_table(environment: Mapping[str, Any]) -> Table:
    """Machine and software, sizes with their units."""
    rows = tuple(
        (name.removesuffix("_bytes").replace("_", " "), _fact(name, v))
        for name, v in environment.items()
    )
    return Table("Machine and software", ("what", "value"), rows)


def _fact(name: str, value: Any) -> str:
    if value is None:
        return "not told by this system"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if name.endswith("_bytes"):
        return size(value)
    if isinstance(value, list | tuple):
        return ", ".join(f"{v:.2f}" if isinstance(v, float) else str(v) for v in value)
    return str(value)


def ceilings_table(evidence: Evidence) -> Table:
    """The best kernel for each kind of work and memory regime."""
    rows = tuple(_ceiling_row(rate) for rate in ceilings(evidence))
    return Table("Ceilings", ("work", "in", "best kernel", "working set", "rate"), rows)


def _ceiling_row(rate: Rate) -> tuple[str, ...]:
    s = rate.series
    if s.engine == "empty call":
        speed = seconds(s.time)
    else:
        speed = f"{rate.per_second / 1e9:.3g} {'GFLOP/s' if rate.flops else 'GB/s'}"
    return (s.engine, rate.regime, s.order, size(s.working_set), speed)


def efficiency_table(evidence: Evidence) -> Table:
    """How near to its ceiling each order comes, in each memory regime."""
    rows = tuple(_efficiency_row(found) for found in efficiencies(evidence))
    header = ("order", "in", "cells", "median", "best", "remark")
    return Table("Efficiency: rate reached over the ceiling's", header, rows)


def _efficiency_row(found: Efficiency) -> tuple[str, ...]:
    best = max(found.values)
    remark = ""
    if best > MOST_EFFICIENCY:
        over = sum(value > MOST_EFFICIENCY for value in found.values)
        remark = f"error of the ceiling: {over} above {MOST_EFFICIENCY}, it was measured too low"
    middle = float(np.median(found.values))
    return (found.order, found.regime, str(len(found.values)), f"{middle:.2f}", f"{best:.2f}",
            remark)  # fmt: skip


def regimes_table(evidence: Evidence) -> Table:
    """The memory regimes, with how many timed orders of cells fell into each."""
    edges = evidence.regimes
    known = np.isfinite(edges.memory)
    bounds = {
        "L2": f"at most {size(edges.l2)}",
        "LLC": f"{size(edges.llc_low)} to {size(edges.llc_high)}" if known else "",
        "memory": f"from {size(edges.memory)}" if known else "",
    }
    found = Counter(_place(evidence, s) for s in evidence.series.values())
    rows = tuple(
        (name, bounds.get(name, "in between, not judged") if known else "caches unknown",
         str(found[name]))
        for name in REGIMES
    )  # fmt: skip
    return Table("Memory regimes", ("regime", "working set", "timed"), rows)


def method_table(assessment: Assessment) -> Table:
    """How the run was sampled."""
    session, evidence, profile = assessment.session, assessment.evidence, assessment.profile
    identity = session.identity
    flags = [s.flagged.any(axis=-1).ravel() for s in evidence.series.values()]
    share = float(np.concatenate(flags).mean()) if flags else 0.0
    rows = (
        ("profile", session.profile),
        ("started", session.started),
        ("seed", str(session.seed)),
        ("element type", identity.dtype),
        ("BLAS threads", str(identity.threads)),
        ("processes x rounds", f"{profile.processes} x {profile.rounds}"),
        ("cells measured", f"{len({s.cell for s in evidence.series.values()})}"),
        ("A/A controls", str(len(evidence.controls))),
        ("noise floor", f"{evidence.noise_floor:.1%}"),
        ("fixed overhead of a product", seconds(evidence.overhead)),
        ("blocks flagged as disturbed", f"{share:.1%}"),
    )
    return Table("Sampling", ("what", "value"), rows)


def skipped_table(skipped: Mapping[str, str]) -> Table:
    """Cells that were not measured, each with its reason."""
    return Table("Skipped cells", ("cell", "reason"), tuple(skipped.items()))


def simulated_table(rows: Iterable[Mapping[str, Any]]) -> Table:
    """What the verdicts say of machines whose behaviour is known."""
    return Table(
        "Simulated machines",
        ("machine", "runs", "what", "share", "required", "met"),
        tuple(
            (
                row["machine"], f"{row['runs']:,}", row["what"], f"{row['share']:.1%}",
                f"{row['low']:.0%} to {row['high']:.0%}", "yes" if row["met"] else "no",
            )
            for row in rows
        ),
    )  # fmt: skip
