"""Connections: how many there may be, how large the head of a request and how slow all of it.

The server of uvicorn bounds none of these by itself: a caller that sends a byte now and then would
hold a connection for ever, and one that sends headers without end would fill the memory. Nor does
it keep apart what follows a body, and what an offered upgrade leaves unread. And a plain question
that has arrived in one piece is answered here, without a task of its own.
"""

import sys
from collections import deque
from functools import cache
from http import HTTPStatus
from typing import Any, Final

from httptools import HttpParserError, HttpParserUpgrade
from typing_extensions import override
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from grantproof.adapters.request_ids import RequestIds
from grantproof.api.at_once import METHOD, TARGET, Answered, AtOnce
from grantproof.api.problems import MEDIA_TYPE, Fault, Problem, invalid, later
from grantproof.api.sending import RawHeaders
from grantproof.core.limits import BODY_SECONDS_MAX, HEAD_BYTES_MAX, HEAD_SECONDS_MAX

REFUSED_MAX: Final = 256
"""So many connections too many are told so at once; further ones are closed without a word."""
REFUSED_SECONDS: Final = 1.0
"""How long a refused connection is kept, so that its caller can read why."""

TOO_MANY: Final = later("too_many_connections", "too many connections are open: try again")
SLOW_HEAD: Final = Problem(
    "too_slow", f"the headers must arrive within {HEAD_SECONDS_MAX} seconds: try again"
)
SLOW_BODY: Final = Problem(
    "too_slow", f"the body must arrive within {BODY_SECONDS_MAX} seconds: try again"
)
LARGE_HEAD: Final = Problem(
    "head_too_large", f"the headers must have at most {HEAD_BYTES_MAX} bytes together: send fewer"
)
LARGE_TRAILERS: Final = Problem(
    "head_too_large",
    f"the fields after the body must have at most {HEAD_BYTES_MAX} bytes together: send fewer",
)
NO_HTTP: Final = invalid([Fault("request", "must be HTTP/1.1")])

ANSWER: Final = (
    b"HTTP/1.1 200 OK\r\n%bcontent-type: application/json\r\nx-request-id: %b\r\n"
    b"content-length: %d\r\ncache-control: no-store\r\n\r\n%b"
)
"""What is written of a plain question: the headers that the server adds, the id, the answer."""

CONNECT: Final = b"CONNECT"
UPGRADE: Final = b"upgrade"

LINE_EXTRA: Final = len("  HTTP/1.1\r\n")
FIELD_EXTRA: Final = len(": \r\n")
END_EXTRA: Final = len("\r\n")


@cache
def _ids() -> RequestIds:
    """Return what makes the ids of this process: not those of the one that it was forked from."""
    return RequestIds()


