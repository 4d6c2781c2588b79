"""C3: `x` is in one term of loss-first and in every term of input-first."""

from jacchain.experiments.grids import input_grid
from jacchain.experiments.sweep_parts import sweep_experiment

EXPERIMENT = sweep_experiment(
    "C3",
    "Growth with |x|",
    "|x| is in one term of loss-first and in every term of input-first: the costs grow by |z1| "
    "and by |z2||z1| + |z3||z2| + |z3| for each element of x.",
    exactly="For each element of x, the multiplications of loss-first grow by |z1|, and those of "
    "input-first by |z2||z1| + |z3||z2| + |z3|, exactly.",
    over="|x|",
    grids=lambda sizes: [input_grid(sizes)],
    growth={"x": {"loss-first": "z1", "input-first": "z2 z1 + z3 z2 + z3"}},
    layers=3,
)
