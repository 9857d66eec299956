"""Two organizations with the same ids: what is not yours is, byte for byte, what is not there."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from httpx2 import Response

from grantproof.adapters.memory import MemoryStore
from grantproof.core.commands import Accepted
from grantproof.core.commands.language import ChangeSet
from grantproof.core.identifiers import OrganizationId, PrincipalId
from grantproof.service.authors import Author
from grantproof.service.callers import WITHIN_ORGANIZATION, Scope
from grantproof.service.demo import ACME, commands
from grantproof.service.keyring import KeyRequest
from tests.api.routes import GUARDED, Route, named
from tests.api.service import (
    Api,
    Json,
    bearer,
    new_key,
    problem,
    running,
    services_over,
    serving,
)

RIVAL = OrganizationId("rival")
CREDENTIALS = {
    "operator": KeyRequest(ACME, None, WITHIN_ORGANIZATION),
    "principal": KeyRequest(ACME, PrincipalId("alice"), WITHIN_ORGANIZATION),
    "application": KeyRequest(ACME, None, frozenset({Scope.EVALUATE})),
}
QUESTION: Json = {
    "org_id": "rival",
    "principal_id": "alice",
    "action": "read",
    "resource_id": "docs",
    "explain": True,
}
QUESTIONS: dict[str, Json] = {
    "/evaluate": QUESTION,
    "/evaluate/batch": {
        "org_id": "rival",
        "items": [{name: said for name, said in QUESTION.items() if name != "org_id"}] * 2,
    },
    "/explain": QUESTION,
}
"""What is asked of the routes in front, about the other organization."""

World = tuple[Api, MemoryStore, dict[str, str]]


def world(doors: ExitStack, *, rival: bool) -> World:
    """An application with `acme` and perhaps its double, and keys of `acme`."""
    store = MemoryStore()
    api = doors.enter_context(serving(store))
    if rival:
        administration = services_over(store).administration
        assert administration.found(RIVAL, time_zone="UTC", by=Author("other"))
        changes = ChangeSet(tuple(commands()))
        assert isinstance(administration.propose(RIVAL, changes, by=Author("other")), Accepted)
    keys = {name: new_key(store, wanted) for name, wanted in CREDENTIALS.items()}
    return api, store, keys


@pytest.fixture(scope="module")
def worlds() -> Iterator[tuple[World, World]]:
    """A world where the other organization is, and one where it is not."""
    with ExitStack() as doors:
        yield world(doors, rival=True), world(doors, rival=False)


def call(api: Api, route: Route, credential: str) -> Response:
    """What the route answers about the other organization."""
    body = None if route.method == "GET" else QUESTIONS.get(route.template, {})
    headers = {**bearer(credential), "X-Request-ID": "same"}
    return api.request(route.method, route.address("rival"), json=body, headers=headers)


def whole(answer: Response) -> tuple[object, ...]:
    """Everything that the caller sees of an answer."""
    return answer.status_code, sorted(answer.headers.items()), answer.content


@pytest.mark.parametrize("credential", CREDENTIALS)
@pytest.mark.parametrize("route", GUARDED, ids=named)
def test_another_organization_answers_like_an_absent_one(
    worlds: tuple[World, World], route: Route, credential: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Status, headers and body, on every route; and the other organization stays as it is."""
    monkeypatch.setattr("grantproof.adapters.clock.SystemClock.now", lambda _: 4_000_000_000)
    (api, store, keys), (without, _, keys_without) = worlds
    before = store.load(RIVAL)
    theirs = call(api, route, keys[credential])
    nobodys = call(without, route, keys_without[credential])
    assert whole(theirs) == whole(nobodys)
    assert store.load(RIVAL) is before
    if route.is_within_organization:
        code = "forbidden_organization"
        assert theirs.status_code == 403
        assert theirs.json()["code"] in {code, "insufficient_scope"}
        has_scope = (route.scopes or frozenset()) <= CREDENTIALS[credential].scopes
        assert (theirs.json()["code"] == code) == has_scope


@pytest.mark.parametrize("path", ["/evaluate", "/evaluate/batch"])
def test_the_question_would_be_allowed_to_its_own(worlds: tuple[World, World], path: str) -> None:
    """The comparison is not vacuous: the same question of the other's own key is answered."""
    api, store, _ = worlds[0]
    own = new_key(store, KeyRequest(RIVAL, None, WITHIN_ORGANIZATION))
    body = {**QUESTIONS[path], "org_id": "rival"}
    answer = api.post(path, json=body, headers=bearer(own)).json()
    assert answer["revision"] == 1


def test_a_key_of_a_deleted_organization_reaches_nothing(store: MemoryStore) -> None:
    """It is answered as if its organization had never been."""
    with serving(store, CREDENTIALS["operator"]) as api:
        assert api.get("/v1/orgs/acme").status_code == 200
        assert services_over(store).administration.dissolve(ACME, by=Author("other"))
        running(api).services.snapshots.catch_up(ACME)
        problem(api.get("/v1/orgs/acme"), 403, "forbidden_organization")
        problem(api.post("/v1/orgs/acme/roles", json={"id": "r"}), 403, "forbidden_organization")
        answer = api.post("/evaluate", json={**QUESTION, "org_id": "acme"}).json()
        assert (answer["decision"], answer["reason_code"]) == ("Deny", "unknown_organization")
        assert api.get("/v1/orgs").json()["items"] == []
