"""What a cell would take, and whether that is too much."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from jacchain.costs.timemodel import Rates, predicted_seconds
from jacchain.experiments.cell import Arm, Cell
from jacchain.experiments.sizes import Sampling
from jacchain.measuring.timing import LEAST_SAMPLE_SECONDS
from jacchain.records.schema import Identity
from jacchain.units import seconds as duration
from jacchain.units import size

CALLS_PER_BLOCK = 6  # four samples, and the warm-up of both kernels
MOST_MEMORY = 0.5  # share of the available memory that one cell may use


@dataclass(frozen=True)
class Session:
    """What every cell of a worker is prepared with; `memory` in bytes available."""

    identity: Identity
    sampling: Sampling
    rates: Rates
    memory: int
    seed: int

    def arms(self, cell: Cell) -> tuple[Arm, ...]:
        """Return the arms of a cell in this session."""
        return cell.arms(np.dtype(self.identity.dtype), self.seed)


@dataclass(frozen=True)
class Admission:
    """Predicted seconds of all visits to a cell, bytes, and why it is skipped, if it is."""

    cell: str
    seconds: float
    bytes: int
    skipped: str | None


def admit(cell: Cell, arms: Sequence[Arm], session: Session) -> Admission:
    """Predict what a cell would take, and refuse what is over the run's budget."""
    calls = [max(predicted_seconds(arm.cost, session.rates), LEAST_SAMPLE_SECONDS) for arm in arms]
    seconds = session.sampling.blocks * CALLS_PER_BLOCK / len(arms) * sum(calls)
    needed = needed_bytes(cell, arms)
    return Admission(cell.name, seconds, needed, _refusal(seconds, needed, session))


def needed_bytes(cell: Cell, arms: Sequence[Arm]) -> int:
    """Bytes of the operands of both arms, and of their intermediates."""
    operands = [arm.cost.held_bytes for arm in arms]
    return (max if cell.shared else sum)(operands) + sum(arm.cost.peak_bytes for arm in arms)


def _refusal(seconds: float, needed: int, session: Session) -> str | None:
    if needed > MOST_MEMORY * session.memory:
        return f"needs {size(needed)}, over half of the {size(session.memory)} available"
    if seconds > session.sampling.cell_seconds:
        budget = f"over the profile's {duration(session.sampling.cell_seconds)}"
        return f"would take {duration(seconds)}, {budget}"
    return None
