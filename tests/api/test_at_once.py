"""A plain question is answered where it arrives, and as it would be in front of the router."""

import json
import shutil
import socket
import threading
import time
from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from grantproof.adapters.memory import MemoryStore
from grantproof.api.app import Application
from grantproof.api.at_once import Answered, AtOnce
from grantproof.api.pacing import Pacing
from grantproof.api.sending import RawHeaders
from grantproof.cli.server import Server, configured
from grantproof.service.callers import Scope
from grantproof.service.keyring import KeyRequest
from grantproof.service.ports import Store
from tests.api.service import OPERATORS, READ_DOCS, Json, application_over, new_key, settings_of

PATIENCE_SECONDS = 30
QUESTION: Json = {**READ_DOCS, "weekday": 2}
LARGE_BYTES = 1_024
PASSING = ("date", "x-request-id")
"""Headers that differ from one request to the next."""


class Noting:
    """Answers at once as it is answered, and notes whether it was."""

    def __init__(self, at_once: AtOnce) -> None:
        self._at_once = at_once
        self.noted: list[bool] = []

    def answer(self, headers: RawHeaders, body: bytes) -> Answered | None:
        """The answer."""
        answered = self._at_once.answer(headers, body)
        self.noted.append(answered is not None)
        return answered


@dataclass(frozen=True)
class Reply:
    """What came back."""

    status: int
    headers: tuple[tuple[str, str], ...]
    document: Json

    def lasting(self) -> "Reply":
        """The reply without what differs from one request to the next."""
        document = {
            name: value
            for name, value in self.document.items()
            if name not in {"decided_at", "request_id"}
        }
        kept = tuple(header for header in self.headers if header[0] not in PASSING)
        return Reply(self.status, kept, document)


@dataclass
class Line:
    """A service that listens, and how it may be asked."""

    application: Application
    port: int
    key: str
    noting: Noting = field(init=False)

    def __post_init__(self) -> None:
        at_once = self.application.at_once
        assert at_once is not None
        self.noting = Noting(at_once)
        self.take_notes(on=True)

    def take_notes(self, *, on: bool) -> None:
        """Answer at once and note it, or answer nothing so."""
        replaced: Any = self.noting if on else None
        self.application.at_once = replaced

    def head(self, *more: bytes, length: int | None = None, target: bytes = b"/evaluate") -> bytes:
        """The head of a question with the key, with `more` headers."""
        own = [b"Authorization: Bearer " + self.key.encode(), b"Content-Type: application/json"]
        framed = [] if length is None else [b"Content-Length: %d" % length]
        first = [b"POST " + target + b" HTTP/1.1", b"Host: localhost"]
        return b"\r\n".join([*first, *own, *framed, *more, b"", b""])

    def asked(self, body: bytes, *more: bytes) -> bytes:
        """A whole request."""
        return self.head(*more, length=len(body)) + body

    def replies(self, *pieces: bytes, count: int = 1) -> list[Reply]:
        """The replies to what is sent on one connection, each piece a while after the other."""
        address = ("127.0.0.1", self.port)
        with closing(socket.create_connection(address, timeout=PATIENCE_SECONDS)) as connection:
            for at, piece in enumerate(pieces):
                time.sleep(0.05 * min(at, 1))
                connection.sendall(piece)
            received, found = b"", list[Reply]()
            while len(found) < count:
                reply, received = parsed(received)
                if reply is not None:
                    found.append(reply)
                    continue
                part = connection.recv(65_536)
                assert part != b"", "the connection ended before everything was answered"
                received += part
            assert received == b""
            return found

    def in_both_ways(self, *pieces: bytes) -> tuple[Reply, bool]:
        """The reply, the same in both ways, and whether it was given at once."""
        self.noting.noted.clear()
        (first,) = self.replies(*pieces)
        at_once = self.noting.noted == [True]
        self.take_notes(on=False)
        (second,) = self.replies(*pieces)
        self.take_notes(on=True)
        assert first.lasting() == second.lasting()
        assert [name for name, _ in first.headers] == [name for name, _ in second.headers]
        return first, at_once


def parsed(received: bytes) -> tuple[Reply | None, bytes]:
    """The first reply in what was received, if it is whole, and the rest."""
    head, ended, rest = received.partition(b"\r\n\r\n")
    if not ended:
        return None, received
    first, *lines = head.decode().split("\r\n")
    status = int(first.split()[1])
    if status == 100:
        return parsed(rest)
    headers = tuple((name, value) for name, _, value in (line.partition(": ") for line in lines))
    length = int(dict(headers)["content-length"])
    if len(rest) < length:
        return None, received
    return Reply(status, headers, json.loads(rest[:length])), rest[length:]


