"""Databases of both kinds as tests need them: empty, furnished, edited behind the product's back.

What is tested of one kind of database is so tested of the other.
"""

import itertools
import shutil
import sqlite3
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import closing
from functools import cached_property
from pathlib import Path
from typing import Any

import psycopg

from grantproof.adapters.sql import SqlStore, open_database
from grantproof.adapters.sql.audit_keys import beside, obtain
from grantproof.core.identifiers import ClaimId, OrganizationId, SessionId
from grantproof.core.metering import charges
from grantproof.core.sessions import Session
from grantproof.service.audit_chain import AuditKey
from tests.contracts.histories import ANN, INSTANT, WRITER, created
from tests.postgresql import Server

PATIENCE_SECONDS = 60

DROP_CHECKS = """
DO $$ DECLARE guard record; BEGIN
    FOR guard IN SELECT conrelid::regclass AS place, conname FROM pg_constraint
        WHERE contype = 'c' AND connamespace = 'public'::regnamespace
    LOOP EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', guard.place, guard.conname); END LOOP;
END $$
"""


KEY_FILE = Path(__file__).with_name("audit-key")
"""The audit key of all databases of a server; no secret."""


def opened(address: str | Path, *, create: bool = True) -> SqlStore:
    """The store at an address; a server's database is sealed under the key of the tests."""
    return open_database(address, create=create, key_file=key_file(address))


def key_file(address: str | Path) -> Path | None:
    """The file of the key that has to be named, if it has to."""
    return KEY_FILE if "://" in str(address) else None


def place(address: str) -> dict[str, str]:
    """The environment that leads to an address."""
    file = key_file(address)
    key = {} if file is None else {"GRANTPROOF_AUDIT_KEY_FILE": str(file)}
    return {"GRANTPROOF_DATABASE_URL": address, **key}


def copied(database: Path, to: Path) -> Path:
    """A copy of a file and of its audit key, `to` a path or into a folder."""
    path = to / database.name if to.is_dir() else to
    shutil.copy(beside(database), beside(path))
    return Path(shutil.copy(database, path))


class Database(ABC):
    """One database; `address` is what GRANTPROOF_DATABASE_URL would say."""

    address: str
    refusal: type[Exception]
    """What its driver raises when it refuses to break its own rules."""

    @abstractmethod
    def execute(self, *statements: str) -> None:
        """Edit it past the product, as far as its own rules allow."""

    @abstractmethod
    def by_hand(self, *statements: str) -> None:
        """Edit it past the product and past its own references, as nobody should."""

    @abstractmethod
    def without_checks(self) -> None:
        """Let rows that are edited by hand be illegal by themselves."""

    @abstractmethod
    def without_trigger(self, name: str) -> None:
        """Remove a guard of the events."""

    @abstractmethod
    def query(self, statement: str) -> list[tuple[Any, ...]]:
        """The rows of a query."""

    @abstractmethod
    def settle(self) -> None:
        """Return when nothing of a process that was killed is still at work in the database."""

    @property
    def key(self) -> AuditKey:
        """The key under which its events are sealed."""
        file = key_file(self.address) or beside(Path(self.address))
        return obtain(file, create=False)

    def rows_of(self, table: str) -> int:
        """How many rows a table has."""
        ((count,),) = self.query(f'SELECT count(*) FROM "{table}"')  # noqa: S608 - our own tables
        return int(count)


class Databases(ABC):
    """Where databases of a kind are made."""

    @abstractmethod
    def fresh(self) -> Database:
        """A place where nothing is yet."""

    @abstractmethod
    def copied(self, template: Database) -> Database:
        """A database like the template, which nobody uses meanwhile."""

    @abstractmethod
    def put_back(self, database: Database, to: Database) -> None:
        """Let a database be what the other is, which nobody uses meanwhile, whoever has it open."""

    @abstractmethod
    def drop(self, database: Database) -> None:
        """Remove a database that no test uses any more."""

    @cached_property
    def empty(self) -> Database:
        """A database without organizations, to be copied: migrating takes long."""
        made = self.fresh()
        opened(made.address).close()
        return made

    @cached_property
    def furnished(self) -> Database:
        """A database whose `acme` has every kind of fact, a counter and a session, to be copied."""
        made = self.copied(self.empty)
        store = opened(made.address)
        state = created(store, OrganizationId("acme"))
        due = charges(state.claims[ClaimId("write")], ANN, INSTANT)
        store.meter.charge(state.id, due, revision=state.revision, instant=INSTANT)
        roles = frozenset({WRITER})
        kept = Session(SessionId("s1"), ANN, roles, INSTANT, INSTANT + 3_600, "portal")
        store.sessions.open(state.id, kept, revision=state.revision, most=1)
        store.close()
        return made


