"""Every route declares the scope that it takes, and is closed to whoever lacks it."""

from collections.abc import Iterator

import pytest
from fastapi import FastAPI
from httpx2 import Response

from grantproof.adapters.memory import MemoryStore
from grantproof.api.access import ADMINISTRATION, PUBLIC
from grantproof.api.console.places import is_console
from grantproof.api.strictness import strict_router
from grantproof.service.callers import EVERY_SCOPE, WITHIN_ORGANIZATION, Scope
from grantproof.service.demo import ACME
from grantproof.service.keyring import KeyRequest
from tests.api.routes import EVERY, GUARDED, ROUTES, Route, named
from tests.api.service import OPERATORS, Api, Json, bearer, new_key, problem, refusal, serving

BASES = ("", "/orgs/{org}")
"""Where AuthZEN is: for an organization's own credentials, and for those of all."""
BARE = 'Bearer realm="grantproof"'


@pytest.fixture(scope="module")
def store() -> MemoryStore:
    """One store for the whole walk."""
    return MemoryStore()


@pytest.fixture(scope="module")
def door(store: MemoryStore) -> Iterator[Api]:
    """The application, and a client that presents nothing."""
    with serving(store, public_url="https://pdp.example.com") as client:
        yield client


@pytest.fixture(scope="module")
def keys(door: Api, store: MemoryStore) -> dict[Scope, str]:
    """For each scope, a key that has all the others."""
    assert door is not None
    return {scope: new_key(store, KeyRequest(None, None, EVERY_SCOPE - {scope})) for scope in Scope}


def call(api: Api, route: Route, headers: dict[str, str]) -> Response:
    """What the route answers to a request that fits it as well as any."""
    json: Json | None = None if route.method in {"GET", "HEAD"} else {}
    return api.request(route.method, route.address("acme"), json=json, headers=headers)


def test_every_route_declares_a_scope_or_is_public_by_name() -> None:
    """A new route that says nothing fails here, and so does a public one that is not listed."""
    undeclared = {route.template for route in EVERY if route.scopes is None}
    assert undeclared == PUBLIC
    assert len(GUARDED) > 50


def test_the_scopes_of_the_routes() -> None:
    """Reading and asking take review, changing takes administer; the rest is told one by one."""
    found: dict[str, set[str]] = {}
    for route in GUARDED:
        found.setdefault(" ".join(sorted(route.scopes or ())), set()).add(named(route))
    assert found.pop("evaluate") == {
        "POST /evaluate",
        "POST /evaluate/batch",
        "POST /evaluate/consume",
        *(f"POST {base}/access/v1/evaluation{many}" for base in BASES for many in ("", "s")),
    }
    assert found.pop("evaluate review") == {
        "POST /explain",
        "POST /what-if",
        *(
            f"POST {base}/access/v1/search/{sought}"
            for base in BASES
            for sought in ("subject", "resource", "action")
        ),
    }
    assert found.pop("operate") == {
        "POST /v1/orgs",
        "DELETE /v1/orgs/{org}",
        "GET /v1/keys",
        "POST /v1/keys",
        "DELETE /v1/keys/{prefix}",
    }
    reviews = found.pop("review")
    assert {name for name in reviews if not name.startswith("GET ")} == {
        "POST /v1/orgs/{org}/who-can",
        "POST /v1/orgs/{org}/why-not",
        "POST /v1/orgs/{org}/not-granted",
        "POST /v1/orgs/{org}/reach",
    }
    assert {name.partition(" ")[0] for name in found.pop("administer")} == {
        "POST",
        "PUT",
        "PATCH",
        "DELETE",
    }
    assert found.pop("sessions") == {
        "POST /v1/orgs/{org}/sessions",
        "DELETE /v1/orgs/{org}/sessions/{session}",
        "POST /v1/orgs/{org}/sessions/{session}/roles",
        "DELETE /v1/orgs/{org}/sessions/{session}/roles/{role}",
    }
    assert found == {}


@pytest.mark.parametrize("route", GUARDED, ids=named)
def test_no_route_answers_a_request_without_a_credential(door: Api, route: Route) -> None:
    """401, before anything else is looked at; so does a credential that is none."""
    for headers, challenge in (
        ({}, BARE),
        (bearer("gp_nothing"), f'{BARE}, error="invalid_token"'),
    ):
        answer = call(door, route, headers)
        refusal(answer, 401, "unauthenticated", is_plain=route.is_authzen)
        assert answer.headers["www-authenticate"] == challenge


