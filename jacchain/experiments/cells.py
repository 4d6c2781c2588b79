"""What is measured: one cell is a chain's dims with the orders to compare on it."""

from dataclasses import dataclass, field
from typing import Final

from jacchain.records.schema import Role

Dims = tuple[int, ...]
LOSS_FIRST: Final = "loss-first"
INPUT_FIRST: Final = "input-first"
BOTH = (LOSS_FIRST, INPUT_FIRST)


@dataclass(frozen=True)
class Cell:
    """Dims, loss first, and one or two orders, measured in pairs by one engine.

    `role` is "cell" for what claims are judged on, "control" for A/A pairs, "overhead" for the
    chain of ones, "cause" for measurements that remove the cause of a finding. Cells of one `sweep`
    are compared with each other, and so visited one after the other.
    """

    dims: Dims
    orders: tuple[str, ...] = BOTH
    role: Role = "cell"
    engine: str = "numpy"
    sweep: str = field(default="", compare=False)

    @property
    def id(self) -> str:
        """Unique name, the same in every run."""
        name = "x".join(map(str, self.dims))
        return f"{self.role}:{self.engine}:{name}:{'/'.join(self.orders)}"


def unique(cells: list[Cell]) -> tuple[Cell, ...]:
    """Each cell once, in the order of first mention: claims share cells."""
    return tuple({cell.id: cell for cell in cells}.values())
