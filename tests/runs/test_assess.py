"""From records to verdicts: a whole simulated run, as it is and edited."""

from dataclasses import replace

import numpy as np
import pytest
from pydantic import TypeAdapter

from jacchain.analysis.evidence import Evidence
from jacchain.claims.c9_gradient_descent import Descent, Digits, Product, Remainders
from jacchain.claims.registry import experiments
from jacchain.experiments.sizes import FIXED_PROFILES, PROFILES, Sizes
from jacchain.experiments.sweep_parts import count_growth
from jacchain.records.errors import RecordsError
from jacchain.records.schema import ArmRecord, BlockRecord, CellRecord
from jacchain.runs.assess import assess, verdict_on
from jacchain.runs.job import job_of
from tests.claims.makers import REGIMES, by_formula, simulate_chains
from tests.records.examples import BLOCK, CELL, CHECK, SESSION

CLAIMS = ("C1", "C2", "C3", "C4", "C5", "C9")
CACHES = {"l2_bytes": int(2 * REGIMES.l2), "llc_bytes": int(REGIMES.memory / 2)}
CHECKS = {
    "C9:product": Product((-6.0, 2.0), (-6.0, -6.0)),
    "C9:taylor": Remainders((1.99, 2.02), ((0.1, 0.03), (0.01, 0.0003)), (9.0, 40.0)),
    "C9:descent": Descent(0.001, (-0.1, -0.2)),
    "C9:digits": Digits((2.3, 0.1), 0.97, 449),
    "C3:counts": count_growth(["x"], 0),
    "C4:counts": count_growth(["z1", "z2", "z3", "all_z", "depth"], 0),
}
PLAIN = {name: TypeAdapter(type(v)).dump_python(v, mode="json") for name, v in CHECKS.items()}
START = replace(SESSION, claims=CLAIMS, environment=CACHES)


@pytest.fixture(scope="module")
def simulated():
    return simulate_chains(by_formula)


def records_of(pair):
    """The cell of two arms, and its blocks."""
    first, second = pair
    arms = tuple(ArmRecord(name=s.name, cost=s.cost, batch=1) for s in pair)
    if first.role == "chain":
        counts = [{"counted": s.cost.multiplications, "counted_dims": s.dims} for s in pair]
        arms = tuple(replace(arm, **count) for arm, count in zip(arms, counts, strict=True))
    place = {"role": first.role, "group": first.group, "dims": first.dims}
    yield replace(CELL, cell=first.cell, **place, arms=arms)
    for process, number in np.ndindex(first.seconds.shape[:2]):
        (a, b), middle = first.seconds[process, number], second.seconds[process, number]
        seconds = {"seconds": (a, *middle, b), "cpu_seconds": (a, *middle, b)}
        yield replace(BLOCK, cell=first.cell, process=process, round=number, **seconds)


@pytest.fixture(scope="module")
def records(simulated):
    """Everything that a run of a machine that obeys would leave."""
    checks = [replace(CHECK, check=name, values=values) for name, values in PLAIN.items()]
    return [START, *(r for pair in simulated.cells.values() for r in records_of(pair)), *checks]


def verdicts(several):
    return {v.claim: v.verdict for v in several}


def test_a_machine_that_obeys_agrees(write, records, simulated):
    assessment = assess(write(*records))
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
    spoilt = verdicts(assess(write(*records[:index], wrong, *records[index + 1 :])).verdicts)
    assert (spoilt["C1"], spoilt["C2"]) == ("disagrees", "agrees")


def test_flagged_blocks_count_in_one_set_of_verdicts_and_not_in_the_other(write, records):
    def disturb(block):  # loss-first a thousand times slower
        a, *middle, b = block.seconds
        return replace(block, flagged=True, seconds=(1e3 * a, *middle, 1e3 * b))

    disturbed = [
        disturb(r)
        if isinstance(r, BlockRecord) and r.process < 4 and r.cell.startswith("chain")
        else r
        for r in records
    ]  # four processes of twelve: six are enough
    assessment = assess(write(*disturbed))
    assert verdicts(assessment.verdicts)["C5"] != "agrees"
    assert verdicts(assessment.unflagged)["C5"] == "agrees"


