"""Kinds of Jacobians, and how they are multiplied."""

from jacchain.jacobians.base import Jacobian
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
from jacchain.jacobians.structure import Structure

__all__ = [
    "BlockDiagonalJacobian",
    "DenseJacobian",
    "DiagonalJacobian",
    "IdentityJacobian",
    "Jacobian",
    "KroneckerJacobian",
    "Pattern",
    "SelectionJacobian",
    "SparseJacobian",
    "Structure",
    "multiply",
]
