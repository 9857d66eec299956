"""Latency under a steady load: requests go out by the clock, whether or not answers come back.

A client that waits for an answer before it sends its next request asks nothing while a server
stalls, so its figures leave out those who would have waited: coordinated omission. Here each
request has a time at which it is due, and its latency counts from then, also while no connection
is free to send it.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from time import perf_counter_ns
from typing import Final, cast

import uvloop
from typing_extensions import override

from bench.http_client import Unexpected, answered, request_of
from bench.servers import HOST

NANOSECONDS: Final = 1_000_000_000
CONNECTIONS: Final = 64
PATIENCE_SECONDS: Final = 60
"""A server that is so far behind at half of its throughput has not been measured rightly."""


class Schedule:
    """When each request is due, and how long after that it was answered."""

    def __init__(self, count: int, *, per_second: float, start: int) -> None:
        self.nanoseconds: list[int] = []
        """The latencies of what was answered so far, in the order of the answers."""
        self._count = count
        self._interval = NANOSECONDS / per_second
        self._start = start
        self._next = 0

    @property
    def whole(self) -> bool:
        """Whether every request was answered."""
        return len(self.nanoseconds) == self._count

    def due(self, number: int) -> int:
        """Return the time at which the request of the number is due."""
        return self._start + int(number * self._interval)

    def take(self, now: int) -> int | None:
        """Return the number of the next request, if it is due by now and was not taken yet."""
        if self._next == self._count or self.due(self._next) > now:
            return None
        self._next += 1
        return self._next - 1

    def answered(self, number: int, now: int) -> None:
        """Note that the request was answered now."""
        self.nanoseconds.append(now - self.due(number))


def post_on_schedule(
    port: int, path: str, bodies: list[bytes], *, per_second: float, credential: str = ""
) -> list[int]:
    """Post the bodies at this rate; return the latencies in nanoseconds, from when each was due."""
    requests = [request_of(path, body, credential) for body in bodies]
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_posted(port, requests, per_second=per_second))


async def _posted(port: int, requests: list[bytes], *, per_second: float) -> list[int]:
    loop = asyncio.get_running_loop()
    load = _Load(requests, per_second)
    made = [await loop.create_connection(load.connection, HOST, port) for _ in range(CONNECTIONS)]
    load.begin(loop)
    try:
        await asyncio.wait_for(load.done, len(requests) / per_second + PATIENCE_SECONDS)
    finally:
        for transport, _ in made:
            transport.abort()
    return load.schedule.nanoseconds


class _Load:
    """Looks at the clock all the time, as timers of a loop are too coarse, and sends what is due.

    It takes a processor for itself; the server has another.
    """

    def __init__(self, requests: list[bytes], per_second: float) -> None:
        self._requests = requests
        self._per_second = per_second
        self._waiting: deque[int] = deque()
        self.idle: list[_Connection] = []
        self.schedule = Schedule(0, per_second=per_second, start=0)
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._again: Callable[[], object] = bool

    def connection(self) -> "_Connection":
        """Return a connection that will carry some of it."""
        return _Connection(self)

    def begin(self, loop: asyncio.AbstractEventLoop) -> None:
        """Begin the schedule now."""
        self._again = lambda: loop.call_soon(self._look)
        self.schedule = Schedule(
            len(self._requests), per_second=self._per_second, start=perf_counter_ns()
        )
        self._look()

    def answered(self, number: int, connection: "_Connection") -> None:
        """Note an answer, and give the connection what waits for one."""
        self.schedule.answered(number, perf_counter_ns())
        if self._waiting:
            self._send(self._waiting.popleft(), connection)
        else:
            self.idle.append(connection)
        if self.schedule.whole and not self.done.done():
            self.done.set_result(None)

    def failed(self, why: str) -> None:
        """Give up: latencies of a server that does not answer mean nothing."""
        if not self.done.done():
            self.done.set_exception(Unexpected(why))

    def _look(self) -> None:
        while (number := self.schedule.take(perf_counter_ns())) is not None:
            if self.idle:
                self._send(number, self.idle.pop())
            else:
                self._waiting.append(number)
        if not self.done.done():
            self._again()

    def _send(self, number: int, connection: "_Connection") -> None:
        connection.send(number, self._requests[number])


class _Connection(asyncio.Protocol):
    """One request under way at a time."""

    def __init__(self, load: _Load) -> None:
        self._load = load
        self._transport: asyncio.Transport | None = None
        self._received = b""
        self._number = 0

    def send(self, number: int, request: bytes) -> None:
        """Send the request."""
        self._number = number
        if self._transport is not None:
            self._transport.write(request)

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Be there for what is due."""
        self._transport = cast(asyncio.Transport, transport)
        self._load.idle.append(self)

    @override
    def data_received(self, data: bytes) -> None:
        """Wait until the answer is whole."""
        self._received += data
        try:
            body = answered(self._received)
        except Unexpected as why:
            self._load.failed(str(why))
            return
        if body is not None:
            self._received = b""
            self._load.answered(self._number, self)

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        """Notice a server that hangs up before everything is answered."""
        self._load.failed(f"the server hung up: {exc}")
