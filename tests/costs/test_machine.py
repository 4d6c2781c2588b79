"""Ceilings: which are measured, and that every kernel does what it is said to do."""

from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jacchain.costs.machine import Ceiling, ceilings, ladder

MIB = 2**20
PLENTY = 2**40


def of_kind(found, kind):
    return [c for c in found if c.kind == kind]


def multiplications(ceiling):
    """Of the product that the kernel's name writes down, by its shape."""
    m, n = ceiling.shape
    return {
        "1 x 1": 1,
        "A @ B": m * n * n,
        "A @ B.T": m * n * n,
        "v @ M": m * n,
        "v @ M.T": m * n,
        "copyto": 0,
    }[ceiling.kernel]


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
    }[ceiling.kernel]()


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
    found = ceilings(MIB, 32 * MIB, dtype="float64", memory=PLENTY)
    assert Counter(c.kind for c in found).keys() == {
        "empty call", "matrix-matrix", "row-matrix", "copy"
    }  # fmt: skip
    for kind in ("row-matrix", "copy"):
        sizes = np.array([c.working_set for c in of_kind(found, kind)])
        tolerance = 1.1  # a working set is rounded to whole rows
        assert np.any(sizes <= MIB / 2 * tolerance)
        assert np.any((sizes >= 2 * MIB / tolerance) & (sizes <= 8 * MIB))
        assert np.any(sizes >= 64 * MIB / tolerance)


def test_the_row_kernel_climbs_the_whole_last_level_cache():
    found = ceilings(MIB, 64 * MIB, dtype="float64", memory=PLENTY)
    sizes = sorted(
        {c.working_set for c in found if c.kernel == "v @ M" and MIB < c.bytes < 60 * MIB}
    )
    assert sizes[0] == pytest.approx(2 * MIB, rel=0.1)
    assert sizes[-1] == pytest.approx(16 * MIB, rel=0.1)
    assert all(1.2 < b / a < 1.6 for a, b in pairwise(sizes))


def test_several_kernels_compete_where_the_ceiling_is_compared_with():
    found = ceilings(MIB, 32 * MIB, dtype="float64", memory=PLENTY)
    assert {c.kernel for c in of_kind(found, "matrix-matrix")} == {"A @ B", "A @ B.T"}
    assert {c.kernel for c in of_kind(found, "row-matrix")} == {"v @ M", "v @ M.T"}


@pytest.mark.parametrize(("l2", "llc"), [(None, None), (2 * MIB, None), (None, 8 * MIB)])
def test_unknown_caches_are_guessed(l2, llc):
    guessed = ceilings(l2, llc, dtype="float64", memory=PLENTY)
    assert guessed == ceilings(l2 or MIB, llc or 16 * MIB, dtype="float64", memory=PLENTY)


@given(st.integers(0, 2**28))
def test_nothing_takes_more_memory_than_allowed(memory):
    everything = ceilings(MIB, 32 * MIB, dtype="float32", memory=PLENTY)
    found = ceilings(MIB, 32 * MIB, dtype="float32", memory=memory)
    assert found == tuple(c for c in everything if c.working_set <= memory)


@pytest.mark.parametrize(
    ("l2", "llc"), [(MIB, 32 * MIB), (4096, 2**15), (MIB // 4, MIB // 4), (1, 1)]
)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_names_are_unique(l2, llc, dtype):
    names = [c.id for c in ceilings(l2, llc, dtype=dtype, memory=PLENTY)]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_flops_and_bytes_are_those_of_the_product(dtype):
    itemsize = np.dtype(dtype).itemsize
    for ceiling in ceilings(MIB, 32 * MIB, dtype=dtype, memory=PLENTY):
        m, n = ceiling.shape
        row = {"v @ M": m + n, "v @ M.T": m + n}.get(ceiling.kernel)
        elements = {"copyto": 2 * m * n}.get(ceiling.kernel, m * n + row if row else 3 * m * n)
        assert ceiling.flops == 2 * multiplications(ceiling)
        assert ceiling.bytes == ceiling.working_set == itemsize * elements


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_every_kernel_computes_what_its_name_says(dtype):
    for ceiling in ceilings(2**15, 2**17, dtype=dtype, memory=2**20):
        result = ceiling.build(ceiling.shape, np.dtype(dtype))()
        if ceiling.kind == "copy":
            continue
        assert result.dtype == dtype
        expected = expected_result(ceiling, dtype)
        np.testing.assert_allclose(result, expected, rtol=1e-4 if dtype == "float32" else 1e-12)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_copy_copies_everything(dtype, monkeypatch):
    copied = []
    copyto = np.copyto
    (ceiling,) = [c for c in ceilings(2**12, 2**13, dtype=dtype, memory=2**12) if c.kind == "copy"][
        :1
    ]
    kernel = ceiling.build(ceiling.shape, np.dtype(dtype))
    monkeypatch.setattr(np, "copyto", lambda *arrays: copied.append(arrays) or copyto(*arrays))
    kernel()
    ((target, source),) = copied
    np.testing.assert_array_equal(target, source)
    assert not np.shares_memory(target, source)
    assert target.nbytes + source.nbytes == ceiling.bytes
    assert (target.dtype, target.shape) == (np.dtype(dtype), ceiling.shape)


def test_a_ceiling_is_named_by_kind_kernel_and_shape():
    ceiling = Ceiling("row-matrix", "v @ M", (128, 64), 1, 2, lambda *_: lambda: None)
    assert ceiling.id == "ceiling:row-matrix:v @ M:128x64"
