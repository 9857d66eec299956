"""What a store promises when its database is on a PostgreSQL server, and only then."""

import sys
import threading
import traceback
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Final, Literal

import pytest
from sqlalchemy import URL, text

from grantproof.adapters.sql import SqlStore, postgresql
from grantproof.adapters.sql.addresses import read_address
from grantproof.core.commands.language import CreatePrincipal, CreateRole
from grantproof.core.identifiers import OrganizationId, PrincipalId, RoleId
from grantproof.core.organization import advance
from grantproof.service.ports import (
    StoreError,
    StoreMissing,
    StoreUnavailable,
    StoreUncertain,
    StoreUnusable,
)
from tests.contracts.cut_connections import cutter
from tests.contracts.histories import ACTOR, HISTORY, INSTANT, READER, created
from tests.contracts.histories import event as happening
from tests.databases import KEY_FILE, PostgresqlDatabase, PostgresqlDatabases, opened
from tests.postgresql import GUEST, PASSWORD, Server

ACME = OrganizationId("acme")


@pytest.fixture(scope="session")
def databases(postgresql_server: Server) -> PostgresqlDatabases:
    """Databases of the server."""
    return PostgresqlDatabases(postgresql_server)


@pytest.fixture
def store(database: PostgresqlDatabase) -> Iterator[SqlStore]:
    """The store on a database without organizations."""
    made = opened(database.address)
    yield made
    made.close()


def refusal(address: str, *, create: bool = True) -> StoreError:
    """Why the database cannot be opened: one line, without the password, cause and all."""
    with pytest.raises(StoreError) as caught:
        opened(address, create=create)
    message = str(caught.value)
    assert "\n" not in message
    assert message[0].islower() or message.startswith("PostgreSQL")
    assert not message.endswith(".")
    assert PASSWORD not in "".join(traceback.format_exception(caught.value))
    return caught.value


# ---------------------------------------------------------------- connections


def test_connections_are_set_up_to_keep_promises(database: PostgresqlDatabase) -> None:
    """Whatever the server is set to: commits last, reads are of one instant, nothing waits long."""
    address = read_address(database.address)
    assert isinstance(address, URL)
    connections = postgresql.opened(address, create=False, key_file=KEY_FILE)
    found = dict[str, list[str]]()
    for engine in (connections.readers, connections.writers):
        with engine.connect() as connection:
            for name in (*postgresql.SETTINGS, "synchronous_commit", *TRANSACTION):
                value = connection.execute(text(f"SHOW {name}")).scalar_one()
                found.setdefault(name, []).append(value)
    connections.dispose()
    assert found == {
        "timezone": ["UTC", "UTC"],
        "statement_timeout": ["1min", "1min"],
        "lock_timeout": ["5s", "5s"],
        "idle_in_transaction_session_timeout": ["1min", "1min"],
        "synchronous_commit": ["on", "on"],
        "transaction_isolation": ["repeatable read", "read committed"],
        "transaction_read_only": ["on", "off"],
    }


TRANSACTION = ("transaction_isolation", "transaction_read_only")


def test_a_stronger_promise_of_the_server_is_kept(database: PostgresqlDatabase) -> None:
    """Where commits wait for standbys to apply them, they go on doing so."""
    database.execute(f"ALTER DATABASE {database.name} SET synchronous_commit = remote_apply")
    address = read_address(database.address)
    assert isinstance(address, URL)
    engine = postgresql.open_engine(address)
    with engine.connect() as connection:
        assert connection.execute(text("SHOW synchronous_commit")).scalar_one() == "remote_apply"
    engine.dispose()


