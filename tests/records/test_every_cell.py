"""Cells of machines with all kinds of caches can be written and read, however deep a chain is."""

from itertools import chain

from jacchain.claims.registry import chosen
from jacchain.experiments.cell import unique
from jacchain.experiments.sizes import PROFILES, Sizes
from jacchain.records.codec import decode, encode
from tests.records.examples import record_of

KIB, MIB = 2**10, 2**20
CACHES = [
    *((256 * KIB, llc * MIB) for llc in (4, 6, 8, 16, 32)),
    *((512 * KIB, llc * MIB) for llc in (8, 16, 32, 128)),
    *((MIB, llc * MIB) for llc in (4, 8, 16, 32, 64, 512)),
    *((1280 * KIB, llc * MIB) for llc in (12, 24, 48)),
    *((2 * MIB, llc * MIB) for llc in (16, 36, 105, 260)),
    *((4 * MIB, llc * MIB) for llc in (12, 16, 64, 512)),
]


def cells(sizes, *claims):
    return unique(chain.from_iterable(experiment.cells(sizes) for experiment in chosen(claims)))


def assert_kept(cells):
    for cell in cells:
        assert decode(encode(record_of(cell))) == record_of(cell), cell.name


def test_chains_of_every_machine_are_kept():
    chains = unique(
        cell
        for caches in CACHES
        for name in ("quick", "standard", "full")
        for cell in cells(Sizes(PROFILES[name].scale, *caches), "C3", "C4", "C5")
        if cell.role == "chain"
    )
    assert max(len(cell.dims) for cell in chains) > 500
    assert_kept(chains)


def test_every_cell_of_one_machine_is_kept():
    default = cells(Sizes("quick", MIB, 32 * MIB))
    roles = {"chain", "comparison", "control", "cause", "ceiling", "overhead"}
    assert {cell.role for cell in default} == roles
    assert_kept(default)
