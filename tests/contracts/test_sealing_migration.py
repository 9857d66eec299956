"""From version 0001, whose events had no seals: they are kept, sealed as found, and said to be."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from alembic.command import upgrade

from grantproof.adapters.sql import SqlStore, audit_keys, open_database
from grantproof.adapters.sql.audit_keys import beside
from grantproof.adapters.sql.schema import configuration
from grantproof.adapters.sql.sqlite import VERSIONS, claim_file, open_engine
from grantproof.core.commands import Event
from grantproof.core.commands.language import CreateRole
from grantproof.core.identifiers import OrganizationId, RoleId
from grantproof.core.model import Delta, Role
from grantproof.policyfile.wire import encode_command, encode_delta
from grantproof.service.audit_chain import adopted_until, faults
from grantproof.service.history import EVERYTHING
from grantproof.service.ports import StoreUnavailable, StoreUnusable
from tests.contracts.histories import commit_all, created, fold

ACME, GONE = OrganizationId("acme"), OrganizationId("gone")
ROLES = ("reader", "writer", "auditor")


def old_event(organization: str, revision: int, role: str) -> tuple[object, ...]:
    """A row of events as version 0001 wrote it."""
    command, delta = CreateRole(RoleId(role)), Delta(added=(Role(RoleId(role)),))
    instant, actor = 1_000 + revision, f"actor-{revision}"
    told = (encode_command(command), encode_delta(delta))
    return (organization, revision, instant, actor, *told)


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """A database of version 0001 with an organization, and one that was deleted."""
    path = tmp_path / "old.db"
    engine = open_engine(path)
    claim_file(engine)
    with engine.begin() as connection:
        upgrade(configuration(connection, versions=VERSIONS), "0001")
    engine.dispose()
    with closing(sqlite3.connect(path)) as raw, raw:
        insert = "INSERT INTO organization VALUES (?, ?, 'Europe/Paris', 0, 900, 'founder', ?, ?)"
        raw.execute(insert, ("acme", len(ROLES), None, None))
        raw.execute(insert, ("gone", 1, 2_000, "leaver"))
        raw.execute(insert, ("idle", 0, None, None))
        for revision, role in enumerate(ROLES, start=1):
            row = old_event("acme", revision, role)
            raw.execute("INSERT INTO event VALUES (?, ?, ?, ?, ?, ?)", row)
            raw.execute("INSERT INTO role VALUES ('acme', ?, ?)", (role, revision))
        row = old_event("gone", 1, "ghost")
        raw.execute("INSERT INTO event VALUES (?, ?, ?, ?, ?, ?)", row)
    return path


@pytest.fixture
def store(old: Path) -> Iterator[SqlStore]:
    """The store on it, brought up to date."""
    made = open_database(old)
    yield made
    made.close()


def whole(store: SqlStore, organization: str) -> int | None:
    """Up to where the chain was sealed later, after finding nothing wrong with it."""
    with store.ledger.chain(organization) as (anchor, chain):
        entries = list(chain)
    assert list(faults(store.ledger.key, anchor, entries)) == []
    return adopted_until(entries[0].content)


def test_an_older_database_keeps_its_events(store: SqlStore) -> None:
    """Each event is there with its author, and leads to the organization that was stored."""
    events = store.events(ACME, limit=10)
    assert [(each.revision, each.instant, each.actor) for each in events] == [
        (1, 1_001, "actor-1"),
        (2, 1_002, "actor-2"),
        (3, 1_003, "actor-3"),
    ]
    state = store.load(ACME)
    assert state is not None
    assert set(state.roles) == set(ROLES)
    assert state.time_zone == "Europe/Paris"
    assert list(store.ledger.differences(ACME)) == []
    assert store.damage() == ()


def test_adopted_chains_are_whole_and_say_so(store: SqlStore) -> None:
    """Every organization has a chain whose first event says up to where it was sealed later."""
    assert [whole(store, name) for name in ("acme", "gone", "idle")] == [3, 1, 0]


def test_who_founded_and_who_deleted_is_kept(store: SqlStore) -> None:
    """What were columns of the organization are its first and its last event."""
    told = [
        (entry.revision, entry.kind, entry.instant, entry.actor)
        for entry in store.entries(GONE, EVERYTHING, limit=10)
    ]
    assert told == [
        (0, "found", 900, "founder"),
        (1, "change", 1_001, "actor-1"),
        (2, "dissolve", 2_000, "leaver"),
    ]
    assert not store.create(GONE, time_zone="UTC", actor="x", instant=1)


def test_an_adopted_chain_goes_on(store: SqlStore) -> None:
    """New events are sealed onto the adopted ones."""
    state = store.load(ACME)
    assert state is not None
    commit_all(store, state, [CreateRole(RoleId("new"))])
    assert whole(store, "acme") == 3


# ---------------------------------------------------------------- keys


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A database with an organization in it, closed."""
    place = tmp_path / "grantproof.db"
    made = open_database(place)
    created(made, ACME)
    made.close()
    return place


