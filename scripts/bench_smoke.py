"""Run every benchmark of the asv suite once, in this environment, and count what ran.

No result is kept. Exits 1 if a benchmark fails, or fewer ran than the suite has. An argument is
asv's `--bench`, a regular expression that picks some.
"""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).resolve().parents[1]
BENCHMARKS = 12  # of the whole suite: a benchmark that is no longer found must not pass unseen
MACHINE = {"machine": "smoke", "os": "", "arch": "", "cpu": "", "num_cpu": "1", "ram": ""}


def smoke(pattern: str = ".") -> tuple[int, str]:
    """How many benchmarks ran without a failure, and what asv printed."""
    with TemporaryDirectory() as folder:
        config = {
            "version": 1, "project": "jacchain", "repo": str(ROOT), "branches": ["HEAD"],
            "environment_type": "existing", "benchmark_dir": str(ROOT / "benchmarks/asv_suite"),
            "results_dir": f"{folder}/results", "html_dir": f"{folder}/html",
        }  # fmt: skip
        Path(folder, "asv.conf.json").write_text(json.dumps(config))
        # asv asks for the machine in the home folder, and is to leave the user's own as it is.
        Path(folder, ".asv-machine.json").write_text(json.dumps({"smoke": MACHINE, "version": 1}))
        environ = os.environ | {"HOME": folder}
        command = [
            sys.executable, "-m", "asv", "run", "--config", f"{folder}/asv.conf.json",
            "--environment", f"existing:{sys.executable}", "--machine", "smoke",
            "--quick", "--dry-run", "--show-stderr", "--bench", pattern,
        ]  # fmt: skip
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=environ)
    printed = done.stdout + done.stderr
    if done.returncode:
        return 0, printed
    ran = re.findall(r"^\[\s*[\d.]+%\] ·+ (\S+)\s+(\S+)$", printed, re.MULTILINE)
    return sum(outcome == "ok" for _, outcome in ran), printed


def main(arguments: list[str]) -> int:
    """Print what ran; the exit code says whether all did."""
    ran, printed = smoke(*arguments)
    print(printed)  # noqa: T201
    expected = 1 if arguments else BENCHMARKS
    print(f"{ran} benchmarks ran, expected {'at least ' * bool(arguments)}{expected}")  # noqa: T201
    return int(ran < expected if arguments else ran != expected)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