@contextmanager
def listening(
    store: Store | None = None, wanted: KeyRequest = OPERATORS, **settings: Any
) -> Iterator[Line]:
    """A server in a thread over a store that holds `acme`, once it has answered a question."""
    kept = MemoryStore() if store is None else store
    chosen = settings_of(**settings)
    application = application_over(kept, chosen)
    config = configured(chosen)
    config.app, config.factory = application, False
    server = Server(config, drain_seconds=0)
    key = new_key(kept, wanted)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = int(listener.getsockname()[1])
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            wait_until(lambda: application.at_once is not None)
            line = Line(application, port, key)
            # What is asked first has to be loaded.
            line.replies(line.asked(written()))
            yield line
        finally:
            server.should_exit = True
            thread.join(PATIENCE_SECONDS)
    assert not thread.is_alive()


def wait_until(condition: Callable[[], bool]) -> None:
    """Wait for something that takes a moment."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def has_lines(folder: Path) -> bool:
    """Whether something of a decision log is written there."""
    return any(file.stat().st_size > 0 for file in folder.iterdir())


@pytest.fixture(scope="module")
def line() -> Iterator[Line]:
    """A service whose key may ask and supply the context."""
    with listening() as found:
        yield found


def written(**changed: Any) -> bytes:
    """The body of the question, with some fields changed."""
    return json.dumps({**QUESTION, **changed}).encode()


@pytest.mark.parametrize(
    ("changed", "decision"),
    [
        ({}, "Allow"),
        ({"hour": 22}, "Deny"),
        ({"action": "fly"}, "Deny"),
        ({"principal_id": "nobody"}, "Deny"),
        ({"resource_id": "nothing"}, "Deny"),
        ({"explain": True}, "Allow"),
        ({"active_roles": []}, "Deny"),
        ({"at_least_revision": 1}, "Allow"),
        ({"attributes": {"a": 1}}, "Allow"),
    ],
)
def test_a_plain_question_is_answered_at_once_and_as_ever(
    line: Line, changed: Json, decision: str
) -> None:
    """Allowed, denied for any reason, looked at closely: the same headers, the same document."""
    reply, at_once = line.in_both_ways(line.asked(written(**changed)))
    assert (reply.status, reply.document["decision"], at_once) == (200, decision, True)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (written(principal_id="?"), "invalid"),
        (written(nothing=1), "invalid"),
        (b"{", "malformed_json"),
        (b"", "malformed_json"),
        (written(org_id="?"), "invalid"),
        (written(region="?"), "invalid"),
        (written(at_least_revision=2**40), "revision_not_reached"),
    ],
)
def test_what_is_refused_is_refused_in_one_place(line: Line, body: bytes, code: str) -> None:
    """In front of the router, which tells why."""
    reply, at_once = line.in_both_ways(line.asked(body))
    assert (reply.document["code"], at_once) == (code, False)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ([b"Content-Type: application/json"], 401),
        ([b"Authorization: Bearer KEY", b"Content-Type: text/plain"], 415),
        ([b"Authorization: Bearer KEY"], 415),
        ([b"Authorization: Bearer KEY0", b"Content-Type: application/json"], 401),
        ([b"Authorization: Bearer KEY"] * 2 + [b"Content-Type: application/json"], 401),
        ([b"Authorization: bearer KEY", b"Content-Type: application/json"], 200),
        ([b"Authorization: Bearer KEY", b"Content-Type: application/json; charset=utf-8"], 200),
        ([b"Authorization: Bearer KEY", b"Content-Type: application/json", b"A: b", b"A: c"], 200),
    ],
)
def test_headers_that_are_not_plain_are_read_in_front(
    line: Line, headers: Sequence[bytes], status: int
) -> None:
    """A credential that is missing, wrong or there twice; a type that is none, or says more."""
    body = written()
    own = [header.replace(b"KEY", line.key.encode()) for header in headers]
    first = [b"POST /evaluate HTTP/1.1", b"Host: localhost", b"Content-Length: %d" % len(body)]
    reply, at_once = line.in_both_ways(b"\r\n".join([*first, *own, b"", body]))
    assert (reply.status, at_once) == (status, False)


@pytest.mark.parametrize(
    ("old", "new", "status"),
    [
        (b"POST /evaluate ", b"PUT /evaluate ", 405),
        (b"POST /evaluate ", b"POST /evaluate?a=b ", 200),
        (b"POST /evaluate ", b"POST /evalu%61te ", 200),
        (b"HTTP/1.1", b"HTTP/1.0", 200),
        (b"Host:", b"Connection: close\r\nHost:", 200),
        (b"Host:", b"Expect: 100-continue\r\nHost:", 200),
    ],
)
def test_a_request_that_is_not_plain_is_answered_in_front(
    line: Line, old: bytes, new: bytes, status: int
) -> None:
    """By its method, its address, its version, or what it wants of the connection."""
    reply, _ = line.in_both_ways(line.asked(written()).replace(old, new))
    assert reply.status == status
    assert line.noting.noted == []


def test_an_offered_upgrade_is_passed_over(line: Line) -> None:
    """What is left without it is a plain question."""
    offer = [b"Connection: Upgrade, HTTP2-Settings", b"Upgrade: h2c", b"HTTP2-Settings: AAMA"]
    reply, at_once = line.in_both_ways(line.asked(written(), *offer))
    assert (reply.document["decision"], at_once) == ("Allow", True)


def test_a_body_that_comes_later_is_waited_for_in_front(line: Line) -> None:
    """Who calls is found out before: a stranger is refused although the body never comes."""
    request = line.asked(written())
    reply, at_once = line.in_both_ways(request[:-5], request[-5:])
    assert (reply.status, at_once) == (200, False)
    stranger = line.head(length=1_000).replace(line.key.encode(), b"nobody") + b"{"
    (refused,) = line.replies(stranger)
    assert refused.status == 401


def test_chunks_that_are_there_are_one_body(line: Line) -> None:
    """However it is framed, a whole body is a whole body."""
    body = written()
    chunks = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in (body[:9], body[9:]))
    head = line.head(b"Transfer-Encoding: chunked")
    reply, at_once = line.in_both_ways(head + chunks + b"0\r\n\r\n")
    assert (reply.document["decision"], at_once) == ("Allow", True)


@pytest.mark.parametrize("apart", [False, True])
def test_what_follows_a_body_is_no_header(line: Line, *, apart: bool) -> None:
    """No credential, no type and no id comes from there, however the request arrives."""
    body = written()
    head = b"POST /evaluate HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n"
    typed = b"Content-Type: application/json\r\n"
    key = b"Authorization: Bearer " + line.key.encode() + b"\r\n"
    chunks = b"%x\r\n%b\r\n0\r\n" % (len(body), body)
    for before, after, status in [
        (typed, key, 401),
        (key, typed, 415),
        (typed + key, b"X-Request-ID: after\r\n" + key, 200),
    ]:
        pieces = [head + before + b"\r\n", chunks + after + b"\r\n"]
        (reply,) = line.replies(*(pieces if apart else [b"".join(pieces)]))
        assert reply.status == status
        assert dict(reply.headers)["x-request-id"] != "after"


def test_a_broken_body_is_no_question(line: Line) -> None:
    """What is no HTTP any more is refused once, and the connection ends."""
    (refused,) = line.replies(line.head(b"Transfer-Encoding: chunked") + b"zz\r\n")
    assert (refused.status, refused.document["code"]) == (400, "invalid")


def test_questions_behind_one_another_are_answered_in_their_order(line: Line) -> None:
    """One of them at once: the others wait, so that other connections get their turn."""
    line.noting.noted.clear()
    hours = [10, 22, 10, 22]
    sent = b"".join(line.asked(written(hour=hour)) for hour in hours)
    replies = line.replies(sent, sent, count=8)
    assert [reply.document["decision"] for reply in replies] == ["Allow", "Deny"] * 4
    assert line.noting.noted.count(True) in {1, 2}
    assert len(line.noting.noted) <= 2


def test_the_id_of_a_request_is_kept(line: Line) -> None:
    """One that the caller names is told again; one that is nonsense is replaced."""
    reply, at_once = line.in_both_ways(line.asked(written(), b"X-Request-ID: mine"))
    assert (dict(reply.headers)["x-request-id"], at_once) == ("mine", True)
    reply, at_once = line.in_both_ways(line.asked(written(), b"X-Request-ID: a b"))
    assert (dict(reply.headers)["x-request-id"] != "a b", at_once) == (True, True)
    first, second = line.replies(line.asked(written()), line.asked(written()), count=2)
    assert dict(first.headers)["x-request-id"] != dict(second.headers)["x-request-id"]


def test_a_key_that_may_not_ask_is_refused_in_front() -> None:
    """Though it may do all else, supply the context too."""
    other = replace(OPERATORS, scopes=frozenset(Scope) - {Scope.EVALUATE})
    with listening(wanted=other) as line:
        reply, at_once = line.in_both_ways(line.asked(written()))
        assert (reply.status, at_once) == (403, False)


def test_a_body_too_large_is_refused_in_front() -> None:
    """At n and n+1 bytes."""
    body = written().ljust(LARGE_BYTES)
    with listening(body_bytes_max=LARGE_BYTES) as line:
        assert line.in_both_ways(line.asked(body))[1]
        reply, at_once = line.in_both_ways(line.asked(body + b" "))
        assert (reply.status, at_once) == (413, False)


def test_who_is_paced_is_counted_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A credential pays once for each request, in front of the router."""
    counted, count = list[object](), Pacing.request

    def counting(pacing: Pacing, credential: Hashable) -> None:
        counted.append(credential)
        count(pacing, credential)

    monkeypatch.setattr(Pacing, "request", counting)
    with listening(rate_limit=1_000) as line:
        assert line.replies(line.asked(written()))[0].status == 200
        assert line.noting.noted == [False, False]
        assert len(counted) == 2


