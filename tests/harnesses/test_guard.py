"""What other tools start ends with us."""

import os
import signal
import subprocess
import sys

import psutil
import pytest

from jacchain.harnesses.guard import run_guarded

# As asv: a process in a group of its own starts another one.
FAMILY = """
import os, subprocess, sys
grandchild = "import os, signal; print(os.getpid(), flush=True); signal.pause()"
with open(sys.argv[1], "w") as told:
    child = subprocess.Popen([sys.executable, "-c", grandchild], stdout=told, process_group=0)
    print(os.getpid(), file=told)
child.wait()
"""


def test_the_status_and_what_was_printed_are_returned(tmp_path):
    code = "import os, sys; print(os.getcwd()); print('bad', file=sys.stderr); sys.exit(3)"
    command = [sys.executable, "-c", code]
    assert run_guarded(command, tmp_path, os.environ) == (3, f"{tmp_path}\nbad\n")
    command = [sys.executable, "-c", "import os, signal; os.kill(os.getpid(), signal.SIGTERM)"]
    assert run_guarded(command, tmp_path, os.environ) == (128 + 15, "")


def test_nothing_is_imported_from_the_folder(tmp_path):
    for name in ("json", "psutil", "threading"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('the module of the user')")
    command = [sys.executable, "-c", "import json, sys; print(sys.flags.safe_path)"]
    assert run_guarded(command, tmp_path, os.environ) == (0, "True\n")


def test_what_a_finished_command_left_running_is_ended(tmp_path):
    code = (
        "import subprocess, sys; sleeper = 'import signal; signal.pause()'\n"
        "print(subprocess.Popen([sys.executable, '-c', sleeper]).pid)"
    )
    status, printed = run_guarded([sys.executable, "-c", code], tmp_path, os.environ)
    assert status == 0
    assert is_gone(int(printed))


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_children_end_with_a_killed_parent(tmp_path, number):
    told = tmp_path / "told"
    os.mkfifo(told)
    code = (
        "import os, signal, sys; from pathlib import Path\n"
        "from jacchain.harnesses.guard import run_guarded\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        f"command = [sys.executable, '-c', {FAMILY!r}, {str(told)!r}]\n"
        "run_guarded(command, Path.cwd(), os.environ)"
    )
    command = [sys.executable, "-c", code]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL, cwd=tmp_path) as parent:
        with told.open() as pids:
            family = [int(pids.readline()), int(pids.readline())]
        parent.send_signal(number)
    assert all(map(is_gone, family))


def is_gone(pid):
    """Wait for the end of a process; its parent may leave it unreaped."""
    try:
        process = psutil.Process(pid)
        return process.status() == psutil.STATUS_ZOMBIE or process.wait(30) is None
    except psutil.NoSuchProcess:
        return True
