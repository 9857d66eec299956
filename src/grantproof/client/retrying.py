"""When a call is made again: the pauses, and what is worth asking again. No clock, no sleep."""

from dataclasses import dataclass
from typing import Final

from grantproof.client.exchange import CONFLICT, IN_PROGRESS, TIMEOUT, Call, Lost, Reply

AGAIN: Final = frozenset({408, 429, 500, 502, 503, 504})
"""Answers that say nothing of the question: the same call may be answered the next time."""


@dataclass(frozen=True, slots=True)
class Patience:
    """After a failed attempt the pause doubles from `first_seconds`, at most `retries` times.

    Each is made longer or shorter by up to the share `jitter`, so that those who failed together do
    not come back together.
    """

    first_seconds: float = 0.1
    jitter: float = 0.25
    retries: int = 3

    def pause_seconds(self, failed: int, *, draw: float, told: float = 0.0) -> float:
        """Return the pause after so many failed attempts (from 1), not less than was `told`.

        `draw` is a number from 0 up to 1.
        """
        bound: float = self.first_seconds * 2 ** (failed - 1)
        return max(told, bound * (1 + self.jitter * (2 * draw - 1)))

    def next_pause(
        self, call: Call, came: Reply | Lost, *, failed: int, draw: float, seconds_left: float
    ) -> float | None:
        """Return how long to wait before the call is made again; nothing when it is not.

        A pause that would not end in time is not begun: what is known is told at once.
        """
        if not call.idempotent or failed > self.retries or not is_passing(came):
            return None
        told = came.retry_after if isinstance(came, Reply) else 0.0
        pause = self.pause_seconds(failed, draw=draw, told=told)
        return pause if pause < seconds_left else None


def is_passing(came: Reply | Lost) -> bool:
    """Return whether what came may be another thing the next time."""
    if isinstance(came, Lost):
        return came.code != TIMEOUT
    return came.status in AGAIN or (came.status == CONFLICT and came.problem.code == IN_PROGRESS)