def test_the_key_is_the_owners_alone(path: Path) -> None:
    """It lies beside the database, and others cannot read it."""
    assert beside(path).stat().st_mode & 0o777 == 0o600
    assert len(bytes.fromhex(beside(path).read_text())) == 32


def test_a_lost_key_is_never_made_again(path: Path) -> None:
    """Events stay sealed under the key that is gone: the line says to put it back."""
    content = beside(path).read_text()
    beside(path).unlink()
    with pytest.raises(StoreUnusable, match="put it back from its backup"):
        open_database(path)
    assert not beside(path).exists()
    beside(path).write_text(content)
    open_database(path).close()


def test_another_key_is_refused(path: Path) -> None:
    """Nothing is sealed under a key that is not the database's."""
    beside(path).write_text("00" * 32)
    with pytest.raises(StoreUnusable, match="is not the one"):
        open_database(path)


@pytest.mark.parametrize("content", ["", "secret", "00" * 31, "00" * 33, "zz" * 32, "\udcff"])
def test_a_file_that_is_no_key_is_refused(path: Path, content: str) -> None:
    """Too short, too long or no digits at all."""
    beside(path).write_bytes(content.encode("utf-8", "surrogateescape"))
    with pytest.raises(StoreUnusable, match="is no audit key: it must hold 64 hexadecimal digits"):
        open_database(path)


def test_a_key_file_that_is_named_is_used(tmp_path: Path) -> None:
    """The key may lie anywhere, and it is then needed from there."""
    place, file = tmp_path / "a.db", tmp_path / "elsewhere.key"
    open_database(place, key_file=file).close()
    assert not beside(place).exists()
    assert file.stat().st_mode & 0o777 == 0o600
    open_database(place, key_file=file).close()
    with pytest.raises(StoreUnusable, match="is not there"):
        open_database(place)


def test_a_key_that_cannot_be_read_is_unavailable(path: Path) -> None:
    """What is in the way may be gone the next time."""
    beside(path).unlink()
    beside(path).mkdir()
    with pytest.raises(StoreUnavailable, match="allow this user to read it"):
        open_database(path)


def test_who_makes_the_key_second_takes_the_first(tmp_path: Path) -> None:
    """Two that begin at once have one key, and nothing else is left lying about."""
    file = tmp_path / "a.key"
    first = audit_keys.obtain(file, create=True)
    audit_keys._make(file)
    assert audit_keys.obtain(file, create=True).id == first.id
    assert [each.name for each in tmp_path.iterdir()] == [file.name]


def test_a_change_of_an_erased_author_is_still_followed(path: Path) -> None:
    """Whoever follows by events needs no authors."""
    store = open_database(path)
    store.ledger.erase(ACME, instant=1, actor=None, revision=1)
    events = store.events(ACME, limit=100)
    assert isinstance(events[0], Event)
    assert fold(ACME, events) == store.load(ACME)
    store.close()