def test_counters_and_sessions_are_read_in_front(line: Line) -> None:
    """What is not followed yet takes waiting; once it is, the next is answered at once."""
    unread = line.asked(json.dumps({**QUESTION, "usage": None}).encode())
    (first,) = line.replies(unread)
    again, at_once = line.in_both_ways(unread)
    assert (first.lasting().document, at_once) == (again.lasting().document, True)
    unknown = line.asked(written(session_id="s" * 22))
    reply, at_once = line.in_both_ways(unknown)
    assert (reply.document["reason_code"], at_once) == ("no_session", False)


def test_it_is_counted_as_ever() -> None:
    """Requests and decisions: the same metrics move by the same."""
    moved = []
    # Which decisions are made twice is chance: none of these.
    with listening(contracts_shadow=0, contracts_certificates=0) as line:
        for at_once in (True, False):
            line.take_notes(on=at_once)
            before = counts(line)
            for changed in ({}, {"hour": 22}, {"nothing": 1}):
                line.replies(line.asked(written(**changed)))
            after = counts(line)
            moved.append({name: after[name] - before.get(name, 0) for name in after})
    assert moved[0] == moved[1]
    assert sum(moved[0].values()) > 0


def counts(line: Line) -> dict[str, float]:
    """What the metrics count, but for the requests for them."""
    request = line.head(target=b"/metrics").replace(b"POST", b"GET")
    address = ("127.0.0.1", line.port)
    with closing(socket.create_connection(address, timeout=PATIENCE_SECONDS)) as connection:
        connection.sendall(request.replace(b"Host", b"Connection: close\r\nHost"))
        parts = list(iter(lambda: connection.recv(65_536), b""))
    lines = [one for one in b"".join(parts).decode().splitlines() if "grantproof_" in one]
    values = [one.rpartition(" ") for one in lines if not one.startswith("#")]
    wanted = ("_total", "_count", "_total}", "_count}")
    return {
        name: float(value)
        for name, _, value in values
        if name.partition("{")[0].endswith(wanted) and "metrics" not in name
    }