def test_a_process_has_a_bounded_number_of_connections(
    database: PostgresqlDatabase, store: SqlStore
) -> None:
    """However many threads ask at once, the others wait for their turn."""
    most = postgresql.POOL_CONNECTIONS + postgresql.POOL_OVERFLOW
    start = threading.Barrier(3 * most)

    def ask(_: int) -> int:
        start.wait()
        store.load(ACME)
        used = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'grantproof'"
        ((count,),) = database.query(f"{used} AND datname = current_database()")
        return int(count)

    with ThreadPoolExecutor(3 * most) as pool:
        counts = list(pool.map(ask, range(3 * most)))
    assert 1 < max(counts) <= most


def test_a_connection_that_broke_while_idle_is_replaced(
    database: PostgresqlDatabase, store: SqlStore
) -> None:
    """Whoever comes next notices nothing."""
    state = created(store, ACME, HISTORY[:2])
    assert terminate(database) > 0
    assert store.load(ACME) == state
    assert terminate(database) > 0
    assert store.commit(happening(state, CreateRole(READER)))


def terminate(database: PostgresqlDatabase) -> int:
    """End every connection of the product; how many there were."""
    ended = database.query(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE application_name = 'grantproof' AND datname = current_database()"
    )
    database.settle()
    return len(ended)


def test_a_server_that_is_down_is_unavailable_until_it_is_back(
    database: PostgresqlDatabase, store: SqlStore
) -> None:
    """Every call says so in one line; the same store works again afterwards."""
    state = created(store, ACME, HISTORY[:2])
    change = happening(state, CreateRole(READER))
    with database.server.halted():
        for call in (
            lambda: store.load(ACME),
            lambda: store.commit(change),
            lambda: store.events(ACME, limit=1),
            store.damage,
        ):
            with pytest.raises(StoreUnavailable, match="cannot be reached: check that its server"):
                call()
        assert isinstance(refusal(database.address), StoreUnavailable)
    assert store.load(ACME) == state
    assert store.commit(change)
    assert store.load(ACME) == advance(state, change.delta)


@pytest.mark.parametrize(("cut", "made"), [("before", False), ("after", True)])
def test_a_commit_whose_answer_is_lost_is_not_said_to_have_failed(
    database: PostgresqlDatabase, cut: Literal["before", "after"], *, made: bool
) -> None:
    """Cut just before or just after it, a commit was made or not: that is what is said."""
    with cutter(database.address) as way:
        store = opened(way.address)
        state = created(store, ACME, HISTORY[:2])
        change = happening(state, CreateRole(READER))
        way.cut = cut
        with pytest.raises(StoreUncertain, match="was made or not: look before trying again"):
            store.commit(change)
        way.cut = "never"
        database_after = store.load(ACME)
        assert database_after == (advance(state, change.delta) if made else state)
        assert (store.commit(change) is None) is made
        store.close()


def test_a_refused_commit_is_not_uncertain(database: PostgresqlDatabase, store: SqlStore) -> None:
    """A change that the server itself refuses at the commit was certainly not made."""
    state = created(store, ACME)
    database.by_hand("DELETE FROM resource WHERE id = 'docs'")
    database.execute(
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN RAISE foreign_key_violation; END $$",
        "CREATE CONSTRAINT TRIGGER refused AFTER INSERT ON event DEFERRABLE INITIALLY DEFERRED"
        " FOR EACH ROW EXECUTE FUNCTION refuse()",
    )
    with pytest.raises(StoreUnusable, match="edited by hand"):
        store.commit(happening(state, CreateRole(RoleId("late"))))
    assert store.revision(ACME) == state.revision


# ---------------------------------------------------------------- others at work


