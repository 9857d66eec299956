"""What a client remembers is what the service would say, however changes, time and news interleave.

A client with a cache and one without ask the same service in process. While the feed is up to date
both get the same answer. While a change is not heard of yet, they may differ for at most the age
that the cache is given. While the feed is lost nothing is given from memory.
"""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

import httpx2
import pytest
from hypothesis import Phase, example, given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient
from typing_extensions import override

from grantproof.adapters.clock import SystemClock
from grantproof.adapters.memory import MemoryStore
from grantproof.client import AsyncClient, Cache, Decision, Options, Question, Said
from grantproof.client.machine import Machine
from grantproof.client.results import Allow, Changed, Deny, Rejected
from tests.api.service import OPERATORS, new_key, serving
from tests.in_process import InProcess

START: Final = 1_795_262_390
"""Ten seconds before noon."""
ORG: Final = "acme"
MAX_AGE: Final = 5.0
SECONDS: Final = 60.0
QUESTIONS: Final = [
    Question("alice", "read", "docs"),
    Question("alice", "write", "docs", Said(region="us-east-1")),
    Question("bob", "write", "docs", Said(region="us-east-1")),
    Question("bob", "write", "docs", Said(region="eu")),
    Question("bob", "export", "docs"),
    Question("bob", "export", "docs", Said(usage=1, rate=0)),
    Question("bob", "peek", "docs"),
    Question("zoe", "read", "docs"),
]
CLAIMS: Final = [
    {
        "id": "peek",
        "role": "viewer",
        "action": "peek",
        "resource": "docs",
        "constraints": [{"type": "time_window", "start": 11, "end": 12}],
    },
    {
        "id": "peek-counted",
        "role": "finance",
        "action": "peek",
        "resource": "docs",
        "constraints": [{"type": "max_usage", "limit": 2, "period": "day"}],
    },
    {
        "id": "export",
        "role": "viewer",
        "action": "export",
        "resource": "docs",
        "constraints": [{"type": "max_usage", "limit": 2, "period": "hour"}],
    },
]
"""One for an hour, beside one that is counted; one that is counted alone."""


@dataclass
class Seen:
    """What the runs have shown: a test that never gives from memory proves nothing."""

    cached: int = 0
    asked: int = 0
    late: int = 0
    changes: int = 0


@dataclass(frozen=True)
class Change:
    """Somebody is given a role, for so many seconds or for ever, or loses it."""

    principal: str
    role: str
    revoked: bool
    lasting: int | None
    own: bool


Step = Question | float | bool | Change | None
"""To ask, to let time pass, to let the feed be heard or lost, to change, to use up a quota."""


@dataclass
class News:
    """Carries requests to the service; pages of events only when they are let through."""

    inner: InProcess
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    letting: "asyncio.Queue[bool]" = field(default_factory=asyncio.Queue)


class Held(httpx2.AsyncBaseTransport):
    """Holds the feed until it is told what becomes of it."""

    def __init__(self, news: News) -> None:
        self.news = news

    @override
    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """The answer of the service, or that it is not there."""
        if not request.url.path.endswith("/events"):
            return await self.news.inner.handle_async_request(request)
        self.news.arrived.set()
        if not await self.news.letting.get():
            message = "the feed is lost"
            raise httpx2.ConnectError(message)
        url = request.url.copy_with(query=request.url.query.rpartition(b"wait=")[0] + b"wait=0")
        now = httpx2.Request("GET", url, headers=request.headers)
        return await self.news.inner.handle_async_request(now)


