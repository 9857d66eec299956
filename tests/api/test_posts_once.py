"""Every POST that changes something, found in the route table, takes effect once under a key."""

import copy
from collections.abc import Iterator
from typing import Any

import pytest

from grantproof.adapters.memory import MemoryStore
from grantproof.api.conditions import IDEMPOTENCY_KEY
from grantproof.api.front import CONSUME, PATHS
from grantproof.core.identifiers import OrganizationId
from grantproof.service.callers import Scope
from tests.api.furnished import BODIES, NAMES
from tests.api.fuzzing import Target
from tests.api.routes import ROUTES, Route, named
from tests.api.service import OPERATORS, problem, serving

CHANGING = [
    route
    for route in ROUTES
    if route.method == "POST"
    and (route.template not in PATHS or route.template == CONSUME)
    and not route.is_authzen
    and route.scopes != frozenset({Scope.REVIEW})
]
"""All but questions."""
OF_KEYS = "/v1/keys"
JSON = {"Content-Type": "application/json"}


@pytest.fixture(scope="module")
def shared() -> Iterator[Target]:
    """A service, as an operator sees it."""
    store = MemoryStore()
    with serving(store, OPERATORS) as api:
        yield Target(api, store)


@pytest.fixture
def target(shared: Target) -> Target:
    """The service with a newly furnished organization."""
    shared.renew()
    return shared


def address(route: Route, organization: str) -> str:
    """An address of the route that names what exists."""
    path = route.template.replace("{org}", organization)
    for name, names in NAMES.items():
        path = path.replace(f"{{{name}}}", names[0])
    return path


def told(target: Target) -> tuple[Any, ...]:
    """What is there: organizations with their revisions, keys, sessions, and what was counted."""
    api, here = target.api, OrganizationId(target.organization)
    usage = tuple(target.store.meter.usage(here, instant=0, limit=99))
    sessions = target.store.sessions.page(here, instant=0, limit=99)
    return api.get("/v1/orgs").json(), api.get(OF_KEYS).json(), usage, sessions


@pytest.mark.parametrize("route", CHANGING, ids=named)
def test_every_post_that_changes_something_takes_effect_once(route: Route, target: Target) -> None:
    """The same again has the same answer and no effect; something else is 422."""
    body = copy.deepcopy(BODIES[named(route)][0])
    if route.template in {CONSUME, OF_KEYS}:
        body["org_id"] = target.organization
    headers: dict[str, Any] = {IDEMPOTENCY_KEY: "once"}
    if route.template.startswith("/principals"):
        headers |= target.bound
    path = address(route, target.organization)
    before = told(target)
    first = target.api.post(path, json=body, headers=headers)
    assert first.status_code in {200, 201}, first.text
    after = told(target)
    assert after != before
    again = target.api.post(path, json=body, headers=headers)
    expected = {**first.json(), "key": None} if route.template == OF_KEYS else first.json()
    assert (again.status_code, again.json()) == (first.status_code, expected)
    spaced = target.api.post(
        path, content=again.request.content + b" ", headers={**headers, **JSON}
    )
    problem(spaced, 422, "idempotency_key_reused")
    assert told(target) == after


def test_there_is_more_than_one_such_route() -> None:
    """A table that is read wrongly would show nothing."""
    assert len(CHANGING) > 14
    assert {OF_KEYS, "/v1/orgs", CONSUME} <= {route.template for route in CHANGING}