class Connection(HttpToolsProtocol):
    """One connection; those that are too many or too slow are told so and closed."""

    refused: "set[Connection]" = set()  # noqa: RUF012 - all connections of the process share it
    added: tuple[object, bytes] = (None, b"")
    """The headers that the server adds to every answer, as it has them and as they are written."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        # Counted here: the server would say nothing but `Service Unavailable`.
        self._connections_max = self.limit_concurrency or sys.maxsize
        self.limit_concurrency = None
        self._waits_since: float | None = None
        """Since when its caller has to send what ends the head or the body."""
        self._head_bytes: int | None = 0
        """How much of a head is there; nothing in what follows it."""
        self._unread_bytes = 0
        """How much came of what follows the head, since the last part of the body."""
        self._fields: RawHeaders = []
        """The headers of the request, once all of them are there."""
        is_bare = not self.config.access_log and self.root_path == ""
        self._application = _serving(self.app) if is_bare else None
        self._plain: AtOnce | None = None
        """What may answer the request that arrives, while it is a plain question."""
        self._question = b""
        """What is there of its body."""
        self._has_answered = False
        self._before: deque[RequestResponseCycle] = deque()
        """The requests that others came behind before they were answered, in their order."""

    @override
    def connection_made(self, transport: Any) -> None:
        """Begin to listen, or refuse to."""
        super().connection_made(transport)
        self._waits_since = self.loop.time()
        if len(self.connections) > self._connections_max:
            self.connections.discard(self)
            self._refuse(TOO_MANY)

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        """Forget it."""
        self.refused.discard(self)
        for cycle in self._before:
            # The server tells the last one only: the others would wait on, and write to nobody.
            cycle.disconnected = not cycle.response_complete
            cycle.message_event.set()
        super().connection_lost(exc)

    @override
    def data_received(self, data: bytes) -> None:
        """Read on, unless it was refused or the head has become too large."""
        if self in self.refused:
            return
        self._has_answered = False
        if self._head_bytes is None:
            self._unread_bytes += len(data)
        else:
            self._head_bytes += len(data)
        self._unset_keepalive_if_required()
        try:
            self._read(data)
        except HttpParserError:
            self._refuse_broken()
        if self._plain is not None:
            # The rest may take long, and whoever sends it has to be known first.
            self._pass_on()
        if self._is_too_large():
            self._refuse(LARGE_HEAD)
        elif self._head_bytes is None and self._unread_bytes > HEAD_BYTES_MAX:
            self._give_up(LARGE_TRAILERS)

    @override
    def on_headers_complete(self) -> None:
        """Go on with the request, if its head is not too large."""
        received, self._head_bytes = self._head_bytes, None
        if (received or 0) > HEAD_BYTES_MAX and self._measured() > HEAD_BYTES_MAX:
            self._refuse(LARGE_HEAD)
            return
        if self.parser.should_upgrade():
            return
        # From here on what looks like headers is not: whoever sends it may be somebody else than
        # who sent the head (RFC 9110, section 6.5.1).
        self._fields, self.headers = self.headers, []
        self._unread_bytes, self._waits_since = 0, self.loop.time()
        self._plain, self._question = self._at_once(), b""
        if self._plain is None:
            self._begin()

    @override
    def on_body(self, body: bytes) -> None:
        """Take a part of the body, unless the request was refused."""
        self._unread_bytes = 0
        if self._plain is not None:
            self._question += body
        elif self not in self.refused:
            super().on_body(body)

    @override
    def on_message_complete(self) -> None:
        """Wait for the next request; answer this one, if it is a plain question."""
        if self in self.refused or self.parser.should_upgrade():
            return
        self._head_bytes, self._waits_since = 0, None
        if self._plain is not None:
            answered = self._plain.answer(self._fields, self._question)
            if answered is not None:
                self._tell(answered)
                return
            self._pass_on()
        super().on_message_complete()

    @override
    def on_response_complete(self) -> None:
        """Wait for the next request."""
        super().on_response_complete()
        if self.cycle.response_complete:
            self._waits_since = self.loop.time()

    def look(self, now: float) -> None:
        """Close it if its caller has sent neither a head nor a body to its end for too long."""
        in_body = self._head_bytes is None
        since = now if self._waits_since is None else self._waits_since
        if now - since <= (BODY_SECONDS_MAX if in_body else HEAD_SECONDS_MAX):
            return
        if in_body:
            self._give_up(SLOW_BODY)
        elif self._head_bytes:
            self._refuse(SLOW_HEAD)
        else:
            self.transport.close()

    def _read(self, data: bytes) -> None:
        """Let the parser read it; a request that offers an upgrade is read without the offer.

        Nobody has to take one (RFC 9110, section 7.8). But the parser stops at it, with the body
        unread, which it would take for the next request. Raises `HttpParserError`.
        """
        rest: bytes | memoryview = data
        while rest:
            try:
                self.parser.feed_data(rest)
            except HttpParserUpgrade as offered:
                if self.parser.get_method() == CONNECT:
                    self._refuse(NO_HTTP)
                if self in self.refused or self.transport.is_closing():
                    return
                (position,) = offered.args
                # A view: offers one after the other are not copied again and again.
                rest = memoryview(rest)[position:]
                self.parser.feed_data(self._head_without_offer())
            else:
                return

    def _head_without_offer(self) -> bytes:
        version = self.parser.get_http_version().encode()
        first = b"%b %b HTTP/%b\r\n" % (self.parser.get_method(), self.url, version)
        kept = (b"%b: %b\r\n" % field for field in self.headers if field[0] != UPGRADE)
        return b"".join((first, *kept, b"\r\n"))

    def _at_once(self) -> AtOnce | None:
        """Return what may answer the request without a task, if it is plain so far."""
        if self.url != TARGET or self._application is None:
            return None
        parser = self.parser
        cycle: RequestResponseCycle | None = self.cycle
        is_plain = (
            # One a turn: others want theirs.
            not self._has_answered
            and parser.get_method() == METHOD
            and parser.get_http_version() == "1.1"
            and parser.should_keep_alive()
            and not self.expect_100_continue
            and not self.flow.write_paused
            and (cycle is None or cycle.response_complete)
        )
        found: AtOnce | None = self._application.at_once if is_plain else None
        return found

    def _pass_on(self) -> None:
        """Let the application be asked in front of its router, from the head on."""
        self._plain = None
        if self not in self.refused:
            self._begin()
            super().on_body(self._question)

    def _begin(self) -> None:
        """Ask the application."""
        # After a plain question in the same piece the connection still counts as idle.
        self._unset_keepalive_if_required()
        while self._before and self._before[0].response_complete:
            self._before.popleft()
        before = self.cycle
        super().on_headers_complete()
        if self.pipeline:
            self._before.append(before)

    def _tell(self, answered: Answered) -> None:
        """Write the answer, and wait for the next request."""
        self._plain, self._has_answered = None, True
        headers = self.server_state.default_headers
        if headers is not Connection.added[0]:
            lines = (b"%b: %b\r\n" % header for header in headers)
            Connection.added = headers, b"".join(lines)
        request_id, body = answered
        self.transport.write(ANSWER % (Connection.added[1], request_id, len(body), body))
        self.server_state.total_requests += 1
        self._unset_keepalive_if_required()
        self.timeout_keep_alive_task = self.loop.call_later(
            self.timeout_keep_alive, self.timeout_keep_alive_handler
        )
        self._waits_since = self.loop.time()

    def _is_too_large(self) -> bool:
        """Return whether a head of which the end is not there yet is too large already."""
        received = self._head_bytes
        return received is not None and received > HEAD_BYTES_MAX

    def _measured(self) -> int:
        line = len(self.parser.get_method()) + len(self.url) + LINE_EXTRA
        fields = sum(len(name) + len(value) + FIELD_EXTRA for name, value in self.headers)
        return line + fields + END_EXTRA

    def _give_up(self, why: Problem) -> None:
        """Let the request end as if its caller had gone, and say why."""
        cycle = self.cycle
        if cycle.response_started or self.pipeline:
            self.transport.abort()
            return
        cycle.disconnected = cycle.response_complete = True
        cycle.message_event.set()
        self._refuse(why)

    def _refuse_broken(self) -> None:
        """Tell the caller that it is no request, in the place of an answer that has not begun."""
        cycle: RequestResponseCycle | None = self.cycle
        if cycle is not None and cycle.scope is self.scope:
            self._give_up(NO_HTTP)
        else:
            self._refuse(NO_HTTP)

    def _refuse(self, problem: Problem) -> None:
        """Tell the caller, and close once that could be read; other answers go first."""
        cycle: RequestResponseCycle | None = self.cycle
        underway = cycle is not None and not cycle.response_complete
        if underway or self in self.refused or len(self.refused) >= REFUSED_MAX:
            self.transport.abort()
            return
        self.refused.add(self)
        self._unset_keepalive_if_required()
        self.transport.write(_written(problem))
        # Closing at once would take the answer away from whoever is still sending.
        self.transport.write_eof()
        self.loop.call_later(REFUSED_SECONDS, self.transport.abort)


def _written(problem: Problem) -> bytes:
    request_id = _ids().next()
    body = problem.body(request_id)
    headers = {
        "content-type": MEDIA_TYPE,
        "content-length": str(len(body)),
        "x-request-id": request_id,
        "cache-control": "no-store",
        "connection": "close",
        **{name.lower(): value for name, value in problem.headers},
    }
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    status = HTTPStatus(problem.status)
    return f"HTTP/1.1 {status.value} {status.phrase}\r\n{lines}\r\n".encode() + body


def _serving(application: Any) -> Any:
    """Return our application, inside whatever the server has wrapped around it; it may be none."""
    while application is not None and not hasattr(application, "at_once"):
        application = getattr(application, "app", None)
    return application
