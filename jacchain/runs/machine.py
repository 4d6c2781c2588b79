"""Machines as data: the file that describes a simulated machine, and the time that it takes.

A file says how long each piece of work takes without noise, and which noise comes on top. The page
"Simulated machines" of the documentation lists every field.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cache
from importlib.resources import files
from math import log
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import AfterValidator, Field, TypeAdapter, ValidationError

from jacchain.analysis.evidence import Dims, Series
from jacchain.analysis.verdicts import Judgement
from jacchain.chains.registry import Registry
from jacchain.claims.registry import chosen, experiments
from jacchain.cost import Cost
from jacchain.experiments.cell import Arm, Cell, unique
from jacchain.experiments.experiment import Experiment
from jacchain.experiments.sizes import PROFILES, Sampling, Sizes
from jacchain.records.codec import describe
from jacchain.records.schema import STRICT
from jacchain.records.values import NonNegative, Positive

TIMED = ("C3", "C4", "C5", "C7", "C8", "C10")
FOLDER: Any = files("jacchain.runs") / "machines"
ITEMSIZE = 8  # bytes of a float64
MOST_NORMAL = 0.2  # a normal factor that spreads more would fall below 0
REMEDY = "change that field, or copy a machine that 'jacchain simulate' lists"

Above = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Share = Annotated[float, Field(ge=0, le=1)]
Products = Literal["row", "matrix"]
Variable = Literal["x", "z1", "z2", "z3", "z", "depth"]


@dataclass(frozen=True, kw_only=True)
class Caches:
    """Bytes of a core's second-level and of the last-level cache."""

    __pydantic_config__ = STRICT

    l2: Positive
    llc: Positive


@dataclass(frozen=True, kw_only=True)
class Growth:
    """Growth over a size that the formula does not have.

    The time per multiplication is multiplied by ``(size / scale) ** (exponent - 1)``, or, if the
    form is "n log n", by ``log(size) / log(scale)``. `arm` and `products` select the arms, and the
    products of a row or of a matrix by a matrix, to which it applies: all if None.
    """

    __pydantic_config__ = STRICT

    variable: Variable
    exponent: NonNegative = 1.0
    scale: Annotated[float, Field(gt=1, allow_inf_nan=False)] = 64.0
    form: Literal["power", "n log n"] = "power"
    arm: str | None = None
    products: Products | None = None

    def factor(self, dims: Dims) -> float:
        """Return the factor on the time of a chain; 1 where it has no such size."""
        size = swept_size(self.variable, dims)
        if size is None:
            return 1.0
        if self.form == "n log n":
            return log(max(size, 2)) / log(self.scale)
        return float((size / self.scale) ** (self.exponent - 1))


@dataclass(frozen=True, kw_only=True)
class Cliff:
    """A rise of time where the working set leaves a cache of `at` bytes.

    The time of the work, calls apart, is multiplied by
    ``factor ** (1 / (1 + (at / working set) ** sharpness))``. `arm` and `products` select as in
    `Growth`.
    """

    __pydantic_config__ = STRICT

    at: Positive
    factor: Above
    sharpness: Above = 4.0
    arm: str | None = None
    products: Products | None = None

    def factor_at(self, working_set: int) -> float:
        """Return the factor on the time at a working set, in bytes."""
        return float(self.factor ** (1 / (1 + (self.at / working_set) ** self.sharpness)))


@dataclass(frozen=True, kw_only=True)
class ShapeEffects:
    """A log-normal factor on the time of each piece of work, of one shape and arm.

    `spread` is the standard deviation of its logarithm. It is drawn anew for "each run", or "once"
    for all runs.
    """

    __pydantic_config__ = STRICT

    spread: NonNegative
    drawn: Literal["each run", "once"] = "each run"


