"""What one line of ``records.jsonl`` may be: a session, a cell, a block of samples or a check.

Times are in seconds per call, sizes in bytes, dims as in a chain, loss first. The schema has a
version: any change of a field is a new one, so that old and new records are never read alike.
"""

from dataclasses import dataclass, fields
from typing import Annotated, Any, ClassVar, Final, Literal

from pydantic import AfterValidator, ConfigDict, Field

SCHEMA: Final = 1

Key = tuple[str | int, ...]
Count = Annotated[int, Field(ge=0)]
Positive = Annotated[int, Field(ge=1)]
Seconds = Annotated[float, Field(gt=0, allow_inf_nan=False)]
NonNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Role = Literal["cell", "control", "ceiling", "cause", "overhead"]
Regime = Literal["L2", "LLC", "memory", "between", "unknown"]

STRICT = ConfigDict(extra="forbid", strict=True)


def _nested(value: Any) -> Any:
    """Turn nested lists of integers, as JSON has them, into nested tuples."""
    if isinstance(value, list | tuple):
        return tuple(_nested(item) for item in value)
    if type(value) is not int:
        msg = f"a bracketing nests integers, not {value!r}"
        raise ValueError(msg)
    return value


Bracketing = Annotated[Any, AfterValidator(_nested)]


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
    """One start of a run: when (ISO 8601), what it set out to measure, and in which environment."""

    __pydantic_config__ = STRICT

    kind: Literal["session"] = "session"
    schema: Literal[1] = SCHEMA
    identity: Identity
    started: str
    profile: str
    claims: tuple[str, ...]
    seed: int
    environment: dict[str, Any]

    key: ClassVar[None] = None  # a run may start any number of times: none repeats another


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
        The cache that the working set fits in.
    row_flops, matrix_flops : int
        The flops of row times matrix and of matrix times matrix.
    counted : int or None
        Multiplications really executed, at `counted_dims`; None where not counted.
    counted_dims : tuple of int or None
        Dims of the counted run, smaller than the cell's where counting would take too long.
    batch : int
        Calls per sample.
    """

    __pydantic_config__ = STRICT

    order: str
    bracketing: Bracketing | None
    products: Count
    multiplications: Count
    flops: Count
    bytes: Count
    peak_elements: Count
    working_set: Count
    regime: Regime
    row_flops: Count
    matrix_flops: Count
    counted: Count | None
    counted_dims: tuple[Count, ...] | None
    batch: Positive


@dataclass(frozen=True, kw_only=True)
class CellRecord:
    """The static facts of one cell, written at its first visit.

    Attributes
    ----------
    cell : str
        Its unique name.
    role : str
        A cell of the grid, an A/A control, a ceiling of the machine, the removal of a suspected
        cause, or the overhead of a call.
    engine : str
        Name of the engine that carries the products out.
    dims : tuple of int
        Dims of the chain, loss first.
    arms : tuple of Arm
        A, or A and B.
    error, error_bound : float or None
        Relative difference between the arms' results, and the most that rounding explains.
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
    dims: tuple[Count, ...]
    arms: Annotated[tuple[Arm, ...], Field(min_length=1, max_length=2)]
    error: NonNegative | None
    error_bound: NonNegative | None
    predicted_seconds: NonNegative
    predicted_bytes: Count
    skipped: str | None

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
    sequence: Annotated[str, Field(pattern="^[AB]+$")]
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
    values: dict[str, Any]

    @property
    def key(self) -> Key:
        """The check's name."""
        return (self.kind, self.check)


Record = SessionRecord | CellRecord | BlockRecord | CheckRecord
