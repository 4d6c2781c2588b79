from dataclasses import replace

import numpy as np
import pytest

from jacchain.experiments.judging import assess
from jacchain.experiments.profiles import fitted
from jacchain.experiments.simulated import QUICK, REGIMES, Machine, obeys, simulate
from jacchain.experiments.sweeps import count_growth
from jacchain.records.codec import encode
from jacchain.records.errors import RecordsError
from jacchain.records.schema import (
    Arm,
    BlockRecord,
    CellRecord,
    CheckRecord,
    Identity,
    SessionRecord,
)

HERE = Identity(
    machine="4f1c", numpy="2.1.0", blas="OpenBLAS 0.3.27", jacchain="0.1.0",
    dtype="float64", threads=1,
)  # fmt: skip
CLAIMS = ("C1", "C2", "C3", "C4", "C5", "C9")
CACHES = {"l2_bytes": int(2 * REGIMES.l2), "llc_bytes": int(REGIMES.memory / 2)}
CHECKS = {
    "C9:product": {"gradient": [-6.0, 2.0], "slopes": [-6.0, -6.0]},
    "C9:taylor": {"orders": [1.99, 2.02], "steps": [0.1, 0.01], "remainders": [0.03, 0.0003]},
    "C9:descent": {"learning_rate": 0.001, "changes": [-0.1, -0.2]},
    "C9:digits": {"losses": [2.3, 0.1], "accuracy": 0.97, "held_out": 449},
    "C3:counts": count_growth(["x"], 0),
    "C4:counts": count_growth(["z1", "z2", "z3", "all_z", "depth"], 0),
}


def session(profile="quick", claims=CLAIMS):
    return SessionRecord(
        identity=HERE, started="2025-01-01T00:00:00+00:00", profile=profile, claims=claims,
        seed=0, environment=CACHES,
    )  # fmt: skip


def arm(series):
    counted = series.multiplications if series.role == "cell" else None
    return Arm(
        order=series.order, bracketing=None, products=series.products,
        multiplications=series.multiplications, flops=2 * series.multiplications,
        bytes=series.bytes, peak_elements=0, working_set=series.working_set, regime="unknown",
        row_flops=series.row_flops, matrix_flops=series.matrix_flops, counted=counted,
        counted_dims=series.dims if counted else None, batch=1,
    )  # fmt: skip


def records_of(pair):
    """The cell of two arms, and its blocks."""
    a, b = pair
    yield CellRecord(
        identity=HERE, cell=a.cell, role=a.role, engine=a.engine, dims=a.dims,
        arms=(arm(a), arm(b)), error=0.0, error_bound=1.0, predicted_seconds=0.0,
        predicted_bytes=0, skipped=None,
    )  # fmt: skip
    for number, (first, second) in enumerate(zip(a.seconds[0], b.seconds[0], strict=True)):
        seconds = tuple(float(s) for s in (first[0], *second, first[1]))
        yield BlockRecord(
            identity=HERE, cell=a.cell, process=0, round=number, sequence="ABBA", seconds=seconds,
            cpu_seconds=seconds, switches=0, steal=None, flagged=False,
        )  # fmt: skip


@pytest.fixture(scope="module")
def simulated():
    evidence = simulate(Machine("a machine", obeys), np.random.default_rng(0))
    return [*evidence.pairs(), *evidence.controls]


@pytest.fixture(scope="module")
def records(simulated):
    """Everything that a run of a machine that obeys would leave."""
    checks = [CheckRecord(identity=HERE, check=n, values=v) for n, v in CHECKS.items()]
    return [session(), *(r for pair in simulated for r in records_of(pair)), *checks]


@pytest.fixture
def write(tmp_path):
    def into_folder(records):
        (tmp_path / "records.jsonl").write_bytes(b"".join(map(encode, records)))
        return tmp_path

    return into_folder


def verdicts(found):
    return {v.claim: v.verdict for v in found}


