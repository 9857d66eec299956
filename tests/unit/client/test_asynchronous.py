"""The client over a transport of its own: what it sends, how often, and what it makes of it."""

import asyncio
import json
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field, replace
from typing import Any

import httpx2
import pytest

from grantproof.client import (
    AsyncClient,
    Cache,
    CallerError,
    Changed,
    Options,
    Question,
    Rejected,
    Terms,
    Told,
    Unanswered,
    Undetermined,
)
from grantproof.client.machine import Machine
from grantproof.client.results import Allow

ANSWER = {
    "decision": "Allow",
    "reason": None,
    "reason_code": None,
    "revision": 7,
    "decided_at": 1_000,
    "valid_until": None,
    "claim_id": "see",
}
ASK = ("ann", "read", "docs")


@dataclass
class World:
    """A machine whose time passes when somebody sleeps, and a service that answers in turn."""

    answers: list[httpx2.Response | Exception]
    now: float = 100.0
    slept: list[float] = field(default_factory=list)
    sent: list[httpx2.Request] = field(default_factory=list)
    made: int = 0

    async def sleep(self, seconds: float) -> None:
        """Let the time pass."""
        self.slept.append(round(seconds, 6))
        self.now += seconds
        await asyncio.sleep(0)

    def new_id(self) -> str:
        """An id that tells how many were made before."""
        self.made += 1
        return f"id-{self.made}"

    async def answer(self, request: httpx2.Request) -> httpx2.Response:
        """The next answer; a feed waits for ever."""
        if request.url.path.endswith("/events"):
            await asyncio.Event().wait()
        self.sent.append(request)
        found = self.answers.pop(0)
        if isinstance(found, Exception):
            raise found
        return found

    def client(self, **options: Any) -> AsyncClient:
        """A client in this world."""
        machine = Machine(
            monotonic=lambda: self.now, sleep=self.sleep, draw=lambda: 0.5, new_id=self.new_id
        )
        transport = httpx2.MockTransport(self.answer)
        chosen = replace(Options(), machine=machine, transport=transport, **options)
        return AsyncClient("http://service:9090/", "key", organization="acme", options=chosen)

    def run(self, ask: Callable[[AsyncClient], Coroutine[Any, Any, Any]], **options: Any) -> Any:
        """What comes of a question to a client in this world."""

        async def asked() -> Any:
            async with self.client(**options) as client:
                return await ask(client)

        return asyncio.run(asked())


def ok(**changed: Any) -> httpx2.Response:
    """An allow."""
    return httpx2.Response(200, json={**ANSWER, **changed})


def busy(status: int = 503, **headers: str) -> httpx2.Response:
    """A problem that passes."""
    return httpx2.Response(
        status, json={"code": "not_ready", "detail": "starting"}, headers=headers
    )


def made(revision: int) -> httpx2.Response:
    """A change that was made."""
    return httpx2.Response(200, json={"revision": revision}, headers={"ETag": f'"{revision}"'})


def test_a_question_is_asked_once_and_answered() -> None:
    """Under a key, a name and a request id, which the answer tells."""
    world = World([ok()])
    assert world.run(lambda client: client.decide(*ASK)) == Allow(
        "see", 7, 1_000, None, request_id="id-1"
    )
    (request,) = world.sent
    assert str(request.url) == "http://service:9090/evaluate"
    assert request.headers["authorization"] == "Bearer key"
    assert request.headers["x-request-id"] == "id-1"
    assert request.headers["content-type"] == "application/json"
    assert request.headers["user-agent"].startswith("grantproof-client/")


def test_the_request_has_the_id_of_the_one_that_it_is_made_for() -> None:
    """If there is one; what the service calls it is told."""
    world = World([ok(), httpx2.Response(200, json=ANSWER, headers={"X-Request-ID": "theirs"})])
    ids = iter(["ours", None])

    async def twice(client: AsyncClient) -> list[Any]:
        return [await client.decide(*ASK) for _ in range(2)]

    found = world.run(twice, request_id=lambda: next(ids))
    assert [one.headers["x-request-id"] for one in world.sent] == ["ours", "id-1"]
    assert [one.request_id for one in found] == ["ours", "theirs"]


def test_what_passes_is_asked_again_under_the_same_request_id() -> None:
    """With pauses that double; the deadline is not passed for it."""
    world = World([busy(), busy(502), httpx2.ConnectError("refused"), ok()])
    assert world.run(lambda client: client.decide(*ASK)).allowed
    assert world.slept == [0.1, 0.2, 0.4]
    assert {request.headers["x-request-id"] for request in world.sent} == {"id-1"}


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (busy(), "not_ready"),
        (httpx2.ConnectError("refused"), "unreachable"),
        (httpx2.ConnectTimeout("late"), "unreachable"),
        (httpx2.RemoteProtocolError("garbage"), "broken_exchange"),
        (httpx2.ReadError("reset"), "broken_exchange"),
        (OSError("out of files"), "broken_exchange"),
        (httpx2.Response(200, content=b"Allow"), "malformed_answer"),
        (httpx2.Response(302, headers={"Location": "/evaluate"}), "unexpected_answer"),
    ],
)
def test_without_an_answer_nothing_is_allowed(answer: Any, code: str) -> None:
    """It is a value, or an exception for an application that must know."""
    found = World([answer] * 4).run(lambda client: client.decide(*ASK))
    assert isinstance(found, Undetermined)
    assert (found.code, found.allowed) == (code, False)
    assert found.attempts == (1 if code in {"malformed_answer", "unexpected_answer"} else 4)
    with pytest.raises(Unanswered, match=code) as raised:
        World([answer] * 4).run(lambda client: client.decide(*ASK), raises=True)
    assert raised.value.undetermined == found


