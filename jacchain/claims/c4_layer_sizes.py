"""C4: the costs over each `|z_i|`, over all of them together, and over depth."""

from jacchain.experiments.grids import Grid, all_layers_grid, depth_grid, layer_grids
from jacchain.experiments.sizes import Sizes
from jacchain.experiments.sweep_parts import sweep_experiment


def grids(sizes: Sizes) -> tuple[Grid, ...]:
    """Return the sweeps of this claim."""
    return (*layer_grids(sizes), all_layers_grid(sizes), depth_grid(sizes))


EXPERIMENT = sweep_experiment(
    "C4",
    "Growth with |z_i| and depth",
    "The costs over each |z_i|, over all of them together and over depth grow as the formulas say.",
    exactly="Multiplications grow over each |z_i|, over all together and over depth exactly as the "
    "formulas say.",
    over="each |z_i|, all of them together, and depth",
    grids=grids,
    growth={
        "z1": {"loss-first": "z2 + x", "input-first": "z2 x"},
        "z2": {"loss-first": "z3 + z1", "input-first": "z1 x + z3 x"},
        "z3": {"loss-first": "z2", "input-first": "z2 x + x"},
        "all_z": {"loss-first": "2", "input-first": "2 x"},
        "depth": {"loss-first": "z z", "input-first": "z z x"},
    },
    layers=4,
)
