"""The solvers of a service: so many at once, so many waiting, each a process with limits."""

import threading
import time
from collections.abc import Callable
from typing import Final, TypeVar

import structlog

from grantproof.adapters.apart.forks import STOPPED, Forks, Limits
from grantproof.service.solving import EndingCounts, Endings, Undetermined

WAITING_MAX: Final = 16
"""How many may wait: fewer than the threads of a service, so that others find one."""

Answer = TypeVar("Answer")

log = structlog.get_logger(__name__)


class Solvers:
    """Answers each question in a process of its own; keeps `service.solving.Solver`.

    A question waits no longer for its turn than it may take then. What has no answer is told in the
    log if that is `logged`: whoever asked for themselves is told anyway.
    """

    def __init__(
        self,
        limits: Limits,
        *,
        at_once: int,
        waiting_max: int = WAITING_MAX,
        logged: bool = True,
    ) -> None:
        self._limits = limits
        self._logged = logged
        self._at_once = at_once
        self._waiting_max = waiting_max
        self._forks = Forks()
        self._endings = Endings()
        self._changed = threading.Condition()
        self._running = 0
        self._waiting = 0
        self._stopped = False

    def ask(self, work: Callable[[], Answer]) -> Answer | Undetermined:
        """Return what the work returns, or why nothing came of it; waits, and raises nothing."""
        refused = self._come()
        if refused is not None:
            return self._told(refused, None)
        began = time.monotonic()
        try:
            found = self._forks.run(work, self._limits)
        finally:
            self._go()
        return self._told(found, time.monotonic() - began)

    def stop(self) -> None:
        """End all that is under way, and refuse whatever is asked from now on."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
        self._forks.stop()

    def tally(self) -> EndingCounts:
        """Return how what was asked until now has ended."""
        return self._endings.tally()

    def _come(self) -> Undetermined | None:
        """Take a turn, or return why there is none."""
        with self._changed:
            if self._running >= self._at_once and self._waiting >= self._waiting_max:
                why = f"{self._at_once} are worked on and {self._waiting_max} wait already"
                return Undetermined("refused", why)
            self._waiting += 1
            try:
                free = self._changed.wait_for(self._may_go_on, self._limits.seconds)
            finally:
                self._waiting -= 1
            if self._stopped:
                return STOPPED
            if not free:
                why = f"no turn in {self._limits.seconds:g} s: {self._at_once} are worked on"
                return Undetermined("refused", why)
            self._running += 1
        return None

    def _may_go_on(self) -> bool:
        return self._stopped or self._running < self._at_once

    def _go(self) -> None:
        with self._changed:
            self._running -= 1
            self._changed.notify()

    def _told(self, found: Answer | Undetermined, seconds: float | None) -> Answer | Undetermined:
        """Count how a question has ended, and say so in the log if it has no answer."""
        if not isinstance(found, Undetermined):
            self._endings.count("answered", seconds)
            return found
        self._endings.count(found.cause, None if found.cause == "refused" else seconds)
        if self._logged and found != STOPPED:
            log.warning("undetermined", cause=found.cause, why=found.why)
        return found
