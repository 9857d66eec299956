"""Stored sessions over HTTP: opened, widened, narrowed and ended, and asked in on every route."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from grantproof.adapters.memory import MemoryStore
from grantproof.api.conditions import IDEMPOTENCY_KEY
from grantproof.core.commands.language import (
    AssignRole,
    ChangeSet,
    Command,
    CreatePrincipal,
    CreateSodSet,
    DeletePrincipal,
    RevokeRole,
    SingleCommand,
    SuspendPrincipal,
)
from grantproof.core.identifiers import OrganizationId, PrincipalId, RoleId, SodSetId
from grantproof.core.limits import SESSION_SECONDS_DEFAULT, SESSION_SECONDS_MAX
from grantproof.core.model import SodSet, Validity
from grantproof.service.authors import Author
from grantproof.service.callers import Scope
from grantproof.service.demo import ACME
from grantproof.service.keyring import KeyRequest
from grantproof.service.ports import StoreUnavailable
from tests.api.service import (
    READ_DOCS,
    Api,
    Json,
    bearer,
    evaluate,
    fields_at_fault,
    new_key,
    problem,
    revision,
    running,
    services_over,
    serving,
)
from tests.api.test_consume import EXPORT, QUOTA, give

SESSIONS = "/v1/orgs/acme/sessions"
ALICE, BOB, CAROL = (PrincipalId(name) for name in ("alice", "bob", "carol"))
VIEWER, EDITOR, FINANCE = (RoleId(name) for name in ("viewer", "editor", "finance"))
APART = SodSet(SodSetId("apart"), frozenset({VIEWER, FINANCE}), 2, "dynamic")
BOB_READS: Json = {**READ_DOCS, "principal_id": "bob"}


def change(store: MemoryStore, *commands: Command) -> None:
    """Let another process change `acme`."""
    for command in commands:
        services_over(store).administration.propose(ACME, command, by=Author("other"))


def here(api: Api, *commands: Command) -> None:
    """Change `acme` in the process that answers."""
    for command in commands:
        running(api).services.administration.propose(ACME, command, by=Author("here"))


def opened(api: Api, *roles: str, principal: str = "bob", **more: Any) -> str:
    """The id of a new session."""
    body = {"principal": principal, "roles": list(roles), **more}
    made = api.post(SESSIONS, json=body)
    assert made.status_code == 201, made.text
    return str(made.json()["id"])


def asked(api: Api, session: str, **changed: Any) -> Json:
    """What is answered to Bob, who would read the documents."""
    return evaluate(api, **{**BOB_READS, "session_id": session, **changed})


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Sets the clock of every service."""

    def set_to(instant: int) -> None:
        monkeypatch.setattr("grantproof.adapters.clock.SystemClock.now", lambda _: instant)

    set_to(1_700_000_000)
    return set_to


@pytest.mark.usefixtures("now")
def test_a_session_is_opened_shown_and_ended(api: Api) -> None:
    """With the roles that were chosen, until it ends; the organization's revision stays."""
    before = revision(api)
    made = api.post(SESSIONS, json={"principal": "bob", "roles": ["viewer"], "seconds": 60})
    told = made.json()
    assert made.status_code == 201
    assert made.headers["location"] == f"{SESSIONS}/{told['id']}"
    assert told == {
        "id": told["id"],
        "principal": "bob",
        "roles": ["viewer"],
        "created_at": 1_700_000_000,
        "expires_at": 1_700_000_060,
        "opened_by": "demo",
    }
    assert len(told["id"]) == 32
    place = f"{SESSIONS}/{told['id']}"
    assert api.get(place).json() == told
    assert api.delete(place).status_code == 204
    problem(api.get(place), 404, "not_found")
    problem(api.delete(place), 404, "not_found")
    assert revision(api) == before


def test_sessions_are_listed_in_pages(api: Api) -> None:
    """In the order of their ids, of one principal where asked; an old cursor is no fault."""
    bobs = sorted(opened(api, "viewer") for _ in range(3))
    alices = opened(api, principal="alice")
    listed = api.get(SESSIONS, params={"principal": "bob", "limit": 2}).json()
    assert [one["id"] for one in listed["items"]] == bobs[:2]
    rest = api.get(SESSIONS, params={"principal": "bob", "after": listed["next"]}).json()
    assert ([one["id"] for one in rest["items"]], rest["next"]) == (bobs[2:], None)
    every = api.get(SESSIONS).json()["items"]
    assert [one["id"] for one in every] == sorted([*bobs, alices])
    problem(api.get(SESSIONS, params={"after": "no id"}), 400, "invalid")


