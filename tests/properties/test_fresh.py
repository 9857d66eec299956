"""P-FRESH: what lagging replicas answer, over one store in memory and over one SQLite file.

Each replica is what a process runs: its own store, snapshots, following and decision routes. Here
nothing follows by itself, so that every delay between a change and its being known is drawn, and
time passes when it is told to.
"""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, cast
from unittest import mock

from hypothesis import given, settings
from hypothesis import strategies as st

from grantproof.adapters.memory import MemoryStore
from grantproof.api import following
from grantproof.api.decisions import Decisions
from grantproof.api.following import Following, owned_by
from grantproof.api.freshness import Freshness
from grantproof.api.problems import Refused
from grantproof.core.commands import Accepted
from grantproof.core.commands.language import AssignRole, RevokeRole
from grantproof.core.identifiers import PrincipalId, RoleId
from grantproof.service.authors import Author
from grantproof.service.callers import EVERY_SCOPE, Caller
from grantproof.service.demo import ACME, install
from grantproof.service.ports import Store, StoreUnavailable
from tests.api.service import services_over
from tests.databases import opened
from tests.properties.tally import Tally

REPLICAS: Final = 2
STALENESS_MAX: Final = 8
"""In ticks: so old an answer may be."""
CALLER: Final = Caller.with_scopes(None, EVERY_SCOPE, author=Author("gateway"))
WRITES: Final = {
    "principal_id": "carol",
    "action": "write",
    "resource_id": "docs",
    "region": "us-east-1",
}
EDITOR: Final = (PrincipalId("carol"), RoleId("editor"))

places = st.integers(0, REPLICAS - 1)
steps = st.lists(
    st.one_of(
        st.just(("commit", 0, 0)),
        st.tuples(st.just("tick"), st.just(0), st.sampled_from([1, 2, STALENESS_MAX])),
        st.tuples(st.sampled_from(["follow", "cut", "join"]), places, st.just(0)),
        st.tuples(st.sampled_from(["single", "batch"]), places, st.sampled_from([-9, 0, 0, 1, 2])),
    ),
    min_size=10,
    max_size=30,
)
"""A question demands the last revision that the client has seen, and so many more."""


