"""A client of an application in process that hands a whole request to its loop, in one step.

Starlette's own goes from thread to thread eight times for each request, which takes four times as
much of the processor as most answers do; tests make tens of thousands of requests.
"""

import asyncio
from collections.abc import MutableMapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import unquote

import httpx2
from starlette.testclient import TestClient
from starlette.types import ASGIApp
from typing_extensions import override

Message = MutableMapping[str, Any]

PORTS: Final = {"http": 80, "https": 443}
"""Of the requests that are handed over; everything else goes the way of Starlette."""


class OneStep(TestClient):
    """Asks an application that may fail: what it raises is a 500, as behind a server."""

    def __init__(self, app: ASGIApp, base_url: str) -> None:
        super().__init__(app, base_url, raise_server_exceptions=False)
        self._transport = _Transport(self, self._transport)


class _Transport(httpx2.BaseTransport):
    def __init__(self, client: TestClient, otherwise: httpx2.BaseTransport) -> None:
        self._client = client
        self._otherwise = otherwise

    @override
    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        portal = self._client.portal
        if portal is None or request.url.scheme not in PORTS:
            return self._otherwise.handle_request(request)
        exchange = _Exchange(request.read())
        portal.call(exchange.ask, self._client.app, self._scope(request))
        return httpx2.Response(
            exchange.status,
            headers=exchange.headers,
            stream=httpx2.ByteStream(b"" if request.method == "HEAD" else exchange.told),
            request=request,
        )

    @override
    def close(self) -> None:
        self._otherwise.close()

    def _scope(self, request: httpx2.Request) -> dict[str, Any]:
        """What a server tells of the request, as Starlette's client tells it."""
        url = request.url
        headers = request.headers.multi_items()
        return {
            "type": "http",
            "http_version": "1.1",
            "method": request.method,
            "path": unquote(url.path),
            "raw_path": url.raw_path.split(b"?", 1)[0],
            "root_path": "",
            "scheme": url.scheme,
            "query_string": url.query,
            "headers": [(name.lower().encode(), value.encode()) for name, value in headers],
            "client": ("testclient", 50_000),
            "server": [url.host, PORTS[url.scheme] if url.port is None else url.port],
            "extensions": {},
            "state": self._client.app_state.copy(),
        }


@dataclass
class _Exchange:
    """One request and what is answered to it; used on the application's loop."""

    body: bytes
    status: int = 500
    """What a server answers for an application that failed before it said anything."""
    headers: list[tuple[str, str]] = field(default_factory=list)
    told: bytes = b""
    _asked: bool = False
    _started: bool = False
    _over: asyncio.Event = field(default_factory=asyncio.Event)

    async def ask(self, app: ASGIApp, scope: dict[str, Any]) -> None:
        """Let the application answer, to its end."""
        try:
            await app(scope, self._receive, self._send)
        except Exception:  # noqa: BLE001 - what it told before stands, as behind a server
            return

    async def _receive(self) -> Message:
        if not self._asked:
            self._asked = True
            return {"type": "http.request", "body": self.body}
        await self._over.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            assert not self._started, "an answer begins once"
            self._started, self.status = True, message["status"]
            self.headers = [
                (name.decode(), value.decode()) for name, value in message.get("headers", [])
            ]
        elif message["type"] == "http.response.body":
            assert self._started, "the head of an answer comes first"
            assert not self._over.is_set(), "nothing comes after the end of an answer"
            self.told += bytes(message.get("body", b""))
            if not message.get("more_body", False):
                self._over.set()
