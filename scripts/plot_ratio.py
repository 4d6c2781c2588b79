"""Draw the ratio input-first / loss-first of measured times against that of multiplications.

    python scripts/plot_ratio.py --source asv --results results/asv --out ratio.png

`--results` is the folder of a run (`--source own`), the results folder of asv (`asv`), or a file
of pytest-benchmark (`pytest`). Each chain has a point, its ratio of median times, and a ring, the
ratio by the formula seconds = a * products + b * multiplications, with a and b fitted to the times
of each order. On the dashed line time is as multiplications alone say.
"""

import argparse

import matplotlib.pyplot as plt
import numpy as np
from scipy.optimize import nnls

import jacchain as jc
from jacchain.harnesses.readers import read_source


def formula(chains, order, seconds):
    """Return the seconds of each chain by the formula, fitted with least relative residuals."""
    plans = [jc.plan(dims, order) for dims in chains]
    work = np.array([[plan.cost.products, plan.multiplications] for plan in plans], dtype=float)
    coefficients, _ = nnls(work / seconds[:, None], np.ones(len(seconds)))
    return work @ coefficients


def draw(table):
    """Return the figure of a table of results, as `jacchain.read_results` arranges them."""
    medians = table.assign(seconds=table["seconds"].map(np.median))
    times = medians.pivot_table(index="dims", columns="order", values="seconds").dropna()
    chains = list(times.index)
    work, fitted = (
        np.divide(*(by_order(order) for order in ("input-first", "loss-first")))
        for by_order in (
            lambda order: [jc.plan(dims, order).multiplications for dims in chains],
            lambda order: formula(chains, order, times[order].to_numpy()),
        )
    )
    figure, axes = plt.subplots(figsize=(6, 5), layout="constrained")
    axes.loglog(work, times["input-first"] / times["loss-first"], "C2D", label="measured")
    axes.loglog(work, fitted, "ko", fillstyle="none", label="formula, fitted to the times")
    axes.axline((1, 1), (10, 10), color="grey", ls="--", label="equal ratios")
    axes.set(xlabel="multiplications, input-first / loss-first (ratio)")
    axes.set(ylabel="time, input-first / loss-first (ratio)")
    axes.legend()
    return figure


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--source", choices=("own", "asv", "pytest"), default="own")
    parser.add_argument("--results", default="results/local")
    parser.add_argument("--out", default="ratio.png")
    options = parser.parse_args()
    draw(read_source(options.source, options.results)).savefig(options.out, dpi=150)
