"""Keeping up: loading once, catching up, and surviving a store that fails."""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence

import pytest
from structlog.testing import capture_logs
from typing_extensions import override

from grantproof.adapters.clock import SystemClock, stopwatch
from grantproof.adapters.memory import MemoryStore
from grantproof.api import following as module
from grantproof.api.following import Following, owned_by
from grantproof.api.freshness import Freshness
from grantproof.api.problems import Refused
from grantproof.core.commands import Accepted, apply
from grantproof.core.commands.language import CreatePrincipal, CreateRole
from grantproof.core.identifiers import OrganizationId, PrincipalId, RoleId, SessionId
from grantproof.core.sessions import Session
from grantproof.service.authors import Author
from grantproof.service.kept_sessions import KeptSessions
from grantproof.service.meters import Meters
from grantproof.service.ports import Head, Heard, StoreUnavailable, StoreUnusable
from grantproof.service.session_store import Writing
from grantproof.service.snapshots import Snapshots
from grantproof.service.versions import Versioned
from tests.api.service import services_over

MAX_STALENESS = 60.0
CONFIRMED_SECONDS = 0.1
"""So old may what is known of a session be; half of it passes before it is read again."""
ONE, TWO, GONE = OrganizationId("one"), OrganizationId("two"), OrganizationId("gone")


class Counting(MemoryStore):
    """A store that notes what is loaded and fails when told to."""

    def __init__(self) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.looks = 0
        self.heard: Heard = lambda _: None
        self.hanging = threading.Event()
        self.hanging.set()
        self.failing: dict[str, Exception] = {}

    @override
    def hear(self, heard: Heard) -> None:
        self.heard = heard

    def add(self, organization: OrganizationId) -> None:
        """Let there be one more revision, whatever fails."""
        state = super().load(organization)
        assert state is not None
        outcome = apply(state, CreateRole(RoleId("more")), actor="other", instant=0)
        assert isinstance(outcome, Accepted)
        assert self.commit(outcome.event)

    @override
    def load_versioned(self, organization: OrganizationId) -> Versioned | None:
        self.loads.append(organization)
        if organization in self.failing:
            raise self.failing[organization]
        return super().load_versioned(organization)

    @override
    def revision(self, organization: OrganizationId) -> int | None:
        if organization in self.failing:
            raise self.failing[organization]
        state = super().load(organization)
        return None if state is None else state.revision

    @override
    def heads(self, organizations: Sequence[OrganizationId]) -> Mapping[str, Head]:
        self.looks += 1
        assert self.hanging.wait(60)
        for error in self.failing.values():
            if isinstance(error, StoreUnavailable):
                raise error
        return super().heads(organizations)


def founded() -> Counting:
    """A store with two organizations."""
    store = Counting()
    for organization in (ONE, TWO):
        store.create(organization, time_zone="UTC", actor="x", instant=0)
    return store


def write(store: Counting, organization: OrganizationId, role: str) -> None:
    """Let another process add a role."""
    services = services_over(store)
    services.administration.propose(organization, CreateRole(RoleId(role)), by=Author("other"))


async def until(condition: Callable[[], bool]) -> None:
    """Wait for what a follower does in its own time."""
    for _ in range(500):
        if condition():
            return
        await asyncio.sleep(0.01)
    pytest.fail("it did not happen")


def live(store: Counting, test: Callable[[Following, Snapshots], Awaitable[None]]) -> None:
    """Run a test on a loop of its own, with what follows the store."""

    async def whole() -> None:
        snapshots = Snapshots(store, on_owner=owned_by(asyncio.get_running_loop()))
        on_owner = owned_by(asyncio.get_running_loop())
        meters = Meters(store.meter, clock=SystemClock(), on_owner=on_owner)
        sessions = KeptSessions(
            store.sessions,
            clock=SystemClock(),
            seconds=stopwatch,
            on_owner=on_owner,
            max_staleness=CONFIRMED_SECONDS,
        )
        following = Following(
            store,
            snapshots,
            meters=meters,
            sessions=sessions,
            seconds=0.01,
            max_staleness=MAX_STALENESS,
        )
        try:
            await test(following, snapshots)
        finally:
            following.stop()
            await asyncio.to_thread(following.close)

    asyncio.run(whole())