def test_a_pause_past_the_deadline_is_not_begun() -> None:
    """What the service says of it is told at once."""
    world = World([busy(503, **{"Retry-After": "3"})])
    found = world.run(lambda client: client.decide(*ASK))
    assert (found.attempts, found.status, world.slept) == (1, 503, [])
    world = World([busy(503, **{"Retry-After": "1"}), ok()])
    assert world.run(lambda client: client.decide(*ASK)).allowed
    assert world.slept == [1.0]


def test_a_service_that_hangs_ends_with_the_deadline() -> None:
    """Whatever came before it is told."""

    async def hang(client: AsyncClient) -> Undetermined:
        found = await client.decide(*ASK)
        assert isinstance(found, Undetermined)
        return found

    async def never(_: httpx2.Request) -> httpx2.Response:
        await asyncio.Event().wait()
        return ok()

    options = Options(timeout_seconds=0.02, transport=httpx2.MockTransport(never))
    client = AsyncClient("http://service", None, organization="acme", options=options)
    found = asyncio.run(hang(client))
    assert (found.code, found.detail) == ("timeout", "no answer within 0.02 seconds")


def test_a_wrong_call_raises_and_is_not_repeated() -> None:
    """It would be wrong the next time."""
    world = World([httpx2.Response(401, json={"code": "unauthenticated", "detail": "who?"})])
    with pytest.raises(CallerError, match=r"who\?"):
        world.run(lambda client: client.decide(*ASK))
    assert len(world.sent) == 1


def test_a_use_is_counted_once_however_often_it_is_asked_for() -> None:
    """Under one key, that of the client or of the application."""
    world = World([busy(), ok(meter_age=0)])
    found = world.run(lambda client: client.consume(*ASK))
    assert (found.allowed, found.meter_age) == (True, 0)
    assert [request.headers["idempotency-key"] for request in world.sent] == ["id-1", "id-1"]
    world = World([ok()])
    world.run(lambda client: client.consume(*ASK, key="mine"))
    assert world.sent[0].headers["idempotency-key"] == "mine"
    assert world.sent[0].url.path == "/evaluate/consume"


def test_many_questions_are_one_request() -> None:
    """None is no request; what fails as a whole fails for each."""
    questions = [Question(*ASK), Question("bob", "read", "docs")]
    body = {"items": [ANSWER, ANSWER], "revision": 7, "decided_at": 1_000}
    world = World([httpx2.Response(200, json=body)])
    found = world.run(lambda client: client.decide_many(questions))
    assert [one.allowed for one in found] == [True, True]
    assert len(json.loads(world.sent[0].content)["items"]) == 2
    assert World([]).run(lambda client: client.decide_many([])) == ()
    found = World([busy()] * 4).run(lambda client: client.decide_many(questions))
    assert [one.allowed for one in found] == [False, False]
    with pytest.raises(Unanswered):
        World([busy()] * 4).run(lambda client: client.decide_many(questions), raises=True)


def test_what_it_changed_it_sees() -> None:
    """Every later question demands the revision of its own change, or a newer one."""

    async def change_and_ask(client: AsyncClient) -> tuple[Any, int]:
        changed = await client.assign("ann", "head", ends=2_000, terms=Terms(reason="für Ann"))
        await client.decide(*ASK)
        await client.decide(*ASK, at_least_revision=12)
        await client.consume(*ASK)
        return changed, client.revision

    world = World([made(9), ok(revision=9), ok(revision=12), ok(revision=9)])
    assert world.run(change_and_ask) == (Changed(9, "id-2"), 12)
    assignment, *asked = world.sent
    assert assignment.headers["idempotency-key"] == "id-1"
    assert assignment.headers["grantproof-reason"] == "f%C3%BCr Ann"
    assert json.loads(assignment.content) == {
        "principal": "ann",
        "role": "head",
        "from": None,
        "until": 2_000,
    }
    assert [json.loads(one.content)["at_least_revision"] for one in asked] == [9, 12, 9]


def test_a_revocation_is_made_once() -> None:
    """As a change under a key, on the terms that are asked for; a refusal is an outcome."""
    refused = httpx2.Response(412, json={"code": "stale", "detail": "changed"})
    world = World([busy(), refused])
    found = world.run(lambda client: client.revoke("ann", "head", terms=Terms(if_match=8)))
    assert found == Rejected("stale", "changed", 412, None, "id-2")
    first, second = world.sent
    assert first.headers["idempotency-key"] == second.headers["idempotency-key"] == "id-1"
    assert second.headers["if-match"] == '"8"'
    assert json.loads(second.content) == {
        "commands": [{"type": "RevokeRole", "principal": "ann", "role": "head"}]
    }