@dataclass(frozen=True, kw_only=True)
class Law:
    """Seconds that work takes without noise: those of its calls, multiplications and bytes."""

    __pydantic_config__ = STRICT

    call_seconds: NonNegative  #: of one product, whatever its size
    row_seconds: Above  #: of one multiplication in a product of a row by a matrix
    matrix_seconds: Above  #: of one multiplication in a product of two matrices
    byte_seconds: NonNegative = 0.0  #: of one byte read or written, on top
    growth: tuple[Growth, ...] = ()
    cliffs: tuple[Cliff, ...] = ()
    shape_effects: ShapeEffects | None = None

    def seconds(self, dims: Dims, arm: str, cost: Cost) -> float:
        """Return the seconds that an arm takes, shape effects apart.

        Examples
        --------
        >>> law = Law(call_seconds=1e-6, row_seconds=2e-10, matrix_seconds=1e-10)
        >>> cost = Cost(products=2, multiplications=20_000, row_multiplications=20_000, bytes=8)
        >>> round(law.seconds((1, 100, 100, 100), "loss-first", cost), 9)
        6e-06
        """
        rows = self.row_seconds * cost.row_multiplications
        matrices = self.matrix_seconds * (cost.multiplications - cost.row_multiplications)
        moved = self.byte_seconds
        if not cost.multiplications:  # a copy, as fast as a row meets a matrix that it reads once
            moved = moved or self.row_seconds / ITEMSIZE
        work = rows * self._growth(dims, arm, "row") * self._cliffs(cost, arm, "row")
        work += matrices * self._growth(dims, arm, "matrix") * self._cliffs(cost, arm, "matrix")
        work += moved * cost.bytes * self._cliffs(cost, arm, "row")
        return self.call_seconds * cost.products + work

    def _growth(self, dims: Dims, arm: str, products: Products) -> float:
        return _product(g.factor(dims) for g in self.growth if _applies(g, arm, products))

    def _cliffs(self, cost: Cost, arm: str, products: Products) -> float:
        cliffs = (c for c in self.cliffs if _applies(c, arm, products))
        return _product(cliff.factor_at(cost.working_set) for cliff in cliffs)


def _product(factors: Iterable[float]) -> float:
    return float(np.prod(list(factors)))


def _applies(effect: Growth | Cliff, arm: str, products: Products) -> bool:
    return effect.arm in {None, arm} and effect.products in {None, products}


def swept_size(variable: Variable, dims: Dims) -> int | None:
    """Return a size of a chain by its name in the article; None where it has no such size.

    `z` is the size of all layers where they have the same; `dims` of a ceiling are the two of a
    matrix, which is no chain.

    Examples
    --------
    >>> [swept_size(name, (1, 8, 8, 8, 64)) for name in ("x", "z2", "z", "depth")]
    [64, 8, 8, 3]
    >>> swept_size("z2", (1, 8, 8, 8)), swept_size("z", (1, 8, 4, 64))
    (None, None)
    """
    if len(dims) < 3:
        return None
    hidden = dims[1:-1]
    if variable == "x":
        return dims[-1]
    if variable == "depth":
        return len(hidden)
    if variable == "z":
        return hidden[0] if len(set(hidden)) == 1 else None
    return dict(zip(("z3", "z2", "z1"), hidden, strict=True))[variable] if len(dims) == 5 else None


@dataclass(frozen=True, kw_only=True)
class Spikes:
    """Samples that take longer by a factor of 1 + `size`: this share of them, at random."""

    __pydantic_config__ = STRICT

    share: Share
    size: NonNegative


@dataclass(frozen=True, kw_only=True)
class Noise:
    """A factor on the time of each sample, with median 1 unless it is one-sided.

    `correlation` is that of neighbouring samples in the order in which they are measured, before
    the family shapes them. `processes` is the standard deviation of the logarithm of one more
    factor, of each cell's arm in each process.
    """

    __pydantic_config__ = STRICT

    family: Literal["normal", "log-normal", "t2", "one-sided"]
    scale: NonNegative
    correlation: Annotated[float, Field(ge=0, lt=1)] = 0.0
    processes: NonNegative = 0.0
    spikes: Spikes | None = None


def _narrow(noise: Noise) -> Noise:
    if noise.family == "normal" and noise.scale > MOST_NORMAL:
        message = (
            f"scale is {noise.scale}; expected at most {MOST_NORMAL}, or factors would fall below "
            "0: take the family log-normal"
        )
        raise ValueError(message)
    return noise


@dataclass(frozen=True, kw_only=True)
class State:
    """A slow state: a factor on all times, during a share of the time, some seconds on end."""

    __pydantic_config__ = STRICT

    factor: Above
    share: Share
    seconds: Above  #: that it lasts on average


def _whole(states: tuple[State, ...]) -> tuple[State, ...]:
    if (total := sum(state.share for state in states)) > 1 + 1e-9:
        message = f"shares add up to {total:g}; expected at most 1, the rest is at factor 1"
        raise ValueError(message)
    return states


