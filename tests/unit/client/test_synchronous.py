"""The client for threads: the other one, on a loop of its own."""

import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx2
import pytest

from grantproof.client import Cache, CallerError, Client, Options, Question
from grantproof.client.results import Allow, Changed, Told

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


class Service:
    """Answers everything, and notes on which threads."""

    def __init__(self) -> None:
        self.paths: list[str] = []
        self.threads: set[int] = set()

    async def answer(self, request: httpx2.Request) -> httpx2.Response:
        """An answer of the kind that the path takes."""
        self.paths.append(request.url.path)
        self.threads.add(threading.get_ident())
        if request.url.path == "/evaluate/batch":
            body: Any = {"items": [ANSWER], "revision": 7, "decided_at": 1_000}
        elif request.url.path.startswith("/evaluate"):
            body = ANSWER
        else:
            body = {"revision": 8}
        if b"nobody" in request.url.raw_path or b"nobody" in await request.aread():
            return httpx2.Response(401, json={"code": "unauthenticated", "detail": "who?"})
        return httpx2.Response(200, json=body, headers={"ETag": '"8"'})

    def client(self, **options: Any) -> Client:
        """A client of it."""
        chosen = Options(timeout_seconds=60, transport=httpx2.MockTransport(self.answer), **options)
        return Client("http://service", "key", organization="acme", options=chosen)


CALLS: list[tuple[Callable[[Client], Any], str, type]] = [
    (lambda one: one.decide(*ASK), "/evaluate", Allow),
    (lambda one: one.decide_many([Question(*ASK)])[0], "/evaluate/batch", Allow),
    (lambda one: one.consume(*ASK), "/evaluate/consume", Allow),
    (lambda one: one.explain(*ASK), "/explain", Told),
    (lambda one: one.who_can("read", "docs"), "/v1/orgs/acme/who-can", Told),
    (lambda one: one.what_can("ann"), "/v1/orgs/acme/principals/ann/abilities", Told),
    (lambda one: one.roles_of("ann"), "/v1/orgs/acme/principals/ann/roles", Told),
    (lambda one: one.assign("ann", "head"), "/v1/orgs/acme/assignments", Changed),
    (lambda one: one.revoke("ann", "head"), "/v1/orgs/acme/changes", Changed),
    (lambda one: one.change([{"type": "X"}]), "/v1/orgs/acme/changes", Changed),
]


def test_every_call_is_made_on_the_thread_of_the_client() -> None:
    """And tells what the other client would."""
    service = Service()
    with service.client() as client:
        found = [type(call(client)) for call, _, _ in CALLS]
        assert client.revision == 8
    assert found == [kind for _, _, kind in CALLS]
    assert service.paths == [path for _, path, _ in CALLS]
    assert len(service.threads) == 1
    assert threading.get_ident() not in service.threads


def test_many_threads_ask_one_client() -> None:
    """Each gets its own answer; what is raised is raised where it was asked."""
    service = Service()
    with service.client() as client, ThreadPoolExecutor(8) as pool:
        names = ["ann", "nobody"] * 20
        asked = [pool.submit(client.decide, name, "read", "docs") for name in names]
        for name, future in zip(names, asked, strict=True):
            if name == "nobody":
                with pytest.raises(CallerError, match="who"):
                    future.result()
            else:
                assert future.result().allowed


def test_what_is_remembered_is_given_without_the_loop() -> None:
    """The cache is asked on the thread that asks."""
    service = Service()
    with service.client(cache=Cache(follows=False)) as client:
        assert [client.decide(*ASK).allowed for _ in range(3)] == [True] * 3
    assert service.paths == ["/evaluate"]


def test_a_client_that_was_closed_can_be_used_again() -> None:
    """And closed again; no thread is left."""
    service, before = Service(), threading.active_count()
    client = service.client()
    client.close()
    for _ in range(2):
        assert client.decide(*ASK).allowed
        client.close()
        client.close()
    assert threading.active_count() == before


def test_another_process_has_connections_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """A thread does not live on in a process that was forked, nor may a socket be shared."""
    service = Service()
    client = service.client()
    assert client.decide(*ASK).allowed
    with monkeypatch.context() as forked:
        forked.setattr(os, "getpid", lambda: -1)
        assert client.decide(*ASK).allowed
        assert len(service.threads) == 2
        client.close()
    # What the process before had is left to it, and keeps none from ending.
    left = [one for one in threading.enumerate() if one.name == "grantproof-client"]
    assert left[-1].daemon