@pytest.mark.parametrize("route", GUARDED, ids=named)
def test_no_route_answers_a_credential_without_its_scope(
    door: Api, keys: dict[Scope, str], route: Route
) -> None:
    """403 with the scope, for each one that the route takes; with all others it has no effect."""
    assert route.scopes
    for scope in route.scopes:
        answer = call(door, route, bearer(keys[scope]))
        refusal(answer, 403, "insufficient_scope", is_plain=route.is_authzen)
        wanted = " ".join(sorted(route.scopes))
        assert answer.headers["www-authenticate"] == (
            f'{BARE}, error="insufficient_scope", scope="{wanted}"'
        )


@pytest.mark.parametrize("route", GUARDED, ids=named)
def test_a_scope_is_looked_at_before_the_body(
    door: Api, keys: dict[Scope, str], route: Route
) -> None:
    """Whoever may not ask makes nobody read; nor does whoever is nobody."""
    scope = min(route.scopes or ())
    for headers, status in ((bearer(keys[scope]), 403), ({}, 401)):
        answer = door.request(route.method, route.address("acme"), content=b"{", headers=headers)
        assert answer.status_code == status


@pytest.mark.parametrize("route", GUARDED, ids=named)
def test_a_route_with_its_scopes_answers(store: MemoryStore, route: Route) -> None:
    """The walk is not vacuous: with what a route declares, and nothing more, it is open."""
    assert route.scopes
    with serving(MemoryStore(), KeyRequest(None, None, route.scopes)) as api:
        answer = call(api, route, {})
        assert answer.status_code not in {401, 405, 500}
        if answer.status_code == 403:
            refusal(answer, 403, "unbound_caller", is_plain=route.is_authzen)
    assert store is not None


@pytest.mark.parametrize("path", sorted(path for path in PUBLIC if not is_console(path)))
def test_public_routes_take_no_credential(door: Api, path: str) -> None:
    """And look at none: a wrong one does not close them."""
    for headers in ({}, bearer("wrong")):
        assert door.get(path.format(org="acme"), headers=headers).status_code == 200


@pytest.mark.parametrize("path", ["/", "/no", "/v1", "/docs/", "/livez/x", "//livez", "/Livez"])
def test_what_is_no_route_is_closed_too(door: Api, path: str) -> None:
    """Without a credential nobody is told which routes there are."""
    problem(door.get(path), 401, "unauthenticated")


def test_an_application_that_forgets_who_calls_is_closed() -> None:
    """A route under another application than ours has no caller, and refuses."""
    from fastapi.testclient import TestClient  # noqa: PLC0415 - only here

    router = strict_router("/x", tag="x", access=ADMINISTRATION)

    @router.get("")
    def read() -> str:
        return "read"

    app = FastAPI()
    app.include_router(router)
    with TestClient(app, raise_server_exceptions=False) as client:
        assert client.get("/x").status_code == 500


def test_the_document_tells_the_scope_of_every_operation(door: Api) -> None:
    """As the security of the operation, with 401 and 403 among its answers."""
    document = door.get("/openapi.json").json()
    assert document["components"]["securitySchemes"]["bearer"]["scheme"] == "bearer"
    for route in ROUTES:
        item = document["paths"].get(route.template.replace(":path", ""))
        operation = None if item is None else item.get(route.method.lower())
        if operation is None:
            assert route.template in PUBLIC, route
            continue
        wanted = None if route.scopes is None else [{"bearer": sorted(route.scopes)}]
        assert operation.get("security") == wanted, route
        assert ({"401", "403"} <= set(operation["responses"])) == (wanted is not None), route


def test_operating_is_not_for_a_credential_of_one_organization(store: MemoryStore) -> None:
    """With every scope that it may have, it makes and deletes no organization, and no key."""
    with serving(store, KeyRequest(ACME, None, WITHIN_ORGANIZATION)) as api:
        problem(api.post("/v1/orgs", json={"id": "mine"}), 403, "insufficient_scope")
        problem(api.delete("/v1/orgs/acme"), 403, "insufficient_scope")
        problem(api.get("/v1/keys"), 403, "insufficient_scope")
    assert OPERATORS.scopes - WITHIN_ORGANIZATION == {Scope.OPERATE}
