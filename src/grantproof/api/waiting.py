"""Waiting for an organization to change: many requests, no threads, and an end when we stop.

Everything here happens on the event loop's thread, where the indexes move too, so nothing can
change between looking and beginning to wait.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from fastapi import Request

from grantproof.api.problems import Refused, later
from grantproof.core.limits import WAITERS_MAX


async def set_within(event: asyncio.Event, seconds: float) -> None:
    """Wait until the event is set, so many seconds at the most."""
    with suppress(TimeoutError):
        await asyncio.wait_for(event.wait(), seconds)


class Waiting:
    """Those who wait. There are only so many; who comes too late is told to come again."""

    def __init__(self) -> None:
        self._moved: dict[str, asyncio.Event] = {}
        self._places = 0
        self.stopping = False

    @contextmanager
    def place(self) -> Iterator[None]:
        """Take one of the places; raises `Refused` when there is none."""
        if self._places >= WAITERS_MAX:
            detail = f"{WAITERS_MAX} requests wait for events already: try again, or without `wait`"
            raise Refused(later("too_many_waiting", detail))
        self._places += 1
        try:
            yield
        finally:
            self._places -= 1

    async def moved(self, organization: str, *, seconds: float, request: Request) -> bool:
        """Wait until the organization has changed; false if nobody waits for the answer any more.

        Ends after `seconds` too, and when the service stops.
        """
        if self.stopping:
            return True
        change = self._moved.setdefault(organization, asyncio.Event())
        ends = {asyncio.ensure_future(change.wait()), asyncio.ensure_future(_gone(request))}
        try:
            await asyncio.wait(ends, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
            return not any(end.done() and end.result() is False for end in ends)
        finally:
            for end in ends:
                end.cancel()

    def wake(self, organization: str) -> None:
        """Let those go on who wait for the organization."""
        change = self._moved.pop(organization, None)
        if change is not None:
            change.set()

    def stop(self) -> None:
        """Let everybody go on, and nobody wait any more."""
        self.stopping = True
        for organization in list(self._moved):
            self.wake(organization)


async def _gone(request: Request) -> bool:
    """Return false when the caller has gone away."""
    while (await request.receive())["type"] != "http.disconnect":
        pass
    return False