def test_a_decision_in_a_session_is_one_with_its_roles(api: Api) -> None:
    """Whatever is chosen: the same answer as with `active_roles`, by each way of asking."""
    for roles in ([], ["viewer"], ["editor"], ["viewer", "editor"]):
        session = opened(api, *roles)
        for action in ("read", "write", "fly"):
            given = {**BOB_READS, "action": action, "active_roles": roles}
            stored = {**BOB_READS, "action": action, "session_id": session}
            same = ("decision", "reason", "reason_code", "claim_id", "revision")
            for path in ("/evaluate", "/evaluate/consume", "/explain"):
                named = {k: v for k, v in given.items() if k not in COUNTED or path == "/evaluate"}
                kept = {k: v for k, v in stored.items() if k not in COUNTED or path == "/evaluate"}
                one, two = (api.post(path, json=body).json() for body in (named, kept))
                assert [one.get(name) for name in same] == [two.get(name) for name in same]
            org = {"org_id": "acme"}
            items = [{k: v for k, v in one.items() if k != "org_id"} for one in (given, stored)]
            batch = api.post("/evaluate/batch", json={**org, "items": items}).json()["items"]
            assert [batch[0].get(name) for name in same] == [batch[1].get(name) for name in same]


COUNTED = ("usage", "rate")


def test_an_answer_in_a_session_ends_with_it(api: Api, now: Callable[[int], None]) -> None:
    """`valid_until` is the end of the session where nothing ends before it; then it is denied."""
    session = opened(api, "viewer", seconds=60)
    told = asked(api, session, weekday=2)
    assert (told["decision"], told["valid_until"]) == ("Allow", 1_700_000_060)
    here(api, AssignRole(BOB, VIEWER, Validity(end=1_700_000_030)))
    # What starts later gives nobody a session that is gone.
    here(api, AssignRole(BOB, FINANCE, Validity(start=1_700_000_090)))
    assert asked(api, session, weekday=2)["valid_until"] == 1_700_000_030
    now(1_700_000_059)
    assert asked(api, session, weekday=2)["decision"] == "Allow"
    now(1_700_000_060)
    denied = asked(api, session, weekday=2)
    assert (denied["decision"], denied["reason_code"]) == ("Deny", "no_session")
    assert denied["valid_until"] is None
    problem(api.get(f"{SESSIONS}/{session}"), 404, "not_found")


def test_no_such_session_is_a_deny_whoever_asks(store: MemoryStore) -> None:
    """Absent, ended, of another principal, of another organization: the same answer, no error."""
    reviewing = frozenset(Scope) - {Scope.OPERATE}
    with serving(store, KeyRequest(ACME, None, reviewing)) as api:
        other = services_over(store)
        other.administration.found(OrganizationId("other"), time_zone="UTC", by=Author("x"))
        ended = opened(api, "viewer")
        api.delete(f"{SESSIONS}/{ended}")
        alices = opened(api, "viewer", principal="alice")
        plain = bearer(new_key(store, KeyRequest(ACME, None, frozenset({Scope.EVALUATE}))))
        question = {k: v for k, v in BOB_READS.items() if k not in {"hour", *COUNTED}}
        for headers in ({}, plain):
            told = []
            for session in ("never", ended, alices):
                body = {**question, "session_id": session}
                answer = api.post("/evaluate", json=body, headers=headers).json()
                told.append({k: v for k, v in answer.items() if k != "decided_at"})
            assert told[0] == told[1] == told[2]
            assert (told[0]["decision"], told[0]["reason_code"]) == ("Deny", "no_session")
        explained = api.post("/explain", json={**question, "session_id": "never"}).json()
        assert (explained["decision"], explained["reason_code"]) == ("Deny", "no_session")
        assert explained["active_roles"] == []
        unknown = {**question, "principal_id": "zoe", "session_id": "never"}
        assert api.post("/evaluate", json=unknown).json()["reason_code"] == "unknown_principal"