def test_many_who_ask_at_once_load_once() -> None:
    """Whoever wants an organization that is being loaded waits for the same load."""
    store = founded()

    async def test(following: Following, __: Snapshots) -> None:
        found = await asyncio.gather(*[following.index(ONE) for _ in range(20)])
        assert len(set(map(id, found))) == 1
        assert store.loads == ["one"]

    live(store, test)


def test_many_who_ask_in_one_session_read_it_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever wants a session that is being read waits for the same look; known ones for none."""
    store, reads = founded(), list[list[str]]()
    real = store.sessions.read

    def noted(organization: OrganizationId, wanted: Collection[SessionId]) -> object:
        reads.append(sorted(wanted))
        return real(organization, wanted)

    monkeypatch.setattr(store.sessions, "read", noted)

    async def test(following: Following, __: Snapshots) -> None:
        monkeypatch.setattr(following.sessions, "_max_staleness", MAX_STALENESS)
        one, two = SessionId("s1"), SessionId("s2")
        await asyncio.gather(*[following.read_sessions(ONE, {one}) for _ in range(20)])
        await following.read_sessions(ONE, {one, two})
        await following.read_sessions(ONE, {one, two})
        await following.read_sessions(TWO, {one})
        assert reads == [["s1"], ["s2"], ["s1"]]

    live(store, test)


def test_sessions_in_use_are_confirmed_while_it_follows() -> None:
    """In the background, so that what another process ends is denied without being asked for."""
    store = founded()
    now = SystemClock().now()
    roles = frozenset[RoleId]()
    session = Session(SessionId("s1"), PrincipalId("ann"), roles, now, now + 60, "portal")
    write_principal = CreatePrincipal(session.principal)
    services_over(store).administration.propose(ONE, write_principal, by=Author("other"))
    assert store.sessions.open(ONE, session, revision=1, most=1) is Writing.DONE

    async def test(following: Following, __: Snapshots) -> None:
        await following.index(ONE)
        await following.read_sessions(ONE, {session.id})
        task = asyncio.create_task(following.run())
        store.sessions.end(ONE, session.id, instant=now)

        def is_gone() -> bool:
            kept = following.sessions.find(ONE, session.id)
            return kept is not None and kept.session is None

        await until(is_gone)
        following.stop()
        await task

    live(store, test)


def test_what_is_absent_is_looked_for_once_a_round() -> None:
    """The next round forgets, so that what another process makes is found."""
    store = founded()

    async def test(following: Following, __: Snapshots) -> None:
        for _ in range(3):
            assert await following.index(GONE) is None
        assert store.loads == ["gone"]
        store.create(GONE, time_zone="UTC", actor="x", instant=0)
        assert await following.index(GONE) is None
        task = asyncio.create_task(following.run())
        await until(lambda: len(following._misses) == 0)  # noqa: SLF001 - the memory under test
        assert await following.index(GONE) is not None
        following.stop()
        await task

    live(store, test)


def test_asking_for_what_is_absent_fills_no_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only so many absent organizations are remembered."""
    monkeypatch.setattr(module, "MISSES_MAX", 5)

    async def test(following: Following, snapshots: Snapshots) -> None:
        for number in range(20):
            assert await following.index(OrganizationId(f"absent-{number}")) is None
        assert len(following._misses) == 5  # noqa: SLF001 - the memory under test
        assert snapshots.followed() == ()

    live(founded(), test)


