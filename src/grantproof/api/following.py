"""Keeping up: organizations loaded once when first asked for, and followed from then on.

The indexes belong to the event loop's thread. Loading and looking for changes happen in a few
threads of their own, so that neither administration nor decisions wait for each other.
"""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from typing import Final

import structlog

from grantproof.core.identifiers import OrganizationId
from grantproof.core.index import Index
from grantproof.service.meters import Meters
from grantproof.service.ports import Store, StoreError, StoreUnavailable
from grantproof.service.snapshots import Owner, Snapshots

THREADS: Final = 4
MISSES_MAX: Final = 10_000
LOOP_CHECK_SECONDS: Final = 1.0

COUNTERS: Final = " (counters)"
PRUNING: Final = "ended counters"

log = structlog.get_logger(__name__)


def owned_by(loop: asyncio.AbstractEventLoop) -> Owner:
    """Return what runs a change on the loop's thread; to be called on that thread."""
    owner = threading.get_ident()

    def run(change: Callable[[], None]) -> None:
        if threading.get_ident() == owner:
            change()
            return
        done: Future[None] = Future()
        loop.call_soon_threadsafe(_complete, done, change)
        _await(done, loop)

    return run


def _complete(done: "Future[None]", change: Callable[[], None]) -> None:
    try:
        change()
    except BaseException as error:  # noqa: BLE001 - it is raised where the change was handed over
        done.set_exception(error)
    else:
        done.set_result(None)


def _await(done: "Future[None]", loop: asyncio.AbstractEventLoop) -> None:
    while True:
        try:
            return done.result(LOOP_CHECK_SECONDS)
        except TimeoutError:
            # A loop that was closed runs nothing any more.
            if done.done() or loop.is_closed():
                raise


class Following:
    """Finds the index of an organization, and lets all that are followed catch up for ever.

    What was looked for in vain is remembered until the next round, so that asking for it again and
    again costs no reading. Methods run on the loop, what they hand to threads says so.
    """

    def __init__(
        self, store: Store, snapshots: Snapshots, *, meters: Meters, seconds: float
    ) -> None:
        self._store = store
        self._snapshots = snapshots
        self._meters = meters
        self._seconds = seconds
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="grantproof-follow")
        self._stopping = asyncio.Event()
        self._misses: dict[str, StoreError | None] = {}
        self._forgotten = 0
        self._loading: dict[str, asyncio.Future[Index | None]] = {}
        self._reading: dict[str, asyncio.Future[None]] = {}
        self._failing: set[str] = set()

    def known(self, organization: str) -> Index | None:
        """Return the index of an organization that is followed already."""
        return self._snapshots.get(organization)

    async def index(self, organization: OrganizationId) -> Index | None:
        """Return the index, loading the organization when it is not followed; nothing if absent.

        Whoever wants the same meanwhile waits for the same. Raises `StoreError`.
        """
        found = self._snapshots.get(organization)
        if found is not None:
            return found
        if organization in self._misses:
            _raise_if(self._misses[organization])
            return None
        loading = self._loading.get(organization)
        if loading is None:
            loop = asyncio.get_running_loop()
            loading = loop.run_in_executor(self._threads, self._load, organization)
            self._loading[organization] = loading
            loading.add_done_callback(lambda _: self._loading.pop(organization))
        # One caller that goes away must not take it from the others.
        return await asyncio.shield(loading)

    async def catch_up(self, organization: OrganizationId) -> None:
        """Let a followed organization see all that is stored now; raises `StoreError`."""
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(self._threads, self._snapshots.catch_up, organization)

    async def meter(self, organization: OrganizationId) -> bool:
        """Let the counters of an organization be followed too; false when it is gone by then.

        Whoever wants the same meanwhile waits for the same. Raises `StoreError`.
        """
        reading = self._reading.get(organization)
        if reading is None:
            loop = asyncio.get_running_loop()
            reading = loop.run_in_executor(self._threads, self._meters.refresh, organization)
            self._reading[organization] = reading
            reading.add_done_callback(lambda _: self._reading.pop(organization))
        await asyncio.shield(reading)
        return self._meters.get(organization) is not None

    def forget_misses(self) -> None:
        """Look again for what was looked for in vain; from any thread."""
        self._forgotten += 1
        self._misses.clear()

    async def run(self) -> None:
        """Look for other writers' changes again and again, until stopped."""
        loop = asyncio.get_running_loop()
        while not self._stopping.is_set():
            await loop.run_in_executor(self._threads, self._follow_all)
            self.forget_misses()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), self._seconds)

    def stop(self) -> None:
        """Let `run` end after its round."""
        self._stopping.set()

    def close(self) -> None:
        """Wait for the threads; not on the loop, which they may be waiting for."""
        self._threads.shutdown()

    def _load(self, organization: OrganizationId) -> Index | None:
        """Load in a thread, and remember what is missing or fails."""
        forgotten, failure = self._forgotten, None
        try:
            found = self._snapshots.load(organization)
        except StoreError as error:
            log.warning("organization not loaded", organization=organization, error=str(error))
            found, failure = None, error
        # What was created meanwhile is not missing, and nobody can fill the memory by asking.
        if found is None and self._forgotten == forgotten and len(self._misses) < MISSES_MAX:
            self._misses[organization] = failure
        _raise_if(failure)
        return found

    def _follow_all(self) -> None:
        """Let each organization catch up, in a thread; one that fails does not hold up others."""
        rounds: list[tuple[str, Callable[[], None]]] = [
            *((one, partial(self._snapshots.catch_up, one)) for one in self._snapshots.followed()),
            *(
                (f"{one}{COUNTERS}", partial(self._meters.refresh, one))
                for one in self._meters.followed()
            ),
            (PRUNING, self._meters.prune),
        ]
        for name, follow in rounds:
            try:
                follow()
            except StoreUnavailable as error:
                self._note_failure(name, error)
                return
            except Exception as error:  # noqa: BLE001 - what fails now is tried again, for ever
                self._note_failure(name, error)
            else:
                self._failing.discard(name)

    def _note_failure(self, organization: str, error: Exception) -> None:
        """Log the first of a row of failures."""
        if organization not in self._failing:
            log.error("not following", organization=organization, exc_info=error)
        self._failing.add(organization)


def _raise_if(failure: StoreError | None) -> None:
    if failure is not None:
        # The error may be raised again and again: it must not collect every place where it was.
        raise failure.with_traceback(None)