def test_questions_of_review_tell_a_document() -> None:
    """And the revision that it is of."""

    async def review(client: AsyncClient) -> list[Any]:
        return [
            await client.explain(*ASK),
            await client.who_can("read", "docs"),
            await client.what_can("ann"),
            await client.roles_of("ann"),
        ]

    world = World([httpx2.Response(200, json={"revision": at}) for at in (1, 2, 3, 4)])
    found = world.run(review)
    assert [one.revision for one in found if isinstance(one, Told)] == [1, 2, 3, 4]
    assert [(one.method, one.url.path) for one in world.sent] == [
        ("POST", "/explain"),
        ("POST", "/v1/orgs/acme/who-can"),
        ("GET", "/v1/orgs/acme/principals/ann/abilities"),
        ("GET", "/v1/orgs/acme/principals/ann/roles"),
    ]


@pytest.mark.parametrize("address", ["service:9090", "ftp://service", "http://", ""])
def test_an_address_is_one_of_http(address: str) -> None:
    """What is none is found out at once."""
    with pytest.raises(ValueError, match="is no address of a service"):
        AsyncClient(address, "key", organization="acme")


def test_the_credential_is_shown_nowhere() -> None:
    """Not in what is printed of a client or its options."""
    client = AsyncClient("http://service", "secret-key", organization="acme")
    assert "secret-key" not in repr(client) + repr(vars(client))


# ---------------------------------------------------------------- the cache and its feed


@dataclass
class Feed:
    """A service whose feed answers when it is told to."""

    revision: int = 7
    decided: int = 0
    polls: list[str] = field(default_factory=list)
    polled: asyncio.Event = field(default_factory=asyncio.Event)
    going: asyncio.Queue[httpx2.Response] = field(default_factory=asyncio.Queue)

    async def answer(self, request: httpx2.Request) -> httpx2.Response:
        """A decision at once, a page of events when there is one."""
        if request.url.path.endswith("/events"):
            self.polls.append(request.url.query.decode())
            self.polled.set()
            return await self.going.get()
        self.decided += 1
        return ok(revision=self.revision)

    async def tell(self, response: httpx2.Response) -> None:
        """Let the feed answer, and the client hear it."""
        self.polled.clear()
        self.going.put_nowait(response)
        await self.polled.wait()


def page(revision: int) -> httpx2.Response:
    """A page of events."""
    return httpx2.Response(200, json={"items": [], "next": None, "revision": revision})


async def fed(feed: Feed, world: World) -> list[tuple[bool, int]]:
    """Whether each answer was from memory, and how often the service was asked until then."""
    seen: list[tuple[bool, int]] = []
    options = Options(
        cache=Cache(),
        transport=httpx2.MockTransport(feed.answer),
        machine=Machine(monotonic=lambda: world.now, sleep=world.sleep, draw=lambda: 0.5),
    )

    async with AsyncClient("http://s", "k", organization="acme", options=options) as client:

        async def ask() -> None:
            found = await client.decide(*ASK)
            assert isinstance(found, Allow)
            seen.append((found.cached, feed.decided))

        await ask()
        await feed.polled.wait()
        await ask()
        await feed.tell(page(7))
        await ask()
        await ask()
        feed.revision = 8
        await feed.tell(page(8))
        await ask()
        await ask()
        await feed.tell(busy())
        await ask()
        await ask()
        await feed.tell(page(8))
        await ask()
        await ask()
    return seen


def test_the_cache_answers_only_while_its_feed_works() -> None:
    """Not before the feed has begun, nor after a change, nor while it is lost."""
    feed, world = Feed(), World([])
    assert asyncio.run(fed(feed, world)) == [
        *[(False, 1), (False, 2)],
        *[(True, 2), (True, 2)],
        *[(False, 3), (True, 3)],
        *[(False, 4), (False, 5)],
        *[(True, 5), (True, 5)],
    ]
    waits = [poll.rpartition("=")[2] for poll in feed.polls]
    assert waits == ["0", "20", "20", "0", "20"]
    assert [poll.split("&")[0] for poll in feed.polls][-1] == "after=8"


def test_a_feed_that_answers_at_once_is_not_asked_at_once() -> None:
    """A service that stops waits for nobody; nor is one asked that fails."""

    async def hurried() -> list[float]:
        feed, world = Feed(), World([])
        options = Options(
            cache=Cache(),
            transport=httpx2.MockTransport(feed.answer),
            machine=Machine(monotonic=lambda: world.now, sleep=world.sleep, draw=lambda: 0.5),
        )
        async with AsyncClient("http://s", "k", organization="acme", options=options) as client:
            await client.decide(*ASK)
            await feed.polled.wait()
            for response in (page(7), page(7), page(7), busy(), busy(), busy(403), page(7)):
                await feed.tell(response)
        return world.slept

    assert asyncio.run(hurried()) == [0.1, 0.1, 0.1, 0.2, 0.4]
