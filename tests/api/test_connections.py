"""Connections: so many, heads so large, and nobody who dawdles."""

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from http.client import HTTPConnection, HTTPResponse, parse_headers
from typing import Any

import pytest

from grantproof.api import connections
from grantproof.api.app import Application
from grantproof.cli.server import Server, configured
from grantproof.core.limits import HEAD_BYTES_MAX
from grantproof.settings import Settings
from tests.api.service import READ_DOCS, demo_in_memory

PATIENCE_SECONDS = 30
LIMIT = 3
SLOW_SECONDS = 0.3
REQUEST = b"GET /livez HTTP/1.1\r\nHost: localhost\r\n"
POST = (
    b"POST /evaluate HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    b"Content-Length: %d\r\n\r\n"
)
CHUNKED = POST.partition(b"Content-Length")[0] + b"Transfer-Encoding: chunked\r\n\r\n"


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """A server in a thread, where slow is what takes longer than a part of a second."""
    settings = Settings(demo=True, connections_max=LIMIT)
    config = configured(settings)
    config.app, config.factory = Application(settings, composing=demo_in_memory), False
    server = Server(config, drain_seconds=0)
    listener = socket.create_server(("127.0.0.1", 0))
    number = int(listener.getsockname()[1])
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    yield number
    server.should_exit = True
    thread.join(PATIENCE_SECONDS)
    assert not thread.is_alive()


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Head and body must be there in a moment."""
    monkeypatch.setattr(connections, "HEAD_SECONDS_MAX", SLOW_SECONDS)
    monkeypatch.setattr(connections, "BODY_SECONDS_MAX", SLOW_SECONDS)


def opened(port: int) -> socket.socket:
    """A connection."""
    return socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_SECONDS)


def answer(connection: socket.socket) -> tuple[int, Any, HTTPResponse]:
    """What comes on it: the status and the document."""
    response = HTTPResponse(connection)
    response.begin()
    return response.status, json.load(response), response


def documents(connection: socket.socket, count: int) -> Iterator[Any]:
    """The documents of so many answers that come one after the other."""
    with connection.makefile("rb") as stream:
        for _ in range(count):
            stream.readline()
            length = int(parse_headers(stream)["content-length"])
            yield json.loads(stream.read(length))


def is_problem(connection: socket.socket, status: int, code: str) -> HTTPResponse:
    """The response, a problem like any other, after which the connection ends."""
    found, told, response = answer(connection)
    assert (found, told["code"], told["status"]) == (status, code, status)
    assert response.headers["content-type"] == "application/problem+json"
    assert response.headers["connection"] == "close"
    assert response.headers["x-request-id"] == told["request_id"]
    assert connection.recv(1) == b""
    return response


@contextmanager
def alive(port: int) -> Iterator[socket.socket]:
    """A connection that was answered, once the server has seen earlier ones go."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        with closing(opened(port)) as connection:
            connection.sendall(REQUEST + b"\r\n")
            if answer(connection)[0] == 200:
                yield connection
                return
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_so_many_connections_and_no_more(port: int) -> None:
    """The last that may be is answered, one more is told to come again, and so until one goes."""
    with ExitStack() as stack:
        kept = [stack.enter_context(alive(port)) for _ in range(LIMIT)]
        for _ in range(2):
            with closing(opened(port)) as late:
                response = is_problem(late, 503, "too_many_connections")
                assert response.headers["retry-after"] == "1"
        kept[0].sendall(REQUEST + b"\r\n")
        assert answer(kept[0])[0] == 200
        kept[0].close()
        stack.enter_context(alive(port))


@pytest.mark.parametrize("piece", [10_000, 10_000_000])
@pytest.mark.parametrize("more", [-1, 0, 1])
def test_a_head_may_be_so_large(port: int, more: int, piece: int) -> None:
    """At n-1, n and n+1, in pieces and at once."""
    size = HEAD_BYTES_MAX + more
    name = b"X-Long: "
    head = REQUEST + name + b"a" * (size - len(REQUEST + name) - 4) + b"\r\n\r\n"
    assert len(head) == size
    with alive(port) as connection:
        for start in range(0, size, piece):
            connection.sendall(head[start : start + piece])
            time.sleep(0.001)
        if more > 0:
            is_problem(connection, 431, "head_too_large")
        else:
            assert answer(connection)[0] == 200


