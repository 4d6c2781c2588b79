"""From the records of a run to its verdicts."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from jacchain.analysis.assemble import Adjust, assemble
from jacchain.analysis.evidence import Evidence, unflagged
from jacchain.analysis.verdicts import Verdict, judge
from jacchain.claims.registry import UNTESTED, chosen, experiments
from jacchain.experiments.experiment import Experiment
from jacchain.experiments.sizes import Sampling, Sizes, sampling_of
from jacchain.measuring.cores import are_shared
from jacchain.records.codec import DELETE, describe
from jacchain.records.errors import RecordsError
from jacchain.records.read import first_session, read_records
from jacchain.records.schema import CheckRecord, Record, SessionRecord
from jacchain.runs.job import why_left_out


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

    @property
    def left_out(self) -> tuple[Experiment, ...]:
        """Experiments that lacked a library when the run began, and were not measured since."""
        claims = self.session.environment.get("claims_left_out") or ()
        known = experiments().entries
        measured = {e.claim for e in self.experiments}
        return tuple(known[claim] for claim in claims if claim in known.keys() - measured)

    @property
    def untested(self) -> dict[str, str]:
        """Claims that this run left out or no run tests, by title; none where some were chosen."""
        claims = {e.claim for e in experiments().entries.values() if e.is_claim}
        left_out = {e.claim: e.title for e in self.left_out}
        whole = claims <= {e.claim for e in self.experiments} | left_out.keys()
        return left_out | UNTESTED if whole else {}

    @property
    def cautions(self) -> Iterator[str]:
        """Yield what the verdicts do not say: claims left out, forced kernels, shared cores."""
        yield from map(why_left_out, self.left_out)
        if forced := self.session.environment.get("forced_kernels"):
            yield (
                f"Kernels were forced by {', '.join(map(str, forced))}: these are not the figures "
                "of this machine left alone. Unset that, and measure anew."
            )
        shares = self.session.environment.get("cpu_share_of_threads") or ()
        if are_shared(shares):
            yield _shared(min(shares), self.session.identity.threads)


def _shared(share: float, threads: int) -> str:
    """Say what a core of which a thread got this share does to products by so many threads."""
    effect = "times are longer wherever something else took the core from the kernels"
    remedy = "Stop what else runs, and measure anew."
    if threads > 1:
        effect = (
            f"products by {threads} threads wait for the slowest one, and may take many times as "
            "long, so that these are not the figures of this machine left alone"
        )
        remedy = "Stop what else runs, or use --threads 1, and measure anew."
    where = "A core was shared while this run began (CPU time / wall time of a thread"
    return f"{where}: {share:.2f}): {effect}. {remedy}"


def assess(folder: str | Path) -> Assessment:
    """Read a run's records and judge its claims.

    Raises RecordsError if there are no records, or they are damaged or mixed.
    """
    records = read_records(folder)
    session = first_session(records)
    sampling, experiments = _measured(records, session)
    l2, llc = (session.environment.get(key) for key in ("l2_bytes", "llc_bytes"))
    sizes = Sizes(sampling.scale, l2, llc, 4 if session.identity.dtype == "float32" else 8)
    evidence = evidence_of(records, experiments)
    clean = evidence_of(records, experiments, adjust=unflagged)
    judged = (tuple(verdicts(experiments, e, sizes)) for e in (evidence, clean))
    return Assessment(session, sampling, sizes, experiments, evidence, *judged)


def verdicts(experiments: Sequence[Experiment], evidence: Evidence, sizes: Sizes) -> list[Verdict]:
    """Judge every experiment that judges anything: studies don't."""
    return [verdict for e in experiments if (verdict := verdict_on(e, evidence, sizes))]


def verdict_on(experiment: Experiment, evidence: Evidence, sizes: Sizes) -> Verdict | None:
    """Judge one claim; None of a study, or where there is nothing that it judges at all."""
    statements = experiment.judge(evidence, sizes) if experiment.judge else None
    if statements is None or not (statements or experiment.is_claim):
        return None
    return judge(experiment.claim, statements, evidence.noise_floor)


def evidence_of(
    records: Sequence[Record],
    experiments: Sequence[Experiment],
    *,
    adjust: Adjust = lambda series: series,
) -> Evidence:
    """Arrange records for judging, and validate the values of checks by their claims' types.

    Raises RecordsError if a check can't return such values: records can be edited by hand.
    """
    types = {name: check.values for e in experiments for name, check in e.checks.items()}
    checks = {
        record.check: _values(record, types[record.check])
        for record in records
        if isinstance(record, CheckRecord) and record.check in types
    }
    return assemble(records, checks, adjust=adjust)


def _values(record: CheckRecord, kind: Any) -> Any:
    try:
        return TypeAdapter(kind).validate_json(json.dumps(record.values), strict=True)
    except ValidationError as error:
        problem = f"check {record.check}: {describe(error)}"
        raise RecordsError(problem, DELETE) from error


def _measured(
    records: Sequence[Record], first: SessionRecord
) -> tuple[Sampling, tuple[Experiment, ...]]:
    """Return how often the run measured, and what, by the names that its sessions recorded."""
    sessions = (record for record in records if isinstance(record, SessionRecord))
    claims = {claim: None for session in sessions for claim in session.claims}
    try:
        return sampling_of(first.profile), chosen(claims)
    except ValueError as error:
        remedy = "Read these records with the jacchain that wrote them, or start anew with --fresh."
        raise RecordsError(str(error), remedy) from error
