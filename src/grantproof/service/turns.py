"""One writer of this process after another, in the order in which they came.

A writer that lost to another sleeps and tries again, and may lose to the same one each time. Here
whoever waits longest is next; the writers of other processes are the database's matter.
"""

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Lock


class Turns:
    """Queues of writers. A turn is no guarantee: it only keeps one writer from starving others."""

    def __init__(self, *, seconds_max: float) -> None:
        self._seconds_max = seconds_max
        self._lock = Lock()
        self._waiting: dict[str, deque[Event]] = {}

    @contextmanager
    def __call__(self, queue: str = "") -> Iterator[None]:
        """Wait for the turn and keep it inside; whoever waits too long goes on without it.

        Writers wait for those of the same `queue` only.
        """
        mine = Event()
        with self._lock:
            waiting = self._waiting.setdefault(queue, deque())
            waiting.append(mine)
            waiting[0].set()
        try:
            mine.wait(self._seconds_max)
            yield
        finally:
            with self._lock:
                waiting.remove(mine)
                if len(waiting) > 0:
                    waiting[0].set()
                else:
                    del self._waiting[queue]
