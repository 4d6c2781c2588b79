"""Both tables of products agree, for every pair of kinds."""

from itertools import pairwise, product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import jacchain as jc
from jacchain import jacobians
from jacchain.chains.bracketing import all_bracketings
from jacchain.chains.evaluate import evaluator
from jacchain.jacobians import Pattern, multiply, products, structure_products
from jacchain.jacobians.structure import KINDS, Structure


def sparse(random, m, n):
    """About half of the entries; some rows are alike, some empty."""
    stored = (random(m, n) > 0)[np.arange(m) // 2]
    pattern = Pattern(np.append(0, stored.sum(1).cumsum()), np.nonzero(stored)[1], n)
    return jacobians.SparseJacobian(pattern, random(pattern.entries))


def selection(random, m, n):
    columns = (99 * np.abs(random(m))).astype(int) % n
    return jacobians.SelectionJacobian.from_indices(columns, n, random(1).dtype)


# How to make a Jacobian of each kind and shape (m, n) from random elements.
MAKERS = {
    "dense": lambda random, m, n: jacobians.DenseJacobian(random(m, n)),
    "diagonal": lambda random, m, _: jacobians.DiagonalJacobian(random(m)),
    "identity": lambda random, m, _: jacobians.IdentityJacobian(m, random(1).dtype),
    "sparse": sparse,
    "kronecker": lambda random, m, n: jacobians.KroneckerJacobian(random(n // m), m),
    "block": lambda random, m, n: jacobians.BlockDiagonalJacobian(random(2, m // 2, n // 2), 2),
    "shared": lambda random, m, n: jacobians.BlockDiagonalJacobian(random(m // 2, n // 2), 2),
    "three": lambda random, m, n: jacobians.BlockDiagonalJacobian(random(m // 3, n // 3), 3),
    "selection": selection,
}
# Kinds of the products; * if written into the memory given; left or right if it is that operand.
EXPECTED = """
            dense   diagonal  identity sparse kronecker block   shared  three   selection
dense       dense*  dense*    left     dense  dense*    dense*  dense*  dense*  dense
diagonal    dense*  diagonal  left     sparse sparse    block*  block*  block*  sparse
identity    right   right     left     right  right     right   right   right   right
sparse      dense   sparse    left     sparse sparse    sparse  sparse  sparse  sparse
kronecker   dense   sparse    left     sparse sparse    sparse  sparse  sparse  sparse
block       dense*  block*    left     sparse sparse    block*  block*  sparse  sparse
shared      dense*  block*    left     sparse sparse    block*  block*  sparse  sparse
three       dense*  block*    left     sparse sparse    sparse  sparse  block*  sparse
selection   dense   sparse    left     sparse sparse    sparse  sparse  sparse  selection
"""
HEADER, *ROWS = [line.split() for line in EXPECTED.strip().splitlines()]
RESULTS = {(row[0], kind): row[i] for row in ROWS for i, kind in enumerate(HEADER, 1)}
SIZES = "1 1 1, 1 4 3, 5 1 2, 3 7 1, 4 2 6, 6 6 6, 2 6 12, 6 6 12, 12 6 6, 6 12 6"


def fits(kind, shape):
    """Whether a kind has matrices of a shape."""
    try:
        return make(kind, shape).shape == shape
    except ValueError:
        return False


def make(kind, shape, dtype="float64", seed=0):
    rng = np.random.default_rng(seed)
    return MAKERS[kind](lambda *size: rng.standard_normal(size).astype(dtype), *shape)


SHAPES = [tuple(pairwise(map(int, sizes.split()))) for sizes in SIZES.split(", ")]
CASES = [pair for pair in product(RESULTS, SHAPES) if all(map(fits, *pair))]


def test_every_pair_of_kinds_has_a_row_and_a_case():
    kind = {name: make(name, (6, 6)).structure.kind for name in MAKERS}
    pairs = {(kind[left], kind[right]) for (left, right), _ in CASES}
    assert pairs == set(product(KINDS, repeat=2)) == set(products.RULES)
    assert pairs == set(structure_products.RULES)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("kinds", "shapes"), CASES)
def test_both_tables_agree(kinds, shapes, dtype):
    a, b = map(make, kinds, shapes, [dtype] * 2, [0, 1])
    expected, result = structure_products.product(a.structure, b.structure), multiply(a, b)
    assert (result.structure, result.dtype) == (expected.result, dtype)
    assert jc.count(jc.Chain([a, b])) == expected.multiplications
    dense, tolerance = a.to_dense().astype("f8") @ b.to_dense(), 32 * np.finfo(dtype).eps
    np.testing.assert_allclose(result.to_dense(), dense, rtol=tolerance, atol=tolerance)
    assert result.to_dense().flags.c_contiguous
    kind, in_memory = RESULTS[kinds].rstrip("*"), RESULTS[kinds].endswith("*")
    assert {"left": a, "right": b, result.structure.kind: result}[kind] is result
    memory = np.full(result.structure.elements, np.nan, dtype)
    again = multiply(a, b, out=memory).to_dense()
    np.testing.assert_array_equal(again, result.to_dense(), strict=True)
    assert np.isfinite(memory).any() == in_memory <= products.uses_memory(a.structure, b.structure)


@pytest.mark.parametrize("kinds", RESULTS)
def test_a_prepared_product_checks_nothing(kinds, monkeypatch):
    a, b = (make(kind, (6, 6)) for kind in kinds)
    result, rule = multiply(a, b), products.rule(a.structure, b.structure)
    bare = [type(x).unchecked(*(getattr(x, name) for name in x.__match_args__)) for x in (a, b)]
    for checked in {Structure, *map(type, (a, b, result))}:
        monkeypatch.setattr(checked, "__post_init__", None)  # raises when called
    monkeypatch.setattr(Pattern, "_check", None)
    assert rule(*bare, None).structure == result.structure


@given(st.data())
def test_any_chain_of_any_kinds_gives_the_same_in_every_order(data):
    sizes = data.draw(st.lists(st.sampled_from([1, 2, 6, 12]), min_size=3, max_size=6))
    factors = []
    for shape in pairwise(sizes):
        kind = data.draw(st.sampled_from([kind for kind in MAKERS if fits(kind, shape)]))
        factors.append(make(kind, shape, seed=data.draw(st.integers(0, 2**32 - 1))))
    chain = jc.Chain(factors)
    expected = np.linalg.multi_dot([factor.to_dense() for factor in factors])
    for order in all_bracketings(len(factors)):
        run = evaluator(chain, order)
        for _ in range(2):  # into the same memory
            np.testing.assert_allclose(run(), expected, rtol=1e-10, atol=1e-10)
        assert jc.count(chain, order) == jc.plan(chain, order).multiplications


@pytest.mark.parametrize("table", [products, structure_products])
def test_a_pair_without_a_row_raises(table, monkeypatch):
    monkeypatch.delitem(table.RULES, ("dense", "sparse"))
    a, b = make("dense", (6, 6)), make("sparse", (6, 6))
    with pytest.raises(TypeError, match="no rule multiplies kinds 'dense' and 'sparse'; add a row"):
        structure_products.product(a.structure, b.structure), multiply(a, b)