def test_headers_without_end_are_not_kept(port: int) -> None:
    """Many small ones count as one large one does."""
    with alive(port) as connection:
        connection.sendall(REQUEST + b"X: y\r\n" * (HEAD_BYTES_MAX // 6 + 1))
        is_problem(connection, 431, "head_too_large")


@pytest.mark.usefixtures("hurried")
def test_a_head_that_does_not_come_is_not_waited_for(port: int) -> None:
    """408 when it has begun; nothing, when not; also for the second request of a connection."""
    with alive(port) as second, alive(port) as first:
        for connection in (first, second):
            connection.sendall(REQUEST)
        for connection in (first, second):
            is_problem(connection, 408, "too_slow")
    with alive(port), closing(opened(port)) as silent:
        assert silent.recv(1) == b""


@pytest.mark.usefixtures("hurried")
def test_a_body_that_does_not_come_is_not_waited_for(port: int) -> None:
    """408, and what came of it is not acted on."""
    body = json.dumps(READ_DOCS).encode()
    for path in (b"/evaluate", b"/v1/orgs/acme/roles"):
        with alive(port) as connection:
            connection.sendall(POST.replace(b"/evaluate", path) % len(body) + body[:-1])
            is_problem(connection, 408, "too_slow")
    with alive(port) as connection:
        connection.sendall(POST % len(body) + body)
        assert answer(connection)[0] == 200


@pytest.mark.usefixtures("hurried")
def test_who_waits_for_an_answer_is_not_slow(port: int) -> None:
    """A long poll takes longer than a head may."""
    connection = HTTPConnection("127.0.0.1", port, timeout=PATIENCE_SECONDS)
    with closing(connection):
        connection.request("GET", "/v1/orgs/acme/events?after=1&wait=2")
        assert connection.getresponse().status == 200


@pytest.mark.parametrize(
    "text",
    [
        b"nonsense\r\n\r\n",
        b"GET / HTTP/1.1\r\nA\x00: b\r\n\r\n",
        (POST % 5)[:-2] + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        (POST % 5)[:-2] + b"Content-Length: 6\r\n\r\nabcdef",
        REQUEST + b"Transfer-Encoding: identity\r\n\r\n",
    ],
)
def test_what_is_no_http_is_a_problem_too(port: int, text: bytes) -> None:
    """400 like any other."""
    with alive(port) as connection:
        connection.sendall(text)
        is_problem(connection, 400, "invalid")


def test_no_upgrade_is_taken(port: int) -> None:
    """There is nothing here to speak a WebSocket with: the request is one like any other."""
    upgrade = b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\r\n"
    with alive(port) as connection:
        connection.sendall(REQUEST + upgrade)
        assert answer(connection)[0] == 200


def test_a_body_that_breaks_off_is_a_problem_too(port: int) -> None:
    """400 when its request has no answer yet, and no second answer when it has one."""
    with alive(port) as connection:
        connection.sendall(CHUNKED + b"2\r\n[]\r\n")
        time.sleep(0.05)
        connection.sendall(b"zz\r\n")
        is_problem(connection, 400, "invalid")
    with alive(port) as connection:
        connection.sendall(CHUNKED.replace(b"/evaluate", b"/nowhere") + b"2\r\n[]\r\n")
        assert answer(connection)[0] == 404
        connection.sendall(b"zz\r\n")
        with suppress(ConnectionError):
            assert connection.recv(1) == b""


OFFER = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMA\r\n\r\n"
"""How clients in Java offer HTTP/2 with every first request of a connection."""


@pytest.mark.parametrize("is_chunked", [False, True])
@pytest.mark.parametrize("apart", [False, True])
def test_an_offered_upgrade_takes_no_body_away(port: int, *, is_chunked: bool, apart: bool) -> None:
    """The body is that of its request, whenever it comes, and so is that of the next one."""
    body = json.dumps(READ_DOCS).encode()
    head = (POST % len(body))[:-2] + OFFER
    if is_chunked:
        head, body = CHUNKED[:-2] + OFFER, b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)
    pieces = [head, body, head, body] if apart else [(head + body) * 2]
    with alive(port) as connection:
        for piece in pieces:
            connection.sendall(piece)
            time.sleep(0.02)
        assert [told["decision"] for told in documents(connection, 2)] == ["Allow", "Allow"]


def test_a_body_behind_an_offered_upgrade_is_no_request(port: int) -> None:
    """Whoever wrote the body is not who sends the request: what is written there is not asked."""
    inside = b"GET /v1/orgs/acme HTTP/1.1\r\nHost: localhost\r\n\r\n"
    with alive(port) as connection:
        connection.sendall((POST % len(inside))[:-2] + OFFER)
        connection.sendall(inside + REQUEST + b"\r\n")
        first, second = documents(connection, 2)
        assert (first["code"], second) == ("malformed_json", {"status": "live"})


def test_offers_one_after_the_other_are_all_answered(port: int) -> None:
    """Many in one piece, and no answer is missing."""
    with alive(port) as connection:
        connection.sendall((REQUEST + OFFER) * 300)
        assert list(documents(connection, 300)) == [{"status": "live"}] * 300


def test_nothing_is_connected_to(port: int) -> None:
    """What would follow is another's protocol: nothing of it is read as a request."""
    with alive(port) as connection:
        connection.sendall(
            b"CONNECT /livez HTTP/1.1\r\nHost: localhost\r\n\r\n" + REQUEST + b"\r\n"
        )
        is_problem(connection, 400, "invalid")


LAST = b"0\r\n"
TRAILER = b"X-After: " + b"y" * 100 + b"\r\n"
TRAILERS = TRAILER * (4 * HEAD_BYTES_MAX // len(TRAILER))


@pytest.mark.parametrize("is_chunked", [False, True])
def test_a_body_in_pieces_may_be_larger_than_a_head(port: int, *, is_chunked: bool) -> None:
    """Of what follows the headers only that is bounded so which is no body."""
    body = json.dumps(READ_DOCS).encode() + b" " * 3 * HEAD_BYTES_MAX
    parts = [body[start : start + 10_000] for start in range(0, len(body), 10_000)]
    head = POST % len(body)
    if is_chunked:
        head, parts = CHUNKED, [b"%x\r\n%b\r\n" % (len(part), part) for part in parts]
        parts.append(LAST + b"\r\n")
    with alive(port) as connection:
        for piece in (head, *parts):
            connection.sendall(piece)
            time.sleep(0.001)
        assert answer(connection)[1]["decision"] == "Allow"


def test_what_was_answered_is_not_remembered(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """However often somebody asks twice at once, on a connection that stays."""
    made, begin = list[connections.Connection](), connections.Connection.connection_made

    def noted(self: connections.Connection, transport: Any) -> None:
        made.append(self)
        begin(self, transport)

    monkeypatch.setattr(connections.Connection, "connection_made", noted)
    with alive(port) as connection:
        for _ in range(5):
            connection.sendall((REQUEST + b"\r\n") * 2)
            assert list(documents(connection, 2)) == [{"status": "live"}] * 2
        assert len(made[-1]._before) <= 1  # noqa: SLF001 - nobody else tells what is remembered


@pytest.mark.parametrize("fields", [TRAILERS, b"X-After: " + b"y" * len(TRAILERS)])
def test_fields_after_a_body_are_not_kept_without_end(port: int, fields: bytes) -> None:
    """As many as may be in a head, many small ones or a large one."""
    with alive(port) as connection:
        connection.sendall(CHUNKED + LAST)
        for start in range(0, len(fields), 10_000):
            try:
                connection.sendall(fields[start : start + 10_000])
            except OSError:
                break
            time.sleep(0.001)
        is_problem(connection, 431, "head_too_large")


def test_fields_after_the_body_of_an_answered_request_end_the_connection(port: int) -> None:
    """Whoever is refused before the body is read may not go on for ever, nor gets two answers."""
    with alive(port) as connection:
        connection.sendall(CHUNKED.replace(b"/evaluate", b"/nowhere") + LAST)
        assert answer(connection)[0] == 404
        with pytest.raises(ConnectionError):
            connection.sendall(TRAILERS * 100)


def test_some_fields_after_a_body_are_passed_over(port: int) -> None:
    """They are no headers, and the next request is answered."""
    body = json.dumps(READ_DOCS).encode()
    chunk = b"%x\r\n%b\r\n" % (len(body), body)
    with alive(port) as connection:
        connection.sendall(CHUNKED + chunk + LAST + TRAILER * 9 + b"\r\n")
        assert answer(connection)[1]["decision"] == "Allow"
        connection.sendall(REQUEST + b"\r\n")
        assert answer(connection)[0] == 200


@pytest.mark.parametrize("path", ["/livez", "/openapi.json", "/v1/orgs/acme/roles", "/nowhere"])
def test_a_head_is_answered_without_a_body_and_the_connection_goes_on(
    port: int, path: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The length of the body is told, no byte of it sent, and nothing is logged as a failure."""
    connection = HTTPConnection("127.0.0.1", port, timeout=PATIENCE_SECONDS)
    with closing(connection):
        connection.request("HEAD", path)
        told = connection.getresponse()
        assert told.read() == b""
        kept = connection.sock
        connection.request("GET", path)
        whole = connection.getresponse()
        assert (whole.status, len(whole.read())) == (
            told.status,
            int(told.headers["content-length"]),
        )
        assert whole.headers["content-type"] == told.headers["content-type"]
        assert connection.sock is kept is not None
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []
