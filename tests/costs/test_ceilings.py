"""Ceilings: which are measured, and that every kernel does what it is said to do."""

from itertools import pairwise, product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jacchain.cost import Cost
from jacchain.costs.ceilings import ceilings, ladder

MIB = 2**20
KERNELS = {"1 x 1", "A @ B", "A @ B.T", "v @ M", "v @ M.T", "copyto"}


def of_kind(kernels, kind):
    return [c for c in kernels if c.kind == kind]


def product_of(ceiling):
    """The product that the kernel's name writes down, without the rows of its matrix."""
    return ceiling.kernel.split(",")[0]


def multiplications(ceiling):
    """Multiplications of the product that the kernel's name writes down, by its shape."""
    m, n = ceiling.shape
    return {
        "1 x 1": 1,
        "A @ B": m * n * n,
        "A @ B.T": m * n * n,
        "v @ M": m * n,
        "v @ M.T": m * n,
        "copyto": 0,
    }[product_of(ceiling)]


def expected_result(ceiling, dtype):
    """What the kernel computes, from its definition: all operands hold the same ramp."""

    def ramp(m, n):
        return np.resize(np.linspace(0.5, 1.5, 1 << 12, dtype=dtype), (m, n))

    m, n = ceiling.shape
    matrix = ramp(m, n)
    return {
        "1 x 1": lambda: matrix @ matrix,
        "A @ B": lambda: matrix @ matrix,
        "A @ B.T": lambda: np.einsum("ik,jk->ij", matrix, matrix),
        "v @ M": lambda: np.einsum("ik,kj->ij", ramp(1, m), matrix),
        "v @ M.T": lambda: np.einsum("ik,jk->ij", ramp(1, n), matrix),
    }[product_of(ceiling)]()


@given(st.floats(1, 1e9), st.floats(1, 1e12))
def test_the_ladder_climbs_by_half_octaves_within_its_bounds(low, high):
    rungs = np.array(ladder(low, high))
    assert np.all(rungs >= np.floor(low))
    assert np.all(rungs <= np.ceil(high))
    if low > 1e3:
        assert set(np.round(rungs[1:] / rungs[:-1], 2)) <= {1.33, 1.5}


@pytest.mark.parametrize(
    ("low", "high", "rungs"),
    [(8, 32, [8, 12, 16, 24, 32]), (5, 5, [5]), (6, 5, []), (3, 4, [3])],
)
def test_ladders_of_a_few_rungs(low, high, rungs):
    assert ladder(low, high) == rungs


def test_every_kind_is_measured_in_every_regime():
    kernels = ceilings(MIB, 32 * MIB, itemsize=8)
    assert {c.kind for c in kernels} == {"empty call", "matrix-matrix", "row-matrix", "copy"}
    for kind in ("row-matrix", "copy"):
        sizes = np.array([c.cost.working_set for c in of_kind(kernels, kind)])
        tolerance = 1.1  # a working set is rounded to whole rows
        assert np.any(sizes <= MIB / 2 * tolerance)
        assert np.any((sizes >= 2 * MIB / tolerance) & (sizes <= 8 * MIB))
        assert np.any(sizes >= 64 * MIB / tolerance)


def test_the_row_kernel_climbs_the_whole_last_level_cache():
    kernels = ceilings(MIB, 64 * MIB, itemsize=8)
    sizes = sorted(
        {
            c.cost.working_set
            for c in kernels
            if c.kernel == "v @ M" and MIB < c.cost.bytes < 60 * MIB
        }
    )
    assert sizes[0] == pytest.approx(2 * MIB, rel=0.1)
    assert sizes[-1] == pytest.approx(16 * MIB, rel=0.1)
    assert all(1.2 < b / a < 1.6 for a, b in pairwise(sizes))