def test_an_entry_is_kept_of_each(tmp_path: Path) -> None:
    """Once, and the same, in whichever way it was answered."""
    with listening(decision_log=tmp_path) as line:
        for changed in ({}, {"hour": 22}, {"explain": True}):
            _, at_once = line.in_both_ways(line.asked(written(**changed)))
            assert at_once
    texts = [path.read_text() for path in sorted(tmp_path.iterdir())]
    entries = [json.loads(text) for whole in texts for text in whole.splitlines()][1:]
    assert len({entry.pop("request_id") for entry in entries}) == len(entries) == 6
    for entry in entries:
        del entry["instant"]
    assert entries[0::2] == entries[1::2]


def test_who_leaves_is_told_so_in_front(line: Line) -> None:
    """Told to stop, it asks every caller to leave the connection."""
    with listening() as ending:
        assert ending.in_both_ways(ending.asked(written()))[1]
        ending.application.drain()
        (reply,) = ending.replies(ending.asked(written()))
        assert dict(reply.headers)["connection"] == "close"
        assert ending.noting.noted == [True]
    assert ending.application.at_once is None
    assert line.in_both_ways(line.asked(written()))[1]


def test_the_demo_answers_in_front() -> None:
    """There it is looked whether the request is for this machine."""
    with listening(demo=True) as line:
        reply, at_once = line.in_both_ways(line.asked(written()))
        assert (reply.status, at_once) == (200, False)
        elsewhere = line.asked(written()).replace(b"Host: localhost", b"Host: example.org")
        reply, at_once = line.in_both_ways(elsewhere)
        assert (reply.document["code"], at_once) == ("wrong_host", False)


def test_nothing_is_answered_that_the_log_has_no_room_for(tmp_path: Path) -> None:
    """It waits or is refused in front, as the setting says; what may be dropped is answered."""
    for overflow, status in (("refuse", 503), ("drop", 200)):
        folder = tmp_path / overflow
        wanted: Json = {"decision_log_queue": 1, "decision_log_overflow": overflow}
        with listening(decision_log=folder, **wanted) as line:
            # Else the writer might make its file while the folder is taken away.
            wait_until(partial(has_lines, folder))
            shutil.rmtree(folder)
            line.replies(line.asked(written()))
            reply, at_once = line.in_both_ways(line.asked(written()))
            assert (reply.status, at_once) == (status, status == 200)
