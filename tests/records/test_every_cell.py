"""Cells of machines with all kinds of caches can be written and read, however deep a chain is."""

from itertools import chain

import numpy as np

from jacchain.claims.registry import chosen
from jacchain.experiments.cell import unique
from jacchain.experiments.sizes import PROFILES, Sizes
from jacchain.records.codec import decode, encode
from jacchain.records.schema import ArmRecord, CellRecord

KIB, MIB = 2**10, 2**20
CACHES = [
    *((256 * KIB, llc * MIB) for llc in (4, 6, 8, 16, 32)),
    *((512 * KIB, llc * MIB) for llc in (8, 16, 32, 128)),
    *((MIB, llc * MIB) for llc in (4, 8, 16, 32, 64, 512)),
    *((1280 * KIB, llc * MIB) for llc in (12, 24, 48)),
    *((2 * MIB, llc * MIB) for llc in (16, 36, 105, 260)),
    *((4 * MIB, llc * MIB) for llc in (12, 16, 64, 512)),
]
PROFILE_NAMES = ("quick", "standard", "full")


def cells(sizes, *claims):
    """Cells of these claims, or of all that are measured by default."""
    return unique(chain.from_iterable(experiment.cells(sizes) for experiment in chosen(claims)))


def record(cell, identity):
    """The record of a cell without its measurement: nothing is allocated."""
    return CellRecord(
        identity=identity,
        cell=cell.name,
        role=cell.role,
        group=cell.group,
        dims=cell.dims,
        arms=tuple(
            ArmRecord(name=arm.name, cost=arm.cost, batch=1)
            for arm in cell.arms(np.dtype("float64"), 0)
        ),
        error=None,
        error_bound=None,
        predicted_seconds=0.5,
        predicted_bytes=1000,
        skipped=None,
    )


def assert_kept(cell, identity):
    written = record(cell, identity)
    assert decode(encode(written)) == written, cell.name


def test_chains_of_every_machine_are_kept(here):
    chains = unique(
        cell
        for caches in CACHES
        for name in PROFILE_NAMES
        for cell in cells(Sizes(PROFILES[name].scale, *caches), "C3", "C4", "C5")
        if cell.role == "chain"
    )
    assert max(len(cell.dims) for cell in chains) > 500
    for cell in chains:
        assert_kept(cell, here)


def test_every_cell_of_one_machine_is_kept(here):
    default = cells(Sizes("quick", MIB, 32 * MIB))
    roles = {"chain", "comparison", "control", "cause", "ceiling", "overhead"}
    assert {cell.role for cell in default} == roles
    for cell in default:
        assert_kept(cell, here)
