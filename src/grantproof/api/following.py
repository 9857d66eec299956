"""Keeping up: organizations loaded once when first asked for, and followed from then on.

A snapshot is as old as the beginning of the look that last confirmed it; one that is too old is
never handed out. The indexes belong to the event loop's thread. Loading and looking for changes
happen in a few threads of their own, so that administration and decisions wait for neither.
"""

import asyncio
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from typing import Final

import structlog

from grantproof.api.freshness import Freshness
from grantproof.api.problems import NOT_CURRENT, Refused
from grantproof.api.waiting import set_within
from grantproof.core.identifiers import OrganizationId, SessionId
from grantproof.core.index import Index
from grantproof.core.limits import CONFIRM_SECONDS_MAX, REACH_SECONDS_MAX
from grantproof.service.kept_sessions import KeptSessions
from grantproof.service.meters import Meters
from grantproof.service.ports import Head, Store, StoreError, StoreUnavailable
from grantproof.service.snapshots import Owner, Snapshots

THREADS: Final = 4
MISSES_MAX: Final = 10_000
LOOP_CHECK_SECONDS: Final = 1.0

LOOKS_A_PERIOD: Final = 2
"""How often it is looked, at the least, within the time that an answer may be old."""

COUNTERS: Final = " (counters)"
PRUNING: Final = "ended counters"
SESSIONS: Final = "sessions"
PRUNING_SESSIONS: Final = "expired sessions"
LOOK: Final = " (what has changed)"

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

    It looks every `seconds`, and at once when others tell of a change. What was confirmed longer
    than `max_staleness` seconds ago is not handed out. What was looked for in vain is remembered
    until the next look, so that asking for it again and again costs no reading. Methods run on the
    loop, what they hand to threads says so.
    """

    def __init__(
        self,
        store: Store,
        snapshots: Snapshots,
        *,
        meters: Meters,
        sessions: KeptSessions,
        seconds: float,
        max_staleness: float,
    ) -> None:
        self._store = store
        self._snapshots = snapshots
        self._meters = meters
        self.sessions = sessions
        self._seconds = min(seconds, max_staleness / LOOKS_A_PERIOD)
        self._loop = asyncio.get_running_loop()
        self.freshness = Freshness(self._loop.time, max_staleness=max_staleness)
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="grantproof-follow")
        self._stopping = False
        self._woken = asyncio.Event()
        self._looked = asyncio.Event()
        self._told: set[str] = set()
        self._looks = 0
        self._confirmed_by: dict[str, int] = {}
        self._reachable = True
        self._misses: dict[str, StoreError | None] = {}
        self._forgotten = 0
        self._loading: dict[str, asyncio.Future[Index | None]] = {}
        self._reading: dict[str, asyncio.Future[None]] = {}
        self._opening: dict[tuple[str, str], asyncio.Future[None]] = {}
        self._failing: set[str] = set()

    def known(self, organization: str) -> Index | None:
        """Return the index of an organization that is followed already, unless it is too old."""
        return self._snapshots.get(organization) if self.freshness.holds(organization) else None

    async def index(self, organization: OrganizationId) -> Index | None:
        """Return the index, loading the organization when it is not followed; nothing if absent.

        Whoever wants the same meanwhile waits for the same. Raises `StoreError`, and `Refused` when
        what is known is too old and is not confirmed soon.
        """
        await self._confirmed(organization)
        found = self.known(organization)
        return await self._loaded(organization) if found is None else found

    async def reach(self, organization: OrganizationId, revision: int) -> Index | None:
        """Return the index once it has reached the revision, or as it is after a short while.

        Whoever wants more than is known waits for a look that begins after they came, which all
        of them share, and then a while for as many as there are anyway: the revision may not have
        come yet to the database that this process reads. Raises as `index` does.
        """
        came = self._looks
        until, looked = self._loop.time() + CONFIRM_SECONDS_MAX, False
        while True:
            # What was taken out of memory meanwhile is asked no more.
            index = await self.index(organization)
            over = self._loop.time() >= until or (not looked and self._fails(organization))
            if index is None or index.state.revision >= revision or over:
                return index
            if not looked and self._confirmed_by.get(organization, 0) > came:
                until, looked = self._loop.time() + REACH_SECONDS_MAX, True
            if not looked:
                self._wake(frozenset({organization}))
            await self._next_look(until)

    async def meter(self, organization: OrganizationId) -> bool:
        """Let the counters of an organization be followed too; false when it is gone by then.

        Whoever wants the same meanwhile waits for the same. Raises `StoreError`.
        """
        reading = self._reading.get(organization)
        if reading is None:
            reading = self._loop.run_in_executor(self._threads, self._meters.refresh, organization)
            self._reading[organization] = reading
            reading.add_done_callback(lambda _: self._reading.pop(organization))
        await asyncio.shield(reading)
        return self._meters.get(organization) is not None

    async def read_sessions(
        self, organization: OrganizationId, wanted: Iterable[SessionId]
    ) -> None:
        """Let sessions be known that are not, or are too old; raises `StoreError`.

        Whoever wants the same meanwhile waits for the same.
        """
        missing = [one for one in wanted if self.sessions.find(organization, one) is None]
        own = [one for one in missing if (organization, one) not in self._opening]
        if own:
            read = partial(self.sessions.read, organization, own)
            reading = self._loop.run_in_executor(self._threads, read)
            self._opening |= {(organization, one): reading for one in own}
            reading.add_done_callback(partial(self._note_read, organization, own))
        # One caller that goes away must not take it from the others.
        under_way = {self._opening[organization, one] for one in missing}
        await asyncio.gather(*map(asyncio.shield, under_way))

    def forget_misses(self) -> None:
        """Look again for what was looked for in vain; from any thread."""
        self._forgotten += 1
        self._misses.clear()

    async def run(self) -> None:
        """Look for other writers' changes again and again, until stopped."""
        self._store.hear(self._hear)
        whole_at = self._loop.time()
        while not self._stopping:
            began = self._loop.time()
            told, self._told = frozenset(self._told), set()
            self._woken.clear()
            if began >= whole_at or len(told) == 0:
                whole_at = began + self._seconds
                await self.look()
            else:
                await self.look(told)
            await set_within(self._woken, max(whole_at - self._loop.time(), 0))

    async def look(self, wanted: frozenset[str] | None = None) -> None:
        """Look for changes of all that is followed, or of what is wanted; note what that showed."""
        began = self.freshness.now()
        self._looks += 1
        number = self._looks
        self._reachable, current = await self._loop.run_in_executor(
            self._threads, self._follow, wanted
        )
        self.freshness.confirm(current, began=began)
        kept = {} if wanted is None else self._confirmed_by
        self._confirmed_by = kept | dict.fromkeys(current, number)
        if wanted is None and self._reachable:
            self.freshness.confirm_all(began=began, followed=self._snapshots.followed())
        self.forget_misses()
        looked, self._looked = self._looked, asyncio.Event()
        looked.set()

    def stop(self) -> None:
        """Let `run` end after its look."""
        self._stopping = True
        self._woken.set()

    def close(self) -> None:
        """Wait for the threads; not on the loop, which they may be waiting for."""
        self._threads.shutdown()

    def _hear(self, organizations: frozenset[str] | None) -> None:
        """Be told from a thread what others have changed."""
        # Whoever tells while the service ends tells nobody.
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._wake, organizations or frozenset())

    def _wake(self, organizations: frozenset[str]) -> None:
        self._told |= organizations
        self._woken.set()

    async def _confirmed(self, organization: str) -> None:
        """Wait a short while until what is followed is new enough; raises `Refused`."""
        until = self._loop.time() + CONFIRM_SECONDS_MAX
        while self._snapshots.get(organization) is not None:
            if self.freshness.holds(organization):
                return
            if self._fails(organization) or self._loop.time() >= until:
                raise Refused(NOT_CURRENT)
            self._wake(frozenset({organization}))
            await self._next_look(until)

    def _fails(self, organization: str) -> bool:
        """Return whether the last look at the organization has failed."""
        return organization in self._failing or not self._reachable

    async def _next_look(self, until: float) -> None:
        """Wait until a look has ended, or the time has come."""
        await set_within(self._looked, max(until - self._loop.time(), 0))

    async def _loaded(self, organization: OrganizationId) -> Index | None:
        if organization in self._misses:
            _raise_if(self._misses[organization])
            return None
        loading = self._loading.get(organization)
        if loading is None:
            began = self.freshness.now()
            loading = self._loop.run_in_executor(self._threads, self._load, organization)
            self._loading[organization] = loading
            loading.add_done_callback(partial(self._note_loaded, organization, began))
        # One caller that goes away must not take it from the others.
        return await asyncio.shield(loading)

    def _note_loaded(
        self, organization: str, began: float, loading: "asyncio.Future[Index | None]"
    ) -> None:
        del self._loading[organization]
        if not loading.cancelled() and loading.exception() is None:
            self.freshness.confirm((organization,), began=began)

    def _note_read(
        self, organization: str, own: list[SessionId], _: "asyncio.Future[None]"
    ) -> None:
        for one in own:
            del self._opening[organization, one]

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

    def _follow(self, wanted: frozenset[str] | None) -> tuple[bool, list[str]]:
        """Catch up in a thread: whether the store is reached, and what is now known to be current.

        An organization that fails does not hold up the others.
        """
        followed = [one for one in self._snapshots.followed() if wanted is None or one in wanted]
        if wanted is not None and len(followed) == 0:
            # Others told of what is not followed here.
            return self._reachable, []
        current = list[str]()
        try:
            heads = self._store.heads(followed)
            for one in followed:
                if self._works(one, partial(self._catch_up, one, heads.get(one))):
                    current.append(one)
            if wanted is None:
                self._follow_counters()
        except Exception as error:  # noqa: BLE001 - what fails now is tried again, for ever
            self._note_failure(LOOK, error)
            return False, current
        self._failing.discard(LOOK)
        return True, current

    def _follow_counters(self) -> None:
        for one in self._meters.followed():
            self._works(f"{one}{COUNTERS}", partial(self._meters.refresh, one))
        self._works(PRUNING, self._meters.prune)
        self._works(SESSIONS, self.sessions.confirm)
        self._works(PRUNING_SESSIONS, self.sessions.prune)

    def _catch_up(self, organization: OrganizationId, stored: Head | None) -> None:
        if self._snapshots.head(organization) != stored:
            self._snapshots.catch_up(organization)

    def _works(self, name: str, work: Callable[[], None]) -> bool:
        """Return whether it works; raises `StoreUnavailable`, as then nothing else would."""
        try:
            work()
        except StoreUnavailable:
            raise
        except Exception as error:  # noqa: BLE001 - what fails now is tried again, for ever
            self._note_failure(name, error)
            return False
        self._failing.discard(name)
        return True

    def _note_failure(self, name: str, error: Exception) -> None:
        """Log the first of a row of failures."""
        if name not in self._failing:
            # Of what the store says of itself a line is enough.
            told = {"error": str(error)} if isinstance(error, StoreError) else {"exc_info": error}
            log.error("not following", organization=name, **told)
        self._failing.add(name)


def _raise_if(failure: StoreError | None) -> None:
    if failure is not None:
        # The error may be raised again and again: it must not collect every place where it was.
        raise failure.with_traceback(None)
