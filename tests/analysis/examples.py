"""Makers of evidence whose truth is known."""

import numpy as np

from jacchain.analysis.evidence import BOTH, Evidence, Series
from jacchain.analysis.slopes import Sweep
from jacchain.chains.planners import plan

DIMS = (1, 2, 3, 4, 5)


def make_series(seconds, *, dims=DIMS, name="loss-first", **facts):
    """A series with these seconds, shape (processes, blocks, 2): by default an arm of a chain."""
    seconds = np.array(seconds, dtype=float)
    defaults = {
        "cell": f"chain {'x'.join(map(str, dims))}",
        "role": "chain",
        "group": "",
        "cost": plan(dims, name if name in BOTH else BOTH[0]).cost,
        "flagged": np.zeros(seconds.shape, dtype=bool),
    }
    return Series(**defaults | facts, dims=dims, name=name, seconds=seconds)


def make_pair(first, second, *, names=BOTH, **facts):
    """Both arms of a cell, each with its seconds."""
    arms = zip(names, (first, second), strict=True)
    return tuple(make_series(seconds, name=name, **facts) for name, seconds in arms)


def make_evidence(*cells, **facts):
    """Evidence of cells, each of one or two series; `facts` as of `Evidence`."""
    return Evidence({arms[0].cell: tuple(arms) for arms in cells}, **facts)


def make_sweep(sizes, times, *, multiplications=None, noise=0.0, processes=12, law="n"):
    """A sweep with these true times, each process off by a random part of `noise`."""
    sizes, times = np.asarray(sizes, dtype=float), np.asarray(times, dtype=float)
    off = np.random.default_rng(0).normal(0, noise, (processes, len(sizes)))
    return Sweep(
        variable="|x|",
        order="loss-first",
        sizes=sizes,
        multiplications=sizes if multiplications is None else np.asarray(multiplications),
        products=np.full(len(sizes), 3.0),
        working_set=8 * sizes,
        log_times=np.log(times) + off,
        law=law,
    )
