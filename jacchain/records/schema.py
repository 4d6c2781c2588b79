"""What one line of ``records.jsonl`` may be: a session, a cell, a block of samples or a check.

Times are in seconds per call, sizes in bytes, dims as in a chain, loss first. The schema has a
version: any change of a field is a new one, so that old and new records are never read alike.
"""

from dataclasses import dataclass, fields
from typing import Annotated, ClassVar, Final, Literal

from pydantic import ConfigDict, Field

from jacchain.records.values import (
    Count,
    Dims,
    Environment,
    Executed,
    NonNegative,
    Object,
    Positive,
    Seconds,
    WorkCost,
)

SCHEMA: Final = 2

Key = tuple[str | int, ...]
Role = Literal["chain", "comparison", "control", "cause", "ceiling", "overhead"]

STRICT = ConfigDict(extra="forbid", strict=True)


@dataclass(frozen=True, kw_only=True)
class Identity:
    """What must be equal for two records to be comparable."""

    __pydantic_config__ = STRICT

    machine: str  #: Fingerprint of the machine, without its host name
    #: Names and versions of what was measured with
    numpy: str
    blas: str
    jacchain: str
    dtype: str  #: Element type of the factors
    threads: Positive  #: BLAS threads

    def differences(self, expected: "Identity") -> list[str]:
        """Say each field in which this identity is not the expected one, with both values."""
        pairs = [(f.name, getattr(self, f.name), getattr(expected, f.name)) for f in fields(self)]
        return [
            f"{name} {here!r} instead of {there!r}" for name, here, there in pairs if here != there
        ]


@dataclass(frozen=True, kw_only=True)
class _Line:
    """What every record has."""

    __pydantic_config__ = STRICT

    kind: str
    schema: Literal[2] = SCHEMA
    identity: Identity

    unique: ClassVar[tuple[str, ...]] = ()  # fields that no two of a kind share, if there are any

    @property
    def key(self) -> Key | None:
        """The kind and the unique fields, by which a run knows what it has; None without any."""
        return (self.kind, *(getattr(self, name) for name in self.unique)) if self.unique else None


@dataclass(frozen=True, kw_only=True)
class SessionRecord(_Line):
    """One start of a run: there may be any number of them, and none repeats another."""

    kind: Literal["session"] = "session"
    started: str  #: When, in ISO 8601
    profile: str  #: name of the sampling and the sizes
    #: Names of the claims and studies that it set out to measure
    claims: Annotated[tuple[str, ...], Field(min_length=1)]
    seed: Count
    environment: Environment  #: Machine and software


@dataclass(frozen=True, kw_only=True)
class ArmRecord:
    """One of the (at most two) things that a cell measures against each other."""

    __pydantic_config__ = STRICT

    name: str  #: name of the order of multiplication, or of whatever else is timed
    cost: WorkCost  #: what one call takes
    #: Multiplications really executed, at `counted_dims`; None where not counted
    counted: Executed | None = None
    #: Dims of the counted run, smaller than the cell's where counting would take too long
    counted_dims: Dims | None = None
    batch: Positive  #: calls per sample

    def __post_init__(self) -> None:
        """Check that a count and its dims go together."""
        if (self.counted is None) != (self.counted_dims is None):
            counted = f"counted is {self.counted}, counted_dims {self.counted_dims}"
            message = f"{counted}; give both or none"
            raise ValueError(message)


@dataclass(frozen=True, kw_only=True)
class CellRecord(_Line):
    """The static facts of one cell, written at its first visit."""

    kind: Literal["cell"] = "cell"
    unique: ClassVar = ("cell",)
    cell: str  #: its unique name
    #: Both orders of a chain, a comparison of two ways of other work, an A/A control, the removal
    #: of a suspected cause, a ceiling of the machine, or the overhead of a call
    role: Role
    group: str  #: Cells of one group are visited one after the other, and compared with each other
    #: Dims of the chain or network at work, loss first; of a ceiling, the shape of its matrix
    dims: Dims
    #: A, or A and B: of a control one name twice, of other pairs different ones
    arms: Annotated[tuple[ArmRecord, ...], Field(min_length=1, max_length=2)]
    #: Largest absolute difference between the elements of the arms' results, and the most of it
    #: that rounding explains; both in the unit of the results, not relative to them
    error: NonNegative | None
    error_bound: NonNegative | None
    #: The prediction by which the cell was admitted or skipped
    predicted_seconds: NonNegative
    predicted_bytes: Count
    skipped: str | None  #: Why the cell was not measured; None where it was

    def __post_init__(self) -> None:
        """Check the names of a pair, and that there is work to time."""
        names = tuple(arm.name for arm in self.arms)
        if self.role == "control" and (len(names) < 2 or names[0] != names[1]):
            message = f"the arms of a control are {names}; expected one name twice"
            raise ValueError(message)
        if self.role != "control" and len(set(names)) < len(names):
            message = f"the arms of a {self.role} are {names}; expected different ones"
            raise ValueError(message)
        if self.role != "ceiling" and not all(
            arm.cost.products and arm.cost.multiplications for arm in self.arms
        ):
            work = [(arm.cost.products, arm.cost.multiplications) for arm in self.arms]
            message = f"(products, multiplications) are {work}; expected some of each"
            raise ValueError(message)


@dataclass(frozen=True, kw_only=True)
class BlockRecord(_Line):
    """The samples of one visit to a cell."""

    kind: Literal["block"] = "block"
    unique: ClassVar = ("cell", "process", "round")
    cell: str  #: name of the cell
    #: Which worker process took the block, in which of its rounds
    process: Count
    round: Count
    #: The arms in the order in which they ran: "ABBA", "BAAB" or "AA"
    sequence: Literal["AA", "ABBA", "BAAB"]
    #: Wall and CPU seconds per call, one for each letter of `sequence`
    seconds: tuple[Seconds, ...]
    cpu_seconds: tuple[NonNegative, ...]
    switches: Count  #: Involuntary context switches in the block
    #: Seconds in the block that the hypervisor gave to others; None where unknown
    steal: NonNegative | None
    flagged: bool  #: whether something disturbed the block

    def __post_init__(self) -> None:
        """Check that there is one time for each letter of the sequence."""
        lengths = len(self.sequence), len(self.seconds), len(self.cpu_seconds)
        if len(set(lengths)) > 1:
            message = "sequence, seconds and cpu_seconds have {}, {}, {} entries, not equally many"
            raise ValueError(message.format(*lengths))


@dataclass(frozen=True, kw_only=True)
class CheckRecord(_Line):
    """An untimed check by its unique name, with the values that it found."""

    kind: Literal["check"] = "check"
    unique: ClassVar = ("check",)
    check: str
    values: Object


Record = SessionRecord | CellRecord | BlockRecord | CheckRecord
