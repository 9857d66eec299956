"""Schemas that are not this program's: older ones that somebody writes to, and newer ones.

The first release wrote events without seals. Nothing that it was told is stored may be missing
afterwards, and nothing that it tries afterwards may be stored.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from threading import Event as Signal
from typing import Any

import pytest
from sqlalchemy.exc import DBAPIError

from grantproof.adapters.sql import SqlStore, migrations, schema
from grantproof.adapters.sql.migrations import KNOWN
from grantproof.core.commands.language import CreateRole
from grantproof.core.identifiers import OrganizationId, RoleId
from grantproof.core.invariants import valid
from grantproof.core.organization import Organization, advance
from grantproof.service.audit_chain import adopted_until, faults
from grantproof.service.ports import StoreUnusable
from tests import first_release
from tests.contracts.histories import ACTOR, FIRST_HISTORY, INSTANT, created, empty, event
from tests.contracts.test_sql_schema import versions
from tests.databases import Database, opened
from tests.first_release import FirstStore

ACME, GONE, IDLE = OrganizationId("acme"), OrganizationId("gone"), OrganizationId("idle")
NEWER = f"{int(KNOWN[-1]) + 1:04}"
PATIENCE_SECONDS = 30
WAITING_SECONDS = 0.3
"""How long a migration is given to reach what it waits for."""


@pytest.fixture
def old(fresh_database: Database) -> Database:
    """A database of the first release: every kind of fact, an empty and a deleted organization."""
    first_release.make(fresh_database)
    with FirstStore(fresh_database.address) as store:
        for name in (ACME, GONE, IDLE):
            store.create(name, actor=ACTOR, instant=INSTANT)
        for name in (ACME, GONE):
            state = empty(name)
            for command in FIRST_HISTORY:
                happened = event(state, command)
                assert store.commit(happened)
                state = advance(state, happened.delta)
        store.delete(GONE, actor=ACTOR, instant=INSTANT + 1)
    return fresh_database


def history(name: OrganizationId) -> Organization:
    """The organization after all that the first release wrote of it."""
    state = empty(name)
    for command in FIRST_HISTORY:
        state = advance(state, event(state, command).delta)
    return state


def check(store: SqlStore, name: OrganizationId, *, adopted: int) -> None:
    """Hold one organization to its events, its chain and its invariants."""
    with store.ledger.chain(name) as (anchor, chain):
        entries = list(chain)
    assert list(faults(store.ledger.key, anchor, entries)) == []
    assert adopted_until(entries[0].content) == adopted
    assert list(store.ledger.differences(name)) == []
    state = store.load(name)
    assert state is None or list(valid(state)) == []


def test_every_kind_of_fact_is_brought_up_to_date(old: Database) -> None:
    """What the first release wrote is there, sealed, and replays to the same rows."""
    store = opened(old.address)
    assert store.load(ACME) == history(ACME)
    assert store.load(GONE) is None
    assert store.load(IDLE) == empty(IDLE)
    check(store, ACME, adopted=len(FIRST_HISTORY))
    check(store, GONE, adopted=len(FIRST_HISTORY))
    check(store, IDLE, adopted=0)
    assert store.damage() == ()
    store.close()


def test_a_change_that_is_being_committed_is_not_lost(old: Database) -> None:
    """A migration waits for a writer that has written and not committed yet; then it is sealed."""
    late = event(history(ACME), CreateRole(RoleId("late")))
    with FirstStore(old.address) as writer, ThreadPoolExecutor(1) as pool:
        begun = list[Any]()

        def meanwhile() -> None:
            begun.append(pool.submit(opened, old.address))
            # Long enough for a migration that does not wait to have copied the events.
            Signal().wait(WAITING_SECONDS)
            assert not begun[0].done()

        assert writer.commit(late, before_commit=meanwhile)
        store = begun[0].result(PATIENCE_SECONDS)
    state = store.load(ACME)
    assert state is not None
    assert RoleId("late") in state.roles
    assert state.revision == late.revision
    check(store, ACME, adopted=late.revision)
    store.close()


ATTEMPTS: dict[str, Callable[[FirstStore], object]] = {
    "change": lambda store: store.commit(event(history(ACME), CreateRole(RoleId("late")))),
    "found": lambda store: store.create(OrganizationId("new"), actor=ACTOR, instant=INSTANT),
    "dissolve": lambda store: store.delete(IDLE, actor=ACTOR, instant=INSTANT),
}


@pytest.mark.parametrize("attempt", ATTEMPTS)
def test_the_first_release_can_write_nothing_any_more(old: Database, attempt: str) -> None:
    """Whatever it tries on the new schema fails, and nothing of it is stored."""
    with FirstStore(old.address) as writer:
        opened(old.address).close()
        before = tables(old)
        with pytest.raises(DBAPIError):
            ATTEMPTS[attempt](writer)
        assert tables(old) == before


def tables(database: Database) -> dict[str, list[tuple[Any, ...]]]:
    """All that stands in the tables of facts and events."""
    names = ("organization", "event", "event_personal", "role", "principal", "audit_key")
    queries = {name: f"SELECT * FROM {name}" for name in names}  # noqa: S608 - our own tables
    return {name: sorted(database.query(query), key=repr) for name, query in queries.items()}


def test_the_first_release_does_not_open_what_is_newer(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that knows only the first version refuses in one line that names the newer one."""
    for module in (migrations, schema):
        monkeypatch.setattr(module, "KNOWN", ("0001",))
    with pytest.raises(StoreUnusable, match=rf"newer version.*`{KNOWN[-1]}`.*knows up to `0001`"):
        opened(database.address)


