"""What one line of ``records.jsonl`` may be: a session, a cell, a block of samples or a check.

Times are in seconds per call, sizes in bytes, dims as in a chain, loss first. The schema has a
version: any change of a field is a new one, so that old and new records are never read alike.
"""

from dataclasses import dataclass, fields
from typing import Annotated, ClassVar, Final, Literal

from pydantic import ConfigDict, Field

from jacchain.records.values import (
    Bracketing,
    Count,
    CountedDims,
    Environment,
    Executed,
    NonNegative,
    Object,
    Positive,
    Seconds,
    Sizes,
    check_chain,
)

SCHEMA: Final = 1

Key = tuple[str | int, ...]
Role = Literal["cell", "control", "ceiling", "cause", "overhead", "comparison"]
Regime = Literal["L2", "LLC", "memory", "between", "unknown"]

STRICT = ConfigDict(extra="forbid", strict=True)


@dataclass(frozen=True, kw_only=True)
class Identity:
    """What must be equal for two records to be comparable.

    Attributes
    ----------
    machine : str
        Fingerprint of the machine, without its host name.
    numpy, blas, jacchain : str
        Names and versions of what was measured with.
    dtype : str
        Element type of the factors.
    threads : int
        BLAS threads.
    """

    __pydantic_config__ = STRICT

    machine: str
    numpy: str
    blas: str
    jacchain: str
    dtype: str
    threads: Positive

    def differences(self, expected: "Identity") -> list[str]:
        """Say each field in which this identity is not the expected one, with both values."""
        pairs = [(f.name, getattr(self, f.name), getattr(expected, f.name)) for f in fields(self)]
        return [
            f"{name} {here!r} instead of {there!r}" for name, here, there in pairs if here != there
        ]


@dataclass(frozen=True, kw_only=True)
class SessionRecord:
    """One start of a run: when (ISO 8601), what it set out to measure, and in which environment.

    It names the claims, or none where it measures one chain of the user's own.
    """

    __pydantic_config__ = STRICT

    kind: Literal["session"] = "session"
    schema: Literal[1] = SCHEMA
    identity: Identity
    started: str
    profile: str
    claims: tuple[str, ...]
    seed: Count
    environment: Environment

    key: ClassVar[None] = None  # a run may start any number of times: none repeats another

    def __post_init__(self) -> None:
        """Check that a run of one chain names no claims: it has none of their cells."""
        if self.profile == "chain" and self.claims:
            msg = f"the claims of profile 'chain' are {self.claims}; expected none"
            raise ValueError(msg)


@dataclass(frozen=True, kw_only=True)
class Arm:
    """One of the (at most two) things that a cell measures against each other.

    Attributes
    ----------
    order : str
        Name of the order of multiplication, or of whatever else is timed.
    bracketing : nested pairs of int, or None
        The order itself, 0 the loss; None where nothing is bracketed.
    products : int
        Matrix products per call.
    multiplications, flops : int
        Scalar multiplications and floating-point operations per call.
    bytes : int
        Operands read once and results written once, per call.
    peak_elements : int
        Largest total of live intermediates, in elements.
    working_set : int
        Bytes touched by one call.
    regime : str
        The cache that the working set fits in by the nominal sizes of the caches; claims are
        judged by regimes that take the last level's measured share instead.
    row_flops, matrix_flops : int
        The flops of row times matrix and of matrix times matrix.
    counted : int or None
        Multiplications really executed, at `counted_dims`; None where not counted.
    counted_dims : tuple of int or None
        Dims of the counted run, smaller than the cell's where counting would take too long; None
        where not counted.
    batch : int
        Calls per sample.
    """

    __pydantic_config__ = STRICT

    order: str
    bracketing: Bracketing | None
    products: Count
    multiplications: Count
    flops: Count
    bytes: Positive
    peak_elements: Count
    working_set: Positive
    regime: Regime
    row_flops: Count
    matrix_flops: Count
    counted: Executed | None
    counted_dims: CountedDims | None
    batch: Positive

    def __post_init__(self) -> None:
        """Check that what belongs together agrees: a count with its dims, and the flops."""
        if (self.counted is None) != (self.counted_dims is None):
            msg = f"counted is {self.counted}, counted_dims {self.counted_dims}; give both or none"
            raise ValueError(msg)
        if not 2 * self.multiplications == self.flops == self.row_flops + self.matrix_flops:
            msg = (
                f"flops are {self.flops}; expected twice the {self.multiplications} multiplications"
                f", and the sum of row_flops {self.row_flops} and matrix_flops {self.matrix_flops}"
            )
            raise ValueError(msg)


