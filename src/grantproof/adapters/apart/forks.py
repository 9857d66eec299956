"""A process for one piece of work, on the very values that this one holds in memory.

The process is a fork: it sees them as they are, without a copy being made or sent, and shares
neither the interpreter's lock nor the loop with what answers requests. Only its answer comes back,
over a pipe; a process that does not answer within its limits is ended, whatever it is doing.
"""

import os
import pickle
import select
import signal
import struct
import threading
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeVar, cast

import structlog

from grantproof.adapters.apart import inside
from grantproof.adapters.apart.inside import ANSWERED, HEAD, MEMORY
from grantproof.service.solving import Undetermined

MIB: Final = 1_048_576
ANSWER_BYTES_MAX: Final = MIB
BLOCK_BYTES: Final = 65_536
TIME_IS_UP: Final = (signal.SIGALRM, signal.SIGXCPU)
"""What ends a process that its parent did not."""

STOPPED: Final = Undetermined("refused", "the service is stopping")

Answer = TypeVar("Answer")

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Limits:
    """What a process may use; `niceness` is by how much others are preferred, up to 19.

    `seconds` are those from its beginning, and as many, rounded up, of a processor.
    `memory_bytes` may be taken beyond what this process has then, where the system tells that, as
    Linux does; nothing is no limit. What is copied because either writes to it is not in that.
    """

    seconds: float
    memory_bytes: int | None = None
    answer_bytes: int = ANSWER_BYTES_MAX
    niceness: int = 19


class Forks:
    """Begins processes and ends them; none is left behind. Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._children = set[int]()
        self._stopped = False

    def run(self, work: Callable[[], Answer], limits: Limits) -> Answer | Undetermined:
        """Return what the work returns in a process of its own, or why it does not; waits."""
        try:
            reading, writing = os.pipe()
        except OSError as error:
            return _not_begun(error)
        try:
            child = self._begun(work, writing, limits)
            if isinstance(child, Undetermined):
                return child
            told: bytes | Undetermined = b""
            try:
                told = _read(reading, limits)
            finally:
                status = self._ended(child)
        finally:
            # The last one who could read: a process that was not ended is ended by this.
            os.close(reading)
        found = told if isinstance(told, Undetermined) else _decoded(told, status, limits)
        if isinstance(found, Undetermined) and self._stopped:
            return STOPPED
        return cast("Answer | Undetermined", found)

    def stop(self) -> None:
        """End all that are under way, and begin none any more."""
        with self._lock:
            self._stopped = True
            for child in self._children:
                os.kill(child, signal.SIGKILL)

    def _begun(
        self, work: Callable[[], object], writing: int, limits: Limits
    ) -> int | Undetermined:
        """Return the process that was begun, or why there is none; `writing` is the process's."""
        try:
            with self._lock:
                if self._stopped:
                    return STOPPED
                return self._forked(work, writing, limits)
        except OSError as error:
            return _not_begun(error)
        finally:
            os.close(writing)

    def _forked(self, work: Callable[[], object], writing: int, limits: Limits) -> int:
        with warnings.catch_warnings():
            # A fork of several threads is warned of: it calls nothing that they could have held.
            warnings.simplefilter("ignore", DeprecationWarning)
            # A signal that comes before the child has let go of how this process takes signals
            # would be told to this process once more.
            before = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
            try:
                child = os.fork()
                if child == 0:
                    inside.live(work, writing, limits)
                self._children.add(child)
            finally:
                signal.pthread_sigmask(signal.SIG_SETMASK, before)
        return child

    def _ended(self, child: int) -> int | None:
        """End a process that may have ended; return its status, unless somebody else has it."""
        # INVARIANT: nobody sends a signal to a number that may be another's by then.
        with self._lock:
            self._children.remove(child)
            # What has told all is about to end; nothing else is waited for.
            os.kill(child, signal.SIGKILL)
        try:
            return os.waitpid(child, 0)[1]
        except ChildProcessError:
            return None


def _read(reading: int, limits: Limits) -> bytes | Undetermined:
    """Return all that is told until the other end is closed."""
    blocks, length = list[bytes](), 0
    deadline = time.monotonic() + limits.seconds
    told = select.poll()
    told.register(reading, select.POLLIN)
    while told.poll(max(0.0, deadline - time.monotonic()) * 1_000):
        block = os.read(reading, BLOCK_BYTES)
        if block == b"":
            return b"".join(blocks)
        blocks.append(block)
        length += len(block)
        if length > HEAD.size + limits.answer_bytes:
            why = f"the answer is longer than {limits.answer_bytes:,} bytes"
            return Undetermined("crashed", why)
    return _late(limits)


def _decoded(told: bytes, status: int | None, limits: Limits) -> object:
    """Return what was answered, or why that is no answer."""
    try:
        kind, length = HEAD.unpack_from(told)
    except struct.error:
        return _silent(status, limits)
    payload = told[HEAD.size :]
    if len(payload) != length:
        return _silent(status, limits)
    if kind == ANSWERED:
        try:
            return cast("object", pickle.loads(payload))  # noqa: S301 - our own fork wrote it
        except Exception as error:  # noqa: BLE001 - what cannot be read is no answer
            payload = f"{type(error).__name__} at reading the answer".encode()
    if kind == MEMORY:
        most = limits.memory_bytes
        told_most = "" if most is None else f" within {most // MIB:,} MiB"
        return Undetermined("memory", f"no answer{told_most}: out of memory")
    log.error("work apart failed", error=payload.decode(errors="replace"))
    return Undetermined("crashed", "the work failed: the log says how")


def _silent(status: int | None, limits: Limits) -> Undetermined:
    """Return why a process told nothing, by how it ended."""
    if status is None:
        return Undetermined("crashed", "the process ended without an answer")
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        if number in TIME_IS_UP:
            return _late(limits)
        named = signal.strsignal(number) or "unknown"
        return Undetermined("crashed", f"the process was ended by signal {number}: {named}")
    code = os.waitstatus_to_exitcode(status)
    return Undetermined("crashed", f"the process ended without an answer, with code {code}")


def _late(limits: Limits) -> Undetermined:
    return Undetermined("time", f"no answer in {limits.seconds:g} s")


def _not_begun(error: OSError) -> Undetermined:
    return Undetermined("refused", f"no process can be started: {error.strerror}")
