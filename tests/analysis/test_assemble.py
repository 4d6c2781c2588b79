"""From records to evidence: rounds of processes, ladders of ceilings, counts and reasons."""

from dataclasses import replace

import numpy as np
import pytest

from jacchain.analysis.assemble import assemble
from jacchain.analysis.evidence import Count, Regimes
from jacchain.cost import Cost
from jacchain.records.errors import RecordsError
from jacchain.records.schema import ArmRecord, BlockRecord, CellRecord
from tests.analysis.examples import DIMS, make_pair, make_series
from tests.report.examples import HERE, session


def cell(series, *, skipped=None, counted=None):
    """The record of a cell with these arms; the first was counted at its own dims."""
    first, *others = (ArmRecord(name=arm.name, cost=arm.cost, batch=1) for arm in series)
    if counted is not None:
        first = replace(first, counted=counted, counted_dims=DIMS)
    return CellRecord(
        identity=HERE,
        cell=series[0].cell,
        role=series[0].role,
        group=series[0].group,
        dims=series[0].dims,
        arms=(first, *others),
        error=None,
        error_bound=None,
        predicted_seconds=0.0,
        predicted_bytes=0,
        skipped=skipped,
    )


def blocks(series):
    """The blocks of a cell, process by process; every other one begins with B."""
    processes, rounds, _ = series[0].seconds.shape
    for process, number in np.ndindex(processes, rounds):
        samples = [iter(arm.seconds[process, number].tolist()) for arm in series]
        sequence = "AA" if len(series) == 1 else ("ABBA", "BAAB")[number % 2]
        seconds = tuple(next(samples["AB".index(letter)]) for letter in sequence)
        yield BlockRecord(
            identity=HERE,
            cell=series[0].cell,
            process=process,
            round=number,
            sequence=sequence,
            seconds=seconds,
            cpu_seconds=seconds,
            switches=0,
            steal=None,
            flagged=bool(series[0].flagged[process, number].any()),
        )


def run(*cells, **environment):
    records = (r for series in cells for r in (cell(series), *blocks(series)))
    return [session(**environment), *records]


@pytest.fixture
def pair():
    """Seconds that name their process, round and position: 1 + 100 p + 10 r + i; B takes twice."""
    p, r, i = np.meshgrid(range(2), range(6), range(2), indexing="ij")
    seconds = 1.0 + 100 * p + 10 * r + i
    flagged = np.zeros(seconds.shape, dtype=bool)
    flagged[1, 2] = True
    return make_pair(seconds, 2 * seconds, flagged=flagged, group="x")


@pytest.mark.parametrize("step", [1, -1], ids=["in order", "backwards"])
def test_blocks_become_processes_by_rounds_by_two_in_whichever_order_the_lines_stand(pair, step):
    arms = assemble(run(pair)[::step], {}).cells[pair[0].cell]
    for arm, expected in zip(arms, pair, strict=True):
        np.testing.assert_array_equal(arm.seconds, expected.seconds)
        np.testing.assert_array_equal(arm.flagged, expected.flagged)
        arrays = {"seconds": 0, "flagged": 0}
        assert vars(arm) | arrays == vars(expected) | arrays


@pytest.mark.parametrize("rounds", [0, 1, 5])
def test_rounds_that_a_process_did_not_reach_are_missing(pair, rounds):
    """And so a process has the same row in every cell, whichever blocks it lacks."""
    late = make_pair(pair[0].seconds, pair[1].seconds, cell="late")
    cut = [r for r in run(pair) if not (getattr(r, "process", 1) == 0 and r.round >= rounds)]
    evidence = assemble([*cut, *run(late)[1:]], {})
    for arm, whole in zip(evidence.cells[pair[0].cell], pair, strict=True):
        np.testing.assert_array_equal(arm.seconds[0, :rounds], whole.seconds[0, :rounds])
        assert np.isnan(arm.seconds[0, rounds:]).all()
        np.testing.assert_array_equal(arm.seconds[1], whole.seconds[1])
    assert evidence.cells["late"][0].seconds.shape == pair[0].seconds.shape


def test_a_cell_without_a_block_is_not_measured(pair):
    assert assemble([session(), cell(pair)], {}).cells == {}


def test_every_series_is_adjusted_and_a_cell_needs_all_its_arms(pair):
    def double(series):
        return None if series.name == "slow" else replace(series, seconds=2 * series.seconds)

    ways = make_pair(*[np.ones((1, 4, 2))] * 2, names=("slow", "fast"), cell="c", role="comparison")
    evidence = assemble(run(pair, ways), {}, adjust=double)
    assert list(evidence.cells) == [pair[0].cell]
    assert evidence.chains[DIMS][1].time == 2 * pair[1].time


def test_counts_and_reasons_and_checks_are_kept(pair):
    skipped = replace(cell(pair, skipped="needs 9 GiB"), cell="too large")
    records = [session(), skipped, cell(pair, counted=46), *blocks(pair)]
    evidence = assemble(records, {"taylor": 2.0})
    assert evidence.counts == (Count("loss-first", DIMS, DIMS, 46),)
    assert evidence.skipped == {"too large": "needs 9 GiB"}
    assert evidence.checks == {"taylor": 2.0}
    assert list(evidence.cells) == [pair[0].cell]


def test_the_machine_is_known_by_its_ladder_its_controls_and_its_calls():
    seconds = np.ones((12, 1, 2))
    steps = np.exp(0.4 * np.linspace(-1, 1, 12))[:, None, None] * seconds
    control = make_pair(seconds, steps, names=("loss-first",) * 2, role="control", cell="A/A")

    def ceiling(size, time, name):
        cost = Cost(bytes=size, held_bytes=size)
        facts = {"cell": f"{name}, {size} bytes", "role": "ceiling", "group": "row-matrix"}
        return [make_series(time * seconds, name=name, cost=cost, **facts)]

    ladder = [ceiling(size, time, "v @ M") for size, time in ((200, 2.0), (400, 4.0), (800, 80.0))]
    cost = Cost(products=3, multiplications=3, bytes=72, held_bytes=72)
    calls = [make_series(0.3 * seconds, role="overhead", cell="1 x 1", cost=cost)]
    records = run(
        control, *ladder, ceiling(600, 1.0, "v @ M.T"), calls, l2_bytes=100, llc_bytes=8000
    )
    evidence = assemble(records, {})
    assert evidence.regimes == Regimes(l2=50, llc_low=200, llc_high=400, memory=16000)
    assert evidence.overhead == pytest.approx(0.1)
    assert evidence.noise_floor > 0.2
    unknown = assemble([session()], {})
    assert (unknown.regimes, unknown.overhead) == (Regimes(), 0.0)
    assert np.isnan(unknown.noise_floor)


def test_records_that_do_not_fit_are_refused(pair):
    with pytest.raises(RecordsError, match="no session"):
        assemble(run(pair)[1:], {})
    with pytest.raises(RecordsError, match="no line of its own"):
        assemble([session(), *blocks(pair)], {})
