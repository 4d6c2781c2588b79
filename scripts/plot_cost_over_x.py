"""Draw measured time over |x|, in both orders, beside the article's formula.

    python scripts/plot_cost_over_x.py --source asv --results results/asv --out cost_over_x.png

`--results` is the folder of a run (`--source own`), the results folder of asv (`asv`), or a file
of pytest-benchmark (`pytest`). Points are medians with quartiles. Lines are the formula,
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


def chains_over_x(table):
    """Return dims of the longest sweep: measured chains that differ in |x|, their last size."""
    sweeps = defaultdict(list)
    for dims in sorted(set(table["dims"])):
        sweeps[dims[:-1]].append(dims)
    return max(sweeps.values(), key=len)


def formula(chains, order, seconds):
    """Return the seconds of each chain by the formula, fitted with least relative residuals."""
    plans = [jc.plan(dims, order) for dims in chains]
    work = np.array([[plan.cost.products, plan.multiplications] for plan in plans], dtype=float)
    coefficients, _ = nnls(work / seconds[:, None], np.ones(len(seconds)))
    return work @ coefficients


def draw(table):
    """Return the figure of a table of results, as `jacchain.read_results` arranges them."""
    figure, axes = plt.subplots(figsize=(6.4, 4.4), layout="constrained")
    chains = chains_over_x(table)
    for colour, (order, marker) in enumerate(MARKERS.items()):
        samples = table[table["order"] == order].set_index("dims")["seconds"]
        measured = [dims for dims in chains if dims in samples.index]
        x = [dims[-1] for dims in measured]
        low, middle, high = np.quantile([samples[dims] for dims in measured], [0.25, 0.5, 0.75], 1)
        style = {"color": f"C{colour}", "label": order, "fmt": marker}
        axes.errorbar(x, middle, (middle - low, high - middle), **style)
        label = f"formula, {order}"
        axes.plot(x, formula(measured, order, middle), f"C{colour}-", lw=1, label=label)
    axes.set(xscale="log", yscale="log", xlabel="|x| (elements)")
    axes.set(ylabel="time per evaluation (s)", title=f"dims {chains[0][:-1]} and |x|")
    axes.legend()
    return figure


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--source", choices=("own", "asv", "pytest"), default="own")
    parser.add_argument("--results", default="results/local")
    parser.add_argument("--out", default="cost_over_x.png")
    options = parser.parse_args()
    draw(read_source(options.source, options.results)).savefig(options.out, dpi=150)