class SqliteDatabase(Database):
    """A file."""

    refusal = sqlite3.IntegrityError

    def __init__(self, path: Path) -> None:
        self.path = path
        self.address = str(path)

    def execute(self, *statements: str) -> None:
        self._execute("PRAGMA foreign_keys = ON", *statements)

    def by_hand(self, *statements: str) -> None:
        self._execute("PRAGMA ignore_check_constraints = ON", *statements)

    def without_checks(self) -> None:
        """Nothing to do: whoever edits it by hand passes them over anyway."""

    def without_trigger(self, name: str) -> None:
        self._execute(f"DROP TRIGGER {name}")

    def query(self, statement: str) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(self.path)) as connection:
            return connection.execute(statement).fetchall()

    def settle(self) -> None:
        """Nothing to do: what a process does to a file ends with it."""

    def _execute(self, *statements: str) -> None:
        with closing(sqlite3.connect(self.path)) as connection, connection:
            for statement in statements:
                connection.execute(statement)


class SqliteDatabases(Databases):
    """Files, each in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._numbers: Iterator[int] = itertools.count()

    def fresh(self) -> SqliteDatabase:
        folder = self._folder / str(next(self._numbers))
        folder.mkdir()
        return SqliteDatabase(folder / "grantproof.db")

    def copied(self, template: Database) -> SqliteDatabase:
        made = self.fresh()
        copied(Path(template.address), made.path)
        return made

    def put_back(self, database: Database, to: Database) -> None:
        with (
            closing(sqlite3.connect(to.address)) as earlier,
            closing(sqlite3.connect(database.address)) as later,
        ):
            earlier.backup(later)

    def drop(self, database: Database) -> None:
        assert isinstance(database, SqliteDatabase)
        shutil.rmtree(database.path.parent)


class PostgresqlDatabase(Database):
    """A database of the server of this session."""

    refusal = psycopg.errors.IntegrityError

    def __init__(self, server: Server, name: str) -> None:
        self.server = server
        self.name = name
        self.address = server.address(name)

    def execute(self, *statements: str) -> None:
        self.server.execute(self.name, *statements)

    def by_hand(self, *statements: str) -> None:
        self.execute("SET session_replication_role = replica", *statements)

    def without_checks(self) -> None:
        self.execute(DROP_CHECKS)

    def without_trigger(self, name: str) -> None:
        self.execute(f"DROP TRIGGER {name} ON event")

    def query(self, statement: str) -> list[tuple[Any, ...]]:
        return self.server.query(self.name, statement)

    def settle(self) -> None:
        # The server goes on with what a client began until it finds that the client is gone.
        others = "SELECT pid FROM pg_stat_activity WHERE application_name = 'grantproof'"
        mine = f"{others} AND datname = current_database()"
        deadline = time.monotonic() + PATIENCE_SECONDS
        while self.query(mine):
            assert time.monotonic() < deadline, "a client that was killed is still at work"
            time.sleep(0.005)


class PostgresqlDatabases(Databases):
    """Databases of the server of this session."""

    def __init__(self, server: Server) -> None:
        self._server = server

    def fresh(self) -> PostgresqlDatabase:
        return PostgresqlDatabase(self._server, self._server.create())

    def copied(self, template: Database) -> PostgresqlDatabase:
        assert isinstance(template, PostgresqlDatabase)
        return PostgresqlDatabase(self._server, self._server.create(template.name))

    def put_back(self, database: Database, to: Database) -> None:
        assert isinstance(database, PostgresqlDatabase)
        assert isinstance(to, PostgresqlDatabase)
        self._server.drop(database.name)
        self._server.create(to.name, name=database.name)

    def drop(self, database: Database) -> None:
        assert isinstance(database, PostgresqlDatabase)
        self._server.drop(database.name)
