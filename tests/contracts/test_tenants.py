"""P-TENANT: no answer about an organization depends on another organization's data.

Two services run on databases of their own. In both the same happens to one organization; in the
second, other organizations with the same ids are changed in between. A caller of the first
organization gets the same answers from both, byte for byte.
"""

import itertools
import re
import secrets
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Final

import pytest
from httpx2 import Response
from hypothesis import given, settings
from hypothesis import strategies as st

from grantproof.adapters.chance import SystemChance
from grantproof.adapters.memory import MemoryStore
from grantproof.bootstrap import Services
from grantproof.core.commands import Event
from grantproof.core.commands.language import (
    Command,
    CreateClaim,
    DeleteClaim,
    DeletePrincipal,
    DeleteRole,
    SuspendPrincipal,
)
from grantproof.core.identifiers import Action, ClaimId, OrganizationId, PrincipalId, RoleId
from grantproof.core.model import Any as Anything
from grantproof.core.model import Claim, Exactly
from grantproof.service.authors import Author
from grantproof.service.callers import WITHIN_ORGANIZATION
from grantproof.service.credentials import PREFIX_AT
from grantproof.service.keyring import KeyRequest
from grantproof.service.sessions import ID_BYTES
from tests.api.fitting import ASKED, FURNISHING, QUESTION, READING, Fitting, fittings, open_session
from tests.api.routes import GUARDED, Route, named
from tests.api.service import (
    OPERATORS,
    Api,
    Json,
    bearer,
    furnish,
    new_key,
    running,
    services_over,
    serving,
)
from tests.contracts.histories import random_history
from tests.databases import Databases, opened

NOW: Final = 4_000_000_000
OTHERS: Final = 2
READS: Final = [
    route
    for route in GUARDED
    if route.is_authzen
    or (route.method == "GET" and (route.is_within_organization or route.template == "/v1/orgs"))
]
SHORT: Final = "/principals/{principal}/roles"
SHORT_FORM: Final = Fitting(body={"role_id": "x"})
CHANGES: Final = [
    route
    for route in GUARDED
    if route.template == SHORT
    or (route.is_within_organization and route.method != "GET" and not route.is_authzen)
]
EVENTS: Final = next(route for route in READS if route.template.endswith("/events"))
OF_OPERATORS: Final = {
    "POST /v1/orgs",
    "GET /v1/keys",
    "POST /v1/keys",
    "DELETE /v1/keys/{prefix}",
    "GET /metrics",
}
"""What is about none of them, or about all, for who may know; `test_isolation` has these."""
QUESTIONS: Final = ("/evaluate", "/evaluate/batch", "/explain", "/what-if")
CONSUME: Final = "/evaluate/consume"
OWN, OTHER = Author("own"), Author("other")

ALICE, VIEWER = PrincipalId("alice"), RoleId("viewer")
EDITS: Final[tuple[Command, ...]] = (
    FURNISHING,
    SuspendPrincipal(ALICE),
    DeletePrincipal(ALICE, cascade=True),
    DeleteRole(VIEWER, cascade=True),
    DeleteClaim(ClaimId("x")),
    CreateClaim(Claim(ClaimId("all"), VIEWER, Exactly(Action("read")), Anything())),
)
"""Changes of the ids that are asked about; a refused one changes nothing, and that is well too."""


@dataclass(frozen=True, slots=True)
class Step:
    """Something that happens: to the organization itself in both worlds, or to another in one.

    `other` counts the other organizations; `seed` picks the change, `elsewhere` says whether
    another process makes it.
    """

    other: int | None
    what: str
    seed: int
    elsewhere: bool


STEPS: Final = st.lists(
    st.builds(
        Step,
        other=st.sampled_from([None, *range(OTHERS)]),
        what=st.sampled_from(["edit", "random", "consume", "reset", "dissolve", "key", "ask"]),
        seed=st.integers(0, 2**16),
        elsewhere=st.booleans(),
    ),
    min_size=1,
    max_size=12,
)


@dataclass(frozen=True, slots=True)
class World:
    """A service, and what is behind it."""

    api: Api
    services: Services
    another_process: Services

    def at(self, step: Step) -> Services:
        """Where the step is made."""
        return self.another_process if step.elsewhere else self.services


@dataclass(frozen=True, slots=True)
class Own:
    """The organization that is asked about in a world: a key of one of its people, and its own."""

    world: World
    name: OrganizationId
    key: str
    office: str

    def ask(self, route: Route) -> Iterator[Response]:
        """The answers to everything that fits the route."""
        for fitting in fittings(route, self.name):
            yield self.send(route, fitting, self.key)

    def change(self, route: Route) -> Response:
        """The answer to the change that fits the route, under a key that may make it."""
        fitting = SHORT_FORM if route.template == SHORT else fittings(route, self.name)[0]
        within = (route.scopes or frozenset()) <= WITHIN_ORGANIZATION
        return self.send(route, fitting, self.office if within else operator(self.world))

    def send(self, route: Route, fitting: Fitting, key: str) -> Response:
        """The answer to a request under a key."""
        return self.world.api.request(
            route.method,
            route.address(self.name),
            params=fitting.query,
            json=fitting.body,
            headers={**self.headers(), **bearer(key)},
        )

    def post(self, path: str, body: Json) -> Response:
        """The answer to a question."""
        asked = {"org_id": self.name, **body}
        return self.world.api.post(path, json=asked, headers=self.headers())

    def headers(self) -> dict[str, str]:
        """What every request carries."""
        return {**bearer(self.key), "X-Request-ID": "same"}


