"""Kernels in processes of their own, so that no other library's threads disturb them.

A library keeps threads that wait for work by spinning, or leave data in the caches: two libraries
in one process slow each other down, however their calls alternate. A host is a process for the
kernels of one library. It times them itself, so that talking to it costs nothing that is measured:
after calls for a tenth of a second, for threads that wake together begin on one core and are spread
over the others only then; and it answers once they sleep: spinning, they would take the cores of
the next.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import count
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from time import perf_counter, process_time, sleep
from typing import Any
from weakref import finalize

import numpy as np

from jacchain.measuring.timing import time_calls

Kernel = Callable[[], object]

_WARM_UP = 0.1  # seconds
_ASLEEP = 0.05  # CPU seconds a second of a process whose threads wait without spinning
_LOOK, _PATIENCE = 0.002, 1.0  # seconds: of one look at the CPU time, and of all of them


class HostError(Exception):
    """A process that failed to prepare or call a kernel, or has ended."""


class Host:
    """A process that prepares kernels, calls them and times them; it ends with this one."""

    def __init__(self, name: str) -> None:
        context = get_context("spawn")  # a forked copy of BLAS's threads does not run
        self.name = name
        self._numbers = count()
        self._pipe, theirs = context.Pipe()
        process = context.Process(target=_serve, args=(theirs,), daemon=True)
        process.start()
        theirs.close()
        self._end = finalize(self, _end, self._pipe, process)

    def prepare(self, prepare: Callable[[], Kernel]) -> "HostedKernel":
        """Call `prepare`, which must be picklable, there; return the kernel that it returns.

        Raises HostError if `prepare` fails; so does a call of the kernel.
        """
        kernel = HostedKernel(self, next(self._numbers))
        self.ask("prepare", kernel.number, prepare)
        finalize(kernel, self._drop, kernel.number).atexit = False
        return kernel

    def ask(self, *request: Any) -> Any:
        """Send a request and return its answer."""
        try:
            self._pipe.send(request)
            failure, answer = self._pipe.recv()
        except (EOFError, OSError) as error:
            self._end()
            message = f"the process of {self.name} has ended; is there memory enough for it?"
            raise HostError(message) from error
        if failure:
            message = f"{self.name} failed: {failure}"
            raise HostError(message)
        return answer

    def _drop(self, number: int) -> None:
        """Let a kernel's arrays go."""
        try:
            self.ask("drop", number)
        except HostError:
            return  # its process is gone, and they with it


@dataclass(frozen=True, weakref_slot=True, slots=True)
class HostedKernel:
    """A kernel in a host."""

    host: Host
    number: int

    def __call__(self) -> object:
        """Call it, and return its array, or arrays by name, as numpy's."""
        return self.host.ask("call", self.number)

    def time_calls(self, calls: int) -> tuple[float, float]:
        """Return the wall and CPU seconds that so many calls take there, in all."""
        seconds: tuple[float, float] = self.host.ask("time", self.number, calls)
        return seconds


@cache
def host(name: str) -> Host:
    """Return the process of a library's kernels; it is started when it is first asked for."""
    return Host(name)


def prepared_in(name: str, prepare: Callable[[], Kernel]) -> HostedKernel:
    """Prepare a kernel in the process of a library."""
    return host(name).prepare(prepare)


def _end(pipe: Connection, process: BaseProcess) -> None:
    """Close the pipe: the process ends, and is waited for."""
    pipe.close()
    process.join(timeout=1)
    process.kill()


def _serve(pipe: Connection) -> None:
    """Answer requests, each with (what failed, the answer), until whoever asks is gone."""
    kernels: dict[int, Kernel] = {}
    while True:
        try:
            request = pipe.recv()
        except (EOFError, KeyboardInterrupt):
            return
        try:
            answer: tuple[str | None, Any] = None, _answer(kernels, *request)
        except Exception as error:  # told to whoever asked
            answer = f"{type(error).__name__}: {error}", None
        pipe.send(answer)


def _answer(kernels: dict[int, Kernel], what: str, number: int, *given: Any) -> Any:
    match what:
        case "prepare":
            kernels[number] = given[0]()
        case "time":
            _warm_up(kernels[number])
            seconds = time_calls(kernels[number], *given)
            _wait_for_sleep()
            return seconds
        case "call":
            result = kernels[number]()
            if isinstance(result, Mapping):
                return {name: np.array(array) for name, array in result.items()}
            return np.array(result)
        case "drop":
            kernels.pop(number, None)
        case _:
            message = f"unknown request {what!r}"
            raise ValueError(message)
    return None


def _warm_up(kernel: Kernel) -> None:
    end = perf_counter() + _WARM_UP
    while perf_counter() < end:
        kernel()


def _wait_for_sleep() -> None:
    """Wait until the threads of this process spin no more."""
    share, end = 1.0, perf_counter() + _PATIENCE
    while share > _ASLEEP and perf_counter() < end:
        cpu, start = process_time(), perf_counter()
        sleep(_LOOK)
        share = (process_time() - cpu) / (perf_counter() - start)