@dataclass(frozen=True, kw_only=True)
class JumpsBack:
    """A clock set back by some seconds during a sample, with this probability."""

    __pydantic_config__ = STRICT

    probability: Share
    seconds: Above


@dataclass(frozen=True, kw_only=True)
class Clock:
    """A clock that reads multiples of its resolution, in seconds, and may jump back."""

    __pydantic_config__ = STRICT

    #: A sample of 10 ms must read more than 0
    resolution: Annotated[float, Field(ge=0, le=0.02, allow_inf_nan=False)] = 0.0
    jumps_back: JumpsBack | None = None


@dataclass(frozen=True, kw_only=True)
class Wrong:
    """An arm that takes `factor` times as long as the law says.

    It is the arm of a cell, or an order of the chain of these dims. With `of`, the factor is on
    what the law says of that other arm of the same cell.
    """

    __pydantic_config__ = STRICT

    arm: str
    factor: Above
    cell: str | None = None
    dims: tuple[Positive, ...] | None = None
    of: str | None = None

    def concerns(self, cell: str, role: str, dims: Dims) -> bool:
        """Whether this is about the cell of this name, role and dims."""
        return cell == self.cell or (role == "chain" and dims == self.dims)


def _placed(wrong: Wrong) -> Wrong:
    if (wrong.cell is None) == (wrong.dims is None):
        message = f"cell is {wrong.cell} and dims are {wrong.dims}; expected one of the two"
        raise ValueError(message)
    return wrong


@dataclass(frozen=True, kw_only=True)
class Bound:
    """The lowest and highest share of runs that may have this verdict.

    It is on the verdicts on some claims, by default on all that are judged; with `statement`, on
    those of their statements that contain it.
    """

    __pydantic_config__ = STRICT

    verdict: Judgement
    low: Share = 0.0
    high: Share = 1.0
    claims: tuple[str, ...] = ()
    statement: str = ""


def _ordered(ends: tuple[Share, Share]) -> tuple[Share, Share]:
    if ends[0] > ends[1]:
        message = f"{list(ends)} begins above its end; expected the lower share first"
        raise ValueError(message)
    return ends


def _ordered_bound(bound: Bound) -> Bound:
    _ordered((bound.low, bound.high))
    return bound


@dataclass(frozen=True, kw_only=True)
class Machine:
    """A simulated machine: its law, its noise, and what verdicts are to make of it."""

    __pydantic_config__ = STRICT

    name: str
    says: str  #: what this machine is, in a sentence
    #: The rules of judging are tuned on machines of the first half only
    half: Literal["set", "held out"]
    caches: Caches
    law: Law
    noise: Annotated[Noise, AfterValidator(_narrow)]
    profile: str = "quick"
    states: Annotated[tuple[State, ...], AfterValidator(_whole)] = ()
    drift: Annotated[float, Field(gt=-0.1, le=10)] = 0.0  #: Rise of all times in a minute
    clock: Clock = Clock()
    wrong: tuple[Annotated[Wrong, AfterValidator(_placed)], ...] = ()
    claims: Annotated[tuple[str, ...], Field(min_length=1)] = TIMED
    bounds: tuple[Annotated[Bound, AfterValidator(_ordered_bound)], ...] = ()
    #: Bounds on the share of intervals that hold the truth, by what they are of
    coverage: Mapping[str, Annotated[tuple[Share, Share], AfterValidator(_ordered)]] = field(
        default_factory=dict, hash=False
    )

    @property
    def sampling(self) -> Sampling:
        """How often each cell is measured."""
        return PROFILES[self.profile]

    @property
    def sizes(self) -> Sizes:
        """Sizes of the cells, fitted to the caches."""
        return Sizes(self.sampling.scale, self.caches.l2, self.caches.llc, ITEMSIZE)

    @property
    def experiments(self) -> tuple[Experiment, ...]:
        """The experiments of the claims, and those measured beside them."""
        return chosen(self.claims)

    @property
    def cells(self) -> tuple[Cell, ...]:
        """Everything that a run visits, each once."""
        return unique(cell for e in self.experiments for cell in e.cells(self.sizes))


_MACHINE: TypeAdapter[Machine] = TypeAdapter(Machine)


def read_machine(path: Path) -> Machine:
    """Read the file of a machine.

    Raises ValueError, with the file, the value and a remedy, if it is no JSON, if it has an unknown
    field or one that can't be, or if it names a claim, a cell or an arm that does not exist.
    """
    return parse_machine(path.read_bytes(), path.name)


