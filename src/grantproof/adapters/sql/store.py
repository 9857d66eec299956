"""The store on a SQL database: every method is one transaction, every change a compare-and-set."""

from typing import Final

from sqlalchemy import insert, select, update
from sqlalchemy.exc import IntegrityError

from grantproof.adapters.sql.connections import Connections
from grantproof.adapters.sql.keys import SqlKeys
from grantproof.adapters.sql.loading import unusable, with_stored_facts
from grantproof.adapters.sql.mapping import Stored, Values, read_flag
from grantproof.adapters.sql.meter import SqlMeter
from grantproof.adapters.sql.projection import erase, write_delta
from grantproof.adapters.sql.receipts import erase_receipts, read_receipt, write_receipt
from grantproof.adapters.sql.rows import table
from grantproof.core.commands import Event
from grantproof.core.identifiers import OrganizationId
from grantproof.core.model import Administered
from grantproof.core.organization import Organization
from grantproof.policyfile.wire import (
    Unreadable,
    decode_command,
    decode_delta,
    encode_command,
    encode_delta,
)
from grantproof.service.ports import OrganizationSummary
from grantproof.service.receipts import Receipt

ORGANIZATION: Final = table("organization")
EVENT: Final = table("event")


class SqlStore:
    """A `Store` in a SQL database. Several threads and processes may use one database."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections
        self.keys = SqlKeys(connections)
        self.meter: SqlMeter = SqlMeter(connections)

    def create(
        self,
        organization: OrganizationId,
        *,
        time_zone: str,
        actor: str,
        instant: int,
        receipt: Receipt | None = None,
    ) -> bool:
        """Store a new, empty organization at revision 0; false when its id was ever used."""
        state = Organization(organization, time_zone=time_zone)
        with self._connections.writing() as connection:
            used = select(ORGANIZATION.c.id).where(ORGANIZATION.c.id == organization)
            if connection.execute(used).first() is not None:
                return False
            row: Values = {
                "id": state.id,
                "revision": state.revision,
                "time_zone": state.time_zone,
                "administered": int(state.administered),
                "created_at": instant,
                "created_by": actor,
            }
            try:
                connection.execute(insert(ORGANIZATION), row)
            except IntegrityError:
                # Somebody else created it since: no other rule can be broken by this row.
                return False
            write_receipt(connection, receipt)
            connection.commit()
            return True

    def delete(self, organization: OrganizationId, *, actor: str, instant: int) -> bool:
        """Delete an organization and its facts, keep its events; false when there is none."""
        marked = (
            update(ORGANIZATION)
            .where(ORGANIZATION.c.id == organization, ORGANIZATION.c.deleted_at.is_(None))
            .values(deleted_at=instant, deleted_by=actor)
        )
        with self._connections.writing() as connection:
            if connection.execute(marked).rowcount == 0:
                return False
            erase(connection, organization)
            erase_receipts(connection, organization)
            connection.commit()
            return True

    def summaries(
        self, *, after: OrganizationId | None = None, limit: int
    ) -> tuple[OrganizationSummary, ...]:
        """Return organizations in the order of their ids, after `after`, at most `limit`."""
        columns = (ORGANIZATION.c.id, ORGANIZATION.c.revision, ORGANIZATION.c.time_zone)
        query = (
            select(*columns)
            .where(ORGANIZATION.c.deleted_at.is_(None), ORGANIZATION.c.id > (after or ""))
            .order_by(ORGANIZATION.c.id)
            .limit(max(limit, 0))
        )
        with self._connections.reading() as connection:
            return tuple(_summary(row) for row in connection.execute(query))

    def revision(self, organization: OrganizationId) -> int | None:
        """Return the current revision, or nothing when there is no such organization."""
        query = select(ORGANIZATION.c.revision).where(
            ORGANIZATION.c.id == organization, ORGANIZATION.c.deleted_at.is_(None)
        )
        with self._connections.reading() as connection:
            return connection.execute(query).scalar_one_or_none()

    def load(self, organization: OrganizationId) -> Organization | None:
        """Return the organization, all its facts at one revision, or nothing."""
        query = select(
            ORGANIZATION.c.revision, ORGANIZATION.c.time_zone, ORGANIZATION.c.administered
        ).where(ORGANIZATION.c.id == organization, ORGANIZATION.c.deleted_at.is_(None))
        # One transaction: every query sees the same revision.
        with self._connections.reading() as connection:
            row = connection.execute(query).first()
            if row is None:
                return None
            return with_stored_facts(connection, _empty(organization, row))

    def commit(self, event: Event, *, receipt: Receipt | None = None) -> bool:
        """Write the event, what its delta does and the receipt, in one transaction; return true.

        False, and nothing written, when the stored revision is not the one before the event's.
        """
        row: Values = {
            "organization_id": event.organization,
            "revision": event.revision,
            "instant": event.instant,
            "actor": event.actor,
            "command": encode_command(event.command),
            "delta": encode_delta(event.delta),
        }
        moved = (
            update(ORGANIZATION)
            .where(
                ORGANIZATION.c.id == event.organization,
                ORGANIZATION.c.revision == event.revision - 1,
                ORGANIZATION.c.deleted_at.is_(None),
            )
            .values(revision=event.revision, **_administered(event))
        )
        with self._connections.writing() as connection:
            if connection.execute(moved).rowcount == 0:
                return False
            write_delta(connection, event)
            connection.execute(insert(EVENT), row)
            write_receipt(connection, receipt)
            connection.commit()
            return True

    def receipt(
        self, organization: OrganizationId, *, actor: str, key: str, after: int
    ) -> Receipt | None:
        """Return the receipt of the actor under the key, unless its instant is not past `after`."""
        with self._connections.reading() as connection:
            return read_receipt(connection, organization, actor=actor, key=key, after=after)

    def events(
        self, organization: OrganizationId, *, after: int = 0, limit: int
    ) -> tuple[Event, ...]:
        """Return the events with a revision greater than `after`, oldest first, at most `limit`."""
        columns = (
            EVENT.c.revision,
            EVENT.c.instant,
            EVENT.c.actor,
            EVENT.c.command,
            EVENT.c.delta,
        )
        query = (
            select(*columns)
            .where(EVENT.c.organization_id == organization, EVENT.c.revision > after)
            .order_by(EVENT.c.revision)
            .limit(max(limit, 0))
        )
        with self._connections.reading() as connection:
            rows = connection.execute(query).all()
        return tuple(_event(organization, row) for row in rows)

    def damage(self) -> tuple[str, ...]:
        """Return what the database itself finds wrong; reads all of it."""
        with self._connections.reading() as connection:
            return tuple(self._connections.damage(connection))

    def close(self) -> None:
        """Release every connection; the store is not used again."""
        self._connections.dispose()


def _summary(row: Stored) -> OrganizationSummary:
    try:
        return OrganizationSummary(OrganizationId(row[0]), row[1], row[2])
    except ValueError as error:
        raise unusable(row[0], ORGANIZATION.name, key=(row[0],), rule=str(error)) from error


def _empty(organization: OrganizationId, row: Stored) -> Organization:
    revision, time_zone, administered = row
    try:
        flag = read_flag("administered", administered)
        return Organization(organization, revision, time_zone, flag)
    except ValueError as error:
        key = (organization,)
        raise unusable(organization, ORGANIZATION.name, key=key, rule=str(error)) from error


def _event(organization: OrganizationId, row: Stored) -> Event:
    revision, instant, actor, command, delta = row
    try:
        return Event(
            organization, revision, instant, actor, decode_command(command), decode_delta(delta)
        )
    except (Unreadable, ValueError) as error:
        key = (organization, revision)
        raise unusable(organization, EVENT.name, key=key, rule=str(error)) from error


def _administered(event: Event) -> Values:
    """Return the change of the flag, which is a fact that the organization's own row holds."""
    if Administered() in event.delta.added:
        return {"administered": 1}
    if Administered() in event.delta.removed:
        return {"administered": 0}
    return {}
