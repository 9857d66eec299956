"""A lean HTTP/1.1 client: keep-alive connections, each with one request under way.

It costs the same whichever server answers, so what differs between two runs is the server.
"""

import asyncio
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from time import perf_counter, perf_counter_ns
from typing import Final, cast

import uvloop
from typing_extensions import override

from bench.servers import HOST

OK: Final = b"HTTP/1.1 20"
HEAD_END: Final = b"\r\n\r\n"
LENGTH: Final = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
CHUNKED: Final = re.compile(rb"transfer-encoding: *chunked", re.IGNORECASE)
LAST_CHUNK: Final = b"0\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Exchange:
    """What came back, in the order of the requests, and how long it took.

    Its `repr` is short: the loop's runner asks for it, which for megabytes takes as long as a run.
    """

    seconds: float
    bodies: list[bytes] = field(repr=False)
    nanoseconds: list[int] = field(repr=False)


class Unexpected(Exception):
    """The server answered with something other than 200 or 201, or hung up."""


def answered(received: bytes) -> bytes | None:
    """Return the body of the answer that was received, or nothing while it is not whole.

    Raises `Unexpected` for a whole answer that is neither 200 nor 201.
    """
    head, ended, rest = received.partition(HEAD_END)
    if not ended:
        return None
    length = LENGTH.search(head)
    if length is not None:
        body = rest if len(rest) >= int(length[1]) else None
    elif CHUNKED.search(head):
        body = _joined(rest) if rest.endswith(LAST_CHUNK) else None
    else:
        message = f"an answer without a length: {head.decode()}"
        raise Unexpected(message)
    if body is not None and not head.startswith(OK):
        message = f"{head.decode()}\n{body.decode()}"
        raise Unexpected(message)
    return body


def _joined(chunks: bytes) -> bytes | None:
    """Return what whole chunks hold; nothing if what looks like the last is inside of one."""
    body = b""
    while chunks:
        size, _, rest = chunks.partition(b"\r\n")
        length = int(size, 16)
        if length == 0:
            return body
        if len(rest) < length + 2:
            return None
        body += rest[:length]
        chunks = rest[length + 2 :]
    return None


def post_all(
    port: int, path: str, bodies: list[bytes], *, connections: int, credential: str = ""
) -> Exchange:
    """Post every body to the path, so many at a time as there are connections.

    Every request presents the credential, if there is one.
    """
    requests = [request_of(path, body, credential) for body in bodies]
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_post_all(port, requests, connections=connections))


async def _post_all(port: int, requests: list[bytes], *, connections: int) -> Exchange:
    loop = asyncio.get_running_loop()
    numbered = enumerate(requests)
    exchange = Exchange(0.0, [b""] * len(requests), [0] * len(requests))
    everyone = [_Connection(numbered, exchange, loop.create_future()) for _ in range(connections)]
    started = perf_counter()
    for connection in everyone:
        await loop.create_connection(connection.itself, HOST, port)
    await asyncio.gather(*(connection.done for connection in everyone))
    return Exchange(perf_counter() - started, exchange.bodies, exchange.nanoseconds)


def request_of(path: str, body: bytes, credential: str = "") -> bytes:
    """Return the request that posts a body of JSON to a path, with a credential if there is one."""
    presented = f"Authorization: Bearer {credential}\r\n" if credential else ""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: {HOST}\r\nContent-Type: application/json\r\n"
        f"{presented}Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


class _Connection(asyncio.Protocol):
    """Takes the next request as soon as it has the answer to its last one."""

    def __init__(
        self,
        requests: Iterator[tuple[int, bytes]],
        exchange: Exchange,
        done: asyncio.Future[None],
    ) -> None:
        self._requests = requests
        self._exchange = exchange
        self.done = done
        self._transport: asyncio.Transport | None = None
        self._received = b""
        self._position = 0
        self._started = 0

    def itself(self) -> "_Connection":
        """Return itself: what makes a connection asks for a maker of protocols."""
        return self

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Send the first request."""
        self._transport = cast(asyncio.Transport, transport)
        self._send_next()

    @override
    def data_received(self, data: bytes) -> None:
        """Wait until the answer is whole, keep it, send the next request."""
        self._received = self._received + data if self._received else data
        try:
            body = answered(self._received)
        except Unexpected as why:
            self._fail(str(why))
            return
        if body is None:
            return
        self._exchange.nanoseconds[self._position] = perf_counter_ns() - self._started
        self._exchange.bodies[self._position] = body
        self._received = b""
        self._send_next()

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        """Notice a server that hangs up before everything is answered."""
        self._fail(f"the server hung up: {exc}")

    def _send_next(self) -> None:
        following = next(self._requests, None)
        if self._transport is None or following is None:
            self._finish()
            return
        self._position, request = following
        self._started = perf_counter_ns()
        self._transport.write(request)

    def _finish(self) -> None:
        if not self.done.done():
            self.done.set_result(None)
        if self._transport is not None:
            self._transport.close()

    def _fail(self, why: str) -> None:
        if not self.done.done():
            self.done.set_exception(Unexpected(why))
