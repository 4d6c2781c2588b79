"""Runs in forked processes, which start in an instant: a thousand of them can be killed."""

import os
import select
import signal
import subprocess
import sys
import traceback
from multiprocessing import get_context
from types import SimpleNamespace

import psutil

from jacchain.runs import runner, worker

FORK = get_context("fork")
SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


class ForkedWorker:
    """The measuring process, forked in place of one that is started."""

    def __init__(self, _command, *, stdin, stdout, stderr, env):
        del stdin, stdout, env
        request, self._request = os.pipe()
        self._records, records = os.pipe()
        self.pid = os.fork()
        if not self.pid:
            os.close(self._request)
            os.close(self._records)
            serve(request, records, stderr.fileno())
        os.close(request)
        os.close(records)
        self.stdin, self.stdout = os.fdopen(self._request, "wb"), os.fdopen(self._records, "rb")
        self.returncode = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stdout.close()
        self.wait()

    def kill(self):
        if self.returncode is None:
            os.kill(self.pid, signal.SIGKILL)

    def wait(self):
        if self.returncode is None:
            self.returncode = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        return self.returncode


def serve(request, records, errors):
    """Be the measuring process, with these ends of pipes, and end."""
    status = 1
    try:
        for place, stream in enumerate((request, records, errors)):
            os.dup2(stream, place)
        sys.stdin, sys.stdout = os.fdopen(0, "r"), os.fdopen(1, "w")
        worker.main()
        status = 0
    except Exception:  # as a started process would
        traceback.print_exc()
    finally:
        os._exit(status)


def in_group(function, *args):
    """Call a function as the leader of a process group of its own, without a word."""
    os.setsid()
    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, 1)
    os.dup2(silence, 2)
    for number in SIGNALS[1:]:
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    function(*args)


def start(function, *args):
    """Start a function in a forked process."""
    process = FORK.Process(target=in_group, args=(function, *args))
    process.start()
    return process


def end_at_random(process, longest, rng):
    """Send a signal to one process or the group at a random moment; wait for the end of all."""
    process.join(rng.uniform(0, longest))
    try:
        parent = psutil.Process(process.pid)
        children = parent.children(recursive=True)
        ends = [os.pidfd_open(child.pid) for child in children]
        target, number = rng.choice([parent, *children, None]), rng.choice(SIGNALS)
        if target:
            target.send_signal(number)
        else:
            os.killpg(process.pid, number)
    except (psutil.NoSuchProcess, ProcessLookupError):
        ends = []  # it had ended by itself, or has no group yet
    process.join()
    for end in ends:
        assert select.select([end], [], [], 10)[0], "a process outlives the run"
        os.close(end)


def quickly(patch):
    """Let runs fork their measuring process, and take facts of the machine from earlier."""
    facts, rates = runner.environment(), worker.rough_rates("float64")
    forking = SimpleNamespace(PIPE=subprocess.PIPE, Popen=ForkedWorker)
    patch.setattr(runner, "subprocess", forking)
    patch.setattr(runner, "environment", lambda: dict(facts))
    patch.setattr(runner, "shared_cores", lambda: [1.0])
    patch.setattr(worker, "rough_rates", lambda _: rates)
