"""What a store promises of sessions, sentence by sentence; the same suite for every store."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from grantproof.core.commands.language import (
    AssignRole,
    ChangeSet,
    CreatePrincipal,
    CreateRole,
    DeletePrincipal,
    DeleteRole,
    SuspendPrincipal,
)
from grantproof.core.identifiers import OrganizationId, PrincipalId, RoleId, SessionId
from grantproof.core.organization import Organization
from grantproof.core.sessions import Session
from grantproof.service.ports import Store
from grantproof.service.receipts import RECEIPT_SECONDS, Consumption, Once, Pledge
from grantproof.service.session_store import SessionStore, Told, Writing
from tests.contracts.histories import ACTOR, ANN, BOB, INSTANT, commit_all, created

ACME, OTHER = OrganizationId("acme"), OrganizationId("other")
CLERK, HEAD = RoleId("clerk"), RoleId("head")
HOUR = 3_600
MANY = 100
RACERS = 6
PATIENCE_SECONDS = 30
TOLD = Told(Pledge("portal", Once("key", "digest")), "answer")
ROLES = frozenset({CLERK, HEAD})


@pytest.fixture
def sessions(store: Store) -> SessionStore:
    """The sessions of the store."""
    return store.sessions


def staffed(store: Store, name: OrganizationId = ACME) -> Organization:
    """A new organization in which Ann is a clerk and a head."""
    people = (CreatePrincipal(ANN), CreatePrincipal(BOB), CreateRole(CLERK), CreateRole(HEAD))
    held = (AssignRole(ANN, CLERK), AssignRole(ANN, HEAD))
    return created(store, name, [ChangeSet((*people, *held))])


def session(
    name: str = "s1",
    principal: PrincipalId = ANN,
    *,
    roles: frozenset[RoleId] = ROLES,
    at: int = INSTANT,
) -> Session:
    """A session of an hour."""
    return Session(SessionId(name), principal, roles, at, at + HOUR, "key:portal")


def keep(
    sessions: SessionStore,
    state: Organization,
    *wanted: Session,
    most: int = MANY,
    told: Told | None = None,
) -> list[Writing | Consumption]:
    """What becomes of the sessions that are opened."""
    revision = state.revision
    return [sessions.open(state.id, one, revision=revision, most=most, told=told) for one in wanted]


def put(
    sessions: SessionStore,
    state: Organization,
    changed: Session,
    *,
    at: int = INSTANT,
    told: Told | None = None,
) -> Writing | Consumption:
    """What becomes of a session that is changed."""
    return sessions.change(state.id, changed, revision=state.revision, instant=at, told=told)


def names(sessions: SessionStore, organization: OrganizationId = ACME) -> set[str]:
    """The ids of all that last."""
    return {str(one.id) for one in sessions.page(organization, instant=INSTANT, limit=MANY)}


def test_a_session_that_is_opened_can_be_read(store: Store, sessions: SessionStore) -> None:
    """As it was opened, whatever roles it has; what is not there is left out."""
    state, none = staffed(store), session("s2", roles=frozenset())
    assert keep(sessions, state, session(), none) == [Writing.DONE] * 2
    wanted = [session().id, none.id, SessionId("other")]
    assert sessions.read(ACME, wanted) == {session().id: session(), none.id: none}
    assert sessions.read(ACME, []) == {}


def test_sessions_of_organizations_are_apart(store: Store, sessions: SessionStore) -> None:
    """The same id is another session there, and what is done to one is not done to the other."""
    state, other = staffed(store), staffed(store, OTHER)
    keep(sessions, state, session())
    assert sessions.read(OTHER, [session().id]) == {}
    assert not sessions.end(OTHER, session().id, instant=INSTANT)
    assert keep(sessions, other, session(principal=BOB)) == [Writing.DONE]
    assert sessions.read(ACME, [session().id])[session().id].principal == ANN
    assert sessions.read(OTHER, [session().id])[session().id].principal == BOB


def test_a_session_is_only_opened_on_what_was_decided_on(
    store: Store, sessions: SessionStore
) -> None:
    """Not after a change of the organization, nor where there is none."""
    state = staffed(store)
    newer = commit_all(store, state, [CreateRole(RoleId("other"))])
    assert keep(sessions, state, session()) == [Writing.STALE]
    assert names(sessions) == set()
    assert keep(sessions, newer, session()) == [Writing.DONE]
    assert put(sessions, state, session().having(frozenset({HEAD}))) is Writing.STALE
    assert sessions.read(ACME, [session().id]) == {session().id: session()}
    gone = replace(state, id=OTHER)
    assert keep(sessions, gone, session()) == [Writing.STALE]


@pytest.mark.parametrize("most", [1, 2, 3])
def test_a_principal_has_so_many_sessions(store: Store, sessions: SessionStore, most: int) -> None:
    """As many as there may be, and not one more; those of others and expired ones do not count."""
    state = staffed(store)
    old = session("old", at=INSTANT - HOUR)
    assert keep(sessions, state, old, session("b", BOB)) == [Writing.DONE] * 2
    opened = keep(sessions, state, *(session(f"s{n}") for n in range(3)), most=most)
    assert opened == [Writing.DONE] * most + [Writing.FULL] * (3 - most)
    assert names(sessions) == {"b", *(f"s{n}" for n in range(most))}


def test_a_change_is_made_on_the_version_before(store: Store, sessions: SessionStore) -> None:
    """Whoever decided on an older one changes nothing; what has ended or expired is not changed."""
    state = staffed(store)
    keep(sessions, state, session())
    dropped = session().having(frozenset({CLERK}))
    assert put(sessions, state, dropped) is Writing.DONE
    assert sessions.read(ACME, [dropped.id]) == {dropped.id: dropped}
    assert put(sessions, state, session().having(frozenset())) is Writing.STALE
    assert put(sessions, state, dropped.having(ROLES).having(ROLES)) is Writing.STALE
    late = dropped.having(ROLES)
    assert put(sessions, state, late, at=dropped.expires_at) is Writing.STALE
    assert put(sessions, state, late, at=dropped.expires_at - 1) is Writing.DONE
    sessions.end(ACME, late.id, instant=INSTANT)
    assert put(sessions, state, late.having(frozenset())) is Writing.STALE
    assert names(sessions) == set()


def test_a_session_ends_once(store: Store, sessions: SessionStore) -> None:
    """Then it is gone for good; one that has expired cannot be ended."""
    state = staffed(store)
    keep(sessions, state, session(), session("s2"))
    assert not sessions.end(ACME, session().id, instant=session().expires_at)
    assert sessions.end(ACME, session().id, instant=INSTANT)
    assert not sessions.end(ACME, session().id, instant=INSTANT)
    assert names(sessions) == {"s2"}


def test_sessions_come_in_order_and_in_pages(store: Store, sessions: SessionStore) -> None:
    """By id, of one principal where asked; expired ones are not among them."""
    state = staffed(store)
    every = [session(name) for name in ("S", "a", "b")]
    bobs, old = session("ab", BOB), session("aa", at=INSTANT - HOUR)
    keep(sessions, state, *reversed(every), bobs, old)
    assert sessions.page(ACME, instant=INSTANT, principal=ANN, limit=MANY) == tuple(every)
    first = sessions.page(ACME, instant=INSTANT, limit=2)
    assert [one.id for one in first] == ["S", "a"]
    rest = sessions.page(ACME, instant=INSTANT, after=first[-1].id, limit=2)
    assert [one.id for one in rest] == ["ab", "b"]
    assert sessions.page(ACME, instant=INSTANT, after=rest[-1].id, limit=2) == ()
    assert sessions.page(ACME, instant=INSTANT, limit=0) == ()
    assert sessions.page(OTHER, instant=INSTANT, limit=MANY) == ()
    assert old.id in sessions.read(ACME, [old.id])


def test_sessions_end_with_their_principal(store: Store, sessions: SessionStore) -> None:
    """In the change that deletes it, also where that makes a namesake; no other change ends any."""
    state = staffed(store)
    keep(sessions, state, session(), session("b", BOB))
    state = commit_all(store, state, [SuspendPrincipal(ANN), DeleteRole(CLERK, cascade=True)])
    assert names(sessions) == {"s1", "b"}
    anew = ChangeSet((DeletePrincipal(ANN, cascade=True), CreatePrincipal(ANN)))
    state = commit_all(store, state, [anew])
    assert names(sessions) == {"b"}
    commit_all(store, state, [DeletePrincipal(BOB, cascade=True), CreatePrincipal(BOB)])
    assert names(sessions) == set()
    assert sessions.read(ACME, [session("b").id]) == {}


def test_sessions_end_with_their_organization(store: Store, sessions: SessionStore) -> None:
    """And with no other."""
    state, other = staffed(store), staffed(store, OTHER)
    keep(sessions, state, session())
    keep(sessions, other, session())
    store.delete(ACME, actor=ACTOR, instant=INSTANT)
    assert sessions.read(ACME, [session().id]) == {}
    assert names(sessions) == set()
    assert names(sessions, OTHER) == {"s1"}
    assert keep(sessions, state, session("s2")) == [Writing.STALE]


def test_what_expired_is_pruned_and_nothing_else(store: Store, sessions: SessionStore) -> None:
    """That which expired then or before, at most so many at a time."""
    state, other = staffed(store), staffed(store, OTHER)
    keep(sessions, state, session(), session("s2", at=INSTANT + 1))
    keep(sessions, other, session())
    ends = session().expires_at
    assert sessions.prune(until=ends - 1, limit=MANY) == 0
    assert sessions.prune(until=ends, limit=0) == 0
    assert sessions.prune(until=ends, limit=1) == 1
    assert sessions.prune(until=ends, limit=MANY) == 1
    assert names(sessions) == {"s2"}
    assert names(sessions, OTHER) == set()


def test_an_answer_is_kept_with_what_is_written(store: Store, sessions: SessionStore) -> None:
    """Whoever asks again under the key gets what is kept, and nothing is written."""
    state = staffed(store)
    kept = Consumption(ACME, "portal", TOLD.pledge.once, INSTANT, "answer")
    assert keep(sessions, state, session(), session("s2"), told=TOLD) == [Writing.DONE, kept]
    assert sessions.answered(ACME, TOLD.pledge, after=INSTANT - 1) == kept
    assert sessions.answered(ACME, TOLD.pledge, after=INSTANT) is None
    assert sessions.answered(OTHER, TOLD.pledge, after=0) is None
    assert put(sessions, state, session().having(frozenset()), told=TOLD) == kept
    widened = Told(Pledge("portal", Once("more", "digest")), "widened")
    again = Consumption(ACME, "portal", widened.pledge.once, INSTANT, "widened")
    changed = session().having(frozenset())
    assert put(sessions, state, changed, told=widened) is Writing.DONE
    assert put(sessions, state, changed.having(ROLES), told=widened) == again
    assert sessions.read(ACME, [changed.id]) == {changed.id: changed}
    assert names(sessions) == {"s1"}


def test_what_is_not_written_keeps_no_answer(store: Store, sessions: SessionStore) -> None:
    """Its key is free, and free again after a day."""
    state = staffed(store)
    newer = commit_all(store, state, [CreateRole(RoleId("other"))])
    assert keep(sessions, state, session(), told=TOLD) == [Writing.STALE]
    assert keep(sessions, newer, session(), most=0, told=TOLD) == [Writing.FULL]
    assert put(sessions, newer, session().having(ROLES), told=TOLD) is Writing.STALE
    assert sessions.answered(ACME, TOLD.pledge, after=0) is None
    later = session("later", at=INSTANT + RECEIPT_SECONDS)
    assert keep(sessions, newer, session(), later, told=TOLD) == [Writing.DONE] * 2


def test_of_those_who_change_a_version_one_succeeds(store: Store, sessions: SessionStore) -> None:
    """However many race, so that what each decided on is what it changes."""
    state = staffed(store)
    keep(sessions, state, session(roles=frozenset()))
    start = threading.Barrier(RACERS)

    def add(number: int) -> Writing | Consumption:
        start.wait(PATIENCE_SECONDS)
        mine = frozenset({RoleId(f"r{number}")})
        return put(sessions, state, session(roles=frozenset()).having(mine))

    with ThreadPoolExecutor(RACERS) as pool:
        found = list(pool.map(add, range(RACERS)))
    assert sorted(found, key=str) == [Writing.DONE, *[Writing.STALE] * (RACERS - 1)]
    (kept,) = sessions.read(ACME, [session().id]).values()
    assert (kept.version, len(kept.roles)) == (2, 1)


def test_those_who_open_at_once_pass_no_limit(store: Store, sessions: SessionStore) -> None:
    """As many are opened as there may be."""
    state = staffed(store)
    start = threading.Barrier(RACERS)

    def open_one(number: int) -> Writing | Consumption:
        start.wait(PATIENCE_SECONDS)
        return keep(sessions, state, session(f"s{number}"), most=2)[0]

    with ThreadPoolExecutor(RACERS) as pool:
        found = list(pool.map(open_one, range(RACERS)))
    assert found.count(Writing.DONE) == len(names(sessions)) == 2
    assert found.count(Writing.FULL) == RACERS - 2


def test_a_principal_that_is_deleted_meanwhile_leaves_no_session(
    store: Store, sessions: SessionStore
) -> None:
    """Whoever is first: the session goes with it, or is not opened."""
    state = staffed(store)
    start = threading.Barrier(2)

    def open_some() -> list[Writing | Consumption]:
        start.wait(PATIENCE_SECONDS)
        return keep(sessions, state, *(session(f"s{n}") for n in range(20)))

    with ThreadPoolExecutor(1) as pool:
        opening = pool.submit(open_some)
        start.wait(PATIENCE_SECONDS)
        commit_all(store, state, [DeletePrincipal(ANN, cascade=True)])
        found = opening.result(PATIENCE_SECONDS)
    assert set(found) <= {Writing.DONE, Writing.STALE}
    assert names(sessions) == set()
