"""Checking whole states again and again, while they are served: every invariant.

In a process of its own, one organization at a time, and after each a rest of several times as long:
the checks take a small share of a processor however large the organizations are.
"""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Final

import structlog

from grantproof.api.waiting import set_within
from grantproof.bootstrap import valid_apart
from grantproof.core.identifiers import OrganizationId
from grantproof.service.contracts import Unfinished
from grantproof.service.snapshots import Snapshots

RESTS: Final = 9
"""So many times as long as it worked it rests: it works a tenth of the time."""

log = structlog.get_logger(__name__)


class Checking:
    """Checks all that is followed, every `seconds`; never, where they are 0. Runs on the loop.

    A check that takes longer than `seconds_max` is ended, told in the log, and made again later.
    """

    def __init__(self, snapshots: Snapshots, *, seconds: float, seconds_max: float) -> None:
        self._snapshots = snapshots
        self._seconds = seconds
        self._stopping = asyncio.Event()
        self._apart = valid_apart(seconds_max=seconds_max)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="grantproof-check")

    async def run(self) -> None:
        """Check until stopped."""
        while self._seconds > 0 and not self._stopping.is_set():
            await set_within(self._stopping, self._seconds)
            for organization in self._snapshots.followed():
                if self._stopping.is_set():
                    return
                await self._check(organization)

    def stop(self) -> None:
        """Let `run` end, and with it the check that is under way."""
        self._stopping.set()
        self._apart.stop()

    def close(self) -> None:
        """Wait for the thread; not on the loop, which it may be waiting for."""
        self._thread.shutdown()

    async def _check(self, organization: OrganizationId) -> None:
        loop = asyncio.get_running_loop()
        began = loop.time()
        recheck = partial(self._snapshots.recheck, organization, self._apart)
        try:
            found = await loop.run_in_executor(self._thread, recheck)
        except (Unfinished, OSError) as error:
            found = ()
            if not self._stopping.is_set():
                log.warning("organization not checked", organization=organization, error=str(error))
        if len(found) > 0:
            log.error(
                "organization not valid, no longer served from memory",
                organization=organization,
                invariants=sorted({one.invariant for one in found}),
                violations=len(found),
            )
        await set_within(self._stopping, RESTS * (loop.time() - began))
