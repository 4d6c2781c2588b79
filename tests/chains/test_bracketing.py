from math import comb

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jacchain.chains.bracketing import all_bracketings, input_first, loss_first, splits


@given(st.integers(1, 8))
def test_there_are_catalan_many(n):
    found = list(all_bracketings(n))
    assert len(set(found)) == len(found) == comb(2 * n - 2, n - 1) // n
    assert {loss_first(n), input_first(n)} <= set(found)


@given(st.integers(1, 7))
def test_splits_come_after_those_of_their_operands(n):
    for bracketing in all_bracketings(n):
        done = {(i, i + 1) for i in range(n)}
        for start, split, stop in splits(bracketing, n):
            done -= {(start, split), (split, stop)}  # each operand is there, and used once
            done.add((start, stop))
        assert done == {(0, n)}


@pytest.mark.parametrize(
    "bad",
    [
        0,
        (0, 1),
        ((0, 1), 3),
        ((0, 2), 1),
        (2, (1, 0)),
        (0, 1, 2),
        ((0, 1), (1, 2)),
        ((1, 2), 3),
        [0, [1, 2]],
        (0, (1, None)),
        (None, (1, 2)),
        (0, (1, 2.0)),
        (),
        None,
    ],
)
def test_what_is_no_bracketing_raises(bad):
    with pytest.raises(ValueError, match=r"is no bracketing of 3 factors: .*\(\(0, 1\), 2\)"):
        splits(bad, 3)


@pytest.mark.parametrize("make", [loss_first, input_first, lambda n: list(all_bracketings(n))])
def test_no_factors_raise(make):
    with pytest.raises(ValueError, match="at least one"):
        make(0)


@pytest.mark.parametrize("make", [loss_first, input_first])
def test_long_chains_do_not_recurse(make):
    assert len(splits(make(20_000), 20_000)) == 19_999
