"""The machine's clock, and how long to wait for another writer."""

import random
import threading
import time
from collections.abc import Callable
from typing import Final

FIRST_WAIT_SECONDS_MAX: Final = 0.005
"""The bound of the wait after the first lost attempt; it doubles with every further one."""

WAIT_SECONDS_MAX: Final = 0.5
"""What the bound never passes, however many attempts were lost."""

DOUBLINGS_MAX: Final = 16
"""More doublings than it takes to reach the bound, and few enough that no number overflows."""

stopwatch: Final[Callable[[], float]] = time.perf_counter
"""Tells seconds since some moment: only differences mean something. It never moves back."""


class SystemClock:
    """A `Clock` that reads the machine's time and, within the process, never moves back."""

    def __init__(self, read: Callable[[], float] = time.time) -> None:
        self._read = read
        self._lock = threading.Lock()
        self._latest = 0

    def now(self) -> int:
        """Return the instant in epoch seconds; never less than an earlier answer."""
        read = int(self._read())
        if read == self._latest:
            # No answer was ever greater.
            return read
        with self._lock:
            self._latest = max(self._latest, read)
            return self._latest


class JitteredBackoff:
    """A `Backoff` with full jitter: each wait is drawn between nothing and a growing bound.

    Writers that lost to each other then come back at different times.
    """

    def __init__(
        self,
        *,
        sleep: Callable[[float], None] = time.sleep,
        draw: Callable[[], float] = random.random,
    ) -> None:
        self._sleep = sleep
        self._draw = draw

    def wait(self, attempt: int) -> None:
        """Wait a random while whose bound doubles with `attempt` (from 0), up to half a second."""
        bound = FIRST_WAIT_SECONDS_MAX * 2 ** min(attempt, DOUBLINGS_MAX)
        self._sleep(self._draw() * min(bound, WAIT_SECONDS_MAX))


def pause_seconds(
    attempt: int, *, first: float, most: float, draw: Callable[[], float] = random.random
) -> float:
    """Return how long to wait after a failed attempt (from 0), in seconds.

    Between half and all of a bound that doubles from `first` up to `most`: processes that lost the
    same server do not come back together, and none of them at once.
    """
    bound: float = min(first * 2 ** min(attempt, DOUBLINGS_MAX), most)
    return bound * (1 + draw()) / 2
