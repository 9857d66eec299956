"""One writer of this process after another, in the order in which they came.

A writer of SQLite that finds the file locked sleeps and tries again, and may find it locked by the
same other one each time. Here whoever waits longest is next; other processes are SQLite's matter.
"""

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Lock


class Turns:
    """A queue of writers. A turn is no guarantee: it only keeps one writer from starving others."""

    def __init__(self, *, seconds_max: float) -> None:
        self._seconds_max = seconds_max
        self._lock = Lock()
        self._waiting: deque[Event] = deque()

    @contextmanager
    def __call__(self) -> Iterator[None]:
        """Wait for the turn and keep it inside; whoever waits too long goes on without it."""
        mine = Event()
        with self._lock:
            self._waiting.append(mine)
            if len(self._waiting) == 1:
                mine.set()
        try:
            mine.wait(self._seconds_max)
            yield
        finally:
            with self._lock:
                self._waiting.remove(mine)
                if len(self._waiting) > 0:
                    self._waiting[0].set()
