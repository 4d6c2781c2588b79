"""Run every benchmark of the asv suite once, in this environment, and count what ran.

No result is kept. Exits 1 if a benchmark fails, or fewer ran than the suite has. An argument is
asv's `--bench`, a regular expression that picks some.
"""

import re
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from jacchain.harnesses.visits import run_asv

ROOT = Path(__file__).resolve().parents[1]
BENCHMARKS = 12  # of the whole suite: a benchmark that is no longer found must not pass unseen


def smoke(pattern: str = ".") -> tuple[int, str]:
    """Return how many benchmarks ran without a failure, and what asv printed."""
    with TemporaryDirectory() as results:
        status, printed = run_asv(ROOT, Path(results), pattern, "--quick", "--dry-run")
    if status:
        return 0, printed
    ran = re.findall(r"^\[\s*[\d.]+%\] ·+ (\S+)\s+(\S+)$", printed, re.MULTILINE)
    return sum(outcome == "ok" for _, outcome in ran), printed


def main(arguments: list[str]) -> int:
    """Print what ran; the exit code says whether all did."""
    ran, printed = smoke(*arguments)
    print(printed)
    expected = 1 if arguments else BENCHMARKS
    print(f"{ran} benchmarks ran, expected {'at least ' * bool(arguments)}{expected}")
    return int(ran < expected if arguments else ran != expected)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
