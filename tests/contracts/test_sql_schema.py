"""The schema of both databases: models are migrations, and migrations go up and down."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from alembic.command import downgrade, upgrade
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import URL, Connection

from grantproof.adapters.sql import audit_keys, postgresql, sqlite
from grantproof.adapters.sql.addresses import read_address
from grantproof.adapters.sql.connections import Connections
from grantproof.adapters.sql.migrations import KNOWN
from grantproof.adapters.sql.rows import TRIGGERS, Row
from grantproof.adapters.sql.schema import SCRIPTS, configuration, reading_version
from grantproof.core.identifiers import OrganizationId
from grantproof.service.audit_chain import KEY_BYTES, AuditKey
from tests.contracts.histories import FIRST_HISTORY, created
from tests.databases import Database, PostgresqlDatabase, SqliteDatabase, opened

ACME = OrganizationId("acme")
KEY = AuditKey(b"k" * KEY_BYTES)
"""A key for connections by which nothing is sealed."""

Schema = set[tuple[Any, ...]]

# What PostgreSQL itself says of every column, constraint and index, written out in full.
COLUMNS = """
    SELECT relname, attname, format_type(atttypid, atttypmod), attnotnull, collname, adbin IS NULL
    FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
    LEFT JOIN pg_collation ON pg_collation.oid = attcollation
    LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
    WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND attnum > 0
      AND NOT attisdropped
"""
CONSTRAINTS = """
    SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid), condeferred, convalidated
    FROM pg_constraint WHERE connamespace = 'public'::regnamespace
"""
INDEXES = "SELECT tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'"
FUNCTIONS = "SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace"
TRIGGERS_OF = {
    "sqlite": "SELECT name FROM sqlite_master WHERE type = 'trigger'",
    "postgresql": "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal",
}


def engine_of(database: Database) -> Connections:
    """Connections as the product sets them up, to a database that it has not migrated."""
    if isinstance(database, SqliteDatabase):
        engine = sqlite.open_engine(database.path)
        writers = engine.execution_options(**sqlite.AS_WRITER)
        version = reading_version(sqlite.VERSIONS)
        return Connections(database.address, engine, writers, sqlite.damage, KEY, version)
    address = read_address(database.address)
    assert isinstance(address, URL)
    engine = postgresql.open_engine(address)
    writers = engine.execution_options(**postgresql.AS_WRITER)
    version = reading_version(postgresql.VERSIONS)
    return Connections(database.address, engine, writers, postgresql.damage, KEY, version)


@contextmanager
def writing(database: Database) -> Iterator[Connection]:
    """A connection within a transaction that is committed at the end."""
    connections = engine_of(database)
    try:
        with connections.writers.begin() as connection:
            yield connection
    finally:
        connections.dispose()


def versions(database: Database) -> str:
    """The table in which Alembic keeps the version."""
    return sqlite.VERSIONS if isinstance(database, SqliteDatabase) else postgresql.VERSIONS


def schema(database: Database) -> Schema:
    """Everything that makes up the tables and indexes, without Alembic's own table."""
    if isinstance(database, PostgresqlDatabase):
        found = [row for query in (COLUMNS, CONSTRAINTS, INDEXES) for row in database.query(query)]
    else:
        query = "SELECT tbl_name, name, sql FROM sqlite_master WHERE type IN ('table', 'index')"
        found = [
            (table, name, " ".join(text.split()))
            for table, name, text in database.query(query)
            if text is not None
        ]
    return {row for row in found if row[0] != versions(database)}


def triggers(database: Database) -> set[str]:
    """The names of the triggers."""
    kind = "sqlite" if isinstance(database, SqliteDatabase) else "postgresql"
    return {name for (name,) in database.query(TRIGGERS_OF[kind])}


def test_the_migrations_make_the_tables_of_the_models(
    database: Database, fresh_database: Database
) -> None:
    """What the versions create is what the row classes declare: columns, rules and indexes."""
    with writing(fresh_database) as connection:
        Row.metadata.create_all(connection)
    declared = schema(fresh_database)
    assert schema(database) == declared
    assert len(declared) > len(Row.metadata.tables)
    assert triggers(database) == set(TRIGGERS)


