"""The first release: its schema, version 0001, and what it wrote into it, statement by statement.

Facts were written as today, except that no role was touched when its edges changed: see version
0007.
"""

from typing import Any, Self
from unittest.mock import patch

from alembic.command import upgrade
from sqlalchemy import URL, Engine, column, insert, select, table, text, update

from grantproof.adapters.sql import postgresql, projection, sqlite
from grantproof.adapters.sql.addresses import read_address
from grantproof.adapters.sql.mapping import MAPPINGS
from grantproof.adapters.sql.schema import configuration
from grantproof.core.commands import Event
from grantproof.core.identifiers import OrganizationId
from grantproof.core.model import Administered
from grantproof.policyfile.wire import encode_command, encode_delta
from tests.databases import Database

VERSION = "0001"

FIRST_MAPPINGS = tuple(one for one in MAPPINGS if not one.table.name.startswith("guardrail"))
"""There were no guardrails yet."""

ORGANIZATION = table(
    "organization",
    *map(
        column,
        (
            *("id", "revision", "time_zone", "administered", "created_at", "created_by"),
            *("deleted_at", "deleted_by"),
        ),
    ),
)
EVENT = table(
    "event",
    *map(column, ("organization_id", "revision", "instant", "actor", "command", "delta")),
)


def engine_of(address: str) -> tuple[Engine, dict[str, Any], str]:
    """Connections as the product sets them up, how a writer uses them, where the version is."""
    place = read_address(address)
    if isinstance(place, URL):
        return postgresql.open_engine(place), postgresql.AS_WRITER, postgresql.VERSIONS
    return sqlite.open_engine(place), sqlite.AS_WRITER, sqlite.VERSIONS


def make(database: Database) -> None:
    """Make an empty database of the first schema."""
    engine, as_writer, versions = engine_of(database.address)
    if versions == sqlite.VERSIONS:
        sqlite.claim_file(engine)
    with engine.execution_options(**as_writer).begin() as connection:
        upgrade(configuration(connection, versions=versions), VERSION)
    engine.dispose()


class FirstStore:
    """What the first release did to a database."""

    def __init__(self, address: str) -> None:
        self._engine, as_writer, _ = engine_of(address)
        self.writers = self._engine.execution_options(**as_writer)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._engine.dispose()

    def revision(self, organization: OrganizationId) -> int:
        """The stored revision."""
        found = select(ORGANIZATION.c.revision).where(ORGANIZATION.c.id == organization)
        with self._engine.connect() as connection:
            return int(connection.execute(found).scalar_one())

    def create(self, organization: OrganizationId, *, actor: str, instant: int) -> None:
        """Store a new, empty organization."""
        row = {
            "id": organization,
            "revision": 0,
            "time_zone": "UTC",
            "administered": 0,
            "created_at": instant,
            "created_by": actor,
        }
        with self.writers.begin() as connection:
            connection.execute(insert(ORGANIZATION), row)

    def delete(self, organization: OrganizationId, *, actor: str, instant: int) -> None:
        """Delete an organization, keep its events."""
        marked = (
            update(ORGANIZATION)
            .where(ORGANIZATION.c.id == organization, ORGANIZATION.c.deleted_at.is_(None))
            .values(deleted_at=instant, deleted_by=actor)
        )
        with self.writers.begin() as connection:
            assert connection.execute(marked).rowcount == 1
            with patch.object(projection, "MAPPINGS", FIRST_MAPPINGS):
                projection.erase(connection, organization)

    def commit(self, event: Event, *, before_commit: Any = None) -> bool:
        """Write the event and what its delta does; false when another writer was faster."""
        flag = {"administered": 1} if Administered() in event.delta.added else {}
        moved = (
            update(ORGANIZATION)
            .where(
                ORGANIZATION.c.id == event.organization,
                ORGANIZATION.c.revision == event.revision - 1,
                ORGANIZATION.c.deleted_at.is_(None),
            )
            .values(revision=event.revision, **flag)
        )
        row = {
            "organization_id": event.organization,
            "revision": event.revision,
            "instant": event.instant,
            "actor": event.actor,
            "command": encode_command(event.command),
            "delta": encode_delta(event.delta),
        }
        with self.writers.connect() as connection:
            if connection.execute(moved).rowcount == 0:
                return False
            with patch.object(projection, "_touch"):
                projection.write_delta(connection, event)
            connection.execute(insert(EVENT), row)
            if before_commit is not None:
                before_commit()
            connection.commit()
            return True

    def contents(self) -> dict[str, list[tuple[Any, ...]]]:
        """All that stands in the tables of the first schema; raises when they are others."""
        tables = {"organization": ORGANIZATION, "event": EVENT}
        with self._engine.connect() as connection:
            found = {
                name: [
                    tuple(row) for row in connection.execute(select(*rows.c).order_by(text("1, 2")))
                ]
                for name, rows in tables.items()
            }
            for mapping in FIRST_MAPPINGS:
                name = mapping.table.name
                found[name] = sorted(
                    (tuple(row) for row in connection.execute(select(mapping.table))), key=repr
                )
            return found
