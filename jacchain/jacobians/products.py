"""The numeric product of two Jacobians: one table, keyed by both kinds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from jacchain.jacobians.dense import DenseJacobian
from jacchain.jacobians.diagonal import BlockDiagonalJacobian, DiagonalJacobian
from jacchain.jacobians.pattern import pattern_product, product_values
from jacchain.jacobians.sparse import SelectionJacobian, SparseJacobian
from jacchain.jacobians.structure import KINDS, Structure, pattern_of
from jacchain.jacobians.structure_products import check_fit

if TYPE_CHECKING:
    from collections.abc import Callable

    from jacchain.jacobians.base import FloatArray, Jacobian, StructuredJacobian


Out: TypeAlias = "FloatArray | None"  # memory for the result, flat
Rule: TypeAlias = "Callable[[Any, Any, Out], Jacobian]"


def multiply(a: Jacobian, b: Jacobian, *, out: FloatArray | None = None) -> Jacobian:
    """Product of two Jacobians; pairs of kinds without a rule are multiplied as dense.

    Parameters
    ----------
    a, b : Jacobian
        Of shapes (m, k) and (k, n).
    out : ndarray, optional
        Memory for the elements of the result, flat, of the dtype of both. Used where the result is
        dense or block diagonal; neither operand may be in it.

    Returns
    -------
    Jacobian
        Of shape (m, n), and of the structure that `structure_products.product` says.

    Raises
    ------
    ValueError
        If the shapes do not fit.

    Examples
    --------
    >>> multiply(DenseJacobian(np.ones((1, 2))), DenseJacobian(np.ones((2, 3)))).to_dense()
    array([[2., 2., 2.]])
    >>> multiply(DenseJacobian(np.ones((1, 2))), DiagonalJacobian([3.0, 4.0])).to_dense()
    array([[3., 4.]])
    """
    check_fit(a.structure, b.structure)
    return rule(a.structure, b.structure)(a, b, out)


def rule(a: Structure, b: Structure) -> Rule:
    """How Jacobians of two structures are multiplied, without a check that they fit."""
    return RULES.get((a.kind, b.kind), _dense_dense)


def returns_operand(a: Structure, b: Structure) -> int | None:
    """Which operand, 0 or 1, is the result itself; None where it is a new one.

    Examples
    --------
    >>> returns_operand(Structure((2, 2), "identity"), Structure((2, 3)))
    1
    """
    rules: list[Rule] = [_left, _right]
    found = rule(a, b)
    return rules.index(found) if found in rules else None


def uses_memory(a: Structure, b: Structure) -> bool:
    """Whether the result is written into memory that `multiply` is given.

    Examples
    --------
    >>> uses_memory(Structure((2, 2), "diagonal"), Structure((2, 3)))
    True
    """
    return rule(a, b) in INTO_MEMORY


def _shaped(out: Out, *shape: int) -> Out:
    """A result's memory in its shape."""
    return None if out is None else out.reshape(shape)


def _dense_dense(a: Jacobian, b: Jacobian, out: Out) -> Jacobian:
    memory = _shaped(out, a.shape[0], b.shape[1])
    return DenseJacobian(np.matmul(a.to_dense(), b.to_dense(), out=memory))


def _left(a: Jacobian, _b: Jacobian, _out: Out) -> Jacobian:
    return a


def _right(_a: Jacobian, b: Jacobian, _out: Out) -> Jacobian:
    return b


def _diagonal_diagonal(a: DiagonalJacobian, b: DiagonalJacobian, _out: Out) -> Jacobian:
    return DiagonalJacobian(a.diagonal * b.diagonal)


def _diagonal_dense(a: DiagonalJacobian, b: Jacobian, out: Out) -> Jacobian:
    memory = _shaped(out, *b.shape)
    return DenseJacobian(np.multiply(a.diagonal[:, None], b.to_dense(), out=memory))


def _dense_diagonal(a: Jacobian, b: DiagonalJacobian, out: Out) -> Jacobian:
    return DenseJacobian(np.multiply(a.to_dense(), b.diagonal, out=_shaped(out, *a.shape)))


def _dense_kronecker(a: Jacobian, b: Any, out: Out) -> Jacobian:
    memory = _shaped(out, *a.shape, len(b.row))
    outer = np.multiply(a.to_dense()[:, :, None], b.row, out=memory)
    return DenseJacobian(outer.reshape(a.shape[0], b.shape[1]))


