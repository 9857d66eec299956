"""Middleware and dependency: only an allow lets a request through, and a refusal tells nothing."""

import asyncio
import json
import logging
from collections.abc import Iterable
from io import BytesIO
from typing import TYPE_CHECKING, Annotated, Any
from wsgiref.util import setup_testing_defaults

import pytest
from fastapi import Depends, FastAPI, Header
from starlette.testclient import TestClient
from starlette.websockets import WebSocket, WebSocketDisconnect

from grantproof.client import asgi, wsgi
from grantproof.client.fastapi import Requiring, answer_problems
from grantproof.client.questions import Question, Said
from grantproof.client.results import Allow, CallerError, Decision
from grantproof.client.routes import Open, Routes, Rule
from tests.unit.client.deciding import (
    ALLOW,
    DENY,
    ILLEGAL,
    UNANSWERED,
    UNAUTHENTICATED,
    UNDETERMINED,
    Told,
    ToldLater,
)

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse

    from grantproof.client.deciders import Decider

ROUTES = Routes(
    (
        Open("GET", "/health"),
        Rule("GET", "/docs/{name}", "read", "docs/{name}"),
        Rule("WEBSOCKET", "/live", "watch", "live"),
    )
)
Seen = tuple[int, str | None, dict[str, Any]]
"""The status, the media type and the document of an answer."""

OUTCOMES: dict[str, tuple[Decision | Exception, int]] = {
    "allow": (ALLOW, 200),
    "deny": (DENY, 403),
    "undetermined": (UNDETERMINED, 503),
    "raised": (UNANSWERED, 503),
    "illegal": (ILLEGAL, 403),
}
TOLD = {
    401: "say who you are",
    403: "you are not allowed to do this",
    503: "whether you are allowed to do this is not known: try again",
}


class Served:
    """An application that notes that it was reached."""

    def __init__(self) -> None:
        self.reached: list[str] = []

    async def __call__(self, scope: asgi.Scope, receive: asgi.Receive, send: asgi.Send) -> None:
        """Answer anything."""
        if scope["type"] == "lifespan":
            return
        self.reached.append(scope["path"])
        if scope["type"] == "websocket":
            socket = WebSocket(scope, receive, send)
            await socket.accept()
            await socket.close()
            return
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"{}"})

    def wsgi(self, environment: dict[str, Any], start_response: "StartResponse") -> Iterable[bytes]:
        """Answer anything, the other way."""
        self.reached.append(environment["PATH_INFO"])
        start_response("200 OK", [("Content-Type", "application/json")])
        return [b"{}"]


async def who(scope: asgi.Scope) -> str | None:
    """Whoever the header says, for a test."""
    found: dict[bytes, bytes] = dict(scope["headers"])
    return found[b"x-user"].decode() if b"x-user" in found else None


def guarded(decider: "Decider", served: Served) -> TestClient:
    """The application behind the middleware."""
    guard = asgi.Guard(served, decider=decider, routes=ROUTES, principal=who)
    return TestClient(guard)


def told(status: int) -> dict[str, Any]:
    """The whole document that whoever is refused is shown."""
    title = {401: "Unauthorized", 403: "Forbidden", 503: "Service Unavailable"}[status]
    return {"type": "about:blank", "title": title, "status": status, "detail": TOLD[status]}


@pytest.mark.parametrize("outcome", OUTCOMES)
@pytest.mark.parametrize("form", ["direct", "waits", "later"])
def test_the_middleware_lets_through_what_is_allowed(outcome: str, form: str) -> None:
    """And nothing else, whichever decider it asks."""
    answer, status = OUTCOMES[outcome]
    decider = ToldLater(answer) if form == "later" else Told(answer, waits=form == "waits")
    served = Served()
    response = guarded(decider, served).get("/docs/plan", headers={"x-user": "ann"})
    assert response.status_code == status
    assert decider.asked == [Question("ann", "read", "docs/plan", Said())]
    assert served.reached == (["/docs/plan"] if status == 200 else [])
    if status != 200:
        assert response.headers["content-type"] == "application/problem+json"
        assert response.json() == told(status)
        assert ("retry-after" in response.headers) == (status == 503)


def test_what_no_rule_is_about_is_refused_without_asking() -> None:
    """Whoever asks; what is open is not asked about either."""
    decider, served = Told(ALLOW), Served()
    client = guarded(decider, served)
    assert client.get("/other", headers={"x-user": "ann"}).json() == told(403)
    assert client.post("/docs/plan", headers={"x-user": "ann"}).status_code == 403
    assert client.get("/docs/plan").json() == told(401)
    assert client.get("/health").status_code == 200
    assert (decider.asked, served.reached) == ([], ["/health"])


def test_a_web_socket_is_a_request_too() -> None:
    """It is opened when it is allowed, and refused before it is."""
    served = Served()
    with guarded(Told(ALLOW), served).websocket_connect("/live", headers={"x-user": "ann"}):
        assert served.reached == ["/live"]
    for decider, path in ((Told(DENY), "/live"), (Told(ALLOW), "/docs/plan")):
        with (
            pytest.raises(WebSocketDisconnect) as closed,
            guarded(decider, served).websocket_connect(path, headers={"x-user": "ann"}),
        ):
            pytest.fail("it was opened")
        assert closed.value.code == 1008
    assert served.reached == ["/live"]


def test_the_application_begins_and_ends_unasked() -> None:
    """A life is no request."""
    served, decider = Served(), Told(DENY)
    guard = asgi.Guard(served, decider=decider, routes=ROUTES, principal=who)

    async def nothing(*_: object) -> asgi.Message:
        return {}

    unused: Any = nothing
    asyncio.run(guard({"type": "lifespan"}, unused, unused))
    assert decider.asked == []


