"""C2: input-first takes exactly `z2 z1 x + z3 z2 x + z3 x` multiplications."""

from jacchain.claims.count_claim import count_experiment

EXPERIMENT = count_experiment(
    "C2",
    "input-first",
    "Multiplications of input-first",
    "Multiplied from the input, the chain takes exactly the multiplications of the formula: "
    "|z2||z1||x| + |z3||z2||x| + |z3||x| for three layers.",
)