def parse_machine(text: bytes, source: str) -> Machine:
    """Read a machine as JSON; `source` says in errors where it stands. Raises as `read_machine`."""
    try:
        json.loads(text)
    except (ValueError, RecursionError) as error:
        message = f"{source}: not JSON: {error}; {REMEDY}"
        raise ValueError(message) from error
    try:
        machine = _MACHINE.validate_json(text)
    except ValidationError as error:
        message = f"{source}: {describe(error).removesuffix('.')}; {REMEDY}"
        raise ValueError(message) from error
    _check_names(machine, source)
    return machine


def _check_names(machine: Machine, source: str) -> None:
    """Raise ValueError if the machine names a profile, claim, cell or arm that does not exist."""
    _refuse_unknown(f"{source}: profile", machine.profile, PROFILES.entries)
    judged = [claim for claim, e in experiments().entries.items() if e.judge]
    for claim in machine.claims:
        _refuse_unknown(f"{source}: claims", claim, judged)
    for bound in machine.bounds:
        for claim in bound.claims:
            _refuse_unknown(f"{source}: bounds.claims", claim, machine.claims)
    for wrong in machine.wrong:
        _check_wrong(wrong, machine.cells, f"{source}: wrong")
    effects: tuple[Growth | Cliff, ...] = (*machine.law.growth, *machine.law.cliffs)
    for name in {effect.arm for effect in effects if effect.arm is not None}:
        arms = (arm for cell in machine.cells for arm, _ in work(cell))
        if name not in arms:  # stops at the first, before large networks are made
            _refuse_unknown(
                f"{source}: arm", name, [arm for c in machine.cells for arm, _ in work(c)]
            )


def _check_wrong(wrong: Wrong, cells: tuple[Cell, ...], place: str) -> None:
    if wrong.cell is not None:
        _refuse_unknown(f"{place}.cell", wrong.cell, (cell.name for cell in cells))
    if wrong.dims is not None:
        chains = (_joined(cell.dims) for cell in cells if cell.role == "chain")
        _refuse_unknown(f"{place}.dims", _joined(wrong.dims), chains)
    for cell in cells:
        if wrong.concerns(cell.name, cell.role, cell.dims):
            for arm in filter(None, (wrong.arm, wrong.of)):
                _refuse_unknown(f"{place}.arm", arm, (name for name, _ in work(cell)))


def _joined(dims: Dims) -> str:
    return "x".join(map(str, dims))


def _refuse_unknown(place: str, value: str, names: Iterable[str]) -> None:
    known = sorted(set(names))
    if value in known:
        return
    near = get_close_matches(value, known, n=3, cutoff=0.5) or known[:20]
    message = f"{place} is {value!r}, which does not exist; expected one such as {near}"
    raise ValueError(message)


@cache
def work(cell: Cell) -> tuple[tuple[str, Cost], ...]:
    """Return name and cost of each arm of a cell, whose kernels are not prepared."""
    arms: tuple[Arm, ...] = cell.arms(np.dtype("float64"), 0)
    return tuple((arm.name, arm.cost) for arm in arms)


def true_seconds(machine: Machine, arms: Sequence[Series]) -> tuple[float, ...]:
    """Return the seconds of both arms of a cell, without noise and shape effects."""
    works = {arm.name: machine.law.seconds(arm.dims, arm.name, arm.cost) for arm in arms}
    true = []
    for arm in arms:
        time = works[arm.name]
        for wrong in machine.wrong:
            if wrong.arm == arm.name and wrong.concerns(arm.cell, arm.role, arm.dims):
                time = wrong.factor * works[wrong.of or arm.name]
        true.append(time)
    return tuple(true)


@cache
def committed() -> Registry[Path]:
    """Return the files of the machines that come with this package, by their names."""
    names = sorted(entry.name for entry in FOLDER.iterdir() if entry.name.endswith(".json"))
    return Registry("machine", {name.removesuffix(".json"): FOLDER / name for name in names})


@cache
def committed_machine(name: str) -> Machine:
    """Return a machine that comes with this package; raises ValueError if the name is unknown.

    Examples
    --------
    >>> committed_machine("obeys-normal").half
    'set'
    """
    return read_machine(committed()[name])


def find_machine(name: str) -> Machine:
    """Read a machine from a file, or by the name of one that comes with this package."""
    path = Path(name)
    return read_machine(path) if path.suffix == ".json" else committed_machine(name)
