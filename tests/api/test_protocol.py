"""What every route has in common: methods, media types, sizes, request ids, failures."""

from collections.abc import Callable, Iterator
from typing import Any, NoReturn

import pytest
from structlog.testing import capture_logs

from grantproof.adapters.memory import MemoryStore
from grantproof.api.problems import KINDS, TYPE_PREFIX
from grantproof.service.ports import StoreUnavailable, StoreUncertain, StoreUnusable
from tests.api.service import ADDRESS, READ_DOCS, Api, Json, ask, problem, raw, serving

ORG = "/v1/orgs/acme"
ROUTES = [
    "/evaluate",
    "/evaluate/batch",
    "/explain",
    "/what-if",
    f"{ORG}/principals",
    f"{ORG}/changes",
]


def test_a_problem_is_what_rfc_9457_says(steady: Api) -> None:
    """Type, title, status and detail; our code, request id and error beside them."""
    told = problem(steady.get("/nothing"), 404, "no_such_route")
    assert told == {
        "type": "urn:grantproof:problem:no_such_route",
        "title": "no such route",
        "status": 404,
        "detail": "there is no route `/nothing`: see `/openapi.json`",
        "code": "no_such_route",
        "request_id": told["request_id"],
        "error": "there is no route `/nothing`: see `/openapi.json`",
    }


def test_every_kind_of_problem_has_a_title() -> None:
    """Titles follow the style: lower case, no full stop."""
    assert TYPE_PREFIX.endswith(":")
    for code, (status, title) in KINDS.items():
        assert 400 <= status < 600, code
        assert title[0].islower() or title.startswith("JSON"), code
        assert not title.endswith("."), code


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("GET", "/evaluate", "POST"),
        ("PUT", "/evaluate/batch", "POST"),
        ("DELETE", "/explain", "POST"),
        ("PUT", f"{ORG}/principals", "GET, HEAD, POST"),
        ("POST", f"{ORG}/principals/alice", "DELETE, GET, HEAD, PATCH"),
        ("POST", f"{ORG}/resources/a/b/c", "DELETE, GET, HEAD, PATCH"),
        ("POST", "/livez", "GET, HEAD"),
        ("OPTIONS", "/v1/orgs", "GET, HEAD, POST"),
        ("GET", "/principals/carol/roles", "POST"),
    ],
)
def test_a_wrong_method_is_told_the_right_ones(
    steady: Api, method: str, path: str, allow: str
) -> None:
    """405 with every method of the address in `Allow`, whichever router has it."""
    response = steady.request(method, path)
    problem(response, 405, "method_not_allowed")
    assert response.headers["allow"] == allow


def test_head_is_get_without_a_body(steady: Api) -> None:
    """The headers are those of GET."""
    whole, head = steady.get(f"{ORG}/roles"), steady.head(f"{ORG}/roles")
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == str(len(whole.content))
    assert head.headers["etag"] == whole.headers["etag"]


@pytest.mark.parametrize("path", ROUTES)
@pytest.mark.parametrize(
    "media_type", [None, "text/plain", "application/x-www-form-urlencoded", "application/jsonx"]
)
def test_only_json_is_read(steady: Api, path: str, media_type: str | None) -> None:
    """415 says which header to send."""
    headers = {} if media_type is None else {"Content-Type": media_type}
    told = problem(steady.post(path, content=b"{}", headers=headers), 415, "unsupported_media_type")
    assert "`Content-Type: application/json`" in told["error"]


def test_json_may_have_parameters(steady: Api) -> None:
    """A character set is no reason to refuse, nor are capitals."""
    headers = {"Content-Type": "Application/JSON; charset=utf-8"}
    body = b'{"org_id":"acme","principal_id":"a","action":"b","resource_id":"c"}'
    assert steady.post("/evaluate", content=body, headers=headers).status_code == 200


