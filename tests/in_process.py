"""A service in process for clients on any event loop: requests go to the one that it runs on."""

import asyncio

import httpx2
from starlette.testclient import TestClient
from typing_extensions import override

HOP_BY_HOP = {"content-length", "host", "connection"}


class InProcess(httpx2.AsyncBaseTransport):
    """Carries requests to an application that a `TestClient` has started."""

    def __init__(self, api: TestClient) -> None:
        self._api = api

    @override
    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """The answer of the application."""
        headers = {name: value for name, value in request.headers.items() if name not in HOP_BY_HOP}
        response = await asyncio.to_thread(
            self._api.request,
            request.method,
            request.url.raw_path.decode(),
            content=await request.aread(),
            headers=headers,
        )
        return httpx2.Response(
            response.status_code, headers=response.headers, content=response.content
        )
