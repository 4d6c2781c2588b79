"""Profiles and sizes: larger ones measure no less, and windows fit the caches."""

from itertools import pairwise

import pytest

from jacchain.experiments.sizes import PROFILES, Sizes

MIB = 2**20


def test_a_larger_profile_visits_each_cell_at_least_as_often_and_for_longer():
    ranked = [PROFILES[name] for name in ("quick", "standard", "full")]
    for smaller, larger in pairwise(ranked):
        assert smaller.blocks <= larger.blocks
        assert smaller.cell_seconds < larger.cell_seconds
    assert [sampling.scale for sampling in ranked] == [sampling.name for sampling in ranked]
    assert PROFILES["standard"].blocks == 2 * 12


@pytest.mark.parametrize("scale", ["quick", "standard", "full"])
def test_each_scale_picks_its_own_value(scale):
    assert Sizes(scale).pick(quick="quick", standard="standard", full="full") == scale


@pytest.mark.parametrize(
    ("l2", "llc", "windows"),
    [
        (None, 32 * MIB, ()),
        (MIB, None, ()),
        (MIB, 256 * MIB, ((2 * MIB, 16 * MIB), (512 * MIB, 2048 * MIB))),  # at most 16 times L2
    ],
)
def test_windows_are_where_slopes_can_be_judged(l2, llc, windows):
    assert Sizes(l2=l2, llc=llc).windows == windows