@pytest.mark.parametrize("path", ["/evaluate", "/evaluate/consume", "/explain"])
def test_a_session_and_roles_are_too_much(steady: Api, path: str) -> None:
    """One of the two: 400, as an item of a batch its error; nothing is guessed."""
    both = {**BOB_READS, "session_id": "s", "active_roles": ["viewer"]}
    asked_both = {k: v for k, v in both.items() if k not in COUNTED}
    assert fields_at_fault(problem(steady.post(path, json=asked_both), 400, "invalid")) == [
        "active_roles"
    ]
    item = {k: v for k, v in both.items() if k != "org_id"}
    batch = steady.post("/evaluate/batch", json={"org_id": "acme", "items": [item]}).json()
    assert batch["items"][0]["error"]["code"] == "invalid"


def test_what_may_not_be_chosen_is_refused_with_its_witness(api: Api) -> None:
    """A role that is not held, one that is not there, a clash; and nothing is opened."""
    here(api, CreateSodSet(APART), AssignRole(BOB, FINANCE), SuspendPrincipal(ALICE))
    cases = [
        ({"principal": "carol", "roles": ["viewer"]}, "not_held"),
        ({"principal": "bob", "roles": ["editor", "finance"]}, "session_clash"),
        ({"principal": "bob", "roles": ["nothing"]}, "missing"),
        ({"principal": "zoe"}, "missing"),
        ({"principal": "alice"}, "suspended"),
    ]
    told = [problem(api.post(SESSIONS, json=body), 409, code) for body, code in cases]
    assert told[0]["witness"]["roles"] == ["viewer"]
    assert told[1]["witness"] == {
        "kind": "session_clash",
        "sod_set": "apart",
        "roles": ["finance", "viewer"],
        "n": 2,
    }
    assert api.get(SESSIONS).json()["items"] == []


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"principal": "bob", "seconds": 0}, "seconds"),
        ({"principal": "bob", "seconds": SESSION_SECONDS_MAX + 1}, "seconds"),
        ({"principal": "bob", "roles": ["viewer", "viewer"]}, "roles"),
        ({"principal": "no id"}, "principal"),
        ({"roles": []}, "principal"),
        ({"principal": "bob", "id": "mine"}, "id"),
    ],
)
def test_a_malformed_session_is_refused(steady: Api, body: Json, field: str) -> None:
    """The field is named; the id is the service's to make."""
    told = problem(steady.post(SESSIONS, json=body), 400, "invalid")
    assert fields_at_fault(told) == [field]


def test_a_session_lasts_as_long_as_it_may(api: Api) -> None:
    """The default, and the longest; not a second more."""
    for seconds in (None, 1, SESSION_SECONDS_MAX):
        more: Json = {} if seconds is None else {"seconds": seconds}
        told = api.get(f"{SESSIONS}/{opened(api, 'viewer', **more)}").json()
        expected = SESSION_SECONDS_DEFAULT if seconds is None else seconds
        assert told["expires_at"] - told["created_at"] == expected


def test_roles_are_added_and_dropped(api: Api) -> None:
    """What is inherited goes with what inherits it; what is not chosen cannot be dropped."""
    session = opened(api, "viewer")
    roles = f"{SESSIONS}/{session}/roles"
    assert asked(api, session)["decision"] == "Allow"
    assert asked(api, session, action="write")["decision"] == "Deny"
    added = api.post(roles, json={"role": "editor"})
    assert (added.status_code, added.json()["roles"]) == (200, ["editor", "viewer"])
    assert asked(api, session, action="write")["decision"] == "Allow"
    problem(api.post(roles, json={"role": "editor"}), 409, "already_exists")
    problem(api.post(roles, json={"role": "finance"}), 409, "not_held")
    assert api.delete(f"{roles}/viewer").status_code == 204
    assert asked(api, session)["decision"] == "Allow"
    assert api.get(roles).json() == {
        "chosen": ["editor"],
        "active": ["editor", "viewer"],
        "revision": revision(api),
    }
    problem(api.delete(f"{roles}/viewer"), 404, "not_found")
    assert api.delete(f"{roles}/editor").status_code == 204
    assert asked(api, session)["reason_code"] == "no_role"
    problem(api.post(f"{SESSIONS}/none/roles", json={"role": "viewer"}), 404, "not_found")
    problem(api.delete(f"{SESSIONS}/none/roles/viewer"), 404, "not_found")
    problem(api.get(f"{SESSIONS}/none/roles"), 404, "not_found")


