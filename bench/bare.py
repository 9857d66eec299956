"""The floor of a change: its rows, by the bare driver, in one transaction that is as durable.

The same tables, with their keys, references and triggers, and the same statements for each row; but
nothing is decided, checked, sealed or published. Texts are of the length that the service writes.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple, Protocol

import psycopg

from grantproof.adapters.sql.addresses import read_address

COMMAND: Final = (
    '{"principal":"%s","role":"%s","type":"AssignRole","validity":{"from":null,"until":null}}'
)
FACT: Final = '{"from":null,"principal":"%s","role":"%s","type":"Assignment","until":null}'
CHANGE_SET: Final = '{"commands":[%s],"type":"ChangeSet"}'
DELTA: Final = '{"added":[%s],"removed":[]}'
SEAL: Final = "0" * 64
BUSY_SECONDS_MAX: Final = 60.0

MOVE: Final = "UPDATE organization SET revision = revision + 1, audit_head = ? WHERE id = ?"
AT: Final = "SELECT revision FROM organization WHERE id = ?"
FACT_ROW: Final = "INSERT INTO assignment VALUES (?, ?, ?, NULL, NULL, ?)"
EVENT_ROW: Final = "INSERT INTO event VALUES (?, ?, 'change', 1, NULL, ?, ?, ?, ?, ?)"
AUTHOR_ROW: Final = "INSERT INTO event_personal VALUES (?, ?, ?, 'bench', NULL, NULL, NULL)"

Pair = tuple[str, str]
"""A principal and the role that it is assigned."""


class Change(NamedTuple):
    """An assignment to be made."""

    organization: str
    principal: str
    role: str


class Cursor(Protocol):
    """What both drivers' cursors can do."""

    def execute(self, statement: str, values: Sequence[Any] = ..., /) -> object:
        """Execute a statement."""
        ...

    def executemany(self, statement: str, rows: Sequence[Sequence[Any]], /) -> object:
        """Execute it for every row."""
        ...

    def fetchone(self) -> Any:
        """Return the next row."""
        ...


@dataclass(frozen=True, slots=True)
class Bare:
    """Writes the rows of changes; `begin` begins a writer's transaction, `mark` is a parameter."""

    cursor: Cursor
    begin: str
    mark: str

    def make(self, change: Change) -> None:
        """Write the rows of one change."""
        pair = (change.principal, change.role)
        self._write(change.organization, [pair], COMMAND % pair)

    def make_all(self, organization: str, pairs: Sequence[Pair]) -> None:
        """Write the rows of a change set that assigns each role."""
        self._write(organization, pairs, CHANGE_SET % ",".join(COMMAND % one for one in pairs))

    def _write(self, organization: str, pairs: Sequence[Pair], command: str) -> None:
        run, said = self.cursor, self._said
        run.execute(self.begin)
        run.execute(said(MOVE), (SEAL, organization))
        run.execute(said(AT), (organization,))
        (revision,) = run.fetchone()
        rows = [(organization, *pair, revision) for pair in pairs]
        run.executemany(said(FACT_ROW), rows)
        delta = DELTA % ",".join(FACT % one for one in pairs)
        run.execute(
            said(EVENT_ROW), (organization, revision, command, delta, SEAL, SEAL[:16], SEAL)
        )
        run.execute(said(AUTHOR_ROW), (organization, revision, SEAL[:32]))
        run.execute("COMMIT")

    def _said(self, statement: str) -> str:
        return statement.replace("?", self.mark)


@contextmanager
def bare(url: str) -> Iterator[Bare]:
    """Yield what writes into the database at the address, over a connection of its own."""
    address = read_address(url)
    if isinstance(address, Path):
        connected = sqlite3.connect(address, timeout=BUSY_SECONDS_MAX, isolation_level=None)
        with closing(connected) as connection:
            for pragma in ("foreign_keys = ON", "synchronous = FULL", "fullfsync = ON"):
                connection.execute(f"PRAGMA {pragma}")
            yield Bare(connection.cursor(), "BEGIN IMMEDIATE", "?")
    else:
        conninfo = address.set(drivername="postgresql").render_as_string(hide_password=False)
        with psycopg.connect(conninfo, autocommit=True) as server:
            server.execute("SET synchronous_commit = on")
            yield Bare(_Postgresql(server.cursor()), "BEGIN ISOLATION LEVEL READ COMMITTED", "%s")


class _Postgresql:
    """A cursor of psycopg, whose statements are told from texts of others by their type."""

    def __init__(self, cursor: "psycopg.Cursor[Any]") -> None:
        self._cursor = cursor

    def execute(self, statement: str, values: Sequence[Any] = ()) -> None:
        """Execute a statement."""
        self._cursor.execute(statement.encode(), values or None)

    def executemany(self, statement: str, rows: Sequence[Sequence[Any]]) -> None:
        """Execute it for every row."""
        self._cursor.executemany(statement.encode(), rows)

    def fetchone(self) -> Any:
        """Return the next row."""
        return self._cursor.fetchone()
