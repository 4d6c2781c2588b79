"""Draw measured time over each layer's size, and over all of them, beside the article's formula.

    python scripts/plot_cost_over_z.py --source asv --results results/asv --out cost_over_z.png

`--results` is the folder of a run (`--source own`), the results folder of asv (`asv`), or a file
of pytest-benchmark (`pytest`). Points are medians. Lines are the formula,
seconds = a * products + b * multiplications, with a and b fitted to the points of each order.
"""

import argparse
from collections import defaultdict

import matplotlib.pyplot as plt
import numpy as np
from scipy.optimize import nnls

import jacchain as jc
from jacchain.harnesses.readers import read_source

MARKERS = {"loss-first": "o", "input-first": "s"}
PLACES = {"|z_1|": [3], "|z_2|": [2], "|z_3|": [1], "|z_1| = |z_2| = |z_3|": [1, 2, 3]}


def chains_over(table, places):
    """Return dims, (1, |z3|, |z2|, |z1|, |x|), of the longest sweep over the size at `places`."""
    sweeps = defaultdict(list)
    for dims in sorted(set(table["dims"])):
        if len(dims) == 5 and len({dims[place] for place in places}) == 1:
            rest = tuple(size for place, size in enumerate(dims) if place not in places)
            sweeps[rest].append(dims)
    return max(sweeps.values(), key=len, default=[])


def formula(chains, order, seconds):
    """Return the seconds of each chain by the formula, fitted with least relative residuals."""
    plans = [jc.plan(dims, order) for dims in chains]
    work = np.array([[plan.cost.products, plan.multiplications] for plan in plans], dtype=float)
    coefficients, _ = nnls(work / seconds[:, None], np.ones(len(seconds)))
    return work @ coefficients


def draw(table):
    """Return the figure of a table of results, as `jacchain.read_results` arranges them."""
    figure, grid = plt.subplots(2, 2, figsize=(9, 7), sharey=True, layout="constrained")
    medians = {(row.dims, row.order): np.median(row.seconds) for row in table.itertuples()}
    for axes, (name, places) in zip(grid.flat, PLACES.items(), strict=True):
        chains = chains_over(table, places)
        for colour, (order, marker) in enumerate(MARKERS.items()):
            measured = [dims for dims in chains if (dims, order) in medians]
            sizes = [dims[places[0]] for dims in measured]
            seconds = np.array([medians[dims, order] for dims in measured])
            axes.plot(sizes, seconds, f"C{colour}{marker}", label=order)
            if measured:
                fitted = formula(measured, order, seconds)
                axes.plot(sizes, fitted, f"C{colour}-", lw=1, label=f"formula, {order}")
        axes.set(xscale="log", yscale="log", xlabel=f"{name} (elements)")
    figure.supylabel("time per evaluation (s)")
    grid[0, 0].legend()
    return figure


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--source", choices=("own", "asv", "pytest"), default="own")
    parser.add_argument("--results", default="results/local")
    parser.add_argument("--out", default="cost_over_z.png")
    options = parser.parse_args()
    draw(read_source(options.source, options.results)).savefig(options.out, dpi=150)