def test_permissions_of_a_session_are_those_of_its_active_roles(api: Api) -> None:
    """In pages; a role that was revoked gives none."""
    session = opened(api, "editor")
    place = f"{SESSIONS}/{session}/permissions"
    every = [one["id"] for one in api.get(place).json()["items"]]
    assert every == ["editor-write-docs", "viewer-read-docs", "viewer-read-reports"]
    first = api.get(place, params={"limit": 1}).json()
    assert ([one["id"] for one in first["items"]], first["next"]) == (every[:1], every[0])
    here(api, RevokeRole(BOB, EDITOR))
    assert api.get(place).json()["items"] == []
    problem(api.get(f"{SESSIONS}/none/permissions"), 404, "not_found")


def test_a_revoked_role_stops_counting_at_once(api: Api) -> None:
    """The session stays, with nothing in it; a dynamic set that is made later binds it too."""
    session = opened(api, "viewer", "editor")
    here(api, RevokeRole(BOB, EDITOR))
    assert asked(api, session)["reason_code"] == "no_role"
    here(api, AssignRole(BOB, EDITOR), AssignRole(BOB, FINANCE), CreateSodSet(APART))
    both = opened(api, "finance")
    problem(api.post(f"{SESSIONS}/{both}/roles", json={"role": "viewer"}), 409, "session_clash")
    assert asked(api, session)["decision"] == "Allow"


def test_a_namesake_inherits_no_session(api: Api, store: MemoryStore) -> None:
    """A principal is deleted and made anew here, elsewhere, or by one change: none is left."""
    anew: tuple[SingleCommand, ...] = (
        DeletePrincipal(BOB, cascade=True),
        CreatePrincipal(BOB),
        AssignRole(BOB, EDITOR),
    )
    for how in ("here", "elsewhere", "one change"):
        session = opened(api, "viewer")
        assert asked(api, session)["decision"] == "Allow"
        if how == "here":
            here(api, *anew)
        elif how == "one change":
            here(api, ChangeSet(anew[:2]), anew[2])
        else:
            change(store, *anew)
            running(api).services.snapshots.catch_up(ACME)
        denied = asked(api, session)
        assert (how, denied["reason_code"]) == (how, "no_session")
        assert evaluate(api, **BOB_READS)["decision"] == "Allow"


def test_a_session_is_opened_once_under_a_key(api: Api) -> None:
    """The same answer again, the address too; widening likewise."""
    body = {"principal": "bob", "roles": ["viewer"]}
    first, again = (
        api.post(SESSIONS, json=body, headers={IDEMPOTENCY_KEY: "one"}) for _ in range(2)
    )
    assert (again.status_code, again.json()) == (201, first.json())
    assert again.headers["location"] == first.headers["location"]
    assert len(api.get(SESSIONS).json()["items"]) == 1
    place = f"{SESSIONS}/{first.json()['id']}/roles"
    wide = [
        api.post(place, json={"role": "editor"}, headers={IDEMPOTENCY_KEY: "two"}).json()
        for _ in range(2)
    ]
    assert wide[0] == wide[1]
    other = api.post(place, json={"role": "viewer"}, headers={IDEMPOTENCY_KEY: "two"})
    problem(other, 422, "idempotency_key_reused")
    problem(api.delete(f"{place}/editor", headers={"If-Match": '"1"'}), 400, "invalid")


SCOPED = [
    ("POST", "", {"principal": "bob"}),
    ("POST", "/SESSION/roles", {"role": "editor"}),
    ("DELETE", "/SESSION/roles/viewer", None),
    ("DELETE", "/SESSION", None),
]


