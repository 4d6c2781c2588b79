"""From records to verdicts: a whole simulated run, as it is and edited."""

from dataclasses import replace

import numpy as np
import pytest
from pydantic import TypeAdapter

from jacchain.analysis.evidence import Evidence
from jacchain.claims.c9_gradient_descent import Descent, Digits, Product, Remainders
from jacchain.claims.registry import experiments
from jacchain.experiments.sizes import PROFILES, Sizes
from jacchain.experiments.sweep_parts import count_growth
from jacchain.records.codec import encode
from jacchain.records.errors import RecordsError
from jacchain.records.schema import ArmRecord, BlockRecord, CellRecord, CheckRecord, SessionRecord
from jacchain.runs.assess import assess, verdict_on
from jacchain.runs.simulated import MACHINES, REGIMES, simulate

CLAIMS = ("C1", "C2", "C3", "C4", "C5", "C9")
CACHES = {"l2_bytes": int(2 * REGIMES.l2), "llc_bytes": int(REGIMES.memory / 2)}
CHECKS = {
    "C9:product": Product((-6.0, 2.0), (-6.0, -6.0)),
    "C9:taylor": Remainders((1.99, 2.02), ((0.1, 0.03), (0.01, 0.0003))),
    "C9:descent": Descent(0.001, (-0.1, -0.2)),
    "C9:digits": Digits((2.3, 0.1), 0.97, 449),
    "C3:counts": count_growth(["x"], 0),
    "C4:counts": count_growth(["z1", "z2", "z3", "all_z", "depth"], 0),
}
PLAIN = {name: TypeAdapter(type(v)).dump_python(v, mode="json") for name, v in CHECKS.items()}


@pytest.fixture(scope="module")
def simulated():
    return simulate(MACHINES[0], np.random.default_rng(0))


@pytest.fixture(scope="module")
def session(identity):
    return SessionRecord(
        identity=identity,
        started="2025-01-01T00:00:00+00:00",
        profile="quick",
        claims=CLAIMS,
        seed=0,
        environment=CACHES,
    )


def records_of(pair, identity):
    """The cell of two arms, and its blocks."""
    a, b = pair
    counted = a.role == "chain"
    arms = [
        ArmRecord(
            name=s.name,
            cost=s.cost,
            counted=s.cost.multiplications if counted else None,
            counted_dims=s.dims if counted else None,
            batch=1,
        )
        for s in pair
    ]
    yield CellRecord(
        identity=identity,
        cell=a.cell,
        role=a.role,
        group=a.group,
        dims=a.dims,
        arms=tuple(arms),
        error=0.0,
        error_bound=1.0,
        predicted_seconds=0.0,
        predicted_bytes=0,
        skipped=None,
    )
    for number, (first, second) in enumerate(zip(a.seconds[0], b.seconds[0], strict=True)):
        seconds = tuple(float(s) for s in (first[0], *second, first[1]))
        yield BlockRecord(
            identity=identity,
            cell=a.cell,
            process=0,
            round=number,
            sequence="ABBA",
            seconds=seconds,
            cpu_seconds=seconds,
            switches=0,
            steal=None,
            flagged=False,
        )


@pytest.fixture(scope="module")
def records(simulated, session, identity):
    """Everything that a run of a machine that obeys would leave."""
    checks = [CheckRecord(identity=identity, check=n, values=v) for n, v in PLAIN.items()]
    cells = [r for pair in simulated.cells.values() for r in records_of(pair, identity)]
    return [session, *cells, *checks]


@pytest.fixture
def write(tmp_path):
    """A function that writes records to a folder."""

    def into_folder(records):
        (tmp_path / "records.jsonl").write_bytes(b"".join(map(encode, records)))
        return tmp_path

    return into_folder


def verdicts(several):
    return {v.claim: v.verdict for v in several}


def test_a_machine_that_obeys_agrees(write, records, simulated):
    assessment = assess(write(records))
    assert verdicts(assessment.verdicts) == dict.fromkeys([*CLAIMS, "model"], "agrees")
    assert verdicts(assessment.unflagged) == verdicts(assessment.verdicts)
    assert assessment.sampling is PROFILES["quick"]
    assert assessment.sizes == Sizes("quick", CACHES["l2_bytes"], CACHES["llc_bytes"], 8)
    assert [e.claim for e in assessment.experiments] == [*CLAIMS, "model"]
    assert assessment.session.environment == CACHES
    assert assessment.evidence.regimes == REGIMES
    assert assessment.evidence.cells.keys() == simulated.cells.keys()
    assert assessment.evidence.checks == CHECKS


