"""Commands of other tools that end with whoever started them, even if that is killed.

asv and pytest know nothing of us: killed, we would leave them measuring, beside whatever is started
next. So a guard stands between: this file, run as a script. It starts the command in a session of
its own, waits for the end of its standard input, which comes with the end of its parent, and kills
what is left of the session: asv puts the processes that it starts in groups of their own.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from threading import Thread

import psutil

PASSES = 3  # of killing: what was forked during one goes with the next


def run_guarded(
    command: Sequence[str], folder: Path, environ: Mapping[str, str]
) -> tuple[int, str]:
    """Run a command in a folder; return its exit status and what it printed.

    No Python started by it imports from the folder where it runs, and nothing that it starts
    outlives the call, nor this process.
    """
    guard = [sys.executable, "-P", __file__, *command]
    end, ours = os.pipe()  # closed by the system if we are killed
    with subprocess.Popen(
        guard,
        cwd=folder,
        env=dict(environ) | {"PYTHONSAFEPATH": "1"},
        stdin=end,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    ) as process:
        os.close(end)
        try:
            printed, _ = process.communicate()
        finally:
            os.close(ours)
    return process.returncode, printed


def main(command: Sequence[str]) -> int:
    """Run the command, as the guard; return its exit status."""
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True)
    Thread(target=_end_with_input, args=(child.pid,), daemon=True).start()
    try:
        status = child.wait()
    except KeyboardInterrupt:
        status = -signal.SIGINT
    finally:
        _kill(child.pid)
    return status if status >= 0 else 128 - status


def _end_with_input(session: int) -> None:
    """Wait for the end of the standard input, kill the session, and end."""
    os.read(sys.stdin.fileno(), 1)
    _kill(session)
    os._exit(1)


def _kill(session: int) -> None:
    for _ in range(PASSES):
        for pid in _members(session):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def _members(session: int) -> Iterator[int]:
    for pid in psutil.pids():
        with suppress(ProcessLookupError, PermissionError):
            if os.getsid(pid) == session:
                yield pid


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