def test_a_credential_that_does_not_count_is_a_defect_of_the_application() -> None:
    """It is raised, and nothing is let through."""
    served = Served()
    with pytest.raises(CallerError):
        guarded(Told(UNAUTHENTICATED), served).get("/docs/plan", headers={"x-user": "ann"})
    assert served.reached == []


def test_the_reason_is_for_the_log_of_the_application(caplog: pytest.LogCaptureFixture) -> None:
    """Whom it concerns is told nothing of what exists."""
    caplog.set_level(logging.INFO, logger="grantproof.client")
    response = guarded(Told(DENY), Served()).get("/docs/plan", headers={"x-user": "ann"})
    assert "unknown" not in response.text
    assert "denied: unknown_resource: unknown resource" in caplog.text


# ---------------------------------------------------------------- WSGI


def ask_wsgi(decider: Told, served: Served, path: str, user: str | None = "ann") -> Seen:
    """What the middleware answers."""
    environment: dict[str, Any] = {"PATH_INFO": path, "wsgi.input": BytesIO()}
    setup_testing_defaults(environment)
    if user is not None:
        environment["HTTP_X_USER"] = user
    started: list[Any] = []
    guard = wsgi.Guard(
        served.wsgi,
        decider=decider,
        routes=ROUTES,
        principal=lambda found: found.get("HTTP_X_USER"),
    )
    start: Any = lambda *args: started.append(args)  # noqa: E731 - nothing is written by it
    body = b"".join(guard(environment, start))
    status, headers = started[0]
    return int(status.split()[0]), dict(headers).get("Content-Type"), json.loads(body)


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_the_other_middleware_answers_the_same(outcome: str) -> None:
    """Of the same table."""
    answer, status = OUTCOMES[outcome]
    decider, served = Told(answer), Served()
    found = ask_wsgi(decider, served, "/docs/plan")
    if status == 200:
        assert found == (200, "application/json", {})
    else:
        assert found == (status, "application/problem+json", told(status))
    assert served.reached == (["/docs/plan"] if status == 200 else [])
    assert decider.asked == [Question("ann", "read", "docs/plan", Said())]


def test_paths_of_wsgi_are_text() -> None:
    """As bytes in Latin-1, and what is no text is refused."""
    decider, served = Told(ALLOW), Served()
    assert ask_wsgi(decider, served, "/docs/\xc3\xa4")[0] == 200
    assert decider.asked[0].resource == "docs/ä"
    assert ask_wsgi(decider, served, "/docs/\xff")[0] == 403
    assert ask_wsgi(decider, served, "/docs/plan", None)[0] == 401
    assert ask_wsgi(decider, served, "/health", None)[0] == 200
    assert ask_wsgi(decider, served, "/other")[0] == 403
    with pytest.raises(CallerError):
        ask_wsgi(Told(UNAUTHENTICATED), served, "/docs/plan")
    assert len(served.reached) == 2


# ---------------------------------------------------------------- FastAPI


async def user_of(x_user: str | None = Header(None)) -> str | None:
    """Whoever the header says, for a test."""
    return x_user


def application(decider: "Decider") -> TestClient:
    """An application with guarded routes."""
    app = FastAPI()
    answer_problems(app)
    require = Requiring(decider, principal=user_of)

    @app.get("/docs/{name}")
    async def read(allow: Annotated[Allow, Depends(require("read", "docs/{name}"))]) -> str:
        return allow.claim

    region = require(
        "see", lambda request: request.url.path[1:], context=lambda _: {"region": "eu"}
    )

    @app.get("/region", dependencies=[Depends(region)])
    async def see() -> str:
        return "seen"

    return TestClient(app, raise_server_exceptions=False)


@pytest.mark.parametrize("outcome", OUTCOMES)
@pytest.mark.parametrize("form", ["direct", "waits", "later"])
def test_the_dependency_lets_through_what_is_allowed(outcome: str, form: str) -> None:
    """The route is given the allow; others are told the same as by the middleware."""
    answer, status = OUTCOMES[outcome]
    decider = ToldLater(answer) if form == "later" else Told(answer, waits=form == "waits")
    response = application(decider).get("/docs/plan", headers={"x-user": "ann"})
    assert response.status_code == status
    assert decider.asked == [Question("ann", "read", "docs/plan", Said())]
    assert response.json() == ("see" if status == 200 else told(status))
    if status != 200:
        assert response.headers["content-type"] == "application/problem+json"
        assert ("retry-after" in response.headers) == (status == 503)


def test_the_dependency_asks_as_it_is_told() -> None:
    """A resource may be made of the request, and the context be said."""
    decider = Told(ALLOW)
    assert application(decider).get("/region", headers={"x-user": "ann"}).json() == "seen"
    assert decider.asked == [Question("ann", "see", "region", Said(region="eu"))]
    assert application(decider).get("/docs/plan").json() == told(401)
    assert (
        application(Told(UNAUTHENTICATED)).get("/docs/a", headers={"x-user": "a"}).status_code
        == 500
    )
    assert len(decider.asked) == 1


def test_without_problem_documents_a_refusal_is_one_too() -> None:
    """An application that forgets to ask for them is not open."""
    app = FastAPI()
    require = Requiring(Told(DENY), principal=lambda: "ann")

    @app.get("/plan", dependencies=[Depends(require("read", "docs"))])
    async def read() -> str:
        return "read"

    response = TestClient(app).get("/plan")
    assert (response.status_code, response.json()) == (403, {"detail": TOLD[403]})
