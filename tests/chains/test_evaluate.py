from itertools import combinations, pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jacchain.chains.bracketing import all_bracketings
from jacchain.chains.chain import Chain, random_chain
from jacchain.chains.evaluate import allocate, evaluate, evaluator, register_engine
from jacchain.chains.plan import carry_out
from jacchain.chains.planners import plan

DIMS = st.lists(st.integers(1, 7), min_size=2, max_size=7)
DTYPES = st.sampled_from(["float32", "float64"])
ENGINES = st.sampled_from(["numpy", "einsum"])


def dense(chain):
    return [factor.to_dense() for factor in chain.factors]


def reference(chain):
    """Product by numpy.linalg.multi_dot, which takes two factors at least."""
    arrays = dense(chain)
    return np.linalg.multi_dot(arrays) if len(arrays) > 1 else arrays[0]


def tolerance(chain):
    norms = np.prod([np.linalg.norm(array) for array in dense(chain)])
    return 16 * np.finfo(chain.dtype).eps * sum(chain.dims[1:-1]) * norms


@given(DIMS, DTYPES, ENGINES, st.integers(0, 2**32 - 1))
def test_every_order_agrees_with_multi_dot(dims, dtype, engine, seed):
    chain = random_chain(dims, dtype=dtype, rng=seed)
    expected, allowed = reference(chain), tolerance(chain)
    for order in [*all_bracketings(len(chain)), "loss-first", "input-first", "optimal"]:
        result = evaluate(chain, order, engine=engine)
        assert result.dtype == dtype
        assert result.shape == (dims[0], dims[-1])
        assert np.linalg.norm(result - expected) <= allowed


@given(DIMS)
def test_integer_chains_are_exact_in_every_order(dims):
    rng = np.random.default_rng(len(dims))
    arrays = [rng.integers(-9, 10, shape) for shape in pairwise(dims)]
    exact = arrays[0].astype(object)
    for array in arrays[1:]:
        exact = exact @ array.astype(object)
    for order in all_bracketings(len(arrays)):
        np.testing.assert_array_equal(evaluate(Chain(arrays), order), exact.astype(float))


@pytest.mark.parametrize("engine", ["numpy", "einsum"])
def test_an_evaluator_reads_its_factors_anew_and_reuses_its_result(engine):
    arrays = [np.ones((1, 2)), np.ones((2, 3)), np.ones((3, 4))]
    multiply = evaluator(Chain(arrays), "input-first", engine=engine)
    first = multiply()
    np.testing.assert_array_equal(first, np.full((1, 4), 6.0))
    arrays[0] *= 2
    assert multiply() is first
    np.testing.assert_array_equal(first, np.full((1, 4), 12.0))


@given(DIMS)
def test_live_intermediates_share_no_memory(dims):
    for order in all_bracketings(len(dims) - 1):
        planned, live = plan(dims, order), {}
        buffers = allocate(planned.schedule, planned.dtype)
        for step, buffer in zip(planned.steps, buffers, strict=True):
            live[step.result] = buffer
            assert not any(np.shares_memory(a, b) for a, b in combinations(live.values(), 2))
            for place in step.freed:
                del live[place]


@pytest.mark.parametrize("order", ["loss-first", "input-first"])
def test_two_buffers_suffice_for_either_order(order):
    planned = plan([3, *[5] * 20, 4], order)
    buffers = allocate(planned.schedule, planned.dtype)
    assert len({buffer.__array_interface__["data"] for buffer in buffers}) == 2


def test_evaluate_gives_a_fresh_array():
    chain = random_chain((1, 2, 3), rng=0)
    one, other = evaluate(chain), evaluate(chain)
    assert not np.shares_memory(one, other)
    assert one.flags.owndata


def test_one_factor_is_copied():
    array = np.arange(6.0).reshape(2, 3)
    result = evaluate(Chain([array]))
    np.testing.assert_array_equal(result, array)
    assert not np.shares_memory(result, array)


@pytest.mark.parametrize("order", ["loss-first", "input-first"])
def test_thousands_of_factors(order):
    chain = Chain([np.array([[1, 1], [0, 1]])] * 3000)
    np.testing.assert_array_equal(evaluate(chain, order), [[1, 3000], [0, 1]])


def test_a_plan_is_an_order():
    chain = random_chain((2, 3, 4, 5), rng=0)
    made = plan(chain.dims, (0, (1, 2)))
    np.testing.assert_array_equal(evaluate(chain, made), evaluate(chain, "input-first"))


def test_an_engine_is_one_function_and_one_name():
    def fold(factors, plan):
        return lambda: carry_out(plan, [factor.to_dense() for factor in factors], np.matmul)

    register_engine("fold", fold)
    chain = random_chain((2, 3, 4, 5), rng=0)
    np.testing.assert_array_equal(evaluate(chain, engine="fold"), evaluate(chain))
    with pytest.raises(ValueError, match="engine 'fold' is taken"):
        register_engine("fold", fold)


def test_unknown_names_list_the_known():
    chain = random_chain((2, 3, 4), rng=0)
    with pytest.raises(ValueError, match=r"unknown engine 'blas'; .*'einsum'.*'numpy'"):
        evaluate(chain, engine="blas")
    with pytest.raises(ValueError, match=r"unknown order 'backwards'; .*'loss-first'"):
        evaluate(chain, "backwards")
    with pytest.raises(ValueError, match="no bracketing of 2 factors"):
        evaluate(chain, ((0, 1), 2))