def test_a_run_without_times_is_judged_on_its_counts_and_checks(write, records):
    assessment = assess(write(*(r for r in records if not isinstance(r, BlockRecord))))
    assert assessment.evidence.cells == {}
    undecided = dict.fromkeys(["C3", "C4", "C5"], "inconclusive")
    assert verdicts(assessment.verdicts) == dict.fromkeys(CLAIMS, "agrees") | undecided


def test_claims_of_all_sessions_are_judged(write):
    sessions = [replace(START, claims=(claim,)) for claim in ("C9", "C1")]
    assert list(verdicts(assess(write(*sessions)).verdicts)) == ["C1", "C9"]


def test_a_chain_of_the_users_own_has_one_verdict(write, simulated):
    pair, control = next(iter(simulated.chains.values())), simulated.controls[0]
    own = f"chain-{'x'.join(map(str, pair[0].dims))}"
    session = replace(START, profile="chain", claims=(own,))
    assessment = assess(write(session, *records_of(pair), *records_of(control)))
    assert verdicts(assessment.verdicts) == {own: "agrees"}
    assert assessment.sampling is FIXED_PROFILES["chain"]


def test_a_claim_left_out_for_lack_of_a_library_is_told(write):
    names = [name for name in job_of("quick").claims if name != "C9"]
    environment = CACHES | {"claims_left_out": ["C9"]}
    session = replace(START, claims=tuple(names), environment=environment)
    assessment = assess(write(session))
    assert list(assessment.untested) == ["C9", "C6"]
    assert "C9 was not measured: it needs sklearn" in next(assessment.cautions)
    complete = assess(write(session, replace(session, claims=("C9",))))
    assert list(complete.untested) == ["C6"]
    assert list(complete.cautions) == []


def cautions(write, threads, **environment):
    """The cautions of a run of a study, without those on claims that are not tested."""
    identity = replace(START.identity, threads=threads)
    session = replace(START, identity=identity, claims=("model",), environment=environment)
    return list(assess(write(session)).cautions)


@pytest.mark.parametrize(
    ("threads", "told", "remedy"),
    [
        (1, "longer wherever something else took the core", "Stop what else runs, and measure"),
        (2, "2 threads wait for the slowest one, and may take many times", "use --threads 1"),
    ],
)
def test_a_core_that_was_shared_is_told_with_what_it_does(write, threads, told, remedy):
    (caution,) = cautions(write, threads, cpu_share_of_threads=[0.999, 0.52])
    assert "was shared while this run began (CPU time / wall time of a thread: 0.52)" in caution
    assert told in caution
    assert remedy in caution


@pytest.mark.parametrize(
    "environment",
    [{}, {"cpu_share_of_threads": None}, {"cpu_share_of_threads": [0.95, 1.0]}],
)
def test_cores_that_were_not_shared_need_no_caution(write, environment):
    assert cautions(write, 2, **environment) == []


def test_a_study_has_a_verdict_only_where_it_judges_something(simulated):
    model = experiments()["model"]
    assert verdict_on(model, simulated, Sizes()).verdict == "agrees"
    assert verdict_on(model, Evidence(), Sizes()) is None
    assert verdict_on(experiments()["construction"], simulated, Sizes()) is None


@pytest.mark.parametrize("change", [{"profile": "slow"}, {"claims": ("C99",)}])
def test_records_of_an_unknown_claim_or_profile_are_refused_with_a_remedy(write, change):
    with pytest.raises(RecordsError, match=r"unknown .*the known ones are .*--fresh"):
        assess(write(replace(START, **change)))


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
    ],
)
def test_values_that_no_check_returns_are_refused_with_a_remedy(write, check, values, named):
    record = replace(CHECK, check=check, values=PLAIN[check] | values)
    with pytest.raises(RecordsError, match=rf"{named}.*Delete that line"):
        assess(write(START, record))