def _kronecker_dense(a: Any, b: Jacobian, _out: Out) -> Jacobian:
    return DenseJacobian(a.row @ b.to_dense().reshape(a.copies, len(a.row), b.shape[1]))


def _dense_block(a: Jacobian, b: BlockDiagonalJacobian, out: Out) -> Jacobian:
    """One product of matrices for the whole batch where its block is shared."""
    by_block = a.to_dense().reshape(a.shape[0], b.blocks, -1)
    if b.array.ndim == 2:
        result = np.matmul(by_block, b.array, out=_shaped(out, *by_block.shape[:2], b.block[1]))
    else:
        result = np.matmul(by_block.transpose(1, 0, 2), b.array).transpose(1, 0, 2)
    return DenseJacobian(result.reshape(a.shape[0], b.shape[1]))


def _block_dense(a: BlockDiagonalJacobian, b: Jacobian, out: Out) -> Jacobian:
    by_block = b.to_dense().reshape(a.blocks, -1, b.shape[1])
    memory = _shaped(out, a.blocks, a.block[0], b.shape[1])
    result = np.matmul(a.array, by_block, out=memory)
    return DenseJacobian(result.reshape(a.shape[0], b.shape[1]))


def _block_block(a: BlockDiagonalJacobian, b: BlockDiagonalJacobian, out: Out) -> Jacobian:
    if a.blocks != b.blocks:
        return _sparse_sparse(a, b, out)
    own = () if a.array.ndim == b.array.ndim == 2 else (a.blocks,)
    memory = _shaped(out, *own, a.block[0], b.block[1])
    return BlockDiagonalJacobian(np.matmul(a.array, b.array, out=memory), a.blocks)


def _diagonal_block(a: DiagonalJacobian, b: BlockDiagonalJacobian, out: Out) -> Jacobian:
    scale = a.diagonal.reshape(b.blocks, -1, 1)
    memory = _shaped(out, b.blocks, *b.block)
    return BlockDiagonalJacobian(np.multiply(scale, b.array, out=memory), b.blocks)


def _block_diagonal(a: BlockDiagonalJacobian, b: DiagonalJacobian, out: Out) -> Jacobian:
    scale = b.diagonal.reshape(a.blocks, 1, -1)
    memory = _shaped(out, a.blocks, *a.block)
    return BlockDiagonalJacobian(np.multiply(a.array, scale, out=memory), a.blocks)


def _selection_selection(a: SelectionJacobian, b: SelectionJacobian, _out: Out) -> Jacobian:
    return SelectionJacobian.of(b.chosen[a.chosen], b.shape[1], a.dtype)


def _selection_dense(a: SelectionJacobian, b: Jacobian, _out: Out) -> Jacobian:
    return DenseJacobian(b.to_dense()[a.chosen])


def _dense_selection(a: Jacobian, b: SelectionJacobian, _out: Out) -> Jacobian:
    """Columns that select the same are added up, without a multiplication."""
    result = np.zeros((a.shape[0], b.shape[1]), a.dtype)
    order = np.argsort(b.chosen, kind="stable")
    columns, starts = np.unique(b.chosen[order], return_index=True)
    result[:, columns] = np.add.reduceat(a.to_dense()[:, order], starts, axis=1)
    return DenseJacobian(result)


def _sparse_dense(a: StructuredJacobian, b: Jacobian, _out: Out) -> Jacobian:
    return DenseJacobian(a.compressed @ b.to_dense())


def _dense_sparse(a: Jacobian, b: StructuredJacobian, _out: Out) -> Jacobian:
    rows = a.to_dense()
    if len(rows) == 1:
        return DenseJacobian((b.transposed @ rows[0])[None])
    return DenseJacobian((b.transposed @ rows.T).T)


def _sparse_sparse(a: StructuredJacobian, b: StructuredJacobian, _out: Out) -> Jacobian:
    patterns = pattern_of(a.structure), pattern_of(b.structure)
    values = product_values(a.compressed, b.compressed, patterns)
    return SparseJacobian(pattern_product(*patterns), values)


RULES: dict[tuple[str, str], Rule] = {
    **{(a, b): _sparse_sparse for a in KINDS for b in KINDS},
    **{("dense", kind): _dense_sparse for kind in KINDS},
    **{(kind, "dense"): _sparse_dense for kind in KINDS},
    ("dense", "dense"): _dense_dense,
    ("dense", "diagonal"): _dense_diagonal,
    ("diagonal", "dense"): _diagonal_dense,
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
    **{("identity", kind): _right for kind in KINDS},
    **{(kind, "identity"): _left for kind in KINDS},
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