class Link:
    """The way of one replica to the store; nothing passes while it is cut."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.cut = False

    def __getattr__(self, name: str) -> Any:
        """Whatever the store does, unless it cannot be reached."""
        if self.cut:
            raise StoreUnavailable("cut off")
        return getattr(self.store, name)


class Writer:
    """Who changes the organization, elsewhere: carol is an editor at every second revision."""

    def __init__(self, store: Store) -> None:
        self._administration = services_over(store).administration
        self.revision = cast(int, store.revision(ACME))
        self.allowed = {self.revision: False}
        self.now = 0
        self._past: list[int] = []

    def commit(self) -> None:
        """Give carol the role, or take it back."""
        command = RevokeRole(*EDITOR) if self.allowed[self.revision] else AssignRole(*EDITOR)
        outcome = self._administration.propose(ACME, command, by=Author("other"))
        assert isinstance(outcome, Accepted)
        self.revision = outcome.state.revision
        self.allowed[self.revision] = isinstance(command, AssignRole)

    def let_pass(self, ticks: int) -> None:
        """Let time pass."""
        self._past += [self.revision] * ticks
        self.now += ticks

    @property
    def oldest(self) -> int:
        """The revision there was as long ago as an answer may be old, at the end of that tick."""
        return self._past[-STALENESS_MAX - 1] if self.now > STALENESS_MAX else 0


class Replica:
    """One process that answers; it follows only when it is told to."""

    def __init__(self, store: Store, now: Callable[[], float]) -> None:
        self.link = Link(store)
        reached = cast(Store, self.link)
        services = services_over(reached, owned_by(asyncio.get_running_loop()))
        self._snapshots = services.snapshots
        self._following = Following(
            reached,
            services.snapshots,
            meters=services.meters,
            sessions=services.kept_sessions,
            seconds=3600,
            max_staleness=STALENESS_MAX,
        )
        self._following.freshness = Freshness(now, max_staleness=STALENESS_MAX)
        self._decisions = Decisions(services.decisions, self._following)
        self._running = asyncio.create_task(self._following.run())

    @property
    def knows(self) -> int:
        """The revision of the snapshot."""
        index = self._snapshots.get(ACME)
        return -1 if index is None else index.state.revision

    async def follow(self) -> None:
        """What the following does in its round."""
        await self._following.look()
        await self._following.index(ACME)

    @property
    def is_stale(self) -> bool:
        """Whether what it knows was confirmed too long ago."""
        return not self._following.freshness.holds(ACME)

    async def ask(self, route: str, least: int) -> tuple[int, bool]:
        """Return the revision of the answer, and whether it is an Allow."""
        if route == "single":
            body = json.dumps({"org_id": ACME, "at_least_revision": least, **WRITES}).encode()
            answer = json.loads(await self._decisions.single(body, CALLER, None))
            return answer["revision"], answer["decision"] == "Allow"
        body = json.dumps(
            {"org_id": ACME, "at_least_revision": least, "items": [WRITES, WRITES]}
        ).encode()
        answer = json.loads(await self._decisions.batch(body, CALLER, None))
        first, second = answer["items"]
        assert first == second
        return answer["revision"], first["decision"] == "Allow"

    async def close(self) -> None:
        """Stop following, and wait for the threads."""
        self._following.stop()
        await self._running
        await asyncio.to_thread(self._following.close)


class Run:
    """One client among two replicas; every answer is held to what was committed."""

    def __init__(self, writer: Writer, replicas: list[Replica], tally: Tally) -> None:
        self._writer = writer
        self._replicas = replicas
        self._tally = tally
        self._seen = writer.revision

    async def step(self, what: str, place: int, more: int) -> None:
        """Take one of the drawn steps."""
        replica = self._replicas[place]
        match what:
            case "commit":
                self._writer.commit()
            case "tick":
                self._writer.let_pass(more)
            case "follow":
                if not replica.link.cut:
                    await replica.follow()
                    assert replica.knows == self._writer.revision
            case "cut":
                replica.link.cut = True
            case "join":
                # It looks again and again, so the first thing that it finds is that it may.
                replica.link.cut = False
                await replica.follow()
            case _:
                await self._asks(replica, what, max(self._seen + more, 0))

    async def _asks(self, replica: Replica, route: str, least: int) -> None:
        knew, cut, stale = replica.knows, replica.link.cut, replica.is_stale
        try:
            revision, allowed = await replica.ask(route, least)
        except (Refused, StoreUnavailable):
            # Only who cannot look, or finds that it does not exist, may refuse a revision.
            unreached = knew < least and (cut or least > self._writer.revision)
            assert unreached or (cut and stale)
            self._tally.saw("cut_off" if cut else "not_reached")
            self._tally.saw("too_old", stale)
            return
        assert least <= revision <= self._writer.revision
        assert revision >= self._writer.oldest
        assert allowed == self._writer.allowed[revision]
        if least >= self._seen:
            assert revision >= self._seen
            self._seen = revision
        self._tally.saw("confirmed", stale)
        self._tally.saw("waited", knew < revision)
        self._tally.saw("lagging", revision < self._writer.revision)
        self._tally.saw("cut_off_and_answered", cut)


def runs(stores: list[Store], writer: Writer, tally: Tally, *, examples: int) -> Callable[[], None]:
    """Return the property over stores that all hold the same organization."""

    @settings(max_examples=examples)
    @given(drawn=steps)
    def holds(drawn: list[tuple[str, int, int]]) -> None:
        # What does not exist is not waited for: nobody commits meanwhile.
        with mock.patch.object(following, "REACH_SECONDS_MAX", 0):
            asyncio.run(live(drawn))

    async def live(drawn: list[tuple[str, int, int]]) -> None:
        replicas = [Replica(store, lambda: writer.now) for store in stores]
        try:
            for replica in replicas:
                await replica.follow()
            run = Run(writer, replicas, tally)
            for step in drawn:
                await run.step(*step)
        finally:
            for replica in replicas:
                await replica.close()

    return cast(Callable[[], None], holds)


def founded(store: Store) -> Writer:
    """The demo's organization in a store, and who changes it."""
    services = services_over(store)
    install(services.administration)
    return Writer(store)


def test_p_fresh_no_answer_is_older_than_was_demanded_in_memory() -> None:
    """P-FRESH: two replicas of one store in memory, and a client that goes back and forth."""
    tally = Tally("P-FRESH, memory")
    store = MemoryStore()
    runs([store] * REPLICAS, founded(store), tally, examples=80)()
    tally.expect(
        waited=20,
        lagging=50,
        not_reached=20,
        cut_off=20,
        cut_off_and_answered=10,
        confirmed=15,
        too_old=20,
    )


def test_p_fresh_no_answer_is_older_than_was_demanded_over_one_file(tmp_path: Path) -> None:
    """P-FRESH: two replicas, each with connections of its own to one SQLite file."""
    tally = Tally("P-FRESH, sqlite")
    path = tmp_path / "grantproof.db"
    written = opened(path)
    stores: list[Store] = [opened(path) for _ in range(REPLICAS)]
    try:
        runs(stores, founded(written), tally, examples=50)()
    finally:
        for store in (written, *stores):
            store.close()
    tally.expect(
        waited=5,
        lagging=10,
        not_reached=5,
        cut_off=2,
        cut_off_and_answered=2,
        confirmed=3,
        too_old=10,
    )
