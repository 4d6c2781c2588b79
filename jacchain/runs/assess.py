"""From the records of a run to its verdicts."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from jacchain.analysis.assemble import assemble
from jacchain.analysis.evidence import Evidence, Series, unflagged
from jacchain.analysis.verdicts import Verdict, judge
from jacchain.claims.registry import chosen
from jacchain.experiments.experiment import Experiment
from jacchain.experiments.sizes import PROFILES, Sampling, Sizes
from jacchain.records.codec import DELETE, describe
from jacchain.records.errors import RecordsError
from jacchain.records.read import first_session, read_records
from jacchain.records.schema import CheckRecord, Record, SessionRecord


@dataclass(frozen=True)
class Assessment:
    """A run with everything that follows from its records.

    `unflagged` are the verdicts without the flagged blocks, claim by claim.
    """

    session: SessionRecord
    sampling: Sampling
    sizes: Sizes
    experiments: tuple[Experiment, ...]
    evidence: Evidence
    verdicts: tuple[Verdict, ...]
    unflagged: tuple[Verdict, ...]


def assess(folder: str | Path) -> Assessment:
    """Read a run's records and judge its claims.

    Raises
    ------
    RecordsError
        If there are no records, or they are damaged or mixed.
    """
    records = read_records(folder)
    session = first_session(records)
    sampling, sizes = _sizes(session)
    experiments = _experiments(records)
    evidence = evidence_of(records, experiments)
    clean = evidence_of(records, experiments, adjust=unflagged)
    judged = (tuple(verdicts(experiments, e, sizes)) for e in (evidence, clean))
    return Assessment(session, sampling, sizes, experiments, evidence, *judged)


def verdicts(experiments: Sequence[Experiment], evidence: Evidence, sizes: Sizes) -> list[Verdict]:
    """Judge every experiment that judges anything: studies don't."""
    judged = (verdict_on(experiment, evidence, sizes) for experiment in experiments)
    return [verdict for verdict in judged if verdict is not None]


def verdict_on(experiment: Experiment, evidence: Evidence, sizes: Sizes) -> Verdict | None:
    """Judge one claim; None of a study, or where there is nothing that it judges at all."""
    if experiment.judge is None:
        return None
    parts = experiment.judge(evidence, sizes)
    if not parts and not experiment.is_claim:
        return None
    return judge(experiment.claim, parts, evidence.noise_floor)


def evidence_of(
    records: Sequence[Record],
    experiments: Sequence[Experiment],
    *,
    adjust: Callable[[Series], Series | None] | None = None,
) -> Evidence:
    """Arrange records for judging, and validate the values of checks by their claims' types.

    Raises
    ------
    RecordsError
        If the values of a check are none that it returns: records can be edited by hand.
    """
    types = {name: check.values for e in experiments for name, check in e.checks.items()}
    checks = {
        record.check: _values(record, types[record.check])
        for record in records
        if isinstance(record, CheckRecord) and record.check in types
    }
    return assemble(records, checks, **({} if adjust is None else {"adjust": adjust}))


def _values(record: CheckRecord, kind: Any) -> Any:
    try:
        return TypeAdapter(kind).validate_json(json.dumps(record.values), strict=True)
    except ValidationError as error:
        problem = f"check {record.check}: {describe(error)}"
        raise RecordsError(problem, DELETE) from error


def _sizes(session: SessionRecord) -> tuple[Sampling, Sizes]:
    """What the run set out to measure, and how often."""
    try:
        sampling = PROFILES[session.profile]
    except ValueError as error:
        raise _unreadable(error) from error
    l2, llc = (session.environment.get(key) for key in ("l2_bytes", "llc_bytes"))
    itemsize = 4 if session.identity.dtype == "float32" else 8
    return sampling, Sizes(sampling.scale, l2, llc, itemsize)


def _experiments(records: Sequence[Record]) -> tuple[Experiment, ...]:
    sessions = (record for record in records if isinstance(record, SessionRecord))
    try:
        return chosen({claim: None for session in sessions for claim in session.claims})
    except ValueError as error:
        raise _unreadable(error) from error


def _unreadable(error: ValueError) -> RecordsError:
    remedy = "Read these records with the jacchain that wrote them, or start anew with --fresh."
    return RecordsError(str(error), remedy)