@pytest.mark.parametrize("path", ROUTES)
def test_a_body_has_a_limit(path: str) -> None:
    """One byte more than the limit is 413, whether or not its length was announced."""
    with serving(MemoryStore(), demo=True, body_bytes_max=2_000) as api:
        for size, status in ((1_999, 400), (2_000, 400), (2_001, 413)):
            body = b"{" + b" " * (size - 1)
            assert raw(api, path, body).status_code == status

            def chunks(whole: bytes = body) -> Iterator[bytes]:
                yield whole[:1_500]
                yield whole[1_500:]

            headers = {"Content-Type": "application/json"}
            streamed = api.post(path, content=chunks(), headers=headers)
            assert streamed.status_code == status
        too_large = raw(api, path, b" " * 2_001)
        problem(too_large, 413, "body_too_large")
        assert too_large.headers["connection"] == "close"


@pytest.mark.parametrize("path", ["/livez", "/nothing", f"{ORG}/roles"])
def test_a_request_id_is_echoed_or_made(steady: Api, path: str) -> None:
    """A sane id comes back; another, and none, gets one that is made here."""
    echoed = steady.get(path, headers={"X-Request-ID": "abc-1.2:3_4"})
    assert echoed.headers["x-request-id"] == "abc-1.2:3_4"
    made = {
        steady.get(path, headers=headers).headers["x-request-id"]
        for headers in ({}, {"X-Request-ID": "a b"}, {"X-Request-ID": "x" * 129})
    }
    assert len(made) == 3
    assert not made & {"a b", "x" * 129}


def test_decisions_have_request_ids_too(steady: Api) -> None:
    """Answers and problems of the routes in front, as those behind."""
    headers = {"X-Request-ID": "mine"}
    for body in (READ_DOCS, {}):
        response = steady.post("/evaluate", json=body, headers=headers)
        assert response.headers["x-request-id"] == "mine"
        assert response.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    ("method", "path", "header"),
    [
        ("POST", f"{ORG}/roles", "If-Unmodified-Since"),
        ("DELETE", f"{ORG}/roles/viewer", "If-Unmodified-Since"),
        ("POST", "/v1/orgs", "If-Match"),
        ("DELETE", ORG, "If-Match"),
        ("DELETE", ORG, "Idempotency-Key"),
    ],
)
def test_a_condition_that_is_not_supported_is_refused(
    operator: Api, method: str, path: str, header: str
) -> None:
    """Whoever sets a condition must not have the change made without it."""
    headers = {header: '"1"'}
    body = None if method == "DELETE" else {"id": "never"}
    told = problem(operator.request(method, path, json=body, headers=headers), 400, "invalid")
    assert told["errors"][0]["field"] == header.lower()
    assert operator.get(f"{ORG}/roles", headers=headers).status_code == 200


FAILING = (
    "summaries",
    "revision",
    "heads",
    "load_versioned",
    "commit",
    "continued",
    "entries",
    "create",
)


