"""A long check in a process of its own, on the very state that this one holds in memory.

The process is a fork: it sees the state as it is, without a copy being made or sent, works at the
lowest priority, and shares neither the interpreter's lock nor the loop with what answers requests.
"""

import gc
import json
import os
import select
import signal
import threading
import time
import warnings
from collections.abc import Callable
from typing import Final

from grantproof.core.invariants import Violation
from grantproof.core.organization import Organization
from grantproof.service.contracts import Unfinished

Check = Callable[[Organization], tuple[Violation, ...]]

SECONDS_MAX: Final = 3_600.0
"""How long a check may take before it counts as hung."""

LOWEST_PRIORITY: Final = 19
TOLD_MAX: Final = 100
BLOCK_BYTES: Final = 65_536
FIRST_FILE: Final = 3
"""After the standard streams."""


class Apart:
    """Makes one check at a time, each in a process of its own."""

    def __init__(self, check: Check, *, seconds_max: float = SECONDS_MAX) -> None:
        self._check = check
        self._seconds_max = seconds_max
        self._lock = threading.Lock()
        self._child: int | None = None
        self._stopped = False

    def __call__(self, state: Organization) -> tuple[Violation, ...]:
        """Return what the check finds in the state, at most the first of many; waits for it.

        Raises `Unfinished` when the process ends without an answer, as when it is killed, and when
        it has none in time: then it is killed here.
        """
        reading, writing = os.pipe()
        child = self._forked(state, writing)
        os.close(writing)
        try:
            told = _read(reading, seconds_max=self._seconds_max)
            if told is None:
                os.kill(child, signal.SIGKILL)
        finally:
            os.close(reading)
            # INVARIANT: nobody sends a signal to a number that may be another's by then.
            with self._lock:
                self._child = None
                os.waitpid(child, 0)
        if told is None:
            message = f"the process that checked it had no answer in {self._seconds_max:g} s"
            raise Unfinished(message)
        if told == b"":
            message = "the process that checked it ended without an answer"
            raise Unfinished(message)
        return tuple(Violation(name, tuple(ids)) for name, ids in json.loads(told))

    def stop(self) -> None:
        """End the check that is under way, and begin none any more."""
        with self._lock:
            self._stopped = True
            if self._child is not None:
                os.kill(self._child, signal.SIGKILL)

    def _forked(self, state: Organization, writing: int) -> int:
        with self._lock, warnings.catch_warnings():
            # A fork of several threads is warned of: it calls nothing that they could have held.
            warnings.simplefilter("ignore", DeprecationWarning)
            child = os.fork()
            if child == 0:
                _work(self._check, state, writing)
            self._child = child
            if self._stopped:
                os.kill(child, signal.SIGKILL)
        return child


def _work(check: Check, state: Organization, writing: int) -> None:
    """Check and tell, in the child; never returns."""
    status = 1
    try:
        # Nothing of the parent is kept: above all not the address that it listens on.
        os.closerange(FIRST_FILE, writing)
        os.closerange(writing + 1, os.sysconf("SC_OPEN_MAX"))
        gc.disable()
        os.nice(LOWEST_PRIORITY)
        try:
            found = [(one.invariant, one.ids) for one in check(state)[:TOLD_MAX]]
        except Exception as error:  # noqa: BLE001 - a check that fails has not passed
            found = [("unchecked", (type(error).__name__,))]
        left = memoryview(json.dumps(found).encode())
        while len(left) > 0:
            left = left[os.write(writing, left) :]
        status = 0
    finally:
        # Whatever the parent would do at its end is the parent's.
        os._exit(status)


def _read(reading: int, *, seconds_max: float) -> bytes | None:
    """Return all that is told until the other end is closed, or nothing if that takes too long."""
    blocks = list[bytes]()
    deadline = time.monotonic() + seconds_max
    told = select.poll()
    told.register(reading, select.POLLIN)
    while told.poll(max(0.0, deadline - time.monotonic()) * 1_000):
        block = os.read(reading, BLOCK_BYTES)
        if block == b"":
            return b"".join(blocks)
        blocks.append(block)
    return None
