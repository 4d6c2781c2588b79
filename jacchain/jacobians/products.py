"""The table of products of matrices with data, with a function for each pair of kinds."""

from collections.abc import Callable
from functools import lru_cache
from typing import Any, TypeAlias

import numpy as np

from jacchain.inputs import FloatArray, check_type, short
from jacchain.jacobians.base import Jacobian, StructuredJacobian
from jacchain.jacobians.dense import DenseJacobian
from jacchain.jacobians.diagonal import BlockDiagonalJacobian, DiagonalJacobian, KroneckerJacobian
from jacchain.jacobians.pattern import pattern_product, product_values
from jacchain.jacobians.sparse import SelectionJacobian, SparseJacobian
from jacchain.jacobians.structure import KINDS, Structure, pattern_of
from jacchain.jacobians.structure_products import (
    BY_PATTERN,
    KindPair,
    check_fit,
    find_rule,
    product,
)

Out: TypeAlias = FloatArray | None  # flat memory for the result
Rule: TypeAlias = Callable[[Any, Any, Out], Jacobian]


def multiply(a: Jacobian, b: Jacobian, *, out: FloatArray | None = None) -> Jacobian:
    """Multiply two Jacobians.

    Parameters
    ----------
    a, b : Jacobian
        Of shapes (m, k) and (k, n).
    out : ndarray, optional
        Memory for the elements of the result: flat, of the dtype of both operands, which must not
        overlap it. It is used if `uses_memory` says so.

    Returns
    -------
    Jacobian
        Of shape (m, n), with the structure that `structure_products.product` returns.

    Raises
    ------
    TypeError
        If an operand is no Jacobian, or no rule multiplies these two kinds.
    ValueError
        If the shapes do not fit, or `out` is no such memory.

    Examples
    --------
    >>> multiply(DenseJacobian(np.ones((1, 2))), DenseJacobian(np.ones((2, 3)))).to_dense()
    array([[2., 2., 2.]])
    >>> multiply(DenseJacobian(np.ones((1, 2))), DiagonalJacobian([3.0, 4.0])).to_dense()
    array([[3., 4.]])
    """
    for operand in (a, b):
        check_type(operand, Jacobian, "an operand")
    check_fit(a.structure, b.structure)
    if out is not None:
        _check_memory(out, a, b)
    return rule(a.structure, b.structure)(a, b, out)


def _check_memory(out: FloatArray, a: Jacobian, b: Jacobian) -> None:
    """Raise unless `out` is flat memory for the elements of the product."""
    check_type(out, np.ndarray, "out")
    elements = product(a.structure, b.structure).result.elements
    if (out.shape, out.dtype) != ((elements,), a.dtype) or not out.flags.carray:
        message = (
            f"out is {short(out)}, {out.dtype}; expected writable memory, contiguous, of shape "
        )
        message += f"({elements},), {a.dtype}"
        raise ValueError(message)


def rule(a: Structure, b: Structure) -> Rule:
    """Return the function that multiplies Jacobians of two structures, which are known to fit."""
    return find_rule(RULES, a, b)


def returns_operand(a: Structure, b: Structure) -> int | None:
    """Return which operand, 0 or 1, is itself the result; None if the result is a new array.

    Examples
    --------
    >>> returns_operand(Structure((2, 2), "identity"), Structure((2, 3)))
    1
    """
    operands: dict[Rule, int] = {_left: 0, _right: 1}
    return operands.get(rule(a, b))


def uses_memory(a: Structure, b: Structure) -> bool:
    """Return whether the result is written into the memory passed to `multiply`.

    Examples
    --------
    >>> uses_memory(Structure((2, 2), "diagonal"), Structure((2, 3)))
    True
    """
    return rule(a, b) in INTO_MEMORY


def _shaped(out: Out, *shape: int) -> Out:
    """Return the flat memory for a result in the result's shape."""
    return None if out is None else out.reshape(shape)


def _dense_dense(a: DenseJacobian, b: DenseJacobian, out: Out) -> Jacobian:
    memory = _shaped(out, len(a.array), b.array.shape[1])
    return DenseJacobian.unchecked(np.matmul(a.array, b.array, out=memory))


def _left(a: Jacobian, _b: Jacobian, _out: Out) -> Jacobian:
    return a


def _right(_a: Jacobian, b: Jacobian, _out: Out) -> Jacobian:
    return b


def _diagonal_diagonal(a: DiagonalJacobian, b: DiagonalJacobian, _out: Out) -> Jacobian:
    return DiagonalJacobian.unchecked(a.diagonal * b.diagonal)


def _diagonal_dense(a: DiagonalJacobian, b: DenseJacobian, out: Out) -> Jacobian:
    memory = _shaped(out, *b.array.shape)
    return DenseJacobian.unchecked(np.multiply(a.diagonal[:, None], b.array, out=memory))


def _dense_diagonal(a: DenseJacobian, b: DiagonalJacobian, out: Out) -> Jacobian:
    memory = _shaped(out, *a.array.shape)
    return DenseJacobian.unchecked(np.multiply(a.array, b.diagonal, out=memory))


def _dense_kronecker(a: DenseJacobian, b: KroneckerJacobian, out: Out) -> Jacobian:
    """Multiply each element of `a`, of shape (m, k), by the whole row of `b`."""
    memory = _shaped(out, *a.array.shape, len(b.row))
    outer = np.multiply(a.array[:, :, None], b.row, out=memory)
    return DenseJacobian.unchecked(outer.reshape(len(a.array), -1))


def _kronecker_dense(a: KroneckerJacobian, b: DenseJacobian, _out: Out) -> Jacobian:
    """Multiply the row of `a` by the rows of `b` that belong to each copy."""
    return DenseJacobian.unchecked(a.row @ b.array.reshape(a.copies, len(a.row), -1))