def test_a_lock_that_is_held_too_long_is_unavailable(
    database: PostgresqlDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A writer that waits too long gives up with what to do; readers do not wait."""
    monkeypatch.setattr(postgresql, "SET_UP", "set_config('lock_timeout', '50ms', false)")
    store = opened(database.address)
    state = created(store, ACME, HISTORY[:2])
    with database.server.connected(database.name) as other, other.transaction():
        other.execute("UPDATE organization SET revision = revision")
        with pytest.raises(StoreUnavailable, match="is locked by another program: try again"):
            store.commit(happening(state, CreateRole(READER)))
        assert store.load(ACME) == state
    assert store.commit(happening(state, CreateRole(READER)))
    store.close()


def test_a_writer_that_waited_for_the_winner_has_lost(
    database: PostgresqlDatabase, store: SqlStore
) -> None:
    """Whoever finds the row locked and then moved changes nothing: at any revision one wins."""
    state = created(store, ACME, HISTORY[:2])
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
    with ThreadPoolExecutor(1) as pool, database.server.connected(database.name) as other:
        with other.transaction():
            other.execute("UPDATE organization SET revision = revision + 1")
            late = pool.submit(store.commit, happening(state, CreateRole(READER)))
            while database.query(waiting) == [(0,)]:
                assert not late.done()
        assert late.result() is None
    assert database.rows_of("event") == state.revision + 1
    assert database.rows_of("role") == 0


HURRIED: Final = """
CREATE FUNCTION hurried() RETURNS trigger AS $$ BEGIN
    IF current_setting('statement_timeout') <> '0' THEN
        RAISE 'given up' USING ERRCODE = 'query_canceled';
    END IF;
    RETURN NULL;
END $$ LANGUAGE plpgsql
"""
"""Gives up what may not take as long as it takes."""


def test_deleting_a_large_organization_is_not_given_up(
    database: PostgresqlDatabase, store: SqlStore
) -> None:
    """It may take longer than any statement may; what comes after it may not."""
    state = created(store, ACME, HISTORY[:2])
    trigger = (
        "CREATE TRIGGER hurried BEFORE DELETE OR INSERT ON principal EXECUTE FUNCTION hurried()"
    )
    database.execute(HURRIED, trigger)
    add = happening(state, CreatePrincipal(PrincipalId("later")))
    with pytest.raises(StoreUnavailable, match="takes too long to answer"):
        store.commit(add)
    assert store.delete(ACME, actor=ACTOR, instant=INSTANT)
    again = OrganizationId("another")
    with pytest.raises(StoreUnavailable, match="takes too long to answer"):
        store.commit(happening(created(store, again, []), add.command))


def test_a_standby_is_said_to_be_one(database: PostgresqlDatabase) -> None:
    """What can only be read can be read; a change says what to do."""
    database.execute(f"ALTER DATABASE {database.name} SET default_transaction_read_only = on")
    store = opened(database.address)
    assert store.load(ACME) is None
    with pytest.raises(StoreUnavailable, match="cannot be written, as a standby cannot"):
        created(store, ACME, [])
    store.close()


# ---------------------------------------------------------------- not a database of ours


def test_a_database_that_is_not_there_is_missing(postgresql_server: Server) -> None:
    """The product makes tables, not databases."""
    reason = refusal(postgresql_server.address("nowhere"))
    assert isinstance(reason, StoreMissing)
    assert "/nowhere?" in str(reason)
    assert str(reason).endswith("is not there: create it on its server, or name another")


def test_an_empty_database_can_be_refused(fresh_database: PostgresqlDatabase) -> None:
    """Whoever only reads wants no tables to be made."""
    reason = refusal(fresh_database.address, create=False)
    assert isinstance(reason, StoreMissing)
    assert "create an organization first" in str(reason)
    assert relations(fresh_database) == []
    opened(fresh_database.address).close()
    opened(fresh_database.address, create=False).close()


def relations(database: PostgresqlDatabase) -> list[tuple[str, ...]]:
    """Everything that is in the schema."""
    return database.query(
        "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace ORDER BY 1"
    )


@pytest.mark.parametrize(
    "statements",
    [
        ["CREATE TABLE recipe (name TEXT)"],
        ["CREATE VIEW recipe AS SELECT 1 AS name"],
        [
            "CREATE TABLE alembic_version (version_num TEXT)",
            "INSERT INTO alembic_version VALUES ('0001')",
            "CREATE TABLE organization (id TEXT)",
        ],
    ],
)
def test_a_database_of_another_program_is_refused(
    fresh_database: PostgresqlDatabase, statements: list[str]
) -> None:
    """A foreign database is not taken over, whatever its tables are called."""
    fresh_database.execute(*statements)
    before = relations(fresh_database)
    reason = refusal(fresh_database.address)
    assert isinstance(reason, StoreUnusable)
    assert "belongs to another program: name another database" in str(reason)
    assert relations(fresh_database) == before


def test_what_an_extension_brings_is_not_another_program(
    fresh_database: PostgresqlDatabase,
) -> None:
    """Administrators add extensions with views of their own to every database."""
    fresh_database.execute(
        "CREATE VIEW statistics AS SELECT 1 AS calls", "ALTER EXTENSION plpgsql ADD VIEW statistics"
    )
    opened(fresh_database.address).close()


def test_a_database_with_another_encoding_is_refused(postgresql_server: Server) -> None:
    """Names in every script need UTF-8."""
    postgresql_server.execute(
        "postgres", "CREATE DATABASE latin TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C'"
    )
    reason = refusal(postgresql_server.address("latin"))
    postgresql_server.drop("latin")
    assert isinstance(reason, StoreUnusable)
    assert str(reason).endswith("keeps text as `LATIN1`: create one with encoding UTF8")


def test_a_newer_schema_is_refused(database: PostgresqlDatabase) -> None:
    """A database of a later version says so, and which version, before anything is read."""
    database.execute("UPDATE grantproof_version SET version_num = '0099'")
    reason = refusal(database.address)
    assert isinstance(reason, StoreUnusable)
    assert "newer version of grantproof (schema `0099`" in str(reason)
    assert str(reason).endswith(": upgrade grantproof")


@pytest.mark.parametrize(
    ("statement", "lacking"),
    [
        ("DELETE FROM grantproof_version", "lacks its schema version"),
        ("DROP TABLE grantproof_version", "lacks its schema version"),
        ("DROP TABLE sod_set_role", "lacks `sod_set_role`"),
        ("DROP TRIGGER event_is_never_removed ON event", "lacks `event_is_never_removed`"),
        ("ALTER TABLE event DISABLE TRIGGER USER", "lacks `event_is_never_changed`"),
    ],
)
def test_an_incomplete_schema_is_refused(
    database: PostgresqlDatabase, statement: str, lacking: str
) -> None:
    """What is missing is named, the guards of the events included, switched off or gone."""
    database.execute(statement)
    reason = refusal(database.address)
    assert isinstance(reason, StoreUnusable)
    assert lacking in str(reason)


def test_events_cannot_be_truncated(furnished_database: PostgresqlDatabase) -> None:
    """Not even by whoever passes over every trigger that may be passed over."""
    for edit in (furnished_database.execute, furnished_database.by_hand):
        with pytest.raises(furnished_database.refusal, match="events are never removed"):
            edit("TRUNCATE event CASCADE")
    assert furnished_database.rows_of("event") == len(HISTORY) + 1


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        (
            "ALTER TABLE claim DROP CONSTRAINT role_id_refers",
            "table `claim` lacks `role_id_refers`, or it is not enforced",
        ),
        (
            "ALTER TABLE claim ALTER CONSTRAINT role_id_refers NOT ENFORCED",
            "table `claim` lacks `role_id_refers`, or it is not enforced",
        ),
        (
            "ALTER TABLE sod_set DROP CONSTRAINT n_counts",
            "table `sod_set` lacks `n_counts`, or it is not enforced",
        ),
        (
            "DROP INDEX claim_of_role",
            "table `claim` lacks `claim_of_role`, or it is not enforced",
        ),
        (
            "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'claim_of_role'::regclass",
            "table `claim` lacks `claim_of_role`, or it is not enforced",
        ),
        (
            "ALTER TABLE assignment DISABLE TRIGGER ALL",
            "triggers of table `assignment` are switched off",
        ),
    ],
)
def test_guards_that_are_off_are_damage(
    furnished_database: PostgresqlDatabase, statement: str, said: str
) -> None:
    """A rule that the database no longer keeps is told, before anything has broken it."""
    store = opened(furnished_database.address)
    assert store.damage() == ()
    furnished_database.execute(statement)
    assert store.damage() == (said,)
    store.close()


# ---------------------------------------------------------------- who may come in


@contextmanager
def granted(database: PostgresqlDatabase, *statements: str) -> Iterator[str]:
    """The address of the database for the guest, to whom something is granted."""
    database.execute(*(statement.format(GUEST) for statement in statements))
    yield database.server.address(database.name, user=GUEST, password=PASSWORD)
    database.execute(f"DROP OWNED BY {GUEST}")


def test_reading_and_writing_rows_is_enough(database: PostgresqlDatabase) -> None:
    """Once the tables are there, a role that may change no table serves organizations."""
    grant = "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {}"
    with granted(database, grant) as address:
        store = opened(address)
        state = created(store, ACME)
        assert store.load(ACME) == state
        assert store.damage() == ()
        assert store.delete(ACME, actor=ACTOR, instant=INSTANT)
        store.close()


def test_a_role_that_may_not_read_is_told(database: PostgresqlDatabase) -> None:
    """What is lacking is a grant, not the database."""
    with granted(database) as address:
        reason = refusal(address)
    assert isinstance(reason, StoreUnavailable)
    assert str(reason).endswith("does not allow this role what it needs: grant it")


def test_a_role_that_may_make_no_tables_is_told(fresh_database: PostgresqlDatabase) -> None:
    """An empty database needs one start with the right to make tables."""
    with granted(fresh_database) as address:
        reason = refusal(address)
    assert isinstance(reason, StoreUnavailable)
    assert str(reason).endswith("does not allow this role what it needs: grant it")
    assert relations(fresh_database) == []


@pytest.mark.parametrize(
    ("user", "password"), [(GUEST, f"{PASSWORD}x"), (GUEST, None), ("nobody", PASSWORD)]
)
def test_a_wrong_password_is_told_and_never_shown(
    database: PostgresqlDatabase, user: str, password: str | None
) -> None:
    """Neither the line nor what it was made of holds the password."""
    reason = refusal(database.server.address(database.name, user=user, password=password))
    assert isinstance(reason, StoreUnavailable)
    assert "does not let this role in: check its name and its password" in str(reason)
    assert f"postgresql://{user}@/{database.name}?" in str(reason)


@pytest.mark.parametrize("host", ["127.0.0.1:1", "no-such-host.invalid", "[::1]:1"])
def test_an_unreachable_server_is_told_without_the_password(host: str) -> None:
    """Nobody listens there, or there is no such place."""
    reason = refusal(f"postgresql://ann:open%20sesame%2F%40%3A%25@{host}/grantproof")
    assert isinstance(reason, StoreUnavailable)
    assert f"`postgresql://ann@{host}/grantproof` cannot be reached: check that" in str(reason)


def test_a_wrong_option_is_told(database: PostgresqlDatabase) -> None:
    """What the driver does not know in an address is not the database's fault."""
    reason = refusal(f"{database.address}&colour=green")
    assert isinstance(reason, StoreUnusable)
    assert str(reason).endswith("has an address whose options are wrong: check them")


def test_a_missing_driver_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever installed the product without PostgreSQL is told what to install."""
    monkeypatch.setitem(sys.modules, "psycopg", None)
    reason = refusal("postgresql://ann@localhost/grantproof")
    assert str(reason) == (
        "PostgreSQL needs the package psycopg: pip install 'grantproof[postgres]'"
    )
