"""The client of the HTTP service for programs that run on an event loop."""

import asyncio
import logging
import platform
import ssl
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Final, Self, TypeVar, Unpack
from urllib.parse import quote, urlsplit

import httpx2

from grantproof import __version__
from grantproof.client import exchange
from grantproof.client.exchange import (
    ANSWER_BYTES_MAX,
    BROKEN,
    JSON,
    TIMEOUT,
    UNREACHABLE,
    Call,
    Came,
    Lost,
    Reply,
)
from grantproof.client.machine import THIS_MACHINE, Machine
from grantproof.client.memory import Cache, Memory
from grantproof.client.questions import Question, Said
from grantproof.client.results import (
    Allow,
    Change,
    Changed,
    Decision,
    Deny,
    Document,
    Finding,
    Unanswered,
    Undetermined,
)
from grantproof.client.retrying import Patience

USER_AGENT: Final = f"grantproof-client/{__version__} python/{platform.python_version()}"
FEED_SECONDS_MORE: Final = 5.0
"""So much longer than it is to wait a feed is given to answer."""
FEED_PAUSE: Final = Patience(first_seconds=0.1)
FEED_FAILURES_COUNTED_MAX: Final = 6
"""The pause doubles up to 3.2 seconds."""
PATIENCE: Final = Patience()
SCHEMES: Final = frozenset({"http", "https"})
SAFE_IN_REASON: Final = "".join(chr(one) for one in range(0x20, 0x7F) if chr(one) != "%")

log = logging.getLogger("grantproof.client")

Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class Options:
    """How a client asks.

    `timeout_seconds` is the time for a call in all: name lookup, connection, attempts and pauses.
    With `raises` an `Undetermined` is raised as `Unanswered`. `cache` remembers decisions.
    `request_id` returns the id of the request that the application itself is answering, if there is
    one, so that the logs of both have the same. `verify` has the certificates that are trusted,
    where they are not the system's. `transport` carries requests, in the place of pooled
    connections: for tests.
    """

    timeout_seconds: float = 2.0
    patience: Patience = PATIENCE
    raises: bool = False
    cache: Cache | None = None
    request_id: Callable[[], str | None] | None = None
    connections_max: int = 100
    verify: ssl.SSLContext | None = None
    transport: httpx2.AsyncBaseTransport | None = None
    machine: Machine = THIS_MACHINE


@dataclass(frozen=True, slots=True)
class Terms:
    """On what terms a change is asked for.

    `if_match` is the revision at which it may be made, and at no other. `reason` is kept in the
    event. `key` makes it one change however often it is asked for; one is made when there is none.
    """

    if_match: int | None = None
    reason: str | None = None
    key: str | None = None


DEFAULTS: Final = Options()
ANY_TERMS: Final = Terms()


@dataclass(slots=True)
class _Ended:
    """How the last attempt of a call ended."""

    last: Reply | Lost
    attempts: int = field(default=0)