def _dense_block(a: DenseJacobian, b: BlockDiagonalJacobian, out: Out) -> Jacobian:
    """Multiply the columns of `a` that belong to each block; one product if it is shared."""
    rows, (height, width) = len(a.array), b.block
    by_block = a.array.reshape(rows, b.blocks, height)
    memory = _shaped(out, rows, b.blocks, width)
    if b.array.ndim == 2:
        result = np.matmul(by_block, b.array, out=memory)
    else:
        turned = None if memory is None else memory.transpose(1, 0, 2)
        result = np.matmul(by_block.transpose(1, 0, 2), b.array, out=turned).transpose(1, 0, 2)
    return DenseJacobian.unchecked(result.reshape(rows, -1))


def _block_dense(a: BlockDiagonalJacobian, b: DenseJacobian, out: Out) -> Jacobian:
    """Multiply each block by the rows of `b` that belong to it."""
    columns = b.array.shape[1]
    memory = _shaped(out, a.blocks, a.block[0], columns)
    result = np.matmul(a.array, b.array.reshape(a.blocks, -1, columns), out=memory)
    return DenseJacobian.unchecked(result.reshape(-1, columns))


def _block_block(a: BlockDiagonalJacobian, b: BlockDiagonalJacobian, out: Out) -> Jacobian:
    if a.blocks != b.blocks:
        return _sparse_sparse(a, b, out)
    blocks = () if a.array.ndim == b.array.ndim == 2 else (a.blocks,)
    memory = _shaped(out, *blocks, a.block[0], b.block[1])
    return BlockDiagonalJacobian.unchecked(np.matmul(a.array, b.array, out=memory), a.blocks)


def _diagonal_block(a: DiagonalJacobian, b: BlockDiagonalJacobian, out: Out) -> Jacobian:
    scale = a.diagonal.reshape(b.blocks, -1, 1)
    memory = _shaped(out, b.blocks, *b.block)
    return BlockDiagonalJacobian.unchecked(np.multiply(scale, b.array, out=memory), b.blocks)


def _block_diagonal(a: BlockDiagonalJacobian, b: DiagonalJacobian, out: Out) -> Jacobian:
    scale = b.diagonal.reshape(a.blocks, 1, -1)
    memory = _shaped(out, a.blocks, *a.block)
    return BlockDiagonalJacobian.unchecked(np.multiply(a.array, scale, out=memory), a.blocks)


def _selection_selection(a: SelectionJacobian, b: SelectionJacobian, _out: Out) -> Jacobian:
    return SelectionJacobian.unchecked(pattern_product(a.pattern, b.pattern), a.dtype)


def _selection_dense(a: SelectionJacobian, b: DenseJacobian, _out: Out) -> Jacobian:
    return DenseJacobian.unchecked(b.array[a.pattern.indices])


def _dense_selection(a: DenseJacobian, b: SelectionJacobian, _out: Out) -> Jacobian:
    """Add up the columns of `a` for which `b` selects the same column; nothing is multiplied."""
    result = np.zeros((len(a.array), b.pattern.shape[1]), a.dtype)
    order = np.argsort(b.pattern.indices, kind="stable")
    columns, starts = np.unique(b.pattern.indices[order], return_index=True)
    result[:, columns] = np.add.reduceat(a.array[:, order], starts, axis=1)
    return DenseJacobian.unchecked(result)


def _sparse_dense(a: StructuredJacobian, b: DenseJacobian, _out: Out) -> Jacobian:
    return DenseJacobian.unchecked(a.compressed @ b.array)


def _dense_sparse(a: DenseJacobian, b: StructuredJacobian, _out: Out) -> Jacobian:
    if len(a.array) == 1:
        return DenseJacobian.unchecked((b.transposed @ a.array[0])[None])
    return DenseJacobian.unchecked(np.ascontiguousarray(a.array @ b.compressed))


_pattern = lru_cache(maxsize=64)(pattern_of)  # each is built and checked once


def _sparse_sparse(a: StructuredJacobian, b: StructuredJacobian, _out: Out) -> Jacobian:
    patterns = _pattern(a.structure), _pattern(b.structure)
    values = product_values(*patterns, a.entries(), b.entries())
    return SparseJacobian.unchecked(pattern_product(*patterns), values)


RULES: dict[KindPair, Rule] = {
    **dict.fromkeys(BY_PATTERN, _sparse_sparse),
    **{("identity", kind): _right for kind in KINDS if kind != "identity"},
    **{(kind, "identity"): _left for kind in KINDS},
    ("dense", "dense"): _dense_dense,
    ("dense", "diagonal"): _dense_diagonal,
    ("diagonal", "dense"): _diagonal_dense,
    ("dense", "sparse"): _dense_sparse,
    ("sparse", "dense"): _sparse_dense,
    ("dense", "kronecker"): _dense_kronecker,
    ("kronecker", "dense"): _kronecker_dense,
    ("dense", "block"): _dense_block,
    ("block", "dense"): _block_dense,
    ("dense", "selection"): _dense_selection,
    ("selection", "dense"): _selection_dense,
    ("diagonal", "diagonal"): _diagonal_diagonal,
    ("diagonal", "block"): _diagonal_block,
    ("block", "diagonal"): _block_diagonal,
    ("block", "block"): _block_block,
    ("selection", "selection"): _selection_selection,
}

INTO_MEMORY: frozenset[Rule] = frozenset(
    {
        _dense_dense,
        _dense_diagonal,
        _diagonal_dense,
        _dense_kronecker,
        _dense_block,
        _block_dense,
        _block_block,
        _diagonal_block,
        _block_diagonal,
    }
)