def test_a_change_of_the_models_is_noticed(database: Database) -> None:
    """The comparison sees one more rule of one table."""
    before = schema(database)
    database.execute("CREATE INDEX claim_by_action ON claim (action)")
    assert len(schema(database) - before) == 1


def test_text_is_in_the_order_of_its_characters(databases: Any) -> None:
    """Every column of text on PostgreSQL has the collation C, whatever that of the database is."""
    if isinstance(databases.empty, SqliteDatabase):
        assert all("COLLATE" not in text for _, _, text in schema(databases.empty))
        return
    collations = {(row[2], row[4]) for row in databases.empty.query(COLUMNS) if row[4] is not None}
    assert collations >= {("text", "C")}
    assert {name for kind, name in collations if kind == "text"} == {"C"}


def test_migrations_go_down_and_up_again(database: Database) -> None:
    """Down to nothing nothing is left; up again everything is as it was, version for version."""
    migrated = schema(database)
    for _ in KNOWN:
        with writing(database) as connection:
            downgrade(configuration(connection, versions=versions(database)), "-1")
    assert schema(database) == set()
    assert triggers(database) == set()
    if isinstance(database, PostgresqlDatabase):
        assert database.query(FUNCTIONS) == []
    for version in KNOWN:
        with writing(database) as connection:
            upgrade(configuration(connection, versions=versions(database)), version)
            if version == KNOWN[-1]:
                audit_keys.record(connection, database.key)
    assert schema(database) == migrated
    assert triggers(database) == set(TRIGGERS)
    store = opened(database.address, create=False)
    state = created(store, ACME)
    assert store.load(ACME) == state
    assert store.damage() == ()
    store.close()


def test_a_database_of_the_first_version_is_brought_up_to_date(database: Database) -> None:
    """It gets what later versions have when it is opened, and keeps what it has."""
    migrated = schema(database)
    store = opened(database.address)
    state = created(store, ACME, FIRST_HISTORY)
    store.close()
    go_down(database, KNOWN[0])
    assert schema(database) != migrated
    store = opened(database.address)
    assert schema(database) == migrated
    assert store.load(ACME) == state
    store.close()


def test_going_down_never_loses_an_organization(furnished_database: Database) -> None:
    """The first version is not undone where something would be lost, and all is as it was."""
    before = schema(furnished_database)
    with pytest.raises(RuntimeError, match="would be lost"):
        go_down(furnished_database)
    assert schema(furnished_database) == before
    assert furnished_database.rows_of("event") > 0


def go_down(database: Database, version: str = "base") -> None:
    """Undo every version after that one."""
    with writing(database) as connection:
        downgrade(configuration(connection, versions=versions(database)), version)


def test_a_migration_that_fails_leaves_nothing(fresh_database: Database) -> None:
    """Everything a migration does is one transaction: half a schema is never there."""
    with pytest.raises(ZeroDivisionError):
        go_up_and_fail(fresh_database)
    assert schema(fresh_database) == set()
    opened(fresh_database.address).close()


def go_up_and_fail(database: Database) -> None:
    """Fail when everything is done but the commit."""
    with writing(database) as connection:
        upgrade(configuration(connection, versions=versions(database)), "head")
        raise ZeroDivisionError


def test_the_known_versions_are_those_of_alembic() -> None:
    """The list that spares loading Alembic says the same as the folder of versions."""
    found = Config()
    found.set_main_option("script_location", SCRIPTS)
    scripts = ScriptDirectory.from_config(found).walk_revisions()
    assert tuple(script.revision for script in scripts)[::-1] == KNOWN


def test_every_reference_is_indexed() -> None:
    """Removing an entity looks up what refers to it; no table is read as a whole for that."""
    for table in Row.metadata.tables.values():
        indexed = [[column.name for column in index.columns] for index in table.indexes]
        indexed.append([column.name for column in table.primary_key])
        for reference in table.foreign_key_constraints:
            columns = list(reference.column_keys)
            assert any(index[: len(columns)] == columns for index in indexed), (table, columns)