class World:
    """Two clients, a service, and a time that passes when it is told to."""

    def __init__(self, api: TestClient, key: str, seen: Seen) -> None:
        self.seen = seen
        self.now = 0.0
        self.unheard_since: float | None = None
        self.lost = True
        self.news = News(InProcess(api))
        machine = Machine(monotonic=lambda: 7_000 + self.now, sleep=lambda _: asyncio.sleep(0))
        cached = Options(
            timeout_seconds=SECONDS,
            cache=Cache(max_age_seconds=MAX_AGE, entries_max=4),
            transport=Held(self.news),
            machine=machine,
        )
        plain = Options(timeout_seconds=SECONDS, transport=self.news.inner)
        self.cached = AsyncClient("http://localhost", key, organization=ORG, options=cached)
        self.plain = AsyncClient("http://localhost", key, organization=ORG, options=plain)

    async def run(self, steps: list[Step]) -> None:
        """Take the steps, after the feed has begun."""
        await self.ask(QUESTIONS[0])
        await self.tell(reached=True)
        for step in steps:
            match step:
                case Question():
                    await self.ask(step)
                case float():
                    self.now += step
                    CLOCK.now += step
                case bool():
                    await self.tell(reached=step)
                case Change():
                    await self.change(step)
                case None:
                    await self.plain.consume("bob", "export", "docs")
        await self.cached.close()
        await self.plain.close()
        # The service is shared, and its time never moves back.
        CLOCK.now += 60

    async def ask(self, question: Question) -> None:
        """Ask both at the same moment."""
        fields = (question.principal, question.action, question.resource)
        known = await self.cached.decide(*fields, **question.said)
        found = await self.plain.decide(*fields, **question.said)
        assert isinstance(known, Allow | Deny)
        self.seen.asked += 1
        self.seen.cached += known.cached
        assert not (self.lost and known.cached)
        if same(found) != same(known):
            self.seen.late += 1
            assert known.cached
            assert self.unheard_since is not None
            assert self.now - self.unheard_since < MAX_AGE
        if not known.cached:
            # An answer tells of the newest revision too.
            self.unheard_since = None

    async def change(self, change: Change) -> None:
        """Change who holds what, by the client itself or by another, perhaps for a few seconds."""
        client = self.cached if change.own else self.plain
        ends = None if change.lasting is None else int(CLOCK.now) + change.lasting
        if change.revoked:
            made = await client.revoke(change.principal, change.role)
        else:
            made = await client.assign(change.principal, change.role, ends=ends)
        assert isinstance(made, Changed | Rejected), made
        if isinstance(made, Changed):
            self.seen.changes += 1
            if change.own:
                self.unheard_since = None
            elif self.unheard_since is None:
                self.unheard_since = self.now

    async def tell(self, *, reached: bool) -> None:
        """Let the feed bring what there is, or be lost."""
        await self.news.arrived.wait()
        self.news.arrived.clear()
        self.news.letting.put_nowait(reached)
        await self.news.arrived.wait()
        self.lost = not reached
        if reached:
            self.unheard_since = None


def same(decision: Decision) -> object:
    """What an application does by a decision, and is told."""
    if isinstance(decision, Allow):
        return "Allow", decision.claim
    return "Deny", getattr(decision, "code", None)


@dataclass
class Clock:
    """The time of the service."""

    now: float = START


CLOCK: Final = Clock()


STEPS: Final = st.lists(
    st.sampled_from(QUESTIONS)
    | st.sampled_from(QUESTIONS[:3])
    | st.sampled_from(QUESTIONS[:3])
    | st.sampled_from([0.4, 1.0, 2.5, 4.9, 5.0, 30.0])
    | st.sampled_from([True, True, False])
    | st.none()
    | st.builds(
        Change,
        st.sampled_from(["alice", "bob"]),
        st.sampled_from(["viewer", "editor", "finance"]),
        revoked=st.booleans(),
        lasting=st.sampled_from([None, 1, 3]),
        own=st.booleans(),
    ),
    min_size=20,
    max_size=40,
)


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[TestClient, str]]:
    """A service at the time of the test, and a key."""
    monkeypatch.setattr(SystemClock, "now", lambda _clock: int(CLOCK.now))
    store = MemoryStore()
    key = ""
    with serving(store) as api:
        key = new_key(store, OPERATORS)
        commands = [{"type": "CreateClaim", "claim": claim} for claim in CLAIMS]
        url, headers = f"/v1/orgs/{ORG}/changes", {"Authorization": f"Bearer {key}"}
        api.post(url, json={"commands": commands}, headers=headers).raise_for_status()
        yield api, key


def test_memory_says_what_the_service_says(served: tuple[TestClient, str]) -> None:
    """Or what it said at most five seconds ago, of a change that nobody has told of yet."""
    seen = Seen()

    # The example, which comes first, asks on both sides of noon.
    # A failure is shown as it was found: making it smaller takes minutes.
    @settings(max_examples=12, deadline=None, phases=[Phase.explicit, Phase.generate])
    @example([5.0, 1.0, QUESTIONS[6], 4.9, QUESTIONS[6]])
    @given(STEPS)
    def interleaved(steps: list[Step]) -> None:
        asyncio.run(World(*served, seen).run(steps))

    interleaved()
    # Neither the memory nor a late piece of news may be so rare that nothing was shown.
    assert seen.cached > seen.asked / 10, seen
    assert seen.changes > 10, seen