def test_one_wrong_count_makes_its_claim_disagree(write, records):
    index, cell = next((i, r) for i, r in enumerate(records) if isinstance(r, CellRecord))
    first, second = cell.arms
    wrong = replace(cell, arms=(replace(first, counted=first.counted + 1), second))
    spoilt = verdicts(assess(write([*records[:index], wrong, *records[index + 1 :]])).verdicts)
    assert (spoilt["C1"], spoilt["C2"]) == ("disagrees", "agrees")


def test_flagged_blocks_count_in_one_set_of_verdicts_and_not_in_the_other(write, records):
    def disturb(block):  # loss-first a thousand times slower
        a, *middle, b = block.seconds
        return replace(block, flagged=True, seconds=(1e3 * a, *middle, 1e3 * b))

    disturbed = [
        disturb(r)
        if isinstance(r, BlockRecord) and r.round < 7 and r.cell.startswith("chain")
        else r
        for r in records
    ]  # seven rounds of twelve
    assessment = assess(write(disturbed))
    assert verdicts(assessment.verdicts)["C5"] != "agrees"
    assert verdicts(assessment.unflagged)["C5"] == "agrees"


def test_a_run_without_times_is_judged_on_its_counts_and_checks(write, records):
    assessment = assess(write([r for r in records if not isinstance(r, BlockRecord)]))
    assert assessment.evidence.cells == {}
    undecided = dict.fromkeys(["C3", "C4", "C5"], "inconclusive")
    assert verdicts(assessment.verdicts) == {
        "C1": "agrees", "C2": "agrees", **undecided, "C9": "agrees",
    }  # fmt: skip


def test_claims_of_all_sessions_are_judged(write, session):
    sessions = [replace(session, claims=(claim,)) for claim in ("C9", "C1")]
    assert list(verdicts(assess(write(sessions)).verdicts)) == ["C1", "C9"]


def test_a_chain_of_the_users_own_has_one_verdict(write, simulated, session, identity):
    pair = next(iter(simulated.chains.values()))
    own = f"chain-{'x'.join(map(str, pair[0].dims))}"
    records = [replace(session, profile="chain", claims=(own,)), *records_of(pair, identity)]
    assessment = assess(write(records))
    assert verdicts(assessment.verdicts) == {own: "agrees"}
    assert assessment.sampling is PROFILES["chain"]


def test_a_study_has_a_verdict_only_where_it_judges_something(simulated):
    model = experiments()["model"]
    assert verdict_on(model, simulated, Sizes()).verdict == "agrees"
    assert verdict_on(model, Evidence(), Sizes()) is None
    assert verdict_on(experiments()["construction"], simulated, Sizes()) is None


def test_skipped_cells_are_evidence_of_their_reason(write, records):
    reason = "needs 90 GiB, over half of the 1.0 GiB available"
    skipped = [
        replace(r, skipped=reason, error=None, error_bound=None) if isinstance(r, CellRecord) else r
        for r in records
        if not isinstance(r, BlockRecord)
    ]
    assert set(assess(write(skipped)).evidence.skipped.values()) == {reason}


def test_without_records_there_is_nothing_to_judge(tmp_path):
    with pytest.raises(RecordsError, match="no records"):
        assess(tmp_path)


@pytest.mark.parametrize("change", [{"profile": "slow"}, {"claims": ("C99",)}])
def test_records_of_an_unknown_claim_or_profile_are_refused_with_a_remedy(write, session, change):
    with pytest.raises(RecordsError, match=r"unknown .*the known ones are .*--fresh"):
        assess(write([replace(session, **change)]))


@pytest.mark.parametrize(
    ("check", "values", "named"),
    [
        ("C9:taylor", {"orders": []}, "C9:taylor: orders"),
        ("C9:digits", {"accuracy": 97}, "C9:digits: accuracy is 97"),
        ("C9:descent", {"changes": ["much"]}, "C9:descent: changes.0 is 'much'"),
        ("C3:counts", {"x": {"loss-first": [1, 2, 3]}}, "C3:counts: x.loss-first"),
        ("C4:counts", {"z1": 7}, "C4:counts: z1 is 7"),
        ("C3:counts", {"x": {"loss-first": [10**400, 1, 1, 1]}}, "C3:counts: x.loss-first.0"),
        ("C3:counts", {"x": {"loss-first": ["3", 4, 7, 9]}}, "C3:counts: x.loss-first.0 is '3'"),
        ("C3:counts", {"x": {"loss-first": [1.5, 4, 7, 9]}}, "C3:counts: x.loss-first.0 is 1.5"),
    ],
)
def test_values_that_no_check_returns_are_refused_with_a_remedy(
    write, records, check, values, named
):
    edited = [
        replace(r, values=r.values | values) if getattr(r, "check", "") == check else r
        for r in records
    ]
    with pytest.raises(RecordsError, match=rf"{named}.*Delete that line"):
        assess(write(edited))
