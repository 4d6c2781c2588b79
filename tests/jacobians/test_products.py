"""The structure table and the numeric table agree, for every pair of kinds."""

from itertools import pairwise
from itertools import product as pairs

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jacchain.chains.bracketing import all_bracketings
from jacchain.chains.chain import Chain
from jacchain.chains.count import count
from jacchain.chains.evaluate import evaluator
from jacchain.chains.planners import plan
from jacchain.jacobians import products, structure_products
from jacchain.jacobians.dense import DenseJacobian
from jacchain.jacobians.diagonal import (
    BlockDiagonalJacobian,
    DiagonalJacobian,
    IdentityJacobian,
    KroneckerJacobian,
)
from jacchain.jacobians.pattern import Pattern
from jacchain.jacobians.products import multiply
from jacchain.jacobians.sparse import SelectionJacobian, SparseJacobian
from jacchain.jacobians.structure import KINDS, Structure
from jacchain.jacobians.structure_products import product


def sparse(shape, rng):
    """About half of the entries, some of their rows and columns empty."""
    kept = rng.random(shape) < 0.5
    indptr = np.concatenate([[0], np.cumsum(kept.sum(axis=1))])
    pattern = Pattern(indptr, np.nonzero(kept)[1], shape[1])
    return SparseJacobian(pattern, rng.standard_normal(pattern.entries))


def blocks(shape, rng, count, *, shared):
    rows, columns = shape[0] // count, shape[1] // count
    size = (rows, columns) if shared else (count, rows, columns)
    return BlockDiagonalJacobian(rng.standard_normal(size), count)


# Each makes a Jacobian of a shape, as far as its kind has one of that shape.
MAKERS = {
    "dense": lambda shape, rng: DenseJacobian(rng.standard_normal(shape)),
    "diagonal": lambda shape, rng: DiagonalJacobian(rng.standard_normal(shape[0])),
    "identity": lambda shape, _: IdentityJacobian(shape[0]),
    "sparse": sparse,
    "kronecker": lambda shape, rng: KroneckerJacobian(
        rng.standard_normal(shape[1] // shape[0]), shape[0]
    ),
    "block": lambda shape, rng: blocks(shape, rng, 2, shared=False),
    "shared block": lambda shape, rng: blocks(shape, rng, 2, shared=True),
    "three blocks": lambda shape, rng: blocks(shape, rng, 3, shared=True),
    "selection": lambda shape, rng: SelectionJacobian.of(
        rng.integers(shape[1], size=shape[0]), shape[1]
    ),
}
SQUARE = {"diagonal", "identity"}
EVEN = {"block": 2, "shared block": 2, "three blocks": 3}


def fits(kind, shape):
    """Whether a kind has matrices of a shape."""
    if kind in SQUARE:
        return shape[0] == shape[1]
    if kind == "kronecker":
        return shape[1] % shape[0] == 0
    return all(size % EVEN.get(kind, 1) == 0 for size in shape)


def exact(a, b):
    """The product by its definition, element by element."""
    left, right = a.to_dense(), b.to_dense()
    return [[sum(row * column) for column in right.T] for row in left]


SIZES = [(1, 1, 1), (1, 4, 3), (5, 1, 2), (3, 7, 1), (4, 2, 6), (6, 6, 6), (2, 6, 12), (6, 6, 12),
         (12, 6, 6), (6, 12, 6)]  # fmt: skip
CASES = [
    (kinds, sizes)
    for kinds in pairs(MAKERS, repeat=2)
    for sizes in SIZES
    if fits(kinds[0], sizes[:2]) and fits(kinds[1], sizes[1:])
]


def test_every_kind_has_a_maker_and_every_pair_a_case():
    assert {MAKERS[kind]((6, 6), np.random.default_rng(0)).structure.kind for kind in MAKERS} == (
        set(KINDS)
    )
    assert {kinds for kinds, _ in CASES} == set(pairs(MAKERS, repeat=2))
    every = set(pairs(KINDS, repeat=2))
    assert set(structure_products.RULES) == set(products.RULES) == every


@pytest.mark.parametrize(("kinds", "sizes"), CASES)
def test_tables_agree(kinds, sizes):
    rng = np.random.default_rng(0)
    m, k, n = sizes
    a, b = MAKERS[kinds[0]]((m, k), rng), MAKERS[kinds[1]]((k, n), rng)
    cost, result = product(a.structure, b.structure), multiply(a, b)
    assert result.structure == cost.result
    assert count(Chain([a, b])) == cost.multiplications
    np.testing.assert_allclose(result.to_dense(), exact(a, b), rtol=1e-13, atol=1e-13)
    memory = np.full(result.structure.elements, np.nan)
    again = multiply(a, b, out=memory)
    assert again.structure == result.structure
    np.testing.assert_array_equal(again.to_dense(), result.to_dense())


@given(st.data())
def test_any_chain_of_any_kinds_gives_the_same_in_every_order(data):
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    sizes = data.draw(st.lists(st.sampled_from([1, 2, 6, 12]), min_size=3, max_size=6))
    factors = []
    for shape in pairs_of(sizes):
        kinds = [kind for kind in MAKERS if fits(kind, shape)]
        factors.append(MAKERS[data.draw(st.sampled_from(kinds))](shape, rng))
    chain = Chain(factors)
    expected = np.linalg.multi_dot([f.to_dense() for f in factors]) if len(factors) > 1 else None
    for order in all_bracketings(len(factors)):
        run = evaluator(chain, order)
        for _ in range(2):  # into the same memory
            np.testing.assert_allclose(run(), expected, rtol=1e-10, atol=1e-10)
        assert count(chain, order) == plan(chain, order).multiplications


def pairs_of(sizes):
    return list(pairwise(sizes))


def test_counts_of_huge_operands_do_not_overflow():
    pattern = Pattern([0, 2, 3], [0, 1, 1], columns=2)
    sparse, huge = Structure((2, 2), "sparse", pattern), Structure((10**18, 2))
    assert product(huge, sparse).multiplications == 3 * 10**18
    assert product(sparse, Structure((2, 10**18))).multiplications == 3 * 10**18


def test_misfits_raise():
    with pytest.raises(ValueError, match="do not fit"):
        multiply(DenseJacobian(np.ones((2, 3))), DenseJacobian(np.ones((2, 3))))


def test_what_cancels_stays_an_entry():
    a = SparseJacobian(Pattern([0, 2], [0, 1], 2), [1.0, 1.0])
    b = SparseJacobian(Pattern([0, 2, 3], [0, 1, 0], 2), [1.0, 2.0, -1.0])
    result = multiply(a, b)
    assert result.structure == product(a.structure, b.structure).result
    assert result.values.tolist() == [0.0, 2.0]


def test_sparse_operands_of_two_types_give_the_wider():
    pattern = Pattern([0, 2, 3], [0, 1, 1], columns=2)
    narrow, wide = (SparseJacobian(pattern, np.array([1, 2, 3], d)) for d in ("f4", "f8"))
    for a, b in ((narrow, wide), (wide, narrow)):
        result = multiply(a, b)
        assert result.dtype == np.float64
        np.testing.assert_array_equal(result.to_dense(), a.to_dense() @ b.to_dense())


def test_a_dense_form_too_large_is_refused_with_its_size():
    huge = KroneckerJacobian(np.ones(10**5), 10**5)
    with pytest.raises(MemoryError, match=r"kronecker Jacobian of shape .* takes 7450[0-9.]* GiB"):
        huge.to_dense()
    assert multiply(DenseJacobian(np.ones((1, 2))), KroneckerJacobian([1.0], 2)).shape == (1, 2)
