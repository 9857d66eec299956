"""Requests written to a connection one behind the other, before the first of them is answered.

What arrives is matched to what was sent: each answer must carry the id of its own request.
"""

import io
import socket
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from http.client import HTTPException, HTTPResponse
from typing import Final

from typing_extensions import override

WINDOW_BYTES: Final = 32_768
"""So much is under way at most: as no buffer fills, neither side waits for the other for ever."""

CHUNKS: Final = 3
SECONDS_MAX: Final = 60

BROKEN: Final = (OSError, HTTPException)


@dataclass(frozen=True, slots=True)
class Request:
    """A request; `headers` come in addition to the address of the service and the length."""

    method: str
    path: str
    headers: tuple[tuple[bytes, bytes], ...] = ()
    body: bytes | None = None
    is_chunked: bool = False

    def written(self) -> bytes:
        """The request as it is sent: damaged as it may be, where it ends is clear."""
        framing, body = self._framed()
        lines = [b"%b %b HTTP/1.1" % (self.method.encode(), self.path.encode()), b"Host: x"]
        lines += [b"%b: %b" % (name, value) for name, value in self.headers]
        return b"\r\n".join([*lines, *framing, b"", body])

    def _framed(self) -> tuple[list[bytes], bytes]:
        if self.body is None:
            return [], b""
        if not self.is_chunked:
            return [b"Content-Length: %d" % len(self.body)], self.body
        size = max(1, -(-len(self.body) // CHUNKS))
        parts = [self.body[at : at + size] for at in range(0, len(self.body), size)]
        chunks = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in parts)
        return [b"Transfer-Encoding: chunked"], chunks + b"0\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back."""

    status: int
    content_type: str
    request_id: str
    body: bytes


class _Stream(io.BufferedReader):
    """What a connection delivers; the end of one answer does not close it for the next."""

    @override
    def close(self) -> None:
        """Stay open: more answers come."""

    def makefile(self, _mode: str) -> "_Stream":
        """Be the file of what is read as one answer."""
        return self


class Pipeline:
    """A client of one server on one connection, which is opened again when it was closed."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._socket: socket.socket | None = None
        self._stream: _Stream | None = None
        self.connections = 0
        """How often it was opened."""

    def ask(self, wanted: Sequence[Request]) -> Iterator[tuple[Request, Reply]]:
        """Each request with its answer, in order; several are under way when they are small.

        What stood behind a request that ended the connection is sent again.
        """
        at = 0
        while at < len(wanted):
            came = self._asked(_window(wanted[at:]))
            yield from zip(wanted[at:], came, strict=False)
            at += len(came)

    def close(self) -> None:
        """Let the connection go."""
        if self._socket is not None:
            self._socket.close()
        self._socket = self._stream = None

    def _asked(self, window: Sequence[Request]) -> list[Reply]:
        """The answers to the first requests, at least to one."""
        was_open = self._socket is not None
        came = self._exchanged(window)
        if len(came) > 0:
            return came
        # What is no HTTP ends the connection at once, also for what is not answered yet.
        if was_open or len(window) > 1:
            return self._asked(window if was_open else window[:1])
        raise AssertionError(f"no answer to {window[0].written()[:500]!r}")

    def _exchanged(self, window: Sequence[Request]) -> list[Reply]:
        came: list[Reply] = []
        try:
            connection, stream = self._opened()
            with suppress(ConnectionError):
                # Whoever refuses a body may answer, and close, before all of it was sent.
                connection.sendall(b"".join(one.written() for one in window))
            for one in window:
                reply, is_last = _read(stream, one.method)
                came.append(reply)
                if is_last:
                    self.close()
                    break
        except TimeoutError as error:
            error.add_note(repr(window[len(came)].written()[:500]))
            raise
        except BROKEN:
            self.close()
        return came

    def _opened(self) -> tuple[socket.socket, _Stream]:
        if self._socket is None or self._stream is None:
            self._socket = socket.create_connection(("127.0.0.1", self._port), SECONDS_MAX)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._stream = _Stream(socket.SocketIO(self._socket, "r"))
            self.connections += 1
        return self._socket, self._stream


def _window(wanted: Sequence[Request]) -> Sequence[Request]:
    """As many of the first as may be under way together, at least one."""
    size = 0
    for number, one in enumerate(wanted):
        size += len(one.written())
        if size > WINDOW_BYTES:
            return wanted[: max(1, number)]
    return wanted


def _read(stream: _Stream, method: str) -> tuple[Reply, bool]:
    """The next answer, and whether no other comes after it."""
    response = HTTPResponse(stream, method=method)  # type: ignore[arg-type]  # makes files only
    response.begin()
    body = response.read()
    told = response.headers
    reply = Reply(response.status, told.get("content-type", ""), told.get("x-request-id", ""), body)
    return reply, response.will_close