@pytest.fixture(scope="module")
def worlds(kept_by: Databases | None) -> Iterator[tuple[World, World]]:
    """Two services on databases of their own, at one instant that does not pass."""
    with ExitStack() as doors:
        patch = doors.enter_context(pytest.MonkeyPatch.context())
        patch.setattr("grantproof.adapters.clock.SystemClock.now", lambda _: NOW)
        patch.setattr("grantproof.adapters.chance.SystemChance.draw", drawn)
        yield doors.enter_context(a_world(kept_by)), doors.enter_context(a_world(kept_by))


DRAWN: Final = itertools.count()


def drawn(_: SystemChance, count: int) -> bytes:
    """Random bytes; for an id of a session the same in both worlds, which open them in turn."""
    if count != ID_BYTES:
        return secrets.token_bytes(count)
    return (next(DRAWN) // 2).to_bytes(count)


@contextmanager
def a_world(kept_by: Databases | None) -> Iterator[World]:
    """A service over a new store of the kind."""
    database = None if kept_by is None else kept_by.copied(kept_by.empty)
    store = MemoryStore() if database is None else opened(database.address)
    with serving(store, OPERATORS) as api:
        yield World(api, running(api).services, services_over(store))
    store.close()
    if kept_by is not None and database is not None:
        kept_by.drop(database)


NUMBERS: Final = itertools.count()
"""Every example has organizations of its own: an id is never used again."""


def founded(world: World, number: int) -> Own:
    """The organization that is asked about, and the others; new, with the same ids in all."""
    for name in (own_name(number), *(other_name(number, other) for other in range(OTHERS))):
        furnish(world.services.store, name, FURNISHING, by=OWN)
        open_session(world.services.store, name, NOW)
    keys = (
        new_key(world.services.store, KeyRequest(own_name(number), whose, WITHIN_ORGANIZATION))
        for whose in (ALICE, None)
    )
    return Own(world, own_name(number), *keys)


def own_name(number: int) -> OrganizationId:
    """How the organization that is asked about is called."""
    return OrganizationId(f"own-{number}")


def other_name(number: int, other: int) -> OrganizationId:
    """How another one is called; one stands before and one after it in every order."""
    return OrganizationId(f"{'oz'[other]}-{number}")


def take(step: Step, own: Own, organization: OrganizationId) -> Response | None:
    """Let a step happen to the organization; what it answers."""
    services, world = own.world.at(step), own.world
    propose = services.administration.propose
    match step.what:
        case "edit":
            propose(organization, EDITS[step.seed % len(EDITS)], by=OTHER)
        case "random":
            for command in random_history(step.seed, attempts=8):
                propose(organization, command, by=OTHER)
        case "consume" if organization == own.name:
            # Neither world may happen to have looked for what is changed elsewhere, and the other
            # not: a denial is told as of the revision that is known.
            world.services.snapshots.catch_up(own.name)
            return own.post(CONSUME, QUESTION)
        case "consume":
            body = {**QUESTION, "org_id": organization}
            return world.api.post(CONSUME, json=body, headers=bearer(operator(world)))
        case "reset":
            services.store.meter.reset(organization, instant=NOW, principal=ALICE)
        case "dissolve" if organization != own.name:
            services.administration.dissolve(organization, by=OTHER)
        case "key":
            wanted = KeyRequest(organization, None, WITHIN_ORGANIZATION)
            services.keyring.create(wanted, by=OTHER)
        case _:
            world.api.get(f"/v1/orgs/{organization}", headers=bearer(operator(world)))
    return None


def operator(world: World) -> str:
    """A key that asks in the name of everybody."""
    return str(world.api.headers["Authorization"]).removeprefix("Bearer ")


def compare(one: Own, two: Own) -> None:
    """Every read and every question has the same answer in both worlds."""
    for world in (one.world, two.world):
        world.services.snapshots.catch_up(one.name)
        world.services.meters.refresh(one.name)
    for route in READS:
        for first, second in zip(one.ask(route), two.ask(route), strict=True):
            assert whole(first) == whole(second), route
    for path in (*QUESTIONS, CONSUME):
        for body in ASKED[path]:
            assert whole(one.post(path, body)) == whole(two.post(path, body)), path


def whole(answer: Response | None) -> tuple[object, ...]:
    """Everything that the caller sees of an answer."""
    if answer is None:
        return ()
    return answer.status_code, sorted(answer.headers.items()), answer.content


def history(own: Own) -> list[tuple[object, ...]]:
    """What its events say, but for the names of the keys, which are drawn at random."""
    return [alike(own, answer) for answer in own.ask(EVENTS)]


def alike(own: Own, answer: Response) -> tuple[object, ...]:
    """Everything that the caller sees, but for the names of the keys."""
    keys = (own.office, operator(own.world))
    names = re.compile(b"|".join(text.encode()[PREFIX_AT] for text in keys))
    status, headers, content = whole(answer)
    assert isinstance(content, bytes)
    return status, headers, names.sub(b"the key", content)


def run(worlds: tuple[World, World], steps: list[Step]) -> tuple[Own, Own]:
    """Let the steps happen: those of the organization in both worlds, the others in the second."""
    number = next(NUMBERS)
    one, two = (founded(world, number) for world in worlds)
    for step in steps:
        if step.other is None:
            assert whole(take(step, one, one.name)) == whole(take(step, two, two.name))
        else:
            take(step, two, other_name(number, step.other))
    return one, two


@given(steps=STEPS)
@settings(max_examples=25)
def test_p_tenant_no_answer_depends_on_another_organization(
    worlds: tuple[World, World], steps: list[Step]
) -> None:
    """Whatever happens to others, in whatever order: every read, question and use is the same."""
    compare(*run(worlds, steps))


def test_p_tenant_every_kind_of_step_on_both_sides(worlds: tuple[World, World]) -> None:
    """One history with all of them, made here and elsewhere; what is compared says something."""
    kinds = ["consume", "edit", "random", "key", "ask", "reset", "consume", "dissolve"]
    steps = [
        Step(other, what, seed, elsewhere)
        for what in kinds
        for other in (0, None, 1)
        for seed, elsewhere in ((0, False), (7, True))
        if other is not None or what not in {"edit", "dissolve"}
    ]
    one, two = run(worlds, steps)
    compare(one, two)
    assert {route.template for route in READS} >= {"/v1/orgs/{org}/events", "/v1/orgs/{org}/usage"}
    for route in READS:
        assert all(answer.status_code == 200 for answer in one.ask(route)), route
    assert one.post("/evaluate", {**READING, "hour": 10}).json()["decision"] == "Allow"
    gone = other_name(int(two.name.partition("-")[2]), 0)
    assert two.world.services.store.load(gone) is None


@pytest.mark.parametrize("route", CHANGES, ids=named)
def test_p_tenant_every_change_is_answered_and_done_the_same(
    worlds: tuple[World, World], route: Route
) -> None:
    """Each route that changes something, asked twice: others are changed before and in between.

    The second time mostly finds it done; what is told then, and the history after, are the same.
    """
    number = next(NUMBERS)
    one, two = (founded(world, number) for world in worlds)
    told = []
    for seed in range(2):
        for other, what in enumerate(("edit", "random")):
            take(Step(other, what, seed, elsewhere=seed == 1), two, other_name(number, other))
        first, second = (alike(own, own.change(route)) for own in (one, two))
        assert first == second
        told.append(first)
    assert told[0][0] in {200, 201, 204}
    assert history(one) == history(two)


def test_p_tenant_no_route_is_left_out() -> None:
    """A route is read, asked or walked as a change; or it answers an operator about everything."""
    walked = {named(route) for route in (*READS, *CHANGES)}
    asked = {f"POST {path}" for path in (*QUESTIONS, CONSUME)}
    assert {named(route) for route in GUARDED} == walked | asked | OF_OPERATORS


def _leak_events(patch: pytest.MonkeyPatch, own: Own, other: OrganizationId) -> None:
    store = own.world.services.store
    real = store.continued

    def leaking(
        _: OrganizationId,
        *,
        after: int,
        seal: str | None,  # noqa: ARG001 - what would give the leak away
        limit: int,
    ) -> tuple[tuple[str, Event], ...] | None:
        return real(other, after=after, seal=None, limit=limit)

    patch.setattr(store, "continued", leaking)


def _leak_snapshots(patch: pytest.MonkeyPatch, own: Own, other: OrganizationId) -> None:
    snapshots = own.world.services.snapshots
    snapshots.load(other)
    patch.setattr(snapshots, "get", lambda _, real=snapshots.get: real(other))


LEAKS: Final[dict[str, Callable[[pytest.MonkeyPatch, Own, OrganizationId], None]]] = {
    "events": _leak_events,
    "snapshots": _leak_snapshots,
}


@pytest.mark.parametrize("leak", LEAKS)
def test_p_tenant_an_answer_from_another_organization_is_found(
    worlds: tuple[World, World], monkeypatch: pytest.MonkeyPatch, leak: str
) -> None:
    """The comparison can fail: a service that mixes up two organizations is found out."""
    one, two = run(worlds, [Step(0, "random", 3, elsewhere=True)])
    compare(one, two)
    other = other_name(int(two.name.partition("-")[2]), 0)
    LEAKS[leak](monkeypatch, two, other)
    with pytest.raises(AssertionError):
        compare(one, two)