class AsyncClient:
    """Asks the service at `address` about one organization, under one credential.

    Fails closed: whatever goes wrong, the answer is an `Undetermined`, which allows nothing, or
    with `Options.raises` an exception. `CallerError` is raised when the call itself is wrong. For
    one event loop; close it when it is no longer used, or let `async with` do so.
    """

    waits = False
    """Whether `decide` holds up the thread that calls it."""

    def __init__(
        self,
        address: str,
        credential: str | None,
        *,
        organization: str,
        options: Options = DEFAULTS,
    ) -> None:
        scheme, host = urlsplit(address)[:2]
        if scheme not in SCHEMES or not host:
            message = f"`{address}` is no address of a service: write `https://host:port`"
            raise ValueError(message)
        self.organization = organization
        self._options = options
        self._machine = options.machine
        self.memory = Memory(options.cache)
        self._written = 0
        self._feed: asyncio.Task[None] | None = None
        headers = {"Accept": JSON, "Accept-Encoding": "identity", "User-Agent": USER_AGENT}
        if credential is not None:
            headers["Authorization"] = f"Bearer {credential}"
        # Nothing is sent over a connection that is not encrypted anyway: loading takes long.
        trusted = options.verify if options.verify is not None else scheme == "https"
        self._http = httpx2.AsyncClient(
            base_url=address.rstrip("/"),
            headers=headers,
            timeout=None,
            verify=trusted,
            limits=httpx2.Limits(max_connections=options.connections_max),
            trust_env=False,
            transport=options.transport,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """End the feed, and let the connections go."""
        feed, self._feed = self._feed, None
        if feed is not None:
            feed.cancel()
            await asyncio.gather(feed, return_exceptions=True)
        await self._http.aclose()

    @property
    def revision(self) -> int:
        """The newest revision of the organization that this client has heard of; 0 for none."""
        return self.memory.newest

    # ------------------------------------------------------------ decisions

    async def decide(
        self,
        principal: str,
        action: str,
        resource: str,
        *,
        at_least_revision: int = 0,
        **said: Unpack[Said],
    ) -> Decision:
        """Return whether the principal may do the action on the resource: `POST /evaluate`.

        On a state at least as new as `at_least_revision`, and as this client's own changes.
        """
        question = Question(principal, action, resource, said)
        known = self.remembered(question, at_least=at_least_revision)
        return await self.ask(question, at_least=at_least_revision) if known is None else known

    def remembered(self, question: Question, *, at_least: int = 0) -> Allow | Deny | None:
        """Return the decision that the cache holds, if it may be given; from any thread."""
        needed = max(at_least, self._written)
        return self.memory.look(question, now=self._machine.monotonic(), at_least=needed)

    async def ask(self, question: Question, *, at_least: int = 0) -> Decision:
        """Return the decision of the service, and remember it if there is a cache."""
        asked_at = self._machine.monotonic()
        call = exchange.deciding(self.organization, question, at_least=self._needed(at_least))
        decision = exchange.read_decision(await self._perform(call), question)
        self.memory.keep(question, decision, asked_at=asked_at)
        self._follow()
        return self._closed(decision)

    async def decide_many(
        self, questions: Sequence[Question], *, at_least_revision: int = 0
    ) -> tuple[Decision, ...]:
        """Return decisions at one revision and one instant, in the order of the questions.

        `POST /evaluate/batch`: at most 10,000. A question that is malformed is undetermined, with
        `Options.raises` too: the others are answered.
        """
        if len(questions) == 0:
            return ()
        at_least = self._needed(at_least_revision)
        call = exchange.deciding_many(self.organization, questions, at_least=at_least)
        found = self._closed(exchange.read_decisions(await self._perform(call), questions))
        if isinstance(found, Undetermined):
            return (found,) * len(questions)
        for decision in found:
            if isinstance(decision, Allow | Deny):
                self.memory.observe(decision.revision)
        return found

    async def consume(
        self,
        principal: str,
        action: str,
        resource: str,
        *,
        at_least_revision: int = 0,
        key: str | None = None,
        **said: Unpack[Said],
    ) -> Decision:
        """Decide and count, atomically: `POST /evaluate/consume`; never from the cache.

        `key` makes it one use however often it is asked for; one is made when there is none.
        """
        question = Question(principal, action, resource, said)
        at_least = self._needed(at_least_revision)
        key = self._machine.new_id() if key is None else key
        call = exchange.consuming(self.organization, question, at_least=at_least, key=key)
        decision = exchange.read_decision(await self._perform(call), question)
        if isinstance(decision, Allow | Deny):
            self.memory.observe(decision.revision)
        return self._closed(decision)

    # ------------------------------------------------------------ review

    async def explain(
        self,
        principal: str,
        action: str,
        resource: str,
        *,
        at_least_revision: int = 0,
        **said: Unpack[Said],
    ) -> Finding:
        """Return a decision and everything that bore on it: `POST /explain`, scope `review`."""
        question = Question(principal, action, resource, said)
        at_least = self._needed(at_least_revision)
        return await self._review(
            exchange.explaining(self.organization, question, at_least=at_least)
        )

    async def who_can(
        self, action: str, resource: str, *, context: Document | None = None
    ) -> Finding:
        """Return who is allowed the action, in the context or in any: `POST .../who-can`."""
        body = {"action": action, "resource_id": resource, "context": context}
        return await self._review(exchange.asking(self.organization, "who-can", body=body))

    async def what_can(self, principal: str) -> Finding:
        """Return what the principal can do, in any context: `GET .../principals/{id}/abilities`."""
        segments = ("principals", principal, "abilities")
        return await self._review(exchange.asking(self.organization, *segments))

    async def roles_of(self, principal: str) -> Finding:
        """Return the principal's roles, and how it has them: `GET .../principals/{id}/roles`."""
        return await self._review(
            exchange.asking(self.organization, "principals", principal, "roles")
        )

    # ------------------------------------------------------------ changes

    async def assign(
        self,
        principal: str,
        role: str,
        *,
        starts: int | None = None,
        ends: int | None = None,
        terms: Terms = ANY_TERMS,
    ) -> Change:
        """Let the principal hold the role, from `starts` until `ends` (epoch seconds).

        What this client asks afterwards is answered on a state that has the change.
        """
        assignment = {"principal": principal, "role": role, "from": starts, "until": ends}
        headers = self._terms(terms)
        return await self._change(
            exchange.assigning(self.organization, assignment, headers=headers)
        )

    async def revoke(self, principal: str, role: str, *, terms: Terms = ANY_TERMS) -> Change:
        """Take the role from the principal; `if_match` is the revision of the organization.

        As a change set of one, for a deletion that was made and not heard of cannot be asked for
        again.
        """
        command = {"type": "RevokeRole", "principal": principal, "role": role}
        return await self.change((command,), terms=terms)

    async def change(self, commands: Sequence[Document], *, terms: Terms = ANY_TERMS) -> Change:
        """Make several changes, all or none: `POST .../changes`."""
        headers = self._terms(terms)
        return await self._change(exchange.changing(self.organization, commands, headers=headers))

    # ------------------------------------------------------------ how

    def _needed(self, at_least: int) -> int:
        return max(at_least, self._written)

    def _closed(self, found: Answer) -> Answer:
        if self._options.raises and isinstance(found, Undetermined):
            raise Unanswered(found)
        return found

    def _terms(self, terms: Terms) -> Mapping[str, str]:
        headers = {"Idempotency-Key": self._machine.new_id() if terms.key is None else terms.key}
        if terms.if_match is not None:
            headers["If-Match"] = f'"{terms.if_match}"'
        if terms.reason is not None:
            headers["Grantproof-Reason"] = quote(terms.reason, safe=SAFE_IN_REASON)
        return headers

    async def _review(self, call: Call) -> Finding:
        found = exchange.read_finding(await self._perform(call))
        if not isinstance(found, Undetermined):
            self.memory.observe(found.revision)
        return self._closed(found)

    async def _change(self, call: Call) -> Change:
        found = exchange.read_change(await self._perform(call))
        if isinstance(found, Changed):
            self._written = max(self._written, found.revision)
            self.memory.observe(found.revision)
        return self._closed(found)

    async def _perform(self, call: Call) -> Came:
        """Make the call until it is answered, or the time is over."""
        seconds = self._options.timeout_seconds
        request_id = self._request_id()
        ended = _Ended(Lost(TIMEOUT, f"no answer within {seconds:g} seconds"))
        limit = asyncio.timeout(seconds)
        try:
            async with limit:
                await self._attempts(call, ended, request_id=request_id)
        except TimeoutError:
            if not limit.expired():
                raise
        last = ended.last
        # The service has an id of its own for what it does not take for one.
        known = last.headers.get("x-request-id") if isinstance(last, Reply) else None
        return Came(last, max(ended.attempts, 1), known or request_id)

    def _request_id(self) -> str:
        given = self._options.request_id
        found = None if given is None else given()
        return self._machine.new_id() if found is None else found

    async def _attempts(self, call: Call, ended: _Ended, *, request_id: str) -> None:
        machine, patience = self._machine, self._options.patience
        until = machine.monotonic() + self._options.timeout_seconds
        while True:
            ended.attempts += 1
            came = await self._once(call, request_id)
            ended.last = came
            pause = patience.next_pause(
                call,
                came,
                failed=ended.attempts,
                draw=machine.draw(),
                seconds_left=until - machine.monotonic(),
            )
            if pause is None:
                return
            await machine.sleep(pause)

    async def _once(self, call: Call, request_id: str) -> Reply | Lost:
        headers = {**call.headers, "X-Request-ID": request_id}
        if call.body:
            headers["Content-Type"] = JSON
        try:
            async with self._http.stream(
                call.method, call.path, content=call.body or None, headers=headers
            ) as response:
                body = await _whole(response)
        except (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.ProxyError) as error:
            return Lost(UNREACHABLE, str(error) or type(error).__name__)
        except (httpx2.HTTPError, httpx2.StreamError, OSError, ValueError) as error:
            return Lost(BROKEN, str(error) or type(error).__name__)
        if body is None:
            return Lost(BROKEN, f"an answer of more than {ANSWER_BYTES_MAX} bytes")
        told = {name.lower(): value for name, value in response.headers.items()}
        return Reply(response.status_code, told, body)

    # ------------------------------------------------------------ feed

    def _follow(self) -> None:
        cache = self._options.cache
        if cache is None or not cache.follows or self._feed is not None:
            return
        self._feed = asyncio.create_task(self._fed(cache.wait_seconds))

    async def _fed(self, wait_seconds: int) -> None:
        """Hear of every change, for ever; what is not heard is not believed to be unchanged."""
        failures, wait = 0, 0
        while True:
            began = self._machine.monotonic()
            newest = self.memory.newest
            last = await self._heard(newest, wait)
            told = exchange.read_revision(last)
            if told is None:
                self.memory.lose_feed()
                if failures == 0:
                    why = last.detail if isinstance(last, Lost) else last.problem.detail
                    log.warning("no news of changes, so nothing is given from memory: %s", why)
                failures, wait = min(failures + 1, FEED_FAILURES_COUNTED_MAX), 0
                await self._machine.sleep(
                    FEED_PAUSE.pause_seconds(failures, draw=self._machine.draw())
                )
                continue
            now = self._machine.monotonic()
            self.memory.feed(told, now=now)
            # A service that stops answers at once, and is not to be asked again at once.
            if wait > 0 and told <= newest and now - began < FEED_PAUSE.first_seconds:
                await self._machine.sleep(FEED_PAUSE.first_seconds)
            failures, wait = 0, wait_seconds

    async def _heard(self, after: int, wait_seconds: int) -> Reply | Lost:
        call = exchange.following(self.organization, after=after, wait_seconds=wait_seconds)
        try:
            async with asyncio.timeout(wait_seconds + FEED_SECONDS_MORE):
                return await self._once(call, self._machine.new_id())
        except TimeoutError:
            return Lost(TIMEOUT, "the feed does not answer")


async def _whole(response: httpx2.Response) -> bytes | None:
    """Return the body as it came, or nothing when it is too long."""
    if response.is_stream_consumed:
        # A transport of a test may have it all at once.
        return response.content if len(response.content) <= ANSWER_BYTES_MAX else None
    parts, length = list[bytes](), 0
    async for part in response.aiter_raw():
        length += len(part)
        if length > ANSWER_BYTES_MAX:
            return None
        parts.append(part)
    return b"".join(parts)
