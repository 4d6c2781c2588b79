import numpy as np
import pandas as pd
import pytest

from jacchain.analysis.assemble import assemble
from jacchain.analysis.evidence import (
    REGIMES,
    Regimes,
    all_series,
    log_ratios,
    series_of,
    unflagged,
)


def rows(series):
    """A row of the loaded table, block by block, two samples each."""
    processes, blocks, _ = series.seconds.shape
    order = np.arange(processes * blocks).repeat(2)
    facts = {n: v for n, v in vars(series).items() if n not in {"seconds", "flagged"}}
    return facts | {
        "process": (order // blocks).tolist(),
        "round": (order % blocks).tolist(),
        "block": order.tolist(),
        "seconds": series.seconds.ravel().tolist(),
        "flagged": series.flagged.ravel().tolist(),
        "counted": None,
        "counted_dims": None,
        "skipped": None,
    }


def cut(row, samples):
    """The row of a run that was interrupted after so many samples."""
    lists = ("process", "round", "block", "seconds", "flagged")
    return row | {name: row[name][:samples] for name in lists}


@pytest.fixture
def numbered(make_series):
    """Seconds that name their process, round and position: 1 + 100 p + 10 r + i."""
    p, r, i = np.meshgrid(range(2), range(6), range(2), indexing="ij")
    return make_series(1.0 + 100 * p + 10 * r + i)


def test_a_row_becomes_processes_by_rounds_by_two(numbered):
    series = series_of(rows(numbered))
    np.testing.assert_array_equal(series.seconds, numbered.seconds)
    assert series.dims == numbered.dims
    assert series.multiplications == numbered.multiplications


def test_times_are_the_least_of_a_process_and_the_median_over_them(numbered):
    np.testing.assert_array_equal(numbered.best, numbered.seconds[..., 0])
    assert numbered.time == 51.0  # of 1 and 101
    assert numbered.median == np.median(numbered.seconds)


def test_an_interrupted_process_cuts_the_others_to_its_rounds(numbered):
    series = series_of(cut(rows(numbered), 2 * (6 + 4)))
    np.testing.assert_array_equal(series.seconds, numbered.seconds[:, :4])


def test_a_process_that_had_hardly_begun_is_left_out(numbered):
    series = series_of(cut(rows(numbered), 2 * (6 + 1)))
    np.testing.assert_array_equal(series.seconds, numbered.seconds[:1])


@pytest.mark.parametrize("samples", [0, 2])
def test_fewer_than_two_rounds_are_no_series(numbered, samples):
    assert series_of(cut(rows(numbered), samples)) is None
    assert all_series(pd.DataFrame([cut(rows(numbered), samples)])) == []


def test_without_flagged_rounds_both_orders_keep_the_same_ones(make_series):
    seconds = np.arange(1.0, 25.0).reshape(2, 6, 2)
    flagged = np.zeros(seconds.shape, dtype=bool)
    flagged[0, 1] = flagged[1, 4] = True
    clean = unflagged(make_series(seconds, flagged=flagged))
    np.testing.assert_array_equal(clean.seconds, seconds[:, [0, 2, 3, 5]])
    assert not clean.flagged.any()


def test_a_series_with_too_few_unflagged_rounds_is_left_out(make_series):
    flagged = np.ones((1, 4, 2), dtype=bool)
    flagged[0, 2] = False
    series = make_series(np.ones((1, 4, 2)), flagged=flagged)
    assert unflagged(series) is None


def test_log_ratios_pair_the_sums_of_each_block(make_series):
    numerator = make_series([[[1, 3], [2, 2]], [[5, 3], [9, 1]]])
    denominator = make_series([[[1, 1], [3, 5]], [[2, 6], [1, 1]]])
    expected = np.log([4 / 2, 4 / 8, 8 / 8, 10 / 2])
    np.testing.assert_allclose(log_ratios(numerator, denominator), expected)


def test_a_drift_that_both_orders_share_leaves_the_ratio_alone(make_series):
    drift = np.random.default_rng(0).lognormal(size=(2, 6, 1))
    slow, fast = (make_series(t * drift * np.ones(2)) for t in (3.0, 2.0))
    np.testing.assert_allclose(log_ratios(slow, fast), np.log(1.5))


@pytest.mark.parametrize(
    ("working_set", "name"),
    [
        (1, "L2"), (50, "L2"), (51, "leaving L2"), (199, "leaving L2"), (200, "LLC"),
        (2000, "LLC"), (2001, "leaving LLC"), (15999, "leaving LLC"), (16000, "memory"),
    ],
)  # fmt: skip
def test_regimes_begin_and_end_where_they_say(working_set, name):
    assert Regimes(50, 200, 2000, 16000).name(working_set) == name


@pytest.mark.parametrize("share", [0, 150])
def test_a_cache_share_of_nothing_leaves_no_last_level_regime(share):
    regimes = Regimes(50, 200, share, 16000)
    names = [regimes.name(size) for size in range(1, 17000)]
    assert set(names) == set(REGIMES) - {"LLC"}
    assert names == sorted(names, key=REGIMES.index)


@pytest.fixture
def table(make_series):
    """A small run: a cell of both orders, a control, ceilings, an overhead, a skipped cell."""
    cell = [
        make_series(np.full((1, 4, 2), t), order=order, cell="c")
        for t, order in ((2.0, "loss-first"), (6.0, "input-first"))
    ]
    control = [
        make_series(np.full((1, 4, 2), t), cell="aa", role="control", arm=arm)
        for t, arm in ((1.0, "A"), (1.0, "B"))
    ]
    ladder = [
        make_series(
            np.full((1, 4, 2), seconds), cell=f"v{size}", role="ceiling", engine="row-matrix",
            bytes=size, working_set=size,
        ) for size, seconds in ((200, 2.0), (400, 4.0), (800, 80.0))
    ]  # fmt: skip
    tower = make_series(np.full((1, 4, 2), 0.3), cell="ones", role="overhead", products=3)
    found = [rows(s) for s in (*cell, *control, *ladder, tower)]
    for row in found[4:7]:
        row["order"] = "v @ M"
    found[0] |= {"counted": 46, "counted_dims": (1, 2, 3, 4, 5)}
    skipped = cut(rows(cell[0]), 0) | {"cell": "too large", "skipped": "needs 9 GiB"}
    return pd.DataFrame([*found, skipped])


@pytest.fixture
def evidence(table):
    return assemble(table, {"l2_bytes": 100, "llc_bytes": 8000}, {"taylor": {"order": 2.0}})


def test_cells_are_found_by_dims_and_order(evidence):
    assert len(evidence.series) == 2
    loss, inputs = evidence.pairs()[0]
    assert (loss.time, inputs.time) == (2.0, 6.0)
    assert evidence.get((1, 2, 3, 4, 5), "input-first") is inputs
    assert evidence.get((1, 2, 3, 4, 6), "input-first") is None
    assert evidence.pairs(engine="einsum") == []


def test_everything_else_is_found_by_its_role(evidence):
    assert [(a.arm, b.arm) for a, b in evidence.controls] == [("A", "B")]
    assert evidence.overhead == pytest.approx(0.1)
    assert evidence.skipped == {"too large": "needs 9 GiB"}
    assert evidence.checks == {"taylor": {"order": 2.0}}
    count = {
        "order": "loss-first", "dims": (1, 2, 3, 4, 5),
        "counted": 46, "counted_dims": (1, 2, 3, 4, 5),
    }  # fmt: skip
    assert evidence.counts == (count,)


def test_the_ladder_of_ceilings_bounds_the_cache_share(evidence):
    assert evidence.regimes == Regimes(l2=50, llc_low=200, llc_high=400, memory=16000)


def test_every_series_is_adjusted(table):
    from dataclasses import replace

    def doubled(series):
        return replace(series, seconds=2 * series.seconds)

    evidence = assemble(table, {}, {}, adjust=doubled)
    assert evidence.pairs()[0][0].time == 4.0
    assert evidence.overhead == pytest.approx(0.2)
    assert evidence.regimes == Regimes()