@dataclass(frozen=True, kw_only=True)
class CellRecord:
    """The static facts of one cell, written at its first visit.

    Attributes
    ----------
    cell : str
        Its unique name.
    role : str
        A cell of the grid, an A/A control, a ceiling of the machine, the removal of a suspected
        cause, the overhead of a call, or a comparison of two ways of doing other work.
    engine : str
        Name of the engine that carries the products out.
    dims : tuple of int
        Dims of the chain, loss first and beginning with 1; of a ceiling, the shape of its matrix;
        of a comparison, the dims of the network at work.
    arms : tuple of Arm
        A, or A and B: of a control both of one order, of other pairs of different ones.
    error, error_bound : float or None
        Largest absolute difference between the elements of the arms' results, and the most of it
        that rounding explains; both in the unit of the results, not relative to them.
    predicted_seconds, predicted_bytes : float, int
        The prediction by which the cell was admitted or skipped.
    skipped : str or None
        Why the cell was not measured; None where it was.
    """

    __pydantic_config__ = STRICT

    kind: Literal["cell"] = "cell"
    schema: Literal[1] = SCHEMA
    identity: Identity
    cell: str
    role: Role
    engine: str
    dims: Annotated[Sizes, Field(min_length=2)]
    arms: Annotated[tuple[Arm, ...], Field(min_length=1, max_length=2)]
    error: NonNegative | None
    error_bound: NonNegative | None
    predicted_seconds: NonNegative
    predicted_bytes: Count
    skipped: str | None

    def __post_init__(self) -> None:
        """Check what depends on the role: the dims, the orders, and that there is work to time."""
        if self.role != "ceiling":
            check_chain(self.dims)
        orders = tuple(arm.order for arm in self.arms)
        if self.role == "control" and (len(orders) < 2 or orders[0] != orders[1]):
            msg = f"the orders of a control are {orders}; expected one order twice"
            raise ValueError(msg)
        if self.role in {"cell", "cause", "comparison"} and len(set(orders)) < len(orders):
            msg = f"the orders of a {self.role} are {orders}; expected different ones"
            raise ValueError(msg)
        copies = (self.role, self.engine) == ("ceiling", "copy")
        if not copies and not all(arm.products and arm.multiplications for arm in self.arms):
            work = [(arm.products, arm.multiplications) for arm in self.arms]
            msg = f"(products, multiplications) are {work}; only of a copy may they be 0"
            raise ValueError(msg)

    @property
    def key(self) -> Key:
        """The cell's name."""
        return (self.kind, self.cell)


@dataclass(frozen=True, kw_only=True)
class BlockRecord:
    """The samples of one visit to a cell.

    Attributes
    ----------
    cell : str
        Name of the cell.
    process, round : int
        Which worker process took the block, in which of its rounds.
    sequence : str
        The arms in the order in which they ran: "ABBA", "BAAB" or "AA".
    seconds, cpu_seconds : tuple of float
        Wall and CPU seconds per call, one for each letter of `sequence`.
    switches : int
        Involuntary context switches in the block.
    steal : float or None
        Seconds in the block that the hypervisor gave to others; None where unknown.
    flagged : bool
        Whether something disturbed the block.
    """

    __pydantic_config__ = STRICT

    kind: Literal["block"] = "block"
    schema: Literal[1] = SCHEMA
    identity: Identity
    cell: str
    process: Count
    round: Count
    sequence: Literal["AA", "ABBA", "BAAB"]
    seconds: tuple[Seconds, ...]
    cpu_seconds: tuple[NonNegative, ...]
    switches: Count
    steal: NonNegative | None
    flagged: bool

    def __post_init__(self) -> None:
        """Check that there is one time for each letter of the sequence."""
        lengths = len(self.sequence), len(self.seconds), len(self.cpu_seconds)
        if len(set(lengths)) > 1:
            msg = "sequence, seconds and cpu_seconds have {}, {} and {} entries, not equally many"
            raise ValueError(msg.format(*lengths))

    @property
    def key(self) -> Key:
        """The cell's name, the process and the round."""
        return (self.kind, self.cell, self.process, self.round)


@dataclass(frozen=True, kw_only=True)
class CheckRecord:
    """An untimed check by its unique name, with the values that it found."""

    __pydantic_config__ = STRICT

    kind: Literal["check"] = "check"
    schema: Literal[1] = SCHEMA
    identity: Identity
    check: str
    values: Object

    @property
    def key(self) -> Key:
        """The check's name."""
        return (self.kind, self.check)


Record = SessionRecord | CellRecord | BlockRecord | CheckRecord
