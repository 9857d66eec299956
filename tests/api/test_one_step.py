"""The client of these tests shows what Starlette's own shows, though it takes fewer steps."""

import json
from typing import Any, Final

import pytest
from starlette.testclient import TestClient
from starlette.types import Message, Receive, Scope, Send

from tests.one_step import OneStep

ADDRESS: Final = "http://localhost"
SEVERAL: Final = [("x-many", "1"), ("x-many", "2"), ("content-type", "text/plain; charset=utf-8")]


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    """Tell what was asked, in two pieces; fail where the address says so."""
    if scope["type"] == "lifespan":
        for phase in ("startup", "shutdown"):
            assert (await receive())["type"] == f"lifespan.{phase}"
            await send({"type": f"lifespan.{phase}.complete"})
        return
    heard: Message = await receive()
    if scope["path"] == "/silent":
        raise RuntimeError("before the answer")
    headers = [(name.encode(), value.encode()) for name, value in SEVERAL]
    await send({"type": "http.response.start", "status": 207, "headers": headers})
    if scope["path"] == "/broken":
        raise RuntimeError("amid the answer")
    told = {name: str(value) for name, value in scope.items() if name != "extensions"}
    told |= {"body": str(heard["body"])}
    await send({"type": "http.response.body", "body": json.dumps(told).encode(), "more_body": True})
    await send({"type": "http.response.body", "body": b"\n"})
    over = await receive()
    assert over["type"] == "http.disconnect"
    if scope["path"] == "/late":
        raise RuntimeError("after the answer")


REQUESTS: Final[list[tuple[str, str, dict[str, Any]]]] = [
    ("GET", "/", {}),
    ("HEAD", "/", {}),
    ("GET", "/a%2Fb/%C3%A9?x=%20y&x=z", {"headers": {"X-Name": b"\xe9", "Cookie": "a=b"}}),
    ("POST", "/form", {"data": {"a": "ü"}}),
    ("POST", "/json", {"json": {"a": [1]}}),
    ("PUT", "http://localhost:8123/elsewhere", {"content": b"\x00\xff"}),
    ("POST", "/pieces", {"content": [b"a", b"", b"b"]}),
    ("GET", "https://example.org/", {}),
    ("GET", "/silent", {}),
    ("GET", "/broken", {}),
    ("GET", "/late", {}),
]


@pytest.mark.parametrize(("method", "address", "sent"), REQUESTS)
def test_it_asks_and_shows_the_same(method: str, address: str, sent: dict[str, Any]) -> None:
    """Scope, body, status, every header and all that was told, also of what fails."""
    answers = []
    with (
        TestClient(echo, ADDRESS, raise_server_exceptions=False) as usual,
        OneStep(echo, ADDRESS) as fewer,
    ):
        for client in (usual, fewer):
            response = client.request(method, address, **sent)
            answers.append((response.status_code, response.headers.multi_items(), response.content))
    assert answers[0] == answers[1]


def test_an_answer_that_is_none_is_no_answer() -> None:
    """What a server would refuse of an application is refused here, too."""

    async def twice(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            return await echo(scope, receive, send)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        with pytest.raises(AssertionError, match="begins once"):
            await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"whole"})
        with pytest.raises(AssertionError, match="after the end"):
            await send({"type": "http.response.body", "body": b"more"})
        return None

    with OneStep(twice, ADDRESS) as client:
        assert client.get("/").content == b"whole"
