"""From the records of a run to its verdicts."""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from pydantic import TypeAdapter, ValidationError

from jacchain.analysis.assemble import assemble
from jacchain.analysis.evidence import Evidence, Series, unflagged
from jacchain.analysis.fit import Fit, fit_times, model_parts
from jacchain.analysis.verdicts import Verdict, judge
from jacchain.experiments import own_chain
from jacchain.experiments.experiment import Experiment, Finding
from jacchain.experiments.model import model_findings
from jacchain.experiments.profiles import Profile, chain_profile, fitted, profile_named
from jacchain.experiments.registry import chosen
from jacchain.records.codec import DELETE, describe
from jacchain.records.errors import RecordsError
from jacchain.records.load import load
from jacchain.records.read import first_session, read_records
from jacchain.records.schema import CheckRecord, SessionRecord


@dataclass(frozen=True)
class Assessment:
    """A run with everything that follows from its records.

    `unflagged` are the verdicts without the flagged blocks, claim by claim.
    """

    session: SessionRecord
    profile: Profile
    experiments: tuple[Experiment, ...]
    table: pd.DataFrame
    evidence: Evidence
    fit: Fit | None
    verdicts: tuple[Verdict, ...]
    unflagged: tuple[Verdict, ...]
    findings: dict[str, list[Finding]]

    @property
    def environment(self) -> dict[str, Any]:
        """Machine and software of the run."""
        return self.session.environment


def assess(folder: str | Path) -> Assessment:
    """Read a run's records and judge its claims.

    Raises
    ------
    RecordsError
        If there are no records, or they are damaged or mixed.
    """
    records = read_records(folder)
    session = first_session(records)
    experiments, profile = _ordered([r for r in records if isinstance(r, SessionRecord)])
    checks = {r.check: r.values for r in records if isinstance(r, CheckRecord)}
    _validate(checks, experiments)
    table = load(folder)

    def evidence_of(adjust: Callable[[Series], Series | None] = lambda s: s) -> Evidence:
        return assemble(table, session.environment, checks, adjust=adjust)

    evidence, clean = evidence_of(), evidence_of(unflagged)
    fit = fit_times(evidence)
    return Assessment(
        session,
        profile,
        experiments,
        table,
        evidence,
        fit,
        judge_all(experiments, evidence, profile, fit),
        judge_all(experiments, clean, profile, fit_times(clean)),
        {e.claim: e.findings(evidence, profile) for e in experiments}
        | {"model": model_findings(fit, evidence) if fit else []},
    )


def _ordered(sessions: list[SessionRecord]) -> tuple[tuple[Experiment, ...], Profile]:
    """What the sessions of a run set out to measure."""
    name, claims = sessions[0].profile, {c for session in sessions for c in session.claims}
    try:
        profile = chain_profile() if name == "chain" else profile_named(name)
        l2, llc = (sessions[0].environment.get(key) for key in ("l2_bytes", "llc_bytes"))
        profile = fitted(profile, l2, llc, sessions[0].identity.dtype)
        return chosen(claims) if claims else (), profile
    except ValueError as error:
        remedy = "Read these records with the jacchain that wrote them, or start anew with --fresh."
        raise RecordsError(str(error), remedy) from error


def _validate(checks: Mapping[str, Mapping[str, Any]], experiments: Iterable[Experiment]) -> None:
    """Refuse values of checks that no check returns: records can be edited by hand."""
    shapes = {name: shape for e in experiments for name, shape in e.values.items()}
    for name in shapes.keys() & checks.keys():
        try:
            TypeAdapter(shapes[name]).validate_json(json.dumps(checks[name]), strict=True)
        except ValidationError as error:
            problem = f"check {name}: {describe(error)}"
            raise RecordsError(problem, DELETE) from error


def judge_all(
    experiments: tuple[Experiment, ...], evidence: Evidence, profile: Profile, fit: Fit | None
) -> tuple[Verdict, ...]:
    """Each claim's verdict, then that on the time model; of a user's own chain only its own.

    Studies are not judged.
    """
    floor = evidence.noise_floor
    if not experiments:
        return (own_chain.verdict(evidence),)
    verdicts = [judge(e.claim, e.judge(evidence, profile), floor) for e in experiments if e.judge]
    if fit is not None:
        verdicts.append(judge("model", model_parts(fit, evidence), floor))
    return tuple(verdicts)
