"""Ceilings of the machine: how fast its best kernels multiply, read and copy."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import DTypeLike, NDArray

Array = NDArray[np.floating]
Kernel = Callable[[], object]

_ROWS = 128  # of the matrix that a row is multiplied with
_MIB = 2**20


@dataclass(frozen=True)
class Ceiling:
    """One kernel at one size.

    `kind` is what is bounded ("matrix-matrix", "row-matrix", "copy", "empty call"), `kernel` how
    it is done; several kernels of a kind compete, and the fastest is the ceiling.
    """

    kind: str
    kernel: str
    shape: tuple[int, int]
    flops: int
    bytes: int
    build: Callable[[tuple[int, int], np.dtype[np.floating]], Kernel]

    @property
    def id(self) -> str:
        """Unique name of the ceiling."""
        return f"ceiling:{self.kind}:{self.kernel}:{self.shape[0]}x{self.shape[1]}"

    @property
    def sweep(self) -> str:
        """Kernels that are compared with each other: one kind, at all its sizes."""
        return self.kind

    @property
    def working_set(self) -> int:
        """Bytes that the kernel touches."""
        return self.bytes


def _filled(*shape: int, dtype: DTypeLike) -> Array:
    """Non-zero data, every page touched; cheap to make at hundreds of MiB."""
    return np.resize(np.linspace(0.5, 1.5, 1 << 12, dtype=dtype), shape)


def _matmul(a: Array, b: Array) -> Kernel:
    out = np.empty((a.shape[0], b.shape[1]), dtype=a.dtype)
    return lambda: np.matmul(a, b, out=out)


def _square(shape: tuple[int, int], dtype: np.dtype[np.floating]) -> Kernel:
    return _matmul(_filled(*shape, dtype=dtype), _filled(*shape, dtype=dtype))


def _square_transposed(shape: tuple[int, int], dtype: np.dtype[np.floating]) -> Kernel:
    return _matmul(_filled(*shape, dtype=dtype), _filled(*shape, dtype=dtype).T)


def _row(shape: tuple[int, int], dtype: np.dtype[np.floating]) -> Kernel:
    return _matmul(_filled(1, shape[0], dtype=dtype), _filled(*shape, dtype=dtype))


def _row_transposed(shape: tuple[int, int], dtype: np.dtype[np.floating]) -> Kernel:
    return _matmul(_filled(1, shape[1], dtype=dtype), _filled(*shape, dtype=dtype).T)


def _copy(shape: tuple[int, int], dtype: np.dtype[np.floating]) -> Kernel:
    source = _filled(*shape, dtype=dtype)
    target = np.empty_like(source)
    return lambda: np.copyto(target, source)


def _squares(itemsize: int) -> list[Ceiling]:
    return [
        Ceiling("matrix-matrix", kernel, (n, n), 2 * n**3, 3 * n * n * itemsize, build)
        for n in (256, 768)
        for kernel, build in (("A @ B", _square), ("A @ B.T", _square_transposed))
    ]


def _rows(working_set: int, itemsize: int, *, rivals: bool) -> list[Ceiling]:
    shape = (_ROWS, max(1, working_set // (_ROWS * itemsize)))
    elements = shape[0] * shape[1]
    kernels = [("v @ M", _row), ("v @ M.T", _row_transposed)][: 2 if rivals else 1]
    moved = (elements + sum(shape)) * itemsize
    return [Ceiling("row-matrix", k, shape, 2 * elements, moved, build) for k, build in kernels]


def _copies(working_set: int, itemsize: int) -> list[Ceiling]:
    shape = (_ROWS, max(1, working_set // (2 * _ROWS * itemsize)))
    return [Ceiling("copy", "copyto", shape, 0, 2 * shape[0] * shape[1] * itemsize, _copy)]


def ladder(low: float, high: float) -> list[int]:
    """Working sets from `low` to `high` bytes, by half-octaves.

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


def ceilings(
    l2: int | None, llc: int | None, *, dtype: DTypeLike, memory: int
) -> tuple[Ceiling, ...]:
    """Every ceiling to measure on a machine with these caches.

    Parameters
    ----------
    l2, llc
        Bytes of a core's second-level and of the last-level cache, None where unknown.
    dtype
        Of the elements.
    memory
        Bytes that a kernel may use; larger ones are left out.

    Notes
    -----
    Each memory regime is measured where it is fastest, at its small end. The row-matrix kernel is
    measured along the whole last-level cache: where its bandwidth drops, the share of the cache
    that this process really gets has ended.
    """
    itemsize = np.dtype(dtype).itemsize
    l2, llc = l2 or _MIB, llc or 16 * _MIB
    found = [Ceiling("empty call", "1 x 1", (1, 1), 2, 3 * itemsize, _square), *_squares(itemsize)]
    for working_set in (l2 // 8, l2 // 4, l2 // 2):
        found += [*_rows(working_set, itemsize, rivals=True), *_copies(working_set, itemsize)]
    for step, working_set in enumerate(ladder(2 * l2, llc / 4)):
        found += _rows(working_set, itemsize, rivals=step == 0)
    found += [*_copies(2 * l2, itemsize)]
    found += [*_rows(2 * llc, itemsize, rivals=False), *_copies(2 * llc, itemsize)]
    return tuple({c.id: c for c in found if c.working_set <= memory}.values())
