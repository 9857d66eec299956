"""The client of the HTTP service for programs without an event loop.

It is the other client, on an event loop of its own in a thread of its own: a blocking socket keeps
no deadline against a name that is not found or headers that come byte by byte, a loop does.
"""

import asyncio
import os
import threading
from collections.abc import Coroutine, Sequence
from types import TracebackType
from typing import Any, Final, Self, TypeVar, Unpack

from grantproof.client.asynchronous import ANY_TERMS, DEFAULTS, AsyncClient, Options, Terms
from grantproof.client.questions import Question, Said
from grantproof.client.results import Change, Decision, Document, Finding

Answer = TypeVar("Answer")

CLOSE_SECONDS_MAX: Final = 5.0


class _Thread:
    """An event loop that runs in a thread, and the client that lives on it."""

    def __init__(self, client: AsyncClient) -> None:
        self.client = client
        self.process = os.getpid()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(
            target=self._loop.run_forever, name="grantproof-client", daemon=True
        )
        self._thread.start()

    def run(self, work: "Coroutine[Any, Any, Answer]") -> Answer:
        """Return what comes of the work on the loop; raises what it raises."""
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result()
        except BaseException:
            # Who waits no longer needs no answer.
            future.cancel()
            raise

    def close(self) -> None:
        """End the client and its loop."""
        self.run(self.client.close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(CLOSE_SECONDS_MAX)
        self._loop.close()


class Client:
    """What an `AsyncClient` is, for any thread. Close it, or let `with` do so.

    May be made before a process forks: each process opens connections of its own. Not to be called
    on an event loop, which it would hold up.
    """

    waits = True
    """Whether `decide` holds up the thread that calls it."""

    def __init__(
        self,
        address: str,
        credential: str | None,
        *,
        organization: str,
        options: Options = DEFAULTS,
    ) -> None:
        self.organization = organization
        self._made = (address, credential, organization, options)
        self._lock = threading.Lock()
        self._first: AsyncClient | None = self._new()
        self._thread: _Thread | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the feed, and let the connections go."""
        with self._lock:
            thread, self._thread = self._thread, None
        if thread is not None and thread.process == os.getpid():
            thread.close()

    @property
    def revision(self) -> int:
        """The newest revision of the organization that this client has heard of; 0 for none."""
        return self._running().client.revision

    def decide(
        self,
        principal: str,
        action: str,
        resource: str,
        *,
        at_least_revision: int = 0,
        **said: Unpack[Said],
    ) -> Decision:
        """As `AsyncClient.decide`."""
        question = Question(principal, action, resource, said)
        thread = self._running()
        known = thread.client.remembered(question, at_least=at_least_revision)
        if known is not None:
            return known
        return thread.run(thread.client.ask(question, at_least=at_least_revision))

    def decide_many(
        self, questions: Sequence[Question], *, at_least_revision: int = 0
    ) -> tuple[Decision, ...]:
        """As `AsyncClient.decide_many`."""
        thread = self._running()
        return thread.run(thread.client.decide_many(questions, at_least_revision=at_least_revision))

    def consume(
        self,
        principal: str,
        action: str,
        resource: str,
        *,
        at_least_revision: int = 0,
        key: str | None = None,
        **said: Unpack[Said],
    ) -> Decision:
        """As `AsyncClient.consume`."""
        thread = self._running()
        return thread.run(
            thread.client.consume(
                principal, action, resource, at_least_revision=at_least_revision, key=key, **said
            )
        )

    def explain(
        self,
        principal: str,
        action: str,
        resource: str,
        *,
        at_least_revision: int = 0,
        **said: Unpack[Said],
    ) -> Finding:
        """As `AsyncClient.explain`."""
        thread = self._running()
        return thread.run(
            thread.client.explain(
                principal, action, resource, at_least_revision=at_least_revision, **said
            )
        )

    def who_can(self, action: str, resource: str, *, context: Document | None = None) -> Finding:
        """As `AsyncClient.who_can`."""
        thread = self._running()
        return thread.run(thread.client.who_can(action, resource, context=context))

    def what_can(self, principal: str) -> Finding:
        """As `AsyncClient.what_can`."""
        thread = self._running()
        return thread.run(thread.client.what_can(principal))

    def roles_of(self, principal: str) -> Finding:
        """As `AsyncClient.roles_of`."""
        thread = self._running()
        return thread.run(thread.client.roles_of(principal))

    def assign(
        self,
        principal: str,
        role: str,
        *,
        starts: int | None = None,
        ends: int | None = None,
        terms: Terms = ANY_TERMS,
    ) -> Change:
        """As `AsyncClient.assign`."""
        thread = self._running()
        return thread.run(
            thread.client.assign(principal, role, starts=starts, ends=ends, terms=terms)
        )

    def revoke(self, principal: str, role: str, *, terms: Terms = ANY_TERMS) -> Change:
        """As `AsyncClient.revoke`."""
        thread = self._running()
        return thread.run(thread.client.revoke(principal, role, terms=terms))

    def change(self, commands: Sequence[Document], *, terms: Terms = ANY_TERMS) -> Change:
        """As `AsyncClient.change`."""
        thread = self._running()
        return thread.run(thread.client.change(commands, terms=terms))

    def _running(self) -> _Thread:
        thread = self._thread
        if thread is not None and thread.process == os.getpid():
            return thread
        with self._lock:
            thread = self._thread
            if thread is None or thread.process != os.getpid():
                first, self._first = self._first, None
                thread = self._thread = _Thread(self._new() if first is None else first)
        return thread

    def _new(self) -> AsyncClient:
        address, credential, organization, options = self._made
        return AsyncClient(address, credential, organization=organization, options=options)
