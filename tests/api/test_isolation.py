"""Two organizations with the same ids: what is not yours is, byte for byte, what is not there."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from httpx2 import Response

from grantproof.adapters.memory import MemoryStore
from grantproof.core.identifiers import OrganizationId, PrincipalId
from grantproof.service.authors import Author
from grantproof.service.callers import WITHIN_ORGANIZATION, Scope
from grantproof.service.demo import ACME
from grantproof.service.keyring import KeyRequest
from tests.api.fitting import ASKED, FURNISHING, READING, Fitting, fittings, open_session
from tests.api.routes import GUARDED, Route, named
from tests.api.service import (
    OPERATORS,
    Api,
    bearer,
    furnish,
    new_key,
    problem,
    refusal,
    running,
    services_over,
    serving,
)

NOW = 4_000_000_000
RIVAL, NOBODY = OrganizationId("rival"), "nobod"
EMPTY = Fitting()
CREDENTIALS = {
    "operator": KeyRequest(ACME, None, WITHIN_ORGANIZATION),
    "principal": KeyRequest(ACME, PrincipalId("alice"), WITHIN_ORGANIZATION),
    "application": KeyRequest(ACME, None, frozenset({Scope.EVALUATE})),
}
World = tuple[Api, MemoryStore, dict[str, str]]


def world(doors: ExitStack, *, rival: bool) -> World:
    """An application with `acme` and perhaps its double, and keys of `acme`."""
    store = MemoryStore()
    api = doors.enter_context(serving(store))
    if rival:
        furnished(store, RIVAL)
    keys = {name: new_key(store, wanted) for name, wanted in CREDENTIALS.items()}
    return api, store, keys


def furnished(store: MemoryStore, organization: OrganizationId) -> None:
    """Make the organization, with everything that a route may name."""
    furnish(store, organization, FURNISHING, by=Author("other"))
    open_session(store, organization, NOW)


@pytest.fixture(scope="module")
def worlds() -> Iterator[tuple[World, World]]:
    """A world where the other organization is, and one where it is not."""
    with ExitStack() as doors:
        yield world(doors, rival=True), world(doors, rival=False)


@pytest.fixture(autouse=True)
def _at_one_instant(monkeypatch: pytest.MonkeyPatch) -> None:
    """No two answers differ because time went by."""
    monkeypatch.setattr("grantproof.adapters.clock.SystemClock.now", lambda _: NOW)


def call(
    api: Api, route: Route, credential: str, *, of: str = RIVAL, fitting: Fitting = EMPTY
) -> Response:
    """What the route answers about an organization."""
    headers = {**bearer(credential), "X-Request-ID": "same"}
    return api.request(
        route.method, route.address(of), json=fitting.body, params=fitting.query, headers=headers
    )


def whole(answer: Response) -> tuple[object, ...]:
    """Everything that the caller sees of an answer."""
    return answer.status_code, sorted(answer.headers.items()), answer.content


def renamed(answer: Response, was: str, now: str) -> tuple[object, ...]:
    """The same, with another name for the organization, of the same length."""
    assert len(was) == len(now)
    content = answer.content.replace(was.encode(), now.encode())
    return answer.status_code, sorted(answer.headers.items()), content


def requests(route: Route, organization: str) -> tuple[Fitting, ...]:
    """A request with nothing to say, and each that the organization's own would be answered."""
    nothing = Fitting() if route.method == "GET" else Fitting(body={})
    told = fittings(route, organization) if is_about_one(route) else ()
    return (nothing, *told)


def is_about_one(route: Route) -> bool:
    """Whether a request to the route names an organization."""
    return route.is_within_organization or route.template in ASKED


DECIDING = {f"/orgs/{{org}}/access/v1/evaluation{many}" for many in ("", "s")}
"""A deny is all that they tell of what is not there."""


def denied(answer: Response) -> bool:
    """Whether every question of a request is denied."""
    told = answer.json()
    return not any(one["decision"] for one in told.get("evaluations", [told]))


ABOUT_ONE = [route for route in GUARDED if is_about_one(route)]


