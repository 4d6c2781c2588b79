"""The cells that all harnesses measure, as they are written down."""

from pathlib import Path

from jacchain.claims.registry import chosen
from jacchain.experiments.cell import chain_cell
from jacchain.experiments.sizes import Sizes
from jacchain.harnesses.grids_file import as_text, asv_cells, shared_grids

ROOT = Path(__file__).resolve().parents[2]


def test_the_file_holds_what_the_experiments_say():
    assert (ROOT / "benchmarks/grids.json").read_text() == as_text(), "run `make grids`"


def test_every_cell_is_one_of_quick():
    quick = {cell.name for claim in chosen() for cell in claim.cells(Sizes("quick"))}
    sweeps = shared_grids()["sweeps"].values()
    assert {chain_cell(tuple(dims)).name for grid in sweeps for _, dims in grid["cells"]} <= quick


def test_no_class_has_more_than_sixty_combinations():
    for grid in shared_grids()["sweeps"].values():
        assert 3 <= len(grid["cells"]) <= 30  # times two orders


def test_asv_finds_the_dims_of_a_parameter_again():
    cells = asv_cells()
    assert cells["evaluation.OverDepth.time_evaluate", "12"][1] == 12
    assert cells["evaluation.OverZ2.time_evaluate", "11"] == ("z2", 2048, (1, 256, 2048, 256, 256))
    assert len({(name, size) for name, size, _ in cells.values()}) == len(cells)
