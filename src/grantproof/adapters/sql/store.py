"""The store on a SQL database: every method is one transaction, every change a compare-and-set."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any, Final

from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.exc import IntegrityError

from grantproof.adapters.sql.connections import Connections
from grantproof.adapters.sql.consumptions import erase_consumptions
from grantproof.adapters.sql.keys import SqlKeys
from grantproof.adapters.sql.ledger import SqlLedger
from grantproof.adapters.sql.loading import unusable, with_stored_facts
from grantproof.adapters.sql.mapping import Stored, Values, read_flag
from grantproof.adapters.sql.meter import SqlMeter
from grantproof.adapters.sql.projection import erase, write_delta
from grantproof.adapters.sql.reading import WITH_AUTHORS, entries, latest
from grantproof.adapters.sql.receipts import erase_receipts, read_receipt, write_receipt
from grantproof.adapters.sql.rows import table
from grantproof.adapters.sql.sealing import Happening, of_event, seal, write
from grantproof.adapters.sql.sessions import IDS_A_QUERY, SqlSessions, end_sessions
from grantproof.adapters.sql.standing import revision_of
from grantproof.core.commands import Event
from grantproof.core.identifiers import OrganizationId
from grantproof.core.model import Administered
from grantproof.core.organization import Organization
from grantproof.policyfile.wire import Unreadable, decode_command, decode_delta
from grantproof.service import audit_chain
from grantproof.service.authors import Author
from grantproof.service.history import Entry, EventQuery
from grantproof.service.ports import ERASED, Head, Heard, OrganizationSummary
from grantproof.service.receipts import Receipt
from grantproof.service.versions import Versioned

ORGANIZATION: Final = table("organization")
EVENT: Final = table("event")
PERSONAL: Final = table("event_personal")

UNMOVED: Final = (
    ORGANIZATION.c.id == bindparam("of"),
    ORGANIZATION.c.revision == bindparam("before"),
    ORGANIZATION.c.deleted_at.is_(None),
)
"""The organization as it was when a change was decided; made once, as is all that follows."""

HEADS: Final = select(ORGANIZATION.c.id, ORGANIZATION.c.revision, ORGANIZATION.c.audit_head).where(
    ORGANIZATION.c.id.in_(bindparam("ids", expanding=True)), ORGANIZATION.c.deleted_at.is_(None)
)

HEAD_BEFORE: Final = select(ORGANIZATION.c.audit_head).where(*UNMOVED)
MOVE: Final = (
    update(ORGANIZATION)
    .where(*UNMOVED)
    .values(revision=bindparam("revision"), audit_head=bindparam("audit_head"))
)
MOVE_AND_FLAG: Final = MOVE.values(administered=bindparam("administered"))

AS_EVENT: Final = (
    EVENT.c.revision,
    EVENT.c.instant,
    PERSONAL.c.actor,
    EVENT.c.command,
    EVENT.c.delta,
    EVENT.c.request_id,
    PERSONAL.c.reason,
)
"""In the order in which `_event` takes them."""


class SqlStore:
    """A `Store` in a SQL database. Several threads and processes may use one database."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections
        self._key = connections.key
        self.keys = SqlKeys(connections)
        self.meter: SqlMeter = SqlMeter(connections)
        self.sessions = SqlSessions(connections)

    @property
    def ledger(self) -> SqlLedger:
        """The chain of the store's events."""
        return SqlLedger(self._connections)

    def create(
        self,
        organization: OrganizationId,
        *,
        time_zone: str,
        actor: str,
        instant: int,
        request_id: str | None = None,
        reason: str | None = None,
        receipt: Receipt | None = None,
    ) -> bool:
        """Store a new, empty organization at revision 0; false when its id was ever used."""
        state = Organization(organization, time_zone=time_zone)
        by = Author(actor, request_id=request_id, reason=reason)
        founding = audit_chain.founding(time_zone)
        founded = seal(self._key, "", Happening(state.id, 0, "found", instant, by, founding))
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
                "audit_head": founded.mac,
            }
            try:
                connection.execute(insert(ORGANIZATION), row)
            except IntegrityError:
                # Somebody else created it since: no other rule can be broken by this row.
                return False
            write(connection, founded)
            write_receipt(connection, receipt)
            connection.commit()
        self._connections.notices.tell(organization)
        return True

    def delete(
        self,
        organization: OrganizationId,
        *,
        actor: str,
        instant: int,
        request_id: str | None = None,
        reason: str | None = None,
    ) -> bool:
        """Delete an organization and its facts, keep its events; false when there is none."""
        by = Author(actor, request_id=request_id, reason=reason)
        here = ORGANIZATION.c.id == organization
        stands = select(ORGANIZATION.c.revision, ORGANIZATION.c.audit_head).where(
            here, ORGANIZATION.c.deleted_at.is_(None)
        )
        with self._connections.writing() as connection:
            row = connection.execute(stands.with_for_update()).first()
            if row is None:
                return False
            last = Happening(
                organization, row.revision + 1, "dissolve", instant, by, audit_chain.DISSOLVE
            )
            dissolved = seal(self._key, row.audit_head, last)
            ended: Values = {
                "revision": last.revision,
                "deleted_at": instant,
                "audit_head": dissolved.mac,
            }
            connection.execute(update(ORGANIZATION).where(here).values(**ended))
            erase(connection, organization)
            erase_receipts(connection, organization)
            erase_consumptions(connection, organization)
            write(connection, dissolved)
            connection.commit()
        self._connections.notices.tell(organization)
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
        with self._connections.reading() as connection:
            return connection.execute(revision_of(organization)).scalar_one_or_none()

    def heads(self, organizations: Sequence[OrganizationId]) -> Mapping[str, Head]:
        """Return at which event each that is there stands."""
        found: dict[str, Head] = {}
        with self._connections.reading() as connection:
            for first in range(0, len(organizations), IDS_A_QUERY):
                asked: Values = {"ids": organizations[first : first + IDS_A_QUERY]}
                rows = connection.execute(HEADS, asked)
                found |= {row.id: (row.revision, row.audit_head) for row in rows}
        return found

    def hear(self, heard: Heard) -> None:
        """Let `heard` be told what other processes change, where the database carries word."""
        self._connections.notices.hear(heard)

    def load(self, organization: OrganizationId) -> Organization | None:
        """Return the organization, all its facts at one revision, or nothing."""
        found = self.load_versioned(organization)
        return None if found is None else found.state

    def load_versioned(self, organization: OrganizationId) -> Versioned | None:
        """Return the organization and the versions of its entities, or nothing."""
        query = select(
            ORGANIZATION.c.revision,
            ORGANIZATION.c.time_zone,
            ORGANIZATION.c.administered,
            ORGANIZATION.c.audit_head,
        ).where(ORGANIZATION.c.id == organization, ORGANIZATION.c.deleted_at.is_(None))
        # One transaction: every query sees the same revision.
        with self._connections.reading() as connection:
            row = connection.execute(query).first()
            if row is None:
                return None
            *state, head = row
            found = with_stored_facts(connection, _empty(organization, state))
            return replace(found, seal=head)

    def commit(
        self, event: Event, *, receipt: Receipt | None = None, onto: str | None = None
    ) -> str | None:
        """Write the event, its delta and the receipt in one transaction; return the event's seal.

        Nothing, and nothing written, when the stored revision is not the one before the event's, or
        the last event is another than the one sealed `onto`.
        """
        before: Values = {"of": event.organization, "before": event.revision - 1}
        with self._connections.writing() as connection:
            head = connection.execute(HEAD_BEFORE, before).scalar()
            if head is None:
                return None
            if onto is not None and onto != head:
                # As many events as there were when the change was decided, but not the same ones.
                return None
            sealed = seal(self._key, head, of_event(event))
            moved = before | {"revision": event.revision, "audit_head": sealed.mac}
            flag = _administered(event)
            move = MOVE if len(flag) == 0 else MOVE_AND_FLAG
            if connection.execute(move, moved | flag).rowcount == 0:
                return None
            write_delta(connection, event)
            end_sessions(connection, event)
            write(connection, sealed)
            write_receipt(connection, receipt)
            connection.commit()
        self._connections.notices.tell(event.organization)
        return sealed.mac

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
        mine = (EVENT.c.organization_id == organization, EVENT.c.revision > after)
        query = (
            select(*AS_EVENT)
            .select_from(WITH_AUTHORS)
            .where(*mine, EVENT.c.kind == "change")
            .order_by(EVENT.c.revision)
            .limit(max(limit, 0))
        )
        with self._connections.reading() as connection:
            rows = connection.execute(query).all()
        return tuple(_event(organization, row) for row in rows)

    def continued(
        self, organization: OrganizationId, *, after: int, seal: str | None, limit: int
    ) -> tuple[tuple[str, Event], ...] | None:
        """Return what `events` does, each with its seal, if the event at `after` has that seal."""
        mine = (EVENT.c.organization_id == organization, EVENT.c.revision >= after)
        query = (
            select(EVENT.c.mac, *AS_EVENT)
            .select_from(WITH_AUTHORS)
            .where(*mine, revision_of(organization).exists())
            .order_by(EVENT.c.revision)
            .limit(max(limit, 0) + 1)
        )
        # One query, so that the event asked for and those after it are of one history.
        with self._connections.reading() as connection:
            rows = connection.execute(query).all()
        if len(rows) == 0 or rows[0].revision != after or seal not in {None, rows[0].mac}:
            return None
        return tuple((row.mac, _event(organization, row[1:])) for row in rows[1:])

    def latest(self, organization: OrganizationId) -> int | None:
        """Return the revision of the last event, or nothing when there never was one."""
        with self._connections.reading() as connection:
            return latest(connection, organization)

    def entries(
        self, organization: OrganizationId, query: EventQuery, *, limit: int
    ) -> tuple[Entry, ...]:
        """Return wanted entries in the order of their revisions, at most `limit`."""
        with self._connections.reading() as connection:
            return tuple(islice(entries(connection, organization, query), max(limit, 0)))

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


def _empty(organization: OrganizationId, row: Sequence[Any]) -> Organization:
    revision, time_zone, administered = row
    try:
        flag = read_flag("administered", administered)
        return Organization(organization, revision, time_zone, flag)
    except ValueError as error:
        key = (organization,)
        raise unusable(organization, ORGANIZATION.name, key=key, rule=str(error)) from error


def _event(organization: OrganizationId, row: Stored) -> Event:
    revision, instant, actor, command, delta, request_id, reason = row
    try:
        return Event(
            organization,
            revision,
            instant,
            ERASED if actor is None else actor,
            decode_command(command),
            decode_delta(delta),
            request_id,
            reason,
        )
    except (Unreadable, ValueError) as error:
        key = (organization, revision)
        raise unusable(organization, EVENT.name, key=key, rule=str(error)) from error


def _administered(event: Event) -> Values:
    """Return the change of the flag, which is a fact that the organization's own row holds."""
    delta = event.delta
    for facts, flag in ((delta.added, 1), (delta.removed, 0)):
        # By its type: to compare it with each of a million others takes ten times as long.
        if any(isinstance(fact, Administered) for fact in facts):
            return {"administered": flag}
    return {}
