"""A store that is put back to an earlier point under processes that go on: they notice.

What such a process remembers of an organization may never have happened. It must neither answer
from it nor decide a change on it, however many events there are by now.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest

from grantproof.adapters.sql import SqlStore
from grantproof.bootstrap import Services, assemble
from grantproof.core.commands import Accepted, Rejected
from grantproof.core.commands.language import AddParent, CreateRole
from grantproof.core.identifiers import OrganizationId, RoleId
from grantproof.core.model import Delta
from grantproof.service.audit_chain import faults
from grantproof.service.authors import Author
from grantproof.service.callers import Scope
from grantproof.service.credentials import Key
from tests.databases import Database, Databases, opened

ACME, READER, LOST = OrganizationId("acme"), RoleId("reader"), RoleId("lost")
BY = Author("tester")


@pytest.fixture
def earlier(databases: Databases, furnished_database: Database) -> Iterator[Database]:
    """A copy of the database, made before anything else happens to it."""
    made = databases.copied(furnished_database)
    yield made
    databases.drop(made)


@contextmanager
def process(database: Database) -> Iterator[Services]:
    """What a process on the database has: a store, and what it follows."""
    store = opened(database.address)
    yield assemble(store)
    store.close()


def change(services: Services, *roles: str) -> int:
    """Create the roles, one change each; return the revision that this led to."""
    revision = 0
    for role in roles:
        outcome = services.administration.propose(ACME, CreateRole(RoleId(role)), by=BY)
        assert isinstance(outcome, Accepted)
        revision = outcome.state.revision
    return revision


@pytest.mark.parametrize("since", [(), ("one",), ("one", "two"), ("one", "two", "three")])
def test_a_store_put_back_is_noticed(
    databases: Databases, furnished_database: Database, earlier: Database, since: tuple[str, ...]
) -> None:
    """With fewer events than remembered, as many, or more: what was lost is no longer answered."""
    with process(furnished_database) as services:
        services.snapshots.load(ACME)
        change(services, "lost", "lost-too")
        databases.put_back(furnished_database, earlier)
        with process(furnished_database) as other:
            change(other, *since)
            stored = other.store.load(ACME)
        services.snapshots.catch_up(ACME)
        assert services.snapshots.get(ACME) is None
        index = services.snapshots.load(ACME)
        assert index is not None
        assert index.state == stored
        assert LOST not in index.state.roles
        assert change(services, "later") == index.state.revision


def test_who_had_seen_nothing_that_was_lost_follows_on(
    databases: Databases, furnished_database: Database, earlier: Database
) -> None:
    """An index at a revision that is still in the history stays, and follows what came instead."""
    with process(furnished_database) as services, process(furnished_database) as writer:
        index = services.snapshots.load(ACME)
        change(writer, "lost")
        databases.put_back(furnished_database, earlier)
        with process(furnished_database) as other:
            change(other, "one", "two")
            stored = other.store.load(ACME)
        services.snapshots.catch_up(ACME)
        assert services.snapshots.get(ACME) is index
        assert index is not None
        assert index.state == stored


def test_no_change_is_decided_on_what_was_lost(
    databases: Databases, furnished_database: Database, earlier: Database
) -> None:
    """A change that only the lost future allows is not committed, though the revision is the same.

    The process has not looked since: nothing but the commit itself can notice.
    """
    with process(furnished_database) as services:
        services.snapshots.load(ACME)
        last = change(services, "lost")
        databases.put_back(furnished_database, earlier)
        with process(furnished_database) as other:
            assert change(other, "instead") == last
        outcome = services.administration.propose(ACME, AddParent(LOST, READER), by=BY)
        assert isinstance(outcome, Rejected)
        assert services.store.revision(ACME) == last
        assert sound(services)


@pytest.mark.parametrize("revokes", [False, True])
def test_keys_of_what_was_lost_are_noticed(
    databases: Databases, furnished_database: Database, *, revokes: bool
) -> None:
    """A process that has not looked since is not misled by as many keys, of which as many count."""

    def make_or_revoke(services: Services, letter: str, *, instant: int) -> None:
        keys = services.store.keys
        if revokes:
            assert keys.revoke(name(letter), actor="x", instant=instant)
        else:
            assert keys.create(key(letter * 2, instant=instant))

    with process(furnished_database) as services:
        for letter in ("a", "b"):
            assert services.store.keys.create(key(letter, instant=1))
    earlier = databases.copied(furnished_database)
    with process(furnished_database) as services:
        make_or_revoke(services, "a", instant=2)
        seen, _ = services.store.keys.usable()
        databases.put_back(furnished_database, earlier)
        with process(furnished_database) as other:
            make_or_revoke(other, "b", instant=3)
        assert services.store.keys.mark() != seen
    databases.drop(earlier)


def name(letter: str) -> str:
    """The prefix of a key."""
    return letter.ljust(12, "0")


def key(letter: str, *, instant: int) -> Key:
    """A key that was made at the instant."""
    scopes = frozenset({Scope.REVIEW})
    return Key(name(letter), letter.ljust(64, "0"), None, None, scopes, "", instant, "x")


def test_a_commit_onto_another_event_is_refused(furnished_database: Database) -> None:
    """The last event must be the one that was named, if one was; nothing is written otherwise."""
    with process(furnished_database) as services:
        store = services.store
        seen = store.load_versioned(ACME)
        last = change(services, "one")
        now = store.load_versioned(ACME)
        assert seen is not None
        assert now is not None
        assert now.seal not in {None, seen.seal}
        (event,) = store.events(ACME, after=last - 1, limit=1)
        second = replace(event, revision=last + 1, delta=Delta())
        before = furnished_database.rows_of("event")
        assert store.commit(second, onto=seen.seal) is None
        assert furnished_database.rows_of("event") == before
        assert store.commit(second, onto=now.seal) is not None
        assert sound(services)


def sound(services: Services) -> bool:
    """Whether the chain is whole and the rows are what the events make."""
    store = services.store
    assert isinstance(store, SqlStore)
    with store.ledger.chain(ACME) as (anchor, chain):
        assert list(faults(store.ledger.key, anchor, chain)) == []
    return list(store.ledger.differences(ACME)) == [] and store.damage() == ()
