"""Ceilings of the machine: its best kernels that multiply, read and copy."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import product

import numpy as np
from numpy.typing import DTypeLike, NDArray

from jacchain.cost import Cost

Array = NDArray[np.floating]
Kernel = Callable[[], object]
Shape = tuple[int, int]
Build = Callable[[Shape, np.dtype[np.floating]], Kernel]

_ROWS = 128  # of the matrix that a row is multiplied with
_OTHER_ROWS = (32, 512)  # of such matrices that compete with it
_MIB = 2**20


@dataclass(frozen=True)
class Ceiling:
    """One reference kernel at one size."""

    #: What is bounded: "matrix-matrix", "row-matrix", "copy" or "empty call". Several kernels of a
    #: kind compete, and the fastest is the ceiling.
    kind: str
    kernel: str  #: how it is done
    shape: Shape  #: Rows and columns of its matrix
    cost: Cost  #: what one call takes
    build: Build  #: ``build(shape, dtype)`` allocates the arrays and returns the call


def _filled(*shape: int, dtype: DTypeLike) -> Array:
    """Return non-zero data, every page touched; cheap to make at hundreds of MiB."""
    return np.resize(np.linspace(0.5, 1.5, 1 << 12, dtype=dtype), shape)


def _matmul(
    shape: Shape, dtype: np.dtype[np.floating], *, row: bool = False, transposed: bool = False
) -> Kernel:
    """Multiply a square matrix, or a row, by a matrix of this shape, or by its transpose."""
    b = _filled(*shape, dtype=dtype)
    b = b.T if transposed else b
    a = _filled(1 if row else shape[0], len(b), dtype=dtype)
    out = np.empty((len(a), b.shape[1]), dtype=dtype)
    return lambda: np.matmul(a, b, out=out)


def _copy(shape: Shape, dtype: np.dtype[np.floating]) -> Kernel:
    source = _filled(*shape, dtype=dtype)
    target = np.empty_like(source)
    return lambda: np.copyto(target, source)


_MATRIX_KERNELS: dict[str, Build] = {
    "A @ B": _matmul,
    "A @ B.T": partial(_matmul, transposed=True),
}
_ROW_KERNELS: dict[str, Build] = {
    "v @ M": partial(_matmul, row=True),
    "v @ M.T": partial(_matmul, row=True, transposed=True),
}


def _squares(itemsize: int) -> list[Ceiling]:
    return [
        Ceiling("matrix-matrix", kernel, (n, n), _cost(3 * n * n * itemsize, n**3), build)
        for n in (256, 768)
        for kernel, build in _MATRIX_KERNELS.items()
    ]


def _rows(
    working_set: int,
    itemsize: int,
    *,
    rows: int = _ROWS,
    kernels: Sequence[str] = tuple(_ROW_KERNELS),
) -> list[Ceiling]:
    shape = (rows, max(1, working_set // (rows * itemsize)))
    elements = shape[0] * shape[1]
    cost = _cost((elements + sum(shape)) * itemsize, elements, rows=elements)
    suffix = "" if rows == _ROWS else f", {rows} rows"
    return [
        Ceiling("row-matrix", kernel + suffix, shape, cost, _ROW_KERNELS[kernel])
        for kernel in kernels
    ]


def _copies(working_set: int, itemsize: int) -> list[Ceiling]:
    shape = (_ROWS, max(1, working_set // (2 * _ROWS * itemsize)))
    return [Ceiling("copy", "copyto", shape, _cost(2 * shape[0] * shape[1] * itemsize), _copy)]


def _cost(moved: int, multiplications: int = 0, *, rows: int = 0) -> Cost:
    """Cost of a kernel that touches each of its bytes once."""
    return Cost(
        products=min(multiplications, 1),
        multiplications=multiplications,
        row_multiplications=rows,
        bytes=moved,
        held_bytes=moved,
    )


def ladder(low: float, high: float) -> list[int]:
    """Return working sets from `low` to `high` bytes, by half-octaves.

    Examples
    --------
    >>> ladder(4, 17)
    [4, 6, 8, 12, 16]
    """
    steps: list[int] = []
    size = float(low)
    while size <= high:
        steps.append(round(size))
        size *= 1.5 if len(steps) % 2 else 4 / 3
    return steps


def ceilings(l2: int | None, llc: int | None, *, itemsize: int) -> tuple[Ceiling, ...]:
    """Return every ceiling to measure on a machine with these caches.

    `l2` and `llc` are the bytes of a core's second-level and of the last-level cache, None where
    unknown; `itemsize` those of an element.

    Each memory regime is measured where it is fastest, at its small end; in the second-level cache
    and just beyond it, several shapes compete. The row-matrix kernel is measured along the whole
    last-level cache: where its bandwidth drops, the share of the cache that this process really
    gets has ended.
    """
    l2, llc = l2 or _MIB, llc or 16 * _MIB
    call = Ceiling("empty call", "1 x 1", (1, 1), _cost(3 * itemsize, 1), _matmul)
    kernels = [call, *_squares(itemsize)]
    # The vectors beside the largest matrix fit, with it, in half of the cache.
    inside = (l2 // 8, l2 // 4, 7 * l2 // 16)
    for working_set in inside:
        kernels += [*_rows(working_set, itemsize), *_copies(working_set, itemsize)]
    for working_set, rows in [*product(inside[1:], _OTHER_ROWS), (2 * l2, max(_OTHER_ROWS))]:
        kernels += _rows(working_set, itemsize, rows=rows)
    for step, working_set in enumerate(ladder(2 * l2, llc / 4)):
        kernels += _rows(working_set, itemsize, kernels=[*_ROW_KERNELS][: 1 if step else 2])
    kernels += [*_copies(2 * l2, itemsize), *_copies(2 * llc, itemsize)]
    kernels += _rows(2 * llc, itemsize, kernels=["v @ M"])
    return tuple({(c.kind, c.kernel, c.shape): c for c in kernels}.values())
