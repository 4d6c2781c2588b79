"""The report's tables about the run itself; those of claims are theirs."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from jacchain.experiments.show import Column, Table, Unit, table
from jacchain.runs.assess import Assessment
from jacchain.units import seconds, share, size

FACTS = (Column("what"), Column("value"))


def environment_table(environment: Mapping[str, Any]) -> Table:
    """List machine and software, sizes with their units."""
    rows = tuple((fact_name(name), fact(name, value)) for name, value in environment.items())
    return Table("Machine and software", FACTS, rows)


def fact_name(name: str) -> str:
    """Write the name of a fact of the environment in words, without its unit.

    Examples
    --------
    >>> fact_name("clock_step_seconds")
    'clock step'
    """
    return name.removesuffix("_bytes").removesuffix("_seconds").replace("_", " ")


def fact(name: str, value: Any) -> str:
    """Write a fact of the environment, in the unit that its name ends with."""
    if value is None:
        return "not told by this system"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if name.endswith("_bytes"):
        return size(value)
    if name.endswith("_seconds") and isinstance(value, float):
        return seconds(value)
    if isinstance(value, list | tuple):
        return ", ".join(f"{v:.2f}" if isinstance(v, float) else str(v) for v in value) or "none"
    return str(value)


def sampling_table(assessment: Assessment) -> Table:
    """Say how the run was sampled."""
    session, evidence, sampling = assessment.session, assessment.evidence, assessment.sampling
    timed = [arms for arms in evidence.cells.values() if arms[0].role != "control"]
    flags = [series.flagged.any(axis=-1).ravel() for arms in timed for series in arms]
    flagged = float(np.concatenate(flags).mean()) if flags else 0.0
    rows = (
        ("profile", session.profile),
        ("started", session.started),
        ("seed", str(session.seed)),
        ("element type", session.identity.dtype),
        ("BLAS threads", str(session.identity.threads)),
        ("processes x rounds", f"{sampling.processes} x {sampling.rounds}"),
        ("cells measured", str(len(timed))),
        ("A/A controls", str(len(evidence.controls))),
        ("noise floor", share(evidence.noise_floor)),
        ("fixed overhead of a product", seconds(evidence.overhead)),
        ("blocks flagged as disturbed", share(flagged)),
    )
    return Table("Sampling", FACTS, rows)


def skipped_table(skipped: Mapping[str, str]) -> Table:
    """List the cells that were not measured, each with its reason."""
    return Table("Skipped cells", (Column("cell"), Column("reason")), tuple(skipped.items()))


def simulated_table(rows: Iterable[Mapping[str, Any]]) -> Table:
    """Say what the verdicts make of machines whose behaviour is known."""
    units: dict[str, Unit] = {"machine": "text", "runs": "count", "what": "text", "share": "share"}
    values = []
    for row in rows:
        required = f"{share(row['low'], 0)} to {share(row['high'], 0)}"
        values.append((*(row[name] for name in units), required, "yes" if row["met"] else "no"))
    return table("Simulated machines", units | {"required": "text", "met": "text"}, values)
