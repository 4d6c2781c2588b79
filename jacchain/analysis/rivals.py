"""Rival growth laws and the formula's, compared by their error on sizes left out of the fit."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from jacchain.analysis.evidence import Array
from jacchain.analysis.intervals import estimate
from jacchain.analysis.slopes import SHAPE_EFFECT, STEP_SIZES, Sweep
from jacchain.analysis.verdicts import Part, timed
from jacchain.units import share

TIE = 0.01  # one percentage point of relative error
DRAWS = 200
UNSEEN_JUMP = 1.25  # of time at one size, that is not told from growth among few sizes

LAWS: dict[str, Callable[[Array], Array]] = {
    "n": lambda n: n,
    "n log n": lambda n: n * np.log2(n + 1),
    "n^1.5": lambda n: n**1.5,
    "n^2": lambda n: n**2,
    "n^2.5": lambda n: n**2.5,
    "n^3": lambda n: n**3,
}


def leave_one_out(growth: Array, times: Array, *, affine: bool) -> Array:
    """Mean of `|predicted / measured - 1|`, each time predicted from a law fitted to the others.

    `growth` and `times` are the law and the seconds at the n sizes, of shapes (..., n) that are
    broadcast against each other; the result is of shape (...). An `affine` law is `a + b growth`
    with a, b >= 0, else it is `b growth`, both by relative least squares.

    Examples
    --------
    >>> sizes = np.array([1.0, 2.0, 4.0, 8.0])
    >>> leave_one_out(sizes, 3 + 2 * sizes, affine=True).round(6).item()
    0.0
    >>> leave_one_out(sizes**2, 3 + 2 * sizes, affine=True).round(1).item()
    0.3
    """
    n = growth.shape[-1]
    others = 1.0 - np.eye(n)  # row i: every size but i
    u, v = 1 / times, growth / times  # the relative fit asks a u + b v = 1
    su, sv = u @ others, v @ others
    svv = (v * v) @ others
    slope_only = sv / svv
    if not affine:
        return np.asarray(np.abs(slope_only * v - 1).mean(axis=-1))
    suu, suv = (u * u) @ others, (u * v) @ others
    determinant = np.maximum(suu * svv - suv**2, 1e-12 * suu * svv)
    a = (su * svv - sv * suv) / determinant
    b = (sv * suu - su * suv) / determinant
    a, b = (
        np.where(a < 0, 0.0, np.where(b < 0, su / suu, a)),
        np.where(a < 0, slope_only, np.where(b < 0, 0.0, b)),
    )
    return np.asarray(np.abs(a * u + b * v - 1).mean(axis=-1))


def _own_error(part: Sweep, times: Array) -> Array:
    """Error of the formula's law: its multiplications, or any other affine law of its growth."""
    errors = [
        leave_one_out(growth / growth[0], times, affine=affine)
        for growth in (part.multiplications, LAWS[part.law](part.sizes))
        for affine in (False, True)
    ]
    return np.asarray(np.min(errors, axis=0))


def error_from(part: Sweep, spread: float) -> float:
    """Return what effects on time make of the error of the formula's law, a fraction.

    The mean over fixed draws of times that obey the formula but for a factor at each size, whose
    logarithm has the standard deviation `spread`.
    """
    if not np.isfinite(spread):
        return float("nan")
    draws = np.random.default_rng(0).normal(0, spread, (DRAWS, len(part.sizes)))
    return float(_own_error(part, part.multiplications * np.exp(draws)).mean())


def error_from_jump(part: Sweep) -> float:
    """Return what a jump of a quarter makes of the error of the formula's law, where none is seen.

    That is among fewer than six sizes; at the size where it makes the most of it. A fraction.
    """
    n = len(part.sizes)
    if n >= STEP_SIZES:
        return 0.0
    jumps = np.where(np.tri(n, k=-1, dtype=bool), UNSEEN_JUMP, 1.0)
    return float(_own_error(part, part.multiplications * jumps).max())


def rival_part(part: Sweep, noise_floor: float, label: str) -> Part:
    """Judge whether a rival law predicts left-out sizes better than the formula's.

    Better by a percentage point, and by what effects of shape make of the error. Rivals are the
    laws of another growth than the formula's, plain and affine. The best of them is chosen on all
    processes; its advantage is then followed from process to process. A step of the sweep is
    removed before; where too few sizes show none, it disagrees only beyond what one would make.
    """
    flat = part.without_step
    sizes = flat.sizes / flat.sizes[0]
    rivals = {
        (name, affine): float(leave_one_out(law(sizes), flat.times, affine=affine))
        for name, law in LAWS.items()
        for affine in (False, True)
        if name != part.law
    }
    (name, affine), rival = min(rivals.items(), key=lambda item: item[1])
    times = np.exp(flat.log_times)
    gains = _own_error(flat, times) - leave_one_out(LAWS[name](sizes), times, affine=affine)
    best_rival = f"best rival {'affine ' * affine}{name} predicts left-out sizes to {share(rival)}"
    judged = timed(
        label,
        estimate(100 * gains),
        0.0,
        (-np.inf, 100 * (TIE + error_from(flat, SHAPE_EFFECT))),
        unit="percentage points",
        widening=100 * error_from(flat, noise_floor),
        reason=f"{best_rival}, the formula to {share(float(_own_error(flat, flat.times)))}",
    )
    return replace(judged, shape_effect=100 * error_from_jump(flat))