def set_version(database: Database, version: str) -> None:
    """Let the database say that its schema is of another version."""
    name = versions(database)
    said = f"UPDATE {name} SET version_num = '{version}'"  # noqa: S608 - our own names
    database.execute(said)


@pytest.fixture
def overtaken(database: Database) -> Iterator[SqlStore]:
    """A store whose database was migrated by a newer program since it was opened."""
    store = opened(database.address)
    created(store, ACME, FIRST_HISTORY[:2])
    set_version(database, NEWER)
    yield store
    store.close()


def test_a_process_that_was_overtaken_stops(overtaken: SqlStore, database: Database) -> None:
    """It neither reads nor writes what it does not know: one line that names the newer version."""
    before = database.rows_of("event")
    state = advance(empty(ACME), event(empty(ACME), FIRST_HISTORY[0]).delta)
    attempts: tuple[Callable[[], object], ...] = (
        lambda: overtaken.load(ACME),
        lambda: overtaken.revision(ACME),
        lambda: overtaken.continued(ACME, after=0, seal=None, limit=1),
        lambda: overtaken.commit(event(state, FIRST_HISTORY[1])),
        lambda: overtaken.create(OrganizationId("new"), time_zone="UTC", actor="x", instant=1),
        lambda: overtaken.delete(ACME, actor="x", instant=1),
        overtaken.keys.mark,
        lambda: overtaken.meter.prune(before=1, limit=1),
    )
    for attempt in attempts:
        with pytest.raises(StoreUnusable, match=f"newer version.*`{NEWER}`.*upgrade grantproof"):
            attempt()
    assert database.rows_of("event") == before


def test_a_process_whose_schema_was_put_back_stops(database: Database) -> None:
    """After the restore of an older copy a running process does not write to its schema."""
    store = opened(database.address)
    set_version(database, KNOWN[0])
    with pytest.raises(StoreUnusable, match=f"put back to schema `{KNOWN[0]}`.*again"):
        store.create(ACME, time_zone="UTC", actor="x", instant=1)
    store.close()


def test_versions_follow_one_another() -> None:
    """The number after the last is the next one, as the tests here assume."""
    assert all(int(after) == int(before) + 1 for before, after in pairwise((*KNOWN, NEWER)))