def test_a_machine_that_obeys_is_found_to_agree(write, records, simulated):
    found = assess(write(records))
    assert verdicts(found.verdicts) == dict.fromkeys([*CLAIMS, "model"], "agrees")
    assert verdicts(found.unflagged) == verdicts(found.verdicts)
    assert found.profile == fitted(QUICK, CACHES["l2_bytes"], CACHES["llc_bytes"], "float64")
    assert [e.claim for e in found.experiments] == list(CLAIMS)
    assert found.environment == CACHES
    assert found.evidence.regimes == REGIMES
    assert len(found.evidence.controls) == 6
    assert len(found.evidence.series) == 2 * (len(simulated) - 6)
    assert found.findings.keys() == {*CLAIMS, "model"}


def test_one_wrong_count_makes_its_claim_disagree(write, records):
    index = next(i for i, r in enumerate(records) if isinstance(r, CellRecord))
    first, second = records[index].arms
    wrong = replace(first, counted=first.counted + 1)
    spoilt = records.copy()
    spoilt[index] = replace(records[index], arms=(wrong, second))
    found = verdicts(assess(write(spoilt)).verdicts)
    assert (found["C1"], found["C2"]) == ("disagrees", "agrees")


def test_flagged_blocks_count_in_one_set_of_verdicts_and_not_in_the_other(write, records):
    disturbed = [  # loss-first a thousand times slower in seven rounds of twelve
        replace(r, flagged=True, seconds=(1e3 * r.seconds[0], *r.seconds[1:3], 1e3 * r.seconds[3]))
        if isinstance(r, BlockRecord) and r.round < 7 and r.cell.startswith("cell") else r
        for r in records
    ]  # fmt: skip
    found = assess(write(disturbed))
    assert verdicts(found.verdicts)["C5"] != "agrees"
    assert verdicts(found.unflagged)["C5"] == "agrees"


def test_a_run_without_times_is_judged_on_its_counts_and_checks(write, records):
    found = assess(write([r for r in records if not isinstance(r, BlockRecord)]))
    assert found.fit is None
    assert found.evidence.series == {}
    assert verdicts(found.verdicts) == {
        "C1": "agrees", "C2": "agrees", "C3": "inconclusive", "C4": "inconclusive",
        "C5": "inconclusive", "C9": "agrees",
    }  # fmt: skip


def test_claims_of_all_sessions_are_judged(write):
    found = assess(write([session(claims=("C9",)), session(claims=("C1",))]))
    assert list(verdicts(found.verdicts)) == ["C1", "C9"]


def test_a_chain_of_the_users_own_has_one_verdict(write, simulated):
    records = [session(profile="chain", claims=()), *records_of(simulated[0])]
    found = assess(write(records))
    assert verdicts(found.verdicts) == {"chain": "agrees"}
    assert found.profile.name == "chain"
    assert found.experiments == ()


def test_without_records_there_is_nothing_to_judge(tmp_path):
    with pytest.raises(RecordsError, match="no records"):
        assess(tmp_path)


@pytest.mark.parametrize(
    ("old", "new"), [('"profile":"quick"', '"profile":"slow"'), ('"C9"', '"C99"')]
)
def test_records_of_an_unknown_claim_or_profile_are_refused_with_a_remedy(tmp_path, old, new):
    session = SessionRecord(
        identity=HERE, started="2026-01-01T00:00:00", profile="quick", claims=("C9",), seed=0,
        environment={},
    )  # fmt: skip
    line = encode(session).decode()
    assert old in line
    (tmp_path / "records.jsonl").write_text(line.replace(old, new))
    with pytest.raises(RecordsError, match=r"unknown .*known are .*--fresh"):
        assess(tmp_path)


@pytest.mark.parametrize(
    ("check", "values", "named"),
    [
        ("C9:taylor", {"orders": []}, "C9:taylor: orders is"),
        ("C9:digits", {"accuracy": 97}, "C9:digits: accuracy is 97"),
        ("C9:descent", {"changes": ["much"]}, "C9:descent: changes.0 is 'much'"),
        ("C3:counts", {"sizes": [3, 4, 7]}, "expected one for each size"),
        ("C4:counts", {"counts": 7}, "C4:counts: counts is 7"),
        ("C3:counts", {"counts": {"x": {"loss-first": [10**400, 1, 1, 1]}}}, "C3:counts: counts"),
        ("C3:counts", {"sizes": [3, 4, 4, 9]}, "three or more different ones"),
        ("C3:counts", {"sizes": ["3", 4, 7, 9]}, "C3:counts: sizes.0 is '3'"),
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
