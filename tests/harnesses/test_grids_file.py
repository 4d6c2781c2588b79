"""The cells that all harnesses measure, as they are written down."""

from pathlib import Path

import pytest

from jacchain.claims.registry import chosen
from jacchain.experiments.cell import chain_cell
from jacchain.experiments.sizes import Sizes
from jacchain.harnesses.grids_file import as_text, asv_cells, cell_facts, shared_grids

ROOT = Path(__file__).resolve().parents[2]


def test_the_file_holds_what_the_experiments_say():
    assert (ROOT / "benchmarks/grids.json").read_text() == as_text(), "run `make grids`"


def test_every_cell_is_measured_in_the_quick_profile():
    quick = {cell.name for experiment in chosen() for cell in experiment.cells(Sizes())}
    cells = [dims for grid in shared_grids()["sweeps"].values() for _, dims in grid["cells"]]
    assert {chain_cell(tuple(dims)).name for dims in cells} <= quick


def test_no_class_has_more_than_sixty_combinations():
    for grid in shared_grids()["sweeps"].values():
        assert 3 <= len(grid["cells"]) <= 30  # times two orders


def test_asv_finds_the_dims_of_a_parameter_again():
    cells = asv_cells()
    assert cells["evaluation.OverDepth.time_evaluate", "12"][1] == 12
    assert cells["evaluation.OverZ2.time_evaluate", "11"] == ("z2", 2048, (1, 256, 2048, 256, 256))
    assert len({(name, size) for name, size, _ in cells.values()}) == len(cells)


def test_the_facts_of_a_cell_can_be_worked_out_by_hand():
    facts = cell_facts((1, 4, 3, 2), "input-first")
    assert (facts["arm"], facts["products"]) == ("B", 2)
    assert facts["multiplications"] == 4 * 3 * 2 + 4 * 2
    with pytest.raises(ValueError, match=r"unknown order 'sideways'; .*'input-first', 'loss-fir"):
        cell_facts((1, 4, 3, 2), "sideways")
