"""What a cell would take, and whether that is too much: by hand."""

from dataclasses import replace

import numpy as np
import pytest

from jacchain.costs.timemodel import Rates
from jacchain.experiments.cell import chain_cell
from jacchain.measuring.timing import LEAST_SAMPLE_SECONDS
from jacchain.runs.admission import admit, needed_bytes
from jacchain.units import seconds
from tests.runs.tiny_claims import CHAIN, INSTANT, WORK, comparison

LARGE = chain_cell((1, 20_000, 20_000))


def admission(cell, session=INSTANT):
    return admit(cell, session.arms(cell), session)


def test_a_cell_that_fits_is_admitted_with_its_prediction():
    """4 blocks, each of 2 samples and a warm-up of both orders, none below 10 ms."""
    small = admission(CHAIN)
    assert small.seconds == pytest.approx(4 * 3 * 2 * LEAST_SAMPLE_SECONDS)
    assert small.bytes == 8 * (4 + 12 + 6) + 8 * (3 + 2) + 8 * (8 + 2)
    assert small.skipped is None


def test_one_arm_alone_is_called_as_often_as_two():
    alone = chain_cell((1, 4, 3, 2), ("loss-first",))
    assert admission(alone).seconds == admission(CHAIN).seconds


@pytest.mark.parametrize(
    ("rates", "one_call"),
    [
        (Rates(1.0, np.inf, np.inf), 2.0),  # two products
        (Rates(0.5, 12.0, np.inf), 1.0 + 3.0),  # 36 flops
        (Rates(0.0, 12.0, 48.0), 5.0),  # 240 bytes, while the flops take 3 s
    ],
)
def test_slow_cells_take_their_predicted_calls(rates, one_call):
    slow = admission(comparison(1, 1), replace(INSTANT, rates=rates))
    assert slow.seconds == pytest.approx(4 * 3 * 2 * one_call)
    assert slow.skipped == f"would take {seconds(24 * one_call)}, over the profile's 15\u00a0s"


def test_a_cell_too_large_for_the_memory_is_skipped():
    large = admission(LARGE)
    assert large.bytes == 8 * (20_000 + 20_000**2 + 2 * 20_000)
    assert large.skipped == "needs 2.98\u00a0GiB, over half of the 1\u00a0GiB available"
    assert admission(LARGE, replace(INSTANT, memory=2**33)).skipped is None


def test_bytes_go_by_the_dtype():
    half = replace(INSTANT, identity=replace(INSTANT.identity, dtype="float32"))
    assert admission(LARGE).bytes == 2 * admission(LARGE, half).bytes


def test_arms_that_hold_different_operands_need_both():
    larger = replace(WORK, held_bytes=300)
    for shared, operands in ((True, 300), (False, 176 + 300)):
        cell = comparison(1, 1, costs=(WORK, larger), shared=shared)
        assert needed_bytes(cell, INSTANT.arms(cell)) == operands + 2 * 40