def test_several_kernels_compete_where_the_ceiling_is_compared_with():
    kernels = ceilings(MIB, 32 * MIB, itemsize=8)
    assert {c.kernel for c in of_kind(kernels, "matrix-matrix")} == {"A @ B", "A @ B.T"}
    rows = of_kind(kernels, "row-matrix")
    for size, shapes in (
        (MIB / 4, {32, 128, 512}),
        (7 * MIB / 16, {32, 128, 512}),
        (2 * MIB, {128, 512}),
    ):
        near = [c for c in rows if 0.9 < c.cost.working_set / size < 1.1]
        competing = {(product_of(c), c.shape[0]) for c in near}
        assert competing == {*product(("v @ M", "v @ M.T"), shapes)}


def test_a_kernel_of_other_rows_says_so_and_the_ladder_has_one_kernel_a_step():
    for ceiling in of_kind(ceilings(MIB, 32 * MIB, itemsize=8), "row-matrix"):
        rows = "" if ceiling.shape[0] == 128 else f", {ceiling.shape[0]} rows"
        assert ceiling.kernel == product_of(ceiling) + rows


@pytest.mark.parametrize("l2", [MIB // 4, MIB, 2 * MIB])
@pytest.mark.parametrize("itemsize", [4, 8])
def test_what_is_measured_inside_the_second_level_cache_fits_in_half_of_it(l2, itemsize):
    kernels = ceilings(l2, 32 * MIB, itemsize=itemsize)
    sizes = [c.cost.working_set for c in kernels if c.kind in {"row-matrix", "copy"}]
    assert not any(l2 / 2 < size < 2 * l2 for size in sizes)


@pytest.mark.parametrize(("l2", "llc"), [(None, None), (2 * MIB, None), (None, 8 * MIB)])
def test_unknown_caches_are_guessed(l2, llc):
    assert ceilings(l2, llc, itemsize=8) == ceilings(l2 or MIB, llc or 16 * MIB, itemsize=8)


@pytest.mark.parametrize(
    ("l2", "llc"), [(MIB, 32 * MIB), (4096, 2**15), (MIB // 4, MIB // 4), (1, 1)]
)
@pytest.mark.parametrize("itemsize", [4, 8])
def test_no_kernel_is_measured_twice(l2, llc, itemsize):
    names = [(c.kind, c.kernel, c.shape) for c in ceilings(l2, llc, itemsize=itemsize)]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("itemsize", [4, 8])
def test_a_cost_is_what_the_kernels_product_takes(itemsize):
    for ceiling in ceilings(MIB, 32 * MIB, itemsize=itemsize):
        m, n = ceiling.shape
        is_row, is_copy = ceiling.kind == "row-matrix", ceiling.kind == "copy"
        elements = m * n + m + n if is_row else 2 * m * n if is_copy else 3 * m * n
        assert ceiling.cost == Cost(
            products=0 if is_copy else 1,
            multiplications=multiplications(ceiling),
            row_multiplications=m * n if is_row else 0,
            bytes=itemsize * elements,
            held_bytes=itemsize * elements,
        )


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_every_kernel_computes_what_its_name_says(dtype):
    itemsize = np.dtype(dtype).itemsize
    small = [c for c in ceilings(2**15, 2**17, itemsize=itemsize) if c.cost.bytes <= 2**21]
    assert {product_of(c) for c in small} == KERNELS
    for ceiling in small:
        result = ceiling.build(ceiling.shape, np.dtype(dtype))()
        if ceiling.kind == "copy":
            continue
        assert result.dtype == dtype
        expected = expected_result(ceiling, dtype)
        np.testing.assert_allclose(result, expected, rtol=1e-4 if dtype == "float32" else 1e-12)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_copy_copies_everything(dtype, monkeypatch):
    copied, copyto = [], np.copyto
    kind = np.dtype(dtype)
    ceiling = of_kind(ceilings(2**12, 2**13, itemsize=kind.itemsize), "copy")[0]
    kernel = ceiling.build(ceiling.shape, kind)
    monkeypatch.setattr(np, "copyto", lambda *arrays: copied.append(arrays) or copyto(*arrays))
    kernel()
    ((target, source),) = copied
    np.testing.assert_array_equal(target, source)
    assert not np.shares_memory(target, source)
    assert target.nbytes + source.nbytes == ceiling.cost.bytes
    assert (target.dtype, target.shape) == (kind, ceiling.shape)