@pytest.mark.parametrize("credential", CREDENTIALS)
@pytest.mark.parametrize("route", GUARDED, ids=named)
def test_another_organization_answers_like_an_absent_one(
    worlds: tuple[World, World], route: Route, credential: str
) -> None:
    """Status, headers and body, on every route; and the other organization stays as it is."""
    (api, store, keys), (without, _, keys_without) = worlds
    before, counted = store.load(RIVAL), len(store.events(RIVAL, after=0, limit=9))
    sessions = store.sessions.page(RIVAL, instant=0, limit=9)
    for fitting in requests(route, RIVAL):
        theirs = call(api, route, keys[credential], fitting=fitting)
        nobodys = call(without, route, keys_without[credential], fitting=fitting)
        assert whole(theirs) == whole(nobodys)
        if route.is_within_organization:
            has_scope = (route.scopes or frozenset()) <= CREDENTIALS[credential].scopes
            code = "forbidden_organization" if has_scope else "insufficient_scope"
            if has_scope and route.is_authzen and fitting.body == {}:
                # No question, whoever is asked.
                assert theirs.status_code == 400
            elif has_scope and route.template in DECIDING:
                assert denied(theirs)
            else:
                refusal(theirs, 403, code, is_plain=route.is_authzen)
    assert store.load(RIVAL) is before
    assert len(store.events(RIVAL, after=0, limit=9)) == counted
    assert store.meter.usage(RIVAL, instant=NOW, limit=1) == ()
    assert store.sessions.page(RIVAL, instant=0, limit=9) == sessions


@pytest.mark.parametrize("credential", CREDENTIALS)
@pytest.mark.parametrize("route", ABOUT_ONE, ids=named)
def test_in_one_service_too_the_name_is_all_that_differs(
    worlds: tuple[World, World], route: Route, credential: str
) -> None:
    """Asked of the same process, what is not yours and what never was differ in the name only."""
    api, _, keys = worlds[0]
    for theirs, nobodys in zip(requests(route, RIVAL), requests(route, NOBODY), strict=True):
        about_theirs = call(api, route, keys[credential], fitting=theirs)
        about_nobodys = call(api, route, keys[credential], of=NOBODY, fitting=nobodys)
        assert whole(about_theirs) == renamed(about_nobodys, NOBODY, RIVAL)


@pytest.mark.parametrize("route", ABOUT_ONE, ids=named)
def test_each_request_would_be_answered_to_its_own(route: Route) -> None:
    """The comparisons are not vacuous: the same requests of the other's own key take effect."""
    for fitting in fittings(route, RIVAL):
        store = MemoryStore()
        furnished(store, RIVAL)
        scopes = frozenset({Scope.EVALUATE, Scope.REVIEW, Scope.TRUSTED_CONTEXT})
        wanted = KeyRequest(RIVAL, None, scopes | (route.scopes or scopes))
        if Scope.OPERATE in wanted.scopes:
            wanted = OPERATORS
        with serving(store, wanted) as api:
            credential = api.headers["Authorization"].removeprefix("Bearer ")
            answer = call(api, route, credential, fitting=fitting)
        assert answer.is_success, answer.text
        asks = route.template in ASKED or route.is_authzen
        asked_and_unknown = asks and "unknown_organization" in answer.text
        assert not asked_and_unknown


def test_a_key_of_a_deleted_organization_reaches_nothing(store: MemoryStore) -> None:
    """It is answered as if its organization had never been."""
    with serving(store, CREDENTIALS["operator"]) as api:
        assert api.get("/v1/orgs/acme").status_code == 200
        assert services_over(store).administration.dissolve(ACME, by=Author("other"))
        running(api).services.snapshots.catch_up(ACME)
        problem(api.get("/v1/orgs/acme"), 403, "forbidden_organization")
        problem(api.post("/v1/orgs/acme/roles", json={"id": "r"}), 403, "forbidden_organization")
        answer = api.post("/evaluate", json={**READING, "org_id": "acme"}).json()
        assert (answer["decision"], answer["reason_code"]) == ("Deny", "unknown_organization")
        assert api.get("/v1/orgs").json()["items"] == []
