"""Keeping what is followed on the shelf: now and then while serving, and once more at the end.

Encoding shares the interpreter with answering, so it works in short turns and rests several times
as long in between; at the end, when nobody is answered any more, it does not rest.
"""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Final

from grantproof.adapters.clock import stopwatch
from grantproof.api.waiting import set_within
from grantproof.core.identifiers import OrganizationId
from grantproof.service.shelf import Shelf
from grantproof.service.snapshots import Snapshots

RESTS: Final = 9
"""So many times as long as it worked it rests: it works a tenth of the time."""

TURN_SECONDS: Final = 0.001

END_SECONDS_MAX: Final = 8.0
"""So long the end of a service waits for files; what is not written then is as it was before."""


class Shelving:
    """Writes every `seconds` what has moved since it was written last. Runs on the loop."""

    def __init__(self, snapshots: Snapshots, shelf: Shelf | None, *, seconds: float) -> None:
        self._snapshots = snapshots
        self._shelf = shelf
        self._seconds = seconds
        self._stopping = asyncio.Event()
        self._hurrying = threading.Event()
        self._until = float("inf")
        self._written: dict[str, tuple[int, str | None]] = {}
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="grantproof-shelve")

    async def run(self) -> None:
        """Write until stopped, and then once more."""
        if self._shelf is None:
            return
        last = False
        while not last:
            await set_within(self._stopping, self._seconds)
            last = self._stopping.is_set()
            await self._write_all(self._shelf)

    def stop(self) -> None:
        """Let `run` end after it has written what has moved, within a bounded time."""
        self._until = stopwatch() + END_SECONDS_MAX
        self._stopping.set()
        self._hurrying.set()

    def close(self) -> None:
        """Wait for the thread; not on the loop, which it may be waiting for."""
        self._thread.shutdown()

    async def _write_all(self, shelf: Shelf) -> None:
        followed = self._snapshots.followed()
        self._written = {one: at for one, at in self._written.items() if one in followed}
        for organization in followed:
            if stopwatch() < self._until:
                await self._write(shelf, organization)

    async def _write(self, shelf: Shelf, organization: OrganizationId) -> None:
        seen = self._snapshots.versioned(organization)
        if seen is None or self._written.get(organization) == (seen.state.revision, seen.seal):
            return
        loop = asyncio.get_running_loop()
        pace = partial(self._pace, [stopwatch()])
        if await loop.run_in_executor(self._thread, shelf.keep, seen, pace):
            self._written[organization] = (seen.state.revision, seen.seal)
        if self._snapshots.get(organization) is None:
            # It was forgotten meanwhile, and what is forgotten is not kept.
            await loop.run_in_executor(self._thread, shelf.discard, organization)

    def _pace(self, began: list[float]) -> bool:
        """Rest when it is time to, in the thread; return whether there is time to go on."""
        now = stopwatch()
        worked = now - began[0]
        if worked >= TURN_SECONDS:
            # It returns at once when the service is to end.
            self._hurrying.wait(RESTS * worked)
            now = began[0] = stopwatch()
        return now < self._until