@pytest.mark.parametrize(("method", "path", "body"), SCOPED)
def test_only_the_scope_of_sessions_changes_one(
    store: MemoryStore, method: str, path: str, body: Json | None
) -> None:
    """Not one that asks, reads or administers; and not one whose principal is suspended."""
    with serving(store, KeyRequest(ACME, None, frozenset(Scope) - {Scope.OPERATE})) as api:
        address = SESSIONS + path.replace("SESSION", opened(api, "viewer"))
        others = frozenset(Scope) - {Scope.OPERATE, Scope.SESSIONS}
        weak = bearer(new_key(store, KeyRequest(ACME, None, others)))
        problem(api.request(method, address, json=body, headers=weak), 403, "insufficient_scope")
        own = bearer(new_key(store, KeyRequest(ACME, ALICE, frozenset({Scope.SESSIONS}))))
        here(api, SuspendPrincipal(ALICE))
        problem(api.request(method, address, json=body, headers=own), 403, "not_permitted")
        assert len(api.get(SESSIONS).json()["items"]) == 1


def test_a_metered_claim_is_consumed_in_a_session(api: Api) -> None:
    """Counted for the principal as ever; without the session's role it is denied, not counted."""
    give(api, "exports", QUOTA)
    body = {k: v for k, v in EXPORT.items() if k not in COUNTED}
    with_role, without = opened(api, "viewer", principal="alice"), opened(api, principal="alice")
    used = api.post("/evaluate/consume", json={**body, "session_id": with_role, "explain": True})
    assert used.json()["decision"] == "Allow", used.text
    assert used.json()["certificate"]["roles"] == ["viewer"]
    denied = api.post("/evaluate/consume", json={**body, "session_id": without}).json()
    assert (denied["decision"], denied["reason_code"]) == ("Deny", "no_role")
    never = api.post("/evaluate/consume", json={**body, "session_id": "never"}).json()
    assert (never["decision"], never["reason_code"]) == ("Deny", "no_session")
    assert [one["used"] for one in api.get("/v1/orgs/acme/usage").json()["items"]] == [1]


@pytest.fixture
def two(store: MemoryStore) -> Iterator[tuple[Api, Api]]:
    """Two services over one store, as an operator sees them."""
    wanted = KeyRequest(ACME, None, frozenset(Scope) - {Scope.OPERATE})
    with serving(store, wanted) as one, serving(store, wanted) as other:
        yield one, other


def test_what_another_service_opened_is_known_at_once(two: tuple[Api, Api]) -> None:
    """The first time it is asked in."""
    one, other = two
    assert asked(other, opened(one, "viewer"))["decision"] == "Allow"


def test_what_another_service_changed_is_known_once_it_is_confirmed(
    two: tuple[Api, Api], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where it is changed at once; elsewhere with the next look, or when that is too long ago."""
    one, other = two
    session, second = opened(one, "viewer"), opened(one, "viewer")
    assert asked(other, session)["decision"] == asked(other, second)["decision"] == "Allow"
    for each in (session, second):
        assert one.delete(f"{SESSIONS}/{each}").status_code == 204
        assert asked(one, each)["reason_code"] == "no_session"
    kept = running(other).services.kept_sessions
    monkeypatch.setattr(kept, "_confirm_seconds", 0)
    kept.confirm()
    assert asked(other, session)["reason_code"] == "no_session"
    third = opened(one, "viewer")
    assert asked(other, third)["decision"] == "Allow"
    assert one.delete(f"{SESSIONS}/{third}").status_code == 204
    monkeypatch.setattr(kept, "_max_staleness", -1.0)
    problem(other.post("/evaluate", json={**BOB_READS, "session_id": third}), 503, "not_current")


def test_a_store_that_is_away_is_a_503_and_what_is_kept_is_answered(
    api: Api, store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that is known is answered in while it is fresh; one that is not cannot be."""
    session, other = opened(api, "viewer"), opened(api, "viewer")
    kept = running(api).services.kept_sessions

    def away(*_: object, **__: object) -> None:
        raise StoreUnavailable("away")

    monkeypatch.setattr(store.sessions, "read", away)
    assert asked(api, session)["decision"] == "Allow"
    body = {**BOB_READS, "session_id": "unknown"}
    problem(api.post("/evaluate", json=body), 503, "store_unavailable")
    monkeypatch.setattr(kept, "_max_staleness", -1.0)
    for path in ("/evaluate", "/explain"):
        old = {**BOB_READS, "session_id": other}
        problem(api.post(path, json=old), 503, "store_unavailable")