def test_a_failing_load_is_told_to_everyone_until_the_next_round() -> None:
    """Corrupt data is not read again for every request."""
    store = founded()
    store.failing[ONE] = StoreUnusable("corrupt")

    async def test(following: Following, __: Snapshots) -> None:
        with capture_logs() as logs:
            for _ in range(3):
                with pytest.raises(StoreUnusable, match="corrupt"):
                    await following.index(ONE)
        assert len(logs) == 1

    live(store, test)


def test_other_writers_are_followed() -> None:
    """A change made elsewhere shows after a round, and a deleted organization is forgotten."""
    store = founded()

    async def test(following: Following, snapshots: Snapshots) -> None:
        index = await following.index(ONE)
        assert index is not None
        task = asyncio.create_task(following.run())
        write(store, ONE, "auditor")
        await until(lambda: index.state.revision == 1)
        store.delete(ONE, actor="x", instant=0)
        await until(lambda: snapshots.followed() == ())
        following.stop()
        await task

    live(store, test)


@pytest.mark.parametrize("error", [StoreUnavailable("away"), StoreUnusable("bad"), KeyError("bug")])
def test_following_survives_a_store_that_fails(error: Exception) -> None:
    """One line in the log for a row of failures, then it goes on where it was."""
    store = founded()

    async def test(following: Following, __: Snapshots) -> None:
        one, two = await following.index(ONE), await following.index(TWO)
        assert one is not None
        assert two is not None
        with capture_logs() as logs:
            task = asyncio.create_task(following.run())
            store.failing[ONE] = error
            store.add(ONE)
            write(store, TWO, "auditor")
            if not isinstance(error, StoreUnavailable):
                await until(lambda: two.state.revision == 1)
            await until(lambda: len(logs) > 0)
            await asyncio.sleep(0.05)
            store.failing.clear()
            write(store, ONE, "auditor")
            await until(lambda: (one.state.revision, two.state.revision) == (2, 1))
            following.stop()
            await task
        assert [entry["event"] for entry in logs] == ["not following"]

    live(store, test)


def test_what_others_tell_is_looked_at_at_once() -> None:
    """Of what is followed; the next look at everything is far away."""
    store = founded()

    async def test(following: Following, __: Snapshots) -> None:
        following._seconds = 3600  # noqa: SLF001 - so that only word can be the cause
        index = await following.index(ONE)
        assert index is not None
        task = asyncio.create_task(following.run())
        await until(lambda: store.looks == 1)
        write(store, ONE, "auditor")
        await asyncio.to_thread(store.heard, frozenset({"one", "elsewhere"}))
        await until(lambda: index.state.revision == 1)
        write(store, ONE, "editor")
        await asyncio.to_thread(store.heard, None)
        await until(lambda: index.state.revision == 2)
        looks = store.looks
        await following.look(frozenset({"elsewhere"}))
        assert store.looks == looks
        following.stop()
        await task

    live(store, test)


def test_it_is_looked_often_enough_to_stay_current() -> None:
    """However seldom it is to look: what is never looked at again could not be answered from."""

    async def test() -> None:
        store = founded()
        services = services_over(store)
        following = Following(
            store,
            services.snapshots,
            meters=services.meters,
            sessions=services.kept_sessions,
            seconds=3600,
            max_staleness=0.1,
        )
        task = asyncio.create_task(following.run())
        await until(lambda: store.looks > 2)
        following.stop()
        await task
        await asyncio.to_thread(following.close)

    asyncio.run(test())


def test_a_revision_that_is_demanded_is_waited_for() -> None:
    """It comes to the database that is read a little after it was demanded."""
    store = founded()

    async def test(following: Following, __: Snapshots) -> None:
        index = await following.index(ONE)
        task = asyncio.create_task(following.run())
        reaching = asyncio.create_task(following.reach(ONE, 1))
        await asyncio.sleep(0.05)
        assert not reaching.done()
        write(store, ONE, "auditor")
        assert await reaching is index
        assert index is not None
        assert index.state.revision == 1
        following.stop()
        await task

    live(store, test)