def fail(store: MemoryStore, monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    """Let every use of the store raise the error."""

    def failing(*_: Any, **__: Any) -> NoReturn:
        raise error

    for name in FAILING:
        monkeypatch.setattr(store, name, failing)


REQUESTS: list[Callable[[Api], Any]] = [
    lambda api: api.get("/v1/orgs"),
    lambda api: api.get(f"{ORG}/events"),
    lambda api: api.get("/v1/orgs/other/roles"),
    lambda api: api.post(f"{ORG}/roles", json={"id": "r"}),
    lambda api: api.post("/v1/orgs", json={"id": "o"}),
    lambda api: ask_plainly(api, org_id="other"),
    lambda api: api.get("/readyz"),
]


def ask_plainly(api: Api, **changed: Any) -> Any:
    """A question that supplies nothing of the context."""
    question = {"org_id": "acme", "principal_id": "alice", "action": "read", "resource_id": "docs"}
    return api.post("/evaluate", json={**question, **changed})


@pytest.mark.parametrize("request_to", REQUESTS)
@pytest.mark.parametrize(
    ("error", "status", "code", "retry"),
    [
        (StoreUnavailable("the database `x.db` is locked"), 503, "store_unavailable", "1"),
        (StoreUncertain("the database `x.db` was lost"), 503, "store_unavailable", "1"),
        (StoreUnusable("the database `x.db` is damaged"), 500, "store_unusable", None),
        (RuntimeError("x.db"), 500, "internal", None),
    ],
)
def test_a_failure_is_told_without_internals(
    operator: Api,
    store: MemoryStore,
    monkeypatch: pytest.MonkeyPatch,
    request_to: Callable[[Api], Any],
    error: Exception,
    status: int,
    code: str,
    retry: str | None,
) -> None:
    """503 with `Retry-After` or 500; what it is about stays in the log, under the request id."""
    operator.get(f"{ORG}/roles")
    fail(store, monkeypatch, error)
    with capture_logs() as logs:
        response = request_to(operator)
    told = problem(response, status, code)
    assert response.headers.get("retry-after") == retry
    assert "x.db" not in response.text
    assert any(entry.get("request_id") == told["request_id"] for entry in logs)


@pytest.mark.parametrize("error", [StoreUnavailable("x.db"), StoreUnusable("x.db")])
def test_a_revision_is_not_reached_while_the_store_fails(
    operator: Api, store: MemoryStore, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    """At once, and whatever fails is in the log; what is known is still answered."""
    assert ask_plainly(operator).status_code == 200
    fail(store, monkeypatch, error)
    with capture_logs() as logs:
        told = problem(ask_plainly(operator, at_least_revision=9), 503, "revision_not_reached")
    assert "x.db" not in str(told)
    assert [one["event"] for one in logs if one["log_level"] == "error"] == ["not following"]
    assert ask_plainly(operator).status_code == 200


def test_a_change_that_may_have_been_made_is_not_said_to_have_failed(
    operator: Api, store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever proposed it is told to look first."""
    operator.get(f"{ORG}/roles")
    fail(store, monkeypatch, StoreUncertain("lost"))
    with capture_logs():
        response = operator.post(f"{ORG}/roles", json={"id": "auditor"})
    told = problem(response, 503, "store_unavailable")
    assert told["error"] == "the change was made or not: look before trying again"


def test_what_is_followed_is_answered_while_the_store_is_away(
    operator: Api, store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Decisions touch no store; only readiness says that something is wrong."""
    assert ask_plainly(operator).status_code == 200
    fail(store, monkeypatch, StoreUnavailable("gone"))
    with capture_logs():
        assert ask_plainly(operator).status_code == 200
        assert operator.get(f"{ORG}/roles").status_code == 200
        assert operator.get("/livez").json() == {"status": "live"}
        assert operator.get("/readyz").status_code == 503


def test_lost_races_are_a_503(
    api: Api, store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When every attempt is lost the caller may come again."""
    monkeypatch.setattr(store, "commit", lambda *_, **__: None)
    monkeypatch.setattr("grantproof.adapters.clock.JitteredBackoff.wait", lambda *_: None)
    response = api.post(f"{ORG}/roles", json={"id": "r"})
    problem(response, 503, "contended")
    assert response.headers["retry-after"] == "1"


def test_before_the_start_nothing_is_answered_but_that() -> None:
    """Without its services the application says 503, and lives."""
    with serving(MemoryStore(), demo=True) as api:
        app = api.app
    late = Api(app, base_url=ADDRESS, raise_server_exceptions=False)
    problem(late.get("/readyz"), 503, "not_ready")
    problem(late.post("/evaluate", json=READ_DOCS), 503, "not_ready")
    problem(late.post(f"{ORG}/roles", json={"id": "r"}), 503, "not_ready")
    assert late.get("/livez").status_code == 200


def test_a_websocket_is_turned_away(steady: Api) -> None:
    """There is none."""
    from starlette.websockets import WebSocketDisconnect  # noqa: PLC0415 - only here

    with pytest.raises(WebSocketDisconnect), steady.websocket_connect("/evaluate"):
        pass


def test_the_demo_allows_what_it_says(steady: Api) -> None:
    """Health and the document need nothing."""
    assert steady.get("/readyz").json() == {"status": "ready"}
    assert ask(steady).status_code == 200
    document: Json = steady.get("/openapi.json").json()
    assert document["openapi"].startswith("3.1")
