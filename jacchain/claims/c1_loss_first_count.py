"""C1: loss-first takes exactly `z3 z2 + z2 z1 + z1 x` multiplications."""

from jacchain.claims.count_claim import count_experiment

EXPERIMENT = count_experiment(
    "C1",
    "loss-first",
    "Multiplications of loss-first",
    "Multiplied from the loss, the chain takes exactly the multiplications of the formula: "
    "|z3||z2| + |z2||z1| + |z1||x| for three layers.",
)