def test_a_revision_that_does_not_come_is_not_waited_for_long(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The index is handed out as it is, for the caller to see."""
    monkeypatch.setattr(module, "REACH_SECONDS_MAX", 0.05)

    async def test(following: Following, __: Snapshots) -> None:
        index = await following.reach(ONE, 7)
        assert index is not None
        assert index.state.revision == 0

    live(founded(), test)


def test_what_cannot_be_confirmed_is_not_handed_out() -> None:
    """Neither as known nor when asked for; what is followed recovers by itself."""
    store = founded()

    async def test(following: Following, snapshots: Snapshots) -> None:
        following.freshness = Freshness(following.freshness.now, max_staleness=0.1)
        task = asyncio.create_task(following.run())
        assert await following.index(ONE) is not None
        store.failing[ONE] = StoreUnavailable("away")
        await until(lambda: following.known(ONE) is None)
        assert snapshots.get(ONE) is not None
        with pytest.raises(Refused, match="too old"):
            await following.index(ONE)
        await until(lambda: not following.freshness.is_whole())
        store.failing.clear()
        await until(lambda: following.known(ONE) is not None)
        assert following.freshness.is_whole()
        following.stop()
        await task

    live(store, test)


def test_one_organization_that_fails_is_too_old_alone() -> None:
    """The others go on being answered."""
    store = founded()

    async def test(following: Following, __: Snapshots) -> None:
        following.freshness = Freshness(following.freshness.now, max_staleness=0.2)
        task = asyncio.create_task(following.run())
        await asyncio.gather(following.index(ONE), following.index(TWO))
        store.failing[ONE] = StoreUnusable("bad")
        store.add(ONE)
        await until(lambda: following.known(ONE) is None)
        with pytest.raises(Refused, match="too old"):
            await following.index(ONE)
        # For a moment it may be too old too, where others have the processor for so long.
        await until(lambda: following.known(TWO) is not None)
        following.stop()
        await task

    live(store, test)


def test_a_store_that_hangs_is_not_waited_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """A look that does not end confirms nothing, and holds up nobody."""
    monkeypatch.setattr(module, "CONFIRM_SECONDS_MAX", 0.05)
    store = founded()

    async def test(following: Following, __: Snapshots) -> None:
        following.freshness = Freshness(following.freshness.now, max_staleness=0.05)
        assert await following.index(ONE) is not None
        store.hanging.clear()
        task = asyncio.create_task(following.run())
        await until(lambda: following.known(ONE) is None)
        with pytest.raises(Refused, match="too old"):
            await following.index(ONE)
        store.hanging.set()
        following.stop()
        await task

    live(store, test)


def test_changes_run_on_the_loop_that_owns_the_indexes() -> None:
    """From another thread they wait their turn, on the loop's own thread they run at once."""
    ran: list[int] = []

    async def test() -> None:
        on_owner = owned_by(asyncio.get_running_loop())
        on_owner(lambda: ran.append(threading.get_ident()))
        await asyncio.to_thread(on_owner, lambda: ran.append(threading.get_ident()))
        assert ran == [threading.get_ident()] * 2
        with pytest.raises(ZeroDivisionError):
            await asyncio.to_thread(on_owner, lambda: ran.append(1 // 0))

    asyncio.run(test())


def test_a_change_for_a_loop_that_is_gone_is_an_error() -> None:
    """Nobody waits for ever for a loop that was closed."""

    async def owner() -> Callable[[Callable[[], None]], None]:
        return owned_by(asyncio.get_running_loop())

    on_owner = asyncio.run(owner())
    raised: list[BaseException] = []

    def change() -> None:
        try:
            on_owner(lambda: None)
        except RuntimeError as error:
            raised.append(error)

    thread = threading.Thread(target=change)
    thread.start()
    thread.join(5)
    assert len(raised) == 1
