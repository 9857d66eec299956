"""What a process does that was forked for one piece of work: settle, work, tell, end.

It outlives its parent by nothing: the pipe over which it tells ends it when nobody reads from it
any more. Where the system does not do that, and whatever it is doing, a timer does at its limit.
"""

import fcntl
import gc
import os
import pickle
import resource
import select
import signal
import struct
from collections.abc import Callable
from contextlib import suppress
from math import ceil
from pathlib import Path
from traceback import extract_tb
from typing import Final, NoReturn, Protocol

HEAD: Final = struct.Struct("!cQ")
"""Before what is told: of which kind it is, and how many bytes."""
ANSWERED: Final = b"A"
MEMORY: Final = b"M"
FAILED: Final = b"F"

FIRST_FILE: Final = 3
"""After the standard streams."""

LATE_SECONDS: Final = 0.5
"""So long after its limit a process ends by itself that was not ended."""

TOLD_TO_ALL: Final = (signal.SIGHUP, signal.SIGINT, signal.SIGTERM)
"""What a terminal or an init system sends to every process of a service, whose own business it is.

A service that drains goes on answering; it ends its processes when it does.
"""

OUT_OF_MEMORY: Final = "out of memory"
"""So libraries say it that have an error of their own for it."""

DATA: Final = 5
"""Which number of `/proc/self/statm` that is, see proc(5)."""

FAILURE_BYTES_MAX: Final = 4_096
LIKELIEST_TO_BE_KILLED: Final = "1000"


class Bounds(Protocol):
    """The limits of a process, as its parent has them."""

    @property
    def seconds(self) -> float:
        """Until it ends."""
        ...

    @property
    def memory_bytes(self) -> int | None:
        """What it may take."""
        ...

    @property
    def niceness(self) -> int:
        """By how much others are preferred."""
        ...


def live(work: Callable[[], object], writing: int, limits: Bounds) -> NoReturn:
    """Do the work, tell what came of it, and end; all signals are blocked at first."""
    status = 1
    try:
        _settle(writing, limits)
        kind, payload = _worked(work)
        # From here on whoever reads makes room, which would be a signal too.
        _signal_when_it_changes(writing, wanted=False)
        left = memoryview(HEAD.pack(kind, len(payload)) + payload)
        while len(left) > 0:
            left = left[os.write(writing, left) :]
        status = 0
    finally:
        # Whatever the parent would do at its end is the parent's.
        os._exit(status)


def _settle(writing: int, limits: Bounds) -> None:
    """Keep nothing of the parent, and take the limits."""
    # Looking for garbage writes to every page of what is shared with the parent.
    gc.disable()
    # Above all not the address that it listens on.
    os.closerange(FIRST_FILE, writing)
    os.closerange(writing + 1, os.sysconf("SC_OPEN_MAX"))
    for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
        signal.signal(number, signal.SIG_IGN if number in TOLD_TO_ALL else signal.SIG_DFL)
    _signal_when_it_changes(writing, wanted=True)
    gone = select.poll()
    gone.register(writing, 0)
    if gone.poll(0):
        os._exit(1)
    signal.setitimer(signal.ITIMER_REAL, limits.seconds + LATE_SECONDS)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    # Memory is short, where it is, because of this process: it is the one to go.
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text(LIKELIEST_TO_BE_KILLED, "ascii")
    os.nice(limits.niceness)
    _limit(resource.RLIMIT_CORE, 0)
    _limit(resource.RLIMIT_CPU, ceil(limits.seconds + LATE_SECONDS))
    data = _data_bytes()
    if limits.memory_bytes is not None and data is not None:
        # Not the address space: what threads of the parent have reserved of it would be free.
        _limit(resource.RLIMIT_DATA, data + limits.memory_bytes)


def _worked(work: Callable[[], object]) -> tuple[bytes, bytes]:
    try:
        return ANSWERED, pickle.dumps(work(), protocol=pickle.HIGHEST_PROTOCOL)
    except MemoryError:
        return MEMORY, b""
    except Exception as error:  # noqa: BLE001 - whatever it is, it is told
        if OUT_OF_MEMORY in str(error):
            return MEMORY, b""
        last = extract_tb(error.__traceback__)[-1]
        told = f"{type(error).__name__}: {error} ({Path(last.filename).name}:{last.lineno})"
        return FAILED, told.encode(errors="replace")[:FAILURE_BYTES_MAX]


def _signal_when_it_changes(writing: int, *, wanted: bool) -> None:
    """Let this process be sent SIGIO when the other end of the pipe is closed, or not."""
    # A system that does not know that has the timer.
    with suppress(OSError):
        fcntl.fcntl(writing, fcntl.F_SETOWN, os.getpid())
        flags = fcntl.fcntl(writing, fcntl.F_GETFL)
        changed = flags | os.O_ASYNC if wanted else flags & ~os.O_ASYNC
        fcntl.fcntl(writing, fcntl.F_SETFL, changed)


def _limit(which: int, most: int) -> None:
    """Take a limit, unless there is a lower one already."""
    soft, hard = resource.getrlimit(which)
    lowest = min((one for one in (soft, hard) if one != resource.RLIM_INFINITY), default=most)
    resource.setrlimit(which, (min(most, lowest), hard))


def _data_bytes() -> int | None:
    """Return how much memory this process may write to, or nothing where nobody tells that."""
    try:
        pages = Path("/proc/self/statm").read_text("ascii").split()[DATA]
    except OSError:
        return None
    return int(pages) * resource.getpagesize()
